"""A large file encrypted at rest in chunks (AES-256-GCM), written and read at any place.

Chunk *n* stands at ``n × SLOT`` as nonce (12), ciphertext and tag (16), and is authenticated with
the file's name and *n*, so that a chunk moved, swapped or taken from another file does not open. A
sealed length ends the file: what was cut off is noticed, and a file whose writer died has none.
Each file has a key of its own (``new_key``), kept sealed in a row: dropping it destroys every copy.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from telemed.lib.crypto import NONCE_BYTES, Unreadable

CHUNK = 64 * 1024
OVERHEAD = NONCE_BYTES + 16
SLOT = CHUNK + OVERHEAD
LENGTH_BYTES = 8
END_BYTES = LENGTH_BYTES + OVERHEAD


def new_key() -> bytes:
    return AESGCM.generate_key(256)


class _Seal:
    def __init__(self, key: bytes, name: str) -> None:
        self._cipher = AESGCM(key)
        self._name = name

    def seal(self, plain: bytes, part: str) -> bytes:
        # Random, because a chunk that is written again must not repeat its nonce.
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, self._place(part))

    def open(self, sealed: bytes, part: str) -> bytes:
        try:
            return self._cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._place(part)
            )
        except (InvalidTag, ValueError):
            raise Unreadable(f"{part} of {self._name} does not open") from None

    def _place(self, part: str) -> bytes:
        return f"{self._name}:{part}".encode()


class SealedWriter(io.RawIOBase):
    """A new file to write to, seek in and read back; whole once it is closed.

    Raises ``FileExistsError`` for a path that is taken.
    """

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        super().__init__()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "w+b", buffering=0)
        self._seal = _Seal(key, name)
        self._size = self._at = self._number = 0
        self._chunk = bytearray()
        self._changed = False

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        if self._at > self._size:
            raise OSError("a gap cannot be written")
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            self._load(self._at // CHUNK)
            start = self._at % CHUNK
            part = view[done : done + CHUNK - start]
            self._chunk[start : start + len(part)] = part
            self._changed = True
            done += len(part)
            self._at += len(part)
            self._size = max(self._size, self._at)
        return done

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        if self._at >= self._size:
            return 0
        self._load(self._at // CHUNK)
        start = self._at % CHUNK
        part = self._chunk[start : start + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        if self.closed:
            return
        try:
            self._store()
            self._file.seek(0, io.SEEK_END)
            self._file.write(self._seal.seal(self._size.to_bytes(LENGTH_BYTES), "end"))
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
            super().close()

    def abandon(self) -> None:
        """Close it without an end, so that it never passes for whole."""
        self._file.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._number:
            return
        self._store()
        self._number = number
        here = min(CHUNK, self._size - number * CHUNK)
        self._chunk = bytearray()
        if here > 0:
            self._file.seek(number * SLOT)
            self._chunk += self._seal.open(self._file.read(here + OVERHEAD), str(number))

    def _store(self) -> None:
        if self._changed:
            self._file.seek(self._number * SLOT)
            self._file.write(self._seal.seal(bytes(self._chunk), str(self._number)))
            self._changed = False


class SealedReader:
    """``size`` in bytes of what is inside; ``whole`` is false only for a torn file that was asked
    for. Raises ``Unreadable`` for a file that was cut, changed, or never finished."""

    def __init__(self, path: Path, key: bytes, name: str, *, torn: bool = False) -> None:
        self._path = path
        self._seal = _Seal(key, name)
        stored = path.stat().st_size
        try:
            self.size, self.whole = self._sealed_length(stored), True
        except Unreadable:
            if not torn:
                raise
            # Chunks are written whole and in order: all full slots but a torn last one are there.
            self.size, self.whole = stored // SLOT * CHUNK, False

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """What stands from ``start`` to before ``stop``, chunk by chunk."""
        stop = min(stop, self.size)
        with self._path.open("rb") as file:
            for number in range(start // CHUNK, -(-stop // CHUNK)):
                file.seek(number * SLOT)
                here = min(CHUNK, self.size - number * CHUNK)
                plain = self._seal.open(file.read(here + OVERHEAD), str(number))
                first = number * CHUNK
                yield plain[max(0, start - first) : stop - first]

    def _sealed_length(self, stored: int) -> int:
        if stored < END_BYTES:
            raise Unreadable(f"{self._path.name} has no end")
        with self._path.open("rb") as file:
            file.seek(stored - END_BYTES)
            size = int.from_bytes(self._seal.open(file.read(END_BYTES), "end"))
        chunks = -(-size // CHUNK)
        if stored != size + chunks * OVERHEAD + END_BYTES:
            raise Unreadable(f"{self._path.name} was cut")
        return size


def sha256(path: Path) -> str:
    """Of the file as it stands on the disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
