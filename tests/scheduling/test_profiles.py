"""The administrator makes a specialist bookable: profile, services, and taking them back."""

import pytest

from scheduling.models import Service, Specialist
from telemed.accounts.roles import Role
from telemed.audit.models import Event
from tests import make


@pytest.fixture
def omar(client, cast):
    client.force_login(cast.omar)
    return client


def profile(cast, **changes):
    return {
        "registration_number": "INPE 101",
        "sex": "female",
        "spoken_languages": ["fr", "ary"],
        "specialities": [str(cast.cardiology.pk)],
    } | changes


def offer(cast, **changes):
    return {
        "speciality": str(cast.cardiology.pk),
        "minutes": "20",
        "buffer_after_minutes": "5",
        "patient_place": "home",
    } | changes


def test_it_works(omar, cast):
    page = f"/book/specialists/{cast.salma.id}/"
    assert omar.get(page).status_code == 200
    assert omar.post(page, profile(cast)).status_code == 302
    specialist = Specialist.objects.get(user=cast.salma)
    assert specialist.organisation == cast.chu
    assert omar.post(f"{page}offers/", offer(cast)).status_code == 302
    service = Service.objects.get()
    assert (service.specialist, service.minutes, service.site) == (specialist, 20, None)
    actions = Event.objects.filter(actor=cast.omar.id, role=Role.ADMINISTRATOR)
    assert {"specialist.save", "service.add"} <= set(actions.values_list("action", flat=True))


def test_a_visit_at_a_centre_names_it(omar, cast):
    assert cast.dr_salma
    page = f"/book/specialists/{cast.salma.id}/offers/"
    missing = omar.post(page, offer(cast, patient_place="facility"))
    assert missing.context["service_form"].errors["site"]
    wrong = offer(cast, patient_place="mobile_unit", site=str(cast.imilchil.pk))
    assert omar.post(page, wrong).status_code == 400
    omar.post(page, offer(cast, patient_place="facility", site=str(cast.imilchil.pk)))
    assert Service.objects.get().site == cast.imilchil


def test_only_what_they_practise_is_offered(omar, cast):
    assert cast.dr_salma
    page = f"/book/specialists/{cast.salma.id}/offers/"
    answer = omar.post(page, offer(cast, speciality=str(cast.dermatology.pk)))
    assert answer.context["service_form"].errors["speciality"]


def test_an_offer_is_taken_back_once(omar, cast):
    page = f"/book/specialists/{cast.salma.id}/offers/{cast.at_home.pk}/retire/"
    assert omar.post(page).status_code == 302
    cast.at_home.refresh_from_db()
    assert cast.at_home.retired_at is not None
    assert omar.post(page).status_code == 409


def test_who_is_no_specialist_has_no_such_page(omar, cast):
    assert omar.get(f"/book/specialists/{cast.brahim.id}/").status_code == 404


def test_a_regional_administrator_keeps_the_regions_specialists(client, cast):
    user = make.user("regional@cast.example", "Regional administrator")
    make.member(user, Role.ADMINISTRATOR, cast.draa)
    client.force_login(user)
    assert client.get(f"/book/specialists/{cast.salma.id}/").status_code == 404
