"""The patients' pages: search, registration, the card, links, representatives, voiding."""

import uuid

import pytest

from telemed.accounts.access import viewer_of
from telemed.accounts.models import (
    ContactPoint,
    Patient,
    PatientIdentifier,
    PatientLink,
    Representative,
)
from telemed.accounts.names import display_name
from telemed.accounts.roles import May, Role
from telemed.audit.models import Event
from telemed.lib import clock
from tests import make


@pytest.fixture
def brahim(client, cast):
    make.sign_in_again(client, cast.brahim)
    return client


def filled(cast, **changes):
    return {
        "id": str(uuid.uuid4()),
        "organisation": str(cast.imilchil.id),
        "given": "Rkia",
        "family": "Aït Baha",
        "sex": "female",
        "birth_date": "1950-01-01",
        "birth_precision": "estimated",
        "spoken_languages": ["tzm", "ary"],
        "language": "ar",
        "phone": "0661 23 45 67",
        "phone_shared": "on",
    } | changes


def test_it_works(brahim, cast):
    answer = brahim.post("/patients/register/", filled(cast))
    patient = Patient.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/patients/{patient.id}/"
    assert patient.organisation == cast.imilchil
    assert patient.spoken_languages == ["tzm", "ary"]
    assert patient.language == "ar", "not that of the presenter's pages"
    page = brahim.get(answer["Location"])
    assert "Rkia Aït Baha" in page.text
    assert "≈ 1950" in page.text
    assert f"/book/?patient={patient.id}" in page.text
    actions = list(Event.objects.filter(patient=patient.id).values_list("action", flat=True))
    assert actions == ["patient.register", "patient.read"]


def test_a_repeat_of_the_same_form_registers_nobody_twice(brahim, cast):
    form = filled(cast)
    brahim.post("/patients/register/", form)
    brahim.post("/patients/register/", form | {"new_person": "yes"})
    assert Patient.objects.count() == 1


def test_an_arabic_name_alone_is_enough(brahim, cast):
    form = filled(cast, given="", family="", given_ar="رقية", family_ar="أيت باها")
    brahim.post("/patients/register/", form)
    assert Patient.objects.get().names.get().script == "Arab"


def test_without_any_name_the_form_says_so(brahim, cast):
    answer = brahim.post("/patients/register/", filled(cast, given="", family=""))
    assert answer.status_code == 200
    assert answer.context["form"].errors["given"]
    assert not Patient.objects.exists()


def test_registering_at_a_foreign_place_is_not_offered(brahim, cast):
    answer = brahim.post("/patients/register/", filled(cast, organisation=str(cast.temara.id)))
    assert answer.context["form"].errors["organisation"]
    assert not Patient.objects.exists()


def test_likely_duplicates_are_shown_before_somebody_new_is_made(brahim, cast):
    amina = cast.amina
    form = filled(
        cast, given="Aminah", family="Drissi", birth_date="1985-05-17", birth_precision="day"
    )
    answer = brahim.post("/patients/register/", form)
    assert answer.context["alike"] == [amina]
    assert Patient.objects.count() == 1
    brahim.post("/patients/register/", form | {"new_person": "yes"})
    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    "text",
    ["Amina", "أمينة", "idrissi", "الادريسي amina", "UA12345", "ua 123-45", "06 61 23 45 67"],
)
def test_search_finds_by_any_spelling_paper_or_phone(brahim, cast, text):
    amina = cast.amina
    assert list(brahim.get("/patients/", {"q": text}).context["found"]) == [amina]


@pytest.mark.parametrize("text", ["Zineb", "Sefrioui", "0663999888", "%", "_", "'; --"])
def test_search_never_leaves_the_own_places(brahim, cast, text):
    assert cast.amina
    assert cast.zineb
    assert brahim.get("/patients/", {"q": text}).context["found"] == []


def test_a_search_is_audited_without_what_was_typed(brahim, cast):
    assert cast.amina
    brahim.get("/patients/", {"q": "UA12345"})
    event = Event.objects.get(action="patient.search")
    assert event.actor == cast.brahim.id
    assert "UA12345" not in str(event.__dict__)


def test_a_coordinator_sees_names_and_places_only(client, cast):
    amina = cast.amina
    client.force_login(cast.karim)
    page = client.get("/patients/", {"q": "amina"})
    assert "Amina El Idrissi" in page.text or "أمينة الإدريسي" in page.text
    assert "1985" not in page.text
    assert str(amina.id) not in page.text
    assert client.get(f"/patients/{amina.id}/").status_code == 403


def test_a_foreign_card_is_absent(brahim, cast):
    assert brahim.get(f"/patients/{cast.zineb.id}/").status_code == 404


# --- mending


def mended(**changes):
    known = {
        "given": "Amina",
        "family": "El Idrissi",
        "given_ar": "أمينة",
        "family_ar": "الإدريسي",
        "sex": "female",
        "birth_date": "1985-05-17",
        "birth_precision": "day",
        "spoken_languages": ["ary"],
    }
    return known | changes


def test_what_was_written_wrongly_is_mended(brahim, cast):
    url = f"/patients/{cast.amina.id}/edit/"
    assert url in brahim.get(f"/patients/{cast.amina.id}/").text
    page = brahim.get(url)
    assert 'value="1985-05-17"' in page.text
    form = mended(family="El Idrissi Alaoui", birth_date="1958-05-17", spoken_languages=["tzm"])
    assert brahim.post(url, form)["Location"] == f"/patients/{cast.amina.id}/"
    amina = Patient.objects.get(id=cast.amina.id)
    assert str(amina.birth_date) == "1958-05-17"
    assert amina.spoken_languages == ["tzm"]
    assert display_name(amina, "fr") == "Amina El Idrissi Alaoui"
    assert display_name(amina, "ar") == "أمينة الإدريسي"
    assert list(brahim.get("/patients/", {"q": "alaoui"}).context["found"]) == [amina]
    earlier = amina.names.get(voided_at__isnull=False)
    assert (earlier.family, earlier.voided_by) == ("El Idrissi", cast.brahim)
    event = Event.objects.get(action="patient.correct")
    assert (event.patient, event.code) == (amina.id, "names,birth_date,spoken_languages")


def test_the_same_again_changes_nothing(brahim, cast):
    brahim.post(f"/patients/{cast.amina.id}/edit/", mended())
    assert cast.amina.names.count() == 2
    assert not Event.objects.filter(action="patient.correct").exists()


def test_a_record_never_loses_its_name(brahim, cast):
    none = {"given": "", "family": "", "given_ar": "", "family_ar": ""}
    answer = brahim.post(f"/patients/{cast.amina.id}/edit/", mended(**none))
    assert answer.context["form"].errors["given"]


# --- a phone number is a contact point, never an identity


def test_several_patients_share_one_contact_point(brahim, cast):
    for given in ("Rkia", "Hassan", "Moha"):
        form = filled(cast, given=given, new_person="yes")
        brahim.post("/patients/register/", form)
    assert Patient.objects.count() == 3
    point = ContactPoint.objects.get()
    assert point.patients.count() == 3
    assert point.value == "+212661234567"


def test_the_phone_of_a_patient_opens_nothing_for_the_user_who_signs_in_with_it(client, cast):
    user = make.user("moha@cast.example", "Moha", phone="0661234567")
    assert cast.amina.contacts.get().contact_point.value == user.phone
    moha = viewer_of(user, clock.now())
    assert moha.roles == frozenset()
    assert all(not moha.patients(ability) for ability in May)


def test_a_phone_is_a_login_of_one_user_only(cast):
    make.user("a@cast.example", "A", phone="0661234567")
    with pytest.raises(Exception, match=r"(?i)unique"):
        make.user("b@cast.example", "B", phone="+212 661 23 45 67")


# --- what stands on the card


def test_a_paper_that_another_record_has_is_refused(brahim, cast):
    yassine = cast.yassine
    assert cast.amina
    answer = brahim.post(
        f"/patients/{yassine.id}/identifiers/", {"system": "cin", "value": "ua12345"}
    )
    assert answer.status_code == 400
    assert 'data-code="identifier_known"' in answer.text
    assert PatientIdentifier.objects.count() == 1


def test_a_known_paper_keeps_what_was_typed_and_shows_whose_it_is(brahim, cast):
    amina = cast.amina
    answer = brahim.post("/patients/register/", filled(cast, cin="ua 12345"))
    assert answer.context["form"].errors["cin"]
    assert answer.context["alike"] == [amina]
    assert 'value="Rkia"' in answer.text
    assert Patient.objects.count() == 1
    event = Event.objects.get(outcome="refused")
    assert (event.action, event.code) == ("patient.register", "identifier_known")


def test_nobody_learns_of_a_paper_in_another_region(brahim, cast):
    make.identifier(cast.zineb, "cin", "UA 777")
    answer = brahim.post("/patients/register/", filled(cast, cin="ua777"))
    mine = PatientIdentifier.objects.get(patient__organisation=cast.imilchil)
    assert answer["Location"] == f"/patients/{mine.patient_id}/"
    page = brahim.get(answer["Location"])
    assert page.context["alike"] == []
    assert mine.verified_by == cast.brahim
    assert mine.verified_at is None, "one record alone has it as verified"
    assert Event.objects.get(action="patient.register").code == "identifier_elsewhere"
    again = brahim.post("/patients/register/", filled(cast, cin="ua777", new_person="yes"))
    assert again.context["form"].errors["cin"], "and now it is within reach"


def test_whoever_reaches_both_records_is_shown_them_for_linking(brahim, cast):
    make.identifier(cast.zineb, "cin", "UA 777")
    brahim.post("/patients/register/", filled(cast, cin="ua777"))
    mine = Patient.objects.get(organisation=cast.imilchil)
    make.member(cast.hassan, Role.PRESENTER, cast.imilchil)
    make.sign_in_again(brahim, cast.hassan)
    assert brahim.get(f"/patients/{mine.id}/").context["alike"] == [cast.zineb]


def test_the_same_paper_twice_is_one_row(brahim, cast):
    form = {"system": "cin", "value": "ua 12345"}
    assert brahim.post(f"/patients/{cast.amina.id}/identifiers/", form).status_code == 302
    assert cast.amina.identifiers.count() == 1


def test_a_paper_is_verified_by_whom_saw_it(brahim, cast):
    yassine = cast.yassine
    brahim.post(f"/patients/{yassine.id}/identifiers/", {"system": "amo", "value": "9 876"})
    row = yassine.identifiers.get()
    assert row.verified_by == cast.brahim
    assert row.value == "9 876"


def test_the_language_of_messages_is_changed_on_the_card(brahim, cast):
    amina = cast.amina
    form = {"language": "fr", "spoken_languages": ["tzm"], "messages_wanted": "on"}
    brahim.post(f"/patients/{amina.id}/wishes/", form)
    amina.refresh_from_db()
    assert (amina.language, amina.spoken_languages) == ("fr", ["tzm"])
    assert amina.messages_wanted
    assert Event.objects.filter(action="patient.change_wishes", patient=amina.id).exists()


def test_whoever_chooses_a_language_is_written_to_in_it(client, cast):
    amina, other = cast.amina, cast.yassine
    client.force_login(cast.amina_user)
    client.post("/language/", {"language": "fr"})
    amina.refresh_from_db()
    assert amina.language == "fr"
    event = Event.objects.get(action="patient.change_wishes")
    assert (event.actor, event.role) == (cast.amina_user.id, "patient")
    client.post("/language/", {"language": "fr"})
    assert Event.objects.filter(action="patient.change_wishes").count() == 1
    client.force_login(cast.brahim)
    client.post("/language/", {"language": "en"})
    other.refresh_from_db()
    assert other.language == "fr"


def test_what_others_read_is_said_on_the_card(brahim, cast):
    row = cast.amina.contacts.get()
    address = f"/patients/{cast.amina.id}/wishes/"
    for shared in (True, False):
        brahim.post(address, {"language": "ar", "shared": [str(row.id)] if shared else []})
        row.refresh_from_db()
        assert row.shared == shared
    cast.amina.refresh_from_db()
    assert not cast.amina.messages_wanted, "the box was left empty"
    foreign = cast.yassine.contacts.get()
    wrong = brahim.post(address, {"language": "ar", "shared": [str(foreign.id)]})
    assert wrong.context["wishes_form"].errors["shared"]


def test_patients_change_how_they_are_reached_themselves(client, cast):
    row = cast.amina.contacts.get()
    client.force_login(cast.amina_user)
    assert "06 61 23 45 67" in client.get("/patients/mine/").text.replace("-", " ")
    form = {"language": "fr", "spoken_languages": ["ary", "fr"], "shared": [str(row.id)]}
    assert client.post("/patients/mine/", form)["Location"] == "/patients/mine/"
    cast.amina.refresh_from_db()
    row.refresh_from_db()
    assert (cast.amina.language, cast.amina.spoken_languages) == ("fr", ["ary", "fr"])
    assert (cast.amina.messages_wanted, row.shared) == (False, True)
    event = Event.objects.get(action="patient.change_wishes")
    assert (event.actor, event.role) == (cast.amina_user.id, "patient")


def test_a_second_phone_comes_after_the_first(brahim, cast):
    brahim.post(f"/patients/{cast.amina.id}/contacts/", {"phone": "0655443322"})
    ranks = cast.amina.contacts.order_by("rank").values_list("rank", flat=True)
    assert list(ranks) == [1, 2]


def test_a_wrong_phone_comes_back_with_its_mistake(brahim, cast):
    answer = brahim.post(f"/patients/{cast.amina.id}/contacts/", {"phone": "12"})
    assert answer.status_code == 400
    assert answer.context["phone_form"].errors["phone"]


def test_a_representative_is_added_with_what_they_may(brahim, cast):
    yassine, fatima = cast.yassine, cast.fatima
    form = {
        "email": "Fatima@cast.example",
        "relationship": "mother",
        "legal_basis": "parent",
        "id": str(uuid.uuid4()),
        "may_book": "on",
        "may_consent": "on",
    }
    for _ in range(2):
        brahim.post(f"/patients/{yassine.id}/representatives/", form)
    row = Representative.objects.get()
    assert (row.user, row.verified_by) == (fatima, cast.brahim)
    assert (row.may_book, row.may_consent, row.may_read) == (True, True, False)
    assert viewer_of(fatima, clock.now()).represents(yassine.id, May.CONSENT_GIVE)
    assert Event.objects.filter(action="patient.add_representative").count() == 1
    brahim.post(f"/patients/{cast.amina.id}/representatives/", form)
    assert not cast.amina.representatives.exists(), "the row is another patient's"


def mandate(email, relationship, basis):
    return {
        "id": str(uuid.uuid4()),
        "email": email,
        "relationship": relationship,
        "legal_basis": basis,
    }


def test_nobody_represents_themselves(brahim, cast):
    form = mandate("amina@cast.example", "self", "mandate")
    answer = brahim.post(f"/patients/{cast.amina.id}/representatives/", form)
    assert answer.status_code == 400
    assert 'data-code="own_representative"' in answer.text


def test_a_presenter_becomes_nobodys_representative_by_their_own_hand(brahim, cast):
    form = mandate("brahim@cast.example", "uncle", "guardian")
    answer = brahim.post(f"/patients/{cast.yassine.id}/representatives/", form)
    assert 'data-code="own_record"' in answer.text
    mine = make.patient(cast.imilchil, "Brahim", "Ouali", user=cast.brahim)
    form = mandate("fatima@cast.example", "wife", "mandate")
    assert cast.fatima
    answer = brahim.post(f"/patients/{mine.id}/representatives/", form)
    assert 'data-code="own_record"' in answer.text
    assert not Representative.objects.exists()


def test_nobody_links_their_own_record(brahim, cast):
    mine = make.patient(cast.imilchil, "Brahim", "Ouali", user=cast.brahim)
    pairs = [(mine, cast.yassine), (cast.yassine, mine)]
    for one, other in pairs:
        answer = brahim.post(f"/patients/{one.id}/links/", {"other": str(other.id)})
        assert 'data-code="own_record"' in answer.text
    assert not PatientLink.objects.exists()


def test_two_logins_never_open_the_same_records(brahim, cast):
    other = make.patient(cast.imilchil, "Amina", "Drissi", user=cast.driss)
    answer = brahim.post(f"/patients/{cast.amina.id}/links/", {"other": str(other.id)})
    assert 'data-code="two_logins"' in answer.text
    between = make.patient(cast.imilchil, "Amina", "Drissi")
    brahim.post(f"/patients/{cast.amina.id}/links/", {"other": str(between.id)})
    answer = brahim.post(f"/patients/{other.id}/links/", {"other": str(between.id)})
    assert 'data-code="two_logins"' in answer.text
    assert PatientLink.objects.count() == 1


@pytest.mark.parametrize("page", ["representatives", "links"])
def test_what_opens_records_to_a_login_asks_for_the_password_again(client, cast, page):
    client.force_login(make.with_password(cast.brahim))
    answer = client.post(f"/patients/{cast.yassine.id}/{page}/")
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_records_are_linked_and_unlinked_and_both_stay(brahim, cast):
    again = make.patient(cast.imilchil, "Amina", "Drissi")
    page = brahim.get(f"/patients/{cast.amina.id}/")
    assert page.context["alike"] == [again]
    brahim.post(f"/patients/{cast.amina.id}/links/", {"other": str(again.id)})
    row = PatientLink.objects.get()
    assert brahim.get(f"/patients/{cast.amina.id}/").context["alike"] == []
    amina = viewer_of(cast.amina.user, clock.now())
    assert set(amina.patients(May.SUMMARY_READ)) == {cast.amina, again}
    page = brahim.get(f"/patients/{again.id}/")
    assert page.context["card"].links == [(row, cast.amina)]
    brahim.post(f"/patients/{again.id}/void/link/{row.id}/", {"reason": "Sisters"})
    row.refresh_from_db()
    assert (row.voided_by, row.void_reason) == (cast.brahim, "Sisters")
    assert list(viewer_of(cast.amina.user, clock.now()).patients(May.SUMMARY_READ)) == [cast.amina]
    assert Patient.objects.filter(voided_at__isnull=True).count() == 2


def test_linking_a_foreign_record_finds_nothing(brahim, cast):
    answer = brahim.post(f"/patients/{cast.amina.id}/links/", {"other": str(cast.zineb.id)})
    assert answer.status_code == 404
    assert not PatientLink.objects.exists()


def test_voiding_keeps_the_row_and_says_who_and_why(brahim, cast):
    row = cast.amina.contacts.get()
    brahim.post(f"/patients/{cast.amina.id}/void/contact/{row.id}/", {"reason": "Old number"})
    row.refresh_from_db()
    assert row.voided_at is not None
    assert (row.voided_by, row.void_reason) == (cast.brahim, "Old number")
    page = brahim.get(f"/patients/{cast.amina.id}/")
    assert list(page.context["card"].contacts) == []


@pytest.mark.parametrize("reason", ["", "   "])
def test_voiding_needs_a_reason(brahim, cast, reason):
    row = cast.amina.contacts.get()
    answer = brahim.post(f"/patients/{cast.amina.id}/void/contact/{row.id}/", {"reason": reason})
    assert answer.status_code == 400
    assert 'data-code="reason_missing"' in answer.text


def test_voiding_twice_keeps_the_first_reason(brahim, cast):
    row = cast.amina.contacts.get()
    url = f"/patients/{cast.amina.id}/void/contact/{row.id}/"
    brahim.post(url, {"reason": "first"})
    assert brahim.post(url, {"reason": "second"}).status_code == 409
    row.refresh_from_db()
    assert row.void_reason == "first"


def test_another_patients_row_is_not_voided_through_ones_own_url(brahim, cast):
    row = cast.yassine.contacts.get()
    answer = brahim.post(f"/patients/{cast.amina.id}/void/contact/{row.id}/", {"reason": "x"})
    assert answer.status_code == 409
    row.refresh_from_db()
    assert row.voided_at is None
