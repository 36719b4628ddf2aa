"""AurisVoice: seconds of dubbing. The story comes first, on an empty bank: its figures are exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from scenarios.system import CARD_DECLINED, Person, Row, System, at_once, forged_event, refused

pytestmark = pytest.mark.one_version


def dub(person: Person, seconds: float, film: str | None = None, *, works: bool = True) -> Row:
    """As AurisVoice's server does: check, hold, dub; then charge or release. Raises Refused.

    Asked for a film that is done, it does not dub it again: the hold says so.
    """
    server, usage = person.system.service, {"seconds": seconds}
    quote = server.quote("dubbing", usage, user_id=person.user_id)
    held = server.hold("dubbing", usage, user_id=person.user_id, key=film, metadata={"film": film})
    # A repeat tells how the hold stands now.
    assert (held["state"], held["held"]) in (("open", quote["cost"]), ("captured", 0))
    assert held["replayed"] or held["state"] == "open"
    if not works:
        return server.release(held, "failed: the voice model gave up")
    return server.capture(held, key=film)


def test_aurisvoice_sells_and_charges_as_its_story_says(system: System) -> None:
    ada = system.sign_up("ada@auris.example")
    assert ada.balance() == 10
    assert ada.kinds() == [("welcome", 10)]

    # The plans, with the saving against the first.
    plans = ada.rows("packs", select="pack_id,tokens,amount,currency,popular,saving_percent,best_value")
    assert [tuple(plan.values())[1:] for plan in plans] == [
        (15, 500, "eur", False, 0, False),
        (60, 1500, "eur", True, 25, False),
        (150, 3000, "eur", False, 40, True),
    ]
    small, popular, large = (plan["pack_id"] for plan in plans)
    assert system.stranger.rows("packs", select="pack_id") == [
        {"pack_id": plan} for plan in (small, popular, large)
    ]

    # Every ten seconds begun are a credit.
    costs = {
        seconds: ada.quote("dubbing", {"seconds": seconds})["cost"] for seconds in (0, 1, 10, 10.01, 34, 3600)
    }
    assert costs == {0: 0, 1: 1, 10: 1, 10.01: 2, 34: 4, 3600: 360}
    # A dubbing that fails is free; one that works is charged when it is done, with the balance in the answer.
    released = dub(ada, 34, "film-0", works=False)
    assert (released["state"], released["released"], released["captured"]) == ("released", 4, 0)
    assert ada.standing() == (10, 0, 10)
    receipt = dub(ada, 34, "film-1")
    assert (receipt["cost"], receipt["balance"]) == (4, 6)
    films = ada.rows("holds", order="created_at", select="state,captured,reason,metadata")
    assert [tuple(film.values()) for film in films] == [
        ("released", 0, "failed: the voice model gave up", {"film": "film-0"}),
        ("captured", 4, None, {"film": "film-1"}),
    ]

    # Six credits are sixty seconds: 61 are one credit too many, found by the check and by the hold.
    quote = ada.quote("dubbing", {"seconds": 61})
    assert (quote["cost"], quote["sufficient"], quote["affordable"]) == (7, False, 60)
    with refused(402, "insufficient_tokens", balance=6, cost=7, missing=1, affordable=60):
        dub(ada, 61, "film-2")

    # A declined card changes nothing, also when it is tried twice; the good one then pays the same order.
    opened = ada.checkout(small)
    for _ in range(2):
        system.press(opened, CARD_DECLINED)
    assert ada.balance() == 6
    system.press(opened, "pay")
    order = ada.wait_for_order(opened, "paid")
    assert (order["tokens"], order["amount"], order["currency"]) == (15, 500, "eur")
    receipt = dub(ada, 61, "film-2")
    assert (receipt["cost"], receipt["balance"], receipt["replayed"]) == (7, 14, False)
    assert dub(ada, 61, "film-2") == receipt | {"replayed": True}

    # All of a hundred movements and more, in pages.
    ada.buy(large)
    for number in range(100):
        dub(ada, 1 + number % 10, f"line-{number}")
    assert ada.standing() == (64, 0, 64)
    last = ada.rows("entries", order="seq.desc", limit=100)
    rest = ada.rows("entries", order="seq.desc", limit=100, offset=100)
    assert [row["seq"] for row in last + rest] == list(range(105, 0, -1))
    assert [row["kind"] for row in reversed(rest)] == ["welcome", "spend", "purchase", "spend", "purchase"]

    system.sign_up("listens-only@auris.example")
    sold = system.figures("select orders, tokens, amount from analytics.tokens_sold")
    assert sorted(tuple(row.values()) for row in sold) == [(1, 15, 500), (1, 150, 3000)]
    (used,) = system.figures("select module_id, uses, accounts, tokens from analytics.module_usage")
    assert tuple(used.values()) == ("dubbing", 102, 1, 111)
    (outcome,) = system.figures(
        "select started, succeeded, failed, called_off, open from analytics.module_reliability"
    )
    assert tuple(outcome.values()) == (103, 102, 1, 0, 0)
    (seconds,) = system.figures("select dimension, quantity from analytics.usage_quantities")
    assert tuple(seconds.values()) == ("seconds", 34 + 61 + 10 * 55)
    (welcome,) = system.figures(
        "select accounts, granted, spent, expired, remaining, share_spent from analytics.welcome_use"
    )
    assert tuple(welcome.values()) == (2, 20, 10, 0, 10, Decimal("0.5"))
    (burn,) = system.figures("select spent, granted, outstanding from analytics.burn_rate")
    assert tuple(burn.values()) == (111, 185, 74)


def test_two_servers_and_many_users_lose_no_movement(system: System) -> None:
    people = [system.sign_up(f"many-{number}@auris.example") for number in range(4)]
    # Each user on two servers at once: ten dubbings of two credits for ten credits, half of them too many.
    works = [lambda person=person: dub(person, 20)["cost"] for person in people] * 10
    results = at_once(works)
    assert [results.count(2), results.count("insufficient_tokens")] == [20, 20]
    for person in people:
        assert person.kinds() == [("welcome", 10)] + [("spend", -2)] * 5
        assert person.standing() == (0, 0, 0)


def test_racing_failures_give_everything_back(system: System) -> None:
    unlucky = system.sign_up("unlucky@auris.example")
    works = [lambda: dub(unlucky, 30, works=False)["state"], lambda: dub(unlucky, 20)["state"]] * 10
    results = at_once(works)
    captured = results.count("captured")
    assert captured + results.count("released") + results.count("insufficient_tokens") == 20
    assert unlucky.standing() == (10 - 2 * captured, 0, 10 - 2 * captured)
    assert unlucky.kinds() == [("welcome", 10)] + [("spend", -2)] * captured
    # What the failures had held pays for work that works.
    for _ in range(5 - captured):
        dub(unlucky, 20)
    assert unlucky.balance() == 0


def test_a_retried_charge_is_one_charge(system: System) -> None:
    retrying = system.sign_up("retrying@auris.example")
    receipts = at_once([lambda: dub(retrying, 34, "film-1")] * 12)
    assert sorted(receipt["replayed"] for receipt in receipts) == [False] + [True] * 11
    assert {receipt["balance"] for receipt in receipts} == {6}
    assert retrying.standing() == (6, 0, 6)
    assert len(retrying.rows("holds")) == 1


def test_bad_seconds_are_refused(system: System) -> None:
    odd = system.sign_up("odd@auris.example")
    for usage in (
        {"seconds": -1},
        {"seconds": "34"},
        {"seconds": None},
        {"seconds": 1e30},
        {"minutes": 1},
        {"seconds": 1, "calls": 1},
        {},
        [],
    ):
        for function in ("quote_tokens", "hold_tokens", "consume_tokens"):
            with refused(422, "bad_usage"):
                odd.call(function, module_id="dubbing", usage=usage)
    # Nor are they when the work is done: it stays held until somebody says what it was.
    held = system.service.hold("dubbing", {"seconds": 34}, user_id=odd.user_id)
    with refused(422, "bad_usage"):
        system.service.capture(held, {"seconds": -1})
    assert odd.standing() == (10, 4, 6)
    assert system.service.capture(held, {"seconds": 20.5})["balance"] == 7


def test_unsigned_and_forged_webhooks_are_refused(system: System) -> None:
    forger = system.sign_up("forger@auris.example")
    (pack, *_) = forger.rows("packs", order="amount.desc")
    payload = forged_event(forger.checkout(pack["pack_id"]), pack["amount"])
    signatures: list[dict[str, str]] = [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=1,v1=00"},
        system.stripe_signature(payload, secret="whsec_guessed"),
        system.stripe_signature(payload + " "),
        system.stripe_signature(payload, seconds=-3600),
        system.stripe_signature(payload, seconds=3600),
    ]
    for headers in signatures:
        with refused(400, "bad_signature"):
            system.stranger.ask("POST", "/webhooks/stripe", content=payload, headers=headers)
        assert forger.balance() == 10, headers


def test_a_dubbing_under_way_is_charged_although_its_pack_was_refunded(system: System) -> None:
    gus = system.sign_up("gus@aurisvoice.example")
    welcome = gus.balance()
    (small, *_) = [pack["pack_id"] for pack in gus.rows("packs", order="amount")]
    order = gus.buy(small)
    held = gus.hold("dubbing", {"seconds": 100})
    system.refund(gus, order)
    receipt = gus.capture(held, {"seconds": 60})
    assert receipt["paid"] == 6
    assert gus.balance() == welcome - 6
    dispute, _ = system.dispute(gus, gus.buy(small))
    assert gus.rows("orders", order="created_at.desc", limit=1)[0]["disputed"] is True
    (second,) = gus.rows("orders", order="created_at.desc", limit=1)
    system.end_dispute(gus, second, dispute, "win")
    assert gus.balance() == welcome - 6 + Decimal(second["tokens"])
    assert system.findings() == []
