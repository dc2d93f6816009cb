"""What stands between a checkout and a running Telemed: texts, files, tables, people.

Each step does nothing when there is nothing to do, so that a second start takes seconds. As a
program (``python -m telemed.run.prepare``) it makes the texts and files of an installation.
"""

import hashlib
import io
import os
from pathlib import Path

import django
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections


def setup() -> None:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    for folder in settings.LOCALE_PATHS:
        compile_messages(Path(folder))
    django.setup()


def compile_messages(folder: Path) -> None:
    """Each ``.po`` under ``folder`` to its ``.mo``, without the gettext tools."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalog = read_po(text, locale=source.parts[-3])
        fresh = target.with_suffix(".new")
        with fresh.open("wb") as binary:
            write_mo(binary, catalog)
        fresh.replace(target)


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()


def collect_static() -> None:
    """Hashed and compressed copies in STATIC_ROOT, made again when a source has changed."""
    stamp = Path(settings.STATIC_ROOT) / ".sources"
    digest = _static_sources()
    if stamp.exists() and stamp.read_text() == digest:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest)


def seed() -> str:
    """Makes the demo people and their appointments; what to sign in with, one line a person."""
    output = io.StringIO()
    call_command("demo", stdout=output)
    connections.close_all()
    return output.getvalue().strip()


def _static_sources() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name} {stat.st_mtime_ns} {stat.st_size}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")
    setup()
    collect_static()
