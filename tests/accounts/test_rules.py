from datetime import date

import pytest

from telemed.accounts.names import search_key
from telemed.accounts.rules import LIKELY, Likeness, likeness

AMINA = Likeness(search_key("Amina", "El Idrissi"), date(1985, 5, 17), "day", "female")


def like(name, birth=None, precision="day", sex="unknown"):
    return Likeness(search_key(name), birth, precision, sex)


LIKELY_CASES = [
    like("أمينة الإدريسي"),
    like("Aminah Drissi", date(1985, 5, 17)),
    like("Amina Idrissi", date(1985, 5, 18)),  # one digit misread
    like("Amina Idrissi", date(1985, 1, 1), "year"),
    like("Amina Idrissi", date(1982, 1, 1), "estimated"),
    like("Amina Bennani El Idrissi", date(1985, 5, 17)),
]
OTHER_CASES = [
    like("Mouna Idrissi", date(1985, 5, 17)),
    like("Amina Idrissi", date(1985, 5, 17), sex="male"),
    like("Amina Idrissi", date(1962, 11, 3)),
    like("Amina Idrissi", date(1990, 1, 1), "year"),
    like("Amina Idrissi", date(1960, 1, 1), "estimated"),
    like("", date(1985, 5, 17)),
]


@pytest.mark.parametrize("other", LIKELY_CASES)
def test_who_may_be_the_same_person(other):
    assert likeness(AMINA, other) >= LIKELY
    assert likeness(AMINA, other) == likeness(other, AMINA)


@pytest.mark.parametrize("other", OTHER_CASES)
def test_who_is_not(other):
    assert likeness(AMINA, other) < LIKELY
