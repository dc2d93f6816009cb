"""Whether a link's queue grows: the delay gradient of Google's congestion control.

draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4, over aiortc's estimator and detector. Packets sent
within five milliseconds, or that arrive in one burst, count as one group.
"""

from __future__ import annotations

from aiortc.rate import BandwidthUsage, OveruseDetector, OveruseEstimator

GROUP_SECONDS = 0.005
SILENT_SECONDS = 5.0  # after which a gradient says nothing
PERIODS = 60


class _Estimator(OveruseEstimator):
    """aiortc's takes the minimum of its history by a loop, the half of its whole cost."""

    def update_min_frame_period(self, ts_delta: float) -> float:
        history = self.ts_delta_hist
        if len(history) >= PERIODS:
            history.pop(0)
        history.append(ts_delta)
        return min(history)


class DelayGradient:
    """Fed with every packet that arrived; `usage` is the verdict. Times are in seconds, each on
    one clock of its own that never starts over."""

    def __init__(self) -> None:
        self._start_over()

    def _start_over(self) -> None:
        self._estimator = _Estimator()
        self._detector = OveruseDetector()
        self._first_sent = self._last_sent = self._arrived = 0.0
        self._size = 0
        self._before: tuple[float, float, int] | None = None  # last sent, arrived, size

    @property
    def usage(self) -> BandwidthUsage:
        return self._detector.state()

    def arrival(self, sent: float, arrived: float, size: int, now: float) -> None:
        last_sent = self._last_sent
        if sent - last_sent > SILENT_SECONDS:
            self._start_over()
            self._first_sent = self._last_sent = sent
        elif sent < self._first_sent:
            return  # of an older group, overtaken on its way
        elif sent - self._first_sent > GROUP_SECONDS and not self._in_burst(sent, arrived):
            if self._before is not None:
                self._judge(*self._before, now)
            self._before = last_sent, self._arrived, self._size
            self._first_sent = self._last_sent = sent
            self._size = 0
        elif sent > last_sent:
            self._last_sent = sent
        self._size += size
        self._arrived = arrived

    def _in_burst(self, sent: float, arrived: float) -> bool:
        apart = arrived - self._arrived
        return apart <= GROUP_SECONDS and apart < sent - self._last_sent

    def _judge(self, sent: float, arrived: float, size: int, now: float) -> None:
        sent_ms = (self._last_sent - sent) * 1000
        now_ms = int(now * 1000)
        self._estimator.update(
            (self._arrived - arrived) * 1000,  # type: ignore[arg-type]
            sent_ms,
            self._size - size,
            self._detector.state(),
            now_ms,
        )
        estimator = self._estimator
        self._detector.detect(estimator.offset(), sent_ms, estimator.num_of_deltas(), now_ms)
