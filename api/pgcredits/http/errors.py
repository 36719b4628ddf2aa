"""Every error has one shape: {"code", "message", "details", "hint"}. All four members are always there.

An error that our SQL raises on purpose (SQLSTATE PTxyz) is passed on as it was raised, with HTTP status xyz.
Of any other database error we pass on the SQLSTATE alone: its message, DETAIL, HINT and names may show other
people's rows or tables.
"""

from __future__ import annotations

import json
import logging
import math
import re
from datetime import UTC, datetime
from typing import Any

import psycopg
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from pgcredits.http.database.pools import BusyError, UnavailableError
from pgcredits.tokens import TokenError

log = logging.getLogger("pgcredits")

_MIXED_UP = {"26000", "42P05", "08P01"}
_UNTRANSLATABLE = {"22021", "22P05"}  # text that this database cannot hold
_UNPREPARED = "set PGCREDITS_PREPARE=off"
_LONGEST_HEADER = 300  # characters of the message that a header repeats
_PT = re.compile(r"PT([45]\d\d)\Z")

# PostgREST's table. A whole SQLSTATE counts before its class. Any other SQLSTATE is 400.
_STATUS = {
    **dict.fromkeys(["0L", "0P", "28", "42501"], 403),
    **dict.fromkeys(["42883", "42P01"], 404),
    **dict.fromkeys(["25006"], 405),
    **dict.fromkeys(["23503", "23505"], 409),
    **dict.fromkeys(["54001"], 413),
    **dict.fromkeys(["54011", "54023"], 400),  # more columns or arguments than there can be
    **dict.fromkeys(
        ["09", "25", "2D", "38", "39", "3B", "40", "54", "55", "57", "58", "F0", "HV", "P0", "XX"], 500
    ),
    **dict.fromkeys(["21000", "42P17", "53400"], 500),
    **dict.fromkeys(["08", "53", "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03"], 503),
    # A prepared statement is missing, or it is not ours. That is not the client's fault.
    **dict.fromkeys(["26000", "42P05"], 503),
    "P0001": 400,
}

_MESSAGE = {
    400: "The database refused the request.",
    401: "Sign in first.",
    403: "Permission denied.",
    404: "Not found.",
    405: "Not allowed in a read-only request.",
    409: "Conflicts with what is already there.",
    413: "The request is too large or nested too deeply.",
    500: "Internal error.",
    503: "Busy. Try again.",
}

_SLUG = {401: "not_signed_in", 403: "not_allowed", 500: "internal", 503: "unavailable"}

_HTTP_CODE = {404: "PGRST125", 405: "PGRST101"}
_HTTP_SLUG = {400: "bad_request", 401: "not_signed_in", 413: "too_large"}


class ApiError(Exception):
    """An error as it is answered. `details` is text. Ours is JSON text that begins with the slug."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: str | None = None,
        hint: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.headers = dict(headers or {})
        if status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")
        if status == 503:
            self.headers.setdefault("Retry-After", "1")

    @property
    def slug(self) -> str | None:
        """The stable name in `details`, if there is one."""
        try:
            facts = json.loads(self.details or "null")
        except ValueError:
            return None
        return facts.get("error") if isinstance(facts, dict) else None

    def body(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "details": self.details, "hint": self.hint}


def refuse(status: int, slug: str, message: str, **facts: object) -> ApiError:
    """An error of the HTTP API itself, in the form in which the database raises its own."""
    return ApiError(status, f"PT{status}", message, details=json.dumps({"error": slug, **facts}))


def bad_request(message: str, details: str | None = None) -> ApiError:
    """The query string cannot be parsed, or asks for a part of the dialect that we do not support."""
    return ApiError(400, "PGRST100", message, details=details)


def understand(error: Exception, *, anonymous: bool) -> ApiError:
    """Any exception as the error a client may see."""
    match error:
        case ApiError():
            return error
        case TokenError():
            challenge = f'Bearer error="invalid_token", error_description="{error.message}"'
            return ApiError(401, error.code, error.message, headers={"WWW-Authenticate": challenge})
        case BusyError():
            return refuse(503, "busy", "Other calls of this user have to end first. Try again.")
        case UnavailableError(unsure=True):
            text = (
                "The connection broke before the answer came. Repeat the call with the same idempotency key."
            )
            return refuse(503, "unavailable", text, outcome="unknown")
        case UnavailableError():
            return refuse(503, "unavailable", "The database cannot be reached. Try again.")
        case psycopg.Error():
            return _from_database(error, anonymous)
        case HTTPException():
            return _from_litestar(error)
        case _:
            return ApiError(500, "PT500", _MESSAGE[500], details='{"error": "internal"}')


def _from_database(error: psycopg.Error, anonymous: bool) -> ApiError:
    state = error.sqlstate
    if state is None:
        if isinstance(error, psycopg.DataError):  # connection.py sends no NUL
            return refuse(422, "bad_text", "Text may not contain NUL.")
        if isinstance(error, psycopg.OperationalError):
            return refuse(503, "unavailable", "The database cannot be reached. Try again.")
        return ApiError(500, "PT500", _MESSAGE[500], details='{"error": "internal"}')
    if raised := _PT.match(state):
        diag = error.diag
        message = diag.message_primary or ""
        status, details = int(raised[1]), diag.message_detail
        headers = _retry_after(details) if status == 429 else None
        return ApiError(status, state, message, details=details, hint=diag.message_hint, headers=headers)
    if state.startswith("22"):
        # literals.py let the value pass. PostgreSQL's message about it differs from version to version.
        slug = "bad_text" if state in _UNTRANSLATABLE else "bad_argument"
        return refuse(422, slug, "A value of the request cannot be read as what it has to be.")
    status = _STATUS.get(state) or _STATUS.get(state[:2], 400)
    if state == "42501" and anonymous:
        status = 401
    known = _SLUG.get(status)
    return ApiError(status, state, _MESSAGE[status], details=json.dumps({"error": known}) if known else None)


def _retry_after(details: str | None) -> dict[str, str]:
    """The Retry-After header, computed from reset_at."""
    reset_at = json.loads(details or "{}").get("reset_at")
    if reset_at is None:
        return {}
    seconds = (datetime.fromisoformat(reset_at) - datetime.now(UTC)).total_seconds()
    return {"Retry-After": str(max(math.ceil(seconds), 1))}


def _from_litestar(error: HTTPException) -> ApiError:
    status = error.status_code
    code = _HTTP_CODE.get(status, f"PT{status}")
    if status >= 500:
        return ApiError(status, code, _MESSAGE.get(status, _MESSAGE[500]), details='{"error": "internal"}')
    slug = _HTTP_SLUG.get(status)
    message = "Invalid path specified in request URL" if status == 404 else error.detail
    return ApiError(
        status,
        code,
        message,
        details=json.dumps({"error": slug}) if slug else None,
        headers=dict(error.headers or {}),
    )


def loggable(error: Exception) -> str:
    """What our log says about an error. DETAIL of a database's error may show a row, so it is left out."""
    if not isinstance(error, psycopg.Error) or error.sqlstate is None:
        return str(error)
    diag = error.diag
    return " ".join(filter(None, (error.sqlstate, diag.message_primary, diag.context)))


def understood(request: Request[Any, Any, Any], error: Exception) -> ApiError:
    """`understand` for this request. An error of our own is logged in full."""
    caller = request.scope["state"].get("caller")
    seen = understand(error, anonymous=caller is not None and caller.anonymous)
    request.scope["state"]["refusal"] = seen
    if seen.status >= 500 and not isinstance(error, ApiError):
        route = request.scope.get("path_template")
        bug = seen.status == 500 and not isinstance(error, psycopg.Error)
        log.error("%s %s: %s", request.method, route, loggable(error), exc_info=error if bug else None)
        if seen.code in _MIXED_UP:
            log.error(
                "a pooler seems to mix up prepared statements (SQLSTATE %s): %s", seen.code, _UNPREPARED
            )
    return seen


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The exception handler of the app."""
    seen = understood(request, error)
    return respond(seen, seen.body())


def respond(error: ApiError, body: dict[str, Any]) -> Response[Any]:
    headers = {
        **error.headers,
        "Proxy-Status": f"pgcredits; error={error.code}; details={_header_text(error)}",
    }
    return Response(body, status_code=error.status, media_type=MediaType.JSON, headers=headers)


def _header_text(error: ApiError) -> str:
    """The slug and the message as a quoted string of RFC 9209. The answer to a HEAD has no body."""
    text = f"{error.slug}: {error.message}" if error.slug else error.message
    plain = "".join(c if " " <= c <= "~" else "?" for c in text[:_LONGEST_HEADER])
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
