"""People, places and visits to try Telemed with; says what each person signs in with."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from telemed.desk.demo import cast, past, purge, seed, visits


class Command(BaseCommand):
    help = "Make sure that the demonstration's people, places and visits exist."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--purge", action="store_true", help="take all of it out again")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demonstration does not belong among real people.")
        if options["purge"]:
            self.stdout.write(f"{purge.purge()} rows removed")
            return
        seed.people_and_places()
        past.ensure_past_visit()
        visits.ensure_visits()
        for person in cast.PEOPLE:
            self.stdout.write(f"{person.role:<14} {person.email:<26} {cast.PASSWORD}")
