"""The append-only record of who did what. People and places are plain UUIDs: nothing points up."""

from typing import ClassVar

from django.db import models

from telemed.lib import clock, retention


class Event(models.Model):
    """One link of the chain: ``digest`` authenticates this row and the one before it (HMAC).

    Holds no clinical text. Triggers refuse UPDATE and DELETE on both databases.
    """

    retention: ClassVar[str] = retention.KEPT

    class Outcome(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=clock.now)
    action = models.CharField(max_length=48)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.DONE)
    code = models.CharField(max_length=48, blank=True)
    actor = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=12)  # user, guest, system
    on_behalf_of = models.UUIDField(null=True)
    role = models.CharField(max_length=16, blank=True)
    organisation = models.UUIDField(null=True)
    patient = models.UUIDField(null=True, db_index=True)
    subject_kind = models.CharField(max_length=32, blank=True)
    subject = models.UUIDField(null=True, db_index=True)
    purpose = models.CharField(max_length=24, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["id"]
