"""The outbox's clockwork. Tasks hold ids; what is due stands in the database."""

from uuid import UUID

from celery import shared_task

from telemed.lib import clock
from telemed.messaging import delivery

BATCH = 200
KEPT_SECONDS = 30  # a task that found no free worker for so long is asked for anew by the next beat


@shared_task
def deliver_due() -> None:
    """One task a message, so that one that breaks takes nothing else with it."""
    now = clock.now()
    delivery.give_up_lost(now)
    for message_id in delivery.due(now, BATCH):
        deliver.apply_async((str(message_id),), expires=KEPT_SECONDS)


@shared_task
def deliver(message_id: str) -> None:
    delivery.deliver(UUID(message_id))
