"""A worker process of its own: ``python -m tests.messaging.worker <message id>``."""

import os
import sys
from urllib.parse import urlsplit

from django.db.backends.base.base import BaseDatabaseWrapper


def environment(connection: BaseDatabaseWrapper, gateway_url: str) -> dict[str, str]:
    """The environment that puts a child process on the database of this test."""
    name = connection.settings_dict["NAME"]
    here = urlsplit(os.environ["DATABASE_URL"])
    url = f"{here.scheme}://{here.netloc}/{name}" + (f"?{here.query}" if here.query else "")
    return {
        **os.environ,
        "DATABASE_URL": url,
        "SMS_PROVIDER": "http",
        "SMS_HTTP_URL": gateway_url,
    }


def main(message_id: str) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")
    django.setup()

    from telemed.messaging import registry, tasks

    registry.register("killed", lambda references, language: registry.Content("", "مرحبا"))
    tasks.deliver(message_id)


if __name__ == "__main__":
    main(sys.argv[1])
