"""Who reaches which appointments, holds and diaries. The fetch is the permission."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from scheduling.models import Appointment, Hold, Specialist
from telemed.accounts.access import Viewer, patient_for
from telemed.accounts.models import Patient
from telemed.accounts.roles import May, Role, may
from telemed.audit.actor import Actor

_RELATED = (
    "patient__organisation",
    "service__speciality",
    "service__site",
    "service__specialist",
    "specialist__user",
    "specialist__organisation",
    "site",
    "organisation",
)


def in_care(viewer: Viewer, ability: May) -> frozenset[UUID]:
    """For whom they may do this as a patient does: themselves and those they represent."""
    return viewer.in_care(ability)


def appointments_in(viewer: Viewer, ability: May) -> QuerySet[Appointment]:
    """Every appointment with which they may do this.

    Patients: their own and those of people in their care. Specialists: those that they perform.
    Presenters: those at their places. Coordinators: also those of their places' specialists.
    Both: those that they booked, since a patient of the region belongs to no centre.
    """
    presents = _reach(viewer, Role.PRESENTER, ability)
    coordinates = _reach(viewer, Role.COORDINATOR, ability)
    reached = (
        Q(patient__in=in_care(viewer, ability))
        | Q(organisation__in=presents | coordinates)
        | Q(specialist__organisation__in=coordinates)
    )
    if presents or coordinates:
        reached |= Q(booked_by=viewer.user)
    if Role.SPECIALIST in viewer.roles and may(Role.SPECIALIST, ability):
        reached |= Q(specialist__user=viewer.user)
    rows = Appointment.objects.filter(reached, voided_at__isnull=True)
    return rows.select_related(*_RELATED).prefetch_related("patient__names")


def appointment_for(viewer: Viewer, appointment_id: UUID, ability: May) -> Appointment:
    """The appointment, if they may do this with it; ``Http404`` when foreign or absent."""
    found = appointments_in(viewer, ability).filter(pk=appointment_id).first()
    if found is None:
        raise Http404
    return found


def patient_to_book(viewer: Viewer, patient_id: UUID) -> tuple[Patient, Actor]:
    """Somebody for whom they may book, and as whom they do it; ``Http404`` otherwise."""
    own = patient_id in in_care(viewer, May.APPOINTMENT_BOOK_OWN)
    ability = May.APPOINTMENT_BOOK_OWN if own else May.APPOINTMENT_BOOK_ANY
    patient = patient_for(viewer, patient_id, ability)
    return patient, acting_on(viewer, patient_id, ability)


def hold_for(viewer: Viewer, hold_id: UUID) -> Hold:
    """Their own hold; ``Http404`` when another's or absent."""
    holds = Hold.objects.select_related(
        "patient__organisation",
        "service__speciality",
        "service__site",
        "service__specialist__user",
        "service__specialist__organisation",
    )
    found = holds.filter(pk=hold_id, held_by=viewer.user).first()
    if found is None:
        raise Http404
    return found


def hold_of(viewer: Viewer, patient: Patient, now: datetime) -> Hold | None:
    """The time that they keep for this patient just now, to be given back for another one."""
    holds = Hold.objects.filter(patient=patient, held_by=viewer.user, expires_at__gt=now)
    return holds.order_by("-created_at").first()


def diaries(viewer: Viewer) -> QuerySet[Specialist]:
    """The specialists whose hours and leave they may edit: themselves, those of their region.

    A region's specialists are those who work in it and those who serve a site of it.
    """
    region = _reach(viewer, Role.COORDINATOR, May.AVAILABILITY_EDIT_ANY)
    edits = Q(organisation__in=region) | Q(services__site__in=region)
    if viewer.may(May.AVAILABILITY_EDIT_OWN):
        edits |= Q(user=viewer.user)
    rows = Specialist.objects.filter(edits, retired_at__isnull=True).distinct()
    return rows.select_related("user", "organisation")


def diary_for(viewer: Viewer, specialist_id: UUID) -> Specialist:
    found = diaries(viewer).filter(pk=specialist_id).first()
    if found is None:
        raise Http404
    return found


def acting_on(viewer: Viewer, patient_id: UUID, ability: May) -> Actor:
    """As whom they act for this patient: the patient, a representative, else by their work."""
    if viewer.patient is not None and viewer.patient.pk == patient_id:
        return viewer.actor(Role.PATIENT)
    return viewer.actor(ability, patient_id=patient_id)


def _reach(viewer: Viewer, role: Role, ability: May) -> frozenset[UUID]:
    """Where this role of theirs allows it (a specialist's place opens no colleague's visits)."""
    if not may(role, ability) or role not in viewer.roles:
        return frozenset()
    return viewer.tree.below(
        membership.organisation_id for membership in viewer.memberships if membership.role == role
    )
