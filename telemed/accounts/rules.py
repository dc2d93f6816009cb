"""Which two records may be the same person. Pure."""

from dataclasses import dataclass
from datetime import date

from telemed.accounts.names import alike

LIKELY = 3
ESTIMATE_YEARS = 5


@dataclass(frozen=True)
class Likeness:
    """What is compared: ``key`` is a ``search_key`` of all names, ``precision`` as stored."""

    key: str
    birth_date: date | None = None
    precision: str = "day"
    sex: str = "unknown"


def likeness(one: Likeness, other: Likeness) -> int:
    """0 when they cannot be the same person; ``LIKELY`` and more is worth asking about.

    Names that may be spellings of each other are asked for; sex and birth date can only exclude
    when both are known, and an estimated birth date is worth little either way.
    """
    if not alike(one.key, other.key) or _contradict(one.sex, other.sex):
        return 0
    same_birth = _birth(one, other)
    if same_birth < 0:
        return 0
    return (3 if one.key == other.key else 2) + same_birth


def _contradict(one: str, other: str) -> bool:
    return {one, other} == {"female", "male"}


def _birth(one: Likeness, other: Likeness) -> int:
    """2 for the same day, 1 for what fits, 0 for unknown, -1 for a contradiction."""
    if one.birth_date is None or other.birth_date is None:
        return 0
    if "estimated" in {one.precision, other.precision}:
        apart = abs(one.birth_date.year - other.birth_date.year)
        return 1 if apart <= ESTIMATE_YEARS else -1
    if "year" in {one.precision, other.precision}:
        return 1 if one.birth_date.year == other.birth_date.year else -1
    if one.birth_date == other.birth_date:
        return 2
    # One wrong digit happens when a paper is read; a different year and day does not.
    wrong = sum(
        getattr(one.birth_date, part) != getattr(other.birth_date, part)
        for part in ("year", "month", "day")
    )
    return 0 if wrong == 1 else -1
