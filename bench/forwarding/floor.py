"""The C floor: built on the spot from `floor.c`, given its keys in a file."""

import contextlib
import secrets
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pylibsrtp import Policy, Session

from bench.forwarding import packages
from bench.forwarding.legs import Leg, Person, Wire
from bench.forwarding.stage import Stage
from bench.forwarding.traffic import SEQUENCE

SOURCE = Path(__file__).with_suffix(".c")
KEY_BYTES = 28  # AEAD_AES_128_GCM: key and salt


@dataclass
class Floor:
    """A door without a handshake: the keys of every session are agreed beforehand."""

    address: str
    port: int
    pid: int
    keys: dict[int, tuple[bytes, bytes]]

    async def enter(self, wire: Wire, people: list[Person]) -> None:
        for person in people:
            leg = person.publishes_on = person.watches_on = Leg(wire)
            leg.remote = self.address, self.port
            sends, receives = self.keys[leg.address]
            leg.tx = _session(sends, Policy.SSRC_ANY_OUTBOUND)
            leg.rx = _session(receives, Policy.SSRC_ANY_INBOUND)
            leg.sequence_extension, leg.cipher = SEQUENCE, "SRTP_AEAD_AES_128_GCM"


@contextlib.contextmanager
def running(stage: Stage) -> Iterator[Floor]:
    program = _build(stage.folder)
    keys, lines = {}, []
    for number, rooms in enumerate(stage.shares, 1):
        first = stage.place.first(number)
        for place, room in enumerate(room for room in rooms for _ in range(stage.people)):
            pair = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)
            keys[first + place] = pair
            host = socket.inet_ntoa((first + place).to_bytes(4))
            lines.append(f"{host} {room} {pair[0].hex()} {pair[1].hex()}\n")
    sessions = stage.folder / "sessions"
    sessions.write_text("".join(lines))
    command = [str(program), stage.place.server, str(sessions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline())
            yield Floor(stage.place.server, port, process.pid, keys)
        finally:
            process.kill()


def _build(folder: Path) -> Path:
    for package in ("gcc", "libc6-dev", "libsrtp2-dev"):
        packages.ensure(package)
    program = folder / "floor"
    command = ["gcc", "-O2", "-Wall", "-o", str(program), str(SOURCE), "-lsrtp2"]
    subprocess.run(command, check=True, capture_output=True)
    return program


def _session(key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)
