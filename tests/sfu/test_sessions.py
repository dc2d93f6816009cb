"""Permission, silence, replacement, the echo test and the end of sessions, packet by packet."""

import asyncio
from collections.abc import Callable

import pytest

from consultations.sfu import (
    AnyEvent,
    JoinRefused,
    MediaServer,
    PeerBack,
    PeerGone,
    PeerSilent,
    PeerStatistics,
    QualityChanged,
    SdpRefused,
    local_addresses,
)
from tests.sfu.conftest import Start
from tests.sfu.peer import PacketPeer
from tests.sfu.test_hostile_packets import more_packets, two


async def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def received(peer: PacketPeer, mid: str) -> int:
    """What has come to a peer, counted with what was on its way at this moment."""
    await asyncio.sleep(0)  # the server sends what it has put together
    peer._readable()
    return peer.received[mid]


async def test_nothing_flows_before_permission_or_after_its_end(server: MediaServer) -> None:
    amina, youssef = await two(server)
    server.permit("room", "amina", send=False, receive=True)
    heard = await received(youssef, "0")
    await more_packets(amina)
    assert youssef.received["0"] == heard
    server.permit("room", "amina", send=True, receive=True)
    await more_packets(youssef)
    amina.kill()
    youssef.kill()


async def test_a_mute_stops_one_kind_and_leaves_the_other(server: MediaServer) -> None:
    amina, youssef = await two(server)
    server.mute("room", "amina", "video", True)
    seen, heard = await received(youssef, "5"), youssef.received["0"]
    await until(lambda: youssef.received["0"] > heard + 25)
    assert youssef.received["5"] == seen
    server.mute("room", "amina", "video", False)
    await more_packets(youssef)
    amina.kill()
    youssef.kill()


async def test_who_wants_no_pictures_is_sent_none_and_hears_on(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    amina, youssef = await two(server)
    await more_packets(youssef)
    assert server.watch("room", "youssef", "none")
    await asyncio.sleep(0.3)  # a review is due each 200 ms
    seen, heard = await received(youssef, "5"), youssef.received["0"]
    await until(lambda: youssef.received["0"] > heard + 25)
    assert youssef.received["5"] == seen
    assert not [e for e in events if isinstance(e, QualityChanged) and e.level == "audio-only"]
    server.watch("room", "youssef", "all")
    await more_packets(youssef)
    amina.kill()
    youssef.kill()


async def test_silence_and_return_are_told(start: Start, events: list[AnyEvent]) -> None:
    server = await start(silence_seconds=0.6)
    amina, youssef = await two(server)
    await more_packets(youssef)
    tasks, amina._tasks = amina._tasks, []
    for task in tasks:
        task.cancel()
    await until(lambda: [e for e in events if isinstance(e, PeerSilent)], 3)
    amina.send(amina.binding_request())
    await until(lambda: [e for e in events if isinstance(e, PeerBack)], 3)
    assert {e.peer_id for e in events if isinstance(e, PeerSilent | PeerBack)} == {"amina"}
    amina.kill()
    youssef.kill()


async def test_who_sends_no_media_is_heard_by_signalling_and_missed_within_three_seconds(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    """With the limits that an installation has."""
    amina = PacketPeer(server, "room", "amina")
    await amina.enter()
    amina.kill()
    for _second in range(4):
        server.heard("room", "amina")
        await asyncio.sleep(1)
    assert not [e for e in events if isinstance(e, PeerSilent)]
    await until(lambda: [e for e in events if isinstance(e, PeerSilent)], 2.4)


async def test_a_dead_peer_is_forgotten(start: Start, events: list[AnyEvent]) -> None:
    server = await start(reap_seconds=1.0)
    amina = PacketPeer(server, "room", "amina")
    await amina.enter()
    amina.kill()
    await until(lambda: [e for e in events if isinstance(e, PeerGone)])
    assert events[-1] == PeerGone("room", "amina", "timeout")
    assert server.statistics().rooms == 0


async def test_a_newer_session_replaces_the_older(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    older, newer = (PacketPeer(server, "room", "amina") for _ in range(2))
    await older.enter()
    await newer.enter()
    assert PeerGone("room", "amina", "replaced") in events
    assert server.statistics().peers == 1
    older.kill()
    newer.kill()


async def test_the_echo_is_alone_and_ends_by_itself(
    server: MediaServer, events: list[AnyEvent]
) -> None:
    class Tester(PacketPeer):
        async def signal(self) -> None:
            self.server = self
            await super().signal()

        async def join(self, room: str, name: str, offer: str, **_: bool) -> str:
            return await server.echo(name, offer, seconds=3)

    amina, youssef = await two(server)
    tester = Tester(server, "room", "tester", slots=(1, 1))
    await tester.enter()
    tester.play()
    await until(lambda: tester.received["0"] > 10 and tester.received["1"] > 10)
    assert "tester" not in {slot.source_peer for slot in server.slots("room", "amina")}
    assert not server.permit("room", "tester", send=True, receive=True)
    await until(lambda: PeerGone("", "tester", "ended") in events)
    for peer in (tester, amina, youssef):
        peer.kill()


async def test_hands_are_shaken_before_a_pair_is_nominated(server: MediaServer) -> None:
    """Over a slow link Chromium nominates 2.5 s after its hello."""
    amina = PacketPeer(server, "room", "amina")
    amina.nominates = False
    await amina.enter()
    amina.kill()


async def test_where_hands_are_shaken_slowly_little_is_sent_at_first(server: MediaServer) -> None:
    guesses = {}
    for name, delay in (("near", 0.0), ("far", 0.3)):
        peer = PacketPeer(server, "room", name)
        peer.delay = delay
        await peer.enter()
        await until(lambda: server.statistics().states.get("connected") == 1)
        guesses[name] = server.estimate("room", name)
        peer.kill()
        server.leave("room", name)
    assert 100_000 <= guesses["far"] <= 210_000 < guesses["near"]


async def test_restarts_whose_answers_are_lost_keep_the_path_in_use(server: MediaServer) -> None:
    amina = PacketPeer(server, "room", "amina")
    await amina.enter()
    session = server._mux.by_ufrag[amina.remote_ufrag]
    offered = [session.offered(f"lost{number}").ufrag for number in range(3)]
    amina.stun_answered.clear()
    amina.send(amina.binding_request())
    await asyncio.wait_for(amina.stun_answered.wait(), 5)
    assert set(server._mux.by_ufrag) == {amina.remote_ufrag, offered[-1]}
    amina.kill()


async def test_offers_do_not_pile_up_slots(server: MediaServer) -> None:
    amina = PacketPeer(server, "room", "amina", slots=(20, 19))
    await amina.enter()
    others = " ".join(f"x{number}" for number in range(39))
    offer = amina.offer().replace("a=mid:", "a=mid:x").replace("BUNDLE", f"BUNDLE {others}")
    with pytest.raises(SdpRefused):
        await server.join("room", "amina", offer)
    amina.kill()


async def test_connection_tests_take_no_place_of_a_call(start: Start) -> None:
    server = await start(max_peers=2, max_echoes=2, max_handshakes=2)
    tests = [PacketPeer(server, "", name) for name in ("one", "two", "three")]
    for peer in tests[:2]:
        await server.echo(peer.name, peer.offer())
    with pytest.raises(JoinRefused) as refusal:
        await server.echo(tests[2].name, tests[2].offer())
    assert refusal.value.code == "full"

    amina = PacketPeer(server, "room", "amina")
    await amina.enter()
    amina.kill()


async def test_a_full_server_says_so(start: Start) -> None:
    server = await start(max_peers=1)
    await PacketPeer(server, "room", "amina").signal()
    with pytest.raises(JoinRefused) as refusal:
        await PacketPeer(server, "room", "youssef").signal()
    assert refusal.value.code == "full"


@pytest.mark.parametrize("version", [4, 6])
async def test_one_address_family_is_enough(start: Start, version: int) -> None:
    found = [a for a in (*local_addresses(), "::1") if (":" in a) == (version == 6)]
    server = await start(bind=(found[0],))
    amina, youssef = await two(server)
    assert amina.address[0] == found[0]
    await more_packets(amina)
    amina.kill()
    youssef.kill()


async def test_an_advertised_address_stands_for_the_bound_one(start: Start) -> None:
    server = await start(bind=("127.0.0.1",), advertised=("203.0.113.7",))
    peer = PacketPeer(server, "room", "amina")
    await peer.signal()
    assert peer.address == ("203.0.113.7", server.port)


async def test_answers_leave_from_the_address_that_was_asked(start: Start) -> None:
    server = await start(bind=("127.0.0.1", local_addresses()[0]))
    for host in ("127.0.0.1", local_addresses()[0]):
        peer = PacketPeer(server, "room", host)
        await peer.signal()
        peer.address = host, server.port
        await peer.check()
        peer._socket.connect(peer.address)  # from now on only that address is heard
        peer.send = peer._socket.send  # type: ignore[method-assign]
        await peer.shake_hands()
        peer.kill()


async def test_a_session_is_told_in_numbers_and_never_by_its_address(server: MediaServer) -> None:
    amina, youssef = await two(server)
    await more_packets(youssef)

    def told() -> PeerStatistics:
        found = server.peer_statistics("room", "youssef")
        assert found is not None
        return found

    await until(lambda: told().round_trip is not None)
    seen = told()
    assert (seen.family, seen.mode) == ("ipv4", "full")
    assert seen.bytes_up > 0
    assert seen.bytes_down > 0
    assert (seen.loss_up, seen.loss_down) == (0, 0)
    assert seen.round_trip is not None
    assert seen.round_trip < 1
    assert server.peer_statistics("room", "nobody") is None
    assert not any("127.0.0.1" in str(value) for value in vars(seen).values())
    amina.kill()
    youssef.kill()
