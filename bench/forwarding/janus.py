"""Janus with its videoroom, started from a configuration of our own and driven over a Unix socket.

Shipped, every session has a thread of its own (`event_loops` unset); the other configuration
shares one. In both it is ICE-lite, as ours is, and answers with no more than was offered.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.forwarding import packages
from bench.forwarding.descriptions import answer, offer
from bench.forwarding.legs import Leg, Person, Wire
from bench.forwarding.stage import Stage

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/janus")
START_SECONDS, ATTEMPTS = 3, 8
AT_ONCE = 8  # handshakes
FIRST_PORT, PORTS = 42000, 16000
CORE = """
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{plugins}"
    transports_folder = "{transports}"
    events_folder = "{folder}/none"
    loggers_folder = "{folder}/none"
    debug_level = 2
    session_timeout = 0
    server_name = "bench"
    {loops}
}}
media: {{ rtp_port_range = "{first}-{last}" }}
nat: {{ ice_lite = true, ice_enforce_list = "{address}" }}
"""
UNIX_SOCKET = """
general: {{ enabled = true, json = "compact", path = "{path}", type = "SOCK_SEQPACKET" }}
admin: {{ admin_enabled = false }}
"""


@dataclass
class Janus:
    """A door for the load: everybody publishes on one session and watches on another, which
    carries all the others' streams."""

    control: Path
    pid: int

    async def enter(self, wire: Wire, people: list[Person]) -> None:
        api = await Api.open(self.control)
        session = await api.ask({"janus": "create"})
        entry = Entry(api, session, wire)
        for person in people:
            if person.number == 0:
                await entry.create_room(person.room)
        await entry.all(entry.publish, people)
        await entry.all(entry.subscribe, people)
        api.close()


class Entry:
    """The way of some people into their rooms; everybody publishes before anybody watches."""

    def __init__(self, api: Api, session: int, wire: Wire) -> None:
        self.api = api
        self.session = session
        self.wire = wire
        self._feeds: dict[int, dict[int, int]] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def all(
        self, step: Callable[[Person], Coroutine[Any, Any, None]], people: list[Person]
    ) -> None:
        async def one(person: Person) -> None:
            async with self._gate:
                await step(person)

        await asyncio.gather(*(one(person) for person in people))

    async def create_room(self, room: int) -> None:
        handle = await self.api.attach(self.session)
        made = {"request": "create", "room": room + 1, "publishers": 6, "bitrate": 0}
        made |= {"fir_freq": 0, "audiocodec": "opus", "videocodec": "vp8"}
        await self.api.message(self.session, handle, made)

    async def publish(self, person: Person) -> None:
        handle = await self.api.attach(self.session)
        leg = person.publishes_on = Leg(self.wire)
        join = {"request": "joinandconfigure", "ptype": "publisher", "room": person.room + 1}
        jsep = {"type": "offer", "trickle": False, "sdp": offer(leg, person, watches=(0, 0))}
        told = await self.api.message(self.session, handle, join, jsep)
        await leg.connect(told["jsep"]["sdp"])
        feeds = self._feeds.setdefault(person.room, {})
        feeds[person.number] = int(told["plugindata"]["data"]["id"])

    async def subscribe(self, person: Person) -> None:
        handle = await self.api.attach(self.session)
        others = [f for n, f in sorted(self._feeds[person.room].items()) if n != person.number]
        join = {"request": "join", "ptype": "subscriber", "room": person.room + 1}
        join["streams"] = [{"feed": feed} for feed in others]
        offered = (await self.api.message(self.session, handle, join))["jsep"]["sdp"]
        leg = person.watches_on = Leg(self.wire)
        jsep = {"type": "answer", "trickle": False, "sdp": answer(leg, offered)}
        start = {"request": "start", "room": person.room + 1}
        await self.api.message(self.session, handle, start, jsep)
        await leg.connect(offered)


class Api:
    """The Janus API: requests by transaction; answers come in any order among events."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, control: Path) -> Api:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, str(control))
        return cls(sock)

    def close(self) -> None:
        """Stops reading; the connection stays open, for Janus ends a session with it."""
        self._reader.cancel()

    async def attach(self, session: int) -> int:
        plugin = "janus.plugin.videoroom"
        return int(await self.ask({"janus": "attach", "session_id": session, "plugin": plugin}))

    async def message(
        self, session: int, handle: int, body: dict[str, Any], jsep: dict[str, Any] | None = None
    ) -> Any:
        request = {"janus": "message", "session_id": session, "handle_id": handle, "body": body}
        told = await self.ask(request | ({"jsep": jsep} if jsep else {}), whole=True)
        if "error" in told["plugindata"]["data"]:
            raise RuntimeError(f"Janus: {told['plugindata']['data']['error']}")
        return told

    async def ask(self, request: dict[str, Any], *, whole: bool = False) -> Any:
        transaction = f"t{next(self._numbers)}"
        self._waiting[transaction] = future = asyncio.get_running_loop().create_future()
        data = json.dumps(request | {"transaction": transaction}).encode()
        await asyncio.get_running_loop().sock_sendall(self._sock, data)
        told = await asyncio.wait_for(future, 15)
        if told["janus"] == "error":
            raise RuntimeError(f"Janus: {told['error']['reason']}")
        return told if whole else told["data"]["id"]

    async def _read(self) -> None:
        while data := await asyncio.get_running_loop().sock_recv(self._sock, 1 << 18):
            told = json.loads(data)
            if told["janus"] != "ack":
                future = self._waiting.pop(told.get("transaction", ""), None)
                if future is not None:
                    future.set_result(told)


@contextlib.contextmanager
def shipped(stage: Stage) -> Iterator[Janus]:
    with _running(stage, "") as janus:
        yield janus


@contextlib.contextmanager
def one_loop(stage: Stage) -> Iterator[Janus]:
    with _running(stage, "event_loops = 1") as janus:
        yield janus


@contextlib.contextmanager
def _running(stage: Stage, loops: str) -> Iterator[Janus]:
    packages.ensure("janus")
    folder = stage.folder
    control = folder / "janus.sock"
    _configure(folder, stage.place.server, control, loops)
    process = _start(folder, control, folder / "janus.log")
    try:
        yield Janus(control, process.pid)
    finally:
        process.kill()  # it would take a while to say goodbye to everybody
        process.wait()


def _start(folder: Path, control: Path, log: Path) -> subprocess.Popen[bytes]:
    """Now and then the thread of its Unix socket ends before it has begun (1.1.2): once more."""
    for _ in range(ATTEMPTS):
        with log.open("wb") as out:
            command = ["janus", "-F", str(folder), "-o"]
            process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        until = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
            if _answers(control):
                return process
        process.kill()
        process.wait()
        control.unlink(missing_ok=True)
    raise RuntimeError(f"Janus did not start: {log.read_text()[-600:]}")


def _answers(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(control))
            probe.sendall(b'{"janus": "ping", "transaction": "start"}')
            return b"pong" in probe.recv(4096)
        except OSError:
            return False


def _configure(folder: Path, address: str, control: Path, loops: str) -> None:
    """Links only the videoroom and the Unix socket, so that nothing else listens."""
    for kind, library in (("plugins", "videoroom"), ("transports", "pfunix")):
        (folder / kind).mkdir()
        (folder / kind / f"libjanus_{library}.so").symlink_to(
            LIBRARY / kind / f"libjanus_{library}.so"
        )
    core = CORE.format(
        folder=folder,
        plugins=folder / "plugins",
        transports=folder / "transports",
        address=address,
        loops=loops,
        first=FIRST_PORT,
        last=FIRST_PORT + PORTS,
    )
    (folder / "janus.jcfg").write_text(core)
    (folder / "janus.transport.pfunix.jcfg").write_text(UNIX_SOCKET.format(path=control))
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: {}\n")
