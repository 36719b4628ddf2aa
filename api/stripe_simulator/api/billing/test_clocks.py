"""/v1/test_helpers/test_clocks: create, advance, retrieve, delete, list."""

from stripe_simulator.core.billing import clocks
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects
from stripe_simulator.protocol.parameters import integer, text

_PATH = "/v1/test_helpers/test_clocks"
_moment = integer(1, 4_102_444_800)
"""Until the year 2100."""


@api_route("POST", _PATH, {"frozen_time": _moment, "name": text(300)}, ["frozen_time"])
def create(call: Call) -> Json:
    """POST /v1/test_helpers/test_clocks"""
    return clocks.new(call.store, call.params["frozen_time"], call.params.get("name"), call.origin)


@api_route("POST", _PATH + "/{id:str}/advance", {"frozen_time": _moment}, ["frozen_time"])
def advance(call: Call) -> Json:
    """POST /v1/test_helpers/test_clocks/{id}/advance. Stripe lets a clock go on by two periods at most at a
    time; the simulator lets it go on as far as is wanted."""
    clock = _living(call)
    if call.params["frozen_time"] <= clock["frozen_time"]:
        message = "You can only advance a test clock to a time after its current frozen time."
        raise StripeError(message, param="frozen_time")
    return clocks.advance(call.store, clock, call.params["frozen_time"], call.origin)


@api_route("GET", _PATH + "/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/test_helpers/test_clocks/{id}"""
    clock = call.store.find(clocks.KIND, call.id)
    if clock is None:
        raise missing_object("test clock", call.id, "test_clock", 404)
    return clock


@api_route("DELETE", _PATH + "/{id:str}", {})
def delete(call: Call) -> Json:
    """DELETE /v1/test_helpers/test_clocks/{id}"""
    return clocks.delete(call.store, _living(call), call.origin)


@api_route("GET", _PATH, LIST_PARAMETERS)
def list_all(call: Call) -> Json:
    """GET /v1/test_helpers/test_clocks"""
    return list_objects(call, clocks.KIND, {}, "json_extract(body, '$.deleted') is null")


def _living(call: Call) -> Json:
    clock = call.store.find(clocks.KIND, call.id)
    if clock is None or clock.get("deleted"):
        raise missing_object("test clock", call.id, "test_clock", 404)
    return clock
