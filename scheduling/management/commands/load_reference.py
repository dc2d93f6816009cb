from typing import Any

from django.core.management.base import BaseCommand

from scheduling.seed import load_reference


class Command(BaseCommand):
    help = "Completes the specialities and intake questions that come with Telemed."

    def handle(self, *args: Any, **options: Any) -> None:
        load_reference()
