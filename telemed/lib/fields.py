"""Model fields: sealed text and JSON, and text that exists per language."""

import json
from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import get_language

from telemed.lib import crypto


class Sealed(bytes):
    """Ciphertext as it stands in the database, opened at the first look."""


class SealedAttribute(DeferredAttribute):
    """Opens on access, because only the instance knows the row that the value is bound to."""

    field: "SealedTextField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            value = self.field.open(value, instance)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        # A data descriptor: without this the instance dictionary would answer before __get__.
        instance.__dict__[self.field.attname] = value


class SealedTextField(models.BinaryField):
    """Text encrypted at rest, bound to table, column and primary key (see ``lib.crypto``).

    It can be written only through ``save``, ``create`` and ``bulk_create``: a queryset's
    ``update`` does not know the row and raises ``TypeError``. It cannot be searched; keep a
    blind index beside it.
    """

    descriptor_class = SealedAttribute
    empty: Any = ""
    # What the type checker's Django plugin reads for the attribute on the model.
    _pyi_private_get_type: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", type(self.empty))
        super().__init__(*args, **kwargs)

    def get_default(self) -> Any:
        """``BinaryField`` would turn an empty default into bytes."""
        return models.Field.get_default(self)

    def place(self, instance: models.Model) -> str:
        return f"{self.model._meta.db_table}.{self.column}:{instance.pk}"

    def open(self, sealed: bytes, instance: models.Model) -> Any:
        return self.decode(crypto.unseal(sealed, self.place(instance)))

    def decode(self, plain: bytes) -> Any:
        return plain.decode()

    def encode(self, value: Any) -> bytes:
        return str(value).encode()

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        value = getattr(model_instance, self.attname)
        if value is None:
            return None
        return Sealed(crypto.seal(self.encode(value), self.place(model_instance)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is sealed: write it through the instance's save()")
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.name} is sealed and is not serialised")


class SealedBytesField(SealedTextField):
    """A small file encrypted at rest."""

    empty = b""

    def decode(self, plain: bytes) -> bytes:
        return plain

    def encode(self, value: bytes) -> bytes:
        return value


class SealedJSONField(SealedTextField):
    """A JSON value encrypted at rest; the default is an empty object."""

    empty = {}

    def decode(self, plain: bytes) -> Any:
        return json.loads(plain)

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class LocalizedTextField(models.JSONField):
    """Text per interface language: ``{"fr": "Cardiologie", "ar": "أمراض القلب", "en": …}``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)


def localized(texts: dict[str, str], language: str | None = None) -> str:
    """The text in ``language`` (the active one by default), else French, else any, else ""."""
    wanted = (language or get_language() or "fr").split("-")[0]
    return texts.get(wanted) or texts.get("fr") or next(iter(texts.values()), "")
