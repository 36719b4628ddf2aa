"""The hosted pay page of a session, and what its buttons do."""

from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core import lifecycle
from stripe_simulator.core.currencies import money
from stripe_simulator.core.store import Json, Store
from stripe_simulator.pages.markup import button, page


@get("/pay/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """The page: what is sold, what can be done about it now."""
    store: Store = request.app.state.store
    lifecycle.expire_due(store)
    session = store.find("checkout.session", id)
    return _unknown() if session is None else _page(store, session)


@post("/pay/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """A button was pressed: do it once, then redirect, so that reloading does nothing."""
    store: Store = request.app.state.store
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    action = form.get("action", [""])[0]
    lifecycle.expire_due(store)
    session = store.find("checkout.session", id)
    if session is None:
        return _unknown()
    with store.transaction():
        match action:
            case "pay":
                lifecycle.pay(store, session)
            case "pay_later":
                lifecycle.pay_later(store, session)
            case "fail":
                lifecycle.decline(store, session)
            case "expire":
                lifecycle.expire(store, session)
            case "debit_succeeds":
                lifecycle.end_debit(store, session, succeeded=True)
            case "debit_fails":
                lifecycle.end_debit(store, session, succeeded=False)
            case _:
                return page("Unknown action", "<h1>This page has no such button.</h1>", status=400)
    # A second click on pay finds the session complete and goes where the first one went.
    if action in ("pay", "pay_later") and session["status"] == "complete":
        return _redirect(_success_url(session))
    return _redirect(f"/pay/{id}")


def _page(store: Store, session: Json) -> Response[str]:
    lines = store.inner(session["id"])["line_items"]
    currency = session["currency"]
    body = "<h1>Checkout</h1><div class=card>"
    for line in lines:
        name = escape(line["description"])
        times = f" × {line['quantity']}" if line["quantity"] != 1 else ""
        price = money(line["amount_total"], currency)
        body += f"<div class=item><span>{name}{times}</span><span>{price}</span></div>"
    total = money(session["amount_total"], currency)
    body += f"<div class='item total'><span>Total</span><span>{total}</span></div>"
    if session["customer_details"] and session["customer_details"]["email"]:
        body += f"<p class=soft>Buyer: {escape(session['customer_details']['email'])}</p>"
    body += "</div>"
    body += _choices(store, session) if session["status"] == "open" else _outcome(store, session)
    body += f"<p class=soft><code>{session['id']}</code> · <a href='/'>all sessions and events</a></p>"
    return page("Checkout", body)


def _choices(store: Store, session: Json) -> str:
    here = f"/pay/{session['id']}"
    intent = lifecycle.intent_of(store, session)
    body = ""
    if intent and intent["last_payment_error"]:
        error = escape(intent["last_payment_error"]["message"])
        body += (
            f"<div class=card role=alert><p class='state bad'>{error}</p>Try another payment method.</div>"
        )
    if session["amount_total"] == 0:
        body += button(here, "pay", "Complete the order", "Nothing to pay", main=True)
    else:
        amount = money(session["amount_total"], session["currency"])
        body += button(here, "pay", f"Pay {amount}", "Card 4242 4242 4242 4242: succeeds at once", main=True)
        body += button(
            here,
            "pay_later",
            "Pay later",
            "Bank debit: unpaid now; come back to this page to let it succeed or fail",
        )
        body += button(here, "fail", "Fail", "Card 4000 0000 0000 0002: declined, the session stays open")
    body += button(here, "expire", "Expire", "As if the buyer never came back")
    if session["cancel_url"]:
        body += f"<p><a href='{escape(session['cancel_url'])}'>Cancel and go back to the shop</a></p>"
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


def _redirect(url: str) -> Response[str]:
    location = quote(url, safe=":/?#[]@!$&'()*+,;=%~-._")
    return Response("", status_code=303, headers={"Location": location, "Cache-Control": "no-store"})
