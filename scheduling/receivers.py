"""News from accounts: how a patient is reached has changed."""

from typing import Any
from uuid import UUID

from django.db import transaction

from scheduling import messages
from telemed.accounts.signals import reach_changed


def connect() -> None:
    reach_changed.connect(_changed, dispatch_uid="scheduling")


def _changed(sender: Any, *, patient_id: UUID, **kwargs: Any) -> None:
    with transaction.atomic():
        messages.reach_again(patient_id)
