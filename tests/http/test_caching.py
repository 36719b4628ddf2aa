"""No cache may keep an answer, except answers that are the same for everybody."""

from __future__ import annotations

import re

import httpx
import pytest
from http_calls import User, bearer

from pgcredits.http.app import create_app
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version

PUBLIC = {
    "/",
    *(f"/checkout/{page}" for page in ("done", "cancelled", "pages.css")),
    *(f"/schema/{file}" for file in ("reference.js", "swagger-ui.js", "swagger-ui.css")),
}
NAMES = {"/rest/v1/rpc/{name}": "quote_tokens", "/rest/v1/{name}": "balance"}


def routes(settings: Settings) -> list[tuple[str, str]]:
    """Every method of every route, with an example for what stands in braces."""
    found = []
    for route in create_app(settings).routes:
        path = route.path_format
        if path in NAMES:
            path = path.replace("{name}", NAMES[path])
        assert not re.search(r"[{}]", path), f"name an example for {path}"
        found += [(method, path) for method in sorted(getattr(route, "methods", ()))]
    return found


def test_no_answer_of_any_route_is_kept(client: httpx.Client, settings: Settings, user: User) -> None:
    found = routes(settings)
    assert len({path for _, path in found}) > 12
    for method, path in found:
        for headers in (user.headers, bearer("service_role"), {}, {"Authorization": "Bearer nonsense"}):
            body = b"{" if method != "GET" else None
            # An answer of events has no end.
            with client.stream(method, path, headers=headers, content=body) as answer:
                kept = answer.headers["cache-control"]
            if path in PUBLIC and answer.status_code == 200 and method in ("GET", "HEAD"):
                assert kept == "public, max-age=300"
            else:
                assert kept == "no-store", (method, path, answer.status_code, kept)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/rest/v1/packs", 200),
        ("GET", "/rest/v1/rpc/quote_tokens?module_id=whisper", 200),
        ("GET", "/rest/v1/nothing", 404),
        ("GET", "/nothing/at/all", 404),
        ("DELETE", "/rest/v1/balance", 405),
        ("GET", "/rest/v1/balance?nothing=eq.1", 400),
        ("GET", "/api/user-tokens", 200),
    ],
)
def test_refusals_and_readings_are_not_kept(
    client: httpx.Client, rich: User, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path, headers=rich.headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert answer.headers.get_list("cache-control") == ["no-store"]
