"""Datagrams from anybody and of any shape change nothing for a session that is up."""

import asyncio
import contextlib
import random
import struct

import pylibsrtp
import pytest

from consultations.sfu import AnyEvent, MediaServer, PathChanged, PeerGone, SdpRefused, ice
from tests.sfu.peer import PacketPeer
from tests.sfu.relay import udp_socket

JUNK = (
    b"",
    b"\x80",
    b"\x16" * 11,
    b"\x80" * 1700,
    b"\x16\xfe\xfd" + bytes(300),
    b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
    bytes(range(200)),
    b"\x80\x60" + bytes(60),
    b"\x80\xc8\x00\x06" + bytes(60),
)


async def two(server: MediaServer) -> tuple[PacketPeer, PacketPeer]:
    pair = PacketPeer(server, "room", "amina"), PacketPeer(server, "room", "youssef")
    for peer in pair:
        await peer.enter()
        peer.play()
    return pair


async def more_packets(peer: PacketPeer, count: int = 50) -> None:
    """Waits until a peer's voice and picture slots have both gone on."""
    start = {mid: peer.received[mid] for mid in ("0", "5")}
    async with asyncio.timeout(10):
        while any(peer.received[mid] < start[mid] + count / 2 for mid in start):
            await asyncio.sleep(0.02)


async def test_strangers_are_not_heard(server: MediaServer, events: list[AnyEvent]) -> None:
    amina, youssef = await two(server)
    with udp_socket(amina.address[0]) as stranger:
        for datagram in JUNK * 20:
            stranger.sendto(datagram, amina.address)
    await more_packets(amina)
    drops = server.statistics().drops
    assert drops["length"] >= 20
    assert drops["stranger"] >= 20
    assert drops["stun_invalid"] >= 20
    assert "exception" not in drops
    assert not [e for e in events if isinstance(e, PeerGone | PathChanged)]
    amina.kill()
    youssef.kill()


async def test_mutated_packets_of_a_peer_stop_at_its_own_session(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    amina, youssef = await two(server)
    chance = random.Random(3)
    good = amina.dtls._tx_srtp.protect(struct.pack("!BBHLL", 0x80, 111, 1, 1, 99) + bytes(80))
    for _ in range(500):
        datagram = bytearray(chance.choice((good, amina.binding_request(), *JUNK[2:3])))
        for _ in range(chance.randint(1, 6)):
            datagram[chance.randrange(len(datagram))] = chance.randrange(256)
        amina.send(bytes(datagram))
        amina.send(good)  # a replay, from the second time on
    await more_packets(youssef)
    assert "exception" not in server.statistics().drops
    assert not [e for e in events if isinstance(e, PeerGone)]
    amina.kill()
    youssef.kill()


@pytest.mark.parametrize("inner", ["rtp", "rtcp"])
async def test_authentic_nonsense_is_counted_and_dropped(server: MediaServer, inner: str) -> None:
    amina, youssef = await two(server)
    chance = random.Random(4)
    transmit = amina.dtls._tx_srtp
    for _ in range(300):
        body = bytes(chance.randrange(256) for _ in range(chance.randint(0, 80)))
        if inner == "rtp":
            sequence = amina._video_sequence = (amina._video_sequence + 1) & 0xFFFF
            first = chance.choice((0x80, 0x8F, 0x90, 0xA0, 0xB3))
            head = struct.pack("!BBHLL", first, 96, sequence, 5, amina.video_ssrc)
            with contextlib.suppress(pylibsrtp.Error):  # libsrtp itself refuses the worst
                amina.send(transmit.protect(head + body))
        else:
            words = bytes(-len(body) % 4)
            amina.send(transmit.protect_rtcp(b"\x81\xcd\x00\x02" + bytes(8) + body + words))
    await more_packets(youssef)
    assert "exception" not in server.statistics().drops
    amina.kill()
    youssef.kill()


async def test_a_check_with_a_wrong_password_moves_nothing(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    amina, youssef = await two(server)
    with udp_socket(amina.address[0]) as stranger:
        for _ in range(50):
            stranger.sendto(amina.binding_request(password="wrong" * 6), amina.address)
        amina.nominates = False
        stranger.sendto(amina.binding_request(), amina.address)
    await more_packets(amina)
    assert not [e for e in events if isinstance(e, PathChanged)]
    amina.kill()
    youssef.kill()


@pytest.mark.parametrize("nominates", [True, False])
async def test_whoever_nominates_or_sends_from_elsewhere_is_followed(
    server: MediaServer, events: list[AnyEvent], *, nominates: bool
) -> None:
    amina, youssef = await two(server)
    amina.nominates = nominates
    await amina.check()
    await more_packets(amina)
    await more_packets(youssef)
    assert [e.peer_id for e in events if isinstance(e, PathChanged)] == ["amina"]
    amina.kill()
    youssef.kill()


async def test_a_silent_pair_gives_way_to_one_that_is_checked(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    amina, youssef = await two(server)
    amina.fall_silent()
    amina.nominates = False
    await amina.check()
    assert not [e for e in events if isinstance(e, PathChanged)], "it was heard a moment ago"
    await asyncio.sleep(ice.LOST_SECONDS)
    amina.send(amina.binding_request())
    await more_packets(amina)
    assert [e.peer_id for e in events if isinstance(e, PathChanged)] == ["amina"]
    amina.kill()
    youssef.kill()


async def test_a_hello_in_fragments_is_put_together(server: MediaServer) -> None:
    peer = PacketPeer(server, "room", "amina")
    peer.fragment = fragments
    await peer.enter()
    peer.kill()


def fragments(flight: bytes) -> list[bytes]:
    """Cuts a DTLS handshake record into two (RFC 6347 section 4.2.3), others pass."""
    kind, version, epoch_sequence, size = struct.unpack_from("!BH8sH", flight)
    if kind != 22 or epoch_sequence[:2] != b"\0\0" or 13 + size != len(flight):
        return [flight]
    head, body = flight[13:25], flight[25:]
    middle = len(body) // 2
    parts = []
    for number, (start, end) in enumerate(((0, middle), (middle, len(body)))):
        message = head[:6] + start.to_bytes(3) + (end - start).to_bytes(3) + body[start:end]
        sequence = (int.from_bytes(epoch_sequence) * 2 + number).to_bytes(8)
        parts.append(struct.pack("!BH8sH", kind, version, sequence, len(message)) + message)
    return parts


async def test_an_offer_without_vp8_is_refused_in_words(server: MediaServer) -> None:
    offer = PacketPeer(server, "room", "amina").offer().replace("VP8", "H264")
    with pytest.raises(SdpRefused) as refusal:
        await server.join("room", "amina", offer)
    assert refusal.value.code == "no_vp8"
    assert server.statistics().peers == 0


async def test_nobodys_address_can_be_taken_over(server: MediaServer) -> None:
    """A check with the attacker's own credentials from a victim's address, as a forged one is."""
    amina, youssef = await two(server)
    attacker = PacketPeer(server, "next", "brahim", slots=(1, 1))
    await attacker.enter()
    for _ in range(20):
        amina.send(attacker.binding_request())
    await more_packets(youssef)
    await more_packets(amina)
    assert server.statistics().drops["stun_refused"] >= 20
    for peer in (amina, youssef, attacker):
        peer.kill()


async def test_a_hello_whose_part_was_lost_is_sent_again(server: MediaServer) -> None:
    peer = PacketPeer(server, "room", "amina")
    lost: list[bytes] = []

    def one_is_lost(flight: bytes) -> list[bytes]:
        parts = fragments(flight)
        if len(parts) == 2 and not lost:
            lost.append(parts.pop())
        return parts

    peer.fragment = one_is_lost
    await peer.enter()
    assert lost
    assert "dtls_rate" not in server.statistics().drops
    peer.kill()
