"""/v1/balance_transactions: retrieve and list."""

from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import Check, currency, text

_KIND = "balance_transaction"
_FILTERS: dict[str, Check] = {"currency": currency, "payout": text(), "source": text(), "type": text()}


@api_route("GET", "/v1/balance_transactions/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/balance_transactions/{id}"""
    transaction = call.store.find(_KIND, call.id)
    if transaction is None:
        raise missing_object("balance transaction", call.id, "id", 404)
    return transaction


@api_route("GET", "/v1/balance_transactions", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/balance_transactions; ``payout`` gives those that an automatic payout paid out."""
    filters = chosen(call, "currency", "source", "type")
    if "payout" in call.params:
        where = "json_extract(inner, '$.payout') = ?"
        return list_objects(call, _KIND, filters, where, [call.params["payout"]])
    return list_objects(call, _KIND, filters)
