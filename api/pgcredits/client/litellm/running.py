"""A request that is charged, from its hold to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.calls import new_key
from pgcredits.client.litellm.requests import Asked


@dataclass(slots=True)
class Running:
    """The hold of a request, and what is needed to end it."""

    hold: AsyncHold
    asked: Asked
    module: str
    user: str
    dimensions: frozenset[str] | None  # of the price, as far as they are known
    key: str = field(default_factory=new_key)  # of its one capture
    streaming: bool = False  # whether the answer is under way


class Register:
    """The requests that are under way in this process. Each is taken out once, by the one who ends it."""

    _MEMBER = "pgcredits_hold"

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}

    def add(self, data: dict[str, Any], running: Running) -> str:
        """Mark the request. The mark stays in LiteLLM's own metadata, and nobody can guess it."""
        mark = new_key()
        bucket = self._bucket(data)
        bucket[self._MEMBER] = mark
        self._running[mark] = running
        return mark

    def unmark(self, data: dict[str, Any]) -> None:
        """Forget a mark that the client of the proxy has sent."""
        for name in ("metadata", "litellm_metadata"):
            if isinstance(data.get(name), dict):
                data[name].pop(self._MEMBER, None)

    def mark_of(self, data: Any) -> str | None:
        for name in ("litellm_metadata", "metadata"):
            bucket = data.get(name) if isinstance(data, dict) else None
            mark = bucket.get(self._MEMBER) if isinstance(bucket, dict) else None
            if isinstance(mark, str):
                return mark
        return None

    def find(self, mark: str | None) -> Running | None:
        return None if mark is None else self._running.get(mark)

    def take(self, mark: str | None) -> Running | None:
        """None if somebody has ended it, or if it was never charged."""
        return None if mark is None else self._running.pop(mark, None)

    @staticmethod
    def _bucket(data: dict[str, Any]) -> dict[str, Any]:
        """Some calls keep the client's own metadata apart."""
        name = "litellm_metadata" if isinstance(data.get("litellm_metadata"), dict) else "metadata"
        if not isinstance(data.get(name), dict):
            data[name] = {}
        bucket: dict[str, Any] = data[name]
        return bucket
