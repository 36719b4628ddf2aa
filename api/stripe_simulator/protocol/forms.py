"""Stripe's form encoding: ``line_items[0][price_data][currency]=eur`` as nested dictionaries."""

import re
from urllib.parse import parse_qsl

from stripe_simulator.core.errors import StripeError

Form = dict[str, "str | Form"]

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MOST_FIELDS = 2_000


def parse_form(encoded: bytes) -> Form:
    """Parse a body or query string. Lists stay dictionaries with the keys "0", "1", …: only the
    check of a parameter knows whether it is a list. Raises :class:`StripeError` on malformed input."""
    form: Form = {}
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except UnicodeDecodeError:
        raise StripeError("Invalid request: the parameters are not percent-encoded UTF-8.") from None
    except ValueError:
        raise StripeError(f"Invalid request: more than {_MOST_FIELDS} parameters.") from None
    for name, value in pairs:
        _put(form, name, value)
    return form


def _put(form: Form, name: str, value: str) -> None:
    match = _NAME.fullmatch(name)
    if match is None:
        raise StripeError(f"Invalid parameter name: {name[:100]}", param=name[:100])
    *parents, last = [match[1], *match[2][1:-1].split("][")] if match[2] else [match[1]]
    place = form
    for key in parents:
        inner = place.setdefault(key, {})
        if isinstance(inner, str):
            raise StripeError(f"Invalid parameter: {name} is both a value and an object.", param=name)
        place = inner
    last = last or str(len(place))  # expand[]=a&expand[]=b
    if isinstance(place.get(last), dict):
        raise StripeError(f"Invalid parameter: {name} is both a value and an object.", param=name)
    place[last] = value
