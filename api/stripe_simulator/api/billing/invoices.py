"""/v1/invoices: retrieve, lines, finalize, pay, void, list; /v1/invoice_payments."""

from stripe_simulator.core.billing import clocks, invoices, subscriptions
from stripe_simulator.core.errors import PaymentRefused, StripeError, missing_object
from stripe_simulator.core.payments import methods
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import Check, boolean, fields, one_of, text

_KIND = "invoice"


@api_route("GET", "/v1/invoices/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/invoices/{id}"""
    return _found(call)


@api_route("GET", "/v1/invoices/{id:str}/lines", {})
def list_lines(call: Call) -> Json:
    """GET /v1/invoices/{id}/lines"""
    lines: Json = _found(call)["lines"]
    return lines


@api_route("POST", "/v1/invoices/{id:str}/finalize", {"auto_advance": boolean})
def finalize(call: Call) -> Json:
    """POST /v1/invoices/{id}/finalize"""
    invoice = _found(call)
    _require(invoice, "draft")
    with call.store.at(_moment(call, invoice)):
        invoices.finalize(call.store, invoice, call.origin)
        subscriptions.follow(call.store, invoice, call.origin)
    return invoice


@api_route(
    "POST",
    "/v1/invoices/{id:str}/pay",
    {"off_session": boolean, "paid_out_of_band": boolean, "payment_method": text()},
)
def pay(call: Call) -> Json:
    """POST /v1/invoices/{id}/pay: collect it now."""
    store, params, invoice = call.store, call.params, _found(call)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    with store.at(_moment(call, invoice)):
        if invoice["status"] == "draft":
            invoices.finalize(store, invoice, call.origin)
        _require(invoice, "open")
        if params.get("paid_out_of_band"):
            invoices.mark_paid(store, invoice, None, call.origin)
            subscriptions.follow(store, invoice, call.origin)
            return invoice
        method = methods.resolve(store, given) if (given := params.get("payment_method")) else _default(call)
        off_session = params.get("off_session", True)
        if not subscriptions.collect(store, invoice, method, call.origin, off_session=off_session):
            error = invoices.prepare(store, invoice)["last_payment_error"]
            if error:
                raise PaymentRefused(error)
            raise StripeError("There is no payment method to pay this invoice with.", status=402)
    return store.get(_KIND, call.id)


@api_route("POST", "/v1/invoices/{id:str}/void", {})
def void(call: Call) -> Json:
    """POST /v1/invoices/{id}/void"""
    invoice = _found(call)
    _require(invoice, "open")
    with call.store.at(_moment(call, invoice)):
        invoices.give_up(call.store, invoice, "void", call.origin)
    return invoice


@api_route("POST", "/v1/invoices/{id:str}/mark_uncollectible", {})
def mark_uncollectible(call: Call) -> Json:
    """POST /v1/invoices/{id}/mark_uncollectible"""
    invoice = _found(call)
    _require(invoice, "open")
    with call.store.at(_moment(call, invoice)):
        invoices.give_up(call.store, invoice, "uncollectible", call.origin)
    return invoice


_FILTERS: dict[str, Check] = {
    "customer": text(),
    "status": one_of("draft", "open", "paid", "uncollectible", "void"),
    "subscription": text(),
}


@api_route("GET", "/v1/invoices", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/invoices"""
    filters = chosen(call, "customer", "status")
    if "subscription" in call.params:
        where = "json_extract(inner, '$.subscription') = ?"
        return list_objects(call, _KIND, filters, where, [call.params["subscription"]])
    return list_objects(call, _KIND, filters)


_payment = fields({"payment_intent": text(), "type": one_of("payment_intent")}, ["type"])


@api_route(
    "GET",
    "/v1/invoice_payments",
    {**LIST_PARAMETERS, "invoice": text(), "payment": _payment, "status": one_of("canceled", "open", "paid")},
)
def list_payments(call: Call) -> Json:
    """GET /v1/invoice_payments: which invoice a PaymentIntent pays."""
    filters = chosen(call, "invoice", "status")
    if intent := call.params.get("payment", {}).get("payment_intent"):
        filters["payment.payment_intent"] = intent
    return list_objects(call, "invoice_payment", filters)


def _moment(call: Call, invoice: Json) -> int | None:
    return clocks.moment(call.store, call.store.get("customer", invoice["customer"]))


def _default(call: Call) -> Json | None:
    invoice = _found(call)
    id = call.store.inner(invoice["id"])["subscription"]
    if id:
        return subscriptions.method_of(call.store, call.store.get(subscriptions.KIND, id))
    buyer = call.store.get("customer", invoice["customer"])
    default = buyer["invoice_settings"]["default_payment_method"]
    return call.store.find("payment_method", default) if default else None


def _require(invoice: Json, status: str) -> None:
    if invoice["status"] != status:
        message = f"This invoice is {invoice['status']}. Only an invoice that is {status} allows this."
        raise StripeError(message, code="invoice_not_editable")


def _found(call: Call) -> Json:
    invoice = call.store.find(_KIND, call.id)
    if invoice is None:
        raise missing_object(_KIND, call.id, "invoice", 404)
    return invoice
