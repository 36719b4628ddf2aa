"""Freeze the bank of a commit, so that tests upgrade from it.

    .venv/bin/python tests/upgrade/freeze.py COMMIT

The commit's own `migrate` makes a bank on PostgreSQL 15, the oldest that is supported, and a few calls give
it rows. Its dump is written beside this file, named for the day and the commit. Do this for each release.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from pgcredits import embedded

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
BIN = Path("/usr/lib/postgresql/15/bin")
MIGRATE = """
import sys
from pgcredits.migrate import apply_catalog, migrate
migrate(sys.argv[1])
apply_catalog(sys.argv[1], "iahome")
"""
STORY = (
    "add_tokens('ada', 200::numeric, 'Standard')",
    "consume_tokens('ada', 'whisper', 'Whisper', 25)",
    "consume_tokens('ada', 'metube', 'MeTube', 10)",
    "create_order('standard', user_id => 'ada')",
    "add_tokens('bob', 100::numeric, 'Standard')",
    "consume_tokens('bob', 'whisper', 'Whisper', 25)",
)


def main(commit: str) -> None:
    """Write the dump."""
    day, sha = git("log", "-1", "--format=%cs %h", commit).split()
    with tempfile.TemporaryDirectory(prefix="pgcredits-freeze-") as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        server = embedded.start(Path(folder) / "data", 17999, "freeze", BIN, say=lambda text: None)
        try:
            text = frozen(server.url("bank"), server.url(), tree)
        finally:
            embedded.stop(server)
            git("worktree", "remove", "--force", str(tree))
    target = HERE / f"{day}-{sha}.sql.gz"
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
        for call in STORY:
            service.execute(f"select api.{call}".encode())
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
