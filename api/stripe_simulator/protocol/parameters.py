"""Checks of request parameters. A check takes the raw form value and its full name, and returns the
clean value or raises the error Stripe would send."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from stripe_simulator.core import currencies
from stripe_simulator.core.errors import StripeError

Check = Callable[[Any, str], Any]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def text(longest: int = 5000, *, unset: bool = False) -> Check:
    """A string of 1 to ``longest`` characters; with ``unset`` the empty string becomes None."""

    def check(value: Any, param: str) -> str | None:
        if not isinstance(value, str):
            raise StripeError(f"Invalid string: {value}", param=param)
        if not value:
            if unset:
                return None
            message = (
                f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{param}' cannot be unset. You should remove '{param}' from your "
                "request or supply a non-empty value."
            )
            raise StripeError(message, code="parameter_invalid_empty", param=param)
        if len(value) > longest:
            raise StripeError(
                f"Invalid string: {value[:20]}...; must be at most {longest} characters", param=param
            )
        return value

    return check


def integer(least: int | None = None, most: int | None = None) -> Check:
    """A whole number of at most 15 digits, from ``least`` to ``most``."""

    def check(value: Any, param: str) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,15}", value):
            raise StripeError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
        number = int(value)
        if least is not None and number < least:
            message = f"This value must be greater than or equal to {least}."
            raise StripeError(message, code="parameter_invalid_integer", param=param)
        if most is not None and number > most:
            message = f"This value must be less than or equal to {most}."
            raise StripeError(message, code="parameter_invalid_integer", param=param)
        return number

    return check


def percent(value: Any, param: str) -> float:
    """More than 0 and at most 100, with up to four digits after the point."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", value):
        raise StripeError(f"Invalid decimal: {value}", param=param)
    if not 0 < float(value) <= 100:
        raise StripeError("A percentage is more than 0 and at most 100.", param=param)
    return float(value)


def unset_or(check: Check) -> Check:
    """What ``check`` takes, or the empty string, which unsets."""
    return lambda value, param: None if value == "" else check(value, param)


def word_or(word: str, check: Check) -> Check:
    """A word, or what ``check`` takes."""
    return lambda value, param: word if value == word else check(value, param)


def boolean(value: Any, param: str) -> bool:
    """``true`` or ``false``."""
    if value not in ("true", "false"):
        raise StripeError(f"Invalid boolean: {value}", param=param)
    return bool(value == "true")


def one_of(*choices: str) -> Check:
    """One of the given words."""

    def check(value: Any, param: str) -> str:
        if value not in choices:
            raise StripeError(f"Invalid {param}: must be one of {', '.join(choices)}", param=param)
        return str(value)

    return check


def url(value: Any, param: str) -> str:
    """An absolute http(s) address. Anything else must not reach a link or a Location header."""
    address = str(text()(value, param))
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or not address.isprintable() or " " in address:
        raise StripeError("Not a valid URL", code="url_invalid", param=param)
    return address


def email(*, unset: bool = False) -> Check:
    """An address that looks like one."""

    def check(value: Any, param: str) -> str | None:
        address: str | None = text(512, unset=unset)(value, param)
        if address is not None and not _EMAIL.fullmatch(address):
            raise StripeError(f"Invalid email address: {address}", code="email_invalid", param=param)
        return address

    return check


def currency(value: Any, param: str) -> str:
    """A currency Stripe accepts, in lower case."""
    code = str(text(16)(value, param)).lower()
    if not currencies.is_supported(code):
        raise StripeError(f"Invalid currency: {code}. See https://stripe.com/docs/currencies", param=param)
    return code


def metadata(value: Any, param: str) -> dict[str, str]:
    """Up to 50 keys of 40 characters, values of 500. An empty value unsets its key, an empty string
    all of them; :func:`merge_metadata` applies that."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise StripeError("Invalid object", param=param)
    if len(value) > 50:
        raise StripeError("Metadata can have up to 50 keys.", param=param)
    for key, item in value.items():
        name = f"{param}[{key}]"
        if not isinstance(item, str):
            raise StripeError("Metadata values must be strings.", param=name)
        if len(key) > 40:
            raise StripeError("Metadata keys can have up to 40 characters.", param=name)
        if len(item) > 500:
            message = (
                "Metadata values can have up to 500 characters, but you passed in a value that is "
                f"{len(item)} characters."
            )
            raise StripeError(message, param=name)
    return value


def array(item: Check, most: int = 100) -> Check:
    """A list: ``name[0]``, ``name[1]``, … or ``name[]``."""

    def check(value: Any, param: str) -> list[Any]:
        if not isinstance(value, dict) or not all(re.fullmatch(r"[0-9]{1,6}", key) for key in value):
            raise StripeError("Invalid array", param=param)
        if len(value) > most:
            raise StripeError(f"Array too long: at most {most} items are accepted.", param=param)
        ordered = sorted(value.items(), key=lambda pair: int(pair[0]))
        return [item(raw, f"{param}[{place}]") for place, (_, raw) in enumerate(ordered)]

    return check


def fields(known: dict[str, Check], required: Sequence[str] = ()) -> Check:
    """An object with these keys only. The name of the whole request is the empty string."""

    def check(value: Any, param: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise StripeError("Invalid object", param=param)

        def full(key: str) -> str:
            return f"{param}[{key}]" if param else key

        unknown = [full(key) for key in value if key not in known]
        if unknown:
            message = (
                f"Received unknown parameter{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)} "
                f"(the simulator knows {', '.join(map(full, known))})"
            )
            raise StripeError(message, code="parameter_unknown", param=unknown[0])
        for key in required:
            if key not in value:
                message = f"Missing required param: {full(key)}."
                raise StripeError(message, code="parameter_missing", param=full(key))
        return {key: known[key](raw, full(key)) for key, raw in value.items()}

    return check
