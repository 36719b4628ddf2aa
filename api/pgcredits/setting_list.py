"""Every environment variable that pgcredits reads: its default, what it is for, and which commands read it.

`serve --help` is made of this list. A test compares it with the code, with docs/settings.md and with
docker-compose.yml.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import click

REQUIRED = "required"
_WIDTH = 96  # columns of a help text


@dataclass(frozen=True, slots=True)
class Setting:
    """`default`: as it would be written in the environment; "" is nothing, REQUIRED is no default."""

    name: str
    default: str
    meaning: str
    commands: tuple[str, ...] = ("serve",)


_EVERYWHERE = ("up", "serve", "work")

SETTINGS = (
    Setting(
        "PGCREDITS_API_DATABASE_URL",
        REQUIRED,
        "URL of PostgreSQL for users and callers without a token; login pgcredits_api",
    ),
    Setting(
        "PGCREDITS_SERVICE_DATABASE_URL",
        REQUIRED,
        "URL of PostgreSQL for backends and support; login pgcredits_service",
    ),
    Setting(
        "PGCREDITS_API_PASSWORD",
        "",
        "password of pgcredits_api, with any characters; instead of one in the URL",
        ("serve", "logins"),
    ),
    Setting(
        "PGCREDITS_SERVICE_PASSWORD",
        "",
        "password of pgcredits_service, in the same way;"
        " `work`, `maintain`, `key`, `stripe pull` take PGPASSWORD",
        ("serve", "logins"),
    ),
    Setting(
        "PGCREDITS_ANALYST_PASSWORD",
        "",
        "password that pgcredits_analyst gets; without one it cannot sign in",
        ("logins",),
    ),
    Setting(
        "PGCREDITS_AUDITOR_PASSWORD",
        "",
        "password that pgcredits_auditor gets; without one it cannot sign in",
        ("logins",),
    ),
    Setting(
        "PGCREDITS_ACCOUNTANT_PASSWORD",
        "",
        "password that pgcredits_accountant gets; without one it cannot sign in",
        ("logins",),
    ),
    Setting(
        "PGCREDITS_LOGIN_PASSWORD",
        "",
        "password that a login of an analyst gets; without it one is made, and printed once",
        ("analyst add",),
    ),
    Setting(
        "PGCREDITS_JWT_SECRET",
        REQUIRED,
        "at least 32 random bytes; signs and checks tokens",
        ("serve", "token"),
    ),
    Setting("PGCREDITS_JWT_AUDIENCE", "", "what the claim aud of a token must name", ("serve", "token")),
    Setting(
        "PGCREDITS_ISSUERS",
        "",
        "whose tokens count beside our own: JSON, or the path of a JSON file (docs/identity.md)",
    ),
    Setting(
        "PGCREDITS_PUBLISHABLE_KEY",
        "",
        "texts, with commas, that pages send as their key; like sb_publishable_…, they stand for nobody",
    ),
    Setting("PGCREDITS_TOKEN_SECONDS", "3600", "how long a token of /auth/token is good"),
    Setting(
        "PGCREDITS_PUBLIC_URL",
        "http://127.0.0.1:8000",
        "where people reach this server",
        ("serve", "work", "stripe check"),
    ),
    Setting(
        "STRIPE_SECRET_KEY",
        "",
        "sk_… or rk_…, of test or live; without it nothing is sold",
        (*_EVERYWHERE, "stripe pull", "stripe check"),
    ),
    Setting(
        "STRIPE_WEBHOOK_SECRET",
        "",
        "whsec_…; nothing is sold without it, either; several, with commas, while one replaces another",
        ("up", "serve", "simulator", "stripe check"),
    ),
    Setting(
        "STRIPE_API_BASE",
        "",
        "another address than Stripe's, for a simulator; refused with a live key",
        (*_EVERYWHERE, "stripe pull", "stripe check"),
    ),
    Setting(
        "PGCREDITS_CHECKOUT",
        "",
        "what Checkout also does, with commas: invoices, receipts, tax, tax_ids, promotion_codes,"
        " saved_cards",
    ),
    Setting(
        "PGCREDITS_RETURN_ORIGINS",
        "",
        "origins, with commas, that Checkout may send a buyer back to; the word local admits any page of"
        " this machine, as `up` does",
    ),
    Setting(
        "PGCREDITS_CORS_ORIGINS",
        "",
        "origins, with commas, whose pages may call from a browser; the word local admits any page of this"
        " machine, as `up` does",
    ),
    Setting("PGCREDITS_TRUSTED_PROXIES", "", "networks, with commas, whose X-Forwarded-For is believed"),
    Setting("PGCREDITS_SHARED_NETWORKS", "", "networks, with commas, that guests share: schools, offices"),
    Setting(
        "PGCREDITS_GUEST_SECRET",
        "",
        "salts what is kept of guests; by default made from the JWT secret",
    ),
    Setting("PGCREDITS_WORKERS", "1", "processes of the HTTP API, each with two pools; or `--workers`"),
    Setting("PGCREDITS_POOL_SIZE", "10", "connections to PostgreSQL for each login and process"),
    Setting("PGCREDITS_POOL_TIMEOUT", "5", "seconds that a call waits for a connection; then it is refused"),
    Setting(
        "PGCREDITS_ANSWER_TIMEOUT",
        "45",
        "seconds that a call waits for the database to answer; longer than the database's own time-outs",
    ),
    Setting(
        "PGCREDITS_SHARED_TRANSACTIONS",
        "on",
        "whether spends of a backend that wait at the same time share a transaction: on, off",
    ),
    Setting("PGCREDITS_PREPARE", "auto", "prepared statements: auto (not behind a pooler), on, off"),
    Setting("PGCREDITS_MAX_ROWS", "1000", "rows that one answer has at most"),
    Setting("PGCREDITS_EVENT_STREAMS", "1000", "streams of /balance/events that one process has at most"),
    Setting(
        "PGCREDITS_SHUTDOWN_DELAY",
        "2",
        "seconds after SIGTERM for which connections are still accepted, while /health/ready says no;"
        " `up` sets 0",
    ),
    Setting("PGCREDITS_LOG_FORMAT", "text", "text, or json: lines of JSON, one for every request"),
    Setting(
        "PGCREDITS_METRICS_TOKEN",
        "",
        "at least 32 random bytes; a bearer token that reads /metrics, for Prometheus",
    ),
    Setting(
        "PGCREDITS_DATABASE_URL",
        "",
        "PostgreSQL for a command other than `serve`: as its administrator; as pgcredits_service for"
        " `work`, `maintain`, `key` and `stripe pull`; as pgcredits_auditor for `audit`, `export`"
        " and `stripe check`;"
        " by default that of a running `up`",
        (
            "up",
            "migrate",
            "roles",
            "logins",
            "catalog",
            "key",
            "trust",
            "demo",
            "audit",
            "export",
            "maintain",
            "stripe",
            "work",
        ),
    ),
    Setting(
        "PGCREDITS_DATA_DIR",
        "pgcredits-data",
        "the folder of `up`, and where the other commands find it",
        (
            "up",
            "migrate",
            "roles",
            "logins",
            "catalog",
            "token",
            "key",
            "trust",
            "demo",
            "audit",
            "export",
            "maintain",
            "stripe",
            "work",
            "env",
        ),
    ),
    Setting(
        "PGCREDITS_STRIPE_PRICES",
        "",
        "pack_id=price_…, with commas: the price at Stripe of packs and plans",
        ("up", "catalog apply"),
    ),
    Setting(
        "PGCREDITS_WEBHOOK_NETWORKS",
        "",
        "private networks, with commas, that messages to products may go to",
        ("up", "work"),
    ),
    Setting(
        "STRIPE_READ_KEY",
        "",
        "rk_…, a key that may only read; by default STRIPE_SECRET_KEY is used",
        ("stripe pull", "stripe check"),
    ),
)


def of(command: str) -> list[Setting]:
    """The settings that a command reads."""
    return [setting for setting in SETTINGS if command in setting.commands]


def described(setting: Setting) -> str:
    """The meaning, and the default if there is one."""
    match setting.default:
        case "":
            return setting.meaning
        case "required":
            return f"{setting.meaning} (required)"
        case default:
            return f"{setting.meaning} (default: {default})"


def help_of(command: str, summary: str) -> str:
    """The help text of a command, with all of its settings in columns."""
    settings = of(command)
    wide = max(len(setting.name) for setting in settings) + 2
    lines = [
        line
        for setting in settings
        for line in textwrap.wrap(
            described(setting),
            _WIDTH,
            initial_indent=setting.name.ljust(wide),
            subsequent_indent=" " * wide,
            break_on_hyphens=False,
            break_long_words=False,
        )
    ]
    return f"{summary}\n\n\b\n" + "\n".join(lines)  # \b: click keeps the lines as they are


class DescribedCommand(click.Command):
    """A command whose help ends with its settings."""

    def __init__(self, name: str, **options: object) -> None:
        super().__init__(name, **options)  # type: ignore[arg-type]
        self.help = help_of(name, self.help or "")
