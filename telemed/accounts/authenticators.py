"""Second factors' secrets at rest: sealed with the field keys, like everything else."""

import base64
from typing import Any

from allauth.mfa.models import Authenticator

from telemed.lib import crypto

PLACE = "mfa_authenticator"
SEALED_KEYS = ("secret", "seed")  # of TOTP and of recovery codes; passkeys hold public keys only


def seal(text: str) -> str:
    return base64.b64encode(crypto.seal(text.encode(), PLACE)).decode()


def unseal(text: str) -> str:
    return crypto.unseal(base64.b64decode(text), PLACE).decode()


def seal_again() -> int:
    """Authenticators rewritten under the current field key."""
    changed = 0
    for row in Authenticator.objects.all():
        stale = {key: row.data[key] for key in SEALED_KEYS if _is_stale(row.data.get(key))}
        if stale:
            row.data |= {key: seal(unseal(value)) for key, value in stale.items()}
            row.save(update_fields=["data"])
            changed += 1
    return changed


def _is_stale(value: Any) -> bool:
    if not value:
        return False
    return crypto.key_id_of(base64.b64decode(value)) != crypto.current_key_id()
