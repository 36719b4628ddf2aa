"""Charge the users of an application: docs/python.md."""

from pgcredits.client.async_bank import AsyncBank
from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.bank import Bank
from pgcredits.client.errors import (
    AccountFrozen,
    BankError,
    Busy,
    HoldClosed,
    HoldExpired,
    InsufficientTokens,
    InvalidCall,
    KeyReused,
    LimitReached,
    NotAllowed,
    NoTransaction,
    NotRefundable,
    NotSignedIn,
    TransactionFailed,
    Unavailable,
    UnknownEntry,
    UnknownHold,
    UnknownModule,
    UnknownUser,
)
from pgcredits.client.hold import Hold
from pgcredits.client.receipts import Account, Capture, Draw, Grant, Held, Quote, Refund, Release, Spend
from pgcredits.client.retries import Retries

__all__ = [
    "Account",
    "AccountFrozen",
    "AsyncBank",
    "AsyncHold",
    "Bank",
    "BankError",
    "Busy",
    "Capture",
    "Draw",
    "Grant",
    "Held",
    "Hold",
    "HoldClosed",
    "HoldExpired",
    "InsufficientTokens",
    "InvalidCall",
    "KeyReused",
    "LimitReached",
    "NoTransaction",
    "NotAllowed",
    "NotRefundable",
    "NotSignedIn",
    "Quote",
    "Refund",
    "Release",
    "Retries",
    "Spend",
    "TransactionFailed",
    "Unavailable",
    "UnknownEntry",
    "UnknownHold",
    "UnknownModule",
    "UnknownUser",
]
