"""`pgcredits stripe pull` against the simulator: what a restored bank has missed is named, applied, and gone.

Webhooks of the simulator go to a post box, from which a test delivers them to its bank, or does not.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import stripe
from callers import Caller, Connection
from http_calls import WEBHOOK_SECRET, serving
from psycopg.types.json import Jsonb
from support import PASSWORD, free_port, stripe_client

from pgcredits.bank import stripe_pull
from pgcredits.bank.stripe_pull import Pulled, pull, stripe_reader
from pgcredits.database_urls import as_login
from pgcredits.http.payments.checkout import Order, Wishes, open_session
from stripe_simulator.app import create_app

pytestmark = [pytest.mark.slow, pytest.mark.one_version]

KEY = "sk_test_of_the_pull"
PAGES = Wishes("https://shop.example/done", "https://shop.example/back")


@dataclass
class PostBox:
    """Takes every webhook, with 200."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, kind: str, object_id: str) -> dict[str, Any]:
        """The event of this kind about this object."""
        for _ in range(500):
            for event in list(self.events):
                if event["type"] == kind and event["data"]["object"]["id"] == object_id:
                    return event
            threading.Event().wait(0.02)
        pytest.fail(f"no {kind} of {object_id}")


@dataclass
class Shop:
    """A bank, a simulated Stripe, and the buyer's browser."""

    bank: Caller
    url: str
    stripe_url: str
    client: stripe.StripeClient
    box: PostBox

    def order(self, user_id: str, pack_id: str = "standard") -> tuple[dict[str, Any], Any]:
        """An order and its session, as the HTTP API makes them."""
        self.bank.call("open_account", user_id=user_id)
        made = self.bank.call("create_order", user_id=user_id, pack_id=pack_id)
        fields = {name: made[name] for name in Order.__struct_fields__}
        order = Order(**{**fields, "order_id": str(made["order_id"]), "account_id": str(made["account_id"])})

        async def opened() -> Any:
            http = stripe.HTTPXClient(timeout=10)
            client = stripe_client(KEY, self.stripe_url, http)
            try:
                return await open_session(client, order, PAGES)
            finally:
                await http.close_async()

        session = asyncio.run(opened())
        self.bank.call(
            "attach_checkout",
            account_id=made["account_id"],
            order_id=made["order_id"],
            session_id=session.id,
            customer_id=str(session.customer),
        )
        return made, session

    def pay(self, session: Any) -> Any:
        """The buyer pays by card. The session as Stripe has it then."""
        assert httpx.post(session.url, data={"action": "pay"}).status_code in (302, 303)
        self.box.wait_for("checkout.session.completed", session.id)
        return self.client.v1.checkout.sessions.retrieve(session.id)

    def refund(self, session: Any, amount: int) -> Any:
        refund = self.client.v1.refunds.create({"payment_intent": session.payment_intent, "amount": amount})
        self.box.wait_for("refund.created", refund.id)
        return refund

    def dispute(self, session: Any) -> str:
        intent = self.client.v1.payment_intents.retrieve(session.payment_intent)
        answer = httpx.post(f"{self.stripe_url}/_control/charges/{intent.latest_charge}/dispute", json={})
        dispute_id = str(answer.raise_for_status().json()["id"])
        self.box.wait_for("charge.dispute.created", dispute_id)
        return dispute_id

    def deliver(self) -> None:
        """Everything in the post box reaches the bank."""
        for event in list(self.box.events):
            self.bank.call("apply_stripe_event", event=event)

    def pull(self, **more: Any) -> Pulled:
        url = as_login(self.url, "pgcredits_service", PASSWORD)
        with stripe_reader(KEY, self.stripe_url) as client:
            return pull(url, client, say=lambda text: None, **more)

    def findings(self) -> list[tuple[str, str]]:
        rows = self.bank.rows("select expected, found from audit.check_stripe order by 1, 2")
        return [(row["expected"], row["found"]) for row in rows]

    def all_findings(self) -> list[dict[str, Any]]:
        return self.bank.rows("select * from audit.findings where check_name <> 'check_release'")

    def state(self) -> list[dict[str, Any]]:
        """What the buyers have, and what became of their orders."""
        return self.bank.rows(
            "select b.user_id, b.balance, b.debt, array("
            "select (o.state, o.reversed)::text from credits.orders as o join credits.identities as i"
            " using (account_id) where i.subject = b.user_id order by o.created_at) as orders"
            " from api.balance as b order by b.user_id"
        )


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[tuple[str, PostBox]]:
    """A simulated Stripe, whose webhooks go to a post box."""
    box = PostBox()

    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_POST(self) -> None:
            box.events.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    app = create_app(
        tmp_path / "simulator.sqlite3", f"http://127.0.0.1:{server.server_port}/", WEBHOOK_SECRET, here
    )
    with serving(app, port):
        yield here, box
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def shop(db: Connection, url: str, simulated: tuple[str, PostBox]) -> Shop:
    stripe_url, box = simulated
    client = stripe_client(KEY, stripe_url)
    bank = Caller(db, "none")
    bank.rows("select credits.bound_stripe_delay('0')")
    return Shop(bank, url, stripe_url, client, box)


@pytest.fixture
def restored(shop: Shop, cluster: Any) -> Iterator[Any]:
    """restored(name): a copy of the bank as it is at this moment."""
    made: list[str] = []

    def copy(name: str) -> Shop:
        source = shop.bank.connection.info.dbname
        shop.bank.connection.close()
        with psycopg.connect(cluster.url(), autocommit=True) as admin:
            admin.execute(f"create database {name} template {source}")
            admin.execute(f"revoke all on database {name} from public")
            admin.execute(
                f"grant connect on database {name} to pgcredits_api, pgcredits_service, pgcredits_catalog,"
                " analyst, auditor, spender, support, service_role"
            )
        made.append(name)
        shop.bank = Caller(psycopg.connect(shop.url, autocommit=True), "none")
        bank = Caller(psycopg.connect(cluster.url(name), autocommit=True), "none")
        return Shop(bank, cluster.url(name), shop.stripe_url, shop.client, shop.box)

    yield copy
    shop.bank.connection.close()
    with psycopg.connect(cluster.url(), autocommit=True) as admin:
        for name in made:
            admin.execute(f"drop database {name} with (force)")


def life(shop: Shop, restored: Any, name: str) -> tuple[Shop, dict[str, Any]]:
    """An hour of a shop: a purchase, then a backup, then purchases, a refund and a dispute. The backup."""
    names = {}
    for user in ("ada", "bob", "cleo", "dora"):
        names[user] = shop.order(user)[1]
    names["ada"] = shop.pay(names["ada"])
    shop.deliver()
    backup = restored(name)
    for user in ("bob", "cleo"):
        names[user] = shop.pay(names[user])
    shop.deliver()
    names["refund"] = shop.refund(names["ada"], 1000)
    names["dispute"] = shop.dispute(names["cleo"])
    httpx.post(f"{shop.stripe_url}/v1/checkout/sessions/{names['dora'].id}/expire", headers=AUTH)
    shop.box.wait_for("checkout.session.expired", names["dora"].id)
    assert httpx.post(f"{shop.stripe_url}/_control/payouts").raise_for_status().json()["payouts"]
    shop.deliver()
    return backup, names


AUTH = {"Authorization": f"Bearer {KEY}"}


def test_restored_bank_is_told_what_it_missed_and_gets_it(shop: Shop, restored: Any) -> None:
    backup, names = life(shop, restored, "pgcredits_backup")
    shop.pull()
    assert shop.all_findings() == []
    assert backup.state() != shop.state()

    # 1. The audit names the events that never came, and nothing else.
    assert backup.findings() == []
    backup.pull(apply=False)
    had = {row["event_id"] for row in backup.bank.rows("select event_id from credits.stripe_events")}
    missed = {
        (event["type"], event["data"]["object"]["id"])
        for event in shop.box.events
        if event["type"] in applied_types(backup) and event["id"] not in had
    }
    assert ("checkout.session.completed", names["ada"].id) not in missed
    found = backup.findings()
    assert {tuple(expected.split(" ")[2:5:2]) for expected, _ in found} == {
        (f"({kind})", thing) for kind, thing in missed
    }
    assert all(text.startswith("it has not, since") for _, text in found)

    # 2. They are applied, and the books are as if nothing had happened.
    pulled = backup.pull()
    assert pulled.refused == []
    assert pulled.applied["granted"] == 2
    assert backup.all_findings() == []
    assert backup.state() == shop.state()
    assert backup.pull().applied == {}


def applied_types(shop: Shop) -> set[str]:
    return {row["type"] for row in shop.bank.rows("select type from credits.event_types")}


def test_objects_are_booked_when_their_events_are_gone(
    shop: Shop, restored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, names = life(shop, restored, "pgcredits_old_backup")
    monkeypatch.setattr(stripe_pull, "LISTS", tuple(name for name in stripe_pull.LISTS if name != "events"))
    backup.pull(apply=False)
    found = backup.findings()
    assert len(found) == 4  # the payment that was disputed is not booked yet
    for thing in (names["bob"].id, names["cleo"].id, names["dora"].id, names["refund"].id):
        assert sum(thing in expected for expected, _ in found) == 1, (thing, found)
    pulled = backup.pull()
    assert pulled.refused == []
    assert backup.all_findings() == []
    assert backup.state() == shop.state()
    # When the real events come after all, they say nothing new.
    backup.deliver()
    assert backup.all_findings() == []
    assert backup.state() == shop.state()


def test_money_that_never_reached_the_balance_is_named(shop: Shop) -> None:
    session = shop.pay(shop.order("ada")[1])
    shop.deliver()
    shop.pull()
    assert shop.all_findings() == []
    lost = shop.bank.row(
        "delete from credits.stripe_mirror where kind = 'balance_transaction' returning object_id, charge_id"
    )
    (found,) = shop.all_findings()
    assert (found["check_name"], found["found"]) == (
        "check_stripe_balance",
        "Stripe has no such balance transaction",
    )
    assert found["expected"] == (
        f"balance transaction {lost['object_id']} of charge {lost['charge_id']} is in the balance"
    )
    paid = "select account_id from credits.orders where checkout_session_id = %s"
    assert found["account_id"] == shop.bank.row(paid, (session.id,))["account_id"]


# docs/restoring.md shows this query.
LOST = """
select
    min(p.object_id) as object_id,
    min(coalesce(e.payload #>> '{data,object,metadata,user_id}', i.subject)) as user_id,
    min(e.payload #>> '{data,object,metadata,tokenPackage}') as package_name,
    min(e.payload #>> '{data,object,metadata,tokens}') as tokens,
    min(p.amount) as amount, min(p.currency) as currency, array_agg(p.event_id) as events
from audit.parked as p
join credits.stripe_events as e on p.event_id = e.event_id
left join credits.identities as i on p.account_id = i.account_id
where p.parked_reason = 'its order is not there yet'
group by coalesce(e.payload #>> '{data,object,payment_intent}', p.object_id)
"""


def test_payment_of_a_lost_order_is_given_by_hand_and_listed_no_more(shop: Shop, restored: Any) -> None:
    """The order was made after the backup."""
    shop.pay(shop.order("ada")[1])
    shop.deliver()
    backup = restored("pgcredits_before_the_order")
    session = shop.pay(shop.order("ada")[1])
    shop.deliver()
    assert backup.pull().applied["waiting"] == 2  # the event, and what the session says
    assert [row["found"] for row in backup.all_findings()] == ["no such order"]

    # 1. Whose payment is it, and of what?
    (lost,) = backup.bank.rows(LOST)
    assert (lost["object_id"], lost["user_id"], lost["tokens"]) == (session.id, "ada", "500")
    assert (lost["amount"], lost["currency"], lost["package_name"]) == ("3999", "eur", "Standard")
    # 2. Give the tokens. The session is the key: a repeat gives nothing more.
    for _ in range(2):
        given = backup.bank.call(
            "add_tokens",
            user_id="ada",
            tokens=lost["tokens"],
            reason="purchase",
            package_name=lost["package_name"],
            idempotency_key=lost["object_id"],
        )
    # 3. Say that it is dealt with.
    for event_id in lost["events"]:
        backup.bank.call("dismiss_event", event_id=event_id, reason="given by hand after the restore")
    assert backup.bank.rows("select from audit.parked") == []
    assert backup.all_findings() == []
    assert [row["balance"] for row in backup.state()] == [row["balance"] for row in shop.state()]
    assert backup.pull().applied == {}

    # 4. Money that goes back later is listed. The tokens do not follow by themselves.
    refund = backup.refund(session, 3999)
    backup.pull()
    back = backup.bank.rows("select event_id, object_id from audit.parked")
    assert refund.id in {row["object_id"] for row in back}
    backup.bank.call("void_lot", lot_id=given["entry_id"], reason=f"refunded: {refund.id}")
    for row in back:
        backup.bank.call("dismiss_event", event_id=row["event_id"], reason="its tokens were voided")
    assert backup.all_findings() == backup.bank.rows("select from audit.parked") == []


def test_payment_of_a_lost_order_may_be_refunded_instead(shop: Shop, restored: Any) -> None:
    shop.order("ada")
    backup = restored("pgcredits_before_another_order")
    session = shop.pay(shop.order("ada")[1])
    backup.pull()
    (lost,) = backup.bank.rows(LOST)
    shop.refund(session, 3999)
    backup.pull()
    for event_id in lost["events"]:
        backup.bank.call("dismiss_event", event_id=event_id, reason="refunded after the restore")
    for row in backup.bank.rows("select event_id from audit.parked"):
        backup.bank.call("dismiss_event", event_id=row["event_id"], reason="refunded after the restore")
    assert backup.bank.rows("select from audit.parked") == []
    assert backup.all_findings() == []


def test_killed_pull_goes_on_where_it_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [shop.pay(shop.order(f"user {number}")[1]) for number in range(5)]
    monkeypatch.setattr(stripe_pull, "_PAGE", 2)
    whole, asked = stripe_pull._page, []

    def fails_on_the_fourth(client: Any, path: str, since: Any, after: Any) -> Any:
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(after)
        return whole(client, path, since, after)

    monkeypatch.setattr(stripe_pull, "_page", fails_on_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        shop.pull()
    assert shop.bank.row("select count(*) as n from credits.stripe_mirror_events")["n"] == 6
    monkeypatch.setattr(stripe_pull, "_page", lambda *place: (asked.append(place[3]), whole(*place))[1])
    pulled = shop.pull()
    assert asked[3] is not None  # it did not begin anew
    assert pulled.applied["granted"] == len(sessions)
    assert shop.all_findings() == []


def test_two_pulls_at_once_apply_everything_once(shop: Shop) -> None:
    for number in range(4):
        shop.pay(shop.order(f"both {number}")[1])
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(shop.pull())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 2
    assert sum(result.applied.get("granted", 0) for result in results) == 4
    assert shop.all_findings() == []


def test_key_that_may_not_read_a_list_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = stripe_pull._page

    def no_disputes(client: Any, path: str, since: Any, after: Any) -> Any:
        if "disputes" in path:
            raise stripe.PermissionError("no right")
        return whole(client, path, since, after)

    monkeypatch.setattr(stripe_pull, "_page", no_disputes)
    shop.pay(shop.order("ada")[1])
    pulled = shop.pull()
    assert pulled.unreadable == ["disputes"]
    assert pulled.applied["granted"] == 1


def test_wrong_key_and_wrong_mode_are_refused(shop: Shop) -> None:
    url = as_login(shop.url, "pgcredits_service", PASSWORD)
    with stripe_reader("rk_live_x", shop.stripe_url) as client, pytest.raises(stripe_pull.PullError):
        pull(url, client)
    shop.pay(shop.order("ada")[1])
    shop.bank.rows("update credits.settings set stripe_livemode = true returning 1")
    with pytest.raises(psycopg.Error, match="mode"):
        shop.pull()


def test_forged_event_is_named(shop: Shop) -> None:
    """Somebody who knows the webhook secret says that an order is paid."""
    made, session = shop.order("mallory")
    paid = session.to_dict() | {"payment_status": "paid", "status": "complete", "payment_intent": "pi_forged"}
    event = {
        **{"id": "evt_forged", "object": "event", "type": "checkout.session.completed", "livemode": False},
        **{"created": 1795200001, "data": {"object": json.loads(json.dumps(paid, default=str))}},
    }
    assert shop.bank.call("apply_stripe_event", event=Jsonb(event))["outcome"] == "granted"
    assert shop.findings() == []
    shop.pull()
    assert shop.findings() == [
        (
            f"checkout.session {session.id}, which granted order {made['order_id']}, is paid",
            "at Stripe it is open",
        )
    ]
