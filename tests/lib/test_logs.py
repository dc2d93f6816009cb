"""What is logged carries ids and nothing that a person would call their own."""

import io
import json
import logging
import uuid

import pytest

from telemed.lib import context, logs

SECRET = "kq3V0eXh9PZ2mJb7uYtR4w"  # 22 characters of base64url: 128 bits


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("mail to amina.idrissi+1@demo.example failed", "mail to [email] failed"),
        ("called +212 6 00 00 00 01 twice", "called [phone] twice"),
        ("called 0600000001", "called [phone]"),
        ("called 06-00-00-00-01.", "called [phone]."),
        ("called 00212600000001", "called [phone]"),
        (f"GET /l/{SECRET}/", "GET /l/[secret]/"),
        (f"?ticket={SECRET}:x", "?ticket=[secret]:x"),
        ("200 in 1543 ms", "200 in 1543 ms"),
        ("at 2026-11-24T14:30:00", "at 2026-11-24T14:30:00"),
        ("telemed.messaging.tasks.deliver_due", "telemed.messaging.tasks.deliver_due"),
    ],
)
def test_personal_data_is_struck_out(said, written):
    assert logs.without_personal_data(said) == written


def test_ids_stay():
    ours = f"appointment {uuid.uuid4()} is full"
    assert logs.without_personal_data(ours) == ours


@pytest.fixture
def write():
    """``write(formatter)``: a logger of its own, and what it has written so far."""

    def make(formatter):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.addFilter(logs.Discreet())
        handler.setFormatter(formatter)
        logger = logging.Logger("telemed.test")
        logger.addHandler(handler)
        return logger, stream

    return make


def test_a_line_of_json_carries_the_ids(write):
    logger, stream = write(logs.Json())
    with context.about(request="r-1", person="p-1", room="o-1"):
        logger.info("admitted %s", "amina@demo.example")
    entry = json.loads(stream.getvalue())
    assert entry["message"] == "admitted [email]"
    assert (entry["request"], entry["person"], entry["room"]) == ("r-1", "p-1", "o-1")
    assert (entry["level"], entry["logger"]) == ("info", "telemed.test")


def test_ids_end_with_their_block(write):
    logger, stream = write(logs.Json())
    with context.about(request="r-1"), context.about(room="o-1"):
        pass
    logger.info("after")
    assert {"request", "room"} & json.loads(stream.getvalue()).keys() == set()


def test_production_tells_where_it_failed_and_not_what_was_entered(write):
    logger, stream = write(logs.Json())
    try:
        raise ValueError("no such patient: Fatima Zahra El Amrani")
    except ValueError:
        logger.exception("lookup failed")
    entry = json.loads(stream.getvalue())
    assert entry["exception"] == "ValueError"
    assert entry["at"][-1].endswith(
        "test_production_tells_where_it_failed_and_not_what_was_entered"
    )
    assert "Fatima" not in stream.getvalue()


def test_development_shows_the_whole_traceback(write):
    logger, stream = write(logs.Readable())
    try:
        raise ValueError("reason")
    except ValueError:
        logger.exception("failed")
    assert "ValueError: reason" in stream.getvalue()
