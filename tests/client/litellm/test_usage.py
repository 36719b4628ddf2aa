"""What a provider reports, in the dimensions of the bank, and what of it a price takes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pgcredits.client.errors import InvalidCall
from pgcredits.client.litellm.prices import UnfitPrice, check, dimensions_of, fitted
from pgcredits.client.litellm.streams import StreamMeter
from pgcredits.client.litellm.usage import images_of, measured

pytestmark = pytest.mark.one_version

ORDER = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


@pytest.mark.parametrize(
    ("usage", "parts"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5}, (10, 0, 0, 5, 0)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}}, (6, 4, 0, 0, 0)),
        ({"prompt_tokens": 10, "cache_read_input_tokens": 4}, (6, 4, 0, 0, 0)),
        (
            {
                "prompt_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
                "cache_creation_input_tokens": 3,
            },
            (3, 4, 3, 0, 0),
        ),
        (
            {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 9},
            (0, 0, 0, 2, 7),
        ),
        # xAI counts reasoning beside the completion, which the total shows.
        (
            {
                "completion_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 7},
                "total_tokens": 16,
            },
            (0, 0, 0, 9, 7),
        ),
        # A part that is greater than the whole is cut, and nothing is below zero.
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 50}}, (0, 5, 0, 0, 0)),
        ({"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 50}}, (0, 0, 0, 0, 5)),
        # Anthropic's own form: the three kinds of input are apart.
        (
            {
                "input_tokens": 3,
                "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 5,
                "output_tokens": 6,
            },
            (3, 4, 5, 6, 0),
        ),
        # The Responses API: they are parts of the whole.
        (
            {
                "input_tokens": 9,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens": 6,
                "output_tokens_details": {"reasoning_tokens": 2},
            },
            (5, 4, 0, 4, 2),
        ),
    ],
)
def test_each_token_is_counted_once(usage: dict[str, Any], parts: tuple[int, ...]) -> None:
    expected = dict(zip(ORDER, parts, strict=True))
    assert measured(usage) == expected
    objects = json.loads(json.dumps(usage), object_hook=lambda members: SimpleNamespace(**members))
    assert measured(objects) == expected


@pytest.mark.parametrize(
    "usage",
    [
        *(None, {}, "text", {"prompt_tokens": None}, {"prompt_tokens": 0, "completion_tokens": 0}),
        *({"prompt_tokens": "many"}, {"prompt_tokens": True}, {"prompt_tokens": -5}),
        {"prompt_tokens": float("nan"), "completion_tokens": float("inf")},
    ],
)
def test_usage_that_says_nothing_is_not_reported(usage: Any) -> None:
    assert measured(usage) is None


def test_images_are_counted() -> None:
    assert images_of({"data": [{"url": "a"}, {"url": "b"}]}) == 2
    assert images_of({"choices": [{"message": {"images": [{}, {}]}}, {"message": {"images": None}}]}) == 2
    assert images_of({"choices": [{"text": "a"}]}) == 0
    assert images_of(None) == 0


USAGE = {"input_tokens": 1, "cached_input_tokens": 2, "cache_write_tokens": 4, "output_tokens": 8} | {
    "reasoning_tokens": 16,
    "images": 32,
}


@pytest.mark.parametrize(
    ("dimensions", "fit"),
    [
        ({"input_tokens", "output_tokens"}, {n: USAGE[n] for n in ORDER}),
        ({"input_tokens", "cached_input_tokens", "output_tokens"}, {n: USAGE[n] for n in ORDER}),
        (set(USAGE), USAGE),
        ({"calls"}, {"calls": 1}),
        ({"images", "input_tokens"}, {n: USAGE[n] for n in (*ORDER[:3], "images")}),
        ({"output_tokens"}, {"output_tokens": 8, "reasoning_tokens": 16}),
        (None, USAGE),
    ],
)
def test_usage_has_the_dimensions_of_the_price_and_their_parts(
    dimensions: set[str] | None, fit: dict[str, int]
) -> None:
    assert fitted(USAGE, dimensions) == fit


def test_parts_that_were_not_used_are_left_out() -> None:
    used = {"input_tokens": 1, "cached_input_tokens": 0, "output_tokens": 0}
    assert fitted(used, None) == {"input_tokens": 1, "output_tokens": 0}
    assert fitted(used, {"input_tokens", "output_tokens", "images"}) == {
        "input_tokens": 1,
        "output_tokens": 0,
        "images": 0,
    }


def test_price_that_cannot_be_measured_or_counts_nothing_of_the_call_is_refused() -> None:
    check("m", {"input_tokens", "images"}, {"input_tokens"})
    check("m", {"calls"}, {"images"})
    for dimensions, counted in (
        ({"seconds", "input_tokens"}, {"input_tokens"}),
        ({"images"}, {"input_tokens", "output_tokens"}),
        ({"input_tokens"}, {"images"}),
        (set(), {"images"}),
    ):
        with pytest.raises(UnfitPrice):
            check("m", dimensions, counted)


def test_bank_says_which_dimensions_a_price_has() -> None:
    def refused(slug: str, facts: dict[str, Any]) -> InvalidCall:
        return InvalidCall("", status=422, slug=slug, facts=facts)

    assert dimensions_of(refused("bad_usage", {"dimensions": ["calls"]})) == {"calls"}
    assert dimensions_of(refused("bad_ttl", {"dimensions": ["calls"]})) is None
    assert dimensions_of(refused("bad_usage", {})) is None


def test_stream_of_the_messages_api_is_read_however_it_is_cut() -> None:
    events = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "wéll"}},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "message_delta", "usage": {"output_tokens": 7}},
    ]
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    for size in (1, 7, 10_000):
        meter = StreamMeter()
        for at in range(0, len(text), size):
            meter.saw(text[at : at + size].encode())
        assert (meter.text, meter.complete, meter.failed) == ("wéll{}", True, False)
        assert measured(meter.usage) == dict(zip(ORDER, (5, 0, 0, 7, 0), strict=True))
    meter = StreamMeter()
    meter.saw(text.split("event: message_delta")[0])
    assert not meter.complete
    meter.saw('data: {"type": "error"}\ndata: [DONE]\ndata: 3\nnoise\n')
    assert meter.failed


def test_delivered_text_of_a_chat_has_its_tool_calls() -> None:
    meter = StreamMeter()
    function = {"name": "find", "arguments": "{}"}
    delta = {"content": "a", "reasoning_content": "b", "tool_calls": [{"function": function}]}
    delta["function_call"] = {"name": "old", "arguments": "[]"}
    meter.saw({"choices": [{"delta": delta}, {"text": "c", "delta": None}]})
    assert (meter.text, meter.complete) == ("abfind{}old[]c", False)
    meter.saw({"choices": [], "usage": {"prompt_tokens": 1}})
    assert meter.complete


def test_part_of_a_stream_that_cannot_be_read_is_passed_over() -> None:
    meter = StreamMeter()
    meter.saw({"choices": 7})
    meter.saw({"choices": [{"text": "a"}]})
    assert meter.text == "a"


@pytest.mark.parametrize(
    ("part", "uncounted"),
    [
        ({"choices": [{"delta": {"images": [{}]}}]}, True),
        ({"choices": [{"delta": {"audio": {"data": "UklG"}}}]}, True),
        ({"type": "response.image_generation_call.partial_image", "partial_image_b64": "iVBO"}, True),
        ({"type": "response.audio.delta", "delta": "UklG"}, True),
        ({"type": "response.output_text.delta", "delta": "a"}, False),
        ({"choices": [{"delta": {"content": "a", "images": None}}]}, False),
    ],
)
def test_pictures_and_sound_are_not_counted_as_text(part: dict[str, Any], uncounted: bool) -> None:
    meter = StreamMeter()
    meter.saw(part)
    assert (meter.uncounted, meter.text) == (uncounted, "" if uncounted else "a")
