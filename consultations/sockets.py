"""The room's WebSocket: says hello with a ticket, then carries messages to their handlers."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from consultations import database, groups, handlers, tickets
from consultations.engine import SLOTS, Allowance
from consultations.hints import slots_message
from consultations.live import LiveRoom, Pace, Rooms
from consultations.messages import BadMessage, Message, parse
from consultations.process import SILENT, Process, Unavailable
from consultations.refusals import RoomRefused
from consultations.tickets import Ticket, TicketInvalid
from telemed.lib import browsers, context
from telemed.lib.refusals import Refused

logger = logging.getLogger(__name__)

PING_SECONDS = 10
HELLO_SECONDS = 5
TELL_SECONDS = 5.0  # that a browser may take to read what waits for it
BAD, NO_TICKET, TOO_FAST = 4000, 4001, 4006


class RoomSocket(AsyncWebsocketConsumer):
    """One browser's socket. It owns no truth: who is in and what flows stands in ``Rooms``."""

    process: Process
    ticket: Ticket | None = None
    participant = browser = ""
    agent = browsers.Kind()
    guest: str | None = None
    language = "fr"
    sequence: int | None = None

    @property
    def rooms(self) -> Rooms:
        return self.process.rooms

    async def connect(self) -> None:
        self.process = Process.running()
        name = self.scope["url_route"]["kwargs"]["process"]
        if name != self.process.name or not same_origin(self.scope):
            await self.close()
            return
        self.agent = browsers.kind_of(user_agent(self.scope))
        self.heard = time.monotonic()
        self.rate = Allowance(rate=20, burst=60)
        self.pace = Pace()  # of a connection test; a participant has one in the room
        # Somebody who asks for what is refused again and again must not fill the audit.
        self.kept_refusals = Allowance(rate=1 / 60, burst=10)
        self.ended = False
        loop = asyncio.get_running_loop()
        self.hello_timer = loop.call_later(HELLO_SECONDS, self._no_hello)
        await self.accept()

    def _no_hello(self) -> None:
        """Lost on its way, or the browser is gone: nothing that it did wrong."""
        self.rooms.spawn(self.end(SILENT, "hello"))

    async def disconnect(self, code: int) -> None:
        if not hasattr(self, "hello_timer"):
            return
        self.hello_timer.cancel()
        if self.ticket is None:
            return
        if not self.ticket.room:
            self.rooms.engine.end_echo(self.ticket.id)
            return
        self.rooms.left(self.ticket.room, self)
        await self._group("discard", self.ticket.room)

    # What ``Rooms`` asks of a socket.

    async def tell(self, message: dict[str, Any]) -> None:
        if self.ended:
            return
        with self._within_reason():
            async with asyncio.timeout(TELL_SECONDS):
                await self.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    async def end(self, code: int, reason: str = "") -> None:
        if self.ended:
            return
        self.ended = True
        with self._within_reason():
            async with asyncio.timeout(TELL_SECONDS):
                await self.close(code, reason)

    @contextmanager
    def _within_reason(self) -> Iterator[None]:
        """A browser that has gone, or reads nothing, is let go: those beside it wait to be told."""
        try:
            yield
        except (OSError, RuntimeError):  # both are the server's words for a closed connection
            self.ended = True

    async def room_changed(self, event: dict[str, Any]) -> None:
        """The hint of ``groups.hint_room``."""
        if self.ticket is not None:
            self.rooms.refresh_soon(self.ticket.room)

    # What the browser says.

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.ended:
            return  # what was still on its way changes nothing any more
        now = self.heard = time.monotonic()
        if not self.rate.allows(now):
            await self.end(TOO_FAST)
            return
        try:
            message = parse(text_data)
        except BadMessage as bad:
            await self.end(BAD, str(bad))
            return
        room, person = (self.ticket.room, self.participant) if self.ticket else ("", "")
        with context.about(request=message.id or "", room=room, person=person):
            await self._take(message, now)

    async def _take(self, message: Message, now: float) -> None:
        if self.ticket is None:
            await self._hello(message)
        elif message.type == "ping":
            self.rooms.engine.heard(self.ticket.room, self.participant)
            await self.tell({"type": "pong", "number": self.rooms.number(self.ticket.room)})
        elif message.type == "snapshot":
            if self._pace(self.ticket).allows(message.type, now):
                self.rooms.refresh_soon(self.ticket.room)
        elif message.type == "hello":
            await self.end(BAD, "hello")
        elif not self._pace(self.ticket).allows(message.type, now):
            await self._refuse(message.id, too_fast())
        elif not self.ticket.room:
            await self._test(self.ticket, message)
        else:
            await self._change(self.ticket, message)

    def _pace(self, ticket: Ticket) -> Pace:
        return self.rooms.get(ticket.room).pace(self.participant) if ticket.room else self.pace

    async def _hello(self, message: Message) -> None:
        self.hello_timer.cancel()  # what takes long from here on is the database
        if message.type != "hello":
            await self.end(BAD, "hello")
            return
        try:
            ticket = tickets.read(message["ticket"], self.process.name)
            await database.write(tickets.take, ticket)
            if ticket.room:
                await self.process.take(ticket.room)
        except TicketInvalid as invalid:
            logger.info("ticket refused: %s", invalid)
            await self.end(NO_TICKET)
            return
        except (Unavailable, DatabaseError):
            await self.end(NO_TICKET, "unavailable")
            return
        self.ticket = ticket
        self.participant, self.browser = ticket.participant, ticket.browser
        self.guest, self.language = ticket.guest, ticket.language
        await self._welcome(ticket)

    async def _welcome(self, ticket: Ticket) -> None:
        await self.tell(
            {
                "type": "welcome",
                "protocol": tickets.PROTOCOL,
                "epoch": self.process.epoch,
                "you": ticket.participant,
                "ping_seconds": PING_SECONDS,
                "slots": SLOTS,
            }
        )
        if self.ended:
            return  # it waited too long for the database, and the one in its place stays
        if ticket.room:
            room = await self.rooms.enter(ticket.room, self)
            await self._group("add", ticket.room)
            await self.rooms.refresh(ticket.room)
            await self._show_slots(room)

    async def _show_slots(self, room: LiveRoom) -> None:
        """Who was shown where may have changed while this socket was away."""
        if self in (socket for socket, _one in room.inside()):
            await self.tell(slots_message(self.rooms.engine.slots(room.id, self.participant)))

    async def _group(self, verb: str, room: str) -> None:
        """Hints are a help: a lost Redis must not keep anybody out or end a call."""
        layer = self.channel_layer
        try:
            work = getattr(layer, f"group_{verb}")(groups.room(room), self.channel_name)
            await groups.within_reason(work)
        except groups.LOST:
            logger.warning("the channel layer does not answer")

    async def _change(self, ticket: Ticket, message: Message) -> None:
        room = self.rooms.get(ticket.room)
        known = room.answers.get((self.participant, message.id or ""))
        if known is not None:
            await self.tell(known)
            return
        try:
            answer = await handlers.handle(self.rooms, room, self, message)
        except Refused as refused:
            answer = await self._refuse(message.id, refused)
            await self._keep_refusal(room, message, refused.code)
        except (Unavailable, DatabaseError):
            logger.exception("%s could not be stored", message.type)
            await self._refuse(message.id, unavailable())
            return
        else:
            await self.tell(answer)
        if message.type in handlers.QUIET:
            return
        room.remember(self.participant, message.id or "", answer)
        self.rooms.refresh_soon(room.id)

    async def _keep_refusal(self, room: LiveRoom, message: Message, code: str) -> None:
        if not self.kept_refusals.allows(self.heard):
            return
        try:
            await handlers.keep_refusal(room, self, message, code)
        except DatabaseError:
            logger.exception("the refusal of %s could not be kept", message.type)

    async def _test(self, ticket: Ticket, message: Message) -> None:
        """The connection test: an echo of its own, and nothing else."""
        if message.type != "offer":
            await self._refuse(message.id, handlers.not_allowed())
            return
        try:
            sdp = await handlers.echo(self.rooms.engine, ticket.id, message["sdp"])
        except Refused as refused:
            await self._refuse(message.id, refused)
            return
        await self.tell(handlers.answer(message.id, sdp, ticket.id))

    async def _refuse(self, re: str | None, refused: Refused) -> dict[str, Any]:
        with translation.override(self.language):
            said = {
                "type": "refused",
                "re": re,
                "code": refused.code,
                "message": str(refused.message),
                **refused.facts,
            }
        await self.tell(said)
        return said


def same_origin(scope: Any) -> bool:
    """Whether the page that opens the socket is ours: its Origin names the host asked for."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get(b"origin", "")
    host = headers.get(b"host", "")
    return bool(host) and (
        urlsplit(origin).netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS
    )


def user_agent(scope: Any) -> str:
    told = (value for name, value in scope["headers"] if name == b"user-agent")
    return next(told, b"").decode("latin-1")


def too_fast() -> RoomRefused:
    return RoomRefused("too_fast", _("That was too fast. Please wait a moment."))


def unavailable() -> RoomRefused:
    return RoomRefused("unavailable", _("It could not be stored. Please try again."))
