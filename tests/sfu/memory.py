"""Where a recording goes to in tests."""

import threading

from consultations.sfu import record


class Memory:
    """A sink that keeps everything in memory; `write` waits while `stuck`."""

    def __init__(self, *, fails: bool = False) -> None:
        self.chunks: list[bytes] = []
        self.closed = False
        self.free = threading.Event()
        self.free.set()
        self._fails = fails

    def write(self, chunk: bytes) -> None:
        self.free.wait(10)
        if self._fails:
            raise OSError("no space left")
        self.chunks.append(chunk)

    def close(self) -> None:
        self.closed = True

    def packets(self) -> list[record.RecordedPacket]:
        return list(record.read(self.chunks))
