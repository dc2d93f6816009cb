"""What went wrong in a call, by tables; and that no numbers confuse the rule."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consultations.call_quality import CAUSES, MENDS, SENTENCES, in_words
from consultations.quality_rules import (
    MODES,
    TROUBLES,
    VERDICTS,
    Attendee,
    Cause,
    Finding,
    Grade,
    Leg,
    Trial,
    classify,
    summary,
)

GOOD = Leg(
    connected=True,
    over=True,
    seconds=900,
    loss=0.01,
    round_trip_ms=90,
    concealed=0.001,
    frozen=0.0,
)
FAILED_LEG = Leg(connected=False, over=True, seconds=30)
SALMA = Attendee("specialist", came=True, admitted=True, legs=(GOOD,))
AMINA = Attendee("patient", came=True, admitted=True, legs=(GOOD,))
ABSENT: dict[str, Any] = {"came": False, "admitted": False, "legs": ()}
WAITED: dict[str, Any] = {"came": True, "admitted": False, "legs": ()}


@pytest.mark.parametrize(
    ("people", "over", "found"),
    [
        ([], False, None),
        ([SALMA, AMINA], False, None),
        ([SALMA, AMINA], True, None),
        # Nobody met: why somebody could not come in, before who did not come.
        *(
            ([SALMA, replace(AMINA, **WAITED, trouble=told)], False, (cause, "patient", detail))
            for told, (cause, detail) in TROUBLES.items()
        ),
        ([SALMA, replace(AMINA, legs=(FAILED_LEG,))], False, ("network", "patient", "no_path")),
        (
            [SALMA, replace(AMINA, legs=(replace(FAILED_LEG, stopped=True),))],
            False,
            ("server", "patient", "interrupted"),
        ),
        ([SALMA, replace(AMINA, legs=(replace(FAILED_LEG, over=False),))], False, None),
        # Who is not here may still come while the time is not over.
        ([SALMA, replace(AMINA, **ABSENT)], False, None),
        ([SALMA, replace(AMINA, **ABSENT)], True, ("absence", "patient", "did_not_come")),
        ([SALMA], True, ("absence", "patient", "did_not_come")),
        ([AMINA], True, ("absence", "specialist", "did_not_come")),
        ([], True, ("absence", "specialist", "did_not_come")),
        (
            [replace(SALMA, legs=()), replace(AMINA, **WAITED)],
            True,
            ("absence", "specialist", "nobody_admitted"),
        ),
        # A companion's trouble is not the visit's failure when the others met.
        (
            [SALMA, AMINA, Attendee("companion", came=True, admitted=False, trouble="device")],
            True,
            None,
        ),
        # Nor does it stand for an absence.
        (
            [AMINA, Attendee("companion", came=True, admitted=False, trouble="permission")],
            True,
            ("absence", "specialist", "did_not_come"),
        ),
        (
            [SALMA, Attendee("interpreter", came=True, admitted=True, legs=(FAILED_LEG,))],
            True,
            ("absence", "patient", "did_not_come"),
        ),
        # A presenter carries the patient.
        ([SALMA, replace(AMINA, role="presenter")], True, None),
        # Somebody came back after trouble: it is over.
        ([SALMA, replace(AMINA, trouble="permission")], True, None),
    ],
)
def test_whether_and_why_they_did_not_meet(people, over, found):
    told = classify(people, over=over)
    assert (told and (told.cause, told.role, told.detail)) == found
    assert told is None or told.grade == Grade.FAILED


@pytest.mark.parametrize(
    ("leg", "found"),
    [
        ({"loss": 0.079}, None),
        ({"loss": 0.12}, ("network", "loss", 12)),
        ({"round_trip_ms": 799}, None),
        ({"round_trip_ms": 1200}, ("network", "slow_answer", 1200)),
        ({"breaks": 1, "gaps": 4.0}, None),
        ({"breaks": 3, "gaps": 9.0}, ("network", "broke", 3)),
        ({"breaks": 1, "gaps": 40.0}, ("network", "broke", 1)),
        ({"voice_only": 0.5}, ("network", "narrow", 50)),
        ({"concealed": 0.07}, ("network", "sound", 7)),
        ({"frozen": 0.2}, ("device", "slow_device", 20)),
        ({"frozen": 0.2, "loss": 0.05}, ("network", "frozen", 20)),
        ({"frozen": 0.2, "breaks": 1}, ("network", "frozen", 20)),
        ({"stopped": True, "loss": 0.5}, ("server", "interrupted", 0)),
        ({"lost": True}, ("network", "lost", 0)),
        # The worst of several, by how far it is over its limit.
        ({"loss": 0.10, "round_trip_ms": 4000}, ("network", "slow_answer", 4000)),
        # Too short to be judged by its means.
        ({"loss": 0.5, "seconds": 5}, None),
        # What was not told is no fault.
        ({"loss": None, "round_trip_ms": None, "concealed": None, "frozen": None}, None),
    ],
)
def test_what_was_bad_of_a_call_that_came_about(leg, found):
    told = classify([SALMA, replace(AMINA, legs=(replace(GOOD, **leg),))], over=True)
    assert (told and (told.cause, told.detail, told.amount)) == found
    assert told is None or (told.grade, told.role) == (Grade.POOR, "patient")


def test_who_was_lost_and_came_back_is_not_lost():
    came_back = replace(AMINA, legs=(replace(GOOD, lost=True), GOOD))
    assert classify([SALMA, came_back], over=True) is None


def test_who_falls_silent_at_the_end_of_a_finished_visit_had_gone():
    gone = replace(AMINA, legs=(replace(GOOD, lost=True),))
    assert classify([SALMA, gone], over=True, finished=True) is None
    told = classify([SALMA, gone], over=True)
    assert told is not None
    assert told.detail == "lost"


shares = st.none() | st.floats(0, 1)
legs = st.builds(
    Leg,
    connected=st.booleans(),
    over=st.booleans(),
    stopped=st.booleans(),
    lost=st.booleans(),
    seconds=st.floats(0, 1e5),
    breaks=st.integers(0, 200),
    gaps=st.floats(0, 1e5),
    voice_only=st.floats(0, 1),
    loss=shares,
    round_trip_ms=st.none() | st.integers(0, 60_000),
    concealed=shares,
    frozen=shares,
)
attendees = st.builds(
    Attendee,
    role=st.sampled_from(["patient", "specialist", "presenter", "companion", "interpreter"]),
    came=st.booleans(),
    admitted=st.booleans(),
    trouble=st.sampled_from(["", *TROUBLES]),
    legs=st.lists(legs, max_size=3).map(tuple),
)


@given(st.lists(attendees, max_size=4), st.booleans())
def test_whatever_was_found_has_words(people, over):
    found = classify(people, over=over)
    if found is not None:
        told = in_words(found)
        assert "{" not in told["sentence"]
        assert told["cause"]
        assert told["mend"]


@given(legs, st.floats(0, 1))
def test_more_loss_never_makes_a_call_good(leg, more):
    def judged(one: Leg) -> Finding | None:
        return classify([SALMA, replace(AMINA, legs=(one,))], over=True)

    worse = replace(leg, loss=min(1.0, (leg.loss or 0.0) + more))
    assert judged(leg) is None or judged(worse) is not None


def test_every_cause_has_a_mend_and_every_sentence_a_cause():
    assert set(CAUSES) == set(MENDS) == set(Cause)
    assert {cause for cause, _detail in SENTENCES} == set(Cause)


def trial(verdict: str, mode: str = "", kbit: int = 0) -> Trial:
    return Trial(verdict, mode, kbit, kbit * 2, 100)


@pytest.mark.parametrize(
    ("tests", "verdict", "mode", "kbit"),
    [
        ([trial("good", "full", 900)], "good", "full", 900),
        # The worse of the two in the middle.
        ([trial("good", "full", 900), trial("poor", "small", 200)], "poor", "small", 900),
        (
            [trial("good", "full", 900), trial("good", "full", 800), trial("lost")],
            "good",
            "full",
            900,
        ),
        ([trial("lost"), trial("lost"), trial("good", "full", 900)], "lost", "", 900),
        ([trial("lost")], "lost", "", None),
    ],
)
def test_what_to_expect_at_a_place(tests, verdict, mode, kbit):
    told = summary(tests)
    assert (told.verdict, told.mode, told.kbit_up) == (verdict, mode, kbit)
    assert told.tests == len(tests)


@given(
    st.lists(
        st.builds(
            Trial,
            verdict=st.sampled_from(VERDICTS),
            mode=st.sampled_from(["", *MODES]),
            kbit_up=st.integers(0, 10**6),
            kbit_down=st.integers(0, 10**6),
            round_trip_ms=st.integers(0, 60_000),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_a_summary_says_nothing_that_no_test_said(tests):
    told = summary(tests)
    assert told.verdict in {test.verdict for test in tests}
    assert told.mode in {"", *(test.mode for test in tests)}
