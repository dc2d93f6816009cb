"""A real coturn from deploy/turnserver.conf, and a client that asks it for what it must refuse.

Only ports, addresses, the secret and the certificate are other than there.
"""

import contextlib
import hashlib
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aioice import stun

from consultations.ice_servers import IceServer
from telemed.run.certificate import tls_context
from tests.servers import ROOT

CONFIGURATION = ROOT / "deploy" / "turnserver.conf"
START_TIMEOUT = 20.0
ANSWER_TIMEOUT = 5.0
UDP, TCP = 17 << 24, 6 << 24  # REQUESTED-TRANSPORT: the protocol in its first byte
IPV6 = 2 << 24
HEAD = 20
# RFC 8656 §18.6; aioice asks for IPv4 alone.
stun.ATTRIBUTES_BY_NAME["REQUESTED-ADDRESS-FAMILY"] = (
    0x0017,
    "REQUESTED-ADDRESS-FAMILY",
    stun.pack_unsigned,
    stun.unpack_unsigned,
)


class NeedsCoturn(RuntimeError):
    def __init__(self) -> None:
        super().__init__("This needs coturn. Type:  apt-get install coturn")


@dataclass
class Coturn:
    """Listens on ``addresses`` alone; its only allowed peer is the first of them."""

    addresses: list[str]
    folder: Path
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def __post_init__(self) -> None:
        self.port, self.tls_port = _free_port(self.addresses[0]), _free_port(self.addresses[0])
        self.certificate = self.folder / "certificate.pem"

    @property
    def log(self) -> str:
        return (self.folder / "coturn.log").read_text(errors="replace")

    def start(self) -> None:
        """Raises ``NeedsCoturn``; ``RuntimeError`` with its log when it does not answer."""
        program = shutil.which("turnserver")
        if program is None:
            raise NeedsCoturn
        self.folder.mkdir()
        tls_context(self.folder, self.addresses)
        path = self.folder / "turnserver.conf"
        path.write_text(self.configuration(CONFIGURATION.read_text()))
        with (self.folder / "coturn.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(path), "--pidfile="],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        limit = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"coturn does not answer:\n{self.log}")
            time.sleep(0.05)

    def configuration(self, deployed: str) -> str:
        for name, value in {
            "static-auth-secret": self.secret,
            "listening-port": self.port,
            "tls-listening-port": self.tls_port,
            "cert": self.certificate,
            "pkey": self.certificate,
            "allowed-peer-ip": self.addresses[0],
        }.items():
            deployed, found = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", deployed)
            if found != 1:
                raise RuntimeError(f"{CONFIGURATION.name} says {name} {found} times")
        listens = [f"{name}-ip={one}" for one in self.addresses for name in ("listening", "relay")]
        return "\n".join([deployed, *listens, ""])

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def environment(self, deployed: str) -> dict[str, str]:
        """The settings of STUN and TURN in ``deployed`` (deploy/telemed.env) at this address."""
        host = self.addresses[0]
        found = dict(re.findall(r"(?m)^(STUN_URLS|TURN_URLS)=(.*)$", deployed))
        for name, urls in found.items():
            tls = re.sub(r"turns:[^?,]+", f"turns:{host}:{self.tls_port}", urls)
            found[name] = re.sub(r"(stun|turn):[^?,]+", rf"\1:{host}:{self.port}", tls)
        return found | {"TURN_SECRET": self.secret}

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.addresses[0], self.tls_port)) == 0


@contextlib.contextmanager
def running(addresses: list[str], folder: Path) -> Iterator[Coturn]:
    made = Coturn(addresses, folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


class Refused(Exception):
    """By the relay; ``code`` is that of RFC 8656 §19."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class Client:
    """One connection over TLS, as whom ``server`` says. Every verb raises ``Refused``."""

    def __init__(self, coturn: Coturn, server: IceServer) -> None:
        trusting = ssl.create_default_context(cafile=str(coturn.certificate))
        plain = socket.create_connection((coturn.addresses[0], coturn.tls_port), ANSWER_TIMEOUT)
        self._socket = trusting.wrap_socket(plain, server_hostname=coturn.addresses[0])
        self._name, self._password = server["username"], server["credential"]
        self._realm, self._nonce = "", b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def allocate(self, transport: int = UDP, family: int = 0) -> tuple[str, int]:
        """The address of the relay; ``family`` is IPV6 or 0 for the usual."""
        asked: dict[str, Any] = {"REQUESTED-TRANSPORT": transport}
        if family:
            asked["REQUESTED-ADDRESS-FAMILY"] = family
        answer = self._ask(stun.Method.ALLOCATE, asked)
        relay: tuple[str, int] = answer.attributes["XOR-RELAYED-ADDRESS"]
        return relay

    def refresh(self, seconds: int = 600) -> int:
        answer = self._ask(stun.Method.REFRESH, {"LIFETIME": seconds})
        return int(answer.attributes["LIFETIME"])

    def permit(self, peer: tuple[str, int]) -> None:
        self._ask(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": peer})

    def bind(self, peer: tuple[str, int], channel: int) -> None:
        asked = {"CHANNEL-NUMBER": channel, "XOR-PEER-ADDRESS": peer}
        self._ask(stun.Method.CHANNEL_BIND, asked)

    def send(self, peer: tuple[str, int], data: bytes) -> None:
        """Unasked: a relay that does not let it through says nothing."""
        words = {"XOR-PEER-ADDRESS": peer, "DATA": data}
        told = stun.Message(stun.Method.SEND, stun.Class.INDICATION, None, words)
        self._socket.sendall(bytes(told))

    def _ask(self, method: stun.Method, asked: dict[str, Any]) -> stun.Message:
        for _ in range(3):
            request = stun.Message(method, stun.Class.REQUEST, None, dict(asked))
            if self._nonce:
                request.attributes |= {
                    "USERNAME": self._name,
                    "REALM": self._realm,
                    "NONCE": self._nonce,
                }
                words = f"{self._name}:{self._realm}:{self._password}"
                request.add_message_integrity(hashlib.md5(words.encode()).digest())
            self._socket.sendall(bytes(request))
            answer = self._hear(request.transaction_id)
            if answer.message_class == stun.Class.RESPONSE:
                return answer
            told = answer.attributes.get("NONCE", b"")
            if answer.error_code not in (401, 438) or told in (b"", self._nonce):
                break
            known, self._nonce = bool(self._nonce), told
            self._realm = answer.attributes.get("REALM", self._realm)
            if known and answer.error_code == 401:
                break
        raise Refused(*answer.attributes["ERROR-CODE"])

    def _hear(self, transaction: bytes) -> stun.Message:
        while True:
            head = self._read(HEAD)
            message = stun.parse_message(head + self._read(int.from_bytes(head[2:4])))
            if message.transaction_id == transaction:
                return message

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                raise Refused(0, "the relay hung up")
            data += more
        return data
