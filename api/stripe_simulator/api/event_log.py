"""/v1/events: retrieve and list."""

from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects
from stripe_simulator.protocol.parameters import array, boolean, text

_FILTERS = {"delivery_success": boolean, "type": text(), "types": array(text(), 20)}


@api_route("GET", "/v1/events/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/events/{id}"""
    event = call.store.find("event", call.id)
    if event is None:
        raise missing_object("event", call.id, "id", 404)
    return _with_pending(call, event)


@api_route("GET", "/v1/events", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/events"""
    params = call.params
    conditions, args = ["true"], []
    if "type" in params:  # "checkout.session.*" is a prefix
        conditions.append("json_extract(body, '$.type') glob ?")
        args.append(params["type"])
    if "types" in params:
        conditions.append(
            f"json_extract(body, '$.type') in ({', '.join('?' * len(params['types']))})"
        )  # question marks only
        args += params["types"]
    if "delivery_success" in params:
        delivered = "id in (select event_id from deliveries where state = 'delivered')"
        conditions.append(delivered if params["delivery_success"] else f"not {delivered}")
    page = list_objects(call, "event", {}, " and ".join(conditions), args)
    page["data"] = [_with_pending(call, event) for event in page["data"]]
    return page


def _with_pending(call: Call, event: Json) -> Json:
    pending = call.store.db.execute(
        "select count(*) from deliveries where event_id = ? and state in ('pending', 'dropped')",
        (event["id"],),
    ).fetchone()[0]
    return {**event, "pending_webhooks": pending}
