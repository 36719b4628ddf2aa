"""What a first purchase earns for the buyer and for who brought them. It goes back with the money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reliability.model.model import Account

FOR_REFERRER, FOR_BUYER = Decimal(30), Decimal("12.5")
ZERO, SMALLEST = Decimal(0), Decimal("0.000001")


@dataclass
class Brought:
    """A buyer, the order that earned the rewards, and the lots that these are."""

    referrer: str
    place: int | None = None
    lots: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Rewards:
    accounts: Callable[[], dict[str, Account]]
    brought: dict[str, Brought] = field(default_factory=dict)  # by the user id of the buyer

    def earn(self, buyer: Account, place: int) -> None:
        one = self.brought.get(buyer.user_id)
        if one is None or one.place is not None:
            return
        one.place = place
        for account, tokens in ((self.accounts()[one.referrer], FOR_REFERRER), (buyer, FOR_BUYER)):
            account.book_due()
            one.lots.append((account.user_id, account.grant("referral", tokens)["lot_id"]))

    def follow(self, buyer: Account, place: int) -> None:
        """Take back the same part as of the money, as far as it is there. Nobody owes a gift."""
        one, order = self.brought.get(buyer.user_id), buyer.orders[place]
        if one is None or one.place != place or not order.money.paid:
            return
        for name, lot_id in one.lots:
            account = self.accounts()[name]
            if account is not buyer:
                account.book_due()
            lot = account.lots[lot_id]
            due = (lot.granted * order.reversed / order.money.paid).quantize(SMALLEST, ROUND_DOWN)
            move = min(due, lot.free + lot.reversed) - lot.reversed
            lot.reversed += move
            lot.withheld = due - lot.reversed
            lot.remaining -= move
            if move:
                kind = "reversal" if move > 0 else "reinstatement"
                account.post(kind, -move, [(lot_id, abs(move))])
            if move < 0:
                account.expire_lots(returned_at=account.now)
