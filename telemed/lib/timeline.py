"""Where an interval stands on a drawn day, in quarters of an hour; day.css has a class for each.

The pages hold no inline style, so a bar's place is a class: ``at-N`` (quarters from the left edge)
and ``for-N`` (its length). The time axis is never mirrored.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from telemed.lib import formats

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Window:
    """The drawn part of one day in a zone, from a full hour to another; at most 16 hours."""

    midnight: datetime
    zone: formats.Zone
    first_hour: int = 7
    last_hour: int = 19

    @classmethod
    def around(
        cls, moment: datetime, zone: formats.Zone, first: int = 7, last: int = 19
    ) -> "Window":
        """The day of ``moment`` there, widened so that the moment itself is inside."""
        wall = formats.local(moment, zone)
        first, last = min(first, wall.hour), max(last, wall.hour + 1)
        if last - first > 16:
            first, last = (first, first + 16) if wall.hour < first + 16 else (last - 16, last)
        midnight = datetime.combine(wall.date(), time(), wall.tzinfo)
        return cls(midnight, zone, first, last)

    @property
    def hours(self) -> list[str]:
        return [f"{hour % 24:02}:00" for hour in range(self.first_hour, self.last_hour)]

    @property
    def quarters(self) -> int:
        return 4 * (self.last_hour - self.first_hour)

    def at(self, moment: datetime) -> int:
        """Quarters from the left edge by the clock on the wall; may lie outside."""
        wall = formats.local(moment, self.zone).replace(tzinfo=None)
        left = self.midnight.replace(tzinfo=None) + timedelta(hours=self.first_hour)
        return (wall - left) // QUARTER

    def bar(self, starts_at: datetime, ends_at: datetime) -> str:
        """The classes of a bar, cut to the window; empty when nothing of it is inside."""
        first = max(0, self.at(starts_at))
        last = min(self.quarters, self.at(ends_at - timedelta(microseconds=1)) + 1)
        return f"at-{first} for-{last - first}" if last > first else ""
