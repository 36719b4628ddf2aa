"""Sign-up and sign-in of the embedded identity provider."""

from __future__ import annotations

from uuid import uuid4

import pytest
from callers import Caller, Connection, refused

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


def test_sign_up_opens_an_account(service: Caller, api_login: Connection) -> None:
    email = f"{uuid4().hex}@example.com"
    receipt = service.call("sign_up", email=email, password_hash=HASH)
    assert (receipt["email"], receipt["password_hash"]) == (email, None)
    ada = Caller(api_login, "authenticated", receipt["user_id"])
    assert ada.row("select balance, status from api.balance") == {"balance": 0, "status": "active"}
    with refused("insufficient_tokens"):
        service.call("consume_tokens", module_id="whisper", user_id=receipt["user_id"])


def test_sign_in_finds_what_sign_up_kept(service: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    user_id = service.call("sign_up", email=email, password_hash=HASH)["user_id"]
    expected = {"user_id": user_id, "email": email, "password_hash": HASH}
    assert service.call("find_credential", email=email) == expected
    assert service.call("find_credential", email=f"  {email.upper()} ") == expected


@pytest.mark.parametrize("email", [None, "", "nobody@example.com", "' or true --"], ids=str)
def test_unknown_email_is_a_row_of_nulls(email: str | None, service: Caller) -> None:
    nothing = {"user_id": None, "email": None, "password_hash": None}
    assert service.call("find_credential", email=email) == nothing


def test_email_can_be_taken_once_in_any_case(service: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    service.call("sign_up", email=email, password_hash=HASH)
    for same in (email, email.upper(), f" {email} "):
        with refused("email_taken"):
            service.call("sign_up", email=same, password_hash=HASH)


@pytest.mark.parametrize(
    "email",
    [
        None,
        "",
        "  ",
        "ada",
        "@",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "a@b@c",
        "ada lovelace@example.com",
        "ada@exa\nmple.com",
        "ada@exa\tmple.com",
        "ada\x7f@example.com",
        "a" * 320 + "@example.com",
    ],
    ids=ascii,
)
def test_only_email_addresses_are_accepted(email: str | None, service: Caller) -> None:
    with refused("bad_email"):
        service.call("sign_up", email=email, password_hash=HASH)


@pytest.mark.parametrize("password", [None, "", "secret", "$2b$12$bcrypt"], ids=str)
def test_password_must_come_as_an_argon2_hash(password: str | None, service: Caller) -> None:
    with refused("bad_password"):
        service.call("sign_up", email=f"{uuid4().hex}@example.com", password_hash=password)


@pytest.mark.parametrize("local", ["ÄÖÜ", "İstanbul", "ΣΊΣΥΦΟΣ", "ẞtraße"])
def test_email_of_any_script_signs_up_once(local: str, service: Caller) -> None:
    email = f"{local}-{uuid4().int}@example.com"
    user_id = service.call("sign_up", email=email, password_hash=HASH)["user_id"]
    assert service.call("find_credential", email=email)["user_id"] == user_id
    with refused("email_taken"):
        service.call("sign_up", email=email, password_hash=HASH)
