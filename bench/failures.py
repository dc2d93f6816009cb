"""A call whose server, network or socket fails: seconds until pictures move again on both sides.

    python -m bench.failures --json --runs 5
    python -m bench.failures --only kill --processes 2

The whole product and two Chromium as in bench/links.py, the person in the country behind links of
8000/4000 kbit/s and 60 ms. Nobody clicks. Failures: ``handover`` (the link goes, a second later
another one comes; counted from then), ``socket`` (the country's room socket is closed while media
flow; ``signal`` is the time until the room answers on a new one), ``restart`` (the media process
that carries the call is told to end, and does in order), ``kill`` (it is killed).

Again: from the failure until the end of the longest gap between shown pictures after it, 0 where
none was longer than 500 ms; a run counts its slower side. Where a media process's end is the end
of the run command, that is said, and the product is started anew for the next run. Needs root.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import signal
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright, sync_playwright

from bench.link import Field, NeedsRoot, Shape, field_behind
from bench.meeting import Pair, in_product, running_product
from tests import servers

LINK = Shape(8000, 4000, 0.060)
AWAY = 1.0  # seconds between two networks
PATIENCE = 75.0
STEADY = 3.0  # seconds of call before each failure
# The run command takes a process that dies younger than ten seconds for one that cannot live.
GROWN_UP = 12.0
FROZEN = 0.5


class Ended(Exception):
    """The run command has ended with its media process."""


@dataclass
class Call:
    field: Field
    product: servers.Product
    pair: Pair
    on_link: int = 0

    def media_process(self) -> int:
        """The process that carries the country's call, known by its socket's address."""
        address = str(self.pair.country.evaluate("watching.socketAddress()"))
        name = address.partition("/media/")[2].partition("/")[0]
        return next(pid for pid, one in media_processes(self.product) if one == name)


def media_processes(product: servers.Product) -> Iterator[tuple[int, str]]:
    """Process id and MEDIA_PROCESS of each media process under the run command."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent != product.process.pid:
                continue
            words = (folder / "environ").read_bytes().split(b"\0")
            names = [word[14:].decode() for word in words if word.startswith(b"MEDIA_PROCESS=")]
            if names:
                yield int(folder.name), names[0]


# Failures: each does its harm and returns the moment from which the time counts.


def kill(call: Call) -> float:
    pid = call.media_process()
    moment = time.time()
    os.kill(pid, signal.SIGKILL)
    return moment


def restart(call: Call) -> float:
    pid = call.media_process()
    moment = time.time()
    os.kill(pid, signal.SIGTERM)
    return moment


def handover(call: Call) -> float:
    call.field.plug(call.on_link, plugged=False)
    time.sleep(AWAY)
    call.on_link = 1 - call.on_link
    call.field.plug(call.on_link, plugged=True)
    return time.time()


def socket(call: Call) -> float:
    return float(call.pair.country.evaluate("watching.dropSocket()")) / 1000


FAILURES: dict[str, Callable[[Call], float]] = {
    "socket": socket,
    "handover": handover,
    "restart": restart,
    "kill": kill,
}
ENDS_PROCESS = {"restart", "kill"}


# Measuring.


def one_failure(call: Call, name: str) -> dict[str, float]:
    """Seconds until pictures again by side, and for ``signal``; infinite where none came."""
    sides = call.pair.sides
    for page in sides.values():
        wait_for_pictures(page, time.time())
    call.pair.country.wait_for_timeout((GROWN_UP if name in ENDS_PROCESS else STEADY) * 1000)
    before = time.time()
    moment = FAILURES[name](call)
    call.pair.country.wait_for_timeout(1000)
    limit = time.monotonic() + PATIENCE
    flowing = {
        side: wait_for_pictures(page, time.time(), limit - time.monotonic())
        for side, page in sides.items()
    }
    if call.product.process.poll() is not None:
        raise Ended
    taken = {
        side: again(page, before, moment) if flowing[side] else math.inf
        for side, page in sides.items()
    }
    if name == "socket":
        heard = call.pair.country.evaluate("at => watching.firstNews(at)", moment * 1000)
        taken["signal"] = heard / 1000 - moment if heard else math.inf
    return taken


def wait_for_pictures(page: Page, moment: float, patience: float = PATIENCE) -> bool:
    """Whether ten pictures were shown within a second, at some time after ``moment``."""
    begun = time.monotonic()
    while time.monotonic() - begun < max(1.0, patience):
        shown = page.evaluate("at => watching.since(at).frames.map(([at]) => at)", moment * 1000)
        if any(late - early < 1000 for early, late in zip(shown, shown[9:], strict=False)):
            return True
        page.wait_for_timeout(200)
    return False


def again(page: Page, before: float, moment: float) -> float:
    """Seconds from ``moment`` to the end of the longest gap since ``before``; 0 without one."""
    noted = page.evaluate("at => watching.since(at)", before * 1000)
    times = [before, *(at / 1000 for at, *_ in noted["frames"])]
    early, late = max(itertools.pairwise(times), key=lambda pair: pair[1] - pair[0])
    return max(0.0, late - moment) if late - early > FROZEN else 0.0


Results = dict[str, list[dict[str, float]]]


@dataclass(frozen=True)
class Place:
    driver: Playwright
    field: Field
    folder: Path


class Bench:
    """Runs every failure so many times, in as few products as live through them."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self.results: Results = {}
        self.ended: dict[str, int] = {}
        self._products = itertools.count(1)

    def measure(self, place: "Place", names: list[str], runs: int) -> None:
        due = [name for name in names for _ in range(runs)]
        self.results = {name: [] for name in names}
        self.ended = dict.fromkeys(names, 0)
        while due:
            with self._call(place) as call:
                self._live_through(call, due)

    def _live_through(self, call: Call, due: list[str]) -> None:
        while due:
            name = due.pop(0)
            try:
                taken = one_failure(call, name)
            except Ended:
                self.ended[name] += 1
                taken = {"country": math.inf, "town": math.inf}
                # It would end as often as it is tried.
                due[:] = [other for other in due if other != name]
            self.results[name].append(taken)
            print(f"{name:9}", *(f"{side} {_told(value)}" for side, value in taken.items()))
            sys.stdout.flush()
            if math.inf in taken.values():
                return

    @contextlib.contextmanager
    def _call(self, place: "Place") -> Iterator[Call]:
        field, folder = place.field, place.folder / str(next(self._products))
        environment = {"PROCESSES": str(self.processes)}
        for link in (0, 1):
            field.shape(LINK, link=link)
        field.plug(0, plugged=True)
        field.plug(1, plugged=False)
        with (
            running_product(field, folder, **environment) as product,
            in_product(place.driver, field, folder, product) as meeting,
            meeting() as pair,
        ):
            field.shape(LINK)
            pair.begin()
            yield Call(field, product, pair)


# Telling.


def summary(bench: Bench) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, runs in bench.results.items():
        if not runs:
            continue
        slower = [max(run["country"], run["town"]) for run in runs]
        found[name] = {
            "runs": len(runs),
            "median_s": _plain(statistics.median(slower)),
            "p95_s": _plain(percentile(slower, 95)),
            "never": sum(math.isinf(each) for each in slower),
            "product_ended": bench.ended[name],
        }
        signals = [run["signal"] for run in runs if "signal" in run]
        if signals:
            found[name]["signal_median_s"] = _plain(statistics.median(signals))
            found[name]["signal_p95_s"] = _plain(percentile(signals, 95))
    return found


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` percent of them do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share / 100 * len(values)) - 1)]


def _plain(seconds: float) -> float | None:
    return None if math.isinf(seconds) else round(seconds, 2)


def _told(seconds: float | None) -> str:
    return "never" if seconds is None or math.isinf(seconds) else f"{seconds:.2f} s"


def table(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield f"{'failure':9} {'runs':>4} {'median':>8} {'p95':>8}"
    for name, one in found.items():
        line = f"{name:9} {one['runs']:4} {_told(one['median_s']):>8} {_told(one['p95_s']):>8}"
        if "signal_median_s" in one:
            line += f"   room answers again after {_told(one['signal_median_s'])}"
        if one["product_ended"]:
            line += "   the run command ended with its media process"
        yield line
    yield "goals: handover 1.5 s; kill 5 s at p95"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.failures")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default=",".join(FAILURES), help="some of them, by commas")
    parser.add_argument("--processes", type=int, default=1, help="media processes")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := [name for name in names if name not in FAILURES]:
        parser.error(f"no such failure: {', '.join(unknown)}; there are {', '.join(FAILURES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench, code = Bench(options.processes), 0
    try:
        with (
            tempfile.TemporaryDirectory(prefix="telemed-failures-") as folder,
            field_behind(links=2) as field,
            sync_playwright() as driver,
        ):
            bench.measure(Place(driver, field, Path(folder)), names, options.runs)
    except NeedsRoot as error:
        print(error)
        return 2
    except KeyboardInterrupt:
        code = 130
    except Exception:  # noqa: BLE001 - what was measured until then is told
        traceback.print_exc()
        code = 1
    found = summary(bench)
    print(*table(found), sep="\n")
    if options.json:
        print(json.dumps(found))
    return code


if __name__ == "__main__":
    sys.exit(main())
