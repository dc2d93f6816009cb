"""Where the server listens and the load's sessions live: an address for each, on one interface.

A route makes a range of the benchmarking block (RFC 2544) local to the server's interface. Without
root it is a part of 127.0.0.0/8, which Janus cannot send to: it binds its sockets to an interface.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

RANGE, LOOPBACK_RANGE = "198.19.0.0/16", "127.99.0.0/16"
LEGS = 1 << 12  # sessions of one load process at most


@dataclass(frozen=True)
class Addresses:
    server: str
    base: int
    reaches_janus: bool

    def first(self, number: int) -> int:
        """The address of the first session of load process `number`, counted from 1."""
        return self.base | number * LEGS | 1


@contextlib.contextmanager
def reserved() -> Iterator[Addresses]:
    if os.getuid() != 0:
        yield Addresses("127.0.0.1", _base(LOOPBACK_RANGE), reaches_janus=False)
        return
    interface, address = _interface()
    route = ["local", RANGE, "dev", interface]
    _ip("route", "replace", *route)
    try:
        yield Addresses(address, _base(RANGE), reaches_janus=True)
    finally:
        _ip("route", "del", *route)


def _interface() -> tuple[str, str]:
    """The machine's own interface and address: Janus takes no loopback."""
    lines = [
        line.split() for line in _ip("-4", "-o", "addr", "show", "scope", "global").splitlines()
    ]
    own = [(line[1], line[3].split("/")[0]) for line in lines if "peer" not in line]
    if not own:
        raise RuntimeError("this machine has no interface but loopback, and Janus uses none there")
    return own[0]


def _base(network: str) -> int:
    first, second = network.split(".")[:2]
    return int(first) << 24 | int(second) << 16


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
