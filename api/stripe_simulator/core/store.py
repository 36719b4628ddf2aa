"""The simulator's state: one sqlite file, so that a restart forgets nothing.

Everything runs on the event loop's thread and no transaction contains an await: each request is atomic,
and a local write takes well under a millisecond."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_SCHEMA = """
create table if not exists objects (
    seq     integer primary key,        -- order of creation, for lists
    id      text not null unique,
    kind    text not null,              -- Stripe's "object"
    body    text not null,              -- as the API shows it
    inner   text not null,              -- what the API does not show
    due     integer                     -- when something happens to it by itself, seconds since 1970
);
create index if not exists objects_kind on objects (kind, seq);
create index if not exists objects_due on objects (due) where due is not null;
create index if not exists objects_charge on objects (kind, json_extract(body, '$.charge'));
create index if not exists objects_customer on objects (kind, json_extract(body, '$.customer'));

create index if not exists objects_test_clock on objects (kind, json_extract(body, '$.test_clock'));
create index if not exists objects_billed on objects (kind, json_extract(inner, '$.subscription'));
create index if not exists objects_payment_intent on objects (kind, json_extract(body, '$.payment_intent'));

create table if not exists idempotency_keys (
    key         text primary key,
    path        text not null,
    fingerprint text not null,
    request_id  text not null,
    response    blob not null,
    created     integer not null,
    status      integer not null
);
create index if not exists idempotency_keys_created on idempotency_keys (created);

create table if not exists settings (
    name  text primary key,
    value text not null                 -- JSON
);

create table if not exists deliveries (
    event_id text not null,
    copy     integer not null,          -- 0; more when an event is sent several times on purpose
    state    text not null check (state in ('pending', 'delivered', 'given_up', 'dropped')),
    attempts integer not null default 0,
    lost     integer not null default 0, -- good answers that are still to be lost on purpose
    since    real not null,             -- when the event happened
    next_at  real not null,             -- when to try again
    answer   text,                      -- "HTTP 500", or the network error
    primary key (event_id, copy)
);
create index if not exists deliveries_pending on deliveries (next_at) where state = 'pending';
"""


# What a person or a test may change: the shape of events, what becomes of invoices that are not paid, whether
# the account may charge, the paths that keys may not read, whether the portal's settings were saved.
_SETTINGS: Json = {
    "after_retries": "cancel",
    "chaos": None,
    "charges_enabled": True,
    "event_version": "2026-10-28.endive",
    "forbidden": [],
    "portal_saved": True,
    "retry_days": [3, 5, 7],
}


def column(field: str) -> str:
    """SQL for a member of the body, in the words of the indexes."""
    return f"json_extract(body, '$.{field}')"


class Store:
    """Objects of the API by id. ``clock`` gives seconds since 1970."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.public_url = ""
        self._moment: int | None = None
        self.settings: Json = dict(_SETTINGS)
        self.after_commit: Callable[[], None] = lambda: None
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = normal")  # a killed process loses nothing
        self._rename_old_deliveries()
        self.db.executescript(_SCHEMA)
        self._take_over_old_deliveries()
        for name, value in self.db.execute("select name, value from settings"):
            self.settings[name] = json.loads(value)

    def serve_at(self, url: str) -> None:
        """Browsers find the pages at ``url``. Links of objects follow when the last process had another."""
        old = self.settings.get("public_url")
        self.public_url = url
        if old not in (None, url):
            self.db.execute(
                "update objects set body = replace(body, ?, ?) where kind <> 'event'",
                (f'"{old}/', f'"{url}/'),
            )
        self.change_settings({"public_url": url})

    def _rename_old_deliveries(self) -> None:
        """A file from before an event could be sent several times."""
        names = [row[1] for row in self.db.execute("pragma table_info(deliveries)")]
        if names and "copy" not in names:
            self.db.executescript(
                "alter table deliveries rename to old_deliveries; drop index deliveries_pending;"
            )

    def _take_over_old_deliveries(self) -> None:
        if self.db.execute("pragma table_info(old_deliveries)").fetchone():
            self.db.executescript(
                "insert into deliveries (event_id, copy, state, attempts, since, next_at, answer)"
                " select event_id, 0, state, attempts, since, next_at, answer from old_deliveries;"
                " drop table old_deliveries;"
            )

    def change_settings(self, changes: Json) -> None:
        """Keep settings, also over a restart."""
        for name, value in changes.items():
            self.db.execute("insert or replace into settings values (?, ?)", (name, json.dumps(value)))
        self.settings.update(changes)

    def close(self) -> None:
        self.db.close()

    def now(self) -> int:
        """Whole seconds since 1970; inside :meth:`at` the moment that is simulated."""
        return self.real_now() if self._moment is None else self._moment

    def real_now(self) -> int:
        """Whole seconds since 1970. As at Stripe, payments have this time whatever a test clock says."""
        return int(self.clock())

    @contextmanager
    def at(self, moment: int | None) -> Iterator[None]:
        """Let it be ``moment``; None is the real time."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; afterwards ``after_commit`` is called. Must not contain an await."""
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")
        self.after_commit()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Inside a transaction: all or nothing, and the transaction goes on."""
        self.db.execute("savepoint attempt")
        try:
            yield
        except BaseException:
            self.db.execute("rollback to attempt")
            raise
        finally:
            self.db.execute("release attempt")

    def insert(self, body: Json, inner: Json | None = None, due: int | None = None) -> int:
        """Add an object, and return its number. Raises sqlite3.IntegrityError when its id exists."""
        done = self.db.execute(
            "insert into objects (id, kind, body, inner, due) values (?, ?, ?, ?, ?)",
            (body["id"], body["object"], json.dumps(body), json.dumps(inner or {}), due),
        )
        return int(done.lastrowid or 0)

    def update(self, body: Json, due: int | None = None) -> None:
        """Replace what the API shows of an object."""
        self.db.execute(
            "update objects set body = ?, due = ? where id = ?", (json.dumps(body), due, body["id"])
        )

    def find(self, kind: str, id: str) -> Json | None:
        """The object, or None."""
        row = self.db.execute("select body from objects where id = ? and kind = ?", (id, kind)).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, kind: str, id: str) -> Json:
        """An object that is there. Raises LookupError."""
        found = self.find(kind, id)
        if found is None:
            raise LookupError(f"no {kind} {id}")
        return found

    def inner(self, id: str) -> Json:
        """What the API does not show of an object that exists."""
        inner: Json = json.loads(
            self.db.execute("select inner from objects where id = ?", (id,)).fetchone()[0]
        )
        return inner

    def set_inner(self, id: str, inner: Json) -> None:
        """Replace what the API does not show of an object."""
        self.db.execute("update objects set inner = ? where id = ?", (json.dumps(inner), id))

    def where(self, kind: str, field: str, value: str) -> list[Json]:
        """Every object of a kind whose ``field`` is ``value``, oldest first."""
        rows = self.db.execute(
            f"select body from objects where kind = ? and {column(field)} = ? order by seq",  # noqa: S608  # a name of ours
            (kind, value),
        )
        return [json.loads(row[0]) for row in rows]

    def newest(self, kind: str, most: int) -> list[Json]:
        """The last objects of a kind, newest first."""
        rows = self.db.execute(
            "select body from objects where kind = ? order by seq desc limit ?", (kind, most)
        )
        return [json.loads(row[0]) for row in rows]
