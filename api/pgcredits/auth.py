"""The embedded identity provider: sign-up and sign-in with e-mail and password."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, post
from litestar.di import NamedDependency

from pgcredits import guests, jsonbody, rpc
from pgcredits.door import Door
from pgcredits.errors import refuse
from pgcredits.settings import Settings
from pgcredits.tokens import SERVICE, mint

_Request = Request[Any, Any, Any]

_SHORTEST, _LONGEST = 8, 1024  # bytes of a password
_NO_STORE = {"Cache-Control": "no-store"}


class _Credential(msgspec.Struct):
    user_id: str | None
    email: str | None
    password_hash: str | None


@post("/signup", status_code=201)
async def sign_up(request: _Request, door: NamedDependency[Door]) -> Response[dict[str, Any]]:
    """{"email", "password"} → a user with an account, and a token."""
    email, password = await _credentials(request)
    if not _SHORTEST <= len(password.encode()) <= _LONGEST:
        raise refuse(422, "bad_password", f"A password has {_SHORTEST} to {_LONGEST} bytes.")
    arguments = {
        "email": jsonbody.text(email),
        "password_hash": jsonbody.text(await door.passwords.hash(password)),
    }
    if keys := guests.device_keys(door.settings, request):  # the guest that they were
        arguments["device_keys"] = msgspec.json.encode(keys).decode()
    body = jsonbody.build(arguments)
    text = await rpc.call(door.catalogue, SERVICE, "sign_up", body, path="/auth/signup")
    user = msgspec.json.decode(text, type=_Credential)
    return Response(_token(door.settings, str(user.user_id)), status_code=201, headers=_NO_STORE)


@post("/token", status_code=200)
async def sign_in(request: _Request, door: NamedDependency[Door]) -> Response[dict[str, Any]]:
    """E-mail and password, as JSON or as a form (OAuth's password grant) → a token."""
    email, password = await _credentials(request)
    body = jsonbody.build({"email": jsonbody.text(email)})
    text = await rpc.call(door.catalogue, SERVICE, "find_credential", body, path="/auth/token")
    user = msgspec.json.decode(text, type=_Credential)
    # A longer password cannot be anybody's; comparing it anyway would let strangers hash megabytes here.
    fits = len(password.encode()) <= _LONGEST
    if (
        not await door.passwords.matches(password if fits else "", user.password_hash)
        or not user.user_id
        or not fits
    ):
        raise refuse(400, "invalid_grant", "Wrong e-mail address or password.")
    return Response(_token(door.settings, user.user_id), headers=_NO_STORE)


def _token(settings: Settings, user_id: str) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "access_token": mint(settings.jwt_secret, "authenticated", user_id, settings.token_seconds),
        "token_type": "bearer",
        "expires_in": settings.token_seconds,
    }


async def _credentials(request: _Request) -> tuple[str, str]:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        form = await request.form()
        email, password = form.get("email") or form.get("username"), form.get("password")
    else:
        body = jsonbody.parse(await request.body())
        email, password = body.string("email"), body.string("password")
    if not (isinstance(email, str) and isinstance(password, str)):
        raise refuse(400, "bad_request", "email and password are required, as text.")
    if "\0" in email or "\0" in password:
        raise refuse(422, "bad_text", "Text may not contain NUL.")
    return email, password


router = Router("/auth", route_handlers=[sign_up, sign_in])
