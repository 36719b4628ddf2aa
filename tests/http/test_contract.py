"""What the OpenAPI document says is what the API does, whatever is sent to it.

Schemathesis makes requests out of the document, such as it allows and such as it forbids. A user, nobody and
a service send each of them. No answer is a fault of ours. Each has a status, a media type and a body that the
document has.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import isolating
import psycopg
import pytest
import requests
import schemathesis
from callers import Caller, Row
from http_calls import SECRET, WEBHOOK_SECRET, bearer, serving, sign
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks
from stripe_events import event
from support import PASSWORD as LOGIN_PASSWORD
from support import free_port
from tenants import PASSWORD, Tenant, furnish, prepare

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings
from stripe_simulator.app import create_app as create_simulator

# With --prove, tests go to workers one by one. These share a bank.
pytestmark = [pytest.mark.one_version, pytest.mark.slow, pytest.mark.xdist_group("contract")]

CALLERS = ("authenticated", "nobody", "service_role")
ENDLESS = {"/balance/events"}  # for users: tests/http/operations/test_live.py reads this stream
WEBHOOKS = {"/webhooks/stripe", "/api/stripe-webhook"}
LAST = (
    "freeze_account",
    "forget_user",
    "revoke_api_key",
    "end_session",
    "end_sessions",
    "/auth/password",
)  # nothing works then
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_numbers = itertools.count(1)


@dataclass
class World:
    """A bank with a user, and the API before it. `answers` counts what was answered to which operation."""

    url: str
    bank: Caller
    tenant: Tenant
    document: Any
    session: requests.Session = field(default_factory=requests.Session)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def headers(self, who: str) -> dict[str, str]:
        if who == "nobody":
            return {}
        return bearer(who, self.tenant.user_id if who == "authenticated" else None)


@pytest.fixture(scope="module")
def world(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    port, stripe_port = free_port(), free_port()
    here, stripe_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{stripe_port}"
    store = tmp_path_factory.mktemp("simulator") / "simulator.sqlite3"
    settings = Settings(
        api_database_url=as_login(own_url, "pgcredits_api", LOGIN_PASSWORD),
        service_database_url=as_login(own_url, "pgcredits_service", LOGIN_PASSWORD),
        jwt_secret=SECRET,
        public_url=here,
        stripe_secret_key="sk_test_of_the_contract",
        stripe_webhook_secrets=(WEBHOOK_SECRET,),
        stripe_api_base=stripe_url,
        pool_size=2,
        max_rows=20,
    )
    simulator = create_simulator(store, f"{here}/webhooks/stripe", WEBHOOK_SECRET, stripe_url)
    with (
        psycopg.connect(own_url, autocommit=True) as admin,
        serving(simulator, stripe_port),
        serving(create_app(settings), port) as url,
    ):
        bank = Caller(admin, "none")
        prepare(bank)
        tenant = furnish(bank, "contractor", ".371519")
        found = World(url, bank, tenant, requests.get(f"{url}/schema", timeout=20).json())
        yield found
        found.session.close()


def operations(document: Any) -> list[Any]:
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    return sorted(found, key=lambda operation: operation.path.removeprefix("/rest/v1/rpc/") in LAST)


def send(world: World, case: Any, who: str) -> Any:
    """Sends a request. A service sends Stripe's events as Stripe does, with a signature."""
    if case.operation.path in WEBHOOKS and who == "service_role":
        told = case.body if isinstance(case.body, dict) else {}
        payload = json.dumps(event("customer.created", {"id": "cus_1", "object": "customer"}) | told)
        url = f"{world.url}{case.operation.path}"
        return world.session.post(url, data=payload.encode(), headers=sign(payload), timeout=20)
    return case.call(base_url=world.url, session=world.session, headers=world.headers(who), timeout=20)


def faults(world: World, case: Any) -> Iterator[str]:
    """What is wrong with the answers to a request that all callers send."""
    for who in CALLERS[1:] if case.operation.path in ENDLESS else CALLERS:
        answer = send(world, case, who)
        label = case.operation.label
        world.answers[label, answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for fault in group.exceptions:
                yield f"{label} as {who}: {answer.status_code} {fault.title}: {fault}: {answer.text[:200]}"


# Requests that work


def about(world: World) -> Row:
    """What a request may say, by the names of arguments and members: this user's things."""
    number = next(_numbers)
    tenant = world.tenant
    return tenant.facts | {
        "idempotency_key": f"key {number}",
        "event": event("customer.created", {"id": "cus_1", "object": "customer"}),
        "password": PASSWORD,
        "new_password": PASSWORD,
        "refresh_token": tenant.refresh_token,
        **{"userId": tenant.user_id, "moduleId": "whisper", "moduleName": "Whisper", "tokensToConsume": 25},
        **{"tokensToAdd": 5, "packageName": "Standard", "items": [], "lease": None},
    }


def working(world: World, operation: Any) -> Any:
    """A request with whatever it may say."""
    known = isolating.PLAIN | about(world)
    known |= {"email": f"new{next(_numbers)}@example.com"} if operation.path.endswith("up") else {}
    if not operation.body:
        texts = {
            parameter.name: value if isinstance(value := known[parameter.name], str) else json.dumps(value)
            for parameter in (operation.query if "functions" in operation.tags else ())
        }
        return operation.Case(query=texts)
    described = next(iter(operation.body)).definition["schema"]
    members = described.get("anyOf", [described])[0].get("properties", {})
    if "functions" in operation.tags:
        kinds = {member: kind.get("format", "") for member, kind in members.items()}
        called = isolating.Callable(operation.path.rpartition("/")[2], kinds, stable=False, rows=False)
        body = isolating.arguments(called, about(world))
    else:
        left_out = ("plan_id", "amount", "referral_code", *(["refresh_token"] if "email" in members else []))
        body = {name: known[name] for name in members if name in known and name not in left_out}
    return operation.Case(body=body, media_type="application/json")


def test_calls_that_work_are_answered_as_the_document_says(world: World) -> None:
    wrong = []
    for operation in operations(world.document):
        wrong += faults(world, working(world, operation))
    assert wrong == []
    answered = {label for label, status in world.answers if status < 300}
    assert len(answered) > 100  # what is left needs another user's things, or is about what has ended


# Requests out of the document


def sensible(world: World, case: Any, spared: int) -> None:
    """Puts into a request what makes sense in a call, but into one place of it, which stays as it came."""
    known = isolating.PLAIN | about(world)
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = known["idempotency_key"]
    if isinstance(case.body, dict) and case.body:
        kept = sorted(case.body)[spared % len(case.body)]
        case.body |= {name: known[name] for name in case.body if name in known and name != kept}
    if "views" in (case.operation.tags or []) and case.query:
        read = {name: value for name, value in case.query.items() if name not in ("select", "order", "or")}
        pages = ("limit", "offset")
        case.query = {name: value if name in pages else f"eq.{value}" for name, value in read.items()}


def tried(world: World, operation: Any, mode: GenerationMode, examples: int, seed: int | None) -> set[str]:
    """What is wrong with the answers to so many requests. Without a seed they are the same in every run."""
    found: set[str] = set()

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=seed is None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 9))
    def ask(case: Any, spared: int) -> None:
        if spared and mode is GenerationMode.POSITIVE:
            sensible(world, case, spared)
        found.update(faults(world, case))

    try:
        (ask if seed is None else hypothesis.seed(seed)(ask))()
    except Unsatisfiable:  # what takes nothing cannot be asked wrongly
        assert mode is GenerationMode.NEGATIVE
    return found


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_sent_is_answered_as_the_document_says(
    world: World,
    mode: GenerationMode,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, str], None],
) -> None:
    seed = int(os.environ["RELIABILITY_SEED"]) if request.config.getoption("--prove") else None
    examples = 2 if seed is None else 60
    wrong: set[str] = set()
    for operation in operations(world.document):
        wrong |= tried(world, operation, mode, examples, seed)
    kinds = len({label for label, _ in world.answers})
    record_property(
        "figures", f"contract: {world.answers.total()} requests to {kinds} operations so far, seed {seed}"
    )
    assert sorted(wrong) == []


def test_values_at_every_bound_are_answered_as_the_document_says(
    world: World,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, str], None],
    tmp_path: Path,
) -> None:
    """The program itself tries each parameter and member with every value that stands at a bound."""
    every = request.config.getoption("--prove")
    for who in CALLERS if every else CALLERS[:1]:
        sent = [f"{name}: {value}" for name, value in world.headers(who).items()]
        command = [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{world.url}/schema/openapi.json"),
            *("--phases", "coverage", "--checks", ",".join(check.__name__ for check in CHECKS)),
            *("--exclude-path", "/balance/events", "--continue-on-failure", "--no-color"),
            *(argument for header in sent for argument in ("--header", header)),
            *(() if every else ("--include-path-regex", "/(balance|hold_tokens|user-tokens)$")),
        ]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, (who, ran.stdout[-5000:], ran.stderr[-1000:])
        (passed,) = re.findall(r"(\d+) generated, \1 passed", ran.stdout)
        record_property("figures", f"contract: {passed} requests at bounds as {who}")


def test_large_bodies_and_other_types_are_refused_as_documented(
    world: World, request: pytest.FixtureRequest
) -> None:
    every = 1 if request.config.getoption("--prove") else 8
    wrong = []
    for operation in [one for one in operations(world.document) if one.body][::every]:
        for body, media_type in (("[" + "1," * 600_000 + "1]", "application/json"), ("{}", "text/csv")):
            case = operation.Case(body={}, media_type="application/json")
            headers = world.headers("service_role") | {"Content-Type": media_type}
            url = f"{world.url}{operation.path}"
            answer = world.session.post(url, data=body, headers=headers, timeout=20)
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as group:
                label = f"{operation.label}: {answer.status_code}"
                wrong += [f"{label} {fault.title}" for fault in group.exceptions]
    assert wrong == []


# A fault would be found


@pytest.mark.parametrize("fault", ["status", "type", "member", "media type"])
def test_a_document_that_says_something_else_is_found(world: World, fault: str) -> None:
    document = deepcopy(world.document)
    answers = document["paths"]["/rest/v1/balance"]["get"]["responses"]
    described = answers["200"]["content"]["application/json"]["schema"]["items"]
    if fault == "status":
        answers["201"] = answers.pop("200")
    elif fault == "type":
        described["properties"]["balance"] = {"type": "string"}
    elif fault == "member":
        described["required"] = ["a member that is not there"]
    else:
        answers["200"]["content"] = {"text/csv": {"schema": {"type": "string"}}}
    (operation,) = [one for one in operations(document) if one.path == "/rest/v1/balance"]
    assert list(faults(world, operation.Case()))
