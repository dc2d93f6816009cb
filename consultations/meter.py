"""How busy this media process is, and whether it can take another room."""

import time

from consultations.engine import Statistics
from consultations.processes import Load

# A process past these still serves the calls it has without harm; one more might change that.
FULL_CPU = 0.75  # of a core
FULL_LAG_MS = 50.0
BUSY_CPU = (
    0.4  # below, a late loop is the fault of others on the machine, and refusing mends nothing
)
FULL_PEOPLE = 0.95  # of MEDIA_MAX_PEOPLE
ROOM_AGAIN = 0.85  # of each: what falls below is full no more
# Past these for so many beats the calls themselves suffer: whatever else it does gives way.
STRAINED_CPU, STRAINED_LAG_MS, STRAINED_BEATS = 0.95, 150.0, 3


class Meter:
    """Read once a heartbeat. ``full`` is its newest verdict, with hysteresis and two beats of
    patience: one slow moment closes nothing."""

    def __init__(self, max_people: int) -> None:
        self.full = False
        self._max_people = max_people
        self._over = self._strained = 0
        self._before = (time.monotonic(), time.process_time(), 0)

    def read(self, statistics: Statistics, rooms: int, people: int) -> Load:
        now = time.monotonic(), time.process_time(), statistics.packets_sent
        seconds = max(now[0] - self._before[0], 0.001)
        cpu = (now[1] - self._before[1]) / seconds
        packets = max(0, int((now[2] - self._before[2]) / seconds))
        self._before = now
        lag = statistics.loop_lag * 1000
        busy_lag = lag if cpu > BUSY_CPU else 0.0
        crowd = people / self._max_people / FULL_PEOPLE
        self._judge(max(cpu / FULL_CPU, busy_lag / FULL_LAG_MS, crowd))
        strained = cpu >= STRAINED_CPU or busy_lag >= STRAINED_LAG_MS
        self._strained = self._strained + 1 if strained else 0
        return Load(rooms, people, lag, cpu, packets, statistics.loss, self.full)

    @property
    def is_strained(self) -> bool:
        return self._strained >= STRAINED_BEATS

    def _judge(self, strain: float) -> None:
        self._over = self._over + 1 if strain >= 1 else 0
        if self._over >= 2:
            self.full = True
        elif strain < ROOM_AGAIN:
            self.full = False
