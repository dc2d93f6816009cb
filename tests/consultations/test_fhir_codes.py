"""The value sets are written out as HL7 publishes them for R4 (4.0.1)."""

import pytest

from consultations import fhir_codes
from consultations.models import ConsultationStatus, Participant
from scheduling.models import AppointmentStatus

APPOINTMENT_STATUS = {
    "proposed",
    "pending",
    "booked",
    "arrived",
    "fulfilled",
    "cancelled",
    "noshow",
    "entered-in-error",
    "checked-in",
    "waitlist",
}
ENCOUNTER_STATUS = {
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
}
PARTICIPATION_STATUS = {"accepted", "declined", "tentative", "needs-action"}


@pytest.mark.parametrize(
    ("table", "ours", "value_set"),
    [
        (fhir_codes.APPOINTMENT, AppointmentStatus, APPOINTMENT_STATUS),
        (fhir_codes.ENCOUNTER, ConsultationStatus, ENCOUNTER_STATUS),
        (fhir_codes.PARTICIPATION, Participant.State, PARTICIPATION_STATUS),
    ],
)
def test_every_state_of_ours_has_a_code_that_r4_knows(table, ours, value_set):
    assert set(table) == set(ours)
    assert set(table.values()) <= value_set
