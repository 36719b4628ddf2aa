"""A JSON object from outside. Only PostgreSQL interprets its values, so numbers stay exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from pgcredits.http.errors import ApiError, refuse

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MOST = 1000  # members: no function takes as many
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # an escaped NUL, not a backslash followed by u0000


@dataclass(frozen=True, slots=True)
class JsonObject:
    """The text as it came, and each member's. The last of repeated members counts, as in PostgreSQL."""

    text: str
    members: Mapping[str, str]

    def value(self, name: str) -> object:
        """The member. None when it is missing, null, or a number that Python does not read, as 1e999."""
        try:
            return msgspec.json.decode(self.members.get(name, "null"))
        except msgspec.MsgspecError:
            return None

    def string(self, name: str) -> str | None:
        """The member as a string. None when it is missing, null, or not a string."""
        value = self.value(name)
        return value if isinstance(value, str) else None

    def pick(self, names: Mapping[str, str]) -> JsonObject:
        """The members named by the values of `names`, renamed to its keys, without those that are missing."""
        members = {new: self.members[old] for new, old in names.items() if old in self.members}
        return build(members)


def parse(body: bytes) -> JsonObject:
    """Read a body. An empty one is {}. Raises ApiError 400 PGRST102, or 422 bad_key or bad_text for NUL."""
    if not body.strip():
        return JsonObject("{}", {})
    try:
        text = body.decode()
        read = _OBJECT.decode(body)
        if len(read) > _MOST:
            raise ApiError(400, "PGRST102", f"The body has more than {_MOST} members.")
        members = {name: bytes(value).decode() for name, value in read.items()}
    except msgspec.ValidationError:
        raise ApiError(400, "PGRST102", "The body must be a JSON object.") from None
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        raise ApiError(400, "PGRST102", "Empty or invalid json") from None
    for name, value in members.items():
        if _NUL.search(value):
            slug = "bad_key" if name == "idempotency_key" else "bad_text"
            raise refuse(422, slug, f"{name!r} contains NUL.")
        if "\0" in name:
            raise refuse(422, "bad_text", "A member's name contains NUL.")
    return JsonObject(text, members)


def build(members: Mapping[str, str]) -> JsonObject:
    """An object of JSON texts."""
    parts = (f"{msgspec.json.encode(name).decode()}:{value}" for name, value in members.items())
    return JsonObject("{" + ",".join(parts) + "}", members)


def text(value: str) -> str:
    """A string as JSON text."""
    return msgspec.json.encode(value).decode()
