"""What a browser sends is taken whole or refused whole, whatever it is."""

import contextlib
import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consultations.messages import KINDS, MAX_BYTES, BadMessage, parse

HASH = "a" * 64
ONE_OF_EACH: dict[str, dict[str, Any]] = {
    "hello": {"ticket": "signed", "protocol": 1},
    "ping": {},
    "snapshot": {},
    "offer": {"sdp": "v=0"},
    "stats": {
        "path": "relay",
        "round_trip": 0.21,
        "concealed": 0.02,
        "freezes": 3,
        "frozen": 4.5,
    },
    "mute": {"kind": "audio", "muted": True},
    "sends": {"mode": "slow"},
    "watch": {"video": "save"},
    "consent": {
        "participant": str(uuid4()),
        "decision": "given",
        "how": "tapped",
        "text_version": "2026-11",
        "text_sha256": HASH,
        "language": "fr",
        "speaker": None,
    },
    "withdraw": {"participant": str(uuid4())},
    "declare": {
        "person": str(uuid4()),
        "name": "Itto",
        "capacity": "grand-mère",
        "on_camera": False,
    },
    "undeclare": {"person": str(uuid4())},
    "place": {"place": "", "phone": "", "contact": ""},
    "chat": {"text": "Bonjour", "to": None},
    "unable": {"reason": "device"},
    "leave": {},
    "admit": {"participant": str(uuid4())},
    "deny": {"participant": str(uuid4())},
    "remove": {"participant": str(uuid4())},
    "identify": {"how": "document"},
    "pause": {},
    "resume": {},
    "override": {"reason": "Arrêt cardiaque, seul à la maison"},
    "record_ask": {},
    "record_consent": {
        "subject": str(uuid4()),
        "decision": "given",
        "how": "spoken",
        "text_version": "2026-11",
        "text_sha256": HASH,
        "language": "fr",
        "speaker": str(uuid4()),
    },
    "record_start": {},
    "record_stop": {},
    "picture_ask": {"participant": str(uuid4()), "site": "eye", "side": "none"},
    "picture_send": {
        "picture": str(uuid4()),
        "bytes": 400_000,
        "sha256": HASH,
        "width": 4000,
        "height": 3000,
        "age": 1.5,
    },
    "picture_end": {"picture": str(uuid4())},
    "record_withdraw": {"subject": str(uuid4()), "keep": False},
    "emergency": {},
    "finish": {"mode": "video"},
}

MAY_BE_NULL = {"to", "speaker", "round_trip", "concealed", "freezes", "frozen"}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def spoken(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "id": str(uuid4()), **ONE_OF_EACH[type_], **fields}


def taken(said: Any) -> bool:
    try:
        parse(json.dumps(said))
    except BadMessage:
        return False
    return True


def test_the_examples_are_all_there_is():
    assert set(ONE_OF_EACH) == set(KINDS)


@pytest.mark.parametrize("type_", KINDS)
def test_a_whole_message_passes_and_tells_its_fields(type_):
    said = spoken(type_)

    message = parse(json.dumps(said))

    assert message.type == type_
    assert message.id == (said["id"] if KINDS[type_].changes else None)
    assert dict(message.fields) == ONE_OF_EACH[type_]


@pytest.mark.parametrize(
    ("type_", "field"),
    [(type_, field) for type_, kind in KINDS.items() for field in kind.fields],
)
def test_a_field_that_is_missing_or_of_another_kind_is_refused(type_, field):
    for wrong in (-17, [], {}, {"a": 1}):
        assert not taken(spoken(type_, **{field: wrong}))
    if field not in MAY_BE_NULL:
        assert not taken(spoken(type_, **{field: None}))


@pytest.mark.parametrize("type_", [name for name, kind in KINDS.items() if kind.changes])
@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "",
        "1",
        1,
        "{12345678123456781234567812345678}--",
        "3F829A4F-78EB-4FFB-83D8-B691D472111A\n",
    ],
)
def test_a_change_needs_an_id_of_one_spelling(type_, wrong):
    assert not taken(spoken(type_, id=wrong))


@pytest.mark.parametrize("text", ["a\0b", "half \ud800 pair", " \n\t", "", "x" * 2001])
def test_text_that_no_database_keeps_is_refused(text):
    assert not taken(spoken("chat", text=text))


@given(st.text(st.characters(), max_size=300) | st.binary(max_size=300).map(repr))
def test_arbitrary_text_raises_nothing_else(raw):
    with contextlib.suppress(BadMessage):
        parse(raw)


@given(st.sampled_from([*KINDS, "nothing"]), st.dictionaries(st.text(), anything, max_size=3))
def test_arbitrary_json_raises_nothing_else(type_, said):
    taken({"type": type_, "id": str(uuid4())} | said)


@given(st.sampled_from(list(KINDS)), st.data())
def test_arbitrary_values_in_known_fields_raise_nothing_else(type_, data):
    fields = {name: data.draw(anything) for name in KINDS[type_].fields}
    taken({"type": type_, "id": data.draw(anything), **fields})


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "[" * 100_000,
        "9" * 10_000,
        '{"type": NaN}',
        json.dumps(spoken("chat", text="é" * 40_000), ensure_ascii=False),
        " " * MAX_BYTES + "{}",
    ],
    ids=["binary", "deep", "long number", "nan", "many bytes", "padded"],
)
def test_what_is_made_to_break_a_parser_breaks_nothing(raw):
    with pytest.raises(BadMessage):
        parse(raw)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "192.0.2.7"),
        ("round_trip", -0.1),
        ("round_trip", 61),
        ("round_trip", float("nan")),
        ("round_trip", True),
        ("concealed", 1.5),
        ("concealed", float("inf")),
        ("freezes", 2.5),
        ("freezes", 10**9),
        ("frozen", "4"),
    ],
)
def test_numbers_are_bounded_and_are_numbers(name, value):
    assert taken(spoken("stats", **{name: None if name != "path" else "unknown"}))
    assert not taken(spoken("stats", **{name: value}))
