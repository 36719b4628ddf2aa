"""Queries that come again."""

from __future__ import annotations

import pytest
from litestar.datastructures import Headers

from pgcredits.http.database.schema_cache import Column, View
from pgcredits.http.dialect import media_types, recent
from pgcredits.http.dialect.preferences import Preferences
from pgcredits.http.dialect.wish import Wish
from pgcredits.http.errors import ApiError

pytestmark = pytest.mark.one_version

PLAIN = Wish(media_types.JSON, Preferences(), None, ())


def view(*columns: str) -> View:
    return View("v", [Column(name, "integer", None) for name in columns], None, [])


def test_the_same_query_is_the_same_statement() -> None:
    seen = view("a", "b")
    first, again = (recent.of_view(seen, b"a=eq.1", PLAIN, 10)[1] for _ in range(2))
    assert first is again
    assert first.values == ("1",)


def test_whatever_differs_makes_another_statement() -> None:
    csv = Wish(media_types.accepted("text/csv"), Preferences(), None, ())
    counted = Wish(media_types.JSON, Preferences(counted=True), None, ())
    ranged = Wish(media_types.JSON, Preferences(), "0-1", ())
    seen = view("a")
    made = [
        recent.of_view(seen, b"a=eq.1", PLAIN, 10),
        recent.of_view(seen, b"a=eq.2", PLAIN, 10),
        recent.of_view(view("a", "b"), b"a=eq.1", csv, 10),
        recent.of_view(seen, b"a=eq.1", csv, 10),
        recent.of_view(seen, b"a=eq.1", counted, 10),
        recent.of_view(seen, b"a=eq.1", ranged, 10),
        recent.of_view(seen, b"a=eq.1", PLAIN, 11),
        recent.of_view(seen, b"a=eq.1&select=a", PLAIN, 10),
    ]
    assert len({(statement.sql, statement.values) for _, statement in made}) == len(made)


def test_a_column_is_known_as_soon_as_the_view_has_it() -> None:
    for _ in range(2):
        with pytest.raises(ApiError):
            recent.of_view(view("a"), b"new=eq.1", PLAIN, 10)
    assert recent.of_view(view("a", "new"), b"new=eq.1", PLAIN, 10)[1].values == ("1",)


def test_long_queries_are_not_kept() -> None:
    long = b"or=(" + b",".join([b"a.eq.1"] * 60) + b")"
    first, again = (recent.of_view(view("a"), long, PLAIN, 10)[1] for _ in range(2))
    assert first is not again
    assert first == again


def test_long_headers_are_not_kept() -> None:
    for long in ({"accept": "*/*;x=" + "a" * 2000}, {"prefer": "x=" + "a" * 2000}):
        first, again = (Wish.of("GET", Headers(long)) for _ in range(2))
        assert first is not again
        assert first == again
    assert Wish.of("GET", Headers({"accept": "*/*"})) is Wish.of("GET", Headers({"accept": "*/*"}))
