"""The query string, as names and values."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from pgcredits.http.errors import bad_request, refuse


def pairs(query_string: bytes, plus: bytes = b" ") -> list[tuple[str, str]]:
    """Names and values in order, percent-decoded. A + is a space, as in forms, or what `plus` says.

    Raises ApiError for text that PostgreSQL cannot hold.
    """
    try:
        found = [
            (_decoded(name, plus), _decoded(value, plus))
            for name, _, value in (part.partition(b"=") for part in query_string.split(b"&") if part)
        ]
    except UnicodeDecodeError:
        raise bad_request("The query string is not valid UTF-8.") from None
    for name, value in found:
        if "\0" in name or "\0" in value:
            raise refuse(
                422, "bad_key" if name == "idempotency_key" else "bad_text", f"{name!r} contains NUL."
            )
    return found


def _decoded(part: bytes, plus: bytes) -> str:
    return unquote_to_bytes(part.replace(b"+", plus)).decode()
