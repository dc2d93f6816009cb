"""What signing freezes. Pure."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

SIGN_WITHIN = timedelta(hours=24)
LONGEST_TEXT = 20_000  # characters


def digest(text: str, author: UUID, signed_at: datetime) -> str:
    """SHA-256 (FIPS 180-4, hex) over text, author and time, each apart from the others."""
    moment = signed_at.astimezone(UTC).isoformat(timespec="microseconds")
    frozen = json.dumps([text, str(author), moment], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(frozen.encode()).hexdigest()
