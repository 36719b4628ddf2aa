"""api.operating_figures: what waits, for how long, and how the last audit ended."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from callers import Caller, Connection, Row


@pytest.fixture
def bank(admin: Connection, admin_url: str) -> Iterator[Caller]:
    """The superuser in a transaction that is rolled back."""
    with psycopg.connect(admin_url) as connection:
        connection.execute("begin")
        connection.execute("delete from credits.audits")
        # What other tests have left waiting in the database that they share.
        connection.execute("update credits.outbox set delivered_at = now() where delivered_at is null")
        connection.execute("delete from credits.webhook_deliveries")
        connection.execute("update credits.stripe_events set outcome = 'stored' where outcome = 'waiting'")
        yield Caller(connection, "none")
        connection.rollback()


def told(bank: Caller) -> Row:
    return bank.row("select f.* from api.operating_figures() as f")


def test_nothing_waits_in_a_new_bank(bank: Caller) -> None:
    found = told(bank)
    assert [found[name] for name in ("notices_waiting", "messages_due", "events_waiting")] == [0, 0, 0]
    ages = ("notices_age", "messages_age", "events_age", "audit_age", "audit_checks", "audit_findings")
    assert [found[name] for name in ages] == [None] * 6


def test_ages_are_those_of_the_oldest(bank: Caller) -> None:
    bank.call("add_tokens", user_id="watched", tokens=5)
    bank.connection.execute(
        "insert into credits.webhook_endpoints (url, created_by, created_at, enabled_at)"
        " select 'https://' || n || '.example', 'test', now(), now() from generate_series(1, 2) as n"
    )
    bank.connection.execute(
        "insert into credits.outbox (account_id, kind, facts, created_at, delivered_at)"
        " select a.account_id, 'low_balance', '{}', clock_timestamp() - n * interval '1 hour',"
        " case when n = 9 then now() end"
        " from credits.accounts as a, (values (1), (2), (9)) as x (n) where a.account_id in"
        " (select i.account_id from credits.identities as i where i.subject = 'watched')"
    )
    bank.connection.execute(
        "insert into credits.webhook_deliveries (account_id, notice_id, endpoint_id, due_at, created_at)"
        " select o.account_id, o.notice_id, e.endpoint_id,"
        " clock_timestamp() + (row_number() over () - 3) * interval '1 minute', now()"
        " from credits.outbox as o, credits.webhook_endpoints as e where o.delivered_at is null"
    )  # due 2 minutes ago, 1 minute ago, now, in a minute
    bank.connection.execute(
        "insert into credits.stripe_events (event_id, bucket, type, livemode, outcome, payload, received_at)"
        " select x.id, 1, 'refund.created', false, x.outcome, '{}', clock_timestamp() - x.age"
        " from (values ('evt_1', 'waiting', interval '1 day'), ('evt_2', 'unmatched', interval '9 days'))"
        " as x (id, outcome, age)"
    )
    found = told(bank)
    assert (found["notices_waiting"], found["messages_due"], found["events_waiting"]) == (2, 3, 1)
    assert 7200 <= found["notices_age"] < 7260
    assert 120 <= found["messages_age"] < 180
    assert 86400 <= found["events_age"] < 86460


def test_a_long_backlog_is_counted_up_to_a_bound(bank: Caller) -> None:
    bank.call("add_tokens", user_id="watched", tokens=5)
    bank.connection.execute(
        "insert into credits.outbox (account_id, kind, facts, created_at)"
        " select i.account_id, 'low_balance', '{}', clock_timestamp() - n * interval '1 second'"
        " from credits.identities as i, generate_series(1, 10050) as n where i.subject = 'watched'"
    )
    found = told(bank)
    assert found["notices_waiting"] == 10000
    assert 10050 <= found["notices_age"] < 10110, "the oldest one counts, whatever the bound"


def test_the_last_audit_is_told(bank: Caller) -> None:
    for findings in (3, 0):
        bank.connection.execute(f"select credits.note_audit(40, {findings})")
        found = told(bank)
        assert (found["audit_checks"], found["audit_findings"]) == (40, findings)
        assert 0 <= found["audit_age"] < 60


@pytest.mark.parametrize("wrong", ["0, 0", "-1, 0", "3, -1", "null, 0", "3, null"])
def test_an_audit_without_checks_is_not_noted(bank: Caller, wrong: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        bank.connection.execute(f"select credits.note_audit({wrong})")
