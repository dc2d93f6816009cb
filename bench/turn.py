"""A call of somebody whose network lets no UDP through: by coturn over TLS, set up as in deploy/.

    python -m bench.turn --json

A real coturn from deploy/turnserver.conf, the whole product with the STUN and TURN addresses of
deploy/telemed.env, and two Chromium as in bench/links.py. The link of the person in the country
(8000/4000 kbit/s, 60 ms) drops every UDP packet, whatever the browser tries; a datagram shows it
before and after the call, and shows that an open link lets it through. Only TURN over TLS is left:
over which path the media went is asked of both browsers (getStats) and of the record of the call.
Nobody clicks but the specialist who lets in.

The relay is also asked for what it must refuse: other credentials than those made for somebody,
those of yesterday, every peer but the media address, TCP. Credentials end in time: with those of
a moment ago nobody gets in anew. Needs root and coturn.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench import coturn, watching
from bench.coturn import Client, Coturn, NeedsCoturn, Refused
from bench.link import OPEN, Field, NeedsRoot, Shape, field_behind
from bench.meeting import in_product, running_product
from consultations.ice_servers import LIFETIME, IceServer, ice_servers
from tests import servers

CUT = Shape(8000, 4000, 0.060, udp=False)
PATIENCE = 60.0
CALL = 25.0  # seconds: a media process stores the record every 20
HERE_V6 = "2001:db8:7e1e::1"
PERSON = "7a0f9c6e-0000-4000-8000-000000000001"
MOMENT = timedelta(seconds=4)
FORBIDDEN, UNAUTHORISED, NO_SUCH_TRANSPORT = 403, 401, 442
PEERS = [
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.0.0.53", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "203.0.113.9",
]  # fmt: skip
PEERS_V6 = ["::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", HERE_V6]
# The pair over which the media go: the kinds of both candidates, and how the relay is spoken to.
PAIR = """async () => {
  for (const connection of watching.connections()) {
    const reports = [...(await connection.getStats()).values()];
    const transport = reports.find((one) => one.type === "transport");
    const pair = reports.find((one) => one.id === transport?.selectedCandidatePairId);
    const local = reports.find((one) => one.id === pair?.localCandidateId);
    const remote = reports.find((one) => one.id === pair?.remoteCandidateId);
    if (local) return {
      type: local.candidateType, relay_protocol: local.relayProtocol ?? null,
      relay_url: local.url ?? null, remote_type: remote?.candidateType ?? null,
      round_trip_ms: Math.round((pair.currentRoundTripTime ?? 0) * 1000),
    };
  }
  return null;
}"""
RECORDS = """
from consultations.models import CallRecord
import json
print(json.dumps(dict(CallRecord.objects.exclude(connected_at=None).order_by("started_at")
                      .values_list("participant__role", "path"))))
"""

FIGURES = ("frames_per_s", "frozen_percent", "audio_concealed_percent")

Found = dict[str, Any]


# The call.


def call(field: Field, folder: Path) -> Found:
    found: Found = {"udp_passes_open": passes_udp(field)}
    field.shape(CUT)
    found["udp_passes_cut"] = passes_udp(field)
    trusts = ["--ignore-certificate-errors"]  # of the relay, whose certificate is self-made
    with (
        running_product(field, folder / "product") as product,
        sync_playwright() as driver,
        in_product(driver, field, folder, product, behind=trusts) as meeting,
        meeting() as pair,
    ):
        begun = pair.begin()
        for side, page in pair.sides.items():
            first = watching.first_after(page, "Frame", begun, PATIENCE)
            found[side] = {"first_frame_s": None if first is None else round(first, 2)}
        before = {side: page.evaluate("watching.read()") for side, page in pair.sides.items()}
        pair.country.wait_for_timeout(CALL * 1000)
        after = {side: page.evaluate("watching.read()") for side, page in pair.sides.items()}
        for side, page in pair.sides.items():
            noted = page.evaluate("at => watching.since(at)", before[side]["at"])
            figures = watching.figures(before[side], after[side], noted)
            found[side] |= {name: figures[name] for name in FIGURES}
            found[side] |= page.evaluate(PAIR) or {"type": None}
        found["records"] = json.loads(
            product.manage("shell", "--verbosity", "0", "--command", RECORDS)
        )
        found["udp_passes_cut"] |= passes_udp(field)
    return found


def passes_udp(field: Field) -> bool:
    """Whether a datagram of the namespace reaches this machine."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        field.udp_socket(field.there[0]) as there,
    ):
        here.bind((field.here[0], 0))
        here.settimeout(1.0)
        for _ in range(3):
            there.sendto(b"anybody?", here.getsockname())
        try:
            return here.recv(64) == b"anybody?"
        except TimeoutError:
            return False


# What is refused.


def refusals(relay: Coturn, media: str) -> dict[str, bool]:
    """Each thing that the relay must refuse or let, and whether it did."""
    mine, now = made_for(PERSON), datetime.now(UTC)
    found = {
        "forged password refused": code(relay, mine | {"credential": "guessed"}) == UNAUTHORISED,
        "password of another refused": code(
            relay, mine | {"credential": made_for("somebody else")["credential"]}
        )
        == UNAUTHORISED,
        "longer life refused": code(
            relay, mine | {"username": f"{int(now.timestamp()) + 10**6}:{PERSON}"}
        )
        == UNAUTHORISED,
        "yesterday's refused": code(relay, made_for(PERSON, now - timedelta(days=1)))
        == UNAUTHORISED,
        "relaying TCP refused": code(relay, mine, coturn.TCP) == NO_SUCH_TRANSPORT,
    }
    with Client(relay, mine) as client:
        client.allocate()
        found |= {f"peer {media} allowed": reaches(client, media)}
        found |= {f"peer {peer} refused": refuses(client, peer) for peer in PEERS}
        found["unasked data to 127.0.0.1 dropped"] = drops(client)
    with Client(relay, mine) as client:
        client.allocate(family=coturn.IPV6)
        found |= {f"peer {peer} refused": refuses(client, peer) for peer in PEERS_V6}
    return found | ends_in_time(relay)


def ends_in_time(relay: Coturn) -> dict[str, bool]:
    """Of credentials whose end comes; who was let in before goes on, so a long call does too."""
    ending = made_for(PERSON, datetime.now(UTC) - LIFETIME + MOMENT)
    with Client(relay, ending) as before:
        before.allocate()
        time.sleep(MOMENT.total_seconds() + 2)
        return {
            "refused anew after their end": code(relay, ending) == UNAUTHORISED,
            "a call from before goes on": before.refresh() > 0,
        }


def made_for(participant: str, now: datetime | None = None) -> IceServer:
    """By the project's own code: the entry of TURN_URLS."""
    return ice_servers(participant, now or datetime.now(UTC))[-1]


def code(relay: Coturn, server: IceServer, transport: int = coturn.UDP) -> int:
    """With which the relay refuses to let ``server`` in; 0 when it lets."""
    try:
        with Client(relay, server) as client:
            client.allocate(transport)
    except Refused as refused:
        return refused.code
    return 0


def reaches(client: Client, peer: str) -> bool:
    return _refused(lambda: client.permit((peer, 50001))) == 0


def refuses(client: Client, peer: str) -> bool:
    """By both ways to ask for a peer."""
    ways: list[Callable[[], None]] = [
        lambda: client.permit((peer, 50001)),
        lambda: client.bind((peer, 50001), 0x4001),
    ]
    return all(_refused(way) == FORBIDDEN for way in ways)


def _refused(ask: Callable[[], None]) -> int:
    try:
        ask()
    except Refused as refused:
        return refused.code
    return 0


def drops(client: Client) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside:
        inside.bind(("127.0.0.1", 0))
        inside.settimeout(1.0)
        client.send(inside.getsockname(), b"let me in")
        try:
            inside.recv(64)
        except TimeoutError:
            return True
        return False


# Telling.


def table(found: Found) -> Iterator[str]:
    yield (
        f"UDP passes: {_word(found['udp_passes_open'])} over the open link, "
        f"{_word(found['udp_passes_cut'])} over the one of the call"
    )
    yield "side       first    path    by    trip  frames/s  frozen %"
    for side in ("country", "town"):
        one = found[side]
        first = "never" if one["first_frame_s"] is None else f"{one['first_frame_s']:.2f} s"
        trip = f"{one.get('round_trip_ms', '?')} ms"
        yield (
            f"{side:8} {first:>7} {one['type'] or 'none':>7} {one.get('relay_protocol') or '-':>5} "
            f"{trip:>7} {one['frames_per_s']:9} {one['frozen_percent']:9}"
        )
    kept = ", ".join(f"{who} {path}" for who, path in found["records"].items())
    yield f"record of the call: {kept}"
    for name, held in found["refusals"].items():
        yield f"{'yes' if held else 'NO':>4}  {name}"


def faults(found: Found) -> list[str]:
    """What was not as it must be."""
    country = found["country"]
    held = {
        "an open link lets UDP through": found["udp_passes_open"],
        "the link of the call lets none": not found["udp_passes_cut"],
        "pictures on both sides": None
        not in (country["first_frame_s"], found["town"]["first_frame_s"]),
        "the country by TLS": (country["type"], country.get("relay_protocol")) == ("relay", "tls"),
        "the town without the relay": found["town"]["type"] not in ("relay", None),
        "the record names the relay": found["records"].get("patient") == "relay-tcp",
        "the record of the other does not": found["records"].get("specialist") == "ipv4",
        **found["refusals"],
    }
    return [name for name, holds in held.items() if not holds]


def _word(passes: bool) -> str:
    return "yes" if passes else "no"


def run(folder: Path) -> Found:
    with field_behind() as field:
        device = f"{field.namespace}h0"
        subprocess.run(
            ["ip", "-6", "addr", "add", f"{HERE_V6}/128", "dev", device, "nodad"], check=True
        )
        with coturn.running([field.here[0], HERE_V6], folder / "coturn") as relay:
            deployed = (servers.ROOT / "deploy" / "telemed.env").read_text()
            # The product inherits it, and the settings here read it at their first use.
            os.environ |= relay.environment(deployed)
            found = call(field, folder)
            field.shape(OPEN)
            return found | {"refusals": refusals(relay, field.here[0])}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.turn")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="telemed-turn-") as folder:
        try:
            found = run(Path(folder))
        except (NeedsRoot, NeedsCoturn) as error:
            print(error)
            return 2
        except Exception:  # noqa: BLE001 - told whole, as by the other trials
            traceback.print_exc()
            return 1
    print(*table(found), sep="\n")
    wrong = faults(found)
    print(*(f"not as it must be: {name}" for name in wrong), sep="\n" if wrong else "")
    if options.json:
        print(json.dumps(found | {"faults": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
