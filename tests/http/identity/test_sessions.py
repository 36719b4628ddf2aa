"""Sessions over HTTP: refresh tokens, signing out, another password, too many attempts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import slug

from pgcredits.http.identity.passwords import Passwords

pytestmark = pytest.mark.one_version

_numbers = itertools.count(time.time_ns())
Person = dict[str, Any]


@pytest.fixture
def person(client: httpx.Client) -> Person:
    """Somebody who has just signed up: address, password, and the answer."""
    body = {"email": f"p{next(_numbers)}@example.org", "password": "the first password"}
    response = client.post("/auth/signup", json=body)
    assert response.status_code == 201
    return body | response.json()


@pytest.fixture
def bounds(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """Three attempts to one account from one network."""
    admin.execute("select credits.limit_sign_ins(p_per_pair => 3)")
    yield
    admin.execute("select credits.limit_sign_ins(p_per_pair => 10)")
    admin.execute("delete from credits.sign_in_counts")


def refresh(client: httpx.Client, token: object) -> httpx.Response:
    return client.post("/auth/token", json={"refresh_token": token})


def test_refresh_token_brings_new_tokens(client: httpx.Client, person: Person) -> None:
    for kind in ("json", "data"):
        body = {"grant_type": "refresh_token", "refresh_token": person["refresh_token"]}
        response = client.post("/auth/token", **{kind: body})  # type: ignore[arg-type]
        assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
        answer = response.json()
        assert set(answer) == {"user_id", "access_token", "refresh_token", "token_type", "expires_in"}
        assert answer["user_id"] == person["user_id"]
        assert answer["refresh_token"] != person["refresh_token"]
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        rows = client.get("/rest/v1/balance", headers=headers).json()
        assert [row["user_id"] for row in rows] == [person["user_id"]]
        person |= answer


@pytest.mark.parametrize(
    ("token", "status", "expected"),
    [
        ("", 400, "invalid_grant"),
        ("pgr_", 400, "invalid_grant"),
        ("pgr_" + "0" * 64 + "_" + "0" * 64, 400, "invalid_grant"),
        ("pgr_" + "0" * 64 + "_" + "0" * 65, 400, "invalid_grant"),
        ("pgr_" + "g" * 64 + "_" + "0" * 64, 400, "invalid_grant"),
        ("x" * 10_000, 400, "invalid_grant"),
        ("a\0b", 422, "bad_text"),
    ],
)
def test_wrong_refresh_tokens_are_refused(
    token: str, status: int, expected: str, client: httpx.Client
) -> None:
    for path in ("/auth/token", "/auth/logout"):
        response = client.post(path, json={"grant_type": "refresh_token", "refresh_token": token})
        assert (response.status_code, slug(response)) == (status, expected)
    response = client.post("/auth/logout", json={"refresh_token": 7})
    assert (response.status_code, slug(response)) == (400, "bad_request")


def test_access_token_does_not_refresh(client: httpx.Client, person: Person) -> None:
    assert refresh(client, person["access_token"]).status_code == 400
    headers = {"Authorization": f"Bearer {person['refresh_token']}"}
    assert client.get("/rest/v1/balance", headers=headers).status_code == 401


def test_reused_token_ends_the_session_in_the_same_words(
    client: httpx.Client, person: Person, admin: psycopg.Connection[Any]
) -> None:
    present = refresh(client, person["refresh_token"]).json()["refresh_token"]
    admin.execute(
        "update credits.refresh_tokens set used_at = used_at - interval '11 s' where used_at is not null"
    )
    reused, after = refresh(client, person["refresh_token"]), refresh(client, present)
    unknown = refresh(client, "pgr_" + "0" * 64 + "_" + "0" * 64)
    assert reused.status_code == 400
    assert reused.text == after.text == unknown.text


def test_signing_out(client: httpx.Client, person: Person) -> None:
    body = {"email": person["email"], "password": person["password"]}
    others = [client.post("/auth/token", json=body).json()["refresh_token"] for _ in range(2)]
    out = client.post("/auth/logout", json={"refresh_token": person["refresh_token"]})
    assert (out.status_code, out.json()) == (200, {"ended": 1})
    assert refresh(client, person["refresh_token"]).status_code == 400
    assert refresh(client, others[0]).status_code == 200
    everywhere = client.post("/auth/logout", json={"refresh_token": others[1], "everywhere": True})
    assert everywhere.json() == {"ended": 2}
    assert refresh(client, others[1]).status_code == 400


def test_user_signs_out_everywhere_with_their_token(client: httpx.Client, person: Person) -> None:
    headers = {"Authorization": f"Bearer {person['access_token']}"}
    out = client.post("/rest/v1/rpc/end_sessions", json={}, headers=headers)
    assert out.json() == {"user_id": person["user_id"], "ended": 1}
    assert refresh(client, person["refresh_token"]).status_code == 400


def test_another_password_ends_the_sessions_before_it(client: httpx.Client, person: Person) -> None:
    body = {"email": person["email"], "password": person["password"], "new_password": "the second password"}
    changed = client.post("/auth/password", json=body)
    assert (changed.status_code, changed.json()["user_id"]) == (200, person["user_id"])
    assert refresh(client, person["refresh_token"]).status_code == 400
    assert refresh(client, changed.json()["refresh_token"]).status_code == 200
    for password, status in (("the first password", 400), ("the second password", 200)):
        answer = client.post("/auth/token", json={"email": person["email"], "password": password})
        assert answer.status_code == status


def test_an_old_password_does_not_undo_the_change_to_a_new_one(
    client: httpx.Client, person: Person, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thief's password was compared before the owner's change, and is hashed after it."""
    changed = "$argon2id$v=19$m=8,t=1,p=1$b3RoZXJzYWx0$aGFzaA"
    hash_of = Passwords.hash

    async def late(passwords: Passwords, password: str) -> str:
        admin.execute(
            "update credits.credentials set password_hash = %s where email = %s", (changed, person["email"])
        )
        return await hash_of(passwords, password)

    monkeypatch.setattr(Passwords, "hash", late)
    body = {"email": person["email"], "password": person["password"], "new_password": "the thief's password"}
    response = client.post("/auth/password", json=body)
    assert (response.status_code, slug(response)) == (400, "invalid_grant")
    kept = admin.execute(
        "select password_hash from credits.credentials where email = %s", (person["email"],)
    ).fetchone()
    assert kept == (changed,)


def test_bad_changes_of_a_password_are_refused(client: httpx.Client, person: Person) -> None:
    body = {"email": person["email"], "password": person["password"], "new_password": "another password"}
    for wrong, status, expected in (
        ({"password": "not the password"}, 400, "invalid_grant"),
        ({"email": "nobody@example.org"}, 400, "invalid_grant"),
        ({"new_password": "short"}, 422, "bad_password"),
        ({"new_password": None}, 400, "bad_request"),
        ({"password": None}, 400, "bad_request"),
    ):
        response = client.post("/auth/password", json=body | wrong)
        assert (response.status_code, slug(response)) == (status, expected)
    assert refresh(client, person["refresh_token"]).status_code == 200


def test_guesses_at_either_place_count_together(client: httpx.Client, person: Person, bounds: None) -> None:
    """Changing a password is no way around the limit of sign-ins."""
    body = {"email": person["email"], "password": "a guess", "new_password": "another password"}
    answers = [client.post(f"/auth/{path}", json=body) for path in ("token", "password") * 2]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert (slug(answers[3]), "retry-after" in answers[3].headers) == ("sign_in_limit", True)
    right = client.post("/auth/token", json={"email": person["email"], "password": person["password"]})
    assert right.status_code == 429
    assert refresh(client, person["refresh_token"]).status_code == 200  # who is signed in stays so
