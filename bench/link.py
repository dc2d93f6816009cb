"""A thin link in user space before a network namespace: rate, delay, loss, outages, finite queues.

Two TUN devices, one here and one in the namespace, and between them this module as a process of
its own with a real-time priority, so that a browser at work does not delay it. Whoever ends it,
or ends without ending it, leaves neither namespace nor device behind: the process goes when its
standard input does, and takes them with it.
"""

import contextlib
import ctypes
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tests.sfu.relay import Link

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
CLONE_NEWNET = 0x40000000
QUEUE_SECONDS, SMALLEST_QUEUE = 0.5, 12_000
START_TIMEOUT = 20.0


class NeedsRoot(RuntimeError):
    def __init__(self) -> None:
        super().__init__(
            "This needs root: it makes a network namespace and TUN devices. Type it with sudo."
        )


@dataclass(frozen=True)
class Shape:
    """A link as the person behind it has it.

    Rates in kbit/s (0: no limit), the round trip in seconds, loss as a share; ``burst`` is how
    many packets in a row are lost on average. A queue holds half a second at its rate, at least
    eight full packets. Without ``udp`` it drops every UDP packet both ways.
    """

    down: float = 0
    up: float = 0
    round_trip: float = 0.0
    loss: float = 0.0
    burst: float = 1.0
    works: bool = True
    udp: bool = True


OPEN = Shape()
Steps = Sequence[tuple[float, Shape]]


@dataclass
class Loss:
    """Gilbert's model: a good state that loses nothing and a bad one that loses everything."""

    share: float = 0.0
    burst: float = 1.0
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    _bad: bool = False

    def draw(self) -> bool:
        leaves = 1 / self.burst
        enters = min(1.0, self.share * leaves / max(1e-9, 1 - self.share))
        if self.burst <= 1:
            return self.chance.random() < self.share
        self._bad = self.chance.random() >= leaves if self._bad else self.chance.random() < enters
        return self._bad


@dataclass
class Direction:
    """One way of a link: a queue before a rate, then the loss, then the delay."""

    link: Link = field(default_factory=Link)
    loss: Loss = field(default_factory=Loss)
    lost: int = 0
    udp: bool = True

    def take(self, shape: Shape, kbits: float) -> None:
        self.link.rate = kbits * 1000
        self.link.delay = shape.round_trip / 2
        self.link.up = shape.works
        self.link.queue_bytes = max(SMALLEST_QUEUE, int(kbits * 125 * QUEUE_SECONDS))
        self.loss.share, self.loss.burst = shape.loss, shape.burst
        self.udp = shape.udp

    def refuses(self, packet: bytes) -> bool:
        """Whether a firewall stands here that this IP packet does not pass."""
        return not self.udp and packet[9 if packet[0] >> 4 == 4 else 6] == socket.IPPROTO_UDP

    def delivery(self, size: int, now: float) -> float | None:
        """When a packet that enters now comes out; None when it never does."""
        at = self.link.delivery(size, now)
        if at is not None and self.loss.draw():
            self.lost += 1
            return None
        return at


class Pipe:
    """The two TUN devices of one link and what is under way between them."""

    def __init__(self, here: int, there: int) -> None:
        self.outlet = {here: there, there: here}
        self.ways = {here: Direction(), there: Direction(loss=Loss(chance=random.Random(12)))}
        self.here, self.there = here, there
        self.steps: list[tuple[float, Shape]] = []

    def plan(self, steps: Steps, now: float) -> None:
        self.steps = sorted((now + after, shape) for after, shape in steps)

    def keep_to_plan(self, now: float) -> None:
        while self.steps and self.steps[0][0] <= now:
            _, shape = self.steps.pop(0)
            self.ways[self.here].take(shape, shape.down)
            self.ways[self.there].take(shape, shape.up)


def carry(pipes: list[Pipe]) -> None:
    """Moves packets until standard input ends; each line there is ``[pipe, steps]``."""
    under_way: list[tuple[float, int, int, bytes]] = []
    number = itertools.count()
    owner = {fd: pipe for pipe in pipes for fd in pipe.outlet}
    while True:
        dues = [under_way[0][0]] if under_way else []
        dues += [pipe.steps[0][0] for pipe in pipes if pipe.steps]
        wait = max(0.0, min(dues) - time.monotonic()) if dues else None
        ready, _, _ = select.select([0, *owner], [], [], wait)
        now = time.monotonic()
        if 0 in ready and not _heed(pipes, now):
            return
        for pipe in pipes:
            pipe.keep_to_plan(now)
        for fd in owner.keys() & ready:
            pipe = owner[fd]
            for packet in _packets(fd):
                if pipe.ways[fd].refuses(packet):
                    continue
                at = pipe.ways[fd].delivery(len(packet), now)
                if at is not None:
                    heapq.heappush(under_way, (at, next(number), pipe.outlet[fd], packet))
        while under_way and under_way[0][0] <= now:
            _, _, outlet, packet = heapq.heappop(under_way)
            with contextlib.suppress(OSError):  # the device is down
                os.write(outlet, packet)


def _heed(pipes: list[Pipe], now: float) -> bool:
    line = sys.stdin.buffer.readline()
    if not line:
        return False
    index, steps = json.loads(line)
    pipes[index].plan([(after, Shape(**shape)) for after, shape in steps], now)
    pipes[index].keep_to_plan(now)
    print("heeded", flush=True)
    return True


def _packets(fd: int) -> Iterator[bytes]:
    for _ in range(64):
        try:
            yield os.read(fd, 65535)
        except OSError:  # nothing more, or the device is down
            return


# The devices, from the inside of the process that owns them.


def _tun(name: str) -> int:
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def _ip(*words: str, inside: str = "") -> None:
    within = ["-n", inside] if inside else []
    subprocess.run(["ip", *within, *words], check=True, stdin=subprocess.DEVNULL)


def _make(namespace: str, nets: Sequence[str]) -> list[Pipe]:
    pipes = []
    _ip("netns", "add", namespace)
    _ip("link", "set", "lo", "up", inside=namespace)
    for index, net in enumerate(nets):
        here, there = f"{namespace}h{index}", f"{namespace}t{index}"
        pipes.append(Pipe(_tun(here), _tun(there)))
        _ip("link", "set", there, "netns", namespace)
        _ip("addr", "add", f"{net}.1", "peer", f"{net}.2", "dev", here)
        _ip("link", "set", here, "up")
        _join(namespace, there, f"{net}.1", f"{net}.2", index)
    return pipes


def _join(namespace: str, device: str, here: str, there: str, index: int) -> None:
    """Address and route of the namespace's end; no harm where they are there already."""
    _ip("link", "set", device, "up", inside=namespace)
    _ip("addr", "replace", there, "peer", here, "dev", device, inside=namespace)
    where = ["default", "dev", device, "metric", str(100 + index)]
    _ip("route", "replace", *where, inside=namespace)


def _main(namespace: str, *nets: str) -> None:
    try:
        pipes = _make(namespace, nets)
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        print("ready", flush=True)
        carry(pipes)
    finally:
        # The devices go with their descriptors, that is with this process.
        _ip("netns", "delete", namespace)


# From the outside.


class Field:
    """A namespace behind ``links`` links; made by ``field_behind``.

    ``here[i]`` is this machine's address as seen through link i.
    """

    def __init__(self, namespace: str, nets: Sequence[str], process: "subprocess.Popen[str]"):
        self.namespace = namespace
        self.here = [f"{net}.1" for net in nets]
        self.there = [f"{net}.2" for net in nets]
        self._process = process

    def shape(self, *steps: Shape | tuple[float, Shape], link: int = 0) -> float:
        """Gives the link a shape now, or several in turn: (seconds from now, shape).

        Returns the moment from which the seconds count (``time.time``).
        """
        plan = [(0.0, step) if isinstance(step, Shape) else step for step in steps]
        begun = time.time()
        line = json.dumps([link, [(after, asdict(shape)) for after, shape in plan]])
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._hear("heeded")
        return begun

    def plug(self, link: int, *, plugged: bool) -> None:
        """Brings the namespace's device up or down with its address and route, as a system does
        whose network comes or goes: a browser learns of it by the address."""
        device = f"{self.namespace}t{link}"
        if plugged:
            _join(self.namespace, device, self.here[link], self.there[link], link)
        else:
            _ip("addr", "flush", "dev", device, inside=self.namespace)
            _ip("link", "set", device, "down", inside=self.namespace)

    def wrapper(self, path: str, program: str) -> str:
        """A script at ``path`` that runs ``program`` inside."""
        with open(path, "w") as script:
            script.write(f'#!/bin/sh\nexec ip netns exec {self.namespace} {program} "$@"\n')
        os.chmod(path, 0o755)
        return path

    def udp_socket(self, address: str) -> socket.socket:
        """A socket of the namespace, bound to ``address`` there."""
        made: list[socket.socket] = []

        def make() -> None:
            # Only this thread changes its namespace; a socket keeps that of its making.
            with open(f"/run/netns/{self.namespace}") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        made[0].bind((address, 0))
        return made[0]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(START_TIMEOUT)

    def _hear(self, word: str) -> None:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT)
        if not ready or self._process.stdout.readline().strip() != word:
            raise RuntimeError(f"the link's process did not say {word!r}")


@contextlib.contextmanager
def field_behind(links: int = 1) -> Iterator[Field]:
    """A namespace behind so many links, all of them open at first. Raises ``NeedsRoot``."""
    if os.geteuid() != 0:
        raise NeedsRoot
    with (Path(tempfile.gettempdir()) / "telemed-links.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run must not take the same networks
        made = _start(f"tm{os.getpid()}", list(itertools.islice(_free_nets(), links)))
    try:
        yield made
    finally:
        made.close()


def _start(namespace: str, nets: list[str]) -> Field:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.link", namespace, *nets],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; the links end after those who use them
    )
    made = Field(namespace, nets, process)
    try:
        made._hear("ready")
    except BaseException:
        made.close()
        raise
    return made


def _free_nets() -> Iterator[str]:
    """From the range that is kept for measuring networks (RFC 2544)."""
    told = subprocess.run(["ip", "-4", "addr"], check=True, stdout=subprocess.PIPE, text=True)
    return (net for n in range(256) if f"{(net := f'198.18.{n}')}." not in told.stdout)


def outages(shape: Shape, first: float, length: float, every: float, until: float) -> Steps:
    """``shape`` with outages of ``length`` seconds, the first after ``first`` seconds."""
    steps: list[tuple[float, Shape]] = [(0.0, shape)]
    at = first
    while at < until:
        steps += [(at, replace(shape, works=False)), (at + length, shape)]
        at += every
    return steps


if __name__ == "__main__":
    _main(*sys.argv[1:])
