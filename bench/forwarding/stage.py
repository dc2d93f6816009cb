"""What every server and the load are told of one another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.forwarding.addresses import Addresses
from bench.forwarding.legs import Person, Wire


class Door(Protocol):
    """How the load gets into a running server's rooms; `pid` is what is measured."""

    pid: int

    async def enter(self, wire: Wire, people: list[Person]) -> None: ...


@dataclass(frozen=True)
class Stage:
    """`folder` is for the server's files; `shares` are the rooms of each load process."""

    folder: Path
    place: Addresses
    shares: list[range]
    people: int


Server = Callable[[Stage], contextlib.AbstractContextManager[Door]]
