"""Guest sessions: a personal link and its code, bound to one browser."""

import secrets

from django.db import transaction

from consultations.access import hashed
from consultations.models import GuestSession
from scheduling import links
from scheduling.models import PersonalLink
from telemed.audit import actions as audit
from telemed.audit.actor import Actor


def start_session(link: PersonalLink, code: str) -> tuple[GuestSession, str]:
    """The session and the key for the browser's cookie, which is stored nowhere.

    Refused ``wrong_code`` or ``code_locked`` by the link's own rules.
    """
    links.check_code(link, code)
    key = secrets.token_urlsafe(32)
    with transaction.atomic():
        session = GuestSession.objects.create(link=link, browser_hash=hashed(key))
        audit.record(
            "guest.start",
            Actor("guest", session.pk, role=link.kind, organisation=link.organisation_id),
            patient=link.appointment.patient_id,
            subject=("link", link.pk),
        )
    return session, key
