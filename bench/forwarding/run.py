"""One server at one size: its start, the load, the window in which both are measured."""

from __future__ import annotations

import contextlib
import itertools
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.forwarding import cpu, generator, mmsg
from bench.forwarding.addresses import Addresses
from bench.forwarding.stage import Door, Server, Stage

PEOPLE_PER_PROCESS = 60
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Size:
    rooms: int
    people: int

    @property
    def persons(self) -> int:
        return self.rooms * self.people

    @property
    def shares(self) -> list[range]:
        """The rooms of each load process."""
        count = min(math.ceil(self.persons / PEOPLE_PER_PROCESS), self.rooms)
        borders = [self.rooms * part // count for part in range(count + 1)]
        return [range(*pair) for pair in itertools.pairwise(borders)]

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
    server: Server,
    place: Addresses,
    size: Size,
    settling: float,
    seconds: float,
    *,
    share: float | None = None,
) -> Figures:
    """Runs a server alone at a size; `share` holds it to a part of one core once all are in."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), place, size.shares, size.people)
        with (
            server(stage) as door,
            _load(door, stage, settling + seconds) as pipes,
            cpu.quota(door.pid, share) if share else contextlib.nullcontext(),
        ):
            start = time.time() + 0.1
            opens = start + settling
            for pipe in pipes:
                pipe.send((start, opens, opens + seconds))
            used, idle = _watch(door.pid, opens, seconds)
            results = [_receive(pipe) for pipe in pipes]
    return _figures(results, used, idle, seconds)


@contextlib.contextmanager
def _load(door: Door, stage: Stage, seconds: float) -> Iterator[list[Any]]:
    """Load processes that have entered and wait for the start."""
    context = multiprocessing.get_context("fork")
    pipes, processes = [], []
    try:
        for number, rooms in enumerate(stage.shares, 1):
            ours, theirs = context.Pipe()
            sock, address = mmsg.shared_socket(), stage.place.first(number)
            arguments = (door, sock, address, rooms, stage.people, seconds, theirs)
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
            process.kill()
            process.join()


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
        loss=1 - forwarded / expected if expected else 1.0,
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
