"""The way out. A message is due, claimed, then sent, dropped, tried again or given up.

No transaction is open while a provider is called. Whoever claimed a message and died loses the
claim after ``rules.CLAIM_TIMEOUT``; the next one calls the provider with the same idempotency key.
"""

import uuid
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q
from django.utils import translation

from telemed.lib import clock
from telemed.messaging import mail, providers, registry, rules, sms
from telemed.messaging.models import Message
from telemed.messaging.refusals import RepeatedKey, Undelivered
from telemed.messaging.registry import Content


def due(now: datetime, limit: int) -> list[UUID]:
    """What can be claimed now, the longest due first."""
    rows = Message.objects.filter(_claimable(now)).order_by("due_at")
    return list(rows.values_list("id", flat=True)[:limit])


def deliver(message_id: UUID) -> None:
    """Claim and send one message; does nothing when somebody else has it."""
    claim = _claim(message_id, clock.now())
    if claim is None:
        return
    message = Message.objects.get(id=message_id)
    try:
        content = _content(message)
        if content is None:
            _settle(message, claim, Message.State.DROPPED)
            return
        _hand_over(message, content)
    except RepeatedKey:
        _settle(message, claim, Message.State.SENT, sent_at=clock.now())
    except Undelivered as failure:
        _put_back(message, claim, failure)
    else:
        _settle(message, claim, Message.State.SENT, sent_at=clock.now())


def give_up_lost(now: datetime) -> int:
    """Fail the messages whose every try died with its worker; returns how many."""
    lost = _claim_expired(now) & Q(attempts__gte=rules.MAX_ATTEMPTS)
    return Message.objects.filter(lost).update(state=Message.State.FAILED, error="worker_lost")


def retry(message: Message) -> bool:
    """Somebody mended the cause: a failed message is due again, with a fresh count of tries."""
    failed = Message.objects.filter(id=message.id, state=Message.State.FAILED)
    return bool(failed.update(state=Message.State.DUE, attempts=0, due_at=clock.now(), error=""))


def _claimable(now: datetime) -> Q:
    waiting = Q(state=Message.State.DUE, due_at__lte=now)
    return waiting | (_claim_expired(now) & Q(attempts__lt=rules.MAX_ATTEMPTS))


def _claim_expired(now: datetime) -> Q:
    return Q(state=Message.State.CLAIMED, claimed_at__lte=now - rules.CLAIM_TIMEOUT)


def _claim(message_id: UUID, now: datetime) -> UUID | None:
    """The one conditional UPDATE that settles who sends."""
    claim = uuid.uuid4()
    won = Message.objects.filter(_claimable(now), id=message_id).update(
        state=Message.State.CLAIMED,
        claimed_at=now,
        claimed_by=claim,
        attempts=F("attempts") + 1,
    )
    return claim if won else None


def _content(message: Message) -> Content | None:
    render = registry.renderer(message.kind)
    references = {name: UUID(value) for name, value in message.references.items()}
    with translation.override(message.language):
        return render(references, message.language)


def _hand_over(message: Message, content: Content) -> None:
    if message.channel == Message.Channel.EMAIL:
        mail.send(message.address, content, message.idempotency_key)
        return
    if sms.segments(content.text) > rules.MAX_SMS_SEGMENTS:
        raise Undelivered("too_long", permanent=True)
    providers.sms_provider().send(message.address, content.text, message.idempotency_key)


def _put_back(message: Message, claim: UUID, failure: Undelivered) -> None:
    if rules.is_given_up(message.attempts, permanent=failure.permanent):
        _settle(message, claim, Message.State.FAILED, error=failure.code[:80])
        return
    again_at = clock.now() + rules.next_try_in(message.attempts)
    _settle(message, claim, Message.State.DUE, due_at=again_at, error=failure.code[:80])


def _settle(
    message: Message,
    claim: UUID,
    state: Message.State,
    *,
    sent_at: datetime | None = None,
    due_at: datetime | None = None,
    error: str = "",
) -> None:
    """Only the holder of the claim writes the outcome: a late one changes nothing."""
    mine = Message.objects.filter(id=message.id, state=Message.State.CLAIMED, claimed_by=claim)
    mine.update(state=state, error=error, sent_at=sent_at, due_at=due_at or message.due_at)
