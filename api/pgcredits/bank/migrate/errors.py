"""What can go wrong while migrating."""

from __future__ import annotations


class MigrationError(RuntimeError):
    """A file could not be applied. The message names it, and its line when PostgreSQL says which."""


class PrereleaseError(MigrationError):
    """A development state from before 0.1.0 made the database."""


class LockedError(MigrationError):
    """Somebody held a lock for too long. The message says who."""
