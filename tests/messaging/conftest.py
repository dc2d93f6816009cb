from uuid import uuid4

import pytest
from django.conf import settings

from telemed.messaging import outbox, registry
from telemed.messaging.models import Message
from telemed.messaging.registry import Content


@pytest.fixture
def kind(monkeypatch):
    """A message kind of this test alone: ``kind("name", render)`` registers it."""
    monkeypatch.setattr(registry, "_renderers", dict(registry._renderers))

    def register(name, render=lambda references, language: Content("Subject", "Text")):
        registry.register(name, render)
        return name

    return register


@pytest.fixture
def enqueue():
    """One message to Amina, by SMS unless said otherwise."""

    def put(kind, channel=Message.Channel.SMS, key="", **values):
        address = "+212600000001" if channel == Message.Channel.SMS else "amina@demo.example"
        defaults = {"language": "ar", "references": {}, "organisation": None, "due_at": None}
        return outbox.enqueue(
            kind, channel, address, key=key or str(uuid4()), **{**defaults, **values}
        )

    return put


@pytest.fixture(autouse=True)
def embedded(monkeypatch):
    """pytest-django would swap the mail backend for one that remembers; here the real one runs."""
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "telemed.messaging.backends.ShownEmailBackend")
    monkeypatch.setattr(settings, "SMS_PROVIDER", "shown")
