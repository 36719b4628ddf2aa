"""What `pgcredits up` prints when everything runs."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from pathlib import Path

from pgcredits.local import embedded
from pgcredits.local.instance import DATA_DIR, Instance, Running


def text(instance: Instance, running: Running, data_dir: Path, subject: str, *, secrets: bool) -> str:
    """Where everything is. `secrets`: a person reads it at a terminal, so it may show them."""
    stripe = (
        f"{running.simulator_url}  (Stripe simulator: no real money)" if running.simulator_url else "Stripe"
    )
    return f"""
pgcredits is ready.

  API        {running.api_url}
  Reference  {running.api_url}/schema
  Payments   {stripe}
  Logs       {instance.folder}/*.log
{_ways_in(instance, running, subject) if secrets else ""}
In another shell, {"all of these" if secrets else "tokens and logins"} as variables:

  eval "$({_env_command(data_dir)})"

Ctrl-C stops everything; the data stay in {instance.folder}.
"""


def _ways_in(instance: Instance, running: Running, subject: str) -> str:
    known = instance.environment(subject)
    psql, balance = shlex.quote(_psql()), shlex.quote(f"{running.api_url}/rest/v1/balance")
    return f"""
A token of the user {subject}, and what it has:

  export TOKEN={known["USER_TOKEN"]}
  curl -H "Authorization: Bearer $TOKEN" {balance}

The same in SQL, and the views of an analyst, an accountant and an auditor:

  {psql} "{known["USER_URL"]}" -c "table api.balance"
  {psql} "{known["ANALYST_URL"]}"
  {psql} "{known["ACCOUNTANT_URL"]}"
  {psql} "{known["AUDITOR_URL"]}"
"""


def _psql() -> str:
    if not shutil.which("psql"):
        with contextlib.suppress(embedded.EmbeddedUnavailable):
            return str(embedded.find_binaries() / "psql")
    return "psql"


def _env_command(data_dir: Path) -> str:
    env = ["pgcredits" if shutil.which("pgcredits") else os.path.relpath(sys.argv[0]), "env"]
    if data_dir != Path(DATA_DIR):
        env += ["--data-dir", str(data_dir)]
    return shlex.join(env)
