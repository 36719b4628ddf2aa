"""Tokens over HTTP; signing up and in."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from argon2 import PasswordHasher
from http_calls import SECRET, User, balance, bearer, slug

pytestmark = pytest.mark.one_version

_emails = itertools.count(time.time_ns())


def signed(claims: dict[str, Any], key: str = SECRET, algorithm: str = "HS256") -> dict[str, str]:
    """A token that expires in a minute, unless `claims` say otherwise."""
    claims = {"exp": time.time() + 60} | claims
    return {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"}


def email() -> str:
    return f"Someone.{next(_emails)}@example.com"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (signed({"role": "service_role"}, "another secret, also of forty characters!"), "PGRST301"),
        (signed({"role": "service_role"}, "", "none"), "PGRST301"),
        (signed({"role": "service_role"}, SECRET * 2, "HS512"), "PGRST301"),
        ({"Authorization": "Bearer"}, "PGRST301"),
        ({"Authorization": "bearer nonsense"}, "PGRST301"),
        ({"Authorization": "Bearer " + "a" * 20_000}, "PGRST301"),
        (signed({"role": "authenticated", "sub": "x", "exp": time.time() - 60}), "PGRST303"),
        (signed({"role": "authenticated", "sub": "x", "exp": None}), "PGRST303"),
        (signed({"role": "authenticated"}), "PGRST303"),
        (signed({"role": "authenticated", "sub": ""}), "PGRST303"),
        (signed({"role": "credits_owner", "sub": "x"}), "PGRST303"),
        (signed({"role": "pgcredits_service", "sub": "x"}), "PGRST303"),
    ],
)
def test_bad_tokens_are_refused(client: httpx.Client, headers: dict[str, str], code: str) -> None:
    for path in ("/rest/v1/packs", "/rest/v1/balance", "/api/user-tokens"):
        response = client.get(path, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, code)
        assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


def test_caller_without_a_token_is_anonymous(client: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, bearer("anon"), signed({"sub": "x"})):
        assert client.get("/rest/v1/packs", headers=headers).status_code == 200
        assert client.get("/rest/v1/balance", headers=headers).status_code == 401


def test_user_id_of_a_foreign_provider_is_kept(client: httpx.Client) -> None:
    subject = "auth0|ü'\"%s;--" + str(next(_emails))
    user = User(subject, bearer("authenticated", subject))
    assert client.get("/rest/v1/balance", headers=user.headers).json()[0]["user_id"] == subject


def test_overlong_subject_is_refused(client: httpx.Client) -> None:
    headers = bearer("authenticated", "x" * 300)
    response = client.post("/rest/v1/rpc/consume_tokens", json={"module_id": "whisper"}, headers=headers)
    assert 400 <= response.status_code < 500
    assert "check" not in response.text


def test_user_signs_up_and_signs_in(client: httpx.Client) -> None:
    address = email()
    response = client.post("/auth/signup", json={"email": address, "password": "longenough"})
    assert (response.status_code, response.headers["cache-control"]) == (201, "no-store")
    signed_up = response.json()
    assert set(signed_up) == {"user_id", "access_token", "refresh_token", "token_type", "expires_in"}
    assert (signed_up["token_type"], signed_up["expires_in"]) == ("bearer", 3600)
    user = User(signed_up["user_id"], {"Authorization": f"Bearer {signed_up['access_token']}"})
    assert balance(client, user) == 0

    for request in (
        {"json": {"email": address.upper(), "password": "longenough"}},
        {"data": {"email": address, "password": "longenough"}},
        {"data": {"grant_type": "password", "username": address, "password": "longenough"}},
    ):
        response = client.post("/auth/token", **request)  # type: ignore[arg-type]
        assert response.status_code == 200
        assert response.json()["user_id"] == user.user_id
        headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
        assert client.get("/rest/v1/balance", headers=headers).json()[0]["user_id"] == user.user_id


@pytest.fixture
def referral_code(client: httpx.Client, admin: psycopg.Connection[Any], user: User) -> Iterator[str]:
    """The code of `user`, of a campaign that lasts as long as the test."""
    define = "select credits.define_campaign('test-auth', 'referral', 'Friends', 5, p_active => %s)"
    admin.execute(define, (True,))
    yield client.post("/rest/v1/rpc/referral_code", headers=user.headers).json()["code"]
    admin.execute(define, (False,))


def referrals(client: httpx.Client, user: User) -> int:
    return len(client.get("/rest/v1/referrals", headers=user.headers).json())


@pytest.mark.parametrize("kind", ["json", "data"])
def test_sign_up_takes_a_referral_code(
    kind: str, client: httpx.Client, referral_code: str, user: User
) -> None:
    body = {"email": email(), "password": "longenough", "referral_code": referral_code.lower()}
    bad = body | {"referral_code": "nobody's"}
    response = client.post("/auth/signup", **{kind: bad})  # type: ignore[arg-type]
    assert (response.status_code, slug(response)) == (404, "unknown_code")
    response = client.post("/auth/signup", **{kind: body})  # type: ignore[arg-type]
    assert response.status_code == 201
    assert referrals(client, user) == 1
    response = client.post(
        "/auth/signup", json={"email": email(), "password": "longenough", "referral_code": None}
    )
    assert response.status_code == 201


def test_token_of_any_issuer_opens_an_account(client: httpx.Client, referral_code: str, user: User) -> None:
    subject = "auth0|ü'\"%s;--" + str(next(_emails))
    headers = bearer("authenticated", subject)
    opened = client.post("/auth/account", json={"referral_code": referral_code}, headers=headers)
    assert (opened.status_code, opened.headers["cache-control"]) == (200, "no-store")
    assert opened.json() == {
        "user_id": subject,
        "opened": True,
        "balance": 0,
        "referred": True,
        "welcome": 0,
        "welcome_waits_for": None,
        "reset_at": None,
    }
    for again in ({"json": {"referral_code": referral_code}}, {"json": {}}, {}):
        answer = client.post("/auth/account", headers=headers, **again)  # type: ignore[arg-type]
        assert answer.json() == opened.json() | {"opened": False}
    assert referrals(client, user) == 1
    own = client.post("/auth/account", json={"referral_code": referral_code}, headers=user.headers)
    assert (own.status_code, slug(own)) == (409, "own_code")


def test_user_opens_only_their_own_account(client: httpx.Client, user: User, service: dict[str, str]) -> None:
    other = f"victim {next(_emails)}"
    body = {"user_id": other, "device_keys": ["0" * 64], "password": 7}
    answer = client.post("/auth/account", json=body, headers=user.headers)
    assert answer.json()["user_id"] == user.user_id
    for headers, status in ((service, 403), ({}, 401), (bearer("anon"), 401)):
        assert client.post("/auth/account", json=body, headers=headers).status_code == status
    for code, status in ((7, 400), (["a"], 400), ("a\0b", 422)):
        answer = client.post("/auth/account", json={"referral_code": code}, headers=user.headers)
        assert answer.status_code == status
    mine = {"user_id": user.user_id, "device_keys": ["0" * 64]}
    refused = client.post("/rest/v1/rpc/open_account", json=mine, headers=user.headers)
    assert (refused.status_code, slug(refused)) == (403, "not_yours")


def test_an_email_signs_up_once(client: httpx.Client) -> None:
    body = {"email": email(), "password": "longenough"}
    client.post("/auth/signup", json=body).raise_for_status()
    response = client.post("/auth/signup", json=body | {"email": body["email"].upper()})
    assert (response.status_code, slug(response)) == (409, "email_taken")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"email": "no address", "password": "longenough"}, 422, "bad_email"),
        ({"email": "a@b\0.c", "password": "longenough"}, 422, "bad_text"),
        ({"email": "a@b.c", "password": "short"}, 422, "bad_password"),
        ({"email": "a@b.c", "password": "é" * 3}, 422, "bad_password"),
        ({"email": "a@b.c", "password": "x" * 1025}, 422, "bad_password"),
        ({"email": "a@b.c"}, 400, "bad_request"),
        ({"email": 7, "password": "longenough"}, 400, "bad_request"),
        ({"password": "longenough"}, 400, "bad_request"),
    ],
)
def test_bad_sign_ups_are_refused(
    client: httpx.Client, body: dict[str, Any], status: int, expected: str
) -> None:
    response = client.post("/auth/signup", json=body)
    assert (response.status_code, slug(response)) == (status, expected)


def test_wrong_passwords_and_unknown_people_look_the_same(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time does not tell them apart either, because argon2 compares a password each time."""
    compared = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, *given: compared.append(given) or verify(self, *given)
    )
    address = email()
    client.post("/auth/signup", json={"email": address, "password": "longenough"}).raise_for_status()
    answers = []
    for body in (
        {"email": address, "password": "wrong password"},
        {"email": email(), "password": "wrong password"},
        {"email": address, "password": "x" * 5000},
        {"email": address, "password": ""},
        {"email": email(), "password": "nobody has this password"},
    ):
        response = client.post("/auth/token", json=body)
        answers.append((response.status_code, response.text))
        assert len(compared) == len(answers)
    assert set(answers) == {answers[0]}
    assert (response.status_code, slug(response)) == (400, "invalid_grant")


def test_large_forms_are_refused_before_they_are_read(client: httpx.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/auth/token", "/auth/signup", "/auth/logout"):
        response = client.post(path, content=b"a&" * 15_000, headers=form)
        assert (response.status_code, slug(response)) == (413, "too_large")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"email=a"])
def test_malformed_sign_in_is_refused(client: httpx.Client, body: bytes) -> None:
    for path in ("/auth/token", "/auth/signup"):
        response = client.post(path, content=body)
        assert response.status_code == 400
        slug(response)
