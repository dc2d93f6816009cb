"""The nginx of deploy/, with only paths, addresses, ports and the certificate of this trial, and a
mirror that tells what reaches the processes behind it.
"""

import base64
import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer

from bench.units import DEPLOY, HOST, START_TIMEOUT, Folder, Wrong
from telemed.run.addresses import free_port


class Nginx:
    """deploy/nginx.conf on free ports of 127.0.0.1 and ::1."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.path = folder / "nginx/nginx.conf"
        self.path.write_text(self._whole())

    def _whole(self) -> str:
        home = self.folder / "nginx"
        (home / "site.conf").write_text(self.site((DEPLOY / "nginx.conf").read_text()))
        kept = [
            f"{name}_temp_path {home}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        return "\n".join(
            [
                "user root;" if os.geteuid() == 0 else "",
                f"pid {home}/pid;",
                f"error_log {home}/start.log;",
                "daemon off;",
                "events {}",
                f"http {{ {' '.join(kept)} include {home}/site.conf; }}",
                "",
            ]
        )

    def site(self, deployed: str) -> str:
        for old, new in {
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "listen [::]:80;": f"listen [::1]:{self.port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.tls_port} ssl;",
            "listen [::]:443 ssl;": f"listen [::1]:{self.tls_port} ssl;",
            "/etc/telemed/tls/": f"{self.folder / 'tls'}/",
            "/run/telemed/": f"{self.folder / 'run'}/",
            "/var/log/nginx/": f"{self.folder / 'nginx'}/",
        }.items():
            if old not in deployed:
                raise Wrong(f"nginx.conf does not say {old}")
            deployed = deployed.replace(old, new)
        return deployed

    def test(self) -> str:
        """What ``nginx -t`` has against it; empty for nothing."""
        done = subprocess.run(
            ["nginx", "-t", "-q", "-c", str(self.path)], capture_output=True, text=True
        )
        return done.stderr if done.returncode or "warn" in done.stderr else ""

    def start(self) -> None:
        self.process = subprocess.Popen(["nginx", "-c", str(self.path)])
        limit = time.monotonic() + START_TIMEOUT
        with contextlib.suppress(OSError):
            while not listens("127.0.0.1", self.tls_port):
                if self.process.poll() is not None or time.monotonic() > limit:
                    raise Wrong((self.folder / "nginx/start.log").read_text())
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def ask(
        self, path: str, *, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with small letters and body, from the outside."""
        plain = socket.create_connection(("127.0.0.1", self.tls_port), 20)
        trusting = ssl.create_default_context(cafile=str(self.folder / "tls/fullchain.pem"))
        asking = http.client.HTTPConnection(HOST, timeout=20)
        asking.sock = trusting.wrap_socket(plain, server_hostname=HOST)
        words = {name.replace("_", "-"): value for name, value in headers.items()}
        asking.request(method, path, headers={"Host": HOST, **words})
        answer = asking.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        body = b"" if answer.status == 101 else answer.read()
        asking.close()
        return answer.status, told, body

    def upgrades(self, path: str) -> int:
        """The status of the answer to a WebSocket's opening handshake (RFC 6455 §4)."""
        return self.ask(
            path,
            Connection="Upgrade",
            Upgrade="websocket",
            Origin=f"https://{HOST}",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key=base64.b64encode(secrets.token_bytes(16)).decode(),
        )[0]


@contextlib.contextmanager
def running(nginx: Nginx) -> Iterator[None]:
    nginx.start()
    try:
        yield
    finally:
        nginx.stop()


def listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


class _Mirror(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


class _Reflects(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({k.lower(): v for k, v in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def mirror(folder: Folder) -> Iterator[str]:
    """A path of nginx behind which a process tells what it was told of the client."""
    server = _Mirror(str(folder / "run/media-mirror.sock"), _Reflects)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "/media/mirror/"
    finally:
        server.shutdown()
        server.server_close()
