"""Leave word in the bank of an audit."""

from __future__ import annotations

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.audit.checks import Check


def note(url: str, checks: list[Check]) -> bool:
    """Leave word in the bank of what was found, for those who watch it. False if this login may not."""
    if not checks:
        return False
    try:
        with admin.connect(url, "pgcredits audit") as connection:
            connection.read_only = False  # the default of an auditor is to write nothing
            connection.execute(
                "select credits.note_audit(%s::bigint, %s::bigint)",
                (len(checks), sum(check.rows for check in checks)),
            )
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.FeatureNotSupported,  # a standby: it has no transaction that writes
        psycopg.errors.UndefinedFunction,  # the bank is older than this program
    ):
        return False
    return True
