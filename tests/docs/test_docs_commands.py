"""The commands on the pages work as they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.test_docs_paths import PAGES, ROOT

pytestmark = pytest.mark.one_version


def without_media_type(text: str) -> Iterator[str]:
    """Commands that send JSON and do not say so: the HTTP API refuses them with 415."""
    joined = re.sub(r"\\\n\s*", "", text)
    for command in re.findall(r"^.*\bcurl .*$", joined, re.M):
        if re.search(r"-d '[{\[]", command) and "Content-Type: application/json" not in command:
            yield command


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_curl_says_that_it_sends_json(page: Path) -> None:
    assert list(without_media_type(page.read_text())) == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_page_that_calls_pgcredits_says_where_the_program_is(page: Path) -> None:
    text = page.read_text()
    if re.search(r"^\$ (\w+=\S+ )*pgcredits ", text, re.M):
        folder = page.with_name("README.md")  # the runbooks have one for all of them
        said = text + (folder.read_text() if page.parent != ROOT and folder.exists() else "")
        assert ".venv/bin" in said


def test_curl_that_does_not_say_so_is_found() -> None:
    bad = "$ curl -s $URL \\\n    -d '{\"a\": 1}'"
    assert list(without_media_type(bad)) == ["$ curl -s $URL -d '{\"a\": 1}'"]
    assert not list(without_media_type(f"{bad} -H 'Content-Type: application/json'"))
    assert not list(without_media_type("$ curl -s $URL/auth/token -d 'grant_type=password'"))
