"""A file as one statement of SQL, with the settings that its text needs."""

from __future__ import annotations

from collections.abc import Iterable

# The settings of an administrator's connection (bank/admin.py), with which our texts mean what they should.
SEARCH_PATH = "pg_catalog, pg_temp"
_SETTINGS = {
    "search_path": SEARCH_PATH,
    "client_min_messages": "warning",
    "check_function_bodies": "off",  # functions stand in any order
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
}
_TEXT = "$pgcredits_text$"


def statement(tag: str, parts: Iterable[str]) -> str:
    """A DO statement of the parts. In it, v_role is the role that executes it, and v_schema a record.

    Afterwards every setting is as it was before, also in a transaction that goes on. Raises ValueError if a
    part contains the quotes of the whole.
    """
    names = ", ".join(map(literal, ("role", *_SETTINGS)))
    lines = (
        "for i in 1 .. pg_catalog.cardinality(v_settings) loop\n"
        "        v_before := pg_catalog.array_append(v_before, pg_catalog.current_setting(v_settings[i]));\n"
        "    end loop;",
        *(set_(name, literal(value)) for name, value in _SETTINGS.items()),
        *parts,
        "for i in 1 .. cardinality(v_settings) loop\n"
        "        perform set_config(v_settings[i], v_before[i], true);\n"
        "    end loop;",
    )
    body = "\n    ".join(lines)
    if f"${tag}$" in body:
        raise ValueError(f"a part contains ${tag}$")
    return (
        f"do ${tag}$\ndeclare\n"
        f"    v_settings constant text[] := array[{names}];\n"
        "    v_before text[] := '{}';\n"
        "    v_role constant text := pg_catalog.current_setting('role');\n"
        "    v_schema record;\n"
        f"begin\n    {body}\nend\n${tag}$;\n"
    )


def execute(text: str) -> str:
    """A part that executes a text of SQL. Raises ValueError if the text contains the quotes around it."""
    if _TEXT in text:
        raise ValueError(f"a text contains {_TEXT}")
    return f"execute {_TEXT}{text}{_TEXT};"


def set_(name: str, value: str) -> str:
    """A part that sets a setting, to an expression, until the end of the transaction."""
    return f"perform pg_catalog.set_config({literal(name)}, {value}, true);"


def literal(text: str) -> str:
    """A constant of SQL, where backslashes mean themselves (standard_conforming_strings)."""
    return "'" + text.replace("'", "''") + "'"
