"""What each audited action is called when people read it.

An action is ``object.verb``. Whole actions that need their own words stand in ``ACTIONS``; the
others are put together from ``OBJECTS`` and ``VERBS``. What a door refused is the page's name.
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
    "patient.correct": gettext_lazy("Corrected the record"),
    "patient.link": gettext_lazy("Linked with another record"),
    "room.sign_out": gettext_lazy("Signed out during a visit"),
    "room.enter": gettext_lazy("Entered the visit"),
    "consent.override": gettext_lazy("Declared an emergency without consent"),
    "audit.search": gettext_lazy("Searched the audit"),
    "audit.read_own": gettext_lazy("Looked who opened the data"),
    "appointment.book": gettext_lazy("Booked an appointment"),
    "appointment.move": gettext_lazy("Moved an appointment"),
    "appointment.cancel": gettext_lazy("Cancelled an appointment"),
    "appointment.reassign": gettext_lazy("Gave an appointment to another specialist"),
    "appointment.arrive": gettext_lazy("Noted an arrival"),
    "appointment.outcome": gettext_lazy("Noted how an appointment ended"),
    "appointment.rederive": gettext_lazy("Kept an appointment's hour after new time-zone data"),
    "picture.end": gettext_lazy("Gave up a picture that was asked for"),
    "installation.begin": gettext_lazy("Began this installation"),
    "field_keys.rotate": gettext_lazy("Changed the keys of encrypted data"),
    "membership.add": gettext_lazy("Gave a role"),
    "membership.remove": gettext_lazy("Ended a role"),
    "retention.file_purged": gettext_lazy("Deleted a patient's file after its period"),
    "retention.rows_purged": gettext_lazy("Deleted what had outlived its period"),
    "retention.sign_up_purged": gettext_lazy("Deleted an account that was never confirmed"),
    "user.deactivate": gettext_lazy("Closed an account"),
    "user.reopen": gettext_lazy("Opened an account again"),
    "user.list": gettext_lazy("Listed the accounts"),
}
OBJECTS: dict[str, Promise] = {
    "audit": gettext_lazy("Audit"),
    "appointment": gettext_lazy("Appointment"),
    "availability": gettext_lazy("Working hours"),
    "call": gettext_lazy("Record of the call"),
    "chat": gettext_lazy("Chat"),
    "consent": gettext_lazy("Consent"),
    "consultation": gettext_lazy("Visit"),
    "day": gettext_lazy("List of the day"),
    "email": gettext_lazy("E-mail"),
    "field_keys": gettext_lazy("Keys"),
    "guest": gettext_lazy("Guest"),
    "installation": gettext_lazy("Installation"),
    "link": gettext_lazy("Personal link"),
    "media": gettext_lazy("Media process"),
    "membership": gettext_lazy("Role"),
    "message": gettext_lazy("Message"),
    "note": gettext_lazy("Note"),
    "organisation": gettext_lazy("Place"),
    "override": gettext_lazy("Emergency without consent"),
    "participant": gettext_lazy("Participant"),
    "recording": gettext_lazy("Recording"),
    "password": gettext_lazy("Password"),
    "patient": gettext_lazy("Patient"),
    "picture": gettext_lazy("Picture"),
    "retention": gettext_lazy("Retention period"),
    "room": gettext_lazy("Visit"),
    "second_factor": gettext_lazy("Second step"),
    "service": gettext_lazy("What can be booked"),
    "session": gettext_lazy("Session"),
    "slot": gettext_lazy("Time"),
    "specialist": gettext_lazy("Specialist"),
    "summary": gettext_lazy("Summary"),
    "user": gettext_lazy("Account"),
    "visit": gettext_lazy("Visit"),
}
VERBS: dict[str, Promise] = {
    "add": pgettext_lazy("done in the audit", "added"),
    "admit": pgettext_lazy("done in the audit", "admitted"),
    "ask": pgettext_lazy("done in the audit", "asked for"),
    "change": pgettext_lazy("done in the audit", "changed"),
    "chat": pgettext_lazy("done in the audit", "message"),
    "close": pgettext_lazy("done in the audit", "closed"),
    "confirm": pgettext_lazy("done in the audit", "confirmed"),
    "consent": pgettext_lazy("done in the audit", "consent"),
    "continue": pgettext_lazy("done in the audit", "continued"),
    "declare": pgettext_lazy("done in the audit", "somebody present named"),
    "delete": pgettext_lazy("done in the audit", "deleted"),
    "deny": pgettext_lazy("done in the audit", "turned away"),
    "drain": pgettext_lazy("done in the audit", "emptied"),
    "download": pgettext_lazy("done in the audit", "downloaded"),
    "emergency": pgettext_lazy("done in the audit", "emergency"),
    "fail": pgettext_lazy("done in the audit", "not readable"),
    "finish": pgettext_lazy("done in the audit", "finished"),
    "give": pgettext_lazy("done in the audit", "given"),
    "given": pgettext_lazy("done in the audit", "given"),
    "hold": pgettext_lazy("done in the audit", "kept for a moment"),
    "identify": pgettext_lazy("done in the audit", "identity checked"),
    "interrupt": pgettext_lazy("done in the audit", "interrupted"),
    "issue": pgettext_lazy("done in the audit", "issued"),
    "leave": pgettext_lazy("done in the audit", "left"),
    "mute": pgettext_lazy("done in the audit", "muted"),
    "offer": pgettext_lazy("done in the audit", "picture and sound offered"),
    "open": pgettext_lazy("done in the audit", "opened"),
    "override": pgettext_lazy("done in the audit", "gone on without consent"),
    "pause": pgettext_lazy("done in the audit", "paused"),
    "picture": pgettext_lazy("done in the audit", "picture asked for or sent"),
    "place": pgettext_lazy("done in the audit", "place told"),
    "play": pgettext_lazy("done in the audit", "played"),
    "receive": pgettext_lazy("done in the audit", "arrived"),
    "record": pgettext_lazy("done in the audit", "recording"),
    "read": pgettext_lazy("done in the audit", "read"),
    "refuse": pgettext_lazy("done in the audit", "refused"),
    "refused": pgettext_lazy("done in the audit", "refused"),
    "reissue": pgettext_lazy("done in the audit", "issued anew"),
    "release": pgettext_lazy("done in the audit", "released"),
    "remove": pgettext_lazy("done in the audit", "removed"),
    "reset": pgettext_lazy("done in the audit", "set anew"),
    "resume": pgettext_lazy("done in the audit", "resumed"),
    "retire": pgettext_lazy("done in the audit", "taken out"),
    "retry": pgettext_lazy("done in the audit", "sent again"),
    "review": pgettext_lazy("done in the audit", "reviewed"),
    "save": pgettext_lazy("done in the audit", "saved"),
    "send": pgettext_lazy("done in the audit", "agreed to be sent"),
    "sends": pgettext_lazy("done in the audit", "picture sent"),
    "sign": pgettext_lazy("done in the audit", "signed"),
    "start": pgettext_lazy("done in the audit", "started"),
    "stats": pgettext_lazy("done in the audit", "quality of the connection told"),
    "stop": pgettext_lazy("done in the audit", "ended"),
    "unable": pgettext_lazy("done in the audit", "camera or microphone without use"),
    "undeclare": pgettext_lazy("done in the audit", "somebody present taken back"),
    "use": pgettext_lazy("done in the audit", "used"),
    "void": pgettext_lazy("done in the audit", "withdrawn from use"),
    "watch": pgettext_lazy("done in the audit", "pictures wanted"),
    "withdraw": pgettext_lazy("done in the audit", "withdrawn"),
    "withdrawn": pgettext_lazy("done in the audit", "withdrawn"),
    "write": pgettext_lazy("done in the audit", "written"),
}


def in_words(action: str) -> str:
    """A sentence or heading in the active language; the code itself when it has no words."""
    if action in ACTIONS:
        return str(ACTIONS[action])
    if ":" in action:
        return _("Asked for a page (%(page)s)") % {"page": action}
    thing, _dot, verb = action.partition(".")
    if thing == "day":
        return _("Opened a list of the day")
    if thing in OBJECTS and verb.split("_")[0] in VERBS:
        words = {"thing": OBJECTS[thing], "done": VERBS[verb.split("_")[0]]}
        return _("%(thing)s: %(done)s") % words
    return action
