"""What happens to a Checkout Session after its creation: paid, paid later, declined, expired.

Each function is called inside a transaction with the stored session, and says whether it did something. It
does nothing when the session is not in the state that it needs, so a double click pays once."""

from stripe_simulator.core.checkout import completion, pricing
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.payments import intents, methods, setups
from stripe_simulator.core.store import Json, Store

PAID = "4242424242424242"
"""The card that pays at once."""
DECLINED = "4000000000000002"
_KIND = "checkout.session"


def pay(store: Store, session: Json, method: Json | None = None, *, save: bool = False) -> bool:
    """Pay by a PaymentMethod, by default a card that works; ``save`` it when the buyer says so. A declined
    card leaves the session open, and so does one that waits for its owner (:func:`authenticate`). A session
    that costs nothing completes without a PaymentIntent."""
    if session["status"] != "open":
        return False
    completion.identify(store, session)
    pricing.locate(store, session)
    here = f"{store.public_url}/pay/{session['id']}"
    if session["amount_total"] == 0 and (
        session["mode"] == "payment" or (method is None and session["payment_method_collection"] != "always")
    ):
        completion.complete(store, session, "no_payment_required")
    elif not session["amount_total"]:
        setup = _setup(store, session)
        setups.attempt(store, setup, method or methods.new_card(store, PAID), return_url=here)
        _follow_setup(store, session, setup)
    else:
        intent = _intent(store, session)
        if save or session["mode"] == "subscription":
            intent["setup_future_usage"] = "off_session"
        intents.attempt(store, intent, method or methods.new_card(store, PAID), return_url=here)
        _follow(store, session, intent)
    return True


def decline(store: Store, session: Json) -> bool:
    """Pay by a card that is declined: the session stays open for another attempt."""
    if session["status"] != "open" or session["amount_total"] == 0:
        return False
    return pay(store, session, methods.new_card(store, DECLINED))


def authenticate(store: Store, session: Json, *, succeeded: bool) -> bool:
    """The owner of the card says yes or no."""
    if session["status"] != "open":
        return False
    intent = intent_of(store, session)
    if intent is None:
        return False
    if intent["object"] == setups.KIND:
        if moved := setups.authenticate(store, intent, succeeded=succeeded):
            _follow_setup(store, session, intent)
    elif moved := intents.authenticate(store, intent, succeeded=succeeded):
        _follow(store, session, intent)
    return moved


def pay_later(store: Store, session: Json) -> bool:
    """A bank debit: the session completes unpaid, and :func:`end_debit` decides later."""
    if session["status"] != "open" or session["mode"] != "payment" or session["amount_total"] == 0:
        return False
    completion.identify(store, session)
    pricing.locate(store, session)
    intent = _intent(store, session)
    intents.attempt(store, intent, methods.new_debit(store))
    completion.complete(store, session, "unpaid", intent)
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
        completion.make_invoice(store, session, intent)
        store.update(session)
        emit(store, "checkout.session.async_payment_succeeded", session)
    else:
        emit(store, "checkout.session.async_payment_failed", session)
    return True


def bounce(store: Store, session: Json) -> bool:
    """The bank takes a debit back that had arrived."""
    intent = intent_of(store, session)
    if session["status"] != "complete" or intent is None or not intents.bounce(store, intent):
        return False
    session["payment_status"] = "unpaid"
    store.update(session)
    emit(store, "checkout.session.async_payment_failed", session)
    return True


def expire(store: Store, session: Json, origin: Origin = PAY_PAGE) -> bool:
    """The session expires: nobody can pay it any more."""
    if session["status"] != "open":
        return False
    if intent := intent_of(store, session):
        module = setups if intent["object"] == setups.KIND else intents
        module.cancel(store, intent, "abandoned")
    session.update(status="expired", url=None)
    store.update(session)
    emit(store, "checkout.session.expired", session, origin)
    return True


def of_intent(store: Store, intent: Json) -> Json | None:
    """The session that a PaymentIntent or SetupIntent belongs to, when it belongs to one."""
    id = store.inner(intent["id"]).get("session")
    return store.get(_KIND, id) if id else None


def intent_of(store: Store, session: Json) -> Json | None:
    """The PaymentIntent or SetupIntent of the session, when it has one. That of a subscription's session is
    not told."""
    id = store.inner(session["id"]).get("intent")
    return (store.find("payment_intent", id) or store.find(setups.KIND, id)) if id else None


def _intent(store: Store, session: Json) -> Json:
    """The session's PaymentIntent, made on the first attempt. The session's metadata is not copied to it,
    ``payment_intent_data[metadata]`` is."""
    intent = intent_of(store, session)
    if intent and intent["object"] == "payment_intent":
        intent.update(customer=session["customer"], amount=session["amount_total"])
        return intent
    data = store.inner(session["id"])["payment_intent_data"]
    types = {"payment_method_types": session["payment_method_types"]}
    intent = intents.new(
        store, session["amount_total"], session["currency"], session["customer"], {**data, **types}
    )
    if session["mode"] == "payment":
        session["payment_intent"] = intent["id"]
    return _keep(store, session, intent)


def _setup(store: Store, session: Json) -> Json:
    """The session's SetupIntent, which a subscription's session makes when nothing is due today."""
    setup = intent_of(store, session)
    if setup and setup["object"] == setups.KIND:
        setup["customer"] = session["customer"]
        return setup
    return _keep(store, session, setups.new(store, session["customer"], {}))


def _keep(store: Store, session: Json, intent: Json) -> Json:
    """Let the session and its intent know each other."""
    store.set_inner(intent["id"], {"session": session["id"]})
    store.set_inner(session["id"], {**store.inner(session["id"]), "intent": intent["id"]})
    return intent


def _follow(store: Store, session: Json, intent: Json) -> None:
    """After an attempt: the session completes when it is paid."""
    if intent["status"] == "succeeded":
        completion.complete(store, session, "paid", intent, intent["payment_method"])
    else:
        store.update(session, due=session["expires_at"])


def _follow_setup(store: Store, session: Json, setup: Json) -> None:
    """After an attempt: the session completes when the PaymentMethod is saved."""
    if setup["status"] == "succeeded":
        completion.complete(store, session, "no_payment_required", method=setup["payment_method"])
    else:
        store.update(session, due=session["expires_at"])
