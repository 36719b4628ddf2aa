"""Imagegen: credits per model, and guests. The story comes first, on an empty bank: its figures are exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from scenarios.system import CARD_DECLINED, Person, Refused, Row, System, at_once, refused

pytestmark = pytest.mark.one_version

MODELS = {
    "nano-banana": Decimal("0.5"),
    "flux-dev": 1,
    "lora-normal": 1,
    "lora-context": 1,
    "gemini-flash": 1,
    "nano-banana-pro": 2,
}


def begin(person: Person, model: str, prompt: str | None = None, **more: Any) -> Row:
    """What Imagegen's backend does before a generation: hold what it costs. Raises Refused."""
    about = {} if prompt is None else {"prompt_id": prompt}
    return person.system.service.hold(model, user_id=person.user_id, key=prompt, metadata=about, **more)


def generate(person: Person, model: str, prompt: str | None = None, *, works: bool = True) -> Row:
    """A generation: charged when it works, and free when it fails. Raises Refused."""
    held = begin(person, model, prompt)
    if works:
        return person.system.service.capture(held, key=prompt)
    return person.system.service.release(held, "failed: out of memory")


class Guest(Person):
    """Somebody with a browser at some address, who has not signed in."""

    def __init__(self, system: System, address: str) -> None:
        super().__init__(system, {"X-Forwarded-For": address})

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        response = super().send(method, path, **request)
        for name, value in response.cookies.items():
            self.headers["Cookie"] = f"{name}={value}"
        return response

    def generate(self, model: str = "flux-dev", *, works: bool = True) -> Row:
        """Reserve, generate, and tell how it ended. Raises Refused."""
        use: Row = self.call("guest_consume", module_id=model)
        end = "confirm_guest_use" if works else "release_guest_use"
        self.system.service.call(end, use_id=use["use_id"])
        return use

    def remaining(self) -> int:
        return int(self.call("guest_allowance")["remaining"])


def test_imagegen_sells_and_charges_as_its_story_says(system: System) -> None:
    # A guest has three generations, failed ones are free; then the way on is to sign up.
    guest = Guest(system, "203.0.113.7")
    assert guest.remaining() == 3
    first = guest.generate()
    assert first["remaining"] == 2
    guest.generate("nano-banana", works=False)
    guest.generate("nano-banana-pro")
    assert guest.generate()["remaining"] == 0
    with pytest.raises(Refused) as caught:
        guest.generate()
    error = caught.value
    assert (error.status, error.slug) == (429, "guest_limit")
    assert error.facts == {"remaining": 0, "limit": 3, "reset_at": first["reset_at"]}
    assert 86_000 < int(error.headers["Retry-After"]) <= 86_400
    Guest(system, "198.51.100.1").generate()  # looks, and goes

    ada = system.sign_up("ada@imagegen.example", guest=guest)
    assert ada.kinds() == [("welcome", 50)]
    assert {model: ada.quote(model)["cost"] for model in MODELS} == MODELS
    packs = ada.rows("packs", select="tokens,bonus_tokens,amount,currency,best_value,saving_percent")
    assert [tuple(pack.values())[:5] for pack in packs] == [
        (25, 0, 499, "usd", False),
        (100, 10, 1499, "usd", False),
        (250, 50, 2999, "usd", False),
        (500, 150, 4999, "usd", True),
    ]
    # Against the dearest: 19.96 cents a credit; 13.63, 10.00 and 7.69 with the bonus.
    assert [str(pack["saving_percent"]) for pack in packs] == ["0", "31.72", "49.91", "61.46"]

    # The picker knows what the balance affords; half credits are exact.
    assert {model: ada.quote(model)["affordable"] for model in MODELS} == {
        "nano-banana": 100,
        "flux-dev": 50,
        "lora-normal": 50,
        "lora-context": 50,
        "gemini-flash": 50,
        "nano-banana-pro": 25,
    }
    # A failed generation is free; one that works is charged when it is done.
    assert generate(ada, "nano-banana-pro", "prompt-0", works=False)["released"] == 2
    assert ada.standing() == (50, 0, 50)
    assert generate(ada, "nano-banana", "prompt-1")["balance"] == Decimal("49.5")
    for number in range(24):
        generate(ada, "nano-banana-pro", f"pro-{number}")
    assert ada.balance() == Decimal("1.5")
    with refused(403, "not_allowed"):
        ada.call("report_failure", module_id="nano-banana-pro")

    with refused(
        402, "insufficient_tokens", balance=Decimal("1.5"), cost=2, missing=Decimal("0.5"), affordable=0
    ):
        generate(ada, "nano-banana-pro", "pro-24")
    system.press(ada.checkout("credits-110"), CARD_DECLINED)
    assert ada.balance() == Decimal("1.5")
    order = ada.buy("credits-110")
    assert (order["tokens"], order["bonus_tokens"], order["amount"]) == (100, 10, 1499)

    # Welcome and purchased are apart, and the welcome goes first; none expires.
    lots = {lot["source"]: lot for lot in ada.rows("lots")}
    assert {source: lot["remaining"] for source, lot in lots.items()} == {
        "welcome": Decimal("1.5"),
        "purchase": 100,
        "bonus": 10,
    }
    assert {lot["expires_at"] for lot in lots.values()} == {None}
    receipt = generate(ada, "nano-banana-pro", "pro-24")
    assert (receipt["balance"], receipt["replayed"]) == (Decimal("109.5"), False)
    assert receipt["draws"][0] == {"lot_id": lots["welcome"]["lot_id"], "tokens": Decimal("1.5")}

    # Every generation is in the history: model, outcome, duration, prompt; those that worked with their cost.
    history = ada.rows("holds", order="created_at", limit=2)
    assert [(row["module_id"], row["state"], row["captured"], row["metadata"]) for row in history] == [
        ("nano-banana-pro", "released", 0, {"prompt_id": "prompt-0"}),
        ("nano-banana", "captured", Decimal("0.5"), {"prompt_id": "prompt-1"}),
    ]
    assert [row["reason"] for row in history] == ["failed: out of memory", None]
    assert all(row["duration_ms"] > 0 for row in history)
    assert len(ada.rows("holds", limit=100)) == 27
    (use,) = ada.rows("usage", order="used_at", limit=1)
    assert (use["hold_id"], use["cost"]) == (history[1]["hold_id"], Decimal("0.5"))
    assert (use["duration_ms"], use["metadata"]) == (history[1]["duration_ms"], history[1]["metadata"])
    assert len(ada.rows("usage", limit=20)) == 20
    assert len(ada.rows("usage", limit=20, offset=20)) == 6

    # The figures: a user who only signed up, and two guests, count as well.
    system.sign_up("looks-only@imagegen.example")
    (conversion,) = system.figures(
        "select guests, users, uses, signed_up, conversion from analytics.guest_conversion"
    )
    assert tuple(conversion.values()) == (2, 2, 4, 1, Decimal("0.5"))
    (welcome,) = system.figures("select accounts, granted, spent, share_spent from analytics.welcome_use")
    assert tuple(welcome.values()) == (2, 100, 50, Decimal("0.5"))
    (mix,) = system.figures("select pack_id, orders, tokens, amount, share_of_amount from analytics.pack_mix")
    assert tuple(mix.values()) == ("credits-110", 1, 110, 1499, 1)
    reliability = system.figures(
        "select module_id, started, succeeded, failed, open, failure_rate, mean_duration_ms > 0 as timed"
        " from analytics.module_reliability order by module_id"
    )
    assert [tuple(row.values()) for row in reliability] == [
        ("flux-dev", 3, 3, 0, 0, 0, True),
        ("nano-banana", 2, 1, 1, 0, Decimal("0.5"), True),
        ("nano-banana-pro", 27, 26, 1, 0, Decimal("0.0370"), True),
    ]
    (burn,) = system.figures("select spent, granted, outstanding, days_left from analytics.burn_rate")
    assert tuple(burn.values()) == (Decimal("50.5"), 210, Decimal("159.5"), Decimal("3.2"))
    popular = system.figures("select module_id, uses, tokens from analytics.module_usage order by uses desc")
    assert [tuple(row.values()) for row in popular] == [
        ("nano-banana-pro", 25, 50),
        ("nano-banana", 1, Decimal("0.5")),
    ]
    (average,) = system.figures("select active_accounts, uses_per_account from analytics.average_use")
    assert tuple(average.values()) == (1, 26)


def test_racing_or_cookieless_guests_gain_nothing(system: System) -> None:
    # Thirty browsers without a cookie, all at one address.
    results = at_once(
        [lambda: Guest(system, "203.0.113.50").call("guest_consume", module_id="flux-dev")["state"]] * 30
    )
    assert [results.count("reserved"), results.count("guest_limit")] == [3, 27]
    # One browser, thirty times at once.
    one = Guest(system, "203.0.113.51")
    one.remaining()
    results = at_once([lambda: one.call("guest_consume", module_id="flux-dev")["state"]] * 30)
    assert [results.count("reserved"), results.count("guest_limit")] == [3, 27]
    # The same browser at another address, a made-up cookie, an address that the browser claims.
    moved = Guest(system, "203.0.113.52")
    moved.headers |= one.headers | {"X-Forwarded-For": "203.0.113.52"}
    forged = Guest(system, "203.0.113.50")
    forged.headers["Cookie"] = "pgcredits_guest=" + "0" * 32
    claims = Guest(system, "198.51.100.99, 203.0.113.50")
    for guest in (moved, forged, claims):
        with refused(429, "guest_limit", remaining=0, limit=3):
            guest.generate()
    # Nobody says who they are.
    for keys in ({"device_keys": ["0" * 64]}, {"network_keys": ["0" * 64]}, {"shared_network": True}):
        with refused(403, "not_yours"):
            Guest(system, "203.0.113.53").call("guest_consume", module_id="flux-dev", **keys)
    with refused(404, "unknown_module"):
        Guest(system, "203.0.113.53").generate("no-such-model")
    # And nobody ends their own uses.
    use = Guest(system, "203.0.113.53").call("guest_consume", module_id="flux-dev")
    with pytest.raises(Refused) as caught:
        Guest(system, "203.0.113.53").call("release_guest_use", use_id=use["use_id"])
    assert caught.value.status in (401, 403)


def test_the_window_of_a_guest_slides(system: System) -> None:
    guest = Guest(system, "203.0.113.80")
    guest.generate()
    with system.later("20 hours"):
        guest.generate()
        guest.generate()
        assert guest.remaining() == 0
    # A window that begins anew after 24 hours would give all three back.
    with system.later("25 hours"):
        assert guest.remaining() == 1
        guest.generate()
        with refused(429, "guest_limit", remaining=0):
            guest.generate()
    with system.later("43 hours"):
        assert guest.remaining() == 0
    with system.later("45 hours"):
        assert guest.remaining() == 2


def test_racing_jobs_never_overspend(system: System) -> None:
    racer = system.sign_up("racer@imagegen.example")
    for _ in range(21):
        generate(racer, "nano-banana-pro")
    results = at_once([lambda: begin(racer, "flux-dev")] * 50)
    jobs = [result for result in results if result != "insufficient_tokens"]
    assert [job["held"] for job in jobs] == [1] * 8
    assert racer.standing() == (8, 8, 0)
    # Nobody else gets what they hold, and somebody who waits for a picture cannot have it for nothing.
    with refused(402, "insufficient_tokens", balance=8, available=0, cost=Decimal("0.5"), affordable=0):
        racer.spend("nano-banana")
    for end in (racer.capture, racer.release):
        with refused(403, "not_yours"):
            end(jobs[0])
    # Half of them work, half fail, and each is told twice.
    backend = system.service
    ends = [lambda job=job: backend.capture(job)["cost"] for job in jobs[:4]]
    ends += [lambda job=job: backend.release(job, "error: no GPU")["state"] for job in jobs[4:]]
    results = at_once(ends * 2)
    assert [results.count(1), results.count("hold_closed"), results.count("released")] == [4, 4, 8]
    assert racer.standing() == (4, 0, 4)
    # One server says that it worked, the other that it failed: one of them is heard.
    jobs = [begin(racer, "flux-dev") for _ in range(4)]
    ends = [lambda job=job: backend.capture(job)["state"] for job in jobs]
    ends += [lambda job=job: backend.release(job, "timeout")["state"] for job in jobs]
    results = at_once(ends)
    captured = results.count("captured")
    assert [results.count("released"), results.count("hold_closed")] == [4 - captured, 4]
    assert racer.standing() == (4 - captured, 0, 4 - captured)
    # Whole generations.
    results = at_once([lambda: generate(racer, "flux-dev")["cost"]] * 20)
    assert [results.count(1), results.count("insufficient_tokens")] == [4 - captured, 16 + captured]
    assert racer.standing() == (0, 0, 0)


def test_late_job_is_charged_and_endless_job_is_free(system: System) -> None:
    patient = system.sign_up("patient@imagegen.example")
    slow = begin(patient, "lora-normal", "slow", ttl="5 minutes")
    lost = begin(patient, "lora-context", "lost", ttl="5 minutes")  # its worker never comes back
    assert patient.standing() == (50, 2, 48)
    assert outcomes(system) == [2, 0, 0, 2]

    def shown(held: Row) -> Row:
        (row,) = patient.rows("holds", hold_id=f"eq.{held['hold_id']}")
        return row

    with system.later("6 minutes"):
        assert patient.standing() == (50, 0, 50)
        assert [shown(held)["state"] for held in (slow, lost)] == ["expired", "expired"]
        assert outcomes(system) == [2, 0, 2, 0]
        receipt = system.service.capture(slow, key="slow")
        assert (receipt["late"], receipt["cost"], receipt["balance"]) == (True, 1, 49)
        assert system.service.capture(slow, key="slow")["replayed"]
        with refused(409, "hold_closed", state="expired"):
            system.service.capture(slow)
        with refused(409, "hold_closed", state="expired"):
            system.service.release(lost, "failed")
        (use,) = patient.rows("usage")
        assert (use["hold_id"], use["cost"]) == (slow["hold_id"], 1)
        assert 360_000 < use["duration_ms"] == shown(slow)["duration_ms"]
        assert (shown(slow)["late"], shown(slow)["captured"]) == (True, 1)
        assert outcomes(system) == [2, 1, 1, 0]
    with system.later("25 hours"):
        with refused(409, "hold_closed", state="expired"):
            system.service.capture(lost)
        assert (shown(lost)["captured"], shown(lost)["duration_ms"]) == (0, 300_000)
        assert patient.kinds() == [("welcome", 50), ("spend", -1)]


def outcomes(system: System) -> list[Decimal]:
    """Of all LORA generations: started, succeeded, failed, still open."""
    (row,) = system.figures(
        "select array[sum(started), sum(succeeded), sum(failed), sum(open)] as counted"
        " from analytics.module_reliability where module_id in ('lora-normal', 'lora-context')"
    )
    return list(row["counted"])


def test_prices_welcome_and_guest_limits_change_by_data(system: System) -> None:
    before = system.sign_up("before@imagegen.example")
    under_way = begin(before, "nano-banana")
    system.owner(
        """select credits.define_price('[{"dimension": "calls", "price_per_unit": 0.75}]',"""
        " p_module_id => 'nano-banana')",
        "select credits.define_campaign('imagegen-welcome', 'welcome', 'Welcome credits', 60)",
        "select credits.define_guest_limits('imagegen', 5)",
    )
    assert system.service.capture(under_way)["balance"] == Decimal("49.5")
    assert generate(before, "nano-banana")["cost"] == Decimal("0.75")
    assert system.sign_up("after@imagegen.example").balance() == 60
    assert Guest(system, "203.0.113.90").remaining() == 5


def test_refund_takes_the_pack_and_never_the_welcome_credits(system: System) -> None:
    hana = system.sign_up("hana@imagegen.example")
    order = hana.buy("credits-110")
    lots = hana.rows("lots", order="lot_id")
    assert lots[0]["source"] == "welcome"
    welcome = Decimal(lots[0]["granted"])
    bought = Decimal(sum(lot["granted"] for lot in lots if lot["source"] != "welcome"))
    system.refund(hana, order, order["paid"] // 2)
    after = hana.rows("lots", order="lot_id")
    assert after[0]["remaining"] == welcome
    assert Decimal(sum(lot["reversed"] for lot in after)) < bought
    dispute, _ = system.dispute(hana, order | {"reversed": order["paid"] // 2})
    assert hana.balance() == welcome
    receipt = hana.spend("nano-banana")  # the welcome credits still work
    assert receipt["balance"] == welcome - receipt["cost"]
    system.end_dispute(hana, order, dispute, "lose")
    assert system.findings() == []
