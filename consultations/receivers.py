"""News from below: an open room follows its appointment, whoever changed it, a person's sessions,
whoever ended them, and what its site allows."""

from functools import partial
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from consultations.actions.presence import signed_out
from consultations.actions.recording import end_where_not_allowed
from consultations.actions.visit import appointment_changed
from scheduling import signals
from telemed.accounts.models import Organisation


def connect() -> None:
    for signal in (
        signals.appointment_moved,
        signals.appointment_cancelled,
        signals.appointment_reassigned,
    ):
        signal.connect(_changed, dispatch_uid="consultations")
    # The package that keeps the sessions tells nobody when it ends one.
    post_delete.connect(_session_ended, sender=UserSession, dispatch_uid="consultations")
    post_save.connect(_place_changed, sender=Organisation, dispatch_uid="consultations")


def _changed(sender: Any, *, appointment_id: UUID, **kwargs: Any) -> None:
    appointment_changed(appointment_id)


def _session_ended(sender: Any, *, instance: UserSession, **kwargs: Any) -> None:
    transaction.on_commit(partial(signed_out, instance.user_id))


def _place_changed(sender: Any, *, instance: Organisation, **kwargs: Any) -> None:
    transaction.on_commit(partial(end_where_not_allowed, instance.pk))
