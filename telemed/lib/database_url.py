"""DATABASE_URL to Django's DATABASES entry."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# libpq's own are minutes to hours: behind a link that swallows everything, a media process's heart
# would hang on a connection that is dead, while a new one would answer.
PATIENCE = {
    "connect_timeout": "3",  # seconds, as the keepalives
    "tcp_user_timeout": "3000",  # milliseconds: sent, and not acknowledged
    "keepalives_idle": "3",
    "keepalives_interval": "1",
    "keepalives_count": "3",
}


def database(url: str) -> dict[str, Any]:
    """``sqlite:///path`` or ``postgresql://user:password@host:port/name?option=…``.

    SQLite runs in WAL with IMMEDIATE transactions: a deferred one that reads and then writes
    fails with SQLITE_BUSY at once when another writer came between, whatever the timeout.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path)[1:] or ":memory:",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    if parts.scheme in {"postgresql", "postgres"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path)[1:],
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            # Under ASGI each request has a thread of its own: a connection kept for the thread
            # is never used again, and 50 people at once used up the server's 100.
            "CONN_MAX_AGE": 0,
            "OPTIONS": PATIENCE | dict(parse_qsl(parts.query)),
        }
    raise ImproperlyConfigured("DATABASE_URL: expected sqlite:///… or postgresql://…")
