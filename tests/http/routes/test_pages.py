"""The pages for people: they load nothing from elsewhere, and run no script that stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest

from pgcredits.http.routes import pages

pytestmark = pytest.mark.one_version

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}


class Page(HTMLParser):
    """What a page loads, where it leads, and what the strict policy forbids to stand in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img"):
            self.loads.append(given.get("src") or "")
        if tag == "link":
            self.loads.append(given.get("href") or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Swagger UI is not installed."""
    for cached in (pages._swagger_ui, pages._file):
        cached.cache_clear()
    monkeypatch.setattr(pages, "find_spec", lambda name: None)
    yield
    for cached in (pages._swagger_ui, pages._file):
        cached.cache_clear()


@pytest.mark.parametrize("path", ["/", "/schema", "/checkout/done", "/checkout/cancelled"])
def test_pages_load_only_what_is_here(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"script-src[^;]*(unsafe|\*|http)", policy)
    page = Page(answer.text)
    assert page.inline == []
    assert page.loads
    for loaded in page.loads:
        found = client.get(urljoin(path, loaded))
        assert found.status_code == 200
        kind = found.headers["content-type"].partition(";")[0]
        assert kind == ("text/javascript" if loaded.endswith(".js") else "text/css")


def test_the_first_page_leads_on(client: httpx.Client) -> None:
    links = Page(client.get("/").text).links
    assert len(links) >= 4
    for link in links:
        assert client.get(urljoin("/", link), headers=BROWSER).status_code == 200, link


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/json,*/*", ""])
def test_programs_get_the_schema_as_json(client: httpx.Client, accept: str) -> None:
    answer = client.get("/schema", headers={"Accept": accept})
    assert answer.headers["vary"] == "Accept"
    assert answer.json()["openapi"] == "3.1.0"


def test_browsers_get_the_schema_as_a_page_and_as_json(client: httpx.Client) -> None:
    page = client.get("/schema", headers=BROWSER)
    assert page.headers["vary"] == "Accept"
    assert "swagger-ui" in page.text
    script = client.get("/schema/reference.js").text
    (url,) = re.findall(r"url: '([^']+)'", script)
    answer = client.get(url, headers=BROWSER)
    assert answer.json() == client.get("/schema").json()
    assert "SwaggerUIBundle" in client.get("/schema/swagger-ui.js").text


def test_without_swagger_ui_the_page_says_so(client: httpx.Client, no_package: None) -> None:
    answer = client.get("/schema", headers=BROWSER)
    assert answer.status_code == 200
    assert "pgcredits[reference]" in answer.text
    assert "/schema/openapi.json" in Page(answer.text).links
    assert client.get("/schema/swagger-ui.js").status_code == 404
    assert client.get("/schema").json()["openapi"] == "3.1.0"
