"""response.headers and response.status: what SQL says of the response, by PostgREST's settings.

A function sets them with set_config(…, true): the headers as a JSON array of objects with one member each,
the status as a number.
"""

from __future__ import annotations

import re

import msgspec

from pgcredits.http.errors import ApiError

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_STATUS = re.compile(r"[2-5][0-9][0-9]\Z")
# The server writes these itself: they say where a response ends.
_OURS = {"connection", "content-length", "date", "keep-alive", "server", "te", "trailer", "transfer-encoding"}

_HEADERS = msgspec.json.Decoder(list[dict[str, str]])


def headers(told: str) -> dict[str, str]:
    """The headers that SQL has set, with names in small letters. Raises ApiError 500 PGRST111."""
    try:
        listed = _HEADERS.decode(told)
    except (msgspec.MsgspecError, RecursionError):
        raise _bad_headers() from None
    found: dict[str, str] = {}
    for one in listed:
        if len(one) != 1:
            raise _bad_headers()
        ((name, text),) = one.items()
        if not _NAME.match(name) or not _VALUE.match(text) or name.lower() in _OURS:
            raise _bad_headers()
        found[name.lower()] = text
    return found


def status(told: str | None) -> int | None:
    """The status that SQL has set. Raises ApiError 500 PGRST112."""
    if not told:
        return None
    if not _STATUS.match(told):
        raise ApiError(500, "PGRST112", "response.status guc must be a valid status code")
    return int(told)


def _bad_headers() -> ApiError:
    text = (
        "response.headers guc must be a JSON array composed of objects with a single key and a string value"
    )
    return ApiError(500, "PGRST111", text)
