"""Guests are callers without an account. A cookie and the network identify them.

The database learns neither: it gets HMACs of them, the keys. The salt of a key changes every two weeks, so
nobody can link a key of last month to a guest. Each key comes with a second one, under the salt before or,
on the last day, under the salt after. The database follows it, so that processes whose clocks differ know
each other's keys.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import Cookie

from pgcredits.http.errors import ApiError, refuse
from pgcredits.http.functions.jsonbody import JsonObject, build
from pgcredits.http.identity.client_address import client_address, network_of
from pgcredits.settings import Settings
from pgcredits.tokens import Caller

_Request = Request[Any, Any, Any]

FUNCTIONS = frozenset({"guest_consume", "guest_allowance"})
FILLED_IN = ("device_keys", "network_keys", "shared_network")  # we fill these in, and the client never does
COOKIE = "pgcredits_guest"

_VALUE = re.compile(r"[0-9a-f]{32}")
_DAY = 86_400
_YEAR = 365 * _DAY
# The database asks for at most 7 days of the past. The key before is known for 13.
_PERIOD = 14 * _DAY


@dataclass(frozen=True, slots=True)
class Visitor:
    """The arguments that say who a guest is. `cookies` has the cookie to set, when the request had none."""

    device_keys: list[str]
    network_keys: list[str]
    shared_network: bool
    cookies: list[Cookie]

    @property
    def members(self) -> dict[str, str]:
        """The arguments, each as JSON text."""
        return {name: msgspec.json.encode(getattr(self, name)).decode() for name in FILLED_IN}

    @property
    def network_members(self) -> dict[str, str]:
        """The arguments that say where a guest is, without the device."""
        return {name: self.members[name] for name in ("network_keys", "shared_network")}

    def fill_in(self, body: JsonObject) -> JsonObject:
        """The client's arguments together with ours. Raises ApiError 403 not_yours."""
        _only_theirs(body.members)
        return build({**body.members, **self.members})

    def fill_in_texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The same for a query string."""
        _only_theirs(texts)
        ours = {name: "{" + ",".join(getattr(self, name)) + "}" for name in ("device_keys", "network_keys")}
        return {**texts, **ours, "shared_network": str(self.shared_network).lower()}


def visitor(settings: Settings, request: _Request, caller: Caller, function: str) -> Visitor | None:
    """The guest who calls a function for guests. None for other functions and for services.

    Raises ApiError 415 for a POST without a content type. A page of another site can make a visitor's browser
    send such a POST without asking, and that would use up what is free.
    """
    if function not in FUNCTIONS or caller.role == "service_role":
        return None
    if request.method == "POST" and "content-type" not in request.headers:
        raise ApiError(415, "PGRST102", "Send Content-Type: application/json.")
    return newcomer(settings, request)


def newcomer(settings: Settings, request: _Request) -> Visitor:
    """The device and the network that a request comes from. A device without a cookie gets one."""
    value = _cookie(request)
    cookies = []
    if value is None:
        value = secrets.token_hex(16)
        cookies.append(
            Cookie(
                COOKIE,
                value=value,
                max_age=_YEAR,
                httponly=True,
                samesite="lax",
                secure=settings.public_url.startswith("https:"),
            )
        )
    address = client_address(request, settings.trusted_proxies)
    network = network_of(address) if address else "unknown"
    return Visitor(
        _keys(settings, f"device:{value}"),
        _keys(settings, f"network:{network}"),
        address is not None and address in settings.shared_networks,
        cookies,
    )


def _cookie(request: _Request) -> str | None:
    value = request.cookies.get(COOKIE, "")
    return value if _VALUE.fullmatch(value) else None


def _keys(settings: Settings, text: str) -> list[str]:
    period, into = divmod(int(time.time()), _PERIOD)
    other = period + 1 if into >= _PERIOD - _DAY else period - 1
    return [_hmac(_salt(settings, number), text).hex() for number in (period, other)]


def _salt(settings: Settings, period: int) -> bytes:
    secret = settings.guest_secret or settings.jwt_secret
    return _hmac(_hmac(secret.encode(), "pgcredits guests"), f"salt:{period}")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _only_theirs(given: Iterable[str]) -> None:
    if forbidden := sorted(set(given).intersection(FILLED_IN)):
        raise refuse(403, "not_yours", f"Only a service may send {', '.join(forbidden)}.")
