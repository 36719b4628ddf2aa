"""Nothing in the bank depends on the session's zone or styles. The linter finds everything that would."""

from __future__ import annotations

from pathlib import Path

import pytest
from lint import zones
from lint.sql_sources import Function, Statement, read, read_text

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
TABLES = {
    "credits.orders": {
        "order_id": "uuid",
        "paid_at": "timestamp with time zone",
        "note": "text",
        "day": "date",
    }
}
PgCatalog = tuple[dict[str, dict[str, bool]], dict[str, dict[str, str]], str]


def found(text: str) -> list[str]:
    """What the linter finds in these statements, as 'role: expression'."""
    findings = zones.find(TABLES, *read_text(text, "x.sql"))
    return [f"{finding.role}: {finding.text}" for finding in findings]


def body(text: str) -> str:
    """A function with values of every type that matters."""
    return (
        "create function api.f(p_at timestamptz, p_after interval, p_body jsonb, p_text text, p_day date, "
        "p_local timestamp) returns void language plpgsql as $$\n"
        "declare\n    v_t text;\n    v_at timestamptz;\n    v_times timestamptz[];\n    v_r record;\n"
        "    v_hour constant interval := interval '1 hour';\n"
        "    v_days constant interval := interval '1 day';\n"
        f"begin\n    {text}\nend\n$$;"
    )


DEPENDS = [
    # the calendar
    "v_at := p_at + p_after;",
    "v_at := p_at - p_after;",
    "v_at := p_after + p_at;",
    "v_at := p_at + interval '1 day';",
    "v_at := now() - '2 days';",
    "v_at := p_at + interval '1 mon 2 hours';",
    "v_at := p_at + v_days;",
    "v_at := p_at + 3 * interval '1 day';",
    "v_at := p_at + make_interval(days => 1);",
    "v_at := p_at + make_interval(1);",
    "v_at := p_at + (p_at - now());",
    "v_at := p_at + coalesce(p_after, interval '1 hour');",
    "v_at := p_at + case when true then interval '1 hour' else p_after end;",
    "perform from credits.orders as o where o.paid_at < now() - interval '30 days';",
    "perform from credits.orders as o where o.paid_at + p_after > p_at;",
    "select o.paid_at as x_at into v_r from credits.orders as o; v_at := v_r.x_at + interval '1 day';",
    "perform (select max(o.paid_at) from credits.orders as o) + p_after;",
    "perform (array[p_at])[1] + p_after;",
    "perform v_times[1] - p_after;",
    "perform date_trunc('month', p_at);",
    "perform date_trunc('month', p_day);",
    "perform date_trunc('month', p_at, 'Europe/Paris');",
    "perform extract(day from p_at);",
    "perform extract(timezone from p_at);",
    "perform date_part('hour', now());",
    "perform age(p_at);",
    "perform age(p_at, now());",
    "perform generate_series(p_at, now(), interval '1 month');",
    "perform generate_series(p_day, p_day, interval '1 day');",
    "perform justify_interval(p_after);",
    "perform justify_days(p_after);",
    "perform date_add(p_at, p_after);",
    "perform (p_at, p_after) overlaps (p_at, p_at);",
    "perform sum(1) over (order by o.paid_at range between interval '1 day' preceding and current row)"
    " from credits.orders as o;",
    # zones by name, and the session's
    "perform p_at at time zone 'UTC';",
    "perform p_at at time zone p_text;",
    "perform p_local at time zone 'Europe/Paris';",
    "perform p_day at time zone interval '0';",
    "perform p_at at time zone interval '1 hour';",
    "perform current_date;",
    "perform localtimestamp;",
    "perform localtime;",
    "perform current_time;",
    "perform timeofday();",
    "perform make_timestamptz(2026, 1, 1, 0, 0, 0);",
    # casts
    "perform p_at::date;",
    "perform now()::timestamp;",
    "perform p_at::time;",
    "perform p_at::text;",
    "perform cast(p_at as varchar);",
    "perform p_after::text;",
    "perform p_day::text;",
    "perform p_local::timestamptz;",
    "perform p_day::timestamptz;",
    "perform p_text::timestamptz;",
    "perform (p_body ->> 'at')::timestamptz;",
    "perform (p_body ->> 'after')::interval;",
    "perform (p_body ->> 'day')::date;",
    "perform timestamptz '2026-01-01';",
    "perform '2026-01-01 12:00'::timestamptz;",
    "perform timestamptz 'today';",
    "perform date '01/02/2026';",
    "perform interval '-1 2:03:04';",
    # casts that nothing says
    "v_t := p_at;",
    "v_t := p_after;",
    "v_at := p_day;",
    "v_at := p_text;",
    "v_at := '2026-01-01';",
    "select o.paid_at into v_t from credits.orders as o;",
    "perform p_at > p_day;",
    "perform p_at between p_local and p_at;",
    "perform from credits.orders as o where o.paid_at >= '2026-01-01';",
    "perform from credits.orders as o where o.paid_at in ('2026-01-01', p_at);",
    "perform coalesce(p_at, p_local);",
    "perform greatest(p_at, '2026-01-01');",
    "insert into credits.orders (paid_at) values ('2026-01-01');",
    "insert into credits.orders (order_id, note) select o.order_id, o.paid_at from credits.orders as o;",
    "update credits.orders set day = p_at;",
    "update credits.orders set note = paid_at;",
    # text and JSON
    "perform format('%s', p_at);",
    "perform concat('at ', p_at);",
    "perform concat_ws(' ', p_after);",
    "perform 'at ' || p_at;",
    "perform p_after || ' long';",
    "perform string_agg(o.paid_at, ',') from credits.orders as o;",
    "perform to_char(p_at, 'YYYY');",
    "perform to_timestamp(p_text, 'YYYY');",
    "perform to_date(p_text, 'YYYY');",
    "perform to_jsonb(p_at);",
    "perform json_build_object('at', p_at);",
    "perform jsonb_build_object('after', p_after);",
    "perform jsonb_agg(o.paid_at) from credits.orders as o;",
    "raise exception 'at %', p_at;",
]


@pytest.mark.parametrize("text", DEPENDS)
def test_session_dependent_expression_is_found(text: str) -> None:
    assert found(body(text))


@pytest.mark.parametrize(
    "text",
    [
        "v_at := credits.later(p_at, p_after);",
        "v_at := p_at + interval '90 seconds';",
        "v_at := p_at - interval '840:00:00';",
        "v_at := p_at + interval '1 hour 30 minutes';",
        "v_at := p_at + make_interval(secs => 5, mins => 1);",
        "v_at := p_at + 2 * v_hour;",
        "v_at := p_at + case when true then interval '1 hour' else v_hour end;",
        "perform p_at - now() > interval '1 day';",
        "perform p_after + interval '1 day';",
        "perform p_local + interval '1 day';",
        "perform p_at at time zone interval '0' + p_after;",
        "perform (p_local + p_after) at time zone interval '0';",
        "perform date_trunc('month', p_at at time zone interval '0') at time zone interval '0';",
        "perform (p_at at time zone interval '0')::date;",
        "perform extract(epoch from p_at), date_part('epoch', p_at);",
        "perform extract(day from p_after);",
        "perform extract(day from p_at at time zone interval '0');",
        "perform to_char(p_at at time zone interval '0', 'YYYY');",
        "perform to_timestamp(5);",
        "perform generate_series(1, 5), generate_series(p_local, p_local, interval '1 day');",
        "perform generate_series(p_at, now(), interval '1 hour');",
        "perform timestamptz '2026-01-01 00:00+00', timestamptz 'infinity', timestamptz '2026-01-01T00:00Z';",
        "perform coalesce(p_at, 'infinity') > p_at and p_at < '-infinity';",
        "v_times := v_times || p_at;",
        "v_at := least(p_at, now());",
        "v_t := credits.utc_text(p_at);",
        "perform to_jsonb(p_text), format('%s', p_text), p_text || ' day';",
        "perform p_day + 1, p_day - p_day;",
        "v_at := null; v_at := p_at;",
        "select o.paid_at, o.note into v_at, v_t from credits.orders as o;",
        "insert into credits.orders (paid_at, note) values (p_at, 'x');",
    ],
)
def test_session_independent_expression_is_left_alone(text: str) -> None:
    ours = (
        "create function credits.later(a timestamptz, b interval) returns timestamptz "
        "language sql return a;\n"
        "create function credits.utc_text(a timestamptz) returns text language sql return '';\n"
    )
    assert found(ours + body(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "create view api.v as select date_trunc('day', o.paid_at) as day from credits.orders as o",
        "create view api.v as with x as (select o.paid_at as y from credits.orders as o)"
        " select x.y::date from x",
        "create view api.v as select x.y::date"
        " from (select max(o.paid_at) from credits.orders as o) as x (y)",
        "create policy p on credits.orders using (paid_at > now() - interval '1 day')",
        "alter table credits.orders add constraint c check (paid_at >= '2026-01-01')",
        "create function api.f(p_at timestamptz default '2026-01-01') returns int language sql return 1",
        "create function api.f(p_at timestamptz) returns date language sql return p_at",
        "create function api.f(p_at timestamptz) returns date language sql as 'select p_at::date'",
        "create function api.f(p_at timestamptz) returns text language sql "
        "begin atomic select p_at::text; end",
        "create function api.g() returns timestamptz language sql return now();"
        "create function api.f() returns date language sql return api.g()::date",
        "create function api.g(p_text text) returns int language sql return 1;"
        "create function api.f(p_at timestamptz) returns int language sql return api.g(p_text => p_at)",
        "create function api.f(p_at timestamptz) returns date language plpgsql as $$begin return p_at; end$$",
    ],
)
def test_every_kind_of_statement_is_looked_into(text: str) -> None:
    assert found(text)


# The bank itself


# A setting as PostgreSQL itself writes it, never negative: every IntervalStyle reads it alike. It is read in
# every spend.
RIGHT = {("credits.bound_wait", "CAST(v_before AS interval)")}


def faults(
    pg_catalog: PgCatalog, functions: list[Function], statements: list[Statement]
) -> list[zones.Found]:
    findings = zones.find(pg_catalog[1], functions, statements)
    return [finding for finding in findings if (finding.function, finding.text) not in RIGHT]


def test_nothing_in_the_bank_depends_on_the_sessions_zone(
    pg_catalog: PgCatalog, sources: tuple[list[Function], list[Statement]]
) -> None:
    findings = faults(pg_catalog, *sources)
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_no_check_of_the_bank_depends_on_the_sessions_zone(pg_catalog: PgCatalog) -> None:
    findings = zones.find(pg_catalog[1], *read_text(pg_catalog[2], "pg_constraint"))
    assert not findings, "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        (
            "sql/credits/spending/spend_limits.sql",
            "date_trunc(p_period, p_at at time zone interval '0')",
            "date_trunc(p_period, p_at)",
        ),
        (
            "sql/credits/stripe_calls/end_stale_calls.sql",
            "credits.earlier(credits.clock(), '24 hours')",
            "credits.clock() - interval '1 day'",
        ),
        ("sql/analytics/tokens_sold.sql", "(o.paid_at at time zone interval '0')::date", "o.paid_at::date"),
        ("sql/audit/check_prices.sql", "credits.utc_text(l.valid_from)", "l.valid_from"),
        (
            "sql/credits/orders/keep_orders_few.sql",
            "credits.utc_text(v_pending.reset_at)",
            "v_pending.reset_at",
        ),
        ("sql/api/hold_tokens.sql", "make_interval(secs => v_ttl)", "ttl"),
    ],
)
def test_a_file_of_the_bank_that_is_broken_is_found(
    pg_catalog: PgCatalog,
    sources: tuple[list[Function], list[Statement]],
    tmp_path: Path,
    name: str,
    right: str,
    wrong: str,
) -> None:
    text = (ROOT / name).read_text()
    assert text.count(right) >= 1
    broken = tmp_path / Path(name).name
    broken.write_text(text.replace(right, wrong))
    functions, statements = read([broken], tmp_path)
    others = [f for f in sources[0] if f.full_name not in {g.full_name for g in functions}]
    findings = faults(pg_catalog, others + functions, statements)
    assert {finding.place.split(":")[0] for finding in findings} == {broken.name}
