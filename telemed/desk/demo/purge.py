"""Takes the demonstration out again, with everything that was done with its people."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import models, transaction

from scheduling.models import Specialist
from telemed.accounts.models import ContactPoint, Organisation, Patient, User
from telemed.desk.demo import cast
from telemed.desk.demo.ids import demo_id
from telemed.messaging.models import Message, ShownMessage


@transaction.atomic
def purge() -> int:
    """Returns how many rows went. Audit events stay: nobody deletes those."""
    places = [demo_id(f"place:{place.key}") for place in cast.PLACES]
    phones = {someone.phone for someone in cast.PATIENTS if someone.phone}
    roots: tuple[tuple[type[models.Model], Iterable[UUID]], ...] = (
        (Patient, (demo_id(f"patient:{someone.key}") for someone in cast.PATIENTS)),
        (Specialist, (demo_id(f"specialist:{doctor.person}") for doctor in cast.DOCTORS)),
        (ContactPoint, (demo_id(f"phone:{phone}") for phone in phones)),
        (User, (demo_id(f"user:{person.key}") for person in cast.PEOPLE)),
        (Organisation, places),
    )
    gone = ShownMessage.objects.all().delete()[0]
    gone += Message.objects.filter(organisation__in=places).delete()[0]
    return gone + sum(_erase(model, list(ids)) for model, ids in roots)


def _erase(model: type[models.Model], ids: list[Any]) -> int:
    """Delete these rows, and before them every row that points at them, whatever it protects."""
    if not ids:
        return 0
    gone = 0
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        pointing: Any = relation.related_model
        rows = pointing._base_manager.filter(**{f"{relation.field.name}__in": ids})
        gone += _erase(pointing, [pk for pk in rows.values_list("pk", flat=True) if pk not in ids])
    chosen = model._base_manager.filter(pk__in=ids)
    return gone + chosen._raw_delete(chosen.db)
