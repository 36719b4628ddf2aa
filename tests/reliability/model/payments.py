"""Steps of payments: purchases, what Stripe says of them, and money that comes back."""

from __future__ import annotations

import psycopg
from callers import Row
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from purchases import Purchase
from reliability.model.model import Account, Answer, Pack, Refused
from reliability.model.money import (
    DISPUTE_STATUSES,
    FIRST_SUCCESS,
    INQUIRY_STATUSES,
    REFUND_STATUSES,
    MoneyEvent,
    Payment,
)
from reliability.model.run import Run
from reliability.model.session import RefusedOverHttp
from reliability.model.world import (
    CREATED,
    PACKS,
    events_before_attach,
    indexes,
    money_parts,
    users,
    variants,
)
from stripe_events import event as stripe_event


class Payments(Run):
    """Purchases of the pack, and refunds, disputes and warnings of any payment."""

    @rule(
        who=users,
        variants=variants,
        events_before_attach=events_before_attach,
        later=st.sampled_from([False, False, True]),
    )
    def buy(self, who: str, variants: list[str], events_before_attach: int, later: bool) -> None:
        """Buy the pack as it is sold now, and pay at once or later."""
        expected: int | Refused
        try:
            expected = self.accounts[who].call(lambda a: {"place": a.order(self.pack)})["place"]
        except Refused as refusal:
            expected = refusal
            self.counts[refusal.slug] += 1
        self.bank.act_as(who)
        try:
            order = self.bank.call("create_order", {"pack_id": "bundle"})
        except (psycopg.Error, RefusedOverHttp) as error:
            assert isinstance(expected, Refused), error
            self._compare_refusal(error, expected)
        else:
            assert not isinstance(expected, Refused), (expected.slug, order)
            sold = (self.pack.tokens, self.pack.bonus, self.pack.amount, "pending")
            assert (order["tokens"], order["bonus_tokens"], order["amount"], order["state"]) == sold
            self.orders[order["order_id"]] = self.accounts[who], expected
            self.accounts[who].orders[expected].order_id = str(order["order_id"])
            purchase = Purchase(order, f"cs_{order['order_id']}")
            self.payments.append(purchase)
            if later:
                self.unattached.append(purchase)
            else:
                self._pay(purchase, variants, events_before_attach, True)
        self._compare_orders()

    @precondition(lambda self: self.unattached)
    @rule(
        which=indexes, variants=variants, events_before_attach=events_before_attach, maintained=st.booleans()
    )
    def attach_later(
        self, which: int, variants: list[str], events_before_attach: int, maintained: bool
    ) -> None:
        """A checkout that is attached too late is refused. The buyer gets nothing and pays nothing."""
        self._pay(
            self.unattached.pop(which % len(self.unattached)), variants, events_before_attach, maintained
        )
        self._compare_orders()

    def _pay(
        self, purchase: Purchase, variants: list[str], events_before_attach: int, maintained: bool
    ) -> None:
        """Some events come before attach_checkout. All of them come again.

        Even an event that waits for the checkout books what is due.
        """
        account, place = self.orders[purchase.order["order_id"]]
        delivered = []
        for number, one in enumerate([*variants, None]):
            if number == min(events_before_attach, len(variants)):
                self._attach_checkout(purchase, maintained)
                self._follow(purchase)
            if one is not None:
                self._book_due_of_payer(account)
                self.bank.act_as(None)
                delivered.append(purchase.event(one))
                receipt = self.bank.call("apply_stripe_event", {"event": delivered[-1]})
                assert receipt["outcome"] == purchase.receive(one)
                self._follow(purchase)
                again = self.bank.call("apply_stripe_event", {"event": delivered[-1]})
                assert again["outcome"] == purchase.repeat()
        for event in delivered:
            assert self.bank.call("apply_stripe_event", {"event": event})["outcome"] == purchase.repeat()
        self.counts[f"order {account.orders[place].state}"] += 1

    def _follow(self, purchase: Purchase) -> None:
        """What the account gets when an event has moved its order."""
        account, place = self.orders[purchase.order["order_id"]]
        order = account.orders[place]
        if purchase.attached:
            order.state = purchase.state
        if purchase.granted and order.money.paid is None:
            paid = 0 if purchase.free else order.pack.amount
            account.call(lambda a: a.fulfil(place, paid, purchase.known))
            order = account.orders[place]
        order.money.known = order.money.known or purchase.known
        if order.money.known:
            account.call(lambda a: a.hear_waiting(place))

    def _attach_checkout(self, purchase: Purchase, maintained: bool) -> None:
        order = purchase.order
        account, place = self.orders[order["order_id"]]
        # A refused attach_checkout books nothing that is due.
        if maintained or not account.has_lapsed(account.orders[place], self.pack):
            self._maintain()
        expected: Refused | None = None
        try:
            account.attach_checkout(place, self.pack)
            purchase.attach()
        except Refused as refusal:
            expected = refusal
            self.counts[refusal.slug] += 1
        self.bank.act_as(None)
        arguments = {"account_id": order["account_id"], "order_id": order["order_id"]}
        try:
            attached = self.bank.call("attach_checkout", arguments | {"session_id": purchase.session_id})
        except (psycopg.Error, RefusedOverHttp) as error:
            assert expected, error
            self._compare_refusal(error, expected)
        else:
            assert not expected, (expected.slug, attached)
            assert attached["state"] == purchase.state

    @rule(pack=st.sampled_from([*PACKS[:2], *PACKS, PACKS[3]]))
    def change_pack(self, pack: Pack) -> None:
        """Give the pack another price or content, withdraw it, or restore it."""
        self.pack = pack
        self.bank.act_as_superuser()
        self.bank.rows(
            "select credits.define_pack('bundle', 'Bundle', %s, %s, 'eur', %s, p_active => %s)",
            pack.tokens,
            pack.amount,
            pack.bonus,
            pack.sold,
        )

    # Money that comes back

    @precondition(lambda self: self.payments)
    @rule(
        which=indexes,
        number=st.integers(1, 2),
        amount=money_parts,
        status=st.sampled_from([*REFUND_STATUSES, "succeeded", "succeeded", "pending"]),
    )
    def refund_payment(self, which: int, number: int, amount: tuple[int, int], status: str) -> None:
        payment = self._some_payment(which)
        name = f"re_{number}_{payment.order['order_id']}"
        kind = "refund.failed" if status in ("failed", "canceled") else "refund.updated"
        self._tell(
            payment, kind, MoneyEvent("", "refund", name, self._amount(payment, name, amount), status), {}
        )

    @precondition(lambda self: self.payments)
    @rule(which=indexes, amount=money_parts)
    def see_charge_refunded(self, which: int, amount: tuple[int, int]) -> None:
        """The charge says how much of it has been refunded in all."""
        payment = self._some_payment(which)
        name, whole = f"ch_{payment.order['order_id']}", payment.order["amount"]
        told = MoneyEvent("", "refunded_charge", name, whole * amount[0] // amount[1], "refunded")
        self._tell(payment, "charge.refunded", told, {"amount": whole, "amount_refunded": told.amount})

    @precondition(lambda self: self.payments)
    @rule(
        which=indexes,
        number=st.integers(1, 2),
        amount=money_parts,
        status=st.sampled_from([*DISPUTE_STATUSES * 3, *INQUIRY_STATUSES]),
        step=st.sampled_from(["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"]),
        movements=st.integers(0, 4),
    )
    def dispute_payment(
        self, which: int, number: int, amount: tuple[int, int], status: str, step: str, movements: int
    ) -> None:
        """Its list of movements begins with a withdrawal, and then goes to and fro."""
        payment = self._some_payment(which)
        name = f"dp_{number}_{payment.order['order_id']}"
        told = MoneyEvent("", "dispute", name, self._amount(payment, name, amount), status)
        movements = 0 if status.startswith("warning_") else movements
        told.withdrawals, told.reinstatements = (movements + 1) // 2, movements // 2
        moved = [{"amount": -told.amount if place % 2 == 0 else told.amount} for place in range(movements)]
        if step.startswith("funds_"):
            told.withdrawals = max(told.withdrawals, 1)
        if step == "funds_reinstated":
            told.reinstatements = max(told.reinstatements, 1)
        self._tell(payment, f"charge.dispute.{step}", told, {"balance_transactions": moved})

    @precondition(lambda self: self.payments)
    @rule(which=indexes, actionable=st.sampled_from([True, True, False]))
    def warn_of_fraud(self, which: int, actionable: bool) -> None:
        payment = self._some_payment(which)
        name = f"issfr_{payment.order['order_id']}"
        told = MoneyEvent("", "fraud_warning", name, 0, "actionable" if actionable else "closed")
        kind = "radar.early_fraud_warning.created" if actionable else "radar.early_fraud_warning.updated"
        self._tell(payment, kind, told, {"actionable": actionable})

    @precondition(lambda self: self.payments)
    @rule(which=indexes, failed=st.booleans(), later=st.integers(0, 3))
    def hear_of_debit(self, which: int, failed: bool, later: int) -> None:
        """A payment that had succeeded has failed, or has succeeded again, by Stripe's clock."""
        payment = self._some_payment(which)
        account, place = self.orders[payment.order["order_id"]]
        if account.orders[place].state != "paid" or not isinstance(payment, Purchase):
            return
        told = payment.event("failed" if failed else "paid later", created=CREATED + later)

        def change(account: Account) -> Answer:
            order = account.orders[place]
            outcome = "duplicate"
            if failed:
                outcome = order.money.fail(payment.session_id, FIRST_SUCCESS + later)
                news = outcome == "applied"
                self.counts["failed_payment"] += news
            else:
                news = order.money.succeed(FIRST_SUCCESS + later)
            if news:
                account.follow_money(place)
            return {"outcome": outcome}

        self._call_both(account, "apply_stripe_event", {"event": told}, change)
        self._compare_payments()

    @precondition(lambda self: self.money_events)
    @rule(which=indexes)
    def tell_again(self, which: int) -> None:
        payment, told, event = self.money_events[which % len(self.money_events)]
        self._deliver(payment, told, event)

    def _some_payment(self, which: int) -> Payment:
        """Mostly one of the last two, so that much happens to one payment."""
        some = self.payments[-2:] if which % 4 else self.payments
        return some[which // 4 % len(some)]

    def _amount(self, payment: Payment, name: str, part: tuple[int, int]) -> int:
        """A refund and a dispute keep their amount."""
        return self.amounts.setdefault(name, max(payment.order["amount"] * part[0] // part[1], 1))

    def _tell(self, payment: Payment, kind: str, told: MoneyEvent, members: Row) -> None:
        """Send an event about the payment. Once its charge is known, some events name that alone."""
        account, place = self.orders[payment.order["order_id"]]
        charge = f"ch_{payment.order['order_id']}"
        thing = {"id": told.object_id, "charge": charge, "payment_intent": payment.intent}
        if account.orders[place].money.charge_known and next(self.numbers) % 2:
            del thing["payment_intent"]
        thing |= {"amount": told.amount, "status": told.status, "currency": "eur"}
        event = stripe_event(kind, thing | members)
        told.event_id = event["id"]
        self.money_events.append((payment, told, event))
        self._deliver(payment, told, event)

    def _deliver(self, payment: Payment, told: MoneyEvent, event: Row) -> None:
        account, place = self.orders[payment.order["order_id"]]
        money = account.orders[place].money
        self.counts[told.kind] += 1
        if money.known and told.event_id not in money.done:
            self._call_both(account, "apply_stripe_event", {"event": event}, lambda a: a.hear(place, told))
            self._compare_payments()
        else:  # it is no news, or its payment is unknown: it locks nothing and moves nothing
            if not money.known and told not in money.waiting:
                money.waiting.append(told)
            self.bank.act_as(None)
            receipt = self.bank.call("apply_stripe_event", {"event": event})
            assert receipt["outcome"] == ("duplicate" if money.known else "waiting")
            self._compare_orders()
