"""A slot that changes its source hundreds of times, over lossy links and the ends of all numbers:
a decoder never errs, the picture is soon back, and voice and picture stay together.

Time is simulated; source, slot and decoder are real.
"""

from __future__ import annotations

import heapq
import itertools
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import pytest

from consultations.sfu.forward import SlotSender
from consultations.sfu.playout import Unwrapped, split
from consultations.sfu.rtcp import SenderInfo
from consultations.sfu.source import Source
from tests.sfu.peer import FRAME_RATE, FRAMES, picture

SIZES = ((320, 180), (240, 140), (160, 100))  # tell the cameras apart in what is decoded
TRIP = 0.05  # seconds, each way, to and from the server
LOSS, REORDERED = 0.02, 0.05
SWITCHES = 500
FREEZE, OUT_OF_STEP = 0.3, 0.08


class Clock:
    """Simulated time: what is due is done in order."""

    def __init__(self) -> None:
        self.now = 100.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._order), what))

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            self.now, _, what = heapq.heappop(self._due)
            what()
        self.now = until


class Camera:
    """Publishes a recorded picture, begins it anew when a key frame is asked for, repairs."""

    def __init__(self, size: tuple[int, int], clock: Clock, chance: random.Random) -> None:
        self.clock, self.chance = clock, chance
        self.frames = picture(*size)
        self.source = Source("peer", "1", "video", 96)
        self.source.open = True
        self.source.ssrc = 1
        # All numbers end soon after the start.
        self.sequence = 0x10000 - chance.randrange(1, 400)
        self.timestamp = (1 << 32) - chance.randrange(1, 400_000)
        self.picture_id = 0x8000 - chance.randrange(1, 100)
        self.frame = 0
        self.sent: dict[int, tuple[int, int, bytes]] = {}
        clock.after(chance.random() / FRAME_RATE, self.shoot)
        clock.after(0.02, self.tick)

    def shoot(self) -> None:
        self.clock.after(1 / FRAME_RATE, self.shoot)
        self.timestamp = (self.timestamp + 90000 // FRAME_RATE) & 0xFFFFFFFF
        self.picture_id = (self.picture_id + 1) & 0x7FFF
        payloads = self.frames[self.frame % FRAMES]
        self.frame += 1
        for index, payload in enumerate(payloads):
            self.sequence = (self.sequence + 1) & 0xFFFF
            head = bytes([0x80 | (0x10 if index == 0 else 0), 0x80])
            body = head + (0x8000 | self.picture_id).to_bytes(2) + payload
            marker = 0x80 if index == len(payloads) - 1 else 0
            self.sent[self.sequence] = marker, self.timestamp, body
            if self.chance.random() >= LOSS:
                self.clock.after(delay(self.chance), self.arriving(self.sequence))

    def arriving(self, sequence: int) -> Callable[[], None]:
        marker, timestamp, body = self.sent[sequence]
        head = struct.pack("!BBHLL", 0x80, 96, sequence, timestamp, 1)
        return lambda: self.source.receive(
            head + body, 12, marker, sequence, timestamp, self.clock.now
        )

    def tick(self) -> None:
        """What the server asks for, answered a trip later."""
        self.clock.after(0.02, self.tick)
        for sequence in self.source.losses_to_ask_for(self.clock.now, 2 * TRIP):
            self.clock.after(2 * TRIP, self.repairing(sequence))
        if self.source.key_frames.due(self.clock.now, 0.05):
            self.clock.after(TRIP, self.begin_anew)

    def repairing(self, sequence: int) -> Callable[[], None]:
        marker, timestamp, body = self.sent[sequence]
        head = struct.pack("!BBHLL", 0x80, 97, 0, timestamp, 2) + sequence.to_bytes(2)
        return lambda: self.source.receive_repair(
            head + body, 12, marker, timestamp, self.clock.now
        )

    def begin_anew(self) -> None:
        self.frame = 0


@dataclass(frozen=True)
class Packet:
    marker: int
    timestamp: int
    begins: bool
    body: bytes


class Viewer:
    """Takes a slot's packets as a browser does: what is lost comes again while the slot can still
    repeat it; frames are decoded one after the other, a whole key frame whatever is missing
    before."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self.clock, self.chance = clock, chance
        self.slot = SlotSender(self, "1", "video", 1, 2)  # type: ignore[arg-type]
        self.shown: list[tuple[float, int]] = []  # when, and how wide
        self.decoder = av.CodecContext.create("vp8", "r")
        self.unwrap = Unwrapped(16)
        self.waiting: dict[int, Packet] = {}
        self.last = -1

    def send_media(
        self,
        slot: SlotSender,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        packet = Packet(marker, timestamp, *split(payload))
        number = self.unwrap(sequence)
        if self.chance.random() >= LOSS:
            self.clock.after(delay(self.chance), lambda: self.receive(number, packet))
            return

        def again() -> None:
            if slot.history.get(sequence) is not None:
                self.clock.after(TRIP, lambda: self.receive(number, packet))

        self.clock.after(2 * TRIP, again)

    def forget(self, slot: SlotSender) -> None:
        """What is on its way comes all the same."""

    def receive(self, number: int, packet: Packet) -> None:
        if number <= self.last:
            return
        self.waiting[number] = packet
        while self.show(self.last + 1) or any(
            self.show(first) for first in sorted(self.waiting) if self.is_key(first)
        ):
            pass

    def is_key(self, number: int) -> bool:
        packet = self.waiting[number]
        return packet.begins and not packet.body[0] & 1

    def show(self, first: int) -> bool:
        """Decodes the frame that begins there, when all of it has come."""
        number, parts = first, []
        while (packet := self.waiting.get(number)) is not None:
            if packet.begins != (number == first):
                return False
            parts.append(packet)
            if packet.marker:
                break
            number += 1
        else:
            return False
        assert len({part.timestamp for part in parts}) == 1
        for frame in self.decoder.decode(av.Packet(b"".join(part.body for part in parts))):
            self.shown.append((self.clock.now, frame.width))
        self.last = number
        self.waiting = {n: one for n, one in self.waiting.items() if n > number}
        return True


def delay(chance: random.Random) -> float:
    """A trip, now and then long enough to be overtaken by the next packets."""
    return TRIP + (0.004 if chance.random() < REORDERED else 0.0)


def turns(chance: random.Random) -> Iterator[int]:
    """Which camera is next: never the one before."""
    chosen = 0
    while True:
        chosen = (chosen + chance.choice((1, 2))) % len(SIZES)
        yield chosen


def test_five_hundred_changes_of_source_over_lossy_links() -> None:
    chance, clock = random.Random(6), Clock()
    cameras = [Camera(size, clock, chance) for size in SIZES]
    viewer = Viewer(clock, chance)
    freezes = []
    for chosen in itertools.islice(turns(chance), SWITCHES):
        begun, known = clock.now, len(viewer.shown)
        viewer.slot.attach(cameras[chosen].source)
        clock.run(begun + chance.uniform(0.9, 1.5))
        width = SIZES[chosen][0]
        back = next((at for at, wide in viewer.shown[known:] if wide == width), None)
        assert back is not None, f"nothing of camera {chosen} in {clock.now - begun:.1f} s"
        before = viewer.shown[known - 1][0] if known else begun
        freezes.append(back - max(before, begun))
        late = [wide for at, wide in viewer.shown[known:] if at > back and wide != width]
        assert late == [], "a picture of the source before"
    freezes.sort()
    assert freezes[int(0.95 * SWITCHES)] < FREEZE
    assert freezes[-1] < 3 * FREEZE


class Voice:
    """A microphone or a camera as far as its clocks: captures by one, tells of it by another."""

    def __init__(self, kind: str, rate: int, wall: float, chance: random.Random) -> None:
        self.source = Source("peer", kind, kind, 96)  # type: ignore[arg-type]
        self.source.open = True
        self.rate, self.wall = rate, wall
        self.skew = 1 + chance.uniform(-1e-4, 1e-4)
        self.start = chance.randrange(1 << 32)
        self.sequence = chance.randrange(1 << 16)

    def timestamp(self, captured: float) -> int:
        return int(self.start + captured * self.rate * self.skew) & 0xFFFFFFFF

    def capture(self, now: float) -> None:
        """A packet that everything can begin with."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        head = struct.pack("!BBHLL", 0x80, 96, self.sequence, self.timestamp(now), 1)
        key_frame = bytes([0x90, 0x80, 0x80, self.sequence & 0xFF, 0])
        self.source.receive(
            head + key_frame, 12, 0x80, self.sequence, self.timestamp(now), now + TRIP
        )

    def report(self, now: float) -> None:
        ntp = int((self.wall + now) * (1 << 32))
        self.source.note_sender_info(SenderInfo(ntp, self.timestamp(now), 0, 0), now + TRIP)


class Ear:
    """A slot of a viewer, which maps its RTP time to the publisher's wall clock by the newest
    report."""

    def __init__(self, kind: str, rate: int) -> None:
        self.rate = rate
        self.slot = SlotSender(self, kind, "audio" if kind == "audio" else "video", 1, 2)  # type: ignore[arg-type]
        self.newest = 0
        self.told: SenderInfo | None = None

    def send_media(
        self,
        slot: SlotSender,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        self.newest = timestamp

    def forget(self, slot: SlotSender) -> None:
        """Nothing waits here."""

    def hear_report(self) -> None:
        self.told = self.slot.sender_info() or self.told

    def wall(self) -> float | None:
        if self.told is None:
            return None
        ahead = (self.newest - self.told.rtp_timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        return self.told.ntp / (1 << 32) + ahead / self.rate


@pytest.mark.parametrize("seconds", [600])
def test_voice_and_picture_stay_together_through_changes_of_person(seconds: int) -> None:
    """A flash and a beep every 100 ms, whoever is shown; five people with clocks of their own."""
    chance = random.Random(7)
    walls = [chance.uniform(1e9, 2e9) for _ in range(5)]
    people = [
        (Voice("audio", 48000, wall, chance), Voice("video", 90000, wall, chance)) for wall in walls
    ]
    voice, picture_ = Ear("audio", 48000), Ear("video", 90000)
    worst = 0.0
    for step in range(10 * seconds):
        now = 50 + step / 10
        if step % 47 == 0:
            shown = chance.choice(people)
            voice.slot.attach(shown[0].source)
            picture_.slot.attach(shown[1].source)
        for one, another in people:
            one.capture(now)
            another.capture(now)
            if step % 10 == 3:
                one.report(now)
                another.report(now)
        if step % 10 == 8:  # a viewer's reports come from the server, each second
            voice.hear_report()
            picture_.hear_report()
        beep, flash = voice.wall(), picture_.wall()
        if beep is not None and flash is not None:
            worst = max(worst, abs(beep - flash))
    assert worst < OUT_OF_STEP


def key_frame_in_two(slot: SlotSender) -> list[Callable[[], None]]:
    source = Source("peer", "1", "video", 96)
    source.open, source.ssrc = True, 1
    slot.attach(source)

    def arriving(number: int, payload: bytes, marker: int) -> Callable[[], None]:
        head = struct.pack("!BBHLL", 0x80, 96, number, 3000, 1)
        return lambda: source.receive(head + payload, 12, marker, number, 3000, 1.0)

    begins, goes_on = b"\x90\x80\x80\x01\x00one", b"\x80\x80\x80\x01two"
    return [arriving(1, begins, 0), arriving(2, goes_on, 0x80)]


@pytest.mark.parametrize(("withdrawn", "sent"), [(False, 2), (True, 1)])
def test_a_key_frame_whose_start_was_overtaken_is_whole(withdrawn: bool, sent: int) -> None:
    """Nobody could ask for its rest again; of a stream that was stopped meanwhile nothing stays."""
    slot = Viewer(Clock(), random.Random(1)).slot
    first, second = key_frame_in_two(slot)
    assert slot.source is not None
    slot.source.receive(
        struct.pack("!BBHLL", 0x80, 96, 0, 0, 1) + b"\x90\x80\x80\x00\x01", 12, 0, 0, 0, 1.0
    )
    second()
    if withdrawn:
        slot.withdraw()
    first()
    assert slot.packets == sent
