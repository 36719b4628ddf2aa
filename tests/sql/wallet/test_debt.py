"""Debt, what repays it, what stays unpaid; accounts frozen and thawed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from callers import BOOKS, Caller, Connection, refused
from holding import Bank, clock_hold, hold, standing
from stripe_events import COMPLETED, attached, event, session

User = Callable[..., Caller]


@pytest.fixture(autouse=True)
def sound(admin: Connection) -> Iterator[None]:
    """The books close after every test, and add up to zero."""
    yield
    assert admin.execute(BOOKS).fetchall() == []
    assert admin.execute("select sum(tokens) from audit.trial_balance").fetchall() == [(0,)]


@pytest.fixture
def debtor(user: User, service: Caller) -> Callable[..., Caller]:
    """debtor(limit, debt): a user with no tokens and this much debt, a multiple of 25."""

    def make(limit: int, debt: int) -> Caller:
        caller = user()
        service.call("add_tokens", user_id=caller.user_id, tokens=25)
        service.call("set_overdraft_limit", user_id=caller.user_id, tokens=max(limit, debt))
        held = hold(service, user_id=caller.user_id)["hold_id"]
        captured = service.call("capture_hold", hold_id=held, usage={"calls": 1 + debt // 25})
        assert (captured["debt"], captured["shortfall"]) == (debt, 0)
        service.call("set_overdraft_limit", user_id=caller.user_id, tokens=limit)
        return caller

    return make


def debt(caller: Caller) -> tuple[Decimal, Decimal]:
    row = caller.row("select balance, debt from api.balance")
    return row["balance"], row["debt"]


def test_purchase_repays_debt_first_and_records_it(debtor: Callable[..., Caller], service: Caller) -> None:
    ada = debtor(100, 75)
    assert debt(ada) == (-75, 75)
    service.call("add_tokens", user_id=ada.user_id, tokens=100, reason="purchase")
    assert debt(ada) == (25, 0)
    *_, bought, repaid = ada.rows("select * from api.entries order by seq")
    assert (bought["kind"], bought["tokens"], bought["debt_after"]) == ("purchase", 100, 75)
    assert (repaid["kind"], repaid["tokens"], repaid["debt_after"]) == ("repayment", 0, 0)
    assert repaid["draws"] == [{"lot_id": bought["seq"], "tokens": 75}]
    assert ada.row("select remaining from api.lots where lot_id = %s", (bought["seq"],))["remaining"] == 25
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 0


def test_small_purchase_goes_wholly_into_the_debt(debtor: Callable[..., Caller], service: Caller) -> None:
    ada = debtor(100, 75)
    service.call("add_tokens", user_id=ada.user_id, tokens=50, reason="purchase")
    assert debt(ada) == (-25, 25)
    service.call("add_tokens", user_id=ada.user_id, tokens=25, reason="purchase")
    assert debt(ada) == (0, 0)
    service.call("add_tokens", user_id=ada.user_id, tokens=25, reason="purchase")
    assert debt(ada) == (25, 0)
    assert ada.row("select count(*) from api.entries where kind = 'repayment'")["count"] == 2


def test_stripe_purchase_repays_debt_and_its_bonus_does_not(
    debtor: Callable[..., Caller], service: Caller
) -> None:
    ada = debtor(200, 200)
    order = attached(service, ada.call("create_order", pack_id="basique"))
    service.call("apply_stripe_event", event=event(COMPLETED, session(order)))
    assert debt(ada) == (-100, 100)


@pytest.mark.parametrize(
    "reason", ["grant", "bonus", "welcome", "promo", "referral", "allowance", "rollover"]
)
def test_gifts_repay_no_debt(debtor: Callable[..., Caller], service: Caller, reason: str) -> None:
    ada = debtor(100, 75)
    service.call("add_tokens", user_id=ada.user_id, tokens=100, reason=reason)
    assert debt(ada) == (25, 75)
    assert ada.call("consume_tokens", module_id="whisper", usage={"calls": 4})["balance"] == -75


def test_too_much_debt_stops_spending_and_holding(debtor: Callable[..., Caller], service: Caller) -> None:
    ada = debtor(50, 75)
    service.call("add_tokens", user_id=ada.user_id, tokens=100)
    for call in (
        lambda: ada.call("consume_tokens", module_id="whisper"),
        lambda: hold(ada),
    ):
        with refused("insufficient_tokens") as facts:
            call()
        assert facts == {
            "error": "insufficient_tokens",
            "balance": 25,
            "available": 0,
            "cost": 25,
            "missing": 25,
            "affordable": 0,
            "debt": 75,
        }
    quote = ada.call("quote_tokens", module_id="whisper")
    assert (quote["available"], quote["sufficient"], quote["affordable"]) == (0, False, 0)
    free = service.call("consume_tokens", user_id=ada.user_id, module_id="whisper", byok=True)
    assert free["cost"] == 0
    assert hold(service, 0, user_id=ada.user_id)["held"] == 0
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=75)
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 0
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=0)
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="whisper")
    service.call("add_tokens", user_id=ada.user_id, tokens=75, reason="purchase")
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 50


def test_debt_stops_at_the_limit_over_several_captures(user: User, service: Caller) -> None:
    ada = user(100)
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=40)
    names = [hold(service, user_id=ada.user_id)["hold_id"] for _ in range(4)]
    answers = [service.call("capture_hold", hold_id=name, usage={"calls": 2}) for name in names]
    assert [(row["debt"], row["shortfall"]) for row in answers] == [(25, 0), (15, 10), (0, 25), (0, 25)]
    assert debt(ada) == (-40, 40)
    assert ada.row("select sum(tokens) from api.shortfalls")["sum"] == 60


@pytest.mark.parametrize("tokens", ["-1", "NaN", "Infinity", "0.0000001", None])
def test_overdraft_limit_must_be_an_amount(user: User, service: Caller, tokens: str | None) -> None:
    ada = user(1)
    with refused("bad_amount"):
        service.row("select * from api.set_overdraft_limit(%s::numeric, %s)", (tokens, ada.user_id))
    assert service.call("set_overdraft_limit", user_id=ada.user_id, tokens=0)["tokens"] == 0


# Shortfalls


def test_shortfall_is_closed_once_by_a_service(user: User, service: Caller) -> None:
    ada = user(25)
    held = hold(service, user_id=ada.user_id)["hold_id"]
    service.call("capture_hold", hold_id=held, usage={"calls": 2})
    name = ada.row("select shortfall_id from api.shortfalls")["shortfall_id"]
    for state in ("open", None):
        with refused("bad_state"):
            service.call("close_shortfall", shortfall_id=name, state=state)
    closed = service.call("close_shortfall", shortfall_id=name, state="written_off")
    assert closed == {
        "shortfall_id": name,
        "user_id": ada.user_id,
        "tokens": 25,
        "state": "written_off",
        "replayed": False,
    }
    again = service.call("close_shortfall", shortfall_id=name, state="written_off")
    assert again == closed | {"replayed": True}
    with refused("shortfall_closed") as facts:
        service.call("close_shortfall", shortfall_id=name, state="settled")
    assert facts["state"] == "written_off"
    assert ada.row("select state, closed_at is not null as ended from api.shortfalls") == {
        "state": "written_off",
        "ended": True,
    }
    assert standing(ada) == (0, 0, 0)


def test_shortfall_is_not_closed_before_it_was_made(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=25)
    held = clock_hold(bank)["hold_id"]
    bank.call("capture_hold", hold_id=held, usage={"calls": 2})  # posted a microsecond ahead of the clock
    name = bank.row("select shortfall_id from api.shortfalls")["shortfall_id"]
    assert bank.call("close_shortfall", shortfall_id=name, state="settled")["state"] == "settled"


@pytest.mark.parametrize("name", [None, "", "nothing", f"{'0' * 8}-0000-0000-0000-{'0' * 12}:{'0' * 36}"])
def test_unknown_shortfall_is_refused(service: Caller, name: Any) -> None:
    with refused("unknown_shortfall"):
        service.call("close_shortfall", shortfall_id=name, state="settled")


def test_users_see_only_their_own_shortfalls(user: User, service: Caller) -> None:
    ada, eve = user(25), user(25)
    held = hold(service, user_id=ada.user_id)["hold_id"]
    service.call("capture_hold", hold_id=held, usage={"calls": 2})
    assert eve.rows("select * from api.shortfalls") == []
    assert len(ada.rows("select * from api.shortfalls")) == 1


# Frozen


def test_frozen_account_spends_and_holds_nothing_and_still_receives(
    user: User, service: Caller, admin: Connection
) -> None:
    ada = user(100)
    ada.call("consume_tokens", module_id="metube")  # so that there is a head lot
    frozen = service.call("freeze_account", user_id=ada.user_id, reason="a dispute")
    assert (frozen["status"], frozen["reason"], frozen["replayed"]) == ("frozen", "a dispute", False)
    for call in (lambda: ada.call("consume_tokens", module_id="metube"), lambda: hold(ada)):
        with refused("account_frozen"):
            call()
    service.call("add_tokens", user_id=ada.user_id, tokens=10, reason="purchase")
    assert ada.row("select status, balance from api.balance") == {"status": "frozen", "balance": 100}
    again = service.call("freeze_account", user_id=ada.user_id, reason="another")
    assert again == frozen | {"replayed": True}
    thawed = service.call("thaw_account", user_id=ada.user_id)
    assert (thawed["status"], thawed["replayed"]) == ("active", False)
    assert service.call("thaw_account", user_id=ada.user_id)["replayed"] is True
    assert ada.call("consume_tokens", module_id="metube")["balance"] == 90
    changes = admin.execute(
        "select c.status, c.reason, c.actor from credits.status_changes as c"
        " join credits.identities as i using (account_id) where i.subject = %s order by c.changed_at",
        (ada.user_id,),
    ).fetchall()
    assert changes == [("frozen", "a dispute", "service_role"), ("active", None, "service_role")]


def test_thawing_an_active_account_changes_nothing(user: User, service: Caller) -> None:
    ada = user(1)
    answer = service.call("thaw_account", user_id=ada.user_id)
    assert (answer["status"], answer["changed_at"], answer["replayed"]) == ("active", None, True)


def test_closed_account_is_neither_frozen_nor_thawed(user: User, service: Caller, admin: Connection) -> None:
    ada = user(1)
    admin.execute(
        "update credits.wallets set status = 'closed' where account_id ="
        " (select account_id from credits.identities where subject = %s)",
        (ada.user_id,),
    )
    for function in ("freeze_account", "thaw_account"):
        with refused("account_frozen"):
            service.call(function, user_id=ada.user_id)


def test_freezing_needs_a_user_and_a_short_reason(user: User, service: Caller) -> None:
    ada = user(1)
    with refused("bad_reason"):
        service.call("freeze_account", user_id=ada.user_id, reason="x" * 201)
    with refused("unknown_user"):
        service.call("freeze_account", user_id="nobody of that name")
    with refused("bad_user"):
        service.call("thaw_account", user_id=None)
