"""`dependencies={"hold": charge("image")}` for Litestar."""

from __future__ import annotations

import inspect
from typing import Any, cast

from litestar import Request, Response
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin

from pgcredits.client.asgi import TOLD, Charges, Scope, body_of, headers_of
from pgcredits.client.async_bank import AsyncBank
from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.charging import Terms, User
from pgcredits.client.errors import BankError


class Charging(InitPlugin):
    """The plugin that ends the holds of each request. Called, it makes the dependency of an endpoint.

    user: says who pays for a request.
    """

    def __init__(self, bank: AsyncBank, user: User) -> None:
        self._bank = bank
        self._user = user

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.middleware.insert(0, DefineMiddleware(cast(Any, Charges)))
        app_config.exception_handlers.setdefault(BankError, _answer)
        app_config.signature_namespace.setdefault("AsyncHold", AsyncHold)
        return app_config

    def __call__(self, module: str, **terms: Any) -> Provide:
        """A dependency that holds tokens. terms: the hold's usage, ttl, over, metadata, tags."""
        agreed = Terms(self._bank, module, **terms)

        async def hold(request: Request[Any, Any, Any]) -> AsyncHold:
            payer = self._user(request)
            if inspect.isawaitable(payer):
                payer = await payer
            return await agreed.hold(cast(Scope, request.scope), payer)

        return Provide(hold)


def _answer(request: Request[Any, Any, Any], error: BankError) -> Response[Any]:
    if error.status not in TOLD:
        raise error
    return Response(body_of(error), status_code=error.status, headers=headers_of(error))
