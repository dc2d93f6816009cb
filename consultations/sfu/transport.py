"""DTLS-SRTP of one session: aiortc's transport behind our own ICE, packets as bytes."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from .certificate import Certificate
from .data import DataChannel
from .datagrams import SLOT_BYTES, Name, RawAddress
from .ice import MOVED_SECONDS, IceLite
from .mux import Endpoint, Mux
from .srtp import SrtpRefused, srtp_of

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
SRTP_PROFILES = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80]
MEDIA_A_SECOND, MEDIA_BURST = 3000.0, 3000.0  # datagrams: three times what pictures and voice need


class TransportOwner(Protocol):
    """Whoever gets a session's packets, already decrypted and authentic."""

    def connected(self, seconds: float) -> None:
        """`seconds` is what the handshake took: a round trip, and some 4 kB on their way."""

    def disconnected(self, reason: str) -> None: ...
    def path_changed(self) -> None: ...
    def on_rtp(self, data: bytes, now: float) -> None: ...
    def on_rtcp(self, data: bytes, now: float) -> None: ...
    def on_data(self, message: bytes | str) -> None: ...


class Transport:
    """One session. `heard` is when something authentic last came, on the monotonic clock."""

    def __init__(
        self,
        mux: Mux,
        certificate: Certificate,
        fingerprints: list[RTCDtlsFingerprint],
        owner: TransportOwner,
    ) -> None:
        self.mux = mux
        self.certificate = certificate
        self.owner = owner
        self.ice = IceLite(mux, self._path_used, self._media)
        self.fingerprints = fingerprints
        self.ready = False
        self.heard = mux.now()
        self.created = self.heard
        self._dtls = RTCDtlsTransport(self.ice, [certificate])  # type: ignore[arg-type]
        self._dtls._set_role("server")
        self._dtls._srtp_profiles = SRTP_PROFILES
        self._dtls.on("statechange", self._dtls_state_changed)
        self._data: DataChannel | None = None
        self._data_port: int | None = None
        self._opening: asyncio.Task[None] | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._closed = False
        self._media_left, self._media_refilled = MEDIA_BURST, self.heard

    def refill(self, now: float) -> None:
        """Called some fifty times a second: a bucket asked at every packet would cost more."""
        more = (now - self._media_refilled) * MEDIA_A_SECOND
        self._media_left = min(MEDIA_BURST, self._media_left + more)
        self._media_refilled = now

    def use_data_channel(self, remote_port: int) -> None:
        """Opens the data channel once DTLS is up; told again, it changes nothing."""
        if self._data_port is None:
            self._data_port = remote_port
            if self.ready:
                self._open_data_channel(remote_port)

    def send_data(self, message: str) -> bool:
        """False when it was dropped; nothing that must arrive goes this way."""
        return self._data is not None and self._data.tell(message)

    def send_rtp(self, packet: bytes) -> int:
        """Protects and sends; returns the datagram's size, 0 when the session is not up."""
        if not self.ready:
            return 0
        return self._endpoint.outbox.put(packet, self._name, self._tx.protect)

    def repeat_later(self, seconds: float) -> None:
        """Sends what was sent last once more, bit by bit the same: protecting a packet anew with
        another header would use its nonce twice."""
        if self.ready:
            datagram = self._endpoint.outbox.last()
            asyncio.get_running_loop().call_later(seconds, self._repeat, datagram)

    def _repeat(self, datagram: bytes) -> None:
        if self.ready:
            self._endpoint.outbox.put(datagram, self._name)

    def send_rtcp(self, compound: bytes) -> None:
        if self.ready:
            self._endpoint.outbox.put(compound, self._name, self._tx.protect_rtcp)

    @property
    def shaking_hands(self) -> bool:
        return self._handshake is not None and not self.ready

    @property
    def cipher(self) -> str:
        return self._dtls._ssl.get_selected_srtp_profile().decode() if self._dtls._ssl else ""

    async def close(self) -> None:
        """Tells the browser (close_notify) and forgets every address; safe to repeat."""
        if self._closed:
            return
        self._closed = True
        self.ready = False
        if self._handshake is not None:
            self._handshake.cancel()
        if self._opening is not None:
            self._opening.cancel()
        if self._data is not None:
            await self._data.stop()
        try:
            await self._dtls.stop()
        finally:
            self.ice.close()
            self._dtls.remove_all_listeners()
            self._let_go()

    def _let_go(self) -> None:
        """Cuts the circles that a session is held in: some 60 kB each, part of it OpenSSL's, would
        wait for a garbage collection of the oldest generation, which hardly ever comes."""
        del self.owner
        self._handshake = self._opening = self._data = None

    def _path_used(self, endpoint: Endpoint, address: RawAddress) -> None:
        self._endpoint, self._name = endpoint, Name(address)
        if self._handshake is None:
            self._handshake = asyncio.get_running_loop().create_task(self._shake_hands())
        else:
            self.owner.path_changed()

    async def _shake_hands(self) -> None:
        begun = self.mux.now()
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self._dtls.start(RTCDtlsParameters(fingerprints=self.fingerprints))
        except TimeoutError:
            self.owner.disconnected("handshake")
            return
        except Exception:  # noqa: BLE001 - whatever a ClientHello does to the library
            self.mux.failed()
            self.owner.disconnected("handshake")
            return
        if self._dtls.state != "connected":
            self.owner.disconnected("handshake")
            return
        self._rx, self._tx = srtp_of(self._dtls._rx_srtp), srtp_of(self._dtls._tx_srtp)
        self.ready = self.ice.settled = True
        self.owner.connected(self.mux.now() - begun)
        if self._data_port is not None:
            self._open_data_channel(self._data_port)

    def _open_data_channel(self, remote_port: int) -> None:
        self._data = DataChannel(self._dtls, self.owner.on_data, self._bad_chunk)
        self._opening = asyncio.get_running_loop().create_task(self._data.begin(remote_port))

    def _bad_chunk(self) -> None:
        self.mux.dropped("sctp_invalid")

    def _dtls_state_changed(self) -> None:
        if self._dtls.state == "closed" and not self._closed:
            self.owner.disconnected("closed")

    def _media(
        self, endpoint: Endpoint, address: RawAddress, slot: int, size: int, now: float
    ) -> None:
        if not self.ready:
            self.mux.dropped("not_ready")
            return
        if self._media_left < 1:
            self.mux.dropped("media_rate")
            return
        self._media_left -= 1
        inbox = endpoint.inbox
        is_rtcp = 192 <= inbox.bytes[slot * SLOT_BYTES + 1] <= 223  # RFC 5761 section 4
        unprotect = self._rx.unprotect_rtcp if is_rtcp else self._rx.unprotect
        try:
            size = unprotect(inbox.pointers[slot], size)
        except SrtpRefused:
            self.mux.dropped("srtp")
            return
        self.heard = now
        self.ice.heard_from(endpoint, address, now, MOVED_SECONDS)
        handle = self.owner.on_rtcp if is_rtcp else self.owner.on_rtp
        handle(inbox.take(slot, size), now)
