"""Packet-level media through the room's own socket."""

import asyncio

from tests.consultations.callers import Caller
from tests.sfu.peer import PacketPeer

QUIET_SECONDS = 0.6


class Door:
    """Where ``PacketPeer`` asks the media server, this asks the room."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def join(self, room: str, peer: str, offer: str, *, send: bool, receive: bool) -> str:
        """The server alone says what may be sent: ``send`` and ``receive`` ask for nothing."""
        answer = await self.caller.change("offer", sdp=offer)
        assert answer["type"] == "answer", answer
        return str(answer["sdp"])


async def connected(caller: Caller, kind: type[PacketPeer] = PacketPeer) -> PacketPeer:
    """Their connection, sending picture and voice."""
    peer = kind(Door(caller), "", caller.id)
    await peer.enter()
    peer.play()
    return peer


class ScreenPeer(PacketPeer):
    """Sends its picture as the second video of its offer, which is how a screen is shared."""

    @property
    def screen_mid(self) -> str:
        return str(self.slots[0] + 1)

    def _video_section(self, mid: str, *, sends: bool) -> list[str]:
        return super()._video_section(mid, sends=mid == self.screen_mid)

    def _common(self, mid: str, payload_type: int, sends: bool) -> list[str]:
        camera = mid == str(self.slots[0])
        return super()._common(mid, payload_type, sends or camera)

    def send_media(
        self,
        head: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        mid: str,
        rid: str = "",
    ) -> None:
        screen = ssrc == self.video_ssrc
        super().send_media(
            head, sequence, timestamp, ssrc, payload, self.screen_mid if screen else mid, rid
        )


async def hears(peer: PacketPeer, packets: int = 30, seconds: float = 5.0) -> None:
    """Waits until this many more have come."""
    enough = peer.received.total() + packets
    async with asyncio.timeout(seconds):
        while peer.received.total() < enough:
            await asyncio.sleep(0.02)


async def falls_silent(peer: PacketPeer, seconds: float = 5.0) -> float:
    """In how many seconds from now the last packet came."""
    loop = asyncio.get_running_loop()
    start = last = loop.time()
    heard = peer.received.total()
    async with asyncio.timeout(seconds):
        while loop.time() - last < QUIET_SECONDS:
            await asyncio.sleep(0.02)
            if peer.received.total() != heard:
                heard, last = peer.received.total(), loop.time()
    return last - start
