"""The way in: an action asks for a message in the transaction that gives the reason for it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from telemed.lib import clock
from telemed.messaging import registry
from telemed.messaging.models import Message


def enqueue(
    kind: str,
    channel: str,
    address: str,
    language: str,
    references: Mapping[str, UUID],
    organisation: UUID | None,
    key: str,
    due_at: datetime | None = None,
) -> Message:
    """One message for ``key``, however often it is asked for; due at once unless ``due_at``.

    ``references`` name the rows that ``kind``'s renderer re-reads when the message is sent.
    Raises ``KeyError`` when no app writes this kind.
    """
    registry.renderer(kind)
    message, _created = Message.objects.get_or_create(
        idempotency_key=key,
        defaults={
            "kind": kind,
            "channel": Message.Channel(channel),
            "address": address,
            "language": language,
            "references": {name: str(value) for name, value in references.items()},
            "organisation": organisation,
            "due_at": due_at or clock.now(),
        },
    )
    return message
