from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from telemed.lib import clips


class Command(BaseCommand):
    help = "List the spoken explanations that nobody has recorded yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("languages", nargs="*", default=["ary", "shi", "tzm", "rif", "fr"])

    def handle(self, *args: Any, languages: list[str], **options: Any) -> None:
        gone = clips.missing(languages)
        for language, clip in gone:
            self.stdout.write(f"{language}/{clip}{clips.SUFFIX}  {clips.CLIPS[clip]}")
        self.stdout.write(f"{len(gone)} missing" if gone else "Every clip is there.")
