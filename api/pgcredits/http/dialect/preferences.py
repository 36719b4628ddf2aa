"""Prefer: what a client would like, and Preference-Applied: what it got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pgcredits.http.dialect.scanner import unsupported
from pgcredits.http.errors import ApiError

_KNOWN = {
    "count": ("exact", "planned", "estimated"),
    "handling": ("strict", "lenient"),
    "return": ("representation", "minimal", "headers-only"),
    "missing": ("default", "null"),
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "tx": ("commit",),
}
# If we ignored one of these, an answer would be wrong, or a write would stay that was to be rolled back.
_REFUSED = ("tx", "timezone", "max-affected", "params")


@dataclass(frozen=True, slots=True)
class Preferences:
    """`counted`: tell how many rows there are on all pages. We always count exactly."""

    counted: bool = False
    handling: str | None = None

    @property
    def applied(self) -> str:
        """What was done, as the header Preference-Applied names it."""
        words = ["count=exact"] if self.counted else []
        if self.handling:
            words.append(f"handling={self.handling}")
        return ", ".join(words)


def read(headers: Iterable[str]) -> Preferences:
    """The Prefer headers of a request. Of several values for one preference the first counts.

    Raises ApiError 400 PGRST100 for a preference that we know and do not support, and 400 PGRST122 for one
    that nobody knows if the handling is strict.
    """
    found: dict[str, str] = {}
    unknown = []
    for preference in (part.strip() for header in headers for part in header.split(",")):
        name, _, text = (half.strip() for half in preference.partition("="))
        if text in _KNOWN.get(name, ()):
            found.setdefault(name, text)
        elif name in _REFUSED:
            raise unsupported("this preference", f"Prefer: {preference}")
        elif preference:
            unknown.append(preference)
    if unknown and found.get("handling") == "strict":
        raise ApiError(
            400,
            "PGRST122",
            "Invalid preferences given with handling=strict",
            details=f"Invalid preferences: {', '.join(unknown)}"[:300],
        )
    return Preferences("count" in found, found.get("handling"))
