"""A storm: purchases of all kinds, each event three times and shuffled, from 16 threads, amid kills.

The simulator also delivers every event itself, amid its own chaos: events come twice, late, in another order,
or not at all. When all is over, each order is what an independent model makes of Stripe's own list of events,
and the audit finds nothing.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Any

import httpx
import psycopg
import pytest
import stripe
from psycopg.rows import dict_row
from reliability.servers import Postgres
from reliability.storm.lives import LIVES
from reliability.storm.shop import SECRET, Shop
from sql.reversals.payment_model import Event, Payment

pytestmark = [pytest.mark.xdist_group("storm"), pytest.mark.one_version, pytest.mark.long]

THREADS = 16
PACKS = {"basique": (100, 999), "standard": (500, 3999), "premium": (1000, 6999)}


@pytest.fixture
def shop(bin_dir: Path, tmp_path: Path) -> Iterator[Shop]:
    postgres = Postgres(bin_dir, {"max_connections": "200"})
    try:
        shop = Shop(postgres, tmp_path)
        yield shop
        shop.close()
    finally:
        postgres.close()


def buy(shop: Shop, number: int, seed: int) -> tuple[str, str]:
    """A checkout and what became of it. Returns the order and its pack."""
    random = Random(seed + number)
    pack_id = random.choice(list(PACKS))
    with httpx.Client(timeout=30, trust_env=False, verify=False) as http:
        while True:
            asked = {"pack_id": pack_id, "user_id": f"storm_{number % 40}"}
            headers = {"Authorization": f"Bearer {shop.api.token}", "Idempotency-Key": f"storm {number}"}
            try:
                answer = http.post(f"{shop.api.url}/checkout", json=asked, headers=headers)
            except httpx.TransportError:
                continue  # the API was killed; the key gets the same order
            if answer.status_code != 503:
                break
            time.sleep(0.05)
    session = answer.raise_for_status().json()
    random.choice(LIVES)(shop, session, random)
    return session["order_id"], pack_id


def deliver(shop: Shop, told: Event) -> int:
    """Post an event until it is taken. Returns how many tries that took."""
    body = json.dumps(told)
    signature = stripe.WebhookSignature.generate_signature_header(body, SECRET)
    tries = 0
    with httpx.Client(timeout=30, trust_env=False, verify=False) as http:
        while True:
            tries += 1
            try:
                answer = http.post(
                    f"{shop.api.url}/webhooks/stripe", content=body, headers={"Stripe-Signature": signature}
                )
                if answer.is_success:
                    return tries
                assert answer.status_code >= 500, answer.text
            except httpx.TransportError:
                pass
            time.sleep(0.05)


def kill_now_and_then(shop: Shop, kills: int, over: Flag) -> None:
    for number in range(kills):
        if over.wait(0.8):
            return
        if number % 2:
            shop.kill_worker()
        else:
            shop.api.kill()


def models(events: list[Event], orders: dict[str, str]) -> dict[str, Payment]:
    """Each order as Stripe's list of events tells it."""
    of_intent: dict[str, str] = {}
    for told in events:
        thing = told["data"]["object"]
        if thing["object"] == "checkout.session" and thing["payment_intent"]:
            of_intent[thing["payment_intent"]] = thing["metadata"]["order_id"]
    payments = {
        order_id: Payment(PACKS[pack][1], Decimal(PACKS[pack][0])) for order_id, pack in orders.items()
    }
    for told in events:
        thing = told["data"]["object"]
        named = (
            (thing.get("metadata") or {}).get("order_id") if thing["object"] == "checkout.session" else None
        )
        order_id = named or of_intent.get(thing.get("payment_intent") or "")
        if order_id is not None:
            payments[order_id].deliver(told)
    return payments


def wait_for_the_end(shop: Shop, admin: psycopg.Connection[Any]) -> None:
    """Wait until the simulator has nothing left to deliver, and no event waits."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        left = admin.execute(
            "select count(*) from credits.stripe_events where outcome = 'waiting'"
        ).fetchone()
        if shop.pending() == 0 and left == {"count": 0}:
            return
        admin.execute("set role service_role")
        admin.execute("select api.maintain()")
        admin.execute("reset role")
        time.sleep(0.2)


def test_storm_of_payments_ends_as_stripe_tells_it(
    shop: Shop, long_form: bool, seed: int, say: Callable[[str], None]
) -> None:
    purchases, kills = (500, 5) if long_form else (40, 3)
    random, over = Random(seed), Flag()
    shop.begin_chaos(seed % 1000)
    killer = Thread(target=kill_now_and_then, args=(shop, kills, over))
    killer.start()
    with ThreadPoolExecutor(THREADS) as pool:
        orders = dict(pool.map(lambda number: buy(shop, number, seed), range(purchases)))
        events = shop.events()
        thrice = events * 3
        random.shuffle(thrice)
        tries = sum(pool.map(lambda told: deliver(shop, told), thrice))
    over.set()
    killer.join()
    shop.end_chaos()

    with psycopg.connect(shop.database_url, autocommit=True, row_factory=dict_row) as admin:
        wait_for_the_end(shop, admin)
        owed: dict[str, Decimal] = defaultdict(Decimal)
        for order_id, payment in models(shop.events(), orders).items():
            row = admin.execute(
                "select o.state, coalesce(o.paid, 0) as paid, o.reversed, o.reversal_pending, o.disputed,"
                " u.user_id"
                " from credits.orders as o cross join lateral credits.user_of(o.account_id) as u"
                " where o.order_id = %s",
                (order_id,),
            ).fetchone()
            assert row is not None
            user_id = row.pop("user_id")
            owed[user_id] += payment.granted - payment.share(payment.back)
            assert row == {
                "state": payment.state,
                "paid": payment.paid,
                "reversed": payment.back,
                "reversal_pending": payment.pending,
                "disputed": payment.disputed,
            }, [told["type"] for told in payment.events]
        balances = admin.execute("select user_id, balance from api.balance").fetchall()
        assert {row["user_id"]: row["balance"] for row in balances} == owed
        assert admin.execute("select * from audit.findings").fetchall() == []
        assert admin.execute("select event_id, parked_reason from audit.parked").fetchall() == []
    say(
        f"storm: RELIABILITY_SEED={seed}: {purchases} purchases, {len(events)} events, each three times"
        f" beside the simulator's own deliveries, {tries} tries from {THREADS} threads, {kills} kills"
    )
