"""PostgREST's read dialect, as PostgREST 16 speaks it: what a query string, Range, Prefer and Accept ask for.

A query string becomes one SELECT over one view, or over the rows that one function returns. Names of columns
are looked up in the schema cache before they become SQL. Operators and casts come from fixed tables.
Everything else that a client sends is a bound parameter without a type, so PostgreSQL converts and refuses
it. What we do not support of the dialect is refused by its name: an answer that ignored a filter would be
wrong. docs/http-api.md tells what is supported.
"""
