"""Whose password it is. Anybody can sign up with a stranger's address and a password of their own;
once the stranger proves the address, that password must not open what is theirs."""

from typing import Any

from allauth.account import signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from telemed.accounts.models import User
from telemed.audit import actions as audit
from telemed.audit.actor import Actor

SIGNED_UP = "signed_up"


def connect() -> None:
    """Called from ``AppConfig.ready``."""
    signals.user_signed_up.connect(_remember, dispatch_uid="passwords signed up")
    signals.email_confirmed.connect(_address_proved, dispatch_uid="passwords address proved")


def drop(user: User) -> None:
    """Nobody signs in with the present password any more; in the caller's transaction."""
    if not user.has_usable_password():
        return
    user.set_unusable_password()
    user.save(update_fields=["password"])
    audit.record("password.void", Actor("user", user.id), purpose="security")


def is_proved(user: User, address: str) -> bool:
    return EmailAddress.objects.filter(user=user, email=address, verified=True).exists()


def _remember(request: HttpRequest, user: User, **kwargs: Any) -> None:
    request.session[SIGNED_UP] = str(user.id)


def _address_proved(request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    user = email_address.user
    if isinstance(user, User) and not _knows_the_password(request, user):
        drop(user)


def _knows_the_password(request: HttpRequest, user: User) -> bool:
    """Whether this session signed up, or gave the password, as that user."""
    if request.user == user or request.session.get(SIGNED_UP) == str(user.id):
        return True
    records = get_authentication_records(request, user)
    return any(record.get("method") == "password" for record in records)
