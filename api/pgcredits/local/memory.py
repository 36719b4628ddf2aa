"""The settings of the embedded PostgreSQL that depend on the memory and the disk of this machine.

PostgreSQL's own defaults suit a machine of 1 GB. With them, a spend on a ledger of some gigabytes reads index
pages from the disk, and after each checkpoint writes them whole into the WAL.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

MB, GB = 2**20, 2**30
_LIMITS = (  # of a container
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def memory() -> int:
    """The bytes of this machine, or of the container we run in, whichever has less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # not there, or "max"
            found.append(int(path.read_text()))
    return min(found)


def settings(memory: int, free: int) -> dict[str, str]:
    """For so many bytes of memory, and so many free on the disk of the data.

    The cache is a quarter of the memory, as PostgreSQL's manual recommends. The first change of a page after
    a checkpoint writes the whole page. So a checkpoint comes only when twice the cache has been written, or
    after a quarter of an hour; but WAL never takes more than an eighth of the free disk. A crash replays at
    most that much.
    """
    cache = min(max(memory // 4, 32 * MB), 4 * GB)
    wal = min(max(2 * cache, GB), max(free // 8, 256 * MB))
    return {
        "shared_buffers": f"{cache // MB}MB",
        "max_wal_size": f"{wal // MB}MB",
        "checkpoint_timeout": "15min",
    }


def settings_for(data_dir: Path) -> dict[str, str]:
    """For the server of this folder. What an administrator has set by ALTER SYSTEM is left as it is."""
    folder = next(path for path in (data_dir.resolve(), *data_dir.resolve().parents) if path.exists())
    try:
        text = (data_dir / "postgres" / "postgresql.auto.conf").read_text()
    except OSError:
        text = ""
    theirs = set(re.findall(r"^\s*(\w+)\s*=", text, re.M))
    computed = settings(memory(), shutil.disk_usage(folder).free)
    return {name: value for name, value in computed.items() if name not in theirs}
