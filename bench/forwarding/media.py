"""Our media process, alone: `MediaServer` as the product's media process sets itself up, behind a
Unix socket that takes offers as lines of JSON."""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import uvloop

from bench.forwarding.descriptions import offer
from bench.forwarding.legs import Leg, Person, Wire
from bench.forwarding.stage import Stage
from bench.forwarding.traffic import RTX, SEQUENCE
from consultations.sfu import JoinRefused, MediaConfig, MediaServer
from consultations.sfu.collecting import keep_collections_short
from telemed.run.serve import MEDIA_SWITCH_INTERVAL

SLOTS = (5, 6)  # voices and pictures that the product's room negotiates, whoever is there
HANDSHAKES_AT_ONCE = 8


class Media:
    """A door for the load to our media process."""

    def __init__(self, control: Path, pid: int) -> None:
        self.control = control
        self.pid = pid

    async def enter(self, wire: Wire, people: list[Person]) -> None:
        """Gives every person one session that publishes and watches."""
        reader, writer = await asyncio.open_unix_connection(self.control, limit=1 << 20)
        gate = asyncio.Semaphore(HANDSHAKES_AT_ONCE)
        tasks = []
        for person in people:
            leg = Leg(wire)
            leg.rtx, leg.sequence_extension = {RTX}, SEQUENCE
            await gate.acquire()
            ask = {"room": person.room, "peer": person.number}
            ask["offer"] = offer(leg, person, watches=SLOTS)  # type: ignore[assignment]
            writer.write(json.dumps(ask).encode() + b"\n")
            answer = json.loads(await reader.readline())["answer"]
            person.publishes_on = person.watches_on = leg
            tasks.append(asyncio.create_task(_connect(leg, answer, gate)))
        await asyncio.gather(*tasks)
        writer.close()


async def _connect(leg: Leg, answer: str, gate: asyncio.Semaphore) -> None:
    try:
        await leg.connect(answer)
    finally:
        gate.release()


@contextlib.contextmanager
def running(stage: Stage) -> Iterator[Media]:
    control = stage.folder / "media.sock"
    command = [sys.executable, "-m", "bench.forwarding.media", str(control), stage.place.server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout.readline():
                raise RuntimeError("our media process did not start")
            yield Media(control, process.pid)
        finally:
            process.terminate()


async def serve(control: str, address: str) -> None:
    config = MediaConfig(bind=(address,), max_peers=10_000)
    server = await MediaServer.start(config, on_event=lambda event: None)
    keep_collections_short()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            ask = json.loads(line)
            if "offer" not in ask:
                reply = asdict(server.statistics())
            else:
                room, peer = str(ask["room"]), str(ask["peer"])
                try:
                    told = await server.join(room, peer, ask["offer"], send=True, receive=True)
                    reply = {"answer": told}
                except JoinRefused as refusal:
                    reply = {"refused": refusal.code}
            writer.write(json.dumps(reply).encode() + b"\n")
        writer.close()

    await asyncio.start_unix_server(attend, control, limit=1 << 20)
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.forwarding.media")
    parser.add_argument("control")
    parser.add_argument("address")
    options = parser.parse_args()
    sys.setswitchinterval(MEDIA_SWITCH_INTERVAL)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(options.control, options.address))


if __name__ == "__main__":
    main()
