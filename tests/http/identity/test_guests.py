"""Guests over HTTP: a cookie and their network identify them, and nothing that they send changes that."""

from __future__ import annotations

import itertools
import json
import math
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import jwt
import psycopg
import pytest
import uvicorn
from click.testing import CliRunner
from http_calls import SECRET, User, bearer, serving, slug
from litestar import Request
from support import free_port

from pgcredits import cli
from pgcredits.http.app import create_app
from pgcredits.http.identity import guests
from pgcredits.http.identity.client_address import client_address, network_of
from pgcredits.http.identity.guests import COOKIE, FILLED_IN
from pgcredits.http.server import DrainingServer
from pgcredits.networks import Networks
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version

CONSUME, ALLOWANCE = "/rest/v1/rpc/guest_consume", "/rest/v1/rpc/guest_allowance"
USE = {"module_id": "whisper"}
DAY = 86_400
PERIOD = 14 * DAY
SCHOOL = "203.0.113.0/24"
_places = itertools.count(1)


@pytest.fixture(autouse=True)
def limits(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """Allow three uses in 24 hours, eight on a shared network. Nobody has used any."""
    for table in ("guest_uses", "guests", "guest_networks"):
        admin.execute(f"delete from credits.{table}".encode())
    admin.execute("select credits.define_guest_limits('iahome', 3, 3, 8)")
    yield
    admin.execute("select credits.define_guest_limits('iahome', 0)")


@pytest.fixture(scope="module")
def behind_proxies(settings: Settings) -> Iterator[str]:
    """An API behind proxies on this machine and in 10.0.0.0/8."""
    behind = replace(
        settings,
        trusted_proxies=Networks(["127.0.0.1", "10.0.0.0/8"]),
        shared_networks=Networks([SCHOOL]),
        public_url="https://bank.example",
        cors_origins=("https://shop.example",),
    )
    with serving(create_app(behind)) as url:
        yield url


@pytest.fixture
def visit(behind_proxies: str) -> Iterator[Any]:
    """visit(forwarded): a browser with its own cookies, at the given address or one of its own."""
    opened = []

    def make(forwarded: str | None = None) -> httpx.Client:
        number = next(_places)
        address = forwarded or f"198.18.{number // 250}.{number % 250 + 1}"
        # Plain HTTP: without verify=False each client would read all certificates of the machine.
        headers = {"X-Forwarded-For": address}
        browser = httpx.Client(base_url=behind_proxies, headers=headers, timeout=30, verify=False)
        opened.append(browser)
        return browser

    yield make
    for browser in opened:
        browser.close()


def use(browser: httpx.Client, **headers: str) -> httpx.Response:
    return browser.post(CONSUME, json=USE, headers=headers)


def cookie_of(response: httpx.Response) -> str:
    """The value of the cookie that an answer sets."""
    found = re.match(rf"{COOKIE}=([0-9a-f]{{32}});", response.headers["set-cookie"])
    assert found
    return found[1]


def keep(browser: httpx.Client, response: httpx.Response) -> None:
    """Keep the cookie as a browser does. httpx would not send a Secure cookie over HTTP."""
    browser.headers["Cookie"] = f"{COOKIE}={cookie_of(response)}"


def test_fourth_use_is_429_with_a_time(visit: Any) -> None:
    browser = visit()
    first = use(browser)
    assert first.status_code == 200
    assert (first.json()["state"], first.json()["remaining"]) == ("reserved", 2)
    keep(browser, first)
    assert [use(browser).json()["remaining"] for _ in range(2)] == [1, 0]
    refused = use(browser)
    assert (refused.status_code, slug(refused)) == (429, "guest_limit")
    assert refused.json()["code"] == "PT429"
    details = json.loads(refused.json()["details"])
    assert (details["remaining"], details["limit"]) == (0, 3)
    left = (datetime.fromisoformat(details["reset_at"]) - datetime.now(UTC)).total_seconds()
    assert math.ceil(left) <= int(refused.headers["retry-after"]) <= math.ceil(left) + 2
    assert DAY - 60 < int(refused.headers["retry-after"]) <= DAY
    for answer in (browser.get(ALLOWANCE), browser.post(ALLOWANCE, json={})):
        assert answer.status_code == 200
        assert (answer.json()["used"], answer.json()["remaining"]) == (3, 0)
        assert answer.json()["reset_at"] == details["reset_at"]
        assert answer.headers["cache-control"] == "no-store"


def test_cookie_is_set_once_and_only_for_guests(visit: Any, client: httpx.Client) -> None:
    browser = visit()
    answer = browser.get(ALLOWANCE)
    words = set(answer.headers["set-cookie"].lower().split("; "))
    assert {"httponly", "secure", "samesite=lax", "path=/", f"max-age={365 * DAY}"} <= words
    keep(browser, answer)
    assert "set-cookie" not in use(browser).headers
    assert "set-cookie" not in browser.get(ALLOWANCE).headers
    assert "set-cookie" not in browser.get("/rest/v1/packs").headers
    client.cookies.clear()  # that of its sign-ups
    assert "secure" not in client.get(ALLOWANCE).headers["set-cookie"].lower()  # at home, over http


@pytest.mark.parametrize("value", ["", "x", "0" * 31, "0" * 33, "A" * 32, "' or 1=1 --", "0" * 10_000])
def test_foreign_cookie_is_replaced(value: str, visit: Any) -> None:
    browser = visit()
    browser.headers["Cookie"] = f"{COOKIE}={value}"
    answer = use(browser)
    assert answer.status_code == 200
    assert cookie_of(answer) != value


def test_throwing_the_cookie_away_gains_nothing(visit: Any) -> None:
    browser = visit()
    answers = [use(browser) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert len({cookie_of(answer) for answer in answers[:3]}) == 3
    browser.headers["Cookie"] = f"{COOKIE}={'0' * 32}"  # nor does one that was made up
    assert use(browser).status_code == 429


def test_going_elsewhere_with_the_cookie_gains_nothing(visit: Any) -> None:
    browser = visit()
    keep(browser, use(browser))
    for number in range(2):
        assert use(browser, **{"X-Forwarded-For": f"198.19.0.{number}"}).status_code == 200
    assert use(browser, **{"X-Forwarded-For": "198.19.0.9"}).status_code == 429


@pytest.mark.slow
def test_hundred_concurrent_guests_without_cookies_get_three(base_url: str) -> None:
    def knock(_: int) -> httpx.Response:
        return httpx.post(f"{base_url}{CONSUME}", json=USE, timeout=60, verify=False)

    with ThreadPoolExecutor(100) as crowd:
        found = list(crowd.map(knock, range(100)))
    assert Counter(answer.status_code for answer in found) == {200: 3, 429: 97}
    assert sorted(answer.json()["remaining"] for answer in found if answer.is_success) == [0, 1, 2]


def test_only_a_released_use_comes_back(
    visit: Any, client: httpx.Client, service: dict[str, str], user: User
) -> None:
    browser = visit()
    first, second, _ = [use(browser).json() for _ in range(3)]

    def ends(how: str, use_id: str, headers: dict[str, str]) -> httpx.Response:
        return client.post(f"/rest/v1/rpc/{how}_guest_use", json={"use_id": use_id}, headers=headers)

    for headers in ({}, user.headers):  # a guest does not say so
        assert ends("release", first["use_id"], headers).status_code in (401, 403)
    assert ends("confirm", second["use_id"], service).json()["remaining"] == 0
    assert ends("release", first["use_id"], service).json()["remaining"] == 1
    assert ends("release", first["use_id"], service).json()["replayed"] is True
    assert slug(ends("confirm", first["use_id"], service)) == "use_closed"
    assert [use(browser).status_code for _ in range(2)] == [200, 429]


def test_guests_may_be_signed_in(visit: Any, user: User) -> None:
    browser = visit()
    assert [use(browser, **user.headers).status_code for _ in range(4)] == [200, 200, 200, 429]


# What a client may not say


@pytest.mark.parametrize("name", FILLED_IN)
@pytest.mark.parametrize("value", [["a" * 64], True, None], ids=str)
def test_client_cannot_name_the_guest(name: str, value: Any, visit: Any, user: User) -> None:
    browser = visit()
    for headers in ({}, user.headers):
        for path, body in ((CONSUME, {**USE, name: value}), (ALLOWANCE, {name: value})):
            answer = browser.post(path, json=body, headers=headers)
            assert (answer.status_code, slug(answer)) == (403, "not_yours")
        answer = browser.get(ALLOWANCE, params={name: str(value)}, headers=headers)
        assert (answer.status_code, slug(answer)) == (403, "not_yours")


def test_client_cannot_name_the_guest_in_disguise(visit: Any) -> None:
    for body in (
        '{"module_id":"whisper","device_keys":null,"device_keys":["' + "a" * 64 + '"]}',
        '{"module_id":"whisper","device\\u005fkeys":["' + "a" * 64 + '"]}',
    ):
        answer = visit().post(CONSUME, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, slug(answer)) == (403, "not_yours")
    assert visit().get(f"{ALLOWANCE}?device%5Fkeys=x").status_code == 403


def test_service_brings_its_own_keys(client: httpx.Client, service: dict[str, str]) -> None:
    keys = {"device_keys": ["a" * 64], "network_keys": ["b" * 64]}
    answer = client.post(CONSUME, json={**USE, **keys, "shared_network": True}, headers=service)
    assert answer.json()["remaining"] == 2
    assert "set-cookie" not in answer.headers
    assert client.post(CONSUME, json=USE, headers=service).json()["code"] == "PGRST202"
    texts = {name: "{" + value[0] + "}" for name, value in keys.items()}
    assert client.get(ALLOWANCE, params=texts, headers=service).json()["used"] == 1


def test_foreign_page_cannot_use_up_free_uses(visit: Any) -> None:
    """A browser sends a POST without a type, or with text/plain, anywhere without asking."""
    browser = visit()
    for headers in (
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ):
        assert browser.post(CONSUME, content=json.dumps(USE), headers=headers).status_code == 415
    assert browser.get(CONSUME, params=USE).status_code == 405
    assert browser.get(ALLOWANCE).json()["used"] == 0


def test_cookie_crosses_origins_that_are_listed(visit: Any, settings: Settings) -> None:
    browser = visit()
    listed = use(browser, Origin="https://shop.example")
    assert listed.headers["access-control-allow-origin"] == "https://shop.example"
    assert listed.headers["access-control-allow-credentials"] == "true"
    assert "retry-after" in listed.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in use(browser, Origin="https://evil.example").headers
    for pattern in ("*", "https://*.example"):
        with serving(create_app(replace(settings, cors_origins=(pattern,)))) as url:
            answer = httpx.get(f"{url}{ALLOWANCE}", headers={"Origin": "https://evil.example"})
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 404),
        ({"module_id": None}, 404),
        ({"module_id": "x" * 300}, 404),
        ({**USE, "extra": 1}, 404),
        ([], 400),
    ],
    ids=str,
)
def test_bad_guest_calls_are_refused(body: Any, status: int, visit: Any) -> None:
    assert visit().post(CONSUME, json=body).status_code == status


# Where a request comes from


def test_nobody_is_believed_without_trusted_proxies(client: httpx.Client) -> None:
    statuses = [
        client.post(CONSUME, json=USE, headers={name: f"198.51.100.{number}"}).status_code
        for number, name in enumerate(
            ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-For", "CF-Connecting-IP")
        )
    ]
    assert statuses == [200, 200, 200, 429, 429]


def test_addresses_that_a_client_prepends_are_not_believed(visit: Any) -> None:
    browser = visit()
    address = browser.headers["X-Forwarded-For"]
    forged = ("1.2.3.4", "10.1.1.1", "1.2.3.4, 5.6.7.8", "unknown", "::1", "")
    statuses = [
        use(browser, **{"X-Forwarded-For": f"{start}, {address}, 10.0.0.7"}).status_code for start in forged
    ]
    assert statuses == [200, 200, 200, 429, 429, 429]


def test_one_subscriber_of_ipv6_is_one_network(visit: Any) -> None:
    browser = visit()
    statuses = [
        use(browser, **{"X-Forwarded-For": f"2001:db8:1:2::{number:x}"}).status_code for number in range(1, 5)
    ]
    assert statuses == [200, 200, 200, 429]
    assert use(browser, **{"X-Forwarded-For": "2001:db8:1:3::1"}).status_code == 200


def test_shared_network_has_the_higher_limit(visit: Any) -> None:
    pupils = [visit("203.0.113.77") for _ in range(4)]
    for pupil in pupils:
        keep(pupil, pupil.get(ALLOWANCE))
    statuses = [use(pupil).status_code for pupil in pupils for _ in range(3)]
    assert Counter(statuses) == {200: 8, 429: 4}
    assert statuses[:4] == [200, 200, 200, 200]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::FFFF:C633:6401", [], "198.51.100.1"),
        ("::ffff:c633:6401", [], "198.51.100.1"),
        ("0:0:0:0:0:ffff:198.51.100.1", [], "198.51.100.1"),
        ("::198.51.100.1", [], "198.51.100.1"),
        ("::1", [], "::1"),
        ("64:ff9b::198.51.100.1", [], "198.51.100.1"),
        ("2002:c633:6401:7::9", [], "198.51.100.1"),
        ("2001:0:4136:e378:8000:63bf:39cc:9bfe", [], "198.51.100.1"),
        ("10.0.0.1", ["010.0.0.1"], "10.0.0.1"),
        ("2001:0DB8::0001", [], "2001:db8::1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1", "10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", ["10.3.3.3, 10.2.3.4"], "10.3.3.3"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("2001:db8:ffff::1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["garbage, 198.51.100.1"], "198.51.100.1"),
        *(
            ("10.0.0.1", [f"198.51.100.1, {garbage}"], "10.0.0.1")
            for garbage in (
                "garbage",
                "",
                "unknown",
                "1.2.3",
                "256.1.1.1",
                "0x7f.1",
                "1.2.3.4.5",
                "[",
                "10.0.0.1/8",
                "\xe9",
            )
        ),
        ("testclient", ["198.51.100.1"], None),
        (None, ["198.51.100.1"], None),
    ],
)
def test_client_address_is_the_last_that_no_proxy_of_ours_has(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    scope = {
        "type": "http",
        "client": (peer, 1) if peer else None,
        "headers": [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded],
    }
    request: Request[Any, Any, Any] = Request(cast("Any", scope))
    address = client_address(request, Networks(["10.0.0.0/8", "2001:db8:ffff::/48"]))
    assert (str(address) if address else None) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_network_is_the_ipv4_address_or_the_ipv6_64(address: str, network: str) -> None:
    request: Request[Any, Any, Any] = Request(
        cast("Any", {"type": "http", "client": (address, 1), "headers": []})
    )
    found = client_address(request, Networks())
    assert found is not None
    assert network_of(found) == network


def test_server_itself_believes_no_forwarding_header(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """uvicorn would believe anybody on 127.0.0.1."""
    believed: list[bool] = []

    def note(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        believed.append(server.config.proxy_headers)
        server.started = True
        for listener in sockets:
            listener.close()

    monkeypatch.setattr(DrainingServer, "run", note)
    env = {
        "PGCREDITS_API_DATABASE_URL": settings.api_database_url,
        "PGCREDITS_SERVICE_DATABASE_URL": settings.service_database_url,
        "PGCREDITS_JWT_SECRET": SECRET,
    }
    result = CliRunner().invoke(cli.main, ["serve", "--port", str(free_port())], env=env)
    assert result.exit_code == 0, result.output
    assert believed == [False]


# What is kept, and for how long it is known


def test_neither_cookie_nor_address_reaches_the_database(visit: Any, admin: psycopg.Connection[Any]) -> None:
    browser = visit("203.0.113.200")
    cookie = cookie_of(use(browser))
    rows = [
        admin.execute(f"select t::text from credits.{table} as t".encode()).fetchall()
        for table in ("guests", "guest_networks", "guest_uses")
    ]
    assert all(rows)
    for hidden in (cookie, "203.0.113.200", b"203.0.113.200".hex(), cookie.encode().hex()):
        assert hidden not in str(rows)


def test_keys_need_the_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1e9)
    secrets = [
        settings,
        replace(settings, jwt_secret="another secret, as long as it has to be"),
        replace(settings, guest_secret="a secret for guests, as long as it has to be"),
    ]
    assert len({guests._keys(each, "network:192.0.2.1")[0] for each in secrets}) == 3
    same = replace(secrets[2], jwt_secret="another secret, as long as it has to be")
    assert guests._keys(same, "x") == guests._keys(secrets[2], "x")
    assert guests._keys(settings, "device:x") != guests._keys(settings, "network:x")


def test_two_api_servers_share_keys_for_seven_days(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process finds a key up to 7 days later, even when its clock is an hour off."""

    def keys(moment: float) -> list[str]:
        monkeypatch.setattr(time, "time", lambda: moment)
        return guests._keys(settings, "device:x")

    start = 1_700_000_000 // PERIOD * PERIOD
    for moment in range(start, start + PERIOD + 1, DAY // 4):
        for later in (-3600, -1, 0, 1, 3600, DAY, 6 * DAY, 7 * DAY - 3600, 7 * DAY + 3600):
            assert keys(moment)[0] in keys(moment + later), (moment - start, later)
        assert keys(moment)[0] not in keys(moment + 2 * PERIOD)
        assert len(set(keys(moment))) == 2


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_new_salt_gives_no_new_uses(
    step: int, visit: Any, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any]
) -> None:
    """Four uses within four seconds, over the moment in which the salt changes."""
    browser = visit()
    turn = (int(time.time()) // PERIOD + 1) * PERIOD
    statuses = []
    for second in range(4):
        monkeypatch.setattr(time, "time", lambda second=second: float(turn - step + second))
        answer = use(browser)
        statuses.append(answer.status_code)
        if second == 0:
            keep(browser, answer)
    assert statuses == [200, 200, 200, 429]
    assert admin.execute("select count(*) from credits.guest_networks").fetchone() == (1,)


# Signing up


def sign_up(browser: httpx.Client) -> tuple[int, str | None]:
    body = {"email": f"guest-{time.time_ns()}@example.com", "password": "a long password"}
    answer = browser.post("/auth/signup", json=body)
    return answer.status_code, answer.json().get("user_id")


def linked(admin: psycopg.Connection[Any]) -> list[str]:
    """The users that guests have become."""
    rows = admin.execute(
        "select i.subject from credits.guests as g"
        " join credits.identities as i on i.account_id = g.linked_to order by g.linked_at"
    ).fetchall()
    return [str(subject) for (subject,) in rows]


def test_signing_up_links_the_guest(visit: Any, admin: psycopg.Connection[Any]) -> None:
    browser = visit()
    keep(browser, use(browser))
    status, user_id = sign_up(browser)
    assert status == 201
    assert linked(admin) == [user_id]
    assert sign_up(browser)[0] == 201  # a second account of the same device
    assert linked(admin) == [user_id]
    assert admin.execute("select sum(signed_up) from analytics.guest_conversion").fetchone() == (1,)


def test_opening_an_account_links_the_guest_once(
    visit: Any, user: User, admin: psycopg.Connection[Any]
) -> None:
    """The account is another provider's user, and the client cannot name the guest."""
    browser, other = visit(), visit()
    for each in (browser, other):
        keep(each, use(each))
    opened = browser.post("/auth/account", json={"device_keys": ["0" * 64]}, headers=user.headers)
    assert (opened.status_code, opened.json()["opened"]) == (200, True)
    assert linked(admin) == [user.user_id]
    again = other.post("/auth/account", json={}, headers=user.headers)
    assert (again.status_code, again.json()["opened"]) == (200, False)
    assert linked(admin) == [user.user_id]


def test_signing_up_links_over_a_change_of_the_salt(
    visit: Any, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = visit()
    turn = (int(time.time()) // PERIOD + 1) * PERIOD
    monkeypatch.setattr(time, "time", lambda: float(turn - 1))
    keep(browser, use(browser))
    monkeypatch.setattr(time, "time", lambda: float(turn + DAY))
    assert linked(admin) == []
    assert sign_up(browser)[0] == 201
    assert len(linked(admin)) == 1


def test_signing_up_without_having_been_a_guest(visit: Any, admin: psycopg.Connection[Any]) -> None:
    browser, other = visit(), visit()
    use(other)
    assert sign_up(browser)[0] == 201
    browser.headers["Cookie"] = f"{COOKIE}=nonsense"
    assert sign_up(browser)[0] == 201
    browser.headers["Cookie"] = f"{COOKIE}={'0' * 32}"
    assert sign_up(browser)[0] == 201
    assert linked(admin) == []


# What new accounts are given


@contextmanager
def welcome(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """A welcome of 50, as a price list defines it."""
    name = f"welcome-{time.time_ns()}"
    admin.execute("select credits.define_campaign(%s, 'welcome', 'Welcome', 50)", (name,))
    try:
        yield
    finally:
        admin.execute("update credits.campaigns set active = false where campaign_id = %s", (name,))


@pytest.mark.slow
def test_ten_sign_ups_with_one_cookie_bring_three_welcomes(
    visit: Any, admin: psycopg.Connection[Any]
) -> None:
    """The first answer sets the cookie. Without it the network's bound of 20 would hold."""
    with welcome(admin):
        for keeps in (True, True, False):
            browser = visit()
            tokens = []
            for number in range(10 if keeps else 25):
                body = {"email": f"farm-{time.time_ns()}-{number}@example.com", "password": "a long password"}
                answer = browser.post("/auth/signup", json=body)
                assert answer.status_code == 201
                tokens.append(answer.json().get("welcome", 50))
                assert answer.json().get("welcome_waits_for") == (None if tokens[-1] else "limit")
                if keeps and number == 0:
                    keep(browser, answer)
            assert tokens == [50] * 3 + [0] * 7 if keeps else [50] * 20 + [0] * 5


def test_an_account_of_another_issuer_is_counted_the_same(visit: Any, admin: psycopg.Connection[Any]) -> None:
    browser = visit()
    with welcome(admin):
        for number in range(5):
            subject = f"foreign-{time.time_ns()}"
            answer = browser.post("/auth/account", json={}, headers=bearer("authenticated", subject))
            if number == 0:
                keep(browser, answer)
            assert answer.json()["welcome"] == (50 if number < 3 else 0)


# Signing in


@pytest.mark.slow
def test_guessing_a_password_ends_with_429_that_says_when(visit: Any, admin: psycopg.Connection[Any]) -> None:
    address = f"victim-{time.time_ns()}@example.com"
    home, stranger = visit(), visit()
    right = {"email": address, "password": "the right password"}
    assert home.post("/auth/signup", json=right).status_code == 201
    assert home.post("/auth/token", json=right).status_code == 200
    for email in (address, f"nobody-{time.time_ns()}@example.com"):
        wrong = {"email": email, "password": "a wrong password"}
        answers = [stranger.post("/auth/token", json=wrong) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 2
        assert slug(answers[-1]) == "sign_in_limit"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 15 * 60
    # Not even the right one is looked at; the victim, at home, is not concerned.
    assert stranger.post("/auth/token", json=right).status_code == 429
    assert home.post("/auth/token", json=right).status_code == 200
    # Another process of the API counts in the same place.
    counted = admin.execute(
        "select max(attempts) from credits.sign_in_counts where scope like 'pair:%'"
    ).fetchone()
    assert counted == (10,)


def test_sign_ups_from_one_network_are_bounded(visit: Any, admin: psycopg.Connection[Any]) -> None:
    admin.execute("select credits.limit_sign_ins(p_sign_ups => 3)")
    try:
        browser = visit()
        assert [sign_up(browser)[0] for _ in range(5)] == [201] * 3 + [429] * 2
        assert sign_up(visit())[0] == 201
    finally:
        admin.execute("select credits.limit_sign_ins(p_sign_ups => 300)")


def test_issuers_email_verified_claim_counts(visit: Any, admin: psycopg.Connection[Any]) -> None:
    browser = visit()

    def opened(subject: str, **claims: Any) -> tuple[int, str | None]:
        payload = {"role": "authenticated", "sub": subject, "exp": time.time() + 60, **claims}
        token = jwt.encode(payload, SECRET, algorithm="HS256")
        answer = browser.post("/auth/account", json={}, headers={"Authorization": f"Bearer {token}"})
        return answer.json()["welcome"], answer.json()["welcome_waits_for"]

    admin.execute("select credits.require_verified_email(true)")
    try:
        with welcome(admin):
            name = f"verified-{time.time_ns()}"
            assert opened(name) == (0, "verification")
            for word in (False, None, "true", 1):
                assert opened(name, email_verified=word) == (0, "verification")
            assert opened(name, email_verified=True) == (50, None)
            assert opened(name, email_verified=True) == (0, None)
    finally:
        admin.execute("select credits.require_verified_email(false)")
