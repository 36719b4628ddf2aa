"""Tags of charges and holds: what they may be, and which entries have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, refused
from holding import Bank
from psycopg.types.json import Jsonb

User = Callable[..., Caller]
TAGS = {"conversation": "c-17", "job": "42", "api_key": "k1", "feature": "chat"}


def tags_of(caller: Caller, kind: str = "spend") -> list[Any]:
    rows = caller.rows("select tags from api.entries where kind = %s order by seq", (kind,))
    return [row["tags"] for row in rows]


def sound(admin: Connection, caller: Caller) -> None:
    found = admin.execute(
        f"select f.* from ({BOOKS}) as f join credits.identities as i using (account_id)"
        " where i.subject = %s",
        (caller.user_id,),
    )
    assert found.fetchall() == []


def test_each_way_to_charge_keeps_the_tags(user: User, service: Caller, admin: Connection) -> None:
    ada = user(1000)
    whisper = {"user_id": ada.user_id, "module_id": "whisper"}
    ada.call("consume_tokens", module_id="whisper", tags=TAGS)
    service.call("consume_tokens", **whisper, byok=True, tags=TAGS)
    service.call(
        "consume_call", **whisper, module_name="Whisper", tokens_to_consume=25, tags={"feature": "call"}
    )
    # Items that one statement charges, and items that go one by one.
    items = [whisper | {"tags": {"job": "1"}}, whisper, whisper | {"tags": None}, whisper | {"tags": {}}]
    items += [whisper | {"tags": {"job": "2"}, "byok": True}, whisper | {"tags": {"job": "3"}}]
    receipt = service.call("consume_tokens_batch", items=Jsonb(items))
    assert (receipt["accepted"], receipt["refused"]) == (6, 0)
    assert tags_of(ada) == [TAGS, {"feature": "call"}, {"job": "1"}, None, None, None, {"job": "3"}]
    assert tags_of(ada, "byok") == [TAGS, {"job": "2"}]
    used = ada.rows("select tags from api.usage where tags ->> 'job' = '42' order by used_at")
    assert [row["tags"] for row in used] == [TAGS, TAGS]
    sound(admin, ada)


def test_no_tags_and_empty_tags_are_stored_alike(user: User) -> None:
    ada = user(100)
    first = ada.call("consume_tokens", module_id="whisper", tags={}, idempotency_key="k")
    again = ada.call("consume_tokens", module_id="whisper", idempotency_key="k")
    assert again == first | {"replayed": True}
    assert tags_of(ada) == [None]


def test_each_charge_of_a_hold_has_its_tags(user: User, service: Caller, admin: Connection) -> None:
    ada = user(1000)
    hold = {"module_id": "whisper", "user_id": ada.user_id, "usage": {"calls": 4}}
    name = service.call("hold_tokens", **hold, tags=TAGS)["hold_id"]
    assert ada.row("select tags from api.holds")["tags"] == TAGS
    service.call("capture_hold", hold_id=name, usage={"calls": 1}, final=False)
    service.call("capture_hold", hold_id=name, usage={"calls": 2})
    late = service.call("hold_tokens", **hold, ttl="1 microsecond", tags={"job": "late"})["hold_id"]
    assert service.call("capture_hold", hold_id=late)["late"] is True
    plain = service.call("hold_tokens", **hold)["hold_id"]
    service.call("capture_hold", hold_id=plain)
    assert tags_of(ada) == [TAGS, TAGS, {"job": "late"}, None]
    sound(admin, ada)


def test_refund_has_the_tags_of_its_charge(user: User, service: Caller, admin: Connection) -> None:
    ada = user(1000)
    tagged = service.call("consume_tokens", user_id=ada.user_id, module_id="whisper", tags=TAGS)
    plain = service.call("consume_tokens", user_id=ada.user_id, module_id="whisper")
    service.call("refund_usage", entry_id=tagged["entry_id"], tokens=5)
    service.call("refund_usage", entry_id=plain["entry_id"])
    assert tags_of(ada, "refund") == [TAGS, None]
    sound(admin, ada)


@pytest.mark.parametrize("function", ["consume_tokens", "hold_tokens"])
def test_key_with_other_tags_is_refused(function: str, user: User) -> None:
    ada = user(100)
    call = {"module_id": "metube", "idempotency_key": "k"}
    first = ada.call(function, **call, tags={"job": "1", "feature": "chat"})
    again = ada.call(function, **call, tags={"feature": "chat", "job": "1"})
    assert again["replayed"] is True
    assert {**first, "replayed": True} == again
    for other in ({"job": "2", "feature": "chat"}, {"job": "1"}, {}, None):
        with refused("key_reused"):
            ada.call(function, **call, tags=other)


BAD_TAGS = {
    "array": "[]",
    "JSON null": "null",
    "text": '"chat"',
    "number": "1",
    "number as a value": '{"job": 42}',
    "null as a value": '{"job": null}',
    "object as a value": '{"job": {"id": "42"}}',
    "empty value": '{"job": ""}',
    "long value": '{"job": "' + "x" * 101 + '"}',
    "line break": r'{"job": "1\n2"}',
    "change of direction": r'{"job": "\u202e42"}',
    "empty name": '{"": "42"}',
    "long name": '{"' + "x" * 41 + '": "42"}',
    "space around a name": '{" job": "42"}',
    "invisible name": r'{"jo\u200bb": "42"}',
    "nine tags": "{" + ", ".join(f'"t{n}": "v"' for n in range(9)) + "}",
    "3 kB": "{" + ", ".join(f'"t{n}": "{"€" * 100}"' for n in range(8)) + "}",
}
GOOD_TAGS = {
    "most": {f"{'n' * 39}{n}": "v" * 100 for n in range(8)},
    "unicode": {"Gespräch 😀": "Übersicht → «1»", "api.key/2": " spaces  stay "},
}


@pytest.mark.parametrize("tags", BAD_TAGS.values(), ids=BAD_TAGS)
def test_tags_are_a_few_small_texts(tags: str, user: User, service: Caller) -> None:
    ada = user(100)
    for caller, function in ((ada, "consume_tokens"), (service, "hold_tokens")):
        with refused("bad_tags"):
            caller.call(function, module_id="metube", user_id=ada.user_id, tags=tags)
    if tags != "null":  # in an item it means no tags
        items = f'[{{"user_id": "{ada.user_id}", "module_id": "metube", "tags": {tags}}}]'
        (verdict,) = service.call("consume_tokens_batch", items=items)["verdicts"]
        assert (verdict["ok"], verdict["code"], verdict["error"]) == (False, "PT422", "bad_tags")
    assert ada.balance() == 100


@pytest.mark.parametrize("tags", GOOD_TAGS.values(), ids=GOOD_TAGS)
def test_largest_and_oddest_tags_are_kept_as_they_come(
    tags: dict[str, str], user: User, service: Caller
) -> None:
    ada = user(100)
    ada.call("consume_tokens", module_id="metube", tags=tags)
    item = {"user_id": ada.user_id, "module_id": "metube", "tags": tags}
    assert service.call("consume_tokens_batch", items=Jsonb([item]))["accepted"] == 1
    assert tags_of(ada) == [tags, tags]


# Sums


def sums(caller: Caller, view: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = caller.rows(f"select {', '.join(columns)} from {view} order by name, value, day, module_id")
    return [tuple(row.values()) for row in rows]


def test_sums_per_tag_are_net_and_only_of_what_one_may_see(bank: Bank) -> None:
    """Analysts see the tags that services gave, and none that users wrote."""
    january, february = date(2027, 1, 31), date(2027, 2, 1)
    bank.at("2027-01-31 23:00Z")
    for user_id in ("ada", "bob"):
        bank.call("add_tokens", user_id=user_id, tokens=1000)
    bank.rows("insert into credits.analyst_grants (login, segment) values (session_user, '*') returning 1")
    whisper = {"module_id": "whisper", "user_id": "ada"}
    own = {"chat": "of ada <ada@example.com>"}
    entry = bank.call("consume_tokens", **whisper, tags={"job": "1", "feature": "chat"})["entry_id"]
    bank.call("consume_tokens", **whisper, byok=True, tags={"job": "1"})
    bank.call("consume_tokens", **whisper)
    bank.call("consume_tokens", **whisper | {"user_id": "bob"}, tags={"feature": "chat"})
    hold = bank.call("hold_tokens", **whisper, usage={"calls": 4}, tags={"job": "2"})["hold_id"]
    bank.call("capture_hold", hold_id=hold, usage={"calls": 1}, final=False)
    users = bank.user("ada").call("consume_tokens", module_id="metube", tags=own)["entry_id"]
    users_hold = bank.user("ada").call("hold_tokens", module_id="metube", tags=own)["hold_id"]
    bank.call("capture_hold", hold_id=users_hold)
    bank.at("2027-02-01 01:00Z")
    bank.call("capture_hold", hold_id=hold, usage={"calls": 2})
    bank.call("refund_usage", entry_id=entry, tokens=10)
    bank.call("refund_usage", entry_id=users, tokens=5)

    own_rows = [
        ("chat", own["chat"], january, "metube", 2, 20),
        ("chat", own["chat"], february, "metube", 0, -5),
        ("feature", "chat", january, "whisper", 1, 25),
        ("feature", "chat", february, "whisper", 0, -10),
        ("job", "1", january, "whisper", 2, 25),
        ("job", "1", february, "whisper", 0, -10),
        ("job", "2", january, "whisper", 1, 25),
        ("job", "2", february, "whisper", 0, 50),
    ]
    columns = ("name", "value", "day", "module_id", "uses", "tokens")
    assert sums(bank.user("ada"), "api.usage_by_tag", *columns) == own_rows
    bobs = ("feature", "chat", january, "whisper", 1, 25)
    assert sums(bank.user("bob"), "api.usage_by_tag", *columns) == [bobs]
    seen = sums(bank, "api.usage_by_tag", "user_id", *columns)
    assert sorted(seen) == sorted([("bob", *bobs), *(("ada", *row) for row in own_rows)])

    analyst = Caller(bank.connection, "analyst")
    assert sums(analyst, "analytics.usage_by_tag", *columns, "accounts") == [
        ("feature", "chat", january, "whisper", 2, 50, 2),
        ("feature", "chat", february, "whisper", 0, -10, 0),
        ("job", "1", january, "whisper", 2, 25, 1),
        ("job", "1", february, "whisper", 0, -10, 0),
        ("job", "2", january, "whisper", 1, 25, 1),
        ("job", "2", february, "whisper", 0, 50, 0),
    ]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        Caller(bank.connection, "spender").rows("select * from api.usage_by_tag")
    bank.sound()
