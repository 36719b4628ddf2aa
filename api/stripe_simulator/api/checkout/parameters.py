"""The parameters of a new Checkout Session."""

from stripe_simulator.api.checkout import line_items
from stripe_simulator.protocol.parameters import (
    Check,
    array,
    boolean,
    currency,
    email,
    fields,
    integer,
    metadata,
    one_of,
    text,
    url,
)

_auto = one_of("auto", "never")
_switch = one_of("enabled", "disabled")
_display = one_of("always", "limited", "unspecified")

CREATE: dict[str, Check] = {
    "adaptive_pricing": fields({"enabled": boolean}),
    "allow_promotion_codes": boolean,
    "allowed_payment_method_types": array(text()),
    "automatic_tax": fields({"enabled": boolean}, ["enabled"]),
    "billing_address_collection": one_of("auto", "required"),
    "cancel_url": url,
    "client_reference_id": text(200),
    "consent_collection": fields(
        {
            "payment_method_reuse_agreement": fields({"position": one_of("auto", "hidden")}, ["position"]),
            "promotions": one_of("auto", "none"),
            "terms_of_service": one_of("none", "required"),
        }
    ),
    "currency": currency,
    "custom_text": fields(
        {
            name: fields({"message": text(1200)}, ["message"])
            for name in ("after_submit", "submit", "terms_of_service_acceptance")
        }
    ),
    "customer": text(),
    "customer_creation": one_of("always", "if_required"),
    "customer_email": email(),
    "customer_update": fields({"address": _auto, "name": _auto, "shipping": _auto}),
    "discounts": array(fields({"coupon": text(), "promotion_code": text()}), 1),
    "expires_at": integer(),
    "invoice_creation": fields(
        {
            "enabled": boolean,
            "invoice_data": fields({"description": text(), "footer": text(), "metadata": metadata}),
        },
        ["enabled"],
    ),
    "line_items": line_items.line_items,
    "locale": text(),
    "metadata": metadata,
    "mode": one_of("payment", "setup", "subscription"),
    "payment_intent_data": fields(
        {
            "description": text(),
            "metadata": metadata,
            "receipt_email": email(),
            "setup_future_usage": one_of("off_session", "on_session"),
            "statement_descriptor": text(22),
            "statement_descriptor_suffix": text(22),
        }
    ),
    "payment_method_collection": one_of("always", "if_required"),
    "saved_payment_method_options": fields(
        {
            "allow_redisplay_filters": array(_display, 3),
            "payment_method_remove": _switch,
            "payment_method_save": _switch,
        }
    ),
    "setup_intent_data": fields({"description": text(), "metadata": metadata}),
    "submit_type": one_of("auto", "book", "donate", "pay", "subscribe"),
    "subscription_data": fields(
        {
            "description": text(500),
            "metadata": metadata,
            "trial_end": integer(1),
            "trial_period_days": integer(1, 730),
        }
    ),
    "success_url": url,
    "tax_id_collection": fields({"enabled": boolean}, ["enabled"]),
    "ui_mode": one_of("hosted_page"),
}

# What goes with some modes only.
MODES = {
    "customer_creation": ("payment", "setup"),
    "discounts": ("payment", "subscription"),
    "allow_promotion_codes": ("payment", "subscription"),
    "invoice_creation": ("payment",),
    "line_items": ("payment", "subscription"),
    "payment_intent_data": ("payment",),
    "saved_payment_method_options": ("payment", "subscription"),
    "setup_intent_data": ("setup",),
    "payment_method_collection": ("subscription",),
    "subscription_data": ("subscription",),
}
