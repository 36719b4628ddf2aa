"""Users of Supabase's Auth spend at the bank, in sessions as those of Supabase's PostgREST."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from supabase_project import address, assert_sound, calling, example_of_the_page, signed_up
from support import PASSWORD

from pgcredits.database_urls import as_login, parts_of

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

IMAGE = "nano-banana-pro"  # costs 2; a new account gets 50


def ask(url: str, user: str | None, query: str, *values: Any, role: str = "authenticated") -> list[Any]:
    with calling(url, role, user) as connection:
        return connection.execute(query, values).fetchall()


def refusal(error: psycopg.Error) -> str:
    return f"{error.sqlstate} {json.loads(error.diag.message_detail or '{}').get('error')}"


def test_a_user_of_auth_is_a_user_of_the_bank(project: str) -> None:
    user, other = signed_up(project), signed_up(project)
    opened = ask(project, user, "select user_id, opened, welcome from api.open_account()")
    assert opened == [(user, True, 50)]
    spend = "select user_id, cost, balance, replayed from api.consume_tokens(%s, idempotency_key => %s)"
    assert ask(project, user, spend, IMAGE, "one") == [(user, 2, 48, False)]
    assert ask(project, user, spend, IMAGE, "one") == [(user, 2, 48, True)]
    assert ask(project, user, "select user_id, balance from api.balance") == [(user, 48)]
    assert ask(project, other, "select user_id, balance from api.balance") == [(other, 0)]
    # The first spend opens an account as well.
    assert ask(project, other, spend, IMAGE, None) == [(other, 2, 48, False)]
    assert ask(project, other, "select count(*) from api.entries") == [(2,)]
    assert_sound(project)


def test_a_user_cannot_spend_more_than_the_balance(project: str) -> None:
    user = signed_up(project)
    with pytest.raises(psycopg.DatabaseError) as refused:
        ask(project, user, "select api.consume_tokens(%s, %s)", IMAGE, '{"calls": 26}')
    assert refusal(refused.value) == "PT402 insufficient_tokens"
    for reaching in (
        "select api.add_tokens(%s, 5)",
        "select api.freeze_account(%s, 'why')",
        "select credits.me(), %s",
        "update credits.wallets set balance = 5 where %s is not null",
        "select * from credits.wallets where %s is null",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(project, user, reaching, user)
    with pytest.raises(psycopg.DatabaseError) as refused:
        ask(project, user, "select api.consume_tokens(%s, user_id => %s)", IMAGE, signed_up(project))
    assert refusal(refused.value) == "PT403 not_yours"
    assert_sound(project)


def test_nobody_in_particular_sees_the_packs_and_nothing_else(project: str) -> None:
    assert len(ask(project, None, "select * from api.packs", role="anon")) == 4
    for query in ("select * from api.balance", f"select api.consume_tokens('{IMAGE}')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(project, None, query, role="anon")
    with pytest.raises(psycopg.DatabaseError) as refused:
        ask(project, None, f"select api.consume_tokens('{IMAGE}')")
    assert refusal(refused.value) == "PT401 not_signed_in"


def test_the_service_key_holds_captures_and_releases(project: str) -> None:
    user = signed_up(project)

    def service(query: str, *values: Any) -> Any:
        return ask(project, None, query, *values, role="service_role")[0]

    hold = "select hold_id, available from api.hold_tokens(%s, user_id => %s, idempotency_key => %s)"
    with pytest.raises(psycopg.DatabaseError) as refused:
        service(hold, IMAGE, user, "early")
    assert refusal(refused.value) == "PT404 unknown_user"
    service("select opened from api.open_account(%s, email_verified => true)", user)
    # A job that fails is free.
    failed, available = service(hold, IMAGE, user, "job 1")
    assert available == 48
    assert service("select released from api.release_hold(%s, user_id => %s)", failed, user) == (2,)
    # A repeat finds the hold, and is charged once.
    done = {service(hold, IMAGE, user, "job 2")[0] for _ in range(2)}
    assert len(done) == 1
    assert service("select balance from api.capture_hold(%s, user_id => %s)", done.pop(), user) == (48,)
    # The worker of this job is killed. Its hold expires.
    with psycopg.connect(project, autocommit=True) as connection:
        connection.execute("set role credits_owner")
        connection.execute("select credits.allow_test_clocks(true)")
    service("select api.set_test_clock(%s)", user)
    assert service(hold, IMAGE, user, "job 3")[1] == 46
    service("select api.set_test_clock(%s, advance => '16 minutes')", user)
    assert ask(project, user, "select balance, available from api.balance") == [(48, 48)]
    service("select api.maintain()")
    assert_sound(project)


def test_claims_count_in_sessions_of_postgrest_only(project: str) -> None:
    """A login that may become authenticated can set the claims of anybody."""
    user = signed_up(project)
    for login in ("supabase_storage_admin", "postgres"):
        with psycopg.connect(as_login(project, login, PASSWORD)) as connection:
            connection.execute("set role authenticated")
            claims = json.dumps({"sub": user, "role": "authenticated"})
            connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            with pytest.raises(psycopg.DatabaseError) as refused:
                connection.execute("select api.open_account()")
            assert refusal(refused.value) == "PT401 not_signed_in", login


def test_auths_login_is_not_a_service(project: str) -> None:
    """So a trigger on its table cannot open accounts."""
    with psycopg.connect(project) as postgres:
        postgres.execute(
            "create function public.open_for() returns trigger language plpgsql security definer"
            " as $$ begin perform api.open_account(new.id::text); return new; end $$;"
            " create trigger opens after insert on auth.users for each row execute function public.open_for()"
        )
    with pytest.raises(psycopg.DatabaseError) as refused:
        signed_up(project)
    assert refusal(refused.value) == "PT401 not_signed_in"


def test_the_service_role_passes_by_no_rule(project: str) -> None:
    """It has BYPASSRLS there. Rights on tables are another matter."""
    for query in ("table credits.entries", "delete from credits.entries", "table audit.findings"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(project, None, query, role="service_role")


def test_auth_and_storage_go_on(project: str) -> None:
    user, other = signed_up(project), signed_up(project)
    upload = (
        "insert into storage.objects (bucket_id, name) values ('pictures', 'a.png') returning owner::text"
    )
    assert ask(project, user, upload) == [(user,)]
    assert ask(project, other, "select name from storage.objects") == []
    assert ask(project, user, "select name from storage.objects") == [("a.png",)]
    database = parts_of(project)["dbname"]
    port = int(parts_of(project)["port"])
    with psycopg.connect(address(port, "supabase_storage_admin", database)) as storage:
        assert storage.execute("select count(*) from objects").fetchone() == (1,)
    # The event triggers, and the default privileges for the project's own tables.
    with psycopg.connect(project) as connection:
        connection.execute("create table public.notes (line text)")
        assert connection.execute(
            "select relrowsecurity, has_table_privilege('anon', oid, 'select') from pg_class"
            " where relname = 'notes'"
        ).fetchone() == (True, True)


def test_a_row_and_its_price_are_one_commit(project: str) -> None:
    """The example of the page."""
    with psycopg.connect(project) as connection:
        connection.execute(example_of_the_page().encode())
    user = signed_up(project)
    order = "select owner::text, prompt from public.order_picture(%s, %s)"
    for n in range(3):
        assert ask(project, user, order, "a cat", f"cat {n}") == [(user, "a cat")]
    ask(project, user, "select api.consume_tokens('flux-dev', '{\"calls\": 47}')")
    with pytest.raises(psycopg.DatabaseError) as refused:
        ask(project, user, order, "a cat", "one more")
    assert refusal(refused.value) == "PT402 insufficient_tokens"
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask(project, user, order, "a cat", "cat 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(project, None, order, "a cat", "mine", role="anon")
    assert ask(project, user, "select count(*) from public.pictures") == [(3,)]
    assert ask(project, signed_up(project), "select count(*) from public.pictures") == [(0,)]
    assert_sound(project)
