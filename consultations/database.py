"""Database work of the media process, off its event loop.

Channels would hand all of it to one thread: a write that waits for SQLite's lock would then hold
up every room. Here reads never stand behind writes, and the heartbeat behind neither.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

READERS = 3
WRITERS = 2

_readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
_writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="write")
_heart = ThreadPoolExecutor(1, thread_name_prefix="heartbeat")


async def read(job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return await _run(_readers, job, *args, **kwargs)


async def write(job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return await _run(_writers, job, *args, **kwargs)


async def beat(job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return await _run(_heart, job, *args, **kwargs)


async def _run(
    pool: ThreadPoolExecutor, job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    # Language and request id go with the work, as they would in a task of the loop.
    context = contextvars.copy_context()

    def working() -> T:
        _drop_dead_connections()
        return context.run(job, *args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(pool, working)


def _drop_dead_connections() -> None:
    """The threads keep their connections, since opening one costs more than most of what is asked;
    after an outage of the database the next job has a new one."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.is_usable():
            connection.close()


async def close() -> None:
    """Let what was begun end, then close every thread's connection, before the process or a
    test's database goes away."""
    loop = asyncio.get_running_loop()
    for pool, threads in ((_readers, READERS), (_writers, WRITERS), (_heart, 1)):
        # None is done before each thread of the pool has one.
        meeting = threading.Barrier(threads)

        def leaving(meeting: threading.Barrier = meeting) -> None:
            meeting.wait()
            connections.close_all()

        await asyncio.gather(*(loop.run_in_executor(pool, leaving) for _ in range(threads)))
