import base64
import json
import time
from typing import Any

import jwt
import pytest

from pgcredits import tokens
from pgcredits.tokens import TokenError, TokenVerifier, mint

pytestmark = pytest.mark.one_version

SECRET = "s" * 32


def signed(claims: dict[str, Any], secret: str = SECRET, **more: Any) -> str:
    """A token that expires in a minute, unless `claims` say otherwise."""
    claims = {"exp": time.time() + 60} | claims
    return jwt.encode(claims, secret, algorithm=more.pop("algorithm", "HS256"), **more)


def refusal(token: str) -> TokenError:
    with pytest.raises(TokenError) as caught:
        TokenVerifier(SECRET).verify(token)
    return caught.value


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_our_own_token_is_accepted() -> None:
    caller = TokenVerifier(SECRET).verify(mint(SECRET, "authenticated", "auth0|ü", 60))
    assert (caller.role, caller.subject) == ("authenticated", "auth0|ü")
    assert json.loads(caller.claims)["sub"] == "auth0|ü"


def test_minting_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="role"):
        mint(SECRET, "credits_owner", "x", 60)
    with pytest.raises(ValueError, match="subject"):
        mint(SECRET, "authenticated", "", 60)


def test_token_without_a_role_is_anonymous() -> None:
    assert TokenVerifier(SECRET).verify(signed({"sub": "x"})).anonymous


@pytest.mark.parametrize("audience", ["authenticated", ["a", "b"]])
def test_audience_is_ignored_by_default(audience: Any) -> None:
    assert (
        TokenVerifier(SECRET).verify(signed({"role": "authenticated", "sub": "x", "aud": audience})).subject
        == "x"
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b",
        "a.b.c.d",
        "....",
        "a.b.c",
        mint("t" * 32, "authenticated", "x", 60),
        signed({"role": "authenticated", "sub": "x"}, "s" * 64, algorithm="HS512"),
        signed({"role": "service_role"}, "s" * 64, algorithm="HS384"),
        part({"alg": "none", "typ": "JWT"}) + "." + part({"role": "service_role"}) + ".",
        part({"alg": "NONE"}) + "." + part({"role": "service_role"}) + ".x",
        part({"alg": "HS256"}) + "." + part({"role": "service_role"}) + ".",
        part([]) + "." + part({}) + ".x",
        base64.urlsafe_b64encode(b'{"alg":"HS256","x":' + b"[" * 5000 + b"]" * 5000 + b"}").decode()
        + ".e30.x",
        "ä.ö.ü",
    ],
)
def test_foreign_signature_is_refused(token: str) -> None:
    assert refusal(token).code == "PGRST301"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": time.time() - 31}, "JWT expired"),
        ({"nbf": time.time() + 3600}, "JWT not yet valid"),
        ({"iat": time.time() + 3600}, "JWT issued at future"),
        ({"exp": "9999999999"}, "JWT claim exp is not a time"),
        ({"exp": 1e30}, "JWT claim exp is not a time"),
        ({"exp": 10**30}, "JWT claim exp is not a time"),
        ({"iat": "1"}, "JWT claim iat is not a time"),
        ({"nbf": "1"}, "JWT claim nbf is not a time"),
        ({"nbf": True}, "JWT claim nbf is not a time"),
        ({"iat": -1}, "JWT claim iat is not a time"),
        ({"role": "credits_owner"}, "JWT role is not accepted"),
        ({"role": ["service_role"]}, "JWT role is not accepted"),
        ({"sub": ""}, "JWT of a user must name its subject"),
        ({"sub": "a\0b"}, "JWT claims contain NUL"),
        ({"email": "a\0b"}, "JWT claims contain NUL"),
        ({"sub": "\ud800"}, "JWT claims are not valid Unicode"),
    ],
)
def test_signed_tokens_with_bad_claims_are_refused(claims: dict[str, Any], message: str) -> None:
    error = refusal(signed({"role": "authenticated", "sub": "x"} | claims))
    assert (error.code, error.message) == ("PGRST303", message)


@pytest.mark.parametrize(
    "claims", [{"exp": "soon"}, {"exp": float("inf")}, {"sub": 7}, {"sub": None}, {"exp": [1]}]
)
def test_claims_of_the_wrong_type_are_refused(claims: dict[str, Any]) -> None:
    assert refusal(signed({"role": "authenticated", "sub": "x"} | claims)).code in ("PGRST301", "PGRST303")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
@pytest.mark.parametrize("claims", [{}, {"exp": None}])
def test_a_token_without_an_end_is_refused(role: str, claims: dict[str, Any]) -> None:
    token = jwt.encode({"role": role, "sub": "x", "iat": time.time()} | claims, SECRET, algorithm="HS256")
    error = refusal(token)
    assert (error.code, error.message) == ("PGRST303", "JWT has no claim exp")


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({}, "JWT has no claim aud"),
        ({"aud": None}, "JWT has no claim aud"),
        ({"aud": "another bank"}, "JWT not in audience"),
        ({"aud": []}, "JWT has no claim aud"),
        ({"aud": ["another", "bank"]}, "JWT not in audience"),
        ({"aud": "the bank "}, "JWT not in audience"),
        ({"aud": 7}, "JWT not in audience"),
        ({"aud": "the bank"}, None),
        ({"aud": ["another", "the bank"]}, None),
    ],
)
def test_an_audience_can_be_required(claims: dict[str, Any], message: str | None) -> None:
    verifier = TokenVerifier(SECRET, "the bank")
    token = signed({"role": "authenticated", "sub": "x"} | claims)
    if message is None:
        assert verifier.verify(token).subject == "x"
        return
    with pytest.raises(TokenError) as caught:
        verifier.verify(token)
    assert (caught.value.code, caught.value.message) == ("PGRST303", message)


def test_our_own_token_names_the_audience() -> None:
    verifier = TokenVerifier(SECRET, "the bank")
    assert verifier.verify(mint(SECRET, "service_role", None, 60, "the bank")).role == "service_role"
    with pytest.raises(TokenError, match="aud"):
        verifier.verify(mint(SECRET, "service_role", None, 60))


def test_clocks_may_differ_a_little() -> None:
    token = signed({"role": "authenticated", "sub": "x", "exp": time.time() - 20, "nbf": time.time() + 20})
    assert TokenVerifier(SECRET).verify(token).subject == "x"


def test_a_remembered_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = TokenVerifier(SECRET)
    token = mint(SECRET, "authenticated", "x", 60)
    assert verifier.verify(token) is verifier.verify(token)
    later = time.time() + 91
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    with pytest.raises(TokenError, match="JWT expired"):
        verifier.verify(token)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_CACHED", 3)
    verifier = TokenVerifier(SECRET)
    for subject in "abcdef":
        verifier.verify(mint(SECRET, "authenticated", subject, 60))
    assert len(verifier._known) == 3
