"""A user is forgotten: nothing says who it was. The books and their hash chain stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, Row, at_once, findings, refused, slugs
from holding import Bank, hold
from sql.reversals.payments import paid
from stripe_events import COMPLETED, EXPIRED, SAYS, attached, event, session
from topping import claim, report

MARK = "ZQXMARKZQX"  # nothing of the bank's own has these letters
ADA = f"{MARK}@example.org"
HASH = f"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${MARK}"
NOTE = {"note": MARK}
PAID = {"customer": f"cus_{MARK}", "customer_details": {"email": ADA}}
CHAIN = (
    "select account_id, seq, hash, digests is not null as digests from credits.entries"
    " where account_id = %s order by seq"
)


def key(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def live(bank: Bank) -> Row:
    """A user with a password, a purchase, charges, a hold, notes everywhere, and no balance. The newcomer."""
    bank.call("register_webhook", url="https://shop.example/hook")
    networks = {"device_keys": [key("device")], "network_keys": [key("network")]}
    newcomer = bank.call("sign_up", email=ADA.lower(), password_hash=HASH, **networks)
    user = str(newcomer["user_id"])
    bank.call("open_session", email=ADA.lower(), password_hash=HASH)
    order = attached(bank, bank.call("create_order", pack_id="standard", user_id=user))
    bank.call("apply_stripe_event", event=event(COMPLETED, session(order, **PAID)), payload=ADA.encode())
    bank.connection.execute(
        "update credits.accounts as a set stripe_customer_id = %s from credits.identities as i"
        " where i.account_id = a.account_id and i.subject = %s",
        (PAID["customer"], user),
    )
    bank.call("add_tokens", user_id=user, tokens=100, metadata=NOTE, idempotency_key=MARK)
    charged = bank.call(
        "consume_tokens", user_id=user, module_id="whisper", metadata=NOTE, idempotency_key=MARK
    )
    bank.call("consume_tokens", user_id=user, module_id="whisper", tags={"job": MARK})
    bank.call("refund_usage", entry_id=charged["entry_id"], reason=MARK)
    held = hold(bank, 2, user_id=user, metadata=NOTE, tags={"job": MARK})
    bank.call("capture_hold", hold_id=held["hold_id"], usage={"calls": 1})
    bank.call("release_hold", hold_id=hold(bank, 1, user_id=user, metadata=NOTE)["hold_id"], reason=MARK)
    bank.call("report_failure", user_id=user, module_id="whisper", metadata=NOTE)
    account = bank.row("select account_id from credits.identities where subject = %s", (user,))["account_id"]
    bank.call("void_lot", lot_id=f"{account}:2", tokens=1, reason=MARK)
    # A grant of this kind has the metadata of its caller, with names that the bank uses as well.
    bank.call(
        "add_tokens",
        user_id=user,
        tokens=3,
        reason="adjustment",
        metadata={"before": MARK, "number": 1, "x": MARK},
    )
    bank.call("freeze_account", user_id=user, reason=MARK)
    bank.call("thaw_account", user_id=user, reason=MARK)
    bank.call("open_account", user_id="bea")
    return {"user": user, "account": account, "order": order}


def everywhere(bank: Bank) -> list[str]:
    """The tables that still say the mark, in any column: as text, or in bytes."""
    tables = bank.rows(
        "select c.oid::regclass::text as name from pg_class as c"
        " where c.relnamespace = 'credits'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
    )
    assert len(tables) > 60
    said = "t::text ilike %s or t::text ilike %s"
    hexed = MARK.encode().hex()
    return sorted(
        table["name"]
        for table in tables
        if bank.rows(
            f"select 1 as one from {table['name']} as t where {said} limit 1", (f"%{MARK}%", f"%{hexed}%")
        )
    )


def forget(bank: Caller, **arguments: Any) -> Row:
    return bank.call("forget_user", **arguments)


def test_forgotten_user_leaves_sound_books_and_no_name(bank: Bank) -> None:
    life = live(bank)
    account = life["account"]
    before = bank.rows(CHAIN, (account,))
    assert len(everywhere(bank)) >= 8
    with refused("cannot_forget") as facts:
        forget(bank, user_id=life["user"])
    assert facts["reasons"] == ["balance"]
    balance = bank.row("select balance from credits.wallets where account_id = %s", (account,))["balance"]

    told = forget(bank, user_id=life["user"], give_up_balance=True)
    assert told == {
        "account_id": account,
        "state": "forgotten",
        "given_up": balance,
        "sql_logins": [],
        "replayed": False,
    }
    bank.sound()
    after = bank.rows(CHAIN, (account,))
    assert [row["hash"] for row in after[: len(before)]] == [row["hash"] for row in before]
    assert sum(row["digests"] for row in after) == 7, "two grants, two charges, a refund, a capture, a void"
    assert everywhere(bank) == ["credits.stripe_calls"], "only the call that deletes the customer"

    (call,) = claim(bank)
    assert (call["kind"], call["params"]) == ("delete_customer", {"customer": f"cus_{MARK}"})
    report(bank, call, {"object": {"id": f"cus_{MARK}", "object": "customer", "deleted": True}})
    assert everywhere(bank) == []
    bank.sound()

    # What still reaches the account.
    again = forget(bank, account_id=account)
    assert (again["replayed"], again["state"]) == (True, "forgotten")
    with refused("unknown_user"):
        forget(bank, user_id=life["user"])
    assert bank.rows("select account_id from api.forgotten_users") == [{"account_id": account}]
    late = event(COMPLETED, session(life["order"], **PAID))
    assert bank.call("apply_stripe_event", event=late, payload=ADA.encode())["outcome"] == "duplicate"
    bank.call("maintain")
    customer = {"id": f"cus_{MARK}", "object": "customer", "email": ADA}
    bank.call("apply_stripe_event", event=event("customer.deleted", customer), payload=ADA.encode())
    stored = bank.rows("select payload, original, names from credits.stripe_events")
    assert "example.org" not in repr(stored)
    assert [row["original"] for row in stored] == [None] * 3

    # The same person is a new one.
    anew = bank.call("sign_up", email=ADA.lower(), password_hash=HASH)
    assert anew["user_id"] != life["user"]


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update credits.wallets set debt = 5 where {me}", "debt"),
        (
            "insert into credits.shortfalls (account_id, hold_id, entry_seq, tokens, created_at)"
            " select account_id, hold_id, 1, 5, now() from credits.holds where {me} limit 1",
            "debt",
        ),
        ("update credits.holds set state = 'open', finished_at = null where {me}", "hold"),
        ("update credits.orders set reversal_pending = 5 where {me}", "refund"),
        (
            "insert into credits.refund_requests (account_id, order_id, tokens, amount, actor, requested_at)"
            " select account_id, order_id, 5, 5, 'me', now() from credits.orders where {me}",
            "refund",
        ),
        ("update credits.orders set disputed = true where {me}", "dispute"),
        ("update credits.orders set state = 'processing', paid_at = null where {me}", "payment"),
        (
            "select credits.put_call(account_id, 'refund', account_id, '{{}}')"
            " from credits.wallets where {me}",
            "payment",
        ),
        (
            "insert into credits.subscriptions (account_id, subscription_id, status, created_at)"
            " select account_id, 'sub_1', 'past_due', now() from credits.wallets where {me}",
            "subscription",
        ),
        ("update credits.stripe_events set outcome = 'parked' where {me}", "event"),
        (
            "insert into credits.stripe_mirror_events (event_id, bucket, type, livemode, created_at,"
            " pulled_at, payload) select 'evt_missed', 0, 'x', false, now(), now(),"
            " jsonb_build_object('data', jsonb_build_object('object',"
            " jsonb_build_object('client_reference_id', account_id)))"
            " from credits.wallets where {me}",
            "event",
        ),
    ],
)
def test_user_is_not_forgotten_while_money_may_move(change: str, reason: str, world: Bank, life: Row) -> None:
    with world.connection.transaction(force_rollback=True):
        changed = world.connection.execute(change.format(me=f"account_id = '{life['account']}'"))
        assert changed.rowcount > 0
        with refused("cannot_forget") as facts:
            forget(world, user_id=life["user"], give_up_balance=True)
        assert facts["reasons"] == [reason]


@pytest.fixture(scope="module")
def world(own_url: str) -> Iterator[Bank]:
    """A bank that these tests share, in a transaction that is rolled back."""
    with psycopg.connect(own_url) as connection:
        yield Bank(connection, "none")
        connection.rollback()


@pytest.fixture(scope="module")
def life(world: Bank) -> Row:
    return live(world)


# Text that says nothing about a person: why it stays.
KEPT = {
    "of the price list": "catalogs module_categories modules dimensions prices price_components price_tiers"
    " price_list packs topups topup_presets campaigns guest_limits notice_rules plans plan_versions"
    " currencies entry_kinds priced_targets retention_periods",
    "of the bank and its operators": "analyst_grants settings releases release_objects webhook_endpoints"
    " webhook_secrets webhook_changes api_keys api_key_secrets api_key_changes audits trusted_logins"
    " stripe_cursors forgotten_accounts finance_accounts closed_months closed_sums closed_postings",
    "of objects at Stripe and of nobody": "awaited_objects stripe_objects",
}
KEPT_COLUMNS = {
    "accounts": "kind",
    "wallets": "status head_hash",
    "status_changes": "status actor",
    "sign_in_sessions": "ended_by",
    "refresh_tokens": "token_hash",
    "password_changes": "actor",
    # What was bought, and the ids under which Stripe and the books know the payment.
    "orders": "state parked_reason pack_id package_name scope currency stripe_price_id checkout_session_id"
    " payment_intent_id kind",
    "stripe_events": "event_id type outcome reason",
    "stripe_mirror": "object_id kind status currency payment_intent_id charge_id",
    "stripe_mirror_events": "event_id type object_id payload original",  # missed events stand in the way
    "event_decisions": "event_id decision actor outcome",
    "reversals": "reversal_id kind status",
    "subscriptions": "subscription_id plan_id status pause said_by",
    "subscription_invoices": "invoice_id subscription_id state currency plan_id credited_subscription_id",
    "refund_requests": "state refund_id actor",
    "stripe_calls": "kind idempotency_key state",
    # The hash covers these in the clear: docs/retention.md says what must not stand there.
    "entries": "kind draws module_id usage campaign_id package_name actor hash digests",
    "audit_checkpoints": "hash",
    "money_returns": "cause",
    "lots": "source scope package_name currency",
    "holds": "state module_id price_source usage usage_left draws actor first_draws",
    "failures": "module_id",
    "shortfalls": "state",
    "spend_limits": "set_by period",
    "codes": "campaign_id",
    "redemptions": "campaign_id",
    "referrals": "campaign_id state",
    "free_periods": "plan_id",
    "guests": "",
    "guest_networks": "network_key",  # others come from the same network
    "guest_uses": "module_id state",
    "idempotency_keys": "operation fingerprint",
    "topup_consents": "kind pack_id currency reason actor",
    "auto_topups": "state reason pack_id currency",
    "topup_attempts": "state reason currency payment_intent_id",
    "webhook_deliveries": "state",
    "outbox": "kind",
}
# Rows that the life above does not write.
PLANTED = (
    "insert into credits.sql_logins (login, account_id) values ('{mark}', '{account}')",
    "insert into credits.sign_in_networks values ('{account}', '{mark}', now())",
    "insert into credits.password_changes (account_id, changed_at, actor) values ('{account}', now(), 'x')",
    "insert into credits.campaigns (campaign_id, kind, title, tokens) values ('c', 'referral', 'C', 5)",
    "insert into credits.codes (code, campaign_id, referrer_id) values ('{mark}', 'c', '{account}')",
    "insert into credits.referrals (account_id, referrer_id, campaign_id, code, created_at)"
    " select account_id, '{account}', 'c', '{mark}', now() from credits.identities where subject = 'bea'",
    "insert into credits.redemptions (account_id, campaign_id, number, lot_id, code, redeemed_at)"
    " values ('{account}', 'c', 0, 2, '{mark}', now())",
    "insert into credits.webhook_deliveries (account_id, notice_id, endpoint_id, due_at, last_trouble,"
    " created_at) select account_id, notice_id, gen_random_uuid(), now(), '{mark}', now()"
    " from credits.outbox where account_id = '{account}' limit 1",
    "insert into credits.refund_requests (account_id, order_id, state, tokens, amount, actor, requested_at,"
    " ended_at) select account_id, order_id, 'failed', 5, 5, 'me', now(), now() from credits.orders"
    " where account_id = '{account}'",
    "insert into credits.subscriptions (account_id, subscription_id, status, created_at)"
    " values ('{account}', 'sub_1', 'canceled', now())",
    "insert into credits.subscription_invoices (account_id, invoice_id, subscription_id, state, created_at)"
    " values ('{account}', 'in_1', 'sub_1', 'void', now())",
    "insert into credits.stripe_calls (account_id, kind, made_for, idempotency_key, params, state, due_at,"
    " created_at, ended_at) values ('{account}', 'refund', '{account}', 'k', '{{}}', 'failed', now(), now(),"
    " now())",
    "insert into credits.stripe_mirror (object_id, kind, bucket, named_account, created_at, pulled_at,"
    " payload) values ('ch_1', 'charge', 0, '{account}', now(), now(), '{{}}')",
    "insert into credits.topup_consents (account_id, consent_id, kind, agreed_id, words, threshold, tokens,"
    " amount, currency, monthly_limit, actor, decided_at, customer_id, payment_method_id)"
    " values ('{account}', '{account}', 'consent', '{account}', '{mark}', 5, 5, 5, 'eur', 5, 'me', now(),"
    " 'cus_{mark}', 'pm_{mark}')",
    "insert into credits.auto_topups (account_id, state, reason, threshold, tokens, amount, currency,"
    " monthly_limit, changed_at) values ('{account}', 'off', 'x', 5, 5, 5, 'eur', 5, now())",
    "insert into credits.event_decisions (event_id, number, decision, reason, actor, outcome, decided_at)"
    " select event_id, 1, 'replayed', 'x', 'me', 'x', now()"
    " from credits.stripe_events where account_id = '{account}'",
    "insert into credits.guests (device_key, first_seen_at, linked_to, linked_at)"
    " values (encode(sha256('{mark}'), 'hex'), now(), '{account}', now())",
    "insert into credits.sign_in_counts (scope, attempts, window_ends)"
    " select 'account:' || credits.email_key('{email}'), 1, now() + interval '1 hour'",
)


def decided() -> set[tuple[str, str]]:
    return {(table, column) for table, columns in KEPT_COLUMNS.items() for column in columns.split()}


@pytest.mark.one_version
def test_no_column_of_any_table_says_who_it_was(world: Bank, life: Row) -> None:
    """The columns come from the catalog: a new column of text fails until somebody decides about it."""
    tables_kept = {table for tables in KEPT.values() for table in tables.split()}
    columns = world.rows(
        "select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, null) as type"
        " from pg_attribute as a join pg_class as c on c.oid = a.attrelid"
        " join pg_type as t on t.oid = a.atttypid"
        " where c.relnamespace = 'credits'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
        " and a.attnum > 0 and not a.attisdropped and (t.typcategory in ('S', 'E') or t.typname in"
        " ('jsonb', 'json', 'bytea', '_text', 'xml', 'hstore') or t.typbasetype = 'text'::regtype)"
    )
    wiped = {
        (row["table_name"], row["column_name"]): row["type"]
        for row in columns
        if row["table_name"] not in tables_kept and (row["table_name"], row["column_name"]) not in decided()
    }
    assert {table for table, _ in wiped} > {"entries", "holds", "outbox", "identities", "stripe_events"}
    known = {(row["table_name"], row["column_name"]) for row in columns}
    assert decided() <= known, f"no such columns: {decided() - known}"

    with world.connection.transaction(force_rollback=True):
        connection, account = world.connection, life["account"]
        connection.execute("set local session_replication_role = replica")
        for statement in PLANTED:
            planted = connection.execute(
                statement.format(account=account, mark=MARK, email=ADA.lower()).encode()
            )
            assert planted.rowcount > 0, statement
        before = {table: _rows(world, table) for table, _ in wiped}
        for (table, column), kind in sorted(wiped.items()):
            _mark(connection, table, column, kind, str(account))
        said = everywhere(world)
        assert {f"credits.{table}" for table, _ in wiped} - set(said) == {
            "credits.guests",
            "credits.sign_in_counts",
        }, "these hold keyed hashes alone"
        connection.execute("set local session_replication_role = origin")
        forget(world, account_id=life["account"], give_up_balance=True)
        for call in claim(world):
            report(world, call, {"absent": True})
        assert everywhere(world) == []
        device = key(MARK)
        assert world.rows("select 1 as one from credits.guests where device_key = %s", (device,)) == []
        assert _rows(world, "sign_in_counts") == before["sign_in_counts"] - 1
        assert _rows(world, "account_origins") == before["account_origins"] - 1


def _rows(world: Bank, table: str) -> int:
    return int(world.row(f"select count(*) as n from credits.{table}")["n"])


def _mark(connection: Connection, table: str, column: str, kind: str, account: str) -> None:
    """Write the mark into this column of every row that it fits, unless the life above has."""
    value = {
        "jsonb": f"jsonb_build_object('name', '{MARK}')",
        "text[]": f"array['{MARK}']",
        "bytea": f"'{MARK}'::bytea",
    }.get(kind, f"'{MARK}'")
    marked = ("entries", "guests", "sign_in_counts", "idempotency_keys", "topup_consents")
    if table in marked or column == "email":
        return  # these say it already
    where = f" where account_id = '{account}'" if _has_account(connection, table) else ""
    changed = connection.execute(f"update credits.{table} set {column} = {value}{where}".encode())
    assert changed.rowcount > 0 or table in ("codes", "redemptions", "referrals"), f"{table}.{column}"


def _has_account(connection: Connection, table: str) -> bool:
    return table not in ("codes", "redemptions", "referrals", "event_decisions") and bool(
        connection.execute(
            "select 1 from pg_attribute where attrelid = %s::regclass and attname = 'account_id'",
            (f"credits.{table}",),
        ).fetchall()
    )


@pytest.mark.one_version
def test_nothing_else_may_change_an_entry(bank: Bank) -> None:
    life = live(bank)
    me = f"account_id = '{life['account']}'"
    begun = (
        "insert into credits.forgotten_accounts (account_id, forgotten_at, gave_up, actor)"
        f" values ('{life['account']}', credits.clock(), 0, 'x')"
    )
    right = ", ".join(
        f"{name} = (credits.forgotten_entry(e)).{name}" for name in ("digests", "metadata", "tags")
    )
    wrong = '{"metadata": "00"}'
    refusals = [
        ("", f"update credits.entries as e set {right} where {me}"),
        (begun, f"update credits.entries as e set metadata = '{{}}' where {me}"),
        (begun, f"update credits.entries as e set {right}, tokens = tokens + 1 where {me}"),
        (begun, f"update credits.entries as e set {right}, actor = 'nobody' where {me}"),
        (begun, f"update credits.entries as e set {right} where account_id <> '{life['account']}'"),
        (
            begun,
            f"update credits.entries as e set digests = '{wrong}', metadata = '{{}}', tags = null where {me}",
        ),
        (begun, f"delete from credits.entries where {me}"),
        (
            begun + "; update credits.forgotten_accounts set finished_at = credits.clock()",
            f"update credits.entries as e set {right} where {me}",
        ),
    ]
    bank.call("add_tokens", user_id="bea", tokens=100, metadata=NOTE)
    for before, change in refusals:
        with bank.connection.transaction(force_rollback=True):
            if before:
                bank.connection.execute(before.encode())
            with refused("append_only"), bank.connection.transaction():
                bank.connection.execute(change.encode())
    with bank.connection.transaction(force_rollback=True):
        bank.connection.execute(begun.encode())
        changed = bank.connection.execute(f"update credits.entries as e set {right} where {me}".encode())
        assert changed.rowcount > 4
        # Even so the audit says that nobody forgot this user: the account is not closed.
        assert {row["check_name"] for row in findings(bank)} == {"check_forgotten"}


FORGED = [
    "metadata = '{\"note\": \"forged\"}' where digests ? 'metadata' and kind = 'spend'",
    "metadata = metadata || '{\"reason\": \"forged\"}' where kind = 'adjustment' and metadata ? 'voided'",
    "metadata = metadata || '{\"before\": \"forged\"}' where kind = 'adjustment' and metadata ? 'voided'",
    "tags = '{\"job\": \"forged\"}' where digests ? 'tags'",
    "digests = digests || '{\"note\": \"forged\"}' where digests ? 'tags'",
]


def test_words_beside_a_digest_are_found_by_both_audits(bank: Bank) -> None:
    life = live(bank)
    forget(bank, user_id=life["user"], give_up_balance=True)
    changes = (
        "select account_id from credits.change_faults("
        "'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff')"
    )
    assert (findings(bank), bank.rows(changes)) == ([], [])
    for forged in FORGED:
        with bank.connection.transaction(force_rollback=True):
            bank.connection.execute("alter table credits.entries disable trigger entries_are_never_changed")
            changed = bank.connection.execute(f"update credits.entries set {forged}".encode())
            assert changed.rowcount > 0, forged
            bank.connection.execute(
                "alter table credits.entries enable always trigger entries_are_never_changed"
            )
            found = {(row["check_name"], row["account_id"]) for row in findings(bank)}
            assert ("check_forgotten", life["account"]) in found, forged
            assert not {name for name, _ in found} - {"check_forgotten", "check_tags"}, (forged, found)
            assert bank.rows(changes) == [{"account_id": life["account"]}], forged


@pytest.mark.one_version
def test_many_entries_are_forgotten_in_steps_which_maintenance_finishes(bank: Bank) -> None:
    life = live(bank)
    told = bank.row("select * from credits.forget_account(%s)", (life["account"],))
    assert told["gave_up"] > 0
    assert bank.row("select credits.go_on_forgetting(%s, 2) as n", (life["account"],))["n"] == 2
    again = bank.row("select finished_at from api.forgotten_users")
    assert again["finished_at"] is None
    assert [bank.call("maintain", max_keys=2)["forgotten"] for _ in range(4)] == [2, 2, 1, 0]
    assert bank.row("select finished_at is not null as done from api.forgotten_users")["done"]


@pytest.mark.one_version
def test_only_a_service_forgets_and_names_one_person(bank: Bank) -> None:
    bank.call("add_tokens", user_id="ada", tokens=5)
    for arguments in ({}, {"user_id": "ada", "account_id": "00000000-0000-4000-8000-000000000000"}):
        with refused("bad_user"), bank.connection.transaction():
            forget(bank, **arguments)
    with refused("unknown_user"), bank.connection.transaction():
        forget(bank, user_id="nobody")
    with refused("unknown_user"), bank.connection.transaction():
        forget(bank, account_id="00000000-0000-4000-8000-000000000000")
    # Tokens that were given need no consent to expire.
    assert forget(bank, user_id="ada")["given_up"] == 5
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bank.user("ada").call("forget_user", user_id="ada")


@pytest.mark.one_version
def test_spends_and_calls_to_forget_at_once_end_in_one_forgotten_user(
    user: Callable[..., Caller], service: Caller, admin: Connection, crowd: Callable[[int], list[Caller]]
) -> None:
    ada = user(1000, metadata=NOTE)
    callers = crowd(8)
    spends = [
        partial(one.call, "consume_tokens", module_id="metube", user_id=ada.user_id, metadata=NOTE)
        for one in callers[:6]
    ]
    forgets = [partial(forget, one, user_id=ada.user_id) for one in callers[6:]]
    results = at_once(spends + forgets)
    assert set(slugs(results)) <= {"account_frozen", "unknown_user"}
    told = [result for result in results[6:] if isinstance(result, dict)]
    assert [one["state"] for one in told].count("forgotten") == len(told) > 0
    account = told[0]["account_id"]
    spent = sum(isinstance(result, dict) for result in results[:6])
    assert told[0]["given_up"] == 1000 - 10 * spent
    said = admin.execute(
        "select count(*) filter (where metadata ? 'note'), count(*) filter (where digests is not null)"
        " from credits.entries where account_id = %s",
        (account,),
    ).fetchone()
    assert said == (0, 1 + spent)
    assert admin.execute(BOOKS).fetchall() == []
    with refused("unknown_user"):
        service.call("consume_tokens", module_id="metube", user_id=ada.user_id)


@pytest.mark.one_version
def test_money_that_comes_back_later_is_still_booked(bank: Bank) -> None:
    payment = paid(bank, "ada")
    bank.call("consume_tokens", user_id="ada", module_id="metube", metadata=NOTE)
    account = forget(bank, user_id="ada", give_up_balance=True)["account_id"]
    evidence = {"customer_email_address": ADA, "customer_name": MARK}
    for step in ("created", "funds_withdrawn", "lost"):
        payment.dispute(step, evidence=evidence)
    bank.sound()
    wallet = bank.row("select status, balance, debt from credits.wallets where account_id = %s", (account,))
    # The tokens that were spent are owed. Nobody owes those that expired.
    assert wallet == {"status": "closed", "balance": -10, "debt": 10}
    assert bank.call("maintain")["forgotten"] >= 3
    assert everywhere(bank) == []
    bank.sound()


@pytest.mark.one_version
def test_payment_after_forgetting_waits_for_a_person(bank: Bank) -> None:
    bank.call("open_account", user_id="ada")
    order = attached(bank, bank.call("create_order", pack_id="standard", user_id="ada"))
    unpaid = session(order, customer=None, payment_intent=None, **SAYS[EXPIRED])
    ended = event(EXPIRED, unpaid)
    assert bank.call("apply_stripe_event", event=ended)["outcome"] == "expired"
    account = forget(bank, user_id="ada")["account_id"]

    late = event(COMPLETED, session(order, **PAID))
    assert bank.call("apply_stripe_event", event=late, payload=ADA.encode())["outcome"] == "parked"
    (parked,) = bank.rows("select * from audit.parked")
    assert parked["event_id"] == late["id"] and "forgotten" in repr(parked)
    assert bank.call("replay_event", event_id=late["id"], reason="again")["outcome"] == "parked"
    held = bank.row("select balance from credits.wallets where account_id = %s", (account,))
    assert held["balance"] == 0
    bank.call("dismiss_event", event_id=late["id"], reason="refunded at Stripe")
    # Its words go then, and the customer that only this event names is deleted.
    assert bank.call("maintain")["forgotten"] == 1
    assert everywhere(bank) == ["credits.stripe_calls"]
    (call,) = claim(bank)
    assert (call["kind"], call["params"]) == ("delete_customer", {"customer": f"cus_{MARK}"})
    bank.sound()


@pytest.mark.one_version
def test_customer_whom_only_an_event_names_is_deleted_at_stripe(bank: Bank) -> None:
    paid(bank, "ada")
    account = bank.row("select account_id from credits.identities where subject = 'ada'")["account_id"]
    bank.connection.execute(
        "update credits.stripe_events set names = names || '{cus_own,cus_of_bea}' where account_id = %s",
        (account,),
    )
    bank.call("open_account", user_id="bea")
    bank.connection.execute(
        "update credits.accounts set stripe_customer_id = case when account_id <> %s then 'cus_of_bea' end",
        (account,),
    )
    forget(bank, user_id="ada", give_up_balance=True)
    deleted = sorted(call["params"]["customer"] for call in claim(bank))
    assert deleted == ["cus_1", "cus_own"], "cus_1 is what the session says itself"
    assert bank.rows("select 1 as one from credits.stripe_events where names && '{cus_own,cus_of_bea}'") == []


@pytest.mark.one_version
def test_late_capture_of_a_forgotten_user_is_told_by_the_audit(bank: Bank) -> None:
    bank.call("add_tokens", user_id="ada", tokens=500)
    bank.call("set_overdraft_limit", user_id="ada", tokens=50)
    held = hold(bank, 2, user_id="ada")
    bank.at("2098-06-01 12:30Z")
    bank.call("maintain")
    account = forget(bank, user_id="ada")["account_id"]
    late = bank.call("capture_hold", hold_id=held["hold_id"])
    assert (late["late"], late["debt"], late["shortfall"]) == (True, 0, late["cost"])
    assert [(row["check_name"], row["account_id"]) for row in findings(bank)] == [
        ("check_forgotten", account)
    ]
    owed = bank.row("select shortfall_id from credits.shortfalls where account_id = %s", (account,))
    bank.call("close_shortfall", shortfall_id=f"{account}:{owed['shortfall_id']}", state="written_off")
    bank.sound()
