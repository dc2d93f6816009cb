"""The STUN messages an ICE-lite agent needs (RFC 8445, RFC 8489), over aioice's codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from aioice import stun

MAX_REQUEST_BYTES = 548


class StunInvalid(ValueError):
    """A datagram that looks like STUN but is no usable binding request."""


@dataclass(frozen=True, slots=True)
class BindingRequest:
    message: stun.Message
    local_ufrag: str
    remote_ufrag: str
    use_candidate: bool

    def signed_with(self, password: str) -> bool:
        return self.message.check_message_integrity(password.encode())


def parse_binding_request(data: bytes) -> BindingRequest:
    """Reads a connectivity check without trusting it; raises StunInvalid."""
    if not stun.HEADER_LENGTH <= len(data) <= MAX_REQUEST_BYTES:
        raise StunInvalid("length")
    try:
        message = stun.parse_message(data)
    except (ValueError, struct.error, IndexError) as error:
        raise StunInvalid(str(error)) from error
    if (message.message_method, message.message_class) != (stun.Method.BINDING, stun.Class.REQUEST):
        raise StunInvalid("not a binding request")
    local, separator, remote = message.attributes.get("USERNAME", "").partition(":")
    if not separator:
        raise StunInvalid("no user name")
    return BindingRequest(message, local, remote, "USE-CANDIDATE" in message.attributes)


def binding_response(request: BindingRequest, password: str, address: tuple[str, int]) -> bytes:
    """The success response that tells the client the address it was seen from."""
    response = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.RESPONSE,
        transaction_id=request.message.transaction_id,
    )
    response.attributes["XOR-MAPPED-ADDRESS"] = address
    response.add_message_integrity(password.encode())
    return bytes(response)
