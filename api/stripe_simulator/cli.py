"""The command `stripe-simulator`."""

import os
import signal
import threading
from pathlib import Path

import click

from stripe_simulator.core.chaos import Chaos, parse
from stripe_simulator.run import RealKeysConfigured, run


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--port", type=click.IntRange(1, 65535), default=12111, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default="stripe-simulator-data",
    show_default=True,
    help="Folder of the simulator's state. It is made when it is missing.",
)
@click.option("--webhook-url", required=True, help="Where to send events.")
@click.option(
    "--webhook-secret",
    required=True,
    envvar="STRIPE_WEBHOOK_SECRET",
    show_envvar=True,
    help="Signs the events, as Stripe's whsec_… does.",
)
@click.option(
    "--public-url", metavar="URL", help="Where a browser finds the pay page.  [default: http://HOST:PORT]"
)
@click.option(
    "--chaos",
    metavar="SETTINGS",
    callback=lambda _, __, value: _parse_chaos(value),
    help="Send events twice, late, never: seed=7,duplicate=0.3,reorder=0.3,drop=0.05,delay=0.2,retry=0.1",
)
@click.option("--end-with-stdin", is_flag=True, help="End when the standard input is closed.")
def main(
    port: int,
    host: str,
    data_dir: Path,
    webhook_url: str,
    webhook_secret: str,
    public_url: str | None,
    chaos: Chaos | None,
    end_with_stdin: bool,
) -> None:
    """Simulate Stripe for development: customers, Checkout with a page to click on, signed webhooks.

    It takes no money, and does not start when STRIPE_SECRET_KEY is set.
    """
    os.umask(0o077)  # the state belongs to its owner
    if end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        run(port, data_dir, webhook_url, webhook_secret, host, public_url, chaos)
    except RealKeysConfigured as error:
        raise click.ClickException(str(error)) from error


def _parse_chaos(text: str | None) -> Chaos | None:
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _end_with_stdin() -> None:
    """A parent that is killed leaves no orphan: its end of our standard input closes."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
