"""What each audited action is called when people read it.

An action is ``object.verb``. Whole actions that need their own words stand in ``ACTIONS``; the
others are put together from ``OBJECTS`` and ``VERBS``.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

ACTIONS: dict[str, Promise] = {
    "sign_in": gettext_lazy("Signed in"),
    "sign_out": gettext_lazy("Signed out"),
    "session.expire": gettext_lazy("Session ended by itself"),
    "patient.sign_up": gettext_lazy("Made an account"),
    "patient.search": gettext_lazy("Searched for patients"),
    "patient.read": gettext_lazy("Opened the patient's card"),
    "patient.register": gettext_lazy("Registered the patient"),
    "patient.link": gettext_lazy("Linked with another record"),
    "room.enter": gettext_lazy("Entered the visit"),
    "consent.override": gettext_lazy("Declared an emergency without consent"),
    "audit.search": gettext_lazy("Searched the audit"),
    "audit.read_own": gettext_lazy("Looked who opened the data"),
    "appointment.book": gettext_lazy("Booked an appointment"),
    "appointment.move": gettext_lazy("Moved an appointment"),
    "appointment.cancel": gettext_lazy("Cancelled an appointment"),
    "appointment.reassign": gettext_lazy("Gave an appointment to another specialist"),
}
OBJECTS: dict[str, Promise] = {
    "appointment": gettext_lazy("Appointment"),
    "availability": gettext_lazy("Working hours"),
    "chat": gettext_lazy("Chat"),
    "consent": gettext_lazy("Consent"),
    "consultation": gettext_lazy("Visit"),
    "day": gettext_lazy("List of the day"),
    "guest": gettext_lazy("Guest"),
    "link": gettext_lazy("Personal link"),
    "media": gettext_lazy("Media process"),
    "message": gettext_lazy("Message"),
    "note": gettext_lazy("Note"),
    "override": gettext_lazy("Emergency without consent"),
    "participant": gettext_lazy("Participant"),
    "patient": gettext_lazy("Patient"),
    "room": gettext_lazy("Visit"),
    "slot": gettext_lazy("Time"),
    "summary": gettext_lazy("Summary"),
    "user": gettext_lazy("Account"),
}
VERBS: dict[str, Promise] = {
    "add": pgettext_lazy("done in the audit", "added"),
    "admit": pgettext_lazy("done in the audit", "admitted"),
    "change": pgettext_lazy("done in the audit", "changed"),
    "confirm": pgettext_lazy("done in the audit", "confirmed"),
    "deny": pgettext_lazy("done in the audit", "turned away"),
    "drain": pgettext_lazy("done in the audit", "emptied"),
    "download": pgettext_lazy("done in the audit", "downloaded"),
    "finish": pgettext_lazy("done in the audit", "finished"),
    "give": pgettext_lazy("done in the audit", "given"),
    "hold": pgettext_lazy("done in the audit", "kept for a moment"),
    "issue": pgettext_lazy("done in the audit", "issued"),
    "open": pgettext_lazy("done in the audit", "opened"),
    "read": pgettext_lazy("done in the audit", "read"),
    "refuse": pgettext_lazy("done in the audit", "refused"),
    "release": pgettext_lazy("done in the audit", "released"),
    "resume": pgettext_lazy("done in the audit", "taken back into service"),
    "remove": pgettext_lazy("done in the audit", "removed"),
    "review": pgettext_lazy("done in the audit", "reviewed"),
    "save": pgettext_lazy("done in the audit", "saved"),
    "sign": pgettext_lazy("done in the audit", "signed"),
    "start": pgettext_lazy("done in the audit", "started"),
    "use": pgettext_lazy("done in the audit", "used"),
    "void": pgettext_lazy("done in the audit", "withdrawn from use"),
    "withdraw": pgettext_lazy("done in the audit", "withdrawn"),
    "write": pgettext_lazy("done in the audit", "written"),
}


def in_words(action: str) -> str:
    """A sentence or heading in the active language; the code itself when it has no words."""
    if action in ACTIONS:
        return str(ACTIONS[action])
    thing, _dot, verb = action.partition(".")
    if thing in OBJECTS and verb.split("_")[0] in VERBS:
        words = {"thing": OBJECTS[thing], "done": VERBS[verb.split("_")[0]]}
        return _("%(thing)s: %(done)s") % words
    return action
