"""The file of an anchor: a line for each account, and a last line that sums them up.

    0b8e4f0c-… 17 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    {"format": "pgcredits-anchor-1", "made_at": "2026-11-27T03:00:00.000000Z", …, "root": "5feceb66…"}

So `head -n -1 FILE | sha256sum` prints the root.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, cast

FORMAT = "pgcredits-anchor-1"
_LONGEST_LINE = 1000
_GREATEST_SEQ = 2**63 - 1  # of a bigint
_TIME = r"[0-9]{4,5}-[0-9]{2}-[0-9]{2}T[0-9:.]{15}Z"
_LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.ASCII)
_HEAD = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (0 -|[1-9][0-9]{0,18} [0-9a-f]{64})\n", re.ASCII
)


class AnchorError(Exception):
    """An anchor that cannot be written, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The last line. `root` is the sha256 of all lines before it."""

    made_at: str
    system_identifier: str
    lsn: str
    database: str
    accounts: int
    entries: int
    root: str

    def __str__(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)})

    @property
    def position(self) -> int:
        return position(self.lsn)


class Sum:
    """Accounts, entries and root of the lines so far."""

    def __init__(self) -> None:
        self.accounts = self.entries = 0
        self._digest = hashlib.sha256()

    def add(self, line: bytes, seq: int) -> None:
        self._digest.update(line)
        self.accounts, self.entries = self.accounts + 1, self.entries + seq

    @property
    def root(self) -> str:
        return self._digest.hexdigest()


def position(lsn: str) -> int:
    """An LSN as a number. Raises ValueError for anything that PostgreSQL does not write."""
    if not _LSN.fullmatch(lsn):
        raise ValueError(f"not an LSN: {lsn}")
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


def _regular(path: Path) -> BinaryIO:
    """Open a regular file: a pipe can keep its reader waiting for ever. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is not a regular file")
    return os.fdopen(descriptor, "rb")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is complete on disk in the end, or does not exist. It replaces none.

    Raises AnchorError.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        os.link(unfinished, path)
        _keep_names(path.parent)
    except FileExistsError as error:
        raise AnchorError(f"{path} exists: an anchor is never written over") from error
    except OSError as error:
        raise AnchorError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # it was never there
            unfinished.unlink(missing_ok=True)


def _keep_names(folder: Path) -> None:
    """Have the disk keep the names of new files in the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines(path: Path) -> Iterator[str]:
    """The lines of the file, one after the other. Raises AnchorError."""
    try:
        with _regular(path) as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            while line := file.readline(_LONGEST_LINE):
                yield line.decode("ascii")
    except (OSError, EOFError, ValueError) as error:
        raise AnchorError(f"cannot read {path}: {error}") from error


def read_summary(path: Path) -> Summary:
    """Read the whole file, and see that nothing of it is missing and nothing was changed.

    Raises AnchorError.
    """
    found, before, end = Sum(), "", ""
    for line in lines(path):
        if end:
            raise AnchorError(f"{path} goes on after its last line")
        if line.startswith("{"):
            end = line
            continue
        head = _HEAD.fullmatch(line)
        if head is None or head[1] <= before or int(head[2].split()[0]) > _GREATEST_SEQ:
            number = found.accounts + 1
            raise AnchorError(
                f"{path} is not an anchor: line {number} is not a head, in the order of accounts"
            )
        before = head[1]
        found.add(line.encode(), int(head[2].split()[0]))
    summary = _read(end, path)
    if (summary.accounts, summary.entries, summary.root) != (found.accounts, found.entries, found.root):
        raise AnchorError(f"{path} was changed: its heads have the root {found.root}, not {summary.root}")
    return summary


def _read(line: str, path: Path) -> Summary:
    try:
        told = json.loads(line)
        said = told.pop("format")
        if said == FORMAT:
            summary = Summary(**told)
            if position(summary.lsn) == 0 or not _is_told(summary):
                raise ValueError("a value that no server has")
            return summary
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise AnchorError(f"{path} is not a whole anchor: its last line is not a summary") from None
    raise AnchorError(f"{path} is of the format {said}, and not {FORMAT}")


def _is_told(summary: Summary) -> bool:
    """Whether the time, the server and the database are what a server says of itself."""
    return bool(
        re.fullmatch(_TIME, summary.made_at, re.ASCII)
        and re.fullmatch(r"[1-9][0-9]{0,19}", summary.system_identifier, re.ASCII)
        and re.fullmatch(r"[^\x00-\x1f\x7f]{1,63}", summary.database)
    )
