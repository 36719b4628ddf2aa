"""A program that uses the client which openapi-python-client makes of /schema: test_generators.py runs it.

Usage: python program.py URL TOKEN: spends two calls of whisper, and prints what the API answered.
"""

from __future__ import annotations

import sys

from pgcredits_client import AuthenticatedClient
from pgcredits_client.api.functions import add_tokens, consume_tokens, lift_spend_limit
from pgcredits_client.api.views import read_balance, read_entries
from pgcredits_client.models import (
    AddTokensBodyType0,
    ConsumeTokensBodyType0,
    Error,
    LiftSpendLimitBody,
    SpendReceipt,
)


def spend(client: AuthenticatedClient) -> str:
    use = ConsumeTokensBodyType0(module_id="whisper", usage={"calls": 2})
    receipt = consume_tokens.sync(client=client, body=use, idempotency_key="two calls")
    if not isinstance(receipt, SpendReceipt):
        return f"no receipt: {receipt}"
    cost: float | None = receipt.cost
    rows = read_balance.sync(client=client, select="balance")  # without the other columns
    entries = read_entries.sync(client=client, tokens="lt.0", order="posted_at", limit=10)
    if not isinstance(rows, list) or not isinstance(entries, list):
        return f"no rows: {rows}, {entries}"
    lift_spend_limit.sync(client=client, body=LiftSpendLimitBody(period="day"))
    another = ConsumeTokensBodyType0(module_id="whisper")
    refusal = consume_tokens.sync(client=client, body=another, idempotency_key="two calls")
    code = refusal.code if isinstance(refusal, Error) else None
    return f"{cost=} balance={rows[0].balance} {[entry.kind for entry in entries]} {code}"


def wrong(client: AuthenticatedClient) -> None:
    """What a type checker must refuse. Otherwise mypy says that the comment is not needed."""
    add_tokens.sync(client=client, body=AddTokensBodyType0("ada", 5, reason=5))  # type: ignore[arg-type]
    lift_spend_limit.sync(client=client, body=LiftSpendLimitBody(month="day"))  # type: ignore[call-arg]
    read_entries.sync(client=client, nonsense="eq.1")  # type: ignore[call-arg]


if __name__ == "__main__":
    with AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2]) as bank:
        print(spend(bank))
