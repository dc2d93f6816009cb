"""What people are told of an appointment: who gets which message, and its words when it is sent.

A text message, a subject and a calendar file hold no speciality, reason, kind of place or full
name. Every message names the version of the appointment that it speaks of; when that is no longer
the current one, it is dropped and its successor tells.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID, uuid5

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from scheduling import calendar, links, rules
from scheduling.models import Appointment, AppointmentStatus, PersonalLink, Specialist
from scheduling.recipients import (
    EMAIL,
    Recipient,
    presenters_of,
    reached,
    recipients,
    themselves,
)
from telemed.accounts.access import today, valid_on
from telemed.accounts.models import ContactPoint, PatientContact, Representative
from telemed.accounts.names import display_name, user_name
from telemed.lib import clock, formats
from telemed.lib.fields import localized
from telemed.messaging import outbox, registry
from telemed.messaging.models import Message
from telemed.messaging.registry import Content

CODE = "appointment.code"

# What is said, in the patient's words; (text, subject).
WORDS: dict[str, tuple[str, str]] = {
    "requested": (
        gettext_noop("your request for %(when)s was received. You will be told when it is sure."),
        gettext_noop("Your request was received"),
    ),
    "booked": (
        gettext_noop("your appointment is on %(when)s."),
        gettext_noop("Your appointment is booked"),
    ),
    "confirmed": (
        gettext_noop("your appointment on %(when)s is confirmed."),
        gettext_noop("Your appointment is confirmed"),
    ),
    "moved": (
        gettext_noop("your appointment was moved. It is now on %(when)s."),
        gettext_noop("Your appointment was moved"),
    ),
    "reassigned": (
        gettext_noop("your appointment on %(when)s stays, with another specialist."),
        gettext_noop("Your appointment has changed"),
    ),
    "cancelled": (
        gettext_noop("the appointment on %(when)s is cancelled."),
        gettext_noop("Your appointment is cancelled"),
    ),
    "reminder_day": (
        gettext_noop("reminder: your appointment is on %(when)s."),
        gettext_noop("Reminder of your appointment"),
    ),
    "reminder_hour": (
        gettext_noop("your appointment begins soon: %(when)s."),
        gettext_noop("Your appointment begins soon"),
    ),
}

# And in the specialist's, who gets no reminders.
SPECIALISTS_WORDS: dict[str, str] = {
    "requested": gettext_noop("An appointment waits for you to accept it: %(when)s."),
    "booked": gettext_noop("A new appointment: %(when)s."),
    "moved": gettext_noop("An appointment was moved. It is now on %(when)s."),
    "reassigned": gettext_noop("An appointment was given to you: %(when)s."),
    "cancelled": gettext_noop("The appointment on %(when)s is cancelled."),
    "given_away": gettext_noop("The appointment on %(when)s was given to a colleague."),
}


def announce(appointment: Appointment, what: str) -> None:
    """Ask for the messages of a change and for the reminders that follow from it."""
    if what in {"booked", "moved"} and appointment.status == AppointmentStatus.PENDING:
        what = "requested"
    for person in recipients(appointment):
        _enqueue(appointment, what, person)
    if what in SPECIALISTS_WORDS:
        _tell_specialist(appointment, what, appointment.specialist, "specialist")
    remind(appointment)
    if what in {"booked", "requested", "moved"}:
        send_code(appointment)


def take_back(appointment: Appointment, previous: Specialist) -> None:
    """Tell whoever performed it until now that a colleague does."""
    _tell_specialist(appointment, "given_away", previous, "previous")


def _tell_specialist(appointment: Appointment, what: str, one: Specialist, means: str) -> None:
    if one.user.email:
        told = Recipient(EMAIL, one.user.email, one.user.language, means, one.pk)
        _enqueue(appointment, what, told)


def remind(appointment: Appointment) -> None:
    """Ask for the reminders of this version of the appointment."""
    if appointment.status != AppointmentStatus.BOOKED:
        return
    for reminder, due_at in rules.reminders(appointment.starts_at, clock.now()).items():
        for person in recipients(appointment):
            _enqueue(appointment, reminder, person, due_at)


def reach_again(patient_id: UUID) -> None:
    """How a patient is reached has changed: the coming appointments are told to whoever is reached
    now and has not heard of them as they stand. A repeat changes nothing."""
    rows = Appointment.objects.filter(
        patient=patient_id,
        voided_at__isnull=True,
        starts_at__gt=clock.now(),
        status__in=[AppointmentStatus.BOOKED, AppointmentStatus.PENDING],
    )
    for appointment in rows.select_related("patient"):
        told = _told(appointment)
        what = "booked" if appointment.status == AppointmentStatus.BOOKED else "requested"
        for person in reached(appointment):
            if person.row not in told:
                _enqueue(appointment, what, person)
        remind(appointment)
        send_code(appointment)


def _told(appointment: Appointment) -> set[UUID]:
    """The rows that a message of this version was asked for."""
    keys = Message.objects.filter(idempotency_key__startswith=f"{appointment.pk}:")
    parts = [key.split(":") for key in keys.values_list("idempotency_key", flat=True)]
    return {UUID(row) for _id, _what, version, row in parts if int(version) == appointment.sequence}


def send_code(appointment: Appointment) -> None:
    """The code of the patient's link, apart from the link, to whom the link goes."""
    link = patient_link(appointment)
    if link is None:
        return
    for person in recipients(appointment):
        if person.means == "contact":
            outbox.enqueue(
                CODE,
                person.channel,
                person.address,
                person.language,
                {"link": link.pk, "contact": person.row, "issue": _version(link.pk, link.issue)},
                appointment.organisation_id,
                f"{link.pk}:code:{link.issue}:{person.row}",
            )


def _enqueue(
    appointment: Appointment, what: str, person: Recipient, due_at: datetime | None = None
) -> None:
    outbox.enqueue(
        f"appointment.{what}",
        person.channel,
        person.address,
        person.language,
        {
            "appointment": appointment.pk,
            "version": _version(appointment.pk, appointment.sequence),
            person.means: person.row,
        },
        appointment.organisation_id,
        f"{appointment.pk}:{what}:{appointment.sequence}:{person.row}",
        due_at,
    )


def _version(row: UUID, number: int) -> UUID:
    """Names one version of a row among references, which are UUIDs."""
    return uuid5(row, str(number))


def patient_link(appointment: Appointment) -> PersonalLink | None:
    return appointment.links.filter(kind=PersonalLink.Kind.PATIENT, voided_at__isnull=True).first()


# --- what is said, re-read when it is sent


def register() -> None:
    for what in {**WORDS, **SPECIALISTS_WORDS}:
        registry.register(f"appointment.{what}", partial(_render, what))
    registry.register(CODE, _render_code)


def _render(what: str, references: dict[str, UUID], language: str) -> Content | None:
    appointment = (
        Appointment.objects.select_related("patient", "specialist__user", "site")
        .filter(pk=references["appointment"], voided_at__isnull=True)
        .first()
    )
    if appointment is None or not _is_current(what, appointment, references["version"]):
        return None
    teller = next((means for means in _TELLERS if means in references), None)
    if teller is None:
        return None
    if teller in _THEMSELVES:  # they may have chosen another one since
        language = appointment.patient.language
    with translation.override(language):
        content = _TELLERS[teller](what, appointment, references[teller])
    if content is None and teller not in {"specialist", "previous"}:
        _tell_the_others(appointment, what)
    return content


def _tell_the_others(appointment: Appointment, what: str) -> None:
    """Somebody is reached no more: whoever is now hears it, each of them once."""
    for person in recipients(appointment):
        _enqueue(appointment, what, person)


def _is_current(what: str, appointment: Appointment, version: UUID) -> bool:
    if what == "given_away":  # true of the one it is told to, whatever came after
        return True
    if version != _version(appointment.pk, appointment.sequence):
        return False
    if what in rules.REMINDERS:
        return appointment.status == AppointmentStatus.BOOKED and clock.now() < appointment.ends_at
    return True


def _to_contact(what: str, appointment: Appointment, row: UUID) -> Content | None:
    if row not in {person.row for person in themselves(appointment)}:
        return None
    contact = PatientContact.objects.select_related("contact_point").get(pk=row)
    door = _patient_door(appointment)
    if contact.contact_point.system == ContactPoint.System.PHONE:
        return _short(what, appointment, door)
    return _letter(what, appointment, door, "" if contact.shared else _where(appointment))


def _to_login(what: str, appointment: Appointment, row: UUID) -> Content | None:
    """To the mailbox that they sign in with, which nobody else reads."""
    if row not in {person.row for person in themselves(appointment)}:
        return None
    return _letter(what, appointment, _patient_door(appointment), _where(appointment))


def _patient_door(appointment: Appointment) -> str:
    """Their personal link, the page behind their sign-in, or nothing when neither opens."""
    if link := patient_link(appointment):
        return link_address(link)
    return calendar.address(appointment) if appointment.patient.user_id else ""


def _to_representative(what: str, appointment: Appointment, row: UUID) -> Content | None:
    told = Representative.objects.filter(
        valid_on(today(clock.now())), pk=row, may_be_told=True, voided_at__isnull=True
    )
    representative = told.select_related("user").first()
    if representative is None:
        return None
    door = calendar.address(appointment)
    if not representative.user.email:
        return _short(what, appointment, door)
    return _letter(what, appointment, door, _("It is for somebody in your care."))


def _to_presenter(what: str, appointment: Appointment, row: UUID) -> Content | None:
    if not presenters_of(appointment).filter(pk=row).exists():
        return None
    if what in rules.REMINDERS and reached(appointment):  # since it was asked for
        return None
    subject, text = _("A patient has to be told"), _sentence(what, appointment)
    initials = " ".join(f"{word[0]}." for word in display_name(appointment.patient).split())
    asked = _("This patient cannot be reached by message: %(initials)s. Please tell them:")
    lines = [asked % {"initials": initials}, text, calendar.address(appointment)]
    return Content(subject, "\n\n".join(lines))


def _to_specialist(what: str, appointment: Appointment, row: UUID) -> Content | None:
    if appointment.specialist_id != row:
        return None
    return _note(what, appointment, calendar.address(appointment))


def _to_previous(what: str, appointment: Appointment, row: UUID) -> Content | None:
    """Without the page's address, which no longer opens to them."""
    if appointment.specialist_id == row:
        return None
    return _note(what, appointment, "", cancelled=True)


def _note(what: str, appointment: Appointment, door: str, *, cancelled: bool = False) -> Content:
    when = formats.in_words(appointment.starts_at, appointment.time_zone)
    lines = [_(SPECIALISTS_WORDS[what]) % {"when": when}, door, "Telemed"]
    language = translation.get_language() or "fr"
    return Content(
        _("Your list has changed"),
        "\n\n".join(filter(None, lines)),
        calendar.NAME,
        calendar.calendar_file(appointment, language, cancelled=cancelled),
    )


_TELLERS: dict[str, Callable[[str, Appointment, UUID], Content | None]] = {
    "contact": _to_contact,
    "login": _to_login,
    "representative": _to_representative,
    "presenter": _to_presenter,
    "specialist": _to_specialist,
    "previous": _to_previous,
}


_THEMSELVES = frozenset({"contact", "login"})


def _short(what: str, appointment: Appointment, door: str) -> Content:
    return Content("", f"Telemed: {_sentence(what, appointment)} {door}".strip())


def _letter(what: str, appointment: Appointment, door: str, about: str) -> Content:
    language = translation.get_language() or "fr"
    sentence = _sentence(what, appointment)
    paragraphs = [_("Hello,"), sentence[:1].upper() + sentence[1:]]
    if what != "cancelled":
        paragraphs += [about, _door_words(appointment, door)]
    paragraphs += [
        door,
        _("In an emergency do not wait: telephone the emergency number."),
        "Telemed",
    ]
    return Content(
        _(WORDS[what][1]),
        "\n\n".join(filter(None, paragraphs)),
        calendar.NAME,
        calendar.calendar_file(appointment, language),
    )


def _door_words(appointment: Appointment, door: str) -> str:
    """What the page behind the door offers."""
    link = patient_link(appointment)
    if link is not None and door == link_address(link):
        return _("To see, confirm or cancel it:")
    return _("To see, move or cancel it:") if door else ""


def _sentence(what: str, appointment: Appointment) -> str:
    when = formats.in_words(appointment.starts_at, appointment.time_zone)
    return _(WORDS[what][0]) % {"when": when}


def _where(appointment: Appointment) -> str:
    place = localized(appointment.site.name) if appointment.site else _("At home")
    who = user_name(appointment.specialist.user)
    return _("You will sit here: %(place)s. You will see: %(who)s.") % {"place": place, "who": who}


def link_address(link: PersonalLink) -> str:
    """Where a personal link leads; its page belongs to the visit."""
    return f"{settings.PUBLIC_URL}/v/{links.token(link)}"


def _render_code(references: dict[str, UUID], language: str) -> Content | None:
    link = (
        PersonalLink.objects.select_related("appointment__patient")
        .filter(pk=references["link"])
        .first()
    )
    if link is None or not links.is_live(link):
        return None
    if references["issue"] != _version(link.pk, link.issue):
        return None
    if references["contact"] not in {person.row for person in themselves(link.appointment)}:
        return None
    with translation.override(link.appointment.patient.language):
        text = _("Telemed: your code is %(code)s. It opens the link of another message.")
        return Content(_("Your code"), text % {"code": formats.isolated(links.code(link))})
