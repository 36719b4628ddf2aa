"""The bank's time is UTC: the same stories end alike in sessions of several zones, to the microsecond."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from callers import Caller, Connection, refused
from holding import Bank, hold
from stripe_events import COMPLETED, attached, event, session

from pgcredits.bank.catalogs import apply_catalog

pytestmark = pytest.mark.slow

NOON = datetime(2027, 2, 28, 12, tzinfo=UTC)
MONTH_LATER = datetime(2027, 3, 28, 12, tzinfo=UTC)
# In Apia it is the first of March. St John's puts its clocks forward in March. In a session of 'UTC-14',
# PostgreSQL 18 takes the name UTC for a zone that is fourteen hours ahead.
ZONES = ("UTC", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC-14")
FAR = ("Pacific/Apia", "America/St_Johns", "UTC-14")  # what they find, 15 is asked as well


@pytest.fixture(
    params=[pytest.param(zone, marks=() if zone in FAR else (pytest.mark.one_version,)) for zone in ZONES]
)
def bank(request: pytest.FixtureRequest, bank: Bank) -> Bank:
    """A bank with test clocks, at noon of 28 February 2027 in UTC, in a session of that zone."""
    bank.rows("select credits.allow_test_clocks(true)")
    bank.at("2027-02-28 12:00+00")
    bank.connection.execute(f"set timezone = '{request.param}'")
    bank.connection.execute("set intervalstyle = 'sql_standard'")
    return bank


def expiries(bank: Caller, user_id: str = "ada") -> list[datetime]:
    return [
        row["expires_at"]
        for row in bank.rows("select expires_at from api.lots where user_id = %s order by lot_id", (user_id,))
    ]


def give(bank: Caller, tokens: int = 100, **more: Any) -> None:
    bank.call("add_tokens", user_id="ada", tokens=tokens, **more)


def test_a_welcome_for_a_month_lasts_a_month(bank: Bank) -> None:
    bank.rows("select credits.define_campaign('w', 'welcome', 'W', 10, p_expires_after => '1 month')")
    bank.call("open_account", user_id="ada")
    assert expiries(bank) == [MONTH_LATER]


def test_a_code_for_thirty_days_lasts_thirty_times_24_hours(bank: Bank) -> None:
    bank.rows("select credits.define_campaign('c', 'promo', 'C', 10, p_expires_after => '30 days')")
    bank.rows("select credits.define_code('SPRING', 'c')")
    give(bank)
    bank.call("redeem_code", code="spring", user_id="ada")
    assert expiries(bank) == [None, NOON + timedelta(hours=720)]


def test_a_pack_for_a_month_lasts_a_month(bank: Bank) -> None:
    bank.rows("select credits.define_pack('m', 'M', 100, 500, 'eur', 20, p_expires_after => '1 month')")
    order = attached(bank, bank.call("create_order", pack_id="m", user_id="ada"))
    assert bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))["outcome"] == "granted"
    assert expiries(bank) == [MONTH_LATER, MONTH_LATER]
    assert bank.row("select expires_after from api.packs where pack_id = 'm'") == {"expires_after": "1 mon"}


def test_a_test_clock_moves_on_by_a_month(bank: Bank) -> None:
    bank.call("set_test_clock", user_id="ada", frozen_time=NOON)
    moved = bank.call("set_test_clock", user_id="ada", advance="1 month")
    assert moved["frozen_time"] == MONTH_LATER
    with refused("bad_clock") as facts:
        bank.call("set_test_clock", user_id="ada", frozen_time=NOON)
    assert facts["frozen_time"] == "2027-03-28T12:00:00+00:00"


def test_a_lot_is_announced_a_month_before_its_end(bank: Bank) -> None:
    bank.rows("select credits.define_notice('expiring_soon', p_ahead => '1 month')")
    give(bank, expires_at=MONTH_LATER + timedelta(seconds=1))
    due = "select w.due_at from credits.wallets as w"
    assert bank.row(due)["due_at"] == NOON + timedelta(seconds=1)
    bank.call("maintain")
    assert bank.rows("select from api.notices where kind = 'expiring_soon'") == []
    bank.at("2027-02-28 12:00:01+00")
    bank.call("maintain")
    notice = bank.row("select facts from api.notices where kind = 'expiring_soon'")
    assert notice["facts"]["expires_at"] == "2027-03-28T12:00:01+00:00"
    assert bank.row(due)["due_at"] == MONTH_LATER + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("period", "reset_at"), [("day", "2027-03-01T00:00:00+00:00"), ("month", "2027-03-01T00:00:00+00:00")]
)
def test_limit_begins_anew_at_midnight_utc(bank: Bank, period: str, reset_at: str) -> None:
    give(bank)
    bank.call("set_spend_limit", user_id="ada", period=period, tokens=25)
    bank.call("consume_tokens", module_id="whisper", user_id="ada")
    bank.at("2027-02-28 23:59:59.999999+00")
    with refused("spend_limit") as facts:
        bank.call("consume_tokens", module_id="whisper", user_id="ada")
    assert facts["reset_at"] == reset_at
    bank.at(reset_at)
    bank.call("consume_tokens", module_id="whisper", user_id="ada")


def test_guests_window_of_a_day_has_24_hours(bank: Bank) -> None:
    bank.at("2027-03-13 12:00+00")  # in St John's this day has 23 hours
    bank.rows("select credits.define_guest_limits('iahome', 1, 1, 1, '1 day')")
    # As if the bank kept its window in days.
    bank.connection.execute("update credits.guest_limits set sliding_window = '1 day'")
    guest = {"module_id": "whisper", "device_keys": ["a" * 64], "network_keys": ["b" * 64]}
    used = bank.call("guest_consume", **guest)
    assert used["reset_at"] == datetime(2027, 3, 14, 12, tzinfo=UTC)
    bank.at("2027-03-14 11:59:59.999999+00")
    with refused("guest_limit") as facts:
        bank.call("guest_consume", **guest)
    assert facts["reset_at"] == "2027-03-14T12:00:00+00:00"
    bank.at("2027-03-14 12:00+00")
    bank.call("guest_consume", **guest)


def test_a_hold_for_a_day_lasts_24_hours(bank: Bank) -> None:
    bank.at("2027-03-13 12:00+00")
    give(bank)
    held = hold(bank, user_id="ada", ttl="1 day")
    assert held["expires_at"] == datetime(2027, 3, 14, 12, tzinfo=UTC)
    bank.at("2027-03-14 12:00+00")
    assert bank.row("select state from api.holds") == {"state": "expired"}
    bank.call("maintain")


def test_a_key_lives_35_times_24_hours(bank: Bank) -> None:
    give(bank, idempotency_key="k")
    bank.at("2027-04-04 12:00+00")
    bank.call("maintain")
    assert bank.row("select count(*) from credits.idempotency_keys") == {"count": 1}
    bank.at("2027-04-04 12:00:00.000001+00")
    bank.call("maintain")
    assert bank.row("select count(*) from credits.idempotency_keys") == {"count": 0}


def test_partitions_of_the_ledger_begin_with_the_month_of_utc(bank: Bank) -> None:
    bank.at("2031-01-31 23:59:59+00")
    assert Caller(bank.connection, "credits_owner").row("select credits.ensure_partitions(3) as made") == {
        "made": 3
    }
    made = bank.rows(
        "select c.relname, pg_get_expr(c.relpartbound, c.oid) as bounds from pg_class as c"
        " where c.relname like 'entries\\_2031%%' and c.relispartition and c.relkind = 'r' order by c.relname"
    )
    assert [row["relname"] for row in made] == ["entries_2031_01", "entries_2031_02", "entries_2031_03"]
    for row, month in zip(made, (1, 2, 3), strict=True):
        first, last = re.findall(r"'([^']+)'", row["bounds"])
        bounds = bank.row("select %s::timestamptz as first, %s::timestamptz as last", (first, last))
        assert bounds["first"] == datetime(2031, month, 1, tzinfo=UTC)
        assert bounds["last"] == datetime(2031, month + 1, 1, tzinfo=UTC)


def test_days_and_months_of_the_figures_are_those_of_utc(bank: Bank) -> None:
    bank.connection.execute(
        "insert into credits.analyst_grants (login, segment) values (session_user, 'all')"
    )
    bank.rows("select credits.define_guest_limits('iahome', 9)")
    give(bank)
    for moment in ("2027-02-28 23:59:59+00", "2027-03-01 00:00+00"):
        bank.at(moment)
        bank.call("consume_tokens", module_id="whisper", user_id="ada", tags={"job": "1"})
        bank.call("report_failure", module_id="whisper", user_id="ada")
        order = attached(bank, bank.call("create_order", pack_id="standard", user_id="ada"))
        bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))
        bank.call("guest_consume", module_id="whisper", device_keys=["c" * 64], network_keys=["d" * 64])
    bank.connection.execute("update credits.accounts set created_at = '2027-02-28 23:59:59+00'")
    days = [date(2027, 2, 28), date(2027, 3, 1)]
    daily = ("module_usage", "module_reliability", "tokens_sold", "usage_quantities", "burn_rate")
    for view in (*(f"analytics.{name}" for name in (*daily, "usage_by_tag")), "api.usage_by_tag"):
        assert [row["day"] for row in bank.rows(f"select day from {view} order by day")] == days, view
    months = [date(2027, 2, 1), date(2027, 3, 1)]
    for view in ("average_use", "module_margin", "pack_mix"):
        rows = bank.rows(f"select distinct month from analytics.{view} order by month")
        assert [row["month"] for row in rows] == months, view
    for view, column in (("guest_conversion", "month"), ("purchase_conversion", "opened_in")):
        assert [row[column] for row in bank.rows(f"select {column} from analytics.{view}")] == months[:1], (
            view
        )


def test_a_finding_tells_its_moments_in_utc(bank: Bank) -> None:
    bank.call("set_test_clock", user_id="ada", frozen_time=NOON)
    bank.connection.execute("set datestyle = 'SQL, DMY'")
    bank.rows("select credits.allow_test_clocks(false)")
    found = bank.row("select found from audit.check_settings")["found"]
    assert found == "a test clock at 2027-02-28T12:00:00+00:00"
    bank.rows("select credits.allow_test_clocks(true)")


@pytest.mark.parametrize("zone", ZONES)
def test_dates_of_a_price_list_are_utc(zone: str, db: Connection, url: str, tmp_path: Any) -> None:
    """Dates do not depend on the settings of the database or of the applying login."""
    db.execute(f"alter database {db.info.dbname} set timezone = '{zone}'")
    db.execute(f"alter database {db.info.dbname} set datestyle = 'SQL, MDY'")
    (tmp_path / "sale.sql").write_text(
        "select credits.define_campaign('sale', 'promo', 'Sale', 5, p_valid_until => '2027-03-02 00:00',"
        " p_expires_after => '-1 0');".replace("'-1 0'", "'1 day'")
    )
    apply_catalog(url, str(tmp_path / "sale.sql"))
    row = db.execute(
        "select valid_until = timestamptz '2027-03-02 00:00+00' from credits.campaigns"
    ).fetchone()
    assert row == (True,)


def test_every_setting_of_a_session_writes_a_moment_alike(db: Connection) -> None:
    shown = set()
    for zone in ZONES:
        for style in ("ISO, YMD", "SQL, DMY", "German", "Postgres, MDY"):
            db.execute(f"set timezone = '{zone}'")
            db.execute(f"set datestyle = '{style}'")
            row = db.execute(
                "select credits.utc_text(timestamptz '2027-02-28 12:00:00.5+00'),"
                " credits.utc_text('infinity'), credits.utc_text(null)"
            ).fetchone()
            shown.add(row)
    assert shown == {("2027-02-28T12:00:00.5+00:00", "infinity", None)}


def test_every_setting_of_a_session_writes_an_interval_alike(db: Connection) -> None:
    for style in ("postgres", "postgres_verbose", "sql_standard", "iso_8601"):
        for given in (
            "30 days",
            "1 mon",
            "1 year 2 mons 3 days 04:05:06",
            "36:00:00",
            "00:00:00.1",
            "00:00:00",
        ):
            db.execute("set intervalstyle = 'postgres'")
            db.execute("select set_config('x.given', %s, false)", (given,))
            db.execute(f"set intervalstyle = '{style}'")
            row = db.execute("select credits.interval_text(current_setting('x.given')::interval)").fetchone()
            assert row == (given,), style
    row = db.execute("select credits.interval_text(null)").fetchone()
    assert row == (None,)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "UTC-14"])
def test_definition_is_the_same_in_every_session_style(zone: str, db: Connection) -> None:
    db.execute(f"set timezone = '{zone}'")
    db.execute("set datestyle = 'SQL, DMY'")
    db.execute("set intervalstyle = 'sql_standard'")
    db.execute("set quote_all_identifiers = on")
    assert db.execute("select * from audit.check_release").fetchall() == []
