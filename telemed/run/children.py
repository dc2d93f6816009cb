"""The processes under the run command: started together, watched, and ended together."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 10.0  # seconds between SIGTERM and SIGKILL


class Died(Exception):
    """A child ended that should still be running."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        super().__init__(f"{name} ended with {code}; its last words are in {log}")
        self.log = log


@dataclass
class Child:
    name: str
    process: asyncio.subprocess.Process
    log: Path


@dataclass
class Children:
    """Each child has its own process group and its own file in ``logs``.

    Ctrl-C in the terminal therefore reaches the run command alone, which ends the groups in
    order; and when the run command itself is killed, ``setpriv`` has asked the kernel to end its
    children (PR_SET_PDEATHSIG, prctl(2)).
    """

    environment: Mapping[str, str]
    logs: Path
    _children: list[Child] = field(default_factory=list)

    async def start(self, name: str, command: Sequence[str], **extra: str) -> Child:
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *_dying_with_parent(),
                *command,
                env={**self.environment, **extra},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    async def watch(self) -> None:
        """Returns never; raises ``Died`` for the first child that ends."""
        waits = {asyncio.create_task(child.process.wait()): child for child in self._children}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        ended = waits[next(iter(done))]
        raise Died(ended.name, ended.process.returncode or 0, ended.log)

    async def stop(self) -> None:
        """Ends every group, the last started first to be told, and waits until all are gone."""
        for child in reversed(self._children):
            _signal(child, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await asyncio.gather(*(child.process.wait() for child in self._children))
        for child in self._children:
            # Also where the leader has ended well: a grandchild may have outlived it.
            _signal(child, signal.SIGKILL)
        await asyncio.gather(*(child.process.wait() for child in self._children))


def _signal(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, number)


def _dying_with_parent() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
