"""The outbox. Due times stand here, never in the broker; people are referred to by plain UUIDs."""

import uuid
from typing import ClassVar

from django.db import models

from telemed.lib import clock, retention
from telemed.lib.fields import SealedTextField


class Message(models.Model):
    """One message to one address, written in the transaction of the action that wants it sent."""

    retention: ClassVar[str] = retention.MESSAGE

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"

    class State(models.TextChoices):
        DUE = "due"
        CLAIMED = "claimed"
        SENT = "sent"
        DROPPED = "dropped"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = SealedTextField()
    language = models.CharField(max_length=8)
    references = models.JSONField(default=dict)  # names to UUIDs, re-read at send time
    organisation = models.UUIDField(null=True, db_index=True)
    idempotency_key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DUE, db_index=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=80, blank=True)


class Written(models.Model):
    """The words of a message that nobody can write again when it is sent (``written``)."""

    retention: ClassVar[str] = retention.TECHNICAL

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    subject = SealedTextField()
    text = SealedTextField()
    useful_until = models.DateTimeField()


class ShownMessage(models.Model):
    """What the embedded providers delivered: shown in the site instead of being sent."""

    retention: ClassVar[str] = retention.MESSAGE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    idempotency_key = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=8, choices=Message.Channel.choices)
    address = SealedTextField()
    subject = SealedTextField()
    text = SealedTextField()
    attachment_name = models.CharField(max_length=80, blank=True)
    attachment = SealedTextField()
    shown_at = models.DateTimeField(default=clock.now)
