"""The embedded identity provider: sign-up and sign-in with e-mail and password."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, Router, post
from litestar.di import NamedDependency

from pgcredits.http import guests, jsonbody, rpc
from pgcredits.http.errors import refuse
from pgcredits.http.resources import Resources
from pgcredits.settings import Settings
from pgcredits.tokens import SERVICE, mint

_Request = Request[Any, Any, Any]

_SHORTEST, _LONGEST = 8, 1024  # bytes of a password
_FIELDS = ("email", "password", "referral_code")


class _Credential(msgspec.Struct):
    user_id: str | None
    email: str | None
    password_hash: str | None


class _Newcomer(msgspec.Struct):
    user_id: str
    email: str
    welcome: msgspec.Raw
    welcome_waits_for: str | None
    reset_at: str | None


@post("/signup", status_code=201)
async def sign_up(request: _Request, resources: NamedDependency[Resources]) -> Response[dict[str, Any]]:
    """{"email", "password", referral_code?} → a user with an account, and a token."""
    fields = await _fields(request)
    email, password = _credentials(fields)
    if not _SHORTEST <= len(password.encode()) <= _LONGEST:
        raise refuse(422, "bad_password", f"A password has {_SHORTEST} to {_LONGEST} bytes.")
    newcomer = guests.newcomer(resources.settings, request)
    network = newcomer.network_members
    await rpc.call(
        resources.schema_cache, SERVICE, "begin_sign_up", jsonbody.build(network), path="/auth/signup"
    )  # before a password is hashed
    arguments = {
        "email": jsonbody.text(email),
        "password_hash": jsonbody.text(await resources.passwords.hash(password)),
        **_known(newcomer, fields),
    }
    body = jsonbody.build(arguments)
    text = await rpc.call(resources.schema_cache, SERVICE, "sign_up", body, path="/auth/signup")
    user = msgspec.json.decode(text, type=_Newcomer)
    answer = _token(resources.settings, user.user_id)
    if user.welcome_waits_for:  # something that new accounts are given was withheld
        answer |= {
            "welcome": user.welcome,
            "welcome_waits_for": user.welcome_waits_for,
            "reset_at": user.reset_at,
        }
    return Response(answer, status_code=201, cookies=newcomer.cookies)


@post("/account", status_code=200)
async def open_account(request: _Request, resources: NamedDependency[Resources]) -> Response[bytes]:
    """{referral_code?} → the account of the token's user, of any issuer. A new user gets an account."""
    caller = await resources.identify(request)
    if caller.anonymous:
        raise refuse(401, "not_signed_in", "Sign in first.")
    if caller.role != "authenticated" or caller.subject is None:
        raise refuse(403, "not_yours", "This is for users: a service calls /rest/v1/rpc/open_account.")
    newcomer = guests.newcomer(resources.settings, request)
    arguments = {"user_id": jsonbody.text(caller.subject), **_known(newcomer, await _fields(request))}
    if json.loads(caller.claims).get("email_verified") is True:  # the issuer's word
        arguments["email_verified"] = "true"
    body = jsonbody.build(arguments)
    # As a service: a user must not say what the HTTP API knows about a new user.
    text = await rpc.call(resources.schema_cache, SERVICE, "open_account", body, path="/auth/account")
    return Response(text, media_type=MediaType.JSON, cookies=newcomer.cookies)


@post("/token", status_code=200)
async def sign_in(request: _Request, resources: NamedDependency[Resources]) -> Response[dict[str, Any]]:
    """E-mail and password, as JSON or as a form (OAuth's password grant) → a token."""
    email, password = _credentials(await _fields(request))
    network = guests.newcomer(resources.settings, request).network_members
    attempt = {"email": jsonbody.text(email), **network}
    text = await rpc.call(
        resources.schema_cache, SERVICE, "begin_sign_in", jsonbody.build(attempt), path="/auth/token"
    )
    user = msgspec.json.decode(text, type=_Credential)
    # A longer password cannot be anybody's; comparing it anyway would let strangers hash megabytes here.
    fits = len(password.encode()) <= _LONGEST
    if (
        not await resources.passwords.matches(password if fits else "", user.password_hash)
        or not user.user_id
        or not fits
    ):
        raise refuse(400, "invalid_grant", "Wrong e-mail address or password.")
    worked = {"email": attempt["email"], "network_keys": network["network_keys"]}
    await rpc.call(
        resources.schema_cache, SERVICE, "finish_sign_in", jsonbody.build(worked), path="/auth/token"
    )
    return Response(_token(resources.settings, user.user_id))


def _token(settings: Settings, user_id: str) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "access_token": mint(
            settings.jwt_secret, "authenticated", user_id, settings.token_seconds, settings.jwt_audience
        ),
        "token_type": "bearer",
        "expires_in": settings.token_seconds,
    }


async def _fields(request: _Request) -> dict[str, Any]:
    """What was sent, as a form or as JSON: text, and what is null or no text."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        form = await request.form()
        fields: dict[str, Any] = {name: form.get(name) for name in form}
        fields.setdefault("email", fields.get("username"))
    else:
        body = jsonbody.parse(await request.body())
        fields = {name: msgspec.json.decode(body.members.get(name, "null")) for name in _FIELDS}
    if any("\0" in value for value in fields.values() if isinstance(value, str)):
        raise refuse(422, "bad_text", "Text may not contain NUL.")
    return fields


def _credentials(fields: dict[str, Any]) -> tuple[str, str]:
    email, password = fields.get("email"), fields.get("password")
    if not (isinstance(email, str) and isinstance(password, str)):
        raise refuse(400, "bad_request", "email and password are required, as text.")
    return email, password


def _known(newcomer: guests.Visitor, fields: dict[str, Any]) -> dict[str, str]:
    """What is known of somebody new, as arguments of sign_up and open_account."""
    code = fields.get("referral_code")
    if code is None:
        return newcomer.members
    if not isinstance(code, str):
        raise refuse(400, "bad_request", "referral_code is text.")
    return {**newcomer.members, "referral_code": jsonbody.text(code)}


router = Router("/auth", route_handlers=[sign_up, sign_in, open_account])
