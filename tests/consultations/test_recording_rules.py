"""When a recording may run, and who may say what a present person decided: pure, by tables."""

import pytest

from consultations.rules import ConsentState, RecordingFacts, may_record, says_for_present

GIVEN, NONE, REFUSED, WITHDRAWN = (
    ConsentState.GIVEN,
    ConsentState.NONE,
    ConsentState.REFUSED,
    ConsentState.WITHDRAWN,
)


@pytest.mark.parametrize(
    ("enabled", "room", "consents", "why"),
    [
        (True, "in-session", [GIVEN, GIVEN], ""),
        (True, "in-session", [GIVEN], ""),
        (False, "in-session", [GIVEN, GIVEN], "off"),
        (True, "waiting", [GIVEN], "room"),
        (True, "paused", [GIVEN, GIVEN], "room"),
        (True, "interrupted", [GIVEN, GIVEN], "room"),
        (True, "closed", [GIVEN, GIVEN], "room"),
        (True, "in-session", [], "unconsented"),
        (True, "in-session", [GIVEN, NONE], "unconsented"),
        (True, "in-session", [REFUSED, GIVEN], "unconsented"),
        (True, "in-session", [GIVEN, GIVEN, WITHDRAWN], "unconsented"),
        (True, "in-session", [GIVEN, ConsentState.NOT_NEEDED], "unconsented"),
    ],
)
def test_it_runs_only_while_everybody_has_agreed(enabled, room, consents, why):
    assert may_record(RecordingFacts(enabled, room, tuple(consents))) == why


@pytest.mark.parametrize(
    ("at_that_end", "spoken", "professional", "refusal"),
    [
        (True, False, False, ""),
        (True, False, True, ""),
        (True, True, True, ""),
        (True, True, False, "no_witness"),
        (False, False, True, "not_allowed"),
        (False, True, True, "not_allowed"),
    ],
)
def test_a_present_person_speaks_on_the_device_of_their_end(
    at_that_end, spoken, professional, refusal
):
    found = says_for_present(at_that_end=at_that_end, spoken=spoken, professional=professional)
    assert found == refusal
