"""When a billing period ends. All of UTC; the day of the month is the anchor's, or the month's last."""

import calendar
from datetime import UTC, datetime

from stripe_simulator.core.store import Json

_SECONDS = {"day": 86400, "week": 7 * 86400}


def end_of(anchor: int, start: int, recurring: Json) -> int:
    """The first moment after ``start`` that is whole periods after ``anchor``."""
    interval, step = recurring["interval"], recurring["interval_count"]
    if interval in _SECONDS:
        length: int = _SECONDS[interval] * step
        return anchor + ((start - anchor) // length + 1) * length
    months = step * (12 if interval == "year" else 1)
    first, now = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(start, UTC)
    done = ((now.year - first.year) * 12 + now.month - first.month) // months
    number = max(0, done - 1)
    while (moment := _later(first, number * months)) <= start:
        number += 1
    return moment


def day(moment: int) -> str:
    """For people: ``12 Mar 2026``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y").lstrip("0")


def _later(first: datetime, months: int) -> int:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    moment = first.replace(year=year, month=month + 1, day=min(first.day, last))
    return int(moment.timestamp())
