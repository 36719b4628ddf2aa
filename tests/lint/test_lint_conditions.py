"""No condition of the bank can be NULL unnoticed. The linter finds every kind that can."""

from __future__ import annotations

from pathlib import Path

import pytest
from lint import conditions
from lint.sql_sources import Function, Statement, read_text

pytestmark = pytest.mark.one_version

TABLES = {
    "credits.orders": {"order_id": True, "state": True, "scope": False, "amount": True, "paid": False},
    "credits.settings": {"test_clocks": True},
}
PgCatalog = tuple[dict[str, dict[str, bool]], dict[str, dict[str, str]], str]


def found(text: str) -> list[str]:
    """What the linter finds in these statements, as 'role: expression'."""
    functions, statements = read_text(text, "x.sql")
    book = conditions.build(TABLES, functions, statements)
    return [f"{finding.role}: {finding.text}" for finding in conditions.find(book, functions, statements)]


def body(
    text: str, *, declare: str = "", parameters: str = "p_a numeric, p_b boolean", returns: str = "void"
) -> str:
    """A public function of PL/pgSQL with that body. Nothing is known about its arguments."""
    return (
        f"create function api.f({parameters}) returns {returns} language plpgsql as $$\n"
        f"declare\n    v_x text;\n    {declare}\nbegin\n    {text}\nend\n$$;"
    )


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("if p_b then null; end if;", "if: p_b"),
        ("if not p_b then null; end if;", "if: NOT p_b"),
        ("if p_a > 1 then null; elsif p_a < 1 then null; end if;", "if: p_a > 1"),
        ("if p_a is null then null; elsif p_a > 1 or p_b then null; end if;", "if: p_a > 1 OR p_b"),
        ("while p_a > 0 loop p_a := p_a - 1; end loop;", "while: p_a > 0"),
        ("loop exit when p_b; end loop;", "exit when: p_b"),
        ("loop continue when p_a = 1; exit; end loop;", "exit when: p_a = 1"),
        ("case when p_b then null; else null; end case;", "case when: p_b"),
        ("case v_x when 'a' then null; else null; end case;", "case: v_x"),
        ("v_x := case when p_a > 1 then 'a' else 'b' end;", "case when: p_a > 1"),
        ("v_x := case v_x when 'a' then 'b' else 'c' end;", "case: v_x"),
        ("v_x := least(p_a, 5);", "greatest or least: LEAST(p_a, 5)"),
        ("v_x := greatest(0, p_a);", "greatest or least: GREATEST(0, p_a)"),
        (
            "if not (select s.test_clocks from credits.settings as s) then null; end if;",
            "if: NOT(SELECT s.test_clocks FROM credits.settings AS s)",
        ),
        ("if p_a not in (1, 2) then null; end if;", "if: p_a NOT IN (1, 2)"),
        ("if v_x = any (array['a']) then null; end if;", "if: v_x = ANY(ARRAY['a'])"),
        ("if (p_b or false) and true then null; end if;", "if: (p_b OR FALSE) AND TRUE"),
        (
            "if current_setting('a.b', true) = 'on' then null; end if;",
            "if: current_setting('a.b', TRUE) = 'on'",
        ),
        ("perform from credits.orders as o where o.scope <> 'a';", "where: o.scope <> 'a'"),
        ("perform from credits.orders as o where o.scope not in ('a');", "where: o.scope NOT IN ('a')"),
        ("perform from credits.orders as o where not o.paid;", "where: NOT o.paid"),
        (
            "perform count(*) filter (where o.scope <> 'a') from credits.orders as o;",
            "filter: o.scope <> 'a'",
        ),
        (
            "perform from credits.orders as o join credits.orders as b on not (o.paid = b.paid);",
            "on: NOT o.paid = b.paid",
        ),
        (
            "perform from credits.orders as o left join credits.orders as b on o.order_id = b.order_id"
            " where b.state <> 'paid';",
            "where: b.state <> 'paid'",
        ),
    ],
)
def test_a_condition_that_can_be_null_is_found(text: str, finding: str) -> None:
    assert finding in found(body(text))


@pytest.mark.parametrize(
    "text",
    [
        "if p_b is true then null; elsif p_b is not false then null; end if;",
        "if p_a is distinct from 1 and coalesce(p_b, false) then null; end if;",
        "if p_a is null or p_a > 1 then null; end if;",
        "if p_a is not null and p_a > 1 then null; end if;",
        "if p_a is null then return; end if; if p_a > 1 then null; end if;",
        "if p_a is null then perform credits.fail(422, 'x', 'x'); end if; if p_a > 1 then null; end if;",
        "if (p_a > 1) is true then while p_a > 0 loop p_a := p_a - 1; end loop; end if;",
        "if exists (select from credits.orders as o where o.state <> 'paid') then null; end if;",
        "if (select count(*) from credits.orders) > 1 then null; end if;",
        "select o.state into v_x from credits.orders as o; if not found then return; end if;"
        " if v_x = 'paid' then null; end if;",
        "select o.state into strict v_x from credits.orders as o; if v_x = 'paid' then null; end if;",
        "for v_r in select o.state from credits.orders as o loop exit when v_r.state = 'paid'; end loop;",
        "for i in 1..3 loop exit when i > 2; end loop;",
        "v_x := least(coalesce(p_a, 0), 5);",
        "perform from credits.orders as o where o.scope is distinct from 'a' and o.paid is not true;",
        "perform from credits.orders as o where o.scope = 'a' and o.state <> 'paid';",
    ],
)
def test_a_condition_that_cannot_be_null_is_left_alone(text: str) -> None:
    assert found(body(text, declare="v_r record;")) == []


def test_variable_is_nullable_unless_declared_not_null() -> None:
    assert found(body("if v_b then null; end if;", declare="v_b boolean not null := false;")) == []
    assert found(body("if v_b then null; end if;", declare="v_b constant boolean := 1 > 0;")) == []
    assert found(body("if v_b then null; end if;", declare="v_b constant boolean := p_a > 0;")) == ["if: v_b"]
    # A value that is taken away again.
    taken = body("v_b := p_b; if v_b then null; end if;", declare="v_b boolean := false;")
    assert found(taken) == ["if: v_b"]
    looped = "for i in 1..2 loop if v_b then null; end if; v_b := p_b; end loop;"
    assert found(body(looped, declare="v_b boolean := false;")) == ["if: v_b"]


def test_a_predicate_that_can_return_null_is_found() -> None:
    assert found(body("return p_a > 1;", returns="boolean")) == ["return: p_a > 1"]
    assert found(body("return p_b;", returns="boolean")) == ["return: p_b"]
    assert found(body("return (p_a > 1) is true;", returns="boolean")) == []
    sql = "create function api.g(p_a numeric) returns boolean language sql return p_a > 1;"
    assert found(sql) == ["return: p_a > 1"]


def test_nullability_of_private_functions_follows_callers_and_bodies() -> None:
    inner = body(
        "if p_a > 1 then return false; end if; return true;", parameters="p_a numeric", returns="boolean"
    )
    inner = inner.replace("api.f", "credits.f")
    caller = (
        "create function api.g({}) returns void language plpgsql as $$"
        " begin if credits.f({}) then null; end if; end $$;"
    )
    assert found(inner + caller.format("p_a numeric", "1")) == []
    assert found(inner + caller.format("p_a numeric", "p_a")) == ["if: p_a > 1"]


@pytest.mark.parametrize(
    ("check", "is_found"),
    [
        ("amount > 0", False),
        ("scope ~ '^module:'", False),  # of one column: null says that there is no scope
        ("scope = 'a' or paid", True),
        ("scope is null or scope = state", False),
        ("(paid = (scope is not null))", True),
        ("amount > 0 and (state = 'paid') = (scope is not null)", False),
    ],
)
def test_a_check_that_null_would_pass_is_found(check: str, is_found: bool) -> None:
    assert bool(found(f"alter table credits.orders add constraint c check ({check})")) == is_found


def test_views_and_policies_are_looked_into() -> None:
    view = "create view api.v as select case when o.paid then 1 end as one from credits.orders as o"
    assert found(view) == ["case when: o.paid"]
    policy = "create policy p on credits.orders using (scope <> 'a')"
    assert found(policy) == ["policy: scope <> 'a'"]


# The bank itself


def test_no_condition_of_the_bank_can_be_null(
    pg_catalog: PgCatalog, sources: tuple[list[Function], list[Statement]]
) -> None:
    """The linter, which reads the whole bank, finds the one condition of a broken copy, and no other."""
    functions, statements = sources
    text = (Path(__file__).parents[2] / "sql/api/set_test_clock.sql").read_text()
    broken = text.replace(") is true then", ") then").replace("api.set_test_clock", "api.broken_clock")
    copies = read_text(broken, "broken_clock.sql")[0]
    book = conditions.build(pg_catalog[0], functions + copies, statements)
    findings = conditions.find(book, functions + copies, statements)
    places = [finding.place.split(":")[0] for finding in findings]
    assert places == ["broken_clock.sql"], "\n" + "\n".join(map(str, findings))


def test_no_check_of_the_bank_lets_null_pass(pg_catalog: PgCatalog) -> None:
    functions, statements = read_text(pg_catalog[2], "pg_constraint")
    assert len(statements) > 50
    findings = conditions.find(conditions.build(pg_catalog[0], [], statements), functions, statements)
    assert not findings, "\n" + "\n".join(map(str, findings))
