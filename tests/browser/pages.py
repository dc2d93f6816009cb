"""Every page a person can open, and who opens it. A new page joins here and is then held to all of
tests/browser/test_pages.py.
"""

from dataclasses import dataclass

from telemed.desk.demo.ids import demo_id

BOOKING_KB, ROOM_KB = 60, 120


@dataclass(frozen=True)
class Place:
    """``path`` is opened by ``who`` (the key of a demo person, nobody when empty); then the links
    of ``follow`` (CSS selectors, the first match of each) are clicked one after the other.

    ``{appointment}``, ``{visit}`` and ``{link}`` in a path belong to an appointment that Amina
    has booked (its page, its room, a companion's link), ``{hold}`` to a time kept for her.
    """

    name: str
    path: str
    who: str = ""
    follow: tuple[str, ...] = ()
    leads_to: str = ""
    budget_kb: int = 0
    status: int = 200


OFFERS = (
    f"main a[href$='{demo_id('user:dr.salma')}/']",
    "main a[href*='/book/specialists/']",
)
VISIT = ("main a[href*='/visit/']",)
EDIT = ("main .row-actions a", "main a[href$='/edit/']")
PAGES = (
    Place("sign in", "/accounts/login/", budget_kb=BOOKING_KB),
    Place("sign in by code", "/accounts/login/code/", budget_kb=BOOKING_KB),
    Place("sign up", "/accounts/signup/", budget_kb=BOOKING_KB),
    Place("forgotten password", "/accounts/password/reset/"),
    Place("forgotten password, asked", "/accounts/password/reset/done/"),
    Place("address to verify", "/accounts/confirm-email/"),
    Place("absent page", "/nowhere/", status=404),
    Place("style page", "/styleguide/"),
    Place("style page of the room", "/styleguide/room/?side=1"),
    Place("shown messages", "/messages/shown/"),
    Place("e-mail addresses", "/accounts/email/", "amina"),
    Place("password", "/accounts/password/change/", "amina"),
    Place("two-step sign-in", "/accounts/2fa/", "amina"),
    Place("give the password again", "/accounts/reauthenticate/", "amina"),
    Place("telephone to sign in with", "/accounts/phone/change/", "amina"),
    Place("sign in with an application", "/accounts/2fa/totp/activate/", "amina"),
    Place("passkeys", "/accounts/2fa/webauthn/", "amina"),
    Place("add a passkey", "/accounts/2fa/webauthn/add/", "amina"),
    Place("sessions", "/accounts/sessions/", "amina"),
    Place("sign out", "/accounts/logout/", "amina"),
    Place("specialities", "/book/", "amina", budget_kb=BOOKING_KB),
    Place("people of a speciality", "/book/with/cardiology/", "amina", budget_kb=BOOKING_KB),
    Place(
        "times",
        "/book/with/cardiology/",
        "amina",
        ("a[href*='/times/']",),
        "scheduling:times",
        budget_kb=BOOKING_KB,
    ),
    Place("confirm", "{hold}", "amina", budget_kb=BOOKING_KB),
    Place("appointment", "{appointment}", "amina", budget_kb=BOOKING_KB),
    Place("move an appointment", "{appointment}move/", "amina", budget_kb=BOOKING_KB),
    Place("cancel an appointment", "{appointment}cancel/", "amina", budget_kb=BOOKING_KB),
    Place("appointment for its coordinator", "{appointment}", "karim"),
    Place("reassign an appointment", "{appointment}reassign/", "karim"),
    Place("invite somebody", "{appointment}invite/", "karim"),
    Place("hours and leave of all", "/book/hours/", "karim"),
    Place(
        "hours and leave",
        "/book/hours/",
        "karim",
        ("main a[href*='/hours/']",),
        "scheduling:availability",
    ),
    Place("how we reach you", "/patients/mine/", "amina"),
    Place("who opened my data", "/audit/mine/", "amina", leads_to="audit:about"),
    Place("audit", "/audit/", "nadia"),
    Place("find a patient", "/patients/", "brahim"),
    Place("patients found", "/patients/?q=amina", "brahim"),
    Place("register a patient", "/patients/register/", "brahim"),
    Place("a patient", "/patients/?q=amina", "brahim", ("main .row-actions a",), "patients:card"),
    Place("change a patient", "/patients/?q=amina", "brahim", EDIT, "patients:edit"),
    Place("patient's home", "/", "amina", budget_kb=BOOKING_KB),
    Place("specialist's day", "/", "dr.salma"),
    Place("presenter's day", "/", "brahim"),
    Place("coordinator's day", "/", "karim"),
    Place("administrator's home", "/", "omar"),
    Place("media processes", "/operations/media/", "omar"),
    Place("connections by place", "/operations/connections/", "karim"),
    Place("record of a call", "{visit}call/", "karim"),
    Place("people who work here", "/people/", "omar"),
    Place("a person who works here", "/people/", "omar", ("main .row-actions a",), "people:person"),
    Place("add a person", "/people/add/", "omar"),
    Place("a place", "/", "omar", (".row-body a[href*='/people/places/']",), "people:place"),
    Place("add a place", "/people/places/add/", "omar"),
    Place("what a specialist offers", "/people/", "omar", OFFERS, "scheduling:profile"),
    Place("auditor's home", "/", "nadia"),
    Place("before the visit", "/", "amina", VISIT, "consultations:room", budget_kb=ROOM_KB),
    Place("a visit not open yet", "{visit}", "amina"),
    Place("recordings of a visit", "{visit}recordings/", "amina"),
    Place("pictures of a visit", "{visit}pictures/", "amina"),
    Place("code of a personal link", "{link}", budget_kb=BOOKING_KB),
    Place("summary", "/", "amina", ("a[href*='/summary/']",), "records:summary"),
    Place("note", f"/records/{demo_id('past:consultation')}/", "dr.youssef"),
)
