"""Personal links: made by the server alone, told apart from their code, and void in time."""

from datetime import timedelta

import pytest
from django.db import connection

from scheduling import actions, links, queries
from scheduling.models import PersonalLink
from scheduling.refusals import Refused
from scheduling.rules import CODE_TRIES, LINK_LIVES_AFTER
from telemed.audit.actor import Actor
from telemed.lib import clock as the_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def karim(cast) -> Actor:
    return Actor("user", cast.karim.pk, role="coordinator")


@pytest.fixture
def appointment(cast, karim):
    start = queries.alternatives(
        cast.at_home, cast.dr_salma.pk, cast.yassine, the_clock.now() + timedelta(days=1)
    )[0]
    return actions.book_at(cast.at_home, start, cast.yassine, karim)


@pytest.fixture
def link(appointment) -> PersonalLink:
    return appointment.links.get()


def test_a_token_opens_its_link_and_names_it(link):
    assert links.link_of(links.token(link)) == link
    assert len(links.token(link)) == 48
    assert links.token(link) == links.token(PersonalLink.objects.get(pk=link.pk))


@pytest.mark.parametrize("place", [0, 20, 21, 30, 47])
def test_a_changed_token_opens_nothing(link, place):
    token = links.token(link)
    changed = "A" if token[place] != "A" else "B"
    assert links.link_of(token[:place] + changed + token[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "x", "…", "A" * 48, "A" * 500, "%00" * 16])
def test_what_is_no_token_opens_nothing(text):
    assert links.link_of(text) is None


def test_neither_token_nor_code_stands_in_any_table(link, appointment):
    token, code = links.token(link), links.code(link)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            dump = " ".join(str(row) for row in cursor.fetchall())
            assert token not in dump
            assert f"'{code}'" not in dump


def test_another_key_makes_other_tokens_and_a_lost_key_opens_nothing(link, settings):
    token, old = links.token(link), settings.LINK_KEYS
    settings.LINK_KEYS = {"new": "n" * 40, **old}
    assert links.link_of(token) == link  # keys are rotated by adding one in front
    settings.LINK_KEYS = {"new": "n" * 40}
    assert links.link_of(token) is None


def test_issuing_anew_voids_the_earlier_issue(link, appointment, karim):
    token, code = links.token(link), links.code(link)
    again = actions.reissue_link(link, karim)
    assert links.link_of(token) is None
    assert links.link_of(links.token(again)) == link
    assert links.token(again) != token
    assert links.code(again) != code


def test_moving_gives_a_new_link_and_cancelling_leaves_none(link, appointment, karim):
    token = links.token(link)
    actions.move(appointment, appointment.starts_at + timedelta(hours=1), karim)
    assert links.link_of(token) is None
    moved = links.token(appointment.links.get())
    assert links.link_of(moved) == link
    actions.cancel(appointment, karim)
    assert links.link_of(moved) is None


def test_moving_voids_the_links_of_companions(link, appointment, karim):
    companion = actions.issue_link(appointment, "companion", karim, name="Rkia")
    actions.move(appointment, appointment.starts_at + timedelta(hours=1), karim)
    assert links.link_of(links.token(companion)) is None


def test_a_finished_visit_and_time_close_the_door(link, appointment, karim, clock):
    token = links.token(link)
    clock.move(appointment.ends_at + LINK_LIVES_AFTER - the_clock.now())
    assert links.link_of(token) is None
    clock.reset()
    assert links.link_of(token) == link
    actions.set_outcome(appointment, "fulfilled", karim, manual=True)
    assert links.link_of(token) is None


def test_the_right_code_opens_however_it_is_typed(link):
    code = links.code(link)
    links.check_code(link, f" {code[:3]} {code[3:]} ")
    eastern = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    links.check_code(link, eastern)


def test_few_tries_then_somebody_helps(link, karim):
    wrong = "000000" if links.code(link) != "000000" else "111111"
    for left in range(CODE_TRIES - 1, -1, -1):
        with pytest.raises(Refused, match="wrong_code") as refused:
            links.check_code(link, wrong)
        assert refused.value.facts["tries_left"] == left
    with pytest.raises(Refused, match="code_locked"):
        links.check_code(link, links.code(link))
    again = actions.reissue_link(link, karim)
    links.check_code(again, links.code(again))


def test_a_right_code_gives_the_tries_back(link):
    wrong = "000000" if links.code(link) != "000000" else "111111"
    with pytest.raises(Refused):
        links.check_code(link, wrong)
    links.check_code(link, links.code(link))
    link.refresh_from_db()
    assert link.tries_left == CODE_TRIES
