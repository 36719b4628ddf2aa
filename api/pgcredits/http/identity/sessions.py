"""Sessions of users who signed in here. The database decides whether one goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

import msgspec

from pgcredits.http.errors import ApiError, refuse
from pgcredits.http.functions import jsonbody, rpc
from pgcredits.http.resources import Resources
from pgcredits.tokens import SERVICE

_SHAPE = re.compile(r"pgr_([0-9a-f]{32})([0-9a-f]{32})_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is, and the token that refreshes it next."""

    user_id: str
    refresh_token: str = field(repr=False)


class _Answer(msgspec.Struct):
    user_id: str | None = None
    refresh_token: str | None = None
    ended: int | None = None


def refused() -> ApiError:
    """One refusal for every token that does not refresh: it tells nothing about a session."""
    return refuse(400, "invalid_grant", "This refresh token is not valid. Sign in again.")


async def begin(resources: Resources, email: str, password_hash: str, path: str) -> Session:
    """Open a session for a user whose password matched this hash. Raises ApiError 400 invalid_grant."""
    arguments = {"email": jsonbody.text(email), "password_hash": jsonbody.text(password_hash)}
    answer = await _ask(resources, "open_session", arguments, path)
    if answer.user_id is None or answer.refresh_token is None:  # the password was changed in between
        raise refuse(400, "invalid_grant", "Wrong e-mail address or password.")
    return Session(answer.user_id, answer.refresh_token)


async def go_on(resources: Resources, token: str, path: str) -> Session:
    """Refresh a session. Raises ApiError 400 invalid_grant."""
    answer = await _ask(resources, "refresh_session", _named(token), path)
    if answer.user_id is None or answer.refresh_token is None:
        raise refused()
    return Session(answer.user_id, answer.refresh_token)


async def end(resources: Resources, token: str, everywhere: bool, path: str) -> int:
    """End a session, or all of its user. Returns how many. Raises ApiError 400 invalid_grant."""
    arguments = _named(token) | {"everywhere": "true" if everywhere else "false"}
    answer = await _ask(resources, "end_session", arguments, path)
    if answer.ended is None:
        raise refused()
    return answer.ended


def _named(token: str) -> dict[str, str]:
    """What the database is asked about: the session that the token names, and the hash of the token."""
    found = _SHAPE.fullmatch(token)
    if found is None:
        raise refused()
    return {
        "account_id": jsonbody.text(str(UUID(found[1]))),
        "session_id": jsonbody.text(str(UUID(found[2]))),
        "token_hash": jsonbody.text(sha256(token.encode()).hexdigest()),
    }


async def ask(resources: Resources, function: str, body: jsonbody.JsonObject, path: str) -> bytes:
    """Call a function of sign-in, as a service. Anyone may cause such calls: they take a part of the pool."""
    return await rpc.call(resources.schema_cache, SERVICE, function, body, path=path, kind="sign-in")


async def _ask(resources: Resources, function: str, arguments: dict[str, str], path: str) -> _Answer:
    body = jsonbody.build(arguments)
    text = await ask(resources, function, body, path)
    return msgspec.json.decode(text, type=_Answer)
