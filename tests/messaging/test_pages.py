"""/messages/shown/."""

import pytest
from django.core.mail import send_mail

from telemed.messaging import delivery
from telemed.messaging.registry import Content

pytestmark = pytest.mark.django_db


def test_it_works(client):
    assert client.get("/messages/shown/").status_code == 200


def test_links_can_be_followed(client, kind, enqueue):
    link = "http://localhost:8000/v/token"
    message = enqueue(kind("link", lambda references, language: Content("", f"موعدك {link}")))
    delivery.deliver(message.id)
    assert f'href="{link}"' in client.get("/messages/shown/").content.decode()


def test_mail_that_did_not_come_from_the_outbox_is_shown_too(client):
    """Sign-in codes go through Django's mail directly."""
    send_mail("Code", "123456", None, ["amina@demo.example"])
    assert "123456" in client.get("/messages/shown/").content.decode()
