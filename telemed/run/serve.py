"""``python -m telemed.run.serve web|media --socket PATH``: one ASGI process under uvicorn.

The same command serves under ``make run`` and under systemd.
"""

import argparse
import sys

import uvicorn

# With the default of 5 ms a thread at work holds up packets for as long; measured, a tenth of it
# brings the delay at p99 from 43 ms to 10 ms where two threads work (docs/architecture.md).
MEDIA_SWITCH_INTERVAL = 0.0005
# What a browser may say at once, inflated: refused by the server of sockets before anything is made
# of it. Its default of 16 MB is 16 kB on the wire, and a tenth of a second of everybody's calls.
MAX_MESSAGE_BYTES = 64 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m telemed.run.serve")
    parser.add_argument("app", choices=("web", "media"))
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", help="path of the Unix socket to listen on")
    where.add_argument("--port", type=int, help="TCP port on 127.0.0.1 to listen on")
    options = parser.parse_args()
    if options.app == "media":
        sys.setswitchinterval(MEDIA_SWITCH_INTERVAL)
    uvicorn.run(
        f"telemed.asgi:{options.app}",
        uds=options.socket,
        port=options.port or 0,
        loop="uvloop",
        lifespan="on" if options.app == "media" else "off",
        log_config=None,
        access_log=False,  # paths may hold a personal link; the request middleware logs routes
        server_header=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        # Only the front reaches this socket, and the front has dropped what the client claimed.
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
