"""News for the apps above, sent after the commit."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

reach_changed = Signal()  # with ``patient_id``: other numbers, another mailbox, other wishes


def tell_reach_changed(patient_id: UUID) -> None:
    """Once the running transaction is committed; a failing receiver stops nobody."""
    told = partial(reach_changed.send_robust, sender=None, patient_id=patient_id)
    transaction.on_commit(told, robust=True)
