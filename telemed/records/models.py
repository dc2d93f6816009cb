"""What a visit leaves in writing. The author sees the draft; signing freezes it."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from consultations.models import Consultation
from telemed.accounts.rows import Row
from telemed.lib import clock, retention
from telemed.lib.fields import SealedBytesField, SealedTextField


class Note(Row):
    """A specialist's note, or an addendum to a signed one.

    ``version`` rises with every save; a save that names an older one is refused. Signing stores
    the SHA-256 of text, author and time.
    """

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes"
    )
    addendum_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="addenda"
    )
    text = SealedTextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            # A second draft would be the first one's text, lost: the author has one at a time.
            models.UniqueConstraint(
                name="one_draft_per_author",
                fields=["consultation", "author"],
                condition=Q(signed_at__isnull=True, voided_at__isnull=True),
            ),
        ]


class Summary(Row):
    """What the patient takes home, in the patient's language, visible once released."""

    consultation = models.OneToOneField(
        Consultation, on_delete=models.PROTECT, related_name="summary"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="summaries"
    )
    language = models.CharField(max_length=8)
    text = SealedTextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    released_at = models.DateTimeField(null=True, blank=True)


class SummaryDocument(models.Model):
    """A released summary on paper (PDF), made by a worker. It can be made again at any time."""

    retention: ClassVar[str] = retention.CLINICAL

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    summary = models.OneToOneField(Summary, on_delete=models.CASCADE, related_name="document")
    made_at = models.DateTimeField(default=clock.now)
    content = SealedBytesField()
