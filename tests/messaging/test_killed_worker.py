"""A worker process killed before, during and after the provider's call loses no message."""

import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from telemed.lib import clock
from telemed.messaging import delivery, rules
from telemed.messaging.models import Message
from telemed.messaging.registry import Content
from tests.messaging.gateway import gateway
from tests.messaging.worker import environment

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20  # seconds


@contextmanager
def worker(message, gateway_url):
    """A process of its own that runs the delivery task on the test's database."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.messaging.worker", str(message.id)],
        env=environment(connection, gateway_url),
        cwd=django_settings.BASE_DIR,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def sms_gateway(settings):
    with gateway() as running:
        settings.SMS_PROVIDER, settings.SMS_HTTP_URL = "http", running.url
        yield running


@pytest.fixture
def message(kind, enqueue):
    return enqueue(kind("killed", lambda references, language: Content("", "مرحبا")))


def next_worker_delivers(message):
    """What beat and another worker do once the dead one's claim is old."""
    message.refresh_from_db()
    assert message.state == Message.State.CLAIMED
    assert delivery.due(clock.now(), 10) == []
    Message.objects.update(claimed_at=clock.now() - rules.CLAIM_TIMEOUT - timedelta(seconds=1))
    assert delivery.due(clock.now(), 10) == [message.id]
    delivery.deliver(message.id)
    message.refresh_from_db()
    assert message.state == Message.State.SENT
    assert message.attempts == 2


def test_killed_before_the_call(message, sms_gateway):
    """It has claimed the message and waits for a gateway that never picks up."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.settimeout(PATIENCE)
        with worker(message, f"http://127.0.0.1:{deaf.getsockname()[1]}/"):
            connected, _address = deaf.accept()
            connected.close()
    next_worker_delivers(message)
    assert sms_gateway.asked == [message.idempotency_key]


def test_killed_during_the_call(message, sms_gateway):
    """The gateway has the message, its answer never arrives."""
    sms_gateway.open.clear()
    with worker(message, sms_gateway.url):
        assert sms_gateway.got.wait(PATIENCE)
    sms_gateway.open.set()
    next_worker_delivers(message)
    assert sms_gateway.asked == [message.idempotency_key] * 2
    assert len(sms_gateway.taken) == 1


def end_other_sessions():
    """PostgreSQL would finish a dead client's waiting UPDATE once the lock is gone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def test_killed_after_the_call(message, sms_gateway):
    """The answer arrived; a lock keeps the worker from writing that it was sent."""
    sms_gateway.open.clear()
    with worker(message, sms_gateway.url) as process:
        assert sms_gateway.got.wait(PATIENCE)
        with transaction.atomic():
            Message.objects.select_for_update().filter(id=message.id).get()
            sms_gateway.open.set()
            assert sms_gateway.answered.wait(PATIENCE)
            process.kill()
            process.wait()
            end_other_sessions()
    next_worker_delivers(message)
    assert sms_gateway.asked == [message.idempotency_key] * 2
    assert len(sms_gateway.taken) == 1
