"""Janus 1.1.2 with one videoroom, and the page that two people meet on."""

import contextlib
import functools
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from telemed.run.addresses import free_port

PAGE = Path(__file__).parent / "janus_page"
LIBRARIES = ("/usr/lib/x86_64-linux-gnu/janus", "/usr/lib/aarch64-linux-gnu/janus")
START_TIMEOUT = 20.0

MAIN = """
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{libraries}/plugins"
  transports_folder = "{libraries}/transports"
  events_folder = "{libraries}/none"
  loggers_folder = "{libraries}/none"
  debug_level = 3
}}
nat: {{ ice_enforce_list = "{address}" }}
plugins: {{ disable = "{others}" }}
transports: {{ disable = "{ways}" }}
"""
# In-band FEC of the voice as ours.
ROOM = """
room-1: {{
  description = "two people"
  publishers = 6
  bitrate = {bits}
  audiocodec = "opus"
  videocodec = "vp8"
  opus_fec = true
}}
"""
SOCKET = """
general: {{ ws = true
  ws_port = {port}
  json = "compact"
}}
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def page_server() -> Iterator[int]:
    """The port, on every address, of the page."""
    handler = functools.partial(_Quiet, directory=str(PAGE))
    server = http.server.ThreadingHTTPServer(("", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def running(folder: Path, address: str, kbits: int) -> Iterator[int]:
    """The port of Janus's WebSocket; its media is bound to ``address``.

    ``kbits``: what it asks of each picture (its ``bitrate``).
    """
    libraries = next(each for each in LIBRARIES if Path(each).is_dir())
    folder.mkdir()
    port = free_port()
    main = MAIN.format(
        folder=folder,
        libraries=libraries,
        address=address,
        others=_all_but("videoroom", Path(libraries, "plugins")),
        ways=_all_but("websockets", Path(libraries, "transports")),
    )
    (folder / "janus.jcfg").write_text(main)
    (folder / "janus.plugin.videoroom.jcfg").write_text(ROOM.format(bits=kbits * 1000))
    (folder / "janus.transport.websockets.jcfg").write_text(SOCKET.format(port=port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["janus", "-F", str(folder), "-C", str(folder / "janus.jcfg")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _until_up(process, port, folder / "log")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _all_but(kept: str, folder: Path) -> str:
    return ",".join(path.name for path in folder.glob("*.so") if kept not in path.name)


def _until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    limit = time.monotonic() + START_TIMEOUT
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        if process.poll() is not None or time.monotonic() > limit:
            raise RuntimeError("Janus did not start:\n" + log.read_text(errors="replace")[-2000:])
        time.sleep(0.05)
