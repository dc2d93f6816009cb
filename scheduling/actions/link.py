"""Issuing and voiding personal links."""

from django.db import transaction
from django.db.models import F

from scheduling import links
from scheduling.models import Appointment, PersonalLink
from scheduling.rules import CODE_TRIES, LINK_LIVES_AFTER
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


def issue_link(
    appointment: Appointment,
    kind: str,
    actor: Actor,
    *,
    name: str = "",
    language: str = "fr",
) -> PersonalLink:
    """A link to this appointment. The patient has one: issuing it again voids the earlier issue.

    Companions and interpreters get one each, with the ``name`` that the room will show.
    """
    with transaction.atomic():
        earlier = PersonalLink.objects.filter(appointment=appointment, kind=kind)
        link = earlier.first() if kind == PersonalLink.Kind.PATIENT else None
        if link is None:
            link = PersonalLink(
                appointment=appointment, kind=kind, organisation_id=appointment.organisation_id
            )
        else:
            link.issue += 1
        link.name, link.language = name, language
        link.key_id = links.current_key_id()
        link.tries_left = CODE_TRIES
        link.expires_at = appointment.ends_at + LINK_LIVES_AFTER
        link.issued_by_id = actor.id if actor.kind == "user" else None
        link.voided_at, link.voided_by, link.void_reason = None, None, ""
        link.save()
        _audit("link.issue", link, actor)
    return link


def give_patient_link(appointment: Appointment, actor: Actor) -> PersonalLink | None:
    """The link of a patient who cannot sign in; none for one who can."""
    if appointment.patient.user_id is not None:
        return None
    language = appointment.patient.language
    return issue_link(appointment, PersonalLink.Kind.PATIENT, actor, language=language)


def reissue_link(link: PersonalLink, actor: Actor) -> PersonalLink:
    """A new token and code for the same person; the earlier ones open nothing any more."""
    with transaction.atomic():
        PersonalLink.objects.filter(pk=link.pk).update(
            issue=F("issue") + 1,
            tries_left=CODE_TRIES,
            key_id=links.current_key_id(),
            voided_at=None,
            voided_by=None,
            void_reason="",
            expires_at=link.appointment.ends_at + LINK_LIVES_AFTER,
        )
        link.refresh_from_db()
        _audit("link.reissue", link, actor)
    return link


def renew_patient_link(appointment: Appointment, actor: Actor) -> PersonalLink:
    """A new token and code for the patient, whether or not they had some."""
    link = appointment.links.filter(kind=PersonalLink.Kind.PATIENT).first()
    if link is not None:
        return reissue_link(link, actor)
    language = appointment.patient.language
    return issue_link(appointment, PersonalLink.Kind.PATIENT, actor, language=language)


def void_links(appointment: Appointment, why: str, actor: Actor) -> int:
    """Void every live link; ``why`` is a code such as ``cancelled``. Returns how many."""
    return PersonalLink.objects.filter(appointment=appointment, voided_at__isnull=True).update(
        voided_at=clock.now(),
        voided_by=actor.id if actor.kind == "user" else None,
        void_reason=why,
    )


def _audit(action: str, link: PersonalLink, actor: Actor) -> None:
    audit.record(
        action,
        actor,
        patient=link.appointment.patient_id,
        organisation=link.organisation_id,
        subject=("link", link.pk),
    )
