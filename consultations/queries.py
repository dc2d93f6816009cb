"""What other pages ask of visits: who waits, which rooms run, what was left unfinished."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from consultations import rules
from consultations.models import (
    ConnectionTest,
    ConsentOverride,
    Consultation,
    ConsultationStatus,
    Participant,
    Room,
)
from scheduling.access import appointments_in
from scheduling.models import Appointment, Specialist
from telemed.accounts.access import Viewer
from telemed.accounts.models import User
from telemed.accounts.roles import May
from telemed.lib import clock

State = Participant.State


def waiting_at(now: datetime) -> QuerySet[Participant]:
    """Everybody who waits at that moment; a place is kept 15 minutes."""
    return Participant.objects.filter(
        state=State.WAITING,
        beside__isnull=True,
        voided_at__isnull=True,
        last_seen_at__gte=now - rules.AWAY_LIMIT,
    ).exclude(room__state=Room.State.CLOSED)


def waiting(specialist: Specialist) -> QuerySet[Participant]:
    """Who waits for this specialist now, longest first; their places are kept 15 minutes."""
    rows = waiting_at(clock.now()).filter(room__consultation__appointment__specialist=specialist)
    return rows.select_related(
        "room__consultation__appointment__patient", "user", "patient"
    ).order_by("waiting_since")


def somebody_waits(appointment: Appointment, now: datetime) -> bool:
    return waiting_at(now).filter(room__consultation__appointment=appointment).exists()


def is_in_visit(user: User) -> bool:
    """Whether they wait or are in a call now, or were within the time that keeps their place."""
    rows = Participant.objects.filter(
        user=user,
        state__in=[State.WAITING, State.ADMITTED, State.CONNECTED, State.RECONNECTING],
        last_seen_at__gte=clock.now() - rules.AWAY_LIMIT,
        voided_at__isnull=True,
    )
    return rows.exclude(room__state=Room.State.CLOSED).exists()


def rooms_in(viewer: Viewer) -> QuerySet[Room]:
    """The rooms of the appointments whose state this person may watch, open ones first asked."""
    appointments = appointments_in(viewer, May.ROOM_WATCH_STATE).values("pk")
    return Room.objects.filter(consultation__appointment__in=appointments).select_related(
        "consultation__appointment__patient", "consultation__appointment__specialist__user"
    )


def unfinished(viewer: Viewer, ability: May = May.ROOM_FINISH) -> QuerySet[Consultation]:
    """Visits in which somebody was admitted, whose time is over, and which nobody finished."""
    appointments = appointments_in(viewer, ability).filter(ends_at__lt=clock.now())
    admitted = Participant.objects.filter(
        room__consultation=OuterRef("pk"), admitted_at__isnull=False
    )
    rows = Consultation.objects.filter(Exists(admitted), appointment__in=appointments.values("pk"))
    return rows.exclude(
        status__in=[
            ConsultationStatus.FINISHED,
            ConsultationStatus.CANCELLED,
            ConsultationStatus.ENTERED_IN_ERROR,
        ]
    ).select_related("appointment__patient", "appointment__specialist__user")


def to_review(viewer: Viewer) -> QuerySet[ConsentOverride]:
    """Emergencies without consent that nobody has looked at, oldest first; nobody reviews their
    own. The reason is clinical and is left out."""
    appointments = appointments_in(viewer, May.OVERRIDE_REVIEW).values("pk")
    rows = ConsentOverride.objects.filter(
        consultation__appointment__in=appointments, reviewed_at__isnull=True, voided_at__isnull=True
    ).exclude(declared_by=viewer.user)
    return (
        rows.defer("reason")
        .select_related("consultation__appointment__patient", "declared_by")
        .prefetch_related("consultation__appointment__patient__names")
        .order_by("received_at")
    )


def queue_for(appointment: Appointment, now: datetime) -> dict[str, int]:
    """The honest place of this appointment among those who wait, and the minutes to expect."""
    here = (
        waiting_at(now)
        .filter(room__consultation__appointment__specialist=appointment.specialist_id)
        .values_list(
            "room__consultation__appointment",
            "room__consultation__appointment__starts_at",
            "room__consultation__appointment__ends_at",
        )
        .distinct()
    )
    rows = {pk: (starts, ends) for pk, starts, ends in here}
    rows[appointment.pk] = (appointment.starts_at, appointment.ends_at)
    place = rules.queue([(str(pk), at[0]) for pk, at in rows.items()], str(appointment.pk))
    before = sorted(rows.values())[: place - 1]
    expected = rules.expected_wait(
        appointment.starts_at,
        [ends - starts for starts, ends in before],
        _running_until(appointment, now),
        now,
    )
    return {"place": place, "minutes": -(-expected // timedelta(minutes=1))}


def _running_until(appointment: Appointment, now: datetime) -> datetime | None:
    """When the visit that this specialist is in should end, as booked."""
    running = (
        Room.objects.filter(
            state__in=[Room.State.IN_SESSION, Room.State.PAUSED],
            consultation__appointment__specialist=appointment.specialist_id,
            consultation__appointment__ends_at__gt=now,
        )
        .exclude(consultation__appointment=appointment.pk)
        .order_by("consultation__appointment__ends_at")
        .values_list("consultation__appointment__ends_at", flat=True)
    )
    return running.first()


def people_with_calls(appointment: Appointment) -> list[Participant]:
    """Who was in the visit or tried, with their ``calls``, in the order of their coming."""
    rows = Participant.objects.filter(
        room__consultation__appointment=appointment, voided_at__isnull=True
    )
    related = rows.select_related("user", "patient").prefetch_related("calls", "patient__names")
    return list(related.order_by("received_at", "id"))


def connection_tests(viewer: Viewer, since: datetime) -> QuerySet[ConnectionTest]:
    """The tests made at the places whose quality this person may see, newest first."""
    rows = ConnectionTest.objects.filter(
        organisation__in=viewer.reach(May.SITE_SEE_QUALITY), hour__gte=since
    )
    return rows.select_related("organisation").order_by("-hour", "-pk")
