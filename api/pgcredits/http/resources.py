"""What a request needs of the process that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request
from stripe import StripeClient

from pgcredits.http.db import Database
from pgcredits.http.passwords import Passwords
from pgcredits.http.schema_cache import SchemaCache
from pgcredits.settings import Settings
from pgcredits.tokens import ANONYMOUS, Caller, TokenVerifier


@dataclass(slots=True)
class Resources:
    """One per process. It is one object, because Litestar starts a task for each of several dependencies."""

    settings: Settings
    database: Database
    schema_cache: SchemaCache
    verifier: TokenVerifier
    passwords: Passwords
    stripe: StripeClient | None = None

    def identify(self, request: Request[Any, Any, Any]) -> Caller:
        """The caller of a request. Without a bearer token that is ANONYMOUS. Raises TokenError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = self.verifier.verify(token.strip()) if scheme.lower() == "bearer" else ANONYMOUS
        request.scope["state"]["caller"] = caller  # the answer to an error depends on who asks
        return caller
