"""The books prove themselves: sound books give no finding, and the check for each fault finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

import psycopg
import pytest
from callers import Caller, Connection, Row, open_account
from psycopg.rows import dict_row
from stripe_events import COMPLETED, attached, event, session
from subscription_events import CREATED, DELETED, PAID, at, invoice, subscription
from subscription_events import line as invoice_line
from topping import claim, first_charge, intent, paid_order, report, tell

CHECKS = (
    "check_access",
    "check_balance",
    "check_campaigns",
    "check_charges",
    "check_creators",
    "check_draws",
    "check_due",
    "check_events",
    "check_finance_journal",
    "check_finance_months",
    "check_finance_rollforward",
    "check_guests",
    "check_hash_chain",
    "check_heads",
    "check_holds",
    "check_keys",
    "check_limits",
    "check_logins",
    "check_lots",
    "check_money_returns",
    "check_negative",
    "check_orders",
    "check_prices",
    "check_refund_requests",
    "check_refunds",
    "check_release",
    "check_reversals",
    "check_roles",
    "check_running_balance",
    "check_sequence",
    "check_settings",
    "check_shortfalls",
    "check_subscriptions",
    "check_topups",
    "check_stripe",
    "check_stripe_balance",
    "check_webhooks",
    "check_api_keys",
    "check_sessions",
    "check_partitions",
    "check_forgotten",
    "check_tags",
)

# The main account of these tests, and its entries.
ME = "account_id = %(account)s"
GRANTED, EXPIRED, BOUGHT, BONUS, EXTRA, SPENT_FIRST, SPENT_LAST = 1, 2, 3, 4, 5, 6, 9
# Another account, with holds and debt, and its entries: a grant, a capture with debt and a shortfall, a
# purchase and what it repaid, a late capture, a grant that expires. One open hold keeps tokens of that lot,
# on the lot's row; one keeps tokens of the purchase, the head lot: the sums of the wallet have those.
HOLDER = "account_id = %(holder)s"
CAPTURED, REPAID, CAPTURED_LATE = 2, 4, 5

# An account with a plan: two paid periods, what went over, the end, and the free plan.
SUBSCRIBER = "account_id = %(subscriber)s"

# A person's login, made after the recipe of SECURITY.md, and an application's.
CARLA = (
    "create role carla login connection limit 5 in role {role};"
    " alter role carla set statement_timeout = '5min';"
    " alter role carla set idle_in_transaction_session_timeout = '60s';"
    " do $$ begin if current_setting('server_version_num')::integer >= 170000 then"
    " alter role carla set transaction_timeout = '10min'; end if; end $$; "
)
USER, ANALYST, BACKEND = (CARLA.format(role=role) for role in ("authenticated", "analyst", "spender"))


# Kinds of object that pgcredits never makes, in the schemas of the bank.
OTHERS = (
    "create operator credits.=== (leftarg = integer, rightarg = integer, function = int4eq)",
    'create collation api.extra from "C"',
    "create conversion audit.extra for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
    "create text search configuration credits.extra (copy = simple)",
    "create text search dictionary api.extra (template = simple)",
    "create text search parser credits.extra (start = prsd_start, gettoken = prsd_nexttoken,"
    " end = prsd_end, lextypes = prsd_lextype)",
    "create text search template credits.extra (lexize = dsimple_lexize)",
    "create operator class credits.extra for type integer using btree"
    " as function 1 btint4cmp(integer, integer)",
    "create operator family credits.family using hash",
    "create statistics analytics.extra on kind, module_id from credits.entries",
)


def in_this_database(command: str) -> str:
    """The command with %I for the name of the database."""
    return f"do $$ begin execute format('{command}', current_database()); end $$"


# The first attempt of the account with automatic top-ups, which has succeeded, and the second, in flight.
TOPPED, IN_FLIGHT = f"{ME} and state = 'succeeded'", f"{ME} and state = 'open'"
# Its user was forgotten two days ago.
FORGOTTEN = (
    "insert into credits.forgotten_accounts (account_id, forgotten_at, finished_at, gave_up, actor)"
    " select account_id, now() - interval '2 days', now(), 0, 'me' from credits.wallets"
    f" where {ME}; "
)
# An endpoint, and a notice for it.
TOLD = (
    "insert into credits.webhook_endpoints (url, created_by, created_at, enabled_at)"
    " values ('https://shop.example/', 'me', now(), now() - interval '1 day'); "
)
NOTICE = (
    "insert into credits.outbox (account_id, kind, facts, created_at)"
    f" select account_id, 'low_balance', '{{}}', now() from credits.wallets where {ME}"
)

# A session of the main account, whose user has a password.
SIGNED_IN = (
    "insert into credits.credentials (email, password_hash, subject)"
    f" select 'told@example.org', '$argon2', subject from credits.identities where {ME};"
    " select api.open_session('told@example.org', '$argon2'); "
)
# A key, another that was made with it, and one that is revoked.
KEYED = (
    "select api.create_api_key('maker', 'service_role', '2099-01-01');"
    " select api.create_api_key('made', 'spender', '2098-01-01');"
    " update credits.api_keys set made_with = (select key_id from credits.api_keys where name = 'maker')"
    " where name = 'made';"
    " select api.revoke_api_key((api.create_api_key('revoked', 'spender')).key_id); "
)

# What Stripe's lists say of the purchase, which the books agree with.
SOLD = (
    "insert into credits.stripe_mirror (object_id, kind, bucket, status, amount, currency, payment_intent_id,"
    " named_account, named_order, created_at, pulled_at, payload) select checkout_session_id,"
    " 'checkout.session', 0, 'paid', paid, currency, payment_intent_id, account_id, order_id,"
    " now() - interval '1 day', clock_timestamp(), '{}' from credits.orders"
    f" where {ME} and state = 'paid'; "
)
# A paid automatic top-up, and a paid invoice of a subscription, that the bank has not booked.
CHARGED = (
    "insert into credits.stripe_mirror (object_id, kind, bucket, status, amount, currency,"
    " named_account, named_order, created_at, pulled_at, payload) select 'pi_1', 'payment_intent', 0,"
    " 'succeeded', amount, currency, account_id, order_id, now() - interval '1 day', now(),"
    """ '{"metadata": {"attempt_id": "1"}}'"""
    f" from credits.orders where {ME} and state = 'pending'"
)
INVOICED = (
    f"update credits.accounts set stripe_customer_id = 'cus_9' where {ME};"
    " insert into credits.stripe_mirror (object_id, kind, bucket, status, amount, created_at, pulled_at,"
    " payload) values ('in_1', 'invoice', 0, 'paid', 500, now() - interval '1 day', now(),"
    """ '{"customer": "cus_9", "subscription": "sub_1"}')"""
)
REFUNDED = (
    "insert into credits.stripe_mirror (object_id, kind, bucket, status, amount, currency, payment_intent_id,"
    " created_at, pulled_at, payload) select 're_1', 'refund', 0, 'succeeded', 100, currency,"
    " payment_intent_id, now() - interval '1 day', now(), '{}'"
    f" from credits.orders where {ME} and state = 'paid'; "
)
BOOKED_BACK = (
    "insert into credits.reversals (account_id, reversal_id, order_id, kind, amount, status, created_at,"
    " changed_at) select account_id, 're_1', order_id, 'refund', 100, 'succeeded', now() - interval '1 day',"
    f" now() from credits.orders where {ME} and state = 'paid'"
)
READ = (
    "insert into credits.stripe_cursors (list, covers_from, complete_until) select list, '-infinity',"
    " now() + interval '2 hours' from credits.stripe_lists; "
)
# check -> faults that it must find; each is a command of the superuser's.
# This month, closed in a moment.
CLOSED = (
    "insert into credits.closed_months (month, closed_at, actor, accounts, entries, root_hash)"
    " select date_trunc('month', now() at time zone interval '0'), now() + interval '1 hour', 'me',"
    " r.accounts, r.entries, r.root from credits.ledger_root(now() + interval '1 hour') as r;"
    " select credits.store_sums(m.month) from credits.closed_months as m; "
)

FAULTS = {
    "check_access": [
        # Hashes of secrets.
        "grant select on credits.api_key_secrets to auditor",
        "grant select (token_hash) on credits.refresh_tokens to auditor",
        # Owners.
        *(
            f"alter {thing} owner to postgres"
            for thing in (
                "schema api",
                "table credits.wallets",
                "view api.balance",
                "function api.consume_tokens_batch(jsonb, boolean)",
                "domain credits.amount",
                "type api.quote",
            )
        ),
        # Row security.
        "alter table credits.wallets no force row level security",
        "alter table credits.codes disable row level security",
        "create table credits.extra (account_id uuid)",
        "create table credits.entries_1999_01 partition of credits.entries for values"
        " from ('1999-01-01Z') to ('1999-02-01Z')",
        # Policies of each kind: one is missing, one is too many, one shows too much.
        *(
            f"drop policy {name} on credits.{table}"
            for name, table in (
                ("owner", "wallets"),
                ("own_rows", "wallets"),
                ("spender_reads", "holds"),
                ("support_reads", "stripe_events"),
                ("service_reads", "lots"),
                ("for_sale", "packs"),
                ("granted_accounts", "guest_uses"),
                ("analyst_reads", "prices"),
                ("auditor_reads", "settings"),
            )
        ),
        "create policy everybody on credits.wallets for select using (true)",
        "create policy more on credits.wallets for select to authenticated using (true)",
        "create policy own_rows on credits.codes for select to authenticated using (true)",
        "create policy support_reads on credits.codes for select to support using (true)",
        "create policy writes on credits.wallets for insert to service_role with check (true)",
        "create policy less on credits.wallets as restrictive for select to auditor using (true)",
        "alter policy own_rows on credits.wallets using (true)",
        "alter policy own_rows on credits.wallets using (account_id = (select credits.me()) or true)",
        "alter policy granted_accounts on credits.entries using ("
        "(select '*' = any(credits.analyst_segments())) or true"
        " or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id)))",
        "alter policy spender_reads on credits.wallets to spender, authenticated",
        "alter policy owner on credits.wallets to public",
        # Grants.
        "grant insert on credits.entries to service_role",
        "grant update (balance) on credits.wallets to spender",
        "grant select on credits.codes to analyst",
        "grant select on credits.credentials to service_role",
        "grant select (email) on credits.credentials to support",
        "grant select on credits.entries_default to auditor",
        "grant select on api.packs to public",
        "grant select on api.packs to anon with grant option",
        "grant select (balance) on credits.wallets to pg_monitor",
        "grant usage on schema credits to authenticated",
        "grant usage on schema audit to analyst",
        "grant create on schema api to service_role",
        "grant usage on type credits.entry_kind to public",
        "grant execute on function api.add_tokens(text, numeric, text) to pgcredits_api",
        "grant execute on function api.add_tokens(text, numeric, text) to spender",
        "grant execute on function api.refund_usage(text, numeric, text, text) to support",
        "create function credits.extra() returns integer language sql return 1",
        # The database: PUBLIC has no right on one of the bank's own.
        *(
            "do $$ begin execute format("
            f"'grant {right} on database %I to {role}', current_database()); end $$"
            for right, role in (
                ("connect", "public"),
                ("temporary", "public"),
                ("temporary", "authenticated"),
                ("create", "pgcredits_service"),
            )
        ),
        # How functions and views run.
        "alter function credits.me() reset search_path",
        "alter function credits.me() set search_path = pg_catalog, credits, pg_temp",
        "alter view api.balance set (security_invoker = false)",
        "create view api.leak as select * from credits.wallets",
    ],
    "check_roles": [
        *(
            f"alter role {change}"
            for change in (
                "credits_owner login",
                "anon superuser",
                "spender createrole",
                "support createdb",
                "service_role replication",
                "auditor bypassrls",
                "pgcredits_api inherit",
                "pgcredits_service superuser",
                "pgcredits_auditor nologin",
                "spender rename to spenders",
            )
        ),
        "grant service_role to pgcredits_api",
        "grant service_role to support",
        # Roles that neighbours use as well may have roles of theirs, but no way to more power over the bank.
        "grant pg_monitor to anon",
        "create role staff; grant pg_read_all_data to staff; grant staff to service_role",
        "create role staff; grant auditor to staff; grant staff to authenticated",
        "create role staff; grant credits_owner to staff; grant staff to authenticated",
        "grant pg_write_all_data to pgcredits_service",
        "revoke spender from service_role",
        "revoke anon from pgcredits_api",
        "create role stranger; grant credits_owner to stranger",
        "create role stranger; grant spender to stranger with admin option",
        # Members of a role of the bank, through any number of steps.
        *(
            USER + f"alter role carla {power}"
            for power in ("superuser", "createrole", "createdb", "replication", "bypassrls")
        ),
        *(
            USER + f"grant {role} to carla"
            for role in (
                "pg_read_all_data",
                "pg_write_all_data",
                "pg_execute_server_program",
                "pg_read_server_files",
                "pg_write_server_files",
                "pg_signal_backend",
                "pg_monitor",
                "pg_checkpoint",
                "pgcredits_service",
                "pgcredits_catalog",
            )
        ),
        USER + "create role staff; grant pg_read_all_data to staff; grant staff to carla",
        USER + "create role staff bypassrls; create role team in role staff; grant team to carla",
        USER + "create role staff; grant pgcredits_service to staff; grant staff to carla",
        "create role staff bypassrls in role support",
        BACKEND + "alter role carla bypassrls",
        BACKEND + "grant pg_signal_backend to carla",
        USER + "grant set on parameter session_replication_role to carla",
        USER + "create role staff; grant staff to carla; grant alter system on parameter fsync to staff",
        USER + "grant execute on function pg_read_file(text) to carla",
        USER + "grant select on pg_authid to carla",
        USER + "grant insert on yoyo._yoyo_migration to carla",
        "grant update on yoyo.migrating to public",
    ],
    "check_balance": [
        f"update credits.wallets set balance = balance + 0.000001 where {ME}",
        f"update credits.wallets set head_taken = head_taken + 1 where {ME}",
        f"update credits.wallets set head_taken = head_taken - 0.000001 where {ME}",
        f"update credits.wallets set head_reserved = head_reserved + 1 where {ME}",
        f"update credits.wallets set head_reserved = head_reserved - 1 where {HOLDER}",
        f"update credits.wallets set held = 1 where {ME}",
        f"update credits.wallets set debt = 1 where {ME}",
        f"update credits.wallets set lifetime_granted = lifetime_granted + 1 where {ME}",
        f"update credits.wallets set lifetime_spent = lifetime_spent + 1 where {ME}",
        f"update credits.lots set expires_at = now() + interval '1 hour' where {ME} and live",
        f"update credits.lots set remaining = remaining - 1 where {ME} and live",
        f"update credits.lots set held = 1 where {ME} and live",
        f"delete from credits.entries where {ME} and seq = {SPENT_LAST}",
    ],
    "check_running_balance": [
        f"update credits.entries set balance_after = balance_after + 1 where {ME} and seq = {SPENT_FIRST}",
        f"update credits.entries set tokens = tokens - 1 where {ME} and seq = {SPENT_LAST}",
        f"update credits.entries set tokens = 1 where {ME} and seq = {GRANTED}",
        f"delete from credits.entries where {ME} and seq = {BOUGHT}",
    ],
    "check_sequence": [
        f"delete from credits.entries where {ME} and seq = {BOUGHT}",
        f"delete from credits.entries where {ME} and seq = {SPENT_LAST}",
        f"delete from credits.entries where {ME}",
        f"update credits.entries set seq = seq + 1 where {ME} and seq = {SPENT_LAST}",
        f"update credits.entries set posted_at = posted_at - interval '1 hour'"
        f" where {ME} and seq = {SPENT_LAST}",
        "insert into credits.entries select (e).* from (select jsonb_populate_record(e, jsonb_build_object("
        "'posted_at', e.posted_at + interval '1 ms')) as e from credits.entries as e"
        f" where {ME} and seq = {SPENT_LAST}) as x",
        "update credits.entries set posted_at = posted_at + interval '1 day'"
        f" where {ME} and seq = {SPENT_LAST};"
        f" update credits.wallets set posted_at = posted_at + interval '1 day' where {ME}",
        f"update credits.wallets set seq = seq + 1 where {ME}",
        f"update credits.wallets set posted_at = posted_at + interval '1 ms' where {ME}",
        f"delete from credits.wallets where {ME}",
    ],
    "check_guests": [
        "update credits.guest_uses set state = 'confirmed' where state = 'released'",
        "with g as (insert into credits.guests (device_key, first_seen_at) values (repeat('c', 64), now())"
        " returning guest_id) insert into credits.guest_uses (guest_id, network_id, module_id, used_at,"
        " per_device, per_network, sliding_window) select g.guest_id, n.network_id, 'whisper',"
        " clock_timestamp(), 2, 2, '24 hours' from g, credits.guest_networks as n"
        " where n.network_key = repeat('b', 64)",
        "update credits.guest_uses set used_at = used_at - interval '23 hours', per_device = 1",
    ],
    "check_hash_chain": [
        *(
            f"update credits.entries set {change} where {ME} and seq = {SPENT_FIRST}"
            for change in (
                "tokens = tokens - 1",
                "balance_after = balance_after + 1",
                "debt_after = 1",
                "kind = 'adjustment'",
                "module_id = 'metube'",
                "module_id = null",
                """usage = '{"calls": 2}'""",
                "usage = null",
                """draws = '[{"lot_id": 3, "tokens": 25}]'""",
                "price_id = price_id + 1",
                "order_id = gen_random_uuid()",
                "hold_id = gen_random_uuid()",
                "late = false",
                "late = true",
                "refunds_seq = 1",
                "campaign_id = 'gift'",
                "package_name = 'somebody'",
                "package_name = ''",
                "actor = 'nobody'",
                """metadata = '{"job": "another"}'""",
                "posted_at = posted_at + interval '1 microsecond'",
                "effective_at = effective_at - interval '1 microsecond'",
                "hash = sha256('')",
                "package_name = module_id, module_id = null",
                "refunds_seq = price_id, price_id = null",
                "hold_id = account_id",
            )
        ),
        f"delete from credits.entries where {ME} and seq = {GRANTED}",
        f"delete from credits.entries where {ME} and seq = {SPENT_LAST}",
        f"update credits.wallets set head_hash = sha256('') where {ME}",
        f"update credits.wallets set head_hash = '' where {ME}",
    ],
    "check_lots": [
        f"update credits.lots set remaining = remaining - 0.000001 where {ME} and live",
        f"update credits.lots set granted = granted + 1 where {ME} and lot_id = {BOUGHT}",
        f"update credits.lots set granted = 1 where {ME} and lot_id = {BOUGHT}",
        f"update credits.lots set held = remaining + 1 where {ME} and live",
        f"update credits.lots set live = not live where {ME} and lot_id = {BOUGHT}",
        f"update credits.lots set live = true where {ME} and lot_id = {GRANTED}",
        f"delete from credits.lots where {ME} and lot_id = {BOUGHT}",
        f"delete from credits.lots where {ME} and lot_id = {GRANTED}",
        f"update credits.wallets set head_taken = head_taken - 1 where {ME}",
        f"update credits.wallets set head_taken = 0 where {ME}",
        f"update credits.wallets set head_lot = null where {ME}",
        f"update credits.wallets set head_lot = 99 where {ME}",
        f"update credits.wallets set head_lot = {EXTRA} where {ME}",
        # More tokens are held than there are, by the sums alone.
        f"update credits.wallets set head_reserved = 1000 where {ME}",
        f"update credits.wallets set head_reserved = -1 where {ME}",
        f"update credits.wallets set head_lot = null, head_permit = 0 where {HOLDER}",
        f"update credits.wallets set head_lot = null, head_permit = 0, head_quiet = false where {HOLDER}",
        # Sums, a permit, or no need to look, without a head lot.
        *(
            "update credits.wallets set head_lot = null, (head_permit, head_taken, head_reserved, head_quiet)"
            f" = ({sums}) where {HOLDER}"
            for sums in ("1, 0, 0, false", "0, 1, 0, false", "0, 0, -1, false", "0, 0, 0, true")
        ),
        f"update credits.lots set expires_at = '2099-01-01' where {HOLDER} and expires_at is null",
        # What an entry says of its lot.
        f"update credits.entries set order_id = null where {ME} and seq = {BOUGHT}",
        f"update credits.entries set order_id = gen_random_uuid() where {ME} and seq = {BONUS}",
        f"update credits.entries set order_id = gen_random_uuid() where {ME} and seq = {EXTRA}",
        f"update credits.entries set order_id = gen_random_uuid() where {ME} and seq = {SPENT_FIRST}",
        f"update credits.entries set package_name = 'Other' where {ME} and seq = {BOUGHT}",
        f"update credits.entries set package_name = null where {ME} and seq = {BONUS}",
        f"update credits.entries set package_name = 'Other' where {ME} and seq = {EXPIRED}",
        f"update credits.entries set package_name = '' where {ME} and seq = {EXTRA}",
        f"update credits.entries set package_name = 'Other' where {ME} and seq = {SPENT_LAST}",
        f"update credits.entries set kind = 'promo' where {ME} and seq = {EXTRA}",
        """update credits.entries set draws = '[{"lot_id": 99, "tokens": 25}]' """
        f"where {ME} and seq = {SPENT_LAST}",
    ],
    # In give_away: Ada and Bob had a welcome, Ada a code twice, and Bob, brought by her, has bought.
    "check_campaigns": [
        "update credits.campaigns set grants = grants + 1 where campaign_id = 'gift'",
        "update credits.campaigns set grants = 1, budget = 1 where campaign_id = 'gift'",
        "update credits.redemptions set number = 3 where campaign_id = 'gift' and number = 2",
        "update credits.redemptions set number = 2 where campaign_id = 'hello'",
        "update credits.redemptions set campaign_id = 'hello' where campaign_id = 'gift' and number = 2",
        "delete from credits.redemptions where campaign_id = 'gift' and number = 2",
        "delete from credits.redemptions where campaign_id = 'friends' and number = 0",
        "insert into credits.redemptions (account_id, campaign_id, number, lot_id, redeemed_at)"
        " select account_id, 'friends', 0, lot_id, redeemed_at from credits.redemptions"
        " where campaign_id = 'gift' and number = 2",
        "update credits.campaigns set per_account = 1 where campaign_id = 'gift'",
        "update credits.entries set kind = 'grant' where campaign_id = 'gift'",
        "delete from credits.entries where campaign_id = 'friends'",
        "update credits.entries set campaign_id = null where campaign_id = 'friends'",
        "update credits.entries set campaign_id = 'hello' where campaign_id = 'gift'",
        "update credits.entries set campaign_id = 'gone' where campaign_id = 'gift'",
        # A grant of a service's, and a purchase, that say that a campaign made them.
        "update credits.entries set campaign_id = 'gift' where kind = 'promo' and campaign_id is null",
        "update credits.entries set campaign_id = 'gift' where kind = 'purchase'",
        "update credits.lots set source = 'grant' where package_name = 'Gift' and order_id is null",
        # Granted, but not counted; a second welcome of one account.
        "select credits.book_gift(r.account_id, c, 2, 1, null, r.redeemed_at) from credits.campaigns as c"
        " join credits.redemptions as r using (campaign_id) where c.campaign_id = 'hello' limit 1",
        "update credits.referrals set state = 'pending', settled_at = null",
        "update credits.referrals set state = 'capped' where state = 'paid'",
        "update credits.referrals set referrer_id = gen_random_uuid()",
        "delete from credits.referrals",
        "delete from credits.orders where package_name = 'Basique'",
        "insert into credits.referrals (account_id, referrer_id, campaign_id, code, created_at)"
        " select referrer_id, account_id, campaign_id, code, created_at from credits.referrals",
    ],
    "check_draws": [
        f"""update credits.entries set draws = '[]' where {ME} and seq = {SPENT_FIRST}""",
        f"""update credits.entries set draws = draws || '[{{"lot_id": 3, "tokens": 1}}]'"""
        f" where {ME} and seq = {SPENT_FIRST}",
        """update credits.entries set draws = '[{"lot_id": 4, "tokens": 26}, {"lot_id": 3, "tokens": -1}]'"""
        f" where {ME} and seq = {SPENT_FIRST}",
        f"update credits.entries set tokens = tokens - 1 where {ME} and seq = {SPENT_FIRST}",
        f"update credits.entries set debt_after = debt_after + 1 where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set debt_after = 1 where {HOLDER} and seq = {REPAID}",
        f"update credits.entries set draws = '[]' where {HOLDER} and seq = {REPAID}",
        f"update credits.entries set draws = '[]' where {HOLDER} and seq = {CAPTURED}",
    ],
    "check_due": [
        "update credits.releases set released_at = now() - interval '25 hours'; update credits.wallets"
        f" set due_at = now() - interval '25 hours' where {ME}",
        f"update credits.wallets set due_at = 'infinity' where {HOLDER}",
    ],
    "check_negative": [
        f"update credits.wallets set balance = -0.000001 where {ME}",
        f"update credits.wallets set held = balance + 1 where {ME}",
        f"update credits.entries set balance_after = -1 where {ME} and seq = {SPENT_FIRST}",
    ],
    "check_orders": [
        f"delete from credits.lots where {ME} and source = 'purchase'",
        f"delete from credits.lots where {ME} and source = 'bonus'",
        f"update credits.lots set granted = granted + 1 where {ME} and source = 'bonus'",
        f"update credits.lots set order_id = null where {ME} and source = 'purchase'",
        f"update credits.orders set tokens = tokens + 1 where {ME}",
        f"update credits.orders set bonus_tokens = 0 where {ME} and state = 'paid'",
        f"update credits.orders set state = 'pending', paid_at = null where {ME} and state = 'paid'",
        "update credits.orders set state = 'paid', paid_at = created_at, paid = amount"
        f" where {ME} and state = 'pending'",
        f"update credits.lots set source = 'grant' where {ME} and source = 'purchase'",
        f"delete from credits.orders where {ME} and state = 'paid'",
        # The price differs from what was paid.
        f"update credits.lots set unit_cost = 0 where {ME} and source = 'purchase'",
        f"update credits.lots set unit_cost = 1 where {ME} and source = 'bonus'",
        "update credits.stripe_events set payload = jsonb_set(payload, '{data,object,total_details}',"
        f" '{{\"amount_discount\": 1}}') where {ME} and outcome = 'granted'",
        # The event says something else, or cannot be read.
        *(
            f"update credits.stripe_events set payload = {payload} where {ME} and outcome = 'granted'"
            for payload in (
                "jsonb_set(payload, '{data,object,amount_total}', '1')",
                "jsonb_set(payload, '{data,object,amount_total}', '\"999\"')",
                "jsonb_set(payload, '{data,object,total_details}', '{\"amount_discount\": \"0\"}')",
                "jsonb_set(payload, '{data,object,total_details}', '{\"amount_discount\": -1}')",
                "jsonb_set(payload, '{data,object,total_details}', '{\"amount_shipping\": 1}')",
                "jsonb_set(payload, '{data,object,payment_status}', '\"no_payment_required\"')",
            )
        ),
        # Finance would count money that nobody paid, or money of another currency.
        f"update credits.orders set paid = paid * 10 where {ME} and state = 'paid'",
        f"update credits.orders set currency = 'usd' where {ME};"
        f" update credits.lots set currency = 'usd' where {ME}",
        "update credits.stripe_events set payload = payload #- '{data,object,currency}'"
        f" where {ME} and outcome = 'granted'",
        f"update credits.orders set paid = paid * 10 where {SUBSCRIBER}",
        f"update credits.orders set currency = 'usd' where {SUBSCRIBER}",
        # Bound to a module that was not ordered.
        f"update credits.lots set scope = 'module:whisper' where {ME} and source = 'purchase'",
        # A second grant of one order, properly booked under another name.
        "select credits.grant_lot(account_id, 'promo', 100, p_order_id => order_id)"
        f" from credits.orders where {ME} and state = 'paid'",
    ],
    "check_events": [
        f"update credits.stripe_events set outcome = null where {ME}",
        f"update credits.orders set state = 'failed', paid_at = null where {ME} and state = 'paid'",
        f"update credits.stripe_events set outcome = 'stored', order_id = null where {ME}",
        f"update credits.orders set checkout_session_id = 'cs_other' where {ME} and state = 'paid'",
        f"update credits.stripe_events set object_id = 'cs_other' where {ME} and outcome = 'granted'",
        *(
            f"update credits.stripe_events set outcome = '{outcome}' where {ME} and outcome = 'granted'"
            for outcome in ("processing", "failed", "expired")
        ),
        "update credits.stripe_events set type = 'checkout.session.expired'"
        f" where {ME} and outcome = 'granted'",
        *(
            f"update credits.stripe_events set payload = {payload} where {ME} and outcome = 'granted'"
            for payload in (
                "jsonb_set(payload, '{data,object,payment_status}', 'null')",
                "jsonb_set(payload, '{data,object,payment_status}', '\"unpaid\"')",
                "payload #- '{data,object,payment_status}'",
            )
        ),
    ],
    "check_keys": [
        *(
            f"update credits.idempotency_keys set {change} where {ME} and operation = '{operation}'"
            for operation, change in (
                # Keys that lead to nothing.
                ("consume_tokens", "entry_seq = 99"),
                ("consume_tokens", "entry_seq = null"),
                ("add_tokens", "entry_seq = 99"),
                ("add_tokens", "entry_seq = null"),
                ("add_tokens", "operation = 'redeem_code', entry_seq = 99"),
                ("create_order", "made_id = gen_random_uuid()"),
                ("create_order", "made_id = null"),
                ("create_order", "entry_seq = 99"),
                ("report_failure", "made_id = gen_random_uuid()"),
                ("report_failure", "made_id = null"),
                # Keys that lead to something which such a call does not make.
                ("consume_tokens", f"entry_seq = {GRANTED}"),
                ("add_tokens", f"entry_seq = {SPENT_FIRST}"),
                ("add_tokens", f"entry_seq = {EXPIRED}"),
                ("add_tokens", f"operation = 'redeem_code', entry_seq = {SPENT_FIRST}"),
                ("add_tokens", f"operation = 'refund_usage', entry_seq = {SPENT_FIRST}"),
                # Nobody could tell a repeat from another call.
                ("add_tokens", "fingerprint = null"),
                ("create_order", "fingerprint = null"),
                ("report_failure", "fingerprint = null"),
            )
        ),
        *(
            f"update credits.idempotency_keys set {change} where {HOLDER} and operation = '{operation}'"
            for operation, change in (
                ("hold_tokens", "made_id = gen_random_uuid()"),
                ("hold_tokens", "made_id = null"),
                ("release_hold", "made_id = gen_random_uuid()"),
                ("capture_hold", "entry_seq = 99"),
                ("capture_hold", "entry_seq = null"),
                ("capture_hold", "made_id = null"),
                ("capture_hold", f"entry_seq = {REPAID}"),
                # The capture of another hold.
                ("capture_hold", f"entry_seq = {CAPTURED_LATE}"),
                ("capture_hold", "operation = 'consume_tokens', made_id = null"),
            )
        ),
        "insert into credits.idempotency_keys"
        " (account_id, operation, key, fingerprint, entry_seq, created_at)"
        f" select account_id, 'refund_usage', 'k', '', 99, now() from credits.wallets where {ME}",
    ],
    "check_heads": [
        f"update credits.notice_levels set below = 70 where {ME}",
        "insert into credits.spend_limits select account_id, 'user', 'day', lifetime_spent,"
        f" clock_timestamp(), 0 from credits.wallets where {ME}",
        # A permit beyond the limit or the lot, and for a lot that is not next or does not exist.
        f"update credits.wallets set head_permit = head_permit + 0.000001 where {ME}",
        f"update credits.wallets set head_permit = 1000 where {ME}",
        f"update credits.spend_limits set tokens = 101 where {ME}",
        f"update credits.lots set frozen = true where {ME} and lot_id = {BOUGHT}",
        f"update credits.lots set priority = 1 where {ME} and lot_id = {EXTRA}",
        f"update credits.wallets set head_lot = {EXTRA} where {ME}",
        f"update credits.wallets set head_lot = {BONUS} where {ME}",
        f"update credits.wallets set head_lot = 99 where {ME}",
        f"update credits.wallets set head_lot = null where {ME}",
        # Some modules would take from another lot, or there is too much debt.
        f"update credits.lots set scope = 'module:whisper', priority = 1 where {ME} and lot_id = {EXTRA}",
        f"update credits.wallets set debt = 1 where {ME}",
        # The wallet says that freed tokens have no other effect, but they have.
        f"update credits.lots set expires_at = '2099-01-01' where {HOLDER} and source = 'purchase'",
        f"update credits.notice_levels set low_armed = false where {HOLDER}",
        "insert into credits.notice_rules (kind) values ('depleted') on conflict do nothing;"
        f" update credits.notice_levels set depleted_armed = false where {HOLDER}",
        "insert into credits.notice_levels (account_id, below, low_armed)"
        f" select account_id, 10000, true from credits.wallets where {HOLDER}"
        " on conflict (account_id) do update set below = excluded.below, low_armed = true",
    ],
    "check_limits": [
        f"update credits.spend_limits set spent_before = spent_before - 1 where {ME}",
        f"insert into credits.charge_refunds select account_id, {SPENT_LAST}, 1"
        f" from credits.wallets where {ME}",
        f"delete from credits.entries where {ME} and seq = {SPENT_LAST}",
    ],
    "check_logins": [
        # The role was replaced, does not exist yet, or no longer exists.
        "insert into credits.sql_logins (login, account_id)"
        " select 'pgcredits_auditor', account_id from credits.wallets"
        f" where {ME}; update credits.sql_logins set role_oid = 10",
        "insert into credits.sql_logins (login, account_id)"
        f" select 'nobody yet', account_id from credits.wallets where {ME}",
        "update credits.analyst_grants set role_oid = null",
        "update credits.analyst_grants set login = 'somebody else'",
        "insert into credits.trusted_logins (login, roles, trusted_by, trusted_at)"
        " values ('nobody yet', '{authenticated}', 'me', now())",
        "insert into credits.trusted_logins (login, roles, trusted_by, trusted_at)"
        " values ('pgcredits_analyst', '{authenticated}', 'me', now())",
    ],
    "check_holds": [
        f"update credits.wallets set held = held + 1 where {HOLDER}",
        f"update credits.wallets set held = 0 where {HOLDER}",
        f"update credits.lots set held = held - 1 where {HOLDER} and held > 0",
        f"update credits.lots set held = 1 where {HOLDER} and held = 0",
        *(
            f"update credits.wallets set head_reserved = head_reserved {change} where {HOLDER}"
            for change in ("+ 1", "- 1", "+ 0.000001", "* 0", "* -1")
        ),
        # The permit counts it and the sums do not, or the other way round.
        f"update credits.wallets set head_reserved = head_reserved + 1, head_permit = head_permit - 1"
        f" where {HOLDER}",
        f"update credits.wallets set head_reserved = head_reserved - 1, head_permit = head_permit + 1"
        f" where {HOLDER}",
        f"update credits.wallets set head_reserved = 1, head_permit = head_permit - 1 where {ME}",
        # Held by the sums, and on the row of the lot as well.
        f"update credits.lots set held = 50 where {HOLDER} and held = 0 and source = 'purchase'",
        f"update credits.holds set held = held - 1 where {HOLDER} and state = 'open'",
        f"update credits.holds set held = 0, draws = '[]' where {HOLDER} and state = 'open'",
        f"update credits.holds set draws = '[]' where {HOLDER} and state = 'open'",
        """update credits.holds set draws = '[{"lot_id": 1, "tokens": 50}]' """
        f"where {HOLDER} and state = 'open'",
        f"update credits.holds set state = 'released', finished_at = created_at where {HOLDER}"
        " and state = 'open'",
        f"update credits.holds set state = 'open', finished_at = null where {HOLDER} and state = 'released'",
        f"update credits.holds set state = 'captured' where {HOLDER} and state = 'released'",
        f"update credits.holds set state = 'released' where {HOLDER} and state = 'captured'",
        f"update credits.holds set finished_at = created_at where {HOLDER} and state = 'open'",
        f"update credits.holds set finished_at = null where {HOLDER} and state = 'captured'",
        f"update credits.holds set tokens = tokens + 1 where {HOLDER} and state = 'open'",
        f"update credits.holds set captured = captured + 1 where {HOLDER} and state = 'captured'",
        f"update credits.holds set captured = captured + 1 where {HOLDER} and state = 'open'",
        f"update credits.holds set captured = 25 where {HOLDER} and state = 'released'",
        f"update credits.holds set seqs = '{{}}' where {HOLDER} and state = 'captured'",
        f"update credits.holds set late = not late where {HOLDER} and state = 'captured'",
        f"update credits.holds set late = not late where {HOLDER} and state = 'expired'",
        f"delete from credits.holds where {HOLDER} and state = 'captured'",
        f"delete from credits.holds where {HOLDER} and state = 'open'",
        f"update credits.entries set tokens = tokens - 1 where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set hold_id = null where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set hold_id = null, late = null where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set hold_id = gen_random_uuid() where {HOLDER} and seq = {CAPTURED}",
        "update credits.entries set hold_id = (select h.hold_id from credits.holds as h"
        f" where h.{HOLDER} and h.state = 'captured') where {HOLDER} and seq = {CAPTURED_LATE}",
        f"update credits.entries set kind = 'byok' where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set late = false where {HOLDER} and seq = {CAPTURED_LATE}",
        f"update credits.entries set late = null where {HOLDER} and seq = {CAPTURED_LATE}",
        f"update credits.entries set late = true where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set late = null where {HOLDER} and seq = {CAPTURED}",
        f"update credits.entries set late = false where {HOLDER} and seq = {REPAID}",
        f"update credits.entries set late = false where {ME} and seq = {SPENT_FIRST}",
        f"update credits.holds set first_draws = '[]' where {HOLDER} and state = 'captured'",
        f"update credits.holds set ttl = 0 where {HOLDER} and state = 'expired'",
        f"update credits.holds set ttl = 86401 where {HOLDER} and state = 'open'",
        f"update credits.holds set first_held = tokens - 1 where {HOLDER} and state = 'open'",
        f"delete from credits.entries where {HOLDER} and seq = {CAPTURED_LATE}",
    ],
    "check_money_returns": [
        f"update credits.money_returns set amount = amount + 1 where {ME}",
        f"update credits.money_returns set reversed_after = reversed_after + 1 where {ME}",
        f"update credits.money_returns set number = 2 where {ME}",
        f"delete from credits.money_returns where {ME}",
        f"update credits.orders set reversed = reversed + 1 where {ME} and reversed > 0",
    ],
    "check_finance_rollforward": [
        f"update credits.lots set unit_cost = unit_cost * 2 where {ME} and source = 'purchase'",
        f"update credits.lots set unit_cost = unit_cost + 0.001 where {ME} and source = 'purchase'",
        f"update credits.lots set unit_cost = 1, currency = 'eur' where {ME} and source = 'grant'",
        f"update credits.lots set currency = null where {ME} and source = 'purchase'",
        f"update credits.lots set remaining = remaining + 1 where {ME} and source = 'purchase'",
    ],
    "check_finance_months": [
        CLOSED + "update credits.closed_sums set sold_tokens = sold_tokens + 1",
        CLOSED + "update credits.closed_sums set closing = closing - 1",
        CLOSED + "delete from credits.closed_sums where source = 'purchase'",
        CLOSED + "update credits.closed_postings set debit = debit + 1",
        CLOSED + "delete from credits.closed_postings",
        CLOSED + "update credits.closed_months set root_hash = sha256('another')",
        CLOSED + "update credits.closed_months set entries = entries - 1",
        CLOSED + "update credits.entries set hash = sha256('another')",
        CLOSED + "delete from credits.entries where kind = 'purchase'",
    ],
    "check_finance_journal": [
        "delete from credits.entries where kind = 'purchase'",
        "update credits.orders set currency = 'usd' where state = 'paid'",
        "delete from credits.money_returns",
        "update credits.lots set order_id = null where source = 'purchase'",
    ],
    "check_shortfalls": [
        f"update credits.shortfalls set tokens = tokens + 1 where {HOLDER}",
        f"update credits.shortfalls set entry_seq = 1 where {HOLDER}",
        f"update credits.shortfalls set entry_seq = {CAPTURED_LATE} where {HOLDER}",
        f"update credits.shortfalls set entry_seq = 99 where {HOLDER}",
        f"update credits.shortfalls set hold_id = gen_random_uuid() where {HOLDER}",
        f"update credits.shortfalls set state = 'settled', closed_at = '2020-01-01' where {HOLDER}",
        f"update credits.holds set shortfall = 0 where {HOLDER} and shortfall > 0",
        f"delete from credits.shortfalls where {HOLDER}",
    ],
    "check_stripe": [
        SOLD + "update credits.stripe_mirror set amount = amount + 1",
        SOLD + "update credits.stripe_mirror set currency = 'usd'",
        SOLD + "update credits.stripe_mirror set status = 'open'",
        SOLD + "update credits.stripe_mirror set named_order = gen_random_uuid()",
        SOLD + "update credits.stripe_mirror set named_account = gen_random_uuid()",
        SOLD + f"delete from credits.stripe_objects where {ME};"
        f" update credits.orders set state = 'pending', paid_at = null where {ME} and state = 'paid'",
        SOLD + "insert into credits.stripe_mirror (object_id, kind, bucket, status, amount, currency,"
        " named_account, named_order, created_at, pulled_at, payload) select 'cs_second', kind, bucket,"
        " status, amount, currency, named_account, named_order, created_at, pulled_at, payload"
        " from credits.stripe_mirror",
        READ + f"select from credits.orders where {ME}",
        CHARGED,
        INVOICED,
        REFUNDED + f"select from credits.orders where {ME}",
        REFUNDED + BOOKED_BACK,
        REFUNDED + f"{BOOKED_BACK}; update credits.stripe_mirror set amount = 99",
        SOLD + READ + BOOKED_BACK,
        "insert into credits.stripe_mirror_events (event_id, bucket, type, livemode, created_at, pulled_at)"
        " values ('evt_missed', 0, 'refund.created', false, now() - interval '1 day', now())",
    ],
    # tests/sql/stripe_mirror/test_balance.py has the others.
    "check_stripe_balance": [
        READ
        + f"update credits.orders set payment_intent_id = 'pi_never_charged' where {ME} and state = 'paid'",
        READ + "insert into credits.stripe_mirror (object_id, kind, bucket, amount, currency, charge_id,"
        " created_at, pulled_at, payload) values ('txn_1', 'balance_transaction', 0, 500, 'eur', 'ch_1',"
        """ now() - interval '1 day', now(), '{"type": "charge"}')""",
    ],
    "check_webhooks": [
        TOLD + NOTICE,
        f"{TOLD}with notice as ({NOTICE} returning *)"
        " insert into credits.webhook_deliveries (account_id, notice_id, endpoint_id, due_at, created_at)"
        " select account_id, notice_id, endpoint_id, now() - interval '25 hours', now()"
        " from notice cross join credits.webhook_endpoints",
        TOLD + "update credits.webhook_endpoints set disabled_at = now(), disabled_reason = 'nobody knows'",
    ],
    "check_forgotten": [
        f"update credits.entries set digests = '{{}}' where {ME} and seq = {SPENT_LAST}",
        "insert into credits.forgotten_accounts (account_id, forgotten_at, gave_up, actor)"
        f" select account_id, now(), 0, 'me' from credits.wallets where {ME}",
        f'update credits.entries set digests = \'{{"tags": "x"}}\', tags = \'{{"a": "b"}}\''
        f" where {ME} and seq = {SPENT_LAST}",
        FORGOTTEN
        + "delete from credits.identities where "
        + ME
        + "; update credits.wallets set status = 'closed'"
        f" where {ME}; update credits.forgotten_accounts set finished_at = null where {ME}",
        FORGOTTEN
        + "delete from credits.identities where "
        + ME
        + "; update credits.wallets set status = 'closed'"
        " where "
        + ME
        + "; insert into credits.stripe_calls (account_id, kind, made_for, idempotency_key, params,"
        " state, due_at, created_at, ended_at)"
        f" select account_id, 'delete_customer', account_id, 'x', '{{}}', 'failed', now(), now(), now()"
        f" from credits.wallets where {ME}",
    ],
    "check_partitions": [
        "update credits.settings set test_clocks = false;"
        " do $$ begin execute format('alter table credits.entries detach partition credits.%I', to_char("
        "date_trunc('month', statement_timestamp() at time zone interval '0') + interval '1 month',"
        " '\"entries_\"YYYY_MM')); end $$",
        "drop trigger entries_are_never_truncated on credits.entries_default",
    ],
    "check_sessions": [
        SIGNED_IN + f"update credits.sign_in_sessions set ended_at = issued_at - interval '1 second',"
        f" ended_by = 'signed_out' from credits.refresh_tokens as t where t.{ME}",
        SIGNED_IN + f"update credits.sign_in_sessions set expires_at = began_at where {ME}",
        SIGNED_IN + f"update credits.sign_in_sessions set expires_at = '2200-01-01' where {ME}",
        SIGNED_IN + "insert into credits.password_changes (account_id, changed_at, actor)"
        f" select account_id, clock_timestamp(), 'me' from credits.wallets where {ME}",
    ],
    "check_tags": [
        f"update credits.entries set tags = '{{\"job\": 1}}' where {ME} and seq = {SPENT_FIRST}",
        f'update credits.entries set tags = \'{{"job": "1"}}\' where {ME} and seq = {GRANTED}',
        f"update credits.entries set tags = '{{\"job\": \"1\"}}' where {ME} and kind = 'refund'",
        f'update credits.entries set tags = \'{{"job": "1"}}\' where {HOLDER} and seq = {CAPTURED}',
        f"update credits.holds set tags = '{{}}' where {HOLDER} and state = 'open'",
    ],
    "check_api_keys": [
        KEYED + "update credits.api_keys set revoked_at = null where name = 'revoked'",
        KEYED + "update credits.api_keys set revoked_at = now() where name = 'made'",
        KEYED + "update credits.api_keys set expires_at = null where name = 'made'",
        KEYED + "update credits.api_keys set role = 'spender' where name = 'maker'",
        KEYED + "update credits.api_key_secrets set last_used_at = clock_timestamp() + interval '2 minutes'"
        " where key_id in (select key_id from credits.api_keys where name = 'revoked')",
        KEYED + "insert into credits.api_key_secrets (key_id, secret_hash, created_at, valid_until)"
        " select key_id, sha256('of a thief'), now(), '2099-01-01' from credits.api_keys"
        " where name = 'maker'",
        KEYED + "delete from credits.api_key_secrets",
        "insert into credits.api_keys (key_id, name, role, made_by, created_at)"
        " values ('0123456789abcdef', 'n', 'spender', 'me', now())",
    ],
    "check_charges": [
        "update credits.packs set amount = 10 where pack_id = 'standard'",
        "insert into credits.packs (pack_id, title, tokens, amount, currency)"
        " values ('shillings', 'P', 50, 5050, 'ugx')",
        "insert into credits.topups (currency, minimum, maximum, tokens_per_unit)"
        " values ('kwd', 1001, 2000, 1)",
    ],
    "check_prices": [
        "update credits.price_list set call_cost = call_cost + 1 where module_id = 'metube'",
        *(
            f"update credits.price_list set {change} where module_id = 'metube'"
            for change in (
                "numerator = numerator + 1",
                "denominator = denominator * 2",
                "dimension = 'pages'",
                "dimension = null, numerator = null, denominator = null",
            )
        ),
        # The price is no longer linear, but the list still says that it is.
        *(
            f"update credits.price_components set {change}"
            for change in ("whole_units = true", "free_quantity = 1", "minimum_charge = 1", "unit_size = 2")
        ),
        "update credits.price_list set price_id = (select max(p.price_id) from credits.prices as p)"
        " where module_id = 'metube'",
        "insert into credits.price_tiers (price_id, dimension, above, price_per_unit)"
        " select p.price_id, 'calls', 5, 1 from credits.prices as p limit 1",
        "insert into credits.price_components (price_id, dimension, price_per_unit, tiered)"
        " select p.price_id, 'pages', 1, true from credits.prices as p limit 1",
        "update credits.price_components set tiered = true",
        "update credits.price_list set valid_from = '-infinity' where module_id = 'metube'",
        "update credits.dimensions set parent = 'calls' where dimension = 'input_tokens'",
    ],
    # In take_back: an order of which half was refunded, and as much is being refunded.
    "check_reversals": [
        f"update credits.orders set reversed = reversed + 1 where {ME} and reversed > 0",
        f"update credits.orders set reversed = 0 where {ME} and reversed > 0",
        f"update credits.orders set reversal_pending = 0 where {ME} and reversal_pending > 0",
        f"update credits.orders set reversed_debt = reversed_debt + 1 where {ME} and reversed > 0",
        f"update credits.orders set disputed = true where {ME} and reversed > 0",
        f"update credits.orders set paid = paid * 2 where {ME} and reversed > 0",
        f"update credits.lots set reversed = reversed + 1 where {ME} and reversed > 0",
        f"update credits.lots set reversed = 1 where {ME} and source = 'grant'",
        f"update credits.lots set frozen = true where {ME} and reversed > 0",
        f"update credits.reversals set amount = amount + 1 where {ME}",
        f"update credits.reversals set status = 'failed' where {ME}",
        f"update credits.reversals set kind = 'dispute', withdrawals = 1, amount = 9 where {ME}",
        f"delete from credits.reversals where {ME}",
        f"update credits.entries set tokens = tokens - 1 where {ME} and kind = 'reversal'",
        f"update credits.entries set order_id = null where {ME} and kind = 'reversal'",
        f"update credits.entries set kind = 'adjustment' where {ME} and kind = 'reversal'",
        f"update credits.stripe_events set object_id = 're_9' where {ME} and type = 'refund.created'",
    ],
    # In undo: a charge of 25, of which 20 and then 3 went back; and another one, whole.
    "check_refund_requests": [
        f"update credits.refund_requests set amount = amount + 1 where {ME}",
        f"update credits.refund_requests set state = 'failed', ended_at = now() where {ME}",
        "update credits.refund_requests set state = 'refunded', refund_id = 're_1', ended_at = now()"
        f" where {ME} and state = 'open'",
        "update credits.refund_requests set state = 'open', ended_at = null"
        f" where {ME} and state = 'refunded'",
        f"update credits.reversals set status = 'dropped' where {ME} and status = 'requested'",
        f"update credits.reversals set amount = amount + 1 where {ME} and status = 'requested'",
        f"delete from credits.reversals where {ME} and status = 'requested'",
        f"update credits.refund_requests set amount = 10000 where {ME}",
        f"update credits.stripe_calls set state = 'done', ended_at = now() where {ME} and state = 'due'",
        f"update credits.stripe_calls set params = '{{\"amount\": 5}}' where {ME} and state = 'due'",
        f"delete from credits.stripe_calls where {ME} and kind = 'refund'",
        f"update credits.lots set withheld = 0 where {ME} and withheld > 0",
    ],
    "check_refunds": [
        f"update credits.charge_refunds set refunded = refunded + 1 where {ME}",
        f"update credits.charge_refunds set refunded = refunded - 1 where {ME}",
        f"update credits.charge_refunds set refund_seqs = '{{}}' where {ME}",
        f"update credits.charge_refunds set refund_seqs = refund_seqs || 99::bigint where {ME}",
        f"delete from credits.charge_refunds where {ME}",
        f"insert into credits.charge_refunds select account_id, {BOUGHT}, 1 from credits.wallets where {ME}",
        f"insert into credits.charge_refunds select account_id, 99, 1 from credits.wallets where {ME}",
        f"update credits.entries set refunds_seq = 99 where {ME} and kind = 'refund'",
        f"update credits.entries set refunds_seq = -1 where {ME} and kind = 'refund'",
        f"update credits.entries set refunds_seq = null where {ME} and kind = 'refund'",
        f"update credits.entries set refunds_seq = {BOUGHT} where {ME} and kind = 'refund'",
        f"update credits.entries set refunds_seq = {SPENT_LAST} where {ME} and refunds_seq = {SPENT_FIRST}",
        f"update credits.entries set refunds_seq = {SPENT_FIRST} where {ME} and seq = {SPENT_LAST}",
        f"update credits.entries set refunds_seq = {SPENT_FIRST} where {ME} and seq = {BONUS}",
        f"update credits.entries set tokens = tokens + 1 where {ME} and kind = 'refund'",
        f"update credits.entries set tokens = -1 where {ME} and seq = {SPENT_FIRST}",
        f"update credits.entries set seq = seq + 100 where {ME} and seq = {SPENT_FIRST}",
        f"delete from credits.entries where {ME} and kind = 'refund'",
        # Into another lot than the charge drew on, and more than it drew from that lot.
        f"""update credits.entries set draws = '[{{"lot_id": {EXTRA}, "tokens": 20}}]'"""
        f" where {ME} and kind = 'refund'",
        f"""update credits.entries set draws = '[{{"lot_id": {BOUGHT}, "tokens": 26}}]'"""
        f" where {ME} and kind = 'refund'",
        # More of a repayment was returned than it paid.
        f"with e as (update credits.entries set kind = 'repayment' where {ME} and seq = {BONUS} returning *)"
        " insert into credits.charge_refunds select account_id, seq, 61 from e",
    ],
    "check_subscriptions": [
        # A paid invoice that granted nothing.
        "update credits.subscription_invoices set order_id = null, plan_id = null, version = null,"
        " quantity = null, period_starts_at = null, period_ends_at = null"
        f" where {SUBSCRIBER} and invoice_id = 'in_told_2'",
        f"delete from credits.subscription_invoices where {SUBSCRIBER}",
        # More than the plan says.
        f"update credits.orders set tokens = tokens + 5 where {SUBSCRIBER}",
        f"update credits.subscription_invoices set quantity = 2 where {SUBSCRIBER} and order_id is not null",
        # More went over than was left, or than the cap.
        f"update credits.lots set granted = granted + 1 where {SUBSCRIBER} and source = 'rollover'",
        f"update credits.subscription_invoices set unused = unused + 1 where {SUBSCRIBER} and unused > 0",
        "update credits.plan_versions set rollover_cap = 1 where plan_id = 'told'",
        # Not as the newest event says.
        f"update credits.subscriptions set status = 'active' where {SUBSCRIBER}",
        "insert into credits.subscriptions (account_id, subscription_id, status, created_at)"
        " select a.account_id, 'sub_told', 'active', clock_timestamp() from credits.accounts as a"
        " where a.account_id <> %(subscriber)s limit 1",
        # The free plan gave too much, or twice.
        f"update credits.lots set granted = granted + 1 where {SUBSCRIBER} and order_id is null",
        "insert into credits.free_periods (account_id, period_starts_at, period_ends_at, anchor_at, plan_id,"
        " version) select f.account_id, f.period_starts_at + interval '1 day', f.period_ends_at, f.anchor_at,"
        f" f.plan_id, f.version from credits.free_periods as f where f.{SUBSCRIBER}",
    ],
    "check_release": [
        "create function credits.extra() returns integer language sql return 1",
        "create function api.quote_tokens(extra text) returns integer language sql return 1",
        "drop function credits.allow_test_clocks(boolean)",
        "alter function credits.me() volatile",
        "alter function credits.me() owner to current_user",
        "create view api.extra as select 1 as one",
        "drop view api.packs",
        "alter view audit.check_negative set (security_invoker = false)",
        "create table credits.extra (a integer)",
        "create sequence audit.extra",
        "alter table credits.wallets add column extra integer",
        "alter table credits.wallets no force row level security",
        "alter table credits.lots add constraint extra check (true)",
        "create index extra on credits.orders (created_at)",
        "create type api.extra as (a integer)",
        "alter domain credits.tokens drop constraint tokens_are_finite",
        "alter table credits.entries disable trigger entries_are_never_changed",
        "drop trigger prices_are_listed on credits.prices",
        "create trigger extra before insert on credits.lots for each row"
        " execute function credits.refuse_change()",
        "drop policy own_rows on credits.lots",
        "alter policy own_rows on credits.lots using (true)",
        "create policy extra on credits.lots for select to authenticated using (true)",
        "create rule extra as on insert to credits.outbox do instead nothing",
        "grant select on credits.entries to anon",
        "grant select (tokens) on credits.entries to public",
        "grant execute on function credits.write_entry to public",
        "grant usage on schema audit to analyst",
        "revoke select on api.packs from anon",
        # Objects that no file of the bank makes.
        *OTHERS,
        "create sequence api.extra",
        "create domain credits.extra as text",
        "create foreign data wrapper files; create server files foreign data wrapper files;"
        " create foreign table audit.extra (line text) server files",
        "create publication extra for table credits.entries",
        "create publication extra for all tables",
        "create publication extra for tables in schema credits",
        "create function public.extra() returns event_trigger language plpgsql as 'begin end';"
        " create event trigger extra on ddl_command_end execute function public.extra()",
        "create statistics public.extra on kind, module_id from credits.entries",
        "create cast (text as credits.entry_kind) with inout as assignment",
        "create table public.extra () inherits (credits.outbox)",
        "create table public.extra partition of credits.entries for values"
        " from ('1999-01-01Z') to ('1999-02-01Z')",
        "alter default privileges in schema credits grant select on tables to anon",
        "alter default privileges for role credits_owner grant execute on functions to public",
        "alter default privileges for role credits_owner grant select on tables to pgcredits_analyst",
        "create trigger extra before insert on credits.entries_default for each row"
        " execute function credits.refuse_change()",
        "update credits.releases set server = 9",
        "delete from credits.releases",
    ],
    "check_creators": [
        "grant create on schema public to public",
        "grant create on schema public to pgcredits_analyst",
        "do $$ begin create role neighbour; grant create on schema public to neighbour; end $$",
        *(
            f"do $$ begin execute format('grant create on database %I to {role}', current_database()); end $$"
            for role in ("public", "authenticated", "pgcredits_service")
        ),
        "grant create on schema yoyo to public",
        USER + "grant create on schema yoyo to carla",
        # An owner needs no grant.
        *(USER + f"alter schema {schema} owner to carla" for schema in ("public", "yoyo")),
        USER + in_this_database("alter database %I owner to carla"),
        USER + "alter table yoyo.applied_files owner to carla",
        USER + "create role staff; grant staff to carla; alter schema public owner to staff",
        in_this_database("alter database %I owner to authenticated"),
        "alter schema public owner to pgcredits_analyst",
    ],
    "check_settings": [
        "set local synchronous_commit = off",
        "set local synchronous_commit = local",
        *(
            f"alter role {role} set synchronous_commit = {value}"
            for role in ("pgcredits_service", "all")
            for value in ("off", "'OFF'", "false", "no", "0", "local")
        ),
        "do $$ begin execute format('alter database %I set synchronous_commit = off',"
        " current_database()); end $$",
        "do $$ begin execute format('alter role pgcredits_api in database %I set synchronous_commit = off',"
        " current_database()); end $$",
        f"update credits.wallets set test_clock = '2099-01-01' where {ME}",
        # Settings that a login can change for itself, and rights that nobody gave it.
        *(
            f"alter role {login} {change}"
            for login, change in (
                ("pgcredits_api", "set statement_timeout = 0"),
                ("pgcredits_api", "set statement_timeout = '1h'"),
                ("pgcredits_api", "reset lock_timeout"),
                ("pgcredits_api", "set search_path = public"),
                ("pgcredits_service", "set idle_in_transaction_session_timeout = 31000"),
                ("pgcredits_service", "set default_transaction_isolation = 'repeatable read'"),
                ("pgcredits_service", "set \"request.jwt.claims\" = '{}'"),
                ("pgcredits_service", "set row_security = off"),
                ("pgcredits_service", "set timezone = 'Pacific/Apia'"),
                ("pgcredits_analyst", "set default_transaction_read_only = off"),
                ("pgcredits_analyst", "reset all"),
                ("pgcredits_analyst", "connection limit -1"),
                ("pgcredits_auditor", "set statement_timeout = '2d'"),
            )
        ),
        "do $$ begin execute format('alter role pgcredits_api in database %I set statement_timeout = 0',"
        " current_database()); end $$",
        "create role person login connection limit 3 in role authenticated",
        "create role person login connection limit 3 in role analyst;"
        " alter role person set statement_timeout = '5min'",
        "create role person login in role auditor; alter role person set statement_timeout = '5min';"
        " alter role person set idle_in_transaction_session_timeout = '60s'",
        "create role app login in role spender; alter role app set statement_timeout = '30s';"
        " alter role app set idle_in_transaction_session_timeout = '30s'",
        "create role staff in role analyst; create role person login connection limit 3 in role staff",
        # A bound that bounds nothing.
        *(USER + f"alter role carla {change}" for change in ("connection limit 1000", "connection limit 11")),
        *(
            USER + f"alter role carla set {name} = '{value}'"
            for name, value in (
                ("statement_timeout", "20d"),
                ("idle_in_transaction_session_timeout", "1d"),
                ("lock_timeout", "0"),
                ("idle_session_timeout", "0"),
            )
        ),
        BACKEND + "alter role carla connection limit 1000",
        "alter role pgcredits_auditor connection limit 1000",
        # Settings with which a login's sessions begin.
        *(
            USER + f"alter role carla set {name} = {value}"
            for name, value in (
                ("search_path", "public"),
                ("row_security", "off"),
                ("default_transaction_isolation", "'repeatable read'"),
                ("timezone", "'Pacific/Apia'"),
                ("role", "authenticated"),
                ("session_replication_role", "replica"),
                ("log_statement", "none"),
                ("log_min_error_statement", "panic"),
                ("track_activities", "off"),
                ("local_preload_libraries", "''"),
                ('"request.jwt.claims"', "'{}'"),
            )
        ),
        ANALYST + "alter role carla set default_transaction_read_only = off",
        USER + "alter role carla noinherit; alter role carla set row_security = off",
        BACKEND + "alter role carla set row_security = off",
        BACKEND + "alter role carla set lock_timeout = 0",
        USER + in_this_database("alter role carla in database %I set search_path = public"),
        USER + in_this_database("alter role all in database %I set lock_timeout = 0"),
        USER + in_this_database("alter database %I set lock_timeout = 0"),
        USER + "alter role all set lock_timeout = 0",
    ],
    "check_topups": [
        # An attempt, its order and its call.
        f"update credits.topup_attempts set state = 'failed' where {TOPPED}",
        f"update credits.topup_attempts set state = 'declined', ended_at = now() where {IN_FLIGHT}",
        f"update credits.topup_attempts set state = 'succeeded', ended_at = now() where {IN_FLIGHT}",
        f"update credits.topup_attempts set amount = amount + 1 where {IN_FLIGHT}",
        f"update credits.topup_attempts set currency = 'usd' where {IN_FLIGHT}",
        f"delete from credits.topup_attempts where {TOPPED}",
        f"update credits.orders set kind = 'checkout' where {ME} and state = 'processing'",
        f"update credits.orders set amount = 1 where {ME} and state = 'processing'",
        f"update credits.orders set state = 'expired' where {ME} and state = 'processing'",
        f"update credits.stripe_calls set state = 'canceled', ended_at = now() where {ME} and tries = 0",
        f"update credits.stripe_calls set params = '{{}}' where {ME} and tries = 0",
        f"delete from credits.stripe_calls where {ME} and tries = 0",
        # Two in flight.
        "drop index credits.topup_attempts_one_in_flight;"
        f" update credits.topup_attempts set state = 'open', ended_at = null where {TOPPED}",
        # What the user agreed to.
        f"update credits.topup_consents set kind = 'card', payment_method_id = 'pm', words = null,"
        " threshold = null, tokens = null, amount = null, currency = null, monthly_limit = null,"
        f" agreed_id = gen_random_uuid() where {ME}",
        f"update credits.topup_consents set amount = amount - 1 where {ME}",
        f"update credits.topup_consents set currency = 'usd' where {ME}",
        f"update credits.topup_consents set decided_at = now() + interval '1 day' where {ME}",
        "insert into credits.topup_consents (account_id, kind, agreed_id, actor, decided_at)"
        " select account_id, 'withdrawal', consent_id, 'x', now() - interval '1 day'"
        f" from credits.topup_consents where {ME}",
        # The limit of the month.
        f"update credits.topup_consents set monthly_limit = 999 where {ME}",
    ],
}


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@contextmanager
def told(till: Connection) -> Iterator[tuple[Caller, UUID]]:
    """The superuser and an account with a whole story, in a transaction that is rolled back."""
    try:
        till.execute("begin")
        bank = Caller(till, "none")
        bank.rows("select credits.define_pack('gift', 'Gift', 100, 500, 'eur', p_bonus_tokens => 60)")
        bank.rows("select credits.define_guest_limits('iahome', 2, 3)")
        account = tell_a_story(bank)
        yield bank, account
    finally:
        till.rollback()


def tell_a_story(bank: Caller) -> UUID:
    """1 a grant, 2 its expiry, 3 and 4 a purchase with a bonus, 5 another grant, 6 to 9 spends."""
    bank.call(
        "add_tokens",
        user_id="told",
        tokens=40,
        reason="welcome",
        expires_at="2099-01-01 00:00Z",
        idempotency_key="k",
    )
    account: UUID = bank.row("select account_id from credits.identities where subject = 'told'")["account_id"]
    bank.row(
        "with aged as (update credits.lots set expires_at = clock_timestamp() where account_id = %(a)s)"
        " update credits.wallets set due_at = clock_timestamp() where account_id = %(a)s returning 1",
        {"a": account},
    )
    order = attached(bank, bank.call("create_order", pack_id="gift", user_id="told", idempotency_key="k"))
    bank.call("create_order", pack_id="basique", user_id="told")
    bank.call("report_failure", module_id="whisper", user_id="told", idempotency_key="k")
    paid = bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))
    assert paid["outcome"] == "granted"
    bank.call("add_tokens", user_id="told", tokens=30, priority=90)
    bank.call("set_spend_limit", user_id="told", period="month", tokens=1000)
    for number in range(4):
        bank.call(
            "consume_tokens",
            module_id="whisper",
            user_id="told",
            idempotency_key=f"k{number}",
            metadata={"job": number},
        )
    for number in range(3):  # by a guest, the first of them for nothing
        use = bank.call("guest_consume", module_id="whisper", device_keys=["a" * 64], network_keys=["b" * 64])
        if not number:
            bank.call("release_guest_use", use_id=use["use_id"])
    kinds = [
        row["kind"] for row in bank.rows("select kind from api.entries where user_id = 'told' order by seq")
    ]
    assert kinds == ["welcome", "expire", "purchase", "bonus", "grant", "spend", "spend", "spend", "spend"]
    wallet = bank.row(
        "select head_lot, head_permit, head_taken, head_reserved, head_quiet from credits.wallets"
        " where account_id = %s",
        (account,),
    )
    # The last spend stayed within the permit that the one before it was given.
    assert wallet == {
        "head_lot": BOUGHT,
        "head_permit": 60,
        "head_taken": 25,
        "head_reserved": 0,
        "head_quiet": True,
    }
    return account


def tell_of_holds(bank: Caller) -> UUID:
    """Holds in every state, some of them made while in debt: see HOLDER."""

    def hold(**arguments: object) -> str:
        return str(bank.call("hold_tokens", module_id="whisper", user_id="holder", **arguments)["hold_id"])

    bank.call("add_tokens", user_id="holder", tokens=60)
    bank.call("set_overdraft_limit", user_id="holder", tokens=10)
    captured = bank.call(
        "capture_hold", hold_id=hold(idempotency_key="k"), usage={"calls": 4}, idempotency_key="k"
    )
    assert (captured["paid"], captured["debt"], captured["shortfall"]) == (70, 10, 30)
    bank.call("add_tokens", user_id="holder", tokens=200, reason="purchase")
    late = hold(ttl="1 microsecond")
    assert bank.call("capture_hold", hold_id=late)["late"] is True
    bank.call("release_hold", hold_id=hold(), idempotency_key="k")
    bank.call("add_tokens", user_id="holder", tokens=25, expires_at="2099-01-01 00:00Z")
    hold()
    hold(usage={"calls": 2})
    states = bank.rows("select state from api.holds where user_id = 'holder' order by created_at")
    assert [row["state"] for row in states] == ["captured", "expired", "released", "open", "open"]
    account = UUID(captured["hold_id"].split(":")[0])
    on_rows = bank.rows(
        "select source, held from credits.lots where account_id = %s and held > 0", (account,)
    )
    assert on_rows == [{"source": "grant", "held": 25}]
    wallet = bank.row(
        "select head_permit > 0 as permit, head_reserved, head_quiet from credits.wallets"
        " where account_id = %s",
        (account,),
    )
    assert wallet == {"permit": True, "head_reserved": 50, "head_quiet": True}
    return account


def tell_of_topups(bank: Caller) -> UUID:
    """An account whose card was charged once, with another charge in flight."""
    call = first_charge(bank, "topped")
    assert tell(bank, "payment_intent.succeeded", intent(call)) == "granted"
    for _ in range(10):
        bank.call("consume_tokens", user_id="topped", module_id="metube")
    return UUID(call["account_id"])


def tell_of_requests(bank: Caller) -> UUID:
    """An account with a refund that Stripe has made, and one that it was asked for."""
    order = paid_order(bank, "payer")
    bank.call("request_refund", user_id="payer", order_id=order["order_id"], amount=1000)
    (call,) = claim(bank)
    made = {
        "id": "re_1",
        "object": "refund",
        "amount": 1000,
        "currency": "eur",
        "payment_intent": call["params"]["payment_intent"],
        "metadata": call["params"]["metadata"],
        "status": "succeeded",
    }
    assert tell(bank, "refund.created", made) == "applied"
    report(bank, call, {"object": made})
    bank.call("request_refund", user_id="payer", order_id=order["order_id"], amount=500)
    return UUID(str(order["account_id"]))


def tell_of_plans(bank: Caller) -> UUID:
    """A subscription of two periods, the first of which is over; then the free plan: see SUBSCRIBER."""
    bank.rows("select credits.define_plan('free', 'Free', 5)")
    bank.rows(
        "select credits.define_plan('told', 'Told', 1000, 900, 'eur', p_rollover_percent => 50,"
        " p_rollover_cap => 400, p_stripe_price_id => 'price_told')"
    )
    account = open_account(bank, "subscriber")
    bank.call("attach_customer", account_id=account, customer_id="cus_told")
    now = datetime.now(UTC).replace(microsecond=0)
    days = [now + timedelta(number) for number in (-40, -10, 20)]
    named = ("sub_told", "cus_told")
    for number in (1, 2):
        paid = invoice_line("price_told", 900, days[number - 1], days[number])
        of = invoice(f"in_told_{number}", *named, [paid], "create" if number == 1 else "cycle")
        assert bank.call("apply_stripe_event", event=at(PAID, of, days[number - 1]))["outcome"] == "granted"
    of = subscription(*named, "price_told", days[1], days[2])
    for kind, state in ((CREATED, "active"), (DELETED, "canceled")):
        bank.call("apply_stripe_event", event=at(kind, of | {"status": state}, days[1]))
    bank.call("start_free_plan", user_id="subscriber")
    assert bank.row("select balance from api.balance where user_id = 'subscriber'")["balance"] == 1405
    return account


def undo(bank: Caller, account: UUID) -> None:
    """Refunds of two charges: one in two parts, one whole."""
    refund = partial(bank.call, "refund_usage", entry_id=f"{account}:{SPENT_FIRST}")
    refund(tokens=20)
    refund(tokens=3, idempotency_key="k")
    bank.call("refund_usage", entry_id=f"{account}:{SPENT_LAST}")


def take_back(bank: Caller, account: UUID) -> None:
    """Half of an order is refunded, and a quarter is being refunded."""
    order = bank.row(
        "select checkout_session_id, amount, order_id, currency, payment_intent_id from credits.orders"
        " where account_id = %s and state = 'paid'",
        (account,),
    )
    for number, status in enumerate(("succeeded", "pending")):
        refund = {
            "id": f"re_{number}",
            "object": "refund",
            "amount": order["amount"] // (2 + 2 * number),
            "currency": order["currency"],
            "payment_intent": order["payment_intent_id"],
            "status": status,
        }
        assert bank.call("apply_stripe_event", event=event("refund.created", refund))["outcome"] == "applied"


def give_away(bank: Caller) -> None:
    """Two accounts that have received every kind of gift."""
    for line in (
        "define_campaign('hello', 'welcome', 'Hello', 5)",
        "define_campaign('gift', 'promo', 'Gift', 7, p_per_account => 2, p_budget => 9)",
        "define_code('gift', 'gift')",
        "define_campaign('friends', 'referral', 'Friends', 30, 20)",
    ):
        bank.rows(f"select credits.{line}")
    for _ in range(2):
        bank.call("redeem_code", code="gift", user_id="Ada")
    code = bank.call("referral_code", user_id="Ada")["code"]
    bank.call("open_account", user_id="Bob", referral_code=code)
    order = attached(bank, bank.call("create_order", pack_id="basique", user_id="Bob"))
    bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))
    # A service may name its grants freely.
    for name in ("gift", "hello"):
        bank.call("add_tokens", user_id="Ada", tokens=1, reason="promo", package_name=name)
    balances = bank.rows("select balance from api.balance where user_id in ('Ada', 'Bob') order by user_id")
    assert [row["balance"] for row in balances] == [5 + 2 * 7 + 30 + 2, 5 + 100 + 20]


def found(bank: Caller, check: str, account: UUID | None, united: bool = False) -> list[Row]:
    """The findings about the account, or no account, as the auditor sees them; `united`: in findings."""
    connection = bank.connection
    connection.execute("set local role auditor")
    with connection.cursor(row_factory=dict_row) as cursor:
        source = f"findings where check_name = '{check}' and" if united else f"{check} where"
        query = f"select * from audit.{source} account_id is not distinct from %s"
        rows = cursor.execute(query, (account,)).fetchall()
    connection.execute("reset role")
    return rows


def test_every_check_has_seeded_faults(admin: Connection) -> None:
    names = admin.execute(
        "select relname from pg_class where relnamespace = 'audit'::regnamespace and relname like 'check%'"
    ).fetchall()
    assert {name for (name,) in names} == set(FAULTS) == set(CHECKS)


def test_every_check_says_what_a_row_means_and_what_to_do(admin: Connection) -> None:
    """docs/reference.md and `pgcredits audit` show it. A function that it names exists."""
    comments = admin.execute(
        "select relname, obj_description(oid, 'pg_class') from pg_class"
        " where relnamespace = 'audit'::regnamespace and relname like 'check%'"
    ).fetchall()
    known = {
        name
        for (name,) in admin.execute(
            "select pronamespace::regnamespace || '.' || proname from pg_proc union"
            " select relnamespace::regnamespace || '.' || relname from pg_class"
        ).fetchall()
    }
    for name, comment in comments:
        rule, means, action = comment.split("\n\n")
        assert rule.endswith("."), name
        assert re.match(r"A row means: \w.*\.$", means, re.S), name
        assert re.match(r"What to do: .*\.$", action, re.S), name
        for function in re.findall(r"\b(?:api|credits)\.\w+", means + action):
            assert function in known, f"{name} names {function}"


def test_sound_books_have_no_findings(till: Connection) -> None:
    with told(till) as (bank, account):
        assert found(bank, "findings", account) == found(bank, "findings", None) == []
        tell_of_holds(bank)
        tell_of_plans(bank)
        give_away(bank)
        undo(bank, account)
        take_back(bank, account)
        assert bank.rows("select * from audit.findings") == []


@pytest.mark.parametrize(
    "made",
    [
        USER,
        ANALYST + "alter role carla set default_transaction_read_only = on; alter role carla set jit = off;"
        " alter role carla set work_mem = '64MB'; alter role carla set lock_timeout = '5s'",
        BACKEND + "alter role carla connection limit 20; alter role carla set search_path = app, public;"
        " alter role carla set timezone = 'Europe/Paris'",
        # Somebody who keeps the bank (pgcredits maintain --end-idle), and a program like PostgREST's login.
        CARLA.format(role="service_role, pg_signal_backend, pg_read_all_stats"),
        "create role gate login noinherit in role anon, authenticated;"
        " alter role gate set statement_timeout = '8s'; alter role gate set pgrst.db_schemas = 'api'",
        # Administrators: one who migrates without being a superuser, and an owner who is in no role.
        USER + "alter role carla createrole; grant credits_owner to carla; "
        "alter role carla connection limit -1; " + in_this_database("alter database %I owner to carla"),
        "create role landlord createrole; " + in_this_database("alter database %I owner to landlord"),
        "grant service_role to postgres",
    ],
)
def test_login_made_by_the_recipe_has_no_findings(made: str, till: Connection) -> None:
    with told(till) as (bank, _):
        till.execute(made)
        assert found(bank, "findings", None) == []


REPEATED = (pytest.mark.slow, pytest.mark.one_version)  # the check itself is asked with its first fault


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        pytest.param(
            check, fault, marks=() if fault == faults[0] else (pytest.mark.slow, pytest.mark.one_version)
        )
        for check, faults in FAULTS.items()
        for fault in faults
    ],
    ids=lambda text: re.sub(r"create role carla .* end \$\$; ", "carla: ", text)[:120],
)
def test_seeded_fault_is_found(
    check: str, fault: str, till: Connection, request: pytest.FixtureRequest
) -> None:
    if check == "check_release":  # it would also find that no trigger guards the tables
        with told(till) as (bank, account):
            _seed_and_find(check, fault, bank, account)
    else:
        bank, account = request.getfixturevalue("unguarded")
        with bank.connection.transaction(force_rollback=True):
            _seed_and_find(check, fault, bank, account)


@pytest.fixture(scope="module")
def unguarded(own_url: str) -> Iterator[tuple[Caller, UUID]]:
    """The same, in a transaction in which no trigger guards the tables. Each fault is rolled back."""
    with psycopg.connect(own_url) as connection, told(connection) as (bank, account):
        for table in (
            "campaigns",
            "charge_refunds",
            "closed_months",
            "closed_postings",
            "closed_sums",
            "entries",
            "topup_consents",
            "topup_attempts",
            "auto_topups",
            "holds",
            "lots",
            "money_returns",
            "orders",
            "price_components",
            "price_tiers",
            "redemptions",
            "referrals",
            "reversals",
            "shortfalls",
            "subscription_invoices",
            "subscriptions",
            "wallets",
        ):
            connection.execute(f"alter table credits.{table} disable trigger all")
        assert bank.rows("select * from audit.findings where check_name <> 'check_release'") == []
        yield bank, account


def _seed_and_find(check: str, fault: str, bank: Caller, account: UUID) -> None:
    if check == "check_campaigns":
        give_away(bank)
    elif check == "check_subscriptions" or "%(subscriber)s" in fault:
        account = tell_of_plans(bank)
    elif "%(holder)s" in fault:
        account = tell_of_holds(bank)
    elif check in ("check_refunds", "check_tags"):
        undo(bank, account)
    elif check == "check_topups":
        account = tell_of_topups(bank)
    elif check == "check_refund_requests":
        account = tell_of_requests(bank)
    elif check in ("check_reversals", "check_money_returns", "check_finance_journal"):
        take_back(bank, account)
    done = bank.connection.execute(re.sub(r"%\(\w+\)s", f"'{account}'", fault))
    assert done.rowcount != 0, "the fault was not seeded"
    nobodys = (
        "check_access",
        "check_charges",
        "check_creators",
        "check_finance_journal",
        "check_finance_months",
        "check_guests",
        "check_logins",
        "check_prices",
        "check_release",
        "check_roles",
        "check_settings",
        "check_stripe",
        "check_stripe_balance",
        "check_webhooks",
        "check_api_keys",
        "check_partitions",
    )
    of_nobody = check in nobodys and ME not in fault
    subject = None if of_nobody else account
    if check == "check_campaigns":
        (subject, *_) = [row["account_id"] for row in bank.rows(f"select account_id from audit.{check}")]
    findings = found(bank, check, subject)
    assert findings
    if fault == FAULTS[check][0]:
        assert {"check_name": check, **findings[0]} in found(bank, check, subject, united=True)


def test_account_without_a_wallet_or_with_strange_lots_is_found(till: Connection) -> None:
    with told(till) as (bank, account):
        till.execute("alter table credits.entries disable trigger all")
        till.execute("alter table credits.lots disable trigger all")
        stranger = open_account(bank, "stranger")
        till.execute("update credits.lots set account_id = %s where account_id = %s", (stranger, account))
        assert found(bank, "check_lots", account)
        assert found(bank, "check_lots", stranger)
        assert found(bank, "check_balance", stranger)


# Reports


def test_trial_balance_adds_up_to_zero(till: Connection) -> None:
    with told(till) as (bank, _):
        before = _trial(bank)
        bank.call("add_tokens", user_id="told", tokens=10, reason="promo")
        bank.call("consume_tokens", module_id="metube", user_id="told")
        bank.call("add_tokens", user_id="told", tokens=7, reason="purchase")
        after = _trial(bank)
        assert sum(before.values()) == sum(after.values()) == 0
        moved = {account: after[account] - before[account] for account in after}
        assert {account: tokens for account, tokens in moved.items() if tokens} == {
            "customers": 7,
            "promotions": -10,
            "usage": 10,
            "cash": -7,
        }
        assert before["breakage"] >= 40


def _trial(bank: Caller) -> dict[str, Decimal]:
    return {row["side"]: row["tokens"] for row in bank.rows("select * from audit.trial_balance")}


def test_only_money_for_a_person_is_parked(till: Connection) -> None:
    with told(till) as (bank, account):
        reported = "select event_id from audit.parked where event_id = any (%s)"
        order = attached(bank, bank.call("create_order", pack_id="basique", user_id="told"))
        wrong = event(COMPLETED, session(order, currency="usd"))
        stray = event(COMPLETED, session(order, client_reference_id=None))
        refund = event("charge.refunded", session(order))
        others = [
            event(COMPLETED, session(order, client_reference_id=None, payment_status="unpaid")),
            event("charge.updated", session(order)),
            event(
                COMPLETED,
                session(attached(bank, bank.call("create_order", pack_id="basique", user_id="told"))),
            ),
        ]
        for told_of in (wrong, stray, refund, *others):
            bank.call("apply_stripe_event", event=told_of)
        ids = [told_of["id"] for told_of in (wrong, stray, refund, *others)]
        assert {row["event_id"] for row in bank.rows(reported, (ids,))} == {
            wrong["id"],
            stray["id"],
            refund["id"],
        }
        row = bank.row("select * from audit.parked where event_id = %s", (wrong["id"],))
        assert (row["account_id"], row["order_id"], row["amount"], row["currency"]) == (
            account,
            order["order_id"],
            "999",
            "usd",
        )
        assert found(bank, "findings", account) == []


def test_money_functions_commit_durably_whatever_the_session_says(till: Connection, service_url: str) -> None:
    """The setting that the commit will use, seen inside the transaction of a spend."""
    for setting in ("off", "local"):
        with psycopg.connect(service_url) as connection:
            connection.execute(f"set synchronous_commit = {setting}")
            connection.execute("set local role service_role")
            connection.execute("select api.add_tokens('durable', 1::numeric)")
            assert connection.execute("show synchronous_commit").fetchone() == ("on",)
            connection.rollback()
    with psycopg.connect(service_url) as connection:
        connection.execute("set synchronous_commit = remote_write")
        connection.execute("set local role service_role")
        connection.execute("select api.add_tokens('durable', 1::numeric)")
        assert connection.execute("show synchronous_commit").fetchone() == ("remote_write",)
        connection.rollback()
