"""The data channel beside the media: what comes through a cut, and what hostile senders get."""

import asyncio
import secrets

import pytest
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    WEBRTC_BINARY,
    DataChunk,
    tsn_plus_one,
)

from consultations.sfu import AnyEvent, DataReceived, MediaServer, PeerGone, data
from tests.sfu.conftest import Start
from tests.sfu.data_peer import DataPeer
from tests.sfu.test_sessions import until

LARGE = 40_000


def heard(events: list[AnyEvent]) -> list[bytes | str]:
    return [event.message for event in events if isinstance(event, DataReceived)]


@pytest.fixture
async def peer(server: MediaServer):
    amina = DataPeer(server, "room", "amina")
    await amina.enter()
    await amina.open_channel()
    yield amina
    amina.kill()


async def test_messages_come_whole_and_are_answered(peer, server, events):
    large = secrets.token_bytes(LARGE)
    peer.channel.send("مرحبا")
    peer.channel.send(large)
    await until(lambda: heard(events) == ["مرحبا", large])

    assert server.tell("room", "amina", "heard")
    await until(lambda: peer.said == ["heard"])


async def test_what_was_on_its_way_in_a_cut_comes_after_it(peer, events):
    sent = [secrets.token_bytes(LARGE) for _ in range(6)]
    for message in sent[:2]:
        peer.channel.send(message)
    await until(lambda: len(heard(events)) == 2)
    peer.is_cut = True
    for message in sent[2:]:
        peer.channel.send(message)
    await asyncio.sleep(1.5)  # of silence, in which the sender tries again
    assert len(heard(events)) < len(sent)
    peer.is_cut = False

    await until(lambda: heard(events) == sent, seconds=20)


async def test_a_channel_can_come_with_a_later_offer(server, events):
    """The answer to a renegotiation opens it in the session that goes on."""
    amina = DataPeer(server, "room", "amina")
    plain = amina.offer().split("m=application")[0].replace(" data\r\n", "\r\n")
    with_channel, amina.offer = amina.offer(), lambda: plain
    await amina.enter()
    await server.join("room", "amina", with_channel)
    await amina.open_channel()

    amina.channel.send("late")
    await until(lambda: heard(events) == ["late"])
    amina.kill()


async def test_another_channel_than_the_agreed_one_is_not_heard(peer, events):
    await peer.sctp._send(7, WEBRTC_BINARY, b"elsewhere")
    peer.channel.send("here")
    await until(lambda: heard(events) == ["here"])


def chunk(peer: DataPeer, tsn: int, flags: int = SCTP_DATA_FIRST_FRAG) -> DataChunk:
    made = DataChunk()
    made.tsn, made.flags, made.stream_id = tsn, flags, data.CHANNEL
    made.protocol, made.user_data = WEBRTC_BINARY, bytes(1100)
    return made


def channel_of(server: MediaServer) -> data.DataChannel:
    found = server._rooms["room"].peers["amina"].transport._data
    assert found is not None
    return found


async def test_a_message_without_an_end_fills_no_memory(peer, server, events):
    tsn, flags = peer.sctp._local_tsn, SCTP_DATA_FIRST_FRAG
    theirs = channel_of(server)
    for _ in range(400):
        await theirs._receive_data_chunk(chunk(peer, tsn, flags))
        tsn, flags = tsn_plus_one(tsn), 0

    assert sum(len(one.reassembly) for one in theirs._inbound_streams.values()) == 0
    assert heard(events) == []


async def test_what_leaves_gaps_is_kept_up_to_a_bound(peer, server):
    theirs = channel_of(server)
    for number in range(2, 3000, 2):
        await theirs._receive_data_chunk(chunk(peer, peer.sctp._local_tsn + number))

    kept = sum(len(one.reassembly) for one in theirs._inbound_streams.values())
    assert kept * 1100 <= data.WINDOW
    assert len(theirs._sack_misordered) <= data.MAX_AHEAD


async def test_chunks_that_break_the_library_end_no_session(peer, server, events):
    await channel_of(server)._handle_data(b"\x13\x88" * 40)
    theirs = channel_of(server)
    theirs._receive_chunk = None
    peer.channel.send("breaks")
    await until(lambda: server.statistics().drops.get("sctp_invalid", 0) > 1)

    assert not [event for event in events if isinstance(event, PeerGone)]


async def test_a_flood_is_dropped_before_it_is_decrypted(start: Start, events):
    server = await start()
    amina = DataPeer(server, "room", "amina")
    await amina.enter()
    for _ in range(3000):
        amina.send(b"\x17\xfe\xfd" + bytes(60))
        if _ % 50 == 0:
            await asyncio.sleep(0)
    await until(lambda: server.statistics().drops.get("dtls_backlog", 0) > 0)
    amina.kill()
