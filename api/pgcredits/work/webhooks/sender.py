"""Sending messages: sign, connect, post, and look at the status. Everything has a bound."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
from standardwebhooks import Webhook

from pgcredits.networks import Networks
from pgcredits.work.webhooks.addresses import RefusedAddressError, find_address

_CONNECT_SECONDS = 5.0
_SECONDS = 15.0  # for one try, from the look-up to the status. The database gives us a minute
_LONGEST_TROUBLE = 200  # characters
_AGENT = f"pgcredits/{version('pgcredits')}"


class Message(msgspec.Struct, frozen=True):
    """A message as api.take_webhooks gives it."""

    account_id: str
    notice_id: str
    endpoint_id: str
    lease: str
    url: str
    secrets: list[str]
    message_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try. `status` is that of the answer, None when there was none."""

    message: Message = field(repr=False)
    status: int | None
    trouble: str | None


def signed_headers(message: Message, now: datetime) -> dict[str, str]:
    """The headers of the Standard Webhooks scheme. While one secret replaces another, both sign."""
    signatures = (Webhook(secret).sign(message.message_id, now, message.body) for secret in message.secrets)
    return {
        "content-type": "application/json",
        "user-agent": _AGENT,
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def send_all(messages: Sequence[Message], allowed: Networks) -> list[Outcome]:
    """Try each message once, all at the same time. Never raises for what an endpoint does."""
    timeout = httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS)
    async with httpx.AsyncClient(
        timeout=timeout,
        verify=ssl.create_default_context(),
        follow_redirects=False,
        trust_env=False,  # a proxy would look up the host by itself
    ) as client:
        return list(await asyncio.gather(*(_send(client, message, allowed) for message in messages)))


async def _send(client: httpx.AsyncClient, message: Message, allowed: Networks) -> Outcome:
    try:
        async with asyncio.timeout(_SECONDS):
            status = await _post(client, message, allowed)
    except RefusedAddressError as error:
        return Outcome(message, None, _short(str(error)))
    except TimeoutError:
        return Outcome(message, None, f"no answer within {_SECONDS:.0f} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Outcome(message, None, _short(f"{type(error).__name__}: {error}"))
    return Outcome(message, status, None if 200 <= status < 300 else f"it answered {status}")


async def _post(client: httpx.AsyncClient, message: Message, allowed: Networks) -> int:
    parts = urlsplit(message.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await find_address(host, port, allowed)
    literal = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
    request = client.build_request(
        "POST",
        urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, "")),
        content=message.body.encode(),
        headers={**signed_headers(message, datetime.now(UTC)), "host": parts.netloc},
        extensions={"sni_hostname": host},  # the certificate must be the host's, not the address's
    )
    response = await client.send(request, stream=True)
    try:
        return response.status_code  # the body is not read: it may be endless
    finally:
        await response.aclose()


def _short(text: str) -> str:
    """A text that the database keeps: one line, without control characters."""
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_TROUBLE]
