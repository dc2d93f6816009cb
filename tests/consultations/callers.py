"""Callers: what a browser's socket says to a room, with the words that it says."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

from asgiref.testing import ApplicationCommunicator
from django.db import connections

from consultations import consent_texts, recordings, tickets
from consultations.access import Seat, guest_seat, seat_for
from consultations.actions.entering import enter as enter_room
from consultations.actions.guests import start_session
from consultations.models import Consultation
from consultations.process import Process
from consultations.sockets import PING_SECONDS
from scheduling import links
from scheduling.models import Appointment, PersonalLink
from telemed.accounts.access import viewer_of
from telemed.accounts.models import User
from telemed.asgi import media
from telemed.lib import clock as shared_clock

PATIENCE = 5
T = TypeVar("T")


async def in_thread(job: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The thread's database connection ends with it, and not when rubbish is collected."""

    def working() -> T:
        try:
            return job(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(working)


def socket_to(
    process: Process,
    origin: str = "http://testserver",
    vanished: Callable[[], bool] = lambda: False,
) -> ApplicationCommunicator:
    """A WebSocket of a page of ``origin``, as a server hands it to the application; sending to a
    browser that has ``vanished`` fails as a server lets it fail (ASGI, "Disconnected clients")."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if vanished():
                raise OSError
            await send(message)

        await media(scope, receive, sending)

    return ApplicationCommunicator(
        served,
        {
            "type": "websocket",
            "path": f"/media/{process.name}/room",
            "query_string": b"",
            "headers": [(b"host", b"testserver"), (b"origin", origin.encode())],
            "subprotocols": [],
        },
    )


async def accepted(socket: ApplicationCommunicator) -> bool:
    await socket.send_input({"type": "websocket.connect"})
    return bool((await socket.receive_output(PATIENCE))["type"] == "websocket.accept")


class Caller:
    """One browser's socket: remembers the newest snapshot and all that came beside it."""

    def __init__(self, process: Process, ticket: str, browser: UUID) -> None:
        self.ticket = ticket
        self.browser = browser
        self.vanished = False
        self.socket = socket_to(process, vanished=lambda: self.vanished)
        self.snapshot: dict[str, Any] = {}
        self.came: list[dict[str, Any]] = []
        self.closed: int | None = None

    @property
    def id(self) -> str:
        assert self.snapshot, f"closed with {self.closed}"
        return str(self.snapshot["you"]["id"])

    async def hello(self) -> "Caller":
        assert await accepted(self.socket)
        await self.say("hello", ticket=self.ticket, protocol=1)
        await self.until(lambda: bool(self.snapshot) or self.closed is not None)
        return self

    async def say(self, type_: str, **fields: Any) -> None:
        await self.send(json.dumps({"type": type_, **fields}))

    async def send(self, raw: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": raw})

    async def hang_up(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.socket.wait(PATIENCE)

    async def change(self, type_: str, *, id_: str = "", **fields: Any) -> dict[str, Any]:
        """Send a change and wait for its answer."""
        id_ = id_ or str(uuid4())
        await self.say(type_, id=id_, **fields)
        heard = len(self.came)
        found: list[dict[str, Any]] = []

        def answered() -> bool:
            found[:] = [m for m in self.came[heard:] if m.get("re") == id_]
            return bool(found) or self.closed is not None

        await self.until(answered)
        return found[0] if found else {"type": "closed", "code": self.closed}

    async def until(self, reached: Callable[[], bool]) -> None:
        """Take what comes until ``reached`` says yes; fails after a few seconds."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                await self._take()

    async def settle(self) -> None:
        """Take all that was sent up to now."""
        await self.say("ping")
        pongs = sum(m["type"] == "pong" for m in self.came)
        await self.until(lambda: sum(m["type"] == "pong" for m in self.came) > pongs)

    async def _take(self) -> None:
        output = await self.socket.receive_output(timeout=PING_SECONDS)
        if output["type"] == "websocket.close":
            self.closed = output["code"]
            return
        message = json.loads(output["text"])
        self.came.append(message)
        if message["type"] == "snapshot":
            self.snapshot = message

    @property
    def state(self) -> str:
        return str(self.snapshot["you"]["state"])


def ticket_for(process: Process, who: User | Seat, visit: Appointment, browser: UUID) -> str:
    seat = who if isinstance(who, Seat) else seat_of(who, visit)
    participant = enter_room(seat, browser)
    return tickets.make(
        process.name,
        "fr",
        room=participant.room_id,
        participant=participant.pk,
        browser=browser,
        guest=seat.guest.pk if seat.guest else None,
    )


def seat_of(user: User, visit: Appointment) -> Seat:
    return seat_for(viewer_of(user, shared_clock.now()), visit.pk)


def guest_of(link: PersonalLink) -> Seat:
    """Somebody who opened their link with its code."""
    session, _key = start_session(link, links.code(link))
    return guest_seat(link, session)


def words(decision: str = "given", *, patient: bool = True, how: str = "tapped") -> dict[str, str]:
    """What a browser sends of the consent text that it showed."""
    return _said(consent_texts.text_for("fr", patient=patient), decision, how)


def recording_words(
    decision: str = "given", how: str = "tapped", sha256: str = ""
) -> dict[str, str]:
    """The same of the text about being recorded, which a site's purpose stands in."""
    said = _said(consent_texts.recording_text("fr"), decision, how)
    return said | ({"text_sha256": sha256} if sha256 else {})


def recording_shown(participant: str) -> str:
    """The hash of what everybody in that one's visit reads of being recorded."""
    visit = Consultation.objects.get(room__participants=UUID(participant))
    return recordings.shown(visit, consent_texts.recording_text("fr"))[1]


def _said(text: consent_texts.ConsentText, decision: str, how: str) -> dict[str, str]:
    return {
        "decision": decision,
        "how": how,
        "text_version": text.version,
        "text_sha256": text.sha256,
        "language": text.language,
    }
