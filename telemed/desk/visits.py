"""An appointment as day pages show it, together with what happens in its room."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from consultations import call_quality
from consultations.models import Consultation, Participant, ParticipantRole, Room
from consultations.quality_rules import Cause, Finding
from consultations.rules import AWAY_LIMIT
from scheduling.models import Appointment, PatientPlace
from scheduling.rules import join_window
from telemed.accounts.access import today
from telemed.accounts.models import Patient
from telemed.accounts.names import display_name, user_name
from telemed.desk import rules
from telemed.desk.rules import Standing
from telemed.lib import formats
from telemed.lib.fields import localized

PLACE_ICONS = {
    PatientPlace.HOME: "home",
    PatientPlace.FACILITY: "building-office-2",
    PatientPlace.MOBILE_UNIT: "truck",
}
ONE_DAY = timedelta(days=1)
LIVE_ROOMS = frozenset({Room.State.IN_SESSION, Room.State.PAUSED, Room.State.INTERRUPTED})
PATIENT_SIDE = frozenset(
    {ParticipantRole.PATIENT, ParticipantRole.REPRESENTATIVE, ParticipantRole.PRESENTER}
)


@dataclass(frozen=True)
class Visit:
    """One row of a day. Names are in the reader's language; ``now`` is when the page was asked."""

    appointment: Appointment
    now: datetime

    @cached_property
    def consultation(self) -> Consultation | None:
        return getattr(self.appointment, "consultation", None)

    @cached_property
    def room(self) -> Room | None:
        return getattr(self.consultation, "room", None)

    @cached_property
    def people(self) -> list[Participant]:
        return (
            [row for row in self.room.participants.all() if not row.voided_at] if self.room else []
        )

    @cached_property
    def waiting(self) -> list[Participant]:
        """Who waits, the patient's side before companions and interpreters. A place is kept
        while a telephone sleeps, not for ever; whom a presenter carries waits with them."""
        if self.room is None or self.room.state == Room.State.CLOSED:
            return []
        waits = [
            row
            for row in self.people
            if row.state == Participant.State.WAITING
            and row.beside_id is None
            and row.last_seen_at is not None
            and row.last_seen_at >= self.now - AWAY_LIMIT
        ]
        return sorted(waits, key=lambda row: row.role not in PATIENT_SIDE)

    @cached_property
    def waiting_since(self) -> datetime | None:
        return min((row.waiting_since for row in self.waiting if row.waiting_since), default=None)

    @cached_property
    def standing(self) -> Standing:
        kept = self.now - AWAY_LIMIT
        return rules.standing(
            self.now,
            self.appointment.ends_at,
            self.appointment.status,
            has_begun=any(row.admitted_at for row in self.people),
            is_live=self.room is not None and self.room.state in LIVE_ROOMS,
            is_seen=any(row.last_seen_at and row.last_seen_at >= kept for row in self.people),
            waiting_since=self.waiting_since,
        )

    @property
    def is_late(self) -> bool:
        it = self.appointment
        return rules.is_late(self.now, it.starts_at, it.ends_at, it.status, it.arrived_at)

    @property
    def waits_long(self) -> bool:
        return rules.waits_long(self.now, self.waiting_since, self.appointment.starts_at)

    @cached_property
    def trouble(self) -> Finding | None:
        """What went wrong in its call; who did not come is told by its state already."""
        found = call_quality.finding(self.appointment, self.consultation, self.people, self.now)
        return None if found is None or found.cause == Cause.ABSENCE else found

    @property
    def opens_at(self) -> datetime:
        return join_window(self.appointment.starts_at, self.appointment.ends_at)[0]

    @property
    def is_open(self) -> bool:
        """The window of the first entry; who has been in may always come back until the end."""
        if self.standing == Standing.OVER:
            return False
        opens, closes = join_window(self.appointment.starts_at, self.appointment.ends_at)
        return opens <= self.now < closes or self.standing != Standing.LATER

    @property
    def patient(self) -> str:
        return display_name(self.appointment.patient)

    @property
    def specialist(self) -> str:
        return user_name(self.appointment.specialist.user)

    @property
    def speciality(self) -> str:
        return localized(self.appointment.service.speciality.name)

    @property
    def age(self) -> str:
        return age_in_words(self.appointment.patient, self.now)

    @property
    def place(self) -> str:
        return self.appointment.patient_place

    @property
    def place_icon(self) -> str:
        return PLACE_ICONS[PatientPlace(self.place)]

    @property
    def state(self) -> tuple[str, str]:
        """Subject and code of what is happening, as ``{% state %}`` tells it."""
        if self.standing == Standing.WAITING:
            return "participant", "waiting"
        if self.standing == Standing.LIVE and self.room is not None:
            return "room", self.room.state
        return "appointment", self.appointment.status

    @property
    def site(self) -> str:
        return localized(self.appointment.site.name) if self.appointment.site else ""

    @property
    def site_address(self) -> str:
        return localized(self.appointment.site.address) if self.appointment.site else ""

    @property
    def beside(self) -> str:
        """The presenter beside the patient, once they are in the room."""
        names = (row.name for row in self.people if row.role == ParticipantRole.PRESENTER)
        return next(names, "")

    @property
    def waited(self) -> str:
        return minutes_in_words(self.now, self.waiting_since) if self.waiting_since else ""

    @property
    def zone(self) -> str:
        return self.appointment.time_zone

    @property
    def opens_told(self) -> str:
        told = formats.hour(self.opens_at, self.zone)
        return formats.isolated(told) if formats.is_mirrored() else told

    @property
    def opens_in(self) -> str:
        return formats.duration(self.opens_at - self.now)

    @property
    def tone(self) -> str:
        """Of its bar on a drawn day."""
        if self.standing in {Standing.WAITING, Standing.LIVE}:
            return "now"
        if self.is_late or self.standing == Standing.UNFINISHED:
            return "warn"
        return "plain" if self.standing == Standing.OVER else ""

    @property
    def card_tone(self) -> str:
        """Saffron only where the patient joins by themselves, now."""
        return "now" if self.is_open and self.place == PatientPlace.HOME else ""

    @property
    def key(self) -> str:
        return self.appointment.pk.hex

    @property
    def url(self) -> str:
        return reverse("scheduling:appointment", args=[self.appointment.pk])

    @property
    def room_url(self) -> str:
        """The visit; who comes for the first time is led through the device check and consent."""
        return reverse("consultations:room", args=[self.appointment.pk])

    @property
    def admit_url(self) -> str:
        """The room, which admits this person as soon as it is entered."""
        return f"{self.room_url}#admit={self.waiting[0].pk}" if self.waiting else self.room_url


def visits(appointments: QuerySet[Appointment], now: datetime) -> list[Visit]:
    """In order of time; three queries whatever the number."""
    people = Prefetch(
        "consultation__room__participants",
        Participant.objects.order_by("received_at").prefetch_related("calls"),
    )
    rows = appointments.select_related("consultation__room").prefetch_related(people)
    return [Visit(row, now) for row in rows.order_by("starts_at", "id")]


def of(found: Iterable[Visit], *standings: Standing) -> list[Visit]:
    return [visit for visit in found if visit.standing in standings]


def age_in_words(patient: Patient, now: datetime) -> str:
    years = rules.age(patient.birth_date, today(now))
    if years is None:
        return ""
    words = ngettext("%(years)s year", "%(years)s years", years) % {"years": years}
    if patient.birth_precision == Patient.BirthPrecision.ESTIMATED:
        return gettext("about %(age)s") % {"age": words}
    return words


def minutes_in_words(now: datetime, since: datetime) -> str:
    minutes = int((now - since).total_seconds()) // 60
    if minutes < 1:
        return gettext("less than a minute")
    return ngettext("%(minutes)s minute", "%(minutes)s minutes", minutes) % {"minutes": minutes}


def day_of(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """The wall-clock day of ``zone`` that ``now`` falls on, as a half-open interval of moments."""
    midnight = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    following = (midnight.replace(hour=12) + ONE_DAY).replace(hour=0)
    return midnight, following
