"""JSON that jsonb can hold, made from JSON that it cannot.

Only what jsonb refuses is replaced: characters in strings by U+FFFD, numbers beyond numeric by their text,
containers that are nested too deeply by null. A byte order mark is left out. So no value becomes another
meaningful value, and an id that was changed shows it.
"""

from __future__ import annotations

import codecs
import json
import re
from contextlib import suppress

DEEPEST = 200  # nested containers; PostgreSQL and our decoders take more

# What needs a closer look: escapes of NUL and of surrogates, large exponents, very many digits.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|[eE][+-]?\d{3}|\d{1000}", re.ASCII)
_TOKEN = re.compile(
    r"""(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<other>[,:\s]|true|false|null)",
    re.DOTALL | re.ASCII,
)
_PIECE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u.{4}|\\.|[\x00-\x1f]", re.DOTALL)
_BAD = re.compile(r"\\u(?:0000|[dD][89a-fA-F]..)\Z|[\x00-\x1f]\Z")
_DIGITS_BEFORE, _DIGITS_AFTER = 131072, 16383  # of numeric


def storable(body: bytes) -> tuple[str, bool]:
    """Text that jsonb can hold, and whether it differs from the body. Raises ValueError for other text."""
    unmarked = body.removeprefix(codecs.BOM_UTF8)
    try:
        text = unmarked.decode()
    except UnicodeDecodeError:
        return _replaced(unmarked.decode(errors="replace")), True
    if not _SUSPECT.search(text) and _is_shallow(text):
        with suppress(ValueError):  # a raw control character: the closer look replaces it
            json.loads(text, parse_constant=_no_constant)
            return text, unmarked != body
    replaced = _replaced(text)
    return replaced, replaced.encode() != body


def _replaced(text: str) -> str:
    parts: list[str] = []
    depth = position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"no JSON at character {position}")
        position = token.end()
        part, kind = token[0], token.lastgroup
        if kind == "close":
            depth -= 1
            if depth >= DEEPEST:
                continue
        elif kind == "open":
            depth += 1
            if depth > DEEPEST:
                parts.append("null" if depth == DEEPEST + 1 else "")
                continue
        elif depth > DEEPEST:
            continue
        elif kind == "string":
            part = _PIECE.sub(_replaced_piece, part)
        elif kind == "number" and not _fits(part):
            part = f'"{part}"'
        parts.append(part)
    result = "".join(parts)
    json.loads(result, parse_int=str, parse_float=str, parse_constant=_no_constant)
    return result


def _replaced_piece(piece: re.Match[str]) -> str:
    return "\ufffd" if _BAD.match(piece[0]) else piece[0]


def _fits(number: str) -> bool:
    """Is it a number that numeric can hold?"""
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    if len(exponent) > 7:
        return False
    power = int(exponent or "0")
    return len(whole) + power <= _DIGITS_BEFORE and len(fraction) - power <= _DIGITS_AFTER


def _is_shallow(text: str) -> bool:
    return text.count("[") + text.count("{") <= DEEPEST


def _no_constant(name: str) -> str:
    raise ValueError(f"{name} is no JSON")
