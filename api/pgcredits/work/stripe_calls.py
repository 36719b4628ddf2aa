"""Calls to Stripe that the bank wants: take them, make them, report the answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import msgspec
import psycopg
import stripe
from psycopg.types.json import Jsonb

from pgcredits.work import charge, confirm_card, delete_customer, refund
from pgcredits.work.answer import Answer, error_answer, unreachable
from pgcredits.work.bank import Bank
from pgcredits.work.call import Call, NotHereError
from pgcredits.work.settings import WorkSettings

log = logging.getLogger("pgcredits.work")

_STRIPE_VERSION = "2026-10-28.endive"
_SECONDS = 30.0  # for Stripe to answer
_LEASE = 120  # seconds: longer than any call takes, with its report

_CLAIM = "select calls from api.claim_stripe_calls(%s, %s)"
_REPORT = "select state, due_at from api.report_stripe_call(%s, %s, %s, %s)"
_MAKE: dict[str, Callable[[stripe.StripeClient, Call], Any]] = {
    "charge": charge.make,
    "refund": refund.make,
    "confirm_card": confirm_card.make,
    "delete_customer": delete_customer.make,
}
_LOOK_UP: dict[str, Callable[[stripe.StripeClient, Call], Any]] = {
    "charge": charge.look_up,
    "refund": refund.look_up,
    "confirm_card": confirm_card.look_up,
    "delete_customer": delete_customer.look_up,
}


class StripeCalls:
    """The loop that makes calls to Stripe, some at once."""

    name = "calls to Stripe"

    def __init__(self, settings: WorkSettings, at_once: int) -> None:
        self._bank = Bank(settings.database_url)
        self._public_url = settings.public_url
        self._http = stripe.HTTPXClient(timeout=_SECONDS, allow_sync_methods=True)
        base: Any = {"api": settings.stripe_api_base} if settings.stripe_api_base else {}
        # The bank says when a call is made again: here it is made once.
        self._client = stripe.StripeClient(
            settings.stripe_secret_key or "",
            base_addresses=base,
            http_client=self._http,
            max_network_retries=0,
            stripe_version=_STRIPE_VERSION,
        )
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(at_once, "stripe")

    def do_some(self) -> int:
        """Make the calls that are due, at most `at_once` of them, and report each answer."""
        (claimed,) = self._bank.rows(_CLAIM, (self._at_once, _LEASE))
        calls = [Call(public_url=self._public_url, **call) for call in claimed["calls"]]
        answers = {self._threads.submit(self.answer, call): call for call in calls}
        failure: psycopg.Error | None = None
        for answered in as_completed(answers, timeout=_LEASE):
            try:
                self._report(answers[answered], answered.result(timeout=0))
            except psycopg.Error as error:  # the call is made again, and gets the same answer
                failure = error
        if failure is not None:
            raise failure
        return len(calls)

    def answer(self, call: Call) -> Answer:
        """What Stripe answers to a call. It never raises: an error of ours is an answer, too."""
        try:
            made = (_LOOK_UP if call.must_look_up else _MAKE)[call.kind](self._client, call)
            return {"object": msgspec.json.decode(str(made))}
        except NotHereError:
            return {"absent": True}
        except stripe.StripeError as error:
            return error_answer(error)
        except Exception as error:  # a fault of ours must not end the loop
            log.exception("%s %s", call.kind, call.call_id)
            return unreachable(error)

    def close(self) -> None:
        self._threads.shutdown()
        self._http.close()  # type: ignore[no-untyped-call]
        self._bank.close()

    def _report(self, call: Call, answer: Answer) -> None:
        values = (call.account_id, call.call_id, call.lease, Jsonb(answer))
        (reported,) = self._bank.rows(_REPORT, values)
        thing = answer.get("object") or {}
        log.info(
            "%s %s, try %s: %s%s",
            call.kind,
            call.call_id,
            call.tries,
            thing.get("id") or answer.get("code") or answer.get("message") or "not there",
            f", again at {reported['due_at']:%H:%M:%S}" if reported["state"] == "due" else "",
        )
