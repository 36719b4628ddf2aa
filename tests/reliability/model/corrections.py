"""Steps of an operator who corrects a lot: takes tokens out, puts them back, or gives it another date."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from callers import Row
from hypothesis import strategies as st
from hypothesis.stateful import rule
from reliability.model.run import Run
from reliability.model.world import ZERO_TIME, indexes, keyed, lifetimes, tokens, users


class Corrections(Run):
    """Voids, what restores them, and other dates."""

    @rule(who=users, which=indexes, part=st.none() | tokens, keyed=keyed)
    def void(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        self._call(keyed, self._void, who, self._some_lot(who, which), part)

    @rule(who=users, which=indexes, part=st.none() | tokens, keyed=keyed)
    def restore(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        corrections = [
            seq for seq, entry in enumerate(self.accounts[who].entries, 1) if entry.kind == "adjustment"
        ]
        if corrections:
            self._call(keyed, self._restore, who, corrections[which % len(corrections)], part)

    @rule(who=users, which=indexes, lifetime=st.just(ZERO_TIME) | lifetimes, keyed=keyed)
    def change_expiry(self, who: str, which: int, lifetime: Any, keyed: bool) -> None:
        expires_at = None if lifetime is None else self.accounts[who].now + lifetime
        self._call(keyed, self._change_expiry, who, self._some_lot(who, which), expires_at)

    def _some_lot(self, who: str, which: int) -> int:
        """Every other time a lot that was paid for, if there is one."""
        bought = self._lots_bought(who)
        some = bought if which % 2 and bought else list(self.accounts[who].lots)
        return some[which // 2 % len(some)]

    def _lots_bought(self, who: str) -> list[int]:
        return [lot_id for lot_id, lot in self.accounts[who].lots.items() if lot.order is not None]

    def _void(self, who: str, lot_id: int, part: Decimal | None, key: str | None) -> None:
        arguments: Row = {"lot_id": f"{self.names[who]}:{lot_id}"} | (
            {} if part is None else {"tokens": part}
        )
        self._call_both(self.accounts[who], "void_lot", arguments, lambda a: a.void(lot_id, part), key)

    def _restore(self, who: str, seq: int, part: Decimal | None, key: str | None) -> None:
        arguments: Row = {"entry_id": f"{self.names[who]}:{seq}"} | ({} if part is None else {"tokens": part})
        self._call_both(self.accounts[who], "restore_lot", arguments, lambda a: a.restore(seq, part), key)

    def _change_expiry(self, who: str, lot_id: int, expires_at: Any, key: str | None) -> None:
        self._call_both(
            self.accounts[who],
            "change_expiry",
            {"lot_id": f"{self.names[who]}:{lot_id}", "expires_at": expires_at or "infinity"},
            lambda a: a.change_expiry(lot_id, expires_at),
            key,
        )
