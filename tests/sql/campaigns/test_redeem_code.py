"""Codes of promotions: what they give, to whom, how often, and for how long."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from callers import Caller, at_once, open_account, refused, slugs

if TYPE_CHECKING:
    from conftest import Town


def status(town: Town, ada: Caller, status: str) -> None:
    town.admin.execute(
        "update credits.wallets set status = %s where account_id = %s",
        (status, open_account(town.bank, str(ada.user_id))),
    )


# One code


def test_code_gives_its_tokens_at_once(town: Town) -> None:
    code = town.code(40, expires_after="1 day", priority=7, scope="module:whisper")
    ada = town.user()
    receipt = ada.call("redeem_code", code=code)
    life = (
        receipt.pop("expires_at") - ada.row("select granted_at from api.lots")["granted_at"]
    ).total_seconds()
    assert abs(life - 86400) < 1
    account = open_account(town.bank, str(ada.user_id))
    campaign = f"promo {code.removeprefix('CODE-')}"
    assert receipt == {
        "code": code,
        "kind": "promo",
        "campaign_id": campaign,
        "title": campaign,
        "entry_id": f"{account}:1",
        "user_id": ada.user_id,
        "lot_id": 1,
        "tokens": 40,
        "balance": 40,
        "replayed": False,
    }
    lot = ada.row("select source, package_name, remaining, priority, scope from api.lots")
    assert lot == {
        "source": "promo",
        "package_name": campaign,
        "remaining": 40,
        "priority": 7,
        "scope": "module:whisper",
    }
    entry = ada.row("select kind, tokens, reference, metadata from api.entries")
    assert entry == {
        "kind": "promo",
        "tokens": 40,
        "reference": campaign,
        "metadata": {"campaign_id": campaign, "number": 1},
    }


def test_codes_ignore_case_and_surrounding_space(town: Town) -> None:
    code = town.code(40, per_account=3)
    ada = town.user()
    for typed in (code.lower(), f"  {code.title()}\n", f"\t{code} "):
        assert ada.call("redeem_code", code=typed)["code"] == code
    assert ada.balance() == 120


@pytest.mark.parametrize(
    "code",
    [None, "", "  ", "no such code", "CODE-%", "x" * 100_000, "' or true --", "\u0130\u00df"],
    ids=ascii,
)
def test_unknown_or_malformed_code_is_refused(code: str | None, town: Town) -> None:
    ada = town.user()
    with refused("unknown_code"):
        ada.call("redeem_code", code=code)
    assert town.bank.rows("select 1 from credits.identities where subject = %s", (ada.user_id,)) == []


def test_code_of_an_inactive_campaign_looks_unknown(town: Town) -> None:
    facts = []
    for more in (
        {"active": False},
        {"valid_from": "2099-01-01"},
        {"active": False, "valid_until": "2020-01-01"},
    ):
        with refused("unknown_code") as told:
            town.user().call("redeem_code", code=town.code(40, **more))
        facts.append(dict(told))
    with refused("unknown_code") as told:
        town.user().call("redeem_code", code="no such code")
    assert facts == [told] * 3


def test_ended_code_is_refused(town: Town) -> None:
    with refused("code_expired"):
        town.user().call("redeem_code", code=town.code(40, valid_until="2020-01-01"))


def test_code_ends_exactly_on_time(town: Town) -> None:
    moment = town.bank.row("select clock_timestamp() + interval '0.2 s' as moment")["moment"]
    code = town.code(40, valid_until=moment, per_account=2)
    ada = town.user()
    assert ada.call("redeem_code", code=code)["balance"] == 40
    time.sleep(0.25)
    with refused("code_expired"):
        ada.call("redeem_code", code=code)


def test_campaign_limits_redemptions_per_account(town: Town) -> None:
    code = town.code(40, per_account=2)
    ada = town.user()
    for _ in range(2):
        ada.call("redeem_code", code=code)
    with refused("code_used"):
        ada.call("redeem_code", code=code)
    assert town.user().call("redeem_code", code=code)["balance"] == 40
    assert ada.balance() == 80


def test_codes_of_one_campaign_share_its_limits(town: Town) -> None:
    code = town.code(40)
    town.bank.rows("select credits.define_code('other', %s)", (f"promo {code.removeprefix('CODE-')}",))
    ada = town.user()
    ada.call("redeem_code", code="Other")
    with refused("code_used"):
        ada.call("redeem_code", code=code)


def test_budget_holds_and_may_be_raised(town: Town) -> None:
    name = town.campaign(uuid4().hex, "promo", 40, budget=1)
    town.bank.rows("select credits.define_code(%s, %s)", (name, name))
    town.user().call("redeem_code", code=name)
    ada = town.user()
    with refused("code_exhausted"):
        ada.call("redeem_code", code=name)
    town.campaign(name, "promo", 50, budget=2)
    assert ada.call("redeem_code", code=name)["balance"] == 50
    assert town.grants(name) == 2


@pytest.mark.parametrize("state", ["frozen", "closed"])
def test_frozen_or_closed_account_redeems_nothing(state: str, town: Town) -> None:
    code, ada = town.code(40), town.user()
    status(town, ada, state)
    with refused("account_frozen"):
        ada.call("redeem_code", code=code)
    assert ada.balance() == 0


def test_tokens_of_a_code_expire_as_the_campaign_says(town: Town) -> None:
    ada = town.user()
    ada.call("redeem_code", code=town.code(40, expires_after="100 ms"))
    time.sleep(0.15)
    assert ada.balance() == 0
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="metube")


def test_promotional_tokens_are_spent_before_bought_ones(town: Town) -> None:
    ada = town.user()
    town.service.call("add_tokens", user_id=ada.user_id, tokens=100, reason="purchase")
    lot_id = ada.call("redeem_code", code=town.code(40))["lot_id"]
    draws = ada.call("consume_tokens", module_id="stablediffusion")["draws"]
    assert draws == [{"lot_id": lot_id, "tokens": 40}, {"lot_id": 1, "tokens": 10}]


# Who


def test_only_a_service_redeems_for_a_named_user(town: Town) -> None:
    code, ada = town.code(40, per_account=2), town.user()
    with refused("not_yours"):
        town.user().call("redeem_code", code=code, user_id=ada.user_id)
    with refused("bad_user"):
        town.service.call("redeem_code", code=code)
    with refused("not_signed_in"):
        Caller(town.api_login, "authenticated").call("redeem_code", code=code)
    assert town.service.call("redeem_code", code=code, user_id=ada.user_id)["balance"] == 40
    assert ada.call("redeem_code", code=code, user_id=ada.user_id)["balance"] == 80


# Again


def test_same_key_is_one_redemption_and_one_answer(town: Town) -> None:
    ended = town.bank.row("select clock_timestamp() + interval '0.3 s' as moment")["moment"]
    code = town.code(40, per_account=9, budget=1, valid_until=ended, expires_after="1 day")
    ada = town.user()
    first = ada.call("redeem_code", code=code, idempotency_key="k")
    ada.call("consume_tokens", module_id="metube")
    again = ada.call("redeem_code", code=f" {code.lower()}", idempotency_key="k")
    assert again == first | {"replayed": True}
    time.sleep(0.35)
    town.admin.execute("update credits.campaigns set active = false")
    assert ada.call("redeem_code", code=code, idempotency_key="k") == again
    with refused("key_reused"):
        ada.call("redeem_code", code=town.code(1), idempotency_key="k")
    for key in ("", "x" * 201):
        with refused("bad_key"):
            ada.call("redeem_code", code=code, idempotency_key=key)


def test_refusal_leaves_no_key(town: Town) -> None:
    name = town.campaign(uuid4().hex, "promo", 40, valid_until="2020-01-01")
    town.bank.rows("select credits.define_code(%s, %s)", (name, name))
    ada = town.user()
    with refused("code_expired"):
        ada.call("redeem_code", code=name, idempotency_key="k")
    town.campaign(name, "promo", 40)
    assert ada.call("redeem_code", code=name, idempotency_key="k")["replayed"] is False


def test_dying_session_leaves_no_redemption(town: Town) -> None:
    code, ada = town.code(40, budget=1), town.user()
    ada.call("open_account")
    crashed = town.someone("authenticated", ada.user_id)
    crashed.connection.execute("begin")
    crashed.connection.execute(
        "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
        (f'{{"sub": "{ada.user_id}"}}',),
    )
    crashed.connection.execute("select api.redeem_code(%s, 'k')", (code,))
    town.admin.execute("select pg_terminate_backend(%s)", (crashed.connection.info.backend_pid,))
    assert ada.call("redeem_code", code=code, idempotency_key="k")["replayed"] is False
    assert ada.balance() == 40


# At once


def work(caller: Caller, **arguments: Any) -> Any:
    return lambda: caller.call("redeem_code", **arguments)


@pytest.mark.slow
def test_100_accounts_share_a_budget_of_ten(town: Town) -> None:
    code = town.code(40, budget=10)
    people = [[town.user().user_id for _ in range(2)] for _ in range(50)]
    services = [town.someone("service_role") for _ in people]
    results = at_once(
        [
            lambda service=service, pair=pair: [
                outcome
                for user_id in pair
                for outcome in at_once([work(service, code=code, user_id=user_id)])
            ]
            for service, pair in zip(services, people, strict=True)
        ]
    )
    outcomes = [outcome for pair in results for outcome in pair]
    assert Counter(slugs(outcomes)) == {"code_exhausted": 90}
    everybody = [user_id for pair in people for user_id in pair]
    query = "select balance, count(*) from api.balance where user_id = any (%s) group by 1"
    assert town.service.rows(query, (everybody,)) == [{"balance": 40, "count": 10}]


@pytest.mark.slow
@pytest.mark.parametrize("key", [None, "k"])
def test_50_redemptions_of_one_account_are_one(key: str | None, town: Town) -> None:
    code, ada = town.code(40), town.user()
    results = at_once(
        [work(town.someone("authenticated", ada.user_id), code=code, idempotency_key=key) for _ in range(50)]
    )
    refusals = slugs(results)
    if key:
        assert refusals == []
        assert Counter(result["replayed"] for result in results) == {True: 49, False: 1}
        assert len({result["entry_id"] for result in results}) == 1
    else:
        assert Counter(refusals) == {"code_used": 49}
    assert ada.balance() == 40


@pytest.mark.slow
def test_different_codes_spends_and_welcomes_at_once_do_not_deadlock(town: Town) -> None:
    town.campaign(uuid4().hex, "welcome", 100)
    codes = [town.code(10, per_account=1000) for _ in range(3)]
    people = [town.user().user_id for _ in range(6)]

    def busy(place: int, service: Caller) -> None:
        for turn in range(12):
            user_id = people[(place + turn) % len(people)]
            if turn % 3:
                service.call("redeem_code", code=codes[(place * 5 + turn) % 3], user_id=user_id)
            else:
                service.call("add_tokens", user_id=user_id, tokens=10)
                service.call("consume_tokens", module_id="metube", user_id=user_id)

    services = [town.someone("service_role") for _ in range(24)]
    results = at_once([lambda place=p, service=s: busy(place, service) for p, s in enumerate(services)])
    assert slugs(results) == []
    query = "select sum(balance) from api.balance where user_id = any (%s)"
    assert town.service.row(query, (people,))["sum"] == 6 * 100 + 24 * 8 * 10
