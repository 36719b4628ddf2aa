"""Values from outside: how a value of each type may be spelled. This is checked before PostgreSQL reads it.

PostgreSQL accepts more spellings than we mean, and more in every version: "0x64" and "1_000" are numbers
since version 16, "infinity" is an interval since 17, "tomorrow" is a time. Its refusals are in its own words.
So we check every value here first. A number is decimal, a time is ISO 8601, a length of time is ISO 8601 or
plain words. A refusal names the argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import msgspec


class LiteralError(ValueError):
    """A value that its type cannot have, or that is spelled in another way than is meant."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(f"{name} is {kind}.")
        self.name = name


_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_JSON_NUMBER = re.compile(r"-?[0-9]{1,1000}(\.[0-9]{1,1000})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)?)?",
    re.ASCII,
)
_DECIMAL = r"[0-9]{1,9}(\.[0-9]{1,6})?"
_SPELLINGS = {
    "year": "year years y",
    "month": "mon mons month months",
    "week": "week weeks w",
    "day": "day days d",
    "hour": "hour hours hr hrs h",
    "minute": "minute minutes min mins m",
    "second": "second seconds sec secs s",
    "millisecond": "millisecond milliseconds ms",
    "microsecond": "microsecond microseconds us",
}
UNITS = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_UNIT = f"({'|'.join(UNITS)})"
_PARTS = re.compile(rf"({_DECIMAL}) ?([a-z]+)", re.ASCII)
_MOST = 2_000_000_000  # months, and days: a little less than PostgreSQL's interval can hold
_CLOCK = r"[0-9]{1,9}:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_WORDS = re.compile(rf"-?({_DECIMAL} ?{_UNIT}( {_DECIMAL} ?{_UNIT})*( {_CLOCK})?|{_CLOCK})", re.ASCII | re.I)
_SECONDS = re.compile(rf"-?{_DECIMAL}", re.ASCII)
_ISO_INTERVAL = re.compile(
    r"P(?=[0-9T])([0-9]{1,5}Y)?([0-9]{1,5}M)?([0-9]{1,5}W)?([0-9]{1,9}D)?"
    rf"(T(?=[0-9])([0-9]{{1,9}}H)?([0-9]{{1,9}}M)?({_DECIMAL}S)?)?",
    re.ASCII,
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.I)
_BOOLEAN = re.compile(r"t|f|true|false|y|n|yes|no|on|off|1|0", re.ASCII | re.I)
# JSON numbers with such an exponent, or with so many digits, are beyond PostgreSQL's numeric or close to it.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_HUGE = re.compile(r"[0-9][eE][+-]?0*[1-9][0-9]{4}|[0-9]{1001}")
_RANGES = {"smallint": 15, "integer": 31, "bigint": 63}


def _numeric(text: str, string: bool) -> bool:
    return (_NUMBER if string else _JSON_NUMBER).fullmatch(text) is not None


def _whole(kind: str) -> Callable[[str, bool], bool]:
    limit = 2 ** _RANGES[kind]

    def check(text: str, string: bool) -> bool:
        if not _numeric(text, string):
            return False
        number = Decimal(text)
        return -limit <= number < limit and number == number.to_integral_value()

    return check


def _time(text: str, string: bool) -> bool:
    found = _TIME.fullmatch(text) if string else None
    if found is None:
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:  # 2026-02-30
        return False
    return True


def _interval(text: str, string: bool) -> bool:
    if not string:
        return _SECONDS.fullmatch(text) is not None
    if _WORDS.fullmatch(text):
        return _fits(text.lower())
    return any(pattern.fullmatch(text) for pattern in (_SECONDS, _ISO_INTERVAL))


def _fits(words: str) -> bool:
    """Can PostgreSQL's interval hold so much, and is each unit named once?"""
    amounts: dict[str, Decimal] = {}
    for amount, _, word in _PARTS.findall(words):
        unit = UNITS[word]
        if unit in amounts:
            return False
        amounts[unit] = Decimal(amount)
    small = amounts.keys() & {"millisecond", "microsecond"}
    if (small and amounts.get("second", 0) % 1) or (
        ":" in words and (small or amounts.keys() & {"hour", "minute", "second"})
    ):
        return False
    months = 12 * amounts.get("year", 0) + amounts.get("month", 0)
    return months < _MOST and 7 * amounts.get("week", 0) + amounts.get("day", 0) < _MOST


def _boolean(text: str, string: bool) -> bool:
    return _BOOLEAN.fullmatch(text) is not None


def _uuid(text: str, string: bool) -> bool:
    return string and _UUID.fullmatch(text) is not None


_READERS: dict[str, tuple[Callable[[str, bool], bool], str]] = {
    "numeric": (_numeric, "a decimal number"),
    "smallint": (_whole("smallint"), "a whole number of 16 bits"),
    "integer": (_whole("integer"), "a whole number of 32 bits"),
    "bigint": (_whole("bigint"), "a whole number of 64 bits"),
    "timestamp with time zone": (_time, "a time in ISO 8601"),
    "interval": (_interval, "a length of time: ISO 8601 (PT15M), words (15 minutes), or seconds"),
    "boolean": (_boolean, "true or false"),
    "uuid": (_uuid, "a UUID"),
}


def read_text(name: str, kind: str, text: str) -> str:
    """A value of a query string, as PostgreSQL will read it. Raises LiteralError."""
    if kind in ("json", "jsonb"):
        try:
            msgspec.json.decode(text, type=msgspec.Raw)
        except (ValueError, RecursionError):
            raise LiteralError(name, "JSON") from None
        return read_json(name, kind, text)
    if kind in _READERS and not _READERS[kind][0](text, True):
        raise LiteralError(name, _READERS[kind][1])
    return _digits(text) if kind in _RANGES else text


def read_json(name: str, kind: str, value: str) -> str:
    """A member of a JSON body, as PostgreSQL will read it. Raises LiteralError."""
    if kind in ("json", "jsonb"):
        if _HUGE.search(_STRING.sub("", value)):
            raise LiteralError(name, "JSON with numbers of at most 1000 digits, below 10^10000")
        return value
    if value == "null":
        return value
    if kind.endswith("[]"):
        if not value.startswith("["):
            raise LiteralError(name, "an array")
        elements = msgspec.json.decode(value, type=list[msgspec.Raw])
        read = [read_json(name, kind.removesuffix("[]"), bytes(element).decode()) for element in elements]
        return "[" + ",".join(read) + "]"
    string = value.startswith('"')
    if kind not in _READERS:  # text, and types that are written as text: PostgreSQL would read true as "true"
        if not string:
            raise LiteralError(name, "a text")
        return value
    reads, what = _READERS[kind]
    text = msgspec.json.decode(value) if string else value
    if not reads(text, string):
        raise LiteralError(name, what)
    return _digits(text) if kind in _RANGES else value


def _digits(text: str) -> str:
    """A whole number as PostgreSQL spells it. It accepts neither 1.0 nor 1e3."""
    return str(int(Decimal(text)))
