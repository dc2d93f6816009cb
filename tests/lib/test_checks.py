"""System checks: an unsafe production configuration does not start."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from telemed.lib import checks
from telemed.lib.database_url import database

ROOT = Path(__file__).resolve().parents[2]


def example(*, filled_in: bool = True) -> dict[str, str]:
    text = (ROOT / "deploy/telemed.env").read_text()
    if filled_in:
        text = re.sub(r"replace[\w-]*", lambda _: secrets.token_urlsafe(48), text)
    lines = text.splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value.strip('"') for name, value in pairs}


def check(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **example(), "VAR_DIR": str(tmp_path), **changes}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_example_of_an_installation_is_silent(tmp_path):
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize(
    "name", [name for name, value in example(filled_in=False).items() if "replace" in value]
)
def test_each_secret_of_the_example_is_refused(tmp_path, name):
    done = check(tmp_path, **{name: example(filled_in=False)[name]})
    assert done.returncode != 0
    assert "telemed.E008" in done.stderr or "messaging.E007" in done.stderr


UNITS = [
    unit
    for unit in sorted((ROOT / "deploy/systemd").glob("*.service"))
    if "python" in unit.read_text()  # a backup is made of any installation
]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_process_of_an_installation_starts_unchecked(unit):
    lines = unit.read_text().splitlines()
    assert any(line.startswith("ExecStartPre=") and "check --deploy" in line for line in lines)
    if "RuntimeDirectory=telemed" in lines:
        assert "RuntimeDirectoryMode=0750" in lines, "anybody on the machine could forge addresses"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("DEBUG", "yes", "telemed.E001"),
        ("SECRET_KEY", "development-only-secret-key-that-protects-nothing-at-all", "telemed.E003"),
        ("FIELD_KEYS", "", "telemed.E004"),
        ("DATABASE_URL", "sqlite:////tmp/telemed.sqlite3", "telemed.E005"),
        ("PUBLIC_URL", "http://telemed.example.org", "telemed.E006"),
        ("ALLOWED_HOSTS", "*", "telemed.E007"),
        ("TURN_SECRET", "short", "telemed.E009"),
        ("INDEX_KEY", "short", "telemed.E009"),
        ("SECOND_FACTOR_REQUIRED", "no", "telemed.E010"),
        ("METRICS_ADDRESS", "0.0.0.0:9101", "telemed.E011"),
        ("METRICS_ADDRESS", "[2a00::1]:9101", "telemed.E011"),
        ("METRICS_ADDRESS", "metrics:9101", "METRICS_ADDRESS='metrics:9101': expected an IP"),
        ("SMS_HTTP_URL", "", "messaging.E003"),
        ("SMS_HTTP_URL", "http://sms.example.org/send", "messaging.E005"),
        ("EMAIL_USE_TLS", "no", "messaging.E006"),
        ("AUDIT_KEY", "", "AUDIT_KEY is not set"),
        ("EMAIL_HOST", "", "EMAIL_HOST is not set"),
        ("MEDIA_PORT", "70000", "MEDIA_PORT=70000: expected 0 to 65535"),
    ],
)
def test_what_is_unsafe_is_refused_by_name(tmp_path, variable, value, told):
    done = check(tmp_path, **{variable: value})
    assert done.returncode != 0
    assert told in done.stderr


@pytest.mark.parametrize(
    "stated",
    [
        {"METRICS_ADDRESS": "127.0.0.1:9101"},
        {"METRICS_ADDRESS": "[fd00::7]:9101"},
        {"METRICS_ADDRESS": "8.8.8.8:9101", "METRICS_GUARDED": "yes"},
    ],
)
def test_figures_may_be_served_where_strangers_do_not_come(tmp_path, stated):
    assert check(tmp_path, **stated).returncode == 0


def test_the_clock_cannot_be_moved_in_production(tmp_path):
    """The variable is not even read there; E002 guards against a changed settings file."""
    assert check(tmp_path, CLOCK_OFFSET_FILE=str(tmp_path / "clock")).returncode == 0


def test_a_clock_that_can_be_moved_is_refused(settings, tmp_path):
    settings.PRODUCTION = True
    settings.CLOCK_OFFSET_FILE = tmp_path / "clock"
    assert "telemed.E002" in {found.id for found in checks.production_is_safe()}


@pytest.fixture
def zones(postgresql, django_db_blocker) -> Iterator[str]:
    """The alias of a connection to a real PostgreSQL, whatever the other tests run on."""
    url = postgresql.url("telemed")
    connections.settings["zones"] = connections.configure_settings(
        {"default": {}, "zones": database(url)}
    )["zones"]
    with django_db_blocker.unblock():
        yield "zones"
        connections["zones"].close()
    del connections.settings["zones"]


def test_old_zone_data_in_the_database_is_a_warning(zones, settings):
    """The truth is read from the database itself: machines differ in what they know."""
    settings.TIME_ZONE = "Africa/Casablanca"
    with connections[zones].cursor() as cursor:
        cursor.execute("SELECT timestamptz '2027-06-01 12:00Z' AT TIME ZONE 'Africa/Casablanca'")
        knows_of_2026 = cursor.fetchone()[0].hour == 12
    found = checks.zone_data_agrees([zones])
    assert bool(found) is not knows_of_2026
    assert all("apt-get install --only-upgrade tzdata" in (one.hint or "") for one in found)


def test_zone_data_that_agrees_is_no_warning(zones, settings):
    settings.TIME_ZONE = "Etc/UTC"
    assert checks.zone_data_agrees([zones]) == []
