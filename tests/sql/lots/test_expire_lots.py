"""Expiry: exact to the moment by predicate, and booked by the next call on the account."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from callers import Caller, Connection, findings, refused, stop_clock

User = Callable[..., Caller]


@pytest.fixture
def age(admin: Connection) -> Callable[..., None]:
    """age(user, "1 hour"): the account's lots expire by so much earlier."""

    def age(caller: Caller, by: str) -> None:
        account = f"(select account_id from credits.identities where subject = '{caller.user_id}')"
        admin.execute(
            f"update credits.lots set expires_at = expires_at - interval '{by}' where account_id = {account}"
        )
        admin.execute(
            "update credits.wallets set due_at = due_at - interval"
            f" '{by}' where account_id = {account} and due_at < 'infinity'"
        )

    return age


def test_lot_counts_until_it_expires(user: User, service: Caller) -> None:
    """This test waits for two tenths of a second at most."""
    ada = user()
    moment = service.row("select clock_timestamp() + interval '0.2 s' as moment")["moment"]
    service.call("add_tokens", user_id=ada.user_id, tokens=100, expires_at=moment)
    assert ada.call("quote_tokens", module_id="whisper")["available"] == 100
    service.row("select pg_sleep_until(%s)", (moment,))
    assert ada.balance() == 0
    quote = ada.call("quote_tokens", module_id="whisper")
    assert (quote["balance"], quote["available"], quote["sufficient"]) == (0, 0, False)
    with refused("insufficient_tokens") as facts:
        ada.call("consume_tokens", module_id="whisper")
    assert facts["balance"] == 0


@pytest.mark.parametrize(
    ("moment", "tokens"), [("2098-12-31 23:59:59.999999Z", 100), ("2099-01-01 00:00:00Z", 0)]
)
@pytest.mark.parametrize("head", [False, True], ids=["", "after a spend"])
def test_lot_expires_at_its_exact_moment(moment: str, tokens: int, head: bool, admin: Connection) -> None:
    """To the microsecond, by a clock that stands still."""
    with admin.transaction(force_rollback=True):
        bank = Caller(admin, "none")
        bank.call("add_tokens", user_id="late", tokens=100 + 10 * head, expires_at="2099-01-01 00:00Z")
        if head:
            bank.call("consume_tokens", module_id="metube", user_id="late")
        stop_clock(admin, moment)
        shown = bank.row("select balance, available from api.balance where user_id = 'late'")
        assert shown == {"balance": tokens, "available": tokens}
        assert bank.row("select remaining from api.lots where user_id = 'late'")["remaining"] == tokens
        quote = bank.call("quote_tokens", module_id="whisper", user_id="late")
        assert (quote["balance"], quote["available"]) == (tokens, tokens)
        call = {"module_id": "whisper", "usage": {"calls": 4}, "user_id": "late"}
        if tokens:
            assert bank.call("consume_tokens", **call)["balance"] == 0
        else:
            with refused("insufficient_tokens"), admin.transaction():
                bank.call("consume_tokens", **call)


def test_lot_that_expires_during_the_wait_is_not_spent(admin: Connection) -> None:
    """A lot expires between catching up and setting the next due time. The next call books it."""
    with admin.transaction(force_rollback=True):
        bank = Caller(admin, "none")
        bank.call("add_tokens", user_id="late", tokens=100, expires_at="2099-01-01 00:00Z")
        account = bank.row("select credits.account_of('late', false) as account_id")["account_id"]
        stop_clock(admin, "2099-01-01 00:00Z")
        bank.rows("select credits.set_due(%s)", (account,))
        assert bank.row("select balance from api.balance where user_id = 'late'")["balance"] == 0
        with refused("insufficient_tokens"), admin.transaction():
            bank.call("consume_tokens", user_id="late", module_id="metube")
        bank.rows("select credits.lock_wallet(%s)", (account,))
        kinds = bank.rows("select kind from api.entries where user_id = 'late' order by seq")
        assert [row["kind"] for row in kinds] == ["grant", "expire"]
        assert findings(bank) == []


def test_expiry_is_seen_before_it_is_booked(user: User, age: Callable[..., None]) -> None:
    ada = user(100, expires_at="2099-01-01 00:00Z")
    age(ada, "90 years")
    assert ada.row("select balance, available from api.balance") == {"balance": 0, "available": 0}
    assert ada.row("select remaining, expired from api.lots") == {"remaining": 0, "expired": True}
    assert [row["kind"] for row in ada.rows("select kind from api.entries")] == ["grant"]


def test_next_write_books_expiries_at_their_moments(
    user: User, service: Caller, age: Callable[..., None]
) -> None:
    ada = user(100, expires_at="2099-02-01 00:00Z", package_name="Second")
    service.call("add_tokens", user_id=ada.user_id, tokens=5, expires_at="2099-01-01 00:00Z")
    service.call("consume_tokens", module_id="metube", byok=True, user_id=ada.user_id)
    age(ada, "90 years")
    service.call("add_tokens", user_id=ada.user_id, tokens=60)
    entries = ada.rows(
        "select kind, tokens, balance_after, reference, effective_at < posted_at as backdated, draws,"
        " effective_at = (select l.expires_at from api.lots as l"
        " where l.lot_id = (draws -> 0 ->> 'lot_id')::bigint) as exact"
        " from api.entries where seq > 3 order by seq"
    )
    expired = {"kind": "expire", "backdated": True, "exact": True}
    assert entries[:2] == [
        expired
        | {
            "tokens": -5,
            "balance_after": 100,
            "reference": None,
            "draws": [{"lot_id": 2, "tokens": 5}],
        },
        expired
        | {
            "tokens": -100,
            "balance_after": 0,
            "reference": "Second",
            "draws": [{"lot_id": 1, "tokens": 100}],
        },
    ]
    assert (entries[2]["kind"], entries[2]["balance_after"]) == ("grant", 60)
    assert ada.balance() == 60


def test_spend_after_an_expiry_books_it_and_takes_from_the_rest(
    user: User, service: Caller, age: Callable[..., None]
) -> None:
    ada = user(100, expires_at="2099-01-01 00:00Z")
    service.call("add_tokens", user_id=ada.user_id, tokens=60)
    age(ada, "90 years")
    receipt = ada.call("consume_tokens", module_id="whisper")
    assert (receipt["balance"], receipt["draws"]) == (35, [{"lot_id": 2, "tokens": 25}])
    kinds = [row["kind"] for row in ada.rows("select kind from api.entries order by seq")]
    assert kinds == ["grant", "grant", "expire", "spend"]


def test_refused_spend_books_no_expiry_and_the_balance_is_right(user: User, age: Callable[..., None]) -> None:
    ada = user(100, expires_at="2099-01-01 00:00Z")
    age(ada, "90 years")
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="whisper")
    assert ada.row("select count(*) from api.entries")["count"] == 1
    assert ada.balance() == 0


def test_empty_lot_expires_without_an_entry(user: User, service: Caller, age: Callable[..., None]) -> None:
    ada = user(25, expires_at="2099-01-01 00:00Z")
    ada.call("consume_tokens", module_id="whisper")
    age(ada, "90 years")
    service.call("add_tokens", user_id=ada.user_id, tokens=1)
    kinds = [row["kind"] for row in ada.rows("select kind from api.entries order by seq")]
    assert kinds == ["grant", "spend", "grant"]


def test_lots_expire_in_their_order(user: User, service: Caller, age: Callable[..., None]) -> None:
    ada = user(10, expires_at="2099-01-01 00:00Z")
    service.call("add_tokens", user_id=ada.user_id, tokens=20, expires_at="2199-01-01 00:00Z")
    age(ada, "90 years")
    assert service.call("add_tokens", user_id=ada.user_id, tokens=1)["balance"] == 21
    age(ada, "100 years")
    assert ada.balance() == 1
    assert service.call("add_tokens", user_id=ada.user_id, tokens=1)["balance"] == 2


def test_repeat_of_an_expired_grant_tells_the_old_answer(
    user: User, service: Caller, age: Callable[..., None]
) -> None:
    ada = user()
    call = {"user_id": ada.user_id, "tokens": 10, "expires_at": "2099-01-01 00:00Z", "idempotency_key": "k"}
    first = service.call("add_tokens", **call)
    age(ada, "90 years")
    assert service.call("add_tokens", **call) == first | {"replayed": True}
    assert ada.balance() == 0


def test_infinity_means_never(user: User) -> None:
    ada = user(40, expires_at="infinity")
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 15
    assert ada.row("select expired from api.lots")["expired"] is False
    assert ada.row("select expires_at from api.lots")["expires_at"] is None
