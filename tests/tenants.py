"""Users of one bank with something in every table, and what tells one user's rows apart from all others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from callers import Caller, Row
from holding import UserWithin
from mirroring import read
from stripe_events import COMPLETED, attached, event, session
from subscription_events import FAILED, PAID, at, invoice, line, subscription, unpaid
from topping import claim

PASSWORD = "of a tenant, long enough"
SHORTEST = 8  # letters of a text that can be nobody else's
_PLAN = "price_of_the_tenants"
# The tables of the bank, and whether their rows belong to accounts.
_TABLES = """
    select c.relname as name, exists (
        select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'account_id'
    ) as of_accounts
    from pg_class as c
    where c.relnamespace = 'credits'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    order by 1
"""


@dataclass
class Tenant:
    """A user with something of everything. `facts` has their ids, by the names of arguments."""

    mark: str  # a word that only their texts have
    user_id: str
    account_id: str
    refresh_token: str = field(repr=False)
    ended_token: str = field(repr=False)  # of a session that they have ended
    facts: Row

    @property
    def email(self) -> str:
        return f"{self.mark}@example.com"


def prepare(bank: Caller) -> None:
    """A catalog with something of everything."""
    for statement in (
        "select credits.allow_test_clocks(true)",
        "select credits.define_guest_limits('iahome', 3, 100, 1000)",
        "select credits.define_campaign('brought', 'referral', 'Brought', 5)",
        "select credits.define_campaign('given', 'promo', 'Given', 5)",
        "select credits.define_code('SPRING', 'given')",
        "select credits.define_campaign('later', 'promo', 'Later', 5)",
        "select credits.define_code('SUMMER', 'later')",
        "select credits.define_plan('free', 'Free', 50)",
        f"select credits.define_plan('pro', 'Pro', 500, 900, 'eur', p_stripe_price_id => '{_PLAN}')",
        "select credits.define_plan('team', 'Team', 900, 1900, 'eur', p_stripe_price_id => 'price_of_teams')",
        "select credits.define_topup('eur', 100, 100000, 1)",
        "select credits.define_notice('low_balance', p_below => 100)",
    ):
        bank.rows(statement)
    bank.call("register_webhook", url="https://shop.example/hook")


def furnish(bank: Caller, mark: str, share: str) -> Tenant:
    """A new user. `share`: the decimals of their amounts, which no other user's have."""
    return _Furnished(bank, mark, share).tenant


class _Furnished:
    def __init__(self, bank: Caller, mark: str, share: str) -> None:
        self.bank, self.mark, self.share = bank, mark, Decimal(share)
        self.tenant = self._signed_up()
        self.about = {"user_id": self.tenant.user_id}
        self._is_charged()
        self._spends()
        self._buys()
        self._subscribes()
        self._is_administered()

    def _signed_up(self) -> Tenant:
        """Brought by somebody, a guest before, with a session and a second one."""
        keys = {
            f"{kind}_keys": [sha256(f"{self.mark} {kind}".encode()).hexdigest()]
            for kind in ("device", "network")
        }
        friend = f"friend of {self.mark}"
        self.bank.call("open_account", user_id=friend)
        code = self.bank.call("referral_code", user_id=friend)["code"]
        use = self.bank.call("guest_consume", module_id="whisper", **keys)
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        email = f"{self.mark}@example.com"
        user_id = self.bank.call("sign_up", email=email, password_hash=hashed, referral_code=code, **keys)[
            "user_id"
        ]
        self.bank.call("change_password", email=email, password_hash=hashed)
        self.bank.call("begin_sign_in", email=email, network_keys=keys["network_keys"])
        self.bank.call("finish_sign_in", email=email, network_keys=keys["network_keys"])
        ended = self.bank.call("open_session", email=email, password_hash=hashed)["refresh_token"]
        self.bank.call("end_session", **_session(ended))
        opened = self.bank.call("open_session", email=email, password_hash=hashed)["refresh_token"]
        row = self.bank.row("select account_id from credits.identities where subject = %s", (user_id,))
        facts = {
            "user_id": user_id,
            "account_id": str(row["account_id"]),
            "email": email,
            "use_id": str(use["use_id"]),
            "sign_in_session": _session(opened)["session_id"],
            "token_hash": _session(opened)["token_hash"],
            "secret_hash": sha256(opened.encode()).hexdigest(),
            "password_hash": hashed,
            "compared_hash": hashed,
            "referral_code": self._brings(user_id),
            **keys,
        }
        return Tenant(self.mark, user_id, facts["account_id"], opened, ended, facts)

    def _brings(self, user_id: str) -> str:
        code = str(self.bank.call("referral_code", user_id=user_id)["code"])
        self.bank.call("open_account", user_id=f"brought by {self.mark}", referral_code=code)
        return code

    def call(self, function: str, **arguments: Any) -> Row:
        return self.bank.call(function, **self.about, **arguments)

    def _spends(self) -> None:
        facts, mark = self.tenant.facts, self.mark
        said = {"metadata": {"owner": mark}}
        tagged = {"tags": {"owner": mark}}
        key = {"idempotency_key": f"key of {mark}"}
        whisper = {"module_id": "whisper"}
        lot = self.call(
            "add_tokens", tokens=100000 + self.share, package_name=f"Package of {mark}", **said, **key
        )
        void = self.bank.call(
            "void_lot", lot_id=lot["entry_id"], tokens=1 + self.share, reason=f"void of {mark}"
        )
        spent = self.call("consume_tokens", **whisper, usage={"calls": 10}, **said, **tagged, **key)
        self.bank.call("refund_usage", entry_id=spent["entry_id"], tokens=1 + self.share)
        short = self.call("hold_tokens", **whisper, **said)["hold_id"]
        taken = self.call("capture_hold", hold_id=short, usage={"calls": 2})
        self.bank.rows(  # a shortfall needs an empty wallet
            "insert into credits.shortfalls"
            " (account_id, shortfall_id, hold_id, entry_seq, tokens, state, created_at)"
            " values (%s, gen_random_uuid(), %s, %s, %s, 'open', clock_timestamp()) returning 1",
            (
                facts["account_id"],
                short.partition(":")[2],
                int(taken["entry_id"].partition(":")[2]),
                3 + self.share,
            ),
        )
        user = UserWithin(self.bank.connection, self.tenant.user_id)  # who may end only a hold of their own
        held = user.call("hold_tokens", **whisper, usage={"calls": 4}, **said, **tagged, **key)
        self.call("report_failure", **whisper, duration_ms=1000 + self.share, **said)
        self.call("redeem_code", code="SPRING")
        self.call("set_spend_limit", period="month", tokens=90000 + self.share)
        self.call("set_low_balance", below=7 + self.share)
        facts |= {
            "entry_id": spent["entry_id"],
            "lot_id": lot["entry_id"],
            "void_id": void["entry_id"],
            "hold_id": held["hold_id"],
            "shortfall_id": str(
                self._own("select account_id || ':' || shortfall_id as x from credits.shortfalls")
            ),
            "idempotency_key": f"key of {mark}",
        }

    def _buys(self) -> None:
        facts = self.tenant.facts
        paid = attached(self.bank, self.call("create_order", pack_id="standard"), f"cs_test_{self.mark}")
        bought = session(paid, customer=f"cus_{self.mark}", payment_intent=f"pi_{self.mark}")
        completed = event(COMPLETED, bought)
        self.bank.call("apply_stripe_event", event=completed)
        read(self.bank, "events", completed)
        back = {"id": f"re_{self.mark}", "object": "refund", "amount": 1, "status": "succeeded"}
        back |= {"charge": f"ch_{self.mark}", "payment_intent": f"pi_{self.mark}", "currency": "eur"}
        self.bank.call("apply_stripe_event", event=event("refund.created", back))
        self.call("request_refund", order_id=paid["order_id"], amount=2, reason=f"refund for {self.mark}")
        facts |= {
            "order_id": str(self.call("create_order", pack_id="standard")["order_id"]),
            "session_id": f"cs_test_{self.mark}",
            "customer_id": f"cus_{self.mark}",
            "replaces_customer_id": f"cus_{self.mark}",
            "event_id": completed["id"],
            "object_id": f"re_{self.mark}",
        }

    def _subscribes(self) -> None:
        self.call("start_free_plan")
        now = datetime.now(UTC)
        month = (now - timedelta(days=10), now + timedelta(days=20))
        customer, name = f"cus_{self.mark}", f"sub_{self.mark}"
        told = subscription(name, customer, _PLAN, *month)
        bill = invoice(f"in_{self.mark}", name, customer, [line(_PLAN, 900, *month)])
        for kind, thing in (("customer.subscription.created", told), (FAILED, unpaid(bill)), (PAID, bill)):
            self.bank.call("apply_stripe_event", event=at(kind, thing, now))

    def _is_charged(self) -> None:
        """They have agreed to automatic top-ups, and their card is being charged."""
        account_id = self.tenant.account_id
        self.bank.call("attach_customer", account_id=account_id, customer_id=f"cus_{self.mark}")
        self.call(
            "set_auto_topup",
            threshold=50 + self.share,
            monthly_limit=50000,
            words=f"Charge the card of {self.mark}",
            pack_id="basique",
            payment_method_id=f"pm_{self.mark}",
        )
        self.call("add_tokens", tokens=60)
        self.call("consume_tokens", module_id="metube", usage={"calls": 2})
        (charge, *_) = claim(self.bank, most=20)
        self.tenant.facts |= {"call_id": charge["call_id"], "lease": charge["lease"]}
        self.tenant.facts["payment_method_id"] = f"pm_{self.mark}"

    def _is_administered(self) -> None:
        facts = self.tenant.facts
        self.call("freeze_account", reason=f"look at {self.mark}")
        self.call("thaw_account", reason=f"looked at {self.mark}")
        key = self.bank.call("create_api_key", name=f"till of {self.mark}", role="spender")
        hook = self.bank.call("register_webhook", url=f"https://{self.mark}.example/hook")
        # What maintenance writes months later, and what an administrator writes for a login of SQL.
        account = (facts["account_id"],)
        self.bank.rows(
            "insert into credits.inactive_accounts (account_id, active_at, announced_at, purge_at)"
            " select %s, at - interval '1 hour', at, at + interval '1 month' from clock_timestamp() as at"
            " returning 1",
            account,
        )
        # As if the user were being forgotten at this moment: the mark comes first.
        self.bank.rows(
            "insert into credits.forgotten_accounts (account_id, forgotten_at, finished_at, gave_up, actor)"
            " values (%s, clock_timestamp(), clock_timestamp(), 0, 'nobody') returning 1",
            account,
        )
        self.bank.rows(
            "insert into credits.audit_checkpoints (account_id, seq, posted_at, verified_at, balance,"
            " debt, lifetime_granted, lifetime_spent, hash)"
            " select w.account_id, w.seq, w.posted_at, clock_timestamp(), w.balance, w.debt,"
            " w.lifetime_granted, w.lifetime_spent, w.head_hash from credits.wallets as w"
            " where w.account_id = %s returning 1",
            account,
        )
        self.bank.rows(
            "insert into credits.sql_logins (login, role_oid, account_id) values (%s, %s, %s) returning 1",
            (self.mark, 10**9 + len(self.mark), *account),
        )
        self.call("add_tokens", tokens=5 + self.share)  # which a product is told of
        messages = self.bank.call("take_webhooks", max_messages=100)["messages"]
        (message, *_) = [one for one in messages if one["account_id"] == facts["account_id"]]
        notices = self.bank.rows("select notice_id from credits.outbox where account_id = %s", account)
        facts |= {
            "key_id": key["key_id"],
            "endpoint_id": str(hook["endpoint_id"]),
            "notice_id": message["notice_id"],
            "notice_ids": [str(row["notice_id"]) for row in notices],
        }

    def _own(self, query: str) -> Any:
        (value,) = self.bank.row(f"{query} where account_id = %s", (self.tenant.account_id,)).values()
        return value


def _session(refresh_token: str) -> Row:
    """The arguments that a refresh token means."""
    return {
        "account_id": str(UUID(refresh_token[4:36])),
        "session_id": str(UUID(refresh_token[36:68])),
        "token_hash": sha256(refresh_token.encode()).hexdigest(),
    }


def tables(bank: Caller) -> dict[str, bool]:
    """Every table of the bank, and whether its rows belong to accounts."""
    return {row["name"]: row["of_accounts"] for row in bank.rows(_TABLES)}


def rows_of(bank: Caller, tenant: Tenant) -> dict[str, list[str]]:
    """Every row of every table that names a user or their account, as JSON text."""
    names = [f'"{tenant.user_id}"', tenant.account_id, tenant.facts["use_id"]]
    found = {}
    for name, of_accounts in tables(bank).items():
        # Somebody else's row may have their mark: a key that was tried.
        named = [f"%{one}%" for one in (names if of_accounts else [*names, tenant.mark])]
        rows = f"select to_jsonb(t)::text as r from credits.{name} as t"
        found_rows = bank.rows(f"select x.r from ({rows}) as x where x.r like any(%s)", (named,))
        found[name] = sorted(row["r"] for row in found_rows)
    return found


def leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a JSON value."""
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from leaves(child)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def distinct(texts: Iterable[str], others: Iterable[str]) -> list[bytes]:
    """Those of one user's texts that stand in none of the others', each as an answer may have it."""
    elsewhere = "\n".join(others).lower()
    own = set()
    for text in texts:
        plain = text.lower().removeprefix("\\x")
        for form in (plain, plain.replace("-", "") if plain.count("-") == 4 and len(plain) == 36 else plain):
            # A number of one digit before its decimals may stand in a time.
            if len(form) >= SHORTEST and form not in elsewhere and not re.fullmatch(r"\d\.\d+", form):
                own.add(form.encode())
    return sorted(own)


def new_names(tenant: Tenant) -> Row:
    """Facts of the same shapes that nobody has."""
    made: Row = {}
    for name, value in tenant.facts.items():
        if isinstance(value, list):
            made[name] = [_like(one) for one in value]
        else:
            made[name] = _like(value)
    account = made["account_id"]
    for name in ("entry_id", "lot_id", "void_id"):
        made[name] = f"{account}:1"
    for name in ("hold_id", "shortfall_id"):
        made[name] = f"{account}:{uuid4()}"
    return made


def _like(value: str) -> str:
    if len(value) == 64:
        return sha256(uuid4().bytes).hexdigest()
    try:
        UUID(value)
    except ValueError:
        kind, mark, _ = value.partition("_")
        return (
            f"{kind}_{uuid4().hex}"
            if mark
            else f"n{uuid4().hex}@example.com"
            if "@" in value
            else uuid4().hex
        )
    return str(uuid4())
