"""Call a function of `api`: find the one that is meant, and make the one statement that calls it.

The statement answers JSON.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import msgspec

from pgcredits.http.database.pools import Statement
from pgcredits.http.database.schema_cache import KEY, SCHEMA, Function, SchemaCache
from pgcredits.http.dialect.query import RESPONSE, SCALAR
from pgcredits.http.dialect.sql import quoted
from pgcredits.http.errors import ApiError, refuse
from pgcredits.http.functions.arguments import from_json, from_text
from pgcredits.http.functions.jsonbody import JsonObject, build
from pgcredits.tokens import Caller

# Arguments that say whose wallet a call is about. All but the first are the account's id, or begin with it.
_ABOUT = ("user_id", "hold_id", "entry_id", "account_id", "shortfall_id")
_BATCHES = {"consume_tokens_batch": "items"}  # about many users: the argument whose first item names one


class _Item(msgspec.Struct):
    user_id: str | None = None


_ITEMS = msgspec.json.Decoder(list[_Item])


async def find(
    schema_cache: SchemaCache, name: str, given: Iterable[str], *, keyed: bool = False
) -> Function:
    """The function that these arguments mean. `keyed`: an Idempotency-Key header comes with them.

    A function that only reads ignores the key. Any other function that takes no key refuses it, because a
    repeat would not be safe.
    Raises ApiError 404 PGRST202, 300 PGRST203, 422 bad_key.
    """
    names = frozenset(given)
    fitting = await schema_cache.fitting(name, names | {KEY} if keyed else names)
    if keyed and not fitting:
        fitting = await schema_cache.fitting(name, names)
        if fitting and not all(function.stable for function in fitting):
            raise refuse(422, "bad_key", f"{name} with these arguments takes no idempotency key.")
    if not fitting:
        raise await _unknown(schema_cache, name, names)
    if len(fitting) > 1:
        text = f"More than one function {SCHEMA}.{name} takes these arguments: " + "; ".join(
            map(_signature, fitting)
        )
        raise ApiError(300, "PGRST203", text)
    return fitting[0]


def call_with_object(
    function: Function, body: JsonObject, key: str | None, *, rows: bool = False
) -> Statement:
    """Call it with the members of a JSON object, converted by PostgreSQL. `rows`: not as JSON, as rows.

    Raises ApiError 422 bad_key when header and body give different keys.
    """
    given = dict(body.members)
    if key is not None and given.get(KEY) == "null":  # the body gives no key, so the header counts
        del given[KEY]
    if key is not None and KEY in given and body.string(KEY) != key:
        raise refuse(422, "bad_key", "The Idempotency-Key header and idempotency_key differ.")
    read = {a.name: from_json(a.name, a.type, given[a.name]) for a in function.arguments if a.name in given}
    source_text = body.text if all(read[name] == given[name] for name in read) else build(read).text
    keyed = key is not None and KEY not in given and function.takes_key
    values = ([source_text] if read else []) + ([key] if keyed and key is not None else [])
    about = _about({name: body.string(name) for name in _ABOUT if name in body.members})
    kind = None
    if items := _BATCHES.get(function.name):
        about, kind = _first_user(body.members.get(items, "[]")), function.name
    return Statement(_sql_with_object(function, tuple(read), keyed, rows), tuple(values), about, kind)


@lru_cache(maxsize=1000)
def _sql_with_object(function: Function, names: tuple[str, ...], keyed: bool, rows: bool) -> str:
    """A call with these members of a JSON object, the first parameter. `keyed`: the last one is the key."""
    columns = [argument for argument in function.arguments if argument.name in names]
    arguments = [f"{quoted(a.name)} => _body.{quoted(a.name)}" for a in columns]
    if keyed:
        arguments.append(f"{quoted(KEY)} => %s")
    record = ", ".join(f"{quoted(a.name)} {a.type}" for a in columns)
    source = f"json_to_record(%s::json) as _body ({record}), lateral " if columns else ""
    return _select(function, source, arguments, rows)


def call_with_texts(
    function: Function, texts: Mapping[str, str], key: str | None, *, rows: bool = False
) -> Statement:
    """Call it with values as text, as a query string has them. `rows`: not as JSON, as rows."""
    given = dict(texts)
    for argument in function.arguments:
        if argument.name in given:
            given[argument.name] = from_text(argument.name, argument.type, given[argument.name])
    if key is not None and function.takes_key and given.setdefault(KEY, key) != key:
        raise refuse(422, "bad_key", "The Idempotency-Key header and idempotency_key differ.")
    arguments = [f"{quoted(name)} => %s" for name in given]
    return Statement(_select(function, "", arguments, rows), tuple(given.values()), _about(given))


async def call(
    schema_cache: SchemaCache,
    caller: Caller,
    name: str,
    body: JsonObject,
    *,
    key: str | None = None,
    path: str,
    account_id: str | None = None,
    kind: str | None = None,
) -> bytes:
    """Call a function as `caller`, and return its answer as JSON text.

    `account_id` says whom the call is about where none of its arguments does. `kind`: see lanes.py.
    Raises ApiError, psycopg.Error, BusyError, UnavailableError.
    """
    function = await find(schema_cache, name, body.members, keyed=key is not None)
    statement = call_with_object(function, body, key)
    if account_id or kind:
        about = _about({"account_id": account_id}) or statement.about
        statement = replace(statement, about=about, kind=kind)
    row = await schema_cache.ask(caller, statement, read_only=function.stable, path=path)
    return str(row[0] if row else "null").encode()


def _select(function: Function, source: str, arguments: list[str], rows: bool) -> str:
    """One row, as dialect.query describes it; or the rows themselves."""
    called = f"{source}{SCHEMA}.{quoted(function.name)}({', '.join(arguments)}) as _result"
    if rows:
        columns = "_result.*" if function.rows else f"_result as {SCALAR}"
        return f"select {columns} from {called}"  # noqa: S608 (quoted names of the schema cache)
    if function.returns == "void":
        answer = "'null', 1"
    elif function.returns_set:
        answer = "coalesce(json_agg(_result)::text, '[]'), count(*)"
    else:
        answer = "coalesce(to_json(_result)::text, 'null'), 1"
    return f"select {answer}, null::bigint, {RESPONSE} from {called}"  # noqa: S608


def _about(given: Mapping[str, str | None]) -> str | None:
    """Whose wallet a call is about: a user's or an account's. The account's id may be in capital letters."""
    for name in _ABOUT:
        if value := given.get(name):
            return value if name == "user_id" else value.partition(":")[0].lower()
    return None


def _first_user(items: str) -> str | None:
    """The user of the first item of a batch. None when it is not a batch: then the database refuses it."""
    try:
        found = _ITEMS.decode(items)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return found[0].user_id if found else None


async def _unknown(schema_cache: SchemaCache, name: str, names: frozenset[str]) -> ApiError:
    functions = (await schema_cache.schema()).functions
    listed = ", ".join(sorted(names))
    hint = None
    near = [name] if name in functions else difflib.get_close_matches(name, functions, 1)
    if near:
        hint = "Perhaps you meant to call the function " + " or ".join(map(_signature, functions[near[0]]))
    return ApiError(
        404,
        "PGRST202",
        f"Could not find the function {SCHEMA}.{name}({listed}) in the schema cache",
        details=f"Searched for the function {SCHEMA}.{name} "
        + (f"with parameters {listed}" if names else "without parameters")
        + ", but no matches were found in the schema cache.",
        hint=hint,
    )


def _signature(function: Function) -> str:
    return f"{SCHEMA}.{function.name}({', '.join(a.name for a in function.arguments)})"
