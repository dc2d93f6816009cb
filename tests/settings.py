"""The environment of the tests, then the one settings file.

``TEST_DATABASE=postgresql`` runs them on PostgreSQL. Nothing is started here: the servers behind
these addresses are the session fixtures of conftest.py.
"""

import os

from telemed.run.prepare import compile_messages
from tests import servers

os.environ["TELEMED_MODE"] = "test"
# Child processes of a test: this environment is all that they need.
os.environ["DJANGO_SETTINGS_MODULE"] = "telemed.settings"
os.environ["REDIS_URL"] = servers.redis.url
if servers.on_postgresql():
    os.environ["DATABASE_URL"] = servers.postgresql.url("telemed")
else:
    os.environ["DATABASE_URL"] = f"sqlite:///{servers.folder}/telemed.sqlite3"
os.environ["VAR_DIR"] = str(servers.folder)
compile_messages(servers.ROOT / "locale")

from telemed.settings import *  # noqa: E402, F403

# Django would take a database in memory, which knows neither WAL nor a second connection's lock.
DATABASES["default"]["TEST"] = {  # noqa: F405
    "NAME": None if servers.on_postgresql() else servers.folder / "test.sqlite3"
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
