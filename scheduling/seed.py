"""The reference data that comes with Telemed: specialities and intake questions per language."""

import json
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import transaction

from scheduling.models import Question, Speciality

FOLDER = Path(__file__).parent / "reference"
LANGUAGES = ("fr", "ar", "en")
NAMESPACE = uuid.UUID("6f1c2f1e-6a35-5d0e-9d33-0c1a5a3b7f10")  # ids are the same everywhere


@transaction.atomic
def load_reference() -> None:
    """Make what is missing; what an operator changed or retired stays as it is."""
    for position, row in enumerate(_rows("specialities")):
        Speciality.objects.get_or_create(
            code=row["code"],
            defaults={
                "id": _id("speciality", row["code"]),
                "name": _texts(row),
                "icon": row["code"],
                "position": position,
            },
        )
    specialities = dict(Speciality.objects.values_list("code", "id"))
    for position, row in enumerate(_rows("questions")):
        Question.objects.get_or_create(
            id=_id("question", row["key"]),
            defaults={
                "speciality_id": specialities.get(row.get("speciality", "")),
                "kind": row["kind"],
                "text": _texts(row),
                "options": [_texts(option) for option in row.get("options", [])],
                "danger_sign": row.get("danger_sign", False),
                "position": position,
            },
        )


@lru_cache
def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return rows


def _texts(row: dict[str, str]) -> dict[str, str]:
    return {language: row[language] for language in LANGUAGES}


def _id(kind: str, key: str) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"{kind}:{key}")
