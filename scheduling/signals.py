"""News for the apps above, sent after the commit with ``appointment_id`` (a UUID)."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

appointment_booked = Signal()
appointment_moved = Signal()
appointment_cancelled = Signal()
appointment_reassigned = Signal()


def tell(signal: Signal, appointment_id: UUID) -> None:
    """Send it once the running transaction is committed; a failing receiver stops nobody."""
    transaction.on_commit(
        partial(signal.send_robust, sender=None, appointment_id=appointment_id), robust=True
    )
