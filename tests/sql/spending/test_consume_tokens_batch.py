"""Many charges in one call, atomic or each by itself. Each equals a single call, to the digit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import (
    BOOKS,
    Caller,
    Connection,
    Row,
    at_once,
    findings,
    open_account,
    refused,
    slugs,
    steady,
    stop_clock,
)
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]
Item = dict[str, Any]


def batch(caller: Caller, *items: Any, **options: Any) -> list[Row]:
    """The verdicts."""
    answer = caller.call("consume_tokens_batch", items=Jsonb(list(items)), **options)
    verdicts: list[Row] = answer["verdicts"]
    assert answer["accepted"] == sum(verdict["ok"] for verdict in verdicts)
    assert answer["refused"] == len(verdicts) - answer["accepted"]
    return verdicts


def patient_batch(caller: Caller, *items: Any) -> list[Row]:
    """The verdicts. Sends an item again when another batch has locked its wallet for too long."""
    verdicts = batch(caller, *items)
    for _ in range(20):
        late = [place for place, verdict in enumerate(verdicts) if verdict.get("error") == "busy"]
        if not late:
            break
        for place, verdict in zip(late, batch(caller, *(items[place] for place in late)), strict=True):
            verdicts[place] = verdict
    return verdicts


def use(caller: Caller, module_id: str = "metube", **more: Any) -> Item:
    return {"user_id": caller.user_id, "module_id": module_id} | more


def entries(caller: Caller) -> int:
    return int(caller.row("select count(*) from api.entries")["count"])


def test_verdicts_come_in_the_order_of_the_items(user: User, service: Caller, admin: Connection) -> None:
    ada, bob = user(30), user(15)
    verdicts = batch(
        service,
        use(bob, metadata={"job": 1}),
        use(ada, "whisper"),
        use(bob),
        use(ada) | {"module_id": None},
        {"user_id": "nobody of that name", "module_id": "metube"},
        use(ada, usage={"seconds": 1}),
        use(bob, usage={"calls": "0.5"}),
        use(bob, usage={"calls": 0.5}),
        use(ada, byok=True),
    )
    assert [verdict["ok"] for verdict in verdicts] == [True, True, *[False] * 6, True]
    account = verdicts[0]["entry_id"].split(":")[0]
    assert verdicts[0] == {
        "ok": True,
        "entry_id": f"{account}:2",
        "user_id": bob.user_id,
        "module_id": "metube",
        "cost": 10,
        "balance": 5,
        "draws": [{"lot_id": 1, "tokens": 10}],
        "replayed": False,
        "price_source": "category",
        "refunded": 0,
    }
    assert verdicts[2] == {
        "ok": False,
        "code": "PT402",
        "error": "insufficient_tokens",
        "message": "not enough tokens",
        "balance": 5,
        "available": 5,
        "cost": 10,
        "missing": 5,
        "affordable": 0,
    }
    assert [verdict.get("error") for verdict in verdicts[3:8]] == [
        "unknown_module",
        "unknown_user",
        "bad_usage",
        "bad_usage",
        "bad_usage",
    ]
    assert (ada.balance(), bob.balance()) == (5, 5)
    assert ada.rows("select kind, tokens from api.entries where seq > 1 order by seq") == [
        {"kind": "spend", "tokens": -25},
        {"kind": "byok", "tokens": 0},
    ]
    assert bob.row("select metadata from api.usage where metadata <> '{}'")["metadata"] == {"job": 1}
    _sound(admin, ada, bob)


def _sound(admin: Connection, *people: Caller) -> None:
    found = admin.execute(
        f"select f.* from ({BOOKS}) as f join credits.identities as i using (account_id)"
        " where i.subject = any (%s)",
        ([each.user_id for each in people],),
    )
    assert found.fetchall() == []


@pytest.mark.parametrize(
    "item",
    [
        None,
        5,
        "metube",
        [],
        ["user_id"],
        {"usge": {"calls": 2}},
        {"user_id": 5},
        {"module_id": 5},
        {"module_id": ["metube"]},
        {"idempotency_key": 5},
        {"idempotency_key": {}},
        {"byok": "yes"},
        {"byok": 1},
        {"expected_cost": 1},
    ],
    ids=json.dumps,
)
def test_malformed_item_harms_no_other(item: Any, user: User, service: Caller) -> None:
    ada = user(100)
    odd = use(ada) | item if isinstance(item, dict) else item
    first, second, third = batch(service, use(ada), odd, use(ada))
    assert (second["ok"], second["code"], second["error"]) == (False, "PT422", "bad_items")
    assert (first["balance"], third["balance"]) == (90, 80)


@pytest.mark.parametrize("items", [{}, [], None, "x", 5, [{}] * 1001], ids=lambda items: str(items)[:20])
def test_malformed_batch_is_refused(items: Any, service: Caller) -> None:
    with refused("bad_items"):
        service.call("consume_tokens_batch", items=Jsonb(items))
    with refused("bad_items"):
        service.call("consume_tokens_batch", items=None)


def test_batches_are_for_services(user: User, api_login: Connection) -> None:
    ada = user(100)
    for role in ("authenticated", "anon"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            batch(Caller(api_login, role, ada.user_id), use(ada))


def test_thousand_items_of_one_account_are_charged(user: User, service: Caller, admin: Connection) -> None:
    ada = user(9_000)
    verdicts = batch(service, *(use(ada, idempotency_key=f"k{number}") for number in range(1000)))
    assert [verdict["ok"] for verdict in verdicts] == [True] * 900 + [False] * 100
    assert [verdict["balance"] for verdict in verdicts[:900]] == list(range(8990, -1, -10))
    assert ada.balance() == 0
    _sound(admin, ada)


# Keys


def test_key_is_the_same_in_a_call_and_in_a_batch(user: User, service: Caller) -> None:
    ada = user(100)
    call = use(ada, usage={"calls": 2}, metadata={"a": 1}, idempotency_key="k")
    first = service.call("consume_tokens", **call)
    (again,) = batch(service, call)
    assert again == {"ok": True} | first | {"replayed": True}
    late = use(ada, idempotency_key="l")
    (one,) = batch(service, late)
    assert {"ok": True} | service.call("consume_tokens", **late) == one | {"replayed": True}
    for other in ({"usage": {"calls": 3}}, {"metadata": {}}, {"byok": True}, {"module_id": "whisper"}):
        (verdict,) = batch(service, call | other)
        assert verdict["error"] == "key_reused"
    assert ada.balance() == 70


def test_key_twice_in_a_batch_is_one_charge(user: User, service: Caller) -> None:
    ada, bob = user(100), user(100)
    verdicts = batch(
        service,
        use(ada, idempotency_key="k"),
        use(bob, idempotency_key="k"),
        use(ada, idempotency_key="k"),
        use(ada, "whisper", idempotency_key="k"),
        use(ada, idempotency_key="k"),
    )
    assert verdicts[2] == verdicts[4] == verdicts[0] | {"replayed": True}
    assert verdicts[3]["error"] == "key_reused"
    assert verdicts[1]["replayed"] is False
    assert (ada.balance(), bob.balance()) == (90, 90)


def test_refusal_leaves_no_key_within_the_batch_either(user: User, service: Caller) -> None:
    ada = user(20)
    verdicts = batch(
        service,
        use(ada, "whisper", idempotency_key="k"),
        use(ada, idempotency_key="k"),
        use(ada, "whisper", idempotency_key="l"),
    )
    assert [verdict["ok"] for verdict in verdicts] == [False, True, False]
    service.call("add_tokens", user_id=ada.user_id, tokens=15)
    assert batch(service, use(ada, "whisper", idempotency_key="l"))[0]["balance"] == 0


def test_repeated_batch_is_answered_and_not_charged(user: User, service: Caller) -> None:
    people = [user(100) for _ in range(5)]
    items = [use(people[n % 5], idempotency_key=f"k{n}") for n in range(20)]
    first = batch(service, *items)
    again = batch(service, *items)
    assert again == [verdict | {"replayed": True} for verdict in first]
    assert [each.balance() for each in people] == [60] * 5


# Plain items, which one statement charges


def plain(admin: Connection, items: list[Item]) -> list[bool]:
    """Which of the items one statement would charge. Nothing is written."""
    with admin.transaction(force_rollback=True):
        row = admin.execute(
            "select credits.spend_plain(%(items)s, array(select (select i.account_id from credits.identities"
            " as i where i.subject = x.item ->> 'user_id') from jsonb_array_elements(%(items)s)"
            " with ordinality as x (item, place) order by x.place), clock_timestamp())",
            {"items": Jsonb(items)},
        ).fetchone()
    assert row is not None
    return [verdict is not None for verdict in row[0]]


def test_plain_items_are_charged_by_one_statement(user: User, service: Caller, admin: Connection) -> None:
    ada, bob = user(100), user(100)
    batch(service, use(ada, idempotency_key="known"), use(bob))
    good = [
        use(ada, idempotency_key="k"),
        use(bob, idempotency_key="k"),
        use(ada, usage={"calls": 2}, metadata={"job": 1}, tags={"job": "1"}, idempotency_key="l"),
        use(ada, "whisper", idempotency_key="m"),
    ]
    assert plain(admin, good) == [True] * 4
    for odd in (
        use(ada, byok=True),
        use(ada, idempotency_key="k"),
        use(ada, idempotency_key="known"),
        use(ada, usage={"calls": 100}),
        use(ada, usage={"calls": 0}),
        use(ada, usage={"days": 1}),
        use(ada, metadata=[]),
        use(ada, tags={"job": 1}),
        use(ada, "") | {"usge": {}},
    ):
        assert plain(admin, [good[0], odd, good[3], good[1]]) == [True, False, False, True]
    verdicts = batch(service, *good, good[0], use(ada, idempotency_key="n"))
    assert [verdict["replayed"] for verdict in verdicts] == [False] * 4 + [True, False]
    assert (ada.balance(), bob.balance()) == (25, 80)
    _sound(admin, ada, bob)


def test_verdicts_of_both_ways_are_spelled_alike(user: User, service: Caller, admin: Connection) -> None:
    ada = user(100)
    batch(service, use(ada))
    items = [use(ada), use(ada, usage={"calls": "x"}), use(ada)]
    assert plain(admin, items) == [True, False, False]
    row = service.row(
        "select v.verdicts::text as sent, v.verdicts::jsonb::text as canonical"
        " from api.consume_tokens_batch(%s) as v",
        (Jsonb(items),),
    )
    assert row["sent"] == row["canonical"]


# All or nothing


def test_atomic_batch_is_charged_whole_or_not_at_all(user: User, service: Caller) -> None:
    ada, bob = user(100), user(25)
    items = [
        use(ada, idempotency_key="k"),
        use(bob),
        use(bob),
        use(ada, ""),
        use(bob),
    ]
    with refused("unknown_module") as facts:
        batch(service, *items, atomic=True)
    assert facts["index"] == 3
    with refused("insufficient_tokens") as facts:
        batch(service, *items[:3], items[4], atomic=True)
    assert facts == {
        "error": "insufficient_tokens",
        "index": 3,
        "balance": 5,
        "available": 5,
        "cost": 10,
        "missing": 5,
        "affordable": 0,
    }
    assert (ada.balance(), bob.balance(), entries(ada), entries(bob)) == (100, 25, 1, 1)
    assert [verdict["replayed"] for verdict in batch(service, *items[:3], atomic=True)] == [False] * 3
    assert [verdict["replayed"] for verdict in batch(service, items[0], atomic=True)] == [True]
    assert (ada.balance(), bob.balance()) == (90, 5)


@pytest.mark.parametrize(
    ("item", "slug"),
    [
        ({"user_id": None}, "bad_user"),
        ({"user_id": "nobody of that name"}, "unknown_user"),
        ({"module_id": None}, "unknown_module"),
        ({"usage": {"pages": 1}}, "bad_usage"),
        ({"metadata": []}, "bad_metadata"),
        ({"idempotency_key": ""}, "bad_key"),
        ({"nothing": 1}, "bad_items"),
    ],
)
def test_atomic_batch_is_refused_as_the_item_would_be(
    item: Item, slug: str, user: User, service: Caller
) -> None:
    ada = user(100)
    with refused(slug) as facts:
        batch(service, use(ada), use(ada) | item, atomic=True)
    assert facts["index"] == 1
    assert ada.balance() == 100


# One after the other


# Most items are good ones, of few users: what matters is what one charge leaves for the next.
_good = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(["ada", "ada", "ada", "bob", "eve"]),
        "module_id": st.sampled_from(["metube", "metube", "whisper", "stablediffusion"]),
    },
    optional={
        "usage": st.one_of(st.sampled_from([0.1, 0.5, 1, 2]), st.decimals("0", "2", places=6).map(float)).map(
            lambda calls: {"calls": calls}
        ),
        "metadata": st.sampled_from([{}, {"job": 1}]),
        "tags": st.sampled_from([{}, {"job": "1"}, {"job": "2"}]),
    },
)
_odd = st.sampled_from(
    [
        {"user_id": "nobody"},
        {"user_id": None},
        {"user_id": "ice"},
        {"module_id": "other"},
        {"module_id": ""},
        {"module_id": None},
        {"usage": []},
        {"usage": {"days": 1}},
        {"usage": {"calls": None}},
        {"metadata": []},
        {"tags": {"job": 1}},
        {"idempotency_key": ""},
        {"byok": True},
        {"byok": None},
        *[{"idempotency_key": key} for key in "kklm"],
    ]
)
_items = st.one_of(_good, _good, _good, st.builds(lambda good, odd: good | odd, _good, _odd))
_lots = st.fixed_dictionaries(
    {"tokens": st.one_of(st.integers(5, 90), st.decimals("0.000001", "60", places=6))},
    optional={
        "priority": st.sampled_from([5, 20, 50]),
        "scope": st.sampled_from(["any", "any", "module:whisper", "category:video"]),
        "expires_at": st.sampled_from(["2031-06-01 00:00Z", "2031-06-02 00:00Z"]),
    },
)
_worlds = st.fixed_dictionaries(
    {
        "lots": st.fixed_dictionaries(
            {
                "ada": st.lists(_lots, min_size=2, max_size=5),
                "bob": st.lists(_lots, min_size=1, max_size=3),
                "eve": st.lists(_lots, max_size=2),
            }
        ),
        "limits": st.sampled_from([None, None, 30, 60]),
        "notices": st.sampled_from([(), ("p_below => 40",), ("p_percent => 50",)]),
        "holds": st.sampled_from([0, 0, 1]),
        "debt": st.sampled_from([0, 0, 3]),
    }
)
_chunks = st.lists(
    st.one_of(st.lists(_items, min_size=5, max_size=12), st.lists(_items, min_size=2, max_size=5), _items),
    min_size=2,
    max_size=5,
)
_numbers = count()


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("set jit = off")  # of Debian: it would take longer than the audit itself
        connection.autocommit = False
        yield connection


class World:
    """Accounts of known names, behind a prefix of their own."""

    def __init__(self, bank: Caller, plan: dict[str, Any]) -> None:
        self.bank = bank
        self.prefix = f"{next(_numbers)} "
        for name, lots in plan["lots"].items():
            account = open_account(bank, self.prefix + name)
            for lot in lots:
                bank.call("add_tokens", user_id=self.prefix + name, **lot)
            if plan["limits"]:
                bank.call("set_spend_limit", user_id=self.prefix + name, period="day", tokens=plan["limits"])
            if plan["holds"] and sum(lot["tokens"] for lot in lots if not lot.get("scope")) >= 10:
                bank.call("hold_tokens", user_id=self.prefix + name, module_id="metube", ttl="24 hours")
            if plan["debt"] and name == "bob":
                self._owe(account, plan["debt"])
        bank.rows(
            "update credits.wallets set status = 'frozen' where account_id = %s returning 1",
            (open_account(bank, f"{self.prefix}ice"),),
        )

    def _owe(self, account: Any, debt: int) -> None:
        """A charge that no lot pays."""
        self.bank.row("select credits.lock_wallet(%s)", (account,))
        self.bank.rows(
            "with written as (select credits.write_entry(jsonb_populate_record("
            " credits.next_entry(w, 'spend', -%(debt)s::numeric, '[]'),"
            " jsonb_build_object('debt_after', %(debt)s)), w.head_hash) as entry"
            " from credits.wallets as w where w.account_id = %(account)s)"
            " update credits.wallets as w set seq = (entry).seq, balance = (entry).balance_after,"
            " debt = (entry).debt_after, posted_at = (entry).posted_at, head_hash = (entry).hash,"
            " lifetime_spent = w.lifetime_spent + %(debt)s"
            " from written where w.account_id = (entry).account_id returning 1",
            {"account": account, "debt": debt},
        )

    def catch_up(self) -> None:
        """A batch books what is due even if it refuses an item. A refused call books nothing."""
        self.bank.rows(
            "select credits.lock_to_spend(array_agg(account_id)) from credits.identities"
            " where starts_with(subject, %s)",
            (self.prefix,),
        )

    def item(self, item: Item) -> Item:
        return item | {"user_id": item["user_id"] and self.prefix + item["user_id"]}

    def single(self, item: Item) -> Row:
        """One call, and its answer in the words of a batch."""
        given = {
            name: Jsonb(value) if name in ("usage", "metadata", "tags") else value
            for name, value in self.item(item).items()
        }
        try:
            with self.bank.connection.transaction():
                return self.plain({"ok": True} | self.bank.call("consume_tokens", **given))
        except psycopg.Error as error:
            assert (error.sqlstate or "").startswith("PT"), error
            if error.sqlstate == "PT402":  # as the HTTP API does; a batch does this itself
                use = {name: given[name] for name in ("module_id", "usage", "user_id") if name in given}
                self.bank.call("report_refusal", **use)
            facts = json.loads(error.diag.message_detail or "", parse_float=Decimal)
            return {"ok": False, "code": error.sqlstate, "message": error.diag.message_primary} | facts

    def many(self, items: list[Item]) -> list[Row]:
        return [self.plain(verdict) for verdict in batch(self.bank, *map(self.item, items))]

    def plain(self, verdict: Row) -> Row:
        """Without what differs from world to world."""
        if verdict["ok"]:
            verdict["entry_id"] = verdict["entry_id"].split(":")[1]
            verdict["user_id"] = verdict["user_id"].removeprefix(self.prefix)
        return verdict

    def books(self) -> dict[str, list[Row]]:
        """Everything that is written about its accounts, except which lot is the head of a wallet."""
        queries = {
            "wallets": "select name, seq, balance, held, debt, posted_at::text, lifetime_spent,"
            " lifetime_granted from people join credits.wallets using (account_id) order by name",
            "lots": "select name, lot_id, remaining, held, frozen"
            " from people join credits.current_lots using (account_id) order by name, lot_id",
            "entries": "select name, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after,"
            " draws, module_id, usage, price_id, actor, metadata, tags"
            " from people join credits.entries using (account_id) order by name, seq",
            "keys": "select name, operation, key, fingerprint, entry_seq, created_at"
            " from people join credits.idempotency_keys using (account_id) order by name, key",
            "levels": "select name, low_armed, depleted_armed, basis, last_purchase"
            " from people join credits.notice_levels using (account_id) order by name",
            # A batch tells of a refusal after all its items: the balance may be another one.
            "outbox": "select name, kind, case when kind <> 'depleted' then facts end as facts"
            " from people join credits.outbox using (account_id)"
            " order by name, kind desc, facts ->> 'balance'",
            "limits": "select name, period, tokens, period_starts, spent_before"
            " from people join credits.spend_limits using (account_id) order by name",
        }
        people = (
            "with people as (select account_id, substr(subject, length(%(prefix)s) + 1) as name"
            " from credits.identities where starts_with(subject, %(prefix)s)) "
        )
        return {
            name: self.bank.rows(people + query, {"prefix": self.prefix}) for name, query in queries.items()
        }


def _plan(tokens: int, limits: int | None = None, notices: tuple[str, ...] = (), holds: int = 0) -> Any:
    lots = {"ada": [{"tokens": tokens}], "bob": [], "eve": []}
    return {"lots": lots, "limits": limits, "notices": notices, "holds": holds, "debt": 0}


_ten: Item = {"user_id": "ada", "module_id": "metube"}


@pytest.mark.slow
@steady(24)
@given(plan=_worlds, chunks=_chunks)
# The permit ends before the limit.
@example(plan=_plan(1000, limits=35), chunks=[_ten, [_ten] * 4])
# Through both thresholds in one batch.
@example(plan=_plan(100, notices=("p_below => 40",)), chunks=[_ten, [_ten] * 9])
# Ten of them are held: available falls below 40 where the balance does not.
@example(plan=_plan(55, notices=("p_below => 40",), holds=1), chunks=[[_ten, _ten]])
@pytest.mark.one_version
def test_batches_do_what_single_calls_do(
    till: Connection, plan: dict[str, Any], chunks: list[list[Item] | Item]
) -> None:
    """Of two equal worlds, one gets single calls, the other batches with single calls between them."""
    till.execute("begin")
    try:
        stop_clock(till, "2031-05-31 23:00Z")
        bank = Caller(till, "none")
        for notice in plan["notices"]:
            bank.rows(
                f"select credits.define_notice('low_balance', {notice}), credits.define_notice('depleted')"
            )
        alone, together = World(bank, plan), World(bank, plan)
        for hour, chunk in enumerate(chunks):
            stop_clock(till, f"2031-06-0{1 + hour // 2} {12 * (hour % 2):02}:00Z")
            alone.catch_up()
            together.catch_up()
            expected = [alone.single(item) for item in (chunk if isinstance(chunk, list) else [chunk])]
            found = together.many(chunk) if isinstance(chunk, list) else [together.single(chunk)]
            assert found == expected
            assert together.books() == alone.books()
        assert findings(bank) == []
    finally:
        till.rollback()


# At once


@pytest.mark.slow
def test_batches_in_any_order_do_not_deadlock(user: User, crowd: Crowd, admin: Connection) -> None:
    people = [user(10_000) for _ in range(6)]

    def work(place: int, one: Caller) -> None:
        for turn in range(8):
            order = people if (place + turn) % 2 else people[::-1]
            if place % 4 == 3:
                one.call("consume_tokens", user_id=order[0].user_id, module_id="metube")
                one.call("add_tokens", user_id=order[1].user_id, tokens=10)
            else:
                assert all(
                    verdict["ok"] for verdict in patient_batch(one, *(use(each) for each in order * 3))
                )

    results = at_once([partial(work, place, one) for place, one in enumerate(crowd(16))])
    assert slugs(results) == []
    spent = 12 * 8 * 18 * 10 + 4 * 8 * 10
    assert sum(each.balance() for each in people) == 60_000 - spent + 4 * 8 * 10
    _sound(admin, *people)


@pytest.mark.slow
def test_same_batch_at_once_is_charged_once(user: User, crowd: Crowd, admin: Connection) -> None:
    people = [user(1000) for _ in range(4)]
    items = [use(people[n % 4], idempotency_key=f"k{n}") for n in range(40)]
    results = at_once([partial(patient_batch, one, *items) for one in crowd(12)])
    assert slugs(results) == []
    assert Counter(verdict["replayed"] for verdicts in results for verdict in verdicts) == {
        False: 40,
        True: 11 * 40,
    }
    assert [each.balance() for each in people] == [900] * 4
    _sound(admin, *people)


def test_balance_that_pays_ten_is_spent_ten_times(user: User, crowd: Crowd, admin: Connection) -> None:
    ada = user(250)
    results = at_once([partial(patient_batch, one, *[use(ada, "whisper")] * 3) for one in crowd(20)])
    assert slugs(results) == []
    assert Counter(verdict["ok"] for verdicts in results for verdict in verdicts) == {True: 10, False: 50}
    assert ada.balance() == 0
    _sound(admin, ada)


def test_batch_commits_durably_whatever_the_session_says(service_url: str) -> None:
    for setting in ("off", "local"):
        with psycopg.connect(service_url) as connection:
            connection.execute(f"set synchronous_commit = {setting}")
            connection.execute("set local role service_role")
            name = uuid4().hex
            connection.execute("select api.consume_tokens_batch(%s)", (Jsonb([{"user_id": name}]),))
            assert connection.execute("show synchronous_commit").fetchone() == ("on",)
            connection.rollback()
