"""What may go, goes: the one place that deletes rows, once a day, audited.

A patient's file (every clinical row that hangs on the patient, through any number of rows) goes
whole, a clinical period after the youngest thing in it. Everything else goes row by row, its
class's period after the moment that ``BY_AGE`` names. A row that a kept row still refers to stays.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import F, Max, ProtectedError, Q
from django.db.models.functions import Coalesce

from consultations.actions.recording import delete as delete_recording
from consultations.models import (
    CallRecord,
    ConnectionTest,
    GuestSession,
    MediaProcess,
    Recording,
    UsedTicket,
)
from scheduling.models import Appointment, Hold, OccupiedInterval, PersonalLink
from telemed.accounts.models import (
    ContactPoint,
    Membership,
    Patient,
    PatientContact,
    PatientName,
    User,
)
from telemed.accounts.rows import Row
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM
from telemed.lib import clock, retention
from telemed.messaging.models import Message, ShownMessage, Written

LAST_SEEN = Coalesce("last_login", "date_joined")
LAST_SEEN_USER = Coalesce("user__last_login", "user__date_joined")
# From which moment the period of a row runs, and which rows it concerns at all. A login goes when
# nobody used it for its period; whose records are kept, or who still works here, keeps it.
BY_AGE: dict[type[models.Model], tuple[str | Coalesce, Q]] = {
    Message: ("due_at", Q()),
    ShownMessage: ("shown_at", Q()),
    Written: ("useful_until", Q()),
    Hold: ("expires_at", Q()),
    OccupiedInterval: ("ends_at", Q()),
    UsedTicket: ("used_at", Q()),
    CallRecord: ("started_at", Q()),
    ConnectionTest: ("hour", Q()),
    MediaProcess: ("heartbeat_at", Q()),
    Session: ("expire_date", Q()),
    EmailConfirmation: ("created", Q()),
    UserSession: ("last_seen_at", Q()),
    GuestSession: ("started_at", Q()),
    PersonalLink: ("expires_at", Q(participants__isnull=True)),
    Membership: ("valid_to", Q()),
    ContactPoint: ("received_at", Q(patients__isnull=True)),
    User: (LAST_SEEN, Q(patient__isnull=True, memberships__isnull=True)),
}

File = dict[type[models.Model], set[Any]]


def purge() -> None:
    now = clock.now()
    for patient in _old_patients(now):
        _purge_file(patient, now)
    for user in _unconfirmed(now):
        _purge_sign_up(user)
    closed = Q(valid_to__isnull=True, user__is_active=False)
    _purge_rows(Membership, LAST_SEEN_USER, closed, now)
    for model, (since, concerned) in BY_AGE.items():
        _purge_rows(model, since, concerned, now)
    for recording in _old_recordings(now):
        delete_recording(recording, "period")


def _old_recordings(now: datetime) -> models.QuerySet[Recording]:
    """The films' own period is over; that there was a recording stays in the file."""
    rows = Recording.objects.filter(stopped_at__lt=now - settings.RECORDING_KEPT)
    return rows.exclude(state=Recording.State.DELETED)


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


def _unconfirmed(now: datetime) -> models.QuerySet[User]:
    """Accounts that somebody began in a browser and never proved to be theirs."""
    begun = User.objects.filter(date_joined__lt=now - settings.RETENTION[retention.TECHNICAL])
    unused = begun.filter(last_login__isnull=True, phone_verified=False)
    proved = EmailAddress.objects.filter(verified=True).values("user")
    ours = Membership.objects.values("user")
    return unused.exclude(pk__in=proved).exclude(pk__in=ours).filter(represents__isnull=True)


@transaction.atomic
def _purge_sign_up(user: User) -> None:
    """With the record that came with it, unless somebody has used that record since."""
    patient = Patient.objects.filter(user=user).first()
    file = file_of(patient) if patient else {}
    if not file.keys() <= {Patient, PatientName, PatientContact}:
        return
    for model, keys in file.items():
        rows = model._default_manager.filter(pk__in=keys)
        rows._raw_delete(rows.db)
    user.delete()
    about = patient.pk if patient else None
    audit.record("retention.sign_up_purged", SYSTEM, patient=about, purpose="retention")


def _purge_rows(
    model: type[models.Model], since: str | Coalesce, concerned: Q, now: datetime
) -> None:
    gone = 0
    aged = model._default_manager.alias(since=F(since) if isinstance(since, str) else since)
    for row in aged.filter(concerned, since__lt=_limit(model, now)).iterator():
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
