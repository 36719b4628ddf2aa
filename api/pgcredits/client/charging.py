"""What `charge` of every framework is told: the module, its worst case, and how long the hold lasts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pgcredits.client.asgi import Scope, exchange_of
from pgcredits.client.async_bank import TTL, AsyncBank
from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.calls import Usage
from pgcredits.client.errors import UnknownUser

User = Callable[..., str | Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Terms:
    """The holds of an endpoint."""

    bank: AsyncBank
    module: str
    usage: Usage | None = None
    ttl: timedelta | float = TTL
    over: str = "debt"
    metadata: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None

    async def hold(self, scope: Scope, user: str) -> AsyncHold:
        """Begin a hold that ends with the answer. Raises BankError; RuntimeError without middleware.

        The application has signed the user in, so a user without an account is new: it is opened.
        """
        exchange = exchange_of(scope)
        try:
            return await exchange.hold(self._hold(user))
        except UnknownUser:
            await self.bank.open_account(user)
            return await exchange.hold(self._hold(user))

    def _hold(self, user: str) -> AsyncHold:
        return self.bank.hold(
            self.module,
            user,
            usage=self.usage,
            ttl=self.ttl,
            over=self.over,
            metadata=self.metadata,
            tags=self.tags,
        )
