"""Encryption at rest: AES-256-GCM with key ids (NIST SP 800-38D), bound to where the value lives.

A sealed value is ``version (1) | length of key id (1) | key id | nonce (12) | ciphertext and tag``.
The place (table, column, row) is authenticated with it, so a value copied to another row does not
open there.
"""

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = 1
NONCE_BYTES = 12


class Unreadable(ValueError):
    """A sealed value that no configured key opens in this place."""


@lru_cache(maxsize=16)
def _cipher(secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"telemed field").derive(
        secret.encode()
    )
    return AESGCM(derived)


def current_key_id() -> str:
    return next(iter(settings.FIELD_KEYS))


def seal(plain: bytes, place: str) -> bytes:
    key_id = current_key_id()
    nonce = os.urandom(NONCE_BYTES)
    body = _cipher(settings.FIELD_KEYS[key_id]).encrypt(nonce, plain, place.encode())
    name = key_id.encode()
    return bytes([VERSION, len(name)]) + name + nonce + body


def key_id_of(sealed: bytes) -> str:
    if len(sealed) < 2 or sealed[0] != VERSION:
        raise Unreadable("not a sealed value")
    return sealed[2 : 2 + sealed[1]].decode()


def unseal(sealed: bytes, place: str) -> bytes:
    """Raises ``Unreadable`` when the key is gone, the value was changed or it was moved here."""
    key_id = key_id_of(sealed)
    start = 2 + sealed[1]
    try:
        cipher = _cipher(settings.FIELD_KEYS[key_id])
        return cipher.decrypt(
            sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :], place.encode()
        )
    except KeyError:
        raise Unreadable(f"field key {key_id!r} is not configured") from None
    except InvalidTag:
        raise Unreadable(f"a value sealed with key {key_id!r} does not open at {place}") from None


def blind_index(kind: str, value: str) -> str:
    """A keyed digest to search a sealed value by equality: hex, 64 characters; "" stays "".

    ``value`` must be normalised by the caller; ``kind`` keeps equal values of different kinds
    apart.
    """
    if not value:
        return ""
    message = f"{kind}\0{value}".encode()
    return hmac.new(settings.INDEX_KEY.encode(), message, hashlib.sha256).hexdigest()
