"""The data channel of one session: aiortc's SCTP with bounds, and one channel that both ends know.

Channel 0 is negotiated by being agreed upon here, ordered and reliable. Whatever else a browser
does with SCTP (other streams, channels that it opens, partial reliability) is taken note of and
dropped, so that nobody's memory or time grows with what a stranger sends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import (
    WEBRTC_BINARY,
    WEBRTC_STRING,
    DataChunk,
    ForwardTsnChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    tsn_plus_one,
)

from . import sctp

CHANNEL = 0
MAX_MESSAGE = 65536
WINDOW = 128 * 1024  # bytes that may wait for what is missing before them
MAX_AHEAD = 256  # packets that may wait so
MAX_UNSENT = 64 * 1024

Hear = Callable[[bytes | str], None]


class DataChannel(RTCSctpTransport):
    """Tells `hear` each whole message, and `dropped` of every packet that was not taken. Begun by
    `begin`, once DTLS is up."""

    def __init__(self, dtls: RTCDtlsTransport, hear: Hear, dropped: Callable[[], None]) -> None:
        super().__init__(dtls)
        self._advertised_rwnd = WINDOW
        self._local_partial_reliability = False
        self._hear, self._dropped = hear, dropped
        self._broken = False
        parameters = RTCDataChannelParameters("", negotiated=True, id=CHANNEL)
        self._channel: RTCDataChannel | None = RTCDataChannel(self, parameters)

    async def begin(self, remote_port: int) -> None:
        with contextlib.suppress(ConnectionError):  # closed in the meantime
            await self.start(RTCSctpCapabilities(MAX_MESSAGE), remote_port)

    async def stop(self) -> None:
        """Ends for good, and lets go of the channel and of whoever heard it, who hold this one."""
        await super().stop()
        self._channel = None
        self._hear = lambda message: None

    def tell(self, message: str) -> bool:
        """False when it was dropped: the channel is not open, or its reader is far behind."""
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > MAX_UNSENT:
            return False
        channel.send(message)
        return True

    async def _handle_data(self, data: bytes) -> None:
        try:
            sctp.check(data, self._last_received_tsn)
            await super()._handle_data(data)
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - a bad packet ends nobody's session, not even its own
            self._dropped()

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if stream_id != CHANNEL or self._broken:
            return
        if pp_id == WEBRTC_BINARY:
            self._hear(data)
        elif pp_id == WEBRTC_STRING:
            self._hear(data.decode(errors="replace"))

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        """What has no room is not acknowledged, so an honest sender sends it again later. A message
        that alone is longer than two windows never ends: then the channel is over."""
        self._sack_needed = True
        if self._broken or self._last_received_tsn is None:
            return
        if chunk.tsn != tsn_plus_one(self._last_received_tsn):
            ahead = len(self._sack_misordered)
            if ahead >= MAX_AHEAD or len(chunk.user_data) > self._advertised_rwnd:
                return
        elif self._advertised_rwnd < -WINDOW:
            self._broken = True
            self._inbound_streams.clear()
            return
        if chunk.stream_id == CHANNEL:
            await super()._receive_data_chunk(chunk)
        else:
            self._mark_received(chunk.tsn)

    async def _receive_forward_tsn_chunk(self, chunk: ForwardTsnChunk) -> None:
        """Nothing of ours is unreliable."""
