"""SetupIntents: a PaymentMethod is saved without a payment."""

from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments import methods
from stripe_simulator.core.payments.cards import AUTHENTICATION_FAILED, declined
from stripe_simulator.core.store import Json, Store

KIND = "setup_intent"


def new(store: Store, customer: str | None, data: Json, origin: Origin = PAY_PAGE) -> Json:
    """Store a SetupIntent. ``data`` are further members."""
    id = new_id("seti")
    setup = {
        "id": id,
        "object": KIND,
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": new_id(f"{id}_secret"),
        "created": store.real_now(),
        "customer": customer,
        "customer_account": None,
        "description": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card", "sepa_debit"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
        **data,
        "metadata": data.get("metadata", {}),
    }
    store.insert(setup)
    emit(store, "setup_intent.created", setup, origin)
    return setup


def attempt(
    store: Store,
    setup: Json,
    method: Json,
    origin: Origin = PAY_PAGE,
    *,
    authenticated: bool = False,
    return_url: str | None = None,
) -> None:
    """Try to save the PaymentMethod; the status says what came of it."""
    card = methods.card_of(store, method)
    setup.update(last_setup_error=None, next_action=None, payment_method=method["id"])
    if card and card.decline and not card.attaches:
        _fail(store, setup, {**declined(card.decline), "payment_method": method}, origin)
    elif card and card.authenticate and not authenticated:
        url = f"{store.public_url}/authenticate/{setup['id']}"
        redirect = {"url": url, "return_url": return_url}
        setup.update(
            status="requires_action",
            next_action={"type": "redirect_to_url", "redirect_to_url": redirect},
        )
        store.update(setup)
        emit(store, "setup_intent.requires_action", setup, origin)
    else:
        if setup["customer"]:
            methods.attach(store, method, setup["customer"], origin)
        setup["status"] = "succeeded"
        store.update(setup)
        emit(store, "setup_intent.succeeded", setup, origin)


def authenticate(store: Store, setup: Json, *, succeeded: bool) -> bool:
    """The owner of the card says yes or no. Tells whether somebody had asked."""
    if setup["status"] != "requires_action":
        return False
    method = store.get("payment_method", setup["payment_method"])
    if succeeded:
        attempt(store, setup, method, authenticated=True)
    else:
        error = {**AUTHENTICATION_FAILED, "code": "setup_intent_authentication_failure"}
        _fail(store, setup, {**error, "payment_method": method}, PAY_PAGE)
    return True


def cancel(store: Store, setup: Json, reason: str | None, origin: Origin = PAY_PAGE) -> None:
    """Nobody can use it any more."""
    setup.update(status="canceled", cancellation_reason=reason, next_action=None)
    store.update(setup)
    emit(store, "setup_intent.canceled", setup, origin)


def _fail(store: Store, setup: Json, error: Json, origin: Origin) -> None:
    setup.update(
        status="requires_payment_method", last_setup_error=error, next_action=None, payment_method=None
    )
    store.update(setup)
    emit(store, "setup_intent.setup_failed", setup, origin)
