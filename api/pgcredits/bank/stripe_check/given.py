"""What the environment says about Stripe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from pgcredits.settings import is_live


@dataclass(frozen=True, slots=True)
class Given:
    """Secrets are kept out of repr(), and so out of messages."""

    secret_key: str | None = field(default=None, repr=False)
    read_key: str | None = field(default=None, repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    api_base: str | None = None  # the simulator's address
    public_url: str = "http://127.0.0.1:8000"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Given:
        """Nothing is refused here: what is wrong becomes a line of the check."""
        env = os.environ if env is None else env
        secrets = env.get("STRIPE_WEBHOOK_SECRET", "").split(",")
        return cls(
            env.get("STRIPE_SECRET_KEY") or None,
            env.get("STRIPE_READ_KEY") or None,
            tuple(secret.strip() for secret in secrets if secret.strip()),
            env.get("STRIPE_API_BASE") or None,
            env.get("PGCREDITS_PUBLIC_URL", "").rstrip("/") or "http://127.0.0.1:8000",
        )

    @property
    def live(self) -> bool:
        return is_live(self.secret_key)

    @property
    def mode(self) -> str:
        return "live" if self.live else "test"

    @property
    def public_is_local(self) -> bool:
        """Nobody but this machine reaches PGCREDITS_PUBLIC_URL."""
        host = urlsplit(self.public_url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")
