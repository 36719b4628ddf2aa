"""What a provider says was used, in the dimensions of the bank: each token is counted in one of them.

Three forms are known: that of OpenAI's chat, which LiteLLM gives most answers, that of OpenAI's Responses
API, and that of Anthropic's Messages API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Every dimension that is measured. Beside them, `calls` counts each request as one.
MEASURED = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "images",
)


def member(thing: Any, name: str) -> Any:
    """A member of a JSON object or of an object of LiteLLM. None if it has no such member."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def count(thing: Any, *names: str) -> int:
    """The greatest of these members. A member that is not a number counts as 0."""
    numbers = (member(thing, name) for name in names)
    return max(
        (int(n) for n in numbers if isinstance(n, int | float) and not isinstance(n, bool) and 0 < n < 1e15),
        default=0,
    )


def measured(usage: Any) -> dict[str, int] | None:
    """The usage by dimension. None if the provider has reported nothing."""
    if member(usage, "prompt_tokens") is not None or member(usage, "completion_tokens") is not None:
        found = _chat(usage)
    elif member(usage, "input_tokens_details") is None and member(usage, "output_tokens_details") is None:
        found = _messages(usage)
    else:
        found = _responses(usage)
    return found if any(found.values()) else None


def images_of(response: Any) -> int:
    """The images of an answer: of an image call, or in the messages of a chat."""
    data = member(response, "data")
    if isinstance(data, list):
        return len(data)
    choices = member(response, "choices")
    messages = [member(choice, "message") for choice in choices] if isinstance(choices, list) else []
    return sum(len(member(message, "images") or ()) for message in messages)


def _chat(usage: Any) -> dict[str, int]:
    """`prompt_tokens` contains what was read from a cache and written to it."""
    details = member(usage, "prompt_tokens_details")
    cached = max(count(usage, "cache_read_input_tokens"), count(details, "cached_tokens"))
    written = max(
        count(usage, "cache_creation_input_tokens"),
        count(details, "cache_creation_tokens", "cache_write_tokens"),
    )
    reasoning = count(member(usage, "completion_tokens_details"), "reasoning_tokens")
    prompt, output = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    apart = reasoning > 0 and count(usage, "total_tokens") == prompt + output + reasoning  # as xAI has it
    return _parts(prompt, cached, written, output + reasoning if apart else output, reasoning)


def _responses(usage: Any) -> dict[str, int]:
    """As in a chat, with other names."""
    details = member(usage, "input_tokens_details")
    return _parts(
        count(usage, "input_tokens"),
        count(details, "cached_tokens"),
        count(details, "cache_creation_tokens", "cache_write_tokens"),
        count(usage, "output_tokens"),
        count(member(usage, "output_tokens_details"), "reasoning_tokens"),
    )


def _messages(usage: Any) -> dict[str, int]:
    """`input_tokens` does not contain what was read from a cache or written to it."""
    cached = count(usage, "cache_read_input_tokens")
    written = count(usage, "cache_creation_input_tokens")
    prompt = count(usage, "input_tokens") + cached + written
    return _parts(prompt, cached, written, count(usage, "output_tokens"), 0)


def _parts(prompt: int, cached: int, written: int, output: int, reasoning: int) -> dict[str, int]:
    """A part is never greater than the whole."""
    cached = min(cached, prompt)
    written = min(written, prompt - cached)
    reasoning = min(reasoning, output)
    return {
        "input_tokens": prompt - cached - written,
        "cached_input_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output - reasoning,
        "reasoning_tokens": reasoning,
    }
