"""One server at one size: its start, the load, the window in which both are measured."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bench.forwarding import cpu, generator, mmsg
from bench.forwarding.addresses import Addresses
from bench.forwarding.legs import Person, Wire

PEOPLE_PER_PROCESS = 60
WARM_UP = 3.0
READY_SECONDS = 60.0


class Door(Protocol):
    """How the load gets into a running server's rooms."""

    name: str
    pid: int

    async def enter(self, wire: Wire, people: list[Person]) -> None: ...


Server = Callable[[Path, str], contextlib.AbstractContextManager[Door]]


@dataclass(frozen=True)
class Size:
    rooms: int
    people: int

    @property
    def persons(self) -> int:
        return self.rooms * self.people

    def __str__(self) -> str:
        return f"{self.rooms} × {self.people}"


@dataclass(frozen=True)
class Figures:
    """Delays in milliseconds, CPU as parts of a core; `idle` counts all cores of the machine."""

    us_per_packet: float
    packets_per_second: float
    loss: float
    delay_p50: float
    delay_p99: float
    server_cpu: float
    load_cpu: list[float]
    late_p99: float
    idle: float
    checked: int
    damaged: int
    nacked: int
    key_frames: int
    extra: int
    cipher: str

    @property
    def warnings(self) -> list[str]:
        told = []
        if max(self.load_cpu) > 0.85:
            told.append("a load process has no CPU to spare: figures are not to be trusted")
        elif self.late_p99 > 5:
            told.append(f"the load is late by {self.late_p99:.1f} ms at p99: the machine is full")
        if self.damaged:
            told.append(f"{self.damaged} packets came back damaged")
        return told


def measure(
    server: Server, place: Addresses, size: Size, seconds: float, *, share: float | None = None
) -> Figures:
    """Runs a server alone at a size; `share` holds it to a part of one core once all are in."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), place.server) as door:
        with _load(door, place, size, WARM_UP + seconds) as pipes:
            held = cpu.quota(door.pid, share) if share else contextlib.nullcontext()
            with held:
                start = time.time() + 0.1
                opens = start + WARM_UP
                for pipe in pipes:
                    pipe.send((start, opens, opens + seconds))
                used, idle = _watch(door.pid, opens, seconds)
                results = [_receive(pipe) for pipe in pipes]
    return _figures(results, used, idle, seconds)


@contextlib.contextmanager
def _load(door: Door, place: Addresses, size: Size, seconds: float) -> Iterator[list[Any]]:
    """Load processes that have entered and wait for the start."""
    context = multiprocessing.get_context("fork")
    count = math.ceil(size.persons / PEOPLE_PER_PROCESS)
    borders = np.linspace(0, size.rooms, min(count, size.rooms) + 1).astype(int).tolist()
    pipes, processes = [], []
    try:
        for number, (first, last) in enumerate(zip(borders, borders[1:], strict=False), 1):
            ours, theirs = context.Pipe()
            sock = mmsg.shared_socket()
            arguments = (
                door,
                sock,
                place.first(number),
                range(first, last),
                size.people,
                seconds,
                theirs,
            )
            process = context.Process(target=generator.generate, args=arguments, daemon=True)
            process.start()
            sock.close()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        for pipe in pipes:
            _receive(pipe)
        yield pipes
    finally:
        for process in processes:
            process.join(timeout=2)
            process.kill()


def _receive(pipe: Any) -> Any:
    if not pipe.poll(READY_SECONDS):
        raise TimeoutError("a load process says nothing")
    told = pipe.recv()
    if isinstance(told, BaseException):
        raise told
    return told


def _watch(pid: int, opens: float, seconds: float) -> tuple[float, float]:
    """CPU seconds of the server and idle parts of a core in the window."""
    time.sleep(max(0.0, opens - time.time()))
    used, idle, begun = cpu.cpu_seconds(pid), cpu.idle_seconds(), time.monotonic()
    time.sleep(max(0.0, opens + seconds - time.time()))
    span = time.monotonic() - begun
    return cpu.cpu_seconds(pid) - used, (cpu.idle_seconds() - idle) / span


def _figures(results: list[generator.Result], used: float, idle: float, seconds: float) -> Figures:
    forwarded = sum(result.forwarded for result in results)
    expected = sum(result.expected for result in results)
    delays = np.concatenate([result.delays for result in results]) * 1000
    p50, p99 = np.percentile(delays, [50, 99]) if len(delays) else (math.nan, math.nan)
    return Figures(
        us_per_packet=used / forwarded * 1e6 if forwarded else math.inf,
        packets_per_second=forwarded / seconds,
        loss=1 - forwarded / expected,
        delay_p50=float(p50),
        delay_p99=float(p99),
        server_cpu=used / seconds,
        load_cpu=[result.cpu for result in results],
        late_p99=max(result.late for result in results) * 1000,
        idle=idle / (os.cpu_count() or 1),
        checked=sum(result.checked for result in results),
        damaged=sum(result.damaged for result in results),
        nacked=sum(result.nacked for result in results),
        key_frames=sum(result.key_frames for result in results),
        extra=sum(result.extra for result in results),
        cipher=results[0].cipher,
    )
