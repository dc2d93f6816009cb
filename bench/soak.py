"""A long call, and people who come and go beside it: whether the media server stays as it was.

    python -m bench.soak --minutes 60 --json

The media server runs in a process of its own, with the event loop and the garbage collection of
production; two peers of tests/sfu/peer.py (real STUN, DTLS and SRTP) are in a call all the time,
and ``--joins`` others a second come and go: a third leave, a third are killed in the call, a third
in mid-handshake. Every two seconds the server tells its memory, descriptors, asyncio tasks and loop
lag.

Flat: after a warm-up, the medians of the first and last third of the run differ by at most 5 % and
at most by a little noise of the counters (see ``SLACK``). Nothing left: once all have gone and have
been forgotten, descriptors, tasks, rooms and addresses are those of the start.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from typing import Any

import uvloop

from consultations.sfu import MediaConfig, MediaServer
from consultations.sfu.collecting import keep_collections_short
from tests.sfu.peer import PacketPeer
from tests.sfu.test_leaks import come_and_go, maps, resident_bytes

SAMPLE_SECONDS = 2.0
# Seconds until everything that is kept for a while has been filled: a quarter of the run, within:
WARM_UP = (45.0, 120.0)
FORGOTTEN_SECONDS = 45.0  # peers that fell silent are reaped after 30
FLAT = 0.05
# Counts go up and down with whoever is there at the moment of a sample.
SLACK = {"memory_mb": 0.0, "descriptors": 2.0, "tasks": 4.0}

Sample = dict[str, Any]


# The server's process.


async def serve(path: str) -> None:
    """Answers each line of JSON on the Unix socket ``path`` with one, until it is closed."""
    server = await MediaServer.start(MediaConfig(bind=("127.0.0.1",)), lambda event: None)
    keep_collections_short()
    lags = asyncio.create_task(_note_lags(server))
    gone = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = json.loads(line)
            if words is None:
                told: Any = _sample(server)
            else:
                told = await server.join(*words, send=True, receive=True)
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
        writer.close()
        gone.set()

    listener = await asyncio.start_unix_server(answer, path)
    print("ready", flush=True)
    await gone.wait()
    listener.close()
    lags.cancel()
    await server.close()


_lags: list[float] = []


async def _note_lags(server: MediaServer) -> None:
    """How late a timer of 20 ms fires, in seconds."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.02
        await asyncio.sleep(0.02)
        _lags.append(loop.time() - due)


def _sample(server: MediaServer) -> dict[str, Any]:
    lags = [round(lag * 1000, 2) for lag in _lags]
    _lags.clear()
    return {
        "memory_mb": resident_bytes() / 1e6,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "tasks": len(asyncio.all_tasks()),
        "lags_ms": lags,
        "people": server.statistics().peers,
        "kept": dict(maps(server)),
    }


# Who measures.


class Remote:
    """What PacketPeer asks of a media server, answered by the other process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    async def join(self, room: str, peer: str, offer: str, **_: bool) -> str:
        return str(await self._ask([room, peer, offer]))

    async def sample(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._ask(None)
        return found

    async def _ask(self, words: Any) -> Any:
        async with self._turn:
            self._writer.write(json.dumps(words).encode() + b"\n")
            return json.loads(await self._reader.readline())


@contextlib.asynccontextmanager
async def server_process() -> AsyncIterator[Remote]:
    with tempfile.TemporaryDirectory(prefix="telemed-soak-") as folder:
        path = f"{folder}/socket"
        command = [sys.executable, "-m", "bench.soak", "--serve", path]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            await asyncio.wait_for(process.stdout.readline(), 20)
            reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
            yield Remote(reader, writer)
            writer.close()
            await asyncio.wait_for(process.wait(), 10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def soak(minutes: float, joins: float) -> dict[str, Any]:
    async with server_process() as server:
        start = await server.sample()
        pair = [PacketPeer(server, "long", name, slots=(1, 1)) for name in ("one", "two")]
        for peer in pair:
            await peer.enter()
            peer.play()
        samples: list[Sample] = []
        guests = asyncio.create_task(_guests(server, joins))
        begun = time.monotonic()
        while time.monotonic() - begun < minutes * 60:
            await asyncio.sleep(SAMPLE_SECONDS)
            sample = await server.sample()
            samples.append({**sample, "at": time.monotonic() - begun})
            if len(samples) % 15 == 0:
                print(_line(samples[-1]), flush=True)
            if guests.done():
                await guests
        received = [sum(peer.received.values()) for peer in pair]
        guests.cancel()
        came = await _result(guests)
        for peer in pair:
            await peer.leave()
        end = await _forgotten(server, start)
    return {**verdict(samples), "joins": came, "received": received, **_left(start, end)}


async def _guests(server: Remote, joins: float) -> int:
    """Comes and goes until cancelled; how many came."""
    loop, number, due = asyncio.get_running_loop(), 0, asyncio.get_running_loop().time()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await come_and_go(server, number)  # type: ignore[arg-type]
            number += 1
            due += 1 / joins
            await asyncio.sleep(max(0.0, due - loop.time()))
    return number


async def _result(task: asyncio.Task[int]) -> int:
    return await task


async def _forgotten(server: Remote, start: dict[str, Any]) -> dict[str, Any]:
    limit = time.monotonic() + FORGOTTEN_SECONDS
    while True:
        sample = await server.sample()
        if not any(_left(start, sample)["left_behind"].values()) or time.monotonic() > limit:
            return sample
        await asyncio.sleep(1)


def _left(start: dict[str, Any], end: dict[str, Any]) -> dict[str, Any]:
    left = {key: end[key] - start[key] for key in ("descriptors", "tasks", "people")}
    kept = {key: end["kept"][key] - start["kept"].get(key, 0) for key in end["kept"]}
    return {"left_behind": {**left, **kept}}


def verdict(samples: list[Sample]) -> dict[str, Any]:
    """Medians of the first and last third after the warm-up, and whether they are flat."""
    ends = samples[-1]["at"]
    warm_up = min(max(ends / 4, WARM_UP[0]), WARM_UP[1])
    warm = [each for each in samples if each["at"] > warm_up]
    third = max(1, len(warm) // 3)
    found: dict[str, Any] = {"flat": True}
    for key, slack in SLACK.items():
        first = statistics.median(each[key] for each in warm[:third])
        last = statistics.median(each[key] for each in warm[-third:])
        change = (last - first) / first
        flat = change <= FLAT or last - first <= slack
        found[key] = {"first": round(first, 1), "last": round(last, 1)}
        found[key] |= {"change_percent": round(100 * change, 2), "flat": flat}
        found["flat"] = found["flat"] and flat
    lags = sorted(lag for each in warm for lag in each["lags_ms"]) or [0.0]
    found["lag_ms_p50"], found["lag_ms_worst"] = lags[len(lags) // 2], lags[-1]
    found["lag_ms_p99"] = lags[int(len(lags) * 0.99)]
    return found


def _line(sample: Sample) -> str:
    return (
        f"{sample['at']:6.0f} s  {sample['memory_mb']:7.1f} MB  {sample['descriptors']:4.0f} fd"
        f"  {sample['tasks']:4.0f} tasks  {sample['people']:3.0f} people"
        f"  longest lag {max(sample['lags_ms'], default=0):.1f} ms"
    )


def table(found: dict[str, Any]) -> list[str]:
    lines = [f"{'':12} {'first third':>11} {'last third':>11} {'change':>8}"]
    for key in SLACK:
        one = found[key]
        mark = "" if one["flat"] else "   not flat"
        lines.append(
            f"{key:12} {one['first']:11.1f} {one['last']:11.1f} {one['change_percent']:7.2f}%{mark}"
        )
    left = {key: count for key, count in found["left_behind"].items() if count}
    return [
        *lines,
        f"loop lag: p50 {found['lag_ms_p50']} ms, p99 {found['lag_ms_p99']} ms,"
        f" worst {found['lag_ms_worst']} ms",
        f"{found['joins']} came and went; left behind: {left or 'nothing'}",
        f"the long call received {' and '.join(map(str, found['received']))} packets",
        "flat" if found["flat"] and not left else "NOT FLAT",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--joins", type=float, default=1.0, help="people who come a second")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.minutes < 1:
        parser.error("a soak takes a minute at least")
    if options.serve:
        uvloop.run(serve(options.serve))
        return 0
    found = asyncio.run(soak(options.minutes, options.joins))
    print(*table(found), sep="\n")
    if options.json:
        print(json.dumps(found))
    left = any(found["left_behind"].values())
    return 0 if found["flat"] and not left else 1


if __name__ == "__main__":
    sys.exit(main())
