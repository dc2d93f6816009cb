"""News from the ground floor and of sign-ins."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed

from telemed.accounts import actions
from telemed.accounts.models import Patient, User
from telemed.accounts.signals import tell_reach_changed
from telemed.lib.language import language_chosen


def connect() -> None:
    """Called from ``AppConfig.ready``."""
    language_chosen.connect(_chosen, dispatch_uid="accounts")
    email_confirmed.connect(_confirmed, dispatch_uid="accounts")


def _chosen(sender: Any, *, user: User, language: str, **kwargs: Any) -> None:
    actions.keep_own_language(user, language)


def _confirmed(sender: Any, *, email_address: EmailAddress, **kwargs: Any) -> None:
    """Whoever changed the address of their sign-in is written to there."""
    patient = Patient.objects.filter(user=email_address.user, voided_at__isnull=True).first()
    if patient is not None:
        tell_reach_changed(patient.id)
