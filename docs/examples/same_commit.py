"""A charge in the transaction of the application's own rows: both happen, or neither.

eval "$(.venv/bin/pgcredits env --admin)"     # beside a running `make up`
.venv/bin/python docs/examples/same_commit.py "$ADMIN_DATABASE_URL"
"""

from __future__ import annotations

import json
import sys
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[tuple[Any, ...]]


def install(db: Connection) -> None:
    """The application's login and its schema; as the administrator.

    A member of spender charges any user and grants tokens to nobody. The login takes at most 20 connections,
    and none of its transactions can wait or idle for long.
    """
    if not db.execute("select 1 from pg_roles where rolname = 'backend'").fetchone():
        db.execute("create role backend login connection limit 20 in role spender")
    db.execute("alter role backend set statement_timeout = '30s'")
    db.execute("alter role backend set lock_timeout = '10s'")
    db.execute("alter role backend set idle_in_transaction_session_timeout = '30s'")
    db.execute("create schema if not exists app authorization backend")
    db.execute("set session authorization backend")  # as if the application had logged in
    db.execute(
        """
        create table if not exists app.jobs (
            job_id bigint generated always as identity primary key,
            user_id text not null,
            prompt text not null,
            request_id text unique,
            hold_id text,
            done boolean not null default false
        )
        """
    )


def one(db: Connection, query: LiteralString, *parameters: object) -> Any:
    """The one value that a statement answers."""
    row = db.execute(query, parameters).fetchone()
    assert row, query
    return row[0]


def submit(db: Connection, user_id: str, prompt: str, calls: int = 1, request_id: str | None = None) -> None:
    """The job and its charge, which the caller commits together. Raises psycopg.Error, PT402 when short.

    request_id: the same request counts once, however often it is submitted.
    """
    job: LiteralString = """
        insert into app.jobs (user_id, prompt, done, request_id)
        values (%s, %s, true, %s)
        on conflict (request_id) do nothing
    """
    db.execute(job, (user_id, prompt, request_id))
    charge: LiteralString = (
        "select api.consume_tokens('stablediffusion', %s, user_id => %s, idempotency_key => %s)"
    )
    db.execute(charge, (Jsonb({"calls": calls}), user_id, request_id))


def enqueue(db: Connection, user_id: str, prompt: str) -> int:
    """A job for a worker, and the tokens that it will cost, held."""
    hold_id = one(db, "select hold_id from api.hold_tokens('stablediffusion', user_id => %s)", user_id)
    job: LiteralString = (
        "insert into app.jobs (user_id, prompt, hold_id) values (%s, %s, %s) returning job_id"
    )
    return int(one(db, job, user_id, prompt, hold_id))


def finish(db: Connection, job_id: int) -> None:
    """The job is done, and charged."""
    done: LiteralString = "update app.jobs set done = true where job_id = %s and not done returning hold_id"
    db.execute("select api.capture_hold(%s)", (one(db, done, job_id),))


def expect(db: Connection, what: str, user_id: str, jobs: int, balance: int, held: int) -> None:
    """Print how it stands, and insist on it."""
    found = one(db, "select count(*) from app.jobs where user_id = %s", user_id)
    bank = db.execute("select balance, held from api.balance where user_id = %s", (user_id,)).fetchone()
    assert (found, bank) == (jobs, (balance, held)), (what, found, bank)
    print(f"{what}: jobs {jobs}, balance {balance}, held {held}")


def main(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        # A user with 120 tokens, whom the administrator gives them. A call of stablediffusion costs 50.
        ada = f"ada-{uuid4()}"
        db.execute("select api.add_tokens(%s, 120, reason => 'grant')", (ada,))
        install(db)
        expect(db, "at first", ada, jobs=0, balance=120, held=0)

        request_id = str(uuid4())
        with db.transaction():
            submit(db, ada, "a lighthouse at dusk", request_id=request_id)
        expect(db, "charged in the same COMMIT", ada, jobs=1, balance=70, held=0)

        # If the connection breaks during the commit, the application does not know whether it counted.
        with db.transaction():
            submit(db, ada, "a lighthouse at dusk", request_id=request_id)
        expect(db, "the same request again", ada, jobs=1, balance=70, held=0)

        try:
            with db.transaction():
                submit(db, ada, "a storm")
                raise ConnectionError("after the charge")
        except ConnectionError:
            expect(db, "the application failed", ada, jobs=1, balance=70, held=0)

        try:
            with db.transaction():
                submit(db, ada, "two storms", calls=2)
        except psycopg.Error as error:
            # What was refused is a slug in the error's DETAIL.
            slug = json.loads(error.diag.message_detail or "{}").get("error")
            assert (error.sqlstate, slug) == ("PT402", "insufficient_tokens")
            expect(db, f"the bank refused, {slug}", ada, jobs=1, balance=70, held=0)

        # Work that takes a while: held with the row that enqueues it, captured with the one that ends it.
        with db.transaction():
            job_id = enqueue(db, ada, "a calm")
        expect(db, "enqueued with its hold", ada, jobs=2, balance=70, held=50)

        try:
            with db.transaction():
                finish(db, job_id)
                raise ConnectionError("before the commit")
        except ConnectionError:
            expect(db, "the worker died", ada, jobs=2, balance=70, held=50)

        with db.transaction():
            finish(db, job_id)
        expect(db, "done and captured", ada, jobs=2, balance=20, held=0)

        # Somebody who takes over the application can charge its users, but cannot give anybody tokens.
        try:
            db.execute("select api.add_tokens(%s, 1000000, reason => 'grant')", (ada,))
        except psycopg.errors.InsufficientPrivilege:
            expect(db, "a grant was refused, insufficient_privilege", ada, jobs=2, balance=20, held=0)
        else:
            raise AssertionError("the application granted tokens")


if __name__ == "__main__":
    main(sys.argv[1])
