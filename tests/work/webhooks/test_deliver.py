"""From the bank to the product: sent once, sent again after a failure, and by several workers at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from callers import Caller, at_once, slugs
from standardwebhooks import Webhook
from support import PASSWORD

from pgcredits.database_urls import as_login
from pgcredits.networks import Networks
from pgcredits.work.settings import WorkSettings
from pgcredits.work.webhooks.deliver import Webhooks

HERE = Networks(["127.0.0.0/8"])


@pytest.fixture
def bank(own_url: str) -> Iterator[Caller]:
    """The service. What a test has left in the queue is not sent by the next one."""
    with psycopg.connect(own_url, autocommit=True) as connection:
        yield Caller(connection, "none")
        connection.execute("update credits.webhook_deliveries set state = 'failed' where state = 'pending'")
        connection.execute("truncate credits.webhook_secrets, credits.webhook_changes")
        connection.execute("delete from credits.webhook_deliveries")
        connection.execute("delete from credits.webhook_endpoints")


def working(own_url: str, allowed: Networks = HERE) -> Webhooks:
    url = as_login(own_url, "pgcredits_service", PASSWORD)
    return Webhooks(WorkSettings(url, webhook_networks=allowed))


@pytest.fixture
def worker(own_url: str) -> Iterator[Webhooks]:
    worker = working(own_url)
    yield worker
    worker.close()


def register(bank: Caller, port: int, *kinds: str) -> Any:
    return bank.call("register_webhook", url=f"http://127.0.0.1:{port}/", kinds=list(kinds) or None)


def grant(bank: Caller, user_id: str, tokens: int = 100) -> None:
    bank.call("add_tokens", user_id=user_id, tokens=tokens)


def due_now(bank: Caller) -> None:
    bank.rows("update credits.webhook_deliveries set due_at = now() where state = 'pending' returning 1")


def test_message_is_sent_once(bank: Caller, worker: Webhooks, product: Any, port: int) -> None:
    made = register(bank, port)
    grant(bank, "ada")
    assert worker.do_some() == 1
    assert worker.do_some() == 0
    ((_, headers, body),) = product.got
    told = Webhook(made["secret"]).verify(body, headers)
    assert (told["type"], told["data"]["user_id"], told["data"]["tokens"]) == ("granted", "ada", 100)
    row = bank.row("select message_id, state, last_status from api.webhook_deliveries")
    assert row == {"message_id": headers["webhook-id"], "state": "delivered", "last_status": 204}


def test_failed_message_is_sent_again_with_its_id(
    bank: Caller, worker: Webhooks, product: Any, port: int
) -> None:
    made = register(bank, port)
    grant(bank, "bob")
    product.status = 500
    assert worker.do_some() == 1
    assert worker.do_some() == 0
    row = bank.row("select state, tries, last_status, last_trouble from api.webhook_deliveries")
    assert row == {"state": "pending", "tries": 1, "last_status": 500, "last_trouble": "it answered 500"}
    due_now(bank)
    product.status = 200
    assert worker.do_some() == 1
    (_, first, body), (_, second, again) = product.got
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    Webhook(made["secret"]).verify(again, second)
    assert bank.row("select state from api.webhook_deliveries")["state"] == "delivered"


def test_private_address_is_refused_and_recorded(bank: Caller, own_url: str, product: Any, port: int) -> None:
    register(bank, port)
    grant(bank, "cleo")
    careful = working(own_url, Networks())
    assert careful.do_some() == 1
    careful.close()
    assert product.got == []
    row = bank.row("select state, last_status, last_trouble from api.webhook_deliveries")
    assert (row["state"], row["last_status"]) == ("pending", None)
    assert "not a public address" in row["last_trouble"]


def test_workers_at_once_send_each_message_once(bank: Caller, own_url: str, product: Any, port: int) -> None:
    register(bank, port)
    for number in range(60):
        grant(bank, f"crowd {number}")
    workers = [working(own_url) for _ in range(4)]
    try:
        sent = 0
        for _ in range(8):
            answers = at_once([worker.do_some for worker in workers])
            assert slugs(answers) == []
            sent += sum(answers)
    finally:
        for one in workers:
            one.close()
    ids = [headers["webhook-id"] for _, headers, _ in product.got]
    assert len(ids) == len(set(ids)) == sent == 60


def test_message_that_arrived_and_was_not_reported_comes_again(
    bank: Caller, worker: Webhooks, product: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker was killed between the answer and its report."""
    register(bank, port)
    grant(bank, "dora")
    monkeypatch.setattr(worker, "_report", lambda outcome: None)
    assert worker.do_some() == 1
    monkeypatch.undo()
    assert worker.do_some() == 0
    due_now(bank)
    assert worker.do_some() == 1
    first, second = (headers["webhook-id"] for _, headers, _ in product.got)
    assert first == second
    assert bank.row("select state, tries from api.webhook_deliveries") == {"state": "delivered", "tries": 2}


def test_product_reacts_to_a_low_balance(bank: Caller, worker: Webhooks, product: Any, port: int) -> None:
    """The product hears that the balance is low, checks who says so, and grants."""
    made = register(bank, port, "low_balance")
    bank.rows("select credits.define_notice('low_balance', p_below => 60)")
    grant(bank, "eve")
    bank.call("consume_tokens", user_id="eve", module_id="whisper", usage={"calls": 2})
    assert worker.do_some() == 1
    ((_, headers, body),) = product.got
    told = Webhook(made["secret"]).verify(body, headers)
    assert told["type"] == "low_balance"
    assert told["data"] | {"balance": 50, "threshold": 60, "user_id": "eve"} == told["data"]
    known = {"idempotency_key": headers["webhook-id"]}
    for _ in range(2):  # it may come twice
        bank.call("add_tokens", user_id=json.loads(body)["data"]["user_id"], tokens=100, **known)
    row = bank.row("select balance from api.balance where user_id = 'eve'")
    assert row["balance"] == 150
