"""Welcome tokens come once per account, when it opens in any way, and never by reading."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from callers import Caller, Row, at_once, refused, slugs

if TYPE_CHECKING:
    from conftest import Town

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"

OPENINGS: dict[str, Callable[[Town, Caller], Any]] = {
    "a spend": lambda town, ada: ada.call("consume_tokens", module_id="metube"),
    "an order": lambda town, ada: ada.call("create_order", pack_id="basique"),
    "open_account": lambda town, ada: ada.call("open_account"),
    "a service's open_account": lambda town, ada: town.service.call("open_account", user_id=ada.user_id),
    "a service's grant": lambda town, ada: town.service.call("add_tokens", user_id=ada.user_id, tokens=7),
    "a service's order": lambda town, ada: town.service.call(
        "create_order", user_id=ada.user_id, pack_id="basique"
    ),
    "a code": lambda town, ada: ada.call("redeem_code", code=town.code(3)),
}


def email() -> str:
    return f"{uuid4().hex}@example.com"


def accounts(town: Town) -> int:
    return int(town.bank.row("select count(*) from credits.accounts")["count"])


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
def test_every_opening_of_an_account_brings_the_welcome_first(
    opening: Callable[[Town, Caller], Any], town: Town
) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40)
    ada = town.user()
    opening(town, ada)
    opening(town, ada)
    entries = ada.rows("select seq, kind, tokens, reference from api.entries order by seq")
    assert entries[0] == {"seq": 1, "kind": "welcome", "tokens": 40, "reference": name}
    assert [entry["kind"] for entry in entries].count("welcome") == 1
    assert town.grants(name) == 1


def test_sign_up_brings_the_welcome_as_a_lot(town: Town) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40, expires_after="30 days", scope="category:audio")
    receipt = town.service.call("sign_up", email=email(), password_hash=HASH)
    ada = Caller(town.api_login, "authenticated", receipt["user_id"])
    lot = ada.row("select *, expires_at - granted_at as life from api.lots")
    assert {
        key: lot[key] for key in ("source", "package_name", "granted", "priority", "scope", "lot_id")
    } == {
        "source": "welcome",
        "package_name": name,
        "granted": 40,
        "priority": 20,
        "scope": "category:audio",
        "lot_id": 1,
    }
    assert abs(lot["life"].total_seconds() - 30 * 86400) < 1
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="metube")
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 15


def test_several_welcomes_come_together(town: Town) -> None:
    town.campaign(uuid4().hex, "welcome", 40)
    town.campaign(uuid4().hex, "welcome", 2, priority=3)
    ada = town.user()
    assert ada.call("open_account")["balance"] == 42
    assert [row["priority"] for row in ada.rows("select priority from api.lots order by 1")] == [3, 20]


def test_reading_opens_no_account_and_gives_no_welcome(town: Town) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40)
    ada, before = town.user(), accounts(town)
    assert ada.balance() == 0
    assert ada.rows("select * from api.entries") == ada.rows("select * from api.lots") == []
    ada.call("quote_tokens", module_id="whisper")
    Caller(town.api_login, "anon").rows("select * from api.packs")
    for call in ("consume_tokens", "quote_tokens"):
        with refused("unknown_user"):
            town.service.call(call, module_id="whisper", user_id=ada.user_id)
    with refused("unknown_user"):
        town.service.call("referral_code", user_id=ada.user_id)
    assert (accounts(town), town.grants(name)) == (before, 0)


def test_newcomers_quote_counts_the_welcome(town: Town) -> None:
    town.campaign(uuid4().hex, "welcome", 30)
    town.campaign(uuid4().hex, "welcome", 20, scope="module:whisper")
    town.campaign(uuid4().hex, "welcome", 900, active=False)
    town.campaign(uuid4().hex, "welcome", 900, valid_from="2099-01-01")
    town.campaign(uuid4().hex, "welcome", 900, valid_until="2020-01-01")
    ada = town.user()
    heard = [
        ada.call("quote_tokens", module_id=module_id, usage={"calls": 2})
        for module_id in ("whisper", "metube")
    ]
    facts = [
        [quote[name] for name in ("balance", "available", "sufficient", "affordable")] for quote in heard
    ]
    assert facts == [[50, 50, True, 2], [50, 30, True, 3]]
    with refused("insufficient_tokens") as refusal:
        ada.call("consume_tokens", module_id="metube", usage={"calls": 4})
    assert (refusal["balance"], refusal["missing"], refusal["affordable"]) == (50, 10, 3)
    assert ada.call("consume_tokens", module_id="whisper", usage={"calls": 2})["balance"] == 0


def test_used_up_budget_gives_no_welcome_and_no_error(town: Town) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40, budget=2)
    balances = [
        Caller(
            town.api_login,
            "authenticated",
            town.service.call("sign_up", email=email(), password_hash=HASH)["user_id"],
        ).balance()
        for _ in range(4)
    ]
    assert balances == [40, 40, 0, 0]
    assert town.grants(name) == 2
    assert town.user().call("quote_tokens", module_id="whisper")["balance"] == 0


def test_accounts_from_before_the_campaign_get_no_welcome(town: Town) -> None:
    ada = town.user()
    ada.call("open_account")
    name = town.campaign(uuid4().hex, "welcome", 40)
    assert ada.call("open_account") | {"user_id": None} == {
        "user_id": None,
        "opened": False,
        "balance": 0,
        "referred": False,
        "welcome": 0,
        "welcome_waits_for": None,
        "reset_at": None,
    }
    assert town.grants(name) == 0


def test_welcome_tokens_expire_as_the_campaign_says(town: Town) -> None:
    town.campaign(uuid4().hex, "welcome", 40, expires_after="150 ms")
    ada = town.user()
    assert ada.call("open_account")["balance"] == 40
    time.sleep(0.2)
    assert ada.balance() == 0
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="metube")
    town.service.call("add_tokens", user_id=ada.user_id, tokens=1)
    kinds = ada.rows("select kind, tokens from api.entries order by seq")
    assert kinds == [
        {"kind": "welcome", "tokens": 40},
        {"kind": "expire", "tokens": -40},
        {"kind": "grant", "tokens": 1},
    ]


def test_refused_first_spend_leaves_no_account_and_no_grant(town: Town) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40)
    ada, before = town.user(), accounts(town)
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="stablediffusion")
    assert (accounts(town), town.grants(name)) == (before, 0)
    assert ada.call("consume_tokens", module_id="metube")["balance"] == 30


def test_dying_session_leaves_no_sign_up(town: Town) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40, budget=1)
    address, before = email(), accounts(town)
    crashed = town.someone("service_role")
    crashed.connection.execute("begin")
    crashed.connection.execute("set local role service_role")
    crashed.connection.execute("select api.sign_up(%s, %s)", (address, HASH))
    town.admin.execute("select pg_terminate_backend(%s)", (crashed.connection.info.backend_pid,))
    receipt = town.service.call("sign_up", email=address, password_hash=HASH)
    assert Caller(town.api_login, "authenticated", receipt["user_id"]).balance() == 40
    assert (accounts(town), town.grants(name)) == (before + 1, 1)


def test_welcome_is_durable_whatever_the_session_says(town: Town) -> None:
    town.campaign(uuid4().hex, "welcome", 40)
    careless = town.someone("service_role").connection
    careless.execute("set synchronous_commit = off")
    with careless.transaction():
        careless.execute("set local role service_role")
        careless.execute("select api.sign_up(%s, %s)", (email(), HASH))
        assert careless.execute("show synchronous_commit").fetchone() == ("on",)


# At once


def twice(work: Callable[[], Row]) -> list[Any]:
    return [outcome for _ in range(2) for outcome in at_once([work])]


@pytest.mark.slow
def test_100_sign_ups_with_one_email_are_one_account_and_one_welcome(town: Town) -> None:
    name, address, before = town.campaign(uuid4().hex, "welcome", 40), email(), accounts(town)
    services = [town.someone("service_role") for _ in range(50)]
    results = at_once(
        [
            lambda service=service: twice(lambda: service.call("sign_up", email=address, password_hash=HASH))
            for service in services
        ]
    )
    outcomes = [outcome for pair in results for outcome in pair]
    assert Counter(slugs(outcomes)) == {"email_taken": 99}
    (receipt,) = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert (accounts(town), town.grants(name)) == (before + 1, 1)
    assert Caller(town.api_login, "authenticated", receipt["user_id"]).balance() == 40


def test_concurrent_first_calls_bring_one_welcome(town: Town) -> None:
    name, ada = town.campaign(uuid4().hex, "welcome", 400), town.user()
    works = []
    for place in range(48):
        if place % 3:
            caller = town.someone("authenticated", ada.user_id)
            function, arguments = (
                ("open_account", {}) if place % 3 == 1 else ("consume_tokens", {"module_id": "metube"})
            )
        else:
            caller = town.someone("service_role")
            function, arguments = "add_tokens", {"user_id": ada.user_id, "tokens": Decimal(1)}
        works.append(
            lambda caller=caller, function=function, arguments=arguments: caller.call(function, **arguments)
        )
    results = at_once(works)
    assert slugs(results) == []
    assert sum(result.get("opened") is True for result in results) <= 1
    assert (ada.balance(), town.grants(name)) == (400 + 16 - 160, 1)


@pytest.mark.slow
def test_hundred_sign_ups_share_a_budget_of_ten(town: Town) -> None:
    name = town.campaign(uuid4().hex, "welcome", 40, budget=10)
    services = [town.someone("service_role") for _ in range(50)]
    results = at_once(
        [
            lambda service=service: twice(lambda: service.call("sign_up", email=email(), password_hash=HASH))
            for service in services
        ]
    )
    people = [receipt["user_id"] for pair in results for receipt in pair]
    balances = town.service.rows(
        "select balance, count(*) from api.balance where user_id = any (%s) group by 1 order by 1", (people,)
    )
    assert balances == [{"balance": 0, "count": 90}, {"balance": 40, "count": 10}]
    assert town.grants(name) == 10
