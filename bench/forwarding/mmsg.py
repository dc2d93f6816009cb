"""Many datagrams in one system call, described by numpy arrays that the kernel reads and writes."""

import ctypes
import os
import socket

import numpy as np

# struct mmsghdr, struct iovec and struct sockaddr_in of 64-bit Linux.
MESSAGE = np.dtype(
    [
        ("name", "u8"),
        ("namelen", "u4"),
        ("_1", "u4"),
        ("iov", "u8"),
        ("iovlen", "u8"),
        ("control", "u8"),
        ("controllen", "u8"),
        ("flags", "u4"),
        ("_2", "u4"),
        ("length", "u4"),
        ("_3", "u4"),
    ]
)
SPAN = np.dtype([("base", "u8"), ("length", "u8")])
IP_PKTINFO = 8  # not named by the socket module of Python 3.11
SO_TIMESTAMPNS = 35
PACKET_INFO = 32  # bytes of an IP_PKTINFO control message, padded
SLOTS, SLOT_BYTES = 1024, 1536

_libc = ctypes.CDLL(None, use_errno=True)
_send, _receive = _libc.sendmmsg, _libc.recvmmsg
_send.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
_receive.argtypes = [*_send.argtypes, ctypes.c_void_p]


def shared_socket() -> socket.socket:
    """One socket for many sessions: each has an address of its own in 127.0.0.0/8, which leaves
    and arrives as packet information; the kernel notes when each datagram came."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.bind(("0.0.0.0", 0))
    sock.setblocking(False)
    return sock


def packet_info(address: int) -> bytes:
    """The in_pktinfo that makes a datagram leave from `address`."""
    return bytes(4) + address.to_bytes(4) + bytes(4)


class Outbox:
    """Datagrams prepared in `memory`, sent in order by slices."""

    def __init__(
        self, sock: socket.socket, memory: np.ndarray, offsets: np.ndarray, lengths: np.ndarray
    ) -> None:
        self._fd = sock.fileno()
        self._memory = memory
        self._spans = np.zeros(len(offsets), SPAN)
        self._spans["base"] = memory.ctypes.data + offsets
        self._spans["length"] = lengths
        self._messages = np.zeros(len(offsets), MESSAGE)
        self._messages["iov"] = self._spans.ctypes.data + 16 * np.arange(len(offsets))
        self._messages["iovlen"] = 1

    def address(
        self, rows: np.ndarray, sources: np.ndarray, targets: list[tuple[str, int]]
    ) -> None:
        """`rows[i]` says which of `sources` (addresses) and `targets` datagram i goes between."""
        names = b"".join(_sockaddr(*target) for target in targets)
        head = np.array([28], "<u8").tobytes() + np.array([0, IP_PKTINFO], "<u4").tobytes()
        controls = b"".join(head + packet_info(int(source)) + bytes(4) for source in sources)
        self._names = np.frombuffer(bytearray(names), np.uint8)
        self._controls = np.frombuffer(bytearray(controls), np.uint8)
        self._messages["name"] = self._names.ctypes.data + 16 * rows
        self._messages["namelen"] = 16
        self._messages["control"] = self._controls.ctypes.data + PACKET_INFO * rows
        self._messages["controllen"] = PACKET_INFO

    def replace(self, row: int, offset: int) -> None:
        """Sends what lies at `offset` of the memory in the place of datagram `row`."""
        self._spans["base"][row] = self._memory.ctypes.data + offset

    def send(self, first: int, last: int) -> int:
        """Sends datagrams first…last-1; returns how many the kernel refused."""
        refused = 0
        base = self._messages.ctypes.data
        while first < last:
            sent = _send(self._fd, base + 64 * first, last - first, socket.MSG_DONTWAIT)
            if sent <= 0:
                refused, sent = refused + 1, 1
            first += sent
        return refused


class Inbox:
    """Receives up to `SLOTS` datagrams at once."""

    def __init__(self, sock: socket.socket) -> None:
        self._fd = sock.fileno()
        self.data = np.zeros((SLOTS, SLOT_BYTES), np.uint8)
        self._controls = np.zeros((SLOTS, 64), np.uint8)
        self._spans = np.zeros(SLOTS, SPAN)
        self._spans["base"] = self.data.ctypes.data + SLOT_BYTES * np.arange(SLOTS)
        self._spans["length"] = SLOT_BYTES
        self._messages = np.zeros(SLOTS, MESSAGE)
        self._messages["iov"] = self._spans.ctypes.data + 16 * np.arange(SLOTS)
        self._messages["iovlen"] = 1
        self._messages["control"] = self._controls.ctypes.data + 64 * np.arange(SLOTS)
        self._messages["controllen"] = 64
        # After the time stamp (16 + 16 bytes) comes in_pktinfo: interface, local, destination.
        self._times = self._controls[:, 16:32].view("<i8")
        self._targets = self._controls[:, 56:60].view(">u4")
        self.words = self.data.view(">u2")
        self.longs = self.data.view(">u4")

    def receive(self) -> int:
        """How many came; their bytes are in `data`."""
        count: int = _receive(
            self._fd, self._messages.ctypes.data, SLOTS, socket.MSG_DONTWAIT, None
        )
        if count < 0:
            if ctypes.get_errno() not in (11, 0, 111):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            return 0
        self._messages["controllen"][:count] = 64
        return count

    def lengths(self, count: int) -> np.ndarray:
        return self._messages["length"][:count]

    def times(self, count: int) -> np.ndarray:
        """Arrival in the kernel, in seconds of the wall clock."""
        stamps = self._times[:count]
        return stamps[:, 0] + stamps[:, 1] * 1e-9

    def targets(self, count: int) -> np.ndarray:
        """The address each datagram was sent to."""
        return self._targets[:count, 0]


def _sockaddr(host: str, port: int) -> bytes:
    return (
        np.array([socket.AF_INET], "<u2").tobytes()
        + port.to_bytes(2)
        + socket.inet_aton(host)
        + bytes(8)
    )
