"""Everybody tries everything: what works is what privilege_matrix.txt says, and nothing else.

After a change that is meant, write the file anew and read its diff, as you would read a new grant:

    REFRESH_SNAPSHOT=1 .venv/bin/pytest tests/sql/rights/test_privilege_matrix.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import psycopg
import pytest
from callers import Caller
from psycopg import sql
from sql.rights.privilege_matrix import REFUSED, Matrix, Persona, make_program, page
from tenants import furnish, prepare

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("privilege_matrix")]

KEPT = Path(__file__).with_name("privilege_matrix.txt")
GROUPS = ("spender", "support", "analyst", "auditor", "accountant", "pgcredits_catalog")


def personas(user_id: str, logins: dict[str, str]) -> list[Persona]:
    """Every kind of caller, and one with a login and no right at all."""
    return [
        Persona("anon", "pgcredits_api", "anon"),
        Persona("user", "pgcredits_api", "authenticated", user_id),
        Persona("service", "pgcredits_service", "service_role"),
        Persona("user's login", logins["authenticated"]),
        *(Persona(group, logins[group]) for group in GROUPS),
        Persona("api's login", "pgcredits_api"),
        Persona("service's login", "pgcredits_service"),
        Persona("stranger", logins["stranger"]),
    ]


@pytest.fixture(scope="module")
def matrix(own_url: str) -> Iterator[tuple[Matrix, list[Persona]]]:
    with psycopg.connect(own_url, autocommit=True) as admin:
        bank = Caller(admin, "none")
        prepare(bank)
        ada, bob = furnish(bank, "adamantine", ".137911"), furnish(bank, "bellwether", ".482957")
        make_program(bank)
        logins = {group: f"matrix_{group}" for group in ("authenticated", "stranger", *GROUPS)}
        try:
            for group, login in logins.items():
                admin.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
                if group != "stranger":
                    admin.execute(
                        sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(login))
                    )
            admin.execute(
                "insert into credits.sql_logins (login, role_oid, account_id)"
                " select rolname, oid, %(account_id)s from pg_roles where rolname = %(login)s",
                {"login": logins["authenticated"], "account_id": ada.account_id},
            )
            admin.execute(
                "insert into credits.analyst_grants (login, role_oid, segment)"
                " select rolname, oid, '*' from pg_roles where rolname = %(login)s",
                {"login": logins["analyst"]},
            )
            tried = Matrix(bank, ada, bob)
            everybody = personas(ada.user_id, logins)
            for persona in everybody:
                tried.enter(persona)
            yield tried, everybody
        finally:
            for login in logins.values():
                admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(login)))


def test_everybody_can_do_what_the_page_says(matrix: tuple[Matrix, list[Persona]]) -> None:
    tried, everybody = matrix
    found = page(tried.cells, everybody)
    if os.environ.get("REFRESH_SNAPSHOT"):
        KEPT.write_text(found)
    kept = KEPT.read_text()
    difference = unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", n=0, lineterm="")
    assert found == kept, "\n".join(difference)


def test_everything_was_tried_by_everybody(matrix: tuple[Matrix, list[Persona]]) -> None:
    tried, everybody = matrix
    names = {persona.name for persona in everybody}
    assert all(by_persona.keys() == names for by_persona in tried.cells.values())
    assert tried.executed > len(tried.trials) * len(everybody)
    assert len(tried.relations) > 150


def test_stranger_can_do_nothing(matrix: tuple[Matrix, list[Persona]]) -> None:
    tried, _ = matrix
    for name in ("stranger", "api's login", "service's login"):
        assert [thing for thing, cells in tried.cells.items() if cells[name] != REFUSED] == []


def test_functions_run_for_those_alone_who_have_the_right(matrix: tuple[Matrix, list[Persona]]) -> None:
    """What PostgreSQL's system tables say of a function is what happened when it was called."""
    tried, everybody = matrix
    for persona in everybody:
        for row in tried.functions_of(persona):
            if row["is_public"]:
                ran = tried.cells[str(row["signature"]), "own"][persona.name] != REFUSED
                assert ran is row["granted"], (persona.name, row["signature"])


def test_grant_too_many_shows(matrix: tuple[Matrix, list[Persona]]) -> None:
    tried, everybody = matrix
    (support,) = [persona for persona in everybody if persona.name == "support"]
    thing = ("credits.wallets", "update other")
    assert tried.cells[thing]["support"] == REFUSED
    connection = tried.bank.connection
    with connection.transaction(force_rollback=True):
        connection.execute("grant usage on schema credits to support")
        connection.execute("grant select, update on credits.wallets to support")
        again = Matrix(tried.bank, tried.own, tried.other)
        again.enter(support)
    assert again.cells[thing]["support"] == "none"  # row security
