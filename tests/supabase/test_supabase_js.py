"""supabase-js and PostgREST in front of a Supabase project with a bank: shop.mjs.

`make test` installs the packages where Node.js is. The lock file beside this test pins them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest
from postgrest_server import installed, postgrest
from supabase_project import assert_sound, calling, example_of_the_page, signed_up
from support import PASSWORD

from pgcredits.database_urls import as_login

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

MODULES = Path(__file__).parents[2] / ".venv" / "supabase-js" / "node_modules"
SECRET = "a secret of the tests, of at least 32 bytes"


@pytest.fixture
def modules() -> Path:
    """supabase-js and PostgREST. Skips the test where make could not install them, but not in CI."""
    if shutil.which("node") is None or not (MODULES.parent / ".installed").is_file():
        why = "node, or the packages of tests/supabase that `make test` installs with npm, are not here"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return MODULES


@pytest.fixture
def gateway(project: str, modules: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of PostgREST as Supabase runs it: on authenticator, with its schemas and search path."""
    login = as_login(project, "authenticator", PASSWORD)
    schemas, search_path = "public,graphql_public,api", "public,extensions"
    with postgrest(modules, tmp_path, login, SECRET, 1000, schemas, search_path) as url:
        yield url


def key(role: str, **claims: Any) -> str:
    """A token of Supabase: a key of the project, or that of a user."""
    now = int(time.time())
    return jwt.encode({"role": role, "iss": "supabase", "iat": now, "exp": now + 600} | claims, SECRET)


def test_a_shop_with_supabase_js(project: str, gateway: str, modules: Path) -> None:
    prepare(project)
    user = signed_up(project)
    token = key("authenticated", sub=user, aud="authenticated", is_anonymous=False)
    program = Path(__file__).with_name("shop.mjs")
    arguments = (modules, gateway, key("anon"), token, key("service_role"), user)
    ran = subprocess.run(
        ["node", program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "packs": [{"pack_id": "credits-25", "tokens": 25}],
        "spend of nobody": [401, "42501", None],
        "account": {"user_id": user, "welcome": 50},
        "balance": {"balance": 50, "available": 50},
        "spend": {"cost": 1, "balance": 49, "replayed": False},
        "spend again": {"balance": 49, "replayed": True},
        "spend by header": {"balance": 48, "replayed": False},
        "the same header": {"balance": 48, "replayed": True},
        "too little": [402, "PT402", "insufficient_tokens"],
        "grant by a user": [403, "42501", None],
        "entries": [
            {"kind": "welcome", "tokens": 50},
            {"kind": "spend", "tokens": -1},
            {"kind": "spend", "tokens": -1},
        ],
        "another schema": [],
        "failed job": {"released": 2},
        "the same job": True,
        "done job": {"cost": 2, "balance": 46},
        "held": {"balance": 46, "available": 44},
        "picture": {"owner": user, "prompt": "a cat"},
        "the same picture": [409, "23505", None],
    }
    assert_killed_worker_is_free(project, user)
    assert_sound(project)


def prepare(project: str) -> None:
    """The project's own table and function, and a bank whose clock can be moved."""
    with psycopg.connect(project) as connection:
        connection.execute(example_of_the_page().encode())
        connection.execute("notify pgrst, 'reload schema'")
        connection.execute("set local role credits_owner")
        connection.execute("select credits.allow_test_clocks(true)")


def assert_killed_worker_is_free(project: str, user: str) -> None:
    """A quarter of an hour after the shop, the hold of its last job has expired."""
    with calling(project, "service_role") as connection:
        connection.execute("select api.set_test_clock(%s)", (user,))
        connection.execute("select api.set_test_clock(%s, advance => '16 minutes')", (user,))
        connection.execute("select api.maintain()")
    with calling(project, "authenticated", user) as connection:
        row = connection.execute("select balance, available from api.balance").fetchone()
        assert row == (45, 45)  # the picture has cost 1


GENERATOR = ("@supabase/postgres-meta@0.99.0", "@supabase/supabase-js@2.109.0", "typescript@5.9.3")
PAGE = """
import { createClient } from '@supabase/supabase-js'
import type { Database } from './database.js'

const supabase = createClient<Database>('https://x.supabase.co', 'key')
const bank = createClient<Database, 'api'>('https://x.supabase.co', 'key', { db: { schema: 'api' } })

export async function order(prompt: string): Promise<number | null> {
  const { data: picture } = await supabase.rpc('order_picture', { prompt, key: crypto.randomUUID() })
  const id: string | undefined = picture?.id
  const { data } = await bank.from('balance').select('balance, available').single()
  const spend = { module_id: 'flux-dev', metadata: { id: id ?? '' } }
  const spent = await supabase.schema('api').rpc('consume_tokens', spend)
  // @ts-expect-error: there is no such function
  await bank.rpc('consume_token', {})
  return spent.data?.cost ?? data?.available ?? null
}
"""


def test_types_of_both_schemas_fit_supabase_js(
    project: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """By the generator of `supabase gen types`."""
    packages = installed(request.config, GENERATOR, "npm-supabase-types")
    prepare(project)
    (tmp_path / "node_modules").symlink_to(packages)
    environment = os.environ | {
        "PG_META_DB_URL": project,
        "PG_META_GENERATE_TYPES": "typescript",
        "PG_META_GENERATE_TYPES_INCLUDED_SCHEMAS": "public,api",
    }
    generator = packages / "@supabase" / "postgres-meta" / "dist" / "server" / "server.js"
    made = subprocess.run(
        ["node", generator], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    (tmp_path / "database.ts").write_text(made.stdout)
    (tmp_path / "page.ts").write_text(PAGE)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = ("--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext", "--lib", "es2022,dom")
    checked = subprocess.run(
        [packages / ".bin" / "tsc", *options, "page.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.stdout == ""
    assert checked.returncode == 0
