"""Our states to the codes of FHIR R4 (4.0.1): the one table. ``tests`` hold it complete.

R4 has no status for a pause of an encounter that is not "onleave"; a pause is the room's.
"""

from types import MappingProxyType

from consultations.models import ConsultationStatus, Participant
from scheduling.models import AppointmentStatus

# http://hl7.org/fhir/R4/valueset-appointmentstatus.html
APPOINTMENT = MappingProxyType({status: status.value for status in AppointmentStatus})

# http://hl7.org/fhir/R4/valueset-encounter-status.html
ENCOUNTER = MappingProxyType({status: status.value for status in ConsultationStatus})

# http://hl7.org/fhir/R4/valueset-participationstatus.html, of Appointment.participant
PARTICIPATION = MappingProxyType(
    {
        Participant.State.INVITED: "needs-action",
        Participant.State.JOINING: "accepted",
        Participant.State.WAITING: "accepted",
        Participant.State.ADMITTED: "accepted",
        Participant.State.DENIED: "declined",
        Participant.State.CONNECTED: "accepted",
        Participant.State.RECONNECTING: "accepted",
        Participant.State.LEFT: "accepted",
        Participant.State.REMOVED: "declined",
        Participant.State.UNABLE: "tentative",
    }
)

# http://terminology.hl7.org/CodeSystem/v3-ActCode
ENCOUNTER_CLASS = "VR"
