"""What people are told, when, and what never stands in a text message, subject or calendar."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from allauth.account.models import EmailAddress
from django.utils import translation
from icalendar import Calendar

from scheduling import actions, links, queries
from scheduling.calendar import calendar_file
from scheduling.models import Appointment, Service
from telemed.accounts.models import Patient
from telemed.lib import clock as the_clock
from telemed.lib import formats
from telemed.messaging.models import Message, ShownMessage
from tests import make
from tests.scheduling.told import SPECIALISTS, deliver, email, mails_to

pytestmark = pytest.mark.django_db


def kinds(state: str = "") -> list[str]:
    rows = Message.objects.filter(state=state) if state else Message.objects.all()
    return sorted(kind.removeprefix("appointment.") for kind in rows.values_list("kind", flat=True))


def test_confirmation_at_once_and_two_reminders_in_the_persons_language(cast, book):
    appointment = book(cast.amina)
    [shown] = deliver()
    assert (shown.channel, shown.address) == ("sms", "+212661234567")
    assert formats.in_words(appointment.starts_at, appointment.time_zone, "ar") in shown.text
    due = dict(Message.objects.filter(state="due").values_list("kind", "due_at"))
    assert due == {
        "appointment.reminder_day": appointment.starts_at - timedelta(days=1),
        "appointment.reminder_hour": appointment.starts_at - timedelta(hours=1),
    }


def test_a_reminder_speaks_the_language_of_the_day_it_is_sent(cast, book, clock):
    appointment = book(cast.amina)
    deliver()
    cast.amina.language = "fr"
    cast.amina.save()
    clock.move(appointment.starts_at - timedelta(hours=23) - the_clock.now())
    [shown] = deliver()
    assert formats.in_words(appointment.starts_at, appointment.time_zone, "fr") in shown.text


def test_reminders_go_out_in_their_time(cast, book, clock):
    appointment = book(cast.amina)
    deliver()
    clock.move(appointment.starts_at - timedelta(hours=23) - the_clock.now())
    assert len(deliver()) == 1
    clock.move(appointment.starts_at - timedelta(minutes=50) - the_clock.now())
    assert len(deliver()) == 1


def test_what_never_stands_in_a_text_message_subject_or_calendar(cast, book, karim):
    email(cast.amina, "amina@home.example")
    appointment = book(cast.amina)
    secrets = ["palpitations", "Imilchil", "إملشيل", "Idrissi", "الإدريسي", "Bennis", "بنيس"]
    secrets += ["Cardio", "القلب", "centre", "المركز"]
    for change in (
        lambda: actions.move(appointment, appointment.starts_at + timedelta(hours=1), karim),
        lambda: actions.reassign(appointment, cast.dr_youssef, karim),
        lambda: actions.cancel(appointment, karim, "il ne peut pas"),
    ):
        for shown in deliver():
            guarded = [shown.subject, shown.attachment.replace("\r\n ", "")]
            guarded += [shown.text] if shown.channel == "sms" else []
            for text in guarded:
                assert not [secret for secret in secrets if secret in text]
        change()
    shown = deliver()
    assert {one.channel for one in shown} == {"sms", "email"}


def test_after_a_move_the_old_reminders_are_dropped(cast, book, karim, clock):
    appointment = book(cast.amina, days=3)
    deliver()
    old = appointment.starts_at
    later = queries.alternatives(
        cast.at_imilchil, cast.dr_salma.pk, cast.amina, old + timedelta(days=2)
    )[0]
    actions.move(appointment, later, karim)
    assert len(deliver()) == 1
    clock.move(old - timedelta(minutes=30) - the_clock.now())
    assert deliver() == []
    assert kinds("dropped") == ["reminder_day", "reminder_hour"]


def test_after_cancelling_only_the_cancellation_is_told(cast, book, karim, clock):
    appointment = book(cast.amina)
    actions.cancel(appointment, karim)
    [shown] = deliver()
    with translation.override("ar"):
        assert formats.in_words(appointment.starts_at, appointment.time_zone, "ar") in shown.text
    clock.move(timedelta(days=3))
    assert deliver() == []


def test_link_and_code_travel_apart(cast, book):
    appointment = book(cast.yassine)
    link = appointment.links.get()
    token, code = links.token(link), links.code(link)
    texts = [shown.text for shown in deliver() if shown.address == "+212662000111"]
    assert len(texts) == 2
    assert [token in text for text in texts].count(True) == 1
    assert [code in text for text in texts].count(True) == 1
    assert not [text for text in texts if token in text and code in text]


def test_the_letter_names_what_its_door_opens_to(cast, book):
    email(cast.yassine, "yassine@home.example")
    email(cast.amina, "amina@home.example")
    for patient in (cast.yassine, cast.amina):
        patient.language = "en"
        patient.save()
    book(cast.yassine)
    book(cast.amina, days=4)
    texts = {one.address: one.text for one in deliver() if one.subject != "Your code"}
    assert "To see, confirm or cancel it:" in texts["yassine@home.example"]
    assert "To see, move or cancel it:" in texts["amina@home.example"]


def test_who_cannot_sign_in_is_led_to_no_page_that_asks_for_it(cast, book, karim):
    appointment = book(cast.yassine)
    deliver()
    actions.cancel(appointment, karim)
    [shown] = deliver()
    assert "http" not in shown.text


def test_every_message_of_one_issue_carries_the_same_link(cast, book, clock):
    appointment = book(cast.yassine)
    address = links.token(appointment.links.get())
    deliver()
    clock.move(appointment.starts_at - timedelta(minutes=50) - the_clock.now())
    reminders = deliver()
    assert reminders
    assert all(address in shown.text for shown in reminders)


def test_nobody_who_wants_no_messages_gets_any(cast, book, karim):
    """The presenters at the site are told instead; also of what was asked for before."""
    appointment = book(cast.amina)
    cast.brahim  # noqa: B018 made by being named
    cast.amina.messages_wanted = False
    cast.amina.save()
    assert deliver() == []
    actions.cancel(appointment, karim)
    [shown] = deliver()
    assert shown.address == cast.brahim.email


def test_without_a_phone_the_presenter_is_told(cast, book):
    cast.brahim  # noqa: B018
    hadda = make.patient(cast.imilchil, "Hadda", "Oubella")
    appointment = book(hadda)
    [shown] = deliver()
    assert (shown.channel, shown.address) == ("email", cast.brahim.email)
    assert "Oubella" not in shown.text + shown.subject
    assert str(appointment.pk) in shown.text


def test_without_a_presenter_the_coordinator_is_told(cast, book):
    hadda = make.patient(cast.draa, "Hadda", "Oubella")
    book(hadda, cast.at_home)
    [shown] = deliver()
    assert shown.address == cast.karim.email


# --- whoever signs in reads mail there


def signed_up(client, cast, **changes) -> Patient:
    """Through the pages: account, code of the e-mail."""
    form = {
        "given": "Rkia",
        "family": "Ouhaddou",
        "birth_date": "1990-02-03",
        "region": str(cast.draa.id),
        "contact_phone": "",
        "email": "rkia@cast.example",
        "password1": "a long and rare passphrase",
        "messages_wanted": "on",
    } | changes
    client.post("/accounts/signup/", form)
    [mail] = deliver()
    [code] = re.findall(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", mail.text)
    client.post("/accounts/confirm-email/", {"code": code})
    return Patient.objects.get()


def test_whoever_signed_up_gets_confirmation_calendar_and_reminders_there(client, cast, clock):
    cast.at_home  # noqa: B018 made by being named
    signed_up(client, cast)
    appointment = booked_by_page(client, days=3)
    [shown] = deliver()
    assert (shown.channel, shown.address) == ("email", "rkia@cast.example")
    assert str(appointment.pk) in shown.text
    assert event(shown.attachment)[1]["UID"] == f"{appointment.pk}@telemed"
    clock.move(appointment.starts_at - timedelta(hours=23) - the_clock.now())
    [reminder] = deliver()
    assert reminder.address == "rkia@cast.example"


def booked_by_page(client, days: int) -> Appointment:
    """The first time of a day, chosen without JavaScript."""
    service = Service.objects.get()
    day = (the_clock.now() + timedelta(days=days)).date()
    page = client.get(f"/book/times/{service.pk}/?day={day}").text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))
    fields["starts_at"] = re.findall(r'name="starts_at" value="([^"]+)"', page)[0]
    client.post(client.post("/book/hold/", fields)["Location"])
    return Appointment.objects.get()


def proved(user) -> None:
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)


def test_a_mailbox_named_as_contact_goes_before_that_of_the_sign_in(cast, book):
    proved(cast.amina_user)
    email(cast.amina, "amina@home.example")
    book(cast.amina)
    assert {one.address for one in deliver()} == {"+212661234567", "amina@home.example"}


def test_an_address_that_nobody_proved_gets_nothing(cast, book):
    EmailAddress.objects.create(
        user=cast.amina_user, email=cast.amina_user.email, primary=True, verified=False
    )
    book(cast.amina)
    assert {one.address for one in deliver()} == {"+212661234567"}


def test_who_signs_in_and_wants_no_messages_gets_none(cast, book):
    proved(cast.amina_user)
    book(cast.amina)
    cast.amina.messages_wanted = False
    cast.amina.save()
    assert deliver() == []


def test_a_representative_is_told_while_they_may_be(cast, book):
    cast.fatima_for_yassine  # noqa: B018
    book(cast.yassine)
    assert cast.fatima.email in {shown.address for shown in deliver()}
    cast.fatima_for_yassine.may_be_told = False
    cast.fatima_for_yassine.save()
    book(cast.yassine, days=4)
    assert cast.fatima.email not in {shown.address for shown in deliver()}


def test_a_shared_mailbox_is_not_told_where_and_whom(cast, book):
    contact = email(cast.amina, "amina@home.example")
    book(cast.amina)
    mail = next(shown for shown in deliver() if shown.channel == "email")
    assert "إملشيل" in mail.text
    contact.shared = True
    contact.save()
    book(cast.amina, days=4)
    mail = next(shown for shown in deliver() if shown.channel == "email")
    assert "إملشيل" not in mail.text
    assert "بنيس" not in mail.text


def test_one_without_any_way_stops_nobody(cast, book):
    nobody = make.patient(cast.ministry, "Ali", "Nobody")
    book(nobody, cast.at_home)
    book(cast.amina, days=4)
    assert len(deliver()) == 1


def test_the_specialist_is_told_of_every_change_and_of_nobody(cast, book, karim):
    appointment = book(cast.amina)
    deliver()
    actions.reassign(appointment, cast.dr_youssef, karim)
    deliver()
    actions.cancel(appointment, karim)
    deliver()
    mails = [one for one in ShownMessage.objects.order_by("shown_at") if one.address in SPECIALISTS]
    assert [one.address for one in mails] == [
        cast.salma.email,
        cast.youssef.email,
        cast.salma.email,
        cast.youssef.email,
    ]
    for mail in mails:
        assert "Idrissi" not in mail.text + mail.subject + mail.attachment
    given_away = [one for one in mails[1:] if one.address == cast.salma.email]
    assert [one for one in mails if str(appointment.pk) not in one.text] == given_away


def test_whose_visit_was_given_away_takes_it_out_of_the_calendar(cast, book, karim):
    """Also when it was moved before the mail went out."""
    appointment = book(cast.amina)
    deliver()
    actions.reassign(appointment, cast.dr_youssef, karim)
    actions.move(appointment, appointment.starts_at + timedelta(hours=1), karim)
    deliver()
    mail = mails_to(cast.salma.email)[-1]
    calendar, entry = event(mail.attachment)
    assert (calendar["METHOD"], entry["STATUS"]) == ("CANCEL", "CANCELLED")
    assert entry["UID"] == f"{appointment.pk}@telemed"
    assert entry["SEQUENCE"] == appointment.sequence > 0
    assert str(appointment.pk) not in mail.text


def test_who_gets_it_back_before_the_mail_is_told_only_that(cast, book, karim):
    appointment = book(cast.amina)
    deliver()
    actions.reassign(appointment, cast.dr_youssef, karim)
    actions.reassign(appointment, cast.dr_salma, karim)
    deliver()
    mails = mails_to(cast.salma.email)
    assert ["METHOD:CANCEL" in mail.attachment for mail in mails] == [False, False]


# --- the calendar file


def event(text: str):
    calendar = Calendar.from_ical(text)
    return calendar, next(iter(calendar.walk("VEVENT")))


def test_the_calendar_file_keeps_its_uid_and_raises_its_sequence(cast, book, karim):
    appointment = book(cast.amina)
    calendar, first = event(calendar_file(appointment, "fr"))
    assert calendar["METHOD"] == "PUBLISH"
    actions.move(appointment, appointment.starts_at + timedelta(hours=1), karim)
    _calendar, second = event(calendar_file(appointment, "fr"))
    actions.cancel(appointment, karim)
    calendar, third = event(calendar_file(appointment, "ar"))
    assert first["UID"] == second["UID"] == third["UID"]
    assert [one["SEQUENCE"] for one in (first, second, third)] == [0, 1, 2]
    assert (calendar["METHOD"], third["STATUS"]) == ("CANCEL", "CANCELLED")


def test_page_mail_and_calendar_show_the_same_local_time_with_its_zone(cast, book, client):
    email(cast.amina, "amina@home.example")
    cast.imilchil.time_zone = "Europe/Paris"  # another zone than the server's
    cast.imilchil.save()
    appointment = book(cast.amina)
    told = formats.in_words(appointment.starts_at, "Europe/Paris", "ar")
    hour = formats.hour(appointment.starts_at, "Europe/Paris")
    mail = next(shown for shown in deliver() if shown.channel == "email")
    assert told in mail.text
    for text in (mail.attachment, calendar_file(appointment, "ar")):
        calendar, entry = event(text)
        start = entry.decoded("DTSTART")
        assert start == appointment.starts_at
        assert entry["DTSTART"].params["TZID"] == "Europe/Paris"
        assert start.astimezone(ZoneInfo("Europe/Paris")).strftime("%H:%M") == hour
        assert entry["DESCRIPTION"] == told
        assert calendar.walk("VTIMEZONE")
    client.force_login(cast.amina_user)
    page = client.get(f"/appointments/{appointment.pk}/").content.decode()
    assert hour in page
    assert formats.zone_in_words(appointment.starts_at, "Europe/Paris", "ar") in page
    assert client.get(f"/appointments/{appointment.pk}/telemed.ics").content


def test_the_zone_in_the_file_has_the_offset_of_the_pinned_data(cast, book):
    """Casablanca is at UTC+0 since 2026-09-20, whatever an old telephone thinks."""
    text = calendar_file(book(cast.amina), "fr")
    assert "TZID:Africa/Casablanca" in text
    assert "TZOFFSETTO:+0000" in text
