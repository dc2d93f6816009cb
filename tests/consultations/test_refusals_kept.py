"""What was refused on the socket stands in the audit, however often it is asked."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from telemed.audit.models import Event
from tests.consultations.callers import words


async def kept(**of):
    return [one async for one in Event.objects.filter(outcome="refused", **of)]


async def test_a_refused_change_is_kept_with_who_and_why(cast, visit, enter):
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)

    await salma.change("admit", participant=amina.id)
    await salma.settle()

    (event,) = await kept()
    assert (event.action, event.code, event.actor) == ("room.admit", "no_consent", cast.salma.pk)
    assert (event.patient, event.role) == (visit.patient_id, "specialist")
    assert str(event.subject) == salma.id


async def test_a_flood_of_refusals_fills_no_table(cast, visit, enter):
    amina = await enter(cast.amina_user, visit)

    for _ in range(30):
        await amina.change("pause")
    await amina.settle()

    assert 5 <= len(await kept(action="room.pause")) <= 12


async def test_what_a_ticket_is_refused_for_is_kept(cast, visit, client, clock):
    visit.starts_at += timedelta(hours=3)
    visit.ends_at += timedelta(hours=3)
    await visit.asave()
    await sync_to_async(client.force_login)(cast.amina_user)

    answer = await sync_to_async(client.post)(f"/visit/{visit.pk}/ticket")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_early")
    (event,) = await kept(action="room.enter")
    assert (event.code, event.subject) == ("too_early", visit.pk)


@pytest.mark.parametrize(
    ("type_", "fields", "limit"),
    [("chat", {"text": "Bonjour", "to": None}, 8), ("offer", {"sdp": "v=0"}, 4)],
)
async def test_chat_and_offers_have_limits_of_their_own(cast, visit, enter, type_, fields, limit):
    salma = await enter(cast.salma, visit)

    answers = [await salma.change(type_, **fields) for _ in range(limit + 2)]

    codes = [one.get("code") for one in answers]
    assert "too_fast" not in codes[:limit]
    assert codes[-1] == "too_fast"
    assert salma.closed is None


async def test_too_many_messages_close_the_socket(cast, visit, enter):
    amina = await enter(cast.amina_user, visit)
    await amina.change("consent", participant=amina.id, **words())

    for _ in range(70):
        await amina.say("ping")
    await amina.until(lambda: amina.closed is not None)

    assert amina.closed == 4006
