"""What the charges of the proxy are tagged with. A tag that the bank would refuse is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

# Takes the UserAPIKeyAuth of the request's key and the request, and returns tags.
Tagger = Callable[[Any, Mapping[str, Any]], Mapping[str, str] | None]

MOST = 8  # tags of a charge
LONGEST = 100  # characters of a value
_NAME = re.compile(r"[!-~]{1,40}")


def _of_model(key: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"model": data.get("model")}


def _of_key(name: str) -> Tagger:
    """What the administrator of the proxy gave the key."""

    def tagger(key: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: getattr(key, name, None)}

    return tagger


def _of_request(key: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """LiteLLM's own tags of a request, where they are written name:value."""
    found: dict[str, str] = {}
    for where in ("metadata", "litellm_metadata"):
        tags = (data.get(where) or {}).get("tags")
        for tag in tags if isinstance(tags, list) else ():
            name, _, value = str(tag).partition(":")
            found.setdefault(name.strip(), value.strip())
    return found


TAGGERS: dict[str, Tagger] = {
    "model": _of_model,
    "key_alias": _of_key("key_alias"),
    "team_id": _of_key("team_id"),
    "request": _of_request,  # the sender of the request writes them
}


def tagger_of(tags: Collection[str] | Tagger) -> Tagger:
    """The function for the option `tags`. Raises ValueError for a name that does not exist."""
    if callable(tags):
        return tags
    unknown = [name for name in tags if name not in TAGGERS]
    if isinstance(tags, str) or unknown:
        raise ValueError(f"tags are some of {', '.join(TAGGERS)}, or a function")

    def all_of(key: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        made: dict[str, Any] = {}
        for name in tags:
            made = {**(TAGGERS[name](key, data) or {}), **made}
        return made

    return all_of


def tags_of(tagger: Tagger, key: Any, data: Mapping[str, Any]) -> dict[str, str]:
    """What the bank takes of the tags. `{}` means no tags."""
    good: dict[str, str] = {}
    for name, value in (tagger(key, data) or {}).items():
        text = "".join(c for c in value if c.isprintable())[:LONGEST] if isinstance(value, str) else ""
        if text and isinstance(name, str) and _NAME.fullmatch(name) and len(good) < MOST:
            good[name] = text
    return good
