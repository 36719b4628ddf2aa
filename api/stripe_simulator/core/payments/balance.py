"""The balance of the account: a transaction for each movement of money, and payouts."""

from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store

DISPUTE_FEE = 1500


def charge_fee(amount: int) -> int:
    """What Stripe keeps of a charge: 1.5 % and 25 minor units."""
    return min(amount, round(amount * 15 / 1000) + 25)


def record(
    store: Store, type: str, amount: int, currency: str, source: str, *, category: str = "", fee: int = 0
) -> Json:
    """A balance transaction. ``amount`` is positive for money that comes in."""
    now = store.real_now()
    transaction = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [_fee_detail(fee, currency)] if fee else [],
        "net": amount - fee,
        "reporting_category": category or type,
        "source": source,
        "status": "available",
        "type": type,
    }
    store.insert(transaction)
    return transaction


def new_payout(
    store: Store,
    amount: int,
    currency: str,
    params: Json,
    origin: Origin = PAY_PAGE,
    *,
    automatic: bool = False,
) -> Json:
    """Money goes from the balance to the bank. It arrives at once."""
    id = new_id("po")
    transaction = record(store, "payout", -amount, currency, id)
    payout = {
        "id": id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": store.real_now(),
        "automatic": automatic,
        "balance_transaction": transaction["id"],
        "created": store.real_now(),
        "currency": currency,
        "description": params.get("description"),
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "in_transit",
        "trace_id": None,
        "type": "bank_account",
    }
    store.insert(payout)
    emit(store, "payout.created", payout, origin)
    payout["status"] = "paid"
    store.update(payout)
    emit(store, "payout.paid", payout, origin)
    return payout


def pay_out(store: Store) -> list[Json]:
    """An automatic payout for each currency that has money: of all that no payout has taken yet."""
    sums = store.db.execute(
        "select json_extract(body, '$.currency'), sum(json_extract(body, '$.net')) from objects"
        " where kind = 'balance_transaction' and json_extract(inner, '$.payout') is null"
        " group by 1 order by 1"
    ).fetchall()
    payouts = []
    for currency, amount in sums:
        if amount > 0:
            payouts.append(new_payout(store, amount, currency, {}, automatic=True))
            store.db.execute(
                "update objects set inner = json_set(inner, '$.payout', ?)"
                " where kind = 'balance_transaction' and json_extract(inner, '$.payout') is null"
                " and json_extract(body, '$.currency') = ?",
                (payouts[-1]["id"], currency),
            )
    return payouts


def available(store: Store, currency: str) -> int:
    """What is in the balance."""
    total: int = store.db.execute(
        "select coalesce(sum(json_extract(body, '$.net')), 0) from objects"
        " where kind = 'balance_transaction' and json_extract(body, '$.currency') = ?",
        (currency,),
    ).fetchone()[0]
    return total


def _fee_detail(fee: int, currency: str) -> Json:
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
