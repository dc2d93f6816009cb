"""What one viewer is sent, on a link that carries everything and reports it."""

import asyncio
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from consultations.sfu.downlink import Downlink
from consultations.sfu.forward import SlotSender
from consultations.sfu.history import MAX_TRIES
from consultations.sfu.source import Source

FRAME, PACKET = 1 / 30, 1100
FEEDBACK = 0.05


class OpenLink:
    """Stands where a session's transport would: every packet arrives 20 ms later."""

    def __init__(self) -> None:
        self.mux = SimpleNamespace(now=time.monotonic, dropped=self.drop, counts=Counter())
        self.dropped = self.repeated = 0
        self.newest = b""
        self.ready = True
        self.downlink: Any = None
        self.on_the_way: list[tuple[int, float]] = []

    def repeat_later(self, seconds: float) -> None:
        self.repeated += 1

    def send_rtp(self, packet: bytes) -> int:
        self.newest = packet
        self.on_the_way.append((self.downlink._transport_sequence, time.monotonic() + 0.02))
        return len(packet) + 16

    def drop(self, why: str) -> None:
        self.dropped += 1

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


def waiting(bitrate: int, packets: int) -> tuple[OpenLink, SlotSender]:
    """A downlink of so many bits a second, and pictures that wait for it."""
    link = OpenLink()
    downlink = link.downlink = Downlink(link, bitrate, 5_000_000)  # type: ignore[arg-type]
    slot = SlotSender(downlink, "1", "video", 0x80000000, 0x80000001)
    for number in range(packets):
        downlink.send_media(slot, 0, number, 0, bytes(PACKET), time.monotonic())
    return link, slot


@pytest.mark.parametrize(("bitrate", "kept"), [(240_000, True), (60_000, False)])
async def test_a_key_frame_waits_for_two_seconds_of_link_and_no_longer(
    bitrate: int, kept: bool
) -> None:
    link, _ = waiting(bitrate, packets=25)
    assert (link.dropped == 0) is kept
    link.downlink.close()


async def test_what_waits_of_a_picture_that_is_held_back_is_not_sent() -> None:
    link, slot = waiting(100_000, packets=10)
    slot.pause(True)
    sent = len(link.on_the_way)
    await asyncio.sleep(0.05)
    assert len(link.on_the_way) == sent < 10


@pytest.mark.parametrize(("loss", "copies"), [(0.0, 0), (0.08, 1)])
async def test_on_a_lossy_link_a_repair_is_sent_twice(loss: float, copies: int) -> None:
    link, slot = waiting(1_000_000, packets=1)
    slot.rtx_payload_type = 97
    now = time.monotonic()
    slot.history.keep((7, 0, 0, bytes(PACKET), now))
    link.downlink.estimator.loss = loss
    assert link.downlink.resend(slot, 7, now)
    assert link.repeated == copies


@pytest.mark.parametrize(("loss", "asks"), [(0.0, False), (0.08, True)])
async def test_what_was_repeated_in_vain_is_mended_by_a_key_frame(loss: float, asks: bool) -> None:
    """On a thin link without losses it waits, and another key frame would wait behind it."""
    link, slot = waiting(1_000_000, packets=1)
    source = Source("amina", "1", "video", 96)
    slot.attach(source)
    slot.rtx_payload_type = 97
    now = time.monotonic()
    slot.history.keep((7, 0, 0, bytes(PACKET), now))
    link.downlink.estimator.loss = loss
    source.key_frames.wanted = False
    tries = 0
    while link.downlink.resend(slot, 7, now):
        tries += 1
        link.downlink.resend(slot, 7, now)  # asked for again while it is on its way
        assert not source.key_frames.wanted
        now += 0.3
    assert tries == MAX_TRIES
    assert source.key_frames.wanted is asks
    link.downlink.close()


async def test_repairs_go_before_pictures_that_wait() -> None:
    link, slot = waiting(100_000, packets=10)
    slot.rtx_payload_type, slot.rtx_ssrc = 97, 0x80000001
    slot.history.keep((7, 0, 0, bytes(PACKET), time.monotonic()))
    sent = len(link.on_the_way)
    assert link.downlink.resend(slot, 7, time.monotonic())
    while len(link.on_the_way) == sent:
        await asyncio.sleep(0.005)
    link.downlink.close()
    assert link.newest[8:12] == slot.rtx_ssrc.to_bytes(4)
