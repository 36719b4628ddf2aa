"""How charges of automatic top-ups end, and what follows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from callers import Row, refused
from holding import Bank
from topping import (
    AUTHENTICATION,
    CARD_ERROR,
    LOST,
    agree,
    claim,
    history,
    intent,
    notices,
    report,
    topup,
    with_customer,
)


def at(hour: int, day: int = 1) -> datetime:
    return datetime(2098, 6, day, hour, tzinfo=UTC)


def spend(bank: Bank) -> None:
    bank.call("consume_tokens", user_id="ada", module_id="metube")


@pytest.fixture
def user(bank: Bank) -> Bank:
    """The user ada. Her first spend begins a charge."""
    with_customer(bank, "ada")
    agree(bank, "ada")
    bank.call("add_tokens", user_id="ada", tokens=100)
    spend(bank)
    return bank


def charges(bank: Bank) -> list[Row]:
    return [row for row in history(bank, "ada") if row["event"] == "charge"]


def decline(bank: Bank, error: Row = CARD_ERROR) -> None:
    (call,) = claim(bank)
    assert report(bank, call, error)["state"] == "failed"


def test_declines_wait_longer_each_time_and_the_third_turns_it_off(user: Bank) -> None:
    decline(user)
    state = topup(user, "ada")
    assert (state["waits_for"], state["next_try_at"], state["declines"]) == ("cooldown", at(13), 1)
    spend(user)
    assert len(charges(user)) == 1
    user.at("2098-06-01 13:00Z")
    spend(user)
    decline(user)
    assert topup(user, "ada")["next_try_at"] == at(15)
    user.at("2098-06-01 14:59:59Z")
    spend(user)
    user.at("2098-06-01 15:00Z")
    spend(user)
    decline(user)
    state = topup(user, "ada")
    assert (state["state"], state["reason"], state["declines"]) == ("off", "declined", 3)
    user.at("2098-06-09 15:00Z")
    spend(user)
    assert [charge["state"] for charge in charges(user)] == ["declined"] * 3
    assert notices(user, "ada") == [("top_up_failed", "generic_decline")] * 2 + [
        ("top_up_failed", "declined")
    ]


def test_new_consent_with_the_same_card_waits_out_the_cooldown(user: Bank) -> None:
    for hour in (12, 13, 15):
        user.at(f"2098-06-01 {hour}:00Z")
        if hour > 12:
            spend(user)
        decline(user)
    agree(user, "ada", words="again", payment_method_id=None)
    state = topup(user, "ada")
    assert (state["state"], state["declines"], state["next_try_at"]) == ("on", 0, at(19))
    agree(user, "ada", words="another card", payment_method_id="pm_2")
    assert topup(user, "ada")["next_try_at"] is None


def test_card_that_wants_authentication_pauses_with_a_link(user: Bank) -> None:
    decline(user, AUTHENTICATION)
    assert topup(user, "ada")["reason"] == "authentication_required"
    assert notices(user, "ada") == []
    (call,) = claim(user)
    assert (call["kind"], call["params"]["mode"]) == ("confirm_card", "setup")
    page = {"id": "cs_1", "url": "https://checkout.example/cs_1", "expires_at": int(at(12, 2).timestamp())}
    report(user, call, {"object": page})
    state = topup(user, "ada")
    assert (state["link"], state["link_until"]) == (page["url"], at(12, 2))
    assert notices(user, "ada") == [("top_up_paused", "authentication_required")]
    user.at("2098-06-09 12:00Z")
    spend(user)
    assert len(charges(user)) == 1


def test_call_without_an_answer_is_made_again_with_the_same_key(user: Bank) -> None:
    (first,) = claim(user)
    again = report(user, first, LOST)
    assert (again["state"], again["due_at"]) == ("due", datetime(2098, 6, 1, 12, 0, 2, tzinfo=UTC))
    assert claim(user) == []
    user.at("2098-06-01 12:00:02Z")
    (second,) = claim(user)
    assert (second["idempotency_key"], second["params"], second["tries"]) == (
        first["idempotency_key"],
        first["params"],
        2,
    )
    busy = {"http_status": 429, "type": "invalid_request_error", "code": "rate_limit", "retry_after": 30}
    assert report(user, second, busy)["due_at"] == datetime(2098, 6, 1, 12, 0, 32, tzinfo=UTC)
    user.at("2098-06-01 12:00:32Z")
    (third,) = claim(user)
    report(user, third, {"object": intent(third)})
    assert claim(user, most=100) == []
    (charge,) = charges(user)
    assert (charge["state"], charge["payment_intent_id"]) == ("open", intent(third)["id"])


def test_killed_worker_leaves_its_call_to_another_when_the_lease_ends(user: Bank) -> None:
    (first,) = claim(user, lease_seconds=60)
    user.at("2098-06-01 12:00:59Z")
    assert claim(user) == []
    user.at("2098-06-01 12:01Z")
    (second,) = claim(user)
    assert second["idempotency_key"] == first["idempotency_key"]
    # The first one was only slow: its answer counts, and the other worker gets the same.
    assert report(user, first, CARD_ERROR)["state"] == "failed"
    assert report(user, second, CARD_ERROR)["state"] == "failed"
    assert topup(user, "ada")["declines"] == 1


def test_slow_worker_does_not_disturb_the_next_one(user: Bank) -> None:
    (first,) = claim(user, lease_seconds=1)
    user.at("2098-06-01 12:00:01Z")
    (second,) = claim(user, lease_seconds=600)
    report(user, first, LOST)
    user.at("2098-06-01 12:05Z")
    assert claim(user) == []
    assert second["lease"] != first["lease"]


def test_call_is_looked_up_after_a_day_instead_of_made_again(user: Bank) -> None:
    (first,) = claim(user)
    report(user, first, LOST)
    user.at("2098-06-02 12:00Z")
    (second,) = claim(user)
    assert (first["must_look_up"], second["must_look_up"]) == (False, True)
    report(user, second, {"absent": True})
    (charge,) = charges(user)
    assert (charge["state"], charge["reason"]) == ("canceled", "unanswered")
    assert topup(user, "ada")["waits_for"] == "cooldown"


def test_repeated_error_of_stripe_is_looked_up(user: Bank) -> None:
    (first,) = claim(user)
    report(user, first, {"http_status": 500, "type": "api_error", "replayed": True})
    user.at("2098-06-01 12:01Z")
    (second,) = claim(user)
    assert second["must_look_up"]


def test_charge_that_no_worker_took_for_a_day_is_canceled(user: Bank) -> None:
    user.at("2098-06-02 12:00Z")
    assert claim(user) == []
    assert user.call("maintain")["accounts"] > 0
    (charge,) = charges(user)
    assert (charge["state"], charge["reason"]) == ("canceled", "stale")


def test_withdrawn_consent_cancels_a_charge_that_was_not_tried(user: Bank) -> None:
    user.call("stop_auto_topup", user_id="ada")
    assert claim(user) == []
    (charge,) = charges(user)
    assert (charge["state"], charge["reason"]) == ("canceled", "withdrawn")
    state = topup(user, "ada")
    assert (state["state"], state["reason"], state["order_in_flight"]) == ("off", "withdrawn", None)
    user.call("add_tokens", user_id="ada", tokens=10)
    spend(user)
    assert len(charges(user)) == 1
    assert notices(user, "ada") == []


def test_withdrawn_consent_in_flight_makes_no_second_call(user: Bank) -> None:
    (first,) = claim(user)
    user.call("stop_auto_topup", user_id="ada")
    report(user, first, LOST)
    user.at("2098-06-01 12:01Z")
    (second,) = claim(user)
    assert second["must_look_up"]
    report(user, second, {"absent": True})
    assert charges(user)[0]["state"] == "canceled"
    assert topup(user, "ada")["reason"] == "withdrawn"


def test_charge_of_an_account_that_was_frozen_is_not_made_again(user: Bank) -> None:
    (first,) = claim(user)
    report(user, first, {"http_status": 429, "type": "invalid_request_error", "code": "rate_limit"})
    user.call("freeze_account", user_id="ada")
    user.at("2098-06-01 12:01Z")
    (second,) = claim(user)
    assert second["must_look_up"]
    report(user, second, {"absent": True})
    assert charges(user)[0]["state"] == "canceled"
    user.call("thaw_account", user_id="ada")
    user.at("2098-06-01 14:00Z")
    spend(user)
    (third,) = claim(user)
    assert not third["must_look_up"]


def test_card_that_is_gone_stops(user: Bank) -> None:
    decline(user, {"http_status": 400, "type": "invalid_request_error", "code": "resource_missing"})
    state = topup(user, "ada")
    assert (state["state"], state["reason"], state["payment_method_id"]) == ("off", "card_gone", None)
    agree(user, "ada", words="again", payment_method_id=None)
    assert topup(user, "ada")["state"] == "waiting"


def test_wrong_key_of_ours_is_nobodys_decline(user: Bank) -> None:
    (call,) = claim(user)
    wrong = {"http_status": 401, "type": "invalid_request_error", "message": "Invalid API Key"}
    assert report(user, call, wrong)["state"] == "due"
    assert topup(user, "ada")["declines"] == 0


def test_stolen_card_is_not_named_to_its_user(user: Bank) -> None:
    decline(user, CARD_ERROR | {"decline_code": "stolen_card"})
    assert charges(user)[0]["reason"] == "generic_decline"


def test_unknown_call_and_bad_answer_are_refused(user: Bank) -> None:
    (call,) = claim(user)
    with refused("unknown_call"):
        report(user, call | {"call_id": call["account_id"]}, LOST)
    with refused("bad_answer"):
        user.rows(
            "select * from api.report_stripe_call(%s, %s, %s, null)",
            (call["account_id"], call["call_id"], call["lease"]),
        )
    with refused("bad_limit"):
        claim(user, most=0)
