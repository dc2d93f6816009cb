"""Writing the answer: passive DTLS, ICE-lite, every section on the first one's transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .ice import Credentials
from .sdp import ABS_SEND_TIME, AUDIO_LEVEL, MID, REPAIRED_RID, RID, TWCC, Offer, Section

REVERSED = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
OPUS_PARAMETERS = "minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=32000"
HOST_PRIORITY = (126 << 24) | (1 << 8) | 255  # RFC 8445 section 5.1.2.1, component 1


@dataclass(frozen=True)
class Outgoing:
    """The SSRCs of a receive slot and the name of the stream it belongs to."""

    ssrc: int
    rtx_ssrc: int
    stream: str


@dataclass(frozen=True)
class ServerFacts:
    """What an answer says about the server itself."""

    fingerprint: str
    addresses: tuple[str, ...]
    port: int


def wanted_extensions(section: Section) -> dict[str, int]:
    """The header extensions taken from an offer: absolute send time only without TWCC."""
    wanted = [MID] if section.client_sends else []
    if section.kind == "audio" and section.client_sends:
        wanted.append(AUDIO_LEVEL)
    if section.client_sends and section.layers:
        wanted += [RID, REPAIRED_RID]
    congestion = TWCC if has_transport_feedback(section) else ABS_SEND_TIME
    wanted.append(congestion)
    return {uri: section.extensions[uri] for uri in wanted if uri in section.extensions}


def has_transport_feedback(section: Section) -> bool:
    return TWCC in section.extensions and "transport-cc" in section.feedback


def write_answer(
    offer: Offer,
    version: int,
    credentials: Credentials,
    server: ServerFacts,
    outgoing: Mapping[str, Outgoing],
) -> str:
    """The answer to `offer`; `outgoing` maps the mid of each receive slot to its SSRCs."""
    group = " ".join(section.mid for section in offer.sections if not section.rejected)
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {group}",
        "a=msid-semantic: WMS *",
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.password}",
        "a=setup:passive",
        f"a=fingerprint:sha-256 {server.fingerprint}",
    ]
    candidates = _candidates(server)
    for section in offer.sections:
        lines += _section(section, outgoing.get(section.mid))
        if not section.rejected:
            lines += candidates
            candidates = []
    return "\r\n".join(lines) + "\r\n"


def _candidates(server: ServerFacts) -> list[str]:
    lines = []
    for index, address in enumerate(server.addresses):
        priority = HOST_PRIORITY - (index << 8)
        lines.append(f"a=candidate:{index + 1} 1 udp {priority} {address} {server.port} typ host")
    return [*lines, "a=end-of-candidates"]


def _section(section: Section, outgoing: Outgoing | None) -> list[str]:
    if section.rejected:
        formats = " ".join(section.formats)
        return [f"m={section.kind} 0 {section.protocol} {formats}", "a=inactive"]
    if section.kind == "application":
        return [
            f"m=application 9 {section.protocol} {' '.join(section.formats)}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{section.mid}",
            "a=sctp-port:5000",
            "a=max-message-size:65536",
        ]
    lines = _codec_lines(section)
    if section.reduced_size:
        lines.append("a=rtcp-rsize")
    lines += [f"a=extmap:{ident} {uri}" for uri, ident in wanted_extensions(section).items()]
    if section.client_sends and section.layers:
        lines += [f"a=rid:{layer} recv" for layer in section.layers]
        lines.append(f"a=simulcast:recv {';'.join(section.layers)}")
    if outgoing is not None:
        lines += _outgoing_lines(section, outgoing)
    return lines


def _codec_lines(section: Section) -> list[str]:
    pt, rtx = section.payload_type, section.rtx_payload_type
    formats = f"{pt} {rtx}" if rtx is not None else f"{pt}"
    lines = [
        f"m={section.kind} 9 {section.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        f"a={REVERSED[section.direction]}",
        "a=rtcp-mux",
    ]
    if section.kind == "audio":
        lines += [f"a=rtpmap:{pt} opus/48000/2", f"a=fmtp:{pt} {OPUS_PARAMETERS}"]
        feedback: tuple[str, ...] = ("transport-cc",)
    else:
        lines.append(f"a=rtpmap:{pt} VP8/90000")
        if rtx is not None:
            lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={pt}"]
        feedback = VIDEO_FEEDBACK
    return lines + [f"a=rtcp-fb:{pt} {what}" for what in feedback if what in section.feedback]


def _outgoing_lines(section: Section, outgoing: Outgoing) -> list[str]:
    """Chromium takes the first SSRC named for the stream itself, so the repair flow's is last."""
    lines = [
        f"a=msid:{outgoing.stream} {section.mid}",
        f"a=ssrc:{outgoing.ssrc} cname:{outgoing.stream}",
    ]
    if section.rtx_payload_type is not None:
        lines += [
            f"a=ssrc:{outgoing.rtx_ssrc} cname:{outgoing.stream}",
            f"a=ssrc-group:FID {outgoing.ssrc} {outgoing.rtx_ssrc}",
        ]
    return lines
