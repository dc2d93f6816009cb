"""What one participant pours on the media port costs nobody else a frame.

Two pairs of people, in the flooder's room and in another one, are watched for some seconds before
and during each flood.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterator

import pytest

from consultations.sfu import AnyEvent, MediaServer, PathChanged, PeerGone
from consultations.sfu.mux import Mux
from tests.sfu.gaps import assert_undisturbed
from tests.sfu.peer import PacketPeer
from tests.sfu.relay import udp_socket

SECONDS = 2.0


@pytest.fixture
async def others(server: MediaServer) -> AsyncIterator[list[PacketPeer]]:
    """Amina and Youssef in the room of the flood, Salma and Hicham in another."""
    people = [
        PacketPeer(server, room, name, slots=(2, 2))
        for room, name in (
            ("room", "amina"),
            ("room", "youssef"),
            ("next", "salma"),
            ("next", "hicham"),
        )
    ]
    for peer in people:
        await peer.enter()
        peer.play()
    yield people
    for peer in people:
        peer.kill()


async def flooded(flooder: PacketPeer, datagrams: list[bytes], *, elsewhere: bool = False) -> int:
    """Pours these into the port for some seconds, from the flooder's own socket or, `elsewhere`,
    from a new one of the same host; how many went out."""
    sock = udp_socket(flooder.address[0]) if elsewhere else flooder._socket
    host, port = flooder.address
    arguments = (str(sock.fileno()), host, str(port), str(SECONDS))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.sfu.flooder", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=[sock.fileno()],
    )
    out, _ = await process.communicate("\n".join(d.hex() for d in datagrams).encode())
    if elsewhere:
        sock.close()
    return int(out)


async def undisturbed_by(
    others: list[PacketPeer],
    flooder: PacketPeer,
    datagrams: list[bytes],
    *,
    elsewhere: bool = False,
) -> int:
    """How many datagrams the others were not disturbed by."""
    sent = 0

    async def flood() -> None:
        nonlocal sent
        sent += await flooded(flooder, datagrams, elsewhere=elsewhere)

    await assert_undisturbed(others, flood, SECONDS)
    return sent


async def test_a_flood_of_checks_from_ones_own_address(
    server: MediaServer, others: list[PacketPeer], events: list[AnyEvent]
) -> None:
    flooder = PacketPeer(server, "room", "brahim", slots=(2, 2))
    await flooder.enter()
    sent = await undisturbed_by(others, flooder, [flooder.binding_request() for _ in range(50)])
    assert server.statistics().drops["stun_rate"] > 0.8 * sent
    assert not [e for e in events if isinstance(e, PeerGone | PathChanged)]
    flooder.kill()


async def test_a_flood_of_checks_from_another_port_of_ones_host(
    server: MediaServer, others: list[PacketPeer], events: list[AnyEvent]
) -> None:
    flooder = PacketPeer(server, "room", "brahim", slots=(2, 2))
    await flooder.enter()
    wrong = [flooder.binding_request(password="wrong" * 6) for _ in range(50)]
    sent = await undisturbed_by(others, flooder, wrong, elsewhere=True)
    assert server.statistics().drops["stun_rate"] > 0.8 * sent
    assert not [e for e in events if isinstance(e, PeerGone | PathChanged)]
    flooder.kill()


def test_a_flood_of_one_hosts_checks_leaves_newcomers_theirs() -> None:
    """In one second more than all hosts together may: the newcomer's first is not refused."""
    mux = Mux()
    flooder, newcomer = (
        struct.pack("!HH4s", socket.AF_INET, 5000, socket.inet_aton(host))
        for host in ("198.51.100.7", "203.0.113.9")
    )
    passed = sum(mux.stranger_may_check(flooder, 1.0) for _ in range(20_000))

    assert passed == mux.stun_book.burst
    assert mux.stranger_may_check(newcomer, 1.0)


@pytest.mark.parametrize("connected", [False, True])
async def test_a_flood_of_hellos(
    server: MediaServer, others: list[PacketPeer], events: list[AnyEvent], connected: bool
) -> None:
    """In the middle of a handshake, and again and again on a session that is up."""
    hellos = await hellos_of(server)
    flooder = PacketPeer(server, "room", "brahim", slots=(2, 2))
    await flooder.signal()
    await flooder.check()
    if connected:
        await flooder.shake_hands()
    sent = await undisturbed_by(others, flooder, hellos)
    assert server.statistics().drops["dtls_rate"] > 0.8 * sent
    gone = {e.peer_id for e in events if isinstance(e, PeerGone)}
    assert gone <= {"brahim", "hello"}
    assert "exception" not in server.statistics().drops
    flooder.kill()


async def test_a_flood_of_media(
    server: MediaServer, others: list[PacketPeer], events: list[AnyEvent]
) -> None:
    """A voice of thousands of packets a second, each whole and authentic."""
    flooder = PacketPeer(server, "room", "brahim", slots=(2, 2))
    await flooder.enter()
    flood: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flooder, "send", flood.append)
        for number in range(20_000):
            flooder.send_voice(number)
    sent = await undisturbed_by(others, flooder, flood)
    drops = server.statistics().drops
    assert drops["media_rate"] > 0.3 * sent
    assert drops["voice_rate"] > 0
    assert not [e for e in events if isinstance(e, PeerGone)]
    flooder.kill()


async def hellos_of(server: MediaServer, count: int = 20) -> list[bytes]:
    """What real handshakes begin with, each another."""
    hellos: list[bytes] = []
    for _ in range(count):
        peer = PacketPeer(server, "elsewhere", "hello", slots=(1, 1))
        await peer.signal()
        await peer.check()

        def keep(flight: bytes) -> list[bytes]:
            hellos.append(flight)
            return []

        peer.fragment = keep
        known, shaking = len(hellos), asyncio.create_task(peer.shake_hands())
        while len(hellos) == known:
            await asyncio.sleep(0)
        shaking.cancel()
        peer.kill()
    server.leave("elsewhere", "hello")
    return hellos
