"""No page escapes tests/browser/pages.py: whatever a view answers is held there or named here."""

from uuid import UUID

from django.urls import Resolver404, resolve

from tests.browser.pages import PAGES, Place
from tests.test_authorisation_matrix import OPEN, ROWS

SOME = UUID(int=1)
STANDS_FOR = {
    "appointment": f"/appointments/{SOME}/",
    "visit": f"/visit/{SOME}/",
    "link": f"/v/{'A' * 48}/",
    "hold": f"/book/hold/{SOME}/",
}
NO_PAGE = {
    "healthz",
    "readyz",
    "audit:mine",  # goes on to audit:about
    "consultations:film",
    "consultations:picture",
    "desk:day",  # what changes of a day page
    "mfa_download_recovery_codes",
    "records:summary_pdf",
    "scheduling:calendar",
    "scheduling:keep",  # goes on to scheduling:hold
    # Go on at once when opened like this.
    "account_set_password",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_login_webauthn",
    "mfa_view_recovery_codes",
}
# Reached in the middle of something that was begun; all of them are forms of the same two blocks
# as the pages of sign-in that are held.
MIDWAY = {
    "account_confirm_login_code",
    "account_inactive",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_verify_phone",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_edit_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_remove_webauthn",
    "records:sign",
}


def view_of(place: Place) -> str:
    try:
        found = resolve(place.path.format(**STANDS_FOR).partition("?")[0])
    except Resolver404:
        return ""
    return place.leads_to or str(found.view_name)


def test_every_page_is_held():
    gets = {name for method, name in ROWS if method == "GET"}
    gets |= {name for name, methods in OPEN.items() if "GET" in methods}
    held = {view_of(place) for place in PAGES} - {""}
    assert held <= gets
    assert sorted(gets - held - NO_PAGE - MIDWAY) == []
    assert sorted((NO_PAGE | MIDWAY) & held) == []
