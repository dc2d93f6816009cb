"""The door: who comes in, how refusals read, and what is kept of them."""

import uuid

import pytest
from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import include, path

from telemed.accounts.access import patient_for, viewer
from telemed.accounts.doors import door
from telemed.accounts.models import Organisation
from telemed.accounts.roles import May
from telemed.audit.models import Event
from telemed.lib import clock
from telemed.lib.refusals import Refused
from tests import make


@door(May.PATIENT_READ)
def card(request, patient):
    return HttpResponse(str(patient_for(viewer(request), patient, May.PATIENT_READ)))


@door()
def anybody(request):
    return HttpResponse("in")


@door(May.CENTRE_DAY)
def refuses(request, code):
    with transaction.atomic():
        Organisation.objects.create(kind="facility", name={"fr": "left behind"})
        raise Refused(code, "Somebody was faster.")


@door(recent_sign_in=True)
def signs(request):
    return HttpResponse("signed")


@door()
def absent(request):
    raise Http404


urlpatterns = [
    path("card/<uuid:patient>/", card, name="card"),
    path("anybody/", anybody, name="anybody"),
    path("refuses/<str:code>/", refuses, name="refuses"),
    path("signs/", signs, name="signs"),
    path("absent/", absent, name="absent"),
    path("", include("telemed.urls")),
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


def test_it_works(client, cast):
    client.force_login(cast.brahim)
    answer = client.get(f"/card/{cast.amina.id}/")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"


def test_without_signing_in_one_is_sent_to_sign_in_and_back(client):
    answer = client.get("/anybody/?x=1")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/anybody/%3Fx%3D1"
    assert answer["Cache-Control"] == "no-store, private"


def test_a_fragment_sends_the_whole_page_to_sign_in(client):
    answer = client.get("/anybody/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/accounts/login/"


def test_without_the_ability_the_answer_is_the_same_for_any_object(client, cast):
    client.force_login(cast.karim)
    known = client.get(f"/card/{cast.amina.id}/")
    unknown = client.get(f"/card/{uuid.uuid4()}/")
    assert (known.status_code, unknown.status_code) == (403, 403)
    event = Event.objects.last()
    assert (event.outcome, event.code, event.action) == ("refused", "not_allowed", "card")
    assert (event.actor, event.role) == (cast.karim.id, "coordinator")


def test_foreign_is_absent_and_both_are_audited(client, cast):
    client.force_login(cast.brahim)
    foreign = client.get(f"/card/{cast.zineb.id}/")
    absent = client.get(f"/card/{uuid.uuid4()}/")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert foreign.content == absent.content
    events = Event.objects.filter(action="card", outcome="refused", code="not_found")
    assert events.count() == 2
    assert events.first().subject == cast.zineb.id
    assert [event.patient for event in events] == [cast.zineb.id, None]


def test_a_refusal_names_the_patient_of_whatever_was_asked_for(client, cast):
    starts_at = make.on_the_hour(clock.now(), 48)
    visit = make.appointment(cast.zineb, cast.at_home, starts_at)
    client.force_login(cast.brahim)
    assert client.get(f"/appointments/{visit.pk}/").status_code == 404
    event = Event.objects.get(action="scheduling:appointment", outcome="refused")
    assert (event.patient, event.subject) == (cast.zineb.id, visit.pk)


@pytest.mark.parametrize(
    ("code", "status"),
    [("slot_taken", 409), ("stale", 409), ("not_allowed", 403), ("something_else", 400)],
)
def test_a_refusal_is_rolled_back_told_and_audited(client, cast, code, status):
    client.force_login(cast.brahim)
    answer = client.post(f"/refuses/{code}/")
    assert answer.status_code == status
    assert "Somebody was faster." in answer.text
    assert not Organisation.objects.filter(name__fr="left behind").exists()
    event = Event.objects.last()
    assert (event.outcome, event.code, event.role) == ("refused", code, "presenter")


def test_a_refused_fragment_is_put_where_notices_stand(client, cast):
    client.force_login(cast.brahim)
    answer = client.post("/refuses/slot_taken/", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#toasts"
    assert "<html" not in answer.text


def test_a_sensitive_act_asks_for_the_password_again(client, cast):
    cast.brahim.set_password("telemed-demo")
    cast.brahim.save()
    client.force_login(cast.brahim)
    answer = client.post("/signs/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")


def test_who_has_nothing_to_prove_with_is_told_so(client, cast):
    client.force_login(cast.brahim)
    answer = client.post("/signs/")
    assert answer.status_code == 400
    assert 'data-code="nothing_to_prove_with"' in answer.text


def test_the_password_just_given_again_lets_in(client, cast):
    make.sign_in_again(client, cast.brahim)
    assert client.post("/signs/").text == "signed"


def test_a_sensitive_fragment_sends_the_page_to_the_password(client, cast):
    cast.brahim.set_password("telemed-demo")
    cast.brahim.save()
    client.force_login(cast.brahim)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/records/1/"}
    answer = client.post("/signs/", headers=headers)
    assert answer["HX-Redirect"] == "/accounts/reauthenticate/?next=%2Frecords%2F1%2F"
