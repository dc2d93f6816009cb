"""The abstract bases of clinical, personal and reference rows."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from telemed.lib import clock, retention


class Row(models.Model):
    """A clinical or personal row: made once by a UUID that the client may choose, never deleted.

    People void it (who, when, why); only the retention task removes it after its period.
    ``device_time`` is what the maker's device said, ``received_at`` what this server's clock said.
    """

    retention: ClassVar[str] = retention.CLINICAL

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    device_time = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(default=clock.now)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


class Reference(models.Model):
    """Reference data: retired, never deleted, so that old rows keep their meaning."""

    retention: ClassVar[str] = retention.KEPT

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
