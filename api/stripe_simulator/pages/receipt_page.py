"""The receipt of a charge."""

from datetime import UTC, datetime
from html import escape
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from stripe_simulator.core.currencies import money
from stripe_simulator.core.payments import methods
from stripe_simulator.core.store import Store
from stripe_simulator.pages.markup import page


@get("/receipts/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """What was paid, when, by which card, and what was refunded."""
    store: Store = request.app.state.store
    charge = store.find("charge", id)
    if charge is None or charge["receipt_url"] is None:
        return page("Unknown receipt", "<h1>There is no such receipt.</h1>", status=404)
    currency = charge["currency"]
    method = methods.label(store.get("payment_method", charge["payment_method"]))
    when = datetime.fromtimestamp(charge["created"], UTC).strftime("%d %B %Y")
    rows = [("Paid", money(charge["amount"], currency)), ("On", when), ("By", method)]
    if charge["amount_refunded"]:
        rows.append(("Refunded", money(charge["amount_refunded"], currency)))
    items = "".join(
        f"<div class=item><span>{name}</span><span>{escape(what)}</span></div>" for name, what in rows
    )
    return page(
        "Receipt", f"<h1>Receipt</h1><div class=card>{items}</div><p class=soft><code>{id}</code></p>"
    )
