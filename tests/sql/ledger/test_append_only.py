"""The ledger is written once: nobody changes it, in any mode, on any partition."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from callers import Caller, Connection, refused

from pgcredits.bank.migrate import SQL

COMMANDS = ("update {} set metadata = '{{}}'", "delete from {}", "truncate {}")


def partitions(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select inhrelid::regclass::text from pg_inherits"
        " where inhparent = 'credits.entries'::regclass order by 1"
    ).fetchall()
    return [name for (name,) in rows]


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.fixture
def ledger(till: Connection) -> Iterator[Connection]:
    """The superuser in a transaction that is rolled back, with a row in every partition."""
    till.execute("begin")
    bank = Caller(till, "none")
    bank.call("add_tokens", user_id="written", tokens=5)
    bank.rows(
        """select credits.define_price('[{"dimension": "calls", "price_per_unit": 2,
        "tiers": [{"above": 9, "price_per_unit": 1}]}]', 'metube')"""
    )
    for partition in partitions(till):
        till.execute(
            "insert into credits.entries select (e).* from (select jsonb_populate_record(e,"
            " jsonb_build_object('posted_at', coalesce("
            "substring(pg_get_expr(c.relpartbound, c.oid) from '''([^'']+)'''), '1999-01-01Z')))"
            " as e from credits.entries as e, pg_class as c"
            " where e.tokens = 5 and e.kind = 'grant' and c.oid = %s::regclass limit 1) as x",
            (partition,),
        )
        assert till.execute(f"select count(*) > 0 from {partition}").fetchone() == (True,)
    yield till
    till.rollback()


@pytest.mark.parametrize("role", ["none", "credits_owner"])
@pytest.mark.parametrize("mode", ["origin", "replica", "local"])
def test_neither_superuser_nor_owner_changes_entries(role: str, mode: str, ledger: Connection) -> None:
    ledger.execute(f"set local session_replication_role = {mode}")
    ledger.execute(f"set local role {role}")
    assert len(partitions(ledger)) == 14
    for table in ("credits.entries", *partitions(ledger)):
        for command in COMMANDS:
            with refused("append_only"), ledger.transaction():
                ledger.execute(command.format(table))


def test_entries_cannot_be_replaced_by_conflict_or_merge(ledger: Connection) -> None:
    for command in (
        "insert into credits.entries select * from credits.entries"
        " on conflict (account_id, seq, posted_at) do update set metadata = '{}'",
        "merge into credits.entries as e using credits.entries as f"
        " on e.account_id = f.account_id and e.seq = f.seq when matched then delete",
    ):
        with refused("append_only"), ledger.transaction():
            ledger.execute(command)


def test_triggers_come_with_a_new_partition(ledger: Connection) -> None:
    ledger.execute("select credits.ensure_partitions(30)")
    assert len(partitions(ledger)) == 31
    for table in partitions(ledger):
        with refused("append_only"), ledger.transaction():
            ledger.execute(f"truncate {table}")


def test_partitions_are_whole_months_without_a_gap(admin: Connection) -> None:
    """Partitions begin in UTC, whatever the time zone of the session that made them."""
    bounds = admin.execute(
        "select pg_get_expr(c.relpartbound, c.oid), c.relname from pg_class as c"
        " join pg_inherits as i on i.inhrelid = c.oid and i.inhparent = 'credits.entries'::regclass"
        " where c.relname <> 'entries_default' order by c.relname"
    ).fetchall()
    for (text, name), (following, _) in zip(bounds, [*bounds[1:], (bounds[-1][0], "")], strict=True):
        first, last = text.split("'")[1::2]
        row = admin.execute(
            "select to_char(%(first)s::timestamptz at time zone 'UTC', '\"entries_\"YYYY_MM'),"
            " %(first)s::timestamptz at time zone 'UTC' + interval '1 month' ="
            " %(last)s::timestamptz at time zone 'UTC'",
            {"first": first, "last": last},
        ).fetchone()
        assert row == (name, True)
        assert following is text or following.split("'")[1] == last


def test_partitions_are_the_same_in_every_time_zone(ledger: Connection) -> None:
    ledger.execute("set local time zone 'Pacific/Auckland'")
    assert ledger.execute("select credits.ensure_partitions(13)").fetchone() == (0,)
    ledger.execute("select credits.ensure_partitions(16)")
    bound = "select pg_get_expr(relpartbound, oid) from pg_class where relname = %s"
    ledger.execute("set local time zone 'UTC'")
    made = [name.removeprefix("credits.") for name in partitions(ledger)[-4:-1]]
    for name in made:
        row = ledger.execute(bound, (name,)).fetchone()
        assert row is not None
        assert row[0].count("-01 00:00:00+00") == 2


def test_entries_outside_all_months_go_to_the_default_partition(ledger: Connection) -> None:
    row = ledger.execute("select count(*) from credits.entries_default").fetchone()
    assert row == (1,)


@pytest.mark.parametrize("role", ["none", "credits_owner"])
@pytest.mark.parametrize(
    "command",
    [
        "update credits.prices set margin = 2",
        "update credits.prices set valid_from = valid_from - interval '1 day'",
        "delete from credits.prices",
        "truncate credits.prices cascade",
        "update credits.price_components set price_per_unit = 1",
        "delete from credits.price_components",
        "truncate credits.price_components cascade",
        "truncate credits.price_tiers",
        "update credits.price_tiers set price_per_unit = 1",
        "delete from credits.price_tiers",
        "insert into credits.price_components (price_id, dimension, price_per_unit)"
        " select price_id, 'pages', 1 from credits.prices",
        "insert into credits.price_tiers (price_id, dimension, above, price_per_unit)"
        " select price_id, dimension, 99, 1 from credits.price_components",
    ],
)
def test_price_versions_are_never_edited(command: str, role: str, ledger: Connection) -> None:
    ledger.execute(f"set local role {role}")
    with refused("append_only"), ledger.transaction():
        ledger.execute(command)


def test_new_prices_may_be_added(ledger: Connection) -> None:
    ledger.execute("set local role credits_owner")
    row = ledger.execute(
        """select credits.define_price('[{"dimension": "calls", "price_per_unit": 3}]', 'whisper') > 0"""
    ).fetchone()
    assert row == (True,)


def test_reload_keeps_the_triggers_always_on(ledger: Connection) -> None:
    ledger.execute("set local role credits_owner")
    ledger.execute("set local client_min_messages = warning")
    ledger.execute((SQL / "credits" / "ledger" / "append_only.sql").read_text().encode())
    states = ledger.execute(
        "select distinct tgenabled from pg_trigger where tgname like 'entries_are_never%'"
    ).fetchall()
    assert states == [("A",)]
