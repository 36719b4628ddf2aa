"""A running `up`, and a short trace."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.demonstration import PGCREDITS
from support import free_port

from pgcredits.demo.trace import SLICE


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running `up` with the price list appforge, which all runs share."""
    if request.config.getoption("--pg") != 18:
        pytest.skip("`up` starts the embedded PostgreSQL 18 only")
    folder = tmp_path_factory.mktemp("demo") / "data"
    ports = [str(free_port()) for _ in range(3)]
    names = ("--port", "--simulator-port", "--postgres-port")
    options = [word for pair in zip(names, ports, strict=True) for word in pair]
    log = folder.with_suffix(".log")
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("STRIPE", "DATABASE"))
    }
    with log.open("wb") as output:
        up = subprocess.Popen(
            [*PGCREDITS, "up", "--data-dir", str(folder), "--catalog", "appforge", *options],
            stdout=output,
            stderr=output,
            env=environment,
        )
    try:
        deadline = time.monotonic() + 90
        while "is ready" not in log.read_text():
            assert up.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield folder
    finally:
        up.terminate()
        up.wait(60)


@pytest.fixture(scope="session")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 400 requests."""
    path = tmp_path_factory.mktemp("trace") / "trace.csv"
    path.write_text("".join(SLICE.open().readlines()[:401]))
    return path
