"""The text of an API key: pgc_live_ or pgc_test_, its id, and a secret that ends with a checksum."""

from __future__ import annotations

import re
from hashlib import sha256

BEGINS = "pgc_"
_SHAPE = re.compile(
    r"(?P<text>pgc_(?:live|test)_(?P<key_id>[0-9a-f]{16})_[0-9a-f]{64})(?P<checksum>[0-9a-f]{8})"
)


def key_id(text: str) -> str | None:
    """The id in the text of an API key. None when the text cannot be one: no database has to be asked."""
    found = _SHAPE.fullmatch(text)
    if found is None or sha256(found["text"].encode()).hexdigest()[:8] != found["checksum"]:
        return None
    return found["key_id"]
