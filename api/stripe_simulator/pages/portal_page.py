"""The billing portal: a customer changes the plan, cancels, takes that back, pays, changes the card."""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core import customer
from stripe_simulator.core.billing import changes, clocks, cycle, invoices, periods, portal, subscriptions
from stripe_simulator.core.billing.subscriptions import KIND, Item
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import methods
from stripe_simulator.core.payments.cards import CARDS
from stripe_simulator.core.store import Json, Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.pages.markup import button, page, redirect

_CARDS = ("4242424242424242", "4000002500003155", "4000000000000341")


@get("/portal/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """What the customer pays for, and by which card."""
    store: Store = request.app.state.store
    catch_up(store)
    session = store.find(portal.KIND, id)
    return _unknown() if session is None else _page(store, session)


@post("/portal/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """A button was pressed."""
    store: Store = request.app.state.store
    catch_up(store)
    session = store.find(portal.KIND, id)
    if session is None:
        return _unknown()
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    form = {name: values[0] for name, values in fields.items()}
    buyer = customer.find(store, session["customer"])
    try:
        with store.transaction(), store.at(clocks.moment(store, buyer or {})):
            if buyer is None or not _do(store, buyer, form):
                return page("Unknown action", "<h1>This page has no such button.</h1>", status=400)
    except StripeError as error:
        return _page(store, session, str(error), status=400)
    return redirect(f"/portal/{id}")


def _do(store: Store, buyer: Json, form: dict[str, str]) -> bool:
    """Whether there is such a button, for something of theirs."""
    action = form.get("action")
    if action == "card":
        method = methods.new_card(store, form.get("card", ""))
        methods.attach(store, method, buyer["id"])
        settings = {**buyer["invoice_settings"], "default_payment_method": method["id"]}
        customer.change(store, buyer, {"invoice_settings": settings})
        for one in _subscriptions(store, buyer):
            if one["default_payment_method"]:
                changed = {"default_payment_method": method["id"]}
                subscriptions.change(store, one, changed, store.inner(one["id"]))
        return True
    if action == "pay":
        invoice = store.find("invoice", form.get("invoice", ""))
        if invoice is None or invoice["customer"] != buyer["id"]:
            return False
        _pay(store, invoice)
        return True
    subscription = store.find(KIND, form.get("subscription", ""))
    if subscription is None or subscription["customer"] != buyer["id"] or cycle.is_over(subscription):
        return False
    return _change(store, subscription, action, form)


def _change(store: Store, subscription: Json, action: str | None, form: dict[str, str]) -> bool:
    match action:
        case "cancel":
            changes.schedule_end(store, subscription, None, with_period=True)
        case "keep":
            changes.schedule_end(store, subscription, None)
        case "plan":
            price = store.find("price", form.get("price", ""))
            if price is None or not price["recurring"] or not price["active"]:
                return False
            item = subscription["items"]["data"][0]
            wanted = [(item["id"], Item(price, item["quantity"]))]
            changes.change_items(store, subscription, wanted, "always_invoice")
        case _:
            return False
    return True


def _pay(store: Store, invoice: Json) -> None:
    id = store.inner(invoice["id"])["subscription"]
    method = subscriptions.method_of(store, store.get(KIND, id)) if id else None
    subscriptions.collect(store, invoice, method, off_session=False)


def _subscriptions(store: Store, buyer: Json) -> list[Json]:
    found = store.where(KIND, "customer", buyer["id"])
    return [subscription for subscription in found if not cycle.is_over(subscription)]


def _page(store: Store, session: Json, error: str = "", status: int = 200) -> Response[str]:
    buyer = store.get("customer", session["customer"])
    here = f"/portal/{session['id']}"
    body = f"<h1>Your subscriptions</h1><p class=soft>{escape(buyer.get('email') or buyer['id'])}</p>"
    if error:
        body += f"<div class=card role=alert><p class='state bad'>{escape(error)}</p></div>"
    if not buyer.get("deleted"):
        for subscription in _subscriptions(store, buyer):
            body += _subscription(store, subscription, here)
        body += _card(store, buyer, here)
    if session["return_url"]:
        body += f"<p><a href='{escape(session['return_url'])}'>Back to the shop</a></p>"
    return page("Billing", body, status=status)


def _subscription(store: Store, subscription: Json, here: str) -> str:
    id = subscription["id"]
    item = subscription["items"]["data"][0]
    ends = subscription["cancel_at"]
    word, moment = ("Ends", ends) if ends else ("Renews", item["current_period_end"])
    body = (
        f"<div class=card><p class=state>{escape(_name(store, item['price']))}</p>"
        f"<p>{escape(subscription['status'])}. {word} on {periods.day(moment)}.</p></div>"
    )
    for price in store.newest("price", 100):
        same = price["currency"] == subscription["currency"] and price["id"] != item["price"]["id"]
        if same and price["recurring"] and price["active"]:
            label = f"Change to {_name(store, price)}"
            body += button(here, "plan", label, "From now on, pro rata", subscription=id, price=price["id"])
    if ends:
        body += button(here, "keep", "Do not cancel", subscription=id)
    else:
        body += button(here, "cancel", "Cancel", "At the end of the period", subscription=id)
    for invoice in invoices.of_subscription(store, id, "open"):
        due = money(invoice["amount_due"], invoice["currency"])
        body += button(
            here, "pay", f"Pay {due} now", "A payment has failed", main=True, invoice=invoice["id"]
        )
    return body


def _card(store: Store, buyer: Json, here: str) -> str:
    default = buyer["invoice_settings"]["default_payment_method"]
    method = store.find("payment_method", default) if default else None
    body = f"<h2>Card</h2><p>{escape(methods.label(method)) if method else 'No card yet'}</p>"
    if declined := _last_decline(store, buyer):
        body += f"<p class='state bad'>{escape(declined)}</p>"
    for number in _CARDS:
        body += button(here, "card", f"Pay by {number}", f"The card {CARDS[number].note}", card=number)
    return body


def _last_decline(store: Store, buyer: Json) -> str | None:
    """What came of the last charge, if it failed."""
    charges = store.where("charge", "customer", buyer["id"])
    if not charges or charges[-1]["status"] != "failed":
        return None
    tried = store.get("payment_method", charges[-1]["payment_method"])
    return f"{methods.label(tried)} was tried: {charges[-1]['failure_message']}"


def _name(store: Store, price: Json) -> str:
    """The price for people."""
    name = store.get("product", price["product"])["name"]
    return f"{name}, {money(price['unit_amount'], price['currency'])} a {price['recurring']['interval']}"


def _unknown() -> Response[str]:
    return page("Unknown session", "<h1>There is no such portal session.</h1>", status=404)
