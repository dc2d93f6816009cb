"""The estimate of a downlink, fed by a link that is simulated packet by packet."""

from collections import deque

import pytest

from consultations.sfu.bandwidth import BandwidthEstimator
from consultations.sfu.limits import Allowance, AllowanceBook
from consultations.sfu.probing import Train

SIZE = 1000


class SimulatedLink:
    """A queue served at `rate` (bits a second) with 30 ms of delay each way; feedback each
    60 ms."""

    def __init__(self, estimator: BandwidthEstimator, rate: float) -> None:
        self.estimator, self.rate = estimator, rate
        self.now = 1000.0
        self.size = SIZE
        self.clock = 0.0  # how far the viewer's clock is ahead
        self._number = 0
        self._free_at = 0.0
        self._arrivals: deque[tuple[int, float]] = deque()

    def run(self, seconds: float, send_rate: float | None = None) -> None:
        """Sends at `send_rate`, or as fast as the estimate says."""
        end, feedback_at = self.now + seconds, self.now
        while self.now < end:
            self.now += self.size * 8 / (send_rate or self.estimator.bitrate)
            self._number = (self._number + 1) & 0xFFFF
            self.estimator.sent(self._number, self.size, self.now)
            self._free_at = max(self._free_at, self.now) + self.size * 8 / self.rate
            self._arrivals.append((self._number, self._free_at + 0.03))
            if self.now >= feedback_at:
                feedback_at = self.now + 0.06
                self._report()

    def _report(self) -> None:
        report: list[tuple[int, float | None]] = []
        while self._arrivals and self._arrivals[0][1] <= self.now - 0.03:
            number, arrival = self._arrivals.popleft()
            report.append((number, (arrival + self.clock) % ((1 << 24) * 0.064)))
        if report:
            self.estimator.feedback(report, self.now)


def test_it_comes_down_to_what_a_thin_link_carries_and_stays_there() -> None:
    estimator = BandwidthEstimator(1_000_000, 5_000_000)
    link = SimulatedLink(estimator, 400_000)
    link.run(5)
    assert 200_000 < estimator.bitrate < 440_000
    link.run(20)
    assert 250_000 < estimator.bitrate < 480_000


def test_it_grows_where_there_is_room() -> None:
    estimator = BandwidthEstimator(400_000, 5_000_000)
    SimulatedLink(estimator, 3_000_000).run(20)
    assert estimator.bitrate > 1_200_000


def test_loss_up_to_a_tenth_is_borne_and_more_lowers_it() -> None:
    estimator = BandwidthEstimator(1_000_000, 2_000_000)
    lost = {20: 0.05, 60: 0.3}
    now, number, rates = 1000.0, 0, []
    for steps, loss in lost.items():
        for _ in range(steps):
            report: list[tuple[int, float | None]] = []
            for index in range(20):
                now, number = now + 0.005, (number + 1) & 0xFFFF
                estimator.sent(number, SIZE, now)
                report.append((number, None if index < 20 * loss else now + 0.02))
            estimator.feedback(report, now + 0.05)
        rates.append(estimator.bitrate)
    assert rates[0] >= 1_000_000
    assert rates[1] < 0.6 * rates[0]


def test_what_is_on_the_way_closes_the_window_until_reported_or_forgotten() -> None:
    estimator = BandwidthEstimator(400_000, 5_000_000)
    estimator.sent(1, 1000, 1.0)
    estimator.feedback([(1, 5.0)], 1.05)
    number = 1
    while estimator.window_open(1.1):
        number += 1
        estimator.sent(number, 1000, 1.1)
    assert 10 < number < 40
    assert estimator.window_open(2.2), "a lost report must not stop everything for good"
    estimator.feedback([(n, 5.1) for n in range(2, number + 1)], 1.2)
    assert estimator.window_open(1.2)


@pytest.mark.parametrize(("link", "expected"), [(5_000_000, 1_000_000), (500_000, 520_000)])
def test_a_train_proves_what_it_arrives_at(link: float, expected: float) -> None:
    train = Train(65530, 1_000_000, 1.0)
    sent, free = 1.0, 0.0
    reports = []
    for number in range(12):
        free = max(free, sent) + 260 * 8 / link
        reports.append(((65530 + number) & 0xFFFF, sent, free))
        sent += 260 * 8 / 1_000_000
    train.finish((65530 + 11) & 0xFFFF)
    for number, at, arrival in reports:
        train.note(number, at, arrival, 260)
    train.note(400, 1.1, 1.2, 1200)  # not of the train
    assert train.done(1.1)
    assert train.result() == pytest.approx(expected, rel=0.05)


def test_feedback_that_comes_while_a_train_is_sent_counts_for_it() -> None:
    train = Train(65530, 1_000_000, 1.0)
    for number in range(12):
        if number == 7:
            train.finish((65530 + 11) & 0xFFFF)
        at = 1.0 + number * 0.002
        train.note((65530 + number) & 0xFFFF, at, at + 0.03, 260)
    assert train.done(1.1)
    assert train.result() == pytest.approx(1_000_000, rel=0.05)


def test_a_browsers_clock_that_starts_over_changes_nothing() -> None:
    estimator = BandwidthEstimator(1_000_000, 5_000_000)
    link = SimulatedLink(estimator, 800_000)
    link.clock = (1 << 24) * 0.064 - 1005  # five seconds before its reference time wraps
    link.run(30)
    assert estimator.throughput < 900_000
    assert 400_000 < estimator.bitrate < 900_000


def test_a_collapse_is_seen_after_a_long_silence() -> None:
    estimator = BandwidthEstimator(1_000_000, 5_000_000)
    link = SimulatedLink(estimator, 3_000_000)
    link.run(5)
    link.now += 40
    link.rate = 400_000
    link.run(3)
    assert estimator.bitrate < 480_000


def test_an_allowance_refills_with_time() -> None:
    allowance = Allowance(rate=10, burst=2)
    assert [allowance.allows(1.0) for _ in range(3)] == [True, True, False]
    assert allowance.allows(1.1)


def test_a_book_of_allowances_stays_small() -> None:
    book = AllowanceBook(rate=10, burst=20)
    for number in range(10_000):
        book.allows(f"host{number}", 1.0)
    assert len(book) <= 4096
    assert book.allows("host1", 1.0)


def collapsed() -> tuple[BandwidthEstimator, SimulatedLink]:
    """A link of 1 Mbit/s that has just become one of 100 kbit/s."""
    estimator = BandwidthEstimator(800_000, 5_000_000)
    link = SimulatedLink(estimator, 1_000_000)
    link.run(5)
    link.rate = 100_000
    return estimator, link


def test_what_was_lost_before_the_estimate_came_down_does_not_bring_it_down_again() -> None:
    estimator, link = collapsed()
    number, begun = 40_000, link.now
    for index in range(60):
        estimator.sent(number + index, SIZE, begun + index * 0.01)
    late = [(number + index, begun + 1 + index * 0.08) for index in range(12)]
    for part in (late[:4], late[4:8], late[8:]):
        estimator.feedback([(n, at - 0.97) for n, at in part], part[-1][1])
    came_down = estimator.bitrate
    assert came_down < 120_000
    lost: list[tuple[int, float | None]] = [(number + index, None) for index in range(12, 60)]
    estimator.feedback(lost, begun + 3.2)
    assert estimator.bitrate >= 0.95 * came_down


def test_an_older_queue_is_no_reason_to_come_down_where_little_is_sent() -> None:
    estimator, link = collapsed()
    link.run(20)
    before = estimator.bitrate
    link.size = 100
    link.run(2, send_rate=0.5 * before)
    link.rate = 0.3 * before  # somebody else's queue is served too
    link.run(4, send_rate=0.5 * before)
    assert estimator.bitrate >= 0.95 * before


def test_a_long_call_on_a_good_link_leaves_nothing_behind() -> None:
    estimator = BandwidthEstimator(800_000, 1_000_000)
    link = SimulatedLink(estimator, 5_000_000)
    link.run(60)
    assert len(estimator._reported) < 30
