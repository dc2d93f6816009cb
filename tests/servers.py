"""The servers that tests run against, each on a free port or socket of its own, ended with them.

``redis`` and ``postgresql`` have an address from the import on and run from ``start`` to
``stop``; ``Product`` is the whole of Telemed under its own run command. What a server needs and
the machine lacks is an error that says what to install, never a skip.
"""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg

from telemed.run.addresses import free_port

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 90.0

# Readable for the user that PostgreSQL runs as: it refuses to run as root.
folder = Path(tempfile.mkdtemp(prefix="telemed-tests-"))
folder.chmod(0o755)


atexit.register(shutil.rmtree, folder, ignore_errors=True)


def on_postgresql() -> bool:
    return os.environ.get("TEST_DATABASE", "sqlite") == "postgresql"


class Missing(RuntimeError):
    """The machine lacks something that the tests need."""

    def __init__(self, package: str) -> None:
        super().__init__(f"Missing on this machine: {package}. Type:  make test")


class Redis:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        server = shutil.which("redis-server")
        if server is None:
            raise Missing("redis-server")
        command = [server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [*command, "--dir", str(folder)], stdout=subprocess.DEVNULL
        )
        _until(lambda: _answers(self.port), "redis-server")

    def stop(self) -> None:
        _end(self._process)


class PostgreSQL:
    """A cluster of its own in a temporary folder, reached by a Unix socket there."""

    def __init__(self) -> None:
        self.home = folder / "postgresql"

    def url(self, database: str) -> str:
        return f"postgresql://telemed@/{database}?host={quote(str(self.home), safe='')}"

    def start(self) -> None:
        programs = _postgresql_programs()
        self.home.mkdir(mode=0o700)
        as_user: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self.home, *_unprivileged())
            user, group = _unprivileged()
            as_user = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--"]
        data = str(self.home / "data")
        initdb = [*as_user, str(programs / "initdb"), "--pgdata", data, "--username", "telemed"]
        options = ["--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        subprocess.run([*initdb, *options], check=True, stdout=subprocess.DEVNULL, cwd="/")
        quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        server = [*as_user, str(programs / "postgres"), "-D", data, "-k", str(self.home), "-h", ""]
        with (folder / "postgresql.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*server, *(word for name in quick for word in ("-c", name))],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        _until(self._accepts, "postgres")
        self.create("telemed")

    def create(self, database: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')

    def stop(self) -> None:
        # SIGINT is PostgreSQL's "fast shutdown": it does not wait for clients.
        _end(self._process, signal.SIGINT)

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True


redis = Redis()
postgresql = PostgreSQL()


class Product:
    """Telemed as ``make run`` starts it: every process, on a free port, with the demo people."""

    def __init__(self, home: Path, database_url: str = "", **environment: str) -> None:
        self.var = home
        self.metrics_url = f"http://127.0.0.1:{free_port()}/metrics"
        self.clock_file = home / "clock-offset"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
            "TELEMED_MODE": "development",
            "DJANGO_SETTINGS_MODULE": "telemed.settings",
            "VAR_DIR": str(home),
            "DATABASE_URL": database_url or f"sqlite:///{home}/telemed.sqlite3",
            "PORT": "0",
            "METRICS_ADDRESS": urlsplit(self.metrics_url).netloc,
            **environment,
        }

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "telemed.run"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told = "".join(self._lines_until("Ctrl-C stops"))
        self.port = int(re.findall(r"http://localhost:(\d+)", self.told)[0])
        self.url = f"http://localhost:{self.port}"

    def manage(self, *arguments: str) -> str:
        """Runs ``manage.py`` on this product's data; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def log(self, name: str) -> str:
        """What the process ``name`` (web, media-m1, worker, beat, redis) wrote."""
        return (self.var / "log" / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        _end(self.process)

    def _lines_until(self, words: str) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line
            if line.startswith(words):
                return
        raise RuntimeError(f"The product did not start; its logs are in {self.var / 'log'}")


def chromium() -> str | None:
    """The one on the PATH; None leaves it to Playwright's own download."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def running(server: Redis | PostgreSQL | Product) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()


def _postgresql_programs() -> Path:
    initdb = shutil.which("initdb")
    if initdb is not None:
        return Path(initdb).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        raise Missing("postgresql")
    return newest.parent


def _unprivileged() -> tuple[str, str]:
    """User and group to run as when root starts the tests."""
    import grp
    import pwd

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready: Callable[[], bool], name: str) -> None:
    limit = time.monotonic() + START_TIMEOUT
    while not ready():
        if time.monotonic() > limit:
            raise RuntimeError(f"{name} does not answer; its log is in {folder}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes], number: int = 15) -> None:
    process.send_signal(number)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
