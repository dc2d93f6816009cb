"""The way from danger signs to a booked time, without JavaScript."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from scheduling import links
from scheduling.actions import issue_link
from scheduling.models import Appointment, Hold, Leave, PersonalLink, Question, Service
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.lib import clock as the_clock
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def amina(client, cast):
    cast.amina, cast.at_home, cast.at_imilchil  # noqa: B018 made by being named
    client.force_login(cast.amina_user)
    return client


def first_time(page: str) -> dict[str, str]:
    """The fields that a press on the first time of a page sends."""
    form = re.search(r'<form[^>]*method="post" action="/book/hold/">(.*?)</form>', page, re.S)
    assert form
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', form[1]))
    start = re.search(r'name="starts_at" value="([^"]+)"', form[1])
    assert start
    return {**fields, "starts_at": start[1]}


def book(client, page: str, **answers: str) -> Appointment:
    kept = client.post(reverse("scheduling:keep"), first_time(page))
    assert kept.status_code == 302, kept.content
    done = client.post(kept["Location"], answers)
    assert done.status_code == 302
    return Appointment.objects.latest("received_at")


def tomorrow(client, cast) -> str:
    """The times of tomorrow: clocks can be moved before them."""
    day = (the_clock.now() + timedelta(days=1)).date()
    return client.get(f"/book/times/{cast.at_home.pk}/?day={day}").text


def find(client, query: str = "") -> str:
    return client.get(f"/book/with/cardiology/?{query}").content.decode()


def test_it_begins_with_danger_signs_and_the_emergency_number(amina, cast):
    page = amina.get("/book/").content.decode()
    assert page.index("tel:141") < page.index("/book/with/cardiology/")


def test_a_patient_books_and_sees_where_they_will_sit(amina, cast):
    page = find(amina)
    assert "المركز الصحي إملشيل" in page
    appointment = book(amina, page, reason="mal à la poitrine")
    shown = amina.get(f"/appointments/{appointment.pk}/").content.decode()
    assert "mal à la poitrine" in shown
    assert "/telemed.ics" in shown
    assert not Hold.objects.exists()
    assert Event.objects.filter(action="appointment.read", patient=cast.amina.pk).exists()


def test_sending_the_form_twice_books_once(amina):
    kept = amina.post(reverse("scheduling:keep"), first_time(find(amina)))
    first, second = (amina.post(kept["Location"], {}) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert Appointment.objects.count() == 1


def test_a_taken_time_is_answered_with_free_ones(amina, client, cast):
    fields = first_time(find(amina))
    amina.post(reverse("scheduling:keep"), fields)
    client.force_login(cast.brahim)
    answer = client.post(reverse("scheduling:keep"), {**fields, "patient": cast.yassine.pk})
    assert answer.status_code == 409
    assert answer["Telemed-Refused"] == "slot_taken"
    alternatives = answer["Telemed-Alternatives"].split(",")
    assert 1 <= len(alternatives) <= 3
    days = re.findall(r'<a class="day[^"]*" href="([^"]+)"', answer.content.decode())
    assert client.get(html.unescape(days[1])).status_code == 200
    assert client.get(reverse("scheduling:keep")).status_code == 302
    retry = {**fields, "patient": cast.yassine.pk, "starts_at": alternatives[0]}
    assert client.post(reverse("scheduling:keep"), retry).status_code == 302
    assert Event.objects.filter(outcome="refused", code="slot_taken").exists()


def test_a_hold_that_was_lost_keeps_what_was_typed(amina, client, cast, clock):
    fields = first_time(tomorrow(amina, cast))
    kept = amina.post(reverse("scheduling:keep"), fields)["Location"]
    clock.move(timedelta(minutes=10))
    client.force_login(cast.brahim)
    client.post(reverse("scheduling:keep"), {**fields, "patient": cast.yassine.pk})
    client.force_login(cast.amina_user)
    lost = client.post(kept, {"reason": "palpitations"})
    assert lost.status_code == 409
    assert "palpitations" in lost.content.decode()
    instead = lost["Telemed-Alternatives"].split(",")[0]
    assert client.post(kept, {"reason": "palpitations", "instead": instead}).status_code == 302
    assert Appointment.objects.get().reason == "palpitations"


def test_an_expired_hold_still_books_when_nobody_took_the_time(amina, cast, clock):
    kept = amina.post(reverse("scheduling:keep"), first_time(tomorrow(amina, cast)))["Location"]
    clock.move(timedelta(minutes=10))
    assert amina.post(kept, {}).status_code == 302
    assert Appointment.objects.count() == 1


def test_a_hold_from_yesterday_books_no_past_time(amina, cast, clock):
    kept = amina.post(reverse("scheduling:keep"), first_time(find(amina)))["Location"]
    clock.move(timedelta(days=1))
    amina.logout()  # a day has passed: the session is over
    amina.force_login(cast.amina_user)
    answer = amina.post(kept, {"reason": "palpitations"})
    assert answer.status_code == 409
    assert answer["Telemed-Refused"] == "not_offered"
    assert not Appointment.objects.exists()
    instead = answer["Telemed-Alternatives"].split(",")[0]
    assert amina.post(kept, {"instead": instead}).status_code == 302


@pytest.mark.parametrize("why", ["leave", "service", "specialist"])
def test_an_expired_hold_books_nothing_that_is_offered_no_more(amina, cast, clock, why):
    kept = amina.post(reverse("scheduling:keep"), first_time(tomorrow(amina, cast)))["Location"]
    clock.move(timedelta(minutes=10))
    day = the_clock.now().date()
    if why == "leave":
        until = day + timedelta(days=90)
        Leave.objects.create(specialist=cast.dr_salma, first_day=day, last_day=until)
    elif why == "service":
        Service.objects.update(retired_at=the_clock.now())
    else:
        cast.dr_salma.retired_at = the_clock.now()
        cast.dr_salma.save()
    answer = amina.post(kept, {})
    assert answer["Telemed-Refused"] == "not_offered"
    assert answer["Telemed-Alternatives"] == ""
    assert not Appointment.objects.exists()


def test_a_danger_sign_books_all_the_same_and_says_whom_to_telephone(amina, cast):
    question = make.danger_question()
    appointment = book(amina, find(amina), **{f"q-{question.pk}": "yes"})
    assert appointment.status == "booked"
    assert "tel:141" in amina.get(f"/appointments/{appointment.pk}/").content.decode()


def test_answers_outlive_their_questions(amina, cast):
    danger = make.danger_question()
    since = Question.objects.create(
        kind="choice",
        text={"fr": "Depuis quand ?"},
        options=[{"fr": "Hier"}, {"fr": "Longtemps"}],
        speciality=cast.cardiology,
    )
    appointment = book(amina, find(amina), **{f"q-{danger.pk}": "yes", f"q-{since.pk}": "1"})
    address = f"/appointments/{appointment.pk}/"
    assert "Longtemps" in amina.get(address).text
    Question.objects.update(retired_at=the_clock.now())
    Question.objects.filter(pk=since.pk).update(options=[{"fr": "Hier"}])
    shown = amina.get(address)
    assert shown.context["danger"]
    assert "tel:141" in shown.text
    assert "Longtemps" not in shown.text
    assert "Depuis quand" in shown.text


def test_what_has_to_be_read_can_be_heard(amina, cast, settings, tmp_path):
    settings.CLIPS_DIR = tmp_path
    (tmp_path / "ary").mkdir()
    for clip in ("danger", "booking", "booked"):
        (tmp_path / "ary" / f"{clip}.ogg").write_bytes(b"OggS")
    assert "ary/danger.ogg" in amina.get("/book/").text
    page = find(amina)
    assert "ary/booking.ogg" in page
    assert "ary/booking.ogg" in tomorrow(amina, cast)
    appointment = book(amina, page)
    assert "ary/booked.ogg" in amina.get(f"/appointments/{appointment.pk}/").text


def test_a_representative_books_for_a_child(client, cast):
    cast.fatima_for_yassine, cast.at_home  # noqa: B018
    client.force_login(cast.fatima)
    assert cast.yassine.pk.hex[:8] in client.get("/book/").content.decode()
    appointment = book(client, find(client, f"patient={cast.yassine.pk}"))
    assert appointment.representative == cast.fatima_for_yassine
    event = Event.objects.get(action="appointment.book")
    assert (event.actor, event.on_behalf_of) == (cast.fatima.pk, cast.yassine.pk)


@pytest.mark.parametrize("who", ["brahim", "karim"])
def test_a_presenter_and_a_coordinator_book_for_anybody_of_their_places(client, cast, who):
    cast.amina, cast.at_imilchil  # noqa: B018
    client.force_login(getattr(cast, who))
    assert "/patients/" in client.get("/book/").content.decode()
    appointment = book(client, find(client, f"patient={cast.amina.pk}"))
    assert appointment.booked_by == getattr(cast, who)


def test_a_presenter_reaches_what_they_booked_for_a_patient_of_the_region(client, cast):
    cast.at_home  # noqa: B018 made by being named
    patient = make.patient(cast.draa, "Moha", "Ouzza")
    client.force_login(cast.brahim)
    appointment = book(client, find(client, f"patient={patient.pk}"))
    assert client.get(f"/appointments/{appointment.pk}/").status_code == 200
    assert client.get(f"/appointments/{appointment.pk}/move/").status_code == 200


def test_nobody_books_for_a_foreign_patient(amina, client, cast):
    assert amina.get(f"/book/?patient={cast.zineb.pk}").status_code == 404
    fields = {**first_time(find(amina)), "patient": cast.zineb.pk}
    assert amina.post(reverse("scheduling:keep"), fields).status_code == 404
    client.force_login(cast.brahim)
    assert client.get(f"/book/?patient={cast.zineb.pk}").status_code == 404


def test_wishes_filter_the_list(amina, cast):
    assert "سلمى" in find(amina, "sex=female&language=ary&place=home")
    assert "سلمى" not in find(amina, "sex=male")
    assert "سلمى" not in find(amina, "language=tzm")


def test_whoever_is_free_soonest_stands_first_and_their_soonest_place(amina, cast):
    """Dr Salma is away for three days, and at the centre two days longer than at home."""
    make.service(cast.dr_youssef, cast.cardiology)
    day = the_clock.now().date()
    Leave.objects.create(specialist=cast.dr_salma, first_day=day, last_day=day + timedelta(days=2))
    cast.at_imilchil.notice_minutes = 5 * 24 * 60
    cast.at_imilchil.save()
    found = amina.get("/book/with/cardiology/").context["people"]
    assert [one.specialist for one in found] == [cast.dr_youssef, cast.dr_salma]
    assert [offer.service for offer in found[1].offers] == [cast.at_home, cast.at_imilchil]
    assert [one.soonest for one in found] == sorted(one.soonest for one in found)
    for person in found:
        for offer in person.offers:
            assert offer.times == sorted(offer.times)
    cast.dr_youssef.rules.update(retired_at=the_clock.now())
    assert [one.specialist for one in amina.get("/book/with/cardiology/").context["people"]] == [
        cast.dr_salma
    ]


def test_a_patient_says_on_the_page_that_they_will_come(amina, cast):
    appointment = book(amina, tomorrow(amina, cast))
    address = reverse("scheduling:confirm", args=[appointment.pk])
    page = f"/appointments/{appointment.pk}/"
    assert address in amina.get(page).text
    amina.post(address)
    assert address not in amina.get(page).text
    appointment.refresh_from_db()
    assert appointment.attendance_confirmed_at is not None
    assert appointment.confirmed_at is None


def test_what_lies_outside_of_changed_hours_is_shown_to_whoever_keeps_them(amina, cast):
    appointment = book(amina, tomorrow(amina, cast))
    amina.force_login(cast.salma)
    hours = reverse("scheduling:availability", args=[cast.dr_salma.pk])
    assert amina.get(hours).context["outside"] == []
    add = reverse("scheduling:availability_add", args=[cast.dr_salma.pk, "leave"])
    day = appointment.starts_at.date()
    amina.post(add, {"first_day": day, "last_day": day})
    assert f"/appointments/{appointment.pk}/" in amina.get(hours).text


def test_moving_shows_the_new_time_and_frees_the_old(amina, cast):
    appointment = book(amina, find(amina))
    address = reverse("scheduling:move", args=[appointment.pk])
    day = (appointment.starts_at + timedelta(days=2)).date()
    page = amina.get(f"{address}?day={day}").content.decode()
    start = re.search(r'name="starts_at" value="([^"]+)"', page)[1]
    moved = amina.post(address, {"starts_at": start, "sequence": 0})
    assert moved.status_code == 302
    old = appointment.starts_at
    appointment.refresh_from_db()
    assert appointment.starts_at.date() == day
    assert appointment.sequence == 1
    assert old.isoformat() in find(amina)
    stale = amina.post(address, {"starts_at": old.isoformat(), "sequence": 0})
    assert stale.status_code == 409


@pytest.mark.parametrize("asked", ["9999-12-31", "0001-01-01", "2090-02-03", "2026-13-45", "x"])
def test_a_day_out_of_reach_shows_the_nearest_one(amina, cast, asked):
    appointment = book(amina, find(amina))
    times = reverse("scheduling:times", args=[cast.at_home.pk])
    for address in (times, reverse("scheduling:move", args=[appointment.pk])):
        page = amina.get(f"{address}?day={asked}")
        assert page.status_code == 200
        horizon = cast.at_home.horizon_days
        assert len(page.context["days"]) <= horizon + 1
        today = page.context["days"][0].date
        assert today <= page.context["day"] <= today + timedelta(days=horizon)


def test_the_last_days_of_the_horizon_lead_no_further(amina, cast):
    times = reverse("scheduling:times", args=[cast.at_home.pk])
    page = amina.get(f"{times}?day=2090-01-01")
    assert page.context["later"] is None
    assert amina.get(times).context["later"]


def test_cancelling_keeps_the_reason_and_shows_the_way_on(amina, cast):
    appointment = book(amina, find(amina))
    address = reverse("scheduling:cancel", args=[appointment.pk])
    assert amina.get(address).status_code == 200
    amina.post(address, {"reason": "guérie"})
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancel_reason) == ("cancelled", "guérie")
    shown = amina.get(f"/appointments/{appointment.pk}/").text
    assert "/book/?patient=" in shown
    assert "guérie" in shown
    amina.force_login(cast.salma)
    assert "guérie" in amina.get(f"/appointments/{appointment.pk}/").text
    amina.force_login(cast.karim)
    assert "guérie" not in amina.get(f"/appointments/{appointment.pk}/").text


def test_after_the_cut_off_patients_are_told_whom_to_telephone(amina, cast, clock):
    appointment = book(amina, tomorrow(amina, cast))
    clock.move(appointment.starts_at - timedelta(minutes=30) - appointment.received_at)
    amina.logout()  # hours have passed: the session is over
    amina.force_login(cast.amina_user)
    for name in ("move", "cancel"):
        address = reverse(f"scheduling:{name}", args=[appointment.pk])
        assert "notice warn" in amina.get(address).content.decode()
    assert amina.post(reverse("scheduling:cancel", args=[appointment.pk]), {}).status_code == 400
    appointment.refresh_from_db()
    assert appointment.status == "booked"


def test_the_coordinator_sees_no_reason_and_reassigns(amina, client, cast):
    appointment = book(amina, find(amina), reason="secret")
    cast.dr_youssef  # noqa: B018
    client.force_login(cast.karim)
    assert "secret" not in client.get(f"/appointments/{appointment.pk}/").content.decode()
    address = reverse("scheduling:reassign", args=[appointment.pk])
    assert "Youssef" in client.get(address).content.decode()
    client.post(address, {"specialist": cast.dr_youssef.pk})
    appointment.refresh_from_db()
    assert appointment.specialist == cast.dr_youssef
    assert appointment.requested_specialist == cast.dr_salma


def test_a_specialist_accepts_what_waits_for_confirmation(amina, client, cast):
    cast.at_home.needs_confirmation = cast.at_imilchil.needs_confirmation = True
    cast.at_home.save()
    cast.at_imilchil.save()
    appointment = book(amina, find(amina))
    assert appointment.status == "pending"
    client.force_login(cast.salma)
    address = reverse("scheduling:confirm", args=[appointment.pk])
    assert address in client.get(f"/appointments/{appointment.pk}/").content.decode()
    for other in (cast.brahim, cast.karim):  # they reach it, but it is not theirs to accept
        client.force_login(other)
        assert client.get(f"/appointments/{appointment.pk}/").status_code == 200
        assert client.post(address).status_code == 404
    client.force_login(cast.salma)
    client.post(address)
    appointment.refresh_from_db()
    assert appointment.status == "booked"
    assert client.post(address).status_code == 400


def test_a_link_for_an_interpreter_is_shown_once_with_its_code(amina, client, cast):
    appointment = book(amina, find(amina))
    client.force_login(cast.salma)
    address = reverse("scheduling:invite", args=[appointment.pk])
    page = client.post(address, {"kind": "interpreter", "name": "Tilila"}).content.decode()
    assert re.search(r"/v/[\w-]{48}", page)
    assert re.search(r"data-link-code>\d{6}<", page)


def test_who_is_locked_out_gets_a_new_link_and_code(client, cast):
    appointment = make.appointment(cast.yassine, cast.at_home, make.on_the_hour(the_clock.now(), 3))
    link = issue_link(appointment, PersonalLink.Kind.PATIENT, SYSTEM)
    PersonalLink.objects.update(tries_left=0)
    before = links.token(link)
    address = reverse("scheduling:renew_link", args=[appointment.pk])
    client.force_login(cast.salma)
    assert address in client.get(f"/appointments/{appointment.pk}/").content.decode()

    page = client.post(address).content.decode()

    link.refresh_from_db()
    token = re.search(r"/v/([\w-]{48})", page)
    assert token
    assert (links.link_of(before), links.link_of(token[1])) == (None, link)
    assert f"data-link-code>{links.code(link)}<" in page
    assert link.tries_left > 0
    assert Event.objects.filter(action="link.reissue", actor=cast.salma.pk).count() == 1


def test_a_patient_makes_no_new_link_of_their_own(amina, cast):
    appointment = make.appointment(cast.amina, cast.at_home, make.on_the_hour(the_clock.now(), 3))
    address = reverse("scheduling:renew_link", args=[appointment.pk])
    assert address not in amina.get(f"/appointments/{appointment.pk}/").content.decode()
    assert amina.post(address).status_code == 404


def test_the_hours_page_adds_and_takes_away(client, cast):
    cast.at_imilchil  # noqa: B018
    for user in (cast.salma, cast.karim):
        client.force_login(user)
        page = reverse("scheduling:availability", args=[cast.dr_salma.pk])
        assert client.get(page).status_code == 200
        add = reverse("scheduling:availability_add", args=[cast.dr_salma.pk, "leave"])
        wrong = client.post(add, {"first_day": "2027-01-09", "last_day": "2027-01-02"})
        assert wrong.status_code == 400
        client.post(add, {"first_day": "2027-01-02", "last_day": "2027-01-09"})
        leave = cast.dr_salma.leaves.get(retired_at__isnull=True)
        retire = reverse(
            "scheduling:availability_retire", args=[cast.dr_salma.pk, "leave", leave.pk]
        )
        client.post(retire)
        assert not cast.dr_salma.leaves.filter(retired_at__isnull=True).exists()
    client.force_login(cast.leila)
    assert client.get(page).status_code == 200  # her region holds the hospital
    client.force_login(cast.youssef)
    cast.dr_youssef  # noqa: B018
    assert client.get(page).status_code == 404
