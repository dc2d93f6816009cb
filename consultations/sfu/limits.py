"""Token buckets: how often something may happen."""

from __future__ import annotations

from collections.abc import Hashable

MAX_KEYS = 4096
SWEEP_SECONDS = 1.0


class Allowance:
    """A bucket of `burst` tokens, refilled by `rate` a second."""

    __slots__ = ("burst", "rate", "tokens", "updated")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self.tokens = burst
        self.updated = 0.0

    def allows(self, now: float, cost: float = 1.0) -> bool:
        """Takes `cost` tokens at `now` (seconds, monotonic) if they are there."""
        self.tokens = min(self.burst, self.tokens + (now - self.updated) * self.rate)
        self.updated = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True


class AllowanceBook:
    """A bucket for each key, of bounded memory: past it, newcomers share one bucket."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._buckets: dict[Hashable, Allowance] = {}
        self._crowd = Allowance(rate, burst)
        self._swept = float("-inf")

    def __len__(self) -> int:
        return len(self._buckets)

    def allows(self, key: Hashable, now: float) -> bool:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MAX_KEYS and now - self._swept >= SWEEP_SECONDS:
                self._swept = now
                self.forget_idle(now)
            if len(self._buckets) >= MAX_KEYS:
                return self._crowd.allows(now)
            bucket = self._buckets[key] = Allowance(self.rate, self.burst)
            bucket.updated = now
        return bucket.allows(now)

    def forget_idle(self, now: float) -> None:
        """Drops the buckets that have refilled: a new one would be no different."""
        refill = self.burst / self.rate
        for key in [k for k, b in self._buckets.items() if now - b.updated > refill]:
            del self._buckets[key]
