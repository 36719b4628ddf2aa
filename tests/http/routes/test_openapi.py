"""/schema describes what is really there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import User, serving

from pgcredits.http.app import create_app
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version

OPERATIONS = {"get", "post", "put", "delete", "patch"}


@pytest.fixture(scope="module")
def schema(settings: Settings) -> Any:
    """From a server of its own, which has not read the functions that other tests make for a moment."""
    with serving(create_app(settings)) as url:
        response = httpx.get(f"{url}/schema", timeout=20)
    assert response.headers["content-type"] == "application/json"
    return response.json()


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(child)


def test_document_is_valid_openapi(schema: Any) -> None:
    assert schema["openapi"] == "3.1.0"
    assert set(schema["info"]) >= {"title", "version"}
    names = []
    for path, item in schema["paths"].items():
        assert re.fullmatch(r"(/[a-z0-9_.-]+)+", path)
        assert set(item) <= OPERATIONS
        for operation in item.values():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert any(status.startswith("2") for status in operation["responses"])
            assert all("description" in r or "$ref" in r for r in operation["responses"].values())
            for parameter in operation.get("parameters", []):
                assert parameter["in"] in ("query", "header")
                assert "schema" in parameter
    assert len(names) == len(set(names))


def test_every_reference_resolves(schema: Any) -> None:
    references = {node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)}
    assert references
    for reference in references:
        target = schema
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_functions_and_views_come_from_the_database(schema: Any) -> None:
    spend = schema["paths"]["/rest/v1/rpc/consume_tokens"]["post"]
    assert spend["summary"] == "Spend tokens on a module."
    assert "PT402 insufficient_tokens" in spend["description"]
    assert "Roles: authenticated, service_role, spender." in spend["description"]
    assert spend["parameters"][0]["name"] == "Idempotency-Key"
    bodies = spend["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert {tuple(sorted(body["required"])) for body in bodies} == {
        ("module_id",),
        ("module_id", "module_name", "tokens_to_consume", "user_id"),
    }
    receipt = schema["components"]["schemas"]["spend_receipt"]
    assert receipt["properties"]["cost"] == {"type": ["number", "null"]}
    quote = schema["paths"]["/rest/v1/rpc/quote_tokens"]
    assert set(quote) == {"get", "post"}
    assert "get" not in schema["paths"]["/rest/v1/rpc/consume_tokens"]
    balance = schema["paths"]["/rest/v1/balance"]["get"]
    columns = balance["responses"]["200"]["content"]["application/json"]["schema"]["items"]["properties"]
    assert columns["debt"]["description"] == "Tokens used that no lot could pay."
    # A client that selects some columns gets rows without the others.
    assert balance["responses"]["200"]["content"]["application/json"]["schema"]["items"]["required"] == []
    assert {"206", "404", "406", "416", "422"} <= set(balance["responses"])


def test_everything_but_json_has_a_type(schema: Any, admin: psycopg.Connection[Any]) -> None:
    """Types that are generated from it call a value without a type `unknown`."""
    found = admin.execute(
        """
        select unnest(p.proargnames) from pg_proc as p
        where p.pronamespace = 'api'::regnamespace
            and p.proargtypes::oid[] && array['json'::regtype, 'jsonb'::regtype]::oid[]
        union
        select a.attname from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'api'::regnamespace and a.atttypid in ('json'::regtype, 'jsonb'::regtype)
        """
    )
    json = {name for (name,) in found}
    described = [node["properties"] for node in nodes(schema) if "properties" in node]
    said = {"type", "$ref", "enum", "const"}
    untyped = {name for one in described for name, kind in one.items() if not kind.keys() & said}
    assert {"usage", "metadata", "draws"} <= untyped
    assert untyped <= json
    assert all(node["schema"] for node in nodes(schema) if "schema" in node)
    reason = schema["paths"]["/rest/v1/rpc/add_tokens"]["post"]["requestBody"]["content"]["application/json"]
    assert reason["schema"]["anyOf"][0]["properties"]["reason"]["type"] == "string"


def test_an_argument_may_be_null_where_that_is_its_default(schema: Any) -> None:
    """Otherwise null may be a value that got lost. It must not lift a limit, or refund everything."""
    limit = schema["paths"]["/rest/v1/rpc/set_spend_limit"]["post"]
    body = limit["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["tokens"] == {"type": "number"}
    assert body["required"] == ["period", "tokens"]
    assert body["properties"]["user_id"]["type"] == ["string", "null"]


def test_answers_match_their_description(client: httpx.Client, schema: Any, rich: User) -> None:
    receipt = client.post(
        "/rest/v1/rpc/consume_tokens", json={"module_id": "whisper"}, headers=rich.headers
    ).json()
    assert set(receipt) == set(schema["components"]["schemas"]["spend_receipt"]["properties"])
    error = client.get("/rest/v1/nonsense").json()
    assert set(error) == set(schema["components"]["schemas"]["Error"]["required"])


def test_schema_has_all_routes_of_the_api(schema: Any, settings: Settings) -> None:
    described = {(path, method) for path, item in schema["paths"].items() for method in item}
    routes = {
        (route.path, method.lower())
        for route in create_app(settings).routes
        for method in getattr(route, "methods", ())
        if "{" not in route.path and method != "OPTIONS"
    }
    pages = {
        (path, "get")
        for path in (
            "/",
            *(f"/checkout/{page}" for page in ("done", "cancelled", "pages.css")),
            *(f"/schema/{file}" for file in ("reference.js", "swagger-ui.js", "swagger-ui.css")),
        )
    }
    assert routes - pages == {(path, method) for path, method in described if not path.startswith("/rest/")}


def test_guests_read_what_they_may_call(schema: Any) -> None:
    ours = {"device_keys", "network_keys", "shared_network"}
    for name, theirs in (("guest_consume", {"module_id"}), ("guest_allowance", set())):
        operation = schema["paths"][f"/rest/v1/rpc/{name}"]["post"]
        services, guests = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
        assert set(services["properties"]) == theirs | ours
        assert (set(guests["properties"]), set(guests["required"])) == (theirs, theirs)
        assert operation["requestBody"]["required"] == bool(theirs)
        assert "Anybody may call it" in operation["description"]
        assert "429" in operation["responses"]
    reader = schema["paths"]["/rest/v1/rpc/guest_allowance"]["get"]
    assert not any(parameter["required"] for parameter in reader["parameters"])
    assert "Anybody" not in schema["paths"]["/rest/v1/rpc/add_tokens"]["post"]["description"]
