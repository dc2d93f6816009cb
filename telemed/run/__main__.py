"""``python -m telemed.run``: prepares and starts everything, and ends it with Ctrl-C.

Environment, besides that of docs/configuration.md: ``PORT`` (8000; 0 takes a free one) and
``PROCESSES`` (media processes, 1).
"""

import asyncio
import contextlib
import errno
import io
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import segno

from telemed.lib.env import Env
from telemed.run import lock, prepare, redis
from telemed.run.addresses import free_port, listen, network_addresses
from telemed.run.certificate import tls_context
from telemed.run.children import Children, Died
from telemed.run.front import Front

START_TIMEOUT = 60.0  # seconds until every process has to be ready
LAST_LINES = 15


@dataclass(frozen=True)
class Plan:
    """What this run is to be, read once from the environment."""

    port: int
    processes: int
    var: Path
    metrics: tuple[str, int] | None

    @classmethod
    def from_environment(cls) -> "Plan":
        env = Env()
        return cls(
            port=env.integer("PORT", 8000, at_most=65535),
            processes=env.integer("PROCESSES", 1, at_least=1, at_most=16),
            var=env.path("VAR_DIR", Path(__file__).resolve().parents[2] / "var"),
            metrics=env.address("METRICS_ADDRESS"),
        )

    @property
    def media_names(self) -> list[str]:
        return [f"m{number}" for number in range(1, self.processes + 1)]

    def metrics_address(self, name: str) -> str:
        """That of the first media process as it was given, and a port further for each next."""
        if self.metrics is None:
            return ""
        host, port = self.metrics
        written = f"[{host}]" if ":" in host else host
        return f"{written}:{port + self.media_names.index(name) if port else 0}"


def main() -> int:
    plan = Plan.from_environment()
    try:
        sockets = listen(plan.port)
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        why = "is taken" if error.errno == errno.EADDRINUSE else "needs the rights of root"
        _say(f"Port {plan.port} {why}. Choose another one:  make run PORT={plan.port + 80}")
        return 1
    port = sockets[0].getsockname()[1]
    try:
        with lock.held(plan.var, f"http://localhost:{port}"):
            asyncio.run(_run(plan, sockets))
    except lock.Running as other:
        _say(
            f"Telemed runs already with the data in {plan.var}:  {other}",
            "Stop it first, or give this one data of its own:"
            f"  make run PORT={port} VAR_DIR={plan.var}-2",
        )
        return 1
    except Died as death:
        _say(f"\n{death}", *_tail(death.log))
        return 1
    except asyncio.CancelledError:
        pass
    _say("Stopped.")
    return 0


async def _run(plan: Plan, sockets: list[socket.socket]) -> None:
    _cancel_on_signals()
    port = sockets[0].getsockname()[1]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")
    os.environ.setdefault("PUBLIC_URL", f"http://localhost:{port}")
    with tempfile.TemporaryDirectory(prefix="telemed-") as folder:
        # A path of its own: a Unix socket's name may have 107 bytes, a checkout's more.
        web = Path(folder, "web.sock")
        media = {name: Path(folder, f"media-{name}.sock") for name in plan.media_names}
        async with _children(plan) as children:
            people = await _prepare()
            with _step("Processes started"):
                await _start(children, plan, web, media)
                await _until_ready(children, web)
            names = ["localhost", socket.gethostname(), "127.0.0.1", "::1", *network_addresses()]
            front = Front(web, media, tls_context(plan.var, names))
            async with front.serving(sockets):
                _announce(port, people)
                await children.watch(lambda name: _say(f"{name} had ended; it was started again."))


@contextlib.asynccontextmanager
async def _children(plan: Plan) -> AsyncIterator[Children]:
    """The children, the Redis-protocol server first when none is configured."""
    redis_port = None
    if not os.environ.get("REDIS_URL"):
        redis_port = free_port()
        os.environ["REDIS_URL"] = f"redis://127.0.0.1:{redis_port}/0"
    children = Children(os.environ, plan.var / "log")
    try:
        if redis_port is not None:
            await children.start("redis", redis.command(redis_port))
        yield children
    finally:
        _say("\nStopping …")
        await children.stop()


async def _prepare() -> str:
    steps = (
        ("Texts compiled", prepare.setup),
        ("Tables up to date", prepare.migrate),
        ("Styles and scripts collected", prepare.collect_static),
    )
    for title, step in steps:
        with _step(title):
            await asyncio.to_thread(step)
    with _step("Demo people and appointments ready"):
        return await asyncio.to_thread(prepare.seed)


async def _start(children: Children, plan: Plan, web: Path, media: dict[str, Path]) -> None:
    serve = [sys.executable, "-m", "telemed.run.serve"]
    celery = [sys.executable, "-m", "celery", "--app", "telemed"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    schedule = children.logs.parent / "beat-schedule"
    await children.start("web", [*serve, "web", "--socket", str(web)])
    for name, path in media.items():
        await children.start(
            f"media-{name}",
            [*serve, "media", "--socket", str(path)],
            MEDIA_PROCESS=name,
            METRICS_ADDRESS=plan.metrics_address(name),
        )
    await children.start("worker", [*celery, "worker", "--concurrency", "2", *quiet])
    await children.start("beat", [*celery, "beat", "--schedule", str(schedule), "--pidfile="])


async def _until_ready(children: Children, web: Path) -> None:
    watching = asyncio.create_task(children.watch(lambda name: None))
    ready = asyncio.create_task(_ready(web))
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await asyncio.wait({watching, ready}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            await watching
    finally:
        watching.cancel()
        ready.cancel()
        await asyncio.gather(watching, ready, return_exceptions=True)


async def _ready(web: Path) -> None:
    """Returns when ``/readyz`` says that database, Redis, worker and media all answer."""
    transport = httpx.AsyncHTTPTransport(uds=str(web))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)


def _cancel_on_signals() -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel if task else lambda: None)


@contextlib.contextmanager
def _step(title: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    _say(f"  ✓ {title} ({time.monotonic() - begun:.1f} s)")


def _announce(port: int, people: str) -> None:
    network = [f"https://{address}:{port}" for address in network_addresses()]
    _say("", "Telemed is running. On this machine:", f"  http://localhost:{port}")
    if network:
        _say("On a phone in the same network (accept the certificate once):")
        _say(*(f"  {address}" for address in network))
        drawing = io.StringIO()
        segno.make(network[0], error="l").terminal(drawing, compact=True)
        _say(drawing.getvalue())
    _say(people, "", "Ctrl-C stops everything; what was entered is kept.")


def _tail(log: Path) -> list[str]:
    return [f"  {line}" for line in log.read_text(errors="replace").splitlines()[-LAST_LINES:]]


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
