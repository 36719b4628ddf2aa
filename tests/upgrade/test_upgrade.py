"""Banks of earlier releases, frozen with their rows, are brought up to date: see freeze.py."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sql.rules.test_schema_snapshot import dump, plain

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import (
    HOME,
    MIGRATIONS,
    SQL,
    MigrationError,
    Options,
    PrereleaseError,
    marks,
    migrate,
    plan,
    roles,
    run,
)

pytestmark = pytest.mark.one_version

UPGRADING = HOME / "docs" / "upgrading.md"
FROZEN = sorted(Path(__file__).parent.glob("*.sql.gz"))
PRERELEASE = Path(__file__).parent / "prerelease" / "2026-11-24-2dc4dba.sql.gz"
VIEWS = (
    *("balance", "entries", "failures", "holds", "lots", "notices", "orders", "referrals"),
    *("shortfalls", "spend_limits", "usage"),
)
Rows = list[dict[str, Any]]


def thaw(url: str, frozen: Path) -> None:
    """Restore a dump. The roles are there: they are the server's."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(gzip.decompress(frozen.read_bytes()))


def squeezed(text: str) -> str:
    """Without what a dump and its restoring change: parentheses around conditions, names of NOT NULL."""
    return re.sub(r"[()]", "", plain(text))


def seen(admin: psycopg.Connection[Any]) -> dict[str, Rows]:
    """What people see of the bank."""
    return {
        view: [row for (row,) in admin.execute(f"select to_jsonb(v) from api.{view} as v".encode())]
        for view in VIEWS
    }


def within(rows: Rows, columns: Rows) -> list[str]:
    """The rows with those columns alone that `columns` has: a release adds some, and takes none away."""
    kept = columns[0].keys() if columns else ()
    return sorted(str({name: row[name] for name in kept}) for row in rows)


def call(admin: psycopg.Connection[Any], query: str) -> Any:
    """The first column of the answer, as a service."""
    admin.execute("set role service_role")
    row = admin.execute(query.encode()).fetchone()
    admin.execute("reset role")
    assert row is not None
    return row[0]


def told(event_id: str, kind: str, **thing: Any) -> dict[str, Any]:
    """An event about the purchase of the frozen bank, an hour later."""
    named = {"currency": "eur", "payment_intent": "pi_frozen"} | thing
    return {
        "id": event_id,
        "object": "event",
        "type": kind,
        "livemode": False,
        "created": 1795203601,
        "data": {"object": named},
    }


def session(admin: psycopg.Connection[Any]) -> dict[str, Any]:
    """The session that was paid."""
    row = admin.execute(
        "select payload #> '{data,object}' from credits.stripe_events where event_id = 'evt_frozen'"
    ).fetchone()
    assert row is not None
    return dict(row[0])


def test_at_least_one_release_is_frozen() -> None:
    assert version("pgcredits") in {path.name.removesuffix(".sql.gz") for path in FROZEN}


@pytest.fixture(params=FROZEN, ids=lambda path: path.name.removesuffix(".sql.gz"))
def frozen_url(request: pytest.FixtureRequest, empty_url: str, own_url: str) -> str:
    """`own_url`: with another bank on the server its roles are there. See docs/restoring.md."""
    thaw(empty_url, request.param)
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute("select credits.trust_login('pgcredits_analyst')")
    return empty_url


def test_an_earlier_bank_becomes_what_a_fresh_one_is(frozen_url: str, own_url: str) -> None:
    with psycopg.connect(frozen_url, autocommit=True) as admin:
        before = seen(admin)
        run(frozen_url, Options(force=True))
        after = seen(admin)
        for view in VIEWS:
            assert within(after[view], before[view]) == within(before[view], before[view]), view
        assert len(before["entries"]) == 9
        assert admin.execute("table audit.findings").fetchall() == []
    assert squeezed(dump(frozen_url)) == squeezed(dump(own_url))
    assert run(frozen_url).up_to_date


def test_an_earlier_bank_goes_on_where_it_stopped(frozen_url: str) -> None:
    run(frozen_url, Options(force=True))
    with psycopg.connect(frozen_url, autocommit=True) as admin:
        assert call(admin, "select cost from api.consume_tokens('whisper', user_id => 'ada')") == 25
        # The key of before is known, and the charge of before can be given back.
        again = "api.consume_tokens('whisper', user_id => 'bob', idempotency_key => 'charge')"
        assert call(admin, f"select replayed from {again}") is True
        assert call(admin, f"select tokens from {again} as c cross join api.refund_usage(c.entry_id)") == 25
        # So is the hold, which has expired since, or not.
        held = "api.hold_tokens('whisper', user_id => 'bob', idempotency_key => 'captured')"
        assert call(admin, f"select replayed from {held}") is True
        assert call(admin, f"select paid from {held} as h cross join api.capture_hold(h.hold_id)") == 25
        assert call(admin, "select status from api.thaw_account('cyd')") == "active"
        assert call(admin, "select cost from api.consume_tokens('whisper', user_id => 'cyd')") == 25
        assert admin.execute("table audit.findings").fetchall() == []


def test_money_of_an_earlier_purchase_can_come_back(frozen_url: str) -> None:
    """A bank debit that fails after the upgrade, and a refund that the earlier release only stored."""
    with psycopg.connect(frozen_url, autocommit=True) as admin:
        admin.execute(
            "insert into credits.stripe_events"
            " (event_id, bucket, type, object_id, livemode, outcome, payload)"
            " values ('evt_old', 1, 'refund.created', 're_1', false, 'stored', %s)",
            (Jsonb(told("evt_old", "refund.created", id="re_1", amount=1000, status="succeeded")),),
        )
        run(frozen_url, Options(force=True))
        left = "select balance from api.balance where user_id = 'cyd'"
        before = call(admin, left)
        replayed = "select outcome from api.replay_event('evt_old', 'it came before the upgrade')"
        assert call(admin, replayed) == "applied"
        assert call(admin, left) < before
        failed = told(
            *("evt_failed", "checkout.session.async_payment_failed"),
            **session(admin) | {"payment_status": "unpaid"},
        )
        admin.execute("set role service_role")
        row = admin.execute("select outcome from api.apply_stripe_event(%s)", (Jsonb(failed),)).fetchone()
        admin.execute("reset role")
        assert row == ("applied",)
        assert call(admin, "select reversed = paid from api.orders where user_id = 'cyd'") is True
        assert admin.execute("table audit.findings").fetchall() == []


def test_an_earlier_bank_takes_the_next_release(frozen_url: str, tmp_path: Path) -> None:
    """One that has a column, an attribute and a comment more."""
    migrations = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))
    sql = Path(shutil.copytree(SQL, tmp_path / "sql"))
    (migrations / "9999-next.sql").write_text(
        "set local role credits_owner;\n"
        "alter table credits.wallets add column mood text not null default 'calm';\n"
        "alter type api.quote add attribute mood text;\n"
        "update credits.price_list set valid_until = '-infinity', call_cost = null;\n"
    )
    (sql / "comments/next.sql").write_text(
        "comment on column credits.wallets.mood is 'Of the next release.';\n"
    )
    with psycopg.connect(frozen_url, autocommit=True) as admin:
        before = seen(admin)
        outcome = run(frozen_url, Options(migrations=migrations, sql=sql))
        assert outcome.applied[-1] == "9999-next"
        after = seen(admin)
        for view in VIEWS:
            assert within(after[view], before[view]) == within(before[view], before[view]), view
        assert admin.execute("select distinct mood from credits.wallets").fetchall() == [("calm",)]
        # The list of prices may have learned a column: it is written anew.
        listed = "select count(*) from credits.price_list where valid_until > now() and call_cost is not null"
        assert admin.execute(listed.encode()).fetchone() != (0,)
        said = "select col_description('credits.wallets'::regclass, max(attnum)) from pg_attribute"
        assert admin.execute(
            f"{said} where attrelid = 'credits.wallets'::regclass and attname = 'mood'".encode()
        ).fetchone() == ("Of the next release.",)
        assert call(admin, "select cost from api.consume_tokens('whisper', user_id => 'ada')") == 25
        assert admin.execute("table audit.findings").fetchall() == []
    with pytest.raises(MigrationError, match="this database is newer than this pgcredits"):
        run(frozen_url)


COMMANDS: dict[str, Callable[[str], object]] = {
    "migrate": migrate,
    "migrate --plan": plan,
    "migrate --force": lambda url: run(url, Options(force=True)),
    "catalog apply": lambda url: apply_catalog(url, "iahome"),
    "roles": lambda url: roles.run(url, take_ownership=True),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_from_before_0_1_0_is_refused_and_left_alone(
    command: str, empty_url: str, own_url: str
) -> None:
    thaw(empty_url, PRERELEASE)
    with psycopg.connect(empty_url, autocommit=True) as admin:
        before = dump(empty_url), seen(admin), marks.applied(admin)
        with pytest.raises(PrereleaseError, match=r"^prerelease_database: .*Nothing was done") as refusal:
            COMMANDS[command](empty_url)
        assert (dump(empty_url), seen(admin), marks.applied(admin)) == before
        admin.execute("set role service_role")
        admin.execute("select api.consume_tokens('whisper', user_id => 'ada')")  # it works on
    (anchor,) = re.findall(r"docs/upgrading\.md#(\S+)", str(refusal.value))
    titles = re.findall(r"^#+ (.*)$", UPGRADING.read_text(), re.M)
    assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_a_restored_dump_is_the_release_that_was_dumped(url: str, empty_url: str, bin_dir: Path) -> None:
    """Definitions are spelled a little differently then. That is no finding."""
    text = subprocess.run(
        [bin_dir / "pg_dump", "--inserts", url], check=True, capture_output=True, text=True
    ).stdout
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")).encode())
        admin.execute("set search_path = pg_catalog")
        assert admin.execute("table audit.check_release").fetchall() == []
    with psycopg.connect(url) as before, psycopg.connect(empty_url) as after:
        query = "select kind, name, definition from credits.standing_objects() order by 1, 2"
        assert after.execute(query).fetchall() == before.execute(query).fetchall()
