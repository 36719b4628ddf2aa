"""An issuer of tokens for tests: its keys, its tokens, and its JWKS on a port of this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

NAME = "https://issuer.example/auth"


@cache
def private_key(name: str) -> Any:
    """A key for each name: its kind is what the name begins with."""
    if name.startswith("small"):
        return rsa.generate_private_key(65537, 1024)
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, 2048)
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1() if name.startswith("ec384") else ec.SECP256R1())


def algorithm(name: str) -> str:
    return {"s": "RS256", "r": "RS256"}.get(name[0]) or (
        "EdDSA" if name.startswith("ed") else "ES384" if name.startswith("ec384") else "ES256"
    )


def jwk(name: str, **more: Any) -> dict[str, Any]:
    """The public key as a JWKS has it."""
    public = private_key(name).public_key()
    kind = {"s": RSAAlgorithm, "r": RSAAlgorithm}.get(name[0]) or (
        OKPAlgorithm if name.startswith("ed") else ECAlgorithm
    )
    text: Any = kind.to_jwk(public)  # type: ignore[attr-defined]
    return json.loads(text) | {"kid": name, "use": "sig"} | more


def signed(name: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    """A token of a user, which expires in a minute unless `claims` say otherwise. None takes a claim away."""
    said = {"iss": NAME, "aud": "the bank", "sub": "ada", "exp": int(time.time()) + 60} | (claims or {})
    said = {key: value for key, value in said.items() if value is not None}
    how = header.pop("algorithm", algorithm(name))
    named = {key: value for key, value in ({"kid": name} | header).items() if value is not None}
    return jwt.encode(said, private_key(name), algorithm=how, headers=named)


class Jwks:
    """What the issuer answers to a request for its keys, and how often it was asked."""

    def __init__(self, *names: str) -> None:
        self.keys = [jwk(name) for name in names]
        self.status = 200
        self.body: bytes | None = None  # instead of the keys
        self.asked = 0
        self.url = ""

    def rotate(self, *names: str) -> None:
        self.keys = [jwk(name) for name in names]


@contextmanager
def published(*names: str) -> Iterator[Jwks]:
    """The JWKS with these keys, on a port of this machine."""
    jwks = Jwks(*names)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            jwks.asked += 1
            body = jwks.body if jwks.body is not None else json.dumps({"keys": jwks.keys}).encode()
            self.send_response(jwks.status)
            if jwks.status == 302:
                self.send_header("Location", jwks.url)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    jwks.url = f"http://127.0.0.1:{server.server_port}/jwks"
    try:
        yield jwks
    finally:
        server.shutdown()
        server.server_close()
