"""An example of the settings for the HTTP API of pgcredits beside a Supabase project. It holds no secret."""

from __future__ import annotations

import json

NAME = "pgcredits.env.example"
_PLACE = "PROJECT"  # until `supabase link` has noted the id
_TEXT = """\
# The HTTP API of pgcredits beside this project. It sells tokens: Checkout, webhooks of Stripe, automatic
# top-ups. Copy this file to where you keep secrets, not into the repository. Fill in what is empty or in
# capital letters. Then run `pgcredits serve` and `pgcredits work`: docs/supabase.md of pgcredits.

# First give both logins a password, in SQL: alter role pgcredits_api password '…';
PGCREDITS_API_DATABASE_URL={api}
PGCREDITS_SERVICE_DATABASE_URL={service}
# For `pgcredits work`, `maintain`, `key` and `stripe pull`.
PGCREDITS_DATABASE_URL={service}

# The users are those of Supabase's Auth. A secret of at least 32 random bytes signs tokens of our own.
PGCREDITS_ISSUERS={issuers}
PGCREDITS_JWT_SECRET=

# Where people reach this API; the pages that may call it, and that people come back to from Checkout.
PGCREDITS_PUBLIC_URL=
PGCREDITS_CORS_ORIGINS=
PGCREDITS_RETURN_ORIGINS=

STRIPE_SECRET_KEY=
STRIPE_WEBHOOK_SECRET=
"""


def settings_file(reference: str | None) -> str:
    """The text of the file. `reference` is the id of the project at Supabase, if it is known."""
    place = reference or _PLACE
    issuer = {
        "issuer": f"https://{place}.supabase.co/auth/v1",
        "audience": "authenticated",
        "subject_prefix": "",
    }
    return _TEXT.format(
        api=_url("pgcredits_api", place),
        service=_url("pgcredits_service", place),
        issuers=json.dumps([issuer]),
    )


def _url(login: str, place: str) -> str:
    """The direct connection: a transaction pooler would not do."""
    return f"postgresql://{login}:PASSWORD@db.{place}.supabase.co:5432/postgres?sslmode=require"
