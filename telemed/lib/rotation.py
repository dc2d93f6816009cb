"""Sealing everything again with the current field key, and blinding every index again.

A model with blind indexes has ``blind_indexes()``, which returns the value of each index column
from the opened row.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from telemed.lib import crypto
from telemed.lib.fields import SealedTextField


def sealed_models() -> Iterator[tuple[type[models.Model], list[SealedTextField]]]:
    for model in apps.get_models():
        fields = [field for field in model._meta.fields if isinstance(field, SealedTextField)]
        if fields:
            yield model, fields


def seal_again(model: type[models.Model], fields: list[SealedTextField]) -> int:
    """Rows of ``model`` rewritten: those not wholly under the current key, or with a stale index.

    One row a transaction, so that people go on working and a broken run is simply run again.
    Raises ``Unreadable`` at a value whose key is gone.
    """
    columns = [field.attname for field in fields]
    manager = model._base_manager
    changed = 0
    for pk in list(manager.values_list("pk", flat=True)):
        with transaction.atomic():
            rows = manager.select_for_update() if connection.vendor == "postgresql" else manager
            row = rows.filter(pk=pk).first()
            if row is None:
                continue
            stale = _stale_columns(row, columns) | _refresh_indexes(row)
            if stale:
                row.save(update_fields=sorted(stale))
                changed += 1
    return changed


def _stale_columns(row: models.Model, columns: list[str]) -> set[str]:
    current = crypto.current_key_id()
    sealed = {name: row.__dict__[name] for name in columns}  # as it stands in the database
    return {
        name
        for name, value in sealed.items()
        if value is not None and crypto.key_id_of(value) != current
    }


def _refresh_indexes(row: Any) -> set[str]:
    if not hasattr(row, "blind_indexes"):
        return set()
    wrong = {
        name: value for name, value in row.blind_indexes().items() if getattr(row, name) != value
    }
    for name, value in wrong.items():
        setattr(row, name, value)
    return set(wrong)
