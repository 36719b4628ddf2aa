"""The subscriptions, and what a person can let happen to each: time passes, a card fails, the portal."""

from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core import moves
from stripe_simulator.core.billing import cycle, invoices, periods, portal, subscriptions
from stripe_simulator.core.billing.subscriptions import KIND
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import methods
from stripe_simulator.core.store import Json, Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.pages.markup import button, page, redirect

_SHOWN = 100


@get("/subscriptions")
async def list_all(request: Request[Any, Any, Any]) -> Response[str]:
    """Newest first."""
    store: Store = request.app.state.store
    catch_up(store)
    rows = "\n".join(_row(store, subscription) for subscription in store.newest(KIND, _SHOWN))
    body = f"""<h1>Subscriptions</h1>
<div class=card><table>
<tr><th>Subscription<th>Plan<th>Status<th>Period until<th>Customer</tr>
{rows}
</table></div>
<p class=soft>The last {_SHOWN}. <a href="/">All sessions and events</a></p>"""
    return page("Subscriptions", body, wide=True)


@get("/subscriptions/{id:str}")
async def show(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """One subscription with its invoices and buttons."""
    store: Store = request.app.state.store
    catch_up(store)
    subscription = store.find(KIND, id)
    return _unknown() if subscription is None else _page(store, subscription)


@post("/subscriptions/{id:str}")
async def act(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """A button was pressed."""
    store: Store = request.app.state.store
    subscription = store.find(KIND, id)
    if subscription is None:
        return _unknown()
    action = parse_qs((await request.body()).decode("utf-8", "replace")).get("action", [""])[0]
    try:
        with store.transaction():
            if action == "portal":
                back = f"{store.public_url}/subscriptions/{id}"
                return redirect(portal.new(store, subscription["customer"], {"return_url": back})["url"])
            moves.play(store, "subscriptions", id, action, moves.Options())
    except StripeError as error:
        return _page(store, store.get(KIND, id), str(error), status=400)
    return redirect(f"/subscriptions/{quote(id)}")


def _row(store: Store, subscription: Json) -> str:
    id = subscription["id"]
    return (
        f'<tr><td><a href="/subscriptions/{id}"><code>{id[:16]}…</code></a>'
        f"<td>{escape(_plan(store, subscription))}<td>{subscription['status']}"
        f"<td>{periods.day(subscriptions.period_of(subscription)[1])}"
        f"<td><code>{subscription['customer']}</code></tr>"
    )


def _page(store: Store, subscription: Json, error: str = "", status: int = 200) -> Response[str]:
    here = f"/subscriptions/{subscription['id']}"
    body = f"<h1>{escape(_plan(store, subscription))}</h1>"
    if error:
        body += f"<div class=card role=alert><p class='state bad'>{escape(error)}</p></div>"
    method = subscriptions.method_of(store, subscription)
    start, end = (periods.day(moment) for moment in subscriptions.period_of(subscription))
    body += (
        f"<div class=card><p class=state>{subscription['status']}</p><p>{start} to {end}</p>"
        f"<p>Paid by {escape(methods.label(method)) if method else 'no card'}</p>"
        f"<p class=soft><code>{subscription['id']}</code></p></div>"
    )
    due = store.inner(subscription["id"])["due"]
    for (path, name), move in moves.MOVES.items():
        if path == "subscriptions" and subscription["status"] in move.states:
            note = f"To {periods.day(due)}" if name == "next" and due else ""
            body += button(here, name, move.label, note)
    if not cycle.is_over(subscription):
        body += button(here, "portal", "Billing portal", "What the customer sees: plan, card, cancel")
    body += "<h2>Invoices</h2><div class=card>"
    for invoice in invoices.of_subscription(store, subscription["id"]):
        amount = money(invoice["amount_due"], invoice["currency"])
        body += (
            f"<div class=item><a href='/invoices/{invoice['id']}'>{invoice['number'] or 'draft'}</a>"
            f"<span>{amount}, {invoice['status']}</span></div>"
        )
    body += "</div><p><a href='/subscriptions'>All subscriptions</a></p>"
    return page("Subscription", body, status=status)


def _plan(store: Store, subscription: Json) -> str:
    item = subscription["items"]["data"][0]
    name = store.get("product", item["price"]["product"])["name"]
    each = money(item["price"]["unit_amount"], item["price"]["currency"])
    return f"{item['quantity']} × {name}, {each} a {item['price']['recurring']['interval']}"


def _unknown() -> Response[str]:
    return page("Unknown subscription", "<h1>There is no such subscription.</h1>", status=404)
