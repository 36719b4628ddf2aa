"""Calls over HTTP, sync and async."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from pgcredits.client.answers import Answer
from pgcredits.client.calls import Call, R, encode
from pgcredits.client.errors import BankError
from pgcredits.client.retries import Retries, attempts


def _request(call: Call[Any], api_key: str | None) -> dict[str, Any]:
    """What httpx has to send."""
    headers = {"Content-Type": "application/json"}
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    return {
        "url": f"rest/v1/rpc/{call.function}",
        "content": encode(call.arguments),
        "headers": headers,
    }


def _base(url: str) -> str:
    return url.rstrip("/") + "/"


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.headers, response.content)


def _read(call: Call[R], body: bytes) -> R:
    try:
        return call.read(body)
    except ValueError as error:
        text = "the answer is not one of the bank: is the URL right?"
        raise BankError(text, status=200) from error


class Http:
    """The HTTP API of a bank. Threads may share it."""

    def __init__(
        self,
        url: str,
        api_key: str | None,
        timeout: float,
        retries: Retries,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._client = httpx.Client(base_url=_base(url), timeout=timeout, transport=transport)
        self._api_key = api_key
        self._retries = retries

    def run(self, call: Call[R]) -> R:
        """Raises BankError."""
        request = _request(call, self._api_key)
        steps = attempts(call, self._retries)
        wait = next(steps)
        while True:
            time.sleep(wait)
            got: Answer | httpx.HTTPError
            try:
                got = _answer(self._client.post(**request))
            except httpx.HTTPError as error:
                got = error
            try:
                wait = steps.send(got)
            except StopIteration as done:
                return _read(call, done.value)

    def close(self) -> None:
        self._client.close()


class AsyncHttp:
    """The HTTP API of a bank, for one event loop."""

    def __init__(
        self,
        url: str,
        api_key: str | None,
        timeout: float,
        retries: Retries,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._client = httpx.AsyncClient(base_url=_base(url), timeout=timeout, transport=transport)
        self._api_key = api_key
        self._retries = retries

    async def run(self, call: Call[R]) -> R:
        """Raises BankError."""
        request = _request(call, self._api_key)
        steps = attempts(call, self._retries)
        wait = next(steps)
        while True:
            if wait > 0:
                await asyncio.sleep(wait)
            got: Answer | httpx.HTTPError
            try:
                got = _answer(await self._client.post(**request))
            except httpx.HTTPError as error:
                got = error
            try:
                wait = steps.send(got)
            except StopIteration as done:
                return _read(call, done.value)

    async def close(self) -> None:
        await self._client.aclose()
