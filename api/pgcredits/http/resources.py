"""What a request needs of the process that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.datastructures import Headers
from stripe import StripeClient

from pgcredits import api_key
from pgcredits.http.database.pools import Database
from pgcredits.http.database.schema_cache import SchemaCache
from pgcredits.http.database.sharing import Sharing
from pgcredits.http.identity.api_keys import ApiKeys
from pgcredits.http.identity.issuers import Issuers
from pgcredits.http.identity.passwords import Passwords
from pgcredits.http.operations.bank_figures import BankFigures
from pgcredits.http.operations.draining import Draining
from pgcredits.http.operations.live import LiveBalances
from pgcredits.http.operations.metrics import Pools
from pgcredits.http.operations.readiness import Readiness
from pgcredits.settings import Settings
from pgcredits.tokens import ANONYMOUS, Caller, TokenVerifier

_PUBLISHABLE = "sb_publishable_"  # how Supabase's keys for pages begin


@dataclass(slots=True)
class Resources:
    """One per process. It is one object, because Litestar starts a task for each of several dependencies."""

    settings: Settings
    database: Database
    schema_cache: SchemaCache
    verifier: TokenVerifier
    api_keys: ApiKeys
    passwords: Passwords
    pools: Pools
    bank_figures: BankFigures
    draining: Draining
    live: LiveBalances
    readiness: Readiness
    issuers: Issuers | None = None  # others than ourselves
    sharing: Sharing | None = None  # None: every spend has a transaction of its own
    stripe: StripeClient | None = None

    async def identify(self, request: Request[Any, Any, Any]) -> Caller:
        """The caller of a request. Raises TokenError, and what asking the database about an API key raises.

        A bearer token counts, and without one an API key in the header apikey. Other texts in that header are
        for gateways, and say nothing. Without any of these the caller is ANONYMOUS.
        """
        caller = await self._caller(request.headers)
        request.scope["state"]["caller"] = caller  # the answer to an error depends on who asks
        return caller

    async def _caller(self, headers: Headers) -> Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = headers.get("apikey", "")
            if not token.startswith(api_key.BEGINS):
                return ANONYMOUS
        token = token.strip()
        if token.startswith(api_key.BEGINS):
            return await self.api_keys.caller(token)
        # A page that nobody is signed in to sends its key as the bearer token.
        if token.startswith(_PUBLISHABLE) or token in self.settings.publishable_keys:
            return ANONYMOUS
        if self.issuers is not None and not self.verifier.knows(token):
            caller = await self.issuers.caller(token)
            if caller is not None:
                return caller
        return self.verifier.verify(token)
