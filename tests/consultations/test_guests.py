"""By link without a login: what a link opens, for whom, and what ends it."""

import asyncio
import io
import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client
from django.urls import reverse

from consultations import refused_links
from consultations.access import GUEST_COOKIE
from consultations.models import Consultation, GuestSession, Participant
from scheduling import links
from scheduling.actions.link import issue_link, reissue_link, void_links
from scheduling.models import Appointment, PersonalLink
from scheduling.rules import CODE_TRIES
from telemed.accounts import sessions, staff
from telemed.accounts.models import Membership
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.lib import clock, logs
from tests import make
from tests.consultations.callers import guest_of, in_thread, words

WAITING = {"type", "number", "room", "you", "queue", "specialist_knows", "messages"}


@pytest.fixture
def link(visit) -> PersonalLink:
    return issue_link(visit, PersonalLink.Kind.INTERPRETER, SYSTEM, name="Itto")


def address(link, name="link"):
    return reverse(f"consultations:{name}", args=[links.token(link)])


def opened(client, link):
    answer = client.post(address(link), {"code": links.code(link)})
    assert answer.status_code == 302, "the code is right"
    return client


class TestByPage:
    def test_a_preview_that_fetches_the_link_changes_nothing(self, client, link):
        events = Event.objects.count()

        answer = client.get(address(link))

        assert answer.status_code == 200
        assert not GuestSession.objects.exists()
        assert not Consultation.objects.exists()
        assert not client.cookies.get(GUEST_COOKIE)
        assert Event.objects.count() == events
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] in ("same-origin", "no-referrer"), "told to no other site"

    def test_a_link_that_opens_nothing_is_kept_in_the_audit(self, client, link):
        void_links(link.appointment, "cancelled", SYSTEM)
        assert client.get(address(link)).status_code == 404
        event = Event.objects.get(action="link.open")
        assert (event.outcome, event.code) == ("refused", "void")
        assert (event.patient, event.subject) == (link.appointment.patient_id, link.pk)

    def test_forged_links_are_kept_within_bounds(self, client, db):
        for _ in range(refused_links.KEPT_A_MINUTE + 5):
            assert client.get(f"/v/{'A' * 48}/").status_code == 404
        events = Event.objects.filter(action="link.open", code="forged")
        assert events.count() == refused_links.KEPT_A_MINUTE

    def test_the_right_code_opens_a_session_of_this_browser(self, client, link):
        opened(client, link)

        assert client.get(address(link)).status_code == 200
        assert client.post(address(link, "guest_test_ticket")).status_code != 404
        assert client.cookies[GUEST_COOKIE]["httponly"]
        session = GuestSession.objects.get()
        assert client.cookies[GUEST_COOKIE].value not in (session.browser_hash, str(session.pk))

    def test_another_browser_is_asked_for_the_code(self, client, link):
        opened(client, link)
        stranger = Client()

        assert stranger.post(address(link, "guest_ticket")).status_code == 404
        assert stranger.post(address(link, "guest_test_ticket")).status_code == 404
        assert not Participant.objects.filter(admitted_at__isnull=False).exists()

    def test_a_wrong_code_is_kept_by_the_audit_and_opens_nothing(self, client, link):
        assert client.post(address(link), {"code": "x"}).status_code == 400

        assert not GuestSession.objects.exists()
        kept = Event.objects.get(action="guest.start")
        assert (kept.outcome, kept.code, kept.subject) == ("refused", "wrong_code", link.pk)

    def test_after_a_few_tries_the_right_code_helps_no_more(self, client, link):
        for _ in range(CODE_TRIES + 2):
            client.post(address(link), {"code": "x"})

        assert client.post(address(link), {"code": links.code(link)}).status_code == 400
        assert not GuestSession.objects.exists()
        assert Event.objects.filter(action="guest.start").count() == CODE_TRIES

    def test_a_link_issued_anew_ends_the_session_of_the_earlier_one(self, client, link):
        opened(client, link)
        before = address(link)

        reissue_link(link, SYSTEM)

        assert client.get(before).status_code == 404
        assert client.post(address(link, "guest_ticket")).status_code == 404

    def test_the_token_stands_in_no_log(self, client, link):
        said = io.StringIO()
        handler = logging.StreamHandler(said)
        handler.addFilter(logs.Discreet())
        handler.setFormatter(logs.Readable())
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            client.get(address(link))
            client.post(address(link), {"code": "x"})
            opened(client, link)
            client.post(address(link, "guest_ticket"))
            void_links(link.appointment, "cancelled", SYSTEM)
            client.get(address(link))
            client.get(f"/v/{links.token(link)}/nothing/here")
        finally:
            root.removeHandler(handler)

        assert "[secret]" in said.getvalue(), "something was logged about the link"
        assert links.token(link) not in said.getvalue()
        assert links.code(link) not in said.getvalue()


@pytest.fixture
def own_link(cast) -> PersonalLink:
    """Yassine's, to a visit of the day after tomorrow."""
    starts_at = make.on_the_hour(clock.now(), 48)
    coming = make.appointment(cast.yassine, cast.at_imilchil, starts_at)
    return issue_link(coming, PersonalLink.Kind.PATIENT, SYSTEM)


class TestBeforeTheVisit:
    def test_the_patient_says_that_they_come(self, client, own_link):
        opened(client, own_link)
        assert address(own_link, "guest_confirm") in client.get(address(own_link)).text

        for _ in range(2):
            answer = client.post(address(own_link, "guest_confirm"))
            assert answer["Location"] == address(own_link)

        appointment = Appointment.objects.get(pk=own_link.appointment_id)
        assert appointment.attendance_confirmed_at is not None
        assert address(own_link, "guest_confirm") not in client.get(address(own_link)).text
        event = Event.objects.get(action="appointment.confirm_attendance")
        assert (event.actor_kind, event.role) == ("guest", "patient")

    def test_the_patient_cancels_and_the_link_opens_nothing_more(self, client, own_link):
        opened(client, own_link)
        assert address(own_link, "guest_cancel") in client.get(address(own_link)).text

        answer = client.post(address(own_link, "guest_cancel"), {"reason": "fièvre passée"})

        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        appointment = Appointment.objects.get(pk=own_link.appointment_id)
        assert (appointment.status, appointment.cancel_reason) == ("cancelled", "fièvre passée")
        assert appointment.cancelled_by is None
        own_link.refresh_from_db()
        assert own_link.void_reason == "cancelled"
        assert client.get(address(own_link)).status_code == 404
        assert client.post(address(own_link, "guest_cancel")).status_code == 404
        assert Event.objects.get(action="appointment.cancel").actor_kind == "guest"

    def test_after_the_cut_off_they_are_told_whom_to_telephone(self, client, own_link):
        own_link.appointment.organisation.phone = "+212535000111"
        own_link.appointment.organisation.save()
        soon = clock.now() + settings.BOOKING_CUT_OFF - timedelta(minutes=1)
        Appointment.objects.update(
            starts_at=soon,
            ends_at=soon + timedelta(minutes=20),
            received_at=clock.now() - timedelta(days=1),
        )
        opened(client, own_link)

        page = client.get(address(own_link)).text
        assert address(own_link, "guest_cancel") not in page
        assert "tel:+212535000111" in page
        assert client.post(address(own_link, "guest_cancel")).status_code == 400
        assert Appointment.objects.get().status == "booked"
        assert Event.objects.filter(outcome="refused", code="too_late").exists()

    def test_neither_without_the_code_nor_for_somebody_elses_link(self, client, own_link):
        names = ("guest_confirm", "guest_cancel")
        assert [client.post(address(own_link, name)).status_code for name in names] == [404, 404]
        interpreter = issue_link(
            own_link.appointment, PersonalLink.Kind.INTERPRETER, SYSTEM, name="Itto"
        )
        opened(client, interpreter)
        page = client.get(address(interpreter)).text
        assert not [name for name in names if address(interpreter, name) in page]
        assert [client.post(address(interpreter, name)).status_code for name in names] == [404, 404]
        assert Appointment.objects.get().status == "booked"


@pytest.fixture
async def guest(cast, visit, link, enter):
    """Dr Salma with Amina in, Itto the interpreter waiting with her consent given."""
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)
    await amina.change("consent", participant=amina.id, **words())
    await salma.change("admit", participant=amina.id)
    await salma.change("chat", text="Before the interpreter", to=None)
    itto = await enter(await in_thread(guest_of, link), visit)
    await itto.change("consent", participant=itto.id, **words(patient=False))
    return salma, amina, itto


async def admitted(salma, itto):
    await salma.change("admit", participant=itto.id)
    await itto.until(lambda: itto.state == "admitted")


async def test_a_guest_sees_nothing_before_admission(guest):
    _, _, itto = guest
    await itto.settle()

    assert set(itto.snapshot) == WAITING
    assert itto.snapshot["messages"] == []
    assert "Amina" not in str(itto.came)


async def test_a_guest_is_shown_as_unverified_and_reads_from_their_admission_on(guest):
    salma, amina, itto = guest
    await admitted(salma, itto)
    await salma.change("chat", text="Welcome", to=None)
    await itto.until(lambda: bool(itto.snapshot["messages"]))
    await amina.until(lambda: len(amina.snapshot.get("people", ())) == 3)

    assert [one["text"] for one in itto.snapshot["messages"]] == ["Welcome"]
    shown = {one["name"]: one["verified"] for one in amina.snapshot["people"]}
    assert shown["Itto"] is False
    assert all(seen for name, seen in shown.items() if name != "Itto")


async def test_a_guest_who_left_sees_nothing_more(guest):
    salma, _, itto = guest
    await admitted(salma, itto)
    await itto.change("leave")
    await itto.until(lambda: itto.state == "left")

    await salma.change("chat", text="Among ourselves", to=None)
    await itto.settle()

    assert "people" not in itto.snapshot
    assert itto.snapshot["messages"] == []
    assert "Among ourselves" not in str(itto.came)


@pytest.mark.parametrize("away", [1, 16])
async def test_a_guest_who_comes_back_reads_nothing_of_their_absence(
    guest, visit, link, enter, clock, away
):
    salma, _, itto = guest
    await admitted(salma, itto)
    await itto.change("leave")
    await itto.until(lambda: itto.state == "left")
    await salma.change("chat", text="Among ourselves", to=None)
    await itto.hang_up()
    itto.closed = 1001
    clock.move(timedelta(minutes=away))

    again = await enter(await in_thread(guest_of, link), visit, itto.browser)
    if away > 15:
        await admitted(salma, again)
    await salma.change("chat", text="Welcome back", to=None)
    await again.until(lambda: bool(again.snapshot["messages"]))

    assert [one["text"] for one in again.snapshot["messages"]] == ["Welcome back"]


async def test_a_reload_keeps_the_guest_in(guest, process, visit, link, enter):
    salma, _, itto = guest
    await admitted(salma, itto)
    seat = await in_thread(guest_of, link)

    again = await enter(seat, visit, itto.browser)

    assert again.state == "admitted"


async def test_removal_ends_the_socket_and_the_session(guest):
    salma, _, itto = guest
    await admitted(salma, itto)

    await salma.change("remove", participant=itto.id)
    await itto.until(lambda: itto.closed is not None)

    assert itto.closed == 4003
    assert not await GuestSession.objects.filter(ended_at__isnull=True).aexists()


@pytest.mark.parametrize("how", ["void", "reissue", "end"])
async def test_what_ends_the_link_or_the_session_ends_the_socket(guest, visit, link, how):
    salma, _, itto = guest
    await admitted(salma, itto)
    ends = {
        "void": lambda: void_links(visit, "cancelled", SYSTEM),
        "reissue": lambda: reissue_link(link, SYSTEM),
        "end": lambda: GuestSession.objects.update(ended_at="2026-11-24T12:00Z"),
    }

    await in_thread(ends[how])
    async with asyncio.timeout(3):
        await itto.until(lambda: itto.closed is not None)

    assert itto.closed == 4003
    await salma.settle()
    assert salma.closed is None


async def test_an_ended_login_ends_the_socket(guest, cast):
    _, amina, _ = guest
    cast.amina_user.is_active = False

    await cast.amina_user.asave()
    async with asyncio.timeout(3):
        await amina.until(lambda: amina.closed is not None)

    assert amina.closed == 4003


@pytest.mark.parametrize("who", ["specialist", "presenter"])
async def test_an_ended_role_ends_the_socket(cast, visit, enter, who):
    visit.site, visit.patient_place = cast.imilchil, "facility"
    await visit.asave()
    user = cast.salma if who == "specialist" else await in_thread(lambda: cast.brahim)
    caller = await enter(user, visit)
    yesterday = clock.now().date() - timedelta(days=1)
    await Membership.objects.filter(user=user).aupdate(valid_to=yesterday)
    async with asyncio.timeout(3):
        await caller.until(lambda: caller.closed is not None)
    assert caller.closed == 4003


async def test_an_ended_representation_ends_the_socket(cast, visit, enter):
    mandate = await in_thread(lambda: make.representative(cast.amina, cast.fatima))
    fatima = await enter(cast.fatima, visit)
    await fatima.settle()
    assert fatima.closed is None
    mandate.voided_at = clock.now()
    await mandate.asave()
    async with asyncio.timeout(3):
        await fatima.until(lambda: fatima.closed is not None)
    assert fatima.closed == 4003


def signed_in(user, browser):
    """A session that went into a visit by this browser."""
    client = Client()
    client.force_login(user)
    client.get("/")
    session = client.session
    session[sessions.BROWSER] = str(browser)
    session.save()
    return client


@pytest.mark.parametrize("how", ["from another device", "by themselves", "with the account's rest"])
async def test_an_ended_session_ends_the_socket_of_its_browser_only(guest, cast, how):
    salma, amina, _ = guest
    stolen = await in_thread(signed_in, cast.amina_user, amina.browser)
    other = await in_thread(signed_in, cast.salma, salma.browser)
    assert other
    ends = {
        "from another device": lambda: UserSession.objects.get(user=cast.amina_user).end(),
        "by themselves": lambda: stolen.post("/accounts/logout/"),
        "with the account's rest": lambda: staff.deactivate(cast.amina_user, SYSTEM),
    }
    await in_thread(ends[how])
    async with asyncio.timeout(3):
        await amina.until(lambda: amina.closed is not None)
    await salma.settle()
    assert salma.closed is None


async def test_a_session_that_ends_elsewhere_leaves_the_visit_alone(guest, cast):
    _, amina, _ = guest
    await in_thread(signed_in, cast.amina_user, amina.browser)
    old = await in_thread(signed_in, cast.amina_user, uuid4())
    await in_thread(old.post, "/accounts/logout/")
    await amina.settle()
    assert amina.closed is None
