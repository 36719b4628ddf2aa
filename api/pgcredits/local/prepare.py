"""Bring the bank up to date before it is served: migrations, price list, logins, what its money is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from pgcredits.bank import admin
from pgcredits.bank.catalogs import applied_catalogs, apply_catalog, find_catalog, list_catalogs
from pgcredits.bank.migrate import Options as MigrateOptions
from pgcredits.bank.migrate import migrate
from pgcredits.local import logins, ownership
from pgcredits.local.instance import Instance, Secrets
from pgcredits.local.options import Options, Say, UpError
from pgcredits.settings import is_live, stripe_key, stripe_prices

_PURPOSE = "pgcredits up"


@dataclass(frozen=True, slots=True)
class Payments:
    """Who takes payments: Stripe, with its secret key, or the simulator. `prices` are Stripe's, by pack."""

    stripe_key: str | None = field(repr=False)
    prices: Mapping[str, str]

    @classmethod
    def from_env(cls) -> Payments:
        """Raises SettingsError."""
        return cls(stripe_key(), stripe_prices())

    @property
    def simulated(self) -> bool:
        return self.stripe_key is None

    @property
    def live(self) -> bool:
        return is_live(self.stripe_key)


def bring_up_to_date(
    instance: Instance, options: Options, admin_url: str, secrets: Secrets, payments: Payments, say: Say
) -> dict[str, str]:
    """Migrate the bank and apply its price list, if the bank is ours. Returns the URLs of its logins."""
    before = _check_ownership(instance, options, admin_url, payments, say)
    # The embedded server's database is the bank's own. A database that the user names may have neighbours.
    migrate(admin_url, say=say, options=MigrateOptions(harden=options.database_url is None))
    _apply_catalog(admin_url, options.catalog, payments.prices, say)
    with admin.connect(admin_url, _PURPOSE, autocommit=True) as connection:
        ownership.record(connection, instance.folder)
        urls = logins.urls(connection, admin_url, secrets.logins, os.environ, before)
        with connection.transaction():  # a test clock goes with simulated money, and with no other
            connection.execute("set local role credits_owner")
            connection.execute("select credits.allow_test_clocks(%s)", (payments.simulated,))
            connection.execute("select credits.accept_stripe_livemode(%s)", (payments.live,))
    return urls


def check_catalog(name_or_file: str | None) -> None:
    """Refuse a price list that does not exist, before anything is started. Raises MigrationError."""
    if name_or_file:
        find_catalog(name_or_file)


def _check_ownership(
    instance: Instance, options: Options, admin_url: str, payments: Payments, say: Say
) -> frozenset[str]:
    """Raises OwnershipError for a bank that is not this folder's. Returns the logins that it has already."""
    with admin.connect(admin_url, _PURPOSE, autocommit=True) as connection:
        bank = ownership.look(connection)
        embedded_server = options.database_url is None
        if not embedded_server:
            say(f"using the PostgreSQL at {bank.where}")
        ownership.check(
            bank,
            instance.folder,
            adopt=options.adopt,
            embedded=embedded_server,
            simulated=payments.simulated,
            live=payments.live,
        )
        return logins.existing(connection)


def _apply_catalog(admin_url: str, wanted: str | None, prices: Mapping[str, str], say: Say) -> None:
    catalog = _choose_catalog(admin_url, wanted)
    if catalog:
        apply_catalog(admin_url, catalog, stripe_prices=prices, say=say)
    elif prices:
        say("PGCREDITS_STRIPE_PRICES is not used here: give it to `pgcredits catalog apply`")


def _choose_catalog(admin_url: str, wanted: str | None) -> str | None:
    """The price list to apply. A bank counts in one unit, so a second one is added by hand or not at all."""
    present = applied_catalogs(admin_url)
    if wanted in list_catalogs() and present and wanted not in present:
        raise UpError(
            f"this bank has the price list {', '.join(present)}: choose another data folder for {wanted}, "
            f"or add it to this one with `pgcredits catalog apply {wanted}`"
        )
    if wanted or not present:
        return wanted or "iahome"
    return present[0] if len(present) == 1 and present[0] in list_catalogs() else None
