"""pgcredits audit: sound books, broken books, no books."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import psycopg
from click.testing import CliRunner
from rich.console import Console
from support import PASSWORD

from pgcredits.bank import audit
from pgcredits.cli import main
from pgcredits.database_urls import as_login


def printed(checks: list[audit.Check]) -> str:
    out = io.StringIO()
    audit.report(checks, Console(file=out, width=120))
    return out.getvalue()


def test_audit_of_sound_books_succeeds(url: str, connect_as: Callable[..., psycopg.Connection[Any]]) -> None:
    connect_as("service_role").execute("select api.add_tokens(user_id => 'ada', tokens => 5)")
    checks = audit.run(url)
    assert {"balance", "hash_chain", "orders", "settings"} <= {check.name for check in checks}
    assert audit.sound(checks), printed(checks)
    assert "the books close" in printed(checks)


def test_audit_of_broken_books_fails(
    url: str, db: psycopg.Connection[Any], connect_as: Callable[..., Any]
) -> None:
    for number in range(7):
        connect_as("service_role").execute(f"select api.add_tokens(user_id => 'u{number}', tokens => 5)")
    db.execute("update credits.wallets set balance = balance + 1")
    checks = audit.run(url)
    broken = next(check for check in checks if check.name == "balance")
    assert not audit.sound(checks)
    assert broken.rows >= 7
    assert len(broken.findings) == 5
    assert "expected" in printed(checks)
    assert f"and {broken.rows - 5} more" in printed(checks)
    result = CliRunner().invoke(main, ["audit", "--database-url", url])
    assert result.exit_code == 1
    noted = db.execute("select checks, findings, auditor from credits.audits").fetchone()
    assert noted is not None
    assert noted[0] == len(checks)
    assert noted[1] >= 7


def test_books_without_checks_prove_nothing(empty_url: str) -> None:
    assert audit.run(empty_url) == []
    assert not audit.sound([])
    result = CliRunner().invoke(main, ["audit", "--database-url", empty_url])
    assert result.exit_code == 1
    assert "no checks" in result.output


def test_an_auditor_leaves_word_of_the_audit(
    url: str, db: psycopg.Connection[Any], connect_as: Callable[..., Any]
) -> None:
    login = as_login(url, "pgcredits_auditor", PASSWORD)
    checks = audit.run(login)
    assert audit.note(login, checks)
    noted = "select checks, findings, auditor from credits.audits"
    assert db.execute(noted).fetchall() == [(len(checks), 0, "pgcredits_auditor")]
    db.execute("revoke execute on function credits.note_audit from auditor")
    assert not audit.note(login, checks[:1])
    assert db.execute(noted).fetchall() == [(len(checks), 0, "pgcredits_auditor")]
