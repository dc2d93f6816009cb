"""Walking the chain: does every event still say what was written, in the order it was written?"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from telemed.audit.chain import FIELDS, GENESIS, digest
from telemed.audit.models import Event


@dataclass(frozen=True)
class Walk:
    """``broken`` is the first event that does not hold and ``why``; ``head`` the last digest."""

    count: int
    head: str
    broken: int | None = None
    why: str = ""
    seen: bool = True


def walk(events: Iterable[Event], key: str, expected: str = "") -> Walk:
    """Check ``events`` (all, by id) up to the first that is broken.

    ``expected`` is a digest noted earlier and kept elsewhere: only it can tell that the end of
    the chain was cut off.
    """
    count, head, seen = 0, GENESIS, not expected
    for event in events:
        if event.previous != head:
            return Walk(count, head, event.pk, "does not follow the event before it", seen)
        made = digest({name: getattr(event, name) for name in FIELDS}, key)
        if not hmac.compare_digest(made, event.digest):
            return Walk(count, head, event.pk, "does not say what was written", seen)
        count, head = count + 1, event.digest
        seen = seen or head == expected
    return Walk(count, head, seen=seen)
