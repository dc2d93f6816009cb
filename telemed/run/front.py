"""The one door: a reverse proxy for HTTP/1.1 and WebSocket, plain and TLS on the same port.

A connection whose first byte is 0x16 begins a TLS handshake (RFC 8446 §5.1), anything else is
plain HTTP: so ``http://localhost:8000`` and ``https://192.168.1.7:8000`` are the same door, and
both people land in the same room. ``/media/<process>/…`` goes to that media process, the rest to
the web process, over Unix sockets that nobody else can reach. What the client says about itself
in ``X-Forwarded-…`` is dropped; what this door knows is put there instead.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h11

HEAD_TIMEOUT = 75.0  # seconds a connection may stay idle between requests
CHUNK = 64 * 1024
TLS_HANDSHAKE = 0x16
MEDIA_PATH = re.compile(rb"/media/([a-z0-9-]+)/")
OWN_HEADERS = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"}
HOP_HEADERS = {b"connection", b"keep-alive", b"proxy-connection", b"te"}

Headers = list[tuple[bytes, bytes]]


@dataclass
class Front:
    """Listens on ``sockets`` and forwards to the Unix sockets ``web`` and ``media[name]``."""

    web: Path
    media: Mapping[str, Path]
    tls: ssl.SSLContext
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def serving(self, sockets: list[socket.socket]) -> AsyncIterator[None]:
        acceptors = [asyncio.create_task(self._accept(sock)) for sock in sockets]
        try:
            yield
        finally:
            tasks = [*acceptors, *self._tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for sock in sockets:
                sock.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            connection, address = await loop.sock_accept(listener)
            task = asyncio.create_task(self._serve(connection, address[0]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket, client: str) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client that goes away, speaks no HTTP or breaks off the handshake (as a browser does
        # before its user accepts the certificate) concerns nobody else.
        with contextlib.suppress(OSError, EOFError, TimeoutError, h11.ProtocolError):
            first = await _first_byte(connection)
            secure = first == TLS_HANDSHAKE
            reader, writer = await _streams(connection, self.tls if secure else None)
            try:
                await _Exchange(self, reader, writer, client, secure).run()
            finally:
                writer.close()

    def upstream(self, target: bytes) -> Path | None:
        """The socket that answers ``target``, or None for a media process that is not here."""
        match = MEDIA_PATH.match(target)
        if match is None:
            return self.web
        return self.media.get(match[1].decode())


async def _first_byte(connection: socket.socket) -> int:
    """Waits for the first byte and leaves it in the socket; EOFError when none comes.

    Closes the socket when it fails; afterwards the socket belongs to its transport.
    """
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        async with asyncio.timeout(HEAD_TIMEOUT):
            await readable.wait()
        loop.remove_reader(connection)
        peeked = connection.recv(1, socket.MSG_PEEK)
        if not peeked:
            raise EOFError
    except BaseException:
        loop.remove_reader(connection)
        connection.close()
        raise
    return peeked[0]


async def _streams(
    connection: socket.socket, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=tls)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


@dataclass
class _Exchange:
    """The requests of one client connection, one after the other."""

    front: Front
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    client: str
    secure: bool
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.SERVER))

    async def run(self) -> None:
        while True:
            async with asyncio.timeout(HEAD_TIMEOUT):
                request = await _next_event(self.http, self.reader)
            if not isinstance(request, h11.Request):
                return
            socket_path = self.front.upstream(request.target)
            if socket_path is None:
                await self._refuse(404, b"No such media process")
                return
            try:
                up_reader, up_writer = await asyncio.open_unix_connection(str(socket_path))
            except OSError:
                await self._refuse(502, b"This part of Telemed is not running")
                return
            try:
                reusable = await self._forward(request, up_reader, up_writer)
            finally:
                up_writer.close()
            if not reusable:
                return
            self.http.start_next_cycle()

    async def _forward(
        self,
        request: h11.Request,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> bool:
        """One request and its answer; True when the client's connection may carry another."""
        upstream = h11.Connection(h11.CLIENT)
        upgrade = _upgrades(request.headers.raw_items())
        head = h11.Request(
            method=request.method,
            target=request.target,
            headers=self._headers(request.headers.raw_items(), upgrade),
        )
        up_writer.write(_send(upstream, head))
        sending = asyncio.create_task(_copy_body(self.http, self.reader, upstream, up_writer))
        try:
            answer = await _next_event(upstream, up_reader)
            while isinstance(answer, h11.InformationalResponse) and answer.status_code != 101:
                self.writer.write(_send(self.http, answer))
                answer = await _next_event(upstream, up_reader)
            if isinstance(answer, h11.InformationalResponse):
                self.writer.write(_send(self.http, answer))
                early = upstream.trailing_data[0]
                await sending
                await self._tunnel(early, up_reader, up_writer)
                return False
            if not isinstance(answer, h11.Response):
                return False
            self.writer.write(_send(self.http, _response(answer)))
            await _copy_body(upstream, up_reader, self.http, self.writer)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return self.http.our_state is h11.DONE and self.http.their_state is h11.DONE

    async def _tunnel(
        self, early: bytes, up_reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter
    ) -> None:
        """Bytes both ways until one side ends (RFC 6455 after the 101)."""
        self.writer.write(early)
        up_writer.write(self.http.trailing_data[0])
        pipes = [
            asyncio.create_task(_pipe(self.reader, up_writer)),
            asyncio.create_task(_pipe(up_reader, self.writer)),
        ]
        try:
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pipe in pipes:
                pipe.cancel()
            await asyncio.gather(*pipes, return_exceptions=True)

    def _headers(self, headers: Headers, upgrade: bool) -> Headers:
        dropped = OWN_HEADERS if upgrade else OWN_HEADERS | HOP_HEADERS | {b"upgrade"}
        kept = [(name, value) for name, value in headers if name.lower() not in dropped]
        host = next((value for name, value in headers if name.lower() == b"host"), b"")
        kept += [
            (b"X-Forwarded-For", self.client.encode()),
            (b"X-Forwarded-Proto", b"https" if self.secure else b"http"),
            (b"X-Forwarded-Host", host),
        ]
        return kept if upgrade else [*kept, (b"Connection", b"close")]

    async def _refuse(self, status: int, text: bytes) -> None:
        headers = [(b"Content-Type", b"text/plain"), (b"Content-Length", b"%d" % len(text))]
        answer = h11.Response(status_code=status, headers=[*headers, (b"Connection", b"close")])
        self.writer.write(_send(self.http, answer))
        self.writer.write(_send(self.http, h11.Data(data=text)))
        await self.writer.drain()


def _upgrades(headers: Headers) -> bool:
    return any(name.lower() == b"upgrade" for name, _ in headers)


def _response(answer: h11.Response) -> h11.Response:
    kept = [
        (name, value)
        for name, value in answer.headers.raw_items()
        if name.lower() not in HOP_HEADERS
    ]
    return h11.Response(status_code=answer.status_code, headers=kept, reason=answer.reason)


async def _next_event(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Event | type:
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await reader.read(CHUNK))
    return event


async def _copy_body(
    source: h11.Connection,
    reader: asyncio.StreamReader,
    target: h11.Connection,
    writer: asyncio.StreamWriter,
) -> None:
    while isinstance(event := await _next_event(source, reader), h11.Data):
        writer.write(_send(target, h11.Data(data=bytes(event.data))))
        await writer.drain()
    if isinstance(event, h11.EndOfMessage):
        writer.write(_send(target, h11.EndOfMessage(headers=event.headers)))
        await writer.drain()


def _send(http: h11.Connection, event: h11.Event) -> bytes:
    return http.send(event) or b""


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
