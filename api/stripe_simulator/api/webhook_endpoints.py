"""/v1/webhook_endpoints: the one endpoint that the command line names. It can only be changed."""

from stripe_simulator.core import endpoint
from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects
from stripe_simulator.protocol.parameters import array, boolean, metadata, text


@api_route("GET", "/v1/webhook_endpoints/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/webhook_endpoints/{id}"""
    return _shown(call, _found(call))


@api_route(
    "POST",
    "/v1/webhook_endpoints/{id:str}",
    {
        "description": text(unset=True),
        "disabled": boolean,
        "enabled_events": array(text(), 500),
        "metadata": metadata,
    },
)
def update(call: Call) -> Json:
    """POST /v1/webhook_endpoints/{id}: events that happen from now on are sent, or not."""
    found, changes = _found(call), dict(call.params)
    if "disabled" in changes:
        changes["status"] = "disabled" if changes.pop("disabled") else "enabled"
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(found["metadata"], changes["metadata"])
    changed = {**found, **changes}
    call.store.update(changed)
    return _shown(call, changed)


def _shown(call: Call, found: Json) -> Json:
    """The endpoint decides the shape of its events: here it is a setting."""
    return {**found, "api_version": call.store.settings["event_version"]}


@api_route("GET", "/v1/webhook_endpoints", LIST_PARAMETERS)
def list_all(call: Call) -> Json:
    """GET /v1/webhook_endpoints"""
    page = list_objects(call, endpoint.KIND, {})
    page["data"] = [_shown(call, each) for each in page["data"]]
    return page


def _found(call: Call) -> Json:
    found = call.store.find(endpoint.KIND, call.id)
    if found is None:
        raise missing_object("webhook endpoint", call.id, "webhook_endpoint", 404)
    return found
