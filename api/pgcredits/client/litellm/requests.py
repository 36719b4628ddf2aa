"""What a request to the proxy may use at most: the prompt, counted, and the longest answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import litellm

from pgcredits.client.litellm.refused import Refused

log = logging.getLogger("pgcredits.client")

CHATS = {"completion", "acompletion"}
_TEXTS = {"text_completion", "atext_completion"}
_RESPONSES = {"responses", "aresponses"}
_MESSAGES = {"anthropic_messages", "aanthropic_messages"}
_EMBEDDINGS = {"embedding", "aembedding"}
IMAGES = {"image_generation", "aimage_generation"}
CHARGED = CHATS | _TEXTS | _RESPONSES | _MESSAGES | _EMBEDDINGS | IMAGES

# Where the client of the proxy could choose another model than the one that is charged.
_REFUSED = {
    *("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "context_window_fallback_dict"),
    *("user_config", "router_settings_override", "specific_deployment", "model_list"),
    *("models", "model_id", "deployment_id", "custom_llm_provider"),  # LiteLLM or a provider obeys these
    "extra_body",  # its members replace those of the request
}
# What makes the same model dearer. The price is that of its standard service.
_DEARER = {"service_tier": ("priority", "fast"), "speed": ("fast",)}
# Some providers have these beside `max_tokens`, and obey them.
_OTHERS = ("max_new_tokens", "max_tokens_to_sample", "num_predict")
_ANSWERS = ("n", "best_of", "candidate_count", "num_return_sequences")
_PROMPTS = (
    "messages",
    "prompt",
    "input",
    "system",
    "instructions",
    "tools",
    "functions",
    "response_format",
    "text",
)
_MEDIA = {"data", "url", "image_url", "file_data", "file_url"}
_MEDIA_TOKENS = 1_600  # of a picture or a file, whose size is not known before the call


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the most that it may use."""

    model: str
    call_type: str
    usage: dict[str, int]
    counted: frozenset[str]  # the dimensions of which the price must count at least one
    reasons: bool = False  # whether the answer may contain reasoning


def check(data: Mapping[str, Any], call_type: str) -> str:
    """The model that was asked for. Raises Refused."""
    if call_type not in CHARGED:
        raise Refused("call_type_not_charged", f"this proxy cannot charge calls of the type {call_type}")
    body = (data.get("proxy_server_request") or {}).get("body") or {}
    for name in body:
        if name in _REFUSED or str(name).startswith("mock_testing_"):
            text = f"the request may not have {name}: it pays the price of the model that it names"
            raise Refused("not_allowed_here", text)
    for name, dear in _DEARER.items():
        if data.get(name) in dear:
            raise Refused("not_allowed_here", f"the request may not have {name} {data[name]}: it costs more")
    if call_type in _RESPONSES and data.get("background"):
        raise Refused("not_allowed_here", "an answer in the background cannot be fetched from this proxy")
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise Refused("bad_model", "the request must name one model")
    if "," in model:  # LiteLLM asks each of them
        raise Refused("not_allowed_here", "the request must name one model, and not several")
    if _is_deployment(model):  # which has no module, so a default price of the bank would be charged
        raise Refused("not_allowed_here", "the request must name a model, and not a deployment of it")
    return model


def asked(data: MutableMapping[str, Any], model: str, call_type: str, most_output: int | None) -> Asked:
    """Counts the prompt, so call it in a thread. Raises Refused.

    most_output: the bound that a request without one of its own gets, which goes to the provider, too.
    """
    prompt = _prompt_tokens(data, model, call_type)
    if call_type in IMAGES:
        usage = {"input_tokens": prompt, "images": _number(data.get("n"))}
        return Asked(model, call_type, usage, frozenset({"images"}))
    if call_type in _EMBEDDINGS:
        return Asked(model, call_type, {"input_tokens": prompt}, frozenset({"input_tokens"}))
    info = _model_info(model)
    answers = max(_number(data.get(name)) for name in _ANSWERS) * _prompts(data, call_type)
    output = answers * _longest(data, model, call_type, most_output, info)
    written = "cache_control" in json.dumps(_prompt(data), default=str)
    usage = {"input_tokens": 0, "output_tokens": output}
    usage["cache_write_tokens" if written else "input_tokens"] = prompt  # a write can cost more
    counted = frozenset({"input_tokens", "output_tokens"})
    return Asked(model, call_type, usage, counted, _reasons(data, info))


def ask_for_usage(data: MutableMapping[str, Any], call_type: str) -> None:
    """A stream reports its usage only if it is asked to. The second member is LiteLLM's: it keeps the report
    from a client that has not asked for it."""
    options = data.get("stream_options")
    options = options if isinstance(options, dict) else {}
    if (
        call_type in CHATS | _TEXTS
        and data.get("stream") is True
        and options.get("include_usage") is not True
    ):
        data["stream_options"] = {**options, "include_usage": True}
        data["_litellm_strip_stream_usage"] = True


def text_tokens(model: str, text: str) -> int:
    """At most one token a byte, if the text cannot be counted."""
    if not text:
        return 0
    try:
        return int(litellm.token_counter(model=model, text=text))
    except Exception as error:  # a tokenizer that cannot be loaded
        log.warning("tokens for %s were not counted, so each byte counts as one: %s", model, error)
        return len(text.encode())


def _reasons(data: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Whether the answer may contain reasoning. Anthropic's models reason only if the request says so."""
    if info.get("providers") == ["anthropic"] or info.get("litellm_provider") == "anthropic":
        return bool(data.get("thinking") or data.get("reasoning_effort"))
    return bool(info.get("supports_reasoning"))


def _longest(
    data: MutableMapping[str, Any],
    model: str,
    call_type: str,
    most_output: int | None,
    info: Mapping[str, Any],
) -> int:
    """A type of call has one bound that counts. LiteLLM drops the others: a hold may not rely on them."""
    names = {"max_output_tokens"} if call_type in _RESPONSES else {"max_tokens"}
    if call_type in CHATS:
        names.add("max_completion_tokens")
    bound, others = (max(_number(data.get(name), 0) for name in some) for some in (names, _OTHERS))
    if bound:
        return max(bound, others)
    if most_output is not None:
        data["max_output_tokens" if call_type in _RESPONSES else "max_tokens"] = most_output
        return max(most_output, others)
    most = info.get("max_output_tokens")
    if not most:
        text = f"how long an answer of {model} may get is not known: send max_tokens"
        raise Refused("max_tokens_needed", text)
    return max(int(most), others)


def _is_deployment(model: str) -> bool:
    """Whether this names a deployment: its id, which clients are told, or its model at the provider. LiteLLM
    takes both as the name of a model. A wildcard of the proxy may have the latter as a name."""
    from litellm.proxy.proxy_server import llm_router

    if llm_router is None:
        return False
    names = {*llm_router.model_names, *(llm_router.model_group_alias or ())}
    if model in names:
        return False
    at_provider = model in llm_router.deployment_names and not any("*" in name for name in names)
    return at_provider or llm_router.has_model_id(model)


def _model_info(model: str) -> Mapping[str, Any]:
    """What LiteLLM knows of the model, over all deployments that the proxy has under this name."""
    from litellm.proxy.proxy_server import llm_router

    try:
        group = llm_router.get_model_group_info(model) if llm_router is not None else None
        if group is not None and group.max_output_tokens:
            return group.model_dump()  # type: ignore[no-any-return, unused-ignore]
        return dict(litellm.get_model_info(model))
    except Exception:  # LiteLLM raises Exception for a model that it does not know
        return {}


def _prompt_tokens(data: Mapping[str, Any], model: str, call_type: str) -> int:
    if call_type in CHATS:
        try:
            return int(
                litellm.token_counter(
                    model=model,
                    messages=data.get("messages"),
                    tools=data.get("tools"),
                    tool_choice=data.get("tool_choice"),
                    use_default_image_token_count=True,  # it fetches no picture
                )
            )
        except Exception as error:  # a message of an unusual form
            log.debug("the messages were counted as plain text: %s", error)
    texts, others = [], 0
    for part in _parts(_prompt(data)):
        if isinstance(part, str):
            texts.append(part)
        else:
            others += part
    return text_tokens(model, "\n".join(texts)) + others


def _prompt(data: Mapping[str, Any]) -> list[Any]:
    return [data[name] for name in _PROMPTS if data.get(name) is not None]


def _parts(value: Any, name: str = "") -> Iterator[str | int]:
    """The texts of a prompt, and the tokens of what is not text."""
    if isinstance(value, str):
        yield _MEDIA_TOKENS if name in _MEDIA else value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _parts(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _parts(inner, name)
    elif isinstance(value, int):
        yield 1  # a prompt may be a list of tokens


def _prompts(data: Mapping[str, Any], call_type: str) -> int:
    """A completion may answer several prompts at once."""
    prompt = data.get("prompt")
    several = call_type in _TEXTS and isinstance(prompt, list) and not all(isinstance(p, int) for p in prompt)
    return max(len(prompt), 1) if several and isinstance(prompt, list) else 1


def _number(value: Any, default: int = 1) -> int:
    """A number of at least 1. The provider refuses what is not a number, so it counts as the default."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return min(number, 10**12) if number >= 1 else default
