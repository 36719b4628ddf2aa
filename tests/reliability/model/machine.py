"""Random calls and moves of the clock, made both to the bank and to the model. Their answers must agree."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from reliability.model.corrections import Corrections
from reliability.model.model import ZERO
from reliability.model.payments import Payments
from reliability.model.rewards import Brought
from reliability.model.spending import Spending
from reliability.model.subscribing import PLANS, Subscribing
from reliability.model.world import MODULES, USERS, indexes, jumps, tokens, users

# Situations that seldom come about by chance. Each run begins with one.
BROUGHT = ("a reward that is taken back", "a spent reward")
SUBSCRIBED = (
    "a renewal",
    "a renewal that was not paid",
    "a renewal of what lasts longer",
    "an upgrade and a renewal",
    "a spent upgrade that is undone",
    "a smaller plan",
    "a refund of a rollover",
    "a held allowance",
)
OPENINGS = (
    *("none", "none", "in default", "an expired hold", "a hold that expired long ago", "a user's own hold"),
    *("a hold of a lot that ends", "debt and an open hold", *["a limit and a user's own hold"] * 2),
    *("a spent purchase", "a purchase that ends", "a held purchase", "a refund of what is held"),
    *("a purchase that repaid a dispute", "a debt that was repaid is won back", "a void and a refund"),
    *("a refund before its purchase", "a refund and a dispute", "a pending refund", "an inquiry"),
    *SUBSCRIBED,
    *BROUGHT,
)
# The functions that the steps call, each again and again.
CALLED = {
    "add_tokens",
    "apply_stripe_event",
    "capture_hold",
    "change_expiry",
    "consume_tokens",
    "consume_tokens_batch",
    "extend_hold",
    "freeze_account",
    "hold_tokens",
    "lift_spend_limit",
    "refund_usage",
    "release_hold",
    "restore_lot",
    "set_overdraft_limit",
    "set_spend_limit",
    "set_test_clock",
    "thaw_account",
    "void_lot",
}


class BankMachine(Spending, Payments, Corrections, Subscribing):
    """All steps, and how a run begins."""

    opening: str

    def __init__(self) -> None:
        super().__init__()
        for who in USERS:
            self._grant(who, "promo", Decimal(200), None, None, None, None)

    # Steps

    @initialize(who=users)
    def open(self, who: str) -> None:
        opening = self.opening
        draft, minute, day = MODULES[0], timedelta(minutes=1), timedelta(hours=24)
        if opening == "in default":
            # More debt than the account may have now, and tokens for clips alone.
            self._grant(who, "grant", Decimal(100), None, "module:clip", None, None)
            self.overdraft(who, Decimal(100))
            self._hold(who, draft, Decimal(10), day, False, 0, None)
            self._capture(0, Decimal(120), False, True, "debt", False, None)
            self.overdraft(who, ZERO)
        elif opening == "debt and an open hold":
            # Debt of 42 tokens, and a small hold of which most captures make more.
            self.overdraft(who, Decimal(50))
            self._hold(who, draft, Decimal(10), day, False, 0, None)
            self._hold(who, draft, Decimal(1), day, False, 0, None)
            self._capture(0, Decimal(120), False, True, "debt", False, None)
        elif opening in ("an expired hold", "a hold that expired long ago"):
            self._hold(who, draft, Decimal(10), minute, False, 0, None)
            self.move_clock(who, 2 * minute if opening == "an expired hold" else day + minute, True)
        elif opening == "a user's own hold":
            self._hold(who, draft, Decimal(10), day, True, 0, None)
            self.move_clock(who, minute, True)
        elif opening == "a limit and a user's own hold":
            # The hold takes 20 of 30 tokens.
            self.spend_limit(who, "day", Decimal(30), False)
            self._hold(who, draft, Decimal(10), day, True, 0, None)
        elif opening == "a hold of a lot that ends":
            expires_at = self.accounts[who].now + 5 * minute
            self._grant(who, "promo", Decimal(40), expires_at, None, 1, None)
            self._hold(who, draft, Decimal(10), day, False, 0, None)
        elif opening in BROUGHT:
            self._open_with_referral(who, opening)
        elif opening in SUBSCRIBED:
            self._open_with_plan(who, opening)
        elif opening != "none":
            # All that the account has is a purchase, mostly of 80 tokens and 20 more.
            self._void(who, 1, None, None)
            self._open_with_purchase(who, opening)

    def _open_with_purchase(self, who: str, opening: str) -> None:
        draft, minute, whole = MODULES[0], timedelta(minutes=1), (1, 1)
        self.buy(who, ["paid"], 0, opening == "a refund before its purchase")
        if opening in (
            "a spent purchase",
            "a purchase that ends",
            "a held purchase",
            "a refund of what is held",
        ):
            # 40 of its tokens are spent or held, or it ends soon.
            if opening == "a spent purchase":
                self._spend(who, draft, Decimal(20), False, False, 0, None)
            else:
                self._hold(who, draft, Decimal(20), 10 * minute, False, 0, None)
            if opening == "a purchase that ends":
                for lot_id in self._lots_bought(who):
                    self._change_expiry(who, lot_id, self.accounts[who].now + 5 * minute, None)
            if opening == "a refund of what is held":
                self.refund_payment(0, 1, whole, "succeeded")
        elif opening in ("a purchase that repaid a dispute", "a debt that was repaid is won back"):
            # Another one has repaid the debt of a dispute that may still be won.
            self._spend(who, draft, Decimal(30), False, False, 0, None)
            self.dispute_payment(0, 1, whole, "needs_response", "funds_withdrawn", 1)
            self.buy(who, ["paid"], 0, False)
            if opening == "a debt that was repaid is won back":
                self.dispute_payment(0, 1, whole, "won", "funds_reinstated", 2)
        elif opening == "a refund before its purchase":
            self.refund_payment(0, 1, (1, 2), "succeeded")
            self.attach_later(0, ["paid"], 0, True)
        elif opening == "a refund and a dispute":
            self.refund_payment(0, 1, whole, "succeeded")
            self.dispute_payment(0, 1, whole, "needs_response", "funds_withdrawn", 1)
            self.refund_payment(0, 1, whole, "pending")
        elif opening == "a pending refund":
            self.refund_payment(0, 1, (1, 2), "pending")
            self._spend(who, draft, Decimal(33), False, False, 0, None)
        elif opening == "an inquiry":
            self.dispute_payment(0, 1, whole, "warning_needs_response", "created", 0)
            self._spend(who, draft, Decimal(2), False, False, 0, None)
        elif opening == "a void and a refund":
            self._void(who, self._lots_bought(who)[0], Decimal(40), None)
            self.refund_payment(0, 1, whole, "succeeded")
            void = max(seq for seq, entry in enumerate(self.accounts[who].entries, 1) if entry.voided)
            self._restore(who, void, None, None)

    def _open_with_referral(self, who: str, opening: str) -> None:
        """Somebody else brought the buyer. Half of the money goes back, or all after a reward was spent."""
        referrer = next(user for user in USERS if user != who)
        self.bank.act_as(None)
        code = self.bank.call("referral_code", {"user_id": referrer})["code"]
        self.bank.call("redeem_code", {"user_id": who, "code": code})
        self.rewards.brought[who] = Brought(referrer)
        self.buy(who, ["paid"], 0, False)
        if opening == "a spent reward":
            self._void(referrer, 1, None, None)
            self._spend(referrer, MODULES[0], Decimal(10), False, False, 0, None)
            self.dispute_payment(0, 1, (1, 1), "needs_response", "funds_withdrawn", 1)
        else:
            self.refund_payment(0, 1, (1, 2), "succeeded")

    def _open_with_plan(self, who: str, opening: str) -> None:
        """Most have 150 tokens of a plan of which half go over, 40 at most, and have bought tokens, too."""
        draft, full = MODULES[0], (0, 1)
        small, middle, large, _ = PLANS
        self.buy(who, ["paid"], 0, False)
        if opening == "a spent upgrade that is undone":
            self.subscribe(who, small, 1, False, full, True)
            self.change_plan(0, large, 1, (9, 10), False)
            self._spend(who, draft, Decimal(120), False, False, 0, None)
            self.move_clock(who, timedelta(minutes=15), True)
            self.change_plan(0, small, 1, (1, 2), False)
        elif opening == "a smaller plan":
            self.subscribe(who, large, 1, False, full, True)
            self._spend(who, draft, Decimal(33), False, False, 0, None)
            self.change_plan(0, small, 1, (9, 10), False)
            self.see_charge_refunded(1 + 4 * 1, (1, 3))
        elif opening in ("a renewal of what lasts longer", "an upgrade and a renewal"):
            self.subscribe(who, small if opening.startswith("an") else large, 1, False, full, True)
            if opening.startswith("an"):
                self.change_plan(0, large, 1, (9, 10), False)
            self.move_clock(who, timedelta(hours=24), True)
            self.renew(0, full, False, True)
        else:
            self.subscribe(who, middle, 1, False, full, True)
            if opening == "a renewal":  # so little is left that half of it is less than the cap
                self._spend(who, draft, Decimal(45), False, False, 0, None)
            elif opening == "a held allowance":
                self._hold(who, draft, Decimal(33), timedelta(hours=24), False, 0, None)
            self.move_clock(who, timedelta(hours=24), True)
            self.renew(0, full, False, opening != "a renewal that was not paid")
            if opening == "a renewal that was not paid":
                self.renew(0, full, False, True)
            elif opening == "a refund of a rollover":
                self._spend(who, draft, Decimal(10), False, False, 0, None)
                self.refund_payment(1 + 4 * 2, 1, (1, 2), "pending")
                self.refund_payment(1 + 4 * 2, 2, (1, 2), "succeeded")

    @precondition(lambda self: self.keyed_calls)
    @rule(which=indexes)
    def repeat_call(self, which: int) -> None:
        """Repeat an earlier call that had a key."""
        self.keyed_calls[which % len(self.keyed_calls)]()

    @precondition(lambda self: self.keyed_calls)
    @rule(which=indexes, tokens=tokens)
    def reuse_key(self, which: int, tokens: Decimal) -> None:
        """Make another call with the key of an earlier one. If that was refused, it left no key."""
        again = self.keyed_calls[which % len(self.keyed_calls)]
        changed = list(again.args)
        if again.func == self._capture:
            changed[3] = not changed[3]  # final
        elif again.func == self._release:
            return
        elif again.func == self._change_expiry:
            changed[2] = self.accounts[changed[0]].now + timedelta(seconds=1 + int(tokens))
        else:
            changed[2] = tokens + 1  # what is granted or refunded, or the quantity that is spent or held
        again.func(*changed, **again.keywords)

    @rule(who=users, jump=jumps, by_service=st.booleans())
    def move_clock(self, who: str, jump: str | timedelta, by_service: bool) -> None:
        """A service moves the clock, which books what is due; or time passes, and the next call books it."""
        account = self.accounts[who]
        due = [h.expires_at for h in account.holds.values() if h.state == "open"]
        due += [lot.expires_at for lot in account.lots.values() if lot.remaining and lot.expires_at]
        ahead = [moment for moment in due if moment > account.now]
        if isinstance(jump, timedelta):
            later = account.now + jump
        elif ahead:
            later = max(min(ahead) - timedelta(milliseconds=jump == "before next"), account.now)
        else:
            return
        if by_service:
            account.book_due()
            account.now = later
            self._call_both(
                account,
                "set_test_clock",
                {"user_id": who, "frozen_time": later},
                lambda a: {"frozen_time": later},
            )
        else:
            account.now = later
            self.bank.act_as_superuser()
            self.connection.execute(
                "update credits.wallets set test_clock = %s where account_id = %s", (later, self.names[who])
            )
            self._compare_books()

    @rule()
    def maintain(self) -> None:
        self._maintain()
        self._compare_orders()
