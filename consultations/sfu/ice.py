"""ICE-lite for one session (RFC 8445 section 2.5), and the socket-like face DTLS wants.

The server never sends checks. It answers those that carry this session's credentials, and the
pair that the browser uses is where everything is sent. A restart adds credentials; the old
ones stay valid until a pair is nominated with the new ones, so media never stops in between.

A browser may send on a pair up to 2.5 s before it nominates it to a lite agent (Chromium does, at
its start over a slow link, and when its network changes). So DTLS may begin on any pair that was
checked, and where the pair in use is silent and the browser is heard from another one that it has
checked, that one is used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .datagrams import readable
from .limits import Allowance
from .stun import BindingRequest, binding_response

if TYPE_CHECKING:
    from .datagrams import RawAddress
    from .mux import Endpoint, Mux

MAX_ADDRESSES = 16
HELD_SECONDS = 10.0  # browsers check their pair again after 6 s at most
DTLS_QUEUE = 64
# Silence of the pair in use after which another is: one that media come from, one that is checked.
MOVED_SECONDS, LOST_SECONDS = 0.25, 1.0
# Handshakes take few; a data channel at its granted rate takes some 250 a second.
FLIGHTS, FLIGHTS_BURST = 600.0, 1200.0


@dataclass(frozen=True, slots=True)
class Credentials:
    ufrag: str
    password: str
    remote_ufrag: str


class IceLite:
    """The pairs of one session. `endpoint` and `address` are those in use: nominated, or what the
    browser uses; `heard` is when it was last heard from there, on the monotonic clock. Between the
    first of DTLS and its end (`settled`) nothing but a nomination moves it."""

    role = "controlled"
    state = "completed"

    def __init__(
        self,
        mux: Mux,
        on_used: Callable[[Endpoint, RawAddress], None],
        on_media: Callable[[Endpoint, RawAddress, int, int, float], None],
    ) -> None:
        self.mux = mux
        self.endpoint: Endpoint | None = None
        self.address: RawAddress | None = None
        self.last_check = self.heard = mux.now()
        self.settled = False
        self.on_media = on_media
        self.checks = Allowance(rate=50, burst=100)
        self.hellos = Allowance(rate=1, burst=12)  # in two parts each, repeated on a lossy link
        self.flights = Allowance(FLIGHTS, FLIGHTS_BURST)
        self._on_used = on_used
        self._generations: list[Credentials] = []
        self._validated: dict[tuple[Endpoint, RawAddress], float] = {}
        self._dtls: asyncio.Queue[bytes | None] = asyncio.Queue(DTLS_QUEUE)
        self._closed = False

    @property
    def credentials(self) -> Credentials:
        """The newest ones, to be put into an answer."""
        return self._generations[-1]

    @property
    def family(self) -> str:
        """ipv4 or ipv6 of the pair in use, "" before; all that is ever told of an address."""
        if self.address is None:
            return ""
        host = ipaddress.ip_address(readable(self.address)[0])
        mapped = host.version == 6 and host.ipv4_mapped is not None
        return "ipv4" if host.version == 4 or mapped else "ipv6"

    def offered(self, remote_ufrag: str) -> Credentials:
        """The credentials that answer an offer; a new remote fragment is an ICE restart."""
        if not self._generations or self.credentials.remote_ufrag != remote_ufrag:
            fresh = Credentials(secrets.token_hex(6), secrets.token_hex(16), remote_ufrag)
            self._generations.append(fresh)
            self.mux.by_ufrag[fresh.ufrag] = self
            self._forget_generations(self._generations[1:-1])  # never answered, never nominated
        return self.credentials

    def check(
        self, request: BindingRequest, endpoint: Endpoint, address: RawAddress, now: float
    ) -> bool:
        """Answers an authentic connectivity check; False when it is not one of this session."""
        generation = next((g for g in self._generations if g.ufrag == request.local_ufrag), None)
        if generation is None or generation.remote_ufrag != request.remote_ufrag:
            return False
        if not request.signed_with(generation.password):
            return False
        if self._is_held_by_another(endpoint, address, now):
            return False
        self.last_check = now
        self._validate(endpoint, address, now)
        host, port, *_ = readable(address)
        endpoint.send(binding_response(request, generation.password, (host, port)), address)
        if request.use_candidate:
            self._nominate(generation, endpoint, address)
        self.heard_from(endpoint, address, now, LOST_SECONDS)
        return True

    def _is_held_by_another(self, endpoint: Endpoint, address: RawAddress, now: float) -> bool:
        """Whether a living session sends there: with a forged source address, somebody's own
        credentials would otherwise take its packets away from it."""
        holder = endpoint.sessions.get(address)
        if holder is None or holder is self or holder.address != address:
            return False
        return not holder._closed and now - holder.last_check < HELD_SECONDS

    def _validate(self, endpoint: Endpoint, address: RawAddress, now: float) -> None:
        """Lets this address reach the session, from this socket only."""
        self._validated.pop((endpoint, address), None)
        self._validated[endpoint, address] = now
        endpoint.sessions[address] = self
        if len(self._validated) > MAX_ADDRESSES:
            in_use = (self.endpoint, self.address)
            oldest = next(pair for pair in self._validated if pair != in_use)
            self._release(*oldest)

    def _nominate(self, generation: Credentials, endpoint: Endpoint, address: RawAddress) -> None:
        if generation is self._generations[-1]:
            self._forget_generations(self._generations[:-1])
        if (endpoint, address) != (self.endpoint, self.address):
            self._use(endpoint, address)

    def heard_from(
        self, endpoint: Endpoint, address: RawAddress, now: float, patience: float
    ) -> None:
        """Something authentic came from a pair; it takes the place of one silent for `patience`."""
        if address != self.address or endpoint is not self.endpoint:
            if not self.settled or now - self.heard < patience:
                return
            self._use(endpoint, address)
        self.heard = now

    def _use(self, endpoint: Endpoint, address: RawAddress) -> None:
        self.endpoint, self.address = endpoint, address
        self._on_used(endpoint, address)

    def expire_addresses(self, before: float) -> None:
        """Forgets pairs not checked since `before`, but never the one in use."""
        in_use = (self.endpoint, self.address)
        stale = [p for p, seen in self._validated.items() if seen < before and p != in_use]
        for pair in stale:
            self._release(*pair)

    def close(self) -> None:
        self._closed = True
        self._forget_generations(list(self._generations))
        for pair in list(self._validated):
            self._release(*pair)
        self._wake_reader()
        del self.on_media, self._on_used  # who hears of nothing any more need not be held

    def _wake_reader(self) -> None:
        if self._dtls.full():
            self._dtls.get_nowait()
        self._dtls.put_nowait(None)

    def _release(self, endpoint: Endpoint, address: RawAddress) -> None:
        del self._validated[endpoint, address]
        if endpoint.sessions.get(address) is self:
            del endpoint.sessions[address]

    def _forget_generations(self, gone: list[Credentials]) -> None:
        for generation in gone:
            self._generations.remove(generation)
            self.mux.by_ufrag.pop(generation.ufrag, None)

    # What aiortc's RTCDtlsTransport asks of an RTCIceTransport.

    def feed_dtls(self, data: bytes, endpoint: Endpoint, address: RawAddress) -> bool:
        """Hands a DTLS datagram over; False when the reader is hopelessly behind."""
        if self._dtls.full():
            return False
        if self.address is None:
            self._use(endpoint, address)
        self._dtls.put_nowait(data)
        return True

    async def _recv(self) -> bytes:
        data = None if self._closed and self._dtls.empty() else await self._dtls.get()
        if data is None:
            raise ConnectionError("session closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self.endpoint is None or self.address is None:
            raise ConnectionError("no pair in use")
        self.endpoint.send(data, self.address)
