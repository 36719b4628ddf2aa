"""The checks of the schema `audit`: what one is, which there are, and in which parts they are run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from pgcredits.bank.strangers import TRUSTED

SHOWN = 5  # findings kept for each check
# Checks that compare each entry with the one before it. The ranges of accounts are filters that PostgreSQL
# applies before it sorts. None of these checks has a finding without an account.
SPLIT = ("check_hash_chain", "check_draws", "check_running_balance")
_ENTRIES_OF_A_PART = 200_000
_MOST_PARTS = 16  # each part reads the partitions once more, so more parts would not be faster
# Only views of trusted owners, because our login runs what is in a view.
_CHECKS = f"""
    select c.relname, coalesce(obj_description(c.oid, 'pg_class'), '')
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_roles as r on r.oid = c.relowner
    where n.nspname = 'audit' and c.relkind in ('v', 'm') and starts_with(c.relname, 'check_') and {TRUSTED}
    order by c.relname
"""  # noqa: S608 - a constant of ours

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Check:
    """One view audit.check_*. `findings` are the first (account_id, expected, found) of `rows`.

    `milliseconds` are those of all its parts together. `comment` is the comment of the view.
    """

    name: str
    rows: int
    milliseconds: float
    findings: list[tuple[Any, ...]]
    comment: str = ""

    @property
    def advice(self) -> str:
        """What a row means and what to do, as the comment of the view says; it may say nothing."""
        _, *paragraphs = self.comment.split("\n\n")
        return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


@dataclass(frozen=True, slots=True)
class Part:
    """A check over the accounts from `first` to the last before `end`. None: there is no bound."""

    view: str
    number: int = 1
    of: int = 1
    first: UUID | None = None
    end: UUID | None = None

    def __str__(self) -> str:
        name = self.view.removeprefix("check_")
        return f"{name}, part {self.number} of {self.of}" if self.of > 1 else name

    def query(self) -> sql.Composed:
        bounds = [
            sql.SQL("account_id {} {}").format(sql.SQL(operator), sql.Literal(bound))
            for operator, bound in ((">=", self.first), ("<", self.end))
            if bound is not None
        ]
        return sql.SQL(
            "select account_id, expected, found, count(*) over () from audit.{}{}{} limit {}"
        ).format(
            sql.Identifier(self.view),
            sql.SQL(" where " if bounds else ""),
            sql.SQL(" and ").join(bounds),
            sql.Literal(SHOWN),
        )


def sound(checks: list[Check]) -> bool:
    """There is no finding, and there is at least one check: an audit without checks proves nothing."""
    return bool(checks) and not any(check.rows for check in checks)


def standing(connection: Connection) -> dict[str, str]:
    """The names of all checks of the bank, each with its comment."""
    return dict(connection.execute(_CHECKS.encode()).fetchall())


def parts(connection: Connection, views: Iterable[str]) -> list[Part]:
    """What to run, with that which takes longest first."""
    views = list(views)
    ranges = _ranges(connection) if set(views) & set(SPLIT) else 1
    split = [part for view in SPLIT if view in views for part in _split(view, ranges)]
    return split + [Part(view) for view in views if view not in SPLIT]


def ranges_of(entries: int) -> int:
    """A power of two: into how many ranges of accounts so many entries are split."""
    ranges = 1
    while ranges < _MOST_PARTS and entries > ranges * _ENTRIES_OF_A_PART:
        ranges *= 2
    return ranges


def bounds_of(ranges: int) -> list[tuple[UUID | None, UUID | None]]:
    """The first account of each range, and the first after it. Ids are spread evenly over all numbers."""
    step = 2**128 // ranges
    bounds = [None, *(UUID(int=step * number) for number in range(1, ranges)), None]
    return list(pairwise(bounds))


def _ranges(connection: Connection) -> int:
    ((entries,),) = connection.execute("select coalesce(sum(seq), 0) from credits.wallets").fetchall()
    return ranges_of(int(entries))


def _split(view: str, ranges: int) -> list[Part]:
    bounds = enumerate(bounds_of(ranges), start=1)
    return [Part(view, number, ranges, first, end) for number, (first, end) in bounds]
