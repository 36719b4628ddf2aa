"""The steps of the Dockerfile, in an empty folder that gets only what a clean checkout would send.

No engine runs here. The steps that download packages are left out unless `--prove` is given. The packages of
the tests stand in for them. Every other step is done as it is written.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pathspec import PathSpec
from support import PASSWORD, free_port

from pgcredits.bank.migrate import HOME
from pgcredits.database_urls import as_login

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

STEPS = [
    (word, rest.strip())
    for word, rest in re.findall(
        r"^([A-Z]+) (.*)$", (HOME / "Dockerfile").read_text().replace("\\\n", ""), re.M
    )
]
SECONDS = 120.0


def context() -> list[str]:
    """The files of a clean checkout that .dockerignore lets through. What is new here counts as committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    # An engine reads each pattern from the top of the context, git at any depth.
    rooted = re.sub(r"^(!?)(?=\w)", r"\1/", (HOME / ".dockerignore").read_text(), flags=re.M)
    ignored = PathSpec.from_lines("gitignore", rooted.splitlines())
    return [path for path in listed.stdout.split("\0") if path and not ignored.match_file(path)]


@dataclass
class Image:
    """What the steps have made. `stage` is where the programs are, as in /opt/pgcredits."""

    stage: Path
    environment: Mapping[str, str]

    def start(self, words: list[str], **more: str) -> subprocess.Popen[str]:
        """A program of the image, with the variables that are given and no others."""
        return subprocess.Popen(
            [str(self.stage / "bin" / words[0]), *words[1:]],
            env={**self.environment, **more},
            cwd=self.stage,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, **more: str) -> tuple[int, str]:
        process = self.start(list(words), **more)
        text, _ = process.communicate(timeout=SECONDS)
        return process.returncode, text


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Image]:
    """The image, built step by step in a folder of its own."""
    if not (HOME / ".git").exists():
        pytest.skip("this is no checkout of git: nobody knows what a clean one would contain")
    folder = tmp_path_factory.mktemp("image")
    stage, source = folder / "opt", folder / "src"
    source.mkdir()
    environment = {"PATH": f"{stage}/bin:{os.defpath}", "HOME": str(folder), "LANG": "C.UTF-8"}
    for word, rest in STEPS:
        if word == "COPY" and not rest.startswith("--from"):
            copy(shlex.split(rest), source)
        elif word == "RUN" and not rest.startswith("useradd"):
            command = re.sub(
                r"^python(?= -m venv)", sys.executable, rest.replace("/opt/pgcredits", str(stage))
            )
            if not request.config.getoption("--prove"):
                command = without_downloads(command, stage)
            if command:
                made = subprocess.run(
                    ["/bin/sh", "-c", command],
                    cwd=source,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=600,
                )
                assert made.returncode == 0, f"RUN {rest}\n{made.stdout}{made.stderr}"
    yield Image(stage, environment)
    shutil.rmtree(folder)


def copy(words: list[str], source: Path) -> None:
    """COPY: what is not in the context is an error, as it is for an engine."""
    *paths, to = words
    files = context()
    for path in paths:
        found = [file for file in files if file == path or file.startswith(f"{path}/")]
        assert found, f"COPY {path}: a clean checkout does not send it (.dockerignore)"
        for file in found:
            into = to if file == path and not to.endswith("/") else f"{to.rstrip('/')}/{Path(file).name}"
            if file != path:
                into = f"{to}{file.removeprefix(path)}"
            target = source / into
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HOME / file, target)


def without_downloads(command: str, stage: Path) -> str:
    """The step, or what stands in for it: the packages of the tests, by a path file."""
    if " -m venv " in command:
        packages = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        return (
            f"{command} --without-pip && echo {sysconfig.get_path('purelib')} > {stage}/{packages}/ours.pth"
        )
    if command.startswith("pip install") and " -r " not in command:
        return f"python -m {command}"
    assert re.fullmatch(r"pip install [a-z -]*-r requirements[a-z-]*\.txt", command), command
    return ""


def wait_until_ready(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        assert process.poll() is None, process.communicate()[0]
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "it is not ready"
        time.sleep(0.05)


def test_every_requirement_of_the_image_is_named_and_sent() -> None:
    named = {name for word, rest in STEPS if word == "RUN" for name in re.findall(r"-r (\S+)", rest)}
    assert named == {"requirements.txt", "requirements-reference.txt"}
    assert named <= set(context())


def test_context_has_no_secret_and_no_leftover() -> None:
    folders = {path.split("/")[0] for path in context()}
    copied = {path for word, rest in STEPS if word == "COPY" for path in rest.split()[:-1]}
    assert folders <= copied, "the context sends what no step copies"


def test_image_runs_every_program_that_it_installs(image: Image) -> None:
    entry = json.loads(next(rest for word, rest in STEPS if word == "ENTRYPOINT"))
    code, text = image.run(*entry, "--version")
    assert (code, text.split()[0]) == (0, "pgcredits,")
    code, text = image.run(*entry, "catalog", "list")
    assert (code, len(text.split()) >= 5) == (0, True)
    code, text = image.run("stripe-simulator", "--help")
    assert code == 0, text
    where = "import pgcredits, stripe_simulator; print(pgcredits.__file__, stripe_simulator.__file__)"
    code, text = image.run("python", "-P", "-c", where)
    assert code == 0
    assert all(path.startswith(str(image.stage)) for path in text.split()), (
        "these are not the image's: " + text
    )


def test_image_has_the_files_that_migrate_the_database(image: Image, url: str) -> None:
    code, text = image.run("pgcredits", "migrate", "--plan", PGCREDITS_DATABASE_URL=url)
    assert (code, text) == (0, "up to date: nothing to do\n"), text


def test_image_serves_with_its_own_command(image: Image, url: str) -> None:
    entry, command = (
        json.loads(next(rest for word, rest in reversed(STEPS) if word == name))
        for name in ("ENTRYPOINT", "CMD")
    )
    code, text = image.run(*entry, *command)
    assert (code, "PGCREDITS_API_DATABASE_URL is not set" in text) == (1, True)
    port = free_port()
    words = [str(port) if word == "8000" else word for word in (*entry, *command)]
    assert str(port) in words
    process = image.start(
        words,
        PGCREDITS_API_DATABASE_URL=as_login(url, "pgcredits_api", PASSWORD),
        PGCREDITS_SERVICE_DATABASE_URL=as_login(url, "pgcredits_service", PASSWORD),
        PGCREDITS_JWT_SECRET="0123456789abcdef" * 4,
        PGCREDITS_SHUTDOWN_DELAY="0",
    )
    try:
        here = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{here}/health/ready", process)
        assert httpx.get(f"{here}/schema", timeout=10).status_code == 200
        assert httpx.get(f"{here}/", timeout=10).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)
