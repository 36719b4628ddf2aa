"""Use with the user's own key at the provider: recorded, not charged, and only a service may say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from callers import Caller, Row, refused

User = Callable[..., Caller]
CALL = {"module_id": "whisper", "byok": True}


@pytest.fixture
def ada(user: User, service: Caller) -> Caller:
    ada = user()
    service.call("add_tokens", user_id=ada.user_id, tokens=30)
    return ada


def entry(ada: Caller) -> Row:
    return ada.row("select * from api.entries order by seq desc limit 1")


def test_use_is_recorded_with_its_quantities_and_costs_nothing(ada: Caller, service: Caller) -> None:
    receipt = service.call("consume_tokens", user_id=ada.user_id, usage={"calls": 3}, **CALL)
    assert (receipt["cost"], receipt["balance"], receipt["draws"], receipt["replayed"]) == (0, 30, [], False)
    written = entry(ada)
    assert (written["kind"], written["tokens"], written["balance_after"]) == ("byok", 0, 30)
    use = ada.row("select * from api.usage")
    assert (use["own_key"], use["usage"], use["cost"], use["module_id"]) == (True, {"calls": 3}, 0, "whisper")
    assert use["price_id"] is not None


def test_use_with_our_key_says_so(ada: Caller) -> None:
    ada.call("consume_tokens", module_id="whisper")
    assert ada.row("select own_key, cost from api.usage") == {"own_key": False, "cost": 25}


def test_only_a_service_may_say_byok(ada: Caller) -> None:
    with refused("not_yours"):
        ada.call("consume_tokens", **CALL)
    with refused("not_yours"):
        ada.row("select * from api.consume_tokens('whisper', byok => null)")
    assert ada.balance() == 30
    assert ada.rows("select * from api.usage") == []


def test_byok_needs_no_balance(user: User, service: Caller) -> None:
    poor = user()
    service.call("add_tokens", user_id=poor.user_id, tokens=1)
    assert service.call("consume_tokens", user_id=poor.user_id, **CALL)["cost"] == 0
    assert poor.balance() == 1


@pytest.mark.parametrize("usage", [{"calls": -1}, {"seconds": 1}, {"calls": "1"}, {"calls": None}])
def test_byok_checks_quantities_too(ada: Caller, service: Caller, usage: Row) -> None:
    with refused("bad_usage"):
        service.call("consume_tokens", user_id=ada.user_id, usage=usage, **CALL)


def test_byok_does_not_touch_the_head_lot(ada: Caller, service: Caller) -> None:
    """The spend before chose a head lot. It is unchanged afterwards."""
    ada.call("consume_tokens", module_id="metube")
    service.call("consume_tokens", user_id=ada.user_id, **CALL)
    service.call("consume_tokens", user_id=ada.user_id, module_id="metube")
    assert ada.balance() == 10
    assert ada.row("select sum(remaining) from api.lots")["sum"] == 10


def test_key_with_another_byok_is_refused(ada: Caller, service: Caller) -> None:
    first = service.call("consume_tokens", user_id=ada.user_id, idempotency_key="job", **CALL)
    again = service.call("consume_tokens", user_id=ada.user_id, idempotency_key="job", **CALL)
    assert again == first | {"replayed": True}
    with refused("key_reused"):
        service.call("consume_tokens", user_id=ada.user_id, idempotency_key="job", module_id="whisper")
    assert ada.balance() == 30
