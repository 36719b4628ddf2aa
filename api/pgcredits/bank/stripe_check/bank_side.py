"""What the bank expects of Stripe: events, prices, and whether money is real."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.stripe_check.line import Line, ok, wrong

_LIVEMODE = "select s.stripe_livemode from credits.settings as s"
_TYPES = "select t.type from credits.event_types as t order by t.type"
_SOLD = """
    select 'pack', p.pack_id, p.stripe_price_id, p.amount, p.currency, null, null
    from credits.packs as p
    where p.active
    union all
    select 'plan', p.plan_id, v.stripe_price_id, v.amount, v.currency, v.period_unit::text, v.period_count
    from credits.plans as p
    join credits.plan_versions as v on v.plan_id = p.plan_id
    where p.active and v.amount > 0 and v.version = (
        select max(l.version) from credits.plan_versions as l where l.plan_id = p.plan_id
    )
    order by 1, 2
"""


class BooksError(RuntimeError):
    """This login may not read the books. The message says which may."""


@dataclass(frozen=True, slots=True)
class Sold:
    """A pack or a plan. `amount` is in the currency's smallest unit; `every` is the period of a plan."""

    kind: str
    name: str
    price_id: str | None
    amount: int
    currency: str
    interval: str | None
    interval_count: int | None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Bank:
    """`livemode` is None until somebody says whether money is real."""

    livemode: bool | None
    event_types: tuple[str, ...]
    sold: tuple[Sold, ...]

    @property
    def plans(self) -> list[Sold]:
        return [each for each in self.sold if each.kind == "plan"]


def read(url: str) -> Bank:
    """`url` is of a login that reads the books: pgcredits_auditor. Raises BooksError, psycopg.Error."""
    with admin.connect(url, "pgcredits stripe check", statement_seconds=30) as connection:
        connection.read_only = True
        try:
            (livemode,) = connection.execute(_LIVEMODE).fetchone() or (None,)
            types = tuple(str(name) for (name,) in connection.execute(_TYPES))
            return Bank(livemode, types, tuple(Sold(*row) for row in connection.execute(_SOLD)))
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
            raise BooksError(
                "this login may not read the books, or no bank is there: use pgcredits_auditor"
            ) from None


def check_mode(bank: Bank, live: bool) -> Line:
    """Do the key and the bank agree whether money is real?"""
    about = "mode of the bank"
    if bank.livemode is None:
        if not live:
            return ok(about, "it does not say yet whether money is real, as is right for test mode")
        return wrong(
            about,
            "it does not say yet that money is real",
            "as the superuser: select credits.accept_stripe_livemode(true)",
        )
    if bank.livemode == live:
        return ok(about, "money is real" if live else "money is not real, as the key says")
    if live:
        return wrong(
            about,
            "it takes events of test mode, and the key is live",
            "begin a new bank for live mode: docs/stripe.md, section 5",
        )
    return wrong(about, "it takes live events, and the key is of test mode", "set the live key again")
