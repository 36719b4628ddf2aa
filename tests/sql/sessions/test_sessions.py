"""Sessions: each token refreshes once, a stolen one ends the session, and so does another password."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from callers import Caller, Connection, Row, at_once, refused

Crowd = Callable[[int], list[Caller]]
HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"
OTHER = "$argon2id$v=19$m=8,t=1,p=1$b3RoZXJzYWx0$aGFzaA"
NOBODY = {"user_id": None, "state": None, "refresh_token": None, "expires_at": None}
_numbers = itertools.count(time.time_ns())


def signed_up(service: Caller) -> tuple[str, str]:
    """A new user with a password: address and user id."""
    email = f"s{next(_numbers)}@example.org"
    return email, str(service.call("sign_up", email=email, password_hash=HASH)["user_id"])


def named(token: str) -> dict[str, Any]:
    return {
        "account_id": UUID(token[4:36]),
        "session_id": UUID(token[36:68]),
        "token_hash": sha256(token.encode()).hexdigest(),
    }


def refresh(service: Caller, token: str) -> Row:
    return service.call("refresh_session", **named(token))


def begin(service: Caller, email: str, password_hash: str = HASH) -> str:
    return str(service.call("open_session", email=email, password_hash=password_hash)["refresh_token"])


def later(admin: Connection, token: str, interval: str = "11 seconds") -> None:
    """As if the tokens of a session had been used so long ago."""
    admin.execute(
        "update credits.refresh_tokens set used_at = used_at - %s::interval where session_id = %s",
        (interval, named(token)["session_id"]),
    )


def ended_by(admin: Connection, token: str) -> Any:
    row = admin.execute(
        "select ended_by from credits.sign_in_sessions where session_id = %s", (named(token)["session_id"],)
    ).fetchone()
    return row and row[0]


def test_each_token_refreshes_and_is_replaced(service: Caller, admin: Connection) -> None:
    email, user_id = signed_up(service)
    token = begin(service, email.upper())
    seen = {token}
    for _ in range(3):
        answer = refresh(service, token)
        assert (answer["user_id"], answer["state"]) == (user_id, "active")
        token = answer["refresh_token"]
        assert token not in seen
        seen.add(token)
    rows = admin.execute(
        "select t::text from credits.refresh_tokens as t where session_id = %s", (named(token)["session_id"],)
    ).fetchall()
    assert len(rows) == 4
    assert not [row for row in rows if any(each[-64:] in row[0] for each in seen)]


def test_used_token_ends_the_session(service: Caller, admin: Connection) -> None:
    """A thief and the user have it. Nobody knows which of them came first, so both must sign in."""
    email, _ = signed_up(service)
    stolen = begin(service, email)
    present = refresh(service, stolen)["refresh_token"]
    later(admin, stolen)
    assert refresh(service, stolen)["state"] == "ended"
    assert refresh(service, present) == refresh(service, stolen)
    assert ended_by(admin, stolen) == "token_reused"


def test_client_that_lost_the_answer_asks_again(service: Caller) -> None:
    email, _ = signed_up(service)
    token = begin(service, email)
    lost, kept = refresh(service, token), refresh(service, token)
    assert (lost["state"], kept["state"]) == ("active", "active")
    assert refresh(service, kept["refresh_token"])["state"] == "active"


def test_several_tabs_at_once_all_go_on(service: Caller, crowd: Crowd) -> None:
    email, _ = signed_up(service)
    token = begin(service, email)
    answers = at_once([partial(refresh, caller, token) for caller in crowd(4)])
    assert {answer["state"] for answer in answers} == {"active"}
    assert len({answer["refresh_token"] for answer in answers}) == 4


def test_text_that_is_not_a_token_changes_nothing(service: Caller) -> None:
    email, _ = signed_up(service)
    other, _ = signed_up(service)
    token, foreign = begin(service, email), named(begin(service, other))
    right = named(token)
    for wrong in (
        {"token_hash": "0" * 64},
        {"token_hash": right["token_hash"].upper()},
        {"token_hash": ""},
        {"account_id": foreign["account_id"]},
        {"session_id": foreign["session_id"]},
        {"token_hash": foreign["token_hash"]},
    ):
        assert service.call("refresh_session", **(right | wrong)) == NOBODY
        assert service.call("end_session", **(right | wrong))["ended"] is None
    assert refresh(service, token)["state"] == "active"


def test_session_ends_when_nobody_refreshes_it(service: Caller, admin: Connection) -> None:
    email, _ = signed_up(service)
    token = begin(service, email)
    move = "update credits.sign_in_sessions set began_at = began_at - %s::interval, expires_at = now()"
    admin.execute(move + " where session_id = %s", ("30 days", named(token)["session_id"]))
    assert refresh(service, token)["state"] == "expired"


def test_session_lasts_a_year_at_most(service: Caller, admin: Connection) -> None:
    email, _ = signed_up(service)
    token = begin(service, email)
    admin.execute(
        "update credits.sign_in_sessions set began_at = began_at - interval '8750 hours'"
        " where session_id = %s returning began_at",
        (named(token)["session_id"],),
    )
    row = admin.execute(
        "select began_at from credits.sign_in_sessions where session_id = %s", (named(token)["session_id"],)
    ).fetchone()
    assert row is not None
    assert (refresh(service, token)["expires_at"] - row[0]).days == 365


# The end


def test_signing_out_ends_one_session(service: Caller, admin: Connection) -> None:
    email, user_id = signed_up(service)
    one, other = begin(service, email), begin(service, email)
    for ended in (1, 0):
        assert service.call("end_session", **named(one)) == {"user_id": user_id, "ended": ended}
    assert refresh(service, one)["state"] == "ended"
    assert refresh(service, other)["state"] == "active"
    assert ended_by(admin, one) == "signed_out"


def test_signing_out_everywhere_ends_all(
    service: Caller, user: Callable[..., Caller], api_login: Connection
) -> None:
    email, user_id = signed_up(service)
    stranger, _ = signed_up(service)
    foreign = begin(service, stranger)
    tokens = [begin(service, email) for _ in range(3)]
    assert service.call("end_session", **named(tokens[0]), everywhere=True)["ended"] == 3
    tokens = [begin(service, email) for _ in range(2)]
    own = Caller(api_login, "authenticated", user_id)
    assert own.call("end_sessions")["ended"] == 2
    with refused("not_yours"):
        own.call("end_sessions", user_id="somebody else")
    tokens = [begin(service, email)]
    assert service.call("end_sessions", user_id=user_id)["ended"] == 1
    assert refresh(service, tokens[0])["state"] == "ended"
    assert refresh(service, foreign)["state"] == "active"


def test_another_password_ends_all_sessions(service: Caller, admin: Connection) -> None:
    email, user_id = signed_up(service)
    token = begin(service, email)
    assert service.call("change_password", email=email, password_hash=OTHER) == {
        "user_id": user_id,
        "ended": 1,
    }
    assert refresh(service, token)["state"] == "ended"
    assert ended_by(admin, token) == "password_changed"
    assert service.call("open_session", email=email, password_hash=HASH) == NOBODY
    assert refresh(service, begin(service, email, OTHER))["state"] == "active"
    with refused("bad_password"):
        service.call("change_password", email=email, password_hash="a plain password")
    with refused("unknown_user"):
        service.call("change_password", email="nobody@example.org", password_hash=OTHER)


def test_nobody_signs_in_with_the_old_password_while_it_changes(service: Caller, crowd: Crowd) -> None:
    for _ in range(5):
        email, _ = signed_up(service)
        one, other = crowd(2)
        opened, _ = at_once(
            [
                partial(one.call, "open_session", email=email, password_hash=HASH),
                partial(other.call, "change_password", email=email, password_hash=OTHER),
            ]
        )
        if opened["refresh_token"] is not None:
            assert refresh(service, opened["refresh_token"])["state"] == "ended"


def test_a_password_changes_only_from_the_one_that_was_compared(service: Caller, crowd: Crowd) -> None:
    """A thief who knows the old password must not undo the change that was made because of it."""
    unchanged = {"user_id": None, "ended": None}
    for _ in range(3):
        email, user_id = signed_up(service)
        hashes = [OTHER, OTHER.replace("b3", "b4")]
        given = {"email": email, "compared_hash": HASH}
        changes = [
            partial(one.call, "change_password", password_hash=new, **given)
            for one, new in zip(crowd(2), hashes, strict=True)
        ]
        answers = at_once(changes)
        assert sorted(answers, key=str) == sorted([unchanged, {"user_id": user_id, "ended": 0}], key=str)
        kept = hashes[answers.index({"user_id": user_id, "ended": 0})]
        assert refresh(service, begin(service, email, kept))["state"] == "active"
        assert (
            service.call("change_password", email=email, password_hash=HASH, compared_hash="x") == unchanged
        )


def test_ended_session_stays_ended_while_it_is_refreshed(service: Caller, crowd: Crowd) -> None:
    for _ in range(5):
        email, _ = signed_up(service)
        token = begin(service, email)
        one, other = crowd(2)
        refreshed, _ = at_once(
            [partial(refresh, one, token), partial(other.call, "end_session", **named(token))]
        )
        assert refreshed["state"] in ("active", "ended")
        if refreshed["refresh_token"] is not None:
            assert refresh(service, refreshed["refresh_token"])["state"] == "ended"


def test_old_sessions_are_forgotten(service: Caller, admin: Connection) -> None:
    email, _ = signed_up(service)
    token = begin(service, email)
    admin.execute(
        "update credits.sign_in_sessions set expires_at = now() - interval '36 days' where session_id = %s",
        (named(token)["session_id"],),
    )
    while any(service.call("maintain").values()):
        pass
    assert ended_by(admin, token) is None
    assert refresh(service, token) == NOBODY


@pytest.mark.parametrize("role", ["anon", "authenticated", "spender", "support"])
def test_others_have_nothing_to_do_with_sessions(role: str, connect_as: Callable[..., Connection]) -> None:
    caller = Caller(connect_as(role), role, "ada")
    for call in (
        "api.open_session('a@b', 'x')",
        "api.refresh_session(gen_random_uuid(), gen_random_uuid(), 'x')",
        "api.end_session(gen_random_uuid(), gen_random_uuid(), 'x')",
        "api.change_password('a@b', '$argon2')",
    ):
        with pytest.raises(Exception, match="permission denied"):
            caller.rows(f"select {call}")
