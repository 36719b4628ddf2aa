"""The hosted pay page of a session, and what its buttons do."""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core.checkout import lifecycle, pricing
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import methods
from stripe_simulator.core.payments.cards import CARDS
from stripe_simulator.core.store import Json, Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.pages.markup import button, page, redirect

OFFERED = (
    "4242424242424242",
    "4000002500003155",
    "4000000000000002",
    "4000000000000341",
    "4000000000000259",
)
"""The cards that have a button."""


@get("/pay/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """The page: what is sold, what can be done about it now."""
    store: Store = request.app.state.store
    catch_up(store)
    session = store.find("checkout.session", id)
    return _unknown() if session is None else _page(store, session, request.query_params.get("error", ""))


@post("/pay/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """A button was pressed: do it once, then redirect, so that reloading does nothing."""
    store: Store = request.app.state.store
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    form = {name: values[0] for name, values in fields.items()}
    action = form.get("action", "")
    catch_up(store)
    session = store.find("checkout.session", id)
    if session is None:
        return _unknown()
    try:
        with store.transaction():
            if not _do(store, session, action, form):
                return page("Unknown action", "<h1>This page has no such button.</h1>", status=400)
    except StripeError as error:
        return _page(store, store.get("checkout.session", id), str(error), status=400)
    # A second click on pay finds the session complete and goes where the first one went.
    if action in ("pay", "pay_later", "authenticate") and session["status"] == "complete":
        return redirect(_success_url(session))
    return redirect(f"/pay/{id}")


def _do(store: Store, session: Json, action: str, form: dict[str, str]) -> bool:
    """Whether there is such a button."""
    match action:
        case "pay":
            lifecycle.pay(store, session, _method(store, session, form), save="save" in form)
        case "pay_later":
            lifecycle.pay_later(store, session)
        case "fail":
            lifecycle.decline(store, session)
        case "expire":
            lifecycle.expire(store, session)
        case "authenticate" | "refuse":
            lifecycle.authenticate(store, session, succeeded=action == "authenticate")
        case "debit_succeeds" | "debit_fails":
            lifecycle.end_debit(store, session, succeeded=action == "debit_succeeds")
        case "promotion":
            pricing.use_code(store, session, form.get("code", ""))
        case _:
            return False
    return True


def _method(store: Store, session: Json, form: dict[str, str]) -> Json | None:
    """The card that was chosen: a new one by number, or a saved one of the customer."""
    if session["status"] != "open":
        return None
    if id := form.get("method"):
        method = store.find("payment_method", id)
        if method is None or method["customer"] != session["customer"]:
            raise StripeError("This card is not the buyer's.")
        return method
    return methods.new_card(store, form["card"]) if "card" in form else None


def _page(store: Store, session: Json, error: str = "", status: int = 200) -> Response[str]:
    body = (
        f"<h1>{ {'setup': 'Save a card', 'subscription': 'Subscribe'}.get(session['mode'], 'Checkout') }</h1>"
    )
    if error:
        body += f"<div class=card role=alert><p class='state bad'>{escape(error)}</p></div>"
    body += _bill(store, session)
    body += _choices(store, session) if session["status"] == "open" else _outcome(store, session)
    body += f"<p class=soft><code>{session['id']}</code> · <a href='/'>all sessions and events</a></p>"
    return page("Checkout", body, status=status)


def _bill(store: Store, session: Json) -> str:
    lines = store.inner(session["id"])["line_items"]
    currency = session["currency"]
    rows = []
    for line in lines:
        times = f" × {line['quantity']}" if line["quantity"] != 1 else ""
        rows.append((f"{line['description']}{times}", money(line["amount_subtotal"], currency)))
    details = session["total_details"] or {}
    if off := details.get("amount_discount"):
        rows.append(("Discount", f"−{money(off, currency)}"))
    if due := details.get("amount_tax"):
        rows.append(("Tax", money(due, currency)))
    body = "".join(
        f"<div class=item><span>{escape(name)}</span><span>{price}</span></div>" for name, price in rows
    )
    if lines:
        total = money(session["amount_total"], currency)
        body += f"<div class='item total'><span>Total</span><span>{total}</span></div>"
    if session["customer_details"] and session["customer_details"]["email"]:
        body += f"<p class=soft>Buyer: {escape(session['customer_details']['email'])}</p>"
    return f"<div class=card>{body}</div>"


def _choices(store: Store, session: Json) -> str:
    here = f"/pay/{session['id']}"
    intent = lifecycle.intent_of(store, session)
    body = ""
    if intent and intent["status"] == "requires_action":
        body += _card("", "Your bank asks", "The owner of the card must confirm.")
        body += button(here, "authenticate", "Confirm", "It is me", main=True)
        body += button(here, "refuse", "Refuse", "It is not me")
    if error := intent and (intent.get("last_payment_error") or intent.get("last_setup_error")):
        message = escape(error["message"])
        body += (
            f"<div class=card role=alert><p class='state bad'>{message}</p>Try another payment method.</div>"
        )
    body += _ways_to_pay(store, session, here)
    if session["allow_promotion_codes"]:
        body += (
            f'<form method="post" action="{here}"><label>Promotion code <input name="code"></label>'
            '<button name="action" value="promotion">Apply</button></form>'
        )
    body += button(here, "expire", "Expire", "As if the buyer never came back")
    if session["cancel_url"]:
        body += f"<p><a href='{escape(session['cancel_url'])}'>Cancel and go back to the shop</a></p>"
    return body


def _ways_to_pay(store: Store, session: Json, here: str) -> str:
    free = session["amount_total"] == 0
    if free and (session["mode"] == "payment" or session["payment_method_collection"] != "always"):
        return button(here, "pay", "Complete the order", "Nothing to pay", main=True)
    verb = "Save card" if session["mode"] == "setup" else "Pay by card"
    body = ""
    for number in OFFERED:
        shown = " ".join(number[place : place + 4] for place in range(0, 16, 4))
        note = f"The card {CARDS[number].note}"
        body += button(here, "pay", f"{verb} {shown}", note, main=number == OFFERED[0], card=number)
    if session["customer"]:
        for method in store.where("payment_method", "customer", session["customer"]):
            label = f"{verb} {methods.label(method)}"
            body += button(here, "pay", label, "Saved before", method=method["id"])
    if (session["saved_payment_method_options"] or {}).get("payment_method_save") == "enabled":
        body += button(here, "pay", "Pay and save the card", "4242, for the next time", save="yes")
    if session["mode"] == "payment":
        note = "Bank debit: unpaid now; come back to this page to let it succeed or fail"
        body += button(here, "pay_later", "Pay later", note)
    return body


def _outcome(store: Store, session: Json) -> str:
    if session["status"] == "expired":
        return _card(
            "bad", "Expired", f"Nobody can pay this session any more. {_back(session['cancel_url'])}"
        )
    back = _back(_success_url(session))
    if session["payment_status"] == "no_payment_required":
        return _card("good", "Completed, nothing to pay", back)
    if session["payment_status"] == "paid":
        return _card("good", "Paid", back)
    intent = lifecycle.intent_of(store, session)
    if intent and intent["status"] == "processing":
        here = f"/pay/{session['id']}"
        return (
            _card("", "Completed, not paid yet", f"The bank debit is on its way. {back}")
            + button(here, "debit_succeeds", "Succeed", "The money arrives", main=True)
            + button(here, "debit_fails", "Fail", "The bank refuses the debit")
        )
    return _card("bad", "Payment failed", f"The bank refused the debit. {back}")


def _card(mood: str, state: str, rest: str) -> str:
    return f"<div class=card role=status><p class='state {mood}'>{state}</p>{rest}</div>"


def _back(url: str | None) -> str:
    return f"<a href='{escape(url)}'>Back to the shop</a>" if url else ""


def _success_url(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _unknown() -> Response[str]:
    return page("Unknown session", "<h1>There is no such Checkout Session.</h1>", status=404)
