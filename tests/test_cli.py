"""The command line, where no server is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support import free_port

from pgcredits.cli import main
from pgcredits.local.instance import Instance
from pgcredits.tokens import TokenVerifier

pytestmark = pytest.mark.one_version


def invoke(*arguments: str, env: dict[str, str | None] | None = None) -> tuple[int, str]:
    cleared = {"PGCREDITS_DATABASE_URL": None, "PGCREDITS_JWT_SECRET": None, "PGCREDITS_DATA_DIR": None}
    result = CliRunner().invoke(main, arguments, env={**cleared, **(env or {})})
    return result.exit_code, result.output


def test_every_command_explains_itself() -> None:
    code, text = invoke("--help")
    assert code == 0
    commands = list(main.commands)
    assert commands == [
        "up",
        "serve",
        "migrate",
        "roles",
        "logins",
        "catalog",
        "token",
        "key",
        "trust",
        "analyst",
        "simulator",
        "forget",
        "demo",
        "audit",
        "maintain",
        "stripe",
        "work",
        "supabase",
        "env",
        "export",
    ]
    for command in commands:
        assert f"  {command} " in text
        code, text_of_command = invoke(command, "--help")
        assert code == 0
        assert "Usage:" in text_of_command
    assert "..." not in text.split("Commands:")[1]


@pytest.mark.parametrize("command", [["env"], ["audit"], ["migrate"], ["catalog", "apply", "iahome"]])
def test_commands_without_a_running_up_say_so(command: list[str], tmp_path: Path) -> None:
    code, text = invoke(*command, "--data-dir", str(tmp_path))
    assert code == 1
    assert (
        text == f"Error: nothing runs on {tmp_path}: start it with `pgcredits up`, or name its --data-dir\n"
    )


def test_seed_without_holds_is_refused(tmp_path: Path) -> None:
    code, text = invoke("demo", "--seed", "1", "--data-dir", str(tmp_path))
    assert code == 2
    assert "--seed goes with --holds" in text


def test_token_is_signed_with_the_secret_of_the_data_folder(tmp_path: Path) -> None:
    code, text = invoke("token", "--sub", "ada", env={"PGCREDITS_DATA_DIR": str(tmp_path)})
    assert (code, "has no secrets.json" in text) == (1, True)
    secret = Instance(tmp_path).ensure_secrets().jwt_secret
    code, text = invoke("token", "--sub", "ada", "--data-dir", str(tmp_path))
    caller = TokenVerifier(secret).verify(text.strip())
    assert (code, caller.role, caller.subject) == (0, "authenticated", "ada")


def test_token_is_signed_with_the_secret_of_the_environment(tmp_path: Path) -> None:
    secret = "of the environment, and long enough"
    env: dict[str, str | None] = {"PGCREDITS_JWT_SECRET": secret, "PGCREDITS_DATA_DIR": str(tmp_path)}
    code, text = invoke("token", "--role", "service_role", "--expires-in", "5", env=env)
    assert (code, TokenVerifier(secret).verify(text.strip()).role) == (0, "service_role")
    _, named = invoke("token", "--sub", "ada", env=env | {"PGCREDITS_JWT_AUDIENCE": "the bank"})
    assert TokenVerifier(secret, "the bank").verify(named.strip()).subject == "ada"
    for guessed in ("x", "e" * 32):
        code, text_of_refusal = invoke("token", "--sub", "ada", env=env | {"PGCREDITS_JWT_SECRET": guessed})
        assert (code, "PGCREDITS_JWT_SECRET must be" in text_of_refusal) == (1, True)
    code, text = invoke("token", env=env)
    assert code == 2
    assert "needs a subject" in text


def test_unreachable_database_is_reported_in_one_line() -> None:
    code, text = invoke("migrate", "--database-url", "postgresql://127.0.0.1:1/x")
    assert code == 1
    assert text.startswith("Error: connection failed")


@pytest.mark.parametrize("command", [["up"], ["catalog", "apply", "iahome"]])
def test_malformed_stripe_prices_are_refused(command: list[str], tmp_path: Path) -> None:
    if command == ["up"]:  # ports that are free now, not when this file was read
        command = [*command, "--port", str(free_port()), "--simulator-port", str(free_port())]
    env: dict[str, str | None] = {"PGCREDITS_STRIPE_PRICES": "standard=prod_1"}
    code, text = invoke(*command, "--data-dir", str(tmp_path), env=env)
    assert (code, text) == (
        1,
        "Error: PGCREDITS_STRIPE_PRICES: 'standard=prod_1' is not of the form pack_id=price_…,"
        " separated by commas.\n",
    )


def test_refused_key_is_named_by_the_variable_that_it_comes_from(tmp_path: Path) -> None:
    for name in ("STRIPE_READ_KEY", "STRIPE_SECRET_KEY"):
        keys: dict[str, str | None] = {"STRIPE_READ_KEY": None, "STRIPE_SECRET_KEY": None, name: "pk_test_x"}
        code, text = invoke("stripe", "pull", "--data-dir", str(tmp_path), env=keys)
        assert (code, text.split(" must be ")[0]) == (1, f"Error: {name}")


def test_serve_without_settings_is_refused() -> None:
    code, text = invoke("serve", env={"PGCREDITS_API_DATABASE_URL": None})
    assert (code, text) == (1, "Error: PGCREDITS_API_DATABASE_URL is not set.\n")


def test_simulator_does_not_start_beside_real_keys(tmp_path: Path) -> None:
    arguments = ("simulator", "--webhook-secret", "whsec_x", "--data-dir", str(tmp_path))
    code, text = invoke(*arguments, env={"STRIPE_SECRET_KEY": "sk_live_x"})
    assert code == 1
    assert "the simulator does not start" in text


def test_catalogs_are_listed() -> None:
    code, text = invoke("catalog", "list")
    assert (code, text.split()) == (0, ["appforge", "aurisvoice", "iahome", "imagegen", "luneo"])
