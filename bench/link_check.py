"""Whether a link does what it says: rate, delay, loss, bursts and outages, measured through it.

    python -m bench.link_check --json

Sends datagrams from the namespace to here and back, both ends in this process and on one clock.
Ends with 1 when a figure is off: rate by more than 3 %, delay by more than 3 ms, loss by more
than three standard deviations, an outage by more than 20 ms.
"""

import argparse
import itertools
import json
import math
import socket
import sys
import threading
import time
from dataclasses import replace

from bench.link import Field, Shape, field_behind
from bench.shapes import SHAPES

SMALL, FULL = 72, 1172  # bytes of payload: 100 and 1200 with the headers of IP and UDP
HEADERS = 28
Arrivals = list[tuple[int, float, float]]  # number, sent at, arrived at


class Way:
    """One direction through the link."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)

    def send(self, size: int, count: int, gap: float, patience: float = 0.7) -> Arrivals:
        """Sends ``count`` datagrams ``gap`` seconds apart; what arrived, until nothing does."""
        found: Arrivals = []
        listening = threading.Thread(target=self._listen, args=(found, patience))
        target = self.sink.getsockname()
        begun = time.monotonic()
        listening.start()
        for number in range(count):
            while (early := begun + number * gap - time.monotonic()) > 0:
                time.sleep(early)
            stamp = f"{number} {time.monotonic():.6f} ".encode()
            self.source.sendto(stamp.ljust(size, b"."), target)
        listening.join()
        return found

    def _listen(self, found: Arrivals, patience: float) -> None:
        self.sink.settimeout(patience)
        try:
            while True:
                number, sent, _ = self.sink.recv(2048).split(b" ", 2)
                found.append((int(number), float(sent), time.monotonic()))
        except TimeoutError:
            return


def rate(way: Way, kbits: float) -> float:
    """Kbit/s that come out when a third more goes in."""
    gap = (FULL + HEADERS) * 8 / (kbits * 1000 * 1.33)
    found = way.send(FULL, max(40, int(3 / gap)), gap, patience=2.0)
    seconds = found[-1][2] - found[0][2]
    return (len(found) - 1) * (FULL + HEADERS) * 8 / seconds / 1000


def delay(way: Way) -> float:
    """Median seconds of a small datagram on an idle link."""
    taken = sorted(at - sent for _, sent, at in way.send(SMALL, 60, 0.03))
    return taken[len(taken) // 2]


def losses(way: Way, count: int) -> tuple[float, float]:
    """Share lost, and the mean length of a run of losses."""
    arrived = {number for number, _, _ in way.send(SMALL, count, 0.0005)}
    gone = [number not in arrived for number in range(count)]
    runs = sum(lost and not before for lost, before in zip(gone, [False, *gone], strict=False))
    return sum(gone) / count, sum(gone) / max(1, runs)


def outage(field: Field, way: Way) -> float:
    """Longest gap, in seconds, around an outage of half a second."""
    shape = Shape(round_trip=0.06)
    field.shape((0.0, shape), (0.5, replace(shape, works=False)), (1.0, shape))
    times = [at for _, _, at in way.send(SMALL, 300, 0.005)]
    return max(late - early for early, late in itertools.pairwise(times))


def check(field: Field, name: str, shape: Shape, ways: dict[str, Way]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for side, way in ways.items():
        kbits = shape.down if side == "down" else shape.up
        field.shape(replace(shape, loss=0))
        figures[f"{side}_kbits"] = rate(way, kbits)
        figures[f"{side}_delay_ms"] = delay(way) * 1000
        field.shape(Shape(loss=shape.loss, burst=shape.burst))
        lost, burst = losses(way, 6000)
        figures[f"{side}_loss"], figures[f"{side}_burst"] = lost, burst
    return figures


def faults(shape: Shape, figures: dict[str, float], count: int = 6000) -> list[str]:
    found = []
    for side, kbits in (("down", shape.down), ("up", shape.up)):
        passage = shape.round_trip / 2 + (SMALL + HEADERS) * 8 / (kbits * 1000)
        sigma = math.sqrt(shape.loss * (1 - shape.loss) / count * (2 * shape.burst - 1))
        if abs(figures[f"{side}_kbits"] / kbits - 1) > 0.03:
            found.append(f"{side}: rate")
        if abs(figures[f"{side}_delay_ms"] - passage * 1000) > 3:
            found.append(f"{side}: delay")
        if abs(figures[f"{side}_loss"] - shape.loss) > 3 * sigma:
            found.append(f"{side}: loss")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.link_check")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    everything: dict[str, object] = {}
    wrong: list[str] = []
    with field_behind() as field:
        inside = field.udp_socket(field.there[0])
        outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outside.bind((field.here[0], 0))
        ways = {"down": Way(outside, inside), "up": Way(inside, outside)}
        for name in ("4g", "3g", "edge", "lossy"):
            shape = SHAPES[name]
            figures = check(field, name, shape, ways)
            everything[name] = {key: round(value, 4) for key, value in figures.items()}
            wrong += [f"{name} {fault}" for fault in faults(shape, figures)]
            for side, kbits in (("down", shape.down), ("up", shape.up)):
                print(
                    f"{name:6} {side:5} {kbits:5.0f} kbit/s: {figures[f'{side}_kbits']:7.1f}"
                    f"   {shape.round_trip * 500:4.0f} ms: {figures[f'{side}_delay_ms']:6.1f}"
                    f"   {shape.loss:6.2%} lost: {figures[f'{side}_loss']:6.2%}"
                    f"   {shape.burst:.0f} in a row: {figures[f'{side}_burst']:.2f}"
                )
        away = outage(field, ways["up"])
        everything["outage_s"] = round(away, 4)
        print(f"an outage of 0.5 s: {away:.3f} s")
        wrong += ["outage"] if abs(away - 0.505) > 0.02 else []
    print("off: " + ", ".join(wrong) if wrong else "all within bounds")
    if options.json:
        print(json.dumps({**everything, "off": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
