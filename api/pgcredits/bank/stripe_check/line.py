"""What the check says: a line for each thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Line:
    """`remedy`: what to do, unless the state is ok. `unknown`: it could not be looked at."""

    about: str
    state: State
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.state:<8} {self.about}: {self.found}"
        return f"{text}\n         → {self.remedy}" if self.remedy else text


def ok(about: str, found: str) -> Line:
    return Line(about, "ok", found)


def wrong(about: str, found: str, remedy: str) -> Line:
    return Line(about, "wrong", found, remedy)


def unknown(about: str, found: str, remedy: str) -> Line:
    return Line(about, "unknown", found, remedy)
