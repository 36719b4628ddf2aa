"""What is done for every answer: its line in the log, its figures and its headers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import SECRET, WEBHOOK_SECRET, User, bearer, grant, serving, sign, slug
from served import Served, serve

from pgcredits.http.app import create_app
from pgcredits.http.operations.metrics import _known_slugs
from pgcredits.settings import Settings

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

MARK = "s3cr3tMARK"
EMAIL = f"{MARK}@example.com"
METRICS_TOKEN = "a token that only reads the metrics 0123456789"


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two workers, which log JSON."""
    log = tmp_path_factory.mktemp("served") / "log"
    env = {"PGCREDITS_LOG_FORMAT": "json", "PGCREDITS_METRICS_TOKEN": METRICS_TOKEN}
    with serve(settings, log, "--workers", "2", **env) as served:
        yield served


@pytest.fixture(scope="module")
def http(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=20) as client:
        yield client


def lines(served: Served, request_id: str) -> list[dict[str, Any]]:
    """The lines of the log about one request. The last one says how it was answered."""
    deadline = time.monotonic() + 60
    while True:
        found = [json.loads(line) for line in served.log.read_text().splitlines()]
        found = [line for line in found if line.get("request_id") == request_id]
        if found and found[-1]["logger"] == "pgcredits.requests":
            return found
        assert time.monotonic() < deadline, "nothing was logged"
        time.sleep(0.02)


def figures(http: httpx.Client) -> dict[str, float]:
    answer = http.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    rows = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def test_each_request_is_one_line_of_json(http: httpx.Client, served: Served, user: User) -> None:
    answer = http.post("/rest/v1/rpc/consume_tokens", json={"module_id": "whisper"}, headers=user.headers)
    assert slug(answer) == "insufficient_tokens"
    (line,) = lines(served, answer.headers["x-request-id"])
    assert line.pop("ms") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line.pop("request_id")
    assert line == {
        "level": "info",
        "logger": "pgcredits.requests",
        "message": "answered",
        "method": "POST",
        "route": "/rest/v1/rpc/consume_tokens",
        "status": 402,
        "slug": "insufficient_tokens",
    }


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/rest/v1/balance", {"Authorization": "Bearer nonsense"}, 401, "PGRST301"),
        ("/rest/v1/packs?select=nonsense", {}, 400, "42703"),
        ("/rest/v1/packs", {"Accept-Profile": "public"}, 406, "PGRST106"),
    ],
)
def test_a_refusal_without_a_slug_is_logged_by_its_code(
    http: httpx.Client, served: Served, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    (line,) = lines(served, answer.headers["x-request-id"])
    assert (line["status"], line["slug"]) == (status, code)


def test_a_sane_request_id_is_kept(http: httpx.Client, served: Served) -> None:
    given = "0b8f6a52-1d7e-4b43-9c2e-5f1f7f6f0a11"
    answer = http.get("/rest/v1/nothing/at/all", headers={"X-Request-Id": given})
    assert answer.headers.get_list("x-request-id") == [given]
    (line,) = lines(served, given)
    assert (line["route"], line["status"]) == ("unknown", 404)


@pytest.mark.parametrize(
    "odd", ["short", EMAIL, "a" * 65, "a.b.c.d.e.f.g", "sk_test_0123456789", "x y z x y", ""]
)
def test_an_odd_request_id_is_replaced(http: httpx.Client, odd: str) -> None:
    seen = {http.get("/health/live", headers={"X-Request-Id": odd}).headers["x-request-id"] for _ in range(3)}
    assert len(seen) == 3
    assert all(re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", one) for one in seen)


def test_the_log_has_nothing_that_a_request_carries(http: httpx.Client, served: Served, user: User) -> None:
    """Marks stand in every place of requests of all kinds, refused ones, failing ones and good ones."""
    everywhere = {
        "X-Request-Id": f"{MARK}_1",
        "Idempotency-Key": MARK,
        "Cookie": f"pgcredits_guest={MARK}; other={MARK}",
        "User-Agent": MARK,
        "Referer": f"https://{MARK}.example/{MARK}",
        "Origin": f"{MARK}://{MARK}",
        "X-Forwarded-For": MARK,
        "Forwarded": f"for={MARK}",
        "apikey": MARK,
        "Accept-Profile": MARK,
        "Prefer": f"timezone={MARK}",
        "X-Custom": MARK,
    }
    tokens = (
        f"Bearer {MARK}",
        f"Bearer {MARK}.{MARK}.{MARK}",
        f"Basic {MARK}",
        user.headers["Authorization"],
    )
    payload = json.dumps({"id": "evt_1", "type": MARK, "livemode": False, "email": EMAIL})
    answers = []
    for token in tokens:
        for some in (everywhere, {}):
            headers = {**some, "Authorization": token}
            for method, path in (
                ("GET", f"/rest/v1/balance?user_id=eq.{MARK}"),
                ("GET", f"/rest/v1/{MARK}?select={MARK}"),
                ("GET", f"/{MARK}/{EMAIL}"),
                ("GET", f"/rest/v1/rpc/quote_tokens?module_id={MARK}"),
                ("POST", f"/rest/v1/rpc/{MARK}"),
                ("POST", "/rest/v1/rpc/consume_tokens"),
                ("POST", f"/rest/v1/rpc/hold_tokens?{MARK}={MARK}"),
                ("POST", "/auth/token"),
                ("POST", "/auth/signup"),
                ("POST", "/checkout"),
                ("GET", f"/api/user-tokens?userId={EMAIL}"),
                ("OPTIONS", f"/rest/v1/{MARK}"),
                ("PROPFIND", f"/{MARK}"),
            ):
                body = {"module_id": MARK, "metadata": {"m": MARK}, "email": EMAIL, "password": f"{MARK}-1"}
                answers.append(http.request(method, path, headers=headers, json=body))
    for headers in (sign(payload, MARK), sign(payload), {"Stripe-Signature": f"t=1,v1={MARK}"}):
        answers.append(http.post("/webhooks/stripe", content=payload, headers=headers))
    last = http.get("/health/live").headers["x-request-id"]
    lines(served, last)
    text = served.log.read_text()
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 404}
    assert len(text.splitlines()) > len(answers), "every request has a line"
    assert "evt_1 was refused" in text
    for secret in (MARK, SECRET, WEBHOOK_SECRET, METRICS_TOKEN, *(token.split()[-1] for token in tokens)):
        assert secret not in text


def test_figures_are_the_sum_of_all_workers(http: httpx.Client, served: Served, user: User) -> None:
    kind = 'pgcredits_requests_total{method="POST",route="/rest/v1/rpc/quote_tokens",status="422"}'
    odd = {"module_id": "whisper", "usage": {"calls": -1}}
    before = figures(http)
    for _ in range(12):  # each on a connection of its own, so that both workers have some
        answer = httpx.post(f"{served.url}/rest/v1/rpc/quote_tokens", json=odd, headers=user.headers)
        assert slug(answer) == "bad_usage"
    deadline = time.monotonic() + 60  # an answer is counted after it was sent
    while (after := figures(http)).get(kind, 0) - before.get(kind, 0) < 12:
        assert time.monotonic() < deadline
    for _ in range(4):  # whichever worker is asked
        assert figures(http)[kind] - before.get(kind, 0) == 12
    refusals = 'pgcredits_refusals_total{slug="bad_usage"}'
    assert after[refusals] - before.get(refusals, 0) == 12
    seconds = 'pgcredits_request_seconds_count{method="POST",route="/rest/v1/rpc/quote_tokens"}'
    assert after[seconds] - before.get(seconds, 0) == 12
    assert 2 <= after['pgcredits_pool_connections{pool="api"}'] <= 8


def test_clients_make_no_labels(http: httpx.Client) -> None:
    for n in range(5):
        http.get(f"/rest/v1/{MARK}{n}")
        http.get(f"/{MARK}/{n}")
        http.post(f"/rest/v1/rpc/{MARK}{n}", json={})
        http.request(f"{MARK}{n}", "/health/live")
    text = "\n".join(figures(http))
    assert MARK not in text
    assert 'route="/rest/v1/{name}"' in text
    assert 'route="/rest/v1/rpc/{name}"' in text


def test_the_bank_is_watched(http: httpx.Client, admin: psycopg.Connection[Any]) -> None:
    admin.execute("select credits.note_audit(40, 2)")
    try:
        deadline = time.monotonic() + 60  # an answer of the database is kept for some seconds
        while (found := figures(http))["pgcredits_audit_checks"] != 40:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert found["pgcredits_audit_findings"] == 2
        assert 0 <= found["pgcredits_audit_age_seconds"] < 60
        assert found["pgcredits_database_up"] == 1
        assert found["pgcredits_notices_waiting"] >= 0
    finally:
        admin.execute("delete from credits.audits")


def test_a_database_that_is_away_leaves_no_old_figure(settings: Settings) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/nowhere"
    away = replace(settings, service_database_url=nowhere, pool_timeout=0.3)
    with serving(create_app(away)) as url:
        text = httpx.get(f"{url}/metrics", headers=bearer("support")).text
    assert "\npgcredits_database_up 0.0\n" in text
    assert "\npgcredits_audit_findings NaN\n" in text


def test_nobody_has_audited_the_books(client: httpx.Client, admin: psycopg.Connection[Any]) -> None:
    admin.execute("delete from credits.audits")
    text = client.get("/metrics", headers=bearer("support")).text
    assert "\npgcredits_audit_age_seconds +Inf\n" in text


def test_slugs_are_those_of_the_register() -> None:
    assert {"insufficient_tokens", "unknown_module", "bad_amount", "code_exhausted"} <= _known_slugs()
    assert not _known_slugs() & {"balance", "cost", "PT402", "minimum"}


def test_figures_are_for_those_who_may_read_them(
    client: httpx.Client, http: httpx.Client, user: User
) -> None:
    for some, status in (
        ({}, 401),
        ({"Authorization": f"Bearer {MARK}"}, 401),
        ({"Authorization": "Bearer"}, 401),
        (user.headers, 403),
        (bearer("spender"), 403),
        (bearer("support"), 200),
        (bearer("service_role"), 200),
    ):
        assert client.get("/metrics", headers=some).status_code == status, some
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    assert client.get("/metrics", headers=token).status_code == 401, "no token is set there"
    assert http.get("/rest/v1/balance", headers=token).status_code == 401, "it opens nothing else"


def test_every_answer_has_the_headers_of_security(client: httpx.Client, user: User) -> None:
    for path in (
        "/rest/v1/packs",
        "/rest/v1/balance",
        "/nonsense",
        "/checkout/done",
        "/schema",
        "/health/live",
    ):
        headers = client.get(path, headers=user.headers).headers
        for name in (
            "content-security-policy",
            "referrer-policy",
            "permissions-policy",
            "x-content-type-options",
        ):
            assert len(headers.get_list(name)) == 1, (path, name)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers, "public_url is not https"


def test_https_is_for_good(settings: Settings) -> None:
    with serving(create_app(replace(settings, public_url="https://bank.example"))) as url:
        assert httpx.get(f"{url}/health/live").headers["strict-transport-security"] == "max-age=31536000"
        assert httpx.get(f"{url}/nonsense").headers["strict-transport-security"] == "max-age=31536000"


def test_granted_tokens_are_not_logged_with_their_user(
    http: httpx.Client, served: Served, user: User, service: dict[str, str]
) -> None:
    grant(http, service, user, 5)
    answer = http.get("/rest/v1/balance", headers=user.headers)
    lines(served, answer.headers["x-request-id"])
    assert user.user_id not in served.log.read_text()


def named(admin: psycopg.Connection[Any], request_id: str) -> list[Any]:
    """What the sessions wait for that PostgreSQL names for this request."""
    return admin.execute(
        "select a.wait_event_type from pg_stat_activity as a where a.application_name = %s",
        (f"pgcredits {request_id}"[:63],),
    ).fetchall()


@pytest.mark.parametrize("request_id", ["waits-for-a-wallet", "long-" * 12 + "name"])
def test_postgresql_shows_which_request_a_transaction_is_for(
    http: httpx.Client, rich: User, admin: psycopg.Connection[Any], admin_url: str, request_id: str
) -> None:
    headers = rich.headers | {"X-Request-Id": request_id}
    with psycopg.connect(admin_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute(
            "select from credits.wallets as w join credits.identities as i using (account_id)"
            " where i.subject = %s for update of w",
            (rich.user_id,),
        )
        body = {"module_id": "whisper"}
        answer = pool.submit(http.post, "/rest/v1/rpc/consume_tokens", json=body, headers=headers)
        deadline = time.monotonic() + 60
        while named(admin, request_id) != [("Lock",)]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        holder.rollback()
        assert answer.result().status_code == 200
    assert named(admin, request_id) == []  # the name ends with the transaction
