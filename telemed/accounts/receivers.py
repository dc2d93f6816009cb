"""News from the ground floor."""

from typing import Any

from telemed.accounts import actions
from telemed.accounts.models import User
from telemed.lib.language import language_chosen


def connect() -> None:
    """Called from ``AppConfig.ready``."""
    language_chosen.connect(_chosen, dispatch_uid="accounts")


def _chosen(sender: Any, *, user: User, language: str, **kwargs: Any) -> None:
    actions.keep_own_language(user, language)
