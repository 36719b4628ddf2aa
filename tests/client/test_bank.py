"""Spend, quote and grant, over HTTP."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from client_calls import MODULE, Books, run

from pgcredits.client import (
    AsyncBank,
    Bank,
    BankError,
    InsufficientTokens,
    InvalidCall,
    KeyReused,
    NotAllowed,
    NotRefundable,
    NotSignedIn,
    UnknownEntry,
    UnknownModule,
    UnknownUser,
)

pytestmark = pytest.mark.one_version


def test_spend_is_charged_and_its_receipt_is_exact(bank: Bank, user: str, books: Books) -> None:
    receipt = bank.spend(MODULE, user)
    assert (receipt.cost, receipt.balance, receipt.replayed) == (50, 70, False)
    assert isinstance(receipt.cost, Decimal)
    assert sum(draw.tokens for draw in receipt.draws) == 50
    assert books.charges(user) == [50]


def test_spend_with_one_key_twice_counts_once(bank: Bank, user: str, books: Books) -> None:
    first = bank.spend(MODULE, user, key="picture-1")
    again = bank.spend(MODULE, user, key="picture-1")
    assert (again.entry_id, again.replayed) == (first.entry_id, True)
    with pytest.raises(KeyReused) as caught:
        bank.spend("whisper", user, key="picture-1")
    assert (caught.value.slug, caught.value.status) == ("key_reused", 409)
    assert books.charges(user) == [50]


def test_charges_and_holds_carry_tags(bank: Bank, user: str, books: Books) -> None:
    bank.spend("whisper", user, tags={"job": "1"})
    with bank.hold("whisper", user, tags={"job": "2", "feature": "chat"}):
        pass
    with pytest.raises(InvalidCall) as caught:
        bank.spend("whisper", user, tags={"job": ""})
    assert caught.value.slug == "bad_tags"
    rows = books.admin.execute("select tags from api.usage where user_id = %s order by used_at", (user,))
    assert [tags for (tags,) in rows] == [{"job": "1"}, {"job": "2", "feature": "chat"}]


def test_refusal_tells_its_numbers_and_survives_pickling(bank: Bank, user: str, books: Books) -> None:
    with pytest.raises(InsufficientTokens) as caught:
        bank.spend(MODULE, user, usage={"calls": 3})
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert isinstance(error, InsufficientTokens)
        assert (error.status, error.slug) == (402, "insufficient_tokens")
        assert (error.balance, error.available, error.cost, error.missing) == (120, 120, 150, 30)
        assert (error.affordable, error.debt) == (2, 0)
    assert books.charges(user) == []


def test_quote_writes_nothing(bank: Bank, user: str, books: Books) -> None:
    quote = bank.quote(MODULE, user, usage={"calls": 3})
    assert (quote.cost, quote.sufficient, quote.affordable) == (150, False, 2)
    assert books.balance(user) == 120


def test_grant_needs_a_service_and_counts_once(bank: Bank, service: Bank, user: str, books: Books) -> None:
    with pytest.raises(NotAllowed):
        bank.grant(user, 5)
    amount = Decimal("0.000001")
    until = datetime.now(UTC) + timedelta(days=1)
    first = service.grant(user, amount, key="gift", reason="promo", expires_at=until, scope="module:whisper")
    again = service.grant(user, amount, key="gift", reason="promo", expires_at=until, scope="module:whisper")
    assert (first.tokens, again.lot_id, again.replayed) == (amount, first.lot_id, True)
    assert books.balance(user) == 120 + amount
    with pytest.raises(ValueError, match="time zone"):
        service.grant(user, 1, expires_at=datetime(2099, 1, 1))


def test_a_charge_is_given_back_by_a_service_and_once(
    bank: Bank, service: Bank, user: str, books: Books
) -> None:
    charge = bank.spend(MODULE, user)
    with pytest.raises(NotAllowed):
        bank.refund_usage(charge.entry_id)
    part = service.refund_usage(charge.entry_id, 20, reason="half a picture\n", key="ticket-1")
    again = service.refund_usage(charge.entry_id, 20, reason="half a picture\n", key="ticket-1")
    assert (part.charge_id, part.tokens) == (charge.entry_id, 20)
    assert (again.entry_id, again.replayed) == (part.entry_id, True)
    assert service.refund_usage(charge.entry_id).tokens == 30
    with pytest.raises(NotRefundable):
        service.refund_usage(charge.entry_id)
    with pytest.raises(UnknownEntry):
        service.refund_usage(charge.entry_id.partition(":")[0] + ":999999")
    assert books.balance(user) == 120


def test_users_without_an_account_are_named(bank: Bank) -> None:
    with pytest.raises(UnknownUser):
        bank.spend(MODULE, "nobody at all")
    assert bank.open_account("a newcomer").opened
    assert not bank.open_account("a newcomer").opened


def test_wrong_arguments_and_wrong_keys_are_typed(bank: Bank, base_url: str, user: str) -> None:
    with pytest.raises(InvalidCall) as caught:
        bank.spend("whisper", user, usage={"pages": 1})
    assert caught.value.slug == "bad_usage"
    with pytest.raises(UnknownModule) as unknown:
        bank.spend("Whisper", user)
    assert unknown.value.did_you_mean == "whisper"
    for wrong in ("no-key", None):
        with Bank(base_url, wrong) as stranger, pytest.raises((NotSignedIn, NotAllowed)):
            stranger.spend("whisper", user)
    with pytest.raises(ValueError, match="no URL"):
        Bank().spend("whisper", user)


def test_another_server_than_the_bank_is_named(user: str) -> None:
    page = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    with Bank("http://127.0.0.1:1", "key", transport=page) as bank, pytest.raises(BankError, match="URL"):
        bank.spend(MODULE, user)


def test_async_bank_does_the_same(base_url: str, api_key: str, user: str, books: Books) -> None:
    async def work() -> None:
        async with AsyncBank(base_url + "/", api_key) as bank:
            assert (await bank.quote(MODULE, user)).sufficient
            assert (await bank.spend(MODULE, user, key="one")).cost == 50
            assert (await bank.spend(MODULE, user, key="one")).replayed
            with pytest.raises(NotAllowed):
                await bank.grant(user, 1)
            with pytest.raises(InsufficientTokens):
                await bank.spend(MODULE, user, usage={"calls": 2})

    run(work())
    assert books.charges(user) == [50]


def test_importing_the_client_imports_no_framework() -> None:
    text = (
        "import sys, pgcredits.client\n"
        "print(sorted({'fastapi', 'starlette', 'litestar', 'stripe', 'uvicorn'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
