"""`@charge("image")` for endpoints of Starlette."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pgcredits.client.asgi import Charges
from pgcredits.client.async_bank import AsyncBank
from pgcredits.client.charging import Terms, User

__all__ = ["Charges", "charging"]

Endpoint = Callable[[Request], Awaitable[Response]]


def charging(bank: AsyncBank, user: User) -> Callable[..., Callable[[Endpoint], Endpoint]]:
    """The decorator `charge`. Give the application `Middleware(Charges)`, too.

    user: says who pays for a request. The endpoint finds its hold in `request.state.hold`.
    """

    def charge(module: str, **terms: Any) -> Callable[[Endpoint], Endpoint]:
        """Hold tokens for the request. terms: the hold's usage, ttl, over, metadata, tags."""
        agreed = Terms(bank, module, **terms)

        def around(endpoint: Endpoint) -> Endpoint:
            @functools.wraps(endpoint)
            async def charged(request: Request) -> Response:
                payer = user(request)
                if inspect.isawaitable(payer):
                    payer = await payer
                request.state.hold = await agreed.hold(request.scope, payer)
                return await endpoint(request)

            return charged

        return around

    return charge
