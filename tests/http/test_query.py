import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pglast import ast, parse_sql
from pglast.visitors import Visitor

from pgcredits.http import query
from pgcredits.http.errors import ApiError
from pgcredits.http.schema_cache import Column, View

COLUMNS = ("entry_id", "tokens", "metadata", 'we"ird%s', "select")
VIEW = View("entries", [Column(name, "text", None) for name in COLUMNS], None, [])

ATTACKS = [
    "'",
    "''",
    '"',
    ";",
    "--",
    "/*",
    "*/",
    "\\",
    "$$",
    "%s",
    "%(x)s",
    "{}",
    ")",
    "(",
    ")or(",
    "or 1=1",
    "' or '1'='1",
    "eq.' or 1=1--",
    "entry_id::regclass",
    "entry_id;drop table x",
    "set_config('role','service_role',true)",
    "query_to_xml('select 1',true,true,'')",
    "pg_sleep(9)",
    "entry_id\u02bc",
    "\u2019 or 1=1",
    "\ufeff",
    "entry_id asc; select 1",
    "(select password_hash from credits.credentials)",
    "*,(select 1)",
    "x:entry_id)",
    'a" as "b',
    "entry_id.asc,(select 1)",
    "1;commit;begin",
    "case when true then 1 end",
    "entry_id\n",
    "",
]
GRAMMAR = st.sampled_from(
    [
        *COLUMNS,
        *ATTACKS,
        "eq.",
        "eq.1",
        ".asc",
        ".desc",
        ".nullslast",
        ",",
        ":",
        ".",
        "*",
        "select",
        "limit",
        "7",
    ]
)
PAIRS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(["select", "order", "limit", "offset", *COLUMNS]), st.text(max_size=20), GRAMMAR
        ),
        st.one_of(st.lists(GRAMMAR, max_size=5).map("".join), st.text(max_size=30)),
    ),
    max_size=5,
)


def asked(query_string: str) -> query.Query:
    return query.parse(VIEW, query.pairs(query_string.encode()))


def inner(query_string: str) -> str:
    """The SELECT inside of the counting one."""
    sql = asked(query_string).statement(VIEW, 100).sql
    found = re.fullmatch(
        r"select coalesce\(json_agg\(_row\.\*\)::text, '\[\]'\), count\(\*\) from \((.*)\) as _row", sql, re.S
    )
    assert found, sql
    return found[1]


def refusal(query_string: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        asked(query_string)
    return caught.value


def test_whole_grammar_is_understood() -> None:
    sql = inner(
        "select=id:entry_id,tokens&tokens=eq.5&entry_id=eq.a.b,c&order=tokens.desc.nullslast,entry_id&limit=7&offset=3"
    )
    assert sql == (
        'select _source."entry_id" as "id", _source."tokens" as "tokens" from api."entries" as _source'
        ' where _source."tokens" = %s and _source."entry_id" = %s'
        ' order by _source."tokens" desc nulls last, _source."entry_id" limit 7 offset 3'
    )
    assert asked("tokens=eq.5&entry_id=eq.a.b,c").statement(VIEW, 100).values == ("5", "a.b,c")


def test_everything_is_the_default_and_rows_are_capped() -> None:
    assert asked("").columns == [(name, name) for name in COLUMNS]
    assert asked("select=*,x:tokens").columns[-1] == ("x", "tokens")
    assert inner("").endswith(" limit 100 offset 0")
    assert inner("limit=100000000").endswith(" limit 100 offset 0")
    assert inner("limit=0").endswith(" limit 0 offset 0")


def test_identifiers_are_quoted() -> None:
    assert '_source."we""ird%%s" = %s' in inner("we%22ird%25s=eq.%25s")


def test_values_are_decoded_once() -> None:
    assert asked("tokens=eq.a+b%20c%2Bd%2526e=f").filters == [("tokens", "a b c+d%26e=f")]
    assert asked("tokens=eq.").filters == [("tokens", "")]


@pytest.mark.parametrize(
    "operator",
    ["neq", "gt", "in", "is", "like", "cs", "fts", "fts(english)", "isdistinct", "not.eq", "eq(any)"],
)
def test_unsupported_operators_are_named(operator: str) -> None:
    error = refusal(f"tokens={operator}.1")
    assert (error.status, error.code) == (400, "PGRST100")
    assert "Not supported yet" in error.message
    assert operator.split("(")[0].split(".")[0] in f"{error.message} {error.details}"


@pytest.mark.parametrize(
    ("query_string", "named"),
    [
        ("or=(tokens.eq.1,tokens.eq.2)", "or"),
        ("not.and=(tokens.eq.1)", "not.and"),
        ("columns=tokens", "columns"),
        ("on_conflict=tokens", "on_conflict"),
        ("select=orders(*)", "embedding"),
        ("select=tokens.sum()", "aggregates"),
        ("select=metadata->a", "JSON paths"),
        ("select=x:metadata->>a", "JSON paths"),
        ("metadata->>a=eq.1", "JSON paths"),
        ("order=metadata->a.desc", "JSON paths"),
        ("select=tokens::text", "casts"),
        ("select=x:tokens::text", "casts"),
        ("orders.id=eq.1", "embedded"),
    ],
)
def test_unsupported_features_are_named(query_string: str, named: str) -> None:
    error = refusal(query_string)
    assert (error.status, error.code) == (400, "PGRST100")
    assert named in error.message


@pytest.mark.parametrize(
    "query_string",
    [
        "tokens=5",
        "tokens=",
        "tokens=foo.5",
        "tokens",
        "order=tokens.down",
        "order=tokens.nullslast.asc",
        "limit=abc",
        "limit=",
        "limit=1.5",
        "limit=+1",
        "offset=9999999999999999999",
        "limit=1&limit=2",
        "select=*&select=tokens",
        "select=1x:tokens",
        "select=_row:tokens",
        'select=a"b:tokens',
        "tokens=eq.%ff",
        "%ff=eq.1",
    ],
)
def test_malformed_queries_are_refused(query_string: str) -> None:
    error = refusal(query_string)
    assert (error.status, error.code) == (400, "PGRST100")


@pytest.mark.parametrize(
    "query_string",
    ["x=eq.1", "select=x", "select=tokens,", "select=", "order=x", "order=", "=eq.1", "select=a:b:c"],
)
def test_unknown_columns_are_refused(query_string: str) -> None:
    error = refusal(query_string)
    assert (error.status, error.code) == (400, "42703")


@pytest.mark.parametrize("query_string", ["limit=-1", "offset=-5"])
def test_negative_ranges_are_refused(query_string: str) -> None:
    assert (refusal(query_string).status, refusal(query_string).code) == (416, "PGRST103")


@pytest.mark.parametrize(("query_string", "slug"), [("tokens=eq.%00", "bad_text"), ("a%00=eq.1", "bad_text")])
def test_nul_is_refused(query_string: str, slug: str) -> None:
    assert (refusal(query_string).status, refusal(query_string).slug) == (422, slug)


@pytest.mark.slow
@given(PAIRS)
@example([("select", 'a:entry_id,we"ird%s'), ("entry_id", "eq.' or 1=1--")])
def test_no_input_escapes_from_its_place(pairs: Sequence[tuple[str, str]]) -> None:
    try:
        statement = query.parse(VIEW, pairs).statement(VIEW, 100)
    except ApiError as error:
        assert error.status in (400, 416, 422)
        return
    assert statement.sql.replace("%%", "").count("%s") == len(statement.values)
    sql = re.sub(r"(?<!%)((?:%%)*)%s", r"\1$1", statement.sql).replace("%%", "%")
    (tree,) = parse_sql(sql)  # one statement
    look = _Look()
    look(tree)
    assert isinstance(tree.stmt, ast.SelectStmt)
    assert look.relations == {"api.entries"}
    assert look.functions == {"json_agg", "count"}
    assert look.columns <= {*COLUMNS, "_source", "_row"}


class _Look(Visitor):  # type: ignore[misc]
    """What a statement is made of."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.functions: set[str] = set()
        self.relations: set[str] = set()

    def visit_ColumnRef(self, _: object, node: ast.ColumnRef) -> None:  # noqa: N802
        self.columns.update(field.sval for field in node.fields if isinstance(field, ast.String))

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        self.functions.add(node.funcname[-1].sval)

    def visit_RangeVar(self, _: object, node: ast.RangeVar) -> None:  # noqa: N802
        self.relations.add(f"{node.schemaname}.{node.relname}")

    def visit_A_Const(self, _: object, node: ast.A_Const) -> None:  # noqa: N802
        assert isinstance(node.val, ast.Integer | ast.Float) or node.val.sval == "[]"
