"""News from scheduling: an open room follows its appointment, whoever changed it."""

from typing import Any
from uuid import UUID

from consultations.actions.visit import appointment_changed
from scheduling import signals


def connect() -> None:
    for signal in (
        signals.appointment_moved,
        signals.appointment_cancelled,
        signals.appointment_reassigned,
    ):
        signal.connect(_changed, dispatch_uid="consultations")


def _changed(sender: Any, *, appointment_id: UUID, **kwargs: Any) -> None:
    appointment_changed(appointment_id)
