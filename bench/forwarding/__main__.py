"""``python -m bench.forwarding``: see the package's text."""

import argparse
import json
import math
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench.forwarding import addresses, capacity, cpu, floor, janus, media, packages, relay, run
from bench.forwarding.addresses import Addresses
from bench.forwarding.run import Figures, Size
from bench.forwarding.stage import Server

SIZES = [Size(10, 2), Size(30, 2), Size(60, 2), Size(10, 6)]
OF_THE_GOAL = Size(30, 2)
SECONDS = 10.0
TOLERATED_LOSS = 0.01  # above it a Janus configuration is not the better one, however cheap
SETTLING, NOTHING_TO_SETTLE = 3.0, 1.5  # ours tries each link out first
JANUS = {"as shipped": janus.shipped, "event_loops = 1": janus.one_loop}
HEADINGS = (
    f"{'rooms':8} {'server':22} {'µs/packet':>9} {'packets/s':>9} {'loss':>8} {'p50 ms':>7} "
    f"{'p99 ms':>7} {'server':>7} {'load':>9} {'idle':>5} {'checked':>7}"
)


@dataclass
class Row:
    """One size in one run; a server that could not be had is None."""

    size: Size
    ours: Figures
    janus: Figures | None
    janus_configuration: str
    floor: Figures | None

    @property
    def ratio_to_janus(self) -> float | None:
        return self.ours.us_per_packet / self.janus.us_per_packet if self.janus else None

    @property
    def ratio_to_floor(self) -> float | None:
        return self.ours.us_per_packet / self.floor.us_per_packet if self.floor else None

    def as_json(self) -> dict[str, Any]:
        own, other, least = self.ours, self.janus, self.floor
        figures = {
            "rooms": self.size.rooms,
            "people": self.size.people,
            "us_per_packet": own.us_per_packet,
            "ratio_to_janus": self.ratio_to_janus,
            "ratio_to_floor": self.ratio_to_floor,
            "loss": own.loss,
            "added_delay_ms_p50": own.delay_p50,
            "added_delay_ms_p99": own.delay_p99,
            "packets_per_second": own.packets_per_second,
            "media_cpu": own.server_cpu,
            "janus_us_per_packet": other.us_per_packet if other else None,
            "janus_configuration": self.janus_configuration if other else None,
            "janus_loss": other.loss if other else None,
            "janus_added_delay_ms_p50": other.delay_p50 if other else None,
            "janus_added_delay_ms_p99": other.delay_p99 if other else None,
            "floor_us_per_packet": least.us_per_packet if least else None,
            "floor_loss": least.loss if least else None,
            "generator_cpu": max(own.load_cpu),
            "generator_late_ms_p99": own.late_p99,
            "machine_idle": own.idle,
            "checked": own.checked,
            "warnings": own.warnings,
        }
        return {name: _rounded(value) for name, value in figures.items()}


def measure(place: Addresses, size: Size, seconds: float) -> Row:
    """Ours, Janus in both configurations and the floor, in turn; prints each as it is known."""
    part = seconds / 2
    own = run.measure(media.running, place, size, SETTLING, seconds)
    _print(size, "ours", own)
    configuration, peer = _janus(place, size, part)
    least = _if_had("C floor", floor.running, place, size, part)
    row = Row(size, own, peer, configuration, least)
    if row.ratio_to_janus:
        print(f"{'':8} ours costs {row.ratio_to_janus:.2f} × Janus ({configuration})", end="")
        print(f", {row.ratio_to_floor:.1f} × the floor" if row.ratio_to_floor else "")
    return row


def _janus(place: Addresses, size: Size, seconds: float) -> tuple[str, Figures | None]:
    """Janus in the configuration that serves it better here, and which that is."""
    if not place.reaches_janus:
        print(f"{'':8} Janus is left out: only root can give the load addresses it can send to")
        return "", None
    runs = {
        name: figures
        for name, server in JANUS.items()
        if (figures := _if_had(f"Janus {name}", server, place, size, seconds)) is not None
    }
    if not runs:
        return "", None
    best = min(runs, key=lambda name: _merit(runs[name]))
    return best, runs[best]


def _merit(it: Figures) -> tuple[float, float]:
    """The cheaper one is the better, unless it gets there by losing packets."""
    return (it.loss, 0.0) if it.loss > TOLERATED_LOSS else (0.0, it.us_per_packet)


def _if_had(
    name: str, server: Server, place: Addresses, size: Size, seconds: float
) -> Figures | None:
    try:
        figures = run.measure(server, place, size, NOTHING_TO_SETTLE, seconds)
    except packages.Missing as missing:
        print(f"{'':8} {name} is left out: {missing}")
        return None
    _print(size, name, figures)
    return figures


def _print(size: Size, name: str, it: Figures) -> None:
    load = "+".join(f"{100 * part:.0f}" for part in it.load_cpu) + " %"
    print(
        f"{size!s:8} {name:22} {it.us_per_packet:9.1f} {it.packets_per_second:9.0f} "
        f"{100 * it.loss:7.3f}% {it.delay_p50:7.2f} {it.delay_p99:7.2f} "
        f"{100 * it.server_cpu:5.0f} % {load:>9} {100 * it.idle:3.0f} % {it.checked:7}",
        flush=True,
    )
    for warning in it.warnings:
        print(f"{'':8} warning: {warning}")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


def main() -> None:
    options = _options()
    print(f"Janus {packages.version('janus') or 'not installed yet'}; {_versions()}")
    with addresses.reserved() as place:
        if options.quota:
            try:
                told = capacity.find(place, options.seconds or capacity.SECONDS)
            except cpu.QuotaUnavailable as unavailable:
                sys.exit(f"--quota: {unavailable}")
        elif options.rooms:
            print(HEADINGS)
            told = measure(
                place, Size(options.rooms, options.people), options.seconds or SECONDS
            ).as_json()
        else:
            told = _table(place, options.seconds or SECONDS)
    if options.json:
        print(json.dumps(told))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.forwarding")
    parser.add_argument("--rooms", type=int, help="measure this one size")
    parser.add_argument("--people", type=int, default=2, help="in each room (default 2)")
    parser.add_argument("--seconds", type=float, help="of ours; the others get half of it each")
    parser.add_argument("--quota", action="store_true", help="people that 25 %% of a core carries")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    if not 2 <= options.people <= 6:
        parser.error("a room holds two to six people")
    return options


def _versions() -> str:
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout
    return f"Linux {kernel.strip()}, ICE-lite and SRTP_AEAD_AES_128_GCM everywhere"


def _table(place: Addresses, seconds: float) -> dict[str, Any]:
    """All sizes and MediaRelay; the JSON is that of the goal's size, and the rest beneath it."""
    print(HEADINGS)
    rows = [measure(place, size, seconds) for size in SIZES]
    cost, rate = relay.measure(seconds / 2)
    print(f"{'1 × 2':8} {'aiortc MediaRelay':22} {cost:9.0f} {rate:9.0f}")
    goal = next(row for row in rows if row.size == OF_THE_GOAL)
    return goal.as_json() | {
        "media_relay_us_per_packet": round(cost, 1),
        "sizes": [row.as_json() for row in rows],
    }


if __name__ == "__main__":
    main()
