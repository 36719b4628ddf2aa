"""Controls that Stripe does not have: send an event again, and play what others do to a payment."""

import asyncio
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from stripe_simulator.core import chaos, moves
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.payments import balance
from stripe_simulator.core.store import Store
from stripe_simulator.core.webhooks import Courier

_Order = TypeVar("_Order", bound=msgspec.Struct)


class Settings(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Body of the control of settings; what it leaves out stays."""

    after_retries: Literal["cancel", "past_due", "unpaid"] | msgspec.UnsetType = msgspec.UNSET
    charges_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    event_version: Literal["2026-10-28.endive", "2024-06-20"] | msgspec.UnsetType = msgspec.UNSET
    forbidden: list[str] | msgspec.UnsetType = msgspec.UNSET
    portal_saved: bool | msgspec.UnsetType = msgspec.UNSET
    retry_days: list[Annotated[int, msgspec.Meta(ge=1, le=60)]] | msgspec.UnsetType = msgspec.UNSET


class SendOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Body of the control; an empty one means once."""

    times: int = 1


@post("/_control/events/{id:str}/send", status_code=200)
async def send_event(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[Any]:
    """Send an event ``times`` times concurrently, each signed anew, without retries. Answers with the HTTP
    statuses the endpoint gave, null where it gave none, and why."""
    store: Store = request.app.state.store
    courier: Courier = request.app.state.courier
    order = _decode(await request.body(), SendOrder)
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


@post("/_control/{path:str}/{id:str}/{name:str}", status_code=200)
async def play_move(
    request: Request[Any, Any, Any], path: FromPath[str], id: FromPath[str], name: FromPath[str]
) -> Response[Any]:
    """Play one of :data:`moves.MOVES`, such as ``disputes/dp_1/win``. Answers with the object that moved."""
    store: Store = request.app.state.store
    options = _decode(await request.body(), moves.Options)
    with store.transaction():
        return Response(moves.play(store, path, id, name, options))


@post("/_control/settings", status_code=200)
async def change_settings(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change some settings. Answers with all of them."""
    store: Store = request.app.state.store
    changes = msgspec.to_builtins(_decode(await request.body(), Settings))
    with store.transaction():
        store.change_settings(changes)
    return Response(store.settings)


@post("/_control/chaos", status_code=200)
async def begin_chaos(request: Request[Any, Any, Any]) -> Response[Any]:
    """Begin chaos; an empty body ends it. Answers with what there is, and with the deliveries by state."""
    store: Store = request.app.state.store
    body = await request.body()
    with store.transaction():
        chaos.begin(store, _decode(body, chaos.Chaos) if body else None)
    return Response({"chaos": store.settings["chaos"], "deliveries": _counts(store)})


@post("/_control/dropped/send", status_code=200)
async def send_dropped(request: Request[Any, Any, Any]) -> Response[Any]:
    """Send now what chaos has dropped. Answers with how many events that are."""
    store: Store = request.app.state.store
    with store.transaction():
        sent = store.db.execute(
            "update deliveries set state = 'pending', next_at = ? where state = 'dropped'", (store.clock(),)
        ).rowcount
    return Response({"events": sent})


@get("/_control/deliveries", status_code=200)
async def count_deliveries(request: Request[Any, Any, Any]) -> Response[Any]:
    """How many deliveries are in each state: nothing is under way when none is pending."""
    return Response(_counts(request.app.state.store))


@post("/_control/payouts", status_code=200)
async def pay_out(request: Request[Any, Any, Any]) -> Response[Any]:
    """Pay out the balance: an automatic payout for each currency."""
    store: Store = request.app.state.store
    with store.transaction():
        return Response({"payouts": balance.pay_out(store)})


def _counts(store: Store) -> dict[str, int]:
    counts = dict.fromkeys(("pending", "delivered", "given_up", "dropped"), 0)
    rows = store.db.execute("select state, count(*) from deliveries group by state")
    return counts | dict(rows.fetchall())


def _decode(body: bytes, type: type[_Order]) -> _Order:
    try:
        return msgspec.json.decode(body or b"{}", type=type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(type))
        raise StripeError(f"The body must be JSON with {known}: {error}") from None
