"""IAHome: tokens per module. The story comes first, on an empty bank: its figures are exact."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from scenarios.system import CARD_DECLINED, Person, Refused, System, at_once, forged_event, refused

pytestmark = pytest.mark.one_version

TOKENS = "/api/user-tokens"  # IAHome's own route


def use(person: Person, module_id: str, tokens: Any, **more: Any) -> Any:
    """A use of a module in IAHome's words."""
    named = {"moduleId": module_id, "moduleName": module_id.title(), "tokensToConsume": tokens}
    return person.ask("POST", TOKENS, json={"userId": person.user_id, **named, **more})


def test_iahome_sells_and_charges_as_its_story_says(system: System) -> None:
    ada = system.sign_up("ada@iahome.example")
    nothing = {"tokens": 0, "packageName": None, "purchaseDate": None, "isActive": True}
    assert ada.ask("GET", TOKENS, params={"userId": ada.user_id}) == nothing

    # What is for sale, and what things cost.
    packs = ada.rows("packs", select="pack_id,package_name,tokens,amount,currency,popular")
    assert [tuple(pack.values()) for pack in packs] == [
        ("basique", "Basique", 100, 999, "eur", False),
        ("standard", "Standard", 500, 3999, "eur", True),
        ("premium", "Premium", 1000, 6999, "eur", False),
        ("entreprise", "Entreprise", 5000, 29999, "eur", False),
    ]
    costs = {
        module: ada.quote(module)["cost"]
        for module in ("stablediffusion", "photoportfolio", "whisper", "metube", "anything-else")
    }
    assert costs == {
        "stablediffusion": 50,
        "photoportfolio": 50,
        "whisper": 25,
        "metube": 10,
        "anything-else": 30,
    }

    # Without tokens nothing runs, and a declined card brings no tokens.
    with refused(402, "insufficient_tokens", balance=0, cost=50, missing=50, affordable=0):
        use(ada, "stablediffusion", 50)
    system.press(ada.checkout("basique"), CARD_DECLINED)
    assert ada.balance() == 0

    # Buying: 100 tokens, once, though Stripe brings the event three times more, also to IAHome's own address.
    order = ada.buy("basique")
    assert (order["package_name"], order["tokens"], order["amount"]) == ("Basique", 100, 999)
    bring_again(system, order)
    shown = ada.ask("GET", TOKENS, params={"userId": ada.user_id})
    assert (shown["tokens"], shown["packageName"], shown["isActive"]) == (100, "Basique", True)
    ordered, bought = map(datetime.fromisoformat, (order["created_at"], shown["purchaseDate"]))
    assert ordered < bought

    # Spending, by both names, until too little is left.
    used = use(ada, "stablediffusion", 50)
    assert (used["success"], used["tokensConsumed"], used["tokens"]) == (True, 50, 50)
    assert ada.spend("metube")["balance"] == 40
    assert ada.spend("anything-else", key="weather")["balance"] == 10
    quote = ada.quote("whisper")
    assert {name: quote[name] for name in ("cost", "balance", "sufficient", "affordable")} == {
        "cost": 25,
        "balance": 10,
        "sufficient": False,
        "affordable": 0,
    }
    with refused(402, "insufficient_tokens", balance=10, cost=25, missing=15, affordable=0):
        ada.spend("whisper", key="transcript-7")

    # Buying again: the refused call, with its key, now works, and once.
    ada.buy("standard")
    receipt = ada.spend("whisper", key="transcript-7")
    assert (receipt["cost"], receipt["balance"], receipt["replayed"]) == (25, 485, False)
    repeated = ada.spend("whisper", key="transcript-7")
    assert repeated == receipt | {"replayed": True}
    with refused(409, "key_reused"):
        ada.spend("metube", key="transcript-7")

    # The history, in pages: each balance is the one before it and the movement.
    assert ada.kinds() == [
        ("purchase", 100),
        ("spend", -50),
        ("spend", -10),
        ("spend", -30),
        ("purchase", 500),
        ("spend", -25),
    ]
    pages = [ada.rows("entries", order="seq.desc", limit=4, offset=offset) for offset in (0, 4, 8)]
    assert [[row["seq"] for row in page] for page in pages] == [[6, 5, 4, 3], [2, 1], []]
    for row in pages[0] + pages[1]:
        assert row["balance_before"] + row["tokens"] == row["balance_after"]
    assert pages[0][0]["balance_after"] == ada.balance() == 485
    uses = ada.rows("usage", select="module_id,cost", order="used_at")
    assert [(use["module_id"], use["cost"]) for use in uses] == [
        ("stablediffusion", 50),
        ("metube", 10),
        ("anything-else", 30),
        ("whisper", 25),
    ]

    # The figures: somebody who never buys counts as well.
    system.sign_up("looks-only@iahome.example")
    sold = system.figures("select package_name, orders, tokens, amount, currency from analytics.tokens_sold")
    assert sorted(tuple(row.values()) for row in sold) == [
        ("Basique", 1, 100, 999, "eur"),
        ("Standard", 1, 500, 3999, "eur"),
    ]
    most_used = system.figures(
        "select module_id, sum(uses) as uses, sum(tokens) as tokens from analytics.module_usage"
        " group by 1 order by 3 desc"
    )
    assert [tuple(row.values()) for row in most_used] == [
        ("stablediffusion", 1, 50),
        ("anything-else", 1, 30),
        ("whisper", 1, 25),
        ("metube", 1, 10),
    ]
    (conversion,) = system.figures("select accounts, buyers, conversion from analytics.purchase_conversion")
    assert tuple(conversion.values()) == (2, 1, Decimal("0.5"))
    (average,) = system.figures(
        "select active_accounts, uses_per_account, tokens_per_account from analytics.average_use"
    )
    assert tuple(average.values()) == (1, 4, 115)


def bring_again(system: System, order: dict[str, Any]) -> None:
    """The event of an order: what IAHome expects in it; sent twice more, and once to IAHome's own address."""
    event = system.event_of(order)
    metadata = event["data"]["object"]["metadata"]
    assert {name: metadata[name] for name in ("type", "userId", "tokenPackage", "tokens")} == {
        "type": "token_purchase",
        "userId": order["user_id"],
        "tokenPackage": "Basique",
        "tokens": "100",
    }
    sent = system.browser.post(f"/_control/events/{event['id']}/send", json={"times": 2}).json()
    assert sent["statuses"] == [200, 200]
    payload = json.dumps(event)
    again = system.stranger.ask(
        "POST", "/api/stripe-webhook", content=payload, headers=system.stripe_signature(payload)
    )
    assert again["event_id"] == event["id"]


def test_tokens_bought_for_a_module_are_spent_there_alone_and_first(system: System) -> None:
    bob = system.sign_up("bob@iahome.example")
    order = bob.buy("basique", moduleId="whisper")
    assert order["module_id"] == "whisper"
    for module in ("stablediffusion", "metube", "anything-else"):
        cost = bob.quote(module)["cost"]
        with refused(402, "insufficient_tokens", balance=100, cost=cost, missing=cost, affordable=0):
            bob.spend(module)
    bob.buy("basique")
    lots = {lot["lot_id"]: lot for lot in bob.rows("lots")}
    assert {lot["scope"] for lot in lots.values()} == {"module:whisper", None}
    drawn = [lots[draw["lot_id"]]["scope"] for draw in bob.spend("whisper")["draws"]]
    assert drawn == ["module:whisper"]
    drawn = [lots[draw["lot_id"]]["scope"] for draw in bob.spend("metube")["draws"]]
    assert drawn == [None]
    assert bob.quote("stablediffusion")["available"] == 90
    assert bob.balance() == 165
    with refused(404, "unknown_module"):
        bob.checkout("basique", moduleId="no-such-module")


def test_sql_signatures_of_iahome_work(system: System) -> None:
    carl = system.sign_up("carl@iahome.example")
    service = system.variables["SERVICE_DATABASE_URL"]
    with psycopg.connect(service) as backend:
        backend.execute("set role service_role")
        given = backend.execute("select * from api.add_tokens(%s, 60, 'Welcome back')", (carl.user_id,))
        assert given.fetchone() is not None
    consume = "select cost, balance from api.consume_tokens(%s, 'stablediffusion', 'Stable Diffusion', %s)"
    with system.sql_of(carl) as session:
        assert session.execute(consume, (carl.user_id, 50)).fetchall() == [(50, 10)]
        for user_id, tokens, state in (
            (carl.user_id, 1, "PT422"),
            ("ada", 50, "PT403"),
            (carl.user_id, 50, "PT402"),
        ):
            with pytest.raises(psycopg.Error) as caught:
                session.execute(consume, (user_id, tokens))
            assert caught.value.sqlstate == state
    assert carl.kinds() == [("purchase", 60), ("spend", -50)]


def test_users_cannot_name_a_user_a_price_or_a_grant(system: System) -> None:
    victim = system.sign_up("victim@iahome.example")
    victim.buy("basique")
    eve = system.sign_up("eve@iahome.example")
    with refused(403, "not_yours"):
        use(eve, "metube", 10, userId=victim.user_id)
    with refused(403, "not_yours"):
        eve.spend("metube", user_id=victim.user_id)
    with refused(403, "not_yours"):
        eve.call("quote_tokens", module_id="metube", user_id=victim.user_id)
    with refused(403, "not_yours"):
        eve.ask("GET", TOKENS, params={"userId": victim.user_id})
    with refused(403, "not_yours"):
        eve.checkout("basique", userId=victim.user_id)
    for price in (1, 49, 49.999999, 51):
        with refused(422, "price_mismatch", cost=50):
            use(victim, "stablediffusion", price)
    for price in (0, -50, "NaN", "Infinity", None):
        with refused(422, "bad_amount"):
            use(victim, "stablediffusion", price)
    for tokens in (1, 1_000_000):
        gift = {"userId": eve.user_id, "tokensToAdd": tokens, "packageName": "Entreprise"}
        with refused(403, "not_allowed"):
            eve.ask("PUT", TOKENS, json=gift)
    with refused(403, "not_allowed"):
        eve.call("add_tokens", user_id=eve.user_id, tokens=1_000_000)
    for function in ("apply_stripe_event", "attach_checkout", "sign_up", "find_credential"):
        with pytest.raises(Refused) as caught:
            eve.call(function)
        assert caught.value.status in (403, 404)
    with refused(401, "not_signed_in"):
        use(Person(system, {}, victim.user_id), "metube", 10)
    # What is her own she sees; of the victim nothing, in any view.
    for view in ("balance", "entries", "usage", "lots", "orders"):
        assert eve.rows(view, user_id=f"eq.{victim.user_id}") == []
    assert victim.kinds() == [("purchase", 100)]
    assert eve.balance() == 0
    given = system.service.ask(
        "PUT", TOKENS, json={"userId": eve.user_id, "tokensToAdd": 5, "packageName": "Sorry"}
    )
    assert (given["success"], given["tokens"], given["tokensAdded"]) == (True, 5, 5)


def test_nobody_updates_a_balance_by_rest_or_by_sql(system: System) -> None:
    mallory = system.sign_up("mallory@iahome.example")
    mallory.buy("basique")
    mallory.spend("metube")
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        for view in ("balance", "lots", "entries", "packs", "wallets"):
            response = mallory.send(method, f"/rest/v1/{view}", json={"balance": 10_000, "tokens": 10_000})
            assert response.status_code in (404, 405), (method, view)
    attacks = (
        "update api.balance set balance = 10000",
        "update api.lots set remaining = 10000",
        "insert into api.entries (tokens) values (10000)",
        "delete from api.usage",
        "update credits.wallets set balance = 10000",
        "update credits.lots set granted = 10000, remaining = 10000",
        "delete from credits.entries",
        "truncate credits.entries",
        "insert into credits.prices (catalog_id) values ('iahome')",
        "select * from credits.spend(null, null, null, null, null, null)",
        "select * from api.add_tokens('x', 10000, 'mine')",
        "set role service_role",
        "set role credits_owner",
        "create temporary table mine (x int)",
        "create table api.mine (x int)",
    )
    with system.sql_of(mallory) as session:
        seen = session.execute("select balance from api.balance").fetchall()
        assert seen == [(90,)]
        for attack in attacks:
            with pytest.raises(psycopg.Error) as caught:
                session.execute(attack)
            assert caught.value.sqlstate in ("42501", "55000", "42883"), attack
    # An analyst who claims to be a service is still an analyst.
    claims = json.dumps({"role": "service_role", "sub": mallory.user_id})
    with psycopg.connect(system.variables["ANALYST_URL"], autocommit=True) as analyst:
        analyst.execute("select set_config('request.jwt.claims', %s, false)", (claims,))
        for attack in ("table api.balance", "table credits.entries", *attacks):
            with pytest.raises(psycopg.Error):
                analyst.execute(attack)
    assert mallory.balance() == 90


def test_racing_spends_never_overspend(system: System) -> None:
    racer = system.sign_up("racer@iahome.example")
    racer.buy("basique")
    results = at_once([lambda: racer.spend("metube")["cost"]] * 30)
    assert sorted(results, key=str) == [10] * 10 + ["insufficient_tokens"] * 20
    assert racer.balance() == 0


def test_real_money_is_not_expected_beside_the_simulator(system: System) -> None:
    (settings,) = system.query("AUDITOR", "select stripe_livemode, stripe_accounts from credits.settings")
    assert settings == {"stripe_livemode": False, "stripe_accounts": []}


def test_a_forged_payment_gives_nothing(system: System) -> None:
    forger = system.sign_up("forger@iahome.example")
    payload = forged_event(forger.checkout("entreprise"), 29999)
    signatures: list[dict[str, str]] = [{}, system.stripe_signature(payload, "whsec_guessed")]
    for path in ("/webhooks/stripe", "/api/stripe-webhook"):
        for headers in signatures:
            with refused(400, "bad_signature"):
                system.stranger.ask("POST", path, content=payload, headers=headers)
    assert forger.balance() == 0


def test_refunded_and_disputed_packs_take_their_tokens_back(system: System) -> None:
    ida = system.sign_up("ida@iahome.example")
    order = ida.buy("standard")
    ida.spend("whisper")
    half = system.refund(ida, order, 2000)
    assert (half["reversed"], half["disputed"]) == (2000, False)
    assert ida.balance() == Decimal("500") - 25 - Decimal("250.062515")  # 500 x 2000 / 3999
    dispute, _ = system.dispute(ida, order | {"reversed": 2000})
    # All of the money is back, and 25 tokens were used.
    assert ida.standing() == (-25, 0, 0)
    with refused(402, "insufficient_tokens", debt=25):
        ida.spend("metube")
    system.end_dispute(ida, order, dispute, "lose")
    ida.buy("basique")  # repays what is owed
    assert ida.balance() == 75
    assert [row["kind"] for row in ida.rows("reversals", order="created_at") if row["kind"] == "dispute"]
    assert system.findings() == []


def test_tokens_of_two_idle_years_are_announced_and_purged(system: System) -> None:
    system.owner("select credits.allow_test_clocks(true)")
    gil = system.sign_up("gil@iahome.example")
    gil.buy("basique")
    gil.spend("metube")

    def wait(interval: str) -> list[str]:
        system.service.call("set_test_clock", user_id=gil.user_id, advance=interval)
        return [row["kind"] for row in gil.rows("notices", order="created_at")]

    assert wait("23 months") == []
    assert wait("10 days") == ["inactive"]
    assert gil.balance() == 90
    wait("1 month")
    assert gil.balance() == 0
    assert gil.kinds()[-2:] == [("adjustment", Decimal(0)), ("expire", Decimal(-90))]
    assert system.findings() == []
