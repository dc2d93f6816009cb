"""What is fuzzed: one function for each way in. A fault is whatever one of them raises, or the
time and memory that it takes.

Packets come several in one input, so that what an earlier one leaves behind is met by a later one
and an input alone says everything: two bytes of length, then the packet.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial

from google_crc32c import value as crc32c

from consultations.messages import BadMessage, parse
from consultations.sfu.answer import ServerFacts, write_answer
from consultations.sfu.events import SdpRefused
from consultations.sfu.ice import Credentials
from consultations.sfu.room import Room
from consultations.sfu.sctp import INIT
from consultations.sfu.sdp import parse_offer
from consultations.sfu.stun import StunInvalid, binding_response, parse_binding_request
from tests.fuzz import world

MAX_PACKETS = 12
Target = Callable[[bytes], None]


def framed(*packets: bytes) -> bytes:
    return b"".join(len(packet).to_bytes(2) + packet for packet in packets)


def packets(data: bytes) -> Iterator[bytes]:
    position = 0
    for _ in range(MAX_PACKETS):
        size = int.from_bytes(data[position : position + 2]) & 0x7FF
        packet = data[position + 2 : position + 2 + size]
        if not packet:
            return
        yield packet
        position += 2 + size


def sdp(data: bytes) -> None:
    """Reading, taking over, answering, and the reports that name what was offered."""
    try:
        offer = parse_offer(data.decode("utf-8", "replace"))
    except SdpRefused:
        return
    room = Room("room", lambda event: None)
    try:
        peer = world.peer("amina", room, offer)
        outgoing = peer.negotiated(offer)
    except SdpRefused:
        return
    facts = ServerFacts("AA", ("192.0.2.1",), 5000)
    answer = write_answer(offer, 1, Credentials("u", "p", offer.ice_ufrag), facts, outgoing)
    assert answer.count("\r\nm=") == len(offer.sections)
    assert "\n" not in answer.replace("\r\n", "")
    now = time.monotonic()
    for source in peer.sources.values():
        source.key_frames.wanted = True
        source._highest, source._missing = 9, {8: [now - 1, 0, 0.0]}
    peer.tick(now)
    room.review(now)


async def rtp(data: bytes) -> None:
    """Packets of amina's, forwarded to youssef."""
    room, amina, youssef = world.two()
    now = time.monotonic()
    for packet in packets(data):
        if len(packet) >= 12:  # libsrtp gives out nothing shorter
            now += 0.02
            amina.on_rtp(packet, now)
    for peer in (amina, youssef):
        peer.tick(now + 1)
    room.review(now + 1)


async def rtcp(data: bytes) -> None:
    """Reports of amina's, who watches youssef."""
    room, amina, youssef = world.two()
    now = time.monotonic()
    for slot in amina.slots.values():
        for number in range(40):
            amina.downlink.estimator.sent(number, 200, now)
            slot.history.keep((number, number * 960, 0, bytes(100), now))
    for packet in packets(data):
        if len(packet) >= 8:
            now += 0.02
            amina.on_rtcp(packet, now)
    for peer in (amina, youssef):
        peer.tick(now + 1)
    room.review(now + 1)
    amina.downlink.close()


def stun(data: bytes) -> None:
    try:
        request = parse_binding_request(data)
    except StunInvalid:
        return
    assert not request.signed_with("a password that nobody knows")
    assert len(binding_response(request, "password", ("192.0.2.1", 5000))) < len(data) + 100


async def sctp(data: bytes) -> None:
    """Chunks, to which header and checksum are added: they cost an attacker nothing."""
    association = world.association()
    for chunks in packets(data):
        tag = 0 if chunks[0] == INIT else world.TAG
        header = b"\x13\x88\x13\x88" + tag.to_bytes(4)
        checksum = crc32c(header + bytes(4) + chunks).to_bytes(4, "little")
        await association._handle_data(header + checksum + chunks)
    assert sum(len(stream.reassembly) for stream in association._inbound_streams.values()) < 2000
    assert len(association._data_channels) == 1
    await association.stop()
    association._t3_cancel()
    association._reconfig_timer_cancel()


def message(data: bytes) -> None:
    try:
        parse(data.decode("utf-8", "surrogatepass"))
    except (BadMessage, UnicodeDecodeError):
        return


def _on_a_loop(target: Callable[[bytes], object], loop: asyncio.AbstractEventLoop) -> Target:
    return lambda data: loop.run_until_complete(target(data))  # type: ignore[arg-type]


def targets(loop: asyncio.AbstractEventLoop) -> dict[str, Target]:
    on_a_loop = partial(_on_a_loop, loop=loop)
    return {
        "sdp": sdp,
        "rtp": on_a_loop(rtp),
        "rtcp": on_a_loop(rtcp),
        "stun": stun,
        "sctp": on_a_loop(sctp),
        "message": message,
    }
