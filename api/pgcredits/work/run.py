"""The worker: one thread for each kind of work. SIGTERM and Ctrl-C end it when what it does now is done."""

from __future__ import annotations

import logging
import signal
from threading import Event, Thread

from pgcredits.work.loops import Work, keep_working
from pgcredits.work.settings import WorkSettings
from pgcredits.work.stripe_calls import StripeCalls
from pgcredits.work.webhooks.deliver import Webhooks

log = logging.getLogger("pgcredits.work")

_PATIENCE = 60.0  # seconds for what is being done: longer than a call to Stripe takes


def works(settings: WorkSettings, at_once: int) -> list[Work]:
    """All kinds of work that these settings allow."""
    found: list[Work] = [Webhooks(settings)]
    if settings.stripe_secret_key is not None:
        found.append(StripeCalls(settings, at_once))
    else:
        log.warning("STRIPE_SECRET_KEY is not set: no calls to Stripe are made")
    return found


def run(settings: WorkSettings, every: float = 1.0, at_once: int = 4) -> None:
    """Work until SIGTERM or SIGINT. `every`: seconds between two looks when nothing is due.

    `at_once`: how many calls to Stripe at the same time.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("stripe").setLevel(logging.WARNING)
    stopping = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    threads = [
        Thread(target=keep_working, args=(work, stopping, every), name=work.name, daemon=True)
        for work in works(settings, at_once)
    ]
    log.info("working: %s", ", ".join(thread.name for thread in threads) or "nothing to do")
    for thread in threads:
        thread.start()
    ended: list[str] = []
    while not stopping.wait(1.0) and not ended:
        ended = [thread.name for thread in threads if not thread.is_alive()]
    stopping.set()
    for thread in threads:
        thread.join(_PATIENCE)
    if ended:  # by a fault of ours: what started the worker starts it again
        raise SystemExit(f"{', '.join(ended)} ended by itself")
    log.info("stopped")
