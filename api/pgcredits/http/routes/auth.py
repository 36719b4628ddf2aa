"""The embedded identity provider: sign-up and sign-in with e-mail and password, and sessions."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, Router, post
from litestar.di import NamedDependency

from pgcredits.http.errors import ApiError, refuse
from pgcredits.http.functions import jsonbody, rpc
from pgcredits.http.identity import guests, sessions
from pgcredits.http.resources import Resources
from pgcredits.settings import Settings
from pgcredits.tokens import SERVICE, mint

_Request = Request[Any, Any, Any]

_SHORTEST, _LONGEST = 8, 1024  # bytes of a password
_LARGEST = 20_000  # bytes of a body: a form of a million bytes would take the process a second to read
_FIELDS = (
    *("email", "password", "referral_code", "new_password"),
    *("grant_type", "refresh_token", "everywhere"),
)


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


class _Changed(msgspec.Struct):
    user_id: str | None


@post("/signup", status_code=201)
async def sign_up(request: _Request, resources: NamedDependency[Resources]) -> Response[dict[str, Any]]:
    """{"email", "password", referral_code?} → a user with an account, and a token."""
    fields = await _fields(request)
    email, password = _credentials(fields)
    _check_length(password)
    newcomer = guests.newcomer(resources.settings, request)
    network = newcomer.network_members
    # This comes before the password is hashed, because hashing is slow.
    await sessions.ask(resources, "begin_sign_up", jsonbody.build(network), "/auth/signup")
    password_hash = await resources.passwords.hash(password)
    arguments = {
        "email": jsonbody.text(email),
        "password_hash": jsonbody.text(password_hash),
        **_known(newcomer, fields),
    }
    body = jsonbody.build(arguments)
    text = await sessions.ask(resources, "sign_up", body, "/auth/signup")
    user = msgspec.json.decode(text, type=_Newcomer)
    session = await sessions.begin(resources, user.email, password_hash, "/auth/signup")
    answer = _token(resources.settings, session)
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
    """E-mail and password, or a refresh token, as JSON or as a form (OAuth's grants) → tokens."""
    fields = await _fields(request)
    if fields.get("grant_type") == "refresh_token" or isinstance(fields.get("refresh_token"), str):
        session = await sessions.go_on(resources, _refresh_token(fields), "/auth/token")
        return Response(_token(resources.settings, session))
    email, password = _credentials(fields)
    known = await _proved(request, resources, email, password, "/auth/token")
    session = await sessions.begin(resources, email, known, "/auth/token")
    return Response(_token(resources.settings, session))


@post("/password", status_code=200)
async def change_password(
    request: _Request, resources: NamedDependency[Resources]
) -> Response[dict[str, Any]]:
    """{"email", "password", "new_password"} → tokens of a new session. All others of the user end."""
    fields = await _fields(request)
    email, password = _credentials(fields)
    wanted = fields.get("new_password")
    if not isinstance(wanted, str):
        raise refuse(400, "bad_request", "new_password is required, as text.")
    _check_length(wanted)
    known = await _proved(request, resources, email, password, "/auth/password")
    password_hash = await resources.passwords.hash(wanted)
    arguments = {"email": email, "password_hash": password_hash, "compared_hash": known}
    body = jsonbody.build({name: jsonbody.text(value) for name, value in arguments.items()})
    text = await sessions.ask(resources, "change_password", body, "/auth/password")
    if msgspec.json.decode(text, type=_Changed).user_id is None:  # somebody else has changed it meanwhile
        raise _wrong()
    session = await sessions.begin(resources, email, password_hash, "/auth/password")
    return Response(_token(resources.settings, session))


@post("/logout", status_code=200)
async def sign_out(request: _Request, resources: NamedDependency[Resources]) -> Response[dict[str, int]]:
    """{"refresh_token", everywhere?} → how many sessions ended: this one, or all of its user."""
    fields = await _fields(request)
    everywhere = fields.get("everywhere") in (True, "true")
    ended = await sessions.end(resources, _refresh_token(fields), everywhere, "/auth/logout")
    return Response({"ended": ended})


async def _proved(request: _Request, resources: Resources, email: str, password: str, path: str) -> str:
    """The hash that the password matches. Raises ApiError 400 invalid_grant, or 429 after many attempts."""
    network = guests.newcomer(resources.settings, request).network_members
    attempt = {"email": jsonbody.text(email), **network}
    text = await sessions.ask(resources, "begin_sign_in", jsonbody.build(attempt), path)
    user = msgspec.json.decode(text, type=_Credential)
    # A longer password cannot be anybody's; comparing it anyway would let strangers hash megabytes here.
    fits = len(password.encode()) <= _LONGEST
    right = await resources.passwords.matches(password if fits else "", user.password_hash)
    if not right or not user.user_id or not user.password_hash or not fits:
        raise _wrong()
    worked = {"email": attempt["email"], "network_keys": network["network_keys"]}
    await sessions.ask(resources, "finish_sign_in", jsonbody.build(worked), path)
    return user.password_hash


def _wrong() -> ApiError:
    return refuse(400, "invalid_grant", "Wrong e-mail address or password.")


def _token(settings: Settings, session: sessions.Session) -> dict[str, Any]:
    user_id = session.user_id
    return {
        "user_id": user_id,
        "access_token": mint(
            settings.jwt_secret, "authenticated", user_id, settings.token_seconds, settings.jwt_audience
        ),
        "refresh_token": session.refresh_token,
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
        fields = {name: body.value(name) for name in _FIELDS}
    if any("\0" in value for value in fields.values() if isinstance(value, str)):
        raise refuse(422, "bad_text", "Text may not contain NUL.")
    return fields


def _credentials(fields: dict[str, Any]) -> tuple[str, str]:
    email, password = fields.get("email"), fields.get("password")
    if not (isinstance(email, str) and isinstance(password, str)):
        raise refuse(400, "bad_request", "email and password are required, as text.")
    return email, password


def _check_length(password: str) -> None:
    if not _SHORTEST <= len(password.encode()) <= _LONGEST:
        raise refuse(422, "bad_password", f"A password has {_SHORTEST} to {_LONGEST} bytes.")


def _refresh_token(fields: dict[str, Any]) -> str:
    token = fields.get("refresh_token")
    if not isinstance(token, str):
        raise refuse(400, "bad_request", "refresh_token is required, as text.")
    return token


def _known(newcomer: guests.Visitor, fields: dict[str, Any]) -> dict[str, str]:
    """What is known of somebody new, as arguments of sign_up and open_account."""
    code = fields.get("referral_code")
    if code is None:
        return newcomer.members
    if not isinstance(code, str):
        raise refuse(400, "bad_request", "referral_code is text.")
    return {**newcomer.members, "referral_code": jsonbody.text(code)}


router = Router(
    "/auth",
    route_handlers=[sign_up, sign_in, sign_out, change_password, open_account],
    request_max_body_size=_LARGEST,
)
