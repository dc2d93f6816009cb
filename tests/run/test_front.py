"""The one door, before real servers: what it passes on, what it strips, what it survives."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
import websockets

from telemed.run.addresses import listen
from telemed.run.certificate import tls_context
from telemed.run.front import Front


def telling(name: str):
    """An ASGI application that answers with what reached it; its socket echoes."""

    async def app(scope, receive, send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                text = f"{name}: {message['text']}"
                await send({"type": "websocket.send", "text": text})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(key.decode(), value.decode()) for key, value in scope["headers"]]
        told = {"name": name, "path": scope["path"], "headers": headers, "body": len(body)}
        answer = json.dumps({**told, "client": scope["client"][0], "scheme": scope["scheme"]})
        length = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": answer.encode()})

    return app


@contextlib.asynccontextmanager
async def serving(app, path: Path) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, uds=str(path), lifespan="off", log_config=None, forwarded_allow_ips="*"
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    tick = asyncio.create_task(server.main_loop())
    try:
        yield
    finally:
        server.should_exit = True
        await tick
        await server.shutdown()


@dataclass
class Door:
    port: int
    trusted: ssl.SSLContext

    @property
    def plain(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secure(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@pytest.fixture
async def door(tmp_path) -> AsyncIterator[Door]:
    web, media = tmp_path / "web.sock", tmp_path / "m1.sock"
    tls = tls_context(tmp_path, ["127.0.0.1", "localhost"])
    trusted = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
    sockets = listen(0)
    front = Front(web, {"m1": media, "m2": tmp_path / "absent.sock"}, tls)
    async with (
        serving(telling("web"), web),
        serving(telling("media"), media),
        front.serving(sockets),
    ):
        yield Door(sockets[0].getsockname()[1], trusted)


async def test_one_port_speaks_both(door):
    async with httpx.AsyncClient(verify=door.trusted) as client:
        plain = (await client.get(f"{door.plain}/x")).json()
        secure = (await client.get(f"{door.secure}/x")).json()
    assert (plain["name"], plain["scheme"]) == ("web", "http")
    assert (secure["name"], secure["scheme"]) == ("web", "https")


async def test_the_media_path_goes_to_its_process(door):
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{door.plain}/media/m1/room")).json()["name"] == "media"
        assert (await client.get(f"{door.plain}/media/m9/room")).status_code == 404
        assert (await client.get(f"{door.plain}/media/m2/room")).status_code == 502
        assert (await client.get(f"{door.plain}/mediation")).json()["name"] == "web"


async def test_what_a_client_claims_about_itself_is_dropped(door):
    claimed = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=10.0.0.1",
    }
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"{door.plain}/", headers=claimed)).json()
    arrived = [(name, value) for name, value in told["headers"] if "forwarded" in name]
    assert sorted(arrived) == [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", f"127.0.0.1:{door.port}"),
        ("x-forwarded-proto", "http"),
    ]
    assert (told["client"], told["scheme"]) == ("127.0.0.1", "http")


async def test_many_requests_share_a_connection(door):
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    for number in range(3):
        writer.write(f"GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        told = json.loads(await reader.readexactly(length))
        assert told["path"] == f"/{number}"
    writer.close()


async def test_bodies_arrive_whole_measured_or_chunked(door):
    async def pieces():
        for _ in range(64):
            yield b"x" * 16384

    async with httpx.AsyncClient() as client:
        measured = await client.post(f"{door.plain}/", content=b"x" * 1_000_000)
        chunked = await client.post(f"{door.plain}/", content=pieces())
    assert measured.json()["body"] == 1_000_000
    assert chunked.json()["body"] == 64 * 16384


@pytest.mark.parametrize("secure", [False, True])
async def test_a_socket_stays_open_both_ways(door, secure):
    address = (door.secure if secure else door.plain).replace("http", "ws", 1)
    tls = door.trusted if secure else None
    async with websockets.connect(f"{address}/media/m1/room", ssl=tls) as client:
        for word in ("salam", "azul"):
            await client.send(word)
            assert await client.recv() == f"media: {word}"


@pytest.mark.parametrize(
    "sent",
    [b"", b"\x16", b"\x16\x03\x01garbage", b"\x00\xff\x00", b"GET / HTTP/9\r\n\r\n", b"GET /"],
)
async def test_a_broken_client_concerns_nobody_else(door, sent):
    with socket.create_connection(("127.0.0.1", door.port)) as broken:
        broken.sendall(sent)
        broken.shutdown(socket.SHUT_WR)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{door.plain}/")).status_code == 200


async def test_the_certificate_is_kept_until_an_address_is_new(tmp_path):
    tls_context(tmp_path, ["localhost"])
    first = (tmp_path / "certificate.pem").read_bytes()
    tls_context(tmp_path, ["localhost"])
    assert (tmp_path / "certificate.pem").read_bytes() == first
    tls_context(tmp_path, ["localhost", "192.168.7.9"])
    assert (tmp_path / "certificate.pem").read_bytes() != first
    assert (tmp_path / "certificate.pem").stat().st_mode & 0o077 == 0
