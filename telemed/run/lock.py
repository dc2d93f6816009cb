"""One run a folder: two would share a database, and each would take the other's rooms."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


class Running(Exception):
    """Another run holds the folder; ``str()`` is where it is reached."""


@contextlib.contextmanager
def held(var: Path, address: str) -> Iterator[None]:
    """Holds ``var`` for this process (flock(2): the kernel lets go when the process ends, however
    it ends). Raises ``Running``."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "running").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Running(file.read().strip()) from None
        file.truncate(0)
        file.write(address)
        file.flush()
        yield
