"""Numbers change: who hears of a coming appointment when the way to a patient does."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from scheduling import actions, links, messages
from telemed.accounts import actions as accounts
from telemed.accounts.access import viewer_of
from telemed.lib import clock as the_clock
from telemed.messaging.models import Message
from tests import make
from tests.scheduling.told import deliver, mails_to

pytestmark = pytest.mark.django_db

OLD, NEW = "+212662000111", "+212655443322"


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What is done and told within it is as if committed."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def presenter(cast):
    return viewer_of(cast.brahim, the_clock.now())


@pytest.fixture
def appointment(cast, book):
    """Yassine's, told to the old number; he has no login, so a link goes there."""
    cast.brahim  # noqa: B018 made by being named
    made = book(cast.yassine, days=3)
    assert {one.address for one in deliver()} == {OLD}
    return made


def to_the_day_before(clock, appointment) -> None:
    clock.move(appointment.starts_at - timedelta(hours=23) - the_clock.now())


def change_number(presenter, patient) -> None:
    row = patient.contacts.get(voided_at__isnull=True)
    accounts.void(presenter, patient, "contact", row.pk, "Lost")
    accounts.add_phone(presenter, patient, NEW, shared=False)


def test_a_new_number_gets_link_code_and_reminders(cast, appointment, presenter, committed, clock):
    with committed():
        change_number(presenter, cast.yassine)
    shown = deliver()
    link = appointment.links.get()
    assert {one.address for one in shown} == {NEW}
    assert [links.token(link) in one.text for one in shown].count(True) == 1
    assert [links.code(link) in one.text for one in shown].count(True) == 1
    to_the_day_before(clock, appointment)
    [reminder] = deliver()
    assert reminder.address == NEW
    assert links.token(link) in reminder.text


def test_asking_again_changes_nothing(cast, appointment, presenter, committed):
    with committed():
        change_number(presenter, cast.yassine)
    deliver()
    asked = Message.objects.count()
    for _ in range(2):
        messages.reach_again(cast.yassine.pk)
    assert Message.objects.count() == asked
    assert deliver() == []


def test_a_second_number_is_told_nothing_while_the_first_is_in_use(
    cast, appointment, presenter, committed
):
    with committed():
        accounts.add_phone(presenter, cast.yassine, NEW, shared=False)
    assert deliver() == []


def test_without_any_number_left_the_presenter_reminds(
    cast, appointment, presenter, committed, clock
):
    row = cast.yassine.contacts.get()
    with committed():
        accounts.void(presenter, cast.yassine, "contact", row.pk, "Lost")
    assert deliver() == [], "they were told the appointment already"
    to_the_day_before(clock, appointment)
    [mail] = deliver()
    assert mail.address == cast.brahim.email
    with committed():
        accounts.add_phone(presenter, cast.yassine, NEW, shared=False)
    deliver()
    clock.move(timedelta(hours=22, minutes=10))
    [reminder] = deliver()
    assert reminder.address == NEW, "the presenter's is dropped again"


def test_a_message_that_finds_nobody_goes_to_the_presenter(cast, appointment, clock):
    """Also where no change was told: the contact is gone when it is sent."""
    row = cast.yassine.contacts.get()
    row.voided_at = the_clock.now()
    row.save()
    to_the_day_before(clock, appointment)
    assert deliver() == []
    assert [mail.address for mail in deliver()] == [cast.brahim.email]
    assert deliver() == []


def test_a_code_goes_to_no_number_that_was_taken_away(cast, book):
    book(cast.yassine)
    row = cast.yassine.contacts.get()
    row.voided_at = the_clock.now()
    row.save()
    assert OLD not in {one.address for one in deliver()}


def test_who_wants_messages_again_gets_them(client, cast, book, committed, clock):
    cast.brahim  # noqa: B018
    client.force_login(cast.amina_user)
    cast.amina.messages_wanted = False
    cast.amina.save()
    appointment = book(cast.amina, days=3)
    assert [one.address for one in deliver()] == [cast.brahim.email]
    form = {"language": "ar", "messages_wanted": "on"}
    with committed():
        client.post(reverse("patients:mine"), form)
    [told] = deliver()
    assert told.address == "+212661234567"
    to_the_day_before(clock, appointment)
    assert [one.address for one in deliver()] == ["+212661234567"]


def test_another_address_of_the_sign_in_is_written_to(client, cast, book, committed, clock):
    contact = cast.amina.contacts.get()
    contact.voided_at = the_clock.now()
    contact.save()
    user = cast.amina_user
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    appointment = book(cast.amina, days=3)
    assert [one.address for one in deliver()] == [user.email]
    make.sign_in_again(client, user)
    client.post("/accounts/email/", {"email": "new@cast.example", "action_add": ""})
    deliver()
    code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", mails_to("new@cast.example")[0].text)
    with committed():
        client.post("/accounts/confirm-email/", {"code": code[0]})
    # The old one is told that it is none any more, and of nothing else.
    assert {one.address for one in deliver()} == {user.email, "new@cast.example"}
    to_the_day_before(clock, appointment)
    assert [one.address for one in deliver()] == ["new@cast.example"]


def test_what_was_cancelled_or_is_over_is_told_to_nobody_anew(
    cast, appointment, presenter, karim, committed
):
    actions.cancel(appointment, karim)
    deliver()
    with committed():
        change_number(presenter, cast.yassine)
    assert deliver() == []


def test_a_new_representative_hears_of_what_comes(cast, appointment, presenter, committed):
    mandate = accounts.Mandate(uuid4(), "mother", "parent")
    with committed():
        accounts.add_representative(presenter, cast.yassine, cast.fatima, mandate)
    assert [one.address for one in deliver()] == [cast.fatima.email]


def test_a_patient_without_appointments_changes_nothing(cast, presenter, committed):
    hadda = make.patient(cast.imilchil, "Hadda", "Oubella")
    with committed():
        accounts.add_phone(presenter, hadda, NEW, shared=False)
    assert not Message.objects.exists()
