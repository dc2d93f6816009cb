"""One UDP port for every session of the process: sockets, filters, and who gets a datagram.

Nothing reaches a session but from an address that passed a STUN integrity check of that very
session; nothing too short, too long or of an unknown first byte is looked at (RFC 7983).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from .limits import Allowance, AllowanceBook
from .stun import StunInvalid, parse_binding_request

if TYPE_CHECKING:
    from .ice import IceLite

logger = logging.getLogger(__name__)

SocketAddress = tuple[Any, ...]  # (host, port), or (host, port, flow, scope) for IPv6

MIN_DATAGRAM = 12
MAX_DATAGRAM = 1500
BATCH = 64
SOCKET_BUFFER = 4 << 20
BIND_ATTEMPTS = 20


class Endpoint:
    """One socket, bound to one address of this machine."""

    def __init__(self, mux: Mux, sock: socket.socket) -> None:
        self.mux = mux
        self.sock = sock
        self.sessions: dict[SocketAddress, IceLite] = {}

    def send(self, data: bytes, address: SocketAddress) -> None:
        """Sends now or drops: a full socket buffer means that waiting would only add delay."""
        try:
            self.sock.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            self.mux.drops["send_buffer_full"] += 1
        except OSError:
            self.mux.drops["send_failed"] += 1

    def readable(self) -> None:
        mux = self.mux
        receive = self.sock.recvfrom
        for _ in range(BATCH):
            try:
                data, address = receive(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error of an earlier send
                mux.drops["receive_failed"] += 1
                return
            mux.packets += 1
            mux.bytes += len(data)
            try:
                self.datagram(data, address, time.monotonic())
            except Exception:  # noqa: BLE001 - one bad datagram must never stop the others
                mux.failed()

    def datagram(self, data: bytes, address: SocketAddress, now: float) -> None:
        if not MIN_DATAGRAM <= len(data) <= MAX_DATAGRAM:
            self.mux.drops["length"] += 1
            return
        first = data[0]
        if 128 <= first < 192:
            session = self.sessions.get(address)
            if session is None:
                self.mux.drops["stranger"] += 1
            else:
                session.on_media(data, now)
        elif first < 4:
            self.stun(data, address, now)
        elif 20 <= first < 64:
            session = self.sessions.get(address)
            if session is None:
                self.mux.drops["stranger"] += 1
            elif not session.feed_dtls(data):
                self.mux.drops["dtls_backlog"] += 1
        else:
            self.mux.drops["first_byte"] += 1

    def stun(self, data: bytes, address: SocketAddress, now: float) -> None:
        mux = self.mux
        known = self.sessions.get(address)
        if not (known.checks.allows(now) if known else mux.stranger_may_check(address[0], now)):
            mux.drops["stun_rate"] += 1
            return
        try:
            request = parse_binding_request(data)
        except StunInvalid:
            mux.drops["stun_invalid"] += 1
            return
        session = mux.by_ufrag.get(request.local_ufrag)
        if session is None or not session.check(request, self, address, now):
            mux.drops["stun_refused"] += 1


class Mux:
    """The sockets of the process and the sessions behind them."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.by_ufrag: dict[str, IceLite] = {}
        self.drops: Counter[str] = Counter()
        self.packets = 0
        self.bytes = 0
        self.stun_book = AllowanceBook(rate=100, burst=200)
        self.stun_total = Allowance(rate=5000, burst=5000)
        self._last_failure_log = 0.0

    now = staticmethod(time.monotonic)

    @property
    def port(self) -> int:
        port: int = self.endpoints[0].sock.getsockname()[1]
        return port

    def open(self, addresses: tuple[str, ...], port: int) -> None:
        """Binds every address on the same port; raises OSError when that cannot be had."""
        for attempt in range(BIND_ATTEMPTS):
            try:
                sockets = _bind_all(addresses, port)
            except OSError:
                if port or attempt == BIND_ATTEMPTS - 1:
                    raise
            else:
                break
        self.endpoints = [Endpoint(self, sock) for sock in sockets]
        loop = asyncio.get_running_loop()
        for endpoint in self.endpoints:
            loop.add_reader(endpoint.sock, endpoint.readable)

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for endpoint in self.endpoints:
            loop.remove_reader(endpoint.sock)
            endpoint.sock.close()

    def stranger_may_check(self, host: str, now: float) -> bool:
        return self.stun_total.allows(now) and self.stun_book.allows(host, now)

    def failed(self) -> None:
        """Counts an exception that a datagram caused; tells of one a second at most."""
        self.drops["exception"] += 1
        now = self.now()
        if now - self._last_failure_log > 1:
            self._last_failure_log = now
            logger.exception("a datagram could not be handled")


def _bind_all(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for text in addresses:
            sockets.append(_bind(text, port))
            port = sockets[0].getsockname()[1]
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bind(text: str, port: int) -> socket.socket:
    version6 = ipaddress.ip_address(text).version == 6
    sock = socket.socket(socket.AF_INET6 if version6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if version6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        sock.setblocking(False)
        sock.bind((text, port))
    except OSError:
        sock.close()
        raise
    return sock
