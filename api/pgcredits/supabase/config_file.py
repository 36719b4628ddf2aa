"""config.toml of a Supabase project: its API shows the schema `api`."""

from __future__ import annotations

from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pgcredits.supabase.project import ProjectError

SCHEMA = "api"
_DEFAULT = ["public", "graphql_public"]  # Supabase's, where the file does not say


def with_schema(text: str) -> str:
    """The text with our schema among those that the API shows. Comments and order stay as they are.

    Raises ProjectError for a file that cannot be read or that says something else there.
    """
    document = _read(text)
    api = document.setdefault("api", tomlkit.table())
    if not isinstance(api, dict):
        raise ProjectError("bad_config: config.toml: api is not a table")
    schemas: Any = api.setdefault("schemas", tomlkit.item(_DEFAULT))
    if not isinstance(schemas, list) or not all(isinstance(name, str) for name in schemas):
        raise ProjectError("bad_config: config.toml: schemas of [api] is not a list of texts")
    if SCHEMA in schemas:
        return text
    schemas.append(SCHEMA)
    changed = tomlkit.dumps(document)
    _check(text, changed)
    return changed


def warnings(text: str) -> list[str]:
    """What in config.toml keeps the schema from being shown, although [api] lists it."""
    document = _read(text).unwrap()
    found = []
    if document.get("api", {}).get("enabled") is False:
        found.append("config.toml: the API is not enabled ([api] enabled = false)")
    for name, remote in document.get("remotes", {}).items():
        schemas = remote.get("api", {}).get("schemas") if isinstance(remote, dict) else None
        if isinstance(schemas, list) and SCHEMA not in schemas:
            found.append(
                f'config.toml: [remotes.{name}.api] lists schemas of its own. Add "{SCHEMA}" there as well'
            )
    return found


def _read(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ProjectError(f"bad_config: config.toml cannot be read: {error}") from error


def _check(before: str, after: str) -> None:
    """Raises ProjectError if anything else than the list has changed."""
    expected = _read(before).unwrap()
    api = expected.setdefault("api", {})
    api["schemas"] = [*api.get("schemas", _DEFAULT), SCHEMA]
    if _read(after).unwrap() != expected:
        raise ProjectError(
            f'bad_config: config.toml cannot be changed safely. Add "{SCHEMA}" to schemas of [api] yourself'
        )
