"""pgcredits audit: sound books, broken books, no books."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from support import PASSWORD

from pgcredits.bank import audit
from pgcredits.bank.audit import checks as audit_checks
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


def command(*arguments: str, url: str) -> Result:
    return CliRunner().invoke(main, ["audit", "--database-url", url, *arguments])


@pytest.mark.one_version
def test_several_connections_find_what_one_finds(
    url: str, db: psycopg.Connection[Any], connect_as: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every range of accounts, in one snapshot, with progress."""
    service = connect_as("service_role")
    for number in range(40):
        service.execute(f"select api.add_tokens(user_id => 'u{number}', tokens => 5)")
    db.execute("alter table credits.entries disable trigger all")
    db.execute("update credits.entries set tokens = tokens + 1")
    monkeypatch.setattr(audit_checks, "_ENTRIES_OF_A_PART", 5)
    said: list[tuple[str, int, int]] = []
    alone = audit.run(url)
    together = audit.run(url, jobs=3, progress=lambda *told: said.append(told))
    assert [(check.name, check.rows) for check in together] == [(check.name, check.rows) for check in alone]
    assert {"hash_chain": 40, "draws": 40, "running_balance": 40}.items() <= {
        check.name: check.rows for check in together
    }.items()
    assert [done for _, done, _ in said] == list(range(1, said[0][2] + 1))
    assert sum(name.startswith("hash_chain, part ") for name, _, _ in said) == 8
    # A range of accounts is a filter of the scan. Otherwise each part would read and sort everything.
    part = audit_checks.parts(db, ["check_hash_chain"])[1]
    (plan,) = db.execute(b"explain (format json) " + part.query().as_bytes(db)).fetchall()
    assert "WindowAgg" in str(plan)
    assert "account_id" in str(lowest(plan[0][0]["Plan"])), plan


def lowest(node: dict[str, Any]) -> list[str]:
    """What the scans of a plan look for."""
    here = [str(node[key]) for key in ("Filter", "Index Cond", "Recheck Cond") if key in node]
    return sum(
        [lowest(child) for child in node.get("Plans", ())], here if "Scan" in node["Node Type"] else []
    )


@pytest.mark.one_version
def test_failure_of_one_connection_ends_the_others(url: str, db: psycopg.Connection[Any]) -> None:
    db.execute(
        "create or replace view audit.check_zero with (security_invoker = true) as"
        " select null::uuid as account_id, '' as expected, (1 / count(*))::text as found"
        " from credits.entries"
    )
    with pytest.raises(psycopg.errors.DivisionByZero):
        audit.run(url, jobs=3)
    # A session ends a moment after its connection.
    left = "select count(*) from pg_stat_activity where application_name = 'pgcredits audit'"
    until = time.monotonic() + 30
    while db.execute(left).fetchone() != (0,):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.one_version
def test_command_runs_one_check_prints_json_and_repeats(url: str, db: psycopg.Connection[Any]) -> None:
    done = command("--only", "balance", "--only", "check_prices", "--json", url=url)
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["sound"], told["mode"], told["findings"]) == (True, "part", 0)
    assert [check["name"] for check in told["checks"]] == ["balance", "prices"]
    assert db.execute("select count(*) from credits.audits").fetchone() == (0,)  # a part is not an audit

    unknown = command("--only", "nothing", url=url)
    assert (unknown.exit_code, "there is no check nothing. There are: access" in unknown.output) == (1, True)
    assert command("--times", "2", url=url).exit_code == 2
    assert command("--watch", "0", url=url).exit_code == 2

    db.execute("update credits.settings set test_clocks = true")
    db.execute("update credits.price_list set call_cost = call_cost + 1 where module_id = 'metube'")
    twice = command("--only", "prices", "--json", "--watch", "1", "--times", "2", url=url)
    assert twice.exit_code == 1
    first, second = (json.loads(line) for line in twice.output.splitlines())
    assert first["checks"][0]["first"] == second["checks"][0]["first"]
    assert first["audited_at"] < second["audited_at"]


@pytest.mark.one_version
def test_watch_goes_on_without_the_database_and_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    answers = iter([psycopg.OperationalError("it is away"), True, KeyboardInterrupt()])

    def once() -> bool:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert audit.watch(once, 60, None, said.append) is False
    assert said == ["no audit: it is away"]
    assert audit.watch(lambda: True, 60, 3, said.append) is True


@pytest.mark.one_version
def test_incremental_audit_of_the_command(
    url: str, db: psycopg.Connection[Any], connect_as: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the auditor, whose sessions write nothing by default; over several connections; again and again."""
    service = connect_as("service_role")
    for number in range(20):
        service.execute(f"select api.add_tokens(user_id => 'u{number}', tokens => 5)")
    login = as_login(url, "pgcredits_auditor", PASSWORD)
    verified = "select count(*), sum(seq) from credits.audit_checkpoints"
    monkeypatch.setattr(audit_checks, "_ENTRIES_OF_A_PART", 5)
    said: list[str] = []
    assert audit.run_changes(login, jobs=3, progress=lambda name, done, of: said.append(name)).rows == 0
    assert sorted(said) == [f"changes, part {number} of 4" for number in range(1, 5)]
    assert db.execute(verified).fetchone() == (20, 20)

    service.execute("select api.add_tokens(user_id => 'u7', tokens => 5)")
    db.execute("alter table credits.entries disable trigger all")
    db.execute("update credits.entries set actor = 'somebody' where seq = 2")
    for _ in range(2):
        broken = command("--incremental", "--json", url=login)
        assert broken.exit_code == 1, broken.output
        told = json.loads(broken.output)
        assert (told["mode"], told["findings"], told["checks"][0]["name"]) == ("incremental", 1, "changes")
        assert "another hash at entry 2" in told["checks"][0]["first"][0]["found"]
    assert "What to do: run the full audit" in command("--incremental", url=login).output
    assert db.execute(verified).fetchone() == (20, 20)
    db.execute("update credits.entries set actor = 'service_role' where seq = 2")
    mended = command("--incremental", "--watch", "1", "--times", "1", url=login)
    assert (mended.exit_code, "what is new is sound" in mended.output) == (0, True), mended.output
    assert db.execute(verified).fetchone() == (20, 21)
    assert db.execute("select count(*) from credits.audits").fetchone() == (0,)
    assert command("--incremental", "--only", "keys", url=login).exit_code == 2
