"""Who opened my data, and the auditor's search: readable, scoped, and audited themselves."""

import pytest

from telemed.accounts.models import OrganisationParent
from telemed.accounts.roles import May, Role
from telemed.audit.actions import record
from telemed.audit.actor import SYSTEM, Actor
from telemed.audit.models import Event
from tests import make


def read_by(cast, user, patient, role="presenter", place=None):
    place = place or cast.imilchil
    actor = Actor("user", user.id, role=role, organisation=place.id)
    return record("patient.read", actor, patient=patient.id)


def test_it_works(client, cast):
    read_by(cast, cast.brahim, cast.amina)
    client.force_login(cast.amina.user)
    answer = client.get("/audit/mine/", follow=True, headers={"accept-language": "en"})
    assert answer.status_code == 200
    lines = answer.context["lines"]
    assert [line.event.action for line in lines] == ["audit.read_own", "patient.read"]
    assert "Centre de santé Imilchil" in answer.text or "المركز الصحي إملشيل" in answer.text
    assert lines[1].who in answer.text


def test_a_representative_reads_it_on_behalf(client, cast):
    read_by(cast, cast.brahim, cast.yassine)
    assert cast.fatima_for_yassine
    client.force_login(cast.fatima)
    assert client.get("/audit/mine/", follow=True).status_code == 200
    event = Event.objects.get(action="audit.read_own")
    assert (event.actor, event.on_behalf_of) == (cast.fatima.id, cast.yassine.id)


def test_a_representative_who_may_not_read_does_not(client, cast):
    row = cast.fatima_for_yassine
    row.may_read = False
    row.save()
    client.force_login(cast.fatima)
    assert client.get(f"/audit/about/{cast.yassine.id}/").status_code == 404
    assert "lines" not in (client.get("/audit/mine/").context or {})


def test_nobody_reads_who_opened_anothers_data(client, cast):
    client.force_login(cast.amina.user)
    assert client.get(f"/audit/about/{cast.zineb.id}/").status_code == 404


@pytest.mark.parametrize("name", ["brahim", "salma", "karim", "omar", "driss"])
def test_only_auditors_search(client, cast, name):
    client.force_login(getattr(cast, name))
    assert client.get("/audit/").status_code == 403


def test_an_auditor_of_everything_sees_everything_and_is_seen(client, cast):
    read_by(cast, cast.brahim, cast.amina)
    read_by(cast, cast.hassan, cast.zineb, place=cast.temara)
    record("purge", SYSTEM)
    client.force_login(cast.nadia)
    actions = [line.event.action for line in client.get("/audit/").context["lines"]]
    assert actions.count("patient.read") == 2
    assert "purge" in actions
    event = Event.objects.get(action="audit.search")
    assert (event.actor, event.role, event.purpose) == (cast.nadia.id, "auditor", "audit")


def test_a_regional_auditor_sees_the_region_only(client, cast):
    read_by(cast, cast.brahim, cast.amina)
    read_by(cast, cast.hassan, cast.zineb, place=cast.temara)
    away = read_by(cast, cast.salma, cast.amina, "specialist", place=cast.chu)
    record("purge", SYSTEM)
    auditor = make.user("r@cast.example", "Regional auditor")
    make.member(auditor, Role.AUDITOR, cast.draa)
    client.force_login(auditor)
    lines = client.get("/audit/").context["lines"]
    assert {line.event.patient for line in lines} == {cast.amina.id}
    assert away.id in [line.event.id for line in lines]
    assert OrganisationParent.objects.exists()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"person": "brahim@cast.example"}, 1),
        ({"person": "Tazi"}, 1),
        ({"person": "nobody"}, 0),
        ({"action": "patient.read"}, 2),
        ({"action": "patient.read", "outcome": "refused"}, 0),
        ({"action": "patient.read", "first_day": "2030-01-01"}, 0),
        ({"action": "patient.read", "last_day": "2020-01-01"}, 0),
    ],
)
def test_filters_narrow(client, cast, query, count):
    read_by(cast, cast.brahim, cast.amina)
    read_by(cast, cast.hassan, cast.zineb, place=cast.temara)
    client.force_login(cast.nadia)
    lines = client.get("/audit/", query).context["lines"]
    assert len(lines) == count


def test_filters_by_patient(client, cast):
    read_by(cast, cast.brahim, cast.amina)
    read_by(cast, cast.hassan, cast.zineb, place=cast.temara)
    client.force_login(cast.nadia)
    lines = client.get("/audit/", {"patient": str(cast.amina.id)}).context["lines"]
    assert {line.event.patient for line in lines} == {cast.amina.id}


def test_a_wrong_filter_is_told(client, cast):
    client.force_login(cast.nadia)
    answer = client.get("/audit/", {"patient": "not a number"})
    assert answer.context["form"].errors["patient"]


def test_a_long_list_has_pages(client, cast):
    for _ in range(60):
        read_by(cast, cast.brahim, cast.amina)
    client.force_login(cast.nadia)
    first = client.get("/audit/", {"action": "patient.read"})
    assert len(first.context["lines"]) == 50
    assert "action=patient.read&amp;page=2" in first.text
    second = client.get("/audit/", {"action": "patient.read", "page": "2"})
    assert len(second.context["lines"]) == 10


def test_the_page_takes_few_queries(client, cast, django_assert_max_num_queries):
    for _ in range(30):
        read_by(cast, cast.brahim, cast.amina)
    client.force_login(cast.nadia)
    client.get("/audit/")  # the first page of a session also writes the session down
    with django_assert_max_num_queries(25):
        client.get("/audit/")


def test_no_page_of_the_audit_offers_a_change(cast, client):
    client.force_login(cast.nadia)
    assert client.post("/audit/").status_code == 405
    assert May.AUDIT_READ
