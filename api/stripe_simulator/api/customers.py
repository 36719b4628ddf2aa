"""/v1/customers: create, retrieve, update, delete, list."""

from stripe_simulator.core import customer
from stripe_simulator.core.billing import clocks
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.events import emit
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import methods
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
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
    "invoice_settings": fields({"default_payment_method": _line, "footer": _line}),
    "metadata": metadata,
    "name": text(256, unset=True),
    "phone": text(20, unset=True),
}


@api_route("POST", "/v1/customers", {**_FIELDS, "payment_method": text(), "test_clock": text()})
def create(call: Call) -> Json:
    """POST /v1/customers"""
    params = dict(call.params)
    if clock := params.get("test_clock"):
        found = call.store.find(clocks.KIND, clock)
        if found is None or found.get("deleted"):
            raise missing_object("test clock", clock, "test_clock")
    method = methods.resolve(call.store, given) if (given := params.pop("payment_method", None)) else None
    default = params.get("invoice_settings", {}).get("default_payment_method")
    if default and default != given:
        raise missing_object("PaymentMethod", default, "invoice_settings[default_payment_method]")
    if default and method:
        params["invoice_settings"]["default_payment_method"] = method["id"]
    made = customer.create(call.store, params, call.origin)
    if method:
        methods.attach(call.store, method, made["id"], call.origin)
    return made


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
    if "invoice_settings" in changes:
        default = changes["invoice_settings"].get("default_payment_method")
        if default:
            _check_theirs(call, default)
        changes["invoice_settings"] = {**found["invoice_settings"], **changes["invoice_settings"]}
    return customer.change(call.store, found, changes, call.origin)


@api_route("DELETE", "/v1/customers/{id:str}", {})
def delete(call: Call) -> Json:
    """DELETE /v1/customers/{id}: its id stays, and says so."""
    found = _living(call)
    gone = {"id": call.id, "object": "customer", "deleted": True}
    call.store.update(gone)
    emit(call.store, "customer.deleted", found, call.origin)
    return gone


def _check_theirs(call: Call, method_id: str) -> None:
    method = methods.resolve(call.store, method_id, "invoice_settings[default_payment_method]")
    if method["customer"] != call.id:
        message = "The customer does not have a payment method with the ID " + method_id + "."
        raise StripeError(
            message + " The payment method must be attached to the customer.",
            code="resource_missing",
            param="invoice_settings[default_payment_method]",
        )


def _living(call: Call) -> Json:
    found = customer.find(call.store, call.id)
    if found is None:
        raise missing_object("customer", call.id, "id", 404)
    return found


@api_route("GET", "/v1/customers", {**LIST_PARAMETERS, "email": text(512), "test_clock": text()})
def list_all(call: Call) -> Json:
    """GET /v1/customers: those of a test clock only when it is named."""
    where = "json_extract(body, '$.deleted') is null"
    if "test_clock" not in call.params:
        where += " and json_extract(body, '$.test_clock') is null"
    return list_objects(call, "customer", chosen(call, "email", "test_clock"), where)
