"""The pictures of a visit: which there are, and where their files stand, on the disk always
encrypted."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from consultations.models import Consultation, Picture

State = Picture.State
OPEN = (State.ASKED, State.SENDING)


@dataclass(frozen=True)
class Kept:
    """What is kept of a picture, once nothing else is left in the file."""

    bytes: int
    sha256: str
    width: int
    height: int


def of(visit: Consultation | UUID) -> QuerySet[Picture]:
    """Those that were not voided, oldest first."""
    rows = Picture.objects.filter(consultation=visit, voided_at__isnull=True)
    return rows.order_by("received_at", "id")


def folder(picture_id: UUID | str) -> Path:
    return Path(settings.PICTURES_DIR) / str(picture_id)


def sent_path(picture_id: UUID | str) -> Path:
    """As it comes, until it was checked."""
    return folder(picture_id) / "sent"


def sent_name(picture_id: UUID | str) -> str:
    """To which the file's encryption is bound."""
    return f"picture {picture_id} sent"


def kept_path(picture_id: UUID | str) -> Path:
    return folder(picture_id) / "kept"


def kept_name(picture_id: UUID | str) -> str:
    return f"picture {picture_id} kept"
