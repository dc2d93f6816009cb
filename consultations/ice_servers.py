"""STUN and TURN servers for one participant, with credentials that coturn checks by itself."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TypedDict

from django.conf import settings

# Nobody gets in with them afterwards. coturn does not ask again those who are in, so a longer call
# goes on; who comes back over another network is given new ones with the answer.
LIFETIME = timedelta(hours=6)


class IceServer(TypedDict, total=False):
    """RTCIceServer of the WebRTC API."""

    urls: list[str]
    username: str
    credential: str


def ice_servers(participant: str, now: datetime) -> list[IceServer]:
    """What ``RTCPeerConnection`` takes; empty when no server is configured.

    TURN credentials follow draft-uberti-behave-turn-rest-00: the name is the expiry in Unix
    seconds and who it was made for, the password its HMAC-SHA1 with the secret shared with coturn
    (``use-auth-secret``). Whoever is not admitted must not be given any.
    """
    servers: list[IceServer] = []
    if settings.STUN_URLS:
        servers.append({"urls": settings.STUN_URLS})
    if settings.TURN_URLS:
        username = f"{int((now + LIFETIME).timestamp())}:{participant}"
        digest = hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
        servers.append(
            {
                "urls": settings.TURN_URLS,
                "username": username,
                "credential": base64.b64encode(digest).decode(),
            }
        )
    return servers
