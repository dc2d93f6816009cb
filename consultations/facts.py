"""Everything the media process has to know of one room, read in a few queries."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from consultations import pictures, recordings
from consultations.access import barred, live_sessions
from consultations.models import (
    ChatMessage,
    Consent,
    ConsentOverride,
    Consultation,
    Participant,
    Picture,
    PresentPerson,
    Room,
)
from consultations.recordings import Recorded
from consultations.rules import ConsentState, Person, RecordingFacts, consent_state
from scheduling.models import Appointment
from telemed.accounts.queries import first_contacts
from telemed.lib import clock

CHAT_LIMIT = 200


@dataclass(frozen=True)
class Facts:
    """A room at one moment. ``people`` are the participants that were not voided."""

    room: Room
    people: list[Participant]
    consents: dict[UUID, ConsentState]
    override: bool  # an emergency stands in for the consent of whoever cannot give it
    present: dict[UUID, list[PresentPerson]]
    chat: list[ChatMessage]
    guests: frozenset[str]  # guest sessions that were not ended
    barred: frozenset[str]  # participants who lost what they came by
    contacts: dict[str, str]  # the patient's first of each system
    recorded: Recorded
    pictures: list[Picture]
    read_at: datetime = field(default_factory=clock.now)

    @property
    def consultation(self) -> Consultation:
        return self.room.consultation

    @property
    def appointment(self) -> Appointment:
        return self.room.consultation.appointment

    def participant(self, participant_id: UUID | str) -> Participant | None:
        return next((one for one in self.people if str(one.pk) == str(participant_id)), None)

    def carried_by(self, one: Participant) -> list[Participant]:
        """Who sits beside them, on the same device."""
        return [other for other in self.people if other.beside_id == one.pk]

    @property
    def recording(self) -> RecordingFacts:
        consents = tuple(one.consent for one in self.recorded.subjects)
        return RecordingFacts(self.recorded.offered, self.room.state, consents)

    def persons(self) -> list[Person]:
        return [
            Person(
                str(one.pk),
                one.role,
                one.state,
                self.consents[one.pk],
                str(one.beside_id) if one.beside_id else None,
            )
            for one in self.people
        ]


READINGS = 5  # a room changes seldom; after so many it is read again by its next change


def load(room_id: UUID | str) -> Facts:
    """All of one snapshot, as far as the room's number tells. Raises ``Room.DoesNotExist``.

    Read in several queries, the room of before a change could stand beside the people of after it:
    somebody whose visit was finished would have left it.
    """
    for _ in range(READINGS):
        facts = _read(room_id)
        if facts.room.snapshot == Room.objects.values_list("snapshot", flat=True).get(pk=room_id):
            break
    return facts


def _read(room_id: UUID | str) -> Facts:
    room = Room.objects.select_related(
        "consultation__appointment__specialist__user",
        "consultation__appointment__specialist__organisation",
        "consultation__appointment__service",
        "consultation__appointment__site",
        "consultation__appointment__organisation",
    ).get(pk=room_id)
    people = list(
        Participant.objects.filter(room=room, voided_at__isnull=True)
        .select_related("user", "patient")
        .prefetch_related("patient__names")
        .order_by("received_at", "id")
    )
    present = _present(people)
    everybody = [person for persons in present.values() for person in persons]
    return Facts(
        room=room,
        people=people,
        consents=consent_states(room, people),
        override=is_overridden(room),
        present=present,
        chat=_chat(room),
        guests=_guests(people),
        barred=frozenset(barred(one.pk for one in people)),
        contacts=first_contacts(room.consultation.appointment.patient_id),
        recorded=recordings.load(room, people, everybody),
        pictures=list(pictures.of(room.consultation_id)),
    )


def consent_states(room: Room, people: list[Participant]) -> dict[UUID, ConsentState]:
    """The newest decision of each, as far as it is about this act with this specialist."""
    rows = Consent.objects.filter(consultation=room.consultation_id, voided_at__isnull=True)
    newest = {row.participant_id: row for row in rows.order_by("received_at", "id")}
    appointment = room.consultation.appointment
    agreed_to = (appointment.specialist_id, appointment.service.act)
    states = {}
    for one in people:
        row = newest.get(one.pk)
        # Consent is to this act with this specialist; another has to be agreed to anew.
        if row is not None and (row.specialist_id, row.act) != agreed_to:
            row = None
        states[one.pk] = consent_state(
            one.role,
            row.decision if row else None,
            withdrawn=bool(row and row.withdrawn_at),
        )
    return states


def is_overridden(room: Room) -> bool:
    rows = ConsentOverride.objects.filter(consultation=room.consultation_id)
    return rows.filter(ended_at__isnull=True, voided_at__isnull=True).exists()


def _present(people: list[Participant]) -> dict[UUID, list[PresentPerson]]:
    found: dict[UUID, list[PresentPerson]] = {one.pk: [] for one in people}
    rows = PresentPerson.objects.filter(
        participant__in=people, left_at__isnull=True, voided_at__isnull=True
    )
    for row in rows.order_by("received_at"):
        found[row.participant_id].append(row)
    return found


def _chat(room: Room) -> list[ChatMessage]:
    rows = room.chat.filter(voided_at__isnull=True)
    return list(rows.order_by("-received_at")[:CHAT_LIMIT])[::-1]


def _guests(people: list[Participant]) -> frozenset[str]:
    links = [one.link_id for one in people if one.link_id is not None]
    live = live_sessions().filter(link__in=links).values_list("pk", flat=True)
    return frozenset(str(pk) for pk in live)
