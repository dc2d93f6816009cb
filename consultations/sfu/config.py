"""What a media server is told once, at its start."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import ifaddr


def local_addresses() -> tuple[str, ...]:
    """Addresses a neighbour can reach, IPv4 first; loopback only when there is nothing else.

    Link-local addresses are left out: they need a scope that an ICE candidate cannot carry.
    """
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text.partition("%")[0])
            if not (address.is_loopback or address.is_link_local or address.is_multicast):
                found.append(str(address))
    found.sort(key=lambda text: ":" in text)
    return tuple(dict.fromkeys(found)) or ("127.0.0.1",)


@dataclass(frozen=True)
class MediaConfig:
    """Where the server listens and what it promises to carry.

    A peer that sends media is silent after `silence_seconds`. One that sends none is heard by the
    consent checks of ICE alone, 2.5 s apart in Chromium and up to 6 s in Firefox
    (`idle_silence_seconds`); once its signalling has spoken for it (`MediaServer.heard`) it is
    silent as soon as neither was heard for `signal_silence_seconds`.

    `bind` names addresses of this machine, each of which gets one socket on the same `port`
    (0 lets the system choose); empty means `local_addresses()`. A wildcard is refused: answers
    must leave from the address that the browser was told. `advertised` names the addresses put
    into answers when they differ from `bind` (a public address translated one to one).
    """

    bind: tuple[str, ...] = ()
    port: int = 0
    advertised: tuple[str, ...] = ()
    max_peers: int = 200
    max_peers_per_room: int = 8
    max_handshakes: int = 64
    max_echoes: int = 20
    silence_seconds: float = 2.5
    idle_silence_seconds: float = 6.0
    signal_silence_seconds: float = 2.6
    reap_seconds: float = 30.0
    start_bitrate: int = 400_000
    max_bitrate: int = 5_000_000

    def __post_init__(self) -> None:
        for text in (*self.bind, *self.advertised):
            if ipaddress.ip_address(text).is_unspecified:
                raise ValueError(f"media address must be specific, not {text}")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"media port out of range: {self.port}")

    @property
    def candidate_addresses(self) -> tuple[str, ...]:
        """What answers name; empty for whatever could be bound."""
        return self.advertised or self.bind
