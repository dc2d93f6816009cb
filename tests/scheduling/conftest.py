"""Appointments of the tests, and mail that is shown instead of being sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from scheduling import actions, queries
from telemed.audit.actor import Actor
from telemed.lib import clock as the_clock


@pytest.fixture
def karim(cast) -> Actor:
    return Actor("user", cast.karim.pk, role="coordinator")


@pytest.fixture(autouse=True)
def _morning(clock):
    """What is moved by an hour stays within the day's hours, whenever the tests run."""
    now = timezone.localtime(the_clock.now())
    clock.move(now.replace(hour=10, minute=0, second=0, microsecond=0) - now)


@pytest.fixture
def book(cast, karim):
    """An appointment the day after tomorrow, at about the same hour as now or sooner."""

    def booked(patient, service=None, days=2):
        service = service or cast.at_imilchil
        around = the_clock.now() + timedelta(days=days)
        start = queries.alternatives(service, cast.dr_salma.pk, patient, around)[0]
        return actions.book_at(service, start, patient, karim, reason="palpitations")

    return booked


@pytest.fixture(autouse=True)
def _mail_is_shown(settings):
    """pytest-django would keep mails in a list."""
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"
