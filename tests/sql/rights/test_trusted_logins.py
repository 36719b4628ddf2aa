"""A login that the operator trusts with claims is any user that it says; every other login is nobody."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, refused
from click.testing import CliRunner
from support import PASSWORD

from pgcredits.cli import main
from pgcredits.database_urls import as_login

User = Callable[..., Caller]
_numbers = itertools.count(1)


@pytest.fixture
def login(admin: Connection, admin_url: str) -> Iterator[Callable[..., Connection]]:
    """login(*roles): a connection of a new program's login that becomes these roles, as PostgREST does."""
    with ExitStack() as stack:

        def connect(*roles: str) -> Connection:
            name = f"gate_{next(_numbers)}_{uuid4().hex[:8]}"
            admin.execute(f"create role {name} login noinherit password 'of a program'")
            stack.callback(admin.execute, f"drop role {name}")
            stack.callback(admin.execute, f"drop owned by {name}")
            stack.callback(admin.execute, f"delete from credits.trusted_logins where login = '{name}'")
            admin.execute(f"grant connect on database {admin.info.dbname} to {name}")
            for role in roles:
                admin.execute(f"grant {role} to {name}")
            url = as_login(admin_url, name, "of a program")
            return stack.enter_context(psycopg.connect(url, autocommit=True))

        yield connect


def trust(admin: Connection, gate: Connection, roles: list[str] | None = None) -> None:
    admin.execute("select credits.trust_claims(%s, %s)", (gate.info.user, roles or ["authenticated"]))


def as_user(gate: Connection, of: Caller, role: str = "authenticated") -> Caller:
    return Caller(gate, role, of.user_id)


def test_trusted_login_is_the_user_that_it_says(
    user: User, login: Callable[..., Connection], admin: Connection
) -> None:
    ada, bob, gate = user(100), user(200), login("anon", "authenticated")
    trust(admin, gate)
    assert as_user(gate, ada).balance() == 100
    assert as_user(gate, bob).balance() == 200
    assert as_user(gate, ada).call("consume_tokens", module_id="whisper")["balance"] == 75
    with refused("not_yours"):
        as_user(gate, ada).call("consume_tokens", module_id="whisper", user_id=bob.user_id)
    assert as_user(gate, ada).rows("select 1 from api.balance where user_id = %s", (bob.user_id,)) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(gate, ada).call("add_tokens", user_id=ada.user_id, tokens=5)
    new = user()
    assert as_user(gate, new).call("create_order", pack_id="standard")["user_id"] == new.user_id


def test_header_with_a_key_counts_behind_a_trusted_login(
    user: User, service: Caller, login: Callable[..., Connection], admin: Connection
) -> None:
    """Also for a service, whose role needs no claims."""
    ada, gate = user(100), login("authenticated", "service_role")
    for trusted in (False, True):
        if trusted:
            trust(admin, gate)
        for role, arguments in (("authenticated", {}), ("service_role", {"user_id": ada.user_id})):
            answers = []
            for _ in range(2):
                with gate.transaction():
                    caller = Caller(gate, role, ada.user_id)
                    gate.execute("select set_config('request.path', '/rpc/consume_tokens', true)")
                    gate.execute(
                        "select set_config('request.headers', %s, true)",
                        (json.dumps({"idempotency-key": f"{role} {trusted}"}),),
                    )
                    if trusted or role == "service_role":
                        answers.append(caller.call("consume_tokens", module_id="metube", **arguments))
            if answers:
                assert [answer["replayed"] for answer in answers] == [False, trusted]
    assert ada.balance() == 100 - 10 * (2 + 1 + 1)


def test_login_that_is_not_named_stays_nobody(
    user: User, login: Callable[..., Connection], admin: Connection
) -> None:
    ada, gate, other = user(100), login("authenticated"), login("authenticated")
    trust(admin, other)
    assert as_user(gate, ada).rows("select * from api.balance") == []
    with refused("not_signed_in"):
        as_user(gate, ada).call("consume_tokens", module_id="whisper")
    assert ada.balance() == 100


def test_trust_ends_with_the_next_statement(
    user: User, login: Callable[..., Connection], admin: Connection
) -> None:
    ada, gate = user(100), login("authenticated")
    trust(admin, gate)
    with gate.transaction():
        caller = as_user(gate, ada)
        assert caller.balance() == 100
        admin.execute("select credits.distrust_claims(%s)", (gate.info.user,))
        gate.execute("select set_config('role', 'authenticated', true)")
        gate.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps({"sub": ada.user_id}),))
        assert gate.execute("select * from api.balance").fetchall() == []
    with refused("bad_login"):
        Caller(admin, "none").rows("select credits.distrust_claims(%s)", (gate.info.user,))


def test_claims_count_only_in_the_roles_that_were_named(
    user: User, login: Callable[..., Connection], admin: Connection
) -> None:
    ada = user(100)
    member = f"member_{uuid4().hex[:8]}"
    admin.execute(f"create role {member} nologin in role authenticated")
    gate = login("authenticated", member)
    try:
        trust(admin, gate, [member])
        assert as_user(gate, ada, member).balance() == 100
        assert as_user(gate, ada).rows("select * from api.balance") == []
        claims = json.dumps({"sub": ada.user_id, "role": member})
        with gate.transaction():
            gate.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                gate.execute("select * from api.balance")  # the login itself has no rights
    finally:
        admin.execute(f"drop role {member}")


def test_claims_of_a_trusted_login_make_no_service(
    user: User, login: Callable[..., Connection], admin: Connection
) -> None:
    ada, bob, gate = user(100), user(100), login("authenticated")
    trust(admin, gate)
    for role in ("service_role", "spender", "support", "credits_owner"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gate.execute(f"set role {role}")
    claims = {"role": "service_role", "sub": ada.user_id, "key_id": "0" * 16}
    with gate.transaction():
        gate.execute("select set_config('role', 'authenticated', true)")
        gate.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        with refused("not_yours"), gate.transaction():
            gate.execute("select api.consume_tokens('whisper', user_id => %s)", (bob.user_id,))


def test_role_made_anew_under_the_name_is_nobody(
    user: User, login: Callable[..., Connection], admin: Connection, admin_url: str
) -> None:
    ada, gate = user(100), login("authenticated")
    name = gate.info.user
    trust(admin, gate)
    gate.close()
    for command in (
        f"drop owned by {name}",
        f"drop role {name}",
        f"create role {name} login noinherit password 'of a program' in role authenticated",
        f"grant connect on database {admin.info.dbname} to {name}",
    ):
        admin.execute(command)
    found = "select 1 from audit.check_logins where expected like %s"
    assert admin.execute(found, (f"%{name}%",)).fetchall() == [(1,)]
    with psycopg.connect(as_login(admin_url, name, "of a program"), autocommit=True) as successor:
        assert as_user(successor, ada).rows("select * from api.balance") == []
        admin.execute("select credits.trust_login(%s)", (name,))
        assert as_user(successor, ada).balance() == 100
    assert admin.execute(found, (f"%{name}%",)).fetchall() == []


def test_analyst_cannot_use_the_trust_in_another_login(
    user: User, login: Callable[..., Connection], admin: Connection, admin_url: str
) -> None:
    ada, gate = user(100), login("authenticated")
    trust(admin, gate)
    claims = json.dumps({"role": "authenticated", "sub": ada.user_id})
    with psycopg.connect(as_login(admin_url, "pgcredits_analyst", PASSWORD), autocommit=True) as analyst:
        analyst.execute("select set_config('request.jwt.claims', %s, false)", (claims,))
        analyst.execute(f"set application_name = '{gate.info.user}'")
        for command in (
            "set role authenticated",
            f"set role {gate.info.user}",
            f"set session authorization {gate.info.user}",
            "select * from api.balance",
            "select credits.me()",
            "select credits.trust_claims('pgcredits_analyst')",
            "insert into credits.trusted_logins (login, roles) values ('pgcredits_analyst', '{anon}')",
        ):
            analyst.execute("set default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(command)


def test_person_with_a_login_cannot_be_trusted_as_a_program(
    user: User, login: Callable[..., Connection], admin: Connection
) -> None:
    ada, person = user(100), login("authenticated")
    admin.execute(
        "insert into credits.sql_logins (login, account_id)"
        " select %s, account_id from credits.identities where subject = %s",
        (person.info.user, ada.user_id),
    )
    bank = Caller(admin, "none")
    try:
        with refused("bad_login"):
            bank.rows("select credits.trust_claims(%s)", (person.info.user,))
    finally:
        admin.execute("delete from credits.sql_logins where login = %s", (person.info.user,))
    for name in ("pgcredits_api", "pgcredits_analyst", "credits_owner", "nobody at all", "postgres"):
        with refused("bad_login"):
            bank.rows("select credits.trust_claims(%s)", (name,))


@pytest.mark.parametrize(
    "roles", [["anon"], ["service_role"], ["spender"], ["support"], ["nothing"], ["postgres"], [None], []]
)
def test_claims_are_for_users_alone(
    roles: list[str], login: Callable[..., Connection], admin: Connection
) -> None:
    gate = login("anon", "authenticated")
    with refused("bad_login"):
        Caller(admin, "none").rows("select credits.trust_claims(%s, %s::text[])", (gate.info.user, roles))
    stranger = login("anon")
    with refused("bad_login"):  # it cannot become that role
        Caller(admin, "none").rows("select credits.trust_claims(%s)", (stranger.info.user,))


def test_operator_trusts_by_command(user: User, login: Callable[..., Connection], admin_url: str) -> None:
    ada, gate = user(100), login("authenticated")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["trust", *arguments], env={"PGCREDITS_DATABASE_URL": admin_url})
        return result.exit_code, result.output

    name = gate.info.user
    assert run(name) == (0, f"claims of {name} count when it is authenticated\n")
    assert f"{name}  authenticated  since " in run()[1]
    assert as_user(gate, ada).balance() == 100
    assert run(name, "--remove") == (0, f"claims of {name} do not count any more\n")
    assert as_user(gate, ada).rows("select * from api.balance") == []
    code, text = run(name, "--role", "service_role")
    assert (code, text.startswith("Error: claims are for users")) == (1, True)
