"""What each message of a browser does: PROTOCOL.md section 4, one function a message.

What stops media acts on the media server first and is stored after (``stopping``); should storing
be refused, the refresh that follows restores what the database says.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consultations import database, rules, snapshot
from consultations.actions import admission, chat, entering, presence, visit
from consultations.actions import consent as consents
from consultations.actions import override as overrides
from consultations.actions import picture as photos
from consultations.actions import recording as records
from consultations.engine import Engine, JoinRefused
from consultations.facts import Facts
from consultations.ice_servers import ice_servers
from consultations.live import NOTHING, Device, LiveRoom, Rooms, Socket, Stop
from consultations.logbook import Told
from consultations.messages import Message
from consultations.models import Participant, ParticipantRole
from consultations.refusals import RoomRefused
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


@dataclass(frozen=True)
class Turn:
    """One message of one participant in one room, as the newest facts know it."""

    rooms: Rooms
    room: LiveRoom
    facts: Facts
    socket: Socket
    message: Message
    by: Participant

    @property
    def engine(self) -> Engine:
        return self.rooms.engine

    @property
    def is_live(self) -> bool:
        return snapshot.is_live(self.by, self.socket.browser)

    @property
    def actor(self) -> Actor:
        return actor_of(self.socket, self.by, self.facts)

    @property
    def everybody(self) -> list[str]:
        return [str(one.pk) for one in self.facts.people]

    def stopping(
        self, connections: list[str], *, recording: str = "", about: str = ""
    ) -> AbstractContextManager[None]:
        """``recording``: why it may not go on, if it may not. ``about``: whom the message is."""
        stop = Stop(frozenset(connections), recording)
        key = str(self.by.pk), f"{self.message.type} {about}"
        return self.rooms.stopping(self.room, key, stop)

    def settle(self) -> None:
        self.rooms.settle(self.room, str(self.by.pk))

    async def do(self, action: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Run one of the actions, all of which begin with room, participant and actor."""
        await database.write(action, self.room.id, self.by, self.actor, *args, **kwargs)


def actor_of(socket: Socket, by: Participant, facts: Facts) -> Actor:
    if socket.guest is not None:
        return Actor("guest", UUID(socket.guest), role=by.role, organisation=by.organisation_id)
    cares = by.role == ParticipantRole.REPRESENTATIVE
    return Actor(
        "user",
        by.user_id,
        role=by.role,
        on_behalf_of=facts.appointment.patient_id if cares else None,
        organisation=by.organisation_id,
    )


Answer = dict[str, Any]
Handler = Callable[[Turn], Awaitable[Answer | None]]


async def handle(rooms: Rooms, room: LiveRoom, socket: Socket, message: Message) -> Answer:
    """The answer to one message. Raises ``Refused``, ``DatabaseError``."""
    if room.facts is None:
        await rooms.refresh(room.id)
    facts = room.facts
    by = facts.participant(socket.participant) if facts else None
    if facts is None or by is None:
        raise RoomRefused("unknown_participant", _("This person is not in the visit."))
    turn = Turn(rooms, room, facts, socket, message, by)
    if message.type in ADMITTED_ONLY and not turn.is_live:
        raise not_admitted()
    return await HANDLERS[message.type](turn) or {"type": "done", "re": message.id}


async def keep_refusal(room: LiveRoom, socket: Socket, message: Message, code: str) -> None:
    """For the audit, in a transaction of its own. Raises ``DatabaseError``."""
    by = room.facts.participant(socket.participant) if room.facts else None
    if room.facts is None or by is None:
        return
    await database.write(
        audit.refused,
        f"room.{message.type}",
        actor_of(socket, by, room.facts),
        code,
        patient=room.facts.appointment.patient_id,
        organisation=by.organisation_id,
        subject=("participant", by.pk),
    )


async def echo(engine: Engine, test: str, offer: str) -> str:
    """A test that meets a busy service is refused as by a full one: it is not tried again."""
    try:
        return await engine.echo(test, offer)
    except JoinRefused as refused:
        code = "full" if refused.code == "busy" else refused.code
        raise _join_refused(JoinRefused(code, refused.message)) from None


def answer(re: str | None, sdp: str, person: str) -> Answer:
    return {
        "type": "answer",
        "re": re,
        "sdp": sdp,
        "ice_servers": ice_servers(person, clock.now()),
    }


def not_admitted() -> RoomRefused:
    return RoomRefused("not_admitted", _("You are not in the visit yet."))


def not_allowed() -> RoomRefused:
    return RoomRefused("not_allowed", _("You cannot do this in the visit."))


def _join_refused(refused: JoinRefused) -> RoomRefused:
    messages = {
        "no_vp8": _("This browser cannot send video in a form that we can pass on (VP8)."),
        "no_opus": _("This browser cannot send sound in a form that we can pass on (Opus)."),
        "full": _("The video service is full at the moment. Please try again in a few minutes."),
        "busy": _("Many people are connecting at this moment. This is tried again by itself."),
        "room_full": _("There are as many people in this visit as it can hold."),
    }
    code = refused.code if refused.code in messages else "bad_sdp"
    message = messages.get(refused.code, _("The browser’s connection could not be understood."))
    return RoomRefused(code, message, detail=refused.code)


async def offer(turn: Turn) -> Answer:
    one = str(turn.by.pk)
    permit = turn.rooms.permits(turn.room, turn.facts).get(one, NOTHING)
    try:
        sdp = await turn.engine.join(
            turn.room.id, one, turn.by.role, turn.message["sdp"], permit, turn.by.muted
        )
    except JoinRefused as refused:
        raise _join_refused(refused) from None
    turn.room.devices[one] = Device(turn.socket.browser, turn.socket.guest)
    turn.rooms.logbook.begin(turn.room.id, one, turn.socket.agent)
    session = turn.engine.session(turn.room.id, one)
    return answer(turn.message.id, sdp, one) | {"session": session}


async def sends(turn: Turn) -> None:
    turn.rooms.note_mode(turn.room, str(turn.by.pk), turn.message["mode"])


async def watch(turn: Turn) -> None:
    one, video = str(turn.by.pk), turn.message["video"]
    turn.engine.watch(turn.room.id, one, video)
    turn.rooms.logbook.note_choice(one, voice_only=video == "none")


async def mute(turn: Turn) -> None:
    kind, muted = turn.message["kind"], turn.message["muted"]
    turn.engine.mute(turn.room.id, str(turn.by.pk), turn.by.role, kind, muted=muted)
    await turn.do(entering.mute, kind, muted=muted)


async def stats(turn: Turn) -> None:
    said = turn.message
    turn.rooms.logbook.told(
        str(turn.by.pk),
        Told(
            path=said["path"],
            round_trip=said["round_trip"],
            concealed=said["concealed"],
            freezes=said["freezes"],
            frozen=said["frozen"],
        ),
    )


def _words(given: Message) -> consents.Words:
    return consents.Words(
        id=UUID(given.id),
        decision=given["decision"],
        how=given["how"],
        text_version=given["text_version"],
        text_sha256=given["text_sha256"],
        language=given["language"],
        speaker=UUID(given["speaker"]) if given["speaker"] else None,
    )


async def consent(turn: Turn) -> None:
    given, words = turn.message, _words(turn.message)
    if given["decision"] == "refused":
        with _taking_back(turn):
            await turn.do(consents.decide, given["participant"], words)
        return
    await turn.do(consents.decide, given["participant"], words)
    turn.settle()


async def withdraw(turn: Turn) -> None:
    with _taking_back(turn):
        await turn.do(consents.withdraw, turn.message["participant"])


def _taking_back(turn: Turn) -> AbstractContextManager[None]:
    """Who may not be seen and heard any more may not be recorded either."""
    about = turn.message["participant"]
    connections = _covered(turn, about)
    return turn.stopping(connections, recording="withdrawn" if connections else "", about=about)


def _covered(turn: Turn, participant: str) -> list[str]:
    """What a refusal stops: their own connection; the patient's stops everybody's."""
    one = turn.facts.participant(participant)
    if one is None or not consents.may_take_back(turn.by, one):
        return []
    return turn.everybody if one.patient_id is not None else [str(one.beside_id or one.pk)]


async def declare(turn: Turn) -> None:
    if turn.socket.guest is not None and not turn.is_live:
        raise not_admitted()
    said = turn.message
    present = turn.facts.present[turn.by.pk] if turn.by.state in rules.INSIDE else None
    new = present is not None and not any(
        presence.is_same(one, said["name"], said["capacity"])
        for one in present
        if str(one.pk) == said["person"]
    )
    with turn.stopping([], recording="unconsented" if new else "", about=said["person"]):
        await turn.do(
            presence.declare,
            UUID(said["person"]),
            name=said["name"],
            capacity=said["capacity"],
            on_camera=said["on_camera"],
        )


async def undeclare(turn: Turn) -> None:
    await turn.do(presence.undeclare, UUID(turn.message["person"]))


async def place(turn: Turn) -> None:
    said = turn.message
    await turn.do(
        visit.confirm_place, place=said["place"], phone=said["phone"], contact=said["contact"]
    )


async def say(turn: Turn) -> None:
    if turn.by.state in rules.INSIDE and not turn.is_live:
        raise not_admitted()
    said = turn.message
    await turn.do(chat.say, UUID(said.id), said["text"].strip(), said["to"])


async def unable(turn: Turn) -> None:
    await turn.do(entering.could_not_join, turn.message["reason"])


async def leave(turn: Turn) -> None:
    if turn.by.state in rules.INSIDE and not turn.is_live:
        await turn.do(entering.give_up_other_device)
        return
    turn.engine.leave(turn.room.id, str(turn.by.pk))
    await turn.do(entering.leave)


async def admit(turn: Turn) -> None:
    await turn.do(admission.admit, turn.message["participant"])


async def deny(turn: Turn) -> None:
    await turn.do(admission.deny, turn.message["participant"])


async def remove(turn: Turn) -> None:
    if turn.by.role != "specialist":
        raise not_allowed()
    with turn.stopping([turn.message["participant"]]):
        await turn.do(admission.remove, turn.message["participant"])


async def identify(turn: Turn) -> None:
    await turn.do(visit.identify, turn.message["how"])


async def pause(turn: Turn) -> None:
    if turn.by.role != "specialist":
        raise not_allowed()
    with turn.stopping(turn.everybody):
        await turn.do(visit.pause)


async def resume(turn: Turn) -> None:
    await turn.do(visit.resume)
    turn.settle()


async def override(turn: Turn) -> None:
    await turn.do(overrides.declare, turn.message["reason"].strip())


async def record_ask(turn: Turn) -> None:
    await turn.do(records.ask)


async def record_consent(turn: Turn) -> None:
    given, words = turn.message, _words(turn.message)
    refuses = given["decision"] == "refused" and _speaks_against(turn, given["subject"])
    with turn.stopping([], recording="unconsented" if refuses else "", about=given["subject"]):
        await turn.do(records.decide, given["subject"], words)


async def record_start(turn: Turn) -> None:
    await turn.do(records.start)


async def record_stop(turn: Turn) -> None:
    if turn.by.role != ParticipantRole.SPECIALIST:
        raise not_allowed()
    with turn.stopping([], recording="stopped"):
        await turn.do(records.stop)


async def record_withdraw(turn: Turn) -> None:
    """Nothing more is taken before it is stored."""
    subject = turn.message["subject"]
    why = "withdrawn" if _speaks_against(turn, subject) else ""
    with turn.stopping([], recording=why, about=subject):
        await turn.do(records.withdraw, subject, keep=turn.message["keep"])


def _speaks_against(turn: Turn, subject: str) -> bool:
    return records.may_take_back(turn.by, turn.facts.recorded.subjects, subject)


async def picture_ask(turn: Turn) -> None:
    said = turn.message
    wanted = photos.Wanted(UUID(said.id), said["site"], said["side"])
    await turn.do(photos.ask, said["participant"], wanted)


async def picture_send(turn: Turn) -> None:
    said = turn.message
    announced = photos.Announced(
        bytes=said["bytes"],
        sha256=said["sha256"],
        width=said["width"],
        height=said["height"],
        age=timedelta(seconds=said["age"]),
    )
    await turn.do(photos.agree, said["picture"], announced)
    await turn.rooms.refresh(turn.room.id)  # what follows over the data channel is expected


async def picture_end(turn: Turn) -> None:
    await turn.do(photos.end, turn.message["picture"])


async def emergency(turn: Turn) -> None:
    await turn.do(visit.show_emergency)


async def finish(turn: Turn) -> None:
    if turn.by.role != "specialist":
        raise not_allowed()
    mode = turn.message["mode"]
    if visit.lacks_identification(turn.facts.consultation, turn.facts.people, mode):
        await turn.do(visit.finish, mode)  # most likely refused: nothing stops for that
        return
    with turn.stopping(turn.everybody):
        await turn.do(visit.finish, mode)


HANDLERS: dict[str, Handler] = {
    "offer": offer,
    "mute": mute,
    "sends": sends,
    "watch": watch,
    "stats": stats,
    "consent": consent,
    "withdraw": withdraw,
    "declare": declare,
    "undeclare": undeclare,
    "place": place,
    "chat": say,
    "unable": unable,
    "leave": leave,
    "admit": admit,
    "deny": deny,
    "remove": remove,
    "identify": identify,
    "pause": pause,
    "resume": resume,
    "override": override,
    "record_ask": record_ask,
    "record_consent": record_consent,
    "record_start": record_start,
    "record_stop": record_stop,
    "record_withdraw": record_withdraw,
    "picture_ask": picture_ask,
    "picture_send": picture_send,
    "picture_end": picture_end,
    "emergency": emergency,
    "finish": finish,
}

ADMITTED_ONLY = frozenset(
    {
        "offer",
        "mute",
        "sends",
        "watch",
        "stats",
        "admit",
        "deny",
        "remove",
        "identify",
        "pause",
        "resume",
        "override",
        "record_ask",
        "record_consent",
        "record_start",
        "record_stop",
        "record_withdraw",
        "picture_ask",
        "picture_send",
        "picture_end",
        "emergency",
        "finish",
    }
)
# What these say changes nothing that the room shows, and repeating it nothing at all.
QUIET = frozenset({"stats"})
