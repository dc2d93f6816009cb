"""Who may do what: the one table. Pure; scoping (where) is in ``access.py``."""

from enum import StrEnum


class Role(StrEnum):
    PATIENT = "patient"
    PRESENTER = "presenter"
    SPECIALIST = "specialist"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class May(StrEnum):
    """Abilities, named as ``object.verb``."""

    PATIENT_REGISTER = "patient.register"
    PATIENT_SEARCH = "patient.search"
    PATIENT_READ = "patient.read"
    PATIENT_LINK = "patient.link"
    PATIENT_CHANGE_OWN = "patient.change_own"
    APPOINTMENT_BOOK_OWN = "appointment.book_own"
    APPOINTMENT_BOOK_ANY = "appointment.book_any"
    APPOINTMENT_SEE_TIMES = "appointment.see_times"
    APPOINTMENT_SEE_REASON = "appointment.see_reason"
    APPOINTMENT_MOVE = "appointment.move"
    APPOINTMENT_CANCEL = "appointment.cancel"
    APPOINTMENT_REASSIGN = "appointment.reassign"
    APPOINTMENT_MARK_ARRIVAL = "appointment.mark_arrival"
    AVAILABILITY_EDIT_OWN = "availability.edit_own"
    AVAILABILITY_EDIT_ANY = "availability.edit_any"
    LINK_ISSUE = "link.issue"
    ROOM_JOIN = "room.join"
    ROOM_ADMIT = "room.admit"
    ROOM_REMOVE = "room.remove"
    ROOM_FINISH = "room.finish"
    ROOM_CHAT = "room.chat"
    ROOM_SHARE_SCREEN = "room.share_screen"
    ROOM_WATCH_STATE = "room.watch_state"
    ROOM_SEE_QUALITY = "room.see_quality"
    CONSENT_GIVE = "consent.give"
    CONSENT_WITNESS = "consent.witness"
    OVERRIDE_REVIEW = "override.review"
    NOTE_WRITE = "note.write"
    NOTE_READ = "note.read"
    SUMMARY_READ = "summary.read"
    RECORDING_PLAY = "recording.play"
    RECORDING_RELEASE = "recording.release"
    RECORDING_CLOSE = "recording.close"
    PICTURE_SEE = "picture.see"
    PICTURE_VOID = "picture.void"
    REGION_DAY = "region.day"
    CENTRE_DAY = "centre.day"
    OWN_DAY = "own.day"
    MESSAGE_SEE_FAILED = "message.see_failed"
    ORGANISATION_EDIT = "organisation.edit"
    MEMBERSHIP_EDIT = "membership.edit"
    MEDIA_OPERATE = "media.operate"
    SITE_SEE_QUALITY = "site.see_quality"
    AUDIT_READ = "audit.read"
    AUDIT_READ_OWN = "audit.read_own"


PERMISSIONS: dict[Role, frozenset[May]] = {
    Role.PATIENT: frozenset(
        {
            May.PATIENT_CHANGE_OWN,
            May.APPOINTMENT_BOOK_OWN,
            May.APPOINTMENT_SEE_TIMES,
            May.APPOINTMENT_SEE_REASON,
            May.APPOINTMENT_MOVE,
            May.APPOINTMENT_CANCEL,
            May.LINK_ISSUE,
            May.ROOM_JOIN,
            May.ROOM_CHAT,
            May.CONSENT_GIVE,
            May.SUMMARY_READ,
            May.RECORDING_PLAY,  # once it was released to them
            May.RECORDING_CLOSE,
            May.PICTURE_SEE,
            May.AUDIT_READ_OWN,
        }
    ),
    Role.PRESENTER: frozenset(
        {
            May.PATIENT_REGISTER,
            May.PATIENT_SEARCH,
            May.PATIENT_READ,
            May.PATIENT_LINK,
            May.APPOINTMENT_BOOK_ANY,
            May.APPOINTMENT_SEE_TIMES,
            May.APPOINTMENT_SEE_REASON,
            May.APPOINTMENT_MOVE,
            May.APPOINTMENT_CANCEL,
            May.APPOINTMENT_MARK_ARRIVAL,
            May.LINK_ISSUE,
            May.ROOM_JOIN,
            May.ROOM_CHAT,
            May.ROOM_SHARE_SCREEN,
            May.CONSENT_GIVE,
            May.CONSENT_WITNESS,
            May.ROOM_SEE_QUALITY,
            May.SUMMARY_READ,
            May.PICTURE_SEE,
            May.CENTRE_DAY,
        }
    ),
    Role.SPECIALIST: frozenset(  # reaches people through appointments, never through a place
        {
            May.APPOINTMENT_SEE_TIMES,
            May.APPOINTMENT_SEE_REASON,
            May.APPOINTMENT_MOVE,
            May.APPOINTMENT_CANCEL,
            May.AVAILABILITY_EDIT_OWN,
            May.LINK_ISSUE,
            May.ROOM_JOIN,
            May.ROOM_ADMIT,
            May.ROOM_REMOVE,
            May.ROOM_FINISH,
            May.ROOM_CHAT,
            May.ROOM_SHARE_SCREEN,
            May.ROOM_SEE_QUALITY,
            May.CONSENT_GIVE,
            May.NOTE_WRITE,
            May.NOTE_READ,
            May.SUMMARY_READ,
            May.RECORDING_PLAY,  # what they took themselves
            May.RECORDING_RELEASE,
            May.RECORDING_CLOSE,
            May.PICTURE_SEE,
            May.PICTURE_VOID,
            May.OWN_DAY,
        }
    ),
    Role.COORDINATOR: frozenset(
        {
            May.PATIENT_REGISTER,
            May.PATIENT_SEARCH,
            May.APPOINTMENT_BOOK_ANY,
            May.APPOINTMENT_SEE_TIMES,
            May.APPOINTMENT_MOVE,
            May.APPOINTMENT_CANCEL,
            May.APPOINTMENT_REASSIGN,
            May.AVAILABILITY_EDIT_ANY,
            May.LINK_ISSUE,
            May.ROOM_WATCH_STATE,
            May.ROOM_SEE_QUALITY,
            May.SITE_SEE_QUALITY,
            May.OVERRIDE_REVIEW,  # that it happened, not the clinical reason
            May.REGION_DAY,
            May.MESSAGE_SEE_FAILED,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            May.ORGANISATION_EDIT,
            May.MEMBERSHIP_EDIT,
            May.MEDIA_OPERATE,
            May.SITE_SEE_QUALITY,
        }
    ),
    Role.AUDITOR: frozenset({May.AUDIT_READ}),
}

PROFESSIONALS = frozenset(Role) - {Role.PATIENT}


def may(role: Role, ability: May) -> bool:
    return ability in PERMISSIONS[role]
