"""The image and docker-compose.yml without an engine: an empty folder gets what a clean checkout would send.

No engine runs here. The steps that download packages are left out unless `--prove` is given. The packages of
the tests stand in for them. Every other step is done as it is written. Then the image runs the services.
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
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from composing import Composed
from pathspec import PathSpec
from psycopg.conninfo import make_conninfo
from support import free_port
from test_compose import GIVEN, ODD, composed

from pgcredits.bank.migrate import HOME
from pgcredits.local import embedded

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

STEPS = [
    (word, rest.strip())
    for word, rest in re.findall(
        r"^([A-Z]+) (.*)$", (HOME / "Dockerfile").read_text().replace("\\\n", ""), re.M
    )
]
SECONDS = 120.0
CATALOG = """
select credits.define_catalog('mine', 'Mine', 'credit', 'eur');
select credits.define_module('draw', 'Draw');
select credits.define_price('[{"dimension": "calls", "price_per_unit": 3}]', p_module_id => 'draw');
select credits.define_pack('starter', '100 credits', 100, 900, 'eur');
"""


def context() -> list[str]:
    """The files of a clean checkout that .dockerignore lets through. What is new here counts as committed."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
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

    def run(self, *words: str) -> tuple[int, str]:
        """A program of the image: its exit code, and what it said."""
        done = subprocess.run(
            [str(self.stage / "bin" / words[0]), *words[1:]],
            env=dict(self.environment),
            cwd=self.stage,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Image]:
    """The image, built step by step in a folder of its own."""
    if not (HOME / ".git").exists():
        pytest.skip("this is no checkout of git: nobody knows what a clean one would contain")
    folder = tmp_path_factory.mktemp("image")
    stage, source = folder / "opt", folder / "src"
    source.mkdir()
    environment = {
        "PATH": f"{stage}/bin:{os.defpath}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "VIRTUAL_ENV": str(stage),
    }
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


@pytest.fixture
def up(image: Image, bin_dir: Path) -> Iterator[Composed]:
    """The file with passwords of odd characters, a price list that no package brings, and a new server."""
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-compose-"))
    (folder / "pooler").mkdir()
    (folder / "mine.sql").write_text(CATALOG)
    server = embedded.start(folder / "postgres", free_port(), ODD, bin_dir, say=lambda text: None)
    env = GIVEN | {"CATALOG": "/catalogs/mine.sql", "CATALOG_FOLDER": str(folder)}
    env["PGCREDITS_SHUTDOWN_DELAY"] = "0"  # no load balancer has to notice
    ports = {name: free_port() for name in ("api", "demo", "simulator")}
    made = Composed(composed(env)["services"], image.environment, folder, server.port, ports)
    try:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("create database pgcredits")
        yield made
    finally:
        try:
            made.stop()
        finally:
            embedded.stop(server)
            shutil.rmtree(folder)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_demo_sells_without_an_account_at_stripe(up: Composed) -> None:
    # 1. What has to complete before the programs start, in the order of the file.
    for name in ("migrate", "catalog", "logins"):
        code, text = up.run(name)
        assert (code, ODD in text) == (0, False), f"{name}: {text}"
    users = (up.folder / "pooler/users.txt").read_text()
    assert users.count("SCRAM-SHA-256$") == 2
    # 2. The demo: its own settings, the simulator, a worker.
    for name in ("simulator", "demo", "demo-worker"):
        up.start(name)
    url = f"http://127.0.0.1:{up.ports['demo']}"
    up.until(lambda: is_ready(url), "the demo is not ready")
    with httpx.Client(base_url=url, timeout=20) as client:
        assert client.get("/health/ready").json() == {"status": "ready", "payments": "open"}
        signed = client.post("/auth/signup", json={"email": "ada@example.org", "password": "correct horse"})
        headers = {"Authorization": f"Bearer {signed.raise_for_status().json()['access_token']}"}
        bought = (
            client.post("/checkout", json={"pack_id": "starter"}, headers=headers).raise_for_status().json()
        )
        assert httpx.post(bought["url"], data={"action": "pay"}, timeout=20).status_code in (302, 303)
        mine = "/rest/v1/balance?select=balance"
        up.until(lambda: client.get(mine, headers=headers).json() == [{"balance": 100}], "no tokens came")
        spent = client.post("/rest/v1/rpc/consume_tokens", json={"module_id": "draw"}, headers=headers)
        assert spent.raise_for_status().json()["balance"] == 97
    # 3. The API without keys is ready, and sells nothing.
    up.start("api")
    plain = f"http://127.0.0.1:{up.ports['api']}"
    up.until(lambda: is_ready(plain), "the API is not ready")
    assert "STRIPE_SECRET_KEY is not set" in httpx.get(f"{plain}/health/ready", timeout=5).json()["payments"]
    # 4. What an operator runs: the check says what is not set, and the books close.
    code, text = up.run("check")
    assert (code, "wrong    STRIPE_SECRET_KEY: is not set" in text, ODD in text) == (1, True, False), text
    code, text = up.run("audit")
    assert (code, "the books close: no finding" in text) == (0, True), text
    # 5. The passwords are set again when the file is started again. PgBouncer's list stays true.
    assert up.run("logins")[0] == 0
    assert (up.folder / "pooler/users.txt").read_text() == users
    login = make_conninfo(
        host="127.0.0.1", port=up.database, dbname="pgcredits", user="pgcredits_analyst", password=ODD
    )
    psycopg.connect(login).close()
