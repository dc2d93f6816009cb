from datetime import timedelta

import pytest

from consultations.models import Consultation
from scheduling.actions.book import book_at
from telemed.audit.actor import SYSTEM
from telemed.lib import clock


@pytest.fixture
def consultation(cast):
    """Amina at home with Dr Salma."""
    starts_at = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=10)
    appointment = book_at(cast.at_home, starts_at, cast.amina, SYSTEM, offered_only=False)
    return Consultation.objects.create(
        appointment=appointment, organisation=appointment.organisation
    )
