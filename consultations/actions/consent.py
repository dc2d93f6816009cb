"""Consent to be seen and heard: given, refused, taken back; in which words and how."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from consultations import consent_texts, recordings, rules
from consultations.actions import override
from consultations.actions.change import change, participant_of
from consultations.models import (
    Consent,
    Participant,
    ParticipantRole,
    PresentPerson,
    Room,
)
from consultations.refusals import RoomRefused
from telemed.accounts.access import today, valid_on
from telemed.accounts.models import Representative
from telemed.audit.actor import Actor
from telemed.lib import clock


@dataclass(frozen=True)
class Words:
    """Which text was shown, and how it was agreed to; ``id`` is chosen by the browser.

    ``speaker`` names one of the people present, where somebody else spoke for the patient.
    """

    id: UUID
    decision: str
    how: str
    text_version: str
    text_sha256: str
    language: str
    speaker: UUID | None = None
    device_time: datetime | None = None


def decide(room_id: str, by: Participant, actor: Actor, participant_id: str, words: Words) -> None:
    """Store what somebody decided; the same ``id`` again stores nothing.

    Refused ``stale_text`` when the words are not the present ones, ``not_allowed`` for somebody
    who may not speak for that person, ``representative_needed`` for a minor alone.
    """
    if Consent.objects.filter(pk=words.id).exists():
        return
    with change(room_id, f"consent.{words.decision}", actor, about=by) as room:
        one = participant_of(room, participant_id)
        _check_words(one, words)
        spoke = named(by, one, words)
        whose = speaker(room, by, one, words, spoke)
        own = by.pk == one.pk or whose == rules.Speaker.REPRESENTATIVE
        appointment = room.consultation.appointment
        Consent.objects.create(
            id=words.id,
            organisation_id=one.organisation_id,
            device_time=words.device_time,
            consultation=room.consultation,
            participant=one,
            specialist_id=appointment.specialist_id,
            act=appointment.service.act,
            decision=words.decision,
            text_version=words.text_version,
            text_hash=words.text_sha256,
            language=words.language,
            how=words.how,
            given_by=by.user if own else None,
            spoken_by=spoke if whose == rules.Speaker.NAMED else None,
            witness=by.user if words.how == Consent.How.SPOKEN else None,
        )
        if one.role == ParticipantRole.PATIENT:
            override.end(room.consultation)
        if words.decision == Consent.Decision.REFUSED:
            recordings.take_back(room, one)


def withdraw(room_id: str, by: Participant, actor: Actor, participant_id: str) -> None:
    """Take it back, for oneself, for whom one sits beside or represents. Always allowed,
    repeatable. Who may not be seen and heard is not recorded either, and asked anew about that."""
    with change(room_id, "consent.withdrawn", actor, about=by) as room:
        one = participant_of(room, participant_id)
        if not takes_back(room, by, one):
            raise RoomRefused("not_allowed", _("Only they can take back their consent."))
        Consent.objects.filter(
            consultation=room.consultation, participant=one, withdrawn_at__isnull=True
        ).update(withdrawn_at=clock.now())
        recordings.take_back(room, one)


def may_take_back(by: Participant, one: Participant) -> bool:
    """Whether somebody may speak against ``one`` being seen and heard: they themselves, whoever
    sits beside them on the same device, and for the patient a representative."""
    stands_for = by.role == ParticipantRole.REPRESENTATIVE and one.role == ParticipantRole.PATIENT
    return _is_or_carries(by, one) or stands_for


def takes_back(room: Room, by: Participant, one: Participant) -> bool:
    """The same, with what their representation allows."""
    return may_take_back(by, one) and (_is_or_carries(by, one) or _represents(room, by))


def _is_or_carries(by: Participant, one: Participant) -> bool:
    return by.pk in (one.pk, one.beside_id)


def _check_words(one: Participant, words: Words) -> None:
    try:
        text = consent_texts.text_for(
            words.language,
            patient=one.role == ParticipantRole.PATIENT,
            version=words.text_version,
        )
    except consent_texts.UnknownText:
        text = None
    current = words.text_version == consent_texts.CURRENT_VERSION
    if text is None or not current or text.sha256 != words.text_sha256:
        raise RoomRefused(
            "stale_text", _("The text of the consent has changed. Please read it again.")
        )


_REFUSALS = {
    "no_witness": ("not_allowed", _("A spoken consent needs a presenter as its witness.")),
    "not_allowed": ("not_allowed", _("You cannot consent for this person.")),
    "representative_needed": (
        "representative_needed",
        _(
            "A parent or guardian consents for this patient. If they spoke, say who of the people "
            "present it was."
        ),
    ),
}


def speaker(
    room: Room, by: Participant, one: Participant, words: Words, spoke: PresentPerson | None
) -> rules.Speaker:
    """Whose words a decision about being seen, heard or recorded is; refused as ``decide``."""
    representation = _representation(room, by)
    it = rules.Saying(
        by.role,
        own=one.pk == by.pk,
        beside=one.beside_id == by.pk,
        of_patient=one.role == ParticipantRole.PATIENT,
        given=words.decision == Consent.Decision.GIVEN,
        spoken=words.how == Consent.How.SPOKEN,
        of_age=_of_age(room),
        may_consent=representation is not None and representation.may_consent,
        guardian=representation is not None
        and representation.legal_basis == Representative.Basis.GUARDIAN,
        named=spoke is not None,
    )
    found = rules.speaker(it)
    if not isinstance(found, rules.Speaker):
        raise RoomRefused(*_REFUSALS[found])
    return found


def named(by: Participant, one: Participant, words: Words) -> PresentPerson | None:
    """Who of the people present at that end spoke for the patient."""
    if words.speaker is None or words.how != Consent.How.SPOKEN:
        return None
    return PresentPerson.objects.filter(
        pk=words.speaker, participant__in=[by, one], left_at__isnull=True, voided_at__isnull=True
    ).first()


def _represents(room: Room, by: Participant) -> bool:
    representation = _representation(room, by)
    return representation is not None and representation.may_consent


def _representation(room: Room, by: Participant) -> Representative | None:
    if by.role != ParticipantRole.REPRESENTATIVE or by.user_id is None:
        return None
    rows = Representative.objects.filter(
        valid_on(today(clock.now())),
        patient=room.consultation.appointment.patient_id,
        user=by.user_id,
        voided_at__isnull=True,
    )
    return rows.order_by("-may_consent", "valid_from").first()


def _of_age(room: Room) -> bool:
    appointment = room.consultation.appointment
    day = clock.now().astimezone(ZoneInfo(appointment.time_zone)).date()
    return rules.may_consent_alone(appointment.patient.birth_date, day, settings.MAJORITY_AGE)
