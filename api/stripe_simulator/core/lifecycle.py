"""What happens to a Checkout Session after its creation: paid, paid later, declined, expired.

Each function is called inside a transaction with the stored session, and says whether it did something. It
does nothing when the session is not in the state that it needs, so a double click pays once."""

from stripe_simulator.core import customer
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.payments import intents, methods
from stripe_simulator.core.store import Json, Store

PAID = "4242424242424242"
"""The card that pays at once."""
DECLINED = "4000000000000002"
_KIND = "checkout.session"
_GUEST_EMAIL = "guest@example.com"


def pay(store: Store, session: Json, number: str = PAID) -> bool:
    """Pay by a test card. A declined card leaves the session open, and so does one that waits for its owner
    (:func:`authenticate`). A session that costs nothing completes without a PaymentIntent."""
    if session["status"] != "open":
        return False
    _identify_buyer(store, session)
    if session["amount_total"] == 0:
        _complete(store, session, "no_payment_required")
        return True
    intent = _intent(store, session)
    intents.attempt(store, intent, methods.new_card(store, number), return_url=f"/pay/{session['id']}")
    _follow(store, session, intent)
    return True


def decline(store: Store, session: Json) -> bool:
    """Pay by a card that is declined: the session stays open for another attempt."""
    return session["amount_total"] > 0 and pay(store, session, DECLINED)


def authenticate(store: Store, session: Json, *, succeeded: bool) -> bool:
    """The owner of the card says yes or no."""
    intent = intent_of(store, session)
    if session["status"] != "open" or intent is None:
        return False
    if not intents.authenticate(store, intent, succeeded=succeeded):
        return False
    _follow(store, session, intent)
    return True


def pay_later(store: Store, session: Json) -> bool:
    """A bank debit: the session completes unpaid, and :func:`end_debit` decides later."""
    if session["status"] != "open" or session["amount_total"] == 0:
        return False
    _identify_buyer(store, session)
    intents.attempt(store, _intent(store, session), methods.new_debit(store))
    _complete(store, session, "unpaid")
    return True


def end_debit(store: Store, session: Json, *, succeeded: bool) -> bool:
    """The bank debit of :func:`pay_later` arrives or fails."""
    intent = intent_of(store, session)
    if session["status"] != "complete" or intent is None:
        return False
    if not intents.end_debit(store, intent, succeeded=succeeded):
        return False
    if succeeded:
        session["payment_status"] = "paid"
        store.update(session)
        emit(store, "checkout.session.async_payment_succeeded", session)
    else:
        emit(store, "checkout.session.async_payment_failed", session)
    return True


def expire(store: Store, session: Json, origin: Origin = PAY_PAGE) -> bool:
    """The session expires: nobody can pay it any more."""
    if session["status"] != "open":
        return False
    if session["payment_intent"]:
        intents.cancel(store, store.get("payment_intent", session["payment_intent"]), "abandoned")
    session.update(status="expired", url=None)
    store.update(session)
    emit(store, "checkout.session.expired", session, origin)
    return True


def expire_due(store: Store) -> None:
    """Expire every open session whose time has come."""
    due = store.db.execute("select id from objects where due <= ?", (store.clock(),)).fetchall()
    for (id,) in due:
        with store.transaction():
            if session := store.find(_KIND, id):
                expire(store, session)


def of_intent(store: Store, intent: Json) -> Json | None:
    """The session that a PaymentIntent belongs to, when it belongs to one."""
    found = store.where(_KIND, "payment_intent", intent["id"])
    return found[0] if found else None


def intent_of(store: Store, session: Json) -> Json | None:
    """The session's PaymentIntent, when somebody has tried to pay."""
    return store.find("payment_intent", session["payment_intent"]) if session["payment_intent"] else None


def _identify_buyer(store: Store, session: Json) -> None:
    if session["customer"] is None:
        email = session["customer_email"] or _GUEST_EMAIL
        session["customer_details"] = customer.details(email)
        if session["customer_creation"] == "always":
            session["customer"] = customer.create(store, {"email": email})["id"]


def _intent(store: Store, session: Json) -> Json:
    """The session's PaymentIntent, made on the first attempt. The session's metadata is not copied to it,
    ``payment_intent_data[metadata]`` is."""
    if session["payment_intent"]:
        intent = store.get("payment_intent", session["payment_intent"])
        intent["customer"] = session["customer"]
        return intent
    data = store.inner(session["id"])["payment_intent_data"]
    types = {"payment_method_types": session["payment_method_types"]}
    intent = intents.new(
        store, session["amount_total"], session["currency"], session["customer"], {**data, **types}
    )
    session["payment_intent"] = intent["id"]
    return intent


def _follow(store: Store, session: Json, intent: Json) -> None:
    """After an attempt: the session completes when it is paid."""
    if intent["status"] == "succeeded":
        _complete(store, session, "paid")
    else:
        store.update(session, due=session["expires_at"])


def _complete(store: Store, session: Json, payment_status: str) -> None:
    session.update(status="complete", payment_status=payment_status, url=None)
    store.update(session)
    emit(store, "checkout.session.completed", session)
