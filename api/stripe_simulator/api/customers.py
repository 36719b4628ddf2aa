"""/v1/customers: create, retrieve, update, delete, list."""

from stripe_simulator.core import customer
from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.events import emit
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects
from stripe_simulator.protocol.parameters import Check, email, fields, metadata, text

_line = text(unset=True)
_FIELDS: dict[str, Check] = {
    "address": fields(
        {
            "city": _line,
            "country": _line,
            "line1": _line,
            "line2": _line,
            "postal_code": _line,
            "state": _line,
        }
    ),
    "description": _line,
    "email": email(unset=True),
    "metadata": metadata,
    "name": text(256, unset=True),
    "phone": text(20, unset=True),
}


@api_route("POST", "/v1/customers", _FIELDS)
def create(call: Call) -> Json:
    """POST /v1/customers"""
    return customer.create(call.store, call.params, call.origin)


@api_route("GET", "/v1/customers/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/customers/{id}"""
    found = call.store.find("customer", call.id)
    if found is None:
        raise missing_object("customer", call.id, "id", 404)
    return found


@api_route("POST", "/v1/customers/{id:str}", _FIELDS)
def update(call: Call) -> Json:
    """POST /v1/customers/{id}"""
    found = _living(call)
    changes = dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(found["metadata"], changes["metadata"])
    changed = {**found, **changes}
    call.store.update(changed)
    return changed


@api_route("DELETE", "/v1/customers/{id:str}", {})
def delete(call: Call) -> Json:
    """DELETE /v1/customers/{id}: its id stays, and says so."""
    found = _living(call)
    gone = {"id": call.id, "object": "customer", "deleted": True}
    call.store.update(gone)
    emit(call.store, "customer.deleted", found, call.origin)
    return gone


def _living(call: Call) -> Json:
    found = customer.find(call.store, call.id)
    if found is None:
        raise missing_object("customer", call.id, "id", 404)
    return found


@api_route("GET", "/v1/customers", {**LIST_PARAMETERS, "email": text(512)})
def list_all(call: Call) -> Json:
    """GET /v1/customers"""
    filters = {key: call.params[key] for key in ["email"] if key in call.params}
    return list_objects(call, "customer", filters, "json_extract(body, '$.deleted') is null")
