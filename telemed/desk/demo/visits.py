"""Visits to try at once: one that Amina can join now, one at the health centre today, others."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from scheduling import queries
from scheduling.actions.book import book_at
from scheduling.models import Appointment, Service
from scheduling.rules import FINAL, JOIN_OPENS_BEFORE
from telemed.accounts.models import Patient
from telemed.audit.actor import SYSTEM
from telemed.desk.demo.ids import demo_id
from telemed.desk.demo.seed import service_key
from telemed.lib import clock

AT_HOME = service_key("dr.salma", "cardiology", "")
AT_HOME_ELSE = service_key("dr.youssef", "cardiology", "")
AT_THE_CENTRE = service_key("dr.salma", "cardiology", "imilchil")
AT_THE_VAN = service_key("dr.youssef", "dermatology", "van")


def ensure_visits() -> None:
    """Books what is missing; what people made of earlier ones stays as it is."""
    now = clock.now()
    _visit_to_join_now(now)
    _visit_to_come("hadda", AT_THE_CENTRE, now, "Essoufflement à l'effort depuis deux semaines")
    _visit_to_come("moha", AT_THE_VAN, now + timedelta(hours=2), "Tache sur l'avant-bras")
    _visit_to_come("yassine", AT_THE_VAN, now + timedelta(days=1), "Eczéma aux coudes")


def _visit_to_join_now(now: datetime) -> None:
    """With Dr Salma, else with her colleague when somebody has just booked her next time."""
    amina = _patient("amina")
    if _open_visits(amina, now).filter(starts_at__lte=now + JOIN_OPENS_BEFORE).exists():
        return
    for key in (AT_HOME, AT_HOME_ELSE):
        service = _service(key)
        starts_at = _soonest(service, amina, now)
        if starts_at is not None and starts_at <= now + JOIN_OPENS_BEFORE:
            book_at(service, starts_at, amina, SYSTEM, reason="خفقان في القلب عند صعود الدرج")
            return


def _visit_to_come(patient_key: str, service_name: str, after: datetime, reason: str) -> None:
    patient, service = _patient(patient_key), _service(service_name)
    if _open_visits(patient, clock.now()).exists():
        return
    starts_at = _soonest(service, patient, after)
    if starts_at is not None:
        book_at(service, starts_at, patient, SYSTEM, reason=reason)


def _open_visits(patient: Patient, now: datetime) -> QuerySet[Appointment]:
    return Appointment.objects.filter(patient=patient, ends_at__gt=now).exclude(status__in=FINAL)


def _soonest(service: Service, patient: Patient, after: datetime) -> datetime | None:
    now = clock.now()
    diary = queries.diary([(service, service.specialist_id)], patient, now)
    free = queries.free_starts(service, service.specialist_id, patient, diary, now, after)
    return next(free, None)


def _patient(key: str) -> Patient:
    return Patient.objects.get(id=demo_id(f"patient:{key}"))


def _service(key: str) -> Service:
    return Service.objects.select_related("specialist", "site").get(id=demo_id(key))
