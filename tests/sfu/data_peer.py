"""A packet-level peer with a data channel, whose way to the server can be cut and mended."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from consultations.sfu import data
from tests.sfu.peer import PacketPeer

MID = "data"


class DataPeer(PacketPeer):
    """`said` is what the server told over the channel; while `is_cut` nothing comes or goes."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.said: list[str] = []
        self.is_cut = False
        self.sctp: RTCSctpTransport
        self.channel: RTCDataChannel

    def offer(self) -> str:
        lines = super().offer().split("\r\n")
        lines = [f"{line} {MID}" if line.startswith("a=group:") else line for line in lines[:-1]]
        section = [
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{MID}",
            "a=sctp-port:5000",
            "a=max-message-size:262144",
        ]
        return "\r\n".join([*lines, *section]) + "\r\n"

    async def open_channel(self) -> None:
        self.sctp = RTCSctpTransport(self.dtls)
        parameters = RTCDataChannelParameters("", negotiated=True, id=data.CHANNEL)
        self.channel = RTCDataChannel(self.sctp, parameters)
        self.channel.on("message", self.said.append)
        await self.sctp.start(RTCSctpCapabilities(data.MAX_MESSAGE), 5000)
        async with asyncio.timeout(10):
            while self.channel.readyState != "open":
                await asyncio.sleep(0.02)

    def send(self, data: bytes) -> None:
        if not self.is_cut:
            super().send(data)

    def _readable(self) -> None:
        if not self.is_cut:
            super()._readable()
            return
        while self._socket is not None:
            try:
                self._socket.recv(2048)
            except BlockingIOError:
                return

    def kill(self) -> None:
        if hasattr(self, "sctp"):
            self.sctp._set_state(RTCSctpTransport.State.CLOSED)
        super().kill()
