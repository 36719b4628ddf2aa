"""/rest/v1: the functions and views of `api`, in PostgREST's dialect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import psycopg
from litestar import Request, asgi
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.types import HTTPScope, Receive, Send

from pgcredits.http.database.pools import Statement
from pgcredits.http.database.schema_cache import SCHEMA, Function, SchemaCache
from pgcredits.http.database.sharing import spend_of
from pgcredits.http.dialect import answers, conditions, misfits, query, query_string, recent
from pgcredits.http.dialect.answers import Answer
from pgcredits.http.dialect.fields import Source
from pgcredits.http.dialect.query import Query
from pgcredits.http.dialect.scanner import unsupported
from pgcredits.http.dialect.wish import Wish
from pgcredits.http.errors import ApiError, bad_request
from pgcredits.http.functions import body, jsonbody, refusals, rpc
from pgcredits.http.functions.idempotency import idempotency_key
from pgcredits.http.identity import guests
from pgcredits.http.identity.guests import Visitor
from pgcredits.http.resources import Resources
from pgcredits.tokens import SERVICE, Caller

_Request: TypeAlias = Request[Any, Any, Any]
_Row: TypeAlias = tuple[Any, ...]
_Pairs: TypeAlias = Sequence[tuple[str, str]]
_Handler: TypeAlias = Callable[["_Request", str, Resources], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to call a function. For a `guest`, who has no account, the caller is a service."""

    resources: Resources
    request: _Request
    name: str
    caller: Caller
    guest: Visitor | None
    key: str | None
    wish: Wish
    query: _Pairs

    @property
    def path(self) -> str:
        return f"/rest/v1/rpc/{self.name}"


@asgi("/rest/v1", is_mount=True, copy_scope=False)
async def rest(scope: HTTPScope, receive: Receive, send: Send) -> None:
    """Answer as Litestar's own routes do, in fewer steps: the hot paths are here."""
    methods, template, name, handler = _route(scope["path"])
    scope["path_template"], scope["path_params"] = template, {"name": name}
    if scope["method"] in methods:
        request: _Request = Request(scope, receive, send)
        answer = await handler(request, name, scope["litestar_app"].state["resources"])
    else:
        allow = {"allow": ", ".join((*methods, "OPTIONS"))}
        if scope["method"] != "OPTIONS":
            raise MethodNotAllowedException(headers=allow)
        answer = Answer(204, allow, b"")
    await answer(scope, receive, send)


def _route(path: str) -> tuple[tuple[str, ...], str, str, _Handler]:
    """What a path below /rest/v1 stands for: methods, template, name and handler. Raises 404."""
    match path.rstrip("/").split("/"):
        case ["", "rpc", name] if name:  # the mount also gets /rest/v1balance, which has no slash here
            return ("GET", "HEAD", "POST"), "/rest/v1/rpc/{name}", name, _call_function
        case ["", name] if name:
            return ("GET", "HEAD"), "/rest/v1/{name}", name, _read_view
    raise NotFoundException


async def _call_function(request: _Request, name: str, resources: Resources) -> Answer:
    """POST takes a JSON object of arguments. GET and HEAD take a query string, and call what only reads."""
    caller = await resources.identify(request)
    headers = request.headers
    wish = Wish.of(request.method, headers)
    key = idempotency_key(headers)
    given = query_string.pairs(request.scope["query_string"])
    guest = guests.visitor(resources.settings, request, caller, name)
    call = _Call(resources, request, name, SERVICE if guest else caller, guest, key, wish, given)
    function, asked, row = await (_call_by_body(call) if request.method == "POST" else _call_by_query(call))
    answer = answers.of_call(function, wish, asked, row)
    answer.cookies = guest.cookies if guest else ()
    return answer


async def _call_by_body(call: _Call) -> tuple[Function, Query | None, _Row | None]:
    """The function that a JSON body means, what is asked of its rows, and the row that it answered."""
    _json_only(call.request)
    given = jsonbody.parse(await body.read(call.request.receive))
    if call.guest:
        given = call.guest.fill_in(given)
    cache = call.resources.schema_cache
    function = await rpc.find(cache, call.name, given.members, keyed=call.key is not None)
    asked = _asked_of(call, function, call.query)
    statement = rpc.call_with_object(function, given, call.key, rows=asked is not None)
    shaped = _of_a_kind(call, _shaped(call, function, asked, statement))

    async def alone() -> _Row | None:
        return await refusals.ask(
            cache,
            call.caller,
            shaped,
            given,
            function=call.name,
            read_only=function.stable,
            path=call.path,
        )

    sharing = call.resources.sharing
    spend = spend_of(call.caller, function, given, call.key) if sharing and asked is None else None
    answer = sharing.spend(call.caller, spend, alone) if sharing and spend else alone()
    return function, asked, await (answer if asked is None else _misfits_told(answer))


async def _call_by_query(call: _Call) -> tuple[Function, Query | None, _Row | None]:
    """The same for a query string. The function must only read."""
    cache = call.resources.schema_cache
    given, shaping = await _divided(cache, call.name, call.query)
    texts = dict(given)
    if len(texts) != len(given):
        raise bad_request("An argument is given twice.")
    if call.guest:
        texts = call.guest.fill_in_texts(texts)
    function = await rpc.find(cache, call.name, texts, keyed=call.key is not None)
    if not function.stable:
        text = f"{SCHEMA}.{call.name} writes: call it with POST."
        raise ApiError(405, "25006", text, headers={"Allow": "POST, OPTIONS"})
    asked = _asked_of(call, function, shaping)
    statement = rpc.call_with_texts(function, texts, call.key, rows=asked is not None)
    answer = cache.ask(
        call.caller,
        _shaped(call, function, asked, statement),
        read_only=True,
        method=call.request.method,
        path=call.path,
    )
    return function, asked, await (answer if asked is None else _misfits_told(answer))


async def _divided(schema_cache: SchemaCache, name: str, given: _Pairs) -> tuple[_Pairs, _Pairs]:
    """The arguments of a function in a query string, and what is asked of its rows.

    As in PostgREST, the text decides where a name could be both: `eq.x` is a filter.
    """
    functions = (await schema_cache.schema()).functions.get(name, [])
    known = {argument.name for function in functions for argument in function.arguments}
    columns = {column.name for function in functions for column in function.rows}

    def shapes(word: str, text: str) -> bool:
        if word in query.WORDS:
            return True
        return bool(functions) and conditions.is_filter(text) and (word in columns or word not in known)

    arguments = [pair for pair in given if not shapes(*pair)]
    return arguments, [pair for pair in given if shapes(*pair)]


def _asked_of(call: _Call, function: Function, given: _Pairs) -> Query | None:
    """What is asked of the rows of a function. None: its answer as it is, which costs least.

    Raises ApiError.
    """
    wish = call.wish
    some = function.returns_set and wish.media_type.single
    formed = wish.media_type.csv or wish.media_type.stripped
    if (not given or given == [("select", "*")]) and not (
        some or formed or wish.preferences.counted or wish.range
    ):
        return None
    if function.returns == "void":
        raise unsupported("a query on a function that returns nothing", function.name)
    if function.rows:
        source = Source.of(function.name, function.rows)
    else:
        source = Source(function.name, {query.SCALAR: function.returns})
    asked = query.parse(source, given)
    asked = replace(asked, page=asked.page.within(wish.range))
    if some and not function.stable:
        # Without such an object we would refuse what is committed already.
        raise unsupported("one object out of the rows of a function that writes", function.name)
    return asked


def _shaped(call: _Call, function: Function, asked: Query | None, statement: Statement) -> Statement:
    if asked is None:
        return statement
    return asked.of_call(
        statement,
        call.wish.media_type,
        call.resources.settings.max_rows,
        counted=call.wish.preferences.counted,
        scalar=not function.rows,
        one=not function.returns_set,
    )


def _of_a_kind(call: _Call, statement: Statement) -> Statement:
    """Guests call as a service does, and anyone is a guest: together they take a part of the pool."""
    return replace(statement, kind="guests") if call.guest else statement


async def _read_view(request: _Request, name: str, resources: Resources) -> Answer:
    """The rows of a view that the caller may see."""
    caller = await resources.identify(request)
    wish = Wish.of(request.method, request.headers)
    view = await resources.schema_cache.view(name)
    if view is None:
        text = f"Could not find the table '{SCHEMA}.{name}' in the schema cache"
        raise ApiError(404, "PGRST205", text)
    try:
        page, statement = recent.of_view(
            view, request.scope["query_string"], wish, resources.settings.max_rows
        )
    except ApiError as error:
        if error.code == "42703":  # or the column is new
            resources.schema_cache.doubt()
        raise
    path = f"/rest/v1/{name}"
    row = await _misfits_told(
        resources.schema_cache.ask(caller, statement, read_only=True, method=request.method, path=path)
    )
    return answers.of_view(wish, page, row)


async def _misfits_told(answer: Awaitable[_Row | None]) -> _Row | None:
    """The answer to a query. What does not fit in the query is told in our words."""
    try:
        return await answer
    except psycopg.Error as error:
        refusal = misfits.told(error)
        if refusal:
            raise refusal from error
        raise


def _json_only(request: _Request) -> None:
    media_type = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "PGRST102", f"Content-Type not acceptable: {media_type}. Send application/json.")
