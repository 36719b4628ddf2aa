"""Runs over HTTP, in which calls also come at the same time, so that spends share transactions.

The books of such a run are committed, so each run
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count, islice
from typing import Any, TypeVar

import httpx
import psycopg
import pytest
from callers import Connection, Row
from http_calls import SECRET
from hypothesis import strategies as st
from hypothesis.stateful import rule
from psycopg.conninfo import make_conninfo
from reliability.exact_json import exact_json
from reliability.model.machine import BankMachine
from reliability.model.model import Account, Refused
from reliability.model.run import Asked, is_owing
from reliability.model.session import VIEWS, BankSession, RefusedOverHttp
from reliability.model.setting_up import prepare
from reliability.model.world import (
    by_user,
    captured,
    indexes,
    keyed,
    lifetimes,
    metadata_sizes,
    modules,
    reasons,
    scopes,
    tags,
    tokens,
    ttls,
    usages,
    users,
)
from support import PASSWORD, harden

from pgcredits.database_urls import as_login
from pgcredits.http import app as app_module
from pgcredits.http.database.connection import Row as Answered
from pgcredits.http.database.pools import Database, Statement
from pgcredits.settings import Settings
from pgcredits.tokens import Caller, mint

BATCH = "consume_tokens_batch"
MOST_ORDERS = 2000  # of the calls of one account, that are looked at
READ = "balance"  # not a function: a view, of which a call reads one row
Told = Row | RefusedOverHttp
Result = TypeVar("Result")
_numbers = count(1)

# The calls that come together, and with what.
_CALLS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "spend": {
        "who": users,
        "module": modules,
        "quantity": usages,
        "byok": st.sampled_from([False] * 9 + [True]),
        "user": by_user,
        "metadata_size": metadata_sizes,
        "tags": tags,
        "keyed": keyed,
    },
    "hold": {
        "who": users,
        "module": modules,
        "quantity": usages,
        "ttl": ttls,
        "user": by_user,
        "metadata_size": metadata_sizes,
        "tags": tags,
        "keyed": keyed,
    },
    "capture": {
        "which": indexes,
        "quantity": captured,
        "whole": st.booleans(),
        "final": st.booleans(),
        "over": st.sampled_from(["debt", "available", "error"]),
        "user": by_user,
        "keyed": keyed,
    },
    "release": {"which": indexes, "user": by_user, "keyed": keyed},
    "extend": {"which": indexes, "ttl": ttls, "user": by_user},
    "grant": {
        "who": users,
        "reason": reasons,
        "tokens": tokens,
        "lifetime": lifetimes,
        "scope": scopes,
        "priority": st.none(),
        "keyed": keyed,
    },
    "refund": {"who": users, "which": indexes, "part": st.none() | tokens, "keyed": keyed},
    "repeat_call": {"which": indexes},
    "look": {"who": users, "user": by_user},
}


def _step(name: str) -> st.SearchStrategy[tuple[str, Row]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(_CALLS[name]))


# Most are spends of a service. The first of these goes alone, and those that come meanwhile share.
_company = st.builds(
    lambda spends, others: [*spends, *others],
    st.lists(_step("spend"), min_size=4, max_size=8),
    st.lists(st.one_of(*map(_step, _CALLS)), max_size=4),
)


def _in_company(name: str) -> Any:
    """A rule: one of these calls comes together with others."""

    def step(self: HttpMachine, one: tuple[str, Row], others: list[tuple[str, Row]]) -> None:
        self.come_together([one, *others])

    step.__name__ = f"{name}_in_company"
    return rule(one=_step(name), others=_company)(step)


@dataclass(frozen=True)
class Shared:
    """A spend in a shared transaction. `busy`: its account was locked, and nothing was done there."""

    user_id: str
    busy: bool


class Noting(Database):
    """Notes which spends shared a transaction."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.batches: list[list[Shared]] = []

    async def call(
        self,
        caller: Caller,
        statement: Statement,
        *,
        read_only: bool,
        method: str = "POST",
        path: str = "",
        ours: bool = False,
    ) -> Answered | None:
        row = await super().call(caller, statement, read_only=read_only, method=method, path=path, ours=ours)
        if BATCH in statement.sql and path.endswith("/consume_tokens"):
            assert row is not None
            items, verdicts = json.loads(str(statement.values[0])), json.loads(row[0])
            self.batches.append(
                [
                    Shared(item["user_id"], verdict.get("error") == "busy")
                    for item, verdict in zip(items, verdicts, strict=True)
                ]
            )
        return row


class HttpSession(BankSession):
    """Calls the bank over HTTP. Only the superuser still uses SQL, to read tables and to move clocks."""

    def __init__(self, connection: Connection, url: str) -> None:
        super().__init__(connection)
        self.settings = Settings(
            api_database_url=as_login(url, "pgcredits_api", PASSWORD),
            service_database_url=as_login(url, "pgcredits_service", PASSWORD),
            jwt_secret=SECRET,
            pool_size=3,
        )
        self.caller: str | None = None
        self.posted = count()
        self.tokens: dict[str | None, str] = {}
        self.loop = asyncio.Runner()
        self._run(self._open())

    async def _open(self) -> None:
        self.opened, self.closing = asyncio.Event(), asyncio.Event()
        self.serving = asyncio.create_task(self._serve())
        opened = asyncio.create_task(self.opened.wait())
        await asyncio.wait((self.serving, opened), return_when=asyncio.FIRST_COMPLETED)
        if self.serving.done():
            self.serving.result()

    async def _serve(self) -> None:
        """One task opens the API and closes it: it insists on that."""
        databases: list[Noting] = []

        def noting(given: Settings) -> Noting:
            databases.append(Noting(given))
            return databases[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app_module, "Database", noting)
            app = app_module.create_app(self.settings)
        (self.database,) = databases
        transport = httpx.ASGITransport(app=app)
        async with (
            app.lifespan(),
            httpx.AsyncClient(transport=transport, base_url="http://test") as self.http,
        ):
            self.opened.set()
            await self.closing.wait()

    def close(self) -> None:
        async def end() -> None:
            self.closing.set()
            await self.serving

        self._run(end())
        self.loop.close()

    def act_as(self, user_id: str | None) -> None:
        self.caller = user_id

    def act_as_superuser(self) -> None:
        """SQL is always the superuser's."""

    def call(self, function: str, arguments: Row) -> Row:
        told = self._run(self._tell(self.caller, function, arguments))
        if isinstance(told, RefusedOverHttp):
            raise told
        return self._typed(function, told)

    def together(self, calls: list[Asked]) -> list[Told]:
        """Make calls at the same time. The answer or the refusal of each."""

        async def all_of_them() -> list[Told]:
            return await asyncio.gather(
                *(
                    self._tell(one.account.user_id if one.user else None, one.function, one.sent)
                    for one in calls
                )
            )

        return [
            told if isinstance(told, RefusedOverHttp) else self._typed(one.function, told)
            for one, told in zip(calls, self._run(all_of_them()), strict=True)
        ]

    def read(self) -> dict[str, list[Row]]:
        async def all_of_them() -> list[httpx.Response]:
            headers = self._headers(None)
            return await asyncio.gather(
                *(
                    self.http.get(
                        f"/rest/v1/{view}", params={"select": columns.replace(" ", "")}, headers=headers
                    )
                    for view, columns in VIEWS.values()
                )
            )

        answers = self._run(all_of_them())
        return {
            name: self.rows(
                f"select {columns} from jsonb_populate_recordset(null::api.{view}, %s::jsonb)",
                answer.raise_for_status().text,
            )
            for (name, (view, columns)), answer in zip(VIEWS.items(), answers, strict=True)
        }

    async def _tell(self, caller: str | None, function: str, arguments: Row) -> Told:
        headers = self._headers(caller)
        if function == READ:
            query = {"user_id": f"eq.{arguments['user_id']}", "select": ",".join(arguments["columns"])}
            answer = await self.http.get("/rest/v1/balance", params=query, headers=headers)
            (row,) = answer.raise_for_status().json(parse_float=Decimal)
            return dict(row)
        body = dict(arguments)
        if next(self.posted) % 2 and "idempotency_key" in body:  # the other half has it among the arguments
            headers["Idempotency-Key"] = body.pop("idempotency_key")
        answer = await self.http.post(f"/rest/v1/rpc/{function}", content=exact_json(body), headers=headers)
        told = answer.json(parse_float=Decimal)
        if answer.is_success:
            return dict(told)
        assert told["code"] == f"PT{answer.status_code}", (function, body, answer.text)
        return RefusedOverHttp(told["code"], told["details"])

    def _headers(self, caller: str | None) -> dict[str, str]:
        if caller not in self.tokens:
            role = "authenticated" if caller else "service_role"
            self.tokens[caller] = mint(SECRET, role, caller, 3600)
        return {"Authorization": f"Bearer {self.tokens[caller]}", "Content-Type": "application/json"}

    def _typed(self, function: str, told: Row) -> Row:
        """An answer with the types that SQL would give it."""
        if function == READ:
            return told
        (row,) = self.rows(
            "select p.prorettype::regtype::text as name from pg_proc as p"
            " where p.pronamespace = 'api'::regnamespace and p.proname = %s"
            " order by p.pronargs desc limit 1",  # two functions have the signatures of IAHome as well
            function,
        )
        (typed,) = self.rows(
            f"select * from jsonb_populate_record(null::{row['name']}, %s::jsonb)", exact_json(told)
        )
        assert typed.keys() == told.keys(), (function, told)
        return typed

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run(asyncio.wait_for(work, 60))


class HttpMachine(BankMachine):
    """All steps over HTTP, and steps in which several calls come at once."""

    bank: HttpSession
    server_url: str  # the superuser's, of the server
    template: str  # the database that each run has a copy of

    def __init__(self) -> None:
        self.gathered: list[Asked] | None = None
        super().__init__()

    def _begin(self) -> HttpSession:
        self.name = f"{self.template}_{next(_numbers)}"
        with psycopg.connect(self.server_url, autocommit=True) as admin:
            admin.execute(f"create database {self.name} template {self.template}".encode())
        url = make_conninfo(self.server_url, dbname=self.name)
        self.connection = psycopg.connect(url, autocommit=True, options="-c statement_timeout=60s")
        harden(self.connection)
        prepare(self.connection)
        return HttpSession(self.connection, url)

    def _end(self) -> None:
        for batch in self.bank.database.batches:
            self.counts["shared transactions"] += 1
            self.counts["spends that shared one"] += len(batch)
        self.bank.close()
        self.connection.close()
        with psycopg.connect(self.server_url, autocommit=True) as admin:
            admin.execute(f"drop database {self.name} with (force)".encode())

    spend_in_company = _in_company("spend")
    hold_in_company = _in_company("hold")
    capture_in_company = _in_company("capture")
    release_in_company = _in_company("release")
    grant_in_company = _in_company("grant")
    refund_in_company = _in_company("refund")
    repeat_in_company = _in_company("repeat_call")
    look_in_company = _in_company("look")

    def come_together(self, steps: list[tuple[str, Row]]) -> None:
        """Make calls at once. One after another, in some order, the model must answer as the bank did."""
        asked = self._gather(steps)
        batches = len(self.bank.database.batches)
        told = self.bank.together(asked)
        self.counts["calls that came together"] += len(asked)
        for one, answer in zip(asked, told, strict=True):
            self._note_hold(one, answer)
        ends = {row["hold_id"]: row["expires_at"] for row in self.bank.read()["holds"]}
        for account in self.accounts.values():
            answered = [
                (one, answer) for one, answer in zip(asked, told, strict=True) if one.account is account
            ]
            orders = islice(self._orders(account, answered), MOST_ORDERS)
            order = next((order for order in orders if self._ends_so(account, order, ends)), None)
            assert order is not None, f"no order of these calls gives these answers: {answered}"
            for one in order:
                self.counts[one.function] += 1
                if one.function != READ and isinstance(refusal := one.expected(account), Refused):
                    self.counts[refusal.slug] += 1
        # A batch books what is due even if it refuses all spends of an account.
        spends = [spend for batch in self.bank.database.batches[batches:] for spend in batch]
        for who in {spend.user_id for spend in spends if not spend.busy}:
            self.accounts[who].book_due()
        self._compare_books()

    def look(self, who: str, user: bool) -> None:
        """Read a balance."""
        columns = ("balance", "held", "available", "debt", "status")
        self._ask(
            Asked(
                self.accounts[who],
                READ,
                {"user_id": who, "columns": columns},
                lambda a: {name: getattr(a, name) for name in columns},
                user=user,
            )
        )

    def _ask(self, asked: Asked) -> None:
        if self.gathered is None:
            super()._ask(asked)
        else:
            self.gathered.append(asked)

    def _gather(self, steps: list[tuple[str, Row]]) -> list[Asked]:
        """The calls that these steps would make."""
        self.gathered = gathered = []
        try:
            for name, arguments in steps:
                needs_hold, needs_key = name in ("capture", "release", "extend"), name == "repeat_call"
                if (self.holds or not needs_hold) and (self.keyed_calls or not needs_key):
                    getattr(self, name)(**arguments)
        finally:
            self.gathered = None
        return gathered

    def _orders(self, account: Account, answered: list[tuple[Asked, Told]]) -> Iterator[list[Asked]]:
        """The orders of these calls in which the model gives these answers."""
        if not answered:
            yield []
        for place, (one, told) in enumerate(answered):
            after = account.copy()
            if self._agrees(after, one, told):
                for rest in self._orders(after, answered[:place] + answered[place + 1 :]):
                    yield [one, *rest]

    def _ends_so(self, account: Account, order: list[Asked], ends: Row) -> bool:
        """Do the holds then end when the bank says? Answers to extensions do not tell which one came last."""
        after = account.copy()
        for one in order:
            if one.function != READ:
                one.expected(after)
        return all(
            after.holds[number].expires_at == ends[name]
            for number, (owner, name) in self.holds.items()
            if owner is account
        )

    def _agrees(self, account: Account, one: Asked, told: Told) -> bool:
        if one.function == READ:
            as_read = account.as_read()
            return is_owing(account, as_read) or told == one.change(as_read)
        try:
            self._compare(account, told, one.expected(account))
        except AssertionError:
            return False
        return True
