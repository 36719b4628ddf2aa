"""Three months of a bank, small enough to be counted by hand.

ada     buys 500 tokens for 39.99 in January and uses 75. She disputes the payment in
        February, and wins in March.
bob     buys 100 tokens for 9.99 with 1.90 tax, uses 25, and gets half of his money back in February.
carla   gets 60 tokens as a gift, which expire on 5 February. Maintenance books that in March.
"""

from __future__ import annotations

from callers import Caller, Connection, Row, stop_clock
from sql.reversals.payments import Payment, paid


def at(admin: Connection, moment: str) -> None:
    """The bank's clock stands at this moment."""
    stop_clock(admin, moment)


def use(service: Caller, user_id: str, calls: int) -> Row:
    """25 tokens a call."""
    return service.call("consume_tokens", user_id=user_id, module_id="whisper", usage={"calls": calls})


def january(admin: Connection, service: Caller) -> dict[str, Payment]:
    at(admin, "2027-01-10 12:00Z")
    payments = {"ada": paid(service, "ada")}
    bob = Payment(service, "bob", pack_id="basique")
    bob.session["total_details"] = {"amount_discount": 0, "amount_tax": 190, "amount_shipping": 0}
    bob.session["amount_total"] = 999 + 190
    assert bob.pay()["outcome"] == "granted"
    payments["bob"] = bob
    service.call("add_tokens", user_id="carla", tokens=60, expires_at="2027-02-05 00:00Z")
    use(service, "ada", 3)
    at(admin, "2027-01-31 23:59:59.999999Z")
    use(service, "bob", 1)
    return payments


def february(admin: Connection, service: Caller, payments: dict[str, Payment]) -> None:
    at(admin, "2027-02-01 00:00Z")
    use(service, "carla", 1)
    at(admin, "2027-02-10 12:00Z")
    payments["bob"].refund(595)
    payments["ada"].dispute("created")
    payments["ada"].dispute(
        "funds_withdrawn", balance_transactions=[{"id": "txn_1", "amount": -3999, "currency": "eur"}]
    )


def march(admin: Connection, service: Caller, payments: dict[str, Payment]) -> None:
    at(admin, "2027-03-03 12:00Z")
    service.call("maintain")
    payments["ada"].dispute(
        "funds_reinstated",
        balance_transactions=[
            {"id": "txn_1", "amount": -3999, "currency": "eur"},
            {"id": "txn_2", "amount": 3999, "currency": "eur"},
        ],
    )
    payments["ada"].dispute("won")
