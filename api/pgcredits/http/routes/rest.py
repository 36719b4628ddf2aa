"""/rest/v1: the functions and views of `api`, in PostgREST's dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from litestar import HttpMethod, Request, Response, Router, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from pgcredits.http import guests, jsonbody, query, refusals, rpc
from pgcredits.http.errors import ApiError, bad_request
from pgcredits.http.guests import Visitor
from pgcredits.http.idempotency import idempotency_key
from pgcredits.http.resources import Resources
from pgcredits.http.schema_cache import SCHEMA, Function, SchemaCache
from pgcredits.tokens import SERVICE, Caller

_Request: TypeAlias = Request[Any, Any, Any]
_Row: TypeAlias = tuple[Any, ...]

_JSON = ("*/*", "application/*", "application/json")
_SINGLE = ("application/vnd.pgrst.object+json", "application/vnd.pgrst.object")
_QUERY_WORDS = {"select", "order", "limit", "offset"} | query.FEATURES
# If we ignored one of these, an answer would be wrong, or a write would stay that was to be rolled back.
_PREFERENCES = ("count", "tx", "timezone", "max-affected", "params")


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to call a function. For a `guest`, who has no account, the caller is a service."""

    resources: Resources
    request: _Request
    name: str
    caller: Caller
    guest: Visitor | None
    key: str | None
    query: Sequence[tuple[str, str]]

    @property
    def path(self) -> str:
        return f"/rest/v1/rpc/{self.name}"


@route("/rpc/{name:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST])
async def call_function(
    request: _Request,
    name: FromPath[str],
    resources: NamedDependency[Resources],
) -> Response[bytes]:
    """POST takes a JSON object of arguments. GET and HEAD take a query string, and call what only reads."""
    caller = await resources.identify(request)
    _accepted(request)
    headers = _profile(request)
    _refuse_features(request)
    key = idempotency_key(request)
    given = query.pairs(request.scope["query_string"])
    guest = guests.visitor(resources.settings, request, caller, name)
    call = _Call(resources, request, name, SERVICE if guest else caller, guest, key, given)
    function, row = await (_call_by_body(call) if request.method == "POST" else _call_by_query(call))
    if function.returns == "void":
        return Response(b"", status_code=204, headers=headers)
    text, count = row or ("null", 1)
    headers["Content-Range"] = f"0-{count - 1}/*" if count else "*/*"
    answer = _json(str(text).encode(), headers)
    answer.cookies.extend(guest.cookies if guest else [])
    return answer


async def _call_by_body(call: _Call) -> tuple[Function, _Row | None]:
    """The function that a JSON body means, and the row that it answered."""
    if call.query and call.query != [("select", "*")]:
        raise bad_request(f"Not supported yet: {call.query[0][0]} on the result of a function.")
    _json_only(call.request)
    body = jsonbody.parse(await call.request.body())
    if call.guest:
        body = call.guest.fill_in(body)
    cache = call.resources.schema_cache
    function = await rpc.find(cache, call.name, body.members, keyed=call.key is not None)
    row = await refusals.ask(
        cache,
        call.caller,
        rpc.call_with_object(function, body, call.key),
        body,
        function=call.name,
        read_only=function.stable,
        path=call.path,
    )
    return function, row


async def _call_by_query(call: _Call) -> tuple[Function, _Row | None]:
    """The function that a query string means, and the row that it answered. It must only read."""
    texts = dict(call.query)
    if features := _QUERY_WORDS.intersection(texts):
        raise bad_request(f"Not supported yet: {min(features)} on the result of a function.")
    if len(texts) != len(call.query):
        raise bad_request("An argument is given twice.")
    if call.guest:
        texts = call.guest.fill_in_texts(texts)
    cache = call.resources.schema_cache
    await _refuse_filters(cache, call.name, texts)
    function = await rpc.find(cache, call.name, texts, keyed=call.key is not None)
    if not function.stable:
        text = f"{SCHEMA}.{call.name} writes: call it with POST."
        raise ApiError(405, "25006", text, headers={"Allow": "POST, OPTIONS"})
    statement = rpc.call_with_texts(function, texts, call.key)
    row = await cache.ask(call.caller, statement, read_only=True, method=call.request.method, path=call.path)
    return function, row


@route("/{name:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def read_view(
    request: _Request,
    name: FromPath[str],
    resources: NamedDependency[Resources],
) -> Response[bytes]:
    """The rows of a view that the caller may see."""
    caller = await resources.identify(request)
    media_type = _accepted(request)
    headers = _profile(request)
    _refuse_features(request)
    given = query.pairs(request.scope["query_string"])
    view = await resources.schema_cache.view(name)
    if view is None:
        text = f"Could not find the table '{SCHEMA}.{name}' in the schema cache"
        raise ApiError(404, "PGRST205", text)
    try:
        asked = query.parse(view, given)
    except ApiError as error:
        if error.code == "42703":  # or the column is new
            resources.schema_cache.doubt()
        raise
    statement = asked.statement(view, resources.settings.max_rows)
    path = f"/rest/v1/{name}"
    row = await resources.schema_cache.ask(
        caller, statement, read_only=True, method=request.method, path=path
    )
    text, count = row or ("[]", 0)
    if media_type in _SINGLE:
        if count != 1:
            message = "Cannot coerce the result to a single JSON object"
            raise ApiError(406, "PGRST116", message, details=f"The result contains {count} rows")
        text = text.strip()[1:-1]
    headers["Content-Range"] = f"{asked.offset}-{asked.offset + count - 1}/*" if count else "*/*"
    return _json(str(text).encode(), headers, media_type)


def _accepted(request: _Request) -> str:
    wanted = [part.split(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    for media_type in wanted:
        if media_type in _JSON:
            return "application/json"
        if media_type in _SINGLE:
            return _SINGLE[0]
    text = f"None of these media types are available: {', '.join(wanted)}"
    raise ApiError(406, "PGRST107", text)


def _profile(request: _Request) -> dict[str, str]:
    name = "content-profile" if request.method == "POST" else "accept-profile"
    schema = request.headers.get(name)
    if schema is None:
        return {}
    if schema != SCHEMA:
        hint = f"Only the following schemas are exposed: {SCHEMA}"
        raise ApiError(406, "PGRST106", f"Invalid schema: {schema}", hint=hint)
    return {"Content-Profile": SCHEMA}


def _refuse_features(request: _Request) -> None:
    if "range" in request.headers:
        raise bad_request("Not supported yet: the Range header.", "Use limit and offset.")
    preferences = [p.strip() for value in request.headers.getall("prefer", []) for p in value.split(",")]
    for preference in preferences:
        if preference.split("=")[0].strip() in _PREFERENCES:
            raise bad_request("Not supported yet: this preference.", f"Prefer: {preference}")


async def _refuse_filters(schema_cache: SchemaCache, name: str, given: dict[str, str]) -> None:
    """Refuse a filter on the result, which PostgREST has, before it is taken for an unknown argument."""
    functions = (await schema_cache.schema()).functions.get(name, [])
    arguments = {argument.name for function in functions for argument in function.arguments}
    fields = {field.name for function in functions for field in function.fields}
    for column, value in given.items():
        if functions and column not in arguments and (column in fields or query.is_filter(value)):
            raise bad_request(f"Not supported yet: a filter on the result of a function ({column}).")


def _json_only(request: _Request) -> None:
    media_type = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "PGRST102", f"Content-Type not acceptable: {media_type}. Send application/json.")


def _json(content: bytes, headers: dict[str, str], media_type: str = "application/json") -> Response[bytes]:
    return Response(content, status_code=200, media_type=media_type, headers=headers)


router = Router("/rest/v1", route_handlers=[call_function, read_view])
