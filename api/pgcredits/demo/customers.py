"""What the users of a run do over HTTP: sign up, buy, look at their account."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from pgcredits.demo import DemoError
from pgcredits.demo.trace import Request, repository

TOPUP = 500  # euro cents
PATIENCE = 120.0  # seconds for which a request is sent again while the API or the database is away
_AT_ONCE = 4  # each sign-up hashes a password

decode = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(slots=True)
class User:
    """Somebody who signed up in this run."""

    user_id: str
    token: str = field(repr=False)
    purchases: int = 0  # those that we know of


class Customers:
    """The users of one run, as an HTTP client. `run_id` is in every key."""

    def __init__(self, client: httpx.AsyncClient, run_id: str) -> None:
        self.client = client
        self.run_id = run_id
        self.retries = 0  # how often something was sent again

    def key(self, *parts: str | int) -> str:
        """The Idempotency-Key of something that this run does only once."""
        return ":".join(map(str, ("demo", self.run_id, *parts)))

    async def send(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Send until the answer is not "try again". Only for requests that may be sent twice."""
        deadline = time.monotonic() + PATIENCE
        pause = 0.05
        while True:
            try:
                response = await self.client.request(method, url, **more)
                if response.status_code < 500:
                    return response
                reason = f"{response.status_code} {response.text[:200]}"
            except httpx.TransportError as error:
                reason = repr(error)
            if time.monotonic() > deadline:
                raise DemoError(f"{method} {url}: {reason}, for {PATIENCE:.0f} seconds")
            self.retries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def arrive(
        self, count: int, read: Callable[[User, Request], Awaitable[None]], arrived: Callable[[], None]
    ) -> list[User]:
        """Sign up so many users. Each of them has a repository read."""

        async def one(index: int) -> User:
            user = await self._sign_up(index)
            await read(user, repository(index))
            arrived()
            return user

        users: list[User] = []
        for first in range(0, count, _AT_ONCE):
            batch = range(first, min(first + _AT_ONCE, count))
            users += await asyncio.gather(*(one(index) for index in batch))
        return users

    async def _sign_up(self, index: int) -> User:
        login = {"email": f"user{index}.{self.run_id}@demo.example", "password": uuid.uuid4().hex}
        response = await self.send("POST", "/auth/signup", json=login)
        if response.status_code == 409:  # signed up before the answer was lost
            response = await self.send("POST", "/auth/token", json=login)
        answer = expect(response, 200, 201)
        return User(answer["user_id"], answer["access_token"])

    async def buy(self, user: User, after: int) -> None:
        """Buy one top-up, when the user has no more than `after`: order, click "pay", wait for the tokens.

        Its number is the key of the order: of several who run dry at once, one buys, and all wait for it.
        """
        if user.purchases > after:
            return
        headers = bearer(user.token, self.key("buy", after + 1))
        response = await self.send("POST", "/checkout", json={"amount": TOPUP}, headers=headers)
        if slug(response) != "order_closed":  # otherwise another request has paid
            order = expect(response, 200, 201)
            paid = await self.send("POST", order["url"], data={"action": "pay"})
            if paid.status_code >= 400:
                raise DemoError(f"the simulator refused the payment: {paid.status_code} {paid.text[:200]}")
        deadline = time.monotonic() + PATIENCE
        while (purchases := await self.purchases(user)) <= after:
            if time.monotonic() > deadline:
                raise DemoError(f"top-up {after + 1} of {user.user_id} was paid, but not granted")
            await asyncio.sleep(0.02)
        user.purchases = max(user.purchases, purchases)

    async def purchases(self, user: User) -> int:
        """How many top-ups the user has paid for and received."""
        return len(await self.rows("orders", user, state="eq.paid", select="order_id"))

    async def lifetime_spent(self, user: User) -> Decimal:
        """What the user has spent, by the bank's books."""
        (row,) = await self.rows("balance", user, select="lifetime_spent")
        return Decimal(row["lifetime_spent"])

    async def rows(self, view: str, user: User, **query: str | int) -> list[dict[str, Any]]:
        """The user's own rows of a view, at most as many as the API gives at once."""
        response = await self.send("GET", f"/rest/v1/{view}", params=query, headers=bearer(user.token))
        found: list[dict[str, Any]] = expect(response, 200)
        return found

    async def all_rows(self, view: str, user: User, **query: str | int) -> list[dict[str, Any]]:
        """All of the user's own rows, in an order that leaves no ties."""
        found: list[dict[str, Any]] = []
        while page := await self.rows(view, user, offset=len(found), **query):
            found += page
        return found


@asynccontextmanager
async def connected(base_url: str, run_id: str, connections: int) -> AsyncIterator[Customers]:
    """The users of a run, with so many connections to the API."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=30.0) as client:
        yield Customers(client, run_id)


def new_run() -> str:
    """A run_id that no other run has."""
    return uuid.uuid4().hex[:12]


def bearer(token: str, key: str | None = None) -> dict[str, str]:
    """The headers of a call."""
    return {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {})


def slug(response: httpx.Response) -> str | None:
    """The slug of a refusal, or its status when it has no slug."""
    if response.is_success:
        return None
    try:
        return str(decode(decode(response.content)["details"])["error"])
    except (KeyError, TypeError, msgspec.DecodeError):
        return str(response.status_code)


def expect(response: httpx.Response, *statuses: int) -> Any:
    """The JSON of an answer with one of these statuses. Raises DemoError."""
    if response.status_code not in statuses:
        raise DemoError(f"{response.request.url}: {response.status_code} {response.text[:300]}")
    return decode(response.content)
