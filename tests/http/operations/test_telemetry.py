"""Traces: asked for by OpenTelemetry's variables, and with nothing in them that a request carries."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_calls import User
from served import serve

from pgcredits.http.operations import telemetry
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version

MARK = "s3cr3tMARK"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def spans(log: str) -> list[dict[str, Any]]:
    """What the console exporter has printed between the lines of the log."""
    return [json.loads(text) for text in re.findall(r"^\{\n.*?^\}$", log, re.S | re.M)]


@pytest.mark.slow
def test_each_request_is_a_span(settings: Settings, rich: User, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is not installed")
    log = tmp_path / "log"
    env = {"OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "bank", "PGCREDITS_SHUTDOWN_DELAY": "0"}
    headers = {**rich.headers, "traceparent": f"00-{TRACE}-{PARENT}-01", "User-Agent": MARK, "Cookie": MARK}
    with serve(settings, log, **env) as served:
        spent = httpx.post(
            f"{served.url}/rest/v1/rpc/consume_tokens?select=*",
            json={"module_id": "whisper", "metadata": {"m": MARK}},
            headers=headers,
        )
        httpx.get(f"{served.url}/rest/v1/{MARK}?x={MARK}", headers=headers)
        served.process.terminate()
        served.process.wait(15)
    text = log.read_text()
    ours = {span["name"]: span for span in spans(text) if span["context"]["trace_id"] == f"0x{TRACE}"}
    assert set(ours) == {"POST /rest/v1/rpc/consume_tokens", "GET /rest/v1/{name}"}
    span = ours["POST /rest/v1/rpc/consume_tokens"]
    assert span["parent_id"] == f"0x{PARENT}"
    assert span["attributes"] == {
        "http.request.method": "POST",
        "http.route": "/rest/v1/rpc/consume_tokens",
        "http.response.status_code": spent.status_code,
        "pgcredits.request_id": spent.headers["x-request-id"],
    }
    assert span["resource"]["attributes"]["service.name"] == "bank"
    assert MARK not in text
    assert rich.user_id not in text


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_SERVICE_NAME": "bank"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    ],
)
def test_nobody_asks_for_traces(env: dict[str, str]) -> None:
    assert telemetry.tracing(env) is None


def test_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with caplog.at_level(logging.WARNING):
        assert telemetry.tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}) is None
    assert "pip install pgcredits[telemetry]" in caplog.text
