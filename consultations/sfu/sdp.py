"""Reading a browser's offer: only what an answer and the packet path need (RFC 8866, 8843).

An offer comes from outside: every line is checked before it is used, and whatever cannot be
served ends in one SdpRefused with a stable code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from .events import SdpRefused

MAX_OFFER_BYTES = 100_000
MAX_SECTIONS = 40
MAX_FORMATS = 64  # browsers name some forty
LAYERS = 3  # sizes of one camera
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")

TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64}\Z")
_ICE = re.compile(r"[A-Za-z0-9+/\-_]{4,256}\Z")
_FINGERPRINT = re.compile(r"sha-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\Z", re.IGNORECASE)
_EXTENSION = re.compile(r"([0-9]{1,2})(?:/\w+)? (\S+)\Z")
_RID = re.compile(r"([A-Za-z0-9]{1,16}) send\b")
_MEDIA = re.compile(r"(audio|video|application) ([0-9]{1,5}) (\S+) (.+)\Z")


@dataclass
class Section:
    """One media section of an offer, as far as it concerns the server. `layers` are the restriction
    identifiers (RFC 8851) of the sizes in which a camera can be sent at once, in the browser's
    order."""

    kind: Literal["audio", "video", "application"]
    mid: str
    protocol: str
    formats: tuple[str, ...]
    rejected: bool
    direction: Direction = "sendrecv"
    payload_type: int = 0
    rtx_payload_type: int | None = None
    format_parameters: str = ""
    feedback: frozenset[str] = frozenset()
    extensions: dict[str, int] = field(default_factory=dict)
    reduced_size: bool = False
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    layers: tuple[str, ...] = ()
    sctp_port: int = 5000

    @property
    def client_sends(self) -> bool:
        return not self.rejected and self.direction in ("sendrecv", "sendonly")

    @property
    def client_receives(self) -> bool:
        return not self.rejected and self.direction in ("sendrecv", "recvonly")


@dataclass
class Offer:
    ice_ufrag: str
    fingerprint: str
    sections: list[Section]


def parse_offer(text: str) -> Offer:
    """Reads an offer; raises SdpRefused with `malformed`, `no_bundle`, `no_vp8`, `no_opus`…"""
    if len(text) > MAX_OFFER_BYTES:
        raise SdpRefused("malformed", "offer too long")
    blocks = _blocks(text)
    if not blocks[0] or blocks[0][0] != "v=0":
        raise SdpRefused("malformed", "not a session description")
    if not 1 <= len(blocks) - 1 <= MAX_SECTIONS:
        raise SdpRefused("malformed", f"{len(blocks) - 1} media sections")
    session, *media = blocks
    sections = [_section(block) for block in media]
    if len({section.mid for section in sections}) != len(sections):
        raise SdpRefused("malformed", "a mid occurs twice")
    _check_bundle(session, sections)
    first = session + media[0]
    if (_value(first, "setup") or "actpass") not in ("actpass", "active"):
        raise SdpRefused("malformed", "the browser must be the DTLS client")
    return Offer(_ice_ufrag(first), _fingerprint(first), sections)


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("m="):
            blocks.append([])
        blocks[-1].append(line.rstrip())
    return blocks


def _values(lines: list[str], name: str) -> list[str]:
    prefix = f"a={name}:"
    return [line[len(prefix) :] for line in lines if line.startswith(prefix)]


def _value(lines: list[str], name: str) -> str:
    return next(iter(_values(lines, name)), "")


def _ice_ufrag(lines: list[str]) -> str:
    ufrag = _value(lines, "ice-ufrag")
    if not _ICE.match(ufrag):
        raise SdpRefused("malformed", "no usable ICE user name fragment")
    return ufrag


def _fingerprint(lines: list[str]) -> str:
    for value in _values(lines, "fingerprint"):
        if match := _FINGERPRINT.match(value):
            return match[1].upper()
    raise SdpRefused("malformed", "no SHA-256 certificate fingerprint")


def _check_bundle(session: list[str], sections: list[Section]) -> None:
    group = next((v.split()[1:] for v in _values(session, "group") if v[:7] == "BUNDLE "), [])
    if any(s.mid not in group for s in sections if not s.rejected):
        raise SdpRefused("no_bundle", "every media section must share one transport")


def _section(lines: list[str]) -> Section:
    match = _MEDIA.match(lines[0][2:])
    mid = _value(lines, "mid")
    if match is None or not _TOKEN.match(mid):
        raise SdpRefused("malformed", "unreadable media section")
    kind, port, protocol, formats = match.groups()
    if len(formats.split()) > MAX_FORMATS:
        raise SdpRefused("malformed", "too many formats")
    section = Section(
        kind=kind,  # type: ignore[arg-type]
        mid=mid,
        protocol=protocol,
        formats=tuple(formats.split()),
        rejected=port == "0" and "a=bundle-only" not in lines,
    )
    if section.rejected:
        return section
    if kind == "application":
        section.sctp_port = _number(_value(lines, "sctp-port") or "5000", 65535)
        return section
    if "a=rtcp-mux" not in lines:
        raise SdpRefused("no_bundle", "RTP and RTCP must share one port")
    section.direction = next((d for d in DIRECTIONS if f"a={d}" in lines), "sendrecv")
    section.reduced_size = "a=rtcp-rsize" in lines
    section.extensions = _extensions(lines)
    _choose_codec(section, lines)
    section.layers = _layers(section, lines)
    if not section.layers:  # which size an announced SSRC is of, only its packets tell
        section.ssrc, section.rtx_ssrc = _ssrcs(lines)
    return section


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > most:
        raise SdpRefused("malformed", f"not a number up to {most}")
    return int(text)


def _extensions(lines: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in _values(lines, "extmap"):
        match = _EXTENSION.match(value)
        if match and 1 <= int(match[1]) <= 14:  # what a one-byte header can carry (RFC 8285)
            found[match[2]] = int(match[1])
    return found


def _choose_codec(section: Section, lines: list[str]) -> None:
    wanted = "opus/48000/2" if section.kind == "audio" else "vp8/90000"
    codecs = {}
    for value in _values(lines, "rtpmap"):
        payload_type, _, encoding = value.partition(" ")
        if payload_type in section.formats:
            codecs[_number(payload_type, 127)] = encoding.lower()
    chosen = next((pt for pt, encoding in codecs.items() if encoding == wanted), None)
    if chosen is None:
        name = "Opus" if section.kind == "audio" else "VP8"
        raise SdpRefused(f"no_{name.lower()}", f"this browser does not offer {name}")
    section.payload_type = chosen
    parameters = dict(value.partition(" ")[::2] for value in _values(lines, "fmtp"))
    section.format_parameters = parameters.get(str(chosen), "")
    section.rtx_payload_type = next(
        (
            pt
            for pt, encoding in codecs.items()
            if encoding == "rtx/90000" and parameters.get(str(pt)) == f"apt={chosen}"
        ),
        None,
    )
    feedback = [value.partition(" ") for value in _values(lines, "rtcp-fb")]
    section.feedback = frozenset(what for pt, _, what in feedback if pt in (str(chosen), "*"))


def _layers(section: Section, lines: list[str]) -> tuple[str, ...]:
    """What `a=simulcast` names as sent (RFC 8853) and `a=rid` declares; none where the packets
    could not be told apart."""
    if section.kind != "video" or not {MID, RID} <= section.extensions.keys():
        return ()
    words = _value(lines, "simulcast").split()
    if "send" not in words[:-1:2]:
        return ()
    streams = words[words.index("send") + 1].split(";")
    named = [stream.split(",")[0].lstrip("~") for stream in streams]
    declared = {m[1] for value in _values(lines, "rid") if (m := _RID.match(value))}
    layers = tuple(dict.fromkeys(name for name in named if name in declared))
    return layers if len(layers) == LAYERS else ()


def _ssrcs(lines: list[str]) -> tuple[int | None, int | None]:
    """The SSRC the browser announced and its repair flow's, when it announced any."""
    for value in _values(lines, "ssrc-group"):
        match value.split():
            case ["FID", stream, repair]:
                return _number(stream, 0xFFFFFFFF), _number(repair, 0xFFFFFFFF)
    values = _values(lines, "ssrc")
    return (_number(values[0].split(" ")[0], 0xFFFFFFFF) if values else None), None
