"""Many datagrams a system call, in memory that is allocated once: recvmmsg(2) and sendmmsg(2).

A system call and an object for each packet cost more than its encryption. Slots of one slab are
read into and sent from in place; what points into them is held for as long as they are.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from typing import Any

from cffi import FFI

SLOTS = 64
SLOT_BYTES = 2048
NAME_BYTES = 32
MOST_SEGMENTS = 40  # of 1500 bytes: a message may have 65,507
CONTROL_BYTES = 24  # a control header of 16 bytes, 2 of data, and padding
IPPROTO_UDP, UDP_SEGMENT = 17, 103

ffi = FFI()
ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr {
        void *msg_name; uint32_t msg_namelen;
        struct iovec *msg_iov; size_t msg_iovlen;
        void *msg_control; size_t msg_controllen;
        int msg_flags;
    };
    struct mmsghdr { struct msghdr msg_hdr; uint32_t msg_len; };
    int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
    int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
    """
)
libc = ffi.dlopen(None)

# Where fields lie in an array of struct mmsghdr or iovec, in units of the casts below.
_HEADER_BYTES = ffi.sizeof("struct mmsghdr")
_LENGTH = ffi.offsetof("struct mmsghdr", "msg_len") // 4
_NAME_LENGTH = ffi.offsetof("struct mmsghdr", "msg_hdr", "msg_namelen") // 4
_STEP32, _STEP64 = _HEADER_BYTES // 4, _HEADER_BYTES // 8
_VECTOR, _VECTORS, _CONTROL, _CONTROL_LENGTH = (
    ffi.offsetof("struct mmsghdr", "msg_hdr", f"msg_{name}") // 8
    for name in ("iov", "iovlen", "control", "controllen")
)
_VECTOR_BYTES = ffi.sizeof("struct iovec")

SocketAddress = tuple[Any, ...]  # (host, port), or (host, port, flow, scope) for IPv6
Work = Callable[[Any, int], int]
RawAddress = bytes  # the same as the kernel writes it: struct sockaddr_in without its zeros, or in6


def readable(raw: RawAddress) -> SocketAddress:
    """What `socket.sendto` takes, and people read."""
    (port,) = struct.unpack_from("!H", raw, 2)
    if len(raw) == 8:
        return socket.inet_ntop(socket.AF_INET, raw[4:8]), port
    flow, (scope,) = int.from_bytes(raw[4:8]), struct.unpack_from("=I", raw, 24)
    return socket.inet_ntop(socket.AF_INET6, raw[8:24]), port, flow, scope


def host(raw: RawAddress) -> bytes:
    """Whoever may be taken for one: an IPv4 address, or an IPv6 network of 64 bits."""
    return raw[4:8] if len(raw) == 8 else raw[8:16]


class _Slab:
    """`SLOTS` buffers of `SLOT_BYTES` with the kernel's description of them.

    `bytes` is the whole memory, slot `n` begins at `n * SLOT_BYTES`; `pointers` are `char *` to
    the slots, good for as long as this object lives.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._descriptor = sock.fileno()
        self._memory = ffi.new("char[]", SLOTS * SLOT_BYTES)
        self._vectors = ffi.new("struct iovec[]", SLOTS)
        self._headers = ffi.new("struct mmsghdr[]", SLOTS)
        self.bytes = memoryview(ffi.buffer(self._memory)).cast("B")
        self.pointers = [self._memory + SLOT_BYTES * slot for slot in range(SLOTS)]
        self._sizes = memoryview(ffi.buffer(self._vectors)).cast("B").cast("Q")
        self._words = memoryview(ffi.buffer(self._headers)).cast("B").cast("I")
        self._longs = memoryview(ffi.buffer(self._headers)).cast("B").cast("Q")
        for slot in range(SLOTS):
            self._vectors[slot].iov_base = self.pointers[slot]
            self._vectors[slot].iov_len = SLOT_BYTES
            self._headers[slot].msg_hdr.msg_iov = self._vectors + slot
            self._headers[slot].msg_hdr.msg_iovlen = 1


class Inbox(_Slab):
    """What has come to a socket. `size` and `source` hold until the next `receive`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._names = ffi.new("char[]", SLOTS * NAME_BYTES)
        self._name_bytes = memoryview(ffi.buffer(self._names)).cast("B")
        self._name_length = 28 if sock.family == socket.AF_INET6 else 8
        for slot in range(SLOTS):
            self._headers[slot].msg_hdr.msg_name = self._names + NAME_BYTES * slot
            self._headers[slot].msg_hdr.msg_namelen = NAME_BYTES

    def receive(self) -> int:
        """How many datagrams came, at most `SLOTS`; raises OSError, BlockingIOError for none."""
        count: int = libc.recvmmsg(
            self._descriptor, self._headers, SLOTS, socket.MSG_DONTWAIT, ffi.NULL
        )
        if count < 0:
            raise OSError(ffi.errno, "recvmmsg")
        return count

    def size(self, slot: int) -> int:
        return self._words[slot * _STEP32 + _LENGTH]

    def source(self, slot: int) -> RawAddress:
        at = slot * NAME_BYTES
        return bytes(self._name_bytes[at : at + self._name_length])

    def take(self, slot: int, size: int) -> bytes:
        """A copy of the first `size` bytes."""
        at = slot * SLOT_BYTES
        return bytes(self.bytes[at : at + size])


class Name:
    """A destination that the kernel can be pointed to."""

    def __init__(self, raw: RawAddress) -> None:
        padded = raw if len(raw) > 8 else raw + bytes(8)
        self._memory = ffi.new("char[]", padded)
        self.address = int(ffi.cast("uintptr_t", self._memory))
        self.length = len(padded)


class Outbox(_Slab):
    """What waits to leave by a socket. Who puts the first one in has `flush` called soon.

    Neighbours of one size and destination leave as one message that the kernel cuts up
    (UDP_SEGMENT, udp(7)), which costs a third. `on_drop` is told why datagrams were not sent, and
    how many: waiting for a full socket would only add delay.
    """

    def __init__(
        self,
        sock: socket.socket,
        soon: Callable[[Callable[[], None]], object],
        on_drop: Callable[[str, int], None],
    ) -> None:
        super().__init__(sock)
        self._soon = soon
        self._on_drop = on_drop
        self._count = 0
        self._destinations: list[Name] = []  # the kernel reads them at the flush
        self._most = MOST_SEGMENTS
        self._controls = ffi.new("char[]", SLOTS * CONTROL_BYTES)
        self._control_shorts = memoryview(ffi.buffer(self._controls)).cast("B").cast("H")
        for slot in range(SLOTS):
            at = slot * CONTROL_BYTES
            head = struct.pack("=Qii", CONTROL_BYTES - 6, IPPROTO_UDP, UDP_SEGMENT)
            ffi.buffer(self._controls)[at : at + len(head)] = head
        self._control_address = int(ffi.cast("uintptr_t", self._controls))
        self._vector_address = int(ffi.cast("uintptr_t", self._vectors))

    def put(self, datagram: bytes, to: Name, work: Work | None = None) -> int:
        """Copies a datagram into the next slot, from where it leaves; returns its size. `work` is
        given a `char *` and the size, changes it in place, and returns the new size."""
        slot = self._count
        if slot == SLOTS:
            self.flush()
            slot = 0
        at, size = slot * SLOT_BYTES, len(datagram)
        self.bytes[at : at + size] = datagram
        if work is not None:
            size = work(self.pointers[slot], size)
        self._sizes[2 * slot + 1] = size
        self._destinations.append(to)
        self._count = slot + 1
        if not slot:
            self._soon(self.flush)
        return size

    def last(self) -> bytes:
        """A copy of what was put last."""
        slot = self._count - 1
        at = slot * SLOT_BYTES
        return bytes(self.bytes[at : at + self._sizes[2 * slot + 1]])

    def flush(self) -> None:
        """Sends everything; what the socket refuses is dropped, and what comes after it tried."""
        first = 0
        while first < self._count:
            messages = self._write_headers(first)
            sent = libc.sendmmsg(self._descriptor, self._headers, messages, socket.MSG_DONTWAIT)
            if sent > 0:
                first += sum(self._longs[m * _STEP64 + _VECTORS] for m in range(sent))
            elif ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                self._on_drop("send_buffer_full", self._count - first)
                break
            elif self._most > 1 and ffi.errno in (errno.EIO, errno.EINVAL):
                self._most = 1  # this host or interface cannot cut messages up
            elif ffi.errno != errno.EINTR:
                self._on_drop("send_failed", self._longs[_VECTORS])
                first += self._longs[_VECTORS]
        self._count = 0
        self._destinations.clear()

    def _write_headers(self, first: int) -> int:
        """Describes what is left from `first` on in messages; returns how many."""
        sizes, destinations, longs, count = (
            self._sizes,
            self._destinations,
            self._longs,
            self._count,
        )
        messages = 0
        while first < count:
            to, size = destinations[first], sizes[2 * first + 1]
            end = first + 1
            limit = min(count, first + self._most)
            while end < limit and destinations[end] is to and sizes[2 * end + 1] == size:
                end += 1
            at = messages * _STEP64
            longs[at] = to.address
            self._words[messages * _STEP32 + _NAME_LENGTH] = to.length
            longs[at + _VECTOR] = self._vector_address + first * _VECTOR_BYTES
            longs[at + _VECTORS] = end - first
            if end - first > 1:
                longs[at + _CONTROL] = self._control_address + messages * CONTROL_BYTES
                longs[at + _CONTROL_LENGTH] = CONTROL_BYTES
                self._control_shorts[messages * CONTROL_BYTES // 2 + 8] = size
            else:
                longs[at + _CONTROL] = longs[at + _CONTROL_LENGTH] = 0
            first = end
            messages += 1
        return messages
