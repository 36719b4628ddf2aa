"""Where the server logs to and how: lines of text, or lines of JSON, on standard error.

A line never holds a token, a key, a path with names in it, a query string or a body. So a line can be kept
where personal data may not be.
"""

from __future__ import annotations

import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec

from pgcredits.settings import LogFormat

# The request that is being answered. Lines of the log name it.
request_id: ContextVar[str] = ContextVar("request_id", default="")
_LONGEST = 63  # bytes of an application_name; PostgreSQL would cut the rest off, and say so


def named_for_database() -> str:
    """What PostgreSQL shows of a transaction as its application_name: which request it is for."""
    asked = request_id.get("")
    return f"pgcredits {asked}"[:_LONGEST] if asked else "pgcredits"


def of_several(first: str, others: int) -> None:
    """From here on lines of the log, and transactions, are for this request and so many others."""
    request_id.set(f"{first[: _LONGEST - 20]}+{others}")


def configuration(log_format: LogFormat) -> dict[str, Any]:
    """The configuration of logging for a server. JSON has a line for every request."""
    formatter = JsonLines if log_format == "json" else TextLines
    requests = "INFO" if log_format == "json" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "pgcredits": {"level": "INFO"},
            "pgcredits.requests": {"level": requests},
            "uvicorn": {"level": "INFO"},
        },
    }


class TextLines(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name in logging
        line = super().formatMessage(record)
        asked = request_id.get("")
        return f"{line} (request {asked})" if asked else line


class JsonLines(logging.Formatter):
    """A JSON object a line. The facts of a request stand beside what every line has."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if asked := request_id.get(""):
            line["request_id"] = asked
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
