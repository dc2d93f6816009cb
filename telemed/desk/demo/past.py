"""A visit that Amina has behind her: its note is signed, its summary is in her hands."""

from datetime import datetime, timedelta

from django.db import transaction

from consultations.models import Consultation, ConsultationStatus, Room
from scheduling import walltime
from scheduling.models import Appointment, AppointmentStatus, Service
from telemed.accounts.models import Patient, User
from telemed.desk.demo.ids import demo_id
from telemed.desk.demo.seed import service_key
from telemed.lib import clock
from telemed.records import rules
from telemed.records.models import Note, Summary

DAYS_AGO = timedelta(days=12)
NOTE = (
    "Eczéma des mains, sec, fissuré, depuis trois semaines ; contact avec des détergents.\n"
    "Pas de surinfection. Dermocorticoïde de classe II une fois par jour pendant dix jours, "
    "émollient plusieurs fois par jour, gants."
)
SUMMARY = (
    "لديكم إكزيما في اليدين سببها مواد التنظيف. ليست معدية.\n"
    "ضعوا المرهم مرة واحدة كل مساء لمدة عشرة أيام، والمرطب عدة مرات في اليوم.\n"
    "البسوا القفازات عند التنظيف.\n"
    "إذا ظهر قيح أو حرارة، احجزوا موعدا جديدا دون انتظار."
)


@transaction.atomic
def ensure_past_visit() -> None:
    """Made as it was left behind: nobody can book or admit in the past."""
    if Appointment.objects.filter(id=demo_id("past:appointment")).exists():
        return
    starts_at = clock.now().replace(hour=10, minute=30, second=0, microsecond=0) - DAYS_AGO
    appointment = _appointment(starts_at)
    consultation = Consultation.objects.create(
        id=demo_id("past:consultation"),
        appointment=appointment,
        organisation=appointment.organisation,
        status=ConsultationStatus.FINISHED,
        identified_how=Consultation.Identification.DOCUMENT,
        identified_by=appointment.specialist.user,
        identified_at=starts_at,
        started_at=starts_at,
        finished_at=appointment.ends_at,
        finished_by=appointment.specialist.user,
    )
    Room.objects.create(id=demo_id("past:room"), consultation=consultation, state=Room.State.CLOSED)
    _writing(consultation, appointment.specialist.user, appointment.ends_at)


def _appointment(starts_at: datetime) -> Appointment:
    amina = Patient.objects.get(id=demo_id("patient:amina"))
    service = Service.objects.select_related("specialist__user", "site").get(
        id=demo_id(service_key("dr.youssef", "dermatology", ""))
    )
    appointment = Appointment(
        id=demo_id("past:appointment"),
        organisation=amina.organisation,
        patient=amina,
        service=service,
        requested_specialist=service.specialist,
        specialist=service.specialist,
        patient_place=service.patient_place,
        status=AppointmentStatus.FULFILLED,
        arrived_at=starts_at,
        reason="حكة وتشقق في اليدين",
    )
    zone = walltime.zone_for(service, amina)
    walltime.stamp(appointment, starts_at, starts_at + timedelta(minutes=service.minutes), zone)
    appointment.save(force_insert=True)
    return appointment


def _writing(consultation: Consultation, author: User, at: datetime) -> None:
    Note.objects.create(
        id=demo_id("past:note"),
        consultation=consultation,
        organisation=consultation.organisation,
        author=author,
        text=NOTE,
        saved_at=at,
        signed_at=at,
        sha256=rules.digest(NOTE, author.pk, at),
    )
    Summary.objects.create(
        id=demo_id("past:summary"),
        consultation=consultation,
        organisation=consultation.organisation,
        author=author,
        language="ar",
        text=SUMMARY,
        released_at=at,
    )
