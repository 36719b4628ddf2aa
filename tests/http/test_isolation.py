"""Not a byte of one user reaches another, nobody, or a bearer of a token that is not accepted.

Two users have something in every table of the bank. One of them, nobody, and bearers of bad tokens ask every
view, function and route for the other's things. Each answer is searched, as it came, for whatever only the
other has. Afterwards every row of the other is as it was.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import isolating
import jwt
import psycopg
import pytest
from callers import Caller, Row
from holding import UserWithin
from http_calls import SECRET, WEBHOOK_SECRET, serving
from isolating import FOR_ALL, Answer, Asked, Client, Search, arguments, differs, of_view, posted, swaps
from issuing import NAME, jwk, signed
from psycopg.types.json import Jsonb
from support import PASSWORD, free_port
from tenants import Tenant, distinct, furnish, leaves, new_names, prepare, rows_of, tables

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.http.database import sharing
from pgcredits.issuer_settings import read_issuers
from pgcredits.settings import Settings
from pgcredits.tokens import mint

# With --prove, tests go to workers one by one. These share a bank.
pytestmark = [pytest.mark.one_version, pytest.mark.slow, pytest.mark.xdist_group("isolation")]

AUDIENCE = "the bank"
OTHER_SECRET = "another secret of the tests, of forty-one"
# Tables whose rows somebody else may change: who tries to sign in as a user is counted.
COUNTED = {"sign_in_counts"}
_VIEWS = """
    select c.relname as name, json_object_agg(a.attname, format_type(a.atttypid, null)) as columns,
        has_table_privilege('authenticated', c.oid, 'select') as of_users,
        has_table_privilege('anon', c.oid, 'select') as of_all
    from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'api'::regnamespace and c.relkind in ('v', 'r', 'm', 'p', 'f') group by c.oid
"""
_FUNCTIONS = """
    select p.proname as name, p.provolatile <> 'v' as stable, p.proretset or t.typtype = 'c' as rows,
        has_function_privilege('authenticated', p.oid, 'execute') as of_users,
        (
            select coalesce(json_object_agg(a.name, format_type(a.type, null)), '{}')
            from unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type) where a.type is not null
        ) as arguments
    from pg_proc as p join pg_type as t on t.oid = p.prorettype where p.pronamespace = 'api'::regnamespace
"""


def bearer(role: str, subject: str | None, seconds: int = 3600, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(secret, role, subject, seconds, AUDIENCE)}"}


@dataclass
class World:
    """A bank with two users, and the API before it."""

    url: str
    settings: Settings
    bank: Caller
    ada: Tenant  # who asks
    bob: Tenant  # whose things are asked for
    search: Search  # for what only Bob has
    client: Client
    routes: set[tuple[str, str]]

    @property
    def as_ada(self) -> dict[str, str]:
        return bearer("authenticated", self.ada.user_id)

    @property
    def as_bob(self) -> dict[str, str]:
        return bearer("authenticated", self.bob.user_id)

    def views(self) -> list[Row]:
        return self.bank.rows(_VIEWS)

    def functions(self, of_users: bool = False) -> list[isolating.Callable]:
        return [
            isolating.Callable(row["name"], row["arguments"], row["stable"], row["rows"])
            for row in self.bank.rows(_FUNCTIONS)
            if row["of_users"] or not of_users
        ]

    def leaks(self, asked: Asked, who: Mapping[str, str]) -> list[str]:
        """What is wrong with the answer to one request."""
        answer = self.client.ask(asked, who)
        wrong = [f"{one.decode()} in the answer to {asked}" for one in self.search.found(asked, answer.raw)]
        if asked.rows is not None and answer.status < 400 and answer.total != asked.rows:
            wrong.append(f"{answer.total} rows and not {asked.rows} in the answer to {asked}")
        if answer.status >= 500 and answer.status != 503:
            wrong.append(f"{answer.status} to {asked}")
        return wrong

    def read_as(self, who: Mapping[str, str], view: str) -> list[Row]:
        answer = self.client.ask(Asked("GET", f"/rest/v1/{view}"), who)
        assert answer.status == 200, answer
        rows: list[Row] = json.loads(answer.body, parse_float=str)
        return rows


@pytest.fixture(scope="module")
def world(own_url: str) -> Iterator[World]:
    with built(own_url) as found:
        yield found


@contextmanager
def built(own_url: str) -> Iterator[World]:
    settings = Settings(
        api_database_url=as_login(own_url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(own_url, "pgcredits_service", PASSWORD),
        jwt_secret=SECRET,
        jwt_audience=AUDIENCE,
        issuers=read_issuers(
            json.dumps(
                [{"issuer": NAME, "audience": AUDIENCE, "subject_prefix": "i:", "keys": [jwk("rsa1")]}]
            )
        ),
        stripe_secret_key="sk_test_of_the_tenants",
        stripe_webhook_secrets=(WEBHOOK_SECRET,),
        stripe_api_base=f"http://127.0.0.1:{free_port()}",  # nobody is there, and nobody is asked
        pool_size=2,
        max_rows=1000,
    )
    with psycopg.connect(own_url, autocommit=True) as admin:
        bank = Caller(admin, "none")
        prepare(bank)
        ada, bob = furnish(bank, "adamantine", ".137911"), furnish(bank, "bellwether", ".482957")
        app = create_app(settings)
        routes = {(m, r.path) for r in app.routes for m in getattr(r, "methods", ("any",)) if m != "OPTIONS"}
        with serving(app) as url:
            client = Client(url)
            found = World(url, settings, bank, ada, bob, Search([]), client, routes)
            found.search = Search(told_apart(found))
            yield found
            client.close()


def told_apart(world: World) -> list[bytes]:
    """What only Bob has: in the tables, and in what he reads himself."""
    ours = [text for texts in rows_of(world.bank, world.bob).values() for text in texts]
    every = (
        row["r"]
        for name in tables(world.bank)
        for row in world.bank.rows(f"select to_jsonb(t)::text as r from credits.{name} as t")
    )
    others = list(set(every) - set(ours))
    values = [leaf for text in ours for leaf in leaves(json.loads(text, parse_float=str, parse_int=str))]
    for view in world.views():
        if view["of_users"]:
            values += leaves(world.read_as(world.as_bob, view["name"]))
            others += leaves(world.read_as(world.as_ada, view["name"]))
    return distinct([*values, world.bob.refresh_token, *leaves(world.bob.facts)], others)


@pytest.fixture(scope="module", autouse=True)
def untouched(world: World) -> Iterator[None]:
    """Whatever these tests ask for, every row of Bob is afterwards as it was."""
    before = rows_of(world.bank, world.bob)
    yield
    after = rows_of(world.bank, world.bob)
    assert changed(before, after) == []


def changed(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> list[str]:
    return [
        f"{name}: {row}"
        for name in before
        if name not in COUNTED
        for row in set(before[name]) ^ set(after[name])
    ]


# There is something to find


def test_the_other_user_has_a_row_in_every_table_of_accounts(world: World) -> None:
    rows = rows_of(world.bank, world.bob)
    assert [name for name, of_accounts in tables(world.bank).items() if of_accounts and not rows[name]] == []
    assert len(world.search.theirs) > 200


def test_the_other_user_reads_their_own_rows_in_every_view(world: World) -> None:
    """So a view that shows Ada nothing of Bob's would have something to show."""
    for view in world.views():
        if view["of_users"] and not view["of_all"]:
            asked = Asked("GET", f"/rest/v1/{view['name']}")
            assert world.search.found(None, world.client.ask(asked, world.as_bob).raw), view["name"]


def test_the_calls_would_work_for_the_other_user(world: World) -> None:
    """So Ada is refused because she is not Bob, and not for a fault in the call."""
    for function in world.functions(of_users=True):
        given = isolating.by_a_user(arguments(function, world.bob.facts))
        for name in ("idempotency_key", "referral_code"):  # used before; and nobody brings themselves
            given.pop(name, None)
        typed = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in given.items()}
        with world.bank.connection.transaction(force_rollback=True):
            UserWithin(world.bank.connection, world.bob.user_id).call(function.name, **typed)


def test_every_route_is_asked(world: World) -> None:
    dialect = {("any", "/rest/v1")}  # all functions and views
    assert world.routes - dialect == set(isolating.own_routes(world.ada, world.bob))


# Another user asks


def asked_of_views(world: World) -> Iterator[Asked]:
    for view in world.views():
        of_users = view["of_users"] and not view["of_all"]
        rows = world.read_as(world.as_bob, view["name"]) if of_users else []
        yield from of_view(view["name"], view["columns"], rows[0] if rows else {}, world.ada.user_id)


def test_no_view_shows_another_users_rows(world: World) -> None:
    wrong = [text for asked in asked_of_views(world) for text in world.leaks(asked, world.as_ada)]
    assert wrong == []


def test_views_count_the_rows_of_their_reader_alone(world: World) -> None:
    for view in world.views():
        if view["of_users"] and "user_id" in view["columns"]:
            name = view["name"]
            query = f"select count(*) as rows from api.{name} where user_id = %s"
            own = world.bank.row(query, (world.ada.user_id,))["rows"]
            asked = Asked("HEAD", f"/rest/v1/{name}", {"Prefer": "count=exact"}, rows=own)
            assert world.leaks(asked, world.as_ada) == []


def test_no_function_tells_of_another_user_or_acts_for_them(world: World) -> None:
    wrong = []
    for function in world.functions():
        for given, theirs in swaps(function, world.ada.facts, world.bob.facts):
            wrong += world.leaks(posted(function, given), world.as_ada)
            # A key is the caller's own, even if others use the same; a referral code is to be passed on.
            if not theirs <= {"idempotency_key", "referral_code"}:
                wrong += told_of(world, function, given, theirs)
        for asked in isolating.shaped(function, world.bob.facts):
            wrong += world.leaks(asked, world.as_ada)
    assert wrong == []


def told_of(world: World, function: isolating.Callable, given: Row, theirs: set[str]) -> list[str]:
    """Is the answer about Bob's things another than the answer about things that nobody has?"""
    unknown = arguments(function, new_names(world.ada))
    instead = given | {name: unknown[name] for name in theirs}
    said, others = {name: given[name] for name in theirs}, {name: unknown[name] for name in theirs}

    def ask(call: Row) -> Answer:
        return world.client.ask(posted(function, call), world.as_ada)

    if not differs(ask(given), ask(instead), said, others, repeats=function.repeats):
        return []
    about_him, about_nobody = ask(given), ask(instead)  # or only the order of the two was seen
    if not differs(about_him, about_nobody, said, others, repeats=function.repeats):
        return []
    return [f"{function} with his {theirs}: {about_him.body!r} and not {about_nobody.body!r}"]


def test_no_route_tells_of_another_user_or_acts_for_them(world: World) -> None:
    wrong = []
    for requests in isolating.own_routes(world.ada, world.bob).values():
        for asked in requests:
            wrong += world.leaks(asked, world.as_ada)
    assert wrong == []


def test_nothing_outside_the_schema_api_can_be_asked(world: World, request: pytest.FixtureRequest) -> None:
    """Tables and private functions, by their names, by those of their schemas, and by profiles."""
    known = {view["name"] for view in world.views()} | {one.name for one in world.functions()}
    behind = world.bank.rows(
        "select n.nspname as schema, c.relname as name, '' as call from pg_class as c"
        " join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname in ('credits', 'audit', 'analytics', 'finance') and c.relkind in ('r', 'p', 'v')"
        " union all select n.nspname, p.proname, 'rpc/' from pg_proc as p"
        " join pg_namespace as n on n.oid = p.pronamespace where n.nspname in ('credits', 'audit')"
        " union all values ('pg_catalog', 'pg_stat_activity', ''), ('pg_catalog', 'set_config', 'rpc/')"
    )
    assert len(behind) > 200
    every = 1 if request.config.getoption("--prove") else 4
    for row in behind[::every]:
        body = "{}" if row["call"] else None
        method, profile = ("POST", "Content-Profile") if row["call"] else ("GET", "Accept-Profile")
        asked = [Asked(method, f"/rest/v1/{row['call']}{row['schema']}.{row['name']}", body=body)]
        asked.append(replace(asked[0], path=f"/rest/v1/{row['call']}{row['name']}"))
        asked.append(replace(asked[1], headers={profile: row["schema"]}))
        for one in asked[:: 2 if row["name"] in known else 1]:
            answer = world.client.ask(one, world.as_ada)
            assert answer.status in (404, 406), (str(one), answer)
            assert world.search.found(one, answer.raw) == []


# Nobody, and bearers of bad tokens, ask


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def bad_tokens(world: World) -> dict[str, str]:
    """Tokens that say to be Bob's, or a service's, and are not accepted."""
    bob = world.bob.user_id
    claims = {"role": "authenticated", "sub": bob, "aud": AUDIENCE, "exp": int(time.time()) + 600}
    service = claims | {"role": "service_role"}
    header, _, signature = mint(SECRET, "authenticated", world.ada.user_id, 600, AUDIENCE).split(".")
    key = world.bank.call("create_api_key", name="revoked", role="service_role")
    world.bank.call("revoke_api_key", key_id=key["key_id"])
    public = str(jwk("rsa1")["n"])  # which everybody can read
    return {
        "expired": mint(SECRET, "authenticated", bob, -60, AUDIENCE),
        "of another secret": mint(OTHER_SECRET, "authenticated", bob, 600, AUDIENCE),
        "for another audience": mint(SECRET, "authenticated", bob, 600, "another bank"),
        "for no audience": mint(SECRET, "authenticated", bob, 600),
        "of another key": signed("rsa2", {"sub": bob, "aud": AUDIENCE}, kid="rsa1"),
        "of another issuer": signed("rsa1", {"sub": bob, "aud": AUDIENCE, "iss": "https://other.example"}),
        "of an issuer that says service": signed("rsa1", {"aud": AUDIENCE, "role": "service_role"}),
        "signed with a public key as the secret": jwt.encode(claims, public, "HS256", {"kid": "rsa1"}),
        "without a signature": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(service)}.",
        "with a changed user": f"{header}.{part(claims)}.{signature}",
        "with a changed role": f"{header}.{part(service)}.{signature}",
        "a revoked API key": key["api_key"],
        "an API key with another secret": key["api_key"][:-43] + "A" * 43,
        "his refresh token": world.bob.refresh_token,
    }


def every_endpoint(world: World) -> Iterator[tuple[Asked, bool]]:
    """A request to each view, function and route, and whether it asks who the caller is."""
    for view in world.views():
        yield Asked("GET", f"/rest/v1/{view['name']}", {"Prefer": "count=exact"}), True
        yield Asked("HEAD", f"/rest/v1/{view['name']}?limit=1"), True
    for function in world.functions():
        yield posted(function, arguments(function, world.bob.facts)), True
    for route, requests in isolating.own_routes(world.ada, world.bob).items():
        for asked in requests:
            yield asked, route not in FOR_ALL
    yield Asked("GET", "/balance/events"), True


def test_a_token_that_is_not_accepted_opens_nothing(world: World) -> None:
    wrong = []
    endpoints = list(every_endpoint(world))
    for kind, token in bad_tokens(world).items():
        who = {"Authorization": f"Bearer {token}"}
        for asked, identifies in endpoints:
            if identifies:
                answer = world.client.ask(asked, who)
                wrong += [f"{kind}: {found.decode()}" for found in world.search.found(asked, answer.raw)]
                if answer.status != 401:
                    wrong.append(f"{kind}: {answer.status} to {asked}")
    assert wrong == []


def test_nobody_sees_what_is_a_users(world: World, request: pytest.FixtureRequest) -> None:
    wrong = []
    every = 1 if request.config.getoption("--prove") else 5
    public = {f"/rest/v1/{view['name']}" for view in world.views() if view["of_all"]}
    for asked, identifies in every_endpoint(world):
        wrong += world.leaks(asked, {})
        if identifies and asked.path.partition("?")[0] not in public | {"/rest/v1/rpc/guest_allowance"}:
            answer = world.client.ask(asked, {})
            if answer.status not in (401, 403):
                wrong.append(f"{answer.status} to {asked}")
    for asked in itertools.islice(asked_of_views(world), None, None, every):
        wrong += world.leaks(replace(asked, rows=None), {})
    assert wrong == []


def test_a_user_of_another_issuer_is_somebody_else_of_the_same_name(world: World) -> None:
    name = f"i:{world.bob.user_id}"
    who = {"Authorization": f"Bearer {signed('rsa1', {'sub': world.bob.user_id, 'aud': AUDIENCE})}"}
    wrong = []
    for asked, _ in every_endpoint(world):
        if asked.path != "/balance/events":
            answer = world.client.ask(asked, who).raw.replace(name.encode(), b"")
            wrong += [(str(asked), found) for found in world.search.found(asked, answer)]
    assert wrong == []
    assert [row["user_id"] for row in world.read_as(who, "balance")] == [name]


# While both are served at once


def test_a_connection_that_another_user_had_has_nothing_of_theirs(world: World) -> None:
    """One connection to the database serves everybody in turns, also after a call that failed."""
    fails = Asked(
        "POST", "/rest/v1/rpc/consume_tokens", body='{"module_id": "whisper", "usage": {"calls": -1}}'
    )
    with serving(create_app(replace(world.settings, pool_size=1))) as url:
        client = Client(url)
        for view in world.views():
            asked = Asked("GET", f"/rest/v1/{view['name']}")
            for before in (asked, fails):
                client.ask(before, world.as_bob)
                for who in (world.as_ada, {}):
                    assert world.search.found(asked, client.ask(asked, who).raw) == []
        client.close()


def test_answers_out_of_a_shared_transaction_have_only_their_own_user(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend spends for many users at once, with one key for all of them, and some are refused."""
    sizes: list[int] = []
    monkeypatch.setattr(sharing.metrics, "batch_sent", sizes.append)
    users = [f"{name} of the shared transactions" for name in ("first", "second", "third", "poor")]
    for user in users:
        world.bank.call("add_tokens", user_id=user, tokens=30 if user.startswith("poor") else 1000)
    told = {user: [row["account_id"] for row in accounts(world, user)] + [user] for user in users}

    async def main() -> list[tuple[str, httpx.Response]]:
        app = create_app(world.settings)
        transport = httpx.ASGITransport(app=app)
        async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            async def spend(user: str, number: int) -> tuple[str, httpx.Response]:
                usage = {"calls": 1 if number % 7 else -1}
                body = {"module_id": "whisper", "usage": usage, "user_id": user, "metadata": {"owner": user}}
                who = bearer("service_role", None) | {"Idempotency-Key": f"the same {number % 5}"}
                return user, await client.post("/rest/v1/rpc/consume_tokens", json=body, headers=who)

            await spend(users[0], 1)  # the API knows the bank's functions now
            return await asyncio.gather(*(spend(users[n % 4], n) for n in range(120)))

    answers = asyncio.run(asyncio.wait_for(main(), 60))
    assert max(sizes) > 4
    statuses = set()
    for user, answer in answers:
        statuses.add(answer.status_code)
        text = f"{answer.headers} {answer.text}"
        for other in users:
            assert other == user or not any(str(one) in text for one in told[other]), (user, text)
        if answer.status_code == 200:
            assert answer.json()["user_id"] == user
            assert answer.json()["balance"] < (30 if user.startswith("poor") else 1000)
    assert statuses >= {200, 402, 422}


def accounts(world: World, user: str) -> list[Row]:
    return world.bank.rows("select account_id from credits.identities where subject = %s", (user,))


def test_answers_stay_the_same_while_another_user_is_busy(world: World) -> None:
    """Not even a count of everybody's rows, or a sum over them, reaches a reader."""
    with another_user(world) as eve:
        assert noticed(world, eve) == []


@contextmanager
def another_user(world: World) -> Iterator[Caller]:
    """Somebody who is not Bob, whose rows stay as they are."""
    world.bank.call("add_tokens", user_id="eve", tokens=1000)
    yield Caller(world.bank.connection, "none", "eve")


def noticed(world: World, eve: Caller) -> list[str]:
    """The views and reading functions whose answer to Ada changes while Eve is busy."""
    count = {"Prefer": "count=exact"}
    quote = {"module_id": "whisper", "usage": {"calls": 2}}
    requests = [Asked("GET", f"/rest/v1/{view['name']}", count) for view in world.views()]
    requests.append(Asked("POST", "/rest/v1/rpc/quote_tokens", body=json.dumps(quote)))
    before = [world.client.ask(asked, world.as_ada).raw for asked in requests]
    about = {"user_id": "eve", "module_id": "whisper"}
    for _ in range(2):
        eve.call("consume_tokens", **about)
        eve.call("capture_hold", hold_id=eve.call("hold_tokens", **about)["hold_id"])
        eve.call("report_failure", **about)
        eve.call("create_order", user_id="eve", pack_id="standard")
        eve.call("set_spend_limit", user_id="eve", period="day", tokens=500)
    after = [world.client.ask(asked, world.as_ada).raw for asked in requests]
    return [asked.path for asked, one, other in zip(requests, before, after, strict=True) if one != other]


def test_a_stream_of_balances_has_nothing_of_another_user(world: World) -> None:
    """Also one that begins behind an event of theirs."""
    told = b""
    client = httpx.Client(base_url=world.url, timeout=10)
    with client.stream("GET", "/balance/events", headers=world.as_bob) as answer:
        first = next(answer.iter_raw())
    assert world.search.found(None, first)
    last = {"Last-Event-ID": first.partition(b"id: ")[2].partition(b"\n")[0].decode()}
    path = f"/balance/events?user_id={world.bob.user_id}"
    with client.stream("GET", path, headers=world.as_ada | last) as answer:
        parts = answer.iter_raw()
        told = str(answer.headers.raw).encode() + next(parts)
        world.bank.call("add_tokens", user_id="eve", tokens=7777)
        world.bank.call("add_tokens", user_id=world.ada.user_id, tokens=1)
        told += next(parts)
    client.close()
    assert told.count(b"event: balance") == 2
    assert world.search.found(None, told) == []
    assert b"7777" not in told


def test_figures_name_nobody(world: World) -> None:
    """Whatever was asked for, in whatever path."""
    for name in (world.bob.user_id, world.bob.facts["hold_id"], world.bob.email):
        world.client.ask(Asked("GET", f"/rest/v1/{name}"), world.as_ada)
        world.client.ask(Asked(name.replace("-", ""), "/rest/v1/balance"), world.as_ada)
    figures = world.client.ask(Asked("GET", "/metrics"), bearer("service_role", None))
    assert b"pgcredits_requests_total" in figures.body
    assert world.search.found(None, figures.raw) == []


# A leak would be found


_LEAKS = {
    "a view without row security": (
        "create view api.leak as select user_id, balance from (select i.subject as user_id, w.balance"
        " from credits.identities as i join credits.wallets as w using (account_id)) as x;"
        "grant select on api.leak to authenticated"
    ),
    "a function that trusts its argument": (
        "create function api.leak(user_id text) returns numeric language sql stable security definer"
        " return (select w.balance from credits.identities as i join credits.wallets as w using (account_id)"
        " where i.subject = leak.user_id)"
    ),
    "a function that knows a hold from no hold": (
        "create function api.leak(hold_id text) returns void language plpgsql security definer as $$ begin"
        " perform 1 from credits.holds as h where h.account_id || ':' || h.hold_id = leak.hold_id;"
        " if not found then raise exception 'no such hold' using errcode = 'PT404'; end if;"
        " raise exception 'not yours' using errcode = 'PT403'; end $$"
    ),
}


@pytest.mark.parametrize("leak", _LEAKS)
def test_a_leak_is_found(world: World, leak: str) -> None:
    with planted(world, _LEAKS[leak]) as leaky:
        wrong = []
        for view in leaky.views():
            if view["name"] == "leak":
                for asked in of_view("leak", view["columns"], {}, world.ada.user_id):
                    wrong += leaky.leaks(asked, world.as_ada)
        for function in leaky.functions(of_users=True):
            if function.name == "leak":
                for given, theirs in swaps(function, world.ada.facts, world.bob.facts):
                    wrong += leaky.leaks(posted(function, given), world.as_ada)
                    wrong += told_of(leaky, function, given, theirs)
        assert wrong


@contextmanager
def planted(world: World, statements: str) -> Iterator[World]:
    """The bank with one more object, and an API that knows it."""
    admin = world.bank.connection
    admin.execute(statements)
    try:
        with serving(create_app(world.settings)) as url:
            client = Client(url)
            yield replace(world, url=url, client=client)
            client.close()
    finally:
        for kind in ("view", "function"):
            admin.execute(f"drop {kind} if exists api.leak")


def test_each_view_that_ignored_row_security_would_be_found(world: World) -> None:
    safe = set()
    for view in world.views():
        if view["of_users"] and not view["of_all"]:
            name = view["name"]
            asked = Asked("GET", f"/rest/v1/{name}")
            world.bank.connection.execute(f"alter view api.{name} set (security_invoker = false)")
            try:
                safe |= set() if world.leaks(asked, world.as_ada) else {name}
            finally:
                world.bank.connection.execute(f"alter view api.{name} set (security_invoker = true)")
            assert not world.leaks(asked, world.as_ada)
    assert safe == {"lots"}  # which reads a view with row security


# A bank that takes every caller for the user whom they name.
_BELIEVES = """
    create or replace function credits.caller_subject(p_user_id text, p_role text default 'service_role')
    returns text language sql stable return coalesce(p_user_id, credits.subject());
    create or replace function credits.reader_subject(p_user_id text)
    returns text language sql stable return coalesce(p_user_id, credits.subject());
"""


def test_each_function_that_believed_its_caller_would_be_found(
    url: str, request: pytest.FixtureRequest
) -> None:
    every = 1 if request.config.getoption("--prove") else 3
    with built(url) as weak:
        weak.bank.connection.execute(_BELIEVES)

        def wrong_of(function: isolating.Callable) -> list[str]:
            before, wrong = rows_of(weak.bank, weak.bob), []
            for given, theirs in swaps(function, weak.ada.facts, weak.bob.facts):
                wrong += weak.leaks(posted(function, given), weak.as_ada)
                wrong += told_of(weak, function, given, theirs)
            return wrong + changed(before, rows_of(weak.bank, weak.bob))

        # In the order of their names backwards, so that a limit is set before it is lifted.
        functions = sorted(weak.functions(of_users=True), key=str, reverse=True)
        tried = [f for place, f in enumerate(functions) if place % every == 0 or f.name == "set_spend_limit"]
        assert {str(function) for function in tried if not wrong_of(function)} == set()


def test_a_sum_over_everybody_is_noticed(world: World) -> None:
    sums = (
        "create view api.leak as select count(*) as spends from credits.entries;"
        "grant select on api.leak to authenticated"
    )
    with planted(world, sums) as leaky, another_user(leaky) as eve:
        assert noticed(leaky, eve) == ["/rest/v1/leak"]


def test_a_change_of_a_row_is_seen(world: World) -> None:
    before = rows_of(world.bank, world.bob)
    with world.bank.connection.transaction(force_rollback=True):
        world.bank.call("consume_tokens", user_id=world.bob.user_id, module_id="whisper")
        seen = {name.partition(":")[0] for name in changed(before, rows_of(world.bank, world.bob))}
    assert seen >= {"wallets", "entries"}


@pytest.mark.parametrize("form", ["plain", "in capitals", "in a URL", "escaped", "without hyphens"])
def test_another_users_name_is_found_in_every_form(world: World, form: str) -> None:
    name = world.bob.user_id
    text = {
        "plain": name,
        "in capitals": name.upper(),
        "in a URL": "".join(f"%{ord(letter):02x}" for letter in name),
        "escaped": "".join(f"\\u{ord(letter):04x}" for letter in name),
        "without hyphens": name.replace("-", ""),
    }[form]
    assert world.search.found(None, f'{{"message": "{text}"}}'.encode())
    own = Asked("GET", f"/rest/v1/balance?user_id=eq.{name}")
    if form == "plain":
        assert not world.search.found(own, f'{{"message": "{text}"}}'.encode()), "it is the caller's word"
