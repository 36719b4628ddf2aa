"""plpgsql_check reads the body of every function: the only linter that knows the tables."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

# A trigger function is checked against each table that it serves. PTxyz is our credits.fail() with constant
# arguments, which the planner has already called.
FINDINGS = """
select p.oid::regprocedure::text, t.tgrelid::regclass::text, c.lineno, c.level, c.sqlstate, c.message
from pg_proc as p
join pg_language as l on l.oid = p.prolang
left join (
    select distinct tgfoid, tgrelid, tgoldtable, tgnewtable
    from pg_trigger
    where not tgisinternal and tgparentid = 0
) as t on t.tgfoid = p.oid
cross join lateral plpgsql_check_function_tb(
    p.oid, coalesce(t.tgrelid, 0::oid)::regclass, security_warnings => true, fatal_errors => false,
    oldtable => t.tgoldtable, newtable => t.tgnewtable
) as c
where l.lanname = 'plpgsql'
  and p.pronamespace::regnamespace::text in ('credits', 'api', 'audit', 'analytics', 'finance')
  and (p.prorettype <> 'trigger'::regtype or t.tgrelid is not null)
  and c.sqlstate not like 'PT%'
order by 1, 2, 3
"""


@pytest.fixture
def checker(db: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    offered = db.execute("select from pg_available_extensions where name = 'plpgsql_check'").rowcount
    if not offered:
        pytest.skip("this PostgreSQL has no plpgsql_check (Debian: postgresql-15-plpgsql-check)")
    db.execute("create schema checker")
    db.execute("create extension plpgsql_check with schema checker")
    db.execute("set search_path = pg_catalog, checker")
    return db


def test_plpgsql_check_finds_nothing(checker: psycopg.Connection[Any]) -> None:
    findings = checker.execute(FINDINGS).fetchall()
    assert not findings, "\n" + "\n".join(" | ".join(map(str, row)) for row in findings)


def test_plpgsql_check_would_find_a_mistake(checker: psycopg.Connection[Any]) -> None:
    checker.execute(
        "create function credits.wrong() returns int language plpgsql"
        " as $$ begin return (select nothing from credits.wallets); end $$"
    )
    checker.execute(
        "create function credits.wrong_trigger() returns trigger language plpgsql"
        " as $$ begin new.nothing := 1; return new; end $$"
    )
    checker.execute(
        "create trigger wrong before insert on credits.wallets"
        " for each row execute function credits.wrong_trigger()"
    )
    found = {row[0] for row in checker.execute(FINDINGS).fetchall()}
    assert {"credits.wrong()", "credits.wrong_trigger()"} <= found
