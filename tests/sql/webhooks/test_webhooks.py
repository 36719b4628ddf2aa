"""Messages to products: who gets them, when they are tried again, and what an operator may do."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from callers import Caller, Row, at_once, refused, slugs
from holding import Bank

START = "2098-06-01 12:00Z"
GRANTED = "granted"


def endpoint(bank: Caller, *kinds: str, url: str = "https://shop.example/hook") -> Row:
    return bank.call("register_webhook", url=url, kinds=list(kinds) or None)


def grant(bank: Caller, user_id: str = "ada", tokens: int = 100, **more: Any) -> None:
    bank.call("add_tokens", user_id=user_id, tokens=tokens, **more)


def take(bank: Caller, number: int = 20) -> list[Row]:
    messages: list[Row] = bank.call("take_webhooks", max_messages=number)["messages"]
    return messages


def finish(bank: Caller, message: Row, status: int | None = 204, trouble: str | None = None) -> Row:
    names = ("account_id", "notice_id", "endpoint_id", "lease")
    named = {name: message[name] for name in names}
    return bank.call("finish_webhook", **named, http_status=status, trouble=trouble)


def states(bank: Caller) -> list[str]:
    return [row["state"] for row in bank.rows("select state from api.webhook_deliveries order by created_at")]


def test_notice_goes_to_every_endpoint_that_takes_its_kind(bank: Bank) -> None:
    all_kinds, grants, low = endpoint(bank), endpoint(bank, GRANTED), endpoint(bank, "low_balance")
    grant(bank)
    messages = take(bank)
    assert {message["endpoint_id"] for message in messages} == {
        str(all_kinds["endpoint_id"]),
        str(grants["endpoint_id"]),
    }
    assert len({message["message_id"] for message in messages}) == 1
    assert len({tuple(message["secrets"]) for message in messages}) == 2
    bank.rows("select credits.define_notice('low_balance', p_below => 60)")
    bank.call("consume_tokens", user_id="ada", module_id="whisper", usage={"calls": 2})
    assert {message["endpoint_id"] for message in take(bank)} == {
        str(all_kinds["endpoint_id"]),
        str(low["endpoint_id"]),
    }


def test_message_names_the_account_and_nobodys_address(bank: Bank) -> None:
    endpoint(bank, GRANTED)
    hashed = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"
    signed_up = bank.call("sign_up", email="bea@example.com", password_hash=hashed)
    grant(bank, signed_up["user_id"], package_name="Gift")
    (message,) = take(bank)
    body = bank.row("select %s::json as body", (message["body"],))["body"]
    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["timestamp"]) == (GRANTED, "2098-06-01T12:00:00+00:00")
    data = body["data"]
    assert data == {
        "account_id": message["account_id"],
        "user_id": signed_up["user_id"],
        "lot_id": 1,
        "source": "grant",
        "package_name": "Gift",
        "tokens": 100,
        "balance": 100,
    }
    assert "bea@example.com" not in message["body"]


def test_expired_and_depleted_tokens_are_told(bank: Bank) -> None:
    bank.rows("select credits.define_notice('depleted')")
    endpoint(bank)
    grant(bank, expires_at="2098-06-02 12:00Z")
    bank.at("2098-06-03 12:00Z")
    bank.call("maintain")
    kinds = [row["kind"] for row in bank.rows("select kind from api.webhook_deliveries")]
    assert sorted(kinds) == ["depleted", "expired", GRANTED]
    assert {finish(bank, message)["state"] for message in take(bank)} == {"delivered"}


def test_grants_are_told_only_where_an_endpoint_asks(bank: Bank) -> None:
    grant(bank)
    assert bank.rows("select from api.notices") == []
    assert take(bank) == []


def test_delivered_message_is_sent_no_more(bank: Bank) -> None:
    endpoint(bank)
    grant(bank)
    (message,) = take(bank)
    assert finish(bank, message) == {"state": "delivered", "due_at": None, "endpoint_state": "enabled"}
    assert finish(bank, message, 500)["state"] == "delivered"
    bank.at("2098-06-30 12:00Z")
    assert take(bank) == []


def test_message_of_a_worker_that_died_is_due_after_a_minute(bank: Bank) -> None:
    endpoint(bank)
    grant(bank)
    (first,) = take(bank)
    bank.at("2098-06-01 12:00:59Z")
    assert take(bank) == []
    bank.at("2098-06-01 12:01Z")
    (second,) = take(bank)
    assert second["message_id"] == first["message_id"]
    assert second["body"] == first["body"]
    # The first worker was only slow. Its failure counts for nothing, its success does.
    bank.at("2098-06-01 12:01:01Z")
    assert finish(bank, first, 500)["state"] == "pending"
    assert take(bank) == []
    assert finish(bank, first, 200)["state"] == "delivered"
    assert finish(bank, second, 500)["state"] == "delivered"


def test_failed_message_comes_again_later_and_later(bank: Bank) -> None:
    endpoint(bank)
    grant(bank)
    (message,) = take(bank)
    waits = []
    for _ in range(9):
        told = finish(bank, message, 503, "it answered 503")
        assert told["state"] == "pending"
        row = bank.row("select extract(epoch from %s - credits.clock()) as seconds", (told["due_at"],))
        waits.append(float(row["seconds"]))
        # Others succeed meanwhile, so the endpoint is not disabled.
        bank.rows("update credits.webhook_endpoints set failing_since = null returning 1")
        bank.at(str(told["due_at"]))
        (message,) = take(bank)
    assert waits == sorted(waits)
    assert 5 < waits[0] < 10
    assert 86_000 < waits[-1] < 110_000
    assert finish(bank, message, None, "no answer")["state"] == "failed"
    bank.at("2099-06-01 12:00Z")
    assert take(bank) == []
    row = bank.row("select tries, last_status, last_trouble from api.webhook_deliveries")
    assert row == {"tries": 10, "last_status": None, "last_trouble": "no answer"}


def test_endpoint_that_fails_for_days_is_disabled(bank: Bank) -> None:
    made = endpoint(bank)
    grant(bank)
    (message,) = take(bank)
    finish(bank, message, 500)
    bank.at("2098-06-06 11:00Z")
    (message,) = take(bank)
    assert finish(bank, message, 500)["endpoint_state"] == "enabled"
    bank.at("2098-06-06 13:00Z")
    (message,) = take(bank)
    assert finish(bank, message, 500)["endpoint_state"] == "disabled"
    row = bank.row("select state, reason, waiting from api.webhooks")
    assert row == {
        "state": "disabled",
        "reason": "it has taken no message since 2098-06-01T12:00:00+00:00",
        "waiting": 1,
    }
    # It gets nothing new. What waited goes out when it is enabled.
    grant(bank)
    bank.at("2098-06-10 12:00Z")
    assert take(bank) == []
    bank.call("enable_webhook", endpoint_id=made["endpoint_id"], reason="the host is back")
    assert [one["message_id"] for one in take(bank)] == [message["message_id"]]


def test_endpoint_that_is_gone_is_disabled_at_once(bank: Bank) -> None:
    endpoint(bank)
    grant(bank)
    (message,) = take(bank)
    assert finish(bank, message, 410)["endpoint_state"] == "disabled"
    assert "gone" in bank.row("select reason from api.webhooks")["reason"]


def test_one_success_forgives_the_failures_before_it(bank: Bank) -> None:
    endpoint(bank)
    grant(bank, "ada")
    grant(bank, "bob")
    first, second = take(bank)
    finish(bank, first, 500)
    finish(bank, second, 200)
    assert bank.row("select failing_since from api.webhooks")["failing_since"] is None


def test_failing_endpoint_does_not_keep_the_others_waiting(bank: Bank) -> None:
    down, up = endpoint(bank), endpoint(bank)
    for number in range(30):
        grant(bank, f"user {number}")
    (message, *_) = [one for one in take(bank, 20) if one["endpoint_id"] == str(down["endpoint_id"])]
    finish(bank, message, None, "no route")
    bank.at("2098-06-01 13:00Z")
    taken = [one["endpoint_id"] for one in take(bank, 20)]
    assert taken.count(str(down["endpoint_id"])) == 1
    assert taken.count(str(up["endpoint_id"])) == 10


def test_replay_sends_what_an_endpoint_missed_under_the_old_ids(bank: Bank) -> None:
    early = endpoint(bank)
    grant(bank)
    (message,) = take(bank)
    finish(bank, message)
    late = endpoint(bank)
    assert take(bank) == []
    told = bank.call("replay_webhook", endpoint_id=late["endpoint_id"], since="2098-06-01", reason="new")
    assert told["messages"] == 1
    (again,) = take(bank)
    assert (again["message_id"], again["endpoint_id"]) == (message["message_id"], str(late["endpoint_id"]))
    replay = partial(bank.call, "replay_webhook", endpoint_id=early["endpoint_id"], reason="lost")
    assert replay(since="2098-06-01")["messages"] == 0
    assert replay(since="2098-06-02", delivered=True)["messages"] == 0
    assert replay(since="2098-06-01", delivered=True)["messages"] == 1
    assert [one["message_id"] for one in take(bank)] == [message["message_id"]]


def test_disabled_endpoint_gets_what_it_missed_by_a_replay(bank: Bank) -> None:
    made = endpoint(bank)
    for _ in range(2):
        told = bank.call("disable_webhook", endpoint_id=made["endpoint_id"], reason="maintenance")
        assert (told["state"], told["reason"], told["secret"]) == ("disabled", "maintenance", None)
    grant(bank)
    told = bank.call("enable_webhook", endpoint_id=made["endpoint_id"], reason="done")
    assert (told["state"], told["reason"]) == ("enabled", None)
    assert take(bank) == []
    bank.call("replay_webhook", endpoint_id=made["endpoint_id"], since="2098-06-01", reason="catch up")
    assert len(take(bank)) == 1
    changes = bank.rows("select change, reason, actor from credits.webhook_changes order by change")
    assert [(row["change"], row["reason"]) for row in changes] == [
        ("disabled", "maintenance"),
        ("enabled", "done"),
        ("replayed", "catch up"),
    ]
    assert all(row["actor"] for row in changes)


def test_old_secret_signs_for_a_day_beside_the_new_one(bank: Bank) -> None:
    made = endpoint(bank)
    renewed = bank.call("renew_webhook_secret", endpoint_id=made["endpoint_id"], reason="it was mailed")
    grant(bank)
    (message,) = take(bank)
    assert message["secrets"] == [renewed["secret"], made["secret"]]
    bank.at("2098-06-02 12:00Z")
    (message,) = take(bank)
    assert message["secrets"] == [renewed["secret"]]


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "https://",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://Shop.example/",
        "https://shop.example:x/",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://shop.example\\@evil.example/",
        "https://-shop.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://10.0.0.1/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "https://shop.example/" + "x" * 500,
        "",
    ],
)
def test_url_is_https_or_this_machine(bank: Bank, url: str) -> None:
    with refused("bad_webhook"):
        bank.call("register_webhook", url=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example:8443/hook/1?a=b&c=%20",
        "http://127.0.0.1:8080/",
        "http://localhost:8080/hook",
        "http://[::1]:8080/",
        "https://[2001:db8::1]/",
    ],
)
def test_good_urls_are_taken(bank: Bank, url: str) -> None:
    assert bank.call("register_webhook", url=url)["url"] == url


@pytest.mark.parametrize("kinds", [[], ["nonsense"], ["granted", None], ["Granted"]])
def test_unknown_kinds_are_refused(bank: Bank, kinds: list[str | None]) -> None:
    with refused("bad_webhook") as facts:
        bank.call("register_webhook", url="https://shop.example/", kinds=kinds)
    assert GRANTED in facts["kinds"]


def test_every_kind_that_the_bank_writes_is_listed(bank: Bank) -> None:
    """A new kind of notice needs a line in credits.notice_kinds, or no endpoint can ask for it."""
    calls = r"put_(?:notice|for_products)\(\s*[\w.]+,\s*'(\w+)'"
    rows = bank.rows(
        "select distinct m[1] as kind from pg_proc as p cross join regexp_matches(p.prosrc, %s, 'g') as m"
        " where p.pronamespace = 'credits'::regnamespace",
        (calls,),
    )
    written = {row["kind"] for row in rows}
    assert {"low_balance", "depleted", "expiring_soon", "granted", "expired"} <= written
    assert written <= {row["kind"] for row in bank.rows("select kind from credits.notice_kinds")}


def test_reason_is_not_empty(bank: Bank) -> None:
    made = endpoint(bank)
    for reason in ("", "  ", "\n"):
        with refused("bad_reason"):
            bank.call("disable_webhook", endpoint_id=made["endpoint_id"], reason=reason)


def test_old_deliveries_are_forgotten_and_can_be_replayed(bank: Bank) -> None:
    made = endpoint(bank)
    grant(bank)
    (message,) = take(bank)
    finish(bank, message)
    bank.at("2098-07-01 12:00Z")
    bank.call("maintain")
    assert states(bank) == ["delivered"]
    bank.at("2098-07-07 12:00Z")
    bank.call("maintain")
    assert states(bank) == []
    bank.call("replay_webhook", endpoint_id=made["endpoint_id"], since="2098-06-01", reason="lost")
    assert [one["message_id"] for one in take(bank)] == [message["message_id"]]


def test_workers_at_once_take_different_messages(town: Any) -> None:
    made = endpoint(town.service)
    for number in range(40):
        grant(town.service, f"worker {number}")
    workers = [town.someone("service_role") for _ in range(4)]
    taken: list[str] = []
    for _ in range(4):
        answers = at_once([partial(take, worker, 10) for worker in workers])
        assert slugs(answers) == []
        taken += [message["message_id"] for answer in answers for message in answer]
    assert len(taken) == len(set(taken)) == 40
    town.service.call("disable_webhook", endpoint_id=made["endpoint_id"], reason="the test is over")


def test_rolled_back_grant_tells_nobody(bank: Bank) -> None:
    endpoint(bank)
    with bank.connection.transaction(force_rollback=True):
        grant(bank)
    assert take(bank) == []


def test_users_neither_see_nor_change_webhooks(bank: Bank) -> None:
    endpoint(bank)
    grant(bank, "clock")
    user = bank.user()
    for query in ("select * from api.webhooks", "select * from api.webhook_deliveries"):
        with pytest.raises(Exception, match="permission denied"):
            user.rows(query)
    with pytest.raises(Exception, match="permission denied"):
        user.call("take_webhooks")
