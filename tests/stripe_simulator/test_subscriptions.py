"""Subscriptions: Checkout, renewals, changes of plan, pauses, failures, ends."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
import stripe

pytestmark = pytest.mark.one_version

START = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())
DAY = 86400
DECLINED_LATER = "pm_card_chargeCustomerFail"


def at(*date):
    return int(datetime(*date, 12, tzinfo=UTC).timestamp())


class Life:
    """A subscription on a clock of its own."""

    def __init__(self, simulator, **params):
        self.simulator = simulator
        self.api = simulator.stripe
        self.clock = self.api.test_helpers.test_clocks.create({"frozen_time": START}).id
        self.customer, self.method = simulator.saved(test_clock=self.clock)
        self.price = simulator.price()
        self.id = self.api.subscriptions.create(
            {
                "customer": self.customer,
                "items": [{"price": self.price}],
                "metadata": {"plan": "pro"},
                **params,
            }
        ).id

    def until(self, *date):
        self.api.test_helpers.test_clocks.advance(self.clock, {"frozen_time": at(*date)})
        assert self.api.test_helpers.test_clocks.retrieve(self.clock).status == "ready"
        return self.now()

    def now(self):
        return self.api.subscriptions.retrieve(self.id)

    def item(self):
        return self.now()["items"].data[0]

    def invoices(self):
        """Oldest first."""
        return list(reversed(self.api.invoices.list({"subscription": self.id, "limit": 100}).data))

    def told(self, prefix="customer.subscription."):
        events = reversed(list(self.api.events.list({"type": f"{prefix}*", "limit": 100}).auto_paging_iter()))
        return [event for event in events if self.id in str(event.data.object)]

    def words(self, prefix="customer.subscription."):
        return [event.type.removeprefix(prefix) for event in self.told(prefix)]


@pytest.fixture
def life(simulator):
    return lambda **params: Life(simulator, **params)


def test_checkout_begins_a_subscription(simulator):
    session = simulator.stripe.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": simulator.price(), "quantity": 1}],
            "customer_email": "ada@example.com",
            "subscription_data": {"metadata": {"user_id": "u1"}},
            "client_reference_id": "account-1",
            "success_url": "https://shop.example/done",
        }
    )
    simulator.press(session, "pay", card="4000000000000002")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "open"
    simulator.press(session, "pay")
    told = simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]
    assert (told["payment_status"], told["payment_intent"], told["amount_total"]) == ("paid", None, 999)
    subscription = simulator.stripe.subscriptions.retrieve(
        told["subscription"], {"expand": ["latest_invoice", "default_payment_method"]}
    )
    assert (subscription.status, subscription.metadata.to_dict()) == ("active", {"user_id": "u1"})
    assert subscription.default_payment_method.customer == told["customer"] == subscription.customer
    invoice = subscription.latest_invoice
    assert (invoice.id, invoice.billing_reason) == (told["invoice"], "subscription_create")
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"user_id": "u1"}
    (line,) = invoice.lines.data
    assert line.pricing.price_details.price == subscription["items"].data[0].price.id
    assert line.parent.subscription_item_details.subscription == subscription.id
    intent = simulator.stripe.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
    assert (intent.status, intent.amount) == ("succeeded", 999)
    charges = simulator.stripe.charges.list({"payment_intent": intent.id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]
    assert simulator.told(subscription.id) == [
        "customer.subscription.created",
        "customer.subscription.updated",
    ]
    words = ("created", "finalized", "paid", "payment_succeeded")
    assert simulator.told(invoice.id) == [f"invoice.{word}" for word in words]
    found = simulator.stripe.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    ).data
    assert [payment.invoice for payment in found] == [invoice.id]


def test_trial_takes_a_card_and_charges_it_at_its_end(simulator):
    clock = simulator.stripe.test_helpers.test_clocks.create({"frozen_time": START})
    customer = simulator.stripe.customers.create({"test_clock": clock.id, "email": "ada@example.com"}).id
    session = simulator.stripe.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": simulator.price(), "quantity": 2}],
            "subscription_data": {"trial_period_days": 14},
            "success_url": "https://shop.example/done",
        }
    )
    assert session.amount_total == 0
    simulator.press(session, "pay", card="4000002500003155")
    simulator.press(session, "authenticate")
    told = simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]
    assert told["payment_status"] == "no_payment_required"
    subscription = simulator.stripe.subscriptions.retrieve(told["subscription"])
    assert (subscription.status, subscription.trial_end) == ("trialing", START + 14 * DAY)
    first = simulator.stripe.invoices.retrieve(told["invoice"])
    assert (first.amount_due, first.status, first.billing_reason) == (0, "paid", "subscription_create")
    simulator.use_card(customer, "pm_card_visa")
    simulator.stripe.subscriptions.update(
        subscription.id,
        {
            "default_payment_method": simulator.stripe.customers.retrieve(
                customer
            ).invoice_settings.default_payment_method
        },
    )
    simulator.stripe.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 14 * DAY})
    subscription = simulator.stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (subscription.status, subscription.latest_invoice.amount_paid) == ("active", 1998)
    assert subscription.latest_invoice.billing_reason == "subscription_cycle"
    assert "customer.subscription.trial_will_end" in simulator.told(subscription.id)


def test_a_year_renews_on_the_day_of_the_month(life):
    one = life()
    one.until(2027, 1, 31)
    invoices = one.invoices()
    assert len(invoices) == 13 and {invoice.status for invoice in invoices} == {"paid"}
    assert [invoice.billing_reason for invoice in invoices] == ["subscription_create"] + [
        "subscription_cycle"
    ] * 12
    starts = [datetime.fromtimestamp(i.lines.data[0].period.start, UTC).strftime("%m-%d") for i in invoices]
    assert starts[:5] == ["01-31", "02-28", "03-31", "04-30", "05-31"]
    assert all(a.lines.data[0].period.end == b.lines.data[0].period.start for a, b in pairwise(invoices))
    assert [i.created for i in invoices] == [i.lines.data[0].period.start for i in invoices]
    paid = one.told("invoice.paid")
    assert len({event.data.object.id for event in paid}) == 13
    assert [event.created for event in paid] == [i.created for i in invoices]
    assert one.item().current_period_end == at(2027, 2, 28)


def test_upgrade_is_invoiced_pro_rata_at_once(life):
    one = life()
    one.until(2026, 2, 14)  # half of the period of 28 days
    team = one.simulator.price(2999, name="Team")
    one.api.subscriptions.update(
        one.id,
        {"items": [{"id": one.item().id, "price": team}], "proration_behavior": "always_invoice"},
    )
    invoice = one.invoices()[-1]
    assert (invoice.billing_reason, invoice.status) == ("subscription_update", "paid")
    assert [line.amount for line in invoice.lines.data] == [-500, 1500]
    assert all(line.parent.subscription_item_details.proration for line in invoice.lines.data)
    assert invoice.lines.data[0].description == "Unused time on Pro after 14 Feb 2026"
    assert (one.item().price.id, one.item().current_period_end) == (team, at(2026, 2, 28))
    one.until(2026, 2, 28)
    assert one.invoices()[-1].total == 2999


def test_prorations_wait_for_the_next_invoice_or_are_left_out(life):
    team = None
    for behavior, total in (("create_prorations", 3999), ("none", 2999)):
        one = life()
        one.until(2026, 2, 14)
        team = one.simulator.price(2999, name="Team")
        one.api.subscriptions.update(
            one.id, {"items": [{"id": one.item().id, "price": team}], "proration_behavior": behavior}
        )
        assert len(one.invoices()) == 1
        one.until(2026, 2, 28)
        assert one.invoices()[-1].total == total


def test_downgrade_leaves_a_credit_that_pays_the_next_invoices(life):
    one = life()
    one.until(2026, 2, 14)
    one.api.subscriptions.update(
        one.id,
        {
            "items": [{"id": one.item().id, "price": one.simulator.price(199, name="Small")}],
            "proration_behavior": "always_invoice",
        },
    )
    invoice = one.invoices()[-1]
    assert (invoice.total, invoice.amount_due, invoice.status) == (-400, 0, "paid")
    assert one.api.customers.retrieve(one.customer).balance == -400
    one.until(2026, 3, 31)
    assert [i.amount_due for i in one.invoices()[2:]] == [0, 0]
    assert one.api.customers.retrieve(one.customer).balance == -2
    one.until(2026, 4, 30)
    assert one.invoices()[-1].amount_paid == 197


def test_another_interval_begins_a_new_period(life):
    one = life()
    one.until(2026, 2, 14)
    yearly = one.simulator.price(9900, "year", "Pro, yearly")
    one.api.subscriptions.update(one.id, {"items": [{"id": one.item().id, "price": yearly}]})
    invoice = one.invoices()[-1]
    assert [line.amount for line in invoice.lines.data] == [-500, 9900]
    assert (invoice.total, invoice.status) == (9400, "paid")
    assert (one.item().current_period_start, one.item().current_period_end) == (
        at(2026, 2, 14),
        at(2027, 2, 14),
    )


def test_items_are_added_and_taken_away(life):
    one = life()
    extra = one.simulator.price(500, name="Extra")
    one.api.subscriptions.update(one.id, {"items": [{"price": extra, "quantity": 3}]})
    assert [item.quantity for item in one.now()["items"].data] == [1, 3]
    first = one.item().id
    one.api.subscriptions.update(one.id, {"items": [{"id": first, "deleted": True}]})
    assert [item.price.id for item in one.now()["items"].data] == [extra]
    for items in (
        [{"id": one.item().id, "deleted": True}],
        [{"id": "si_none", "price": extra}],
        [{"price": "price_none"}],
        [{"price": extra}],
        [{"price": one.simulator.price(1, "year")}],
    ):
        with pytest.raises(stripe.InvalidRequestError):
            one.api.subscriptions.update(one.id, {"items": items})


def test_failed_renewal_is_past_due_and_recovers_with_another_card(life):
    one = life()
    one.simulator.use_card(one.customer, DECLINED_LATER)
    assert one.until(2026, 2, 28).status == "past_due"
    invoice = one.invoices()[-1]
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt == at(2026, 3, 3)
    one.until(2026, 3, 3)
    assert one.invoices()[-1].attempt_count == 2
    one.simulator.use_card(one.customer, "pm_card_visa")
    assert one.until(2026, 3, 8).status == "active"
    recovered = one.invoices()[-1]
    assert (recovered.id, recovered.status, recovered.attempt_count) == (invoice.id, "paid", 3)
    assert one.words("invoice.payment_") == ["succeeded", "failed", "failed", "succeeded"]
    statuses = [event.data.object.status for event in one.told("customer.subscription.updated")]
    assert statuses == ["active", "active", "past_due", "active"]
    (payment,) = recovered.payments.data
    intent = payment.payment.payment_intent
    assert [c.status for c in one.api.charges.list({"payment_intent": intent}).data] == [
        "succeeded",
        "failed",
        "failed",
    ]


@pytest.mark.parametrize("after", ["cancel", "unpaid", "past_due"])
def test_last_failure_does_what_the_setting_says(start_simulator, tmp_path, after):
    simulator = start_simulator(tmp_path)
    assert simulator.play("settings", after_retries=after, retry_days=[1, 2])["after_retries"] == after
    one = Life(simulator)
    simulator.use_card(one.customer, DECLINED_LATER)
    assert one.until(2026, 3, 2).status == "past_due"
    expected = {"cancel": "canceled", "unpaid": "unpaid", "past_due": "past_due"}[after]
    assert one.until(2026, 3, 10).status == expected
    assert one.invoices()[-1].attempt_count == 3
    if after == "cancel":
        assert one.now().cancellation_details.reason == "payment_failed"
        assert one.words()[-1] == "deleted"
        assert len(one.invoices()) == 2
    one.until(2026, 4, 2)
    if after == "unpaid":
        assert [i.status for i in one.invoices()] == ["paid", "open", "draft"]
        simulator.use_card(one.customer, "pm_card_visa")
        one.api.invoices.pay(one.invoices()[1].id)
        assert one.now().status == "active"


def test_customer_pays_an_open_invoice_by_hand(life):
    one = life()
    one.simulator.use_card(one.customer, DECLINED_LATER)
    one.until(2026, 2, 28)
    invoice = one.invoices()[-1]
    with pytest.raises(stripe.CardError) as caught:
        one.api.invoices.pay(invoice.id)
    assert caught.value.code == "card_declined"
    good = one.api.payment_methods.attach("pm_card_visa", {"customer": one.customer})
    assert one.api.invoices.pay(invoice.id, {"payment_method": good.id}).status == "paid"
    assert one.now().status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        one.api.invoices.pay(invoice.id)


def test_card_that_needs_its_owner_stops_a_renewal_until_they_confirm(life):
    one = life()
    one.simulator.use_card(one.customer, "pm_card_authenticationRequired")
    assert one.until(2026, 2, 28).status == "past_due"
    invoice = one.invoices()[-1]
    assert one.words("invoice.payment_")[-2:] == ["failed", "action_required"]
    intent = invoice.payments.data[0].payment.payment_intent
    method = one.api.customers.retrieve(one.customer).invoice_settings.default_payment_method
    asked = one.api.payment_intents.confirm(intent, {"payment_method": method})
    one.simulator.browser.post(asked.next_action.redirect_to_url.url, data={"action": "authenticate"})
    assert (one.now().status, one.invoices()[-1].status) == ("active", "paid")


def test_owner_who_refuses_an_open_invoice_ends_nothing(life):
    one = life()
    one.simulator.use_card(one.customer, DECLINED_LATER)
    one.until(2026, 2, 28)
    page = one.invoices()[-1].hosted_invoice_url
    one.simulator.browser.post(page, data={"card": "4000002500003155"})
    intent = one.invoices()[-1].payments.data[0].payment.payment_intent
    one.simulator.browser.post(f"/authenticate/{intent}", data={"action": "refuse"})
    invoice = one.invoices()[-1]
    assert (one.now().status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    assert invoice.next_payment_attempt == at(2026, 3, 3)


def test_bank_debit_pays_a_renewal_some_days_later(life):
    one = life()
    debit = one.api.payment_methods.create({"type": "sepa_debit"})
    one.api.payment_methods.attach(debit.id, {"customer": one.customer})
    one.api.subscriptions.update(one.id, {"default_payment_method": debit.id})
    assert one.until(2026, 2, 28).status == "active"
    invoice = one.invoices()[-1]
    intent = invoice.payments.data[0].payment.payment_intent
    assert (invoice.status, one.api.payment_intents.retrieve(intent).status) == ("open", "processing")
    with pytest.raises(stripe.InvalidRequestError):
        one.api.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    one.simulator.play(f"payment_intents/{intent}/fail")
    failed = one.invoices()[-1]
    assert (one.now().status, failed.attempt_count) == ("past_due", 1) and failed.next_payment_attempt
    one.until(2026, 3, 10)
    one.simulator.play(f"payment_intents/{intent}/succeed")
    assert (one.now().status, one.invoices()[-1].status) == ("active", "paid")


def test_first_payment_that_fails_leaves_it_incomplete_and_then_expired(simulator):
    clock = simulator.stripe.test_helpers.test_clocks.create({"frozen_time": START}).id
    customer, _ = simulator.saved("4000000000000341", test_clock=clock)
    params = {"customer": customer, "items": [{"price": simulator.price()}]}
    subscription = simulator.stripe.subscriptions.create(params)
    assert subscription.status == "incomplete"
    before = len(simulator.stripe.subscriptions.list({"customer": customer}).data)
    with pytest.raises(stripe.CardError):
        simulator.stripe.subscriptions.create({**params, "payment_behavior": "error_if_incomplete"})
    assert len(simulator.stripe.subscriptions.list({"customer": customer}).data) == before
    waiting = simulator.stripe.subscriptions.create(
        {**params, "payment_behavior": "default_incomplete", "expand": ["latest_invoice"]}
    )
    intent = waiting.latest_invoice.payments.data[0].payment.payment_intent
    confirmed = simulator.stripe.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert confirmed.status == "succeeded"
    assert simulator.stripe.subscriptions.retrieve(waiting.id).status == "active"
    simulator.stripe.test_helpers.test_clocks.advance(clock, {"frozen_time": START + DAY})
    expired = simulator.stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (expired.status, expired.latest_invoice.status) == ("incomplete_expired", "void")


def test_cancel_at_period_end_can_be_taken_back(life):
    one = life()
    assert one.api.subscriptions.update(one.id, {"cancel_at_period_end": True}).cancel_at == at(2026, 2, 28)
    assert one.api.subscriptions.update(one.id, {"cancel_at_period_end": False}).cancel_at is None
    assert one.until(2026, 2, 28).status == "active"
    one.api.subscriptions.update(one.id, {"cancel_at_period_end": True})
    assert one.until(2026, 3, 30).status == "active"
    ended = one.until(2026, 4, 1)
    assert (ended.status, ended.ended_at) == ("canceled", at(2026, 3, 31))
    assert len(one.invoices()) == 2 and one.words()[-1] == "deleted"
    with pytest.raises(stripe.InvalidRequestError):
        one.api.subscriptions.update(one.id, {"cancel_at_period_end": False})


def test_cancel_now_can_credit_the_rest(life):
    one = life()
    one.until(2026, 2, 14)
    gone = one.api.subscriptions.cancel(one.id, {"prorate": True, "invoice_now": True})
    assert (gone.status, gone.cancellation_details.reason) == ("canceled", "cancellation_requested")
    assert one.api.customers.retrieve(one.customer).balance == -500
    one.until(2026, 12, 31)
    assert len(one.invoices()) == 2


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_paused_collection_collects_nothing_until_it_resumes(life, behavior, status):
    one = life()
    paused = one.api.subscriptions.update(
        one.id, {"pause_collection": {"behavior": behavior, "resumes_at": at(2026, 4, 1)}}
    )
    assert (paused.status, paused.pause_collection.behavior) == ("active", behavior)
    one.until(2026, 3, 31)
    assert [invoice.status for invoice in one.invoices()] == ["paid", status, status]
    resumed = one.until(2026, 4, 30)
    assert (resumed.pause_collection, one.invoices()[-1].status) == (None, "paid")
    other = life(metadata={})
    other.api.subscriptions.update(other.id, {"pause_collection": {"behavior": "void"}})
    assert other.api.subscriptions.update(other.id, {"pause_collection": ""}).pause_collection is None


def test_paused_subscription_bills_again_when_it_is_resumed(life):
    one = life()
    one.until(2026, 2, 14)
    assert one.api.subscriptions.pause(one.id).status == "paused"
    one.until(2026, 6, 10)
    assert len(one.invoices()) == 1
    assert one.api.subscriptions.resume(one.id).status == "active"
    assert one.invoices()[-1].total == 999 - 500
    assert one.item().current_period_start == at(2026, 6, 10)
    assert [word for word in one.words() if word in ("paused", "resumed")] == ["paused", "resumed"]
    with pytest.raises(stripe.InvalidRequestError, match="Only a paused"):
        one.api.subscriptions.resume(one.id)


def test_paused_subscription_still_ends_when_it_was_cancelled(life):
    one = life()
    one.api.subscriptions.update(one.id, {"cancel_at_period_end": True})
    one.api.subscriptions.pause(one.id)
    assert one.until(2026, 3, 1).status == "canceled"


def test_checkout_of_a_subscription_waits_for_the_owner_of_the_card(simulator):
    params = {
        "mode": "subscription",
        "line_items": [{"price": simulator.price(), "quantity": 1}],
        "success_url": "https://shop.example/done",
    }
    session, other = (simulator.stripe.checkout.sessions.create(params) for _ in range(2))
    simulator.press(session, "pay", card="4000002500003155")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "open"
    assert "Your bank asks" in simulator.browser.get(session.url).text
    simulator.press(session, "authenticate")
    done = simulator.stripe.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.status, done.subscription.status) == ("complete", "active")
    simulator.press(other, "pay", card="4000002500003155")
    simulator.press(other, "expire")
    simulator.press(other, "authenticate")
    gone = simulator.stripe.checkout.sessions.retrieve(other.id)
    assert (gone.status, gone.subscription) == ("expired", None)
    latest = simulator.stripe.payment_intents.list({"limit": 1}).data[0]
    assert latest.status == "canceled"


def test_trial_without_a_card_may_pause_or_end(life):
    for behavior, status in (("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")):
        one = life(
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": behavior}},
        )
        one.api.payment_methods.detach(one.method)
        assert one.until(2026, 2, 10).status == status


def test_trial_can_end_at_once(life):
    one = life(trial_period_days=30)
    assert one.api.subscriptions.update(one.id, {"trial_end": "now"}).status == "active"
    assert [invoice.total for invoice in one.invoices()] == [0, 999]


def test_coupon_holds_as_often_as_it_says(life):
    for duration, totals in (
        ({"duration": "once"}, [500, 999, 999]),
        ({"duration": "repeating", "duration_in_months": 2}, [500, 500, 999]),
        ({"duration": "forever"}, [500, 500, 500]),
    ):
        coupon = life().api.coupons.create({"amount_off": 499, "currency": "eur", **duration})
        one = life(discounts=[{"coupon": coupon.id}])
        one.until(2026, 3, 31)
        assert [invoice.total for invoice in one.invoices()] == totals


def test_subscription_of_the_real_clock_renews_by_itself(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path)
    customer, _ = simulator.saved()
    subscription = simulator.stripe.subscriptions.create(
        {"customer": customer, "items": [{"price": simulator.price(interval="week")}]}
    )
    simulator.clock.ahead = 7 * DAY + 60
    event = simulator.receiver.wait(
        simulator.stripe.subscriptions.retrieve(subscription.id).latest_invoice, "invoice.paid"
    )
    assert event["data"]["object"]["billing_reason"] == "subscription_cycle"
    assert event["created"] == subscription.created + 7 * DAY


def test_clock_only_moves_forward_and_takes_its_customers_with_it(life):
    one = life()
    clocks = one.api.test_helpers.test_clocks
    with pytest.raises(stripe.InvalidRequestError):
        clocks.advance(one.clock, {"frozen_time": START})
    assert clocks.advance(one.clock, {"frozen_time": START + 60}).status == "advancing"
    assert one.customer not in [c.id for c in one.api.customers.list({"limit": 100}).data]
    assert [c.id for c in one.api.customers.list({"test_clock": one.clock}).data] == [one.customer]
    assert [s.id for s in one.api.subscriptions.list({"test_clock": one.clock}).data] == [one.id]
    assert [s.id for s in one.api.subscriptions.list({"customer": one.customer, "price": one.price}).data]
    assert clocks.delete(one.clock).deleted
    assert one.api.customers.retrieve(one.customer).deleted and one.now().status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        clocks.advance(one.clock, {"frozen_time": START + DAY})


def test_refund_of_a_renewal_names_its_charge(life):
    one = life()
    one.until(2026, 2, 28)
    intent = one.invoices()[-1].payments.data[0].payment.payment_intent
    refund = one.api.refunds.create({"payment_intent": intent})
    assert refund.status == "succeeded"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"customer": "cus_none"}, "customer"),
        ({"items": [{"price": "price_none"}]}, "items[0][price]"),
        ({"default_payment_method": "pm_none"}, "default_payment_method"),
        ({"default_payment_method": "pm_card_visa"}, "default_payment_method"),
        ({"trial_end": 1}, "trial_end"),
        ({"collection_method": "send_invoice"}, "collection_method"),
    ],
)
def test_bad_subscriptions_are_refused(simulator, changes, param):
    customer, _ = simulator.saved()
    params = {"customer": customer, "items": [{"price": simulator.price()}], **changes}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.stripe.subscriptions.create(params)
    assert (caught.value.http_status, caught.value.param) == (400, param)


def test_one_time_and_recurring_prices_keep_to_their_modes(simulator):
    once = simulator.stripe.prices.create(
        {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Once"}}
    )
    with pytest.raises(stripe.InvalidRequestError, match="recurring price"):
        simulator.new_session(line_items=[{"price": simulator.price(), "quantity": 1}])
    params = {"mode": "subscription", "success_url": "https://shop.example/"}
    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring"):
        simulator.stripe.checkout.sessions.create(
            {**params, "line_items": [{"price": once.id, "quantity": 1}]}
        )
    lines = [{"price": once.id, "quantity": 1}, {"price": simulator.price(), "quantity": 1}]
    session = simulator.stripe.checkout.sessions.create({**params, "line_items": lines})
    simulator.press(session, "pay")
    done = simulator.stripe.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
    assert (done.amount_total, done.invoice.amount_paid) == (1499, 1499)
    customer, _ = simulator.saved()
    with pytest.raises(stripe.InvalidRequestError, match="type=recurring"):
        simulator.stripe.subscriptions.create({"customer": customer, "items": [{"price": once.id}]})


def test_older_endpoints_get_the_shape_of_before_2025(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path)
    simulator.play("settings", event_version="2024-06-20")
    one = Life(simulator)
    (event,) = one.told("invoice.paid")
    assert event.api_version == "2024-06-20"
    invoice = event.data.object
    assert (invoice.subscription, invoice.paid) == (one.id, True)
    assert invoice.payment_intent.startswith("pi_") and invoice.charge.startswith("ch_")
    assert invoice.subscription_details.metadata.to_dict() == {"plan": "pro"}
    assert invoice.lines.data[0].price.id == one.price and invoice.lines.data[0].type == "subscription"
    assert "parent" not in invoice and "payments" not in invoice
    told = one.told()[-1].data.object
    assert told.current_period_end == one.item().current_period_end
    assert "current_period_end" not in told["items"].data[0]
    charge = simulator.stripe.events.list({"type": "charge.succeeded"}).data[0].data.object
    assert charge.invoice == invoice.id
    assert one.now()["items"].data[0].current_period_end  # the API speaks its own version


def test_events_of_subscriptions_have_the_members_of_their_classes(simulator):
    told = set(simulator.receiver.typed())
    assert told >= {
        f"customer.subscription.{word}"
        for word in ("created", "deleted", "paused", "resumed", "trial_will_end", "updated")
    }
    assert told >= {
        f"invoice.{word}"
        for word in ("created", "finalized", "paid", "payment_failed", "payment_action_required", "voided")
    }
    assert told >= {
        f"test_helpers.test_clock.{word}" for word in ("advancing", "created", "deleted", "ready")
    }
