"""The grammar of the dialect: the SQL that a query string becomes, and what is refused by name."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pglast import ast, parse_sql
from pglast.visitors import Visitor

from pgcredits.http.database.pools import Statement
from pgcredits.http.dialect import media_types, query, query_string
from pgcredits.http.dialect.conditions import DEEPEST, MOST_CONDITIONS
from pgcredits.http.dialect.fields import MOST_STEPS, Source
from pgcredits.http.dialect.ordering import MOST_TERMS
from pgcredits.http.dialect.selection import MOST_COLUMNS
from pgcredits.http.errors import ApiError

pytestmark = pytest.mark.one_version

TYPES = {
    "entry_id": "text",
    "tokens": "numeric",
    "metadata": "jsonb",
    "tags": "text[]",
    'we"ird%s{}': "text",
    "select": "text",
}
ENTRIES = Source("entries", TYPES)
CSV = media_types.accepted("text/csv")
STRIPPED = media_types.accepted("application/vnd.pgrst.array+json;nulls=stripped")
SINGLE = media_types.accepted("application/vnd.pgrst.object+json")

ATTACKS = [
    *("'", '"', ";", "--", "/*", "\\", "$$", "%s", "%(x)s", "{}", ")", "(", ")or(", "' or '1'='1"),
    *("entry_id::regclass", "pg_sleep(9)", "\u2019 or 1=1", "(select 1)", 'a" as "b', "entry_id\n", ""),
]
GRAMMAR = st.sampled_from(
    [
        *TYPES,
        *ATTACKS,
        *("eq.", "eq.1", "like(any).", "in.(", "is.null", "fts(english).", "not.", "cs.{a}"),
        *(
            "and(",
            "or(",
            "->",
            "->>",
            "->0",
            "::text",
            ".asc",
            ".desc",
            ".nullslast",
            ",",
            ":",
            ".",
            "*",
            "7",
        ),
    ]
)
PAIRS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(["select", "order", "limit", "offset", "or", "not.and", *TYPES]),
            st.text(max_size=20),
            GRAMMAR,
        ),
        st.one_of(st.lists(GRAMMAR, max_size=6).map("".join), st.text(max_size=30)),
    ),
    max_size=5,
)


def asked(query_string_: str) -> query.Query:
    return query.parse(ENTRIES, query_string.pairs(query_string_.encode()))


def statement(
    query_string_: str, media_type: media_types.MediaType = media_types.JSON, *, counted: bool = False
) -> Statement:
    return asked(query_string_).of_view("entries", media_type, 100, counted=counted)


def rows(query_string_: str) -> str:
    """The SELECT that reads the rows."""
    found = re.search(r" from \((.*)\) as _row\Z", statement(query_string_).sql, re.S)
    assert found
    return found[1]


def where(query_string_: str) -> tuple[str, tuple[str | int | None, ...]]:
    """The condition of a query string, and its values."""
    found = re.search(r" where (.*) limit 100 offset 0\Z", rows(query_string_), re.S)
    assert found
    return found[1].replace("_source.", ""), statement(query_string_).values


def refusal(query_string_: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        asked(query_string_)
    return caught.value


def test_a_view_is_read_by_one_select() -> None:
    read = statement("select=id:entry_id,tokens&tokens=gt.5&order=tokens.desc.nullslast&limit=7&offset=3")
    assert read.sql == (
        "select coalesce(json_agg(_row.*)::text, '[]'), count(*), null::bigint,"
        " current_setting('response.headers', true), current_setting('response.status', true)"
        ' from (select _source."entry_id" as "id", _source."tokens" as "tokens"'
        ' from api."entries" as _source where _source."tokens" > %s'
        ' order by _source."tokens" desc nulls last limit 7 offset 3) as _row'
    )
    assert read.values == ("5",)


def test_counting_repeats_the_conditions_without_the_page() -> None:
    read = statement("tokens=gt.5&limit=1", counted=True)
    assert '(select count(*) from api."entries" as _source where _source."tokens" > %s)' in read.sql
    assert read.values == ("5", "5")


def test_rows_are_capped() -> None:
    assert rows("").endswith(" limit 100 offset 0")
    assert rows("limit=100000000").endswith(" limit 100 offset 0")
    assert rows("limit=0").endswith(" limit 0 offset 0")


@pytest.mark.parametrize(
    ("select", "columns"),
    [
        ("entry_id", '_source."entry_id" as "entry_id"'),
        ("id:entry_id", '_source."entry_id" as "id"'),
        (' "my id" : entry_id ', '_source."entry_id" as "my id"'),
        ('"we\\"ird%s{}"', '_source."we""ird%%s{}" as "we""ird%%s{}"'),
        ('"{}%s":entry_id', '_source."entry_id" as "{}%%s"'),
        ("tokens::text", '(_source."tokens")::text as "tokens"'),
        ("t:tokens::INT8", '(_source."tokens")::bigint as "t"'),
        ("metadata->a", '(_source."metadata" -> %s) as "a"'),
        ("metadata->a->>0", '(_source."metadata" -> %s ->> (0)) as "a"'),
        ("metadata->-1", '(_source."metadata" -> (-1)) as "metadata"'),
        ('m:metadata->"a b"->>c-d::numeric', '((_source."metadata" -> %s ->> %s))::numeric as "m"'),
        ("tags->0", '(to_jsonb(_source."tags") -> (0)) as "tags"'),
    ],
)
def test_columns_become_sql(select: str, columns: str) -> None:
    (column,) = query.parse(ENTRIES, [("select", select)]).columns or []
    sql = query.parse(ENTRIES, [("select", select)]).of_view("entries", CSV, 9, counted=False).sql
    assert f"from (select {columns} from" in sql
    assert column[1].text.replace("%%", "").count("%s") == len(column[1].values)


@pytest.mark.parametrize("select", ["", "*", " "])
def test_all_columns_are_the_default(select: str) -> None:
    for pairs in ([], [("select", select)]):
        read = query.parse(ENTRIES, pairs).of_view("entries", CSV, 9, counted=False)
        assert "from (select _source.* from" in read.sql
        assert read.values == (",".join(['"we""ird%s{}"' if '"' in name else name for name in TYPES]) + "\n",)
    columns = asked("select=*,x:tokens").columns
    assert columns and [label for label, _ in columns] == [*TYPES, "x"]


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("tokens=eq.5", '"tokens" = %s', ("5",)),
        ("tokens=neq.5", '"tokens" <> %s', ("5",)),
        ("tokens=not.gte.5", 'not ("tokens" >= %s)', ("5",)),
        ("tokens=eq.1e3", '"tokens" = %s', ("1e3",)),
        ("entry_id=eq.a.b,c", '"entry_id" = %s', ("a.b,c",)),
        ("entry_id=eq.", '"entry_id" = %s', ("",)),
        ("entry_id=eq.%25s+%2B", '"entry_id" = %s', ("%s +",)),
        ("entry_id=like.*a_%25", '"entry_id" like %s', ("%a_%",)),
        ("entry_id=ilike(any).{a*,b}", '"entry_id" ilike any(%s)', ("{a%,b}",)),
        ("entry_id=match.^a*", '"entry_id" ~ %s', ("^a*",)),
        ("entry_id=isdistinct.a", '"entry_id" is distinct from %s', ("a",)),
        ("tokens=gt(all).{1,2}", '"tokens" > all(%s)', ("{1,2}",)),
        ("tokens=in.(1,%202)", '"tokens" = any(%s)', ('{"1","2"}',)),
        ("entry_id=in.()", '"entry_id" = any(%s)', ("{}",)),
        ('entry_id=in.("a,b",c"d,"e\\"\\\\f")', '"entry_id" = any(%s)', ('{"a,b","c\\"d","e\\"\\\\f"}',)),
        ("entry_id=is.not_null", '"entry_id" is not null', ()),
        ("entry_id=not.is.NULL", 'not ("entry_id" is null)', ()),
        ("tags=cs.{a}", '"tags" @> %s', ("{a}",)),
        ("tags=adj.[1,2)", '"tags" -|- %s', ("[1,2)",)),
        ("entry_id=fts.a", 'to_tsvector("entry_id") @@ to_tsquery(%s)', ("a",)),
        (
            "entry_id=wfts(french).a b",
            'to_tsvector(%s::regconfig, "entry_id") @@ websearch_to_tsquery(%s::regconfig, %s)',
            ("french", "french", "a b"),
        ),
        ("metadata->>a=eq.1", '("metadata" ->> %s) = %s', ("a", "1")),
        ("or=(tokens.eq.1,tokens.eq.2)", '("tokens" = %s or "tokens" = %s)', ("1", "2")),
        ("not.and=(tokens.eq.1)", 'not ("tokens" = %s)', ("1",)),
        (
            'or=(entry_id.eq."a,b)",and(tokens.gt.1,not.or(tags.cs.{a,b},entry_id.in.(x,y))))',
            '("entry_id" = %s or ("tokens" > %s and not ("tags" @> %s or "entry_id" = any(%s))))',
            ("a,b)", "1", "{a,b}", '{"x","y"}'),
        ),
        ("tokens=gt.1&tokens=lt.9", '"tokens" > %s and "tokens" < %s', ("1", "9")),
    ],
)
def test_conditions_become_sql(text: str, sql: str, values: tuple[str, ...]) -> None:
    assert where(text) == (sql, values)


def test_forms_of_the_answer_become_sql() -> None:
    assert statement("select=tokens", STRIPPED).sql.startswith(
        "select coalesce(json_strip_nulls(json_agg(_row.*))::text, '[]'), count(*)"
    )
    assert statement("select=tokens", SINGLE).sql.startswith(
        "select coalesce((json_agg(_row.*) -> 0)::text, 'null'), count(*)"
    )
    assert statement('select="a,b":tokens,x:tokens', CSV).values == ('"a,b",x\n',)


def test_a_call_is_made_once_and_always() -> None:
    call = Statement("select _result.* from api.f(%s) as _result", ("1",), about="ada", kind="k")
    made = query.parse(Source("f", {"a": "integer"}), [("a", "gt.2"), ("limit", "0")]).of_call(
        call, media_types.JSON, 100, counted=True, scalar=False, one=False
    )
    assert made.sql.startswith(
        "with _called as materialized (select _result.* from api.f(%s) as _result) select"
    )
    assert "(select count(*) from _called) from (select" in made.sql
    assert made.sql.count("api.f(") == 1
    assert (made.values, made.about, made.kind) == (("1", "2", "2"), "ada", "k")


@pytest.mark.parametrize(
    ("query_string_", "named"),
    [
        ("columns=tokens", "columns"),
        ("on_conflict=tokens", "on_conflict"),
        ("select=orders(*)", "embedding"),
        ("select=...orders(id)", "embedding"),
        ("select=o:orders!inner(id)", "embedding"),
        ("select=tokens.sum()", "aggregates"),
        ("select=count()", "aggregates"),
        ("select=tokens::regclass", "a cast to regclass"),
        ("select=tokens::pg_catalog.text", "a cast to pg_catalog"),
        ("orders.id=eq.1", "embedded"),
        ("orders.or=(id.eq.1)", "embedded"),
        ("order=orders(id).desc", "embedded"),
    ],
)
def test_unsupported_features_are_named(query_string_: str, named: str) -> None:
    error = refusal(query_string_)
    assert (error.status, error.code) == (400, "PGRST100")
    assert named in error.message


@pytest.mark.parametrize(
    "query_string_",
    [
        *("tokens=5", "tokens=", "tokens=foo.5", "tokens", "tokens=not.not.eq.1", "tokens=neq(any).{1}"),
        *(
            "tokens=eq(some).{1}",
            "tokens=in.1,2",
            "tokens=in.(1",
            "tokens=in.(1)2",
            "tokens=is.maybe",
            "tags=fts(a.b).c",
            "tags=fts(1).c",
        ),
        *("order=tokens.down", "order=tokens.nullslast.asc", "order=tokens,", "order=tokens;x"),
        *("limit=abc", "limit=", "limit=1.5", "limit=+1", "offset=9999999999999999999", "limit=1&limit=2"),
        *(
            "select=*&select=tokens",
            'select="a:tokens',
            "select=tokens,",
            "select=,tokens",
            "select=tokens::",
        ),
        *("select=metadata->", "metadata->>=eq.1", "metadata->a.b=eq.1", "metadata->a", "=eq.1"),
        *(
            "or=tokens.eq.1",
            "or=()",
            "or=(tokens.eq.1",
            "or=(tokens.eq.1))",
            "or=(tokens.eq.1,)",
            "or=(tokens)",
        ),
        *("tokens=eq.%ff", "%ff=eq.1", f"select=x{'y' * 63}:tokens", f"select=metadata->{'é' * 32}"),
    ],
)
def test_malformed_queries_are_refused(query_string_: str) -> None:
    error = refusal(query_string_)
    assert (error.status, error.code) == (400, "PGRST100")


@pytest.mark.parametrize(
    "query_string_",
    [
        f"select={','.join(['tokens'] * (MOST_COLUMNS + 1))}",
        f"select=metadata{'->a' * (MOST_STEPS + 1)}",
        f"order={','.join(['tokens'] * (MOST_TERMS + 1))}",
        "&".join(["tokens=eq.1"] * (MOST_CONDITIONS + 1)),
        f"or=({','.join(['tokens.eq.1'] * (MOST_CONDITIONS + 1))})",
        f"or={'(and' * DEEPEST}(tokens.eq.1{')' * (DEEPEST + 1)}",
    ],
)
def test_every_part_has_a_bound(query_string_: str) -> None:
    assert (refusal(query_string_).status, refusal(query_string_).code) == (400, "PGRST100")
    assert "at most" in str(refusal(query_string_).details)


def test_parts_up_to_their_bounds_are_read() -> None:
    assert asked(f"or={'(and' * (DEEPEST - 1)}(tokens.eq.1{')' * DEEPEST}").conditions
    assert len(asked("&".join(["tokens=eq.1"] * MOST_CONDITIONS)).conditions) == MOST_CONDITIONS


@pytest.mark.parametrize(
    "query_string_",
    [
        "x=eq.1",
        "select=x",
        "order=x",
        "select=a:b:c",
        "or=(x.eq.1)",
        "x->>a=eq.1",
        "and=(tokens.eq.1,x.is.null)",
    ],
)
def test_unknown_columns_are_refused(query_string_: str) -> None:
    assert (refusal(query_string_).status, refusal(query_string_).code) == (400, "42703")


@pytest.mark.parametrize(
    "query_string_",
    [
        "tokens=eq.abc",
        "tokens=gt.0x1",
        "tokens=in.(1,x)",
        "tokens=eq.",
        "tokens=isdistinct.NaN",
        "metadata=eq.{",
    ],
)
def test_values_that_a_column_cannot_have_are_refused(query_string_: str) -> None:
    assert refusal(query_string_).status == 422


@pytest.mark.parametrize("query_string_", ["limit=-1", "offset=-5"])
def test_negative_ranges_are_refused(query_string_: str) -> None:
    assert (refusal(query_string_).status, refusal(query_string_).code) == (416, "PGRST103")


@pytest.mark.parametrize("query_string_", ["tokens=eq.%00", "a%00=eq.1", "select=metadata->%00"])
def test_nul_is_refused(query_string_: str) -> None:
    assert (refusal(query_string_).status, refusal(query_string_).slug) == (422, "bad_text")


@pytest.mark.slow
@given(PAIRS, st.booleans(), st.sampled_from([media_types.JSON, CSV, STRIPPED, SINGLE]))
@example([("select", 'a:entry_id,"we\\"ird%s{}"'), ("entry_id", "eq.' or 1=1--")], True, CSV)
def test_no_input_escapes_from_its_place(
    pairs: Sequence[tuple[str, str]], counted: bool, media_type: media_types.MediaType
) -> None:
    try:
        read = query.parse(ENTRIES, pairs).of_view("entries", media_type, 100, counted=counted)
    except ApiError as error:
        assert error.status in (400, 416, 422)
        return
    assert read.sql.replace("%%", "").count("%s") == len(read.values)
    sql = re.sub(r"(?<!%)((?:%%)*)%s", r"\1$1", read.sql).replace("%%", "%")
    (tree,) = parse_sql(sql)  # one statement
    assert isinstance(tree.stmt, ast.SelectStmt)
    look = _Look()
    look(tree)
    assert look.relations == {"api.entries"}
    assert look.functions <= FUNCTIONS
    assert look.columns <= {*TYPES, "_source", "_row"}
    assert look.constants <= CONSTANTS


FUNCTIONS = {
    *("json_agg", "count", "current_setting", "json_strip_nulls", "string_agg", "replace", "substring"),
    *("length", "chr", "to_jsonb", "to_tsvector"),
    *("to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery"),
}
CONSTANTS = {"[]", "null", "", "\\", "\\\\", "response.headers", "response.status"}


class _Look(Visitor):  # type: ignore[misc]
    """What a statement is made of."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.functions: set[str] = set()
        self.relations: set[str] = set()
        self.constants: set[str] = set()

    def visit_ColumnRef(self, _: object, node: ast.ColumnRef) -> None:  # noqa: N802
        self.columns.update(field.sval for field in node.fields if isinstance(field, ast.String))

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        self.functions.add(node.funcname[-1].sval)

    def visit_RangeVar(self, _: object, node: ast.RangeVar) -> None:  # noqa: N802
        self.relations.add(f"{node.schemaname}.{node.relname}")

    def visit_A_Const(self, _: object, node: ast.A_Const) -> None:  # noqa: N802
        if isinstance(node.val, ast.String):
            self.constants.add(node.val.sval)


@contextmanager
def processor_bound(seconds: float, what: str) -> Iterator[None]:
    """Fails when the block takes more of the processor. A pattern that is at work is interrupted as well."""

    def ring(*_: object) -> None:
        pytest.fail(f"this takes too long: {what}")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("word", ["select", "order", "or", "entry_id", "tokens", "metadata->>a", "limit"])
def test_long_texts_are_read_in_one_pass(word: str) -> None:
    """A pattern that tries all ways to divide such a text takes seconds, and all other calls wait."""
    begins = ("", "entry_id", "in.(", "eq.", 'in.("a"', "(entry_id.eq.", "entry_id::", "metadata->", "fts(")
    units = (" ", "a", "a ", "-", "a-", '"', '"a"', "\\", ",", "a,", ".", ":", "(", "{", "1", "1.", "not.")
    for begin in begins:
        for unit in units:
            text = begin + unit * (20_000 // len(unit)) + "!"
            with suppress(ApiError), processor_bound(0.25, text[:20]):
                query.parse(ENTRIES, [(word, text)])
