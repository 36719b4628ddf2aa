"""One of the five systems: `pgcredits up` with its price list, and the people who use it over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import httpx
import psycopg
import pytest
import stripe
from psycopg.rows import dict_row
from support import PASSWORD

from pgcredits.database_urls import as_login, as_user
from pgcredits.local.instance import LOGINS, Instance, InstanceError
from pgcredits.local.ports import free_ports

Row = dict[str, Any]
_PGCREDITS = (sys.executable, "-m", "pgcredits.cli")
CARD_PAYS, CARD_DECLINED = "pay", "fail"  # buttons of the pay page: 4242 4242 4242 4242, 4000 0000 0000 0002


class Refused(Exception):
    """An answer that is an error: its HTTP status, the slug in its details, and the facts beside that."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.status_code} {response.text}")
        self.status = response.status_code
        self.headers = response.headers
        body = response.json(parse_float=Decimal)
        assert {"code", "message", "details", "hint"} <= set(body), body
        try:
            self.facts: Row = json.loads(body["details"], parse_float=Decimal)
        except (TypeError, ValueError):
            self.facts = {}
        self.slug = self.facts.pop("error", body["code"])


@contextmanager
def refused(status: int, slug: str, **facts: object) -> Iterator[None]:
    """The block must be refused like this. The named facts must be exactly these."""
    with pytest.raises(Refused) as caught:
        yield
    error = caught.value
    assert (error.status, error.slug) == (status, slug), str(error)
    assert {name: error.facts.get(name) for name in facts} == facts


class Person:
    """Somebody who calls a system over HTTP. Without a user_id: its backend, or nobody in particular."""

    def __init__(self, system: System, headers: dict[str, str], user_id: str | None = None) -> None:
        self.system = system
        self.headers = headers
        self.user_id = user_id

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer, its numbers exact. Raises Refused."""
        return answer(self.send(method, path, **request))

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {**self.headers, **request.pop("headers", {})}
        return self.system.http.request(method, path, headers=headers, **request)

    def call(self, function: str, *, key: str | None = None, **arguments: Any) -> Any:
        """A function of the bank. Raises Refused."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.ask("POST", f"/rest/v1/rpc/{function}", json=arguments, headers=headers)

    def spend(self, module_id: str, usage: Row | None = None, *, key: str | None = None, **more: Any) -> Row:
        """Raises Refused."""
        used: Row = {} if usage is None else {"usage": usage}
        receipt: Row = self.call("consume_tokens", key=key, module_id=module_id, **used, **more)
        return receipt

    def hold(self, module_id: str, usage: Row | None = None, *, key: str | None = None, **more: Any) -> Row:
        """Reserve the worst case, before the work. Raises Refused."""
        worst: Row = {} if usage is None else {"usage": usage}
        held: Row = self.call("hold_tokens", key=key, module_id=module_id, **worst, **more)
        return held

    def capture(self, held: Row, usage: Row | None = None, *, key: str | None = None, **more: Any) -> Row:
        """Charge the finished work: what it used, or all that is held. Raises Refused."""
        used: Row = {} if usage is None else {"usage": usage}
        receipt: Row = self.call("capture_hold", key=key, hold_id=held["hold_id"], **used, **more)
        return receipt

    def release(self, held: Row, reason: str | None = None) -> Row:
        """The work failed, or was called off: nothing is charged. Raises Refused."""
        receipt: Row = self.call("release_hold", hold_id=held["hold_id"], reason=reason)
        return receipt

    def quote(self, module_id: str, usage: Row | None = None, **more: Any) -> Row:
        used: Row = {} if usage is None else {"usage": usage}
        quote: Row = self.call("quote_tokens", module_id=module_id, **used, **more)
        return quote

    def rows(self, view: str, **query: str | int) -> list[Row]:
        """A view of the bank: select, order, limit, offset, column=eq.value."""
        found: list[Row] = self.ask("GET", f"/rest/v1/{view}", params=query)
        return found

    def balance(self) -> Decimal:
        (row,) = self.rows("balance")
        return Decimal(row["balance"])

    def standing(self) -> tuple[Decimal, Decimal, Decimal]:
        """The balance, the held tokens and the available ones."""
        (row,) = self.rows("balance", select="balance,held,available")
        return row["balance"], row["held"], row["available"]

    def kinds(self) -> list[tuple[str, Decimal]]:
        """Every movement of the caller's tokens, in order."""
        return [(row["kind"], Decimal(row["tokens"])) for row in self.rows("entries", order="seq")]

    def checkout(self, pack_id: str | None = None, **more: Any) -> Row:
        """Order a pack, or an amount; gives the address of Stripe's pay page. Raises Refused."""
        what = {} if pack_id is None else {"pack_id": pack_id}
        opened: Row = self.ask("POST", "/checkout", json=what | more)
        return opened

    def buy(self, pack_id: str | None = None, **more: Any) -> Row:
        """Order, pay with the good card, and wait for the webhook; gives the order. Raises Refused."""
        opened = self.checkout(pack_id, **more)
        self.system.press(opened, CARD_PAYS)
        return self.wait_for_order(opened, "paid")

    def wait_for_order(self, opened: Row, state: str) -> Row:
        deadline = time.monotonic() + 60
        while True:
            (order,) = self.rows("orders", order_id=f"eq.{opened['order_id']}")
            if order["state"] == state:
                return order
            assert time.monotonic() < deadline, f"the order never became {state}: {order}"
            time.sleep(0.02)


def answer(response: httpx.Response) -> Any:
    """Raises Refused."""
    if response.is_success:
        return response.json(parse_float=Decimal) if response.content else None
    raise Refused(response)


def forged_event(opened: Row, amount: int) -> str:
    """What Stripe would send, were this order paid."""
    session = {
        "id": opened["session_id"],
        "object": "checkout.session",
        "payment_status": "paid",
        "amount_subtotal": amount,
        "currency": "eur",
        "metadata": {"order_id": opened["order_id"], "tokens": "5000"},
    }
    event = {
        "id": "evt_forged",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": session},
    }
    return json.dumps(event)


@dataclass
class System:
    """A running `pgcredits up` and its addresses."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes]
    variables: dict[str, str]
    http: httpx.Client = field(init=False)
    browser: httpx.Client = field(init=False)  # of somebody who stands before Stripe's pages

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.variables["PGCREDITS_URL"],
            timeout=30,
            limits=httpx.Limits(max_connections=100),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one person's are not another's
            trust_env=False,
        )
        self.browser = httpx.Client(base_url=self.variables["SIMULATOR_URL"], timeout=30, trust_env=False)

    @property
    def service(self) -> Person:
        """The system's own backend."""
        return Person(self, {"Authorization": f"Bearer {self.variables['SERVICE_TOKEN']}"})

    @property
    def stranger(self) -> Person:
        """Somebody who has not signed in."""
        return Person(self, {})

    def sign_up(self, email: str, *, guest: Person | None = None, **more: Any) -> Person:
        """A new user, who may have been a guest before. Raises Refused."""
        form = {"email": email, "password": "correct horse", **more}
        signed = (guest or self.stranger).ask("POST", "/auth/signup", json=form)
        return Person(self, {"Authorization": f"Bearer {signed['access_token']}"}, signed["user_id"])

    def press(self, opened: Row, button: str) -> httpx.Response:
        """A button of the pay page."""
        pressed = self.browser.post(opened["url"], data={"action": button})
        assert pressed.status_code in (200, 303), pressed.text
        return pressed

    def wait_until(self, check: Callable[[], bool], what: str) -> None:
        """Something that a webhook or the worker brings."""
        deadline = time.monotonic() + 60
        while not check():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(0.05)

    def query(self, who: str, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run SQL with one of the logins of `pgcredits env`: ANALYST or AUDITOR."""
        with (
            psycopg.connect(self.variables[f"{who}_URL"]) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return cursor.execute(query.encode(), parameters).fetchall()

    def figures(self, query: str) -> list[Row]:
        """What an analyst reads."""
        return self.query("ANALYST", query)

    def sql_of(self, person: Person) -> psycopg.Connection[Any]:
        """A session of the API's login that acts as that user, as the HTTP API would: for attacks."""
        url = as_user(self.variables["API_DATABASE_URL"], str(person.user_id))
        return psycopg.connect(url, autocommit=True)

    def owner(self, *statements: str) -> None:
        """Execute SQL of the operator in one transaction: campaigns, codes, limits, prices."""
        with psycopg.connect(self.variables["ADMIN_DATABASE_URL"]) as connection:
            connection.execute("set local role credits_owner")
            for statement in statements:
                connection.execute(statement.encode())

    def apply_catalog(self, **environ: str) -> None:
        """Apply the price list again, as an operator does after changing settings."""
        words = [*_PGCREDITS, "catalog", "apply", self.name, "--data-dir", str(self.folder)]
        subprocess.run(words, env={**os.environ, **environ}, check=True, capture_output=True)

    @contextmanager
    def later(self, interval: str) -> Iterator[None]:
        """Move the bank's clock ahead."""
        define = "create or replace function credits.clock() returns timestamptz"
        define += " language sql volatile parallel safe return clock_timestamp()"
        self.owner(f"{define} + interval '{interval}'")
        try:
            yield
        finally:
            self.owner(define)

    def refund(self, person: Person, order: Row, amount: int | None = None) -> Row:
        """Refund a payment, or a part of it, as in Stripe's dashboard. Gives the order after that."""
        form = {"payment_intent": self._intent(order)} | ({} if amount is None else {"amount": str(amount)})
        key = {"Authorization": "Bearer sk_test_of_the_tests"}
        self.browser.post("/v1/refunds", data=form, headers=key).raise_for_status()
        gone = order["reversed"] + (order["paid"] - order["reversed"] if amount is None else amount)
        return self._wait(person, order, lambda row: row["reversed"] == gone)

    def dispute(self, person: Person, order: Row) -> tuple[str, Row]:
        """The buyer's bank takes the money back. Gives the dispute, and the order after that."""
        key = {"Authorization": "Bearer sk_test_of_the_tests"}
        intent = self.browser.get(f"/v1/payment_intents/{self._intent(order)}", headers=key).json()
        moved = self.browser.post(f"/_control/charges/{intent['latest_charge']}/dispute", json={})
        dispute_id = str(moved.raise_for_status().json()["id"])
        whole = order["paid"]
        return dispute_id, self._wait(person, order, lambda row: row["disputed"] and row["reversed"] == whole)

    def end_dispute(self, person: Person, order: Row, dispute_id: str, end: str) -> Row:
        """win: the money returns. lose: it is gone."""
        self.browser.post(f"/_control/disputes/{dispute_id}/{end}", json={}).raise_for_status()
        gone = 0 if end == "win" else order["paid"]
        return self._wait(person, order, lambda row: not row["disputed"] and row["reversed"] == gone)

    def _intent(self, order: Row) -> str:
        return str(self.event_of(order)["data"]["object"]["payment_intent"])

    def _wait(self, person: Person, order: Row, until: Callable[[Row], bool]) -> Row:
        deadline = time.monotonic() + 60
        while True:
            (row,) = person.rows("orders", order_id=f"eq.{order['order_id']}")
            if until(row):
                return row
            assert time.monotonic() < deadline, f"the order stayed as it was: {row}"
            time.sleep(0.02)

    def stripe_signature(self, payload: str, secret: str | None = None, seconds: int = 0) -> dict[str, str]:
        """The header that Stripe sends with a payload, signed so many seconds from now."""
        if secret is None:
            secret = json.loads((self.folder / "secrets.json").read_text())["webhook_secret"]
        sign = stripe.WebhookSignature.generate_signature_header
        return {"Stripe-Signature": sign(payload, str(secret), int(time.time()) + seconds)}

    def event_of(self, order: Row) -> Row:
        """The event that brought the tokens of a paid order."""
        key = {"Authorization": "Bearer sk_test_of_the_tests"}
        events = self.browser.get("/v1/events", params={"limit": 100}, headers=key).json()["data"]
        (event,) = (
            event
            for event in events
            if event["type"] == "checkout.session.completed"
            and event["data"]["object"]["id"] == order["checkout_session_id"]
        )
        return dict(event)

    def findings(self) -> list[Row]:
        """What the audit finds: no row."""
        return self.query("AUDITOR", "table audit.findings")


@contextmanager
def running(name: str, folder: Path, database_url: str) -> Iterator[System]:
    """`pgcredits up --catalog NAME` on an empty database of the server under test, whose logins it keeps."""
    folder.mkdir()
    port, simulator_port = free_ports(2)
    ours = ("STRIPE_", "PGCREDITS_", "PG")  # theirs would steer us
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    environment["PGCREDITS_DATABASE_URL"] = database_url
    environment["PGCREDITS_TRUSTED_PROXIES"] = "127.0.0.1/32"  # we are the proxy that guests come through
    for url, login in LOGINS.items():
        environment[f"PGCREDITS_{url.upper()}"] = as_login(database_url, login, PASSWORD)
    words = ["up", "--catalog", name, "--data-dir", str(folder)]
    words += ["--port", str(port), "--simulator-port", str(simulator_port)]
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*_PGCREDITS, *words], env=environment, stdout=output, stderr=output)
    try:
        system = System(name, folder, process, _variables(process, folder, log))
        with system.http, system.browser:
            yield system
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()


def _variables(process: subprocess.Popen[bytes], folder: Path, log: Path) -> dict[str, str]:
    """What `pgcredits env` prints, once everything runs."""
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            instance = Instance(folder)
            return instance.environment("ada") | {"ADMIN_DATABASE_URL": instance.running().database_url}
        except InstanceError:
            time.sleep(0.05)


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run each function in its own thread, all at the same moment. Returns their answers or refusals."""
    results: list[Any] = [None] * len(works)
    start = Barrier(len(works))

    def run(place: int) -> None:
        start.wait()
        try:
            results[place] = works[place]()
        except Refused as error:
            results[place] = error.slug
        except Exception as error:
            results[place] = error

    threads = [Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results
