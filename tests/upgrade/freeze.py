"""Freeze the bank of a commit, so that tests upgrade from it.

    .venv/bin/python tests/upgrade/freeze.py COMMIT

The commit's own `migrate` makes a bank on PostgreSQL 15, the oldest that is supported, and story.sql gives
it rows. Its dump is written beside this file, named for the version of pgcredits. Do this for each release.
Until 0.1.0 is released its migrations may change, and then it is frozen anew.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import psycopg

from pgcredits.local import embedded

HERE = Path(__file__).parent
STORY = HERE / "story.sql"
REPOSITORY = HERE.parents[1]
BIN = Path("/usr/lib/postgresql/15/bin")
MIGRATE = """
import sys
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import migrate
migrate(sys.argv[1])
apply_catalog(sys.argv[1], "iahome")
"""


def main(commit: str) -> None:
    """Write the dump."""
    version = tomllib.loads(git("show", f"{commit}:pyproject.toml"))["project"]["version"]
    with tempfile.TemporaryDirectory(prefix="pgcredits-freeze-") as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        server = embedded.start(Path(folder) / "data", 17999, "freeze", BIN, say=lambda text: None)
        try:
            text = frozen(server.url("bank"), server.url(), tree)
        finally:
            embedded.stop(server)
            git("worktree", "remove", "--force", str(tree))
    target = HERE / f"{version}.sql.gz"
    target.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(target)


def frozen(url: str, server_url: str, tree: Path) -> str:
    """The dump of a bank made by the program in `tree`."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute("create database bank")
    environment = {**os.environ, "PYTHONPATH": str(tree / "api")}
    subprocess.run([sys.executable, "-P", "-c", MIGRATE, url], env=environment, check=True)
    with psycopg.connect(url, autocommit=True) as service:
        service.execute("set role service_role")
        service.execute(STORY.read_bytes())
    dump = subprocess.run(
        [BIN / "pg_dump", "--inserts", url], check=True, capture_output=True, text=True
    ).stdout
    return "\n".join(line for line in dump.splitlines() if not line.startswith("\\")) + "\n"


def git(*arguments: str) -> str:
    """What git says."""
    done = subprocess.run(["git", "-C", REPOSITORY, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1])
