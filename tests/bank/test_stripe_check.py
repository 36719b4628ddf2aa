"""`pgcredits stripe check`: each fault of a set-up is one line that says so, with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg
import pytest
import stripe
from click.testing import CliRunner
from http_calls import SECRET, WEBHOOK_SECRET, serving
from support import PASSWORD, free_port, stripe_client

from pgcredits.bank import stripe_check
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import HOME
from pgcredits.bank.stripe_check import bank_side, endpoint, keys, prices
from pgcredits.bank.stripe_check.bank_side import Bank, Sold
from pgcredits.bank.stripe_check.given import Given
from pgcredits.bank.stripe_check.line import Line
from pgcredits.cli import main
from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings
from stripe_simulator.app import create_app as simulated_stripe
from stripe_simulator.core.endpoint import ID as ENDPOINT

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

KEY, READ_KEY = "sk_test_of_the_check", "rk_test_of_the_check"
LIVE = "sk_live_of_the_check"
GOOD_SECRET = "whsec_" + "0123456789abcdef" * 3


@dataclass
class SetUp:
    """A bank that sells, with everything right at the simulated Stripe."""

    url: str
    given: Given
    client: stripe.StripeClient
    prices: dict[str, str]

    def lines(self, **changes: Any) -> list[Line]:
        return list(stripe_check.run(self.url, replace(self.given, **changes)))

    def faults(self, **changes: Any) -> list[tuple[str, str]]:
        """What is not ok, and what was found."""
        bad = [line for line in self.lines(**changes) if line.state != "ok"]
        assert all(line.remedy for line in bad)
        return [(line.about, line.found) for line in bad]

    def control(self, **settings: Any) -> None:
        assert self.given.api_base is not None
        httpx.post(f"{self.given.api_base}/_control/settings", json=settings).raise_for_status()

    def change_endpoint(self, **changes: Any) -> None:
        self.client.v1.webhook_endpoints.update(ENDPOINT, changes)  # type: ignore[arg-type]


def recurring(client: stripe.StripeClient, plan: Sold) -> str:
    return client.v1.prices.create(
        {
            "currency": plan.currency,
            "unit_amount": plan.amount,
            "recurring": {"interval": plan.interval, "interval_count": plan.interval_count},  # type: ignore[typeddict-item]
            "product_data": {"name": plan.name},
        }
    ).id


@pytest.fixture(scope="module")
def whole(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    ports = free_port(), free_port()
    here, simulator = (f"http://127.0.0.1:{port}" for port in ports)
    settings = Settings(
        as_login(own_url, "pgcredits_api", PASSWORD),
        as_login(own_url, "pgcredits_service", PASSWORD),
        SECRET,
        public_url=here,
        stripe_secret_key=KEY,
        stripe_webhook_secrets=(WEBHOOK_SECRET,),
        stripe_api_base=simulator,
        pool_size=2,
    )
    file = tmp_path_factory.mktemp("check") / "simulator.sqlite3"
    client = stripe_client(KEY, simulator)
    with ExitStack() as stack:
        stack.enter_context(
            serving(simulated_stripe(file, f"{here}/webhooks/stripe", WEBHOOK_SECRET, simulator), ports[1])
        )
        stack.enter_context(serving(create_app(settings), ports[0]))
        apply_catalog(own_url, "appforge", add=True)
        plans = bank_side.read(own_url).plans
        made = {plan.name: recurring(client, plan) for plan in plans}
        pack = client.v1.prices.create(
            {"currency": "eur", "unit_amount": 3999, "product_data": {"name": "Standard"}}
        )
        made["standard"] = pack.id
        apply_catalog(own_url, "iahome", stripe_prices={"standard": pack.id}, add=True)
        apply_catalog(
            own_url, "appforge", stripe_prices={plan.name: made[plan.name] for plan in plans}, add=True
        )
        given = Given(KEY, READ_KEY, (WEBHOOK_SECRET,), simulator, here)
        yield SetUp(as_login(own_url, "pgcredits_auditor", PASSWORD), given, client, made)


@pytest.fixture
def set_up(whole: SetUp) -> Iterator[SetUp]:
    """Everything is right before the test, and again after it."""
    yield whole
    whole.control(forbidden=[], portal_saved=True, charges_enabled=True, event_version="2026-10-28.endive")
    whole.change_endpoint(disabled=False, enabled_events=["*"])


def test_nothing_is_wrong_with_a_whole_set_up(set_up: SetUp) -> None:
    lines = set_up.lines()
    assert [line for line in lines if line.state != "ok"] == []
    about = {line.about for line in lines}
    assert {"webhook endpoint", "events", "deliveries", "signature", "customer portal", "account"} <= about
    assert {f"price of plan {name}" for name in set_up.prices if name != "standard"} < about
    assert "price of pack standard" in about


def test_events_ticked_as_the_page_says_are_all(set_up: SetUp) -> None:
    types = bank_side.read(set_up.url).event_types
    ticked = [name for name in types if name not in endpoint.TWINS]
    set_up.change_endpoint(enabled_events=ticked)
    assert set_up.faults() == []


def test_command_says_each_line_and_ends_with_1(set_up: SetUp) -> None:
    env = {
        "PGCREDITS_DATABASE_URL": set_up.url,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_READ_KEY": READ_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": set_up.given.api_base,
        "PGCREDITS_PUBLIC_URL": set_up.given.public_url,
    }
    done = CliRunner().invoke(main, ["stripe", "check"], env=env)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "nothing is wrong"), done.output
    set_up.change_endpoint(disabled=True)
    done = CliRunner().invoke(main, ["stripe", "check"], env=env)
    assert (done.exit_code, done.output.splitlines()[-1]) == (1, "1 thing is wrong"), done.output
    assert "wrong    webhook endpoint: " in done.output
    assert "         → enable it under Developers" in done.output
    for secret in (KEY, READ_KEY, WEBHOOK_SECRET, PASSWORD):
        assert secret not in done.output


# Each fault in the environment, and the one line that it makes.
GIVEN_FAULTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no webhook secret": ({"webhook_secrets": ()}, [("STRIPE_WEBHOOK_SECRET", "is not set")]),
    "a secret that the API has not": (
        {"webhook_secrets": (GOOD_SECRET,)},
        [("signature", "does not have the secret")],
    ),
    "one of two secrets that the API has not": (
        {"webhook_secrets": (WEBHOOK_SECRET, GOOD_SECRET)},
        [("signature", "does not have secret 2")],
    ),
    "a read key of the other mode": (
        {"read_key": "rk_live_x", "secret_key": KEY},
        [("STRIPE_READ_KEY", "the secret key is of test mode")],
    ),
    "a read key that is none": ({"read_key": "pk_test_x"}, [("STRIPE_READ_KEY", "must be a secret")]),
    "a secret key that is none": (
        {"secret_key": "pk_test_x", "read_key": None},
        [("STRIPE_SECRET_KEY", "must")],
    ),
    "an address where nobody listens": (
        {"public_url": "http://127.0.0.1:9"},
        [("webhook endpoint", "cannot reach"), ("PGCREDITS_PUBLIC_URL", "does not answer: ConnectError")],
    ),
    "an address that Stripe has no endpoint for": (
        {"public_url": "http://nowhere.invalid"},
        [("webhook endpoint", "none has the address"), ("PGCREDITS_PUBLIC_URL", "does not answer")],
    ),
    "no address": (
        {"public_url": "tokens.example.org"},
        [("webhook endpoint", "none has the address"), ("PGCREDITS_PUBLIC_URL", "is no http(s) URL")],
    ),
    "nothing at all": (
        {"secret_key": None, "read_key": None, "webhook_secrets": ()},
        [("STRIPE_SECRET_KEY", "is not set"), ("STRIPE_WEBHOOK_SECRET", "is not set")],
    ),
}


def matches(found: list[tuple[str, str]], expected: list[tuple[str, str]]) -> bool:
    return len(found) == len(expected) and all(
        about == name and part in text for (name, text), (about, part) in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("fault", GIVEN_FAULTS)
def test_fault_in_the_environment_is_named(set_up: SetUp, fault: str) -> None:
    changes, expected = GIVEN_FAULTS[fault]
    assert matches(found := set_up.faults(**changes), expected), found


STRIPE_FAULTS: dict[str, tuple[Callable[[SetUp], None], list[tuple[str, str]]]] = {
    "endpoint disabled": (lambda s: s.change_endpoint(disabled=True), [("webhook endpoint", "is disabled")]),
    "an event that is not ticked": (
        lambda s: s.change_endpoint(
            enabled_events=[t for t in bank_side.read(s.url).event_types if t != "charge.refunded"]
        ),
        [("events", "does not send charge.refunded")],
    ),
    "an older version without its event": (
        lambda s: (
            s.control(event_version="2024-06-20"),
            s.change_endpoint(
                enabled_events=[t for t in bank_side.read(s.url).event_types if t not in endpoint.TWINS]
            ),
        )[0],
        [("events", "does not send charge.refund.updated")],
    ),
    "portal not saved": (lambda s: s.control(portal_saved=False), [("customer portal", "nobody has saved")]),
    "keys without a right": (
        lambda s: s.control(forbidden=["/v1/prices", "/v1/payouts"]),
        [
            ("STRIPE_SECRET_KEY", "may not read Prices"),
            ("STRIPE_READ_KEY", "may not read Payouts, Prices"),
            ("prices", "the key may not read them"),
        ],
    ),
    "keys that may not read endpoints, events and the portal": (
        lambda s: s.control(forbidden=["/v1/webhook_endpoints", "/v1/events", "/v1/billing_portal"]),
        [
            ("STRIPE_SECRET_KEY", "may not read Customer portal"),
            ("STRIPE_READ_KEY", "may not read Customer portal, Events, Webhook Endpoints"),
            ("webhook endpoint", "the key may not read them"),
            ("deliveries", "the key may not read events"),
            ("customer portal", "the key may not read it"),
        ],
    ),
}


@pytest.mark.parametrize("fault", STRIPE_FAULTS)
def test_fault_at_stripe_is_named(set_up: SetUp, fault: str) -> None:
    break_it, expected = STRIPE_FAULTS[fault]
    break_it(set_up)
    assert matches(found := set_up.faults(), expected), found


def test_archived_price_is_named(set_up: SetUp) -> None:
    set_up.client.v1.prices.update(set_up.prices["standard"], {"active": False})
    try:
        assert matches(found := set_up.faults(), [("price of pack standard", "is archived")]), found
    finally:
        set_up.client.v1.prices.update(set_up.prices["standard"], {"active": True})


def test_prices_that_differ_from_the_list_are_named() -> None:
    pack = Sold("pack", "standard", "price_1", 3999, "eur", None, None)
    plan = Sold("plan", "pro", "price_2", 1500, "eur", "month", 1)
    price = {"id": "price_1", "active": True, "unit_amount": 3999, "currency": "eur", "recurring": None}
    monthly = {**price, "unit_amount": 1500, "recurring": {"interval": "month", "interval_count": 1}}
    assert prices.of(pack, price, "test").state == prices.of(plan, monthly, "test").state == "ok"
    for sold, found, text in (
        (pack, None, "Stripe has no price_1 in live mode"),
        (pack, {**price, "unit_amount": 3900}, "is 3900 eur, the price list says 3999 eur"),
        (pack, {**price, "unit_amount": None}, "is None eur"),
        (pack, {**price, "currency": "usd"}, "is 3999 usd"),
        (
            pack,
            {**price, "recurring": monthly["recurring"]},
            "is paid every 1 month, the price list says once",
        ),
        (plan, {**monthly, "recurring": None}, "is paid once, the price list says every 1 month"),
        (plan, {**monthly, "recurring": {"interval": "year", "interval_count": 1}}, "is paid every 1 year"),
        (pack, {**price, "active": None}, "is archived"),
    ):
        line = prices.of(sold, found, "live")
        assert (line.state, text in line.found, bool(line.remedy)) == ("wrong", True, True), line


def test_plan_without_a_price_is_said(set_up: SetUp) -> None:
    plan = Sold("plan", "pro", None, 1500, "eur", "month", 1)
    (line,) = (line for line in prices.check(set_up.client, [plan], "test") if line.state != "ok")
    assert (line.state, "customers cannot change to it" in line.found) == ("unknown", True)


def test_portal_that_lacks_something_is_named() -> None:
    plans = [Sold("plan", name, f"price_{name}", 1, "eur", "month", 1) for name in ("one", "two")]
    on = {"enabled": True}
    features: dict[str, Any] = {
        "subscription_cancel": on,
        "payment_method_update": on,
        "invoice_history": on,
        "subscription_update": {**on, "products": [{"product": "p", "prices": ["price_one", "price_two"]}]},
    }

    def said(**changes: Any) -> list[str]:
        found = [{"id": "bpc_1", "features": features | changes}]
        return [line.found for line in prices.check_portal(found, plans) if line.state != "ok"]

    assert said() == []
    assert said(subscription_cancel={"enabled": False}) == ["customers cannot cancel"]
    assert said(payment_method_update={}) == ["customers cannot change their card"]
    assert said(invoice_history=None) == ["customers cannot see their invoices"]
    assert said(subscription_update={"enabled": False}) == ["customers cannot change their plan"]
    assert said(subscription_update={**on, "products": [{"prices": ["price_one"]}]}) == [
        "it does not offer two"
    ]
    assert said(subscription_update={**on, "products": []}) == ["it does not offer one, two"]
    assert said(subscription_update={**on}) == ["Stripe does not say which plans it offers"]


def test_endpoints_are_compared_by_what_stripe_would_call() -> None:
    types = ("invoice.paid", "invoice.payment_succeeded")
    given = Given(LIVE, public_url="https://tokens.example.org")

    def said(*changes: dict[str, Any], given: Given = given) -> list[tuple[str, str]]:
        whole = {
            "url": "https://tokens.example.org/webhooks/stripe",
            "status": "enabled",
            "enabled_events": ["invoice.paid"],
            "api_version": endpoint.API_VERSION,
        }
        return [
            (line.state, line.found)
            for line in endpoint.check([whole | change for change in changes], given, types)
            if line.state != "ok"
        ]

    assert said({}) == said({"url": "https://TOKENS.example.org:443/api/stripe-webhook"}) == []
    for url in (
        "http://tokens.example.org/webhooks/stripe",
        "https://tokens.example.org/webhook",
        "https://[x",
    ):
        ((state, found),) = said({"url": url})
        assert (state, "none has the address" in found) == ("wrong", True)
    ((_, found),) = said()
    assert found == "none has the address https://tokens.example.org/webhooks/stripe"
    ((state, found),) = said({}, {})
    assert found.startswith("2 have this address")
    assert said({}, {"status": "disabled"}) == []
    assert said({"api_version": None}) == [("unknown", "it is the default one of the account")]
    assert said({"api_version": "2019-01-01"}) == [("unknown", "pgcredits was not tested with 2019-01-01")]
    ((_, found),) = said({"enabled_events": ["invoice.payment_succeeded"]})
    assert found == "the endpoint does not send invoice.paid"
    local = Given(KEY, public_url="http://localhost:8000")
    assert [state for state, _ in said(given=local)] == ["unknown"]
    assert [state for state, _ in said(given=replace(local, secret_key=LIVE))] == ["wrong"]


def test_events_that_could_not_be_delivered_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint.time, "time", lambda: 1_000_000.0)
    event = {"id": "evt_1", "type": "invoice.paid", "pending_webhooks": 1, "created": 999_000}
    assert endpoint.check_deliveries([event], ["invoice.paid"]).state == "wrong"
    for change in (
        {"pending_webhooks": 0},
        {"type": "payout.paid"},
        {"created": 999_990},
        {"created": 1_000_000 - 4 * 86_400},
        {"created": None},
    ):
        assert endpoint.check_deliveries([event | change], ["invoice.paid"]).state == "ok", change


AGREED = {(None, False), (True, True), (False, False)}


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("bank", [None, False, True])
def test_bank_and_key_agree_whether_money_is_real(bank: bool | None, live: bool) -> None:
    line = bank_side.check_mode(Bank(bank, (), ()), live)
    assert (line.state == "ok") == ((bank, live) in AGREED)


def test_live_settings_are_held_to_more() -> None:
    good = Given(LIVE, None, (GOOD_SECRET,), None, "https://tokens.example.org")

    def wrong(**changes: Any) -> list[str]:
        return [line.about for line in keys.check_texts(replace(good, **changes)) if line.state == "wrong"]

    assert wrong() == []
    assert wrong(webhook_secrets=("whsec_x",)) == ["STRIPE_WEBHOOK_SECRET"]
    assert wrong(webhook_secrets=("of the tests, long and random",)) == ["STRIPE_WEBHOOK_SECRET"]
    assert wrong(api_base="http://simulator:8001") == ["STRIPE_API_BASE"]
    assert wrong(read_key="rk_test_x") == ["STRIPE_READ_KEY"]
    lines = list(stripe_check.reach.check(replace(good, public_url="http://127.0.0.1:9")))
    assert [line.state for line in lines] == ["wrong", "wrong"]
    assert "is not https" in lines[0].found


def test_account_that_may_not_charge_is_named_in_live_mode(set_up: SetUp) -> None:
    set_up.control(charges_enabled=False)
    (line,) = keys.check_account(set_up.client, True)
    assert (line.state, "does not let acct_simulated charge" in line.found) == ("wrong", True)
    assert [line.state for line in keys.check_account(set_up.client, False)] == ["ok"]


def test_key_that_stripe_does_not_know_is_named(set_up: SetUp) -> None:
    # The simulator knows every key of test mode, and refuses live ones as Stripe refuses unknown ones.
    assert set_up.given.api_base is not None
    client = stripe_client(LIVE, set_up.given.api_base)
    line = keys.check_rights("STRIPE_SECRET_KEY", client, keys.SECRET_KEY_RIGHTS)
    assert (line.state, line.found) == ("wrong", "Stripe does not know this key")


def test_stripe_that_does_not_answer_is_one_line(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_check, "RETRIES", 0)
    found = set_up.faults(api_base="http://127.0.0.1:9")
    assert matches(found, [("Stripe", "cannot be read: APIConnectionError")]), found


def test_other_program_at_the_public_address_is_named(set_up: SetUp) -> None:
    """The simulator answers there, with a page of its own."""
    found = set_up.faults(public_url=set_up.given.api_base)
    assert [about for about, _ in found] == ["webhook endpoint", "PGCREDITS_PUBLIC_URL"]
    assert "not as the HTTP API does" in found[1][1]


def test_login_that_does_not_read_the_books_is_refused(set_up: SetUp) -> None:
    url = set_up.url.replace("pgcredits_auditor", "pgcredits_service")
    done = CliRunner().invoke(main, ["stripe", "check", "--database-url", url])
    assert (done.exit_code, "use pgcredits_auditor" in done.output) == (1, True)


def test_check_stores_nothing(set_up: SetUp) -> None:
    with psycopg.connect(set_up.url.replace("pgcredits_auditor", "postgres")) as connection:
        query = "select count(*) from credits.stripe_events"
        before = connection.execute(query).fetchone()
        connection.commit()
        set_up.lines()
        assert connection.execute(query).fetchone() == before


def test_rights_that_are_checked_are_those_of_the_page() -> None:
    table = (HOME / "docs/stripe.md").read_text().partition("| key | variable |")[2].partition("\n\n")[0]
    for name, checked in (
        ("STRIPE_SECRET_KEY", keys.SECRET_KEY_RIGHTS),
        ("STRIPE_READ_KEY", keys.READ_KEY_RIGHTS),
    ):
        (row,) = (line for line in table.splitlines() if f"| `{name}` |" in line)
        named = {right.strip() for cell in row.split("|")[3:5] for right in cell.split(",")} - {"nothing"}
        assert named - {"PaymentMethods"} == set(checked)
