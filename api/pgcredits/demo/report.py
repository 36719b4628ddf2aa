"""Show a run: its progress, and the table at the end."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


def progress_bar(console: Console, *, auto_refresh: bool = True) -> Progress:
    """A line per phase of the run. Without auto_refresh it has no thread, and is drawn on request."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=auto_refresh,
    )


def table(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """Names and values."""
    made = Table(title=title, show_header=False)
    for name, value in rows:
        made.add_row(name, value)
    return made


def euros(cents: Decimal) -> str:
    return f"{cents / 100:.8f} EUR"


def counted(counts: Mapping[str, int]) -> str:
    """3 of this, 1 of that: the most first."""
    return ", ".join(f"{n} {what}" for what, n in sorted(counts.items(), key=lambda c: -c[1])) or "none"


def p50(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} ms"


def p99(seconds: Sequence[float]) -> str:
    return f"{sorted(seconds)[int(len(seconds) * 0.99)] * 1000:.1f} ms"
