"""An SMS gateway on a local port: a real HTTP server that knows idempotency keys."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gateway:
    """``taken`` holds what was accepted, ``asked`` every request's key, ``answers`` the status of
    the next requests (then 202). While ``open`` is cleared, answers are held back."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/send"
        self.taken: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.answers: list[int] = []
        self.got = threading.Event()
        self.answered = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def take(self, key: str, body: dict[str, str]) -> int:
        self.asked.append(key)
        status = self.answers.pop(0) if self.answers else 202
        if status == 202 and key in self.taken:
            status = 409
        if status == 202:
            self.taken[key] = body
        self.got.set()
        self.open.wait(30)
        return status


@contextmanager
def gateway() -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.headers = dict(self.headers)
            status = state.take(self.headers["Idempotency-Key"], body)
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                state.answered.set()
            except BrokenPipeError:
                self.close_connection = True  # the worker was killed meanwhile

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = Gateway(server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.open.set()
        server.shutdown()
        server.server_close()
        thread.join()
