-- Who may do what: every grant and every policy, on one page, loaded last, starting from nothing.
--
--   anon            packs, top-ups and modules
--   authenticated   own rows through the views of api; spend, quote, order for themselves
--   spender         what a backend needs that charges its users: charge, hold, quote, open accounts, for anybody; their
--                   balances and holds. It grants nothing, so whoever takes it over cannot mint
--   support         every row through the views of api, and the reports on single accounts of audit; no function
--   service_role    every row through the views of api; every function of api. A member of spender
--   analyst         the views of analytics, over the accounts that credits.analyst_grants names
--   auditor         everything but passwords, to read
--   pgcredits_catalog   applies price lists: the words that define something, and no table
--   credits_owner   owns it all and cannot log in; the definer functions run as this role
--
-- Views are security_invoker: their readers need the privilege and the policy on the tables below, but, having no
-- usage of the schema credits, cannot name those tables. Functions run as their owner and check the caller
-- themselves.

-- 1. The database: our logins may connect. What PUBLIC may is left as it is, for a database that has neighbours;
-- harden_database.sql takes it away.
do $database$
declare
    v_role text;
begin
    foreach v_role in array array[
        'pgcredits_api', 'pgcredits_service', 'spender', 'support', 'service_role', 'analyst',
        'auditor', 'pgcredits_catalog'
    ] loop
        continue when has_database_privilege(v_role, current_database(), 'connect');
        execute format('grant connect on database %I to %I', current_database(), v_role);
    end loop;
end
$database$;
set local role credits_owner;

-- 2. Nothing for anybody.
revoke all on schema credits, api, analytics, audit
from public, anon, authenticated, spender, support, service_role, analyst, auditor, pgcredits_catalog;
revoke all on all tables in schema credits, api, analytics, audit
from public, anon, authenticated, spender, support, service_role, analyst, auditor, pgcredits_catalog;
revoke all on all sequences in schema credits
from public, anon, authenticated, spender, support, service_role, analyst, auditor, pgcredits_catalog;
revoke all on all functions in schema credits, api, analytics, audit
from public, anon, authenticated, spender, support, service_role, analyst, auditor, pgcredits_catalog;
revoke usage on type
credits.tokens, credits.amount, credits.unit_cost, credits.account_status, credits.entry_kind, credits.hold_state
from public, anon, authenticated, spender, support, service_role, analyst, auditor, pgcredits_catalog;
revoke usage on type
api.spend_receipt, api.grant_receipt, api.quote, api.order_receipt, api.event_receipt, api.credential, api.grant_reason,
api.redemption_receipt, api.referral_offer, api.account_receipt, api.newcomer, api.admission, api.guest_receipt,
api.failure_receipt,
api.hold_receipt, api.capture_receipt, api.release_receipt, api.shortfall_receipt, api.overdraft,
api.account_standing,
api.spend_limit, api.low_balance, api.acknowledgement, api.maintenance, api.refund_receipt,
api.batch_receipt, api.test_clock, api.refusal_receipt
from public, anon, authenticated, spender, support, service_role, analyst, auditor, pgcredits_catalog;
alter default privileges for role credits_owner revoke execute on functions from public;
alter default privileges for role credits_owner revoke usage on types from public;

-- 3. The public functions.
grant usage on schema api to anon, authenticated, spender, support, service_role;
-- A function of one's own may take or return these.
grant usage on type
api.spend_receipt, api.quote, api.account_receipt, api.hold_receipt, api.capture_receipt, api.release_receipt,
api.refusal_receipt
to authenticated, spender, service_role;
grant usage on type api.failure_receipt, api.batch_receipt to spender, service_role;
grant usage on type
api.order_receipt, api.spend_limit, api.low_balance, api.redemption_receipt, api.referral_offer
to authenticated, service_role;
grant usage on type
api.grant_receipt, api.grant_reason, api.event_receipt, api.credential, api.newcomer, api.admission, api.guest_receipt,
api.shortfall_receipt, api.overdraft, api.account_standing, api.acknowledgement, api.maintenance, api.refund_receipt,
api.test_clock
to service_role;
-- For any user: what a backend does that charges.
grant execute on function
api.consume_tokens(text, jsonb, text, text, jsonb, boolean),
api.consume_tokens(text, text, text, numeric),
api.consume_call(text, text, text, numeric, text),
api.quote_tokens(text, jsonb, text),
api.hold_tokens(text, jsonb, interval, text, text, jsonb),
api.capture_hold(text, jsonb, boolean, text, text, text),
api.release_hold(text, text, text, text),
api.extend_hold(text, interval, text),
api.report_refusal(text, jsonb, text),
api.report_refused_capture(text, jsonb, text),
api.open_account(text, text, text[], text[], boolean, boolean)
to authenticated, spender, service_role;
grant execute on function
api.consume_tokens_batch(jsonb, boolean),
api.report_failure(text, numeric, jsonb, text, text)
to spender, service_role;
-- For oneself; a service does it for any user.
grant execute on function
api.create_order(text, bigint, text, text, text),
api.set_spend_limit(text, numeric, text),
api.lift_spend_limit(text, text),
api.set_low_balance(numeric, numeric, text),
api.reset_low_balance(text),
api.redeem_code(text, text, text),
api.referral_code(text)
to authenticated, service_role;
grant execute on function
api.add_tokens(text, numeric, api.grant_reason, text, timestamptz, bigint, text, text, jsonb),
api.add_tokens(text, numeric, text),
api.add_package(text, numeric, text, text),
api.attach_checkout(uuid, uuid, text, text, text),
api.cancel_order(uuid, uuid),
api.apply_stripe_event(jsonb, bytea),
api.close_shortfall(text, text),
api.set_overdraft_limit(numeric, text),
api.freeze_account(text, text),
api.thaw_account(text, text),
api.acknowledge_notices(uuid[]),
api.maintain(bigint, bigint),
api.sign_up(text, text, text, text[], text[], boolean),
api.verify_email(text, text),
api.begin_sign_in(text, text[], boolean),
api.finish_sign_in(text, text[]),
api.begin_sign_up(text[], boolean),
api.find_credential(text),
api.guest_consume(text, text[], text[], boolean),
api.guest_allowance(text[], text[], boolean),
api.confirm_guest_use(uuid),
api.release_guest_use(uuid),
api.refund_usage(text, numeric, text, text),
api.set_test_clock(text, timestamptz, interval)
to service_role;

-- 4. The views, the tables under them, and the functions that views and policies call.
grant select on api.packs, api.topups, api.modules to anon, authenticated, spender, support, service_role;
grant select on
api.balance, api.entries, api.usage, api.lots, api.orders, api.spend_limits, api.notices, api.failures,
api.referrals, api.holds, api.shortfalls
to authenticated, support, service_role;
grant select on api.balance, api.holds to spender;
grant select on
credits.packs, credits.topups, credits.topup_presets, credits.currencies, credits.modules, credits.module_categories
to anon, authenticated, spender, support, service_role;
grant select on
credits.identities, credits.wallets, credits.lots, credits.current_lots, credits.entries, credits.orders,
credits.spend_limits, credits.outbox, credits.failures, credits.referrals, credits.holds, credits.held_draws,
credits.shortfalls, credits.charge_refunds
to authenticated, support, service_role;
grant select on
credits.identities, credits.wallets, credits.lots, credits.current_lots, credits.holds, credits.held_draws
to spender;
-- Whose price an entry names; what a price takes beside that stays out of sight.
grant select (price_id, module_id, category_id) on credits.prices to authenticated, support, service_role;
grant select on api.release, credits.releases to service_role;
grant execute on function
credits.functions_digest(), credits.columns_digest()
to service_role;
grant execute on function
credits.release_differences(), credits.standing_objects(), credits.standing_functions(), credits.standing_relations(),
credits.standing_attachments(), credits.standing_types(), credits.standing_privileges(),
credits.standing_others(), credits.standing_triggers_of_events(), credits.standing_defaults()
to auditor;
grant select on credits.current_lots, credits.held_draws to auditor;
grant select on credits.captures to analyst, auditor;
grant execute on function
credits.module_price(text), credits.topup_tokens(bigint, numeric), credits.interval_text(interval)
to anon, authenticated, spender, support, service_role;
grant execute on function credits.clock() to authenticated, spender, support, service_role;
grant execute on function
credits.me(), credits.subject(), credits.period_start(text, timestamptz), credits.next_period(text, timestamptz),
credits.held_at(uuid, timestamptz), credits.quantity(jsonb), credits.clock(uuid), credits.later(timestamptz, interval),
credits.user_of(uuid)
to authenticated, support, service_role;
grant execute on function credits.me(), credits.subject(), credits.clock(uuid), credits.user_of(uuid) to spender;

-- Support also sees which payments and holds wait for a person.
grant usage on schema audit to support;
grant select on audit.parked, audit.stuck_holds to support;
grant execute on function credits.stripe_id(jsonb) to support;
grant select (
    event_id, type, outcome, reason, trouble, received_at, account_id, order_id, object_id, payload
) on credits.stripe_events to support;
grant select (object_id, account_id, order_id) on credits.stripe_objects to support;

grant usage on schema analytics to analyst, auditor;
grant select on all tables in schema analytics to analyst, auditor;
grant select (account_id, kind, created_at) on credits.accounts to analyst;
grant select (
    account_id, seq, posted_at, effective_at, kind, tokens, draws, module_id, usage, price_id
) on credits.entries to analyst;
grant select (
    account_id, lot_id, source, granted, effective_at, expires_at, unit_cost, currency
) on credits.lots to analyst;
grant select (
    account_id, state, pack_id, package_name, tokens, bonus_tokens, amount, currency, paid_at
) on credits.orders to analyst;
grant select (
    account_id, hold_id, module_id, seqs, state, late, failed, actor, created_at, expires_at, finished_at
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
grant execute on function
credits.analyst_segments(), credits.analyst_accounts(), credits.clock(), credits.clock(uuid)
to analyst;
grant execute on function credits.charge_durations() to analyst, auditor;

grant usage on schema audit, credits to auditor;
grant select on all tables in schema audit to auditor;
grant execute on function credits.entry_hash(
    bytea, uuid, bigint, timestamptz, timestamptz, credits.entry_kind, numeric, numeric, numeric, jsonb,
    text, jsonb, bigint, text, text, jsonb
), credits.clock(), credits.clock(uuid), credits.module_price(text), credits.call_cost(bigint),
credits.charge_problem(bigint, text), credits.money(bigint, text),
credits.linear_price(bigint), credits.price_source(credits.prices), credits.least_cost(bigint),
credits.least_charge(), credits.default_least(),
credits.head_allowance(uuid, timestamptz), credits.tighter(numeric, numeric),
credits.limit_left(uuid, timestamptz), credits.held_at(uuid, timestamptz), credits.period_start(text, timestamptz),
credits.next_level(uuid, numeric), credits.notice_levels_of(uuid), credits.timeout(text), credits.logins(),
credits.setting_faults(), credits.member_reach(), credits.member_faults(), credits.member_grants(),
credits.ownership_faults(), credits.row_security_faults(), credits.grant_faults(), credits.call_faults(),
credits.database_faults(), credits.power_faults(), credits.is_policy_of_ours(text, text[], boolean, text),
credits.earlier(timestamptz, interval), credits.stripe_id(jsonb),
credits.utc_text(timestamptz), credits.interval_text(interval) to auditor;
grant select on
credits.accounts,
credits.identities,
credits.wallets,
credits.lots,
credits.entries,
credits.orders,
credits.catalogs,
credits.module_categories,
credits.modules,
credits.prices,
credits.price_components,
credits.price_list,
credits.packs,
credits.topups,
credits.entry_kinds,
credits.sql_logins,
credits.analyst_grants,
credits.idempotency_keys,
credits.stripe_events,
credits.stripe_objects,
credits.dimensions,
credits.price_tiers,
credits.currencies,
credits.topup_presets,
credits.campaigns,
credits.codes,
credits.redemptions,
credits.account_origins,
credits.sign_in_counts,
credits.sign_in_networks,
credits.referrals,
credits.guest_limits,
credits.guests,
credits.guest_networks,
credits.guest_uses,
credits.spend_limits,
credits.notice_rules,
credits.notice_levels,
credits.outbox,
credits.failures,
credits.holds,
credits.shortfalls,
credits.status_changes,
credits.charge_refunds,
credits.settings,
credits.releases,
credits.release_objects
to auditor;

-- 4a. The words of a price list.
grant usage on schema credits to pgcredits_catalog;
grant execute on function
credits.define_catalog(text, text, text, text),
credits.define_category(text, text),
credits.define_module(text, text, text, boolean),
credits.define_guest_limits(text, bigint, bigint, bigint, interval),
credits.define_pack(
    text, text, numeric, bigint, text, numeric, boolean, bigint, interval, text, boolean, text
),
credits.check_stripe_prices(),
credits.define_topup(text, bigint, bigint, numeric),
credits.define_topup_preset(text, bigint, boolean),
credits.define_campaign(
    text, text, text, numeric, numeric, bigint, bigint, timestamptz, timestamptz, interval, bigint, text, boolean
),
credits.define_campaign_bounds(text, bigint, bigint, bigint, interval),
credits.define_code(text, text),
credits.define_dimension(text, text),
credits.define_price(jsonb, text, text, numeric, numeric, timestamptz),
credits.define_notice(text, numeric, numeric, interval),
credits.show_catalog()
to pgcredits_catalog;

-- 5. Row security: on every table, forced on the owner too, so that a forgotten policy shows nothing instead of
-- everything.
alter table credits.accounts enable row level security, force row level security;
alter table credits.identities enable row level security, force row level security;
alter table credits.wallets enable row level security, force row level security;
alter table credits.lots enable row level security, force row level security;
alter table credits.entries enable row level security, force row level security;
alter table credits.orders enable row level security, force row level security;
alter table credits.catalogs enable row level security, force row level security;
alter table credits.module_categories enable row level security, force row level security;
alter table credits.modules enable row level security, force row level security;
alter table credits.packs enable row level security, force row level security;
alter table credits.topups enable row level security, force row level security;
alter table credits.prices enable row level security, force row level security;
alter table credits.price_components enable row level security, force row level security;
alter table credits.price_list enable row level security, force row level security;
alter table credits.entry_kinds enable row level security, force row level security;
alter table credits.credentials enable row level security, force row level security;
alter table credits.sql_logins enable row level security, force row level security;
alter table credits.analyst_grants enable row level security, force row level security;
alter table credits.idempotency_keys enable row level security, force row level security;
alter table credits.stripe_events enable row level security, force row level security;
alter table credits.stripe_objects enable row level security, force row level security;
alter table credits.dimensions enable row level security, force row level security;
alter table credits.price_tiers enable row level security, force row level security;
alter table credits.currencies enable row level security, force row level security;
alter table credits.topup_presets enable row level security, force row level security;
alter table credits.campaigns enable row level security, force row level security;
alter table credits.codes enable row level security, force row level security;
alter table credits.redemptions enable row level security, force row level security;
alter table credits.account_origins enable row level security, force row level security;
alter table credits.sign_in_counts enable row level security, force row level security;
alter table credits.sign_in_networks enable row level security, force row level security;
alter table credits.referrals enable row level security, force row level security;
alter table credits.guest_limits enable row level security, force row level security;
alter table credits.guests enable row level security, force row level security;
alter table credits.guest_networks enable row level security, force row level security;
alter table credits.guest_uses enable row level security, force row level security;
alter table credits.spend_limits enable row level security, force row level security;
alter table credits.notice_rules enable row level security, force row level security;
alter table credits.notice_levels enable row level security, force row level security;
alter table credits.outbox enable row level security, force row level security;
alter table credits.failures enable row level security, force row level security;
alter table credits.charge_refunds enable row level security, force row level security;
alter table credits.holds enable row level security, force row level security;
alter table credits.shortfalls enable row level security, force row level security;
alter table credits.status_changes enable row level security, force row level security;
alter table credits.settings enable row level security, force row level security;
alter table credits.release_objects enable row level security, force row level security;
alter table credits.releases enable row level security, force row level security;

-- 5a. The definer functions.
drop policy if exists owner on credits.accounts;
create policy owner on credits.accounts to credits_owner using (true) with check (true);
drop policy if exists owner on credits.identities;
create policy owner on credits.identities to credits_owner using (true) with check (true);
drop policy if exists owner on credits.wallets;
create policy owner on credits.wallets to credits_owner using (true) with check (true);
drop policy if exists owner on credits.lots;
create policy owner on credits.lots to credits_owner using (true) with check (true);
drop policy if exists owner on credits.entries;
create policy owner on credits.entries to credits_owner using (true) with check (true);
drop policy if exists owner on credits.orders;
create policy owner on credits.orders to credits_owner using (true) with check (true);
drop policy if exists owner on credits.catalogs;
create policy owner on credits.catalogs to credits_owner using (true) with check (true);
drop policy if exists owner on credits.module_categories;
create policy owner on credits.module_categories to credits_owner using (true) with check (true);
drop policy if exists owner on credits.modules;
create policy owner on credits.modules to credits_owner using (true) with check (true);
drop policy if exists owner on credits.packs;
create policy owner on credits.packs to credits_owner using (true) with check (true);
drop policy if exists owner on credits.topups;
create policy owner on credits.topups to credits_owner using (true) with check (true);
drop policy if exists owner on credits.prices;
create policy owner on credits.prices to credits_owner using (true) with check (true);
drop policy if exists owner on credits.price_components;
create policy owner on credits.price_components to credits_owner using (true) with check (true);
drop policy if exists owner on credits.price_list;
create policy owner on credits.price_list to credits_owner using (true) with check (true);
drop policy if exists owner on credits.entry_kinds;
create policy owner on credits.entry_kinds to credits_owner using (true) with check (true);
drop policy if exists owner on credits.credentials;
create policy owner on credits.credentials to credits_owner using (true) with check (true);
drop policy if exists owner on credits.sql_logins;
create policy owner on credits.sql_logins to credits_owner using (true) with check (true);
drop policy if exists owner on credits.analyst_grants;
create policy owner on credits.analyst_grants to credits_owner using (true) with check (true);
drop policy if exists owner on credits.idempotency_keys;
create policy owner on credits.idempotency_keys to credits_owner using (true) with check (true);
drop policy if exists owner on credits.stripe_events;
create policy owner on credits.stripe_events to credits_owner using (true) with check (true);
drop policy if exists owner on credits.stripe_objects;
create policy owner on credits.stripe_objects to credits_owner using (true) with check (true);
drop policy if exists owner on credits.dimensions;
create policy owner on credits.dimensions to credits_owner using (true) with check (true);
drop policy if exists owner on credits.price_tiers;
create policy owner on credits.price_tiers to credits_owner using (true) with check (true);
drop policy if exists owner on credits.currencies;
create policy owner on credits.currencies to credits_owner using (true) with check (true);
drop policy if exists owner on credits.topup_presets;
create policy owner on credits.topup_presets to credits_owner using (true) with check (true);
drop policy if exists owner on credits.campaigns;
create policy owner on credits.campaigns to credits_owner using (true) with check (true);
drop policy if exists owner on credits.codes;
create policy owner on credits.codes to credits_owner using (true) with check (true);
drop policy if exists owner on credits.redemptions;
create policy owner on credits.redemptions to credits_owner using (true) with check (true);
drop policy if exists owner on credits.account_origins;
create policy owner on credits.account_origins to credits_owner using (true) with check (true);
drop policy if exists owner on credits.sign_in_counts;
create policy owner on credits.sign_in_counts to credits_owner using (true) with check (true);
drop policy if exists owner on credits.sign_in_networks;
create policy owner on credits.sign_in_networks to credits_owner using (true) with check (true);
drop policy if exists owner on credits.referrals;
create policy owner on credits.referrals to credits_owner using (true) with check (true);
drop policy if exists owner on credits.guest_limits;
create policy owner on credits.guest_limits to credits_owner using (true) with check (true);
drop policy if exists owner on credits.guests;
create policy owner on credits.guests to credits_owner using (true) with check (true);
drop policy if exists owner on credits.guest_networks;
create policy owner on credits.guest_networks to credits_owner using (true) with check (true);
drop policy if exists owner on credits.guest_uses;
create policy owner on credits.guest_uses to credits_owner using (true) with check (true);
drop policy if exists owner on credits.spend_limits;
create policy owner on credits.spend_limits to credits_owner using (true) with check (true);
drop policy if exists owner on credits.notice_rules;
create policy owner on credits.notice_rules to credits_owner using (true) with check (true);
drop policy if exists owner on credits.notice_levels;
create policy owner on credits.notice_levels to credits_owner using (true) with check (true);
drop policy if exists owner on credits.outbox;
create policy owner on credits.outbox to credits_owner using (true) with check (true);
drop policy if exists owner on credits.failures;
create policy owner on credits.failures to credits_owner using (true) with check (true);
drop policy if exists owner on credits.charge_refunds;
create policy owner on credits.charge_refunds to credits_owner using (true) with check (true);
drop policy if exists owner on credits.holds;
create policy owner on credits.holds to credits_owner using (true) with check (true);
drop policy if exists owner on credits.shortfalls;
create policy owner on credits.shortfalls to credits_owner using (true) with check (true);
drop policy if exists owner on credits.status_changes;
create policy owner on credits.status_changes to credits_owner using (true) with check (true);
drop policy if exists owner on credits.settings;
create policy owner on credits.settings to credits_owner using (true) with check (true);
drop policy if exists owner on credits.releases;
create policy owner on credits.releases to credits_owner using (true) with check (true);
drop policy if exists owner on credits.release_objects;
create policy owner on credits.release_objects to credits_owner using (true) with check (true);

-- 5b. A user: own rows. The subquery is evaluated once per statement, not once per row.
drop policy if exists own_rows on credits.identities;
create policy own_rows on credits.identities for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.wallets;
create policy own_rows on credits.wallets for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.lots;
create policy own_rows on credits.lots for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.entries;
create policy own_rows on credits.entries for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.orders;
create policy own_rows on credits.orders for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.spend_limits;
create policy own_rows on credits.spend_limits for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.outbox;
create policy own_rows on credits.outbox for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.failures;
create policy own_rows on credits.failures for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.charge_refunds;
create policy own_rows on credits.charge_refunds for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.holds;
create policy own_rows on credits.holds for select to authenticated using (account_id = (select credits.me()));
drop policy if exists own_rows on credits.shortfalls;
create policy own_rows on credits.shortfalls for select to authenticated using (account_id = (select credits.me()));
-- Those whom the user brought; the view says no names.
drop policy if exists own_rows on credits.referrals;
create policy own_rows on credits.referrals for select to authenticated using (referrer_id = (select credits.me()));

-- 5c. A service: every row that its views show.
drop policy if exists service_reads on credits.identities;
create policy service_reads on credits.identities for select to service_role using (true);
drop policy if exists service_reads on credits.wallets;
create policy service_reads on credits.wallets for select to service_role using (true);
drop policy if exists service_reads on credits.lots;
create policy service_reads on credits.lots for select to service_role using (true);
drop policy if exists service_reads on credits.entries;
create policy service_reads on credits.entries for select to service_role using (true);
drop policy if exists service_reads on credits.orders;
create policy service_reads on credits.orders for select to service_role using (true);
drop policy if exists service_reads on credits.spend_limits;
create policy service_reads on credits.spend_limits for select to service_role using (true);
drop policy if exists service_reads on credits.outbox;
create policy service_reads on credits.outbox for select to service_role using (true);
drop policy if exists service_reads on credits.failures;
create policy service_reads on credits.failures for select to service_role using (true);
drop policy if exists service_reads on credits.charge_refunds;
create policy service_reads on credits.charge_refunds for select to service_role using (true);
drop policy if exists service_reads on credits.holds;
create policy service_reads on credits.holds for select to service_role using (true);
drop policy if exists service_reads on credits.shortfalls;
create policy service_reads on credits.shortfalls for select to service_role using (true);
drop policy if exists service_reads on credits.referrals;
create policy service_reads on credits.referrals for select to service_role using (true);
drop policy if exists service_reads on credits.releases;
create policy service_reads on credits.releases for select to service_role using (true);

-- A backend that charges: what balances and holds are made of.
drop policy if exists spender_reads on credits.identities;
create policy spender_reads on credits.identities for select to spender using (true);
drop policy if exists spender_reads on credits.wallets;
create policy spender_reads on credits.wallets for select to spender using (true);
drop policy if exists spender_reads on credits.lots;
create policy spender_reads on credits.lots for select to spender using (true);
drop policy if exists spender_reads on credits.holds;
create policy spender_reads on credits.holds for select to spender using (true);
-- Support: what a service sees, and the events behind parked payments.
drop policy if exists support_reads on credits.identities;
create policy support_reads on credits.identities for select to support using (true);
drop policy if exists support_reads on credits.wallets;
create policy support_reads on credits.wallets for select to support using (true);
drop policy if exists support_reads on credits.lots;
create policy support_reads on credits.lots for select to support using (true);
drop policy if exists support_reads on credits.entries;
create policy support_reads on credits.entries for select to support using (true);
drop policy if exists support_reads on credits.orders;
create policy support_reads on credits.orders for select to support using (true);
drop policy if exists support_reads on credits.spend_limits;
create policy support_reads on credits.spend_limits for select to support using (true);
drop policy if exists support_reads on credits.outbox;
create policy support_reads on credits.outbox for select to support using (true);
drop policy if exists support_reads on credits.failures;
create policy support_reads on credits.failures for select to support using (true);
drop policy if exists support_reads on credits.charge_refunds;
create policy support_reads on credits.charge_refunds for select to support using (true);
drop policy if exists support_reads on credits.holds;
create policy support_reads on credits.holds for select to support using (true);
drop policy if exists support_reads on credits.shortfalls;
create policy support_reads on credits.shortfalls for select to support using (true);
drop policy if exists support_reads on credits.referrals;
create policy support_reads on credits.referrals for select to support using (true);
drop policy if exists support_reads on credits.stripe_events;
create policy support_reads on credits.stripe_events for select to support using (true);
drop policy if exists support_reads on credits.stripe_objects;
create policy support_reads on credits.stripe_objects for select to support using (true);

-- 5d. What is for sale, for everybody.
drop policy if exists for_sale on credits.packs;
create policy for_sale on credits.packs for select
to anon, authenticated, spender, support, service_role using (true);
drop policy if exists for_sale on credits.topups;
create policy for_sale on credits.topups for select
to anon, authenticated, spender, support, service_role using (true);
drop policy if exists for_sale on credits.currencies;
create policy for_sale on credits.currencies for select
to anon, authenticated, spender, support, service_role using (true);
drop policy if exists for_sale on credits.topup_presets;
create policy for_sale on credits.topup_presets for select
to anon, authenticated, spender, support, service_role using (true);
drop policy if exists for_sale on credits.modules;
create policy for_sale on credits.modules for select
to anon, authenticated, spender, support, service_role using (true);
drop policy if exists whose_price on credits.prices;
create policy whose_price on credits.prices for select to authenticated, support, service_role using (true);
drop policy if exists for_sale on credits.module_categories;
create policy for_sale on credits.module_categories for select
to anon, authenticated, spender, support, service_role using (true);

-- 5e. An analyst: the accounts granted to the SQL login. No claim that a session sets changes that.
drop policy if exists granted_accounts on credits.accounts;
create policy granted_accounts on credits.accounts for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.entries;
create policy granted_accounts on credits.entries for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.orders;
create policy granted_accounts on credits.orders for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.lots;
create policy granted_accounts on credits.lots for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.holds;
create policy granted_accounts on credits.holds for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.failures;
create policy granted_accounts on credits.failures for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.redemptions;
create policy granted_accounts on credits.redemptions for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or account_id in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
-- A guest belongs to nobody before signing up: only who sees all accounts sees all guests.
drop policy if exists granted_accounts on credits.guests;
create policy granted_accounts on credits.guests for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or linked_to in (select a.account_id from credits.analyst_accounts() as a (account_id))
);
drop policy if exists granted_accounts on credits.guest_uses;
create policy granted_accounts on credits.guest_uses for select to analyst using (
    (select '*' = any(credits.analyst_segments()))
    or guest_id in (select g.guest_id from credits.guests as g)
);
-- What the provider takes is nobody's secret from an analyst, and about nobody.
drop policy if exists analyst_reads on credits.catalogs;
create policy analyst_reads on credits.catalogs for select to analyst using (true);
drop policy if exists analyst_reads on credits.prices;
create policy analyst_reads on credits.prices for select to analyst using (true);
drop policy if exists analyst_reads on credits.price_components;
create policy analyst_reads on credits.price_components for select to analyst using (true);

-- 5f. An auditor: everything.
drop policy if exists auditor_reads on credits.accounts;
create policy auditor_reads on credits.accounts for select to auditor using (true);
drop policy if exists auditor_reads on credits.identities;
create policy auditor_reads on credits.identities for select to auditor using (true);
drop policy if exists auditor_reads on credits.wallets;
create policy auditor_reads on credits.wallets for select to auditor using (true);
drop policy if exists auditor_reads on credits.lots;
create policy auditor_reads on credits.lots for select to auditor using (true);
drop policy if exists auditor_reads on credits.entries;
create policy auditor_reads on credits.entries for select to auditor using (true);
drop policy if exists auditor_reads on credits.orders;
create policy auditor_reads on credits.orders for select to auditor using (true);
drop policy if exists auditor_reads on credits.catalogs;
create policy auditor_reads on credits.catalogs for select to auditor using (true);
drop policy if exists auditor_reads on credits.module_categories;
create policy auditor_reads on credits.module_categories for select to auditor using (true);
drop policy if exists auditor_reads on credits.modules;
create policy auditor_reads on credits.modules for select to auditor using (true);
drop policy if exists auditor_reads on credits.prices;
create policy auditor_reads on credits.prices for select to auditor using (true);
drop policy if exists auditor_reads on credits.price_components;
create policy auditor_reads on credits.price_components for select to auditor using (true);
drop policy if exists auditor_reads on credits.price_list;
create policy auditor_reads on credits.price_list for select to auditor using (true);
drop policy if exists auditor_reads on credits.packs;
create policy auditor_reads on credits.packs for select to auditor using (true);
drop policy if exists auditor_reads on credits.topups;
create policy auditor_reads on credits.topups for select to auditor using (true);
drop policy if exists auditor_reads on credits.entry_kinds;
create policy auditor_reads on credits.entry_kinds for select to auditor using (true);
drop policy if exists auditor_reads on credits.sql_logins;
create policy auditor_reads on credits.sql_logins for select to auditor using (true);
drop policy if exists auditor_reads on credits.analyst_grants;
create policy auditor_reads on credits.analyst_grants for select to auditor using (true);
drop policy if exists auditor_reads on credits.idempotency_keys;
create policy auditor_reads on credits.idempotency_keys for select to auditor using (true);
drop policy if exists auditor_reads on credits.stripe_events;
create policy auditor_reads on credits.stripe_events for select to auditor using (true);
drop policy if exists auditor_reads on credits.stripe_objects;
create policy auditor_reads on credits.stripe_objects for select to auditor using (true);
drop policy if exists auditor_reads on credits.dimensions;
create policy auditor_reads on credits.dimensions for select to auditor using (true);
drop policy if exists auditor_reads on credits.price_tiers;
create policy auditor_reads on credits.price_tiers for select to auditor using (true);
drop policy if exists auditor_reads on credits.currencies;
create policy auditor_reads on credits.currencies for select to auditor using (true);
drop policy if exists auditor_reads on credits.topup_presets;
create policy auditor_reads on credits.topup_presets for select to auditor using (true);
drop policy if exists auditor_reads on credits.campaigns;
create policy auditor_reads on credits.campaigns for select to auditor using (true);
drop policy if exists auditor_reads on credits.codes;
create policy auditor_reads on credits.codes for select to auditor using (true);
drop policy if exists auditor_reads on credits.redemptions;
create policy auditor_reads on credits.redemptions for select to auditor using (true);
drop policy if exists auditor_reads on credits.account_origins;
create policy auditor_reads on credits.account_origins for select to auditor using (true);
drop policy if exists auditor_reads on credits.sign_in_counts;
create policy auditor_reads on credits.sign_in_counts for select to auditor using (true);
drop policy if exists auditor_reads on credits.sign_in_networks;
create policy auditor_reads on credits.sign_in_networks for select to auditor using (true);
drop policy if exists auditor_reads on credits.referrals;
create policy auditor_reads on credits.referrals for select to auditor using (true);
drop policy if exists auditor_reads on credits.guest_limits;
create policy auditor_reads on credits.guest_limits for select to auditor using (true);
drop policy if exists auditor_reads on credits.guests;
create policy auditor_reads on credits.guests for select to auditor using (true);
drop policy if exists auditor_reads on credits.guest_networks;
create policy auditor_reads on credits.guest_networks for select to auditor using (true);
drop policy if exists auditor_reads on credits.guest_uses;
create policy auditor_reads on credits.guest_uses for select to auditor using (true);
drop policy if exists auditor_reads on credits.spend_limits;
create policy auditor_reads on credits.spend_limits for select to auditor using (true);
drop policy if exists auditor_reads on credits.notice_rules;
create policy auditor_reads on credits.notice_rules for select to auditor using (true);
drop policy if exists auditor_reads on credits.notice_levels;
create policy auditor_reads on credits.notice_levels for select to auditor using (true);
drop policy if exists auditor_reads on credits.outbox;
create policy auditor_reads on credits.outbox for select to auditor using (true);
drop policy if exists auditor_reads on credits.failures;
create policy auditor_reads on credits.failures for select to auditor using (true);
drop policy if exists auditor_reads on credits.charge_refunds;
create policy auditor_reads on credits.charge_refunds for select to auditor using (true);
drop policy if exists auditor_reads on credits.holds;
create policy auditor_reads on credits.holds for select to auditor using (true);
drop policy if exists auditor_reads on credits.shortfalls;
create policy auditor_reads on credits.shortfalls for select to auditor using (true);
drop policy if exists auditor_reads on credits.status_changes;
create policy auditor_reads on credits.status_changes for select to auditor using (true);
drop policy if exists auditor_reads on credits.settings;
create policy auditor_reads on credits.settings for select to auditor using (true);
drop policy if exists auditor_reads on credits.releases;
create policy auditor_reads on credits.releases for select to auditor using (true);
drop policy if exists auditor_reads on credits.release_objects;
create policy auditor_reads on credits.release_objects for select to auditor using (true);

reset role;
