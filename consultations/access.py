"""Who somebody is in a visit. Access is the fetch: foreign, absent and over answer the same 404."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest

from consultations.models import GuestSession, Participant, ParticipantRole, Picture, Recording
from scheduling import links
from scheduling.access import appointment_for, appointments_in
from scheduling.models import Appointment, PersonalLink
from telemed.accounts.access import Viewer, today, valid_on
from telemed.accounts.models import Membership, Patient, Representative, User
from telemed.accounts.roles import May, Role
from telemed.audit.actor import Actor
from telemed.lib import clock

GUEST_COOKIE = "telemed_guest"
GUEST_ROLES = {
    PersonalLink.Kind.PATIENT: ParticipantRole.PATIENT,
    PersonalLink.Kind.COMPANION: ParticipantRole.COMPANION,
    PersonalLink.Kind.INTERPRETER: ParticipantRole.INTERPRETER,
}


@dataclass(frozen=True)
class Seat:
    """One person's place in one visit. ``verified``: signed in, so not a guest by link."""

    appointment: Appointment
    role: ParticipantRole
    actor: Actor
    user: User | None = None
    patient: Patient | None = None
    link: PersonalLink | None = None
    guest: GuestSession | None = None
    name: str = ""

    @property
    def verified(self) -> bool:
        return self.user is not None


def seat_for(viewer: Viewer, appointment_id: UUID) -> Seat:
    """The signed-in person's seat; ``Http404`` when they have none."""
    appointment = appointment_for(viewer, appointment_id, May.ROOM_JOIN)
    role = _role(viewer, appointment)
    patient = appointment.patient if role == ParticipantRole.PATIENT else None
    means = {
        ParticipantRole.SPECIALIST: Role.SPECIALIST,
        ParticipantRole.PRESENTER: Role.PRESENTER,
    }.get(role, May.ROOM_JOIN)
    return Seat(
        appointment,
        role,
        viewer.actor(means, patient_id=appointment.patient_id),
        user=viewer.user,
        patient=patient,
        name=viewer.user.name,
    )


def _role(viewer: Viewer, appointment: Appointment) -> ParticipantRole:
    if appointment.specialist.user_id == viewer.user.pk:
        return ParticipantRole.SPECIALIST
    if viewer.is_patient(appointment.patient_id):
        return ParticipantRole.PATIENT
    if viewer.represents(appointment.patient_id, May.ROOM_JOIN):
        return ParticipantRole.REPRESENTATIVE
    if Role.PRESENTER in viewer.roles:
        return ParticipantRole.PRESENTER
    raise Http404


def link_or_404(token: str) -> PersonalLink:
    link = links.link_of(token)
    if link is None:
        raise Http404
    return link


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def guest_of(request: HttpRequest, token: str) -> Seat | None:
    """The guest whose session this browser holds for that link; None before the code was given.

    ``Http404`` for a link that opens nothing.
    """
    link = link_or_404(token)
    key = request.COOKIES.get(GUEST_COOKIE, "")
    session = live_sessions().filter(link=link, browser_hash=hashed(key)).first()
    if not key or session is None:
        return None
    return guest_seat(link, session)


def live_sessions() -> QuerySet[GuestSession]:
    """Guests whose session was not ended, by a link that is not void and was not issued anew."""
    return GuestSession.objects.filter(
        ended_at__isnull=True, link__voided_at__isnull=True, issue=F("link__issue")
    )


def shut_out(sessions: set[str], participants: set[str]) -> set[str]:
    """Which of these guest sessions were ended, and who of these participants is ``barred``."""
    live = live_sessions().filter(pk__in=sessions).values_list("pk", flat=True)
    gone = sessions - {str(pk) for pk in live}
    return gone | barred(participants)


def barred(participants: Iterable[str | UUID]) -> set[str]:
    """Who of these lost what they came by: their login, their role, whom they stand for.

    Asked every second for everybody in a call, so it looks for a role, not for a place.
    """
    day = today(clock.now())
    theirs = Membership.objects.filter(valid_on(day), user=OuterRef("user"), role=OuterRef("role"))
    mandates = Representative.objects.filter(
        valid_on(day),
        user=OuterRef("user"),
        patient=OuterRef("room__consultation__appointment__patient"),
        may_book=True,
        voided_at__isnull=True,
    )
    works = Q(role__in=(ParticipantRole.SPECIALIST, ParticipantRole.PRESENTER))
    stands_for = Q(role=ParticipantRole.REPRESENTATIVE)
    lost = Q(user__is_active=False) | (works & ~Exists(theirs)) | (stands_for & ~Exists(mandates))
    people = Participant.objects.filter(pk__in=participants, user__isnull=False)
    return {str(pk) for pk in people.filter(lost).values_list("pk", flat=True)}


def guest_actor(link: PersonalLink, session: GuestSession | None = None) -> Actor:
    return Actor(
        "guest",
        session.pk if session else None,
        role=link.kind,
        organisation=link.organisation_id,
    )


def guest_seat(link: PersonalLink, session: GuestSession) -> Seat:
    patient = link.appointment.patient if link.kind == PersonalLink.Kind.PATIENT else None
    return Seat(
        link.appointment,
        GUEST_ROLES[PersonalLink.Kind(link.kind)],
        guest_actor(link, session),
        patient=patient,
        link=link,
        guest=session,
        name=link.name,
    )


def recorded_visit(viewer: Viewer, appointment_id: UUID) -> Appointment:
    """A visit whose recordings, if any, they may know of; ``Http404`` when foreign or absent."""
    own = Recording.objects.filter(started_by=viewer.user, voided_at__isnull=True)
    reached = Q(pk__in=appointments_in(viewer, May.RECORDING_PLAY).values("pk"))
    took = Q(pk__in=own.values("consultation__appointment")) & _takes(viewer)
    rows = Appointment.objects.filter(reached | took, pk=appointment_id, voided_at__isnull=True)
    found = rows.select_related("patient", "specialist__user", "service").first()
    if found is None:
        raise Http404
    return found


def recordings_in(viewer: Viewer, visit: Appointment | None = None) -> QuerySet[Recording]:
    """Those that they took, and those of a visit of theirs, or of somebody in their care."""
    cared_for = viewer.in_care(May.RECORDING_PLAY) | viewer.in_care(May.RECORDING_CLOSE)
    theirs = Q(consultation__appointment__patient__in=cared_for)
    took = Q(started_by=viewer.user) & _takes(viewer)
    rows = Recording.objects.filter(theirs | took, voided_at__isnull=True)
    if visit is not None:
        rows = rows.filter(consultation__appointment=visit)
    return rows.select_related("consultation__appointment", "started_by")


def playable(viewer: Viewer, recording: Recording) -> bool:
    """By who took it, and once it was released by the patient and who may read for them."""
    if recording.state != Recording.State.READY:
        return False
    if recording.started_by_id == viewer.user.pk and Role.SPECIALIST in viewer.roles:
        return True
    patient = recording.consultation.appointment.patient_id
    return recording.released_at is not None and patient in viewer.in_care(May.RECORDING_PLAY)


def recording_to_close(viewer: Viewer) -> QuerySet[Recording]:
    """What they may close to everybody: who took it, the patient, who may consent for them."""
    theirs = Q(consultation__appointment__patient__in=viewer.in_care(May.RECORDING_CLOSE))
    took = Q(started_by=viewer.user) & _takes(viewer)
    state = Recording.State
    rows = Recording.objects.filter(theirs | took, voided_at__isnull=True)
    rows = rows.filter(state__in=[state.STOPPED, state.MUXING, state.READY])
    return rows.select_related("consultation__appointment")


def pictured_visit(viewer: Viewer, appointment_id: UUID) -> Appointment:
    """A visit whose pictures they may see; ``Http404`` when foreign or absent."""
    rows = _pictured(viewer).filter(pk=appointment_id)
    found = rows.select_related("patient", "specialist__user", "service").first()
    if found is None:
        raise Http404
    return found


def pictures_in(viewer: Viewer) -> QuerySet[Picture]:
    """What they may see: of a visit of theirs, of their place's, or of somebody in their care, and
    what they asked for themselves."""
    rows = Picture.objects.filter(voided_at__isnull=True, state=Picture.State.READY)
    rows = rows.filter(consultation__appointment__in=_pictured(viewer).values("pk"))
    return rows.select_related("consultation__appointment", "participant__user")


def picture_to_void(viewer: Viewer) -> QuerySet[Picture]:
    """What they asked for themselves, or was taken in a visit that they perform."""
    performs = Q(consultation__appointment__specialist__user=viewer.user)
    return pictures_in(viewer).filter((Q(asked_by=viewer.user) | performs) & _takes(viewer))


def _pictured(viewer: Viewer) -> QuerySet[Appointment]:
    asked = Picture.objects.filter(asked_by=viewer.user, voided_at__isnull=True)
    asked_in = Q(pk__in=asked.values("consultation__appointment")) & _takes(viewer)
    reached = Q(pk__in=appointments_in(viewer, May.PICTURE_SEE).values("pk"))
    return Appointment.objects.filter(reached | asked_in, voided_at__isnull=True)


def _takes(viewer: Viewer) -> Q:
    """Everything for a specialist, nothing for whoever is none any more."""
    return Q() if Role.SPECIALIST in viewer.roles else Q(pk__in=[])
