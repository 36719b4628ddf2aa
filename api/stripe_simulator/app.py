"""The simulator's application, assembled."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from stripe_simulator import control
from stripe_simulator.api import account, customers, event_log, webhook_endpoints
from stripe_simulator.api.billing import (
    invoices,
    portal_configurations,
    portal_sessions,
    subscriptions,
    test_clocks,
)
from stripe_simulator.api.catalog import coupons, prices, products, promotion_codes
from stripe_simulator.api.checkout import sessions
from stripe_simulator.api.payments import (
    balance_transactions,
    charges,
    disputes,
    fraud_warnings,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    setup_intents,
)
from stripe_simulator.core import endpoint
from stripe_simulator.core.chaos import Chaos, begin
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.store import Store
from stripe_simulator.core.timers import catch_up
from stripe_simulator.core.webhooks import Courier
from stripe_simulator.pages import (
    authenticate_page,
    index_page,
    invoice_page,
    pay_page,
    payments_page,
    portal_page,
    receipt_page,
    subscriptions_page,
)
from stripe_simulator.protocol import idempotency
from stripe_simulator.protocol.errors import answer_bug, answer_http_error, answer_stripe_error

_log = logging.getLogger(__name__)

_API = [
    account,
    balance_transactions,
    charges,
    coupons,
    invoices,
    portal_configurations,
    portal_sessions,
    sessions,
    customers,
    disputes,
    event_log,
    fraud_warnings,
    payment_intents,
    payment_methods,
    payouts,
    prices,
    products,
    promotion_codes,
    refunds,
    setup_intents,
    subscriptions,
    test_clocks,
    webhook_endpoints,
]
"""The modules of the API. Each handler in one of them is a path."""
_PAGES = [
    authenticate_page,
    control,
    index_page,
    invoice_page,
    pay_page,
    payments_page,
    portal_page,
    receipt_page,
    subscriptions_page,
]
_ROUTES = [
    handler
    for module in (*_API, *_PAGES)
    for handler in vars(module).values()
    if isinstance(handler, HTTPRouteHandler)
]


def create_app(
    store_path: Path,
    webhook_url: str,
    webhook_secret: str,
    public_url: str,
    clock: Callable[[], float] = time.time,
    chaos: Chaos | None = None,
) -> Litestar:
    """The application. State is in the sqlite file ``store_path`` (made when missing); events go to
    ``webhook_url`` signed with ``webhook_secret``; ``public_url`` is where browsers reach the pay page.
    ``clock`` gives seconds since 1970. ``chaos`` begins chaos; without it, it is as the file says."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        store = Store(store_path, clock)
        if chaos is not None:
            begin(store, chaos)
        courier = Courier(store, webhook_url, webhook_secret)
        store.after_commit = courier.wake
        store.serve_at(public_url.rstrip("/"))
        with store.transaction():
            endpoint.serve(store, webhook_url)
        app.state.update(store=store, courier=courier)
        tasks = [asyncio.create_task(courier.run()), asyncio.create_task(_tidy(store))]
        for task in tasks:
            task.add_done_callback(_complain)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            store.close()

    return Litestar(
        _ROUTES,
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        exception_handlers={
            StripeError: answer_stripe_error,
            HTTPException: answer_http_error,
            Exception: answer_bug,
        },
    )


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("a background task stopped; restart the simulator", exc_info=error)


async def _tidy(store: Store) -> None:
    while True:
        catch_up(store)
        idempotency.forget_old(store)
        await asyncio.sleep(1)
