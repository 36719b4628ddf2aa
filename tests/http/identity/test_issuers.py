"""Tokens of other issuers: forged, confused, expired, of retired keys, and of an issuer that is away."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_calls import SECRET, bearer, serving
from issuing import NAME, Jwks, jwk, private_key, published, signed

from pgcredits.http.app import create_app
from pgcredits.http.errors import ApiError
from pgcredits.http.identity import issuers as issuers_module
from pgcredits.http.identity import key_set
from pgcredits.http.identity.issuers import Issuers
from pgcredits.http.identity.key_set import usable
from pgcredits.issuer_settings import read_issuers
from pgcredits.settings import Settings
from pgcredits.tokens import Caller, TokenError

pytestmark = pytest.mark.one_version

_numbers = itertools.count(time.time_ns())


def described(**more: Any) -> dict[str, Any]:
    return {"issuer": NAME, "audience": "the bank", "subject_prefix": "i:", "keys": [jwk("rsa1")]} | more


def callers(*tokens: str, issuers: list[dict[str, Any]] | None = None, **more: Any) -> list[Caller | None]:
    """Whom each token speaks for, one after the other."""

    async def ask() -> list[Caller | None]:
        every = Issuers(read_issuers(json.dumps(issuers or [described(**more)])))
        async with every.opened():
            return [await every.caller(token) for token in tokens]

    return asyncio.run(ask())


def refusal(token: str, **more: Any) -> TokenError:
    with pytest.raises(TokenError) as caught:
        callers(token, **more)
    return caught.value


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# Who is it


@pytest.mark.parametrize("name", ["rsa1", "ec1", "ec384", "ed1"])
def test_token_of_each_kind_of_key_makes_a_user(name: str) -> None:
    (caller,) = callers(signed(name), keys=[jwk(name), jwk("rsa2")])
    assert caller is not None
    assert (caller.role, caller.subject) == ("authenticated", "i:ada")
    assert json.loads(caller.claims) == {"role": "authenticated", "sub": "i:ada", "iss": NAME}


def test_database_gets_no_claim_that_it_does_not_need() -> None:
    claims = {"email": "a@example.org", "key_id": "0" * 16, "user_metadata": {"email_verified": True}}
    (caller,) = callers(signed("rsa1", claims))
    assert caller is not None
    assert set(json.loads(caller.claims)) == {"role", "sub", "iss"}


@pytest.mark.parametrize("said", [True, "true", 1, None, False])
def test_only_the_issuers_word_verifies_an_address(said: Any) -> None:
    (caller,) = callers(signed("rsa1", {"email_verified": said, "user_metadata": {"email_verified": True}}))
    assert caller is not None
    assert json.loads(caller.claims).get("email_verified") is (True if said is True else None)
    (caller,) = callers(signed("rsa1", {"email_verified": said}), email_verified_claim=None)
    assert caller is not None
    assert "email_verified" not in json.loads(caller.claims)


@pytest.mark.parametrize(
    "role",
    ["service_role", "spender", "support", "admin", "credits_owner", "", 5, {"a": 1}, ["service_role"], []],
)
def test_role_that_is_not_mapped_is_refused(role: Any) -> None:
    error = refusal(signed("rsa1", {"role": role}))
    assert (error.code, error.message) == ("PGRST303", "JWT role is not accepted")


def test_roles_are_mapped() -> None:
    mapped = {"role_claim": ["realm_access", "roles"], "roles": {"member": "authenticated", "guest": "anon"}}
    for roles, role in (
        (["x", "member", "guest"], "authenticated"),
        (["guest"], "anon"),
        ("member", "authenticated"),
    ):
        (caller,) = callers(
            signed("rsa1", {"realm_access": {"roles": roles}, "role": "service_role"}), **mapped
        )
        assert caller is not None
        assert caller.role == role
    refusal(signed("rsa1", {"realm_access": {"roles": ["x"]}}), **mapped)
    (caller,) = callers(signed("rsa1"), **mapped, default_role="anon")
    assert caller is not None
    assert caller.anonymous
    (caller,) = callers(signed("rsa1", {"role": "service_role"}), role_claim=None)
    assert caller is not None
    assert caller.role == "authenticated"


@pytest.mark.parametrize(
    "claims",
    [
        {"is_anonymous": True},
        {"provider_id": "anonymous"},
        {"firebase": {"sign_in_provider": "anonymous"}},
        {"role": "anon"},
    ],
)
def test_anonymous_users_of_an_issuer_are_nobody(claims: dict[str, Any]) -> None:
    """Anybody makes as many of them as they like. As users each would get a welcome."""
    (caller,) = callers(signed("rsa1", claims))
    assert caller is not None
    assert (caller.role, caller.subject, caller.claims) == ("anon", None, '{"role":"anon"}')
    (caller,) = callers(signed("rsa1", claims), anonymous_users=True)
    assert caller is not None
    assert caller.anonymous == (claims == {"role": "anon"})


@pytest.mark.parametrize("sub", ["", None, 7, ["ada"]])
def test_user_needs_a_subject(sub: Any) -> None:
    assert refusal(signed("rsa1", {"sub": sub})).code in ("PGRST301", "PGRST303")


def test_subject_that_no_database_holds_is_refused() -> None:
    assert refusal(signed("rsa1", {"sub": "a\0b"})).code == "PGRST303"
    assert callers(signed("rsa1", {"sub": "\ud800"})) == [None]  # our own secret has not signed it either


def test_equal_subjects_of_two_issuers_are_two_users() -> None:
    other = described(issuer="https://other.example", subject_prefix="o:", keys=[jwk("rsa2")])
    one, two = callers(
        signed("rsa1"), signed("rsa2", {"iss": "https://other.example"}), issuers=[described(), other]
    )
    assert one is not None
    assert two is not None
    assert (one.subject, two.subject) == ("i:ada", "o:ada")


def test_issuer_without_a_prefix_cannot_name_anothers_users() -> None:
    plain = described(subject_prefix="")
    other = described(issuer="https://other.example", subject_prefix="o:", keys=[jwk("rsa2")])
    for sub, right in (("o:ada", False), ("o", True), ("O:ada", True)):
        token = signed("rsa1", {"sub": sub})
        if right:
            assert callers(token, issuers=[plain, other])[0] is not None
        else:
            with pytest.raises(TokenError, match="another issuer"):
                callers(token, issuers=[plain, other])


def test_authorized_party_is_checked() -> None:
    parties = {"authorized_parties": ["https://shop.example"], "audience": None}
    assert callers(signed("rsa1", {"azp": "https://shop.example"}), **parties)[0] is not None
    for azp in ("https://evil.example", None, ["https://shop.example"]):
        assert refusal(signed("rsa1", {"azp": azp}), **parties).code == "PGRST303"


# Forgeries


def test_token_of_nobody_known_is_left_to_our_own_secret() -> None:
    for token in (
        signed("rsa1", {"iss": "https://unknown.example"}),
        signed("rsa1", {"iss": None}),
        signed("rsa1", {"iss": NAME + "/"}),
        f"{part({'alg': 'RS256', 'kid': 'rsa1'})}.{part({'iss': [NAME]})}.x",
        "a.b.c",
        "",
        "...",
        f"a.{part(NAME)}.b",
        "x" * 20_000,
        f"{part({})}.{part({'iss': NAME, 'pad': 'x' * 20_000})}.x",
    ):
        assert callers(token) == [None]


def test_hs256_with_the_public_key_is_refused() -> None:
    """The attack: an RSA public key, which everybody knows, taken as the secret of an HMAC."""
    public = private_key("rsa1").public_key()
    pems = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        json.dumps(jwk("rsa1")).encode(),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ]
    claims = {"iss": NAME, "aud": "the bank", "sub": "ada", "exp": time.time() + 60}
    for secret in pems:
        header, payload = part({"alg": "HS256", "typ": "JWT", "kid": "rsa1"}), part(claims)
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        signature = mac.sign(f"{header}.{payload}".encode(), secret)
        token = f"{header}.{payload}." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        assert refusal(token).code == "PGRST301"


def test_our_own_secret_signs_nothing_for_an_issuer() -> None:
    claims = {"iss": NAME, "aud": "the bank", "sub": "ada", "exp": time.time() + 60, "role": "service_role"}
    for header in ({"kid": "rsa1"}, {}):
        assert refusal(jwt.encode(claims, SECRET, headers=header)).code == "PGRST301"


@pytest.mark.parametrize("alg", ["none", "NONE", "None", "", "HS256", "ES256", "RS384", "PS256"])
def test_header_does_not_choose_the_algorithm(alg: str) -> None:
    _, payload, signature = signed("rsa1").split(".")
    for end in (signature, ""):
        token = f"{part({'alg': alg, 'kid': 'rsa1'})}.{payload}.{end}"
        assert refusal(token).code == "PGRST301"


def test_key_of_another_algorithm_of_rsa_is_not_taken() -> None:
    for alg in ("RS512", "PS256"):
        assert refusal(signed("rsa1", algorithm=alg)).code == "PGRST301"
        assert callers(signed("rsa1", algorithm=alg), keys=[jwk("rsa1", alg=alg)])[0] is not None


def test_forged_tokens_are_refused() -> None:
    header, payload, signature = signed("rsa1").split(".")
    other = signed("rsa1", {"sub": "bob"}).split(".")
    for token in (
        f"{header}.{other[1]}.{signature}",
        f"{header}.{payload}.",
        signed("rsa2", kid="rsa1"),
        signed("ec1", kid="rsa1"),
        signed("rsa1", kid="rsa2"),
        signed("rsa1", kid=""),
        signed("rsa1", crit=["exp"]),
        f"{part([])}.{payload}.{signature}",
        f"{part({'alg': 'RS256', 'kid': ['rsa1']})}.{payload}.{signature}",
    ):
        assert refusal(token).code == "PGRST301", token


def test_key_within_a_token_is_ignored() -> None:
    for header in ({"jwk": jwk("rsa2")}, {"jku": "https://evil.example"}, {"x5u": "https://evil.example"}):
        assert refusal(signed("rsa2", kid="rsa1", **header)).code == "PGRST301"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": time.time() - 31}, "JWT expired"),
        ({"exp": None}, "JWT has no claim exp"),
        ({"exp": 1e30}, "JWT claim exp is not a time"),
        ({"nbf": time.time() + 3600}, "JWT not yet valid"),
        ({"aud": None}, "JWT has no claim aud"),
        ({"aud": "another bank"}, "JWT not in audience"),
        ({"aud": ["another bank"]}, "JWT not in audience"),
    ],
)
def test_bad_claims_are_refused(claims: dict[str, Any], message: str) -> None:
    assert refusal(signed("rsa1", claims)).message == message


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "x"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"},
        jwk("rsa1", use="enc"),
        jwk("rsa1", key_ops=["sign"]),
        jwk("rsa1", key_ops="verify"),
        jwk("rsa1", alg="HS256"),
        jwk("rsa1", alg="RSA-OAEP"),
        jwk("rsa1", alg="none"),
        jwk("rsa1", d="AQAB"),
        jwk("ec1", alg="ES384"),
        jwk("ec1", crv="P-384"),
        jwk("ec1", crv="secp256k1"),
        jwk("small"),
        {"kty": "RSA", "kid": "x"},
        {"kty": ["RSA"]},
        {},
        [],
        "rsa",
        None,
    ],
)
def test_only_public_keys_for_signatures_are_taken(entry: Any) -> None:
    assert usable(entry) is None


def test_issuer_with_a_shared_secret_signs_hs256() -> None:
    """Supabase's older projects do."""
    secret = "shared with the issuer, and long enough"
    claims = {"iss": NAME, "aud": "the bank", "sub": "ada", "exp": time.time() + 60}
    way = {"keys": None, "secret": secret}
    assert callers(jwt.encode(claims, secret), **way)[0] is not None
    assert refusal(jwt.encode(claims | {"role": "service_role"}, secret), **way).code == "PGRST303"
    assert refusal(jwt.encode(claims, SECRET), **way).code == "PGRST301"
    assert refusal(jwt.encode(claims, secret + secret, algorithm="HS512"), **way).code == "PGRST301"


# Keys that are read


class Desk:
    """An HTTP API's issuers, a JWKS that they read, and a clock that a test moves."""

    def __init__(self, jwks: Jwks, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jwks = jwks
        self.now = 1_000_000.0
        monkeypatch.setattr(key_set, "monotonic", lambda: self.now)

    @asynccontextmanager
    async def issuers(self) -> Any:
        text = json.dumps([described(keys=None, jwks_url=self.jwks.url)])
        every = Issuers(read_issuers(text))
        async with every.opened():
            yield every


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with published("rsa1") as jwks:
        yield Desk(jwks, monkeypatch)


async def read_again(desk: Desk, asked: int) -> None:
    """Wait for a reading that goes on beside the calls."""
    for _ in range(500):
        if desk.jwks.asked >= asked:
            await asyncio.sleep(0.02)
            return
        await asyncio.sleep(0.01)
    pytest.fail("the keys were not read")


def test_keys_are_read_once_for_many_calls(desk: Desk) -> None:
    async def play() -> None:
        async with desk.issuers() as every:
            tokens = [signed("rsa1", {"sub": str(number)}) for number in range(20)]
            found = await asyncio.gather(*(every.caller(token) for token in tokens))
            assert [caller.subject for caller in found] == [f"i:{number}" for number in range(20)]
            assert desk.jwks.asked == 1

    asyncio.run(play())


def test_unknown_key_is_looked_for_once_in_a_while(desk: Desk) -> None:
    """Anybody can name keys that do not exist. The issuer is not asked each time."""

    async def play() -> None:
        async with desk.issuers() as every:
            await every.caller(signed("rsa1"))
            desk.jwks.rotate("rsa1", "rsa2")
            for _ in range(5):
                with pytest.raises(TokenError):
                    await every.caller(signed("rsa2"))
            assert desk.jwks.asked == 1
            desk.now += key_set.COOLDOWN
            assert (await every.caller(signed("rsa2"))).subject == "i:ada"
            assert desk.jwks.asked == 2
            for number in range(5):
                with pytest.raises(TokenError):
                    await every.caller(signed("rsa1", kid=f"unknown {number}"))
            assert desk.jwks.asked == 2

    asyncio.run(play())


def test_tokens_of_a_retired_key_end_with_it(desk: Desk) -> None:
    """Also those that were accepted before."""

    async def play() -> None:
        async with desk.issuers() as every:
            token = signed("rsa1")
            await every.caller(token)
            desk.jwks.rotate("rsa2")
            desk.now += key_set.FRESH
            await every.caller(token)  # the keys are read beside this call
            await read_again(desk, 2)
            with pytest.raises(TokenError):
                await every.caller(token)
            assert (await every.caller(signed("rsa2"))).subject == "i:ada"

    asyncio.run(play())


def test_another_key_of_the_same_name_is_another_key(desk: Desk) -> None:
    async def play() -> None:
        async with desk.issuers() as every:
            token = signed("rsa1")
            await every.caller(token)
            desk.jwks.keys = [jwk("rsa2", kid="rsa1")]
            desk.now += key_set.FRESH
            await every.caller(token)
            await read_again(desk, 2)
            with pytest.raises(TokenError):
                await every.caller(token)

    asyncio.run(play())


def test_keys_outlast_an_issuer_that_is_away_for_a_day(desk: Desk) -> None:
    async def play() -> None:
        async with desk.issuers() as every:
            token = signed("rsa1", {"exp": time.time() + 10**6})
            await every.caller(token)
            desk.jwks.status = 500
            asked = 1
            for _ in range(3):
                desk.now += key_set.STALE / 4
                asked += 1
                assert (await every.caller(token)).subject == "i:ada"
                await read_again(desk, asked)
                assert (await every.caller(signed("rsa1", {"sub": "new"}))).subject == "i:new"
                assert desk.jwks.asked == asked  # and not again at once
            desk.now += key_set.STALE / 4
            with pytest.raises(ApiError) as caught:
                await every.caller(token)
            assert (caught.value.status, caught.value.slug) == (503, "unavailable")
            desk.jwks.status = 200
            with pytest.raises(ApiError):
                await every.caller(token)
            desk.now += key_set.RETRY
            assert (await every.caller(token)).subject == "i:ada"

    asyncio.run(play())


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 404},
        {"status": 302},
        {"body": b"no json"},
        {"body": b"[]"},
        {"body": b'{"keys": {}}'},
        {"body": b"[" * 100_000},
        {"body": b'{"keys": [' + b" " * 300_000 + b"]}"},
        {"body": json.dumps({"keys": [{}] * 200}).encode()},
        {"body": b"\xff"},
    ],
    ids=str,
)
def test_broken_answers_leave_the_keys_as_they_are(broken: dict[str, Any], desk: Desk) -> None:
    async def play() -> None:
        async with desk.issuers() as every:
            for name, value in broken.items():
                setattr(desk.jwks, name, value)
            for _ in range(3):
                with pytest.raises(ApiError):
                    await every.caller(signed("rsa1"))
            assert desk.jwks.asked == 1
            desk.jwks.status, desk.jwks.body = 200, None
            desk.now += key_set.RETRY
            assert (await every.caller(signed("rsa1"))).subject == "i:ada"

    asyncio.run(play())


def test_token_without_kid_needs_a_single_key(desk: Desk) -> None:
    async def play() -> None:
        async with desk.issuers() as every:
            assert (await every.caller(signed("rsa1", kid=None))).subject == "i:ada"
            desk.jwks.rotate("rsa1", "rsa2")
            desk.now += key_set.FRESH
            await every.caller(signed("rsa1"))
            await read_again(desk, 2)
            with pytest.raises(TokenError):
                await every.caller(signed("rsa1", {"sub": "bob"}, kid=None))

    asyncio.run(play())


def test_remembered_token_expires_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuers_module, "_CACHED", 3)

    async def play() -> None:
        every = Issuers(read_issuers(json.dumps([described()])))
        async with every.opened():
            token = signed("rsa1")
            assert await every.caller(token) is await every.caller(token)
            for number in range(5):
                await every.caller(signed("rsa1", {"sub": str(number)}))
            assert len(every._known) == 3
            later = time.time() + 91
            monkeypatch.setattr(issuers_module.time, "time", lambda: later)
            with pytest.raises(TokenError, match="JWT expired"):
                await every.caller(signed("rsa1", {"sub": "4", "exp": int(later) - 31}))

    asyncio.run(play())


# Over HTTP


@pytest.fixture(scope="module")
def foreign(settings: Settings) -> Iterator[httpx.Client]:
    """A server that takes the tokens of an issuer as well."""
    with published("rsa1") as jwks:
        text = json.dumps([described(keys=None, jwks_url=jwks.url)])
        app = create_app(replace(settings, issuers=read_issuers(text), pool_size=2))
        with serving(app) as url, httpx.Client(base_url=url, timeout=20) as client:
            yield client


def test_user_of_an_issuer_has_an_account(foreign: httpx.Client) -> None:
    subject = f"ada {next(_numbers)}"
    headers = {"Authorization": f"Bearer {signed('rsa1', {'sub': subject, 'role': 'authenticated'})}"}
    opened = foreign.post("/auth/account", headers=headers)
    assert (opened.status_code, opened.json()["user_id"]) == (200, f"i:{subject}")
    rows = foreign.get("/rest/v1/balance", headers=headers).json()
    assert [row["user_id"] for row in rows] == [f"i:{subject}"]
    own = foreign.get("/rest/v1/balance", headers=bearer("authenticated", subject)).json()
    assert [row["user_id"] for row in own] == [subject]


def test_issuer_is_never_a_service(foreign: httpx.Client) -> None:
    grant = {"user_id": "i:ada", "tokens": 1000}
    claims: dict[str, Any]
    for claims in ({"role": "service_role"}, {"role": "spender"}, {"app_metadata": {"role": "service_role"}}):
        headers = {"Authorization": f"Bearer {signed('rsa1', claims)}"}
        answer = foreign.post("/rest/v1/rpc/add_tokens", json=grant, headers=headers)
        assert answer.status_code in (401, 403)
    service = foreign.post("/rest/v1/rpc/add_tokens", json=grant, headers=bearer("service_role"))
    assert service.status_code == 200
