"""Types made of the schema: page.ts, ready_page.ts and program.py, which use them, must type-check.

The pages only with the option --differential, and never in CI: tests/postgrest_server.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from http_calls import User
from postgrest_server import installed

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "@supabase/postgres-meta@0.99.0",  # what `supabase gen types` runs
    "@supabase/postgrest-js@2.109.0",
    "openapi-typescript@7.13.0",
    "openapi-fetch@0.17.0",
    "typescript@5.9.3",
)
STRICT = {
    "strict": True,
    "noEmit": True,
    "skipLibCheck": True,
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "target": "es2022",
    "lib": ["es2022", "dom"],
    "types": [],
}
MYPY = ("--strict", "--follow-imports=silent", "--config-file=", "--cache-dir=cache")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a program prints. It must not fail."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page and the packages."""
    modules = installed(request.config, PACKAGES, "npm-generators")
    folder = tmp_path_factory.mktemp("page")
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(Path(__file__).parent / "page.ts", folder)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICT, "files": ["page.ts"]}))
    return folder


def test_a_page_type_checks_with_generated_types(page: Path, own_url: str, base_url: str) -> None:
    (page / "schema.json").write_text(httpx.get(f"{base_url}/schema").text)
    programs = page / "node_modules" / ".bin"
    run(programs / "openapi-typescript", "schema.json", "-o", "api.d.ts", cwd=page)
    generator = page / "node_modules" / "@supabase" / "postgres-meta" / "dist" / "server" / "server.js"
    types = run(
        "node",
        generator,
        cwd=page,
        PG_META_DB_URL=own_url,
        PG_META_GENERATE_TYPES="typescript",
        PG_META_GENERATE_TYPES_INCLUDED_SCHEMAS="api",
    )
    assert "unknown" not in types  # a type that the generator does not know
    (page / "database.ts").write_text(types)
    assert run(programs / "tsc", "-p", ".", cwd=page) == ""


def test_a_page_type_checks_with_the_types_of_our_package(page: Path) -> None:
    shutil.copytree(ROOT / "api" / "typescript" / "src", page / "pgcredits")
    (page / "pgcredits" / "ai.ts").unlink()  # it needs the AI SDK
    shutil.copy(Path(__file__).parent / "ready_page.ts", page)
    options = STRICT | {"lib": ["esnext", "dom"]}
    (page / "ready.json").write_text(json.dumps({"compilerOptions": options, "files": ["ready_page.ts"]}))
    assert run(page / "node_modules" / ".bin" / "tsc", "-p", "ready.json", cwd=page) == ""


def test_a_program_type_checks_and_runs_with_a_generated_client(
    tmp_path: Path, base_url: str, rich: User
) -> None:
    (tmp_path / "schema.json").write_text(httpx.get(f"{base_url}/schema").text)
    (tmp_path / "config.yml").write_text("post_hooks: []")
    generator = Path(sys.executable).with_name("openapi-python-client")
    options = ("--path=schema.json", "--config=config.yml", "--output-path=client", "--fail-on-warning")
    run(generator, "generate", *options, cwd=tmp_path)
    client = str(tmp_path / "client")
    program = Path(__file__).parent / "program.py"
    run(sys.executable, "-m", "mypy", *MYPY, program, cwd=tmp_path, MYPYPATH=client)
    token = rich.headers["Authorization"].removeprefix("Bearer ")
    told = run(sys.executable, program, base_url, token, cwd=tmp_path, PYTHONPATH=client)
    assert told == "cost=50 balance=950 ['spend'] PT409\n"
