"""Where the owner of a card confirms a payment: Stripe's page of the bank."""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core import moves
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import setups
from stripe_simulator.core.store import Json, Store
from stripe_simulator.pages.markup import button, page, redirect


@get("/authenticate/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """What is to be paid, and two buttons."""
    intent = _find(request.app.state.store, id)
    if intent is None:
        return page("Unknown payment", "<h1>There is no such payment.</h1>", status=404)
    if intent["status"] != "requires_action":
        return page("Authentication", f"<h1>Nothing to confirm</h1><p>It is {escape(intent['status'])}.</p>")
    what = (
        "Save this card" if intent["object"] == setups.KIND else money(intent["amount"], intent["currency"])
    )
    here = f"/authenticate/{id}"
    body = (
        f"<h1>Your bank asks</h1><div class=card><p class=state>{what}</p>"
        f"<p class=soft><code>{escape(id)}</code></p></div>"
        + button(here, "authenticate", "Confirm", "It is me", main=True)
        + button(here, "refuse", "Refuse", "It is not me, or I do not want it")
    )
    return page("Authentication", body)


@post("/authenticate/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """The owner's answer; then back to where the payment came from."""
    store: Store = request.app.state.store
    intent = _find(store, id)
    if intent is None:
        return page("Unknown payment", "<h1>There is no such payment.</h1>", status=404)
    action = parse_qs((await request.body()).decode("utf-8", "replace")).get("action", [""])[0]
    path = "setup_intents" if intent["object"] == setups.KIND else "payment_intents"
    back = ((intent["next_action"] or {}).get("redirect_to_url") or {}).get("return_url")
    if action not in ("authenticate", "refuse"):
        return page("Unknown action", "<h1>This page has no such button.</h1>", status=400)
    try:
        with store.transaction():
            moves.play(store, path, id, action, moves.Options())
    except StripeError:  # a second click: the first one has decided
        back = None
    return redirect(back or f"/authenticate/{id}")


def _find(store: Store, id: str) -> Json | None:
    return store.find("payment_intent", id) or store.find(setups.KIND, id)
