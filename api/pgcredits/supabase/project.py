"""The folder of a Supabase project, and new files in it. A file that is there is never overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CONFIG, MIGRATIONS = "config.toml", "migrations"
_MIGRATION = re.compile(r"(?P<version>\d+)_(?P<name>.*)\.sql", re.ASCII)
_LINKED = re.compile(r"[a-z0-9]{8,40}", re.ASCII)


class ProjectError(RuntimeError):
    """The project is not as it must be. Nothing was written. The message begins with a slug."""


@dataclass(frozen=True, slots=True)
class Project:
    """`folder` is the one in which Supabase keeps config.toml and migrations/."""

    folder: Path

    @classmethod
    def found_in(cls, folder: Path) -> Project:
        """The project of a folder. Raises ProjectError for any other folder."""
        if not (folder / CONFIG).is_file():
            raise ProjectError(
                f"no_supabase_project: there is no {folder / CONFIG}. Give this command where `supabase init`"
                " has made the folder supabase, or say with --dir where that folder is"
            )
        return cls(folder)

    @property
    def config(self) -> Path:
        return self.folder / CONFIG

    @property
    def migrations(self) -> Path:
        return self.folder / MIGRATIONS

    def named(self, pattern: str) -> list[Path]:
        """The migrations whose name, behind the number, is all of a regular expression. Newest last."""
        return sorted(path for path, _, name in self._migrations() if re.fullmatch(pattern, name))

    def next_version(self) -> str:
        """The number of a new migration: Supabase applies migrations by their numbers, the newest last."""
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        last = max((version for _, version, _ in self._migrations()), default="")
        return now if last < now else str(int(last) + 1)

    def reference(self) -> str | None:
        """The id of the project at Supabase, if `supabase link` has noted it."""
        noted = self.folder / ".temp" / "project-ref"
        text = noted.read_text().strip() if noted.is_file() else ""
        return text if _LINKED.fullmatch(text) else None

    def _migrations(self) -> Iterator[tuple[Path, str, str]]:
        if self.migrations.is_dir():
            for path in self.migrations.iterdir():
                found = _MIGRATION.fullmatch(path.name)
                if found and path.is_file():
                    yield path, found["version"], found["name"]


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all. Raises FileExistsError and other OSErrors.

    Everybody may read it, because it holds no secret and other programs need it.
    """
    if not path.parent.is_dir():
        path.parent.mkdir()
        path.parent.chmod(0o755)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.chmod(0o644)
    try:
        path.hardlink_to(beside)
    finally:
        beside.unlink()


def replace(path: Path, text: str) -> None:
    """Replace the text of a file, whole or not at all. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.chmod(path.stat().st_mode & 0o777)
    beside.replace(path)
