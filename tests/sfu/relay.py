"""A thin link: a UDP relay in user space with rate, delay, loss and a finite queue."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Address = tuple[Any, ...]


@dataclass
class Link:
    """One direction. Settings may be changed at any time; `rate` in bits a second, 0 for none."""

    rate: float = 0
    delay: float = 0.0
    loss: float = 0.0
    queue_bytes: int = 40_000
    up: bool = True
    forwarded: int = 0
    dropped: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    _free_at: float = 0.0

    def delivery(self, size: int, now: float) -> float | None:
        """When a datagram that enters now comes out; None when it is lost or does not fit."""
        if not self.up or self.chance.random() < self.loss:
            self.dropped += 1
            return None
        if not self.rate:
            self.forwarded += size
            return now + self.delay
        waiting = max(0.0, self._free_at - now)
        if waiting * self.rate / 8 + size > self.queue_bytes:
            self.dropped += 1
            return None
        self._free_at = now + waiting + size * 8 / self.rate
        self.forwarded += size
        return self._free_at + self.delay


class Relay:
    """Stands before a media server's port. `up` goes to the server, `down` to the browser."""

    def __init__(self, sock: socket.socket, target: Address) -> None:
        self.up = Link()
        self.down = Link()
        self._sock = sock
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._upstream: dict[Address, socket.socket] = {}
        self._loop.add_reader(sock, self._from_browser)

    @property
    def address(self) -> Address:
        name: Address = self._sock.getsockname()
        return name

    def rewrite(self, answer: str) -> str:
        """The answer with the relay as the only candidate."""
        host, port = self.address[:2]
        only = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
        without = re.sub(r"a=candidate:.*\r\n", "", answer)
        return without.replace("a=end-of-candidates", only + "a=end-of-candidates", 1)

    def cut(self, *, cut: bool = True) -> None:
        self.up.up = self.down.up = not cut

    def move(self) -> None:
        """Gives every browser a new source address, as a change of network does."""
        for sock in self._upstream.values():
            self._forget(sock)
        self._upstream.clear()

    def close(self) -> None:
        self.move()
        self._forget(self._sock)

    def _forget(self, sock: socket.socket) -> None:
        self._loop.remove_reader(sock)
        sock.close()

    def _from_browser(self) -> None:
        for _ in range(64):
            try:
                data, browser = self._sock.recvfrom(2048)
            except BlockingIOError:
                return
            at = self.up.delivery(len(data), self._loop.time())
            if at is not None:
                upstream = self._upstream.get(browser) or self._open(browser)
                self._loop.call_at(at, _send, upstream, data, self._target)

    def _open(self, browser: Address) -> socket.socket:
        sock = udp_socket(self._target[0])
        self._upstream[browser] = sock
        self._loop.add_reader(sock, self._from_server, sock, browser)
        return sock

    def _from_server(self, sock: socket.socket, browser: Address) -> None:
        for _ in range(64):
            try:
                data = sock.recv(2048)
            except BlockingIOError:
                return
            at = self.down.delivery(len(data), self._loop.time())
            if at is not None:
                self._loop.call_at(at, _send, self._sock, data, browser)


def udp_socket(host: str) -> socket.socket:
    """A non-blocking socket on a free port of `host`."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.setblocking(False)
    sock.bind((host, 0))
    return sock


def _send(sock: socket.socket, data: bytes, address: Address) -> None:
    if sock.fileno() >= 0:
        sock.sendto(data, address)


@asynccontextmanager
async def relay_to(host: str, port: int) -> AsyncIterator[Relay]:
    """A relay on `host` before the media server's `port` there."""
    relay = Relay(udp_socket(host), (host, port))
    try:
        yield relay
    finally:
        relay.close()
