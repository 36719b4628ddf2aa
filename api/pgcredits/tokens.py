"""Mint and verify our own bearer tokens: JWT, HS256 and nothing else."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import jwt

ROLES = ("anon", "authenticated", "spender", "support", "service_role")
BACKENDS = frozenset({"spender", "support", "service_role"})  # they act for any user, or read about any
LEEWAY = 30  # seconds of clock difference forgiven
_ALGORITHM = "HS256"
_TIMES = ("exp", "nbf", "iat")
_LATEST = 253_402_300_799  # the end of the year 9999
_CACHED = 10_000
_EMPTY_JWT = "Empty JWT is sent in Authorization header"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the database role to become and the claims to set, as JSON text."""

    role: str
    subject: str | None
    claims: str

    @property
    def anonymous(self) -> bool:
        return self.role == "anon"

    @property
    def backend(self) -> bool:
        """A program and not a person. It names the user whom a call is about."""
        return self.role in BACKENDS


ANONYMOUS = Caller("anon", None, '{"role":"anon"}')
SERVICE = Caller("service_role", None, '{"role":"service_role"}')


class TokenError(Exception):
    """A token that we do not accept. Codes are PostgREST's: PGRST301 not trusted, PGRST303 wrong claims."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def mint(secret: str, role: str, subject: str | None, seconds: int, audience: str | None = None) -> str:
    """A token for `role`, and for `audience` when the HTTP API requires one.

    Raises ValueError for an unknown role, or a user without subject.
    """
    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, not {role!r}")
    if role == "authenticated" and not subject:
        raise ValueError("an authenticated token needs a subject")
    now = int(time.time())
    claims: dict[str, object] = {"role": role, "iat": now, "exp": now + seconds}
    if subject is not None:
        claims["sub"] = subject
    if audience is not None:
        claims["aud"] = audience
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


class TokenVerifier:
    """Checks tokens against one secret and, if given, one audience.

    Remembers good ones until they expire (50 µs a check, 1 a hit).
    """

    def __init__(self, secret: str, audience: str | None = None) -> None:
        self._secret = secret
        self._audience = audience
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def knows(self, token: str) -> bool:
        """Was this token accepted before?"""
        return token in self._known

    def verify(self, token: str) -> Caller:
        """The caller a token speaks for. Raises TokenError."""
        known = self._known.get(token)
        if known is not None:
            if time.time() >= known[0] + LEEWAY:
                del self._known[token]
                raise TokenError("PGRST303", "JWT expired")
            self._known.move_to_end(token)
            return known[1]
        claims = self._claims(token)
        caller = _caller(claims)
        self._known[token] = (float(claims["exp"]), caller)  # type: ignore[arg-type]
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return caller

    def _claims(self, token: str) -> dict[str, object]:
        if not token:
            raise TokenError("PGRST301", _EMPTY_JWT)
        parts = token.count(".") + 1
        if parts != 3:
            raise TokenError("PGRST301", f"Expected 3 parts in JWT; got {parts}")
        return checked_claims(token, self._secret, _ALGORITHM, audience=self._audience)


def checked_claims(
    token: str,
    key: Any,
    algorithm: str,
    *,
    audience: str | tuple[str, ...] | None,
    issuer: str | None = None,
) -> dict[str, object]:
    """The claims of a token that this key and no other algorithm has signed. Raises TokenError.

    `audience`: aud must name one of these. `issuer`: iss must be this.
    """
    # A token that never expires could be revoked only by changing the secret.
    needed = ["exp", *(["aud"] if audience is not None else []), *(["iss"] if issuer is not None else [])]
    try:
        claims: dict[str, object] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            leeway=LEEWAY,
            audience=audience,
            issuer=issuer,
            options={"verify_aud": audience is not None, "require": needed},
        )
    except jwt.ExpiredSignatureError:
        raise TokenError("PGRST303", "JWT expired") from None
    except jwt.ImmatureSignatureError as error:
        issued = "iat" in str(error)
        raise TokenError("PGRST303", "JWT issued at future" if issued else "JWT not yet valid") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenError("PGRST303", f"JWT has no claim {error.claim}") from None
    except jwt.InvalidAudienceError:
        raise TokenError("PGRST303", "JWT not in audience") from None
    except jwt.InvalidAlgorithmError:
        raise TokenError("PGRST301", "Wrong or unsupported encoding algorithm") from None
    except jwt.InvalidSignatureError:
        raise TokenError("PGRST301", "No suitable key or wrong key type") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenError("PGRST301", "JWT cannot be decoded") from None
    for name in _TIMES:
        if name in claims and not _is_time(claims[name]):
            raise TokenError("PGRST303", f"JWT claim {name} is not a time")
    return claims


def _is_time(value: object) -> bool:
    """Is it a number of seconds, within four digits of years? The library also takes text, and any number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LATEST


def _caller(claims: dict[str, object]) -> Caller:
    role = claims.setdefault("role", "anon")
    if role not in ROLES:
        raise TokenError("PGRST303", "JWT role is not accepted")
    subject = claims.get("sub")
    if role == "authenticated" and not (isinstance(subject, str) and subject):
        raise TokenError("PGRST303", "JWT of a user must name its subject")
    text = json.dumps(claims, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TokenError("PGRST303", "JWT claims are not valid Unicode") from None
    if "\\u0000" in text:  # the database cannot hold it
        raise TokenError("PGRST303", "JWT claims contain NUL")
    return Caller(str(role), subject if isinstance(subject, str) else None, text)
