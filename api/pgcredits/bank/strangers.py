"""Schemas with our names that a stranger made before us.

Somebody who may create schemas in a database can make one of ours before the first migrate. Its tables and
views can run the stranger's code when an administrator reads or writes them. So we first look in pg_catalog,
and nowhere else, at who owns these schemas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

BANK = ("credits", "api", "analytics", "finance", "audit")
BOOKKEEPING = ("yoyo",)
# Roles that could do anything in this database anyway, and the role that asks.
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
    """A schema of ours belongs to somebody whom we do not trust. The message says what to do."""


def refuse(connection: psycopg.Connection[Any], schemas: Sequence[str], whole: Sequence[str] = ()) -> None:
    """Raises StrangersError when a stranger owns one of `schemas`, or anything in one of `whole`."""
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
