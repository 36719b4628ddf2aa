"""Luneo: credits per endpoint. The story comes first, on an empty bank: its figures are exact."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from scenarios.system import System, at_once, refused
from standardwebhooks import Webhook, WebhookVerificationError
from told_product import Product

pytestmark = pytest.mark.one_version

GENERATE = "/api/ai/generate"
RENDER = "/api/3d/render-highres"


def test_luneo_sells_and_charges_as_its_story_says(system: System) -> None:
    ada = system.sign_up("ada@luneo.example")
    assert ada.balance() == 0
    packs = ada.rows("packs", select="pack_id,tokens,amount,currency")
    assert [tuple(pack.values())[1:] for pack in packs] == [
        (100, 1900, "eur"),
        (500, 7900, "eur"),
        (1000, 13900, "eur"),
    ]
    small, _, large = (pack["pack_id"] for pack in packs)
    assert [ada.quote(module)["cost"] for module in (GENERATE, RENDER)] == [5, 8]

    # A guard before each endpoint: nothing runs without credits.
    with refused(402, "insufficient_tokens", balance=0, cost=5, missing=5, affordable=0):
        ada.spend(GENERATE)
    ada.buy(small)
    for number in range(11):
        assert ada.spend(RENDER, key=f"scene-{number}")["balance"] == 100 - 8 * (number + 1)
    quote = ada.quote(GENERATE)
    assert (quote["balance"], quote["sufficient"], quote["affordable"]) == (12, True, 2)
    assert ada.spend(GENERATE)["balance"] == 7
    with refused(402, "insufficient_tokens", balance=7, cost=8, missing=1, affordable=0):
        ada.spend(RENDER, key="scene-11")

    # The next credits are dearer or cheaper: each spend is measured by what was paid for those it took.
    ada.buy(large)
    receipt = ada.spend(RENDER, key="scene-11")
    assert (receipt["balance"], [draw["tokens"] for draw in receipt["draws"]]) == (999, [7, 1])
    for _ in range(3):
        ada.spend(GENERATE)
    assert ada.balance() == 984

    pages = [ada.rows("usage", order="used_at.desc", limit=10, offset=offset) for offset in (0, 10, 20)]
    assert [len(page) for page in pages] == [10, 6, 0]
    assert [row["cost"] for row in pages[0][:4]] == [5, 5, 5, 8]

    # What each endpoint earned, in cents: of the first pack a credit cost 19, of the last one 13.9.
    margin = system.figures(
        "select module_id, currency, uses, tokens, revenue, provider_cost, margin"
        " from analytics.module_margin order by module_id desc"
    )
    assert [tuple(row.values()) for row in margin] == [
        (GENERATE, "eur", 4, 20, Decimal("303.5"), 16, Decimal("287.5")),
        (RENDER, "eur", 12, 96, Decimal("1818.9"), 24, Decimal("1794.9")),
    ]
    mix = system.figures(
        "select pack_id, orders, amount, share_of_orders from analytics.pack_mix order by amount"
    )
    assert [tuple(row.values()) for row in mix] == [
        (small, 1, 1900, Decimal("0.5")),
        (large, 1, 13900, Decimal("0.5")),
    ]


def test_the_offer_to_buy_comes_below_a_fifth_and_at_zero(system: System) -> None:
    cleo = system.sign_up("cleo@luneo.example")
    (pack, *_) = cleo.rows("packs", order="amount")
    cleo.buy(pack["pack_id"])

    def notices() -> list[str]:
        return [str(notice["kind"]) for notice in cleo.rows("notices", order="created_at")]

    for _ in range(10):
        cleo.spend(RENDER)
    assert (cleo.balance(), notices()) == (20, [])
    cleo.spend(GENERATE)
    assert (cleo.balance(), notices()) == (15, ["low_balance"])
    cleo.spend(GENERATE)
    cleo.spend(GENERATE)
    assert (cleo.balance(), notices()) == (5, ["low_balance"])
    cleo.spend(GENERATE)
    assert (cleo.balance(), notices()) == (0, ["low_balance", "depleted"])
    # Not again for a refusal, but again after the next purchase.
    with refused(402, "insufficient_tokens", balance=0, cost=5, missing=5, affordable=0):
        cleo.spend(GENERATE)
    assert notices() == ["low_balance", "depleted"]


def test_the_product_hears_of_a_low_balance_and_offers_credits(system: System) -> None:
    """It believes nobody but the bank, and makes one offer, however often the message comes."""
    product = Product()
    with product.listening() as port:
        made = system.service.call(
            "register_webhook", url=f"http://127.0.0.1:{port}/credits", kinds=["low_balance"]
        )
        eve = system.sign_up("eve@luneo.example")
        system.service.call("add_tokens", user_id=eve.user_id, tokens=100)
        for _ in range(11):
            eve.spend(RENDER)
        deadline = time.monotonic() + 30
        while not product.got:
            assert time.monotonic() < deadline, "the product was never told"
            time.sleep(0.05)
        system.service.call("disable_webhook", endpoint_id=made["endpoint_id"], reason="the story is over")

    ((path, headers, body),) = product.got
    told = Webhook(made["secret"]).verify(body, headers)
    assert (path, told["type"]) == ("/credits", "low_balance")
    assert told["data"]["user_id"] == eve.user_id
    assert (told["data"]["balance"], told["data"]["threshold"]) == (12, 20)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(body.replace(b"12", b"13"), headers)

    # The offer: a gift, given once.
    for _ in range(2):
        gift = {"user_id": told["data"]["user_id"], "tokens": 8, "reason": "promo"}
        system.service.call("add_tokens", key=headers["webhook-id"], **gift)
    assert eve.balance() == 20


def test_racing_spends_never_use_an_old_balance(system: System) -> None:
    racer = system.sign_up("racer@luneo.example")
    system.service.call("add_tokens", user_id=racer.user_id, tokens=20)
    works = [lambda: racer.spend(GENERATE)["cost"]] * 20
    results = at_once(works)
    assert sorted(results, key=str) == [5] * 4 + ["insufficient_tokens"] * 16
    assert racer.balance() == 0
    # The interface polls; a balance is read after the last answer, never before it.
    system.service.call("add_tokens", user_id=racer.user_id, tokens=5)
    assert racer.balance() == 5
    assert racer.spend(GENERATE)["balance"] == racer.balance() == Decimal(0)


def test_a_pack_has_its_price_at_stripe_and_no_other(system: System) -> None:
    key = {"Authorization": "Bearer sk_test_of_the_tests"}
    product = system.browser.post("/v1/products", data={"name": "100 credits"}, headers=key).json()
    prices = {}
    for amount in (1900, 1800):
        form = {"product": product["id"], "currency": "eur", "unit_amount": str(amount)}
        prices[amount] = system.browser.post("/v1/prices", data=form, headers=key).json()["id"]

    dora = system.sign_up("dora@luneo.example")
    system.apply_catalog(PGCREDITS_STRIPE_PRICES=f"credits-100={prices[1800]}")
    with refused(502, "payment_failed"):
        dora.checkout("credits-100")
    assert dora.balance() == 0
    system.apply_catalog(PGCREDITS_STRIPE_PRICES=f"credits-100={prices[1900]}")
    order = dora.buy("credits-100")
    assert (order["amount"], dora.balance()) == (1900, 100)
    session = system.browser.get(
        f"/v1/checkout/sessions/{order['checkout_session_id']}/line_items", headers=key
    )
    (line,) = session.json()["data"]
    assert line["price"]["id"] == prices[1900]


def test_a_dispute_freezes_the_credits_and_a_win_brings_them_back(system: System) -> None:
    finn = system.sign_up("finn@luneo.example")
    (pack, *_) = finn.rows("packs", order="amount")
    order = finn.buy(pack["pack_id"])
    finn.spend(RENDER)
    dispute, _ = system.dispute(finn, order)
    assert finn.standing() == (-8, 0, 0)
    with refused(402, "insufficient_tokens"):
        finn.spend(GENERATE)
    system.end_dispute(finn, order, dispute, "win")
    assert finn.standing() == (92, 0, 92)
    assert finn.spend(GENERATE)["balance"] == 87
    refunded = system.refund(finn, order)
    assert (refunded["reversed"], finn.balance()) == (order["paid"], -13)
    kinds = [notice["kind"] for notice in finn.rows("notices", order="created_at")]
    moved = [kind for kind in kinds if kind in ("reversed", "reinstated")]
    assert moved == ["reversed", "reinstated", "reversed"]
    assert system.findings() == []
