"""Parsing what a browser sends: PROTOCOL.md section 4 as a table. Pure, and hostile-proof."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consultations.models import Consent, Consultation, Picture
from consultations.quality_rules import MODES

MAX_BYTES = 64 * 1024

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHA256 = re.compile("[0-9a-f]{64}")
_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Check = Callable[[Any], bool]


class BadMessage(ValueError):
    """Not a message of the protocol; says which part is wrong."""


def text(at_most: int, at_least: int = 1) -> Check:
    """Characters, the blanks around them not counted for ``at_least``; nothing that no database
    keeps (NUL, and halves of a surrogate pair, which JSON can spell)."""

    def check(value: Any) -> bool:
        if not isinstance(value, str) or len(value) > at_most or "\0" in value:
            return False
        return len(value.strip()) >= at_least and not _SURROGATE.search(value)

    return check


def one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def number(least: float, most: float) -> Check:
    """JSON's numbers and nothing that Python reads beside them (true, NaN, Infinity)."""
    return lambda value: type(value) in (int, float) and least <= value <= most


def count(most: int) -> Check:
    return lambda value: type(value) is int and 0 <= value <= most


def identifier(value: Any) -> bool:
    """A UUID in the one spelling of RFC 9562, so that ids compare as text."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def sha256(value: Any) -> bool:
    return isinstance(value, str) and bool(_SHA256.fullmatch(value))


def one_version(value: Any) -> bool:
    return type(value) is int and value == 1


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


@dataclass(frozen=True)
class Kind:
    """``changes``: needs an ``id``, so that a repeat can be told from a second wish."""

    fields: Mapping[str, Check]
    changes: bool = True


# ``browser``: one inside another app, or one that keeps devices from this address.
REASONS = ("permission", "device", "network", "browser")
SDP = text(60_000)

KINDS: dict[str, Kind] = {
    "hello": Kind({"ticket": text(4000), "protocol": one_version}, changes=False),
    "ping": Kind({}, changes=False),
    "snapshot": Kind({}, changes=False),
    "offer": Kind({"sdp": SDP}),
    "stats": Kind(
        {
            "path": one_of("direct", "relay", "relay-tcp", "unknown"),
            "round_trip": maybe(number(0, 60)),
            "concealed": maybe(number(0, 1)),
            "freezes": maybe(count(100_000)),
            "frozen": maybe(number(0, 86_400)),
        }
    ),
    "mute": Kind({"kind": one_of("audio", "video", "screen"), "muted": flag}),
    "sends": Kind({"mode": one_of(*MODES)}),
    "watch": Kind({"video": one_of("all", "save", "none")}),
    "consent": Kind(
        {
            "participant": identifier,
            "decision": one_of(*Consent.Decision.values),
            "how": one_of(*Consent.How.values),
            "text_version": text(16),
            "text_sha256": text(64, 64),
            "language": text(8),
            "speaker": maybe(identifier),
        }
    ),
    "withdraw": Kind({"participant": identifier}),
    "declare": Kind(
        {"person": identifier, "name": text(80), "capacity": text(40), "on_camera": flag}
    ),
    "undeclare": Kind({"person": identifier}),
    "place": Kind({"place": text(300, 0), "phone": text(32, 0), "contact": text(200, 0)}),
    "chat": Kind({"text": text(2000), "to": maybe(identifier)}),
    "unable": Kind({"reason": one_of(*REASONS)}),
    "leave": Kind({}),
    "admit": Kind({"participant": identifier}),
    "deny": Kind({"participant": identifier}),
    "remove": Kind({"participant": identifier}),
    "identify": Kind({"how": one_of(*Consultation.Identification.values)}),
    "pause": Kind({}),
    "resume": Kind({}),
    "override": Kind({"reason": text(500, 10)}),
    "record_ask": Kind({}),
    "record_consent": Kind(
        {
            "subject": identifier,
            "decision": one_of(*Consent.Decision.values),
            "how": one_of(*Consent.How.values),
            "text_version": text(16),
            "text_sha256": text(64, 64),
            "language": text(8),
            "speaker": maybe(identifier),
        }
    ),
    "record_start": Kind({}),
    "record_stop": Kind({}),
    "record_withdraw": Kind({"subject": identifier, "keep": flag}),
    "picture_ask": Kind(
        {
            "participant": identifier,
            "site": one_of(*Picture.Site.values),
            "side": one_of(*Picture.Side.values),
        }
    ),
    "picture_send": Kind(
        {
            "picture": identifier,
            "bytes": count(1_000_000_000),
            "sha256": sha256,
            "width": count(100_000),
            "height": count(100_000),
            "age": number(0, 100 * 366 * 86_400),
        }
    ),
    "picture_end": Kind({"picture": identifier}),
    "emergency": Kind({}),
    "finish": Kind({"mode": one_of(*Consultation.Mode.values)}),
}


@dataclass(frozen=True)
class Message:
    type: str
    id: str | None
    fields: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


def parse(raw: str | None) -> Message:
    """Raises ``BadMessage``; unknown fields are ignored, missing ones count as null."""
    if raw is None or len(raw.encode(errors="surrogatepass")) > MAX_BYTES:
        raise BadMessage("size")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadMessage("json") from None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise BadMessage("type")
    kind = KINDS.get(data["type"])
    if kind is None:
        raise BadMessage("type")
    wanted = data.get("id")
    if kind.changes and not identifier(wanted):
        raise BadMessage("id")
    for name, check in kind.fields.items():
        if not check(data.get(name)):
            raise BadMessage(name)
    return Message(
        data["type"],
        wanted if kind.changes else None,
        {name: data.get(name) for name in kind.fields},
    )
