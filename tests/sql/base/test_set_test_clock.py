"""Accounts on clocks of their own live a month in a second, while no time passes for others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, findings, refused, stop_clock
from holding import hold, standing
from psycopg.types.json import Jsonb

pytestmark = pytest.mark.slow

SPRING = datetime(2098, 3, 1, tzinfo=UTC)


@pytest.fixture
def bank(db: Connection) -> Iterator[Caller]:
    """The superuser of a bank that allows test clocks. When the test is over, its books must close."""
    bank = Caller(db, "none")
    bank.rows("select credits.allow_test_clocks(true)")
    yield bank
    assert findings(bank) == []


@pytest.fixture
def service(bank: Caller, connect_as: Any) -> Caller:
    return Caller(connect_as("service_role"), "service_role")


@pytest.fixture
def ada(service: Caller, connect_as: Any) -> Caller:
    """A user on a test clock that stands at the first of March, with 1000 tokens."""
    assert service.call("set_test_clock", user_id="ada", frozen_time=SPRING) == {
        "user_id": "ada",
        "frozen_time": SPRING,
    }
    service.call("add_tokens", user_id="ada", tokens=1000)
    return Caller(connect_as("authenticated"), "authenticated", "ada")


def move(service: Caller, advance: str) -> datetime:
    moment: datetime = service.call("set_test_clock", user_id="ada", advance=advance)["frozen_time"]
    return moment


def test_a_month_of_expiry_and_renewal_plays_at_once(service: Caller, ada: Caller) -> None:
    service.call("set_spend_limit", user_id="ada", period="month", tokens=500)
    for month in (1, 2, 3):
        ends = SPRING + timedelta(days=30 * month)
        service.call(
            "add_tokens", user_id="ada", tokens=300, reason="allowance", expires_at=ends, package_name="Pro"
        )
        assert ada.balance() == 1300 - 100 * (month - 1)
        ada.call("consume_tokens", module_id="whisper", usage={"calls": 16})  # 400: the allowance, then more
        with refused("spend_limit"):
            ada.call("consume_tokens", module_id="whisper", usage={"calls": 5})
        service.call("add_tokens", user_id="ada", tokens=50, expires_at=ends)
        assert move(service, "32 days") == SPRING + timedelta(days=32 * month)
        assert ada.balance() == 1000 - 100 * month
    expired = ada.rows("select effective_at, tokens from api.entries where kind = 'expire' order by seq")
    assert [tuple(row.values()) for row in expired] == [
        (SPRING + timedelta(days=30 * month), -50) for month in (1, 2, 3)
    ]


def test_test_clock_stops_time_for_one_account_only(service: Caller, ada: Caller) -> None:
    service.call("add_tokens", user_id="bob", tokens=100)
    name = hold(ada, ttl="15 minutes")["hold_id"]
    assert ada.row("select created_at from api.holds")["created_at"] == SPRING
    assert standing(ada) == (1000, 25, 975)
    move(service, "14 minutes 59 seconds")
    assert standing(ada) == (1000, 25, 975)
    move(service, "1 second")  # exactly: from this moment on it counts for nothing
    assert standing(ada) == (1000, 0, 1000)
    assert ada.row("select state, finished_at from api.holds") == {
        "state": "expired",
        "finished_at": SPRING + timedelta(minutes=15),
    }
    assert ada.call("capture_hold", hold_id=name)["late"] is True
    bob = service.row(
        "select max(posted_at) < now() + interval '1 day' as now from api.entries where user_id = 'bob'"
    )
    assert bob == {"now": True}
    assert service.call("maintain")["accounts"] == 0


def test_lagging_test_clock_keeps_its_time(bank: Caller, service: Caller, ada: Caller) -> None:
    hold(ada, ttl="15 minutes")
    service.call("add_tokens", user_id="ada", tokens=7, expires_at=SPRING + timedelta(days=1))
    stop_clock(bank.connection, "2098-06-01 12:00Z")
    assert standing(ada) == (1007, 25, 982)
    assert service.call("maintain")["accounts"] == 0
    assert {row["expired"] for row in ada.rows("select expired from api.lots")} == {False}
    assert ada.row("select state from api.holds")["state"] == "open"
    assert ada.call("consume_tokens", module_id="metube")["balance"] == 997
    batch = bank.row(
        "select verdicts from api.consume_tokens_batch(%s)",
        ('[{"user_id": "ada", "module_id": "metube"}, {"user_id": "ada", "module_id": "metube"}]',),
    )
    assert [verdict["balance"] for verdict in batch["verdicts"]] == [987, 977]
    posted = ada.rows("select posted_at from api.entries order by seq")
    assert max(row["posted_at"] for row in posted) < SPRING + timedelta(seconds=1)


def test_prices_follow_the_accounts_clock(bank: Caller, service: Caller, ada: Caller) -> None:
    def define(tokens: int, valid_from: str | None) -> None:
        components = f'[{{"dimension": "calls", "price_per_unit": {tokens}}}]'
        bank.rows(
            "select credits.define_price(%s, p_module_id => 'whisper', p_valid_from => %s)",
            (components, valid_from),
        )

    define(40, "2098-03-10")
    assert ada.call("consume_tokens", module_id="whisper")["cost"] == 25
    move(service, "9 days")
    assert ada.call("quote_tokens", module_id="whisper")["cost"] == 40
    assert ada.call("consume_tokens", module_id="whisper")["cost"] == 40
    # Later the bank has a price that does not exist yet on the account's day.
    stop_clock(bank.connection, "2098-06-01 12:00Z")
    define(60, None)
    assert ada.call("consume_tokens", module_id="whisper")["cost"] == 40
    move(service, "92 days 12 hours")
    assert ada.call("consume_tokens", module_id="whisper")["cost"] == 60


def test_batch_prices_follow_each_accounts_clock(bank: Caller, service: Caller, ada: Caller) -> None:
    service.call("add_tokens", user_id="bob", tokens=100)
    bank.rows(
        "select credits.define_price(%s, p_module_id => 'whisper', p_valid_from => '2098-03-10')",
        ('[{"dimension": "calls", "price_per_unit": 40}]',),
    )
    move(service, "9 days")
    items = [{"user_id": name, "module_id": "whisper"} for name in ("bob", "ada", "bob", "ada")]
    verdicts = service.call("consume_tokens_batch", items=Jsonb(items))["verdicts"]
    assert [verdict["cost"] for verdict in verdicts] == [25, 40, 25, 40]


def test_campaigns_follow_the_accounts_clock(bank: Caller, service: Caller, ada: Caller) -> None:
    bank.rows(
        "select credits.define_campaign('easter', 'promo', 'Easter', 10, p_valid_from => '2098-04-01',"
        " p_valid_until => '2098-04-08')"
    )
    bank.rows("select credits.define_code('EASTER', 'easter')")
    with refused("unknown_code"):
        ada.call("redeem_code", code="EASTER")
    move(service, "33 days")
    assert ada.call("redeem_code", code="EASTER")["tokens"] == 10
    move(service, "33 days")
    with refused("code_expired"):
        ada.call("redeem_code", code="EASTER", user_id="ada", idempotency_key="again")


def test_month_seen_first_by_a_test_clock_gets_a_partition_later(bank: Caller, service: Caller) -> None:
    service.call("set_test_clock", user_id="ada", frozen_time=datetime(2098, 3, 15, tzinfo=UTC))
    service.call("add_tokens", user_id="ada", tokens=100)  # in the default partition: the month has none yet
    stop_clock(bank.connection, "2098-02-20 12:00Z")
    owner = Caller(bank.connection, "credits_owner")
    made = owner.row("select credits.ensure_partitions(3) as made")["made"]
    assert made == 2
    stop_clock(bank.connection, "2098-03-20 12:00Z")
    service.call("add_tokens", user_id="bob", tokens=100)
    tables = bank.rows("select distinct tableoid::regclass::text as name from credits.entries")
    assert tables == [{"name": "credits.entries_default"}]


def test_test_clock_only_goes_forward(service: Caller, ada: Caller) -> None:
    for arguments in (
        {"frozen_time": SPRING - timedelta(microseconds=1)},
        {"frozen_time": "infinity"},
        {"frozen_time": "-infinity"},
        {"frozen_time": "2998-03-01"},
        {"advance": "-1 second"},
        {"advance": "101 years"},
        {"advance": "290000 years"},
        {"advance": "1 day", "frozen_time": SPRING},
    ):
        with refused("bad_clock"):
            service.call("set_test_clock", user_id="ada", **arguments)
    assert move(service, "0") == SPRING
    assert service.call("set_test_clock", user_id="ada")["frozen_time"] == SPRING
    with refused("bad_user"):
        service.call("set_test_clock", user_id=None)


def test_first_test_clock_begins_now(service: Caller) -> None:
    before = datetime.now(UTC)
    began = service.call("set_test_clock", user_id="newcomer")["frozen_time"]
    assert before <= began <= datetime.now(UTC)
    with refused("bad_clock"):
        service.call("set_test_clock", user_id="other", frozen_time=before - timedelta(seconds=1))


def test_only_services_set_test_clocks_where_allowed(
    bank: Caller, service: Caller, ada: Caller, connect_as: Any
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ada.call("set_test_clock", user_id="ada")
    for role, sub in (("service_role", None), ("authenticated", "ada"), ("anon", None)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect_as(role, sub).execute("select credits.allow_test_clocks(true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect_as(role, sub).execute("update credits.settings set test_clocks = true")
    bank.rows("select credits.allow_test_clocks(false)")
    service.connection.execute("set pgcredits.test_clocks = on")  # a session's own word counts for nothing
    with refused("no_test_clocks"):
        service.call("set_test_clock", user_id="ada", advance="1 day")
    found = bank.rows(
        "select distinct check_name from audit.findings order by 1"
    )  # Ada's entries are in the future
    assert [row["check_name"] for row in found] == ["check_sequence", "check_settings"]
    bank.rows("select credits.allow_test_clocks(true)")


def test_test_clocks_are_off_at_first(db: Connection, connect_as: Any) -> None:
    with refused("no_test_clocks"):
        Caller(connect_as("service_role"), "service_role").call("set_test_clock", user_id="ada")
    assert db.execute("select from credits.identities where subject = 'ada'").rowcount == 0


def test_bank_without_settings_has_no_test_clocks(bank: Caller, service: Caller, ada: Caller) -> None:
    bank.connection.execute("delete from credits.settings")
    with refused("no_test_clocks"):
        service.call("set_test_clock", user_id="ada", advance="1 day")
    found = {row["expected"] for row in bank.rows("select expected from audit.check_settings")}
    assert found == {
        "the time: this bank has no test clocks",
        "a row of settings: what the operator has decided",
    }
    bank.rows("select credits.allow_test_clocks(true)")  # writes the row anew
    service.call("set_test_clock", user_id="ada", advance="1 day")
    with refused("bad_clock"):
        bank.rows("select credits.allow_test_clocks(null)")
