"""What can go wrong while migrating."""

from __future__ import annotations


class MigrationError(RuntimeError):
    """A file could not be applied; the message names it, and the line where PostgreSQL tells one."""


class LockedError(MigrationError):
    """Somebody held a lock for too long; the message says who."""
