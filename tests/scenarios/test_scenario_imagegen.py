"""Imagegen: credits per model, and guests. The story comes first, on an empty bank: its figures are exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from system import CARD_DECLINED, Person, Refused, Row, System, at_once, refused

MODELS = {
    "nano-banana": Decimal("0.5"),
    "flux-dev": 1,
    "lora-normal": 1,
    "lora-context": 1,
    "gemini-flash": 1,
    "nano-banana-pro": 2,
}


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


def test_the_story(system: System) -> None:
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
    done = {"prompt_id": "prompt-1", "duration_ms": 1500}
    assert ada.spend("nano-banana", metadata=done)["balance"] == Decimal("49.5")
    for number in range(24):
        ada.spend("nano-banana-pro", metadata={"duration_ms": 4000}, key=f"pro-{number}")
    assert ada.balance() == Decimal("1.5")

    # A failed generation is free.
    failure = {"module_id": "nano-banana-pro", "duration_ms": 9000, "metadata": {"prompt_id": "prompt-25"}}
    system.service.call("report_failure", user_id=ada.user_id, key="pro-24", **failure)
    with refused(403, "not_allowed"):
        ada.call("report_failure", **failure)
    assert ada.balance() == Decimal("1.5")

    with refused(
        402, "insufficient_tokens", balance=Decimal("1.5"), cost=2, missing=Decimal("0.5"), affordable=0
    ):
        ada.spend("nano-banana-pro", key="pro-24", metadata={"duration_ms": 4000})
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
    receipt = ada.spend("nano-banana-pro", key="pro-24", metadata={"duration_ms": 4000})
    assert (receipt["balance"], receipt["replayed"]) == (Decimal("109.5"), False)
    assert receipt["draws"][0] == {"lot_id": lots["welcome"]["lot_id"], "tokens": Decimal("1.5")}

    history = ada.rows("usage", order="used_at", limit=1)
    assert (history[0]["module_id"], history[0]["metadata"]) == ("nano-banana", done)
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
        "select module_id, succeeded, failed, failure_rate, mean_duration_of_failed_ms is not null as timed"
        " from analytics.module_reliability order by module_id"
    )
    assert [tuple(row.values()) for row in reliability] == [
        ("flux-dev", 3, 0, 0, False),
        ("nano-banana", 1, 1, Decimal("0.5"), True),
        ("nano-banana-pro", 26, 1, Decimal("0.0370"), True),
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


def test_guests_who_race_or_throw_their_cookie_away_gain_nothing(system: System) -> None:
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
    # The same browser at another address, a cookie of one's own making, an address that the browser claims.
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


def test_jobs_that_race_take_what_there_is_and_no_more(system: System) -> None:
    racer = system.sign_up("racer@imagegen.example")
    for _ in range(21):
        racer.spend("nano-banana-pro")
    results = at_once([lambda: racer.spend("flux-dev")["cost"]] * 50)
    assert [results.count(1), results.count("insufficient_tokens")] == [8, 42]
    assert racer.balance() == 0


def test_prices_welcome_and_guests_change_by_data_while_everything_runs(system: System) -> None:
    before = system.sign_up("before@imagegen.example")
    system.owner(
        """select credits.define_price('[{"dimension": "calls", "price_per_unit": 0.75}]',"""
        " p_module_id => 'nano-banana')",
        "select credits.define_campaign('imagegen-welcome', 'welcome', 'Welcome credits', 60)",
        "select credits.define_guest_limits('imagegen', 5)",
    )
    assert (before.balance(), before.spend("nano-banana")["cost"]) == (50, Decimal("0.75"))
    assert system.sign_up("after@imagegen.example").balance() == 60
    assert Guest(system, "203.0.113.90").remaining() == 5
