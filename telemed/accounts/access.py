"""Who somebody is here and now, and what they reach. Access is the fetch: what is foreign is
absent, and both answer the same 404."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from telemed.accounts.models import (
    Membership,
    Organisation,
    OrganisationParent,
    Patient,
    PatientLink,
    Representative,
    User,
)
from telemed.accounts.roles import PROFESSIONALS, May, Role, may
from telemed.accounts.tree import Tree
from telemed.audit.actor import Actor
from telemed.lib import clock

# What each of a representative's permissions opens, of the abilities that patients have.
REPRESENTATIVE_FLAGS: dict[May, str] = {
    May.APPOINTMENT_BOOK_OWN: "may_book",
    May.APPOINTMENT_SEE_TIMES: "may_book",
    May.APPOINTMENT_MOVE: "may_book",
    May.APPOINTMENT_CANCEL: "may_book",
    May.LINK_ISSUE: "may_book",
    May.ROOM_JOIN: "may_book",
    May.ROOM_CHAT: "may_book",
    May.CONSENT_GIVE: "may_consent",
    May.APPOINTMENT_SEE_REASON: "may_read",
    May.SUMMARY_READ: "may_read",
    May.RECORDING_PLAY: "may_read",
    May.RECORDING_CLOSE: "may_consent",
    May.PICTURE_SEE: "may_read",
    May.AUDIT_READ_OWN: "may_read",
}


def today(now: datetime) -> date:
    """The day of memberships and representations: the site's, not UTC's."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def valid_on(day: date) -> Q:
    return Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gte=day))


@dataclass(frozen=True)
class Viewer:
    """A signed-in user at one moment: memberships, own patient record, people in their care.

    One layer for pages, sockets, tasks and files. Everything is read once and kept as long as
    the viewer: make a new one for each request and each socket message.
    """

    user: User
    now: datetime

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        rows = self.user.memberships.filter(valid_on(today(self.now)))
        rows = rows.filter(organisation__retired_at__isnull=True)
        return tuple(rows.select_related("organisation").order_by("valid_from", "id"))

    @cached_property
    def patient(self) -> Patient | None:
        return Patient.objects.filter(user=self.user, voided_at__isnull=True).first()

    @cached_property
    def representations(self) -> tuple[Representative, ...]:
        rows = self.user.represents.filter(valid_on(today(self.now)), voided_at__isnull=True)
        rows = rows.filter(patient__voided_at__isnull=True)
        return tuple(rows.select_related("patient").order_by("valid_from", "id"))

    @cached_property
    def tree(self) -> Tree:
        edges = OrganisationParent.objects.filter(valid_on(today(self.now)))
        return Tree.of(edges.values_list("child_id", "parent_id"))

    @cached_property
    def roles(self) -> frozenset[Role]:
        if not self.user.is_active:
            return frozenset()
        held = {Role(membership.role) for membership in self.memberships}
        if self.patient is not None or self.representations:
            held.add(Role.PATIENT)
        return frozenset(held)

    @property
    def is_professional(self) -> bool:
        return bool(self.roles & PROFESSIONALS)

    def may(self, ability: May) -> bool:
        """Whether some role of theirs allows this somewhere."""
        return any(may(role, ability) for role in self.roles)

    def may_at(self, ability: May, organisation_id: UUID) -> bool:
        """Whether a membership at or above this organisation allows it there."""
        return organisation_id in self.reach(ability)

    def reach(self, ability: May) -> frozenset[UUID]:
        """The organisations where a membership allows this: its own and all below."""
        if not self.user.is_active:
            return frozenset()
        return self.tree.below(
            membership.organisation_id
            for membership in self.memberships
            if may(Role(membership.role), ability)
        )

    def organisations(self, ability: May) -> QuerySet[Organisation]:
        return Organisation.objects.filter(id__in=self.reach(ability), retired_at__isnull=True)

    def represents(self, patient_id: UUID, ability: May) -> Representative | None:
        """The representation that allows this for that patient today."""
        flag = REPRESENTATIVE_FLAGS.get(ability)
        if flag is None or not self.user.is_active:
            return None
        rows = (row for row in self.representations if row.patient_id == patient_id)
        return next((row for row in rows if getattr(row, flag)), None)

    def patients(self, ability: May) -> QuerySet[Patient]:
        """Everybody for whom they may do this: themselves, people in their care, their places'.

        A patient belongs to the organisation that registered them. Somebody who signed up alone
        belongs to the region, so a centre also reaches the patients of the places above it.
        """
        known = Patient.objects.filter(voided_at__isnull=True)
        return known.filter(Q(id__in=self.in_care(ability)) | self._of_places(ability))

    def in_care(self, ability: May) -> frozenset[UUID]:
        """For whom they may do this as a patient does: themselves and those they represent."""
        ids = {
            row.patient_id
            for row in self.representations
            if self.represents(row.patient_id, ability)
        }
        if self.patient is not None and self.user.is_active and may(Role.PATIENT, ability):
            ids |= {self.patient.id} | self._same_person
        return frozenset(ids)

    def is_patient(self, patient_id: UUID) -> bool:
        """Whether this record is their own: theirs, or linked with it as the same person."""
        own = self.patient is not None and self.patient.id == patient_id
        return own or patient_id in self._same_person

    @cached_property
    def _same_person(self) -> frozenset[UUID]:
        """Records that a professional linked with their own: the same person, registered twice."""
        if self.patient is None:
            return frozenset()
        links = PatientLink.objects.filter(voided_at__isnull=True)
        links = links.filter(Q(patient=self.patient) | Q(same_as=self.patient))
        return frozenset(
            one for pair in links.values_list("patient_id", "same_as_id") for one in pair
        )

    def _of_places(self, ability: May) -> Q:
        reach = self.reach(ability)
        return Q(organisation_id__in=reach | self.tree.above(reach))

    def actor(self, means: May | Role, *, patient_id: UUID | None = None) -> Actor:
        """Themselves for the audit, in the role that allows ``means``.

        ``patient_id`` names whom it is about: when they act as that patient's representative,
        the actor says so.
        """
        behalf = self._behalf(means, patient_id)
        role = Role.PATIENT if behalf else self._role_for(means)
        site = next((row for row in self.memberships if row.role == role), None)
        return Actor(
            "user",
            self.user.id,
            role=str(role or ""),
            on_behalf_of=behalf,
            organisation=site.organisation_id if site else None,
        )

    def _role_for(self, means: May | Role) -> Role | None:
        if isinstance(means, Role):
            return means if means in self.roles else None
        held = [role for role in Role if role in self.roles and may(role, means)]
        # A nurse who is also a patient acts as a nurse where her work allows it.
        return next((role for role in held if role in PROFESSIONALS), held[0] if held else None)

    def _behalf(self, means: May | Role, patient_id: UUID | None) -> UUID | None:
        if patient_id is None or isinstance(means, Role):
            return None
        if self.patient is not None and self.patient.id == patient_id:
            return None
        return patient_id if self.represents(patient_id, means) else None


def viewer_of(user: User, now: datetime) -> Viewer:
    return Viewer(user, now)


def viewer(request: HttpRequest) -> Viewer:
    """The signed-in user of this request, read once; call it only behind a ``door``."""
    known: Viewer | None = getattr(request, "_viewer", None)
    if known is None or known.user.pk != request.user.pk:
        user = request.user
        if not isinstance(user, User):
            raise Http404
        known = viewer_of(user, clock.now())
        request._viewer = known  # type: ignore[attr-defined]
    return known


def patient_for(viewer: Viewer, patient_id: UUID, ability: May) -> Patient:
    """The patient, if this viewer may do this for them; ``Http404`` when foreign or absent."""
    patient = viewer.patients(ability).filter(id=patient_id).first()
    if patient is None:
        raise Http404
    return patient
