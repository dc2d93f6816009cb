"""libsrtp worked in place, on memory of the caller's (RFC 3711, RFC 7714).

`pylibsrtp.Session` copies every packet twice and makes an object to hold its length. Its binding
is private, so it is tried once at the start; where it has changed, the sessions' own methods do
the same work slower.
"""

from __future__ import annotations

import logging
from typing import Any

import pylibsrtp
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

logger = logging.getLogger(__name__)


class SrtpRefused(Exception):
    """A packet that is not authentic, came twice, or cannot be protected."""


class Srtp:
    """One direction's session. Methods take a `char *` and a size and return the new size; the
    memory must have room for a trailer of 20 bytes more."""

    def __init__(self, session: Session) -> None:
        self._session = session  # owns what `_context` points to
        self._context = session._srtp[0]
        self._length = ffi.new("int *")

    def protect(self, packet: Any, size: int) -> int:
        return self._work(lib.srtp_protect, packet, size)

    def protect_rtcp(self, packet: Any, size: int) -> int:
        return self._work(lib.srtp_protect_rtcp, packet, size)

    def unprotect(self, packet: Any, size: int) -> int:
        return self._work(lib.srtp_unprotect, packet, size)

    def unprotect_rtcp(self, packet: Any, size: int) -> int:
        return self._work(lib.srtp_unprotect_rtcp, packet, size)

    def _work(self, function: Any, packet: Any, size: int) -> int:
        length = self._length
        length[0] = size
        if function(self._context, packet, length):
            raise SrtpRefused
        return length[0]


class CopyingSrtp(Srtp):
    """The same by the session's public methods."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _work(self, function: Any, packet: Any, size: int) -> int:
        method = getattr(self._session, FUNCTIONS[function])
        try:
            data: bytes = method(bytes(ffi.buffer(packet, size)))
        except (pylibsrtp.Error, ValueError):
            raise SrtpRefused from None
        ffi.memmove(packet, data, len(data))
        return len(data)


FUNCTIONS = {
    getattr(lib, f"srtp_{name}"): name
    for name in ("protect", "protect_rtcp", "unprotect", "unprotect_rtcp")
}


def works_in_place() -> bool:
    """Whether a packet protected in place is what the public methods make of it."""
    key = bytes(range(30))
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"self-test"

    def session(kind: int) -> Session:
        return Session(Policy(key=key, ssrc_type=kind))

    try:
        ours = Srtp(session(Policy.SSRC_ANY_OUTBOUND))
        theirs = session(Policy.SSRC_ANY_OUTBOUND).protect(packet)
        memory = ffi.new("char[]", 64)
        ffi.memmove(memory, packet, len(packet))
        size = ours.protect(memory, len(packet))
        if bytes(ffi.buffer(memory, size)) != theirs:
            return False
        size = Srtp(session(Policy.SSRC_ANY_INBOUND)).unprotect(memory, size)
        return bytes(ffi.buffer(memory, size)) == packet
    except Exception:
        logger.exception("SRTP cannot be worked in place")
        return False


def in_place(session: Session) -> Srtp:
    return _fastest(session)


_fastest = Srtp if works_in_place() else CopyingSrtp
