"""Controls that Stripe does not have, for tests: send an event again, as often as wanted, at once."""

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath

from stripe_simulator.core.store import Store
from stripe_simulator.core.webhooks import Courier
from stripe_simulator.protocol.errors import StripeError, missing_object


class SendOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Body of the control; an empty one means once."""

    times: int = 1


@post("/_control/events/{id:str}/send", status_code=200)
async def send_event(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[Any]:
    """Send an event ``times`` times concurrently, each signed anew, without retries. Answers with the HTTP
    statuses the endpoint gave, null where it gave none, and why."""
    store: Store = request.app.state.store
    courier: Courier = request.app.state.courier
    try:
        order = msgspec.json.decode(await request.body() or b"{}", type=SendOrder)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StripeError(f'The body must be like {{"times": 2}}: {error}') from None
    if not 1 <= order.times <= 100:
        raise StripeError("times must be from 1 to 100.", param="times")
    event = store.find("event", id)
    if event is None:
        raise missing_object("event", id, "id", 404)
    answers = await asyncio.gather(*(courier.send(event) for _ in range(order.times)))
    return Response(
        {
            "event": id,
            "statuses": [answer.status for answer in answers],
            "errors": [answer.error for answer in answers if answer.error],
        }
    )
