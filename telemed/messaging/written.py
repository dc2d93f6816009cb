"""Messages whose words are ready when they are asked for, such as a code to sign in with.

They go as soon as the worker is free: no page waits for a mail server or a gateway.
"""

import logging
import uuid
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from kombu.exceptions import OperationalError

from telemed.lib import clock
from telemed.messaging import outbox, registry, tasks
from telemed.messaging.models import Message, Written
from telemed.messaging.registry import Content

logger = logging.getLogger(__name__)
KIND = "written"


def register() -> None:
    """Called from ``AppConfig.ready``."""
    registry.register(KIND, _render)


@transaction.atomic
def write(
    channel: str, address: str, language: str, content: Content, useful_until: datetime
) -> Message:
    """One message of these words, dropped when it has not left by ``useful_until``."""
    words = Written.objects.create(
        subject=content.subject, text=content.text, useful_until=useful_until
    )
    key = f"{KIND}-{uuid.uuid4()}"
    message = outbox.enqueue(KIND, channel, address, language, {"words": words.id}, None, key)
    transaction.on_commit(partial(_at_once, message.id))
    return message


def _render(references: dict[str, UUID], language: str) -> Content | None:
    useful = Written.objects.filter(id=references["words"], useful_until__gt=clock.now())
    words = useful.first()
    return Content(words.subject, words.text) if words else None


def _at_once(message_id: UUID) -> None:
    """Without the broker the next beat finds it."""
    try:
        tasks.deliver.apply_async((str(message_id),), expires=tasks.KEPT_SECONDS, retry=False)
    except OperationalError:
        logger.warning("the broker cannot be reached: a message waits for the next beat")
