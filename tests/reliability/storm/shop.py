"""Everything that a shop runs, as processes: PostgreSQL, the API, the worker, and Stripe's simulator."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from reliability.servers import LOGINS, Api, Postgres
from support import PASSWORD, free_port, stripe_client

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import migrate
from pgcredits.database_urls import as_login

SECRET = "whsec_of_the_storm"
KEY = "sk_test_of_the_storm"


class Shop:
    """A bank that sells through the simulator. The API and the worker can be killed and started again."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
            admin.execute("create database storm")
        self.database_url = postgres.url("storm")
        migrate(self.database_url)
        apply_catalog(self.database_url, "iahome")
        with psycopg.connect(self.database_url, autocommit=True) as admin:
            for login in LOGINS:
                admin.execute(f"alter role {login} password '{PASSWORD}'".encode())
        self.folder = folder
        self.simulator_port, port = free_port(), free_port()
        self.simulator_url = f"http://127.0.0.1:{self.simulator_port}"
        self.simulator = self._run(
            "simulator.log",
            {},
            *("stripe_simulator", "--port", str(self.simulator_port)),
            *("--data-dir", str(folder / "simulator"), "--webhook-secret", SECRET),
            *("--webhook-url", f"http://127.0.0.1:{port}/webhooks/stripe"),
        )
        self.settings = {
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": self.simulator_url,
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }
        self.stripe = stripe_client(KEY, self.simulator_url).v1
        self.browser = httpx.Client(base_url=self.simulator_url, timeout=30, trust_env=False)
        self._wait_for_simulator()
        self.api = Api(self.database_url, folder / "api.log", self.settings, port)
        self.worker = self._work()

    def _run(self, log: str, settings: dict[str, str], module: str, *words: str) -> subprocess.Popen[bytes]:
        environment = {"PATH": "/usr/bin:/bin", **settings}
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, *words], env=environment, stdout=output, stderr=output
            )

    def _wait_for_simulator(self) -> None:
        while True:
            assert self.simulator.poll() is None, (self.folder / "simulator.log").read_text()
            with suppress(httpx.TransportError):
                self.browser.get("/")
                return
            time.sleep(0.05)

    def _work(self) -> subprocess.Popen[bytes]:
        url = as_login(self.database_url, "pgcredits_service", PASSWORD)
        return self._run(
            "worker.log", self.settings, "pgcredits.cli", "work", "--database-url", url, "--every", "0.1"
        )

    def kill_worker(self) -> None:
        """kill -9, and another one at once."""
        assert self.worker.poll() is None, (self.folder / "worker.log").read_text()
        self.worker.kill()
        self.worker.wait(60)
        self.worker = self._work()

    def press(self, session: dict[str, Any], action: str) -> None:
        """A button of the simulator's pay page."""
        answer = self.browser.post(f"/pay/{session['session_id']}", data={"action": action})
        assert answer.status_code in (302, 303), answer.text

    def move(self, path: str, **options: Any) -> dict[str, Any]:
        """What the bank, the buyer or the network does."""
        moved: dict[str, Any] = self.browser.post(f"/_control/{path}", json=options).raise_for_status().json()
        return moved

    def begin_chaos(self, seed: int) -> None:
        """From now on events come twice, late, in another order, or not at all."""
        fate = {"seed": seed, "duplicate": 0.3, "reorder": 0.3, "delay": 0.2, "drop": 0.1, "retry": 0.2}
        self.browser.post("/_control/chaos", json=fate).raise_for_status()

    def end_chaos(self) -> None:
        self.browser.post("/_control/chaos").raise_for_status()

    def pending(self) -> int:
        """How many deliveries are under way."""
        return int(self.browser.get("/_control/deliveries").raise_for_status().json().get("pending", 0))

    def events(self) -> list[dict[str, Any]]:
        """All that Stripe has to tell, oldest first."""
        return [event.to_dict() for event in self.stripe.events.list({"limit": 100}).auto_paging_iter()][::-1]

    def close(self) -> None:
        for process in (self.worker, self.api.process, self.simulator):
            process.kill()
            process.wait(60)
