"""A provider of language models for tests: the last message says, as JSON, what it answers.

It speaks the Chat Completions and the Responses API of OpenAI and the Messages API of Anthropic, each with
and without a stream. Members of the message: text, delta (of a chat's stream, instead of the text), usage,
status (an error), breaks_off (after the text), and hold_on (for so many seconds an answer waits, a stream
after its text, unless the client hangs up).
"""

from __future__ import annotations

import json
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Provider:
    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = _read(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.provider.requests.append(asked)  # type: ignore[attr-defined]
        told = _told(asked)
        if "status" in told:
            self._json({"error": {"message": "the provider failed", "type": "server_error"}}, told["status"])
        elif not asked.get("stream"):
            if "hold_on" in told:
                select.select([self.connection], [], [], told["hold_on"])
            self._json(_whole(self.path, asked, told))
        else:
            self._stream(_events(self.path, asked, told), told)

    def _json(self, body: dict[str, Any], status: int = 200) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _stream(self, events: list[dict[str, Any]], told: dict[str, Any]) -> None:
        """The last two events end the answer and have the usage. A stream that breaks off is without them."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        early = "breaks_off" in told or "hold_on" in told
        for event in events[:-2] if early else events:
            name = f"event: {event['type']}\n" if "type" in event else ""
            self._chunk(f"{name}data: {json.dumps(event)}\n\n")
        if "hold_on" in told:
            select.select([self.connection], [], [], told["hold_on"])  # readable when the client has gone
        elif "breaks_off" not in told:
            self._chunk("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


def _read(body: bytes) -> dict[str, Any]:
    """A body that is not JSON, such as a form with files, counts as an empty request."""
    try:
        asked: dict[str, Any] = json.loads(body)
    except ValueError:
        return {}
    return asked


def _told(asked: dict[str, Any]) -> dict[str, Any]:
    said = asked.get("input") or asked.get("prompt") or asked.get("messages") or ""
    while isinstance(said, list):
        said = said[-1]
        said = said.get("content", said.get("text")) if isinstance(said, dict) else said
    try:
        told = json.loads(said)
    except ValueError:
        told = {}
    return told if isinstance(told, dict) else {}


def _whole(path: str, asked: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    text, model = told.get("text", "well"), asked.get("model")
    usage = {"usage": told["usage"]} if "usage" in told else {}
    if path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
        return {"object": "list", "model": model, "data": data, **usage}
    if path.endswith("/images/generations"):
        return {"created": 1, "data": [{"url": "http://pictures/1"}] * asked.get("n", 1), **usage}
    if path.endswith("/messages"):
        content = [{"type": "text", "text": text}]
        kind = {"id": "m", "type": "message", "role": "assistant", "stop_reason": "end_turn"}
        return {**kind, "model": model, "content": content, **usage}
    if path.endswith("/responses"):
        return _response(asked, text, "completed", usage)
    message = {"role": "assistant", "content": text, **told.get("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
        **usage,
    }


def _response(asked: dict[str, Any], text: str, status: str, usage: dict[str, Any]) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    output = [{"type": "message", "id": "o", "role": "assistant", "status": status, "content": content}]
    base = {"id": "r", "object": "response", "created_at": 1, "model": asked["model"], "status": status}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None}
    return {**base, **rest, "output": output if status == "completed" else [], **usage}


def _events(path: str, asked: dict[str, Any], told: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a stream: the last one has the usage."""
    text = told.get("text", "well")
    usage = {"usage": told["usage"]} if "usage" in told else {}
    if path.endswith("/messages"):
        at_first = {**told.get("usage", {}), "output_tokens": 1}
        message = {**_whole(path, asked, {"text": ""}), "content": [], "usage": at_first}
        delta = {"type": "text_delta", "text": text}
        return [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *([{"type": "content_block_delta", "index": 0, "delta": delta}] if text else []),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, **usage},
        ]
    if path.endswith("/responses"):
        place = {"item_id": "o", "output_index": 0, "content_index": 0}
        return [
            {"type": "response.created", "response": _response(asked, "", "in_progress", {})},
            *([{"type": "response.output_text.delta", **place, "delta": text}] if text else []),
            {"type": "response.output_text.done", **place, "text": text},
            {"type": "response.completed", "response": _response(asked, text, "completed", usage)},
        ]
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
    delta = told.get("delta", {"content": text} if text else None)
    deltas = [{"role": "assistant", **delta}, {}] if delta else [{}]
    ends = [None] * (len(deltas) - 1) + ["stop"]
    chunks: list[dict[str, Any]] = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in zip(deltas, ends, strict=True)
    ]
    return [*chunks, {**base, "choices": [], **usage}]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: Provider


@contextmanager
def providing() -> Iterator[Provider]:
    server = _Server(("127.0.0.1", 0), _Answer)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
