"""The requests of a trace, shared out to users."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgcredits.demo import DemoError

SLICE = Path(__file__).parent / "traces" / "azure_llm_code_2023.csv"
_MODELS = ("claude-sonnet-4", "gpt-4o")
_REPOSITORY = {"input_tokens": 3_400_000, "output_tokens": 0}  # 9.92 EUR of claude-sonnet-4


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the trace: so much `usage` of `module_id`, by the user with that index."""

    number: int
    user: int
    module_id: str
    usage: dict[str, int]


def read_trace(path: Path, users: int | None) -> tuple[list[Request], int]:
    """The requests of a trace and the number of users to share them out to.

    The first user makes twice as many requests as the second, three times as many as the third, and so on.
    Raises DemoError for a file that is not such a trace.
    """
    try:
        with path.open(newline="") as file:
            rows = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DemoError(f"{path} is not a trace with ContextTokens and GeneratedTokens: {error!r}") from error
    if not rows:
        raise DemoError(f"{path} holds no request")
    count = users or max(6, len(rows) // 500)
    shares = _shares(count)
    return [
        Request(
            number,
            next(shares),
            _MODELS[number % len(_MODELS)],
            {"input_tokens": context, "output_tokens": generated},
        )
        for number, (context, generated) in enumerate(rows)
    ], count


def repository(user: int) -> Request:
    """The request that a user begins with. Its number is below those of the trace."""
    return Request(-1 - user, user, _MODELS[0], _REPOSITORY)


def _shares(users: int) -> Iterator[int]:
    """Endless user indexes, the k-th in proportion to 1/k. The user furthest behind their share is next."""
    weights = [1 / (index + 1) for index in range(users)]
    given = [0] * users
    while True:
        index = min(range(users), key=lambda i: (given[i] + 1) / weights[i])
        given[index] += 1
        yield index
