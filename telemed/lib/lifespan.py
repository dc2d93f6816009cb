"""The ASGI lifespan protocol, spoken by a context manager."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def living(context: Callable[[], AbstractAsyncContextManager[None]]) -> App:
    """An application for the ``lifespan`` scope that stands inside ``context`` while it serves.

    An exception from the context ends the process: the server logs it and does not start.
    """

    async def lifespan(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        async with context():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return lifespan


async def alive(scope: Message, receive: Receive, send: Send) -> None:
    """The only page of a process that serves no pages: 200 whatever is asked."""
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
