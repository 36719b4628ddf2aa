"""`pgcredits supabase init`: the files that bring the bank into a Supabase project.

1. Read the project and the price list. What is wrong with them is said before anything is written.
2. Write the migration of the bank, unless the project has one of any release.
3. Write the migration of the price list, unless the newest one says the same.
4. Let the API show the schema `api`: config.toml.
5. Write an example of the settings for the HTTP API.

A file that is there stays as it is, except config.toml. So a second run changes nothing, and a run that was
killed is completed by the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pgcredits.bank.catalogs import find_catalog
from pgcredits.bank.migrate.files import newest_migration
from pgcredits.settings import stripe_prices
from pgcredits.supabase import config_file, settings_file
from pgcredits.supabase.bank_file import bank_file
from pgcredits.supabase.price_list_file import price_list_file
from pgcredits.supabase.project import Project, ProjectError, replace, write_new

Say = Callable[[str], None]
_BANK = r"pgcredits_\d{4}"
_RELEASE = re.compile(r"\A-- The bank of pgcredits (?P<version>[\w.+-]+),")


@dataclass(frozen=True, slots=True)
class Options:
    """The folder of the project; the name or the file of a price list, and whether it goes beside others."""

    folder: Path
    catalog: str | None = None
    add: bool = False


def write_files(options: Options, say: Say) -> None:
    """Write what is missing. Raises ProjectError, and MigrationError for a price list."""
    try:
        project = Project.found_in(options.folder)
        config = project.config.read_bytes().decode()
        exposed = config_file.with_schema(config)
        prices = _price_list(options) if options.catalog else None
        _write_bank(project, say)
        if prices:
            _write_prices(project, *prices, say)
        if exposed == config:
            say(f"{project.config}: shows the schema {config_file.SCHEMA} already")
        else:
            replace(project.config, exposed)
            say(f"{project.config}: the API shows the schema {config_file.SCHEMA}")
        for warning in config_file.warnings(exposed):
            say(f"warning: {warning}")
        _write_settings(project, say)
    except UnicodeDecodeError as error:
        raise ProjectError("bad_config: config.toml is not UTF-8") from error
    except OSError as error:
        raise ProjectError(f"not_written: {error.filename}: {error.strerror}") from error


def _write_bank(project: Project, say: Say) -> None:
    text = bank_file()
    there = project.named(_BANK)
    if there:
        say(f"{there[-1]}: {_about(there[-1], text)}")
        return
    path = project.migrations / f"{project.next_version()}_pgcredits_{newest_migration()[:4]}.sql"
    write_new(path, text)
    say(f"{path}: written")


def _about(path: Path, text: str) -> str:
    """What is to be said about the migration of a bank that is there."""
    standing = path.read_bytes().decode(errors="replace").replace("\r\n", "\n")
    made_by = _RELEASE.match(standing)
    if standing == text:
        return "is there already"
    if made_by is None or made_by["version"] == version("pgcredits"):
        return "somebody has changed it, and it stays as it is"
    return (
        f"is of pgcredits {made_by['version']}, and stays as it is. Where it was applied, `pgcredits migrate`"
        " upgrades the bank"
    )


def _price_list(options: Options) -> tuple[str, str]:
    """The name of a price list for the name of its file, and the text of the migration."""
    path = find_catalog(options.catalog or "")
    name = re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_").lower() or "list"
    return name, price_list_file(path, stripe_prices(), add=options.add)


def _write_prices(project: Project, name: str, text: str, say: Say) -> None:
    there = project.named(f"pgcredits_prices_{name}")
    if there and there[-1].read_bytes().decode(errors="replace").replace("\r\n", "\n") == text:
        say(f"{there[-1]}: is there already")
        return
    path = project.migrations / f"{project.next_version()}_pgcredits_prices_{name}.sql"
    write_new(path, text)
    say(f"{path}: written")


def _write_settings(project: Project, say: Say) -> None:
    path = project.folder / settings_file.NAME
    if path.exists():
        say(f"{path}: is there already")
        return
    write_new(path, settings_file.settings_file(project.reference()))
    say(f"{path}: written")
