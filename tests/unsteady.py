"""A way to the bank that loses answers: what a retry is for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@contextmanager
def unsteady(url: str) -> Iterator[str]:
    """The URL of a proxy in front of `url`. Of each path, it treats three requests in turn badly.

    The first reaches the bank, but its answer is lost. The second gets a 503 and does not reach the bank. The
    third is answered.
    """
    seen: Counter[str] = Counter()

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            turn = seen[self.path] % 3
            seen[self.path] += 1
            if turn == 1:
                self._answer(503, b"", {"Retry-After": "0"})
                return
            kept = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
            answer = httpx.post(url + self.path, content=body, headers=kept, timeout=20)
            if turn == 0:
                self.close_connection = True
                return
            self._answer(answer.status_code, answer.content, {"Content-Type": answer.headers["Content-Type"]})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
