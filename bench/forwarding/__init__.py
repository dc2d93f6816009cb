"""What a forwarded packet costs: our media process, Janus, a C floor, aiortc's MediaRelay.

    python -m bench.forwarding                          the table
    python -m bench.forwarding --rooms 30 --people 2 --seconds 10 --json
    python -m bench.forwarding --quota                  how many people a quarter of a core carries

`generator.py` is the load: real ICE, DTLS and SRTP, packets protected before the clock starts.
"""
