"""What is free and who offers it: reading only."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db.models import Q, QuerySet

from scheduling import slots
from scheduling.models import (
    Appointment,
    AppointmentStatus,
    AvailabilityException,
    AvailabilityRule,
    Hold,
    Leave,
    OccupiedInterval,
    Question,
    Service,
    Specialist,
)
from scheduling.rules import ALTERNATIVES, Buffers, Resource, Shape
from scheduling.slots import Availability, Claim
from telemed.accounts.models import Patient
from telemed.lib import clock
from telemed.lib.intervals import Interval, overlaps

Kind = OccupiedInterval.Resource


@dataclass(frozen=True)
class Diary:
    """What was read once of some specialists' and other resources' time."""

    availability: dict[UUID, Availability]
    busy: dict[Resource, list[Interval]]


@dataclass(frozen=True)
class Substitute:
    """Who could perform a visit instead; ``usual``: it lies within their hours."""

    specialist: Specialist
    usual: bool


def shape(service: Service) -> Shape:
    return Shape(
        duration=timedelta(minutes=service.minutes),
        step=timedelta(minutes=service.step_minutes),
        notice=timedelta(minutes=service.notice_minutes),
        horizon=timedelta(days=service.horizon_days),
        specialist=Buffers(
            timedelta(minutes=service.buffer_before_minutes),
            timedelta(minutes=service.buffer_after_minutes),
        ),
    )


def resources(service: Service, specialist_id: UUID, patient_id: UUID | None) -> list[Resource]:
    """Who and what a visit takes, in the order in which they are locked."""
    needed = [Resource(Kind.SPECIALIST.value, specialist_id)]
    if patient_id is not None:
        needed.append(Resource(Kind.PATIENT.value, patient_id))
    if service.site_id is not None and service.occupies_site:
        needed.append(Resource(Kind.PLACE.value, service.site_id))
    return sorted(needed)


def availability(specialist_ids: Iterable[UUID], now: datetime) -> dict[UUID, Availability]:
    """Rules, exceptions and leave that are not over, by specialist: three queries."""
    ids = list(specialist_ids)
    yesterday = now.date() - timedelta(days=2)
    weekly: dict[UUID, list[slots.WeeklyHours]] = defaultdict(list)
    rules = AvailabilityRule.objects.filter(specialist__in=ids, retired_at__isnull=True)
    for rule in rules.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=yesterday)):
        weekly[rule.specialist_id].append(_weekly(rule))
    dated: dict[UUID, list[slots.DatedHours]] = defaultdict(list)
    exceptions = AvailabilityException.objects.filter(specialist__in=ids, retired_at__isnull=True)
    for exception in exceptions.filter(date__gte=yesterday):
        dated[exception.specialist_id].append(_dated(exception))
    away: dict[UUID, list[slots.DaysAway]] = defaultdict(list)
    leaves = Leave.objects.filter(specialist__in=ids, retired_at__isnull=True)
    for leave in leaves.filter(last_day__gte=yesterday).select_related("specialist"):
        zone = leave.specialist.time_zone
        away[leave.specialist_id].append(slots.DaysAway(leave.first_day, leave.last_day, zone))
    return {id: Availability(weekly[id], dated[id], away[id]) for id in ids}


def _weekly(rule: AvailabilityRule) -> slots.WeeklyHours:
    return slots.WeeklyHours(
        rule.weekday, rule.starts, rule.ends, rule.time_zone, rule.valid_from, rule.valid_to
    )


def _dated(exception: AvailabilityException) -> slots.DatedHours:
    return slots.DatedHours(
        exception.kind == AvailabilityException.Kind.CLOSED,
        exception.date,
        exception.starts,
        exception.ends,
        exception.time_zone,
    )


def busy(
    wanted: Iterable[Resource],
    now: datetime,
    *,
    but_hold: UUID | None = None,
    but_appointment: UUID | None = None,
) -> dict[Resource, list[Interval]]:
    """What is taken from now on, by resource. Expired holds take nothing."""
    asked = set(wanted)
    rows = OccupiedInterval.objects.filter(
        resource__in={resource.id for resource in asked}, ends_at__gt=now
    ).exclude(hold__expires_at__lte=now)
    if but_hold is not None:
        rows = rows.exclude(hold=but_hold)
    if but_appointment is not None:
        rows = rows.exclude(appointment=but_appointment)
    taken: dict[Resource, list[Interval]] = defaultdict(list)
    for kind, id, start, end in rows.values_list(
        "resource_kind", "resource", "starts_at", "ends_at"
    ):
        taken[Resource(kind, id)].append((start, end))
    return taken


def diary(
    pairs: Sequence[tuple[Service, UUID]],
    patient: Patient | None,
    now: datetime,
    *,
    but_hold: UUID | None = None,
    but_appointment: UUID | None = None,
) -> Diary:
    """Read at once what the free starts of these (service, specialist id) depend on."""
    patient_id = patient.pk if patient else None
    wanted = {
        resource
        for service, specialist_id in pairs
        for resource in resources(service, specialist_id, patient_id)
    }
    return Diary(
        availability({specialist_id for _, specialist_id in pairs}, now),
        busy(wanted, now, but_hold=but_hold, but_appointment=but_appointment),
    )


def free_starts(
    service: Service,
    specialist_id: UUID,
    patient: Patient | None,
    known: Diary,
    now: datetime,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Iterator[datetime]:
    """The starts (aware, UTC) at which the specialist, the patient and the place are all free."""
    needs = shape(service)
    claims = [
        Claim(needs.buffers(resource.kind), known.busy.get(resource, ()))
        for resource in resources(service, specialist_id, patient.pk if patient else None)
    ]
    hours = known.availability.get(specialist_id, Availability())
    return slots.free(hours, needs, claims, now, first, last)


def is_offered(service: Service, specialist_id: UUID, starts_at: datetime, now: datetime) -> bool:
    """Whether the hours offer this start, taken or not; what has begun they do not."""
    if starts_at <= now:
        return False
    hours = availability([specialist_id], now)[specialist_id]
    return slots.offered(hours, shape(service), starts_at, now)


def alternatives(
    service: Service,
    specialist_id: UUID,
    patient: Patient | None,
    around: datetime,
    *,
    but_hold: UUID | None = None,
    but_appointment: UUID | None = None,
) -> list[datetime]:
    """Up to three starts free now, the nearest to ``around`` first of all, told in order."""
    now = clock.now()
    known = diary(
        [(service, specialist_id)],
        patient,
        now,
        but_hold=but_hold,
        but_appointment=but_appointment,
    )
    later = free_starts(service, specialist_id, patient, known, now, around)
    sooner = free_starts(service, specialist_id, patient, known, now, None, around)
    near = [*list(sooner)[-ALTERNATIVES:], *islice(later, ALTERNATIVES)]
    return sorted(sorted(near, key=lambda start: abs(start - around))[:ALTERNATIVES])


def day_counts(free: Iterable[datetime], zone: str) -> dict[date, int]:
    """How many of these starts fall on each day of the zone's calendar."""
    counts: dict[date, int] = defaultdict(int)
    for start in free:
        counts[start.astimezone(slots.zone(zone)).date()] += 1
    return dict(counts)


def bookable_services() -> QuerySet[Service]:
    """Services of specialists who work, at sites that are open."""
    services = Service.objects.filter(
        retired_at__isnull=True,
        specialist__retired_at__isnull=True,
        specialist__user__is_active=True,
        speciality__retired_at__isnull=True,
    ).filter(Q(site__isnull=True) | Q(site__retired_at__isnull=True))
    return services.select_related(
        "specialist__user", "specialist__organisation", "speciality", "site"
    )


def questions_answered(appointment: Appointment) -> QuerySet[Question]:
    """Danger signs first; also those that are asked of nobody any more."""
    rows = Question.objects.filter(pk__in=list(appointment.intake))
    return rows.order_by("-danger_sign", "position")


def who_else(appointment: Appointment, now: datetime) -> list[Substitute]:
    """Specialists of the same speciality who are free at the appointment's time and not away;
    those who work then by their own hours first."""
    service = appointment.service
    others = (
        Specialist.objects.filter(
            specialities=service.speciality_id, retired_at__isnull=True, user__is_active=True
        )
        .exclude(pk=appointment.specialist_id)
        .select_related("user", "organisation")
        .order_by("user__name", "pk")
    )
    wanted = {one.pk: Resource(Kind.SPECIALIST.value, one.pk) for one in others}
    taken = busy(wanted.values(), now)
    needed = shape(service).occupies(Kind.SPECIALIST.value, appointment.starts_at)
    visit = appointment.starts_at, appointment.ends_at
    hours = availability(wanted, now)
    found = [
        Substitute(one, slots.is_usual(hours[one.pk], visit))
        for one in others
        if not any(overlaps(needed, interval) for interval in taken.get(wanted[one.pk], ()))
        and not slots.is_away(hours[one.pk], visit)
    ]
    return sorted(found, key=lambda one: not one.usual)


def outside_hours(specialist: Specialist, now: datetime) -> list[Appointment]:
    """What is booked from now on and no longer lies within the hours: somebody has to look."""
    rows = Appointment.objects.filter(
        specialist=specialist,
        starts_at__gt=now,
        status__in=[AppointmentStatus.PENDING, AppointmentStatus.BOOKED],
    ).order_by("starts_at")
    booked = list(rows.select_related("patient", "service").prefetch_related("patient__names"))
    if not booked:
        return []
    worked = availability([specialist.pk], now)[specialist.pk]
    return [one for one in booked if not slots.is_usual(worked, (one.starts_at, one.ends_at))]


def patient_of_appointment(appointment_id: UUID) -> UUID | None:
    return Appointment.objects.filter(pk=appointment_id).values_list("patient", flat=True).first()


def patient_of_hold(hold_id: UUID) -> UUID | None:
    return Hold.objects.filter(pk=hold_id).values_list("patient", flat=True).first()
