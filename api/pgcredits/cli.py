"""The command `pgcredits`. Each command reads its arguments and calls the module that does the work."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click
import psycopg
from rich.console import Console

from pgcredits.bank import (
    analysts,
    api_keys,
    catalogs,
    forget,
    maintenance,
    passwords,
    stripe_check,
    stripe_pull,
    trusted_logins,
)
from pgcredits.bank import audit as audit_module
from pgcredits.bank import export as export_module
from pgcredits.bank import migrate as migrate_module
from pgcredits.bank.migrate import roles as roles_module
from pgcredits.bank.strangers import StrangersError
from pgcredits.demo import DemoError, charges, holds
from pgcredits.exact_number import ExactNumber
from pgcredits.local.embedded import EmbeddedError
from pgcredits.local.instance import DATA_DIR, Instance, InstanceError, shell_line
from pgcredits.local.logins import LoginError
from pgcredits.local.options import Options, UpError
from pgcredits.local.ownership import OwnershipError
from pgcredits.local.parts import SIMULATOR_KEY, SUPERVISED
from pgcredits.local.up import running_up
from pgcredits.local.up import up as start_and_supervise
from pgcredits.setting_list import DescribedCommand
from pgcredits.settings import (
    Settings,
    SettingsError,
    check_secret,
    check_stripe,
    is_live,
    stripe_key,
    stripe_prices,
)
from pgcredits.supabase import Options as SupabaseOptions
from pgcredits.supabase import ProjectError
from pgcredits.supabase import write_files as write_supabase_files
from pgcredits.tokens import ROLES, mint
from pgcredits.work import run as run_worker
from pgcredits.work.settings import WorkSettings

_EXPECTED = (
    analysts.AnalystError,
    api_keys.ApiKeyError,
    audit_module.AnchorError,
    forget.ForgetError,
    audit_module.AuditError,
    trusted_logins.TrustError,
    DemoError,
    EmbeddedError,
    export_module.ExportError,
    InstanceError,
    LoginError,
    OwnershipError,
    SettingsError,
    migrate_module.MigrationError,
    passwords.PasswordError,
    psycopg.OperationalError,
    psycopg.ProgrammingError,  # a URL that cannot be read
    ProjectError,
    stripe_check.BooksError,
    stripe_pull.PullError,
    StrangersError,
    UpError,
)


class _Commands(click.Group):
    """Commands in the order of their definition; expected errors are one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _EXPECTED as error:
            raise click.ClickException(str(error).strip()) from error


_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA_DIR,
    envvar="PGCREDITS_DATA_DIR",
    show_default=True,
    show_envvar=True,
    help="Folder of the database, the secrets and the logs. Finds a running `up`, too.",
)
_DATABASE_URL = click.option(
    "--database-url",
    metavar="URL",
    envvar="PGCREDITS_DATABASE_URL",
    show_envvar=True,
    help="PostgreSQL 15 or newer, as its administrator.  [default: the server of a running `up`]",
)
_SERVICE_URL = click.option(
    "--database-url",
    metavar="URL",
    envvar="PGCREDITS_DATABASE_URL",
    show_envvar=True,
    help="PostgreSQL, as a login that may become service_role: pgcredits_service.  [default: that of `up`]",
)
_AUDITOR_URL = click.option(
    "--database-url",
    metavar="URL",
    envvar="PGCREDITS_DATABASE_URL",
    show_envvar=True,
    help="PostgreSQL, as a login that reads the books: pgcredits_auditor.  [default: that of `up`]",
)

_WAIT = click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="How long to try to get locks that others keep.",
)


def _port(name: str, default: int | None, text: str) -> Callable[..., Any]:
    ports = click.IntRange(1, 65535)
    return click.option(name, metavar="PORT", type=ports, default=default, show_default=True, help=text)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="pgcredits")
def main() -> None:
    """Prepaid tokens, kept by PostgreSQL.

    Start with `pgcredits up`; it prints what to try. The other commands, given in another shell, find a
    running `up` by its data folder.
    """
    os.umask(0o077)  # nobody else may read data, secrets and logs
    _end_with_supervisor()


@main.command()
@_DATA_DIR
@_port("--port", 8000, "Of the API.")
@_port("--simulator-port", None, "Of the Stripe simulator.  [default: the API's + 1]")
@_port("--postgres-port", None, "Of the embedded PostgreSQL.  [default: the API's + 2]")
@click.option(
    "--catalog",
    metavar="NAME|FILE",
    help="Price list.  [default: the one that the data folder has, else iahome]",
)
@click.option("--sub", default="ada", show_default=True, help="User whose token is printed.")
@click.option(
    "--database-url",
    metavar="URL",
    envvar="PGCREDITS_DATABASE_URL",
    show_envvar=True,
    help="Use this PostgreSQL (15 or newer), as its administrator, instead of the embedded one.",
)
@click.option("--adopt", is_flag=True, help="Take over a bank that was set up from another data folder.")
def up(
    data_dir: Path,
    port: int,
    simulator_port: int | None,
    postgres_port: int | None,
    catalog: str | None,
    sub: str,
    database_url: str | None,
    adopt: bool,
) -> None:
    """Start PostgreSQL, API and Stripe simulator.

    They are kept running until Ctrl-C. With STRIPE_SECRET_KEY set, payments go to Stripe and no simulator
    starts; PGCREDITS_STRIPE_PRICES, "pack_id=price_…,pack_id=price_…", gives packs their price there. The
    data stay in the data folder, which can be deleted to begin anew. Tokens and passwords are printed at a
    terminal only.
    """
    start_and_supervise(
        Options(
            data_dir,
            port,
            simulator_port or port + 1,
            postgres_port or port + 2,
            catalog,
            database_url or None,
            sub,
            adopt,
            sys.stdout.isatty(),
        ),
        say=click.echo,
    )


@main.command(cls=DescribedCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@_port("--port", 8000, "Port to listen on.")
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: PGCREDITS_WORKERS, else 1]")
def serve(host: str, port: int, workers: int | None) -> None:
    """Run the API alone, configured by the environment."""
    settings = Settings.from_env()  # an error is one line here, and not one in every worker
    if settings.stripe_secret_key and settings.why_nothing_is_sold:
        click.echo(f"warning: {settings.why_nothing_is_sold}", err=True)
    from pgcredits.http import server  # only here: half of all that would be imported is for the HTTP API

    server.run(host, port, workers or settings.workers, settings.log_format)


@main.command()
@_DATA_DIR
@_DATABASE_URL
@click.option("--plan", "planned", is_flag=True, help="Say what would be done, and change nothing.")
@click.option("--force", is_flag=True, help="Make everything anew, also when nothing has changed.")
@click.option(
    "--harden-database",
    "harden",
    is_flag=True,
    help="Take CONNECT and TEMP on the database from PUBLIC. For a database without neighbours.",
)
@_WAIT
def migrate(
    data_dir: Path, database_url: str | None, planned: bool, force: bool, harden: bool, wait: float
) -> None:
    """Bring a database up to date.

    Applies pending migrations and makes all functions, views and grants, in one transaction. It drops what
    this version no longer makes in the schemas of the bank, and touches nothing outside of them. Safe to run
    at any time, and from several machines at once; nothing is locked when nothing has changed.

    A lock that somebody keeps is waited for two seconds at a time, while nobody else can get past. In
    between, everybody can.
    """
    url = _database(database_url, data_dir)
    options = migrate_module.Options(harden=harden, force=force, wait_seconds=wait)
    if planned:
        for line in migrate_module.describe(migrate_module.plan(url, options, say=click.echo)):
            click.echo(line)
        return
    outcome = migrate_module.run(url, options, say=click.echo)
    if outcome.up_to_date:
        click.echo("up to date: nothing was changed")
    else:
        click.echo(f"{len(outcome.applied)} applied, {len(outcome.changed_files)} files of sql/ changed")


@main.command()
@_DATA_DIR
@_DATABASE_URL
@click.option(
    "--take-ownership",
    is_flag=True,
    help="Also give the bank's schemas, and all in them, back to credits_owner.",
)
def roles(data_dir: Path, database_url: str | None, take_ownership: bool) -> None:
    """Make the roles of the bank that are missing on a server.

    Run it before a dump is restored on another server: no dump of a database has roles in it. Any database of
    that server will do. Passwords are yours to set. --take-ownership is for a bank that was restored without
    the roles: docs/restoring.md.
    """
    roles_module.run(_database(database_url, data_dir), take_ownership)
    click.echo("the roles are there" + (", and everything is credits_owner's" if take_ownership else ""))


@main.command()
@_DATA_DIR
@_DATABASE_URL
@click.option(
    "--pooler-users",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write this auth_file for PgBouncer, with hashes. It takes a superuser.",
)
def logins(data_dir: Path, database_url: str | None, pooler_users: Path | None) -> None:
    """Set the passwords of the bank's logins.

    Each password comes from a variable, and may have any characters. Logins without a variable stay as they
    are. Only hashes reach the server.

    \b
    PGCREDITS_API_PASSWORD      of pgcredits_api: the HTTP API, for users
    PGCREDITS_SERVICE_PASSWORD  of pgcredits_service: the HTTP API for backends, `work`, `maintain`
    PGCREDITS_ANALYST_PASSWORD  of pgcredits_analyst
    PGCREDITS_AUDITOR_PASSWORD  of pgcredits_auditor
    PGCREDITS_ACCOUNTANT_PASSWORD  of pgcredits_accountant
    """
    given = passwords.from_env()
    url = _database(database_url, data_dir)
    for login, changed in passwords.run(url, given).items():
        click.echo(f"{login} {'has its new password' if changed else 'has this password already'}")
    if pooler_users is not None:
        passwords.write_pooler_users(url, pooler_users)
        click.echo(f"wrote {pooler_users}")


@main.group(cls=_Commands)
def catalog() -> None:
    """The price lists: modules, prices and packs."""


@catalog.command("list")
def catalog_list() -> None:
    """List the price lists that come with pgcredits."""
    for name in catalogs.list_catalogs():
        click.echo(name)


@catalog.command("apply")
@click.argument("name_or_file")
@_DATA_DIR
@_DATABASE_URL
@_WAIT
@click.option("--add", is_flag=True, help="Beside the price list of another product.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def catalog_apply(
    name_or_file: str,
    data_dir: Path,
    database_url: str | None,
    wait: float,
    add: bool,
    dry_run: bool,
) -> None:
    """Apply a price list, by its name or from an SQL file.

    Repeatable: a changed price makes a new version. Packs get their price at Stripe from
    PGCREDITS_STRIPE_PRICES, "pack_id=price_…,pack_id=price_…". A file holds `select credits.define_…(…);` and
    nothing else, and a login that may do nothing else applies it.
    """
    prices = stripe_prices()
    url = _database(database_url, data_dir)
    applied = catalogs.apply_catalog(
        url,
        name_or_file,
        stripe_prices=prices,
        wait_seconds=wait,
        say=click.echo,
        add=add,
        dry_run=dry_run,
    )
    if dry_run:
        click.echo("\n".join(applied.difference()) or "nothing would change")
        return
    click.echo(f"applied {applied.path}")
    names = catalogs.applied_catalogs(url)
    if len(names) > 1:
        click.echo(
            f"this bank has several price lists, {', '.join(names)}: their units are counted together",
            err=True,
        )


@catalog.command("import")
@click.argument("source", type=click.Choice(["genai-prices"]))
@click.option(
    "--models",
    metavar="GLOB,…",
    required=True,
    help="Ids of models, such as gpt-5-mini,claude-haiku-*",
)
@click.option(
    "--margin", metavar="PERCENT", type=ExactNumber(), required=True, help="On the provider's price."
)
@click.option(
    "--provider", "providers", metavar="ID", multiple=True, help="Who sells them.  [default: anybody]"
)
@click.option(
    "--rate",
    metavar="NUMBER",
    type=ExactNumber(above_zero=True),
    help="US cents for one cent of the price list's currency, such as 1.08.  [default: 1 for usd]",
)
@click.option(
    "--unit",
    metavar="NUMBER",
    type=ExactNumber(above_zero=True),
    help="Tokens of the balance for one such cent.  [default: 1 where balances count cents]",
)
@click.option("--dearest", is_flag=True, help="Take the highest rate where it depends on the input's length.")
@_DATA_DIR
@_DATABASE_URL
@_WAIT
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def catalog_import(
    source: str,
    models: str,
    margin: Decimal,
    providers: tuple[str, ...],
    rate: Decimal | None,
    unit: Decimal | None,
    dearest: bool,
    data_dir: Path,
    database_url: str | None,
    wait: float,
    dry_run: bool,
) -> None:
    """Import what language models cost, from the Python package genai-prices.

    Each model becomes a module with a price of its own. The rates are those of today, in the package that is
    installed; nothing is asked of the internet. A price that was set by hand is kept. Repeatable: a changed
    rate makes a new version. All is done in one transaction. A model that cannot be imported is refused by
    name; exit code 1 when there is one.
    """
    globs = [glob for glob in (part.strip() for part in models.split(",")) if glob]
    if not globs:
        raise click.UsageError("--models names no model")
    asked = catalogs.Asked(globs, providers, margin, rate, unit, dearest)
    imported = catalogs.import_prices(
        _database(database_url, data_dir), asked, wait, click.echo, dry_run=dry_run
    )
    for line in imported.lines():
        click.echo(line)
    if dry_run:
        click.echo("nothing was written")
    if imported.refused:
        sys.exit(1)


@main.command()
@_DATA_DIR
@click.option("--sub", metavar="USER", help="User id, the token's subject. A user's token needs one.")
@click.option("--role", type=click.Choice(ROLES), default="authenticated", show_default=True)
@click.option(
    "--expires-in",
    type=click.IntRange(1),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Lifetime.",
)
def token(data_dir: Path, sub: str | None, role: str, expires_in: int) -> None:
    """Print a signed token (JWT).

    Signed with PGCREDITS_JWT_SECRET, else with the secret of the data folder. Names
    PGCREDITS_JWT_AUDIENCE in aud, if there is one.
    """
    secret = os.environ.get("PGCREDITS_JWT_SECRET")
    try:
        audience = os.environ.get("PGCREDITS_JWT_AUDIENCE")
        if secret:
            check_secret("PGCREDITS_JWT_SECRET", secret)
        else:
            secret = Instance(data_dir).jwt_secret()
            audience = audience or Instance(data_dir).jwt_audience()
        click.echo(mint(secret, role, sub, expires_in, audience or None))
    except SettingsError:
        raise
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@main.group(cls=_Commands)
def key() -> None:
    """The API keys of backends: docs/identity.md."""


_EXPIRES_IN = click.option(
    "--expires-in", type=click.IntRange(1), metavar="DAYS", help="Lifetime.  [default: it does not expire]"
)
_REASON = click.option("--reason", metavar="TEXT", help="Why, for the record.")


@key.command("create")
@click.argument("name")
@_DATA_DIR
@_SERVICE_URL
@click.option("--role", type=click.Choice(api_keys.ROLES), default="spender", show_default=True)
@_EXPIRES_IN
@click.option("--idempotency-key", metavar="KEY", help="A repeated call makes no second key, and shows none.")
def key_create(
    name: str,
    data_dir: Path,
    database_url: str | None,
    role: str,
    expires_in: int | None,
    idempotency_key: str | None,
) -> None:
    """Make an API key and print it.

    It is printed this once: the bank keeps only a hash.
    """
    url = _service_database(database_url, data_dir)
    _show(api_keys.create(url, name, role, _in_days(expires_in), idempotency_key))


@key.command("list")
@_DATA_DIR
@_SERVICE_URL
def key_list(data_dir: Path, database_url: str | None) -> None:
    """List the API keys, with when each was last used."""
    for row in api_keys.listed(_service_database(database_url, data_dir)):
        used = f"used {row['last_used_at']:%Y-%m-%d %H:%M}" if row["last_used_at"] else "never used"
        ends = f"expires {row['expires_at']:%Y-%m-%d}" if row["expires_at"] else "does not expire"
        click.echo(f"{row['key_id']}  {row['role']:<12}  {row['state']:<7}  {used}, {ends}  {row['name']}")


@key.command("rotate")
@click.argument("key_id")
@_DATA_DIR
@_SERVICE_URL
@click.option(
    "--overlap",
    type=click.FloatRange(0, 30 * 24),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="How long the old secret still works.",
)
@click.option(
    "--expires-in", type=click.IntRange(1), metavar="DAYS", help="New lifetime.  [default: it ends as before]"
)
@_REASON
def key_rotate(
    key_id: str,
    data_dir: Path,
    database_url: str | None,
    overlap: float,
    expires_in: int | None,
    reason: str | None,
) -> None:
    """Give an API key a new secret and print it."""
    url = _service_database(database_url, data_dir)
    _show(api_keys.rotate(url, key_id, timedelta(hours=overlap), _in_days(expires_in), reason))


@key.command("revoke")
@click.argument("key_id")
@_DATA_DIR
@_SERVICE_URL
@_REASON
def key_revoke(key_id: str, data_dir: Path, database_url: str | None, reason: str | None) -> None:
    """Revoke an API key, and the keys that were made with it.

    Running HTTP APIs notice within 10 seconds.
    """
    _show(api_keys.revoke(_service_database(database_url, data_dir), key_id, reason))


def _in_days(days: int | None) -> datetime | None:
    return None if days is None else datetime.now(UTC) + timedelta(days=days)


def _show(made: api_keys.Made) -> None:
    """The key alone goes to stdout, so that a script can take it."""
    click.echo(f"{made.key_id}  {made.role}  {made.state}  {made.name}", err=True)
    if made.api_key is not None:
        click.echo(made.api_key)
    elif made.replayed:
        click.echo("this key was made before, and its text cannot be shown again: rotate it", err=True)


@main.command()
@click.argument("login", required=False)
@_DATA_DIR
@_DATABASE_URL
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("authenticated",),
    show_default=True,
    help="A role that it becomes for users.",
)
@click.option("--remove", is_flag=True, help="Trust its claims no longer.")
def trust(
    login: str | None, data_dir: Path, database_url: str | None, roles: tuple[str, ...], remove: bool
) -> None:
    """Let a login say who its user is.

    For a PostgREST of your own, or Supabase's authenticator: claims in its sessions then count, as those of
    the HTTP API do. Anyone who has its password can be any user (docs/identity.md). Without a LOGIN the
    trusted ones are listed.
    """
    url = _database(database_url, data_dir)
    if login is None:
        for row in trusted_logins.listed(url):
            click.echo(f"{row.login}  {', '.join(row.roles)}  since {row.trusted_at:%Y-%m-%d %H:%M}")
    elif remove:
        trusted_logins.distrust(url, login)
        click.echo(f"claims of {login} do not count any more")
    else:
        trusted_logins.trust(url, login, roles)
        click.echo(f"claims of {login} count when it is {', '.join(roles)}")


@main.group(cls=_Commands)
def analyst() -> None:
    """The logins of people who count: docs/analysts.md."""


@analyst.command("add")
@click.argument("name")
@_DATA_DIR
@_DATABASE_URL
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Accounts it counts. Repeatable.")
@click.option("--all", "everybody", is_flag=True, help="It counts every account, and every guest.")
@click.option("--personal-data", is_flag=True, help="It also reads which users these accounts are.")
@click.option(
    "--connections",
    type=click.IntRange(1, analysts.MOST_CONNECTIONS),
    default=5,
    show_default=True,
    help="How many sessions it may have at once.",
)
@click.option("--ask-password", is_flag=True, help="Ask for the password instead of making one.")
def analyst_add(
    name: str,
    data_dir: Path,
    database_url: str | None,
    segments: tuple[str, ...],
    everybody: bool,
    personal_data: bool,
    connections: int,
    ask_password: bool,
) -> None:
    """Make a login of its own for an analyst, or change what it counts.

    The password is PGCREDITS_LOGIN_PASSWORD, or is asked for, or is made and printed this once: only its hash
    reaches the server. Repeatable: a login that is there keeps its password, counts what this call names and
    nothing else, and gets its bounds again. It takes an administrator who may create roles.
    """
    if everybody == bool(segments):
        raise click.UsageError("give either --segment, once or more, or --all")
    password = passwords.of_a_login()
    if ask_password and password is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    added = analysts.add(
        _database(database_url, data_dir),
        name,
        ["*"] if everybody else segments,
        personal_data=personal_data,
        connections=connections,
        password=password,
    )
    what = "every account" if everybody else f"the segments {', '.join(sorted(set(segments)))}"
    persons = "and reads which users they are" if personal_data else "without persons"
    click.echo(f"{name} counts {what}: {added.accounts} account(s) now, {persons}", err=True)
    for segment in added.empty:
        click.echo(
            f"warning: no account has the segment {segment} now: docs/analysts.md says how to give it",
            err=True,
        )
    click.echo(f"connect to {added.url} with the password of this login", err=True)
    if not added.disk_bounded:
        click.echo("its temporary files have no bound, because only a superuser may set one", err=True)
    if added.password is not None:
        click.echo(added.password)
    elif not added.new and password is None:
        click.echo("its password is as before", err=True)


@analyst.command("list")
@_DATA_DIR
@_DATABASE_URL
def analyst_list(data_dir: Path, database_url: str | None) -> None:
    """List the analysts, and what each may count."""
    for row in analysts.listed(_database(database_url, data_dir)):
        counts = "all" if row.segments == ["*"] else ", ".join(row.segments)
        persons = "with persons" if row.personal_data else "without persons"
        since = f", since {row.granted_at:%Y-%m-%d} by {row.granted_by}" if row.granted_at else ""
        click.echo(f"{row.login}  {counts}, {persons}  {row.standing}, {row.sessions} session(s){since}")


@analyst.command("remove")
@click.argument("name")
@_DATA_DIR
@_DATABASE_URL
def analyst_remove(name: str, data_dir: Path, database_url: str | None) -> None:
    """Take everything from an analyst, end its sessions and drop its role.

    Repeatable. Exit code 1 when something could not be done, which it says.
    """
    removed = analysts.remove(_database(database_url, data_dir), name)
    if removed.counted or removed.sessions:
        click.echo(f"{name} counts nothing any more; {removed.sessions} session(s) ended")
    else:
        click.echo(f"{name} was no analyst of this bank" if not removed.left else f"{name} counted nothing")
    for sentence in removed.left:
        click.echo(sentence, err=True)
    if removed.left:
        sys.exit(1)


@main.command()
@_port("--port", 8001, "Port to listen on, on 127.0.0.1.")
@_DATA_DIR
@click.option("--webhook-url", default="http://127.0.0.1:8000/webhooks/stripe", show_default=True)
@click.option(
    "--webhook-secret",
    required=True,
    envvar="STRIPE_WEBHOOK_SECRET",
    show_envvar=True,
    help="Signs the events, as whsec_… of Stripe does.",
)
def simulator(port: int, data_dir: Path, webhook_url: str, webhook_secret: str) -> None:
    """Run the Stripe simulator alone.

    A tool for development: customers, Checkout with a page to click on, signed webhooks. It takes no money,
    and does not start when STRIPE_SECRET_KEY is set.
    """
    from stripe_simulator.run import RealKeysConfigured, run

    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        run(port, data_dir, webhook_url, webhook_secret)
    except RealKeysConfigured as error:
        raise click.ClickException(str(error)) from error


@main.command("forget")
@click.argument("user", required=False)
@_DATA_DIR
@_SERVICE_URL
@click.option("--account", type=click.UUID, help="The account of the user, instead of the user id.")
@click.option("--give-up-balance", is_flag=True, help="Let a balance that was paid expire first.")
@click.option("--list", "listing", is_flag=True, help="List the accounts of users who were forgotten.")
@click.option(
    "--again",
    type=click.File("rb"),
    metavar="FILE",
    help="Forget those of such a list again, after a restore from an older backup.",
)
def forget_command(
    user: str | None,
    data_dir: Path,
    database_url: str | None,
    account: UUID | None,
    give_up_balance: bool,
    listing: bool,
    again: BinaryIO | None,
) -> None:
    """Forget a user: who they were and what was noted about them. The books stay.

    Refused while money is owed or may still move. Save the list of --list beside each backup: it has ids of
    accounts and times alone. With --again, exit code 1 when a user could not be forgotten, which it says. A
    balance that was paid expires only with --give-up-balance.
    """
    if [user is not None, account is not None, listing, again is not None].count(True) != 1:
        raise click.UsageError("give one of USER, --account, --list and --again")
    url = _service_database(database_url, data_dir)
    if listing:
        for known, since, done in forget.listed(url):
            click.echo(f"{known}  {since:%Y-%m-%d %H:%M:%S}  {'forgotten' if done else 'under way'}")
    elif again is not None:
        results = list(forget.again(url, forget.accounts_in(again.read()), give_up_balance))
        for result in results:
            click.echo(f"{result.account_id}  {result.state}{f': {result.why}' if result.why else ''}")
        if any(result.state == "refused" for result in results):
            sys.exit(1)
    else:
        gone = forget.forget(url, user, str(account) if account else None, give_up_balance)
        state = "forgotten before" if gone.replayed else "forgotten"
        click.echo(f"{gone.account_id}  {state}, {gone.given_up} tokens expired")
        for login in gone.sql_logins:
            click.echo(f"drop the SQL login of this user, too: {login}", err=True)


@main.command()
@_DATA_DIR
@click.option(
    "--trace",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV file of requests.  [default: the part of the Azure trace that comes with pgcredits]",
)
@click.option("--workers", type=click.IntRange(1), default=16, show_default=True, help="Requests at once.")
@click.option("--users", type=click.IntRange(1), help="Who share the requests.  [default: fits the trace]")
@click.option(
    "--holds", "holding", is_flag=True, help="Hold the worst case first; jobs fail, and workers are killed."
)
@click.option("--seed", type=int, help="With --holds: which of them.  [default: another one each time]")
def demo(
    data_dir: Path, trace: Path | None, workers: int, users: int | None, holding: bool, seed: int | None
) -> None:
    """Replay real LLM traffic, then audit.

    Users sign up, buy, spend, run dry and buy again, at the prices of appforge: against the running `up` of
    the data folder, or one that is started for it. Exit code 1 when the audit finds anything.

    With --holds each request holds its worst case first, and captures what it used. Some fail, and are free.
    Some have their worker killed, and their holds expire by themselves. Exit code 1, too, when any of them
    has not come to the end that it should.
    """
    if seed is not None and not holding:
        raise click.UsageError("--seed goes with --holds")
    console = Console()
    with running_up(data_dir, click.echo) as running:
        catalogs.apply_catalog(running.database_url, "appforge", add=True)
        if holding:
            holds.run(running, trace, workers, users, seed, console)
        else:
            charges.run(running.api_url, trace, workers, users, console)
        if not _audit(running.database_url, console):
            sys.exit(1)


@main.group(cls=_Commands, invoke_without_command=True)
@_DATA_DIR
@_DATABASE_URL
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check; may be given again.")
@click.option("--incremental", is_flag=True, help="Only what is new since the last incremental audit.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on one line, instead of a table.")
@click.option(
    "--watch", type=click.FloatRange(1, 86400), metavar="SECONDS", help="Again and again, until Ctrl-C."
)
@click.option("--times", type=click.IntRange(1), metavar="N", help="With --watch: so many times.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 8),
    default=min(os.cpu_count() or 1, 4),
    metavar="N",
    help="Connections that share the work, at most 8.  [default: one for each processor here, at most 4]",
)
@click.pass_context
def audit(
    ctx: click.Context,
    data_dir: Path,
    database_url: str | None,
    only: tuple[str, ...],
    incremental: bool,
    as_json: bool,
    watch: float | None,
    times: int | None,
    jobs: int,
) -> None:
    """Check the books.

    Runs every reconciliation check in one snapshot; exit code 1 when one finds anything. Says what each
    finding means and what to do about it.

    --incremental verifies the entries since its last run, in seconds. It leaves older entries, and what is
    not about accounts, to the full audit: docs/auditing.md says what that means.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    if times is not None and watch is None:
        raise click.UsageError("--times goes with --watch")
    if incremental and only:
        raise click.UsageError("--incremental is a check of its own: it does not go with --only")
    url, console = _database(database_url, data_dir), Console()

    def once() -> bool:
        if incremental:
            return _audit_changes(url, console, jobs, as_json)
        return _audit(url, console, jobs, only, as_json)

    if watch is None:
        good = once()
    else:
        good = audit_module.watch(once, watch, times, say=lambda text: click.echo(text, err=True))
    if not good:
        sys.exit(1)


@audit.command()
@_DATA_DIR
@_AUDITOR_URL
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A new file.")
def anchor(data_dir: Path, database_url: str | None, to: Path | None) -> None:
    """Write down the heads of all hash chains, to be kept elsewhere.

    Prints the time, the counts and the root, one hash over all heads. `audit verify` compares the file with
    the bank at any later time. A FILE that ends with .gz is compressed. docs/auditing.md describes it.
    """
    click.echo(str(audit_module.make_anchor(_auditor_database(database_url, data_dir), to)))


@audit.command()
@_DATA_DIR
@_AUDITOR_URL
@click.option(
    "--anchor",
    "file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="What `audit anchor` has written.",
)
@click.option("--root", metavar="HEX", help="The root that it printed, if you kept it in another place.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on one line, instead of a table.")
def verify(data_dir: Path, database_url: str | None, file: Path, root: str | None, as_json: bool) -> None:
    """Compare the bank with an anchor.

    Finds an older backup that was restored, accounts that are gone, and chains that were written anew, and
    names the accounts. Exit code 1 when it finds anything. `pgcredits audit` says whether the chains hold.
    """
    check = audit_module.compare_anchor(
        _auditor_database(database_url, data_dir), file, root, say=lambda line: click.echo(line, err=True)
    )
    if as_json:
        click.echo(audit_module.as_json([check], "anchor"))
    else:
        audit_module.report([check], Console(), "the bank has every head of the anchor")
    if check.rows:
        sys.exit(1)


@main.command()
@_DATA_DIR
@_SERVICE_URL
@click.option("--every", type=click.FloatRange(min=1), metavar="SECONDS", help="Again and again, for ever.")
@click.option(
    "--end-idle",
    type=click.FloatRange(min=1),
    is_flag=False,
    flag_value=60,
    metavar="SECONDS",
    help="First end sessions that have been idle in a transaction for so long (60), with locks of the bank.",
)
def maintain(data_dir: Path, database_url: str | None, every: float | None, end_idle: float | None) -> None:
    """Book what the clock has made due.

    Expired lots, notices of those that expire soon, new periods of spend limits. Balances never depend on
    it: they go by the clock themselves. `up` does this every minute.

    --end-idle takes a superuser, or a member of pg_signal_backend and pg_read_all_stats. It leaves
    superusers and replication alone.
    """
    url = _database(database_url, data_dir)
    try:
        if every is not None:
            maintenance.keep_maintaining(url, every, click.echo, end_idle)
        if end_idle is not None:
            for ended in maintenance.end_idle(url, end_idle):
                click.echo(str(ended))
        click.echo(f"{maintenance.maintain(url)} account(s) brought up to date")
    except maintenance.RightsError as error:
        raise click.ClickException(str(error)) from error


@main.group(cls=_Commands)
def stripe() -> None:
    """The payment provider."""


@stripe.command("check")
@_DATA_DIR
@_AUDITOR_URL
def check_stripe_setup(data_dir: Path, database_url: str | None) -> None:
    """Say what is wrong with the set-up at Stripe.

    Looks at the keys, their rights and their mode, the webhook endpoint, its events and API version, what
    could not be delivered, the prices of packs and plans, the portal, and whether PGCREDITS_PUBLIC_URL
    answers and has the webhook secret. Each line says what was found, and the remedy. Exit code 1 when
    something is wrong. It only reads (docs/stripe.md).

    \b
    STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, PGCREDITS_PUBLIC_URL
                     the same as those of `serve`
    STRIPE_READ_KEY  rk_, a restricted key that may only read; without it, STRIPE_SECRET_KEY is used
    """
    given = stripe_check.Given.from_env()
    if database_url is None:
        instance = Instance(data_dir)
        running = instance.running()
        database_url = running.auditor_url
        given = replace(given, public_url=running.api_url)
        if running.simulator_url:
            secret = instance.secrets().webhook_secret
            given = stripe_check.Given(SIMULATOR_KEY, None, (secret,), running.simulator_url, running.api_url)
    states = []
    for line in stripe_check.run(database_url, given):
        click.echo(str(line))
        states.append(line.state)
    faults = states.count("wrong")
    if faults:
        click.echo(f"{faults} {'thing is' if faults == 1 else 'things are'} wrong")
        sys.exit(1)
    click.echo("nothing is wrong")


@stripe.command()
@_DATA_DIR
@_SERVICE_URL
@click.option(
    "--since",
    type=click.DateTime(),
    metavar="DATE",
    help="Read the lists back to this day (UTC).  [default: to where the last pull ended]",
)
@click.option("--only-read", is_flag=True, help="Apply nothing: `audit` then says what is missing.")
def pull(data_dir: Path, database_url: str | None, since: datetime | None, only_read: bool) -> None:
    """Read what Stripe has, and apply what the bank missed.

    Copies Stripe's lists of events, payments, refunds, disputes and payouts into the bank. The audit compares
    them with the books there (check `stripe`). Events that the bank did not get are applied as if they came
    now. So is what a session, a refund or a dispute says whose events Stripe has forgotten. Exit code 1 when
    something could not be applied. If a pull is killed, the next one goes on (docs/stripe.md).

    \b
    STRIPE_READ_KEY    rk_, a restricted key that may only read; without it, STRIPE_SECRET_KEY is used
    """
    read_key = os.environ.get("STRIPE_READ_KEY") or None
    check_stripe(read_key, (), "STRIPE_READ_KEY")
    key, base = read_key or stripe_key(), os.environ.get("STRIPE_API_BASE") or None
    if database_url is None:
        running = Instance(data_dir).running()
        database_url = running.service_database_url
        if key is None and running.simulator_url:
            key, base = SIMULATOR_KEY, running.simulator_url
    if key is None:
        raise click.UsageError("STRIPE_READ_KEY or STRIPE_SECRET_KEY is not set")
    if base is not None and is_live(key):
        raise click.UsageError("STRIPE_API_BASE is for the simulator and is refused together with a live key")
    with stripe_pull.stripe_reader(key, base) as client:
        pulled = stripe_pull.pull(
            database_url,
            client,
            since.replace(tzinfo=UTC) if since else None,
            say=click.echo,
            apply=not only_read,
        )
    for name, number in pulled.objects.items():
        click.echo(f"{name}: {number} read")
    for outcome, number in pulled.applied.items():
        click.echo(f"{outcome}: {number}")
    for name, why in pulled.refused:
        click.echo(f"{name} was not applied: {why}", err=True)
    if pulled.refused or pulled.unreadable:
        sys.exit(1)
    click.echo(
        "`pgcredits audit` compares the books with them"
        if pulled.applied or only_read
        else "nothing was missing"
    )


@main.command()
@_DATA_DIR
@_SERVICE_URL
@click.option(
    "--every",
    type=click.FloatRange(min=0.05),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait when nothing is due.",
)
@click.option(
    "--at-once", type=click.IntRange(1, 100), default=4, show_default=True, help="Calls to Stripe at once."
)
def work(data_dir: Path, database_url: str | None, every: float, at_once: int) -> None:
    """Do what the bank has written down to be done outside.

    Charges saved cards for automatic top-ups, and refunds payments (docs/automatic-topups.md). Runs until
    Ctrl-C or SIGTERM. `up` runs one; several at once are safe, and a killed one loses nothing.

    \b
    STRIPE_SECRET_KEY     sk_ or rk_, the same as that of `serve`; without it nothing is charged
    PGCREDITS_PUBLIC_URL  where people reach the API: Stripe sends them back there
    PGCREDITS_WEBHOOK_NETWORKS
                          private networks, with commas, that messages to products may go to
    """
    url = _database(database_url, data_dir)
    run_worker(WorkSettings.from_env(url), every, at_once)


@main.group(cls=_Commands)
def supabase() -> None:
    """The bank in a Supabase project: docs/supabase.md."""


@supabase.command("init")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="supabase",
    show_default=True,
    help="Folder of the project: the one with config.toml.",
)
@click.option("--catalog", metavar="NAME|FILE", help="Also a migration that applies this price list.")
@click.option("--add", is_flag=True, help="The price list goes beside the one of another product.")
def supabase_init(folder: Path, catalog: str | None, add: bool) -> None:
    """Write the migrations and settings of the bank.

    `supabase db push` applies the migrations. Overwrites no file: a second run changes nothing. Packs get
    their price at Stripe from PGCREDITS_STRIPE_PRICES, "pack_id=price_…,pack_id=price_…".
    """
    write_supabase_files(SupabaseOptions(folder, catalog, add), say=click.echo)


@main.command()
@_DATA_DIR
@click.option("--sub", default="ada", show_default=True, help="User of USER_TOKEN and USER_URL.")
@click.option("--admin", is_flag=True, help="Also ADMIN_DATABASE_URL: the database, as its superuser.")
def env(data_dir: Path, sub: str, admin: bool) -> None:
    """Print a running `up` as shell variables.

    \b
    eval "$(pgcredits env)"
    curl -H "Authorization: Bearer $USER_TOKEN" $PGCREDITS_URL/rest/v1/balance
    psql "$USER_URL" -c 'table api.balance'
    """
    instance = Instance(data_dir)
    variables = instance.environment(sub)
    if admin:
        variables["ADMIN_DATABASE_URL"] = instance.running().database_url
    for name, value in variables.items():
        click.echo(shell_line(name, value))


def _audit(
    database_url: str,
    console: Console,
    jobs: int = 1,
    only: Sequence[str] = (),
    as_json: bool = False,
) -> bool:
    """Audit, print what was found, leave word of it in the bank. True if the books are sound."""
    with audit_module.shown_progress() as progress:
        checks = audit_module.run(database_url, jobs=jobs, only=only, progress=progress)
    if as_json:
        click.echo(audit_module.as_json(checks, "part" if only else "full"))
    else:
        audit_module.report(checks, console)
    if checks and not only and not audit_module.note(database_url, checks):
        click.echo("the bank did not note this audit, so /metrics does not know of it", err=True)
    return audit_module.sound(checks)


def _audit_changes(database_url: str, console: Console, jobs: int, as_json: bool) -> bool:
    """Audit what is new, print what was found. True if it is sound."""
    with audit_module.shown_progress() as progress:
        changes = audit_module.run_changes(database_url, jobs=jobs, progress=progress)
    if as_json:
        click.echo(audit_module.as_json([changes], "incremental"))
    else:
        audit_module.report([changes], console, "what is new is sound")
    return not changes.rows


def _database(database_url: str | None, data_dir: Path) -> str:
    return database_url or Instance(data_dir).running().database_url


@main.group(cls=_Commands, invoke_without_command=True)
@_DATA_DIR
@_AUDITOR_URL
@click.option("--month", metavar="YYYY-MM", help="The month, in UTC.")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="A folder that does not exist."
)
@click.option("--personal-data", is_flag=True, help="Add user ids and metadata to the entries.")
@click.pass_context
def export(
    ctx: click.Context,
    data_dir: Path,
    database_url: str | None,
    month: str | None,
    folder: Path | None,
    personal_data: bool,
) -> None:
    """Export a month of the books as CSV and NDJSON.

    Writes the views of finance, the entries of the month, the last entry of every account, and a manifest
    with sizes, rows and sha256 of all files, all of one moment. The folder is complete, or absent.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    if month is None or folder is None:
        raise click.UsageError("--month and --to are needed")
    url = _auditor_database(database_url, data_dir)
    manifest, digest = export_module.write(url, month, folder, personal_data)
    rows = sum(file.rows for file in manifest.files)
    state = "closed" if manifest.closed_at else "open"
    click.echo(f"{folder}: {month} ({state}), {len(manifest.files)} files, {rows} rows")
    click.echo(f"root {manifest.root_hash}")
    click.echo(f"manifest-sha256 {digest}")


@export.command("verify")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--manifest-sha256",
    metavar="HEX",
    help="What `export` printed, if you kept it in another place. Finds any change of any file.",
)
@click.option(
    "--root", metavar="HEX", help="The root of the close: the folder is of the ledger that was closed."
)
def export_verify(folder: Path, manifest_sha256: str | None, root: str | None) -> None:
    """Compare an export with its manifest. Asks no database.

    Exit code 1 when a file is missing, was added or was changed.
    """
    manifest = export_module.verify(folder, manifest_sha256=manifest_sha256, root=root)
    of = f"of {manifest.month} at {manifest.made_at}"
    if manifest_sha256 is not None:
        click.echo(f"{folder} is what was exported {of}")
    else:
        click.echo(f"{folder} agrees with its manifest, {of}. --manifest-sha256 proves the manifest, too")


def _refuse_options(ctx: click.Context) -> None:
    """Options before the name of a subcommand would be lost."""
    for name in ctx.params:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"options go after `{ctx.info_name} {ctx.invoked_subcommand}`")


def _auditor_database(database_url: str | None, data_dir: Path) -> str:
    return database_url or Instance(data_dir).running().auditor_url


def _service_database(database_url: str | None, data_dir: Path) -> str:
    return database_url or Instance(data_dir).running().service_database_url


def _end_with_supervisor() -> None:
    """As a child of `up`, end when `up` ends, even by kill -9: our stdin closes then."""
    if os.environ.pop(SUPERVISED, None):

        def wait() -> None:
            os.read(0, 1)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
