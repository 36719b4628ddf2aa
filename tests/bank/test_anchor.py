"""`pgcredits audit anchor` and `verify`: what the bank had once, it still has."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from support import PASSWORD

from pgcredits.bank import audit
from pgcredits.bank.audit import anchors
from pgcredits.cli import main
from pgcredits.database_urls import as_login

# A chain written anew: entry 2 of the first account, the entries after it, and the head.
REWRITTEN = """
    update credits.entries set actor = 'somebody' where account_id = (select account_id
        from credits.identities where subject = 'u0') and seq = 2;
    do $$
    declare e credits.entries; h bytea := '';
    begin
        for e in select * from credits.entries where account_id = (select account_id
            from credits.identities where subject = 'u0') order by seq
        loop
            h := credits.entry_hash(h, e);
            update credits.entries as x set hash = h where x.account_id = e.account_id and x.seq = e.seq;
        end loop;
        update credits.wallets as w set head_hash = h where w.account_id = e.account_id;
    end $$
"""


@pytest.fixture
def bank(
    url: str, db: psycopg.Connection[Any], connect_as: Callable[..., psycopg.Connection[Any]]
) -> psycopg.Connection[Any]:
    """Three accounts with three entries each, one without any, and a superuser whom no trigger stops."""
    service = connect_as("service_role")
    for number in range(3):
        service.execute(
            f"select api.add_tokens(user_id => 'u{number}', tokens => 5) from generate_series(1, 3)"
        )
    service.execute("select api.open_account(user_id => 'empty')")
    db.execute("alter table credits.entries disable trigger all")
    db.execute("alter table credits.wallets disable trigger all")
    return db


@contextmanager
def undone(db: psycopg.Connection[Any], seeded: str) -> Iterator[None]:
    """A fault for the while. The next connection sees it, so it is committed."""
    for table in ("entries", "wallets"):
        db.execute(f"create table public.{table} as table credits.{table}")
    db.execute(seeded.encode())
    try:
        yield
    finally:
        db.execute(b"delete from credits.entries; delete from credits.wallets")
        db.execute(b"insert into credits.wallets table public.wallets")
        db.execute(b"insert into credits.entries table public.entries")
        db.execute(b"drop table public.entries, public.wallets")


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", *arguments])


def test_anchor_sees_whatever_a_bank_no_longer_has(
    bank: psycopg.Connection[Any], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = as_login(url, "pgcredits_auditor", PASSWORD)
    monkeypatch.setattr(anchors, "_AT_ONCE", 2)
    file = tmp_path / "anchor.gz"
    made = command("anchor", "--database-url", auditor, "--to", str(file))
    assert made.exit_code == 0, made.output
    told = json.loads(made.output)
    assert (told["accounts"], told["entries"]) == (4, 9)
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    # The root is what anybody computes without us.
    *heads, last = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    assert (hashlib.sha256(b"".join(heads)).hexdigest(), json.loads(last)) == (told["root"], told)

    verify = ("verify", "--database-url", auditor, "--anchor", str(file))
    bank.execute("select api.add_tokens(user_id => 'u1', tokens => 5)")  # the bank lives on
    assert command(*verify, "--root", told["root"]).exit_code == 0
    first = "(select account_id from credits.identities where subject = 'u0')"
    for fault, said, rows in (
        (REWRITTEN, "hash ", 1),
        (f"delete from credits.wallets where account_id = {first}", "no such account", 1),
        (f"delete from credits.entries where account_id = {first} and seq = 3", "no such entry", 1),
        (f"update credits.wallets set seq = 2 where account_id = {first}", "older than the anchor", 1),
        ("delete from credits.wallets", "no such account", 4),
    ):
        with undone(bank, fault):
            found = command(*verify, "--json")
            assert found.exit_code == 1, (fault, found.output)
            check = json.loads(found.stdout)["checks"][0]
            assert check["rows"] == rows, fault
            assert any(said in one["expected"] + one["found"] for one in check["first"]), check
            assert "What to do: " in check["advice"]
            if fault == REWRITTEN:  # sound in itself
                assert audit.run(auditor, only=["hash_chain"])[0].rows == 0
        assert command(*verify).exit_code == 0


@pytest.mark.one_version
def test_server_that_went_back_is_found(bank: psycopg.Connection[Any], url: str, tmp_path: Path) -> None:
    """Without a change of any account: the log of a server only grows. Another server has another log."""
    file = tmp_path / "anchor"
    summary = audit.make_anchor(url, file)
    for identifier, rows in ((summary.system_identifier, 1), ("1", 0)):
        late = {**json.loads(str(summary)), "lsn": "FFFF/0", "system_identifier": identifier}
        other = tmp_path / identifier
        other.write_text(file.read_text().replace(str(summary), json.dumps(late)))
        said: list[str] = []
        assert audit.compare_anchor(url, other, say=said.append).rows == rows
        assert "of 4 account(s) with 9 entries" in said[0]
        assert ["of another server (1; this one is" in line for line in said[1:]] == [True] * (1 - rows)


def _of_no_account(last: str) -> str:
    root = hashlib.sha256(b"").hexdigest()
    return json.dumps({**json.loads(last), "accounts": 0, "entries": 0, "root": root})


@pytest.mark.one_version
def test_file_that_is_not_the_anchor_is_refused(
    bank: psycopg.Connection[Any], url: str, tmp_path: Path
) -> None:
    file, wrong = tmp_path / "anchor", tmp_path / "wrong"
    summary = audit.make_anchor(url, file)
    *heads, last = text = file.read_text().splitlines(keepends=True)
    assert file.read_bytes()[:2] != b"\x1f\x8b"
    for changed, said in (
        ([], "not a whole anchor"),
        (heads, "not a whole anchor"),
        ([*text, "more\n"], "goes on after"),
        ([*heads[1:], last], "was changed"),
        (["".join(text).replace(" 3 ", " 4 ", 1)], "was changed"),
        ([heads[1], heads[0], *text[2:]], "line 2 is not a head"),
        (["x" * 5000, *text], "line 1 is not a head"),
        (["é\n", *text], "cannot read"),
        ([*heads, last.replace("anchor-1", "anchor-9")], "of the format pgcredits-anchor-9"),
        ([*heads, last.replace('"lsn": "', '"lsn": "x')], "not a whole anchor"),
        ([*heads, last.replace('"lsn": "', '"lsn": "-')], "not a whole anchor"),
        ([*heads, json.dumps({**json.loads(last), "lsn": "0/0"})], "not a whole anchor"),
        ([*heads, json.dumps({**json.loads(last), "lsn": "FFFFFFFFF/0"})], "not a whole anchor"),
        ([*heads, json.dumps({**json.loads(last), "system_identifier": "me"})], "not a whole anchor"),
        ([*heads, json.dumps({**json.loads(last), "made_at": 7})], "not a whole anchor"),
        ([*heads, '{"a":' + "[" * 900], "not a whole anchor"),
        (["".join(text).replace(" 3 ", " 9999999999999999999 ", 1)], "is not a head"),
        ([_of_no_account(last)], "has no head"),
        ([*heads, "{}\n"], "not a whole anchor"),
        ([*heads, '{"format": []}\n'], "of the format []"),
    ):
        wrong.write_text("".join(changed))
        refused = command("verify", "--database-url", url, "--anchor", str(wrong))
        assert (refused.exit_code, said in refused.output) == (1, True), (said, refused.output)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hangs_not = command("verify", "--database-url", url, "--anchor", str(pipe))
    assert (hangs_not.exit_code, "not a regular file" in hangs_not.output) == (1, True)
    pipe.unlink()
    wrong.write_bytes(gzip.compress(file.read_bytes())[:-20])
    assert "cannot read" in command("verify", "--database-url", url, "--anchor", str(wrong)).output
    root = command("verify", "--database-url", url, "--anchor", str(file), "--root", "00")
    assert (root.exit_code, summary.root in root.output) == (1, True)

    again = command("anchor", "--database-url", url, "--to", str(file))
    assert (again.exit_code, "never written over" in again.output) == (1, True)
    nowhere = command("anchor", "--database-url", url, "--to", str(tmp_path / "no folder" / "anchor"))
    assert (nowhere.exit_code, "cannot write" in nowhere.output) == (1, True)
    for letters in (250, 300):
        long = command("anchor", "--database-url", url, "--to", str(tmp_path / ("x" * letters)))
        assert (long.exit_code, "cannot write" in long.output) == (1, True), long.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["anchor", "wrong"]
    lost = command("--json", "--database-url", url, "anchor")
    assert (lost.exit_code, "options go after `audit anchor`" in lost.output) == (2, True)
