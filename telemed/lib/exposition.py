"""Figures for Prometheus: the text exposition format 0.0.4 at an address of its own.

Served by the event loop that the figures belong to, so that nothing is read half changed and no
thread takes turns with the packets.
"""

import asyncio
import contextlib

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

REQUEST_SECONDS = 5.0
REQUEST_BYTES = 8192
CONNECTIONS = 8

Address = tuple[str, int]


class Exposition:
    """Answers ``GET /metrics`` with all of a registry; made by ``start``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._connections = 0
        self._server: asyncio.Server | None = None

    @classmethod
    async def start(cls, registry: CollectorRegistry, address: Address) -> "Exposition":
        """Raises ``OSError`` when the address cannot be had."""
        exposition = cls(registry)
        host, port = address
        exposition._server = await asyncio.start_server(
            exposition._answer, host, port, limit=REQUEST_BYTES
        )
        return exposition

    @property
    def address(self) -> Address:
        host, port, *_ = self._server.sockets[0].getsockname() if self._server else ("", 0)
        return host, port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; whoever dawdles, or comes while many do, is let go."""
        self._connections += 1
        try:
            if self._connections <= CONNECTIONS:
                async with asyncio.timeout(REQUEST_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._response(head))
                    await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        finally:
            self._connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _response(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD") or path != b"/metrics":
            return _message("404 Not Found", b"")
        return _message("200 OK", b"" if method == b"HEAD" else generate_latest(self._registry))


def _message(status: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE_PLAIN_0_0_4}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
