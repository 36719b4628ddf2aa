"""Bring a database up to date. See run.py for the story."""

from pgcredits.bank.migrate.errors import LockedError, MigrationError, PrereleaseError
from pgcredits.bank.migrate.files import HOME, MIGRATIONS, SQL
from pgcredits.bank.migrate.run import Options, Outcome, describe, migrate, plan, run

__all__ = [
    "HOME",
    "MIGRATIONS",
    "SQL",
    "LockedError",
    "MigrationError",
    "Options",
    "Outcome",
    "PrereleaseError",
    "describe",
    "migrate",
    "plan",
    "run",
]
