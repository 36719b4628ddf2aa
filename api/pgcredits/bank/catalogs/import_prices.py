"""Import prices of models from genai-prices: one version for each module, in one transaction.

The database decides what is new, changed, unchanged or kept (sql/credits/catalogs/define_imported_price.sql).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.catalogs import catalog_file, provider_prices
from pgcredits.bank.catalogs.catalog_session import WAIT_SECONDS, as_catalog
from pgcredits.bank.catalogs.provider_prices import Offer, Refusal
from pgcredits.bank.migrate.errors import MigrationError

MOST_MODELS = 300
_SIGNS = {"new": "+", "changed": "~", "unchanged": "=", "kept": "!", "refused": "x"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to import. `margin` is in percent.

    `rate`: US cents for one cent of the currency of the price list; None only where that is the US dollar.
    `unit`: tokens of the balance for one such cent; None only where balances count cents.
    """

    globs: Sequence[str]
    providers: Sequence[str]
    margin: Decimal
    rate: Decimal | None = None
    unit: Decimal | None = None
    dearest: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a model: new, changed, unchanged, kept or refused. Rates are tokens for a million."""

    model: str
    state: str
    why: str | None = None
    before: dict[str, Decimal] | None = None
    after: dict[str, Decimal] | None = None
    offered: dict[str, Decimal] | None = None
    notes: Sequence[str] = ()

    def lines(self) -> Iterator[str]:
        """The outcome for people, with the old and the new rate of each dimension that differ."""
        yield f"{_SIGNS[self.state]} {self.model}: {self.state}{f', {self.why}' if self.why else ''}"
        new = self.offered if self.state == "kept" else self.after
        before, after = self.before or {}, new or {}
        for dimension in sorted(before.keys() | after.keys()):
            old, now = before.get(dimension), after.get(dimension)
            if old != now:
                kept = self.state == "kept"
                other = f" (genai-prices: {_number(now)})" if kept else f" -> {_number(now)}"
                yield f"    {dimension}: {_number(old)}{other}"
        for note in self.notes:
            yield f"    {note}"


@dataclass(frozen=True, slots=True)
class Imported:
    """`heading` says in which unit the rates are."""

    heading: str
    outcomes: Sequence[Outcome]

    def lines(self) -> Iterator[str]:
        yield self.heading
        for outcome in self.outcomes:
            yield from outcome.lines()
        counts = {state: sum(each.state == state for each in self.outcomes) for state in _SIGNS}
        yield ", ".join(f"{number} {state}" for state, number in counts.items() if number)

    @property
    def refused(self) -> bool:
        return any(outcome.state == "refused" for outcome in self.outcomes)


def import_prices(
    url: str,
    asked: Asked,
    wait_seconds: float = WAIT_SECONDS,
    say: Callable[[str], None] = lambda text: None,
    *,
    dry_run: bool = False,
) -> Imported:
    """Import the prices of models, all in one transaction. A price that was set by hand is kept.

    A model that cannot be imported is refused by name, and the others are imported. Raises MigrationError
    when nothing was imported.
    """
    found = provider_prices.offers(asked.globs, asked.providers, dearest=asked.dearest)
    if len(found) > MOST_MODELS:
        raise MigrationError(f"these are {len(found)} models, and {MOST_MODELS} can be imported at once")
    unit, rate, tokens = _terms(url, asked)
    margin = (1 + asked.margin / 100) * tokens

    def write(connection: admin.Connection) -> list[Outcome]:
        _define_dimensions(connection, found)
        outcomes, deadline = [], time.monotonic() + catalog_file.SECONDS
        for each in found:
            if time.monotonic() > deadline:
                raise MigrationError(
                    f"the import takes longer than {catalog_file.SECONDS} s: name fewer models"
                )
            outcomes.append(_outcome(connection, each, margin, rate))
        return outcomes

    heading = (
        f"rates in {unit} for a million, where {_number(tokens)} is worth {_number(rate)} US cents;"
        f" the margin is {_number(asked.margin)} %"
    )
    return Imported(heading, as_catalog(url, write, wait_seconds, say, dry_run=dry_run))


def _terms(url: str, asked: Asked) -> tuple[str, Decimal, Decimal]:
    """The unit of balances, and what one US cent and one cent of the price list are worth."""
    with admin.connect(url, "pgcredits catalog import") as connection:
        rows = connection.execute("select unit, currency from credits.catalogs order by 1, 2").fetchall()
    if not rows:
        raise MigrationError("this bank has no price list, which says what its tokens are: apply one first")
    unit = ", ".join(sorted({str(unit) for unit, _ in rows}))
    currencies = {currency for _, currency in rows}
    rate, tokens = asked.rate, asked.unit
    if currencies == {"usd"}:
        if rate is not None and rate != 1:
            raise MigrationError("the price list is in usd, as the prices are: leave --rate out")
        rate = Decimal(1)
    if rate is None:
        names = ", ".join(sorted(currency or "no currency" for currency in currencies))
        raise MigrationError(
            f"the price list is in {names}, and the prices are in usd: --rate says how many US cents one cent"
            " of its currency is worth, such as --rate 1.08"
        )
    if tokens is None and unit.lower().split()[-1:] in (["cent"], ["cents"]):
        tokens = Decimal(1)
    if tokens is None:
        raise MigrationError(
            f"balances count in {unit!r}: --unit says how many of these one cent is worth, such as --unit 10"
        )
    return unit, rate, tokens


def _define_dimensions(connection: admin.Connection, found: Sequence[Offer | Refusal]) -> None:
    """Define what the models are measured in, if the bank does not know it, or knows no parent of it."""
    known: dict[str, dict[str, Any]] = {}
    for (line,) in connection.execute("select line from credits.show_catalog() as line").fetchall():
        kind, name, *rest = str(line).split(" ", 2)
        if kind == "dimension":
            known[name] = json.loads(rest[0])
    named = {dimension for each in found if isinstance(each, Offer) for dimension in each.rates}
    for dimension in sorted(named):
        parent = provider_prices.PARENTS.get(dimension)
        if dimension not in known or (parent and not known[dimension]["parent"]):
            connection.execute(
                "select credits.define_dimension(%s, %s, %s)",
                (dimension, known.get(dimension, {}).get("description", dimension.replace("_", " ")), parent),
            )


def _outcome(connection: admin.Connection, each: Offer | Refusal, margin: Decimal, rate: Decimal) -> Outcome:
    if isinstance(each, Refusal):
        return Outcome(each.model, "refused", each.why)
    components = ", ".join(
        # Digit for digit: these are decimals, and JSON has no others. A dollar has 100 cents.
        f'{{"dimension": "{dimension}", "unit_size": {provider_prices.MILLION},'
        f' "price_per_unit": {usd * 100:f}, "provider_cost": {usd * 100:f}}}'
        for dimension, usd in each.rates.items()
    )
    try:
        with connection.transaction():
            row = connection.execute(
                "select credits.define_imported_price(%s, %s, %s, %s::jsonb, %s::numeric, %s::numeric)::text",
                (provider_prices.ORIGIN, each.model, each.title, f"[{components}]", margin, rate),
            ).fetchone()
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("PT"):
            raise
        return Outcome(each.model, "refused", error.diag.message_primary)
    told: dict[str, Any] = json.loads(row[0] if row else "{}", parse_float=Decimal, parse_int=Decimal)
    return Outcome(each.model, told.pop("state"), notes=each.notes, **told)


def _number(value: Decimal | None) -> str:
    return "none" if value is None else f"{value.normalize():f}"
