"""``python -m tests.sfu.flooder FD HOST PORT SECONDS``: sends the datagrams of its standard input
(one a line, in hexadecimal) over and over through a socket that it was handed, as fast as a
process of its own can. Prints how many went out.
"""

import contextlib
import itertools
import socket
import sys
import time


def main() -> None:
    fd, host, port, seconds = sys.argv[1:]
    datagrams = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    address = host, int(port)
    sock = socket.socket(fileno=int(fd))
    until, sent = time.monotonic() + float(seconds), 0
    for datagram in itertools.cycle(datagrams):
        with contextlib.suppress(BlockingIOError):
            sock.sendto(datagram, address)
            sent += 1
        if sent % 20 == 0:
            time.sleep(0.001)
            if time.monotonic() > until:
                break
    sys.stdout.write(str(sent))


if __name__ == "__main__":
    main()
