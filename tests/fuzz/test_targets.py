"""The ways in of tests/fuzz, with some mutations of what is whole. `make fuzz` looks longer."""

import asyncio
import struct
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consultations.sfu import sctp
from consultations.sfu.sctp import DATA, HEARTBEAT, INIT, SACK
from tests.fuzz import world
from tests.fuzz.seeds import _chunk, _data, seeds
from tests.fuzz.targets import Target, framed, targets

SEEDS = seeds()
SLOW_SECONDS = 0.5  # an input of a datagram's or an offer's size takes a few milliseconds


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, Target]]:
    loop = asyncio.new_event_loop()
    yield targets(loop)
    loop.close()


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS[name])))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 12)))
        data[at:until] = draw(
            st.binary(max_size=8) | st.sampled_from([b"", bytes(2), b"\xff\xff", bytes(data[at:])])
        )
    return bytes(data)


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_whole_is_taken(name: str, ways: dict[str, Target]) -> None:
    for data in SEEDS[name]:
        ways[name](data)


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_mutated_is_taken_or_refused(name: str, ways: dict[str, Target]) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(mutated(name))
    def holds(data: bytes) -> None:
        ways[name](data)

    holds()


MANY = 2000  # as many as an offer has room for
SLOW = {
    "an SCTP parameter of length 0": ("sctp", framed(_chunk(INIT, bytes(16) + bytes(64)))),
    "an SCTP heartbeat of length 0": ("sctp", framed(_chunk(HEARTBEAT, bytes(64)))),
    "an SCTP gap over everything": (
        "sctp",
        framed(
            _chunk(
                SACK,
                struct.pack("!LLHH", world.NUMBER, 1, 340, 0) + struct.pack("!HH", 1, 65535) * 340,
            )
        ),
    ),
    "SCTP fragments that never end": (
        "sctp",
        framed(*(b"".join(_data(2 * n + 1, b"x", 51, 2) for n in range(64)) for _ in range(12))),
    ),
    "a great many formats": (
        "sdp",
        world.OFFER.replace(" 96 97", " 96 97" + " 9" * MANY).encode()
        + b"a=rtpmap:99 VP8/90000\r\n" * MANY,
    ),
    "a number of 5,000 digits": (
        "sdp",
        world.OFFER.replace("a=ssrc:604118680", "a=ssrc:" + "0" * 12 + "1" * 5000).encode(),
    ),
    "a stream number past its width": (
        "sdp",
        world.OFFER.replace("604118680", "000000000000999999999999").encode(),
    ),
    "extensions of padding alone": (
        "rtp",
        framed(*[b"\x90\x6f" + bytes(10) + b"\xbe\xde\x01\x5e" + bytes(1400)] * 12),
    ),
    "a compound of NACKs": (
        "rtcp",
        framed(
            *[struct.pack("!BBHLLHH", 129, 205, 3, 1, world.FIRST_SLOT + 2, 9, 65535) * 90] * 12
        ),
    ),
    "JSON in JSON in JSON": ("message", b"[" * 60_000),
}


@pytest.mark.parametrize("what", SLOW)
def test_what_is_made_to_be_slow_is_not(what: str, ways: dict[str, Target]) -> None:
    name, data = SLOW[what]
    start = time.process_time()
    ways[name](data)
    assert time.process_time() - start < SLOW_SECONDS


def test_a_number_that_is_not_the_next_keeps_little(ways: dict[str, Target]) -> None:
    assert _data(1)[0] == DATA
    ways["sctp"](framed(*[_data(ahead, b"x", 51, 2) for ahead in (1, 3, 600, 1 << 30)]))


def test_one_packet_asks_for_one_answer() -> None:
    """Each is a packet of its own: thirty-two in one would make a participant an amplifier."""
    packet = bytes(12) + _chunk(HEARTBEAT, b"\0\x01\0\x08abcd")
    sctp.check(packet, None)
    with pytest.raises(sctp.SctpInvalid):
        sctp.check(packet + _chunk(HEARTBEAT, b"\0\x01\0\x08abcd"), None)
