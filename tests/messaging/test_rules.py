"""Backoff and the length of an SMS."""

from datetime import timedelta

import pytest

from telemed.messaging import rules, sms


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [
        (1, timedelta(seconds=30)),
        (2, timedelta(minutes=2)),
        (3, timedelta(minutes=8)),
        (5, timedelta(hours=2, minutes=8)),
    ],
)
def test_each_failure_waits_longer(attempts, wait):
    assert rules.next_try_in(attempts) == wait


def test_a_message_is_given_up_when_tries_are_used_or_useless():
    assert not rules.is_given_up(rules.MAX_ATTEMPTS - 1)
    assert rules.is_given_up(rules.MAX_ATTEMPTS)
    assert rules.is_given_up(1, permanent=True)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("à é è ù", 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ê" + "a" * 69, 1),  # a letter outside the alphabet turns the whole text to UCS-2
        ("ê" + "a" * 70, 2),
        ("م" * 70, 1),
        ("م" * 71, 2),
        ("م" * 134, 2),
        ("م" * 135, 3),
        ("😀" * 35, 1),  # two UTF-16 units each
        ("😀" * 36, 2),
    ],
)
def test_segments(text, parts):
    assert sms.segments(text) == parts
