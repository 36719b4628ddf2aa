"""docker-compose.yml: read as the specification says, with no secret that everybody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from compose_spec import PyCompose, PyOptions

from pgcredits.bank.migrate import HOME
from pgcredits.cli import main
from pgcredits.setting_list import SETTINGS
from stripe_simulator.cli import main as simulator

pytestmark = pytest.mark.one_version

TEXT = (HOME / "docker-compose.yml").read_text()
ODD = "p@ss:/?#[]%& '\"\\${x} `id`"
SECRETS = (
    "POSTGRES_PASSWORD",
    "PGCREDITS_API_PASSWORD",
    "PGCREDITS_SERVICE_PASSWORD",
    "PGCREDITS_AUDITOR_PASSWORD",
    "PGCREDITS_JWT_SECRET",
)
PASSWORDS = (*SECRETS[:-1], "PGCREDITS_ANALYST_PASSWORD", "PGCREDITS_ACCOUNTANT_PASSWORD")
GIVEN = {**dict.fromkeys(PASSWORDS, ODD), "PGCREDITS_JWT_SECRET": "0123456789abcdef" * 4}


def interpolated(node: Any, env: Mapping[str, str]) -> Any:
    """What Compose makes of a value: it reads the file first, and puts variables into values then."""
    if isinstance(node, dict):
        return {key: interpolated(value, env) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolated(value, env) for value in node]
    if not isinstance(node, str):
        return node

    def value_of(found: re.Match[str]) -> str:
        value = env.get(found["name"], "")
        if not value and found["how"] == ":?":
            raise KeyError(found["name"])
        return value or (found["rest"] if found["how"] == ":-" else "")

    return re.sub(r"\$\{(?P<name>\w+)(?P<how>:[-?])(?P<rest>[^}]*)\}", value_of, node)


def composed(env: Mapping[str, str] = GIVEN) -> dict[str, Any]:
    return dict(interpolated(yaml.safe_load(TEXT), env))


def read(text: str) -> PyCompose:
    """The file as a reader of the specification sees it. Raises ValueError."""
    found = PyOptions(apply_merge=True).from_yaml(text)
    found.validate()
    return found


def texts(node: Any) -> Iterator[str]:
    """Every text in the file: the keys, too."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from (key, *texts(value))
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_file_follows_the_specification() -> None:
    file = read(yaml.safe_dump(composed()))
    assert {"postgres", "migrate", "catalog", "logins", "api", "worker", "demo", "caddy"} <= set(
        file.service_names()
    )


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("restart: unless-stopped", "restart: sometimes"),
        ("depends_on:", "depend_on:"),
        ("condition: service_healthy", "condition: healthy"),
        ("source: pgbouncer,", "source: nowhere,"),
        ("interval: 5s", "interval: soon"),
        ("subnet: 172.30.253.0/24", "subnet: 172.30.253.0/99"),
    ],
)
def test_fault_in_the_file_is_found(right: str, wrong: str) -> None:
    assert right in TEXT
    with pytest.raises(ValueError):
        read(yaml.safe_dump(interpolated(yaml.safe_load(TEXT.replace(right, wrong)), GIVEN)))


def test_every_named_volume_is_there() -> None:
    file = composed()
    sources = {volume.split(":")[0] for one in file["services"].values() for volume in one.get("volumes", [])}
    assert {source for source in sources if not source.startswith((".", "/"))} == set(file["volumes"])
    folders = {source for source in sources if source.startswith(".")}
    assert folders
    assert [folder for folder in folders if not (HOME / folder).exists()] == []


def test_password_with_any_characters_is_the_whole_of_a_variable() -> None:
    """In a URL, a text of SQL or a list of logins it would be read as something else."""
    file = composed()
    with_it = [text for text in texts(file) if ODD in text]
    assert len(with_it) >= 8
    assert set(with_it) == {ODD}
    variables = {
        name
        for service in file["services"].values()
        for name, value in service.get("environment", {}).items()
        if value == ODD
    }
    assert variables == {*PASSWORDS, "PGPASSWORD"}


@pytest.mark.parametrize("name", SECRETS)
def test_file_is_refused_without_a_secret(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        composed({key: value for key, value in GIVEN.items() if key != name})


def test_no_secret_has_a_default() -> None:
    used = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(:?[-?])([^}]*)\}", TEXT)
    assert len(used) >= 5
    # Without Stripe's nothing is sold. The one for guests is made of the JWT secret. An analyst without a
    # password cannot sign in.
    optional = {
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "PGCREDITS_GUEST_SECRET",
        "PGCREDITS_ANALYST_PASSWORD",
        "PGCREDITS_ACCOUNTANT_PASSWORD",
    }
    assert [name for name, how, rest in used if name not in optional and (how != ":?" or not rest)] == []
    assert [name for name, _, rest in used if name in optional and rest] == []


def test_first_lines_make_every_secret_that_is_required() -> None:
    (loop,) = re.findall(r"for name in ([A-Z_ ]+); do", TEXT)
    assert set(loop.split()) == set(SECRETS)


def test_each_program_gets_the_login_that_it_needs() -> None:
    """Only what changes the database's shape, prices or passwords signs in as its administrator."""
    logins: dict[str, set[str]] = {}
    for name, service in composed()["services"].items():
        for value in service.get("environment", {}).values():
            for login in re.findall(r"postgresql://(\w+)@", str(value)):
                logins.setdefault(login, set()).add(name)
    assert logins == {
        "postgres": {"migrate", "catalog", "logins"},
        "pgcredits_api": {"api", "demo"},
        "pgcredits_service": {"api", "demo", "demo-worker", "maintenance", "worker", "pull"},
        "pgcredits_auditor": {"audit", "check"},
    }


def test_only_the_tls_proxy_is_reached_from_outside() -> None:
    services = composed()["services"]
    open_ones = {
        name
        for name, service in services.items()
        if any(not port.startswith("127.0.0.1:") for port in service.get("ports", []))
    }
    assert open_ones == {"caddy"}


def test_demo_sells_through_the_simulator_and_never_with_a_real_key() -> None:
    real = {"STRIPE_SECRET_KEY": "sk_live_real", "STRIPE_WEBHOOK_SECRET": "whsec_real", "STRIPE_API_BASE": ""}
    services = composed(GIVEN | real)["services"]
    demo = {name for name, service in services.items() if service.get("profiles") == ["demo"]}
    assert demo == {"demo", "demo-worker", "simulator"}
    for name in demo:
        assert not {"sk_live_real", "whsec_real"} & set(texts(services[name])), name
    here = services["demo"]["environment"]
    assert here["STRIPE_WEBHOOK_SECRET"] == services["simulator"]["environment"]["STRIPE_WEBHOOK_SECRET"]
    assert here["STRIPE_API_BASE"] == services["demo-worker"]["environment"]["STRIPE_API_BASE"]
    # The command of the simulator is one that it takes, and both find each other.
    command = services["simulator"]["command"]
    options = dict(word.split("=", 1) for word in command)
    context = simulator.make_context("simulator", list(command), resilient_parsing=True)
    assert here["STRIPE_API_BASE"] == f"http://simulator:{context.params['port']}"
    assert options["--webhook-url"] == "http://demo:8000/webhooks/stripe"
    assert services["simulator"]["ports"] == [f"127.0.0.1:{context.params['port']}:8001"]
    assert services["demo"]["ports"] == [here["PGCREDITS_PUBLIC_URL"].removeprefix("http://") + ":8000"]


def test_every_command_is_one_that_pgcredits_takes() -> None:
    for name, service in composed()["services"].items():
        if service.get("image") != "pgcredits" or "entrypoint" in service or "command" not in service:
            continue
        done = CliRunner().invoke(main, [*service["command"], "--help"])
        assert (done.exit_code, "Usage:" in done.output) == (0, True), f"{name}: {done.output}"


def named_in_the_docs() -> Iterator[tuple[str, list[str]]]:
    """The calls of `docker compose` on the pages and in the file's own comments."""
    pages = [
        *sorted(page for page in (HOME / "docs").rglob("*.md") if "node_modules" not in page.parts),
        HOME / "docker-compose.yml",
    ]
    for page in pages:
        for line in re.findall(r"docker compose ([^`;|>\n]+)", page.read_text()):
            yield page.name, line.partition("  ")[0].split()


def test_every_call_on_the_pages_names_what_is_in_the_file() -> None:
    services = composed()["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    calls = list(named_in_the_docs())
    assert len(calls) > 15
    for page, words in calls:
        where = f"{page}: docker compose {' '.join(words)}"
        for option, value in pairwise(words):
            assert option != "--profile" or value.strip("'") in {*profiles, "*"}, where
        rest = [word for word in words if not word.startswith("-")]
        if rest and rest[0] in ("run", "exec"):
            name, *command = rest[1:]
            assert name in services, where
            if rest[0] == "run" and command:
                kept = command[: 2 if command[0] in ("catalog", "key", "stripe") else 1]
                done = CliRunner().invoke(main, [*kept, "--help"])
                assert done.exit_code == 0, f"{where}: {done.output}"
        elif rest and rest[0] in ("up", "build", "logs") and "--profile" not in words:
            assert set(rest[1:]) <= set(services), where


def test_every_variable_of_a_program_is_one_that_it_reads() -> None:
    known = {setting.name: setting.commands for setting in SETTINGS}
    commands = {"demo": "serve", "api": "serve", "demo-worker": "work", "worker": "work"}
    for name, service in composed()["services"].items():
        if service.get("image") != "pgcredits" or "entrypoint" in service:
            continue
        words = service.get("command", ["serve"])
        command = commands.get(name) or " ".join(word for word in words[:2] if re.fullmatch("[a-z]+", word))
        for variable in set(service["environment"]) - {"PGPASSWORD"}:
            readers = known[variable]
            assert {command, command.split()[0]} & set(readers), f"{name} gets {variable}, for {readers}"


def test_every_image_of_others_is_pinned() -> None:
    images = [image for image in re.findall(r"image: (\S+)", TEXT) if image != "pgcredits"]
    assert len(images) >= 3
    assert [image for image in images if not re.search(r":v?\d+\.\d+", image)] == []


def test_every_health_check_has_a_bound() -> None:
    calls = re.findall(r"urlopen\([^)]*\)", TEXT)
    assert calls
    assert [call for call in calls if "timeout=" not in call] == []


def test_every_setting_for_stripe_is_passed() -> None:
    page = (HOME / "docs/stripe.md").read_text()
    table = page.partition("| setting | for |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`((?:STRIPE|PGCREDITS)_\w+)`", table))
    assert len(named) >= 7
    assert [name for name in sorted(named) if f"{name}: ${{{name}:-" not in TEXT] == []


def test_volumes_of_programs_are_folders_that_the_image_makes() -> None:
    """Otherwise they belong to root, and the program may not write there."""
    dockerfile = (HOME / "Dockerfile").read_text()
    written = {
        volume.split(":")[1]
        for service in composed()["services"].values()
        if service.get("image") == "pgcredits"
        for volume in service.get("volumes", [])
        if not volume.endswith(":ro")
    }
    assert written
    assert [folder for folder in written if not re.search(rf"install .*{folder}\b", dockerfile)] == []
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.M)[0]) == ["pgcredits"]
