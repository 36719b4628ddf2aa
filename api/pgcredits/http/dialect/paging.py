"""Pages: limit, offset and the Range header, and what Content-Range and the status say of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgcredits.http.errors import ApiError, bad_request

_WHOLE = re.compile(r"[0-9]{1,18}\Z")
_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})?\Z")
_UNSATISFIABLE = "Requested range not satisfiable"


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are asked for. `limit` is None when nothing bounds them."""

    offset: int = 0
    limit: int | None = None

    def within(self, header: str | None) -> Page:
        """The part of this page that a Range header asks for: both count from the first row of all.

        Raises ApiError 416 PGRST103. A header in another unit asks for nothing, as in PostgREST.
        """
        found = _RANGE.match(header.strip()) if header else None
        if not found or self.limit == 0:
            return self
        first, last = int(found[1]), int(found[2]) if found[2] else None
        if last is not None and last < first:
            raise _unsatisfiable(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header."
            )
        ends = [end for end in (last, self._last) if end is not None]
        start = max(first, self.offset)
        limit = min(ends) - start + 1 if ends else None
        if limit is not None and limit <= 0:
            raise _unsatisfiable("The Range header has no row in common with limit and offset.")
        return Page(start, limit)

    @property
    def _last(self) -> int | None:
        return None if self.limit is None else self.offset + self.limit - 1

    def content_range(self, count: int, total: int | None) -> str:
        """The Content-Range of an answer with `count` rows out of `total`, if they were counted."""
        rows = f"{self.offset}-{self.offset + count - 1}" if count and total != 0 else "*"
        return f"{rows}/{'*' if total is None else total}"

    def status(self, count: int, total: int | None) -> int:
        """200 or 206. Raises ApiError 416 PGRST103 when the page begins behind the last row."""
        if total is None:
            return 200
        if self.offset > total:
            raise _unsatisfiable(
                f"An offset of {self.offset} was requested, but there are only {total} rows.", total
            )
        return 206 if count < total else 200


def number(word: str, text: str) -> int:
    """The value of limit or offset. Raises ApiError 416 PGRST103, 400 PGRST100."""
    if text.startswith("-") and _WHOLE.match(text[1:]):
        raise _unsatisfiable(f"{word.capitalize()} should be greater than or equal to zero.")
    if not _WHOLE.match(text):
        raise bad_request(f"{word} must be a whole number of at most 18 digits.")
    return int(text)


def _unsatisfiable(why: str, total: int | None = None) -> ApiError:
    headers = {} if total is None else {"Content-Range": f"*/{total}"}
    return ApiError(416, "PGRST103", _UNSATISFIABLE, details=why, headers=headers)
