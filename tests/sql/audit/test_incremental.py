"""The incremental audit: it goes on from the checkpoints, and finds what does not follow from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from callers import Caller
from sql.audit.test_audit import (
    BOUGHT,
    HOLDER,
    ME,
    give_away,
    take_back,
    tell_a_story,
    tell_of_holds,
    tell_of_plans,
    undo,
)

EVERYBODY = "'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'"
# The entries of the main account after its checkpoint.
SINCE, LATEST = 14, 15
# Each is found; each is a command of the superuser's.
FAULTS = [
    # What was verified is gone, or has changed without an entry.
    f"delete from credits.wallets where {ME}",
    f"update credits.wallets set seq = {BOUGHT} where {ME}",
    *(
        f"update credits.wallets set {change} where {HOLDER}"
        for change in (
            "head_hash = sha256('')",
            "posted_at = posted_at + interval '1 microsecond'",
            "balance = balance + 1",
            "debt = debt + 1",
            "lifetime_granted = lifetime_granted + 1",
            "lifetime_spent = lifetime_spent + 1",
            "held = held + 1",
            "held = 0",
            "balance = -1",
        )
    ),
    "update credits.holds set state = 'released', finished_at = created_at"
    f" where {HOLDER} and state = 'open'",
    # The new entries do not follow.
    *(
        f"update credits.entries set {change} where {ME} and seq = {SINCE}"
        for change in (
            "tokens = tokens - 1",
            "balance_after = balance_after + 1",
            "balance_after = -1",
            "debt_after = 1",
            "draws = '[]'",
            """draws = draws || '[{"lot_id": 3, "tokens": -1}]'""",
            "actor = 'nobody'",
            "digests = '{}'",
            "hash = sha256('')",
            "hash = ''",
            "seq = 99",
            "seq = 1",
            "posted_at = posted_at + interval '1 hour'",
            "posted_at = posted_at - interval '1 hour'",
            "account_id = gen_random_uuid()",
        )
    ),
    f"delete from credits.entries where {ME} and seq = {SINCE}",
    f"delete from credits.entries where {ME} and seq = {LATEST}",
    f"delete from credits.entries where {ME} and seq >= {SINCE}",
    "insert into credits.entries select (e).* from (select jsonb_populate_record(e, jsonb_build_object("
    "'posted_at', e.posted_at + interval '1 ms')) as e from credits.entries as e"
    f" where {ME} and seq = {LATEST}) as x",
    f"update credits.entries set hash = sha256('') where {ME} and seq = {LATEST}",
    # The wallet does not say the same.
    *(
        f"update credits.wallets set {change} where {ME}"
        for change in (
            "seq = seq + 1",
            "seq = seq - 1",
            "head_hash = sha256('')",
            "posted_at = posted_at + interval '1 microsecond'",
            "balance = balance + 1",
            "debt = 1",
            "lifetime_granted = lifetime_granted + 1",
            "lifetime_spent = lifetime_spent + 1",
        )
    ),
    f"update credits.lots set remaining = remaining - 1 where {ME} and live",
    f"update credits.lots set held = 1 where {ME} and live",
]
# What only the full audit finds: docs/auditing.md says so.
HIDDEN = {
    "hash_chain": f"update credits.entries set actor = 'nobody' where {ME} and seq = {BOUGHT}",
    "lots": f"update credits.lots set granted = granted + 1 where {HOLDER} and live",
    # Somebody writes a checkpoint that agrees with what they did.
    "sequence": f"delete from credits.entries where {ME} and seq = {SINCE}; insert into"
    " credits.audit_checkpoints as c select account_id, seq, posted_at, now(), balance, debt,"
    f" lifetime_granted, lifetime_spent, head_hash from credits.wallets where {ME}"
    " on conflict (account_id) do update set seq = excluded.seq, posted_at = excluded.posted_at,"
    " balance = excluded.balance,"
    " lifetime_spent = excluded.lifetime_spent, lifetime_granted = excluded.lifetime_granted,"
    " hash = excluded.hash",
}


@pytest.fixture(scope="module")
def told(own_url: str) -> Iterator[tuple[Caller, UUID, UUID]]:
    """A bank with every kind of entry, in a transaction in which no trigger guards the tables."""
    with psycopg.connect(own_url) as connection:
        bank = Caller(connection, "none")
        bank.rows("select credits.define_pack('gift', 'Gift', 100, 500, 'eur', p_bonus_tokens => 60)")
        bank.rows("select credits.define_guest_limits('iahome', 2, 3)")
        account = tell_a_story(bank)
        holder = tell_of_holds(bank)
        tell_of_plans(bank)
        give_away(bank)
        undo(bank, account)
        take_back(bank, account)
        for table in ("wallets", "entries", "lots", "holds"):
            connection.execute(f"alter table credits.{table} disable trigger all")
        yield bank, account, holder
        connection.rollback()


def test_each_fault_since_the_checkpoint_is_found(told: tuple[Caller, UUID, UUID]) -> None:
    bank, account, holder = told
    audited = f"select * from credits.audit_changes({EVERYBODY})"
    checkpoint = "select seq from credits.audit_checkpoints where account_id = %s"
    assert bank.rows(f"select * from credits.change_faults({EVERYBODY})") == []
    assert bank.rows("select * from credits.audit_checkpoints") == []
    assert bank.rows(audited) == []
    (kept,) = bank.rows("select count(*), sum(seq) from credits.audit_checkpoints")
    assert kept == bank.row("select count(*), sum(seq) from credits.wallets")
    assert kept["sum"] == bank.row("select count(*) from credits.entries")["count"] > 30
    assert bank.rows(audited) == []

    assert bank.row(checkpoint, (account,)) == {"seq": SINCE - 1}
    for _ in range(2):
        bank.call("consume_tokens", module_id="metube", user_id="told")
    for fault in FAULTS:
        with bank.connection.transaction(force_rollback=True):
            subject = seed(bank, fault, account, holder)
            before = bank.row(checkpoint, (subject,))
            bank.connection.execute("set local role auditor")
            looked = bank.rows(f"select * from credits.change_faults({EVERYBODY})")
            bank.connection.execute("reset role")
            found = bank.rows(audited)
            assert subject in {row["account_id"] for row in found}, fault
            assert [row["found"] for row in found] == [row["found"] for row in looked]
            assert all(row["expected"] and row["found"] for row in found)
            assert bank.row(checkpoint, (subject,)) == before, fault
            assert bank.rows(audited) == found, "a fault stays one until it is mended"
    for check, fault in HIDDEN.items():
        with bank.connection.transaction(force_rollback=True):
            subject = seed(bank, fault, account, holder)
            assert bank.rows(audited) == [], fault
            assert bank.rows(f"select * from audit.check_{check} where account_id = %s", (subject,)), fault
    assert bank.rows(audited) == []
    assert bank.row(checkpoint, (account,)) == {"seq": LATEST}


def seed(bank: Caller, fault: str, account: UUID, holder: UUID) -> UUID:
    subject = holder if "%(holder)s" in fault else account
    done = bank.connection.execute(re.sub(r"%\(\w+\)s", f"'{subject}'", fault).encode())
    assert done.rowcount != 0, fault
    return subject


def test_each_audit_of_a_range_is_of_that_range(told: tuple[Caller, UUID, UUID]) -> None:
    bank, account, holder = told
    with bank.connection.transaction(force_rollback=True):
        bank.rows("delete from credits.audit_checkpoints returning 1")
        assert bank.rows("select * from credits.audit_changes(%s, %s)", (account, account)) == []
        assert bank.rows("select account_id from credits.audit_checkpoints") == [{"account_id": account}]
        bank.connection.execute("update credits.wallets set head_hash = ''")
        found = bank.rows("select * from credits.audit_changes(%s, %s)", (holder, holder))
        assert {row["account_id"] for row in found} == {holder}
        assert len(bank.rows("select account_id from credits.audit_checkpoints")) == 1


def test_auditor_writes_no_checkpoint_by_hand(told: tuple[Caller, UUID, UUID]) -> None:
    bank, *_ = told
    for statement in (
        "update credits.audit_checkpoints set seq = 99",
        "delete from credits.audit_checkpoints",
        "insert into credits.audit_checkpoints select * from credits.audit_checkpoints limit 1",
    ):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            bank.connection.transaction(force_rollback=True),
        ):
            bank.connection.execute("set local role auditor")
            bank.connection.execute(statement)
