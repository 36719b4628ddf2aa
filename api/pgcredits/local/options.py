"""What `pgcredits up` is asked to do, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[str], None]


class UpError(RuntimeError):
    """Something could not be started. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    data_dir: Path
    port: int
    simulator_port: int
    postgres_port: int
    catalog: str | None  # None: the price list that the database has, else iahome
    database_url: str | None = field(repr=False)  # None: the embedded server
    subject: str = "ada"  # the user whose token and psql line are printed
    adopt: bool = False  # take over a bank that another folder set up
    secrets_shown: bool = True  # False: the output goes to a file or to another program
