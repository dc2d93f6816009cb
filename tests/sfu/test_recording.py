"""What a recording takes, whom it never takes, and that a call never waits for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from consultations.sfu import AnyEvent, MediaServer, RecordingClosed, RecordingStopped, record
from tests.sfu.memory import Memory
from tests.sfu.peer import PacketPeer, picture, voice


@pytest.fixture
async def three(server: MediaServer) -> AsyncIterator[list[PacketPeer]]:
    """Amina and Youssef, who agreed, and Moha, who did not; all send picture and voice."""
    people = [PacketPeer(server, "room", name) for name in ("amina", "youssef", "moha")]
    for one in people:
        await one.enter()
        one.play()
    yield people
    for one in people:
        await one.leave()


async def until(events: list[AnyEvent], kind: type[AnyEvent]) -> AnyEvent:
    async with asyncio.timeout(10):
        while not any(isinstance(event, kind) for event in events):
            await asyncio.sleep(0.02)
    return next(event for event in events if isinstance(event, kind))


async def hears(peer: PacketPeer, packets: int = 60) -> None:
    enough = peer.received.total() + packets
    async with asyncio.timeout(10):
        while peer.received.total() < enough:
            await asyncio.sleep(0.02)


async def test_only_those_who_agreed_are_recorded(server, three, events):
    amina, youssef, moha = three
    sink = Memory()
    assert server.record("room", sink, ["amina", "youssef"])
    assert not server.record("room", Memory(), ["amina"])
    await hears(amina, 200)
    assert server.stop_recording("room")
    closed = await until(events, RecordingClosed)

    packets = sink.packets()
    assert closed == RecordingClosed("room", sink, "stopped")
    assert sink.closed
    assert {packet.track.peer_id for packet in packets} == {"amina", "youssef"}
    assert {packet.track.kind for packet in packets} == {"audio", "video"}
    heard = {amina.audio_ssrc, amina.video_ssrc, youssef.audio_ssrc, youssef.video_ssrc}
    assert {packet.track.ssrc for packet in packets} == heard
    raw = b"".join(sink.chunks)
    for ssrc in (moha.audio_ssrc, moha.video_ssrc, moha.video_ssrc + 1):
        assert ssrc.to_bytes(4) not in raw
    assert b"moha" not in raw
    assert all(0 <= packet.arrival < 30 for packet in packets)


async def test_payloads_are_those_that_were_sent(server, three, events):
    amina, *_ = three
    sink = Memory()
    server.record("room", sink, ["amina"])
    await hears(three[1], 120)
    server.stop_recording("room")
    await until(events, RecordingClosed)

    spoken = {packet.payload for packet in sink.packets() if packet.track.kind == "audio"}
    assert spoken
    assert spoken <= set(voice())
    seen = [packet for packet in sink.packets() if packet.track.kind == "video"]
    sent = {part for frame in picture() for part in frame}
    assert {packet.payload[4:] for packet in seen} <= sent
    assert seen[0].track.ssrc == amina.video_ssrc


async def test_nothing_is_taken_after_the_stop(server, three, events):
    sink = Memory()
    server.record("room", sink, ["amina", "youssef"])
    await hears(three[0])
    server.stop_recording("room")
    await until(events, RecordingClosed)
    before = len(sink.packets())
    await hears(three[0])

    assert len(sink.packets()) == before


async def test_who_is_no_longer_allowed_is_left_out_and_who_comes_back_is_kept(
    server, three, events
):
    sink = Memory()
    server.record("room", sink, ["amina", "youssef"])
    await hears(three[1])
    server.allow_recording("room", ["youssef"])
    again = PacketPeer(server, "room", "youssef")
    await again.enter()
    again.play()
    await hears(three[0])
    server.stop_recording("room")
    await until(events, RecordingClosed)
    await again.leave()

    packets = sink.packets()
    youssefs = {p.track.ssrc for p in packets if p.track.peer_id == "youssef"}
    assert {again.audio_ssrc, again.video_ssrc} <= youssefs
    last = max(p.arrival for p in packets if p.track.peer_id == "amina")
    assert last < max(p.arrival for p in packets) - 0.3


async def test_who_is_muted_is_not_recorded(server, three, events):
    sink = Memory()
    server.mute("room", "amina", "audio", True)
    server.permit("room", "youssef", send=False, receive=True)
    server.record("room", sink, ["amina", "youssef"])
    await hears(three[1])
    server.stop_recording("room")
    await until(events, RecordingClosed)

    assert {(p.track.peer_id, p.track.kind) for p in sink.packets()} == {("amina", "video")}


async def test_when_the_sink_cannot_keep_up_the_recording_ends_and_the_call_goes_on(
    server, three, events, monkeypatch
):
    monkeypatch.setattr(record, "CHUNK", 2_000)
    monkeypatch.setattr(record, "MAX_WAITING", 4)
    sink = Memory()
    sink.free.clear()
    server.record("room", sink, ["amina", "youssef"])

    assert await until(events, RecordingStopped) == RecordingStopped("room", sink, "overload")
    await hears(three[0])
    assert not [event for event in events if isinstance(event, RecordingClosed)]
    sink.free.set()
    assert await until(events, RecordingClosed) == RecordingClosed("room", sink, "overload")
    assert len(sink.chunks) == 4
    assert sink.packets()


async def test_a_sink_that_fails_ends_the_recording_alone(server, three, events):
    sink = Memory(fails=True)
    server.record("room", sink, ["amina"])

    assert await until(events, RecordingStopped) == RecordingStopped("room", sink, "storage")
    assert await until(events, RecordingClosed) == RecordingClosed("room", sink, "storage")
    await hears(three[0])
    assert server.record("room", Memory(), ["amina"]), "another may begin"


async def test_it_ends_with_the_room(server, three, events):
    sink = Memory()
    server.record("room", sink, ["amina"])
    await hears(three[1])
    server.end_room("room")

    assert await until(events, RecordingClosed) == RecordingClosed("room", sink, "empty")
    assert sink.packets()


def test_a_torn_end_is_left_out_and_rubbish_is_refused():
    assert list(record.read([b"\x00"])) == []
    with pytest.raises(record.Malformed):
        list(record.read([b"\x00\x01\x09x"]))
    with pytest.raises(record.Malformed):
        list(record.read([b"\x00\x02\x02xx"]))
