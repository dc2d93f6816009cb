"""Where a network lets no UDP through: a call through a relay over TLS, and the relay's death."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aioice.turn import TurnTransport, create_turn_endpoint

from consultations.ice_servers import ice_servers
from consultations.sfu import AnyEvent, MediaServer, PeerGone
from telemed.run.certificate import tls_context
from tests.sfu.conftest import Start
from tests.sfu.peer import PacketPeer
from tests.sfu.test_hostile_packets import more_packets
from tests.sfu.turn import Turn

SECRET = "a secret that coturn shares with Telemed"


@pytest.fixture
async def turn(tmp_path: Path, settings: Any) -> AsyncIterator[Turn]:
    server = Turn(SECRET)
    await server.start(tls_context(tmp_path, ["127.0.0.1"]))
    settings.TURN_SECRET = SECRET
    settings.TURN_URLS = [f"turns:127.0.0.1:{server.port}?transport=tcp"]
    yield server
    server.kill()


@pytest.fixture
async def server(start: Start) -> MediaServer:
    return await start(bind=("127.0.0.1",))


class RelayedPeer(PacketPeer):
    """Reaches the media server by a relay alone, until `check` is asked for another path."""

    relay: TurnTransport | None = None

    async def through(self, turn: Turn, credential: dict[str, Any]) -> None:
        """Joins by the relay; raises what the relay refuses with."""
        await self.signal()
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        peer = self

        class Inbound(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: Any) -> None:
                peer._take(data)

        self.relay, _ = await create_turn_endpoint(
            Inbound,
            ("127.0.0.1", turn.port),
            credential["username"],
            credential["credential"],
            ssl=trusting,
            transport="tcp",
        )
        while not self.stun_answered.is_set():
            self.send(self.binding_request())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stun_answered.wait(), 0.2)
        await self.shake_hands()

    def send(self, data: bytes) -> None:
        if self.relay is not None:
            self.relay.sendto(data, self.address)
        else:
            super().send(data)


def credential(name: str) -> dict[str, Any]:
    return dict(ice_servers(name, datetime.now(UTC))[-1])


async def test_a_call_through_tls_is_there_soon_and_outlives_the_relay(
    server: MediaServer, turn: Turn, events: list[AnyEvent]
) -> None:
    youssef = PacketPeer(server, "room", "youssef")
    await youssef.enter()
    youssef.play()
    amina = RelayedPeer(server, "room", "amina")
    async with asyncio.timeout(5):
        await amina.through(turn, credential("amina"))
        amina.play()
        await more_packets(amina, 10)
    await more_packets(youssef)
    assert turn.allocations == 1

    turn.kill()
    await asyncio.sleep(1.0)
    amina.relay = None
    await amina.check()  # a restart finds another way, within the session that was
    await asyncio.gather(more_packets(amina), more_packets(youssef))
    assert not [e for e in events if isinstance(e, PeerGone)]
    amina.kill()
    youssef.kill()


async def test_a_relay_lets_nobody_in_with_credentials_of_another(
    server: MediaServer, turn: Turn
) -> None:
    amina = RelayedPeer(server, "room", "amina")
    forged = credential("amina") | {"username": credential("youssef")["username"]}
    with pytest.raises(Exception, match="401"):
        await amina.through(turn, forged)
    assert turn.allocations == 0
    amina.kill()
