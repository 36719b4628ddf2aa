"""A product that is told what happens: it listens for the bank's messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Product:
    """A product's endpoint: it answers with `status` after `seconds`, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.seconds, self.location, self.endless = 204, 0.0, "", False

    @contextmanager
    def listening(self) -> Iterator[int]:
        """Its port, while it listens."""
        product = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 20

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                product.got.append((self.path, headers, body))
                time.sleep(product.seconds)
                self.send_response(product.status)
                if product.location:
                    self.send_header("location", product.location)
                self.end_headers()
                for _ in range(100_000 if product.endless else 0):
                    self.wfile.write(b"x" * 65536)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # of connections at once
            block_on_close = False

            def handle_error(self, *_: Any) -> None:
                """The sender hangs up when it has waited long enough."""

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)
