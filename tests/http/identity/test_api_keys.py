"""API keys over HTTP: as a bearer token or in the header apikey, remembered for a few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import User, bearer, slug

from pgcredits import api_key
from pgcredits.http.database.pools import Statement, UnavailableError
from pgcredits.http.identity import api_keys
from pgcredits.http.identity.api_keys import ApiKeys
from pgcredits.tokens import Caller, TokenError

pytestmark = pytest.mark.one_version

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make(client: httpx.Client, service: dict[str, str]) -> Make:
    """make(role): a new API key, as its answer tells of it."""

    def create(role: str = "spender", **more: Any) -> dict[str, Any]:
        body = {"name": "till", "role": role} | more
        response = client.post("/rest/v1/rpc/create_api_key", json=body, headers=service)
        response.raise_for_status()
        key: dict[str, Any] = response.json()
        return key

    return create


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The HTTP API asks about every call's key."""
    monkeypatch.setattr(api_keys, "REMEMBERED", 0.0)


def with_key(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def look(client: httpx.Client, text: str) -> httpx.Response:
    return client.get("/rest/v1/balance", headers=with_key(text))


def invented(number: int) -> str:
    """A text that only the database can tell from a key."""
    text = f"pgc_test_{number:016x}_{sha256(str(number).encode()).hexdigest()}"
    return text + sha256(text.encode()).hexdigest()[:8]


@pytest.mark.parametrize("header", ["Authorization", "apikey"])
def test_key_gives_its_role(header: str, client: httpx.Client, make: Make, rich: User) -> None:
    text = make("spender")["api_key"]
    headers = with_key(text) if header == "Authorization" else {"apikey": text}
    spend = {"module_id": "whisper", "user_id": rich.user_id}
    spent = client.post("/rest/v1/rpc/consume_tokens", json=spend, headers=headers)
    assert (spent.status_code, spent.json()["balance"]) == (200, 975)
    grant = {"user_id": rich.user_id, "tokens": 1}
    refused = client.post("/rest/v1/rpc/add_tokens", json=grant, headers=headers)
    assert (refused.status_code, slug(refused)) == (403, "not_allowed")
    refused = client.post(
        "/rest/v1/rpc/create_api_key", json={"name": "n", "role": "spender"}, headers=headers
    )
    assert (refused.status_code, slug(refused)) == (403, "not_allowed")


def test_service_key_grants_and_support_key_reads(client: httpx.Client, make: Make, rich: User) -> None:
    service, support = (with_key(make(role)["api_key"]) for role in ("service_role", "support"))
    grant = {"user_id": rich.user_id, "tokens": 1}
    assert client.post("/rest/v1/rpc/add_tokens", json=grant, headers=service).status_code == 200
    assert client.post("/rest/v1/rpc/add_tokens", json=grant, headers=support).status_code == 403
    seen = client.get(f"/rest/v1/balance?user_id=eq.{rich.user_id}", headers=support)
    assert [row["balance"] for row in seen.json()] == [1001]


def test_bearer_token_comes_before_the_header_apikey(client: httpx.Client, make: Make, rich: User) -> None:
    """supabase-js sends the key of the project beside the token of the user."""
    text = make("service_role")["api_key"]
    rows = client.get("/rest/v1/balance", headers=rich.headers | {"apikey": text}).json()
    assert [row["user_id"] for row in rows] == [rich.user_id]
    for word in ("a word of a gateway", "sb_secret_x", bearer("service_role")["Authorization"][7:]):
        assert client.get("/rest/v1/balance", headers={"apikey": word}).status_code == 401
        assert client.get("/rest/v1/packs", headers={"apikey": word}).status_code == 200


def test_wrong_keys_are_refused(client: httpx.Client, make: Make) -> None:
    text = make("service_role")["api_key"]
    for wrong in (text[:26], text[:-1], f"{text}0", "pgc_", "pgc_test_x_y", invented(1)):
        response = look(client, wrong)
        assert (response.status_code, response.json()["code"]) == (401, "PGRST301"), wrong
        assert "not known" in response.headers["www-authenticate"]
        header = {"apikey": wrong}
        assert client.get("/rest/v1/balance", headers=header).status_code == 401
    with pytest.raises(UnicodeEncodeError):
        look(client, f"{text}ä")
    assert look(client, text).status_code == 200


def test_shape_of_a_key_is_checked_without_the_database() -> None:
    right = invented(7)
    assert api_key.key_id(right) == f"{7:016x}"
    for wrong in (right[:-1], right + "\n", right.replace("_test_", "_live_"), right[:-1] + "g", "", "pgc_"):
        assert api_key.key_id(wrong) is None


def test_revoked_key_opens_nothing(
    client: httpx.Client, make: Make, service: dict[str, str], forgetful: None
) -> None:
    key = make("support")
    assert look(client, key["api_key"]).status_code == 200
    client.post(
        "/rest/v1/rpc/revoke_api_key", json={"key_id": key["key_id"]}, headers=service
    ).raise_for_status()
    response = look(client, key["api_key"])
    assert (response.status_code, response.json()["message"]) == (401, "API key is revoked")


def test_revocation_takes_effect_within_the_time_promised(
    client: httpx.Client, make: Make, service: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make("support")
    assert look(client, key["api_key"]).status_code == 200
    client.post(
        "/rest/v1/rpc/revoke_api_key", json={"key_id": key["key_id"]}, headers=service
    ).raise_for_status()
    assert look(client, key["api_key"]).status_code == 200  # it is remembered
    monkeypatch.setattr(api_keys, "monotonic", lambda: time.monotonic() + api_keys.REMEMBERED)
    assert look(client, key["api_key"]).status_code == 401
    assert api_keys.REMEMBERED <= 10  # docs/identity.md and the comment of revoke_api_key say so


def test_expired_and_replaced_keys_say_so(
    client: httpx.Client,
    make: Make,
    service: dict[str, str],
    admin: psycopg.Connection[Any],
    forgetful: None,
) -> None:
    key = make("support")
    rotated = client.post(
        "/rest/v1/rpc/rotate_api_key", json={"key_id": key["key_id"], "overlap": "PT0S"}, headers=service
    ).json()
    assert look(client, key["api_key"]).json()["message"] == "API key is replaced"
    assert look(client, rotated["api_key"]).status_code == 200
    admin.execute("update credits.api_keys set expires_at = now() where key_id = %s", (key["key_id"],))
    assert look(client, rotated["api_key"]).json()["message"] == "API key is expired"


def test_revoking_while_calls_run_fails_none_half_way(
    client: httpx.Client, make: Make, service: dict[str, str], rich: User, forgetful: None
) -> None:
    """Each call is made whole, or refused as a whole; after the revocation all are refused."""
    key = make("spender")

    def spend(number: int) -> int:
        if number == 15:
            body = {"key_id": key["key_id"]}
            client.post("/rest/v1/rpc/revoke_api_key", json=body, headers=service).raise_for_status()
            return 0
        body = {"module_id": "whisper", "user_id": rich.user_id}
        headers = with_key(key["api_key"])
        return client.post("/rest/v1/rpc/consume_tokens", json=body, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(spend, range(30)))
    assert set(answers) <= {0, 200, 401}
    assert answers[-1] == 401
    left = client.get("/rest/v1/balance", headers=rich.headers).json()[0]["balance"]
    assert left == 1000 - 25 * answers.count(200)


def test_text_of_a_key_is_in_no_log(
    client: httpx.Client, make: Make, caplog: pytest.LogCaptureFixture, admin: psycopg.Connection[Any]
) -> None:
    text = make("support")["api_key"]
    caplog.set_level("DEBUG")
    look(client, text)
    look(client, text[:-1])
    assert text.split("_")[3][:32] not in caplog.text


@pytest.mark.parametrize("text", ["sb_publishable_abc", "sb_publishable_", "a word", "our page"])
def test_publishable_key_is_nobody(
    text: str, client: httpx.Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """supabase-js sends it as the bearer token while nobody is signed in."""
    known = text.startswith("sb_")
    headers = with_key(text) | {"apikey": text}
    assert client.get("/rest/v1/packs", headers=headers).status_code == (200 if known else 401)
    monkeypatch.setattr(type(settings), "publishable_keys", ("a word", "our page"), raising=False)
    assert client.get("/rest/v1/balance", headers=headers).status_code == 401
    assert client.get("/rest/v1/balance", headers=with_key("another word")).json()["code"] == "PGRST301"


def test_flood_of_wrong_keys_leaves_the_pool_to_others(
    client: httpx.Client, make: Make, admin: psycopg.Connection[Any]
) -> None:
    """Each question about a key waits in the database, as long as a call may wait there."""
    known = make("support")["api_key"]
    assert look(client, known).status_code == 200
    with ThreadPoolExecutor(12) as pool:
        with admin.transaction():
            admin.execute("lock table credits.api_key_secrets in access exclusive mode")
            flood = [pool.submit(look, client, invented(number)) for number in range(100, 112)]
            deadline = time.monotonic() + 20
            while waiting(admin) == 0:
                assert time.monotonic() < deadline
            for headers in (bearer("service_role"), with_key(known)):
                assert client.get("/rest/v1/balance?limit=1", headers=headers).status_code == 200
            assert waiting(admin) == 1  # a third of the four connections
            assert not any(answer.done() and answer.result().status_code == 200 for answer in flood)
        assert {answer.result().status_code for answer in flood} <= {401, 503}


def waiting(admin: psycopg.Connection[Any]) -> int:
    """How many questions about keys wait for a lock."""
    row = admin.execute(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        " and query like '%api.resolve_api_key%' and pid <> pg_backend_pid()"
    ).fetchone()
    assert row is not None
    return int(row[0])


# The memory of one process


class Bank:
    """Stands for the database: knows some keys, and counts what it is asked."""

    def __init__(self, *right: str) -> None:
        self.right = {sha256(text.encode()).hexdigest() for text in right}
        self.asked: list[tuple[str, str | None]] = []
        self.down = False

    async def call(
        self, caller: Caller, statement: Statement, *, read_only: bool, path: str
    ) -> tuple[Any, ...]:
        key_id, digest = statement.values
        self.asked.append((str(key_id), statement.kind))
        await asyncio.sleep(0)
        if self.down:
            raise UnavailableError("away")
        return (key_id, "spender", "active") if digest in self.right else (None, None, None)


def test_calls_at_once_ask_once() -> None:
    text, bank = invented(1), Bank(invented(1))
    keys = ApiKeys(bank)  # type: ignore[arg-type]

    async def all_at_once() -> list[Caller]:
        first = asyncio.create_task(keys.caller(text))
        others = [asyncio.create_task(keys.caller(text)) for _ in range(20)]
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.gather(*others)

    callers = asyncio.run(all_at_once())
    assert len(bank.asked) == 1
    assert {(caller.role, caller.subject, caller.backend) for caller in callers} == {("spender", None, True)}
    assert "secret" not in callers[0].claims
    assert text not in callers[0].claims


def test_wrong_keys_drive_no_right_one_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_MOST", 3)
    text, bank = invented(0), Bank(invented(0))
    keys = ApiKeys(bank)  # type: ignore[arg-type]

    async def flood() -> None:
        await keys.caller(text)
        for number in range(1, 50):
            for _ in range(2):  # the second time it is remembered
                with pytest.raises(TokenError, match="not known"):
                    await keys.caller(invented(number))
        await keys.caller(text)

    asyncio.run(flood())
    assert len(bank.asked) == 50
    assert len(keys._wrong) == 3
    assert {kind for _, kind in bank.asked[1:]} == {"an unknown API key"}


def test_known_keys_are_asked_about_in_a_lane_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "REMEMBERED", 0.0)
    text, bank = invented(0), Bank(invented(0))
    keys = ApiKeys(bank)  # type: ignore[arg-type]

    async def twice() -> None:
        await keys.caller(text)
        await keys.caller(text)

    asyncio.run(twice())
    assert [kind for _, kind in bank.asked] == ["an unknown API key", "an API key"]


def test_fault_of_the_database_is_not_remembered() -> None:
    text, bank = invented(0), Bank(invented(0))
    keys = ApiKeys(bank)  # type: ignore[arg-type]

    async def down_and_up() -> str:
        bank.down = True
        with pytest.raises(UnavailableError):
            await keys.caller(text)
        bank.down = False
        return (await keys.caller(text)).role

    assert asyncio.run(down_and_up()) == "spender"


def test_database_cannot_make_a_user_of_a_key() -> None:
    class Odd(Bank):
        async def call(self, *_: Any, **__: Any) -> tuple[Any, ...]:
            return ("0" * 16, "authenticated", "active")

    keys = ApiKeys(Odd())  # type: ignore[arg-type]
    with pytest.raises(TokenError, match="not known"):
        asyncio.run(keys.caller(invented(0)))
