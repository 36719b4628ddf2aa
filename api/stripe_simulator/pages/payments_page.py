"""The payments, and what a person can let happen to each: refunds, disputes, the end of a debit."""

from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core import moves
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import charges, refunds
from stripe_simulator.core.store import Json, Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.pages.markup import button, page, redirect

_SHOWN = 100


@get("/payments")
async def list_all(request: Request[Any, Any, Any]) -> Response[str]:
    """Newest first."""
    store: Store = request.app.state.store
    catch_up(store)
    rows = "\n".join(_row(store, intent) for intent in store.newest("payment_intent", _SHOWN))
    body = f"""<h1>Payments</h1>
<div class=card><table>
<tr><th>Payment<th>Amount<th>Status<th>Refunded<th>Disputed<th>What for</tr>
{rows}
</table></div>
<p class=soft>The last {_SHOWN}. <a href="/">All sessions and events</a></p>"""
    return page("Payments", body, wide=True)


@get("/payments/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """One payment with its refunds, disputes and buttons."""
    store: Store = request.app.state.store
    intent = store.find("payment_intent", id)
    if intent is None:
        return page("Unknown payment", "<h1>There is no such payment.</h1>", status=404)
    return _page(store, intent)


@post("/payments/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """A button was pressed: let it happen."""
    store: Store = request.app.state.store
    intent = store.find("payment_intent", id)
    if intent is None:
        return page("Unknown payment", "<h1>There is no such payment.</h1>", status=404)
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    form = {name: values[0] for name, values in fields.items()}
    try:
        with store.transaction():
            _do(store, intent, form)
    except StripeError as error:
        return _page(store, store.get("payment_intent", id), str(error), status=400)
    return redirect(f"/payments/{quote(id)}")


def _do(store: Store, intent: Json, form: dict[str, str]) -> None:
    action, charge = form.get("action", ""), charges.of_intent(store, intent)
    if action in ("refund_half", "refund_rest"):
        if charge is None:
            raise StripeError("Nothing was paid.")
        left = charge["amount_captured"] - charge["amount_refunded"]
        half = min(left, max(1, charge["amount_captured"] // 2))
        amount = half if action == "refund_half" and left else None
        refunds.create(store, charge, amount, {"reason": "requested_by_customer"})
        return
    path, id, name = form.get("path", ""), form.get("id", ""), action
    theirs = {intent["id"], *(thing["id"] for thing in _things(store, intent))}
    if id not in theirs:
        raise StripeError("This page has no such button.")
    moves.play(store, path, id, name, moves.Options(inquiry="inquiry" in form))


def _things(store: Store, intent: Json) -> list[Json]:
    """The charges, refunds and disputes of a payment."""
    kinds = ("charge", "refund", "dispute")
    return [thing for kind in kinds for thing in store.where(kind, "payment_intent", intent["id"])]


def _row(store: Store, intent: Json) -> str:
    id, charge = intent["id"], charges.of_intent(store, intent)
    refunded = money(charge["amount_refunded"], charge["currency"]) if charge else ""
    disputed = "yes" if charge and charge["disputed"] else ""
    for_what = intent["description"] or intent["metadata"].get("order_id") or intent["customer"] or ""
    return (
        f'<tr><td><a href="/payments/{id}"><code>{id[:16]}…</code></a>'
        f"<td>{money(intent['amount'], intent['currency'])}<td>{intent['status']}"
        f"<td>{refunded}<td>{disputed}<td>{escape(for_what)}</tr>"
    )


def _page(store: Store, intent: Json, error: str = "", status: int = 200) -> Response[str]:
    here = f"/payments/{intent['id']}"
    charge = charges.of_intent(store, intent)
    body = f"<h1>{money(intent['amount'], intent['currency'])}</h1>"
    if error:
        body += f"<div class=card role=alert><p class='state bad'>{escape(error)}</p></div>"
    body += f"<div class=card><p class=state>{intent['status']}</p>"
    if problem := intent["last_payment_error"]:
        body += f"<p class=bad>{escape(problem['message'])}</p>"
    body += f"<p class=soft><code>{intent['id']}</code></p></div>"
    by_card = charge is None or charge["payment_method_details"]["type"] == "card"
    body += _buttons(here, "payment_intents", intent, without="bounce" if by_card else "")
    if charge and charge["status"] == "succeeded":
        body += _paid(charge, here)
    for thing in _things(store, intent):
        if thing["object"] != "charge":
            body += _thing(thing, here)
    body += "<p><a href='/payments'>All payments</a></p>"
    return page("Payment", body, status=status)


def _paid(charge: Json, here: str) -> str:
    left = charge["amount_captured"] - charge["amount_refunded"]
    body = ""
    if left:
        body += button(here, "refund_half", "Refund half", "Half of the whole, or what is left")
        body += button(here, "refund_rest", f"Refund {money(left, charge['currency'])}", "All that is left")
    id = charge["id"]
    if not charge["disputed"]:
        body += button(here, "dispute", "Dispute", "The bank takes the money back", path="charges", id=id)
        note = "The bank only asks"
        body += button(here, "dispute", "Inquiry", note, path="charges", id=id, inquiry="yes")
    return body + button(here, "warn", "Warn of fraud", "No money moves", path="charges", id=id)


def _thing(thing: Json, here: str) -> str:
    amount = money(thing["amount"], thing["currency"])
    body = (
        f"<h2>{thing['object'].capitalize()} of {amount}</h2>"
        f"<div class=card><p class=state>{thing['status']}</p>"
        f"<p class=soft><code>{thing['id']}</code></p></div>"
    )
    return body + _buttons(here, f"{thing['object']}s", thing)


def _buttons(here: str, path: str, thing: Json, without: str = "") -> str:
    """The moves that the state of an object allows."""
    return "".join(
        button(here, name, move.label, path=path, id=thing["id"])
        for (of, name), move in moves.MOVES.items()
        if of == path and thing["status"] in move.states and name != without
    )
