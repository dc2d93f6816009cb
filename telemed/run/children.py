"""The processes under the run command: started together, watched, and ended together."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 10.0  # seconds between SIGTERM and SIGKILL
YOUNG = 10.0  # seconds: what ends sooner after its start would end again


class Died(Exception):
    """A child ended that should still be running, and would not live when started again."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        super().__init__(f"{name} ended with {code}; its last words are in {log}")
        self.log = log


@dataclass(eq=False)
class Child:
    name: str
    command: Sequence[str]
    extra: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process
    started: float = field(default_factory=time.monotonic)


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
        log.write_bytes(b"")
        child = Child(name, command, extra, log, await self._run(command, extra, log))
        self._children.append(child)
        return child

    async def _run(
        self, command: Sequence[str], extra: Mapping[str, str], log: Path
    ) -> asyncio.subprocess.Process:
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *_dying_with_parent(),
                *command,
                env={**self.environment, **extra},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    async def watch(self, tell: Callable[[str], None]) -> None:
        """Starts again what ends, as systemd does in production; ``tell`` is told its name.

        Returns never; raises ``Died`` for a child that ended young.
        """
        waits: dict[asyncio.Task[int], Child] = {}
        try:
            while True:
                for child in self._children:
                    if child not in waits.values():
                        waits[asyncio.create_task(child.process.wait())] = child
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for child in [waits.pop(task) for task in done]:
                    await self._start_again(child)
                    tell(child.name)
        finally:
            for task in waits:
                task.cancel()

    async def _start_again(self, child: Child) -> None:
        if time.monotonic() - child.started < YOUNG:
            raise Died(child.name, child.process.returncode or 0, child.log)
        _signal(child, signal.SIGKILL)  # a grandchild may have outlived its leader
        child.process = await self._run(child.command, child.extra, child.log)
        child.started = time.monotonic()

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
