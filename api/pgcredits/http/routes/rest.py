"""/rest/v1: the functions and views of `api`, in PostgREST's dialect."""

from __future__ import annotations

from typing import Any

from litestar import HttpMethod, Request, Response, Router, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from pgcredits.http import guests, jsonbody, query, refusals, rpc
from pgcredits.http.errors import ApiError, bad_request, refuse
from pgcredits.http.resources import Door
from pgcredits.http.schema_cache import SCHEMA, Catalogue
from pgcredits.tokens import SERVICE

_Request = Request[Any, Any, Any]

_JSON = ("*/*", "application/*", "application/json")
_SINGLE = ("application/vnd.pgrst.object+json", "application/vnd.pgrst.object")
_QUERY_WORDS = {"select", "order", "limit", "offset"} | query.FEATURES
# To ignore one of these would be a wrong answer, or a write that was meant to be rolled back.
_PREFERENCES = ("count", "tx", "timezone", "max-affected", "params")


@route("/rpc/{name:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST])
async def call_function(
    request: _Request,
    name: FromPath[str],
    door: NamedDependency[Door],
) -> Response[bytes]:
    """POST with a JSON object of arguments; GET or HEAD with a query string, for functions that only read."""
    caller = door.identify(request)
    posting = request.method == "POST"
    _accepted(request)
    headers = _profile(request)
    _refuse_features(request)
    key = idempotency_key(request)
    given = query.pairs(request.scope["query_string"])
    guest = guests.visitor(door.settings, request, caller, name)
    if guest:
        caller = SERVICE  # we say who the guest is
    if posting:
        if given and given != [("select", "*")]:
            raise bad_request(f"Not supported yet: {given[0][0]} on the result of a function.")
        _json_only(request)
        body = jsonbody.parse(await request.body())
        if guest:
            body = guest.fill_in(body)
        function = await rpc.find(door.catalogue, name, body.members, keyed=key is not None)
        statement = rpc.call_with_object(function, body, key)
    else:
        texts = dict(given)
        if features := _QUERY_WORDS.intersection(texts):
            raise bad_request(f"Not supported yet: {min(features)} on the result of a function.")
        if len(texts) != len(given):
            raise bad_request("An argument is given twice.")
        if guest:
            texts = guest.fill_in_texts(texts)
        await _refuse_filters(door.catalogue, name, texts)
        function = await rpc.find(door.catalogue, name, texts, keyed=key is not None)
        if not function.stable:
            text = f"{SCHEMA}.{name} writes: call it with POST."
            raise ApiError(405, "25006", text, headers={"Allow": "POST, OPTIONS"})
        statement = rpc.call_with_texts(function, texts, key)
    path = f"/rest/v1/rpc/{name}"
    if posting:
        row = await refusals.ask(
            door.catalogue,
            caller,
            statement,
            body,
            function=name,
            read_only=function.stable,
            path=path,
        )
    else:
        row = await door.catalogue.ask(
            caller, statement, read_only=function.stable, method=request.method, path=path
        )
    if function.returns == "void":
        return Response(b"", status_code=204, headers=headers)
    text, count = row or ("null", 1)
    headers["Content-Range"] = f"0-{count - 1}/*" if count else "*/*"
    answer = _json(str(text).encode(), headers)
    answer.cookies.extend(guest.cookies if guest else [])
    return answer


@route("/{name:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def read_view(
    request: _Request,
    name: FromPath[str],
    door: NamedDependency[Door],
) -> Response[bytes]:
    """The rows of a view that the caller may see."""
    caller = door.identify(request)
    media_type = _accepted(request)
    headers = _profile(request)
    _refuse_features(request)
    given = query.pairs(request.scope["query_string"])
    view = await door.catalogue.view(name)
    if view is None:
        text = f"Could not find the table '{SCHEMA}.{name}' in the schema cache"
        raise ApiError(404, "PGRST205", text)
    try:
        asked = query.parse(view, given)
    except ApiError as error:
        if error.code == "42703":  # or the column is new
            door.catalogue.doubt()
        raise
    statement = asked.statement(view, door.settings.max_rows)
    path = f"/rest/v1/{name}"
    row = await door.catalogue.ask(caller, statement, read_only=True, method=request.method, path=path)
    text, count = row or ("[]", 0)
    if media_type in _SINGLE:
        if count != 1:
            message = "Cannot coerce the result to a single JSON object"
            raise ApiError(406, "PGRST116", message, details=f"The result contains {count} rows")
        text = text.strip()[1:-1]
    headers["Content-Range"] = f"{asked.offset}-{asked.offset + count - 1}/*" if count else "*/*"
    return _json(str(text).encode(), headers, media_type)


def idempotency_key(request: _Request) -> str | None:
    """The Idempotency-Key header, as text. Raises ApiError 422 bad_key if it is not UTF-8 or given twice."""
    values = request.headers.getall("idempotency-key", [])
    if not values:
        return None
    if len(values) > 1:
        raise refuse(422, "bad_key", "There is more than one Idempotency-Key header.")
    try:
        return values[0].encode("latin-1").decode()
    except UnicodeError:
        raise refuse(422, "bad_key", "The Idempotency-Key header is not UTF-8.") from None


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


async def _refuse_filters(catalogue: Catalogue, name: str, given: dict[str, str]) -> None:
    """A filter on the result (PostgREST has them) is not an argument that is missing."""
    functions = (await catalogue.offer()).functions.get(name, [])
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
