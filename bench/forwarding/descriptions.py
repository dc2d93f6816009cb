"""The session descriptions of the load: what Chromium would offer and answer, in little."""

import re

from bench.forwarding.legs import Leg, Person
from bench.forwarding.traffic import LEVEL, MID, OPUS, RTX, SEQUENCE, VP8

TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


def offer(leg: Leg, person: Person, *, watches: tuple[int, int]) -> str:
    """Publishes a voice (mid 0) and a camera (mid 1); receives in as many sections as `watches`
    says (voices, pictures), the first of which are those two."""
    voices, pictures = watches
    mutual = bool(voices)
    sections = [_audio("0", person.audio_ssrc, "sendrecv" if mutual else "sendonly")]
    sections += [_video("1", person.video_ssrc, "sendrecv" if mutual else "sendonly")]
    sections += [_audio(f"{2 + n}", None, "recvonly") for n in range(voices - 1)]
    sections += [_video(f"{voices + 1 + n}", None, "recvonly") for n in range(pictures - 1)]
    mids = " ".join(str(number) for number in range(len(sections)))
    lines = [*_session(leg, mids, setup="active"), *(line for part in sections for line in part)]
    return "\r\n".join(lines) + "\r\n"


def answer(leg: Leg, offered: str) -> str:
    """Takes every section of an offer to receive; notes what the server's packets will carry."""
    sections = re.split(r"\r?\n(?=m=)", offered.strip())[1:]
    mids = [_value(section, r"a=mid:(\S+)") for section in sections]
    lines = _session(leg, " ".join(mids), setup="active")
    for section, mid in zip(sections, mids, strict=True):
        head = _value(section, r"(m=\w+) ")
        formats = _value(section, r"m=\w+ \d+ \S+ ([\d ]+)")
        leg.rtx |= {int(n) for n in re.findall(r"a=rtpmap:(\d+) rtx/", section)}
        lines += [f"{head} 9 UDP/TLS/RTP/SAVPF {formats.strip()}", "c=IN IP4 0.0.0.0"]
        lines += [f"a=mid:{mid}", "a=recvonly", "a=rtcp-mux"]
        for line in section.splitlines():
            if line.startswith("a=extmap:") and line.endswith(TWCC):
                leg.sequence_extension = int(_value(line, r"a=extmap:(\d+)"))
            if re.match(r"a=(rtpmap|fmtp|rtcp-fb|extmap|rtcp-rsize)", line):
                lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _session(leg: Leg, mids: str, *, setup: str) -> list[str]:
    return [
        "v=0",
        "o=- 4611 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {mids}",
        f"a=ice-ufrag:{leg.ufrag}",
        f"a=ice-pwd:{leg.password}",
        f"a=fingerprint:sha-256 {leg.fingerprint()}",
        f"a=setup:{setup}",
    ]


def _audio(mid: str, ssrc: int | None, direction: str) -> list[str]:
    return [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}",
        *_common(mid, OPUS, direction),
        f"a=extmap:{LEVEL} {LEVEL_URI}",
        f"a=rtpmap:{OPUS} opus/48000/2",
        f"a=fmtp:{OPUS} minptime=10;useinbandfec=1",
        *([f"a=ssrc:{ssrc} cname:bench"] if ssrc is not None else []),
    ]


def _video(mid: str, ssrc: int | None, direction: str) -> list[str]:
    return [
        f"m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}",
        *_common(mid, VP8, direction),
        f"a=rtpmap:{VP8} VP8/90000",
        f"a=rtpmap:{RTX} rtx/90000",
        f"a=fmtp:{RTX} apt={VP8}",
        *(f"a=rtcp-fb:{VP8} {what}" for what in ("goog-remb", "ccm fir", "nack", "nack pli")),
        *([f"a=ssrc:{ssrc} cname:bench"] if ssrc is not None else []),
    ]


def _common(mid: str, payload_type: int, direction: str) -> list[str]:
    return [
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=extmap:{MID} {MID_URI}",
        f"a=extmap:{SEQUENCE} {TWCC}",
        f"a=rtcp-fb:{payload_type} transport-cc",
    ]


def _value(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""
