"""The LiteLLM proxy with our callback: what each request to it is charged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from client_calls import Books
from faulty_bank import Faults
from litellm_proxy import Proxy

from pgcredits.client import Bank

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

USAGE = {"prompt_tokens": 2000, "completion_tokens": 500, "total_tokens": 2500}
CACHED = {
    **USAGE,
    "prompt_tokens_details": {"cached_tokens": 1000},
    "completion_tokens_details": {"reasoning_tokens": 200},
}
CHAT = "/v1/chat/completions"


def say(told: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [{"role": "user", "content": json.dumps(told)}]


def chat(model: str = "gpt-4o", told: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A request, whose message says what the provider answers."""
    return {"model": model, "max_tokens": 1000, "messages": say(told or {"usage": USAGE}), **more}


def ask(proxy: Proxy, user: str, path: str, body: dict[str, Any], **more: Any) -> httpx.Response:
    with proxy.client(user) as client:
        return client.post(path, json=body, **more)


def soon(look: Callable[[], Any], expected: Any) -> None:
    """What happens after the client has gone."""
    deadline = time.monotonic() + 20
    while look() != expected:
        assert time.monotonic() < deadline, (look(), expected)
        time.sleep(0.05)


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["type"]


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("gpt-4o", USAGE, "4"),
        ("gpt-4o", CACHED, "4"),  # its price does not tell them apart
        ("detailed", CACHED, "3.9"),  # 1000 × 1 + 1000 × 0.1 + 300 × 4 + 200 × 8
        ("gpt-4o", {**USAGE, "completion_tokens": 5000}, "22"),  # more than was held
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_answer_is_charged_what_it_used(
    proxy: Proxy, user: str, books: Books, model: str, usage: dict[str, Any], cost: str, stream: bool
) -> None:
    answer = ask(proxy, user, CHAT, chat(model, {"usage": usage}, stream=stream))
    assert answer.status_code == 200, answer.text
    assert "well" in answer.text
    assert (books.charges(user), books.holds(user)) == ([Decimal(cost)], ["captured"])


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_cache_is_charged_by_its_own_rates(
    proxy: Proxy, user: str, books: Books, stream: bool
) -> None:
    """2000 × 1 + 1000 × 0.1 + 500 × 2 + 250 × 4 for a thousand, in all three ways of asking for it."""
    usage = {
        "input_tokens": 2000,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 500,
        "output_tokens": 250,
    }
    for path in (CHAT, "/v1/messages"):
        answer = ask(proxy, user, path, chat("claude", {"usage": usage}, stream=stream))
        assert answer.status_code == 200, answer.text
    assert books.charges(user) == [Decimal("4.1")] * 2


@pytest.mark.parametrize("stream", [False, True])
def test_responses_api_is_charged_what_it_used(proxy: Proxy, user: str, books: Books, stream: bool) -> None:
    usage = {
        "input_tokens": 2000,
        "input_tokens_details": {"cached_tokens": 1000},
        "output_tokens": 500,
        "output_tokens_details": {"reasoning_tokens": 200},
        "total_tokens": 2500,
    }
    body = {"model": "detailed", "input": json.dumps({"usage": usage}), "max_output_tokens": 900}
    answer = ask(proxy, user, "/v1/responses", {**body, "stream": stream})
    assert answer.status_code == 200, answer.text
    assert (books.charges(user), books.holds(user)) == ([Decimal("3.9")], ["captured"])


def test_mock_completion_embedding_and_image_are_charged(proxy: Proxy, user: str, books: Books) -> None:
    told = json.dumps({"usage": {"prompt_tokens": 3000, "total_tokens": 3000}})
    for path, body in (
        (CHAT, chat("mocked")),  # 10 and 20 tokens
        ("/v1/completions", {"model": "mocked", "prompt": "hello", "max_tokens": 100}),
        ("/v1/embeddings", {"model": "embedder", "input": told}),
        ("/v1/images/generations", {"model": "painter", "prompt": told, "n": 2}),
    ):
        answer = ask(proxy, user, path, body)
        assert answer.status_code == 200, answer.text
    assert books.charges(user) == [Decimal("0.09"), Decimal("0.09"), 3, 60]


@pytest.mark.parametrize("stream", [False, True])
def test_provider_that_fails_is_free(proxy: Proxy, user: str, books: Books, stream: bool) -> None:
    answer = ask(proxy, user, CHAT, chat(told={"status": 500}, stream=stream))
    assert answer.status_code == 500
    assert (books.charges(user), books.holds(user)) == ([], ["released"])


@pytest.mark.parametrize("stream", [False, True])
def test_retries_and_a_fallback_are_one_charge(proxy: Proxy, user: str, books: Books, stream: bool) -> None:
    """`limited` is refused by its provider each time, so gpt-4o answers. `limited` has the price."""
    answer = ask(proxy, user, CHAT, chat("limited", stream=stream))
    assert answer.status_code == 200, answer.text
    assert (books.charges(user), books.holds(user)) == ([5], ["captured"])


def test_too_few_tokens_is_a_402_with_the_facts(proxy: Proxy, user: str, books: Books) -> None:
    asked = len(proxy.provider.requests)
    answer = ask(proxy, user, CHAT, chat(max_tokens=100_000))
    assert error(answer) == (402, "insufficient_tokens")
    facts = answer.json()["error"]["provider_specific_fields"]
    assert facts["balance"] == 120
    assert facts["missing"] > 280
    assert len(proxy.provider.requests) == asked
    assert books.holds(user) == []


@pytest.mark.parametrize(
    ("user_id", "body", "refusal"),
    [
        ("", chat(), (403, "no_payer")),
        ("unknown", chat(), (404, "unknown_user")),
        ("known", chat("transcriber"), (400, "price_does_not_fit")),
        ("known", chat("painter"), (400, "price_does_not_fit")),
        ("known", chat("unheard-of", max_tokens=None), (400, "max_tokens_needed")),
        ("known", chat(fallbacks=["detailed"]), (400, "not_allowed_here")),
        ("known", chat(mock_testing_fallbacks=True), (400, "not_allowed_here")),
        # LiteLLM or a provider would use another model, or several, or a dearer service of it.
        *(
            ("known", chat(**more), (400, "not_allowed_here"))
            for more in (
                {"extra_body": {"model": "o1-pro"}},
                {"deployment_id": "o1-pro"},
                {"model_id": "o1-pro"},
                {"models": ["o1-pro"]},
                {"custom_llm_provider": "azure"},
                {"context_window_fallback_dict": {"gpt-4o": "o1-pro"}},
                {"router_settings_override": {"fallbacks": [{"gpt-4o": ["detailed"]}]}},
                {"model": "gpt-4o,detailed"},
                {"service_tier": "priority"},
            )
        ),
    ],
)
def test_request_that_cannot_be_charged_is_refused_by_name(
    proxy: Proxy, service: Bank, books: Books, user_id: str, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    service.grant("known", 1)
    asked = len(proxy.provider.requests)
    assert error(ask(proxy, user_id, CHAT, body)) == refusal
    assert len(proxy.provider.requests) == asked
    assert books.holds(user_id) == []


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/responses", {"background": True, "stream": True}),  # it goes on when its stream is left
        ("/v1/responses", {"extra_body": {"model": "o1-pro"}}),
        ("/v1/messages", {"model_id": "o1-pro"}),
        ("/v1/completions", {"deployment_id": "o1-pro"}),
        ("/v1/embeddings", {"custom_llm_provider": "azure"}),
    ],
)
def test_every_type_of_call_pays_for_what_it_uses(proxy: Proxy, user: str, path: str, more: Any) -> None:
    body = {"model": "gpt-4o", "input": "x", "prompt": "x", "max_output_tokens": 9, **more}
    body |= {"messages": say(None), "max_tokens": 9} if path == "/v1/messages" else {}
    asked = len(proxy.provider.requests)
    assert "not_allowed_here" in ask(proxy, user, path, body).text
    assert len(proxy.provider.requests) == asked


def test_deployment_cannot_be_named_instead_of_its_model(proxy: Proxy, user: str, books: Books) -> None:
    """It has no module, so the default price of the bank would be charged, whatever the model costs."""
    deployment = ask(proxy, user, CHAT, chat()).headers["x-litellm-model-id"]
    asked = len(proxy.provider.requests)
    for name in (deployment, "openai/gpt-4o"):
        assert error(ask(proxy, user, CHAT, chat(name))) == (400, "not_allowed_here"), name
    assert (len(proxy.provider.requests), books.charges(user)) == (asked, [4])


@pytest.mark.parametrize("bound", ["max_tokens", "max_completion_tokens"])
def test_bound_that_the_provider_never_gets_bounds_no_hold(
    proxy: Proxy, user: str, books: Books, bound: str
) -> None:
    body = {"model": "gpt-4o", "input": json.dumps({"text": "well"}), bound: 1}
    assert ask(proxy, user, "/v1/responses", body).status_code == 200
    assert bound not in proxy.provider.requests[-1]
    (charge,) = books.charges(user)  # all that was held, because the answer has no usage
    assert charge > 60  # 16384 × 4 for a thousand


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/moderations", {"input": "x"}),
        ("/v1/rerank", {"model": "gpt-4o", "query": "x", "documents": ["y"]}),
        ("/v1/audio/speech", {"model": "gpt-4o", "input": "x", "voice": "y"}),
        ("/v1beta/models/gpt-4o:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}),
        ("/openai/v1/chat/completions", chat()),
        ("/v1/batches", {"endpoint": CHAT, "input_file_id": "x", "completion_window": "24h"}),
        ("/v1/videos", {"model": "gpt-4o", "prompt": "x"}),
        ("/v1/vector_stores", {"name": "x"}),
        ("/v1/fine_tuning/jobs", {"model": "gpt-4o", "training_file": "x"}),
    ],
)
def test_call_type_without_a_price_does_not_reach_the_provider(
    proxy: Proxy, user: str, path: str, body: dict[str, Any]
) -> None:
    asked = len(proxy.provider.requests)
    answer = ask(proxy, user, path, body)
    assert answer.status_code >= 400
    assert len(proxy.provider.requests) == asked
    if path in ("/v1/moderations", "/v1/rerank", "/v1/audio/speech", "/openai/v1/chat/completions"):
        assert error(answer) == (400, "call_type_not_charged")


def test_answer_without_usage_is_charged_all_that_was_held(proxy: Proxy, user: str, books: Books) -> None:
    answer = ask(proxy, user, CHAT, chat(told={"text": "well"}))
    assert answer.status_code == 200, answer.text
    (charge,) = books.charges(user)
    assert 4 < charge < Decimal("4.1")
    assert "reported no usage" in proxy.log.read_text()


def hang_up(proxy: Proxy, user: str, path: str, body: dict[str, Any]) -> None:
    """Read until the text is there, then leave."""
    with proxy.client(user) as client, client.stream("POST", path, json={**body, "stream": True}) as answer:
        assert answer.status_code == 200, answer.read()
        assert any("went well" in line for line in answer.iter_lines())


@pytest.mark.parametrize(
    ("path", "model"),
    [(CHAT, "gpt-4o"), (CHAT, "o3"), ("/v1/messages", "claude"), ("/v1/responses", "gpt-4o")],
)
def test_stream_that_is_hung_up_on_is_charged_what_was_delivered(
    proxy: Proxy, user: str, books: Books, path: str, model: str
) -> None:
    """o3 reasons without showing it, and nobody knows how much: all that was held is charged."""
    told = {"text": "went well " * 1000, "hold_on": 30, "usage": {"input_tokens": 40, "output_tokens": 1}}
    body = {**chat(model, told, max_tokens=9000), "input": json.dumps(told), "max_output_tokens": 9000}
    for name in ("messages", "max_tokens") if path == "/v1/responses" else ("input", "max_output_tokens"):
        del body[name]
    hang_up(proxy, user, path, body)
    soon(lambda: books.holds(user), ["captured"])
    (charge,) = books.charges(user)
    assert 36 < charge < 45 if model == "o3" else 7 < charge < 13


@pytest.mark.parametrize(
    ("delta", "least", "most"),
    [
        ({"function_call": {"name": "f", "arguments": "went well " * 1000}}, 7, 13),
        ({"images": [{"type": "image_url", "image_url": {"url": "data:went well"}, "index": 0}]}, 36, 45),
    ],
)
def test_stream_without_text_that_is_hung_up_on_is_charged(
    proxy: Proxy, user: str, books: Books, delta: dict[str, Any], least: int, most: int
) -> None:
    """Nobody can count the tokens of a picture: all that was held is charged."""
    hang_up(proxy, user, CHAT, chat(told={"delta": delta, "hold_on": 30}, max_tokens=9000))
    soon(lambda: books.holds(user), ["captured"])
    (charge,) = books.charges(user)
    assert least < charge < most


def test_stream_that_is_hung_up_on_before_its_text_is_free(proxy: Proxy, user: str, books: Books) -> None:
    body = chat(told={"text": "", "hold_on": 1}, stream=True)
    with proxy.client(user) as client, pytest.raises(httpx.ReadTimeout):
        client.post(CHAT, json=body, timeout=0.7)
    soon(lambda: books.holds(user), ["released"])
    assert books.charges(user) == []


def test_client_that_leaves_before_the_answer_is_charged_for_finished_work_alone(
    proxy: Proxy, optioned: Proxy, user: str, books: Books
) -> None:
    """The second proxy cancels the call when its client leaves (cancel_on_disconnect)."""
    for at, seconds in ((proxy, 1), (optioned, 30)):
        body = chat(told={"hold_on": seconds, "usage": USAGE}, user=user)
        with at.client(user) as client, pytest.raises(httpx.ReadTimeout):
            client.post(CHAT, json=body, timeout=0.7)
    soon(lambda: books.holds(user), ["captured", "released"])
    assert books.charges(user) == [4]


def test_stream_that_breaks_off_is_charged_what_was_delivered(proxy: Proxy, user: str, books: Books) -> None:
    told = {"text": "went well " * 1000, "breaks_off": True}
    answer = ask(proxy, user, CHAT, chat(told=told, max_tokens=9000, stream=True))
    assert "went well" in answer.text
    (charge,) = books.charges(user)
    assert 7 < charge < 13


@pytest.mark.parametrize("function", ["hold_tokens", "capture_hold"])
def test_bank_that_answers_late_charges_once(
    proxy: Proxy, user: str, books: Books, faults: Faults, function: str
) -> None:
    faults.function, faults.times = function, 2
    assert ask(proxy, user, CHAT, chat()).status_code == 200
    assert faults.times == 0
    assert books.charges(user) == [4]


def test_bank_that_is_away_stops_new_work_and_is_paid_later(
    proxy: Proxy, user: str, books: Books, faults: Faults
) -> None:
    faults.function, faults.times = "hold_tokens", 5
    answer = ask(proxy, user, CHAT, chat())
    assert error(answer) == (503, "unavailable")
    faults.function, faults.times = "capture_hold", 6
    assert ask(proxy, user, CHAT, chat()).status_code == 200
    soon(lambda: books.charges(user), [4])


def test_requests_with_one_call_id_are_charged_apart(proxy: Proxy, user: str, books: Books) -> None:
    """The client of the proxy chooses LiteLLM's call id, so it is not the key of the hold."""
    for _ in range(2):
        ask(proxy, user, CHAT, chat(), headers={"x-litellm-call-id": "mine"})
    assert books.charges(user) == [4, 4]


def test_charges_are_tagged_with_the_model_and_what_else_is_wanted(
    proxy: Proxy, optioned: Proxy, user: str, books: Books
) -> None:
    """A tag that the bank would refuse stops no request."""
    said = {"tags": ["feature:chat", "feature:other", "plain", "odd name:1", "empty:", "long:" + "x" * 200]}
    assert ask(proxy, user, CHAT, chat(metadata=said)).status_code == 200
    body = chat("house-model", metadata=said, user=user)
    assert ask(optioned, "a-backend", CHAT, body).status_code == 200
    rows = books.admin.execute("select tags from api.usage where user_id = %s order by used_at", (user,))
    assert [tags for (tags,) in rows] == [
        {"model": "gpt-4o"},
        {"model": "house-model", "feature": "chat", "long": "x" * 100},
    ]


def test_mark_that_a_client_sends_ends_no_hold(proxy: Proxy, user: str, books: Books) -> None:
    answer = ask(proxy, user, CHAT, chat(metadata={"pgcredits_hold": "x" * 32}))
    assert answer.status_code == 200
    assert books.charges(user) == [4]


def test_answer_from_the_cache_of_the_proxy_is_free(proxy: Proxy, user: str, books: Books) -> None:
    body = chat(told={"usage": USAGE, "text": "well, once"}, cache={"use-cache": True})
    asked = len(proxy.provider.requests)
    soon(lambda: ask(proxy, user, CHAT, body).status_code == 200 and "released" in books.holds(user), True)
    assert ask(proxy, user, CHAT, {**body, "stream": True}).status_code == 200
    assert books.charges(user) == [4] * (len(proxy.provider.requests) - asked)


def test_options_say_who_pays_how_much_is_held_and_what_a_cached_answer_costs(
    optioned: Proxy, user: str, books: Books
) -> None:
    """Each call of this proxy to the bank is lost, then answered with 503, and then done."""
    body = {**chat("house-model", {"usage": USAGE, "text": "well, twice"}), "user": user}
    del body["max_tokens"]
    for times in (1, 2, 3):
        answer = ask(optioned, "a-backend", CHAT, {**body, "cache": {"use-cache": True}})
        assert answer.status_code == 200, answer.text
        assert books.charges(user) == [4] * times
    assert optioned.provider.requests[-1]["max_tokens"] == 7
    assert error(ask(optioned, "a-backend", "/v1/moderations", {"input": "x"}))[1] != "call_type_not_charged"


def test_long_stream_keeps_its_hold(optioned: Proxy, user: str, books: Books) -> None:
    body = chat(told={"text": "went well", "hold_on": 30}, stream=True, user=user)
    with optioned.client("a-backend") as client, client.stream("POST", CHAT, json=body) as answer:
        parts = answer.iter_raw()
        assert "went well" in next(parts).decode()
        at_first = books.expires_at(user)
        soon(lambda: books.expires_at(user) > at_first, True)
    soon(lambda: books.holds(user), ["captured"])


def test_request_whose_end_is_not_reported_is_charged_all_that_was_held(
    optioned: Proxy, user: str, books: Books
) -> None:
    """Another callback cancels the request when the model has answered."""
    body = chat(told={"text": "be lost", "usage": USAGE}, user=user)
    assert "be lost" not in ask(optioned, "a-backend", CHAT, body).text
    soon(lambda: books.holds(user), ["captured"])
    assert 4 < books.charges(user)[0] < Decimal("4.1")


def test_proxy_that_is_killed_leaves_a_hold_that_expires(optioned: Proxy, user: str, books: Books) -> None:
    """Its ttl is three seconds. This is the last test of this proxy."""
    body = chat(told={"text": "went well", "hold_on": 30}, stream=True, user=user)
    with optioned.client("a-backend") as client, client.stream("POST", CHAT, json=body) as answer:
        parts = answer.iter_raw()
        assert "went well" in next(parts).decode()
        assert books.held(user) > 0
        optioned.kill()
        with pytest.raises(httpx.TransportError):
            list(parts)
    soon(lambda: books.held(user), 0)
    assert books.charges(user) == []
