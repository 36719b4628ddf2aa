"""The same requests to us and to PostgREST, and what differs, each with its reason.

Only with the option --differential, and never in CI: tests/postgrest_server.py.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from dialect_requests import Asked, generated, written
from http_calls import SECRET, bearer
from postgrest_server import postgrest
from support import PASSWORD

from pgcredits.database_urls import as_login

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

MAX_ROWS = 15
ONCE = httpx.Limits(
    max_keepalive_connections=0
)  # PostgREST now and then resets a connection that is used again
SEED = 7


@dataclass(frozen=True)
class Answer:
    """What is compared. `code` is that of an error, `applied` the preferences."""

    status: int
    code: str | None
    media_type: str | None
    content_range: str | None
    applied: str | None
    told: str | None
    body: Any

    def __str__(self) -> str:
        return (
            f"{self.status} {self.code or ''} {self.media_type} {self.content_range} {str(self.body)[:200]}"
        )


@dataclass(frozen=True)
class Known:
    """A difference that we know, and why it is there."""

    reason: str
    holds: Callable[[Asked, Answer, Answer], bool]


def _codes(ours: tuple[int, str], theirs: tuple[int, str]) -> Callable[[Asked, Answer, Answer], bool]:
    """Both refuse, with these codes. A HEAD shows no code."""

    def holds(asked: Asked, we: Answer, they: Answer) -> bool:
        codes = asked.method == "HEAD" or (
            (we.code or "").startswith(ours[1]) and (they.code or "").startswith(theirs[1])
        )
        return (we.status, they.status) == (ours[0], theirs[0]) and codes

    return holds


def _refused(status: int, *words: str) -> Callable[[Asked, Answer, Answer], bool]:
    """We refuse a request with one of these words. PostgREST answers."""
    return lambda asked, we, they: (
        we.status == status and they.status < 400 and any(word in str(asked) for word in words)
    )


def _no_number(asked: Asked, we: Answer, they: Answer) -> bool:
    page = re.search(r"(?:limit|offset)=(?![0-9]+(?:&| |\Z)|-)", str(asked))
    return we.status == 400 and they.status < 400 and page is not None


def _exact_csv(asked: Asked, we: Answer, they: Answer) -> bool:
    if not we.media_type == they.media_type == "text/csv" or we.status != they.status:
        return False
    lines = they.body.replace("\\\\", "\\").partition("\n")[2]
    return bool(we.body.partition("\n")[2] == lines) and we.content_range == they.content_range


def _empty_page(asked: Asked, we: Answer, they: Answer) -> bool:
    return "limit=0" in asked.path and we.status in (200, 206) and they.status == 416


def _exact_count(asked: Asked, we: Answer, they: Answer) -> bool:
    guessed = asked.headers.get("Prefer") in ("count=planned", "count=estimated")
    return guessed and (we.body, we.applied) == (they.body, "count=exact") and we.content_range == "0-2/12"


def _unselected(asked: Asked, we: Answer, they: Answer) -> bool:
    return "/rpc/" in asked.path and we.status in (200, 206) and they.code == "42703"


def _value_with_offset(asked: Asked, we: Answer, they: Answer) -> bool:
    return asked.path.startswith("/rpc/thing_seven?offset") and we.status == they.status == 416


def _void(asked: Asked, we: Answer, they: Answer) -> bool:
    return we.status == they.status == 204 and (we.content_range, they.content_range) == (None, "0-0/*")


KNOWN = [
    Known("a value that its column cannot have is 422, with a slug", _codes((422, "PT422"), (400, "22"))),
    Known("a media type that nobody has is 406 since 12.0.3", _codes((406, "PGRST107"), (415, "PGRST107"))),
    Known("GeoJSON needs PostGIS: refused by name", _codes((406, "PGRST107"), (404, "42883"))),
    Known("an unknown view is PGRST205 since 13", _codes((404, "PGRST205"), (404, "42P01"))),
    Known("embedding is refused before the relation is sought", _codes((400, "PGRST100"), (400, "PGRST200"))),
    Known("aggregates are not supported", _codes((400, "PGRST100"), (400, "PGRST123"))),
    Known("a filter on an embedded resource is refused", _codes((400, "PGRST100"), (400, "PGRST108"))),
    Known("we look a column up before we read on", _codes((400, "42703"), (400, "PGRST100"))),
    Known("a tree needs brackets", _codes((400, "PGRST100"), (400, "42703"))),
    Known("casts come from a list: an unknown type", _codes((400, "PGRST100"), (400, "42704"))),
    Known("casts come from a list: regclass", _refused(400, "regclass")),
    Known("views are not written at all", _codes((405, "PGRST101"), (403, "42501"))),
    Known("an empty name in select is refused", _refused(400, "select=%2C", "select=%3A", "select=%28")),
    Known("limit and offset must be numbers", _no_number),
    Known("offset is not negative", _refused(416, "offset=-1")),
    Known("words for writes are refused on reads", _refused(400, "columns=", "on_conflict=")),
    Known("text behind a tree is refused", _refused(400, "or=%28id.eq.1%29%29", "%28round%29%2Cid")),
    Known(
        "a preference that changes a write is refused", _refused(400, "tx=", "max-aff", "timezone", "params")
    ),
    Known("all rows are counted exactly", _exact_count),
    Known("CSV has its header also without rows, and quotes it; a backslash is one backslash", _exact_csv),
    Known("no row is wanted: that is not beyond the last one", _empty_page),
    Known("12.0.2 filters and orders rows of functions only by columns that it selects", _unselected),
    Known("Content-Range of a 416 names no rows", _value_with_offset),
    Known("204 has no rows", _void),
]


@pytest.fixture(scope="module")
def theirs(modules: Path, things: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    login = as_login(things, "pgcredits_api", PASSWORD)
    folder = tmp_path_factory.mktemp("postgrest")
    with (
        postgrest(modules, folder, login, SECRET, MAX_ROWS) as url,
        httpx.Client(base_url=url, timeout=20, limits=ONCE) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def ours(things_api: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{things_api}/rest/v1", timeout=20) as client:
        yield client


def answer(client: httpx.Client, asked: Asked, who: dict[str, str]) -> Answer:
    response = client.request(asked.method, asked.path, headers=asked.headers | who, json=asked.body)
    headers = response.headers
    media_type = headers.get("content-type", "").replace("; charset=utf-8", "")
    body: Any = response.text
    if media_type != "text/csv" and body:
        body = json.loads(body)
    if response.status_code >= 400:
        told = body.get("code") if isinstance(body, dict) else None
        # A value in the message or in details may be worded otherwise. The code is the contract.
        content_range = headers.get("content-range") if response.status_code == 416 else None
        return Answer(response.status_code, told, None, content_range, None, None, None)
    return Answer(
        response.status_code,
        None,
        media_type,
        headers.get("content-range"),
        headers.get("preference-applied"),
        headers.get("x-told"),
        body,
    )


def test_requests_are_answered_as_postgrest_answers_them(
    theirs: httpx.Client, ours: httpx.Client, record_property: Callable[[str, object], None]
) -> None:
    users = {name: bearer("authenticated", name) for name in ("ada", "bob")}
    asked = [("ada", one) for one in [*written(), *generated(SEED, 300)]]
    asked += [("bob", one) for one in generated(SEED + 1, 60)] + [
        ("", one) for one in generated(SEED + 2, 30)
    ]
    same = 0
    excused: Counter[str] = Counter()
    unknown = []
    for name, one in asked:
        we, they = (answer(client, one, users.get(name, {})) for client in (ours, theirs))
        if we == they:
            same += 1
        elif reason := next((known.reason for known in KNOWN if known.holds(one, we, they)), None):
            excused[reason] += 1
        else:
            unknown.append(f"{name} {one}\n  ours:   {we}\n  theirs: {they}")
    record_property(
        "figures", f"{same} of {len(asked)} requests are answered alike, {excused.total()} are known"
    )
    assert not unknown, f"{len(unknown)} differ:\n" + "\n".join(unknown[:20])
    assert len(asked) > 900
    assert same > 0.8 * len(asked)
    assert {known.reason for known in KNOWN} == set(excused)  # the list names nothing that is gone


def test_a_key_in_a_header_counts_behind_postgrest(
    theirs: httpx.Client, ours: httpx.Client, service: dict[str, str]
) -> None:
    """A call through one of the two may be repeated through the other."""
    carol = bearer("authenticated", "carol") | {"Idempotency-Key": "k"}
    grant = {"user_id": "carol", "tokens": 100}
    ours.post("/rpc/add_tokens", json=grant, headers=service).raise_for_status()
    use = {"module_id": "whisper"}
    answers = [one.post("/rpc/consume_tokens", json=use, headers=carol) for one in (theirs, theirs, ours)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["replayed"] for answer in answers] == [False, True, True]
    other = theirs.post("/rpc/consume_tokens", json={"module_id": "metube"}, headers=carol)
    assert (other.status_code, other.json()["code"]) == (409, "PT409")
