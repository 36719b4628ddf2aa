"""A callback for the LiteLLM proxy, which charges the users of its keys: docs/litellm.md."""

from __future__ import annotations

from typing import Any

__all__ = ["Charging", "proxy_handler_instance"]


def __getattr__(name: str) -> Any:
    """The callback needs LiteLLM, the modules beside it do not. So it is imported when it is asked for."""
    if name == "Charging":
        from pgcredits.client.litellm.charging import Charging

        return Charging
    if name == "proxy_handler_instance":
        from pgcredits.client.litellm.charging import from_environment

        return from_environment()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
