"""No value from a caller makes PostgreSQL answer in its own words: the bank answers with a slug."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from callers import Caller, Connection
from psycopg import sql

pytestmark = pytest.mark.slow

# Extreme values that each type reads on some version of PostgreSQL.
EXTREMES = {
    "numeric": ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1e131000"],
    "interval": ["infinity", "-infinity", "178000000 years", "-178000000 years", "2562047788 hours", "-1 us"],
    "timestamp with time zone": ["infinity", "-infinity", "294276-12-31 00:00+00", "4713-01-02 00:00+00 BC"],
    "bigint": ["9223372036854775807", "-9223372036854775808"],
    "jsonb": [
        *("null", "5", '"x"', "[]", "{}", "true", "[null]", "[[{}]]"),
        *('{"calls": 1e131000}', '{"seconds": 1e-16000}', '[{"user_id": 5}]'),
    ],
    "text[]": ["{}", "{NULL}", "{{a},{b}}", "[5:6]={a,b}"],
    "text": [
        *("", " ", "x", ":", "٣", "1e5", "0x10", "9" * 40, "00000000-0000-0000-0000-000000000000"),
        *(f"00000000-0000-0000-0000-000000000000:{seq}" for seq in ("0", "1" * 40, "x", "-1", "0x1", "1_0")),
        *(":" * 73, "z" * 36 + ":" + "z" * 36, "{" * 36 + ":" + "0" * 36, "a" * 100000),
    ],
    "boolean": ["true", "false"],
}
GIVEN = {
    "module_id": "whisper",
    "module_name": "whisper",
    "tokens": "1",
    "tokens_to_add": "1",
    "tokens_to_consume": "1",
    "package_name": "x",
    "period": "day",
    "state": "settled",
    "amount": "500",
    "usage": "{}",
    "email": "a@example.com",
    "device_keys": "{" + "a" * 64 + "}",
    "network_keys": "{" + "b" * 64 + "}",
}


def functions(admin: Connection) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Every function of api that a service may call, with its arguments, their types and if optional."""
    found = admin.execute(
        """
        select
            p.proname,
            array_agg(a.name order by a.n) as names,
            array_agg(format_type(a.type_id, null) order by a.n) as types,
            array_agg(a.n > p.pronargs - p.pronargdefaults order by a.n) as optional
        from pg_proc as p
        cross join unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs])
            with ordinality as a (type_id, name, n)
        where p.pronamespace = 'api'::regnamespace
            and has_function_privilege('service_role', p.oid, 'execute')
        group by p.oid, p.proname
        order by p.oid
        """
    ).fetchall()
    return [(row[0], list(zip(*row[1:], strict=True))) for row in found]


@pytest.mark.one_version
def test_extreme_values_never_raise_raw_errors(
    admin: Connection, service: Caller, user: Callable[..., Caller]
) -> None:
    ada = user(1000).user_id
    tried, raw = 0, []
    for name, arguments in functions(admin):
        for argument, kind, _ in arguments:
            for value in EXTREMES.get(kind.removesuffix(" array"), []):
                given = {a: GIVEN.get(a) for a, _, optional in arguments if not optional}
                given |= {"user_id": ada} if any(a == "user_id" for a, _, _ in arguments) else {}
                given[argument] = value
                types = {a: t for a, t, _ in arguments}
                statement = sql.SQL("select api.{}({})").format(
                    sql.Identifier(name),
                    sql.SQL(", ").join(
                        sql.SQL("{} => {}::{}").format(sql.Identifier(a), sql.Literal(v), sql.SQL(types[a]))
                        for a, v in given.items()
                    ),
                )
                # Versions differ in what they can read. A value that the cast refuses never reached the bank.
                try:
                    admin.execute(sql.SQL("select {}::{}").format(sql.Literal(value), sql.SQL(kind)))
                except psycopg.DataError:
                    continue
                tried += 1
                try:
                    with service.connection.transaction(force_rollback=True):
                        service.rows(statement)
                except psycopg.Error as error:
                    if not (error.sqlstate or "").startswith("PT"):
                        raw.append(f"{name}({argument} => {value[:60]}): {error.sqlstate} {error}"[:200])
    assert tried > 500
    assert not raw, "\n" + "\n".join(raw)
