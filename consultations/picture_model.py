"""A picture that the specialist asked for, and what became of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from telemed.accounts.rows import Row
from telemed.lib.fields import SealedBytesField


class Picture(Row):
    """Asked of one ``participant``, who takes it or does not; voided, never deleted by people.

    ``sha256`` and ``announced`` (bytes) are of the file as it was agreed to and is sent;
    ``sha256_kept`` and ``bytes`` of what is kept once nothing but the picture is left in it.
    ``key`` opens the file (``pictures.kept_path``). ``taken_at`` is what the taker's device said.
    """

    class Site(models.TextChoices):
        FACE = "face", _("Face")
        EYE = "eye", _("Eye")
        EAR = "ear", _("Ear")
        MOUTH = "mouth", _("Mouth and throat")
        SCALP = "scalp", _("Scalp")
        NECK = "neck", _("Neck")
        CHEST = "chest", _("Chest")
        BACK = "back", pgettext_lazy("part of the body", "Back")
        ABDOMEN = "abdomen", _("Belly")
        ARM = "arm", _("Arm")
        HAND = "hand", _("Hand")
        LEG = "leg", _("Leg")
        FOOT = "foot", _("Foot")
        SKIN = "skin", _("Skin elsewhere")
        PAPER = "paper", _("A paper or a device")

    class Side(models.TextChoices):
        NONE = "none", _("No side")
        LEFT = "left", pgettext_lazy("side of the body", "Left")
        RIGHT = "right", pgettext_lazy("side of the body", "Right")

    class State(models.TextChoices):
        ASKED = "asked"
        SENDING = "sending"  # agreed to by who took it
        CHECKING = "checking"  # whole; what is not the picture is taken out of it
        READY = "ready"
        REFUSED = "refused"  # by whom it was asked of
        CANCELLED = "cancelled"  # by the specialist, or its time is over
        FAILED = "failed"  # it was no picture

    consultation = models.ForeignKey(
        "consultations.Consultation", on_delete=models.PROTECT, related_name="pictures"
    )
    participant = models.ForeignKey(
        "consultations.Participant", on_delete=models.PROTECT, related_name="pictures"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    body_site = models.CharField(max_length=8, choices=Site.choices)
    side = models.CharField(max_length=5, choices=Side.choices, default=Side.NONE)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ASKED)
    agreed_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    announced = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    whole_at = models.DateTimeField(null=True, blank=True)
    key = SealedBytesField(blank=True)
    bytes = models.PositiveIntegerField(default=0)
    sha256_kept = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["received_at"]
