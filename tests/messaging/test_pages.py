"""/messages/shown/."""

import pytest
from django.core.mail import send_mail

from telemed.messaging import delivery
from telemed.messaging.registry import Content

pytestmark = pytest.mark.django_db


def test_it_works(client):
    assert client.get("/messages/shown/").status_code == 200


@pytest.mark.parametrize("here", ["http://localhost:8000", "https://192.168.1.20:8000"])
def test_links_can_be_followed_wherever_they_are_read(client, settings, kind, enqueue, here):
    settings.PUBLIC_URL = "http://localhost:8000"
    link = f"{settings.PUBLIC_URL}/v/token"
    message = enqueue(kind("link", lambda references, language: Content("", f"موعدك {link}")))
    delivery.deliver(message.id)
    scheme, _, host = here.partition("://")
    page = client.get("/messages/shown/", headers={"host": host}, secure=scheme == "https")
    assert f'href="{here}/v/token"' in page.text


def test_mail_that_did_not_come_from_the_outbox_is_shown_too(client):
    send_mail("Code", "123456", None, ["amina@demo.example"])
    assert "123456" in client.get("/messages/shown/").content.decode()
