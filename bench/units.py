"""The processes of deploy/, each by the ExecStartPre and ExecStart of its unit, in the environment
of production.
"""

import contextlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from telemed.run.addresses import free_port
from telemed.run.certificate import tls_context
from tests import servers

DEPLOY = servers.ROOT / "deploy"
HOST = "telemed.example.org"
START_TIMEOUT = 90.0
PROCESSES = [
    ("telemed-web@.service", "1"),
    ("telemed-web@.service", "2"),
    ("telemed-media@.service", "1"),
    ("telemed-worker.service", ""),
    ("telemed-beat.service", ""),
]


class Wrong(Exception):
    """A part that does not start, with what it said."""


@dataclass
class Folder:
    """The places of an installation, below one folder."""

    root: Path

    def __post_init__(self) -> None:
        for name in ("run", "var", "tls", "nginx", "backups"):
            (self.root / name).mkdir(parents=True)
        tls_context(self.root / "tls", [HOST])
        for name in ("fullchain", "privkey"):
            shutil.copy(self.root / "tls" / "certificate.pem", self.root / "tls" / f"{name}.pem")

    def __truediv__(self, name: str) -> Path:
        return self.root / name


def production(folder: Folder, database: str) -> dict[str, str]:
    """The environment of deploy/telemed.env, filled in."""
    text = (DEPLOY / "telemed.env").read_text()
    text = re.sub(r"replace[\w-]*", lambda _: secrets.token_urlsafe(48), text)
    lines = (line.partition("=") for line in text.splitlines() if re.match(r"[A-Z_]+=", line))
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **{name: value.strip('"') for name, _, value in lines},
        "DATABASE_URL": database,
        "REDIS_URL": servers.redis.url,
        "VAR_DIR": str(folder / "var"),
        "MEDIA_ADVERTISED": "127.0.0.1",
    }


def manage(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=servers.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Wrong(f"manage.py {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


# The processes.


@dataclass
class Unit:
    """One service of deploy/systemd, started by its own lines."""

    name: str
    instance: str
    folder: Folder
    environment: dict[str, str]
    metrics: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")

    def __post_init__(self) -> None:
        self.lines = re.findall(r"(?m)^(\w+)=(.*)$", (DEPLOY / "systemd" / self.name).read_text())
        for words in self._of("Environment"):
            self.environment = self.environment | dict(w.split("=", 1) for w in words)
        if "METRICS_ADDRESS" in self.environment:
            self.environment["METRICS_ADDRESS"] = self.metrics

    def start(self) -> None:
        for words in self._of("ExecStartPre"):
            subprocess.run(words, cwd=servers.ROOT, env=self.environment, check=True)
        (words,) = self._of("ExecStart")
        self.log = self.folder / f"{self.name}{self.instance}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                words, cwd=servers.ROOT, env=self.environment, stdout=log, stderr=log
            )

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _of(self, name: str) -> list[list[str]]:
        found = []
        for key, value in self.lines:
            if key == name:
                here = value.replace("%i", self.instance)
                here = here.replace("/opt/telemed/.venv/bin/python", sys.executable)
                here = here.replace("/run/telemed/", f"{self.folder / 'run'}/")
                here = here.replace("/var/lib/telemed/", f"{self.folder / 'var'}/")
                found.append(shlex.split(here))
        return found


@contextlib.contextmanager
def processes(folder: Folder, environment: dict[str, str]) -> Iterator[list[Unit]]:
    units = [Unit(name, instance, folder, environment) for name, instance in PROCESSES]
    with contextlib.ExitStack() as stack:
        for unit in units:
            unit.start()
            stack.callback(unit.stop)
        yield units
