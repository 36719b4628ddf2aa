"""/v1/disputes: retrieve, submit evidence, close, list. Controls and pages open them."""

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import disputes
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import Check, boolean, fields, metadata, text

_line = text(20_000)
_EVIDENCE: dict[str, Check] = {
    "access_activity_log": _line,
    "customer_email_address": _line,
    "customer_name": _line,
    "product_description": _line,
    "refund_policy_disclosure": _line,
    "service_date": _line,
    "uncategorized_text": _line,
}


@api_route("GET", "/v1/disputes/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/disputes/{id}"""
    return _found(call)


@api_route(
    "POST", "/v1/disputes/{id:str}", {"evidence": fields(_EVIDENCE), "metadata": metadata, "submit": boolean}
)
def update(call: Call) -> Json:
    """POST /v1/disputes/{id}: with evidence it goes to the bank unless ``submit`` is false."""
    dispute = _found(call)
    evidence = call.params.get("evidence", {})
    submit = call.params.get("submit", bool(evidence))
    merged = merge_metadata(dispute["metadata"], call.params["metadata"]) if "metadata" in call.params else {}
    if not disputes.submit_evidence(
        call.store, dispute, evidence, merged or dispute["metadata"], call.origin, submit=submit
    ):
        raise StripeError("This dispute is already closed.", code="dispute_already_closed")
    return dispute


@api_route("POST", "/v1/disputes/{id:str}/close", {})
def close(call: Call) -> Json:
    """POST /v1/disputes/{id}/close: we accept it, so it is lost."""
    dispute = _found(call)
    if not disputes.lose(call.store, dispute, call.origin):
        raise StripeError("This dispute is already closed.", code="dispute_already_closed")
    return dispute


@api_route("GET", "/v1/disputes", {**LIST_PARAMETERS, "charge": text(), "payment_intent": text()})
def list_all(call: Call) -> Json:
    """GET /v1/disputes"""
    return list_objects(call, "dispute", chosen(call, "charge", "payment_intent"))


def _found(call: Call) -> Json:
    dispute = call.store.find("dispute", call.id)
    if dispute is None:
        raise missing_object("dispute", call.id, "dispute", 404)
    return dispute
