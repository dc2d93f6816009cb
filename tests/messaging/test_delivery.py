"""From the outbox to the provider: once, in the person's language, as things are when sent."""

import json
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.db import transaction
from django.utils.translation import get_language

from telemed.celery import app
from telemed.lib import clock
from telemed.messaging import delivery, rules, tasks
from telemed.messaging.models import Message, ShownMessage
from telemed.messaging.registry import Content
from tests.messaging.gateway import gateway

pytestmark = pytest.mark.django_db


def test_an_sms_is_shown_in_the_site(kind, enqueue):
    message = enqueue(kind("greeting", lambda references, language: Content("", "مرحبا")))

    delivery.deliver(message.id)

    message.refresh_from_db()
    shown = ShownMessage.objects.get()
    assert (shown.address, shown.text) == ("+212600000001", "مرحبا")
    assert message.state == Message.State.SENT
    assert message.sent_at is not None


def test_a_mail_carries_its_calendar_file(kind, enqueue):
    entry = "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n"
    content = Content("Rendez-vous", "À 14:30", "visit.ics", entry)
    message = enqueue(kind("moved", lambda references, language: content), Message.Channel.EMAIL)

    delivery.deliver(message.id)

    shown = ShownMessage.objects.get()
    assert (shown.subject, shown.text) == ("Rendez-vous", "À 14:30")
    assert (shown.attachment_name, shown.attachment) == ("visit.ics", entry)


def test_the_same_key_is_one_message(kind, enqueue):
    greeting = kind("greeting")
    first = enqueue(greeting, key="appointment-1-booked")
    assert enqueue(greeting, key="appointment-1-booked").id == first.id
    assert Message.objects.count() == 1


def test_it_goes_with_the_transaction_that_wanted_it(kind, enqueue):
    greeting = kind("greeting")
    with transaction.atomic():
        enqueue(greeting)
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_a_kind_that_nobody_writes_is_refused_at_once(enqueue):
    with pytest.raises(KeyError):
        enqueue("unheard-of")


def test_it_is_written_in_the_persons_language_from_the_state_of_now(kind, enqueue):
    subject = uuid4()
    asked = []

    def render(references, language):
        asked.append((references, language, get_language()))
        return Content("", "…")

    delivery.deliver(enqueue(kind("greeting", render), references={"appointment": subject}).id)
    assert asked == [({"appointment": subject}, "ar", "ar")]


def test_what_is_no_longer_true_is_dropped(kind, enqueue):
    message = enqueue(kind("reminder", lambda references, language: None))
    delivery.deliver(message.id)
    message.refresh_from_db()
    assert message.state == Message.State.DROPPED
    assert not ShownMessage.objects.exists()


def test_a_repeated_key_counts_as_sent(kind, enqueue):
    message = enqueue(kind("greeting"))
    delivery.deliver(message.id)
    Message.objects.update(state=Message.State.DUE, sent_at=None)

    delivery.deliver(message.id)

    message.refresh_from_db()
    assert message.state == Message.State.SENT
    assert ShownMessage.objects.count() == 1


def test_nothing_leaves_before_it_is_due(kind, enqueue):
    message = enqueue(kind("reminder"), due_at=clock.now() + timedelta(hours=1))
    assert delivery.due(clock.now(), 10) == []
    delivery.deliver(message.id)
    assert not ShownMessage.objects.exists()
    assert delivery.due(clock.now() + timedelta(hours=1), 10) == [message.id]


def test_one_claim_wins(kind, enqueue):
    message = enqueue(kind("greeting"))
    assert delivery._claim(message.id, clock.now()) is not None
    assert delivery._claim(message.id, clock.now()) is None
    late = clock.now() + rules.CLAIM_TIMEOUT
    assert delivery._claim(message.id, late) is not None


@pytest.fixture
def eager():
    """Tasks run where they are called; one that breaks is reported, not raised."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_one_failure_stops_nothing(kind, enqueue, eager):
    """A renderer that breaks and a refused recipient stand before a message that goes out."""

    def breaks(references, language):
        raise LookupError("no such appointment")

    early = clock.now() - timedelta(minutes=1)
    broken = enqueue(kind("broken", breaks), due_at=early)
    too_long = enqueue(kind("long", lambda r, la: Content("", "م" * 500)), due_at=early)
    good = enqueue(kind("greeting"))

    tasks.deliver_due()

    states = {message.id: message for message in Message.objects.all()}
    assert states[good.id].state == Message.State.SENT
    assert states[too_long.id].state == Message.State.FAILED
    assert states[too_long.id].error == "too_long"
    assert states[broken.id].state == Message.State.CLAIMED  # tried again once the claim is old


def test_a_message_that_always_kills_its_worker_is_given_up_and_seen(kind, enqueue):
    message = enqueue(kind("greeting"))
    at = clock.now()
    for _ in range(rules.MAX_ATTEMPTS):
        assert delivery._claim(message.id, at)
        at += rules.CLAIM_TIMEOUT
    assert delivery.due(at, 10) == []
    assert delivery.give_up_lost(at) == 1
    message.refresh_from_db()
    assert (message.state, message.error) == (Message.State.FAILED, "worker_lost")
    assert delivery.retry(message)
    assert delivery.due(clock.now(), 10) == [message.id]


@pytest.fixture
def sms_gateway(settings):
    with gateway() as running:
        settings.SMS_PROVIDER = "http"
        settings.SMS_HTTP_URL = running.url
        settings.SMS_HTTP_TOKEN = "secret"
        settings.SMS_SENDER = "Sante"
        settings.SMS_HTTP_BODY = json.dumps(
            {"messages": [{"to": "{to}", "from": "{sender}", "text": "{text}"}], "ref": "{key}"}
        )
        yield running


def test_a_gateway_gets_the_key_the_token_and_its_own_shape(kind, enqueue, sms_gateway):
    message = enqueue(
        kind("greeting", lambda references, language: Content("", "{key} مرحبا")), key="k-1"
    )
    delivery.deliver(message.id)
    assert sms_gateway.taken == {
        "k-1": {
            "messages": [{"to": "+212600000001", "from": "Sante", "text": "{key} مرحبا"}],
            "ref": "k-1",
        }
    }
    assert sms_gateway.headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        (503, Message.State.DUE, "http_503"),
        (429, Message.State.DUE, "http_429"),
        (400, Message.State.FAILED, "http_400"),
        (409, Message.State.SENT, ""),
    ],
)
def test_what_a_gateway_answers(kind, enqueue, sms_gateway, status, state, error):
    sms_gateway.answers = [status]
    message = enqueue(kind("greeting"))
    before = clock.now()
    delivery.deliver(message.id)
    message.refresh_from_db()
    assert (message.state, message.error) == (state, error)
    if state == Message.State.DUE:
        assert message.due_at >= before + rules.next_try_in(1)


def test_a_gateway_that_is_away_is_tried_again(kind, enqueue, settings, unused_tcp_port):
    settings.SMS_PROVIDER = "http"
    settings.SMS_HTTP_URL = f"http://127.0.0.1:{unused_tcp_port}/"
    message = enqueue(kind("greeting"))
    delivery.deliver(message.id)
    message.refresh_from_db()
    assert (message.state, message.error) == (Message.State.DUE, httpx.ConnectError.__name__)


def test_a_mail_server_that_is_away_is_tried_again(kind, enqueue, settings, unused_tcp_port):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_tcp_port
    message = enqueue(kind("greeting"), Message.Channel.EMAIL)
    delivery.deliver(message.id)
    message.refresh_from_db()
    assert (message.state, message.error) == (Message.State.DUE, "ConnectionRefusedError")
