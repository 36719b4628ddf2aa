"""Which lot is used first. The model of tests/reliability and the stories of single lots both ask here."""

from __future__ import annotations

from typing import Any, Protocol


class Burns(Protocol):
    """What the order depends on. Times are of any kind that can be compared."""

    lot_id: int
    priority: int
    scope: str | None
    effective_at: Any
    expires_at: Any

    @property
    def paid(self) -> bool: ...


def burn_order(lot: Burns) -> tuple[Any, ...]:
    """The key to sort lots by."""
    return (
        lot.priority,
        (lot.expires_at is None, lot.expires_at),
        lot.scope is None,
        lot.paid,
        lot.effective_at,
        lot.lot_id,
    )
