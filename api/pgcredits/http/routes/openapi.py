"""/schema: the OpenAPI 3.1 document.

Functions and views are described by the schema cache, with their comments in the database. The other routes
are described by static/openapi.json.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from pgcredits.http.database.schema_cache import Column, Function, Schema, View
from pgcredits.http.dialect.query import WORDS
from pgcredits.http.identity.guests import FILLED_IN
from pgcredits.http.identity.guests import FUNCTIONS as FOR_GUESTS
from pgcredits.http.resources import Resources
from pgcredits.http.routes import pages

_Json = dict[str, Any]

_NUMBER: _Json = {"type": "number"}
_TYPES: dict[str, _Json] = {
    "text": {"type": "string"},
    "name": {"type": "string"},
    "character varying": {"type": "string"},
    "bpchar": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "boolean": {"type": "boolean"},
    "smallint": {"type": "integer", "format": "int32"},
    "integer": {"type": "integer", "format": "int32"},
    "bigint": {"type": "integer", "format": "int64"},
    "numeric": _NUMBER,
    "real": _NUMBER,
    "double precision": _NUMBER,
    "timestamp with time zone": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "json": {},  # any value; openapi-fetch and openapi-python-client fail at a type that contains itself
    "jsonb": {},
}
_STATUSES = ("400", "401", "402", "403", "404", "406", "409", "413", "415", "416", "422", "423", "429", "503")
_VIEW_STATUSES = ("400", "401", "403", "404", "406", "416", "422", "503")
_GUESTS = (
    f"Anybody may call it over HTTP, without {', '.join(FILLED_IN)}. The HTTP API finds out who the guest "
    "is, by the network and by a cookie that it sets. When nothing free is left: 429, with Retry-After."
)
_KEY_HEADER: _Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Repeat the call with the same key and get the same answer: the idempotency_key argument.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


@get("/schema")
async def schema(
    request: Request[Any, Any, Any], resources: NamedDependency[Resources]
) -> Response[_Json] | Response[bytes]:
    """This description: a page for browsers, which ask for HTML, and JSON for all others."""
    if "text/html" in request.headers.get("accept", ""):
        return pages.reference()
    return await _as_json(resources)


@get("/schema/openapi.json")
async def schema_json(resources: NamedDependency[Resources]) -> Response[_Json]:
    """This description, always as JSON."""
    return await _as_json(resources)


async def _as_json(resources: Resources) -> Response[_Json]:
    described = document(await resources.schema_cache.schema(), resources.settings.public_url)
    return Response(described, headers={"Vary": "Accept"})


def document(described: Schema, url: str) -> _Json:
    """The OpenAPI document of what the schema cache has, and of the other routes."""
    base = msgspec.json.decode((files("pgcredits.http") / "static" / "openapi.json").read_bytes(), type=_Json)
    base["info"]["version"] = _version()
    base["servers"] = [{"url": url}]
    for name, functions in described.functions.items():
        base["paths"][f"/rest/v1/rpc/{name}"] = _function_path(name, functions)
    for view in described.views.values():
        base["paths"][f"/rest/v1/{view.name}"] = {"get": _view_operation(view)}
    base["components"]["schemas"] |= _composites(described)
    return base


def _version() -> str:
    try:
        return version("pgcredits")
    except PackageNotFoundError:
        return "0"


def _function_path(name: str, functions: list[Function]) -> _Json:
    first = functions[0]
    bodies = [_arguments(function) for function in functions]
    texts = [_described(function.comment, function.roles) for function in functions]
    if name in FOR_GUESTS:
        bodies += [_without(FILLED_IN, body) for body in bodies]
        texts.append(_GUESTS)
    operation: _Json = {
        "operationId": name,
        "tags": ["functions"],
        "summary": _summary(first.comment),
        "description": "\n\n".join(texts),
        "requestBody": {
            "required": all(body["required"] for body in bodies),
            "content": {"application/json": {"schema": bodies[0] if len(bodies) == 1 else {"anyOf": bodies}}},
        },
        "responses": {"200": _content("The result.", _result(first))} | _error_refs(),
    }
    if any(function.takes_key for function in functions):
        operation["parameters"] = [_KEY_HEADER]
    path: _Json = {"post": operation}
    readers = [function for function in functions if function.stable]
    if readers:
        path["get"] = _reader(readers[0])
    return path


def _reader(function: Function) -> _Json:
    filled_in = FILLED_IN if function.name in FOR_GUESTS else ()
    text = _described(function.comment, function.roles)
    return {
        "operationId": f"get_{function.name}",
        "tags": ["functions"],
        "summary": _summary(function.comment),
        "description": f"{text}\n\n{_GUESTS}" if filled_in else text,
        "parameters": [
            {
                "name": a.name,
                "in": "query",
                "required": a.required and a.name not in filled_in,
                "schema": {"type": "string"},
                "description": a.type,
            }
            for a in function.arguments
        ],
        "responses": {"200": _content("The result.", _result(function))} | _error_refs(),
    }


def _arguments(function: Function) -> _Json:
    properties: _Json = {}
    for argument in function.arguments:
        # Null means what leaving the argument out means, or it is refused. It never lifts a limit.
        left_out = (argument.default or "").upper().startswith("NULL")
        described = dict(_nullable(argument.type) if left_out else _type(argument.type))
        if argument.default is not None:
            described["description"] = f"Default: {argument.default}"
        properties[argument.name] = described
    return {
        "type": "object",
        "properties": properties,
        "required": [argument.name for argument in function.arguments if argument.required],
        "additionalProperties": False,
    }


def _without(names: Iterable[str], body: _Json) -> _Json:
    properties = {name: kind for name, kind in body["properties"].items() if name not in names}
    return body | {
        "properties": properties,
        "required": [name for name in body["required"] if name in properties],
    }


def _result(function: Function) -> _Json:
    one = (
        {"$ref": f"#/components/schemas/{function.returns}"}
        if function.fields
        else _nullable(function.returns)
    )
    return {"type": "array", "items": one} if function.returns_set else one


def _composites(described: Schema) -> _Json:
    return {
        function.returns: _object(function.fields, function.result_comment)
        for functions in described.functions.values()
        for function in functions
        if function.fields
    }


def _view_operation(view: View) -> _Json:
    parameters: list[_Json] = [
        _parameter("select", "Columns, with commas: column, alias:column, column->key, column::text."),
        _parameter("order", "column.asc or column.desc, .nullsfirst or .nullslast, with commas."),
        _parameter("or", "Conditions of which one must be true: (column.gt.5,and(column.is.null,…))."),
        _parameter("limit", "At most this many rows.", {"type": "integer", "minimum": 0}),
        _parameter("offset", "Leave out this many rows.", {"type": "integer", "minimum": 0}),
    ]
    parameters += [
        _parameter(c.name, f"A condition, as in eq.VALUE or in.(A,B). {c.comment or ''}".strip())
        for c in view.columns
        if c.name not in WORDS
    ]
    # A client that selects some columns gets rows without the others.
    rows = {"type": "array", "items": _object(view.columns, None) | {"required": []}}
    return {
        "operationId": f"read_{view.name}",
        "tags": ["views"],
        "summary": _summary(view.comment),
        "description": _described(view.comment, view.roles),
        "parameters": parameters,
        "responses": {
            "200": _content("Rows.", rows),
            "206": _content("A part of the rows that were counted.", rows),
        }
        | _error_refs(*_VIEW_STATUSES),
    }


def _parameter(name: str, description: str, described: _Json | None = None) -> _Json:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": described or {"type": "string"},
    }


def _content(description: str, described: _Json) -> _Json:
    return {"description": description, "content": {"application/json": {"schema": described}}}


def _object_of(properties: _Json) -> _Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _object(columns: list[Column], comment: str | None) -> _Json:
    properties = {
        c.name: _nullable(c.type) | ({"description": c.comment} if c.comment else {}) for c in columns
    }
    return _object_of(properties) | ({"description": comment} if comment else {})


def _type(name: str) -> _Json:
    if name.endswith("[]"):
        return {"type": "array", "items": _type(name[:-2])}
    return _TYPES.get(name, {"type": "string", "description": name})


def _nullable(name: str) -> _Json:
    return _or_null(_type(name))


def _or_null(described: _Json) -> _Json:
    return described | {"type": [described["type"], "null"]} if "type" in described else described


def _summary(comment: str | None) -> str:
    return (comment or "").partition("\n")[0]


def _described(comment: str | None, roles: list[str]) -> str:
    return f"{comment or ''}\n\nRoles: {', '.join(roles) or 'none'}.".strip()


def _error_refs(*statuses: str) -> _Json:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses or _STATUSES}
