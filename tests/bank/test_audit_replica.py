"""The audit, and anchors, on a replica: everything that reads works there, and nothing is noted."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import PASSWORD, free_port

from pgcredits.bank import audit
from pgcredits.database_urls import as_login, database_url
from pgcredits.local import embedded

pytestmark = [pytest.mark.one_version, pytest.mark.long]


@pytest.fixture
def replica_port(cluster: Any, db: psycopg.Connection[Any], bin_dir: Path) -> Iterator[int]:
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-replica-"))
    (data,) = db.execute("show data_directory").fetchone() or ("",)
    owner = Path(data).stat()
    try:
        subprocess.run(
            [bin_dir / "pg_basebackup", "-d", cluster.url(), "-D", folder / "postgres", "-R", "-c", "fast"],
            check=True, timeout=120, capture_output=True,
        )  # fmt: skip
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        server = embedded.start(folder, free_port(), PASSWORD, bin_dir, say=lambda text: None)
        try:
            yield server.port
        finally:
            embedded.stop(server)
    finally:
        shutil.rmtree(folder)


def test_replica_can_be_audited(
    url: str,
    db: psycopg.Connection[Any],
    connect_as: Callable[..., Any],
    replica_port: int,
    tmp_path: Path,
) -> None:
    auditor = as_login(url, "pgcredits_auditor", PASSWORD)
    name = db.info.dbname
    there = as_login(
        database_url("127.0.0.1", replica_port, name, "postgres", PASSWORD), "pgcredits_auditor", PASSWORD
    )
    spend = connect_as("service_role").execute
    spend("select api.add_tokens(user_id => 'ada', tokens => 5)")
    assert audit.run_changes(auditor).rows == 0
    spend("select api.add_tokens(user_id => 'ada', tokens => 5)")
    before = audit.make_anchor(auditor, tmp_path / "before")
    caught_up(there, before.lsn)

    checks = audit.run(there, jobs=2)
    assert [check.name for check in checks if check.rows] == []
    assert not audit.note(there, checks)
    assert audit.run_changes(there).rows == 0
    assert db.execute("select sum(seq) from credits.audit_checkpoints").fetchone() == (1,)
    assert audit.make_anchor(there).root == before.root
    assert audit.compare_anchor(there, tmp_path / "before").rows == 0


def caught_up(there: str, lsn: str) -> None:
    until = time.monotonic() + 60
    with psycopg.connect(there, autocommit=True) as connection:
        while connection.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", (lsn,)).fetchone() != (
            True,
        ):
            assert time.monotonic() < until
            time.sleep(0.1)
