"""What went wrong in a call, and how good a place's connection is: pure functions of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median_high

SPECIALIST = "specialist"
PATIENT_SIDE = frozenset({"patient", "representative", "presenter"})

# From where on a number is felt by those who talk.
MOST_LOSS = 0.08
MOST_ROUND_TRIP_MS = 800
MOST_CONCEALED = 0.05
MOST_FROZEN = 0.05
MOST_VOICE_ONLY = 0.30
MOST_BREAKS = 1
MOST_GAP_SECONDS = 15.0
JUDGED_AFTER_SECONDS = 10.0
# A link that loses little and answers soon does not make a picture stand still: the device does.
CLEAN_LOSS = 0.03
CLEAN_ROUND_TRIP_MS = 400
CLEAN_VOICE_ONLY = 0.10


class Cause(StrEnum):
    NETWORK = "network"
    DEVICE = "device"
    PERMISSION = "permission"
    ABSENCE = "absence"
    SERVER = "server"


class Grade(StrEnum):
    POOR = "poor"  # they met, with trouble
    FAILED = "failed"  # they did not meet


@dataclass(frozen=True)
class Leg:
    """One media session. ``seconds`` from its start to its end or to now; ``gaps`` and
    ``breaks``: for how long and how often nothing came from it, but for its end; ``voice_only``:
    the share of its time without a moving picture, unless they chose that; ``stopped``: the
    service ended it, not they. None: not told."""

    connected: bool
    over: bool
    stopped: bool = False
    lost: bool = False  # ended by silence
    seconds: float = 60.0
    breaks: int = 0
    gaps: float = 0.0
    voice_only: float = 0.0
    loss: float | None = None
    round_trip_ms: int | None = None
    concealed: float | None = None
    frozen: float | None = None  # share of its time


@dataclass(frozen=True)
class Attendee:
    """``trouble``: why they could not come in, as told: permission, device, network, browser."""

    role: str
    came: bool
    admitted: bool
    trouble: str = ""
    legs: tuple[Leg, ...] = ()

    @property
    def met(self) -> bool:
        return any(leg.connected for leg in self.legs)


@dataclass(frozen=True)
class Finding:
    """``detail`` names the sentence; ``amount`` is its number (percent, ms or times)."""

    grade: Grade
    cause: Cause
    role: str
    detail: str
    amount: int = 0


TROUBLES = {
    "permission": (Cause.PERMISSION, "not_allowed"),
    "device": (Cause.DEVICE, "no_device"),
    "browser": (Cause.DEVICE, "browser"),
    "network": (Cause.NETWORK, "no_path"),
}


def classify(people: Sequence[Attendee], *, over: bool, finished: bool = False) -> Finding | None:
    """The one thing that a coordinator should know; None while there is nothing to say.

    ``over``: the appointment's time has passed, so that who is not here did not come.
    ``finished``: the specialist has finished it as a visit by video, so that who fell silent
    towards its end had gone.
    """
    ours = any(one.met for one in people if one.role == SPECIALIST)
    theirs = any(one.met for one in people if one.role in PATIENT_SIDE)
    if ours and theirs:
        return _poor(people, finished=finished)
    # Whoever else was asked in keeps these two from nothing.
    both = [one for one in people if one.role == SPECIALIST or one.role in PATIENT_SIDE]
    return _failed(both, over=over)


def _failed(people: Sequence[Attendee], *, over: bool) -> Finding | None:
    for one in people:
        if one.trouble in TROUBLES and not one.met:
            cause, detail = TROUBLES[one.trouble]
            return Finding(Grade.FAILED, cause, one.role, detail)
    tried = [one for one in people if one.legs and all(leg.over for leg in one.legs)]
    for one in tried:
        if any(leg.stopped for leg in one.legs):
            return Finding(Grade.FAILED, Cause.SERVER, one.role, "interrupted")
    unconnected = [one for one in tried if not one.met]
    if unconnected:
        return Finding(Grade.FAILED, Cause.NETWORK, unconnected[0].role, "no_path")
    return _absent(people) if over else None


def _absent(people: Sequence[Attendee]) -> Finding | None:
    if not any(one.came for one in people if one.role == SPECIALIST):
        return Finding(Grade.FAILED, Cause.ABSENCE, SPECIALIST, "did_not_come")
    theirs = [one for one in people if one.role in PATIENT_SIDE]
    if not any(one.came for one in theirs):
        return Finding(Grade.FAILED, Cause.ABSENCE, "patient", "did_not_come")
    if not any(one.admitted for one in theirs):
        return Finding(Grade.FAILED, Cause.ABSENCE, SPECIALIST, "nobody_admitted")
    return None


def _poor(people: Sequence[Attendee], *, finished: bool) -> Finding | None:
    """The worst by how many times it is over its limit; what the service did stands first."""
    for one in people:
        if any(leg.stopped for leg in one.legs):
            return Finding(Grade.POOR, Cause.SERVER, one.role, "interrupted")
    found = [
        (score, Finding(Grade.POOR, cause, one.role, detail, amount))
        for one in people
        for leg in one.legs
        if leg.connected and leg.seconds >= JUDGED_AFTER_SECONDS
        for score, cause, detail, amount in _faults(leg)
    ]
    found += [
        (1.0, Finding(Grade.POOR, Cause.NETWORK, one.role, "lost"))
        for one in people
        if one.legs and one.legs[-1].lost and not finished
    ]
    return max(found, key=lambda each: each[0])[1] if found else None


Fault = tuple[float, Cause, str, int]


def _faults(leg: Leg) -> list[Fault]:
    """How many times over its limit each number is, from 1."""
    loss, trip = leg.loss or 0.0, leg.round_trip_ms or 0
    frozen = leg.frozen or 0.0
    clean = loss < CLEAN_LOSS and trip < CLEAN_ROUND_TRIP_MS and leg.voice_only < CLEAN_VOICE_ONLY
    by_device = clean and not leg.breaks
    breaks = max((leg.breaks - 1) / MOST_BREAKS, leg.gaps / MOST_GAP_SECONDS)
    all_of_them = [
        (breaks, Cause.NETWORK, "broke", leg.breaks),
        (loss / MOST_LOSS, Cause.NETWORK, "loss", _percent(loss)),
        (trip / MOST_ROUND_TRIP_MS, Cause.NETWORK, "slow_answer", trip),
        (leg.voice_only / MOST_VOICE_ONLY, Cause.NETWORK, "narrow", _percent(leg.voice_only)),
        (
            (leg.concealed or 0.0) / MOST_CONCEALED,
            Cause.NETWORK,
            "sound",
            _percent(leg.concealed or 0.0),
        ),
        (
            frozen / MOST_FROZEN,
            Cause.DEVICE if by_device else Cause.NETWORK,
            "slow_device" if by_device else "frozen",
            _percent(frozen),
        ),
    ]
    return [fault for fault in all_of_them if fault[0] >= 1]


def _percent(share: float) -> int:
    return round(share * 100)


# Places.

VERDICTS = ("good", "fair", "poor", "voice-only", "lost")  # from the best to the worst
MODES = ("full", "small", "slow", "still", "voice")  # what a camera sends, likewise


@dataclass(frozen=True)
class Trial:
    """One connection test."""

    verdict: str
    mode: str
    kbit_up: int
    kbit_down: int
    round_trip_ms: int


@dataclass(frozen=True)
class Summary:
    """What somebody there has to expect: the middle of the tests, the worse of two middles.

    The numbers are those of the tests that got through; None when none did.
    """

    tests: int
    verdict: str
    mode: str
    kbit_up: int | None
    kbit_down: int | None
    round_trip_ms: int | None


def summary(tests: Sequence[Trial]) -> Summary:
    """Raises ``StatisticsError`` for no test at all."""
    through = [test for test in tests if test.verdict != "lost"]
    modes = [MODES.index(test.mode) for test in through if test.mode]
    verdict = VERDICTS[median_high(VERDICTS.index(test.verdict) for test in tests)]
    lost = verdict == "lost"
    return Summary(
        tests=len(tests),
        verdict=verdict,
        mode=MODES[median_high(modes)] if modes and not lost else "",
        kbit_up=_middle([test.kbit_up for test in through]),
        kbit_down=_middle([test.kbit_down for test in through]),
        round_trip_ms=_middle([test.round_trip_ms for test in through]),
    )


def _middle(numbers: list[int]) -> int | None:
    return median_high(numbers) if numbers else None
