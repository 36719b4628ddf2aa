"""A place in a text, and the refusal that names the place where reading went wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgcredits.http.errors import ApiError, bad_request

_SHOWN = 200  # characters of a text that a refusal repeats
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)


@dataclass(slots=True)
class Scanner:
    """`what` is the word for the text in refusals."""

    what: str
    text: str
    at: int = 0

    @property
    def done(self) -> bool:
        return self.at == len(self.text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern finds here. The place moves behind it."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def sees(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern finds here. The place stays."""
        return pattern.match(self.text, self.at)

    def quoted(self, before: re.Pattern[str] | None = None) -> str | None:
        """A text in double quotes, in which a backslash escapes. `before` must follow it."""
        found = _QUOTED.match(self.text, self.at)
        if not found or (before and not before.match(self.text, found.end())):
            return None
        self.at = found.end()
        return _ESCAPED.sub(r"\1", found[1])

    def rest(self) -> str:
        """Everything that is left."""
        start, self.at = self.at, len(self.text)
        return self.text[start:]

    def failed(self, expected: str) -> ApiError:
        shown = self.text if len(self.text) <= _SHOWN else self.text[:_SHOWN] + "…"
        details = f"At character {self.at + 1}: expected {expected}."
        return bad_request(f"failed to parse {self.what} ({shown})", details)


def unsupported(what: str, where: str) -> ApiError:
    """A part of the dialect that is known by name, and refused."""
    return bad_request(f"Not supported: {what}.", where[:_SHOWN])
