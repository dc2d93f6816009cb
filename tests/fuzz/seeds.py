"""What fuzzing begins with: whole packets and messages of each kind, as the tests know them."""

from __future__ import annotations

import json
import struct

from aioice import stun

from consultations.sfu import rtcp, rtp
from consultations.sfu.feedback import ArrivalLog
from consultations.sfu.rtcp import ReportBlock, SenderInfo
from consultations.sfu.sctp import DATA, FORWARD_TSN, HEARTBEAT, RECONFIG, SACK
from tests.consultations.test_messages import ONE_OF_EACH, spoken
from tests.fuzz import world
from tests.fuzz.targets import framed

VOICE, PICTURE, REPAIR = 604118680, 2031307589, 2286179045  # the streams of the offer
SLOT = world.FIRST_SLOT
KEY_FRAME = bytes.fromhex("90e0800100203040009d012a40010201") + bytes(40)
# The first packets of a data channel, from Chromium.
INIT = bytes.fromhex("0100001efca5cb3600500000ffffffff4f2a3625c00000048008000682c00000")


def seeds() -> dict[str, list[bytes]]:
    return {
        "sdp": [_offer("chromium"), _offer("firefox"), _with_data_channel()],
        "rtp": [
            framed(_voice(1), _voice(2)),
            framed(_picture(1), _picture(2), _picture(5), _repair(3)),
            framed(_padding(1), _picture(2)),
        ],
        "rtcp": [
            framed(_feedback(), _nack()),
            framed(_reports(), _nack()),
            framed(_pli() + _remb()),
        ],
        "stun": [_check(), _check(use=False)],
        "sctp": [
            framed(INIT, _data(1), _data(2)),
            framed(_data(1, b"\x03\x00" + bytes(6) + b"\0\x05\0\0later"), _data(2, b"x", 51)),
            framed(_chunk(SACK, struct.pack("!LLHHHH", world.NUMBER, 9999, 1, 0, 2, 4))),
            framed(_chunk(HEARTBEAT, b"\0\x01\0\x08abcd"), _chunk(FORWARD_TSN, _forward())),
            framed(_chunk(RECONFIG, b"\0\x0d\0\x12" + bytes(12) + b"\0\x01\0\0")),
        ],
        "message": [json.dumps(spoken(type_)).encode() for type_ in ONE_OF_EACH],
    }


def _offer(name: str) -> bytes:
    return (world.OFFERS / f"{name}.sdp").read_bytes()


def _with_data_channel() -> bytes:
    section = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:9\r\na=sctp-port:5000\r\n"
    offer = _offer("chromium").decode()
    return (offer.replace("a=group:BUNDLE", "a=group:BUNDLE 9") + section).encode()


def _header(head: int, number: int, ssrc: int, mid: bytes) -> bytes:
    """With transport-wide number, MID and loudness, as in the offer."""
    extensions = bytes([0x31]) + number.to_bytes(2) + bytes([0x40]) + mid + bytes([0x10, 0x9E])
    block = bytes.fromhex("bede0002") + extensions + bytes(-len(extensions) % 4)
    return rtp.HEADER.pack(0x90, head, number, number * 960, ssrc) + block


def _voice(number: int) -> bytes:
    return _header(111, number, VOICE, b"0") + bytes(80)


def _picture(number: int) -> bytes:
    return _header(96 | 0x80, number, PICTURE, b"1") + KEY_FRAME


def _repair(number: int) -> bytes:
    return _header(97, number, REPAIR, b"1") + number.to_bytes(2) + KEY_FRAME


def _padding(number: int) -> bytes:
    return b"\xb0" + _header(96, number, PICTURE, b"1")[1:] + bytes(9) + b"\x0a"


def _feedback() -> bytes:
    log = ArrivalLog()
    for number in (1, 2, 5, 6, 7, 30):
        log.add(number, number / 50)
    return b"".join(log.take(SLOT, 1.0))


def _nack() -> bytes:
    return rtcp.write_nack(SLOT + 2, [1, 2, 9, 30])


def _pli() -> bytes:
    return rtcp.write_pli(SLOT + 2)


def _remb() -> bytes:
    return rtcp.write_remb(500_000, [SLOT])


def _reports() -> bytes:
    block = ReportBlock(SLOT, 20, 3, 900, 5, 0, 0)
    report = rtcp.write_receiver_report([block, block])
    return report + rtcp.write_sender_report(VOICE, SenderInfo(1 << 40, 960, 9, 999), "name")


def _check(*, use: bool = True) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = "abcdef123456:wxyz"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    if use:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(b"password")
    return bytes(request)


def _chunk(kind: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack("!BBH", kind, flags, len(body) + 4) + body + bytes(-len(body) % 4)


def _data(ahead: int, text: bytes = b"text", protocol: int = 50, flags: int = 3) -> bytes:
    return _chunk(DATA, struct.pack("!LHHL", world.NUMBER + ahead, 0, 0, protocol) + text, flags)


def _forward() -> bytes:
    return struct.pack("!LHH", world.NUMBER + 3, 1, 1)
