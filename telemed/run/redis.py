"""A Redis-protocol server of our own, for a machine that has none configured.

``redis-server`` when it is on the PATH, else the TCP server of fakeredis. It keeps nothing on
disk: Redis carries only what may be lost.
"""

import shutil
import sys
from collections.abc import Sequence

from fakeredis import TcpFakeServer


def command(port: int) -> Sequence[str]:
    """The command that serves Redis on 127.0.0.1:``port``."""
    server = shutil.which("redis-server")
    if server is None:
        return [sys.executable, "-m", "telemed.run.redis", str(port)]
    options = {"bind": "127.0.0.1", "port": str(port), "save": "", "appendonly": "no"}
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


if __name__ == "__main__":
    TcpFakeServer(("127.0.0.1", int(sys.argv[1]))).serve_forever()
