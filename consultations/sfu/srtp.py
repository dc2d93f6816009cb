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

from .datagrams import Work

logger = logging.getLogger(__name__)


class SrtpRefused(Exception):
    """A packet that is not authentic, came twice, or cannot be protected."""


NAMES = ("protect", "protect_rtcp", "unprotect", "unprotect_rtcp")


class Srtp:
    """One direction's session. Each method takes a `char *` and a size and returns the new size;
    the memory must have room for a trailer of 20 bytes more. Raises SrtpRefused."""

    protect: Work
    protect_rtcp: Work
    unprotect: Work
    unprotect_rtcp: Work

    def __init__(self, session: Session, *, in_place: bool) -> None:
        work = _in_place if in_place else _copying
        for name in NAMES:
            setattr(self, name, work(session, name))


def _in_place(session: Session, name: str) -> Work:
    function, context, length = getattr(lib, f"srtp_{name}"), session._srtp[0], ffi.new("int *")

    def work(packet: Any, size: int) -> int:
        length[0] = size
        if function(context, packet, length):
            raise SrtpRefused
        return length[0]

    work.owner = session  # type: ignore[attr-defined]  # of what `context` points to
    return work


def _copying(session: Session, name: str) -> Work:
    method = getattr(session, name)

    def work(packet: Any, size: int) -> int:
        try:
            data: bytes = method(bytes(ffi.buffer(packet, size)))
        except (pylibsrtp.Error, ValueError):
            raise SrtpRefused from None
        ffi.memmove(packet, data, len(data))
        return len(data)

    return work


def works_in_place() -> bool:
    """Whether a packet protected in place is what the public methods make of it."""
    key = bytes(range(30))
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"self-test"

    def session(kind: int) -> Session:
        return Session(Policy(key=key, ssrc_type=kind))

    try:
        ours = Srtp(session(Policy.SSRC_ANY_OUTBOUND), in_place=True)
        theirs = session(Policy.SSRC_ANY_OUTBOUND).protect(packet)
        memory = ffi.new("char[]", 64)
        ffi.memmove(memory, packet, len(packet))
        size = ours.protect(memory, len(packet))
        if bytes(ffi.buffer(memory, size)) != theirs:
            return False
        size = Srtp(session(Policy.SSRC_ANY_INBOUND), in_place=True).unprotect(memory, size)
        return bytes(ffi.buffer(memory, size)) == packet
    except Exception:
        logger.exception("SRTP cannot be worked in place")
        return False


IN_PLACE = works_in_place()


def srtp_of(session: Session) -> Srtp:
    """The session's fastest form on this machine."""
    return Srtp(session, in_place=IN_PLACE)
