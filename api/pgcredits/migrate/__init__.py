"""Bring a database up to date, and fill its catalogue. See run.py for the story."""

from pgcredits.migrate.catalogs import applied_catalogs, apply_catalog, find_catalog, list_catalogs
from pgcredits.migrate.errors import LockedError, MigrationError, PrereleaseError
from pgcredits.migrate.files import HOME, MIGRATIONS, SQL
from pgcredits.migrate.run import Options, Outcome, describe, migrate, plan, run

__all__ = [
    "HOME",
    "MIGRATIONS",
    "SQL",
    "LockedError",
    "MigrationError",
    "Options",
    "Outcome",
    "PrereleaseError",
    "applied_catalogs",
    "apply_catalog",
    "describe",
    "find_catalog",
    "list_catalogs",
    "migrate",
    "plan",
    "run",
]
