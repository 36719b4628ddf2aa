"""API keys: shown once, kept as hashes, and of no use to a thief once they are revoked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, Row, at_once, refused, slugs

from pgcredits import api_key

Crowd = Callable[[int], list[Caller]]


class Holder(Caller):
    """A backend whose calls come with an API key, as the HTTP API makes them."""

    key_id = ""

    def rows(self, query: str, params: Any = ()) -> list[Row]:
        self.connection.execute("select set_config('role', %s, false)", (self.role,))
        self.connection.execute(
            "select set_config('request.jwt.claims', %s, false)",
            (json.dumps({"role": self.role, "key_id": self.key_id}),),
        )
        with self.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(query, params).fetchall()


@pytest.fixture
def holder(service_url: str) -> Iterator[Callable[[Row], Holder]]:
    """holder(key): the backend that has this key."""
    with ExitStack() as stack:

        def hold(key: Row) -> Holder:
            connection = stack.enter_context(psycopg.connect(service_url, autocommit=True))
            backend = Holder(connection, key["role"])
            backend.key_id = key["key_id"]
            return backend

        yield hold


def make(service: Caller, role: str = "service_role", **more: Any) -> Row:
    return service.call("create_api_key", name="till", role=role, **more)


def resolve(service: Caller, text: str) -> Row:
    key_id = api_key.key_id(text) or text.split("_")[2]
    return service.call("resolve_api_key", key_id=key_id, secret_hash=sha256(text.encode()).hexdigest())


def shown(service: Caller, key: Row) -> Row:
    return service.row("select * from api.api_keys where key_id = %s", (key["key_id"],))


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


NOBODY = {"key_id": None, "role": None, "state": None}


@pytest.mark.parametrize("role", ["spender", "support", "service_role"])
def test_key_stands_for_its_role(role: str, service: Caller) -> None:
    key = make(service, role)
    assert (key["state"], key["expires_at"], key["replayed"]) == ("active", None, False)
    assert api_key.key_id(key["api_key"]) == key["key_id"]
    assert resolve(service, key["api_key"]) == {"key_id": key["key_id"], "role": role, "state": "active"}


def test_key_is_kept_as_a_hash_alone(service: Caller, admin: Connection) -> None:
    key = make(service)
    secret = key["api_key"].split("_")[3][:64]
    for table in ("api_keys", "api_key_secrets", "api_key_changes"):
        rows = admin.execute(f"select t::text from credits.{table} as t").fetchall()
        assert rows
        assert not [row for row in rows if secret in row[0]]
    assert admin.execute(
        "select secret_hash from credits.api_key_secrets where key_id = %s", (key["key_id"],)
    ).fetchall() == [(sha256(key["api_key"].encode()).digest(),)]


def test_keys_are_random(service: Caller) -> None:
    keys = [make(service, "spender") for _ in range(20)]
    assert len({key["key_id"] for key in keys}) == 20
    assert len({key["api_key"].split("_")[3] for key in keys}) == 20


def test_live_bank_makes_live_keys(db: Connection) -> None:
    bank = Caller(db, "none")
    assert make(bank)["api_key"].startswith("pgc_test_")
    db.execute("select credits.accept_stripe_livemode(true)")
    assert make(bank)["api_key"].startswith("pgc_live_")


def test_text_that_is_not_the_key_is_nobodys(service: Caller) -> None:
    key, other = make(service), make(service)
    for text in (
        key["api_key"][:-1] + ("0" if key["api_key"][-1] != "0" else "1"),
        key["api_key"][:26],
        key["api_key"][:26] + other["api_key"][26:],
        key["api_key"].upper(),
        key["api_key"].replace("_test_", "_live_"),
    ):
        assert resolve(service, text) == NOBODY, text
    right = sha256(key["api_key"].encode()).hexdigest()
    for wrong in (right.upper(), right[:-1], f" {right}", "", key["api_key"]):
        assert service.call("resolve_api_key", key_id=key["key_id"], secret_hash=wrong) == NOBODY
    assert service.call("resolve_api_key", key_id=other["key_id"], secret_hash=right) == NOBODY


def test_only_services_have_to_do_with_keys(service: Caller, service_url: str, api_login: Connection) -> None:
    key = make(service)
    calls = (
        "select api.create_api_key('mine', 'service_role')",
        f"select api.rotate_api_key('{key['key_id']}')",
        f"select api.revoke_api_key('{key['key_id']}')",
        f"select api.resolve_api_key('{key['key_id']}', 'x')",
        "select * from api.api_keys",
    )
    with psycopg.connect(service_url, autocommit=True) as connection:
        for call in calls:
            for caller in (
                Caller(connection, "spender"),
                Caller(connection, "support"),
                Caller(api_login, "anon"),
                Caller(api_login, "authenticated", "ada"),
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    caller.rows(call)
    assert resolve(service, key["api_key"])["state"] == "active"


@pytest.mark.parametrize("role", ["anon", "authenticated", "analyst", "credits_owner", "Spender", ""])
def test_key_is_for_a_backends_role_alone(role: str, service: Caller) -> None:
    with refused("bad_api_key"):
        make(service, role)


def test_expired_key_says_so(service: Caller, admin: Connection) -> None:
    key = make(service, expires_at=in_days(1))
    assert resolve(service, key["api_key"])["state"] == "active"
    admin.execute("update credits.api_keys set expires_at = now() where key_id = %s", (key["key_id"],))
    assert resolve(service, key["api_key"])["state"] == "expired"
    assert shown(service, key)["state"] == "expired"
    with refused("api_key_closed") as facts:
        service.call("rotate_api_key", key_id=key["key_id"])
    assert facts["state"] == "expired"
    again = service.call("rotate_api_key", key_id=key["key_id"], expires_at=in_days(1))
    assert resolve(service, again["api_key"])["state"] == "active"


def test_last_use_is_recorded_to_the_minute(service: Caller, admin: Connection) -> None:
    key = make(service)
    assert shown(service, key)["last_used_at"] is None
    resolve(service, key["api_key"])
    first = shown(service, key)["last_used_at"]
    resolve(service, key["api_key"])
    assert shown(service, key)["last_used_at"] == first
    admin.execute(
        "update credits.api_key_secrets set last_used_at = last_used_at - interval '61 seconds'"
        " where key_id = %s",
        (key["key_id"],),
    )
    resolve(service, key["api_key"])
    assert shown(service, key)["last_used_at"] > first


def test_look_up_waits_for_nobody(service: Caller, crowd: Crowd) -> None:
    key = make(service)
    one, other = crowd(2)
    one.connection.execute("begin")
    resolve(one, key["api_key"])  # which writes when it was used
    one.connection.execute("savepoint s")
    one.call("revoke_api_key", key_id=key["key_id"])
    other.connection.execute("set statement_timeout = '1s'")
    assert resolve(other, key["api_key"])["state"] == "active"
    one.connection.execute("commit")
    assert resolve(other, key["api_key"])["state"] == "revoked"


# Rotation


def test_old_secret_works_during_the_overlap(service: Caller, admin: Connection) -> None:
    key = make(service, "spender")
    new = service.call("rotate_api_key", key_id=key["key_id"], overlap="2 hours")
    assert (new["key_id"], new["role"], new["state"]) == (key["key_id"], "spender", "active")
    for text in (key["api_key"], new["api_key"]):
        assert resolve(service, text)["state"] == "active"
    row = shown(service, key)
    assert row["old_secret_until"] is not None
    assert row["old_secret_used_at"] is not None
    admin.execute(
        "update credits.api_key_secrets set valid_until = now()"
        " where key_id = %s and valid_until is not null",
        (key["key_id"],),
    )
    assert resolve(service, key["api_key"])["state"] == "replaced"
    assert resolve(service, new["api_key"])["state"] == "active"
    assert shown(service, key)["old_secret_until"] is None


def test_rotation_without_overlap_ends_the_old_secret_at_once(service: Caller) -> None:
    key = make(service)
    new = service.call("rotate_api_key", key_id=key["key_id"], overlap="0")
    assert resolve(service, key["api_key"])["state"] == "replaced"
    assert resolve(service, new["api_key"])["state"] == "active"


def test_repeated_rotation_leaves_the_first_secret_working(service: Caller) -> None:
    """The first answer may have been lost."""
    key = make(service)
    texts = [service.call("rotate_api_key", key_id=key["key_id"])["api_key"] for _ in range(3)]
    for text in (key["api_key"], *texts):
        assert resolve(service, text)["state"] == "active"


@pytest.mark.parametrize("overlap", ["-1 second", "31 days"])
def test_overlap_has_a_range(overlap: str, service: Caller) -> None:
    key = make(service)
    with refused("bad_api_key"):
        service.call("rotate_api_key", key_id=key["key_id"], overlap=overlap)


def test_shorter_life_of_a_maker_shortens_its_keys(service: Caller, holder: Callable[[Row], Holder]) -> None:
    maker = make(service)
    made = make(holder(maker))
    late = make(holder(made), "spender")
    end = in_days(2)
    service.call("rotate_api_key", key_id=maker["key_id"], expires_at=end)
    assert {shown(service, key)["expires_at"] for key in (maker, made, late)} == {end}
    service.call("rotate_api_key", key_id=made["key_id"], expires_at="infinity")
    assert shown(service, made)["expires_at"] == end


# Revocation


def test_revoked_key_stays_revoked(service: Caller, admin: Connection) -> None:
    key = make(service)
    for _ in range(2):
        assert service.call("revoke_api_key", key_id=key["key_id"], reason="leaked")["state"] == "revoked"
    assert resolve(service, key["api_key"])["state"] == "revoked"
    with refused("api_key_closed"):
        service.call("rotate_api_key", key_id=key["key_id"])
    changes = admin.execute(
        "select change, reason, actor from credits.api_key_changes where key_id = %s order by changed_at",
        (key["key_id"],),
    ).fetchall()
    assert changes == [("created", None, "service_role"), ("revoked", "leaked", "service_role")]


def test_keys_that_a_key_made_end_with_it(service: Caller, holder: Callable[[Row], Holder]) -> None:
    stolen = make(service, expires_at=in_days(7))
    made = make(holder(stolen))
    assert made["expires_at"] == stolen["expires_at"]
    made_again = make(holder(made), "spender", expires_at=in_days(1))
    assert made_again["expires_at"] < stolen["expires_at"]
    assert shown(service, made)["created_by"] == f"service_role:{stolen['key_id']}"
    other = make(service)
    service.call("revoke_api_key", key_id=stolen["key_id"])
    states = [resolve(service, key["api_key"])["state"] for key in (stolen, made, made_again, other)]
    assert states == ["revoked", "revoked", "revoked", "active"]


def test_key_renews_itself_and_its_own_only(service: Caller, holder: Callable[[Row], Holder]) -> None:
    """Otherwise a thief could take a key that stays when the stolen one is revoked."""
    operators, stolen = make(service), make(service, expires_at=in_days(7))
    thief = holder(stolen)
    made = make(thief)
    with refused("not_yours"):
        thief.call("rotate_api_key", key_id=operators["key_id"])
    with refused("not_yours"):
        holder(made).call("rotate_api_key", key_id=stolen["key_id"])
    thief.call("rotate_api_key", key_id=made["key_id"])
    longer = thief.call("rotate_api_key", key_id=stolen["key_id"], expires_at="infinity")
    assert longer["expires_at"] == stolen["expires_at"]


def test_revoked_key_changes_no_keys(service: Caller, holder: Callable[[Row], Holder]) -> None:
    """The HTTP API still knows it as good for some seconds."""
    stolen, other = make(service), make(service)
    thief = holder(stolen)
    service.call("revoke_api_key", key_id=stolen["key_id"])
    for function, arguments in (
        ("create_api_key", {"name": "mine", "role": "spender"}),
        ("rotate_api_key", {"key_id": stolen["key_id"]}),
        ("revoke_api_key", {"key_id": other["key_id"]}),
    ):
        with refused("api_key_closed"):
            thief.call(function, **arguments)


def test_claims_of_other_logins_name_no_key(service: Caller, admin: Connection, admin_url: str) -> None:
    """Anybody with SQL can set claims. So the superuser's session stands for every other login."""
    key = make(service)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "select set_config('request.jwt.claims', %s, false)", (json.dumps({"key_id": key["key_id"]}),)
        )
        row = connection.execute("select credits.api_key_in_use(), credits.agent()").fetchone()
        assert row == (None, connection.info.user)


@pytest.mark.parametrize("order", ["make first", "revoke first", "at once"])
def test_key_cannot_make_another_while_it_is_revoked(
    order: str, service: Caller, holder: Callable[[Row], Holder], crowd: Crowd
) -> None:
    for _ in range(5 if order == "at once" else 1):
        stolen = make(service)
        thief, (operator,) = holder(stolen), crowd(1)
        making = partial(make, thief, "spender")
        revoking = partial(operator.call, "revoke_api_key", key_id=stolen["key_id"])
        if order == "at once":
            results = at_once([making, revoking])
            assert slugs(results) in ([], ["api_key_closed"])
        elif order == "make first":
            making(), revoking()
        else:
            revoking()
            with refused("api_key_closed"):
                making()
        left = service.rows(
            "select state from api.api_keys where made_with = %s and state <> 'revoked'",
            (stolen["key_id"],),
        )
        assert left == []


# Repeats


def test_repeated_call_makes_no_second_key(service: Caller) -> None:
    first = make(service, "spender", idempotency_key="setup-1")
    again = make(service, "spender", idempotency_key="setup-1")
    assert again == first | {"api_key": None, "replayed": True}
    for other in ({"role": "service_role"}, {"expires_at": in_days(1)}, {"name": "another"}):
        with refused("key_reused"):
            arguments = {"name": "till", "role": "spender", "idempotency_key": "setup-1"} | other
            service.call("create_api_key", **arguments)
    service.call("revoke_api_key", key_id=first["key_id"])
    assert make(service, "spender", idempotency_key="setup-1")["state"] == "revoked"


def test_equal_calls_at_once_make_one_key(crowd: Crowd) -> None:
    works = [partial(make, caller, "spender", idempotency_key="setup-2") for caller in crowd(6)]
    results = at_once(works)
    assert len({result["key_id"] for result in results}) == 1
    assert sorted(result["replayed"] for result in results) == [False] + [True] * 5


# Records


def test_records_of_services_name_their_key(
    service: Caller, holder: Callable[[Row], Holder], user: Callable[..., Caller], admin: Connection
) -> None:
    ada, key = user(100), make(service)
    backend = holder(key)
    backend.call("add_tokens", user_id=ada.user_id, tokens=5)
    backend.call("consume_tokens", user_id=ada.user_id, module_id="whisper")
    backend.call("freeze_account", user_id=ada.user_id)
    backend.call("thaw_account", user_id=ada.user_id)
    of_ada = "select account_id from credits.identities where subject = %s"
    actors = admin.execute(
        f"select kind::text, actor from credits.entries where account_id = ({of_ada}) order by seq",
        (ada.user_id,),
    ).fetchall()
    named = f"service_role:{key['key_id']}"
    assert actors == [("grant", "service_role"), ("grant", named), ("spend", "service_role")]
    rows = admin.execute(
        f"select distinct actor from credits.status_changes where account_id = ({of_ada})", (ada.user_id,)
    ).fetchall()
    assert rows == [(named,)]


def test_changes_of_keys_wait_for_each_other_with_a_bound(service: Caller, crowd: Crowd) -> None:
    key = make(service)
    idle, other = crowd(2)
    idle.connection.execute("begin")
    make(idle)
    other.connection.execute("set lock_timeout = '100ms'")
    for function, arguments in (
        ("create_api_key", {"name": "n", "role": "spender"}),
        ("rotate_api_key", {"key_id": key["key_id"]}),
        ("revoke_api_key", {"key_id": key["key_id"]}),
    ):
        with refused("busy"):
            other.call(function, **arguments)
    idle.connection.execute("rollback")
