"""/api/user-tokens: IAHome's own route, with its JSON names. The rules are in the database."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency

from pgcredits.http.database.pools import Statement
from pgcredits.http.dialect import query_string
from pgcredits.http.errors import refuse, respond, understood
from pgcredits.http.functions import jsonbody, refusals, rpc
from pgcredits.http.functions.idempotency import idempotency_key
from pgcredits.http.resources import Resources

_Request = Request[Any, Any, Any]

_PATH = "/api/user-tokens"
_BALANCE = """
    select json_build_object(
        'tokens', b.available,
        'packageName', b.package_name,
        'purchaseDate', b.purchased_at,
        'isActive', coalesce(b.status = 'active', false)
    )::text
    from api.balance as b
"""


@get("/")
async def read(request: _Request, resources: NamedDependency[Resources]) -> Response[bytes]:
    """?userId= → {"tokens", "packageName", "purchaseDate", "isActive"}. Without userId: the caller's own.

    A + in userId is a plus, as in a+b@example.com. A space is %20.
    """
    caller = await resources.identify(request)
    if caller.anonymous:
        raise refuse(401, "not_signed_in", "Sign in first.")
    user_id = dict(query_string.pairs(request.scope["query_string"], plus=b"+")).get("userId")
    if caller.backend:
        if user_id is None:
            raise refuse(422, "bad_user", "userId is required: a service says whose tokens it means.")
        statement = Statement(f"{_BALANCE} where b.user_id = %s", (user_id,))
    elif user_id not in (None, caller.subject):
        raise refuse(403, "not_yours", "Only a service may read another user's tokens.")
    else:
        statement = Statement(_BALANCE)  # row security shows a user their own balance and nobody else's
    row = await resources.schema_cache.ask(caller, statement, read_only=True, method="GET", path=_PATH)
    if row is None:
        raise refuse(404, "unknown_user", "No such user: open_account opens an account.")
    return _json(str(row[0]).encode())


@post("/", status_code=200)
async def consume(request: _Request, resources: NamedDependency[Resources]) -> Response[bytes]:
    """{"userId", "tokensToConsume", "moduleId", "moduleName"} → {"success": true, …the receipt}.

    tokensToConsume is compared with the database's price. Without it that price is charged.
    With an Idempotency-Key header the request can be repeated safely. Without one a repeat is another charge.
    """
    body = jsonbody.parse(await request.body())
    named = {"module_id": "moduleId", "user_id": "userId"}
    if "tokensToConsume" not in body.members:
        return await _call(request, resources, "consume_tokens", body, named)
    named |= {"module_name": "moduleName", "tokens_to_consume": "tokensToConsume"}
    return await _call(request, resources, "consume_call", body, named)


@put("/")
async def add(request: _Request, resources: NamedDependency[Resources]) -> Response[bytes]:
    """{"userId", "tokensToAdd", "packageName"} → {"success": true, …the receipt}. For services.

    With an Idempotency-Key header the request can be repeated safely. Without one a repeat is another grant.
    """
    body = jsonbody.parse(await request.body())
    named = {"user_id": "userId", "tokens_to_add": "tokensToAdd", "package_name": "packageName"}
    return await _call(request, resources, "add_package", body, named)


async def _call(
    request: _Request,
    resources: Resources,
    function: str,
    body: jsonbody.JsonObject,
    named: dict[str, str],
) -> Response[bytes]:
    caller = await resources.identify(request)
    # A missing member becomes null, so that the function with all arguments is called and judges it.
    members = {argument: body.members.get(name, "null") for argument, name in named.items()}
    arguments = jsonbody.build(members)
    key = idempotency_key(request.headers)
    meant = await rpc.find(resources.schema_cache, function, arguments.members, keyed=key is not None)
    statement = rpc.call_with_object(meant, arguments, key)
    row = await refusals.ask(
        resources.schema_cache, caller, statement, arguments, function=function, read_only=False, path=_PATH
    )
    receipt = msgspec.json.decode(str(row[0] if row else "null"), type=dict[str, msgspec.Raw])
    answer = {
        "success": msgspec.Raw(b"true"),
        "tokens": receipt["balance"],
        "entryId": receipt["entry_id"],
        "replayed": receipt["replayed"],
    }
    if "cost" in receipt:
        answer["tokensConsumed"] = receipt["cost"]
        answer["priceSource"] = receipt["price_source"]
    else:
        answer["tokensAdded"] = receipt["tokens"]
    return _json(msgspec.json.encode(answer))


def _json(content: bytes) -> Response[bytes]:
    return Response(content, status_code=200, media_type="application/json")


def _answer_error(request: _Request, error: Exception) -> Response[dict[str, Any]]:
    """The usual error body, with the two members that IAHome's frontend reads."""
    seen = understood(request, error)
    return respond(seen, {**seen.body(), "success": False, "error": seen.slug or seen.code})


router = Router(_PATH, route_handlers=[read, consume, add], exception_handlers={Exception: _answer_error})
