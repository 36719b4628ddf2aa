"""Steps that grant, spend and hold tokens, and set what an account may spend."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from callers import Row
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from reliability.model.model import ZERO, Account, Answer, Module, Refused, Tags
from reliability.model.run import Asked, Run
from reliability.model.session import RefusedOverHttp
from reliability.model.world import (
    by_user,
    captured,
    indexes,
    keyed,
    lifetimes,
    metadata_sizes,
    modules,
    reasons,
    scopes,
    tags,
    tokens,
    ttls,
    usages,
    users,
)


class Spending(Run):
    """Grants, spends, holds, captures, refunds of use, batches, limits."""

    @rule(
        who=users,
        reason=reasons,
        tokens=tokens,
        lifetime=lifetimes,
        scope=scopes,
        priority=st.none() | st.just(1),
        keyed=keyed,
    )
    def grant(
        self,
        who: str,
        reason: str,
        tokens: Decimal,
        lifetime: Any,
        scope: str | None,
        priority: int | None,
        keyed: bool,
    ) -> None:
        expires_at = None if lifetime is None else self.accounts[who].now + lifetime
        self._call(keyed, self._grant, who, reason, tokens, expires_at, scope, priority)

    @rule(
        who=users,
        module=modules,
        quantity=usages,
        byok=st.sampled_from([False] * 3 + [True]),
        user=by_user,
        metadata_size=metadata_sizes,
        tags=tags,
        keyed=keyed,
    )
    def spend(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        byok: bool,
        user: bool,
        metadata_size: int,
        tags: Tags,
        keyed: bool,
    ) -> None:
        call = partial(self._spend, tags=tags)
        self._call(keyed, call, who, module, quantity, byok and not user, user, metadata_size)

    @rule(
        who=users,
        module=modules,
        quantity=usages,
        ttl=ttls,
        user=by_user,
        metadata_size=metadata_sizes,
        tags=tags,
        keyed=keyed,
    )
    def hold(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        ttl: timedelta,
        user: bool,
        metadata_size: int,
        tags: Tags,
        keyed: bool,
    ) -> None:
        call = partial(self._hold, tags=tags)
        self._call(keyed, call, who, module, quantity, ttl, user, metadata_size)

    @precondition(lambda self: self.holds)
    @rule(
        which=indexes,
        quantity=captured,
        whole=st.booleans(),
        final=st.sampled_from([True, True, False]),
        over=st.sampled_from(["debt", "debt", "available", "error"]),
        user=by_user,
        keyed=keyed,
    )
    def capture(
        self,
        which: int,
        quantity: Decimal | None,
        whole: bool,
        final: bool,
        over: str,
        user: bool,
        keyed: bool,
    ) -> None:
        number, user = self._some_hold(which, user)
        self._call(keyed, self._capture, number, quantity, whole, final, over, user)

    @precondition(lambda self: self.holds)
    @rule(which=indexes, user=by_user, keyed=keyed)
    def release(self, which: int, user: bool, keyed: bool) -> None:
        number, user = self._some_hold(which, user)
        self._call(keyed, self._release, number, user)

    @precondition(lambda self: self.holds)
    @rule(which=indexes, ttl=ttls, user=by_user)
    def extend(self, which: int, ttl: timedelta, user: bool) -> None:
        number, user = self._some_hold(which, user)
        account, name = self.holds[number]
        self._call_both(
            account,
            "extend_hold",
            {"hold_id": name, "ttl": ttl},
            lambda a: a.extend(number, ttl, not user),
            user=user,
        )

    @rule(who=users, which=indexes, part=st.none() | tokens, keyed=keyed)
    def refund(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        spends = [
            n for n, entry in enumerate(self.accounts[who].entries, 1) if entry.kind in ("spend", "byok")
        ]
        if which % 2:
            spends = spends[-2:]  # so that one of them is soon refunded twice
        if spends:
            self._call(keyed, self._refund, who, spends[which % len(spends)], part)

    @rule(who=users, status=st.sampled_from(["frozen", "active", "active"]))
    def freeze_or_thaw(self, who: str, status: str) -> None:
        def change(account: Account) -> Answer:
            replayed, account.status = account.status == status, status
            return {"status": status, "replayed": replayed}

        function = "freeze_account" if status == "frozen" else "thaw_account"
        self._call_both(self.accounts[who], function, {"user_id": who}, change)

    @rule(who=users, tokens=st.just(ZERO) | tokens)
    def overdraft(self, who: str, tokens: Decimal) -> None:
        def change(account: Account) -> Answer:
            account.overdraft = tokens
            return {"tokens": tokens, "debt": account.debt}

        self._call_both(self.accounts[who], "set_overdraft_limit", {"user_id": who, "tokens": tokens}, change)

    @rule(who=users, period=st.sampled_from(["day", "month"]), tokens=st.none() | tokens, user=by_user)
    def spend_limit(self, who: str, period: str, tokens: Decimal | None, user: bool) -> None:
        def change(account: Account) -> Answer:
            by = "user" if user else "service"
            account.limits.pop((by, period), None)
            if tokens is not None:
                account.limits[by, period] = tokens
            return {"tokens": tokens, "set_by": by}

        function = "lift_spend_limit" if tokens is None else "set_spend_limit"
        arguments = {"user_id": who, "period": period} | ({} if tokens is None else {"tokens": tokens})
        self._call_both(self.accounts[who], function, arguments, change, user=user)

    @rule(
        items=st.lists(st.tuples(users, modules, usages, keyed), min_size=1, max_size=6),
        again=st.booleans(),
        atomic=st.sampled_from([False, False, True]),
    )
    def batch(self, items: list[tuple[str, Module, Decimal | None, bool]], again: bool, atomic: bool) -> None:
        """A batch shares its keys with single spends, which repeat them. One may come twice in the batch."""
        keyed = [
            (who, module, quantity, self._key() if key else None) for who, module, quantity, key in items
        ]
        if again:
            keyed.append(keyed[0])
        self._batch(keyed, atomic)

    # The calls

    def _some_hold(self, which: int, user: bool) -> tuple[int, bool]:
        """Every other time an open hold, else any. Every other time its maker calls, else who `user` says."""
        still_open = [n for n, (account, _) in self.holds.items() if account.holds[n].state == "open"]
        numbers = still_open if which % 2 and still_open else list(self.holds)
        number = numbers[which // 4 % len(numbers)]
        by_service = self.holds[number][0].holds[number].by_service
        return number, not by_service if which // 2 % 2 else user

    def _grant(
        self,
        who: str,
        reason: str,
        tokens: Decimal,
        expires_at: Any,
        scope: str | None,
        priority: int | None,
        key: str | None,
    ) -> None:
        arguments: dict[str, Any] = {"user_id": who, "reason": reason, "tokens": tokens}
        arguments |= {"scope": scope} if scope is not None else {}
        arguments |= {"expires_at": expires_at} if expires_at is not None else {}
        self._call_both(
            self.accounts[who],
            "add_tokens",
            arguments | {"priority": priority},
            lambda a: a.grant(reason, tokens, expires_at, priority, scope),
            key,
        )

    def _spend(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        byok: bool,
        user: bool,
        metadata_size: int,
        key: str | None,
        tags: Tags = None,
    ) -> None:
        usage = usage_of(module, quantity)
        arguments: Row = {"user_id": who, "module_id": module.module_id, "usage": usage}
        self._call_both(
            self.accounts[who],
            "consume_tokens",
            arguments | ({"byok": True} if byok else {}) | metadata_of(metadata_size) | tags_of(tags),
            lambda a: a.spend(module, usage, byok, not user, metadata_size, tags),
            key,
            user,
        )

    def _hold(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        ttl: timedelta,
        user: bool,
        metadata_size: int,
        key: str | None,
        tags: Tags = None,
    ) -> None:
        usage, number = usage_of(module, quantity), next(self.hold_numbers)
        arguments = {"user_id": who, "module_id": module.module_id, "usage": usage, "ttl": ttl}
        self._ask(
            Asked(
                self.accounts[who],
                "hold_tokens",
                arguments | metadata_of(metadata_size) | tags_of(tags),
                lambda a: a.hold(number, module, usage, ttl, not user, metadata_size, tags),
                key,
                user,
                number,
            )
        )

    def _capture(
        self,
        number: int,
        quantity: Decimal | None,
        whole: bool,
        final: bool,
        over: str,
        user: bool,
        key: str | None,
    ) -> None:
        account, name = self.holds[number]
        usage = None if whole else usage_of(account.holds[number].module, quantity)
        self._call_both(
            account,
            "capture_hold",
            {"hold_id": name, "final": final, "over": over} | ({} if usage is None else {"usage": usage}),
            lambda a: a.capture(number, usage, final, over, not user),
            key,
            user,
        )

    def _release(self, number: int, user: bool, key: str | None) -> None:
        account, name = self.holds[number]
        self._call_both(
            account, "release_hold", {"hold_id": name}, lambda a: a.release(number, not user), key, user
        )

    def _refund(self, who: str, seq: int, part: Decimal | None, key: str | None) -> None:
        arguments = {"entry_id": f"{self.names[who]}:{seq}"} | ({} if part is None else {"tokens": part})
        self._call_both(self.accounts[who], "refund_usage", arguments, lambda a: a.refund(seq, part), key)

    def _batch(self, items: list[tuple[str, Module, Decimal | None, str | None]], atomic: bool) -> None:
        self.counts["consume_tokens_batch"] += 1
        before = {who: account.copy() for who, account in self.accounts.items()}
        sent, expected = [], []
        for who, module, quantity, key in items:
            usage = usage_of(module, quantity)
            item: Row = {"user_id": who, "module_id": module.module_id, "usage": usage}
            operation = None if key is None else ("consume_tokens", key)
            spend = partial(Account.spend, module=module, usage=usage)
            sent.append(item | ({} if key is None else {"idempotency_key": key}))
            try:
                expected.append(self.accounts[who].call(spend, operation, repr(item)))
            except Refused as refusal:
                expected.append(refusal)
            if key is not None:
                self.keyed_calls.append(partial(self._spend, who, module, quantity, False, False, 0, key=key))
        refusals = [
            (place, verdict) for place, verdict in enumerate(expected) if isinstance(verdict, Refused)
        ]
        self.bank.act_as(None)
        try:
            answer = self.bank.call("consume_tokens_batch", {"items": sent, "atomic": atomic})
        except (psycopg.Error, RefusedOverHttp) as error:
            assert atomic
            assert refusals, error
            (place, refusal), *_ = refusals
            self._compare_refusal(error, refusal, index=place)
            self.accounts = before
            self.holds = {
                number: (before[account.user_id], name) for number, (account, name) in self.holds.items()
            }
            self.orders = {
                name: (before[account.user_id], place) for name, (account, place) in self.orders.items()
            }
        else:
            assert not (atomic and refusals)
            assert (answer["accepted"], answer["refused"]) == (len(items) - len(refusals), len(refusals))
            for (who, *_), verdict, model in zip(items, answer["verdicts"], expected, strict=True):
                if isinstance(model, Refused):
                    assert (verdict["ok"], verdict["error"]) == (False, model.slug)
                    assert {name: verdict.get(name) for name in model.facts} == model.facts
                else:
                    assert verdict["ok"] is True
                    self._compare_answer(who, verdict, model)
            for who in {who for who, *_ in items}:
                self.accounts[who].book_due()  # a batch books what is due even if all items are refused
        self._compare_books()


def metadata_of(metadata_size: int) -> Row:
    return {"metadata": {"note": "x" * metadata_size}} if metadata_size else {}


def tags_of(tags: Tags) -> Row:
    return {} if tags is None else {"tags": tags}


def usage_of(module: Module, quantity: Decimal | None) -> dict[str, Decimal]:
    """Larger quantities name a part of them apart, where the price has parts."""
    if quantity is None:
        return {}
    price = module.prices[0]
    if price.parts and quantity > 5:
        return {price.dimension: quantity - 3, price.parts[0]: Decimal(3)}
    return {price.dimension: quantity}
