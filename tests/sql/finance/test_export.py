"""`pgcredits export`: a month as files, which prove themselves without the database."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sql.conftest import Town
from sql.finance import story
from support import PASSWORD

from pgcredits.bank.export import ExportError, verify, write
from pgcredits.bank.export.folder import new_folder
from pgcredits.cli import main
from pgcredits.database_urls import as_login

pytestmark = pytest.mark.one_version


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments])


@dataclass
class Exported:
    """A bank whose January is closed, the URL of its auditor, and the export of January with its sha256."""

    town: Town
    url: str
    folder: Path
    manifest_sha256: str


@pytest.fixture(scope="module")
def exported(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp("exports") / "january"
    with ExitStack() as stack:
        town = Town(own_url, stack)
        payments = story.january(town.admin, town.service)
        story.february(town.admin, town.service, payments)
        story.at(town.admin, "2027-03-03 12:00Z")
        town.bank.rows("select finance.close_period('2027-01-01')")
        url = as_login(own_url, "pgcredits_auditor", PASSWORD)
        done = run("--database-url", url, "--month", "2027-01", "--to", str(folder))
        assert done.exit_code == 0, done.output
        name, _, kept = done.output.splitlines()[-1].partition(" ")
        assert (name, kept) == (
            "manifest-sha256",
            sha256((folder / "manifest.json").read_bytes()).hexdigest(),
        )
        yield Exported(town, url, folder, kept)


def test_export_has_what_the_views_say_in_both_forms(exported: Exported) -> None:
    with (exported.folder / "liability_rollforward.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = (exported.folder / "liability_rollforward.ndjson").read_text().splitlines()
    told = exported.town.bank.rows(
        "select source, sold, closing from finance.liability_rollforward where month = '2027-01-01'"
        " order by currency, source"
    )
    assert [(row["source"], int(row["sold"]), int(row["closing"])) for row in rows] == [
        tuple(row.values()) for row in told
    ]
    assert [json.loads(line)["closing"] for line in lines] == [row["closing"] for row in told] != []


def test_export_of_a_closed_month_has_its_root(exported: Exported) -> None:
    (closed,) = exported.town.bank.rows("select root_hash, entries from finance.closed_months")
    manifest = verify(exported.folder)
    assert (manifest.root_hash, manifest.entries) == (closed["root_hash"], closed["entries"])
    assert sha256((exported.folder / "heads.txt").read_bytes()).hexdigest() == closed["root_hash"]
    assert run("verify", str(exported.folder), "--root", closed["root_hash"]).exit_code == 0
    done = run("verify", str(exported.folder), "--root", "0" * 64)
    assert done.exit_code == 1 and "and not 0000" in done.output


def test_nobody_is_named_unless_asked_for(exported: Exported, tmp_path: Path) -> None:
    whole = b"".join(path.read_bytes() for path in exported.folder.iterdir())
    assert b"carla" not in whole and b"metadata" not in whole and b"user_id" not in whole
    write(exported.url, "2027-01", tmp_path / "persons", personal_data=True)
    assert verify(tmp_path / "persons").personal_data
    assert b"carla" in (tmp_path / "persons" / "entries.csv").read_bytes()


@pytest.mark.parametrize("fault", ["changed", "cut", "missing", "added", "heads"])
def test_verify_finds_every_change(fault: str, exported: Exported, tmp_path: Path) -> None:
    write(exported.url, "2027-02", tmp_path / "copy")
    assert verify(tmp_path / "copy").closed_at is None
    file = tmp_path / "copy" / "journal.csv"
    if fault == "changed":
        file.write_bytes(file.read_bytes().replace(b"4594", b"4595"))
    elif fault == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif fault == "missing":
        file.unlink()
    elif fault == "added":
        (tmp_path / "copy" / "notes.txt").write_text("mine")
    else:
        # The manifest was changed with the file, and not the root.
        change_with_manifest(tmp_path / "copy" / "heads.txt", b"a", b"b")
    done = run("verify", str(tmp_path / "copy"))
    assert done.exit_code == 1 and "is not what was exported" in done.output


def test_verify_reads_regular_files_alone(exported: Exported, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("journal.csv", "manifest.json"):
        shutil.copytree(exported.folder, copy)
        (copy / name).unlink()
        os.mkfifo(copy / name)
        with pytest.raises(ExportError, match=f"{name} is not a regular file"):
            verify(copy)
        shutil.rmtree(copy)


def test_manifest_of_another_shape_is_refused(exported: Exported, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(exported.folder, copy)
    told = json.loads((copy / "manifest.json").read_text())
    told["files"][0]["name"] = ["a list"]
    for text in (json.dumps(told), "[" * 200_000):
        (copy / "manifest.json").write_text(text)
        with pytest.raises(ExportError, match="is not the manifest of an export"):
            verify(copy)


@pytest.mark.parametrize("target", ["/", ".", "n" * 300])
def test_folder_that_cannot_be_made_is_refused(target: str) -> None:
    with pytest.raises(ExportError), new_folder(Path(target)):
        pass


def test_kept_sha256_finds_a_manifest_that_was_changed_with_a_file(
    exported: Exported, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(exported.folder, copy)
    kept = ("--manifest-sha256", exported.manifest_sha256)
    assert "is what was exported" in run("verify", str(copy), *kept).output
    change_with_manifest(copy / "journal.csv", b"5188", b"5189")
    # Neither the manifest nor the root tells of it, and `verify` does not claim more than that they agree.
    done = run("verify", str(copy), "--root", verify(copy).root_hash)
    assert done.exit_code == 0 and "is what was exported" not in done.output
    done = run("verify", str(copy), *kept)
    assert done.exit_code == 1 and f"and not {exported.manifest_sha256}" in done.output


def change_with_manifest(path: Path, before: bytes, after: bytes) -> None:
    """Change a file, and the manifest so that it agrees. Both texts have the same length."""
    changed = path.read_bytes().replace(before, after)
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    manifest = path.with_name("manifest.json")
    told = json.loads(manifest.read_text())
    for file in told["files"]:
        if file["name"] == path.name:
            file["sha256"] = sha256(changed).hexdigest()
    manifest.write_text(json.dumps(told, indent=2) + "\n")


def test_folder_is_complete_or_absent(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="exists"):
        write(exported.url, "2027-01", exported.folder)
    with pytest.raises(ExportError, match="is not a month"):
        write(exported.url, "2027-13", tmp_path / "never")
    # A ledger that was changed under the close is not exported: the root is not that of the close.
    admin = exported.town.admin
    admin.execute("alter table credits.closed_months disable trigger all")
    try:
        admin.execute("update credits.closed_months set root_hash = sha256('another')")
        with pytest.raises(ExportError, match="was closed with"):
            write(exported.url, "2027-01", tmp_path / "never")
    finally:
        admin.execute(
            "update credits.closed_months as m set root_hash = (credits.ledger_root(m.closed_at)).root"
        )
        admin.execute(
            "alter table credits.closed_months enable always trigger closed_months_are_never_changed"
        )
        admin.execute(
            "alter table credits.closed_months enable always trigger closed_months_are_never_truncated"
        )
    assert list(tmp_path.iterdir()) == []


def test_month_that_has_not_begun_is_refused(exported: Exported, tmp_path: Path) -> None:
    """The bank stands on 3 March."""
    write(exported.url, "2027-03", tmp_path / "march")
    done = run("--database-url", exported.url, "--month", "2027-04", "--to", str(tmp_path / "april"))
    assert done.exit_code == 1 and "2027-04 has not begun" in done.output
    assert not (tmp_path / "april").exists()


def test_accountant_is_told_who_may_export(exported: Exported, own_url: str, tmp_path: Path) -> None:
    url = as_login(own_url, "pgcredits_accountant", PASSWORD)
    done = run("--database-url", url, "--month", "2027-01", "--to", str(tmp_path / "never"))
    assert done.exit_code == 1 and "only an auditor may export" in done.output
    assert list(tmp_path.iterdir()) == []


def test_month_with_a_changed_entry_is_not_exported(exported: Exported, tmp_path: Path) -> None:
    """The amounts were changed, and the hashes left: the root is still that of the close.

    The last test, because the triggers stay away.
    """
    admin = exported.town.admin
    admin.execute("alter table credits.entries disable trigger all")
    for month, changed in (
        (
            "2027-01",
            "e.posted_at = (select max(x.posted_at) from credits.entries as x"
            " where x.posted_at < '2027-02-01Z')",
        ),
        ("2027-01", "e.seq = 1 and e.posted_at < '2027-02-01Z'"),
        ("2027-02", "e.posted_at = '2027-02-01Z'"),
    ):
        fault = f"update credits.entries as e set tokens = tokens + %s where {changed}"
        assert admin.execute(fault, (1,)).rowcount > 0
        with pytest.raises(
            ExportError, match=r"the hash of entry \d of account .* is not that of its fields"
        ):
            write(exported.url, month, tmp_path / "never")
        admin.execute(fault, (-1,))
        assert list(tmp_path.iterdir()) == []
    write(exported.url, "2027-01", tmp_path / "sound")
