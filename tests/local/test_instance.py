"""The data folder: secrets, the lock, and what `env` prints."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from pgcredits.local.instance import LOGINS, Instance, InstanceError, Running, shell_line
from pgcredits.tokens import TokenVerifier

pytestmark = pytest.mark.one_version

RUNNING = Running(
    1, "http://127.0.0.1:8000", None, "j" * 32, "postgresql://a@h/d", *["postgresql://u:p@h/d"] * len(LOGINS)
)


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    with pytest.raises(InstanceError, match=r"has no secrets\.json"):
        instance.secrets()
    made = instance.ensure_secrets()
    assert instance.ensure_secrets() == Instance(tmp_path).secrets() == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(made.jwt_secret.encode()) >= 32
    assert len({made.postgres_password, *made.logins.values()}) == 1 + len(LOGINS)


def test_unreadable_secrets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"jwt_secret": ')
    with pytest.raises(InstanceError, match="cannot be read"):
        Instance(tmp_path).secrets()


def test_folder_of_an_older_release_gets_what_it_lacks(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    made = instance.ensure_secrets()
    older = asdict(made)
    del older["logins"]["pgcredits_accountant"]
    (tmp_path / "secrets.json").write_text(json.dumps(older))
    mended = instance.ensure_secrets()
    assert mended.logins.keys() == set(LOGINS.values())
    assert mended.logins | {"pgcredits_accountant": ""} == made.logins | {"pgcredits_accountant": ""}
    assert (mended.jwt_secret, mended.postgres_password) == (made.jwt_secret, made.postgres_password)
    assert instance.ensure_secrets() == mended
    with instance.held():
        (tmp_path / "run.json").write_text('{"pid": 1}')
        with pytest.raises(InstanceError, match="of another release"):
            instance.running()


def test_one_up_per_folder(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "new")
    with pytest.raises(InstanceError, match=f"nothing runs on {tmp_path / 'new'}"):
        instance.running()
    with instance.held():
        with pytest.raises(InstanceError, match="already runs on"), Instance(tmp_path / "new").held():
            pass
        with pytest.raises(InstanceError, match="still starting"):
            instance.running()
        instance.publish(RUNNING)
        assert (instance.folder / "run.json").stat().st_mode & 0o777 == 0o600
        assert instance.running() == RUNNING
    with pytest.raises(InstanceError, match="nothing runs"):
        instance.running()
    with instance.held():
        assert not (instance.folder / "run.json").exists()


def test_environment_has_tokens_and_urls(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.ensure_secrets()
    with instance.held():
        instance.publish(RUNNING)
        variables = instance.environment("ada")
    verifier = TokenVerifier(RUNNING.jwt_secret)
    assert verifier.verify(variables["USER_TOKEN"]).subject == "ada"
    assert verifier.verify(variables["SERVICE_TOKEN"]).role == "service_role"
    assert verifier.verify(variables["SPENDER_TOKEN"]).role == "spender"
    assert variables["SIMULATOR_URL"] == ""
    assert RUNNING.jwt_secret not in variables.values()


@pytest.mark.parametrize(
    "text",
    ["plain", "postgresql://u:p@h:1/d?options=-c%20role", "a&b=c", "it's $(id) `id` \\ \"", "a b*", ""],
)
def test_programs_get_the_variables_of_shell_lines_as_they_are(text: str) -> None:
    script = f"""eval "$1"; '{sys.executable}' -c 'import os; print(os.environ["VALUE"], end="")'"""
    done = subprocess.run(
        ["sh", "-c", script, "sh", shell_line("VALUE", text)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == text
