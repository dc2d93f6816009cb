"""A WebSocket is opened by pages of this very site only (RFC 6455 §10.2).

Browsers let any page open a socket to anywhere and send the cookies along; all that tells a
foreign page from ours is the Origin that the browser adds.
"""

from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier

from telemed.lib.lifespan import App, Message, Receive, Send


def same_origin(app: App) -> App:
    """Lets a handshake through whose Origin names the host and port that it was sent to."""

    async def checked(scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin1")
        host = headers.get(b"host", b"").decode("latin1")
        if host and urlsplit(origin).netloc.lower() == host.lower():
            await app(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)

    return checked
