"""A camera in several sizes: who gets which, what is asked for, and one clean stream for each."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consultations.sfu import AnyEvent, LayersWanted, MediaServer, vp8
from consultations.sfu.answer import ServerFacts, write_answer
from consultations.sfu.forward import SlotSender
from consultations.sfu.ice import Credentials
from consultations.sfu.layers import ALL_FRAMES, Bits, Choice, Wanted, present
from consultations.sfu.numbering import Numbering
from consultations.sfu.rtcp import SenderInfo
from consultations.sfu.sdp import parse_offer
from consultations.sfu.source import Source
from tests.sfu import layered
from tests.sfu.layered import SIMULCAST, LayeredPeer
from tests.sfu.memory import Memory
from tests.sfu.peer import PacketPeer
from tests.sfu.relay import relay_to
from tests.sfu.test_sessions import until
from tests.sfu.test_streams import missing
from tests.sfu.test_wire import CHROMIUM_OFFER

# Negotiation


def with_sizes(*changes: tuple[str, str]) -> str:
    """The recorded offer with a third video section that sends a camera in three sizes."""
    *_, last = CHROMIUM_OFFER.split("m=video")
    kept = [line for line in last.split("\r\n") if line and not line.startswith("a=ssrc")]
    section = "\r\n".join(["m=video" + kept[0], *kept[1:], *SIMULCAST]) + "\r\n"
    section = section.replace("a=mid:2", "a=mid:3")
    for old, new in changes:
        assert old in section
        section = section.replace(old, new)
    return CHROMIUM_OFFER.replace("BUNDLE 0 1 2", "BUNDLE 0 1 2 3") + section


def test_an_offer_of_several_sizes_is_accepted_in_their_order() -> None:
    offer = parse_offer(with_sizes())
    section = offer.sections[-1]
    assert section.layers == ("q", "h", "f")
    assert section.ssrc is None
    server = ServerFacts("AA", ("192.0.2.1",), 5000)
    answer = write_answer(offer, 1, Credentials("u", "p", offer.ice_ufrag), server, {})
    ours = answer.split("m=video")[-1]
    assert "a=simulcast:recv q;h;f\r\n" in ours
    assert "a=rid:h recv\r\n" in ours
    assert "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id" in ours
    assert f"a=extmap:11 {layered.REPAIRED_URI}" in ours
    assert "a=simulcast" not in answer.split("m=video")[1]


@pytest.mark.parametrize(
    "change",
    [
        ("a=simulcast:send q;h;f", "a=simulcast:recv q;h;f"),
        ("a=simulcast:send q;h;f", "a=simulcast:send"),
        ("a=simulcast:send q;h;f", "a=simulcast:send q;q;f"),
        ("a=rid:h send", "a=rid:h recv"),
        ("a=rid:h send", "a=rid:\u00e9 send"),
        ("sdes:rtp-stream-id", "sdes:another"),
    ],
)
def test_other_sizes_than_three_that_can_be_told_apart_are_one_stream(
    change: tuple[str, str],
) -> None:
    assert parse_offer(with_sizes(change)).sections[-1].layers == ()


# Numbers


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.sampled_from(["pass", "leave", "lose", "late"]), max_size=400),
)
def test_what_is_left_out_leaves_no_gap_and_no_number_is_used_twice(
    first: int, events: list[str]
) -> None:
    numbering = Numbering()
    numbering.begin(first, 7, 0)
    sequence, lost, out = first - 1, list[int](), list[int]()
    expected = 0
    for event in ["pass", *events]:
        if event == "late":
            old = lost.pop() if lost else first - 1
            place = numbering.take(old & 0xFFFF)
            if place is not None:  # else too many were left out since
                out.append((old + place.sequence) & 0xFFFF)
            continue
        sequence += 1
        if event == "lose":
            lost.append(sequence)
            expected += 1
        elif event == "leave":
            assert numbering.leave_out(sequence & 0xFFFF, picture=True)
        else:
            place = numbering.take(sequence & 0xFFFF)
            assert place is not None
            assert (sequence + place.sequence) & 0xFFFF == (first + 7 + expected) & 0xFFFF
            out.append((sequence + place.sequence) & 0xFFFF)
            expected += 1
    assert len(out) == len(set(out))


@dataclass(frozen=True)
class Sent:
    marker: int
    sequence: int
    timestamp: int
    descriptor: vp8.Descriptor
    rid: str
    key: bool
    now: float


class Written:
    def __init__(self) -> None:
        self.out: list[Sent] = []

    def send_media(
        self,
        slot: SlotSender,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        descriptor = vp8.read_descriptor(payload)
        key = descriptor.begins_key_frame
        rid = payload[-1:].decode()
        self.out.append(Sent(marker, sequence, timestamp, descriptor, rid, key, now))

    def forget(self, slot: SlotSender) -> None:
        """Nothing waits here."""


class Size:
    """Frames of two packets, every second one in a higher temporal layer, from any point of the
    number spaces; the clocks of all sizes tell the same time."""

    def __init__(self, source: Source, chance: random.Random) -> None:
        self.source = source
        self.sequence, self.stamp = chance.randrange(1 << 16), chance.randrange(1 << 32)
        self.picture, self.tl0 = chance.randrange(1 << 15), chance.randrange(256)

    def report(self, now: float) -> None:
        stamp = (self.stamp + round(now * 90000)) & 0xFFFFFFFF
        self.source.note_sender_info(SenderInfo(int(now * (1 << 32)), stamp, 0, 0), now)

    def shoot(self, number: int, now: float, *, key: bool) -> None:
        temporal = 0 if key else number % 2
        self.picture = (self.picture + 1) & 0x7FFF
        self.tl0 = (self.tl0 + (not temporal)) & 0xFF
        stamp = (self.stamp + round(now * 90000)) & 0xFFFFFFFF
        for index in range(2):
            self.sequence = (self.sequence + 1) & 0xFFFF
            head = struct.pack("!BBHLL", 0x80, 96, self.sequence, stamp, 1)
            body = layered.vp8(
                self.picture, self.tl0, temporal, first=not index, key=key, sync=number % 4 == 1
            )
            rid = (self.source.rid or "-").encode()
            marker = 0x80 * index
            self.source.receive(head + body + rid, 12, marker, self.sequence, stamp, now)


def camera(chance: random.Random) -> tuple[Source, list[Size]]:
    source = Source("amina", "1", "video", 96)
    for rid in layered.RIDS:
        source.layers.append(Source("amina", "3", "video", 96, rid=rid, camera=source))
    source.allow(wanted=True)
    return source, [Size(stream, chance) for stream in (source, *source.layers)]


turn = st.tuples(st.integers(0, 3), st.sampled_from([0, ALL_FRAMES]), st.integers(1, 14))


@settings(deadline=None)
@given(st.integers(0, 1 << 30), st.lists(turn, min_size=2, max_size=10), st.booleans())
def test_changes_of_size_and_fewer_frames_are_one_clean_stream(
    seed: int, turns: list[tuple[int, int, int]], reported: bool
) -> None:
    """Whatever is chosen when: numbers without a gap, time that goes on, pictures one after the
    other, and another size only from a key frame of it on."""
    chance = random.Random(seed)
    source, sizes = camera(chance)
    written = Written()
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    slot.attach(source)
    now, number = 100.0, 0
    for chosen, frames, count in turns:
        slot.turn_to(sizes[chosen].source)
        slot.choice.frames = frames
        slot.thin(frames)
        for step in range(count):
            now, number = now + 1 / 30, number + 1
            for size in sizes:
                if reported and number % 10 == 1:
                    size.report(now)
                size.shoot(number, now, key=step == 3 or number == 1)
    check(written.out)
    if reported:
        for before, after in pairwise(written.out):
            elapsed = round((after.now - before.now) * 90000)
            assert abs(((after.timestamp - before.timestamp) & 0xFFFFFFFF) - elapsed) <= 3002


def check(out: list[Sent]) -> None:
    for before, after in pairwise(out):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        step = (after.timestamp - before.timestamp) & 0xFFFFFFFF
        same = step == 0
        assert step < 90000 * 8
        assert same or before.marker or after.key, "a frame ends before the next begins"
        pictures = (after.descriptor.picture_id - before.descriptor.picture_id) & 0x7FFF
        assert pictures == (not same)
        moved = (after.descriptor.tl0 - before.descriptor.tl0) & 0xFF
        assert moved == (not same and after.descriptor.temporal == 0)
        assert after.key or after.rid == before.rid


def test_fewer_frames_go_whole_and_come_back_where_nothing_is_missing() -> None:
    source, sizes = camera(random.Random(3))
    written = Written()
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    slot.attach(source)
    for number in range(40):
        if number == 10:
            slot.choice.frames = 0
            slot.thin(0)
        elif number == 20:
            slot.choice.frames = ALL_FRAMES
            slot.thin(ALL_FRAMES)
        sizes[0].shoot(number, 10 + number / 30, key=number == 0)
    check(written.out)
    higher = [one for one in written.out if one.descriptor.temporal]
    assert not [one for one in higher if 10 + 10 / 30 <= one.now < 10 + 20 / 30]
    back = next(one for one in higher if one.now >= 10 + 20 / 30)
    assert back.descriptor.synchronises


def test_the_present_size_goes_on_until_the_next_has_a_key_frame() -> None:
    source, sizes = camera(random.Random(4))
    written = Written()
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    slot.attach(source)
    slot.turn_to(sizes[3].source)
    for number in range(10):
        for size in (sizes[1], sizes[3]):
            size.shoot(number, 10 + number / 30, key=number == 0)
    slot.turn_to(sizes[1].source)
    assert sizes[1].source.key_frames.due(11, 0.05)
    for number in range(10, 20):
        for size in (sizes[1], sizes[3]):
            size.shoot(number, 10 + number / 30, key=number == 15)
    check(written.out)
    assert [one.rid for one in written.out] == ["f"] * 30 + ["q"] * 10
    assert not sizes[3].source.slots, "what nobody sees goes nowhere"


# Choices


@pytest.mark.parametrize(
    ("shares", "ranks"),
    [
        ([(0, 90_000)], [0]),
        ([(0, 300_000)], [1]),
        ([(0, 2_000_000)], [2]),
        ([(0, 2_000_000), (1, 630_000), (2, 400_000), (3, 100_000)], [2, 2, 1, 0]),
        ([(0, 90_000), (1, 900_000), (5, 900_000), (6.5, 900_000)], [0, 0, 0, 2]),
        ([(0, 90_000), (1, 900_000), (3, 210_000), (7, 900_000)], [0, 0, 0, 0]),
    ],
)
def test_a_size_is_left_at_once_and_taken_after_a_while(
    shares: list[tuple[float, int]], ranks: list[int]
) -> None:
    choice = Choice()
    assert [choice.take_size(share, 100 + at) for at, share in shares] == ranks


def test_frames_are_the_first_to_go_and_come_back_after_a_while() -> None:
    choice = Choice()
    steps = [(0, 140_000), (1, 120_000), (2, 140_000), (3, 160_000), (5, 160_000), (6.1, 160_000)]
    frames = [choice.take_frames(share, 150_000, 100 + at) for at, share in steps]
    assert frames == [ALL_FRAMES, 0, 0, 0, 0, ALL_FRAMES]


@pytest.mark.parametrize(
    ("shares", "bits"),
    [
        ([], {}),
        ([(2, 1_500_000)], {}),
        ([(0, 60_000)], {}),
        ([(0, 60_000), (0, 90_000)], {}),
        ([(1, 640_000), (2, 700_000)], {}),
        ([(0, 60_000), (2, 3_000_000)], {0: 60_000, 2: 1_500_000}),
        ([(0, 60_000), (0, 190_000), (1, 300_000)], {0: 60_000, 1: 300_000}),
        ([(0, 0), (2, 900_000)], {0: 30_000, 2: 900_000}),
        ([(0, 0), (0, 140_000), (1, 300_000)], {0: 140_000, 1: 300_000}),
        ([(0, 5_000), (1, 300_000), (2, 900_000)], {0: 30_000, 1: 300_000, 2: 900_000}),
    ],
)
def test_several_sizes_are_wanted_only_where_people_cannot_take_the_same(
    shares: list[tuple[int, int]], bits: Bits
) -> None:
    wanted = Wanted()
    wanted.settle(shares, 100.0)
    assert wanted.bits == bits


def test_one_stream_is_wanted_again_when_all_have_been_alike_for_a_while() -> None:
    wanted = Wanted()
    wanted.settle([(0, 60_000), (2, 900_000)], 100.0)
    assert wanted.news(100.0, flowing=False) == {0: 60_000, 2: 900_000}
    assert wanted.news(100.2, flowing=False) is None
    wanted.settle([(2, 900_000)], 101.0)
    assert wanted.news(101.0, flowing=True) == {2: 900_000}, "the small one is off at once"
    wanted.settle([(2, 900_000)], 110.0)
    assert wanted.bits
    wanted.settle([(2, 900_000)], 111.1)
    assert wanted.news(111.1, flowing=True) == {}
    assert wanted.news(112.0, flowing=True) is None
    assert wanted.news(117.0, flowing=True) == {}, "what may have been lost is said again"
    assert wanted.news(123.0, flowing=False) is None


def test_somebody_is_sent_the_best_that_comes_and_is_right_for_them() -> None:
    source, (one, small, middle, large) = camera(random.Random(5))

    def shoot(size: Size, since: float, until: float) -> None:
        for number in range(round(since * 30), round(until * 30)):
            size.shoot(number, number / 30, key=number == round(since * 30))

    shoot(one, 10, 10.3)
    assert present(source, 2, 10.3) is source
    shoot(small, 10.1, 10.6)
    shoot(large, 10.1, 10.4)
    assert present(source, 2, 10.5) is large.source
    assert present(source, 1, 10.5) is small.source
    shoot(small, 10.6, 11.2)
    assert present(source, 2, 11.2) is small.source, "the large one has stopped"
    assert present(source, 2, 12.0) is source
    shoot(middle, 12, 12.2)
    assert present(source, 0, 12.2) is middle.source, "better than nothing"
    shoot(middle, 12.2, 13)
    shoot(one, 12.7, 12.72)
    assert present(source, 2, 13) is middle.source, "one frame is not a picture that moves"
    shoot(one, 13.4, 13.6)
    assert present(source, 2, 13.5) is source, "the browser has gone back to one stream"


# A room


async def test_in_a_room_of_three_a_thin_link_does_not_hold_the_other(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    amina = LayeredPeer(server, "room", "amina")
    fat, thin = PacketPeer(server, "room", "fat"), PacketPeer(server, "room", "thin")
    chance = random.Random(8)

    def asked() -> dict[str, int]:
        told = [e for e in events if isinstance(e, LayersWanted) and e.peer_id == "amina"]
        amina.sizes = told[-1].layers if told else {}
        return dict(amina.sizes)

    await amina.enter()
    amina.play()
    await fat.enter()
    fat.packets = []
    await until(lambda: shown(fat) == "-" and server.estimate("room", "fat") > 1_500_000, 20)
    assert not asked(), "one viewer, one stream"
    sink = Memory()
    server.record("room", sink, ["amina"])
    async with relay_to(amina.address[0], server.port) as relay:
        relay.down.rate = 300_000
        await thin.enter(to=relay.address)
        thin.packets = []
        await until(lambda: "q" in asked() and shown(thin) == "q" and shown(fat) == "f", 20)
        amina.loses = lambda: chance.random() < 0.02
        await until(lambda: asked().keys() == {"q", "f"} and len(amina.nacks) > 10, 20)
        amina.loses = lambda: False
        counted = len(fat.packets)
        await until(lambda: len(fat.packets or ()) > counted + 200 and asked(), 20)
        assert {shown(fat), shown(thin)} == {"f", "q"}
        await until(lambda: not missing(fat, "5"), 3)
        thin.kill()
        server.leave("room", "thin")
    await until(lambda: not asked() and shown(fat) == "-", 20)
    counted = len(fat.packets)
    await until(lambda: len(fat.packets or ()) > counted + 50, 20)
    server.stop_recording("room")
    await until(lambda: sink.closed, 10)
    first, *between, last = recorded(sink)  # the largest that comes, each time a track of its own
    assert (first, between[-1], last) == ("-", "f", "-")
    assert set(between) <= {"h", "f"}
    amina.kill()
    fat.kill()


def recorded(sink: Memory) -> list[str]:
    """The size that each track of a recording holds, in their order."""
    tracks: dict[int, set[str]] = {}
    for packet in sink.packets():
        if packet.track.kind == "video":
            tracks.setdefault(packet.track.number, set()).add(packet.payload[-1:].decode())
    return ["".join(sizes) for _, sizes in sorted(tracks.items())]


def shown(peer: PacketPeer) -> str:
    """The size of the camera that a peer was sent last."""
    pictures = [plain for mid, plain in peer.packets or () if mid == "5"]
    return pictures[-1][-1:].decode() if pictures else ""
