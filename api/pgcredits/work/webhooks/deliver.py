"""Take the messages that are due, send them, and report what became of each."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import psycopg

from pgcredits.work.bank import Bank
from pgcredits.work.settings import WorkSettings
from pgcredits.work.webhooks.sender import Message, Outcome, send_all

log = logging.getLogger("pgcredits.work")

_AT_ONCE = 20
_TAKE = "select messages::text as messages from api.take_webhooks(%s)"
_FINISH = "select state, endpoint_state from api.finish_webhook(%s, %s, %s, %s, %s, %s)"


class Webhooks:
    """The loop that tells products what happened. Nothing is locked while a message is under way."""

    name = "webhooks"

    def __init__(self, settings: WorkSettings) -> None:
        self._bank = Bank(settings.database_url)
        self._allowed = settings.webhook_networks

    def do_some(self) -> int:
        """Send what is due, at most 20 messages at once."""
        (taken,) = self._bank.rows(_TAKE, (_AT_ONCE,))
        messages = msgspec.json.decode(taken["messages"], type=list[Message])
        failure: psycopg.Error | None = None
        for outcome in asyncio.run(send_all(messages, self._allowed)) if messages else ():
            try:
                self._report(outcome)
            except psycopg.Error as error:  # the message is due again in a minute, under the same id
                failure = error
        if failure is not None:
            raise failure
        return len(messages)

    def close(self) -> None:
        self._bank.close()

    def _report(self, outcome: Outcome) -> None:
        message = outcome.message
        names = (message.account_id, message.notice_id, message.endpoint_id, message.lease)
        (told,) = self._bank.rows(_FINISH, (*names, outcome.status, outcome.trouble))
        if outcome.trouble is not None:
            log.warning(
                "message %s to endpoint %s: %s", message.message_id, message.endpoint_id, outcome.trouble
            )
        if told["endpoint_state"] == "disabled":
            log.error("endpoint %s is disabled", message.endpoint_id)
