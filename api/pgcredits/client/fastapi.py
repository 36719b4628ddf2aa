"""`Depends(charge("image"))` for FastAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, FastAPI, Request

from pgcredits.client.asgi import Charges
from pgcredits.client.async_bank import AsyncBank
from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.charging import Terms, User

Dependency = Callable[..., Awaitable[AsyncHold]]


def charging(app: FastAPI, bank: AsyncBank, user: User) -> Callable[..., Dependency]:
    """The function `charge` for the endpoints of this application.

    user: a dependency of your own that says who pays.
    """
    app.add_middleware(Charges)

    def charge(module: str, **terms: Any) -> Dependency:
        """A dependency that holds tokens. terms: the hold's usage, ttl, over, metadata, tags."""
        agreed = Terms(bank, module, **terms)

        async def hold(request: Request, payer: str = Depends(user)) -> AsyncHold:
            return await agreed.hold(request.scope, payer)

        return hold

    return charge
