"""The one clock that every process reads.

In development and tests an offset, shared through a file, moves the clock of all processes at
once. In production the file setting is empty and this is ``datetime.now(UTC)``; a system check
refuses anything else.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings


class ClockFixed(RuntimeError):
    """Somebody tried to move a clock that is not movable here."""


def now() -> datetime:
    """Aware, UTC."""
    return datetime.now(UTC) + offset()


def offset() -> timedelta:
    path: Path | None = settings.CLOCK_OFFSET_FILE
    if path is None:
        return timedelta()
    try:
        return timedelta(seconds=float(path.read_text()))
    except FileNotFoundError:
        return timedelta()


def move(by: timedelta) -> None:
    """Move every process's clock further by ``by``; negative moves back."""
    _store(offset() + by)


def reset() -> None:
    _store(timedelta())


def _store(value: timedelta) -> None:
    path: Path | None = settings.CLOCK_OFFSET_FILE
    if path is None:
        raise ClockFixed("CLOCK_OFFSET_FILE is not set: this clock cannot be moved")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Replaced in one step: a reader in another process sees the old offset or the new one.
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(str(value.total_seconds()))
    fresh.replace(path)
