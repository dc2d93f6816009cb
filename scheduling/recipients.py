"""Who is told of an appointment: the patient, those who may be told for them, or the presenters."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

from django.db.models import Q, QuerySet

from scheduling.models import Appointment
from telemed.accounts.access import today, valid_on
from telemed.accounts.models import ContactPoint, Membership, OrganisationParent, User
from telemed.accounts.queries import verified_email
from telemed.accounts.roles import Role
from telemed.accounts.tree import Tree
from telemed.lib import clock
from telemed.messaging.models import Message

SMS, EMAIL = Message.Channel.SMS.value, Message.Channel.EMAIL.value


@dataclass(frozen=True)
class Recipient:
    """Somebody who is told, how, and through which row it is checked again when sent."""

    channel: str
    address: str
    language: str
    means: str  # contact, login, representative, presenter, specialist, previous
    row: UUID


def recipients(appointment: Appointment) -> list[Recipient]:
    """The patient, those who may be told for them, and the presenters when nobody is reached."""
    return reached(appointment) or list(_presenters(appointment))


def reached(appointment: Appointment) -> list[Recipient]:
    return [*themselves(appointment), *_representatives(appointment)]


def themselves(appointment: Appointment) -> Iterator[Recipient]:
    """The patient by the first telephone and the first mailbox, or by that of their sign-in."""
    contacts = list(_contacts(appointment))
    yield from contacts
    if not any(person.channel == EMAIL for person in contacts):
        yield from _login(appointment)


def _contacts(appointment: Appointment) -> Iterator[Recipient]:
    patient = appointment.patient
    if not patient.messages_wanted:
        return
    channels = {ContactPoint.System.PHONE: SMS, ContactPoint.System.EMAIL: EMAIL}
    rows = patient.contacts.filter(
        voided_at__isnull=True,
        contact_point__voided_at__isnull=True,
        contact_point__system__in=channels,
    ).select_related("contact_point")
    used: set[str] = set()
    for row in rows.order_by("rank", "received_at"):
        channel = channels[ContactPoint.System(row.contact_point.system)]
        if channel not in used:
            used.add(channel)
            yield Recipient(channel, row.contact_point.value, patient.language, "contact", row.pk)


def _login(appointment: Appointment) -> Iterator[Recipient]:
    patient = appointment.patient
    if patient.user_id is None or not patient.messages_wanted:
        return
    if address := verified_email(patient.user_id):
        # Another address is another row, to which nothing was told yet.
        row = uuid5(patient.user_id, address)
        yield Recipient(EMAIL, address, patient.language, "login", row)


def _representatives(appointment: Appointment) -> Iterator[Recipient]:
    rows = appointment.patient.representatives.filter(
        valid_on(today(clock.now())), may_be_told=True, voided_at__isnull=True
    ).select_related("user")
    for row in rows:
        if address := row.user.email or row.user.phone:
            channel = EMAIL if row.user.email else SMS
            yield Recipient(channel, address, row.user.language, "representative", row.pk)


def _presenters(appointment: Appointment) -> Iterator[Recipient]:
    for user in presenters_of(appointment):
        if user.email:
            yield Recipient(EMAIL, user.email, user.language, "presenter", user.pk)


def presenters_of(appointment: Appointment) -> QuerySet[User]:
    """Who works where the patient comes: the presenters there, else the coordinators over it."""
    day = today(clock.now())
    edges = OrganisationParent.objects.filter(valid_on(day)).values_list("child_id", "parent_id")
    here = Tree.of(edges).above([appointment.site_id or appointment.patient.organisation_id])
    held = Membership.objects.filter(valid_on(day), organisation__in=here, user__is_active=True)
    for role in (Role.PRESENTER, Role.COORDINATOR):
        users = User.objects.filter(Q(memberships__in=held.filter(role=role))).distinct()
        if users.exists():
            return users
    return User.objects.none()
