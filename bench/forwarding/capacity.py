"""How many people a server carries when it is held to a quarter of one core."""

from typing import Any

from bench.forwarding import cpu, janus, media, packages, run
from bench.forwarding.addresses import Addresses
from bench.forwarding.run import Figures, Size
from bench.forwarding.stage import Server

SHARE = 0.25
SECONDS = 5.0
SETTLING = 3.0
MOST_LOSS, MOST_DELAY_MS = 0.001, 10.0
FIRST, MOST = 4, 256  # rooms of two
FINENESS = 0.06  # how far apart the size that is carried and the one that is not may stay
ATTEMPTS = 2  # so that a neighbour's moment does not end the search
SERVERS: dict[str, Server] = {
    "ours": media.running,
    "Janus as shipped": janus.shipped,
    "Janus event_loops = 1": janus.one_loop,
}


def find(place: Addresses, seconds: float) -> dict[str, Any]:
    """Prints every attempt; the result compares ours with the better Janus."""
    print(f"each server held to {SHARE:.0%} of one core by {cpu.quota_means()}; rooms of two;")
    print(f"carried: loss below {MOST_LOSS:.1%}, added delay at most {MOST_DELAY_MS:.0f} ms at p99")
    people = {}
    for name, server in SERVERS.items():
        if server is not media.running and not place.reaches_janus:
            print(f"{name} is left out: only root can give the load addresses it can send to")
            continue
        try:
            people[name] = 2 * _most(name, server, place, seconds)
        except packages.Missing as missing:
            print(f"{name} is left out: {missing}")
            continue
        print(f"{name}: {people[name]} people", flush=True)
    peer = max((count for name, count in people.items() if name != "ours"), default=0)
    ratio = people["ours"] / peer if peer else None
    if ratio:
        print(f"ours carries {ratio:.1f} × the people of the better Janus (goal: 3)")
    return {
        "quota_core": SHARE,
        "people": people["ours"],
        "janus_people": peer or None,
        "ratio_to_janus": round(ratio, 2) if ratio else None,
        "people_by_server": people,
    }


def _most(name: str, server: Server, place: Addresses, seconds: float) -> int:
    """The most rooms that are carried: doubled until they are not, then halved in between."""
    carried, size = 0, FIRST
    while size <= MOST and _carries(name, server, place, size, seconds):
        carried, size = size, size * 2
    refused = size
    while refused - carried > max(1, FINENESS * carried):
        middle = (carried + refused) // 2
        if _carries(name, server, place, middle, seconds):
            carried = middle
        else:
            refused = middle
    return carried


def _carries(name: str, server: Server, place: Addresses, rooms: int, seconds: float) -> bool:
    for _ in range(ATTEMPTS):
        figures = run.measure(server, place, Size(rooms, 2), SETTLING, seconds, share=SHARE)
        carried = figures.loss < MOST_LOSS and figures.delay_p99 <= MOST_DELAY_MS
        _print(name, rooms, figures, carried)
        if carried:
            return True
    return False


def _print(name: str, rooms: int, it: Figures, carried: bool) -> None:
    print(
        f"{name:22} {2 * rooms:4} people  loss {100 * it.loss:7.3f} %  p99 {it.delay_p99:8.2f} ms  "
        f"server {100 * it.server_cpu:3.0f} %  idle {100 * it.idle:3.0f} %  "
        f"{'carried' if carried else 'not carried'}",
        flush=True,
    )
    for warning in it.warnings:
        print(f"{'':22} warning: {warning}")
