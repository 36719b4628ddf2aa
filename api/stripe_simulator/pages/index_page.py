"""The overview: the last sessions and events, and whether the webhook endpoint took them."""

from html import escape
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core.currencies import money
from stripe_simulator.core.store import Json, Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.core.webhooks import Courier
from stripe_simulator.pages.markup import page

_SHOWN = 50


@get("/")
async def show(request: Request[Any, Any, Any]) -> Response[str]:
    """Newest first."""
    store: Store = request.app.state.store
    courier: Courier = request.app.state.courier
    catch_up(store)
    sent, answer = request.query_params.get("sent"), request.query_params.get("answer")
    notice = ""
    if sent and answer:
        notice = f"<div class=card role=status>Sent <code>{escape(sent)}</code> again: {escape(answer)}</div>"
    sessions = "\n".join(_session_row(session) for session in store.newest("checkout.session", _SHOWN))
    events = "\n".join(_event_row(store, event) for event in store.newest("event", _SHOWN))
    body = f"""<h1>Stripe simulator</h1>{notice}
<p>Webhooks go to <code>{escape(courier.url)}</code>.
Every answer other than 2xx is tried again, as Stripe does:
after 0.5 s, 1, 2, 4 … at most 30 s, for three days.
HTTP 4xx usually means a wrong webhook secret or address.</p>
<p><a href="/payments">Payments</a>: refund, dispute, win, lose.
<a href="/subscriptions">Subscriptions</a>: renew, decline, change, cancel.</p>
<h2>Checkout Sessions</h2>
<div class=card><table>
<tr><th>Session<th>Amount<th>Status<th>Payment<th>Reference</tr>
{sessions}
</table></div>
<h2>Events</h2>
<div class=card><table>
<tr><th>Event<th>Type<th>About<th>Delivery<th></tr>
{events}
</table></div>
<p class=soft>The last {_SHOWN} of each. <a href="/">Reload</a></p>"""
    return page("Overview", body, wide=True)


@post("/events/{id:str}/send", status_code=303)
async def send_again(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[str]:
    """The button "send again": once, then back to the overview."""
    store: Store = request.app.state.store
    courier: Courier = request.app.state.courier
    event = store.find("event", id)
    answer = str(await courier.send(event)) if event else "there is no such event"
    query = urlencode({"sent": id, "answer": answer})
    return Response("", status_code=303, headers={"Location": f"/?{query}"})


def _session_row(session: Json) -> str:
    id = session["id"]
    amount = session["amount_total"]
    cost = session["mode"] if amount is None else money(amount, session["currency"])
    return (
        f'<tr><td><a href="/pay/{id}"><code>{id[:20]}…</code></a>'
        f"<td>{cost}"
        f"<td>{session['status']}<td>{session['payment_status']}"
        f"<td><code>{escape(session['client_reference_id'] or session['customer'] or '')}</code></tr>"
    )


def _event_row(store: Store, event: Json) -> str:
    state, attempts, answer, wait = store.db.execute(
        "select state, attempts, answer, next_at - ? from deliveries where event_id = ?"
        " order by state = 'delivered', copy limit 1",
        (store.clock(), event["id"]),
    ).fetchone()
    times = f"{attempts} attempt{'' if attempts == 1 else 's'}"
    if state == "delivered":
        delivery = f"<span class=good>delivered</span>, {escape(answer)}, {times}"
    elif state == "given_up":
        delivery = f"<span class=bad>given up</span>, {escape(answer)}, {times}"
    elif state == "dropped":
        delivery = "<span class=bad>dropped on purpose</span>"
    elif attempts:
        delivery = f"<span class=bad>{escape(answer)}</span>, {times}, next in {max(0.0, wait):.0f} s"
    else:
        delivery = "under way"
    about = event["data"]["object"]["id"]
    return (
        f"<tr><td><code>{event['id']}</code><td>{event['type']}<td><code>{about[:20]}</code><td>{delivery}"
        f'<td><form class=row method=post action="/events/{event["id"]}/send">'
        "<button>Send again</button></form></tr>"
    )
