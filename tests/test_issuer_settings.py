"""PGCREDITS_ISSUERS: what it says, and what it may not say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pgcredits.bank.migrate import HOME
from pgcredits.issuer_settings import IssuerError, _Text, read_issuers
from pgcredits.settings import Settings, SettingsError

pytestmark = pytest.mark.one_version

ONE: dict[str, Any] = {"issuer": "https://a.example/auth", "audience": "the bank", "subject_prefix": ""}


def read(*issuers: dict[str, Any]) -> Any:
    return read_issuers(json.dumps(issuers))


def refusal(*issuers: dict[str, Any]) -> str:
    with pytest.raises(IssuerError) as caught:
        read(*issuers)
    return str(caught.value)


def test_three_members_describe_an_issuer() -> None:
    (issuer,) = read(ONE)
    assert (issuer.name, issuer.audience, issuer.prefix) == ("https://a.example/auth", ("the bank",), "")
    assert issuer.jwks_url == "https://a.example/auth/.well-known/jwks.json"
    assert issuer.roles == {"authenticated": "authenticated", "anon": "anon"}
    assert (issuer.role_claim, issuer.default_role) == (("role",), "authenticated")
    assert issuer.anonymous_users is False


def test_issuers_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "issuers.json"
    file.write_text(json.dumps([ONE]))
    assert read_issuers(str(file)) == read(ONE)
    assert read_issuers("") == read_issuers(None) == ()
    with pytest.raises(IssuerError, match="cannot be read"):
        read_issuers(str(tmp_path / "nothing"))


@pytest.mark.parametrize("role", ["service_role", "spender", "support", "credits_owner", "Authenticated"])
def test_no_issuer_can_make_a_backend(role: str) -> None:
    assert "Invalid enum value" in refusal(ONE | {"roles": {"admin": role}})
    assert "Invalid enum value" in refusal(ONE | {"default_role": role})


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"subject_prefix": None}, "str"),
        ({"issuer": ""}, "letter by letter"),
        ({"jwks_url": "http://a.example/jwks"}, "https"),
        ({"jwks_url": "ftp://127.0.0.1/jwks"}, "https"),
        ({"jwks_url": "https://u:p@a.example/jwks"}, "without user"),
        ({"jwks_url": "https://[/"}, "cannot be read"),
        ({"jwks_url": "https:///jwks"}, "without user"),
        ({"jwks_url": "https://a.example/", "secret": "s" * 40}, "one of"),
        ({"keys": [], "secret": "s" * 40}, "one of"),
        ({"secret": "short"}, "32 random bytes"),
        ({"secret": "-----BEGIN PUBLIC KEY-----" + "a" * 40}, "not a public key"),
        ({"audience": []}, "audience"),
        ({"audience": ""}, "audience"),
        ({"role_claim": ["user_metadata", "role"]}, "by themselves"),
        ({"role_claim": ""}, "a claim is a name"),
        ({"role_claim": []}, "a claim is a name"),
        ({"email_verified_claim": "unsafe_metadata"}, "by themselves"),
        ({"subject_prefix": " a"}, "space"),
        ({"algorithms": ["none"]}, "unknown field"),
    ],
)
def test_unsafe_descriptions_are_refused(more: dict[str, Any], word: str) -> None:
    assert word in refusal(ONE | more)


@pytest.mark.parametrize("name", ["audience", "subject_prefix"])
def test_operator_must_decide_audience_and_prefix(name: str) -> None:
    text = refusal({key: value for key, value in ONE.items() if key != name})
    assert text.startswith(f"{name} is missing: ")


def test_two_issuers_share_users_only_on_purpose() -> None:
    other = ONE | {"issuer": "https://b.example"}
    assert "would be one user" in refusal(ONE, other)
    assert "would be one user" in refusal(ONE | {"shares_users": True}, other)
    assert len(read(ONE | {"shares_users": True}, other | {"shares_users": True})) == 2
    assert len(read(ONE, other | {"subject_prefix": "b:"})) == 2
    assert "listed twice" in refusal(ONE, ONE | {"subject_prefix": "b:"})


def test_examples_of_the_docs_can_be_read() -> None:
    page = (HOME / "docs/identity.md").read_text()
    examples = re.findall(r"```json\n(.*?)```", page, re.S)
    assert len(examples) == 5
    issuers = [issuer for example in examples for issuer in read_issuers(example)]
    assert len({issuer.name for issuer in issuers}) == 5
    members = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.M))))
    assert set(_Text.__struct_fields__) <= members


def test_keys_of_this_machine_may_come_without_tls() -> None:
    for host in ("127.0.0.1:8080", "localhost", "[::1]:9"):
        (issuer,) = read(ONE | {"jwks_url": f"http://{host}/jwks"})
        assert issuer.jwks_url == f"http://{host}/jwks"


@pytest.mark.parametrize("text", ["[", "[1]", "[{}]", '["https://a.example"]', "[" * 5000])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(IssuerError):
        read_issuers(text)


def test_secret_is_repeated_nowhere() -> None:
    mark = "s3cr3tMARK" * 4
    (issuer,) = read(ONE | {"secret": mark})
    assert mark not in repr(issuer)
    for text in (json.dumps([ONE | {"secret": [mark]}]), f'[{{"secret": "{mark}"', f'["{mark}"]'):
        with pytest.raises(IssuerError) as caught:
            read_issuers(text)
        assert mark not in str(caught.value)


def test_refusal_names_the_variable() -> None:
    env = {
        "PGCREDITS_API_DATABASE_URL": "postgresql://a@127.0.0.1/x",
        "PGCREDITS_SERVICE_DATABASE_URL": "postgresql://b@127.0.0.1/x",
        "PGCREDITS_JWT_SECRET": "a secret of the tests, of forty characters",
        "PGCREDITS_ISSUERS": "[{}]",
    }
    with pytest.raises(SettingsError, match=r"^PGCREDITS_ISSUERS: "):
        Settings.from_env(env)
    assert Settings.from_env(env | {"PGCREDITS_ISSUERS": json.dumps([ONE])}).issuers == read(ONE)
