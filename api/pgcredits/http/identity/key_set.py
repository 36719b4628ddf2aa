"""The public keys of an issuer: read from its JWKS, kept, and read again when they are old or one is missing.

Each key has one algorithm, which its issuer fixed. What the header of a token asks for never decides.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from pgcredits.issuer_settings import Issuer

log = logging.getLogger("pgcredits")

FRESH = 600.0  # seconds: then the keys are read again, beside the calls
STALE = 24 * 3600.0  # seconds without an answer of the issuer: then its keys no longer count
COOLDOWN = 30.0  # seconds between two readings because of a key that is not there
RETRY = 5.0  # seconds after a reading that failed
_SECONDS = 5.0  # for one reading
_LARGEST = 256 * 1024  # bytes of a JWKS
_MOST_KEYS = 100
_SHORTEST_RSA = 2048  # bits
# By kty and crv. An RSA key that names no algorithm is for RS256.
_CURVES = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "EdDSA",
}
_OF_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


class KeysUnavailableError(Exception):
    """The issuer cannot be asked for its keys, and we have none that still count."""


@dataclass(slots=True, eq=False)
class Key:
    """A key, and the one algorithm that it is for. `retired`: its issuer no longer has it."""

    key: Any = field(repr=False)
    algorithm: str
    jwk: Mapping[str, Any] = field(repr=False)
    retired: bool = False


def usable(jwk: object) -> Key | None:
    """A public key for signatures. None for any other entry of a JWKS, symmetric keys above all."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    operations = jwk.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return None
    kind, named = jwk.get("kty"), jwk.get("alg")
    if kind == "RSA":
        algorithm = "RS256" if named is None else named
        if algorithm not in _OF_RSA:
            return None
    else:
        found = _CURVES.get((str(kind), str(jwk.get("crv"))))
        if found is None or named not in (None, found, "Ed25519" if found == "EdDSA" else found):
            return None
        algorithm = found
    if "d" in jwk:  # a private key, which should not be in a public place
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        return None
    return Key(key, algorithm, jwk)


class KeySet:
    """The keys of one issuer."""

    def __init__(self, issuer: Issuer, client: httpx.AsyncClient) -> None:
        self._name = issuer.name
        self._url = issuer.jwks_url
        self._client = client
        self._keys: dict[str | None, Key] = {}
        self._read_at = self._tried_at = -STALE - COOLDOWN
        self._failed = False
        self._reading: asyncio.Task[None] | None = None
        if issuer.secret is not None:
            self._secret: Key | None = Key(issuer.secret, "HS256", {})
        else:
            self._secret = None
            self._keep(issuer.keys)

    def counts(self, key: Key) -> bool:
        """Is a key that was found before still the issuer's? Old keys are read again beside the call."""
        if self._url is not None:
            age = monotonic() - self._read_at
            if age >= STALE:
                return False
            if age >= FRESH:
                self._read_soon()
        return not key.retired

    async def find(self, kid: str | None) -> Key | None:
        """The key that a token names. A token that names no key means the only one there is.

        Raises KeysUnavailableError.
        """
        if self._secret is not None:
            return self._secret
        if self._url is None:
            return self._named(kid)
        age = monotonic() - self._read_at
        if age >= STALE:
            await self._read()
        elif age >= FRESH:
            self._read_soon()
        found = self._named(kid)
        if found is None and monotonic() - self._tried_at >= COOLDOWN:
            await self._read()
            found = self._named(kid)
        if monotonic() - self._read_at >= STALE:
            raise KeysUnavailableError(self._name)
        return found

    def _named(self, kid: str | None) -> Key | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    async def _read(self) -> None:
        """Read the keys now. Calls that come at the same time wait for the same reading."""
        task = self._read_soon()
        if task is not None:
            await asyncio.shield(task)

    def _read_soon(self) -> asyncio.Task[None] | None:
        if self._reading is None:
            if self._failed and monotonic() - self._tried_at < RETRY:
                return None
            self._tried_at = monotonic()
            self._reading = asyncio.create_task(self._fetch())
            self._reading.add_done_callback(self._done)
        return self._reading

    def _done(self, _: asyncio.Task[None]) -> None:
        self._reading = None

    async def _fetch(self) -> None:
        """Never fails: without an answer the keys stay as they are."""
        self._failed = True
        try:
            async with asyncio.timeout(_SECONDS):
                keys = _listed(await self._body())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError, TimeoutError) as error:
            log.warning("the keys of the issuer %s cannot be read: %s", self._name, type(error).__name__)
            return
        self._keep(keys)
        self._read_at = monotonic()
        self._failed = False

    async def _body(self) -> bytes:
        body = b""
        async with self._client.stream("GET", str(self._url)) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _LARGEST:
                    raise ValueError("too large")
        return body

    def _keep(self, jwks: Iterable[object]) -> None:
        """Take these keys instead of the present ones. A key that stays is the same object as before."""
        before = self._keys
        self._keys = {}
        for jwk in jwks:
            key = usable(jwk)
            if key is None:
                continue
            kid = key.jwk.get("kid")
            name = kid if isinstance(kid, str) else None
            known = before.get(name)
            if known is not None and known.jwk == key.jwk:
                key = known
            self._keys.setdefault(name, key)
        for name, key in before.items():
            if self._keys.get(name) is not key:
                key.retired = True


def _listed(body: bytes) -> list[object]:
    found = json.loads(body)
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise ValueError("not a JWKS")
    return keys
