"""What can go wrong while migrating."""

from __future__ import annotations


class MigrationError(RuntimeError):
    """A file could not be applied; the message names it, and the line where PostgreSQL tells one."""


class PrereleaseError(MigrationError):
    """A development state from before 0.1.0 made the database."""


class LockedError(MigrationError):
    """Somebody held a lock for too long; the message says who."""
