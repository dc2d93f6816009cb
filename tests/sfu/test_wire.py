"""Parsers and writers of wire formats: round trips, and nothing but their own errors on rubbish."""

import struct
from pathlib import Path

import pytest
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from consultations.sfu import SdpRefused, feedback, rtcp, rtp, vp8
from consultations.sfu.answer import ServerFacts, write_answer
from consultations.sfu.ice import Credentials
from consultations.sfu.sdp import parse_offer
from consultations.sfu.stun import StunInvalid, parse_binding_request

OFFERS = Path(__file__).parent / "offers"  # recorded from call.js
CHROMIUM_OFFER, FIREFOX_OFFER, *SIZED_OFFERS = (
    (OFFERS / f"{name}.sdp").read_bytes().decode()
    for name in ("chromium", "firefox", "chromium-sizes", "firefox-sizes")
)
rubbish = st.binary(max_size=400)


# RTP


@given(st.builds(bytes.__add__, st.binary(min_size=12, max_size=12), rubbish))
def test_any_rtp_header_is_read_or_refused(data: bytes) -> None:
    try:
        start = rtp.locate(data, 1, 2)[2]
        end = rtp.payload_end(data, start)
    except rtp.RtpInvalid:
        return
    assert 12 <= start <= end <= len(data)
    for ident in range(1, 15):
        assert rtp.find_extension(data, ident) < len(data)


def test_extensions_are_found_by_id() -> None:
    block = bytes([0x31, 0xAB, 0xCD, 0x00, 0x10, 0x9E, 0x00, 0x00])
    data = struct.pack("!BBHLLHH", 0x90, 96, 1, 2, 3, 0xBEDE, 2) + block + b"payload"
    assert rtp.extension_value(data, 3) == b"\xab\xcd"
    assert rtp.extension_value(data, 1) == b"\x9e"
    assert rtp.extension_value(data, 5) is None
    assert data[rtp.locate(data, 3, 1)[2] :] == b"payload"


@given(st.integers(0, 0xFFFF), st.integers(1, 0x7FFF))
def test_newer_holds_over_the_wrap(number: int, ahead: int) -> None:
    assert rtp.newer((number + ahead) & 0xFFFF, number)
    assert not rtp.newer(number, (number + ahead) & 0xFFFF)


# RTCP


@given(rubbish)
def test_any_compound_is_walked(data: bytes) -> None:
    for packet in rtcp.walk(data):
        list(rtcp.report_blocks(packet))
        list(rtcp.nacked(packet.body))
        rtcp.sender_info(packet)
        rtcp.media_ssrcs(packet)
        rtcp.remb(packet.body)


@given(st.sets(st.integers(0, 300), min_size=1, max_size=60), st.integers(0, 0xFFFF))
def test_a_nack_names_exactly_what_is_missing(offsets: set[int], base: int) -> None:
    missing = [(base + offset) & 0xFFFF for offset in sorted(offsets)]
    (packet,) = rtcp.walk(rtcp.write_nack(7, missing))
    assert list(rtcp.nacked(packet.body)) == missing


@given(st.integers(1000, 1 << 32))
def test_remb_keeps_the_bitrate_to_its_precision(bitrate: int) -> None:
    (packet,) = rtcp.walk(rtcp.write_remb(bitrate, [1, 2]))
    read = rtcp.remb(packet.body)
    assert read is not None
    assert bitrate * (1 - 2**-17) <= read <= bitrate


def test_padding_and_strangers_cost_their_neighbours_nothing() -> None:
    padded = feedback_packets([(1, 0.5)])[0]
    assert padded[0] & 0x20, "the case needs padding"
    unknown = struct.pack("!BBHL", 0x80, 222, 1, 9)
    extended = struct.pack("!BBHLL", 0x80, rtcp.XR, 2, 1, 0)
    compound = padded + unknown + extended + rtcp.write_nack(5, [9]) + rtcp.write_pli(6)
    kinds = [packet.packet_type for packet in rtcp.walk(compound)]
    assert kinds == [rtcp.RTPFB, 222, rtcp.XR, rtcp.RTPFB, rtcp.PSFB]


def test_reports_are_read_by_another_implementation() -> None:
    block = rtcp.ReportBlock(7, 12, 34, 56, 78, 90, 12)
    (received,) = RtcpPacket.parse(rtcp.write_receiver_report([block]))
    assert isinstance(received, RtcpRrPacket)
    report = received.reports[0]
    assert (report.ssrc, report.fraction_lost, report.packets_lost) == (7, 12, 34)
    info = rtcp.SenderInfo(1 << 40, 5, 6, 7)
    sender, names = RtcpPacket.parse(rtcp.write_sender_report(3, info, "slot0"))
    assert isinstance(sender, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    assert sender.ssrc == 3
    assert sender.sender_info.ntp_timestamp == 1 << 40
    assert names.chunks[0].items == [(1, b"slot0")]


# Transport-wide feedback

arrivals = st.lists(st.tuples(st.integers(1, 40), st.floats(-0.02, 3.0)), min_size=1, max_size=120)


def feedback_packets(seen: list[tuple[int, float]]) -> list[bytes]:
    log = feedback.ArrivalLog()
    for sequence, time in seen:
        log.add(sequence & 0xFFFF, time)
    return log.take(1, time)


@given(st.integers(0, 0xFFFF), arrivals)
def test_feedback_reports_each_arrival_to_the_tick(
    base: int, steps: list[tuple[int, float]]
) -> None:
    number, time, seen = base, 10.0, []
    for step, pause in steps:
        number, time = number + step, max(0.0, time + pause)
        seen.append((number, time))
    read: dict[int, float] = {}
    for data in feedback_packets(seen):
        (packet,) = rtcp.walk(data)
        read |= {n: t for n, t in feedback.read(packet.body) if t is not None}
    for number, time in seen:
        assert read[number & 0xFFFF] == pytest.approx(time, abs=feedback.TICK)


def test_feedback_reports_what_was_lost_between_two_messages() -> None:
    log = feedback.ArrivalLog()
    reported: dict[int, float | None] = {}
    for sequence in (65_530, 65_531, 5, 6):  # ten lost in between, over the wrap
        log.add(sequence, 10.0)
        if sequence in (65_531, 6):
            (packet,) = rtcp.walk(log.take(1, 10.0)[0])
            reported |= dict(feedback.read(packet.body))
    lost = [sequence for sequence, arrival in reported.items() if arrival is None]
    assert lost == [65_532, 65_533, 65_534, 65_535, 0, 1, 2, 3, 4]


def reported(log: feedback.ArrivalLog, now: float) -> list[int]:
    """The numbers that a message at this time tells of, come or lost."""
    packets = [packet for data in log.take(1, now) for packet in rtcp.walk(data)]
    return [number for packet in packets for number, _ in feedback.read(packet.body)]


def test_a_message_ends_where_nothing_is_lost_after_its_newest_picture() -> None:
    """Else Chromium sends the pictures of before again, into a way that carries voices alone."""
    log = feedback.ArrivalLog()
    log.add(0, 10.0, of_picture=True)
    for number in (1, 5, 9):
        log.add(number, 10.0 + number / 100)
    assert reported(log, 10.1) == [0, 1]
    assert len(log) == 2
    log.add(12, 10.12, of_picture=True)
    assert reported(log, 10.15) == list(range(2, 13))
    log.add(15, 10.2)
    assert reported(log, 10.25) == []
    assert reported(log, 10.2 + feedback.WAIT_SECONDS) == [13, 14, 15]


def test_voices_alone_wait_for_no_picture() -> None:
    log = feedback.ArrivalLog()
    log.add(0, 10.0, of_picture=True)
    now = 10.1 + feedback.PICTURE_SECONDS
    log.add(5, now)
    assert reported(log, now) == [0, 1, 2, 3, 4, 5]


@given(rubbish)
def test_any_feedback_is_read_or_refused(body: bytes) -> None:
    try:
        report = feedback.read(body)
    except feedback.FeedbackInvalid:
        return
    assert len(report) <= feedback.MAX_REPORTED


# VP8


@given(rubbish)
def test_any_vp8_descriptor_is_read_or_refused(payload: bytes) -> None:
    try:
        vp8.read_descriptor(payload)
    except vp8.Vp8Invalid:
        return
    assert len(vp8.shift(payload, 1, 1)) == len(payload)


@given(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(0, 0x7FFF), st.integers(0, 255))
def test_picture_numbers_move_modulo_their_width(
    picture: int, tl0: int, picture_offset: int, tl0_offset: int
) -> None:
    payload = bytes([0x90, 0xE0]) + (0x8000 | picture).to_bytes(2) + bytes([tl0, 0, 0x10, 9])
    moved = vp8.shift(payload, picture_offset, tl0_offset)
    again = vp8.read_descriptor(moved)
    assert again.picture_id == (picture + picture_offset) & 0x7FFF
    assert again.tl0 == (tl0 + tl0_offset) & 0xFF
    assert again.begins_key_frame
    assert moved[5:] == payload[5:]


# STUN


@given(
    rubbish | rubbish.map(lambda tail: b"\0\1" + len(tail).to_bytes(2) + b"\x21\x12\xa4\x42" + tail)
)
def test_any_check_is_read_or_refused(data: bytes) -> None:
    with pytest.raises(StunInvalid):
        parse_binding_request(data)


# SDP

offers = st.sampled_from([CHROMIUM_OFFER, FIREFOX_OFFER, *SIZED_OFFERS])


@given(offers, st.data())
def test_a_mutated_offer_is_answered_or_refused(offer: str, data: st.DataObject) -> None:
    lines = offer.split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "repeat", "cut", "text"]))
        line = lines[index]
        lines[index : index + 1] = {
            "drop": [],
            "repeat": [line, line],
            "cut": [line[: len(line) // 2]],
            "text": [line[:3] + data.draw(st.text(max_size=20))],
        }[change]
        lines = lines or [""]
    try:
        parsed = parse_offer("\r\n".join(lines))
    except SdpRefused:
        return
    server = ServerFacts("AA", ("192.0.2.1",), 5000)
    answer = write_answer(parsed, 1, Credentials("u", "p", parsed.ice_ufrag), server, {})
    assert answer.count("\r\nm=") == len(parsed.sections)


@pytest.mark.parametrize("offer", [CHROMIUM_OFFER, FIREFOX_OFFER], ids=["chromium", "firefox"])
def test_what_real_browsers_offer_is_understood(offer: str) -> None:
    parsed = parse_offer(offer)
    assert [s.kind for s in parsed.sections] == ["audio", "video", "video"]
    assert all(s.client_sends and s.client_receives for s in parsed.sections)
    assert all(s.rtx_payload_type is not None for s in parsed.sections[1:])
    assert all(s.ssrc is not None for s in parsed.sections)


@pytest.mark.parametrize("offer", SIZED_OFFERS, ids=["chromium", "firefox"])
def test_a_camera_in_three_sizes_is_understood(offer: str) -> None:
    *_, screen, sized = parse_offer(offer).sections
    assert screen.layers == ()
    assert sized.layers == ("q", "h", "f")
    assert sized.ssrc is None, "only its packets tell which is which"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("VP8/90000", "H264/90000"), "no_vp8"),
        (("opus/48000/2", "PCMU/8000"), "no_opus"),
        (("a=group:BUNDLE", "a=group:LS"), "no_bundle"),
        (("a=rtcp-mux\r\n", ""), "no_bundle"),
        (("a=fingerprint:sha-256", "a=fingerprint:sha-1"), "malformed"),
        (("a=ice-ufrag", "a=nothing"), "malformed"),
        (("a=setup:actpass", "a=setup:passive"), "malformed"),
        (("v=0", "v=1"), "malformed"),
    ],
)
def test_what_cannot_be_served_is_refused(change: tuple[str, str], code: str) -> None:
    with pytest.raises(SdpRefused) as refusal:
        parse_offer(CHROMIUM_OFFER.replace(*change))
    assert refusal.value.code == code
