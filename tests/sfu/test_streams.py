"""What a viewer's slot carries: one unbroken stream, whoever is mapped in and whatever is lost."""

import asyncio
import random
import struct

from hypothesis import given
from hypothesis import strategies as st

from consultations.sfu import MediaServer, rtcp, vp8
from consultations.sfu.forward import SlotSender
from consultations.sfu.source import Source
from tests.sfu.peer import PacketPeer
from tests.sfu.test_hostile_packets import two
from tests.sfu.test_sessions import until


class Written:
    """A downlink that writes down instead of sending."""

    def __init__(self) -> None:
        self.out: list[tuple[int, int, vp8.Descriptor]] = []

    def send_media(
        self,
        slot: SlotSender,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        self.out.append((sequence, timestamp, vp8.read_descriptor(payload)))

    def forget(self, slot: SlotSender) -> None:
        """Nothing waits here."""


class Camera:
    """Frames of one packet, from any point of the number spaces."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.source = Source(name, "1", "video", 96)
        self.source.open = True
        self.sequence, self.timestamp = chance.randrange(1 << 16), chance.randrange(1 << 32)
        self.picture, self.tl0 = chance.randrange(1 << 15), chance.randrange(256)

    def frame(self, now: float, *, key: bool) -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF
        self.picture, self.tl0 = (self.picture + 1) & 0x7FFF, (self.tl0 + 1) & 0xFF
        head = struct.pack("!BBHLL", 0x80, 96, self.sequence, self.timestamp, 1)
        descriptor = struct.pack("!BBHBB", 0x90, 0xE0, 0x8000 | self.picture, self.tl0, 0)
        body = descriptor + (b"\0" if key else b"\1") + b"frame"
        self.source.receive(head + body, 12, 0x80, self.sequence, self.timestamp, now)


@given(
    st.integers(0, 1 << 30),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12)), min_size=2, max_size=8),
)
def test_a_change_of_source_is_seen_as_one_stream(seed: int, turns: list[tuple[int, int]]) -> None:
    chance = random.Random(seed)
    cameras = [Camera(str(number), chance) for number in range(3)]
    written = Written()
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    now = 100.0
    for chosen, frames in turns:
        slot.attach(cameras[chosen].source)
        for number in range(frames):
            now += 1 / 30
            for camera in cameras:
                camera.frame(now, key=number in (0, 4))
    assert slot.packets == len(written.out)
    for before, after in zip(written.out, written.out[1:], strict=False):
        assert (after[0] - before[0]) & 0xFFFF == 1
        assert 0 < (after[1] - before[1]) & 0xFFFFFFFF < 90000 * 15
        assert (after[2].picture_id - before[2].picture_id) & 0x7FFF == 1
        assert (after[2].tl0 - before[2].tl0) & 0xFF == 1


def test_a_new_source_waits_for_its_key_frame() -> None:
    camera, written = Camera("amina", random.Random(1)), Written()
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    slot.attach(camera.source)
    camera.frame(1.0, key=False)
    assert not written.out
    assert camera.source.key_frames.due(1.0, 0.05)
    assert not camera.source.key_frames.due(1.1, 0.05), "asked for a moment ago"
    camera.frame(1.2, key=True)
    assert len(written.out) == 1


def test_numbers_go_on_for_longer_than_their_circle() -> None:
    camera, written = Camera("amina", random.Random(2)), Written()
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    slot.attach(camera.source)
    for number in range(70_000):
        camera.frame(number / 30, key=number == 0)
    assert len(written.out) == 70_000


@given(
    st.lists(
        st.tuples(st.sampled_from(["come", "lose", "late", "pad", "repair"]), st.integers(0, 9))
    )
)
def test_no_number_is_used_twice(events: list[tuple[str, int]]) -> None:
    """Whatever is lost, repaired, padded or late: a number encrypted twice would be one nonce for
    two texts."""
    source, written = Source("amina", "1", "video", 96), Written()
    source.open, source.rtx_ssrc = True, 2
    slot = SlotSender(written, "1", "video", 1, 2)  # type: ignore[arg-type]
    slot.attach(source)
    sequence, held = 65_530, list[int]()
    body = struct.pack("!BBHBB", 0x90, 0xE0, 0x8000, 0, 0) + b"\0frame"
    for number, (event, which) in enumerate(events):
        now = 10 + number / 100
        if event in ("late", "repair"):
            if held:
                old = held[which % len(held)]
                if event == "late":
                    held.remove(old)  # the decryption lets no datagram through twice
                    source.receive(_rtp(old, body), 12, 0, old, 0, now)
                else:
                    source.receive_repair(_rtp(0, old.to_bytes(2) + body), 12, 0, 0, now)
            continue
        sequence = (sequence + 1) & 0xFFFF
        if event == "lose":
            held.append(sequence)
        else:
            source.receive(
                _rtp(sequence, body if event == "come" else b""), 12, 0, sequence, 0, now
            )
    numbers = [out[0] for out in written.out]
    assert len(numbers) == len(set(numbers))


def _rtp(sequence: int, payload: bytes) -> bytes:
    return struct.pack("!BBHLL", 0x80, 96, sequence, 0, 1) + payload


def test_a_payload_too_long_to_be_passed_on_is_dropped() -> None:
    source, written = Source("amina", "1", "audio", 111), Written()
    source.open = True
    SlotSender(written, "1", "video", 1, 2).attach(source)  # type: ignore[arg-type]
    source.receive(_rtp(1, bytes(1301)), 12, 0, 1, 0, 1.0)
    assert source.bytes == 1313
    assert not written.out


async def test_a_publishers_loss_is_asked_for_and_repaired(server: MediaServer) -> None:
    amina, youssef = await two(server)
    youssef.packets = []
    chance = random.Random(5)
    amina.loses = lambda: chance.random() < 0.1
    await until(lambda: len(amina.nacks) > 20)
    amina.loses = lambda: False
    await until(lambda: len(youssef.packets or ()) > 200)
    await until(lambda: not missing(youssef, "5"))
    await until(lambda: amina.worst_loss > 0)
    assert len(amina.nacks) < 60, "a repaired packet is not asked for again and again"
    amina.kill()
    youssef.kill()


def missing(peer: PacketPeer, mid: str) -> set[int]:
    """Sequence numbers that a slot's stream skips."""
    numbers = [int.from_bytes(plain[2:4]) for slot, plain in peer.packets or () if slot == mid]
    first, span = numbers[0], (numbers[-1] - numbers[0]) & 0xFFFF
    return {(first + step) & 0xFFFF for step in range(span)} - set(numbers)


async def test_uplink_loss_is_not_blamed_on_a_viewers_link(server: MediaServer) -> None:
    amina, youssef = await two(server)
    await until(lambda: server.estimate("room", "youssef") > 1_000_000, 30)
    before = server.estimate("room", "youssef")
    chance = random.Random(6)
    amina.loses = lambda: chance.random() < 0.1
    await until(lambda: len(amina.nacks) > 40)
    # A moment in which this machine stood still may have cost some of it: it must come back while
    # the publisher's link goes on losing.
    await until(lambda: server.estimate("room", "youssef") >= 0.9 * before, 30)
    amina.kill()
    youssef.kill()


async def test_many_who_ask_for_key_frames_are_one_request(server: MediaServer) -> None:
    amina = PacketPeer(server, "room", "amina")
    await amina.enter()
    amina.play()
    viewers = [PacketPeer(server, "room", f"viewer{number}") for number in range(5)]
    begun = asyncio.get_running_loop().time()
    for viewer in viewers:
        await viewer.enter()
    await until(lambda: all(viewer.received["5"] > 10 for viewer in viewers))
    for _ in range(100):
        for viewer in viewers:
            ssrc = next(ssrc for ssrc, mid in viewer.mids.items() if mid == "5")
            viewer.send(viewer.dtls._tx_srtp.protect_rtcp(rtcp.write_pli(ssrc)))
        await asyncio.sleep(0.01)
    seconds = asyncio.get_running_loop().time() - begun
    assert 1 <= amina.key_frames_asked <= 2 * seconds + 1
    for peer in (amina, *viewers):
        peer.kill()
