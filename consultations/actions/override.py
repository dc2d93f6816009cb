"""An emergency without consent: declared by the specialist, over as soon as its reason is, and
looked at afterwards by somebody else."""

from django.db import transaction

from consultations.actions.change import change, require_specialist
from consultations.models import ConsentOverride, Consultation, Participant
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


def declare(room_id: str, by: Participant, actor: Actor, reason: str) -> None:
    """Go on without a consent that cannot be had, because life is at risk."""
    with change(room_id, "consent.override", actor) as room:
        require_specialist(by)
        room.emergency_at = room.emergency_at or clock.now()
        ConsentOverride.objects.create(
            organisation_id=by.organisation_id,
            consultation=room.consultation,
            reason=reason,
            declared_by=by.user,
        )


def end(consultation: Consultation) -> None:
    """Part of a change: the patient has spoken, or it is about another specialist now."""
    consultation.overrides.filter(ended_at__isnull=True).update(ended_at=clock.now())


@transaction.atomic
def review(override: ConsentOverride, actor: Actor) -> bool:
    """Somebody looked at it afterwards; False when somebody already had."""
    unseen = ConsentOverride.objects.filter(pk=override.pk, reviewed_at__isnull=True)
    if not unseen.update(reviewed_at=clock.now(), reviewed_by=actor.id):
        return False
    audit.record(
        "override.review",
        actor,
        patient=override.consultation.appointment.patient_id,
        organisation=override.organisation_id,
        subject=("override", override.pk),
    )
    return True
