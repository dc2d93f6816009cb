"""The patient beside somebody, on one device: two people, one connection, a consent each."""

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import pytest

from consultations.models import Consent, Participant
from scheduling.actions.change import reassign
from telemed.audit.actor import Actor
from telemed.audit.models import Event
from telemed.lib import clock as shared_clock
from tests import make
from tests.consultations.callers import in_thread, words
from tests.consultations.media import connected, falls_silent, hears


@pytest.fixture
def at_centre(cast):
    """Amina's visit at the health centre, beside Brahim."""
    cast.brahim  # noqa: B018 made when first asked for
    starts = shared_clock.now() + timedelta(minutes=5)
    return make.appointment(cast.amina, cast.at_imilchil, starts)


@pytest.fixture
async def beside(cast, at_centre, enter):
    salma = await enter(cast.salma, at_centre)
    brahim = await enter(cast.brahim, at_centre)
    return salma, brahim, brahim.snapshot["you"]["carries"][0]["id"]


async def both_agree(brahim, amina_id):
    own = await brahim.change("consent", participant=brahim.id, **words(patient=False))
    hers = await brahim.change("consent", participant=amina_id, **words(how="spoken"))
    assert (own["type"], hers["type"]) == ("done", "done")


async def test_they_are_two_people_named_so_to_everybody(beside):
    salma, brahim, amina_id = beside
    await both_agree(brahim, amina_id)
    await salma.until(lambda: bool(salma.snapshot["waiting"]))
    (waiting,) = salma.snapshot["waiting"]
    assert (waiting["name"], waiting["carries"]) == ("Brahim Ouali", ["Amina El Idrissi"])

    await salma.change("admit", participant=brahim.id)
    await brahim.until(lambda: brahim.state == "admitted")

    shown = {one["name"]: one for one in brahim.snapshot["people"]}
    assert set(shown) == {"Dr Salma Bennis", "Brahim Ouali", "Amina El Idrissi"}
    assert shown["Amina El Idrissi"]["beside"] == brahim.id
    assert shown["Amina El Idrissi"]["role"] == "patient"


@pytest.mark.parametrize("agrees", ["presenter", "patient"])
async def test_one_consent_of_two_admits_nobody(beside, agrees):
    salma, brahim, amina_id = beside
    if agrees == "presenter":
        await brahim.change("consent", participant=brahim.id, **words(patient=False))
    else:
        await brahim.change("consent", participant=amina_id, **words(how="spoken"))

    refused = await salma.change("admit", participant=brahim.id)

    assert refused["code"] == "no_consent"
    assert refused["participants"] == [amina_id if agrees == "presenter" else brahim.id]


async def test_a_spoken_consent_names_its_witness(beside, cast):
    _, brahim, amina_id = beside
    await both_agree(brahim, amina_id)

    spoken = await Consent.objects.aget(participant=amina_id)
    tapped = await Consent.objects.aget(participant=brahim.id)

    assert (spoken.how, spoken.witness_id, spoken.given_by_id) == ("spoken", cast.brahim.pk, None)
    assert (tapped.how, tapped.witness_id, tapped.given_by_id) == ("tapped", None, cast.brahim.pk)


async def test_nobody_else_speaks_for_the_patient(beside):
    salma, _, amina_id = beside

    for how in ("tapped", "spoken"):
        refused = await salma.change("consent", participant=amina_id, **words(how=how))
        assert refused["code"] == "not_allowed"
    assert (await salma.change("withdraw", participant=amina_id))["code"] == "not_allowed"


async def test_without_a_presenter_nothing_is_consented_by_word_of_mouth(cast, visit, enter):
    amina = await enter(cast.amina_user, visit)

    refused = await amina.change("consent", participant=amina.id, **words(how="spoken"))

    assert refused["code"] == "not_allowed"


async def test_they_share_one_connection_and_either_stops_it(beside):
    salma, brahim, amina_id = beside
    await both_agree(brahim, amina_id)
    await salma.change("admit", participant=brahim.id)
    await brahim.until(lambda: brahim.state == "admitted")
    doctor, shared = await connected(salma), await connected(brahim)
    await asyncio.gather(hears(doctor), hears(shared))

    await brahim.change("withdraw", participant=amina_id)
    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(shared))) <= 1
    await brahim.change("consent", participant=amina_id, **words(how="spoken"))
    await asyncio.gather(hears(doctor), hears(shared))
    await brahim.change("withdraw", participant=brahim.id)
    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(shared))) <= 1

    doctor.kill()
    shared.kill()


async def test_each_end_says_who_is_there_and_changes_it(beside):
    salma, brahim, amina_id = beside
    await both_agree(brahim, amina_id)
    await salma.change("admit", participant=brahim.id)
    await brahim.until(lambda: brahim.state == "admitted")
    person = str(uuid4())

    def present():
        shown = {one["id"]: one["present"] for one in salma.snapshot["people"]}
        return [(one["name"], one["on_camera"]) for one in shown.get(brahim.id, ())]

    said = {"person": person, "name": "Itto", "capacity": "grandmother"}
    await brahim.change("declare", on_camera=False, **said)
    await salma.until(lambda: present() == [("Itto", False)])
    await brahim.change("declare", on_camera=True, **said)
    await salma.until(lambda: present() == [("Itto", True)])
    await salma.change("undeclare", person=person)
    await salma.settle()
    assert present() == [("Itto", True)], "the other end cannot take them from the list"
    await brahim.change("undeclare", person=person)
    await salma.until(lambda: present() == [])


async def test_who_had_a_device_of_their_own_and_came_to_the_centre_is_beside(
    cast, at_centre, enter, clock
):
    at_home = await enter(cast.amina_user, at_centre)
    await at_home.hang_up()
    at_home.closed = 1001
    clock.move(timedelta(minutes=16))

    brahim = await enter(cast.brahim, at_centre)

    assert [one["id"] for one in brahim.snapshot["you"]["carries"]] == [at_home.id]


async def test_who_is_carried_and_joins_alone_is_seen_and_heard_alone(
    beside, cast, at_centre, enter
):
    salma, brahim, amina_id = beside
    await both_agree(brahim, amina_id)
    await salma.change("admit", participant=brahim.id)
    await brahim.until(lambda: brahim.state == "admitted")
    amina = await enter(cast.amina_user, at_centre)
    again = await enter(cast.brahim, at_centre, brahim.browser)
    assert (amina.id, amina.state) == (amina_id, "waiting")

    await salma.change("admit", participant=amina_id)
    await amina.until(lambda: amina.state == "admitted")
    doctor, patient = await connected(salma), await connected(amina)

    await asyncio.gather(hears(doctor), hears(patient))
    await again.until(lambda: again.snapshot["you"]["carries"] == [])
    shown = {one["id"]: one for one in salma.snapshot["people"]}
    assert shown[amina_id]["beside"] is None
    doctor.kill()
    patient.kill()


async def test_who_is_here_with_a_device_of_their_own_is_not(cast, at_centre, enter):
    await enter(cast.amina_user, at_centre)

    brahim = await enter(cast.brahim, at_centre)

    assert brahim.snapshot["you"]["carries"] == []


@pytest.fixture
def childs_visit(cast):
    cast.fatima_for_yassine  # noqa: B018 made when first asked for
    starts = shared_clock.now() + timedelta(minutes=5)
    return make.appointment(cast.yassine, cast.at_home, starts)


async def test_a_mother_consents_for_her_child_and_for_herself(cast, childs_visit, enter):
    salma = await enter(cast.salma, childs_visit)
    fatima = await enter(cast.fatima, childs_visit)
    (child,) = fatima.snapshot["you"]["carries"]

    await fatima.change("consent", participant=fatima.id, **words(patient=False))
    await fatima.change("consent", participant=child["id"], **words())
    done = await salma.change("admit", participant=fatima.id)

    assert done["type"] == "done"
    his = await Consent.objects.aget(participant=child["id"])
    assert his.given_by_id == cast.fatima.pk
    event = await Event.objects.filter(action="consent.given").alast()
    assert (event.on_behalf_of, event.role) == (cast.yassine.pk, "representative")


async def test_a_childs_spoken_consent_names_who_spoke(cast, enter):
    visit = await in_thread(_at_centre_with, cast)
    await enter(cast.salma, visit)
    brahim = await enter(cast.brahim, visit)
    (child,) = brahim.snapshot["you"]["carries"]
    mother = str(uuid4())
    await brahim.change("declare", person=mother, name="Itto", capacity="mother", on_camera=True)
    spoken = {"participant": child["id"], **words(how="spoken")}

    assert (await brahim.change("consent", **spoken))["code"] == "representative_needed"
    stranger = await brahim.change("consent", **spoken, speaker=str(uuid4()))
    assert stranger["code"] == "representative_needed"
    assert (await brahim.change("consent", **spoken, speaker=mother))["type"] == "done"

    kept = await Consent.objects.aget()
    assert str(kept.spoken_by_id) == mother
    assert (kept.witness_id, kept.given_by_id) == (cast.brahim.pk, None)


def _at_centre_with(cast):
    cast.brahim  # noqa: B018 made when first asked for
    starts = shared_clock.now() + timedelta(minutes=5)
    return make.appointment(cast.yassine, cast.at_imilchil, starts)


@pytest.fixture(params=[True, False])
def mandated(cast, visit, request):
    make.representative(
        cast.amina,
        cast.fatima,
        legal_basis="mandate",
        may_book=True,
        may_consent=request.param,
    )
    return cast.fatima


async def test_an_adult_taps_for_themselves_beside_a_representative(visit, mandated, enter):
    fatima = await enter(mandated, visit)
    (amina,) = fatima.snapshot["you"]["carries"]

    done = await fatima.change("consent", participant=amina["id"], **words())

    assert done["type"] == "done"
    assert (await Consent.objects.aget()).given_by_id is None, "nobody gave it for her"


async def test_a_minor_alone_does_not_consent(cast, visit, enter):
    cast.amina.birth_date = date(2012, 1, 1)
    await cast.amina.asave()
    amina = await enter(cast.amina_user, visit)

    refused = await amina.change("consent", participant=amina.id, **words())
    said_no = await amina.change("consent", participant=amina.id, **words("refused"))

    assert refused["code"] == "representative_needed"
    assert said_no["type"] == "done", "anybody may say no"


@pytest.fixture
def fatima_for_amina(cast, visit):
    make.representative(cast.amina, cast.fatima)
    return cast.fatima


async def test_a_representative_takes_back_what_they_gave(cast, visit, fatima_for_amina, enter):
    amina = await enter(cast.amina_user, visit)
    fatima = await enter(fatima_for_amina, visit)
    await fatima.change("consent", participant=amina.id, **words())

    done = await fatima.change("withdraw", participant=amina.id)

    assert done["type"] == "done"
    assert await Consent.objects.filter(withdrawn_at__isnull=False).acount() == 1


async def test_another_specialist_is_agreed_to_anew(cast, visit, enter):
    amina = await enter(cast.amina_user, visit)
    await amina.change("consent", participant=amina.id, **words())
    assert (await Consent.objects.aget()).specialist_id == visit.specialist_id

    await in_thread(_give, cast, visit, "dr_youssef")
    await amina.until(lambda: amina.closed is not None)
    youssef = await enter(cast.youssef, visit)
    again = await enter(cast.amina_user, visit, amina.browser)

    assert amina.closed == 4008
    assert (again.state, again.snapshot["you"]["consent"]) == ("waiting", "none")
    assert (await youssef.change("admit", participant=again.id))["code"] == "no_consent"
    assert await Participant.objects.filter(role="specialist").acount() == 1


async def test_who_has_the_visit_back_comes_in_again(cast, visit, enter):
    salma = await enter(cast.salma, visit)

    await in_thread(_give, cast, visit, "dr_youssef")
    await salma.until(lambda: salma.closed is not None)
    await in_thread(_give, cast, visit, "dr_salma")
    again = await enter(cast.salma, visit, salma.browser)

    assert again.state == "admitted"


def _give(cast, visit, specialist):
    visit.refresh_from_db()
    reassign(visit, getattr(cast, specialist), Actor("user", cast.karim.pk, role="coordinator"))
