"""Schemas that somebody made before us, under our names.

Whoever may create schemas in a database can make one of ours before the first migrate, with tables and views
that run code of theirs when an administrator reads or writes them. So these are looked at first, in
pg_catalog alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

BANK = ("credits", "api", "analytics", "audit")
BOOKKEEPING = ("yoyo",)
# Whoever could do as they like in this database without a schema of ours, or who asks.
TRUSTED = (
    "(r.rolsuper or r.rolname in ('credits_owner', current_user)"
    " or r.oid = (select d.datdba from pg_database as d where d.datname = current_database()))"
)
_FOUND = f"""
    select 'schema ' || quote_ident(n.nspname), r.rolname
    from pg_namespace as n
    join pg_roles as r on r.oid = n.nspowner
    where n.nspname = any(%(schemas)s) and not {TRUSTED}
    union all
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname), r.rolname
    from pg_namespace as n
    join pg_class as c on c.relnamespace = n.oid
    join pg_roles as r on r.oid = c.relowner
    where n.nspname = any(%(whole)s) and not {TRUSTED}
    limit 1
"""  # noqa: S608 - constants of ours


class StrangersError(RuntimeError):
    """A schema of ours belongs to somebody who is not trusted with it; the message says what to do."""


def refuse(connection: psycopg.Connection[Any], schemas: Sequence[str], whole: Sequence[str] = ()) -> None:
    """Raises StrangersError for one of `schemas`, or something in one of `whole`, that is somebody's."""
    found = connection.execute(
        _FOUND.encode(), {"schemas": [*schemas, *whole], "whole": list(whole)}
    ).fetchone()
    if found is not None:
        what, owner = found
        raise StrangersError(
            f"{what} belongs to {owner}, who is neither a superuser nor the owner of this database, and could"
            " have put anything there. Nothing was done. Look at it; then drop it, or give it to the owner of"
            " the database"
        )
