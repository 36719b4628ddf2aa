"""A Stripe of the tests that charges saved cards, and can be slow, silent, busy or wrong."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import anyio
from litestar import Litestar, Request, Response, get, post

Json = dict[str, Any]


@dataclass
class Desk:
    """What it was asked, what it made, and how it answers: `script` has the next answers, then it charges.

    charge: makes it and answers. silent: makes it, and answers only after `release`. A dict is an error.
    """

    script: list[str | Json] = field(default_factory=list)
    asked: list[tuple[str, str, Json]] = field(default_factory=list)  # method and path, key, form
    made: dict[str, Json] = field(default_factory=dict)  # by idempotency key
    release: threading.Event = field(default_factory=threading.Event)  # a silent answer ends
    began: threading.Event = field(default_factory=threading.Event)  # a silent call has been made

    def app(self) -> Litestar:
        @post(["/v1/payment_intents", "/v1/refunds", "/v1/checkout/sessions"], status_code=200)
        async def make(request: Request[Any, Any, Any]) -> Response[Any]:
            form = _nested(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            key = request.headers["idempotency-key"]
            self.asked.append((f"POST {request.url.path}", key, form))
            if key in self.made:
                return Response(self.made[key], headers={"Idempotent-Replayed": "true"})
            turn = self.script.pop(0) if self.script else "charge"
            if isinstance(turn, dict):
                return Response(
                    {"error": turn["error"]}, status_code=turn["status"], headers=turn.get("headers")
                )
            self.made[key] = self._made(request.url.path, form)
            if turn == "silent":
                self.began.set()
                while not self.release.is_set():
                    await anyio.sleep(0.01)
            return Response(self.made[key])

        @get(["/v1/payment_intents", "/v1/refunds"], sync_to_thread=False)
        def listed(request: Request[Any, Any, Any]) -> Json:
            self.asked.append((f"GET {request.url.path}", "", dict(request.query_params)))
            kind = request.url.path.rsplit("/", 1)[1].removesuffix("s")
            return {
                "object": "list",
                "url": request.url.path,
                "has_more": False,
                "data": [thing for thing in self.made.values() if thing["object"] == kind],
            }

        return Litestar([make, listed])

    def _made(self, path: str, form: Json) -> Json:
        number = len(self.made) + 1
        kind, prefix = {
            "/v1/payment_intents": ("payment_intent", "pi"),
            "/v1/refunds": ("refund", "re"),
            "/v1/checkout/sessions": ("checkout.session", "cs"),
        }[path]
        thing = {"id": f"{prefix}_{number}", "object": kind, "status": "succeeded", "livemode": False}
        if kind == "checkout.session":
            thing |= {"url": f"https://pay.example/{number}", "status": "open", "expires_at": 4000000000}
        return thing | {"metadata": form.get("metadata", {}), "customer": form.get("customer")}

    def keys(self, path: str = "/v1/payment_intents") -> list[str]:
        return [key for asked, key, _ in self.asked if asked == f"POST {path}"]


def _nested(pairs: list[tuple[str, str]]) -> Json:
    """a[b]=c as {"a": {"b": "c"}}."""
    form: Json = {}
    for name, value in pairs:
        first, *rest = name.replace("]", "").split("[")
        place = form
        for step in rest:
            place = place.setdefault(first, {})
            first = step
        place[first] = value
    return json.loads(json.dumps(form))  # type: ignore[no-any-return]
