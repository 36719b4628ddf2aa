"""What a request needs of the process it reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request
from stripe import StripeClient

from pgcredits.http.db import Database
from pgcredits.http.passwords import Passwords
from pgcredits.http.schema_cache import Catalogue
from pgcredits.settings import Settings
from pgcredits.tokens import ANONYMOUS, Caller, TokenVerifier


@dataclass(slots=True)
class Door:
    """One per process. One object, and not six dependencies: Litestar starts a task for each of several."""

    settings: Settings
    database: Database
    catalogue: Catalogue
    verifier: TokenVerifier
    passwords: Passwords
    stripe: StripeClient | None = None

    def identify(self, request: Request[Any, Any, Any]) -> Caller:
        """The caller of a request; nobody without a bearer token. Raises TokenError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = self.verifier.verify(token.strip()) if scheme.lower() == "bearer" else ANONYMOUS
        request.scope["state"]["caller"] = caller  # the answer to an error depends on who asks
        return caller
