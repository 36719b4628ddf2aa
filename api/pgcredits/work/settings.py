"""What a worker needs to know, from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pgcredits.networks import Networks
from pgcredits.settings import SettingsError, is_live, read_networks, stripe_key


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """Secrets are kept out of repr(), and so out of logs."""

    database_url: str = field(repr=False)  # of a login that may become service_role
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_api_base: str | None = None  # the simulator's address
    public_url: str = "http://127.0.0.1:8000"  # where Stripe sends people back to
    webhook_networks: Networks = field(default_factory=Networks)  # private ones that messages may go to

    @classmethod
    def from_env(cls, database_url: str, env: Mapping[str, str] | None = None) -> WorkSettings:
        """Read the environment (or `env`). Raises SettingsError."""
        env = os.environ if env is None else env
        key, base = stripe_key(env), env.get("STRIPE_API_BASE") or None
        if base is not None and is_live(key):
            raise SettingsError(
                "STRIPE_API_BASE is for the simulator and is refused together with a live key."
            )
        public_url = env.get("PGCREDITS_PUBLIC_URL", "").rstrip("/") or "http://127.0.0.1:8000"
        for name, url in (("PGCREDITS_PUBLIC_URL", public_url), ("STRIPE_API_BASE", base)):
            if url is not None and (
                urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname
            ):
                raise SettingsError(f"{name} must be an http(s) URL, not {url!r}.")
        networks = read_networks(env, "PGCREDITS_WEBHOOK_NETWORKS")
        return cls(database_url, key, base, public_url, networks)
