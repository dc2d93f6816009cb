"""What is kept of personal links that open nothing."""

from django.core.cache import cache

from consultations.access import guest_actor
from scheduling.models import PersonalLink
from telemed.audit import actions as audit
from telemed.audit.actor import Actor

# Anybody can send tokens without end: past so many a minute the audit keeps no more of them.
KEPT_A_MINUTE = 30
_COUNT = "refused-links"


def keep(link: PersonalLink | None) -> None:
    """``link`` is None for a token that was never made here, else one that is over or void."""
    if not _is_within_bounds():
        return
    if link is None:
        audit.refused("link.open", Actor("guest", None), "forged", purpose="security")
        return
    audit.refused(
        "link.open",
        guest_actor(link),
        "void",
        patient=link.appointment.patient_id,
        subject=("link", link.pk),
    )


def _is_within_bounds() -> bool:
    cache.add(_COUNT, 0, timeout=60)
    try:
        return bool(cache.incr(_COUNT) <= KEPT_A_MINUTE)
    except ValueError:  # the minute ended in between
        return True
