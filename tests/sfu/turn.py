"""A relay over TLS (RFC 8656) as coturn is one, as far as a browser needs it: it checks credentials
by the shared secret, allocates a UDP port, and carries channels.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import ssl
import struct

from aioice import stun

from tests.sfu.relay import udp_socket

REALM = "telemed"
HEAD = 4


class Turn:
    """`port` after `start`; `allocations` counts those that were let in, ever."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.port = 0
        self.allocations = 0
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self, tls: ssl.SSLContext) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def kill(self) -> None:
        """As a killed process: every connection breaks off, nobody new is let in."""
        self._server.close()
        for writer in list(self._clients):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        client = _Client(self, writer)
        try:
            while True:
                head = await reader.readexactly(HEAD)
                size = int.from_bytes(head[2:])
                if head[0] & 0xC0 == 0x40:
                    data = await reader.readexactly(size + -size % 4)
                    client.relay(int.from_bytes(head[:2]), data[:size])
                else:
                    client.answer(stun.parse_message(head + await reader.readexactly(size + 16)))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._clients.discard(writer)
            client.close()
            writer.close()

    def key(self, username: str) -> bytes:
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        password = base64.b64encode(digest).decode()
        return hashlib.md5(f"{username}:{REALM}:{password}".encode()).digest()


class _Client:
    def __init__(self, turn: Turn, writer: asyncio.StreamWriter) -> None:
        self._turn, self._writer = turn, writer
        self._channels: dict[int, tuple[str, int]] = {}
        self._sock = udp_socket("127.0.0.1")
        asyncio.get_running_loop().add_reader(self._sock, self._from_peer)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    def answer(self, request: stun.Message) -> None:
        username = request.attributes.get("USERNAME", "")
        key = self._turn.key(username)
        known = bool(username) and request.check_message_integrity(key)
        kind = stun.Class.RESPONSE if known else stun.Class.ERROR
        reply = stun.Message(request.message_method, kind, request.transaction_id)
        if not known:
            reply.attributes["ERROR-CODE"] = (401, "Unauthorized")
            reply.attributes["REALM"] = REALM
            reply.attributes["NONCE"] = secrets.token_bytes(8)
            self._writer.write(bytes(reply))
            return
        if request.message_method == stun.Method.ALLOCATE:
            self._turn.allocations += 1
            reply.attributes["XOR-RELAYED-ADDRESS"] = self._sock.getsockname()
            reply.attributes["XOR-MAPPED-ADDRESS"] = self._writer.get_extra_info("peername")
            reply.attributes["LIFETIME"] = 600
        elif request.message_method == stun.Method.CHANNEL_BIND:
            number = request.attributes["CHANNEL-NUMBER"]
            self._channels[number] = request.attributes["XOR-PEER-ADDRESS"]
        reply.add_message_integrity(key)
        self._writer.write(bytes(reply))

    def relay(self, channel: int, data: bytes) -> None:
        if channel in self._channels:
            self._sock.sendto(data, self._channels[channel])

    def _from_peer(self) -> None:
        data, address = self._sock.recvfrom(2048)
        for channel, peer in self._channels.items():
            if peer == address:
                padding = bytes(-len(data) % 4)
                self._writer.write(struct.pack("!HH", channel, len(data)) + data + padding)
