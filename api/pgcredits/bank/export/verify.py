"""`pgcredits export verify`: is a folder what was exported? It asks no database."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from pgcredits.bank.export.folder import HEADS, MANIFEST, ExportError, File, Manifest, measure, read_manifest


def verify(folder: Path, *, manifest_sha256: str | None = None, root: str | None = None) -> Manifest:
    """Compare every file of an export with its manifest, and both with the values that `export` printed.

    `manifest_sha256` and `root` are in hex. Raises ExportError with all that differs.
    """
    manifest, digest = read_manifest(folder)
    named = {file.name: file for file in manifest.files}
    there = {path.name for path in folder.iterdir()} - {MANIFEST}
    faults = [f"{name} is missing" for name in sorted(named.keys() - there)]
    faults += [f"{name} is not in the manifest" for name in sorted(there - named.keys())]
    for name in sorted(there & named.keys()):
        faults += _faults(folder / name, named[name])
    heads = named.get(HEADS)
    if heads is None or heads.sha256 != manifest.root_hash or heads.rows != manifest.accounts:
        faults.append(f"the root {manifest.root_hash} is not that of {HEADS}")
    if manifest_sha256 is not None and manifest_sha256.lower() != digest:
        faults.append(f"{MANIFEST} has the sha256 {digest}, and not {manifest_sha256}")
    if root is not None and root.lower() != manifest.root_hash:
        faults.append(f"the root is {manifest.root_hash}, and not {root}")
    if faults:
        raise ExportError(f"{folder} is not what was exported: {'; '.join(faults)}")
    return manifest


def _faults(path: Path, told: File) -> list[str]:
    if not path.is_file():  # a pipe can keep its reader waiting for ever
        return [f"{path.name} is not a regular file"]
    size, digest = measure(path)
    if (size, digest) != (told.bytes, told.sha256):
        return [f"{path.name} has {size} bytes with sha256 {digest}, not {told.bytes} with {told.sha256}"]
    try:
        rows = _rows(path)
    except (ValueError, csv.Error) as error:
        return [f"{path.name} cannot be read: {error}"]
    return [] if rows == told.rows else [f"{path.name} has {rows} rows, not {told.rows}"]


def _rows(path: Path) -> int:
    if path.suffix == ".csv":
        csv.field_size_limit(2**31 - 1)  # a charge may be drawn from thousands of lots
        with path.open(newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.reader(file)) - 1
    with path.open(encoding="utf-8", newline="\n") as file:
        if path.suffix == ".ndjson":
            return sum(1 for line in file if json.loads(line) is not None)
        return sum(1 for _ in file)
