"""What day pages change, in the apps below, beyond what they change by themselves."""

from django.db import transaction

from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.messaging import delivery
from telemed.messaging.models import Message


@transaction.atomic
def retry_message(message: Message, actor: Actor) -> bool:
    """Send a failed message again; False when somebody already did."""
    done = delivery.retry(message)
    if done:
        audit.record(
            "message.retry",
            actor,
            organisation=message.organisation,
            subject=("message", message.id),
        )
    return done
