"""What one viewer is sent, on a link that carries everything and reports it."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from consultations.sfu.downlink import Downlink
from consultations.sfu.forward import SlotSender

FRAME, PACKET = 1 / 30, 1100
FEEDBACK = 0.05


class OpenLink:
    """Stands where a session's transport would: every packet arrives 20 ms later."""

    def __init__(self) -> None:
        self.mux = SimpleNamespace(now=time.monotonic, dropped=lambda why: None)
        self.ready = True
        self.downlink: Any = None
        self.on_the_way: list[tuple[int, float]] = []

    def send_rtp(self, packet: bytes) -> int:
        self.on_the_way.append((self.downlink._transport_sequence, time.monotonic() + 0.02))
        return len(packet) + 16

    def report(self) -> None:
        reported, now = self.on_the_way[:], time.monotonic()
        arrived = [(number, at) for number, at in reported if at <= now]
        self.on_the_way = reported[len(arrived) :]
        if arrived:
            self.downlink.estimator.feedback(arrived, now)


async def test_an_estimate_below_what_comes_is_tried_with_what_waits() -> None:
    """Pictures of 1.2 Mbit/s at an estimate of 400 kbit/s: something always waits, and what lies
    in the queue is what the link is tried with."""
    link = OpenLink()
    downlink = link.downlink = Downlink(link, 400_000, 5_000_000)  # type: ignore[arg-type]
    downlink.sequence_extension = 3
    slot = SlotSender(downlink, "1", "video", 0x80000000, 0x80000001)
    slot.payload_type, slot.rtx_payload_type = 96, 97
    reported = 0.0
    for frame in range(20):
        now = time.monotonic()
        for number in range(5):
            downlink.send_media(slot, 0, 5 * frame + number, 0, bytes(PACKET), now)
        if now - reported > FEEDBACK:
            reported = now
            link.report()
        downlink.probe(slot, 1_700_000, now)
        await asyncio.sleep(FRAME)
    downlink.close()
    assert downlink.estimator.bitrate >= 1_200_000
