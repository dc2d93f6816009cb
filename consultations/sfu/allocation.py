"""What a viewer's link is spent on: voices first, then the pictures that fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .forward import SlotSender
    from .peer import Peer

# Opus with headers, while somebody talks: at 32 kbit/s, and at 20 in packets of 60 ms, which is how
# browsers send it where they hear of less than THIN_BITRATE (sending.js).
AUDIO_BITRATE, THIN_AUDIO_BITRATE, THIN_BITRATE = 45_000, 30_000, 180_000
FIRST_VIDEO_BITRATE = 16_000  # of a still picture every few seconds
MIN_VIDEO_BITRATE = 60_000  # of each further one
SAVED_VIDEO_BITRATE = 150_000  # of each, to a viewer who pays for every megabyte
# Of each, looked for where a link is thin: with the voice, some more than what is taken of it.
SAVED_PROBE_BITRATE = 2 * SAVED_VIDEO_BITRATE
FULL_VIDEO_BITRATE = 1_700_000
FLOWING_SECONDS = 10.0  # without a packet, after which a camera counts as off; a still comes sooner
RESUME_FACTOR = 1.5
RESUME_SECONDS = 3.0
USABLE = 0.92


@dataclass
class Share:
    """`per_picture` is in bits a second; `cap` is how many pictures a thin link is limited to,
    None when it carries all."""

    per_picture: int = 0
    known: bool = False  # divided for the first time
    cap: int | None = None
    ample_since: float | None = None


def divide(viewer: Peer, share: Share, now: float) -> None:
    """Decides how many video slots the link carries, pauses the rest, and sets the share."""
    videos = [s for s in viewer.slots.values() if s.kind == "video" and s.source is not None]
    voices = sum(s.kind == "audio" and s.source is not None for s in viewer.slots.values())
    room = viewer.downlink.estimator.bitrate * USABLE - min(voices, 2) * voice_bitrate(viewer)
    flowing = [slot for slot in videos if _flows(slot, now)]
    affordable = min(len(flowing), _affordable(room)) if viewer.appetite != "none" else 0
    if viewer.appetite == "save":
        room = min(room, max(1, affordable) * SAVED_VIDEO_BITRATE)
    pictures = _pictures(share, affordable, len(flowing), room, now)
    flowing.sort(key=lambda slot: slot.source is not None and slot.source.kind != "screen")
    for slot in videos:
        slot.pause(slot in flowing[pictures:] or viewer.appetite == "none")
    moving = sum(slot.source is not None and slot.source.open for slot in videos)
    most = {"all": FULL_VIDEO_BITRATE, "save": SAVED_PROBE_BITRATE, "none": 0}[viewer.appetite]
    if moving and most:
        viewer.downlink.probe(videos[0], moving * most, now)
    share.per_picture, share.known = int(room / max(1, pictures)), True


def voice_bitrate(viewer: Peer) -> int:
    """What each voice takes of a viewer's link."""
    thin = viewer.downlink.estimator.bitrate < THIN_BITRATE
    return THIN_AUDIO_BITRATE if thin else AUDIO_BITRATE


def _flows(slot: SlotSender, now: float) -> bool:
    """Whether a picture comes, in any size: a camera that is off costs nothing."""
    source = slot.source
    return source is not None and any(
        now - stream.last_packet < FLOWING_SECONDS for stream in (source, *source.layers)
    )


def _affordable(room: float) -> int:
    """How many pictures fit: one of some use, or as many as are of real use."""
    return max(int(room >= _needed(1)), int(room // MIN_VIDEO_BITRATE))


def _needed(pictures: int) -> int:
    return FIRST_VIDEO_BITRATE if pictures == 1 else pictures * MIN_VIDEO_BITRATE


def _pictures(share: Share, affordable: int, shown: int, room: float, now: float) -> int:
    """Fewer at once; more only when there has been room to spare for a while."""
    if share.cap is None and affordable >= shown:
        return shown
    if share.cap is None or affordable < share.cap:
        share.cap, share.ample_since = affordable, None
    elif room < _needed(share.cap + 1) * RESUME_FACTOR:
        share.ample_since = None
    elif share.ample_since is None:
        share.ample_since = now
    elif now - share.ample_since >= RESUME_SECONDS:
        share.cap, share.ample_since = affordable, None
    if share.cap >= shown:
        share.cap = None
        return shown
    return share.cap
