"""The hash chain: what one event's digest covers. Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

GENESIS = "0" * 64
FIELDS = (
    "at",
    "action",
    "outcome",
    "code",
    "actor",
    "actor_kind",
    "on_behalf_of",
    "role",
    "organisation",
    "patient",
    "subject_kind",
    "subject",
    "purpose",
    "request_id",
    "previous",
)

Value = str | datetime | UUID | None


def canonical(values: Mapping[str, Value]) -> bytes:
    """The event's fields as JSON with sorted keys, no spaces, UTC microseconds (as RFC 8785)."""
    plain = {name: _plain(values[name]) for name in FIELDS}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(values: Mapping[str, Value], key: str) -> str:
    """HMAC-SHA256 over the event and, through ``previous``, all before it: 64 hex characters."""
    return hmac.new(key.encode(), canonical(values), hashlib.sha256).hexdigest()


def _plain(value: Value) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return None if value is None else str(value)
