"""AppForge: prepaid euros for LLM tokens. The story comes first, on an empty bank: its figures are exact."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest
import stripe
from scenarios.system import CARD_DECLINED, CARD_PAYS, Person, Refused, Row, System, at_once, refused
from support import stripe_client

pytestmark = pytest.mark.one_version

CLAUDE, GPT = "claude-sonnet-4", "gpt-4o"
TYPICAL = {"input_tokens": 500, "output_tokens": 2000}
USED = {"input_tokens": 480, "output_tokens": 1200}


def ask(person: Person, model: str = CLAUDE, estimate: Row = TYPICAL, message: str | None = None) -> Row:
    """What AppForge's backend does before it calls the model: hold what that may cost. Raises Refused."""
    about = {"conversation_id": "conversation-1", "message_id": message}
    return person.system.service.hold(model, estimate, user_id=person.user_id, key=message, metadata=about)


def chat(
    person: Person,
    model: str = CLAUDE,
    used: Row = TYPICAL,
    *,
    estimate: Row = TYPICAL,
    message: str | None = None,
) -> Row:
    """A message that the model answers: charged for the tokens that it took. Raises Refused."""
    return person.system.service.capture(ask(person, model, estimate, message), used, key=message)


def test_appforge_sells_and_charges_as_its_story_says(system: System) -> None:
    ada = system.sign_up("ada@appforge.example")
    assert ada.kinds() == [("welcome", 1000)]

    # 3.00 and 15.00 US dollars a million, five percent more, 1.08 dollars for a euro: dollars are not taken
    # for euros, and 3.0625 cents are not 4.
    def cost(module_id: str, read: int, written: int) -> Decimal:
        quote = ada.quote(module_id, {"input_tokens": read, "output_tokens": written})
        return Decimal(quote["cost"])

    million = 1_000_000
    assert cost(CLAUDE, million, 0) == Decimal("291.666667")
    assert cost(CLAUDE, 0, million) == Decimal("1458.333334")
    assert cost(GPT, million, 0) == Decimal("243.055556")
    assert cost(GPT, 0, million) == Decimal("972.222223")
    assert cost(CLAUDE, 500, 2000) == Decimal("3.0625")
    assert cost(GPT, 500, 2000) == Decimal("2.065973")
    assert cost(CLAUDE, 1, 0) == Decimal("0.000292")

    # The backend holds what the answer may cost; the real tokens are charged, and the rest goes back.
    held = ask(ada, message="message-1")
    assert (held["held"], held["balance"], held["available"]) == (
        Decimal("3.0625"),
        1000,
        Decimal("996.9375"),
    )
    receipt = system.service.capture(held, USED, key="message-1")
    assert (receipt["cost"], receipt["released"]) == (Decimal("1.89"), Decimal("1.1725"))
    assert ada.standing() == (Decimal("998.11"), 0, Decimal("998.11"))

    # A long conversation, that writes twice of what was held; then an estimate that the rest does not pay.
    million_and_answer = {"input_tokens": 2_000_000, "output_tokens": 100_000}
    receipt = chat(
        ada,
        used=million_and_answer | {"output_tokens": 200_000},
        estimate=million_and_answer,
        message="message-2",
    )
    assert (receipt["cost"], receipt["balance"], receipt["shortfall"]) == (875, Decimal("123.11"), 0)
    estimate = {"input_tokens": 0, "output_tokens": 500_000}
    quote = ada.quote(CLAUDE, estimate)
    assert (quote["cost"], quote["sufficient"], quote["affordable"]) == (Decimal("729.166667"), False, 0)
    with refused(
        402,
        "insufficient_tokens",
        balance=Decimal("123.11"),
        cost=Decimal("729.166667"),
        missing=Decimal("606.056667"),
        affordable=0,
    ):
        ask(ada, estimate=estimate, message="message-3")

    # Below 2 euros a notice goes out, and another one when a request is refused for lack of tokens.
    # Then any amount from 5 to 1000 euros, four of them proposed.
    assert [(notice["kind"], notice["facts"]) for notice in ada.rows("notices", order="kind")] == [
        ("depleted", {"balance": Decimal("123.11")}),
        ("low_balance", {"balance": Decimal("123.11"), "threshold": 200}),
    ]
    (topup,) = ada.rows("topups")
    assert (topup["currency"], topup["minimum"], topup["maximum"]) == ("eur", 500, 100_000)
    presets = [(preset["amount"], preset["tokens"], preset["popular"]) for preset in topup["presets"]]
    assert presets == [(500, 500, False), (1000, 1000, True), (2500, 2500, False), (5000, 5000, False)]
    for amount in (499, 100_001, 0, -500):
        with refused(422, "bad_amount", minimum=500, maximum=100_000):
            ada.checkout(amount=amount)
    order = ada.buy(amount=1234)
    assert (order["tokens"], order["amount"], order["currency"]) == (1234, 1234, "eur")

    # The model fails: free. It is asked again, and writes less than it may.
    failed = ask(ada, estimate=estimate, message="message-3")
    assert ada.standing() == (Decimal("1357.11"), Decimal("729.166667"), Decimal("627.943333"))
    released = system.service.release(failed, "error: the provider is overloaded")
    assert (released["released"], released["captured"]) == (Decimal("729.166667"), 0)
    with refused(409, "hold_closed", state="released"):
        system.service.capture(failed, estimate)
    again = ask(ada, estimate=estimate, message="message-3, again")
    receipt = system.service.capture(again, {"input_tokens": 0, "output_tokens": 400_000}, key="message-3")
    assert (receipt["cost"], receipt["balance"]) == (Decimal("583.333334"), Decimal("773.776666"))
    assert [draw["tokens"] for draw in receipt["draws"]] == [Decimal("123.11"), Decimal("460.223334")]

    # Transactions with the balance before and after; uses with model, tokens, conversation and message.
    assert ada.kinds() == [
        ("welcome", 1000),
        ("spend", Decimal("-1.89")),
        ("spend", -875),
        ("purchase", 1234),
        ("spend", Decimal("-583.333334")),
    ]
    page = ada.rows("entries", order="seq", limit=2, offset=1)
    assert [(row["balance_before"], row["balance_after"]) for row in page] == [
        (1000, Decimal("998.11")),
        (Decimal("998.11"), Decimal("123.11")),
    ]
    (use,) = ada.rows("usage", order="used_at", limit=1)
    assert (use["module_id"], use["usage"], use["hold_id"]) == (CLAUDE, USED, held["hold_id"])
    assert use["metadata"] == {"conversation_id": "conversation-1", "message_id": "message-1"}
    calls = ada.rows("holds", order="created_at")
    assert [(call["metadata"]["message_id"], call["state"], call["captured"]) for call in calls] == [
        ("message-1", "captured", Decimal("1.89")),
        ("message-2", "captured", 875),
        ("message-3", "released", 0),
        ("message-3, again", "captured", Decimal("583.333334")),
    ]
    assert calls[0]["duration_ms"] == use["duration_ms"] > 0
    assert calls[2]["reason"] == "error: the provider is overloaded"

    # The figures: what was given away earned nothing, and the provider took its part of all three uses.
    quantities = system.figures(
        "select module_id, dimension, quantity, own_key_quantity from analytics.usage_quantities"
        " order by dimension"
    )
    assert [tuple(row.values()) for row in quantities] == [
        (CLAUDE, "input_tokens", 2_000_480, 0),
        (CLAUDE, "output_tokens", 601_200, 0),
    ]
    (margin,) = system.figures(
        "select currency, uses, tokens, revenue, provider_cost, margin from analytics.module_margin"
    )
    assert tuple(margin.values()) == (
        "eur",
        3,
        Decimal("1460.223334"),
        Decimal("460.223334"),
        Decimal("1390.688889"),
        Decimal("-930.465555"),
    )
    (welcome,) = system.figures("select granted, spent, remaining, share_spent from analytics.welcome_use")
    assert tuple(welcome.values()) == (1000, 1000, 0, 1)
    (outcome,) = system.figures(
        "select started, succeeded, failed, failure_rate, open from analytics.module_reliability"
    )
    assert tuple(outcome.values()) == (4, 3, 1, Decimal("0.25"), 0)


def test_own_key_is_recorded_free_and_only_by_the_backend(system: System) -> None:
    owner = system.sign_up("owner@appforge.example")
    named = {"user_id": owner.user_id, "metadata": {"message_id": "m-1"}}
    receipt = system.service.spend(CLAUDE, TYPICAL, byok=True, key="m-1", **named)
    assert (receipt["cost"], receipt["balance"]) == (0, 1000)
    with refused(403, "not_yours"):
        owner.spend(CLAUDE, TYPICAL, byok=True)
    with refused(409, "key_reused"):
        system.service.spend(
            CLAUDE, TYPICAL, user_id=owner.user_id, metadata={"message_id": "m-1"}, key="m-1"
        )
    with refused(404, "unknown_module"):
        system.service.spend("claude-sonnet-5", TYPICAL, byok=True, **named)
    (entry,) = owner.rows("entries", kind="eq.byok")
    assert (entry["tokens"], entry["usage"], entry["module_id"]) == (0, TYPICAL, CLAUDE)
    assert owner.kinds() == [("welcome", 1000), ("byok", 0)]
    assert owner.rows("holds") == []
    (figure,) = system.figures(
        "select sum(own_key_uses) as uses from analytics.module_usage where own_key_uses > 0"
    )
    assert figure["uses"] == 1


def test_referrer_is_rewarded_once_the_friend_has_paid(system: System) -> None:
    referrer = system.sign_up("referrer@appforge.example")
    offer = referrer.call("referral_code")
    with refused(404, "unknown_code"):
        system.sign_up("typo@appforge.example", referral_code="NO-SUCH-CODE")
    brought = system.sign_up("brought@appforge.example", referral_code=offer["code"].lower())
    with refused(409, "own_code"):
        referrer.call("redeem_code", code=offer["code"])
    with refused(409, "not_eligible"):
        brought.call("redeem_code", code=offer["code"])
    with refused(409, "referral_circle"):
        referrer.call("redeem_code", code=brought.call("referral_code")["code"])
    # Using the welcome, ordering, or a declined card pay nobody.
    chat(brought)
    opened = brought.checkout(amount=500)
    system.press(opened, CARD_DECLINED)
    assert [row["state"] for row in referrer.rows("referrals")] == ["pending"]
    assert referrer.balance() == 1000
    system.press(opened, CARD_PAYS)
    order = brought.wait_for_order(opened, "paid")
    second = brought.buy(amount=500)
    event = system.event_of(order)
    customers = {system.event_of(bought)["data"]["object"]["customer"] for bought in (order, second)}
    assert len(customers) == 1, "a user is one customer of Stripe"
    system.browser.post(f"/_control/events/{event['id']}/send", json={"times": 5})
    assert referrer.kinds() == [("welcome", 1000), ("referral", offer["tokens"])]
    assert sorted(kind for kind, _ in brought.kinds()) == [
        "purchase",
        "purchase",
        "referral",
        "spend",
        "welcome",
    ]
    assert brought.balance() == 1000 - Decimal("3.0625") + 2 * 500 + offer["referee_tokens"]
    assert [row["state"] for row in referrer.rows("referrals")] == ["paid"]


def test_code_gives_once_each_within_its_budget(system: System) -> None:
    system.owner(
        "select credits.define_campaign('spring', 'promo', 'Spring', 150, p_budget => 3,"
        " p_expires_after => '30 days')",
        "select credits.define_code('SPRING-26', 'spring')",
    )
    people = [system.sign_up(f"spring-{number}@appforge.example") for number in range(5)]
    first = people[0].call("redeem_code", code=" spring-26 ", key="once")
    assert (first["tokens"], first["balance"], first["replayed"]) == (150, 1150, False)
    assert first["expires_at"] is not None
    assert people[0].call("redeem_code", code=" spring-26 ", key="once")["replayed"]
    with refused(409, "code_used"):
        people[0].call("redeem_code", code="SPRING-26")
    results = at_once(
        [
            lambda person=person: person.call("redeem_code", code="SPRING-26")["tokens"]
            for person in people[1:]
        ]
        * 3
    )
    assert results.count(150) == 2
    assert set(results) == {150, "code_used", "code_exhausted"}
    with refused(404, "unknown_code"):
        people[0].call("redeem_code", code="SUMMER-26")
    assert sum(person.balance() for person in people) == 5 * 1000 + 3 * 150


def test_daily_and_monthly_limits_hold_against_races(system: System) -> None:
    careful = system.sign_up("careful@appforge.example")
    careful.call("set_spend_limit", period="day", tokens=9.1875)  # three typical calls
    results = at_once([lambda: ask(careful)] * 10)
    held = [result for result in results if result != "spend_limit"]
    assert [call["held"] for call in held] == [Decimal("3.0625")] * 3
    # What is held counts as spent; what was less than held makes room again.
    reached = Decimal("9.1875")
    with refused(429, "spend_limit", period="day", limit=reached, spent=0, cost=Decimal("3.0625")):
        ask(careful)
    at_once([lambda call=call: system.service.capture(call, USED) for call in held])
    assert chat(careful)["balance"] == Decimal("991.2675")
    spent = Decimal("8.7325")
    with refused(429, "spend_limit", period="day", limit=reached, spent=spent, cost=Decimal("3.0625")):
        ask(careful)
    (limit,) = careful.rows("spend_limits")
    assert (limit["period"], limit["spent"], limit["remaining"]) == ("day", spent, Decimal("0.455"))
    # Lifted by the user, it gives way to the one that the backend has set: that the user cannot lift.
    system.service.call("set_spend_limit", period="month", tokens=12.25, user_id=careful.user_id)
    careful.call("lift_spend_limit", period="day")
    careful.call("lift_spend_limit", period="month")
    chat(careful)
    with refused(429, "spend_limit", period="month", limit=Decimal("12.25"), spent=Decimal("11.795")):
        ask(careful)
    assert careful.standing() == (Decimal("988.205"), 0, Decimal("988.205"))


def test_unknown_model_user_or_usage_is_refused(system: System) -> None:
    bob = system.sign_up("bob@appforge.example")
    for model in ("claude-sonnet-5", "Claude-Sonnet-4", "claude-sonnet-4 ", "", "llm", "gpt-4o-mini"):
        for work in (ask, chat):
            with refused(404, "unknown_module"):
                work(bob, model)
    usages: tuple[Row, ...] = (
        {"input_tokens": 500},
        {"input_tokens": 500, "output_tokens": -1},
        {"input_tokens": "500", "output_tokens": 2000},
        {"input_tokens": 500, "output_tokens": 2000, "images": 1},
        {"input_tokens": 500, "output_tokens": 1e30},
        {},
    )
    for usage in usages:
        for function in (bob.hold, bob.spend):
            with refused(422, "bad_usage"):
                function(CLAUDE, usage)
    for forged in ("x", f"{bob.headers['Authorization'].removeprefix('Bearer ')}x"):
        with pytest.raises(Refused) as caught:
            Person(system, {"Authorization": f"Bearer {forged}"}).hold(CLAUDE, TYPICAL)
        assert caught.value.status == 401
    with refused(401, "not_signed_in"):
        system.stranger.hold(CLAUDE, TYPICAL, user_id=bob.user_id)
    with refused(404, "unknown_user"):
        system.service.hold(CLAUDE, TYPICAL, user_id="nobody")
    assert (bob.kinds(), bob.rows("holds")) == ([("welcome", 1000)], [])


def test_racing_calls_never_overspend(system: System) -> None:
    racer = system.sign_up("racer@appforge.example")
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    results = at_once([lambda: ask(racer, estimate=usage)] * 20)
    held = [result for result in results if result != "insufficient_tokens"]
    assert [call["held"] for call in held] == [Decimal("291.666667")] * 3
    assert racer.standing() == (1000, Decimal("875.000001"), Decimal("124.999999"))
    # What is held for one call is not there for another, nor for the user, who cannot call it off.
    with refused(402, "insufficient_tokens", balance=1000, missing=Decimal("166.666668")):
        racer.spend(CLAUDE, usage)
    for end in (racer.capture, racer.release):
        with refused(403, "not_yours"):
            end(held[0])
    # Each answer is charged by two servers at once.
    results = at_once([lambda call=call: system.service.capture(call, usage)["cost"] for call in held] * 2)
    assert [results.count(Decimal("291.666667")), results.count("hold_closed")] == [3, 3]
    assert racer.standing() == (Decimal("124.999999"), 0, Decimal("124.999999"))
    assert sum(tokens for _, tokens in racer.kinds()) == racer.balance()


def test_work_beyond_the_balance_is_charged_and_the_rest_recorded(
    system: System,
) -> None:
    verbose = system.sign_up("verbose@appforge.example")
    estimate = {"input_tokens": 3_000_000, "output_tokens": 0}
    receipt = chat(verbose, used=estimate | {"input_tokens": 4_000_000}, estimate=estimate)
    assert (receipt["cost"], receipt["paid"], receipt["balance"]) == (Decimal("1166.666667"), 1000, 0)
    (shortfall,) = verbose.rows("shortfalls")
    assert (shortfall["tokens"], shortfall["state"]) == (Decimal("166.666667"), "open")
    with refused(402, "insufficient_tokens", balance=0):
        ask(verbose)
    system.service.call("close_shortfall", shortfall_id=shortfall["shortfall_id"], state="written_off")


def test_forgetting_a_user_keeps_the_books(system: System) -> None:
    gone = system.sign_up("gone@appforge.example")
    chat(gone)
    query = (
        "select e.account_id, e.kind::text, e.tokens from credits.entries as e"
        " join credits.identities as i on e.account_id = i.account_id where i.subject = %s"
    )
    before = system.query("AUDITOR", query, (gone.user_id,))
    assert len(before) == 2
    account_id = before[0]["account_id"]
    # The operator forgets who it was; even they cannot make the account or its entries disappear.
    system.owner(
        f"delete from credits.credentials where subject = '{gone.user_id}'",
        f"delete from credits.identities where subject = '{gone.user_id}'",
    )
    for statement in ("delete from credits.accounts", "delete from credits.entries"):
        with pytest.raises(psycopg.Error):
            system.owner(f"{statement} where account_id = '{account_id}'")
    query = "select kind::text, tokens from credits.entries where account_id = %s order by seq"
    kept = [tuple(row.values()) for row in system.query("AUDITOR", query, (account_id,))]
    assert kept == [("welcome", 1000), ("spend", Decimal("-3.0625"))]
    assert gone.rows("entries") == []


def test_new_exchange_rate_is_a_new_price_version(system: System) -> None:
    early = system.sign_up("early@appforge.example")
    before, under_way = chat(early, GPT), ask(early, GPT)
    system.owner(
        """select credits.define_price('[
            {"dimension": "input_tokens", "unit_size": 1e6, "price_per_unit": 250, "provider_cost": 250},
            {"dimension": "output_tokens", "unit_size": 1e6, "price_per_unit": 1000, "provider_cost": 1000}
        ]', p_module_id => 'gpt-4o', p_margin => 1.05, p_exchange_rate => 1.25)"""
    )
    pinned, after = system.service.capture(under_way), chat(early, GPT)
    costs = [Decimal("2.065973"), Decimal("2.065973"), Decimal("1.785")]
    assert [receipt["cost"] for receipt in (before, pinned, after)] == costs
    uses = early.rows("usage", order="used_at", select="cost,price_id")
    assert [use["cost"] for use in uses] == costs
    assert uses[0]["price_id"] == uses[1]["price_id"] != uses[2]["price_id"]


def sell_plans(system: System) -> tuple[stripe.StripeClient, dict[str, str]]:
    """Prices at Stripe for the paid plans of the price list, as an operator makes them."""
    client = stripe_client("sk_test_of_the_tests", system.variables["SIMULATOR_URL"])
    prices = {}
    for plan in system.stranger.rows("plans", free="eq.false"):
        product = client.v1.products.create({"name": plan["title"]})
        price = client.v1.prices.create(
            {
                "product": product.id,
                "unit_amount": plan["amount"],
                "currency": plan["currency"],
                "recurring": {"interval": plan["interval"]},
            }
        )
        prices[plan["plan_id"]] = price.id
    system.apply_catalog(PGCREDITS_STRIPE_PRICES=",".join(f"{plan}={id_}" for plan, id_ in prices.items()))
    return client, prices


def plan_of(person: Person) -> Row:
    """The subscription at Stripe that the person has, if any."""
    rows = [row for row in person.rows("subscriptions") if row["subscription_id"]]
    return rows[0] if rows else {"status": None, "plan_id": None}


def wait_for(person: Person, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, (person.rows("subscriptions"), person.kinds())
        time.sleep(0.05)


def test_plans_are_taken_renewed_changed_refunded_and_cancelled(system: System) -> None:
    client, prices = sell_plans(system)
    offered = [(plan["plan_id"], plan["allowance"], plan["amount"]) for plan in system.stranger.rows("plans")]
    assert offered == [("free", 100, 0), ("starter", 1000, 900), ("pro", 3500, 2900), ("team", 13000, 9900)]

    # FREE: 100 a month beside the welcome, once.
    user = system.sign_up("subscriber@appforge.example")
    assert user.call("start_free_plan")["granted"]
    assert user.call("start_free_plan")["replayed"]
    assert user.kinds() == [("welcome", 1000), ("allowance", 100)]

    # STARTER by Checkout, and the plan's tokens go before the user's own.
    opened = user.ask("POST", "/checkout", json={"plan_id": "starter"})
    system.press(opened, CARD_PAYS)
    wait_for(user, lambda: user.balance() == 2100)
    wait_for(user, lambda: plan_of(user)["status"] == "active")
    with refused(409, "already_subscribed"):
        user.ask("POST", "/checkout", json={"plan_id": "starter"})
    subscription = plan_of(user)["subscription_id"]
    chat(user)
    left = {lot["source"]: lot["remaining"] for lot in user.rows("lots", order="lot_id.desc")}
    assert left["welcome"] == 1000

    # PRO in the portal: the whole difference for a period that has just begun.
    before = user.balance()
    (item,) = client.v1.subscriptions.retrieve(subscription)["items"].data
    client.v1.subscriptions.update(
        subscription,
        {
            "items": [{"id": item.id, "price": prices["pro"]}],
            "proration_behavior": "always_invoice",
        },
    )
    wait_for(user, lambda: plan_of(user)["plan_id"] == "pro")
    wait_for(user, lambda: user.balance() > before)

    # A renewal, by the terms of PRO.
    before = user.balance()
    assert system.browser.post(f"/_control/subscriptions/{subscription}/next").is_success
    wait_for(user, lambda: user.balance() == before + 3500)

    # A refund of the first month takes that month's tokens back.
    (first,) = user.rows("orders", package_name="eq.STARTER", order="created_at", limit=1)
    (invoice,) = (
        one
        for one in client.v1.invoices.list({"subscription": subscription}).data
        if one.billing_reason == "subscription_create"
    )
    (payment,) = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    before = user.balance()
    client.v1.refunds.create({"payment_intent": str(payment.payment.payment_intent)})
    wait_for(user, lambda: user.balance() < before)
    (back,) = user.rows("orders", order_id=f"eq.{first['order_id']}")
    assert back["reversed"] == 900

    # The end: what was paid stays, and nothing more comes.
    client.v1.subscriptions.cancel(subscription)
    wait_for(user, lambda: plan_of(user)["status"] == "canceled")
    portal = user.ask("POST", "/portal", json={})
    assert system.browser.get(portal["url"]).status_code == 200


def test_trial_of_pro_grants_its_trial_tokens(system: System) -> None:
    tester = system.sign_up("tester@appforge.example")
    opened = tester.ask("POST", "/checkout", json={"plan_id": "pro"})
    system.press(opened, CARD_PAYS)
    wait_for(tester, lambda: tester.balance() == 1200)
    wait_for(tester, lambda: plan_of(tester)["status"] == "trialing")
    (order,) = tester.rows("orders")
    assert (order["package_name"], order["amount"], order["paid"]) == ("PRO", 0, 0)


def test_saved_card_is_charged_before_the_money_runs_out(system: System) -> None:
    kate = system.sign_up("kate@appforge.example")
    words = "Charge my card 10 EUR whenever less than 5 EUR are left, at most 50 EUR a month."
    agreed = {"threshold": 500, "amount": 1000, "monthly_limit": 5000, "words": words}
    page = kate.ask("POST", "/checkout", json={"auto_topup": agreed})
    (topup,) = kate.rows("auto_topup")
    assert (topup["state"], topup["words"], kate.balance()) == ("waiting", words, 1000)
    system.press(page, CARD_PAYS)
    system.wait_until(lambda: kate.rows("auto_topup")[0]["state"] == "on", "the card is saved")

    # Two million tokens are read for 583.333334 cents: the hold begins the charge, and the work goes on.
    held = ask(kate, estimate={"input_tokens": 2_000_000, "output_tokens": 0})
    system.wait_until(lambda: kate.balance() == 2000, "the top-up is granted")
    receipt = system.service.capture(held, {"input_tokens": 2_000_000, "output_tokens": 0})
    assert receipt["balance"] == Decimal("1416.666666")
    (order,) = kate.rows("orders")
    assert (order["kind"], order["state"], order["amount"], order["tokens"]) == (
        "auto_topup",
        "paid",
        1000,
        1000,
    )
    charge, *_ = kate.rows("auto_topup_history", event="eq.charge")
    assert (charge["state"], charge["order_id"], charge["hold_id"]) == (
        "succeeded",
        order["order_id"],
        held["hold_id"],
    )

    # The operator refunds half of it, and the card is charged no more once Kate has said so.
    asked = system.service.call(
        "request_refund", user_id=kate.user_id, order_id=order["order_id"], amount=500, reason="a mistake"
    )
    assert (asked["state"], asked["tokens"]) == ("open", 500)
    system.wait_until(lambda: kate.balance() == Decimal("916.666666"), "the money has gone back")
    assert kate.call("stop_auto_topup")["state"] == "off"
    chat(
        kate,
        used={"input_tokens": 2_000_000, "output_tokens": 0},
        estimate={"input_tokens": 2_000_000, "output_tokens": 0},
    )
    assert len(kate.rows("orders")) == 1


def test_a_disputed_top_up_is_frozen_and_returns_when_the_dispute_is_won(system: System) -> None:
    ivo = system.sign_up("ivo@appforge.example")
    welcome = ivo.balance()
    order = ivo.buy(amount=2500)
    dispute, _ = system.dispute(ivo, order)
    assert ivo.standing() == (welcome, 0, welcome)
    system.end_dispute(ivo, order, dispute, "win")
    assert ivo.standing() == (welcome + 2500, 0, welcome + 2500)
    assert system.findings() == []
