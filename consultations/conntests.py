"""What connection tests measured, kept by place and hour: never by whom."""

from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from consultations.access import Seat
from consultations.models import ConnectionTest, ParticipantRole
from consultations.refusals import RoomRefused
from scheduling.models import PatientPlace
from telemed.accounts.models import Organisation
from telemed.lib import clock

KEPT = 6  # of one person, in so many seconds: somebody who tests all day speaks for nobody else
KEPT_SECONDS = 600
# Who sits where the patient sits; the others came from somewhere that nobody knows.
AT_THE_PLACE = frozenset(
    {ParticipantRole.PATIENT, ParticipantRole.REPRESENTATIVE, ParticipantRole.PRESENTER}
)


@dataclass(frozen=True)
class Measured:
    """``loss`` is a share, there and back; ``expected_mode`` how the call will probably run."""

    verdict: str
    expected_mode: str
    kbit_up: int
    kbit_down: int
    round_trip_ms: int
    loss: float


def keep(seat: Seat, measured: Measured) -> None:
    """Refused ``too_fast`` for somebody who has just stored several."""
    if not _is_within_bounds(seat):
        raise RoomRefused("too_fast", _("That was too fast. Please wait a moment."))
    place, at_home = place_of(seat)
    ConnectionTest.objects.create(
        organisation=place,
        at_home=at_home,
        hour=clock.now().replace(minute=0, second=0, microsecond=0),
        **vars(measured),
    )


def place_of(seat: Seat) -> tuple[Organisation, bool]:
    """The place that a test speaks for, and whether it was made from outside it."""
    booked = seat.appointment
    if seat.role == ParticipantRole.SPECIALIST:
        return booked.specialist.organisation, False
    at_site = booked.site is not None and booked.patient_place != PatientPlace.HOME
    if booked.site is not None and at_site:
        return booked.site, seat.role not in AT_THE_PLACE
    return booked.organisation, True


def _is_within_bounds(seat: Seat) -> bool:
    person = seat.user or seat.guest
    key = f"conntest:{person.pk if person else ''}"
    cache.add(key, 0, timeout=KEPT_SECONDS)
    try:
        return bool(cache.incr(key) <= KEPT)
    except ValueError:  # the time ended in between
        return True
