"""What has come of a stream: the usage that its end reports, and the text that was delivered until then."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from pgcredits.client.litellm.usage import member

log = logging.getLogger("pgcredits.client")

_LONGEST_LINE = 1_000_000  # characters of an event that is not complete yet

# Ends of the types of events that carry a picture or sound.
_MEDIA = ("partial_image", "image_generation.completed", ".audio.delta")


class StreamMeter:
    """Reads chunks of chats and completions, events of the Responses API, and those of the Messages API."""

    def __init__(self) -> None:
        self.usage: Any = None  # the last that was reported
        self.complete = False  # whether it is that of the whole answer
        self.uncounted = False  # whether pictures or sound were delivered, whose tokens nobody can count
        self.failed = False  # whether the stream itself says that the provider has failed
        self._text: list[str] = []
        self._rest = ""

    @property
    def text(self) -> str:
        """All that was delivered, of all choices."""
        return "".join(self._text)

    def saw(self, chunk: Any) -> None:
        """It raises nothing: the stream goes on."""
        try:
            self._read(chunk)
        except Exception:
            log.exception("a part of a stream could not be read")

    def _read(self, chunk: Any) -> None:
        if isinstance(chunk, bytes | str):
            for event in self._events(chunk):
                self._event(event)
        elif member(chunk, "choices") is not None:
            self._chunk(chunk)
        else:
            self._event(chunk)

    def _chunk(self, chunk: Any) -> None:
        for choice in member(chunk, "choices") or ():
            delta = member(choice, "delta")
            self._add(member(choice, "text"))
            self._add(member(delta, "content"))
            self._add(member(delta, "reasoning_content"))
            self._add(member(delta, "refusal"))
            calls = [member(call, "function") for call in member(delta, "tool_calls") or ()]
            for function in (*calls, member(delta, "function_call")):
                self._add(member(function, "name"))
                self._add(member(function, "arguments"))
            self.uncounted |= bool(member(delta, "images") or member(delta, "audio"))
        hidden = member(
            getattr(chunk, "_hidden_params", None), "usage"
        )  # of a provider that always reports it
        self._report(member(chunk, "usage") or hidden, complete=True)

    def _event(self, event: Any) -> None:
        kind = str(getattr(member(event, "type"), "value", member(event, "type")))
        delta = member(event, "delta")
        if kind.endswith(_MEDIA):
            self.uncounted = True
        elif isinstance(delta, str) and kind.endswith(".delta"):  # of the Responses API
            self._add(delta)
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self._report(member(member(event, "response"), "usage"), complete=True)
            self.failed |= kind == "response.failed"
        elif kind == "message_start":  # of the Messages API
            self._report(member(member(event, "message"), "usage"), complete=False)
        elif kind == "content_block_delta":
            self._add(member(delta, "text"))
            self._add(member(delta, "partial_json"))
            self._add(member(delta, "thinking"))
        elif kind == "message_delta":
            self._report(member(event, "usage"), complete=True)
        elif kind == "error":
            self.failed = True

    def _add(self, text: Any) -> None:
        if isinstance(text, str):
            self._text.append(text)

    def _report(self, usage: Any, *, complete: bool) -> None:
        """The Messages API reports the input first and the output at the end."""
        if usage is None:
            return
        if isinstance(usage, dict) and isinstance(self.usage, dict):
            usage = {**self.usage, **{name: n for name, n in usage.items() if n is not None}}
        self.usage = usage
        self.complete = self.complete or complete

    def _events(self, chunk: bytes | str) -> Iterator[Any]:
        """The JSON of server-sent events. A chunk may end in the middle of a line."""
        text = chunk.decode("utf-8", "replace") if isinstance(chunk, bytes) else chunk
        *lines, rest = (self._rest + text).split("\n")
        self._rest = rest if len(rest) <= _LONGEST_LINE else ""
        for line in lines:
            if line.startswith("data:"):
                try:
                    event = json.loads(line[5:])
                except ValueError:
                    continue  # [DONE], or not an event
                if isinstance(event, dict):
                    yield from self._one(event)

    def _one(self, event: dict[str, Any]) -> Iterator[Any]:
        if "choices" in event:
            self._chunk(event)
        else:
            yield event
