"""Accept: the forms in which rows can be answered."""

from __future__ import annotations

from dataclasses import dataclass

from pgcredits.http.errors import ApiError


@dataclass(frozen=True, slots=True)
class MediaType:
    """`single`: one object, not an array. `stripped`: without the members that are null."""

    name: str
    single: bool = False
    stripped: bool = False
    csv: bool = False

    @property
    def header(self) -> str:
        """The Content-Type of an answer."""
        return f"{self.name}; charset=utf-8" if self.csv else self.name


JSON = MediaType("application/json")
_SINGLE = MediaType("application/vnd.pgrst.object+json", single=True)
_SINGLE_STRIPPED = MediaType("application/vnd.pgrst.object+json;nulls=stripped", single=True, stripped=True)
_STRIPPED = MediaType("application/vnd.pgrst.array+json;nulls=stripped", stripped=True)
_CSV = MediaType("text/csv", csv=True)

_PLAIN = {
    "*/*": JSON,
    "application/*": JSON,
    "application/json": JSON,
    "application/vnd.pgrst.array+json": JSON,
    "application/vnd.pgrst.array": JSON,
    "application/vnd.pgrst.object+json": _SINGLE,
    "application/vnd.pgrst.object": _SINGLE,
    "text/csv": _CSV,
    "text/*": _CSV,
}
_WITHOUT_NULLS = {
    "application/vnd.pgrst.array+json": _STRIPPED,
    "application/vnd.pgrst.array": _STRIPPED,
    "application/vnd.pgrst.object+json": _SINGLE_STRIPPED,
    "application/vnd.pgrst.object": _SINGLE_STRIPPED,
}


def accepted(header: str | None) -> MediaType:
    """The first that we have of those that the client prefers most. Raises ApiError 406 PGRST107."""
    wanted = [_offer(part) for part in (header or "*/*").split(",")]
    for _, found in sorted(wanted, key=lambda offer: -offer[0]):  # a stable sort
        if found:
            return found
    text = f"None of these media types are available: {header}"
    raise ApiError(406, "PGRST107", text[:300])


def _offer(part: str) -> tuple[float, MediaType | None]:
    """How much a media type is preferred, and what we have for it."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    known = _WITHOUT_NULLS if "nulls=stripped" in parameters else _PLAIN
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return (quality, known.get(name) if quality > 0 else None)
