"""What a media process tells Prometheus: sums and states, and nothing by which a room, a person
or an address could be known. Labels are words of this file and of the media server's code alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from consultations.engine import Statistics

PREFIX = "telemed_media_"
STATES = ("checking", "handshake", "connected", "silent")
# The reasons of the media server for which a packet of its own was not sent; every other is why
# something that came was refused.
UNSENT = {"pacing", "send_buffer_full", "send_failed"}
ESTIMATES = (5e4, 1e5, 2e5, 3e5, 5e5, 7.5e5, 1e6, 1.5e6, 2.5e6, 4e6)  # bits a second


@dataclass(frozen=True)
class Now:
    """Everything at the moment of a scrape. ``people`` are sockets, ``cpu`` a part of one core."""

    statistics: Statistics
    rooms: int
    people: int
    epoch: int
    draining: bool
    full: bool
    cpu: float


class Metrics(Collector):
    """Reads ``look`` at each scrape; what must be seen oftener is handed to ``observe``."""

    def __init__(self, look: Callable[[], Now]) -> None:
        self.registry = CollectorRegistry()
        self._look = look
        self._estimates = Histogram(
            PREFIX + "viewer_estimate_bits_per_second",
            "What each viewer's link is thought to carry, taken once a second.",
            buckets=ESTIMATES,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def observe(self, estimates: Iterable[float]) -> None:
        for estimate in estimates:
            self._estimates.observe(estimate)

    def collect(self) -> Iterator[Metric]:
        now = self._look()
        yield from _gauges(now)
        yield from _traffic(now.statistics)
        yield from _trouble(now.statistics.drops)


def _gauges(now: Now) -> Iterator[Metric]:
    facts = now.statistics
    yield _gauge("rooms", "Rooms that somebody is in or may come back to.", now.rooms)
    yield _gauge("people", "Room sockets.", now.people)
    yield _gauge("recordings", "Recordings that run.", facts.recordings)
    yield _gauge("epoch", "The number of this process's life under its name.", now.epoch)
    yield _gauge("draining", "1 while it takes no new room and ends with its last.", now.draining)
    yield _gauge("full", "1 while it takes no new room for its load.", now.full)
    yield _gauge("cpu_cores", "Processor time used in the last second.", now.cpu)
    yield _gauge(
        "loop_lag_seconds", "The longest that something due lately waited.", facts.loop_lag
    )
    yield _gauge("viewer_loss_ratio", "What links to viewers lose, in the mean.", facts.loss)
    sessions = GaugeMetricFamily(
        PREFIX + "sessions", "Peer connections, connection tests too.", labels=["state"]
    )
    for state in STATES:
        sessions.add_metric([state], facts.states.get(state, 0))
    yield sessions


def _traffic(facts: Statistics) -> Iterator[Metric]:
    counts = facts.counts
    yield _both("packets", "Datagrams.", facts.packets_received, facts.packets_sent)
    yield _both("bytes", "Bytes of datagrams.", facts.bytes_received, facts.bytes_sent)
    yield _both(
        "lost_packets",
        "Packets of media that did not come: in, from publishers; out, to viewers.",
        counts.get("lost_up", 0),
        counts.get("lost_down", 0),
    )
    yield _both(
        "nacked_packets",
        "Packets asked for again: in, by viewers; out, of publishers.",
        counts.get("nacked_down", 0),
        counts.get("nacked_up", 0),
    )
    yield _both(
        "key_frame_requests",
        "Key frames asked for: in, by viewers; out, of publishers.",
        counts.get("key_frames_down", 0),
        counts.get("key_frames_up", 0),
    )
    yield _counter("resent_packets", "Packets sent again to viewers.", counts.get("resent", 0))
    yield _counter("resent_bytes", "Bytes of those.", facts.resent_bytes)


def _trouble(drops: Mapping[str, int]) -> Iterator[Metric]:
    refused = CounterMetricFamily(
        PREFIX + "refused_datagrams", "What came and went no further, by why.", labels=["reason"]
    )
    unsent = CounterMetricFamily(
        PREFIX + "queue_drops",
        "What was not sent: queues emptied by pacing, datagrams the system did not take.",
        labels=["reason"],
    )
    for reason in sorted(UNSENT):
        unsent.add_metric([reason], drops.get(reason, 0))
    for reason in sorted(drops.keys() - UNSENT):
        refused.add_metric([reason], drops[reason])
    yield unsent
    yield refused


def _gauge(name: str, means: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, means, value=value)


def _counter(name: str, means: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(PREFIX + name, means, value=value)


def _both(name: str, means: str, coming: float, going: float) -> CounterMetricFamily:
    """A counter of both directions, as this process sees them."""
    family = CounterMetricFamily(PREFIX + name, means, labels=["direction"])
    family.add_metric(["in"], coming)
    family.add_metric(["out"], going)
    return family
