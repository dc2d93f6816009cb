"""Signing in and out, failed attempts and changed secrets, as audit events."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from telemed.accounts.models import User
from telemed.audit import actions as audit
from telemed.audit.actor import Actor


def connect() -> None:
    """Called from ``AppConfig.ready``."""
    events = {
        "sign_in": user_logged_in,
        "sign_out": user_logged_out,
        "password.change": account.password_changed,
        "password.reset": account.password_reset,
        "email.change": account.email_changed,
        "second_factor.add": mfa.authenticator_added,
        "second_factor.remove": mfa.authenticator_removed,
    }
    for action, signal in events.items():
        signal.connect(_recorder(action), weak=False, dispatch_uid=f"audit {action}")
    user_login_failed.connect(_failed, dispatch_uid="audit sign_in refused")


def _recorder(action: str) -> Any:
    def on_signal(sender: Any, user: User | None = None, **kwargs: Any) -> None:
        if user is not None:
            audit.record(action, Actor("user", user.id), purpose="security")

    return on_signal


def _failed(sender: Any, **kwargs: Any) -> None:
    """Without what was typed: it may be a password in the wrong field, or nobody's address."""
    audit.refused("sign_in", Actor("guest", None), "wrong_credentials", purpose="security")
