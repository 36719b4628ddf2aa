"""What happens to a Checkout Session after its creation: paid, paid later, declined, expired.

Each function is called inside a transaction with the stored session, and says whether it did something. It
does nothing when the session is not in the state that it needs, so a double click pays once."""

from stripe_simulator.core import charging, customer
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.store import Json, Store

_GUEST_EMAIL = "guest@example.com"


def pay(store: Store, session: Json) -> bool:
    """The card is charged at once. A session that costs nothing completes without a PaymentIntent."""
    if session["status"] != "open":
        return False
    _identify_buyer(store, session)
    if session["amount_total"] == 0:
        _complete(store, session, "no_payment_required")
        return True
    charging.succeed(store, charging.attempt(store, session))
    _complete(store, session, "paid")
    return True


def pay_later(store: Store, session: Json) -> bool:
    """A bank debit: the session completes unpaid, and :func:`end_debit` decides later."""
    if session["status"] != "open" or session["amount_total"] == 0:
        return False
    _identify_buyer(store, session)
    charging.process(store, charging.attempt(store, session))
    _complete(store, session, "unpaid")
    return True


def decline(store: Store, session: Json) -> bool:
    """The card is declined: the session stays open for another attempt."""
    if session["status"] != "open" or session["amount_total"] == 0:
        return False
    charging.fail(store, charging.attempt(store, session), charging.DECLINED)
    store.update(session, due=session["expires_at"])
    return True


def end_debit(store: Store, session: Json, *, succeeded: bool) -> bool:
    """The bank debit of :func:`pay_later` arrives or fails."""
    intent = intent_of(store, session)
    if session["status"] != "complete" or intent is None or intent["status"] != "processing":
        return False
    if succeeded:
        charging.succeed(store, intent)
        session["payment_status"] = "paid"
        store.update(session)
        emit(store, "checkout.session.async_payment_succeeded", session)
    else:
        charging.fail(store, intent, charging.DEBIT_FAILED)
        emit(store, "checkout.session.async_payment_failed", session)
    return True


def expire(store: Store, session: Json, origin: Origin = PAY_PAGE) -> bool:
    """The session expires: nobody can pay it any more."""
    if session["status"] != "open":
        return False
    if session["payment_intent"]:
        charging.cancel(store, session["payment_intent"])
    session.update(status="expired", url=None)
    store.update(session)
    emit(store, "checkout.session.expired", session, origin)
    return True


def expire_due(store: Store) -> None:
    """Expire every open session whose time has come."""
    due = store.db.execute("select id from objects where due <= ?", (store.clock(),)).fetchall()
    for (id,) in due:
        with store.transaction():
            if session := store.find("checkout.session", id):
                expire(store, session)


def intent_of(store: Store, session: Json) -> Json | None:
    """The session's PaymentIntent, when somebody has tried to pay."""
    return store.find("payment_intent", session["payment_intent"]) if session["payment_intent"] else None


def _identify_buyer(store: Store, session: Json) -> None:
    if session["customer"] is None:
        email = session["customer_email"] or _GUEST_EMAIL
        session["customer_details"] = customer.details(email)
        if session["customer_creation"] == "always":
            session["customer"] = customer.create(store, {"email": email})["id"]


def _complete(store: Store, session: Json, payment_status: str) -> None:
    session.update(status="complete", payment_status=payment_status, url=None)
    store.update(session)
    emit(store, "checkout.session.completed", session)
