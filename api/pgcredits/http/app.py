"""The HTTP API as one application: its routes, what they need, and what lives as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from pgcredits.http import cors
from pgcredits.http.database.pools import Database
from pgcredits.http.database.schema_cache import SchemaCache
from pgcredits.http.database.sharing import Sharing
from pgcredits.http.errors import answer
from pgcredits.http.functions import body
from pgcredits.http.identity.api_keys import ApiKeys
from pgcredits.http.identity.issuers import Issuers
from pgcredits.http.identity.passwords import Passwords
from pgcredits.http.operations import metrics, telemetry
from pgcredits.http.operations.bank_figures import BankFigures
from pgcredits.http.operations.draining import Draining
from pgcredits.http.operations.live import LiveBalances
from pgcredits.http.operations.observed import Observed
from pgcredits.http.operations.readiness import Readiness
from pgcredits.http.resources import Resources
from pgcredits.http.routes import auth, checkout, events, health, iahome, openapi, pages, rest, webhooks
from pgcredits.http.routes import metrics as metrics_route
from pgcredits.settings import Settings
from pgcredits.tokens import TokenVerifier


def create_app(settings: Settings | None = None) -> Litestar:
    """The ASGI app, configured by `settings` or by the environment. Raises SettingsError."""
    settings = settings or Settings.from_env()
    database = Database(settings)
    verifier = TokenVerifier(settings.jwt_secret, settings.jwt_audience)
    schema_cache = SchemaCache(database)
    pools = metrics.Pools(database.pool_stats)
    draining = Draining(settings.shutdown_delay)
    traces = telemetry.tracing()
    live = LiveBalances(database, draining, settings.event_streams)
    resources = Resources(
        settings,
        database,
        schema_cache,
        verifier,
        ApiKeys(database),
        Passwords(),
        pools,
        BankFigures(database),
        draining,
        live,
        Readiness(database),
        sharing=Sharing(database, settings) if settings.shared_transactions else None,
    )

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with (
            database.opened(),
            pools.noted(),
            _issuers(settings) as resources.issuers,
            live.looking(),
            traces.flushed() if traces else nullcontext(),
            checkout.stripe_client(settings) as resources.stripe,
        ):
            yield

    app = Litestar(
        route_handlers=[
            rest.rest,
            auth.router,
            iahome.router,
            health.router,
            checkout.checkout,
            checkout.portal,
            checkout.done,
            checkout.cancelled,
            checkout.style,
            webhooks.receive,
            openapi.schema,
            openapi.schema_json,
            pages.index,
            pages.reference_script,
            pages.swagger_ui_script,
            pages.swagger_ui_style,
            metrics_route.read,
            events.events,
        ],
        dependencies={"resources": Provide(lambda: resources, sync_to_thread=False)},
        exception_handlers={Exception: answer, HTTPException: answer},
        lifespan=[lifespan],
        state=State({"draining": draining, "resources": resources}),  # server.py and rest.py find them there
        cors_config=cors.configuration(settings),
        request_max_body_size=body.LARGEST,
        logging_config=None,  # the program that starts the app decides where logs go
        openapi_config=None,  # routes/openapi.py makes the document from the database
    )
    app.asgi_handler = Observed(
        cors.Explained(app.asgi_handler, settings), settings, schema_cache, draining, traces
    )
    return app


@asynccontextmanager
async def _issuers(settings: Settings) -> AsyncIterator[Issuers | None]:
    """The other issuers of tokens. None when there are no others."""
    if not settings.issuers:
        yield None
        return
    issuers = Issuers(settings.issuers)
    async with issuers.opened():
        yield issuers
