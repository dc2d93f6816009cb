"""How a state is told to people: a word, an icon, a tone. The codes are FHIR's names."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Shown:
    """``tone`` is one of the CSS tones: plain, accent, now, ok, warn, danger."""

    word: str | Promise
    icon: str
    tone: str = "plain"


STATES: dict[str, dict[str, Shown]] = {
    "appointment": {
        "proposed": Shown(_("Proposed"), "question-mark-circle"),
        "pending": Shown(_("Awaiting confirmation"), "clock", "warn"),
        "booked": Shown(_("Booked"), "calendar", "accent"),
        "arrived": Shown(_("Arrived"), "map-pin", "now"),
        "checked-in": Shown(_("In consultation"), "video-camera", "now"),
        "fulfilled": Shown(_("Completed"), "check-circle", "ok"),
        "cancelled": Shown(_("Cancelled"), "x-circle", "danger"),
        "noshow": Shown(_("Did not come"), "user-minus", "warn"),
        "waitlist": Shown(_("On the waiting list"), "queue-list"),
        "entered-in-error": Shown(_("Entered in error"), "no-symbol"),
    },
    "consultation": {
        "planned": Shown(_("Planned"), "calendar"),
        "arrived": Shown(_("Patient arrived"), "map-pin", "now"),
        "in-progress": Shown(_("In progress"), "video-camera", "now"),
        "finished": Shown(_("Finished"), "check-circle", "ok"),
        "cancelled": Shown(_("Cancelled"), "x-circle", "danger"),
        "entered-in-error": Shown(_("Entered in error"), "no-symbol"),
    },
    "room": {
        "scheduled": Shown(_("Not open yet"), "clock"),
        "waiting": Shown(_("Waiting"), "clock", "now"),
        "in-session": Shown(_("In session"), "video-camera", "now"),
        "paused": Shown(_("Paused"), "pause-circle", "warn"),
        "interrupted": Shown(_("Interrupted"), "signal-slash", "warn"),
        "closed": Shown(_("Closed"), "lock-closed"),
    },
    "participant": {
        "invited": Shown(_("Invited"), "envelope"),
        "joining": Shown(_("Getting ready"), "arrow-path"),
        "waiting": Shown(_("Waiting"), "clock", "now"),
        "admitted": Shown(_("Admitted"), "check", "accent"),
        "denied": Shown(_("Not admitted"), "no-symbol", "warn"),
        "connected": Shown(_("Connected"), "signal", "ok"),
        "reconnecting": Shown(_("Reconnecting"), "arrow-path", "warn"),
        "left": Shown(_("Left"), "arrow-left-start-on-rectangle"),
        "removed": Shown(_("Removed"), "user-minus"),
        "unable-to-join": Shown(_("Could not join"), "exclamation-triangle", "warn"),
    },
    "recording": {
        "recording": Shown(_("Recording"), "video-camera", "now"),
        "stopped": Shown(_("Being prepared"), "clock"),
        "muxing": Shown(_("Being prepared"), "clock"),
        "ready": Shown(_("Ready"), "play-circle", "ok"),
        "closed": Shown(_("Closed, being deleted"), "lock-closed", "warn"),
        "deleted": Shown(_("Deleted"), "trash"),
    },
    "message": {
        "due": Shown(_("To be sent"), "clock"),
        "claimed": Shown(_("Being sent"), "paper-airplane"),
        "sent": Shown(_("Sent"), "check", "ok"),
        "failed": Shown(_("Not delivered"), "exclamation-triangle", "danger"),
        "dropped": Shown(_("No longer needed"), "minus-circle"),
    },
    "note": {
        "draft": Shown(_("Draft"), "pencil-square", "warn"),
        "signed": Shown(_("Signed"), "check-badge", "ok"),
        "released": Shown(_("Given to the patient"), "document-check", "ok"),
    },
    "consent": {
        "missing": Shown(_("Consent missing"), "hand-raised", "warn"),
        "given": Shown(_("Consent given"), "shield-check", "ok"),
        "refused": Shown(_("Consent refused"), "hand-raised", "danger"),
        "withdrawn": Shown(_("Consent withdrawn"), "hand-raised", "danger"),
    },
}

PLACES: dict[str, Shown] = {
    "home": Shown(_("At home"), "home"),
    "facility": Shown(_("At a health centre"), "centre"),
    "mobile_unit": Shown(_("At a mobile unit"), "unit"),
}


def shown(subject: str, code: str) -> Shown:
    """Raises KeyError for a state nobody gave a word: a state must never reach a page as a code."""
    return STATES[subject][code]
