"""Requests that try to reach another user's rows, and the search of answers for what is not the caller's."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit

from callers import Row
from tenants import Tenant

_OWN_HEADERS = ("date", "x-request-id", "content-length")  # that differ between any two answers
_ESCAPED = re.compile(rb"\\u00([2-7][0-9a-f])")


@dataclass(frozen=True)
class Asked:
    """A request. `rows`: how many it must count, where that is known."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    rows: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {dict(self.headers)} {self.body or ''}"


@dataclass(frozen=True)
class Answer:
    """All that a client gets, as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def raw(self) -> bytes:
        lines = [f"{name}: {value}" for name, value in self.headers if name.lower() not in _OWN_HEADERS]
        return "\n".join((str(self.status), *lines)).encode() + b"\n\n" + self.body

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers if known.lower() == name), "")

    @property
    def total(self) -> int | None:
        """How many rows there are, if the answer says so."""
        total = self.header("content-range").partition("/")[2]
        return int(total) if total.isdigit() else None


class Client:
    """A connection to the API, by the bare protocol: an answer is looked at as it comes."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        self.asked = 0

    def ask(self, asked: Asked, who: Mapping[str, str]) -> Answer:
        self.asked += 1
        headers = {**asked.headers, **who}
        if asked.body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            self._connection.request(asked.method, asked.path, asked.body, headers)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # an answer may end the connection
            self._connection.close()
            self._connection.request(asked.method, asked.path, asked.body, headers)
            response = self._connection.getresponse()
        return Answer(response.status, tuple(response.getheaders()), response.read())

    def close(self) -> None:
        self._connection.close()


def unfolded(raw: bytes) -> bytes:
    """The bytes of an answer in small letters, as they are and without the escapes of URLs and JSON."""
    plain = raw.lower()
    for form in (unquote_to_bytes(plain), _ESCAPED.sub(lambda m: bytes([int(m[1], 16)]), plain)):
        if form != plain[: len(form)]:
            plain += b"\n" + form
    return plain


class Search:
    """Looks for what is somebody else's. An answer that was looked at before is not read again."""

    def __init__(self, theirs: Sequence[bytes]) -> None:
        self.theirs = theirs
        self._found: dict[bytes, list[bytes]] = {}

    def found(self, asked: Asked | None, answer: bytes) -> list[bytes]:
        """What of theirs an answer has, without what the caller wrote in the request."""
        known = self._found.get(answer)
        if known is None:
            text = unfolded(answer)
            known = self._found[answer] = [one for one in self.theirs if one in text]
        if not known or asked is None:
            return known
        said = unfolded(f"{asked.path}\n{asked.body or ''}\n{list(asked.headers.values())}".encode())
        return [one for one in known if one not in said]


def of_view(name: str, columns: Mapping[str, str], theirs: Row, mine: str) -> Iterator[Asked]:
    """Reads a view in every way that the dialect has. `theirs`: what stands in a row of somebody else.

    `columns`: the types of its columns; `mine`: the user id of the caller.
    """
    path = f"/rest/v1/{name}"
    count = {"Prefer": "count=exact"}

    def read(query: str = "", rows: int | None = None, **headers: str) -> Asked:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return Asked("GET", f"{path}?{query}" if query else path, count | named, rows=rows)

    yield Asked("GET", path)
    yield Asked("HEAD", path, count)
    yield read()
    yield read(Range="0-999", Range_Unit="items")
    yield read("limit=1&offset=1000000")
    for media_type in ("text/csv", "application/vnd.pgrst.object+json", _STRIPPED):
        yield read(Accept=media_type)
    for column, kind in columns.items():
        if kind == "jsonb":
            yield read(f"select=a:{column}->owner,b:{column}->>owner,{column}::text")
            yield read(f"select={column}&order={column}->>owner")
        elif kind in ("text", "uuid"):
            yield read(f"select={column}::integer")  # an error must not tell whose value cannot be cast
            yield read(f"{column}=like.*&select={column}::text&order={column}.desc")
    equal = {column: str(value) for column, value in theirs.items() if isinstance(value, str | int | float)}
    for column, value in equal.items():
        rows = 0 if len(value) >= 30 or column == "user_id" else None
        yield read(f"{column}=eq.{quote(value)}", rows)
        yield read(f"select=mine:{column},{column}::text&{column}=in.({quote(_quoted(value))})", rows)
    if equal:
        tree = ",".join(f"{column}.eq.{_quoted(value)}" for column, value in equal.items())
        yield read(f"or=({quote(tree)})")
        yield read(f"or=(and({quote(tree)}),not.and({quote(tree)}))", Accept="text/csv")
    for method in ("POST", "PATCH", "PUT", "DELETE", "OPTIONS"):  # nothing is written to a view
        yield Asked(method, f"{path}?{urlencode({c: f'eq.{v}' for c, v in equal.items()})}", body="{}")
    if "user_id" in columns:
        yield read(f"user_id=neq.{quote(mine)}", 0)
        yield read(f"or=(user_id.isdistinct.{quote(_quoted(mine))},user_id.is.null)", 0)
        yield Asked("HEAD", f"{path}?user_id=not.in.({quote(_quoted(mine))})", count, rows=0)


_STRIPPED = "application/vnd.pgrst.array+json;nulls=stripped"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True)
class Callable:
    """A function of `api`: its arguments with their types, and what it returns."""

    name: str
    arguments: Mapping[str, str]
    stable: bool
    rows: bool

    def __str__(self) -> str:
        return f"{self.name}/{len(self.arguments)}"

    @property
    def repeats(self) -> bool:
        """Whether two calls have the same answer."""
        return self.stable or self.name in _WITHOUT_RECEIPT


# The arguments of a call that works, where the value by the argument's name would not.
_CHOICES: dict[str, Row] = {
    "create_order/5": {"amount": None},
    "set_auto_topup/7": {"amount": None},
    "set_low_balance/3": {"percent": None},
    "offer_plan/2": {"plan_id": "team"},
    "report_refusal/3": {"usage": {"calls": 10**6}},  # more than the user has
    "add_tokens/9": {"reason": "promo"},
    "set_test_clock/3": {"advance": None},
    "verify_email/2": {"email": None},
    "request_refund/6": {"tokens": None, "amount": 5},
    "replay_from_stripe/2": {"object_id": None},
}
PLAIN: Row = {
    **{"module_id": "whisper", "module_name": "Whisper", "tokens_to_consume": 25, "usage": {"calls": 1}},
    **{"ttl": "PT1H", "final": False, "over": "available", "metadata": {"a": 1}, "byok": False},
    **{"tags": {"job": "1"}},
    **{"pack_id": "basique", "plan_id": "pro", "period": "day", "below": 5, "percent": 5, "tokens": 5},
    **{"threshold": 5, "monthly_limit": 5000, "words": "Charge my card.", "code": "SUMMER", "amount": 999},
    **{"reason": "why", "shared_network": True, "email_verified": True, "atomic": True, "everywhere": True},
    "give_up_balance": True,
    **{"duration_ms": 5, "tokens_to_add": 5, "package_name": "Standard", "priority": 3, "scope": "any"},
    **{"expires_at": "2099-01-01T00:00:00Z", "since": "2026-01-01T00:00:00Z", "state": "settled"},
    **{"at": "2026-01-01T00:00:00Z", "movements": 5, "before_seq": 5},
    **{"frozen_time": "2098-01-01T00:00:00Z", "advance": "PT1H", "overlap": "PT1H", "role": "spender"},
    **{"name": "till", "url": "https://shop.example/", "kinds": ["depleted"], "description": "D"},
    **{"event": {}, "payload": "\\x00", "answer": {}, "list": "events", "has_more": False, "after": "x"},
    **{"most": 1, "lease_seconds": 60, "max_accounts": 1, "max_keys": 1, "max_messages": 1},
    **{"http_status": 204, "trouble": "slow", "delivered": True},
}


def arguments(function: Callable, facts: Row) -> Row:
    """The arguments of a call about somebody's things."""
    listed = {"items": [{"user_id": facts["user_id"], "module_id": "whisper"}]}
    known = PLAIN | facts | listed | _CHOICES.get(str(function), {})
    if function.name == "restore_lot":
        known |= {"entry_id": facts["void_id"]}
    if function.arguments.get("session_id") == "uuid":
        known |= {"session_id": facts["sign_in_session"]}
    return {name: known[name] for name in function.arguments if known[name] is not None}


# Functions that write, and whose answer is the same for each of two calls.
_WITHOUT_RECEIPT = {"report_refusal", "report_refused_capture"}
# What only a service may say.
_OF_SERVICES = {"device_keys", "network_keys", "shared_network", "email_verified", "payment_method_id"}


def by_a_user(given: Row) -> Row:
    """The call as a user may make it."""
    return {name: value for name, value in given.items() if name not in _OF_SERVICES}


def swaps(function: Callable, mine: Row, theirs: Row) -> Iterator[tuple[Row, set[str]]]:
    """Calls with somebody else's names: all of them, each alone, all but the user's; and which are theirs."""
    own, other = arguments(function, mine), arguments(function, theirs)
    differ = {name for name in other if other[name] != own[name]}
    yield other, differ
    if len(differ) > 1:
        for name in sorted(differ):
            yield by_a_user(own) | {name: other[name]}, {name}
        plain = by_a_user(other)
        yield plain, differ & plain.keys()
        if "user_id" in differ:
            del plain["user_id"]
            yield plain, differ & plain.keys()


def posted(function: Callable, given: Row, query: str = "", **headers: str) -> Asked:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked("POST", f"/rest/v1/rpc/{function.name}{query}", named, json.dumps(given))


def shaped(function: Callable, theirs: Row) -> Iterator[Asked]:
    """The call with all of somebody else's names, in the other ways in which a call can be made."""
    given = arguments(function, theirs)
    if "idempotency_key" in given:
        less = {name: value for name, value in given.items() if name not in ("idempotency_key", "user_id")}
        yield posted(function, less, Idempotency_Key=given["idempotency_key"])
    yield posted(function, given, "?select=*&limit=1000", Accept="text/csv", Prefer="count=exact")
    if function.stable:
        texts = {name: v if isinstance(v, str) else json.dumps(v) for name, v in given.items()}
        for method in ("GET", "HEAD"):
            yield Asked(method, f"/rest/v1/rpc/{function.name}?{urlencode(texts)}", {"Prefer": "count=exact"})


def differs(one: Answer, other: Answer, said: Row, instead: Row, *, repeats: bool) -> bool:
    """Do two answers differ in more than the names that the caller gave?

    Two calls that have done something may differ: each has a receipt of its own.
    """
    if not repeats and one.status < 400 and other.status < 400:
        return False
    return _without(one, said) != _without(other, instead)


def _without(answer: Answer, said: Row) -> bytes:
    text = answer.raw
    for value in sorted(
        (v for v in said.values() if isinstance(v, str) and len(v) >= 8), key=len, reverse=True
    ):
        text = text.replace(value.encode(), b"*")
    return text


def own_routes(mine: Tenant, theirs: Tenant) -> dict[tuple[str, str], list[Asked]]:
    """Requests to all routes but the dialect's, with another user's names wherever any may be."""
    user, other = mine.user_id, theirs.user_id
    forged = theirs.refresh_token[:68] + "0" * (len(theirs.refresh_token) - 68)
    event = {"id": theirs.facts["event_id"], "data": {"object": {"client_reference_id": theirs.account_id}}}
    wrong = {"email": theirs.email, "password": "not the password"}
    agreed = {"threshold": 5, "pack_id": "basique", "monthly_limit": 5000, "words": "Charge my card."}

    def post(path: str, *bodies: Row, method: str = "POST", **headers: str) -> list[Asked]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return [Asked(method, path, named, json.dumps(body)) for body in bodies]

    tokens = "/api/user-tokens"
    spend = {"moduleId": "whisper", "moduleName": "Whisper", "tokensToConsume": 25}
    routes = {
        ("GET", tokens): [
            Asked("GET", f"{tokens}{q}") for q in ("", f"?userId={other}", f"?userId={user}&userId={other}")
        ],
        ("POST", tokens): post(tokens, spend | {"userId": other}, {"moduleId": "whisper", "userId": other}),
        ("PUT", tokens): post(tokens, {"userId": other, "tokensToAdd": 5, "packageName": "P"}, method="PUT"),
        ("POST", "/auth/account"): post("/auth/account", {"user_id": other, "email": theirs.email}),
        ("POST", "/auth/signup"): post("/auth/signup", wrong),
        ("POST", "/auth/token"): post(
            "/auth/token", wrong, {"refresh_token": forged}, {"refresh_token": theirs.ended_token}
        ),
        ("POST", "/auth/password"): post("/auth/password", wrong | {"new_password": "another password"}),
        ("POST", "/auth/logout"): post("/auth/logout", {"refresh_token": forged, "everywhere": True}),
        ("POST", "/checkout"): post(
            "/checkout",
            {"user_id": other, "pack_id": "standard"},
            {"userId": other, "plan_id": "team"},
            {"user_id": other, "auto_topup": agreed},
        ),
        ("POST", "/portal"): post("/portal", {"user_id": other}, {"userId": other}),
        ("GET", "/checkout/done"): [Asked("GET", f"/checkout/done?session_id={theirs.facts['session_id']}")],
        ("GET", "/checkout/cancelled"): [Asked("GET", f"/checkout/cancelled?user_id={other}")],
        ("GET", "/schema"): [Asked("GET", "/schema"), Asked("GET", "/schema", {"Accept": "text/html"})],
        ("GET", "/health/ready"): [Asked("GET", f"/health/ready?user_id={other}")],
        ("GET", "/balance/events"): [],  # a stream: a test of its own
    }
    for path in ("/webhooks/stripe", "/api/stripe-webhook"):
        routes["POST", path] = post(path, event, Stripe_Signature="t=1,v1=0")
    for path in (
        *("/", "/metrics", "/health/live", "/schema/openapi.json", "/checkout/pages.css"),
        *("/schema/reference.js", "/schema/swagger-ui.js", "/schema/swagger-ui.css"),
    ):
        routes["GET", path] = [Asked("GET", path)]
    return routes


# Routes that ask nobody who they are.
FOR_ALL = {
    *(("GET", f"/health/{name}") for name in ("live", "ready")),
    *(("GET", f"/checkout/{name}") for name in ("done", "cancelled", "pages.css")),
    *(("GET", f"/schema{name}") for name in ("", "/openapi.json", "/reference.js", "/swagger-ui.js")),
    *(("POST", f"/auth/{name}") for name in ("signup", "token", "password", "logout")),
    *(("POST", path) for path in ("/webhooks/stripe", "/api/stripe-webhook")),
    ("GET", "/schema/swagger-ui.css"),
    ("GET", "/"),
}
