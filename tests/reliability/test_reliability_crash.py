"""After a kill under load, acknowledged calls are there exactly once, and others are whole or absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from pgbouncer import MISSING, PROGRAM, PgBouncer
from reliability.books import read
from reliability.calls import UNAVAILABLE, Log, SqlChannel, marked_once
from reliability.charging import Cards
from reliability.replay import faults
from reliability.servers import LOGINS, Api, Postgres
from reliability.topups import topup_faults
from reliability.verdicts import Verdicts
from reliability.writing import Connect, Writers, agree, charge_all, fund, repeat_all
from support import PASSWORD

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import migrate
from pgcredits.database_urls import as_login

pytestmark = [pytest.mark.xdist_group("crash"), pytest.mark.proof]  # the tests share one run and one server

# Only a session that waits for its WAL writes it: WAL that nobody waits for is lost in a crash.
LAZY = {
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "16MB",
    "autovacuum": "off",
    "bgwriter_lru_maxpages": "0",  # a page is written after its WAL
}
WAYS = (Postgres.kill_backend, Postgres.kill_all, Postgres.stop_at_once)
# Seconds that a call waits for a connection, and for the answer of the database.
IMPATIENT = {"PGCREDITS_POOL_TIMEOUT": "1", "PGCREDITS_ANSWER_TIMEOUT": "4"}
NOT_DURABLE = "set local synchronous_commit = off"
MOST_KILLS = 12  # of the control, which mostly needs one


@dataclass
class Tally:
    """The figures of a run."""

    log: Log
    seed: int
    cards: Cards
    kills: int = 0
    restarts: list[float] = field(default_factory=list)
    repeated: int = 0
    busy: set[str] = field(default_factory=set)  # what is said to who waits for somebody else's transaction

    def line(self, name: str, verdicts: Verdicts) -> str:
        """`verdicts` were made before everything was repeated."""
        unknown = sum(one.unknown for one in verdicts.told)
        done = verdicts.committed()
        return (
            f"{name}: RELIABILITY_SEED={self.seed}: {self.kills} kills, {len(verdicts.told)} operations,"
            f" {sum(one.answer is not None for one in verdicts.told)} acknowledged,"
            f" {sum(one.refusal is not None for one in verdicts.told)} refused,"
            f" {unknown} ambiguous ({done} done, {unknown - done} not);"
            f" {len(verdicts.lost())} acknowledged and lost, {len(verdicts.untold())} not as told,"
            f" {len(verdicts.ghosts())} ghosts; {self.repeated} calls repeated;"
            f" restarts took up to {max(self.restarts):.1f} s"
        )


@pytest.fixture(scope="module")
def postgres(bin_dir: Path) -> Iterator[Postgres]:
    server = Postgres(bin_dir, LAZY)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def kills(request: pytest.FixtureRequest, long_form: bool) -> int:
    """How many of each run."""
    if long_form:
        return 18
    return 4 if request.config.getoption("--pg") == 18 else 3


@pytest.fixture(scope="module")
def load(long_form: bool) -> int:
    """How many calls between two kills, and up to twice as many."""
    return 600 if long_form else 100


def new_database(postgres: Postgres, name: str) -> str:
    """Migrated, with the price list iahome; its URL as the superuser."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    url = postgres.url(name)
    migrate(url)
    apply_catalog(url, "iahome")
    with psycopg.connect(url) as connection:
        for login in LOGINS:
            connection.execute(f"alter role {login} password '{PASSWORD}'".encode())
    return url


def by_sql(url: str, **more: str) -> Connect:
    return lambda: SqlChannel(as_login(url, "pgcredits_service", PASSWORD), **more)


def customer_of(url: str) -> Callable[[str], None]:
    """Gives an account the customer at Stripe that its first checkout would make."""

    def make(user_id: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(
                "update credits.accounts as a set stripe_customer_id = 'cus_1' from credits.identities as i"
                " where a.account_id = i.account_id and i.subject = %s",
                (user_id,),
            )

    return make


def prove(
    tally: Tally,
    url: str,
    connect: Connect,
    name: str,
    say: Callable[[str], None],
    over_http: bool = False,
) -> None:
    """Each acknowledged call is there once, as answered; others are whole or absent. Then repeat all."""
    log = tally.log
    before = Verdicts(list(log.calls), read(url), over_http)
    tally.repeated = repeat_all(connect, log)
    charge_all(connect, log, tally.cards)
    after = Verdicts(log.calls, read(url), over_http)
    say(tally.line(name, before))
    tries, charges = tally.cards.tries, len(tally.cards.charges)
    say(f"{name}: {len(after.books.attempts)} top-ups, {charges} charges in {tries} tries")
    assert log.errors() == []
    assert [one for one in before.told if one.unknown], "nothing was killed"
    for verdicts in (before, after):
        assert verdicts.lost() == []
        assert verdicts.untold() == []
        assert verdicts.halves() == []
        assert verdicts.keyed_twice() == []
        assert verdicts.ghosts() == []
        assert faults(verdicts.books) == []
        assert verdicts.books.findings == []
    refused = {one.refusal["error"] for one in after.told if one.refusal}
    assert refused - {UNAVAILABLE, *tally.busy} == {"insufficient_tokens"}
    # Whatever was asked for has its answer now.
    assert after.wrong_holds() == []
    assert after.wrong_orders() == []
    assert after.unfollowed_money() == []
    assert topup_faults(after.books, tally.cards) == []
    assert {attempt["state"] for attempt in after.books.attempts} == {"succeeded"}
    kinds = {entry["kind"] for entry in after.books.entries}
    assert "reversal" in kinds, "no money came back"
    assert any(one.said.get("outcome") == "granted" for one in after.told)
    answered = {(one.function, one.key) for one in after.told if not one.unknown}
    assert [one for one in after.told if one.unknown and (one.function, one.key) not in answered] == []
    assert_a_double_charge_would_be_seen(after)


def assert_a_double_charge_would_be_seen(verdicts: Verdicts) -> None:
    """A spend without a key that has two entries."""
    books = verdicts.books.copy()
    one, another = [entry for entry in books.entries if marked_once(entry)][:2]
    another["metadata"] = one["metadata"]
    assert Verdicts(verdicts.calls, books).ghosts() != []


@pytest.mark.long
def test_postgres_killed_under_load(
    postgres: Postgres, seed: int, kills: int, load: int, say: Callable[[str], None]
) -> None:
    """Kill a backend, then the postmaster with its children, then shut down. No client asks to be durable.

    At the first kill, an idle transaction has locked every wallet for longer than calls wait.
    """
    url = new_database(postgres, "killed")
    connect = by_sql(url, setting="set synchronous_commit = off")
    random = Random(seed)
    tally = Tally(Log(), seed, Cards(str(seed), declined=0))
    fund(connect, tally.log)
    agree(connect, tally.log, customer_of(url))
    with Writers(connect, tally.log, f"{seed}:killed", tally.cards):
        for way in islice(cycle(WAYS), kills):
            tally.log.wait_for(random.randint(load, 2 * load))
            if tally.kills == 0:
                sitter = psycopg.connect(url)
                sit(sitter, tally)
            tally.restarts.append(way(postgres, random))
            tally.kills += 1
        with pytest.raises(psycopg.OperationalError):  # this session has not outlived the server
            sitter.execute("select")
        tally.log.wait_for(50)
    prove(tally, url, connect, "PostgreSQL killed", say)


def sit(sitter: psycopg.Connection[Any], tally: Tally) -> None:
    """Keep every wallet locked until a call is refused as busy. The kill must free the wallets."""
    with sitter.cursor() as cursor:
        cursor.execute("select from credits.wallets order by account_id for no key update")
    tally.busy.add("busy")
    tally.log.wait_for_refusal("busy")


@pytest.mark.one_version
def test_harness_sees_a_loss(postgres: Postgres, seed: int, say: Callable[[str], None]) -> None:
    """The control: the same clients give up durability after the call.

    Some acknowledged calls are lost then, and the verdicts must say so.
    """
    url = new_database(postgres, "control")
    connect = by_sql(url, before_commit=NOT_DURABLE)
    random = Random(f"{seed}:control")
    tally = Tally(Log(), seed, Cards(str(seed), declined=0))
    fund(by_sql(url), tally.log)
    agree(by_sql(url), tally.log, customer_of(url))
    lost: list[Any] = []
    while not lost and tally.kills < MOST_KILLS:
        with Writers(connect, tally.log, f"{seed}:control:{tally.kills}", tally.cards):
            tally.log.wait_for(random.randint(100, 250))
            way = random.choice(WAYS[1:])
            tally.restarts.append(way(postgres, random))
            tally.kills += 1
        verdicts = Verdicts(tally.log.calls, read(url))
        lost = verdicts.lost()
    say(tally.line("control, synchronous_commit off", verdicts))
    assert lost
    assert verdicts.untold()
    assert tally.log.errors() == []
    # They are lost as a whole: the books that are left are sound.
    assert faults(verdicts.books) == []
    assert verdicts.books.findings == []


@pytest.mark.one_version
def test_api_and_its_database_killed_under_load(
    postgres: Postgres, seed: int, kills: int, load: int, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """kill -9 of `pgcredits serve`, then of its PostgreSQL, in turns.

    Clients send Idempotency-Key, and their spends share transactions.
    """
    url = new_database(postgres, "served")
    api = Api(url, tmp_path / "api.log")
    try:
        random = Random(f"{seed}:api")
        tally = Tally(Log(), seed, Cards(str(seed), declined=0))
        tally.busy.add("busy")  # calls of one user wait for each other while PostgreSQL is away
        fund(api.connect, tally.log)
        agree(api.connect, tally.log, customer_of(url))
        with Writers(api.connect, tally.log, f"{seed}:api", tally.cards):
            for number in range(kills // 2 + 1):
                tally.log.wait_for(random.randint(load, 2 * load))
                way = WAYS[number // 2 % len(WAYS)]
                tally.restarts.append(way(postgres, random) if number % 2 else api.kill())
                tally.kills += 1
            tally.log.wait_for(load)
        wait_until_idle(url)
        assert api.shared_spends() > 1
        prove(tally, url, api.connect, "API and PostgreSQL killed", say, over_http=True)
    finally:
        api.stop()


@pytest.mark.one_version
@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
@pytest.mark.long
def test_pooler_and_the_database_behind_it_killed_under_load(
    postgres: Postgres,
    seed: int,
    kills: int,
    load: int,
    long_form: bool,
    tmp_path: Path,
    say: Callable[[str], None],
) -> None:
    """kill -9 of a PgBouncer between the API and PostgreSQL, and of the PostgreSQL behind it.

    Now and then the pooler stays away, or only freezes. The API finds the next one by itself. What it refuses
    meanwhile it has not done.
    """
    url = new_database(postgres, "pooled")
    with ExitStack() as stack:
        pooler = PgBouncer(as_login(url, "pgcredits_service", PASSWORD), LOGINS, pool_size=6)
        stack.callback(pooler.close)
        api = Api(pooler.through(url), tmp_path / "api.log", IMPATIENT)
        stack.callback(api.stop)
        random = Random(f"{seed}:pooler")
        tally = Tally(Log(), seed, Cards(str(seed), declined=0))
        tally.busy.add("busy")  # calls of one user wait for each other while the pooler is away
        fund(api.connect, tally.log)
        agree(api.connect, tally.log, customer_of(url))
        ways = (kill_pooler, kill_pooler_for_long, freeze_pooler)
        with Writers(api.connect, tally.log, f"{seed}:pooler", tally.cards):
            for number in range(kills if long_form else 4):
                tally.log.wait_for(random.randint(load, 2 * load) // 2)
                turn = seed + number // 2
                if number % 2:
                    WAYS[turn % len(WAYS)](postgres, random)
                else:
                    ways[turn % len(ways)](pooler, tally.log)
                tally.kills += 1
                tally.restarts.append(api.wait_until_ready())
            tally.log.wait_for(load)
        wait_until_idle(url)
        assert api.shared_spends() > 1
        prove(tally, url, api.connect, "pooler and PostgreSQL killed", say, over_http=True)


def kill_pooler(pooler: PgBouncer, log: Log) -> None:
    pooler.kill()
    pooler.start()


def kill_pooler_for_long(pooler: PgBouncer, log: Log) -> None:
    """For longer than the API waits for a connection."""
    pooler.kill()
    log.wait_for_refusal(UNAVAILABLE)
    pooler.start()


def freeze_pooler(pooler: PgBouncer, log: Log) -> None:
    """For longer than the API waits for an answer. What the pooler has in its hands comes late."""
    pooler.freeze()
    log.wait_for_loss()
    pooler.thaw()


def wait_until_idle(url: str) -> None:
    """Until nothing is under way that a killed API has left behind."""
    busy = (
        "select pid from pg_stat_activity where datname = current_database() and state <> 'idle'"
        " and pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as admin:
        while admin.execute(busy).fetchall():
            admin.execute("select pg_sleep(0.01)")
