from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telemed.audit.models import Event
from telemed.audit.verify import walk


class Command(BaseCommand):
    help = "Checks that no audit event was changed, removed or put in between."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--expect",
            default="",
            metavar="DIGEST",
            help="a digest that an earlier run printed: fails when the chain no longer holds it",
        )

    def handle(self, *args: Any, expect: str, **options: Any) -> None:
        result = walk(
            Event.objects.order_by("id").iterator(chunk_size=2000), settings.AUDIT_KEY, expect
        )
        if result.broken is not None:
            raise CommandError(
                f"Event {result.broken} {result.why}; the {result.count} before it hold."
            )
        if not result.seen:
            raise CommandError(f"No event has the digest {expect}: the end was cut off.")
        self.stdout.write(f"{result.count} events hold. The chain ends with {result.head}")
