"""Ids begin with the bucket of their user, by which a bank on several servers will route: docs/scaling.md."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from callers import STEADY, Caller, Connection, Row
from holding import Bank, clock_hold
from hypothesis import given
from hypothesis import strategies as st
from stripe_events import COMPLETED, attached, event, session

if TYPE_CHECKING:
    from conftest import Town

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NOBODY = "00000000-0000-4000-8000-000000000000"


def bucket(subject: str) -> str:
    """Four hex digits."""
    return hashlib.sha256(subject.encode()).hexdigest()[:4]


def account(admin: Connection, user_id: str) -> UUID:
    row = admin.execute("select account_id from credits.identities where subject = %s", (user_id,)).fetchone()
    assert row is not None
    found = row[0]
    assert isinstance(found, UUID)
    return found


@STEADY
@given(user_id=st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_an_account_id_is_a_random_uuid_that_begins_with_the_bucket(admin: Connection, user_id: str) -> None:
    rows = admin.execute(
        "select credits.new_account_id(%s) from generate_series(1, 3)", (user_id,)
    ).fetchall()
    made = [row[0] for row in rows]
    assert {one.hex[:4] for one in made} == {bucket(user_id)}
    assert {(one.version, one.variant) for one in made} == {(4, UUID(NOBODY).variant)}
    assert len({one.hex[4:] for one in made}) == 3
    assert admin.execute("select credits.bucket_of(%s)", (made[0],)).fetchone() == (int(bucket(user_id), 16),)


def test_an_account_without_a_user_is_in_a_random_bucket(admin: Connection) -> None:
    rows = admin.execute("select credits.new_account_id() from generate_series(1, 100)").fetchall()
    assert len({one.hex[:4] for (one,) in rows}) > 90
    assert {one.version for (one,) in rows} == {4}
    with pytest.raises(psycopg.errors.NotNullViolation):
        admin.execute("insert into credits.accounts default values")


def test_every_way_of_opening_an_account_takes_the_bucket_of_its_user(
    service: Caller, admin: Connection
) -> None:
    mine = uuid4().hex
    ways: dict[str, tuple[str, Row]] = {
        "grant": ("add_tokens", {"tokens": 1}),
        "open": ("open_account", {}),
        "order": ("create_order", {"pack_id": "standard"}),
    }
    for way, (function, arguments) in ways.items():
        service.call(function, user_id=f"{way}_{mine}", **arguments)
        assert account(admin, f"{way}_{mine}").hex[:4] == bucket(f"{way}_{mine}"), way
    user_id = service.call("sign_up", email=f"{mine}@example.com", password_hash="$argon2id$x")["user_id"]
    assert account(admin, user_id).hex[:4] == bucket(user_id)


def test_ids_of_what_an_account_does_begin_with_its_bucket(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    hold_id = clock_hold(bank)["hold_id"]
    entry_id = bank.call("capture_hold", hold_id=hold_id, usage={"calls": 9}, over="available")["entry_id"]
    shortfall_id = bank.row("select shortfall_id from api.shortfalls")["shortfall_id"]
    assert {name[:4] for name in (hold_id, entry_id, shortfall_id)} == {bucket("clock")}


def test_a_referral_code_begins_with_the_bucket(town: Town) -> None:
    town.campaign("friends", "referral", 10)
    for _ in range(20):
        user = town.user()
        user.call("open_account")
        code = user.call("referral_code")["code"]
        assert len(code) == 8 and set(code) <= set(LETTERS)
        assert "".join(f"{LETTERS.index(letter) // 2:x}" for letter in code[:4]) == bucket(str(user.user_id))


def test_referral_codes_of_one_account_share_the_bucket_alone(admin: Connection) -> None:
    rows = admin.execute(
        "select credits.new_referral_code('ffff0000-0000-4000-8000-000000000000')"
        " from generate_series(1, 200)"
    ).fetchall()
    codes = [code for (code,) in rows]
    assert {letter for code in codes for letter in code[:4]} == {"Y", "Z"}
    assert len(set(codes)) == 200
    assert {letter for code in codes for letter in code[4:]} == set(LETTERS)


def kept(admin: Connection, event_id: str) -> int:
    row = admin.execute(
        "select bucket from credits.stripe_events where event_id = %s", (event_id,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_stripe_event_keeps_the_bucket_of_the_account_that_it_names(
    service: Caller, user: Any, admin: Connection
) -> None:
    someone = user()
    order = attached(service, service.call("create_order", pack_id="standard", user_id=someone.user_id))
    names = {"metadata": {"account_id": str(order["account_id"])}}
    wrong = {"metadata": {"account_id": "acct-of-somebody"}}
    mine, things = (
        int(bucket(someone.user_id), 16),
        {
            "session": (COMPLETED, session(order)),
            "payment intent": (
                "payment_intent.succeeded",
                {"id": "pi_1", "object": "payment_intent"} | names,
            ),
            "refund of a charge": ("charge.refunded", {"id": "ch_1", "object": "charge"} | names),
        },
    )
    for what, (kind, thing) in things.items():
        told = event(kind, thing)
        service.call("apply_stripe_event", event=told)
        assert kept(admin, told["id"]) == mine, what
    for thing in ({"id": "dp_1", "object": "dispute"}, {"id": "pi_2", "object": "payment_intent"} | wrong):
        told = event("charge.dispute.created", thing)
        service.call("apply_stripe_event", event=told)
        assert kept(admin, told["id"]) == int(bucket(told["id"]), 16)
