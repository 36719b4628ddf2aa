"""The HTTP API beside a Supabase project, with the settings that `pgcredits supabase init` writes."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import jwt
import pytest
from http_calls import SECRET, WEBHOOK_SECRET, serving
from supabase_project import assert_sound, calling, signed_up
from support import PASSWORD

from pgcredits.bank import passwords
from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

AUTH_SECRET = "the secret that an older project of Supabase signs with"


def settings_of(folder: Path, project: str) -> Settings:
    """The settings as an operator fills them in. The keys of Auth are a secret, as in older projects."""
    lines = (folder / "pgcredits.env.example").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name, login in (("API", "pgcredits_api"), ("SERVICE", "pgcredits_service")):
        assert f"//{login}:" in named[f"PGCREDITS_{name}_DATABASE_URL"]
        named[f"PGCREDITS_{name}_DATABASE_URL"] = as_login(project, login, PASSWORD)
    named["PGCREDITS_ISSUERS"] = named["PGCREDITS_ISSUERS"].replace("}]", f', "secret": "{AUTH_SECRET}"}}]')
    filled = {"PGCREDITS_JWT_SECRET": SECRET, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
    return Settings.from_env({name: value for name, value in (named | filled).items() if value})


def test_a_user_has_one_account_in_both(project: str, folder: Path) -> None:
    user = signed_up(project)
    passwords.run(project, dict.fromkeys(("pgcredits_api", "pgcredits_service"), PASSWORD))
    with calling(project, "authenticated", user) as connection:
        connection.execute("select api.consume_tokens('flux-dev')")
    now = int(time.time())
    claims = {
        "iss": "https://PROJECT.supabase.co/auth/v1",
        "aud": "authenticated",
        "role": "authenticated",
        "sub": user,
        "iat": now,
        "exp": now + 600,
    }
    headers = {"Authorization": f"Bearer {jwt.encode(claims, AUTH_SECRET)}"}
    backend = {"Authorization": f"Bearer {jwt.encode(claims | {'role': 'service_role'}, AUTH_SECRET)}"}
    with (
        serving(create_app(settings_of(folder, project))) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        assert client.get("/health/ready").status_code == 200
        assert client.get("/rest/v1/balance?select=user_id,balance", headers=headers).json() == [
            {"user_id": user, "balance": 49}
        ]
        spent = client.post("/rest/v1/rpc/consume_tokens", json={"module_id": "flux-dev"}, headers=headers)
        assert (spent.status_code, spent.json()["balance"]) == (200, 48)
        # A service key of the project makes no backend here.
        granted = client.post("/rest/v1/rpc/add_tokens", json={"user_id": user, "tokens": 5}, headers=backend)
        assert granted.status_code == 401
    assert_sound(project)
