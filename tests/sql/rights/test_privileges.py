"""Who may do what: compares PostgreSQL's system tables with this page, and tries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection

ROLES = (
    "anon",
    "authenticated",
    "spender",
    "support",
    "service_role",
    "analyst",
    "auditor",
    "accountant",
    "pgcredits_catalog",
)
LOGINS = (
    "pgcredits_api",
    "pgcredits_service",
    "pgcredits_analyst",
    "pgcredits_auditor",
    "pgcredits_accountant",
)

SHOP = {
    *(f"api.{view}" for view in ("packs", "topups", "plans", "modules")),
    *(
        f"credits.{table}"
        for table in (
            "packs",
            "topups",
            "topup_presets",
            "plans",
            "plan_versions",
            "currencies",
            "modules",
            "module_categories",
        )
    ),
}
ACCOUNT = {
    *(
        f"api.{view}"
        for view in (
            "balance",
            "entries",
            "usage",
            "usage_by_tag",
            "lots",
            "orders",
            "subscriptions",
            "spend_limits",
            "notices",
            "failures",
            "referrals",
            "holds",
            "shortfalls",
            "reversals",
            "auto_topup",
            "auto_topup_history",
        )
    ),
    *(
        f"credits.{table}"
        for table in (
            "identities",
            "wallets",
            "lots",
            "current_lots",
            "entries",
            "orders",
            "spend_limits",
            "outbox",
            "failures",
            "referrals",
            "charge_refunds",
            "holds",
            "held_draws",
            "shortfalls",
            "reversals",
            "auto_topups",
            "topup_consents",
            "topup_attempts",
            "subscriptions",
            "subscription_invoices",
            "free_periods",
        )
    ),
}
ANALYTICS = {
    f"analytics.{view}"
    for view in (
        "account_use",
        "average_use",
        "burn_rate",
        "cohort_revenue",
        "daily_margin",
        "funnel",
        "guest_conversion",
        "module_margin",
        "module_reliability",
        "module_usage",
        "pack_mix",
        "people",
        "purchase_conversion",
        "retention",
        "running_out",
        "tokens_sold",
        "usage_by_tag",
        "usage_quantities",
        "weekly_margin",
        "weekly_sales",
        "welcome_use",
    )
}
FINANCE = {
    f"finance.{view}"
    for view in (
        *("accounts", "breakage", "closed_months", "journal", "late_entries", "liability_aging"),
        *("liability_rollforward", "promotions", "revenue_by_module"),
    )
}
# What is under the views of finance. Of other tables an accountant reads single columns.
MONEY = {
    f"credits.{table}"
    for table in (
        "closed_months",
        "closed_sums",
        "finance_accounts",
        "ledger_months",
        "lot_moves",
        "money_returns",
        "money_with_tax",
        "rollforward",
        "source_months",
    )
}
AUDIT = {
    *(
        f"audit.check_{name}"
        for name in (
            "access",
            "balance",
            "campaigns",
            "charges",
            "creators",
            "draws",
            "due",
            "events",
            "finance_journal",
            "finance_months",
            "finance_rollforward",
            "guests",
            "hash_chain",
            "heads",
            "holds",
            "keys",
            "limits",
            "logins",
            "lots",
            "money_returns",
            "negative",
            "orders",
            "prices",
            "refund_requests",
            "refunds",
            "release",
            "reversals",
            "roles",
            "running_balance",
            "sequence",
            "settings",
            "shortfalls",
            "subscriptions",
            "topups",
            "stripe",
            "stripe_balance",
            "webhooks",
            "api_keys",
            "sessions",
            "partitions",
            "forgotten",
            "tags",
        )
    ),
    "audit.findings",
    "audit.parked",
    "audit.stuck_holds",
    "audit.trial_balance",
}
BOOKS = {
    f"credits.{table}"
    for table in (
        "accounts",
        "api_keys",
        "api_key_changes",
        "campaigns",
        "charge_refunds",
        "closed_postings",
        "codes",
        "currencies",
        "dimensions",
        "failures",
        "guest_limits",
        "guest_networks",
        "guest_uses",
        "guests",
        "captures",
        "held_draws",
        "holds",
        "shortfalls",
        "settings",
        "releases",
        "audits",
        "audit_checkpoints",
        "reversals",
        "release_objects",
        "status_changes",
        "notice_levels",
        "notice_rules",
        "outbox",
        "price_tiers",
        "priced_targets",
        "redemptions",
        "referrals",
        "spend_limits",
        "topup_presets",
        "account_origins",
        "sign_in_counts",
        "sign_in_networks",
        "analyst_grants",
        "catalogs",
        "current_lots",
        "entries",
        "entry_kinds",
        "event_decisions",
        "event_types",
        "idempotency_keys",
        "identities",
        "lots",
        "module_categories",
        "modules",
        "orders",
        "packs",
        "plans",
        "plan_versions",
        "subscriptions",
        "subscription_invoices",
        "free_periods",
        "price_components",
        "price_list",
        "prices",
        "sql_logins",
        "trusted_logins",
        "sign_in_sessions",
        "password_changes",
        "covered_lists",
        "missed_events",
        "stripe_movements",
        "stripe_cursors",
        "stripe_events",
        "stripe_lists",
        "stripe_mirror",
        "stripe_mirror_events",
        "unbooked_objects",
        "awaited_objects",
        "inactive_accounts",
        "retention_periods",
        "forgotten_accounts",
        "stripe_objects",
        "topups",
        "wallets",
        "auto_topups",
        "refund_requests",
        "stripe_calls",
        "topup_attempts",
        "topup_consents",
        "webhook_changes",
        "webhook_deliveries",
        "webhook_endpoints",
    )
}
WEBHOOKS = {
    *(f"api.{view}" for view in ("webhooks", "webhook_deliveries")),
    *(f"credits.{table}" for table in ("webhook_endpoints", "webhook_deliveries")),
}

API_KEYS = {"api.api_keys", "credits.api_keys"}
FORGOTTEN = {"api.forgotten_users", "credits.forgotten_accounts"}
# The tables under balance and holds: all that a spender reads of its users.
TILL = {
    *(f"api.{view}" for view in ("balance", "holds")),
    *(
        f"credits.{table}"
        for table in ("identities", "wallets", "lots", "current_lots", "holds", "held_draws")
    ),
}
REPORTS = {"audit.parked", "audit.stuck_holds"}
REFUNDS = {"api.refund_requests", "credits.refund_requests"}

WATCHED = {"api.release", "credits.releases", "api.balance_versions"}

# Grants are SELECT on whole tables and views, and nothing else.
SELECT = {
    "anon": SHOP,
    "authenticated": SHOP | ACCOUNT,
    "spender": SHOP | TILL,
    "support": SHOP | ACCOUNT | REPORTS | REFUNDS | WEBHOOKS | {"credits.event_types"},
    "service_role": SHOP
    | ACCOUNT
    | REFUNDS
    | WEBHOOKS
    | API_KEYS
    | FORGOTTEN
    | {"api.release", "credits.releases", "api.balance_versions"},
    "analyst": ANALYTICS | {"credits.current_lots"},
    "auditor": ANALYTICS - {"analytics.people"} | AUDIT | BOOKS | FINANCE | MONEY,
    "accountant": FINANCE | MONEY,
    "pgcredits_catalog": set(),
}
# An accountant reads no user id, no metadata and no secret.
COUNTED = {
    "credits.entries": {
        "account_id",
        "seq",
        "posted_at",
        "effective_at",
        "kind",
        "tokens",
        "draws",
        "module_id",
        "order_id",
    },
    "credits.lots": {
        *("account_id", "lot_id", "source", "granted", "effective_at", "expires_at"),
        *("unit_cost", "currency", "order_id"),
    },
    "credits.orders": {"account_id", "order_id", "paid", "currency"},
}
# An analyst's views need columns of tables. Only identities names persons, to analysts who may know.
FIGURES = {
    "credits.identities": {"account_id", "subject", "created_at"},
    "credits.accounts": {"account_id", "kind", "created_at"},
    "credits.entries": {
        "account_id",
        "seq",
        "posted_at",
        "effective_at",
        "kind",
        "tokens",
        "draws",
        "module_id",
        "usage",
        "price_id",
        "hold_id",
        "refunds_seq",
        "actor",
        "tags",
    },
    "credits.lots": {
        "account_id",
        "lot_id",
        "source",
        "package_name",
        "granted",
        "remaining",
        "held",
        "priority",
        "scope",
        "effective_at",
        "expires_at",
        "unit_cost",
        "currency",
        "order_id",
        "frozen",
        "live",
        "announced",
        "reversed",
        "withheld",
    },
    "credits.wallets": {"account_id", "head_lot", "head_taken", "head_reserved", "status"},
    "credits.subscription_invoices": {"account_id", "order_id", "plan_id"},
    "credits.free_periods": {"account_id", "lot_id", "plan_id"},
    "credits.holds": {
        "account_id",
        "hold_id",
        "module_id",
        "seqs",
        "state",
        "late",
        "failed",
        "by_service",
        "actor",
        "created_at",
        "expires_at",
        "finished_at",
    },
    "credits.failures": {"module_id", "failed_at", "duration_ms"},
    "credits.redemptions": {"account_id", "campaign_id", "lot_id"},
    "credits.guests": {"guest_id", "linked_to", "first_seen_at"},
    "credits.guest_uses": {
        "guest_id",
        "use_id",
        "module_id",
        "state",
        "used_at",
        "finished_at",
        "per_device",
        "sliding_window",
    },
    "credits.catalogs": {"currency"},
    "credits.prices": {"price_id", "exchange_rate"},
    "credits.price_components": {"price_id", "dimension", "unit_size", "provider_cost"},
    "credits.dimensions": {"dimension", "parent"},
    "credits.orders": {
        "account_id",
        "kind",
        "state",
        "pack_id",
        "package_name",
        "tokens",
        "bonus_tokens",
        "amount",
        "currency",
        "paid_at",
        "order_id",
        "paid",
        "reversed",
        "reversal_pending",
        "disputed",
    },
}
# A report for support needs columns of the events.
EVENTS = {
    "credits.stripe_events": {
        "event_id",
        "type",
        "outcome",
        "reason",
        "trouble",
        "received_at",
        "account_id",
        "order_id",
        "object_id",
        "payload",
    },
    "credits.stripe_objects": {"object_id", "account_id", "order_id"},
}
WHOSE = {"credits.prices": {"price_id", "module_id", "category_id"}}
# The balance that somebody reads depends on how much debt the account may have.
LIMIT = {"credits.accounts": {"account_id", "overdraft_limit"}}
# When a secret of an API key was used. Nobody reads its hash.
SECRETS = {"credits.api_key_secrets": {"key_id", "created_at", "valid_until", "last_used_at"}}
COLUMNS = {
    "analyst": FIGURES,
    "accountant": COUNTED,
    "auditor": {
        "credits.api_key_secrets": {"key_id", "valid_until", "last_used_at"},
        "credits.refresh_tokens": {"account_id", "session_id", "issued_at"},
    },
    "spender": LIMIT,
    "support": EVENTS | WHOSE | LIMIT,
    "authenticated": WHOSE | LIMIT,
    "service_role": WHOSE | LIMIT | SECRETS,
}
USAGE = {
    "anon": {"api"},
    "authenticated": {"api"},
    "spender": {"api"},
    "support": {"api", "audit"},
    "service_role": {"api"},
    "analyst": {"analytics"},
    "auditor": {"analytics", "audit", "credits", "finance"},
    "accountant": {"finance"},
    "pgcredits_catalog": {"credits"},
}

# Every function of api stands in one of these four, with a call of it.
# For the user's own account; spenders and services call these for any user.
CHARGE = {
    "api.consume_tokens(text,jsonb,text,text,jsonb,boolean,jsonb)": "'whisper'",
    "api.consume_tokens(text,text,text,numeric)": "null::text, 'whisper', 'Whisper', 25",
    "api.consume_call(text,text,text,numeric,text,jsonb)": "null::text, 'whisper', 'Whisper', 25",
    "api.report_refusal(text,jsonb,text)": "'whisper'",
    "api.report_refused_capture(text,jsonb,text)": "'nothing'",
    "api.quote_tokens(text,jsonb,text)": "'whisper'",
    "api.hold_tokens(text,jsonb,interval,text,text,jsonb,jsonb)": "'whisper'",
    "api.capture_hold(text,jsonb,boolean,text,text,text)": "'nothing'",
    "api.release_hold(text,text,text,text)": "'nothing'",
    "api.extend_hold(text,interval,text)": "'nothing'",
    "api.open_account(text,text,text[],text[],boolean,boolean)": "'somebody new'",
}
# For any user; for spenders and services.
CHARGE_ANYBODY = {
    "api.report_failure(text,numeric,jsonb,text,text)": "'whisper'",
    "api.consume_tokens_batch(jsonb,boolean)": "'[]'",
}
# For the user's own account; services call these for any user.
OWN = {
    "api.create_order(text,bigint,text,text,text)": "'standard'",
    "api.set_spend_limit(text,numeric,text)": "'day', 10",
    "api.lift_spend_limit(text,text)": "'day'",
    "api.set_low_balance(numeric,numeric,text)": "10",
    "api.reset_low_balance(text)": "",
    "api.redeem_code(text,text,text)": "'nothing'",
    "api.referral_code(text)": "",
    "api.set_auto_topup(numeric,bigint,text,text,bigint,text,text)": "10, 999, 'yes', 'basique'",
    "api.stop_auto_topup(text)": "",
    "api.end_sessions(text)": "",
    "api.start_free_plan(text)": "",
    "api.offer_plan(text,text)": "'nothing'",
    "api.payment_customer(text)": "",
    "api.explain_balance(timestamp with time zone,text,bigint,bigint)": "",
    "api.receipt(text)": "'nothing'",
}
# For services.
SERVE = {
    "api.add_tokens(text,numeric,character,text,timestamp with time zone,bigint,text,text,jsonb)": (
        "'nobody', -1::numeric"
    ),
    "api.add_tokens(text,numeric,text)": "'nobody', -1, 'Standard'",
    "api.add_package(text,numeric,text,text)": "'nobody', -1, 'Standard'",
    "api.attach_checkout(uuid,uuid,text,text,text)": "gen_random_uuid(), gen_random_uuid(), 'cs_1'",
    "api.attach_customer(uuid,text,text)": "gen_random_uuid(), 'cus_1'",
    "api.cancel_order(uuid,uuid)": "gen_random_uuid(), gen_random_uuid()",
    "api.apply_stripe_event(jsonb,bytea)": "'{}'",
    "api.sign_up(text,text,text,text[],text[],boolean)": "'nobody', null",
    "api.verify_email(text,text)": "'nobody'",
    "api.begin_sign_in(text,text[],boolean)": "'nobody', array[repeat('0', 64)]",
    "api.finish_sign_in(text,text[])": "'nobody', array[repeat('0', 64)]",
    "api.begin_sign_up(text[],boolean)": "array[repeat('0', 64)]",
    "api.find_credential(text)": "'nobody'",
    "api.open_session(text,text)": "'nobody', 'nothing'",
    "api.refresh_session(uuid,uuid,text)": "gen_random_uuid(), gen_random_uuid(), 'nothing'",
    "api.end_session(uuid,uuid,text,boolean)": "gen_random_uuid(), gen_random_uuid(), 'nothing'",
    "api.change_password(text,text,text)": "'nobody', '$argon2'",
    "api.refund_usage(text,numeric,text,text)": "'nothing'",
    "api.replay_event(text,text)": "'nothing', 'why'",
    "api.dismiss_event(text,text)": "'nothing', 'why'",
    "api.void_lot(text,numeric,text,text)": "'nothing'",
    "api.restore_lot(text,numeric,text,text)": "'nothing'",
    "api.change_expiry(text,timestamp with time zone,text,text)": "'nothing', now()",
    "api.close_shortfall(text,text)": "'nothing', 'settled'",
    "api.set_overdraft_limit(numeric,text)": "10",
    "api.set_test_clock(text,timestamp with time zone,interval)": "'nobody'",
    "api.freeze_account(text,text)": "'nobody'",
    "api.thaw_account(text,text)": "'nobody'",
    "api.acknowledge_notices(uuid[])": "array[gen_random_uuid()]",
    "api.maintain(bigint,bigint)": "",
    "api.operating_figures()": "",
    "api.guest_consume(text,text[],text[],boolean)": "'whisper', '{}', '{}'",
    "api.guest_allowance(text[],text[],boolean)": "'{}', '{}'",
    "api.confirm_guest_use(uuid)": "gen_random_uuid()",
    "api.release_guest_use(uuid)": "gen_random_uuid()",
    "api.claim_stripe_calls(bigint,bigint)": "",
    "api.report_stripe_call(uuid,uuid,uuid,jsonb)": (
        "gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}'"
    ),
    "api.request_refund(text,uuid,numeric,bigint,text,text)": "'nobody', gen_random_uuid()",
    "api.register_webhook(text,text[],text)": "'https://example.org/'",
    "api.disable_webhook(uuid,text)": "gen_random_uuid(), 'why'",
    "api.enable_webhook(uuid,text)": "gen_random_uuid(), 'why'",
    "api.renew_webhook_secret(uuid,text)": "gen_random_uuid(), 'why'",
    "api.replay_webhook(uuid,timestamp with time zone,text,boolean)": "gen_random_uuid(), now(), 'why'",
    "api.create_api_key(text,text,timestamp with time zone,text)": "'till', 'nobody'",
    "api.rotate_api_key(text,interval,timestamp with time zone,text)": "'nothing'",
    "api.revoke_api_key(text,text)": "'nothing'",
    "api.resolve_api_key(text,text)": "'nothing', 'nothing'",
    "api.forget_user(text,uuid,boolean)": "'nobody'",
    "api.read_stripe_list(text,timestamp with time zone)": "'events'",
    "api.note_stripe_page(text,jsonb,boolean,text)": "'events', '[]', false",
    "api.missing_from_stripe()": "",
    "api.replay_from_stripe(text,text)": "'evt_1'",
    "api.take_webhooks(bigint)": "1",
    "api.finish_webhook(uuid,uuid,uuid,uuid,bigint,text)": (
        "gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid()"
    ),
}
CALLS = CHARGE | CHARGE_ANYBODY | OWN | SERVE
# The same explanations, for support and auditors, about anybody.
EXPLAIN = {"audit.explain_balance(text,timestamp with time zone,bigint,bigint)", "audit.receipt(text)"}
PERIODS = {f"credits.{name}(text,timestamp with time zone)" for name in ("period_start", "next_period")}
READING = {
    "credits.clock(uuid)",
    "credits.held_at(uuid,timestamp with time zone)",
    "credits.quantity(jsonb)",
    "credits.later(timestamp with time zone,interval)",  # of next_period
    "credits.topped_up_since(uuid,text,timestamp with time zone)",
    "credits.is_disputed(uuid)",
}
WHO = {"credits.clock()", "credits.me()", "credits.subject()", "credits.user_of(uuid)", *PERIODS, *READING}
HELPERS = {"credits.module_price(text)"}
WHOLE = {f"credits.{name}()" for name in ("functions_digest", "columns_digest")}
SHOPPING = {*HELPERS, "credits.topup_tokens(bigint,numeric)", "credits.interval_text(interval)"}
COUNTING = {
    "finance.trial_balance(timestamp with time zone)",
    "credits.lot_sums(text,timestamp with time zone)",
    "credits.postings(text,timestamp with time zone)",
    "credits.lot_worth(credits.entry_kind,numeric,numeric)",
    "credits.worth_of(credits.entry_kind,numeric,numeric,numeric)",
    "credits.later(timestamp with time zone,interval)",
}
EXECUTE = {
    "anon": SHOPPING,
    "authenticated": {*CHARGE, *OWN, *SHOPPING, *WHO},
    "spender": {
        *CHARGE,
        *CHARGE_ANYBODY,
        *SHOPPING,
        "credits.me()",
        "credits.subject()",
        "credits.clock()",
        "credits.clock(uuid)",
        "credits.user_of(uuid)",
    },
    "support": {*SHOPPING, *WHO, *EXPLAIN, "credits.stripe_id(jsonb)", "credits.stripe_amount(jsonb)"},
    "service_role": {*CALLS, *SHOPPING, *WHO, *WHOLE},
    "analyst": {
        "credits.analyst_segments()",
        "credits.analyst_accounts()",
        "credits.named_segments()",
        "credits.named_accounts()",
        "credits.analyst_email(text)",
        "credits.charge_durations()",
        "credits.clock()",
        "credits.clock(uuid)",
        "credits.earlier(timestamp with time zone,interval)",
    },
    "accountant": {
        *COUNTING,
        "credits.clock()",
        "credits.earlier(timestamp with time zone,interval)",
    },
    "auditor": {
        *COUNTING,
        "credits.ledger_root(timestamp with time zone)",
        "credits.ledger_heads(timestamp with time zone)",
        "credits.anchor_faults(uuid[],bigint[],bytea[])",
        "credits.change_faults(uuid,uuid)",
        "credits.checkpoint_faults(uuid,uuid)",
        "credits.chain_faults(uuid,uuid)",
        "credits.touched_wallet_faults(uuid,uuid)",
        "credits.audit_changes(uuid,uuid)",
        "credits.new_entries(uuid,bigint,timestamp with time zone,bytea,numeric,numeric)",
        *EXPLAIN,
        "credits.note_audit(bigint,bigint)",
        *HELPERS,
        "credits.clock()",
        "credits.release_differences()",
        *(
            f"credits.standing_{what}()"
            for what in ("objects", "functions", "relations", "attachments", "types", "privileges")
        ),
        "credits.charge_durations()",
        "credits.clock(uuid)",
        "credits.call_cost(bigint)",
        "credits.charge_problem(bigint,text)",
        "credits.money(bigint,text)",
        "credits.linear_price(bigint)",
        "credits.price_source(credits.prices)",
        "credits.default_least()",
        "credits.least_charge()",
        "credits.topup_level(uuid,numeric,timestamp with time zone)",
        "credits.topup_threshold(uuid)",
        "credits.least_cost(bigint)",
        "credits.ceil_tokens(numeric,numeric)",
        "credits.head_allowance(uuid,timestamp with time zone)",
        "credits.held_at(uuid,timestamp with time zone)",
        "credits.limit_left(uuid,timestamp with time zone)",
        "credits.period_start(text,timestamp with time zone)",
        "credits.earlier(timestamp with time zone,interval)",
        "credits.stripe_amount(jsonb)",
        "credits.stripe_id(jsonb)",
        "credits.is_tags(jsonb)",
        "credits.is_name(text,bigint)",
        "credits.is_label(text,bigint,boolean)",
        "credits.bank_metadata(credits.entries)",
        "credits.signed_amount(jsonb)",
        "credits.reversal_rank(text)",
        "credits.utc_text(timestamp with time zone)",
        "credits.tighter(numeric,numeric)",
        "credits.interval_text(interval)",
        "credits.next_level(uuid,numeric)",
        "credits.timeout(text)",
        "credits.logins()",
        "credits.standing_others()",
        "credits.standing_triggers_of_events()",
        "credits.standing_defaults()",
        "credits.role_steps()",
        "credits.member_faults()",
        "credits.member_grants()",
        "credits.member_reach()",
        "credits.setting_faults()",
        "credits.ownership_faults()",
        "credits.row_security_faults()",
        "credits.grant_faults()",
        "credits.call_faults()",
        "credits.database_faults()",
        "credits.power_faults()",
        "credits.is_policy_of_ours(text,text[],boolean,text)",
        "credits.notice_levels_of(uuid)",
        "credits.entry_hash(bytea,credits.entries)",
        "credits.free_lots(uuid,timestamp with time zone)",
    },
}
EXECUTE["pgcredits_catalog"] = {
    "credits.show_catalog()",
    "credits.check_stripe_prices()",
    "credits.define_catalog(text,text,text,text)",
    "credits.define_category(text,text)",
    "credits.define_module(text,text,text,boolean)",
    "credits.define_guest_limits(text,bigint,bigint,bigint,interval)",
    "credits.define_pack(text,text,numeric,bigint,text,numeric,boolean,bigint,interval,text,boolean,text)",
    "credits.define_plan(text,text,numeric,bigint,text,text,bigint,numeric,numeric,interval,bigint,bigint,bigint,"
    "numeric,text,boolean,bigint,text,boolean)",
    "credits.define_topup(text,bigint,bigint,numeric)",
    "credits.define_topup_preset(text,bigint,boolean)",
    "credits.define_campaign(text,text,text,numeric,numeric,bigint,bigint,timestamp with time zone,"
    "timestamp with time zone,interval,bigint,text,boolean)",
    "credits.define_campaign_bounds(text,bigint,bigint,bigint,interval)",
    "credits.define_code(text,text)",
    "credits.define_dimension(text,text,text)",
    "credits.define_imported_price(text,text,text,jsonb,numeric,numeric)",
    "credits.define_price(jsonb,text,text,numeric,numeric,timestamp with time zone)",
    "credits.define_notice(text,numeric,numeric,interval)",
    "credits.define_purge(interval,interval)",
    "credits.define_retention(text,interval)",
}
RELATIONS = sorted(
    set().union(*SELECT.values())
    | {"credits.credentials", "credits.webhook_secrets", "credits.entries_default"}
)
TABLES = sorted(
    name
    for name in RELATIONS
    if name.startswith("credits.")
    and name not in ("credits.captures", "credits.current_lots", "credits.held_draws", "credits.event_types")
    and name not in ("credits.missed_events", "credits.unbooked_objects", "credits.stripe_lists")
    and name not in ("credits.covered_lists", "credits.stripe_movements")
    and name not in ("credits.lot_moves", "credits.money_with_tax", "credits.source_months")
    and name not in ("credits.ledger_months", "credits.rollforward")
)


@pytest.fixture(scope="module")
def ask(admin: Connection) -> Callable[..., set[Any]]:
    """The first column of a query, as a set."""
    return lambda query, **params: {row[0] for row in admin.execute(query, params).fetchall()}


@pytest.fixture(scope="module")
def acting(admin_url: str, admin: Connection) -> Iterator[Callable[[str, str], str | None]]:
    """acting(role, command): the SQLSTATE with which the role is refused; None when it may. Undone."""
    with psycopg.connect(admin_url) as connection:

        def act(role: str, command: str) -> str | None:
            connection.execute(f"set local role {role}")
            try:
                connection.execute(command)
            except psycopg.Error as error:
                return error.sqlstate
            finally:
                connection.rollback()
            return None

        yield act


# By the system tables


@pytest.mark.parametrize("role", ROLES)
def test_tables_and_views_that_a_role_may_read(role: str, ask: Callable[..., set[str]]) -> None:
    may = ask(
        "select c.oid::regclass::text from pg_class as c"
        " where c.relkind in ('r', 'p', 'v', 'm', 'f')"
        " and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')"
        " and c.relnamespace::regnamespace::text !~ '^pg_t'"
        " and has_table_privilege(%(role)s, c.oid, 'select')",
        role=role,
    )
    assert may == SELECT[role]


@pytest.mark.parametrize("role", (*ROLES, *LOGINS))
def test_nobody_may_write_any_table_or_sequence(role: str, ask: Callable[..., set[str]]) -> None:
    may = ask(
        "select c.oid::regclass::text from pg_class as c"
        " where c.relkind in ('r', 'p', 'v', 'S')"
        " and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')"
        " and c.relnamespace::regnamespace::text !~ '^pg_t'"
        " and case when c.relkind = 'S' then has_sequence_privilege(%(role)s, c.oid, 'usage, select, update')"
        " else has_table_privilege(%(role)s, c.oid, 'insert, update, delete, truncate, references, trigger')"
        " or has_any_column_privilege(%(role)s, c.oid, 'insert, update, references') end",
        role=role,
    )
    assert may == set()


@pytest.mark.parametrize("role", ROLES)
def test_single_columns_that_a_role_may_read(role: str, ask: Callable[..., set[Any]]) -> None:
    may = ask(
        "select c.oid::regclass::text || '.' || a.attname from pg_attribute as a"
        " join pg_class as c on c.oid = a.attrelid, aclexplode(a.attacl) as g"
        " where g.grantee = %(role)s::regrole",
        role=role,
    )
    assert may == {
        f"{table}.{column}" for table, columns in COLUMNS.get(role, {}).items() for column in columns
    }


@pytest.mark.parametrize("role", ROLES)
def test_functions_that_a_role_may_execute(role: str, ask: Callable[..., set[str]]) -> None:
    may = ask(
        "select p.oid::regprocedure::text from pg_proc as p"
        " where p.pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')"
        " and has_function_privilege(%(role)s, p.oid, 'execute')",
        role=role,
    )
    assert may == EXECUTE[role]


@pytest.mark.parametrize("role", ROLES)
def test_readers_may_execute_the_functions_that_views_call(role: str, ask: Callable[..., set[str]]) -> None:
    """This includes what those functions call, also if only for some rows."""
    refused = ask(
        r"""
        with recursive bodies (oid, name, body, prosecdef) as (
            select p.oid, p.pronamespace::regnamespace || '.' || p.proname,
                pg_get_functiondef(p.oid), p.prosecdef
            from pg_proc as p
            where p.pronamespace in ('credits'::regnamespace, 'api'::regnamespace, 'audit'::regnamespace)
                and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
        ),
        called (name) as (
            select m[1]
            from pg_class as c
            cross join regexp_matches(pg_get_viewdef(c.oid), '((?:credits|api)\.\w+)\(', 'g') as m
            where c.relkind = 'v'
                and c.relnamespace::regnamespace::text in ('api', 'analytics', 'audit', 'credits', 'finance')
                and has_table_privilege(%(role)s, c.oid, 'select')
            union
            select m[1]
            from called as k
            join bodies as b on b.name = k.name and not b.prosecdef
            cross join regexp_matches(b.body, '((?:credits|api)\.\w+)\(', 'g') as m
        )
        select k.name
        from called as k
        join bodies as b on b.name = k.name
        group by k.name
        having not bool_or(has_function_privilege(%(role)s, b.oid, 'execute'))
        """,
        role=role,
    )
    assert refused == set()


def test_every_function_of_api_is_in_one_row(ask: Callable[..., set[str]]) -> None:
    """Put a new function into one of the four rows, or this fails."""
    assert sum(map(len, (CHARGE, CHARGE_ANYBODY, OWN, SERVE))) == len(CALLS)
    assert ask(
        "select p.oid::regprocedure::text from pg_proc as p where p.pronamespace = 'api'::regnamespace"
    ) == set(CALLS)


@pytest.mark.parametrize("role", ROLES)
def test_schemas_that_a_role_may_use(role: str, ask: Callable[..., set[str]]) -> None:
    may = ask(
        "select nspname from pg_namespace where nspname not in ('pg_catalog', 'information_schema', 'public')"
        " and nspname !~ '^pg_t' and has_schema_privilege(%(role)s, oid, 'usage, create')",
        role=role,
    )
    assert may == USAGE[role]


@pytest.mark.parametrize("login", ["pgcredits_api", "pgcredits_service"])
def test_api_logins_have_no_privileges_of_their_own(login: str, ask: Callable[..., set[str]]) -> None:
    """NOINHERIT: they have their roles' rights only after SET ROLE."""
    assert ask("select 1 where has_schema_privilege(%(login)s, 'api', 'usage')", login=login) == set()
    assert (
        ask(
            "select oid::regclass::text from pg_class where relnamespace = 'api'::regnamespace"
            " and relkind = 'v' and has_table_privilege(%(login)s, oid, 'select')",
            login=login,
        )
        == set()
    )


# By trying


@pytest.mark.parametrize("role", ROLES)
def test_reading_needs_rights_on_schema_and_table(
    role: str, acting: Callable[[str, str], str | None]
) -> None:
    for relation in RELATIONS:
        schema = relation.split(".")[0]
        allowed = schema in USAGE[role] and relation in SELECT[role]
        refusal = acting(role, f"select * from {relation} limit 1")
        assert refusal == (None if allowed else "42501"), (relation, refusal)


@pytest.mark.parametrize("role", (*ROLES, *LOGINS))
def test_every_kind_of_write_is_refused(
    role: str, acting: Callable[[str, str], str | None], ask: Callable[..., set[Any]]
) -> None:
    for table in TABLES:
        for command in (
            f"insert into {table} default values",
            f"update {table} set {_column(table, ask)} = default where false",
            f"delete from {table} where false",
            f"truncate {table}",
            f"lock table {table} in access exclusive mode",
            f"copy {table} from program 'true'",
            f"alter table {table} disable row level security",
        ):
            assert acting(role, command) == "42501", command


def _column(table: str, ask: Callable[..., set[Any]]) -> str:
    names = ask(
        "select attname from pg_attribute where attrelid = %(name)s::regclass and attnum = 1", name=table
    )
    return str(names.pop())


@pytest.mark.parametrize("role", (*ROLES, *LOGINS))
def test_views_cannot_be_written_through(role: str, acting: Callable[[str, str], str | None]) -> None:
    views = sorted(SHOP | ACCOUNT | ANALYTICS | AUDIT | FINANCE)
    for view in (name for name in views if not name.startswith("credits.")):
        for command in (f"insert into {view} default values", f"delete from {view}"):
            # 55000: a view that cannot be written at all
            assert acting(role, command) in ("42501", "55000"), command


@pytest.mark.parametrize("role", ROLES)
def test_functions_run_only_where_granted(role: str, acting: Callable[[str, str], str | None]) -> None:
    """The call is refused by privilege, or by the function itself."""
    for function, arguments in CALLS.items():
        name = function.split("(")[0]
        refusal = acting(role, f"select {name}({arguments})")
        if function in EXECUTE[role]:
            assert refusal is None or refusal.startswith("PT"), (function, refusal)
        else:
            assert refusal == "42501", (function, refusal)


@pytest.mark.parametrize("role", ["authenticated", "anon"])
def test_api_login_calls_money_functions_as_a_user(role: str, api_login: Connection) -> None:
    caller = Caller(api_login, role, "somebody")
    for function, arguments in SERVE.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            caller.rows(f"select {function.split('(')[0]}({arguments})")


@pytest.mark.parametrize("role", (*ROLES, *LOGINS))
def test_nobody_may_call_private_functions(
    role: str, acting: Callable[[str, str], str | None], ask: Callable[..., set[str]]
) -> None:
    calls = ask(
        "select format('%%s(%%s)', p.oid::regproc, ("
        "select string_agg('null::' || format_type(a.oid, null), ', ' order by a.place)"
        " from unnest(p.proargtypes) with ordinality as a (oid, place)))"
        " from pg_proc as p where p.pronamespace = 'credits'::regnamespace"
        " and p.prorettype <> 'trigger'::regtype and p.oid::regprocedure::text <> all (%(granted)s)",
        granted=list(EXECUTE[role.removeprefix("pgcredits_")])
        if "auditor" in role or "accountant" in role
        else list(EXECUTE["pgcredits_catalog"])
        if role == "pgcredits_catalog"
        else [],
    )
    assert len(calls) > 20
    for call in calls:
        assert acting(role, f"select {call}") == "42501", call


def test_analyst_reads_figures_but_no_account(acting: Callable[[str, str], str | None]) -> None:
    for view in ANALYTICS:
        assert acting("pgcredits_analyst", f"select * from {view}") is None
    for column in ("account_id", "metadata", "draws"):
        assert acting("analyst", f"select {column} from credits.entries") == "42501"


def test_auditor_reads_every_check_but_no_password(acting: Callable[[str, str], str | None]) -> None:
    for view in AUDIT:
        assert acting("pgcredits_auditor", f"select * from {view}") is None, view
    assert acting("auditor", "select * from credits.credentials") == "42501"


def test_accountant_reads_every_view_of_finance_but_no_account(
    acting: Callable[[str, str], str | None],
) -> None:
    for view in FINANCE:
        assert acting("pgcredits_accountant", f"select * from {view}") is None, view
    assert acting("pgcredits_accountant", "select * from finance.trial_balance()") is None
    for table in ("entries", "identities", "accounts", "stripe_events", "stripe_mirror", "outbox"):
        assert acting("pgcredits_accountant", f"select * from credits.{table}") == "42501", table


def test_auditors_and_analysts_sessions_are_read_only(connect_as: Callable[..., Connection]) -> None:
    for login in ("pgcredits_auditor", "pgcredits_analyst", "pgcredits_accountant"):
        assert connect_as(login).execute("show default_transaction_read_only").fetchone() == ("on",)
