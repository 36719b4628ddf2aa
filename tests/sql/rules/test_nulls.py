"""An explicit null means what leaving the argument out means, or it is refused.

JSON has null where a program has lost a value, such as an invalid date or NaN. "All", "never" and
"lifted" have words and functions of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from callers import Row, refused
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, event, session
from topping import CARD_ERROR, first_charge, paid_order


@dataclass(frozen=True)
class Omitted:
    """The same as leaving the argument out, and harmless, because …"""

    why: str


@dataclass(frozen=True)
class Answered:
    """The argument cannot be left out. Null has this answer, and that is harmless, because …"""

    answer: Row
    why: str


Meaning = str | Omitted | Answered  # a str: the slug that null is refused with
KEY = Omitted("a call without a key: no repeat of it is recognised")
NO_REASON = Omitted("nobody said why")
NO_TAGS = Omitted("the use is for nothing in particular")
SHARED = Omitted("a network that is not known to be shared has the tighter bounds")
OWN = Omitted("a hold's name says whose it is; user_id is compared with that")

# Every argument of every function of api. A new argument fails until it says what null means.
MEANS: dict[str, dict[str, Meaning]] = {
    "acknowledge_notices/1": {"notice_ids": "bad_notices"},
    "add_package/4": {
        "user_id": "bad_user",
        "tokens_to_add": "bad_amount",
        "package_name": Answered({"tokens": Decimal(5)}, "the package is only a label"),
        "idempotency_key": KEY,
    },
    "add_tokens/3": {
        "user_id": "bad_user",
        "tokens_to_add": "bad_amount",
        "package_name": Answered({"tokens": Decimal(5)}, "the package is only a label"),
    },
    "add_tokens/9": {
        "user_id": "bad_user",
        "tokens": "bad_amount",
        "reason": "bad_reason",
        "package_name": Omitted("it is only a label"),
        "expires_at": "bad_expiry",
        "priority": Omitted("that of its reason"),
        "scope": "bad_scope",
        "idempotency_key": KEY,
        "metadata": "bad_metadata",
    },
    "apply_stripe_event/2": {
        "event": "bad_event",
        "payload": Omitted("only an event that could not be stored as it came has one"),
    },
    "attach_checkout/5": {
        "account_id": "unknown_order",
        "order_id": "unknown_order",
        "session_id": "bad_order",
        "customer_id": Omitted("no customer is noted"),
        "replaces_customer_id": Omitted("the first customer stays"),
    },
    "attach_customer/3": {
        "account_id": "unknown_user",
        "customer_id": "bad_order",
        "replaces_customer_id": Omitted("the first customer stays"),
    },
    "begin_sign_in/3": {
        "email": Answered({"user_id": None}, "nobody has it, and the attempt counts as any other"),
        "network_keys": "bad_guest",
        "shared_network": SHARED,
    },
    "begin_sign_up/2": {"network_keys": "bad_guest", "shared_network": SHARED},
    "cancel_order/2": {"account_id": "unknown_user", "order_id": "unknown_order"},
    "capture_hold/6": {
        "hold_id": "unknown_hold",
        "usage": "bad_usage",
        "final": "bad_final",
        "over": "bad_over",
        "idempotency_key": KEY,
        "user_id": OWN,
    },
    "change_expiry/4": {
        "lot_id": "unknown_lot",
        "expires_at": "bad_expiry",
        "reason": NO_REASON,
        "idempotency_key": KEY,
    },
    "claim_stripe_calls/2": {"most": "bad_limit", "lease_seconds": "bad_limit"},
    "close_shortfall/2": {"shortfall_id": "unknown_shortfall", "state": "bad_state"},
    "confirm_guest_use/1": {"use_id": "unknown_use"},
    "consume_call/6": {
        "user_id": "bad_user",
        "module_id": "unknown_module",
        "module_name": Answered({"cost": Decimal(25)}, "it is only a label"),
        "tokens_to_consume": "bad_amount",
        "idempotency_key": KEY,
        "tags": NO_TAGS,
    },
    "consume_tokens/4": {
        "user_id": "bad_user",
        "module_id": "unknown_module",
        "module_name": Answered({"cost": Decimal(25)}, "it is only a label"),
        "tokens_to_consume": "bad_amount",
    },
    "consume_tokens/7": {
        "module_id": "unknown_module",
        "usage": "bad_usage",
        "idempotency_key": KEY,
        "user_id": "bad_user",
        "metadata": "bad_metadata",
        "byok": "bad_byok",
        "tags": NO_TAGS,
    },
    "consume_tokens_batch/2": {
        "items": "bad_items",
        "atomic": "bad_items",
    },
    "create_order/5": {
        "pack_id": "bad_order",
        "amount": Omitted("the order names a pack"),
        "module_id": Omitted("what is bought is bound as the pack says"),
        "user_id": "bad_user",
        "idempotency_key": KEY,
    },
    "dismiss_event/2": {"event_id": "unknown_event", "reason": "bad_reason"},
    "explain_balance/4": {
        "at": Omitted("now"),
        "user_id": "bad_user",
        "movements": Omitted("a hundred"),
        "before_seq": Omitted("the newest movements"),
    },
    "extend_hold/3": {"hold_id": "unknown_hold", "ttl": "bad_ttl", "user_id": OWN},
    "change_password/3": {
        "email": "unknown_user",
        "password_hash": "bad_password",
        "compared_hash": Omitted("a service may set a password that it has compared with nothing"),
    },
    "end_session/4": {
        "account_id": Answered({"ended": None}, "there is no such token"),
        "session_id": Answered({"ended": None}, "there is no such token"),
        "token_hash": Answered({"ended": None}, "there is no such token"),
        "everywhere": Omitted("only this session ends"),
    },
    "end_sessions/1": {"user_id": "bad_user"},
    "open_session/2": {
        "email": Answered({"state": None}, "nobody has it"),
        "password_hash": Answered({"state": None}, "it is not the user's"),
    },
    "refresh_session/3": {
        "account_id": Answered({"state": None}, "there is no such token"),
        "session_id": Answered({"state": None}, "there is no such token"),
        "token_hash": Answered({"state": None}, "there is no such token"),
    },
    "create_api_key/4": {
        "name": "bad_api_key",
        "role": "bad_api_key",
        "expires_at": "bad_expiry",
        "idempotency_key": KEY,
    },
    "disable_webhook/2": {"endpoint_id": "unknown_webhook", "reason": "bad_reason"},
    "enable_webhook/2": {"endpoint_id": "unknown_webhook", "reason": "bad_reason"},
    "find_credential/1": {"email": Answered({"user_id": None}, "nobody has it")},
    "finish_sign_in/2": {"email": "unknown_user", "network_keys": "bad_guest"},
    "finish_webhook/6": {
        "account_id": "unknown_webhook",
        "notice_id": "unknown_webhook",
        "endpoint_id": "unknown_webhook",
        "lease": Answered({"state": "delivered"}, "what arrived has arrived, in whichever try"),
        "http_status": Omitted("nobody answered, so it is sent again"),
        "trouble": Omitted("nobody said what went wrong"),
    },
    "forget_user/3": {
        "user_id": "bad_user",
        "account_id": Omitted("user_id says whom"),
        "give_up_balance": Omitted("a balance that was paid is kept, and the user with it"),
    },
    "freeze_account/2": {"user_id": "bad_user", "reason": NO_REASON},
    "guest_allowance/3": {"device_keys": "bad_guest", "network_keys": "bad_guest", "shared_network": SHARED},
    "guest_consume/4": {
        "module_id": "unknown_module",
        "device_keys": "bad_guest",
        "network_keys": "bad_guest",
        "shared_network": SHARED,
    },
    "hold_tokens/7": {
        "module_id": "unknown_module",
        "usage": "bad_usage",
        "ttl": "bad_ttl",
        "idempotency_key": KEY,
        "user_id": "bad_user",
        "metadata": "bad_metadata",
        "tags": NO_TAGS,
    },
    "lift_spend_limit/2": {"period": "bad_period", "user_id": "bad_user"},
    "maintain/2": {"max_accounts": "bad_limit", "max_keys": "bad_limit"},
    "offer_plan/2": {"plan_id": "unknown_plan", "user_id": "bad_user"},
    "missing_from_stripe/0": {},
    "note_stripe_page/4": {
        "list": "bad_page",
        "items": "bad_page",
        "has_more": "bad_page",
        "after": Omitted("it is the first page"),
    },
    "operating_figures/0": {},
    "open_account/6": {
        "user_id": "bad_user",
        "referral_code": Omitted("nobody brought them"),
        "device_keys": "bad_guest",
        "network_keys": "bad_guest",
        "shared_network": SHARED,
        "email_verified": Omitted("the address is not verified"),
    },
    "payment_customer/1": {"user_id": "bad_user"},
    "quote_tokens/3": {"module_id": "unknown_module", "usage": "bad_usage", "user_id": "bad_user"},
    "read_stripe_list/2": {
        "list": "bad_page",
        "since": Omitted("it goes back to where the last reading ended"),
    },
    "receipt/1": {"entry_id": "unknown_entry"},
    "redeem_code/3": {"code": "unknown_code", "idempotency_key": KEY, "user_id": "bad_user"},
    "referral_code/1": {"user_id": "bad_user"},
    "refund_usage/4": {
        "entry_id": "unknown_entry",
        "tokens": "bad_amount",
        "reason": NO_REASON,
        "idempotency_key": KEY,
    },
    "register_webhook/3": {
        "url": "bad_webhook",
        "kinds": Omitted("it gets all kinds of notices"),
        "description": Omitted("nobody described it"),
    },
    "release_guest_use/1": {"use_id": "unknown_use"},
    "release_hold/4": {
        "hold_id": "unknown_hold",
        "reason": NO_REASON,
        "idempotency_key": KEY,
        "user_id": OWN,
    },
    "replay_event/2": {"event_id": "unknown_event", "reason": "bad_reason"},
    "renew_webhook_secret/2": {"endpoint_id": "unknown_webhook", "reason": "bad_reason"},
    "replay_from_stripe/2": {
        "event_id": "bad_page",
        "object_id": Omitted("it names an event"),
    },
    "replay_webhook/4": {
        "endpoint_id": "unknown_webhook",
        "since": "bad_replay",
        "reason": "bad_reason",
        "delivered": "bad_replay",
    },
    "report_failure/5": {
        "module_id": "unknown_module",
        "duration_ms": Omitted("nobody measured it, and no figure counts it"),
        "metadata": "bad_metadata",
        "user_id": "bad_user",
        "idempotency_key": KEY,
    },
    "report_refusal/3": {"module_id": "unknown_module", "usage": "bad_usage", "user_id": "bad_user"},
    "report_refused_capture/3": {"hold_id": "unknown_hold", "usage": "bad_usage", "user_id": OWN},
    "report_stripe_call/4": {
        "account_id": "unknown_call",
        "call_id": "unknown_call",
        "lease": Answered({"state": "failed"}, "only a call that is made again asks for its lease"),
        "answer": "bad_answer",
    },
    "request_refund/6": {
        "user_id": "bad_user",
        "order_id": "unknown_order",
        "tokens": Omitted("the refund names an amount"),
        "amount": "bad_amount",
        "reason": NO_REASON,
        "idempotency_key": KEY,
    },
    "reset_low_balance/1": {"user_id": "bad_user"},
    "restore_lot/4": {
        "entry_id": "unknown_entry",
        "tokens": Omitted("all that is left of one void, which an operator can void again"),
        "reason": NO_REASON,
        "idempotency_key": KEY,
    },
    "set_auto_topup/7": {
        "threshold": "bad_amount",
        "monthly_limit": "bad_limit",
        "words": "bad_consent",
        "pack_id": "bad_order",
        "amount": Omitted("the agreement names a pack"),
        "payment_method_id": Omitted("no card is saved yet"),
        "user_id": "bad_user",
    },
    "set_low_balance/3": {
        "below": "bad_threshold",
        "percent": Omitted("below is named"),
        "user_id": "bad_user",
    },
    "set_overdraft_limit/2": {"tokens": "bad_amount", "user_id": "bad_user"},
    "set_spend_limit/3": {"period": "bad_period", "tokens": "bad_amount", "user_id": "bad_user"},
    "set_test_clock/3": {
        "user_id": "bad_user",
        "frozen_time": Omitted("the clock stands where it is, in a bank without real money"),
        "advance": Omitted("the clock stands at frozen_time"),
    },
    "sign_up/6": {
        "email": "bad_email",
        "password_hash": "bad_password",
        "referral_code": Omitted("nobody brought them"),
        "device_keys": "bad_guest",
        "network_keys": "bad_guest",
        "shared_network": SHARED,
    },
    "stop_auto_topup/1": {"user_id": "bad_user"},
    "resolve_api_key/2": {
        "key_id": Answered({"role": None}, "there is no such key"),
        "secret_hash": Answered({"role": None}, "there is no such key"),
    },
    "revoke_api_key/2": {"key_id": "unknown_api_key", "reason": NO_REASON},
    "rotate_api_key/4": {
        "key_id": "unknown_api_key",
        "overlap": Omitted("the old secret works for a day"),
        "expires_at": Omitted("it expires when it did"),
        "reason": NO_REASON,
    },
    "start_free_plan/1": {"user_id": "bad_user"},
    "take_webhooks/1": {"max_messages": "bad_limit"},
    "thaw_account/2": {"user_id": "bad_user", "reason": NO_REASON},
    "void_lot/4": {
        "lot_id": "unknown_lot",
        "tokens": Omitted("all that is free in one lot, and restore_lot gives it back"),
        "reason": NO_REASON,
        "idempotency_key": KEY,
    },
    "verify_email/2": {"email": "bad_user", "user_id": Omitted("email says whose address it is")},
}
ARGUMENTS = [(function, argument) for function, means in MEANS.items() for argument in means]
# The rows that a call leaves, beside its answer.
TABLES = (
    "accounts", "wallets", "lots", "holds", "entries", "orders", "spend_limits", "notice_levels", "outbox",
    "failures", "guest_uses", "status_changes", "account_origins", "sign_in_counts", "shortfalls",
    "auto_topups", "topup_consents", "topup_attempts", "stripe_calls", "refund_requests",
    "webhook_endpoints", "webhook_deliveries", "api_keys", "api_key_changes",
    "sign_in_sessions", "credentials", "password_changes",
)  # fmt: skip
CHANCE = re.compile(  # names that chance gives, times, and the hashes over both
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\\+x[0-9a-f]+"
    r"|whsec_[A-Za-z0-9+/]{43}=|pg[cr]_[0-9a-z_]+|(?<=key_id[\"']: [\"'])[0-9a-f]{16}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(\+[0-9:]+)?|datetime\.datetime\([^)]*\)[^)]*\)"
)


class World:
    """A user with tokens, and one of every object that a function may be about."""

    def __init__(self, town: Any) -> None:
        self.town, self.service = town, town.bank  # who may read the books, too
        town.bank.rows("select credits.allow_test_clocks(true)")
        town.bank.rows("select credits.define_notice('low_balance', p_below => 900)")
        town.bank.rows("select credits.define_guest_limits('iahome', 3, 10, 100)")
        town.campaign("brought", "referral", 5)
        town.bank.rows("select credits.define_plan('free', 'Free', 5)")
        town.bank.rows("select credits.define_plan('pro', 'Pro', 500, 900, 'eur')")
        self.ada = {"user_id": "ada"}
        call = self.service.call
        self.lot_id = call("add_tokens", **self.ada, tokens=1000)["entry_id"]
        self.void_id = call("void_lot", lot_id=self.lot_id, tokens=10)["entry_id"]
        self.entry_id = call("consume_tokens", **self.ada, module_id="whisper", usage={"calls": 10})[
            "entry_id"
        ]
        self.hold_id = call("hold_tokens", **self.ada, module_id="whisper", usage={"calls": 4})["hold_id"]
        self.order = call("create_order", **self.ada, pack_id="standard")
        waiting = event(COMPLETED, session(self.order))
        self.event_id = call("apply_stripe_event", event=waiting)["event_id"]
        call("add_tokens", user_id="broke", tokens=25)
        broke = call("hold_tokens", user_id="broke", module_id="whisper")["hold_id"]
        call("capture_hold", hold_id=broke, usage={"calls": 3}, over="available")
        self.shortfall_id = self.service.row("select shortfall_id from api.shortfalls")["shortfall_id"]
        call("attach_customer", account_id=self.order["account_id"], customer_id="cus_0")
        self.guest = {"device_keys": ["a" * 64], "network_keys": ["b" * 64]}
        self.use_id = call("guest_consume", **self.guest, module_id="whisper")["use_id"]
        self.code = town.code(5)
        self.password_hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"
        call("sign_up", email="bea@example.com", password_hash=self.password_hash)
        opened = call("open_session", email="bea@example.com", password_hash=self.password_hash)
        self.session = {
            "account_id": str(UUID(opened["refresh_token"][4:36])),
            "session_id": str(UUID(opened["refresh_token"][36:68])),
            "token_hash": sha256(opened["refresh_token"].encode()).hexdigest(),
        }
        self.paid = paid_order(self.service, "payer")
        self.call = first_charge(self.service, "topped")
        self.endpoint_id = call("register_webhook", url="https://shop.example/hook")["endpoint_id"]
        key = call("create_api_key", name="till", role="spender")
        self.key_id, text = key["key_id"], key["api_key"]
        self.secret = {"key_id": self.key_id, "secret_hash": sha256(text.encode()).hexdigest()}
        call("add_tokens", user_id="told", tokens=5)
        self.missed = event("customer.created", {"id": "cus_1", "object": "customer"})
        call("note_stripe_page", list="events", items=Jsonb([{"object": self.missed}]), has_more=False)
        (message,) = call("take_webhooks", max_messages=1)["messages"]
        self.message = {name: message[name] for name in ("account_id", "notice_id", "endpoint_id", "lease")}

    def calls(self) -> dict[str, Row]:
        """A working call of every function, with as many arguments as it may have at once."""
        whisper = {"module_id": "whisper"}
        network = {"network_keys": ["c" * 64], "shared_network": True}
        said = {"idempotency_key": "k", "metadata": {"a": 1}} | self.ada
        tagged = {"tags": {"job": "j-1"}}
        hold = {"hold_id": self.hold_id} | self.ada
        order = {"account_id": self.order["account_id"], "order_id": self.order["order_id"]}
        called = self.ada | whisper | {"module_name": "Whisper", "tokens_to_consume": 25}
        endpoint = {"endpoint_id": self.endpoint_id}
        bea = {"email": "bea@example.com"}
        brought = {"referral_code": self.brought()}
        notice_ids = [row["notice_id"] for row in self.service.rows("select notice_id from api.notices")]
        return {
            "acknowledge_notices/1": {"notice_ids": notice_ids},
            "add_package/4": self.ada
            | {"tokens_to_add": 5, "package_name": "Standard", "idempotency_key": "k"},
            "add_tokens/3": self.ada | {"tokens_to_add": 5, "package_name": "Standard"},
            "add_tokens/9": said
            | {"tokens": 5, "reason": "promo", "package_name": "P", "priority": 3, "scope": "module:whisper"}
            | {"expires_at": "2099-01-01 00:00Z"},
            "apply_stripe_event/2": {"event": event(COMPLETED, session(self.order)), "payload": b"{}"},
            "attach_checkout/5": order
            | {"session_id": "cs_1", "customer_id": "cus_1", "replaces_customer_id": "cus_0"},
            "attach_customer/3": {"account_id": self.order["account_id"]}
            | {"customer_id": "cus_1", "replaces_customer_id": "cus_9"},
            "begin_sign_in/3": bea | network,
            "begin_sign_up/2": network,
            "cancel_order/2": order,
            "capture_hold/6": hold
            | {"usage": {"calls": 1}, "final": False, "over": "available", "idempotency_key": "k"},
            "change_expiry/4": {
                "lot_id": self.lot_id,
                "expires_at": "2099-01-01 00:00Z",
                "reason": "why",
                "idempotency_key": "k",
            },
            "claim_stripe_calls/2": {"most": 1, "lease_seconds": 60},
            "close_shortfall/2": {"shortfall_id": self.shortfall_id, "state": "settled"},
            "confirm_guest_use/1": {"use_id": self.use_id},
            "consume_call/6": called | tagged | {"idempotency_key": "k"},
            "consume_tokens/4": called,
            "consume_tokens/7": said | whisper | tagged | {"usage": {"calls": 2}, "byok": True},
            "consume_tokens_batch/2": {"items": Jsonb([self.ada | whisper]), "atomic": True},
            "create_order/5": self.ada | whisper | {"pack_id": "standard", "idempotency_key": "k"},
            "dismiss_event/2": {"event_id": self.event_id, "reason": "why"},
            "explain_balance/4": self.ada | {"at": "2026-01-01 00:00Z", "movements": 5, "before_seq": 5},
            "extend_hold/3": hold | {"ttl": "2 hours"},
            "change_password/3": bea
            | {"password_hash": self.password_hash, "compared_hash": self.password_hash},
            "end_session/4": self.session | {"everywhere": True},
            "end_sessions/1": self.ada,
            "open_session/2": bea | {"password_hash": self.password_hash},
            "refresh_session/3": self.session,
            "create_api_key/4": {"name": "desk", "role": "support", "expires_at": "2099-01-01 00:00Z"}
            | {"idempotency_key": "k"},
            "resolve_api_key/2": self.secret,
            "revoke_api_key/2": {"key_id": self.key_id, "reason": "why"},
            "rotate_api_key/4": {"key_id": self.key_id, "overlap": "1 hour", "reason": "why"}
            | {"expires_at": "2099-01-01 00:00Z"},
            "disable_webhook/2": endpoint | {"reason": "why"},
            "enable_webhook/2": endpoint | {"reason": "why"},
            "find_credential/1": bea,
            "finish_sign_in/2": bea | {"network_keys": ["c" * 64]},
            "finish_webhook/6": self.message | {"http_status": 204, "trouble": "slow"},
            "forget_user/3": {"user_id": "told", "give_up_balance": True},
            "freeze_account/2": self.ada | {"reason": "why"},
            "guest_allowance/3": self.guest | {"shared_network": True},
            "guest_consume/4": self.guest | whisper | {"shared_network": True},
            "hold_tokens/7": said | whisper | tagged | {"usage": {"calls": 2}, "ttl": "1 hour"},
            "lift_spend_limit/2": self.ada | {"period": "day"},
            "maintain/2": {"max_accounts": 1, "max_keys": 1},
            "offer_plan/2": self.ada | {"plan_id": "pro"},
            "missing_from_stripe/0": {},
            "operating_figures/0": {},
            "note_stripe_page/4": {"list": "refunds", "items": Jsonb([]), "has_more": False, "after": "re_1"},
            "open_account/6": {"user_id": "new", "device_keys": ["d" * 64], "email_verified": True}
            | network
            | brought,
            "payment_customer/1": self.ada,
            "quote_tokens/3": self.ada | whisper | {"usage": {"calls": 2}},
            "read_stripe_list/2": {"list": "events", "since": "2026-01-01"},
            "receipt/1": {"entry_id": self.entry_id},
            "redeem_code/3": self.ada | {"code": self.code, "idempotency_key": "k"},
            "referral_code/1": self.ada,
            "refund_usage/4": {
                "entry_id": self.entry_id,
                "tokens": 5,
                "reason": "why",
                "idempotency_key": "k",
            },
            "register_webhook/3": {"url": "https://shop.example/", "kinds": ["depleted"], "description": "D"},
            "release_guest_use/1": {"use_id": self.use_id},
            "renew_webhook_secret/2": endpoint | {"reason": "why"},
            "replay_from_stripe/2": {"event_id": self.missed["id"]},
            "replay_webhook/4": endpoint | {"since": "2026-01-01", "reason": "why", "delivered": True},
            "release_hold/4": hold | {"reason": "failed", "idempotency_key": "k"},
            "replay_event/2": {"event_id": self.event_id, "reason": "why"},
            "report_failure/5": said | whisper | {"duration_ms": 5},
            "report_refusal/3": self.ada | whisper | {"usage": {"calls": 100}},
            "report_refused_capture/3": hold | {"usage": {"calls": 100}},
            "report_stripe_call/4": {name: self.call[name] for name in ("account_id", "call_id", "lease")}
            | {"answer": CARD_ERROR},
            "request_refund/6": {"user_id": "payer", "order_id": self.paid["order_id"], "amount": 5}
            | {"reason": "why", "idempotency_key": "k"},
            "reset_low_balance/1": self.ada,
            "restore_lot/4": {
                "entry_id": self.void_id,
                "tokens": 5,
                "reason": "why",
                "idempotency_key": "k",
            },
            "set_auto_topup/7": {"user_id": "topped", "threshold": 5, "monthly_limit": 5000, "words": "yes"}
            | {"pack_id": "standard", "payment_method_id": "pm_2"},
            "set_low_balance/3": self.ada | {"below": 5},
            "set_overdraft_limit/2": self.ada | {"tokens": 5},
            "set_spend_limit/3": self.ada | {"period": "day", "tokens": 5},
            "set_test_clock/3": self.ada | {"frozen_time": "2098-01-01 00:00Z"},
            "sign_up/6": {"email": "cleo@example.com", "password_hash": self.password_hash}
            | {"device_keys": ["d" * 64]}
            | network
            | brought,
            "stop_auto_topup/1": {"user_id": "topped"},
            "start_free_plan/1": self.ada,
            "take_webhooks/1": {"max_messages": 1},
            "thaw_account/2": self.ada | {"reason": "why"},
            "verify_email/2": bea,
            "void_lot/4": {
                "lot_id": self.lot_id,
                "tokens": 5,
                "reason": "why",
                "idempotency_key": "k",
            },
        }

    def brought(self) -> str:
        return str(self.service.call("referral_code", user_id="ada")["code"])

    def outcome(self, function: str, arguments: Row) -> tuple[Row, str]:
        """The answer and the books after it, without random values and times. Everything is undone."""
        with self.service.connection.transaction(force_rollback=True):
            answer = self.service.call(function.partition("/")[0], **arguments)
            books = [
                self.service.rows(f"select to_jsonb(t)::text from credits.{table} as t") for table in TABLES
            ]
        return answer, str([sorted(CHANCE.sub("*", str(row)) for row in rows) for rows in [[answer], *books]])


@pytest.fixture(scope="module")
def world(own_town: Any) -> World:
    return World(own_town)


def test_every_argument_says_what_null_means(world: World) -> None:
    rows = world.service.rows(
        "select proname || '/' || pronargs as name, proargnames[:pronargs] as arguments from pg_proc"
        " where pronamespace = 'api'::regnamespace"
    )
    assert {row["name"]: set(row["arguments"] or ()) for row in rows} == {
        name: set(row) for name, row in MEANS.items()
    }


@pytest.mark.parametrize("function", MEANS)
def test_calls_work_without_nulls(world: World, function: str) -> None:
    """These calls must work, so that a refusal can only be about the null."""
    world.outcome(function, world.calls()[function])


@pytest.mark.parametrize(("function", "argument"), ARGUMENTS)
def test_null_means_omission_or_is_refused(world: World, function: str, argument: str) -> None:
    call, means = world.calls()[function], MEANS[function][argument]
    if isinstance(means, str):
        with refused(means):
            world.outcome(function, call | {argument: None})
        return
    answer, all_of_it = world.outcome(function, call | {argument: None})
    if isinstance(means, Omitted):
        left_out = {name: value for name, value in call.items() if name != argument}
        assert all_of_it == world.outcome(function, left_out)[1]
    else:
        assert answer | means.answer == answer


@pytest.mark.parametrize(("member", "means"), MEANS["consume_tokens/7"].items())
def test_null_in_a_batch_item_means_the_same_as_in_a_call(world: World, member: str, means: Meaning) -> None:
    item = world.calls()["consume_tokens/7"] | {member: None}
    answer, _ = world.outcome("consume_tokens_batch/2", {"items": Jsonb([item])})
    (verdict,) = answer["verdicts"]
    if isinstance(means, str):
        assert verdict["error"] == means
    else:
        assert (verdict["ok"], verdict["cost"]) == (True, 0)


@pytest.mark.parametrize(
    ("function", "arguments", "slug"),
    [
        ("set_test_clock", {"frozen_time": None, "advance": None}, "bad_clock"),
        ("set_test_clock", {"advance": None}, "bad_clock"),
        ("acknowledge_notices", {"notice_ids": [None]}, "bad_notices"),
        ("open_account", {"device_keys": [None], "network_keys": ["b" * 64]}, "bad_guest"),
        ("sign_up", {"device_keys": ["a" * 64, None]}, "bad_guest"),
        ("sign_up", {"network_keys": []}, "bad_guest"),
        ("open_account", {"device_keys": [], "network_keys": ["b" * 64]}, "bad_guest"),
        ("guest_allowance", {"device_keys": [None], "network_keys": ["b" * 64]}, "bad_guest"),
        ("begin_sign_up", {"network_keys": [None]}, "bad_guest"),
        ("consume_tokens_batch", {"items": Jsonb([None])}, None),
        ("consume_tokens_batch", {"items": Jsonb(None)}, "bad_items"),
    ],
)
def test_nulls_together_and_within_are_refused(
    world: World, function: str, arguments: Row, slug: str | None
) -> None:
    about = {
        "set_test_clock": world.ada,
        "open_account": {"user_id": "new"},
        "sign_up": {"email": "dora@example.com", "password_hash": world.password_hash},
    }.get(function, {})
    if slug is None:
        answer, _ = world.outcome(f"{function}/2", about | arguments)
        assert [verdict["error"] for verdict in answer["verdicts"]] == ["bad_items"]
        return
    with refused(slug):
        world.outcome(function, about | arguments)


def test_clock_moves_by_advance_beside_a_frozen_time_of_null(world: World) -> None:
    moved, _ = world.outcome("set_test_clock", world.ada | {"frozen_time": None, "advance": "1 day"})
    named, _ = world.outcome(
        "set_test_clock", world.ada | {"frozen_time": "2098-01-01 00:00Z", "advance": None}
    )
    assert moved["frozen_time"] < named["frozen_time"]


def test_any_is_the_word_for_unbound_tokens(world: World) -> None:
    call = world.ada | {"tokens": 5, "idempotency_key": "any"}
    with world.service.connection.transaction(force_rollback=True):
        first = world.service.call("add_tokens", **call)
        again = world.service.call("add_tokens", **call, scope="any")
        assert again == first | {"replayed": True}
        lot = world.service.row(
            "select scope from api.lots where lot_id = %s and user_id = 'ada'", (first["lot_id"],)
        )
        assert lot["scope"] is None
