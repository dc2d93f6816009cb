"""What an action answers when it will not do what was asked."""

from typing import Any

from django.utils.functional import Promise


class Refused(Exception):
    """A stable ``code`` for programs, a translated sentence for people.

    Each app has one subclass; each front door (page, socket, API, task) maps it in one place.
    ``facts`` are plain values that help the reader on, such as free alternatives.
    """

    def __init__(self, code: str, message: str | Promise, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
