"""Guest sessions: a personal link and its code, bound to one browser."""

import secrets

from django.db import transaction

from consultations.access import guest_actor, hashed
from consultations.models import GuestSession
from scheduling import links
from scheduling.models import PersonalLink
from telemed.audit import actions as audit
from telemed.lib.refusals import Refused


def start_session(link: PersonalLink, code: str) -> tuple[GuestSession, str]:
    """The session and the key for the browser's cookie, which is stored nowhere.

    Refused ``wrong_code`` or ``code_locked`` by the link's own rules.
    """
    _check_code(link, code)
    key = secrets.token_urlsafe(32)
    with transaction.atomic():
        session = GuestSession.objects.create(link=link, issue=link.issue, browser_hash=hashed(key))
        audit.record(
            "guest.start",
            guest_actor(link, session),
            patient=link.appointment.patient_id,
            subject=("link", link.pk),
        )
    return session, key


def _check_code(link: PersonalLink, code: str) -> None:
    """The audit keeps each wrong code. Tries bound them; on a locked link they have no end."""
    try:
        links.check_code(link, code)
    except Refused as refused:
        if refused.code == "wrong_code":
            audit.refused(
                "guest.start",
                guest_actor(link),
                refused.code,
                patient=link.appointment.patient_id,
                subject=("link", link.pk),
            )
        raise
