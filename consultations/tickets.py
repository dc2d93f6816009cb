"""The ticket that lets a browser into a room's socket: signed, for 30 seconds, used once."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.db import IntegrityError, transaction

from consultations.models import UsedTicket

PROTOCOL = 1
LIFETIME_SECONDS = 30
SALT = "consultations.ticket"


class TicketInvalid(ValueError):
    """Not signed by us, too old, used already, or made for another process."""


@dataclass(frozen=True)
class Ticket:
    """``guest`` is the guest session of somebody without a login. A ticket without a room is for
    the connection test: it opens an echo and reaches no room."""

    id: str
    room: str
    participant: str
    browser: str
    process: str
    language: str
    guest: str | None = None


def make(
    process: str,
    language: str,
    *,
    room: UUID,
    participant: UUID,
    browser: UUID,
    guest: UUID | None = None,
) -> str:
    return _signed(
        Ticket(
            str(uuid4()),
            str(room),
            str(participant),
            str(browser),
            process,
            language,
            str(guest) if guest else None,
        )
    )


def make_for_test(process: str, language: str) -> str:
    """A ticket for the connection test."""
    return _signed(Ticket(str(uuid4()), "", "", "", process, language))


def _signed(ticket: Ticket) -> str:
    return signing.dumps(asdict(ticket), salt=SALT)


def read(signed: str, process: str) -> Ticket:
    """Checks signature, age and process; ``take`` makes it used. Raises ``TicketInvalid``."""
    try:
        fields: dict[str, Any] = signing.loads(signed, salt=SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        raise TicketInvalid("bad or old signature") from None
    try:
        ticket = Ticket(**fields)
    except TypeError:
        raise TicketInvalid("made by another version") from None
    if ticket.process != process:
        raise TicketInvalid("made for another process")
    return ticket


def take(ticket: Ticket) -> None:
    """Raises ``TicketInvalid`` for the second use, whoever is first."""
    try:
        with transaction.atomic():
            UsedTicket.objects.create(id=UUID(ticket.id))
    except IntegrityError:
        raise TicketInvalid("used already") from None
