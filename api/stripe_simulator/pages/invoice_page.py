"""The hosted page of an invoice, where an open one is paid."""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core.billing import clocks, subscriptions
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import methods
from stripe_simulator.core.payments.cards import CARDS
from stripe_simulator.core.store import Json, Store
from stripe_simulator.pages.markup import button, page, redirect

_CARDS = ("4242424242424242", "4000002500003155", "4000000000000341")


@get("/invoices/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """What it is for, and whether it is paid."""
    store: Store = request.app.state.store
    invoice = store.find("invoice", id)
    return _unknown() if invoice is None else _page(store, invoice)


@post("/invoices/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """Pay by a card."""
    store: Store = request.app.state.store
    invoice = store.find("invoice", id)
    if invoice is None:
        return _unknown()
    number = parse_qs((await request.body()).decode("utf-8", "replace")).get("card", [""])[0]
    buyer = store.get("customer", invoice["customer"])
    try:
        with store.transaction(), store.at(clocks.moment(store, buyer)):
            method = methods.new_card(store, number)
            subscriptions.collect(store, invoice, method, off_session=False)
    except StripeError as error:
        return page("Invoice", f"<h1>Invoice</h1><p class='state bad'>{escape(str(error))}</p>", status=400)
    return redirect(f"/invoices/{id}")


def _page(store: Store, invoice: Json) -> Response[str]:
    currency = invoice["currency"]
    rows = [(line["description"], money(line["amount"], currency)) for line in invoice["lines"]["data"]]
    items = "".join(
        f"<div class=item><span>{escape(name)}</span><span>{amount}</span></div>" for name, amount in rows
    )
    total = money(invoice["total"], currency)
    body = (
        f"<h1>Invoice {escape(invoice['number'] or '')}</h1><div class=card>{items}"
        f"<div class='item total'><span>Total</span><span>{total}</span></div></div>"
        f"<p class=state>{escape(invoice['status'])}</p>"
    )
    intents = [payment["payment"]["payment_intent"] for payment in invoice["payments"]["data"]]
    if intents and invoice["status"] == "open":
        intent = store.get("payment_intent", intents[0])
        if intent["status"] == "requires_action":
            body += f"<p><a href='/authenticate/{intent['id']}'>Your bank asks: confirm the payment</a></p>"
    if invoice["status"] == "open":
        for number in _CARDS:
            note = f"The card {CARDS[number].note}"
            body += button(f"/invoices/{invoice['id']}", "pay", f"Pay by {number}", note, card=number)
    return page("Invoice", body)


def _unknown() -> Response[str]:
    return page("Unknown invoice", "<h1>There is no such invoice.</h1>", status=404)
