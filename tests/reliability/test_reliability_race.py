"""A race over three accounts: the ledger gives every balance, and all answers and refusals were true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from reliability.books import Books
from reliability.racing import PRICES, WORKERS, Race, race, sat_on
from reliability.refusals import Refusals
from reliability.replay import faults
from reliability.seeded_faults import OF_THE_ANSWERS, OF_THE_LEDGER, OF_THE_TOPUPS
from reliability.topups import topup_faults
from reliability.verdicts import Verdicts

pytestmark = [pytest.mark.xdist_group("race"), pytest.mark.proof]  # the tests share one race and one server

STEPS, MANY_STEPS = 250, 4000  # of each worker


def refused_beyond(refusals: Refusals) -> list[str]:
    """Why users could not capture, apart from refusals on purpose."""
    return [
        one.refusal["error"]
        for one in refusals.refused
        if one.refusal
        and one.function == "capture_hold"
        and one.call.role != "service_role"
        and one.refusal["error"] in ("insufficient_tokens", "account_frozen")
        and one.arguments["over"] != "error"
    ]


@pytest.fixture(scope="module")
def run(own_url: str, seed: int, long_form: bool) -> Race:
    return race(own_url, seed, MANY_STEPS if long_form else STEPS)


@pytest.fixture(scope="module")
def verdicts(run: Race) -> Verdicts:
    return Verdicts(run.calls, run.books)


@pytest.fixture(scope="module")
def refusals(run: Race, verdicts: Verdicts) -> Refusals:
    return Refusals(verdicts, PRICES, sat_on(run))


def test_race_ends_without_unexpected_errors(
    run: Race, verdicts: Verdicts, refusals: Refusals, say: Callable[[str], None]
) -> None:
    """There is no deadlock and no other error of the database."""
    kinds = Counter(entry["kind"] for entry in run.books.entries)
    acknowledged = sum(one.answer is not None for one in verdicts.told)
    say(
        f"race: RELIABILITY_SEED={run.seed}: {WORKERS} workers, {len(run.calls)} calls"
        f" in {run.seconds:.1f} s, {run.repeats} of them repeats; {acknowledged} acknowledged,"
        f" refused {dict(refusals.counts())}; {len(refusals.captures_beyond())} captures by users beyond"
        f" their holds, {len(refused_beyond(refusals))} refused; entries {dict(kinds)},"
        f" {len(run.books.holds)} holds, {len(run.books.shortfalls)} shortfalls"
    )
    assert run.errors == []
    assert not any(one.unknown for one in verdicts.told)


def test_race_tries_every_kind_of_call(
    run: Race, verdicts: Verdicts, refusals: Refusals, long_form: bool
) -> None:
    """Otherwise the other tests would prove little."""
    done = {one.function for one in verdicts.told if one.answer} | {
        call.function for call in run.calls if call.answer
    }
    assert done == {
        "consume_tokens", "consume_tokens_batch", "add_tokens", "hold_tokens", "capture_hold", "release_hold",
        "extend_hold", "refund_usage", "freeze_account", "thaw_account", "set_overdraft_limit", "maintain",
        "create_order", "attach_checkout", "apply_stripe_event", "set_auto_topup", "stop_auto_topup",
        "claim_stripe_calls", "report_stripe_call",
    }  # fmt: skip
    outcomes = Counter(one.said["outcome"] for one in verdicts.told if "outcome" in one.said)
    assert {"granted", "waiting", "duplicate", "parked", "processing", "applied"} <= outcomes.keys()
    told = {str(one.said["order_id"]) for one in verdicts.told if one.said.get("outcome") == "granted"}
    paid = {str(order["order_id"]) for order in run.books.orders if order["state"] == "paid"}
    if long_form:  # a short race need not get so far
        assert paid > told, "nothing that had waited was granted by an attachment or by maintenance"
    kinds = {entry["kind"] for entry in run.books.entries}
    assert {"purchase", "grant", "spend", "refund", "expire", "repayment"} <= kinds
    assert "reversal" in kinds
    if long_form:  # a short race may have none
        assert "reinstatement" in kinds
        assert any(order["reversed_debt"] for order in run.books.orders), "all reversed tokens were free"
    assert {hold["state"] for hold in run.books.holds} == {"open", "captured", "released", "expired"}
    assert any(hold["late"] for hold in run.books.holds)
    assert any(hold["held"] for hold in run.books.holds)
    assert any(wallet["head_reserved"] for wallet in run.books.wallets)
    assert any(one.answer and one.answer.get("replayed") for one in verdicts.told)
    assert refusals.captures_beyond()
    assert refused_beyond(refusals)
    slugs = {"insufficient_tokens", "account_frozen", "hold_closed", "key_reused", "busy"}
    assert slugs <= refusals.counts().keys()


def test_replay_gives_every_balance(run: Race) -> None:
    assert faults(run.books) == []


def test_answers_are_in_the_ledger_as_told(verdicts: Verdicts) -> None:
    assert verdicts.untold() == []
    assert verdicts.lost() == []


def test_held_tokens_agree_with_the_answers(verdicts: Verdicts) -> None:
    assert verdicts.wrong_holds() == []


def test_one_key_is_one_effect_and_one_answer(verdicts: Verdicts) -> None:
    assert verdicts.keyed_twice() == []


def test_ledger_has_only_requested_entries(verdicts: Verdicts) -> None:
    """Refusals, too, have left nothing: no entry, no hold, no key."""
    assert verdicts.ghosts() == []


def test_orders_are_granted_once_when_their_session_is_paid(
    verdicts: Verdicts,
) -> None:
    assert verdicts.wrong_orders() == []


def test_orders_say_of_their_money_what_its_events_come_to(verdicts: Verdicts) -> None:
    assert verdicts.unfollowed_money() == []


def test_topups_keep_their_rules(run: Race, long_form: bool, say: Callable[[str], None]) -> None:
    """One charge in flight for each account, agreed to, within its limit, and granted once if it was paid."""
    states = Counter(attempt["state"] for attempt in run.books.attempts)
    stopped = stopped_in_flight(run.books)
    say(
        f"race: {sum(states.values())} top-ups {dict(states)}, {len(run.cards.charges)} charges in"
        f" {run.cards.tries} tries, {len(run.books.consents)} agreements and withdrawals,"
        f" {stopped} agreements ended while a charge was in flight"
    )
    assert topup_faults(run.books, run.cards) == []
    assert states["succeeded"]
    if long_form:  # a short race may lack one of these
        assert states["declined"]
        assert stopped
        assert run.cards.tries > len(run.cards.charges), "no worker ended before it reported"


def stopped_in_flight(books: Books) -> int:
    """How often a user took back what a charge in flight was made for."""
    ends = [row for row in books.consents if row["kind"] in ("withdrawal", "stop")]
    return sum(
        end["agreed_id"] == attempt["consent_id"]
        and attempt["fired_at"] < end["decided_at"]
        and (attempt["ended_at"] is None or end["decided_at"] < attempt["ended_at"])
        for attempt in books.attempts
        for end in ends
    )


def test_every_refusal_was_true_at_some_moment(refusals: Refusals) -> None:
    assert refusals.untrue() == []


def test_every_charge_was_allowed(refusals: Refusals) -> None:
    assert refusals.charged_while_frozen() == []
    assert refusals.misdrawn() == []
    assert refusals.captured_while_frozen() == []
    assert refusals.overdrawn_by_users() == []
    assert refusals.mispriced() == []


def test_audit_finds_nothing(run: Race) -> None:
    assert run.books.findings == []


# It would be seen


@pytest.mark.parametrize("fault", OF_THE_LEDGER)
def test_replay_reports(fault: str, run: Race) -> None:
    books = run.books.copy()
    OF_THE_LEDGER[fault](Random(f"{run.seed}:{fault}"), books)
    assert faults(books)


@pytest.mark.parametrize("fault", OF_THE_ANSWERS)
def test_verdicts_report(fault: str, run: Race) -> None:
    books, calls = run.books.copy(), list(run.calls)
    tamper, report = OF_THE_ANSWERS[fault]
    tamper(Random(f"{run.seed}:{fault}"), calls, books)
    assert getattr(Verdicts(calls, books), report)()


@pytest.mark.parametrize("fault", OF_THE_TOPUPS)
def test_topup_faults_report(fault: str, run: Race) -> None:
    books, cards = run.books.copy(), run.cards.copy()
    try:
        OF_THE_TOPUPS[fault](Random(f"{run.seed}:{fault}"), books, cards)
    except IndexError:
        pytest.skip("this race had no top-up of that kind: its seed and the machine decide")
    assert topup_faults(books, cards)


def refusals_of(run: Race, slug: str) -> int:
    """How many calls were refused like that."""
    return max(sum(call.refusal is not None and call.refusal["error"] == slug for call in run.calls), 1)


def test_refusals_report(run: Race) -> None:
    """Each kind of refusal, with a changed fact."""
    random = Random(run.seed)
    told: dict[str, list[int]] = {}
    for place, call in enumerate(run.calls):
        if call.refusal and call.function != "consume_tokens_batch":
            told.setdefault(call.refusal["error"], []).append(place)
    for slug, fact in {
        "insufficient_tokens": "balance",
        "hold_closed": "state",
        "bad_amount": "refundable",
    }.items():
        place = random.choice(told[slug])
        wrong = {fact: "open" if fact == "state" else Decimal(10) ** 9}
        calls = list(run.calls)
        calls[place] = replace(calls[place], refusal=(calls[place].refusal or {}) | wrong)
        assert Refusals(Verdicts(calls, run.books), PRICES).untrue()
    # A service asks for a capture whatever pays it, and is refused.
    place = random.choice(
        [place for place in told["insufficient_tokens"] if run.calls[place].arguments.get("over") == "error"]
    )
    calls = list(run.calls)
    arguments = calls[place].arguments | {"over": "debt"}
    calls[place] = replace(calls[place], role="service_role", arguments=arguments)
    assert Refusals(Verdicts(calls, run.books), PRICES).untrue()
    # Busy at once, and nobody sat on the wallet.
    hasty = [
        replace(call, ended_at=call.sent_at) if call.refusal and call.refusal["error"] == "busy" else call
        for call in run.calls
    ]
    assert len(Refusals(Verdicts(hasty, run.books), PRICES).untrue()) >= refusals_of(run, "busy")
    never_frozen = run.books.copy()
    never_frozen.status_changes = []
    untrue = Refusals(Verdicts(run.calls, never_frozen), PRICES).untrue()
    assert len(untrue) >= len(told["account_frozen"])


def test_charges_report(run: Race, refusals: Refusals) -> None:
    """A capture of another use than it cost; a user's beyond their hold that no spend could have been."""
    random = Random(run.seed)
    books = run.books.copy()
    entry = random.choice([entry for entry in books.entries if entry["kind"] == "spend" and entry["hold_id"]])
    ((dimension, quantity),) = entry["usage"].items()
    entry["usage"] = {dimension: quantity + 1}
    assert Refusals(Verdicts(run.calls, books), PRICES).mispriced()
    capture = random.choice(refusals.captures_beyond()).call
    for fact in ("debt", "shortfall"):
        calls = list(run.calls)
        calls[run.calls.index(capture)] = replace(capture, answer=(capture.answer or {}) | {fact: Decimal(1)})
        assert Refusals(Verdicts(calls, run.books), PRICES).overdrawn_by_users()
    frozen = run.books.copy()
    frozen.status_changes = [
        {"account_id": account_id, "changed_at": run.calls[0].sent_at, "status": "frozen"}
        for account_id in frozen.accounts.values()
    ]
    assert Refusals(Verdicts(run.calls, frozen), PRICES).captured_while_frozen()
