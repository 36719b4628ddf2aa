"""A folder that is complete or absent, and the manifest in it. Only the standard library is needed here."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = "pgcredits-export-1"
MANIFEST = "manifest.json"
HEADS = "heads.txt"
_CHUNK = 1 << 20


class ExportError(RuntimeError):
    """An export that cannot be written, or is not what its manifest says. The message says why."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export. `rows`: without the line of names."""

    name: str
    bytes: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export is of. `root_hash`: the sha256 of heads.txt, over `accounts` and `entries`."""

    month: str
    made_at: str
    closed_at: str | None
    personal_data: bool
    accounts: int
    entries: int
    root_hash: str
    files: list[File]

    def __str__(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"

    def save(self, folder: Path) -> str:
        """Write manifest.json. Returns its sha256 in hex."""
        content = str(self).encode()
        (folder / MANIFEST).write_bytes(content)
        return hashlib.sha256(content).hexdigest()


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a folder, and the sha256 of its file in hex. Raises ExportError."""
    path = folder / MANIFEST
    try:
        if path.exists() and not path.is_file():  # a pipe can keep its reader waiting for ever
            raise ExportError(f"{path} is not a regular file")
        content = path.read_bytes()
        told: dict[str, Any] = json.loads(content)
        said = told.pop("format")
        if said == FORMAT:
            manifest = Manifest(**(told | {"files": [File(**file) for file in told["files"]]}))
            if not all(isinstance(file.name, str) for file in manifest.files):
                raise TypeError
            return manifest, hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise ExportError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ExportError(f"{path} is not the manifest of an export") from None
    raise ExportError(f"{path} is of the format {said}, and not {FORMAT}")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that is on disk with everything in it in the end, or does not exist. It replaces none.

    Raises ExportError.
    """
    if not path.name:
        raise ExportError(f"{path} names no new folder")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if os.path.lexists(path):
            raise ExportError(f"{path} exists: an export is never written over")
        unfinished.mkdir()
        yield unfinished
        for file in (*unfinished.iterdir(), unfinished):
            _sync(file)
        unfinished.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def measure(path: Path) -> tuple[int, str]:
    """How many bytes a file has, and their sha256, without holding it in memory."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
