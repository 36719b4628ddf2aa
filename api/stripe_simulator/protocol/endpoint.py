"""One call of the API: key, parameters, Idempotency-Key, one transaction, JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler

from stripe_simulator.core.errors import PaymentRefused, StripeError
from stripe_simulator.core.events import API_VERSION, Origin
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.protocol import idempotency
from stripe_simulator.protocol.authorization import authorize
from stripe_simulator.protocol.errors import no_access, unknown_version
from stripe_simulator.protocol.expand import expand
from stripe_simulator.protocol.forms import Form, parse_form
from stripe_simulator.protocol.parameters import Check, array, fields, text


@dataclass(frozen=True)
class Call:
    """What an API function works on: ``params`` are checked, ``id`` is the one in the path (or empty)."""

    store: Store
    path: str
    id: str
    params: Json
    origin: Origin


def api_route(
    method: Literal["GET", "POST", "DELETE"], path: str, known: dict[str, Check], required: Sequence[str] = ()
) -> Callable[[Callable[[Call], Json]], HTTPRouteHandler]:
    """Serve a function of a :class:`Call` at ``path``, accepting the ``known`` parameters and ``expand``.
    The function runs in a transaction, so it must not be async."""
    check = fields({**known, "expand": array(text())}, required)

    def decorate(action: Callable[[Call], Json]) -> HTTPRouteHandler:
        async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
            authorize(request.headers.get("authorization"), method)
            _refuse_forbidden(request)
            _refuse_other_worlds(request)
            body = await request.body() if method == "POST" else request.scope["query_string"]
            _refuse_other_bodies(request, body)
            return _perform(request, action, parse_form(body), check)

        return route(path, http_method=method, status_code=200)(handle)

    return decorate


def _perform(
    request: Request[Any, Any, Any], action: Callable[[Call], Json], form: Form, check: Check
) -> Response[bytes]:
    store: Store = request.app.state.store
    path = request.url.path
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    origin = Origin(new_id("req", 14), key)
    catch_up(store)
    with store.transaction():
        if key and (first := idempotency.recall(store, key, path, form)):
            return _respond(first[1], origin, first[2], original=first[0])
        params = check(form, "")
        paths = params.pop("expand", [])
        id = str(request.path_params.get("id", ""))
        try:
            with store.attempt():
                status, response = _answer(action, Call(store, path, id, params, origin), paths)
        except StripeError as error:
            status, response = error.status, msgspec.json.encode(error.body)
        if key:
            idempotency.remember(store, key, path, form, str(origin.request_id), response, status)
    return _respond(response, origin, status)


def _answer(action: Callable[[Call], Json], call: Call, paths: list[str]) -> tuple[int, bytes]:
    try:
        return 200, msgspec.json.encode(expand(call.store, action(call), paths))
    except PaymentRefused as error:
        if not error.keep:
            raise
        return error.status, msgspec.json.encode(error.body)


def _refuse_forbidden(request: Request[Any, Any, Any]) -> None:
    """As a restricted key is refused that lacks a right."""
    store: Store = request.app.state.store
    if any(request.url.path.startswith(path) for path in store.settings["forbidden"]):
        raise StripeError(
            f"The provided key does not have the required permissions for {request.url.path}.", status=403
        )


def _refuse_other_worlds(request: Request[Any, Any, Any]) -> None:
    for name in ("stripe-account", "stripe-context"):
        if account := request.headers.get(name):
            raise no_access(account)
    version = request.headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise unknown_version(version, API_VERSION)


def _refuse_other_bodies(request: Request[Any, Any, Any], body: bytes) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and body and media_type != "application/x-www-form-urlencoded":
        message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
        raise StripeError(message)


def _respond(body: bytes, origin: Origin, status: int = 200, original: str | None = None) -> Response[bytes]:
    headers = {"Request-Id": str(origin.request_id), "Stripe-Version": API_VERSION}
    if origin.idempotency_key:
        headers["Idempotency-Key"] = origin.idempotency_key
    if original:
        headers |= {"Idempotent-Replayed": "true", "Original-Request": original}
    return Response(body, status_code=status, media_type="application/json", headers=headers)
