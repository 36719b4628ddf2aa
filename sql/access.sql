-- Who may do what: every grant and every policy. This file is loaded last, and starts by revoking everything.
--
--   anon            packs, plans, top-ups and modules
--   authenticated   own rows through the views of api; spend, quote, order for themselves
--   spender         what a backend needs to charge its users: charge, hold, quote and open accounts for anybody, and
--                   read their balances and holds. It grants no tokens, so a thief of this login cannot make any
--   support         every row through the views of api, and the reports on single accounts of audit; no other function
--   service_role    every row through the views of api; every function of api. A member of spender
--   analyst         the views of analytics, over the accounts that credits.analyst_grants names
--   accountant      the views of finance: the books in money, without personal data
--   auditor         everything but passwords, and the secrets of webhooks, API keys and sessions, to read
--   pgcredits_catalog   applies price lists: the words that define something, and no table
--   credits_owner   owns it all and cannot log in; the definer functions run as this role
--
-- Views are security_invoker, so their readers need a privilege and a policy on the tables below. But readers cannot
-- name those tables, because they have no usage of the schema credits. Functions run as their owner and check the
-- caller themselves.

-- 1. The database: our logins may connect. The rights of PUBLIC stay as they are, because the database may have other
-- users. harden_database.sql takes them away. The bookkeeping of migrations is for its owner alone, whatever default
-- privileges the owner has given on new tables.
do $database$
declare
    v_role text;
    v_given record;
begin
    foreach v_role in array array[
        'pgcredits_api', 'pgcredits_service', 'spender', 'support', 'service_role', 'analyst',
        'auditor', 'accountant', 'pgcredits_catalog'
    ] loop
        continue when has_database_privilege(v_role, current_database(), 'connect');
        execute format('grant connect on database %I to %I', current_database(), v_role);
    end loop;
    for v_given in
        select 'schema yoyo' as thing, a.grantee
        from pg_catalog.pg_namespace as n
        cross join lateral aclexplode(n.nspacl) as a
        where n.nspname = 'yoyo' and a.grantee <> n.nspowner and pg_has_role(current_user, n.nspowner, 'usage')
        union
        select format('table yoyo.%I', c.relname), a.grantee
        from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        cross join lateral aclexplode(c.relacl) as a
        where
            n.nspname = 'yoyo' and c.relkind = 'r' and a.grantee <> c.relowner
            and pg_has_role(current_user, c.relowner, 'usage')
    loop
        execute format(
            'revoke all on %s from %s', v_given.thing,
            case v_given.grantee when 0 then 'public' else v_given.grantee::regrole::text end
        );
    end loop;
end
$database$;
set local role credits_owner;

-- 2. Revoke everything.
revoke all on schema credits, api, analytics, finance, audit
from public, anon, authenticated, spender, support, service_role, analyst, auditor, accountant, pgcredits_catalog;
revoke all on all tables in schema credits, api, analytics, finance, audit
from public, anon, authenticated, spender, support, service_role, analyst, auditor, accountant, pgcredits_catalog;
revoke all on all sequences in schema credits
from public, anon, authenticated, spender, support, service_role, analyst, auditor, accountant, pgcredits_catalog;
revoke all on all functions in schema credits, api, analytics, finance, audit
from public, anon, authenticated, spender, support, service_role, analyst, auditor, accountant, pgcredits_catalog;
do $types$
begin
    execute format(
        'revoke usage on type %s from public, anon, authenticated, spender, support, service_role, analyst, auditor, '
        'accountant, pgcredits_catalog',
        (
            select string_agg(format('%I.%I', n.nspname, t.typname), ', ')
            from pg_catalog.pg_type as t
            join pg_catalog.pg_namespace as n on t.typnamespace = n.oid
            left join pg_catalog.pg_class as c on t.typrelid = c.oid
            -- Leave out the types of tables, and arrays.
            where
                n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
                and (t.typtype in ('d', 'e') or t.typtype = 'c' and c.relkind = 'c')
        )
    );
end
$types$;
alter default privileges for role credits_owner revoke execute on functions from public;
alter default privileges for role credits_owner revoke usage on types from public;

-- 3. The public functions.
grant usage on schema api to anon, authenticated, spender, support, service_role;
-- Callers may write functions that take or return these.
grant usage on type
api.spend_receipt, api.quote, api.account_receipt, api.hold_receipt, api.capture_receipt, api.release_receipt,
api.refusal_receipt
to authenticated, spender, service_role;
grant usage on type api.entry_receipt, api.balance_explanation to authenticated, service_role;
grant usage on type api.failure_receipt, api.batch_receipt to spender, service_role;
grant usage on type
api.order_receipt, api.spend_limit, api.low_balance, api.redemption_receipt, api.referral_offer, api.plan_offer,
api.stripe_customer, api.free_plan_receipt, api.auto_topup_receipt
to authenticated, service_role;
grant usage on type
api.grant_receipt, api.event_receipt, api.credential, api.newcomer, api.admission, api.guest_receipt,
api.shortfall_receipt, api.overdraft, api.account_standing, api.acknowledgement, api.maintenance, api.refund_receipt,
api.test_clock, api.lot_receipt, api.stripe_calls, api.stripe_report,
api.refund_request, api.operating_figures
to service_role;
-- For any user: what a backend needs to charge.
grant execute on function
api.consume_tokens(text, jsonb, text, text, jsonb, boolean, jsonb),
api.consume_tokens(text, text, text, numeric),
api.consume_call, api.quote_tokens, api.hold_tokens, api.capture_hold, api.release_hold, api.extend_hold,
api.report_refusal, api.report_refused_capture, api.open_account
to authenticated, spender, service_role;
grant execute on function api.consume_tokens_batch, api.report_failure to spender, service_role;
-- For the user's own account; a service calls these for any user.
grant execute on function
api.create_order, api.set_spend_limit, api.lift_spend_limit, api.set_low_balance, api.reset_low_balance,
api.redeem_code, api.referral_code, api.set_auto_topup, api.stop_auto_topup, api.receipt, api.explain_balance
to authenticated, service_role;
grant execute on function
api.add_tokens(text, numeric, bpchar, text, timestamptz, bigint, text, text, jsonb),
api.add_tokens(text, numeric, text), api.add_package, api.attach_checkout, api.cancel_order, api.apply_stripe_event,
api.close_shortfall, api.set_overdraft_limit, api.freeze_account, api.thaw_account, api.acknowledge_notices,
api.maintain, api.sign_up, api.verify_email, api.begin_sign_in, api.finish_sign_in, api.begin_sign_up,
api.find_credential, api.guest_consume, api.guest_allowance, api.confirm_guest_use, api.release_guest_use,
api.refund_usage, api.set_test_clock, api.replay_event, api.dismiss_event, api.void_lot, api.restore_lot,
api.change_expiry, api.claim_stripe_calls, api.report_stripe_call, api.request_refund, api.operating_figures
to service_role;
-- Subscriptions.
grant execute on function api.start_free_plan, api.offer_plan, api.payment_customer to authenticated, service_role;
grant execute on function api.attach_customer to service_role;
-- Telling products, and comparing with Stripe.
grant usage on type
api.webhook, api.webhook_replay, api.webhook_batch, api.webhook_result, api.stripe_reading, api.stripe_page,
api.stripe_missing
to service_role;
grant execute on function
api.register_webhook, api.disable_webhook, api.enable_webhook, api.renew_webhook_secret, api.replay_webhook,
api.take_webhooks, api.finish_webhook, api.read_stripe_list, api.note_stripe_page, api.missing_from_stripe,
api.replay_from_stripe
to service_role;
-- Sessions of users who signed in here.
grant usage on type api.sessions_ended to authenticated, service_role;
grant usage on type api.session to service_role;
grant execute on function api.end_sessions to authenticated, service_role;
grant execute on function
api.open_session, api.refresh_session, api.end_session, api.change_password
to service_role;
-- Users who asked to be forgotten.
grant usage on type api.forgotten_user to service_role;
grant execute on function api.forget_user to service_role;
grant select on api.forgotten_users, credits.forgotten_accounts to service_role;
-- API keys of backends.
grant usage on type api.api_key, api.api_key_holder to service_role;
grant execute on function
api.create_api_key, api.rotate_api_key, api.revoke_api_key, api.resolve_api_key
to service_role;

-- 4. The views, the tables under them, and the functions that views and policies call.
grant select on api.packs, api.topups, api.plans, api.modules to anon, authenticated, spender, support, service_role;
grant select on
api.balance, api.entries, api.usage, api.usage_by_tag, api.lots, api.orders, api.spend_limits, api.notices,
api.failures, api.referrals, api.holds, api.shortfalls, api.reversals, api.auto_topup, api.auto_topup_history
to authenticated, support, service_role;
grant select on api.refund_requests, credits.refund_requests to support, service_role;
grant select on
api.subscriptions, credits.subscriptions, credits.subscription_invoices, credits.free_periods
to authenticated, support, service_role;
grant select on api.webhooks, api.webhook_deliveries to support, service_role;
grant select on api.balance, api.holds to spender;
grant select on
credits.packs, credits.topups, credits.topup_presets, credits.plans, credits.plan_versions, credits.currencies,
credits.modules, credits.module_categories
to anon, authenticated, spender, support, service_role;
grant select on
credits.identities, credits.wallets, credits.lots, credits.current_lots, credits.entries, credits.orders,
credits.spend_limits, credits.outbox, credits.failures, credits.referrals, credits.holds, credits.held_draws,
credits.shortfalls, credits.charge_refunds, credits.reversals, credits.auto_topups, credits.topup_consents,
credits.topup_attempts
to authenticated, support, service_role;
-- The balance that its reader sees depends on how much debt the account may have.
grant select (account_id, overdraft_limit) on credits.accounts to authenticated, spender, support, service_role;
grant select on credits.webhook_endpoints, credits.webhook_deliveries to support, service_role;
grant select on
credits.identities, credits.wallets, credits.lots, credits.current_lots, credits.holds, credits.held_draws
to spender;
-- Readers may see whose price an entry names, but not what the price is made of.
grant select (price_id, module_id, category_id) on credits.prices to authenticated, support, service_role;
grant select on api.api_keys, credits.api_keys to service_role;
-- When a secret of a key was used, and not its hash.
grant select (key_id, created_at, valid_until, last_used_at) on credits.api_key_secrets to service_role;
grant select (key_id, valid_until, last_used_at) on credits.api_key_secrets to auditor;
grant select (account_id, session_id, issued_at) on credits.refresh_tokens to auditor;
grant select on api.release, credits.releases, api.balance_versions to service_role;
grant execute on function credits.functions_digest, credits.columns_digest to service_role;
grant execute on function
credits.release_differences, credits.standing_objects, credits.standing_functions, credits.standing_relations,
credits.standing_attachments, credits.standing_types, credits.standing_privileges, credits.standing_others,
credits.standing_triggers_of_events, credits.standing_defaults
to auditor;
grant select on credits.current_lots, credits.held_draws, credits.event_types to auditor;
grant select on
credits.missed_events, credits.unbooked_objects, credits.stripe_lists, credits.covered_lists, credits.stripe_movements
to auditor;
grant execute on function credits.signed_amount, credits.reversal_rank to auditor;
grant select on credits.captures to auditor;
grant execute on function
credits.module_price, credits.topup_tokens, credits.interval_text
to anon, authenticated, spender, support, service_role;
grant execute on function credits.clock() to authenticated, spender, support, service_role;
grant execute on function
credits.me, credits.subject, credits.period_start, credits.next_period, credits.held_at, credits.quantity,
credits.clock(uuid), credits.later, credits.user_of, credits.topped_up_since, credits.is_disputed
to authenticated, support, service_role;
grant execute on function credits.me, credits.subject, credits.clock(uuid), credits.user_of to spender;

-- Support also sees the payments and holds that wait for a person.
grant usage on schema audit to support;
grant select on audit.parked, audit.stuck_holds to support;
-- The same explanations as in api, about anybody.
grant execute on function audit.receipt, audit.explain_balance to support, auditor;
grant execute on function credits.stripe_id to support;
grant select (
    event_id, type, outcome, reason, trouble, received_at, account_id, order_id, object_id, payload
) on credits.stripe_events to support;
grant select (object_id, account_id, order_id) on credits.stripe_objects to support;
grant select on credits.event_types to support;
grant execute on function credits.stripe_amount to support;

grant usage on schema analytics to analyst, auditor;
grant select on all tables in schema analytics to analyst, auditor;
-- Who an account is. Its rows are those of analysts who may know.
revoke select on analytics.people from auditor;
grant select (account_id, subject, created_at) on credits.identities to analyst;
grant execute on function credits.named_segments, credits.named_accounts, credits.analyst_email to analyst;
grant select (account_id, kind, created_at) on credits.accounts to analyst;
grant select (
    account_id, seq, posted_at, effective_at, kind, tokens, draws, module_id, usage, price_id, hold_id, refunds_seq,
    actor, tags
) on credits.entries to analyst;
-- With what the view current_lots reads.
grant select (account_id, head_lot, head_taken, head_reserved, status) on credits.wallets to analyst;
grant select (
    account_id, lot_id, source, package_name, granted, remaining, held, priority, scope, effective_at, expires_at,
    unit_cost, currency, order_id, frozen, live, announced, reversed, withheld
) on credits.lots to analyst;
grant select on credits.current_lots to analyst;
grant select (
    account_id, order_id, kind, state, pack_id, package_name, tokens, bonus_tokens, amount, currency, paid_at, paid,
    reversed, reversal_pending, disputed
) on credits.orders to analyst;
grant select (account_id, order_id, plan_id) on credits.subscription_invoices to analyst;
grant select (account_id, lot_id, plan_id) on credits.free_periods to analyst;
grant select (
    account_id, hold_id, module_id, seqs, state, late, failed, by_service, actor, created_at, expires_at, finished_at
) on credits.holds to analyst;
grant select (module_id, failed_at, duration_ms) on credits.failures to analyst;
grant select (account_id, campaign_id, lot_id) on credits.redemptions to analyst;
grant select (guest_id, linked_to, first_seen_at) on credits.guests to analyst;
grant select (
    guest_id, use_id, module_id, state, used_at, finished_at, per_device, sliding_window
) on credits.guest_uses to analyst;
grant select (currency) on credits.catalogs to analyst;
grant select (price_id, exchange_rate) on credits.prices to analyst;
grant select (price_id, dimension, unit_size, provider_cost) on credits.price_components to analyst;
grant select (dimension, parent) on credits.dimensions to analyst;
grant execute on function
credits.analyst_segments, credits.analyst_accounts, credits.clock(), credits.clock(uuid), credits.earlier
to analyst;
grant execute on function credits.charge_durations to analyst, auditor;

-- Accountants read no user id, no metadata and no secret.
grant usage on schema finance to accountant, auditor;
grant select on all tables in schema finance to accountant, auditor;
grant execute on function finance.trial_balance to accountant, auditor;
grant execute on function
credits.lot_sums, credits.postings, credits.lot_worth, credits.worth_of, credits.later
to accountant, auditor;
grant execute on function credits.clock(), credits.earlier to accountant;
grant select on
credits.ledger_months, credits.lot_moves, credits.money_with_tax, credits.rollforward, credits.source_months
to accountant, auditor;
grant execute on function credits.ledger_root, credits.ledger_heads to auditor;
grant select on
credits.closed_months, credits.closed_sums, credits.finance_accounts, credits.money_returns
to accountant;
grant select (
    account_id, seq, posted_at, effective_at, kind, tokens, draws, module_id, order_id
) on credits.entries to accountant;
grant select (
    account_id, lot_id, source, granted, effective_at, expires_at, unit_cost, currency, order_id
) on credits.lots to accountant;
grant select (account_id, order_id, paid, currency) on credits.orders to accountant;

grant usage on schema audit, credits to auditor;
grant select on all tables in schema audit to auditor;
grant execute on function
credits.entry_hash, credits.clock(), credits.clock(uuid), credits.module_price, credits.call_cost,
credits.charge_problem, credits.money, credits.ceil_tokens, credits.linear_price, credits.price_source,
credits.least_cost, credits.least_charge, credits.default_least, credits.head_allowance, credits.free_lots,
credits.tighter, credits.limit_left, credits.held_at, credits.period_start, credits.next_level,
credits.notice_levels_of, credits.topup_level, credits.topup_threshold, credits.timeout, credits.logins,
credits.setting_faults, credits.role_steps, credits.member_reach, credits.member_faults, credits.member_grants,
credits.ownership_faults, credits.row_security_faults, credits.grant_faults, credits.call_faults,
credits.database_faults, credits.power_faults, credits.is_policy_of_ours, credits.earlier,
credits.stripe_amount, credits.stripe_id, credits.utc_text, credits.interval_text, credits.is_tags, credits.is_name,
credits.is_label, credits.bank_metadata
to auditor;
grant execute on function
credits.anchor_faults, credits.change_faults, credits.checkpoint_faults, credits.chain_faults,
credits.new_entries, credits.touched_wallet_faults
to auditor;
-- All that an auditor may write: that the books were audited, and how far each account was verified.
grant execute on function credits.note_audit, credits.audit_changes to auditor;
do $auditor$
begin
    execute format('grant select on %s to auditor', (
        select string_agg(c.oid::regclass::text, ', ')
        from pg_catalog.pg_class as c
        where
            c.relnamespace = 'credits'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.oid not in (
                'credits.credentials'::regclass, 'credits.webhook_secrets'::regclass, 'credits.api_key_secrets'::regclass,
                'credits.refresh_tokens'::regclass
            )
    ));
end
$auditor$;

-- 4a. The functions that a price list calls.
grant usage on schema credits to pgcredits_catalog;
grant execute on function
credits.define_catalog, credits.define_category, credits.define_module, credits.define_guest_limits,
credits.define_pack, credits.define_plan, credits.check_stripe_prices, credits.define_topup,
credits.define_topup_preset,
credits.define_campaign, credits.define_campaign_bounds, credits.define_code, credits.define_dimension,
credits.define_price, credits.define_imported_price, credits.define_notice, credits.define_purge,
credits.define_retention, credits.show_catalog
to pgcredits_catalog;

-- 5. Row security is on for every table, and forced on the owner too. So a forgotten policy shows nothing instead of
-- everything.
do $row_security$
declare
    v_table regclass;
begin
    for v_table in
        select c.oid
        from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where
            n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and c.relkind in ('r', 'p') and not c.relispartition
            and not (c.relrowsecurity and c.relforcerowsecurity)
    loop
        execute format('alter table %s enable row level security, force row level security', v_table);
    end loop;
end
$row_security$;

-- 5a. A user sees their own rows. The subquery is evaluated once per statement, not once per row.
create policy own_rows on credits.identities for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.accounts for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.wallets for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.lots for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.entries for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.orders for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.subscriptions for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.subscription_invoices for select
to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.free_periods for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.spend_limits for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.outbox for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.failures for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.charge_refunds for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.holds for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.reversals for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.shortfalls for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.auto_topups for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.topup_consents for select to authenticated using (account_id = (select credits.me()));
create policy own_rows on credits.topup_attempts for select to authenticated using (account_id = (select credits.me()));
-- The people whom the user brought. The view shows no names.
create policy own_rows on credits.referrals for select to authenticated using (referrer_id = (select credits.me()));

-- 5b. Everybody sees what is for sale.
create policy for_sale on credits.packs for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.topups for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.plans for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.plan_versions for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.currencies for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.topup_presets for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.modules for select
to anon, authenticated, spender, support, service_role using (true);
create policy for_sale on credits.module_categories for select
to anon, authenticated, spender, support, service_role using (true);
create policy whose_price on credits.prices for select to authenticated, support, service_role using (true);

-- 5c. An analyst sees the accounts granted to the SQL login. No claim that a session sets can change that.
create policy granted_accounts on credits.accounts for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.entries for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.orders for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.lots for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.wallets for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.subscription_invoices for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.free_periods for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.holds for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.failures for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.redemptions for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
-- Which user an account is, for the analysts who may know.
create policy named_accounts on credits.identities for select to analyst using (
    (select '*' = any(credits.named_segments()))
    or account_id in (select a.account_id from credits.named_accounts() as a (account_id))
);
-- A guest has no account before signing up, so only an analyst who sees all accounts sees all guests.
create policy granted_accounts on credits.guests for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or linked_to in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
create policy granted_accounts on credits.guest_uses for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or guest_id in (select g.guest_id from credits.guests as g)
);
-- Analysts may see what providers take. It tells nothing about any person.
create policy analyst_reads on credits.catalogs for select to analyst using (true);
create policy analyst_reads on credits.prices for select to analyst using (true);
create policy analyst_reads on credits.price_components for select to analyst using (true);
create policy analyst_reads on credits.dimensions for select to analyst using (true);

-- 5d. The definer functions run as the owner, who sees everything. A service, a spender, support or an auditor who may
-- read a table sees every row of it, unless a policy above is about them. Policies that are there already are left
-- alone.
do $policies$
declare
    v_statement text;
begin
    for v_statement in
        with tables as (
            select c.oid
            from pg_catalog.pg_class as c
            join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
            where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and c.relkind in ('r', 'p') and not c.relispartition
        ),

        readers (name, role) as (
            values
            ('service_reads', 'service_role'::regrole), ('spender_reads', 'spender'), ('support_reads', 'support'),
            ('auditor_reads', 'auditor'), ('accountant_reads', 'accountant')
        ),

        wanted (name, table_id, rule) as (
            select 'owner', t.oid, 'to credits_owner using (true) with check (true)'
            from tables as t
            union all
            select r.name, t.oid, format('for select to %s using (true)', r.role)
            from tables as t
            cross join readers as r
            where
                has_any_column_privilege(r.role, t.oid, 'select') and not exists (
                    select from pg_catalog.pg_policy as p
                    where p.polrelid = t.oid and p.polname <> r.name and r.role = any (p.polroles)
                )
        ),

        standing (name, table_id, rule) as (
            select
                p.polname::text, t.oid,
                concat_ws(
                    ' ', case when not p.polpermissive then 'as restrictive' end,
                    case p.polcmd when 'r' then 'for select' when '*' then null else 'for another command' end,
                    'to', array_to_string(p.polroles::regrole [], ', '),
                    'using (' || pg_get_expr(p.polqual, t.oid) || ')',
                    'with check (' || pg_get_expr(p.polwithcheck, t.oid) || ')'
                )
            from pg_catalog.pg_policy as p
            join tables as t on p.polrelid = t.oid
            where p.polname in (select w.name from wanted as w)
        )

        select format('drop policy %I on %s', x.name, x.table_id::regclass), 1 as step
        from (table standing except table wanted) as x
        union all
        select format('create policy %I on %s %s', x.name, x.table_id::regclass, x.rule), 2
        from (table wanted except table standing) as x
        order by step
    loop
        execute v_statement;
    end loop;
end
$policies$;
