"""`pgcredits supabase init`: what it writes into a project, and what it leaves alone."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_settings import GOOD

from pgcredits.bank.migrate.files import newest_migration
from pgcredits.cli import main
from pgcredits.settings import Settings
from pgcredits.supabase import project

pytestmark = pytest.mark.one_version

CONFIG = """\
# The project of a shop.
project_id = "shop"   # and a remark

[api]
enabled = true
# Schemas that the API shows.
schemas = [
  "public",          # our tables
  "graphql_public",
]
max_rows = 1_000

[auth.email]
enable_signup = "env(SIGN_UP)"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a project, as `supabase init` makes it."""
    folder = tmp_path / "supabase"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG)
    return folder


def init(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["supabase", "init", "--dir", str(folder), *arguments])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_second_run_changes_nothing(folder: Path) -> None:
    first = init(folder, "--catalog", "imagegen")
    assert first.exit_code == 0, first.output
    assert first.output.count(": written\n") == 3
    written = contents(folder)
    names = sorted(name.split("_", 1)[-1] for name in written)
    newest = newest_migration()[:4]
    assert names == [
        "config.toml",
        "pgcredits.env.example",
        f"pgcredits_{newest}.sql",
        "pgcredits_prices_imagegen.sql",
    ]
    second = init(folder, "--catalog", "imagegen")
    assert second.exit_code == 0, second.output
    assert "written" not in second.output
    assert contents(folder) == written


def test_only_the_list_of_schemas_changes_in_config(folder: Path) -> None:
    init(folder)
    lines = (folder / "config.toml").read_text().splitlines()
    before = CONFIG.splitlines()
    assert [line for line in before if line not in lines] == []
    assert [line.strip().strip(",") for line in lines if line not in before] == ['"api"']
    assert tomllib.loads("\n".join(lines))["api"]["schemas"] == ["public", "graphql_public", "api"]


@pytest.mark.parametrize(
    ("text", "schemas"),
    [
        ('project_id = "shop"\n', ["public", "graphql_public", "api"]),
        ("[api]\nport = 1\n[db]\nport = 2\n", ["public", "graphql_public", "api"]),
        ("[api]\r\nschemas = ['public']\r\n", ["public", "api"]),
        ("api = { schemas = [] }\n", ["api"]),
        ("api.schemas = ['api', 'public']\n", ["api", "public"]),
        ("[db]\nport = 2\n[api]\nschemas = ['x',\n 'y'] # last\n", ["x", "y", "api"]),
    ],
)
def test_every_way_to_write_the_list_is_understood(folder: Path, text: str, schemas: list[str]) -> None:
    (folder / "config.toml").write_bytes(text.encode())
    result = init(folder)
    assert result.exit_code == 0, result.output
    changed = (folder / "config.toml").read_bytes().decode()
    expected = tomllib.loads(text)
    expected.setdefault("api", {})["schemas"] = schemas
    assert tomllib.loads(changed) == expected
    assert changed.count("\r\n") == text.count("\r\n")
    assert changed.count("# last") == text.count("# last")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[api\n", "bad_config: config.toml cannot be read"),
        (b"[api]\nschemas = 'public'\n", "bad_config: config.toml: schemas of [api] is not a list of texts"),
        (b"[api]\nschemas = ['public', 1]\n", "bad_config"),
        (b"api = 1\n", "bad_config: config.toml: api is not a table"),
        (b"# \xff\n", "bad_config: config.toml is not UTF-8"),
    ],
)
def test_a_config_that_cannot_be_read_stays(folder: Path, text: bytes, why: str) -> None:
    (folder / "config.toml").write_bytes(text)
    result = init(folder)
    assert result.exit_code == 1
    assert why in result.output
    assert contents(folder) == {"config.toml": text}


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    result = init(tmp_path)
    assert result.exit_code == 1
    assert "no_supabase_project" in result.output
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("catalog", ["nonsense", "bad.sql", "hostile.sql"])
def test_a_bad_price_list_writes_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.sql").write_text("select credits.define_pack('a', 'A', 'many', 1, 'eur');\ndrop table x;")
    Path("hostile.sql").write_text("select credits.define_category('a', '$pgcredits_prices$; drop table x');")
    result = init(folder, "--catalog", catalog)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert list(contents(folder)) == ["config.toml"]


def test_texts_of_a_price_list_stay_texts(folder: Path, tmp_path: Path) -> None:
    """A price list that means something else in SQL than in a file of definitions."""
    file = tmp_path / "Odd\nlist"
    file.write_text("select credits.define_category('a''b', $x$c\\'; select 1 --$x$);")
    assert init(folder, "--catalog", str(file)).exit_code == 0
    written = next(folder.glob("migrations/*_pgcredits_prices_odd_list.sql")).read_text()
    assert "\"define_category\"('a''b',  E'c\\\\''; select 1 --');" in written
    assert written.startswith("-- The price list Odd list, written by ")


def test_a_changed_price_list_is_another_migration(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.sql"
    file.write_text("select credits.define_category('a', 'A');")
    init(folder, "--catalog", str(file))
    file.write_text("select credits.define_category('a', 'B');")
    init(folder, "--catalog", str(file))
    init(folder, "--catalog", str(file))
    names = sorted(path.name for path in (folder / "migrations").iterdir())
    assert [name.split("_", 1)[1] for name in names][1:] == ["pgcredits_prices_mine.sql"] * 2
    assert "'B'" in (folder / "migrations" / names[-1]).read_text()


def test_an_edited_bank_is_not_overwritten(folder: Path) -> None:
    init(folder)
    bank = next((folder / "migrations").iterdir())
    bank.write_text(bank.read_text().replace("2s", "3s"))
    edited = contents(folder)
    result = init(folder)
    assert "somebody has changed it, and it stays as it is" in result.output
    assert contents(folder) == edited


def test_a_bank_of_another_release_is_upgraded_by_migrate(folder: Path) -> None:
    (folder / "migrations").mkdir()
    old = folder / "migrations" / "20250101000000_pgcredits_0015.sql"
    old.write_text("-- The bank of pgcredits 0.0.9, as `pgcredits migrate` makes it.\n")
    result = init(folder)
    assert (
        "is of pgcredits 0.0.9, and stays as it is. Where it was applied, `pgcredits migrate`"
        in result.output
    )
    assert list((folder / "migrations").iterdir()) == [old]


def test_new_migrations_come_after_those_of_the_project(folder: Path) -> None:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "20991231235959_mine.sql").write_text("select 1;")
    (folder / "migrations" / "notes.txt").write_text("no migration")
    init(folder, "--catalog", "imagegen")
    names = sorted(path.name for path in (folder / "migrations").iterdir())
    assert names[0] == "20991231235959_mine.sql"
    assert names[1].startswith("20991231235960_pgcredits_")
    assert names[2].startswith("20991231235961_pgcredits_prices_")


def test_a_run_that_was_killed_is_completed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path, text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pgcredits.supabase.write.replace", killed)
    assert init(folder).exit_code == 1
    assert (folder / "config.toml").read_text() == CONFIG
    monkeypatch.undo()
    result = init(folder)
    assert result.exit_code == 0
    assert len(list((folder / "migrations").iterdir())) == 1
    assert tomllib.loads((folder / "config.toml").read_text())["api"]["schemas"][-1] == "api"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    project.write_new(path, "one")
    with pytest.raises(FileExistsError):
        project.write_new(path, "two")
    assert contents(tmp_path) == {"a.sql": b"one"}


def test_warnings_say_what_hides_the_schema(folder: Path) -> None:
    (folder / "config.toml").write_text(
        "[api]\nenabled = false\n[remotes.live.api]\nschemas = ['public']\n[remotes.other]\nproject_id = 'x'"
    )
    output = init(folder).output
    assert "warning: config.toml: the API is not enabled" in output
    assert (
        'warning: config.toml: [remotes.live.api] lists schemas of its own. Add "api" there as well' in output
    )
    assert "remotes.other" not in output


def test_the_settings_are_those_of_the_program(folder: Path) -> None:
    """The linked project stands in them; filled in, the program accepts them."""
    (folder / ".temp").mkdir()
    (folder / ".temp" / "project-ref").write_text("abcdefghijklmnopqrst\n")
    init(folder)
    lines = (folder / "pgcredits.env.example").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    issuer = json.loads(settings["PGCREDITS_ISSUERS"])[0]["issuer"]
    assert issuer == "https://abcdefghijklmnopqrst.supabase.co/auth/v1"
    assert "@db.abcdefghijklmnopqrst.supabase.co:5432/" in settings["PGCREDITS_API_DATABASE_URL"]
    filled = settings | {"PGCREDITS_JWT_SECRET": GOOD["PGCREDITS_JWT_SECRET"]}
    read = Settings.from_env({name: value for name, value in filled.items() if value})
    assert [each.name for each in read.issuers] == [issuer]


def test_page_shows_the_files_of_today() -> None:
    page = Path(__file__).parents[2] / "docs" / "supabase.md"
    assert set(re.findall(r"_pgcredits_(\d{4})\.sql", page.read_text())) == {newest_migration()[:4]}
