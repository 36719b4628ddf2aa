\restrict x
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'For analysts: figures without personal data, under row security.';
CREATE SCHEMA api;
COMMENT ON SCHEMA api IS 'Public: what frontends and backends may call and read. Names are the JSON names.';
CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'For DBAs: checks, which find no row while the books are sound, and reports.';
CREATE SCHEMA credits;
COMMENT ON SCHEMA credits IS 'Private: the tables of the bank and the functions that do its work.';
CREATE SCHEMA finance;
COMMENT ON SCHEMA finance IS 'For accountants: the books in money, without personal data.';
CREATE TYPE api.account_receipt AS (
	user_id text,
	opened boolean,
	balance numeric,
	referred boolean,
	welcome numeric,
	welcome_waits_for text,
	reset_at timestamp with time zone
);
COMMENT ON TYPE api.account_receipt IS 'An account: whether this call opened it, its balance, and whether somebody brought its user. welcome: the tokens that this call gave it. welcome_waits_for: verification (of the address), limit (of the device or network; until reset_at), or null.';
CREATE TYPE api.account_standing AS (
	user_id text,
	status text,
	reason text,
	changed_at timestamp with time zone,
	replayed boolean
);
COMMENT ON TYPE api.account_standing IS 'Whether an account is frozen, since when and why. replayed: it had this status already.';
CREATE TYPE api.acknowledgement AS (
	notices bigint
);
COMMENT ON TYPE api.acknowledgement IS 'How many notices were marked as delivered now.';
CREATE TYPE api.admission AS (
	user_id text,
	attempts bigint,
	reset_at timestamp with time zone
);
COMMENT ON TYPE api.admission IS 'A sign-in that succeeded (user_id), or a sign-up that may continue, with the count of its network in the window that ends at reset_at.';
CREATE TYPE api.api_key AS (
	key_id text,
	name text,
	role text,
	state text,
	expires_at timestamp with time zone,
	api_key text,
	replayed boolean
);
COMMENT ON TYPE api.api_key IS 'An API key. state: active, expired or revoked. expires_at: null means never. api_key: the text that a backend sends, only in the answer that made it. replayed: a repeated call made no other key, and does not show the text again.';
CREATE TYPE api.api_key_holder AS (
	key_id text,
	role text,
	state text
);
COMMENT ON TYPE api.api_key_holder IS 'Whose an API key is: its role, and its state (active, replaced by a rotation, expired or revoked). Nulls: there is no such key.';
CREATE TYPE api.auto_topup_receipt AS (
	user_id text,
	account_id uuid,
	state text,
	reason text,
	consent_id uuid,
	threshold numeric,
	pack_id text,
	tokens numeric,
	amount bigint,
	currency text,
	monthly_limit bigint,
	stripe_customer_id text
);
COMMENT ON TYPE api.auto_topup_receipt IS 'The answer of api.set_auto_topup and api.stop_auto_topup.';
CREATE TYPE api.balance_explanation AS (
	user_id text,
	at timestamp with time zone,
	balance numeric,
	balance_posted numeric,
	debt numeric,
	held numeric,
	opening numeric,
	movements jsonb,
	holds jsonb,
	lots jsonb,
	before_seq bigint
);
COMMENT ON TYPE api.balance_explanation IS 'Why a balance is what it is. balance: the number that api.balance shows. balance_posted: what the entries add up to. opening: the balance before the movements. holds: what is held, part of the balance. lots: the tokens that are there, and when they expire: they add up to balance + debt. before_seq: give it to the next call, which goes on with older movements; null when there are no older ones. With before_seq in the call, balance, held, holds and lots are null.';
CREATE TYPE api.batch_receipt AS (
	accepted bigint,
	refused bigint,
	verdicts json
);
COMMENT ON TYPE api.batch_receipt IS 'What became of a batch. verdicts has one object for each item, in the same order: {"ok": true, …} with the answer of consume_tokens, or {"ok": false, "code": "PT402", "error": slug, "message", …} with the facts of the refusal.';
CREATE TYPE api.capture_receipt AS (
	hold_id text,
	entry_id text,
	user_id text,
	module_id text,
	state text,
	cost numeric,
	paid numeric,
	debt numeric,
	shortfall numeric,
	held numeric,
	released numeric,
	balance numeric,
	draws jsonb,
	late boolean,
	replayed boolean,
	price_source text,
	refunded numeric
);
COMMENT ON TYPE api.capture_receipt IS 'A charge on a hold. cost = paid + shortfall. paid: the tokens of the entry. debt: the part of these that no lot paid. released: tokens that went back. held: tokens that the hold still keeps. price_source: whose price the hold keeps, module, category or default. refunded: how much of paid was given back; a repeated call shows it as it is now.';
CREATE TYPE api.credential AS (
	user_id text,
	email text,
	password_hash text
);
COMMENT ON TYPE api.credential IS 'A sign-in of the embedded identity provider.';
CREATE TYPE api.entry_receipt AS (
	entry_id text,
	user_id text,
	seq bigint,
	kind text,
	what text,
	posted_at timestamp with time zone,
	effective_at timestamp with time zone,
	tokens numeric,
	balance_before numeric,
	balance_after numeric,
	debt_before numeric,
	debt_after numeric,
	module_id text,
	usage jsonb,
	price jsonb,
	parts jsonb,
	calculation jsonb,
	lots jsonb,
	purchase jsonb,
	hold jsonb,
	refunds_entry text,
	refunded numeric,
	refunds jsonb,
	metadata jsonb,
	previous_hash text,
	hash text,
	tags jsonb
);
COMMENT ON TYPE api.entry_receipt IS 'One entry explained. tokens = balance_after - balance_before. price: the version of the price and whose it is. parts: a line for each dimension, as in a quote, and how much of it was free (free_used). calculation: from the sum of the parts to the tokens of the entry. lots: what each lot gave (below zero) or got, and the purchase that it came from. purchase: the order of this entry. hold: the hold that it captured, and all captures of it. refunds_entry: the charge that this entry gives back. refunds: the refunds of this entry. Null where it does not apply.';
CREATE TYPE api.event_receipt AS (
	event_id text,
	type text,
	outcome text,
	order_id uuid,
	entry_id text
);
COMMENT ON TYPE api.event_receipt IS 'What a Stripe event led to.';
CREATE TYPE api.failure_receipt AS (
	failure_id uuid,
	user_id text,
	module_id text,
	failed_at timestamp with time zone,
	replayed boolean
);
COMMENT ON TYPE api.failure_receipt IS 'A failed use that was recorded.';
CREATE TYPE api.free_plan_receipt AS (
	user_id text,
	plan_id text,
	allowance numeric,
	granted boolean,
	period_starts_at timestamp with time zone,
	period_ends_at timestamp with time zone,
	balance numeric,
	replayed boolean
);
COMMENT ON TYPE api.free_plan_receipt IS 'The present period of the free plan. granted: whether its allowance was given. replayed: the account had the free plan already.';
CREATE DOMAIN api.grant_reason AS text;
COMMENT ON DOMAIN api.grant_reason IS 'Why tokens are granted. add_tokens no longer takes it, because generators of types do not know domains. It stays for functions that callers have written with it.';
CREATE TYPE api.grant_receipt AS (
	entry_id text,
	user_id text,
	lot_id bigint,
	tokens numeric,
	balance numeric,
	replayed boolean
);
COMMENT ON TYPE api.grant_receipt IS 'Tokens that came in, as a lot.';
CREATE TYPE api.guest_receipt AS (
	use_id uuid,
	module_id text,
	state text,
	used bigint,
	"limit" bigint,
	remaining bigint,
	reset_at timestamp with time zone,
	replayed boolean
);
COMMENT ON TYPE api.guest_receipt IS 'A guest''s use, and what is left. used and limit are those of the device or of its network, whichever has less left. reset_at: when remaining next grows; null while nothing is used.';
CREATE TYPE api.hold_receipt AS (
	hold_id text,
	user_id text,
	module_id text,
	state text,
	held numeric,
	balance numeric,
	available numeric,
	draws jsonb,
	expires_at timestamp with time zone,
	replayed boolean,
	price_source text
);
COMMENT ON TYPE api.hold_receipt IS 'Tokens that are held, the lots they are in, and what can be spent besides (available, as api.balance says it). price_source: module, category or default, whose price it is.';
CREATE TYPE api.lot_receipt AS (
	entry_id text,
	user_id text,
	lot_id bigint,
	tokens numeric,
	remaining numeric,
	expires_at timestamp with time zone,
	balance numeric,
	replayed boolean
);
COMMENT ON TYPE api.lot_receipt IS 'A correction of a lot. entry_id: its entry. tokens: by how many tokens the lot changed. remaining, expires_at: of the lot now. balance: of the account after the entry.';
CREATE TYPE api.low_balance AS (
	user_id text,
	below numeric,
	percent numeric,
	threshold numeric
);
COMMENT ON TYPE api.low_balance IS 'When a user is told that the balance is low: below a number of tokens, or a percentage of the last grant. threshold: how many tokens that is now. All are null when the rule of the bank applies and there is no such rule.';
CREATE TYPE api.maintenance AS (
	accounts bigint,
	keys bigint,
	events bigint,
	partitions bigint,
	forgotten bigint
);
COMMENT ON TYPE api.maintenance IS 'How many accounts were brought up to date, how many idempotency keys were forgotten, how many Stripe events that had waited were applied, how many partitions of the ledger were made, and how much of other kinds was forgotten.';
CREATE TYPE api.newcomer AS (
	user_id text,
	email text,
	password_hash text,
	welcome numeric,
	welcome_waits_for text,
	reset_at timestamp with time zone
);
COMMENT ON TYPE api.newcomer IS 'A user who has signed up: the user id, the address as it is stored, and what they were given. password_hash is null: it is stored, but not returned. welcome_waits_for: verification (of the address), limit (of the device or network; until reset_at), or null.';
CREATE TYPE api.operating_figures AS (
	notices_waiting bigint,
	notices_age numeric,
	messages_due bigint,
	messages_age numeric,
	events_waiting bigint,
	events_age numeric,
	audit_age numeric,
	audit_checks bigint,
	audit_findings bigint
);
COMMENT ON TYPE api.operating_figures IS 'What waits in the bank and for how long, and how the last audit ended. Ages are seconds.';
CREATE TYPE api.order_receipt AS (
	order_id uuid,
	account_id uuid,
	user_id text,
	pack_id text,
	package_name text,
	module_id text,
	tokens numeric,
	bonus_tokens numeric,
	amount bigint,
	currency text,
	state text,
	stripe_price_id text,
	stripe_customer_id text,
	checkout_session_id text,
	replayed boolean,
	scope text,
	kind text
);
COMMENT ON TYPE api.order_receipt IS 'A purchase and its state. amount is in minor units of the currency.';
CREATE TYPE api.overdraft AS (
	user_id text,
	tokens numeric,
	debt numeric
);
COMMENT ON TYPE api.overdraft IS 'How far captures may take an account into debt, and how much debt it has.';
CREATE TYPE api.plan_offer AS (
	user_id text,
	account_id uuid,
	plan_id text,
	version bigint,
	title text,
	allowance numeric,
	"interval" text,
	interval_count bigint,
	amount bigint,
	currency text,
	trial_days bigint,
	stripe_price_id text,
	stripe_customer_id text
);
COMMENT ON TYPE api.plan_offer IS 'The terms on which an account can subscribe to a plan now. interval, interval_count: a period is so many months or years. amount: minor units of currency for each period. trial_days: the length of the free trial, 0 without one. stripe_price_id: the price at Stripe, if one is configured.';
CREATE TYPE api.quote AS (
	module_id text,
	cost numeric,
	balance numeric,
	available numeric,
	sufficient boolean,
	affordable numeric,
	price_id bigint,
	parts jsonb,
	price_source text
);
COMMENT ON TYPE api.quote IS 'What a use would cost now. available: tokens that may be spent on this module. affordable: how much they pay for; null when it is free. price_source: module, category or default, whose price it is.';
CREATE TYPE api.redemption_receipt AS (
	code text,
	kind text,
	campaign_id text,
	title text,
	entry_id text,
	user_id text,
	lot_id bigint,
	tokens numeric,
	balance numeric,
	expires_at timestamp with time zone,
	replayed boolean
);
COMMENT ON TYPE api.redemption_receipt IS 'What a code gave. A promotion gives its tokens at once. A referral gives none yet (entry_id is null): they come with the first purchase.';
CREATE TYPE api.referral_offer AS (
	user_id text,
	code text,
	campaign_id text,
	title text,
	tokens numeric,
	referee_tokens numeric
);
COMMENT ON TYPE api.referral_offer IS 'A user''s own code, and what the first purchase of somebody who uses it gives: tokens to the user, referee_tokens to the buyer.';
CREATE TYPE api.refund_receipt AS (
	entry_id text,
	user_id text,
	charge_id text,
	tokens numeric,
	expired numeric,
	balance numeric,
	draws jsonb,
	replayed boolean
);
COMMENT ON TYPE api.refund_receipt IS 'A charge that was undone, or a part of it. charge_id: its entry. draws: the lots that tokens went back into. expired: how many of these expired at once, because the date of their lot had passed. balance: after that.';
CREATE TYPE api.refund_request AS (
	request_id uuid,
	order_id uuid,
	user_id text,
	state text,
	tokens numeric,
	amount bigint,
	currency text,
	replayed boolean
);
COMMENT ON TYPE api.refund_request IS 'The answer of api.request_refund.';
CREATE TYPE api.refusal_receipt AS (
	user_id text,
	module_id text,
	depleted boolean
);
COMMENT ON TYPE api.refusal_receipt IS 'Whether the tokens of a user do not cover a use of a module.';
CREATE TYPE api.release_receipt AS (
	hold_id text,
	user_id text,
	module_id text,
	state text,
	released numeric,
	captured numeric,
	replayed boolean
);
COMMENT ON TYPE api.release_receipt IS 'A hold that has ended: the tokens that went back, and those charged before.';
CREATE TYPE api.session AS (
	user_id text,
	state text,
	refresh_token text,
	expires_at timestamp with time zone
);
COMMENT ON TYPE api.session IS 'A session of a user who signed in here. state: active, ended or expired, or null when there is no such session. refresh_token: refreshes it once, only in the answer that made it. expires_at: when it ends if it is not refreshed.';
CREATE TYPE api.sessions_ended AS (
	user_id text,
	ended bigint
);
COMMENT ON TYPE api.sessions_ended IS 'How many sessions of a user were ended.';
CREATE TYPE api.shortfall_receipt AS (
	shortfall_id text,
	user_id text,
	tokens numeric,
	state text,
	replayed boolean
);
COMMENT ON TYPE api.shortfall_receipt IS 'A shortfall that was settled or written off.';
CREATE TYPE api.spend_limit AS (
	user_id text,
	period text,
	set_by text,
	tokens numeric,
	spent numeric,
	remaining numeric,
	resets_at timestamp with time zone
);
COMMENT ON TYPE api.spend_limit IS 'What may be spent in a period, and what has been spent. tokens is null when there is no limit.';
CREATE TYPE api.spend_receipt AS (
	entry_id text,
	user_id text,
	module_id text,
	cost numeric,
	balance numeric,
	draws jsonb,
	replayed boolean,
	price_source text,
	refunded numeric
);
COMMENT ON TYPE api.spend_receipt IS 'A charge: the entry, what it cost, the balance after it, and the lots it was taken from. price_source: module, category or default, whose price it is. refunded: how much of the cost was given back; a repeated call shows it as it is now.';
CREATE TYPE api.stripe_calls AS (
	calls jsonb
);
COMMENT ON TYPE api.stripe_calls IS 'The answer of api.claim_stripe_calls: the calls to Stripe that a worker is to make.';
CREATE TYPE api.stripe_customer AS (
	user_id text,
	account_id uuid,
	stripe_customer_id text
);
COMMENT ON TYPE api.stripe_customer IS 'Who an account is at Stripe.';
CREATE TYPE api.stripe_missing AS (
	events text[],
	objects text[]
);
COMMENT ON TYPE api.stripe_missing IS 'What the bank lacks: ids of events that it did not get, and of objects that its books do not agree with.';
CREATE TYPE api.stripe_page AS (
	list text,
	objects bigint,
	missed bigint,
	finished boolean
);
COMMENT ON TYPE api.stripe_page IS 'What was read: how many objects; how many events the bank did not have; whether the list is finished.';
CREATE TYPE api.stripe_reading AS (
	list text,
	path text,
	since bigint,
	after text
);
COMMENT ON TYPE api.stripe_reading IS 'What to ask Stripe for next: the path of a list; created since (seconds since 1970; null: from the beginning); after which object (null: the first page).';
CREATE TYPE api.stripe_report AS (
	call_id uuid,
	state text,
	due_at timestamp with time zone
);
COMMENT ON TYPE api.stripe_report IS 'The answer of api.report_stripe_call.';
CREATE TYPE api.test_clock AS (
	user_id text,
	frozen_time timestamp with time zone
);
COMMENT ON TYPE api.test_clock IS 'The time on the test clock of an account.';
CREATE TYPE api.webhook AS (
	endpoint_id uuid,
	url text,
	kinds text[],
	description text,
	state text,
	reason text,
	secret text
);
COMMENT ON TYPE api.webhook IS 'An endpoint: its address, the kinds of notices that it gets (null: all), and its state (enabled or disabled, and why). secret is there only in the answer that made it.';
CREATE TYPE api.webhook_batch AS (
	messages jsonb
);
COMMENT ON TYPE api.webhook_batch IS 'Messages that a worker has taken to send.';
CREATE TYPE api.webhook_replay AS (
	endpoint_id uuid,
	messages bigint
);
COMMENT ON TYPE api.webhook_replay IS 'How many messages were put in the queue of an endpoint.';
CREATE TYPE api.webhook_result AS (
	state text,
	due_at timestamp with time zone,
	endpoint_state text
);
COMMENT ON TYPE api.webhook_result IS 'What became of a message: its state, when it is sent again, and the state of its endpoint.';
CREATE TYPE audit.balance_line AS (
	place bigint,
	line text,
	posted_at timestamp with time zone,
	tokens numeric,
	balance_posted numeric,
	balance_effective numeric,
	what text,
	kind text,
	debt numeric,
	held numeric,
	effective_at timestamp with time zone,
	expires_at timestamp with time zone,
	seq bigint,
	entry_id text,
	hold_id text
);
COMMENT ON TYPE audit.balance_line IS 'A line of an explained balance. line: opening, movement, late, unbooked, balance, carried, held or lot. balance_posted: the balance as the entries up to here were posted. balance_effective: the same lines in the order in which they took effect, added up to here.';
CREATE DOMAIN credits.account_status AS text
	CONSTRAINT account_status_is_known CHECK ((VALUE = ANY (ARRAY['active'::text, 'frozen'::text, 'closed'::text])));
COMMENT ON DOMAIN credits.account_status IS 'active, frozen (cannot spend) or closed (cannot get anything either).';
CREATE DOMAIN credits.amount AS numeric(20,6)
	CONSTRAINT amount_is_finite_and_not_negative CHECK (((VALUE >= (0)::numeric) AND (VALUE < ('100000000000000'::bigint)::numeric)));
COMMENT ON DOMAIN credits.amount IS 'An amount of tokens that cannot be below zero.';
CREATE TYPE credits.entry_kind AS ENUM (
    'purchase',
    'bonus',
    'grant',
    'welcome',
    'promo',
    'referral',
    'allowance',
    'rollover',
    'spend',
    'byok',
    'refund',
    'expire',
    'reversal',
    'reinstatement',
    'repayment',
    'adjustment'
);
COMMENT ON TYPE credits.entry_kind IS 'Why a balance moved. Each kind has its counter-account in credits.entry_kinds.';
CREATE DOMAIN credits.hold_state AS text
	CONSTRAINT hold_state_is_known CHECK ((VALUE = ANY (ARRAY['open'::text, 'captured'::text, 'released'::text, 'expired'::text])));
COMMENT ON DOMAIN credits.hold_state IS 'A hold is open until it is captured or released, or expires. It never changes after that.';
CREATE DOMAIN credits.tokens AS numeric(20,6)
	CONSTRAINT tokens_are_finite CHECK (((VALUE > ('-100000000000000'::bigint)::numeric) AND (VALUE < ('100000000000000'::bigint)::numeric)));
COMMENT ON DOMAIN credits.tokens IS 'An exact amount in the unit of the price list (tokens, credits, euro cents), with six decimals. Refuses NaN and infinity.';
CREATE DOMAIN credits.unit_cost AS numeric
	CONSTRAINT unit_cost_is_not_negative CHECK (((VALUE >= (0)::numeric) AND (VALUE < 'Infinity'::numeric)));
COMMENT ON DOMAIN credits.unit_cost IS 'Money paid for one token, in minor units of a currency.';
CREATE FUNCTION api.acknowledge_notices(notice_ids uuid[]) RETURNS api.acknowledgement
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.acknowledge_notices(notice_ids uuid[]) IS 'Mark notices as delivered, which api.notices then shows. For services. Safe to repeat. notices: how many were marked
now.
Raises PT422 bad_notices, PT403 not_yours.';
CREATE FUNCTION api.add_package(user_id text, tokens_to_add numeric, package_name text, idempotency_key text DEFAULT NULL::text) RETURNS api.grant_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.add_package(user_id text, tokens_to_add numeric, package_name text, idempotency_key text) IS 'Grant the tokens of a package that was paid for. For services.
With an idempotency_key a repeat of the same call gets the same answer. Without one it is another grant.
Raises PT422 bad_reason for a package with the name of a reason, PT422 bad_amount, bad_key or bad_user, PT409
key_reused,
PT423 account_frozen, PT403 not_yours.';
CREATE FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) RETURNS api.grant_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) IS 'Grant the tokens of a package that was paid for (IAHome''s signature). For services. Pass other reasons by name:
add_tokens(''ada'', 3, reason => ''promo''). This form takes no idempotency_key, so a repeat is another grant;
add_package takes one.
Raises PT422 bad_reason for a package with the name of a reason, PT422 bad_amount or bad_user, PT423 account_frozen,
PT403 not_yours.';
CREATE FUNCTION api.add_tokens(user_id text, tokens numeric, reason character DEFAULT 'grant'::bpchar, package_name text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, priority bigint DEFAULT NULL::bigint, scope text DEFAULT 'any'::text, idempotency_key text DEFAULT NULL::text, metadata jsonb DEFAULT '{}'::jsonb) RETURNS api.grant_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.add_tokens(user_id text, tokens numeric, reason character, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb) IS 'Grant tokens to a user, as a lot. For services. Opens the account of a new user.
reason: grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment.
scope: module:ID or category:ID that the tokens are bound to. any, the default, means nothing; null is refused.
expires_at: infinity, the default, means never; null is refused.
priority: lower numbers are spent first. By default rollover 5, allowance 10, given away 20, bought 50.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT422 bad_amount, bad_reason, bad_expiry, bad_scope, bad_key, bad_user or bad_metadata, PT409 key_reused,
PT423 account_frozen, PT403 not_yours.';
CREATE FUNCTION api.apply_stripe_event(event jsonb, payload bytea DEFAULT NULL::bytea) RETURNS api.event_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.apply_stripe_event(event jsonb, payload bytea) IS 'Apply a Stripe event whose signature has been verified. For services. Safe to repeat, in any order.
payload: the bytes as they arrived. They are kept. Needed if characters had to be replaced so that event could be
stored.
outcome: granted, processing (paid later), failed, expired, parked (a person must decide: the money does not match the
order, or the event contradicts itself), waiting (its order cannot be seen yet, or has no session yet; it is tried again
when attach_checkout names the session, when the event is repeated, and by maintain), duplicate (of an event or of a
purchase), unmatched (it names no order), stored (a type that moves nothing).
Raises PT422 bad_event, foreign_account or wrong_mode, PT403 not_yours.';
CREATE FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text DEFAULT NULL::text, replaces_customer_id text DEFAULT NULL::text) RETURNS api.order_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text, replaces_customer_id text) IS 'Record the Stripe Checkout session of an order, and the Stripe customer of the account. For services.
Only the events of this session move the order. This call applies those that came before it.
The first customer stays, unless replaces_customer_id says that it no longer exists. An order that got no checkout
within an hour, or is no longer sold as it was, cannot get one any more: end the session then. A session belongs to one
order.
Raises PT404 unknown_order or unknown_user, PT409 order_closed (state), PT422 bad_order, PT403 not_yours.';
CREATE FUNCTION api.attach_customer(account_id uuid, customer_id text, replaces_customer_id text DEFAULT NULL::text) RETURNS api.stripe_customer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.attach_customer(account_id uuid, customer_id text, replaces_customer_id text) IS 'Record the Stripe customer of an account. For services.
The first customer stays, unless replaces_customer_id says that it no longer exists. stripe_customer_id: the customer
that the account has now.
Raises PT404 unknown_user, PT422 bad_order, PT403 not_yours.';
CREATE FUNCTION api.begin_sign_in(email text, network_keys text[], shared_network boolean DEFAULT false) RETURNS api.credential
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.begin_sign_in(email text, network_keys text[], shared_network boolean) IS 'The credential of an e-mail address, or a row of nulls, for one attempt to sign in. The attempt counts as failed until
finish_sign_in says that it succeeded. For services.
network_keys and shared_network: as for guest_consume. There are limits per account and network, per account over the
networks where it has not signed in before, and per network (credits.limit_sign_ins).
Raises PT429 sign_in_limit, PT422 bad_guest, PT403 not_yours.';
CREATE FUNCTION api.begin_sign_up(network_keys text[], shared_network boolean DEFAULT false) RETURNS api.admission
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.begin_sign_up(network_keys text[], shared_network boolean) IS 'Count a sign-up from a network, before the password is hashed. For services.
Raises PT429 sign_up_limit, PT422 bad_guest, PT403 not_yours.';
CREATE FUNCTION api.cancel_order(account_id uuid, order_id uuid) RETURNS api.order_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.cancel_order(account_id uuid, order_id uuid) IS 'End a pending order: its state becomes expired. An order in any other state stays as it is. For services.
End the order''s Checkout session first: money that arrives through it is still granted.
Raises PT404 unknown_order or unknown_user, PT403 not_yours.';
CREATE FUNCTION api.capture_hold(hold_id text, usage jsonb DEFAULT '"held"'::jsonb, final boolean DEFAULT true, over text DEFAULT 'debt'::text, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text) RETURNS api.capture_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.capture_hold(hold_id text, usage jsonb, final boolean, over text, idempotency_key text, user_id text) IS 'Charge a hold for what was really used, at the price at which the hold was made. The default of usage, "held", charges
all that is held. Null is refused.
If the use costs less than is held, the rest goes back. If it costs more than the lots can pay, over says what happens:
debt (up to the account''s overdraft limit, then a shortfall), available (a shortfall at once) or error (nothing is done).
With final: false the call charges a part and keeps the rest held, for streaming. A hold that has expired can be captured
once, for 24 hours, by a fresh debit (late: true). Neither a frozen account nor a spend limit stops a service''s capture.
A user can capture their own hold only while the account is active, and only for 24 hours after it was made, late or not.
What a user takes beyond the hold is refused where a spend would be, whatever over says.
The parts of a use cost together what the whole use costs. A part may cost 0 when the parts before it have paid for its
unit. A user''s use that costs nothing as a whole is refused, and so is a part that uses nothing.
With an idempotency_key, a repeat of the same call gets the same answer with replayed: true. But state and held are those
of the hold as it is now, and refunded says how much of the charge has been given back by now.
Raises PT404 unknown_hold, PT409 hold_closed (state) or key_reused, PT402 insufficient_tokens (over: error, or a user),
PT422 bad_usage, bad_final, bad_over or bad_key, PT423 account_frozen (a user), PT429 spend_limit (a user''s, beyond the hold)
or unpaid_limit (a user, of a free module or of too many parts that cost nothing), PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
CREATE FUNCTION api.change_expiry(lot_id text, expires_at timestamp with time zone, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.lot_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.change_expiry(lot_id text, expires_at timestamp with time zone, reason text, idempotency_key text) IS 'Change when a lot expires. For operators. It is an entry of kind adjustment over 0 tokens, with who did it, why, and
both dates. Tokens that have expired do not come back; tokens that come back later obey the new date.
lot_id: account:lot_id, which is the entry_id of the grant. expires_at: infinity means never (in
JSON, the text "infinity"); null is refused.
With an idempotency_key a repeat of the same call gets the same answer. Another call undoes it.
Raises PT404 unknown_lot, PT409 key_reused, PT422 bad_expiry, bad_reason or bad_key, PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.change_password(email text, password_hash text, compared_hash text DEFAULT NULL::text) RETURNS api.sessions_ended
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.change_password(email text, password_hash text, compared_hash text) IS 'Give a user another password, as an argon2 hash, and end all their sessions. For services: the caller has compared the
old password, or has sent a mail to the address.
compared_hash: the hash that the old password was compared with. If it is no longer the user''s, nothing is changed, and
the answer is a row of nulls.
Raises PT404 unknown_user, PT422 bad_password, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.claim_stripe_calls(most bigint DEFAULT 10, lease_seconds bigint DEFAULT 60) RETURNS api.stripe_calls
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.claim_stripe_calls(most bigint, lease_seconds bigint) IS 'Take calls to Stripe that are due, most at a time, for lease_seconds. For services: pgcredits work makes the calls.
calls: an array of objects. kind: charge, refund or confirm_card. params: the parameters of the call. idempotency_key:
its key, the same each time. must_look_up: do not make the call, but look whether an earlier try was done, since
first_tried_at (seconds since 1970). Report each answer to report_stripe_call, with account_id, call_id and lease.
A call without a report is due again when its lease has ended. Several workers may call this at once.
Raises PT422 bad_limit, PT403 not_yours.';
CREATE FUNCTION api.close_shortfall(shortfall_id text, state text) RETURNS api.shortfall_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.close_shortfall(shortfall_id text, state text) IS 'Record what became of a shortfall: settled (paid in another way) or written_off. For services. No balance changes.
A repeat gets the same answer, replayed: true. Raises PT404 unknown_shortfall, PT409 shortfall_closed (state),
PT422 bad_state, PT403 not_yours.';
CREATE FUNCTION api.confirm_guest_use(use_id uuid) RETURNS api.guest_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.confirm_guest_use(use_id uuid) IS 'Report that a guest''s use succeeded: reserved becomes confirmed, and stays so.
For services. If the use_id came from a client, do the work only once, and only with the module that the answer names: a
second confirmation is answered with replayed: true. Raises PT404 unknown_use, PT409 use_closed (it was released),
PT403 not_yours.';
CREATE FUNCTION api.consume_call(user_id text, module_id text, module_name text, tokens_to_consume numeric, idempotency_key text DEFAULT NULL::text, tags jsonb DEFAULT NULL::jsonb) RETURNS api.spend_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.consume_call(user_id text, module_id text, module_name text, tokens_to_consume numeric, idempotency_key text, tags jsonb) IS 'Spend tokens on one call of a module, naming the price.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer with replayed: true. This
function and consume_tokens share their keys. Without a key, a repeat is another charge.
tags: as consume_tokens takes them.
Raises PT402 insufficient_tokens, PT404 unknown_module or unknown_user, PT409 key_reused, PT422 price_mismatch when
tokens_to_consume is not the price in the database, PT422 bad_amount, bad_key, bad_usage, bad_tags or bad_isolation,
PT423 account_frozen, PT429 spend_limit, PT403 not_yours, PT401 not_signed_in, PT503 busy.';
CREATE FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) RETURNS api.spend_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) IS 'Spend tokens on one call of a module, naming the price (IAHome''s signature). It takes no idempotency_key, so a repeat
is another charge. consume_call takes a key.
Raises what consume_call raises.';
CREATE FUNCTION api.consume_tokens(module_id text, usage jsonb DEFAULT '{}'::jsonb, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text, metadata jsonb DEFAULT '{}'::jsonb, byok boolean DEFAULT false, tags jsonb DEFAULT NULL::jsonb) RETURNS api.spend_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean, tags jsonb) IS 'Spend tokens on a module.
The database sets the price. usage gives the quantity of each dimension of the price, by default {"calls": 1}. A part of
a dimension (cached_input_tokens of input_tokens) may be named apart. It costs its own rate if the price has one for it,
otherwise that of its parent.
price_source says whose price it is: the module''s own, its category''s, or the default for every other module. A
user''s use may cost 0 only if one whole unit costs 0. metadata has at most 1 kB from a user, 16 kB from a service.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer with replayed: true. But
refunded says how much of the charge has been given back by now. A user spends their own tokens. A service names the
user_id.
tags: at most 8 small texts that say what the use was for, such as {"conversation": "c-17"}. Sums are made of them:
usage_by_tag. Names have at most 40 characters, values 100. No personal data belongs there.
byok: true if a service reports that the user''s own key at the provider was used. The quantities are recorded, and
the cost is 0.
Raises PT402 insufficient_tokens (balance, available, cost, missing, affordable), PT404 unknown_module (did_you_mean)
or unknown_user, PT409 key_reused, PT422 bad_usage, bad_key, bad_byok, bad_metadata or bad_tags, PT423 account_frozen,
PT429 spend_limit or unpaid_limit (a user, of a free module), PT403 not_yours, PT401 not_signed_in, PT422
bad_isolation.';
CREATE FUNCTION api.consume_tokens_batch(items jsonb, atomic boolean DEFAULT false) RETURNS api.batch_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.consume_tokens_batch(items jsonb, atomic boolean) IS 'Spend tokens many times in one call. For services and spenders.
items: 1 to 1000 of {"user_id", "module_id", "usage", "idempotency_key", "metadata", "byok", "tags"}, each with the
meaning of consume_tokens. The items are charged or refused one by one, in this order, and verdicts has one verdict
for each. {"ok": true, …} has the answer of consume_tokens; {"ok": false, "code": "PT402", "error": "insufficient_tokens",
"message", …} has the error that it raises. If another transaction has a user''s wallet for too long, the items of
that user are refused with PT503 busy, and may be sent again. This function and consume_tokens share their keys: the
second call with a key gets the answer of the first. atomic: if any item is refused, nothing is charged, and the call
raises the error of the first refused item, with its index (from 0) among the facts.
Raises PT422 bad_items, PT403 not_yours.';
CREATE FUNCTION api.create_api_key(name text, role text, expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, idempotency_key text DEFAULT NULL::text) RETURNS api.api_key
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.create_api_key(name text, role text, expires_at timestamp with time zone, idempotency_key text) IS 'Make an API key for a backend: docs/identity.md. For services.
name: what you call it. role: what its calls may do: spender, support or service_role. expires_at: infinity means never.
idempotency_key: a repeated call makes no second key. It answers replayed, without the text of the key: if the first
answer was lost, rotate the key.
api_key: what the backend sends, as a bearer token or in the header apikey. Only this answer shows it. A key that was
made with another key ends with that one, at the latest, and is revoked with it.
Raises PT422 bad_api_key, bad_expiry or bad_key, PT409 key_reused or api_key_closed, PT404 unknown_api_key, PT503 busy,
PT403 not_yours.';
CREATE FUNCTION api.create_order(pack_id text DEFAULT NULL::text, amount bigint DEFAULT NULL::bigint, module_id text DEFAULT NULL::text, user_id text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.order_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) IS 'Begin a purchase: of a pack, or a top-up of an amount, where the price list offers it. The payment brings the tokens.
amount: in minor units (cents). module_id: binds the tokens to this module, where the scope of the pack allows it.
With an idempotency_key a repeat gets the same order, as it is now. Without a checkout, an order expires after an hour,
or when its pack or top-up is no longer sold as it was. An account has at most 20 pending orders, unless the operator
says otherwise, and 1000 orders of a user may end without money in an hour (credits.bound_unpaid).
Raises PT404 unknown_pack or unknown_module, PT422 bad_order, bad_amount or bad_key, PT409 key_reused, PT429
too_many_orders or unpaid_limit (for a user), PT423 account_frozen, PT403 not_yours, PT401 not_signed_in, PT422
bad_isolation.';
CREATE FUNCTION api.disable_webhook(endpoint_id uuid, reason text) RETURNS api.webhook
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.disable_webhook(endpoint_id uuid, reason text) IS 'Send nothing to an endpoint until enable_webhook. For services. Notices that are written meanwhile reach it only by
replay_webhook.
The call records who disabled it, when and why. Disabling it again changes nothing.
Raises PT404 unknown_webhook, PT422 bad_reason, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.dismiss_event(event_id text, reason text) RETURNS api.event_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.dismiss_event(event_id text, reason text) IS 'Take a Stripe event from the list of those that need a decision (audit.parked). For operators. It moves nothing any more, also when Stripe sends it again, unless api.replay_event applies it. To repeat the call changes nothing.
reason: why, in at most 200 characters; it is kept with who decided.
outcome: dismissed.
Raises PT404 unknown_event, PT409 event_closed (outcome), PT422 bad_reason, PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.enable_webhook(endpoint_id uuid, reason text) RETURNS api.webhook
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.enable_webhook(endpoint_id uuid, reason text) IS 'Send to an endpoint again, first what was waiting when it was disabled. For services.
The call records who enabled it, when and why. Enabling it again changes nothing.
Raises PT404 unknown_webhook, PT422 bad_reason, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.end_session(account_id uuid, session_id uuid, token_hash text, everywhere boolean DEFAULT false) RETURNS api.sessions_ended
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.end_session(account_id uuid, session_id uuid, token_hash text, everywhere boolean) IS 'End the session that a refresh token is of, or with everywhere all sessions of its user. For services. Safe to repeat.
A row of nulls: there is no such token.
Raises PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.end_sessions(user_id text DEFAULT NULL::text) RETURNS api.sessions_ended
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.end_sessions(user_id text) IS 'End all sessions of the caller, or of the user that a service names. Safe to repeat. Access tokens that were issued
before count until they expire.
Raises PT404 unknown_user, PT401 not_signed_in, PT422 bad_user or bad_isolation, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.explain_balance(at timestamp with time zone DEFAULT NULL::timestamp with time zone, user_id text DEFAULT NULL::text, movements bigint DEFAULT 100, before_seq bigint DEFAULT NULL::bigint) RETURNS api.balance_explanation
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.explain_balance(at timestamp with time zone, user_id text, movements bigint, before_seq bigint) IS 'Explain a balance: the movements that made it, what is held, and what expires when.
at: the moment; null, the default, means now. movements: how many at most, 1 to 1000, the last ones before the moment.
before_seq: go on with older ones: give before_seq of the answer.
The answer has opening (the balance before these movements), movements, balance (the number that api.balance shows, or
showed then), balance_posted (what the entries add up to), debt, held, holds and lots. The lots add up to the balance
plus the debt. Their order is that of their expiry.
Each movement has balance_posted, the balance after it, and balance_effective, which adds up the same movements by
effective_at: an expiry counts from the moment when its lot expired. line says what it is: movement (an entry), late (an
entry that was posted after the moment, but had taken effect by then) or unbooked (a lot that is past its date, which no
call has booked yet).
For an earlier moment: holds are those that were open then; a lot has the date that it has now; lots is null when more
than a thousand entries came since; a period of a plan that was paid late counts from its beginning; and tokens that a
hold kept past the date of their lot count until it ended, but their expiry took effect at the date.
Raises PT404 unknown_user, PT422 bad_at, bad_limit or bad_user, PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION api.extend_hold(hold_id text, ttl interval DEFAULT '00:15:00'::interval, user_id text DEFAULT NULL::text) RETURNS api.hold_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.extend_hold(hold_id text, ttl interval, user_id text) IS 'Let an open hold last for ttl from now, at most 24 hours. Call this as often as needed, before the hold expires.
A hold that a user made ends at most 24 hours after it was made, however often it is extended. A hold that a service
made ends after at most 7 days; the operator can set another bound. No hold keeps the tokens of a lot for more than 24
hours after the lot''s date. The hold is extended as far as these bounds allow, and expires_at says how far that is.
Users extend only their own holds, and only while the account is active.
Raises PT404 unknown_hold, PT409 hold_closed (state), PT422 bad_ttl, PT423 account_frozen (a user), PT403 not_yours,
PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.find_credential(email text) RETURNS api.credential
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.find_credential(email text) IS 'The credential of an e-mail address, or a row of nulls. For services.
Raises PT403 not_yours.';
CREATE FUNCTION api.finish_sign_in(email text, network_keys text[]) RETURNS api.admission
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.finish_sign_in(email text, network_keys text[]) IS 'Report that an attempt of begin_sign_in succeeded. It no longer counts, and its network is recorded as one where this
user signs in. For services.
Raises PT404 unknown_user, PT422 bad_guest, PT403 not_yours.';
CREATE FUNCTION api.finish_webhook(account_id uuid, notice_id uuid, endpoint_id uuid, lease uuid, http_status bigint DEFAULT NULL::bigint, trouble text DEFAULT NULL::text) RETURNS api.webhook_result
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.finish_webhook(account_id uuid, notice_id uuid, endpoint_id uuid, lease uuid, http_status bigint, trouble text) IS 'Report the try of a message that take_webhooks gave. For services. http_status: of the answer, null without
one. trouble: what went wrong. A status from 200 to 299 means that it was delivered; anything else is tried again later.
An endpoint that answers 410, or that has taken nothing for five days, is disabled. Safe to repeat.
Raises PT404 unknown_webhook, PT422 bad_reason (trouble is too long, or has control characters), PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.freeze_account(user_id text, reason text DEFAULT NULL::text) RETURNS api.account_standing
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.freeze_account(user_id text, reason text) IS 'Freeze an account: it cannot spend or hold anything new until thaw_account. For services.
It still gets what it buys, and work that has begun can be captured or released. The call records who froze it, when
and why. Freezing it again changes nothing.
Raises PT404 unknown_user, PT423 account_frozen (a closed account), PT422 bad_reason or bad_user, PT403 not_yours.';
CREATE FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean DEFAULT false) RETURNS api.guest_receipt
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean) IS 'How many free uses a guest has left, and when there will be more. Writes nothing.
For services. The arguments are those of guest_consume. Raises PT403 no_guests or not_yours, PT422 bad_guest.';
CREATE FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean DEFAULT false) RETURNS api.guest_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean) IS 'Reserve a free use for a guest, who is somebody without an account.
For services. Call confirm_guest_use when the use succeeded, and release_guest_use when it failed. Until then it counts
as used.
device_keys, network_keys: one or two HMACs each (64 hex digits), under the current salt, and under the salt before or
after it. shared_network: the network is known to be shared, and has the higher limit.
Raises PT429 guest_limit (with the limit, and the time at which there will be more), PT403 no_guests or not_yours,
PT404 unknown_module, PT422 bad_guest.';
CREATE FUNCTION api.hold_tokens(module_id text, usage jsonb DEFAULT '{}'::jsonb, ttl interval DEFAULT '00:15:00'::interval, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text, metadata jsonb DEFAULT '{}'::jsonb, tags jsonb DEFAULT NULL::jsonb) RETURNS api.hold_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.hold_tokens(module_id text, usage jsonb, ttl interval, idempotency_key text, user_id text, metadata jsonb, tags jsonb) IS 'Hold tokens for a use of a module. The use is priced now, at the worst case that usage names. capture_hold charges it
when the work is done. release_hold frees the tokens. After ttl (at most 24 hours) the hold expires, and they are free
again.
The hold keeps its version of the price and its lots, even if prices change or lots expire meanwhile.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer with replayed: true. But
state, held and expires_at are those of the hold as it is now: start the work only while it is open.
A user holds their own tokens. A service names the user_id, and only a service can capture or release a hold that a
service made.
tags: as consume_tokens takes them. Each charge of the hold gets them.
A user can make no hold while their account has 100 open ones. A service can make none while 100 open ones were made by
services. The operator can set another number. In an hour, 1000 holds of a user may end with nothing charged;
credits.bound_unpaid changes that.
Raises PT402 insufficient_tokens (balance, available, cost, missing, affordable, debt), PT404 unknown_module or unknown_user,
PT409 key_reused, PT422 bad_usage, bad_ttl, bad_key, bad_user, bad_metadata or bad_tags, PT423 account_frozen, PT429
spend_limit, too_many_holds (limit) or unpaid_limit (a user: limit, reset_at), PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
CREATE FUNCTION api.lift_spend_limit(period text, user_id text DEFAULT NULL::text) RETURNS api.spend_limit
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.lift_spend_limit(period text, user_id text) IS 'Lift a limit for a day or month that set_spend_limit set. Safe to repeat. The tokens in the answer are null: there is
no limit.
A user lifts their own limit. A limit that a service has set is lifted only by a service, for a user_id.
Raises PT422 bad_period, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.maintain(max_accounts bigint DEFAULT 100, max_keys bigint DEFAULT 10000) RETURNS api.maintenance
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.maintain(max_accounts bigint, max_keys bigint) IS 'Do what is due, for at most max_accounts accounts: book expired holds and lots, announce lots that expire soon, and
begin the periods of limits. Also end the orders of as many accounts that got no checkout within an hour, cancel the
charges of automatic top-ups that no worker has tried within a day, apply as many
Stripe events that waited for their order, list the prices that have begun, and forget at most max_keys idempotency keys
that are older than their period (35 days, or longer), and as many of each other kind that credits.retention_periods
names. If partitions of the ledger are missing for the next months, the call makes these and
nothing else. For services. accounts, keys, events, partitions and forgotten (of the
other kinds): how many were done. Call again until all are 0.
Raises PT403 not_yours, PT422 bad_limit.';
CREATE FUNCTION api.missing_from_stripe() RETURNS api.stripe_missing
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.missing_from_stripe() IS 'Say what Stripe''s lists have and the books lack. For services: `pgcredits stripe pull` calls it.
events: ids of events that the bank did not get. objects: ids of payments, refunds and disputes that the books do
not agree with. Give each to replay_from_stripe: the events first, because they may settle the objects.
Raises PT403 not_yours.';
CREATE FUNCTION api.note_stripe_page(list text, items jsonb, has_more boolean, after text DEFAULT NULL::text) RETURNS api.stripe_page
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.note_stripe_page(list text, items jsonb, has_more boolean, after text) IS 'Record a page of a list at Stripe, which read_stripe_list asked for. For services: `pgcredits stripe pull` calls it.
items: [{"object": …, "original": …}], in the order of the list; original: the bytes of an event in base64, where
characters had to be replaced so that it could be stored. after: the one that read_stripe_list named. missed: how many
events the bank did not have. finished: the list was read to its end. The books do not change.
Raises PT422 bad_page, bad_event, foreign_account or wrong_mode, PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.offer_plan(plan_id text, user_id text DEFAULT NULL::text) RETURNS api.plan_offer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.offer_plan(plan_id text, user_id text) IS 'The terms on which an account can subscribe to a plan now, for a Checkout session in subscription mode. The HTTP API
calls it for POST /checkout with a plan_id.
trial_days: 0 for an account that has had a subscription before. stripe_customer_id: null when it has no customer yet.
Raises PT404 unknown_plan, PT409 already_subscribed (subscription_id), PT422 bad_order for the free plan, PT423
account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.open_account(user_id text DEFAULT NULL::text, referral_code text DEFAULT NULL::text, device_keys text[] DEFAULT '{unknown}'::text[], network_keys text[] DEFAULT '{unknown}'::text[], shared_network boolean DEFAULT false, email_verified boolean DEFAULT false) RETURNS api.account_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[], network_keys text[], shared_network boolean, email_verified boolean) IS 'Open the caller''s account, with what new accounts are given, or find it. Safe to repeat: a welcome that was withheld
is tried again.
referral_code: the code of the user who brought them. With a code that is not valid the call is refused, and may be
repeated without it.
Only from services and spenders: device_keys, of the guest who became this user; network_keys and shared_network, as
for guest_consume, for the bounds of campaigns. Only from services: email_verified, which says that the issuer has
verified the address. Leave out keys that are not known, or pass {unknown}: null and an empty array are refused.
Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle,
PT422 bad_user, bad_guest or bad_isolation, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION api.open_session(email text, password_hash text) RETURNS api.session
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.open_session(email text, password_hash text) IS 'Open a session for a user whose password was right: docs/identity.md. For services.
password_hash: the hash that the password was compared with. If it is no longer the user''s, the answer is a row of
nulls. refresh_token: refreshes the session once. Only this answer shows it.
Raises PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.operating_figures() RETURNS api.operating_figures
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.operating_figures() IS 'What operators watch: what waits, and for how long. Cheap enough to be asked every few seconds. For services.
notices_waiting, notices_age: notices that no service has acknowledged, and the age of the oldest. messages_due,
messages_age: messages to products that are due, and for how long the first has been. events_waiting, events_age:
Stripe events that wait for their order, and the age of the oldest. audit_age, audit_checks, audit_findings: when
`pgcredits audit` last ran, how many checks it had and how many findings. Ages are seconds; null: nothing waits, or
nobody has audited the books. A count ends at 10000.
Raises PT403 not_yours.';
CREATE FUNCTION api.payment_customer(user_id text DEFAULT NULL::text) RETURNS api.stripe_customer
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.payment_customer(user_id text) IS 'The Stripe customer of an account. The HTTP API calls it for POST /portal.
Raises PT404 no_customer if the account has none yet, unknown_user, PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION api.quote_tokens(module_id text, usage jsonb DEFAULT '{}'::jsonb, user_id text DEFAULT NULL::text) RETURNS api.quote
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) IS 'What a use of a module would cost now, and whether the balance covers it. Writes nothing.
parts: how the cost is made up. For each dimension: the quantity, what it includes of parts that have no rate of their own
{dimension: quantity}, how much of it is free, the units charged (rounded up to whole units if whole_units), their price
or their tiers [{"above", "units", "price_per_unit"}], the minimum, and the charge. cost: the sum of the charges × margin ÷ exchange_rate, rounded up once, at the sixth decimal. affordable: the
greatest whole quantity that the tokens pay for, or, for a price of several dimensions, the number of such uses. Null
when it is free.
Raises PT404 unknown_module or unknown_user, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION api.read_stripe_list(list text, since timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS api.stripe_reading
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.read_stripe_list(list text, since timestamp with time zone) IS 'Say which page of a list at Stripe to read next. For services: `pgcredits stripe pull` calls it.
list: one of events, sessions, payment_intents, invoices, charges, refunds, disputes, payouts, balance_transactions.
since: how far back to read; by default to where the last reading ended, and a little further for objects that change.
A reading that was interrupted less than a day ago goes on where it stopped. Give the page to note_stripe_page.
Raises PT422 bad_page, PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.receipt(entry_id text) RETURNS api.entry_receipt
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.receipt(entry_id text) IS 'Explain one entry of the ledger, so that a person can check it by hand. Users see their own, services see all.
entry_id: account:seq, as every answer and api.entries name it.
parts: for a charge, a line for each dimension, as in a quote, with free_used: how much of it was free. calculation: the
sum of the parts × margin ÷ exchange_rate is before_rounding. Rounded up at the sixth decimal, and less earlier_parts
(what earlier captures of the same hold cost), it is the cost. basis says what was charged: price (the cost), hold (all
that the hold kept, held_before) or own_key (nothing). charged - shortfall = paid, and paid - debt came from the lots.
lots: what each lot gave (tokens below zero) or got (above zero), and the purchase that it came from.
Prices are versions that nobody edits, so the calculation is as it was. Orders, lots, holds and refunds are as they are
now. hold.captures and refunds have at most a hundred entries.
Raises PT404 unknown_entry, PT401 not_signed_in.';
CREATE FUNCTION api.redeem_code(code text, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text) RETURNS api.redemption_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) IS 'Redeem a code: that of a promotion, for its tokens, or that of the user who brought the caller, for what the first
purchase will give.
Case, white space and invisible characters do not matter. Opens the account of a new user.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true.
Raises PT404 unknown_code, PT409 code_expired, code_used, code_exhausted, own_code, not_eligible, referral_circle or
key_reused, PT422 bad_key, bad_user, bad_amount or bad_isolation, PT423 account_frozen, PT429 campaign_limit,
PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION api.referral_code(user_id text DEFAULT NULL::text) RETURNS api.referral_offer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.referral_code(user_id text) IS 'The caller''s own code, for the users whom they bring, and what the first purchase of such a user gives to both. The
code is made when somebody first asks for it.
Raises PT404 no_campaign (no campaign rewards bringing somebody) or unknown_user, PT422 bad_user, PT423
account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.refresh_session(account_id uuid, session_id uuid, token_hash text) RETURNS api.session
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.refresh_session(account_id uuid, session_id uuid, token_hash text) IS 'Refresh a session with its token, of which token_hash is the sha256 in hex. For services. The answer has the next
token. The same token within 10 seconds gets another one. Later it ends the session: somebody else may have it.
state: active; or ended or expired, without a token. A row of nulls: there is no such token.
Raises PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.refund_usage(entry_id text, tokens numeric DEFAULT 'Infinity'::numeric, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.refund_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.refund_usage(entry_id text, tokens numeric, reason text, idempotency_key text) IS 'Undo a charge (an entry of kind spend), whole or in part. The tokens go back to the lots that paid for it. For
services.
If the charge made debt, that part comes first. It lowers the debt that the account has now. Where the debt was repaid,
the tokens go into the lots that repaid it. Then the lots that the charge took from get theirs back, last taken first. A
second refund goes on where the first one stopped.
tokens: how many. Infinity, the default, means all that is left of the charge. Null is refused. All refunds of a
charge together give back no more than it took.
Tokens that go back into a lot past its date expire at once: expired says how many. The reason has at most 200
characters.
A refund counts for the spend limits of the day and month of the charge, not for later ones.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true.
Raises PT404 unknown_entry, PT409 already_refunded, not_refundable or key_reused, PT422 bad_amount (refundable),
bad_reason or bad_key, PT423 account_frozen when the account is closed, PT403 not_yours.';
CREATE FUNCTION api.register_webhook(url text, kinds text[] DEFAULT NULL::text[], description text DEFAULT NULL::text) RETURNS api.webhook
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.register_webhook(url text, kinds text[], description text) IS 'Register an address that is told what happens: docs/webhooks.md. For services.
url: https, or http on this machine. kinds: which notices it gets, by default all. secret: what its messages are signed
with (Standard Webhooks). Only this answer shows it. Repeating the call registers the address again, with another secret.
Raises PT422 bad_webhook (kinds: those that there are), PT403 not_yours.';
CREATE FUNCTION api.release_guest_use(use_id uuid) RETURNS api.guest_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.release_guest_use(use_id uuid) IS 'Report that a guest''s use failed: it no longer counts.
For services. A repeat gets the same answer, replayed: true. Raises PT404 unknown_use,
PT409 use_closed (it was confirmed), PT403 not_yours.';
CREATE FUNCTION api.release_hold(hold_id text, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text) RETURNS api.release_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.release_hold(hold_id text, reason text, idempotency_key text, user_id text) IS 'Release a hold: its tokens become free in their lots, and nothing is charged. Tokens of a lot that has expired
meanwhile expire now.
A reason (at most 200 characters) that begins with failed, error or timeout counts as a failure in the figures. Parts
captured before stay charged, and the hold then ends as captured. A repeat needs the key of the first release in that
case. For any other hold, a repeat gets the same answer without a key.
Raises PT404 unknown_hold, PT409 hold_closed (state) or key_reused, PT422 bad_reason or bad_key, PT429 unpaid_limit (a
user who sends ever new keys for a released hold), PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.renew_webhook_secret(endpoint_id uuid, reason text) RETURNS api.webhook
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.renew_webhook_secret(endpoint_id uuid, reason text) IS 'Make a new secret for an endpoint. For services. For 24 hours messages are signed with the old one as well.
secret: the new one. Only this answer shows it. Each call makes another secret.
Raises PT404 unknown_webhook, PT422 bad_reason, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.replay_event(event_id text, reason text) RETURNS api.event_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.replay_event(event_id text, reason text) IS 'Apply a Stripe event again: one that is listed in audit.parked, or was dismissed, or that a changed setting concerns. For operators. What it did before is not done twice.
reason: why, in at most 200 characters; it is kept with who decided.
Answers as api.apply_stripe_event does.
Raises PT404 unknown_event, PT422 bad_reason, PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.replay_from_stripe(event_id text DEFAULT NULL::text, object_id text DEFAULT NULL::text) RETURNS api.event_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.replay_from_stripe(event_id text, object_id text) IS 'Apply an event that the bank did not get, or what an object at Stripe says whose events are gone. For services:
`pgcredits stripe pull` calls it. Safe to repeat.
Name one of the two, as missing_from_stripe gives them. Answers as apply_stripe_event does.
Raises PT404 unknown_event, PT422 bad_page, bad_event, foreign_account or wrong_mode, PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.replay_webhook(endpoint_id uuid, since timestamp with time zone, reason text, delivered boolean DEFAULT false) RETURNS api.webhook_replay
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.replay_webhook(endpoint_id uuid, since timestamp with time zone, reason text, delivered boolean) IS 'Send an endpoint the notices since a time that it did not get: those that failed, and those from before it was
registered or while it was disabled. delivered: also those that it got. For services.
A message keeps its id, so the product can tell what it knows. messages: how many were put in the queue.
Raises PT404 unknown_webhook, PT422 bad_replay or bad_reason, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.report_failure(module_id text, duration_ms numeric DEFAULT NULL::numeric, metadata jsonb DEFAULT '{}'::jsonb, user_id text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.failure_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) IS 'Record that a use of a module failed, for the figures. Nothing is charged. For services and spenders.
duration_ms is how long the use took. For a use that succeeded, it is the number duration_ms in the metadata of the
charge. With an idempotency_key a repeat of the same call gets the same answer with replayed: true.
Raises PT404 unknown_module or unknown_user, PT409 key_reused, PT422 bad_duration, bad_metadata, bad_key or bad_user,
PT403 not_yours.';
CREATE FUNCTION api.report_refusal(module_id text, usage jsonb DEFAULT '{}'::jsonb, user_id text DEFAULT NULL::text) RETURNS api.refusal_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.report_refusal(module_id text, usage jsonb, user_id text) IS 'Report that a use was refused for lack of tokens, so that the notice depleted is written, once until tokens come
again. The refusal itself undoes everything and could not write it. The HTTP API calls this, so HTTP clients need not.
depleted: true when the tokens do not pay for this use; otherwise nothing is written.
Raises PT404 unknown_module or unknown_user, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION api.report_refused_capture(hold_id text, usage jsonb DEFAULT '"held"'::jsonb, user_id text DEFAULT NULL::text) RETURNS api.refusal_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.report_refused_capture(hold_id text, usage jsonb, user_id text) IS 'Report that a capture of a hold was refused for lack of tokens (over: error, or a user beyond the hold), so that the
notice depleted is written, once until tokens come again. The HTTP API calls this, so HTTP clients need not. It
charges nothing.
depleted: true when the hold and the other tokens do not pay for this use; otherwise, or when the hold has ended,
nothing is written.
Raises PT404 unknown_hold, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in, PT423 account_frozen (a user), PT429
spend_limit or unpaid_limit (a user).';
CREATE FUNCTION api.report_stripe_call(account_id uuid, call_id uuid, lease uuid, answer jsonb) RETURNS api.stripe_report
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.report_stripe_call(account_id uuid, call_id uuid, lease uuid, answer jsonb) IS 'Report what Stripe answered to a call. For services. Safe to repeat.
answer: object (what Stripe made), or of an error http_status, type, code, decline_code, message, retry_after
(seconds), replayed (Stripe repeated an earlier answer); or absent: true, if the worker looked and found nothing.
state: done, failed or canceled; due if the call is to be made again, at due_at.
Raises PT404 unknown_call, PT422 bad_answer, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.request_refund(user_id text, order_id uuid, tokens numeric DEFAULT NULL::numeric, amount bigint DEFAULT NULL::bigint, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.refund_request
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.request_refund(user_id text, order_id uuid, tokens numeric, amount bigint, reason text, idempotency_key text) IS 'Refund a purchase that was paid through Stripe: an order of a checkout, an automatic top-up or a subscription. For
services.
tokens: so many of the purchase, at what they cost; its bonus goes with them, in proportion. Infinity (in JSON, the text
"Infinity") means all that is not spent. amount: so much money, in minor units; one of the two. The tokens are withheld
at once. They go when Stripe has refunded the money; if it refuses, they are free again: see api.refund_requests.
With an idempotency_key a repeat of the same call gets the same request, as it is now.
Raises PT404 unknown_order or unknown_user, PT409 not_refundable (state) or key_reused, PT422 bad_amount (refundable,
tokens), bad_reason, bad_user or bad_key, PT403 not_yours.';
CREATE FUNCTION api.reset_low_balance(user_id text DEFAULT NULL::text) RETURNS api.low_balance
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.reset_low_balance(user_id text) IS 'Remove the threshold that set_low_balance chose, so that the rule of the bank says when the balance is low. Safe to
repeat.
Raises PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.resolve_api_key(key_id text, secret_hash text) RETURNS api.api_key_holder
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.resolve_api_key(key_id text, secret_hash text) IS 'Whose an API key is: a row of nulls when there is no such key. For services: the HTTP API asks.
key_id: the id within the text of the key. secret_hash: the sha256 of the whole text, in hex.
Raises PT403 not_yours.';
CREATE FUNCTION api.restore_lot(entry_id text, tokens numeric DEFAULT NULL::numeric, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.lot_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.restore_lot(entry_id text, tokens numeric, reason text, idempotency_key text) IS 'Undo api.void_lot, whole or in part: the tokens go back into their lot. For operators. If the lot has expired since,
they expire at once, in an entry of their own.
entry_id: the entry of the void. tokens: how many; null, the default, means all that is left of it.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT404 unknown_entry, PT409 not_refundable or key_reused, PT422 bad_amount (restorable), bad_reason or bad_key,
PT403 not_yours, PT503 busy.';
CREATE FUNCTION api.revoke_api_key(key_id text, reason text DEFAULT NULL::text) RETURNS api.api_key
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.revoke_api_key(key_id text, reason text) IS 'Revoke an API key and the keys that were made with it. For services. The HTTP API notices within 10 seconds. The call
records who revoked it, when and why. Revoking it again changes nothing.
Raises PT404 unknown_api_key, PT409 api_key_closed, PT422 bad_reason, PT503 busy, PT403 not_yours.';
CREATE FUNCTION api.rotate_api_key(key_id text, overlap interval DEFAULT '24:00:00'::interval, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, reason text DEFAULT NULL::text) RETURNS api.api_key
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.rotate_api_key(key_id text, overlap interval, expires_at timestamp with time zone, reason text) IS 'Give an API key a new secret. Its id, name and role stay. For services.
overlap: how long the old secret still works, 0 to 30 days. expires_at: when the key now expires, infinity for never. If
it is left out, that stays as it was. Keys that were made with this one expire no later than it does.
api_key: what the backend sends from now on. Only this answer shows it. Each call makes another secret.
A call that comes with an API key rotates that key and the keys that were made with it, and no others.
Raises PT404 unknown_api_key, PT409 api_key_closed, PT422 bad_api_key, bad_expiry or bad_reason, PT503 busy, PT403
not_yours.';
CREATE FUNCTION api.set_auto_topup(threshold numeric, monthly_limit bigint, words text, pack_id text DEFAULT NULL::text, amount bigint DEFAULT NULL::bigint, payment_method_id text DEFAULT NULL::text, user_id text DEFAULT NULL::text) RETURNS api.auto_topup_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.set_auto_topup(threshold numeric, monthly_limit bigint, words text, pack_id text, amount bigint, payment_method_id text, user_id text) IS 'Agree to automatic top-ups: when a spend or hold takes the balance below threshold, the saved card is charged for the
pack, or for the amount (minor units), up to monthly_limit (minor units) in a calendar month (UTC). stop_auto_topup takes
the agreement back.
words: what the user was shown when they agreed; kept for ever. payment_method_id: a card that is saved at Stripe already
(for services). Without a card the state is waiting: POST /checkout with auto_topup saves one. After three declines in a
row it is off, and after a card has asked for authentication it is paused; api.auto_topup says why. A new agreement
begins anew, but a card that has failed waits out its cooldown.
Raises PT422 bad_amount, bad_order, bad_consent, bad_limit or bad_threshold, PT404 unknown_pack or unknown_user, PT429
consent_limit, PT423 account_frozen (closed), PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation or bad_user.';
CREATE FUNCTION api.set_low_balance(below numeric DEFAULT NULL::numeric, percent numeric DEFAULT NULL::numeric, user_id text DEFAULT NULL::text) RETURNS api.low_balance
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) IS 'Choose when the balance counts as low: below a number of tokens, or below a percentage (to six decimals) of the last
grant; one of the two. reset_low_balance returns to the rule of the bank. When the balance falls below the threshold, a
notice is written, and no other until the balance has been above 110 percent of it.
Raises PT422 bad_threshold or bad_amount, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
CREATE FUNCTION api.set_overdraft_limit(tokens numeric, user_id text DEFAULT NULL::text) RETURNS api.overdraft
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.set_overdraft_limit(tokens numeric, user_id text) IS 'Set how many tokens of debt an account may have. By default it is 0, which means none. For services.
Only captures by services make debt, for work that cost more than was held and more than the lots could pay. Purchases
repay the debt first. With more debt than the limit, the account cannot spend or hold anything new.
Raises PT422 bad_amount or bad_user, PT404 unknown_user, PT403 not_yours.';
CREATE FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text DEFAULT NULL::text) RETURNS api.spend_limit
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) IS 'Limit what may be spent in a day or month (UTC). 0 stops all spending. lift_spend_limit removes the limit.
A user sets their own limit. A limit that a service sets for a user_id applies as well, and only a service can lift it.
A spend that would exceed a limit raises PT429 spend_limit.
Raises PT422 bad_period or bad_amount, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.set_test_clock(user_id text, frozen_time timestamp with time zone DEFAULT NULL::timestamp with time zone, advance interval DEFAULT '00:00:00'::interval) RETURNS api.test_clock
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.set_test_clock(user_id text, frozen_time timestamp with time zone, advance interval) IS 'Put an account on a test clock, or move its test clock, and book at once what becomes due. For services, in banks that
allow it (credits.allow_test_clocks), never where money is real.
The clock stands still at frozen_time, or at advance after the time that it showed before (with neither, at that time),
until it is moved again. It moves only forward, and the account stays on it. Every rule about the account uses it:
prices, expiry of lots and holds, limits, campaigns. Times that no rule uses (of notices, keys, freezing, orders) are
those of the bank.
Opens the account of a new user.
Raises PT403 no_test_clocks or not_yours, PT422 bad_clock (with the time that the clock shows; also for nulls) or
bad_user.';
CREATE FUNCTION api.sign_up(email text, password_hash text, referral_code text DEFAULT NULL::text, device_keys text[] DEFAULT '{unknown}'::text[], network_keys text[] DEFAULT '{unknown}'::text[], shared_network boolean DEFAULT false) RETURNS api.newcomer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.sign_up(email text, password_hash text, referral_code text, device_keys text[], network_keys text[], shared_network boolean) IS 'Sign a user up with an e-mail address and an argon2 hash, and open their account, with what new accounts are given. For
services.
email: stored in one spelling, which is Unicode''s form NFKC in lower case, without invisible characters, with the
domain as mail servers write it.
referral_code: the code of the user who brought them. With a code that is not valid the sign-up is refused, and may be
repeated without it.
device_keys: those of the guest who became this user. network_keys, shared_network: as for guest_consume. Leave out
keys that are not known, or pass {unknown}: null and an empty array are refused. The bounds of a campaign count by
these keys.
Over a bound the account opens without its welcome, and open_account tries again later.
Raises PT409 email_taken, code_expired or code_exhausted, PT404 unknown_code, PT422 bad_email, bad_password or
bad_guest, PT403 not_yours.';
CREATE FUNCTION api.start_free_plan(user_id text DEFAULT NULL::text) RETURNS api.free_plan_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.start_free_plan(user_id text) IS 'Take the free plan. Each of its periods brings its allowance, at most once, and nothing while the account has a paid
plan. A second call changes nothing and tells the present period.
granted: whether the allowance of this period was given. period_ends_at: when its tokens expire and the next ones come.
Raises PT404 unknown_plan if there is no free plan, PT403 not_verified while the operator requires a verified address
and this one is not, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
CREATE FUNCTION api.stop_auto_topup(user_id text DEFAULT NULL::text) RETURNS api.auto_topup_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.stop_auto_topup(user_id text) IS 'Take the agreement to automatic top-ups back. Its state becomes off, and no charge begins after this call. A charge
that a worker has already sent to Stripe may still succeed: its tokens are granted. Safe to repeat.
Raises PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation or bad_user.';
CREATE FUNCTION api.take_webhooks(max_messages bigint DEFAULT 20) RETURNS api.webhook_batch
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.take_webhooks(max_messages bigint) IS 'Take messages that are due, at most max_messages (1 to 1000), to send them within a minute. For services: `pgcredits
work` calls it.
messages: each with account_id, notice_id, endpoint_id and lease, which finish_webhook wants back; url; secrets, to sign
with each of them; message_id; and body, the text to send. One that is not reported is due again after a minute.
Raises PT422 bad_limit, PT403 not_yours.';
CREATE FUNCTION api.thaw_account(user_id text, reason text DEFAULT NULL::text) RETURNS api.account_standing
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.thaw_account(user_id text, reason text) IS 'Let a frozen account spend again. For services. The call records who thawed it, when and why. Thawing it again changes
nothing.
Raises PT404 unknown_user, PT423 account_frozen (a closed account), PT422 bad_reason or bad_user, PT403 not_yours.';
CREATE FUNCTION api.verify_email(email text DEFAULT NULL::text, user_id text DEFAULT NULL::text) RETURNS api.account_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.verify_email(email text, user_id text) IS 'Report that the e-mail address of a user is verified: by email, for a user who signed up here, or by user_id. Grants
the welcome that waited for it, once. Safe to repeat. For services.
Raises PT404 unknown_user, PT422 bad_user, PT403 not_yours.';
CREATE FUNCTION api.void_lot(lot_id text, tokens numeric DEFAULT NULL::numeric, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.lot_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.void_lot(lot_id text, tokens numeric, reason text, idempotency_key text) IS 'Take tokens out of one lot. For operators. It is an entry of kind adjustment, with who did it and why, and
api.restore_lot undoes it.
lot_id: account:lot_id, which is the entry_id of the grant. tokens: how many; null, the default, means all that are
free. Tokens that a hold has stay with it.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT404 unknown_lot, PT409 key_reused, PT422 bad_amount (free), bad_reason or bad_key, PT403 not_yours, PT503
busy.';
CREATE FUNCTION audit.explain_balance(user_id text, at timestamp with time zone DEFAULT NULL::timestamp with time zone, movements bigint DEFAULT 100, before_seq bigint DEFAULT NULL::bigint) RETURNS SETOF audit.balance_line
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION audit.explain_balance(user_id text, at timestamp with time zone, movements bigint, before_seq bigint) IS 'Explain the balance of any user, as api.explain_balance does. Raises PT404 unknown_user, PT422 bad_at or bad_limit.';
CREATE FUNCTION audit.receipt(entry_id text) RETURNS api.entry_receipt
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION audit.receipt(entry_id text) IS 'Explain one entry of any account, as api.receipt does. Raises PT404 unknown_entry.';
CREATE FUNCTION credits.accept_stripe_accounts(p_accounts text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.accept_stripe_accounts(p_accounts text[]) IS 'For the operator. The connected Stripe accounts (acct_…) whose events are accepted in addition to those of the own account; null or empty means none. An event of any other connected account is refused.';
CREATE FUNCTION credits.accept_stripe_livemode(p_livemode boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.accept_stripe_livemode(p_livemode boolean) IS 'For the operator. Which Stripe events are accepted: live events (true), or events of test mode (false). Until this is called, both are. `pgcredits up` calls it, by the Stripe key. Raises PT422 wrong_mode for null, for false in a bank that has events of real money, and for true in a bank that has purchases of test mode or of a simulator, and no event of real money.';
CREATE FUNCTION credits.account_of(p_subject text, p_service_opens boolean) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.account_of(p_subject text, p_service_opens boolean) IS 'The account of a user id. A user''s own call opens a missing account, and a service''s call does if p_service_opens. Raises PT404 unknown_user, PT422 bad_user.';
CREATE FUNCTION credits.account_of_checkout(p_session jsonb) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.account_of_checkout(p_session jsonb) IS 'The account for which the HTTP API opened a Checkout session in subscription mode. Null for another session.';
CREATE FUNCTION credits.account_of_login() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.account_of_login() IS 'The account of a session that is not the HTTP API''s, as credits.subject_of_login says; null for nobody.';
CREATE FUNCTION credits.account_of_subscription(p_subscription_id text, p_metadata jsonb, p_customer_id text) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.account_of_subscription(p_subscription_id text, p_metadata jsonb, p_customer_id text) IS 'The account that a subscription belongs to. Null when it cannot be told.';
CREATE FUNCTION credits.account_receipt(p_account_id uuid, p_subject text, p_opened boolean, p_welcome numeric, p_waits_for text, p_reset_at timestamp with time zone) RETURNS api.account_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.account_receipt(p_account_id uuid, p_subject text, p_opened boolean, p_welcome numeric, p_waits_for text, p_reset_at timestamp with time zone) IS 'The answer of api.open_account and api.verify_email.';
CREATE FUNCTION credits.actor() RETURNS text
    LANGUAGE sql STABLE
    RETURN COALESCE(NULLIF(current_setting('role'::text), 'none'::text), (SESSION_USER)::text);
COMMENT ON FUNCTION credits.actor() IS 'The acting role: authenticated, service_role, or an SQL login.';
CREATE FUNCTION credits.add_guest_key(p_kind text, p_key text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.add_guest_key(p_kind text, p_key text) IS 'Adds a device or a network, and returns its id; null when somebody else has just added it.';
CREATE FUNCTION credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric) IS 'How much p_tokens pay for: the greatest whole quantity of the price''s one dimension, at most 10^15, or, if it has several, how many uses that cost p_cost. Null when any quantity is free.';
CREATE FUNCTION credits.agent() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.agent() IS 'Who acts, for records: the acting role or SQL login, and after a colon the id of the API key, if there is one. Rights go by credits.actor() alone.';
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE credits.orders (
    account_id uuid NOT NULL,
    order_id uuid DEFAULT gen_random_uuid() NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    parked_reason text,
    pack_id text,
    package_name text NOT NULL,
    scope text,
    tokens credits.tokens NOT NULL,
    bonus_tokens credits.tokens DEFAULT 0 NOT NULL,
    expires_after interval,
    amount bigint NOT NULL,
    currency text NOT NULL,
    stripe_price_id text,
    checkout_session_id text,
    payment_intent_id text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    paid_at timestamp with time zone,
    kind text DEFAULT 'checkout'::text NOT NULL,
    paid bigint,
    reversed bigint DEFAULT 0 NOT NULL,
    reversal_pending bigint DEFAULT 0 NOT NULL,
    disputed boolean DEFAULT false NOT NULL,
    reversed_debt credits.amount DEFAULT 0 NOT NULL,
    succeeded_at timestamp with time zone,
    CONSTRAINT orders_amount_is_not_negative CHECK ((amount >= 0)),
    CONSTRAINT orders_kind_is_known CHECK ((kind = ANY (ARRAY['checkout'::text, 'auto_topup'::text, 'subscription'::text]))),
    CONSTRAINT orders_paid_has_amount CHECK (((state <> 'paid'::text) OR ((paid >= 0) IS TRUE))),
    CONSTRAINT orders_paid_has_time CHECK (((state = 'paid'::text) = (paid_at IS NOT NULL))),
    CONSTRAINT orders_parked_has_reason CHECK (((state = 'parked'::text) = (parked_reason IS NOT NULL))),
    CONSTRAINT orders_reversed_is_bounded CHECK (((reversed >= 0) AND (reversal_pending >= 0) AND ((reversed + reversal_pending) <= COALESCE(paid, (0)::bigint)))),
    CONSTRAINT orders_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'processing'::text, 'paid'::text, 'failed'::text, 'expired'::text, 'parked'::text]))),
    CONSTRAINT orders_tokens_are_positive CHECK ((((tokens)::numeric > (0)::numeric) AND ((bonus_tokens)::numeric >= (0)::numeric)))
);
ALTER TABLE ONLY credits.orders FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.orders IS 'Purchases, each with a snapshot of what was sold. The grant is made from this snapshot, never from what an event says.';
COMMENT ON COLUMN credits.orders.state IS 'pending → processing (paid later) → paid, failed or expired. parked: the money does not match the order, and a person must decide.';
COMMENT ON COLUMN credits.orders.amount IS 'Price in minor units of currency.';
COMMENT ON COLUMN credits.orders.kind IS 'What made it: checkout (a pack or an amount), auto_topup (a standing consent), subscription (a paid invoice of a plan).';
COMMENT ON COLUMN credits.orders.paid IS 'What arrived, with tax, in minor units of currency. Null until it is paid.';
COMMENT ON COLUMN credits.orders.reversed IS 'How much of that has gone back, in minor units.';
COMMENT ON COLUMN credits.orders.reversal_pending IS 'How much of it may go back soon, in minor units.';
COMMENT ON COLUMN credits.orders.disputed IS 'Whether its lots are frozen.';
COMMENT ON COLUMN credits.orders.reversed_debt IS 'Debt, in tokens, that stands for tokens of this order which were spent, or are held, and whose money has gone back.';
COMMENT ON COLUMN credits.orders.succeeded_at IS 'When its payment last succeeded, by Stripe''s clock. Null until it is paid.';
CREATE FUNCTION credits.agree_to_topups(p_account_id uuid, p_threshold numeric, p_offer credits.orders, p_monthly_limit bigint, p_words text, p_payment_method_id text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.agree_to_topups(p_account_id uuid, p_threshold numeric, p_offer credits.orders, p_monthly_limit bigint, p_words text, p_payment_method_id text) IS 'Writes a user''s agreement to automatic top-ups of a locked wallet, unless it is the present one. Raises PT422 bad_consent, PT429 consent_limit.';
CREATE FUNCTION credits.allow_test_clocks(p_allowed boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.allow_test_clocks(p_allowed boolean) IS 'For the operator. Whether services may put accounts on test clocks (api.set_test_clock). `pgcredits up` allows it with the Stripe simulator and forbids it with a real Stripe key. Raises PT422 bad_clock for null, PT403 no_test_clocks in a bank that has events of real money.';
CREATE FUNCTION credits.analyst_accounts() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.analyst_accounts() IS 'The accounts in the segments granted to the SQL login of this session.';
CREATE FUNCTION credits.analyst_email(p_user_id text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.analyst_email(p_user_id text) IS 'The e-mail address with which a user signs in here. Null where another issuer signs the tokens, and for users whom the analyst of this session may not know.';
CREATE FUNCTION credits.analyst_login_problem(p_login text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.analyst_login_problem(p_login text) IS 'Why a login cannot be an analyst, or null when it can: there is no role of this name, or its role is an analyst of this bank and nothing else.';
CREATE FUNCTION credits.analyst_segments() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.analyst_segments() IS 'The segments granted to the SQL login of this session; * means every account.';
CREATE FUNCTION credits.analysts() RETURNS TABLE(login text, segments text[], personal_data boolean, standing text, sessions bigint, granted_by text, granted_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.analysts() IS 'The analysts of this bank: what each may count, whether it may sign in, and how many sessions it has here.';
CREATE TABLE credits.entries (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    posted_at timestamp with time zone NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    kind credits.entry_kind NOT NULL,
    tokens credits.tokens NOT NULL,
    balance_after credits.tokens NOT NULL,
    debt_after credits.tokens NOT NULL,
    draws jsonb NOT NULL,
    module_id text,
    usage jsonb,
    price_id bigint,
    order_id uuid,
    hold_id uuid,
    late boolean,
    refunds_seq bigint,
    campaign_id text,
    package_name text,
    actor text NOT NULL,
    metadata jsonb NOT NULL,
    hash bytea NOT NULL,
    tags jsonb
)
PARTITION BY RANGE (posted_at);
ALTER TABLE ONLY credits.entries FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.entries IS 'The ledger: append-only, partitioned by month, with a hash chain per account. It needs no foreign keys, because only definer functions write it, under the wallet''s lock.';
COMMENT ON COLUMN credits.entries.seq IS '1, 2, 3 … per account, without gaps.';
COMMENT ON COLUMN credits.entries.posted_at IS 'When it was written, after the lock was taken. It rises strictly with seq.';
COMMENT ON COLUMN credits.entries.effective_at IS 'When it happened. For an expiry, the moment when the lot expired; otherwise posted_at.';
COMMENT ON COLUMN credits.entries.tokens IS 'The change of the balance: the change in the lots, less the change of the debt. Above zero: tokens come in. Below zero: tokens go out.';
COMMENT ON COLUMN credits.entries.debt_after IS 'The debt after the entry. A charge that lots cannot pay raises it, and a repayment lowers it.';
COMMENT ON COLUMN credits.entries.draws IS 'The lots that it changed, in the order in which they were taken: [{"lot_id": seq of the granting entry, "tokens": how many, above zero}]. Tokens went into these lots if the entry''s tokens are above zero, and out of them otherwise.';
COMMENT ON COLUMN credits.entries.usage IS 'What was used, per dimension.';
COMMENT ON COLUMN credits.entries.order_id IS 'The order that paid for these tokens.';
COMMENT ON COLUMN credits.entries.hold_id IS 'The hold that this charge captured.';
COMMENT ON COLUMN credits.entries.late IS 'Was the hold captured after it had expired? Null if the entry captures no hold.';
COMMENT ON COLUMN credits.entries.refunds_seq IS 'The seq of the charge that this refund gives back, on the same account.';
COMMENT ON COLUMN credits.entries.campaign_id IS 'The campaign that granted these tokens.';
COMMENT ON COLUMN credits.entries.package_name IS 'The name of the lot that came or expired.';
COMMENT ON COLUMN credits.entries.actor IS 'The role or SQL login that caused it, never a person''s name. The id of its API key follows after a colon, except in charges and captures.';
COMMENT ON COLUMN credits.entries.hash IS 'The sha256 of the fields and of the hash before: see credits.entry_hash.';
COMMENT ON COLUMN credits.entries.tags IS 'What the use was for: small texts by name, as credits.is_tags says. A capture has those of its hold, a refund those of its charge. Null for no tags.';
CREATE TABLE credits.wallets (
    account_id uuid NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    posted_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    due_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    unpaid bigint DEFAULT 0 NOT NULL,
    unpaid_holds bigint DEFAULT 0 NOT NULL,
    unpaid_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    head_quiet boolean DEFAULT false NOT NULL,
    head_lot bigint,
    test_clock timestamp with time zone,
    status credits.account_status DEFAULT 'active'::text NOT NULL,
    balance credits.tokens DEFAULT 0 NOT NULL,
    held credits.amount DEFAULT 0 NOT NULL,
    debt credits.amount DEFAULT 0 NOT NULL,
    head_permit credits.amount DEFAULT 0 NOT NULL,
    head_taken credits.amount DEFAULT 0 NOT NULL,
    head_reserved credits.tokens DEFAULT 0 NOT NULL,
    lifetime_granted credits.amount DEFAULT 0 NOT NULL,
    lifetime_spent credits.amount DEFAULT 0 NOT NULL,
    head_hash bytea DEFAULT '\x'::bytea NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_cost_delay='0');
ALTER TABLE ONLY credits.wallets FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.wallets IS 'The one row that a spend locks. balance = sum of the lots'' remaining tokens - debt; audit.check_balance proves it.';
COMMENT ON COLUMN credits.wallets.seq IS 'The number of the last entry. There are no gaps, because the number comes from the locked row.';
COMMENT ON COLUMN credits.wallets.posted_at IS 'The time of the last entry. No entry is earlier than the one before it.';
COMMENT ON COLUMN credits.wallets.due_at IS 'Nothing is due before this moment: no hold or lot expires, no coming expiry is announced, no day or month of a limit begins.';
COMMENT ON COLUMN credits.wallets.unpaid IS 'How many uses, and other things except holds, the user has made without paying in the window that ends at unpaid_until: see sql/credits/wallet/unpaid.sql.';
COMMENT ON COLUMN credits.wallets.unpaid_holds IS 'How many holds of the user have ended with nothing charged in that window.';
COMMENT ON COLUMN credits.wallets.unpaid_until IS 'When the window ends. After that nothing counts.';
COMMENT ON COLUMN credits.wallets.head_quiet IS 'True when tokens of head_lot that a hold frees have no other effect: the lot never expires, and no notice waits to be armed.';
COMMENT ON COLUMN credits.wallets.head_lot IS 'The lot that the last spend took from, or null. head_permit, head_taken and head_reserved are about this lot. See credits.choose_head.';
COMMENT ON COLUMN credits.wallets.test_clock IS 'The time on the account''s test clock. Null: the account has no test clock, and uses the bank''s time. A test clock only moves forward, and is never removed.';
COMMENT ON COLUMN credits.wallets.status IS 'The status is here and not on the account, so that freezing waits for the same lock.';
COMMENT ON COLUMN credits.wallets.held IS 'Tokens reserved by open holds, part of balance.';
COMMENT ON COLUMN credits.wallets.debt IS 'Tokens used that no lot could pay.';
COMMENT ON COLUMN credits.wallets.head_permit IS 'Tokens that may be spent from head_lot, or held there, without checking limits, notices and other lots.';
COMMENT ON COLUMN credits.wallets.head_taken IS 'Tokens taken from head_lot that are not yet on its row.';
COMMENT ON COLUMN credits.wallets.head_reserved IS 'Tokens held in head_lot that are not yet on its row. Below zero: tokens that are no longer held, but still held on its row.';
COMMENT ON COLUMN credits.wallets.head_hash IS 'Hash of the last entry; empty before the first.';
CREATE FUNCTION credits.anchor_faults(p_account_ids uuid[], p_seqs bigint[], p_hashes bytea[]) RETURNS TABLE(account_id uuid, expected text, found text)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 WITH heads AS (
          SELECT h.account_id,
             h.seq,
             h.hash
            FROM UNNEST(anchor_faults.p_account_ids, anchor_faults.p_seqs, anchor_faults.p_hashes) h(account_id, seq, hash)
         )
  SELECT a.account_id,
         CASE
             WHEN (w.account_id IS NULL) THEN format('an account with %s entries'::text, a.seq)
             WHEN ((w.seq < a.seq) IS TRUE) THEN format('at least %s entries'::text, a.seq)
             ELSE format('hash %s of entry %s'::text, encode(a.hash, 'hex'::text), a.seq)
         END AS expected,
         CASE
             WHEN (w.account_id IS NULL) THEN 'no such account'::text
             WHEN ((w.seq < a.seq) IS TRUE) THEN format('%s entries: the bank is older than the anchor'::text, w.seq)
             WHEN (e.seq IS NULL) THEN 'no such entry'::text
             ELSE encode(e.hash, 'hex'::text)
         END AS found
    FROM ((heads a
      LEFT JOIN credits.wallets w ON ((a.account_id = w.account_id)))
      LEFT JOIN LATERAL ( SELECT x.seq,
             x.hash
            FROM credits.entries x
           WHERE ((x.account_id = a.account_id) AND (x.seq = a.seq))
           ORDER BY (x.hash = a.hash)
          LIMIT 1) e ON (true))
   WHERE ((w.account_id IS NULL) OR ((w.seq < a.seq) IS TRUE) OR (((a.seq > 0) AND (e.hash IS DISTINCT FROM a.hash)) IS TRUE));
END;
COMMENT ON FUNCTION credits.anchor_faults(p_account_ids uuid[], p_seqs bigint[], p_hashes bytea[]) IS 'The heads of an anchor that are not in the chains of this bank: accounts that are gone, entries that are missing, chains that were written anew. For auditors: `pgcredits audit verify`.';
CREATE FUNCTION credits.announce_expiries(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.announce_expiries(p_account_id uuid) IS 'Puts the lots of a locked wallet that expire soon in the outbox, once each. The caller, credits.catch_up, has folded the head.';
CREATE FUNCTION credits.announce_purge(p_account_id uuid, p_active_at timestamp with time zone, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.announce_purge(p_account_id uuid, p_active_at timestamp with time zone, p_now timestamp with time zone) IS 'Tells the user of a locked wallet when its tokens will be purged unless they are used.';
CREATE FUNCTION credits.answer_to_keep(p_answer jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN jsonb_strip_nulls(jsonb_build_object('id', COALESCE((p_answer #> '{object,id}'::text[]), (p_answer #> '{payment_intent,id}'::text[])), 'status', COALESCE((p_answer #> '{object,status}'::text[]), (p_answer #> '{payment_intent,status}'::text[])), 'http_status', (p_answer -> 'http_status'::text), 'type', (p_answer -> 'type'::text), 'code', (p_answer -> 'code'::text), 'decline_code', (p_answer -> 'decline_code'::text), 'absent', (p_answer -> 'absent'::text)));
COMMENT ON FUNCTION credits.answer_to_keep(p_answer jsonb) IS 'What is kept of an answer: ids, states and codes, and nothing about a person.';
CREATE FUNCTION credits.api_key_in_use() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.api_key_in_use() IS 'The id of the API key that this call came with; null for none.';
CREATE FUNCTION credits.api_key_receipt(p_key_id text, p_text text DEFAULT NULL::text) RETURNS api.api_key
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.api_key_receipt(p_key_id text, p_text text) IS 'The answer of api functions about an API key. p_text is its text, in the call that made it.';
CREATE TABLE credits.api_keys (
    key_id text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    made_with text,
    made_by text NOT NULL,
    idempotency_key text,
    fingerprint bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_are_of_backends CHECK ((role = ANY (ARRAY['spender'::text, 'support'::text, 'service_role'::text]))),
    CONSTRAINT api_keys_id_is_hex CHECK ((key_id ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT api_keys_name_is_sane CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT api_keys_repeats_can_be_told CHECK (((idempotency_key IS NULL) = (fingerprint IS NULL)))
);
ALTER TABLE ONLY credits.api_keys FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.api_keys IS 'API keys of backends. They act for every account, so they have no account_id. Rows are never deleted.';
COMMENT ON COLUMN credits.api_keys.key_id IS '16 hex digits, which the text of the key contains. They are not secret, and rotation keeps them.';
COMMENT ON COLUMN credits.api_keys.name IS 'What its operator calls it.';
COMMENT ON COLUMN credits.api_keys.role IS 'The role that its calls have: spender, support or service_role.';
COMMENT ON COLUMN credits.api_keys.made_with IS 'The key whose holder made this one. This key ends with that one, at the latest. Null: no key was used.';
COMMENT ON COLUMN credits.api_keys.made_by IS 'The role, and the key if there was one, that made it.';
COMMENT ON COLUMN credits.api_keys.idempotency_key IS 'The idempotency key of the call that made it.';
COMMENT ON COLUMN credits.api_keys.fingerprint IS 'The sha256 of the arguments of that call.';
COMMENT ON COLUMN credits.api_keys.expires_at IS 'From when it opens nothing. Null: it does not expire.';
COMMENT ON COLUMN credits.api_keys.revoked_at IS 'Since when it opens nothing. Null: it is not revoked.';
CREATE FUNCTION credits.api_key_state(p_key credits.api_keys) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.api_key_state(p_key credits.api_keys) IS 'The state of an API key: active, expired or revoked.';
CREATE TABLE credits.stripe_events (
    event_id text NOT NULL,
    bucket bigint NOT NULL,
    type text NOT NULL,
    object_id text,
    livemode boolean NOT NULL,
    account_id uuid,
    order_id uuid,
    outcome text,
    reason text,
    payload jsonb NOT NULL,
    original bytea,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    looked_at timestamp with time zone,
    trouble text,
    names text[] DEFAULT '{}'::text[] NOT NULL,
    slimmed_at timestamp with time zone,
    CONSTRAINT stripe_events_bucket_is_sane CHECK (((bucket >= 0) AND (bucket <= 65535)))
);
ALTER TABLE ONLY credits.stripe_events FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.stripe_events IS 'Every event that Stripe sent, once, with its outcome, written in the transaction of its effect.';
COMMENT ON COLUMN credits.stripe_events.bucket IS 'Where the event belongs when the bank is on several servers: the bucket of the account that its object names, otherwise that of its own id. See docs/scaling.md.';
COMMENT ON COLUMN credits.stripe_events.account_id IS 'The account that it names, together with order_id. Null when it does not name one.';
COMMENT ON COLUMN credits.stripe_events.order_id IS 'The order that it names. While the event waits, this order may not exist.';
COMMENT ON COLUMN credits.stripe_events.outcome IS 'granted, processing, failed, expired, parked, duplicate (of the same purchase), stored, unmatched (it names no order), waiting (what it names is not there yet), applied (it moved something, or said something new about an order), or dismissed (an operator decided that nothing is to be done).';
COMMENT ON COLUMN credits.stripe_events.reason IS 'Why it is parked or waits.';
COMMENT ON COLUMN credits.stripe_events.payload IS 'The event. Where original is set, characters that jsonb cannot hold were replaced in it.';
COMMENT ON COLUMN credits.stripe_events.original IS 'The bytes that Stripe sent, for an event with characters that jsonb cannot hold. Null for other events.';
COMMENT ON COLUMN credits.stripe_events.looked_at IS 'When maintenance last failed to apply it while it waited. Null when it never failed.';
COMMENT ON COLUMN credits.stripe_events.trouble IS 'The error of that failure.';
COMMENT ON COLUMN credits.stripe_events.names IS 'The ids at Stripe that it names: its object, and the payment intent, charge, invoice and subscription of it.';
COMMENT ON COLUMN credits.stripe_events.slimmed_at IS 'When its payload was reduced to what the audit reads (credits.without_person). Null: it is whole.';
CREATE FUNCTION credits.apply_dispute(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_dispute(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Freezes the lots of a disputed order, takes or gives back its tokens as the money moves, and stops automatic top-up. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_event(p_event_id text) RETURNS api.event_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_event(p_event_id text) IS 'Does what a stored event asks for, records its outcome, and applies the events that waited for the same order. Safe to repeat while the outcome is waiting or parked.';
CREATE FUNCTION credits.apply_family(p_family text, p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_family(p_family text, p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Applies an event whose account_id and order_id are known and locked.';
CREATE FUNCTION credits.apply_fraud_warning(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_fraud_warning(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Records an early fraud warning. If the setting says so, it freezes the lots of the order, until nothing can be done about it any more, and stops automatic top-up. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_intent(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_intent(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Does what an event of a payment intent or setup intent says. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_invoice(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_invoice(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Does what an event of an invoice says. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_refund(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_refund(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Takes back, withholds or gives back the tokens of a refund. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_session(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_session(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Does what an event of a Checkout session says to the order that it names. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_subscription(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_subscription(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Makes the row of a subscription what an event says, unless a newer one has come. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_waiting(p_account_id uuid, p_order_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_waiting(p_account_id uuid, p_order_id uuid) IS 'Applies the events that wait for an order, or for its payment. Its account is locked by credits.lock_with_referrer.';
CREATE FUNCTION credits.apply_waiting_for(p_names text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.apply_waiting_for(p_names text[]) IS 'Applies the events that wait for one of these objects at Stripe. They belong to an account that is locked by credits.lock_with_referrer, and can be found now.';
CREATE FUNCTION credits.asks_for_authentication(p_error jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN COALESCE(('authentication_required'::text = ANY (ARRAY[(p_error ->> 'code'::text), (p_error ->> 'decline_code'::text)])), false);
COMMENT ON FUNCTION credits.asks_for_authentication(p_error jsonb) IS 'Whether a card was not charged because its holder has to confirm the payment. Never null.';
CREATE FUNCTION credits.attach_at_sign_up(p_account_id uuid, p_code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.attach_at_sign_up(p_account_id uuid, p_code text) IS 'Records who brought an account, by their code. Null means nobody, and the same code again is not an error. Raises what credits.attach_referrer raises, PT404 unknown_code for a code that does not belong to a user, PT423 account_frozen.';
CREATE TABLE credits.codes (
    code text NOT NULL,
    campaign_id text NOT NULL,
    referrer_id uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT codes_are_normal CHECK (((code = upper(btrim(code))) AND ((length(code) >= 3) AND (length(code) <= 64))))
);
ALTER TABLE ONLY credits.codes FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.codes IS 'What people type: the code of a promotion, or of a referrer.';
COMMENT ON COLUMN credits.codes.referrer_id IS 'The referrer; null for a promotion.';
CREATE FUNCTION credits.attach_referrer(p_account_id uuid, p_code credits.codes) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.attach_referrer(p_account_id uuid, p_code credits.codes) IS 'Records who brought an account whose identity and wallet are locked. Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle.';
CREATE FUNCTION credits.audit_changes(p_first uuid, p_last uuid) RETURNS TABLE(account_id uuid, expected text, found text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.audit_changes(p_first uuid, p_last uuid) IS 'Like credits.change_faults, and moves the checkpoints of the accounts without a fault. For auditors.';
CREATE FUNCTION credits.available(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.available(p_account_id uuid, p_at timestamp with time zone) IS 'The tokens that an account may spend now, on whatever they are bound to. 0 while it has more debt than it may have. Every answer that says available, and is not about one module, says this.';
CREATE FUNCTION credits.balance_as_json(p_account_id uuid, p_at timestamp with time zone, p_movements bigint, p_before_seq bigint) RETURNS api.balance_explanation
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.balance_as_json(p_account_id uuid, p_at timestamp with time zone, p_movements bigint, p_before_seq bigint) IS 'The lines of credits.explained_balance as one object. user_id is null.';
CREATE FUNCTION credits.balance_at(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.balance_at(p_account_id uuid, p_at timestamp with time zone) IS 'The balance of an account, without lots that have expired by p_at. 0 if there is no such account.';
CREATE FUNCTION credits.is_item(p_item jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (jsonb_typeof(p_item) IS DISTINCT FROM 'object'::text) THEN false WHEN ((p_item - ARRAY['user_id'::text, 'module_id'::text, 'usage'::text, 'idempotency_key'::text, 'metadata'::text, 'byok'::text, 'tags'::text]) <> '{}'::jsonb) THEN false ELSE (((jsonb_typeof((p_item -> 'user_id'::text)) <> ALL (ARRAY['string'::text, 'null'::text])) OR (jsonb_typeof((p_item -> 'module_id'::text)) <> ALL (ARRAY['string'::text, 'null'::text])) OR (jsonb_typeof((p_item -> 'idempotency_key'::text)) <> ALL (ARRAY['string'::text, 'null'::text])) OR (jsonb_typeof((p_item -> 'byok'::text)) <> 'boolean'::text)) IS NOT TRUE) END;
COMMENT ON FUNCTION credits.is_item(p_item jsonb) IS 'Does an item of a batch have the names and types of the arguments of api.consume_tokens?';
CREATE FUNCTION credits.is_metadata(p_metadata jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_metadata(p_metadata jsonb) IS 'Whether this is an object of at most 16 kB, without numbers beyond 10^100 or with more than 100 decimals. Its texts may contain any character: JSON writes control characters as escapes.';
CREATE FUNCTION credits.is_tags(p_tags jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_tags(p_tags jsonb) IS 'Whether this is an object of 1 to 8 tags, of at most 2 kB. The name of a tag is a name (credits.is_name) of at most 40 characters. Its value is a text of 1 to 100 characters without control characters (credits.is_label).';
CREATE FUNCTION credits.batch_items(p_items jsonb, p_account_ids uuid[]) RETURNS TABLE(place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb, plain boolean, nth_use bigint)
    LANGUAGE sql STABLE ROWS 100
    BEGIN ATOMIC
 SELECT x.place,
     (batch_items.p_account_ids)[x.place] AS account_id,
     (x.item ->> 'user_id'::text) AS user_id,
     (x.item ->> 'module_id'::text) AS module_id,
     COALESCE((x.item -> 'usage'::text), '{}'::jsonb) AS usage,
     (x.item ->> 'idempotency_key'::text) AS key,
     COALESCE((x.item -> 'metadata'::text), '{}'::jsonb) AS metadata,
     NULLIF(NULLIF((x.item -> 'tags'::text), 'null'::jsonb), '{}'::jsonb) AS tags,
         CASE
             WHEN (credits.is_item(x.item) IS NOT TRUE) THEN false
             WHEN ((((x.item -> 'byok'::text) = 'true'::jsonb) OR (pg_column_size((x.item -> 'usage'::text)) > 2048) OR (length((x.item ->> 'idempotency_key'::text)) > 200) OR ((x.item ->> 'idempotency_key'::text) !~ '^[!-~]+$'::text)) IS TRUE) THEN false
             WHEN ((((x.item -> 'tags'::text) <> ALL (ARRAY['{}'::jsonb, 'null'::jsonb])) IS TRUE) AND (NOT credits.is_tags((x.item -> 'tags'::text)))) THEN false
             WHEN (((x.item -> 'metadata'::text) <> '{}'::jsonb) IS TRUE) THEN credits.is_metadata((x.item -> 'metadata'::text))
             ELSE true
         END AS plain,
     row_number() OVER (PARTITION BY (batch_items.p_account_ids)[x.place], (x.item ->> 'idempotency_key'::text) ORDER BY x.place) AS nth_use
    FROM jsonb_array_elements(batch_items.p_items) WITH ORDINALITY x(item, place);
END;
COMMENT ON FUNCTION credits.batch_items(p_items jsonb, p_account_ids uuid[]) IS 'The items of a batch as rows. plain: its arguments are good, and tokens pay for it. nth_use: how often its key has been used in this batch, this item included.';
CREATE TABLE credits.auto_topups (
    account_id uuid NOT NULL,
    state text DEFAULT 'off'::text NOT NULL,
    reason text,
    consent_id uuid,
    threshold credits.amount NOT NULL,
    pack_id text,
    tokens credits.amount NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    monthly_limit bigint NOT NULL,
    customer_id text,
    payment_method_id text,
    declines bigint DEFAULT 0 NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    wanted boolean DEFAULT false NOT NULL,
    next_try_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    stopped_by uuid,
    link text,
    link_until timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT auto_topups_declines_are_sane CHECK (((declines >= 0) AND (failures >= declines))),
    CONSTRAINT auto_topups_on_has_consent CHECK (((state = 'off'::text) OR ((consent_id IS NOT NULL) AND ((state = 'waiting'::text) OR (num_nonnulls(customer_id, payment_method_id) = 2))))),
    CONSTRAINT auto_topups_says_why CHECK (((state = ANY (ARRAY['off'::text, 'paused'::text])) = (reason IS NOT NULL))),
    CONSTRAINT auto_topups_state_is_known CHECK ((state = ANY (ARRAY['off'::text, 'waiting'::text, 'on'::text, 'paused'::text])))
);
ALTER TABLE ONLY credits.auto_topups FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.auto_topups IS 'Automatic top-up of each account that ever agreed to it, as it is now. Without a row it is off.';
COMMENT ON COLUMN credits.auto_topups.declines IS 'Declined charges in a row.';
COMMENT ON COLUMN credits.auto_topups.failures IS 'Failed charges in a row, for whatever reason. Doubles the cooldown.';
COMMENT ON COLUMN credits.auto_topups.wanted IS 'A top-up had to wait, or failed: the next spend after next_try_at begins one, if the balance is below the threshold.';
COMMENT ON COLUMN credits.auto_topups.next_try_at IS 'The end of the cooldown, or of the month whose limit is reached.';
COMMENT ON COLUMN credits.auto_topups.stopped_by IS 'The attempt that stopped or paused it. If its charge succeeds after all, the stop ends.';
COMMENT ON COLUMN credits.auto_topups.link IS 'Where the user confirms the card.';
CREATE FUNCTION credits.begin_attempt(p_topup credits.auto_topups, p_offer credits.orders, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.begin_attempt(p_topup credits.auto_topups, p_offer credits.orders, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) IS 'Writes an attempt to top up a locked wallet, its order and its call to Stripe.';
CREATE FUNCTION credits.begin_free_period(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.begin_free_period(p_account_id uuid) IS 'Grants the allowance of the free plan''s present period to an account that has that plan, once. Does nothing while the account has a paid plan or is not active. The wallet is locked.';
CREATE FUNCTION credits.begin_periods(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.begin_periods(p_account_id uuid) IS 'Begins the new days and months of a locked wallet''s limits.';
CREATE TABLE credits.lots (
    account_id uuid NOT NULL,
    lot_id bigint NOT NULL,
    priority bigint NOT NULL,
    source credits.entry_kind NOT NULL,
    live boolean DEFAULT true NOT NULL,
    frozen boolean DEFAULT false NOT NULL,
    announced boolean DEFAULT false NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    granted credits.amount NOT NULL,
    remaining credits.amount NOT NULL,
    held credits.amount DEFAULT 0 NOT NULL,
    scope text,
    order_id uuid,
    package_name text,
    unit_cost credits.unit_cost DEFAULT 0 NOT NULL,
    currency text,
    reversed credits.amount DEFAULT 0 NOT NULL,
    withheld credits.amount DEFAULT 0 NOT NULL
)
WITH (fillfactor='70');
ALTER TABLE ONLY credits.lots FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.lots IS 'Tokens that came in together and share a price, a scope and an expiry. They are spent in burn order: see credits.draw_lots. 0 <= held <= remaining <= granted: the domains refuse negative numbers, and audit.check_lots proves the rest.';
COMMENT ON COLUMN credits.lots.lot_id IS 'The seq of the entry that granted it.';
COMMENT ON COLUMN credits.lots.priority IS 'Lower is spent first.';
COMMENT ON COLUMN credits.lots.live IS 'True while the row has tokens. The head lot may have no tokens left even so: see credits.current_lots.';
COMMENT ON COLUMN credits.lots.frozen IS 'True while the payment is disputed. The tokens cannot be spent. No function of the bank sets it yet.';
COMMENT ON COLUMN credits.lots.announced IS 'True when the outbox has the notice of its coming expiry.';
COMMENT ON COLUMN credits.lots.scope IS 'The module:ID or category:ID that the tokens are bound to. Null: not bound.';
COMMENT ON COLUMN credits.lots.unit_cost IS 'The money really paid for one token, in minor units of currency.';
COMMENT ON COLUMN credits.lots.reversed IS 'Tokens that were taken out of it because their money went back.';
COMMENT ON COLUMN credits.lots.withheld IS 'Tokens that cannot be spent, because their money may go back soon, or because they should have been taken back while a hold had them.';
CREATE FUNCTION credits.book_adjustment(p_lot credits.lots, p_tokens numeric, p_metadata jsonb, p_expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.book_adjustment(p_lot credits.lots, p_tokens numeric, p_metadata jsonb, p_expires_at timestamp with time zone) IS 'Changes a lot of a locked wallet by p_tokens, and its expiry to p_expires_at, in one entry of kind adjustment.';
CREATE TABLE credits.campaigns (
    campaign_id text NOT NULL,
    kind credits.entry_kind NOT NULL,
    title text NOT NULL,
    tokens credits.amount NOT NULL,
    referee_tokens credits.amount DEFAULT 0 NOT NULL,
    expires_after interval,
    priority bigint,
    scope text,
    valid_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    valid_until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    active boolean DEFAULT true NOT NULL,
    budget bigint,
    grants bigint DEFAULT 0 NOT NULL,
    per_account bigint DEFAULT 1 NOT NULL,
    per_device bigint,
    per_network bigint,
    per_shared_network bigint,
    sliding_window interval DEFAULT '24:00:00'::interval NOT NULL,
    CONSTRAINT campaigns_bounds_are_of_gifts CHECK (((per_device IS NULL) OR (kind <> 'referral'::credits.entry_kind))),
    CONSTRAINT campaigns_bounds_are_sane CHECK (((num_nonnulls(per_device, per_network, per_shared_network) = 0) OR (((per_device >= 1) AND (per_network >= per_device) AND (per_shared_network >= per_network) AND (per_shared_network <= 1000000)) IS TRUE))),
    CONSTRAINT campaigns_budget_is_kept CHECK (((grants >= 0) AND (grants <= COALESCE(budget, '9223372036854775807'::bigint)))),
    CONSTRAINT campaigns_expiry_is_sane CHECK (((expires_after > '00:00:00'::interval) AND (expires_after <= '1000 years'::interval))),
    CONSTRAINT campaigns_id_is_sane CHECK (((length(campaign_id) >= 1) AND (length(campaign_id) <= 200))),
    CONSTRAINT campaigns_kind_is_a_gift CHECK ((kind = ANY (ARRAY['welcome'::credits.entry_kind, 'promo'::credits.entry_kind, 'referral'::credits.entry_kind]))),
    CONSTRAINT campaigns_per_account_is_positive CHECK ((per_account > 0)),
    CONSTRAINT campaigns_referee_tokens_are_of_referrals CHECK ((((referee_tokens)::numeric = (0)::numeric) OR (kind = 'referral'::credits.entry_kind))),
    CONSTRAINT campaigns_tokens_are_positive CHECK (((tokens)::numeric > (0)::numeric)),
    CONSTRAINT campaigns_validity_is_a_span CHECK ((valid_from < valid_until)),
    CONSTRAINT campaigns_welcome_once CHECK (((kind <> 'welcome'::credits.entry_kind) OR (per_account = 1))),
    CONSTRAINT campaigns_window_is_sane CHECK (((sliding_window > '00:00:00'::interval) AND (sliding_window <= '7 days'::interval)))
);
ALTER TABLE ONLY credits.campaigns FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.campaigns IS 'What is given away, to whom, how often, and for how long.';
COMMENT ON COLUMN credits.campaigns.kind IS 'welcome: when an account opens. promo: for a code. referral: for bringing a user, when that user pays for the first time.';
COMMENT ON COLUMN credits.campaigns.tokens IS 'Size of one grant. In a referral, what the referrer gets.';
COMMENT ON COLUMN credits.campaigns.referee_tokens IS 'In a referral, what the user who was brought gets with their first purchase.';
COMMENT ON COLUMN credits.campaigns.expires_after IS 'How long the granted tokens last. Null when they never expire.';
COMMENT ON COLUMN credits.campaigns.budget IS 'The most grants over all accounts. Null for no limit.';
COMMENT ON COLUMN credits.campaigns.grants IS 'Grants so far, counted under the lock of this row, which is taken after that of the wallet. A referral counts once, although two accounts are given something.';
COMMENT ON COLUMN credits.campaigns.per_account IS 'The most grants to one account. In a referral, to one referrer.';
COMMENT ON COLUMN credits.campaigns.per_device IS 'The most grants to accounts that one device opened, in any span of sliding_window. Null for no bound.';
COMMENT ON COLUMN credits.campaigns.per_network IS 'The same for accounts that were opened from one network address.';
COMMENT ON COLUMN credits.campaigns.per_shared_network IS 'The same for networks that the operator knows to be shared (schools, offices).';
COMMENT ON COLUMN credits.campaigns.sliding_window IS 'At most 7 days, because the previous keys are known for that long.';
CREATE FUNCTION credits.book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone) IS 'Books grant p_number of a campaign on a locked wallet, and returns the lot. The key of credits.redemptions lets this happen only once.';
CREATE FUNCTION credits.book_reversal(p_order credits.orders, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_debt numeric, p_metadata jsonb DEFAULT '{}'::jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.book_reversal(p_order credits.orders, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_debt numeric, p_metadata jsonb) IS 'Writes a reversal (p_tokens below 0) or a reinstatement (above 0) of an order, and tells the user. p_debt: by how much the debt changes. Returns when it was posted.';
CREATE FUNCTION credits.bound_holds(p_longest interval DEFAULT NULL::interval, p_most_open bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bound_holds(p_longest interval, p_most_open bigint) IS 'For the operator. p_longest: how long after its beginning a hold of a service can last at most, however often it is extended: 24 hours to 31 days, by default 7 days. p_most_open: how many holds an account may have open, counted for its user over all holds, and for services over the holds of services: 1 to 100000, by default 100. A setting that is left out stays as it is. Raises PT422 bad_ttl or bad_limit.';
CREATE FUNCTION credits.bound_orders(p_most_pending bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bound_orders(p_most_pending bigint) IS 'For the operator. How many orders of one account may be pending: 1 to 100000, by default 20. Raises PT422 bad_limit.';
CREATE FUNCTION credits.bound_stripe_delay(p_longest interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bound_stripe_delay(p_longest interval) IS 'For the operator. How long after its creation an object at Stripe may be missing from the books before audit.check_stripe reports it: 0 to 72 hours, by default an hour. Raises PT422 bad_limit.';
CREATE FUNCTION credits.bound_unpaid(p_most bigint DEFAULT NULL::bigint, p_window interval DEFAULT NULL::interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bound_unpaid(p_most bigint, p_window interval) IS 'For the operator. p_most: how many of each kind a user may make in one window without paying: holds that end with nothing charged, uses of free modules, orders that end without money: 1 to 1000000, by default 1000. p_window: the length of the window, which begins with the first of them: a minute to 24 hours, by default an hour. A setting that is left out stays as it is. Raises PT422 bad_limit.';
CREATE FUNCTION credits.bound_wait(p_longest interval DEFAULT '00:00:02'::interval) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bound_wait(p_longest interval) IS 'Sets the longest wait for any lock from now on, and returns the bound before, which the caller must set again. Waiting for a row may be two waits: one for the queue and one for its head.';
CREATE FUNCTION credits.bucket(p_subject text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bucket(p_subject text) IS 'The bucket of a user id: 0 to 65535.';
CREATE FUNCTION credits.bucket_of(p_account_id uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bucket_of(p_account_id uuid) IS 'The bucket of an account, which its id begins with: 0 to 65535.';
CREATE FUNCTION credits.bucket_of_event(p_event_id text, p_event jsonb) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.bucket_of_event(p_event_id text, p_event jsonb) IS 'The bucket of a Stripe event: of the account that its object names, else of the event''s own id. 0 to 65535.';
CREATE TABLE credits.holds (
    account_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    state credits.hold_state DEFAULT 'open'::text NOT NULL,
    module_id text NOT NULL,
    price_id bigint NOT NULL,
    price_source text DEFAULT 'module'::text NOT NULL,
    usage jsonb NOT NULL,
    usage_left jsonb NOT NULL,
    tokens credits.amount NOT NULL,
    held credits.amount NOT NULL,
    captured credits.amount DEFAULT 0 NOT NULL,
    shortfall credits.amount DEFAULT 0 NOT NULL,
    draws jsonb NOT NULL,
    seqs bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    late boolean DEFAULT false NOT NULL,
    failed boolean DEFAULT false NOT NULL,
    reason text,
    by_service boolean NOT NULL,
    actor text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    ttl numeric NOT NULL,
    first_balance credits.tokens NOT NULL,
    first_held credits.amount NOT NULL,
    first_draws jsonb NOT NULL,
    first_available credits.amount,
    tags jsonb
)
WITH (fillfactor='70');
ALTER TABLE ONLY credits.holds FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.holds IS 'Tokens reserved for work under way. A hold changes its state once: open → captured, released or expired. From expires_at on, an open hold counts for nothing, booked or not. There are no foreign keys, which would lock more rows. Only definer functions write this table, under the wallet''s lock.';
COMMENT ON COLUMN credits.holds.price_id IS 'The version of the price at which it was made. Captures are charged by it.';
COMMENT ON COLUMN credits.holds.price_source IS 'Where its price comes from: module, category, or default (for every other module).';
COMMENT ON COLUMN credits.holds.usage IS 'The worst case that tokens were reserved for, per dimension.';
COMMENT ON COLUMN credits.holds.usage_left IS 'The part of usage that captures have not recorded yet. Below 0 when they recorded more.';
COMMENT ON COLUMN credits.holds.tokens IS 'Tokens reserved at first.';
COMMENT ON COLUMN credits.holds.held IS 'Tokens still reserved.';
COMMENT ON COLUMN credits.holds.captured IS 'Tokens charged: the sum of its entries.';
COMMENT ON COLUMN credits.holds.shortfall IS 'The part of the cost of its captures that could not be paid.';
COMMENT ON COLUMN credits.holds.draws IS 'The lots in which the held tokens are reserved, in the order in which they will be charged. The form is that of credits.entries.';
COMMENT ON COLUMN credits.holds.seqs IS 'The seqs of its captures in the ledger.';
COMMENT ON COLUMN credits.holds.late IS 'True if it was captured after it had expired, by a fresh debit.';
COMMENT ON COLUMN credits.holds.failed IS 'True if it was released for a reason that says that the work failed.';
COMMENT ON COLUMN credits.holds.by_service IS 'True if a service made it. Then only a service may end it, because a user could release it while the work is done.';
COMMENT ON COLUMN credits.holds.actor IS 'The role or SQL login that made it, or ended it.';
COMMENT ON COLUMN credits.holds.ttl IS 'The ttl that it was made with, in seconds. This and the first_ columns are for a repeat of the call that made it.';
COMMENT ON COLUMN credits.holds.first_balance IS 'The balance of the account when it was made.';
COMMENT ON COLUMN credits.holds.first_held IS 'Tokens that all holds of the account kept then, this one included.';
COMMENT ON COLUMN credits.holds.first_draws IS 'The lots in which it reserved tokens at first, as in draws.';
COMMENT ON COLUMN credits.holds.first_available IS 'What the account could spend then beside the hold. Null for holds of before this column.';
COMMENT ON COLUMN credits.holds.tags IS 'What it is for, as in credits.entries. Its captures get them. Null for no tags.';
CREATE FUNCTION credits.calculation(p_entry credits.entries, p_hold credits.holds, p_debt numeric, OUT parts jsonb, OUT calculation jsonb) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.calculation(p_entry credits.entries, p_hold credits.holds, p_debt numeric, OUT parts jsonb, OUT calculation jsonb) IS 'How the tokens of a charge were computed. parts: a line for each dimension. calculation: sum of the parts × margin ÷ exchange_rate = before_rounding; that rounded up, less earlier_parts, is the cost. charged = cost, if basis is price; held_before, if it is hold (all that the hold kept was charged); 0, if it is own_key. A null basis is a fault. charged - shortfall = paid = debt + what the lots gave. p_hold: the hold that it captured, or null. p_debt: the debt that it made.';
CREATE FUNCTION credits.call_backoff(p_tries bigint) RETURNS interval
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.call_backoff(p_tries bigint) IS 'How long to wait after so many tries: two seconds, doubled with each, ten minutes at most.';
CREATE FUNCTION credits.call_cost(p_price_id bigint) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.call_cost(p_price_id bigint) IS 'What one call costs under a price that counts calls and nothing else. Null for other prices, and above 10^12.';
CREATE FUNCTION credits.call_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.call_faults() IS 'Functions of the bank without a pinned search_path, and views that do not run with the rights of their reader.';
CREATE TABLE credits.stripe_calls (
    account_id uuid NOT NULL,
    call_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    made_for uuid NOT NULL,
    idempotency_key text NOT NULL,
    params jsonb NOT NULL,
    state text DEFAULT 'due'::text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    tries bigint DEFAULT 0 NOT NULL,
    first_tried_at timestamp with time zone,
    lease uuid,
    must_look_up boolean DEFAULT false NOT NULL,
    result jsonb,
    trouble text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT stripe_calls_end_has_time CHECK (((state = 'due'::text) = (ended_at IS NULL))),
    CONSTRAINT stripe_calls_kind_is_known CHECK ((kind = ANY (ARRAY['charge'::text, 'refund'::text, 'confirm_card'::text]))),
    CONSTRAINT stripe_calls_state_is_known CHECK ((state = ANY (ARRAY['due'::text, 'done'::text, 'failed'::text, 'canceled'::text]))),
    CONSTRAINT stripe_calls_tries_are_sane CHECK (((tries >= 0) AND ((tries > 0) = (first_tried_at IS NOT NULL))))
);
ALTER TABLE ONLY credits.stripe_calls FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.stripe_calls IS 'Calls to Stripe that pgcredits work makes, written in the transaction that wants them.';
COMMENT ON COLUMN credits.stripe_calls.made_for IS 'The attempt, or the request of a refund.';
COMMENT ON COLUMN credits.stripe_calls.due_at IS 'When a worker may take it: for a leased call, when the lease ends.';
COMMENT ON COLUMN credits.stripe_calls.lease IS 'Names the lease of the worker that took it last.';
COMMENT ON COLUMN credits.stripe_calls.must_look_up IS 'The next worker does not make the call, but looks whether an earlier try was done.';
COMMENT ON COLUMN credits.stripe_calls.trouble IS 'Why the last try failed, or why the call was canceled.';
CREATE FUNCTION credits.call_is_old(p_call credits.stripe_calls, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.call_is_old(p_call credits.stripe_calls, p_at timestamp with time zone) IS 'Whether a call that was tried must not be made again: Stripe may have forgotten its key, the consent to it has ended, or its account is frozen.';
CREATE FUNCTION credits.caller_subject(p_user_id text, p_role text DEFAULT 'service_role'::text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.caller_subject(p_user_id text, p_role text) IS 'The user id that a change is about: the caller''s own, or the one that a member of p_role names. p_role is spender for what a backend may do for any user that only charges, and service_role for everything else. Raises PT401 not_signed_in, PT403 not_yours, PT422 bad_user, PT422 bad_isolation.';
CREATE FUNCTION credits.campaign_room(p_campaign credits.campaigns, p_account_id uuid, p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.campaign_room(p_campaign credits.campaigns, p_account_id uuid, p_at timestamp with time zone) IS 'When a locked campaign can give again to the device and network of an account. Null if it can now, or if the origin of the account is not known.';
CREATE FUNCTION credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone) IS 'Whether a campaign would give an account the grant of that number: open, or else withdrawn (or not begun), ended, used (by the account) or exhausted (the budget).';
CREATE FUNCTION credits.cancel_untried(p_account_id uuid, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.cancel_untried(p_account_id uuid, p_reason text) IS 'Cancels the charge of a locked wallet that no worker has tried yet, and its attempt.';
CREATE FUNCTION credits.canonical(p_arguments jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN regexp_replace((p_arguments)::text, '("(?:[^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])'::text, '\1\2'::text, 'g'::text);
COMMENT ON FUNCTION credits.canonical(p_arguments jsonb) IS 'The arguments of a call as text, the same for every spelling of the same numbers.';
CREATE FUNCTION credits.capital_letters(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.capital_letters(p_text text) IS 'A text in capital letters, the same in every database.';
CREATE FUNCTION credits.capture_again(p_hold credits.holds, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text) RETURNS api.capture_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.capture_again(p_hold credits.holds, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text) IS 'Repeats the answer of the call that used this key first. The wallet is locked. Raises PT409 key_reused when the arguments differ.';
CREATE FUNCTION credits.capture_options(p_usage jsonb, p_final boolean, p_over text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.capture_options(p_usage jsonb, p_final boolean, p_over text) IS 'The arguments of a capture that its key keeps (credits.idempotency_keys.options). p_usage: null for all that is held. Null: the defaults.';
CREATE FUNCTION credits.capture_receipt(p_hold credits.holds, p_entry credits.entries, p_final boolean, p_user_id text) RETURNS api.capture_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.capture_receipt(p_hold credits.holds, p_entry credits.entries, p_final boolean, p_user_id text) IS 'The answer of an earlier capture, read from its entry. p_final: the call asked for it as the last part. state and held are those of the hold as it is now. refunded is what has been given back by now.';
CREATE FUNCTION credits.catch_up(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.catch_up(p_account_id uuid) IS 'Brings a locked wallet up to date: writes what time has made due.';
CREATE FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN ((div((numerator * (1000000)::numeric), denominator) + sign(mod((numerator * (1000000)::numeric), denominator))) / 1000000.000000);
COMMENT ON FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) IS 'A quotient, rounded up at ledger scale.';
CREATE FUNCTION credits.chain_faults(p_first uuid, p_last uuid) RETURNS TABLE(account_id uuid, expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.chain_faults(p_first uuid, p_last uuid) IS 'Faults of the entries since their checkpoint, of the accounts between the two that have new ones.';
CREATE FUNCTION credits.change_faults(p_first uuid, p_last uuid) RETURNS TABLE(account_id uuid, expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.change_faults(p_first uuid, p_last uuid) IS 'Faults of what has changed since the checkpoints, in the accounts between the two. It writes nothing.';
CREATE FUNCTION credits.change_guest_key(p_kind text, p_id uuid, p_key text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.change_guest_key(p_kind text, p_id uuid, p_key text) IS 'Gives a device or a network its key under the new salt, unless another row has it.';
CREATE FUNCTION credits.change_key_expiry(p_key credits.api_keys, p_expires_at timestamp with time zone, p_user credits.api_keys) RETURNS credits.api_keys
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.change_key_expiry(p_key credits.api_keys, p_expires_at timestamp with time zone, p_user credits.api_keys) IS 'Changes when an API key expires, while the keys are locked: at the latest with the key that made it, and with p_user, the key of the call. Raises PT422 bad_expiry.';
CREATE FUNCTION credits.change_status(p_user_id text, p_status text, p_reason text) RETURNS api.account_standing
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.change_status(p_user_id text, p_status text, p_reason text) IS 'Does the work of api.freeze_account and api.thaw_account.';
CREATE FUNCTION credits.charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (quantity IS NULL) THEN NULL::numeric WHEN ((quantity <= free_quantity) IS TRUE) THEN (0)::numeric WHEN (whole_units IS TRUE) THEN (GREATEST(((div((quantity - free_quantity), unit_size) + (((mod((quantity - free_quantity), unit_size) > (0)::numeric))::integer)::numeric) * price_per_unit), minimum_charge) * unit_size) ELSE GREATEST(((quantity - free_quantity) * price_per_unit), (minimum_charge * unit_size)) END;
COMMENT ON FUNCTION credits.charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric) IS 'What a component of a price takes for a quantity, before margin and exchange rate, times unit_size. Exact.';
CREATE FUNCTION credits.charge_answered(p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.charge_answered(p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb) IS 'Does what follows from the answer to the charge of an attempt. The wallet is locked.';
CREATE FUNCTION credits.charge_durations() RETURNS TABLE(account_id uuid, seq bigint, duration_ms numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.charge_durations() IS 'How many milliseconds uses took: the number duration_ms in the metadata of charges by services, for the accounts that the analyst of this session may count. An auditor gets all.';
CREATE FUNCTION credits.charge_hold(p_wallet credits.wallets, p_hold credits.holds, p_cost numeric, p_usage jsonb, p_own numeric, p_released numeric, p_final boolean, p_over text, p_at timestamp with time zone, p_user_id text) RETURNS api.capture_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.charge_hold(p_wallet credits.wallets, p_hold credits.holds, p_cost numeric, p_usage jsonb, p_own numeric, p_released numeric, p_final boolean, p_over text, p_at timestamp with time zone, p_user_id text) IS 'Charges a part of a hold on a locked wallet: p_cost tokens, of which p_own are held. p_released more become free. p_final: this is the last part. Raises PT402 insufficient_tokens, PT429 spend_limit (a user, beyond the hold).';
CREATE FUNCTION credits.charge_problem(p_amount bigint, p_currency text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.charge_problem(p_amount bigint, p_currency text) IS 'Why Stripe would not charge this amount. Null when it would, according to its documentation, or could, where that depends on the exchange rate of the day; null also for a null amount.';
CREATE FUNCTION credits.check_amount(p_amount numeric) RETURNS credits.tokens
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_amount(p_amount numeric) IS 'The amount, if it is above 0 and at most 10^12 and has at most six decimals. Raises PT422 bad_amount.';
CREATE FUNCTION credits.check_capture(p_hold credits.holds, p_cost numeric, p_usage jsonb, p_final boolean, p_status text, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_capture(p_hold credits.holds, p_cost numeric, p_usage jsonb, p_final boolean, p_status text, p_at timestamp with time zone) IS 'Checks that this part of a hold may be charged. The wallet is locked, and p_status is its status. Raises PT409 hold_closed, PT423 account_frozen (a user), PT422 bad_usage or PT429 unpaid_limit (a user, for a part that costs nothing).';
CREATE FUNCTION credits.check_capture_arguments(p_usage jsonb, p_final boolean, p_over text, p_key text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_capture_arguments(p_usage jsonb, p_final boolean, p_over text, p_key text) IS 'Checks the arguments of a capture. Raises PT422 bad_usage, bad_final, bad_over or bad_key.';
CREATE FUNCTION credits.check_charge(p_amount bigint, p_currency text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_charge(p_amount bigint, p_currency text) IS 'Checks that Stripe would charge this amount; null passes. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_components(p_name text, p_components jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_components(p_name text, p_components jsonb) IS 'Checks the components of a price, and returns them as credits.components_as_json would, with the defaults filled in. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_currency(p_currency text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_currency(p_currency text) IS 'Checks that p_currency is null or a currency that Stripe takes payments in. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_decision(p_reason text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_decision(p_reason text) IS 'Checks that a service decides, with a reason. Raises PT403 not_yours, PT422 bad_reason.';
CREATE FUNCTION credits.check_event(p_event_id text, p_event jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_event(p_event_id text, p_event jsonb) IS 'Checks that this is an event of Stripe, known by p_event_id, and one for this bank. Raises PT422 bad_event, foreign_account, wrong_mode.';
CREATE FUNCTION credits.check_expiry(p_expires_at timestamp with time zone, p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_expiry(p_expires_at timestamp with time zone, p_account_id uuid) IS 'Checks that a lot of a locked wallet may expire at this moment; null means never. Raises PT422 bad_expiry.';
CREATE FUNCTION credits.check_explanation(p_at timestamp with time zone, p_movements bigint, p_before_seq bigint, p_account_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_explanation(p_at timestamp with time zone, p_movements bigint, p_before_seq bigint, p_account_id uuid) IS 'Checks the arguments of an explained balance. Raises PT422 bad_at or bad_limit.';
CREATE FUNCTION credits.check_free_part(p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_free_part(p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamp with time zone) IS 'Checks that a user may capture a part of a hold that costs 0. The wallet is locked. Such a part may end a hold that has been paid. Or it may use something, when its unit has been paid already or is free. Beyond 100 parts for each token paid, such parts count as unpaid. p_usage: what the part used. p_final: it ends the hold. Raises PT422 bad_usage for a use that costs nothing as a whole and for a part that uses nothing, PT429 unpaid_limit.';
CREATE FUNCTION credits.check_free_use(p_price_id bigint, p_account_id uuid DEFAULT NULL::uuid, p_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_free_use(p_price_id bigint, p_account_id uuid, p_at timestamp with time zone) IS 'Refuses a user''s use that costs 0, unless a whole unit of each dimension costs 0. If so, and if p_account_id names a locked wallet, the use counts as unpaid. Raises PT422 bad_usage, PT429 unpaid_limit.';
CREATE FUNCTION credits.check_given_reason(p_reason text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_given_reason(p_reason text) IS 'Checks that there is a reason, as credits.check_reason says. Raises PT422 bad_reason.';
CREATE FUNCTION credits.check_guest_keys(p_keys text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_guest_keys(p_keys text[]) IS 'Checks the keys of a device or network, and returns them as a plain array. Raises PT422 bad_guest.';
CREATE FUNCTION credits.check_hold(p_account_id uuid, p_price_id bigint, p_cost numeric, p_service boolean, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_hold(p_account_id uuid, p_price_id bigint, p_cost numeric, p_service boolean, p_at timestamp with time zone) IS 'Checks that a locked wallet may have one more hold. Raises PT429 too_many_holds or unpaid_limit, PT422 bad_usage.';
CREATE FUNCTION credits.check_hold_arguments(p_usage jsonb, p_ttl interval, p_metadata jsonb, p_key text, p_tags jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_hold_arguments(p_usage jsonb, p_ttl interval, p_metadata jsonb, p_key text, p_tags jsonb) IS 'Checks the arguments of a hold. Raises PT422 bad_usage, bad_ttl, bad_metadata, bad_tags or bad_key.';
CREATE FUNCTION credits.check_item(p_item jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_item(p_item jsonb) IS 'Checks that credits.is_item is true of an item. Raises PT422 bad_items or bad_byok.';
CREATE FUNCTION credits.check_key(p_key text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_key(p_key text) IS 'Checks that a text is an idempotency key: a name (credits.is_name) of at most 200 characters. Raises PT422 bad_key.';
CREATE FUNCTION credits.check_key_expiry(p_expires_at timestamp with time zone, p_makers credits.api_keys[]) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_key_expiry(p_expires_at timestamp with time zone, p_makers credits.api_keys[]) IS 'When a key expires that should expire at p_expires_at: at the latest with the keys that made it. Null means never. Raises PT422 bad_expiry.';
CREATE FUNCTION credits.check_line(p_name text, p_title text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_line(p_name text, p_title text) IS 'Checks that the id in a line of a price list is a name (credits.is_name), and that its title, unit or description can be shown (credits.is_label). Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_metadata(p_metadata jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_metadata(p_metadata jsonb) IS 'Checks that metadata is as credits.is_metadata says, and, from a user, at most 1 kB. Raises PT422 bad_metadata.';
CREATE FUNCTION credits.check_named_price(p_cost numeric, p_named numeric) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_named_price(p_cost numeric, p_named numeric) IS 'Compares the cost of a call with the one that the client names; null passes. Raises PT422 price_mismatch.';
CREATE FUNCTION credits.check_parent(p_dimension text, p_parent text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_parent(p_dimension text, p_parent text) IS 'Checks that p_parent may be the parent of p_dimension. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_password_hash(p_password_hash text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_password_hash(p_password_hash text) IS 'Checks that a text is an argon2 hash. Raises PT422 bad_password.';
CREATE FUNCTION credits.check_period(p_period text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_period(p_period text) IS 'Checks that a period is day or month. Raises PT422 bad_period, also for null.';
CREATE TABLE credits.plan_versions (
    plan_id text NOT NULL,
    version bigint NOT NULL,
    allowance credits.tokens NOT NULL,
    period_unit text NOT NULL,
    period_count bigint NOT NULL,
    amount bigint NOT NULL,
    currency text,
    trial_days bigint DEFAULT 0 NOT NULL,
    trial_allowance credits.tokens DEFAULT 0 NOT NULL,
    rollover_cap credits.tokens,
    rollover_percent numeric,
    rollover_expires_after interval,
    priority bigint NOT NULL,
    rollover_priority bigint NOT NULL,
    scope text,
    stripe_price_id text,
    defined_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT plan_versions_allowance_is_positive CHECK (((allowance)::numeric > (0)::numeric)),
    CONSTRAINT plan_versions_amount_is_not_negative CHECK ((amount >= 0)),
    CONSTRAINT plan_versions_cap_is_positive CHECK (((rollover_cap)::numeric > (0)::numeric)),
    CONSTRAINT plan_versions_percent_is_sane CHECK (((rollover_percent > (0)::numeric) AND (rollover_percent <= (100)::numeric))),
    CONSTRAINT plan_versions_period_is_known CHECK ((period_unit = ANY (ARRAY['month'::text, 'year'::text]))),
    CONSTRAINT plan_versions_period_is_sane CHECK (((period_count >= 1) AND (period_count <=
CASE period_unit
    WHEN 'year'::text THEN 3
    ELSE 36
END))),
    CONSTRAINT plan_versions_price_has_currency CHECK (((amount = 0) OR (currency IS NOT NULL))),
    CONSTRAINT plan_versions_rollover_expiry_is_sane CHECK (((rollover_expires_after > '00:00:00'::interval) AND (rollover_expires_after <= '1000 years'::interval))),
    CONSTRAINT plan_versions_trial_is_sane CHECK ((((trial_days >= 0) AND (trial_days <= 730)) AND ((trial_allowance)::numeric >= (0)::numeric)))
);
ALTER TABLE ONLY credits.plan_versions FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.plan_versions IS 'The terms of plans. A version is never edited. New subscribers get the newest one; the others keep the newest one of the price that they pay at Stripe.';
COMMENT ON COLUMN credits.plan_versions.allowance IS 'Tokens for each period, and for each unit of the quantity.';
COMMENT ON COLUMN credits.plan_versions.amount IS 'Price of a period in minor units of the currency. 0: free.';
COMMENT ON COLUMN credits.plan_versions.trial_allowance IS 'Tokens that the invoice of a free trial grants.';
COMMENT ON COLUMN credits.plan_versions.rollover_cap IS 'How many tokens at most roll over at one renewal, for each unit of the quantity.';
COMMENT ON COLUMN credits.plan_versions.rollover_percent IS 'How much of what is left rolls over. Null: all, up to the cap. Both null: nothing rolls over.';
COMMENT ON COLUMN credits.plan_versions.rollover_expires_after IS 'How long the tokens that rolled over last, from the beginning of the new period. Null: as long as that period.';
COMMENT ON COLUMN credits.plan_versions.stripe_price_id IS 'Price object at Stripe (price_…), if one is configured. Otherwise the amount is sent.';
CREATE FUNCTION credits.check_plan(p_terms credits.plan_versions, p_active boolean) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_plan(p_terms credits.plan_versions, p_active boolean) IS 'Checks the terms in a line about a plan. Raises PT422 bad_catalog.';
CREATE TABLE credits.prices (
    price_id bigint NOT NULL,
    module_id text,
    category_id text,
    valid_from timestamp with time zone NOT NULL,
    margin numeric DEFAULT 1 NOT NULL,
    exchange_rate numeric DEFAULT 1 NOT NULL,
    defined_at timestamp with time zone DEFAULT transaction_timestamp() NOT NULL,
    origin text,
    CONSTRAINT prices_exchange_rate_is_sane CHECK (((exchange_rate > (0)::numeric) AND (exchange_rate < (1000000000)::numeric))),
    CONSTRAINT prices_have_one_target CHECK (((module_id IS NULL) OR (category_id IS NULL))),
    CONSTRAINT prices_margin_is_sane CHECK (((margin >= (0)::numeric) AND (margin < (1000000)::numeric)))
);
ALTER TABLE ONLY credits.prices FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.prices IS 'Versions of the price of a module, of a category, or (both null) of every other module. A version is never edited. It ends where the next version for the same target begins.';
COMMENT ON COLUMN credits.prices.margin IS 'Factor on the provider''s price: 1.05 adds five percent.';
COMMENT ON COLUMN credits.prices.exchange_rate IS 'Units of the currency of the components for one unit of the balance: 1.08 when prices are in US cents and balances in euro cents.';
COMMENT ON COLUMN credits.prices.defined_at IS 'The transaction that wrote it. Two versions for one target from now on, in one file, are a mistake.';
COMMENT ON COLUMN credits.prices.origin IS 'The list that the version was imported from, such as genai-prices. Null: a person wrote it, and imports keep it.';
CREATE FUNCTION credits.check_price(p_name text, p_price credits.prices) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_price(p_name text, p_price credits.prices) IS 'Checks everything in a line about a price except its components. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_reason(p_reason text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_reason(p_reason text) IS 'Checks the reason of freezing, releasing or refunding: null, or text of at most 200 characters without control characters. Raises PT422 bad_reason.';
CREATE FUNCTION credits.check_refund(p_order credits.orders, p_tokens numeric, p_amount bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_refund(p_order credits.orders, p_tokens numeric, p_amount bigint) IS 'The amount of a refund, of an order whose wallet is locked: for so many tokens, or of so much money, or of all that is left. Raises PT409 not_refundable (state), PT422 bad_amount (refundable, tokens).';
CREATE FUNCTION credits.check_scope(p_scope text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_scope(p_scope text) IS 'Checks that p_scope is null, or names a listed module or category. Raises PT422 bad_scope.';
CREATE FUNCTION credits.check_spend(p_usage jsonb, p_metadata jsonb, p_byok boolean, p_key text, p_tags jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_spend(p_usage jsonb, p_metadata jsonb, p_byok boolean, p_key text, p_tags jsonb) IS 'Checks the arguments of a spend. Raises PT403 not_yours, PT422 bad_usage, bad_byok, bad_metadata, bad_tags or bad_key.';
CREATE FUNCTION credits.check_stripe_prices() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_stripe_prices() IS 'Called after a price list was applied: checks that every configured Stripe price is of one pack or one plan. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_tags(p_tags jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_tags(p_tags jsonb) IS 'Checks tags: null and {} mean no tags, and anything else is as credits.is_tags says. Raises PT422 bad_tags.';
CREATE FUNCTION credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb) IS 'Checks that these are tiers, in ascending order. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.check_ttl(p_ttl interval) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_ttl(p_ttl interval) IS 'The seconds of an interval, if a hold may last that long. Raises PT422 bad_ttl.';
CREATE FUNCTION credits.check_usage_size(p_usage jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_usage_size(p_usage jsonb) IS 'Checks that usage takes at most 2048 bytes as jsonb; null passes. Raises PT422 bad_usage.';
CREATE FUNCTION credits.check_webhook(p_url text, p_kinds text[], p_description text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.check_webhook(p_url text, p_kinds text[], p_description text) IS 'Checks what an endpoint is registered with. Raises PT422 bad_webhook.';
CREATE FUNCTION credits.checkpoint_faults(p_first uuid, p_last uuid) RETURNS TABLE(account_id uuid, expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.checkpoint_faults(p_first uuid, p_last uuid) IS 'Accounts between the two whose wallet has fewer entries than were verified, or has changed without a new entry.';
CREATE FUNCTION credits.choose_head(p_account_id uuid, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.choose_head(p_account_id uuid, p_at timestamp with time zone) IS 'Gives a locked wallet a permit for the next lot, if that lot is the same for every module and the transaction is READ COMMITTED. The permit covers all that is free in the lot, but ends before a limit or a notice is reached. Nothing is due on the wallet.';
CREATE FUNCTION credits.claim_analyst(p_login text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.claim_analyst(p_login text) IS 'Says whether the role of an analyst''s login is there already, and keeps other administrators from changing analysts until the end of the transaction. Raises PT422 bad_login.';
CREATE TABLE credits.idempotency_keys (
    account_id uuid NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint bytea,
    entry_seq bigint,
    made_id uuid,
    options jsonb,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY credits.idempotency_keys FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.idempotency_keys IS 'Calls that were answered, kept for 35 days or longer. The same key with the same arguments gets the same answer. A refusal leaves no key.';
COMMENT ON COLUMN credits.idempotency_keys.fingerprint IS 'The sha256 of the arguments. Null for a spend, a hold and a capture, whose rows record the arguments.';
COMMENT ON COLUMN credits.idempotency_keys.entry_seq IS 'The entry that the call wrote, or null.';
COMMENT ON COLUMN credits.idempotency_keys.made_id IS 'The order, hold or failure that the call made or ended.';
COMMENT ON COLUMN credits.idempotency_keys.options IS 'Arguments of a capture that its entry does not record: {"held": true} if it named no usage, {"final": false}, {"over": "available"}. Null: the defaults.';
CREATE FUNCTION credits.claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_entry_seq bigint DEFAULT NULL::bigint, p_made_id uuid DEFAULT NULL::uuid) RETURNS credits.idempotency_keys
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_entry_seq bigint, p_made_id uuid) IS 'Claims a key for the call that is about to write p_entry_seq or make p_made_id. Returns a row of nulls if the key is new. Otherwise returns the row of the first call, whose answer the caller repeats. Raises PT409 key_reused, PT422 bad_key.';
CREATE FUNCTION credits.claim_refund(p_charge credits.entries, p_named numeric, p_seq bigint, OUT refunded numeric, OUT tokens numeric) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.claim_refund(p_charge credits.entries, p_named numeric, p_seq bigint, OUT refunded numeric, OUT tokens numeric) IS 'Counts a refund of a charge on a locked wallet. tokens: p_named, or all that is left of the charge if that is null. refunded: what was given back before. p_seq: the seq that the refund will have. Raises PT409 already_refunded, PT422 bad_amount.';
CREATE FUNCTION credits.claims_of_trusted_login() RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.claims_of_trusted_login() IS 'The claims of this session, if the operator has trusted its login with them for the acting role. Otherwise null.';
CREATE FUNCTION credits.clock() RETURNS timestamp with time zone
    LANGUAGE sql PARALLEL SAFE
    RETURN clock_timestamp();
COMMENT ON FUNCTION credits.clock() IS 'The time now, not the start of the transaction.';
CREATE FUNCTION credits.clock(p_account_id uuid) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.clock(p_account_id uuid) IS 'The time of an account: what its test clock shows, otherwise the time now. Null stands for no account in particular.';
CREATE FUNCTION credits.close_head(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.close_head(p_account_id uuid) IS 'Takes back the permit of a locked wallet. The next spend checks limits, notices and lots.';
CREATE FUNCTION credits.columns_digest() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.columns_digest() IS 'A digest of the columns of all tables and composite types in the bank''s schemas.';
CREATE FUNCTION credits.components_as_json(p_price_id bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.components_as_json(p_price_id bigint) IS 'The components of a version, by dimension, each with all its fields, as credits.define_price takes them.';
CREATE FUNCTION credits.configured_stripe_price(p_id text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.configured_stripe_price(p_id text) IS 'The id of the price at Stripe that the operator has configured for a pack or a plan. Null when none is.';
CREATE FUNCTION credits.confirmation_answered(p_call credits.stripe_calls, p_verdict text, p_answer jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.confirmation_answered(p_call credits.stripe_calls, p_verdict text, p_answer jsonb) IS 'Tells the user of a paused automatic top-up where to confirm the card. The wallet is locked.';
CREATE FUNCTION credits.cooldown(p_failures bigint) RETURNS interval
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.cooldown(p_failures bigint) IS 'How long automatic top-up waits after so many failures in a row: an hour, doubled with each, 24 hours at most.';
CREATE FUNCTION credits.cost_of(p_price_id bigint, p_usage jsonb) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.cost_of(p_price_id bigint, p_usage jsonb) IS 'What a usage costs under a version of a price, as credits.price_usage computes it. Null when it cannot be charged.';
CREATE FUNCTION credits.count_attempt(p_scope text, p_limit bigint, p_window interval, p_slug text, OUT attempts bigint, OUT reset_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.count_attempt(p_scope text, p_limit bigint, p_window interval, p_slug text, OUT attempts bigint, OUT reset_at timestamp with time zone) IS 'Counts an attempt. Several attempts at once get different numbers. Raises PT429 with p_slug (limit, reset_at), PT503 busy.';
CREATE FUNCTION credits.count_unpaid(p_account_id uuid, p_at timestamp with time zone, p_uses bigint DEFAULT 0, p_holds bigint DEFAULT 0) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.count_unpaid(p_account_id uuid, p_at timestamp with time zone, p_uses bigint, p_holds bigint) IS 'Counts p_uses more uses and p_holds more holds that the user of a locked wallet has made without paying.';
CREATE FUNCTION credits.counted_in(p_price_id bigint, p_dimension text, p_usage jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.counted_in(p_price_id bigint, p_dimension text, p_usage jsonb) IS 'The quantities of a usage that a price counts in p_dimension because it has no rate for them: {dimension: quantity}.';
CREATE FUNCTION credits.price_or_null(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT price_source text, OUT cost numeric) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.price_or_null(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT price_source text, OUT cost numeric) IS 'The same as credits.price_usage, but with nulls for a usage that it refuses.';
CREATE FUNCTION credits.priced_items(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) RETURNS TABLE(place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb, plain boolean, nth_use bigint, price_id bigint, price_source text, cost numeric)
    LANGUAGE sql STABLE ROWS 100
    BEGIN ATOMIC
 WITH item AS MATERIALIZED (
          SELECT batch_items.place,
             batch_items.account_id,
             batch_items.user_id,
             batch_items.module_id,
             batch_items.usage,
             batch_items.key,
             batch_items.metadata,
             batch_items.tags,
             batch_items.plain,
             batch_items.nth_use
            FROM credits.batch_items(priced_items.p_items, priced_items.p_account_ids) batch_items(place, account_id, user_id, module_id, usage, key, metadata, tags, plain, nth_use)
         ), price AS MATERIALIZED (
          SELECT a.module_id,
             a.usage,
             p_1.price_id,
             p_1.price_source,
             p_1.cost
            FROM (( SELECT DISTINCT i_1.module_id,
                     i_1.usage
                    FROM item i_1
                   WHERE i_1.plain) a
              CROSS JOIN LATERAL ( SELECT price_or_null.price_id,
                     price_or_null.price_source,
                     price_or_null.cost
                    FROM credits.price_or_null(a.module_id, a.usage, priced_items.p_at) price_or_null(price_id, price_source, cost)) p_1)
         )
  SELECT i.place,
     i.account_id,
     i.user_id,
     i.module_id,
     i.usage,
     i.key,
     i.metadata,
     i.tags,
     i.plain,
     i.nth_use,
     p.price_id,
     p.price_source,
     p.cost
    FROM (item i
      LEFT JOIN price p ON (((i.module_id = p.module_id) AND (i.usage = p.usage))));
END;
COMMENT ON FUNCTION credits.priced_items(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) IS 'credits.batch_items with prices. Each usage is priced once. cost: null when the usage cannot be priced.';
CREATE FUNCTION credits.counted_items(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) RETURNS TABLE(place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb, price_id bigint, price_source text, cost numeric, wallet_seq bigint, balance numeric, debt numeric, posted_at timestamp with time zone, head_lot bigint, head_hash bytea, head_permit numeric, nth bigint, taken numeric, all_plain boolean)
    LANGUAGE sql STABLE ROWS 100
    BEGIN ATOMIC
 SELECT i.place,
     i.account_id,
     i.user_id,
     i.module_id,
     i.usage,
     i.key,
     i.metadata,
     i.tags,
     i.price_id,
     i.price_source,
     i.cost,
     w.seq,
     w.balance,
     w.debt,
     w.posted_at,
     w.head_lot,
     w.head_hash,
     w.head_permit,
     row_number() OVER before AS nth,
     sum(i.cost) OVER before AS taken,
     bool_and(((i.plain AND (i.cost > (0)::numeric) AND ((w.status)::text = 'active'::text) AND (w.test_clock IS NULL) AND ((i.key IS NULL) OR ((i.nth_use = 1) AND (k.known IS NULL)))) IS TRUE)) OVER before AS all_plain
    FROM ((( SELECT priced_items.place,
             priced_items.account_id,
             priced_items.user_id,
             priced_items.module_id,
             priced_items.usage,
             priced_items.key,
             priced_items.metadata,
             priced_items.tags,
             priced_items.plain,
             priced_items.nth_use,
             priced_items.price_id,
             priced_items.price_source,
             priced_items.cost
            FROM credits.priced_items(counted_items.p_items, counted_items.p_account_ids, counted_items.p_at) priced_items(place, account_id, user_id, module_id, usage, key, metadata, tags, plain, nth_use, price_id, price_source, cost)) i
      JOIN LATERAL ( SELECT x.account_id,
             x.seq,
             x.posted_at,
             x.due_at,
             x.unpaid,
             x.unpaid_holds,
             x.unpaid_until,
             x.head_quiet,
             x.head_lot,
             x.test_clock,
             x.status,
             x.balance,
             x.held,
             x.debt,
             x.head_permit,
             x.head_taken,
             x.head_reserved,
             x.lifetime_granted,
             x.lifetime_spent,
             x.head_hash
            FROM credits.wallets x
           WHERE (x.account_id = i.account_id)
           ORDER BY x.account_id
          LIMIT 1) w ON (true))
      LEFT JOIN LATERAL ( SELECT true AS known
            FROM credits.idempotency_keys x
           WHERE ((x.account_id = i.account_id) AND (x.operation = 'consume_tokens'::text) AND (x.key = i.key))
           ORDER BY x.key
          LIMIT 1) k ON (true))
   WINDOW before AS (PARTITION BY i.account_id ORDER BY i.place ROWS UNBOUNDED PRECEDING);
END;
COMMENT ON FUNCTION credits.counted_items(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) IS 'credits.priced_items of accounts that exist, with their wallets. nth: the item''s number within its account. taken: the cost of this item and of the items of its account before it. all_plain: are this item and those before it plain?';
CREATE TABLE credits.credentials (
    email text NOT NULL,
    password_hash text NOT NULL,
    subject text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT credentials_email_is_normal CHECK (((email = lower(btrim(email))) AND ((length(email) >= 3) AND (length(email) <= 320))))
);
ALTER TABLE ONLY credits.credentials FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.credentials IS 'Credentials of the embedded identity provider: e-mail address and argon2 hash. Empty where another issuer signs the tokens.';
CREATE FUNCTION credits.credential_of(p_email text) RETURNS credits.credentials
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.credential_of(p_email text) IS 'The credential of an e-mail address, however the address is spelled. Nulls when it has no credential.';
CREATE FUNCTION credits.credits_of_period(p_account_id uuid, p_subscription_id text, p_ends_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.credits_of_period(p_account_id uuid, p_subscription_id text, p_ends_at timestamp with time zone) IS 'How much of the net price of each order of a subscription''s period was credited: minor units by order_id.';
CREATE FUNCTION credits.database_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.database_faults() IS 'Rights of PUBLIC on a database of the bank''s own, and rights of the bank''s roles other than to connect.';
CREATE FUNCTION credits.decline_reason(p_error jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (((p_error ->> 'decline_code'::text) = ANY (ARRAY['fraudulent'::text, 'lost_card'::text, 'merchant_blacklist'::text, 'pickup_card'::text, 'stolen_card'::text])) IS TRUE) THEN 'generic_decline'::text ELSE "left"(COALESCE((p_error ->> 'decline_code'::text), (p_error ->> 'code'::text), (p_error ->> 'type'::text)), 200) END;
COMMENT ON FUNCTION credits.decline_reason(p_error jsonb) IS 'Why Stripe did not charge a card, as the user may see it. Null when the error does not say.';
CREATE FUNCTION credits.default_least() RETURNS numeric
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.default_least() IS 'credits.least_cost of the present default price. Null when there is no default price, or it is free.';
CREATE FUNCTION credits.default_priority(p_source credits.entry_kind) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.default_priority(p_source credits.entry_kind) IS 'The default priority of tokens by their source: rollover 5, allowance 10, given away 20, bought (and any bonus) 50.';
CREATE FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric DEFAULT 0, p_budget bigint DEFAULT NULL::bigint, p_per_account bigint DEFAULT 1, p_valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone, p_valid_until timestamp with time zone DEFAULT NULL::timestamp with time zone, p_expires_after interval DEFAULT NULL::interval, p_priority bigint DEFAULT NULL::bigint, p_scope text DEFAULT NULL::text, p_active boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean) IS 'Something that is given away. p_kind: welcome (when an account opens), promo (for a code) or referral (with the first purchase of a user: p_tokens to the referrer who brought them, p_referee_tokens to the user). p_budget and p_per_account count grants. p_expires_after: how long the granted tokens last. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_campaign_bounds(p_campaign_id text, p_per_device bigint, p_per_network bigint DEFAULT NULL::bigint, p_per_shared_network bigint DEFAULT NULL::bigint, p_sliding_window interval DEFAULT '24:00:00'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_campaign_bounds(p_campaign_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) IS 'How often a campaign gives to accounts of one device, and of one network, in any span of p_sliding_window (at most 7 days). p_per_network: by default as often as per device. p_per_shared_network, for a network that is known to be shared: by default ten times that. p_per_device 0 means no bounds. By default a welcome has the bounds 3, 20 and 200, and a promotion has none. A referral cannot have bounds. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text) IS 'Names a price list, the unit of its balances, and the currency that its packs are sold in. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_category(p_category_id text, p_title text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_category(p_category_id text, p_title text) IS 'Defines a group of modules. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_code(p_code text, p_campaign_id text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_code(p_code text, p_campaign_id text) IS 'A code for a campaign of kind promo: 3 to 64 letters of one script, digits, and - _ . + % & !. Case, white space, the kind of dash and invisible characters do not matter. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_dimension(p_dimension text, p_description text, p_parent text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_dimension(p_dimension text, p_description text, p_parent text) IS 'Defines something that usage is measured in, so that prices can name it. p_parent: the dimension that it is a part of, and whose rate it costs where a price has no rate for it. Null: no parent, or the one that it has. A parent has no parent, and is not changed. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint DEFAULT NULL::bigint, p_per_shared_network bigint DEFAULT NULL::bigint, p_sliding_window interval DEFAULT '24:00:00'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) IS 'How many uses are free without an account, in any span of p_sliding_window (at most 7 days). p_per_network: by default as many as per device. p_per_shared_network, for a network that is known to be shared: by default ten times that. p_per_device 0 means that nothing is free any more. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_imported_price(p_origin text, p_module_id text, p_title text, p_components jsonb, p_margin numeric DEFAULT 1, p_exchange_rate numeric DEFAULT 1) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_imported_price(p_origin text, p_module_id text, p_title text, p_components jsonb, p_margin numeric, p_exchange_rate numeric) IS 'Defines the price of a module as a list of somebody else has it, from now on, unless a person has set its price. p_origin names that list. A module that is not listed yet is defined with p_title. The components, margin and exchange rate are those of credits.define_price. Returns {"state": new, changed, unchanged or kept, "why": why it was kept, "before", "after", "offered": {dimension: tokens per million, before free quantities, tiers and minimums}}. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text DEFAULT NULL::text, p_active boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text, p_active boolean) IS 'Defines something that tokens can be spent on. A module that is not active is withdrawn, and can no longer be charged. A new id must not look like the id of another module, withdrawn or not: by case, accents, letters of other scripts, white space, hyphens or underscores. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_notice(p_kind text, p_below numeric DEFAULT NULL::numeric, p_percent numeric DEFAULT NULL::numeric, p_ahead interval DEFAULT NULL::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval) IS 'When users are told something: low_balance (p_below tokens, or p_percent of the last purchase or the greatest lot), depleted, expiring_soon (p_ahead of the expiry). A changed rule locks every wallet. So these lines come before modules, prices and campaigns, which have locks of their own. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric DEFAULT 0, p_popular boolean DEFAULT false, p_position bigint DEFAULT 0, p_expires_after interval DEFAULT NULL::interval, p_stripe_price_id text DEFAULT NULL::text, p_active boolean DEFAULT true, p_scope text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text) IS 'Defines something that can be bought, for an amount that Stripe would charge, in the unit that Stripe counts the currency in (cents; 5000 ugx are 50 shillings). p_scope (module:ID or category:ID) binds its tokens. p_stripe_price_id: by default the one that the operator has configured, otherwise the one that is there stays. Orders keep their own snapshot. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_plan(p_plan_id text, p_title text, p_allowance numeric, p_amount bigint DEFAULT 0, p_currency text DEFAULT NULL::text, p_interval text DEFAULT 'month'::text, p_interval_count bigint DEFAULT 1, p_rollover_cap numeric DEFAULT NULL::numeric, p_rollover_percent numeric DEFAULT NULL::numeric, p_rollover_expires_after interval DEFAULT NULL::interval, p_priority bigint DEFAULT NULL::bigint, p_rollover_priority bigint DEFAULT NULL::bigint, p_trial_days bigint DEFAULT 0, p_trial_allowance numeric DEFAULT 0, p_scope text DEFAULT NULL::text, p_popular boolean DEFAULT false, p_position bigint DEFAULT 0, p_stripe_price_id text DEFAULT NULL::text, p_active boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_plan(p_plan_id text, p_title text, p_allowance numeric, p_amount bigint, p_currency text, p_interval text, p_interval_count bigint, p_rollover_cap numeric, p_rollover_percent numeric, p_rollover_expires_after interval, p_priority bigint, p_rollover_priority bigint, p_trial_days bigint, p_trial_allowance numeric, p_scope text, p_popular boolean, p_position bigint, p_stripe_price_id text, p_active boolean) IS 'A plan that users subscribe to. p_allowance: tokens for each period, which lasts p_interval_count (1 to 36 months, 1 to 3 years) of p_interval (month or year). p_amount: minor units of p_currency for each period, which Stripe would charge; 0 is the free plan, of which there is at most one. p_rollover_percent: so much of what is left when a period ends rolls over into the next one that is paid; p_rollover_cap: at most so many tokens; without either, nothing does. p_rollover_expires_after: how long these tokens last from the beginning of the next period, by default as long as it. p_trial_days: the length of a free trial, and p_trial_allowance the tokens that it grants. p_scope (module:ID or category:ID) binds the tokens. p_stripe_price_id: by default the one that the operator has configured, otherwise the one that is there stays. Changed terms are a new version for new subscribers. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_price(p_components jsonb, p_module_id text DEFAULT NULL::text, p_category_id text DEFAULT NULL::text, p_margin numeric DEFAULT 1, p_exchange_rate numeric DEFAULT 1, p_valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone) IS 'Defines the price of a module, of a category, or of every other module (the default), and returns its version. p_valid_from: null means now, and a time in the future makes a later version. A time in the past, from the year 2000 on, is allowed only while there is no version yet. p_components: [{dimension, price_per_unit, unit_size = 1, free_quantity = 0, whole_units = false, whole_quantity = false, minimum_charge = 0, provider_cost, tiers: [{above, price_per_unit}]}]. whole_units: a unit that was begun is charged whole. whole_quantity: a quantity that is not a whole number is refused. If the price is the same already, its version is returned. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_purge(p_after interval, p_ahead interval DEFAULT '30 days'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_purge(p_after interval, p_ahead interval) IS 'From when on the tokens of an inactive account expire: p_after its last spend, purchase or grant. The user is told p_ahead of that, with the notice inactive. Null p_after: never, which is how a bank begins. A changed rule locks every wallet. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_retention(p_kind text, p_keep_for interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_retention(p_kind text, p_keep_for interval) IS 'How long things of one kind are kept: a line of a price list, or for an operator. p_kind: idempotency_keys, networks, sessions, webhook_deliveries, notices, guests or stripe_payloads. p_keep_for: at least what credits.retention_periods.at_least says, at most 1000 years. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) IS 'Offers to sell tokens for any amount that Stripe would charge between two bounds (minor units of the currency), at so many tokens per minor unit. Removes the presets of this currency. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean) IS 'Defines an amount to propose for a top-up (minor units of the currency), between its bounds. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.dispute_movements(p_event credits.stripe_events, OUT withdrawals bigint, OUT reinstatements bigint) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.dispute_movements(p_event credits.stripe_events, OUT withdrawals bigint, OUT reinstatements bigint) IS 'How often an event of a dispute says that its money was withdrawn, and how often that it was reinstated.';
CREATE FUNCTION credits.distrust_claims(p_login name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.distrust_claims(p_login name) IS 'For the operator. Claims in sessions of this login no longer count, from the next statement on. Raises PT422 bad_login.';
CREATE FUNCTION credits.draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, p_hold boolean DEFAULT false, OUT draws jsonb, OUT missing numeric) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, p_hold boolean, OUT draws jsonb, OUT missing numeric) IS 'Takes p_tokens from the lots of a locked wallet in burn order, or holds them there. draws: from which lots. missing: what the lots could not pay. If that is above 0, the caller pays the rest otherwise, or refuses the call, which undoes the draws.';
CREATE FUNCTION credits.draw_of(p_lot_id bigint, p_tokens numeric) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((p_tokens > (0)::numeric) IS TRUE) THEN jsonb_build_array(jsonb_build_object('lot_id', p_lot_id, 'tokens', trim_scale(p_tokens))) ELSE '[]'::jsonb END;
COMMENT ON FUNCTION credits.draw_of(p_lot_id bigint, p_tokens numeric) IS 'The draws of so many tokens from one lot.';
CREATE FUNCTION credits.drawn_lots(p_entry credits.entries) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.drawn_lots(p_entry credits.entries) IS 'The lots that an entry changed, in its order: tokens above zero went into the lot, and below zero out of it. purchase: the order that paid for the lot.';
CREATE FUNCTION credits.drop_request(p_account_id uuid, p_request_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.drop_request(p_account_id uuid, p_request_id uuid) IS 'A request of a refund no longer withholds tokens by itself. False when that was so before. The caller settles the order.';
CREATE FUNCTION credits.earlier(p_at timestamp with time zone, p_before interval) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((p_at AT TIME ZONE '00:00:00'::interval) - p_before) AT TIME ZONE '00:00:00'::interval);
COMMENT ON FUNCTION credits.earlier(p_at timestamp with time zone, p_before interval) IS 'A moment and an interval before it, by the calendar of UTC.';
CREATE FUNCTION credits.email_key(p_email text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.email_key(p_email text) IS 'The key under which the sign-ins to an e-mail address are counted.';
CREATE TABLE credits.topup_attempts (
    account_id uuid NOT NULL,
    attempt_id uuid DEFAULT gen_random_uuid() NOT NULL,
    consent_id uuid NOT NULL,
    order_id uuid NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    reason text,
    entry_seq bigint,
    hold_id uuid,
    balance_before credits.tokens NOT NULL,
    balance_after credits.tokens NOT NULL,
    threshold credits.amount NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    payment_intent_id text,
    fired_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT topup_attempts_amount_is_positive CHECK ((amount > 0)),
    CONSTRAINT topup_attempts_end_has_time CHECK (((state = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT topup_attempts_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'succeeded'::text, 'declined'::text, 'authentication_required'::text, 'canceled'::text, 'failed'::text])))
);
ALTER TABLE ONLY credits.topup_attempts FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.topup_attempts IS 'Charges that automatic top-up began, each with the spend or hold that caused it and with what became of it.';
COMMENT ON COLUMN credits.topup_attempts.reason IS 'Why it did not succeed. If it has succeeded, the charge had failed before and succeeded later.';
COMMENT ON COLUMN credits.topup_attempts.entry_seq IS 'The entry that took the balance below the threshold. Null when a hold did: hold_id.';
COMMENT ON COLUMN credits.topup_attempts.balance_before IS 'The free balance before that: without held tokens.';
CREATE FUNCTION credits.end_attempt(p_attempt credits.topup_attempts, p_state text, p_reason text, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.end_attempt(p_attempt credits.topup_attempts, p_state text, p_reason text, p_at timestamp with time zone) IS 'Ends an open attempt of a locked wallet without money: declined, authentication_required, canceled or failed. Returns false when it has ended already.';
CREATE FUNCTION credits.end_session_order(p_order credits.orders, p_event credits.stripe_events, p_own boolean) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.end_session_order(p_order credits.orders, p_event credits.stripe_events, p_own boolean) IS 'Moves an order whose session says that nothing was paid, or not yet. p_own: the session is the order''s. Returns the outcome.';
CREATE FUNCTION credits.end_sessions_of(p_account_id uuid, p_ended_by text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.end_sessions_of(p_account_id uuid, p_ended_by text) IS 'Ends all sessions of an account, and returns how many. Raises PT503 busy.';
CREATE FUNCTION credits.end_stale_calls(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.end_stale_calls(p_most bigint) IS 'Cancels the charges, of at most p_most accounts, that no worker has tried for a day. Returns how many accounts. Skips locked wallets.';
CREATE FUNCTION credits.ensure_partitions(p_months integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.ensure_partitions(p_months integer) IS 'Makes the ledger''s partitions for this month and the following ones, p_months in all. Returns how many were missing.';
CREATE FUNCTION credits.enter(p_subject text, OUT account_id uuid, OUT opened boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.enter(p_subject text, OUT account_id uuid, OUT opened boolean) IS 'Opens the account of a user id with an empty wallet, or finds it. The caller welcomes a new account, at the moment that the order of locks allows. Raises PT422 bad_user, PT503 busy.';
CREATE FUNCTION credits.enter_api_key(p_key credits.api_keys, p_arguments jsonb) RETURNS api.api_key
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.enter_api_key(p_key credits.api_keys, p_arguments jsonb) IS 'Writes an API key while the keys are locked. A call that repeats another, by its idempotency key, gets the key of that call, without its text. Raises PT409 key_reused, PT422 bad_key.';
CREATE FUNCTION credits.entry_hash(p_previous bytea, p_entry credits.entries) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(convert_to(((COALESCE((('[2, "'::text || encode(sha256(convert_to(((p_entry).tags)::text, 'UTF8'::name)), 'hex'::text)) || '", '::text), ''::text) || (json_build_array(1, encode(p_previous, 'hex'::text), (p_entry).account_id, (p_entry).seq, EXTRACT(epoch FROM (p_entry).posted_at), EXTRACT(epoch FROM (p_entry).effective_at), ((p_entry).kind)::text, ((p_entry).tokens)::numeric, ((p_entry).balance_after)::numeric, ((p_entry).debt_after)::numeric, (p_entry).draws, (p_entry).module_id, (p_entry).usage, (p_entry).price_id, (p_entry).order_id, (p_entry).hold_id, (p_entry).late, (p_entry).refunds_seq, (p_entry).campaign_id, (p_entry).package_name, (p_entry).actor, encode(sha256(convert_to((NULLIF((p_entry).metadata, '{}'::jsonb))::text, 'UTF8'::name)), 'hex'::text)))::text) || CASE WHEN ((p_entry).tags IS NULL) THEN ''::text ELSE ']'::text END), 'UTF8'::name));
COMMENT ON FUNCTION credits.entry_hash(p_previous bytea, p_entry credits.entries) IS 'sha256 of the hash before (empty for the first) and the fields of an entry.';
CREATE FUNCTION credits.entry_lines(p_account_id uuid, p_line text, p_first bigint, p_last bigint) RETURNS SETOF audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.entry_lines(p_account_id uuid, p_line text, p_first bigint, p_last bigint) IS 'Lines of the entries of an account from p_first to p_last.';
CREATE FUNCTION credits.entry_receipt(p_entry credits.entries) RETURNS api.entry_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.entry_receipt(p_entry credits.entries) IS 'One entry explained: its price and calculation, the lots and purchases behind it, its hold and refunds. It shows no provider''s cost.';
CREATE FUNCTION credits.event_id(p_event jsonb, p_original bytea) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.event_id(p_event jsonb, p_original bytea) IS 'The key of an event: its id, or the hash of its bytes if its id cannot be stored. Null when it has no id.';
CREATE FUNCTION credits.event_names(p_event jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.event_names(p_event jsonb) IS 'The ids of the objects at Stripe that an event names, sorted: its object, and the payment intent, charge, invoice, subscription and customer that it belongs to.';
CREATE FUNCTION credits.event_of_object(p_object_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.event_of_object(p_object_id text) IS 'An event that says what the mirror says of an object. Null for an object that no event would book.';
CREATE FUNCTION credits.event_time(p_event credits.stripe_events) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.event_time(p_event credits.stripe_events) IS 'When an event happened by Stripe''s clock, in whole seconds; when it arrived, if it does not say.';
CREATE FUNCTION credits.expire_holds(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.expire_holds(p_account_id uuid) IS 'Frees the tokens of the holds of a locked wallet that are past their time. The caller, credits.catch_up, has folded the head.';
CREATE FUNCTION credits.expire_lots(p_account_id uuid, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.expire_lots(p_account_id uuid, p_since timestamp with time zone) IS 'Books an expire entry for each expired lot of a locked wallet, dated at the moment of expiry. p_since: when tokens came back into expired lots. These tokens expire at that moment, and the caller writes the notices.';
CREATE FUNCTION credits.expire_old_orders(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.expire_old_orders(p_most bigint) IS 'Ends the orders that got no checkout within an hour, of at most p_most accounts, and returns how many accounts. Null means all of them.';
CREATE FUNCTION credits.expire_orders(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.expire_orders(p_account_id uuid) IS 'Ends the orders of a locked wallet that have no checkout and are too old to get one.';
CREATE FUNCTION credits.explained_balance(p_account_id uuid, p_at timestamp with time zone, p_movements bigint, p_before_seq bigint) RETURNS SETOF audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.explained_balance(p_account_id uuid, p_at timestamp with time zone, p_movements bigint, p_before_seq bigint) IS 'The lines that explain the balance of an account at a moment (null: now), with at most p_movements entries, the last ones before p_before_seq. With p_before_seq there are only opening, movement and carried.';
CREATE FUNCTION credits.fail(p_status integer, p_slug text, p_message text, p_facts json DEFAULT '{}'::json) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.fail(p_status integer, p_slug text, p_message text, p_facts json) IS 'Raises SQLSTATE PT<status> with a message for people, and a DETAIL for programs: {"error": slug, …facts}.';
CREATE FUNCTION credits.fail_intent(p_order credits.orders, p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.fail_intent(p_order credits.orders, p_event credits.stripe_events) IS 'Ends the attempt whose charge failed or was canceled, if it has not ended. Returns the outcome.';
CREATE FUNCTION credits.family_of(p_type text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.family_of(p_type text) IS 'The family of a type of events. Null: events of this type move nothing.';
CREATE FUNCTION credits.fan_out(p_account_id uuid, p_notice_id uuid, p_kind text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.fan_out(p_account_id uuid, p_notice_id uuid, p_kind text) IS 'Writes the messages of a new notice: one for each enabled endpoint that takes its kind.';
CREATE FUNCTION credits.find_api_key(p_key_id text) RETURNS credits.api_keys
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_api_key(p_key_id text) IS 'An API key by its id. Raises PT404 unknown_api_key.';
CREATE FUNCTION credits.find_code(p_code text) RETURNS credits.codes
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_code(p_code text) IS 'The code that somebody typed. Case, white space and invisible characters do not matter. Raises PT404 unknown_code.';
CREATE FUNCTION credits.find_entry(p_entry_id text) RETURNS credits.entries
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_entry(p_entry_id text) IS 'The entry of that name (account:seq). Raises PT404 unknown_entry.';
CREATE FUNCTION credits.find_hold(p_hold_id text, p_user_id text, OUT account_id uuid, OUT hold_id uuid, OUT user_id text, OUT service boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_hold(p_hold_id text, p_user_id text, OUT account_id uuid, OUT hold_id uuid, OUT user_id text, OUT service boolean) IS 'Where to look for a hold, whose hold it would be, and whether a service asks. Users find only their own holds; services find all. Raises PT404 unknown_hold, PT403 not_yours, PT401 not_signed_in.';
CREATE FUNCTION credits.find_intent(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_intent(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) IS 'The account and the order that the metadata of a payment intent or setup intent name. Nulls when they name none.';
CREATE FUNCTION credits.find_invoice(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_invoice(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) IS 'The account whose subscription an invoice is of, and the order that the invoice makes. Nulls when it is of nobody known.';
CREATE FUNCTION credits.find_list(p_list text, OUT list text, OUT path text, OUT kind text, OUT changes_for interval) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_list(p_list text, OUT list text, OUT path text, OUT kind text, OUT changes_for interval) IS 'A list of Stripe by its name. Raises PT422 bad_page.';
CREATE FUNCTION credits.find_lot(p_lot_id text) RETURNS credits.lots
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_lot(p_lot_id text) IS 'The lot of that name: account:lot_id, which is the entry that granted it. Raises PT404 unknown_lot.';
CREATE FUNCTION credits.find_order(p_account_id uuid, p_order_id uuid) RETURNS credits.orders
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_order(p_account_id uuid, p_order_id uuid) IS 'The order of this name and account. Raises PT404 unknown_order.';
CREATE FUNCTION credits.find_payment(p_names text[], OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_payment(p_names text[], OUT account_id uuid, OUT order_id uuid) IS 'The order whose payment one of these Stripe objects belongs to. Nulls when no such order is known yet.';
CREATE FUNCTION credits.find_price(p_module_id text, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_price(p_module_id text, p_at timestamp with time zone) IS 'The price of a module at a time: its own, otherwise that of its category, otherwise the default. Null when there is none, or when the id looks like that of a listed module.';
CREATE FUNCTION credits.find_session(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_session(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) IS 'The order that the session of an event names, whether it exists or not. Nulls when it names none.';
CREATE TABLE credits.sign_in_sessions (
    account_id uuid NOT NULL,
    session_id uuid DEFAULT gen_random_uuid() NOT NULL,
    subject text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT sign_in_sessions_end_has_time CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CONSTRAINT sign_in_sessions_end_is_known CHECK ((ended_by = ANY (ARRAY['signed_out'::text, 'signed_out_everywhere'::text, 'password_changed'::text, 'token_reused'::text])))
);
ALTER TABLE ONLY credits.sign_in_sessions FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.sign_in_sessions IS 'Sessions of users who signed in with the embedded identity provider. api.maintain forgets them some time after they expired (credits.retention_periods).';
COMMENT ON COLUMN credits.sign_in_sessions.expires_at IS 'When the session ends if it is not refreshed: 30 days after the last refresh, and a year after its beginning at the latest.';
COMMENT ON COLUMN credits.sign_in_sessions.ended_by IS 'signed_out, signed_out_everywhere, password_changed, or token_reused: a token that had been used was used again.';
CREATE FUNCTION credits.find_session(p_account_id uuid, p_session_id uuid, p_token_hash text) RETURNS credits.sign_in_sessions
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_session(p_account_id uuid, p_session_id uuid, p_token_hash text) IS 'The session that a refresh token is of, locked; nulls if there is no such token. Raises PT503 busy.';
CREATE FUNCTION credits.find_subject(p_family text, p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_subject(p_family text, p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) IS 'The account and the order that an event is about. Nulls when it names nothing of this bank yet.';
CREATE FUNCTION credits.find_subscription(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_subscription(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) IS 'The account of a subscription. Null when it is of nobody known.';
CREATE TABLE credits.webhook_endpoints (
    endpoint_id uuid DEFAULT gen_random_uuid() NOT NULL,
    url text NOT NULL,
    kinds text[],
    description text,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    enabled_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    disabled_reason text,
    failing_since timestamp with time zone,
    CONSTRAINT webhook_endpoints_disabled_has_reason CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL))),
    CONSTRAINT webhook_endpoints_take_something CHECK (((kinds IS NULL) OR (cardinality(kinds) > 0)))
);
ALTER TABLE ONLY credits.webhook_endpoints FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.webhook_endpoints IS 'Where products are told what happened: addresses that an operator registered. They serve every account, so they have no account_id.';
COMMENT ON COLUMN credits.webhook_endpoints.kinds IS 'The kinds of notices that it takes. Null: all of them.';
COMMENT ON COLUMN credits.webhook_endpoints.enabled_at IS 'When it was registered, or last enabled.';
COMMENT ON COLUMN credits.webhook_endpoints.disabled_at IS 'When an operator disabled it, or when it had failed for too long. It gets no messages until it is enabled.';
COMMENT ON COLUMN credits.webhook_endpoints.failing_since IS 'The first failure since it last took a message. Null while it takes them.';
CREATE FUNCTION credits.find_webhook(p_endpoint_id uuid) RETURNS credits.webhook_endpoints
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.find_webhook(p_endpoint_id uuid) IS 'Locks an endpoint and returns it. Raises PT404 unknown_webhook, PT503 busy.';
CREATE FUNCTION credits.fingerprint(p_arguments jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    RETURN sha256(convert_to(CASE WHEN (((p_arguments)::text ~~ '%.%0%'::text) IS TRUE) THEN credits.canonical(p_arguments) ELSE (p_arguments)::text END, 'UTF8'::name));
COMMENT ON FUNCTION credits.fingerprint(p_arguments jsonb) IS 'The sha256 of a call''s arguments, which is kept with its key.';
CREATE FUNCTION credits.finish_guest_use(p_use_id uuid, p_state text) RETURNS api.guest_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.finish_guest_use(p_use_id uuid, p_state text) IS 'Does the work of api.confirm_guest_use and api.release_guest_use. A use ends once; a repeat gets the same answer. Raises PT403 not_yours, PT404 unknown_use, PT409 use_closed.';
CREATE FUNCTION credits.finish_taking(p_account_id uuid, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint DEFAULT NULL::bigint, p_hold_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.finish_taking(p_account_id uuid, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) IS 'Does what follows when tokens have been taken without a permit and the locked wallet has been written: writes notices of the fall from p_before to p_after, begins an automatic top-up, and gives a permit for the next spend. The tokens were taken by the entry p_entry_seq or the hold p_hold_id.';
CREATE FUNCTION credits.finish_unholding(p_account_id uuid, p_before numeric, p_after numeric, p_freed jsonb, p_at timestamp with time zone, p_entry_seq bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.finish_unholding(p_account_id uuid, p_before numeric, p_after numeric, p_freed jsonb, p_at timestamp with time zone, p_entry_seq bigint) IS 'Does what follows when held tokens outside the head lot have been charged or freed. The locked wallet has been written. Writes notices of the change from p_before to p_after, begins an automatic top-up because of the entry p_entry_seq, expires what is free again in the lots of p_freed, and gives a permit for the next spend.';
CREATE FUNCTION credits.fire_topup(p_account_id uuid, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint DEFAULT NULL::bigint, p_hold_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.fire_topup(p_account_id uuid, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) IS 'Begins an automatic top-up when the locked wallet''s balance, held tokens included, has fallen from p_before to p_after. The cause is the entry p_entry_seq or the hold p_hold_id.';
CREATE FUNCTION credits.fold_head(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.fold_head(p_account_id uuid) IS 'Writes the sums on a locked wallet into its head lot. After that the rows of all lots are up to date.';
CREATE FUNCTION credits.follow_prices() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.follow_prices() IS 'Trigger: a new version of a price changes the price list.';
CREATE FUNCTION credits.forget_attempts(p_max bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_attempts(p_max bigint) IS 'Forgets at most p_max counts whose window is over, and as many networks where nobody has signed in for their period. Returns how many. Null means all of them.';
CREATE FUNCTION credits.forget_deliveries(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_deliveries(p_most bigint) IS 'Forgets at most p_most messages that were delivered longer ago than their period. Returns how many.';
CREATE FUNCTION credits.forget_guests(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_guests(p_most bigint) IS 'Forgets at most p_most uses of guests that are older than their period, as many devices without uses, and networks without uses. Returns how many uses and devices.';
CREATE FUNCTION credits.forget_keys(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_keys(p_most bigint) IS 'Forgets at most p_most keys that are older than their period (35 days or more), and returns how many. After that a repeat of such a call is a new call.';
CREATE FUNCTION credits.forget_notices(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_notices(p_most bigint) IS 'Forgets at most p_most notices that are older than their period, with their messages. Returns how many notices.';
CREATE FUNCTION credits.forget_origins(p_max bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_origins(p_max bigint) IS 'Forgets at most p_max origins that are older than the period of networks: by then their keys no longer match new ones. Returns how many. Null means all of them.';
CREATE FUNCTION credits.forget_sessions(p_max bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.forget_sessions(p_max bigint) IS 'Forgets at most p_max sessions that expired longer ago than their period, and returns how many. Null means all of them.';
CREATE VIEW credits.current_lots WITH (security_invoker='true') AS
 SELECT l.account_id,
    l.lot_id,
    l.source,
    l.package_name,
    l.granted,
    ((l.remaining)::numeric - COALESCE((w.head_taken)::numeric, (0)::numeric)) AS remaining,
    ((l.held)::numeric + COALESCE((w.head_reserved)::numeric, (0)::numeric)) AS held,
    l.priority,
    l.scope,
    l.effective_at,
    l.expires_at,
    l.unit_cost,
    l.currency,
    l.order_id,
    l.frozen,
    l.live,
    l.announced,
    l.reversed,
    l.withheld
   FROM (credits.lots l
     LEFT JOIN credits.wallets w ON (((l.account_id = w.account_id) AND (l.lot_id = w.head_lot))));
COMMENT ON VIEW credits.current_lots IS 'The lots, with the tokens that really remain and are held in them. live: the row still has tokens. A lot that is not live has no tokens. withheld: how many of them cannot be spent, because money may go back. reversed: how many were taken back with their money.';
CREATE FUNCTION credits.free_lots(p_account_id uuid, p_at timestamp with time zone) RETURNS TABLE(lot_id bigint, scope text, free numeric)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT l.lot_id,
     l.scope,
     ((l.remaining - l.held) - (l.withheld)::numeric) AS free
    FROM credits.current_lots l
   WHERE ((l.account_id = free_lots.p_account_id) AND l.live AND (NOT l.frozen) AND (l.remaining > (l.held + (l.withheld)::numeric)) AND (l.effective_at <= free_lots.p_at) AND ((l.expires_at IS NULL) OR (l.expires_at > free_lots.p_at)))
   ORDER BY l.priority, l.expires_at, (l.scope IS NULL), ((l.unit_cost)::numeric > (0)::numeric), l.effective_at, l.lot_id;
END;
COMMENT ON FUNCTION credits.free_lots(p_account_id uuid, p_at timestamp with time zone) IS 'The lots of an account that may be spent, bound or not, in burn order, with what is free in each.';
CREATE FUNCTION credits.free_tokens(p_account_id uuid, p_scopes text[], p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.free_tokens(p_account_id uuid, p_scopes text[], p_at timestamp with time zone) IS 'The tokens of an account that are not held, withheld, frozen, expired or bound to something else than p_scopes. Null: whatever they are bound to.';
CREATE FUNCTION credits.freeze_on_fraud_warnings(p_freeze boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.freeze_on_fraud_warnings(p_freeze boolean) IS 'For the operator. Whether an early fraud warning of Stripe freezes the tokens of the suspected payment, and stops automatic top-up. By default it does neither. The setting counts for later events; api.replay_event applies it to earlier ones. Raises PT422 bad_setting for null.';
CREATE FUNCTION credits.fulfil_order(p_order credits.orders, p_objects text[], p_paid bigint, p_discount numeric, p_succeeded_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.fulfil_order(p_order credits.orders, p_objects text[], p_paid bigint, p_discount numeric, p_succeeded_at timestamp with time zone) IS 'Grants the snapshot of an order under the locks of credits.lock_with_referrer: the tokens, then the bonus, then what the referrer earned. p_objects: the ids at Stripe by which the payment is known; nulls are ignored. p_paid: what arrived, with tax, in minor units. p_discount: minor units, from 0 to the amount of the order. p_succeeded_at: when the payment succeeded, by Stripe''s clock. Returns the entry of the purchase.';
CREATE FUNCTION credits.functions_digest() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.functions_digest() IS 'A digest of the bodies of all functions in the bank''s schemas.';
CREATE FUNCTION credits.give_back(p_order credits.orders, p_draws jsonb, p_debt numeric) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.give_back(p_order credits.orders, p_draws jsonb, p_debt numeric) IS 'Gives tokens of an order back: into its lots (p_draws), and to its debt (p_debt). Returns when that was posted, or null if there was nothing to give back.';
CREATE FUNCTION credits.gone_from(p_account_id uuid, p_lot_ids bigint[]) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.gone_from(p_account_id uuid, p_lot_ids bigint[]) IS 'How many tokens of these lots, which are all those of an order, have expired or were voided, and did not go over into the next period.';
CREATE FUNCTION credits.grant_allowance(p_order credits.orders, p_discount numeric) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_allowance(p_order credits.orders, p_discount numeric) IS 'Grants the lot of a subscription''s order. p_discount: minor units, from 0 to the amount of the order.';
CREATE FUNCTION credits.grant_analyst(p_login text, p_segments text[], p_personal_data boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_analyst(p_login text, p_segments text[], p_personal_data boolean) IS 'For the operator. Lets an analyst''s login count the accounts of these segments, or of * for all, and nothing that it could count before. With p_personal_data it also reads which users these are. Returns how many accounts that is now. Raises PT422 bad_login, bad_segment.';
CREATE FUNCTION credits.grant_campaign(p_account_id uuid, p_campaign_id text, p_code text DEFAULT NULL::text, OUT verdict text, OUT lot_id bigint, OUT reset_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_campaign(p_account_id uuid, p_campaign_id text, p_code text, OUT verdict text, OUT lot_id bigint, OUT reset_at timestamp with time zone) IS 'Grants what a campaign gives to a locked wallet. verdict: open if it was granted, otherwise that of credits.campaign_verdict, or bounded, until reset_at, if the device or network of the account has had all that it may have. Raises PT422 bad_amount.';
CREATE FUNCTION credits.grant_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_faults() IS 'Rights in the schemas of the bank that belong to roles which access.sql does not name, and rights that it never gives.';
CREATE FUNCTION credits.grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text DEFAULT NULL::text, p_priority bigint DEFAULT NULL::bigint, p_scope text DEFAULT NULL::text, p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_unit_cost numeric DEFAULT 0, p_currency text DEFAULT NULL::text, p_order_id uuid DEFAULT NULL::uuid, p_campaign_id text DEFAULT NULL::text, p_metadata jsonb DEFAULT '{}'::jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text, p_priority bigint, p_scope text, p_expires_at timestamp with time zone, p_unit_cost numeric, p_currency text, p_order_id uuid, p_campaign_id text, p_metadata jsonb) IS 'Grants a lot to a locked wallet and returns its lot_id, the seq of its entry. Raises PT422 bad_amount.';
CREATE FUNCTION credits.grant_period(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_period(p_event credits.stripe_events) IS 'Grants what credits.invoice_period reads from a paid invoice, once. Returns the entry of the allowance.';
CREATE FUNCTION credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean) RETURNS api.grant_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean) IS 'The answer of api.add_tokens, read from the entry of the grant.';
CREATE FUNCTION credits.guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean) RETURNS api.guest_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean) IS 'Does the work of api.guest_allowance. Locks nothing. Raises PT403 no_guests, PT422 bad_guest.';
CREATE FUNCTION credits.guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval) IS 'What guests are allowed. With several price lists, the least of each, in the longest window. Raises PT403 no_guests.';
CREATE FUNCTION credits.guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone) IS 'How much a device and a network have used of what they are allowed. reset_at: when remaining next grows; null when nothing is used.';
CREATE FUNCTION credits.has_lapsed(p_order credits.orders) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.has_lapsed(p_order credits.orders) IS 'Whether it is too late to open a checkout for this order: it is an hour old, or what it orders is no longer on sale.';
CREATE FUNCTION credits.has_moved_on(p_account_id uuid, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.has_moved_on(p_account_id uuid, p_at timestamp with time zone) IS 'Whether so many entries came after p_at that nobody counts back what was in the lots then.';
CREATE FUNCTION credits.has_paid_plan(p_account_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.has_paid_plan(p_account_id uuid) IS 'Whether an account has a subscription whose plan takes the place of the free one: on trial, active or past due.';
CREATE FUNCTION credits.has_test_purchases_only() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.has_test_purchases_only() IS 'Whether a bank has granted tokens for payments of test mode or of a simulator, and has no event of real money.';
CREATE FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) IS 'How many tokens an account can spend before a limit stops it, a notice is due or an automatic top-up begins. Null: any number.';
CREATE FUNCTION credits.read_header_key(p_function text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.read_header_key(p_function text) IS 'The key that came as a header with a call of this function, on a login of the HTTP API or a trusted one; null for none. Raises PT422 bad_key.';
CREATE FUNCTION credits.header_key(p_function text) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((current_setting('request.headers'::text, true) ~~ '%"idempotency-key"%'::text) IS TRUE) THEN credits.read_header_key(p_function) ELSE NULL::text END;
COMMENT ON FUNCTION credits.header_key(p_function text) IS 'The header Idempotency-Key of a call of this function that came through PostgREST; null for none. Raises PT422 bad_key.';
CREATE FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE sql STABLE
    RETURN (((SELECT w.held FROM credits.wallets w WHERE (w.account_id = held_at.p_account_id)))::numeric - COALESCE((SELECT sum((h.held)::numeric) AS sum FROM credits.holds h WHERE ((h.account_id = held_at.p_account_id) AND ((h.state)::text = 'open'::text) AND (h.expires_at <= held_at.p_at))), (0)::numeric));
COMMENT ON FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) IS 'The tokens that the holds of an account keep at a moment, without holds that have expired by then.';
CREATE FUNCTION credits.held_line(p_hold credits.holds, p_held numeric) RETURNS audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.held_line(p_hold credits.holds, p_held numeric) IS 'The line of a hold that keeps p_held tokens.';
CREATE FUNCTION credits.held_lines(p_account_id uuid, p_at timestamp with time zone, p_seq bigint, p_now boolean) RETURNS SETOF audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.held_lines(p_account_id uuid, p_at timestamp with time zone, p_seq bigint, p_now boolean) IS 'Lines of the holds that were open at p_at, when p_seq was the last entry. p_now: as the holds are now, which an index finds. For an earlier moment it reads all holds of the account.';
CREATE FUNCTION credits.hold_again(p_account_id uuid, p_module_id text, p_usage jsonb, p_ttl numeric, p_key text, p_user_id text, p_metadata jsonb, p_tags jsonb) RETURNS api.hold_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.hold_again(p_account_id uuid, p_module_id text, p_usage jsonb, p_ttl numeric, p_key text, p_user_id text, p_metadata jsonb, p_tags jsonb) IS 'Repeats the answer of the call that used this key first. balance, available and draws are as they were then; state, held and expires_at are as they are now. The wallet is locked, so an expired hold has been booked. Raises PT409 key_reused when the arguments differ.';
CREATE FUNCTION credits.hold_as_json(p_hold credits.holds, p_seq bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.hold_as_json(p_hold credits.holds, p_seq bigint) IS 'The hold that an entry captured. part: which of its captures the entry is. captures: the first hundred of them.';
CREATE FUNCTION credits.in_default(p_account_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.in_default(p_account_id uuid) IS 'Whether the account has more debt than it may have. If so, it can spend nothing new.';
CREATE FUNCTION credits.intent_problem(p_order credits.orders, p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.intent_problem(p_order credits.orders, p_event credits.stripe_events) IS 'Why a charge does not match its order. Null when it does.';
CREATE FUNCTION credits.interval_text(p_interval interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (p_interval IS NOT NULL) THEN concat_ws(' '::text, (NULLIF(EXTRACT(year FROM p_interval), (0)::numeric) || CASE EXTRACT(year FROM p_interval) WHEN 1 THEN ' year'::text ELSE ' years'::text END), (NULLIF(EXTRACT(month FROM p_interval), (0)::numeric) || CASE EXTRACT(month FROM p_interval) WHEN 1 THEN ' mon'::text ELSE ' mons'::text END), (NULLIF(EXTRACT(day FROM p_interval), (0)::numeric) || CASE EXTRACT(day FROM p_interval) WHEN 1 THEN ' day'::text ELSE ' days'::text END), CASE WHEN ((p_interval <> date_trunc('day'::text, p_interval)) OR (p_interval = '00:00:00'::interval)) THEN rtrim(rtrim(to_char(p_interval, 'HH24:MI:SS.US'::text), '0'::text), '.'::text) ELSE NULL::text END) ELSE NULL::text END;
COMMENT ON FUNCTION credits.interval_text(p_interval interval) IS 'An interval as PostgreSQL writes it by default (1 year 2 mons 30 days 12:00:00), whatever IntervalStyle is.';
CREATE FUNCTION credits.invoice_lines(p_invoice jsonb) RETURNS TABLE(price_id text, amount numeric, discount numeric, quantity numeric, proration boolean, starts_at timestamp with time zone, ends_at timestamp with time zone, subscription_id text)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.invoice_lines(p_invoice jsonb) IS 'The lines of an invoice: price at Stripe, amount before discounts (below 0 for a credit), discount, quantity, whether it is a proration, the period that it is for, and the subscription if it names one.';
CREATE FUNCTION credits.invoice_period(p_invoice jsonb, OUT plan_id text, OUT version bigint, OUT quantity bigint, OUT starts_at timestamp with time zone, OUT ends_at timestamp with time zone, OUT tokens numeric, OUT amount numeric, OUT discount numeric, OUT credited numeric, OUT credited_from timestamp with time zone, OUT credited_until timestamp with time zone, OUT cancelled_id text, OUT problem text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.invoice_period(p_invoice jsonb, OUT plan_id text, OUT version bigint, OUT quantity bigint, OUT starts_at timestamp with time zone, OUT ends_at timestamp with time zone, OUT tokens numeric, OUT amount numeric, OUT discount numeric, OUT credited numeric, OUT credited_from timestamp with time zone, OUT credited_until timestamp with time zone, OUT cancelled_id text, OUT problem text) IS 'The plan, the period and the tokens of a paid invoice, and what its price is (amount, discount: minor units). credited: how much of the period, from credited_from until credited_until, came back, because the plan has become smaller, or the subscription cancelled_id has ended. problem: why a person must look at it; then the rest is null.';
CREATE FUNCTION credits.invoice_problem(p_invoice jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.invoice_problem(p_invoice jsonb) IS 'Why the money of a paid invoice does not add up, so that a person must look at it. Null when it does.';
CREATE FUNCTION credits.invoice_subscription(p_invoice jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.invoice_subscription(p_invoice jsonb) IS 'The id of the subscription that an invoice is of. Null for another invoice.';
CREATE FUNCTION credits.invoice_tax(p_invoice jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.invoice_tax(p_invoice jsonb) IS 'The taxes on an invoice, included in its prices or on top of them.';
CREATE FUNCTION credits.is_disputed(p_account_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (count(*) > 0)
    FROM credits.orders o
   WHERE ((o.account_id = is_disputed.p_account_id) AND o.disputed);
END;
COMMENT ON FUNCTION credits.is_disputed(p_account_id uuid) IS 'Whether a payment of the account is disputed, or frozen because its card was reported stolen. As long as it is, no card of the account is charged without asking.';
CREATE FUNCTION credits.is_for_period(p_invoice jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_for_period(p_invoice jsonb) IS 'Whether an invoice is for a period of a subscription, or for a change within one, or credits a part of one. Never null.';
CREATE FUNCTION credits.is_in_head(p_draws jsonb, p_head_lot bigint) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN COALESCE(((jsonb_array_length(p_draws) = 1) AND ((((p_draws -> 0) -> 'lot_id'::text))::bigint = p_head_lot)), false);
COMMENT ON FUNCTION credits.is_in_head(p_draws jsonb, p_head_lot bigint) IS 'Are all the tokens of a hold in the head lot of its wallet? If so, the sums on the wallet record what happens to them.';
CREATE FUNCTION credits.is_label(p_text text, p_longest bigint, p_lines boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_label(p_text text, p_longest bigint, p_lines boolean) IS 'Whether a text may be shown to people: at most p_longest characters, without control characters or changes of direction. p_lines: it may have several lines. True for null, which shows nothing.';
CREATE FUNCTION credits.is_misspelled(p_module_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_misspelled(p_module_id text) IS 'Whether an id that is not listed looks like a listed module: by letters of other scripts, accents, case, white space, hyphens or underscores. An id that consists of nothing else, that mixes Latin letters with others, or that could not be listed (credits.is_name) is misspelled, too.';
CREATE FUNCTION credits.is_name(p_text text, p_longest bigint) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_name(p_text text, p_longest bigint) IS 'Whether a text may name something: 1 to p_longest characters in Unicode''s form NFC, without control, invisible and private characters, without marks that have no letter, and without space at its ends or twice in a row. Case matters, and letters that look alike are different letters: names come from programs.';
CREATE FUNCTION credits.is_on_sale(p_order credits.orders) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_on_sale(p_order credits.orders) IS 'Whether the same order could be made now: with the same title, the same tokens for the same money, the same scope and the same expiry.';
CREATE FUNCTION credits.is_other_invoice(p_event credits.stripe_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_other_invoice(p_event credits.stripe_events) IS 'Whether an event is about an invoice that is of no subscription.';
CREATE FUNCTION credits.is_policy_of_ours(p_name text, p_roles text[], p_only_reads boolean, p_reads text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_policy_of_ours(p_name text, p_roles text[], p_only_reads boolean, p_reads text) IS 'Whether a policy is as access.sql makes policies of this name. p_roles is in alphabetical order.';
CREATE FUNCTION credits.is_ready(p_event credits.stripe_events) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_ready(p_event credits.stripe_events) IS 'Whether what an event waited for is there now: the order with its session, or the payment that it names.';
CREATE FUNCTION credits.is_sane_time(p_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(((p_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (p_at < '10000-01-01 00:00:00+00'::timestamp with time zone)), true);
COMMENT ON FUNCTION credits.is_sane_time(p_at timestamp with time zone) IS 'Whether this is a time from the year 2000 to 9999, or null. Other times are slips, or are not spelled in the same way by every reader of ISO 8601.';
CREATE FUNCTION credits.is_second_trial(p_event credits.stripe_events, p_amount numeric) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_second_trial(p_event credits.stripe_events, p_amount numeric) IS 'Whether a paid invoice over p_amount begins a trial of an account that has had the tokens of another trial.';
CREATE FUNCTION credits.is_service() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN pg_has_role((COALESCE(NULLIF(current_setting('role'::text), 'none'::text), (SESSION_USER)::text))::name, 'service_role'::name, 'member'::text);
COMMENT ON FUNCTION credits.is_service() IS 'Whether the caller may do everything for any user, including granting tokens: whether it is a member of service_role.';
CREATE FUNCTION credits.is_spender() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN pg_has_role((COALESCE(NULLIF(current_setting('role'::text), 'none'::text), (SESSION_USER)::text))::name, 'spender'::name, 'member'::text);
COMMENT ON FUNCTION credits.is_spender() IS 'Whether the caller may charge any user: whether it is a member of spender, as service_role is.';
CREATE FUNCTION credits.is_trusted_login() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_trusted_login() IS 'Whether this session is of a program that the operator has trusted with claims, whatever role it acts in.';
CREATE FUNCTION credits.is_well_written(p_word text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_well_written(p_word text) IS 'Whether the letters of a word stand where such letters can stand: for example, marks on letters.';
CREATE FUNCTION credits.is_without_order(p_family text, p_event credits.stripe_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.is_without_order(p_family text, p_event credits.stripe_events) IS 'Whether an event that names no account of this bank is no news about money: it is only stored.';
CREATE FUNCTION credits.keep_consents_few(p_account_id uuid, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_consents_few(p_account_id uuid, p_at timestamp with time zone) IS 'Refuses another agreement of a locked wallet that has made as many in 24 hours as it may: 100, or fewer where credits.bound_unpaid says so. Agreements are kept for ever. Raises PT429 consent_limit (limit, reset_at).';
CREATE FUNCTION credits.keep_holds_few(p_account_id uuid, p_by_service boolean) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_holds_few(p_account_id uuid, p_by_service boolean) IS 'Refuses one more hold on a locked wallet that has as many open holds as the settings allow. Nothing is due on the wallet. For a service (p_by_service) only holds that services made count. Raises PT429 too_many_holds (limit).';
CREATE FUNCTION credits.keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone, p_unwritten numeric DEFAULT 0) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone, p_unwritten numeric) IS 'Refuses a cost that, together with held tokens, passes a limit of the locked wallet. p_unwritten: tokens that have been spent but are not on the wallet yet. Raises PT429 spend_limit.';
CREATE FUNCTION credits.keep_orders_few(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_orders_few(p_account_id uuid) IS 'Refuses another order of a locked wallet that has as many pending orders as the settings allow. Raises PT429 too_many_orders (limit, reset_at).';
CREATE FUNCTION credits.keep_partitions() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_partitions() IS 'Makes the ledger''s partitions for a year if a partition of the next three months is missing. Returns how many. Waits at most a second for a lock, and makes no partition without it.';
CREATE FUNCTION credits.keep_unpaid_few(p_account_id uuid, p_at timestamp with time zone, p_holds boolean) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_unpaid_few(p_account_id uuid, p_at timestamp with time zone, p_holds boolean) IS 'Refuses one more hold (p_holds), or one more unpaid use, on a locked wallet whose user has made as many in this window as the settings allow. Raises PT429 unpaid_limit (limit, reset_at).';
CREATE FUNCTION credits.keep_unpaid_orders_few(p_account_id uuid, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.keep_unpaid_orders_few(p_account_id uuid, p_at timestamp with time zone) IS 'Refuses a user one more order, on a locked wallet, if as many orders as the settings allow were made within the window and ended without money. Raises PT429 unpaid_limit (limit, reset_at).';
CREATE FUNCTION credits.kept_before(p_hold credits.holds, p_seq bigint, p_late boolean) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.kept_before(p_hold credits.holds, p_seq bigint, p_late boolean) IS 'What a capture of all that is held charges: the tokens that a hold kept before the entry p_seq. p_late: the hold had expired.';
CREATE FUNCTION credits.kept_price(p_module_id text, p_price_id bigint, p_origin text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.kept_price(p_module_id text, p_price_id bigint, p_origin text) IS 'Why an import from p_origin leaves a module''s price p_price_id alone, in words. Null when it may write another version.';
CREATE FUNCTION credits.kept_since(p_kind text) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.kept_since(p_kind text) IS 'The time before which things of this kind are forgotten. p_kind: as in credits.retention_periods.';
CREATE FUNCTION credits.last_active(p_account_id uuid) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.last_active(p_account_id uuid) IS 'When an account last spent, bought or was granted something.';
CREATE FUNCTION credits.last_moment(p_hold credits.holds) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.last_moment(p_hold credits.holds) IS 'The latest moment to which an open hold can be extended: 24 hours after a user made it, or as long as the operator allows a service, and never more than 24 hours past the date of a lot that it draws on. A new hold needs no check, because it lasts at most 24 hours.';
CREATE FUNCTION credits.late_entries(p_account_id uuid, p_seq bigint, p_at timestamp with time zone) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.late_entries(p_account_id uuid, p_seq bigint, p_at timestamp with time zone) IS 'The entries of an account after p_seq, the last one posted by p_at, that took effect by p_at: expiries that the next call booked, and periods of plans that were paid late.';
CREATE FUNCTION credits.later(p_at timestamp with time zone, p_after interval) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((p_at AT TIME ZONE '00:00:00'::interval) + p_after) AT TIME ZONE '00:00:00'::interval);
COMMENT ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) IS 'A moment and an interval after it, by the calendar of UTC: a day has 24 hours, a month after 28 February is 28 March.';
CREATE FUNCTION credits.least_charge() RETURNS numeric
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.least_charge() IS 'The least that a use costs in this bank, among the uses that cost something.';
CREATE FUNCTION credits.least_cost(p_price_id bigint) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.least_cost(p_price_id bigint) IS 'The least that a use costs under a price, among the uses that cost something. Null when all are free.';
CREATE FUNCTION credits.let_go(p_hold credits.holds, p_reason text) RETURNS credits.holds
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.let_go(p_hold credits.holds, p_reason text) IS 'Ends an open hold of a locked wallet without charging what it still holds, and returns it as it is then.';
CREATE FUNCTION credits.letter_cases(OUT capitals text, OUT small text) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.letter_cases(OUT capitals text, OUT small text) IS 'The letters that have two cases. Each place of capitals has its small letter at the same place of small.';
CREATE FUNCTION credits.likeness(p_module_id text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN regexp_replace(lower((translate(NORMALIZE(p_module_id, NFKD), (((((((((((((((((((((((((((((((((((((((((((((('ȺɑΑαАаᎪᴀᶏⱥⱭⲀⲁꓮꭺ'::text || 'ßƀƁƂƃƄƅɃɓʙΒβВЪЬв'::text) || 'ъьᏏᏴᏼᵬᶀẞⲂⲃꓐꞖꞗꮟ'::text) || 'ƇƈȻȼɕΣςСсҪҫᏟᴄⲤⲥꓚ'::text) || 'ꞒꞓꞔꟄꮯ'::text) || 'ĐđƊƋƌȡɖɗԀԁᎠᏧᴅᵭᶁᶑ'::text) || 'ꓓꝹꝺꟇꟈꭰꮷ'::text) || 'ɆɇΕεЄЕеєҼҽҾҿԐԑᎬᴇ'::text) || 'ᶒ℮ⱸⲈⲉꓰꬲꬴꭼ'::text) || 'ƑƒϜϝҒғքᵮᶂẝꓝꜰꝻꝼꞘꞙ'::text) || 'ƓǤǥɠɡɢʛԌԍցᏀᶃꓖꝽꞠꞡ'::text) || 'Ɡꮐ'::text) || 'ĦħɦʜΗЂЋНнђћҢңҤҥҺ'::text) || 'һӇӈӉӊհᎻᏂⱧⱨⲎⲏꓧꞕꞪꮋ'::text) || 'ꮒ'::text) || 'ıƖƗɨɩɪΙιІіւᎥᵼᶖⲒⲓ'::text) || 'ꓲꭵ'::text) || 'ȷɈɉʝͿϳЈјյᎫᴊꓙꞲꭻ'::text) || 'ƘƙΚκКкҚқҜҝҞҟҠҡӃӄ'::text) || 'ԞԟᏦᴋᶄⱩⱪⲔⲕꓗꝀꝁꝂꝃꝄꝅ'::text) || 'Ꞣꞣꮶ'::text) || 'ŁłƚǀȴȽɫɬɭʟӀӏԼլᏞᴌ'::text) || 'ᶅⱠⱡⱢꓡꝈꝉꞎꞭꬷꬸꬹꮮ'::text) || 'ɱΜМмӍӎᎷᴍᵯᶆⱮⲘⲙꓟꬺꮇ'::text) || 'ƝƞȠȵɲɳɴΝηПпոռᵰᶇⲚ'::text) || 'ⲛꓠꞐꞑꞤꞥꬻ'::text) || 'ØøƟΟοσОоѲѳӨөՕօᴏⱺ'::text) || 'ⲞⲟꓳꝊꝋꝌꝍꬽ'::text) || 'ƤƥΡρРрҎҏᏢᴘᵱᵽᶈⱣⲢⲣ'::text) || 'ꓑꝐꝑꝒꝓꝔꝕꮲ'::text) || 'ɋʠԚԛԳգզꝖꝗꝘꝙꞯ'::text) || 'ɌɍɼɽɾʀГгҐґᎡᏒᵲᵳᶉⱤ'::text) || 'ꓣꝵꞂꞃꞦꞧꭆꭇꭈꭉꭋꭱꮢ'::text) || 'ȿʂЅѕՏᏕᏚᵴᶊⱾꓢꜱꞄꞅꞨꞩ'::text) || 'ꟅꟉꟊꮥꮪ'::text) || 'ŦŧƫƬƭƮȶȾʈΤτТтҬҭᎢ'::text) || 'ᴛᵵⱦⲦⲧꓔꞆꞇꭲ'::text) || 'ƱʊμυЏџՍսᴜᵿᶙꓴꞸꞹꭎꭒ'::text) || 'ƲɅʋʌνѴѵᏙᴠᶌⱱⱴꓦꝞꝟꮩ'::text) || 'ωШЩшщѠѡԜԝաᎳᏔᴡⱲⱳⲰ'::text) || 'ⲱꓪꮃꮤ'::text) || 'ΧχХхҲҳӼӽӾӿᶍⲬⲭꓫꭖꭗ'::text) || 'ꭘꭙ'::text) || 'ƳƴɎɏʏΥγУуҮүҰұᎩᎽỾ'::text) || 'ỿⲨⲩꓬꭚꭹꮍ'::text) || 'ƵƶȤȥɀʐʑΖᏃᴢᵶᶎⱫⱬⱿꓜ'::text) || 'Ᶎꮓ'::text), ((((('aaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcccccccccccccccccccccdddddddddddddddddddddddeeeeeee'::text || 'eeeeeeeeeeeeeeeeeeffffffffffffffffgggggggggggggggggghhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhiiiiiiiiiii'::text) || 'iiiiiiijjjjjjjjjjjjjjkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkklllllllllllllllllllllllllllllmmmmmmmmmmm'::text) || 'mmmmmnnnnnnnnnnnnnnnnnnnnnnnooooooooooooooooooooooooppppppppppppppppppppppppqqqqqqqqqqqqrrrrrrrr'::text) || 'rrrrrrrrrrrrrrrrrrrrrssssssssssssssssssssstttttttttttttttttttttttttuuuuuuuuuuuuuuuuvvvvvvvvvvvvv'::text) || 'vvvwwwwwwwwwwwwwwwwwwwwxxxxxxxxxxxxxxxxxxyyyyyyyyyyyyyyyyyyyyyyyzzzzzzzzzzzzzzzzzz'::text)) COLLATE "C")), '[\u0001-\u0020\u007F-\u00A0\u00AD\u02D7\u0300-\u036F\u0483-\u0489\u058A\u05BE\u061C\u115F\u1160\u1680\u17B4\u17B5\u1806\u180B-\u180F\u1AB0-\u1AFF\u1DC0-\u1DFF\u2000-\u2015\u2028-\u202F\u203F\u2040\u2043\u2054\u205F-\u206F\u20D0-\u20FF\u2212\u2800\u2E17\u2E1A\u2E2F\u2E3A\u2E3B\u2E40\u2E5D\u3000\u301C\u3030\u30A0\u3164\uFE00-\uFE0F\uFE20-\uFE2F\uFE33\uFE34\uFE4D-\uFE4F\uFE58\uFE63\uFEFF\uFF0D\uFFA0\uFFF9-\uFFFB\U00010EAD\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF_-]'::text, ''::text, 'g'::text);
COMMENT ON FUNCTION credits.likeness(p_module_id text) IS 'The id of a module in the Latin letters that its letters look like, in small letters, without accents, white space, invisible characters, hyphens and underscores.';
CREATE FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) IS 'How many tokens the limits of an account still allow at a moment. Held tokens count as spent. Null without a limit.';
CREATE FUNCTION credits.limit_sign_ins(p_per_pair bigint DEFAULT NULL::bigint, p_per_account bigint DEFAULT NULL::bigint, p_per_network bigint DEFAULT NULL::bigint, p_sign_ups bigint DEFAULT NULL::bigint, p_window interval DEFAULT NULL::interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.limit_sign_ins(p_per_pair bigint, p_per_account bigint, p_per_network bigint, p_sign_ups bigint, p_window interval) IS 'For the operator. How many failed sign-ins are allowed in one p_window (by default 15 minutes): to one account from one network (p_per_pair, by default 10), to one account from networks where it has not signed in before (p_per_account, 100), from one network (p_per_network, 300); and how many sign-ups from one network (p_sign_ups, 300). A setting that is left out stays as it is. Raises PT422 bad_limit.';
CREATE FUNCTION credits.line_as_json(p_line audit.balance_line) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.line_as_json(p_line audit.balance_line) IS 'A movement, a hold or a lot of an explained balance, as an object.';
CREATE FUNCTION credits.linear_price(p_price_id bigint, OUT dimension text, OUT numerator numeric, OUT denominator numeric, OUT whole_quantity boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.linear_price(p_price_id bigint, OUT dimension text, OUT numerator numeric, OUT denominator numeric, OUT whole_quantity boolean) IS 'For a price of one dimension that is so much for each unit, and nothing else: the dimension, and the fraction that a quantity is multiplied by. Nulls for other prices. whole_quantity: quantities are whole numbers.';
CREATE FUNCTION credits.link_entry(p_hash bytea, p_first bytea, p_entry credits.entries) RETURNS bytea
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.link_entry(p_hash bytea, p_first bytea, p_entry credits.entries) IS 'One step of credits.chain. p_hash: the hash of the entry before, null at the first entry. p_first: the hash before that one.';
CREATE FUNCTION credits.link_guest(p_account_id uuid, p_device_keys text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.link_guest(p_account_id uuid, p_device_keys text[]) IS 'Records that the guest with one of these device keys has signed up for an account. The first account stays.';
CREATE FUNCTION credits.list_prices(p_module_ids text[] DEFAULT NULL::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.list_prices(p_module_ids text[]) IS 'Brings credits.price_list up to date with the modules and their prices: with these modules, or with all when null.';
CREATE FUNCTION credits.lock_api_keys() RETURNS credits.api_keys
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_api_keys() IS 'Locks the API keys against other changes, and returns the key that this call came with; nulls if it came with none. Raises PT409 api_key_closed, PT404 unknown_api_key, PT503 busy.';
CREATE FUNCTION credits.lock_campaigns(p_campaign_ids text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_campaigns(p_campaign_ids text[]) IS 'Locks campaigns in the order of their ids, until the end of the transaction. Raises PT503 busy.';
CREATE TABLE credits.stripe_cursors (
    list text NOT NULL,
    covers_from timestamp with time zone,
    complete_until timestamp with time zone,
    since timestamp with time zone,
    began_at timestamp with time zone,
    after text,
    CONSTRAINT stripe_cursors_cover_a_time CHECK (((covers_from IS NULL) = (complete_until IS NULL))),
    CONSTRAINT stripe_cursors_reading_has_begun CHECK (((after IS NULL) OR (began_at IS NOT NULL)))
);
ALTER TABLE ONLY credits.stripe_cursors FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.stripe_cursors IS 'How far each list of Stripe was read. Lists begin with the newest object, so a reading goes back in time.';
COMMENT ON COLUMN credits.stripe_cursors.covers_from IS 'Since when objects were created that the mirror has all of.';
COMMENT ON COLUMN credits.stripe_cursors.complete_until IS 'Until when: the beginning of the last finished reading.';
COMMENT ON COLUMN credits.stripe_cursors.since IS 'How far back the reading that is under way goes. Null: to the end.';
COMMENT ON COLUMN credits.stripe_cursors.began_at IS 'When it began. Null while no reading is under way.';
COMMENT ON COLUMN credits.stripe_cursors.after IS 'The last object that it has read.';
CREATE FUNCTION credits.lock_cursor(p_list text) RETURNS credits.stripe_cursors
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_cursor(p_list text) IS 'Locks the place in a list. Raises PT503 busy.';
CREATE FUNCTION credits.lock_event(p_event_id text) RETURNS credits.stripe_events
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_event(p_event_id text) IS 'Locks a Stripe event. Raises PT404 unknown_event, PT503 busy.';
CREATE FUNCTION credits.lock_guest(p_kind text, p_keys text[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_guest(p_kind text, p_keys text[]) IS 'Locks the guest of these device keys, or the network of these network keys (p_kind: device or network), and adds it if it is new. Its id comes first. If two servers gave out both keys as new, a second id follows, and both count. Raises PT503 busy.';
CREATE FUNCTION credits.lock_guest_keys(p_kind text, p_keys text[]) RETURNS TABLE(id uuid, key text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_guest_keys(p_kind text, p_keys text[]) IS 'Locks what is there under these keys, in the order of its ids. p_kind: device or network.';
CREATE FUNCTION credits.lock_hold(p_account_id uuid, p_hold_id uuid, p_service boolean) RETURNS credits.holds
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_hold(p_account_id uuid, p_hold_id uuid, p_service boolean) IS 'Locks the wallet, brings it up to date, and returns the hold as it is then. p_service: a service asks. Raises PT404 unknown_hold, PT403 not_yours, PT503 busy.';
CREATE FUNCTION credits.lock_identity(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_identity(p_account_id uuid) IS 'Locks the identity of an account: nobody can attach a referrer to it until the end of the transaction. Taken before any wallet. Raises PT503 busy.';
CREATE FUNCTION credits.lock_lot(p_lot credits.lots) RETURNS credits.lots
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_lot(p_lot credits.lots) IS 'Locks the wallet of a lot, and returns the lot as it is then. Raises PT503 busy.';
CREATE FUNCTION credits.lock_objects(p_object_ids text[], p_longest interval DEFAULT '00:00:02'::interval) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_objects(p_object_ids text[], p_longest interval) IS 'Waits until no other open transaction has locked one of these objects at Stripe, and locks them until the end of this one. False if a wait took longer than p_longest. Then nothing is locked, and maintenance applies what was missed.';
CREATE FUNCTION credits.lock_those_free(p_account_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_those_free(p_account_ids uuid[]) IS 'Locks those of some wallets that become free within 1 second for all of them together, at worst 2 seconds. Returns those that another transaction still has. Ignores nulls.';
CREATE FUNCTION credits.lock_to_spend(p_account_ids uuid[], p_wait interval DEFAULT '00:00:00.25'::interval) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_to_spend(p_account_ids uuid[], p_wait interval) IS 'Locks wallets in an order that prevents deadlocks, and books what is due. Returns the time, at which nothing is due on any of them. Raises lock_not_available when that takes longer than p_wait, at worst three times as long. p_wait is null if this transaction has locked the wallets already: then a slow machine cannot end it.';
CREATE FUNCTION credits.lock_wallet(p_account_id uuid, OUT seq bigint, OUT balance numeric, OUT status text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_wallet(p_account_id uuid, OUT seq bigint, OUT balance numeric, OUT status text) IS 'Locks the wallet until the end of the transaction, brings it up to date (credits.catch_up), and returns its state. It takes back the permit, so the next spend checks limits, notices and lots again. Most calls begin with this function. Spends, holds and ends of holds lock the wallet themselves, and call it only when something is due. Batches call credits.lock_to_spend. Raises PT404 unknown_user, PT503 busy.';
CREATE FUNCTION credits.lock_wallets(p_account_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_wallets(p_account_ids uuid[]) IS 'Calls credits.lock_wallet for several accounts, in an order that prevents deadlocks. Ignores nulls. Raises PT404 unknown_user, PT503 busy.';
CREATE FUNCTION credits.lock_with_referrer(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lock_with_referrer(p_account_id uuid) IS 'Locks the wallet of an account that is about to pay, or gets its money back, and that of the referrer who is rewarded for it.';
CREATE FUNCTION credits.logins() RETURNS TABLE(login text, roles text[], inherits boolean, administers boolean, connection_limit integer, settings jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.logins() IS 'The logins that are members of the bank''s roles, except superusers. inherits: they have the rights of their roles, and do not take them by SET ROLE as a program does. administers: they may become the owner, so that no bound applies. connection_limit: -1 means none. settings: {"setting": "value"}, what their sessions in this database begin with. A login may change these for itself.';
CREATE FUNCTION credits.lot_lines(p_account_id uuid, p_at timestamp with time zone, p_seq bigint, p_newest bigint) RETURNS SETOF audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lot_lines(p_account_id uuid, p_at timestamp with time zone, p_seq bigint, p_newest bigint) IS 'Lines of the tokens that were there at p_at, when p_seq was the last entry, soonest expiry first, at most a thousand. p_newest: the last entry now. With more than a thousand entries since p_seq there are no lines.';
CREATE FUNCTION credits.lot_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean) RETURNS api.lot_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.lot_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean) IS 'The answer of a correction of a lot, read from its entry. remaining and expires_at are those of the lot now.';
CREATE FUNCTION credits.lot_worth(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((p_source = 'rollover'::credits.entry_kind) IS TRUE) THEN trunc(round((p_unit_cost * p_granted), 4)) ELSE round((p_unit_cost * p_granted)) END;
COMMENT ON FUNCTION credits.lot_worth(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric) IS 'What was paid for a lot, in whole minor units.';
CREATE FUNCTION credits.worth_of(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric, p_tokens numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((p_unit_cost = (0)::numeric) IS TRUE) THEN (0)::numeric ELSE trunc(((credits.lot_worth(p_source, p_granted, p_unit_cost) * p_tokens) / p_granted)) END;
COMMENT ON FUNCTION credits.worth_of(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric, p_tokens numeric) IS 'The share of the worth of a lot that p_tokens of its tokens have, cut to whole minor units.';
CREATE TABLE credits.closed_months (
    month date NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    accounts bigint NOT NULL,
    entries bigint NOT NULL,
    root_hash bytea NOT NULL,
    CONSTRAINT closed_months_begin_months CHECK ((date_trunc('month'::text, (month)::timestamp without time zone) = (month)::timestamp without time zone)),
    CONSTRAINT closed_months_root_is_sha256 CHECK ((length(root_hash) = 32))
);
ALTER TABLE ONLY credits.closed_months FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.closed_months IS 'The months (UTC) that finance.close_period has closed, without a gap. It is append-only.';
COMMENT ON COLUMN credits.closed_months.month IS 'Its first day.';
COMMENT ON COLUMN credits.closed_months.closed_at IS 'Entries that were posted before this moment are in the sums. Later ones belong to the months after.';
COMMENT ON COLUMN credits.closed_months.actor IS 'The login that closed it.';
COMMENT ON COLUMN credits.closed_months.accounts IS 'How many accounts had an entry.';
COMMENT ON COLUMN credits.closed_months.entries IS 'How many entries the ledger had.';
COMMENT ON COLUMN credits.closed_months.root_hash IS 'The sha256 over the last entry of every account: see credits.ledger_root.';
CREATE TABLE credits.money_returns (
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    cause text NOT NULL,
    amount bigint NOT NULL,
    reversed_after bigint NOT NULL,
    CONSTRAINT money_returns_amount_is_not_zero CHECK ((amount <> 0)),
    CONSTRAINT money_returns_cause_is_known CHECK ((cause = ANY (ARRAY['refund'::text, 'dispute'::text, 'credit'::text, 'failed_payment'::text]))),
    CONSTRAINT money_returns_number_is_positive CHECK ((number > 0)),
    CONSTRAINT money_returns_sum_is_not_negative CHECK ((reversed_after >= 0))
);
ALTER TABLE ONLY credits.money_returns FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.money_returns IS 'When the money of an order came back, and when it returned after that: the history of credits.orders.reversed. It is append-only.';
COMMENT ON COLUMN credits.money_returns.number IS '1, 2 … for each order.';
COMMENT ON COLUMN credits.money_returns.cause IS 'What was last said about the order: refund, dispute, credit (a plan''s unused period, which a later invoice credited) or failed_payment.';
COMMENT ON COLUMN credits.money_returns.amount IS 'Minor units, with tax. Above zero: money went back to the user. Below zero: it returned.';
COMMENT ON COLUMN credits.money_returns.reversed_after IS 'How much of the payment had gone back after that.';
CREATE VIEW credits.lot_moves WITH (security_invoker='true') AS
 WITH draws AS (
         SELECT e.account_id,
            e.seq,
            e.kind,
            e.posted_at,
            e.effective_at,
            e.order_id,
            e.module_id,
            (((e.draws -> 0) -> 'lot_id'::text))::bigint AS lot_id,
            ((
                CASE
                    WHEN ((e.tokens)::numeric > (0)::numeric) THEN 1
                    ELSE '-1'::integer
                END)::numeric * (((e.draws -> 0) -> 'tokens'::text))::numeric) AS tokens
           FROM credits.entries e
          WHERE (jsonb_array_length(e.draws) = 1)
        UNION ALL
         SELECT e.account_id,
            e.seq,
            e.kind,
            e.posted_at,
            e.effective_at,
            e.order_id,
            e.module_id,
            d_1.lot_id,
            ((
                CASE
                    WHEN ((e.tokens)::numeric > (0)::numeric) THEN 1
                    ELSE '-1'::integer
                END)::numeric * d_1.tokens) AS tokens
           FROM (credits.entries e
             CROSS JOIN LATERAL jsonb_to_recordset(e.draws) d_1(lot_id bigint, tokens numeric))
          WHERE (jsonb_array_length(e.draws) > 1)
        )
 SELECT account_id,
    lot_id,
    tokens,
        CASE
            WHEN ((seq = lot_id) IS TRUE) THEN 'granted'::text
            WHEN (kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind, 'repayment'::credits.entry_kind, 'byok'::credits.entry_kind])) THEN 'used'::text
            WHEN (kind = 'expire'::credits.entry_kind) THEN 'expired'::text
            WHEN (kind = 'adjustment'::credits.entry_kind) THEN 'adjusted'::text
            WHEN ((kind = 'reversal'::credits.entry_kind) AND (COALESCE(( SELECT r.cause
               FROM credits.money_returns r
              WHERE ((r.account_id = d.account_id) AND (r.order_id = d.order_id) AND (r.at <= d.posted_at))
              ORDER BY r.number DESC
             LIMIT 1), ''::text) = 'dispute'::text)) THEN 'disputed'::text
            WHEN (kind = 'reversal'::credits.entry_kind) THEN 'refunded'::text
            WHEN (EXISTS ( SELECT
               FROM credits.lots l
              WHERE ((l.account_id = d.account_id) AND (l.lot_id = d.lot_id) AND (NOT (l.order_id IS DISTINCT FROM d.order_id))))) THEN 'reinstated'::text
            ELSE 'used'::text
        END AS way,
        CASE
            WHEN (effective_at >= posted_at) THEN effective_at
            ELSE GREATEST(effective_at, ( SELECT COALESCE(credits.later(((max(m.month))::timestamp without time zone AT TIME ZONE '00:00:00'::interval), '1 mon'::interval), '-infinity'::timestamp with time zone) AS "coalesce"
               FROM credits.closed_months m
              WHERE (m.closed_at <= d.posted_at)))
        END AS accounted_at,
    effective_at,
    module_id
   FROM draws d;
COMMENT ON VIEW credits.lot_moves IS 'Tokens that went into a lot (above zero) or out of it (below zero), one row for each draw of each entry. way: granted, used, expired, refunded, disputed, reinstated or adjusted. accounted_at: the moment to which accounting dates it. It is effective_at, but never in a month that was closed when the entry was posted.';
CREATE FUNCTION credits.lot_sums(p_unit text, p_until timestamp with time zone) RETURNS TABLE(account_id uuid, lot_id bigint, order_id uuid, source credits.entry_kind, currency text, period date, way text, tokens numeric, late_tokens numeric, money numeric)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 WITH moved AS (
          SELECT m.account_id,
             m.lot_id,
             m.way,
             date_trunc(lot_sums.p_unit, (m.accounted_at AT TIME ZONE '00:00:00'::interval)) AS period,
             sum(m.tokens) AS tokens,
             max(m.accounted_at) AS last_at,
             COALESCE(sum(m.tokens) FILTER (WHERE (m.accounted_at > m.effective_at)), (0)::numeric) AS late_tokens
            FROM credits.lot_moves m
           WHERE (m.accounted_at <= lot_sums.p_until)
           GROUP BY m.account_id, m.lot_id, m.way, (date_trunc(lot_sums.p_unit, (m.accounted_at AT TIME ZONE '00:00:00'::interval)))
         ), cut AS (
          SELECT m.account_id,
             m.lot_id,
             l.order_id,
             l.source,
             l.currency,
             m.way,
             m.period,
             m.tokens,
             m.late_tokens,
             (credits.worth_of(l.source, (l.granted)::numeric, (l.unit_cost)::numeric, sum(m.tokens) OVER w) - credits.worth_of(l.source, (l.granted)::numeric, (l.unit_cost)::numeric, (sum(m.tokens) OVER w - m.tokens))) AS money,
             (COALESCE(sum(m.tokens) OVER v, (0)::numeric) = (0)::numeric) AS is_empty,
             (COALESCE(row_number() OVER x, (0)::bigint) = 1) AS is_last
            FROM (moved m
              JOIN credits.lots l ON (((m.account_id = l.account_id) AND (m.lot_id = l.lot_id))))
           WINDOW w AS (PARTITION BY m.account_id, m.lot_id, m.way ORDER BY m.period), v AS (PARTITION BY m.account_id, m.lot_id ORDER BY m.period), x AS (PARTITION BY m.account_id, m.lot_id, m.period ORDER BY m.last_at DESC, m.way)
         ), rests AS (
          SELECT c.account_id,
             c.lot_id,
             c.order_id,
             c.source,
             c.currency,
             c.way,
             c.period,
             c.tokens,
             c.late_tokens,
             c.money,
             lead(c.period) OVER (PARTITION BY c.account_id, c.lot_id, c.is_last ORDER BY c.period) AS next_period,
                 CASE
                     WHEN (c.is_empty AND c.is_last) THEN sum(c.money) OVER w
                     ELSE (0)::numeric
                 END AS rest
            FROM cut c
           WINDOW w AS (PARTITION BY c.account_id, c.lot_id ORDER BY c.period)
         )
  SELECT r.account_id,
     r.lot_id,
     r.order_id,
     r.source,
     r.currency,
     (r.period)::date AS period,
     r.way,
     r.tokens,
     r.late_tokens,
     (r.money - r.rest) AS money
    FROM rests r
 UNION ALL
  SELECT r.account_id,
     r.lot_id,
     r.order_id,
     r.source,
     r.currency,
     (r.next_period)::date AS period,
     r.way,
     0 AS tokens,
     0 AS late_tokens,
     r.rest AS money
    FROM rests r
   WHERE ((r.next_period IS NOT NULL) AND (r.rest IS DISTINCT FROM (0)::numeric));
END;
COMMENT ON FUNCTION credits.lot_sums(p_unit text, p_until timestamp with time zone) IS 'What went into each lot (above zero) or out of it (below zero) in each period (p_unit: day, month …, UTC) until p_until, by the ways of credits.lot_moves: tokens, and their worth in minor units. late_tokens: of these tokens, those that moved in a month that was closed before they were booked. A lot has one row for a way and a period, and sometimes another one without tokens.';
CREATE FUNCTION credits.made_with_key(p_key_id text) RETURNS text[]
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 WITH RECURSIVE made(key_id) AS (
          SELECT made_with_key.p_key_id AS p_key_id
         UNION
          SELECT k.key_id
            FROM (made m_1
              JOIN credits.api_keys k ON ((m_1.key_id = k.made_with)))
         )
  SELECT array_agg(m.key_id) AS array_agg
    FROM made m;
END;
COMMENT ON FUNCTION credits.made_with_key(p_key_id text) IS 'An API key, and the keys that were made with it, directly or through others.';
CREATE FUNCTION credits.make_api_key_secret(p_key_id text, p_overlap interval) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.make_api_key_secret(p_key_id text, p_overlap interval) IS 'Makes the secret of a locked API key, and returns the text of the key. The secret before it works for p_overlap more.';
CREATE FUNCTION credits.make_due() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.make_due() IS 'Makes every wallet due, because a rule about notices or dates has changed. Locks all of them.';
CREATE FUNCTION credits.make_refresh_token(p_session credits.sign_in_sessions) RETURNS api.session
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.make_refresh_token(p_session credits.sign_in_sessions) IS 'Makes the next token of a locked session. The session then ends in 30 days if nobody refreshes it, and a year after its beginning at the latest.';
CREATE FUNCTION credits.make_unpaid(p_account_id uuid, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.make_unpaid(p_account_id uuid, p_at timestamp with time zone) IS 'Counts one more unpaid use of a user, on a locked wallet. Uses of a service do not count. Raises PT429 unpaid_limit (limit, reset_at).';
CREATE FUNCTION credits.make_webhook_secret(p_endpoint_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.make_webhook_secret(p_endpoint_id uuid) IS 'Makes the secret of a locked endpoint. The one before it signs messages as well for another 24 hours.';
CREATE FUNCTION credits.mark_verified(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.mark_verified(p_account_id uuid) IS 'Records that the address of an account''s holder is verified. Locks the wallet.';
CREATE FUNCTION credits.match_request(p_event credits.stripe_events) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.match_request(p_event credits.stripe_events) IS 'An event of a refund that we requested ends the request, also before the worker has reported its answer. True when the request withheld tokens until now. The caller notes the refund and settles the order.';
CREATE FUNCTION credits.may_be_kept(p_name text, p_value jsonb, p_parent text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (p_parent = 'metadata'::text) THEN ((p_name = ANY (ARRAY['account_id'::text, 'order_id'::text, 'kind'::text, 'consent_id'::text, 'attempt_id'::text, 'request_id'::text, 'plan_id'::text, 'plan_version'::text])) AND (((p_value #>> '{}'::text[]) ~ '^[A-Za-z0-9_.:-]{1,200}$'::text) IS TRUE)) WHEN (p_name = ANY (ARRAY['billing_details'::text, 'collected_information'::text, 'custom_fields'::text, 'custom_text'::text, 'customer'::text, 'customer_account'::text, 'customer_address'::text, 'customer_details'::text, 'customer_shipping'::text, 'evidence'::text, 'last_payment_error'::text, 'payment_method_details'::text, 'payment_method_options'::text, 'previous_attributes'::text, 'shipping'::text, 'shipping_address'::text, 'shipping_details'::text])) THEN false WHEN (p_name = 'client_reference_id'::text) THEN (((p_value #>> '{}'::text[]) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text) IS TRUE) WHEN (jsonb_typeof(p_value) = 'string'::text) THEN ((p_name = ANY (ARRAY['id'::text, 'object'::text, 'type'::text, 'status'::text, 'state'::text, 'mode'::text, 'currency'::text, 'presentment_currency'::text, 'payment_status'::text, 'billing_reason'::text, 'reason'::text, 'payment_intent'::text, 'charge'::text, 'latest_charge'::text, 'invoice'::text, 'subscription'::text, 'subscription_item'::text, 'refund'::text, 'dispute'::text, 'source'::text, 'payout'::text, 'balance_transaction'::text, 'api_version'::text, 'failure_balance_transaction'::text, 'failure_code'::text, 'reporting_category'::text, 'price'::text, 'product'::text, 'interval'::text, 'event'::text, 'exchange_rate'::text, 'usage_type'::text, 'pricing_type'::text, 'tax_behavior'::text])) AND (((p_value #>> '{}'::text[]) ~ '^[A-Za-z0-9_.:-]{1,255}$'::text) IS TRUE)) ELSE (p_value IS NOT NULL) END;
COMMENT ON FUNCTION credits.may_be_kept(p_name text, p_value jsonb, p_parent text) IS 'Whether a member of an object of Stripe is kept when what it says about a person goes. p_parent: the member that the object is the value of. Never null for a p_name and p_value that are not null.';
CREATE FUNCTION credits.may_be_welcomed(p_account_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.may_be_welcomed(p_account_id uuid) IS 'False while the operator requires a verified address and no service has said that this account has one.';
CREATE FUNCTION credits.me() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.me() IS 'The account of the caller; null for nobody. Policies compare rows with it.';
CREATE FUNCTION credits.meet_payment(p_family text, p_event credits.stripe_events) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.meet_payment(p_family text, p_event credits.stripe_events) IS 'Waits, for 2 seconds at most, for the transactions that make known what an event names. True when one of them has done so. False otherwise; then the objects stay locked until the event is stored, so that those that come later see it, unless the wait took too long.';
CREATE FUNCTION credits.member_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.member_faults() IS 'Attributes, predefined roles and logins of the bank that a member of its roles has or can take.';
CREATE FUNCTION credits.member_grants() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.member_grants() IS 'Rights that a member of the bank''s roles was given on settings of the server, on PostgreSQL''s own functions and tables, and on the bookkeeping of migrations.';
CREATE FUNCTION credits.member_reach() RETURNS TABLE(role_id oid, role text, target_id oid, target text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.member_reach() IS 'For each role of the bank, and each member of one in any number of steps: every role that it can take, itself included. Administrators are left out: the roles that may become the owner, and the first superuser of the server.';
CREATE TABLE credits.stripe_mirror (
    object_id text NOT NULL,
    kind text NOT NULL,
    bucket bigint NOT NULL,
    livemode boolean,
    status text,
    amount numeric,
    amount_back numeric,
    currency text,
    payment_intent_id text,
    charge_id text,
    named_account uuid,
    named_order uuid,
    created_at timestamp with time zone NOT NULL,
    pulled_at timestamp with time zone NOT NULL,
    payload jsonb NOT NULL,
    CONSTRAINT stripe_mirror_bucket_is_sane CHECK (((bucket >= 0) AND (bucket <= 65535)))
);
ALTER TABLE ONLY credits.stripe_mirror FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.stripe_mirror IS 'What Stripe''s lists say of each object, as of the last reading. Only `pgcredits stripe pull` writes here. The books never depend on it.';
COMMENT ON COLUMN credits.stripe_mirror.kind IS 'checkout.session, payment_intent, charge, refund, dispute, invoice, balance_transaction or payout.';
COMMENT ON COLUMN credits.stripe_mirror.bucket IS 'Where the object belongs when the bank is on several servers, as credits.stripe_events.bucket.';
COMMENT ON COLUMN credits.stripe_mirror.status IS 'Its status at Stripe. For a Checkout session: paid, open, complete (not paid yet) or expired.';
COMMENT ON COLUMN credits.stripe_mirror.amount IS 'Minor units. Below 0 for money that leaves the balance.';
COMMENT ON COLUMN credits.stripe_mirror.amount_back IS 'For a charge: how much of it was refunded.';
COMMENT ON COLUMN credits.stripe_mirror.named_account IS 'The account that its metadata names, whether it exists or not.';
COMMENT ON COLUMN credits.stripe_mirror.named_order IS 'The order that its metadata names, whether it exists or not.';
COMMENT ON COLUMN credits.stripe_mirror.created_at IS 'When it was made, by Stripe''s clock.';
CREATE FUNCTION credits.mirror_object(p_object jsonb) RETURNS credits.stripe_mirror
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.mirror_object(p_object jsonb) IS 'The row of the mirror for an object of a list of Stripe.';
CREATE FUNCTION credits.mixes_letters(p_module_id text, p_likeness text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN (((NORMALIZE(p_module_id, NFKD) ~ '[A-Za-z]'::text) AND (p_likeness ~ '[^\u0001-\u007F\u1100-\u11FF\u2E80-\u2FDF\u3005\u3007\u3040-\u318F\u31A0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\U00020000-\U0003FFFF]'::text)) IS TRUE);
COMMENT ON FUNCTION credits.mixes_letters(p_module_id text, p_likeness text) IS 'Whether an id with this likeness has, besides Latin letters, other letters that could be mistaken for them.';
CREATE FUNCTION credits.module_price(p_module_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.module_price(p_module_id text) IS 'The price of a module as everybody may see it: without the provider''s cost.';
CREATE FUNCTION credits.money(p_amount bigint, p_currency text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.money(p_amount bigint, p_currency text) IS 'An amount of minor units for people: 3999, eur is 39.99 EUR; 5000, ugx is 50.00 UGX.';
CREATE FUNCTION credits.money_back(p_order credits.orders, OUT back bigint, OUT pending bigint, OUT disputed boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.money_back(p_order credits.orders, OUT back bigint, OUT pending bigint, OUT disputed boolean) IS 'How much of the payment of an order has gone back (back) and may go back soon (pending), in minor units. disputed: its tokens are frozen, because a dispute is open, or was lost and its money has not been seen to go, or because of a fraud warning.';
CREATE FUNCTION credits.money_problem(p_session jsonb, p_amount bigint) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.money_problem(p_session jsonb, p_amount bigint) IS 'Why the money of a paid session is not what was asked for an amount (minor units), less the discount that the session names. Null when it is.';
CREATE FUNCTION credits.movement_text(p_entry credits.entries) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.movement_text(p_entry credits.entries) IS 'What an entry is, in words: what its kind means, and the module, package, campaign, reason or lot.';
CREATE FUNCTION credits.name_account(p_account text, p_number text, p_name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.name_account(p_account text, p_number text, p_name text) IS 'For the operator. What an account of the journal (p_account: cash, tax, deferred_revenue, revenue, breakage, refunds, adjustments) is called in the operator''s own books. Raises PT422 bad_setting.';
CREATE FUNCTION credits.name_subject(p_family text, p_event credits.stripe_events) RETURNS credits.stripe_events
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.name_subject(p_family text, p_event credits.stripe_events) IS 'An event with the account and the order that it is about, or nulls. If it names nothing of this bank yet, waits for the transactions that are about to change that.';
CREATE FUNCTION credits.named_accounts() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.named_accounts() IS 'The accounts in the segments whose users the analyst of this session may know.';
CREATE FUNCTION credits.named_order(p_object jsonb, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.named_order(p_object jsonb, OUT account_id uuid, OUT order_id uuid) IS 'The account and the order that an object at Stripe names, whether they exist or not. Nulls when it names none.';
CREATE FUNCTION credits.named_segments() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.named_segments() IS 'The segments whose users the analyst of this session may know; * means every account.';
CREATE FUNCTION credits.net_price(p_order credits.orders) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.net_price(p_order credits.orders) IS 'What the period of an order cost less its discount, without tax that comes on top, in minor units.';
CREATE FUNCTION credits.new_account_id(p_subject text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.new_account_id(p_subject text) IS 'An id for an account that is about to be opened: a random uuid (version 4) that begins with the bucket of the user id. Null: an account without a user, in a random bucket.';
CREATE FUNCTION credits.new_entries(p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_hash bytea, p_balance numeric, p_debt numeric) RETURNS TABLE(entries bigint, last_seq bigint, granted numeric, spent numeric, gap bigint, unlinked bigint, unbalanced bigint, undrawn bigint, overspent bigint)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT count(*) AS entries,
     max(e.seq) AS last_seq,
     COALESCE(sum((e.tokens)::numeric) FILTER (WHERE (((e.tokens)::numeric > (0)::numeric) AND (e.kind <> ALL (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind, 'reinstatement'::credits.entry_kind])) AND ((e.kind <> 'adjustment'::credits.entry_kind) OR ((((e.draws -> 0) -> 'lot_id'::text))::bigint = e.seq)))), (0)::numeric) AS granted,
     COALESCE((- sum((e.tokens)::numeric) FILTER (WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind])))), (0)::numeric) AS spent,
     min(e.seq) FILTER (WHERE ((e.seq <> (e.seq_before + 1)) OR (e.posted_at <= e.posted_before))) AS gap,
     min(e.seq) FILTER (WHERE (e.hash IS DISTINCT FROM e.computed)) AS unlinked,
     min(e.seq) FILTER (WHERE ((e.balance_after)::numeric <> (e.balance_before + (e.tokens)::numeric))) AS unbalanced,
     min(e.seq) FILTER (WHERE ((
         CASE
             WHEN ((e.tokens)::numeric > (0)::numeric) THEN d.drawn
             ELSE (- d.drawn)
         END <> (((e.tokens)::numeric + (e.debt_after)::numeric) - e.debt_before)) OR (d.smallest < (0)::numeric))) AS undrawn,
     min(e.seq) FILTER (WHERE (((e.balance_after)::numeric + (e.debt_after)::numeric) < (0)::numeric)) AS overspent
    FROM (( SELECT x.seq,
             x.posted_at,
             x.kind,
             x.tokens,
             x.balance_after,
             x.debt_after,
             x.draws,
             x.hash,
             COALESCE(lag(x.seq) OVER in_order, new_entries.p_seq) AS seq_before,
             COALESCE(lag(x.posted_at) OVER in_order, new_entries.p_posted_at) AS posted_before,
             COALESCE((lag(x.balance_after) OVER in_order)::numeric, new_entries.p_balance) AS balance_before,
             COALESCE((lag(x.debt_after) OVER in_order)::numeric, new_entries.p_debt) AS debt_before,
             credits.entry_hash(COALESCE(lag(x.hash) OVER in_order, new_entries.p_hash), x.*) AS computed
            FROM credits.entries x
           WHERE ((x.account_id = new_entries.p_account_id) AND (x.seq > new_entries.p_seq) AND (x.posted_at > new_entries.p_posted_at))
           WINDOW in_order AS (ORDER BY x.seq, x.posted_at)) e
      CROSS JOIN LATERAL ( SELECT COALESCE(sum(y.tokens), (0)::numeric) AS drawn,
             COALESCE(min(y.tokens), (0)::numeric) AS smallest
            FROM jsonb_to_recordset(e.draws) y(lot_id bigint, tokens numeric)) d);
END;
COMMENT ON FUNCTION credits.new_entries(p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_hash bytea, p_balance numeric, p_debt numeric) IS 'The entries of an account after entry p_seq, whose time, hash, balance and debt are given: their number, their sums, and the first entry that is out of order, not linked, not balanced, not drawn, or below zero without debt.';
CREATE FUNCTION credits.new_referral_code(p_account_id uuid) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.new_referral_code(p_account_id uuid) IS 'Eight random characters that cannot be mistaken for one another. The first four give the bucket of the account: see docs/scaling.md.';
CREATE FUNCTION credits.next_entry(p_wallet credits.wallets, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS credits.entries
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.next_entry(p_wallet credits.wallets, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_at timestamp with time zone) IS 'The next entry of a wallet, which changes its balance by p_tokens and leaves its debt alone. The caller fills in the rest, and calls credits.write_entry.';
CREATE FUNCTION credits.next_level(p_account_id uuid, p_available numeric) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.next_level(p_account_id uuid, p_available numeric) IS 'The threshold that writes the next notice when the balance falls below it. Null: no notice will be written.';
CREATE FUNCTION credits.next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric) IS 'The next lot that a spend on a module takes from, and what is free in it. Nulls when there is no such lot.';
CREATE FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    RETURN (date_trunc(p_period, (p_at AT TIME ZONE '00:00:00'::interval)) AT TIME ZONE '00:00:00'::interval);
COMMENT ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) IS 'The beginning, in UTC, of the day or month of a moment.';
CREATE FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    RETURN credits.later(credits.period_start(p_period, p_at), CASE WHEN ((p_period = 'day'::text) IS TRUE) THEN '1 day'::interval WHEN ((p_period = 'month'::text) IS TRUE) THEN '1 mon'::interval ELSE NULL::interval END);
COMMENT ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) IS 'The beginning, in UTC, of the day or month after that of a moment.';
CREATE FUNCTION credits.next_purge(p_account_id uuid) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.next_purge(p_account_id uuid) IS 'When the coming purge of an account is to be announced, or the announced one is to be done, if it stays inactive; or an earlier moment at which to ask again. Null if it has nothing to purge, or nothing is ever purged.';
CREATE FUNCTION credits.normal_code(p_code text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.normal_code(p_code text) IS 'A code as it is stored: capital letters of one script (credits.script_of), digits, and - _ . + % & !, in Unicode''s form NFKC. White space and invisible characters are left out, and every dash is a hyphen. Null for a code with anything else in it, and for an empty one.';
CREATE FUNCTION credits.normal_domain(p_domain text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.normal_domain(p_domain text) IS 'A domain, given in small letters, as mail servers write it, without a dot at its end. Null when it is not a domain.';
CREATE FUNCTION credits.normal_email(p_email text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.normal_email(p_email text) IS 'An e-mail address in its one spelling: Unicode''s form NFKC in small letters, without invisible characters, the domain as mail servers write it and without a dot at its end. The result is the same on every version of PostgreSQL and in every locale. Null when the text is not an address, or has anything that credits.normal_local_part and credits.normal_label do not allow: letters that can be mistaken for others, or two scripts in a word.';
CREATE FUNCTION credits.normal_label(p_label text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.normal_label(p_label text) IS 'A label of a domain, given in small letters, as mail servers write it (xn--… if it is not ASCII). A label has letters of one script (credits.script_of), digits and hyphens, and at most 63 octets; Punycode must stand for such a label. Null for anything else.';
CREATE FUNCTION credits.normal_local_part(p_local text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.normal_local_part(p_local text) IS 'The part of an address before the @, given in small letters: the characters of RFC 5321, or letters of one script (credits.script_of) with digits, . _ + - and apostrophes, at most 64 octets. Latin letters are those of European keyboards, except ae and oe written as one letter. Null for anything else.';
CREATE FUNCTION credits.note_api_key(p_key_id text, p_change text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_api_key(p_key_id text, p_change text, p_reason text) IS 'Records what was done to an API key, by whom and why.';
CREATE FUNCTION credits.note_audit(p_checks bigint, p_findings bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_audit(p_checks bigint, p_findings bigint) IS 'Note that p_checks checks have just been run, and how many findings they had. For auditors.';
CREATE FUNCTION credits.note_basis(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_basis(p_account_id uuid) IS 'Records as the basis the larger of the last purchase and the greatest lot that has tokens now. If no lot has tokens, the basis stays as it was.';
CREATE FUNCTION credits.note_card(p_account_id uuid, p_consent_id uuid, p_customer_id text, p_payment_method_id text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_card(p_account_id uuid, p_consent_id uuid, p_customer_id text, p_payment_method_id text) IS 'Records the card that was saved for a consent of a locked wallet, and turns automatic top-up on. Returns applied, duplicate, or stored when the user has withdrawn, or agreed to something else, since.';
CREATE FUNCTION credits.note_change(p_endpoint_id uuid, p_change text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_change(p_endpoint_id uuid, p_change text, p_reason text) IS 'Records what was done to an endpoint, and why.';
CREATE FUNCTION credits.note_customer(p_account_id uuid, p_customer_id text, p_replaces text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_customer(p_account_id uuid, p_customer_id text, p_replaces text) IS 'Records the Stripe customer of an account that has none, or whose customer p_replaces names as no longer existing.';
CREATE FUNCTION credits.note_decision(p_event_id text, p_decision text, p_reason text, p_outcome text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_decision(p_event_id text, p_decision text, p_reason text, p_outcome text) IS 'Records a decision about a locked event, and its outcome after that.';
CREATE TABLE credits.webhook_deliveries (
    account_id uuid NOT NULL,
    notice_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries bigint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    lease uuid,
    last_status bigint,
    last_trouble text,
    last_tried_at timestamp with time zone,
    delivered_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_deliveries_delivered_has_time CHECK (((state = 'delivered'::text) = (delivered_at IS NOT NULL))),
    CONSTRAINT webhook_deliveries_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT webhook_deliveries_tries_are_sane CHECK ((tries >= 0))
);
ALTER TABLE ONLY credits.webhook_deliveries FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.webhook_deliveries IS 'One message to one endpoint: a notice of the outbox, and what became of it. Written with the notice.';
COMMENT ON COLUMN credits.webhook_deliveries.state IS 'pending, delivered, or failed: it was tried as often as messages are tried.';
COMMENT ON COLUMN credits.webhook_deliveries.due_at IS 'When it is sent next. While a worker sends it: when another worker may send it again.';
COMMENT ON COLUMN credits.webhook_deliveries.lease IS 'Names the try that is under way, so that no older one ends it.';
COMMENT ON COLUMN credits.webhook_deliveries.last_status IS 'HTTP status of the last answer. Null: there was none.';
CREATE FUNCTION credits.note_delivered(p_delivery credits.webhook_deliveries, p_status bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_delivered(p_delivery credits.webhook_deliveries, p_status bigint) IS 'Records that a message arrived, and that its endpoint works.';
CREATE FUNCTION credits.note_failed(p_delivery credits.webhook_deliveries, p_status bigint, p_trouble text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_failed(p_delivery credits.webhook_deliveries, p_status bigint, p_trouble text) IS 'Records that a try of a message failed, and when it is tried again. Disables an endpoint that is gone, or that has taken nothing for five days.';
CREATE FUNCTION credits.note_failed_payment(p_order credits.orders, p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_failed_payment(p_order credits.orders, p_event credits.stripe_events) IS 'Takes back what a paid order granted, if its payment failed after it had succeeded. Returns the outcome.';
CREATE FUNCTION credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric) IS 'Records the basis of percentages after a grant of p_tokens.';
CREATE FUNCTION credits.note_invoice(p_event credits.stripe_events) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_invoice(p_event credits.stripe_events) IS 'Records what an event says of an invoice: the furthest state that any of its events reported.';
CREATE FUNCTION credits.note_later_success(p_order credits.orders, p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_later_success(p_order credits.orders, p_event credits.stripe_events) IS 'Another event reports that an order was paid. If it is newer, the payment has not failed before it. Returns the outcome, which is always duplicate.';
CREATE FUNCTION credits.note_mirror_events(p_events jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_mirror_events(p_events jsonb) IS 'Records the events of a page, [{"object": event, "original": bytes in base64 or null}]. Returns how many the bank did not have. Raises PT422 bad_event, foreign_account, wrong_mode.';
CREATE FUNCTION credits.note_mirror_objects(p_objects jsonb, p_kind text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_mirror_objects(p_objects jsonb, p_kind text) IS 'Records the objects of a page, as they are now. Raises PT422 bad_page, wrong_mode.';
CREATE FUNCTION credits.note_money(p_order credits.orders, p_back bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_money(p_order credits.orders, p_back bigint) IS 'Records that p_back minor units of an order have gone back from now on, on a locked wallet. Does nothing when the order says so already.';
CREATE FUNCTION credits.note_origin(p_account_id uuid, p_device_keys text[], p_network_keys text[], p_shared_network boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_origin(p_account_id uuid, p_device_keys text[], p_network_keys text[], p_shared_network boolean) IS 'Records the device and the network that an account was opened from. {unknown} means that they are not known. Raises PT422 bad_guest.';
CREATE FUNCTION credits.note_payment(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_payment(p_event credits.stripe_events) IS 'Records which payment has paid an invoice, so that its refunds and disputes find the order. Returns the outcome.';
CREATE FUNCTION credits.note_priced(p_name text, p_from_now boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_priced(p_name text, p_from_now boolean) IS 'Whether a line before this one, in the same file, has given this target a price from now on. p_from_now: this line does so too, which is recorded.';
CREATE FUNCTION credits.note_reversal(p_event credits.stripe_events, p_reversal_id text, p_kind text, p_amount bigint, p_status text, p_withdrawals bigint DEFAULT 0, p_reinstatements bigint DEFAULT 0) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_reversal(p_event credits.stripe_events, p_reversal_id text, p_kind text, p_amount bigint, p_status text, p_withdrawals bigint, p_reinstatements bigint) IS 'Records what an event says about an object that takes money back from the order of the event. True when it says something new. What was reported before never shrinks.';
CREATE FUNCTION credits.note_role() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.note_role() IS 'Trigger: keeps the oid of the role beside its name. Null while there is no role of that name.';
CREATE FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) IS 'The threshold of an account''s low balance, or null, and which notices are armed. depleted_armed is null if the bank has no such rule.';
CREATE FUNCTION credits.open_account(p_subject text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.open_account(p_subject text) IS 'Opens the account of a user id, with what new accounts are given, or finds it. Raises PT422 bad_user, PT503 busy.';
CREATE FUNCTION credits.order_as_json(p_account_id uuid, p_order_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.order_as_json(p_account_id uuid, p_order_id uuid) IS 'An order and its payment, with their ids at Stripe. amount, paid and reversed are minor units of currency.';
CREATE FUNCTION credits.order_of_invoice(p_invoice_id text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ("left"(encode(sha256(convert_to(('invoice:'::text || p_invoice_id), 'UTF8'::name)), 'hex'::text), 32))::uuid;
COMMENT ON FUNCTION credits.order_of_invoice(p_invoice_id text) IS 'The id of the order that a paid invoice makes. Null for null.';
CREATE FUNCTION credits.order_of_session(p_session jsonb, OUT account_id uuid, OUT order_id uuid) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.order_of_session(p_session jsonb, OUT account_id uuid, OUT order_id uuid) IS 'The order that a Checkout session names, whether it exists or not. Nulls when it names none.';
CREATE FUNCTION credits.order_receipt(p_order credits.orders, p_user_id text DEFAULT NULL::text, p_replayed boolean DEFAULT false) RETURNS api.order_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean) IS 'The answer of api functions about an order. p_user_id: the user who called, or about whom a service called.';
CREATE FUNCTION credits.own_grant(p_lot credits.lots) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (((p_lot).source = 'rollover'::credits.entry_kind) IS TRUE) THEN (0)::numeric ELSE ((p_lot).granted)::numeric END;
COMMENT ON FUNCTION credits.own_grant(p_lot credits.lots) IS 'The tokens that the payment of an order granted by this lot. Those that went over were granted before, by the allowance.';
CREATE FUNCTION credits.ownership_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.ownership_faults() IS 'Schemas, tables, views, sequences, functions and types of the bank that do not belong to credits_owner.';
CREATE FUNCTION credits.pack_order(p_pack_id text, p_module_id text) RETURNS credits.orders
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.pack_order(p_pack_id text, p_module_id text) IS 'The order of a pack, bought for a module or for what the pack is bound to. Raises PT404 unknown_pack, PT422 bad_order.';
CREATE FUNCTION credits.park_intent(p_order credits.orders, p_event credits.stripe_events, p_reason text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.park_intent(p_order credits.orders, p_event credits.stripe_events, p_reason text) IS 'Keeps an event whose money does not match its order for a person, and its order with it. Returns the outcome.';
CREATE FUNCTION credits.park_session(p_order credits.orders, p_event credits.stripe_events, p_own boolean, p_reason text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.park_session(p_order credits.orders, p_event credits.stripe_events, p_own boolean, p_reason text) IS 'Keeps an event whose money does not match its order for a person, and its order with it. p_own: the session is the order''s. Returns the outcome.';
CREATE FUNCTION credits.parked_or_duplicate(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.parked_or_duplicate(p_event credits.stripe_events) IS 'The outcome of an event that a person has to decide about: parked, or duplicate if another event about its object is parked already.';
CREATE FUNCTION credits.parts_to_return(p_draws jsonb, p_charged numeric, p_before numeric, p_tokens numeric) RETURNS TABLE(lot_id bigint, tokens numeric)
    LANGUAGE plpgsql IMMUTABLE ROWS 3
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.parts_to_return(p_draws jsonb, p_charged numeric, p_before numeric, p_tokens numeric) IS 'The lots into which p_tokens of a charge go back, last taken first, when p_before tokens went back before. lot_id null: the debt of the charge.';
CREATE FUNCTION credits.passes_for_latin(p_word text, p_capitals boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.passes_for_latin(p_word text, p_capitals boolean) IS 'Whether a word in small letters consists of letters that are drawn like Latin ones but are not Latin. p_capitals: letters whose capitals are drawn like Latin ones count, too.';
CREATE FUNCTION credits.pause_topup(p_account_id uuid, p_reason text, p_attempt_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.pause_topup(p_account_id uuid, p_reason text, p_attempt_id uuid) IS 'Pauses the automatic top-up of a locked wallet: authentication_required (the user must confirm the card, and gets a link), or offer_changed or under_review. p_attempt_id: the attempt that caused it.';
CREATE FUNCTION credits.pay_beyond_hold(p_hold credits.holds, p_cost numeric, p_own numeric, p_over text, p_entry_seq bigint, p_at timestamp with time zone, OUT draws jsonb, OUT debt numeric, OUT shortfall numeric) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.pay_beyond_hold(p_hold credits.holds, p_cost numeric, p_own numeric, p_over text, p_entry_seq bigint, p_at timestamp with time zone, OUT draws jsonb, OUT debt numeric, OUT shortfall numeric) IS 'Pays the part of a capture''s cost (p_cost) that its hold does not cover (p_own is covered). draws: from other lots. debt: as much as the account may have. shortfall: the rest, which is written with the seq that the entry will have. p_over: debt, available or error. Raises PT402 insufficient_tokens (error, or a user), PT429 spend_limit (a user).';
CREATE TABLE credits.subscription_invoices (
    account_id uuid NOT NULL,
    invoice_id text NOT NULL,
    subscription_id text NOT NULL,
    state text NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    amount_due bigint,
    currency text,
    pay_url text,
    next_attempt_at timestamp with time zone,
    order_id uuid,
    plan_id text,
    version bigint,
    quantity bigint,
    period_starts_at timestamp with time zone,
    period_ends_at timestamp with time zone,
    unused credits.amount DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    credited bigint DEFAULT 0 NOT NULL,
    credited_from timestamp with time zone,
    credited_until timestamp with time zone,
    credited_subscription_id text,
    CONSTRAINT subscription_invoices_attempts_are_counted CHECK ((attempts >= 0)),
    CONSTRAINT subscription_invoices_credit_is_whole CHECK (((credited >= 0) AND (num_nonnulls(credited_from, credited_until) =
CASE
    WHEN (credited > 0) THEN 2
    ELSE 0
END))),
    CONSTRAINT subscription_invoices_grant_is_whole CHECK (((num_nonnulls(order_id, plan_id, version, quantity, period_starts_at, period_ends_at) = ANY (ARRAY[0, 6])) AND ((order_id IS NULL) OR ((state = 'paid'::text) AND ((period_starts_at < period_ends_at) IS TRUE))))),
    CONSTRAINT subscription_invoices_other_credit_is_sane CHECK (((credited_subscription_id IS NULL) OR (credited > 0))),
    CONSTRAINT subscription_invoices_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'uncollectible'::text, 'void'::text, 'paid'::text])))
);
ALTER TABLE ONLY credits.subscription_invoices FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.subscription_invoices IS 'The invoices of subscriptions. The period that a paid one granted is written once, with the order that it made.';
COMMENT ON COLUMN credits.subscription_invoices.state IS 'The furthest state that an event reported: open, uncollectible, then void or paid.';
COMMENT ON COLUMN credits.subscription_invoices.attempts IS 'How many failed attempts to collect it were reported.';
COMMENT ON COLUMN credits.subscription_invoices.pay_url IS 'Stripe''s page on which its customer can pay it.';
COMMENT ON COLUMN credits.subscription_invoices.order_id IS 'The order that grants it. Null: it granted nothing, or has not been paid.';
COMMENT ON COLUMN credits.subscription_invoices.unused IS 'How many tokens of its allowance have expired.';
COMMENT ON COLUMN credits.subscription_invoices.credited IS 'Minor units that it credits for a period that was paid, because the plan has become smaller.';
COMMENT ON COLUMN credits.subscription_invoices.credited_from IS 'The moment of the change, from which that period is credited. Null without a credit.';
COMMENT ON COLUMN credits.subscription_invoices.credited_until IS 'The end of that period. Null without a credit.';
COMMENT ON COLUMN credits.subscription_invoices.credited_subscription_id IS 'The cancelled subscription whose period was credited. Null if it is the invoice''s own.';
CREATE FUNCTION credits.pay_invoice(p_event credits.stripe_events, p_known credits.subscription_invoices, OUT outcome text, OUT reason text, OUT entry_id text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.pay_invoice(p_event credits.stripe_events, p_known credits.subscription_invoices, OUT outcome text, OUT reason text, OUT entry_id text) IS 'Grants a paid invoice, unless it was paid before (p_known: the invoice as it was known until now).';
CREATE FUNCTION credits.payment_mismatch(p_order credits.orders, p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.payment_mismatch(p_order credits.orders, p_event credits.stripe_events) IS 'Why a payment does not match its order. Null when it does.';
CREATE FUNCTION credits.payment_names(p_event credits.stripe_events) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.payment_names(p_event credits.stripe_events) IS 'The objects at Stripe by which the payment of an invoice is known: the invoice, its payment intents and charges.';
CREATE FUNCTION credits.payment_page(p_invoice jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.payment_page(p_invoice jsonb) IS 'The page at Stripe on which an invoice can be paid. Null if the invoice names none.';
CREATE FUNCTION credits.pays_for_something(p_account_id uuid, p_available numeric) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.pays_for_something(p_account_id uuid, p_available numeric) IS 'Do the free tokens of an account, p_available in all, pay for at least one use of something that costs anything?';
CREATE FUNCTION credits.period_at(p_anchor_at timestamp with time zone, p_unit text, p_count bigint, p_at timestamp with time zone, OUT starts_at timestamp with time zone, OUT ends_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.period_at(p_anchor_at timestamp with time zone, p_unit text, p_count bigint, p_at timestamp with time zone, OUT starts_at timestamp with time zone, OUT ends_at timestamp with time zone) IS 'The period that p_at is in, of p_count months or years (p_unit), counted from p_anchor_at, which is not later.';
CREATE FUNCTION credits.period_problem(p_invoice jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.period_problem(p_invoice jsonb) IS 'Why a paid invoice does not match the terms of a plan, so that a person must look at it. Null when it does.';
CREATE FUNCTION credits.usage_or_call(p_usage jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((p_usage = '{}'::jsonb) IS TRUE) THEN '{"calls": 1}'::jsonb ELSE p_usage END;
COMMENT ON FUNCTION credits.usage_or_call(p_usage jsonb) IS 'The usage as entries record it: {} means one call, {"calls": 1}.';
CREATE FUNCTION credits.plain_charges(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) RETURNS TABLE(place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb, price_id bigint, price_source text, cost numeric, taken numeric, seq bigint, posted_at timestamp with time zone, tokens credits.tokens, balance_after credits.tokens, debt_after credits.tokens, draws jsonb, first_hash bytea)
    LANGUAGE sql STABLE ROWS 100
    BEGIN ATOMIC
 SELECT c.place,
     c.account_id,
     c.user_id,
     c.module_id,
     credits.usage_or_call(c.usage) AS usage,
     c.key,
     c.metadata,
     c.tags,
     c.price_id,
     c.price_source,
     c.cost,
     c.taken,
     (c.wallet_seq + c.nth) AS seq,
     (GREATEST(plain_charges.p_at, COALESCE((c.posted_at + '00:00:00.000001'::interval), plain_charges.p_at)) + (((c.nth - 1))::double precision * '00:00:00.000001'::interval)) AS posted_at,
     (- c.cost) AS tokens,
     (c.balance - c.taken) AS balance_after,
     c.debt AS debt_after,
     credits.draw_of(c.head_lot, c.cost) AS draws,
     c.head_hash AS first_hash
    FROM credits.counted_items(plain_charges.p_items, plain_charges.p_account_ids, plain_charges.p_at) c(place, account_id, user_id, module_id, usage, key, metadata, tags, price_id, price_source, cost, wallet_seq, balance, debt, posted_at, head_lot, head_hash, head_permit, nth, taken, all_plain)
   WHERE (c.all_plain AND (c.taken <= c.head_permit))
   ORDER BY c.account_id, c.place;
END;
COMMENT ON FUNCTION credits.plain_charges(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) IS 'The plain charges of a batch, by account and in the order of the items, with everything that their entries record except the hash. taken: the tokens of this charge and of those of its account before it. first_hash: the last hash of the wallet.';
CREATE FUNCTION credits.plain_text(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.plain_text(p_text text) IS 'A text in Unicode''s form NFKC, without invisible characters (Default_Ignorable_Code_Point) and without space around it. White space inside it becomes one plain space. Null for a text with characters beyond the first plane, except mathematical alphabets: versions of PostgreSQL treat them differently.';
CREATE FUNCTION credits.plan_lines(p_invoice jsonb) RETURNS TABLE(plan_id text, version bigint, allowance numeric, price bigint, currency text, trial_allowance numeric, amount numeric, discount numeric, quantity numeric, proration boolean, starts_at timestamp with time zone, ends_at timestamp with time zone, cancelled_id text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.plan_lines(p_invoice jsonb) IS 'The lines of an invoice whose price is a plan''s, with the terms of that plan. price: of one unit for a whole period. cancelled_id: the subscription that a credit is of, if it is not the invoice''s own.';
CREATE FUNCTION credits.plan_of_metadata(p_metadata jsonb) RETURNS credits.plan_versions
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.plan_of_metadata(p_metadata jsonb) IS 'The terms that the metadata of a subscription name, if they have no price at Stripe. Nulls when they name none.';
CREATE FUNCTION credits.plan_of_price(p_price_id text) RETURNS credits.plan_versions
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.plan_of_price(p_price_id text) IS 'The newest terms of the plan that has this price at Stripe. Nulls when no plan has it.';
CREATE FUNCTION credits.plan_reversal(p_order credits.orders, p_back bigint, OUT takes jsonb, OUT gives jsonb, OUT debt numeric) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.plan_reversal(p_order credits.orders, p_back bigint, OUT takes jsonb, OUT gives jsonb, OUT debt numeric) IS 'What must move so that p_back minor units of the payment of an order have gone back, on a locked wallet whose head is folded. takes: out of which lots. gives: back into which. debt: by how much the debt of this order rises, or falls when below 0.';
CREATE FUNCTION credits.plan_terms(p_plan_id text) RETURNS credits.plan_versions
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.plan_terms(p_plan_id text) IS 'The terms of a plan that new subscribers get: its newest version. Nulls when there is no such plan.';
CREATE VIEW credits.money_with_tax WITH (security_invoker='true') AS
 SELECT r.at,
    r.cause,
    o.currency,
    r.amount,
    (trunc(((((o.paid)::numeric - w.worth) * (r.reversed_after)::numeric) / (o.paid)::numeric)) - trunc(((((o.paid)::numeric - w.worth) * ((r.reversed_after - r.amount))::numeric) / (o.paid)::numeric))) AS tax
   FROM ((credits.money_returns r
     JOIN credits.orders o ON (((r.account_id = o.account_id) AND (r.order_id = o.order_id))))
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(credits.lot_worth(l.source, (l.granted)::numeric, (l.unit_cost)::numeric)), (0)::numeric) AS worth
           FROM credits.lots l
          WHERE ((l.account_id = r.account_id) AND (l.order_id = r.order_id) AND (l.source = ANY (ARRAY['purchase'::credits.entry_kind, 'allowance'::credits.entry_kind])))) w)
  WHERE (o.paid > 0);
COMMENT ON VIEW credits.money_with_tax IS 'The money of orders that went back (above zero) or returned after that (below zero), in minor units, and the tax in it.';
CREATE FUNCTION credits.postings(p_unit text, p_until timestamp with time zone) RETURNS TABLE(period date, currency text, event text, account text, debit numeric, credit numeric)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 WITH moved AS (
          SELECT s_1.account_id,
             s_1.order_id,
             s_1.period,
             s_1.currency,
             s_1.source,
             s_1.way,
             s_1.money
            FROM credits.lot_sums(postings.p_unit, postings.p_until) s_1(account_id, lot_id, order_id, source, currency, period, way, tokens, late_tokens, money)
           WHERE (s_1.currency IS NOT NULL)
         ), pairs AS (
          SELECT m.period,
             m.currency,
             k.event,
             k.account,
             (- m.money) AS amount
            FROM (moved m
              JOIN ( VALUES ('granted'::text,false,'sale'::text,'tax'::text), ('granted'::text,true,'expiry'::text,'breakage'::text), ('used'::text,NULL::boolean,'use'::text,'revenue'::text), ('expired'::text,NULL::boolean,'expiry'::text,'breakage'::text), ('refunded'::text,NULL::boolean,'money_back'::text,'refunds'::text), ('disputed'::text,NULL::boolean,'money_back'::text,'refunds'::text), ('reinstated'::text,NULL::boolean,'money_back'::text,'refunds'::text), ('adjusted'::text,NULL::boolean,'adjustment'::text,'adjustments'::text)) k(way, went_over, event, account) ON (((m.way = k.way) AND COALESCE((k.went_over = (m.source = 'rollover'::credits.entry_kind)), true))))
         ), paid AS (
          SELECT m.period,
             m.currency,
             COALESCE(o.paid, (0)::bigint) AS amount
            FROM (moved m
              JOIN credits.orders o ON (((m.account_id = o.account_id) AND (m.order_id = o.order_id))))
           WHERE ((m.way = 'granted'::text) AND (m.source = ANY (ARRAY['purchase'::credits.entry_kind, 'allowance'::credits.entry_kind])))
         ), returned AS (
          SELECT (date_trunc(postings.p_unit, (r.at AT TIME ZONE '00:00:00'::interval)))::date AS period,
             r.currency,
             r.amount,
             r.tax
            FROM credits.money_with_tax r
           WHERE (r.at <= postings.p_until)
         ), sides AS (
          SELECT p.period,
             p.currency,
             p.event,
             x.account,
             x.amount
            FROM (pairs p
              CROSS JOIN LATERAL ( VALUES ('deferred_revenue'::text,p.amount), (p.account,(- p.amount))) x(account, amount))
         UNION ALL
          SELECT p.period,
             p.currency,
             'sale'::text AS event,
             x.account,
             x.amount
            FROM (paid p
              CROSS JOIN LATERAL ( VALUES ('cash'::text,p.amount), ('tax'::text,(- p.amount))) x(account, amount))
         UNION ALL
          SELECT r.period,
             r.currency,
             'money_back'::text AS event,
             x.account,
             x.amount
            FROM (returned r
              CROSS JOIN LATERAL ( VALUES ('cash'::text,(- r.amount)), ('tax'::text,r.tax), ('refunds'::text,((r.amount)::numeric - r.tax))) x(account, amount))
         )
  SELECT s.period,
     s.currency,
     s.event,
     s.account,
         CASE
             WHEN ((sum(s.amount) > (0)::numeric) IS TRUE) THEN sum(s.amount)
             ELSE (0)::numeric
         END AS debit,
         CASE
             WHEN ((sum(s.amount) < (0)::numeric) IS TRUE) THEN (- sum(s.amount))
             ELSE (0)::numeric
         END AS credit
    FROM sides s
   GROUP BY s.period, s.currency, s.event, s.account
  HAVING (sum(s.amount) IS DISTINCT FROM (0)::numeric);
END;
COMMENT ON FUNCTION credits.postings(p_unit text, p_until timestamp with time zone) IS 'The postings of the journal per period (p_unit: day, month …, UTC), currency and event until p_until, in minor units. The debits of an event are its credits.';
CREATE FUNCTION credits.power_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.power_faults() IS 'Functions of api that a role may call but should not. A role that charges, reads or counts must not be able to grant.';
CREATE FUNCTION credits.price_overlap(p_name text, p_line credits.prices, p_current credits.prices, p_named credits.prices, p_same boolean, p_now timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.price_overlap(p_name text, p_line credits.prices, p_current credits.prices, p_named credits.prices, p_same boolean, p_now timestamp with time zone) IS 'What a line of a price list overlaps, in words, or null. p_current: the version in force; p_named: the version that the line is about; p_same: that version says the same.';
CREATE FUNCTION credits.price_part(p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamp with time zone, OUT cost numeric, OUT usage jsonb, OUT own numeric, OUT released numeric) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.price_part(p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamp with time zone, OUT cost numeric, OUT usage jsonb, OUT own numeric, OUT released numeric) IS 'What a part of a hold costs, and the usage to record. Without p_usage, that is all that is held. own: how much of the cost is held. released: how much becomes free, if this part is the last one. Raises PT422 bad_usage.';
CREATE FUNCTION credits.price_parts(p_price_id bigint, p_usage jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.price_parts(p_price_id bigint, p_usage jsonb) IS 'How a cost is made up, by dimension. quantity: all of it. includes: how much of it was named as a part without a rate of its own, {dimension: quantity}. units: what is charged after the free quantity. charge: their price, or the minimum, before margin and exchange rate. Fractions that do not end are rounded here; the cost itself is computed without rounding them.';
CREATE FUNCTION credits.price_source(p_price credits.prices) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((p_price).module_id IS NOT NULL) THEN 'module'::text WHEN ((p_price).category_id IS NOT NULL) THEN 'category'::text ELSE 'default'::text END;
COMMENT ON FUNCTION credits.price_source(p_price credits.prices) IS 'Whose price it is: module, category, or default, which is for every other module.';
CREATE FUNCTION credits.price_to_replace(p_module_id text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.price_to_replace(p_module_id text) IS 'The version of a price that a module has now, withdrawn or not: its own, otherwise that of its category. Null when it has neither.';
CREATE FUNCTION credits.price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, p_price_id bigint DEFAULT NULL::bigint, OUT price_id bigint, OUT usage jsonb, OUT cost numeric, OUT price_source text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, p_price_id bigint, OUT price_id bigint, OUT usage jsonb, OUT cost numeric, OUT price_source text) IS 'The cost of a use of a module. usage: the usage as it is recorded. price_id: the version of the price that is in force, or the one that is named. price_source: whose price it is, module, category or default. The usage may name dimensions whose parent has a rate (credits.rated_usage). Raises PT404 unknown_module, PT422 bad_usage.';
CREATE FUNCTION credits.punycode_adapt(p_delta bigint, p_points bigint, p_first boolean) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.punycode_adapt(p_delta bigint, p_points bigint, p_first boolean) IS 'The new bias of RFC 3492, section 6.1.';
CREATE FUNCTION credits.punycode_decode(p_code text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.punycode_decode(p_code text) IS 'The label that Punycode stands for, given without the xn-- before it. Null when it is not Punycode.';
CREATE FUNCTION credits.punycode_encode(p_label text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.punycode_encode(p_label text) IS 'A label of a domain in Punycode, without the xn-- before it.';
CREATE FUNCTION credits.purge_inactive(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.purge_inactive(p_account_id uuid) IS 'Announces that the tokens of a locked wallet will be purged, or purges them, when that is due. The caller, credits.catch_up, has folded the head.';
CREATE FUNCTION credits.put_call(p_account_id uuid, p_kind text, p_made_for uuid, p_params jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.put_call(p_account_id uuid, p_kind text, p_made_for uuid, p_params jsonb) IS 'Writes a call to Stripe: charge (made for an attempt), refund (for a request) or confirm_card (for an attempt). Its key is the same for every repeat.';
CREATE FUNCTION credits.put_for_products(p_account_id uuid, p_kind text, p_facts jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.put_for_products(p_account_id uuid, p_kind text, p_facts jsonb) IS 'Puts a notice in the outbox, if an endpoint takes its kind.';
CREATE FUNCTION credits.put_lot(p_lot credits.lots, p_campaign_id text DEFAULT NULL::text, p_metadata jsonb DEFAULT '{}'::jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.put_lot(p_lot credits.lots, p_campaign_id text, p_metadata jsonb) IS 'Grants a lot to a locked wallet: source, tokens (granted), priority, scope, times, cost and order are those of p_lot. Returns its lot_id, the seq of its entry. Raises PT422 bad_amount.';
CREATE FUNCTION credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb) IS 'Puts a notice in the outbox, and a message for each endpoint that takes its kind. The kinds are in credits.notice_kinds.';
CREATE FUNCTION credits.put_price(p_line credits.prices, p_components jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.put_price(p_line credits.prices, p_components jsonb) IS 'Writes a line of a price list as a version of a price, unless it is there already, and returns the version. p_line: its target, margin, exchange rate, origin, and valid_from or null for now. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.put_refund_request(p_order credits.orders, p_request_id uuid, p_amount bigint, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.put_refund_request(p_order credits.orders, p_request_id uuid, p_amount bigint, p_reason text) IS 'Writes a request to refund so many minor units of an order, withholds the tokens, and writes the call to Stripe.';
CREATE FUNCTION credits.quantity(quantity jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((jsonb_typeof(quantity) = 'number'::text) IS NOT TRUE) THEN NULL::numeric WHEN (((scale((quantity)::numeric) <= 30) AND (((quantity)::numeric >= (0)::numeric) AND ((quantity)::numeric <= ('1000000000000000'::bigint)::numeric))) IS TRUE) THEN (quantity)::numeric ELSE NULL::numeric END;
COMMENT ON FUNCTION credits.quantity(quantity jsonb) IS 'A quantity of usage, if it is a number from 0 to 10^15 with at most 30 decimals; otherwise null.';
CREATE FUNCTION credits.rated_usage(p_price_id bigint, p_usage jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.rated_usage(p_price_id bigint, p_usage jsonb) IS 'A usage in the dimensions of a price. What a dimension without a rate counts is added to its parent, if the usage names the parent. A dimension that has a rate and was left out is 0, if the price has a rate for its parent. Null for a usage that is not an object. A quantity that cannot be charged is null in the sum.';
CREATE FUNCTION credits.rates(p_components jsonb, p_margin numeric, p_exchange_rate numeric) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
 SELECT jsonb_object_agg(c.dimension, trim_scale(round((((c.price_per_unit * rates.p_margin) * (1000000)::numeric) / (c.unit_size * rates.p_exchange_rate)), 6))) AS jsonb_object_agg
    FROM jsonb_to_recordset(rates.p_components) c(dimension text, unit_size numeric, price_per_unit numeric);
END;
COMMENT ON FUNCTION credits.rates(p_components jsonb, p_margin numeric, p_exchange_rate numeric) IS 'What a million of each dimension costs, in tokens, without free quantities, tiers and minimums. p_components: with the defaults filled in.';
CREATE FUNCTION credits.rates_of(p_price_id bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.rates_of(p_price_id bigint) IS 'credits.rates of a version of a price. Null for null.';
CREATE FUNCTION credits.read_answer(p_answer jsonb, OUT verdict text, OUT reason text, OUT must_look_up boolean, OUT wait interval) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.read_answer(p_answer jsonb, OUT verdict text, OUT reason text, OUT must_look_up boolean, OUT wait interval) IS 'What an answer means: done, absent (looked for, and not there), declined, authentication_required, refused, or again. reason: Stripe''s code. must_look_up: repeating the call would only repeat this error. wait: how long Stripe wants us to wait.';
CREATE TABLE credits.subscriptions (
    account_id uuid NOT NULL,
    subscription_id text NOT NULL,
    plan_id text,
    version bigint,
    quantity bigint DEFAULT 1 NOT NULL,
    status text NOT NULL,
    cancel_at_period_end boolean DEFAULT false NOT NULL,
    cancel_at timestamp with time zone,
    pause text,
    resumes_at timestamp with time zone,
    trial_ends_at timestamp with time zone,
    period_starts_at timestamp with time zone,
    period_ends_at timestamp with time zone,
    ended_at timestamp with time zone,
    said_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    said_by text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT subscriptions_quantity_is_positive CHECK ((quantity > 0)),
    CONSTRAINT subscriptions_status_is_known CHECK ((status = ANY (ARRAY['incomplete'::text, 'incomplete_expired'::text, 'trialing'::text, 'active'::text, 'past_due'::text, 'canceled'::text, 'unpaid'::text, 'paused'::text])))
);
ALTER TABLE ONLY credits.subscriptions FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.subscriptions IS 'Subscriptions at Stripe, each as the newest of its events describes it. One that has ended stays ended.';
COMMENT ON COLUMN credits.subscriptions.plan_id IS 'The plan whose price it has. Null: no plan has that price.';
COMMENT ON COLUMN credits.subscriptions.pause IS 'How Stripe treats invoices while collection is paused: keep_as_draft, mark_uncollectible or void. Null: not paused.';
COMMENT ON COLUMN credits.subscriptions.said_at IS 'When that event was made, by Stripe''s clock. -infinity: only invoices have named this subscription so far.';
COMMENT ON COLUMN credits.subscriptions.said_by IS 'That event.';
CREATE FUNCTION credits.read_subscription(p_event credits.stripe_events) RETURNS credits.subscriptions
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.read_subscription(p_event credits.stripe_events) IS 'The row of a subscription as one event describes it.';
CREATE FUNCTION credits.reader_subject(p_user_id text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.reader_subject(p_user_id text) IS 'Like credits.caller_subject, for functions that change nothing: at any isolation level. Raises PT401 not_signed_in, PT403 not_yours, PT422 bad_user.';
CREATE FUNCTION credits.redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean) RETURNS api.redemption_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean) IS 'The answer of api.redeem_code. p_lot_id: the lot that a promotion granted; null when a referrer was recorded.';
CREATE FUNCTION credits.refund_answered(p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refund_answered(p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb) IS 'Ends the request of a refund by Stripe''s answer. If it was refused, its tokens are free again; otherwise they are withheld until the event of the refund takes them. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.refund_needs(p_order credits.orders, p_amount bigint) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refund_needs(p_order credits.orders, p_amount bigint) IS 'The tokens that go back with so many more minor units of a payment: of the purchase and, in proportion, of its bonus.';
CREATE FUNCTION credits.refund_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean) RETURNS api.refund_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refund_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean) IS 'The answer of a refund, read from its entry.';
CREATE FUNCTION credits.refund_request_receipt(p_account_id uuid, p_request_id uuid, p_user_id text, p_replayed boolean) RETURNS api.refund_request
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refund_request_receipt(p_account_id uuid, p_request_id uuid, p_user_id text, p_replayed boolean) IS 'The answer of api.request_refund.';
CREATE FUNCTION credits.refundable(p_order credits.orders) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refundable(p_order credits.orders) IS 'The most that may be refunded of an order of a locked wallet whose head is folded, in minor units.';
CREATE TABLE credits.charge_refunds (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    refunded credits.amount NOT NULL,
    refund_seqs bigint[] DEFAULT '{}'::bigint[] NOT NULL
);
ALTER TABLE ONLY credits.charge_refunds FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.charge_refunds IS 'How much of a charge was refunded in all. It is written under the wallet''s lock, and audit.check_refunds proves it.';
COMMENT ON COLUMN credits.charge_refunds.seq IS 'The charge. Or a repayment of debt, if the use that made the debt was refunded after the repayment.';
COMMENT ON COLUMN credits.charge_refunds.refunded IS 'For a charge: tokens given back, at most those of the charge. For a repayment: tokens that went back into the lot that paid it.';
COMMENT ON COLUMN credits.charge_refunds.refund_seqs IS 'For a charge: the refunds of it, in their order. Empty for a repayment.';
CREATE FUNCTION credits.refunded_of(p_account_id uuid, p_seq bigint) RETURNS numeric
    LANGUAGE sql STABLE
    RETURN COALESCE((SELECT trim_scale((r.refunded)::numeric) AS trim_scale FROM credits.charge_refunds r WHERE ((r.account_id = refunded_of.p_account_id) AND (r.seq = refunded_of.p_seq))), (0)::numeric);
COMMENT ON FUNCTION credits.refunded_of(p_account_id uuid, p_seq bigint) IS 'How many tokens of a charge have been given back so far.';
CREATE FUNCTION credits.refunds_as_json(p_account_id uuid, p_seqs bigint[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refunds_as_json(p_account_id uuid, p_seqs bigint[]) IS 'Refunds of a charge: the first hundred of those whose seqs are given.';
CREATE FUNCTION credits.refuse_addition() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_addition() IS 'Trigger: refuses additions to a version by any transaction but the one that wrote it. Raises PT405 append_only.';
CREATE FUNCTION credits.refuse_busy(p_what text DEFAULT 'this account'::text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_busy(p_what text) IS 'Raises PT503 busy: nothing was done, and the call may be repeated.';
CREATE FUNCTION credits.refuse_byok() RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_byok() IS 'Raises PT422 bad_byok.';
CREATE FUNCTION credits.refuse_caller(p_subject text, p_user_id text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_caller(p_subject text, p_user_id text) IS 'Refuses a caller. Raises PT401 not_signed_in, PT403 not_yours, or else PT422 bad_isolation.';
CREATE FUNCTION credits.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_change() IS 'Trigger: refuses with PT405 append_only.';
CREATE FUNCTION credits.refuse_closed(p_state text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_closed(p_state text) IS 'Raises PT409 hold_closed.';
CREATE FUNCTION credits.refuse_closed_key(p_key credits.api_keys) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_closed_key(p_key credits.api_keys) IS 'Refuses an API key that is revoked or expired. Raises PT409 api_key_closed.';
CREATE FUNCTION credits.refuse_code(p_verdict text, p_reset_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_code(p_verdict text, p_reset_at timestamp with time zone) IS 'Refuses a code by the verdict on its campaign; the verdict open passes. Raises PT404 unknown_code, PT409 code_expired, code_used or code_exhausted, PT429 campaign_limit.';
CREATE FUNCTION credits.refuse_consent_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_consent_change() IS 'Trigger: refuses with PT405 append_only.';
CREATE FUNCTION credits.refuse_guest(p_limit bigint, p_reset_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_guest(p_limit bigint, p_reset_at timestamp with time zone) IS 'Raises PT429 guest_limit (remaining, limit, reset_at).';
CREATE FUNCTION credits.refuse_hold(p_by_service boolean DEFAULT NULL::boolean) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_hold(p_by_service boolean) IS 'Raises PT403 not_yours for a hold that a service made, else PT404 unknown_hold.';
CREATE FUNCTION credits.refuse_key() RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_key() IS 'Raises PT409 key_reused.';
CREATE FUNCTION credits.refuse_line(p_what text, p_name text, p_why text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_line(p_what text, p_name text, p_why text) IS 'Refuses a line of a price list, by its kind and name. Raises PT422 bad_catalog.';
CREATE FUNCTION credits.refuse_module(p_module_id text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_module(p_module_id text) IS 'Refuses a module that has no price. did_you_mean is the listed module that its id looks like. Raises PT404 unknown_module.';
CREATE FUNCTION credits.refuse_money_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_money_change() IS 'Trigger: refuses with PT405 append_only.';
CREATE FUNCTION credits.refuse_newcomer(p_user_id text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_newcomer(p_user_id text) IS 'Refuses an item of a batch whose user had no account when the batch locked its wallets. Raises PT503 busy if the user has one by now, else PT404 unknown_user, PT422 bad_user.';
CREATE FUNCTION credits.refuse_own_hold(p_state text, p_status text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_own_hold(p_state text, p_status text) IS 'Refuses to let a user capture or extend their own hold while the account is not active (PT423 account_frozen), or more than 24 hours after they made it (PT409 hold_closed).';
CREATE FUNCTION credits.refuse_status(p_status text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_status(p_status text) IS 'Refuses a call because the account has this status, frozen or closed. Raises PT423 account_frozen.';
CREATE FUNCTION credits.refuse_tokens(p_balance numeric, p_debt numeric, p_price_id bigint, p_cost numeric, p_missing numeric) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_tokens(p_balance numeric, p_debt numeric, p_price_id bigint, p_cost numeric, p_missing numeric) IS 'Raises PT402 insufficient_tokens: p_missing of p_cost cannot be paid.';
CREATE FUNCTION credits.refuse_unknown_user() RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_unknown_user() IS 'Refuses a call about a user who has no account. Raises PT404 unknown_user.';
CREATE FUNCTION credits.refuse_unpaid(p_most bigint, p_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_unpaid(p_most bigint, p_until timestamp with time zone) IS 'Raises PT429 unpaid_limit (limit, reset_at).';
CREATE FUNCTION credits.refuse_usage(p_price_id bigint, p_module_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.refuse_usage(p_price_id bigint, p_module_id text) IS 'Refuses usage that does not fit a price. Raises PT404 unknown_module without a price, otherwise PT422 bad_usage.';
CREATE FUNCTION credits.release_differences() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.release_differences() IS 'Objects in the bank''s schemas that the last pgcredits migrate did not make, that are missing, or that have changed since.';
CREATE FUNCTION credits.repay_debt(p_account_id uuid, p_lot_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.repay_debt(p_account_id uuid, p_lot_id bigint) IS 'Repays the debt of a locked wallet from a lot that has just been bought, as far as its tokens go.';
CREATE FUNCTION credits.require_service(p_what text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.require_service(p_what text) IS 'Refuses anyone who is not a service. p_what completes the message "only a service …": may grant tokens. Raises PT403 not_yours.';
CREATE FUNCTION credits.require_verified_email(p_required boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.require_verified_email(p_required boolean) IS 'For the operator. Whether the welcome of new accounts waits until a service says that the e-mail address is verified (api.verify_email). An account that is waiting when this is switched off gets its welcome with the next call of open_account. Raises PT422 bad_email for null.';
CREATE FUNCTION credits.retry_events(p_limit bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.retry_events(p_limit bigint) IS 'Applies at most p_limit events that wait for something that is there now. Returns how many of them wait no longer. Skips accounts that somebody else has locked. Looks at about 5,000 events, and at others in the next minute.';
CREATE FUNCTION credits.return_charge(p_charge credits.entries, p_refunded numeric, p_tokens numeric, p_debt numeric, OUT draws jsonb, OUT from_debt numeric) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.return_charge(p_charge credits.entries, p_refunded numeric, p_tokens numeric, p_debt numeric, OUT draws jsonb, OUT from_debt numeric) IS 'Puts p_tokens of a charge back where they came from, when p_refunded tokens went back before. draws: the lots and what each gets. from_debt: how much of p_debt, the wallet''s debt, it takes off.';
CREATE FUNCTION credits.return_repaid(p_account_id uuid, p_seq bigint, p_tokens numeric) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.return_repaid(p_account_id uuid, p_seq bigint, p_tokens numeric) IS 'Gives p_tokens of debt that charge p_seq made back to the lots that repaid it, and returns the draws.';
CREATE FUNCTION credits.return_to_lot(p_account_id uuid, p_lot_id bigint, p_tokens numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.return_to_lot(p_account_id uuid, p_lot_id bigint, p_tokens numeric) IS 'Puts tokens that were drawn back into a lot of a locked wallet.';
CREATE FUNCTION credits.reversal_problem(p_event credits.stripe_events, p_amount jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.reversal_problem(p_event credits.stripe_events, p_amount jsonb) IS 'Why the amount in an event cannot come back from the payment of its order, so that a person must look at it. Null when it can.';
CREATE FUNCTION credits.reversal_rank(p_status text) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.reversal_rank(p_status text) IS 'How far a refund, a dispute or a fraud warning with this status at Stripe has got. A status of a lower rank never replaces it, so the order in which events come does not matter. Unknown statuses have rank 0.';
CREATE FUNCTION credits.reverse_rewards(p_reverse boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.reverse_rewards(p_reverse boolean) IS 'For the operator. Whether the rewards that a purchase earned are taken back when its money goes back: by default they are. It counts for reversals from now on. Raises PT422 bad_setting for null.';
CREATE FUNCTION credits.revoke_analyst(p_login text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.revoke_analyst(p_login text) IS 'For the operator. The login counts nothing any more, from the next statement of its sessions on. Returns whether it could count anything.';
CREATE FUNCTION credits.reward_lots(p_account_id uuid, p_order_id uuid) RETURNS TABLE(account_id uuid, lot_id bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.reward_lots(p_account_id uuid, p_order_id uuid) IS 'The lots that were granted because this order was paid: the referrer''s reward and the buyer''s own.';
CREATE FUNCTION credits.role_steps() RETURNS TABLE(role_id oid, target_id oid)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.role_steps() IS 'For each role: every role that it can take in any number of steps, itself included.';
CREATE FUNCTION credits.roll_over(p_account_id uuid, p_order_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.roll_over(p_account_id uuid, p_order_id uuid) IS 'Carries over what the allowance of an order has left, if its period is over and the next one is paid. Does nothing otherwise, or when called again. The wallet is locked.';
CREATE FUNCTION credits.rolled_into(p_account_id uuid, p_subscription_id text, p_starts_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.rolled_into(p_account_id uuid, p_subscription_id text, p_starts_at timestamp with time zone) IS 'How many tokens have gone over into the period of a subscription that starts at this moment.';
CREATE FUNCTION credits.row_security_faults() RETURNS TABLE(expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.row_security_faults() IS 'Tables and partitions of the bank whose row security is not forced, that lack a policy for a role that may read them, or that have a policy which access.sql does not make.';
CREATE FUNCTION credits.saved_card(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.saved_card(p_event credits.stripe_events) IS 'Records the card that an intent saved for automatic top-ups, if it did. Returns the outcome.';
CREATE FUNCTION credits.says_paid(p_session jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.says_paid(p_session jsonb) IS 'Whether a Checkout session says that it is paid. Never null: a session that does not say so is not paid.';
CREATE FUNCTION credits.scopes_of(p_module_id text) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.scopes_of(p_module_id text) IS 'The scopes of lots that may be spent on a module: the module''s own scope and its category''s.';
CREATE FUNCTION credits.script_of(p_word text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.script_of(p_word text) IS 'The script of a word in small letters. Japanese and Korean may contain Latin letters, and Chinese counts as Japanese. ASCII characters that are not letters may stand anywhere. Null for a letter that this function does not know, and for letters of two scripts.';
CREATE FUNCTION credits.seq_at(p_account_id uuid, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.seq_at(p_account_id uuid, p_at timestamp with time zone) IS 'The seq of the last entry of an account that was posted by a moment; 0 if there was none.';
CREATE FUNCTION credits.session_contradiction(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.session_contradiction(p_event credits.stripe_events) IS 'What the session in an event says that contradicts the type of the event. Null when nothing does.';
CREATE FUNCTION credits.session_discount(p_session jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.session_discount(p_session jsonb) IS 'The discount on a session, in minor units. 0 if it names no discount, null if its discount cannot be read.';
CREATE FUNCTION credits.session_role() RETURNS oid
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.session_role() IS 'The role that signed in. SET ROLE does not change it.';
CREATE FUNCTION credits.set_due(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.set_due(p_account_id uuid) IS 'Writes on a locked wallet when something will next be due.';
CREATE FUNCTION credits.set_topup_due(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.set_topup_due(p_account_id uuid) IS 'Makes a locked wallet due when a top-up that waits may be tried. The permit of its head ends then.';
CREATE FUNCTION credits.setting_faults() RETURNS TABLE(login text, name text, value text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.setting_faults() IS 'Settings that members of the bank''s roles, except administrators, should not begin their sessions with: time-outs that do not bound anything, and every setting that is neither in the recipe of SECURITY.md nor about what a session costs. An application may also choose names and time zones for itself.';
CREATE FUNCTION credits.settle_credits(p_account_id uuid, p_subscription_id text, p_ends_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_credits(p_account_id uuid, p_subscription_id text, p_ends_at timestamp with time zone) IS 'Takes back the tokens of a subscription''s period whose money its invoices have credited, on a locked wallet. The period is the one that ends at p_ends_at. Does nothing when that is done already.';
CREATE FUNCTION credits.settle_debts(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_debts(p_account_id uuid) IS 'Takes the tokens that have come back into lots of a locked wallet whose orders were reversed, as far as the account owes them. Called after a hold has ended and after a charge was refunded.';
CREATE FUNCTION credits.settle_event(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_event(p_event credits.stripe_events) IS 'Lets the tokens of an order follow its money, after an event has been noted. Returns the first entry that this made, or null.';
CREATE FUNCTION credits.settle_lots(p_account_id uuid, p_order_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_lots(p_account_id uuid, p_order_id uuid) IS 'Takes back, or gives back, tokens of an order of a locked wallet until they agree with the money that has gone back. Freezes the lots of a disputed order, and withholds the tokens of refunds that are pending. Does nothing when all of that is so already.';
CREATE FUNCTION credits.settle_order(p_account_id uuid, p_order_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_order(p_account_id uuid, p_order_id uuid) IS 'Does credits.settle_lots for an order, and takes back the rewards that its money earned. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.settle_referral(p_account_id uuid, p_order_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_referral(p_account_id uuid, p_order_id uuid) IS 'Rewards the referrer of an account that has just paid for the first time, by this order, and the account itself. Both wallets are locked by credits.lock_with_referrer.';
CREATE FUNCTION credits.settle_rewards(p_account_id uuid, p_order_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.settle_rewards(p_account_id uuid, p_order_id uuid) IS 'Takes back, or gives back, the rewards that an order earned, in proportion to its money that has gone back. The setting reverse_rewards turns it off. The caller holds the locks of credits.lock_with_referrer.';
CREATE FUNCTION credits.share_of(p_granted numeric, p_part bigint, p_whole bigint) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((p_part >= p_whole) IS TRUE) THEN p_granted ELSE COALESCE(trunc(((p_granted * (p_part)::numeric) / (NULLIF(p_whole, 0))::numeric), 6), (0)::numeric) END;
COMMENT ON FUNCTION credits.share_of(p_granted numeric, p_part bigint, p_whole bigint) IS 'The tokens of a grant that belong to p_part of p_whole of its price, cut at six decimals. All of them when p_part is the whole.';
CREATE FUNCTION credits.show_catalog() RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.show_catalog() IS 'Everything that price lists have defined, one line for each definition: its kind, its name, and what it says, as JSON. Prices are those in force and those to come.';
CREATE FUNCTION credits.signed_amount(p_amount jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.signed_amount(p_amount jsonb) IS 'An amount at Stripe that may be below 0, in minor units, if it is a whole number within 10^12; otherwise null.';
CREATE FUNCTION credits.slim_events(p_most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.slim_events(p_most bigint) IS 'Reduces at most p_most Stripe events that are older than their period to what the audit reads. Returns how many. Events that wait or are parked stay whole.';
CREATE FUNCTION credits.small_letters(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.small_letters(p_text text) IS 'A text in small letters, the same in every database.';
CREATE FUNCTION credits.spend_again(p_account_id uuid, p_module_id text, p_usage jsonb, p_key text, p_user_id text, p_metadata jsonb, p_byok boolean, p_tags jsonb) RETURNS api.spend_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.spend_again(p_account_id uuid, p_module_id text, p_usage jsonb, p_key text, p_user_id text, p_metadata jsonb, p_byok boolean, p_tags jsonb) IS 'Repeats the answer of the call that used this key first. The wallet is locked. Raises PT409 key_reused when the arguments differ.';
CREATE FUNCTION credits.spend_item(p_item jsonb, p_account_id uuid, p_busy boolean) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.spend_item(p_item jsonb, p_account_id uuid, p_busy boolean) IS 'The verdict on one item of a batch: the answer of api.consume_tokens, or the error that it raises. p_account_id: the account, null for a user who had none when the batch locked its wallets. p_busy: another transaction has locked the wallet.';
CREATE FUNCTION credits.spend_limit_receipt(p_account_id uuid, p_user_id text, p_period text, p_set_by text, p_now timestamp with time zone) RETURNS api.spend_limit
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.spend_limit_receipt(p_account_id uuid, p_user_id text, p_period text, p_set_by text, p_now timestamp with time zone) IS 'A limit, as set_spend_limit and lift_spend_limit return it. A lifted limit has no tokens.';
CREATE FUNCTION credits.spend_many(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone, p_busy uuid[] DEFAULT '{}'::uuid[], OUT verdicts text[], OUT refusals jsonb[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.spend_many(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone, p_busy uuid[], OUT verdicts text[], OUT refusals jsonb[]) IS 'Does the work of api.consume_tokens_batch: charges the items of accounts whose wallets are locked. verdicts: one for each item, in order, as JSON. refusals: the same verdicts for refused items, and null for the others. p_account_ids: the account of each item, null for an unknown user. p_busy: the accounts whose wallets could not be locked.';
CREATE FUNCTION credits.spend_plain(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    AS …;
COMMENT ON FUNCTION credits.spend_plain(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) IS 'Charges the plain items of a batch and returns their verdicts, with null for each other item.';
CREATE FUNCTION credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text) RETURNS api.spend_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text) IS 'The answer of an earlier spend, read from its entry. refunded is what has been given back by now.';
CREATE FUNCTION credits.spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone) IS 'The tokens that an account may spend on a module now. 0 while it has more debt than it may have.';
CREATE FUNCTION credits.standing_attachments() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.standing_attachments() IS 'The triggers, policies and rules among credits.standing_objects(): what is attached to a table.';
CREATE FUNCTION credits.standing_defaults() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.standing_defaults() IS 'Default privileges for objects that will be made in the bank''s schemas, or by its owner, given to anybody but their maker.';
CREATE FUNCTION credits.standing_functions() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.standing_functions() IS 'The functions among credits.standing_objects(), with their text.';
CREATE FUNCTION credits.standing_objects() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.standing_objects() IS 'The functions, views, tables, sequences, types, triggers, policies and rules of the bank''s schemas, who may use them, and everything else that somebody added there or attached to them. definition is a digest, the same on the same major version of PostgreSQL.';
CREATE FUNCTION credits.standing_others() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.standing_others() IS 'Objects that pgcredits never makes, in the bank''s schemas or attached to what stands there: operators, collations, text search, statistics, casts, publications and the like.';
CREATE FUNCTION credits.standing_privileges() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.standing_privileges() IS 'For each of the bank''s schemas: who owns what is in it, and what PUBLIC and the bank''s roles may do with it.';
CREATE FUNCTION credits.standing_relations() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.standing_relations() IS 'The tables, views and sequences among credits.standing_objects(), with columns, constraints and indexes.';
CREATE FUNCTION credits.standing_triggers_of_events() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.standing_triggers_of_events() IS 'Event triggers, which run with every migration. In a database of the bank''s own: all of them. In a database with neighbours: those whose function belongs to a role that is neither a superuser nor the owner of the database.';
CREATE FUNCTION credits.standing_types() RETURNS TABLE(kind text, name text, definition text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    AS …;
COMMENT ON FUNCTION credits.standing_types() IS 'The types and domains among credits.standing_objects(), except those of tables.';
CREATE FUNCTION credits.stop_topup(p_account_id uuid, p_reason text, p_attempt_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.stop_topup(p_account_id uuid, p_reason text, p_attempt_id uuid) IS 'Turns the automatic top-up of a locked wallet off: withdrawn, declined, dispute, fraud_warning, card_gone or refused. Only a new consent turns it on again. What is in flight may still succeed, and its tokens are granted. p_attempt_id: the attempt that caused it.';
CREATE FUNCTION credits.stop_waiting() RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.stop_waiting() IS 'Ends a wait as lock_timeout does. Raises lock_not_available.';
CREATE FUNCTION credits.stripe_amount(p_amount jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((jsonb_typeof(p_amount) = 'number'::text) IS NOT TRUE) THEN NULL::numeric WHEN ((((p_amount)::numeric = trunc((p_amount)::numeric)) AND (((p_amount)::numeric >= (0)::numeric) AND ((p_amount)::numeric <= ('999999999999'::bigint)::numeric))) IS TRUE) THEN (p_amount)::numeric ELSE NULL::numeric END;
COMMENT ON FUNCTION credits.stripe_amount(p_amount jsonb) IS 'An amount at Stripe, in minor units, if it is a whole number from 0 to below 10^12; otherwise null.';
CREATE FUNCTION credits.stripe_id(p_id jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.stripe_id(p_id jsonb) IS 'The id of an object at Stripe, given as the id or as the expanded object. Null unless it is an id of 1 to 255 characters.';
CREATE FUNCTION credits.stripe_time(p_time jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.stripe_time(p_time jsonb) IS 'A moment at Stripe, in whole seconds, if it is from the year 2000 to 9999; otherwise null.';
CREATE FUNCTION credits.subject() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.subject() IS 'The user id of the caller; null for nobody.';
CREATE FUNCTION credits.subject_of_login() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.subject_of_login() IS 'The user id of a session that is not the HTTP API''s: what the claims of a trusted login say, or the person whose login it is; null for nobody.';
CREATE FUNCTION credits.subscription_metadata(p_object jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.subscription_metadata(p_object jsonb) IS 'The metadata that were given to a subscription when it was made, from the subscription or one of its invoices.';
CREATE FUNCTION credits.subscription_problem(p_event credits.stripe_events, p_subscription_id text, p_customer_id text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.subscription_problem(p_event credits.stripe_events, p_subscription_id text, p_customer_id text) IS 'Why an event of a subscription cannot be true of its account, so that a person must look at it. Null when it can.';
CREATE FUNCTION credits.subscription_rank(p_event credits.stripe_events) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.subscription_rank(p_event credits.stripe_events) IS 'Of two events of one subscription, the one whose rank comes later (byte by byte) describes it. Events of equal rank cannot be told apart.';
CREATE FUNCTION credits.succeed_attempt(p_account_id uuid, p_order_id uuid, p_payment_intent_id text, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.succeed_attempt(p_account_id uuid, p_order_id uuid, p_payment_intent_id text, p_at timestamp with time zone) IS 'Records that the card was charged for the order of an attempt, after its tokens were granted. The wallet is locked.';
CREATE FUNCTION credits.sum_components(p_price_id bigint, p_usage jsonb, OUT price_id bigint, OUT cost numeric, OUT price_source text, OUT exact boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.sum_components(p_price_id bigint, p_usage jsonb, OUT price_id bigint, OUT cost numeric, OUT price_source text, OUT exact boolean) IS 'What a use costs under a version of a price, in tokens: the sum over its components. exact: the usage names the dimensions of the price and no other. cost is null when a quantity cannot be charged, price_id when there is no price.';
CREATE FUNCTION credits.take_back(p_order credits.orders, p_draws jsonb, p_debt numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.take_back(p_order credits.orders, p_draws jsonb, p_debt numeric) IS 'Takes tokens of an order out of its lots (p_draws), and as debt (p_debt).';
CREATE FUNCTION credits.take_tokens(p_account_id uuid, p_module_id text, p_tokens numeric, p_price_id bigint, p_at timestamp with time zone, p_hold boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.take_tokens(p_account_id uuid, p_module_id text, p_tokens numeric, p_price_id bigint, p_at timestamp with time zone, p_hold boolean) IS 'Takes p_tokens from the lots of a locked wallet, or holds them there, all or nothing. Returns the draws. The caller updates the wallet and calls credits.finish_taking. Raises PT402 insufficient_tokens, PT429 spend_limit.';
CREATE FUNCTION credits.tell_depleted(p_account_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tell_depleted(p_account_id uuid) IS 'Writes the notice depleted, if it is armed, for a locked wallet whose tokens did not pay for a use. Nothing is due on the wallet. Returns true if it wrote the notice. The notice is armed again when tokens come in that pay for something.';
CREATE FUNCTION credits.tell_failed_payment(p_event credits.stripe_events, p_known credits.subscription_invoices) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tell_failed_payment(p_event credits.stripe_events, p_known credits.subscription_invoices) IS 'Tells the user that an invoice was not paid, once for each attempt (p_known: the invoice as it was known until now). Returns the outcome.';
CREATE FUNCTION credits.tell_refused(p_account_ids uuid[], p_verdicts jsonb[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tell_refused(p_account_ids uuid[], p_verdicts jsonb[]) IS 'Writes the notice depleted for each locked account of a batch that had an item refused for lack of tokens.';
CREATE FUNCTION credits.tell_subscription(p_event credits.stripe_events, p_before credits.subscriptions, p_now credits.subscriptions) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tell_subscription(p_event credits.stripe_events, p_before credits.subscriptions, p_now credits.subscriptions) IS 'Tells the user that a subscription has changed, or that its trial ends soon.';
CREATE FUNCTION credits.tell_topup(p_account_id uuid, p_kind text, p_reason text, p_order_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tell_topup(p_account_id uuid, p_kind text, p_reason text, p_order_id uuid) IS 'Writes the notice top_up_failed or top_up_paused, with the present state of the account''s automatic top-up.';
CREATE FUNCTION credits.test_clocks_allowed() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.test_clocks_allowed() IS 'Whether services may put accounts on test clocks.';
CREATE TABLE credits.price_tiers (
    price_id bigint NOT NULL,
    dimension text NOT NULL,
    above numeric NOT NULL,
    price_per_unit numeric NOT NULL,
    CONSTRAINT price_tiers_above_is_positive CHECK (((above > (0)::numeric) AND (above <= ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT price_tiers_price_is_not_negative CHECK (((price_per_unit >= (0)::numeric) AND (price_per_unit < 'Infinity'::numeric)))
);
ALTER TABLE ONLY credits.price_tiers FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.price_tiers IS 'Graduated tiers of a component, per charge. The units beyond `above` (counted after the free quantity) cost price_per_unit, up to the next tier. The units below the first tier cost the price of the component.';
CREATE FUNCTION credits.tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]) IS 'The credits.charge of a component with tiers: exact, times unit_size. Null for a null quantity.';
CREATE FUNCTION credits.tiers_of(p_price_id bigint, p_dimension text) RETURNS credits.price_tiers[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tiers_of(p_price_id bigint, p_dimension text) IS 'The tiers of a component, in ascending order.';
CREATE FUNCTION credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric) IS 'How the units of a charge are divided into tiers, including those below the first one: [{"above", "units", "price_per_unit"}]. p_billed is units times unit_size. Empty without tiers.';
CREATE FUNCTION credits.tighter(p_bound numeric, p_other numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (p_bound IS NULL) THEN p_other WHEN (p_other IS NULL) THEN p_bound ELSE LEAST(p_bound, p_other) END;
COMMENT ON FUNCTION credits.tighter(p_bound numeric, p_other numeric) IS 'The tighter of two bounds. Null means no bound.';
CREATE FUNCTION credits.timeout(p_setting text) RETURNS interval
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.timeout(p_setting text) IS 'The length of a time-out such as 15s, 5min or 500 (milliseconds). 0 means no time-out. Null when it is spelled in another way.';
CREATE FUNCTION credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamp with time zone) RETURNS numeric
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT COALESCE(sum(a.amount), (0)::numeric) AS "coalesce"
    FROM credits.topup_attempts a
   WHERE ((a.account_id = topped_up_since.p_account_id) AND (a.currency = topped_up_since.p_currency) AND ((a.state = 'open'::text) OR ((a.state = 'succeeded'::text) AND ((a.fired_at >= topped_up_since.p_since) OR (a.ended_at >= topped_up_since.p_since)))));
END;
COMMENT ON FUNCTION credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamp with time zone) IS 'What automatic top-ups have charged since then, in minor units, and what may yet be charged by one that is in flight, whenever it began.';
CREATE FUNCTION credits.topup_level(p_account_id uuid, p_available numeric, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.topup_level(p_account_id uuid, p_available numeric, p_at timestamp with time zone) IS 'The balance below which the next spend starts an automatic top-up. Null: no spend does.';
CREATE FUNCTION credits.topup_offer(p_topup credits.auto_topups) RETURNS credits.orders
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.topup_offer(p_topup credits.auto_topups) IS 'The order of an automatic top-up as it is sold now. A row of nulls when it is no longer sold as the user agreed.';
CREATE FUNCTION credits.topup_order(p_amount bigint, p_module_id text) RETURNS credits.orders
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.topup_order(p_amount bigint, p_module_id text) IS 'The order of a top-up of an amount, for one module or for any. Raises PT422 bad_amount.';
CREATE FUNCTION credits.topup_receipt(p_account_id uuid, p_user_id text) RETURNS api.auto_topup_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.topup_receipt(p_account_id uuid, p_user_id text) IS 'The answer of api functions about automatic top-ups.';
CREATE FUNCTION credits.topup_threshold(p_account_id uuid) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.topup_threshold(p_account_id uuid) IS 'The balance below which an account is topped up. Null when its automatic top-up is not on.';
CREATE FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN trim_scale(trunc(((amount)::numeric * tokens_per_unit), 6));
COMMENT ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) IS 'The tokens of a top-up of amount (minor units), rounded down at ledger scale.';
CREATE FUNCTION credits.total_line(p_line text, p_entry credits.entries, p_later numeric, p_held numeric, p_at timestamp with time zone) RETURNS audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.total_line(p_line text, p_entry credits.entries, p_later numeric, p_held numeric, p_at timestamp with time zone) IS 'The line of the balance after an entry; null stands for no entry. p_later: what took effect by p_at and was posted later. p_held: what holds keep.';
CREATE FUNCTION credits.touched_wallet_faults(p_first uuid, p_last uuid) RETURNS TABLE(account_id uuid, expected text, found text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.touched_wallet_faults(p_first uuid, p_last uuid) IS 'Wallets between the two that are out of their bounds or disagree with their open holds; and of those with new entries since their checkpoint, the ones that disagree with their lots.';
CREATE FUNCTION credits.transaction_began() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN transaction_timestamp();
COMMENT ON FUNCTION credits.transaction_began() IS 'The start of this transaction, as in credits.prices.defined_at. It shows whether this transaction wrote a version.';
CREATE FUNCTION credits.trust_claims(p_login name, p_roles text[] DEFAULT '{authenticated}'::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.trust_claims(p_login name, p_roles text[]) IS 'For the operator. In sessions of this login the claims say who the user is, while it acts as one of p_roles: authenticated, or roles of your own that are members of it. Anyone who can open such a session can be any user: docs/identity.md. Raises PT422 bad_login.';
CREATE FUNCTION credits.trust_login(p_login name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.trust_login(p_login name) IS 'For the operator. Says that the role which has this name now is the one that was given an account, or accounts to count, or whose claims count. Needed after a restore into another cluster, where every role has a new oid, and when somebody gets a new role on purpose.';
CREATE FUNCTION credits.try_event(p_event_id text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.try_event(p_event_id text) IS 'Applies an event that waits. True when it waits no longer. A refusal is recorded on the event and undoes nothing else.';
CREATE FUNCTION credits.try_lock_with_referrer(p_account_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.try_lock_with_referrer(p_account_id uuid) IS 'Takes the row locks of credits.lock_with_referrer without waiting. False when somebody else has one of them.';
CREATE FUNCTION credits.unbooked_lines(p_account_id uuid, p_at timestamp with time zone) RETURNS SETOF audit.balance_line
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.unbooked_lines(p_account_id uuid, p_at timestamp with time zone) IS 'Lines of the lots that have expired by p_at and are not booked as expired.';
CREATE FUNCTION credits.uncount_attempt(p_scope text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.uncount_attempt(p_scope text) IS 'Subtracts an attempt that succeeded.';
CREATE FUNCTION credits.unhold_lots(p_account_id uuid, p_draws jsonb, p_taken numeric, p_released numeric, OUT draws jsonb, OUT rest jsonb) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.unhold_lots(p_account_id uuid, p_draws jsonb, p_taken numeric, p_released numeric, OUT draws jsonb, OUT rest jsonb) IS 'Takes the first p_taken tokens of a hold''s draws out of its lots, on a locked wallet. draws: what was taken, and from which lots. rest: what is left. If p_released is above 0, the rest is no longer held.';
CREATE FUNCTION credits.unit_cost(p_price_id bigint) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.unit_cost(p_price_id bigint) IS 'What one whole unit (unit_size) of each dimension costs under a price, before the exchange rate and multiplied by the unit sizes. Only good for a comparison with 0.';
CREATE FUNCTION credits.usage_before(p_hold credits.holds, p_seq bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.usage_before(p_hold credits.holds, p_seq bigint) IS 'What the captures of a hold before an entry recorded together, per dimension, as credits.price_part counts it.';
CREATE FUNCTION credits.usage_of_rest(p_usage_left jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.usage_of_rest(p_usage_left jsonb) IS 'The usage to record when all that a hold keeps is charged: what is left of its usage, but not below 0.';
CREATE FUNCTION credits.usage_sum(p_usage jsonb, p_other jsonb, p_times integer) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.usage_sum(p_usage jsonb, p_other jsonb, p_times integer) IS 'Adds p_other to a usage p_times, per dimension. -1 subtracts it, and the result may be below 0. A dimension that one of the two does not name is 0 there.';
CREATE TABLE credits.identities (
    subject text NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT identities_subject_is_sane CHECK (((length(subject) >= 1) AND (length(subject) <= 255)))
);
ALTER TABLE ONLY credits.identities FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.identities IS 'The user ids of identity providers (the sub of their tokens), and the account of each.';
CREATE FUNCTION credits.user_of(p_account_id uuid) RETURNS TABLE(user_id text)
    LANGUAGE sql STABLE ROWS 1
    BEGIN ATOMIC
 SELECT i.subject
    FROM credits.identities i
   WHERE (i.account_id = user_of.p_account_id)
   ORDER BY i.created_at, i.subject
  LIMIT 1;
END;
COMMENT ON FUNCTION credits.user_of(p_account_id uuid) IS 'The user id (sub) of an account, in one row; no row when the account has no user.';
CREATE FUNCTION credits.utc_text(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((to_json((p_at AT TIME ZONE '00:00:00'::interval)) #>> '{}'::text[]) || CASE WHEN (isfinite(p_at) IS TRUE) THEN '+00:00'::text ELSE ''::text END);
COMMENT ON FUNCTION credits.utc_text(p_at timestamp with time zone) IS 'A moment as text, in ISO 8601 and UTC: 2027-02-28T12:00:00+00:00. No setting of the session changes it.';
CREATE FUNCTION credits.wait_for_wallet(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.wait_for_wallet(p_account_id uuid) IS 'Locks a wallet that another transaction has locked, if it becomes free within 4 seconds. Raises PT503 busy, PT404 unknown_user.';
CREATE FUNCTION credits.wait_to_capture(p_account_id uuid, p_hold_id text, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text) RETURNS api.capture_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.wait_to_capture(p_account_id uuid, p_hold_id text, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text) IS 'Waits at most 4 seconds for a wallet that another transaction has locked, and then captures. Raises PT503 busy, PT404 unknown_hold, and what api.capture_hold raises.';
CREATE FUNCTION credits.wait_to_hold(p_account_id uuid, p_module_id text, p_usage jsonb, p_ttl interval, p_key text, p_user_id text, p_metadata jsonb, p_tags jsonb) RETURNS api.hold_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.wait_to_hold(p_account_id uuid, p_module_id text, p_usage jsonb, p_ttl interval, p_key text, p_user_id text, p_metadata jsonb, p_tags jsonb) IS 'Waits at most 4 seconds for a wallet that another transaction has locked, and then makes the hold. Raises PT503 busy, PT404 unknown_user, and what api.hold_tokens raises.';
CREATE FUNCTION credits.wait_to_spend(p_account_id uuid, p_module_id text, p_usage jsonb, p_key text, p_user_id text, p_metadata jsonb, p_byok boolean, p_tags jsonb) RETURNS api.spend_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.wait_to_spend(p_account_id uuid, p_module_id text, p_usage jsonb, p_key text, p_user_id text, p_metadata jsonb, p_byok boolean, p_tags jsonb) IS 'Waits at most 4 seconds for a wallet that another transaction has locked, and then spends. Raises PT503 busy, PT404 unknown_user, and what api.consume_tokens raises.';
CREATE FUNCTION credits.wait_with_topup(p_account_id uuid, p_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.wait_with_topup(p_account_id uuid, p_until timestamp with time zone) IS 'Notes that a top-up is wanted. The first spend after p_until begins it, if the balance is below the threshold then.';
CREATE TABLE credits.outbox (
    account_id uuid NOT NULL,
    notice_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    facts jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone
);
ALTER TABLE ONLY credits.outbox FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.outbox IS 'What users should be told, written in the transaction that caused it. A service reads api.notices, delivers them, and acknowledges them.';
COMMENT ON COLUMN credits.outbox.facts IS 'balance, threshold, lot_id, tokens, expires_at: those that belong to the kind.';
CREATE FUNCTION credits.webhook_body(p_notice credits.outbox) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.webhook_body(p_notice credits.outbox) IS 'The body of a message: the kind of the notice, its time, and its facts with the account and the user.';
CREATE FUNCTION credits.webhook_delay(p_tries bigint) RETURNS interval
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.webhook_delay(p_tries bigint) IS 'How long a message waits after its p_tries-th try failed. Null: it was tried often enough.';
CREATE FUNCTION credits.webhook_receipt(p_endpoint_id uuid, p_with_secret boolean DEFAULT false) RETURNS api.webhook
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.webhook_receipt(p_endpoint_id uuid, p_with_secret boolean) IS 'The answer of api functions about an endpoint. Its secret is shown only when it was made in this call.';
CREATE FUNCTION credits.webhook_secrets_of(p_endpoint_id uuid) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.webhook_secrets_of(p_endpoint_id uuid) IS 'The secrets that messages to an endpoint are signed with: the present one, then the one before it.';
CREATE FUNCTION credits.welcome(p_account_id uuid, OUT tokens numeric, OUT waits_for text, OUT reset_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.welcome(p_account_id uuid, OUT tokens numeric, OUT waits_for text, OUT reset_at timestamp with time zone) IS 'Grants a new account what every welcome campaign gives. A campaign that is over gives nothing, which is not an error. tokens: how many were granted. waits_for: what withholds others: verification, or limit until reset_at.';
CREATE FUNCTION credits.welcome_again(p_account_id uuid, OUT tokens numeric, OUT waits_for text, OUT reset_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.welcome_again(p_account_id uuid, OUT tokens numeric, OUT waits_for text, OUT reset_at timestamp with time zone) IS 'Tries again to grant a welcome that was withheld, to an active account. Each campaign gives a welcome only once.';
CREATE FUNCTION credits.welcome_tokens(p_at timestamp with time zone, p_scopes text[] DEFAULT NULL::text[]) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.welcome_tokens(p_at timestamp with time zone, p_scopes text[]) IS 'Tokens that an account would be given if it opened now: those bound to one of the scopes or to nothing. Without scopes, all of them.';
CREATE FUNCTION credits.whole(quantity numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((quantity = trunc(quantity)) IS TRUE) THEN quantity ELSE NULL::numeric END;
COMMENT ON FUNCTION credits.whole(quantity numeric) IS 'A quantity, if it is a whole number; otherwise null.';
CREATE FUNCTION credits.withhold_lots(p_order credits.orders, p_back bigint, p_pending bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.withhold_lots(p_order credits.orders, p_back bigint, p_pending bigint) IS 'Withholds the tokens of p_pending minor units of the payment of an order in its lots, and frees those that were withheld before. p_back minor units have gone back, and their tokens are taken. The wallet is locked, and its head is folded.';
CREATE FUNCTION credits.without_person(p_value jsonb, p_name text DEFAULT ''::text, p_depth integer DEFAULT 0) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.without_person(p_value jsonb, p_name text, p_depth integer) IS 'An object of Stripe without what it says about a person: ids, kinds, amounts and times are left. p_name: the member that p_value is the value of. p_depth: how deep it is nested; what is more than 20 deep becomes null.';
CREATE FUNCTION credits.write_entry(p_entry credits.entries, p_previous_hash bytea) RETURNS credits.entries
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.write_entry(p_entry credits.entries, p_previous_hash bytea) IS 'Appends an entry to the chain of a locked wallet, whose last hash is p_previous_hash. Returns the entry with its hash.';
CREATE FUNCTION credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric) IS 'Writes the notices that a change of a locked wallet''s balance requires, and arms those whose threshold it has risen above.';
CREATE FUNCTION credits.write_price(p_price credits.prices, p_components jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION credits.write_price(p_price credits.prices, p_components jsonb) IS 'Writes a version of a price with its components, and returns its price_id.';
CREATE FUNCTION finance.trial_balance(at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE(account text, number text, name text, currency text, debit numeric, credit numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION finance.trial_balance(at timestamp with time zone) IS 'The balance of each account of the journal and each currency at a moment, in minor units. Without a moment: now. The debits of a currency add up to its credits.
at: everything dated until this moment counts, this moment included.
Raises PT422 bad_period.';
CREATE AGGREGATE credits.chain(p_first bytea, p_entry credits.entries) (
    SFUNC = credits.link_entry,
    STYPE = bytea
);
COMMENT ON AGGREGATE credits.chain(p_first bytea, p_entry credits.entries) IS 'The last hash after several entries of an account, in their order; as a window function, the hash of each. p_first: the hash before the first of them.';
CREATE VIEW analytics.account_use WITH (security_invoker='true') AS
 WITH later_captures AS (
         SELECT h.hold_id,
            s.seq
           FROM (credits.holds h
             CROSS JOIN LATERAL unnest(h.seqs[2:]) s(seq))
          WHERE (cardinality(h.seqs) > 1)
        )
 SELECT (date_trunc('month'::text, (e.posted_at AT TIME ZONE '00:00:00'::interval)))::date AS month,
    e.account_id,
    count(*) FILTER (WHERE ((e.kind <> 'refund'::credits.entry_kind) AND (c.seq IS NULL))) AS uses,
    count(*) FILTER (WHERE (e.kind = 'byok'::credits.entry_kind)) AS own_key_uses,
    (- sum((e.tokens)::numeric)) AS tokens
   FROM (credits.entries e
     LEFT JOIN later_captures c ON (((e.hold_id = c.hold_id) AND (e.seq = c.seq))))
  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind, 'refund'::credits.entry_kind]))
  GROUP BY ((date_trunc('month'::text, (e.posted_at AT TIME ZONE '00:00:00'::interval)))::date), e.account_id;
COMMENT ON VIEW analytics.account_use IS 'Per month (UTC) and account: uses, and the tokens that were charged for them.';
COMMENT ON COLUMN analytics.account_use.account_id IS 'Says nothing about the person: see people.';
COMMENT ON COLUMN analytics.account_use.uses IS 'Charges, and uses with the user''s own key. A hold counts as one use, in the month of its first capture, however many captures it has.';
COMMENT ON COLUMN analytics.account_use.own_key_uses IS 'How many of the uses were made with the user''s own key, and cost no tokens.';
COMMENT ON COLUMN analytics.account_use.tokens IS 'Tokens charged, less those that were refunded in the month.';
CREATE VIEW analytics.average_use WITH (security_invoker='true') AS
 SELECT month,
    count(*) AS active_accounts,
    avg(uses) AS uses_per_account,
    avg(tokens) AS tokens_per_account
   FROM analytics.account_use u
  WHERE (uses > 0)
  GROUP BY month;
COMMENT ON VIEW analytics.average_use IS 'Per month (UTC): the accounts that used anything, and their average number of uses and of tokens.';
COMMENT ON COLUMN analytics.average_use.uses_per_account IS 'Charges, and uses with the user''s own key. A hold counts as one use, however many captures it has.';
COMMENT ON COLUMN analytics.average_use.tokens_per_account IS 'Tokens charged, less those that were refunded in the month.';
CREATE VIEW analytics.burn_rate WITH (security_invoker='true') AS
 WITH moved AS (
         SELECT ((e.effective_at AT TIME ZONE '00:00:00'::interval))::date AS day,
            (- sum((e.tokens)::numeric) FILTER (WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind])))) AS spent,
            sum((e.tokens)::numeric) FILTER (WHERE (e.kind = ANY (ARRAY['purchase'::credits.entry_kind, 'bonus'::credits.entry_kind, 'grant'::credits.entry_kind, 'welcome'::credits.entry_kind, 'promo'::credits.entry_kind, 'referral'::credits.entry_kind, 'allowance'::credits.entry_kind, 'rollover'::credits.entry_kind, 'adjustment'::credits.entry_kind]))) AS granted,
            (- sum((e.tokens)::numeric) FILTER (WHERE (e.kind = 'expire'::credits.entry_kind))) AS expired,
            sum((e.tokens)::numeric) AS change
           FROM credits.entries e
          GROUP BY (((e.effective_at AT TIME ZONE '00:00:00'::interval))::date)
        ), days AS (
         SELECT (d.day)::date AS day
           FROM (( SELECT min(m.day) AS first_day,
                    GREATEST(COALESCE(max(m.day), '-infinity'::date), ((credits.clock() AT TIME ZONE '00:00:00'::interval))::date) AS last_day
                   FROM moved m) s
             CROSS JOIN LATERAL generate_series((s.first_day)::timestamp without time zone, (s.last_day)::timestamp without time zone, '1 day'::interval) d(day))
        ), daily AS (
         SELECT d.day,
            COALESCE(m.spent, (0)::numeric) AS spent,
            COALESCE(m.granted, (0)::numeric) AS granted,
            COALESCE(m.expired, (0)::numeric) AS expired,
            avg(COALESCE(m.spent, (0)::numeric)) OVER (ORDER BY d.day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS spent_per_day,
            sum(COALESCE(m.change, (0)::numeric)) OVER (ORDER BY d.day) AS outstanding
           FROM (days d
             LEFT JOIN moved m ON ((d.day = m.day)))
        )
 SELECT day,
    spent,
    granted,
    expired,
    round(spent_per_day, 6) AS spent_per_day,
    outstanding,
    round((outstanding / NULLIF(spent_per_day, (0)::numeric)), 1) AS days_left
   FROM daily b;
COMMENT ON VIEW analytics.burn_rate IS 'Per day (UTC), from the first entry until today: tokens spent, granted and expired, how fast they are spent, and how long the outstanding ones would last.';
COMMENT ON COLUMN analytics.burn_rate.spent IS 'Tokens charged, less those that were refunded on the day.';
COMMENT ON COLUMN analytics.burn_rate.granted IS 'Tokens bought or given.';
COMMENT ON COLUMN analytics.burn_rate.expired IS 'Tokens whose date passed on this day, if their expiry has been booked.';
COMMENT ON COLUMN analytics.burn_rate.spent_per_day IS 'Average of spent over this day and the six days before, or fewer at the start. Today counts as a whole day.';
COMMENT ON COLUMN analytics.burn_rate.outstanding IS 'Sum of all balances at the end of the day.';
COMMENT ON COLUMN analytics.burn_rate.days_left IS 'How many days the outstanding tokens last at spent_per_day. Null when nothing is spent.';
CREATE TABLE credits.accounts (
    account_id uuid NOT NULL,
    kind text DEFAULT 'user'::text NOT NULL,
    segment text,
    stripe_customer_id text,
    overdraft_limit credits.amount DEFAULT 0 NOT NULL,
    verified_at timestamp with time zone,
    welcome_waits boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT accounts_kind_is_known CHECK ((kind = ANY (ARRAY['user'::text, 'guest'::text, 'team'::text, 'system'::text])))
);
ALTER TABLE ONLY credits.accounts FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.accounts IS 'Holders of a balance. An account says nothing about the person. credits.identities has the user ids.';
COMMENT ON COLUMN credits.accounts.segment IS 'A cohort that analysts can be given access to, as free text. Null for none.';
COMMENT ON COLUMN credits.accounts.stripe_customer_id IS 'The Stripe customer of this account (cus_…), once it has bought something.';
COMMENT ON COLUMN credits.accounts.overdraft_limit IS 'How far captures may take the account into debt. With more debt than this, it cannot spend or hold anything new.';
COMMENT ON COLUMN credits.accounts.verified_at IS 'When a service said that the holder''s e-mail address is verified. Null when no service has.';
COMMENT ON COLUMN credits.accounts.welcome_waits IS 'Whether a welcome was withheld when the account opened, because its address was not verified or a bound was reached. If so, it is tried again.';
CREATE VIEW analytics.cohort_revenue WITH (security_invoker='true') AS
 WITH members AS (
         SELECT s.period,
            (date_trunc(s.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date AS cohort,
            count(*) AS accounts
           FROM (credits.accounts a
             CROSS JOIN ( VALUES ('week'::text), ('month'::text)) s(period))
          WHERE (a.kind = 'user'::text)
          GROUP BY s.period, ((date_trunc(s.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date)
        ), sales AS (
         SELECT s.period,
            (date_trunc(s.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date AS cohort,
            (date_trunc(s.period, (o.paid_at AT TIME ZONE '00:00:00'::interval)))::date AS paid_in,
            o.currency,
            count(DISTINCT o.account_id) AS buyers,
            count(*) AS orders,
            (sum(o.paid))::bigint AS paid,
            (sum((o.paid - o.reversed)))::bigint AS kept
           FROM ((credits.orders o
             JOIN credits.accounts a ON ((o.account_id = a.account_id)))
             CROSS JOIN ( VALUES ('week'::text), ('month'::text)) s(period))
          WHERE ((o.state = 'paid'::text) AND (o.amount > 0) AND (a.kind = 'user'::text))
          GROUP BY s.period, ((date_trunc(s.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date), ((date_trunc(s.period, (o.paid_at AT TIME ZONE '00:00:00'::interval)))::date), o.currency
        )
 SELECT b.period,
    b.cohort,
    b.paid_in,
    b.currency,
    m.accounts,
    b.buyers,
    b.orders,
    b.paid,
    b.kept,
    sum(b.kept) OVER so_far AS kept_so_far,
    round((sum(b.kept) OVER so_far / (m.accounts)::numeric), 2) AS kept_per_account
   FROM (sales b
     JOIN members m ON (((b.period = m.period) AND (b.cohort = m.cohort))))
  WINDOW so_far AS (PARTITION BY b.period, b.cohort, b.currency ORDER BY b.paid_in);
COMMENT ON VIEW analytics.cohort_revenue IS 'Per cohort of accounts (the week or month, UTC, in which they opened), week or month of payment, and currency: what they have paid. Give a period: `where period = ''month''`.';
COMMENT ON COLUMN analytics.cohort_revenue.period IS 'week or month: what cohorts and payments are counted in.';
COMMENT ON COLUMN analytics.cohort_revenue.cohort IS 'The first day of the week (a Monday) or month in which the accounts opened.';
COMMENT ON COLUMN analytics.cohort_revenue.paid_in IS 'The first day of the week or month in which they paid.';
COMMENT ON COLUMN analytics.cohort_revenue.accounts IS 'Accounts in the cohort, with those that have paid nothing.';
COMMENT ON COLUMN analytics.cohort_revenue.buyers IS 'How many of them paid in it.';
COMMENT ON COLUMN analytics.cohort_revenue.paid IS 'What arrived, with tax, in minor units.';
COMMENT ON COLUMN analytics.cohort_revenue.kept IS 'The same without what has gone back until now, in minor units.';
COMMENT ON COLUMN analytics.cohort_revenue.kept_so_far IS 'kept, from the beginning until this week or month.';
COMMENT ON COLUMN analytics.cohort_revenue.kept_per_account IS 'kept_so_far for each account of the cohort.';
CREATE TABLE credits.catalogs (
    catalog_id text NOT NULL,
    title text NOT NULL,
    unit text NOT NULL,
    currency text,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY credits.catalogs FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.catalogs IS 'The price lists that have been applied to this database.';
COMMENT ON COLUMN credits.catalogs.unit IS 'What one unit of a balance is called: token, credit, euro cent.';
COMMENT ON COLUMN credits.catalogs.currency IS 'The currency that its packs are sold in and its margins are counted in.';
CREATE TABLE credits.dimensions (
    dimension text NOT NULL,
    description text NOT NULL,
    parent text,
    CONSTRAINT dimensions_name_is_sane CHECK ((dimension ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT dimensions_parent_is_another CHECK (((parent = dimension) IS NOT TRUE))
);
ALTER TABLE ONLY credits.dimensions FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.dimensions IS 'What usage can be measured in. A price that names anything else is a slip of the pen, and is refused.';
COMMENT ON COLUMN credits.dimensions.parent IS 'The dimension that this one is a part of. A price that has no rate for this one charges it at the rate of the parent. A parent has no parent, and is never changed.';
CREATE TABLE credits.free_periods (
    account_id uuid NOT NULL,
    period_starts_at timestamp with time zone NOT NULL,
    period_ends_at timestamp with time zone NOT NULL,
    anchor_at timestamp with time zone NOT NULL,
    plan_id text NOT NULL,
    version bigint NOT NULL,
    lot_id bigint,
    CONSTRAINT free_periods_are_spans CHECK ((period_starts_at < period_ends_at))
);
ALTER TABLE ONLY credits.free_periods FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.free_periods IS 'The periods of the free plan. An account gets its allowance at most once in each.';
COMMENT ON COLUMN credits.free_periods.anchor_at IS 'When the account took the free plan. Its periods count from there.';
COMMENT ON COLUMN credits.free_periods.lot_id IS 'The lot that was granted. Null: a paid plan takes its place.';
CREATE TABLE credits.price_components (
    price_id bigint NOT NULL,
    dimension text NOT NULL,
    unit_size numeric DEFAULT 1 NOT NULL,
    price_per_unit numeric NOT NULL,
    tiered boolean DEFAULT false NOT NULL,
    free_quantity numeric DEFAULT 0 NOT NULL,
    minimum_charge numeric DEFAULT 0 NOT NULL,
    whole_units boolean DEFAULT false NOT NULL,
    whole_quantity boolean DEFAULT false NOT NULL,
    provider_cost numeric,
    CONSTRAINT price_components_dimension_is_sane CHECK ((dimension ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT price_components_free_quantity_is_not_negative CHECK (((free_quantity >= (0)::numeric) AND (free_quantity < 'Infinity'::numeric))),
    CONSTRAINT price_components_minimum_is_not_negative CHECK (((minimum_charge >= (0)::numeric) AND (minimum_charge < 'Infinity'::numeric))),
    CONSTRAINT price_components_price_is_not_negative CHECK (((price_per_unit >= (0)::numeric) AND (price_per_unit < 'Infinity'::numeric))),
    CONSTRAINT price_components_provider_cost_is_not_negative CHECK (((provider_cost >= (0)::numeric) AND (provider_cost < 'Infinity'::numeric))),
    CONSTRAINT price_components_unit_size_is_positive CHECK (((unit_size > (0)::numeric) AND (unit_size < 'Infinity'::numeric)))
);
ALTER TABLE ONLY credits.price_components FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.price_components IS 'What a price charges for each dimension of usage (calls, seconds, input_tokens …).';
COMMENT ON COLUMN credits.price_components.unit_size IS 'How much of the dimension one unit is: 1000000 for a price per million.';
COMMENT ON COLUMN credits.price_components.price_per_unit IS 'Price of one unit, before margin and exchange rate.';
COMMENT ON COLUMN credits.price_components.tiered IS 'Units above some number cost less or more: see price_tiers.';
COMMENT ON COLUMN credits.price_components.free_quantity IS 'How much of the dimension costs nothing, per charge.';
COMMENT ON COLUMN credits.price_components.minimum_charge IS 'The least charge of this component when more than the free quantity is used.';
COMMENT ON COLUMN credits.price_components.whole_units IS 'True: a unit that was begun is charged whole. False: exact fractions are charged.';
COMMENT ON COLUMN credits.price_components.whole_quantity IS 'True: a quantity that is not a whole number is refused, because there is no half call.';
COMMENT ON COLUMN credits.price_components.provider_cost IS 'What the provider takes for one unit, in minor units of the currency of the components (the exchange rate converts it into that of the price list). Used for margins. Not part of the charge.';
CREATE VIEW analytics.daily_margin WITH (security_invoker='true') AS
 WITH money AS (
         SELECT
                CASE
                    WHEN (count(DISTINCT c.currency) = 1) THEN min(c.currency)
                    ELSE NULL::text
                END AS currency
           FROM credits.catalogs c
        ), rates AS (
         SELECT c.price_id,
            bool_and((c.provider_cost IS NOT NULL)) AS is_known,
            array_agg(d_1.dimension) AS dimensions,
            array_agg(round((c.provider_cost / (c.unit_size * r.exchange_rate)), 30)) AS costs
           FROM ((credits.price_components c
             JOIN credits.prices r ON ((c.price_id = r.price_id)))
             CROSS JOIN LATERAL ( SELECT c.dimension
                UNION ALL
                 SELECT x.dimension
                   FROM credits.dimensions x
                  WHERE ((x.parent = c.dimension) AND (NOT (EXISTS ( SELECT
                           FROM credits.price_components o
                          WHERE ((o.price_id = c.price_id) AND (o.dimension = x.dimension))))))) d_1)
          GROUP BY c.price_id
        ), plans AS (
         SELECT l.account_id,
            l.lot_id,
            i.plan_id
           FROM (credits.lots l
             JOIN credits.subscription_invoices i ON (((l.account_id = i.account_id) AND (l.order_id = i.order_id))))
        UNION ALL
         SELECT f.account_id,
            f.lot_id,
            f.plan_id
           FROM credits.free_periods f
          WHERE (f.lot_id IS NOT NULL)
        ), lots AS (
         SELECT l.account_id,
            l.lot_id,
            l.source,
            l.unit_cost,
            COALESCE(l.currency, m_1.currency) AS currency,
            p.plan_id
           FROM ((credits.lots l
             CROSS JOIN money m_1)
             LEFT JOIN plans p ON (((l.account_id = p.account_id) AND (l.lot_id = p.lot_id))))
        ), later_captures AS (
         SELECT h.hold_id,
            s.seq
           FROM (credits.holds h
             CROSS JOIN LATERAL unnest(h.seqs[2:]) s(seq))
          WHERE (cardinality(h.seqs) > 1)
        ), drawn AS (
         SELECT ((e.posted_at AT TIME ZONE '00:00:00'::interval))::date AS day,
            e.module_id,
            l.source,
            l.plan_id,
            l.currency,
            ((d_1.place = 1) AND (e.kind = 'spend'::credits.entry_kind) AND (c.seq IS NULL)) AS counts,
            ((
                CASE
                    WHEN ((e.tokens)::numeric > (0)::numeric) THEN '-1'::integer
                    ELSE 1
                END)::numeric * ((d_1.draw ->> 'tokens'::text))::numeric) AS tokens,
            l.unit_cost,
            (((e.kind = 'refund'::credits.entry_kind) OR r.is_known) IS TRUE) AS is_known,
                CASE
                    WHEN (e.kind = 'refund'::credits.entry_kind) THEN (0)::numeric
                    ELSE (((((((COALESCE((((e.usage ->> r.dimensions[1]))::numeric * r.costs[1]), (0)::numeric) + COALESCE((((e.usage ->> r.dimensions[2]))::numeric * r.costs[2]), (0)::numeric)) + COALESCE((((e.usage ->> r.dimensions[3]))::numeric * r.costs[3]), (0)::numeric)) + COALESCE((((e.usage ->> r.dimensions[4]))::numeric * r.costs[4]), (0)::numeric)) + COALESCE((((e.usage ->> r.dimensions[5]))::numeric * r.costs[5]), (0)::numeric)) + COALESCE((((e.usage ->> r.dimensions[6]))::numeric * r.costs[6]), (0)::numeric)) +
                    CASE
                        WHEN ((cardinality(r.dimensions) > 6) IS TRUE) THEN ( SELECT COALESCE(sum((((e.usage ->> q.dimension))::numeric * q.cost)), (0)::numeric) AS "coalesce"
                           FROM UNNEST(r.dimensions[7:], r.costs[7:]) q(dimension, cost))
                        ELSE (0)::numeric
                    END) *
                    CASE
                        WHEN (jsonb_array_length(e.draws) < 2) THEN (1)::numeric
                        ELSE (((d_1.draw ->> 'tokens'::text))::numeric / ( SELECT sum(((x.draw ->> 'tokens'::text))::numeric) AS sum
                           FROM jsonb_array_elements(e.draws) x(draw)))
                    END)
                END AS cost
           FROM ((((credits.entries e
             LEFT JOIN later_captures c ON (((e.hold_id = c.hold_id) AND (e.seq = c.seq))))
             CROSS JOIN LATERAL unnest(
                CASE
                    WHEN (jsonb_array_length(e.draws) < 2) THEN ARRAY[(e.draws -> 0)]
                    ELSE ARRAY( SELECT x.draw
                       FROM jsonb_array_elements(e.draws) x(draw))
                END) WITH ORDINALITY d_1(draw, place))
             LEFT JOIN lots l ON (((e.account_id = l.account_id) AND (((d_1.draw ->> 'lot_id'::text))::bigint = l.lot_id))))
             LEFT JOIN rates r ON ((e.price_id = r.price_id)))
          WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind]))
        )
 SELECT d.day,
    d.module_id,
    (d.source)::text AS source,
    d.plan_id,
    COALESCE(d.currency, m.currency) AS currency,
    count(*) FILTER (WHERE d.counts) AS uses,
    COALESCE(sum(d.tokens), (0)::numeric) AS tokens,
    trim_scale(COALESCE(sum((d.tokens * (d.unit_cost)::numeric)), (0)::numeric)) AS revenue,
        CASE
            WHEN (bool_and((d.is_known AND COALESCE((d.currency = m.currency), true))) IS TRUE) THEN trim_scale(round(sum(d.cost), 12))
            ELSE NULL::numeric
        END AS provider_cost
   FROM (drawn d
     CROSS JOIN money m)
  GROUP BY d.day, d.module_id, (d.source)::text, d.plan_id, COALESCE(d.currency, m.currency);
COMMENT ON VIEW analytics.daily_margin IS 'Per day (UTC), module, source of the tokens, plan and currency: what the tokens spent on the module were really bought for, and what the provider takes. Refunds of charges lower the tokens and the revenue of their own day. Uses with the user''s own key are not counted, because they cost and earn nothing. Nor is debt, which no lot paid.';
COMMENT ON COLUMN analytics.daily_margin.source IS 'Where the tokens came from: purchase, allowance (a plan), rollover, welcome, promo, referral, bonus, grant, adjustment. Null for charges that drew no tokens.';
COMMENT ON COLUMN analytics.daily_margin.plan_id IS 'The plan that brought the tokens. Null for tokens that no plan brought.';
COMMENT ON COLUMN analytics.daily_margin.currency IS 'The currency of the lots that were spent. For tokens that were given away, that of the price list. Null when neither is known.';
COMMENT ON COLUMN analytics.daily_margin.uses IS 'Charges. A charge that drew on several lots, or was captured in parts, counts where it began.';
COMMENT ON COLUMN analytics.daily_margin.tokens IS 'Tokens charged, less those that were refunded on the day.';
COMMENT ON COLUMN analytics.daily_margin.revenue IS 'Money that was paid for the tokens spent, in minor units: for each lot, what it was really bought for. 0 for gifts.';
COMMENT ON COLUMN analytics.daily_margin.provider_cost IS 'What the provider takes for them, in minor units, by the price version of each charge. Null when the price list does not say it for all of them, or counts it in another currency.';
CREATE TABLE credits.guests (
    guest_id uuid DEFAULT gen_random_uuid() NOT NULL,
    device_key text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    linked_to uuid,
    linked_at timestamp with time zone,
    CONSTRAINT guests_device_key_is_sane CHECK ((device_key ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT guests_linked_has_time CHECK (((linked_to IS NULL) = (linked_at IS NULL)))
);
ALTER TABLE ONLY credits.guests FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.guests IS 'A device that came without an account.';
COMMENT ON COLUMN credits.guests.device_key IS 'HMAC of its cookie, 64 hex digits. It changes when the salt rotates.';
COMMENT ON COLUMN credits.guests.linked_to IS 'The account that it signed up for.';
CREATE VIEW analytics.funnel WITH (security_invoker='true') AS
 WITH visits AS (
         SELECT g.linked_to AS account_id,
            min(g.first_seen_at) AS first_seen_at
           FROM credits.guests g
          WHERE (g.linked_to IS NOT NULL)
          GROUP BY g.linked_to
        ), purchases AS (
         SELECT o.account_id,
            count(*) AS orders
           FROM credits.orders o
          WHERE ((o.state = 'paid'::text) AND (o.amount > 0))
          GROUP BY o.account_id
        ), users AS (
         SELECT e.account_id
           FROM credits.entries e
          WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]))
          GROUP BY e.account_id
        ), people AS (
         SELECT g.first_seen_at AS came_at,
            true AS was_guest,
            false AS has_account,
            false AS has_used,
            0 AS orders
           FROM credits.guests g
          WHERE (g.linked_to IS NULL)
        UNION ALL
         SELECT
                CASE
                    WHEN ((v.first_seen_at < a.created_at) IS TRUE) THEN v.first_seen_at
                    ELSE a.created_at
                END AS came_at,
            (v.account_id IS NOT NULL) AS was_guest,
            true AS has_account,
            (u.account_id IS NOT NULL) AS has_used,
            COALESCE(p_1.orders, (0)::bigint) AS orders
           FROM (((credits.accounts a
             LEFT JOIN visits v ON ((a.account_id = v.account_id)))
             LEFT JOIN users u ON ((a.account_id = u.account_id)))
             LEFT JOIN purchases p_1 ON ((a.account_id = p_1.account_id)))
          WHERE (a.kind = 'user'::text)
        )
 SELECT s.period,
    (date_trunc(s.period, (p.came_at AT TIME ZONE '00:00:00'::interval)))::date AS came_in,
    count(*) AS came,
    count(*) FILTER (WHERE p.was_guest) AS guests,
    count(*) FILTER (WHERE (p.was_guest AND p.has_account)) AS guests_signed_up,
    count(*) FILTER (WHERE p.has_account) AS signed_up,
    count(*) FILTER (WHERE p.has_used) AS used,
    count(*) FILTER (WHERE (p.orders > 0)) AS bought,
    count(*) FILTER (WHERE (p.orders > 1)) AS bought_again
   FROM (people p
     CROSS JOIN ( VALUES ('week'::text), ('month'::text)) s(period))
  GROUP BY s.period, ((date_trunc(s.period, (p.came_at AT TIME ZONE '00:00:00'::interval)))::date);
COMMENT ON VIEW analytics.funnel IS 'Per week or month (UTC) in which people came: how many of them have since signed up, used something, bought something, and bought again. The order of the steps does not matter. Give a period: `where period = ''month''`. An analyst of segments sees only guests who signed up.';
COMMENT ON COLUMN analytics.funnel.period IS 'week or month: what came_in is counted in.';
COMMENT ON COLUMN analytics.funnel.came_in IS 'The first day of the week (a Monday) or month in which they were first seen, as a guest or with their account.';
COMMENT ON COLUMN analytics.funnel.came IS 'Accounts, and guests without one. Two devices of a guest are two.';
COMMENT ON COLUMN analytics.funnel.guests IS 'How many of them began as guests.';
COMMENT ON COLUMN analytics.funnel.guests_signed_up IS 'Guests who have an account now.';
COMMENT ON COLUMN analytics.funnel.signed_up IS 'All who have an account now.';
COMMENT ON COLUMN analytics.funnel.used IS 'Accounts with a charge, or with a use with the user''s own key.';
COMMENT ON COLUMN analytics.funnel.bought IS 'Accounts with a purchase. A trial is not one.';
COMMENT ON COLUMN analytics.funnel.bought_again IS 'Accounts with at least two.';
CREATE TABLE credits.guest_uses (
    guest_id uuid NOT NULL,
    use_id uuid DEFAULT gen_random_uuid() NOT NULL,
    network_id uuid NOT NULL,
    module_id text NOT NULL,
    state text DEFAULT 'reserved'::text NOT NULL,
    used_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    per_device bigint NOT NULL,
    per_network bigint NOT NULL,
    sliding_window interval NOT NULL,
    CONSTRAINT guest_uses_finished_has_time CHECK (((state = 'reserved'::text) = (finished_at IS NULL))),
    CONSTRAINT guest_uses_state_is_known CHECK ((state = ANY (ARRAY['reserved'::text, 'confirmed'::text, 'released'::text])))
);
ALTER TABLE ONLY credits.guest_uses FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.guest_uses IS 'Uses of guests. reserved becomes confirmed (it succeeded) or released (it failed, and does not count). reserved counts as used, so that not reporting how a use ended gains nothing.';
COMMENT ON COLUMN credits.guest_uses.per_device IS 'What was allowed when the use was made, with per_network and sliding_window. The audit needs them.';
CREATE VIEW analytics.guest_conversion WITH (security_invoker='true') AS
 SELECT (date_trunc('month'::text, (g.first_seen_at AT TIME ZONE '00:00:00'::interval)))::date AS month,
    count(*) AS guests,
    count(*) FILTER (WHERE (u.guest_id IS NOT NULL)) AS users,
    (COALESCE(sum(u.uses), (0)::numeric))::bigint AS uses,
    count(*) FILTER (WHERE u.used_up) AS used_up,
    count(*) FILTER (WHERE (g.linked_to IS NOT NULL)) AS signed_up,
    round(((count(*) FILTER (WHERE (g.linked_to IS NOT NULL)))::numeric / (count(*))::numeric), 4) AS conversion
   FROM (credits.guests g
     LEFT JOIN ( SELECT x.guest_id,
            count(*) AS uses,
            COALESCE(bool_or(((x.used_at - x.earlier) < x.sliding_window)), false) AS used_up
           FROM ( SELECT y.guest_id,
                    y.used_at,
                    y.sliding_window,
                    lag(y.used_at, ((y.per_device)::integer - 1)) OVER (PARTITION BY y.guest_id ORDER BY y.used_at, y.use_id) AS earlier
                   FROM credits.guest_uses y
                  WHERE (y.state <> 'released'::text)) x
          GROUP BY x.guest_id) u ON ((g.guest_id = u.guest_id)))
  GROUP BY ((date_trunc('month'::text, (g.first_seen_at AT TIME ZONE '00:00:00'::interval)))::date);
COMMENT ON VIEW analytics.guest_conversion IS 'Per month (UTC) in which they came: guests, and how many of them have signed up. An analyst of segments sees only guests who signed up for an account in these segments, so the conversion means nothing to them.';
COMMENT ON COLUMN analytics.guest_conversion.guests IS 'Devices that came without an account.';
COMMENT ON COLUMN analytics.guest_conversion.users IS 'Guests with at least one use that did not fail.';
COMMENT ON COLUMN analytics.guest_conversion.uses IS 'Their uses that did not fail.';
COMMENT ON COLUMN analytics.guest_conversion.used_up IS 'Guests whose device has at some time had all the uses that it was allowed.';
COMMENT ON COLUMN analytics.guest_conversion.signed_up IS 'Guests who have signed up since, whenever that was.';
COMMENT ON COLUMN analytics.guest_conversion.conversion IS 'signed_up as a share of guests, 0 to 1.';
CREATE VIEW analytics.module_margin WITH (security_invoker='true') AS
 WITH summed AS (
         SELECT (date_trunc('month'::text, (d.day)::timestamp without time zone))::date AS month,
            d.module_id,
            d.currency,
            (sum(d.uses))::bigint AS uses,
            sum(d.tokens) AS tokens,
            sum(d.revenue) AS revenue,
                CASE
                    WHEN (bool_and((d.provider_cost IS NOT NULL)) IS TRUE) THEN sum(d.provider_cost)
                    ELSE NULL::numeric
                END AS cost
           FROM analytics.daily_margin d
          GROUP BY ((date_trunc('month'::text, (d.day)::timestamp without time zone))::date), d.module_id, d.currency
        )
 SELECT month,
    module_id,
    currency,
    uses,
    tokens,
    trim_scale(round(revenue, 6)) AS revenue,
    trim_scale(round(cost, 6)) AS provider_cost,
    trim_scale(round((revenue - cost), 6)) AS margin,
    round((((100)::numeric * (revenue - cost)) / NULLIF(revenue, (0)::numeric)), 2) AS margin_percent
   FROM summed s;
COMMENT ON VIEW analytics.module_margin IS 'Per month (UTC), module and currency: what the tokens spent on the module were really bought for, what the provider takes, and what is left. Refunds of charges lower the tokens and the revenue of the month of the refund. Uses with the user''s own key are not counted, because they cost and earn nothing. Nor is debt, which no lot paid.';
COMMENT ON COLUMN analytics.module_margin.currency IS 'The currency of the lots that were spent. For tokens that were given away, that of the price list. Null when neither is known.';
COMMENT ON COLUMN analytics.module_margin.uses IS 'Charges. A charge that drew on two currencies, or was captured in parts, counts where it began.';
COMMENT ON COLUMN analytics.module_margin.revenue IS 'Money that was paid for the tokens spent, in minor units: for each lot, what it was really bought for. 0 for gifts.';
COMMENT ON COLUMN analytics.module_margin.provider_cost IS 'What the provider takes for them, in minor units, by the price version of each charge. Null when the price list does not say it for all of them, or counts it in another currency.';
COMMENT ON COLUMN analytics.module_margin.margin IS 'revenue - provider_cost, in minor units.';
COMMENT ON COLUMN analytics.module_margin.margin_percent IS 'margin as a percentage of revenue. Null when the revenue is 0.';
CREATE TABLE credits.failures (
    account_id uuid NOT NULL,
    failure_id uuid DEFAULT gen_random_uuid() NOT NULL,
    module_id text NOT NULL,
    failed_at timestamp with time zone NOT NULL,
    duration_ms numeric,
    metadata jsonb NOT NULL,
    CONSTRAINT failures_duration_is_sane CHECK (((duration_ms >= (0)::numeric) AND (duration_ms < ('1000000000000'::bigint)::numeric)))
);
ALTER TABLE ONLY credits.failures FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.failures IS 'Uses of a module that failed. Nothing was charged for them.';
CREATE VIEW analytics.module_reliability WITH (security_invoker='true') AS
 WITH services AS (
         SELECT x.rolname
           FROM pg_roles x
          WHERE pg_has_role(x.oid, 'spender'::name, 'member'::text)
        ), outcomes AS (
         SELECT e.posted_at AS began_at,
            e.module_id,
            'succeeded'::text AS outcome,
            d.duration_ms
           FROM (credits.entries e
             LEFT JOIN credits.charge_durations() d(account_id, seq, duration_ms) ON (((e.account_id = d.account_id) AND (e.seq = d.seq))))
          WHERE ((e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind])) AND (e.hold_id IS NULL))
        UNION ALL
         SELECT h.created_at AS began_at,
            h.module_id,
                CASE
                    WHEN (((h.state)::text = 'captured'::text) OR h.late) THEN 'succeeded'::text
                    WHEN (((h.state)::text = 'open'::text) AND (h.expires_at > credits.clock(h.account_id))) THEN 'open'::text
                    WHEN ((s.rolname IS NOT NULL) AND (h.failed OR ((h.state)::text <> 'released'::text))) THEN 'failed'::text
                    ELSE 'called off'::text
                END AS outcome,
                CASE
                    WHEN (s.rolname IS NOT NULL) THEN (EXTRACT(epoch FROM (COALESCE(h.finished_at, h.expires_at) - h.created_at)) * (1000)::numeric)
                    ELSE NULL::numeric
                END AS duration_ms
           FROM (credits.holds h
             LEFT JOIN services s ON ((h.actor = s.rolname)))
        UNION ALL
         SELECT f.failed_at AS began_at,
            f.module_id,
            'failed'::text AS outcome,
            f.duration_ms
           FROM credits.failures f
        UNION ALL
         SELECT g.used_at AS began_at,
            g.module_id,
                CASE g.state
                    WHEN 'confirmed'::text THEN 'succeeded'::text
                    WHEN 'released'::text THEN 'failed'::text
                    ELSE 'open'::text
                END AS outcome,
            (EXTRACT(epoch FROM (g.finished_at - g.used_at)) * (1000)::numeric) AS duration_ms
           FROM credits.guest_uses g
        )
 SELECT ((began_at AT TIME ZONE '00:00:00'::interval))::date AS day,
    module_id,
    count(*) FILTER (WHERE (outcome = 'succeeded'::text)) AS succeeded,
    count(*) FILTER (WHERE (outcome = 'failed'::text)) AS failed,
    round(((count(*) FILTER (WHERE (outcome = 'failed'::text)))::numeric / (NULLIF(count(*) FILTER (WHERE (outcome = ANY (ARRAY['succeeded'::text, 'failed'::text]))), 0))::numeric), 4) AS failure_rate,
    round(avg(duration_ms) FILTER (WHERE (outcome = 'succeeded'::text)), 3) AS mean_duration_ms,
    round(avg(duration_ms) FILTER (WHERE (outcome = 'failed'::text)), 3) AS mean_duration_of_failed_ms,
    count(*) AS started,
    count(*) FILTER (WHERE (outcome = 'called off'::text)) AS called_off,
    count(*) FILTER (WHERE (outcome = 'open'::text)) AS open
   FROM outcomes o
  GROUP BY (((began_at AT TIME ZONE '00:00:00'::interval))::date), module_id;
COMMENT ON VIEW analytics.module_reliability IS 'Per day (UTC) on which they began, and module: uses that succeeded, that failed, and that have not ended yet, including those of guests, and how long they took. started = succeeded + failed + called_off + open.';
COMMENT ON COLUMN analytics.module_reliability.succeeded IS 'Charges, captured holds, uses with the user''s own key, and confirmed uses of guests.';
COMMENT ON COLUMN analytics.module_reliability.failed IS 'Uses that services reported as failed, their holds that expired or were released because the work had failed, and released uses of guests. A hold that is captured after its expiry counts as succeeded.';
COMMENT ON COLUMN analytics.module_reliability.failure_rate IS 'failed as a share of succeeded and failed, 0 to 1. Null while there are neither.';
COMMENT ON COLUMN analytics.module_reliability.mean_duration_ms IS 'Mean duration of those that succeeded, as services measured it: duration_ms in the metadata of a charge, the time from the beginning of a hold to its end, or from reservation to confirmation of a guest''s use. Null when none was measured.';
COMMENT ON COLUMN analytics.module_reliability.mean_duration_of_failed_ms IS 'The same for those that failed. A hold that nobody ended lasted until it expired.';
COMMENT ON COLUMN analytics.module_reliability.started IS 'All of them. Holds and uses of guests count when they began, charges without a hold and reported failures when they were written.';
COMMENT ON COLUMN analytics.module_reliability.called_off IS 'Holds that were released for a reason other than a failure, and holds of users that were not captured.';
COMMENT ON COLUMN analytics.module_reliability.open IS 'Holds that have not ended, and uses of guests whose end nobody has reported.';
CREATE VIEW analytics.module_usage WITH (security_invoker='true') AS
 WITH later_captures AS (
         SELECT h.hold_id,
            s.seq
           FROM (credits.holds h
             CROSS JOIN LATERAL unnest(h.seqs[2:]) s(seq))
          WHERE (cardinality(h.seqs) > 1)
        )
 SELECT ((e.posted_at AT TIME ZONE '00:00:00'::interval))::date AS day,
    e.module_id,
    count(*) FILTER (WHERE ((e.kind <> 'refund'::credits.entry_kind) AND (c.seq IS NULL))) AS uses,
    count(DISTINCT e.account_id) FILTER (WHERE (e.kind <> 'refund'::credits.entry_kind)) AS accounts,
    (- sum((e.tokens)::numeric)) AS tokens,
    count(*) FILTER (WHERE (e.kind = 'byok'::credits.entry_kind)) AS own_key_uses
   FROM (credits.entries e
     LEFT JOIN later_captures c ON (((e.hold_id = c.hold_id) AND (e.seq = c.seq))))
  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind, 'refund'::credits.entry_kind]))
  GROUP BY (((e.posted_at AT TIME ZONE '00:00:00'::interval))::date), e.module_id;
COMMENT ON VIEW analytics.module_usage IS 'Uses per day (UTC) and module: how many, by how many accounts, for how many tokens.';
COMMENT ON COLUMN analytics.module_usage.uses IS 'Charges, and uses with the user''s own key. A hold that is captured in parts is one use, on the day of the first part.';
COMMENT ON COLUMN analytics.module_usage.tokens IS 'Tokens charged, less those that were refunded on the day. Below zero when more was refunded than charged.';
COMMENT ON COLUMN analytics.module_usage.own_key_uses IS 'How many of the uses were made with the user''s own key, and cost no tokens.';
CREATE VIEW analytics.pack_mix WITH (security_invoker='true') AS
 SELECT (date_trunc('month'::text, (paid_at AT TIME ZONE '00:00:00'::interval)))::date AS month,
    currency,
    pack_id,
    package_name,
    count(*) AS orders,
    sum(((tokens)::numeric + (bonus_tokens)::numeric)) AS tokens,
    (sum(amount))::bigint AS amount,
    round(((count(*))::numeric / sum(count(*)) OVER same_month), 4) AS share_of_orders,
    round((sum(amount) / sum(sum(amount)) OVER same_month), 4) AS share_of_amount
   FROM credits.orders o
  WHERE ((state = 'paid'::text) AND (kind <> 'subscription'::text))
  GROUP BY ((date_trunc('month'::text, (paid_at AT TIME ZONE '00:00:00'::interval)))::date), currency, pack_id, package_name
  WINDOW same_month AS (PARTITION BY ((date_trunc('month'::text, (paid_at AT TIME ZONE '00:00:00'::interval)))::date), currency);
COMMENT ON VIEW analytics.pack_mix IS 'Per month (UTC) and currency: paid orders of each pack and of top-ups, and their share. Shares add up to 1 in each month and currency.';
COMMENT ON COLUMN analytics.pack_mix.pack_id IS 'Null for top-ups of an amount.';
COMMENT ON COLUMN analytics.pack_mix.tokens IS 'Tokens sold, including the bonus.';
COMMENT ON COLUMN analytics.pack_mix.amount IS 'Their price in minor units of the currency.';
CREATE VIEW analytics.people WITH (security_invoker='true') AS
 SELECT account_id,
    subject AS user_id,
    credits.analyst_email(subject) AS email,
    created_at AS known_since
   FROM credits.identities i;
COMMENT ON VIEW analytics.people IS 'Which user an account is. Only analysts who were added with --personal-data see rows, and only those of their segments. An account has several rows if several user ids lead to it.';
COMMENT ON COLUMN analytics.people.account_id IS 'The account, as in running_out and account_use.';
COMMENT ON COLUMN analytics.people.user_id IS 'The user id (sub) of the identity provider.';
COMMENT ON COLUMN analytics.people.email IS 'The e-mail address with which the user signs in here. Null where another issuer signs the tokens.';
COMMENT ON COLUMN analytics.people.known_since IS 'When the bank first heard of this user id.';
CREATE VIEW analytics.purchase_conversion WITH (security_invoker='true') AS
 SELECT (date_trunc('month'::text, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date AS opened_in,
    count(*) AS accounts,
    count(*) FILTER (WHERE b.bought) AS buyers,
    round(((count(*) FILTER (WHERE b.bought))::numeric / (count(*))::numeric), 4) AS conversion
   FROM (credits.accounts a
     CROSS JOIN LATERAL ( SELECT (EXISTS ( SELECT
                   FROM credits.orders o
                  WHERE ((o.account_id = a.account_id) AND (o.state = 'paid'::text) AND (o.amount > 0)))) AS bought) b)
  WHERE (a.kind = 'user'::text)
  GROUP BY ((date_trunc('month'::text, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date);
COMMENT ON VIEW analytics.purchase_conversion IS 'Per month (UTC) in which accounts opened: accounts, how many of them have bought something, and their share.';
CREATE VIEW analytics.retention WITH (security_invoker='true') AS
 WITH members AS (
         SELECT s.period,
            (date_trunc(s.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date AS cohort,
            count(*) AS accounts
           FROM (credits.accounts a
             CROSS JOIN ( VALUES ('week'::text), ('month'::text)) s(period))
          WHERE (a.kind = 'user'::text)
          GROUP BY s.period, ((date_trunc(s.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date)
        ), active AS (
         SELECT u.period,
            (date_trunc(u.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date AS cohort,
            u.began_on,
            count(*) FILTER (WHERE (u.uses > 0)) AS accounts,
            sum(u.tokens) AS tokens
           FROM (( SELECT s.period,
                    e.account_id,
                    (date_trunc(s.period, (e.posted_at AT TIME ZONE '00:00:00'::interval)))::date AS began_on,
                    count(*) FILTER (WHERE (e.kind <> 'refund'::credits.entry_kind)) AS uses,
                    (- sum((e.tokens)::numeric)) AS tokens
                   FROM (credits.entries e
                     CROSS JOIN ( VALUES ('week'::text), ('month'::text)) s(period))
                  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind, 'refund'::credits.entry_kind]))
                  GROUP BY s.period, e.account_id, ((date_trunc(s.period, (e.posted_at AT TIME ZONE '00:00:00'::interval)))::date)) u
             JOIN credits.accounts a ON ((u.account_id = a.account_id)))
          WHERE (a.kind = 'user'::text)
          GROUP BY u.period, ((date_trunc(u.period, (a.created_at AT TIME ZONE '00:00:00'::interval)))::date), u.began_on
        )
 SELECT m.period,
    m.cohort,
    ((d.place - 1))::integer AS age,
    m.accounts,
    COALESCE(x.accounts, (0)::bigint) AS active,
    round(((COALESCE(x.accounts, (0)::bigint))::numeric / (m.accounts)::numeric), 4) AS retention,
    COALESCE(x.tokens, (0)::numeric) AS tokens
   FROM ((members m
     CROSS JOIN LATERAL generate_series((m.cohort)::timestamp without time zone, (credits.clock() AT TIME ZONE '00:00:00'::interval),
        CASE m.period
            WHEN 'week'::text THEN '7 days'::interval
            ELSE '1 mon'::interval
        END) WITH ORDINALITY d(began_on, place))
     LEFT JOIN active x ON (((m.period = x.period) AND (m.cohort = x.cohort) AND ((d.began_on)::date = x.began_on))));
COMMENT ON VIEW analytics.retention IS 'Per cohort of accounts (the week or month, UTC, in which they opened) and age: how many of them used anything then. Give a period: `where period = ''month''`.';
COMMENT ON COLUMN analytics.retention.period IS 'week or month: what cohorts and ages are counted in.';
COMMENT ON COLUMN analytics.retention.cohort IS 'The first day of the week (a Monday) or month in which the accounts opened.';
COMMENT ON COLUMN analytics.retention.age IS 'How many weeks or months later. 0 is the cohort''s own.';
COMMENT ON COLUMN analytics.retention.accounts IS 'Accounts in the cohort.';
COMMENT ON COLUMN analytics.retention.active IS 'How many of them used anything in the week or month of this age: charges, and uses with the user''s own key.';
COMMENT ON COLUMN analytics.retention.retention IS 'active as a share of accounts, 0 to 1.';
COMMENT ON COLUMN analytics.retention.tokens IS 'Tokens charged to them in the week or month of this age, less those that were refunded in it.';
CREATE VIEW analytics.running_out WITH (security_invoker='true') AS
 WITH clock AS MATERIALIZED (
         SELECT c_1.at AS ends_at,
            credits.earlier(c_1.at, '7 days'::interval) AS begins_at
           FROM ( SELECT credits.clock() AS at) c_1
        ), spent AS (
         SELECT e.account_id,
            (- sum((e.tokens)::numeric)) AS tokens,
            max(e.posted_at) FILTER (WHERE (e.kind = 'spend'::credits.entry_kind)) AS last_at
           FROM credits.entries e
          WHERE ((e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind])) AND (e.posted_at > ( SELECT c_1.begins_at
                   FROM clock c_1)) AND (e.posted_at <= ( SELECT c_1.ends_at
                   FROM clock c_1)))
          GROUP BY e.account_id
         HAVING ((- sum((e.tokens)::numeric)) > (0)::numeric)
        ), free AS (
         SELECT l.account_id,
            sum(GREATEST(((l.remaining - l.held) - (l.withheld)::numeric), (0)::numeric)) AS tokens,
            min(l.expires_at) AS next_expiry_at
           FROM (credits.current_lots l
             CROSS JOIN clock c_1)
          WHERE (l.live AND (NOT l.frozen) AND (l.effective_at <= c_1.ends_at) AND COALESCE((l.expires_at > c_1.ends_at), true) AND (l.remaining > l.held))
          GROUP BY l.account_id
        )
 SELECT s.account_id,
    trim_scale(COALESCE(f.tokens, (0)::numeric)) AS available,
    trim_scale(s.tokens) AS spent,
    trim_scale(p.per_day) AS spent_per_day,
    round((COALESCE(f.tokens, (0)::numeric) / p.per_day), 1) AS days_left,
    (c.ends_at + ((LEAST((COALESCE(f.tokens, (0)::numeric) / p.per_day), (36500)::numeric))::double precision * '24:00:00'::interval)) AS lasts_until,
    f.next_expiry_at,
    s.last_at AS last_spent_at
   FROM (((((spent s
     CROSS JOIN clock c)
     JOIN credits.accounts a ON ((s.account_id = a.account_id)))
     LEFT JOIN free f ON ((s.account_id = f.account_id)))
     CROSS JOIN LATERAL ( SELECT GREATEST((COALESCE(EXTRACT(epoch FROM (c.ends_at - a.created_at)), (0)::numeric) / (86400)::numeric), (1)::numeric) AS days) o)
     CROSS JOIN LATERAL ( SELECT GREATEST(COALESCE(round((s.tokens / LEAST(o.days, (7)::numeric)), 6), (0)::numeric), 0.000001) AS per_day) p);
COMMENT ON VIEW analytics.running_out IS 'For each account that has spent in the last seven days: how long its tokens last at this pace. `where days_left <= 7` lists those that run out within a week.';
COMMENT ON COLUMN analytics.running_out.account_id IS 'Says nothing about the person: see people.';
COMMENT ON COLUMN analytics.running_out.available IS 'Tokens that can be spent now. Those that open holds keep, that are frozen, or whose money may go back, do not count.';
COMMENT ON COLUMN analytics.running_out.spent IS 'Tokens charged in the last seven times 24 hours, less those that were refunded in this time.';
COMMENT ON COLUMN analytics.running_out.spent_per_day IS 'spent, divided by seven, or by the days since the account opened, at least one.';
COMMENT ON COLUMN analytics.running_out.days_left IS 'available, divided by spent_per_day. 0 when there is nothing left. Tokens that expire before are counted.';
COMMENT ON COLUMN analytics.running_out.lasts_until IS 'When the tokens are used up at this pace, at most a hundred years from now.';
COMMENT ON COLUMN analytics.running_out.next_expiry_at IS 'When the next of these tokens expire, if nobody spends them before. Null when none expire.';
COMMENT ON COLUMN analytics.running_out.last_spent_at IS 'The time of the last charge.';
CREATE VIEW analytics.tokens_sold WITH (security_invoker='true') AS
 SELECT ((paid_at AT TIME ZONE '00:00:00'::interval))::date AS day,
    package_name,
    currency,
    count(*) AS orders,
    sum(((tokens)::numeric + (bonus_tokens)::numeric)) AS tokens,
    sum(amount) AS amount
   FROM credits.orders o
  WHERE (state = 'paid'::text)
  GROUP BY (((paid_at AT TIME ZONE '00:00:00'::interval))::date), package_name, currency;
COMMENT ON VIEW analytics.tokens_sold IS 'Paid orders per day (UTC), package and currency; amount in minor units.';
CREATE VIEW analytics.usage_by_tag WITH (security_invoker='true') AS
 WITH service AS (
         SELECT r.rolname AS name
           FROM pg_roles r
          WHERE pg_has_role(r.oid, 'spender'::name, 'member'::text)
        ), movement AS (
         SELECT e.account_id,
            e.posted_at,
            e.module_id,
            e.tokens,
            e.tags,
            COALESCE((h.seqs[1] = e.seq), true) AS is_use
           FROM (credits.entries e
             LEFT JOIN credits.holds h ON (((e.account_id = h.account_id) AND (e.hold_id = h.hold_id))))
          WHERE ((e.tags IS NOT NULL) AND (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind])) AND COALESCE(h.by_service, (e.actor IN ( SELECT s.name
                   FROM service s))))
        UNION ALL
         SELECT e.account_id,
            e.posted_at,
            e.module_id,
            e.tokens,
            e.tags,
            false AS is_use
           FROM ((credits.entries e
             CROSS JOIN LATERAL ( SELECT x.hold_id,
                    x.actor
                   FROM credits.entries x
                  WHERE ((x.account_id = e.account_id) AND (x.seq = e.refunds_seq) AND (x.posted_at <= e.posted_at))
                  ORDER BY x.seq
                 LIMIT 1) c)
             LEFT JOIN credits.holds h ON (((e.account_id = h.account_id) AND (c.hold_id = h.hold_id))))
          WHERE ((e.tags IS NOT NULL) AND (e.kind = 'refund'::credits.entry_kind) AND COALESCE(h.by_service, (c.actor IN ( SELECT s.name
                   FROM service s))))
        ), per_account AS (
         SELECT m.account_id,
            ((m.posted_at AT TIME ZONE '00:00:00'::interval))::date AS day,
            t.name,
            t.value,
            m.module_id,
            count(*) FILTER (WHERE m.is_use) AS uses,
            (- sum((m.tokens)::numeric)) AS tokens
           FROM (movement m
             CROSS JOIN LATERAL jsonb_each_text(m.tags) t(name, value))
          GROUP BY m.account_id, (((m.posted_at AT TIME ZONE '00:00:00'::interval))::date), t.name, t.value, m.module_id
        )
 SELECT day,
    name,
    value,
    module_id,
    (sum(uses))::bigint AS uses,
    count(*) FILTER (WHERE (uses > 0)) AS accounts,
    trim_scale(sum(tokens)) AS tokens
   FROM per_account p
  GROUP BY day, name, value, module_id;
COMMENT ON VIEW analytics.usage_by_tag IS 'Uses per day (UTC), tag and module, where a service gave the tag. A charge with several tags counts for each of them, so only rows of one name can be added up.';
COMMENT ON COLUMN analytics.usage_by_tag.name IS 'The name of the tag, such as feature.';
COMMENT ON COLUMN analytics.usage_by_tag.value IS 'The value of the tag, such as chat.';
COMMENT ON COLUMN analytics.usage_by_tag.uses IS 'Charges, and uses with the user''s own key. A hold that is captured in parts is one use, on the day of the first part.';
COMMENT ON COLUMN analytics.usage_by_tag.accounts IS 'How many accounts had these uses.';
COMMENT ON COLUMN analytics.usage_by_tag.tokens IS 'Tokens charged, less those that were refunded on the day. Below zero when more was refunded than charged.';
CREATE VIEW analytics.usage_quantities WITH (security_invoker='true') AS
 SELECT ((e.posted_at AT TIME ZONE '00:00:00'::interval))::date AS day,
    e.module_id,
    u.dimension,
    sum((u.quantity)::numeric) AS quantity,
    COALESCE(sum((u.quantity)::numeric) FILTER (WHERE (e.kind = 'byok'::credits.entry_kind)), (0)::numeric) AS own_key_quantity
   FROM (credits.entries e
     CROSS JOIN LATERAL jsonb_each_text(e.usage) u(dimension, quantity))
  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]))
  GROUP BY (((e.posted_at AT TIME ZONE '00:00:00'::interval))::date), e.module_id, u.dimension;
COMMENT ON VIEW analytics.usage_quantities IS 'Per day (UTC), module and dimension (calls, seconds, input_tokens …): how much of it was used.';
COMMENT ON COLUMN analytics.usage_quantities.own_key_quantity IS 'How much of the quantity was used with the user''s own key.';
CREATE VIEW analytics.weekly_margin WITH (security_invoker='true') AS
 WITH summed AS (
         SELECT (date_trunc('week'::text, (d.day)::timestamp without time zone))::date AS week,
            d.module_id,
            d.source,
            d.plan_id,
            d.currency,
            (sum(d.uses))::bigint AS uses,
            sum(d.tokens) AS tokens,
            sum(d.revenue) AS revenue,
                CASE
                    WHEN (bool_and((d.provider_cost IS NOT NULL)) IS TRUE) THEN sum(d.provider_cost)
                    ELSE NULL::numeric
                END AS cost
           FROM analytics.daily_margin d
          GROUP BY ((date_trunc('week'::text, (d.day)::timestamp without time zone))::date), d.module_id, d.source, d.plan_id, d.currency
        )
 SELECT week,
    module_id,
    source,
    plan_id,
    currency,
    uses,
    tokens,
    trim_scale(round(revenue, 6)) AS revenue,
    trim_scale(round(cost, 6)) AS provider_cost,
    trim_scale(round((revenue - cost), 6)) AS margin,
    round((((100)::numeric * (revenue - cost)) / NULLIF(revenue, (0)::numeric)), 2) AS margin_percent
   FROM summed s;
COMMENT ON VIEW analytics.weekly_margin IS 'Per week (UTC), module, source of the tokens, plan and currency: revenue, provider''s cost and margin, as in module_margin.';
COMMENT ON COLUMN analytics.weekly_margin.week IS 'The Monday that the week begins with.';
COMMENT ON COLUMN analytics.weekly_margin.source IS 'Where the tokens came from: purchase, allowance (a plan), rollover, welcome, promo, referral, bonus, grant, adjustment. Null for charges that drew no tokens.';
COMMENT ON COLUMN analytics.weekly_margin.plan_id IS 'The plan that brought the tokens. Null for tokens that no plan brought.';
COMMENT ON COLUMN analytics.weekly_margin.uses IS 'Charges. A charge that drew on several lots, or was captured in parts, counts where it began.';
COMMENT ON COLUMN analytics.weekly_margin.revenue IS 'As in module_margin, in minor units.';
COMMENT ON COLUMN analytics.weekly_margin.provider_cost IS 'As in module_margin, in minor units.';
COMMENT ON COLUMN analytics.weekly_margin.margin IS 'revenue - provider_cost, in minor units.';
COMMENT ON COLUMN analytics.weekly_margin.margin_percent IS 'margin as a percentage of revenue. Null when the revenue is 0.';
CREATE VIEW analytics.weekly_sales WITH (security_invoker='true') AS
 SELECT (date_trunc('week'::text, (o.paid_at AT TIME ZONE '00:00:00'::interval)))::date AS week,
    o.kind,
    i.plan_id,
    o.package_name,
    o.currency,
    count(*) AS orders,
    count(DISTINCT o.account_id) AS buyers,
    sum(((o.tokens)::numeric + (o.bonus_tokens)::numeric)) AS tokens,
    (sum(o.paid))::bigint AS paid,
    (sum(o.reversed))::bigint AS reversed,
    (sum(o.reversal_pending))::bigint AS reversal_pending,
    (sum((o.paid - o.reversed)))::bigint AS kept,
    count(*) FILTER (WHERE (o.reversed > 0)) AS reversed_orders,
    count(*) FILTER (WHERE o.disputed) AS disputed_orders
   FROM (credits.orders o
     LEFT JOIN credits.subscription_invoices i ON (((o.account_id = i.account_id) AND (o.order_id = i.order_id))))
  WHERE (o.state = 'paid'::text)
  GROUP BY ((date_trunc('week'::text, (o.paid_at AT TIME ZONE '00:00:00'::interval)))::date), o.kind, i.plan_id, o.package_name, o.currency;
COMMENT ON VIEW analytics.weekly_sales IS 'Per week (UTC) of the payment, kind, package and currency: what was sold, and how much of that money has gone back since.';
COMMENT ON COLUMN analytics.weekly_sales.week IS 'The Monday that the week begins with.';
COMMENT ON COLUMN analytics.weekly_sales.kind IS 'checkout (a pack or an amount), auto_topup (a standing consent), subscription (a period of a plan).';
COMMENT ON COLUMN analytics.weekly_sales.plan_id IS 'The plan of a subscription. Null for everything else.';
COMMENT ON COLUMN analytics.weekly_sales.buyers IS 'Accounts that bought it in this week.';
COMMENT ON COLUMN analytics.weekly_sales.tokens IS 'Tokens sold, including the bonus.';
COMMENT ON COLUMN analytics.weekly_sales.paid IS 'What arrived, with tax, in minor units.';
COMMENT ON COLUMN analytics.weekly_sales.reversed IS 'How much of that has gone back until now, by refunds and disputes, in minor units.';
COMMENT ON COLUMN analytics.weekly_sales.reversal_pending IS 'How much of it may go back soon, in minor units.';
COMMENT ON COLUMN analytics.weekly_sales.kept IS 'paid - reversed, in minor units.';
COMMENT ON COLUMN analytics.weekly_sales.reversed_orders IS 'Orders of which money has gone back, all of it or a part.';
COMMENT ON COLUMN analytics.weekly_sales.disputed_orders IS 'Orders whose tokens are frozen, because a dispute is open.';
CREATE TABLE credits.redemptions (
    account_id uuid NOT NULL,
    campaign_id text NOT NULL,
    number bigint NOT NULL,
    lot_id bigint NOT NULL,
    code text,
    redeemed_at timestamp with time zone NOT NULL,
    CONSTRAINT redemptions_number_is_not_negative CHECK ((number >= 0))
);
ALTER TABLE ONLY credits.redemptions FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.redemptions IS 'The grants of campaigns, numbered 1, 2 … per account. Number 0 is the grant to a user whom somebody brought. The key lets each grant happen only once.';
CREATE VIEW analytics.welcome_use WITH (security_invoker='true') AS
 WITH moved AS MATERIALIZED (
         SELECT e.account_id,
            ((d.draw ->> 'lot_id'::text))::bigint AS lot_id,
            e.kind,
            ((
                CASE
                    WHEN ((e.tokens)::numeric > (0)::numeric) THEN 1
                    ELSE '-1'::integer
                END)::numeric * ((d.draw ->> 'tokens'::text))::numeric) AS tokens
           FROM (credits.entries e
             CROSS JOIN LATERAL jsonb_array_elements(e.draws) d(draw))
        ), given AS (
         SELECT l.account_id,
            l.lot_id,
            l.source,
            l.effective_at,
            l.granted,
            COALESCE((l.expires_at <= credits.clock(l.account_id)), false) AS is_past,
            COALESCE((- sum(m.tokens) FILTER (WHERE (m.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind])))), (0)::numeric) AS spent,
            COALESCE((- sum(m.tokens) FILTER (WHERE (m.kind = 'expire'::credits.entry_kind))), (0)::numeric) AS expired,
            sum(m.tokens) AS remaining
           FROM (credits.lots l
             JOIN moved m ON (((l.account_id = m.account_id) AND (l.lot_id = m.lot_id))))
          WHERE (l.source = ANY (ARRAY['welcome'::credits.entry_kind, 'promo'::credits.entry_kind, 'referral'::credits.entry_kind]))
          GROUP BY l.account_id, l.lot_id, l.source, l.effective_at, l.granted, COALESCE((l.expires_at <= credits.clock(l.account_id)), false)
        )
 SELECT (date_trunc('month'::text, (g.effective_at AT TIME ZONE '00:00:00'::interval)))::date AS month,
    (g.source)::text AS source,
    r.campaign_id,
    count(DISTINCT g.account_id) AS accounts,
    sum((g.granted)::numeric) AS granted,
    sum(g.spent) AS spent,
    sum((g.expired +
        CASE
            WHEN g.is_past THEN g.remaining
            ELSE (0)::numeric
        END)) AS expired,
    sum(
        CASE
            WHEN g.is_past THEN (0)::numeric
            ELSE g.remaining
        END) AS remaining,
    round((sum(g.spent) / sum((g.granted)::numeric)), 4) AS share_spent
   FROM (given g
     LEFT JOIN credits.redemptions r ON (((g.account_id = r.account_id) AND (g.lot_id = r.lot_id))))
  GROUP BY ((date_trunc('month'::text, (g.effective_at AT TIME ZONE '00:00:00'::interval)))::date), (g.source)::text, r.campaign_id;
COMMENT ON VIEW analytics.welcome_use IS 'Per month (UTC) of the grant, source (welcome, promo, referral) and campaign: how many accounts got tokens, and what has become of these tokens so far.';
COMMENT ON COLUMN analytics.welcome_use.campaign_id IS 'Null for tokens that a service granted outside of campaigns.';
COMMENT ON COLUMN analytics.welcome_use.expired IS 'Tokens whose date has passed.';
COMMENT ON COLUMN analytics.welcome_use.remaining IS 'Tokens that can still be spent.';
COMMENT ON COLUMN analytics.welcome_use.share_spent IS 'spent as a share of granted, 0 to 1.';
CREATE TABLE credits.api_key_secrets (
    key_id text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    valid_until timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_key_secrets_are_sha256 CHECK ((length(secret_hash) = 32))
);
ALTER TABLE ONLY credits.api_key_secrets FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.api_key_secrets IS 'The sha256 of the secrets of API keys. A key has one that lasts, and others for a while after each rotation.';
COMMENT ON COLUMN credits.api_key_secrets.secret_hash IS 'The sha256 of the whole text of the key.';
COMMENT ON COLUMN credits.api_key_secrets.valid_until IS 'Until when this secret works, since another one replaces it. Null: it is the present one.';
COMMENT ON COLUMN credits.api_key_secrets.last_used_at IS 'When it was last used, to the minute. Null: never.';
CREATE VIEW api.api_keys WITH (security_invoker='true') AS
 SELECT key_id,
    name,
    role,
        CASE
            WHEN (revoked_at IS NOT NULL) THEN 'revoked'::text
            WHEN ((expires_at <= credits.clock()) IS TRUE) THEN 'expired'::text
            ELSE 'active'::text
        END AS state,
    expires_at,
    revoked_at,
    created_at,
    made_by AS created_by,
    made_with,
    ( SELECT max(s.last_used_at) AS max
           FROM credits.api_key_secrets s
          WHERE (s.key_id = k.key_id)) AS last_used_at,
    ( SELECT s.created_at
           FROM credits.api_key_secrets s
          WHERE ((s.key_id = k.key_id) AND (s.valid_until IS NULL))) AS rotated_at,
    ( SELECT max(s.valid_until) AS max
           FROM credits.api_key_secrets s
          WHERE ((s.key_id = k.key_id) AND (s.valid_until > credits.clock()))) AS old_secret_until,
    ( SELECT max(s.last_used_at) AS max
           FROM credits.api_key_secrets s
          WHERE ((s.key_id = k.key_id) AND (s.valid_until > credits.clock()))) AS old_secret_used_at
   FROM credits.api_keys k;
COMMENT ON VIEW api.api_keys IS 'The API keys of backends, without their secrets. For services.';
COMMENT ON COLUMN api.api_keys.key_id IS 'Its name in the functions about API keys. The text of the key contains it.';
COMMENT ON COLUMN api.api_keys.name IS 'What its operator calls it.';
COMMENT ON COLUMN api.api_keys.role IS 'What its calls may do: spender, support or service_role.';
COMMENT ON COLUMN api.api_keys.state IS 'active, expired or revoked.';
COMMENT ON COLUMN api.api_keys.expires_at IS 'When it expires. Null: never.';
COMMENT ON COLUMN api.api_keys.revoked_at IS 'When it was revoked.';
COMMENT ON COLUMN api.api_keys.created_at IS 'When it was made.';
COMMENT ON COLUMN api.api_keys.created_by IS 'Who made it: a role, and the id of their API key if they used one.';
COMMENT ON COLUMN api.api_keys.made_with IS 'The key that it was made with, and ends with. Null: none.';
COMMENT ON COLUMN api.api_keys.last_used_at IS 'When it was last used, to the minute. Null: never.';
COMMENT ON COLUMN api.api_keys.rotated_at IS 'When its present secret was made.';
COMMENT ON COLUMN api.api_keys.old_secret_until IS 'Until when a secret before that still works. Null: none does.';
COMMENT ON COLUMN api.api_keys.old_secret_used_at IS 'When such a secret was last used.';
CREATE TABLE credits.topup_consents (
    account_id uuid NOT NULL,
    consent_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    agreed_id uuid NOT NULL,
    words text,
    threshold credits.amount,
    pack_id text,
    tokens credits.amount,
    amount bigint,
    currency text,
    monthly_limit bigint,
    customer_id text,
    payment_method_id text,
    reason text,
    actor text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT topup_consents_amounts_are_sane CHECK (((kind <> 'consent'::text) OR ((((threshold)::numeric > (0)::numeric) AND ((tokens)::numeric > (0)::numeric) AND (amount > 0) AND (monthly_limit >= amount)) IS TRUE))),
    CONSTRAINT topup_consents_card_is_named CHECK (((kind <> 'card'::text) OR (payment_method_id IS NOT NULL))),
    CONSTRAINT topup_consents_kind_is_known CHECK ((kind = ANY (ARRAY['consent'::text, 'card'::text, 'withdrawal'::text, 'stop'::text]))),
    CONSTRAINT topup_consents_name_themselves CHECK (((kind = 'consent'::text) = (agreed_id = consent_id))),
    CONSTRAINT topup_consents_say_to_what CHECK ((num_nonnulls(words, threshold, tokens, amount, currency, monthly_limit) =
CASE kind
    WHEN 'consent'::text THEN 6
    ELSE 0
END)),
    CONSTRAINT topup_consents_stop_has_reason CHECK (((kind <> 'stop'::text) OR (reason IS NOT NULL)))
);
ALTER TABLE ONLY credits.topup_consents FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.topup_consents IS 'What users agreed to about automatic top-ups, which cards they saved for it, and what ended it. Never changed.';
COMMENT ON COLUMN credits.topup_consents.kind IS 'consent, card (one was saved for a consent), withdrawal (by the user), or stop (by the bank: see reason).';
COMMENT ON COLUMN credits.topup_consents.agreed_id IS 'The consent that this row is about: itself, for a consent.';
COMMENT ON COLUMN credits.topup_consents.words IS 'What the user was shown when they agreed.';
COMMENT ON COLUMN credits.topup_consents.tokens IS 'What one top-up brought then.';
COMMENT ON COLUMN credits.topup_consents.amount IS 'What one top-up costs, in minor units of currency.';
COMMENT ON COLUMN credits.topup_consents.monthly_limit IS 'What may be charged in a month (UTC), in minor units.';
CREATE VIEW api.auto_topup WITH (security_invoker='true') AS
 SELECT u.user_id,
    t.state,
    t.reason,
    trim_scale((t.threshold)::numeric) AS threshold,
    t.pack_id,
    trim_scale((t.tokens)::numeric) AS tokens,
    t.amount,
    t.currency,
    t.monthly_limit,
    (m.charged)::bigint AS charged_this_month,
    t.payment_method_id,
    a.order_id AS order_in_flight,
    t.declines,
        CASE
            WHEN (t.state <> 'on'::text) THEN t.state
            WHEN (a.order_id IS NOT NULL) THEN 'in_flight'::text
            WHEN ((w.status)::text <> 'active'::text) THEN ('account_'::text || (w.status)::text)
            WHEN (credits.is_disputed(t.account_id) IS TRUE) THEN 'dispute'::text
            WHEN (((w.balance)::numeric - (w.held)::numeric) >= (t.threshold)::numeric) THEN 'balance'::text
            WHEN ((t.wanted AND ((m.charged + (t.amount)::numeric) > (t.monthly_limit)::numeric)) IS TRUE) THEN 'monthly_limit'::text
            WHEN (t.next_try_at > c.shows) THEN 'cooldown'::text
            WHEN t.wanted THEN 'next_spend'::text
            ELSE 'crossing'::text
        END AS waits_for,
        CASE
            WHEN (((t.state = 'on'::text) AND (t.next_try_at > c.shows)) IS TRUE) THEN t.next_try_at
            ELSE NULL::timestamp with time zone
        END AS next_try_at,
    t.link,
    t.link_until,
    g.words,
    g.decided_at AS agreed_at,
    t.changed_at
   FROM ((((((credits.auto_topups t
     JOIN credits.wallets w ON ((t.account_id = w.account_id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(w.test_clock, credits.clock()) AS shows) c)
     CROSS JOIN LATERAL ( SELECT credits.topped_up_since(t.account_id, t.currency, credits.period_start('month'::text, c.shows)) AS charged) m)
     LEFT JOIN credits.topup_attempts a ON (((t.account_id = a.account_id) AND (a.state = 'open'::text))))
     LEFT JOIN credits.topup_consents g ON (((t.account_id = g.account_id) AND (t.consent_id = g.consent_id))))
     LEFT JOIN LATERAL credits.user_of(t.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.auto_topup IS 'The automatic top-up of the caller, if they have ever agreed to one. A service sees those of every account.';
COMMENT ON COLUMN api.auto_topup.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.auto_topup.state IS 'on, off, waiting (for a card to be saved), or paused (see reason).';
COMMENT ON COLUMN api.auto_topup.reason IS 'Why it is off: withdrawn, declined (three times in a row), dispute, fraud_warning, card_gone or refused. Why it is paused: authentication_required, offer_changed or under_review. Otherwise null.';
COMMENT ON COLUMN api.auto_topup.threshold IS 'It charges when a spend or hold takes the balance below this.';
COMMENT ON COLUMN api.auto_topup.pack_id IS 'The pack that it buys; null for an amount.';
COMMENT ON COLUMN api.auto_topup.tokens IS 'The tokens that one top-up brought when the user agreed.';
COMMENT ON COLUMN api.auto_topup.amount IS 'What one top-up costs, in minor units of currency.';
COMMENT ON COLUMN api.auto_topup.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.auto_topup.monthly_limit IS 'What it may charge in a calendar month (UTC), in minor units of currency.';
COMMENT ON COLUMN api.auto_topup.charged_this_month IS 'What it has charged in this month, with what is in flight, in minor units of currency.';
COMMENT ON COLUMN api.auto_topup.payment_method_id IS 'The saved card, at Stripe. Null until one is saved.';
COMMENT ON COLUMN api.auto_topup.order_in_flight IS 'The order whose charge is under way. Null when no charge is.';
COMMENT ON COLUMN api.auto_topup.declines IS 'How many charges in a row were declined. The third turns it off.';
COMMENT ON COLUMN api.auto_topup.waits_for IS 'What has to happen before it charges again. crossing: the balance is below the threshold, and must first be at or above it again; then a spend that takes it below starts a charge. balance: the balance is at or above the threshold, and a spend that takes it below starts a charge. next_spend: the next spend starts it. cooldown: time passes until next_try_at. monthly_limit: the next month. in_flight: the charge under way ends. account_frozen: the account is active again. dispute: a dispute about a payment is closed, or nothing can be done about a fraud warning any more. off, waiting, paused: see state and reason.';
COMMENT ON COLUMN api.auto_topup.next_try_at IS 'Before this time it does not charge. Null when it waits for no time.';
COMMENT ON COLUMN api.auto_topup.link IS 'Where the user confirms the card, when it is paused for that.';
COMMENT ON COLUMN api.auto_topup.link_until IS 'When the link ends.';
COMMENT ON COLUMN api.auto_topup.words IS 'What the user was shown when they agreed.';
COMMENT ON COLUMN api.auto_topup.agreed_at IS 'When they agreed.';
COMMENT ON COLUMN api.auto_topup.changed_at IS 'When its state last changed.';
CREATE VIEW api.auto_topup_history WITH (security_invoker='true') AS
 SELECT u.user_id,
    h.happened_at,
    h.event,
    h.state,
    h.reason,
    h.amount,
    h.currency,
    h.order_id,
    h.entry_id,
    h.hold_id,
    h.balance_before,
    h.balance_after,
    h.threshold,
    h.payment_intent_id,
    h.payment_method_id,
    h.words,
    h.ended_at
   FROM (( SELECT a.account_id,
            a.fired_at AS happened_at,
            'charge'::text AS event,
            a.state,
            a.reason,
            a.amount,
            a.currency,
            a.order_id,
            ((a.account_id || ':'::text) || a.entry_seq) AS entry_id,
            ((a.account_id || ':'::text) || a.hold_id) AS hold_id,
            trim_scale((a.balance_before)::numeric) AS balance_before,
            trim_scale((a.balance_after)::numeric) AS balance_after,
            trim_scale((a.threshold)::numeric) AS threshold,
            a.payment_intent_id,
            NULL::text AS payment_method_id,
            NULL::text AS words,
            a.ended_at
           FROM credits.topup_attempts a
        UNION ALL
         SELECT c.account_id,
            c.decided_at AS happened_at,
            c.kind AS event,
            NULL::text AS state,
            c.reason,
            c.amount,
            c.currency,
            NULL::uuid AS order_id,
            NULL::text AS entry_id,
            NULL::text AS hold_id,
            NULL::numeric AS balance_before,
            NULL::numeric AS balance_after,
            trim_scale((c.threshold)::numeric) AS threshold,
            NULL::text AS payment_intent_id,
            c.payment_method_id,
            c.words,
            NULL::timestamp with time zone AS ended_at
           FROM credits.topup_consents c) h
     LEFT JOIN LATERAL credits.user_of(h.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.auto_topup_history IS 'What has happened to the automatic top-up of the caller. A service sees that of every account.';
COMMENT ON COLUMN api.auto_topup_history.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.auto_topup_history.happened_at IS 'When it happened. For a charge: when the spend began it.';
COMMENT ON COLUMN api.auto_topup_history.event IS 'consent, card (one was saved), withdrawal (by the user), stop (by the bank), or charge.';
COMMENT ON COLUMN api.auto_topup_history.state IS 'For a charge: open (in flight), succeeded, declined, authentication_required, canceled or failed. Otherwise null.';
COMMENT ON COLUMN api.auto_topup_history.reason IS 'Why a charge did not succeed, in Stripe''s words, or why automatic top-up was stopped. A charge that succeeded has one if it had failed before.';
COMMENT ON COLUMN api.auto_topup_history.amount IS 'What was charged, or what the user agreed to for each charge, in minor units of currency.';
COMMENT ON COLUMN api.auto_topup_history.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.auto_topup_history.order_id IS 'The order of a charge.';
COMMENT ON COLUMN api.auto_topup_history.entry_id IS 'The spend that took the balance below the threshold and so began a charge. Null when a hold did.';
COMMENT ON COLUMN api.auto_topup_history.hold_id IS 'The hold that did.';
COMMENT ON COLUMN api.auto_topup_history.balance_before IS 'The free balance before that spend or hold.';
COMMENT ON COLUMN api.auto_topup_history.balance_after IS 'The free balance after it.';
COMMENT ON COLUMN api.auto_topup_history.threshold IS 'The threshold, at that time.';
COMMENT ON COLUMN api.auto_topup_history.payment_intent_id IS 'The charge at Stripe.';
COMMENT ON COLUMN api.auto_topup_history.payment_method_id IS 'The card at Stripe.';
COMMENT ON COLUMN api.auto_topup_history.words IS 'What the user was shown when they agreed.';
COMMENT ON COLUMN api.auto_topup_history.ended_at IS 'When a charge ended. Null while it is in flight.';
CREATE VIEW credits.held_draws WITH (security_invoker='true') AS
 SELECT h.account_id,
    h.hold_id,
    h.expires_at,
    d.lot_id,
    d.tokens
   FROM (credits.holds h
     CROSS JOIN LATERAL jsonb_to_recordset(h.draws) d(lot_id bigint, tokens numeric))
  WHERE ((h.state)::text = 'open'::text);
COMMENT ON VIEW credits.held_draws IS 'The tokens in each lot that each open hold keeps.';
CREATE VIEW api.balance WITH (security_invoker='true') AS
 SELECT i.subject AS user_id,
    trim_scale(b.balance) AS balance,
    trim_scale(b.held) AS held,
    trim_scale(
        CASE
            WHEN ((w.debt)::numeric > (a.overdraft_limit)::numeric) THEN (0)::numeric
            ELSE GREATEST((((b.balance + (w.debt)::numeric) - b.held) - b.blocked), (0)::numeric)
        END) AS available,
    trim_scale((w.debt)::numeric) AS debt,
    trim_scale((w.lifetime_granted)::numeric) AS lifetime_granted,
    trim_scale((w.lifetime_spent)::numeric) AS lifetime_spent,
    w.status,
    l.package_name,
    l.effective_at AS purchased_at,
    NULLIF(w.posted_at, '-infinity'::timestamp with time zone) AS updated_at
   FROM (((((credits.wallets w
     JOIN credits.accounts a ON ((w.account_id = a.account_id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(w.test_clock, credits.clock()) AS shows) c)
     CROSS JOIN LATERAL ( SELECT ((w.balance)::numeric -
                CASE
                    WHEN (w.due_at <= c.shows) THEN (( SELECT COALESCE(sum((x.remaining - x.held)), (0)::numeric) AS "coalesce"
                       FROM credits.current_lots x
                      WHERE ((x.account_id = w.account_id) AND (x.expires_at <= c.shows))) + ( SELECT COALESCE(sum(d.tokens), (0)::numeric) AS "coalesce"
                       FROM (credits.held_draws d
                         JOIN credits.lots x ON (((d.account_id = x.account_id) AND (d.lot_id = x.lot_id))))
                      WHERE ((d.account_id = w.account_id) AND (d.expires_at <= c.shows) AND (x.expires_at <= c.shows))))
                    ELSE (0)::numeric
                END) AS balance,
            ((w.held)::numeric -
                CASE
                    WHEN (w.due_at <= c.shows) THEN ( SELECT COALESCE(sum((h.held)::numeric), (0)::numeric) AS "coalesce"
                       FROM credits.holds h
                      WHERE ((h.account_id = w.account_id) AND ((h.state)::text = 'open'::text) AND (h.expires_at <= c.shows)))
                    ELSE (0)::numeric
                END) AS held,
            ( SELECT COALESCE(sum(
                        CASE
                            WHEN (x.frozen OR (x.effective_at > c.shows)) THEN f.free
                            ELSE LEAST((x.withheld)::numeric, f.free)
                        END), (0)::numeric) AS "coalesce"
                   FROM (credits.current_lots x
                     CROSS JOIN LATERAL ( SELECT ((x.remaining - x.held) + COALESCE(sum(d.tokens), (0)::numeric)) AS free
                           FROM credits.held_draws d
                          WHERE ((x.held > (0)::numeric) AND (d.account_id = x.account_id) AND (d.lot_id = x.lot_id) AND (d.expires_at <= c.shows))) f)
                  WHERE ((x.account_id = w.account_id) AND (x.frozen OR ((x.withheld)::numeric > (0)::numeric) OR (x.effective_at > c.shows)) AND ((x.expires_at IS NULL) OR (x.expires_at > c.shows)))) AS blocked) b)
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = w.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true))
     LEFT JOIN LATERAL ( SELECT x.package_name,
            x.effective_at
           FROM credits.lots x
          WHERE ((x.account_id = w.account_id) AND (x.source = 'purchase'::credits.entry_kind))
          ORDER BY x.lot_id DESC
         LIMIT 1) l ON (true))
UNION ALL
 SELECT credits.subject() AS user_id,
    0 AS balance,
    0 AS held,
    0 AS available,
    0 AS debt,
    0 AS lifetime_granted,
    0 AS lifetime_spent,
    'active'::text AS status,
    NULL::text AS package_name,
    NULL::timestamp with time zone AS purchased_at,
    NULL::timestamp with time zone AS updated_at
  WHERE ((CURRENT_USER = 'authenticated'::name) AND (credits.me() IS NULL) AND (credits.subject() IS NOT NULL));
COMMENT ON VIEW api.balance IS 'The balance of the caller. A service sees every account''s.';
COMMENT ON COLUMN api.balance.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.balance.balance IS 'Tokens, without expired ones. Below zero only with debt.';
COMMENT ON COLUMN api.balance.held IS 'Tokens reserved by open holds.';
COMMENT ON COLUMN api.balance.available IS 'Tokens that can be spent now, on whatever they are bound to: not held, and not frozen or withheld because their money may go back. 0 while the debt is above the overdraft limit.';
COMMENT ON COLUMN api.balance.debt IS 'Tokens used that no lot could pay.';
COMMENT ON COLUMN api.balance.lifetime_granted IS 'All tokens that ever came in.';
COMMENT ON COLUMN api.balance.lifetime_spent IS 'All tokens ever charged, less refunds.';
COMMENT ON COLUMN api.balance.status IS 'active, frozen or closed.';
COMMENT ON COLUMN api.balance.package_name IS 'The package that was bought last.';
COMMENT ON COLUMN api.balance.purchased_at IS 'When that package was bought.';
COMMENT ON COLUMN api.balance.updated_at IS 'The time of the last entry.';
CREATE VIEW api.balance_versions WITH (security_invoker='true') AS
 SELECT i.subject AS user_id,
    concat_ws(' '::text, w.seq, w.balance, w.held, w.debt, w.status, (w.due_at <= COALESCE(w.test_clock, credits.clock()))) AS version
   FROM (credits.identities i
     JOIN credits.wallets w ON ((i.account_id = w.account_id)));
COMMENT ON VIEW api.balance_versions IS 'Whether anything has happened to a balance since somebody looked. For services that watch many.';
COMMENT ON COLUMN api.balance_versions.user_id IS 'The user id (sub). An account with several users has a row for each.';
COMMENT ON COLUMN api.balance_versions.version IS 'Another text than before: the balance may have changed. It says nothing else, and may have another form one day.';
CREATE VIEW api.entries WITH (security_invoker='true') AS
 SELECT ((e.account_id || ':'::text) || e.seq) AS entry_id,
    i.subject AS user_id,
    e.seq,
    e.posted_at,
    e.effective_at,
    (e.kind)::text AS kind,
    trim_scale((e.tokens)::numeric) AS tokens,
    trim_scale(((e.balance_after)::numeric - (e.tokens)::numeric)) AS balance_before,
    trim_scale((e.balance_after)::numeric) AS balance_after,
    e.draws,
    e.module_id,
    e.usage,
    e.price_id,
    COALESCE((e.order_id)::text, ((e.hold_id)::text ||
        CASE
            WHEN (e.late IS TRUE) THEN ':late'::text
            ELSE ''::text
        END), (e.refunds_seq)::text, e.campaign_id, e.package_name,
        CASE
            WHEN (e.kind <> ALL (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind, 'refund'::credits.entry_kind, 'expire'::credits.entry_kind, 'repayment'::credits.entry_kind])) THEN (e.kind)::text
            ELSE NULL::text
        END) AS reference,
    e.metadata,
    encode(e.hash, 'hex'::text) AS hash,
    trim_scale((e.debt_after)::numeric) AS debt_after,
        CASE
            WHEN (p.module_id IS NOT NULL) THEN 'module'::text
            WHEN (p.category_id IS NOT NULL) THEN 'category'::text
            WHEN (p.price_id IS NOT NULL) THEN 'default'::text
            ELSE NULL::text
        END AS price_source,
    e.tags
   FROM ((credits.entries e
     LEFT JOIN credits.prices p ON ((e.price_id = p.price_id)))
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = e.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));
COMMENT ON VIEW api.entries IS 'The ledger of the caller. A service sees every account''s.';
COMMENT ON COLUMN api.entries.entry_id IS 'The name of the entry: account:seq.';
COMMENT ON COLUMN api.entries.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.entries.seq IS '1, 2, 3 … per account, without gaps.';
COMMENT ON COLUMN api.entries.posted_at IS 'When it was written.';
COMMENT ON COLUMN api.entries.effective_at IS 'When it happened.';
COMMENT ON COLUMN api.entries.kind IS 'purchase, bonus, grant, welcome, promo, referral, allowance, rollover, spend, byok, refund, expire, reversal, reinstatement, repayment or adjustment.';
COMMENT ON COLUMN api.entries.tokens IS 'The change of the balance. Above zero: tokens came in. Below zero: tokens went out.';
COMMENT ON COLUMN api.entries.balance_before IS 'The balance before the entry.';
COMMENT ON COLUMN api.entries.balance_after IS 'The balance after the entry.';
COMMENT ON COLUMN api.entries.draws IS 'The lots that it changed, and by how much.';
COMMENT ON COLUMN api.entries.module_id IS 'The module that was used.';
COMMENT ON COLUMN api.entries.usage IS 'What was used, per dimension.';
COMMENT ON COLUMN api.entries.price_id IS 'The version of the price.';
COMMENT ON COLUMN api.entries.reference IS 'The order, reason or package that it belongs to. For a capture: the hold, followed by :late if it had expired.';
COMMENT ON COLUMN api.entries.metadata IS 'What the caller noted with it.';
COMMENT ON COLUMN api.entries.hash IS 'The hash chain of the account at this entry.';
COMMENT ON COLUMN api.entries.debt_after IS 'The debt after the entry: tokens used that no lot could pay.';
COMMENT ON COLUMN api.entries.price_source IS 'Where the price comes from: module, category, or default (for every other module).';
COMMENT ON COLUMN api.entries.tags IS 'What the use was for: small texts by name. A refund has those of the charge. Null for no tags.';
CREATE TABLE credits.modules (
    module_id text NOT NULL,
    title text NOT NULL,
    category_id text,
    active boolean DEFAULT true NOT NULL,
    likeness text GENERATED ALWAYS AS (regexp_replace(lower((translate(NORMALIZE(module_id, NFKD), (((((((((((((((((((((((((((((((((((((((((((((('ȺɑΑαАаᎪᴀᶏⱥⱭⲀⲁꓮꭺ'::text || 'ßƀƁƂƃƄƅɃɓʙΒβВЪЬв'::text) || 'ъьᏏᏴᏼᵬᶀẞⲂⲃꓐꞖꞗꮟ'::text) || 'ƇƈȻȼɕΣςСсҪҫᏟᴄⲤⲥꓚ'::text) || 'ꞒꞓꞔꟄꮯ'::text) || 'ĐđƊƋƌȡɖɗԀԁᎠᏧᴅᵭᶁᶑ'::text) || 'ꓓꝹꝺꟇꟈꭰꮷ'::text) || 'ɆɇΕεЄЕеєҼҽҾҿԐԑᎬᴇ'::text) || 'ᶒ℮ⱸⲈⲉꓰꬲꬴꭼ'::text) || 'ƑƒϜϝҒғքᵮᶂẝꓝꜰꝻꝼꞘꞙ'::text) || 'ƓǤǥɠɡɢʛԌԍցᏀᶃꓖꝽꞠꞡ'::text) || 'Ɡꮐ'::text) || 'ĦħɦʜΗЂЋНнђћҢңҤҥҺ'::text) || 'һӇӈӉӊհᎻᏂⱧⱨⲎⲏꓧꞕꞪꮋ'::text) || 'ꮒ'::text) || 'ıƖƗɨɩɪΙιІіւᎥᵼᶖⲒⲓ'::text) || 'ꓲꭵ'::text) || 'ȷɈɉʝͿϳЈјյᎫᴊꓙꞲꭻ'::text) || 'ƘƙΚκКкҚқҜҝҞҟҠҡӃӄ'::text) || 'ԞԟᏦᴋᶄⱩⱪⲔⲕꓗꝀꝁꝂꝃꝄꝅ'::text) || 'Ꞣꞣꮶ'::text) || 'ŁłƚǀȴȽɫɬɭʟӀӏԼլᏞᴌ'::text) || 'ᶅⱠⱡⱢꓡꝈꝉꞎꞭꬷꬸꬹꮮ'::text) || 'ɱΜМмӍӎᎷᴍᵯᶆⱮⲘⲙꓟꬺꮇ'::text) || 'ƝƞȠȵɲɳɴΝηПпոռᵰᶇⲚ'::text) || 'ⲛꓠꞐꞑꞤꞥꬻ'::text) || 'ØøƟΟοσОоѲѳӨөՕօᴏⱺ'::text) || 'ⲞⲟꓳꝊꝋꝌꝍꬽ'::text) || 'ƤƥΡρРрҎҏᏢᴘᵱᵽᶈⱣⲢⲣ'::text) || 'ꓑꝐꝑꝒꝓꝔꝕꮲ'::text) || 'ɋʠԚԛԳգզꝖꝗꝘꝙꞯ'::text) || 'ɌɍɼɽɾʀГгҐґᎡᏒᵲᵳᶉⱤ'::text) || 'ꓣꝵꞂꞃꞦꞧꭆꭇꭈꭉꭋꭱꮢ'::text) || 'ȿʂЅѕՏᏕᏚᵴᶊⱾꓢꜱꞄꞅꞨꞩ'::text) || 'ꟅꟉꟊꮥꮪ'::text) || 'ŦŧƫƬƭƮȶȾʈΤτТтҬҭᎢ'::text) || 'ᴛᵵⱦⲦⲧꓔꞆꞇꭲ'::text) || 'ƱʊμυЏџՍսᴜᵿᶙꓴꞸꞹꭎꭒ'::text) || 'ƲɅʋʌνѴѵᏙᴠᶌⱱⱴꓦꝞꝟꮩ'::text) || 'ωШЩшщѠѡԜԝաᎳᏔᴡⱲⱳⲰ'::text) || 'ⲱꓪꮃꮤ'::text) || 'ΧχХхҲҳӼӽӾӿᶍⲬⲭꓫꭖꭗ'::text) || 'ꭘꭙ'::text) || 'ƳƴɎɏʏΥγУуҮүҰұᎩᎽỾ'::text) || 'ỿⲨⲩꓬꭚꭹꮍ'::text) || 'ƵƶȤȥɀʐʑΖᏃᴢᵶᶎⱫⱬⱿꓜ'::text) || 'Ᶎꮓ'::text), ((((('aaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcccccccccccccccccccccdddddddddddddddddddddddeeeeeee'::text || 'eeeeeeeeeeeeeeeeeeffffffffffffffffgggggggggggggggggghhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhiiiiiiiiiii'::text) || 'iiiiiiijjjjjjjjjjjjjjkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkklllllllllllllllllllllllllllllmmmmmmmmmmm'::text) || 'mmmmmnnnnnnnnnnnnnnnnnnnnnnnooooooooooooooooooooooooppppppppppppppppppppppppqqqqqqqqqqqqrrrrrrrr'::text) || 'rrrrrrrrrrrrrrrrrrrrrssssssssssssssssssssstttttttttttttttttttttttttuuuuuuuuuuuuuuuuvvvvvvvvvvvvv'::text) || 'vvvwwwwwwwwwwwwwwwwwwwwxxxxxxxxxxxxxxxxxxyyyyyyyyyyyyyyyyyyyyyyyzzzzzzzzzzzzzzzzzz'::text)) COLLATE "C")), '[\u0001-\u0020\u007F-\u00A0\u00AD\u02D7\u0300-\u036F\u0483-\u0489\u058A\u05BE\u061C\u115F\u1160\u1680\u17B4\u17B5\u1806\u180B-\u180F\u1AB0-\u1AFF\u1DC0-\u1DFF\u2000-\u2015\u2028-\u202F\u203F\u2040\u2043\u2054\u205F-\u206F\u20D0-\u20FF\u2212\u2800\u2E17\u2E1A\u2E2F\u2E3A\u2E3B\u2E40\u2E5D\u3000\u301C\u3030\u30A0\u3164\uFE00-\uFE0F\uFE20-\uFE2F\uFE33\uFE34\uFE4D-\uFE4F\uFE58\uFE63\uFEFF\uFF0D\uFFA0\uFFF9-\uFFFB\U00010EAD\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF_-]'::text, ''::text, 'g'::text)) STORED,
    CONSTRAINT modules_id_is_sane CHECK (((length(module_id) >= 1) AND (length(module_id) <= 200)))
);
ALTER TABLE ONLY credits.modules FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.modules IS 'What tokens can be spent on.';
COMMENT ON COLUMN credits.modules.likeness IS 'The id in the Latin letters that its letters look like, in small letters, without accents, white space, hyphens and underscores. Ids that look alike have the same likeness.';
CREATE VIEW api.failures WITH (security_invoker='true') AS
 SELECT f.failure_id,
    u.user_id,
    f.failed_at,
    f.module_id,
    m.title AS module_title,
    trim_scale(f.duration_ms) AS duration_ms,
    f.metadata
   FROM ((credits.failures f
     LEFT JOIN credits.modules m ON ((f.module_id = m.module_id)))
     LEFT JOIN LATERAL credits.user_of(f.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.failures IS 'Uses of the caller that failed and were not charged. A service sees those of every account.';
COMMENT ON COLUMN api.failures.failure_id IS 'The name of the failure.';
COMMENT ON COLUMN api.failures.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.failures.failed_at IS 'When it was reported.';
COMMENT ON COLUMN api.failures.module_id IS 'The module that failed.';
COMMENT ON COLUMN api.failures.module_title IS 'Its title, if the module is listed.';
COMMENT ON COLUMN api.failures.duration_ms IS 'How long it took, in milliseconds; null when it was not reported.';
COMMENT ON COLUMN api.failures.metadata IS 'What the service noted with it.';
CREATE VIEW api.holds WITH (security_invoker='true') AS
 SELECT ((h.account_id || ':'::text) || h.hold_id) AS hold_id,
    u.user_id,
    h.module_id,
        CASE
            WHEN x.lapsed THEN 'expired'::text
            ELSE (h.state)::text
        END AS state,
    trim_scale((h.tokens)::numeric) AS tokens,
        CASE
            WHEN x.lapsed THEN (0)::numeric
            ELSE trim_scale((h.held)::numeric)
        END AS held,
    trim_scale((h.captured)::numeric) AS captured,
    trim_scale((h.shortfall)::numeric) AS shortfall,
    h.usage,
    h.price_id,
    h.created_at,
    h.expires_at,
        CASE
            WHEN x.lapsed THEN h.expires_at
            ELSE h.finished_at
        END AS finished_at,
    round((EXTRACT(epoch FROM (
        CASE
            WHEN x.lapsed THEN h.expires_at
            ELSE h.finished_at
        END - h.created_at)) * (1000)::numeric), 3) AS duration_ms,
    h.late,
    h.reason,
    h.metadata,
    h.price_source,
    h.tags
   FROM ((credits.holds h
     CROSS JOIN LATERAL ( SELECT (((h.state)::text = 'open'::text) AND (h.expires_at <= credits.clock(h.account_id))) AS lapsed) x)
     LEFT JOIN LATERAL credits.user_of(h.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.holds IS 'The holds of the caller. A service sees those of every account.';
COMMENT ON COLUMN api.holds.hold_id IS 'Name of the hold: account:uuid.';
COMMENT ON COLUMN api.holds.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.holds.module_id IS 'The module that the hold is for.';
COMMENT ON COLUMN api.holds.state IS 'open, captured, released or expired. A hold that is captured late stays expired.';
COMMENT ON COLUMN api.holds.tokens IS 'Tokens held at the beginning: the worst case.';
COMMENT ON COLUMN api.holds.held IS 'Tokens still held.';
COMMENT ON COLUMN api.holds.captured IS 'Tokens charged so far.';
COMMENT ON COLUMN api.holds.shortfall IS 'The part of the cost of its captures that could not be paid.';
COMMENT ON COLUMN api.holds.usage IS 'The worst case, per dimension.';
COMMENT ON COLUMN api.holds.price_id IS 'The version of the price that applies to its captures.';
COMMENT ON COLUMN api.holds.created_at IS 'When the work began.';
COMMENT ON COLUMN api.holds.expires_at IS 'From this moment on the hold no longer counts.';
COMMENT ON COLUMN api.holds.finished_at IS 'When it was captured or released, or expired.';
COMMENT ON COLUMN api.holds.duration_ms IS 'From created_at to finished_at, in milliseconds.';
COMMENT ON COLUMN api.holds.late IS 'True if it was captured after it had expired.';
COMMENT ON COLUMN api.holds.reason IS 'Why it was released.';
COMMENT ON COLUMN api.holds.metadata IS 'What the caller noted with it.';
COMMENT ON COLUMN api.holds.price_source IS 'Where its price comes from: module, category, or default (for every other module).';
COMMENT ON COLUMN api.holds.tags IS 'What it is for: small texts by name. Null for no tags.';
CREATE VIEW api.lots WITH (security_invoker='true') AS
 SELECT l.lot_id,
    i.subject AS user_id,
    (l.source)::text AS source,
    l.package_name,
    trim_scale((l.granted)::numeric) AS granted,
    trim_scale(
        CASE
            WHEN ((l.expires_at <= credits.clock(l.account_id)) IS TRUE) THEN h.held
            ELSE l.remaining
        END) AS remaining,
    trim_scale(h.held) AS held,
    l.priority,
    l.scope,
    l.effective_at AS granted_at,
    l.expires_at,
    COALESCE((l.expires_at <= credits.clock(l.account_id)), false) AS expired,
    l.frozen,
    l.order_id,
    trim_scale((l.withheld)::numeric) AS withheld,
    trim_scale((l.reversed)::numeric) AS reversed
   FROM ((credits.current_lots l
     CROSS JOIN LATERAL ( SELECT (l.held - COALESCE(sum(d.tokens), (0)::numeric)) AS held
           FROM credits.held_draws d
          WHERE ((l.held > (0)::numeric) AND (d.account_id = l.account_id) AND (d.lot_id = l.lot_id) AND (d.expires_at <= credits.clock(l.account_id)))) h)
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = l.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));
COMMENT ON VIEW api.lots IS 'The lots of the caller. A service sees every account''s.';
COMMENT ON COLUMN api.lots.lot_id IS 'The seq of the entry that granted it.';
COMMENT ON COLUMN api.lots.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.lots.source IS 'Where it came from: purchase, bonus, grant, welcome …';
COMMENT ON COLUMN api.lots.package_name IS 'The package as which it was bought.';
COMMENT ON COLUMN api.lots.granted IS 'Tokens that came in.';
COMMENT ON COLUMN api.lots.remaining IS 'Tokens left in it.';
COMMENT ON COLUMN api.lots.held IS 'How many of these are reserved by open holds.';
COMMENT ON COLUMN api.lots.priority IS 'Lower is spent first.';
COMMENT ON COLUMN api.lots.scope IS 'The module:ID or category:ID that it is bound to. Null: not bound.';
COMMENT ON COLUMN api.lots.granted_at IS 'When it was granted.';
COMMENT ON COLUMN api.lots.expires_at IS 'From this moment on it counts for nothing. Null: it never expires.';
COMMENT ON COLUMN api.lots.expired IS 'Whether that moment has come.';
COMMENT ON COLUMN api.lots.frozen IS 'True while its payment is disputed. The tokens cannot be spent.';
COMMENT ON COLUMN api.lots.order_id IS 'The order that paid for it.';
COMMENT ON COLUMN api.lots.withheld IS 'Tokens that cannot be spent, because their money may go back: a refund is under way.';
COMMENT ON COLUMN api.lots.reversed IS 'Tokens that were taken back with their money.';
CREATE TABLE credits.module_categories (
    category_id text NOT NULL,
    title text NOT NULL
);
ALTER TABLE ONLY credits.module_categories FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.module_categories IS 'Groups of modules that may share a price.';
CREATE VIEW api.modules WITH (security_invoker='true') AS
 SELECT m.module_id,
    m.title,
    m.category_id,
    c.title AS category_title,
    credits.module_price(m.module_id) AS price
   FROM (credits.modules m
     LEFT JOIN credits.module_categories c ON ((m.category_id = c.category_id)))
  WHERE m.active
  ORDER BY m.category_id, m.module_id;
COMMENT ON VIEW api.modules IS 'What tokens can be spent on.';
COMMENT ON COLUMN api.modules.module_id IS 'The name to pass to api.consume_tokens.';
COMMENT ON COLUMN api.modules.title IS 'Title.';
COMMENT ON COLUMN api.modules.category_id IS 'The category of the module.';
COMMENT ON COLUMN api.modules.category_title IS 'Title of the category.';
COMMENT ON COLUMN api.modules.price IS 'The price valid now: {"price_id", "margin", "exchange_rate", "components": [{"dimension", "unit_size", "price_per_unit", "free_quantity", "whole_units", "whole_quantity", "minimum_charge", "tiers": [{"above", "price_per_unit"}]}]}; null if it is not for sale.';
CREATE VIEW api.notices WITH (security_invoker='true') AS
 SELECT o.notice_id,
    u.user_id,
    o.kind,
    o.facts,
    o.created_at,
    (o.delivered_at IS NOT NULL) AS delivered
   FROM (credits.outbox o
     LEFT JOIN LATERAL credits.user_of(o.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.notices IS 'The notices of the caller. A service sees those of every account.';
COMMENT ON COLUMN api.notices.notice_id IS 'Name for api.acknowledge_notices.';
COMMENT ON COLUMN api.notices.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.notices.kind IS 'low_balance, depleted, expiring_soon, top_up_failed, top_up_paused and the others in docs/webhooks.md. granted and expired only where an endpoint takes them.';
COMMENT ON COLUMN api.notices.facts IS 'For low_balance: balance and threshold. For depleted: balance. For expiring_soon: lot_id, tokens and expires_at. For top_up_failed and top_up_paused: reason, state, amount and currency of a top-up, and order_id, declines, next_try_at, link and link_until where there are any.';
COMMENT ON COLUMN api.notices.created_at IS 'When the balance fell below the threshold, or the lot came close to its expiry.';
COMMENT ON COLUMN api.notices.delivered IS 'Whether a service has acknowledged it.';
CREATE VIEW api.orders WITH (security_invoker='true') AS
 SELECT o.order_id,
    u.user_id,
    o.state,
    o.pack_id,
    o.package_name,
        CASE
            WHEN ((o.scope ~~ 'module:%'::text) IS TRUE) THEN substr(o.scope, 8)
            ELSE NULL::text
        END AS module_id,
    trim_scale((o.tokens)::numeric) AS tokens,
    trim_scale((o.bonus_tokens)::numeric) AS bonus_tokens,
    o.amount,
    o.currency,
    o.checkout_session_id,
    o.created_at,
    o.paid_at,
    o.scope,
    o.kind,
    o.paid,
    o.reversed,
    o.reversal_pending,
    o.disputed
   FROM (credits.orders o
     LEFT JOIN LATERAL credits.user_of(o.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.orders IS 'The orders of the caller. A service sees those of every account.';
COMMENT ON COLUMN api.orders.order_id IS 'Name of the order.';
COMMENT ON COLUMN api.orders.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.orders.state IS 'pending, processing (paid later), paid, failed, expired, or parked (under review).';
COMMENT ON COLUMN api.orders.pack_id IS 'The pack; null for a top-up of an amount.';
COMMENT ON COLUMN api.orders.package_name IS 'What was bought.';
COMMENT ON COLUMN api.orders.module_id IS 'The module that the tokens are bound to. Null when they are bound to nothing, or to a category.';
COMMENT ON COLUMN api.orders.tokens IS 'Tokens bought.';
COMMENT ON COLUMN api.orders.bonus_tokens IS 'Tokens that come free with them.';
COMMENT ON COLUMN api.orders.amount IS 'Price in minor units of currency.';
COMMENT ON COLUMN api.orders.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.orders.checkout_session_id IS 'Stripe Checkout session.';
COMMENT ON COLUMN api.orders.created_at IS 'When it was ordered.';
COMMENT ON COLUMN api.orders.paid_at IS 'When it was paid and granted.';
COMMENT ON COLUMN api.orders.scope IS 'module:ID or category:ID that the tokens are bound to. Null when they pay for any module.';
COMMENT ON COLUMN api.orders.kind IS 'checkout (bought on a page), auto_topup (charged by a standing consent) or subscription (a paid invoice of a plan).';
COMMENT ON COLUMN api.orders.paid IS 'What arrived for it, with tax, in minor units of currency. Null until it is paid.';
COMMENT ON COLUMN api.orders.reversed IS 'How much of that has gone back, by refunds and disputes, in minor units. The tokens went with it.';
COMMENT ON COLUMN api.orders.reversal_pending IS 'How much of it is being refunded, in minor units. Its tokens are withheld.';
COMMENT ON COLUMN api.orders.disputed IS 'Whether its tokens are frozen, because the payment is disputed.';
CREATE TABLE credits.currencies (
    currency text NOT NULL,
    minor_digits bigint NOT NULL,
    step bigint DEFAULT 1 NOT NULL,
    minimum bigint,
    maximum bigint DEFAULT 99999999 NOT NULL,
    rough_minimum bigint,
    CONSTRAINT currencies_are_iso CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT currencies_digits_are_sane CHECK ((minor_digits = ANY (ARRAY[(0)::bigint, (2)::bigint, (3)::bigint]))),
    CONSTRAINT currencies_minimum_is_sane CHECK (((minimum IS NULL) OR ((minimum > 0) AND (minimum <= maximum) AND ((minimum % step) = 0)))),
    CONSTRAINT currencies_rough_minimum_is_sane CHECK (
CASE
    WHEN (minimum IS NULL) THEN COALESCE(((rough_minimum > 0) AND (rough_minimum <= maximum) AND ((rough_minimum % step) = 0)), false)
    ELSE (rough_minimum IS NULL)
END),
    CONSTRAINT currencies_step_is_sane CHECK ((step = ANY (ARRAY[(1)::bigint, (10)::bigint, (100)::bigint])))
);
ALTER TABLE ONLY credits.currencies FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.currencies IS 'The currencies that Stripe takes payments in (docs.stripe.com/currencies), ISO 4217, lower case.';
COMMENT ON COLUMN credits.currencies.minor_digits IS 'How many decimals the unit has that Stripe counts amounts in: 2 for cents, 0 where it counts whole units. Also 2 for isk and ugx, which have no hundredths: their step is 100.';
COMMENT ON COLUMN credits.currencies.step IS 'Every amount is a multiple of this: 100 where only whole units can be charged (isk, ugx), 10 where the last of three digits must be 0 (bhd, jod, kwd, omr, tnd), otherwise 1.';
COMMENT ON COLUMN credits.currencies.minimum IS 'Smallest charge, in minor units, for an account that is paid out in this currency. Null when Stripe does not name one. For an account that is paid out in another currency the minimum of that currency applies, converted at the rate of the day, which is not known here.';
COMMENT ON COLUMN credits.currencies.maximum IS 'Largest charge, in minor units: as many digits as Stripe accepts; for lbp, cop, huf and jpy, those of payments by card.';
COMMENT ON COLUMN credits.currencies.rough_minimum IS 'Where Stripe lists no smallest charge: an amount, in minor units, that is worth less than Stripe charges anywhere. It is about 0.25 USD at the rates of 2025, where Stripe requires about 0.50 USD at the rate of the day. It is too low on purpose: it finds prices that are a hundred times too small, and refuses no price that could be paid.';
CREATE TABLE credits.packs (
    pack_id text NOT NULL,
    title text NOT NULL,
    scope text,
    tokens credits.tokens NOT NULL,
    bonus_tokens credits.tokens DEFAULT 0 NOT NULL,
    expires_after interval,
    amount bigint NOT NULL,
    currency text NOT NULL,
    stripe_price_id text,
    popular boolean DEFAULT false NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT packs_amount_is_positive CHECK ((amount > 0)),
    CONSTRAINT packs_bonus_is_not_negative CHECK (((bonus_tokens)::numeric >= (0)::numeric)),
    CONSTRAINT packs_currency_is_iso CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT packs_expiry_is_positive CHECK ((expires_after > '00:00:00'::interval)),
    CONSTRAINT packs_tokens_are_positive CHECK (((tokens)::numeric > (0)::numeric))
);
ALTER TABLE ONLY credits.packs FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.packs IS 'What can be bought.';
COMMENT ON COLUMN credits.packs.scope IS 'module:ID or category:ID that its tokens are bound to. Null when the buyer may choose, or leave them unbound.';
COMMENT ON COLUMN credits.packs.expires_after IS 'How long the tokens last after the payment. Null when they never expire.';
COMMENT ON COLUMN credits.packs.amount IS 'Price in the minor unit of the currency (cents).';
COMMENT ON COLUMN credits.packs.stripe_price_id IS 'Price object at Stripe (price_…), if one is configured. Otherwise the amount is sent.';
CREATE VIEW api.packs WITH (security_invoker='true') AS
 WITH compared AS (
         SELECT p.pack_id,
            p.title,
            p.scope,
            p.tokens,
            p.bonus_tokens,
            p.expires_after,
            p.amount,
            p.currency,
            p.stripe_price_id,
            p.popular,
            p."position",
            p.active,
            ((p.tokens)::numeric + (p.bonus_tokens)::numeric) AS total,
            ((p.amount)::numeric / ((p.tokens)::numeric + (p.bonus_tokens)::numeric)) AS unit_price,
            first_value(p.amount) OVER dearest_first AS dearest_amount,
            first_value(((p.tokens)::numeric + (p.bonus_tokens)::numeric)) OVER dearest_first AS dearest_total,
            row_number() OVER (PARTITION BY p.currency ORDER BY ((p.amount)::numeric / ((p.tokens)::numeric + (p.bonus_tokens)::numeric)), p.amount, p."position", p.pack_id) AS rank
           FROM credits.packs p
          WHERE p.active
          WINDOW dearest_first AS (PARTITION BY p.currency ORDER BY ((p.amount)::numeric / ((p.tokens)::numeric + (p.bonus_tokens)::numeric)) DESC)
        )
 SELECT c.pack_id,
    c.title AS package_name,
    trim_scale((c.tokens)::numeric) AS tokens,
    trim_scale((c.bonus_tokens)::numeric) AS bonus_tokens,
    c.amount,
    c.currency,
    c.popular,
    c."position",
    credits.interval_text(c.expires_after) AS expires_after,
    trim_scale(round(c.unit_price, 6)) AS amount_per_token,
    trim_scale((div((((c.total * (c.dearest_amount)::numeric) - ((c.amount)::numeric * c.dearest_total)) * (10000)::numeric), (c.total * (c.dearest_amount)::numeric)) / 100.00)) AS saving_percent,
    ((c.rank = 1) AND ((c.total * (c.dearest_amount)::numeric) > ((c.amount)::numeric * c.dearest_total))) AS best_value,
    c.scope,
    round(((c.amount)::numeric / power((10)::numeric, (m.minor_digits)::numeric)), (m.minor_digits)::integer) AS price
   FROM (compared c
     JOIN credits.currencies m ON ((c.currency = m.currency)))
  ORDER BY c."position", c.pack_id;
COMMENT ON VIEW api.packs IS 'What can be bought. position gives the order.';
COMMENT ON COLUMN api.packs.pack_id IS 'Name for api.create_order.';
COMMENT ON COLUMN api.packs.package_name IS 'Title.';
COMMENT ON COLUMN api.packs.tokens IS 'Tokens in it.';
COMMENT ON COLUMN api.packs.bonus_tokens IS 'Tokens that come free with these.';
COMMENT ON COLUMN api.packs.amount IS 'Price in the unit that Stripe counts the currency in (cents).';
COMMENT ON COLUMN api.packs.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.packs.popular IS 'Whether this is the pack to show first.';
COMMENT ON COLUMN api.packs."position" IS 'Order of display.';
COMMENT ON COLUMN api.packs.expires_after IS 'How long the tokens last. Null when they never expire.';
COMMENT ON COLUMN api.packs.amount_per_token IS 'Minor units of the currency for one token, including the bonus, to six decimals.';
COMMENT ON COLUMN api.packs.saving_percent IS 'By how many percent a token is cheaper than in the dearest pack of the same currency, rounded down to two decimals.';
COMMENT ON COLUMN api.packs.best_value IS 'Whether its tokens are the cheapest in its currency, and cheaper than those of another pack. True for one pack at most.';
COMMENT ON COLUMN api.packs.scope IS 'module:ID or category:ID that its tokens are bound to. Null when the buyer may choose, or leave them unbound.';
COMMENT ON COLUMN api.packs.price IS 'amount in whole units of the currency, for display: 39.99. Not every currency has hundredths.';
CREATE TABLE credits.plans (
    plan_id text NOT NULL,
    title text NOT NULL,
    free boolean NOT NULL,
    popular boolean DEFAULT false NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL
);
ALTER TABLE ONLY credits.plans FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.plans IS 'What can be subscribed to: names, and how they are shown.';
COMMENT ON COLUMN credits.plans.free IS 'Whether it costs nothing. This never changes.';
COMMENT ON COLUMN credits.plans.active IS 'False: nobody can subscribe to it any more. Its subscribers keep it.';
CREATE VIEW api.plans WITH (security_invoker='true') AS
 SELECT p.plan_id,
    p.title,
    trim_scale((v.allowance)::numeric) AS allowance,
    v.period_unit AS "interval",
    v.period_count AS interval_count,
    v.amount,
    v.currency,
    COALESCE(round(((v.amount)::numeric / power((10)::numeric, (c.minor_digits)::numeric)), (c.minor_digits)::integer), (0)::numeric) AS price,
    p.free,
    p.popular,
    p."position",
    v.trial_days,
    trim_scale((v.trial_allowance)::numeric) AS trial_allowance,
    trim_scale((v.rollover_cap)::numeric) AS rollover_cap,
    trim_scale(v.rollover_percent) AS rollover_percent,
    credits.interval_text(v.rollover_expires_after) AS rollover_expires_after,
    v.scope
   FROM ((credits.plans p
     JOIN credits.plan_versions v ON ((p.plan_id = v.plan_id)))
     LEFT JOIN credits.currencies c ON ((v.currency = c.currency)))
  WHERE (p.active AND (NOT (EXISTS ( SELECT
           FROM credits.plan_versions later
          WHERE ((later.plan_id = v.plan_id) AND (later.version > v.version))))))
  ORDER BY p."position", p.plan_id;
COMMENT ON VIEW api.plans IS 'What can be subscribed to. position gives the order.';
COMMENT ON COLUMN api.plans.plan_id IS 'Name for POST /checkout.';
COMMENT ON COLUMN api.plans.title IS 'Title.';
COMMENT ON COLUMN api.plans.allowance IS 'Tokens for each period.';
COMMENT ON COLUMN api.plans."interval" IS 'month or year: the unit of a period.';
COMMENT ON COLUMN api.plans.interval_count IS 'How many of these a period lasts.';
COMMENT ON COLUMN api.plans.amount IS 'Price of a period in the unit that Stripe counts the currency in (cents). 0: the free plan.';
COMMENT ON COLUMN api.plans.currency IS 'ISO 4217, lower case. Null for a free plan that names none.';
COMMENT ON COLUMN api.plans.price IS 'amount in whole units of the currency, for display: 39.99. Not every currency has hundredths.';
COMMENT ON COLUMN api.plans.free IS 'Whether it costs nothing. Accounts without a paid plan have it, and nobody pays for it at Stripe.';
COMMENT ON COLUMN api.plans.popular IS 'Whether this is the plan to show first.';
COMMENT ON COLUMN api.plans."position" IS 'Order of display.';
COMMENT ON COLUMN api.plans.trial_days IS 'Length of the free trial in days. 0: it has no trial.';
COMMENT ON COLUMN api.plans.trial_allowance IS 'Tokens that the free trial brings.';
COMMENT ON COLUMN api.plans.rollover_cap IS 'How many tokens at most roll over into the next period. Null: no bound, if rollover_percent is given.';
COMMENT ON COLUMN api.plans.rollover_percent IS 'How much of what is left rolls over into the next period. Null: all of it, if rollover_cap is given; otherwise nothing.';
COMMENT ON COLUMN api.plans.rollover_expires_after IS 'How long these tokens last, from the beginning of the next period. Null: as long as that period.';
COMMENT ON COLUMN api.plans.scope IS 'module:ID or category:ID that its tokens are bound to. Null: they are not bound.';
CREATE TABLE credits.referrals (
    account_id uuid NOT NULL,
    referrer_id uuid NOT NULL,
    campaign_id text NOT NULL,
    code text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    order_id uuid,
    reward_lot_id bigint,
    CONSTRAINT referrals_not_oneself CHECK ((referrer_id <> account_id)),
    CONSTRAINT referrals_settled_has_time CHECK (((state = 'pending'::text) = (settled_at IS NULL))),
    CONSTRAINT referrals_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'paid'::text, 'capped'::text, 'lapsed'::text])))
);
ALTER TABLE ONLY credits.referrals FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.referrals IS 'Who was brought (account_id), and by whom. An account has one referrer, who never changes.';
COMMENT ON COLUMN credits.referrals.referrer_id IS 'An account, without a foreign key: keys between accounts would not allow several servers.';
COMMENT ON COLUMN credits.referrals.state IS 'pending until the first paid purchase. Then paid, capped (a limit of the referrer or of the campaign was reached) or lapsed (the campaign had ended, or the referrer''s account was closed).';
CREATE VIEW api.referrals WITH (security_invoker='true') AS
 SELECT u.user_id,
    r.code,
    r.campaign_id,
    r.state,
    r.created_at,
    r.settled_at
   FROM (credits.referrals r
     LEFT JOIN LATERAL credits.user_of(r.referrer_id) u(user_id) ON (true));
COMMENT ON VIEW api.referrals IS 'The users whom the caller has brought, without their names. A service sees everybody''s.';
COMMENT ON COLUMN api.referrals.user_id IS 'The user id (sub) of the referrer.';
COMMENT ON COLUMN api.referrals.code IS 'The code that they used.';
COMMENT ON COLUMN api.referrals.campaign_id IS 'The campaign that rewards it.';
COMMENT ON COLUMN api.referrals.state IS 'pending until their first purchase, then paid, capped (a limit was reached) or lapsed (the campaign had ended).';
COMMENT ON COLUMN api.referrals.created_at IS 'When they used the code.';
COMMENT ON COLUMN api.referrals.settled_at IS 'When they bought for the first time.';
CREATE TABLE credits.refund_requests (
    account_id uuid NOT NULL,
    request_id uuid DEFAULT gen_random_uuid() NOT NULL,
    order_id uuid NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    tokens credits.amount NOT NULL,
    amount bigint NOT NULL,
    reason text,
    trouble text,
    refund_id text,
    actor text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT refund_requests_amount_is_positive CHECK ((amount > 0)),
    CONSTRAINT refund_requests_end_has_time CHECK (((state = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT refund_requests_refund_is_named CHECK (((state <> 'refunded'::text) OR (refund_id IS NOT NULL))),
    CONSTRAINT refund_requests_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'refunded'::text, 'failed'::text])))
);
ALTER TABLE ONLY credits.refund_requests FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.refund_requests IS 'Refunds that we started. While one is open, its tokens are withheld on the lots of its order.';
COMMENT ON COLUMN credits.refund_requests.tokens IS 'The tokens that go back when Stripe has refunded the amount.';
COMMENT ON COLUMN credits.refund_requests.amount IS 'In minor units of the currency of the order.';
CREATE VIEW api.refund_requests WITH (security_invoker='true') AS
 SELECT r.request_id,
    u.user_id,
    r.order_id,
    r.state,
    trim_scale((r.tokens)::numeric) AS tokens,
    r.amount,
    o.currency,
    r.reason,
    r.trouble,
    r.refund_id,
    r.requested_at,
    r.ended_at
   FROM ((credits.refund_requests r
     JOIN credits.orders o ON (((r.account_id = o.account_id) AND (r.order_id = o.order_id))))
     LEFT JOIN LATERAL credits.user_of(r.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.refund_requests IS 'The refunds that services requested, of every account. For services and support.';
COMMENT ON COLUMN api.refund_requests.request_id IS 'Name of the request.';
COMMENT ON COLUMN api.refund_requests.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.refund_requests.order_id IS 'The order that is refunded.';
COMMENT ON COLUMN api.refund_requests.state IS 'open (Stripe has not answered; the tokens are withheld), refunded, or failed (the tokens are free again).';
COMMENT ON COLUMN api.refund_requests.tokens IS 'The tokens that go back.';
COMMENT ON COLUMN api.refund_requests.amount IS 'The money that goes back, in minor units of currency.';
COMMENT ON COLUMN api.refund_requests.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.refund_requests.reason IS 'Why, in the words of the service.';
COMMENT ON COLUMN api.refund_requests.trouble IS 'Why Stripe did not refund it.';
COMMENT ON COLUMN api.refund_requests.refund_id IS 'The refund at Stripe.';
COMMENT ON COLUMN api.refund_requests.requested_at IS 'When it was requested.';
COMMENT ON COLUMN api.refund_requests.ended_at IS 'When Stripe answered.';
CREATE TABLE credits.releases (
    one_row boolean DEFAULT true NOT NULL,
    program text NOT NULL,
    server bigint NOT NULL,
    migration text NOT NULL,
    digest text NOT NULL,
    files jsonb NOT NULL,
    functions_digest text NOT NULL,
    columns_digest text NOT NULL,
    hardened boolean NOT NULL,
    released_at timestamp with time zone NOT NULL,
    CONSTRAINT releases_are_one_row CHECK (one_row)
);
ALTER TABLE ONLY credits.releases FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.releases IS 'What the last pgcredits migrate left: one row, written in its transaction.';
COMMENT ON COLUMN credits.releases.program IS 'Version of pgcredits.';
COMMENT ON COLUMN credits.releases.server IS 'Major version of PostgreSQL, which decides how it spells definitions.';
COMMENT ON COLUMN credits.releases.migration IS 'The newest migration.';
COMMENT ON COLUMN credits.releases.digest IS 'Digest of everything that decides the outcome of migrate: the files, the versions, the month.';
COMMENT ON COLUMN credits.releases.files IS 'Digest of each file of sql/.';
COMMENT ON COLUMN credits.releases.functions_digest IS 'credits.functions_digest() as it was then.';
COMMENT ON COLUMN credits.releases.columns_digest IS 'credits.columns_digest() as it was then.';
COMMENT ON COLUMN credits.releases.hardened IS 'Whether the database is the bank''s own: PUBLIC may neither connect nor make temporary objects (--harden-database).';
CREATE VIEW api.release WITH (security_invoker='true') AS
 SELECT migration,
    program,
    released_at,
    ((functions_digest = credits.functions_digest()) AND (columns_digest = credits.columns_digest())) AS whole
   FROM credits.releases r;
COMMENT ON VIEW api.release IS 'What the last pgcredits migrate left in this database: one row, for services.';
COMMENT ON COLUMN api.release.migration IS 'The newest migration.';
COMMENT ON COLUMN api.release.program IS 'Version of the pgcredits program that migrated.';
COMMENT ON COLUMN api.release.released_at IS 'When it migrated.';
COMMENT ON COLUMN api.release.whole IS 'Whether functions and columns are as it left them. False when something was changed by hand, or by an older pgcredits.';
CREATE TABLE credits.reversals (
    account_id uuid NOT NULL,
    reversal_id text NOT NULL,
    order_id uuid NOT NULL,
    kind text NOT NULL,
    amount bigint NOT NULL,
    status text NOT NULL,
    withdrawals bigint DEFAULT 0 NOT NULL,
    reinstatements bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT reversals_amount_is_not_negative CHECK ((amount >= 0)),
    CONSTRAINT reversals_counts_are_sane CHECK (((withdrawals >= 0) AND (reinstatements >= 0))),
    CONSTRAINT reversals_kind_is_known CHECK ((kind = ANY (ARRAY['refund'::text, 'refunded_charge'::text, 'dispute'::text, 'fraud_warning'::text, 'failed_payment'::text])))
);
ALTER TABLE ONLY credits.reversals FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.reversals IS 'Objects at Stripe that take the money of an order back, or may: refunds, disputes, fraud warnings, failed payments. Each row is what all events together say about one object.';
COMMENT ON COLUMN credits.reversals.reversal_id IS 'The id of the object at Stripe: re_…, dp_…, issfr_…, ch_…, cs_….';
COMMENT ON COLUMN credits.reversals.kind IS 'refund; refunded_charge (what a charge says was refunded of it in all); dispute; fraud_warning; failed_payment (the session of a payment that failed after it had succeeded).';
COMMENT ON COLUMN credits.reversals.amount IS 'Minor units of the currency of the order.';
COMMENT ON COLUMN credits.reversals.status IS 'The furthest status that an event reported (credits.reversal_rank). requested: asked for here, and not known at Stripe yet.';
COMMENT ON COLUMN credits.reversals.withdrawals IS 'How often the money of a dispute was withdrawn.';
COMMENT ON COLUMN credits.reversals.reinstatements IS 'How often it was reinstated.';
COMMENT ON COLUMN credits.reversals.created_at IS 'When the first event about it happened; of a failed payment the last one. By Stripe''s clock.';
COMMENT ON COLUMN credits.reversals.changed_at IS 'When an event last said something new about it.';
CREATE VIEW api.reversals WITH (security_invoker='true') AS
 SELECT r.reversal_id,
    u.user_id,
    r.order_id,
    r.kind,
    r.amount,
    o.currency,
    r.status,
    ((r.kind = 'dispute'::text) AND (r.withdrawals > r.reinstatements)) AS withdrawn,
    r.created_at,
    r.changed_at
   FROM ((credits.reversals r
     JOIN credits.orders o ON (((r.account_id = o.account_id) AND (r.order_id = o.order_id))))
     LEFT JOIN LATERAL credits.user_of(r.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.reversals IS 'Refunds and disputes of the orders of the caller. A service sees those of every account.';
COMMENT ON COLUMN api.reversals.reversal_id IS 'Its id at Stripe: re_…, dp_…, issfr_…, ch_… or cs_…. For what Stripe credited for a period, credit_ and its invoice.';
COMMENT ON COLUMN api.reversals.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.reversals.order_id IS 'The order whose money goes back.';
COMMENT ON COLUMN api.reversals.kind IS 'refund, refunded_charge (what a charge says was refunded of it in all), dispute, fraud_warning or failed_payment.';
COMMENT ON COLUMN api.reversals.amount IS 'Minor units of currency.';
COMMENT ON COLUMN api.reversals.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.reversals.status IS 'Its status at Stripe, the furthest that was reported.';
COMMENT ON COLUMN api.reversals.withdrawn IS 'Whether the money of a dispute is gone now.';
COMMENT ON COLUMN api.reversals.created_at IS 'When it began, by Stripe''s clock.';
COMMENT ON COLUMN api.reversals.changed_at IS 'When something new was last reported about it.';
CREATE TABLE credits.shortfalls (
    account_id uuid NOT NULL,
    shortfall_id uuid DEFAULT gen_random_uuid() NOT NULL,
    hold_id uuid NOT NULL,
    entry_seq bigint NOT NULL,
    tokens credits.amount NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT shortfalls_closed_has_time CHECK (((state = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT shortfalls_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'settled'::text, 'written_off'::text]))),
    CONSTRAINT shortfalls_tokens_are_positive CHECK (((tokens)::numeric > (0)::numeric))
);
ALTER TABLE ONLY credits.shortfalls FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.shortfalls IS 'The part of the cost of finished work that neither lots nor debt could pay. It is not part of any balance. The operator settles it or writes it off.';
COMMENT ON COLUMN credits.shortfalls.entry_seq IS 'The capture that charged what could be paid.';
CREATE VIEW api.shortfalls WITH (security_invoker='true') AS
 SELECT ((s.account_id || ':'::text) || s.shortfall_id) AS shortfall_id,
    u.user_id,
    ((s.account_id || ':'::text) || s.hold_id) AS hold_id,
    ((s.account_id || ':'::text) || s.entry_seq) AS entry_id,
    trim_scale((s.tokens)::numeric) AS tokens,
    s.state,
    s.created_at,
    s.closed_at
   FROM (credits.shortfalls s
     LEFT JOIN LATERAL credits.user_of(s.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.shortfalls IS 'What captures of the caller cost beyond what could be paid. A service sees those of every account.';
COMMENT ON COLUMN api.shortfalls.shortfall_id IS 'Name of the shortfall: account:uuid.';
COMMENT ON COLUMN api.shortfalls.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.shortfalls.hold_id IS 'The hold that was captured.';
COMMENT ON COLUMN api.shortfalls.entry_id IS 'The entry that charged what could be paid.';
COMMENT ON COLUMN api.shortfalls.tokens IS 'Tokens that were not paid.';
COMMENT ON COLUMN api.shortfalls.state IS 'open, settled or written_off.';
COMMENT ON COLUMN api.shortfalls.created_at IS 'When the work was captured.';
COMMENT ON COLUMN api.shortfalls.closed_at IS 'When it was settled or written off.';
CREATE TABLE credits.spend_limits (
    account_id uuid NOT NULL,
    set_by text NOT NULL,
    period text NOT NULL,
    tokens credits.amount NOT NULL,
    period_starts timestamp with time zone NOT NULL,
    spent_before credits.tokens NOT NULL,
    CONSTRAINT spend_limits_period_is_known CHECK ((period = ANY (ARRAY['day'::text, 'month'::text]))),
    CONSTRAINT spend_limits_set_by_is_known CHECK ((set_by = ANY (ARRAY['user'::text, 'service'::text])))
);
ALTER TABLE ONLY credits.spend_limits FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.spend_limits IS 'What an account may spend in a day or month (UTC). A user sets and lifts their own limit. The limit of a service applies as well.';
COMMENT ON COLUMN credits.spend_limits.period_starts IS 'The day or month that spent_before belongs to.';
COMMENT ON COLUMN credits.spend_limits.spent_before IS 'wallets.lifetime_spent when the period began. The difference is what was spent in the period.';
CREATE VIEW api.spend_limits WITH (security_invoker='true') AS
 SELECT u.user_id,
    s.period,
    s.set_by,
    trim_scale((s.tokens)::numeric) AS tokens,
    trim_scale(p.spent) AS spent,
    trim_scale(GREATEST(COALESCE((((s.tokens)::numeric - p.spent) - credits.held_at(s.account_id, c.shows)), (0)::numeric), (0)::numeric)) AS remaining,
    credits.next_period(s.period, c.shows) AS resets_at
   FROM ((((credits.spend_limits s
     JOIN credits.wallets w ON ((s.account_id = w.account_id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(w.test_clock, credits.clock()) AS shows) c)
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (s.period_starts < credits.period_start(s.period, c.shows)) THEN (0)::numeric
                    ELSE ((w.lifetime_spent)::numeric - (s.spent_before)::numeric)
                END AS spent) p)
     LEFT JOIN LATERAL credits.user_of(s.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.spend_limits IS 'The spend limits of the caller. A service sees those of every account.';
COMMENT ON COLUMN api.spend_limits.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.spend_limits.period IS 'day or month, in UTC.';
COMMENT ON COLUMN api.spend_limits.set_by IS 'user or service. The stricter of the two applies.';
COMMENT ON COLUMN api.spend_limits.tokens IS 'What may be spent in the period.';
COMMENT ON COLUMN api.spend_limits.spent IS 'What has been spent in the period.';
COMMENT ON COLUMN api.spend_limits.remaining IS 'What may still be spent. Tokens that are held count as spent.';
COMMENT ON COLUMN api.spend_limits.resets_at IS 'When the next period begins.';
CREATE VIEW api.subscriptions WITH (security_invoker='true') AS
 SELECT s.subscription_id,
    u.user_id,
    s.plan_id,
    p.title,
    s.status,
    s.quantity,
    trim_scale(((v.allowance)::numeric * (s.quantity)::numeric)) AS allowance,
    (v.amount * s.quantity) AS amount,
    v.currency,
    COALESCE(s.period_starts_at, g.period_starts_at) AS period_starts_at,
    COALESCE(s.period_ends_at, g.period_ends_at) AS period_ends_at,
    s.cancel_at_period_end,
    s.cancel_at,
    s.pause,
    s.resumes_at,
    s.trial_ends_at,
    s.ended_at,
    f.amount_due AS unpaid_amount,
    f.pay_url,
    f.next_attempt_at
   FROM (((((credits.subscriptions s
     LEFT JOIN credits.plans p ON ((s.plan_id = p.plan_id)))
     LEFT JOIN credits.plan_versions v ON (((s.plan_id = v.plan_id) AND (s.version = v.version))))
     LEFT JOIN LATERAL credits.user_of(s.account_id) u(user_id) ON (true))
     LEFT JOIN LATERAL ( SELECT i.period_starts_at,
            i.period_ends_at
           FROM credits.subscription_invoices i
          WHERE ((i.account_id = s.account_id) AND (i.subscription_id = s.subscription_id) AND (i.order_id IS NOT NULL))
          ORDER BY i.period_ends_at DESC
         LIMIT 1) g ON (true))
     LEFT JOIN LATERAL ( SELECT i.amount_due,
            i.pay_url,
            i.next_attempt_at
           FROM credits.subscription_invoices i
          WHERE ((i.account_id = s.account_id) AND (i.subscription_id = s.subscription_id) AND (i.state = 'open'::text) AND (i.attempts > 0))
          ORDER BY i.created_at DESC
         LIMIT 1) f ON (true))
UNION ALL
 SELECT NULL::text AS subscription_id,
    u.user_id,
    f.plan_id,
    p.title,
        CASE
            WHEN (f.lot_id IS NULL) THEN 'paused'::text
            ELSE 'active'::text
        END AS status,
    1 AS quantity,
    trim_scale((v.allowance)::numeric) AS allowance,
    0 AS amount,
    v.currency,
    f.period_starts_at,
    f.period_ends_at,
    false AS cancel_at_period_end,
    NULL::timestamp with time zone AS cancel_at,
    NULL::text AS pause,
    NULL::timestamp with time zone AS resumes_at,
    NULL::timestamp with time zone AS trial_ends_at,
    NULL::timestamp with time zone AS ended_at,
    NULL::bigint AS unpaid_amount,
    NULL::text AS pay_url,
    NULL::timestamp with time zone AS next_attempt_at
   FROM (((credits.free_periods f
     JOIN credits.plans p ON ((f.plan_id = p.plan_id)))
     JOIN credits.plan_versions v ON (((f.plan_id = v.plan_id) AND (f.version = v.version))))
     LEFT JOIN LATERAL credits.user_of(f.account_id) u(user_id) ON (true))
  WHERE (NOT (EXISTS ( SELECT
           FROM credits.free_periods later
          WHERE ((later.account_id = f.account_id) AND (later.period_starts_at > f.period_starts_at)))));
COMMENT ON VIEW api.subscriptions IS 'The plans that the caller has: subscriptions at Stripe, and the free plan. A service sees those of every account.';
COMMENT ON COLUMN api.subscriptions.subscription_id IS 'Stripe''s id. Null for the free plan.';
COMMENT ON COLUMN api.subscriptions.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.subscriptions.plan_id IS 'The plan. Null when no plan has the price that Stripe charges.';
COMMENT ON COLUMN api.subscriptions.title IS 'Its title.';
COMMENT ON COLUMN api.subscriptions.status IS 'incomplete (not paid yet), incomplete_expired, trialing, active, past_due (an invoice could not be collected), unpaid, paused or canceled. The free plan is active, or paused while a paid plan takes its place.';
COMMENT ON COLUMN api.subscriptions.quantity IS 'How many units of the plan, such as seats.';
COMMENT ON COLUMN api.subscriptions.allowance IS 'Tokens for each period.';
COMMENT ON COLUMN api.subscriptions.amount IS 'Price of each period in minor units of currency.';
COMMENT ON COLUMN api.subscriptions.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.subscriptions.period_starts_at IS 'When the present period began.';
COMMENT ON COLUMN api.subscriptions.period_ends_at IS 'When it ends. Its allowance expires then.';
COMMENT ON COLUMN api.subscriptions.cancel_at_period_end IS 'Whether it ends with this period.';
COMMENT ON COLUMN api.subscriptions.cancel_at IS 'When it will be cancelled, if that is planned.';
COMMENT ON COLUMN api.subscriptions.pause IS 'What happens to invoices while collection is paused: keep_as_draft, mark_uncollectible or void. Null: not paused.';
COMMENT ON COLUMN api.subscriptions.resumes_at IS 'When collection resumes, if that is planned.';
COMMENT ON COLUMN api.subscriptions.trial_ends_at IS 'When the free trial ends or ended. Null: there was none.';
COMMENT ON COLUMN api.subscriptions.ended_at IS 'When it ended.';
COMMENT ON COLUMN api.subscriptions.unpaid_amount IS 'What the invoice that could not be collected asks for, in minor units of currency. Null: no invoice is unpaid.';
COMMENT ON COLUMN api.subscriptions.pay_url IS 'Stripe''s page on which that invoice can be paid.';
COMMENT ON COLUMN api.subscriptions.next_attempt_at IS 'When Stripe tries again to collect it.';
CREATE TABLE credits.topup_presets (
    currency text NOT NULL,
    amount bigint NOT NULL,
    popular boolean DEFAULT false NOT NULL,
    CONSTRAINT topup_presets_amount_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY credits.topup_presets FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.topup_presets IS 'Amounts to propose for a top-up, in minor units of the currency.';
CREATE TABLE credits.topups (
    currency text NOT NULL,
    minimum bigint NOT NULL,
    maximum bigint NOT NULL,
    tokens_per_unit numeric NOT NULL,
    CONSTRAINT topups_bounds_are_sane CHECK (((minimum > 0) AND (maximum >= minimum))),
    CONSTRAINT topups_currency_is_iso CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT topups_rate_is_positive CHECK (((tokens_per_unit > (0)::numeric) AND (tokens_per_unit < (1000000)::numeric)))
);
ALTER TABLE ONLY credits.topups FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.topups IS 'Amounts that can be bought without a pack, between two bounds, where the price list offers it.';
COMMENT ON COLUMN credits.topups.tokens_per_unit IS 'Tokens for one minor unit of the currency.';
CREATE VIEW api.topups WITH (security_invoker='true') AS
 SELECT t.currency,
    t.minimum,
    t.maximum,
    trim_scale(t.tokens_per_unit) AS tokens_per_unit,
    COALESCE(( SELECT jsonb_agg(jsonb_build_object('amount', s.amount, 'tokens', credits.topup_tokens(s.amount, t.tokens_per_unit), 'popular', s.popular) ORDER BY s.amount) AS jsonb_agg
           FROM credits.topup_presets s
          WHERE (s.currency = t.currency)), '[]'::jsonb) AS presets,
    m.minor_digits,
    m.step
   FROM (credits.topups t
     JOIN credits.currencies m ON ((t.currency = m.currency)));
COMMENT ON VIEW api.topups IS 'Amounts that can be bought without a pack, where the price list offers it.';
COMMENT ON COLUMN api.topups.currency IS 'ISO 4217, lower case.';
COMMENT ON COLUMN api.topups.minimum IS 'Least amount for api.create_order, in minor units of the currency (cents).';
COMMENT ON COLUMN api.topups.maximum IS 'Greatest amount.';
COMMENT ON COLUMN api.topups.tokens_per_unit IS 'Tokens for one minor unit.';
COMMENT ON COLUMN api.topups.presets IS 'Amounts to propose, the smallest first: [{"amount", "tokens", "popular"}].';
COMMENT ON COLUMN api.topups.minor_digits IS 'How many decimals amounts have: in whole units of the currency, an amount is amount / 10^minor_digits.';
COMMENT ON COLUMN api.topups.step IS 'Every amount must be a multiple of this: 1, or 10 or 100 where Stripe requires it.';
CREATE VIEW api.usage WITH (security_invoker='true') AS
 SELECT ((e.account_id || ':'::text) || e.seq) AS entry_id,
    i.subject AS user_id,
    e.posted_at AS used_at,
    e.module_id,
    m.title AS module_title,
    e.usage,
    trim_scale((- (e.tokens)::numeric)) AS cost,
    trim_scale((e.balance_after)::numeric) AS balance_after,
    e.price_id,
    e.metadata,
    (e.kind = 'byok'::credits.entry_kind) AS own_key,
    ((h.account_id || ':'::text) || h.hold_id) AS hold_id,
    COALESCE(round((EXTRACT(epoch FROM (h.finished_at - h.created_at)) * (1000)::numeric), 3), trim_scale(credits.quantity((e.metadata -> 'duration_ms'::text)))) AS duration_ms,
    trim_scale(COALESCE((r.refunded)::numeric, (0)::numeric)) AS refunded,
        CASE
            WHEN (p.module_id IS NOT NULL) THEN 'module'::text
            WHEN (p.category_id IS NOT NULL) THEN 'category'::text
            WHEN (p.price_id IS NOT NULL) THEN 'default'::text
            ELSE NULL::text
        END AS price_source,
    e.tags
   FROM (((((credits.entries e
     LEFT JOIN credits.prices p ON ((e.price_id = p.price_id)))
     LEFT JOIN credits.charge_refunds r ON (((e.account_id = r.account_id) AND (e.seq = r.seq))))
     LEFT JOIN credits.modules m ON ((e.module_id = m.module_id)))
     LEFT JOIN credits.holds h ON (((e.account_id = h.account_id) AND (e.hold_id = h.hold_id))))
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = e.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true))
  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]));
COMMENT ON VIEW api.usage IS 'The charges of the caller. A service sees those of every account.';
COMMENT ON COLUMN api.usage.entry_id IS 'The name of the entry: account:seq.';
COMMENT ON COLUMN api.usage.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.usage.used_at IS 'When it was charged.';
COMMENT ON COLUMN api.usage.module_id IS 'The module that was used.';
COMMENT ON COLUMN api.usage.module_title IS 'The title of the module, if the catalog lists it.';
COMMENT ON COLUMN api.usage.usage IS 'What was used, per dimension.';
COMMENT ON COLUMN api.usage.cost IS 'Tokens charged, whether or not they were refunded later.';
COMMENT ON COLUMN api.usage.balance_after IS 'The balance after the charge.';
COMMENT ON COLUMN api.usage.price_id IS 'The version of the price.';
COMMENT ON COLUMN api.usage.metadata IS 'What the caller noted with the charge.';
COMMENT ON COLUMN api.usage.own_key IS 'True when the user''s own key at the provider was used. Such a use is not charged.';
COMMENT ON COLUMN api.usage.hold_id IS 'The hold that this charge captured; null for a charge without a hold.';
COMMENT ON COLUMN api.usage.duration_ms IS 'How long the use took, in milliseconds. For a hold: from its beginning to its end. Otherwise: what the caller noted in metadata.';
COMMENT ON COLUMN api.usage.refunded IS 'How much of the cost was given back.';
COMMENT ON COLUMN api.usage.price_source IS 'Where the price comes from: module, category, or default (for every other module).';
COMMENT ON COLUMN api.usage.tags IS 'What it was for: small texts by name. Null for no tags.';
CREATE VIEW api.usage_by_tag WITH (security_invoker='true') AS
 SELECT u.user_id,
    t.name,
    t.value,
    t.module_id,
    t.day,
    t.uses,
    t.tokens
   FROM (( SELECT e.account_id,
            x.name,
            x.value,
            e.module_id,
            ((e.posted_at AT TIME ZONE '00:00:00'::interval))::date AS day,
            count(*) FILTER (WHERE ((e.kind <> 'refund'::credits.entry_kind) AND COALESCE((h.seqs[1] = e.seq), true))) AS uses,
            trim_scale((- sum((e.tokens)::numeric))) AS tokens
           FROM ((credits.entries e
             LEFT JOIN credits.holds h ON (((e.account_id = h.account_id) AND (e.hold_id = h.hold_id))))
             CROSS JOIN LATERAL jsonb_each_text(e.tags) x(name, value))
          WHERE (e.tags IS NOT NULL)
          GROUP BY e.account_id, x.name, x.value, e.module_id, (((e.posted_at AT TIME ZONE '00:00:00'::interval))::date)) t
     LEFT JOIN LATERAL credits.user_of(t.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.usage_by_tag IS 'What the caller spent, per tag, module and day. A service sees that of every account. A charge with several tags counts for each of them, so only rows of one name can be added up.';
COMMENT ON COLUMN api.usage_by_tag.user_id IS 'The user id (sub) of the account.';
COMMENT ON COLUMN api.usage_by_tag.name IS 'The name of the tag, such as conversation.';
COMMENT ON COLUMN api.usage_by_tag.value IS 'The value of the tag, such as c-17.';
COMMENT ON COLUMN api.usage_by_tag.module_id IS 'The module that was used.';
COMMENT ON COLUMN api.usage_by_tag.day IS 'The day in UTC, of the charge or of its refund.';
COMMENT ON COLUMN api.usage_by_tag.uses IS 'Charges, and uses with the user''s own key. A hold that is captured in parts is one use, on the day of the first part.';
COMMENT ON COLUMN api.usage_by_tag.tokens IS 'Tokens charged, less those that were refunded on the day. Below zero when more was refunded than charged.';
CREATE VIEW api.webhook_deliveries WITH (security_invoker='true') AS
 SELECT ('msg_'::text || d.notice_id) AS message_id,
    d.endpoint_id,
    u.user_id,
    o.kind,
    d.state,
    d.tries,
        CASE
            WHEN (d.state = 'pending'::text) THEN d.due_at
            ELSE NULL::timestamp with time zone
        END AS due_at,
    d.last_status,
    d.last_trouble,
    d.last_tried_at,
    d.delivered_at,
    d.created_at
   FROM ((credits.webhook_deliveries d
     JOIN credits.outbox o ON (((d.account_id = o.account_id) AND (d.notice_id = o.notice_id))))
     LEFT JOIN LATERAL credits.user_of(d.account_id) u(user_id) ON (true));
COMMENT ON VIEW api.webhook_deliveries IS 'The messages to endpoints. Those that were delivered are forgotten after 35 days. For services and support.';
COMMENT ON COLUMN api.webhook_deliveries.message_id IS 'The webhook-id of the message. It never changes.';
COMMENT ON COLUMN api.webhook_deliveries.endpoint_id IS 'The endpoint that it is for.';
COMMENT ON COLUMN api.webhook_deliveries.user_id IS 'The user id (sub) of the account that it is about.';
COMMENT ON COLUMN api.webhook_deliveries.kind IS 'The kind of the notice.';
COMMENT ON COLUMN api.webhook_deliveries.state IS 'pending, delivered, or failed: it is not tried any more.';
COMMENT ON COLUMN api.webhook_deliveries.tries IS 'How often it was tried.';
COMMENT ON COLUMN api.webhook_deliveries.due_at IS 'When it is tried next.';
COMMENT ON COLUMN api.webhook_deliveries.last_status IS 'HTTP status of the last answer.';
COMMENT ON COLUMN api.webhook_deliveries.last_trouble IS 'What went wrong in the last try.';
COMMENT ON COLUMN api.webhook_deliveries.last_tried_at IS 'When it was last tried.';
COMMENT ON COLUMN api.webhook_deliveries.delivered_at IS 'When the endpoint took it.';
COMMENT ON COLUMN api.webhook_deliveries.created_at IS 'When it was put in the queue.';
CREATE VIEW api.webhooks WITH (security_invoker='true') AS
 SELECT endpoint_id,
    url,
    kinds,
    description,
        CASE
            WHEN (disabled_at IS NULL) THEN 'enabled'::text
            ELSE 'disabled'::text
        END AS state,
    disabled_reason AS reason,
    disabled_at,
    failing_since,
    created_by,
    created_at,
    ( SELECT count(*) AS count
           FROM credits.webhook_deliveries d
          WHERE ((d.endpoint_id = w.endpoint_id) AND (d.state = 'pending'::text))) AS waiting
   FROM credits.webhook_endpoints w;
COMMENT ON VIEW api.webhooks IS 'The endpoints that are told what happens. For services and support.';
COMMENT ON COLUMN api.webhooks.endpoint_id IS 'Its name in the functions about webhooks.';
COMMENT ON COLUMN api.webhooks.url IS 'Where messages go.';
COMMENT ON COLUMN api.webhooks.kinds IS 'The kinds of notices that it gets. Null: all.';
COMMENT ON COLUMN api.webhooks.description IS 'What its operator says about it.';
COMMENT ON COLUMN api.webhooks.state IS 'enabled or disabled.';
COMMENT ON COLUMN api.webhooks.reason IS 'Why it is disabled.';
COMMENT ON COLUMN api.webhooks.disabled_at IS 'Since when it is disabled.';
COMMENT ON COLUMN api.webhooks.failing_since IS 'The first failure since it last took a message.';
COMMENT ON COLUMN api.webhooks.created_by IS 'Who registered it.';
COMMENT ON COLUMN api.webhooks.created_at IS 'When it was registered.';
COMMENT ON COLUMN api.webhooks.waiting IS 'How many messages have not arrived yet.';
CREATE VIEW audit.check_access WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.ownership_faults() f(expected, found)
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.row_security_faults() f(expected, found)
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.grant_faults() f(expected, found)
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.call_faults() f(expected, found)
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.database_faults() f(expected, found)
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.power_faults() f(expected, found);
COMMENT ON VIEW audit.check_access IS 'credits_owner owns everything. Row security is forced, with the policies of access.sql and no other. Only the roles
of the bank have rights, and only to read and to call. Functions and views run with the settings that they should
have. PUBLIC has no right on a hardened database.
A row means: an object has another owner, or a right, a policy or a setting that access.sql does not give. Somebody
granted something by hand, or a dump was restored without its roles.
What to do: find out who did it, then run `pgcredits migrate --force`, which makes every grant and policy anew.
After a restore read docs/restoring.md first.';
CREATE TABLE credits.api_key_changes (
    key_id text NOT NULL,
    change_id uuid DEFAULT gen_random_uuid() NOT NULL,
    change text NOT NULL,
    reason text,
    actor text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT api_key_changes_are_known CHECK ((change = ANY (ARRAY['created'::text, 'rotated'::text, 'revoked'::text])))
);
ALTER TABLE ONLY credits.api_key_changes FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.api_key_changes IS 'What was done to an API key, by whom, when and why. Rows are never changed.';
COMMENT ON COLUMN credits.api_key_changes.change IS 'created, rotated or revoked.';
CREATE VIEW audit.check_api_keys WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    format('API key %s (%s) was made by a recorded change'::text, k.key_id, k.role) AS expected,
    'no such change'::text AS found
   FROM credits.api_keys k
  WHERE (NOT (EXISTS ( SELECT
           FROM credits.api_key_changes c
          WHERE ((c.key_id = k.key_id) AND (c.change = 'created'::text)))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('API key %s is revoked by a recorded change, and by nothing else'::text, k.key_id) AS expected,
        CASE
            WHEN (k.revoked_at IS NULL) THEN 'the change alone'::text
            ELSE 'no change'::text
        END AS found
   FROM credits.api_keys k
  WHERE ((k.revoked_at IS NOT NULL) <> (EXISTS ( SELECT
           FROM credits.api_key_changes c
          WHERE ((c.key_id = k.key_id) AND (c.change = 'revoked'::text)))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('API key %s has one present secret, and one more for each rotation'::text, k.key_id) AS expected,
    format('%s present, %s in all, %s rotations'::text, s.present, s.secrets, c.rotations) AS found
   FROM ((credits.api_keys k
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (x.valid_until IS NULL)) AS present,
            count(*) AS secrets
           FROM credits.api_key_secrets x
          WHERE (x.key_id = k.key_id)) s)
     CROSS JOIN LATERAL ( SELECT count(*) AS rotations
           FROM credits.api_key_changes x
          WHERE ((x.key_id = k.key_id) AND (x.change = 'rotated'::text))) c)
  WHERE ((s.present <> 1) OR (s.secrets > (c.rotations + 1)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('API key %s ends with key %s, which made it'::text, k.key_id, m.key_id) AS expected,
    format('it expires at %s and was revoked at %s, that at %s and %s'::text, COALESCE(credits.utc_text(k.expires_at), 'no time'::text), COALESCE(credits.utc_text(k.revoked_at), 'no time'::text), COALESCE(credits.utc_text(m.expires_at), 'no time'::text), COALESCE(credits.utc_text(m.revoked_at), 'no time'::text)) AS found
   FROM (credits.api_keys k
     JOIN credits.api_keys m ON ((k.made_with = m.key_id)))
  WHERE (((m.revoked_at IS NOT NULL) AND (k.revoked_at IS NULL)) OR ((m.expires_at IS NOT NULL) AND ((k.expires_at <= m.expires_at) IS NOT TRUE)) OR (m.role <> 'service_role'::text))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('API key %s is used before its end'::text, k.key_id) AS expected,
    format('used at %s'::text, credits.utc_text(s.last_used_at)) AS found
   FROM (credits.api_keys k
     JOIN credits.api_key_secrets s ON ((k.key_id = s.key_id)))
  WHERE (((s.last_used_at > (k.revoked_at + '00:01:00'::interval)) OR (s.last_used_at > (s.valid_until + '00:01:00'::interval))) IS TRUE);
COMMENT ON VIEW audit.check_api_keys IS 'Every API key was made and revoked by a recorded change. It has one present secret, ends with the key that it was
made with, and is not used after its end.
A row means: a row of an API key was written by hand, or a key was used after its end.
What to do: revoke the key with `pgcredits key revoke`, make another, and find out who can write to
credits.api_keys.';
CREATE TABLE credits.inactive_accounts (
    account_id uuid NOT NULL,
    active_at timestamp with time zone NOT NULL,
    announced_at timestamp with time zone NOT NULL,
    purge_at timestamp with time zone NOT NULL,
    CONSTRAINT inactive_accounts_come_in_order CHECK (((active_at < announced_at) AND (announced_at < purge_at)))
);
ALTER TABLE ONLY credits.inactive_accounts FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.inactive_accounts IS 'Accounts that have been told that their tokens will be purged. A row whose account was active since counts no more.';
COMMENT ON COLUMN credits.inactive_accounts.active_at IS 'When it last spent, bought or was granted something.';
COMMENT ON COLUMN credits.inactive_accounts.purge_at IS 'When its tokens expire if it stays inactive.';
CREATE VIEW audit.check_balance WITH (security_invoker='true') AS
 WITH l AS (
         SELECT x.account_id,
            sum(x.remaining) AS remaining,
            sum(x.held) AS held
           FROM credits.current_lots x
          GROUP BY x.account_id
        ), e AS (
         SELECT x.account_id,
            sum((x.tokens)::numeric) AS tokens
           FROM credits.entries x
          GROUP BY x.account_id
        )
 SELECT w.account_id,
    format('balance %s, held %s'::text, w.balance, w.held) AS expected,
    format('lots %s - debt %s, entries %s, held by lots %s'::text, COALESCE(l.remaining, (0)::numeric), w.debt, COALESCE(e.tokens, (0)::numeric), COALESCE(l.held, (0)::numeric)) AS found
   FROM ((credits.wallets w
     LEFT JOIN l ON ((w.account_id = l.account_id)))
     LEFT JOIN e ON ((w.account_id = e.account_id)))
  WHERE (((w.balance)::numeric <> (COALESCE(l.remaining, (0)::numeric) - (w.debt)::numeric)) OR ((w.balance)::numeric <> COALESCE(e.tokens, (0)::numeric)) OR ((w.held)::numeric <> COALESCE(l.held, (0)::numeric)))
UNION ALL
 SELECT w.account_id,
    format('lifetime granted %s, spent %s'::text, COALESCE(e.granted, (0)::numeric), COALESCE(e.spent, (0)::numeric)) AS expected,
    format('%s, %s'::text, w.lifetime_granted, w.lifetime_spent) AS found
   FROM (credits.wallets w
     LEFT JOIN ( SELECT x.account_id,
            sum((x.tokens)::numeric) FILTER (WHERE (((x.tokens)::numeric > (0)::numeric) AND (x.kind <> ALL (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind, 'reinstatement'::credits.entry_kind])) AND ((x.kind <> 'adjustment'::credits.entry_kind) OR ((((x.draws -> 0) -> 'lot_id'::text))::bigint = x.seq)))) AS granted,
            (- sum((x.tokens)::numeric) FILTER (WHERE (x.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind])))) AS spent
           FROM credits.entries x
          GROUP BY x.account_id) e ON ((w.account_id = e.account_id)))
  WHERE (((w.lifetime_granted)::numeric <> COALESCE(e.granted, (0)::numeric)) OR ((w.lifetime_spent)::numeric <> COALESCE(e.spent, (0)::numeric)))
UNION ALL
 SELECT w.account_id,
    format('next expiry not after %s'::text, credits.utc_text(min(l.expires_at))) AS expected,
    credits.utc_text(w.due_at) AS found
   FROM (credits.wallets w
     JOIN credits.current_lots l ON ((w.account_id = l.account_id)))
  WHERE ((l.remaining > l.held) AND (l.expires_at < w.due_at))
  GROUP BY w.account_id, w.due_at
UNION ALL
 SELECT w.account_id,
    format('purge due at %s'::text, credits.utc_text(i.purge_at)) AS expected,
    credits.utc_text(w.due_at) AS found
   FROM (credits.inactive_accounts i
     JOIN credits.wallets w ON ((i.account_id = w.account_id)))
  WHERE ((w.due_at > i.purge_at) AND (EXISTS ( SELECT
           FROM credits.current_lots l
          WHERE ((l.account_id = i.account_id) AND l.live AND (l.remaining > (0)::numeric) AND (l.source <> ALL (ARRAY['allowance'::credits.entry_kind, 'rollover'::credits.entry_kind]))))) AND (NOT (EXISTS ( SELECT
           FROM credits.entries x
          WHERE ((x.account_id = i.account_id) AND (x.posted_at >= i.announced_at))))) AND (NOT (EXISTS ( SELECT
           FROM credits.current_lots l
          WHERE ((l.account_id = i.account_id) AND l.live AND ((l.held > (0)::numeric) OR ((l.withheld)::numeric > (0)::numeric) OR l.frozen))))));
COMMENT ON VIEW audit.check_balance IS 'The balance equals the lots minus the debt, and the sum of the entries. held, the lifetime sums, the next expiry and
an announced purge are right.
A row means: the wallet, the lots and the entries of an account disagree. The sums are kept in three places, so at
least one was changed by hand or is damaged.
What to do: follow "A finding in the ledger" in docs/auditing.md. If the hash chain of the account is sound, the
entries are right.';
CREATE VIEW audit.check_campaigns WITH (security_invoker='true') AS
 WITH RECURSIVE campaign_entries AS (
         SELECT entry.account_id,
            entry.seq,
            entry.campaign_id,
            entry.kind,
            (entry.metadata ->> 'campaign_id'::text) AS named,
            (entry.metadata -> 'number'::text) AS number
           FROM credits.entries entry
          WHERE (entry.campaign_id IS NOT NULL)
        ), grants_per_account AS (
         SELECT redemption.account_id,
            redemption.campaign_id,
            count(*) AS grants,
            max(redemption.number) AS last_number
           FROM credits.redemptions redemption
          WHERE (redemption.number > 0)
          GROUP BY redemption.account_id, redemption.campaign_id
        ), grants_per_campaign AS (
         SELECT granted.campaign_id,
            sum(granted.grants) AS grants
           FROM grants_per_account granted
          GROUP BY granted.campaign_id
        ), grants_per_referrer AS (
         SELECT granted.account_id,
            granted.campaign_id,
            granted.grants,
            granted.last_number
           FROM (grants_per_account granted
             JOIN credits.campaigns campaign ON (((granted.campaign_id = campaign.campaign_id) AND (campaign.kind = 'referral'::credits.entry_kind))))
        ), paid_referrals AS (
         SELECT referral.referrer_id,
            referral.campaign_id,
            count(*) AS paid
           FROM credits.referrals referral
          WHERE (referral.state = 'paid'::text)
          GROUP BY referral.referrer_id, referral.campaign_id
        ), reached AS (
         SELECT referral.account_id
           FROM (credits.referrals referral
             LEFT JOIN credits.referrals above ON ((referral.referrer_id = above.account_id)))
          WHERE (above.account_id IS NULL)
        UNION ALL
         SELECT referral.account_id
           FROM (reached
             JOIN credits.referrals referral ON ((reached.account_id = referral.referrer_id)))
        )
 SELECT NULL::uuid AS account_id,
    format('campaign %s: %s grants, of %s at most'::text, campaign.campaign_id, campaign.grants, COALESCE((campaign.budget)::text, 'any number'::text)) AS expected,
    format('%s redemptions'::text, COALESCE(granted.grants, (0)::numeric)) AS found
   FROM (credits.campaigns campaign
     LEFT JOIN grants_per_campaign granted ON ((campaign.campaign_id = granted.campaign_id)))
  WHERE (((campaign.grants)::numeric <> COALESCE(granted.grants, (0)::numeric)) OR (campaign.grants > campaign.budget))
UNION ALL
 SELECT granted.account_id,
    format('grants of campaign %s numbered 1 to %s, at most %s'::text, granted.campaign_id, granted.grants, campaign.per_account) AS expected,
    format('numbers up to %s'::text, granted.last_number) AS found
   FROM (grants_per_account granted
     JOIN credits.campaigns campaign ON ((granted.campaign_id = campaign.campaign_id)))
  WHERE ((granted.last_number IS DISTINCT FROM granted.grants) OR (granted.last_number > campaign.per_account))
UNION ALL
 SELECT COALESCE(redemption.account_id, entry.account_id) AS account_id,
    format('grant %s of campaign %s as lot %s'::text, redemption.number, redemption.campaign_id, redemption.lot_id) AS expected,
    format('entry %s: %s, grant %s of %s; lot of source %s'::text, entry.seq, entry.kind, entry.number, entry.campaign_id, lot.source) AS found
   FROM (((credits.redemptions redemption
     FULL JOIN campaign_entries entry ON (((redemption.account_id = entry.account_id) AND (redemption.lot_id = entry.seq))))
     LEFT JOIN credits.lots lot ON (((entry.account_id = lot.account_id) AND (entry.seq = lot.lot_id))))
     LEFT JOIN credits.campaigns campaign ON ((redemption.campaign_id = campaign.campaign_id)))
  WHERE ((redemption.account_id IS NULL) OR (redemption.campaign_id IS DISTINCT FROM entry.campaign_id) OR (to_jsonb(redemption.number) IS DISTINCT FROM entry.number) OR (lot.source IS DISTINCT FROM entry.kind) OR (campaign.kind IS DISTINCT FROM entry.kind) OR (entry.named IS DISTINCT FROM entry.campaign_id))
UNION ALL
 SELECT COALESCE(referred.referrer_id, granted.account_id) AS account_id,
    format('%s grants of campaign %s, one for each referral paid'::text, COALESCE(referred.paid, (0)::bigint), referred.campaign_id) AS expected,
    format('%s grants of campaign %s'::text, COALESCE(granted.grants, (0)::bigint), granted.campaign_id) AS found
   FROM (paid_referrals referred
     FULL JOIN grants_per_referrer granted ON (((referred.referrer_id = granted.account_id) AND (referred.campaign_id = granted.campaign_id))))
  WHERE (referred.paid IS DISTINCT FROM granted.grants)
UNION ALL
 SELECT redemption.account_id,
    format('grant 0 of campaign %s for a referral that was paid'::text, redemption.campaign_id) AS expected,
    'no such referral'::text AS found
   FROM (credits.redemptions redemption
     LEFT JOIN credits.referrals referral ON (((redemption.account_id = referral.account_id) AND (redemption.campaign_id = referral.campaign_id) AND (referral.state = 'paid'::text))))
  WHERE ((redemption.number = 0) AND (referral.account_id IS NULL))
UNION ALL
 SELECT referral.account_id,
    'a referral is settled with the first paid order'::text AS expected,
    format('referral %s, %s paid orders'::text, referral.state, count(purchase.order_id)) AS found
   FROM (credits.referrals referral
     LEFT JOIN credits.orders purchase ON (((referral.account_id = purchase.account_id) AND (purchase.state = 'paid'::text))))
  GROUP BY referral.account_id, referral.state
 HAVING ((referral.state = 'pending'::text) <> (count(purchase.order_id) = 0))
UNION ALL
 SELECT referral.account_id,
    format('brought by %s, who was not brought by them'::text, referral.referrer_id) AS expected,
    'a circle'::text AS found
   FROM (credits.referrals referral
     LEFT JOIN reached ON ((referral.account_id = reached.account_id)))
  WHERE (reached.account_id IS NULL);
COMMENT ON VIEW audit.check_campaigns IS 'Each campaign granted what was redeemed, within its budget and its limit per account. Each referral was settled
once, with its grants. Nobody is their own referrer, directly or through others.
A row means: a campaign gave more, less or to others than its redemptions say, or a referral is in a circle.
What to do: compare the redemptions of the account with its entries. Take back with api.void_lot what was given too
much, and give with api.add_tokens what is missing.';
CREATE VIEW audit.check_charges WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    format('%s: an amount that Stripe charges'::text, what) AS expected,
    credits.charge_problem(amount, currency) AS found
   FROM ( SELECT format('pack %L'::text, p.pack_id) AS what,
            p.amount,
            p.currency
           FROM credits.packs p
          WHERE p.active
        UNION ALL
         SELECT format('least top-up in %s'::text, t.currency) AS what,
            t.minimum AS amount,
            t.currency
           FROM credits.topups t
        UNION ALL
         SELECT format('greatest top-up in %s'::text, t.currency) AS what,
            t.maximum AS amount,
            t.currency
           FROM credits.topups t
        UNION ALL
         SELECT format('top-up preset in %s'::text, s.currency) AS what,
            s.amount,
            s.currency
           FROM credits.topup_presets s) offer
  WHERE (credits.charge_problem(amount, currency) IS NOT NULL);
COMMENT ON VIEW audit.check_charges IS 'Stripe would charge the price of every pack, and every amount of a top-up.
A row means: Stripe refuses this amount, so nobody can buy the pack or top up with it.
What to do: correct the amount in the price list, and apply it with `pgcredits catalog apply`.';
CREATE VIEW audit.check_creators WITH (security_invoker='true') AS
 WITH places AS (
         SELECT format('database %I'::text, d.datname) AS place,
            d.datdba AS owner,
            COALESCE(d.datacl, acldefault('d'::"char", d.datdba)) AS acl
           FROM pg_database d
          WHERE (d.datname = current_database())
        UNION ALL
         SELECT format('schema %I'::text, n.nspname) AS place,
            n.nspowner AS owner,
            COALESCE(n.nspacl, acldefault('n'::"char", n.nspowner)) AS acl
           FROM pg_namespace n
          WHERE (n.nspname = ANY (ARRAY['public'::name, 'yoyo'::name]))
        UNION ALL
         SELECT format('relation yoyo.%I'::text, c.relname) AS place,
            c.relowner AS owner,
            NULL::aclitem[] AS acl
           FROM (pg_class c
             JOIN pg_namespace n ON ((c.relnamespace = n.oid)))
          WHERE ((n.nspname = 'yoyo'::name) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char", 'v'::"char", 'm'::"char", 'f'::"char", 'S'::"char"])))
        )
 SELECT NULL::uuid AS account_id,
    format('nobody may create in %s but its owner'::text, p.place) AS expected,
    format('%s may'::text, COALESCE(r.rolname, 'PUBLIC'::name)) AS found
   FROM ((places p
     CROSS JOIN LATERAL aclexplode(p.acl) a(grantor, grantee, privilege_type, is_grantable))
     LEFT JOIN pg_roles r ON ((a.grantee = r.oid)))
  WHERE ((a.privilege_type = 'CREATE'::text) AND (a.grantee IS DISTINCT FROM p.owner) AND (r.rolsuper IS NOT TRUE) AND ((a.grantee = (0)::oid) OR COALESCE(( SELECT x.hardened
           FROM credits.releases x), false) OR (r.rolname = ANY (ARRAY['anon'::name, 'authenticated'::name, 'service_role'::name, 'analyst'::name, 'auditor'::name, 'spender'::name, 'support'::name])) OR (r.rolname ~~ 'pgcredits\_%'::text) OR (a.grantee IN ( SELECT x.target_id
           FROM credits.member_reach() x(role_id, role, target_id, target)))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s belongs to nobody who is a member of the bank''s roles'::text, p.place) AS expected,
    format('%s is its owner%s'::text, x.role,
        CASE
            WHEN ((x.target_id <> x.role_id) IS TRUE) THEN (', by '::text || x.target)
            ELSE NULL::text
        END) AS found
   FROM (places p
     JOIN credits.member_reach() x(role_id, role, target_id, target) ON ((p.owner = x.target_id)));
COMMENT ON VIEW audit.check_creators IS 'PUBLIC, the roles of the bank and their members may not create in the database, in schema public or where migrations
are recorded, not as owners either. In a database of its own only the owner may.
A row means: somebody may put an object where a session or the next migration would run it.
What to do: revoke the right that the row names, or change the owner. In a database of its own, `pgcredits migrate
CREATE VIEW audit.check_draws WITH (security_invoker='true') AS
 SELECT e.account_id,
    format('draws of %s in entry %s (%s)'::text, abs(((e.tokens)::numeric + e.owed)), e.seq, e.kind) AS expected,
    format('draws of %s'::text, d.drawn) AS found
   FROM (( SELECT x.account_id,
            x.seq,
            x.kind,
            x.tokens,
            x.draws,
            ((x.debt_after)::numeric - COALESCE((lag(x.debt_after) OVER (PARTITION BY x.account_id ORDER BY x.seq))::numeric, (0)::numeric)) AS owed
           FROM credits.entries x) e
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(x.tokens), (0)::numeric) AS drawn,
            COALESCE(min(x.tokens), (0)::numeric) AS smallest
           FROM jsonb_to_recordset(e.draws) x(lot_id bigint, tokens numeric)) d)
  WHERE ((
        CASE
            WHEN ((e.tokens)::numeric > (0)::numeric) THEN d.drawn
            ELSE (- d.drawn)
        END <> ((e.tokens)::numeric + e.owed)) OR (d.smallest < (0)::numeric));
COMMENT ON VIEW audit.check_draws IS 'The draws of an entry add up to its tokens and its change of the debt.
A row means: an entry moved another number of tokens in lots than in the balance, or its draws were changed
afterwards.
What to do: follow "A finding in the ledger" in docs/auditing.md. If the hash chain of the account is sound, the
bank wrote it so: report a bug.';
CREATE VIEW audit.check_due WITH (security_invoker='true') AS
 SELECT w.account_id,
    format('what was due at %s is booked within a day'::text, credits.utc_text(w.due_at)) AS expected,
    'it waits: does anything call api.maintain?'::text AS found
   FROM credits.wallets w
  WHERE ((w.test_clock IS NULL) AND (w.due_at > '-infinity'::timestamp with time zone) AND (GREATEST(w.due_at, ( SELECT r.released_at
           FROM credits.releases r)) < (statement_timestamp() - '24:00:00'::interval)))
UNION ALL
 SELECT h.account_id,
    format('hold %s is booked as expired at %s'::text, h.hold_id, credits.utc_text(h.expires_at)) AS expected,
    format('the wallet has nothing due before %s'::text, credits.utc_text(w.due_at)) AS found
   FROM (credits.holds h
     JOIN credits.wallets w ON ((h.account_id = w.account_id)))
  WHERE (((h.state)::text = 'open'::text) AND (h.expires_at < w.due_at));
COMMENT ON VIEW audit.check_due IS 'What the clock makes due is booked within a day. Every open hold ends when it expires.
A row means: the maintenance does not run, or does not get to this account. Expired lots, new periods and notices
wait. Or a hold would keep its tokens for ever.
What to do: run `pgcredits maintain`, and have something run it every minute. If the row stays, look into the log of
PostgreSQL for what stopped it. A hold can be released with api.release_hold.';
CREATE VIEW audit.check_events WITH (security_invoker='true') AS
 WITH events AS (
         SELECT e.event_id,
            e.bucket,
            e.type,
            e.object_id,
            e.livemode,
            e.account_id,
            e.order_id,
            e.outcome,
            e.reason,
            e.payload,
            e.original,
            e.received_at,
            e.looked_at,
            e.trouble,
            e.names,
            e.slimmed_at,
                CASE e.type
                    WHEN 'payment_intent.succeeded'::text THEN (COALESCE((e.payload #>> '{data,object,metadata,kind}'::text[]), ''::text) = 'auto_topup'::text)
                    ELSE ((e.type = ANY (ARRAY['checkout.session.completed'::text, 'checkout.session.async_payment_succeeded'::text])) AND (COALESCE((e.payload #>> '{data,object,payment_status}'::text[]), ''::text) = ANY (ARRAY['paid'::text, 'no_payment_required'::text])) AND (COALESCE((e.payload #>> '{data,object,mode}'::text[]), ''::text) <> 'setup'::text) AND (COALESCE((e.payload #>> '{data,object,mode}'::text[]), ''::text) <> 'subscription'::text))
                END AS says_paid,
            ((e.type = ANY (ARRAY['invoice.paid'::text, 'invoice.payment_succeeded'::text])) AND (COALESCE((e.payload #>> '{data,object,status}'::text[]), ''::text) = 'paid'::text)) AS is_paid_invoice
           FROM credits.stripe_events e
        )
 SELECT e.account_id,
    format('event %s (%s) has an outcome'::text, e.event_id, e.type) AS expected,
    format('none since %s'::text, credits.utc_text(e.received_at)) AS found
   FROM events e
  WHERE (e.outcome IS NULL)
UNION ALL
 SELECT e.account_id,
    format('object %s, paid by event %s, is granted, parked or waiting'::text, e.object_id, e.event_id) AS expected,
    format('the event is %s, order %s is %s'::text, e.outcome, e.order_id, o.state) AS found
   FROM (events e
     LEFT JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
  WHERE (e.says_paid AND (e.outcome IS NOT NULL) AND (e.outcome <> ALL (ARRAY['parked'::text, 'waiting'::text, 'unmatched'::text, 'dismissed'::text])) AND ((e.type <> 'payment_intent.succeeded'::text) OR (e.outcome <> 'stored'::text) OR (e.account_id IS NOT NULL)) AND (NOT ((COALESCE(o.state, 'missing'::text) = 'paid'::text) OR (EXISTS ( SELECT
           FROM credits.stripe_events x
          WHERE ((x.object_id = e.object_id) AND (x.outcome = ANY (ARRAY['parked'::text, 'dismissed'::text]))))))))
UNION ALL
 SELECT e.account_id,
    format('event %s (%s), which granted order %s, says that it is paid'::text, e.event_id, e.type, e.order_id) AS expected,
    format('payment_status %s'::text, COALESCE((e.payload #> '{data,object,payment_status}'::text[]), 'null'::jsonb)) AS found
   FROM events e
  WHERE ((e.outcome = 'granted'::text) AND (NOT e.says_paid) AND (NOT e.is_paid_invoice))
UNION ALL
 SELECT e.account_id,
    format('event %s (%s), which left order %s %s, says that nothing was paid'::text, e.event_id, e.type, e.order_id, e.outcome) AS expected,
    format('payment_status %s'::text, (e.payload #> '{data,object,payment_status}'::text[])) AS found
   FROM events e
  WHERE ((e.outcome = ANY (ARRAY['processing'::text, 'failed'::text, 'expired'::text])) AND ((COALESCE((e.payload #> '{data,object,payment_status}'::text[]), 'null'::jsonb) <> ALL (ARRAY['"unpaid"'::jsonb, 'null'::jsonb])) AND (COALESCE((e.payload #> '{data,object,payment_status}'::text[]), 'null'::jsonb) <> (
        CASE e.outcome
            WHEN 'expired'::text THEN '"no_payment_required"'::text
            ELSE 'null'::text
        END)::jsonb)))
UNION ALL
 SELECT e.account_id,
    format('event %s, which granted order %s, is of %s'::text, e.event_id, e.order_id,
        CASE o.kind
            WHEN 'auto_topup'::text THEN o.payment_intent_id
            ELSE o.checkout_session_id
        END) AS expected,
    format('%s'::text, e.object_id) AS found
   FROM (events e
     JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
  WHERE ((e.outcome = 'granted'::text) AND (o.kind <> 'subscription'::text) AND (e.object_id IS DISTINCT FROM
        CASE o.kind
            WHEN 'auto_topup'::text THEN o.payment_intent_id
            ELSE o.checkout_session_id
        END));
COMMENT ON VIEW audit.check_events IS 'Every Stripe event was applied, or waits for its order. Every payment that an event reports was granted or parked.
Nothing was granted unless the session or the charge of the order reported it as paid, and no order was ended that
was paid.
A row means: an event of Stripe was taken in and not dealt with, or an order was granted or ended against what its
event says.
What to do: read the event in credits.stripe_events. Apply it again with api.replay_event, or take it from the list
with api.dismiss_event and say why.';
CREATE TABLE credits.closed_sums (
    month date NOT NULL,
    currency text,
    source credits.entry_kind NOT NULL,
    opening_tokens numeric NOT NULL,
    sold_tokens numeric NOT NULL,
    recognised_tokens numeric NOT NULL,
    expired_tokens numeric NOT NULL,
    refunded_tokens numeric NOT NULL,
    disputed_tokens numeric NOT NULL,
    reinstated_tokens numeric NOT NULL,
    adjusted_tokens numeric NOT NULL,
    late_tokens numeric NOT NULL,
    closing_tokens numeric NOT NULL,
    opening numeric NOT NULL,
    sold numeric NOT NULL,
    recognised numeric NOT NULL,
    expired numeric NOT NULL,
    refunded numeric NOT NULL,
    disputed numeric NOT NULL,
    reinstated numeric NOT NULL,
    adjusted numeric NOT NULL,
    closing numeric NOT NULL
);
ALTER TABLE ONLY credits.closed_sums FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.closed_sums IS 'What finance.liability_rollforward said of the months when they were closed. It is append-only.';
CREATE VIEW credits.source_months WITH (security_invoker='true') AS
 SELECT period AS month,
    currency,
    source,
    COALESCE(sum(tokens) FILTER (WHERE (way = 'granted'::text)), (0)::numeric) AS sold_tokens,
    COALESCE((- sum(tokens) FILTER (WHERE (way = 'used'::text))), (0)::numeric) AS recognised_tokens,
    COALESCE((- sum(tokens) FILTER (WHERE (way = 'expired'::text))), (0)::numeric) AS expired_tokens,
    COALESCE((- sum(tokens) FILTER (WHERE (way = 'refunded'::text))), (0)::numeric) AS refunded_tokens,
    COALESCE((- sum(tokens) FILTER (WHERE (way = 'disputed'::text))), (0)::numeric) AS disputed_tokens,
    COALESCE(sum(tokens) FILTER (WHERE (way = 'reinstated'::text)), (0)::numeric) AS reinstated_tokens,
    COALESCE((- sum(tokens) FILTER (WHERE (way = 'adjusted'::text))), (0)::numeric) AS adjusted_tokens,
    sum(late_tokens) AS late_tokens,
    COALESCE(sum(money) FILTER (WHERE (way = 'granted'::text)), (0)::numeric) AS sold,
    COALESCE((- sum(money) FILTER (WHERE (way = 'used'::text))), (0)::numeric) AS recognised,
    COALESCE((- sum(money) FILTER (WHERE (way = 'expired'::text))), (0)::numeric) AS expired,
    COALESCE((- sum(money) FILTER (WHERE (way = 'refunded'::text))), (0)::numeric) AS refunded,
    COALESCE((- sum(money) FILTER (WHERE (way = 'disputed'::text))), (0)::numeric) AS disputed,
    COALESCE(sum(money) FILTER (WHERE (way = 'reinstated'::text)), (0)::numeric) AS reinstated,
    COALESCE((- sum(money) FILTER (WHERE (way = 'adjusted'::text))), (0)::numeric) AS adjusted
   FROM credits.lot_sums('month'::text, 'infinity'::timestamp with time zone) s(account_id, lot_id, order_id, source, currency, period, way, tokens, late_tokens, money)
  GROUP BY period, currency, source;
COMMENT ON VIEW credits.source_months IS 'What went in and out per month (UTC), currency and source of the lots, by the ledger: tokens and minor units.';
CREATE VIEW finance.liability_rollforward WITH (security_invoker='true') AS
 WITH moved AS (
         SELECT c_1.month,
            c_1.currency,
            c_1.source,
            c_1.sold_tokens,
            c_1.recognised_tokens,
            c_1.expired_tokens,
            c_1.refunded_tokens,
            c_1.disputed_tokens,
            c_1.reinstated_tokens,
            c_1.adjusted_tokens,
            c_1.late_tokens,
            c_1.sold,
            c_1.recognised,
            c_1.expired,
            c_1.refunded,
            c_1.disputed,
            c_1.reinstated,
            c_1.adjusted
           FROM credits.closed_sums c_1
        UNION ALL
         SELECT s.month,
            s.currency,
            s.source,
            s.sold_tokens,
            s.recognised_tokens,
            s.expired_tokens,
            s.refunded_tokens,
            s.disputed_tokens,
            s.reinstated_tokens,
            s.adjusted_tokens,
            s.late_tokens,
            s.sold,
            s.recognised,
            s.expired,
            s.refunded,
            s.disputed,
            s.reinstated,
            s.adjusted
           FROM credits.source_months s
          WHERE (NOT (EXISTS ( SELECT
                   FROM credits.closed_months c_1
                  WHERE (c_1.month >= s.month))))
        ), spans AS (
         SELECT m.currency,
            m.source,
            min(m.month) AS first_month,
            GREATEST(COALESCE(max(max(m.month)) OVER (), '-infinity'::date), COALESCE((date_trunc('month'::text, (credits.clock() AT TIME ZONE '00:00:00'::interval)))::date, '-infinity'::date)) AS last_month
           FROM moved m
          GROUP BY m.currency, m.source
        ), months AS (
         SELECT s.currency,
            s.source,
            (g.month)::date AS month
           FROM (spans s
             CROSS JOIN LATERAL generate_series((s.first_month)::timestamp without time zone, (s.last_month)::timestamp without time zone, '1 mon'::interval) g(month))
        ), filled AS (
         SELECT m.month,
            m.currency,
            m.source,
            COALESCE(x.sold_tokens, (0)::numeric) AS sold_tokens,
            COALESCE(x.recognised_tokens, (0)::numeric) AS recognised_tokens,
            COALESCE(x.expired_tokens, (0)::numeric) AS expired_tokens,
            COALESCE(x.refunded_tokens, (0)::numeric) AS refunded_tokens,
            COALESCE(x.disputed_tokens, (0)::numeric) AS disputed_tokens,
            COALESCE(x.reinstated_tokens, (0)::numeric) AS reinstated_tokens,
            COALESCE(x.adjusted_tokens, (0)::numeric) AS adjusted_tokens,
            COALESCE(x.late_tokens, (0)::numeric) AS late_tokens,
            COALESCE(x.sold, (0)::numeric) AS sold,
            COALESCE(x.recognised, (0)::numeric) AS recognised,
            COALESCE(x.expired, (0)::numeric) AS expired,
            COALESCE(x.refunded, (0)::numeric) AS refunded,
            COALESCE(x.disputed, (0)::numeric) AS disputed,
            COALESCE(x.reinstated, (0)::numeric) AS reinstated,
            COALESCE(x.adjusted, (0)::numeric) AS adjusted
           FROM (months m
             LEFT JOIN moved x ON (((m.month = x.month) AND (m.source = x.source) AND (NOT (m.currency IS DISTINCT FROM x.currency)))))
        ), closed AS (
         SELECT f.month,
            f.currency,
            f.source,
            f.sold_tokens,
            f.recognised_tokens,
            f.expired_tokens,
            f.refunded_tokens,
            f.disputed_tokens,
            f.reinstated_tokens,
            f.adjusted_tokens,
            f.late_tokens,
            f.sold,
            f.recognised,
            f.expired,
            f.refunded,
            f.disputed,
            f.reinstated,
            f.adjusted,
            sum(((((((f.sold_tokens - f.recognised_tokens) - f.expired_tokens) - f.refunded_tokens) - f.disputed_tokens) + f.reinstated_tokens) - f.adjusted_tokens)) OVER w AS closing_tokens,
            sum(((((((f.sold - f.recognised) - f.expired) - f.refunded) - f.disputed) + f.reinstated) - f.adjusted)) OVER w AS closing
           FROM filled f
          WINDOW w AS (PARTITION BY f.currency, f.source ORDER BY f.month)
        )
 SELECT month,
    currency,
    (source)::text AS source,
    (EXISTS ( SELECT
           FROM credits.closed_months x
          WHERE (x.month = c.month))) AS is_closed,
    lag(closing_tokens, 1, (0)::numeric) OVER w AS opening_tokens,
    sold_tokens,
    recognised_tokens,
    expired_tokens,
    refunded_tokens,
    disputed_tokens,
    reinstated_tokens,
    adjusted_tokens,
    late_tokens,
    closing_tokens,
    lag(closing, 1, (0)::numeric) OVER w AS opening,
    sold,
    recognised,
    expired,
    refunded,
    disputed,
    reinstated,
    adjusted,
    closing
   FROM closed c
  WINDOW w AS (PARTITION BY currency, c.source ORDER BY month);
COMMENT ON VIEW finance.liability_rollforward IS 'The liability to users per month (UTC), currency and source of the tokens: opening + sold - recognised - expired - refunded - disputed + reinstated - adjusted = closing, in tokens and in whole minor units of the currency. Tokens that were given away are worth nothing. A closed month is shown as it was closed.';
COMMENT ON COLUMN finance.liability_rollforward.currency IS 'The currency that was paid. Null for tokens that were given away without a purchase.';
COMMENT ON COLUMN finance.liability_rollforward.source IS 'How the tokens came in: purchase, bonus, grant, welcome, promo, referral, allowance or rollover.';
COMMENT ON COLUMN finance.liability_rollforward.is_closed IS 'Whether the month was closed and does not change any more.';
COMMENT ON COLUMN finance.liability_rollforward.sold_tokens IS 'Tokens that came in. For rollover: tokens that went over from the period before, which the source allowance has as expired.';
COMMENT ON COLUMN finance.liability_rollforward.recognised_tokens IS 'Tokens used, less charges that were given back. They include tokens that repaid a debt.';
COMMENT ON COLUMN finance.liability_rollforward.expired_tokens IS 'Tokens that passed their date.';
COMMENT ON COLUMN finance.liability_rollforward.refunded_tokens IS 'Tokens taken back because their money was refunded, credited, or never came.';
COMMENT ON COLUMN finance.liability_rollforward.disputed_tokens IS 'Tokens taken back because their money was disputed.';
COMMENT ON COLUMN finance.liability_rollforward.reinstated_tokens IS 'Tokens given back because their money returned: a dispute was won, or a refund failed.';
COMMENT ON COLUMN finance.liability_rollforward.adjusted_tokens IS 'Tokens that an operator voided, less those restored.';
COMMENT ON COLUMN finance.liability_rollforward.late_tokens IS 'Of the change of this month: tokens that moved in an earlier month, but were booked after that month had been closed. Below zero for tokens that went out.';
COMMENT ON COLUMN finance.liability_rollforward.sold IS 'What was paid for them, without tax that comes on top, in minor units.';
COMMENT ON COLUMN finance.liability_rollforward.closing IS 'The liability at the end of the month, in minor units.';
CREATE VIEW audit.check_finance_journal WITH (security_invoker='true') AS
 WITH balances AS (
         SELECT p.account,
            p.currency,
            sum((p.debit - p.credit)) AS balance
           FROM credits.postings('millennium'::text, 'infinity'::timestamp with time zone) p(period, currency, event, account, debit, credit)
          GROUP BY p.account, p.currency
        ), liability AS (
         SELECT x.currency,
            sum(x.closing) AS closing
           FROM ( SELECT DISTINCT ON (r.currency, r.source) r.currency,
                    r.closing
                   FROM finance.liability_rollforward r
                  WHERE (r.currency IS NOT NULL)
                  ORDER BY r.currency, r.source, r.month DESC) x
          GROUP BY x.currency
        ), paid AS (
         SELECT o.currency,
            sum((o.paid - o.reversed)) AS paid
           FROM credits.orders o
          WHERE (o.state = 'paid'::text)
          GROUP BY o.currency
        )
 SELECT NULL::uuid AS account_id,
    format('the liability of %s is %s minor units'::text, l.currency, l.closing) AS expected,
    format('the journal says %s'::text, (- COALESCE(b.balance, (0)::numeric))) AS found
   FROM (liability l
     LEFT JOIN balances b ON (((l.currency = b.currency) AND (b.account = 'deferred_revenue'::text))))
  WHERE (l.closing IS DISTINCT FROM (- COALESCE(b.balance, (0)::numeric)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s minor units of %s were paid, and have not gone back'::text, COALESCE(p.paid, (0)::numeric), COALESCE(p.currency, b.currency)) AS expected,
    format('the journal says %s'::text, COALESCE(b.balance, (0)::numeric)) AS found
   FROM (paid p
     FULL JOIN ( SELECT x.currency,
            x.balance
           FROM balances x
          WHERE (x.account = 'cash'::text)) b ON ((p.currency = b.currency)))
  WHERE (COALESCE(p.paid, (0)::numeric) <> COALESCE(b.balance, (0)::numeric));
COMMENT ON VIEW audit.check_finance_journal IS 'The journal''s deferred revenue is the liability of finance.liability_rollforward, and its cash is what was paid for
orders less what has gone back.
A row means: the journal and the rollforward count different entries, or, where the row is about cash, an order, its
lot or the history of its refunds was changed by hand.
What to do: look at the findings of check_money_returns and check_orders. If there are none, report a bug, and export nothing
from finance.journal until it is mended.';
CREATE VIEW audit.check_finance_rollforward WITH (security_invoker='true') AS
 WITH reported AS (
         SELECT DISTINCT ON (r.currency, r.source) r.currency,
            r.source,
            r.closing_tokens,
            r.closing
           FROM finance.liability_rollforward r
          ORDER BY r.currency, r.source, r.month DESC
        ), left_over AS (
         SELECT s.account_id,
            s.lot_id,
            sum(s.money) AS worth
           FROM credits.lot_sums('millennium'::text, 'infinity'::timestamp with time zone) s(account_id, lot_id, order_id, source, currency, period, way, tokens, late_tokens, money)
          GROUP BY s.account_id, s.lot_id
        ), lots AS (
         SELECT l.account_id,
            l.lot_id,
            l.source,
            l.currency,
            l.granted,
            l.remaining,
            l.unit_cost,
            credits.lot_worth(l.source, (l.granted)::numeric, (l.unit_cost)::numeric) AS worth,
            COALESCE(x.worth, (0)::numeric) AS worth_left,
            o.amount
           FROM ((credits.current_lots l
             LEFT JOIN left_over x ON (((l.account_id = x.account_id) AND (l.lot_id = x.lot_id))))
             LEFT JOIN credits.orders o ON (((l.account_id = o.account_id) AND (l.order_id = o.order_id))))
        ), held AS (
         SELECT l.currency,
            (l.source)::text AS source,
            sum(l.remaining) AS tokens,
            sum(l.worth_left) AS worth
           FROM lots l
          GROUP BY l.currency, l.source
        )
 SELECT NULL::uuid AS account_id,
    format('the lots (%s, %s) hold %s tokens of %s minor units'::text, COALESCE(h.source, r.source), COALESCE(h.currency, r.currency, 'no currency'::text), COALESCE(h.tokens, (0)::numeric), COALESCE(h.worth, (0)::numeric)) AS expected,
    format('finance.liability_rollforward closes with %s tokens of %s'::text, COALESCE(r.closing_tokens, (0)::numeric), COALESCE(r.closing, (0)::numeric)) AS found
   FROM (held h
     FULL JOIN reported r ON (((h.source = r.source) AND (COALESCE(h.currency, ''::text) = COALESCE(r.currency, ''::text)))))
  WHERE ((COALESCE(h.tokens, (0)::numeric) <> COALESCE(r.closing_tokens, (0)::numeric)) OR (COALESCE(h.worth, (0)::numeric) <> COALESCE(r.closing, (0)::numeric)))
UNION ALL
 SELECT l.account_id,
    format('lot %s: %s of %s tokens are left, and as much of %s minor units'::text, l.lot_id, l.remaining, l.granted, l.worth) AS expected,
    format('%s minor units are left'::text, l.worth_left) AS found
   FROM lots l
  WHERE ((l.worth_left < trunc(((l.worth * l.remaining) / NULLIF((l.granted)::numeric, (0)::numeric)))) OR (l.worth_left > (((l.worth * l.remaining) / NULLIF((l.granted)::numeric, (0)::numeric)) + (6)::numeric)) OR ((l.remaining = (0)::numeric) AND (l.worth_left <> (0)::numeric)))
UNION ALL
 SELECT l.account_id,
    format('lot %s cost at most the %s minor units of its order, and a whole number'::text, l.lot_id, COALESCE(l.amount, (0)::bigint)) AS expected,
    format('it cost %s, %s'::text, ((l.unit_cost)::numeric * (l.granted)::numeric), COALESCE(l.currency, 'in no currency'::text)) AS found
   FROM lots l
  WHERE (((l.unit_cost)::numeric > (0)::numeric) AND ((l.currency IS NULL) OR ((l.source <> 'rollover'::credits.entry_kind) AND (abs((((l.unit_cost)::numeric * (l.granted)::numeric) - l.worth)) > 0.01)) OR (l.worth > (COALESCE(l.amount, (0)::bigint))::numeric)));
COMMENT ON VIEW audit.check_finance_rollforward IS 'The liability that finance.liability_rollforward closes with is what is left in the lots, in tokens and in money.
Each lot cost what was paid for its order.
A row means: the liability in the reports is wrong, because the tokens, the cost or the currency of a lot, or its
entries, were changed by hand.
What to do: look at the findings of check_lots, which says whether the entries or the lot are right. A lot that costs more
than its order, or not a whole number of minor units, was changed itself.';
CREATE VIEW audit.check_guests WITH (security_invoker='true') AS
 WITH uses_in_window AS (
         SELECT used.guest_id,
            used.use_id,
            used.network_id,
            used.module_id,
            used.state,
            used.used_at,
            used.finished_at,
            used.per_device,
            used.per_network,
            used.sliding_window,
            ( SELECT count(*) AS count
                   FROM credits.guest_uses other
                  WHERE ((other.guest_id = used.guest_id) AND (other.used_at <= used.used_at) AND (other.used_at > credits.earlier(used.used_at, used.sliding_window)) AND ((other.state <> 'released'::text) OR (other.finished_at > used.used_at)))) AS of_device,
            ( SELECT count(*) AS count
                   FROM credits.guest_uses other
                  WHERE ((other.network_id = used.network_id) AND (other.used_at <= used.used_at) AND (other.used_at > credits.earlier(used.used_at, used.sliding_window)) AND ((other.state <> 'released'::text) OR (other.finished_at > used.used_at)))) AS of_network
           FROM credits.guest_uses used
        )
 SELECT NULL::uuid AS account_id,
    format('guest %s, use %s: at most %s in %s'::text, used.guest_id, used.use_id, used.per_device, credits.interval_text(used.sliding_window)) AS expected,
    format('%s uses'::text, used.of_device) AS found
   FROM uses_in_window used
  WHERE (used.of_device > used.per_device)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('network %s, use %s: at most %s in %s'::text, used.network_id, used.use_id, used.per_network, credits.interval_text(used.sliding_window)) AS expected,
    format('%s uses'::text, used.of_network) AS found
   FROM uses_in_window used
  WHERE (used.of_network > used.per_network);
COMMENT ON VIEW audit.check_guests IS 'Every use of a guest was within the limits of its device and its network.
A row means: a guest used a module more often than the limits of that time allow.
What to do: see who wrote the use: only api.guest_consume counts the uses before it. It cost nobody tokens.';
CREATE VIEW audit.check_hash_chain WITH (security_invoker='true') AS
 SELECT e.account_id,
    format('hash %s of entry %s'::text, encode(e.computed, 'hex'::text), e.seq) AS expected,
    encode(e.hash, 'hex'::text) AS found
   FROM ( SELECT x.account_id,
            x.seq,
            x.hash,
            credits.entry_hash(COALESCE(lag(x.hash) OVER (PARTITION BY x.account_id ORDER BY x.seq), '\x'::bytea), x.*) AS computed
           FROM credits.entries x) e
  WHERE (e.hash IS DISTINCT FROM e.computed)
UNION ALL
 SELECT w.account_id,
    format('hash %s of the last entry'::text, encode(w.head_hash, 'hex'::text)) AS expected,
    encode(e.hash, 'hex'::text) AS found
   FROM (credits.wallets w
     LEFT JOIN credits.entries e ON (((w.account_id = e.account_id) AND (w.seq = e.seq))))
  WHERE (w.head_hash <> COALESCE(e.hash, '\x'::bytea));
COMMENT ON VIEW audit.check_hash_chain IS 'The hash of every entry is that of its fields and the hash before, and the last one is the wallet''s.
A row means: an entry was changed, removed or inserted after it was written, or the wallet names another last entry.
What to do: follow "A finding in the ledger" in docs/auditing.md. The first row of an account names the first entry
that is wrong.';
CREATE VIEW audit.check_heads WITH (security_invoker='true') AS
 SELECT w.account_id,
    format('a permit for at most %s tokens of lot %s'::text,
        CASE
            WHEN ((w.debt)::numeric > (o.overdraft_limit)::numeric) THEN (0)::numeric
            ELSE credits.tighter(a.allowed, COALESCE(n.free, (0)::numeric))
        END, n.lot_id) AS expected,
    format('%s of lot %s'::text, w.head_permit, w.head_lot) AS found
   FROM ((((credits.wallets w
     JOIN credits.accounts o ON ((w.account_id = o.account_id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(w.test_clock, credits.clock()) AS shows) c)
     CROSS JOIN LATERAL ( SELECT credits.head_allowance(w.account_id, c.shows) AS allowed) a)
     LEFT JOIN LATERAL ( SELECT f.lot_id,
            f.free
           FROM credits.free_lots(w.account_id, c.shows) WITH ORDINALITY f(lot_id, scope, free, place)
          ORDER BY f.place
         LIMIT 1) n ON (true))
  WHERE (((w.head_permit)::numeric > (0)::numeric) AND (w.due_at > c.shows) AND (((w.head_permit)::numeric > a.allowed) OR (n.lot_id IS DISTINCT FROM w.head_lot) OR ((w.head_permit)::numeric > n.free) OR ((w.debt)::numeric > (o.overdraft_limit)::numeric)))
UNION ALL
 SELECT w.account_id,
    'tokens that a hold frees in the head lot have no other effect'::text AS expected,
    format('lot %s expires at %s, low balance armed: %s, depleted armed: %s, threshold %s, of a top-up %s'::text, w.head_lot, credits.utc_text(l.expires_at), n.low_armed, n.depleted_armed, n.low, credits.topup_threshold(w.account_id)) AS found
   FROM (((credits.wallets w
     CROSS JOIN LATERAL ( SELECT COALESCE(w.test_clock, credits.clock()) AS shows) c)
     CROSS JOIN LATERAL credits.notice_levels_of(w.account_id) n(low, low_armed, depleted_armed))
     LEFT JOIN credits.lots l ON (((w.account_id = l.account_id) AND (w.head_lot = l.lot_id))))
  WHERE (w.head_quiet AND (w.due_at > c.shows) AND ((l.lot_id IS NULL) OR (l.expires_at IS NOT NULL) OR (n.low_armed IS NOT TRUE) OR (n.depleted_armed IS FALSE) OR ((n.low > ((w.balance)::numeric - (w.held)::numeric)) IS TRUE) OR ((credits.topup_threshold(w.account_id) > ((w.balance)::numeric - (w.held)::numeric)) IS TRUE)));
COMMENT ON VIEW audit.check_heads IS 'The permit of a wallet ends before the next limit or threshold of a notice or of an automatic top-up, and is for the
next lot. So no spend can pass a limit or a threshold unnoticed, or take from the wrong lot. No notice or expiry is
missed when a hold frees tokens in the head lot.
A row means: a spend of this account may pass a limit, miss a notice, or take from the wrong lot, until its next
full check.
What to do: freeze the account with api.freeze_account and thaw it: both take the permit back. If the row comes back
without a change of the tables by hand, report a bug.';
CREATE VIEW audit.check_holds WITH (security_invoker='true') AS
 WITH h AS (
         SELECT x.account_id,
            sum((x.held)::numeric) AS held
           FROM credits.holds x
          WHERE ((x.state)::text = 'open'::text)
          GROUP BY x.account_id
        ), d AS (
         SELECT x.account_id,
            x.lot_id,
            sum(x.tokens) AS tokens
           FROM credits.held_draws x
          GROUP BY x.account_id, x.lot_id
        ), e AS (
         SELECT x.account_id,
            x.hold_id,
            (- sum((x.tokens)::numeric)) AS captured,
            array_agg(x.seq ORDER BY x.seq) AS seqs,
            COALESCE((min(x.seq) FILTER (WHERE x.late) = max(x.seq)), false) AS late,
            count(*) FILTER (WHERE ((x.kind <> 'spend'::credits.entry_kind) OR (x.late IS NULL))) AS others,
            count(*) FILTER (WHERE x.late) AS times_late
           FROM credits.entries x
          WHERE (x.hold_id IS NOT NULL)
          GROUP BY x.account_id, x.hold_id
        )
 SELECT COALESCE(w.account_id, h.account_id) AS account_id,
    format('%s held by open holds'::text, COALESCE(h.held, (0)::numeric)) AS expected,
    format('%s on the wallet'::text, w.held) AS found
   FROM (credits.wallets w
     FULL JOIN h ON ((w.account_id = h.account_id)))
  WHERE ((w.held)::numeric IS DISTINCT FROM COALESCE(h.held, (0)::numeric))
UNION ALL
 SELECT COALESCE(l.account_id, d.account_id) AS account_id,
    format('%s held in lot %s by open holds'::text, COALESCE(d.tokens, (0)::numeric), COALESCE(l.lot_id, d.lot_id)) AS expected,
    format('%s on the lot'::text, l.held) AS found
   FROM (credits.current_lots l
     FULL JOIN d ON (((l.account_id = d.account_id) AND (l.lot_id = d.lot_id))))
  WHERE (l.held IS DISTINCT FROM COALESCE(d.tokens, (0)::numeric))
UNION ALL
 SELECT x.account_id,
    format('hold %s (%s): %s held of %s'::text, x.hold_id, x.state, x.held, x.tokens) AS expected,
    format('draws of %s, finished at %s'::text, s.tokens, credits.utc_text(x.finished_at)) AS found
   FROM (credits.holds x
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(y.tokens), (0)::numeric) AS tokens,
            COALESCE(min(y.tokens), (1)::numeric) AS smallest
           FROM jsonb_to_recordset(x.draws) y(lot_id bigint, tokens numeric)) s)
  WHERE (((x.held)::numeric <> s.tokens) OR (s.smallest <= (0)::numeric) OR (((x.state)::text = 'open'::text) <> (x.finished_at IS NULL)) OR ((x.held)::numeric <>
        CASE
            WHEN ((x.state)::text = 'open'::text) THEN GREATEST(((x.tokens)::numeric - (x.captured)::numeric), (0)::numeric)
            ELSE (0)::numeric
        END))
UNION ALL
 SELECT x.account_id,
    format('hold %s ends by %s'::text, x.hold_id, credits.utc_text(b.latest)) AS expected,
    format('it ends at %s'::text, credits.utc_text(x.expires_at)) AS found
   FROM (credits.holds x
     CROSS JOIN LATERAL ( SELECT LEAST(
                CASE
                    WHEN x.by_service THEN 'infinity'::timestamp with time zone
                    ELSE (x.created_at + '24:00:00'::interval)
                END, COALESCE((min(l.expires_at) + '24:00:00'::interval), 'infinity'::timestamp with time zone)) AS latest
           FROM (jsonb_to_recordset(x.draws) y(lot_id bigint)
             JOIN credits.lots l ON (((x.account_id = l.account_id) AND (y.lot_id = l.lot_id))))) b)
  WHERE (((x.state)::text = 'open'::text) AND (x.expires_at > b.latest))
UNION ALL
 SELECT COALESCE(x.account_id, e.account_id) AS account_id,
    format('hold %s: %s charged by entries %s'::text, e.hold_id, COALESCE(e.captured, (0)::numeric), e.seqs) AS expected,
    format('hold %s (%s): %s captured by %s, late: %s'::text, x.hold_id, x.state, x.captured, x.seqs, x.late) AS found
   FROM (credits.holds x
     FULL JOIN e ON (((x.account_id = e.account_id) AND (x.hold_id = e.hold_id))))
  WHERE (((x.captured)::numeric IS DISTINCT FROM COALESCE(e.captured, (0)::numeric)) OR (x.seqs IS DISTINCT FROM COALESCE(e.seqs, '{}'::bigint[])) OR (x.late IS DISTINCT FROM COALESCE(e.late, false)) OR (((x.state)::text = 'captured'::text) AND (e.seqs IS NULL)) OR (((x.state)::text = 'released'::text) AND (e.seqs IS NOT NULL)) OR (e.others > 0) OR (e.times_late > (x.late)::integer))
UNION ALL
 SELECT x.account_id,
    format('entry %s (%s) is late or not if it captured a hold'::text, x.seq, x.kind) AS expected,
    format('hold %s, late: %s'::text, x.hold_id, x.late) AS found
   FROM credits.entries x
  WHERE ((x.hold_id IS NULL) <> (x.late IS NULL))
UNION ALL
 SELECT x.account_id,
    format('hold %s was made for %s tokens, for at most 24 hours'::text, x.hold_id, x.tokens) AS expected,
    format('draws of %s, %s held in all, for %s seconds'::text, s.tokens, x.first_held, x.ttl) AS found
   FROM (credits.holds x
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(y.tokens), (0)::numeric) AS tokens
           FROM jsonb_to_recordset(x.first_draws) y(tokens numeric)) s)
  WHERE (((x.tokens)::numeric <> s.tokens) OR ((x.first_held)::numeric < (x.tokens)::numeric) OR (x.ttl <= (0)::numeric) OR (x.ttl > (86400)::numeric));
COMMENT ON VIEW audit.check_holds IS 'What open holds keep is what their lots and the wallet count as held, and no hold lasts longer than it may. What
holds captured is what their entries charged.
A row means: an open hold, its lots and the wallet disagree on what is held, or a hold and its captures on what was
charged.
What to do: release the hold with api.release_hold if its work has ended. If the row stays, follow "A finding in the
ledger" in docs/auditing.md.';
CREATE VIEW audit.check_keys WITH (security_invoker='true') AS
 SELECT k.account_id,
    format('%s under key %s: entry %s'::text, k.operation, "left"(k.key, 60), k.entry_seq) AS expected,
    'no such entry'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.entries e ON (((k.account_id = e.account_id) AND (k.entry_seq = e.seq))))
  WHERE (((k.entry_seq IS NOT NULL) OR (k.operation = ANY (ARRAY['consume_tokens'::text, 'add_tokens'::text, 'capture_hold'::text, 'refund_usage'::text, 'void_lot'::text, 'restore_lot'::text, 'change_expiry'::text]))) AND (e.seq IS NULL))
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: an entry that such a call writes'::text, k.operation, "left"(k.key, 60)) AS expected,
    format('entry %s, %s, hold %s, campaign %s'::text, e.seq, e.kind, e.hold_id, e.campaign_id) AS found
   FROM (credits.idempotency_keys k
     JOIN credits.entries e ON (((k.account_id = e.account_id) AND (k.entry_seq = e.seq))))
  WHERE (
        CASE k.operation
            WHEN 'consume_tokens'::text THEN ((e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind])) AND (e.hold_id IS NULL))
            WHEN 'capture_hold'::text THEN ((e.kind = 'spend'::credits.entry_kind) AND (e.hold_id = k.made_id))
            WHEN 'refund_usage'::text THEN (e.kind = 'refund'::credits.entry_kind)
            WHEN 'void_lot'::text THEN ((e.kind = 'adjustment'::credits.entry_kind) AND ((e.tokens)::numeric < (0)::numeric))
            WHEN 'restore_lot'::text THEN ((e.kind = 'adjustment'::credits.entry_kind) AND ((e.tokens)::numeric > (0)::numeric))
            WHEN 'change_expiry'::text THEN ((e.kind = 'adjustment'::credits.entry_kind) AND ((e.tokens)::numeric = (0)::numeric))
            WHEN 'redeem_code'::text THEN (e.campaign_id IS NOT NULL)
            WHEN 'add_tokens'::text THEN ((e.order_id IS NULL) AND (e.campaign_id IS NULL) AND (EXISTS ( SELECT
               FROM credits.lots l
              WHERE ((l.account_id = e.account_id) AND (l.lot_id = e.seq)))))
            ELSE NULL::boolean
        END IS NOT TRUE)
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: a fingerprint of its arguments'::text, k.operation, "left"(k.key, 60)) AS expected,
    'none'::text AS found
   FROM credits.idempotency_keys k
  WHERE ((k.fingerprint IS NULL) AND (k.operation <> ALL (ARRAY['consume_tokens'::text, 'hold_tokens'::text, 'capture_hold'::text])))
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: order %s'::text, k.operation, "left"(k.key, 60), k.made_id) AS expected,
    'no such order'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.orders o ON (((k.account_id = o.account_id) AND (k.made_id = o.order_id))))
  WHERE ((k.operation = 'create_order'::text) AND (o.order_id IS NULL))
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: failure %s'::text, k.operation, "left"(k.key, 60), k.made_id) AS expected,
    'no such failure'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.failures f ON (((k.account_id = f.account_id) AND (k.made_id = f.failure_id))))
  WHERE ((k.operation = 'report_failure'::text) AND (f.failure_id IS NULL))
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: hold %s'::text, k.operation, "left"(k.key, 60), k.made_id) AS expected,
    'no such hold'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.holds h ON (((k.account_id = h.account_id) AND (k.made_id = h.hold_id))))
  WHERE ((k.operation = ANY (ARRAY['hold_tokens'::text, 'capture_hold'::text, 'release_hold'::text])) AND (h.hold_id IS NULL));
COMMENT ON VIEW audit.check_keys IS 'Every idempotency key leads to the entry, order, failure or hold that answered it, and can tell a repeat from
another call.
A row means: an idempotency key leads to nothing, or to something that its call does not make. A repeated call would
get a wrong answer.
What to do: follow "A finding in the ledger" in docs/auditing.md. If entries or orders are missing, the hash chain
or the orders have a finding as well.';
CREATE VIEW audit.check_limits WITH (security_invoker='true') AS
 SELECT s.account_id,
    format('%s of the %s from %s'::text, e.spent, s.period, credits.utc_text(s.period_starts)) AS expected,
    format('%s'::text, ((w.lifetime_spent)::numeric - (s.spent_before)::numeric)) AS found
   FROM ((credits.spend_limits s
     JOIN credits.wallets w ON ((s.account_id = w.account_id)))
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(((- (x.tokens)::numeric) - COALESCE((r.refunded)::numeric, (0)::numeric))), (0)::numeric) AS spent
           FROM (credits.entries x
             LEFT JOIN credits.charge_refunds r ON (((x.account_id = r.account_id) AND (x.seq = r.seq))))
          WHERE ((x.account_id = s.account_id) AND (x.kind = 'spend'::credits.entry_kind) AND (x.posted_at >= s.period_starts))) e)
  WHERE (e.spent <> ((w.lifetime_spent)::numeric - (s.spent_before)::numeric));
COMMENT ON VIEW audit.check_limits IS 'Each spend limit counts what was spent since its period began, less refunds.
A row means: a spend limit has counted more or less than was spent in its period.
What to do: look for other findings of the account first. Then remove the limit with api.lift_spend_limit and set it
again with api.set_spend_limit, which counts anew.';
CREATE TABLE credits.analyst_grants (
    login name NOT NULL,
    role_oid oid,
    segment text NOT NULL,
    personal_data boolean DEFAULT false NOT NULL,
    granted_by text,
    granted_at timestamp with time zone
);
ALTER TABLE ONLY credits.analyst_grants FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.analyst_grants IS 'Which accounts an analyst''s SQL login may count: those of a segment, or * for all.';
COMMENT ON COLUMN credits.analyst_grants.role_oid IS 'As in credits.sql_logins.';
COMMENT ON COLUMN credits.analyst_grants.personal_data IS 'Whether the analyst also reads which users these accounts are: analytics.people.';
COMMENT ON COLUMN credits.analyst_grants.granted_by IS 'Who gave it. Null for a row that somebody wrote by hand.';
CREATE TABLE credits.sql_logins (
    login name NOT NULL,
    role_oid oid,
    account_id uuid NOT NULL
);
ALTER TABLE ONLY credits.sql_logins FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.sql_logins IS 'The account of a person who connects with an SQL login of their own. Claims that such a session sets are ignored.';
COMMENT ON COLUMN credits.sql_logins.role_oid IS 'The role that had this name when the row was written. Another role of that name is somebody else. A trigger fills this in; after a restore credits.trust_login sets it again.';
CREATE TABLE credits.trusted_logins (
    login name NOT NULL,
    role_oid oid,
    roles text[] NOT NULL,
    trusted_by text NOT NULL,
    trusted_at timestamp with time zone NOT NULL,
    CONSTRAINT trusted_logins_act_as_something CHECK ((cardinality(roles) > 0))
);
ALTER TABLE ONLY credits.trusted_logins FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.trusted_logins IS 'Logins of programs that say whose call it is, as the HTTP API does. Claims in their sessions count.';
COMMENT ON COLUMN credits.trusted_logins.role_oid IS 'As in credits.sql_logins.';
COMMENT ON COLUMN credits.trusted_logins.roles IS 'The acting roles in which the claims count.';
CREATE VIEW audit.check_logins WITH (security_invoker='true') AS
 SELECT l.account_id,
    format('login %s is the role with oid %s'::text, l.login, COALESCE((l.role_oid)::text, 'of its time'::text)) AS expected,
    COALESCE(('the role with oid '::text || r.oid), 'no role of that name'::text) AS found
   FROM (credits.sql_logins l
     LEFT JOIN pg_roles r ON ((l.login = r.rolname)))
  WHERE ((l.role_oid IS DISTINCT FROM r.oid) OR (r.oid IS NULL))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('analyst %s (of %s) is the role with oid %s'::text, g.login, g.segment, COALESCE((g.role_oid)::text, 'of its time'::text)) AS expected,
    COALESCE(('the role with oid '::text || r.oid), 'no role of that name'::text) AS found
   FROM (credits.analyst_grants g
     LEFT JOIN pg_roles r ON ((g.login = r.rolname)))
  WHERE ((g.role_oid IS DISTINCT FROM r.oid) OR (r.oid IS NULL))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s, whose claims count, is the role with oid %s'::text, t.login, COALESCE((t.role_oid)::text, 'of its time'::text)) AS expected,
    COALESCE(('the role with oid '::text || r.oid), 'no role of that name'::text) AS found
   FROM (credits.trusted_logins t
     LEFT JOIN pg_roles r ON ((t.login = r.rolname)))
  WHERE ((t.role_oid IS DISTINCT FROM r.oid) OR (r.oid IS NULL))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s, whose claims count, is a program'::text, t.login) AS expected,
    'a superuser, an analyst, an auditor, an accountant, or a person'::text AS found
   FROM (credits.trusted_logins t
     JOIN pg_roles r ON ((t.login = r.rolname)))
  WHERE (pg_has_role(r.oid, 'analyst'::name, 'member'::text) OR pg_has_role(r.oid, 'auditor'::name, 'member'::text) OR pg_has_role(r.oid, 'accountant'::name, 'member'::text) OR (EXISTS ( SELECT
           FROM credits.sql_logins l
          WHERE (l.login = t.login))));
COMMENT ON VIEW audit.check_logins IS 'Every SQL login that has an account or an analyst''s reach, or whose claims count, is still the role that was given
it. A login whose claims count is a program and nobody''s own.
A row means: the role behind a login was dropped or made anew, for instance by a restore on another server. It has
no rights until somebody confirms it.
What to do: if the login is still that person''s or program''s, call credits.trust_login; otherwise delete its row.
docs/restoring.md has an example.';
CREATE VIEW audit.check_lots WITH (security_invoker='true') AS
 WITH m AS (
         SELECT e.account_id,
            d.lot_id,
            sum(
                CASE
                    WHEN ((e.tokens)::numeric > (0)::numeric) THEN d.tokens
                    ELSE (- d.tokens)
                END) AS moved,
            sum(d.tokens) FILTER (WHERE (e.seq = d.lot_id)) AS came_in
           FROM (credits.entries e
             CROSS JOIN LATERAL jsonb_to_recordset(e.draws) d(lot_id bigint, tokens numeric))
          GROUP BY e.account_id, d.lot_id
        )
 SELECT COALESCE(l.account_id, m.account_id) AS account_id,
    format('lot %s: granted %s, moved %s'::text, COALESCE(l.lot_id, m.lot_id), l.granted, COALESCE(m.moved, (0)::numeric)) AS expected,
    format('remaining %s, held %s'::text, l.remaining, l.held) AS found
   FROM (credits.current_lots l
     FULL JOIN m ON (((l.account_id = m.account_id) AND (l.lot_id = m.lot_id))))
  WHERE ((l.lot_id IS NULL) OR (l.remaining IS DISTINCT FROM m.moved) OR ((l.granted)::numeric IS DISTINCT FROM m.came_in) OR (l.held > l.remaining) OR (l.remaining > (l.granted)::numeric) OR (l.held < (0)::numeric))
UNION ALL
 SELECT l.account_id,
    format('lot %s with %s tokens on its row'::text, l.lot_id, l.remaining) AS expected,
    format('live: %s'::text, l.live) AS found
   FROM credits.lots l
  WHERE (l.live <> ((l.remaining)::numeric > (0)::numeric))
UNION ALL
 SELECT w.account_id,
    format('a head lot %s that exists'::text, w.head_lot) AS expected,
    format('%s tokens taken from it, %s held, a permit of %s'::text, w.head_taken, w.head_reserved, w.head_permit) AS found
   FROM (credits.wallets w
     LEFT JOIN credits.lots l ON (((w.account_id = l.account_id) AND (w.head_lot = l.lot_id))))
  WHERE (((w.head_lot IS NOT NULL) AND (l.lot_id IS NULL)) OR ((w.head_lot IS NULL) AND (((w.head_taken)::numeric <> (0)::numeric) OR ((w.head_reserved)::numeric <> (0)::numeric) OR ((w.head_permit)::numeric > (0)::numeric) OR w.head_quiet)) OR (w.head_quiet AND (l.expires_at IS NOT NULL)))
UNION ALL
 SELECT e.account_id,
    format('entry %s: source %s, order %s, package %s'::text, e.seq, l.source, l.order_id, l.package_name) AS expected,
    format('%s, order %s, package %s'::text, e.kind, e.order_id, e.package_name) AS found
   FROM (credits.entries e
     LEFT JOIN credits.lots l ON (((e.account_id = l.account_id) AND (
        CASE
            WHEN (e.kind = 'expire'::credits.entry_kind) THEN (((e.draws -> 0) -> 'lot_id'::text))::bigint
            ELSE e.seq
        END = l.lot_id))))
  WHERE (((e.kind <> ALL (ARRAY['reversal'::credits.entry_kind, 'reinstatement'::credits.entry_kind])) AND ((e.order_id IS DISTINCT FROM
        CASE
            WHEN (e.kind <> 'expire'::credits.entry_kind) THEN l.order_id
            ELSE NULL::uuid
        END) OR (e.package_name IS DISTINCT FROM l.package_name))) OR ((e.kind <> 'expire'::credits.entry_kind) AND (l.lot_id IS NOT NULL) AND (l.source IS DISTINCT FROM e.kind)));
COMMENT ON VIEW audit.check_lots IS 'Each lot holds what was granted less what the entries drew from it, within its bounds, and its entries name its
source, order and package.
A row means: a lot has more or fewer tokens than the entries left in it, or an entry names another source, order or
package than its lot.
What to do: follow "A finding in the ledger" in docs/auditing.md. If the hash chain of the account is sound, the
entries are right and the lot was changed.';
CREATE VIEW audit.check_money_returns WITH (security_invoker='true') AS
 WITH history AS (
         SELECT m.account_id,
            m.order_id,
            m.number,
            m.reversed_after,
            row_number() OVER w AS place,
            sum(m.amount) OVER w AS reversed,
            (lead(m.number) OVER w IS NULL) AS is_last
           FROM credits.money_returns m
          WINDOW w AS (PARTITION BY m.account_id, m.order_id ORDER BY m.number)
        )
 SELECT h.account_id,
    format('order %s: return %s follows, after which %s has gone back'::text, h.order_id, h.place, h.reversed) AS expected,
    format('return %s, after which %s has'::text, h.number, h.reversed_after) AS found
   FROM history h
  WHERE ((h.number IS DISTINCT FROM h.place) OR ((h.reversed_after)::numeric IS DISTINCT FROM h.reversed))
UNION ALL
 SELECT o.account_id,
    format('order %s: %s minor units have gone back'::text, o.order_id, o.reversed) AS expected,
    format('its history says %s'::text, COALESCE(h.reversed_after, (0)::bigint)) AS found
   FROM (credits.orders o
     LEFT JOIN history h ON (((o.account_id = h.account_id) AND (o.order_id = h.order_id) AND h.is_last)))
  WHERE (o.reversed <> COALESCE(h.reversed_after, (0)::bigint));
COMMENT ON VIEW audit.check_money_returns IS 'What the history of each order says of the money that has gone back is what the order says.
A row means: finance dates or counts a refund wrongly, because an order or its history was changed by hand.
What to do: find the events of the order in credits.stripe_events, and correct the side that disagrees with them.';
CREATE VIEW audit.check_negative WITH (security_invoker='true') AS
 SELECT w.account_id,
    'balance + debt, debt and held not below 0, held within balance'::text AS expected,
    format('balance %s, debt %s, held %s'::text, w.balance, w.debt, w.held) AS found
   FROM credits.wallets w
  WHERE ((((w.balance)::numeric + (w.debt)::numeric) < (0)::numeric) OR ((w.debt)::numeric < (0)::numeric) OR ((w.held)::numeric < (0)::numeric) OR ((w.held)::numeric > ((w.balance)::numeric + (w.debt)::numeric)))
UNION ALL
 SELECT e.account_id,
    format('balance + debt not below 0 after entry %s'::text, e.seq) AS expected,
    format('balance %s, debt %s'::text, e.balance_after, e.debt_after) AS found
   FROM credits.entries e
  WHERE (((e.balance_after)::numeric + (e.debt_after)::numeric) < (0)::numeric);
COMMENT ON VIEW audit.check_negative IS 'No balance is, or ever was, below zero without debt.
A row means: an account spent what it did not have, or holds more than it has.
What to do: follow "A finding in the ledger" in docs/auditing.md. The functions of the bank cannot do this, so look
for a write to the tables.';
CREATE VIEW audit.check_orders WITH (security_invoker='true') AS
 WITH granted AS (
         SELECT l.account_id,
            l.order_id,
            count(*) AS lots,
            count(*) FILTER (WHERE ((l.scope IS DISTINCT FROM b.scope) OR ((l.source = ANY (ARRAY['allowance'::credits.entry_kind, 'rollover'::credits.entry_kind])) <> (NOT (b.kind IS DISTINCT FROM 'subscription'::text))) OR (l.source <> ALL (ARRAY['purchase'::credits.entry_kind, 'bonus'::credits.entry_kind, 'allowance'::credits.entry_kind, 'rollover'::credits.entry_kind])))) AS others,
            sum((l.granted)::numeric) FILTER (WHERE (l.source = ANY (ARRAY['purchase'::credits.entry_kind, 'allowance'::credits.entry_kind]))) AS tokens,
            sum((l.granted)::numeric) FILTER (WHERE (l.source = 'bonus'::credits.entry_kind)) AS bonus_tokens,
            sum(((l.granted)::numeric * (l.unit_cost)::numeric)) FILTER (WHERE (l.source <> 'rollover'::credits.entry_kind)) AS cost
           FROM (credits.lots l
             LEFT JOIN credits.orders b ON (((l.account_id = b.account_id) AND (l.order_id = b.order_id))))
          WHERE (l.order_id IS NOT NULL)
          GROUP BY l.account_id, l.order_id
        ), payments AS (
         SELECT e.account_id,
            e.order_id,
            e.event_id,
            o.amount,
            ((e.payload #> '{data,object,payment_status}'::text[]) = '"no_payment_required"'::jsonb) AS is_free,
            NULLIF(COALESCE((e.payload #> '{data,object,amount_total}'::text[]), (e.payload #> '{data,object,amount_received}'::text[])), 'null'::jsonb) AS total,
            COALESCE(NULLIF((e.payload #> '{data,object,total_details,amount_discount}'::text[]), 'null'::jsonb), '0'::jsonb) AS discount,
            COALESCE(NULLIF((e.payload #> '{data,object,total_details,amount_shipping}'::text[]), 'null'::jsonb), '0'::jsonb) AS shipping,
            COALESCE(NULLIF((e.payload #> '{data,object,total_details,amount_tax}'::text[]), 'null'::jsonb), '0'::jsonb) AS tax
           FROM (credits.stripe_events e
             JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
          WHERE ((e.outcome = 'granted'::text) AND (o.state = 'paid'::text) AND (o.kind <> 'subscription'::text))
        ), amounts AS (
         SELECT payments.account_id,
            payments.order_id,
            payments.event_id,
            payments.amount,
            payments.is_free,
                CASE jsonb_typeof(payments.discount)
                    WHEN 'number'::text THEN (payments.discount)::numeric
                    ELSE NULL::numeric
                END AS discount,
                CASE jsonb_typeof(payments.shipping)
                    WHEN 'number'::text THEN (payments.shipping)::numeric
                    ELSE NULL::numeric
                END AS shipping,
                CASE jsonb_typeof(payments.tax)
                    WHEN 'number'::text THEN (payments.tax)::numeric
                    ELSE NULL::numeric
                END AS tax,
                CASE
                    WHEN ((jsonb_typeof(payments.total) = 'number'::text) IS TRUE) THEN (payments.total)::numeric
                    ELSE NULL::numeric
                END AS total,
            (payments.total IS NOT NULL) AS names_total
           FROM payments
        )
 SELECT COALESCE(o.account_id, granted.account_id) AS account_id,
    format('order %s %s: %s tokens and %s bonus'::text, COALESCE(o.order_id, granted.order_id), o.state,
        CASE
            WHEN ((o.state = 'paid'::text) IS TRUE) THEN (o.tokens)::numeric
            ELSE (0)::numeric
        END,
        CASE
            WHEN ((o.state = 'paid'::text) IS TRUE) THEN (o.bonus_tokens)::numeric
            ELSE (0)::numeric
        END) AS expected,
    (format('granted %s and %s in %s lots'::text, COALESCE(granted.tokens, (0)::numeric), COALESCE(granted.bonus_tokens, (0)::numeric), COALESCE(granted.lots, (0)::bigint)) ||
        CASE
            WHEN ((granted.others > 0) IS TRUE) THEN ', not all as ordered'::text
            ELSE ''::text
        END) AS found
   FROM (credits.orders o
     FULL JOIN granted ON (((o.account_id = granted.account_id) AND (o.order_id = granted.order_id))))
  WHERE ((COALESCE(granted.tokens, (0)::numeric) IS DISTINCT FROM
        CASE
            WHEN ((o.state = 'paid'::text) IS TRUE) THEN (o.tokens)::numeric
            ELSE (0)::numeric
        END) OR (COALESCE(granted.bonus_tokens, (0)::numeric) IS DISTINCT FROM
        CASE
            WHEN ((o.state = 'paid'::text) IS TRUE) THEN (o.bonus_tokens)::numeric
            ELSE (0)::numeric
        END) OR (granted.others > 0) OR (o.order_id IS NULL))
UNION ALL
 SELECT e.account_id,
    format('event %s (%s) granted order %s'::text, e.event_id, e.type, e.order_id) AS expected,
    format('order is %s'::text, o.state) AS found
   FROM (credits.stripe_events e
     LEFT JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
  WHERE ((e.outcome = 'granted'::text) AND (o.state IS DISTINCT FROM 'paid'::text))
UNION ALL
 SELECT amounts.account_id,
    format('order %s was sold for %s less %s'::text, amounts.order_id, amounts.amount, COALESCE((amounts.discount)::text, 'an amount that cannot be read'::text)) AS expected,
    format('its tokens cost %s'::text, trim_scale(granted.cost)) AS found
   FROM (amounts
     JOIN granted ON (((amounts.account_id = granted.account_id) AND (amounts.order_id = granted.order_id))))
  WHERE ((abs((granted.cost - ((amounts.amount)::numeric - amounts.discount))) <= 0.01) IS NOT TRUE)
UNION ALL
 SELECT amounts.account_id,
    format('event %s, which granted order %s, says that its tokens cost %s'::text, amounts.event_id, amounts.order_id, trim_scale(granted.cost)) AS expected,
    format('%s with %s tax and %s shipping'::text,
        CASE
            WHEN (amounts.is_free IS TRUE) THEN 'no payment required'::text
            ELSE COALESCE((amounts.total)::text, 'no total'::text)
        END, amounts.tax, amounts.shipping) AS found
   FROM (amounts
     JOIN granted ON (((amounts.account_id = granted.account_id) AND (amounts.order_id = granted.order_id))))
  WHERE ((((NOT amounts.names_total) OR (abs(((amounts.total - amounts.shipping) - granted.cost)) <= 0.01) OR (abs((((amounts.total - amounts.shipping) - amounts.tax) - granted.cost)) <= 0.01) OR ((amounts.shipping > (0)::numeric) AND ((((amounts.total - amounts.shipping) - granted.cost) >= '-0.01'::numeric) AND (((amounts.total - amounts.shipping) - granted.cost) <= (amounts.tax + 0.01))))) IS NOT TRUE) OR ((amounts.is_free AND (granted.cost > 0.01)) IS TRUE));
COMMENT ON VIEW audit.check_orders IS 'Each paid order was granted exactly once, as ordered, and its tokens cost what its event says was paid for it. No
lot belongs to an order that was not paid.
A row means: an order was granted without being paid, paid and not granted, granted twice, or granted for another
amount than its event says.
What to do: compare the order with its payment at Stripe. Give what is missing with api.replay_event, and take back
with api.void_lot what was given too much.';
CREATE TABLE credits.settings (
    one_row boolean DEFAULT true NOT NULL,
    instance_id uuid DEFAULT gen_random_uuid(),
    test_clocks boolean DEFAULT false NOT NULL,
    stripe_accounts text[] DEFAULT '{}'::text[] NOT NULL,
    stripe_livemode boolean,
    most_pending_orders bigint DEFAULT 20 NOT NULL,
    longest_service_hold interval DEFAULT '168:00:00'::interval NOT NULL,
    most_open_holds bigint DEFAULT 100 NOT NULL,
    most_unpaid bigint DEFAULT 1000 NOT NULL,
    unpaid_window interval DEFAULT '01:00:00'::interval NOT NULL,
    verified_welcome boolean DEFAULT false NOT NULL,
    sign_ins_per_pair bigint DEFAULT 10 NOT NULL,
    sign_ins_per_account bigint DEFAULT 100 NOT NULL,
    sign_ins_per_network bigint DEFAULT 300 NOT NULL,
    sign_ups_per_network bigint DEFAULT 300 NOT NULL,
    sign_in_window interval DEFAULT '00:15:00'::interval NOT NULL,
    freeze_on_fraud_warning boolean DEFAULT false NOT NULL,
    reverse_rewards boolean DEFAULT true NOT NULL,
    stripe_delay interval DEFAULT '01:00:00'::interval NOT NULL,
    purge_after interval,
    purge_ahead interval,
    CONSTRAINT settings_are_one_row CHECK (one_row),
    CONSTRAINT settings_purge_is_sane CHECK (
CASE
    WHEN (purge_after IS NULL) THEN (purge_ahead IS NULL)
    ELSE COALESCE(((purge_ahead >= '1 day'::interval) AND (purge_after > purge_ahead) AND (purge_after <= '1000 years'::interval)), false)
END),
    CONSTRAINT settings_sign_in_limits_are_sane CHECK ((((sign_ins_per_pair >= 1) AND (sign_ins_per_pair <= 1000000)) AND ((sign_ins_per_account >= sign_ins_per_pair) AND (sign_ins_per_account <= 1000000)) AND ((sign_ins_per_network >= sign_ins_per_pair) AND (sign_ins_per_network <= 1000000)) AND ((sign_ups_per_network >= 1) AND (sign_ups_per_network <= 1000000)) AND (sign_in_window >= '00:00:01'::interval) AND (sign_in_window <= '24:00:00'::interval))),
    CONSTRAINT settings_stripe_delay_is_sane CHECK (((stripe_delay >= '00:00:00'::interval) AND (stripe_delay <= '72:00:00'::interval)))
);
ALTER TABLE ONLY credits.settings FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.settings IS 'Settings that the operator decides for the whole bank, in one row.';
COMMENT ON COLUMN credits.settings.instance_id IS 'Identifies this bank. `pgcredits up` keeps it in its data folder, and refuses the bank of another folder without --adopt.';
COMMENT ON COLUMN credits.settings.test_clocks IS 'Whether services may put accounts on test clocks. Off unless credits.allow_test_clocks was called. Never on where money is real.';
COMMENT ON COLUMN credits.settings.stripe_accounts IS 'Connected Stripe accounts whose events are accepted in addition to those of the own account: see credits.accept_stripe_accounts.';
COMMENT ON COLUMN credits.settings.stripe_livemode IS 'Which events are accepted: live (true), test (false), or both (null). See credits.accept_stripe_livemode.';
COMMENT ON COLUMN credits.settings.most_pending_orders IS 'How many orders of one account may be pending.';
COMMENT ON COLUMN credits.settings.longest_service_hold IS 'How long after its beginning a hold of a service can last at most: see credits.bound_holds.';
COMMENT ON COLUMN credits.settings.most_open_holds IS 'How many open holds an account may have.';
COMMENT ON COLUMN credits.settings.most_unpaid IS 'How many of each kind a user may make in one window without paying: see credits.bound_unpaid.';
COMMENT ON COLUMN credits.settings.unpaid_window IS 'The length of such a window, which begins with the first thing in it.';
COMMENT ON COLUMN credits.settings.verified_welcome IS 'Whether welcome tokens wait until a service says that the e-mail address is verified: see credits.require_verified_email.';
COMMENT ON COLUMN credits.settings.sign_ins_per_pair IS 'How many failed sign-ins to one account from one network are allowed in one sign_in_window: see credits.limit_sign_ins.';
COMMENT ON COLUMN credits.settings.sign_ins_per_account IS 'The same for one account, from all networks where it has not signed in before.';
COMMENT ON COLUMN credits.settings.sign_ins_per_network IS 'The same for one network, to all accounts. Ten times as many for a network that is known to be shared.';
COMMENT ON COLUMN credits.settings.sign_ups_per_network IS 'How many sign-ups from one network are allowed, whatever became of them, because each hashes a password. Ten times as many if it is shared.';
COMMENT ON COLUMN credits.settings.sign_in_window IS 'How long such a count continues before it starts again.';
COMMENT ON COLUMN credits.settings.stripe_delay IS 'How long a payment may be under way before the audit misses it: see credits.bound_stripe_delay.';
COMMENT ON COLUMN credits.settings.purge_after IS 'How long after its last spend, purchase or grant an account''s tokens expire. Null: never. See credits.define_purge.';
COMMENT ON COLUMN credits.settings.purge_ahead IS 'How long before that the user is told.';
CREATE VIEW audit.check_partitions WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    format('a partition of the ledger for %s'::text, to_char(month, 'YYYY-MM'::text)) AS expected,
    'none: does anything call api.maintain?'::text AS found
   FROM ( SELECT (date_trunc('month'::text, (statement_timestamp() AT TIME ZONE '00:00:00'::interval)) + make_interval(months => n.number)) AS month
           FROM generate_series(0, 1) n(number)) m
  WHERE ((( SELECT s.test_clocks
           FROM credits.settings s) IS NOT TRUE) AND (NOT (EXISTS ( SELECT
           FROM (pg_inherits i
             JOIN pg_class c ON ((i.inhrelid = c.oid)))
          WHERE ((i.inhparent = ('credits.entries'::regclass)::oid) AND (NOT i.inhdetachpending) AND (c.relname = to_char(m.month, '"entries_"YYYY_MM'::text)))))));
COMMENT ON VIEW audit.check_partitions IS 'The ledger has a partition for this month and for the next one.
A row means: the maintenance does not run, or cannot lock the ledger. Entries of a month without a partition go into
the default one, where they stay.
What to do: run `pgcredits maintain`, and read docs/retention.md.';
CREATE TABLE credits.price_list (
    module_id text NOT NULL,
    price_id bigint NOT NULL,
    price_source text DEFAULT 'module'::text NOT NULL,
    valid_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    call_cost credits.amount,
    least_cost credits.amount,
    dimension text,
    numerator numeric,
    denominator numeric,
    whole_quantity boolean DEFAULT false NOT NULL,
    CONSTRAINT price_list_is_linear_or_not CHECK ((num_nulls(dimension, numerator, denominator) = ANY (ARRAY[0, 3])))
);
ALTER TABLE ONLY credits.price_list FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.price_list IS 'The current price of each module on sale, its own or inherited, so that a spend needs one look-up. Follows credits.prices.';
COMMENT ON COLUMN credits.price_list.price_source IS 'module: the price is the module''s own. category: it is that of its category. default: it is that of every other module.';
COMMENT ON COLUMN credits.price_list.valid_from IS 'Since when price_id is in force.';
COMMENT ON COLUMN credits.price_list.valid_until IS 'When a later version may begin. From then on the versions themselves are looked up.';
COMMENT ON COLUMN credits.price_list.call_cost IS 'What one call costs, if the price counts calls and nothing else. A spend without a usage then needs no calculation.';
COMMENT ON COLUMN credits.price_list.least_cost IS 'The least that a use costs, among the uses that cost something. Null when all uses are free.';
COMMENT ON COLUMN credits.price_list.dimension IS 'For a price of one dimension that is so much for each unit, and nothing else: the dimension. Null for other prices.';
COMMENT ON COLUMN credits.price_list.numerator IS 'A quantity costs quantity * numerator / denominator, rounded up.';
COMMENT ON COLUMN credits.price_list.whole_quantity IS 'Whether the dimension is counted in whole numbers.';
CREATE VIEW audit.check_prices WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    format('%s at price %s'::text, m.module_id, p.price_id) AS expected,
    format('price %s'::text, l.price_id) AS found
   FROM ((credits.modules m
     CROSS JOIN LATERAL ( SELECT ((credits.module_price(m.module_id) ->> 'price_id'::text))::bigint AS price_id) p)
     JOIN credits.price_list l ON ((m.module_id = l.module_id)))
  WHERE ((l.valid_until > credits.clock()) AND (l.price_id IS DISTINCT FROM p.price_id))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('a call of %s at %s'::text, l.module_id, credits.call_cost(l.price_id)) AS expected,
    format('%s'::text, l.call_cost) AS found
   FROM credits.price_list l
  WHERE ((l.call_cost)::numeric IS DISTINCT FROM credits.call_cost(l.price_id))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s of %s: %s / %s'::text, u.dimension, l.module_id, u.numerator, u.denominator) AS expected,
    format('%s: %s / %s'::text, l.dimension, l.numerator, l.denominator) AS found
   FROM (credits.price_list l
     CROSS JOIN LATERAL credits.linear_price(l.price_id) u(dimension, numerator, denominator, whole_quantity))
  WHERE ((l.dimension IS DISTINCT FROM u.dimension) OR (l.numerator IS DISTINCT FROM u.numerator) OR (l.denominator IS DISTINCT FROM u.denominator))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s: price of %s, whole: %s, least: %s'::text, l.module_id, s.price_source, s.whole_quantity, s.least_cost) AS expected,
    format('price of %s, whole: %s, least: %s'::text, l.price_source, l.whole_quantity, l.least_cost) AS found
   FROM ((credits.price_list l
     JOIN credits.prices p ON ((l.price_id = p.price_id)))
     CROSS JOIN LATERAL ( SELECT credits.price_source(p.*) AS price_source,
            u.whole_quantity,
            credits.least_cost(l.price_id) AS least_cost
           FROM credits.linear_price(l.price_id) u(dimension, numerator, denominator, whole_quantity)) s)
  WHERE ((l.valid_until > credits.clock()) AND (((l.price_source IS DISTINCT FROM s.price_source) OR (l.whole_quantity IS DISTINCT FROM s.whole_quantity)) OR ((l.least_cost)::numeric IS DISTINCT FROM s.least_cost)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s at price %s from %s'::text, l.module_id, l.price_id, credits.utc_text(p.valid_from)) AS expected,
    format('from %s'::text, credits.utc_text(l.valid_from)) AS found
   FROM (credits.price_list l
     JOIN credits.prices p ON ((l.price_id = p.price_id)))
  WHERE (l.valid_from < p.valid_from)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s of price %s tiered: %s'::text, c.dimension, c.price_id, c.tiered) AS expected,
    format('tiers: %s'::text, (NOT c.tiered)) AS found
   FROM credits.price_components c
  WHERE (c.tiered <> (EXISTS ( SELECT
           FROM credits.price_tiers t
          WHERE ((t.price_id = c.price_id) AND (t.dimension = c.dimension)))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s, the parent of %s, has no parent'::text, p.dimension, d.dimension) AS expected,
    format('its parent is %s'::text, p.parent) AS found
   FROM (credits.dimensions d
     JOIN credits.dimensions p ON ((d.parent = p.dimension)))
  WHERE (p.parent IS NOT NULL);
COMMENT ON VIEW audit.check_prices IS 'The list of current prices agrees with the versions of the prices, a component is marked as tiered if it has tiers,
and the parent of a dimension has no parent.
A row means: the list that spends read disagrees with the versions of the prices, so a use may cost the wrong price.
What to do: apply the price list again with `pgcredits catalog apply`. Find out who changed the tables: charges
since then may be refunded with api.refund_usage.';
CREATE VIEW audit.check_refund_requests WITH (security_invoker='true') AS
 WITH requests AS (
         SELECT r.account_id,
            r.request_id,
            r.order_id,
            r.state,
            r.tokens,
            r.amount,
            r.reason,
            r.trouble,
            r.refund_id,
            r.actor,
            r.requested_at,
            r.ended_at,
            v.status,
            v.amount AS reversal_amount,
            c.state AS call_state,
            (c.params -> 'amount'::text) AS call_amount,
            (EXISTS ( SELECT
                   FROM credits.reversals x
                  WHERE ((x.account_id = r.account_id) AND (x.reversal_id = r.refund_id) AND (x.order_id = r.order_id)))) AS is_known
           FROM ((credits.refund_requests r
             LEFT JOIN credits.reversals v ON (((r.account_id = v.account_id) AND (v.reversal_id = ('request:'::text || r.request_id)) AND (r.order_id = v.order_id))))
             LEFT JOIN credits.stripe_calls c ON (((r.account_id = c.account_id) AND (r.request_id = c.made_for) AND (c.kind = 'refund'::text))))
        )
 SELECT r.account_id,
    format('request %s, %s, of %s: a reversal that is %s'::text, r.request_id, r.state, r.amount,
        CASE
            WHEN ((r.state = 'open'::text) OR ((r.state = 'refunded'::text) AND (NOT r.is_known))) THEN 'requested'::text
            ELSE 'dropped'::text
        END) AS expected,
    format('%s of %s'::text, COALESCE(r.status, 'none'::text), r.reversal_amount) AS found
   FROM requests r
  WHERE (((r.reversal_amount = r.amount) AND (r.status =
        CASE
            WHEN ((r.state = 'open'::text) OR ((r.state = 'refunded'::text) AND (NOT r.is_known))) THEN 'requested'::text
            ELSE 'dropped'::text
        END)) IS NOT TRUE)
UNION ALL
 SELECT r.account_id,
    format('request %s, %s, has a call to Stripe for %s'::text, r.request_id, r.state, r.amount) AS expected,
    format('%s for %s'::text, COALESCE(r.call_state, 'none'::text), r.call_amount) AS found
   FROM requests r
  WHERE ((r.call_amount IS DISTINCT FROM to_jsonb(r.amount)) OR ((r.state = 'open'::text) AND (r.call_state IS DISTINCT FROM 'due'::text)))
UNION ALL
 SELECT o.account_id,
    format('we ask back at most the %s that were paid for order %s'::text, o.paid, o.order_id) AS expected,
    format('%s'::text, v.asked) AS found
   FROM (credits.orders o
     CROSS JOIN LATERAL ( SELECT sum(q.amount) AS asked
           FROM credits.refund_requests q
          WHERE ((q.account_id = o.account_id) AND (q.order_id = o.order_id) AND (q.state <> 'failed'::text))) v)
  WHERE ((v.asked <= (o.paid)::numeric) IS FALSE)
UNION ALL
 SELECT l.account_id,
    format('order %s withholds %s tokens, of %s that may go back'::text, l.order_id, l.due, o.reversal_pending) AS expected,
    format('%s tokens'::text, l.withheld) AS found
   FROM (( SELECT x.account_id,
            x.order_id,
            sum((x.withheld)::numeric) AS withheld,
            sum((
                CASE
                    WHEN (x.source = 'rollover'::credits.entry_kind) THEN (0)::numeric
                    WHEN ((m.reversed + m.reversal_pending) >= m.paid) THEN (x.granted)::numeric
                    ELSE trunc((((x.granted)::numeric * ((m.reversed + m.reversal_pending))::numeric) / (NULLIF(m.paid, 0))::numeric), 6)
                END -
                CASE
                    WHEN (x.source = 'rollover'::credits.entry_kind) THEN (0)::numeric
                    WHEN (m.reversed >= m.paid) THEN (x.granted)::numeric
                    ELSE trunc((((x.granted)::numeric * (m.reversed)::numeric) / (NULLIF(m.paid, 0))::numeric), 6)
                END)) AS due
           FROM (credits.lots x
             JOIN credits.orders m ON (((x.account_id = m.account_id) AND (x.order_id = m.order_id))))
          WHERE (m.paid > 0)
          GROUP BY x.account_id, x.order_id) l
     JOIN credits.orders o ON (((l.account_id = o.account_id) AND (l.order_id = o.order_id))))
  WHERE (l.withheld IS DISTINCT FROM l.due);
COMMENT ON VIEW audit.check_refund_requests IS 'Every refund that we requested withholds its tokens until it has ended, has a call to Stripe, and asks for no more
than is left of the payment.
A row means: a refund that was asked for does not withhold its tokens, has no call to Stripe, or asks for more than
was paid.
What to do: look for the refund at Stripe first. Then run `pgcredits stripe pull`, which applies what Stripe has
done.';
CREATE VIEW audit.check_refunds WITH (security_invoker='true') AS
 WITH refunds AS (
         SELECT e.account_id,
            e.refunds_seq AS charge_seq,
            e.seq,
            e.tokens,
            e.draws
           FROM credits.entries e
          WHERE (e.kind = 'refund'::credits.entry_kind)
        ), given_back AS (
         SELECT r.account_id,
            r.charge_seq,
            sum((r.tokens)::numeric) AS tokens,
            min(r.seq) AS first_seq,
            array_agg(r.seq ORDER BY r.seq) AS seqs
           FROM refunds r
          GROUP BY r.account_id, r.charge_seq
        ), returned AS (
         SELECT r.account_id,
            r.charge_seq,
            d.lot_id,
            sum(d.tokens) AS tokens
           FROM (refunds r
             CROSS JOIN LATERAL jsonb_to_recordset(r.draws) d(lot_id bigint, tokens numeric))
          GROUP BY r.account_id, r.charge_seq, d.lot_id
        ), taken AS (
         SELECT g.account_id,
            g.charge_seq,
            d.lot_id,
            sum(d.tokens) AS tokens
           FROM ((given_back g
             JOIN credits.entries e ON (((g.account_id = e.account_id) AND (g.charge_seq = e.seq))))
             CROSS JOIN LATERAL jsonb_to_recordset(e.draws) d(lot_id bigint, tokens numeric))
          GROUP BY g.account_id, g.charge_seq, d.lot_id
        ), repaid AS (
         SELECT e.account_id,
            e.seq,
            d.lot_id,
            sum(d.tokens) AS tokens
           FROM (credits.entries e
             CROSS JOIN LATERAL jsonb_to_recordset(e.draws) d(lot_id bigint, tokens numeric))
          WHERE (e.kind = 'repayment'::credits.entry_kind)
          GROUP BY e.account_id, e.seq, d.lot_id
        ), noted AS (
         SELECT c.account_id,
            c.seq,
            c.refunded,
            c.refund_seqs,
            p.tokens AS repaid
           FROM (credits.charge_refunds c
             LEFT JOIN repaid p ON (((c.account_id = p.account_id) AND (c.seq = p.seq))))
        )
 SELECT COALESCE(g.account_id, c.account_id) AS account_id,
    format('entry %s charged %s, refunds of it %s by the entries %s'::text, COALESCE(g.charge_seq, c.seq), COALESCE((- (e.tokens)::numeric), (0)::numeric), COALESCE(g.tokens, (0)::numeric), COALESCE(g.seqs, '{}'::bigint[])) AS expected,
    format('%s refunded by the entries %s'::text, COALESCE((c.refunded)::numeric, (0)::numeric), COALESCE(c.refund_seqs, '{}'::bigint[])) AS found
   FROM ((given_back g
     FULL JOIN ( SELECT x.account_id,
            x.seq,
            x.refunded,
            x.refund_seqs,
            x.repaid
           FROM noted x
          WHERE (x.repaid IS NULL)) c ON (((g.account_id = c.account_id) AND (g.charge_seq = c.seq))))
     LEFT JOIN credits.entries e ON (((COALESCE(g.account_id, c.account_id) = e.account_id) AND (COALESCE(g.charge_seq, c.seq) = e.seq) AND (e.kind = 'spend'::credits.entry_kind))))
  WHERE ((g.tokens IS DISTINCT FROM (c.refunded)::numeric) OR ((c.refunded)::numeric > (- COALESCE((e.tokens)::numeric, (0)::numeric))) OR (g.first_seq < e.seq) OR (g.seqs IS DISTINCT FROM c.refund_seqs))
UNION ALL
 SELECT r.account_id,
    format('entry %s took %s from lot %s'::text, r.charge_seq, COALESCE(t.tokens, (0)::numeric), r.lot_id) AS expected,
    format('%s went back'::text, r.tokens) AS found
   FROM ((returned r
     LEFT JOIN taken t ON (((r.account_id = t.account_id) AND (r.charge_seq = t.charge_seq) AND (r.lot_id = t.lot_id))))
     LEFT JOIN ( SELECT x.account_id,
            x.lot_id,
            sum(x.tokens) AS tokens
           FROM repaid x
          GROUP BY x.account_id, x.lot_id) p ON (((r.account_id = p.account_id) AND (r.lot_id = p.lot_id))))
  WHERE (r.tokens > (COALESCE(t.tokens, (0)::numeric) + COALESCE(p.tokens, (0)::numeric)))
UNION ALL
 SELECT c.account_id,
    format('at most %s of repayment %s gone back'::text, c.repaid, c.seq) AS expected,
    format('%s'::text, c.refunded) AS found
   FROM noted c
  WHERE ((c.refunded)::numeric > c.repaid)
UNION ALL
 SELECT e.account_id,
    format('entry %s (%s) refunds no charge'::text, e.seq, e.kind) AS expected,
    format('entry %s'::text, e.refunds_seq) AS found
   FROM credits.entries e
  WHERE ((e.kind <> 'refund'::credits.entry_kind) AND (e.refunds_seq IS NOT NULL));
COMMENT ON VIEW audit.check_refunds IS 'The refunds of a charge add up to what is recorded as refunded, and to no more than the charge took. They went into
the lots that the charge took from, or that repaid debt.
A row means: a charge gave back more or less than the refunds of it say, or to other lots.
What to do: follow "A finding in the ledger" in docs/auditing.md. Correct the balance with api.add_tokens or
api.void_lot, and name the entry as the reason.';
CREATE VIEW audit.check_release WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    expected,
    found
   FROM credits.release_differences() d(expected, found);
COMMENT ON VIEW audit.check_release IS 'Nothing in the schemas of the bank was made, changed or dropped by anybody but pgcredits migrate.
A row means: an object of the bank is not as the last migration left it.
What to do: find out who changed it. Keep the change in your own schema if you need it, and run `pgcredits migrate
CREATE VIEW credits.event_types WITH (security_invoker='true') AS
 SELECT column1 AS type,
    column2 AS family,
    column3 AS effect
   FROM (VALUES ('checkout.session.completed'::text,'session'::text,'grants the order if it is paid, or if nothing was to be paid; otherwise the order is processing'::text), ('checkout.session.async_payment_succeeded'::text,'session'::text,'grants the order'::text), ('checkout.session.async_payment_failed'::text,'session'::text,'ends the order; takes back what was granted before it failed'::text), ('checkout.session.expired'::text,'session'::text,'ends the order'::text), ('refund.created'::text,'refund'::text,'withholds the tokens of a pending refund; takes back those of one that succeeded'::text), ('refund.updated'::text,'refund'::text,'the same, for the new status'::text), ('refund.failed'::text,'refund'::text,'gives back what this refund took or withheld'::text), ('charge.refund.updated'::text,'refund'::text,'the same as refund.updated, in older versions of Stripe''s API'::text), ('charge.refunded'::text,'refund'::text,'takes back what the charge says was refunded and no refund has explained'::text), ('charge.dispute.created'::text,'dispute'::text,'freezes the lots of the order; an inquiry moves nothing'::text), ('charge.dispute.updated'::text,'dispute'::text,'the same, for the new status'::text), ('charge.dispute.funds_withdrawn'::text,'dispute'::text,'takes back the tokens of the disputed amount'::text), ('charge.dispute.funds_reinstated'::text,'dispute'::text,'gives back exactly what the withdrawal took'::text), ('charge.dispute.closed'::text,'dispute'::text,'thaws the lots of the order, but not when it was lost and its withdrawal was never reported; moves no tokens'::text), ('radar.early_fraud_warning.created'::text,'fraud_warning'::text,'freezes the lots of the order, if the operator wants it so'::text), ('radar.early_fraud_warning.updated'::text,'fraud_warning'::text,'thaws them when nothing can be done about it any more'::text), ('payment_intent.succeeded'::text,'intent'::text,'grants an automatic top-up; may save a card for it; the payment of a Checkout session grants nothing here'::text), ('payment_intent.payment_failed'::text,'intent'::text,'ends the attempt of an automatic top-up, which waits or pauses'::text), ('payment_intent.canceled'::text,'intent'::text,'the same'::text), ('setup_intent.succeeded'::text,'intent'::text,'saves a card for automatic top-ups, if the user has agreed to them'::text), ('invoice.paid'::text,'invoice'::text,'grants the period of a plan, once per invoice; another invoice grants nothing'::text), ('invoice.payment_succeeded'::text,'invoice'::text,'the same as invoice.paid: whichever comes first grants'::text), ('invoice.payment_failed'::text,'invoice'::text,'moves no tokens; tells the user, once for each attempt'::text), ('invoice.voided'::text,'invoice'::text,'moves no tokens; nothing is due any more'::text), ('invoice.marked_uncollectible'::text,'invoice'::text,'moves no tokens; nothing is expected any more'::text), ('invoice_payment.paid'::text,'invoice'::text,'moves no tokens; names the payment of an invoice, for refunds and disputes'::text), ('customer.subscription.created'::text,'subscription'::text,'moves no tokens; records the subscription'::text), ('customer.subscription.updated'::text,'subscription'::text,'moves no tokens; records plan, status and period; an event that is older than the last one changes nothing'::text), ('customer.subscription.paused'::text,'subscription'::text,'the same'::text), ('customer.subscription.resumed'::text,'subscription'::text,'the same'::text), ('customer.subscription.trial_will_end'::text,'subscription'::text,'the same; tells the user'::text), ('customer.subscription.deleted'::text,'subscription'::text,'ends the subscription for ever; the free plan takes its place'::text)) "*VALUES*";
COMMENT ON VIEW credits.event_types IS 'The types of Stripe events that are applied: the family whose functions apply them, and what they do to the books. Events of other types are stored, and move nothing.';
CREATE VIEW audit.check_reversals WITH (security_invoker='true') AS
 WITH refunds AS (
         SELECT r.account_id,
            r.order_id,
            COALESCE(sum(r.amount) FILTER (WHERE ((r.kind = 'refund'::text) AND (r.status <> ALL (ARRAY['requested'::text, 'dropped'::text])) AND (NOT starts_with(r.reversal_id, 'credit_'::text)))), (0)::numeric) AS known,
            COALESCE(sum(r.amount) FILTER (WHERE ((r.kind = 'refund'::text) AND (r.status = 'succeeded'::text))), (0)::numeric) AS succeeded,
            COALESCE(sum(r.amount) FILTER (WHERE ((r.kind = 'refund'::text) AND (r.status = ANY (ARRAY['requested'::text, 'pending'::text, 'requires_action'::text])))), (0)::numeric) AS pending,
            COALESCE(max(r.amount) FILTER (WHERE (r.kind = 'refunded_charge'::text)), (0)::bigint) AS on_charge,
            COALESCE(sum(r.amount) FILTER (WHERE ((r.kind = 'dispute'::text) AND (r.withdrawals > r.reinstatements))), (0)::numeric) AS withdrawn,
            max(r.created_at) FILTER (WHERE (r.kind = 'failed_payment'::text)) AS failed_at
           FROM credits.reversals r
          GROUP BY r.account_id, r.order_id
        ), money AS (
         SELECT o.account_id,
            o.order_id,
            o.paid,
            o.reversed,
            o.reversal_pending,
            o.reversed_debt,
            COALESCE(r.pending, (0)::numeric) AS pending,
            LEAST((COALESCE(o.paid, (0)::bigint))::numeric, ((COALESCE((r.succeeded + r.withdrawn), (0)::numeric) +
                CASE
                    WHEN (((r.on_charge)::numeric > r.known) IS TRUE) THEN ((r.on_charge)::numeric - r.known)
                    ELSE (0)::numeric
                END) + (
                CASE
                    WHEN ((r.failed_at > o.succeeded_at) IS TRUE) THEN COALESCE(o.paid, (0)::bigint)
                    ELSE (0)::bigint
                END)::numeric)) AS back
           FROM (credits.orders o
             LEFT JOIN refunds r ON (((o.account_id = r.account_id) AND (o.order_id = r.order_id))))
          WHERE (o.state = 'paid'::text)
        ), entries AS (
         SELECT e.account_id,
            e.order_id,
            (- sum((e.tokens)::numeric)) AS tokens
           FROM credits.entries e
          WHERE ((e.kind = ANY (ARRAY['reversal'::credits.entry_kind, 'reinstatement'::credits.entry_kind])) AND (e.order_id IS NOT NULL))
          GROUP BY e.account_id, e.order_id
        ), draws AS (
         SELECT e.account_id,
            d.lot_id,
            sum(
                CASE
                    WHEN (e.kind = 'reversal'::credits.entry_kind) THEN d.tokens
                    ELSE (- d.tokens)
                END) AS tokens
           FROM ((credits.entries e
             CROSS JOIN LATERAL ( SELECT x.lot_id,
                    x.tokens
                   FROM jsonb_to_recordset(e.draws) x(lot_id bigint, tokens numeric)
                UNION ALL
                 SELECT x.lot_id,
                    (- x.tokens) AS tokens
                   FROM jsonb_to_recordset((e.metadata -> 'repaid'::text)) x(lot_id bigint, tokens numeric)) d)
             JOIN credits.lots l ON (((e.account_id = l.account_id) AND (d.lot_id = l.lot_id))))
          WHERE ((e.kind = ANY (ARRAY['reversal'::credits.entry_kind, 'reinstatement'::credits.entry_kind])) AND (NOT (l.order_id IS DISTINCT FROM e.order_id)))
          GROUP BY e.account_id, d.lot_id
        ), gone AS (
         SELECT e.account_id,
            l.order_id,
            sum(
                CASE
                    WHEN ((e.tokens)::numeric > (0)::numeric) THEN (- d.tokens)
                    ELSE d.tokens
                END) AS tokens
           FROM ((credits.entries e
             CROSS JOIN LATERAL jsonb_to_recordset(e.draws) d(lot_id bigint, tokens numeric))
             JOIN credits.lots l ON (((e.account_id = l.account_id) AND (d.lot_id = l.lot_id))))
          WHERE ((e.kind = ANY (ARRAY['expire'::credits.entry_kind, 'adjustment'::credits.entry_kind])) AND (d.lot_id IS DISTINCT FROM e.seq) AND (l.order_id IS NOT NULL))
          GROUP BY e.account_id, l.order_id
        ), lots AS (
         SELECT l.account_id,
            l.order_id,
            sum((l.reversed)::numeric) AS reversed,
            sum(
                CASE
                    WHEN (m.back >= (m.paid)::numeric) THEN (l.granted)::numeric
                    ELSE trunc((((l.granted)::numeric * m.back) / (NULLIF(m.paid, 0))::numeric), 6)
                END) FILTER (WHERE (l.source <> 'rollover'::credits.entry_kind)) AS target,
            COALESCE(sum((l.granted)::numeric) FILTER (WHERE (l.source = 'rollover'::credits.entry_kind)), (0)::numeric) AS carried
           FROM (credits.lots l
             JOIN money m ON (((l.account_id = m.account_id) AND (l.order_id = m.order_id))))
          WHERE (m.paid > 0)
          GROUP BY l.account_id, l.order_id
        )
 SELECT m.account_id,
    format('order %s: %s of %s gone back'::text, m.order_id, m.back, m.paid) AS expected,
    format('%s'::text, m.reversed) AS found
   FROM money m
  WHERE ((m.reversed)::numeric IS DISTINCT FROM m.back)
UNION ALL
 SELECT m.account_id,
    format('order %s: %s being refunded'::text, m.order_id, LEAST(m.pending, ((COALESCE(m.paid, (0)::bigint))::numeric - m.back))) AS expected,
    format('%s'::text, m.reversal_pending) AS found
   FROM money m
  WHERE ((m.reversal_pending)::numeric IS DISTINCT FROM LEAST(m.pending, ((COALESCE(m.paid, (0)::bigint))::numeric - m.back)))
UNION ALL
 SELECT m.account_id,
    format('order %s: entries took %s tokens back'::text, m.order_id, COALESCE(e.tokens, (0)::numeric)) AS expected,
    format('%s from lots, %s as debt'::text, COALESCE(l.reversed, (0)::numeric), m.reversed_debt) AS found
   FROM ((money m
     LEFT JOIN entries e ON (((m.account_id = e.account_id) AND (m.order_id = e.order_id))))
     LEFT JOIN lots l ON (((m.account_id = l.account_id) AND (m.order_id = l.order_id))))
  WHERE (COALESCE(e.tokens, (0)::numeric) <> (COALESCE(l.reversed, (0)::numeric) + (m.reversed_debt)::numeric))
UNION ALL
 SELECT l.account_id,
    format('order %s: %s tokens of the money that has gone back'::text, l.order_id, l.target) AS expected,
    format('%s from lots, %s as debt, %s expired or voided'::text, l.reversed, m.reversed_debt, (COALESCE(g.tokens, (0)::numeric) - l.carried)) AS found
   FROM ((lots l
     JOIN money m ON (((l.account_id = m.account_id) AND (l.order_id = m.order_id))))
     LEFT JOIN gone g ON (((l.account_id = g.account_id) AND (l.order_id = g.order_id))))
  WHERE (((l.reversed + (m.reversed_debt)::numeric) > l.target) OR ((((l.reversed + (m.reversed_debt)::numeric) + COALESCE(g.tokens, (0)::numeric)) - l.carried) < l.target))
UNION ALL
 SELECT l.account_id,
    format('lot %s: entries took %s tokens back'::text, l.lot_id, COALESCE(d.tokens, (0)::numeric)) AS expected,
    format('%s'::text, l.reversed) AS found
   FROM (credits.lots l
     LEFT JOIN draws d ON (((l.account_id = d.account_id) AND (l.lot_id = d.lot_id))))
  WHERE ((l.reversed)::numeric <> COALESCE(d.tokens, (0)::numeric))
UNION ALL
 SELECT l.account_id,
    format('lot %s: disputed: %s'::text, l.lot_id, o.disputed) AS expected,
    format('frozen: %s'::text, l.frozen) AS found
   FROM (credits.lots l
     JOIN credits.orders o ON (((l.account_id = o.account_id) AND (l.order_id = o.order_id))))
  WHERE (l.frozen IS DISTINCT FROM o.disputed)
UNION ALL
 SELECT e.account_id,
    format('event %s (%s) left its mark on order %s'::text, e.event_id, e.type, e.order_id) AS expected,
    format('no reversal %s'::text, e.object_id) AS found
   FROM ((credits.stripe_events e
     JOIN credits.event_types t ON ((e.type = t.type)))
     LEFT JOIN credits.reversals r ON (((e.account_id = r.account_id) AND (e.object_id = r.reversal_id))))
  WHERE ((t.family = ANY (ARRAY['refund'::text, 'dispute'::text, 'fraud_warning'::text])) AND (e.outcome = ANY (ARRAY['applied'::text, 'duplicate'::text])) AND (r.reversal_id IS NULL));
COMMENT ON VIEW audit.check_reversals IS 'Each order says of its money what its refunds and disputes add up to. The tokens that were taken back are the share
of the money that has gone back, less what had expired or was voided. Lots, orders and entries agree about them.
A row means: an order, its refunds and disputes, and the tokens that were taken back for them disagree.
What to do: run `pgcredits stripe pull`, which applies what was missed. If the row stays, compare the order with
Stripe''s dashboard and correct it with api.void_lot or api.restore_lot.';
CREATE VIEW audit.check_roles WITH (security_invoker='true') AS
 WITH recipe(role, login, inherits, member_of) AS (
         VALUES ('credits_owner'::text,false,NULL::boolean,'{}'::text[]), ('anon'::text,false,NULL::boolean,'{}'::text[]), ('authenticated'::text,false,NULL::boolean,'{}'::text[]), ('spender'::text,false,NULL::boolean,'{}'::text[]), ('support'::text,false,NULL::boolean,'{}'::text[]), ('service_role'::text,false,NULL::boolean,'{spender}'::text[]), ('analyst'::text,false,NULL::boolean,'{}'::text[]), ('auditor'::text,false,NULL::boolean,'{}'::text[]), ('accountant'::text,false,NULL::boolean,'{}'::text[]), ('pgcredits_api'::text,true,false,'{anon,authenticated}'::text[]), ('pgcredits_service'::text,true,false,'{service_role,spender,support}'::text[]), ('pgcredits_analyst'::text,true,true,'{analyst}'::text[]), ('pgcredits_auditor'::text,true,true,'{auditor}'::text[]), ('pgcredits_accountant'::text,true,true,'{accountant}'::text[]), ('pgcredits_catalog'::text,true,false,'{}'::text[])
        ), standing AS (
         SELECT e.role,
            e.login,
            e.inherits,
            e.member_of,
            r.oid,
            array_remove(ARRAY[
                CASE
                    WHEN ((r.rolcanlogin <> e.login) IS TRUE) THEN
                    CASE
                        WHEN e.login THEN 'nologin'::text
                        ELSE 'login'::text
                    END
                    ELSE NULL::text
                END,
                CASE
                    WHEN ((r.rolinherit <> e.inherits) IS TRUE) THEN
                    CASE
                        WHEN e.inherits THEN 'noinherit'::text
                        ELSE 'inherit'::text
                    END
                    ELSE NULL::text
                END,
                CASE
                    WHEN (r.rolsuper IS TRUE) THEN 'superuser'::text
                    ELSE NULL::text
                END,
                CASE
                    WHEN (r.rolcreaterole IS TRUE) THEN 'createrole'::text
                    ELSE NULL::text
                END,
                CASE
                    WHEN (r.rolcreatedb IS TRUE) THEN 'createdb'::text
                    ELSE NULL::text
                END,
                CASE
                    WHEN (r.rolreplication IS TRUE) THEN 'replication'::text
                    ELSE NULL::text
                END,
                CASE
                    WHEN ((r.rolbypassrls AND (e.role <> 'service_role'::text)) IS TRUE) THEN 'bypassrls'::text
                    ELSE NULL::text
                END], NULL::text) AS faults,
            ARRAY( SELECT (g.rolname)::text AS rolname
                   FROM (pg_auth_members m
                     JOIN pg_roles g ON ((m.roleid = g.oid)))
                  WHERE ((m.member = r.oid) AND (e.role <> ALL (ARRAY['anon'::text, 'authenticated'::text, 'service_role'::text])))
                UNION
                 SELECT (g.rolname)::text AS rolname
                   FROM (credits.role_steps() t(role_id, target_id)
                     JOIN pg_roles g ON ((t.target_id = g.oid)))
                  WHERE ((t.role_id = r.oid) AND (t.target_id IS DISTINCT FROM r.oid) AND (e.role = ANY (ARRAY['anon'::text, 'authenticated'::text, 'service_role'::text])) AND (g.rolname IN ( SELECT x.role
                           FROM recipe x)))
          ORDER BY 1) AS is_member_of
           FROM (recipe e
             LEFT JOIN pg_roles r ON ((e.role = r.rolname)))
        )
 SELECT NULL::uuid AS account_id,
    format('role %s'::text, s.role) AS expected,
    'no such role'::text AS found
   FROM standing s
  WHERE (s.oid IS NULL)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('role %s as `pgcredits roles` makes it'::text, s.role) AS expected,
    array_to_string(s.faults, ', '::text) AS found
   FROM standing s
  WHERE (cardinality(s.faults) > 0)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('role %s is a member of %s'::text, s.role, COALESCE(NULLIF(array_to_string(s.member_of, ', '::text), ''::text), 'no other'::text)) AS expected,
    COALESCE(NULLIF(array_to_string(s.is_member_of, ', '::text), ''::text), 'of none'::text) AS found
   FROM standing s
  WHERE ((s.oid IS NOT NULL) AND (NOT ((s.is_member_of @> s.member_of) AND (s.is_member_of <@ s.member_of))))
UNION ALL
 SELECT NULL::uuid AS account_id,
        CASE
            WHEN m.admin_option THEN format('nobody but administrators may grant %s'::text, s.role)
            ELSE 'nobody but administrators may become credits_owner'::text
        END AS expected,
    format('%s may'::text, r.rolname) AS found
   FROM ((pg_auth_members m
     JOIN standing s ON ((m.roleid = s.oid)))
     JOIN pg_roles r ON ((m.member = r.oid)))
  WHERE ((m.admin_option OR (s.role = 'credits_owner'::text)) AND (NOT (r.rolsuper OR r.rolcreaterole)) AND (r.oid IS DISTINCT FROM ( SELECT d.datdba
           FROM pg_database d
          WHERE (d.datname = current_database()))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.member_faults() f(expected, found)
UNION ALL
 SELECT NULL::uuid AS account_id,
    f.expected,
    f.found
   FROM credits.member_grants() f(expected, found);
COMMENT ON VIEW audit.check_roles IS 'The roles of the bank exist, have no attribute that they should not have, and are members of the roles that they
should be. Only administrators may grant them or become the owner. A member of them, in any number of steps, has no
power over the server and is no other login of the bank.
A row means: a role of the bank is missing, may do more than it should, or has a member that is stronger than the
role.
What to do: run `pgcredits roles`, which makes what is missing, and revoke what the row names. SECURITY.md has the
recipe of a login.';
CREATE VIEW audit.check_running_balance WITH (security_invoker='true') AS
 SELECT account_id,
    format('balance %s after entry %s'::text, (previous_balance + (tokens)::numeric), seq) AS expected,
    format('balance %s'::text, balance_after) AS found
   FROM ( SELECT entry.account_id,
            entry.seq,
            entry.tokens,
            entry.balance_after,
            COALESCE((lag(entry.balance_after) OVER in_order)::numeric, (0)::numeric) AS previous_balance
           FROM credits.entries entry
          WINDOW in_order AS (PARTITION BY entry.account_id ORDER BY entry.seq)) pair
  WHERE ((balance_after)::numeric <> (previous_balance + (tokens)::numeric));
COMMENT ON VIEW audit.check_running_balance IS 'balance_after of each entry is that of the entry before plus its tokens.
A row means: an entry says another balance than the one before it plus its tokens.
What to do: follow "A finding in the ledger" in docs/auditing.md. It names the first entry that does not follow.';
CREATE VIEW audit.check_sequence WITH (security_invoker='true') AS
 WITH last_entries AS (
         SELECT entry.account_id,
            count(*) AS entries,
            max(entry.posted_at) AS last_at
           FROM credits.entries entry
          GROUP BY entry.account_id
        )
 SELECT pair.account_id,
    format('seq %s after %s'::text, (pair.previous_seq + 1), credits.utc_text(pair.previous_at)) AS expected,
    format('seq %s at %s'::text, pair.seq, credits.utc_text(pair.posted_at)) AS found
   FROM ( SELECT entry.account_id,
            entry.seq,
            entry.posted_at,
            COALESCE(lag(entry.seq) OVER in_order, (0)::bigint) AS previous_seq,
            COALESCE(lag(entry.posted_at) OVER in_order, '-infinity'::timestamp with time zone) AS previous_at
           FROM credits.entries entry
          WINDOW in_order AS (PARTITION BY entry.account_id ORDER BY entry.seq, entry.posted_at)) pair
  WHERE ((pair.seq <> (pair.previous_seq + 1)) OR (pair.posted_at <= pair.previous_at))
UNION ALL
 SELECT COALESCE(wallet.account_id, last_entries.account_id) AS account_id,
    format('last seq %s at %s'::text, wallet.seq, credits.utc_text(wallet.posted_at)) AS expected,
    format('%s entries, last at %s'::text, COALESCE(last_entries.entries, (0)::bigint), credits.utc_text(last_entries.last_at)) AS found
   FROM (credits.wallets wallet
     FULL JOIN last_entries ON ((wallet.account_id = last_entries.account_id)))
  WHERE ((wallet.seq IS DISTINCT FROM COALESCE(last_entries.entries, (0)::bigint)) OR (wallet.posted_at IS DISTINCT FROM COALESCE(last_entries.last_at, '-infinity'::timestamp with time zone)))
UNION ALL
 SELECT wallet.account_id,
    format('last entry %s before now'::text, wallet.seq) AS expected,
    format('in the future, at %s'::text, credits.utc_text(wallet.posted_at)) AS found
   FROM credits.wallets wallet
  WHERE ((wallet.posted_at > (credits.clock() + '00:01:00'::interval)) AND (( SELECT s.test_clocks
           FROM credits.settings s) IS NOT TRUE));
COMMENT ON VIEW audit.check_sequence IS 'Entries of an account are numbered without a gap, in the order of time, up to the wallet''s seq. None is in the
future.
A row means: entries of an account are missing, doubled or out of order, or the wallet counts another number of
them.
What to do: follow "A finding in the ledger" in docs/auditing.md. Compare with an anchor: after a restore of an
older backup it says so.';
CREATE TABLE credits.password_changes (
    account_id uuid NOT NULL,
    change_id uuid DEFAULT gen_random_uuid() NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    actor text NOT NULL
);
ALTER TABLE ONLY credits.password_changes FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.password_changes IS 'When the holder of an account was given another password. Rows are never changed.';
COMMENT ON COLUMN credits.password_changes.actor IS 'The service that said so.';
CREATE TABLE credits.refresh_tokens (
    account_id uuid NOT NULL,
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT refresh_tokens_are_sha256 CHECK ((length(token_hash) = 32))
);
ALTER TABLE ONLY credits.refresh_tokens FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.refresh_tokens IS 'The sha256 of the tokens that refresh a session. Each is used once, and another one follows it.';
COMMENT ON COLUMN credits.refresh_tokens.used_at IS 'When it was used. Null: it is the present one.';
CREATE VIEW audit.check_sessions WITH (security_invoker='true') AS
 SELECT t.account_id,
    format('a token of session %s is issued before the session ends'::text, t.session_id) AS expected,
    format('issued at %s'::text, credits.utc_text(t.issued_at)) AS found
   FROM (credits.refresh_tokens t
     JOIN credits.sign_in_sessions s ON (((t.account_id = s.account_id) AND (t.session_id = s.session_id))))
  WHERE (((t.issued_at > s.ended_at) OR (t.issued_at > s.expires_at)) IS TRUE)
UNION ALL
 SELECT s.account_id,
    format('session %s ends with the password that opened it'::text, s.session_id) AS expected,
    format('the password was changed at %s'::text, credits.utc_text(c.changed_at)) AS found
   FROM (credits.sign_in_sessions s
     JOIN credits.password_changes c ON ((s.account_id = c.account_id)))
  WHERE ((s.ended_at IS NULL) AND (s.began_at < c.changed_at))
UNION ALL
 SELECT s.account_id,
    format('session %s lasts at most a year'::text, s.session_id) AS expected,
    format('it expires at %s'::text, credits.utc_text(s.expires_at)) AS found
   FROM credits.sign_in_sessions s
  WHERE (s.expires_at > (s.began_at + '8760:00:00'::interval));
COMMENT ON VIEW audit.check_sessions IS 'Tokens are issued before their session ends. No session outlives the password that opened it, nor a year.
A row means: a session was refreshed after its end, or lives longer than its password.
What to do: end the sessions of the account with api.end_sessions, and find out who can write to
credits.sign_in_sessions.';
CREATE VIEW audit.check_settings WITH (security_invoker='true') AS
 WITH recipe(login, name, value) AS (
         VALUES ('pgcredits_api'::text,'lock_timeout'::text,'5s'::text), ('pgcredits_api'::text,'statement_timeout'::text,'15s'::text), ('pgcredits_api'::text,'idle_in_transaction_session_timeout'::text,'15s'::text), ('pgcredits_service'::text,'lock_timeout'::text,'10s'::text), ('pgcredits_service'::text,'statement_timeout'::text,'30s'::text), ('pgcredits_service'::text,'idle_in_transaction_session_timeout'::text,'30s'::text), ('pgcredits_analyst'::text,'lock_timeout'::text,'5s'::text), ('pgcredits_analyst'::text,'statement_timeout'::text,'5min'::text), ('pgcredits_analyst'::text,'idle_in_transaction_session_timeout'::text,'60s'::text), ('pgcredits_analyst'::text,'transaction_timeout'::text,'10min'::text), ('pgcredits_auditor'::text,'lock_timeout'::text,'5s'::text), ('pgcredits_auditor'::text,'statement_timeout'::text,'30min'::text), ('pgcredits_auditor'::text,'idle_in_transaction_session_timeout'::text,'60s'::text), ('pgcredits_auditor'::text,'transaction_timeout'::text,'60min'::text), ('pgcredits_accountant'::text,'lock_timeout'::text,'5s'::text), ('pgcredits_accountant'::text,'statement_timeout'::text,'5min'::text), ('pgcredits_accountant'::text,'idle_in_transaction_session_timeout'::text,'60s'::text), ('pgcredits_accountant'::text,'transaction_timeout'::text,'10min'::text), ('pgcredits_accountant'::text,'default_transaction_read_only'::text,'on'::text), ('pgcredits_analyst'::text,'default_transaction_read_only'::text,'on'::text), ('pgcredits_auditor'::text,'default_transaction_read_only'::text,'on'::text)
        ), others AS (
         SELECT l.login,
            l.roles,
            l.inherits,
            l.administers,
            l.connection_limit,
            l.settings
           FROM credits.logins() l(login, roles, inherits, administers, connection_limit, settings)
          WHERE (l.inherits AND (l.administers IS NOT TRUE) AND (NOT (EXISTS ( SELECT
                   FROM recipe r
                  WHERE (r.login = l.login)))))
        ), bounds(name, for_applications, most) AS (
         VALUES ('statement_timeout'::text,true,'01:00:00'::interval), ('idle_in_transaction_session_timeout'::text,true,'00:05:00'::interval), ('transaction_timeout'::text,false,'01:00:00'::interval)
        )
 SELECT NULL::uuid AS account_id,
    format('%s = on'::text, s.name) AS expected,
    format('%s = %s'::text, s.name, s.setting) AS found
   FROM pg_settings s
  WHERE (((s.name = ANY (ARRAY['fsync'::text, 'full_page_writes'::text])) AND (s.setting IS DISTINCT FROM 'on'::text)) OR ((s.name = 'synchronous_commit'::text) AND (s.setting = ANY (ARRAY['off'::text, 'local'::text]))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    'no role or database with synchronous_commit off'::text AS expected,
    format('%s in database %s: %s'::text, COALESCE(r.rolname, 'any role'::name), COALESCE(d.datname, 'any'::name), c.setting) AS found
   FROM (((pg_db_role_setting x
     CROSS JOIN LATERAL unnest(x.setconfig) c(setting))
     LEFT JOIN pg_roles r ON ((x.setrole = r.oid)))
     LEFT JOIN pg_database d ON ((x.setdatabase = d.oid)))
  WHERE (lower(c.setting) ~ '^synchronous_commit=(off|false|no|0|local)$'::text)
UNION ALL
 SELECT w.account_id,
    'the time: this bank has no test clocks'::text AS expected,
    format('a test clock at %s'::text, credits.utc_text(w.test_clock)) AS found
   FROM credits.wallets w
  WHERE ((w.test_clock IS NOT NULL) AND (NOT COALESCE(( SELECT s.test_clocks
           FROM credits.settings s), false)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    'no test clocks, as there are events of real money'::text AS expected,
    'test clocks are allowed'::text AS found
   FROM credits.settings s
  WHERE (s.test_clocks AND (EXISTS ( SELECT
           FROM credits.stripe_events e
          WHERE e.livemode)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s: %s = %s%s'::text, r.login, r.name, r.value,
        CASE
            WHEN ((v.most >= '00:00:00'::interval) IS TRUE) THEN ' or less'::text
            ELSE NULL::text
        END) AS expected,
    COALESCE((l.settings ->> r.name), 'not set'::text) AS found
   FROM ((recipe r
     JOIN credits.logins() l(login, roles, inherits, administers, connection_limit, settings) ON ((r.login = l.login)))
     CROSS JOIN LATERAL ( SELECT credits.timeout(r.value) AS most,
            credits.timeout((l.settings ->> r.name)) AS has) v)
  WHERE ((r.name IN ( SELECT s.name
           FROM pg_settings s)) AND
        CASE
            WHEN (v.most IS NULL) THEN ((l.settings ->> r.name) IS DISTINCT FROM r.value)
            ELSE COALESCE(((v.has <= '00:00:00'::interval) OR (v.has > v.most)), true)
        END)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s: no setting of %s'::text, l.login, s.name) AS expected,
    format('%s = %s'::text, s.name, s.value) AS found
   FROM (credits.logins() l(login, roles, inherits, administers, connection_limit, settings)
     CROSS JOIN LATERAL jsonb_each_text(l.settings) s(name, value))
  WHERE ((l.login IN ( SELECT r.login
           FROM recipe r)) AND (NOT (EXISTS ( SELECT
           FROM recipe r
          WHERE ((r.login = l.login) AND (r.name = s.name))))) AND (s.name !~ ((('^(application_name|client_min_messages|((maintenance_)?work|hash)_mem.*|temp_(buffers|file_limit)|effective_.*'::text || '|(seq|random)_page_cost|cpu_.*|(max_)?parallel_.*|enable_.*|jit.*|plan_cache_mode|log_.*|track_.*|tcp_.*'::text) || '|synchronous_commit|client_connection_check_interval|idle_session_timeout|transaction_timeout'::text) || '|(app|auto_explain|pg_stat_statements)\..*)$'::text)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s: a %s of at most %s min'::text, o.login, b.name, ((EXTRACT(epoch FROM b.most))::integer / 60)) AS expected,
    COALESCE((o.settings ->> b.name), 'not set'::text) AS found
   FROM ((others o
     CROSS JOIN bounds b)
     CROSS JOIN LATERAL ( SELECT credits.timeout((o.settings ->> b.name)) AS has) t)
  WHERE ((b.name IN ( SELECT s.name
           FROM pg_settings s)) AND (b.for_applications OR ((o.roles && ARRAY['spender'::text, 'service_role'::text]) IS NOT TRUE)) AND COALESCE(((t.has <= '00:00:00'::interval) OR (t.has > b.most)), true))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s: no setting of %s but as SECURITY.md has it'::text, x.login, x.name) AS expected,
    format('%s = %s'::text, x.name, x.value) AS found
   FROM credits.setting_faults() x(login, name, value)
  WHERE ((x.login IN ( SELECT r.login
           FROM recipe r)) IS NOT TRUE)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('login %s: a connection limit of at most %s'::text, l.login, v.most) AS expected,
        CASE
            WHEN (l.connection_limit < 0) THEN 'none'::text
            ELSE (l.connection_limit)::text
        END AS found
   FROM (credits.logins() l(login, roles, inherits, administers, connection_limit, settings)
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN ((l.roles && ARRAY['spender'::text, 'service_role'::text]) IS TRUE) THEN ((current_setting('max_connections'::text))::integer / 2)
                    ELSE 10
                END AS most) v)
  WHERE (((l.connection_limit < 0) OR (l.connection_limit > v.most)) AND ((l.login = ANY (ARRAY['pgcredits_analyst'::text, 'pgcredits_auditor'::text, 'pgcredits_accountant'::text])) OR (l.login IN ( SELECT o.login
           FROM others o))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    'no prepared transaction, which keeps its locks without a session'::text AS expected,
    format('%s of %s, prepared at %s'::text, x.gid, x.owner, credits.utc_text(x.prepared)) AS found
   FROM pg_prepared_xacts x
  WHERE (x.database = current_database())
UNION ALL
 SELECT NULL::uuid AS account_id,
    'a row of settings: what the operator has decided'::text AS expected,
    'none: everything in it counts as off'::text AS found
  WHERE (NOT (EXISTS ( SELECT
           FROM credits.settings)));
COMMENT ON VIEW audit.check_settings IS 'fsync, full_page_writes and synchronous_commit are on. No account is on a test clock in a bank that does not allow
them, and test clocks are not allowed where there is real money. Every login has time-outs and a connection limit,
those of the bank as in sql/roles.sql, and no stored setting that SECURITY.md does not allow. No transaction is
prepared. The row of the operator''s settings is there.
A row means: a commit may be lost in a crash, a test clock runs beside real money, or a login can hold up the bank.
What to do: set what the row expects: ALTER SYSTEM and a reload for the server, ALTER ROLE for a login. SECURITY.md
has the recipe of a login.';
CREATE VIEW audit.check_shortfalls WITH (security_invoker='true') AS
 SELECT s.account_id,
    format('shortfall %s of entry %s, a capture of hold %s'::text, s.shortfall_id, s.entry_seq, s.hold_id) AS expected,
    COALESCE(format('%s of %s'::text, e.kind, COALESCE((e.hold_id)::text, 'nothing'::text)), 'no such entry'::text) AS found
   FROM (credits.shortfalls s
     LEFT JOIN credits.entries e ON (((s.account_id = e.account_id) AND (s.entry_seq = e.seq))))
  WHERE ((e.kind IS DISTINCT FROM 'spend'::credits.entry_kind) OR (e.hold_id IS DISTINCT FROM s.hold_id) OR (e.posted_at > s.closed_at))
UNION ALL
 SELECT COALESCE(h.account_id, s.account_id) AS account_id,
    format('hold %s: a shortfall of %s'::text, COALESCE(h.hold_id, s.hold_id), h.shortfall) AS expected,
    format('%s'::text, COALESCE(s.tokens, (0)::numeric)) AS found
   FROM (credits.holds h
     FULL JOIN ( SELECT x.account_id,
            x.hold_id,
            sum((x.tokens)::numeric) AS tokens
           FROM credits.shortfalls x
          GROUP BY x.account_id, x.hold_id) s ON (((h.account_id = s.account_id) AND (h.hold_id = s.hold_id))))
  WHERE ((h.shortfall)::numeric IS DISTINCT FROM COALESCE(s.tokens, (0)::numeric));
COMMENT ON VIEW audit.check_shortfalls IS 'Every shortfall belongs to the capture that could not be paid in full, and the shortfalls add up to those of the
holds.
A row means: what a capture could not pay, and what is recorded as missing, disagree.
What to do: compare the hold with its captures, and close the shortfall with api.close_shortfall when it is dealt
with.';
CREATE VIEW credits.stripe_lists WITH (security_invoker='true') AS
 SELECT column1 AS list,
    column2 AS path,
    column3 AS kind,
    column4 AS changes_for
   FROM (VALUES ('events'::text,'/v1/events'::text,'event'::text,'01:00:00'::interval), ('sessions'::text,'/v1/checkout/sessions'::text,'checkout.session'::text,'360:00:00'::interval), ('payment_intents'::text,'/v1/payment_intents'::text,'payment_intent'::text,'360:00:00'::interval), ('invoices'::text,'/v1/invoices'::text,'invoice'::text,'840:00:00'::interval), ('charges'::text,'/v1/charges'::text,'charge'::text,'360:00:00'::interval), ('refunds'::text,'/v1/refunds'::text,'refund'::text,'840:00:00'::interval), ('disputes'::text,'/v1/disputes'::text,'dispute'::text,'4320:00:00'::interval), ('payouts'::text,'/v1/payouts'::text,'payout'::text,'840:00:00'::interval), ('balance_transactions'::text,'/v1/balance_transactions'::text,'balance_transaction'::text,'360:00:00'::interval)) "*VALUES*";
COMMENT ON VIEW credits.stripe_lists IS 'The lists of Stripe that `pgcredits stripe pull` reads: the path, the kind of the objects, and how far each reading overlaps the one before it.';
CREATE VIEW credits.covered_lists WITH (security_invoker='true') AS
 SELECT l.kind,
    c.covers_from,
    c.complete_until,
    credits.earlier(c.complete_until, s.stripe_delay) AS covers_until,
    l.changes_for
   FROM ((credits.stripe_cursors c
     JOIN credits.stripe_lists l ON ((c.list = l.list)))
     CROSS JOIN credits.settings s)
  WHERE (c.complete_until IS NOT NULL);
COMMENT ON VIEW credits.covered_lists IS 'The lists that were read to their end. From covers_from to covers_until they have every object; what was made until complete_until may be under way.';
CREATE TABLE credits.stripe_mirror_events (
    event_id text NOT NULL,
    bucket bigint NOT NULL,
    type text NOT NULL,
    object_id text,
    livemode boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    pulled_at timestamp with time zone NOT NULL,
    payload jsonb,
    original bytea,
    CONSTRAINT stripe_mirror_events_bucket_is_sane CHECK (((bucket >= 0) AND (bucket <= 65535)))
);
ALTER TABLE ONLY credits.stripe_mirror_events FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.stripe_mirror_events IS 'Events that Stripe has had in the last 30 days before a reading, whether the bank got them or not.';
COMMENT ON COLUMN credits.stripe_mirror_events.bucket IS 'As credits.stripe_events.bucket.';
COMMENT ON COLUMN credits.stripe_mirror_events.payload IS 'The event, until the bank has it.';
COMMENT ON COLUMN credits.stripe_mirror_events.original IS 'Its bytes, where characters had to be replaced so that it could be stored.';
CREATE VIEW credits.missed_events WITH (security_invoker='true') AS
 SELECT m.event_id,
    m.type,
    m.object_id,
    m.created_at,
    (m.payload IS NOT NULL) AS is_there
   FROM (credits.stripe_mirror_events m
     JOIN credits.event_types t ON ((m.type = t.type)))
  WHERE (NOT (EXISTS ( SELECT
           FROM credits.stripe_events e
          WHERE (e.event_id = m.event_id))));
COMMENT ON VIEW credits.missed_events IS 'Events at Stripe of types that the bank applies, and that it did not get. is_there: the mirror has the event itself.';
CREATE TABLE credits.stripe_objects (
    object_id text NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY credits.stripe_objects FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.stripe_objects IS 'Stripe objects (sessions, payment intents) that were granted. A purchase counts once, whichever of its events come, and however often.';
CREATE VIEW credits.unbooked_objects WITH (security_invoker='true') AS
 WITH objects AS (
         SELECT m.object_id,
            m.kind,
            m.status,
            m.named_account AS account_id,
            m.named_order AS order_id,
            m.created_at,
            m.payment_intent_id,
            m.charge_id,
            m.payload
           FROM credits.stripe_mirror m
          WHERE ((m.kind = ANY (ARRAY['checkout.session'::text, 'payment_intent'::text, 'invoice'::text, 'refund'::text, 'dispute'::text])) AND (NOT (EXISTS ( SELECT
                   FROM credits.stripe_events e
                  WHERE ((e.object_id = m.object_id) AND (e.outcome = ANY (ARRAY['parked'::text, 'dismissed'::text])))))))
        ), reversals AS (
         SELECT x.object_id,
            x.kind,
            x.status,
            x.created_at,
            p.account_id,
            p.order_id,
            ( SELECT count(*) AS count
                   FROM jsonb_path_query(x.payload, '$."balance_transactions"[*]'::jsonpath) t(movement)
                  WHERE (credits.signed_amount((t.movement -> 'amount'::text)) < (0)::numeric)) AS withdrawals,
            ( SELECT count(*) AS count
                   FROM jsonb_path_query(x.payload, '$."balance_transactions"[*]'::jsonpath) t(movement)
                  WHERE (credits.signed_amount((t.movement -> 'amount'::text)) > (0)::numeric)) AS reinstatements
           FROM (objects x
             CROSS JOIN LATERAL ( SELECT s.account_id,
                    s.order_id
                   FROM credits.stripe_objects s
                  WHERE (s.object_id = ANY (ARRAY[x.payment_intent_id, x.charge_id]))
                  ORDER BY s.object_id
                 LIMIT 1) p)
          WHERE (x.kind = ANY (ARRAY['refund'::text, 'dispute'::text]))
        )
 SELECT x.object_id,
    x.kind,
    x.account_id,
    x.order_id,
    x.created_at,
    format(
        CASE x.kind
            WHEN 'payment_intent'::text THEN 'payment %s, an automatic top-up, has granted order %s'::text
            ELSE 'session %s, which is paid, has granted order %s'::text
        END, x.object_id, x.order_id) AS expected,
        CASE
            WHEN (o.order_id IS NULL) THEN 'no such order'::text
            ELSE format('the order is %s'::text, o.state)
        END AS found
   FROM (objects x
     LEFT JOIN credits.orders o ON (((x.account_id = o.account_id) AND (x.order_id = o.order_id))))
  WHERE ((((x.kind = 'checkout.session'::text) AND (x.status = 'paid'::text) AND (COALESCE((x.payload ->> 'mode'::text), 'payment'::text) = 'payment'::text)) OR ((x.kind = 'payment_intent'::text) AND (x.status = 'succeeded'::text) AND ((x.payload #> '{metadata,attempt_id}'::text[]) IS NOT NULL))) AND (x.order_id IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM credits.stripe_objects s
          WHERE (s.object_id = x.object_id)))) AND (o.state IS DISTINCT FROM 'paid'::text))
UNION ALL
 SELECT x.object_id,
    x.kind,
    a.account_id,
    i.order_id,
    x.created_at,
    format('invoice %s of a subscription, which is paid, is booked'::text, x.object_id) AS expected,
    COALESCE(('it is '::text || i.state), 'the bank has not heard of it'::text) AS found
   FROM ((objects x
     JOIN credits.accounts a ON (((x.payload ->> 'customer'::text) = a.stripe_customer_id)))
     LEFT JOIN credits.subscription_invoices i ON (((a.account_id = i.account_id) AND (x.object_id = i.invoice_id))))
  WHERE ((x.kind = 'invoice'::text) AND (x.status = 'paid'::text) AND (COALESCE((x.payload #>> '{parent,subscription_details,subscription}'::text[]), (x.payload ->> 'subscription'::text)) IS NOT NULL) AND (i.state IS DISTINCT FROM 'paid'::text))
UNION ALL
 SELECT x.object_id,
    x.kind,
    x.account_id,
    x.order_id,
    x.created_at,
    format('order %s has ended with its session %s'::text, x.order_id, x.object_id) AS expected,
    format('the order is %s'::text, o.state) AS found
   FROM (objects x
     JOIN credits.orders o ON (((x.account_id = o.account_id) AND (x.order_id = o.order_id))))
  WHERE ((x.kind = 'checkout.session'::text) AND (x.status = 'expired'::text) AND (o.checkout_session_id = x.object_id) AND (o.state = ANY (ARRAY['pending'::text, 'processing'::text])))
UNION ALL
 SELECT x.object_id,
    x.kind,
    x.account_id,
    x.order_id,
    x.created_at,
    format('%s %s of order %s is %s'::text, x.kind, x.object_id, x.order_id, (x.status ||
        CASE
            WHEN ((x.withdrawals > 0) IS TRUE) THEN format(', money withdrawn %s and reinstated %s times'::text, x.withdrawals, x.reinstatements)
            ELSE ''::text
        END)) AS expected,
    COALESCE((r.status ||
        CASE
            WHEN ((r.withdrawals > 0) IS TRUE) THEN format(', withdrawn %s and reinstated %s times'::text, r.withdrawals, r.reinstatements)
            ELSE ''::text
        END), 'the bank has not heard of it'::text) AS found
   FROM (reversals x
     LEFT JOIN credits.reversals r ON (((x.account_id = r.account_id) AND (x.object_id = r.reversal_id))))
  WHERE ((r.reversal_id IS NULL) OR (credits.reversal_rank(r.status) < credits.reversal_rank(x.status)) OR (r.withdrawals < x.withdrawals) OR (r.reinstatements < x.reinstatements));
COMMENT ON VIEW credits.unbooked_objects IS 'Objects at Stripe, as the last reading has them, that the books do not agree with, and that an event about them would settle: paid sessions, automatic top-ups and invoices without a grant, ended sessions, refunds and disputes.';
CREATE VIEW audit.check_stripe WITH (security_invoker='true') AS
 WITH bounds AS (
         SELECT credits.earlier(credits.clock(), s.stripe_delay) AS latest
           FROM credits.settings s
        ), paid AS (
         SELECT o.account_id,
            o.order_id,
            o.paid,
            o.currency,
            o.created_at,
            o.paid_at,
                CASE o.kind
                    WHEN 'checkout'::text THEN 'checkout.session'::text
                    WHEN 'auto_topup'::text THEN 'payment_intent'::text
                    ELSE 'invoice'::text
                END AS kind,
                CASE o.kind
                    WHEN 'checkout'::text THEN o.checkout_session_id
                    WHEN 'auto_topup'::text THEN o.payment_intent_id
                    ELSE i.invoice_id
                END AS paid_by,
            COALESCE(i.credited, (0)::bigint) AS credited
           FROM (credits.orders o
             LEFT JOIN credits.subscription_invoices i ON (((o.account_id = i.account_id) AND (o.order_id = i.order_id))))
          WHERE (o.state = 'paid'::text)
        ), payments AS (
         SELECT p.account_id,
            p.order_id,
            p.paid,
            p.currency,
            p.created_at,
            p.paid_at,
            p.kind,
            p.paid_by,
            p.credited,
            m.object_id,
            m.status,
                CASE
                    WHEN (p.kind = 'invoice'::text) THEN GREATEST((COALESCE(credits.signed_amount((m.payload -> 'total'::text)), m.amount, (0)::numeric) + (p.credited)::numeric), (0)::numeric)
                    ELSE m.amount
                END AS total,
            m.currency AS at_stripe,
            m.named_account,
            m.named_order
           FROM (paid p
             LEFT JOIN credits.stripe_mirror m ON ((p.paid_by = m.object_id)))
          WHERE (p.paid_by IS NOT NULL)
        ), reversals AS (
         SELECT r.account_id,
            r.order_id,
            r.reversal_id,
            r.kind,
            r.amount,
            r.created_at,
            m.object_id,
            m.amount AS at_stripe
           FROM (credits.reversals r
             LEFT JOIN credits.stripe_mirror m ON ((r.reversal_id = m.object_id)))
          WHERE ((r.kind = ANY (ARRAY['refund'::text, 'dispute'::text])) AND (r.status <> ALL (ARRAY['requested'::text, 'dropped'::text])) AND (NOT starts_with(r.reversal_id, 'credit_'::text)))
        ), returned AS (
         SELECT s.account_id,
            s.order_id,
            sum(
                CASE
                    WHEN (m.kind = 'refund'::text) THEN
                    CASE
                        WHEN (COALESCE(m.status, ''::text) = 'succeeded'::text) THEN m.amount
                        ELSE (0)::numeric
                    END
                    ELSE GREATEST((- ( SELECT COALESCE(sum(credits.signed_amount((t.movement -> 'amount'::text))), (0)::numeric) AS "coalesce"
                       FROM jsonb_path_query(m.payload, '$."balance_transactions"[*]'::jsonpath) t(movement))), (0)::numeric)
                END) AS amount,
            bool_and((m.created_at <= b.latest)) AS is_old
           FROM ((credits.stripe_mirror m
             CROSS JOIN bounds b)
             JOIN LATERAL ( SELECT x.account_id,
                    x.order_id
                   FROM credits.stripe_objects x
                  WHERE (x.object_id = ANY (ARRAY[m.payment_intent_id, m.charge_id]))
                  ORDER BY x.object_id
                 LIMIT 1) s ON (true))
          WHERE (m.kind = ANY (ARRAY['refund'::text, 'dispute'::text]))
          GROUP BY s.account_id, s.order_id
        )
 SELECT NULL::uuid AS account_id,
    format('event %s (%s) of %s has come'::text, e.event_id, e.type, COALESCE(e.object_id, 'something'::text)) AS expected,
    format('it has not, since %s'::text, credits.utc_text(e.created_at)) AS found
   FROM (credits.missed_events e
     CROSS JOIN bounds b)
  WHERE (e.created_at <= b.latest)
UNION ALL
 SELECT u.account_id,
    u.expected,
    u.found
   FROM (credits.unbooked_objects u
     CROSS JOIN bounds b)
  WHERE ((u.created_at <= b.latest) AND (NOT (EXISTS ( SELECT
           FROM credits.missed_events e
          WHERE (e.object_id = u.object_id)))))
UNION ALL
 SELECT p.account_id,
    format('what paid order %s is at Stripe'::text, p.order_id) AS expected,
    format('Stripe has no %s %s'::text, p.kind, p.paid_by) AS found
   FROM (payments p
     JOIN credits.covered_lists c ON ((p.kind = c.kind)))
  WHERE ((p.object_id IS NULL) AND (p.created_at >= c.covers_from) AND (p.paid_at <= c.covers_until))
UNION ALL
 SELECT p.account_id,
    format('%s %s, which granted order %s, is paid'::text, p.kind, p.object_id, p.order_id) AS expected,
    format('at Stripe it is %s'::text, COALESCE(p.status, 'of no status'::text)) AS found
   FROM (payments p
     JOIN credits.stripe_mirror m ON ((p.object_id = m.object_id)))
  WHERE ((COALESCE(p.status, ''::text) <> ALL (ARRAY['paid'::text, 'succeeded'::text])) AND (m.pulled_at >= p.paid_at))
UNION ALL
 SELECT p.account_id,
    format('order %s was paid with %s %s'::text, p.order_id, p.paid, p.currency) AS expected,
    format('%s %s: %s %s'::text, p.kind, p.object_id, COALESCE((p.total)::text, 'no amount'::text), COALESCE(p.at_stripe, ''::text)) AS found
   FROM payments p
  WHERE ((p.object_id IS NOT NULL) AND (COALESCE(p.status, ''::text) = ANY (ARRAY['paid'::text, 'succeeded'::text])) AND ((p.total IS DISTINCT FROM (p.paid)::numeric) OR (p.at_stripe IS DISTINCT FROM p.currency)))
UNION ALL
 SELECT p.account_id,
    format('%s %s names account %s and order %s'::text, p.kind, p.object_id, p.account_id, p.order_id) AS expected,
    format('account %s and order %s'::text, p.named_account, p.named_order) AS found
   FROM payments p
  WHERE ((p.object_id IS NOT NULL) AND (p.kind <> 'invoice'::text) AND ((p.named_account IS DISTINCT FROM p.account_id) OR (p.named_order IS DISTINCT FROM p.order_id)))
UNION ALL
 SELECT r.account_id,
    format('%s %s of order %s is at Stripe'::text, r.kind, r.reversal_id, r.order_id) AS expected,
    'Stripe has no such object'::text AS found
   FROM (reversals r
     JOIN credits.covered_lists c ON ((r.kind = c.kind)))
  WHERE ((r.object_id IS NULL) AND (r.created_at >= c.covers_from) AND (r.created_at <= c.covers_until))
UNION ALL
 SELECT r.account_id,
    format('%s %s of order %s is of %s'::text, r.kind, r.reversal_id, r.order_id, r.amount) AS expected,
    format('at Stripe it is of %s'::text, COALESCE((r.at_stripe)::text, 'no amount'::text)) AS found
   FROM reversals r
  WHERE ((r.object_id IS NOT NULL) AND ((r.amount)::numeric IS DISTINCT FROM r.at_stripe))
UNION ALL
 SELECT m.named_account AS account_id,
    format('order %s was paid once, by session %s'::text, m.named_order, o.checkout_session_id) AS expected,
    format('session %s is paid, too'::text, m.object_id) AS found
   FROM ((credits.stripe_mirror m
     JOIN credits.orders o ON (((m.named_account = o.account_id) AND (m.named_order = o.order_id))))
     CROSS JOIN bounds b)
  WHERE ((m.kind = 'checkout.session'::text) AND (m.status = 'paid'::text) AND (o.state = 'paid'::text) AND (m.object_id IS DISTINCT FROM o.checkout_session_id) AND (m.created_at <= b.latest) AND (COALESCE(( SELECT sum(x.amount) AS sum
           FROM credits.stripe_mirror x
          WHERE ((x.kind = 'refund'::text) AND (x.status = 'succeeded'::text) AND (x.payment_intent_id = m.payment_intent_id))), (0)::numeric) < m.amount))
UNION ALL
 SELECT r.account_id,
    format('the tokens of order %s went back with %s of its money'::text, r.order_id, (r.amount + c.amount)) AS expected,
    format('those of %s did'::text, o.reversed) AS found
   FROM ((returned r
     JOIN credits.orders o ON (((r.account_id = o.account_id) AND (r.order_id = o.order_id))))
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(x.amount), (0)::numeric) AS amount
           FROM credits.reversals x
          WHERE ((x.account_id = o.account_id) AND (x.order_id = o.order_id) AND starts_with(x.reversal_id, 'credit_'::text))) c)
  WHERE (r.is_old AND ((o.reversed)::numeric < LEAST((COALESCE(r.amount, (0)::numeric) + c.amount), (COALESCE(o.paid, (0)::bigint))::numeric)) AND (NOT (EXISTS ( SELECT
           FROM credits.unbooked_objects u
          WHERE ((u.account_id = r.account_id) AND (u.order_id = r.order_id))))));
COMMENT ON VIEW audit.check_stripe IS 'The books agree with Stripe''s lists, as `pgcredits stripe pull` last read them: nothing is missing or doubled on
either side, and amounts, currencies, accounts and states are the same. What was refunded is not spendable.
A row means: Stripe has a payment, refund or dispute that the books do not have, or the other way round, or they
disagree on an amount, a currency or an account.
What to do: run `pgcredits stripe pull`, which applies what was missed, and audit again. docs/stripe.md says what to
do with each row that stays.';
CREATE VIEW credits.stripe_movements WITH (security_invoker='true') AS
 SELECT m.object_id,
    m.kind,
    m.created_at,
    m.pulled_at,
    m.payment_intent_id,
    m.charge_id,
    n.transaction_id,
    n.amount,
    n.currency
   FROM (credits.stripe_mirror m
     CROSS JOIN LATERAL ( SELECT credits.stripe_id((m.payload -> x.member)) AS transaction_id,
            ((x.sign)::numeric *
                CASE
                    WHEN (m.kind = 'charge'::text) THEN COALESCE(NULLIF(credits.signed_amount((m.payload -> 'amount_captured'::text)), (0)::numeric), m.amount)
                    ELSE (- m.amount)
                END) AS amount,
            m.currency
           FROM ( VALUES ('balance_transaction'::text,1), ('failure_balance_transaction'::text,'-1'::integer)) x(member, sign)
          WHERE (m.kind = ANY (ARRAY['charge'::text, 'refund'::text, 'payout'::text]))
        UNION ALL
         SELECT credits.stripe_id((t.movement -> 'id'::text)) AS transaction_id,
            credits.signed_amount((t.movement -> 'amount'::text)) AS amount,
            (t.movement ->> 'currency'::text) AS currency
           FROM jsonb_path_query(m.payload, '$."balance_transactions"[*]'::jsonpath) t(movement)
          WHERE (m.kind = 'dispute'::text)) n)
  WHERE (n.transaction_id IS NOT NULL);
COMMENT ON VIEW credits.stripe_movements IS 'The balance transactions that charges, refunds, disputes and payouts at Stripe name, with the amount (minor units, below 0 for money that leaves) and the currency that each has by what the object says.';
CREATE VIEW audit.check_stripe_balance WITH (security_invoker='true') AS
 WITH tolerance AS (
         SELECT s.stripe_delay,
            credits.earlier(credits.clock(), s.stripe_delay) AS latest
           FROM credits.settings s
        ), kinds(type, kind) AS (
         VALUES ('charge'::text,'charge'::text), ('payment'::text,'charge'::text), ('payment_failure_refund'::text,'charge'::text), ('refund'::text,'refund'::text), ('payment_refund'::text,'refund'::text), ('refund_failure'::text,'refund'::text), ('payout'::text,'payout'::text), ('payout_failure'::text,'payout'::text), ('payout_cancel'::text,'payout'::text)
        ), transactions AS (
         SELECT m.object_id,
            m.amount,
            m.currency,
            m.charge_id AS source_id,
            m.created_at,
            (m.payload ->> 'type'::text) AS type,
            (COALESCE((m.payload -> 'exchange_rate'::text), 'null'::jsonb) <> 'null'::jsonb) AS is_converted,
            k.kind
           FROM (credits.stripe_mirror m
             LEFT JOIN kinds k ON (((m.payload ->> 'type'::text) = k.type)))
          WHERE (m.kind = 'balance_transaction'::text)
        ), movements AS (
         SELECT n.object_id,
            n.kind,
            n.created_at,
            n.pulled_at,
            n.payment_intent_id,
            n.charge_id,
            n.transaction_id,
            n.amount,
            n.currency,
            (t.object_id IS NOT NULL) AS is_there,
            t.source_id,
            t.amount AS moved,
            t.currency AS moved_currency,
            COALESCE(t.is_converted, false) AS is_converted,
            ( SELECT s.account_id
                   FROM credits.stripe_objects s
                  WHERE (s.object_id = ANY (ARRAY[n.object_id, n.payment_intent_id, n.charge_id]))
                  ORDER BY s.object_id
                 LIMIT 1) AS account_id
           FROM (credits.stripe_movements n
             LEFT JOIN transactions t ON ((n.transaction_id = t.object_id)))
        ), charged AS (
         SELECT o.account_id,
            o.order_id,
            o.payment_intent_id,
            o.kind,
            o.paid,
            o.currency,
            o.created_at,
            o.paid_at,
            c.charges,
            c.amount,
            c.currencies,
            c.pulled_at
           FROM (credits.orders o
             CROSS JOIN LATERAL ( SELECT count(*) AS charges,
                    sum(COALESCE(NULLIF(credits.signed_amount((m.payload -> 'amount_captured'::text)), (0)::numeric), m.amount)) AS amount,
                    string_agg(DISTINCT m.currency, ', '::text ORDER BY m.currency) AS currencies,
                    min(m.pulled_at) AS pulled_at
                   FROM credits.stripe_mirror m
                  WHERE ((m.payment_intent_id = o.payment_intent_id) AND (m.kind = 'charge'::text) AND ((m.status = 'succeeded'::text) OR (COALESCE((m.payload -> 'failure_balance_transaction'::text), 'null'::jsonb) <> 'null'::jsonb)))) c)
          WHERE ((o.state = 'paid'::text) AND (o.payment_intent_id IS NOT NULL) AND (o.paid > 0))
        )
 SELECT c.account_id,
    format('the payment %s of order %s was charged'::text, c.payment_intent_id, c.order_id) AS expected,
    'Stripe has no charge of it that succeeded'::text AS found
   FROM (charged c
     JOIN credits.covered_lists l ON ((l.kind = 'charge'::text)))
  WHERE ((c.charges = 0) AND (c.created_at >= l.covers_from) AND (c.paid_at <= l.covers_until))
UNION ALL
 SELECT c.account_id,
    format('%s %s were charged for order %s, as was paid'::text, c.paid, c.currency, c.order_id) AS expected,
    format('Stripe has charged %s %s'::text, COALESCE((c.amount)::text, 'no amount'::text), COALESCE(c.currencies, ''::text)) AS found
   FROM charged c
  WHERE ((c.charges > 0) AND (c.kind <> 'subscription'::text) AND (c.pulled_at >= c.paid_at) AND ((c.amount IS DISTINCT FROM (c.paid)::numeric) OR (c.currencies IS DISTINCT FROM c.currency)))
UNION ALL
 SELECT m.account_id,
    format('balance transaction %s of %s %s is in the balance'::text, m.transaction_id, m.kind, m.object_id) AS expected,
    'Stripe has no such balance transaction'::text AS found
   FROM (movements m
     JOIN credits.covered_lists l ON ((l.kind = 'balance_transaction'::text)))
  WHERE ((NOT m.is_there) AND (m.created_at >= l.covers_from) AND (m.created_at <= l.covers_until) AND (m.pulled_at <= l.complete_until))
UNION ALL
 SELECT m.account_id,
    format('balance transaction %s of %s %s moves %s %s'::text, m.transaction_id, m.kind, m.object_id, COALESCE((m.amount)::text, 'no amount'::text), COALESCE(m.currency, ''::text)) AS expected,
    format('it moves %s %s of %s'::text, COALESCE((m.moved)::text, 'no amount'::text), COALESCE(m.moved_currency, ''::text), COALESCE(m.source_id, 'nothing'::text)) AS found
   FROM movements m
  WHERE (m.is_there AND ((((m.source_id = m.object_id) OR ((m.kind = 'dispute'::text) AND (m.source_id = m.charge_id))) IS NOT TRUE) OR ((sign(m.moved) = sign(m.amount)) IS NOT TRUE) OR ((NOT m.is_converted) AND ((m.moved IS DISTINCT FROM m.amount) OR (m.moved_currency IS DISTINCT FROM m.currency)))))
UNION ALL
 SELECT ( SELECT s.account_id
           FROM credits.stripe_objects s
          WHERE (s.object_id = ANY (ARRAY[m.object_id, m.payment_intent_id]))
          ORDER BY s.object_id
         LIMIT 1) AS account_id,
    format('charge %s of %s %s has a balance transaction'::text, m.object_id, m.amount, m.currency) AS expected,
    'it names none'::text AS found
   FROM (credits.stripe_mirror m
     CROSS JOIN tolerance b)
  WHERE ((m.kind = 'charge'::text) AND (m.status = 'succeeded'::text) AND (m.amount > (0)::numeric) AND (((m.payload -> 'captured'::text) = 'true'::jsonb) IS TRUE) AND (credits.stripe_id((m.payload -> 'balance_transaction'::text)) IS NULL) AND (m.created_at <= credits.earlier(m.pulled_at, b.stripe_delay)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('%s %s, of balance transaction %s, is at Stripe'::text, t.kind, t.source_id, t.object_id) AS expected,
    format('Stripe has no such %s, and %s %s have moved'::text, t.kind, t.amount, t.currency) AS found
   FROM (transactions t
     JOIN credits.covered_lists l ON ((t.kind = l.kind)))
  WHERE ((NOT (EXISTS ( SELECT
           FROM credits.stripe_mirror m
          WHERE (m.object_id = t.source_id)))) AND (l.covers_from <= credits.earlier(t.created_at, l.changes_for)) AND (t.created_at <= l.covers_until))
UNION ALL
 SELECT ( SELECT s.account_id
           FROM credits.stripe_objects s
          WHERE (s.object_id = ANY (ARRAY[m.object_id, m.payment_intent_id, m.charge_id]))
          ORDER BY s.object_id
         LIMIT 1) AS account_id,
    format('%s %s names each balance transaction of its money'::text, m.kind, m.object_id) AS expected,
    format('not %s, which moves %s %s (%s)'::text, t.object_id, t.amount, t.currency, t.type) AS found
   FROM ((transactions t
     JOIN credits.stripe_mirror m ON ((t.source_id = m.object_id)))
     CROSS JOIN tolerance b)
  WHERE ((((m.kind = t.kind) OR ((m.kind = 'dispute'::text) AND (t.type = 'adjustment'::text))) IS TRUE) AND (t.created_at <= credits.earlier(m.pulled_at, b.stripe_delay)) AND (t.created_at <= b.latest) AND (NOT (EXISTS ( SELECT
           FROM credits.stripe_movements n
          WHERE ((n.object_id = m.object_id) AND (n.transaction_id = t.object_id))))));
COMMENT ON VIEW audit.check_stripe_balance IS 'Stripe''s balance, charges, refunds, disputes and payouts, as `pgcredits stripe pull` last read them, tell of the
same money: each movement of the balance belongs to one of them and has its amount and currency, and each order was
charged what was paid for it.
A row means: money moved at Stripe that no charge, refund, dispute or payout explains, or an order was charged
something else than was paid for it.
What to do: run `pgcredits stripe pull` and audit again. Look up the balance transaction in Stripe''s dashboard if
the row stays.';
CREATE VIEW audit.check_subscriptions WITH (security_invoker='true') AS
 WITH paid AS (
         SELECT e.account_id,
            e.event_id,
            e.object_id,
            e.outcome,
            (e.payload #>> '{data,object,billing_reason}'::text[]) AS reason,
            jsonb_array_length((e.payload #> '{data,object,lines,data}'::text[])) AS lines,
                CASE
                    WHEN ((jsonb_typeof((e.payload #> '{data,object,lines,data,0,amount}'::text[])) = 'number'::text) IS TRUE) THEN ((e.payload #> '{data,object,lines,data,0,amount}'::text[]))::numeric
                    ELSE NULL::numeric
                END AS amount,
            (e.payload #> '{data,object,lines,data,0,quantity}'::text[]) AS quantity
           FROM credits.stripe_events e
          WHERE ((e.type = ANY (ARRAY['invoice.paid'::text, 'invoice.payment_succeeded'::text])) AND (e.outcome = ANY (ARRAY['granted'::text, 'applied'::text, 'duplicate'::text])) AND (jsonb_typeof((e.payload #> '{data,object,lines,data}'::text[])) = 'array'::text) AND ((e.payload #>> '{data,object,billing_reason}'::text[]) = ANY (ARRAY['subscription_create'::text, 'subscription_cycle'::text, 'subscription_update'::text])))
        ), expired AS (
         SELECT l.account_id,
            l.order_id,
            COALESCE(sum(x.tokens), (0)::numeric) AS tokens
           FROM (credits.lots l
             LEFT JOIN ( SELECT e.account_id,
                    d.lot_id,
                    d.tokens
                   FROM (credits.entries e
                     CROSS JOIN LATERAL jsonb_to_recordset(e.draws) d(lot_id bigint, tokens numeric))
                  WHERE (e.kind = 'expire'::credits.entry_kind)) x ON (((l.account_id = x.account_id) AND (l.lot_id = x.lot_id))))
          WHERE ((l.source = 'allowance'::credits.entry_kind) AND (l.order_id IS NOT NULL))
          GROUP BY l.account_id, l.order_id
        ), rolled AS (
         SELECT l.account_id,
            l.lot_id,
            l.granted,
            i.unused,
            n.quantity,
            v.rollover_cap,
            v.rollover_percent,
            sum((l.granted)::numeric) OVER (PARTITION BY n.account_id, n.invoice_id) AS together
           FROM (((credits.lots l
             LEFT JOIN credits.subscription_invoices i ON (((l.account_id = i.account_id) AND (l.order_id = i.order_id))))
             LEFT JOIN LATERAL ( SELECT x.account_id,
                    x.invoice_id,
                    x.subscription_id,
                    x.state,
                    x.attempts,
                    x.amount_due,
                    x.currency,
                    x.pay_url,
                    x.next_attempt_at,
                    x.order_id,
                    x.plan_id,
                    x.version,
                    x.quantity,
                    x.period_starts_at,
                    x.period_ends_at,
                    x.unused,
                    x.created_at,
                    x.credited,
                    x.credited_from,
                    x.credited_until,
                    x.credited_subscription_id
                   FROM credits.subscription_invoices x
                  WHERE ((x.account_id = i.account_id) AND (x.subscription_id = i.subscription_id) AND (x.period_starts_at = i.period_ends_at))
                  ORDER BY x.created_at, x.invoice_id
                 LIMIT 1) n ON (true))
             LEFT JOIN credits.plan_versions v ON (((n.plan_id = v.plan_id) AND (n.version = v.version))))
          WHERE ((l.source = 'rollover'::credits.entry_kind) AND (l.order_id IS NOT NULL))
        ), told AS (
         SELECT e.account_id,
            e.object_id AS subscription_id,
            e.event_id,
            ((e.type = 'customer.subscription.deleted'::text) OR (COALESCE((e.payload #>> '{data,object,status}'::text[]), ''::text) = ANY (ARRAY['canceled'::text, 'incomplete_expired'::text]))) AS ends,
            (e.payload -> 'created'::text) AS created
           FROM credits.stripe_events e
          WHERE ((e.type = ANY (ARRAY['customer.subscription.created'::text, 'customer.subscription.updated'::text, 'customer.subscription.deleted'::text, 'customer.subscription.paused'::text, 'customer.subscription.resumed'::text])) AND (e.outcome = ANY (ARRAY['applied'::text, 'duplicate'::text])))
        )
 SELECT p.account_id,
    format('event %s (%s), invoice %s: granted once'::text, p.event_id, p.reason, p.object_id) AS expected,
    format('%s, order %s is %s'::text, p.outcome, i.order_id, o.state) AS found
   FROM ((paid p
     LEFT JOIN credits.subscription_invoices i ON (((p.account_id = i.account_id) AND (p.object_id = i.invoice_id))))
     LEFT JOIN credits.orders o ON (((i.account_id = o.account_id) AND (i.order_id = o.order_id))))
  WHERE ((((p.reason <> 'subscription_update'::text) AND (p.amount > (0)::numeric)) OR (p.outcome = 'granted'::text)) AND (((o.kind = 'subscription'::text) AND (o.state = 'paid'::text)) IS NOT TRUE) AND (NOT (EXISTS ( SELECT
           FROM credits.stripe_events x
          WHERE ((x.object_id = p.object_id) AND (x.type = ANY (ARRAY['invoice.paid'::text, 'invoice.payment_succeeded'::text])) AND (x.outcome = ANY (ARRAY['parked'::text, 'dismissed'::text])))))))
UNION ALL
 SELECT p.account_id,
    format('invoice %s grants %s, for a quantity of %s'::text, p.object_id, trim_scale(trunc(
        CASE
            WHEN ((p.amount = (0)::numeric) IS TRUE) THEN ((v.trial_allowance)::numeric * (i.quantity)::numeric)
            ELSE (((v.allowance)::numeric * p.amount) / (v.amount)::numeric)
        END)), p.quantity) AS expected,
    format('order %s of %s tokens, for %s'::text, o.order_id, trim_scale((o.tokens)::numeric), i.quantity) AS found
   FROM (((paid p
     JOIN credits.subscription_invoices i ON (((p.account_id = i.account_id) AND (p.object_id = i.invoice_id))))
     JOIN credits.orders o ON (((i.account_id = o.account_id) AND (i.order_id = o.order_id))))
     JOIN credits.plan_versions v ON (((i.plan_id = v.plan_id) AND (i.version = v.version))))
  WHERE ((p.lines = 1) AND ((abs(((o.tokens)::numeric -
        CASE
            WHEN ((p.amount = (0)::numeric) IS TRUE) THEN ((v.trial_allowance)::numeric * (i.quantity)::numeric)
            ELSE (((v.allowance)::numeric * p.amount) / (v.amount)::numeric)
        END)) >= (1)::numeric) OR (COALESCE(NULLIF(p.quantity, 'null'::jsonb), '1'::jsonb) IS DISTINCT FROM to_jsonb(i.quantity))))
UNION ALL
 SELECT COALESCE(o.account_id, l.account_id) AS account_id,
    format('order %s of a subscription has a period'::text, COALESCE(o.order_id, l.order_id)) AS expected,
    format('period from %s to %s, lot %s until %s'::text, credits.utc_text(i.period_starts_at), credits.utc_text(i.period_ends_at), l.lot_id, credits.utc_text(l.expires_at)) AS found
   FROM ((credits.orders o
     FULL JOIN ( SELECT x.account_id,
            x.lot_id,
            x.priority,
            x.source,
            x.live,
            x.frozen,
            x.announced,
            x.effective_at,
            x.expires_at,
            x.granted,
            x.remaining,
            x.held,
            x.scope,
            x.order_id,
            x.package_name,
            x.unit_cost,
            x.currency,
            x.reversed,
            x.withheld
           FROM credits.lots x
          WHERE ((x.source = 'allowance'::credits.entry_kind) AND (x.order_id IS NOT NULL))) l ON (((o.account_id = l.account_id) AND (o.order_id = l.order_id))))
     LEFT JOIN credits.subscription_invoices i ON (((o.account_id = i.account_id) AND (o.order_id = i.order_id))))
  WHERE (((o.kind = 'subscription'::text) OR (l.lot_id IS NOT NULL)) AND (((o.kind = 'subscription'::text) AND (i.order_id IS NOT NULL) AND (l.lot_id IS NOT NULL)) IS NOT TRUE))
UNION ALL
 SELECT e.account_id,
    format('the allowance of order %s left %s'::text, e.order_id, trim_scale(e.tokens)) AS expected,
    format('its invoice says %s'::text, trim_scale((i.unused)::numeric)) AS found
   FROM (expired e
     JOIN credits.subscription_invoices i ON (((e.account_id = i.account_id) AND (e.order_id = i.order_id))))
  WHERE (e.tokens <> (i.unused)::numeric)
UNION ALL
 SELECT r.account_id,
    format('at most %s%% of %s go over, and %s together'::text, COALESCE(r.rollover_percent, (100)::numeric), trim_scale((r.unused)::numeric), COALESCE((trim_scale(((r.rollover_cap)::numeric * (r.quantity)::numeric)))::text, 'any number'::text)) AS expected,
    format('lot %s of %s, %s together'::text, r.lot_id, trim_scale((r.granted)::numeric), trim_scale(r.together)) AS found
   FROM rolled r
  WHERE ((num_nonnulls(r.rollover_cap, r.rollover_percent) = 0) OR (((r.granted)::numeric <= (((r.unused)::numeric * COALESCE(r.rollover_percent, (100)::numeric)) / (100)::numeric)) IS NOT TRUE) OR ((r.together > ((r.rollover_cap)::numeric * (r.quantity)::numeric)) IS TRUE))
UNION ALL
 SELECT s.account_id,
    format('subscription %s is as the newest of its events says'::text, s.subscription_id) AS expected,
    format('%s, by event %s; event %s is newer'::text, s.status, s.said_by, t.event_id) AS found
   FROM ((credits.subscriptions s
     JOIN told t ON (((s.account_id = t.account_id) AND (s.subscription_id = t.subscription_id))))
     LEFT JOIN told b ON (((s.account_id = b.account_id) AND (s.said_by = b.event_id))))
  WHERE ((t.ends AND (s.status <> ALL (ARRAY['canceled'::text, 'incomplete_expired'::text]))) OR ((NOT t.ends) AND (s.status <> ALL (ARRAY['canceled'::text, 'incomplete_expired'::text])) AND (t.created > b.created)))
UNION ALL
 SELECT s.account_id,
    format('subscription %s is of one account'::text, s.subscription_id) AS expected,
    format('it is of %s'::text, x.account_id) AS found
   FROM (credits.subscriptions s
     JOIN credits.subscriptions x ON (((s.subscription_id = x.subscription_id) AND (s.account_id <> x.account_id))))
UNION ALL
 SELECT f.account_id,
    format('the free period from %s gives %s once'::text, credits.utc_text(f.period_starts_at), trim_scale((v.allowance)::numeric)) AS expected,
    format('lot %s of %s, %s'::text, f.lot_id, trim_scale((l.granted)::numeric), l.source) AS found
   FROM ((credits.free_periods f
     JOIN credits.plan_versions v ON (((f.plan_id = v.plan_id) AND (f.version = v.version))))
     LEFT JOIN credits.lots l ON (((f.account_id = l.account_id) AND (f.lot_id = l.lot_id))))
  WHERE (((f.lot_id IS NOT NULL) AND ((((l.granted)::numeric = (v.allowance)::numeric) AND (l.source = 'allowance'::credits.entry_kind) AND (l.order_id IS NULL)) IS NOT TRUE)) OR (EXISTS ( SELECT
           FROM credits.free_periods x
          WHERE ((x.account_id = f.account_id) AND (x.period_starts_at > f.period_starts_at) AND ((x.period_starts_at < f.period_ends_at) OR (x.lot_id = f.lot_id))))));
COMMENT ON VIEW audit.check_subscriptions IS 'Each paid invoice of a plan was granted once, as the plan says, until the end of its period. No allowance came
without an invoice, or twice for a free period. What rolled over is within the terms of the plan. A subscription is
as the newest of its events says, of one account, and ended for ever once it has ended.
A row means: a paid period of a plan was granted twice, not at all or with other terms, or a subscription is not as
Stripe says.
What to do: run `pgcredits stripe pull`. Give what is missing with api.replay_event, and take back with api.void_lot
what was given too much.';
CREATE VIEW audit.check_tags WITH (security_invoker='true') AS
 SELECT e.account_id,
    format('entry %s has 1 to 8 small texts as tags, or none'::text, e.seq) AS expected,
    (e.tags)::text AS found
   FROM credits.entries e
  WHERE ((e.tags IS NOT NULL) AND (credits.is_tags(e.tags) IS NOT TRUE))
UNION ALL
 SELECT h.account_id,
    format('hold %s has 1 to 8 small texts as tags, or none'::text, h.hold_id) AS expected,
    (h.tags)::text AS found
   FROM credits.holds h
  WHERE ((h.tags IS NOT NULL) AND (credits.is_tags(h.tags) IS NOT TRUE))
UNION ALL
 SELECT e.account_id,
    format('entry %s has the tags of hold %s: %s'::text, e.seq, e.hold_id, COALESCE((h.tags)::text, 'none'::text)) AS expected,
    COALESCE((e.tags)::text, 'none'::text) AS found
   FROM (credits.entries e
     JOIN credits.holds h ON (((e.account_id = h.account_id) AND (e.hold_id = h.hold_id))))
  WHERE (e.tags IS DISTINCT FROM h.tags)
UNION ALL
 SELECT e.account_id,
    format('entry %s has the tags of entry %s: %s'::text, e.seq, e.refunds_seq, COALESCE((c.tags)::text, 'none'::text)) AS expected,
    COALESCE((e.tags)::text, 'none'::text) AS found
   FROM (credits.entries e
     JOIN credits.entries c ON (((e.account_id = c.account_id) AND (e.refunds_seq = c.seq))))
  WHERE ((e.kind = 'refund'::credits.entry_kind) AND (e.tags IS DISTINCT FROM c.tags))
UNION ALL
 SELECT e.account_id,
    format('entry %s (%s) has no tags'::text, e.seq, e.kind) AS expected,
    (e.tags)::text AS found
   FROM credits.entries e
  WHERE ((e.tags IS NOT NULL) AND (e.kind <> ALL (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind, 'refund'::credits.entry_kind])));
COMMENT ON VIEW audit.check_tags IS 'Tags are small texts on charges and on their refunds. A charge of a hold has the tags of the hold, and a refund
those of its charge.
A row means: tags were written by hand, or a capture or refund does not have those of its hold or charge. Tags move
no tokens.
What to do: follow "A finding in the ledger" in docs/auditing.md. The hash chain says whether the tags of an entry
were changed.';
CREATE VIEW audit.check_topups WITH (security_invoker='true') AS
 WITH attempts AS (
         SELECT a.account_id,
            a.attempt_id,
            a.consent_id,
            a.order_id,
            a.state,
            a.reason,
            a.entry_seq,
            a.hold_id,
            a.balance_before,
            a.balance_after,
            a.threshold,
            a.amount,
            a.currency,
            a.payment_intent_id,
            a.fired_at,
            a.ended_at,
            o.kind AS order_kind,
            o.state AS order_state,
            o.amount AS order_amount,
            o.currency AS order_currency,
            c.state AS call_state,
            (c.params -> 'amount'::text) AS call_amount,
            g.kind AS consent_kind,
            g.amount AS consent_amount,
            g.currency AS consent_currency,
            g.monthly_limit,
            g.decided_at,
            ( SELECT min(w.decided_at) AS min
                   FROM credits.topup_consents w
                  WHERE ((w.account_id = a.account_id) AND (w.agreed_id = a.consent_id) AND ((w.kind = 'withdrawal'::text) OR ((w.kind = 'stop'::text) AND (w.reason IS DISTINCT FROM 'declined'::text))))) AS ended_consent_at
           FROM (((credits.topup_attempts a
             LEFT JOIN credits.orders o ON (((a.account_id = o.account_id) AND (a.order_id = o.order_id))))
             LEFT JOIN credits.topup_consents g ON (((a.account_id = g.account_id) AND (a.consent_id = g.consent_id))))
             LEFT JOIN credits.stripe_calls c ON (((a.account_id = c.account_id) AND (a.attempt_id = c.made_for) AND (c.kind = 'charge'::text))))
        )
 SELECT a.account_id,
    format('attempt %s, %s, has an automatic top-up of %s %s that is %s'::text, a.attempt_id, a.state, a.amount, a.currency,
        CASE a.state
            WHEN 'succeeded'::text THEN 'paid'::text
            WHEN 'open'::text THEN 'processing'::text
            ELSE 'failed or parked'::text
        END) AS expected,
    format('order %s, %s, of %s %s is %s'::text, a.order_id, a.order_kind, a.order_amount, a.order_currency, a.order_state) AS found
   FROM attempts a
  WHERE (((a.order_kind = 'auto_topup'::text) AND (a.order_amount = a.amount) AND (a.order_currency = a.currency) AND
        CASE a.state
            WHEN 'succeeded'::text THEN (a.order_state = 'paid'::text)
            WHEN 'open'::text THEN (a.order_state = 'processing'::text)
            ELSE (a.order_state = ANY (ARRAY['failed'::text, 'parked'::text]))
        END) IS NOT TRUE)
UNION ALL
 SELECT o.account_id,
    format('order %s, an automatic top-up, has an attempt'::text, o.order_id) AS expected,
    'none'::text AS found
   FROM credits.orders o
  WHERE ((o.kind = 'auto_topup'::text) AND (NOT (EXISTS ( SELECT
           FROM credits.topup_attempts a
          WHERE ((a.account_id = o.account_id) AND (a.order_id = o.order_id))))))
UNION ALL
 SELECT a.account_id,
    'one attempt in flight at most'::text AS expected,
    format('%s'::text, count(*)) AS found
   FROM credits.topup_attempts a
  WHERE (a.state = 'open'::text)
  GROUP BY a.account_id
 HAVING (count(*) > 1)
UNION ALL
 SELECT a.account_id,
    format('attempt %s charges what the user has agreed to, and not after that has ended'::text, a.attempt_id) AS expected,
    format('%s %s at %s; %s to %s %s at %s, ended at %s'::text, a.amount, a.currency, credits.utc_text(a.fired_at), COALESCE(a.consent_kind, 'nothing'::text), a.consent_amount, a.consent_currency, credits.utc_text(a.decided_at), credits.utc_text(a.ended_consent_at)) AS found
   FROM attempts a
  WHERE (((a.consent_kind = 'consent'::text) AND (a.consent_amount = a.amount) AND (a.consent_currency = a.currency) AND (NOT (a.call_amount IS DISTINCT FROM to_jsonb(a.amount))) AND (a.decided_at <= a.fired_at) AND COALESCE((a.ended_consent_at >= a.fired_at), true)) IS NOT TRUE)
UNION ALL
 SELECT t.account_id,
    format('automatic top-up that is %s has a consent that has not ended'::text, t.state) AS expected,
    format('%s at %s'::text, w.kind, credits.utc_text(w.decided_at)) AS found
   FROM (credits.auto_topups t
     JOIN credits.topup_consents w ON (((t.account_id = w.account_id) AND (t.consent_id = w.agreed_id))))
  WHERE ((t.state <> 'off'::text) AND ((w.kind = 'withdrawal'::text) OR ((w.kind = 'stop'::text) AND (w.reason IS DISTINCT FROM 'declined'::text))))
UNION ALL
 SELECT a.account_id,
    format('at most %s %s charged in the month of attempt %s'::text, a.monthly_limit, a.currency, a.attempt_id) AS expected,
    format('%s'::text, m.charged) AS found
   FROM (attempts a
     CROSS JOIN LATERAL ( SELECT sum(b.amount) AS charged
           FROM credits.topup_attempts b
          WHERE ((b.account_id = a.account_id) AND (b.currency = a.currency) AND (b.reason IS NULL) AND (b.state = ANY (ARRAY['open'::text, 'succeeded'::text])) AND (b.fired_at <= a.fired_at) AND (COALESCE(b.ended_at, 'infinity'::timestamp with time zone) >= credits.period_start('month'::text, a.fired_at)))) m)
  WHERE ((a.reason IS NULL) AND (a.state = ANY (ARRAY['open'::text, 'succeeded'::text])) AND ((m.charged <= (a.monthly_limit)::numeric) IS NOT TRUE))
UNION ALL
 SELECT a.account_id,
    format('attempt %s, in flight, has a call to Stripe that may still succeed'::text, a.attempt_id) AS expected,
    format('the call is %s'::text, COALESCE(a.call_state, 'missing'::text)) AS found
   FROM attempts a
  WHERE ((a.state = 'open'::text) AND (COALESCE(a.call_state, 'missing'::text) <> ALL (ARRAY['due'::text, 'done'::text])));
COMMENT ON VIEW audit.check_topups IS 'Every automatic top-up was agreed to, begun one at a time, and within the limit of its month. Its order, its attempt
and its call to Stripe agree.
A row means: a card was charged, or may be, without a consent that counts, twice at once, or beyond the limit of the
month.
What to do: call api.stop_auto_topup for the account. Compare the attempts with Stripe, and pay back with
api.request_refund what was charged without consent.';
CREATE TABLE credits.webhook_changes (
    endpoint_id uuid NOT NULL,
    change_id uuid DEFAULT gen_random_uuid() NOT NULL,
    change text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_changes_are_known CHECK ((change = ANY (ARRAY['disabled'::text, 'enabled'::text, 'new_secret'::text, 'replayed'::text])))
);
ALTER TABLE ONLY credits.webhook_changes FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.webhook_changes IS 'What was done to an endpoint, by whom, when and why. Rows are never changed.';
COMMENT ON COLUMN credits.webhook_changes.change IS 'disabled, enabled, new_secret or replayed.';
CREATE VIEW audit.check_webhooks WITH (security_invoker='true') AS
 SELECT o.account_id,
    format('notice %s (%s) is a message to endpoint %s'::text, o.notice_id, o.kind, w.endpoint_id) AS expected,
    'no message'::text AS found
   FROM (credits.webhook_endpoints w
     JOIN credits.outbox o ON ((o.created_at > (w.enabled_at + '00:01:00'::interval))))
  WHERE ((w.disabled_at IS NULL) AND COALESCE((o.kind = ANY (w.kinds)), true) AND (o.created_at > (credits.clock() - '720:00:00'::interval)) AND (NOT (EXISTS ( SELECT
           FROM credits.webhook_deliveries d
          WHERE ((d.account_id = o.account_id) AND (d.notice_id = o.notice_id) AND (d.endpoint_id = w.endpoint_id))))))
UNION ALL
 SELECT d.account_id,
    format('message msg_%s to endpoint %s is sent when it is due'::text, d.notice_id, d.endpoint_id) AS expected,
    format('due since %s: does `pgcredits work` run?'::text, credits.utc_text(d.due_at)) AS found
   FROM (credits.webhook_deliveries d
     JOIN credits.webhook_endpoints w ON ((d.endpoint_id = w.endpoint_id)))
  WHERE ((d.state = 'pending'::text) AND (w.disabled_at IS NULL) AND (d.due_at < (credits.clock() - '24:00:00'::interval)))
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('endpoint %s is disabled by a recorded change'::text, w.endpoint_id) AS expected,
    format('no change at %s'::text, credits.utc_text(w.disabled_at)) AS found
   FROM credits.webhook_endpoints w
  WHERE ((w.disabled_at IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM credits.webhook_changes c
          WHERE ((c.endpoint_id = w.endpoint_id) AND (c.change = 'disabled'::text) AND (c.changed_at >= w.disabled_at))))));
COMMENT ON VIEW audit.check_webhooks IS 'Every notice since an endpoint was enabled has become a message to it. Messages are sent when they are due. Whatever
disabled an endpoint is recorded.
A row means: a product does not hear of what happened: the worker does not run, the product''s address does not
answer, or somebody changed the tables.
What to do: start `pgcredits work`. See what the address answered in api.webhook_deliveries, and send again with
api.replay_webhook.';
CREATE VIEW audit.findings WITH (security_invoker='true') AS
 SELECT 'check_access'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_access c
UNION ALL
 SELECT 'check_balance'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_balance c
UNION ALL
 SELECT 'check_campaigns'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_campaigns c
UNION ALL
 SELECT 'check_charges'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_charges c
UNION ALL
 SELECT 'check_creators'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_creators c
UNION ALL
 SELECT 'check_draws'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_draws c
UNION ALL
 SELECT 'check_events'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_events c
UNION ALL
 SELECT 'check_guests'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_guests c
UNION ALL
 SELECT 'check_hash_chain'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_hash_chain c
UNION ALL
 SELECT 'check_heads'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_heads c
UNION ALL
 SELECT 'check_holds'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_holds c
UNION ALL
 SELECT 'check_keys'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_keys c
UNION ALL
 SELECT 'check_limits'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_limits c
UNION ALL
 SELECT 'check_logins'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_logins c
UNION ALL
 SELECT 'check_lots'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_lots c
UNION ALL
 SELECT 'check_negative'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_negative c
UNION ALL
 SELECT 'check_orders'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_orders c
UNION ALL
 SELECT 'check_prices'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_prices c
UNION ALL
 SELECT 'check_refund_requests'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_refund_requests c
UNION ALL
 SELECT 'check_refunds'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_refunds c
UNION ALL
 SELECT 'check_release'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_release c
UNION ALL
 SELECT 'check_reversals'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_reversals c
UNION ALL
 SELECT 'check_roles'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_roles c
UNION ALL
 SELECT 'check_running_balance'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_running_balance c
UNION ALL
 SELECT 'check_sequence'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_sequence c
UNION ALL
 SELECT 'check_settings'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_settings c
UNION ALL
 SELECT 'check_shortfalls'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_shortfalls c
UNION ALL
 SELECT 'check_subscriptions'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_subscriptions c
UNION ALL
 SELECT 'check_topups'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_topups c
UNION ALL
 SELECT 'check_stripe'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_stripe c
UNION ALL
 SELECT 'check_stripe_balance'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_stripe_balance c
UNION ALL
 SELECT 'check_webhooks'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_webhooks c
UNION ALL
 SELECT 'check_api_keys'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_api_keys c
UNION ALL
 SELECT 'check_sessions'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_sessions c
UNION ALL
 SELECT 'check_tags'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_tags c
UNION ALL
 SELECT 'check_partitions'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_partitions c
UNION ALL
 SELECT 'check_money_returns'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_money_returns c
UNION ALL
 SELECT 'check_finance_rollforward'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_finance_rollforward c
UNION ALL
 SELECT 'check_finance_journal'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_finance_journal c
UNION ALL
 SELECT 'check_due'::text AS check_name,
    c.account_id,
    c.expected,
    c.found
   FROM audit.check_due c;
COMMENT ON VIEW audit.findings IS 'Every fault that any check finds. If there is no row, the books close.';
CREATE VIEW audit.parked WITH (security_invoker='true') AS
 WITH reported AS (
         SELECT e.event_id,
            e.type,
            t_1.family,
            e.outcome,
            e.received_at,
            e.account_id,
            e.order_id,
            e.object_id,
            e.payload,
            o.state AS order_state,
            COALESCE(e.trouble, e.reason, o.parked_reason,
                CASE
                    WHEN ((e.outcome = 'unmatched'::text) IS TRUE) THEN 'it names no order of ours'::text
                    ELSE NULL::text
                END) AS parked_reason,
            credits.stripe_id((e.payload #> '{data,object,payment_intent}'::text[])) AS payment_intent_id,
            ((t_1.family <> 'session'::text) OR (e.outcome = 'parked'::text) OR ((COALESCE((e.payload #> '{data,object,payment_status}'::text[]), 'null'::jsonb) <> ALL (ARRAY['"unpaid"'::jsonb, 'null'::jsonb])) AND (COALESCE((e.payload #> '{data,object,payment_status}'::text[]), 'null'::jsonb) <> (
                CASE e.type
                    WHEN 'checkout.session.expired'::text THEN '"no_payment_required"'::text
                    ELSE 'null'::text
                END)::jsonb))) AS is_money
           FROM ((credits.stripe_events e
             JOIN credits.event_types t_1 ON ((e.type = t_1.type)))
             LEFT JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
          WHERE (e.outcome = ANY (ARRAY['parked'::text, 'waiting'::text, 'unmatched'::text]))
        ), refunds AS (
         SELECT r.payment_intent_id,
            GREATEST(COALESCE(sum(r.refund), (0)::numeric), COALESCE(max(r.on_charge), (0)::numeric)) AS amount
           FROM ( SELECT credits.stripe_id((e.payload #> '{data,object,payment_intent}'::text[])) AS payment_intent_id,
                    max(credits.stripe_amount((e.payload #> '{data,object,amount}'::text[]))) AS refund,
                    max(credits.stripe_amount((e.payload #> '{data,object,amount_refunded}'::text[]))) AS on_charge
                   FROM (credits.stripe_events e
                     JOIN credits.event_types t_1 ON ((e.type = t_1.type)))
                  WHERE (t_1.family = 'refund'::text)
                  GROUP BY e.object_id, (credits.stripe_id((e.payload #> '{data,object,payment_intent}'::text[])))
                 HAVING ((bool_or(((COALESCE((e.payload #>> '{data,object,status}'::text[]), ''::text) = 'succeeded'::text) OR (e.type = 'charge.refunded'::text))) AND (NOT bool_or((COALESCE((e.payload #>> '{data,object,status}'::text[]), ''::text) = ANY (ARRAY['failed'::text, 'canceled'::text]))))) IS TRUE)) r
          WHERE (r.payment_intent_id IS NOT NULL)
          GROUP BY r.payment_intent_id
        ), ungranted AS (
         SELECT t_1.event_id,
            t_1.type,
            t_1.family,
            t_1.outcome,
            t_1.received_at,
            t_1.account_id,
            t_1.order_id,
            t_1.object_id,
            t_1.payload,
            t_1.order_state,
            t_1.parked_reason,
            t_1.payment_intent_id,
            t_1.is_money
           FROM reported t_1
          WHERE ((t_1.family = 'session'::text) AND t_1.is_money AND (NOT (EXISTS ( SELECT
                   FROM credits.stripe_objects s
                  WHERE ((s.object_id = t_1.object_id) AND ((t_1.order_id IS NULL) OR ((s.account_id = t_1.account_id) AND (s.order_id = t_1.order_id))))))))
        ), returned AS (
         SELECT u.event_id,
            u.payment_intent_id
           FROM (ungranted u
             JOIN refunds r ON ((u.payment_intent_id = r.payment_intent_id)))
          WHERE (r.amount >= credits.stripe_amount((u.payload #> '{data,object,amount_total}'::text[])))
        )
 SELECT event_id,
    type,
    outcome,
    received_at,
    account_id,
    order_id,
    order_state,
    parked_reason,
    object_id,
    payment_intent_id,
    COALESCE((payload #>> '{data,object,amount_subtotal}'::text[]), (payload #>> '{data,object,amount}'::text[])) AS amount,
    (payload #>> '{data,object,currency}'::text[]) AS currency
   FROM reported t
  WHERE
        CASE
            WHEN ((family = 'session'::text) IS TRUE) THEN ((event_id IN ( SELECT u.event_id
               FROM ungranted u)) AND (NOT (event_id IN ( SELECT r.event_id
               FROM returned r))))
            ELSE ((payment_intent_id IS NULL) OR (NOT (payment_intent_id IN ( SELECT r.payment_intent_id
               FROM returned r))))
        END;
COMMENT ON VIEW audit.parked IS 'Events that a person has to decide about, each with the reason: payments that do not match their order, or name no order of this bank; refunds and disputes of payments that it does not know; whatever still waits. An event that was applied or dismissed since is not listed, nor is a payment that was refunded in full before it was granted. api.replay_event applies an event again; api.dismiss_event takes it from the list.';
CREATE VIEW audit.stuck_holds WITH (security_invoker='true') AS
 SELECT account_id,
    hold_id,
    module_id,
    held,
    created_at,
    expires_at
   FROM credits.holds h
  WHERE (((state)::text = 'open'::text) AND (expires_at <= (credits.clock(account_id) - '01:00:00'::interval)));
COMMENT ON VIEW audit.stuck_holds IS 'Holds that expired more than an hour ago and are not booked as expired. The books are right, but pgcredits maintain is not running.';
CREATE TABLE credits.entry_kinds (
    kind credits.entry_kind NOT NULL,
    counter_account text NOT NULL,
    description text NOT NULL
);
ALTER TABLE ONLY credits.entry_kinds FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.entry_kinds IS 'The other side of each kind of entry, which makes this double-entry bookkeeping.';
CREATE VIEW audit.trial_balance WITH (security_invoker='true') AS
 SELECT 'customers'::text AS side,
    COALESCE(sum((w.balance)::numeric), (0)::numeric) AS tokens
   FROM credits.wallets w
UNION ALL
 SELECT k.counter_account AS side,
    COALESCE((- sum((e.tokens)::numeric)), (0)::numeric) AS tokens
   FROM (credits.entry_kinds k
     LEFT JOIN credits.entries e ON ((k.kind = e.kind)))
  GROUP BY k.counter_account;
COMMENT ON VIEW audit.trial_balance IS 'The balance of each side of the books, in tokens. The column adds up to zero.';
CREATE TABLE credits.account_origins (
    account_id uuid NOT NULL,
    device_keys text[] DEFAULT '{}'::text[] NOT NULL,
    network_keys text[] DEFAULT '{}'::text[] NOT NULL,
    shared_network boolean DEFAULT false NOT NULL,
    noted_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY credits.account_origins FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.account_origins IS 'The device and the network that an account was opened from, for the bounds of campaigns. They are HMACs with a salt that rotates, which the HTTP API makes as it does for guests. api.maintain forgets them after their period.';
COMMENT ON COLUMN credits.account_origins.device_keys IS 'Under the salt of that time, and under the one before or after it. Empty when they are not known.';
CREATE TABLE credits.audit_checkpoints (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    posted_at timestamp with time zone NOT NULL,
    verified_at timestamp with time zone NOT NULL,
    balance credits.tokens NOT NULL,
    debt credits.amount NOT NULL,
    lifetime_granted credits.amount NOT NULL,
    lifetime_spent credits.amount NOT NULL,
    hash bytea NOT NULL
)
WITH (fillfactor='70');
ALTER TABLE ONLY credits.audit_checkpoints FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.audit_checkpoints IS 'How far pgcredits audit --incremental has verified each account: the state of the wallet after entry seq. Only credits.audit_changes writes it, for accounts in which it found no fault.';
COMMENT ON COLUMN credits.audit_checkpoints.seq IS 'The last entry that was verified.';
COMMENT ON COLUMN credits.audit_checkpoints.posted_at IS 'When that entry was posted; -infinity if there was none.';
COMMENT ON COLUMN credits.audit_checkpoints.verified_at IS 'When it was verified.';
COMMENT ON COLUMN credits.audit_checkpoints.balance IS 'The balance after that entry.';
COMMENT ON COLUMN credits.audit_checkpoints.debt IS 'The debt after that entry.';
COMMENT ON COLUMN credits.audit_checkpoints.lifetime_granted IS 'The tokens ever granted, after that entry.';
COMMENT ON COLUMN credits.audit_checkpoints.lifetime_spent IS 'The tokens ever spent less refunds, after that entry.';
COMMENT ON COLUMN credits.audit_checkpoints.hash IS 'The hash of that entry; empty if there was none.';
CREATE TABLE credits.audits (
    one_row boolean DEFAULT true NOT NULL,
    audited_at timestamp with time zone NOT NULL,
    checks bigint NOT NULL,
    findings bigint NOT NULL,
    auditor text NOT NULL,
    CONSTRAINT audits_are_one_row CHECK (one_row),
    CONSTRAINT audits_had_checks CHECK (((checks > 0) AND (findings >= 0)))
);
ALTER TABLE ONLY credits.audits FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.audits IS 'What the last pgcredits audit found: one row. It says nothing about individual accounts.';
COMMENT ON COLUMN credits.audits.audited_at IS 'When it ended.';
COMMENT ON COLUMN credits.audits.checks IS 'How many checks it ran.';
COMMENT ON COLUMN credits.audits.findings IS 'How many rows they found. 0: the books are sound.';
COMMENT ON COLUMN credits.audits.auditor IS 'The SQL login that ran it.';
CREATE TABLE credits.awaited_objects (
    object_id text NOT NULL
);
ALTER TABLE ONLY credits.awaited_objects FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.awaited_objects IS 'Ids of objects at Stripe, as locks: of an event that waits for an object, and of the transaction that makes the object known. Always empty for others: a transaction deletes its rows again.';
CREATE VIEW credits.captures WITH (security_invoker='true') AS
 SELECT h.account_id,
    h.hold_id,
    s.seq,
    s.part
   FROM (credits.holds h
     CROSS JOIN LATERAL unnest(h.seqs) WITH ORDINALITY s(seq, part));
COMMENT ON VIEW credits.captures IS 'The entries that charged each hold, numbered from 1.';
CREATE TABLE credits.closed_postings (
    month date NOT NULL,
    currency text NOT NULL,
    event text NOT NULL,
    account text NOT NULL,
    debit numeric NOT NULL,
    credit numeric NOT NULL
);
ALTER TABLE ONLY credits.closed_postings FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.closed_postings IS 'What the journal said of the months, summed up, when they were closed. It is append-only.';
CREATE TABLE credits.entries_default (
    account_id uuid CONSTRAINT entries_account_id_not_null NOT NULL,
    seq bigint CONSTRAINT entries_seq_not_null NOT NULL,
    posted_at timestamp with time zone CONSTRAINT entries_posted_at_not_null NOT NULL,
    effective_at timestamp with time zone CONSTRAINT entries_effective_at_not_null NOT NULL,
    kind credits.entry_kind CONSTRAINT entries_kind_not_null NOT NULL,
    tokens credits.tokens CONSTRAINT entries_tokens_not_null NOT NULL,
    balance_after credits.tokens CONSTRAINT entries_balance_after_not_null NOT NULL,
    debt_after credits.tokens CONSTRAINT entries_debt_after_not_null NOT NULL,
    draws jsonb CONSTRAINT entries_draws_not_null NOT NULL,
    module_id text,
    usage jsonb,
    price_id bigint,
    order_id uuid,
    hold_id uuid,
    late boolean,
    refunds_seq bigint,
    campaign_id text,
    package_name text,
    actor text CONSTRAINT entries_actor_not_null NOT NULL,
    metadata jsonb CONSTRAINT entries_metadata_not_null NOT NULL,
    hash bytea CONSTRAINT entries_hash_not_null NOT NULL,
    tags jsonb
);
ALTER TABLE ONLY credits.entries_default FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.entries_default IS 'Part of credits.entries; nobody but the owner reads it directly.';
CREATE TABLE credits.event_decisions (
    event_id text NOT NULL,
    number bigint NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    decision text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    outcome text NOT NULL,
    CONSTRAINT event_decisions_decision_is_known CHECK ((decision = ANY (ARRAY['replayed'::text, 'dismissed'::text])))
);
ALTER TABLE ONLY credits.event_decisions FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.event_decisions IS 'What operators decided about events that were parked or waited, with their reasons.';
COMMENT ON COLUMN credits.event_decisions.number IS '1, 2 … for each event.';
COMMENT ON COLUMN credits.event_decisions.decision IS 'replayed (it was applied again) or dismissed.';
COMMENT ON COLUMN credits.event_decisions.outcome IS 'The outcome of the event after that.';
CREATE TABLE credits.finance_accounts (
    account text NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    CONSTRAINT finance_accounts_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT finance_accounts_number_is_short CHECK (((length(number) >= 1) AND (length(number) <= 40)))
);
ALTER TABLE ONLY credits.finance_accounts FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.finance_accounts IS 'The accounts of the journal, and what the operator calls them. credits.name_account changes them.';
CREATE TABLE credits.guest_networks (
    network_id uuid DEFAULT gen_random_uuid() NOT NULL,
    network_key text NOT NULL,
    CONSTRAINT guest_networks_key_is_sane CHECK ((network_key ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE ONLY credits.guest_networks FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.guest_networks IS 'The address (IPv6: the /64) that guests came from, as an HMAC.';
CREATE VIEW credits.guest_keys WITH (security_invoker='true') AS
 SELECT 'device'::text AS kind,
    g.guest_id AS id,
    g.device_key AS key
   FROM credits.guests g
UNION ALL
 SELECT 'network'::text AS kind,
    n.network_id AS id,
    n.network_key AS key
   FROM credits.guest_networks n;
COMMENT ON VIEW credits.guest_keys IS 'The keys of all guests: of their devices and of the networks they come from.';
CREATE TABLE credits.guest_limits (
    catalog_id text NOT NULL,
    per_device bigint NOT NULL,
    per_network bigint NOT NULL,
    per_shared_network bigint NOT NULL,
    sliding_window interval NOT NULL,
    CONSTRAINT guest_limits_are_sane CHECK (((per_device >= 1) AND (per_network >= per_device) AND (per_shared_network >= per_network) AND (per_shared_network <= 1000000))),
    CONSTRAINT guest_limits_window_is_sane CHECK (((sliding_window > '00:00:00'::interval) AND (sliding_window <= '7 days'::interval)))
);
ALTER TABLE ONLY credits.guest_limits FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.guest_limits IS 'How many uses a guest has in any span of sliding_window. Without a row, guests have no free uses.';
COMMENT ON COLUMN credits.guest_limits.per_network IS 'Uses of all devices behind one address. Equal to per_device by default, so that throwing the cookie away gains nothing.';
COMMENT ON COLUMN credits.guest_limits.per_shared_network IS 'The same for networks that the operator knows to be shared (schools, offices).';
COMMENT ON COLUMN credits.guest_limits.sliding_window IS 'At most 7 days, because the previous keys are known for that long.';
CREATE VIEW credits.notice_kinds WITH (security_invoker='true') AS
 SELECT column1 AS kind,
    column2 AS meaning
   FROM (VALUES ('low_balance'::text,'the balance fell below its threshold'::text), ('depleted'::text,'what is left pays for nothing'::text), ('granted'::text,'tokens came in'::text), ('reversed'::text,'tokens went back with the money that had paid for them'::text), ('reinstated'::text,'tokens came back with that money'::text), ('expiring_soon'::text,'tokens will expire soon'::text), ('expired'::text,'tokens expired'::text), ('inactive'::text,'tokens will be purged unless they are used'::text), ('top_up_failed'::text,'an automatic top-up failed'::text), ('top_up_paused'::text,'automatic top-ups are paused'::text), ('subscription_changed'::text,'a subscription changed'::text), ('trial_ends_soon'::text,'the trial of a subscription ends soon'::text), ('payment_failed'::text,'the payment of a subscription failed'::text)) "*VALUES*";
COMMENT ON VIEW credits.notice_kinds IS 'The kinds of notices in the outbox, and when each is written.';
CREATE TABLE credits.notice_levels (
    account_id uuid NOT NULL,
    below credits.amount,
    percent numeric,
    basis credits.amount DEFAULT 0 NOT NULL,
    last_purchase credits.amount DEFAULT 0 NOT NULL,
    low_armed boolean DEFAULT true NOT NULL,
    depleted_armed boolean DEFAULT true NOT NULL,
    CONSTRAINT notice_levels_one_threshold CHECK ((num_nonnulls(below, percent) < 2)),
    CONSTRAINT notice_levels_percent_is_sane CHECK (((percent > (0)::numeric) AND (percent < (100)::numeric)))
);
ALTER TABLE ONLY credits.notice_levels FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.notice_levels IS 'Which notices of an account are armed. When the balance falls through the threshold, an armed notice is written and disarmed. Above 110 percent of the threshold it is armed again. Without a row, it is armed and nothing was granted yet.';
COMMENT ON COLUMN credits.notice_levels.below IS 'The user''s own threshold for low_balance, in place of the rule of the bank.';
COMMENT ON COLUMN credits.notice_levels.percent IS 'The same, as a percentage of the basis.';
COMMENT ON COLUMN credits.notice_levels.basis IS 'What a percentage is taken of: the larger of the last purchase and the greatest lot that had tokens when tokens were last granted, came back or expired.';
COMMENT ON COLUMN credits.notice_levels.last_purchase IS 'Tokens of the last purchase, including the bonus.';
CREATE TABLE credits.notice_rules (
    kind text NOT NULL,
    below credits.amount,
    percent numeric,
    ahead interval,
    CONSTRAINT notice_rules_below_is_positive CHECK (((below)::numeric > (0)::numeric)),
    CONSTRAINT notice_rules_kind_is_known CHECK ((kind = ANY (ARRAY['low_balance'::text, 'depleted'::text, 'expiring_soon'::text]))),
    CONSTRAINT notice_rules_percent_is_sane CHECK (((percent > (0)::numeric) AND (percent < (100)::numeric))),
    CONSTRAINT notice_rules_say_when CHECK (
CASE kind
    WHEN 'low_balance'::text THEN ((num_nonnulls(below, percent) = 1) AND (ahead IS NULL))
    WHEN 'depleted'::text THEN (num_nonnulls(below, percent, ahead) = 0)
    ELSE ((num_nonnulls(below, percent) = 0) AND COALESCE((ahead > '00:00:00'::interval), false))
END)
);
ALTER TABLE ONLY credits.notice_rules FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.notice_rules IS 'When this bank tells users something. low_balance: below a number of tokens, or a percentage of the last purchase or of the greatest lot, whichever is larger. depleted: what is left pays for nothing.';
COMMENT ON COLUMN credits.notice_rules.ahead IS 'How long before its expiry a lot is announced.';
CREATE TABLE credits.priced_targets (
    target text NOT NULL,
    priced_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY credits.priced_targets FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.priced_targets IS 'The targets of prices that price lists define without a time: module …, category … or default.';
COMMENT ON COLUMN credits.priced_targets.priced_at IS 'The beginning of the transaction that last gave the target a price from now on. A second such price in the same transaction is refused.';
ALTER TABLE credits.prices ALTER COLUMN price_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME credits.prices_price_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE credits.release_objects (
    kind text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    source text
);
ALTER TABLE ONLY credits.release_objects FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.release_objects IS 'Every object in the schemas of the bank that pgcredits migrate has made, as credits.standing_objects() shows it.';
COMMENT ON COLUMN credits.release_objects.definition IS 'Digest of its definition as PostgreSQL prints it.';
COMMENT ON COLUMN credits.release_objects.source IS 'Digest of the statement that made it, for objects that migrate leaves alone while neither has changed. Null for others.';
CREATE TABLE credits.retention_periods (
    kind text NOT NULL,
    keep_for interval NOT NULL,
    at_least interval NOT NULL,
    CONSTRAINT retention_periods_are_spans CHECK ((at_least > '00:00:00'::interval)),
    CONSTRAINT retention_periods_have_bounds CHECK (((keep_for >= at_least) AND (keep_for <= '1000 years'::interval)))
);
ALTER TABLE ONLY credits.retention_periods FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.retention_periods IS 'How long the bank keeps what the books do not need. api.maintain forgets what is older.';
COMMENT ON COLUMN credits.retention_periods.kind IS 'idempotency_keys, networks (where accounts were opened and signed in from), sessions, webhook_deliveries, notices, guests, or stripe_payloads.';
COMMENT ON COLUMN credits.retention_periods.at_least IS 'The shortest period that may be chosen: what callers were promised, or what other rules read.';
CREATE TABLE credits.sign_in_counts (
    scope text NOT NULL,
    attempts bigint NOT NULL,
    window_ends timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_counts_are_positive CHECK ((attempts >= 0)),
    CONSTRAINT sign_in_counts_scope_is_sane CHECK (((length(scope) >= 1) AND (length(scope) <= 200)))
);
ALTER TABLE ONLY credits.sign_in_counts FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.sign_in_counts IS 'Counts of sign-ins that failed or have not ended, and of sign-ups, in the current window. Nothing here says who it was.';
COMMENT ON COLUMN credits.sign_in_counts.scope IS 'network:…, account:…, pair:… or sign_up:…, with the key that the HTTP API made of the network, and a hash of the e-mail address.';
CREATE TABLE credits.sign_in_networks (
    account_id uuid NOT NULL,
    network_key text NOT NULL,
    seen_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY credits.sign_in_networks FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.sign_in_networks IS 'The networks that an account has signed in from. Failed attempts elsewhere cannot keep its user from signing in there. Keys are HMACs with a salt that rotates. api.maintain forgets them after their period.';
CREATE TABLE credits.status_changes (
    account_id uuid NOT NULL,
    change_id uuid DEFAULT gen_random_uuid() NOT NULL,
    status credits.account_status NOT NULL,
    reason text,
    actor text NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY credits.status_changes FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.status_changes IS 'Who froze or thawed an account, when and why.';
COMMENT ON COLUMN credits.status_changes.status IS 'What it was changed to.';
CREATE TABLE credits.webhook_secrets (
    endpoint_id uuid NOT NULL,
    secret text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    valid_until timestamp with time zone,
    CONSTRAINT webhook_secrets_are_random CHECK ((secret ~ '^whsec_[A-Za-z0-9+/]{43}=$'::text))
);
ALTER TABLE ONLY credits.webhook_secrets FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE credits.webhook_secrets IS 'What messages to an endpoint are signed with. Only the worker reads it.';
COMMENT ON COLUMN credits.webhook_secrets.valid_until IS 'Until when messages are signed with it as well. Null: it is the present secret.';
CREATE VIEW finance.accounts WITH (security_invoker='true') AS
 SELECT account,
    number,
    name
   FROM credits.finance_accounts a;
COMMENT ON VIEW finance.accounts IS 'The accounts of the journal. credits.name_account, called by the superuser, changes their numbers and names.';
COMMENT ON COLUMN finance.accounts.account IS 'What pgcredits calls it.';
COMMENT ON COLUMN finance.accounts.number IS 'Its number in the operator''s chart of accounts.';
COMMENT ON COLUMN finance.accounts.name IS 'Its name there.';
CREATE VIEW finance.journal WITH (security_invoker='true') AS
 SELECT p.period AS day,
    p.currency,
    p.event,
    p.account,
    a.number,
    a.name,
    p.debit,
    p.credit
   FROM (credits.postings('day'::text, 'infinity'::timestamp with time zone) p(period, currency, event, account, debit, credit)
     JOIN credits.finance_accounts a ON ((p.account = a.account)));
COMMENT ON VIEW finance.journal IS 'Postings per day (UTC), currency and event, in minor units. The debits of an event equal its credits, so those of a day do.';
COMMENT ON COLUMN finance.journal.event IS 'sale, use, expiry, money_back or adjustment.';
COMMENT ON COLUMN finance.journal.account IS 'cash, tax, deferred_revenue, revenue, breakage, refunds or adjustments: see finance.accounts.';
COMMENT ON COLUMN finance.journal.number IS 'The number of the account, as the operator has set it.';
COMMENT ON COLUMN finance.journal.name IS 'The name of the account, as the operator has set it.';
COMMENT ON COLUMN finance.journal.debit IS 'Minor units; 0 or above.';
COMMENT ON COLUMN finance.journal.credit IS 'Minor units; 0 or above.';
ALTER TABLE ONLY credits.entries ATTACH PARTITION credits.entries_default DEFAULT;
ALTER TABLE ONLY credits.account_origins
    ADD CONSTRAINT account_origins_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.analyst_grants
    ADD CONSTRAINT analyst_grants_pkey PRIMARY KEY (login, segment);
ALTER TABLE ONLY credits.api_key_changes
    ADD CONSTRAINT api_key_changes_pkey PRIMARY KEY (key_id, change_id);
ALTER TABLE ONLY credits.api_key_secrets
    ADD CONSTRAINT api_key_secrets_pkey PRIMARY KEY (key_id, secret_hash);
ALTER TABLE ONLY credits.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_id);
ALTER TABLE ONLY credits.api_keys
    ADD CONSTRAINT api_keys_repeat_key UNIQUE (idempotency_key);
ALTER TABLE ONLY credits.audit_checkpoints
    ADD CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.audits
    ADD CONSTRAINT audits_pkey PRIMARY KEY (one_row);
ALTER TABLE ONLY credits.auto_topups
    ADD CONSTRAINT auto_topups_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.awaited_objects
    ADD CONSTRAINT awaited_objects_pkey PRIMARY KEY (object_id);
ALTER TABLE ONLY credits.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (campaign_id);
ALTER TABLE ONLY credits.catalogs
    ADD CONSTRAINT catalogs_pkey PRIMARY KEY (catalog_id);
ALTER TABLE ONLY credits.charge_refunds
    ADD CONSTRAINT charge_refunds_pkey PRIMARY KEY (account_id, seq);
ALTER TABLE ONLY credits.closed_months
    ADD CONSTRAINT closed_months_pkey PRIMARY KEY (month);
ALTER TABLE ONLY credits.closed_postings
    ADD CONSTRAINT closed_postings_pkey PRIMARY KEY (month, currency, event, account);
ALTER TABLE ONLY credits.closed_sums
    ADD CONSTRAINT closed_sums_once UNIQUE NULLS NOT DISTINCT (month, currency, source);
ALTER TABLE ONLY credits.codes
    ADD CONSTRAINT codes_pkey PRIMARY KEY (code);
ALTER TABLE ONLY credits.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (email);
ALTER TABLE ONLY credits.currencies
    ADD CONSTRAINT currencies_pkey PRIMARY KEY (currency);
ALTER TABLE ONLY credits.dimensions
    ADD CONSTRAINT dimensions_pkey PRIMARY KEY (dimension);
ALTER TABLE ONLY credits.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (account_id, seq, posted_at);
ALTER TABLE ONLY credits.entries_default
    ADD CONSTRAINT entries_default_pkey PRIMARY KEY (account_id, seq, posted_at);
ALTER TABLE ONLY credits.entry_kinds
    ADD CONSTRAINT entry_kinds_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY credits.event_decisions
    ADD CONSTRAINT event_decisions_pkey PRIMARY KEY (event_id, number);
ALTER TABLE ONLY credits.failures
    ADD CONSTRAINT failures_pkey PRIMARY KEY (account_id, failure_id);
ALTER TABLE ONLY credits.finance_accounts
    ADD CONSTRAINT finance_accounts_pkey PRIMARY KEY (account);
ALTER TABLE ONLY credits.free_periods
    ADD CONSTRAINT free_periods_pkey PRIMARY KEY (account_id, period_starts_at);
ALTER TABLE ONLY credits.guest_limits
    ADD CONSTRAINT guest_limits_pkey PRIMARY KEY (catalog_id);
ALTER TABLE ONLY credits.guest_networks
    ADD CONSTRAINT guest_networks_network_key UNIQUE (network_key);
ALTER TABLE ONLY credits.guest_networks
    ADD CONSTRAINT guest_networks_pkey PRIMARY KEY (network_id);
ALTER TABLE ONLY credits.guest_uses
    ADD CONSTRAINT guest_uses_pkey PRIMARY KEY (use_id);
ALTER TABLE ONLY credits.guests
    ADD CONSTRAINT guests_device_key UNIQUE (device_key);
ALTER TABLE ONLY credits.guests
    ADD CONSTRAINT guests_pkey PRIMARY KEY (guest_id);
ALTER TABLE ONLY credits.holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (account_id, hold_id);
ALTER TABLE ONLY credits.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account_id, operation, key);
ALTER TABLE ONLY credits.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY credits.inactive_accounts
    ADD CONSTRAINT inactive_accounts_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.lots
    ADD CONSTRAINT lots_pkey PRIMARY KEY (account_id, lot_id);
ALTER TABLE ONLY credits.module_categories
    ADD CONSTRAINT module_categories_pkey PRIMARY KEY (category_id);
ALTER TABLE ONLY credits.modules
    ADD CONSTRAINT modules_pkey PRIMARY KEY (module_id);
ALTER TABLE ONLY credits.money_returns
    ADD CONSTRAINT money_returns_pkey PRIMARY KEY (account_id, order_id, number);
ALTER TABLE ONLY credits.notice_levels
    ADD CONSTRAINT notice_levels_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.notice_rules
    ADD CONSTRAINT notice_rules_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY credits.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (account_id, order_id);
ALTER TABLE ONLY credits.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (account_id, notice_id);
ALTER TABLE ONLY credits.packs
    ADD CONSTRAINT packs_pkey PRIMARY KEY (pack_id);
ALTER TABLE ONLY credits.password_changes
    ADD CONSTRAINT password_changes_pkey PRIMARY KEY (account_id, change_id);
ALTER TABLE ONLY credits.plan_versions
    ADD CONSTRAINT plan_versions_pkey PRIMARY KEY (plan_id, version);
ALTER TABLE ONLY credits.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (plan_id);
ALTER TABLE ONLY credits.price_components
    ADD CONSTRAINT price_components_pkey PRIMARY KEY (price_id, dimension);
ALTER TABLE ONLY credits.price_list
    ADD CONSTRAINT price_list_pkey PRIMARY KEY (module_id);
ALTER TABLE ONLY credits.price_tiers
    ADD CONSTRAINT price_tiers_pkey PRIMARY KEY (price_id, dimension, above);
ALTER TABLE ONLY credits.priced_targets
    ADD CONSTRAINT priced_targets_pkey PRIMARY KEY (target);
ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (price_id);
ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_start_at_different_times UNIQUE NULLS NOT DISTINCT (module_id, category_id, valid_from);
ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_pkey PRIMARY KEY (account_id, campaign_id, number);
ALTER TABLE ONLY credits.referrals
    ADD CONSTRAINT referrals_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (account_id, session_id, token_hash);
ALTER TABLE ONLY credits.refund_requests
    ADD CONSTRAINT refund_requests_pkey PRIMARY KEY (account_id, request_id);
ALTER TABLE ONLY credits.release_objects
    ADD CONSTRAINT release_objects_pkey PRIMARY KEY (kind, name);
ALTER TABLE ONLY credits.releases
    ADD CONSTRAINT releases_pkey PRIMARY KEY (one_row);
ALTER TABLE ONLY credits.retention_periods
    ADD CONSTRAINT retention_periods_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY credits.reversals
    ADD CONSTRAINT reversals_pkey PRIMARY KEY (account_id, reversal_id);
ALTER TABLE ONLY credits.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (one_row);
ALTER TABLE ONLY credits.shortfalls
    ADD CONSTRAINT shortfalls_pkey PRIMARY KEY (account_id, shortfall_id);
ALTER TABLE ONLY credits.sign_in_counts
    ADD CONSTRAINT sign_in_counts_pkey PRIMARY KEY (scope);
ALTER TABLE ONLY credits.sign_in_networks
    ADD CONSTRAINT sign_in_networks_pkey PRIMARY KEY (account_id, network_key);
ALTER TABLE ONLY credits.sign_in_sessions
    ADD CONSTRAINT sign_in_sessions_pkey PRIMARY KEY (account_id, session_id);
ALTER TABLE ONLY credits.spend_limits
    ADD CONSTRAINT spend_limits_pkey PRIMARY KEY (account_id, set_by, period);
ALTER TABLE ONLY credits.sql_logins
    ADD CONSTRAINT sql_logins_pkey PRIMARY KEY (login);
ALTER TABLE ONLY credits.status_changes
    ADD CONSTRAINT status_changes_pkey PRIMARY KEY (account_id, change_id);
ALTER TABLE ONLY credits.stripe_calls
    ADD CONSTRAINT stripe_calls_pkey PRIMARY KEY (account_id, call_id);
ALTER TABLE ONLY credits.stripe_cursors
    ADD CONSTRAINT stripe_cursors_pkey PRIMARY KEY (list);
ALTER TABLE ONLY credits.stripe_events
    ADD CONSTRAINT stripe_events_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY credits.stripe_mirror_events
    ADD CONSTRAINT stripe_mirror_events_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY credits.stripe_mirror
    ADD CONSTRAINT stripe_mirror_pkey PRIMARY KEY (object_id);
ALTER TABLE ONLY credits.stripe_objects
    ADD CONSTRAINT stripe_objects_pkey PRIMARY KEY (object_id);
ALTER TABLE ONLY credits.subscription_invoices
    ADD CONSTRAINT subscription_invoices_pkey PRIMARY KEY (account_id, invoice_id);
ALTER TABLE ONLY credits.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (account_id, subscription_id);
ALTER TABLE ONLY credits.topup_attempts
    ADD CONSTRAINT topup_attempts_pkey PRIMARY KEY (account_id, attempt_id);
ALTER TABLE ONLY credits.topup_consents
    ADD CONSTRAINT topup_consents_pkey PRIMARY KEY (account_id, consent_id);
ALTER TABLE ONLY credits.topup_presets
    ADD CONSTRAINT topup_presets_pkey PRIMARY KEY (currency, amount);
ALTER TABLE ONLY credits.topups
    ADD CONSTRAINT topups_pkey PRIMARY KEY (currency);
ALTER TABLE ONLY credits.trusted_logins
    ADD CONSTRAINT trusted_logins_pkey PRIMARY KEY (login);
ALTER TABLE ONLY credits.wallets
    ADD CONSTRAINT wallets_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY credits.webhook_changes
    ADD CONSTRAINT webhook_changes_pkey PRIMARY KEY (endpoint_id, change_id);
ALTER TABLE ONLY credits.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (account_id, notice_id, endpoint_id);
ALTER TABLE ONLY credits.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (endpoint_id);
ALTER TABLE ONLY credits.webhook_secrets
    ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (endpoint_id, secret);
CREATE INDEX account_origins_device_idx ON credits.account_origins USING gin (device_keys);
CREATE INDEX account_origins_network_idx ON credits.account_origins USING gin (network_keys);
CREATE INDEX account_origins_noted_idx ON credits.account_origins USING btree (noted_at);
CREATE INDEX accounts_stripe_customer_idx ON credits.accounts USING btree (stripe_customer_id) WHERE (stripe_customer_id IS NOT NULL);
CREATE UNIQUE INDEX api_key_secrets_one_lasts ON credits.api_key_secrets USING btree (key_id) WHERE (valid_until IS NULL);
CREATE INDEX api_keys_made_with_idx ON credits.api_keys USING btree (made_with);
CREATE INDEX auto_topups_consent_idx ON credits.auto_topups USING btree (account_id, consent_id);
CREATE INDEX auto_topups_pack_idx ON credits.auto_topups USING btree (pack_id);
CREATE INDEX catalogs_currency_idx ON credits.catalogs USING btree (currency);
CREATE INDEX closed_postings_account_idx ON credits.closed_postings USING btree (account);
CREATE INDEX codes_campaign_idx ON credits.codes USING btree (campaign_id);
CREATE UNIQUE INDEX codes_one_per_referrer_idx ON credits.codes USING btree (referrer_id, campaign_id);
CREATE INDEX credentials_subject_idx ON credits.credentials USING btree (subject);
CREATE INDEX dimensions_parent_idx ON credits.dimensions USING btree (parent);
CREATE INDEX failures_module_idx ON credits.failures USING btree (module_id, failed_at);
CREATE INDEX free_periods_lot_idx ON credits.free_periods USING btree (account_id, lot_id);
CREATE INDEX free_periods_plan_idx ON credits.free_periods USING btree (plan_id, version);
CREATE INDEX guest_uses_guest_idx ON credits.guest_uses USING btree (guest_id, used_at);
CREATE INDEX guest_uses_network_idx ON credits.guest_uses USING btree (network_id, used_at);
CREATE INDEX guest_uses_used_idx ON credits.guest_uses USING btree (used_at);
CREATE INDEX guests_first_seen_idx ON credits.guests USING btree (first_seen_at);
CREATE INDEX guests_linked_to_idx ON credits.guests USING btree (linked_to);
CREATE INDEX holds_open_idx ON credits.holds USING btree (account_id, expires_at) WHERE ((state)::text = 'open'::text);
CREATE INDEX idempotency_keys_created_idx ON credits.idempotency_keys USING btree (created_at);
CREATE INDEX identities_account_idx ON credits.identities USING btree (account_id);
CREATE INDEX lots_live_idx ON credits.lots USING btree (account_id, lot_id) WHERE live;
CREATE UNIQUE INDEX lots_order_is_granted_once ON credits.lots USING btree (account_id, order_id, source) WHERE (order_id IS NOT NULL);
CREATE INDEX modules_category_idx ON credits.modules USING btree (category_id);
CREATE INDEX modules_likeness_idx ON credits.modules USING btree (likeness);
CREATE INDEX orders_checkout_session_idx ON credits.orders USING btree (checkout_session_id) WHERE (checkout_session_id IS NOT NULL);
COMMENT ON INDEX credits.orders_checkout_session_idx IS 'Finds the order of a Checkout session.';
CREATE INDEX orders_pack_idx ON credits.orders USING btree (pack_id);
CREATE INDEX orders_payment_intent_idx ON credits.orders USING btree (payment_intent_id) WHERE (payment_intent_id IS NOT NULL);
CREATE INDEX orders_reversed_debt_idx ON credits.orders USING btree (account_id) WHERE ((reversed_debt)::numeric > (0)::numeric);
CREATE INDEX orders_without_checkout_idx ON credits.orders USING btree (created_at) WHERE ((state = 'pending'::text) AND (checkout_session_id IS NULL));
CREATE INDEX outbox_created_idx ON credits.outbox USING btree (created_at);
CREATE INDEX outbox_pending_idx ON credits.outbox USING btree (created_at) WHERE (delivered_at IS NULL);
CREATE INDEX packs_currency_idx ON credits.packs USING btree (currency);
CREATE INDEX plan_versions_currency_idx ON credits.plan_versions USING btree (currency);
CREATE INDEX plan_versions_stripe_price_idx ON credits.plan_versions USING btree (stripe_price_id) WHERE (stripe_price_id IS NOT NULL);
CREATE UNIQUE INDEX plans_one_is_free ON credits.plans USING btree (free) WHERE (free AND active);
CREATE INDEX price_components_dimension_idx ON credits.price_components USING btree (dimension);
CREATE INDEX price_list_price_idx ON credits.price_list USING btree (price_id);
CREATE INDEX prices_category_idx ON credits.prices USING btree (category_id, valid_from);
CREATE INDEX redemptions_campaign_idx ON credits.redemptions USING btree (campaign_id);
CREATE INDEX redemptions_lot_idx ON credits.redemptions USING btree (account_id, lot_id);
CREATE INDEX referrals_campaign_idx ON credits.referrals USING btree (campaign_id);
CREATE INDEX referrals_referrer_idx ON credits.referrals USING btree (referrer_id);
CREATE INDEX refund_requests_order_idx ON credits.refund_requests USING btree (account_id, order_id);
CREATE INDEX reversals_order_idx ON credits.reversals USING btree (account_id, order_id);
CREATE INDEX shortfalls_hold_idx ON credits.shortfalls USING btree (account_id, hold_id);
CREATE UNIQUE INDEX shortfalls_one_per_entry_idx ON credits.shortfalls USING btree (account_id, entry_seq);
CREATE INDEX sign_in_counts_ends_idx ON credits.sign_in_counts USING btree (window_ends);
CREATE INDEX sign_in_networks_seen_idx ON credits.sign_in_networks USING btree (seen_at);
CREATE INDEX sign_in_sessions_expires_idx ON credits.sign_in_sessions USING btree (expires_at);
CREATE INDEX sql_logins_account_idx ON credits.sql_logins USING btree (account_id);
CREATE INDEX stripe_calls_due_idx ON credits.stripe_calls USING btree (due_at) WHERE (state = 'due'::text);
CREATE UNIQUE INDEX stripe_calls_made_for_idx ON credits.stripe_calls USING btree (account_id, kind, made_for);
CREATE INDEX stripe_events_full_idx ON credits.stripe_events USING btree (received_at) WHERE (slimmed_at IS NULL);
CREATE INDEX stripe_events_names_idx ON credits.stripe_events USING gin (names) WHERE (outcome = 'waiting'::text);
CREATE INDEX stripe_events_object_idx ON credits.stripe_events USING btree (object_id);
CREATE INDEX stripe_events_waiting_idx ON credits.stripe_events USING btree (account_id, order_id) WHERE (outcome = 'waiting'::text);
CREATE INDEX stripe_mirror_events_object_idx ON credits.stripe_mirror_events USING btree (object_id);
CREATE INDEX stripe_mirror_kind_idx ON credits.stripe_mirror USING btree (kind, created_at);
CREATE INDEX stripe_mirror_order_idx ON credits.stripe_mirror USING btree (named_account, named_order) WHERE (named_order IS NOT NULL);
CREATE INDEX stripe_mirror_payment_intent_idx ON credits.stripe_mirror USING btree (payment_intent_id) WHERE (payment_intent_id IS NOT NULL);
CREATE INDEX stripe_objects_order_idx ON credits.stripe_objects USING btree (account_id, order_id);
CREATE UNIQUE INDEX subscription_invoices_order_idx ON credits.subscription_invoices USING btree (account_id, order_id);
CREATE INDEX subscription_invoices_plan_idx ON credits.subscription_invoices USING btree (plan_id, version);
CREATE INDEX subscription_invoices_subscription_idx ON credits.subscription_invoices USING btree (account_id, subscription_id, period_ends_at);
CREATE INDEX subscriptions_plan_idx ON credits.subscriptions USING btree (plan_id, version);
CREATE INDEX subscriptions_subscription_idx ON credits.subscriptions USING btree (subscription_id);
CREATE INDEX topup_attempts_consent_idx ON credits.topup_attempts USING btree (account_id, consent_id);
CREATE INDEX topup_attempts_fired_idx ON credits.topup_attempts USING btree (account_id, fired_at);
CREATE UNIQUE INDEX topup_attempts_one_in_flight ON credits.topup_attempts USING btree (account_id) WHERE (state = 'open'::text);
COMMENT ON INDEX credits.topup_attempts_one_in_flight IS 'Two spends at once begin one attempt.';
CREATE UNIQUE INDEX topup_attempts_order_idx ON credits.topup_attempts USING btree (account_id, order_id);
CREATE INDEX topup_consents_agreed_idx ON credits.topup_consents USING btree (account_id, agreed_id);
CREATE INDEX topup_consents_pack_idx ON credits.topup_consents USING btree (pack_id);
CREATE INDEX webhook_deliveries_delivered_idx ON credits.webhook_deliveries USING btree (delivered_at) WHERE (delivered_at IS NOT NULL);
CREATE INDEX webhook_deliveries_due_idx ON credits.webhook_deliveries USING btree (endpoint_id, due_at) WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_endpoint_idx ON credits.webhook_deliveries USING btree (endpoint_id, created_at);
CREATE UNIQUE INDEX webhook_secrets_one_lasts ON credits.webhook_secrets USING btree (endpoint_id) WHERE (valid_until IS NULL);
ALTER INDEX credits.entries_pkey ATTACH PARTITION credits.entries_default_pkey;
CREATE TRIGGER analyst_grants_note_the_role BEFORE INSERT OR UPDATE OF login ON credits.analyst_grants FOR EACH ROW EXECUTE FUNCTION credits.note_role();
CREATE TRIGGER entries_are_never_changed BEFORE DELETE OR UPDATE ON credits.entries FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.entries ENABLE ALWAYS TRIGGER entries_are_never_changed;
CREATE TRIGGER entries_are_never_truncated BEFORE TRUNCATE ON credits.entries FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.entries ENABLE ALWAYS TRIGGER entries_are_never_truncated;
CREATE TRIGGER entries_are_never_truncated BEFORE TRUNCATE ON credits.entries_default FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.entries_default ENABLE ALWAYS TRIGGER entries_are_never_truncated;
CREATE TRIGGER money_returns_are_never_changed BEFORE DELETE OR UPDATE ON credits.money_returns FOR EACH ROW EXECUTE FUNCTION credits.refuse_money_change();
ALTER TABLE credits.money_returns ENABLE ALWAYS TRIGGER money_returns_are_never_changed;
CREATE TRIGGER money_returns_are_never_truncated BEFORE TRUNCATE ON credits.money_returns FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_money_change();
ALTER TABLE credits.money_returns ENABLE ALWAYS TRIGGER money_returns_are_never_truncated;
CREATE TRIGGER price_components_are_listed AFTER INSERT ON credits.price_components REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION credits.follow_prices();
CREATE TRIGGER price_components_are_never_edited BEFORE DELETE OR UPDATE ON credits.price_components FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.price_components ENABLE ALWAYS TRIGGER price_components_are_never_edited;
CREATE TRIGGER price_components_are_never_truncated BEFORE TRUNCATE ON credits.price_components FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.price_components ENABLE ALWAYS TRIGGER price_components_are_never_truncated;
CREATE TRIGGER price_components_are_written_at_once BEFORE INSERT ON credits.price_components FOR EACH ROW EXECUTE FUNCTION credits.refuse_addition();
CREATE TRIGGER price_tiers_are_listed AFTER INSERT ON credits.price_tiers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION credits.follow_prices();
CREATE TRIGGER price_tiers_are_never_edited BEFORE DELETE OR UPDATE ON credits.price_tiers FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.price_tiers ENABLE ALWAYS TRIGGER price_tiers_are_never_edited;
CREATE TRIGGER price_tiers_are_never_truncated BEFORE TRUNCATE ON credits.price_tiers FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.price_tiers ENABLE ALWAYS TRIGGER price_tiers_are_never_truncated;
CREATE TRIGGER price_tiers_are_written_at_once BEFORE INSERT ON credits.price_tiers FOR EACH ROW EXECUTE FUNCTION credits.refuse_addition();
CREATE TRIGGER prices_are_listed AFTER INSERT ON credits.prices REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION credits.follow_prices();
CREATE TRIGGER prices_are_never_edited BEFORE DELETE OR UPDATE ON credits.prices FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.prices ENABLE ALWAYS TRIGGER prices_are_never_edited;
CREATE TRIGGER prices_are_never_truncated BEFORE TRUNCATE ON credits.prices FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();
ALTER TABLE credits.prices ENABLE ALWAYS TRIGGER prices_are_never_truncated;
CREATE TRIGGER sql_logins_note_the_role BEFORE INSERT OR UPDATE OF login ON credits.sql_logins FOR EACH ROW EXECUTE FUNCTION credits.note_role();
CREATE TRIGGER topup_consents_are_never_changed BEFORE DELETE OR UPDATE ON credits.topup_consents FOR EACH ROW EXECUTE FUNCTION credits.refuse_consent_change();
ALTER TABLE credits.topup_consents ENABLE ALWAYS TRIGGER topup_consents_are_never_changed;
CREATE TRIGGER topup_consents_are_never_truncated BEFORE TRUNCATE ON credits.topup_consents FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_consent_change();
ALTER TABLE credits.topup_consents ENABLE ALWAYS TRIGGER topup_consents_are_never_truncated;
CREATE TRIGGER trusted_logins_note_the_role BEFORE INSERT OR UPDATE OF login ON credits.trusted_logins FOR EACH ROW EXECUTE FUNCTION credits.note_role();
ALTER TABLE ONLY credits.account_origins
    ADD CONSTRAINT account_origins_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.api_key_changes
    ADD CONSTRAINT api_key_changes_key_fkey FOREIGN KEY (key_id) REFERENCES credits.api_keys(key_id);
ALTER TABLE ONLY credits.api_key_secrets
    ADD CONSTRAINT api_key_secrets_key_fkey FOREIGN KEY (key_id) REFERENCES credits.api_keys(key_id);
ALTER TABLE ONLY credits.api_keys
    ADD CONSTRAINT api_keys_made_with_fkey FOREIGN KEY (made_with) REFERENCES credits.api_keys(key_id);
ALTER TABLE ONLY credits.auto_topups
    ADD CONSTRAINT auto_topups_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.auto_topups
    ADD CONSTRAINT auto_topups_consent_fkey FOREIGN KEY (account_id, consent_id) REFERENCES credits.topup_consents(account_id, consent_id);
ALTER TABLE ONLY credits.auto_topups
    ADD CONSTRAINT auto_topups_pack_fkey FOREIGN KEY (pack_id) REFERENCES credits.packs(pack_id);
ALTER TABLE ONLY credits.catalogs
    ADD CONSTRAINT catalogs_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);
ALTER TABLE ONLY credits.charge_refunds
    ADD CONSTRAINT charge_refunds_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.closed_postings
    ADD CONSTRAINT closed_postings_account_fkey FOREIGN KEY (account) REFERENCES credits.finance_accounts(account);
ALTER TABLE ONLY credits.closed_postings
    ADD CONSTRAINT closed_postings_month_fkey FOREIGN KEY (month) REFERENCES credits.closed_months(month);
ALTER TABLE ONLY credits.closed_sums
    ADD CONSTRAINT closed_sums_month_fkey FOREIGN KEY (month) REFERENCES credits.closed_months(month);
ALTER TABLE ONLY credits.codes
    ADD CONSTRAINT codes_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES credits.campaigns(campaign_id);
ALTER TABLE ONLY credits.codes
    ADD CONSTRAINT codes_referrer_fkey FOREIGN KEY (referrer_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.credentials
    ADD CONSTRAINT credentials_subject_fkey FOREIGN KEY (subject) REFERENCES credits.identities(subject);
ALTER TABLE ONLY credits.dimensions
    ADD CONSTRAINT dimensions_parent_fkey FOREIGN KEY (parent) REFERENCES credits.dimensions(dimension);
ALTER TABLE ONLY credits.event_decisions
    ADD CONSTRAINT event_decisions_event_fkey FOREIGN KEY (event_id) REFERENCES credits.stripe_events(event_id);
ALTER TABLE ONLY credits.failures
    ADD CONSTRAINT failures_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.free_periods
    ADD CONSTRAINT free_periods_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.free_periods
    ADD CONSTRAINT free_periods_lot_fkey FOREIGN KEY (account_id, lot_id) REFERENCES credits.lots(account_id, lot_id);
ALTER TABLE ONLY credits.free_periods
    ADD CONSTRAINT free_periods_plan_fkey FOREIGN KEY (plan_id, version) REFERENCES credits.plan_versions(plan_id, version);
ALTER TABLE ONLY credits.guest_limits
    ADD CONSTRAINT guest_limits_catalog_fkey FOREIGN KEY (catalog_id) REFERENCES credits.catalogs(catalog_id);
ALTER TABLE ONLY credits.guest_uses
    ADD CONSTRAINT guest_uses_guest_fkey FOREIGN KEY (guest_id) REFERENCES credits.guests(guest_id);
ALTER TABLE ONLY credits.guest_uses
    ADD CONSTRAINT guest_uses_network_fkey FOREIGN KEY (network_id) REFERENCES credits.guest_networks(network_id);
ALTER TABLE ONLY credits.guests
    ADD CONSTRAINT guests_linked_to_fkey FOREIGN KEY (linked_to) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.identities
    ADD CONSTRAINT identities_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.inactive_accounts
    ADD CONSTRAINT inactive_accounts_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.lots
    ADD CONSTRAINT lots_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.lots
    ADD CONSTRAINT lots_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.modules
    ADD CONSTRAINT modules_category_fkey FOREIGN KEY (category_id) REFERENCES credits.module_categories(category_id);
ALTER TABLE ONLY credits.money_returns
    ADD CONSTRAINT money_returns_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.notice_levels
    ADD CONSTRAINT notice_levels_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.orders
    ADD CONSTRAINT orders_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.orders
    ADD CONSTRAINT orders_pack_fkey FOREIGN KEY (pack_id) REFERENCES credits.packs(pack_id);
ALTER TABLE ONLY credits.outbox
    ADD CONSTRAINT outbox_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.packs
    ADD CONSTRAINT packs_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);
ALTER TABLE ONLY credits.password_changes
    ADD CONSTRAINT password_changes_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.plan_versions
    ADD CONSTRAINT plan_versions_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);
ALTER TABLE ONLY credits.plan_versions
    ADD CONSTRAINT plan_versions_plan_fkey FOREIGN KEY (plan_id) REFERENCES credits.plans(plan_id);
ALTER TABLE ONLY credits.price_components
    ADD CONSTRAINT price_components_dimension_fkey FOREIGN KEY (dimension) REFERENCES credits.dimensions(dimension);
ALTER TABLE ONLY credits.price_components
    ADD CONSTRAINT price_components_price_fkey FOREIGN KEY (price_id) REFERENCES credits.prices(price_id);
ALTER TABLE ONLY credits.price_list
    ADD CONSTRAINT price_list_module_fkey FOREIGN KEY (module_id) REFERENCES credits.modules(module_id);
ALTER TABLE ONLY credits.price_list
    ADD CONSTRAINT price_list_price_fkey FOREIGN KEY (price_id) REFERENCES credits.prices(price_id);
ALTER TABLE ONLY credits.price_tiers
    ADD CONSTRAINT price_tiers_component_fkey FOREIGN KEY (price_id, dimension) REFERENCES credits.price_components(price_id, dimension);
ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_category_fkey FOREIGN KEY (category_id) REFERENCES credits.module_categories(category_id);
ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_module_fkey FOREIGN KEY (module_id) REFERENCES credits.modules(module_id);
ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES credits.campaigns(campaign_id);
ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_lot_fkey FOREIGN KEY (account_id, lot_id) REFERENCES credits.lots(account_id, lot_id);
ALTER TABLE ONLY credits.referrals
    ADD CONSTRAINT referrals_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.referrals
    ADD CONSTRAINT referrals_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES credits.campaigns(campaign_id);
ALTER TABLE ONLY credits.refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_fkey FOREIGN KEY (account_id, session_id) REFERENCES credits.sign_in_sessions(account_id, session_id);
ALTER TABLE ONLY credits.refund_requests
    ADD CONSTRAINT refund_requests_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.reversals
    ADD CONSTRAINT reversals_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.shortfalls
    ADD CONSTRAINT shortfalls_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.shortfalls
    ADD CONSTRAINT shortfalls_hold_fkey FOREIGN KEY (account_id, hold_id) REFERENCES credits.holds(account_id, hold_id);
ALTER TABLE ONLY credits.sign_in_networks
    ADD CONSTRAINT sign_in_networks_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.sign_in_sessions
    ADD CONSTRAINT sign_in_sessions_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.spend_limits
    ADD CONSTRAINT spend_limits_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.sql_logins
    ADD CONSTRAINT sql_logins_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.status_changes
    ADD CONSTRAINT status_changes_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.stripe_calls
    ADD CONSTRAINT stripe_calls_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.stripe_objects
    ADD CONSTRAINT stripe_objects_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.subscription_invoices
    ADD CONSTRAINT subscription_invoices_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.subscription_invoices
    ADD CONSTRAINT subscription_invoices_plan_fkey FOREIGN KEY (plan_id, version) REFERENCES credits.plan_versions(plan_id, version);
ALTER TABLE ONLY credits.subscription_invoices
    ADD CONSTRAINT subscription_invoices_subscription_fkey FOREIGN KEY (account_id, subscription_id) REFERENCES credits.subscriptions(account_id, subscription_id);
ALTER TABLE ONLY credits.subscriptions
    ADD CONSTRAINT subscriptions_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.subscriptions
    ADD CONSTRAINT subscriptions_plan_fkey FOREIGN KEY (plan_id, version) REFERENCES credits.plan_versions(plan_id, version);
ALTER TABLE ONLY credits.topup_attempts
    ADD CONSTRAINT topup_attempts_consent_fkey FOREIGN KEY (account_id, consent_id) REFERENCES credits.topup_consents(account_id, consent_id);
ALTER TABLE ONLY credits.topup_attempts
    ADD CONSTRAINT topup_attempts_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);
ALTER TABLE ONLY credits.topup_consents
    ADD CONSTRAINT topup_consents_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.topup_consents
    ADD CONSTRAINT topup_consents_pack_fkey FOREIGN KEY (pack_id) REFERENCES credits.packs(pack_id);
ALTER TABLE ONLY credits.topup_presets
    ADD CONSTRAINT topup_presets_topup_fkey FOREIGN KEY (currency) REFERENCES credits.topups(currency);
ALTER TABLE ONLY credits.topups
    ADD CONSTRAINT topups_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);
ALTER TABLE ONLY credits.wallets
    ADD CONSTRAINT wallets_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);
ALTER TABLE ONLY credits.webhook_changes
    ADD CONSTRAINT webhook_changes_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES credits.webhook_endpoints(endpoint_id);
ALTER TABLE ONLY credits.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES credits.webhook_endpoints(endpoint_id);
ALTER TABLE ONLY credits.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_notice_fkey FOREIGN KEY (account_id, notice_id) REFERENCES credits.outbox(account_id, notice_id);
ALTER TABLE ONLY credits.webhook_secrets
    ADD CONSTRAINT webhook_secrets_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES credits.webhook_endpoints(endpoint_id);
ALTER TABLE credits.account_origins ENABLE ROW LEVEL SECURITY;
CREATE POLICY accountant_reads ON credits.closed_months FOR SELECT TO accountant USING (true);
CREATE POLICY accountant_reads ON credits.closed_sums FOR SELECT TO accountant USING (true);
CREATE POLICY accountant_reads ON credits.entries FOR SELECT TO accountant USING (true);
CREATE POLICY accountant_reads ON credits.finance_accounts FOR SELECT TO accountant USING (true);
CREATE POLICY accountant_reads ON credits.lots FOR SELECT TO accountant USING (true);
CREATE POLICY accountant_reads ON credits.money_returns FOR SELECT TO accountant USING (true);
CREATE POLICY accountant_reads ON credits.orders FOR SELECT TO accountant USING (true);
ALTER TABLE credits.accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.analyst_grants ENABLE ROW LEVEL SECURITY;
CREATE POLICY analyst_reads ON credits.catalogs FOR SELECT TO analyst USING (true);
CREATE POLICY analyst_reads ON credits.dimensions FOR SELECT TO analyst USING (true);
CREATE POLICY analyst_reads ON credits.price_components FOR SELECT TO analyst USING (true);
CREATE POLICY analyst_reads ON credits.prices FOR SELECT TO analyst USING (true);
ALTER TABLE credits.api_key_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.api_key_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.audit_checkpoints ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor_reads ON credits.account_origins FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.accounts FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.analyst_grants FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.api_key_changes FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.api_key_secrets FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.api_keys FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.audit_checkpoints FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.audits FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.auto_topups FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.awaited_objects FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.campaigns FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.catalogs FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.charge_refunds FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.closed_months FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.closed_postings FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.closed_sums FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.codes FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.currencies FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.dimensions FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.entries FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.entry_kinds FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.event_decisions FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.failures FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.finance_accounts FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.free_periods FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.guest_limits FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.guest_networks FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.guest_uses FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.guests FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.holds FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.idempotency_keys FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.identities FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.inactive_accounts FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.lots FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.module_categories FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.modules FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.money_returns FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.notice_levels FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.notice_rules FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.orders FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.outbox FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.packs FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.password_changes FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.plan_versions FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.plans FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.price_components FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.price_list FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.price_tiers FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.priced_targets FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.prices FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.redemptions FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.referrals FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.refresh_tokens FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.refund_requests FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.release_objects FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.releases FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.retention_periods FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.reversals FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.settings FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.shortfalls FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.sign_in_counts FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.sign_in_networks FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.sign_in_sessions FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.spend_limits FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.sql_logins FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.status_changes FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.stripe_calls FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.stripe_cursors FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.stripe_events FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.stripe_mirror FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.stripe_mirror_events FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.stripe_objects FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.subscription_invoices FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.subscriptions FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.topup_attempts FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.topup_consents FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.topup_presets FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.topups FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.trusted_logins FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.wallets FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.webhook_changes FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.webhook_deliveries FOR SELECT TO auditor USING (true);
CREATE POLICY auditor_reads ON credits.webhook_endpoints FOR SELECT TO auditor USING (true);
ALTER TABLE credits.audits ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.auto_topups ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.awaited_objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.catalogs ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.charge_refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.closed_months ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.closed_postings ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.closed_sums ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.currencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.dimensions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.entries_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.entry_kinds ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.event_decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.finance_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY for_sale ON credits.currencies FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.module_categories FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.modules FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.packs FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.plan_versions FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.plans FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.topup_presets FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
CREATE POLICY for_sale ON credits.topups FOR SELECT TO anon, authenticated, service_role, spender, support USING (true);
ALTER TABLE credits.free_periods ENABLE ROW LEVEL SECURITY;
CREATE POLICY granted_accounts ON credits.accounts FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.entries FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.failures FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.free_periods FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.guest_uses FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (guest_id IN ( SELECT g.guest_id
   FROM credits.guests g))));
CREATE POLICY granted_accounts ON credits.guests FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (linked_to IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.holds FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.lots FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.orders FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.redemptions FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.subscription_invoices FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
CREATE POLICY granted_accounts ON credits.wallets FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));
ALTER TABLE credits.guest_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.guest_networks ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.guest_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.guests ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.inactive_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.lots ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.module_categories ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.modules ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.money_returns ENABLE ROW LEVEL SECURITY;
CREATE POLICY named_accounts ON credits.identities FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.named_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.named_accounts() a(account_id)))));
ALTER TABLE credits.notice_levels ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.notice_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credits.accounts FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.auto_topups FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.charge_refunds FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.entries FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.failures FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.free_periods FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.holds FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.identities FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.lots FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.orders FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.outbox FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.referrals FOR SELECT TO authenticated USING ((referrer_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.reversals FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.shortfalls FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.spend_limits FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.subscription_invoices FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.subscriptions FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.topup_attempts FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.topup_consents FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY own_rows ON credits.wallets FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));
CREATE POLICY owner ON credits.account_origins TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.accounts TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.analyst_grants TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.api_key_changes TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.api_key_secrets TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.api_keys TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.audit_checkpoints TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.audits TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.auto_topups TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.awaited_objects TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.campaigns TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.catalogs TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.charge_refunds TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.closed_months TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.closed_postings TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.closed_sums TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.codes TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.credentials TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.currencies TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.dimensions TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.entries TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.entries_default TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.entry_kinds TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.event_decisions TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.failures TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.finance_accounts TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.free_periods TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.guest_limits TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.guest_networks TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.guest_uses TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.guests TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.holds TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.idempotency_keys TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.identities TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.inactive_accounts TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.lots TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.module_categories TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.modules TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.money_returns TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.notice_levels TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.notice_rules TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.orders TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.outbox TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.packs TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.password_changes TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.plan_versions TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.plans TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.price_components TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.price_list TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.price_tiers TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.priced_targets TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.prices TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.redemptions TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.referrals TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.refresh_tokens TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.refund_requests TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.release_objects TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.releases TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.retention_periods TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.reversals TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.settings TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.shortfalls TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.sign_in_counts TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.sign_in_networks TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.sign_in_sessions TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.spend_limits TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.sql_logins TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.status_changes TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.stripe_calls TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.stripe_cursors TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.stripe_events TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.stripe_mirror TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.stripe_mirror_events TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.stripe_objects TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.subscription_invoices TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.subscriptions TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.topup_attempts TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.topup_consents TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.topup_presets TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.topups TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.trusted_logins TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.wallets TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.webhook_changes TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.webhook_deliveries TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.webhook_endpoints TO credits_owner USING (true) WITH CHECK (true);
CREATE POLICY owner ON credits.webhook_secrets TO credits_owner USING (true) WITH CHECK (true);
ALTER TABLE credits.packs ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.password_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.plan_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.price_components ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.price_list ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.price_tiers ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.priced_targets ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.redemptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.refund_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.release_objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.releases ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.retention_periods ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.reversals ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_reads ON credits.accounts FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.api_key_secrets FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.api_keys FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.auto_topups FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.charge_refunds FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.entries FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.failures FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.free_periods FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.holds FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.identities FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.lots FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.orders FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.outbox FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.referrals FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.refund_requests FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.releases FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.reversals FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.shortfalls FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.spend_limits FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.subscription_invoices FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.subscriptions FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.topup_attempts FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.topup_consents FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.wallets FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.webhook_deliveries FOR SELECT TO service_role USING (true);
CREATE POLICY service_reads ON credits.webhook_endpoints FOR SELECT TO service_role USING (true);
ALTER TABLE credits.settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.shortfalls ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.sign_in_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.sign_in_networks ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.sign_in_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.spend_limits ENABLE ROW LEVEL SECURITY;
CREATE POLICY spender_reads ON credits.accounts FOR SELECT TO spender USING (true);
CREATE POLICY spender_reads ON credits.holds FOR SELECT TO spender USING (true);
CREATE POLICY spender_reads ON credits.identities FOR SELECT TO spender USING (true);
CREATE POLICY spender_reads ON credits.lots FOR SELECT TO spender USING (true);
CREATE POLICY spender_reads ON credits.wallets FOR SELECT TO spender USING (true);
ALTER TABLE credits.sql_logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.status_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.stripe_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.stripe_cursors ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.stripe_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.stripe_mirror ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.stripe_mirror_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.stripe_objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.subscription_invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.subscriptions ENABLE ROW LEVEL SECURITY;
CREATE POLICY support_reads ON credits.accounts FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.auto_topups FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.charge_refunds FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.entries FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.failures FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.free_periods FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.holds FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.identities FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.lots FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.orders FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.outbox FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.referrals FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.refund_requests FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.reversals FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.shortfalls FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.spend_limits FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.stripe_events FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.stripe_objects FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.subscription_invoices FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.subscriptions FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.topup_attempts FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.topup_consents FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.wallets FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.webhook_deliveries FOR SELECT TO support USING (true);
CREATE POLICY support_reads ON credits.webhook_endpoints FOR SELECT TO support USING (true);
ALTER TABLE credits.topup_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.topup_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.topup_presets ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.topups ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.trusted_logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.wallets ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.webhook_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE credits.webhook_secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY whose_price ON credits.prices FOR SELECT TO authenticated, service_role, support USING (true);
GRANT USAGE ON SCHEMA analytics TO analyst;
GRANT USAGE ON SCHEMA analytics TO auditor;
GRANT USAGE ON SCHEMA api TO anon;
GRANT USAGE ON SCHEMA api TO authenticated;
GRANT USAGE ON SCHEMA api TO spender;
GRANT USAGE ON SCHEMA api TO support;
GRANT USAGE ON SCHEMA api TO service_role;
GRANT USAGE ON SCHEMA audit TO support;
GRANT USAGE ON SCHEMA audit TO auditor;
GRANT USAGE ON SCHEMA credits TO auditor;
GRANT USAGE ON SCHEMA credits TO pgcredits_catalog;
GRANT USAGE ON SCHEMA finance TO accountant;
GRANT USAGE ON SCHEMA finance TO auditor;
REVOKE ALL ON TYPE api.account_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.account_receipt TO authenticated;
GRANT ALL ON TYPE api.account_receipt TO spender;
GRANT ALL ON TYPE api.account_receipt TO service_role;
REVOKE ALL ON TYPE api.account_standing FROM PUBLIC;
GRANT ALL ON TYPE api.account_standing TO service_role;
REVOKE ALL ON TYPE api.acknowledgement FROM PUBLIC;
GRANT ALL ON TYPE api.acknowledgement TO service_role;
REVOKE ALL ON TYPE api.admission FROM PUBLIC;
GRANT ALL ON TYPE api.admission TO service_role;
REVOKE ALL ON TYPE api.api_key FROM PUBLIC;
GRANT ALL ON TYPE api.api_key TO service_role;
REVOKE ALL ON TYPE api.api_key_holder FROM PUBLIC;
GRANT ALL ON TYPE api.api_key_holder TO service_role;
REVOKE ALL ON TYPE api.auto_topup_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.auto_topup_receipt TO authenticated;
GRANT ALL ON TYPE api.auto_topup_receipt TO service_role;
REVOKE ALL ON TYPE api.balance_explanation FROM PUBLIC;
GRANT ALL ON TYPE api.balance_explanation TO authenticated;
GRANT ALL ON TYPE api.balance_explanation TO service_role;
REVOKE ALL ON TYPE api.batch_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.batch_receipt TO spender;
GRANT ALL ON TYPE api.batch_receipt TO service_role;
REVOKE ALL ON TYPE api.capture_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.capture_receipt TO authenticated;
GRANT ALL ON TYPE api.capture_receipt TO spender;
GRANT ALL ON TYPE api.capture_receipt TO service_role;
REVOKE ALL ON TYPE api.credential FROM PUBLIC;
GRANT ALL ON TYPE api.credential TO service_role;
REVOKE ALL ON TYPE api.entry_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.entry_receipt TO authenticated;
GRANT ALL ON TYPE api.entry_receipt TO service_role;
REVOKE ALL ON TYPE api.event_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.event_receipt TO service_role;
REVOKE ALL ON TYPE api.failure_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.failure_receipt TO spender;
GRANT ALL ON TYPE api.failure_receipt TO service_role;
REVOKE ALL ON TYPE api.free_plan_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.free_plan_receipt TO authenticated;
GRANT ALL ON TYPE api.free_plan_receipt TO service_role;
REVOKE ALL ON TYPE api.grant_reason FROM PUBLIC;
REVOKE ALL ON TYPE api.grant_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.grant_receipt TO service_role;
REVOKE ALL ON TYPE api.guest_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.guest_receipt TO service_role;
REVOKE ALL ON TYPE api.hold_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.hold_receipt TO authenticated;
GRANT ALL ON TYPE api.hold_receipt TO spender;
GRANT ALL ON TYPE api.hold_receipt TO service_role;
REVOKE ALL ON TYPE api.lot_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.lot_receipt TO service_role;
REVOKE ALL ON TYPE api.low_balance FROM PUBLIC;
GRANT ALL ON TYPE api.low_balance TO authenticated;
GRANT ALL ON TYPE api.low_balance TO service_role;
REVOKE ALL ON TYPE api.maintenance FROM PUBLIC;
GRANT ALL ON TYPE api.maintenance TO service_role;
REVOKE ALL ON TYPE api.newcomer FROM PUBLIC;
GRANT ALL ON TYPE api.newcomer TO service_role;
REVOKE ALL ON TYPE api.operating_figures FROM PUBLIC;
GRANT ALL ON TYPE api.operating_figures TO service_role;
REVOKE ALL ON TYPE api.order_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.order_receipt TO authenticated;
GRANT ALL ON TYPE api.order_receipt TO service_role;
REVOKE ALL ON TYPE api.overdraft FROM PUBLIC;
GRANT ALL ON TYPE api.overdraft TO service_role;
REVOKE ALL ON TYPE api.plan_offer FROM PUBLIC;
GRANT ALL ON TYPE api.plan_offer TO authenticated;
GRANT ALL ON TYPE api.plan_offer TO service_role;
REVOKE ALL ON TYPE api.quote FROM PUBLIC;
GRANT ALL ON TYPE api.quote TO authenticated;
GRANT ALL ON TYPE api.quote TO spender;
GRANT ALL ON TYPE api.quote TO service_role;
REVOKE ALL ON TYPE api.redemption_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.redemption_receipt TO authenticated;
GRANT ALL ON TYPE api.redemption_receipt TO service_role;
REVOKE ALL ON TYPE api.referral_offer FROM PUBLIC;
GRANT ALL ON TYPE api.referral_offer TO authenticated;
GRANT ALL ON TYPE api.referral_offer TO service_role;
REVOKE ALL ON TYPE api.refund_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.refund_receipt TO service_role;
REVOKE ALL ON TYPE api.refund_request FROM PUBLIC;
GRANT ALL ON TYPE api.refund_request TO service_role;
REVOKE ALL ON TYPE api.refusal_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.refusal_receipt TO authenticated;
GRANT ALL ON TYPE api.refusal_receipt TO spender;
GRANT ALL ON TYPE api.refusal_receipt TO service_role;
REVOKE ALL ON TYPE api.release_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.release_receipt TO authenticated;
GRANT ALL ON TYPE api.release_receipt TO spender;
GRANT ALL ON TYPE api.release_receipt TO service_role;
REVOKE ALL ON TYPE api.session FROM PUBLIC;
GRANT ALL ON TYPE api.session TO service_role;
REVOKE ALL ON TYPE api.sessions_ended FROM PUBLIC;
GRANT ALL ON TYPE api.sessions_ended TO authenticated;
GRANT ALL ON TYPE api.sessions_ended TO service_role;
REVOKE ALL ON TYPE api.shortfall_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.shortfall_receipt TO service_role;
REVOKE ALL ON TYPE api.spend_limit FROM PUBLIC;
GRANT ALL ON TYPE api.spend_limit TO authenticated;
GRANT ALL ON TYPE api.spend_limit TO service_role;
REVOKE ALL ON TYPE api.spend_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.spend_receipt TO authenticated;
GRANT ALL ON TYPE api.spend_receipt TO spender;
GRANT ALL ON TYPE api.spend_receipt TO service_role;
REVOKE ALL ON TYPE api.stripe_calls FROM PUBLIC;
GRANT ALL ON TYPE api.stripe_calls TO service_role;
REVOKE ALL ON TYPE api.stripe_customer FROM PUBLIC;
GRANT ALL ON TYPE api.stripe_customer TO authenticated;
GRANT ALL ON TYPE api.stripe_customer TO service_role;
REVOKE ALL ON TYPE api.stripe_missing FROM PUBLIC;
GRANT ALL ON TYPE api.stripe_missing TO service_role;
REVOKE ALL ON TYPE api.stripe_page FROM PUBLIC;
GRANT ALL ON TYPE api.stripe_page TO service_role;
REVOKE ALL ON TYPE api.stripe_reading FROM PUBLIC;
GRANT ALL ON TYPE api.stripe_reading TO service_role;
REVOKE ALL ON TYPE api.stripe_report FROM PUBLIC;
GRANT ALL ON TYPE api.stripe_report TO service_role;
REVOKE ALL ON TYPE api.test_clock FROM PUBLIC;
GRANT ALL ON TYPE api.test_clock TO service_role;
REVOKE ALL ON TYPE api.webhook FROM PUBLIC;
GRANT ALL ON TYPE api.webhook TO service_role;
REVOKE ALL ON TYPE api.webhook_batch FROM PUBLIC;
GRANT ALL ON TYPE api.webhook_batch TO service_role;
REVOKE ALL ON TYPE api.webhook_replay FROM PUBLIC;
GRANT ALL ON TYPE api.webhook_replay TO service_role;
REVOKE ALL ON TYPE api.webhook_result FROM PUBLIC;
GRANT ALL ON TYPE api.webhook_result TO service_role;
REVOKE ALL ON TYPE audit.balance_line FROM PUBLIC;
REVOKE ALL ON TYPE credits.account_status FROM PUBLIC;
REVOKE ALL ON TYPE credits.amount FROM PUBLIC;
REVOKE ALL ON TYPE credits.entry_kind FROM PUBLIC;
REVOKE ALL ON TYPE credits.hold_state FROM PUBLIC;
REVOKE ALL ON TYPE credits.tokens FROM PUBLIC;
REVOKE ALL ON TYPE credits.unit_cost FROM PUBLIC;
REVOKE ALL ON FUNCTION api.acknowledge_notices(notice_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.acknowledge_notices(notice_ids uuid[]) TO service_role;
REVOKE ALL ON FUNCTION api.add_package(user_id text, tokens_to_add numeric, package_name text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_package(user_id text, tokens_to_add numeric, package_name text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) TO service_role;
REVOKE ALL ON FUNCTION api.add_tokens(user_id text, tokens numeric, reason character, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_tokens(user_id text, tokens numeric, reason character, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb) TO service_role;
REVOKE ALL ON FUNCTION api.apply_stripe_event(event jsonb, payload bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION api.apply_stripe_event(event jsonb, payload bytea) TO service_role;
REVOKE ALL ON FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text, replaces_customer_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text, replaces_customer_id text) TO service_role;
REVOKE ALL ON FUNCTION api.attach_customer(account_id uuid, customer_id text, replaces_customer_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.attach_customer(account_id uuid, customer_id text, replaces_customer_id text) TO service_role;
REVOKE ALL ON FUNCTION api.begin_sign_in(email text, network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.begin_sign_in(email text, network_keys text[], shared_network boolean) TO service_role;
REVOKE ALL ON FUNCTION api.begin_sign_up(network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.begin_sign_up(network_keys text[], shared_network boolean) TO service_role;
REVOKE ALL ON FUNCTION api.cancel_order(account_id uuid, order_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_order(account_id uuid, order_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.capture_hold(hold_id text, usage jsonb, final boolean, over text, idempotency_key text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.capture_hold(hold_id text, usage jsonb, final boolean, over text, idempotency_key text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.capture_hold(hold_id text, usage jsonb, final boolean, over text, idempotency_key text, user_id text) TO spender;
GRANT ALL ON FUNCTION api.capture_hold(hold_id text, usage jsonb, final boolean, over text, idempotency_key text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.change_expiry(lot_id text, expires_at timestamp with time zone, reason text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.change_expiry(lot_id text, expires_at timestamp with time zone, reason text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.change_password(email text, password_hash text, compared_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.change_password(email text, password_hash text, compared_hash text) TO service_role;
REVOKE ALL ON FUNCTION api.claim_stripe_calls(most bigint, lease_seconds bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.claim_stripe_calls(most bigint, lease_seconds bigint) TO service_role;
REVOKE ALL ON FUNCTION api.close_shortfall(shortfall_id text, state text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.close_shortfall(shortfall_id text, state text) TO service_role;
REVOKE ALL ON FUNCTION api.confirm_guest_use(use_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.confirm_guest_use(use_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.consume_call(user_id text, module_id text, module_name text, tokens_to_consume numeric, idempotency_key text, tags jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.consume_call(user_id text, module_id text, module_name text, tokens_to_consume numeric, idempotency_key text, tags jsonb) TO authenticated;
GRANT ALL ON FUNCTION api.consume_call(user_id text, module_id text, module_name text, tokens_to_consume numeric, idempotency_key text, tags jsonb) TO spender;
GRANT ALL ON FUNCTION api.consume_call(user_id text, module_id text, module_name text, tokens_to_consume numeric, idempotency_key text, tags jsonb) TO service_role;
REVOKE ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) TO authenticated;
GRANT ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) TO spender;
GRANT ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) TO service_role;
REVOKE ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean, tags jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean, tags jsonb) TO authenticated;
GRANT ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean, tags jsonb) TO spender;
GRANT ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean, tags jsonb) TO service_role;
REVOKE ALL ON FUNCTION api.consume_tokens_batch(items jsonb, atomic boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.consume_tokens_batch(items jsonb, atomic boolean) TO spender;
GRANT ALL ON FUNCTION api.consume_tokens_batch(items jsonb, atomic boolean) TO service_role;
REVOKE ALL ON FUNCTION api.create_api_key(name text, role text, expires_at timestamp with time zone, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.create_api_key(name text, role text, expires_at timestamp with time zone, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.disable_webhook(endpoint_id uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.disable_webhook(endpoint_id uuid, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.dismiss_event(event_id text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.dismiss_event(event_id text, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.enable_webhook(endpoint_id uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.enable_webhook(endpoint_id uuid, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.end_session(account_id uuid, session_id uuid, token_hash text, everywhere boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.end_session(account_id uuid, session_id uuid, token_hash text, everywhere boolean) TO service_role;
REVOKE ALL ON FUNCTION api.end_sessions(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.end_sessions(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.end_sessions(user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.explain_balance(at timestamp with time zone, user_id text, movements bigint, before_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.explain_balance(at timestamp with time zone, user_id text, movements bigint, before_seq bigint) TO authenticated;
GRANT ALL ON FUNCTION api.explain_balance(at timestamp with time zone, user_id text, movements bigint, before_seq bigint) TO service_role;
REVOKE ALL ON FUNCTION api.extend_hold(hold_id text, ttl interval, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.extend_hold(hold_id text, ttl interval, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.extend_hold(hold_id text, ttl interval, user_id text) TO spender;
GRANT ALL ON FUNCTION api.extend_hold(hold_id text, ttl interval, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.find_credential(email text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.find_credential(email text) TO service_role;
REVOKE ALL ON FUNCTION api.finish_sign_in(email text, network_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.finish_sign_in(email text, network_keys text[]) TO service_role;
REVOKE ALL ON FUNCTION api.finish_webhook(account_id uuid, notice_id uuid, endpoint_id uuid, lease uuid, http_status bigint, trouble text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.finish_webhook(account_id uuid, notice_id uuid, endpoint_id uuid, lease uuid, http_status bigint, trouble text) TO service_role;
REVOKE ALL ON FUNCTION api.freeze_account(user_id text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.freeze_account(user_id text, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean) TO service_role;
REVOKE ALL ON FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean) TO service_role;
REVOKE ALL ON FUNCTION api.hold_tokens(module_id text, usage jsonb, ttl interval, idempotency_key text, user_id text, metadata jsonb, tags jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.hold_tokens(module_id text, usage jsonb, ttl interval, idempotency_key text, user_id text, metadata jsonb, tags jsonb) TO authenticated;
GRANT ALL ON FUNCTION api.hold_tokens(module_id text, usage jsonb, ttl interval, idempotency_key text, user_id text, metadata jsonb, tags jsonb) TO spender;
GRANT ALL ON FUNCTION api.hold_tokens(module_id text, usage jsonb, ttl interval, idempotency_key text, user_id text, metadata jsonb, tags jsonb) TO service_role;
REVOKE ALL ON FUNCTION api.lift_spend_limit(period text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.lift_spend_limit(period text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.lift_spend_limit(period text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.maintain(max_accounts bigint, max_keys bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.maintain(max_accounts bigint, max_keys bigint) TO service_role;
REVOKE ALL ON FUNCTION api.missing_from_stripe() FROM PUBLIC;
GRANT ALL ON FUNCTION api.missing_from_stripe() TO service_role;
REVOKE ALL ON FUNCTION api.note_stripe_page(list text, items jsonb, has_more boolean, after text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.note_stripe_page(list text, items jsonb, has_more boolean, after text) TO service_role;
REVOKE ALL ON FUNCTION api.offer_plan(plan_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.offer_plan(plan_id text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.offer_plan(plan_id text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[], network_keys text[], shared_network boolean, email_verified boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[], network_keys text[], shared_network boolean, email_verified boolean) TO authenticated;
GRANT ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[], network_keys text[], shared_network boolean, email_verified boolean) TO spender;
GRANT ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[], network_keys text[], shared_network boolean, email_verified boolean) TO service_role;
REVOKE ALL ON FUNCTION api.open_session(email text, password_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_session(email text, password_hash text) TO service_role;
REVOKE ALL ON FUNCTION api.operating_figures() FROM PUBLIC;
GRANT ALL ON FUNCTION api.operating_figures() TO service_role;
REVOKE ALL ON FUNCTION api.payment_customer(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.payment_customer(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.payment_customer(user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) TO spender;
GRANT ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.read_stripe_list(list text, since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION api.read_stripe_list(list text, since timestamp with time zone) TO service_role;
REVOKE ALL ON FUNCTION api.receipt(entry_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.receipt(entry_id text) TO authenticated;
GRANT ALL ON FUNCTION api.receipt(entry_id text) TO service_role;
REVOKE ALL ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.referral_code(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.referral_code(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.referral_code(user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.refresh_session(account_id uuid, session_id uuid, token_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.refresh_session(account_id uuid, session_id uuid, token_hash text) TO service_role;
REVOKE ALL ON FUNCTION api.refund_usage(entry_id text, tokens numeric, reason text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.refund_usage(entry_id text, tokens numeric, reason text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.register_webhook(url text, kinds text[], description text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.register_webhook(url text, kinds text[], description text) TO service_role;
REVOKE ALL ON FUNCTION api.release_guest_use(use_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release_guest_use(use_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.release_hold(hold_id text, reason text, idempotency_key text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release_hold(hold_id text, reason text, idempotency_key text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.release_hold(hold_id text, reason text, idempotency_key text, user_id text) TO spender;
GRANT ALL ON FUNCTION api.release_hold(hold_id text, reason text, idempotency_key text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.renew_webhook_secret(endpoint_id uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.renew_webhook_secret(endpoint_id uuid, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.replay_event(event_id text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.replay_event(event_id text, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.replay_from_stripe(event_id text, object_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.replay_from_stripe(event_id text, object_id text) TO service_role;
REVOKE ALL ON FUNCTION api.replay_webhook(endpoint_id uuid, since timestamp with time zone, reason text, delivered boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.replay_webhook(endpoint_id uuid, since timestamp with time zone, reason text, delivered boolean) TO service_role;
REVOKE ALL ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) TO spender;
GRANT ALL ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.report_refusal(module_id text, usage jsonb, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.report_refusal(module_id text, usage jsonb, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.report_refusal(module_id text, usage jsonb, user_id text) TO spender;
GRANT ALL ON FUNCTION api.report_refusal(module_id text, usage jsonb, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.report_refused_capture(hold_id text, usage jsonb, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.report_refused_capture(hold_id text, usage jsonb, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.report_refused_capture(hold_id text, usage jsonb, user_id text) TO spender;
GRANT ALL ON FUNCTION api.report_refused_capture(hold_id text, usage jsonb, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.report_stripe_call(account_id uuid, call_id uuid, lease uuid, answer jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.report_stripe_call(account_id uuid, call_id uuid, lease uuid, answer jsonb) TO service_role;
REVOKE ALL ON FUNCTION api.request_refund(user_id text, order_id uuid, tokens numeric, amount bigint, reason text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.request_refund(user_id text, order_id uuid, tokens numeric, amount bigint, reason text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.reset_low_balance(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.reset_low_balance(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.reset_low_balance(user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.resolve_api_key(key_id text, secret_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.resolve_api_key(key_id text, secret_hash text) TO service_role;
REVOKE ALL ON FUNCTION api.restore_lot(entry_id text, tokens numeric, reason text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.restore_lot(entry_id text, tokens numeric, reason text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.revoke_api_key(key_id text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.revoke_api_key(key_id text, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.rotate_api_key(key_id text, overlap interval, expires_at timestamp with time zone, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.rotate_api_key(key_id text, overlap interval, expires_at timestamp with time zone, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.set_auto_topup(threshold numeric, monthly_limit bigint, words text, pack_id text, amount bigint, payment_method_id text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_auto_topup(threshold numeric, monthly_limit bigint, words text, pack_id text, amount bigint, payment_method_id text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.set_auto_topup(threshold numeric, monthly_limit bigint, words text, pack_id text, amount bigint, payment_method_id text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.set_overdraft_limit(tokens numeric, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_overdraft_limit(tokens numeric, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.set_test_clock(user_id text, frozen_time timestamp with time zone, advance interval) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_test_clock(user_id text, frozen_time timestamp with time zone, advance interval) TO service_role;
REVOKE ALL ON FUNCTION api.sign_up(email text, password_hash text, referral_code text, device_keys text[], network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.sign_up(email text, password_hash text, referral_code text, device_keys text[], network_keys text[], shared_network boolean) TO service_role;
REVOKE ALL ON FUNCTION api.start_free_plan(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.start_free_plan(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.start_free_plan(user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.stop_auto_topup(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.stop_auto_topup(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.stop_auto_topup(user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.take_webhooks(max_messages bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.take_webhooks(max_messages bigint) TO service_role;
REVOKE ALL ON FUNCTION api.thaw_account(user_id text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.thaw_account(user_id text, reason text) TO service_role;
REVOKE ALL ON FUNCTION api.verify_email(email text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.verify_email(email text, user_id text) TO service_role;
REVOKE ALL ON FUNCTION api.void_lot(lot_id text, tokens numeric, reason text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.void_lot(lot_id text, tokens numeric, reason text, idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION audit.explain_balance(user_id text, at timestamp with time zone, movements bigint, before_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION audit.explain_balance(user_id text, at timestamp with time zone, movements bigint, before_seq bigint) TO support;
GRANT ALL ON FUNCTION audit.explain_balance(user_id text, at timestamp with time zone, movements bigint, before_seq bigint) TO auditor;
REVOKE ALL ON FUNCTION audit.receipt(entry_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION audit.receipt(entry_id text) TO support;
GRANT ALL ON FUNCTION audit.receipt(entry_id text) TO auditor;
REVOKE ALL ON FUNCTION credits.accept_stripe_accounts(p_accounts text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.accept_stripe_livemode(p_livemode boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.account_of(p_subject text, p_service_opens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.account_of_checkout(p_session jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.account_of_login() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.account_of_subscription(p_subscription_id text, p_metadata jsonb, p_customer_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.account_receipt(p_account_id uuid, p_subject text, p_opened boolean, p_welcome numeric, p_waits_for text, p_reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.actor() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.add_guest_key(p_kind text, p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.agent() FROM PUBLIC;
GRANT SELECT ON TABLE credits.orders TO authenticated;
GRANT SELECT ON TABLE credits.orders TO support;
GRANT SELECT ON TABLE credits.orders TO service_role;
GRANT SELECT ON TABLE credits.orders TO auditor;
GRANT SELECT(account_id) ON TABLE credits.orders TO analyst;
GRANT SELECT(account_id) ON TABLE credits.orders TO accountant;
GRANT SELECT(order_id) ON TABLE credits.orders TO analyst;
GRANT SELECT(order_id) ON TABLE credits.orders TO accountant;
GRANT SELECT(state) ON TABLE credits.orders TO analyst;
GRANT SELECT(pack_id) ON TABLE credits.orders TO analyst;
GRANT SELECT(package_name) ON TABLE credits.orders TO analyst;
GRANT SELECT(tokens) ON TABLE credits.orders TO analyst;
GRANT SELECT(bonus_tokens) ON TABLE credits.orders TO analyst;
GRANT SELECT(amount) ON TABLE credits.orders TO analyst;
GRANT SELECT(currency) ON TABLE credits.orders TO analyst;
GRANT SELECT(currency) ON TABLE credits.orders TO accountant;
GRANT SELECT(paid_at) ON TABLE credits.orders TO analyst;
GRANT SELECT(kind) ON TABLE credits.orders TO analyst;
GRANT SELECT(paid) ON TABLE credits.orders TO analyst;
GRANT SELECT(paid) ON TABLE credits.orders TO accountant;
GRANT SELECT(reversed) ON TABLE credits.orders TO analyst;
GRANT SELECT(reversal_pending) ON TABLE credits.orders TO analyst;
GRANT SELECT(disputed) ON TABLE credits.orders TO analyst;
REVOKE ALL ON FUNCTION credits.agree_to_topups(p_account_id uuid, p_threshold numeric, p_offer credits.orders, p_monthly_limit bigint, p_words text, p_payment_method_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.allow_test_clocks(p_allowed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.analyst_accounts() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.analyst_accounts() TO analyst;
REVOKE ALL ON FUNCTION credits.analyst_email(p_user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.analyst_email(p_user_id text) TO analyst;
REVOKE ALL ON FUNCTION credits.analyst_login_problem(p_login text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.analyst_segments() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.analyst_segments() TO analyst;
REVOKE ALL ON FUNCTION credits.analysts() FROM PUBLIC;
GRANT SELECT ON TABLE credits.entries TO authenticated;
GRANT SELECT ON TABLE credits.entries TO support;
GRANT SELECT ON TABLE credits.entries TO service_role;
GRANT SELECT ON TABLE credits.entries TO auditor;
GRANT SELECT(account_id) ON TABLE credits.entries TO analyst;
GRANT SELECT(account_id) ON TABLE credits.entries TO accountant;
GRANT SELECT(seq) ON TABLE credits.entries TO analyst;
GRANT SELECT(seq) ON TABLE credits.entries TO accountant;
GRANT SELECT(posted_at) ON TABLE credits.entries TO analyst;
GRANT SELECT(posted_at) ON TABLE credits.entries TO accountant;
GRANT SELECT(effective_at) ON TABLE credits.entries TO analyst;
GRANT SELECT(effective_at) ON TABLE credits.entries TO accountant;
GRANT SELECT(kind) ON TABLE credits.entries TO analyst;
GRANT SELECT(kind) ON TABLE credits.entries TO accountant;
GRANT SELECT(tokens) ON TABLE credits.entries TO analyst;
GRANT SELECT(tokens) ON TABLE credits.entries TO accountant;
GRANT SELECT(draws) ON TABLE credits.entries TO analyst;
GRANT SELECT(draws) ON TABLE credits.entries TO accountant;
GRANT SELECT(module_id) ON TABLE credits.entries TO analyst;
GRANT SELECT(module_id) ON TABLE credits.entries TO accountant;
GRANT SELECT(usage) ON TABLE credits.entries TO analyst;
GRANT SELECT(price_id) ON TABLE credits.entries TO analyst;
GRANT SELECT(order_id) ON TABLE credits.entries TO accountant;
GRANT SELECT(hold_id) ON TABLE credits.entries TO analyst;
GRANT SELECT(refunds_seq) ON TABLE credits.entries TO analyst;
GRANT SELECT(actor) ON TABLE credits.entries TO analyst;
GRANT SELECT(tags) ON TABLE credits.entries TO analyst;
GRANT SELECT ON TABLE credits.wallets TO authenticated;
GRANT SELECT ON TABLE credits.wallets TO support;
GRANT SELECT ON TABLE credits.wallets TO service_role;
GRANT SELECT ON TABLE credits.wallets TO spender;
GRANT SELECT ON TABLE credits.wallets TO auditor;
GRANT SELECT(account_id) ON TABLE credits.wallets TO analyst;
GRANT SELECT(head_lot) ON TABLE credits.wallets TO analyst;
GRANT SELECT(head_taken) ON TABLE credits.wallets TO analyst;
GRANT SELECT(head_reserved) ON TABLE credits.wallets TO analyst;
REVOKE ALL ON FUNCTION credits.anchor_faults(p_account_ids uuid[], p_seqs bigint[], p_hashes bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.anchor_faults(p_account_ids uuid[], p_seqs bigint[], p_hashes bytea[]) TO auditor;
REVOKE ALL ON FUNCTION credits.announce_expiries(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.announce_purge(p_account_id uuid, p_active_at timestamp with time zone, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.answer_to_keep(p_answer jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.api_key_in_use() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.api_key_receipt(p_key_id text, p_text text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.api_keys TO service_role;
GRANT SELECT ON TABLE credits.api_keys TO auditor;
REVOKE ALL ON FUNCTION credits.api_key_state(p_key credits.api_keys) FROM PUBLIC;
GRANT SELECT ON TABLE credits.stripe_events TO auditor;
GRANT SELECT(event_id) ON TABLE credits.stripe_events TO support;
GRANT SELECT(type) ON TABLE credits.stripe_events TO support;
GRANT SELECT(object_id) ON TABLE credits.stripe_events TO support;
GRANT SELECT(account_id) ON TABLE credits.stripe_events TO support;
GRANT SELECT(order_id) ON TABLE credits.stripe_events TO support;
GRANT SELECT(outcome) ON TABLE credits.stripe_events TO support;
GRANT SELECT(reason) ON TABLE credits.stripe_events TO support;
GRANT SELECT(payload) ON TABLE credits.stripe_events TO support;
GRANT SELECT(received_at) ON TABLE credits.stripe_events TO support;
GRANT SELECT(trouble) ON TABLE credits.stripe_events TO support;
REVOKE ALL ON FUNCTION credits.apply_dispute(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_event(p_event_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_family(p_family text, p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_fraud_warning(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_intent(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_invoice(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_refund(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_session(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_subscription(p_event credits.stripe_events, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_waiting(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.apply_waiting_for(p_names text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.asks_for_authentication(p_error jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.attach_at_sign_up(p_account_id uuid, p_code text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.codes TO auditor;
REVOKE ALL ON FUNCTION credits.attach_referrer(p_account_id uuid, p_code credits.codes) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.audit_changes(p_first uuid, p_last uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.audit_changes(p_first uuid, p_last uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.available(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.balance_as_json(p_account_id uuid, p_at timestamp with time zone, p_movements bigint, p_before_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.balance_at(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_item(p_item jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_metadata(p_metadata jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_tags(p_tags jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.is_tags(p_tags jsonb) TO auditor;
REVOKE ALL ON FUNCTION credits.batch_items(p_items jsonb, p_account_ids uuid[]) FROM PUBLIC;
GRANT SELECT ON TABLE credits.auto_topups TO authenticated;
GRANT SELECT ON TABLE credits.auto_topups TO support;
GRANT SELECT ON TABLE credits.auto_topups TO service_role;
GRANT SELECT ON TABLE credits.auto_topups TO auditor;
REVOKE ALL ON FUNCTION credits.begin_attempt(p_topup credits.auto_topups, p_offer credits.orders, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.begin_free_period(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.begin_periods(p_account_id uuid) FROM PUBLIC;
GRANT SELECT ON TABLE credits.lots TO authenticated;
GRANT SELECT ON TABLE credits.lots TO support;
GRANT SELECT ON TABLE credits.lots TO service_role;
GRANT SELECT ON TABLE credits.lots TO spender;
GRANT SELECT ON TABLE credits.lots TO auditor;
GRANT SELECT(account_id) ON TABLE credits.lots TO analyst;
GRANT SELECT(account_id) ON TABLE credits.lots TO accountant;
GRANT SELECT(lot_id) ON TABLE credits.lots TO analyst;
GRANT SELECT(lot_id) ON TABLE credits.lots TO accountant;
GRANT SELECT(priority) ON TABLE credits.lots TO analyst;
GRANT SELECT(source) ON TABLE credits.lots TO analyst;
GRANT SELECT(source) ON TABLE credits.lots TO accountant;
GRANT SELECT(live) ON TABLE credits.lots TO analyst;
GRANT SELECT(frozen) ON TABLE credits.lots TO analyst;
GRANT SELECT(announced) ON TABLE credits.lots TO analyst;
GRANT SELECT(effective_at) ON TABLE credits.lots TO analyst;
GRANT SELECT(expires_at) ON TABLE credits.lots TO analyst;
GRANT SELECT(granted) ON TABLE credits.lots TO analyst;
GRANT SELECT(granted) ON TABLE credits.lots TO accountant;
GRANT SELECT(remaining) ON TABLE credits.lots TO analyst;
GRANT SELECT(held) ON TABLE credits.lots TO analyst;
GRANT SELECT(scope) ON TABLE credits.lots TO analyst;
GRANT SELECT(order_id) ON TABLE credits.lots TO analyst;
GRANT SELECT(order_id) ON TABLE credits.lots TO accountant;
GRANT SELECT(package_name) ON TABLE credits.lots TO analyst;
GRANT SELECT(unit_cost) ON TABLE credits.lots TO analyst;
GRANT SELECT(unit_cost) ON TABLE credits.lots TO accountant;
GRANT SELECT(currency) ON TABLE credits.lots TO analyst;
GRANT SELECT(currency) ON TABLE credits.lots TO accountant;
GRANT SELECT(reversed) ON TABLE credits.lots TO analyst;
GRANT SELECT(withheld) ON TABLE credits.lots TO analyst;
REVOKE ALL ON FUNCTION credits.book_adjustment(p_lot credits.lots, p_tokens numeric, p_metadata jsonb, p_expires_at timestamp with time zone) FROM PUBLIC;
GRANT SELECT ON TABLE credits.campaigns TO auditor;
REVOKE ALL ON FUNCTION credits.book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.book_reversal(p_order credits.orders, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_debt numeric, p_metadata jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bound_holds(p_longest interval, p_most_open bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bound_orders(p_most_pending bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bound_stripe_delay(p_longest interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bound_unpaid(p_most bigint, p_window interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bound_wait(p_longest interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bucket(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bucket_of(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.bucket_of_event(p_event_id text, p_event jsonb) FROM PUBLIC;
GRANT SELECT ON TABLE credits.holds TO authenticated;
GRANT SELECT ON TABLE credits.holds TO support;
GRANT SELECT ON TABLE credits.holds TO service_role;
GRANT SELECT ON TABLE credits.holds TO spender;
GRANT SELECT ON TABLE credits.holds TO auditor;
GRANT SELECT(account_id) ON TABLE credits.holds TO analyst;
GRANT SELECT(hold_id) ON TABLE credits.holds TO analyst;
GRANT SELECT(state) ON TABLE credits.holds TO analyst;
GRANT SELECT(module_id) ON TABLE credits.holds TO analyst;
GRANT SELECT(seqs) ON TABLE credits.holds TO analyst;
GRANT SELECT(late) ON TABLE credits.holds TO analyst;
GRANT SELECT(failed) ON TABLE credits.holds TO analyst;
GRANT SELECT(by_service) ON TABLE credits.holds TO analyst;
GRANT SELECT(actor) ON TABLE credits.holds TO analyst;
GRANT SELECT(created_at) ON TABLE credits.holds TO analyst;
GRANT SELECT(expires_at) ON TABLE credits.holds TO analyst;
GRANT SELECT(finished_at) ON TABLE credits.holds TO analyst;
REVOKE ALL ON FUNCTION credits.calculation(p_entry credits.entries, p_hold credits.holds, p_debt numeric, OUT parts jsonb, OUT calculation jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.call_backoff(p_tries bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.call_cost(p_price_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.call_cost(p_price_id bigint) TO auditor;
REVOKE ALL ON FUNCTION credits.call_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.call_faults() TO auditor;
GRANT SELECT ON TABLE credits.stripe_calls TO auditor;
REVOKE ALL ON FUNCTION credits.call_is_old(p_call credits.stripe_calls, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.caller_subject(p_user_id text, p_role text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.campaign_room(p_campaign credits.campaigns, p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.cancel_untried(p_account_id uuid, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.canonical(p_arguments jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.capital_letters(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.capture_again(p_hold credits.holds, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.capture_options(p_usage jsonb, p_final boolean, p_over text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.capture_receipt(p_hold credits.holds, p_entry credits.entries, p_final boolean, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.catch_up(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) TO auditor;
REVOKE ALL ON FUNCTION credits.chain_faults(p_first uuid, p_last uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.chain_faults(p_first uuid, p_last uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.change_faults(p_first uuid, p_last uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.change_faults(p_first uuid, p_last uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.change_guest_key(p_kind text, p_id uuid, p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.change_key_expiry(p_key credits.api_keys, p_expires_at timestamp with time zone, p_user credits.api_keys) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.change_status(p_user_id text, p_status text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.charge_answered(p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.charge_durations() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.charge_durations() TO analyst;
GRANT ALL ON FUNCTION credits.charge_durations() TO auditor;
REVOKE ALL ON FUNCTION credits.charge_hold(p_wallet credits.wallets, p_hold credits.holds, p_cost numeric, p_usage jsonb, p_own numeric, p_released numeric, p_final boolean, p_over text, p_at timestamp with time zone, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.charge_problem(p_amount bigint, p_currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.charge_problem(p_amount bigint, p_currency text) TO auditor;
REVOKE ALL ON FUNCTION credits.check_amount(p_amount numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_capture(p_hold credits.holds, p_cost numeric, p_usage jsonb, p_final boolean, p_status text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_capture_arguments(p_usage jsonb, p_final boolean, p_over text, p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_charge(p_amount bigint, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_components(p_name text, p_components jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_currency(p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_decision(p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_event(p_event_id text, p_event jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_expiry(p_expires_at timestamp with time zone, p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_explanation(p_at timestamp with time zone, p_movements bigint, p_before_seq bigint, p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_free_part(p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_free_use(p_price_id bigint, p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_given_reason(p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_guest_keys(p_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_hold(p_account_id uuid, p_price_id bigint, p_cost numeric, p_service boolean, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_hold_arguments(p_usage jsonb, p_ttl interval, p_metadata jsonb, p_key text, p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_item(p_item jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_key(p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_key_expiry(p_expires_at timestamp with time zone, p_makers credits.api_keys[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_line(p_name text, p_title text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_metadata(p_metadata jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_named_price(p_cost numeric, p_named numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_parent(p_dimension text, p_parent text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_password_hash(p_password_hash text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_period(p_period text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.plan_versions TO anon;
GRANT SELECT ON TABLE credits.plan_versions TO authenticated;
GRANT SELECT ON TABLE credits.plan_versions TO spender;
GRANT SELECT ON TABLE credits.plan_versions TO support;
GRANT SELECT ON TABLE credits.plan_versions TO service_role;
GRANT SELECT ON TABLE credits.plan_versions TO auditor;
REVOKE ALL ON FUNCTION credits.check_plan(p_terms credits.plan_versions, p_active boolean) FROM PUBLIC;
GRANT SELECT ON TABLE credits.prices TO auditor;
GRANT SELECT(price_id) ON TABLE credits.prices TO authenticated;
GRANT SELECT(price_id) ON TABLE credits.prices TO support;
GRANT SELECT(price_id) ON TABLE credits.prices TO service_role;
GRANT SELECT(price_id) ON TABLE credits.prices TO analyst;
GRANT SELECT(module_id) ON TABLE credits.prices TO authenticated;
GRANT SELECT(module_id) ON TABLE credits.prices TO support;
GRANT SELECT(module_id) ON TABLE credits.prices TO service_role;
GRANT SELECT(category_id) ON TABLE credits.prices TO authenticated;
GRANT SELECT(category_id) ON TABLE credits.prices TO support;
GRANT SELECT(category_id) ON TABLE credits.prices TO service_role;
GRANT SELECT(exchange_rate) ON TABLE credits.prices TO analyst;
REVOKE ALL ON FUNCTION credits.check_price(p_name text, p_price credits.prices) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_reason(p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_refund(p_order credits.orders, p_tokens numeric, p_amount bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_scope(p_scope text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_spend(p_usage jsonb, p_metadata jsonb, p_byok boolean, p_key text, p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_stripe_prices() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.check_stripe_prices() TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.check_tags(p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_ttl(p_ttl interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_usage_size(p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.check_webhook(p_url text, p_kinds text[], p_description text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkpoint_faults(p_first uuid, p_last uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.checkpoint_faults(p_first uuid, p_last uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.choose_head(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.claim_analyst(p_login text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.idempotency_keys TO auditor;
REVOKE ALL ON FUNCTION credits.claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_entry_seq bigint, p_made_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.claim_refund(p_charge credits.entries, p_named numeric, p_seq bigint, OUT refunded numeric, OUT tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.claims_of_trusted_login() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.clock() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.clock() TO authenticated;
GRANT ALL ON FUNCTION credits.clock() TO spender;
GRANT ALL ON FUNCTION credits.clock() TO support;
GRANT ALL ON FUNCTION credits.clock() TO service_role;
GRANT ALL ON FUNCTION credits.clock() TO analyst;
GRANT ALL ON FUNCTION credits.clock() TO accountant;
GRANT ALL ON FUNCTION credits.clock() TO auditor;
REVOKE ALL ON FUNCTION credits.clock(p_account_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.clock(p_account_id uuid) TO authenticated;
GRANT ALL ON FUNCTION credits.clock(p_account_id uuid) TO support;
GRANT ALL ON FUNCTION credits.clock(p_account_id uuid) TO service_role;
GRANT ALL ON FUNCTION credits.clock(p_account_id uuid) TO spender;
GRANT ALL ON FUNCTION credits.clock(p_account_id uuid) TO analyst;
GRANT ALL ON FUNCTION credits.clock(p_account_id uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.close_head(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.columns_digest() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.columns_digest() TO service_role;
REVOKE ALL ON FUNCTION credits.components_as_json(p_price_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.configured_stripe_price(p_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.confirmation_answered(p_call credits.stripe_calls, p_verdict text, p_answer jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.cooldown(p_failures bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.cost_of(p_price_id bigint, p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.count_attempt(p_scope text, p_limit bigint, p_window interval, p_slug text, OUT attempts bigint, OUT reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.count_unpaid(p_account_id uuid, p_at timestamp with time zone, p_uses bigint, p_holds bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.counted_in(p_price_id bigint, p_dimension text, p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_or_null(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT price_source text, OUT cost numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.priced_items(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.counted_items(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credential_of(p_email text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credits_of_period(p_account_id uuid, p_subscription_id text, p_ends_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.database_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.database_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.decline_reason(p_error jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.default_least() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.default_least() TO auditor;
REVOKE ALL ON FUNCTION credits.default_priority(p_source credits.entry_kind) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_campaign_bounds(p_campaign_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_campaign_bounds(p_campaign_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_category(p_category_id text, p_title text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_category(p_category_id text, p_title text) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_code(p_code text, p_campaign_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_code(p_code text, p_campaign_id text) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_dimension(p_dimension text, p_description text, p_parent text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_dimension(p_dimension text, p_description text, p_parent text) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_imported_price(p_origin text, p_module_id text, p_title text, p_components jsonb, p_margin numeric, p_exchange_rate numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_imported_price(p_origin text, p_module_id text, p_title text, p_components jsonb, p_margin numeric, p_exchange_rate numeric) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text, p_active boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text, p_active boolean) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_plan(p_plan_id text, p_title text, p_allowance numeric, p_amount bigint, p_currency text, p_interval text, p_interval_count bigint, p_rollover_cap numeric, p_rollover_percent numeric, p_rollover_expires_after interval, p_priority bigint, p_rollover_priority bigint, p_trial_days bigint, p_trial_allowance numeric, p_scope text, p_popular boolean, p_position bigint, p_stripe_price_id text, p_active boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_plan(p_plan_id text, p_title text, p_allowance numeric, p_amount bigint, p_currency text, p_interval text, p_interval_count bigint, p_rollover_cap numeric, p_rollover_percent numeric, p_rollover_expires_after interval, p_priority bigint, p_rollover_priority bigint, p_trial_days bigint, p_trial_allowance numeric, p_scope text, p_popular boolean, p_position bigint, p_stripe_price_id text, p_active boolean) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_purge(p_after interval, p_ahead interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_purge(p_after interval, p_ahead interval) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_retention(p_kind text, p_keep_for interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_retention(p_kind text, p_keep_for interval) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean) TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.dispute_movements(p_event credits.stripe_events, OUT withdrawals bigint, OUT reinstatements bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.distrust_claims(p_login name) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, p_hold boolean, OUT draws jsonb, OUT missing numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.draw_of(p_lot_id bigint, p_tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.drawn_lots(p_entry credits.entries) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.drop_request(p_account_id uuid, p_request_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.earlier(p_at timestamp with time zone, p_before interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.earlier(p_at timestamp with time zone, p_before interval) TO analyst;
GRANT ALL ON FUNCTION credits.earlier(p_at timestamp with time zone, p_before interval) TO auditor;
REVOKE ALL ON FUNCTION credits.email_key(p_email text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.topup_attempts TO authenticated;
GRANT SELECT ON TABLE credits.topup_attempts TO support;
GRANT SELECT ON TABLE credits.topup_attempts TO service_role;
GRANT SELECT ON TABLE credits.topup_attempts TO auditor;
REVOKE ALL ON FUNCTION credits.end_attempt(p_attempt credits.topup_attempts, p_state text, p_reason text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.end_session_order(p_order credits.orders, p_event credits.stripe_events, p_own boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.end_sessions_of(p_account_id uuid, p_ended_by text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.end_stale_calls(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.ensure_partitions(p_months integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.enter(p_subject text, OUT account_id uuid, OUT opened boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.enter_api_key(p_key credits.api_keys, p_arguments jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.entry_hash(p_previous bytea, p_entry credits.entries) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.entry_hash(p_previous bytea, p_entry credits.entries) TO auditor;
REVOKE ALL ON FUNCTION credits.entry_lines(p_account_id uuid, p_line text, p_first bigint, p_last bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.entry_receipt(p_entry credits.entries) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.event_id(p_event jsonb, p_original bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.event_names(p_event jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.event_of_object(p_object_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.event_time(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.expire_holds(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.expire_lots(p_account_id uuid, p_since timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.expire_old_orders(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.expire_orders(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.explained_balance(p_account_id uuid, p_at timestamp with time zone, p_movements bigint, p_before_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fail(p_status integer, p_slug text, p_message text, p_facts json) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fail_intent(p_order credits.orders, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.family_of(p_type text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fan_out(p_account_id uuid, p_notice_id uuid, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_api_key(p_key_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_code(p_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_entry(p_entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_hold(p_hold_id text, p_user_id text, OUT account_id uuid, OUT hold_id uuid, OUT user_id text, OUT service boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_intent(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_invoice(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_list(p_list text, OUT list text, OUT path text, OUT kind text, OUT changes_for interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_lot(p_lot_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_order(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_payment(p_names text[], OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_price(p_module_id text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_session(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
GRANT SELECT ON TABLE credits.sign_in_sessions TO auditor;
REVOKE ALL ON FUNCTION credits.find_session(p_account_id uuid, p_session_id uuid, p_token_hash text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_subject(p_family text, p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.find_subscription(p_event credits.stripe_events, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
GRANT SELECT ON TABLE credits.webhook_endpoints TO support;
GRANT SELECT ON TABLE credits.webhook_endpoints TO service_role;
GRANT SELECT ON TABLE credits.webhook_endpoints TO auditor;
REVOKE ALL ON FUNCTION credits.find_webhook(p_endpoint_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fingerprint(p_arguments jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.finish_guest_use(p_use_id uuid, p_state text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.finish_taking(p_account_id uuid, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.finish_unholding(p_account_id uuid, p_before numeric, p_after numeric, p_freed jsonb, p_at timestamp with time zone, p_entry_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fire_topup(p_account_id uuid, p_before numeric, p_after numeric, p_at timestamp with time zone, p_entry_seq bigint, p_hold_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fold_head(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.follow_prices() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_attempts(p_max bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_deliveries(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_guests(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_keys(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_notices(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_origins(p_max bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.forget_sessions(p_max bigint) FROM PUBLIC;
GRANT SELECT ON TABLE credits.current_lots TO authenticated;
GRANT SELECT ON TABLE credits.current_lots TO support;
GRANT SELECT ON TABLE credits.current_lots TO service_role;
GRANT SELECT ON TABLE credits.current_lots TO spender;
GRANT SELECT ON TABLE credits.current_lots TO auditor;
GRANT SELECT ON TABLE credits.current_lots TO analyst;
REVOKE ALL ON FUNCTION credits.free_lots(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.free_lots(p_account_id uuid, p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.free_tokens(p_account_id uuid, p_scopes text[], p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.freeze_on_fraud_warnings(p_freeze boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.fulfil_order(p_order credits.orders, p_objects text[], p_paid bigint, p_discount numeric, p_succeeded_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.functions_digest() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.functions_digest() TO service_role;
REVOKE ALL ON FUNCTION credits.give_back(p_order credits.orders, p_draws jsonb, p_debt numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.gone_from(p_account_id uuid, p_lot_ids bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.grant_allowance(p_order credits.orders, p_discount numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.grant_analyst(p_login text, p_segments text[], p_personal_data boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.grant_campaign(p_account_id uuid, p_campaign_id text, p_code text, OUT verdict text, OUT lot_id bigint, OUT reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.grant_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.grant_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text, p_priority bigint, p_scope text, p_expires_at timestamp with time zone, p_unit_cost numeric, p_currency text, p_order_id uuid, p_campaign_id text, p_metadata jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.grant_period(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.has_lapsed(p_order credits.orders) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.has_moved_on(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.has_paid_plan(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.has_test_purchases_only() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.read_header_key(p_function text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.header_key(p_function text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) TO support;
GRANT ALL ON FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) TO service_role;
GRANT ALL ON FUNCTION credits.held_at(p_account_id uuid, p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.held_line(p_hold credits.holds, p_held numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.held_lines(p_account_id uuid, p_at timestamp with time zone, p_seq bigint, p_now boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.hold_again(p_account_id uuid, p_module_id text, p_usage jsonb, p_ttl numeric, p_key text, p_user_id text, p_metadata jsonb, p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.hold_as_json(p_hold credits.holds, p_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.in_default(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.intent_problem(p_order credits.orders, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.interval_text(p_interval interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.interval_text(p_interval interval) TO anon;
GRANT ALL ON FUNCTION credits.interval_text(p_interval interval) TO authenticated;
GRANT ALL ON FUNCTION credits.interval_text(p_interval interval) TO spender;
GRANT ALL ON FUNCTION credits.interval_text(p_interval interval) TO support;
GRANT ALL ON FUNCTION credits.interval_text(p_interval interval) TO service_role;
GRANT ALL ON FUNCTION credits.interval_text(p_interval interval) TO auditor;
REVOKE ALL ON FUNCTION credits.invoice_lines(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_period(p_invoice jsonb, OUT plan_id text, OUT version bigint, OUT quantity bigint, OUT starts_at timestamp with time zone, OUT ends_at timestamp with time zone, OUT tokens numeric, OUT amount numeric, OUT discount numeric, OUT credited numeric, OUT credited_from timestamp with time zone, OUT credited_until timestamp with time zone, OUT cancelled_id text, OUT problem text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_problem(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_subscription(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_tax(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_disputed(p_account_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.is_disputed(p_account_id uuid) TO authenticated;
GRANT ALL ON FUNCTION credits.is_disputed(p_account_id uuid) TO support;
GRANT ALL ON FUNCTION credits.is_disputed(p_account_id uuid) TO service_role;
REVOKE ALL ON FUNCTION credits.is_for_period(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_in_head(p_draws jsonb, p_head_lot bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_label(p_text text, p_longest bigint, p_lines boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.is_label(p_text text, p_longest bigint, p_lines boolean) TO auditor;
REVOKE ALL ON FUNCTION credits.is_misspelled(p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_name(p_text text, p_longest bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.is_name(p_text text, p_longest bigint) TO auditor;
REVOKE ALL ON FUNCTION credits.is_on_sale(p_order credits.orders) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_other_invoice(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_policy_of_ours(p_name text, p_roles text[], p_only_reads boolean, p_reads text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.is_policy_of_ours(p_name text, p_roles text[], p_only_reads boolean, p_reads text) TO auditor;
REVOKE ALL ON FUNCTION credits.is_ready(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_sane_time(p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_second_trial(p_event credits.stripe_events, p_amount numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_service() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_spender() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_trusted_login() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_well_written(p_word text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.is_without_order(p_family text, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_consents_few(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_holds_few(p_account_id uuid, p_by_service boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone, p_unwritten numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_orders_few(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_partitions() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_unpaid_few(p_account_id uuid, p_at timestamp with time zone, p_holds boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.keep_unpaid_orders_few(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.kept_before(p_hold credits.holds, p_seq bigint, p_late boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.kept_price(p_module_id text, p_price_id bigint, p_origin text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.kept_since(p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.last_active(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.last_moment(p_hold credits.holds) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.late_entries(p_account_id uuid, p_seq bigint, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) TO authenticated;
GRANT ALL ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) TO support;
GRANT ALL ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) TO service_role;
GRANT ALL ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) TO accountant;
GRANT ALL ON FUNCTION credits.later(p_at timestamp with time zone, p_after interval) TO auditor;
REVOKE ALL ON FUNCTION credits.least_charge() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.least_charge() TO auditor;
REVOKE ALL ON FUNCTION credits.least_cost(p_price_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.least_cost(p_price_id bigint) TO auditor;
REVOKE ALL ON FUNCTION credits.let_go(p_hold credits.holds, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.letter_cases(OUT capitals text, OUT small text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.likeness(p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.limit_sign_ins(p_per_pair bigint, p_per_account bigint, p_per_network bigint, p_sign_ups bigint, p_window interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.line_as_json(p_line audit.balance_line) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.linear_price(p_price_id bigint, OUT dimension text, OUT numerator numeric, OUT denominator numeric, OUT whole_quantity boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.linear_price(p_price_id bigint, OUT dimension text, OUT numerator numeric, OUT denominator numeric, OUT whole_quantity boolean) TO auditor;
REVOKE ALL ON FUNCTION credits.link_entry(p_hash bytea, p_first bytea, p_entry credits.entries) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.link_guest(p_account_id uuid, p_device_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.list_prices(p_module_ids text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_api_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_campaigns(p_campaign_ids text[]) FROM PUBLIC;
GRANT SELECT ON TABLE credits.stripe_cursors TO auditor;
REVOKE ALL ON FUNCTION credits.lock_cursor(p_list text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_event(p_event_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_guest(p_kind text, p_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_guest_keys(p_kind text, p_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_hold(p_account_id uuid, p_hold_id uuid, p_service boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_identity(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_lot(p_lot credits.lots) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_objects(p_object_ids text[], p_longest interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_those_free(p_account_ids uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_to_spend(p_account_ids uuid[], p_wait interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_wallet(p_account_id uuid, OUT seq bigint, OUT balance numeric, OUT status text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_wallets(p_account_ids uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lock_with_referrer(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.logins() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.logins() TO auditor;
REVOKE ALL ON FUNCTION credits.lot_lines(p_account_id uuid, p_at timestamp with time zone, p_seq bigint, p_newest bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lot_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.lot_worth(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.lot_worth(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric) TO accountant;
GRANT ALL ON FUNCTION credits.lot_worth(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric) TO auditor;
REVOKE ALL ON FUNCTION credits.worth_of(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric, p_tokens numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.worth_of(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric, p_tokens numeric) TO accountant;
GRANT ALL ON FUNCTION credits.worth_of(p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric, p_tokens numeric) TO auditor;
GRANT SELECT ON TABLE credits.closed_months TO accountant;
GRANT SELECT ON TABLE credits.closed_months TO auditor;
GRANT SELECT ON TABLE credits.money_returns TO accountant;
GRANT SELECT ON TABLE credits.money_returns TO auditor;
GRANT SELECT ON TABLE credits.lot_moves TO accountant;
GRANT SELECT ON TABLE credits.lot_moves TO auditor;
REVOKE ALL ON FUNCTION credits.lot_sums(p_unit text, p_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.lot_sums(p_unit text, p_until timestamp with time zone) TO accountant;
GRANT ALL ON FUNCTION credits.lot_sums(p_unit text, p_until timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.made_with_key(p_key_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.make_api_key_secret(p_key_id text, p_overlap interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.make_due() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.make_refresh_token(p_session credits.sign_in_sessions) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.make_unpaid(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.make_webhook_secret(p_endpoint_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.mark_verified(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.match_request(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.may_be_kept(p_name text, p_value jsonb, p_parent text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.may_be_welcomed(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.me() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.me() TO authenticated;
GRANT ALL ON FUNCTION credits.me() TO support;
GRANT ALL ON FUNCTION credits.me() TO service_role;
GRANT ALL ON FUNCTION credits.me() TO spender;
REVOKE ALL ON FUNCTION credits.meet_payment(p_family text, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.member_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.member_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.member_grants() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.member_grants() TO auditor;
REVOKE ALL ON FUNCTION credits.member_reach() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.member_reach() TO auditor;
GRANT SELECT ON TABLE credits.stripe_mirror TO auditor;
REVOKE ALL ON FUNCTION credits.mirror_object(p_object jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.mixes_letters(p_module_id text, p_likeness text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.module_price(p_module_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO anon;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO authenticated;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO spender;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO support;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO service_role;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO auditor;
REVOKE ALL ON FUNCTION credits.money(p_amount bigint, p_currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.money(p_amount bigint, p_currency text) TO auditor;
REVOKE ALL ON FUNCTION credits.money_back(p_order credits.orders, OUT back bigint, OUT pending bigint, OUT disputed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.money_problem(p_session jsonb, p_amount bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.movement_text(p_entry credits.entries) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.name_account(p_account text, p_number text, p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.name_subject(p_family text, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.named_accounts() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.named_accounts() TO analyst;
REVOKE ALL ON FUNCTION credits.named_order(p_object jsonb, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.named_segments() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.named_segments() TO analyst;
REVOKE ALL ON FUNCTION credits.net_price(p_order credits.orders) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.new_account_id(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.new_entries(p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_hash bytea, p_balance numeric, p_debt numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.new_entries(p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_hash bytea, p_balance numeric, p_debt numeric) TO auditor;
REVOKE ALL ON FUNCTION credits.new_referral_code(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.next_entry(p_wallet credits.wallets, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.next_level(p_account_id uuid, p_available numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.next_level(p_account_id uuid, p_available numeric) TO auditor;
REVOKE ALL ON FUNCTION credits.next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO support;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO service_role;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) TO support;
GRANT ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) TO service_role;
REVOKE ALL ON FUNCTION credits.next_purge(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.normal_code(p_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.normal_domain(p_domain text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.normal_email(p_email text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.normal_label(p_label text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.normal_local_part(p_local text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_api_key(p_key_id text, p_change text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_audit(p_checks bigint, p_findings bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.note_audit(p_checks bigint, p_findings bigint) TO auditor;
REVOKE ALL ON FUNCTION credits.note_basis(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_card(p_account_id uuid, p_consent_id uuid, p_customer_id text, p_payment_method_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_change(p_endpoint_id uuid, p_change text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_customer(p_account_id uuid, p_customer_id text, p_replaces text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_decision(p_event_id text, p_decision text, p_reason text, p_outcome text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.webhook_deliveries TO support;
GRANT SELECT ON TABLE credits.webhook_deliveries TO service_role;
GRANT SELECT ON TABLE credits.webhook_deliveries TO auditor;
REVOKE ALL ON FUNCTION credits.note_delivered(p_delivery credits.webhook_deliveries, p_status bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_failed(p_delivery credits.webhook_deliveries, p_status bigint, p_trouble text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_failed_payment(p_order credits.orders, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_invoice(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_later_success(p_order credits.orders, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_mirror_events(p_events jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_mirror_objects(p_objects jsonb, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_money(p_order credits.orders, p_back bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_origin(p_account_id uuid, p_device_keys text[], p_network_keys text[], p_shared_network boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_payment(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_priced(p_name text, p_from_now boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_reversal(p_event credits.stripe_events, p_reversal_id text, p_kind text, p_amount bigint, p_status text, p_withdrawals bigint, p_reinstatements bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.note_role() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) TO auditor;
REVOKE ALL ON FUNCTION credits.open_account(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.order_as_json(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.order_of_invoice(p_invoice_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.order_of_session(p_session jsonb, OUT account_id uuid, OUT order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.own_grant(p_lot credits.lots) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.ownership_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.ownership_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.pack_order(p_pack_id text, p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.park_intent(p_order credits.orders, p_event credits.stripe_events, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.park_session(p_order credits.orders, p_event credits.stripe_events, p_own boolean, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.parked_or_duplicate(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.parts_to_return(p_draws jsonb, p_charged numeric, p_before numeric, p_tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.passes_for_latin(p_word text, p_capitals boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.pause_topup(p_account_id uuid, p_reason text, p_attempt_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.pay_beyond_hold(p_hold credits.holds, p_cost numeric, p_own numeric, p_over text, p_entry_seq bigint, p_at timestamp with time zone, OUT draws jsonb, OUT debt numeric, OUT shortfall numeric) FROM PUBLIC;
GRANT SELECT ON TABLE credits.subscription_invoices TO authenticated;
GRANT SELECT ON TABLE credits.subscription_invoices TO support;
GRANT SELECT ON TABLE credits.subscription_invoices TO service_role;
GRANT SELECT ON TABLE credits.subscription_invoices TO auditor;
GRANT SELECT(account_id) ON TABLE credits.subscription_invoices TO analyst;
GRANT SELECT(order_id) ON TABLE credits.subscription_invoices TO analyst;
GRANT SELECT(plan_id) ON TABLE credits.subscription_invoices TO analyst;
REVOKE ALL ON FUNCTION credits.pay_invoice(p_event credits.stripe_events, p_known credits.subscription_invoices, OUT outcome text, OUT reason text, OUT entry_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_mismatch(p_order credits.orders, p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_names(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_page(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.pays_for_something(p_account_id uuid, p_available numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.period_at(p_anchor_at timestamp with time zone, p_unit text, p_count bigint, p_at timestamp with time zone, OUT starts_at timestamp with time zone, OUT ends_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.period_problem(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_or_call(p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plain_charges(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plain_text(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plan_lines(p_invoice jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plan_of_metadata(p_metadata jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plan_of_price(p_price_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plan_reversal(p_order credits.orders, p_back bigint, OUT takes jsonb, OUT gives jsonb, OUT debt numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.plan_terms(p_plan_id text) FROM PUBLIC;
GRANT SELECT ON TABLE credits.money_with_tax TO accountant;
GRANT SELECT ON TABLE credits.money_with_tax TO auditor;
REVOKE ALL ON FUNCTION credits.postings(p_unit text, p_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.postings(p_unit text, p_until timestamp with time zone) TO accountant;
GRANT ALL ON FUNCTION credits.postings(p_unit text, p_until timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.power_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.power_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.price_overlap(p_name text, p_line credits.prices, p_current credits.prices, p_named credits.prices, p_same boolean, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_part(p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamp with time zone, OUT cost numeric, OUT usage jsonb, OUT own numeric, OUT released numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_parts(p_price_id bigint, p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_source(p_price credits.prices) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.price_source(p_price credits.prices) TO auditor;
REVOKE ALL ON FUNCTION credits.price_to_replace(p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, p_price_id bigint, OUT price_id bigint, OUT usage jsonb, OUT cost numeric, OUT price_source text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.punycode_adapt(p_delta bigint, p_points bigint, p_first boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.punycode_decode(p_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.punycode_encode(p_label text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.purge_inactive(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.put_call(p_account_id uuid, p_kind text, p_made_for uuid, p_params jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.put_for_products(p_account_id uuid, p_kind text, p_facts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.put_lot(p_lot credits.lots, p_campaign_id text, p_metadata jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.put_price(p_line credits.prices, p_components jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.put_refund_request(p_order credits.orders, p_request_id uuid, p_amount bigint, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.quantity(quantity jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.quantity(quantity jsonb) TO authenticated;
GRANT ALL ON FUNCTION credits.quantity(quantity jsonb) TO support;
GRANT ALL ON FUNCTION credits.quantity(quantity jsonb) TO service_role;
REVOKE ALL ON FUNCTION credits.rated_usage(p_price_id bigint, p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.rates(p_components jsonb, p_margin numeric, p_exchange_rate numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.rates_of(p_price_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.read_answer(p_answer jsonb, OUT verdict text, OUT reason text, OUT must_look_up boolean, OUT wait interval) FROM PUBLIC;
GRANT SELECT ON TABLE credits.subscriptions TO authenticated;
GRANT SELECT ON TABLE credits.subscriptions TO support;
GRANT SELECT ON TABLE credits.subscriptions TO service_role;
GRANT SELECT ON TABLE credits.subscriptions TO auditor;
REVOKE ALL ON FUNCTION credits.read_subscription(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.reader_subject(p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_answered(p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_needs(p_order credits.orders, p_amount bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_request_receipt(p_account_id uuid, p_request_id uuid, p_user_id text, p_replayed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refundable(p_order credits.orders) FROM PUBLIC;
GRANT SELECT ON TABLE credits.charge_refunds TO authenticated;
GRANT SELECT ON TABLE credits.charge_refunds TO support;
GRANT SELECT ON TABLE credits.charge_refunds TO service_role;
GRANT SELECT ON TABLE credits.charge_refunds TO auditor;
REVOKE ALL ON FUNCTION credits.refunded_of(p_account_id uuid, p_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refunds_as_json(p_account_id uuid, p_seqs bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_addition() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_busy(p_what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_byok() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_caller(p_subject text, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_closed(p_state text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_closed_key(p_key credits.api_keys) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_code(p_verdict text, p_reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_consent_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_guest(p_limit bigint, p_reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_hold(p_by_service boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_key() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_line(p_what text, p_name text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_module(p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_money_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_newcomer(p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_own_hold(p_state text, p_status text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_status(p_status text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_tokens(p_balance numeric, p_debt numeric, p_price_id bigint, p_cost numeric, p_missing numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_unknown_user() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_unpaid(p_most bigint, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refuse_usage(p_price_id bigint, p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.release_differences() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.release_differences() TO auditor;
REVOKE ALL ON FUNCTION credits.repay_debt(p_account_id uuid, p_lot_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.require_service(p_what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.require_verified_email(p_required boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.retry_events(p_limit bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.return_charge(p_charge credits.entries, p_refunded numeric, p_tokens numeric, p_debt numeric, OUT draws jsonb, OUT from_debt numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.return_repaid(p_account_id uuid, p_seq bigint, p_tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.return_to_lot(p_account_id uuid, p_lot_id bigint, p_tokens numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.reversal_problem(p_event credits.stripe_events, p_amount jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.reversal_rank(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.reversal_rank(p_status text) TO auditor;
REVOKE ALL ON FUNCTION credits.reverse_rewards(p_reverse boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.revoke_analyst(p_login text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.reward_lots(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.role_steps() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.role_steps() TO auditor;
REVOKE ALL ON FUNCTION credits.roll_over(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.rolled_into(p_account_id uuid, p_subscription_id text, p_starts_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.row_security_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.row_security_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.saved_card(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.says_paid(p_session jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.scopes_of(p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.script_of(p_word text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.seq_at(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.session_contradiction(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.session_discount(p_session jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.session_role() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.set_due(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.set_topup_due(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.setting_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.setting_faults() TO auditor;
REVOKE ALL ON FUNCTION credits.settle_credits(p_account_id uuid, p_subscription_id text, p_ends_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.settle_debts(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.settle_event(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.settle_lots(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.settle_order(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.settle_referral(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.settle_rewards(p_account_id uuid, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.share_of(p_granted numeric, p_part bigint, p_whole bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.show_catalog() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.show_catalog() TO pgcredits_catalog;
REVOKE ALL ON FUNCTION credits.signed_amount(p_amount jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.signed_amount(p_amount jsonb) TO auditor;
REVOKE ALL ON FUNCTION credits.slim_events(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.small_letters(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spend_again(p_account_id uuid, p_module_id text, p_usage jsonb, p_key text, p_user_id text, p_metadata jsonb, p_byok boolean, p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spend_item(p_item jsonb, p_account_id uuid, p_busy boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spend_limit_receipt(p_account_id uuid, p_user_id text, p_period text, p_set_by text, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spend_many(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone, p_busy uuid[], OUT verdicts text[], OUT refusals jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spend_plain(p_items jsonb, p_account_ids uuid[], p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.standing_attachments() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_attachments() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_defaults() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_defaults() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_functions() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_functions() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_objects() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_objects() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_others() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_others() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_privileges() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_privileges() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_relations() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_relations() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_triggers_of_events() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_triggers_of_events() TO auditor;
REVOKE ALL ON FUNCTION credits.standing_types() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.standing_types() TO auditor;
REVOKE ALL ON FUNCTION credits.stop_topup(p_account_id uuid, p_reason text, p_attempt_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.stop_waiting() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.stripe_amount(p_amount jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.stripe_amount(p_amount jsonb) TO support;
GRANT ALL ON FUNCTION credits.stripe_amount(p_amount jsonb) TO auditor;
REVOKE ALL ON FUNCTION credits.stripe_id(p_id jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.stripe_id(p_id jsonb) TO support;
GRANT ALL ON FUNCTION credits.stripe_id(p_id jsonb) TO auditor;
REVOKE ALL ON FUNCTION credits.stripe_time(p_time jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subject() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.subject() TO authenticated;
GRANT ALL ON FUNCTION credits.subject() TO support;
GRANT ALL ON FUNCTION credits.subject() TO service_role;
GRANT ALL ON FUNCTION credits.subject() TO spender;
REVOKE ALL ON FUNCTION credits.subject_of_login() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_metadata(p_object jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_problem(p_event credits.stripe_events, p_subscription_id text, p_customer_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_rank(p_event credits.stripe_events) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.succeed_attempt(p_account_id uuid, p_order_id uuid, p_payment_intent_id text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.sum_components(p_price_id bigint, p_usage jsonb, OUT price_id bigint, OUT cost numeric, OUT price_source text, OUT exact boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.take_back(p_order credits.orders, p_draws jsonb, p_debt numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.take_tokens(p_account_id uuid, p_module_id text, p_tokens numeric, p_price_id bigint, p_at timestamp with time zone, p_hold boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tell_depleted(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tell_failed_payment(p_event credits.stripe_events, p_known credits.subscription_invoices) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tell_refused(p_account_ids uuid[], p_verdicts jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tell_subscription(p_event credits.stripe_events, p_before credits.subscriptions, p_now credits.subscriptions) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tell_topup(p_account_id uuid, p_kind text, p_reason text, p_order_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.test_clocks_allowed() FROM PUBLIC;
GRANT SELECT ON TABLE credits.price_tiers TO auditor;
REVOKE ALL ON FUNCTION credits.tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tiers_of(p_price_id bigint, p_dimension text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.tighter(p_bound numeric, p_other numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.tighter(p_bound numeric, p_other numeric) TO auditor;
REVOKE ALL ON FUNCTION credits.timeout(p_setting text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.timeout(p_setting text) TO auditor;
REVOKE ALL ON FUNCTION credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamp with time zone) TO support;
GRANT ALL ON FUNCTION credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamp with time zone) TO service_role;
REVOKE ALL ON FUNCTION credits.topup_level(p_account_id uuid, p_available numeric, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.topup_level(p_account_id uuid, p_available numeric, p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.topup_offer(p_topup credits.auto_topups) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.topup_order(p_amount bigint, p_module_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.topup_receipt(p_account_id uuid, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.topup_threshold(p_account_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.topup_threshold(p_account_id uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO anon;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO authenticated;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO spender;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO support;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO service_role;
REVOKE ALL ON FUNCTION credits.total_line(p_line text, p_entry credits.entries, p_later numeric, p_held numeric, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.touched_wallet_faults(p_first uuid, p_last uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.touched_wallet_faults(p_first uuid, p_last uuid) TO auditor;
REVOKE ALL ON FUNCTION credits.transaction_began() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.trust_claims(p_login name, p_roles text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.trust_login(p_login name) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.try_event(p_event_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.try_lock_with_referrer(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.unbooked_lines(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.uncount_attempt(p_scope text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.unhold_lots(p_account_id uuid, p_draws jsonb, p_taken numeric, p_released numeric, OUT draws jsonb, OUT rest jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.unit_cost(p_price_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_before(p_hold credits.holds, p_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_of_rest(p_usage_left jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_sum(p_usage jsonb, p_other jsonb, p_times integer) FROM PUBLIC;
GRANT SELECT ON TABLE credits.identities TO authenticated;
GRANT SELECT ON TABLE credits.identities TO support;
GRANT SELECT ON TABLE credits.identities TO service_role;
GRANT SELECT ON TABLE credits.identities TO spender;
GRANT SELECT ON TABLE credits.identities TO auditor;
GRANT SELECT(subject) ON TABLE credits.identities TO analyst;
GRANT SELECT(account_id) ON TABLE credits.identities TO analyst;
GRANT SELECT(created_at) ON TABLE credits.identities TO analyst;
REVOKE ALL ON FUNCTION credits.user_of(p_account_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.user_of(p_account_id uuid) TO authenticated;
GRANT ALL ON FUNCTION credits.user_of(p_account_id uuid) TO support;
GRANT ALL ON FUNCTION credits.user_of(p_account_id uuid) TO service_role;
GRANT ALL ON FUNCTION credits.user_of(p_account_id uuid) TO spender;
REVOKE ALL ON FUNCTION credits.utc_text(p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.utc_text(p_at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.wait_for_wallet(p_account_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wait_to_capture(p_account_id uuid, p_hold_id text, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wait_to_hold(p_account_id uuid, p_module_id text, p_usage jsonb, p_ttl interval, p_key text, p_user_id text, p_metadata jsonb, p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wait_to_spend(p_account_id uuid, p_module_id text, p_usage jsonb, p_key text, p_user_id text, p_metadata jsonb, p_byok boolean, p_tags jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wait_with_topup(p_account_id uuid, p_until timestamp with time zone) FROM PUBLIC;
GRANT SELECT ON TABLE credits.outbox TO authenticated;
GRANT SELECT ON TABLE credits.outbox TO support;
GRANT SELECT ON TABLE credits.outbox TO service_role;
GRANT SELECT ON TABLE credits.outbox TO auditor;
REVOKE ALL ON FUNCTION credits.webhook_body(p_notice credits.outbox) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_delay(p_tries bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_receipt(p_endpoint_id uuid, p_with_secret boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_secrets_of(p_endpoint_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.welcome(p_account_id uuid, OUT tokens numeric, OUT waits_for text, OUT reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.welcome_again(p_account_id uuid, OUT tokens numeric, OUT waits_for text, OUT reset_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.welcome_tokens(p_at timestamp with time zone, p_scopes text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.whole(quantity numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.withhold_lots(p_order credits.orders, p_back bigint, p_pending bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.without_person(p_value jsonb, p_name text, p_depth integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.write_entry(p_entry credits.entries, p_previous_hash bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.write_price(p_price credits.prices, p_components jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION finance.trial_balance(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION finance.trial_balance(at timestamp with time zone) TO accountant;
GRANT ALL ON FUNCTION finance.trial_balance(at timestamp with time zone) TO auditor;
REVOKE ALL ON FUNCTION credits.chain(bytea, credits.entries) FROM PUBLIC;
GRANT SELECT ON TABLE analytics.account_use TO analyst;
GRANT SELECT ON TABLE analytics.account_use TO auditor;
GRANT SELECT ON TABLE analytics.average_use TO analyst;
GRANT SELECT ON TABLE analytics.average_use TO auditor;
GRANT SELECT ON TABLE analytics.burn_rate TO analyst;
GRANT SELECT ON TABLE analytics.burn_rate TO auditor;
GRANT SELECT ON TABLE credits.accounts TO auditor;
GRANT SELECT(account_id) ON TABLE credits.accounts TO authenticated;
GRANT SELECT(account_id) ON TABLE credits.accounts TO spender;
GRANT SELECT(account_id) ON TABLE credits.accounts TO support;
GRANT SELECT(account_id) ON TABLE credits.accounts TO service_role;
GRANT SELECT(account_id) ON TABLE credits.accounts TO analyst;
GRANT SELECT(kind) ON TABLE credits.accounts TO analyst;
GRANT SELECT(overdraft_limit) ON TABLE credits.accounts TO authenticated;
GRANT SELECT(overdraft_limit) ON TABLE credits.accounts TO spender;
GRANT SELECT(overdraft_limit) ON TABLE credits.accounts TO support;
GRANT SELECT(overdraft_limit) ON TABLE credits.accounts TO service_role;
GRANT SELECT(created_at) ON TABLE credits.accounts TO analyst;
GRANT SELECT ON TABLE analytics.cohort_revenue TO analyst;
GRANT SELECT ON TABLE analytics.cohort_revenue TO auditor;
GRANT SELECT ON TABLE credits.catalogs TO auditor;
GRANT SELECT(currency) ON TABLE credits.catalogs TO analyst;
GRANT SELECT ON TABLE credits.dimensions TO auditor;
GRANT SELECT(dimension) ON TABLE credits.dimensions TO analyst;
GRANT SELECT(parent) ON TABLE credits.dimensions TO analyst;
GRANT SELECT ON TABLE credits.free_periods TO authenticated;
GRANT SELECT ON TABLE credits.free_periods TO support;
GRANT SELECT ON TABLE credits.free_periods TO service_role;
GRANT SELECT ON TABLE credits.free_periods TO auditor;
GRANT SELECT(account_id) ON TABLE credits.free_periods TO analyst;
GRANT SELECT(plan_id) ON TABLE credits.free_periods TO analyst;
GRANT SELECT(lot_id) ON TABLE credits.free_periods TO analyst;
GRANT SELECT ON TABLE credits.price_components TO auditor;
GRANT SELECT(price_id) ON TABLE credits.price_components TO analyst;
GRANT SELECT(dimension) ON TABLE credits.price_components TO analyst;
GRANT SELECT(unit_size) ON TABLE credits.price_components TO analyst;
GRANT SELECT(provider_cost) ON TABLE credits.price_components TO analyst;
GRANT SELECT ON TABLE analytics.daily_margin TO analyst;
GRANT SELECT ON TABLE analytics.daily_margin TO auditor;
GRANT SELECT ON TABLE credits.guests TO auditor;
GRANT SELECT(guest_id) ON TABLE credits.guests TO analyst;
GRANT SELECT(first_seen_at) ON TABLE credits.guests TO analyst;
GRANT SELECT(linked_to) ON TABLE credits.guests TO analyst;
GRANT SELECT ON TABLE analytics.funnel TO analyst;
GRANT SELECT ON TABLE analytics.funnel TO auditor;
GRANT SELECT ON TABLE credits.guest_uses TO auditor;
GRANT SELECT(guest_id) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(use_id) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(module_id) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(state) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(used_at) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(finished_at) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(per_device) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT(sliding_window) ON TABLE credits.guest_uses TO analyst;
GRANT SELECT ON TABLE analytics.guest_conversion TO analyst;
GRANT SELECT ON TABLE analytics.guest_conversion TO auditor;
GRANT SELECT ON TABLE analytics.module_margin TO analyst;
GRANT SELECT ON TABLE analytics.module_margin TO auditor;
GRANT SELECT ON TABLE credits.failures TO authenticated;
GRANT SELECT ON TABLE credits.failures TO support;
GRANT SELECT ON TABLE credits.failures TO service_role;
GRANT SELECT ON TABLE credits.failures TO auditor;
GRANT SELECT(module_id) ON TABLE credits.failures TO analyst;
GRANT SELECT(failed_at) ON TABLE credits.failures TO analyst;
GRANT SELECT(duration_ms) ON TABLE credits.failures TO analyst;
GRANT SELECT ON TABLE analytics.module_reliability TO analyst;
GRANT SELECT ON TABLE analytics.module_reliability TO auditor;
GRANT SELECT ON TABLE analytics.module_usage TO analyst;
GRANT SELECT ON TABLE analytics.module_usage TO auditor;
GRANT SELECT ON TABLE analytics.pack_mix TO analyst;
GRANT SELECT ON TABLE analytics.pack_mix TO auditor;
GRANT SELECT ON TABLE analytics.people TO analyst;
GRANT SELECT ON TABLE analytics.purchase_conversion TO analyst;
GRANT SELECT ON TABLE analytics.purchase_conversion TO auditor;
GRANT SELECT ON TABLE analytics.retention TO analyst;
GRANT SELECT ON TABLE analytics.retention TO auditor;
GRANT SELECT ON TABLE analytics.running_out TO analyst;
GRANT SELECT ON TABLE analytics.running_out TO auditor;
GRANT SELECT ON TABLE analytics.tokens_sold TO analyst;
GRANT SELECT ON TABLE analytics.tokens_sold TO auditor;
GRANT SELECT ON TABLE analytics.usage_by_tag TO analyst;
GRANT SELECT ON TABLE analytics.usage_by_tag TO auditor;
GRANT SELECT ON TABLE analytics.usage_quantities TO analyst;
GRANT SELECT ON TABLE analytics.usage_quantities TO auditor;
GRANT SELECT ON TABLE analytics.weekly_margin TO analyst;
GRANT SELECT ON TABLE analytics.weekly_margin TO auditor;
GRANT SELECT ON TABLE analytics.weekly_sales TO analyst;
GRANT SELECT ON TABLE analytics.weekly_sales TO auditor;
GRANT SELECT ON TABLE credits.redemptions TO auditor;
GRANT SELECT(account_id) ON TABLE credits.redemptions TO analyst;
GRANT SELECT(campaign_id) ON TABLE credits.redemptions TO analyst;
GRANT SELECT(lot_id) ON TABLE credits.redemptions TO analyst;
GRANT SELECT ON TABLE analytics.welcome_use TO analyst;
GRANT SELECT ON TABLE analytics.welcome_use TO auditor;
GRANT SELECT(key_id) ON TABLE credits.api_key_secrets TO service_role;
GRANT SELECT(key_id) ON TABLE credits.api_key_secrets TO auditor;
GRANT SELECT(created_at) ON TABLE credits.api_key_secrets TO service_role;
GRANT SELECT(valid_until) ON TABLE credits.api_key_secrets TO service_role;
GRANT SELECT(valid_until) ON TABLE credits.api_key_secrets TO auditor;
GRANT SELECT(last_used_at) ON TABLE credits.api_key_secrets TO service_role;
GRANT SELECT(last_used_at) ON TABLE credits.api_key_secrets TO auditor;
GRANT SELECT ON TABLE api.api_keys TO service_role;
GRANT SELECT ON TABLE credits.topup_consents TO authenticated;
GRANT SELECT ON TABLE credits.topup_consents TO support;
GRANT SELECT ON TABLE credits.topup_consents TO service_role;
GRANT SELECT ON TABLE credits.topup_consents TO auditor;
GRANT SELECT ON TABLE api.auto_topup TO authenticated;
GRANT SELECT ON TABLE api.auto_topup TO support;
GRANT SELECT ON TABLE api.auto_topup TO service_role;
GRANT SELECT ON TABLE api.auto_topup_history TO authenticated;
GRANT SELECT ON TABLE api.auto_topup_history TO support;
GRANT SELECT ON TABLE api.auto_topup_history TO service_role;
GRANT SELECT ON TABLE credits.held_draws TO authenticated;
GRANT SELECT ON TABLE credits.held_draws TO support;
GRANT SELECT ON TABLE credits.held_draws TO service_role;
GRANT SELECT ON TABLE credits.held_draws TO spender;
GRANT SELECT ON TABLE credits.held_draws TO auditor;
GRANT SELECT ON TABLE api.balance TO authenticated;
GRANT SELECT ON TABLE api.balance TO support;
GRANT SELECT ON TABLE api.balance TO service_role;
GRANT SELECT ON TABLE api.balance TO spender;
GRANT SELECT ON TABLE api.balance_versions TO service_role;
GRANT SELECT ON TABLE api.entries TO authenticated;
GRANT SELECT ON TABLE api.entries TO support;
GRANT SELECT ON TABLE api.entries TO service_role;
GRANT SELECT ON TABLE credits.modules TO anon;
GRANT SELECT ON TABLE credits.modules TO authenticated;
GRANT SELECT ON TABLE credits.modules TO spender;
GRANT SELECT ON TABLE credits.modules TO support;
GRANT SELECT ON TABLE credits.modules TO service_role;
GRANT SELECT ON TABLE credits.modules TO auditor;
GRANT SELECT ON TABLE api.failures TO authenticated;
GRANT SELECT ON TABLE api.failures TO support;
GRANT SELECT ON TABLE api.failures TO service_role;
GRANT SELECT ON TABLE api.holds TO authenticated;
GRANT SELECT ON TABLE api.holds TO support;
GRANT SELECT ON TABLE api.holds TO service_role;
GRANT SELECT ON TABLE api.holds TO spender;
GRANT SELECT ON TABLE api.lots TO authenticated;
GRANT SELECT ON TABLE api.lots TO support;
GRANT SELECT ON TABLE api.lots TO service_role;
GRANT SELECT ON TABLE credits.module_categories TO anon;
GRANT SELECT ON TABLE credits.module_categories TO authenticated;
GRANT SELECT ON TABLE credits.module_categories TO spender;
GRANT SELECT ON TABLE credits.module_categories TO support;
GRANT SELECT ON TABLE credits.module_categories TO service_role;
GRANT SELECT ON TABLE credits.module_categories TO auditor;
GRANT SELECT ON TABLE api.modules TO anon;
GRANT SELECT ON TABLE api.modules TO authenticated;
GRANT SELECT ON TABLE api.modules TO spender;
GRANT SELECT ON TABLE api.modules TO support;
GRANT SELECT ON TABLE api.modules TO service_role;
GRANT SELECT ON TABLE api.notices TO authenticated;
GRANT SELECT ON TABLE api.notices TO support;
GRANT SELECT ON TABLE api.notices TO service_role;
GRANT SELECT ON TABLE api.orders TO authenticated;
GRANT SELECT ON TABLE api.orders TO support;
GRANT SELECT ON TABLE api.orders TO service_role;
GRANT SELECT ON TABLE credits.currencies TO anon;
GRANT SELECT ON TABLE credits.currencies TO authenticated;
GRANT SELECT ON TABLE credits.currencies TO spender;
GRANT SELECT ON TABLE credits.currencies TO support;
GRANT SELECT ON TABLE credits.currencies TO service_role;
GRANT SELECT ON TABLE credits.currencies TO auditor;
GRANT SELECT ON TABLE credits.packs TO anon;
GRANT SELECT ON TABLE credits.packs TO authenticated;
GRANT SELECT ON TABLE credits.packs TO spender;
GRANT SELECT ON TABLE credits.packs TO support;
GRANT SELECT ON TABLE credits.packs TO service_role;
GRANT SELECT ON TABLE credits.packs TO auditor;
GRANT SELECT ON TABLE api.packs TO anon;
GRANT SELECT ON TABLE api.packs TO authenticated;
GRANT SELECT ON TABLE api.packs TO spender;
GRANT SELECT ON TABLE api.packs TO support;
GRANT SELECT ON TABLE api.packs TO service_role;
GRANT SELECT ON TABLE credits.plans TO anon;
GRANT SELECT ON TABLE credits.plans TO authenticated;
GRANT SELECT ON TABLE credits.plans TO spender;
GRANT SELECT ON TABLE credits.plans TO support;
GRANT SELECT ON TABLE credits.plans TO service_role;
GRANT SELECT ON TABLE credits.plans TO auditor;
GRANT SELECT ON TABLE api.plans TO anon;
GRANT SELECT ON TABLE api.plans TO authenticated;
GRANT SELECT ON TABLE api.plans TO spender;
GRANT SELECT ON TABLE api.plans TO support;
GRANT SELECT ON TABLE api.plans TO service_role;
GRANT SELECT ON TABLE credits.referrals TO authenticated;
GRANT SELECT ON TABLE credits.referrals TO support;
GRANT SELECT ON TABLE credits.referrals TO service_role;
GRANT SELECT ON TABLE credits.referrals TO auditor;
GRANT SELECT ON TABLE api.referrals TO authenticated;
GRANT SELECT ON TABLE api.referrals TO support;
GRANT SELECT ON TABLE api.referrals TO service_role;
GRANT SELECT ON TABLE credits.refund_requests TO support;
GRANT SELECT ON TABLE credits.refund_requests TO service_role;
GRANT SELECT ON TABLE credits.refund_requests TO auditor;
GRANT SELECT ON TABLE api.refund_requests TO support;
GRANT SELECT ON TABLE api.refund_requests TO service_role;
GRANT SELECT ON TABLE credits.releases TO service_role;
GRANT SELECT ON TABLE credits.releases TO auditor;
GRANT SELECT ON TABLE api.release TO service_role;
GRANT SELECT ON TABLE credits.reversals TO authenticated;
GRANT SELECT ON TABLE credits.reversals TO support;
GRANT SELECT ON TABLE credits.reversals TO service_role;
GRANT SELECT ON TABLE credits.reversals TO auditor;
GRANT SELECT ON TABLE api.reversals TO authenticated;
GRANT SELECT ON TABLE api.reversals TO support;
GRANT SELECT ON TABLE api.reversals TO service_role;
GRANT SELECT ON TABLE credits.shortfalls TO authenticated;
GRANT SELECT ON TABLE credits.shortfalls TO support;
GRANT SELECT ON TABLE credits.shortfalls TO service_role;
GRANT SELECT ON TABLE credits.shortfalls TO auditor;
GRANT SELECT ON TABLE api.shortfalls TO authenticated;
GRANT SELECT ON TABLE api.shortfalls TO support;
GRANT SELECT ON TABLE api.shortfalls TO service_role;
GRANT SELECT ON TABLE credits.spend_limits TO authenticated;
GRANT SELECT ON TABLE credits.spend_limits TO support;
GRANT SELECT ON TABLE credits.spend_limits TO service_role;
GRANT SELECT ON TABLE credits.spend_limits TO auditor;
GRANT SELECT ON TABLE api.spend_limits TO authenticated;
GRANT SELECT ON TABLE api.spend_limits TO support;
GRANT SELECT ON TABLE api.spend_limits TO service_role;
GRANT SELECT ON TABLE api.subscriptions TO authenticated;
GRANT SELECT ON TABLE api.subscriptions TO support;
GRANT SELECT ON TABLE api.subscriptions TO service_role;
GRANT SELECT ON TABLE credits.topup_presets TO anon;
GRANT SELECT ON TABLE credits.topup_presets TO authenticated;
GRANT SELECT ON TABLE credits.topup_presets TO spender;
GRANT SELECT ON TABLE credits.topup_presets TO support;
GRANT SELECT ON TABLE credits.topup_presets TO service_role;
GRANT SELECT ON TABLE credits.topup_presets TO auditor;
GRANT SELECT ON TABLE credits.topups TO anon;
GRANT SELECT ON TABLE credits.topups TO authenticated;
GRANT SELECT ON TABLE credits.topups TO spender;
GRANT SELECT ON TABLE credits.topups TO support;
GRANT SELECT ON TABLE credits.topups TO service_role;
GRANT SELECT ON TABLE credits.topups TO auditor;
GRANT SELECT ON TABLE api.topups TO anon;
GRANT SELECT ON TABLE api.topups TO authenticated;
GRANT SELECT ON TABLE api.topups TO spender;
GRANT SELECT ON TABLE api.topups TO support;
GRANT SELECT ON TABLE api.topups TO service_role;
GRANT SELECT ON TABLE api.usage TO authenticated;
GRANT SELECT ON TABLE api.usage TO support;
GRANT SELECT ON TABLE api.usage TO service_role;
GRANT SELECT ON TABLE api.usage_by_tag TO authenticated;
GRANT SELECT ON TABLE api.usage_by_tag TO support;
GRANT SELECT ON TABLE api.usage_by_tag TO service_role;
GRANT SELECT ON TABLE api.webhook_deliveries TO support;
GRANT SELECT ON TABLE api.webhook_deliveries TO service_role;
GRANT SELECT ON TABLE api.webhooks TO support;
GRANT SELECT ON TABLE api.webhooks TO service_role;
GRANT SELECT ON TABLE audit.check_access TO auditor;
GRANT SELECT ON TABLE credits.api_key_changes TO auditor;
GRANT SELECT ON TABLE audit.check_api_keys TO auditor;
GRANT SELECT ON TABLE credits.inactive_accounts TO auditor;
GRANT SELECT ON TABLE audit.check_balance TO auditor;
GRANT SELECT ON TABLE audit.check_campaigns TO auditor;
GRANT SELECT ON TABLE audit.check_charges TO auditor;
GRANT SELECT ON TABLE audit.check_creators TO auditor;
GRANT SELECT ON TABLE audit.check_draws TO auditor;
GRANT SELECT ON TABLE audit.check_due TO auditor;
GRANT SELECT ON TABLE audit.check_events TO auditor;
GRANT SELECT ON TABLE credits.closed_sums TO accountant;
GRANT SELECT ON TABLE credits.closed_sums TO auditor;
GRANT SELECT ON TABLE credits.source_months TO accountant;
GRANT SELECT ON TABLE credits.source_months TO auditor;
GRANT SELECT ON TABLE finance.liability_rollforward TO accountant;
GRANT SELECT ON TABLE finance.liability_rollforward TO auditor;
GRANT SELECT ON TABLE audit.check_finance_journal TO auditor;
GRANT SELECT ON TABLE audit.check_finance_rollforward TO auditor;
GRANT SELECT ON TABLE audit.check_guests TO auditor;
GRANT SELECT ON TABLE audit.check_hash_chain TO auditor;
GRANT SELECT ON TABLE audit.check_heads TO auditor;
GRANT SELECT ON TABLE audit.check_holds TO auditor;
GRANT SELECT ON TABLE audit.check_keys TO auditor;
GRANT SELECT ON TABLE audit.check_limits TO auditor;
GRANT SELECT ON TABLE credits.analyst_grants TO auditor;
GRANT SELECT ON TABLE credits.sql_logins TO auditor;
GRANT SELECT ON TABLE credits.trusted_logins TO auditor;
GRANT SELECT ON TABLE audit.check_logins TO auditor;
GRANT SELECT ON TABLE audit.check_lots TO auditor;
GRANT SELECT ON TABLE audit.check_money_returns TO auditor;
GRANT SELECT ON TABLE audit.check_negative TO auditor;
GRANT SELECT ON TABLE audit.check_orders TO auditor;
GRANT SELECT ON TABLE credits.settings TO auditor;
GRANT SELECT ON TABLE audit.check_partitions TO auditor;
GRANT SELECT ON TABLE credits.price_list TO auditor;
GRANT SELECT ON TABLE audit.check_prices TO auditor;
GRANT SELECT ON TABLE audit.check_refund_requests TO auditor;
GRANT SELECT ON TABLE audit.check_refunds TO auditor;
GRANT SELECT ON TABLE audit.check_release TO auditor;
GRANT SELECT ON TABLE credits.event_types TO auditor;
GRANT SELECT ON TABLE credits.event_types TO support;
GRANT SELECT ON TABLE audit.check_reversals TO auditor;
GRANT SELECT ON TABLE audit.check_roles TO auditor;
GRANT SELECT ON TABLE audit.check_running_balance TO auditor;
GRANT SELECT ON TABLE audit.check_sequence TO auditor;
GRANT SELECT ON TABLE credits.password_changes TO auditor;
GRANT SELECT(account_id) ON TABLE credits.refresh_tokens TO auditor;
GRANT SELECT(session_id) ON TABLE credits.refresh_tokens TO auditor;
GRANT SELECT(issued_at) ON TABLE credits.refresh_tokens TO auditor;
GRANT SELECT ON TABLE audit.check_sessions TO auditor;
GRANT SELECT ON TABLE audit.check_settings TO auditor;
GRANT SELECT ON TABLE audit.check_shortfalls TO auditor;
GRANT SELECT ON TABLE credits.stripe_lists TO auditor;
GRANT SELECT ON TABLE credits.covered_lists TO auditor;
GRANT SELECT ON TABLE credits.stripe_mirror_events TO auditor;
GRANT SELECT ON TABLE credits.missed_events TO auditor;
GRANT SELECT ON TABLE credits.stripe_objects TO auditor;
GRANT SELECT(object_id) ON TABLE credits.stripe_objects TO support;
GRANT SELECT(account_id) ON TABLE credits.stripe_objects TO support;
GRANT SELECT(order_id) ON TABLE credits.stripe_objects TO support;
GRANT SELECT ON TABLE credits.unbooked_objects TO auditor;
GRANT SELECT ON TABLE audit.check_stripe TO auditor;
GRANT SELECT ON TABLE credits.stripe_movements TO auditor;
GRANT SELECT ON TABLE audit.check_stripe_balance TO auditor;
GRANT SELECT ON TABLE audit.check_subscriptions TO auditor;
GRANT SELECT ON TABLE audit.check_tags TO auditor;
GRANT SELECT ON TABLE audit.check_topups TO auditor;
GRANT SELECT ON TABLE credits.webhook_changes TO auditor;
GRANT SELECT ON TABLE audit.check_webhooks TO auditor;
GRANT SELECT ON TABLE audit.findings TO auditor;
GRANT SELECT ON TABLE audit.parked TO support;
GRANT SELECT ON TABLE audit.parked TO auditor;
GRANT SELECT ON TABLE audit.stuck_holds TO support;
GRANT SELECT ON TABLE audit.stuck_holds TO auditor;
GRANT SELECT ON TABLE credits.entry_kinds TO auditor;
GRANT SELECT ON TABLE audit.trial_balance TO auditor;
GRANT SELECT ON TABLE credits.account_origins TO auditor;
GRANT SELECT ON TABLE credits.audit_checkpoints TO auditor;
GRANT SELECT ON TABLE credits.audits TO auditor;
GRANT SELECT ON TABLE credits.awaited_objects TO auditor;
GRANT SELECT ON TABLE credits.captures TO auditor;
GRANT SELECT ON TABLE credits.closed_postings TO auditor;
GRANT SELECT ON TABLE credits.event_decisions TO auditor;
GRANT SELECT ON TABLE credits.finance_accounts TO accountant;
GRANT SELECT ON TABLE credits.finance_accounts TO auditor;
GRANT SELECT ON TABLE credits.guest_networks TO auditor;
GRANT SELECT ON TABLE credits.guest_limits TO auditor;
GRANT SELECT ON TABLE credits.notice_levels TO auditor;
GRANT SELECT ON TABLE credits.notice_rules TO auditor;
GRANT SELECT ON TABLE credits.priced_targets TO auditor;
GRANT SELECT ON TABLE credits.release_objects TO auditor;
GRANT SELECT ON TABLE credits.retention_periods TO auditor;
GRANT SELECT ON TABLE credits.sign_in_counts TO auditor;
GRANT SELECT ON TABLE credits.sign_in_networks TO auditor;
GRANT SELECT ON TABLE credits.status_changes TO auditor;
GRANT SELECT ON TABLE finance.accounts TO accountant;
GRANT SELECT ON TABLE finance.accounts TO auditor;
GRANT SELECT ON TABLE finance.journal TO accountant;
GRANT SELECT ON TABLE finance.journal TO auditor;
\unrestrict x
