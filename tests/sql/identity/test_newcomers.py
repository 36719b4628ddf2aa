"""Gifts to new accounts are bounded per device and network, and may wait for a verified address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Row, at_once, refused, slugs

if TYPE_CHECKING:
    from conftest import Town

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
HOUR = timedelta(hours=1)


def key() -> str:
    return sha256(uuid4().bytes).hexdigest()


def sign_up(town: Town, caller: Caller | None = None, **origin: Any) -> Row:
    arguments = {"email": f"u{uuid4().hex}@example.com", "password_hash": HASH}
    return (caller or town.service).call("sign_up", **arguments, **origin)


def bounds(town: Town, name: str, *numbers: Any) -> None:
    words = ", ".join(["%s"] * (1 + len(numbers)))
    town.bank.rows(f"select credits.define_campaign_bounds({words})", (name, *numbers))


@pytest.fixture
def campaign(town: Town) -> Iterator[str]:
    """A welcome of 50, as a catalog defines it. It ends with the test."""
    name = town.campaign(uuid4().hex, "welcome", 50)
    yield name
    town.campaign(name, "welcome", 50, active=False)


def age(town: Town, name: str, by: timedelta) -> None:
    town.admin.execute(
        "update credits.redemptions set redeemed_at = redeemed_at - %s where campaign_id = %s", (by, name)
    )


def test_ten_sign_ups_of_one_device_bring_three_welcomes(town: Town, campaign: str) -> None:
    origin = {"device_keys": [key()], "network_keys": [key()]}
    receipts = [sign_up(town, **origin) for _ in range(10)]
    assert [receipt["welcome"] for receipt in receipts] == [50] * 3 + [0] * 7
    assert [receipt["welcome_waits_for"] for receipt in receipts] == [None] * 3 + ["limit"] * 7
    balances = [Caller(town.api_login, "authenticated", receipt["user_id"]).balance() for receipt in receipts]
    assert balances == [50] * 3 + [0] * 7
    reset_at = receipts[-1]["reset_at"]
    assert 24 * HOUR - timedelta(minutes=1) < reset_at - datetime.now(reset_at.tzinfo) <= 24 * HOUR
    assert town.grants(campaign) == 3


def test_network_bounds_those_who_throw_the_cookie_away(town: Town, campaign: str) -> None:
    network = [key()]
    welcomes = [sign_up(town, device_keys=[key()], network_keys=network)["welcome"] for _ in range(22)]
    assert welcomes == [50] * 20 + [0] * 2
    shared = sign_up(town, device_keys=[key()], network_keys=network, shared_network=True)
    assert shared["welcome"] == 50
    assert sign_up(town, network_keys=[key()])["welcome"] == 50


def test_accounts_of_another_issuer_are_bounded_the_same(town: Town, campaign: str) -> None:
    origin = {"device_keys": [key()], "network_keys": [key()]}
    receipts = [town.service.call("open_account", user_id=f"auth0|{uuid4()}", **origin) for _ in range(5)]
    assert [receipt["welcome"] for receipt in receipts] == [50] * 3 + [0] * 2
    assert [receipt["balance"] for receipt in receipts] == [50] * 3 + [0] * 2
    assert sign_up(town, **origin)["welcome_waits_for"] == "limit"


def test_withheld_welcome_comes_once_when_there_is_room(town: Town, campaign: str) -> None:
    origin = {"device_keys": [key()], "network_keys": [key()]}
    users = [sign_up(town, **origin)["user_id"] for _ in range(5)]
    late = users[-1]
    elsewhere = {"device_keys": [key()], "network_keys": [key()]}
    assert town.service.call("open_account", user_id=late, **elsewhere)["welcome"] == 0
    age(town, campaign, 25 * HOUR)
    mine = Caller(town.api_login, "authenticated", late)
    first, second = mine.call("open_account"), mine.call("open_account")
    assert [(answer["welcome"], answer["balance"], answer["opened"]) for answer in (first, second)] == [
        (50, 50, False),
        (0, 50, False),
    ]
    assert (first["welcome_waits_for"], second["welcome_waits_for"]) == (None, None)


def test_bounds_follow_the_rotation_of_the_salt(town: Town, campaign: str) -> None:
    before, now, after = key(), key(), key()
    for keys in ([before, now], [now, before], [now, after]):
        assert sign_up(town, device_keys=keys)["welcome"] == 50
    assert sign_up(town, device_keys=[now, before])["welcome"] == 0
    assert sign_up(town, device_keys=[after, now])["welcome"] == 0


@pytest.mark.slow
def test_100_sign_ups_at_once_from_one_device_bring_exactly_the_bound(town: Town, campaign: str) -> None:
    bounds(town, campaign, 7, 7)
    origin = {"device_keys": [key()], "network_keys": [key()]}
    callers = [town.someone("service_role") for _ in range(25)]

    def four(caller: Caller) -> list[Row]:
        return [sign_up(town, caller, **origin) for _ in range(4)]

    results = at_once([lambda caller=caller: four(caller) for caller in callers])  # type: ignore[misc]
    assert slugs(results) == []
    receipts = [receipt for result in results for receipt in result]
    assert len(receipts) == 100
    assert sorted(receipt["welcome"] for receipt in receipts) == [0] * 93 + [50] * 7
    assert town.grants(campaign) == 7


def test_concurrent_repeats_bring_a_withheld_welcome_once(town: Town, campaign: str) -> None:
    bounds(town, campaign, 1)
    origin = {"device_keys": [key()], "network_keys": [key()]}
    sign_up(town, **origin)
    late = sign_up(town, **origin)["user_id"]
    age(town, campaign, 25 * HOUR)
    callers = [town.someone("service_role") for _ in range(12)]
    results = at_once(
        [lambda caller=caller: caller.call("open_account", user_id=late) for caller in callers]  # type: ignore[misc]
    )
    assert slugs(results) == []
    assert sorted(result["welcome"] for result in results) == [0] * 11 + [50]


def test_accounts_without_keys_are_not_bounded(town: Town, campaign: str) -> None:
    assert [sign_up(town)["welcome"] for _ in range(5)] == [50] * 5


def test_only_a_service_says_where_a_user_comes_from(town: Town) -> None:
    for words in (
        {"device_keys": [key()]},
        {"network_keys": [key()]},
        {"shared_network": True},
        {"email_verified": True},
    ):
        with refused("not_yours"):
            town.user().call("open_account", **words)
    with refused("bad_guest"):
        sign_up(town, network_keys=["not a key"])
    with refused("bad_guest"):
        sign_up(town, device_keys=[])


def test_a_promotion_is_bounded_by_where_the_accounts_were_opened(town: Town) -> None:
    name = uuid4().hex
    town.campaign(name, "promo", 30)
    bounds(town, name, 2)
    town.bank.rows("select credits.define_code(%s, %s)", (f"C{name[:10]}", name))
    origin = {"device_keys": [key()], "network_keys": [key()]}
    farm = [Caller(town.api_login, "authenticated", sign_up(town, **origin)["user_id"]) for _ in range(3)]
    for user in farm[:2]:
        assert user.call("redeem_code", code=f"c{name[:10]}")["tokens"] == 30
    with refused("campaign_limit") as facts:
        farm[2].call("redeem_code", code=f"c{name[:10]}")
    assert datetime.fromisoformat(facts["reset_at"]) > datetime.now().astimezone() + 23 * HOUR
    assert town.user().call("redeem_code", code=f"c{name[:10]}")["tokens"] == 30


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("welcome", (None,)),
        ("welcome", (-1,)),
        ("welcome", (3, 2)),
        ("welcome", (3, 5, 4)),
        ("welcome", (3, 5, 50, "8 days")),
        ("welcome", (3, 5, 50, "0")),
        ("welcome", (3, 5, 50, None)),
        ("referral", (3,)),
    ],
)
def test_senseless_bounds_are_refused_by_name(town: Town, kind: str, numbers: Any) -> None:
    name = town.campaign(uuid4().hex, kind, 50, active=False)
    with refused("bad_catalog") as facts:
        bounds(town, name, *numbers)
    assert facts["name"] == name
    with refused("bad_catalog"):
        bounds(town, "no such campaign", 3)


def test_bounds_survive_the_catalog_and_can_be_lifted(town: Town, campaign: str) -> None:
    bounds(town, campaign, 1)
    town.campaign(campaign, "welcome", 60)
    origin = {"device_keys": [key()]}
    assert [sign_up(town, **origin)["welcome"] for _ in range(2)] == [60, 0]
    bounds(town, campaign, 0)
    assert [sign_up(town, **origin)["welcome"] for _ in range(5)] == [60] * 5


def test_maintenance_forgets_where_old_accounts_came_from(town: Town) -> None:
    devices = [key(), key()]
    for device in devices:
        sign_up(town, device_keys=[device])
    town.admin.execute(
        "update credits.account_origins set noted_at = noted_at - interval '36 days'"
        " where device_keys[1] = %s",
        (devices[0],),
    )
    town.service.call("maintain")
    left = town.bank.rows(
        "select device_keys[1] as device from credits.account_origins where device_keys && %s", (devices,)
    )
    assert [row["device"] for row in left] == devices[1:]


# Waiting for a verified address


@pytest.fixture
def strict(town: Town) -> Iterator[None]:
    town.bank.rows("select credits.require_verified_email(true)")
    yield
    town.bank.rows("select credits.require_verified_email(false)")


def test_welcome_waits_for_a_verified_address_and_comes_once(town: Town, campaign: str, strict: None) -> None:
    receipt = sign_up(town)
    assert (receipt["welcome"], receipt["welcome_waits_for"]) == (0, "verification")
    ada = Caller(town.api_login, "authenticated", receipt["user_id"])
    assert (ada.balance(), ada.call("open_account")["welcome_waits_for"]) == (0, "verification")
    assert ada.call("quote_tokens", module_id="whisper")["balance"] == 0
    email = f" {receipt['email'].upper()}"
    first, second = (town.service.call("verify_email", email=email) for _ in range(2))
    assert [(answer["welcome"], answer["balance"]) for answer in (first, second)] == [(50, 50), (0, 50)]
    assert first["user_id"] == ada.user_id
    assert town.grants(campaign) == 1


@pytest.mark.parametrize("opening", ["consume_tokens", "open_account", "add_tokens"])
def test_no_way_of_opening_an_account_avoids_verification(
    opening: str, town: Town, campaign: str, strict: None
) -> None:
    ada = town.user()
    match opening:
        case "consume_tokens":
            with refused("insufficient_tokens"):
                ada.call("consume_tokens", module_id="whisper")
            ada.call("open_account")
        case "open_account":
            ada.call("open_account")
        case "add_tokens":
            town.service.call("add_tokens", user_id=ada.user_id, tokens=7)
    before = ada.balance()
    assert before in (0, 7)
    assert town.service.call("verify_email", user_id=ada.user_id)["welcome"] == 50
    assert ada.balance() == before + 50


def test_an_issuer_may_vouch_when_the_account_opens(town: Town, campaign: str, strict: None) -> None:
    name = f"auth0|{uuid4()}"
    vouched = town.service.call("open_account", user_id=name, email_verified=True)
    assert (vouched["welcome"], vouched["welcome_waits_for"]) == (50, None)
    later = f"auth0|{uuid4()}"
    assert town.service.call("open_account", user_id=later)["welcome_waits_for"] == "verification"
    assert town.service.call("open_account", user_id=later, email_verified=True)["welcome"] == 50
    assert town.service.call("open_account", user_id=later, email_verified=True)["welcome"] == 0


def test_verifying_12_times_at_once_brings_one_welcome(town: Town, campaign: str, strict: None) -> None:
    user_id = sign_up(town)["user_id"]
    callers = [town.someone("service_role") for _ in range(12)]
    results = at_once(
        [lambda caller=caller: caller.call("verify_email", user_id=user_id) for caller in callers]  # type: ignore[misc]
    )
    assert slugs(results) == []
    assert sorted(result["welcome"] for result in results) == [0] * 11 + [50]


def test_verification_does_not_lift_the_bounds(town: Town, campaign: str, strict: None) -> None:
    bounds(town, campaign, 1)
    origin = {"device_keys": [key()]}
    users = [sign_up(town, **origin)["user_id"] for _ in range(2)]
    answers = [town.service.call("verify_email", user_id=user_id) for user_id in users]
    assert [(answer["welcome"], answer["welcome_waits_for"]) for answer in answers] == [
        (50, None),
        (0, "limit"),
    ]


def test_a_frozen_account_waits_on(town: Town, campaign: str, strict: None) -> None:
    user_id = sign_up(town)["user_id"]
    town.service.call("freeze_account", user_id=user_id, reason="farm")
    assert town.service.call("verify_email", user_id=user_id)["welcome"] == 0
    town.service.call("thaw_account", user_id=user_id, reason="no farm")
    assert town.service.call("verify_email", user_id=user_id)["welcome"] == 50


def test_verify_email_refuses_bad_arguments(town: Town) -> None:
    ada = town.user()
    ada.call("open_account")
    with refused("unknown_user"):
        town.service.call("verify_email", user_id="nobody")
    with refused("unknown_user"):
        town.service.call("verify_email", email="nobody@example.com")
    with refused("bad_user"):
        town.service.call("verify_email")
    with refused("bad_user"):
        town.service.call("verify_email", email="a@example.com", user_id=ada.user_id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ada.call("verify_email", user_id=ada.user_id)
