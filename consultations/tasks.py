"""What the room does by the clock."""

import logging
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from av.error import FFmpegError
from celery import shared_task
from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from consultations import picture_files, pictures, processes, queries, recording_files, rules
from consultations.actions import picture as taken
from consultations.actions import recording as records
from consultations.models import Participant, ParticipantRole, Picture, Recording, Room
from consultations.sfu.record import Malformed
from scheduling.actions.outcome import set_outcome
from scheduling.models import Appointment, AppointmentStatus
from scheduling.rules import JOIN_CLOSES_AFTER
from telemed.audit.actor import SYSTEM
from telemed.lib import clock
from telemed.lib.crypto import Unreadable

logger = logging.getLogger(__name__)

MUXING_SECONDS = 3600
GIVE_UP_MUXING = timedelta(hours=2)
WRITER_IS_GONE = timedelta(minutes=5)
ORPHAN_SECONDS = 24 * 3600.0
CHECKING_SECONDS = 120
LOOKED_AT_WITHIN = timedelta(minutes=3)
UNSETTLED = [AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN]
PATIENT_SIDE = [
    ParticipantRole.PATIENT,
    ParticipantRole.REPRESENTATIVE,
    ParticipantRole.PRESENTER,
]


@shared_task
def settle_attendance() -> None:
    """Say who did not come, for appointments whose join window has closed and where nobody waits
    any more; a person's word stands, and one appointment that fails does not hold up the others."""
    now = clock.now()
    waits = queries.waiting_at(now).filter(room__consultation__appointment=OuterRef("pk"))
    admitted = Participant.objects.filter(
        room__consultation__appointment=OuterRef("pk"),
        role__in=PATIENT_SIDE,
        admitted_at__isnull=False,
    )
    due = Appointment.objects.filter(
        ~Exists(admitted),
        ~Exists(waits),
        status__in=UNSETTLED,
        outcome_set_by__isnull=True,
        outcome_reason="",
        ends_at__lt=now - JOIN_CLOSES_AFTER,
        voided_at__isnull=True,
    )
    for appointment in due.select_related("service", "patient", "specialist"):
        settled = rules.outcome_after(attendance(appointment))
        if settled is not None:
            status, reason = settled
            set_outcome(appointment, status, SYSTEM, reason)


def attendance(appointment: Appointment) -> rules.Attendance:
    people = list(
        Participant.objects.filter(
            room__consultation__appointment=appointment, voided_at__isnull=True
        )
    )
    theirs = [one for one in people if one.role in PATIENT_SIDE]
    return rules.Attendance(
        specialist_reached=any(
            one.role == ParticipantRole.SPECIALIST and one.admitted_at for one in people
        ),
        patient_reached=appointment.arrived_at is not None
        or any(one.waiting_since for one in theirs),
        patient_opened=any(one.opened_at or one.unable_reason for one in theirs),
        patient_admitted=any(one.admitted_at for one in theirs),
        trouble=next((one.unable_reason for one in theirs if one.unable_reason), ""),
    )


@shared_task(time_limit=MUXING_SECONDS)
def make_films(recording_id: str) -> None:
    """Once for each recording, whoever is asked twice; the packets go when the films are there."""
    recording = records.claim(UUID(recording_id))
    if recording is None:
        return
    try:
        made = recording_files.make_films(recording)
    except (Unreadable, Malformed, FFmpegError, OSError):
        logger.exception("recording %s could not be made into films", recording.pk)
        return  # tried again in some hours, by the look below
    if not made:
        records.delete(recording, "empty")
    elif records.made(recording, made):
        recording_files.drop_packets(recording)


@shared_task
def attend_recordings() -> None:
    """Whatever is due by what stands in the database; one that fails does not hold up the others.

    Recordings of dead processes have ended, films are made, what was closed is deleted.
    """
    now = clock.now()
    records.end_where_not_allowed()
    living = processes.living()
    for row in Recording.objects.filter(written_at__isnull=True).exclude(state__in=_GONE):
        if (row.process_id, row.epoch) not in living:
            records.ended(str(row.pk), Recording.Why.LOST)
            records.written(str(row.pk))
    stuck = Recording.objects.filter(state=Recording.State.MUXING)
    stuck.filter(muxing_since__lt=now - GIVE_UP_MUXING).update(state=Recording.State.STOPPED)
    due = Recording.objects.filter(state=Recording.State.STOPPED, written_at__isnull=False)
    for pk in due.values_list("pk", flat=True):
        make_films.delay(str(pk))
    written = Q(written_at__isnull=False) | Q(closed_at__lt=now - WRITER_IS_GONE)
    for row in Recording.objects.filter(written, state=Recording.State.CLOSED):
        records.delete(row, "closed")
    _sweep(Path(settings.RECORDINGS_DIR), Recording, _GONE)


_GONE = [Recording.State.DELETED]


@shared_task(time_limit=CHECKING_SECONDS)
def check_picture(picture_id: str) -> None:
    """Take everything but the picture out of what was sent; the same picture twice does no harm."""
    row = Picture.objects.filter(pk=picture_id, state=Picture.State.CHECKING).first()
    if row is None:
        return
    try:
        made = picture_files.keep(row)
    except (picture_files.NoPicture, Unreadable, FileNotFoundError):
        logger.exception("picture %s cannot be kept", row.pk)
        taken.failed(row)
        return
    taken.kept(row, made)
    picture_files.drop_sent(row)


@shared_task
def attend_pictures() -> None:
    """What a lost message or a dead process left: pictures that nobody has looked at, that were
    never whole in time, and files of such."""
    now = clock.now()
    late = Picture.objects.filter(state=Picture.State.CHECKING, whole_at__lt=now - LOOKED_AT_WITHIN)
    for pk in late.values_list("pk", flat=True):
        check_picture.delay(str(pk))
    over = Q(received_at__lt=now - rules.PICTURE_LIMIT)
    over |= Q(consultation__room__state=Room.State.CLOSED)
    for row in Picture.objects.filter(over, state__in=pictures.OPEN):
        taken.expire(row)
    _sweep(Path(settings.PICTURES_DIR), Picture, _NOTHING_KEPT)


_NOTHING_KEPT = [Picture.State.REFUSED, Picture.State.CANCELLED, Picture.State.FAILED]


def _sweep(place: Path, model: type[Picture | Recording], gone: Sequence[str]) -> None:
    """Folders of rows whose state says that they are ``gone``, or that went with the patient's
    file."""
    if not place.is_dir():
        return
    now = clock.now().timestamp()
    folders = {folder.name: folder for folder in place.iterdir() if folder.is_dir()}
    known = {str(pk): state for pk, state in model.objects.values_list("pk", "state")}
    for name, folder in folders.items():
        unknown = name not in known and now - folder.stat().st_mtime > ORPHAN_SECONDS
        if unknown or known.get(name) in gone:
            shutil.rmtree(folder, ignore_errors=True)
