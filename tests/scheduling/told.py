"""What goes out to people, and a mailbox for them."""

from telemed.accounts.models import ContactPoint, PatientContact
from telemed.lib import clock as the_clock
from telemed.messaging import delivery
from telemed.messaging.models import Message, ShownMessage

SPECIALISTS = {"salma@cast.example", "youssef@cast.example"}


def email(patient, address: str) -> PatientContact:
    point = ContactPoint.objects.create(
        organisation=patient.organisation, system="email", value=address, value_index=address
    )
    return PatientContact.objects.create(
        organisation=patient.organisation, patient=patient, contact_point=point, rank=2
    )


def deliver() -> list[ShownMessage]:
    """What goes out now to the patient's side, oldest wish first."""
    before = set(ShownMessage.objects.values_list("pk", flat=True))
    for message in delivery.due(the_clock.now(), 100):
        delivery.deliver(message)
    assert not Message.objects.filter(state="failed").exists()
    shown = ShownMessage.objects.exclude(pk__in=before).order_by("shown_at")
    return [one for one in shown if one.address not in SPECIALISTS]


def mails_to(address: str) -> list[ShownMessage]:
    return [one for one in ShownMessage.objects.order_by("shown_at") if one.address == address]
