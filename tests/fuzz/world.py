"""Sessions without a network: what is behind decryption, for packets that pass as authentic."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from consultations.sfu.config import MediaConfig
from consultations.sfu.data import DataChannel
from consultations.sfu.mux import Mux
from consultations.sfu.peer import Callbacks, Peer
from consultations.sfu.room import Room
from consultations.sfu.sdp import Offer, parse_offer

OFFERS = Path(__file__).parent.parent / "sfu" / "offers"
OFFER = (OFFERS / "chromium.sdp").read_bytes().decode()
CONFIG = MediaConfig()
# What the packets of the corpus name: the streams of amina's slots, and SCTP's number and tag.
FIRST_SLOT = 0x534C4F00
TAG, NUMBER = 0x7A3ED8F5, 0x4F2A3624


@dataclass
class Path_:
    """A session's transport that is up and takes everything."""

    mux: Mux = field(default_factory=Mux)
    ready: bool = True
    heard: float = 0.0
    ice: Any = field(default_factory=lambda: SimpleNamespace(family="ipv4", last_check=0.0))

    def send_rtp(self, packet: bytes) -> int:
        return len(packet)

    def send_rtcp(self, compound: bytes) -> None:
        assert len(compound) % 4 == 0

    def repeat_later(self, seconds: float) -> None: ...
    def refill(self, now: float) -> None: ...


def peer(name: str, room: Room, offer: Offer) -> Peer:
    """In the room, seen and seeing, as after the answer."""
    nothing = Callbacks(
        connected=lambda: None,
        disconnected=lambda peer, reason: None,
        path_changed=lambda: None,
        new_source=room.arrange,
        data=lambda message: None,
    )
    made = Peer(name, lambda owner: Path_(), nothing, CONFIG)  # type: ignore[arg-type,return-value]
    made.may_send = made.may_receive = True
    room.add(made)
    made.negotiated(offer)
    for number, slot in enumerate(made.slots.values()):
        slot.ssrc, slot.rtx_ssrc = FIRST_SLOT + 2 * number, FIRST_SLOT + 2 * number + 1
        made._slot_by_ssrc[slot.ssrc] = made._slot_by_ssrc[slot.rtx_ssrc] = slot
    room.arrange()
    return made


def two() -> tuple[Room, Peer, Peer]:
    room, offer = Room("room", lambda event: None), parse_offer(OFFER)
    return room, peer("amina", room, offer), peer("youssef", room, offer)


class _Dtls:
    """What SCTP asks of DTLS."""

    state = "connected"
    transport = SimpleNamespace(role="controlled")

    def _register_data_receiver(self, receiver: Any) -> None: ...
    def _unregister_data_receiver(self, receiver: Any) -> None: ...

    async def _send_data(self, data: bytes) -> None:
        await asyncio.sleep(0)


def association() -> DataChannel:
    """One that is up: the newest number that has come is NUMBER."""
    sctp = DataChannel(_Dtls(), lambda _message: None, lambda: None)  # type: ignore[arg-type]
    sctp._remote_port = 5000
    sctp._local_verification_tag = sctp._remote_verification_tag = TAG
    sctp._last_received_tsn = sctp._last_sacked_tsn = NUMBER
    sctp._set_state(sctp.State.ESTABLISHED)
    return sctp
