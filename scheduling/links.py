"""Personal links: token and code are derived, never stored.

A token is ``base64url(link id (16 bytes) | HMAC-SHA256(key, purpose, link id, issue)[:20])``: 160
bits that only the server can make, the same for every message of one issue. The code has another
purpose, so that neither tells the other. Nothing here changes anything but ``check_code``.
"""

import base64
import binascii
import hmac
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from scheduling.models import PersonalLink
from scheduling.refusals import Refused
from scheduling.rules import CODE_TRIES, FINAL
from telemed.lib import clock

MAC_BYTES = 20
CODE_DIGITS = 6


def current_key_id() -> str:
    return next(iter(settings.LINK_KEYS))


def token(link: PersonalLink) -> str:
    """48 characters of base64url. Raises KeyError when the link's key was taken away."""
    raw = link.pk.bytes + _mac(link, "token")[:MAC_BYTES]
    return base64.urlsafe_b64encode(raw).decode()


def code(link: PersonalLink) -> str:
    """Six digits; to be sent in another message than the token."""
    number = int.from_bytes(_mac(link, "code")[:8])
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def link_of(text: str) -> PersonalLink | None:
    """The link that a token opens, or None: forged, void, expired, or its visit is over."""
    link = genuine(text)
    return link if link is not None and is_live(link) else None


def genuine(text: str) -> PersonalLink | None:
    """The link whose present token this is, also when it opens nothing any more."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + MAC_BYTES:
        return None
    link = (
        PersonalLink.objects.select_related("appointment", "appointment__patient")
        .filter(pk=UUID(bytes=raw[:16]))
        .first()
    )
    if link is None or link.key_id not in settings.LINK_KEYS:
        return None
    if not hmac.compare_digest(raw[16:], _mac(link, "token")[:MAC_BYTES]):
        return None
    return link


def is_live(link: PersonalLink) -> bool:
    return (
        link.voided_at is None
        and link.expires_at > clock.now()
        and link.appointment.status not in FINAL
    )


def check_code(link: PersonalLink, given: str) -> None:
    """Spend one try; a right code gives them back.

    Refused: ``wrong_code`` with ``tries_left``, ``code_locked`` when none is left (then the
    presenter or the specialist issues the link anew).
    """
    row = PersonalLink.objects.filter(pk=link.pk, issue=link.issue, voided_at__isnull=True)
    if not row.filter(tries_left__gt=0).update(tries_left=F("tries_left") - 1):
        raise Refused(
            "code_locked",
            _("The code was wrong too often. Please ask the health centre or the specialist."),
        )
    # Spaces between, or another script's digits, are no mistake.
    digits = "".join(str(int(character)) for character in given if character.isdecimal())
    if hmac.compare_digest(digits.encode(), code(link).encode()):
        row.update(tries_left=CODE_TRIES)
        return
    left = PersonalLink.objects.values_list("tries_left", flat=True).get(pk=link.pk)
    raise Refused(
        "wrong_code",
        ngettext_lazy(
            "This code is not right. You can try %(count)d more time.",
            "This code is not right. You can try %(count)d more times.",
            left,
        )
        % {"count": left},
        tries_left=left,
    )


def _mac(link: PersonalLink, purpose: str) -> bytes:
    key = settings.LINK_KEYS[link.key_id].encode()
    message = f"telemed link\0{purpose}\0{link.pk}\0{link.issue}".encode()
    return hmac.new(key, message, sha256).digest()
