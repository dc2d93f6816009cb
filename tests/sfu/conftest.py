from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from playwright.async_api import Browser

from consultations.sfu import AnyEvent, MediaConfig, MediaServer
from tests.sfu import chromium

Start = Callable[..., Awaitable[MediaServer]]


@pytest.fixture
def events() -> list[AnyEvent]:
    return []


@pytest.fixture
async def start(events: list[AnyEvent]) -> AsyncIterator[Start]:
    """Starts media servers, on a free port, that report to `events`; stops them at the end."""
    servers = []

    async def start_server(**options: object) -> MediaServer:
        server = await MediaServer.start(MediaConfig(**options), events.append)  # type: ignore[arg-type]
        servers.append(server)
        return server

    yield start_server
    for server in servers:
        await server.close()


@pytest.fixture
async def server(start: Start) -> MediaServer:
    return await start()


@pytest.fixture
def address() -> Iterator[str]:
    with chromium.page_server() as url:
        yield url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium.browser() as launched:
        yield launched
