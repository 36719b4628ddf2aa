"""The issuers whose tokens count beside our own: PGCREDITS_ISSUERS, JSON text or the path of a JSON file.

Each issuer says what its tokens are checked with, whom they are for, and how its users are named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

ClaimPath: TypeAlias = tuple[str, ...]  # the name of a claim, or of a member within it
Role: TypeAlias = Literal["authenticated", "anon"]

_WELL_KNOWN = "/.well-known/jwks.json"
_ROLES: Mapping[str, Role] = {"authenticated": "authenticated", "anon": "anon"}
# Users change these by themselves.
_OF_USERS = frozenset({"user_metadata", "unsafe_metadata", "raw_user_meta_data"})
_LONGEST_PREFIX = 100
_SHORTEST_SECRET = 32


class IssuerError(ValueError):
    """An issuer cannot be used as it is described. The message says what to do, and repeats no secret."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of tokens. Exactly one of `jwks_url`, `keys` and `secret` is there."""

    name: str  # iss, letter by letter
    audience: tuple[str, ...]  # aud must name one of these; empty: aud is not looked at
    parties: tuple[str, ...]  # azp must be one of these; empty: azp is not looked at
    jwks_url: str | None
    keys: tuple[Mapping[str, Any], ...]
    secret: str | None = field(repr=False)
    prefix: str  # a user id of ours is this and the subject
    role_claim: ClaimPath | None
    roles: Mapping[str, Role]
    default_role: Role
    anonymous_users: bool  # whether people whom the issuer knows as anonymous are users here
    verified_claim: ClaimPath | None


class _Text(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An issuer as it is written."""

    issuer: str
    audience: str | list[str] | None
    subject_prefix: str
    jwks_url: str | None = None
    keys: list[dict[str, Any]] | None = None
    secret: str | None = None
    authorized_parties: list[str] = []
    role_claim: str | list[str] | None = "role"
    roles: dict[str, Role] = msgspec.field(default_factory=lambda: dict(_ROLES))
    default_role: Role = "authenticated"
    anonymous_users: bool = False
    email_verified_claim: str | list[str] | None = "email_verified"
    shares_users: bool = False


def read_issuers(text: str | None) -> tuple[Issuer, ...]:
    """The issuers that a setting describes. Raises IssuerError."""
    if not text:
        return ()
    if not text.lstrip().startswith("["):
        try:
            text = Path(text).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise IssuerError(f"this file cannot be read ({type(error).__name__})") from None
    try:
        written = msgspec.json.decode(text, type=list[_Text])
    except msgspec.ValidationError as error:
        raise IssuerError(_plain(str(error))) from None
    except (msgspec.DecodeError, RecursionError):
        raise IssuerError("this is not JSON: a list of objects, one for each issuer") from None
    for name in {each.issuer for each in written}:
        if sum(each.issuer == name for each in written) > 1:
            raise IssuerError(f"{name} is listed twice")
    _refuse_shared_users(written)
    return tuple(_issuer(each) for each in written)


def _plain(problem: str) -> str:
    """What msgspec says, with a word about the members that nobody may leave out."""
    if "`subject_prefix`" in problem:
        return (
            'subject_prefix is missing: with "" a user id is the subject as the issuer writes it,'
            ' with "clerk:" it begins with that. Decide once: accounts keep their user ids'
        )
    if "`audience`" in problem:
        return (
            "audience is missing: the aud of the tokens that are for you, or null if the issuer writes none"
        )
    return problem


def _refuse_shared_users(written: list[_Text]) -> None:
    """Two issuers may give one subject to two people, who would then share an account."""
    for each in written:
        others = [other for other in written if other.subject_prefix == each.subject_prefix]
        if len(others) > 1 and not all(other.shares_users for other in others):
            names = " and ".join(other.issuer for other in others)
            raise IssuerError(
                f"{names} have the same subject_prefix, so equal subjects would be one user:"
                " give them different ones, or say shares_users: true for each"
            )


def _issuer(text: _Text) -> Issuer:
    where = text.issuer or "an issuer"
    if not text.issuer:
        raise IssuerError("issuer must be the iss of the tokens, letter by letter")
    if sum(way is not None for way in (text.jwks_url, text.keys, text.secret)) > 1:
        raise IssuerError(f"{where}: give one of jwks_url, keys and secret")
    url = text.jwks_url
    if text.keys is None and text.secret is None:
        url = url or text.issuer.rstrip("/") + _WELL_KNOWN
        _check_url(where, url)
    if text.secret is not None and (
        len(text.secret.encode()) < _SHORTEST_SECRET or text.secret.startswith("-----")
    ):
        raise IssuerError(
            f"{where}: secret must be at least {_SHORTEST_SECRET} random bytes, and not a public key"
        )
    if len(text.subject_prefix) > _LONGEST_PREFIX or text.subject_prefix.strip() != text.subject_prefix:
        raise IssuerError(
            f"{where}: subject_prefix may have at most {_LONGEST_PREFIX} characters, and no space at its ends"
        )
    audience = [text.audience] if isinstance(text.audience, str) else text.audience or []
    if "" in audience or (text.audience is not None and not audience):
        raise IssuerError(f"{where}: audience must be a text, some texts, or null")
    return Issuer(
        name=text.issuer,
        audience=tuple(audience),
        parties=tuple(text.authorized_parties),
        jwks_url=url,
        keys=tuple(text.keys or ()),
        secret=text.secret,
        prefix=text.subject_prefix,
        role_claim=_path(where, text.role_claim),
        roles=text.roles,
        default_role=text.default_role,
        anonymous_users=text.anonymous_users,
        verified_claim=_path(where, text.email_verified_claim),
    )


def _path(where: str, claim: str | list[str] | None) -> ClaimPath | None:
    if claim is None:
        return None
    path = (claim,) if isinstance(claim, str) else tuple(claim)
    if not all(path) or not path:
        raise IssuerError(f"{where}: a claim is a name, or a list of names, one within the other")
    if path[0] in _OF_USERS:
        raise IssuerError(f"{where}: users change {path[0]} by themselves, so nothing may depend on it")
    return path


def _check_url(where: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise IssuerError(f"{where}: jwks_url cannot be read") from None
    if not host or parts.username is not None or parts.fragment:
        raise IssuerError(f"{where}: jwks_url must be an address without user and fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        raise IssuerError(f"{where}: jwks_url must be https, or http on this machine: {url!r}")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
