"""/v1/billing_portal/configurations: the default one, once somebody has saved it in the dashboard."""

from typing import Any

from stripe_simulator.core.billing import portal
from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.store import Json, Store
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import page_size
from stripe_simulator.protocol.parameters import boolean, text


@api_route("GET", "/v1/billing_portal/configurations/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/billing_portal/configurations/{id}"""
    found = _default(call.store)
    if found is None or call.id != found["id"]:
        raise missing_object("billing portal configuration", call.id, "configuration", 404)
    return found


@api_route(
    "GET",
    "/v1/billing_portal/configurations",
    {
        "active": boolean,
        "is_default": boolean,
        "limit": page_size,
        "starting_after": text(),
        "ending_before": text(),
    },
)
def list_all(call: Call) -> Json:
    """GET /v1/billing_portal/configurations"""
    found = _default(call.store)
    asked = {name: call.params[name] for name in ("active", "is_default") if name in call.params}
    further = "starting_after" in call.params or "ending_before" in call.params
    data: list[Any] = [] if found is None or further or not all(asked.values()) else [found]
    return {"object": "list", "data": data, "has_more": False, "url": call.path}


def _default(store: Store) -> Json | None:
    """What the page can do: change plans, cancel, change the card. Its products come by ``expand[]``."""
    if not store.settings["portal_saved"]:
        return None
    return {
        "id": portal.CONFIGURATION,
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": 0,
        "default_return_url": None,
        "features": {
            "customer_update": {"allowed_updates": [], "enabled": False},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": False, "options": []},
                "enabled": True,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_pause": {
                "duration": {"interval_options": [], "type": "indefinite"},
                "enabled": False,
            },
            "subscription_update": {
                "billing_cycle_anchor": None,
                "default_allowed_updates": ["price"],
                "enabled": True,
                "proration_behavior": "create_prorations",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": True,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": 0,
    }
