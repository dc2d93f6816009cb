"""The administrator's pages: people, roles and places, each change audited and in reach only."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession

from telemed.accounts.access import viewer_of
from telemed.accounts.models import Membership, Organisation, User
from telemed.accounts.roles import May, Role
from telemed.audit.models import Event
from telemed.lib import clock
from tests import make


@pytest.fixture
def omar(client, cast):
    make.sign_in_again(client, cast.omar)
    return client


@pytest.fixture
def regional(client, cast):
    """An administrator of one region only."""
    user = make.user("regional@cast.example", "Regional administrator")
    make.member(user, Role.ADMINISTRATOR, cast.draa)
    make.sign_in_again(client, user)
    return client


def test_it_works(omar, cast):
    form = {
        "name": "Hind Amrani",
        "name_ar": "هند العمراني",
        "email": "Hind@cast.example",
        "role": "presenter",
        "organisation": str(cast.imilchil.id),
    }
    answer = omar.post("/people/add/", form)
    user = User.objects.get(email="hind@cast.example")
    assert answer["Location"] == f"/people/{user.id}/"
    assert viewer_of(user, clock.now()).may_at(May.CENTRE_DAY, cast.imilchil.id)
    event = Event.objects.get(action="membership.add")
    assert (event.actor, event.subject, event.code) == (cast.omar.id, user.id, "presenter")
    assert "Hind Amrani" in omar.get("/people/").text


def test_an_account_that_exists_gets_the_role_and_keeps_its_name(omar, cast):
    form = {"name": "Else", "email": "driss@cast.example", "role": "auditor"}
    assert cast.driss
    omar.post("/people/add/", form | {"organisation": str(cast.ministry.id)})
    assert viewer_of(cast.driss, clock.now()).may(May.AUDIT_READ)
    assert User.objects.get(email="driss@cast.example").name == "Driss Lahlou"


@pytest.mark.parametrize("proved", [True, False])
def test_a_role_goes_to_the_owner_of_the_address_only(omar, cast, proved):
    """Somebody else may have signed up with it, and with a password of their own."""
    user = make.with_password(cast.driss)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=proved)
    form = {"name": "Driss", "email": "driss@cast.example", "role": "auditor"}
    omar.post("/people/add/", form | {"organisation": str(cast.ministry.id)})
    user.refresh_from_db()
    assert user.has_usable_password() is proved


def test_a_role_ends_at_once_and_the_row_stays(omar, cast):
    row = cast.brahim.memberships.get()
    omar.post(f"/people/{cast.brahim.id}/roles/{row.id}/end/")
    assert not viewer_of(cast.brahim, clock.now()).roles
    assert Membership.objects.filter(id=row.id).exists()


def test_the_same_role_is_given_once(omar, cast):
    form = {"role": "presenter", "organisation": str(cast.imilchil.id)}
    omar.post(f"/people/{cast.brahim.id}/roles/", form)
    assert cast.brahim.memberships.count() == 1


def test_nobody_changes_their_own_roles(omar, cast):
    form = {"role": "auditor", "organisation": str(cast.ministry.id)}
    answer = omar.post(f"/people/{cast.omar.id}/roles/", form)
    assert 'data-code="own_role"' in answer.text
    row = cast.omar.memberships.get()
    assert omar.post(f"/people/{cast.omar.id}/roles/{row.id}/end/").status_code == 400
    assert omar.post(f"/people/{cast.omar.id}/close/").status_code == 400
    assert viewer_of(cast.omar, clock.now()).roles == {Role.ADMINISTRATOR}


def test_a_closed_account_is_signed_out_everywhere(omar, cast, client):
    other = client.__class__()
    other.force_login(cast.brahim)
    assert other.get("/").status_code == 200
    omar.post(f"/people/{cast.brahim.id}/close/")
    assert other.get("/").status_code == 302
    assert not UserSession.objects.filter(user=cast.brahim).exists()


def test_a_closed_account_gets_no_role_and_the_page_says_why(omar, cast):
    omar.post(f"/people/{cast.brahim.id}/close/")
    form = {"role": "presenter", "organisation": str(cast.van.id)}
    add = form | {"name": "Brahim Ouali", "email": "brahim@cast.example"}
    for url, fields in ((f"/people/{cast.brahim.id}/roles/", form), ("/people/add/", add)):
        assert 'data-code="account_closed"' in omar.post(url, fields).text
    assert cast.brahim.memberships.count() == 1


def test_a_closed_account_is_opened_again_without_its_old_password(omar, cast):
    make.with_password(cast.brahim)
    omar.post(f"/people/{cast.brahim.id}/close/")
    assert f"/people/{cast.brahim.id}/reopen/" in omar.get(f"/people/{cast.brahim.id}/").text
    for _ in range(2):
        omar.post(f"/people/{cast.brahim.id}/reopen/")
    brahim = User.objects.get(id=cast.brahim.id)
    assert brahim.is_active
    assert not brahim.has_usable_password()
    assert viewer_of(brahim, clock.now()).roles == {Role.PRESENTER}
    assert Event.objects.filter(action="user.reopen").count() == 1


def test_a_regional_administrator_reaches_the_region_only(regional, cast):
    assert regional.get(f"/people/{cast.brahim.id}/").status_code == 200
    assert regional.get(f"/people/{cast.hassan.id}/").status_code == 404
    assert regional.get(f"/people/places/{cast.imilchil.id}/").status_code == 200
    assert regional.get(f"/people/places/{cast.temara.id}/").status_code == 404
    form = {"role": "presenter", "organisation": str(cast.temara.id)}
    assert regional.post(f"/people/{cast.brahim.id}/roles/", form).status_code == 400
    assert cast.brahim.memberships.count() == 1


def test_an_account_that_works_elsewhere_too_is_not_closed(regional, cast):
    make.member(cast.brahim, Role.PRESENTER, cast.temara)
    answer = regional.post(f"/people/{cast.brahim.id}/close/")
    assert 'data-code="works_elsewhere"' in answer.text
    cast.brahim.refresh_from_db()
    assert cast.brahim.is_active


def test_patient_is_no_role_to_give(omar, cast):
    form = {"role": "patient", "organisation": str(cast.imilchil.id)}
    answer = omar.post(f"/people/{cast.brahim.id}/roles/", form)
    assert answer.context["form"].errors["role"]


@pytest.mark.parametrize("page", ["/people/add/"])
def test_giving_roles_asks_for_the_password_again(client, cast, page):
    cast.omar.set_password("telemed-demo")
    cast.omar.save()
    client.force_login(cast.omar)
    assert client.get(page)["Location"].startswith("/accounts/reauthenticate/")


PLACE = {
    "name_fr": "Centre de santé Tabant",
    "name_ar": "المركز الصحي تابانت",
    "emergency_number": "141",
    "nearest_hospital_fr": "Hôpital d’Azilal",
    "acts_authorised": ["teleconsultation"],
}


def test_a_place_is_added_below_another(regional, cast):
    form = PLACE | {"kind": "facility", "parent": str(cast.draa.id)}
    assert regional.post("/people/places/add/", form).status_code == 302
    made = Organisation.objects.get(emergency_number="141", kind="facility")
    assert made.name == {"fr": "Centre de santé Tabant", "ar": "المركز الصحي تابانت"}
    assert viewer_of(cast.karim, clock.now()).may_at(May.REGION_DAY, made.id)
    assert Event.objects.get(action="organisation.add").organisation == made.id


def test_a_place_is_not_added_below_a_foreign_one(regional, cast):
    form = PLACE | {"kind": "facility", "parent": str(cast.rabat.id)}
    answer = regional.post("/people/places/add/", form)
    assert answer.context["form"].errors["parent"]


def test_a_place_is_changed_and_keeps_what_was_not_asked(omar, cast):
    omar.post(f"/people/places/{cast.imilchil.id}/", PLACE)
    cast.imilchil.refresh_from_db()
    assert cast.imilchil.name["fr"] == "Centre de santé Tabant"
    assert cast.imilchil.name["en"], "English was not asked to go"
    assert cast.imilchil.acts_authorised == ["teleconsultation"]


RECORDS = {
    "recording_enabled": "on",
    "recording_purpose_fr": "Formation",
    "recording_reference": "D-77/2026",
}


def test_recording_is_enabled_with_a_purpose_and_its_reference(omar, cast):
    address = f"/people/places/{cast.imilchil.id}/"
    for missing in ("recording_purpose_fr", "recording_reference"):
        answer = omar.post(address, PLACE | RECORDS | {missing: " "})
        assert answer.context["form"].errors[missing]
    omar.post(address, PLACE | RECORDS)
    cast.imilchil.refresh_from_db()
    assert cast.imilchil.recording_enabled
    assert cast.imilchil.recording_purpose == {"fr": "Formation"}
    omar.post(address, PLACE)
    cast.imilchil.refresh_from_db()
    assert not cast.imilchil.recording_enabled
