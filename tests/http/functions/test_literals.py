"""Values that a type cannot have, or that PostgreSQL reads more generously than is meant, over HTTP.

Each is refused with a slug, on every version of PostgreSQL alike, and none of PostgreSQL's own words leave.
"""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import User, slug

from pgcredits import literals
from pgcredits.literals import LiteralError

pytestmark = pytest.mark.one_version

RPC = "/rest/v1/rpc/"

NO_NUMBERS = ["0x64", "1_000", "0b1", " 1 ", "+1", "1e5", "NaN", "infinity", "", "1,5", "1.", ".5", "many"]
NO_WHOLE = [*NO_NUMBERS, "1.5", "9223372036854775808", "-9223372036854775809", "9" * 40]
NO_TIMES = [
    *("2026-13-01", "2026-02-30", "2026-00-10", "0000-01-01", "2026-01-01T25:00:00Z", "2026-01-01T12:60:00Z"),
    *("2026-01-01T12:00:00+16:00", "2026-01-01T12:00:00 Europe/Paris", "2026-1-1", "01/02/2026", "20260101"),
    *("now", "today", "infinity", "-infinity", "epoch", "10000-01-01", "2026-01-01 BC", "2026-W01-1", ""),
]
NO_INTERVALS = [
    *(
        "1_0 min",
        "0x10 s",
        "infinity",
        "-infinity",
        "15 minutes ago",
        "-PT5M",
        "@ 15 minutes",
        "soon",
        "",
        "P",
        "PT",
        "1e3 s",
    ),
    *("1 fortnight", "15 minutes 30", "+15 minutes", "PT1_0M", "P1Y2", "1 day -2 hours", "9999999999 years"),
    *("999999999 years", "999999999 weeks", "1 y 1 y", "1 day 24 hours 1 d", "1 h 01:00", "01:00:00 01:00"),
    *("1.5 s 1 ms", "178956970 years 999999999 months", "1 min 00:00:01", "1 week 1 w", "1 mon 1 month"),
    *("1 century", "1-2", "P0001-02-03T04:05:06", "NaN s", " 1 min", "00:99:00", "٣ min"),
]
NO_UUIDS = ["x", "", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "0" * 36]
NO_BOOLEANS = ["maybe", "", "2", "tr", " true", "null"]

JSON_OF_ANOTHER_TYPE: list[tuple[str, str, list[Any], str]] = [
    ("add_tokens", "tokens", [True, [], {}, [1]], "bad_amount"),
    ("add_tokens", "expires_at", [True, [], {}, 20260101, 1.5], "bad_expiry"),
    ("hold_tokens", "ttl", [True, [], {}, ["1 min"]], "bad_ttl"),
    ("set_test_clock", "frozen_time", [5, {}, False], "bad_clock"),
    ("create_order", "amount", [True, {}, 1.5, 2**63, -(2**63) - 1], "bad_amount"),
    ("consume_tokens", "byok", [2, {}, [], 0.5], "bad_argument"),
    ("guest_consume", "network_keys", ["x", {}, 5, "{a}"], "bad_argument"),
]
REQUIRED = {
    "add_tokens": {"tokens": 1},
    "hold_tokens": {"module_id": "stablediffusion"},
    "consume_tokens": {"module_id": "stablediffusion"},
    "guest_consume": {"module_id": "stablediffusion", "device_keys": ["a" * 64], "network_keys": ["b" * 64]},
}


def refusal(response: httpx.Response) -> tuple[int, str | None, str | None]:
    """Status, slug and argument; the words are ours."""
    assert "syntax" not in response.text and "out of range" not in response.text, response.text
    return response.status_code, slug(response), json.loads(response.json()["details"]).get("argument")


def call(client: httpx.Client, who: dict[str, str], user: User, name: str, **given: Any) -> httpx.Response:
    about = {} if name == "guest_consume" else {"user_id": user.user_id}
    return client.post(f"{RPC}{name}", json={**about, **REQUIRED.get(name, {}), **given}, headers=who)


TEXTS: list[tuple[str, str, list[str], str]] = [
    ("add_tokens", "tokens", NO_NUMBERS, "bad_amount"),
    ("add_tokens", "expires_at", [text for text in NO_TIMES if text != "infinity"], "bad_expiry"),
    ("set_test_clock", "frozen_time", NO_TIMES, "bad_clock"),
    ("set_test_clock", "advance", NO_INTERVALS, "bad_clock"),
    ("hold_tokens", "ttl", NO_INTERVALS, "bad_ttl"),
    ("create_order", "amount", NO_WHOLE, "bad_amount"),
    ("consume_tokens", "byok", NO_BOOLEANS, "bad_argument"),
]


@pytest.mark.parametrize(("name", "argument", "values", "expected"), [*TEXTS, *JSON_OF_ANOTHER_TYPE])
def test_a_member_that_is_not_of_its_type_is_refused_by_name(
    client: httpx.Client,
    user: User,
    service: dict[str, str],
    name: str,
    argument: str,
    values: list[Any],
    expected: str,
) -> None:
    seen = {json.dumps(v): refusal(call(client, service, user, name, **{argument: v})) for v in values}
    assert seen == dict.fromkeys(seen, (422, expected, argument))


@pytest.mark.parametrize("ttl", ["-5 minutes", "0", "0 s", "PT0S", "2 days", "999999999 hours", 0, -1, 1e9])
def test_bank_judges_readable_lengths_of_time(
    client: httpx.Client, rich: User, service: dict[str, str], ttl: Any
) -> None:
    response = call(client, service, rich, "hold_tokens", ttl=int(ttl) if isinstance(ttl, float) else ttl)
    assert (response.status_code, slug(response)) == (422, "bad_ttl")


@pytest.mark.parametrize(
    "ttl",
    [
        *("15 minutes", "15min", "1 hour 30 minutes", "0.5 hours", "PT15M", "PT1H30M", "PT0.5S", "P0DT900S"),
        *("00:15:00", "900", 900, "12 h", "1 day", "1.5 min"),
    ],
)
def test_a_length_of_time_has_these_spellings(
    client: httpx.Client, rich: User, service: dict[str, str], ttl: Any
) -> None:
    response = call(client, service, rich, "hold_tokens", ttl=ttl)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("filter_", "argument"),
    [
        ("packs?amount=eq.0x10", "amount"),
        ("packs?amount=eq.99999999999999999999", "amount"),
        ("packs?tokens=eq.1_0", "tokens"),
        ("packs?popular=eq.perhaps", "popular"),
        ("orders?order_id=eq.x", "order_id"),
        ("lots?expires_at=eq.2026-02-30", "expires_at"),
        ("lots?expires_at=eq.infinity", "expires_at"),
    ],
)
def test_a_filter_with_a_value_that_the_column_cannot_have_is_refused(
    client: httpx.Client, user: User, filter_: str, argument: str
) -> None:
    status, name, about = refusal(client.get(f"/rest/v1/{filter_}", headers=user.headers))
    assert (status, about) == (422, argument)
    assert name is not None and name.startswith("bad_")


def is_read(kind: str, text: str) -> bool:
    try:
        literals.read_text("ttl", kind, text)
    except LiteralError:
        return False
    return True


def test_postgresql_reads_every_accepted_length_of_time(admin_url: str) -> None:
    amounts = ["1", "0", "1.5", "999999999", "0.000001", "170000000"]
    parts = [f"{amount} {unit}" for amount, unit in product(amounts, literals.UNITS)]
    parts += ["01:00", "999999999:59:59.999999"]
    told = [*parts, *(f"{first} {second}" for first, second in product(parts, parts))]
    read = [text for text in told if is_read("interval", text)]
    assert len(read) > len(told) // 3
    with psycopg.connect(admin_url) as connection:
        connection.execute("select x::interval::text from unnest(%s::text[]) as x", (read,)).fetchall()


@pytest.mark.parametrize(
    "digits", ["1." + "0" * 16_384, "0." + "1" * 16_383 + "1", "1" * 140_000, "9" * 1001]
)
@pytest.mark.parametrize("function", ["quote_tokens", "hold_tokens", "consume_tokens"])
def test_a_number_that_is_too_long_for_postgresql_is_refused_by_its_argument(
    client: httpx.Client, user: User, function: str, digits: str
) -> None:
    body = f'{{"module_id": "stablediffusion", "usage": {{"calls": {digits}}}}}'
    headers = user.headers | {"Content-Type": "application/json"}
    response = client.post(f"{RPC}{function}", content=body, headers=headers)
    assert refusal(response) == (422, "bad_usage", "usage")


@pytest.mark.parametrize("usage", ["{", "calls", "", "{'calls': 1}", "NaN", '{"calls": 1}}'])
def test_json_in_a_query_string_is_json(client: httpx.Client, user: User, usage: str) -> None:
    query = {"module_id": "stablediffusion", "usage": usage}
    response = client.get(f"{RPC}quote_tokens", params=query, headers=user.headers)
    assert refusal(response) == (422, "bad_usage", "usage")


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ('{"a": 1e400000}', "bad_metadata"),
        ('{"a": 0.' + "0" * 16_384 + "1}", "bad_metadata"),
        ('{"a": [1.5E-400000]}', "bad_metadata"),
        ('{"a": 1e131071}', "bad_metadata"),
        ('{"a": 1e9999}', "bad_metadata"),
        ("5", "bad_metadata"),
        ('"text"', "bad_metadata"),
    ],
)
def test_json_that_postgresql_cannot_keep_has_a_slug(
    client: httpx.Client, rich: User, metadata: str, expected: str
) -> None:
    body = f'{{"module_id": "stablediffusion", "metadata": {metadata}}}'
    response = client.post(f"{RPC}consume_tokens", content=body, headers=rich.headers)
    assert refusal(response)[:2] == (422, expected)


@pytest.mark.parametrize("text", [r"\ud800", r"\udc00x", r"\ud83d\ud83d\ude00"])
def test_half_a_surrogate_pair_is_refused(client: httpx.Client, rich: User, text: str) -> None:
    for metadata in (f'{{"a": "{text}"}}', f'{{"{text}": 1}}'):
        body = f'{{"module_id": "stablediffusion", "metadata": {metadata}}}'
        response = client.post(f"{RPC}consume_tokens", content=body, headers=rich.headers)
        assert (response.status_code, response.json()["code"]) == (400, "PGRST102")


def test_whole_pairs_and_escaped_backslashes_are_kept(client: httpx.Client, rich: User) -> None:
    metadata = r'{"a": "\ud83d\ude00", "b": "\\ud800", "c": "1e400000\"1e400000"}'
    body = f'{{"module_id": "stablediffusion", "metadata": {metadata}}}'
    response = client.post(f"{RPC}consume_tokens", content=body, headers=rich.headers)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        ("uuid", NO_UUIDS, ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]),
        ("integer", ["2147483648", "-2147483649", "1.5"], ["2147483647", "-2147483648", "007"]),
        ("smallint", ["32768"], ["-32768"]),
        ("bigint", NO_WHOLE, ["9223372036854775807", "-9223372036854775808", "0", "1.0"]),
        ("boolean", NO_BOOLEANS, ["true", "FALSE", "t", "off", "1"]),
        ("numeric", NO_NUMBERS, ["1", "-0.5", "100.00"]),
        (
            "timestamp with time zone",
            NO_TIMES,
            ["2028-02-29", "2026-01-01T12:00:00.5Z", "2026-01-01 12:00+05:30"],
        ),
        ("interval", NO_INTERVALS, ["-1 day", "P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06", "P2W"]),
    ],
)
def test_a_type_has_these_spellings(kind: str, bad: list[str], good: list[str]) -> None:
    for text in good:
        literals.read_text("x", kind, text)
        literals.read_json("x", kind, json.dumps(text))
    for text in bad:
        with pytest.raises(LiteralError):
            literals.read_text("x", kind, text)
        with pytest.raises(LiteralError):
            literals.read_json("x", kind, json.dumps(text))


@pytest.mark.parametrize("kind", ["smallint", "integer", "bigint"])
@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1000", "1000"),
        ("1000.0", "1000"),
        ("1e3", "1000"),
        ("1.00E+2", "100"),
        ("50e-1", "5"),
        ("-0.0", "0"),
    ],
)
def test_a_whole_number_is_one_however_json_spells_it(kind: str, value: str, read: str) -> None:
    assert literals.read_json("x", kind, value) == read
    assert literals.read_json("x", f"{kind}[]", f"[{value}, null]") == f"[{read},null]"


@pytest.mark.parametrize(
    "value", ["1.5", "1e-1", "1e19", "1e999", "-1e999", "9223372036854775808", "1" * 300]
)
def test_only_64_bit_whole_numbers_are_accepted(value: str) -> None:
    with pytest.raises(LiteralError):
        literals.read_json("x", "bigint", value)


@pytest.mark.parametrize("amount", ["5e2", "500.0", "500", '"500"', '"500.00"'])
def test_whole_amounts_may_be_spelled_as_others(
    client: httpx.Client, user: User, service: dict[str, str], amount: str
) -> None:
    """The API only reads them. The bank decides which amounts are offered."""
    body = f'{{"user_id": "{user.user_id}", "amount": {amount}, "module_id": null}}'
    response = client.post(f"{RPC}create_order", content=body, headers=service)
    assert refusal(response) == (422, "bad_amount", None)


@pytest.mark.parametrize("filter_", ["amount=eq.500.0", "amount=eq.0500"])
def test_whole_numbers_of_a_filter_may_be_spelled_as_others(
    client: httpx.Client, user: User, filter_: str
) -> None:
    response = client.get(f"/rest/v1/packs?{filter_}", headers=user.headers)
    assert response.status_code == 200, response.text


def texts(client: httpx.Client) -> list[tuple[str, str, dict[str, Any]]]:
    """Every function with each of its arguments that is a text, and what else it must be given."""
    found = []
    schema = client.get("/schema").json()
    for path, item in schema["paths"].items():
        if not path.startswith(RPC):
            continue
        bodies = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        for body in bodies.get("anyOf", [bodies]):
            if "guest" in path and not body["properties"].keys() & {"use_id", "network_keys"}:
                continue  # the API fills these in for a guest; a service sends all of them
            required = dict.fromkeys(body.get("required", []))
            for name, what in body["properties"].items():
                text = what.get("type") in ("string", ["string", "null"]) and "format" not in what
                if text and name not in ("ttl", "advance", "overlap"):
                    found.append((path, name, required))
    return found


@pytest.mark.parametrize("value", [True, 5, 1.5, {}, [], ["x"]])
def test_text_arguments_accept_only_json_text(
    client: httpx.Client, service: dict[str, str], value: Any
) -> None:
    """PostgreSQL would make the user "true" of true."""
    asked = texts(client)
    assert {("/rest/v1/rpc/consume_tokens", "user_id"), ("/rest/v1/rpc/hold_tokens", "module_id")} <= {
        (path, name) for path, name, _ in asked
    }
    for path, name, required in asked:
        response = client.post(path, json={**required, name: value}, headers=service)
        slugs = {"user_id": "bad_user", "idempotency_key": "bad_key"}
        expected = (422, slugs.get(name, "bad_argument"), name)
        assert refusal(response) == expected, (path, name)


def test_null_for_the_key_in_the_body_leaves_the_headers_key(client: httpx.Client, rich: User) -> None:
    headers = rich.headers | {"Idempotency-Key": "of the header"}
    body = {"module_id": "stablediffusion", "idempotency_key": None}
    first, again = (client.post(f"{RPC}consume_tokens", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["replayed"]) == (200, False), first.text
    assert again.json() == first.json() | {"replayed": True}
    for other in ("another", "", 5):
        response = client.post(
            f"{RPC}consume_tokens", json=body | {"idempotency_key": other}, headers=headers
        )
        assert (response.status_code, slug(response)) == (422, "bad_key")
    empty = client.post(f"{RPC}report_refusal", json={"module_id": "stablediffusion"}, headers=headers)
    assert (empty.status_code, slug(empty)) == (422, "bad_key")
