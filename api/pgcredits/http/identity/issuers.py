"""Tokens of other issuers: Supabase, Clerk, Auth0, Firebase, Keycloak, or any that publishes its keys.

Such a token can make its holder a user or nobody, and nothing more. The database gets only what it needs: the
role, the user id, the issuer, and whether the issuer calls the e-mail address verified.
"""

from __future__ import annotations

import base64
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import msgspec

from pgcredits.http.errors import refuse
from pgcredits.http.identity.key_set import Key, KeySet, KeysUnavailableError
from pgcredits.issuer_settings import ClaimPath, Issuer
from pgcredits.tokens import ANONYMOUS, LEEWAY, Caller, TokenError, checked_claims

_CACHED = 10_000
_LONGEST_TOKEN = 16_384  # characters
_CONNECT_SECONDS = 5.0


class _Peeked(msgspec.Struct):
    iss: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    expires: float
    caller: Caller
    key: Key
    keys: KeySet


class Issuers:
    """The issuers of one process; open them with `async with issuers.opened()`."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        self._client = httpx.AsyncClient(timeout=_CONNECT_SECONDS, follow_redirects=False)
        self._issuers = {issuer.name: (issuer, KeySet(issuer, self._client)) for issuer in issuers}
        self._prefixes = sorted({issuer.prefix for issuer, _ in self._issuers.values()}, key=len)
        self._known: OrderedDict[str, _Known] = OrderedDict()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep the connections to the issuers open."""
        async with self._client:
            yield

    async def caller(self, token: str) -> Caller | None:
        """The caller that a token speaks for. None when none of these issuers has made it.

        Raises TokenError, and ApiError 503 while the issuer's keys cannot be read.
        """
        known = self._known.get(token)
        if known is not None:
            if time.time() >= known.expires + LEEWAY:
                del self._known[token]
                raise TokenError("PGRST303", "JWT expired")
            if known.keys.counts(known.key):
                self._known.move_to_end(token)
                return known.caller
            del self._known[token]
        issuer, keys = self._issuers.get(_issuer_of(token), (None, None))
        if issuer is None or keys is None:
            return None
        key = await self._key(token, keys)
        claims = checked_claims(
            token, key.key, key.algorithm, audience=issuer.audience or None, issuer=issuer.name
        )
        caller = self._caller(issuer, claims)
        self._known[token] = _Known(float(claims["exp"]), caller, key, keys)  # type: ignore[arg-type]
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return caller

    async def _key(self, token: str, keys: KeySet) -> Key:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise TokenError("PGRST301", "JWT cannot be decoded") from None
        kid = header.get("kid")
        if "crit" in header or not (kid is None or isinstance(kid, str)):
            raise TokenError("PGRST301", "JWT header is not accepted")
        try:
            key = await keys.find(kid)
        except KeysUnavailableError:
            text = "The keys of the token's issuer cannot be read. Try again."
            raise refuse(503, "unavailable", text) from None
        if key is None:
            raise TokenError("PGRST301", "No suitable key or wrong key type")
        return key

    def _caller(self, issuer: Issuer, claims: Mapping[str, Any]) -> Caller:
        if issuer.parties and claims.get("azp") not in issuer.parties:
            raise TokenError("PGRST303", "JWT is for another party")
        role = _role(issuer, claims)
        if role == "anon" or (_is_anonymous(claims) and not issuer.anonymous_users):
            return ANONYMOUS
        subject = claims.get("sub")
        if not (isinstance(subject, str) and subject):
            raise TokenError("PGRST303", "JWT of a user must name its subject")
        user_id = issuer.prefix + subject
        longer = (prefix for prefix in self._prefixes if len(prefix) > len(issuer.prefix))
        if any(user_id.startswith(prefix) for prefix in longer):
            raise TokenError("PGRST303", "JWT subject is named like another issuer's")
        told: dict[str, object] = {"role": role, "sub": user_id, "iss": issuer.name}
        if issuer.verified_claim and _claim(claims, issuer.verified_claim) is True:
            told["email_verified"] = True
        return Caller(role, user_id, _text(told))


def _issuer_of(token: str) -> str:
    """What a token says of its issuer. This is unchecked, and only chooses the keys to check it with."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        return ""
    payload = parts[1]
    try:
        decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(decoded, type=_Peeked).iss or ""
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return ""


def _claim(claims: Mapping[str, Any], path: ClaimPath) -> object:
    found: object = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _role(issuer: Issuer, claims: Mapping[str, Any]) -> str:
    """The role here: authenticated or anon, whatever the token says."""
    said = _claim(claims, issuer.role_claim) if issuer.role_claim else None
    if said is None:
        return issuer.default_role
    names = said if isinstance(said, list) else [said]
    roles = {issuer.roles[name] for name in names if isinstance(name, str) and name in issuer.roles}
    if not roles:
        raise TokenError("PGRST303", "JWT role is not accepted")
    return "authenticated" if "authenticated" in roles else "anon"


def _is_anonymous(claims: Mapping[str, Any]) -> bool:
    """Somebody of whom the issuer knows nothing, as Supabase and Firebase say it."""
    provider = _claim(claims, ("firebase", "sign_in_provider"))
    return claims.get("is_anonymous") is True or "anonymous" in (provider, claims.get("provider_id"))


def _text(claims: Mapping[str, object]) -> str:
    text = json.dumps(claims, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TokenError("PGRST303", "JWT claims are not valid Unicode") from None
    if "\\u0000" in text:  # the database cannot hold it
        raise TokenError("PGRST303", "JWT claims contain NUL")
    return text
