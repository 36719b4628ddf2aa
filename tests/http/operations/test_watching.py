"""The dashboard and the alerts of docs/examples/monitoring: they ask for what there is, and for all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import psycopg
import pytest
import yaml
from http_calls import bearer
from support import PASSWORD

from pgcredits.database_urls import as_login

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs/examples/monitoring"
ALERTS = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
PANELS = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
TARGETS = [target | {"title": panel["title"]} for panel in PANELS for target in panel.get("targets", [])]
QUERIES = [target for target in TARGETS if "rawSql" in target]
OF_PROMETHEUS = {"up"}  # which Prometheus makes itself


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in ALERTS)
    yield from (target["expr"].replace("$__rate_interval", "5m") for target in TARGETS if "expr" in target)


@cache
def asked(expression: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The metrics of an expression, each with the labels that it is chosen by."""
    found: list[tuple[str, frozenset[str]]] = []

    def note(part: Any) -> bool:
        if isinstance(part, promql_parser.VectorSelector):
            found.append((str(part.name), frozenset(str(m.name) for m in part.matchers.matchers)))
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    return tuple(found)


@pytest.fixture
def told(client: httpx.Client) -> dict[str, set[str]]:
    """The metrics of the API, as Prometheus knows them, and the labels that each has."""
    client.get("/rest/v1/packs")
    client.get("/rest/v1/nothing")
    text = client.get("/metrics", headers=bearer("support")).text
    names: dict[str, set[str]] = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M):
        for end in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            names[name + end] = set()
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", text, re.M):
        names.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return names


def test_every_metric_that_is_asked_for_is_told(told: dict[str, set[str]]) -> None:
    for expression in expressions():
        assert asked(expression), expression
        for name, labels in asked(expression):
            assert name in told.keys() | OF_PROMETHEUS, expression
            assert name in OF_PROMETHEUS or labels <= told[name], expression


def test_every_metric_that_is_told_is_shown(told: dict[str, set[str]]) -> None:
    shown = {name for expression in expressions() for name, _ in asked(expression)}
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    ours = {
        re.sub("_(bucket|sum|count)$", "", name)
        for name in told
        if name.startswith("pgcredits_") and not name.endswith("_created")
    }
    assert ours <= shown


def test_unknown_metric_would_be_found(told: dict[str, set[str]]) -> None:
    ((name, labels),) = asked('sum(rate(pgcredits_request_total{code="5"}[5m]))')
    assert name not in told
    assert labels == {"code"}


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_alert_says_what_is_wrong_what_to_do_and_where_to_read(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "action", "page"}
    assert (ROOT / rule["annotations"]["page"]).is_file()


@pytest.mark.parametrize("target", QUERIES, ids=[target["title"] for target in QUERIES])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati"])
def test_query_runs_with_the_login_of_an_analyst(target: dict[str, Any], zone: str, admin_url: str) -> None:
    query = re.sub(
        r"\$__timeFilter\((.+?)\)", r"\1 between now() - interval '1 day' and now()", target["rawSql"]
    )
    with psycopg.connect(as_login(admin_url, "pgcredits_analyst", PASSWORD)) as analyst:
        analyst.execute(f"set timezone = '{zone}'")
        cursor = analyst.execute(query)
        columns = [column.name for column in cursor.description or ()]
    assert (columns[0] == "time") is (target["format"] == "time_series")
    if columns[0] == "time":
        assert "at time zone 'UTC'" in query, "a day of UTC, whatever the session's time zone"
