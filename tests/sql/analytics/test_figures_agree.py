"""The analysts' figures of one rich bank, each compared with a count of its own from the tables.

The counts are made in Python, of rows that the superuser reads, for an analyst of everybody, of one segment
and of nobody, in sessions with several time zones. The transcripts of docs/analysts.md are of this bank. So
are the tries to learn of accounts that an analyst may not count.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, Row, stop_clock
from docs.test_docs_paths import ROOT
from psycopg.rows import dict_row
from sql.reversals.payments import paid
from subscribing import FEB, JAN, MAR, PRO, Subscriber
from subscription_events import line
from support import PASSWORD

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.database_urls import as_login

pytestmark = pytest.mark.slow

GENERATE, RENDER = "/api/ai/generate", "/api/3d/render-highres"
NOW = datetime(2098, 3, 10, 12, tzinfo=UTC)
ZONES = ("UTC", "Pacific/Auckland", "Etc/GMT+12")
Figures = set[tuple[Any, ...]]
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def tell(desk: Caller, admin: Connection, url: str) -> None:
    """Two months of luneo: guests, gifts, packs, a plan, refunds of both kinds, holds, and an own key."""
    admin.execute("delete from credits.catalogs")
    apply_catalog(url, "luneo")
    for setting in (
        "delete from credits.campaigns",
        "delete from credits.guest_limits",
        "select credits.define_guest_limits('luneo', 3)",
        "select credits.define_plan('free', 'Free', 50)",
        "select credits.define_plan('pro', 'Pro', 3000, 2900, 'eur', p_stripe_price_id => 'price_pro')",
        "select credits.allow_test_clocks(true)",
    ):
        admin.execute(setting.encode())

    def at(moment: str) -> None:
        stop_clock(admin, f"2098-{moment}Z")

    def use(user_id: str, module_id: str, times: int = 1, **more: Any) -> str:
        for _ in range(times):
            entry = desk.call("consume_tokens", user_id=user_id, module_id=module_id, **more)["entry_id"]
        return str(entry)

    def guest() -> str:
        device = uuid4().hex * 2
        desk.call("guest_consume", module_id=GENERATE, device_keys=[device], network_keys=[uuid4().hex * 2])
        return device

    at("01-01 00:00")
    subscriber = Subscriber(desk, "sub", JAN)
    at("01-03 10:00")
    device = guest()
    guest()
    at("01-05 10:00")
    desk.call("open_account", user_id="ada", device_keys=[device])
    desk.call("add_tokens", user_id="ada", tokens=50, reason="welcome")
    use("ada", GENERATE, 3)
    at("01-06 10:00")
    paid(desk, "ada", pack_id="credits-100")
    refunded = use("ada", RENDER, 8)  # the seventh draws on the gift and on the pack
    subscriber.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    subscriber.clock(datetime(2098, 1, 31, 23, 45, tzinfo=UTC))
    use(subscriber.user_id, RENDER, 2)
    at("01-31 23:30")
    desk.call("start_free_plan", user_id="bob")
    use("bob", GENERATE)
    at("02-01 00:30")
    back = paid(desk, "bob", pack_id="credits-500")
    use("bob", RENDER, 7)
    subscriber.clock(FEB)
    subscriber.pay(2, line(PRO, 2900, FEB, MAR))
    use(subscriber.user_id, GENERATE)
    at("02-10 10:00")
    paid(desk, "ada", pack_id="credits-1000")
    hold = desk.call("hold_tokens", user_id="ada", module_id=GENERATE, usage={"calls": 3})["hold_id"]
    desk.call("capture_hold", hold_id=hold, usage={"calls": 1}, final=False)
    at("02-11 10:00")
    desk.call("capture_hold", hold_id=hold, usage={"calls": 2})
    desk.call("open_account", user_id="cal")
    use("cal", GENERATE, byok=True)
    at("02-15 10:00")
    back.refund()
    desk.call("refund_usage", entry_id=refunded, tokens=3)
    at("02-28 23:59:59")
    guest()
    at("03-04 12:30")
    paid(desk, "dan", pack_id="credits-100")
    desk.call("hold_tokens", user_id="dan", module_id=RENDER)
    use("dan", RENDER, 9)
    at("03-05 12:00")
    paid(desk, "eve", pack_id="credits-100").refund(950)
    at("03-09 12:00")
    paid(desk, "dan", pack_id="credits-100").dispute("created")
    use("ada", GENERATE, 4)
    use("ada", GENERATE, byok=True)
    stop_clock(admin, NOW.isoformat())
    # An account opens by the server's own clock.
    for user_id, opened in (
        ("sub", "01-01 00:00"),
        ("ada", "01-05 10:00"),
        ("bob", "01-31 23:30"),
        ("cal", "02-11 10:00"),
        ("dan", "03-04 12:30"),
        ("eve", "03-05 12:00"),
    ):
        admin.execute(
            "update credits.accounts set created_at = %s where account_id in"
            " (select account_id from credits.identities where subject ~ %s)",
            (f"2098-{opened}Z", f"^{user_id}"),
        )
    for segment, names in (("schools", "ada|dan"), ("shops", "bob|sub")):
        admin.execute(
            "update credits.accounts set segment = %s where account_id in"
            " (select account_id from credits.identities where subject ~ %s)",
            (segment, f"^({names})"),
        )


@dataclass
class Books:
    """The rows of the accounts that an analyst may count, and nothing that the views have computed."""

    entries: list[Row]
    orders: list[Row]
    accounts: list[Row]
    lots: dict[tuple[Any, int], Row]
    plans: dict[tuple[Any, Any], str]
    guests: list[Row]
    captures: set[tuple[Any, int]]  # charges that are a second capture of their hold, or a later one
    available: dict[Any, Decimal]
    costs: dict[str, Decimal] = field(
        default_factory=lambda: {GENERATE: Decimal(4), RENDER: Decimal(2)}  # cents a call
    )

    @classmethod
    def read(cls, admin: Connection, segment: str | None) -> Books:
        def rows(query: str) -> list[Row]:
            with admin.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(query.encode()).fetchall()

        accounts = [a for a in rows("select * from credits.accounts") if segment in ("*", a["segment"])]
        ids = {account["account_id"] for account in accounts}

        def mine(table: str) -> list[Row]:
            return [row for row in rows(f"select * from credits.{table}") if row["account_id"] in ids]

        plans = {
            (row["account_id"], row["order_id"]): row["plan_id"] for row in mine("subscription_invoices")
        } | {(row["account_id"], row["lot_id"]): row["plan_id"] for row in mine("free_periods")}
        guests = rows("select * from credits.guests")
        balances = (
            "select account_id, available from api.balance join credits.identities on subject = user_id"
        )
        return cls(
            mine("entries"),
            [order for order in mine("orders") if order["state"] == "paid"],
            [account for account in accounts if account["kind"] == "user"],
            {(lot["account_id"], lot["lot_id"]): lot for lot in mine("lots")},
            plans,
            [guest for guest in guests if segment == "*" or guest["linked_to"] in ids],
            {(hold["account_id"], seq) for hold in mine("holds") for seq in hold["seqs"][1:]},
            {row["account_id"]: row["available"] for row in rows(balances) if row["account_id"] in ids},
        )

    def of_kind(self, *kinds: str) -> list[Row]:
        return [entry for entry in self.entries if entry["kind"] in kinds]

    def is_use(self, entry: Row) -> bool:
        return entry["kind"] in ("spend", "byok") and (entry["account_id"], entry["seq"]) not in self.captures

    def plan_of(self, lot: Row) -> str | None:
        by_order = self.plans.get((lot["account_id"], lot["order_id"]))
        return by_order or self.plans.get((lot["account_id"], lot["lot_id"]))


def day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def month(moment: datetime) -> date:
    return day(moment).replace(day=1)


def week(moment: datetime) -> date:
    return day(moment) - timedelta(days=day(moment).weekday())


PERIODS = {"week": week, "month": month}


def later(period: str, begins: date, age: int) -> date:
    if period == "week":
        return begins + timedelta(weeks=age)
    months = begins.month - 1 + age
    return date(begins.year + months // 12, months % 12 + 1, 1)


def rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def account_use(books: Books) -> Figures:
    sums: dict[tuple[date, Any], list[Any]] = defaultdict(lambda: [0, 0, Decimal()])
    for entry in books.of_kind("spend", "byok", "refund"):
        figures = sums[month(entry["posted_at"]), entry["account_id"]]
        figures[0] += books.is_use(entry)
        figures[1] += entry["kind"] == "byok"
        figures[2] -= entry["tokens"]
    return {(*key, *figures) for key, figures in sums.items()}


def margins(books: Books, span: Callable[[datetime], date]) -> Figures:
    """Revenue and cost by module, source and plan. Every lot that costs anything costs euros."""
    sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, Decimal(), Decimal(), Decimal()])
    for entry in books.of_kind("spend", "refund"):
        sign = 1 if entry["kind"] == "spend" else -1
        drawn = sum(Decimal(str(draw["tokens"])) for draw in entry["draws"])
        for place, draw in enumerate(entry["draws"]):
            lot = books.lots[entry["account_id"], draw["lot_id"]]
            tokens = Decimal(str(draw["tokens"]))
            key = (span(entry["posted_at"]), entry["module_id"], lot["source"], books.plan_of(lot), "eur")
            figures = sums[key]
            figures[0] += place == 0 and entry["kind"] == "spend" and books.is_use(entry)
            figures[1] += sign * tokens
            figures[2] += sign * tokens * lot["unit_cost"]
            if entry["kind"] == "spend":
                calls = Decimal(str(entry["usage"]["calls"]))
                figures[3] += calls * books.costs[entry["module_id"]] * tokens / drawn
    return {
        (*key, uses, tokens, rounded(revenue, 6), rounded(cost, 6), rounded(revenue - cost, 6))
        for key, (uses, tokens, revenue, cost) in sums.items()
    }


def weekly_sales(books: Books) -> Figures:
    sold: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for order in books.orders:
        plan = books.plans.get((order["account_id"], order["order_id"]))
        sold[week(order["paid_at"]), order["kind"], plan, order["package_name"], order["currency"]].append(
            order
        )
    return {
        (
            *key,
            len(orders),
            len({order["account_id"] for order in orders}),
            sum(order["tokens"] + order["bonus_tokens"] for order in orders),
            sum(order["paid"] for order in orders),
            sum(order["reversed"] for order in orders),
            sum(order["reversal_pending"] for order in orders),
            sum(order["paid"] - order["reversed"] for order in orders),
            sum(order["reversed"] > 0 for order in orders),
            sum(order["disputed"] for order in orders),
        )
        for key, orders in sold.items()
    }


def running_out(books: Books) -> Figures:
    found = set()
    for account in books.accounts:
        mine = [
            entry
            for entry in books.of_kind("spend", "refund")
            if entry["account_id"] == account["account_id"]
            and NOW - timedelta(days=7) < entry["posted_at"] <= NOW
        ]
        spent = -sum((entry["tokens"] for entry in mine), Decimal())
        if spent <= 0:
            continue
        age = Decimal((NOW - account["created_at"]).total_seconds()) / 86400
        pace = rounded(spent / min(max(age, Decimal(1)), Decimal(7)), 6)
        available = books.available[account["account_id"]]
        found.add((account["account_id"], available, spent, pace, rounded(available / pace, 1)))
    return found


def retention(books: Books) -> Figures:
    found = set()
    for period, span in PERIODS.items():
        cohorts: dict[date, set[Any]] = defaultdict(set)
        for account in books.accounts:
            cohorts[span(account["created_at"])].add(account["account_id"])
        for cohort, members in cohorts.items():
            age = 0
            while later(period, cohort, age) <= day(NOW):
                entries = [
                    entry
                    for entry in books.of_kind("spend", "byok", "refund")
                    if entry["account_id"] in members
                    and span(entry["posted_at"]) == later(period, cohort, age)
                ]
                active = len({entry["account_id"] for entry in entries if entry["kind"] != "refund"})
                share = rounded(Decimal(active) / len(members), 4)
                tokens = -sum((entry["tokens"] for entry in entries), Decimal())
                found.add((period, cohort, age, len(members), active, share, tokens))
                age += 1
    return found


def cohort_revenue(books: Books) -> Figures:
    found = set()
    for period, span in PERIODS.items():
        sizes = Counter(span(account["created_at"]) for account in books.accounts)
        opened = {account["account_id"]: span(account["created_at"]) for account in books.accounts}
        sold: dict[tuple[date, date], list[Row]] = defaultdict(list)
        for order in books.orders:
            if order["amount"] > 0:
                sold[opened[order["account_id"]], span(order["paid_at"])].append(order)
        for (cohort, paid_in), orders in sold.items():
            so_far = sum(
                order["paid"] - order["reversed"]
                for (other, moment), some in sold.items()
                if other == cohort and moment <= paid_in
                for order in some
            )
            found.add(
                (
                    period, cohort, paid_in, "eur", sizes[cohort],
                    len({order["account_id"] for order in orders}),
                    len(orders),
                    sum(order["paid"] for order in orders),
                    sum(order["paid"] - order["reversed"] for order in orders),
                    so_far,
                    rounded(Decimal(so_far) / sizes[cohort], 2),
                )
            )  # fmt: skip
    return found


def funnel(books: Books) -> Figures:
    came = []  # when, and how far
    for guest in books.guests:
        if guest["linked_to"] is None:
            came.append((guest["first_seen_at"], {"guest"}))
    for account in books.accounts:
        mine = account["account_id"]
        seen = [guest["first_seen_at"] for guest in books.guests if guest["linked_to"] == mine]
        bought = sum(order["account_id"] == mine and order["amount"] > 0 for order in books.orders)
        used = any(entry["account_id"] == mine for entry in books.of_kind("spend", "byok"))
        reached = {"account"} | ({"guest", "signed up"} if seen else set()) | ({"used"} if used else set())
        reached |= {step for step, least in (("bought", 1), ("again", 2)) if bought >= least}
        came.append((min([account["created_at"], *seen]), reached))
    steps = ("guest", "signed up", "account", "used", "bought", "again")
    return {
        (
            period,
            cohort,
            len(group),
            *(sum(step in reached for reached in group) for step in steps),
        )
        for period, span in PERIODS.items()
        for cohort in {span(moment) for moment, _ in came}
        for group in [[reached for moment, reached in came if span(moment) == cohort]]
    }


MARGIN = (
    "module_id, source, plan_id, currency, uses, tokens, round(revenue, 6), round(provider_cost, 6),"
    " round(margin, 6)"
)
EXPECTED: dict[str, Callable[[Books], Figures]] = {
    "select * from analytics.account_use": account_use,
    f"select day, {MARGIN} from analytics.daily_margin": lambda books: margins(books, day),
    f"select week, {MARGIN} from analytics.weekly_margin": lambda books: margins(books, week),
    "select * from analytics.weekly_sales": weekly_sales,
    "select account_id, available, spent, spent_per_day, days_left from analytics.running_out": running_out,
    "select * from analytics.retention": retention,
    "select * from analytics.cohort_revenue": cohort_revenue,
    "select * from analytics.funnel": funnel,
}


@pytest.fixture(scope="module")
def admin(own_url: str) -> Iterator[Connection]:
    """The superuser of the bank of this module, which has its story."""
    with psycopg.connect(own_url, autocommit=True) as connection:
        tell(Caller(connection, "none"), connection, own_url)
        yield connection


def count_only(admin: Connection, segments: Iterable[str]) -> None:
    admin.execute("delete from credits.analyst_grants")
    for segment in segments:
        admin.execute("select credits.grant_analyst('pgcredits_analyst', %s)", ([segment],))


@pytest.mark.parametrize("segment", ["*", "schools", None])
def test_figures_agree_with_a_count_from_the_tables(
    admin: Connection, own_url: str, segment: str | None
) -> None:
    count_only(admin, [segment] if segment else [])
    books = Books.read(admin, segment or "nobody's")
    with psycopg.connect(as_login(own_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:
        for query, count in EXPECTED.items():
            expected = count(books)
            assert bool(expected) == (segment is not None), query
            for zone in ZONES:
                analyst.execute("select set_config('TimeZone', %s, false)", (zone,))
                found = analyst.execute(query.encode()).fetchall()
                assert len(found) == len(set(found)), query
                assert set(found) == expected, (query, zone)


def test_story_has_what_the_figures_are_about(admin: Connection, own_url: str) -> None:
    """Otherwise two counts of nothing would agree."""
    count_only(admin, ["*"])
    with psycopg.connect(as_login(own_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:

        def one(query: str) -> Any:
            row = analyst.execute(query.encode()).fetchone()
            assert row is not None
            return row if len(row) > 1 else row[0]

        assert one("select array_agg(distinct source order by source) from analytics.weekly_margin") == [
            "allowance",
            "purchase",
            "welcome",
        ]
        assert one("select array_agg(distinct plan_id order by plan_id) from analytics.weekly_margin") == [
            "free",
            "pro",
            None,
        ]
        assert one(
            "select sum(paid), sum(reversed) from analytics.weekly_sales where week = '2098-01-27'"
        ) == (
            10800,
            7900,
        )
        assert one("select count(*) from analytics.running_out where days_left <= 7") == 1
        assert one(
            "select sum(uses), sum(own_key_uses) from analytics.account_use where month = '2098-02-01'"
        )
        # Dan has 28 tokens, and has spent 72 in five days and 23.5 hours: another 55 hours and 48 minutes.
        left, until = one("select days_left, lasts_until from analytics.running_out where days_left <= 7")
        assert left == Decimal("2.3")
        assert abs(until - NOW - timedelta(hours=55, minutes=48)) < timedelta(minutes=1)
        sold, guests = (
            "max(bought_again) from analytics.funnel",
            "sum(guests_signed_up) from analytics.funnel",
        )
        assert one(f"select {sold}") > 0
        assert one(f"select {guests} where period = 'week'") == 1
    assert admin.execute(BOOKS.encode()).fetchall() == []


def test_closed_account_is_not_about_to_run_out(admin: Connection, own_url: str) -> None:
    count_only(admin, ["*"])
    listed = "select count(*) from analytics.running_out where days_left <= 7"
    with psycopg.connect(as_login(own_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:
        assert analyst.execute(listed.encode()).fetchone() == (1,)
        of_dan = "where account_id = (select account_id from credits.identities where subject = 'dan')"
        # The rest of forgetting is in tests/sql/retention. Dan's dispute would prevent it here.
        admin.execute(f"update credits.wallets set status = 'closed' {of_dan}".encode())
        try:
            assert analyst.execute(listed.encode()).fetchone() == (0,)
        finally:
            admin.execute(f"update credits.wallets set status = 'active' {of_dan}".encode())


# What docs/analysts.md shows


def shown() -> Iterator[tuple[str, list[list[str]]]]:
    """Each query on the page that has an answer below it, and the cells of that answer."""
    page = (ROOT / "docs/analysts.md").read_text()
    for query, answer in re.findall(r"^```sql\n(.*?)^```\n\n```text\n(.*?)^```$", page, re.M | re.S):
        lines = [line for line in answer.splitlines() if "|" in line]
        yield query, [[cell.strip() for cell in line.split("|")] for line in lines]


def test_page_for_analysts_shows_what_really_comes_out(admin: Connection, own_url: str) -> None:
    admin.execute("delete from credits.analyst_grants")
    admin.execute("select credits.grant_analyst('pgcredits_analyst', '{*}', true)")
    pages = list(shown())
    assert len(pages) >= 5
    with psycopg.connect(as_login(own_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:
        for query, expected in pages:
            cursor = analyst.execute(query.encode())
            assert cursor.description is not None
            expected = [[UUID.sub("an id", cell) for cell in row] for row in expected]
            header = [column.name for column in cursor.description]
            rows = [
                ["" if cell is None else UUID.sub("an id", str(cell)) for cell in row]
                for row in cursor.fetchall()
            ]
            assert [header, *rows] == expected, query


# What persons with SQL of their own can learn


def test_user_with_a_login_reads_exactly_their_own_rows(admin: Connection, own_url: str) -> None:
    """Every view of api that a user may read: the same rows as support sees of that user, and no others."""
    admin.execute("create role of_ada login password 'of ada' in role authenticated")
    admin.execute(f"grant connect on database {admin.info.dbname} to of_ada")
    admin.execute(
        "insert into credits.sql_logins (login, account_id)"
        " select 'of_ada', account_id from credits.identities where subject = 'ada'"
    )
    views = admin.execute(
        "select c.relname, exists ("
        " select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'user_id')"
        " from pg_class as c where c.relnamespace = 'api'::regnamespace and c.relkind = 'v'"
        " and has_table_privilege('authenticated', c.oid, 'select') order by 1"
    ).fetchall()
    compared = 0
    with (
        psycopg.connect(as_login(own_url, "of_ada", "of ada"), autocommit=True) as ada,
        psycopg.connect(as_login(own_url, "pgcredits_service", PASSWORD), autocommit=True) as support,
    ):
        support.execute("set role support")
        ada.execute("select set_config('request.jwt.claims', '{\"sub\": \"dan\"}', false)")
        for view, names_users in views:
            theirs = " where v.user_id = 'ada'" if names_users else ""
            rows = "select v::text from api.{} as v{} order by 1"
            own = ada.execute(rows.format(view, "").encode()).fetchall()
            assert own == support.execute(rows.format(view, theirs).encode()).fetchall(), view
            compared += bool(own) and names_users
    assert compared >= 5
    admin.execute("delete from credits.sql_logins")
    admin.execute("drop owned by of_ada")
    admin.execute("drop role of_ada")


def test_condition_of_an_analyst_is_tried_on_no_other_row(admin: Connection, own_url: str) -> None:
    """An expression that fails on a row would tell that there is one, and the message what is in it."""
    admin.execute("delete from credits.analyst_grants")
    # period is a word of the view itself: week or month.
    columns = admin.execute(
        "select c.relname, a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
        " where c.relnamespace = 'analytics'::regnamespace and a.attnum > 0 and a.attname <> 'period'"
        " order by 1, a.attnum"
    ).fetchall()
    with psycopg.connect(as_login(own_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:
        for view, column in columns:
            for condition in ("1 / (length(v.{}::text) * 0) = 1", "('secret ' || v.{}::text)::integer = 1"):
                query = f"select count(*) from analytics.{view} as v where " + condition.format(column)
                assert analyst.execute(query.encode()).fetchone() == (0,), query
        # With accounts of its own the same condition fails: it is a condition that can.
        count_only(admin, ["schools"])
        with pytest.raises(psycopg.errors.DivisionByZero):
            analyst.execute("select from analytics.account_use as v where 1 / (v.uses * 0) = 1")


def test_statistics_and_sequences_tell_an_analyst_nothing(admin: Connection, own_url: str) -> None:
    """What they do tell, sizes and estimates, stands in SECURITY.md."""
    admin.execute("analyze")
    ours = "('credits', 'api', 'analytics', 'finance', 'audit', 'yoyo')"
    with psycopg.connect(as_login(own_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:

        def count(what: str) -> Any:
            row = analyst.execute(f"select count(*) from {what}".encode()).fetchone()
            assert row is not None
            return row[0]

        assert count(f"pg_stats where schemaname in {ours}") == 0
        assert count(f"pg_stats_ext where schemaname in {ours}") == 0
        assert count(f"pg_sequences where schemaname in {ours} and last_value is not null") == 0
        assert count("pg_stat_activity where query not in ('', '<insufficient privilege>')") == 1  # its own
        for table in ("pg_statistic", "pg_authid", "pg_statistic_ext_data"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                count(table)
        for table in ("credits.entries", "credits.entries_default", "credits.identities"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(f"select pg_typeof(t) from {table} as t".encode())
    with admin.cursor() as cursor:
        known = cursor.execute("select count(*) from pg_stats where schemaname = 'credits'").fetchone()
    assert known is not None
    assert known[0] > 100  # they are there to be hidden
