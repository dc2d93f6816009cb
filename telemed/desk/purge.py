"""What may go, goes: the one place that deletes rows, once a day, audited.

A patient's file (every clinical row that hangs on the patient, through any number of rows) goes
whole, a clinical period after the youngest thing in it. Everything else goes row by row, its
class's period after the moment that ``BY_AGE`` names. A row that a kept row still refers to stays.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from allauth.account.models import EmailConfirmation
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Max, ProtectedError, Q

from consultations.models import GuestSession, MediaProcess, UsedTicket
from scheduling.models import Appointment, Hold, OccupiedInterval, PersonalLink
from telemed.accounts.models import ContactPoint, Membership, Patient, User
from telemed.accounts.rows import Row
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM
from telemed.lib import clock, retention
from telemed.messaging.models import Message, ShownMessage, Written

# From which moment the period of a row runs, and which rows it concerns at all.
BY_AGE: dict[type[models.Model], tuple[str, Q]] = {
    Message: ("due_at", Q()),
    ShownMessage: ("shown_at", Q()),
    Written: ("useful_until", Q()),
    Hold: ("expires_at", Q()),
    OccupiedInterval: ("ends_at", Q()),
    UsedTicket: ("used_at", Q()),
    MediaProcess: ("heartbeat_at", Q()),
    Session: ("expire_date", Q()),
    EmailConfirmation: ("created", Q()),
    UserSession: ("last_seen_at", Q()),
    GuestSession: ("started_at", Q()),
    PersonalLink: ("expires_at", Q()),
    Membership: ("valid_to", Q()),
    ContactPoint: ("received_at", Q(patients__isnull=True)),
    User: ("last_login", Q(is_active=False)),
}

File = dict[type[models.Model], set[Any]]


def purge() -> None:
    now = clock.now()
    for patient in _old_patients(now):
        _purge_file(patient, now)
    for model, (since, concerned) in BY_AGE.items():
        _purge_rows(model, Q(**{f"{since}__lt": _limit(model, now)}) & concerned)


def file_of(patient: Patient) -> File:
    """Every row of the patient's file, by model and primary key."""
    file: File = {}
    fresh: File = {Patient: {patient.pk}}
    while fresh:
        for model, keys in fresh.items():
            file.setdefault(model, set()).update(keys)
        following: File = {}
        for model, keys in fresh.items():
            for child, name in _children(model):
                found = set(
                    child._default_manager.filter(**{f"{name}__in": keys}).values_list(
                        "pk", flat=True
                    )
                )
                following.setdefault(child, set()).update(found - file.get(child, set()))
        fresh = {model: keys for model, keys in following.items() if keys}
    return file


def retention_of(model: type[models.Model]) -> str:
    """The retention class of a model, ours or a package's; KeyError when nobody named one."""
    own: str | None = getattr(model, "retention", None)
    return own or retention.THIRD_PARTY[model._meta.label]


def _old_patients(now: datetime) -> models.QuerySet[Patient]:
    limit = _limit(Patient, now)
    active = Appointment.objects.filter(starts_at__gte=limit).values("patient")
    return Patient.objects.filter(received_at__lt=limit).exclude(pk__in=active)


@transaction.atomic
def _purge_file(patient: Patient, now: datetime) -> None:
    file = file_of(patient)
    if _youngest(file) >= _limit(Patient, now):
        return
    for model, keys in file.items():
        # PROTECT keeps people from deleting a part. Here the whole goes, and the database checks
        # at the end of the transaction that nothing refers to it any more.
        rows = model._default_manager.filter(pk__in=keys)
        rows._raw_delete(rows.db)
    audit.record("retention.file_purged", SYSTEM, patient=patient.pk, purpose="retention")


def _youngest(file: File) -> datetime:
    moments = [
        model._default_manager.filter(pk__in=keys).aggregate(last=Max("received_at"))["last"]
        for model, keys in file.items()
        if issubclass(model, Row)
    ]
    return max(moments)


def _purge_rows(model: type[models.Model], expired: Q) -> None:
    gone = 0
    for row in model._default_manager.filter(expired).iterator():
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:
            continue
        gone += 1
    if gone:
        code = f"{model._meta.label_lower}:{gone}"
        audit.record("retention.rows_purged", SYSTEM, code=code, purpose="retention")


def _limit(model: type[models.Model], now: datetime) -> datetime:
    return now - settings.RETENTION[retention_of(model)]


def _children(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """The models whose rows refer to this one's, with the name of the foreign key."""
    for relation in model._meta.related_objects:
        if isinstance(relation.field, models.ForeignKey):
            yield relation.related_model, relation.field.name
