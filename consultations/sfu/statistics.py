"""What the server tells of itself: numbers alone, and of nobody in particular."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PeerStatistics:
    """One session as the server sees it, counted since its start.

    `family` is ipv4 or ipv6, "" before the browser chose a path. `round_trip` (seconds) and
    `loss_down` (0 to 1) are None until the browser has told of its downlink; `loss_up` is that of
    the last second. `mode` is how good the pictures can be that it is sent: full, small, slow,
    still, or voice.
    """

    family: str
    round_trip: float | None
    loss_up: float
    loss_down: float | None
    bytes_up: int
    bytes_down: int
    mode: str


@dataclass(frozen=True)
class Statistics:
    """Counted since the start; `loop_lag` is the longest of the last second, in seconds, `loss`
    what the links to viewers lose now, 0 to 1, in the mean.

    `drops` are datagrams and packets by why they went no further. `counts` are packets lost
    (`lost_up`, `lost_down`), asked for again (`nacked_up` by the server, `nacked_down` by
    viewers) and sent again (`resent`), and key frames asked for (`key_frames_up` of publishers,
    `key_frames_down` by viewers). `states` counts sessions: checking, handshake, connected,
    silent.
    """

    rooms: int
    peers: int
    packets_received: int
    packets_sent: int
    bytes_received: int
    bytes_sent: int
    resent_bytes: int
    loop_lag: float
    loss: float
    drops: dict[str, int]
    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    recordings: int = 0
