"""One session of the load with a server: ICE checks, DTLS, keys. Many share one socket."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from aioice import stun
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from bench.forwarding import mmsg

CIPHERS = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80]  # in Chromium's order
CHECK_SECONDS = 0.1
SETTLE_SECONDS = 0.05  # Janus drops a ClientHello that comes before its own check is answered


@dataclass
class Person:
    """`sends` encrypts what the person publishes, `watches` is where it sees the others."""

    room: int
    number: int
    audio_ssrc: int = field(default_factory=lambda: secrets.randbits(30) << 1)
    video_ssrc: int = field(default_factory=lambda: secrets.randbits(30) << 1)
    sends: Any = None  # the pylibsrtp session of the publishing leg
    publishes_on: Leg | None = None
    watches_on: Leg | None = None


class Leg:
    """A session. `rx` and `tx` are its SRTP keys; `sequence_extension` and `rtx` tell what the
    server uses in what it sends here."""

    def __init__(self, wire: Wire, *, role: str = "client") -> None:
        self.wire = wire
        self.address = wire.adopt(self)
        self.remote = ("", 0)
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.remote_ufrag = self.remote_password = ""
        self.tx: Any = None
        self.rx: Any = None
        self.cipher = ""
        self.rtx: set[int] = set()
        self.sequence_extension = 0
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.checked = asyncio.Event()
        self.role, self.state = "controlling", "completed"
        self._dtls_role = role

    def fingerprint(self) -> str:
        prints = self.wire.certificate.getFingerprints()
        return next(f.value for f in prints if f.algorithm == "sha-256")

    async def connect(self, description: str) -> None:
        """Checks, nominates and shakes hands with the server whose SDP this is."""
        self.remote_ufrag = found(r"a=ice-ufrag:(\S+)", description)
        self.remote_password = found(r"a=ice-pwd:(\S+)", description)
        host, port = found_all(
            r"a=candidate:\S+ 1 (?:udp|UDP) \d+ (\S+) (\d+) typ host", description
        )
        self.remote = host, int(port)
        async with asyncio.timeout(20):
            while not self.checked.is_set():
                self.send(self.check())
                try:
                    await asyncio.wait_for(self.checked.wait(), CHECK_SECONDS)
                except TimeoutError:
                    continue
            await asyncio.sleep(SETTLE_SECONDS)
            dtls = RTCDtlsTransport(self, [self.wire.certificate])  # type: ignore[arg-type]
            dtls._srtp_profiles = CIPHERS
            dtls._set_role(self._dtls_role)
            value = found(r"a=fingerprint:sha-256 (\S+)", description)
            await dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", value)]))
        if dtls.state != "connected":
            raise ConnectionError(f"DTLS ended {dtls.state}")
        self.tx, self.rx = dtls._tx_srtp, dtls._rx_srtp
        self.cipher = dtls._ssl.get_selected_srtp_profile().decode()
        self._dtls = dtls

    def check(self) -> bytes:
        """A connectivity check that nominates; a browser repeats it for consent."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.remote_ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 1853817087
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self.remote_password.encode())
        request.add_fingerprint()
        return bytes(request)

    def stun(self, data: bytes) -> None:
        """Takes an answer to a check, or answers one of the server's."""
        if data[0] == 1:
            self.checked.set()
        elif data[:2] == b"\0\1":
            request = stun.parse_message(data)
            reply = stun.Message(
                stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id
            )
            reply.attributes["XOR-MAPPED-ADDRESS"] = self.remote
            reply.add_message_integrity(self.password.encode())
            reply.add_fingerprint()
            self.send(bytes(reply))

    def send(self, data: bytes) -> None:
        self.wire.send(self, data)

    # What RTCDtlsTransport asks of an ICE transport.

    async def _recv(self) -> bytes:
        return await self.inbox.get()

    async def _send(self, data: bytes) -> None:
        self.send(data)


class Wire:
    """The socket of one load process; leg i has the address `first` + i."""

    def __init__(self, sock: socket.socket, first: int) -> None:
        self.sock = sock
        self.first = first
        self.legs: list[Leg] = []
        self.certificate = RTCCertificate.generateCertificate()

    def adopt(self, leg: Leg) -> int:
        self.legs.append(leg)
        return self.first + len(self.legs) - 1

    def send(self, leg: Leg, data: bytes) -> None:
        control = [(socket.IPPROTO_IP, mmsg.IP_PKTINFO, mmsg.packet_info(leg.address))]
        try:
            self.sock.sendmsg([data], control, 0, leg.remote)
        except OSError:
            return

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(self.sock, self._readable)

    def rest(self) -> None:
        asyncio.get_running_loop().remove_reader(self.sock)

    def _readable(self) -> None:
        while True:
            try:
                data, controls, _, _ = self.sock.recvmsg(2048, 256)
            except OSError:
                return
            info = next(value for level, kind, value in controls if kind == mmsg.IP_PKTINFO)
            leg = self.legs[struct.unpack("!L", info[8:12])[0] - self.first]
            if data and data[0] < 4:
                leg.stun(data)
            elif data and 20 <= data[0] < 64:
                leg.inbox.put_nowait(data)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"no {pattern} in the description")
    return match[1]


def found_all(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"no {pattern} in the description")
    return match.groups()
