"""Typed reading of environment variables: a value that makes no sense stops the start, by name."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Env:
    """Reads settings from a mapping of strings; an empty string counts as unset.

    Every reader raises ``ImproperlyConfigured`` naming the variable, what it holds and what was
    expected. ``known`` collects the names read, so that docs/configuration.md can be held to them.
    """

    def __init__(self, source: Mapping[str, str] = os.environ) -> None:
        self._source = source
        self.known: set[str] = set()

    def _raw(self, name: str) -> str:
        self.known.add(name)
        return self._source.get(name, "").strip()

    def text(self, name: str, default: str = "") -> str:
        return self._raw(name) or default

    def required(self, name: str, why: str) -> str:
        value = self._raw(name)
        if not value:
            raise ImproperlyConfigured(f"{name} is not set: {why}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._raw(name).lower()
        if not value:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise ImproperlyConfigured(f"{name}={value!r}: expected yes or no")

    def integer(
        self, name: str, default: int, *, at_least: int = 0, at_most: int | None = None
    ) -> int:
        value = self._raw(name)
        try:
            number = int(value) if value else default
        except ValueError:
            raise ImproperlyConfigured(f"{name}={value!r}: expected a whole number") from None
        if number < at_least or (at_most is not None and number > at_most):
            bound = f"{at_least} to {at_most}" if at_most is not None else f"at least {at_least}"
            raise ImproperlyConfigured(f"{name}={number}: expected {bound}")
        return number

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """A comma-separated list."""
        value = self._raw(name)
        return [word.strip() for word in value.split(",") if word.strip()] or list(default)

    def choice(self, name: str, options: tuple[str, ...], default: str) -> str:
        value = self._raw(name) or default
        if value not in options:
            raise ImproperlyConfigured(f"{name}={value!r}: expected one of {', '.join(options)}")
        return value

    def path(self, name: str, default: Path) -> Path:
        value = self._raw(name)
        return Path(value).expanduser() if value else default

    def url(self, name: str, default: str, *, schemes: tuple[str, ...]) -> str:
        value = self._raw(name) or default
        if value and urlsplit(value).scheme not in schemes:
            raise ImproperlyConfigured(
                f"{name}={value!r}: expected an address that begins with "
                + " or ".join(f"{scheme}://" for scheme in schemes)
            )
        return value

    def address(self, name: str) -> tuple[str, int] | None:
        """``127.0.0.1:9101`` or ``[::1]:9101``, a number and no name; None when it is not set."""
        value = self._raw(name)
        if not value:
            return None
        host, _, port = value.rpartition(":")
        try:
            ip = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
            number = int(port)
        except ValueError:
            number = -1
        if not 0 <= number <= 65535:
            raise ImproperlyConfigured(f"{name}={value!r}: expected an IP address and a port")
        return str(ip), number

    def keys(self, name: str) -> dict[str, str]:
        """``id:secret`` pairs separated by commas, the current one first."""
        pairs: dict[str, str] = {}
        for word in self.words(name):
            key_id, colon, secret = word.partition(":")
            if not colon or not key_id or len(secret) < 32:
                raise ImproperlyConfigured(
                    f"{name}: expected id:secret pairs with secrets of 32 characters or more"
                )
            pairs[key_id] = secret
        return pairs
