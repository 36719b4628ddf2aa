"""Referrals: one referrer per account, before it pays, never in a circle; its first payment rewards both."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Row, at_once, open_account, refused, slugs, wait_until_blocked
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, EXPIRED, SAYS, SUCCEEDED, attached, event, session

if TYPE_CHECKING:
    from conftest import Town

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


@pytest.fixture
def campaign(town: Town) -> str:
    return town.campaign(uuid4().hex, "referral", 500, referee_tokens=300, per_account=20)


def code_of(somebody: Caller) -> str:
    return str(somebody.call("referral_code")["code"])


def bring(town: Town, referrer: Caller) -> Caller:
    """A new user, referred by that one."""
    friend = town.user()
    friend.call("redeem_code", code=code_of(referrer))
    return friend


def order(town: Town, friend: Caller, pack_id: str = "basique") -> Row:
    return attached(town.service, friend.call("create_order", pack_id=pack_id))


def ordered(town: Town, friend: Caller, pack_id: str = "basique") -> Row:
    """The event of a new order that has been paid."""
    return event(COMPLETED, session(order(town, friend, pack_id)))


def buy(town: Town, friend: Caller) -> None:
    assert town.service.call("apply_stripe_event", event=ordered(town, friend))["outcome"] == "granted"


def states(referrer: Caller) -> list[str]:
    return [row["state"] for row in referrer.rows("select state from api.referrals order by created_at")]


def status(town: Town, somebody: Caller, status: str) -> None:
    town.admin.execute(
        "update credits.wallets set status = %s where account_id = %s",
        (status, open_account(town.bank, str(somebody.user_id))),
    )


# The user's own code


def test_code_is_made_once_and_is_easy_to_read(town: Town, campaign: str) -> None:
    ada = town.user()
    offer = ada.call("referral_code")
    assert offer == {
        "user_id": ada.user_id,
        "code": offer["code"],
        "campaign_id": campaign,
        "title": campaign,
        "tokens": 500,
        "referee_tokens": 300,
    }
    codes = {offer["code"]} | {code_of(town.user()) for _ in range(50)}
    assert len(codes) == 51
    assert all(len(code) == 8 and not set(code) & set("01IO") and code == code.upper() for code in codes)
    assert ada.call("referral_code") == offer
    assert town.service.call("referral_code", user_id=ada.user_id) == offer


def test_first_calls_at_once_make_one_code(town: Town, campaign: str) -> None:
    ada = town.user()
    callers = [town.someone("authenticated", ada.user_id) for _ in range(16)]
    results = at_once([lambda caller=caller: code_of(caller) for caller in callers])
    assert slugs(results) == []
    assert len(set(results)) == 1


def test_referral_code_needs_a_campaign(town: Town) -> None:
    town.campaign(uuid4().hex, "referral", 5, valid_until="2020-01-01")
    town.campaign(uuid4().hex, "referral", 5, valid_from="2099-01-01")
    town.campaign(uuid4().hex, "referral", 5, active=False)
    town.campaign(uuid4().hex, "promo", 5)
    with refused("no_campaign"):
        town.user().call("referral_code")


def test_users_and_services_may_ask_for_a_code(town: Town, campaign: str) -> None:
    ada = town.user()
    ada.call("open_account")
    with refused("not_yours"):
        town.user().call("referral_code", user_id=ada.user_id)
    with refused("unknown_user"):
        town.service.call("referral_code", user_id=town.user().user_id)
    for state in ("frozen", "closed"):
        status(town, ada, state)
        with refused("account_frozen"):
            ada.call("referral_code")


# Being brought


def test_redeeming_notes_the_referrer_and_gives_nothing_yet(town: Town, campaign: str) -> None:
    ada, bob = town.user(), town.user()
    code = code_of(ada)
    receipt = bob.call("redeem_code", code=f" {code.lower()} ", idempotency_key="k")
    expected = {
        "code": code,
        "kind": "referral",
        "campaign_id": campaign,
        "title": campaign,
        "entry_id": None,
        "user_id": bob.user_id,
        "lot_id": None,
        "tokens": 0,
        "balance": 0,
        "expires_at": None,
    }
    assert receipt == expected | {"replayed": False}
    assert bob.call("redeem_code", code=code, idempotency_key="k") == expected | {"replayed": True}
    row = ada.row("select * from api.referrals")
    assert row.pop("created_at") is not None
    assert row == {
        "user_id": ada.user_id,
        "code": code,
        "campaign_id": campaign,
        "state": "pending",
        "settled_at": None,
    }
    assert bob.rows("select * from api.referrals") == []
    assert "account_id" not in ada.row("select * from api.referrals")


def test_sign_up_and_open_account_take_the_code(town: Town, campaign: str) -> None:
    ada = town.user()
    code = code_of(ada).lower()
    receipt = town.service.call(
        "sign_up", email=f"{uuid4().hex}@example.com", password_hash=HASH, referral_code=f" {code}"
    )
    assert receipt["user_id"]
    for caller, arguments in ((bob := town.user(), {}), (town.service, {"user_id": town.user().user_id})):
        answer = caller.call("open_account", referral_code=code, **arguments)
        assert (answer["opened"], answer["referred"]) == (True, True)
    again = bob.call("open_account", referral_code=code)
    assert (again["opened"], again["referred"]) == (False, True)
    assert states(ada) == ["pending"] * 3
    for nothing in (None, "", "  "):
        assert town.user().call("open_account", referral_code=nothing)["referred"] is False


def test_sign_up_with_a_bad_code_is_refused_whole(town: Town, campaign: str) -> None:
    ended = town.campaign(uuid4().hex, "referral", 5)
    ada = town.user()
    town.bank.rows(
        "insert into credits.codes (code, campaign_id, referrer_id) values ('ENDED', %s, %s) returning 1",
        (ended, open_account(town.bank, str(ada.user_id))),
    )
    town.campaign(ended, "referral", 5, valid_until="2020-01-01")
    address = f"{uuid4().hex}@example.com"
    before = town.bank.row("select count(*) from credits.accounts")
    for code, slug in (
        ("nobody's", "unknown_code"),
        (town.code(5), "unknown_code"),
        ("ended", "code_expired"),
    ):
        with refused(slug):
            town.service.call("sign_up", email=address, password_hash=HASH, referral_code=code)
        with refused(slug):
            town.user().call("open_account", referral_code=code)
    assert town.bank.row("select count(*) from credits.accounts") == before
    town.service.call("sign_up", email=address, password_hash=HASH)


def test_only_services_link_a_newcomer_to_a_guest(town: Town) -> None:
    keys = [uuid4().hex * 2 for _ in range(4)]
    town.bank.rows(
        "insert into credits.guests (device_key, first_seen_at)"
        " select k, clock_timestamp() from unnest(%s::text[]) as k returning 1",
        (keys,),
    )
    ada, bob = town.user(), town.user()
    with refused("not_yours"):
        ada.call("open_account", device_keys=keys[:1])
    town.service.call("open_account", user_id=ada.user_id, device_keys=keys[:1])
    town.service.call("open_account", user_id=bob.user_id, device_keys=keys[:1])  # Ada's by now
    town.service.call("open_account", user_id=bob.user_id, device_keys=keys[1:2])  # no newcomer any more
    carol = town.service.call(
        "sign_up", email=f"{uuid4().hex}@example.com", password_hash=HASH, device_keys=keys[2:3]
    )
    linked = town.bank.rows(
        "select i.subject from credits.guests as g"
        " left join credits.identities as i on g.linked_to = i.account_id"
        " join unnest(%s::text[]) with ordinality as k (key, place) on k.key = g.device_key order by k.place",
        (keys,),
    )
    assert [row["subject"] for row in linked] == [ada.user_id, None, carol["user_id"], None]


def test_own_referral_code_is_refused(town: Town, campaign: str) -> None:
    ada = town.user()
    with refused("own_code"):
        ada.call("redeem_code", code=code_of(ada))
    with refused("own_code"):
        ada.call("open_account", referral_code=code_of(ada))


def test_account_is_referred_once_and_before_it_pays(town: Town, campaign: str) -> None:
    ada, bob = town.user(), town.user()
    friend = bring(town, ada)
    for somebody in (ada, bob):
        with refused("not_eligible"):
            friend.call("redeem_code", code=code_of(somebody))
    with refused("not_eligible"):
        friend.call("open_account", referral_code=code_of(bob))
    paying = town.user()
    buy(town, paying)
    with refused("not_eligible"):
        paying.call("redeem_code", code=code_of(ada))
    granted = town.user()
    town.service.call("add_tokens", user_id=granted.user_id, tokens=5, reason="purchase")
    granted.call("redeem_code", code=code_of(ada))
    assert states(ada) == ["pending", "pending"]


def test_closed_or_frozen_users_take_no_part(town: Town, campaign: str) -> None:
    ada, bob = town.user(), town.user()
    code = code_of(ada)
    bob.call("open_account")
    for state in ("frozen", "closed"):
        status(town, bob, state)
        with refused("account_frozen"):
            bob.call("redeem_code", code=code)
        with refused("account_frozen"):
            bob.call("open_account", referral_code=code)
    status(town, ada, "closed")
    with refused("unknown_code"):
        town.user().call("redeem_code", code=code)
    assert states(ada) == []


# Circles


@pytest.mark.parametrize("length", [2, 3, 4, 7])
def test_referral_circles_of_any_length_are_refused(length: int, town: Town, campaign: str) -> None:
    people = [town.user() for _ in range(length)]
    codes = [code_of(somebody) for somebody in people]
    for place in range(1, length):
        people[place].call("redeem_code", code=codes[place - 1])
    with refused("referral_circle"):
        people[0].call("redeem_code", code=codes[-1])
    people[0].call("redeem_code", code=code_of(town.user()))


def test_referral_circle_over_two_campaigns_is_refused(town: Town, campaign: str) -> None:
    ada, bob = town.user(), town.user()
    bob.call("redeem_code", code=code_of(ada))
    town.campaign(uuid4().hex, "referral", 1, valid_from="2020-01-01")  # the newer one makes the codes
    with refused("referral_circle"):
        ada.call("redeem_code", code=code_of(bob))


@pytest.mark.parametrize("length", [2, 3, 5])
def test_concurrent_referrals_close_no_circle(length: int, town: Town, campaign: str) -> None:
    """Half of the codes belong to another campaign, so the campaign's row alone does not serialize them."""
    other = town.campaign(uuid4().hex, "referral", 5)
    for _ in range(5):
        people = [town.user() for _ in range(length)]
        codes = [f"{uuid4().hex[:8]}".upper() for _ in people]
        for somebody, code, name in zip(people, codes, itertools.cycle((campaign, other)), strict=False):
            town.bank.rows(
                "insert into credits.codes (code, campaign_id, referrer_id) values (%s, %s, %s) returning 1",
                (code, name, open_account(town.bank, str(somebody.user_id))),
            )
        callers = [town.someone("authenticated", somebody.user_id) for somebody in people]
        results = at_once(
            [
                lambda caller=caller, code=code: caller.call("redeem_code", code=code)
                for caller, code in zip(callers, codes[1:] + codes[:1], strict=True)
            ]
        )
        assert Counter(slugs(results)) == {"referral_circle": 1}


def holding(caller: Caller, statement: str, *params: Any) -> None:
    """Make a call as that caller and leave its transaction open."""
    caller.connection.execute("begin")
    caller.connection.execute(
        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
        (caller.role, f'{{"sub": "{caller.user_id}"}}'),
    )
    caller.connection.execute(f"select {statement}", params)


class Rival(Thread):
    """Work on a connection of its own, in the background."""

    def __init__(self, caller: Caller, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.pid = caller.connection.info.backend_pid
        self.answer: Any = None
        self._work = work
        self.start()

    def run(self) -> None:
        try:
            self.answer = self._work()
        except psycopg.Error as error:
            self.answer = error


def test_stricter_isolation_closes_no_circle(town: Town, campaign: str) -> None:
    """A snapshot from before the other referrals would not show them, so PostgreSQL refuses.

    A service makes the call, because users are refused any other isolation.
    """
    ada, bob, carol = town.user(), town.user(), town.user()
    codes = {somebody.user_id: code_of(somebody) for somebody in (ada, bob, carol)}
    strict = town.someone("service_role")
    strict.connection.execute("set default_transaction_isolation = 'repeatable read'")
    redeem = {"code": codes[carol.user_id], "user_id": ada.user_id}
    first = town.someone("authenticated", bob.user_id)
    holding(first, "api.redeem_code(%s)", codes[ada.user_id])
    rival = Rival(strict, lambda: strict.call("redeem_code", **redeem))
    wait_until_blocked(town.admin, rival.pid)
    first.connection.execute("commit")
    rival.join(10)
    assert isinstance(rival.answer, psycopg.errors.SerializationFailure)
    carol.call("redeem_code", code=codes[bob.user_id])
    with refused("referral_circle"):
        strict.call("redeem_code", **redeem)


def test_attaching_does_not_touch_the_referrers_wallet(town: Town, campaign: str) -> None:
    ada = town.user()
    town.service.call("add_tokens", user_id=ada.user_id, tokens=100)
    friend = town.someone("authenticated", town.user().user_id)
    holding(friend, "api.redeem_code(%s)", code_of(ada))
    impatient = town.someone("authenticated", ada.user_id)
    impatient.connection.execute("set lock_timeout = '50ms'")
    assert impatient.call("consume_tokens", module_id="metube")["balance"] == 90
    friend.connection.execute("rollback")


# The reward


def test_first_purchase_rewards_both_and_later_ones_do_not(town: Town, campaign: str) -> None:
    ada = town.user()
    friend = bring(town, ada)
    for _ in range(2):
        buy(town, friend)
    assert ada.balance() == 500
    assert friend.balance() == 200 + 300
    assert ada.rows("select source, package_name, granted, priority from api.lots") == [
        {"source": "referral", "package_name": campaign, "granted": 500, "priority": 20}
    ]
    entries = friend.rows("select kind, tokens, reference from api.entries order by seq")
    assert [(entry["kind"], entry["tokens"]) for entry in entries] == [
        ("purchase", 100),
        ("referral", 300),
        ("purchase", 100),
    ]
    row = ada.row("select state, settled_at is not null as settled, code from api.referrals")
    assert row == {"state": "paid", "settled": True, "code": code_of(ada)}
    assert str(friend.user_id) not in str(ada.rows("select * from api.entries"))
    assert town.grants(campaign) == 1


def test_only_paid_orders_bring_a_reward(town: Town, campaign: str) -> None:
    ada = town.user()
    friend = bring(town, ada)
    town.service.call("add_tokens", user_id=friend.user_id, tokens=5, reason="purchase")
    town.service.call("add_tokens", user_id=friend.user_id, tokens_to_add=5, package_name="Basique")
    bought = order(town, friend)
    told = session(bought)
    for news in (
        event(COMPLETED, told | {"payment_status": "unpaid"}),
        event(EXPIRED, told | SAYS[EXPIRED]),
        event(COMPLETED, session(bought, currency="usd")),
        event(COMPLETED, session(order(town, friend), amount_subtotal=1)),
    ):
        town.service.call("apply_stripe_event", event=news)
    assert (states(ada), ada.balance()) == (["pending"], 0)
    late = session(order(town, friend, "standard"))
    town.service.call("apply_stripe_event", event=event(COMPLETED, late | {"payment_status": "unpaid"}))
    assert states(ada) == ["pending"]
    town.service.call("apply_stripe_event", event=event(SUCCEEDED, late))
    assert (states(ada), ada.balance()) == (["paid"], 500)


def test_campaign_may_reward_the_referrer_alone(town: Town) -> None:
    name = town.campaign(uuid4().hex, "referral", 500)
    ada = town.user()
    friend = bring(town, ada)
    buy(town, friend)
    assert (ada.balance(), friend.balance(), town.grants(name)) == (500, 100, 1)


def test_referred_user_may_refer_up_to_the_limit(town: Town) -> None:
    town.campaign(uuid4().hex, "referral", 500, referee_tokens=300, per_account=2)
    ada = town.user()
    bob = bring(town, ada)
    buy(town, bob)
    for _ in range(3):
        buy(town, bring(town, bob))
    assert states(bob) == ["paid", "paid", "capped"]
    assert bob.balance() == 100 + 300 + 2 * 500


def test_referrers_limit_stops_both_rewards(town: Town) -> None:
    town.campaign(uuid4().hex, "referral", 500, referee_tokens=300)
    ada = town.user()
    friends = [bring(town, ada) for _ in range(3)]
    for friend in friends:
        buy(town, friend)
    assert states(ada) == ["paid", "capped", "capped"]
    assert (ada.balance(), [friend.balance() for friend in friends]) == (500, [400, 100, 100])


def test_used_up_budget_exhausts_the_code(town: Town) -> None:
    name = town.campaign(uuid4().hex, "referral", 500, budget=1, per_account=9)
    ada, bob = town.user(), town.user()
    code = code_of(ada)
    friends = [bring(town, ada), bring(town, bob)]
    for friend in friends:
        buy(town, friend)
    assert (states(ada), states(bob), town.grants(name)) == (["paid"], ["capped"], 1)
    with refused("code_exhausted"):
        town.user().call("redeem_code", code=code)
    with refused("no_campaign"):
        ada.call("referral_code")


@pytest.mark.parametrize(
    "end", [{"valid_until": "2020-01-01"}, {"active": False}, {"valid_from": "2099-01-01"}]
)
def test_ended_campaign_rewards_nobody(end: Row, town: Town, campaign: str) -> None:
    ada = town.user()
    friend = bring(town, ada)
    town.campaign(campaign, "referral", 500, referee_tokens=300, per_account=20, **end)
    buy(town, friend)
    assert (states(ada), ada.balance(), friend.balance()) == (["lapsed"], 0, 100)
    town.campaign(campaign, "referral", 500, referee_tokens=300, per_account=20)
    buy(town, friend)
    assert (states(ada), ada.balance()) == (["lapsed"], 0)


@pytest.mark.parametrize(("state", "outcome", "reward"), [("frozen", "paid", 500), ("closed", "lapsed", 0)])
def test_frozen_referrer_receives_and_a_closed_one_does_not(
    state: str, outcome: str, reward: int, town: Town, campaign: str
) -> None:
    ada = town.user()
    friend = bring(town, ada)
    status(town, ada, state)
    buy(town, friend)
    assert (states(ada), ada.balance()) == ([outcome], reward)
    assert friend.balance() == 100 + (300 if reward else 0)


# At once


def test_copies_of_the_event_at_once_are_one_reward(town: Town, campaign: str) -> None:
    ada = town.user()
    friend = bring(town, ada)
    told = session(order(town, friend))
    events = [event(kind, told) for kind in (COMPLETED, COMPLETED, SUCCEEDED)] * 8
    services = [town.someone("service_role") for _ in events]
    results = at_once(
        [
            lambda service=service, news=news: service.call("apply_stripe_event", event=news)
            for service, news in zip(services, events, strict=True)
        ]
    )
    assert slugs(results) == []
    assert Counter(result["outcome"] for result in results) == {"granted": 1, "duplicate": len(events) - 1}
    assert (ada.balance(), friend.balance(), town.grants(campaign)) == (500, 400, 1)


def test_different_orders_paid_at_once_are_one_reward(town: Town, campaign: str) -> None:
    ada = town.user()
    friend = bring(town, ada)
    events = [ordered(town, friend) for _ in range(10)]
    services = [town.someone("service_role") for _ in events]
    results = at_once(
        [
            lambda service=service, news=news: service.call("apply_stripe_event", event=news)
            for service, news in zip(services, events, strict=True)
        ]
    )
    assert {result["outcome"] for result in results} == {"granted"}
    assert (ada.balance(), friend.balance(), states(ada)) == (500, 1300, ["paid"])


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("turn", range(3))
def test_code_redeemed_before_the_money_counts(end: str, turn: int, town: Town, campaign: str) -> None:
    """Either of the two wallets may come first in lock order, because account ids are random."""
    ada, friend = town.user(), town.user()
    paid, first, second = (
        ordered(town, friend),
        town.someone("authenticated", friend.user_id),
        town.someone("service_role"),
    )
    holding(first, "api.redeem_code(%s)", code_of(ada))
    rival = Rival(second, lambda: second.call("apply_stripe_event", event=paid))
    wait_until_blocked(town.admin, rival.pid)
    first.connection.execute(end)
    rival.join(10)
    assert rival.answer["outcome"] == "granted"
    expected = (500, 400) if end == "commit" else (0, 100)
    assert (ada.balance(), friend.balance()) == expected
    assert states(ada) == (["paid"] if end == "commit" else [])


def test_reward_waits_for_the_referrers_wallet(town: Town, campaign: str) -> None:
    """The payment came first, and the code was recorded meanwhile. The referrer's own spend is not lost."""
    ada, friend = town.user(), town.user()
    town.service.call("add_tokens", user_id=ada.user_id, tokens=100)
    code, paid = code_of(ada), ordered(town, friend)
    redeeming, spending = (
        town.someone("authenticated", friend.user_id),
        town.someone("authenticated", ada.user_id),
    )
    paying = town.someone("service_role")
    holding(redeeming, "api.redeem_code(%s)", code)
    rival = Rival(paying, lambda: paying.call("apply_stripe_event", event=paid))
    wait_until_blocked(town.admin, rival.pid)
    holding(spending, "api.consume_tokens('metube')")
    redeeming.connection.execute("commit")
    for _ in range(200):
        (waits_for,) = town.admin.execute("select pg_blocking_pids(%s)", (rival.pid,)).fetchone() or ([],)
        if waits_for == [spending.connection.info.backend_pid]:
            break
        time.sleep(0.01)
    spending.connection.execute("commit")
    rival.join(10)
    assert rival.answer["outcome"] == "granted"
    entries = ada.rows("select kind, tokens, balance_after from api.entries order by seq")
    assert [tuple(entry.values()) for entry in entries] == [
        ("grant", 100, 100),
        ("spend", -10, 90),
        ("referral", 500, 590),
    ]
    assert ada.balance() == 590


def test_code_redeemed_after_the_money_came_is_too_late(town: Town, campaign: str) -> None:
    ada, friend = town.user(), town.user()
    first, late = town.someone("service_role"), town.someone("authenticated", friend.user_id)
    code, paid = code_of(ada), ordered(town, friend)
    holding(first, "api.apply_stripe_event(%s)", Jsonb(paid))
    rival = Rival(late, lambda: late.call("redeem_code", code=code))
    wait_until_blocked(town.admin, rival.pid)
    first.connection.execute("commit")
    rival.join(10)
    assert slugs([rival.answer]) == ["not_eligible"]
    assert (states(ada), ada.balance()) == ([], 0)


@pytest.mark.slow
def test_purchases_along_a_referral_chain_do_not_deadlock(town: Town, campaign: str) -> None:
    people = [town.user()]
    for _ in range(11):
        people.append(bring(town, people[-1]))
    works: list[Callable[[], Any]] = []
    for place, somebody in enumerate(people):
        for news in (ordered(town, somebody), ordered(town, somebody)):
            service = town.someone("service_role")
            works.append(lambda service=service, news=news: service.call("apply_stripe_event", event=news))
        caller = town.someone("service_role")
        works.append(
            lambda caller=caller, user_id=somebody.user_id, place=place: caller.call(
                "add_tokens", user_id=user_id, tokens=1, idempotency_key=str(place)
            )
        )
    results = at_once(works)
    assert slugs(results) == []
    balances = [somebody.balance() for somebody in people]
    assert balances == [201 + 500, *[201 + 300 + 500] * 10, 201 + 300]


@pytest.mark.slow
def test_early_payments_along_a_chain_do_not_deadlock(town: Town, campaign: str) -> None:
    """Checkouts (which hold wallets by then), maintenance and the events themselves apply them."""
    people = [town.user()]
    for _ in range(7):
        people.append(bring(town, people[-1]))
    works: list[Callable[[], Any]] = []
    for somebody in people:
        for _ in range(2):
            bought = somebody.call("create_order", pack_id="basique")
            news = event(COMPLETED, session(bought, id=f"cs_{bought['order_id']}"))
            assert town.service.call("apply_stripe_event", event=news)["outcome"] == "waiting"
            caller, other = town.someone("service_role"), town.someone("service_role")
            works.append(
                lambda caller=caller, bought=bought: attached(caller, bought, f"cs_{bought['order_id']}")
            )
            works.append(lambda other=other, news=news: other.call("apply_stripe_event", event=news))
    for _ in range(4):
        caller = town.someone("service_role")
        works.append(lambda caller=caller: [caller.call("maintain") for _ in range(4)])
    results = at_once(works)
    assert slugs(results) == []
    balances = [somebody.balance() for somebody in people]
    assert balances == [200 + 500, *[200 + 300 + 500] * 6, 200 + 300]
    assert town.grants(campaign) == 7


def test_several_wallets_are_always_locked_in_id_order(town: Town, own_url: str) -> None:
    accounts = [open_account(town.bank, str(town.user().user_id)) for _ in range(3)]

    def lock(place: int) -> None:
        with psycopg.connect(own_url, autocommit=True) as connection:
            for turn in range(40):
                named = list(itertools.permutations([*accounts, None]))[(place * 7 + turn * 5) % 24]
                connection.execute("select credits.lock_wallets(%s::uuid[])", (list(named),))

    results = at_once([lambda place=place: lock(place) for place in range(8)])
    assert results == [None] * 8


def test_notice_rule_locks_all_wallets_in_id_order(town: Town, own_url: str) -> None:
    """Not in the order of the table, where the first one comes last."""
    first, *others = sorted(open_account(town.bank, str(town.user().user_id)) for _ in range(10))
    move = "update credits.wallets set due_at = due_at where account_id = %s"
    town.admin.execute(move, (first,))
    with psycopg.connect(own_url) as holder, psycopg.connect(own_url) as author:
        holder.execute("select credits.lock_wallet(%s)", (first,))
        rule = Caller(author, "none")
        rival = Rival(rule, lambda: author.execute("select credits.define_notice('depleted')"))
        wait_until_blocked(town.admin, rival.pid)
        holder.execute("set local lock_timeout = '1s'")
        holder.execute("select credits.lock_wallets(%s::uuid[])", (others,))
        holder.rollback()
        rival.join(10)
        author.rollback()


@pytest.mark.slow
def test_sign_up_and_catalog_do_not_deadlock(town: Town, campaign: str, own_url: str) -> None:
    """One locks the referral and then the welcome, the other the welcome and then the referral."""
    code, newcomer = code_of(town.user()), town.user()
    welcome = town.campaign(uuid4().hex, "welcome", 7)
    caller = town.someone("authenticated", newcomer.user_id)
    line = "select credits.define_campaign(%s, %s, 'Changed', 7)"
    with psycopg.connect(own_url) as author:
        author.execute(line, (welcome, "welcome"))
        rival = Rival(caller, lambda: caller.call("open_account", referral_code=code))
        wait_until_blocked(town.admin, rival.pid)
        author.execute(line, (campaign, "referral"))
        author.commit()
    rival.join(10)
    assert (rival.answer["balance"], rival.answer["referred"]) == (7, True)


def test_reward_that_timed_out_comes_with_the_repeated_event(town: Town, campaign: str) -> None:
    ada = town.user()
    friend = bring(town, ada)
    paid = ordered(town, friend)
    first, second = town.someone("service_role"), town.someone("service_role")
    holding(first, "api.add_tokens(%s, 1::numeric)", ada.user_id)
    second.connection.execute("set lock_timeout = '100ms'")
    with refused("busy"):
        second.call("apply_stripe_event", event=paid)
    first.connection.execute("rollback")
    assert (friend.balance(), states(ada)) == (0, ["pending"])
    assert second.call("apply_stripe_event", event=paid)["outcome"] == "granted"
    assert (ada.balance(), friend.balance()) == (500, 400)


# What others see


def test_users_see_own_referrals_and_services_all(town: Town, campaign: str) -> None:
    ada, bob = town.user(), town.user()
    friend = bring(town, ada)
    bring(town, bob)
    for somebody, number in ((ada, 1), (bob, 1), (friend, 0), (town.user(), 0)):
        assert len(somebody.rows("select * from api.referrals")) == number
    seen = town.service.rows(
        "select user_id from api.referrals where user_id = any (%s)", ([ada.user_id, bob.user_id],)
    )
    assert {row["user_id"] for row in seen} == {ada.user_id, bob.user_id}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        Caller(town.api_login, "anon").rows("select * from api.referrals")
