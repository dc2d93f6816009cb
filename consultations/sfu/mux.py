"""One UDP port for every session of the process: sockets, filters, and who gets a datagram.

Nothing reaches a session but from an address that passed a STUN integrity check of that very
session; nothing too short, too long or of an unknown first byte is looked at (RFC 7983).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING

from .datagrams import SLOT_BYTES, SLOTS, Inbox, Outbox, RawAddress, host, readable
from .limits import Allowance, AllowanceBook
from .stun import StunInvalid, parse_binding_request

if TYPE_CHECKING:
    from .ice import IceLite

logger = logging.getLogger(__name__)

MIN_DATAGRAM = 12
MAX_DATAGRAM = 1500
BATCHES = 4  # a wake-up reads no more: unbounded, it was seen to starve timers for seconds
POLL_SECONDS = 0.001
POLL_ABOVE, WAIT_BELOW = 2500, 1200  # datagrams a second
SOCKET_BUFFER = 4 << 20
BIND_ATTEMPTS = 20


class Endpoint:
    """One socket, bound to one address of this machine."""

    def __init__(self, mux: Mux, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self.mux = mux
        self.sock = sock
        self.inbox = Inbox(sock)
        self.outbox = Outbox(sock, loop.call_soon, mux.dropped)
        self.sessions: dict[RawAddress, IceLite] = {}

    def send(self, data: bytes, address: RawAddress) -> None:
        """Sends now or drops: a full socket buffer means that waiting would only add delay."""
        try:
            self.sock.sendto(data, readable(address))
        except (BlockingIOError, InterruptedError):
            self.mux.dropped("send_buffer_full")
        except OSError:
            self.mux.dropped("send_failed")

    def read(self) -> None:
        """Takes what has come, and sends what that leads to."""
        mux, inbox = self.mux, self.inbox
        for _ in range(BATCHES):
            try:
                count = inbox.receive()
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # an ICMP error of an earlier send
                mux.dropped("receive_failed")
                break
            now = time.monotonic()
            mux.packets += count
            for slot in range(count):
                try:
                    self._datagram(slot, now)
                except Exception:  # noqa: BLE001 - one bad datagram must never stop the others
                    mux.failed()
            if count < SLOTS:
                break
        self.outbox.flush()

    def _datagram(self, slot: int, now: float) -> None:
        inbox, mux = self.inbox, self.mux
        size = inbox.size(slot)
        mux.bytes += size
        if not MIN_DATAGRAM <= size <= MAX_DATAGRAM:
            mux.dropped("length")
            return
        first = inbox.bytes[slot * SLOT_BYTES]
        address = inbox.source(slot)
        if 128 <= first < 192:
            session = self.sessions.get(address)
            if session is None:
                mux.dropped("stranger")
            else:
                session.on_media(self, address, slot, size, now)
        elif first < 4:
            self._stun(inbox.take(slot, size), address, now)
        elif 20 <= first < 64:
            session = self.sessions.get(address)
            if session is None:
                mux.dropped("stranger")
            else:
                self._dtls(session, inbox.take(slot, size), address, now)
        else:
            mux.dropped("first_byte")

    def _stun(self, data: bytes, address: RawAddress, now: float) -> None:
        mux = self.mux
        known = self.sessions.get(address)
        if not (known.checks.allows(now) if known else mux.stranger_may_check(address, now)):
            mux.dropped("stun_rate")
            return
        try:
            request = parse_binding_request(data)
        except StunInvalid:
            mux.dropped("stun_invalid")
            return
        session = mux.by_ufrag.get(request.local_ufrag)
        if session is None or not session.check(request, self, address, now):
            mux.dropped("stun_refused")

    def _dtls(self, session: IceLite, data: bytes, address: RawAddress, now: float) -> None:
        """A hello is what costs: a key exchange and a signature each. Its session and its host
        have few, all else of DTLS is bounded by the session alone."""
        mux = self.mux
        if not session.flights.allows(now) or (
            _is_hello(data) and not (session.hellos.allows(now) and mux.may_greet(address, now))
        ):
            mux.dropped("dtls_rate")
        elif not session.feed_dtls(data, self, address):
            mux.dropped("dtls_backlog")


class Mux:
    """The sockets of the process and the sessions behind them."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.by_ufrag: dict[str, IceLite] = {}
        self.drops: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.packets = 0
        self.bytes = 0
        self.stun_book = AllowanceBook(rate=100, burst=200)
        self.stun_total = Allowance(rate=5000, burst=5000)
        # A clinic's people share an address, and each comes with a few hellos at most.
        self.hello_book = AllowanceBook(rate=20, burst=100)
        self._last_failure_log = 0.0
        self._polling: asyncio.TimerHandle | None = None
        self._measured = (0.0, 0)

    now = staticmethod(time.monotonic)

    @property
    def port(self) -> int:
        port: int = self.endpoints[0].sock.getsockname()[1]
        return port

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(endpoint.sock.getsockname()[0] for endpoint in self.endpoints)

    def open(self, addresses: tuple[str, ...], port: int, *, every: bool = True) -> None:
        """Binds every address on the same port; raises OSError when that cannot be had.

        Where not `every` address must be had, those that can be bound are enough: an interface
        that is just coming up has addresses that nothing can be bound to yet.
        """
        for attempt in range(BIND_ATTEMPTS):
            try:
                sockets = _bind_all(addresses, port, every=every)
            except OSError:
                if port or attempt == BIND_ATTEMPTS - 1:
                    raise
            else:
                break
        loop = asyncio.get_running_loop()
        self.endpoints = [Endpoint(self, sock, loop) for sock in sockets]
        self._wait()

    def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
        else:
            self._stop_waiting()
        for endpoint in self.endpoints:
            endpoint.outbox.flush()
            endpoint.sock.close()

    # Waking up for every datagram is quickest while few come; while many come, it costs more than
    # to look each millisecond and take what is there together.

    def adapt(self, now: float) -> None:
        """Chooses between the two by what came since the last call."""
        (before, packets), self._measured = self._measured, (now, self.packets)
        rate = (self.packets - packets) / max(now - before, 0.001)
        if self._polling is None and rate > POLL_ABOVE:
            self._stop_waiting()
            self._poll()
        elif self._polling is not None and rate < WAIT_BELOW:
            self._polling.cancel()
            self._polling = None
            self._wait()

    def _wait(self) -> None:
        for endpoint in self.endpoints:
            asyncio.get_running_loop().add_reader(endpoint.sock, endpoint.read)

    def _stop_waiting(self) -> None:
        for endpoint in self.endpoints:
            asyncio.get_running_loop().remove_reader(endpoint.sock)

    def _poll(self) -> None:
        self._polling = asyncio.get_running_loop().call_later(POLL_SECONDS, self._poll)
        for endpoint in self.endpoints:
            endpoint.read()

    def stranger_may_check(self, address: RawAddress, now: float) -> bool:
        # The host's own first: what it is refused costs the others nothing of what they share.
        return self.stun_book.allows(host(address), now) and self.stun_total.allows(now)

    def may_greet(self, address: RawAddress, now: float) -> bool:
        return self.hello_book.allows(host(address), now)

    def dropped(self, why: str, count: int = 1) -> None:
        self.drops[why] += count

    def failed(self) -> None:
        """Counts an exception that a datagram caused; tells of one a second at most."""
        self.drops["exception"] += 1
        now = self.now()
        if now - self._last_failure_log > 1:
            self._last_failure_log = now
            logger.exception("a datagram could not be handled")


def _is_hello(data: bytes) -> bool:
    """A ClientHello, or a part of one, in the clear (RFC 6347 section 4.2)."""
    return len(data) > 13 and data[0] == 22 and data[3:5] == b"\0\0" and data[13] == 1


def _bind_all(addresses: tuple[str, ...], port: int, *, every: bool) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for text in addresses:
        try:
            sockets.append(_bind(text, port))
        except OSError as error:
            if not every and error.errno == errno.EADDRNOTAVAIL:
                continue
            for sock in sockets:
                sock.close()
            raise
        port = sockets[0].getsockname()[1]
    if not sockets:
        raise OSError(errno.EADDRNOTAVAIL, "no address of this machine could be bound")
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
