"""System checks: a production configuration that would be unsafe does not start.

The run command of an installation (``migrate``, ``check --deploy``) runs them; each error names
the environment variable to mend, as docs/configuration.md describes it.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from telemed.lib import clock

MONTHS_COMPARED = 36
SECRET_LENGTH = 32


@register(Tags.security)
def production_is_safe(**kwargs: Any) -> list[CheckMessage]:
    if not settings.PRODUCTION:
        return []
    url = urlsplit(settings.PUBLIC_URL)
    faults = (
        (settings.DEBUG, "E001", "DEBUG shows code and data to everybody.", "Unset DEBUG."),
        (
            settings.CLOCK_OFFSET_FILE is not None,
            "E002",
            "The clock can be moved.",
            "Unset CLOCK_OFFSET_FILE.",
        ),
        (
            any("development-only" in secret for secret in _secrets()),
            "E003",
            "A secret is the one that everybody can read in the source.",
            "Make new ones: SECRET_KEY, FIELD_KEYS, INDEX_KEY, LINK_KEYS, AUDIT_KEY.",
        ),
        (
            not settings.FIELD_KEYS or not settings.LINK_KEYS,
            "E004",
            "Data at rest or personal links have no key.",
            "Set FIELD_KEYS and LINK_KEYS.",
        ),
        (
            settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
            "E005",
            "SQLite takes one writer at a time: several media processes would lose their rooms.",
            "Set DATABASE_URL to a PostgreSQL database.",
        ),
        (
            url.scheme != "https" or url.hostname in {None, "localhost"},
            "E006",
            "Links would lead nowhere, and browsers give the camera to secure pages only.",
            "Set PUBLIC_URL to the https address that people open.",
        ),
        (
            not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS,
            "E007",
            "Any Host header would be believed.",
            "Set ALLOWED_HOSTS to the names of PUBLIC_URL.",
        ),
        (
            any(secret.startswith("replace") for secret in _secrets()),
            "E008",
            "A secret is the one of the example that everybody can read.",
            "Make new ones for whatever begins with replace: openssl rand -base64 48",
        ),
        (
            any(len(secret) < SECRET_LENGTH for secret in _secrets()),
            "E009",
            f"A secret is shorter than {SECRET_LENGTH} characters.",
            "Make a new one: openssl rand -base64 48",
        ),
        (
            not settings.SECOND_FACTOR_REQUIRED,
            "E010",
            "A password alone would open every patient's data.",
            "Unset SECOND_FACTOR_REQUIRED.",
        ),
        (
            _is_open(settings.METRICS_ADDRESS) and not settings.METRICS_GUARDED,
            "E011",
            "Anybody could read the figures of this installation.",
            "Give METRICS_ADDRESS a loopback or private address, or state by METRICS_GUARDED=yes"
            " that something else keeps strangers away from it.",
        ),
    )
    return [
        Error(text, hint=hint, id=f"telemed.{number}")
        for wrong, number, text, hint in faults
        if wrong
    ]


@register(Tags.database)
def zone_data_agrees(databases: Sequence[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """Python computes with the pinned tzdata package. PostgreSQL reads its own data: whoever
    queries it by hand, or a report, would see other local times than the pages show."""
    zone = settings.TIME_ZONE
    wrong = [
        alias
        for alias in databases or ()
        if connections[alias].vendor == "postgresql" and _offsets_differ(alias, zone)
    ]
    return [
        Warning(
            f"The zone data of PostgreSQL ({alias}) is older than Python's for {zone}.",
            hint="On the database's machine: apt-get update && apt-get install --only-upgrade"
            " tzdata, then restart PostgreSQL. Telemed itself converts no times there.",
            id="telemed.W001",
        )
        for alias in wrong
    ]


def _is_open(address: tuple[str, int] | None) -> bool:
    """Whether others than this machine and its own network may reach the address."""
    if address is None:
        return False
    ip = ipaddress.ip_address(address[0])
    return ip.is_unspecified or not (ip.is_loopback or ip.is_link_local or ip.is_private)


def _secrets() -> list[str]:
    turn = [settings.TURN_SECRET] if settings.TURN_URLS else []
    return [
        *turn,
        settings.SECRET_KEY,
        settings.INDEX_KEY,
        settings.AUDIT_KEY,
        *settings.FIELD_KEYS.values(),
        *settings.LINK_KEYS.values(),
    ]


def _offsets_differ(alias: str, zone: str) -> bool:
    first = clock.now().replace(microsecond=0)
    moments = [first + timedelta(days=30) * month for month in range(MONTHS_COMPARED)]
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT moment AT TIME ZONE %s FROM unnest(%s::timestamptz[]) WITH ORDINALITY"
            " AS listed(moment, place) ORDER BY place",
            [zone, moments],
        )
        told: list[datetime] = [row[0] for row in cursor.fetchall()]
    ours = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]
    return told != ours
