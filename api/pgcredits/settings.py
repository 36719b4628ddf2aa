"""The settings of the HTTP API, from its environment."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pgcredits import api_key
from pgcredits.database_urls import AddressError, parts_of, with_password
from pgcredits.issuer_settings import Issuer, IssuerError, read_issuers
from pgcredits.networks import Networks

Prepare: TypeAlias = Literal["auto", "on", "off"]
LogFormat: TypeAlias = Literal["text", "json"]
# What Checkout does besides taking the payment.
CheckoutOption: TypeAlias = Literal[
    "invoices", "receipts", "tax", "tax_ids", "promotion_codes", "saved_cards"
]
CHECKOUT_OPTIONS: tuple[CheckoutOption, ...] = get_args(CheckoutOption)
_STRIPE_KEY = re.compile(r"[sr]k_(?P<mode>test|live)_[A-Za-z0-9_]{1,240}")
_WEBHOOK = "whsec_"  # how Stripe's webhook secrets begin
_STRIPE_PRICE = re.compile(r"price_[A-Za-z0-9_]{1,240}")
_SHORTEST_SECRET = 32  # bytes: a shorter HS256 key can be guessed
_SHORTEST_TEST_SECRET = 8  # bytes of a webhook secret in test mode, where people make up their own
_FEWEST_LETTERS = 8  # different ones: 32 random hex digits have fewer once in ten million times


class SettingsError(ValueError):
    """A setting is missing or unsafe. The message names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds. Secrets are kept out of repr(), and so out of logs."""

    api_database_url: str = field(repr=False)
    service_database_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    public_url: str = "http://127.0.0.1:8000"
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    stripe_api_base: str | None = None
    return_origins: tuple[
        str, ...
    ] = ()  # origins besides public_url that Checkout may send the buyer back to
    checkout: frozenset[CheckoutOption] = frozenset()
    cors_origins: tuple[str, ...] = ()  # empty: no calls from pages of other origins
    guest_secret: str | None = field(default=None, repr=False)  # else made from jwt_secret
    trusted_proxies: Networks = field(default_factory=Networks)  # whose X-Forwarded-For counts
    shared_networks: Networks = field(default_factory=Networks)  # where guests have the higher limit
    pool_size: int = 10  # connections per login and per process
    pool_timeout: float = 5.0  # waiting for a connection, then 503
    answer_timeout: float = 45.0  # for the database to answer, longer than its own time-outs; then 503
    shared_transactions: bool = True  # may spends of a backend that wait share one?
    prepare: Prepare = "auto"  # prepared statements; auto: not on a connection that a pooler is behind
    token_seconds: int = 3600
    max_rows: int = 1000
    event_streams: int = 1000  # per process
    workers: int = 1  # processes, each with pools of its own
    shutdown_delay: float = 2.0  # between SIGTERM and the end of listening
    log_format: LogFormat = "text"  # json: also a line for every request
    metrics_token: str | None = field(default=None, repr=False)  # reads /metrics
    jwt_audience: str | None = None  # what tokens must name in aud; None: aud is not looked at
    issuers: tuple[Issuer, ...] = ()  # whose tokens count beside our own
    publishable_keys: tuple[str, ...] = ()  # texts that pages send as a key, and that stand for nobody

    def __post_init__(self) -> None:
        for variable, address in (
            ("PGCREDITS_API_DATABASE_URL", self.api_database_url),
            ("PGCREDITS_SERVICE_DATABASE_URL", self.service_database_url),
        ):
            try:
                parts_of(address)
            except AddressError as error:
                raise SettingsError(f"{variable}: {error}.") from None
        check_secret("PGCREDITS_JWT_SECRET", self.jwt_secret)
        if self.guest_secret:
            check_secret("PGCREDITS_GUEST_SECRET", self.guest_secret)
        if self.metrics_token:
            check_secret("PGCREDITS_METRICS_TOKEN", self.metrics_token)
        check_stripe(self.stripe_secret_key, self.stripe_webhook_secrets)
        if self.live and self.stripe_api_base:
            raise SettingsError(
                "STRIPE_API_BASE is for the simulator and is refused together with a live key."
            )
        for name, url in (
            ("PGCREDITS_PUBLIC_URL", self.public_url),
            ("STRIPE_API_BASE", self.stripe_api_base),
        ):
            if url is not None and (
                urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname
            ):
                raise SettingsError(f"{name} must be an http(s) URL, not {url!r}.")
        for number, value in (
            ("PGCREDITS_WORKERS", self.workers),
            ("PGCREDITS_POOL_SIZE", self.pool_size),
            ("PGCREDITS_MAX_ROWS", self.max_rows),
            ("PGCREDITS_ANSWER_TIMEOUT", math.ceil(self.answer_timeout)),
        ):
            if value < 1:
                raise SettingsError(f"{number} must be at least 1.")
        for key in self.publishable_keys:
            if key.startswith((api_key.BEGINS, "sb_secret_")) or key.count(".") == 2:
                raise SettingsError(
                    "PGCREDITS_PUBLISHABLE_KEY stands in pages that everyone can read:"
                    " it must be neither an API key nor a token."
                )

    @property
    def live(self) -> bool:
        """True with a Stripe key that moves real money."""
        return is_live(self.stripe_secret_key)

    @property
    def why_nothing_is_sold(self) -> str | None:
        """Why nothing can be bought. Without the webhook secret we could not verify payments."""
        if self.stripe_secret_key is None:
            return "STRIPE_SECRET_KEY is not set: nothing can be bought."
        if not self.stripe_webhook_secrets:
            return "STRIPE_WEBHOOK_SECRET is not set: nothing can be bought, as no payment could be verified."
        return None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment (or `env`). Raises SettingsError."""
        env = os.environ if env is None else env
        return cls(
            api_database_url=_database_url(env, "PGCREDITS_API_DATABASE_URL", "PGCREDITS_API_PASSWORD"),
            service_database_url=_database_url(
                env, "PGCREDITS_SERVICE_DATABASE_URL", "PGCREDITS_SERVICE_PASSWORD"
            ),
            jwt_secret=_required(env, "PGCREDITS_JWT_SECRET"),
            public_url=env.get("PGCREDITS_PUBLIC_URL", "").rstrip("/") or "http://127.0.0.1:8000",
            stripe_secret_key=env.get("STRIPE_SECRET_KEY") or None,
            stripe_webhook_secrets=_list(env, "STRIPE_WEBHOOK_SECRET"),
            stripe_api_base=env.get("STRIPE_API_BASE") or None,
            return_origins=_list(env, "PGCREDITS_RETURN_ORIGINS"),
            checkout=_checkout(env),
            cors_origins=_list(env, "PGCREDITS_CORS_ORIGINS"),
            guest_secret=env.get("PGCREDITS_GUEST_SECRET") or None,
            trusted_proxies=read_networks(env, "PGCREDITS_TRUSTED_PROXIES"),
            shared_networks=read_networks(env, "PGCREDITS_SHARED_NETWORKS"),
            pool_size=_whole(env, "PGCREDITS_POOL_SIZE", 10),
            pool_timeout=_whole(env, "PGCREDITS_POOL_TIMEOUT", 5),
            answer_timeout=_whole(env, "PGCREDITS_ANSWER_TIMEOUT", 45),
            shared_transactions=_switch(env, "PGCREDITS_SHARED_TRANSACTIONS", default=True),
            prepare=_prepare(env),
            token_seconds=_whole(env, "PGCREDITS_TOKEN_SECONDS", 3600),
            max_rows=_whole(env, "PGCREDITS_MAX_ROWS", 1000),
            jwt_audience=env.get("PGCREDITS_JWT_AUDIENCE") or None,
            issuers=_issuers(env),
            publishable_keys=_list(env, "PGCREDITS_PUBLISHABLE_KEY"),
            event_streams=_whole(env, "PGCREDITS_EVENT_STREAMS", 1000),
            workers=_whole(env, "PGCREDITS_WORKERS", 1),
            shutdown_delay=_whole(env, "PGCREDITS_SHUTDOWN_DELAY", 2),
            log_format=_log_format(env),
            metrics_token=env.get("PGCREDITS_METRICS_TOKEN") or None,
        )


def check_secret(name: str, secret: str, random: str | None = None) -> None:
    """Raises SettingsError for a secret that can be guessed. `name` is the variable that it comes from.

    `random`: the part of it that is random, when that is not the whole.
    """
    if len(secret.encode()) < _SHORTEST_SECRET:
        raise SettingsError(f"{name} must be at least {_SHORTEST_SECRET} bytes long.")
    if len(set(secret if random is None else random)) < _FEWEST_LETTERS:
        raise SettingsError(
            f"{name} must be random, with at least {_FEWEST_LETTERS} different characters: "
            "`openssl rand -base64 48` makes one."
        )


def check_stripe(
    secret_key: str | None, webhook_secrets: Iterable[str], name: str = "STRIPE_SECRET_KEY"
) -> None:
    """Raises SettingsError for a text that is not a key of Stripe, and for a weak webhook secret.

    `name` is the variable that the key comes from.

    Somebody who guesses a webhook secret can sign payments that nobody made. With a live key it must be one
    that Stripe made. In test mode people make up their own, so only its length is checked.
    """
    if secret_key is not None and not _STRIPE_KEY.fullmatch(secret_key):
        raise SettingsError(
            f"{name} must be a secret or a restricted key: sk_test_…, sk_live_…, rk_test_… or rk_live_…,"
            " without spaces." + (" Leave it out to sell nothing." if name == "STRIPE_SECRET_KEY" else "")
        )
    for secret in webhook_secrets:
        if not is_live(secret_key):
            if len(secret.encode()) < _SHORTEST_TEST_SECRET:
                raise SettingsError(
                    f"STRIPE_WEBHOOK_SECRET must be at least {_SHORTEST_TEST_SECRET} bytes long."
                )
            continue
        if not secret.startswith(_WEBHOOK):
            raise SettingsError(
                f"STRIPE_WEBHOOK_SECRET must begin with {_WEBHOOK}, as Stripe's do; several are separated by"
                " commas."
            )
        check_secret("STRIPE_WEBHOOK_SECRET", secret, secret.removeprefix(_WEBHOOK))


def stripe_key(env: Mapping[str, str] | None = None) -> str | None:
    """Stripe's secret key from the environment, or None. Raises SettingsError."""
    env = os.environ if env is None else env
    key = env.get("STRIPE_SECRET_KEY") or None
    check_stripe(key, _list(env, "STRIPE_WEBHOOK_SECRET") if key else ())
    return key


def is_live(stripe_secret_key: str | None) -> bool:
    """Does this key move real money?"""
    found = _STRIPE_KEY.fullmatch(stripe_secret_key or "")
    return found is not None and found["mode"] == "live"


def stripe_prices(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The price at Stripe of each pack and plan, from PGCREDITS_STRIPE_PRICES. Raises SettingsError."""
    prices: dict[str, str] = {}
    for item in _list(os.environ if env is None else env, "PGCREDITS_STRIPE_PRICES"):
        pack_id, _, price_id = (part.strip() for part in item.partition("="))
        if not pack_id or not _STRIPE_PRICE.fullmatch(price_id):
            raise SettingsError(
                f"PGCREDITS_STRIPE_PRICES: {item!r} is not of the form pack_id=price_…, separated by commas."
            )
        if prices.setdefault(pack_id, price_id) != price_id:
            raise SettingsError(f"PGCREDITS_STRIPE_PRICES: two prices for the pack {pack_id!r}.")
    return prices


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingsError(f"{name} is not set.")
    return value


def _database_url(env: Mapping[str, str], variable: str, password: str) -> str:
    """The URL that `variable` gives, with the password that the variable `password` gives, if it does."""
    url = _required(env, variable)
    try:
        return with_password(url, env.get(password))
    except AddressError as error:
        raise SettingsError(f"{variable}: {error}.") from None
    except ValueError as error:
        raise SettingsError(f"{password}: {error}.") from None


def _list(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in env.get(name, "").split(",") if item.strip())


def _checkout(env: Mapping[str, str]) -> frozenset[CheckoutOption]:
    asked = _list(env, "PGCREDITS_CHECKOUT")
    unknown = [name for name in asked if name not in CHECKOUT_OPTIONS]
    if unknown:
        raise SettingsError(
            f"PGCREDITS_CHECKOUT takes some of {', '.join(CHECKOUT_OPTIONS)}: not {unknown[0]!r}."
        )
    return frozenset(option for option in CHECKOUT_OPTIONS if option in asked)


def read_networks(env: Mapping[str, str], name: str) -> Networks:
    """The networks that a variable lists. Raises SettingsError."""
    try:
        return Networks(_list(env, name))
    except ValueError as error:
        raise SettingsError(f"{name} must be networks like 10.0.0.0/8, with commas: {error}.") from None


def _issuers(env: Mapping[str, str]) -> tuple[Issuer, ...]:
    try:
        return read_issuers(env.get("PGCREDITS_ISSUERS"))
    except IssuerError as error:
        raise SettingsError(f"PGCREDITS_ISSUERS: {error}.") from None


def _prepare(env: Mapping[str, str]) -> Prepare:
    match env.get("PGCREDITS_PREPARE") or "auto":
        case "auto" | "on" | "off" as prepare:
            return prepare
        case other:
            raise SettingsError(f"PGCREDITS_PREPARE must be auto, on or off, not {other!r}.")


def _log_format(env: Mapping[str, str]) -> LogFormat:
    match env.get("PGCREDITS_LOG_FORMAT") or "text":
        case "text" | "json" as log_format:
            return log_format
        case other:
            raise SettingsError(f"PGCREDITS_LOG_FORMAT must be text or json, not {other!r}.")


def _switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name)
    if text not in (None, "", "on", "off"):
        raise SettingsError(f"{name} must be on or off, not {text!r}.")
    return text == "on" if text else default


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise SettingsError(f"{name} must be a whole number, not {text!r}.")
    return int(text)
