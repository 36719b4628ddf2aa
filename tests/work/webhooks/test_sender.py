"""Sending messages: signed, bounded, never to a private address, and never where a redirect leads."""

from __future__ import annotations

import asyncio
import json
import socket
from ipaddress import ip_address
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from pgcredits.networks import Networks
from pgcredits.work.webhooks import addresses, sender
from pgcredits.work.webhooks.addresses import RefusedAddressError, find_address, is_public
from pgcredits.work.webhooks.sender import Message, Outcome, send_all

pytestmark = pytest.mark.one_version

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs="
HERE = Networks(["127.0.0.0/8", "::1/128"])
BODY = json.dumps(
    {"type": "granted", "timestamp": "2098-06-01T12:00:00+00:00", "data": {"tokens": 5, "é": "ü"}}
)


def message(url: str, *secrets: str) -> Message:
    names = {name: f"{name}-1" for name in ("account_id", "notice_id", "endpoint_id", "lease")}
    return Message(**names, url=url, secrets=list(secrets) or [SECRET], message_id="msg_1", body=BODY)


def send(*messages: Message, allowed: Networks = HERE) -> list[Outcome]:
    return asyncio.run(send_all(messages, allowed))


def test_message_carries_a_signature_that_the_library_verifies(product: Any, port: int) -> None:
    (outcome,) = send(message(f"http://127.0.0.1:{port}/hook?a=1"))
    assert (outcome.status, outcome.trouble) == (204, None)
    ((path, headers, body),) = product.got
    assert (path, headers["host"], headers["content-type"]) == (
        "/hook?a=1",
        f"127.0.0.1:{port}",
        "application/json",
    )
    assert Webhook(SECRET).verify(body, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers)


def test_while_a_secret_is_replaced_both_sign(product: Any, port: int) -> None:
    send(message(f"http://127.0.0.1:{port}/", SECRET, OLD))
    ((_, headers, body),) = product.got
    for secret in (SECRET, OLD):
        assert Webhook(secret).verify(body, headers) == json.loads(BODY)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_a_failure_and_leads_nowhere(product: Any, port: int, status: int) -> None:
    elsewhere = type(product)()
    with elsewhere.listening() as other:
        product.status, product.location = status, f"http://127.0.0.1:{other}/"
        (outcome,) = send(message(f"http://127.0.0.1:{port}/"))
    assert (outcome.status, outcome.trouble) == (status, f"it answered {status}")
    assert elsewhere.got == []


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "0.0.0.0", "100.64.0.1"),
        *(
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[fec0::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::7f00:1]",
            "[::]",
        ),
        *("[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[ff02::1]"),
        *("224.0.0.1", "255.255.255.255", "localhost"),
    ],
)
def test_private_addresses_are_refused(product: Any, port: int, host: str) -> None:
    (outcome,) = send(message(f"http://{host}:{port}/"), allowed=Networks())
    assert outcome.status is None
    assert "is not a public address" in (outcome.trouble or "")
    assert product.got == []


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_only_the_allowed_networks_are_allowed(product: Any, port: int) -> None:
    (outcome,) = send(message(f"http://127.0.0.1:{port}/"), allowed=Networks(["10.0.0.0/8", "127.0.0.2/32"]))
    assert outcome.status is None
    assert product.got == []


def test_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(*_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
            for address in ("93.184.216.34", "10.0.0.1")
        ]

    async def look_up() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        await find_address("two.example", 443, Networks())

    with pytest.raises(RefusedAddressError, match="not a public address"):
        asyncio.run(look_up())


def test_connection_goes_to_the_address_that_was_checked(
    product: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is looked up again may stand for another address by then."""
    asked = []

    async def once(host: str, port: int, allowed: Networks) -> Any:
        asked.append(host)
        return ip_address("127.0.0.1")

    monkeypatch.setattr(sender, "find_address", once)
    (outcome,) = send(message(f"http://shop.invalid:{port}/"))
    assert (outcome.status, asked) == (204, ["shop.invalid"])
    assert product.got[0][1]["host"] == f"shop.invalid:{port}"


def test_slow_endpoint_is_given_up_and_delays_no_other(
    product: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_SECONDS", 0.5)
    product.seconds = 3
    quick = type(product)()
    with quick.listening() as other:
        slow, fast = send(message(f"http://127.0.0.1:{port}/"), message(f"http://127.0.0.1:{other}/"))
    assert (slow.status, fast.status) == (None, 204)
    assert slow.trouble


def test_endless_answer_is_not_read(product: Any, port: int) -> None:
    product.status, product.endless = 200, True
    (outcome,) = send(message(f"http://127.0.0.1:{port}/"))  # reading it would take longer than a try may
    assert (outcome.status, outcome.trouble) == (200, None)


@pytest.mark.parametrize(
    "url",
    ["https://no-such-host.invalid/", "http://127.0.0.1:1/", "https://127.0.0.1:{port}/", "http://[::1/"],
)
def test_unreachable_endpoint_is_a_failure_with_a_reason(product: Any, port: int, url: str) -> None:
    (outcome,) = send(message(url.format(port=port)))
    assert outcome.status is None
    assert outcome.trouble
    assert outcome.trouble.isprintable()


def test_proxy_of_the_environment_is_not_asked(
    product: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    (outcome,) = send(message(f"http://127.0.0.1:{port}/"))
    assert outcome.status == 204


def test_look_up_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_LOOKUP_SECONDS", 0.2)

    async def never(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(60)
        return []

    async def look_up() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
        await find_address("slow.example", 443, Networks())

    with pytest.raises(RefusedAddressError, match="has no address"):
        asyncio.run(look_up())
