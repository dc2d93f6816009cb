"""What flows, who keeps a place and who waits how long: tables, and whatever else may come."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consultations import rules
from consultations.models import Participant, ParticipantRole, Room
from consultations.rules import GUESTS, ConsentState, Permit, Person, permits

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
State = Participant.State
ALL, NOTHING = Permit(send=True, receive=True), Permit(send=False, receive=False)
STOPS = (ConsentState.REFUSED, ConsentState.WITHDRAWN)


def in_session(people, *, override=False, attended=True, state=Room.State.IN_SESSION):
    return permits(people, room_state=state, override=override, attended=attended)


def doctor(state=State.CONNECTED):
    return Person("doctor", "specialist", state, ConsentState.NOT_NEEDED)


def patient(consent=ConsentState.GIVEN, state=State.CONNECTED, beside=None):
    return Person("patient", "patient", state, consent, beside)


def other(role, consent=ConsentState.GIVEN, state=State.CONNECTED):
    return Person(role, role, state, consent)


@st.composite
def rooms(draw):
    """One specialist, one patient on their own device or beside another, and up to four others."""
    consents = st.sampled_from([one for one in ConsentState if one != ConsentState.NOT_NEEDED])
    states = st.sampled_from(list(State))
    roles = st.sampled_from(["presenter", "representative", "companion", "interpreter"])
    people = [doctor(draw(states))]
    for number in range(draw(st.integers(0, 4))):
        people.append(Person(f"p{number}", draw(roles), draw(states), draw(consents)))
    carriers = [None, *(one.id for one in people if one.role in ("presenter", "representative"))]
    people.append(patient(draw(consents), draw(states), draw(st.sampled_from(carriers))))
    return draw(st.permutations(people))


@given(rooms(), st.sampled_from(list(Room.State)), st.booleans(), st.booleans())
def test_what_flows_in_any_room(people, room_state, override, attended):
    given_ = permits(people, room_state=room_state, override=override, attended=attended)

    connections = {one.id: one for one in people if one.beside is None}
    assert set(given_) == set(connections)
    agreed = next(one.consent for one in people if one.role == "patient")
    for name, permit in given_.items():
        if permit == NOTHING:
            continue
        carried = [one for one in people if one.beside == name]
        assert (room_state, attended) == (Room.State.IN_SESSION, True)
        assert connections[name].state in (State.ADMITTED, State.CONNECTED, State.RECONNECTING)
        assert agreed == ConsentState.GIVEN or (override and agreed == ConsentState.NONE)
        for one in (connections[name], *carried):
            assert one.consent not in STOPS
            assert (override and one.role not in GUESTS) or one.consent != ConsentState.NONE


@pytest.mark.parametrize("consent", [ConsentState.NONE, *STOPS])
def test_nothing_flows_before_the_patients_consent(consent):
    people = [doctor(), patient(consent), other("interpreter")]

    assert set(in_session(people).values()) == {NOTHING}


def test_who_has_not_agreed_is_left_out_and_holds_up_nobody():
    people = [doctor(), patient(), other("interpreter", ConsentState.NONE)]

    assert in_session(people) == {"doctor": ALL, "patient": ALL, "interpreter": NOTHING}


@pytest.mark.parametrize("consent", STOPS)
def test_no_emergency_stands_above_a_refusal(consent):
    assert in_session([doctor(), patient(consent)], override=True) == {
        "doctor": NOTHING,
        "patient": NOTHING,
    }


def test_an_emergency_stands_in_for_what_nobody_could_ask():
    assert in_session([doctor(), patient(ConsentState.NONE)], override=True) == {
        "doctor": ALL,
        "patient": ALL,
    }


@pytest.mark.parametrize("role", ["companion", "interpreter"])
def test_an_emergency_does_not_answer_for_a_guest(role):
    people = [doctor(), patient(ConsentState.NONE), other(role, ConsentState.NONE)]

    assert in_session(people, override=True) == {"doctor": ALL, "patient": ALL, role: NOTHING}


@pytest.mark.parametrize("consent", [ConsentState.NONE, *STOPS])
def test_who_is_carried_and_has_not_agreed_stops_the_connection(consent):
    people = [doctor(), other("presenter"), patient(consent, beside="presenter")]

    assert in_session(people)["presenter"] == NOTHING


def test_the_presenters_own_refusal_stops_the_connection_they_share():
    people = [
        doctor(),
        other("presenter", ConsentState.REFUSED),
        patient(beside="presenter"),
        other("interpreter"),
    ]

    assert in_session(people) == {"doctor": ALL, "presenter": NOTHING, "interpreter": ALL}


@pytest.mark.parametrize("state", [one for one in Room.State if one != Room.State.IN_SESSION])
def test_nothing_flows_in_a_room_that_is_not_in_session(state):
    assert set(in_session([doctor(), patient()], state=state).values()) == {NOTHING}


def test_nothing_flows_where_no_professional_is():
    assert set(in_session([doctor(), patient()], attended=False).values()) == {NOTHING}


@pytest.mark.parametrize(
    "state", [one for one in State if one not in ("admitted", "connected", "reconnecting")]
)
def test_who_is_not_in_gets_nothing(state):
    assert in_session([doctor(), patient(state=state)])["patient"] == NOTHING


@pytest.mark.parametrize(
    ("role", "decision", "withdrawn", "said"),
    [
        ("specialist", None, False, "not-needed"),
        ("patient", None, False, "none"),
        ("patient", "given", False, "given"),
        ("patient", "refused", False, "refused"),
        ("patient", "given", True, "withdrawn"),
        ("interpreter", "refused", True, "withdrawn"),
        ("presenter", None, False, "none"),
    ],
)
def test_a_consent_in_one_word(role, decision, withdrawn, said):
    assert rules.consent_state(role, decision, withdrawn=withdrawn) == said


MINUTES = [None, 0, 14, 15, 16]


@pytest.mark.parametrize(("same", "ago"), list(product([True, False], MINUTES)))
def test_a_place_is_kept_a_quarter_of_an_hour_in_the_same_browser(same, ago):
    seen = None if ago is None else NOW - timedelta(minutes=ago)

    kept = rules.keeps_place(seen, same_browser=same, now=NOW)

    assert kept == (same and ago is not None and ago <= 15)


BACK = (State.ADMITTED, State.CONNECTED, State.RECONNECTING, State.LEFT)


@pytest.mark.parametrize(
    ("state", "same", "ago"), list(product(State, [True, False], [None, 1, 15, 16]))
)
def test_only_who_was_in_and_kept_the_place_comes_straight_back(state, same, ago):
    seen = None if ago is None else NOW - timedelta(minutes=ago)

    entered = rules.state_on_entry("patient", state, seen, same_browser=same, now=NOW)

    straight = state in BACK and same and ago in (1, 15)
    assert entered == (State.ADMITTED if straight else State.WAITING)


def test_the_specialist_is_in_by_entering():
    entered = rules.state_on_entry("specialist", State.INVITED, None, same_browser=False, now=NOW)

    assert entered == State.ADMITTED


@pytest.mark.parametrize("state", list(State))
def test_leaving_the_waiting_room_does_not_open_the_room(state):
    gone = rules.state_on_leaving(state)

    back = rules.state_on_entry("patient", gone, NOW, same_browser=True, now=NOW)

    assert (back == State.ADMITTED) == (state in BACK)


@given(st.lists(st.tuples(st.uuids().map(str), st.datetimes()), unique_by=lambda one: one[0]))
def test_everybody_has_one_honest_place(waiting):
    places = [rules.queue(waiting, who) for who, _ in waiting]

    assert sorted(places) == list(range(1, len(waiting) + 1))
    for who, starts in waiting:
        earlier = sum(other_starts < starts for _, other_starts in waiting)
        assert rules.queue(waiting, who) > earlier


def test_who_is_not_in_the_queue_would_be_first():
    assert rules.queue([], "nobody") == 1


minutes = st.integers(-300, 300).map(lambda number: timedelta(minutes=number))
lengths = st.lists(st.integers(0, 60).map(lambda number: timedelta(minutes=number)))


@given(minutes, lengths, st.none() | minutes)
def test_nobody_is_promised_too_early(starts_in, before, running_for):
    running = None if running_for is None else NOW + running_for

    wait = rules.expected_wait(NOW + starts_in, before, running, NOW)

    assert wait >= max(timedelta(), starts_in, running_for or timedelta())
    assert wait >= sum(before, timedelta())


@pytest.mark.parametrize(
    ("born", "alone"),
    [
        (None, True),
        (date(2008, 11, 24), True),
        (date(2008, 11, 25), False),
        (date(2008, 2, 29), True),
        (date(2021, 3, 2), False),
        (date(1940, 1, 1), True),
    ],
)
def test_a_minor_does_not_consent_alone(born, alone):
    assert rules.may_consent_alone(born, date(2026, 11, 24), 18) == alone


@given(st.dates(date(1920, 1, 1), date(2026, 1, 1)), st.integers(0, 3000), st.integers(15, 21))
def test_who_is_of_age_stays_of_age(born, days, majority):
    today = date(2026, 1, 1)

    if rules.may_consent_alone(born, today, majority):
        assert rules.may_consent_alone(born, today + timedelta(days=days), majority)


def test_every_role_but_the_specialist_consents():
    assert set(ParticipantRole) - rules.NO_CONSENT_NEEDED == set(ParticipantRole) - {"specialist"}


def saying(role: str, **facts: bool) -> rules.Saying:
    return rules.Saying(role, **facts)


@pytest.mark.parametrize(
    ("it", "found"),
    [
        (saying("patient", own=True), "themselves"),
        (saying("patient", own=True, of_age=False), "representative_needed"),
        (saying("patient", own=True, of_age=False, given=False), "themselves"),
        (saying("patient", own=True, spoken=True), "no_witness"),
        (saying("interpreter", own=True, of_patient=False, of_age=False), "themselves"),
        (saying("interpreter"), "not_allowed"),
        (saying("specialist"), "not_allowed"),
        (saying("specialist", spoken=True), "no_witness"),
        (saying("presenter"), "not_allowed"),
        (saying("presenter", beside=True), "themselves"),
        (saying("presenter", beside=True, spoken=True), "themselves"),
        (saying("presenter", beside=True, of_age=False), "representative_needed"),
        (saying("presenter", beside=True, of_age=False, spoken=True), "representative_needed"),
        (saying("presenter", beside=True, of_age=False, spoken=True, named=True), "named"),
        (saying("presenter", beside=True, of_age=False, named=True), "representative_needed"),
        (saying("representative", beside=True), "themselves"),
        (saying("representative", beside=True, may_consent=True), "themselves"),
        (saying("representative", may_consent=True), "representative"),
        (saying("representative"), "not_allowed"),
        (
            saying("representative", beside=True, may_consent=True, guardian=True),
            "representative",
        ),
        (saying("representative", beside=True, guardian=True), "representative_needed"),
        (
            saying("representative", beside=True, may_consent=True, of_age=False),
            "representative",
        ),
        (saying("representative", beside=True, of_age=False), "representative_needed"),
        (saying("representative", beside=True, of_age=False, given=False), "themselves"),
        (saying("representative", may_consent=True, spoken=True), "no_witness"),
        (saying("representative", beside=True, of_patient=False), "not_allowed"),
    ],
)
def test_whose_decision_it_is(it, found):
    assert rules.speaker(it) == found


@pytest.mark.parametrize(
    ("identified", "admitted", "telephone", "due"),
    [
        ("", False, False, False),
        ("", True, False, True),
        ("", False, True, True),
        ("document", True, False, False),
        ("none", True, True, False),
    ],
)
def test_who_was_seen_or_telephoned_is_identified_or_said_not_to_be(
    identified, admitted, telephone, due
):
    found = rules.identification_is_due(
        identified, patient_admitted=admitted, by_telephone=telephone
    )

    assert found == due
