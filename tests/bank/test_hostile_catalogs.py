"""Price lists written to do something else: each is refused with a reason, and nothing of it is applied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pglast
import psycopg
import pytest
from callers import Connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pglast import ast
from psycopg import sql

from pgcredits.bank.catalogs import apply_catalog, catalog_file, catalog_text, catalog_words
from pgcredits.bank.migrate import MigrationError

pytestmark = pytest.mark.one_version

SOUND = "select credits.define_module('sound', 'Sound');\n"
REFUSED = r"hostile\.sql:\d+: a price list holds `select credits\.define_…\(…\);` and nothing else"
CALL = "select credits.define_module('x', {});"

# Functions that everybody may call, in place of an argument.
CALLS = [
    "set_config('statement_timeout', '0', false)",
    "set_config('lock_timeout', '0', false)",
    "set_config('pgcredits.stripe_prices', '{}', false)",
    "set_config('role', 'credits_owner', false)",
    "pg_sleep(3600)::text",
    "pg_catalog.pg_sleep(3600)::text",
    "pg_advisory_lock(1)::text",
    "pg_try_advisory_xact_lock(1)::text",
    "pg_notify('somebody', 'here')::text",
    "lo_from_bytea(0, 'x')::text",
    "lo_creat(-1)::text",
    "lo_import('/etc/hostname')::text",
    "pg_read_file('/etc/hostname')",
    "txid_current()::text",
    "pg_current_xact_id()::text",
    "version()",
    "random()::text",
    "gen_random_uuid()::text",
    "current_setting('pgcredits.stripe_prices')",
    "current_setting('data_directory')",
    "nextval('credits.prices_price_id_seq')::text",
    "pg_terminate_backend(1)::text",
    "dblink('host=127.0.0.1', 'select 1')",
    "query_to_xml('select 1', true, true, '')::text",
    "public.theirs('x')",
    "credits.define_module('y', 'Y')",
    "api.add_tokens('thief', 1000)",
    "now()::text",
    "clock_timestamp()::text",
    "current_user",
    "current_date::text",
    "localtimestamp::text",
    "session_user::text",
    "current_setting('x')",
    "coalesce(null, 'X')",
    "nullif('X', 'Y')",
    "greatest('X', 'Y')",
    "concat('X', 'Y')",
    "format('%s', 'X')",
    "case when true then 'X' end",
    "xmlserialize(content 'x' as text)",
    "row('X')::text",
    "array(select 'X')::text",
    "array['X']::text",
    "grouping('X')::text",
]
# Expressions that are not constants, in place of an argument.
VALUES = [
    "(select 'X')",
    "(select rolname from pg_catalog.pg_roles limit 1)",
    "(table pg_catalog.pg_roles limit 1)",
    "(values ('X'))",
    "(with a as (select pg_sleep(9)) select 'X' from a)",
    "exists (select)",
    "'a' || 'b'",
    "'X' operator(public.||) 'Y'",
    "1 + 1",
    "- (1)",
    "- -1",
    "-'1'",
    "not true",
    "'X' collate \"C\"",
    "'X' at time zone 'UTC'",
    "'X' is null",
    "'X' in ('Y')",
    "'X' like 'Y'",
    "('X')",
    "((('X')))",
    "('X', 'Y')",
    "'X'::regclass",
    "'credits.accounts'::regclass::text",
    "'X'::public.theirs",
    "'X'::text::jsonb",
    "'X'::text[]",
    "'X'::numeric(9, 2)",
    "'X'::credits.tokens",
    "'X'::\"text\"",
    "cast((select 'X') as text)",
    "cast('X' as public.theirs)",
    "public.theirs 'X'",
    "theirs 'X'",
    "regproc 'X'",
    "interval (3) '7 days'",
    "interval '7' day",
    "E'X'",
    "E'\\', pg_sleep(9)); --'",
    "U&'\\0058'",
    "U&'!0058' uescape '!'",
    "B'101'",
    "X'FF'",
    "N'X'",
    "x",
    '"x"',
    "*",
    "$1",
    ":x",
    ":'x'",
    "@x",
    "0x64",
    "1_000",
    "0b1",
    "1a",
    "variadic array['X']",
    "all 'X'",
    "distinct 'X'",
    "'X' order by 1",
    "default",
    "unknown",
    "array[1, 2]",
    "'X'[1]",
    "('X').x",
    "timestamptz 'now' + interval '1 day'",
    "p_title => lower('X')",
    "p_title => p_title => 'X'",
    "\"p_title\" => 'X'",
    "'X',",
    ",'X'",
    "'X' 'Y'",
    "'X'\n'Y'",
    "$$X$$ || $$Y$$",
    "'X' /* ' */ || 'Y'",
    "'X' -- ')\n || 'Y'",
]
# Statements that do not define anything.
STATEMENTS = [
    "select;",
    "select 1;",
    "select credits.define_module('x', 'X'), credits.define_module('y', 'Y');",
    "select credits.define_module('x', 'X') as x;",
    "select credits.define_module('x', 'X') x;",
    "select credits.define_module('x', 'X')::text;",
    "select (credits.define_module('x', 'X'));",
    "select (credits.define_module('x', 'X')).*;",
    "select all credits.define_module('x', 'X');",
    "select distinct credits.define_module('x', 'X');",
    "select credits.define_module('x', 'X') over ();",
    "select credits.define_module('x', 'X') filter (where true);",
    "select credits.define_module('x', 'X') within group (order by 1);",
    "select credits.define_module(all 'x', 'X');",
    "select credits.define_module('x', 'X' order by 1);",
    "select credits.define_module('x', 'X') from generate_series(1, 1000000000);",
    "select credits.define_module('x', 'X') from pg_catalog.pg_authid;",
    "select credits.define_module('x', 'X') from (values (1)) as v (x), lateral pg_sleep(9);",
    "select credits.define_module('x', 'X') where pg_sleep(9) is null;",
    "select credits.define_module('x', 'X') group by 1;",
    "select credits.define_module('x', 'X') having true;",
    "select credits.define_module('x', 'X') window w as ();",
    "select credits.define_module('x', 'X') order by pg_sleep(9);",
    "select credits.define_module('x', 'X') limit (select 1);",
    "select credits.define_module('x', 'X') offset 0;",
    "select credits.define_module('x', 'X') for update;",
    "select credits.define_module('x', 'X') into mine;",
    "select credits.define_module('x', 'X') into temp mine;",
    "select credits.define_module('x', 'X') union all select pg_sleep(9);",
    "select credits.define_module('x', 'X') except select 1;",
    "(select credits.define_module('x', 'X'));",
    "select * from credits.define_module('x', 'X');",
    "select from credits.define_module('x', 'X');",
    "with a as (select pg_sleep(9)) select credits.define_module('x', 'X');",
    "with a as (select credits.define_module('x', 'X')) select * from a;",
    "values (credits.define_module('x', 'X'));",
    "table credits.packs;",
    "call credits.define_module('x', 'X');",
    "do $$ begin perform credits.define_module('x', 'X'); end $$;",
    "explain analyze select credits.define_module('x', 'X');",
    "prepare p as select credits.define_module('x', 'X');",
    "execute p;",
    "declare c cursor for select credits.define_module('x', 'X');",
    "create table mine as select credits.define_module('x', 'X');",
    "create temp view mine as select 1;",
    "copy (select credits.define_module('x', 'X')) to stdout;",
    "copy credits.modules from stdin;\nx\tX\n\\.\n",
    "copy (select 1) to program 'true';",
    "insert into credits.modules select credits.define_module('x', 'X');",
    "merge into credits.modules using (select 1) as s on true when matched then delete;",
    "set statement_timeout = 0;",
    "set local lock_timeout = 0;",
    "set session authorization postgres;",
    "set transaction isolation level serializable;",
    "reset all;",
    "reset role;",
    "discard all;",
    "show all;",
    "begin;",
    "commit;",
    "commit and chain;",
    "rollback;",
    "abort;",
    "savepoint x;",
    "prepare transaction 'x';",
    "lock table credits.packs;",
    "listen somebody;",
    "notify somebody;",
    "load 'auto_explain';",
    "vacuum;",
    "checkpoint;",
    "grant all on schema credits to public;",
    "alter role pgcredits_catalog superuser;",
    "security label on role postgres is 'x';",
    "\\! true",
    "\\i /etc/passwd",
    "\\gexec",
    "\\copy credits.modules from '/etc/passwd'",
    "select credits.define_module('x', 'X') \\gset",
    "select define_module('x', 'X');",
    "select credits.\"define_module\"('x', 'X');",
    "select \"credits\".define_module('x', 'X');",
    "select U&\"cr\\0065dits\".define_module('x', 'X');",
    "select public.define_module('x', 'X');",
    "select postgres.credits.define_module('x', 'X');",
    "select pg_temp.define_module('x', 'X');",
    "select credits.define_modulе('x', 'X');",  # a Cyrillic letter
    "select credits.show_catalog();",
    "select credits.check_stripe_prices();",
    "select credits.define_module$$('x', 'X');",
    "select credits.define_module;",
    "select credits.define_module('x', 'X'",
    "select credits.define_module('x', 'X'));",
    "select credits.define_module('x', 'X') credits.define_module('y', 'Y');",
    "select credits.define_module('x', 'X') select credits.define_module('y', 'Y');",
    "select credits.define_module('x', 'X'); select pg_sleep(9);",
    "select credits.define_module('x', 'X');; drop table credits.packs;",
    "-- \nselect credits.define_module('x', 'X')--\n, pg_sleep(9);",
    "/* /* */ select credits.define_module('x', 'X'); */ select pg_sleep(9);",
    "select credits.define_module('x', $a$X$a$, $b$');$b$); reset role;",
    "select credits.define_module('x', 'X') /* ; */ , pg_sleep(9);",
    "select credits.define_module('x\\', pg_sleep(9), '');",
    "\u00a0select credits.define_module('x', 'X');",
    "select\u200bcredits.define_module('x', 'X');",
    "select credits.define_module(‘x’, ‘X’);",
    "select\vcredits.define_module('x', 'X');",
]
HOSTILE = [CALL.format(value) for value in (*CALLS, *VALUES)] + STATEMENTS


@pytest.fixture(scope="module")
def admin(admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def bank(admin: Connection, admin_url: str) -> Iterator[str]:
    """A bank in which somebody has made objects with the names that the files use."""
    admin.execute("create schema if not exists public")
    admin.execute("create table public.fired (at text)")
    admin.execute("grant insert on public.fired to public")
    admin.execute("create domain public.theirs as text")
    admin.execute(
        "create function public.theirs(text) returns text language sql"
        " as $$ insert into public.fired values ($1) returning at $$"
    )
    admin.execute(
        "create function public.define_module(text, text) returns text language sql"
        " as $$ insert into public.fired values ($1) returning at $$"
    )
    admin.execute(
        "create function public.joined(text, text) returns text language sql"
        " as $$ insert into public.fired values ($1) returning at $$"
    )
    admin.execute("create operator public.|| (leftarg = text, rightarg = text, function = public.joined)")
    yield admin_url
    admin.execute("drop table public.fired")
    admin.execute("drop operator public.|| (text, text)")
    for function in ("theirs(text)", "define_module(text, text)", "joined(text, text)"):
        admin.execute(f"drop function public.{function}")
    admin.execute("drop domain public.theirs")


def shown(db: Connection) -> list[Any]:
    return db.execute("select line from credits.show_catalog() as line order by line").fetchall()


@pytest.fixture(scope="module")
def before(admin: Connection, bank: str) -> list[Any]:
    return shown(admin)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_file_is_refused_before_anything_is_connected(text: str, tmp_path: Path) -> None:
    (file := tmp_path / "hostile.sql").write_text(SOUND + text + "\n" + SOUND)
    with pytest.raises(MigrationError, match=REFUSED + r"|hostile\.sql:\d+: a comment has no end"):
        apply_catalog("postgresql://nobody@127.0.0.1:1/nothing", str(file))


@pytest.mark.parametrize("text", HOSTILE[::12])
def test_nothing_of_a_hostile_file_is_applied(
    text: str, admin: Connection, bank: str, before: list[Any], tmp_path: Path
) -> None:
    (file := tmp_path / "hostile.sql").write_text(SOUND + text + "\n" + SOUND)
    with pytest.raises(MigrationError, match=r"hostile\.sql:\d+: "):
        apply_catalog(bank, str(file))
    assert shown(admin) == before
    assert admin.execute("select * from public.fired").fetchall() == []


def test_refusal_names_the_line_and_its_text(tmp_path: Path) -> None:
    (file := tmp_path / "hostile.sql").write_text(
        "-- one\n/* two\nthree */\nselect credits.define_module(\n    'x',\n    pg_sleep(9)\n);\n"
    )
    with pytest.raises(MigrationError, match=r"^hostile\.sql:6: .*'pg_sleep' stands where a constant"):
        catalog_file.read(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"select credits.define_module('x', '\xff');", r"hostile\.sql:1: this is not UTF-8"),
        (b"\n\nselect credits.define_module('x', 'a\0b');", r"hostile\.sql:3: a NUL"),
        (SOUND.encode("utf-16"), "this is not UTF-8"),
        (b"--" + b"x" * 1_000_000, r"at most 1,000,000 bytes"),
        (b"select credits.define_x();" * 10_001, r"at most 10,000 definitions"),
        (b"/*" * 100_000, "a comment has no end"),
        (b"select credits.define_module('x', '" + b"''" * 100_000, "is none of these"),
        (b"select credits.define_module(" + b"(" * 100_000, "stands where a constant should be"),
    ],
)
def test_a_file_is_bounded_and_text(content: bytes, message: str, tmp_path: Path) -> None:
    (file := tmp_path / "hostile.sql").write_bytes(content)
    with pytest.raises(MigrationError, match=message):
        catalog_file.read(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "select credits.define_nothing('x');",
            r"hostile\.sql:2: there is no credits\.define_nothing",
        ),
        *(
            (
                f"select credits.define_module({arguments});",
                r"hostile\.sql:2: credits\.define_module takes p_mod",
            )
            for arguments in (
                "'x', p_no => 'X'",
                "5, 'X'",
                "'x', 'X', p_active => 5",
                "'x'",
                "'a', 'b', 'c', true, 5",
            )
        ),
        *(
            (
                f"select credits.define_campaign('c', 'promo', 'C', 5, p_budget => {number});",
                r"hostile\.sql:2: p_budget is a whole number, in digits\. It is",
            )
            for number in ("1e2", "100.0", "1.5::bigint", "-1e2", ".5")
        ),
        (
            "select credits.define_campaign('c', 'promo', 'C', 5, p_budget => 99999999999999999999);",
            r"hostile\.sql:2: credits\.define_campaign takes .*p_budget bigint",
        ),
        (
            "select credits.define_pack('x', 'X', 'many', 5, 'eur');",
            r"hostile\.sql:2: p_tokens is a decimal number\. It is 'many'",
        ),
        *(
            (
                f"select credits.define_pack('x', 'X', {number}, 500, 'eur');",
                r"hostile\.sql:2: p_tokens is a decimal",
            )
            for number in ("'0x64'", "'1_000'", "'1e3'", "' 5 '", "'Infinity'", "'NaN'", "'0x64'::text")
        ),
        *(
            (
                f"select credits.define_pack('x', 'X', 5, {amount}, 'eur');",
                rf"hostile\.sql:2: p_amount is a {what}",
            )
            for amount, what in (
                ("'0x1F4'", "whole number"),
                ("'5_00'", "whole number"),
                ("'5e2'", "whole number"),
                ("'0x1F4'::int8", "whole number"),
                ("'0o764'", "whole number"),
            )
        ),
        *(
            (
                f"select credits.define_pack('x', 'X', 5, 500, 'eur', p_expires_after => {life});",
                r"hostile\.sql:2: p_expires_after is a length of time",
            )
            for life in ("'infinity'", "interval 'infinity'", "'-infinity'", "'@ 1 day'", "'0x10 days'", "''")
        ),
        (
            "select credits.define_campaign('c', 'promo', 'C', 5, p_valid_from => '294276-01-01');",
            r"hostile\.sql:2: p_valid_from is a date that is written out",
        ),
        (
            "select credits.define_campaign('c', 'promo', 'C', 5, p_valid_from => '1999-12-31');",
            r"hostile\.sql: campaign 'c': valid_from and valid_until are times from the year 2000 to 9999",
        ),
        ("select credits.define_price('[[[');", r"hostile\.sql:2: invalid input syntax for type json"),
        (
            "select credits.define_campaign('c', 'promo', 'C', 5, p_valid_until => 'tomorrow');",
            r"hostile\.sql:2: p_valid_until is a date that is written out",
        ),
        (
            "select credits.define_campaign('c', 'promo', 'C', 5, 0, null, 1, 'now');",
            r"hostile\.sql:2: p_valid_from is a date that is written out",
        ),
        (
            "select credits.define_campaign('c', 'promo', 'C', 5, p_valid_until => timestamptz 'infinity');",
            r"hostile\.sql:2: p_valid_until is a date that is written out",
        ),
        (f"select credits.define_price('{'[' * 200_000}');", r"hostile\.sql:2: stack depth limit exceeded"),
        (
            "select credits.define_module('x', 'X', p_active => 'perhaps');",
            r"hostile\.sql:2: p_active is true or false\. It is 'perhaps'",
        ),
    ],
)
def test_database_refusal_names_the_line(
    line: str, message: str, admin: Connection, bank: str, before: list[Any], tmp_path: Path
) -> None:
    (file := tmp_path / "hostile.sql").write_text(SOUND + line)
    with pytest.raises(MigrationError, match=message):
        apply_catalog(bank, str(file))
    assert shown(admin) == before


@pytest.mark.parametrize(
    "arguments", ["p_module_id text, p_title text", "integer", "p_module_id text, variadic text[]"]
)
def test_overload_of_a_define_function_is_refused(
    db: Connection, url: str, tmp_path: Path, arguments: str
) -> None:
    """Otherwise anyone who may create in our schema could replace a define_ function."""
    before = shown(db)
    db.execute(
        f"create function credits.define_module({arguments}) returns text language sql as $$ select '' $$"
    )
    db.execute("grant execute on all functions in schema credits to pgcredits_catalog")
    (file := tmp_path / "hostile.sql").write_text("select credits.define_category('x', 'X');\n" + SOUND)
    with pytest.raises(MigrationError, match=r"hostile\.sql:2: credits\.define_module is not as sql/ has it"):
        apply_catalog(url, str(file))
    assert shown(db) == before


def test_foreign_define_function_is_refused(db: Connection, url: str, tmp_path: Path) -> None:
    db.execute("create function credits.define_secret(text) returns text language sql as $$ select '' $$")
    (file := tmp_path / "hostile.sql").write_text("select credits.define_secret('x');")
    with pytest.raises(MigrationError, match=r"credits\.define_secret is not as sql/ has it"):
        apply_catalog(url, str(file))


def test_a_setting_of_the_login_says_nothing_about_prices(db: Connection, url: str) -> None:
    """The price ids of the operator come as a setting of the transaction, and from nowhere else."""
    name = sql.Identifier(db.info.dbname)
    ids = json.dumps({"standard": "price_of_somebody_else"})
    db.execute(
        sql.SQL("alter role pgcredits_catalog in database {} set pgcredits.stripe_prices = {}").format(
            name, sql.Literal(ids)
        )
    )
    apply_catalog(url, "iahome")
    row = db.execute("select stripe_price_id from credits.packs where pack_id = 'standard'").fetchone()
    assert row == (None,)


def test_a_file_cannot_outlast_its_bounds(
    db: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(db)
    monkeypatch.setattr(catalog_file, "SECONDS", 0)
    (file := tmp_path / "long.sql").write_text(SOUND * 20)
    with pytest.raises(MigrationError, match=r"long\.sql:\d+: the price list takes longer than 0 s"):
        apply_catalog(url, str(file))
    assert shown(db) == before


# What is right

CONSTANTS = [
    "'X'",
    "'it''s'",
    "'back\\slash'",
    "'; drop table x; --'",
    "'/* no comment'",
    "'ünï — 名'",
    "$$it's$$",
    "$a$ $$ $b$ $a$",
    "''",
    "1",
    "-1",
    "+1",
    "1.50",
    ".5",
    "1.",
    "1e3",
    "-1.5E-3",
    "true",
    "FALSE",
    "null",
    "'X'::text",
    "'7 days'::interval",
    "interval '7 days'",
    "date'2027-01-31'",
    "timestamp with time zone '2027-01-31 00:00Z'",
    "'2027-01-31'::timestamp without time zone",
    "cast('[]' as jsonb)",
    '\'[{"a": "%s %% {}"}]\'::jsonb',
    "-5::bigint",
    "null::numeric",
    "p_title => 'X'",
    "P_Title := 'X'",
]
# The nodes of PostgreSQL's own parser that a definition is made of.
ALLOWED = {
    ast.RawStmt,
    ast.SelectStmt,
    ast.ResTarget,
    ast.FuncCall,
    ast.A_Const,
    ast.TypeCast,
    ast.TypeName,
    ast.NamedArgExpr,
    ast.String,
    ast.Integer,
    ast.Float,
    ast.Boolean,
}


def nodes(tree: Any) -> Iterator[ast.Node]:
    if isinstance(tree, tuple):
        for part in tree:
            yield from nodes(part)
    elif isinstance(tree, ast.Node):
        yield tree
        for name in tree:
            yield from nodes(getattr(tree, name))


def check_by_postgresql(statement: str, number: int = 1) -> None:
    """Is it `number` calls of credits.define_… with constants, to the parser of PostgreSQL?"""
    tree = pglast.parse_sql(statement)
    assert {type(node) for node in nodes(tree)} <= ALLOWED
    calls = [node for node in nodes(tree) if isinstance(node, ast.FuncCall)]
    assert len(tree) == len(calls) == number
    for call in calls:
        schema, word = (part.sval for part in call.funcname)
        assert schema == "credits"
        assert word.startswith("define_")
        assert not call.agg_order and not call.agg_filter and not call.over and not call.agg_distinct
    for name in (node for node in nodes(tree) if isinstance(node, ast.TypeName)):
        assert name.names[0].sval == "pg_catalog"
        assert not name.arrayBounds


def written(definition: catalog_text.Definition) -> str:
    words = {definition.word: catalog_words.Word({}, ours=True)}
    return catalog_words.statement(words, definition).as_string(None)


@pytest.mark.parametrize("constant", CONSTANTS)
def test_constants_mean_what_postgresql_means(constant: str, admin: Connection) -> None:
    text = f"Select /* a */ Credits.Define_Module\n( 'x' , {constant} ) -- b\n"
    (definition,) = catalog_text.parse(text, "fine.sql")
    check_by_postgresql(written(definition))
    (value,) = (argument.value for argument in definition.arguments[1:])
    said = constant.split("=>")[-1].split(":= ")[-1]
    rewritten = written(definition).split("'x', ", 1)[1].split('"p_title" => ')[-1].removesuffix(")")
    row = admin.execute(f"select ({said})::text, ({rewritten})::text".replace("%", "%%"), ()).fetchone()
    assert row is not None
    assert row[0] == row[1]
    assert value.kind in ("text", "number", "word")


PIECES = [
    *(
        "select",
        "credits",
        ".",
        "define_module",
        "define_price",
        "(",
        ")",
        ",",
        ";",
        "=>",
        ":=",
        "::",
        "-",
        "+",
    ),
    *(
        "'x'",
        "''",
        "'",
        "$$",
        "$a$",
        "1",
        "1.5",
        "true",
        "null",
        "text",
        "jsonb",
        "interval",
        "cast",
        "as",
        "p_x",
    ),
    *("--", "/*", "*/", "\n", " ", " ", " ", "\\", '"', "E'", "pg_sleep(9)", "array[", "]", "from", "@", "é"),
]
CALLED = "select credits.define_module({});"


@settings(max_examples=3000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_reader_agrees_with_postgresqls_parser(text: str) -> None:
    for attempt in (text, CALLED.format(text), SOUND + text, SOUND.rstrip("\n") + text + SOUND):
        try:
            definitions = catalog_text.parse(attempt, "any.sql")
        except MigrationError:
            continue
        for definition in definitions:
            check_by_postgresql(written(definition))
        # To PostgreSQL, too, the file itself is these calls, and as many.
        if definitions:
            tree = pglast.parse_sql(attempt)
            assert len(tree) == len(definitions)
            assert {type(node) for node in nodes(tree)} <= ALLOWED | {ast.A_Expr}  # +1
