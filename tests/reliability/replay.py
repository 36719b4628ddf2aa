"""Replays the ledger from its entries alone. This must give what is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from reliability.books import Books, Row

GRANTS = (
    "purchase", "bonus", "grant", "welcome", "promo", "referral", "allowance", "rollover", "adjustment",
)  # fmt: skip
ZERO, MILLIONTH = Decimal(0), Decimal("0.000001")


@dataclass
class Lot:
    source: str
    granted: Decimal
    remaining: Decimal
    order_id: object = None
    reversed: Decimal = ZERO  # taken back with its money


@dataclass
class Account:
    """The state of an account after its entries, and the faults in them."""

    seq: int = 0
    balance: Decimal = ZERO
    debt: Decimal = ZERO
    lots: dict[int, Lot] = field(default_factory=dict)
    in_lots: Decimal = ZERO
    lifetime_granted: Decimal = ZERO
    lifetime_spent: Decimal = ZERO
    charges: dict[int, Row] = field(default_factory=dict)  # spends by seq
    repayments: dict[int, tuple[int, Decimal]] = field(default_factory=dict)  # lot and tokens, by seq
    refunded: dict[int, Decimal] = field(default_factory=dict)  # of charges and repayments, by seq
    voids: dict[int, tuple[int, Decimal]] = field(default_factory=dict)  # lot and what is left of it, by seq
    gone: dict[object, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )  # expired or voided, by order
    order_debts: dict[object, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    first_reversal: dict[object, int] = field(default_factory=dict)  # its seq, by order
    faults: list[str] = field(default_factory=list)


def replay(entries: list[Row]) -> Account:
    """The entries of one account, in the order of their seq."""
    account = Account()
    before: Row | None = None
    for entry in entries:
        wrong = _play(account, entry)
        if before is not None and entry["posted_at"] <= before["posted_at"]:
            wrong.append(f"posted at {entry['posted_at']}, not after {before['posted_at']}")
        before = entry
        told = {"seq": entry["seq"], "balance": entry["balance_after"], "debt": entry["debt_after"]}
        found = {"seq": account.seq, "balance": account.balance, "debt": account.debt}
        if told != found:
            wrong.append(f"says {told}, comes to {found}")
        if account.in_lots - account.debt != account.balance:
            wrong.append(f"{account.in_lots} in the lots less debt {account.debt} is not {account.balance}")
        if account.debt < 0:
            wrong.append(f"debt {account.debt}")
        account.faults += [f"entry {entry['seq']} ({entry['kind']}): {text}" for text in wrong]
    return account


def faults(books: Books) -> list[str]:
    """All differences between the replayed ledger and the wallets, lots and refunds."""
    found = []
    for wallet in books.wallets:
        account_id = wallet["account_id"]
        account = replay(books.entries_of(account_id))
        found += [
            f"{account_id}: {text}" for text in (*account.faults, *_differences(account, wallet, books))
        ]
    strangers = {entry["account_id"] for entry in books.entries} - {
        row["account_id"] for row in books.wallets
    }
    return found + [f"{account_id}: entries without a wallet" for account_id in strangers]


def _play(account: Account, entry: Row) -> list[str]:
    """Apply one entry to the account. Yields its faults."""
    kind, seq, tokens = entry["kind"], entry["seq"], entry["tokens"]
    draws = [(draw["lot_id"], Decimal(draw["tokens"])) for draw in entry["draws"]]
    drawn = sum((part for _, part in draws), ZERO)
    wrong = [f"draws {part} on lot {lot_id}" for lot_id, part in draws if part <= 0]
    account.seq += 1
    account.balance += tokens

    if kind == "adjustment" and "lot_id" in entry["metadata"]:
        wrong += _correct(account, entry, draws)
    elif kind in GRANTS:
        if tokens <= 0 or draws != [(seq, tokens)]:
            wrong.append(f"grants {tokens} into {draws}")
        account.lots[seq] = Lot(kind, tokens, tokens, entry["order_id"])
        account.in_lots += tokens
        account.lifetime_granted += tokens
    elif kind == "spend":
        borrowed = -tokens - drawn
        if tokens > 0 or borrowed < 0 or (borrowed > 0 and entry["hold_id"] is None):
            wrong.append(f"charges {-tokens}, of which {drawn} from lots")
        account.debt += borrowed
        account.lifetime_spent -= tokens
        account.charges[seq] = entry
        wrong += _take(account, draws)
    elif kind == "byok":
        if tokens != 0 or draws:
            wrong.append(f"moves {tokens} and {draws}")
    elif kind == "expire":
        if len(draws) != 1 or drawn != -tokens:
            wrong.append(f"expires {-tokens} of {draws}")
        wrong += _take(account, draws)
        for lot_id, part in draws:
            if lot := account.lots.get(lot_id):
                account.gone[lot.order_id] += part
    elif kind == "repayment":
        paid_by = account.lots.get(seq - 1)
        if tokens != 0 or [lot_id for lot_id, _ in draws] != [seq - 1] or not paid_by:
            wrong.append(f"repays from {draws}")
        elif paid_by.source != "purchase" or drawn != min(paid_by.granted, account.debt):
            wrong.append(f"repays {drawn} from a lot of {paid_by}, debt {account.debt}")
        account.debt -= drawn
        account.repayments[seq] = (seq - 1, drawn)
        wrong += _take(account, draws)
    elif kind == "refund":
        wrong += _refund(account, entry, draws)
    elif kind == "reversal":
        wrong += _reverse(account, entry, draws)
    elif kind == "reinstatement":
        wrong += _reinstate(account, entry, draws)
    else:
        wrong.append("no such kind")
    return wrong


def _take(account: Account, draws: list[tuple[int, Decimal]]) -> Iterator[str]:
    for lot_id, tokens in draws:
        lot = account.lots.get(lot_id)
        if lot is None:
            yield f"draws on lot {lot_id}, which is not there"
            continue
        lot.remaining -= tokens
        account.in_lots -= tokens
        if lot.remaining < 0:
            yield f"takes {tokens} out of lot {lot_id}, which leaves {lot.remaining}"


def _correct(account: Account, entry: Row, draws: list[tuple[int, Decimal]]) -> Iterator[str]:
    """An operator has taken tokens out of a lot, has put them back, or has given the lot another date."""
    told, seq, tokens = entry["metadata"], entry["seq"], entry["tokens"]
    lot = account.lots.get(told["lot_id"])
    if lot is None:
        yield f"corrects lot {told['lot_id']}, which is not there"
        return
    if draws != ([(told["lot_id"], abs(tokens))] if tokens else []):
        yield f"corrects lot {told['lot_id']} by {tokens}, and draws {draws}"
    account.gone[lot.order_id] -= tokens
    if "restores" in told:
        lot_id, left = account.voids.get(told["restores"], (0, ZERO))
        account.voids[told["restores"]] = lot_id, left - tokens
        if lot_id != told["lot_id"] or not 0 < tokens <= left:
            yield f"restores {tokens} of {left} into lot {told['lot_id']}, taken out of lot {lot_id}"
        lot.remaining += tokens
        account.in_lots += tokens
    elif told.get("voided"):
        account.voids[seq] = told["lot_id"], -tokens
        yield from _take(account, draws)
    elif tokens or "expires_at" not in told:
        yield f"is no correction: {told}"


def _reverse(account: Account, entry: Row, draws: list[tuple[int, Decimal]]) -> Iterator[str]:
    """Take from the lots of the order, and the rest as debt."""
    order_id, seq = entry["order_id"], entry["seq"]
    debt = -entry["tokens"] - sum((part for _, part in draws), ZERO)
    if entry["tokens"] >= 0 or debt < 0:
        yield f"takes {-entry['tokens']} back, of which {draws} from lots"
    account.first_reversal.setdefault(order_id, seq)
    account.debt += debt
    account.order_debts[order_id] += debt
    yield from _take(account, draws)
    for lot_id, part in draws:
        lot = account.lots.get(lot_id)
        if lot is None:
            continue
        lot.reversed += part
        if order_id is None or lot.order_id != order_id:
            yield f"takes tokens of order {order_id} out of lot {lot_id} of order {lot.order_id}"


def _reinstate(account: Account, entry: Row, draws: list[tuple[int, Decimal]]) -> Iterator[str]:
    """Give back to the lots of the order. The rest ends debt, or goes to the lots that have repaid it."""
    order_id, seq = entry["order_id"], entry["seq"]
    ended = entry["tokens"] - sum((part for _, part in draws), ZERO)
    if entry["tokens"] <= 0 or ended < 0 or ended > account.debt:
        yield f"gives {entry['tokens']} back, of which {draws} into lots, with debt {account.debt}"
    account.debt -= ended
    told = [(draw["lot_id"], Decimal(draw["tokens"])) for draw in entry["metadata"].get("repaid", [])]
    own, repaid = draws[: len(draws) - len(told)], draws[len(draws) - len(told) :]
    if repaid != told:
        yield f"gives {draws}, of which {told} to lots that repaid debt"
    for lot_id, part in own:
        lot = account.lots.get(lot_id)
        if lot is None or lot.order_id != order_id or lot.reversed < part:
            yield f"gives {part} back into lot {lot_id}, from which order {order_id} did not take them"
            continue
        lot.reversed -= part
    tokens = sum((part for _, part in repaid), ZERO)
    if repaid and account.debt:
        yield f"gives {tokens} to lots that repaid debt, while there is debt of {account.debt}"
    if list(_unpay(account, account.first_reversal.get(order_id, seq), tokens)) != repaid:
        yield f"gives {repaid} to lots that did not repay its debt"
    account.order_debts[order_id] -= ended + tokens
    if account.order_debts[order_id] < 0:
        yield f"ends more debt than order {order_id} had made"
    for lot_id, part in draws:
        if lot := account.lots.get(lot_id):
            lot.remaining += part
            account.in_lots += part


def _refund(account: Account, entry: Row, draws: list[tuple[int, Decimal]]) -> Iterator[str]:
    """Go back along the draws of the charge, last taken first. Debt was made last of all."""
    tokens = entry["tokens"]
    account.lifetime_spent -= tokens
    charge = account.charges.get(entry["refunds_seq"])
    if charge is None or tokens <= 0:
        yield f"refunds {tokens} of entry {entry['refunds_seq']}, which is no charge"
        return
    seq, charged = charge["seq"], -charge["tokens"]
    before = account.refunded.get(seq, ZERO)
    account.refunded[seq] = before + tokens
    if before + tokens > charged:
        yield f"refunds {before + tokens} of {charged} in all"

    taken: list[tuple[int | None, Decimal]] = [
        (draw["lot_id"], Decimal(draw["tokens"])) for draw in charge["draws"]
    ]
    taken.append((None, charged - sum((part for _, part in taken), ZERO)))
    back: list[tuple[int, Decimal]] = []
    passed, left = before, tokens
    for lot_id, whole in reversed(taken):
        skipped = min(passed, whole)
        passed -= skipped
        part = min(whole - skipped, left)
        left -= part
        if lot_id is not None:
            back += [(lot_id, part)] if part else []
            continue
        off = min(part, account.debt)
        account.debt -= off
        back += _unpay(account, seq, part - off)
    if back != draws:
        yield f"puts back {draws} where {back} was due"
    for lot_id, part in draws:
        lot = account.lots.get(lot_id)
        if lot is None:
            yield f"puts tokens into lot {lot_id}, which is not there"
            continue
        lot.remaining += part
        account.in_lots += part
        if lot.remaining > lot.granted:
            yield f"fills lot {lot_id} of {lot.granted} to {lot.remaining}"


def _unpay(account: Account, charge: int, tokens: Decimal) -> Iterator[tuple[int, Decimal]]:
    """The lots that repaid the debt of a charge: those of later repayments first."""
    for seq in sorted(account.repayments, key=lambda seq: (seq < charge, seq)):
        lot_id, paid = account.repayments[seq]
        part = min(paid - account.refunded.get(seq, ZERO), tokens)
        if part > 0:
            account.refunded[seq] = account.refunded.get(seq, ZERO) + part
            tokens -= part
            yield lot_id, part


def _differences(account: Account, wallet: Row, books: Books) -> Iterator[str]:
    stored = {name: wallet[name] for name in ("seq", "balance", "debt", "lifetime_granted", "lifetime_spent")}
    for name, value in stored.items():
        if value != getattr(account, name):
            yield f"wallet: {name} is {value}, the entries give {getattr(account, name)}"
    rows = {row["lot_id"]: row for row in books.lots if row["account_id"] == wallet["account_id"]}
    for lot_id in rows.keys() | account.lots.keys():
        row, lot = rows.get(lot_id), account.lots.get(lot_id)
        if row is None or lot is None:
            yield f"lot {lot_id}: stored {row}, the entries give {lot}"
            continue
        taken = wallet["head_taken"] if wallet["head_lot"] == lot_id else ZERO
        found = (row["source"], row["granted"], row["remaining"] - taken, row["reversed"])
        if found != (lot.source, lot.granted, lot.remaining, lot.reversed):
            yield f"lot {lot_id}: stored {found}, the entries give {lot}"
    for order in books.orders:
        if order["account_id"] == wallet["account_id"] and order["state"] == "paid":
            yield from _unfollowed(account, order)
    shares = {
        row["seq"]: row["refunded"] for row in books.refunds if row["account_id"] == wallet["account_id"]
    }
    for seq in shares.keys() | account.refunded.keys():
        if shares.get(seq) != account.refunded.get(seq):
            yield f"refunded of entry {seq}: {shares.get(seq)}, the entries give {account.refunded.get(seq)}"


def _unfollowed(account: Account, order: Row) -> Iterator[str]:
    """Tokens of an order that have not followed its money."""
    order_id = order["order_id"]
    lots = [lot for lot in account.lots.values() if lot.order_id == order_id]
    target = ZERO
    for lot in lots:
        part = lot.granted * order["reversed"] / order["paid"] if order["paid"] else ZERO
        target += part.quantize(MILLIONTH, ROUND_DOWN)
    debt = account.order_debts[order_id]
    taken = sum((lot.reversed for lot in lots), ZERO) + debt
    if not target - account.gone[order_id] <= taken <= target or debt != order["reversed_debt"]:
        yield (
            f"order {order_id}: {order['reversed']} of {order['paid']} are {target} tokens,"
            f" {taken} were taken, {debt} of them as debt, stored {order['reversed_debt']}"
        )
