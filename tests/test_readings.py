"""Every page that shows somebody's data leaves an event: the matrix names the pages."""

from datetime import timedelta

import pytest
from django.urls import reverse

from scheduling.models import AvailabilityRule
from telemed.audit.models import Event
from telemed.lib import clock
from telemed.records.models import Note
from tests import make
from tests.test_authorisation_matrix import written

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(cast):
    return make.appointment(cast.amina, cast.at_imilchil, make.on_the_hour(clock.now(), 48))


@pytest.mark.parametrize(
    ("page", "who"),
    [
        ("appointment", "amina_user"),
        ("move", "amina_user"),
        ("cancel", "amina_user"),
        ("reassign", "karim"),
        ("invite", "brahim"),
    ],
)
def test_pages_of_an_appointment(client, cast, visit, page, who):
    client.force_login(getattr(cast, who))
    assert client.get(reverse(f"scheduling:{page}", args=[visit.pk])).status_code == 200
    event = Event.objects.get(action="appointment.read")
    assert (event.patient, event.subject) == (cast.amina.id, visit.pk)


def test_booked_outside_of_the_hours(client, cast, visit):
    AvailabilityRule.objects.all().delete()
    client.force_login(cast.salma)
    assert "Idrissi" in client.get(reverse("scheduling:availability", args=[cast.dr_salma.pk])).text
    assert Event.objects.get(action="availability.read").patient == cast.amina.id


def test_the_note_before_it_is_signed(client, cast, visit):
    note: Note = written(visit)
    make.sign_in_again(client, cast.salma)
    assert client.get(reverse("records:sign", args=[note.pk])).status_code == 200
    assert Event.objects.get(action="note.read").patient == cast.amina.id


def test_a_visit_before_its_time_and_after_its_end(client, cast, visit):
    client.force_login(cast.salma)
    page = reverse("consultations:room", args=[visit.pk])
    client.get(page)
    visit.starts_at -= timedelta(days=4)
    visit.ends_at -= timedelta(days=4)
    visit.save()
    client.get(page)
    visit.status = "fulfilled"
    visit.save()
    client.get(page)
    events = Event.objects.filter(action="visit.open", patient=cast.amina.id)
    assert list(events.values_list("code", flat=True)) == ["early", "late", "over"]


def test_a_person_who_works_here(client, cast):
    assert cast.brahim
    client.force_login(cast.omar)
    assert client.get(f"/people/{cast.brahim.id}/").status_code == 200
    assert Event.objects.get(action="user.read").subject == cast.brahim.id
