--
-- PostgreSQL database dump
--

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

--
-- Name: analytics; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA analytics;


--
-- Name: SCHEMA analytics; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA analytics IS 'For analysts: figures without personal data, under row security.';


--
-- Name: api; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA api;


--
-- Name: SCHEMA api; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA api IS 'Public: what frontends and backends may call and read. Names are the JSON names.';


--
-- Name: audit; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA audit;


--
-- Name: SCHEMA audit; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA audit IS 'For DBAs and finance: checks that find no row while the books are sound, and reports.';


--
-- Name: credits; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA credits;


--
-- Name: SCHEMA credits; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA credits IS 'Private: the tables of the bank and the functions that do its work.';


--
-- Name: account_receipt; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.account_receipt AS (
	user_id text,
	opened boolean,
	balance numeric,
	referred boolean
);


--
-- Name: TYPE account_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.account_receipt IS 'An account: whether this call opened it, what is in it, and whether somebody brought it.';


--
-- Name: acknowledgement; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.acknowledgement AS (
	notices bigint
);


--
-- Name: TYPE acknowledgement; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.acknowledgement IS 'How many notices were marked as delivered now.';


--
-- Name: credential; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.credential AS (
	user_id text,
	email text,
	password_hash text
);


--
-- Name: TYPE credential; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.credential IS 'A sign-in of the embedded identity provider.';


--
-- Name: event_receipt; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.event_receipt AS (
	event_id text,
	type text,
	outcome text,
	order_id uuid,
	entry_id text
);


--
-- Name: TYPE event_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.event_receipt IS 'What a Stripe event led to.';


--
-- Name: failure_receipt; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.failure_receipt AS (
	failure_id uuid,
	user_id text,
	module_id text,
	failed_at timestamp with time zone,
	replayed boolean
);


--
-- Name: TYPE failure_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.failure_receipt IS 'A failed use, noted.';


--
-- Name: grant_reason; Type: DOMAIN; Schema: api; Owner: -
--

CREATE DOMAIN api.grant_reason AS text;


--
-- Name: DOMAIN grant_reason; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON DOMAIN api.grant_reason IS 'Why tokens are granted: grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment.';


--
-- Name: grant_receipt; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.grant_receipt AS (
	entry_id text,
	user_id text,
	lot_id bigint,
	tokens numeric,
	balance numeric,
	replayed boolean
);


--
-- Name: TYPE grant_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.grant_receipt IS 'Tokens that came in, as a lot.';


--
-- Name: guest_receipt; Type: TYPE; Schema: api; Owner: -
--

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


--
-- Name: TYPE guest_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.guest_receipt IS 'A guest''s use, and what is left, of the device or of its network: used and limit are of the one that has less. reset_at: when remaining next grows; null while all of it is free.';


--
-- Name: low_balance; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.low_balance AS (
	user_id text,
	below numeric,
	percent numeric,
	threshold numeric
);


--
-- Name: TYPE low_balance; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.low_balance IS 'When a user is told that the balance is low: below so many tokens, or percent of the last grant; threshold is what that is now. All null: as the bank''s rule has it, and it has none.';


--
-- Name: maintenance; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.maintenance AS (
	accounts bigint
);


--
-- Name: TYPE maintenance; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.maintenance IS 'How many accounts were brought up to date.';


--
-- Name: order_receipt; Type: TYPE; Schema: api; Owner: -
--

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
	scope text
);


--
-- Name: TYPE order_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.order_receipt IS 'A purchase and its state; amount in minor units of currency.';


--
-- Name: quote; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.quote AS (
	module_id text,
	cost numeric,
	balance numeric,
	available numeric,
	sufficient boolean,
	affordable numeric,
	price_id bigint,
	parts jsonb
);


--
-- Name: TYPE quote; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.quote IS 'What a use would cost now. available: tokens that may be spent on this module; affordable: how many such uses they pay, null when it is free.';


--
-- Name: redemption_receipt; Type: TYPE; Schema: api; Owner: -
--

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


--
-- Name: TYPE redemption_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.redemption_receipt IS 'What a code gave: a promotion its tokens, at once; a referral none yet (entry_id null), they come with the first purchase.';


--
-- Name: referral_offer; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.referral_offer AS (
	user_id text,
	code text,
	campaign_id text,
	title text,
	tokens numeric,
	referee_tokens numeric
);


--
-- Name: TYPE referral_offer; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.referral_offer IS 'A user''s own code, and what its first purchase brings: tokens to the user, referee_tokens to who used the code.';


--
-- Name: spend_limit; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.spend_limit AS (
	user_id text,
	period text,
	set_by text,
	tokens numeric,
	spent numeric,
	remaining numeric,
	resets_at timestamp with time zone
);


--
-- Name: TYPE spend_limit; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.spend_limit IS 'What may be spent in a period, and what has been. tokens null: no limit.';


--
-- Name: spend_receipt; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.spend_receipt AS (
	entry_id text,
	user_id text,
	module_id text,
	cost numeric,
	balance numeric,
	draws jsonb,
	replayed boolean
);


--
-- Name: TYPE spend_receipt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON TYPE api.spend_receipt IS 'A charge: the entry, what it cost, the balance after it, and the lots it was taken from.';


--
-- Name: account_status; Type: DOMAIN; Schema: credits; Owner: -
--

CREATE DOMAIN credits.account_status AS text
	CONSTRAINT account_status_is_known CHECK ((VALUE = ANY (ARRAY['active'::text, 'frozen'::text, 'closed'::text])));


--
-- Name: DOMAIN account_status; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON DOMAIN credits.account_status IS 'active, frozen (spends nothing) or closed (gets nothing either).';


--
-- Name: amount; Type: DOMAIN; Schema: credits; Owner: -
--

CREATE DOMAIN credits.amount AS numeric(20,6)
	CONSTRAINT amount_is_finite_and_not_negative CHECK (((VALUE >= (0)::numeric) AND (VALUE < ('100000000000000'::bigint)::numeric)));


--
-- Name: DOMAIN amount; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON DOMAIN credits.amount IS 'An amount of tokens that cannot be below zero.';


--
-- Name: entry_kind; Type: TYPE; Schema: credits; Owner: -
--

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


--
-- Name: TYPE entry_kind; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TYPE credits.entry_kind IS 'Why a balance moved. Each kind has its counter-account in credits.entry_kinds.';


--
-- Name: tokens; Type: DOMAIN; Schema: credits; Owner: -
--

CREATE DOMAIN credits.tokens AS numeric(20,6)
	CONSTRAINT tokens_are_finite CHECK (((VALUE > ('-100000000000000'::bigint)::numeric) AND (VALUE < ('100000000000000'::bigint)::numeric)));


--
-- Name: DOMAIN tokens; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON DOMAIN credits.tokens IS 'An exact amount in the unit of the catalogue (tokens, credits, euro cents), six decimals. Refuses NaN and infinity.';


--
-- Name: unit_cost; Type: DOMAIN; Schema: credits; Owner: -
--

CREATE DOMAIN credits.unit_cost AS numeric
	CONSTRAINT unit_cost_is_not_negative CHECK (((VALUE >= (0)::numeric) AND (VALUE < 'Infinity'::numeric)));


--
-- Name: DOMAIN unit_cost; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON DOMAIN credits.unit_cost IS 'Money paid for one token, in minor units of a currency.';


--
-- Name: acknowledge_notices(uuid[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.acknowledge_notices(notice_ids uuid[]) RETURNS api.acknowledgement
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_answer api.acknowledgement;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may acknowledge notices');
    end if;
    update credits.outbox as o
    set delivered_at = credits.clock()
    where o.delivered_at is null and o.notice_id = any (acknowledge_notices.notice_ids);
    get diagnostics v_answer.notices = row_count;
    return v_answer;
end
$$;


--
-- Name: FUNCTION acknowledge_notices(notice_ids uuid[]); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.acknowledge_notices(notice_ids uuid[]) IS 'Mark notices as delivered, so that api.notices shows them so. For services; safe to repeat. notices: how many were
marked now.

Raises PT403 not_yours.';


--
-- Name: add_tokens(text, numeric, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) RETURNS api.grant_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return api.add_tokens(
        user_id => add_tokens.user_id, tokens => add_tokens.tokens_to_add, reason => 'purchase',
        package_name => add_tokens.package_name
    );
end
$$;


--
-- Name: FUNCTION add_tokens(user_id text, tokens_to_add numeric, package_name text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) IS 'Grant the tokens of a package (IAHome''s signature). For services.

Raises what the other signature raises.';


--
-- Name: add_tokens(text, numeric, api.grant_reason, text, timestamp with time zone, bigint, text, text, jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.add_tokens(user_id text, tokens numeric, reason api.grant_reason DEFAULT 'grant'::text, package_name text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority bigint DEFAULT NULL::bigint, scope text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text, metadata jsonb DEFAULT '{}'::jsonb) RETURNS api.grant_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_tokens constant credits.tokens := credits.check_amount(add_tokens.tokens);
    v_subject text;
    v_account_id uuid;
    v_wallet record;
    v_known text;
    v_lot_id bigint;
begin
    -- 1. Refuse what makes no sense.
    if add_tokens.reason is null or add_tokens.reason not in (
        'grant', 'purchase', 'bonus', 'welcome', 'promo', 'referral', 'allowance', 'rollover', 'adjustment'
    ) then
        perform credits.fail(
            422, 'bad_reason',
            'reason is grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment'
        );
    elsif length(add_tokens.package_name) > 200 then
        perform credits.fail(422, 'bad_reason', 'package_name has at most 200 characters');
    end if;
    perform credits.check_metadata(add_tokens.metadata);
    perform credits.check_scope(add_tokens.scope);

    -- 2. Whose account; a first grant opens it. Then the lock.
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may grant tokens');
    end if;
    v_subject := credits.caller_subject(add_tokens.user_id);
    v_account_id := credits.account_of(v_subject, true);
    v_wallet := credits.lock_wallet(v_account_id);

    -- 3. Repeat?
    if add_tokens.idempotency_key is not null then
        v_known := credits.claim_key(
            v_account_id, 'add_tokens', add_tokens.idempotency_key,
            jsonb_build_array(
                trim_scale(v_tokens), add_tokens.reason, add_tokens.package_name, extract(epoch from add_tokens.expires_at),
                add_tokens.priority, add_tokens.scope, add_tokens.metadata
            ),
            (v_wallet.seq + 1)::text
        );
        if v_known is not null then
            return credits.grant_receipt(v_account_id, v_known::bigint, v_subject, true);
        end if;
    end if;
    if add_tokens.expires_at <= credits.clock() then
        perform credits.fail(422, 'bad_expiry', 'expires_at is in the past');
    elsif v_wallet.status = 'closed' then
        perform credits.fail(423, 'account_frozen', 'this account is closed');
    end if;

    -- 4. The lot and its entry.
    v_lot_id := credits.grant_lot(
        v_account_id, add_tokens.reason::text::credits.entry_kind, v_tokens, add_tokens.package_name,
        add_tokens.priority, add_tokens.scope, add_tokens.expires_at,
        p_reference => coalesce(add_tokens.package_name, add_tokens.reason), p_metadata => add_tokens.metadata
    );
    return credits.grant_receipt(v_account_id, v_lot_id, v_subject, false);
end
$$;


--
-- Name: FUNCTION add_tokens(user_id text, tokens numeric, reason api.grant_reason, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.add_tokens(user_id text, tokens numeric, reason api.grant_reason, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb) IS 'Grant tokens to a user, as a lot. For services; opens the account of a new user.

reason: grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment.
scope: module:ID or category:ID that the tokens are bound to.
Lower priority is spent first; by default rollover 5, allowance 10, given away 20, bought 50.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT422 bad_amount, bad_reason, bad_expiry, bad_scope, bad_key, bad_user or bad_metadata, PT409 key_reused,
PT423 account_frozen, PT403 not_yours.';


--
-- Name: apply_stripe_event(jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.apply_stripe_event(event jsonb) RETURNS api.event_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_type constant text := apply_stripe_event.event ->> 'type';
    v_object constant jsonb := apply_stripe_event.event #> '{data,object}';
    v_receipt api.event_receipt;
    v_order credits.orders;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may apply Stripe events');
    elsif apply_stripe_event.event ->> 'object' is distinct from 'event'
        or coalesce(length(apply_stripe_event.event ->> 'id'), 0) not between 1 and 255
        or v_type is null or jsonb_typeof(v_object) is distinct from 'object'
        or jsonb_typeof(apply_stripe_event.event -> 'livemode') is distinct from 'boolean'
        or (v_type like 'checkout.session.%' and not credits.has_ids(v_object)) then
        perform credits.fail(422, 'bad_event', 'this is not a Stripe event');
    end if;

    -- 1. Once.
    v_receipt.event_id := apply_stripe_event.event ->> 'id';
    v_receipt.type := v_type;
    insert into credits.stripe_events (event_id, type, object_id, livemode, payload)
    values (
        v_receipt.event_id, v_type, v_object ->> 'id',
        apply_stripe_event.event -> 'livemode' = 'true', apply_stripe_event.event
    )
    on conflict (event_id) do nothing;
    if not found then
        select e.order_id into v_receipt.order_id from credits.stripe_events as e where e.event_id = v_receipt.event_id;
        v_receipt.outcome := 'duplicate';
        return v_receipt;
    end if;

    -- 2–4. What it is about.
    if v_type not in (
        'checkout.session.completed', 'checkout.session.async_payment_succeeded',
        'checkout.session.async_payment_failed', 'checkout.session.expired'
    ) then
        v_receipt.outcome := 'stored';
    else
        v_order := credits.order_of_session(v_object);
        if v_order.order_id is null then
            v_receipt.outcome := 'unmatched';
        else
            v_receipt := credits.apply_session(v_order, v_type, v_object, v_receipt);
        end if;
    end if;

    update credits.stripe_events as e
    set outcome = v_receipt.outcome, account_id = v_order.account_id, order_id = v_order.order_id
    where e.event_id = v_receipt.event_id;
    return v_receipt;
end
$$;


--
-- Name: FUNCTION apply_stripe_event(event jsonb); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.apply_stripe_event(event jsonb) IS 'Apply a Stripe event whose signature has been verified. For services; safe to repeat, in any order.

outcome: granted, processing (paid later), failed, expired, parked (money that does not match the order, for a person),
duplicate (of an event or of a purchase), unmatched (no order of ours), stored (a type that moves nothing).
Raises PT422 bad_event, PT403 not_yours.';


--
-- Name: attach_checkout(uuid, uuid, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text DEFAULT NULL::text) RETURNS api.order_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_order credits.orders;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may attach a checkout');
    end if;
    perform credits.lock_wallet(attach_checkout.account_id, p_settle => false);

    update credits.accounts as a
    set stripe_customer_id = attach_checkout.customer_id
    where
        a.account_id = attach_checkout.account_id and a.stripe_customer_id is null
        and attach_checkout.customer_id is not null;

    select o.* into v_order
    from credits.orders as o
    where o.account_id = attach_checkout.account_id and o.order_id = attach_checkout.order_id;
    if not found then
        perform credits.fail(404, 'unknown_order', 'no such order');
    elsif v_order.checkout_session_id is distinct from attach_checkout.session_id then
        -- A payment that was quicker than this call has written the session already.
        if v_order.checkout_session_id is not null or v_order.state <> 'pending' then
            perform credits.fail(409, 'order_closed', 'this order has a checkout already');
        end if;
        update credits.orders as o
        set checkout_session_id = attach_checkout.session_id
        where o.account_id = attach_checkout.account_id and o.order_id = attach_checkout.order_id
        returning o.* into v_order;
    end if;
    return credits.order_receipt(v_order, (
        select i.subject
        from credits.identities as i
        where i.account_id = attach_checkout.account_id
        order by i.created_at
        limit 1
    ), false);
end
$$;


--
-- Name: FUNCTION attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text) IS 'Note the Stripe Checkout session of an order, and the account''s Stripe customer (the first one stays). For services.

Raises PT404 unknown_order or unknown_user, PT409 order_closed, PT403 not_yours.';


--
-- Name: confirm_guest_use(uuid); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.confirm_guest_use(use_id uuid) RETURNS api.guest_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return credits.finish_guest_use(confirm_guest_use.use_id, 'confirmed');
end
$$;


--
-- Name: FUNCTION confirm_guest_use(use_id uuid); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.confirm_guest_use(use_id uuid) IS 'A guest''s use worked: reserved becomes confirmed, once and for all.

For services. A use_id that came from a client is good for one piece of work, on the module it names: a second
confirmation is answered with replayed: true. Raises PT404 unknown_use, PT409 use_closed (it was released),
PT403 not_yours.';


--
-- Name: consume_tokens(text, text, text, numeric); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) RETURNS api.spend_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_cost constant numeric := credits.check_amount(consume_tokens.tokens_to_consume);
    v_subject constant text := credits.caller_subject(consume_tokens.user_id);
begin
    return credits.spend(
        credits.account_of(v_subject, false), v_subject, consume_tokens.module_id, '{}', null,
        jsonb_strip_nulls(jsonb_build_object('module_name', left(consume_tokens.module_name, 200))),
        p_expected_cost => v_cost
    );
end
$$;


--
-- Name: FUNCTION consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) IS 'Spend tokens on one call of a module, naming the price (IAHome''s signature).

Raises PT422 price_mismatch when tokens_to_consume is not the price in the database, PT422 bad_amount,
and what the other signature raises.';


--
-- Name: consume_tokens(text, jsonb, text, text, jsonb, boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.consume_tokens(module_id text, usage jsonb DEFAULT '{}'::jsonb, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text, metadata jsonb DEFAULT '{}'::jsonb, byok boolean DEFAULT false) RETURNS api.spend_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    -- 1. Who.
    v_subject constant text := credits.caller_subject(consume_tokens.user_id);
begin
    if consume_tokens.byok is distinct from false and not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may say that the user''s own key was used');
    end if;
    return credits.spend(
        credits.account_of(v_subject, false), v_subject, consume_tokens.module_id, consume_tokens.usage,
        consume_tokens.idempotency_key, consume_tokens.metadata, coalesce(consume_tokens.byok, false)
    );
end
$$;


--
-- Name: FUNCTION consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean) IS 'Spend tokens on a module.

The price is the database''s; usage gives the quantity of each dimension of the price, by default {"calls": 1}.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer, replayed: true.
A user spends their own tokens; a service names the user_id.
byok: a service says that the user''s own key at the provider was used: recorded with its quantities, cost 0.
Raises PT402 insufficient_tokens (balance, cost, missing, affordable), PT404 unknown_module or unknown_user,
PT409 key_reused, PT422 bad_usage, bad_key or bad_metadata, PT423 account_frozen, PT429 spend_limit,
PT403 not_yours, PT401 not_signed_in.';


--
-- Name: create_order(text, bigint, text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.create_order(pack_id text DEFAULT NULL::text, amount bigint DEFAULT NULL::bigint, module_id text DEFAULT NULL::text, user_id text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.order_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(create_order.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, true);
    v_wallet record;
    v_order_id constant uuid := gen_random_uuid();
    v_known text;
    v_pack credits.packs;
    v_topup credits.topups;
    v_order credits.orders;
begin
    -- 1. One thing is bought; a module that it is bought for must exist.
    if num_nonnulls(create_order.pack_id, create_order.amount) <> 1 then
        perform credits.fail(422, 'bad_order', 'an order names a pack_id or an amount');
    end if;
    if create_order.module_id is not null
        and not exists (select from credits.modules as m where m.module_id = create_order.module_id and m.active) then
        perform credits.fail(404, 'unknown_module', 'no such module');
    end if;

    -- 2. Lock, so that a repeated key is one order. A closed account buys nothing; a frozen one may pay.
    v_wallet := credits.lock_wallet(v_account_id, p_settle => false);
    if create_order.idempotency_key is not null then
        v_known := credits.claim_key(
            v_account_id, 'create_order', create_order.idempotency_key,
            jsonb_build_array(create_order.pack_id, create_order.amount, create_order.module_id), v_order_id::text
        );
    end if;
    if v_known is not null then
        -- The order as it stands now: its session and state may have come since.
        select o.* into v_order
        from credits.orders as o
        where o.account_id = v_account_id and o.order_id = v_known::uuid;
        return credits.order_receipt(v_order, v_subject, true);
    elsif v_wallet.status = 'closed' then
        perform credits.fail(423, 'account_frozen', 'this account is closed');
    end if;

    -- 3. The snapshot.
    v_order.account_id := v_account_id;
    v_order.scope := 'module:' || create_order.module_id;
    if create_order.pack_id is not null then
        select p.* into v_pack from credits.packs as p where p.pack_id = create_order.pack_id and p.active;
        if not found then
            perform credits.fail(404, 'unknown_pack', 'no such pack');
        end if;
        -- A pack that is bound to something stays so; the buyer may only narrow it.
        if v_pack.scope is not null and create_order.module_id is not null
            and (v_pack.scope = any (credits.scopes_of(create_order.module_id))) is not true then
            perform credits.fail(
                422, 'bad_order', 'the tokens of this pack cannot be spent on this module',
                json_build_object('scope', v_pack.scope)
            );
        end if;
        v_order.scope := coalesce(v_order.scope, v_pack.scope);
        v_order.pack_id := v_pack.pack_id;
        v_order.package_name := v_pack.title;
        v_order.tokens := v_pack.tokens;
        v_order.bonus_tokens := v_pack.bonus_tokens;
        v_order.expires_after := v_pack.expires_after;
        v_order.amount := v_pack.amount;
        v_order.currency := v_pack.currency;
        v_order.stripe_price_id := v_pack.stripe_price_id;
    else
        select t.* into v_topup
        from credits.topups as t
        where create_order.amount between t.minimum and t.maximum
        order by t.currency
        limit 1;
        if not found then
            perform credits.fail(
                422, 'bad_amount', 'the catalogue offers no top-up of this amount',
                (select json_build_object('minimum', min(t.minimum), 'maximum', max(t.maximum)) from credits.topups as t)
            );
        end if;
        v_order.package_name := 'Top-up';
        v_order.tokens := credits.check_amount(credits.topup_tokens(create_order.amount, v_topup.tokens_per_unit));
        v_order.bonus_tokens := 0;
        v_order.amount := create_order.amount;
        v_order.currency := v_topup.currency;
    end if;
    insert into credits.orders (
        account_id, order_id, pack_id, package_name, scope, tokens, bonus_tokens, expires_after,
        amount, currency, stripe_price_id
    )
    values (
        v_order.account_id, v_order_id, v_order.pack_id, v_order.package_name, v_order.scope, v_order.tokens,
        v_order.bonus_tokens, v_order.expires_after, v_order.amount, v_order.currency, v_order.stripe_price_id
    )
    returning * into v_order;

    return credits.order_receipt(v_order, v_subject, false);
end
$$;


--
-- Name: FUNCTION create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) IS 'Begin a purchase: a pack, or a top-up of an amount where the catalogue offers it. Tokens come with the payment.

amount is in minor units (cents). module_id binds the tokens to that module, where the pack''s own scope lets it.
With an idempotency_key a repeat gets the same order, as it stands now.
Raises PT404 unknown_pack or unknown_module, PT422 bad_order, bad_amount or bad_key, PT409 key_reused,
PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: find_credential(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.find_credential(email text) RETURNS api.credential
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_credential api.credential;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may read credentials');
    end if;
    select c.subject, c.email, c.password_hash into v_credential
    from credits.credentials as c
    where c.email = lower(btrim(find_credential.email));
    return v_credential;
end
$$;


--
-- Name: FUNCTION find_credential(email text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.find_credential(email text) IS 'The credential of an e-mail, or a row of nulls. For services.

Raises PT403 not_yours.';


--
-- Name: guest_allowance(text[], text[], boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean DEFAULT false) RETURNS api.guest_receipt
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may say who a guest is');
    end if;
    return credits.guest_allowance(
        guest_allowance.device_keys, guest_allowance.network_keys, guest_allowance.shared_network
    );
end
$$;


--
-- Name: FUNCTION guest_allowance(device_keys text[], network_keys text[], shared_network boolean); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean) IS 'What a guest has left: of remaining uses, and when the next one comes free. Writes nothing.

For services; the arguments are those of guest_consume. Raises PT403 no_guests or not_yours, PT422 bad_guest.';


--
-- Name: guest_consume(text, text[], text[], boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean DEFAULT false) RETURNS api.guest_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_left record;
    v_limit record;
    v_guest_ids uuid[];
    v_network_ids uuid[];
    v_now timestamptz;
    v_use_id uuid;
begin
    -- 1. Who.
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may say who a guest is');
    end if;

    -- 2. Look.
    v_left := credits.guest_allowance(
        guest_consume.device_keys, guest_consume.network_keys, guest_consume.shared_network
    );
    if credits.find_price(guest_consume.module_id, credits.clock()) is null then
        perform credits.fail(404, 'unknown_module', 'no such module');
    elsif v_left.remaining = 0 then
        perform credits.refuse_guest(v_left."limit", v_left.reset_at);
    end if;

    -- 3. Lock.
    v_guest_ids := credits.lock_guest(credits.check_guest_keys(guest_consume.device_keys));
    v_network_ids := credits.lock_guest_network(credits.check_guest_keys(guest_consume.network_keys));
    v_limit := credits.guest_limit(guest_consume.shared_network);
    v_now := credits.clock();

    -- 4. Look again.
    v_left := credits.guest_standing(
        v_guest_ids, v_network_ids, v_limit.per_device, v_limit.per_network, v_limit.sliding_window, v_now
    );
    if v_left.remaining = 0 then
        perform credits.refuse_guest(v_left.allowed, v_left.reset_at);
    end if;

    -- 5. Reserve.
    insert into credits.guest_uses (
        guest_id, network_id, module_id, used_at, per_device, per_network, sliding_window
    )
    values (
        v_guest_ids[1], v_network_ids[1], guest_consume.module_id, v_now,
        v_limit.per_device, v_limit.per_network, v_limit.sliding_window
    )
    returning use_id into v_use_id;
    v_left := credits.guest_standing(
        v_guest_ids, v_network_ids, v_limit.per_device, v_limit.per_network, v_limit.sliding_window, v_now
    );
    return row(
        v_use_id, guest_consume.module_id, 'reserved', v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at,
        false
    )::api.guest_receipt;
end
$$;


--
-- Name: FUNCTION guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean) IS 'Reserve a free use for a guest: somebody without an account.

For services. Then confirm_guest_use when it worked, release_guest_use when it failed; until then it counts as used.
device_keys and network_keys are one or two HMACs each (64 hex digits): under the current salt, and under the one before
or after it. shared_network: the network is known to be shared, and has the higher limit.
Raises PT429 guest_limit (what the limit is, and when the next use comes free), PT403 no_guests or not_yours,
PT404 unknown_module, PT422 bad_guest.';


--
-- Name: maintain(bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.maintain(max_accounts bigint DEFAULT 100) RETURNS api.maintenance
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_account_id uuid;
    v_answer api.maintenance := row(0);
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may do the maintenance');
    end if;
    -- Few at a time: their wallets stay locked until the end. One that is locked is being caught up by whoever has it.
    for v_account_id in
        select w.account_id
        from credits.wallets as w
        where w.due_at <= credits.clock()
        order by w.account_id
        limit maintain.max_accounts
        for no key update skip locked
    loop
        perform credits.lock_wallet(v_account_id);
        v_answer.accounts := v_answer.accounts + 1;
    end loop;
    -- A later version of a price has begun: the right one was charged from that moment on, but looked up the long way.
    if exists (select from credits.price_list as l where l.valid_until <= credits.clock()) then
        perform credits.list_prices();
    end if;
    return v_answer;
end
$$;


--
-- Name: FUNCTION maintain(max_accounts bigint); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.maintain(max_accounts bigint) IS 'Book expired lots, announce those that expire soon, and begin the periods of limits, for at most max_accounts accounts;
list the prices that have begun. For services. accounts: how many it did; call again until that is 0.

Raises PT403 not_yours.';


--
-- Name: open_account(text, text, text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.open_account(user_id text DEFAULT NULL::text, referral_code text DEFAULT NULL::text, device_keys text[] DEFAULT NULL::text[]) RETURNS api.account_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(open_account.user_id);
    v_entered record;
    v_receipt api.account_receipt;
begin
    if open_account.device_keys is not null and not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may say which guest this was');
    end if;
    v_entered := credits.enter(v_subject);
    perform credits.attach_at_sign_up(v_entered.account_id, open_account.referral_code);
    if v_entered.opened then
        perform credits.welcome(v_entered.account_id);
        perform credits.link_guest(v_entered.account_id, open_account.device_keys);
    end if;

    v_receipt.user_id := v_subject;
    v_receipt.opened := v_entered.opened;
    v_receipt.balance := trim_scale(credits.balance_at(v_entered.account_id, credits.clock()));
    v_receipt.referred := exists (
        select from credits.referrals as r where r.account_id = v_entered.account_id
    );
    return v_receipt;
end
$$;


--
-- Name: FUNCTION open_account(user_id text, referral_code text, device_keys text[]); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[]) IS 'Open the caller''s account, with what new accounts are given, or find it. Safe to repeat.

referral_code: of the user who brought them; one that is not good refuses the call, which may be repeated without.
device_keys, from services only: of the guest that a new user was.
Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle,
PT422 bad_user, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: quote_tokens(text, jsonb, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.quote_tokens(module_id text, usage jsonb DEFAULT '{}'::jsonb, user_id text DEFAULT NULL::text) RETURNS api.quote
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(quote_tokens.user_id);
    v_now constant timestamptz := credits.clock();
    v_account_id uuid;
    v_price record;
    v_quote api.quote;
begin
    -- 1. Whose tokens? Nobody's account is opened by asking.
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    if not found and credits.is_service() then
        perform credits.fail(404, 'unknown_user', 'no such user');
    end if;

    -- 2. The price.
    v_price := credits.price_usage(quote_tokens.module_id, quote_tokens.usage, v_now);
    v_quote.module_id := quote_tokens.module_id;
    v_quote.cost := trim_scale(v_price.cost);
    v_quote.price_id := v_price.price_id;
    v_quote.parts := credits.price_parts(v_price.price_id, v_price.usage);

    -- 3. What there is to pay it with; for who has no account yet, what the first spend would find in it.
    if v_account_id is null then
        v_quote.balance := trim_scale(credits.welcome_tokens(v_now));
        v_quote.available := trim_scale(
            credits.welcome_tokens(v_now, credits.scopes_of(quote_tokens.module_id))
        );
    else
        v_quote.balance := trim_scale(credits.balance_at(v_account_id, v_now));
        v_quote.available := trim_scale(least(
            credits.spendable(v_account_id, quote_tokens.module_id, v_now), credits.limit_left(v_account_id, v_now)
        ));
    end if;
    v_quote.sufficient := v_quote.available >= v_quote.cost;
    v_quote.affordable := credits.affordable(v_price.price_id, v_price.cost, v_quote.available);
    return v_quote;
end
$$;


--
-- Name: FUNCTION quote_tokens(module_id text, usage jsonb, user_id text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) IS 'What a use of a module would cost now, and whether the balance pays it. Writes nothing.

parts tell how the cost comes about: of each dimension the quantity, what of it is free, the units charged (rounded up to
whole ones where whole_units), their price or their tiers [{"above", "units", "price_per_unit"}], the minimum, and the
charge. The cost is the sum of the charges × margin ÷ exchange_rate, rounded up at the sixth decimal, once.
affordable is the greatest whole quantity that the tokens pay, or, of a price of several dimensions, how many such uses;
null when it is free.

Raises PT404 unknown_module or unknown_user, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: redeem_code(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.redeem_code(code text, idempotency_key text DEFAULT NULL::text, user_id text DEFAULT NULL::text) RETURNS api.redemption_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(redeem_code.user_id);
    v_code credits.codes;
    v_referral boolean;
    v_entered record;
    v_wallet record;
    v_known text;
    v_grant record;
begin
    -- 1. What, and whose. A promotion comes after the welcome; a referrer before it, for the order of locks.
    v_code := credits.find_code(redeem_code.code);
    v_referral := v_code.referrer_id is not null;
    v_entered := credits.enter(v_subject);
    if v_referral then
        perform credits.lock_identity(v_entered.account_id);
    elsif v_entered.opened then
        perform credits.welcome(v_entered.account_id);
    end if;

    -- 2. Lock. Repeat?
    v_wallet := credits.lock_wallet(v_entered.account_id);
    if redeem_code.idempotency_key is not null then
        v_known := credits.claim_key(
            v_entered.account_id, 'redeem_code', redeem_code.idempotency_key, jsonb_build_array(v_code.code),
            case when v_referral then 'referral' else (v_wallet.seq + 1)::text end
        );
        if v_known is not null then
            return credits.redemption_receipt(
                v_entered.account_id, v_subject, v_code, nullif(v_known, 'referral')::bigint, true
            );
        end if;
    end if;
    if v_wallet.status <> 'active' then
        perform credits.fail(423, 'account_frozen', 'this account is ' || v_wallet.status);
    end if;

    -- 3. Claim and grant.
    if v_referral then
        perform credits.attach_referrer(v_entered.account_id, v_code);
        if v_entered.opened then
            perform credits.welcome(v_entered.account_id);
        end if;
        return credits.redemption_receipt(v_entered.account_id, v_subject, v_code, null, false);
    end if;
    v_grant := credits.grant_campaign(v_entered.account_id, v_code.campaign_id, v_code.code);
    perform credits.refuse_code(v_grant.verdict);
    return credits.redemption_receipt(v_entered.account_id, v_subject, v_code, v_grant.lot_id, false);
end
$$;


--
-- Name: FUNCTION redeem_code(code text, idempotency_key text, user_id text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) IS 'Redeem a code: of a promotion, for its tokens, or of the user who brought you, for what the first purchase will bring.

Case and the space around the code do not matter. Opens the account of a new user.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true.
Raises PT404 unknown_code, PT409 code_expired, code_used, code_exhausted, own_code, not_eligible, referral_circle or
key_reused, PT422 bad_key, bad_user or bad_amount, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: referral_code(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.referral_code(user_id text DEFAULT NULL::text) RETURNS api.referral_offer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(referral_code.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_wallet record;
    v_offer api.referral_offer;
begin
    -- The lock: of two first calls at once the second one finds the first one's code.
    v_wallet := credits.lock_wallet(v_account_id, p_settle => false);
    if v_wallet.status <> 'active' then
        perform credits.fail(423, 'account_frozen', 'this account is ' || v_wallet.status);
    end if;
    select c.campaign_id, c.title, trim_scale(c.tokens), trim_scale(c.referee_tokens)
    into v_offer.campaign_id, v_offer.title, v_offer.tokens, v_offer.referee_tokens
    from credits.campaigns as c
    where c.kind = 'referral' and credits.campaign_verdict(c, 1, credits.clock()) = 'open'
    order by c.valid_from desc, c.campaign_id
    limit 1;
    if not found then
        perform credits.fail(404, 'no_campaign', 'no campaign rewards bringing somebody');
    end if;
    v_offer.user_id := v_subject;

    loop
        select c.code into v_offer.code
        from credits.codes as c
        where c.referrer_id = v_account_id and c.campaign_id = v_offer.campaign_id;
        exit when found;
        insert into credits.codes (code, campaign_id, referrer_id)
        values (credits.random_code(), v_offer.campaign_id, v_account_id)
        on conflict do nothing;
    end loop;
    return v_offer;
end
$$;


--
-- Name: FUNCTION referral_code(user_id text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.referral_code(user_id text) IS 'The caller''s own code, for those whom they bring, and what the first purchase of such a one gives to both. Made when
it is first asked for.

Raises PT404 no_campaign (none rewards bringing somebody) or unknown_user, PT422 bad_user,
PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: release_guest_use(uuid); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.release_guest_use(use_id uuid) RETURNS api.guest_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return credits.finish_guest_use(release_guest_use.use_id, 'released');
end
$$;


--
-- Name: FUNCTION release_guest_use(use_id uuid); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.release_guest_use(use_id uuid) IS 'A guest''s use failed: it no longer counts.

For services. The same again is answered again, replayed: true. Raises PT404 unknown_use,
PT409 use_closed (it was confirmed), PT403 not_yours.';


--
-- Name: report_failure(text, numeric, jsonb, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.report_failure(module_id text, duration_ms numeric DEFAULT NULL::numeric, metadata jsonb DEFAULT '{}'::jsonb, user_id text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text) RETURNS api.failure_receipt
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_failure credits.failures;
    v_subject text;
    v_known text;
begin
    -- 1. Who, and does it make sense?
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may report a failure');
    end if;
    v_subject := credits.caller_subject(report_failure.user_id);
    perform credits.check_metadata(report_failure.metadata);
    v_failure.duration_ms := round(report_failure.duration_ms, 6);
    -- NaN is above every number: the bound refuses it, and Infinity.
    if v_failure.duration_ms < 0 or v_failure.duration_ms >= 1000000000000 then
        perform credits.fail(422, 'bad_duration', 'duration_ms is a number of milliseconds from 0, below 10^12');
    end if;
    v_failure.account_id := credits.account_of(v_subject, false);

    -- 2. Lock. Repeat? A frozen account may have work under way: its failures count too.
    perform credits.lock_wallet(v_failure.account_id, p_settle => false);
    v_failure.failure_id := gen_random_uuid();
    if report_failure.idempotency_key is not null then
        v_known := credits.claim_key(
            v_failure.account_id, 'report_failure', report_failure.idempotency_key,
            jsonb_build_array(
                report_failure.module_id, trim_scale(v_failure.duration_ms), report_failure.metadata
            ),
            v_failure.failure_id::text
        );
        if v_known is not null then
            select f.* into v_failure
            from credits.failures as f
            where f.account_id = v_failure.account_id and f.failure_id = v_known::uuid;
            return row(v_failure.failure_id, v_subject, v_failure.module_id, v_failure.failed_at, true);
        end if;
    end if;

    -- 3. Write.
    v_failure.failed_at := credits.clock();
    if credits.find_price(report_failure.module_id, v_failure.failed_at) is null then
        perform credits.fail(404, 'unknown_module', 'no such module');
    end if;
    insert into credits.failures (account_id, failure_id, module_id, failed_at, duration_ms, metadata)
    values (
        v_failure.account_id, v_failure.failure_id, report_failure.module_id, v_failure.failed_at,
        v_failure.duration_ms, report_failure.metadata
    );
    return row(v_failure.failure_id, v_subject, report_failure.module_id, v_failure.failed_at, false);
end
$$;


--
-- Name: FUNCTION report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) IS 'Note that a use of a module failed: nothing is charged, and the figures know. For services.

duration_ms is how long it took; a success''s is the number duration_ms in the metadata of its charge.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true.
Raises PT404 unknown_module or unknown_user, PT409 key_reused, PT422 bad_duration, bad_metadata, bad_key or bad_user,
PT403 not_yours.';


--
-- Name: set_low_balance(numeric, numeric, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.set_low_balance(below numeric DEFAULT NULL::numeric, percent numeric DEFAULT NULL::numeric, user_id text DEFAULT NULL::text) RETURNS api.low_balance
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(set_low_balance.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_percent constant numeric := round(set_low_balance.percent, 6);
    v_answer api.low_balance;
begin
    if num_nonnulls(set_low_balance.below, set_low_balance.percent) = 2
        or not coalesce(v_percent > 0 and v_percent < 100, true) then
        perform credits.fail(422, 'bad_threshold', 'either below, or percent between 0 and 100');
    elsif set_low_balance.below is not null then
        perform credits.check_amount(set_low_balance.below);
    end if;

    -- The head lot keeps clear of the old threshold: put it back.
    perform credits.lock_wallet(v_account_id);
    insert into credits.notice_levels as n (account_id, below, percent)
    values (v_account_id, set_low_balance.below, v_percent)
    on conflict on constraint notice_levels_pkey do update
    set below = excluded.below, percent = excluded.percent, low_armed = true;

    v_answer.user_id := v_subject;
    v_answer.below := trim_scale(set_low_balance.below);
    v_answer.percent := trim_scale(v_percent);
    select trim_scale(l.low) into v_answer.threshold from credits.notice_levels_of(v_account_id) as l;
    return v_answer;
end
$$;


--
-- Name: FUNCTION set_low_balance(below numeric, percent numeric, user_id text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) IS 'Choose when the balance is low: below so many tokens, or below so many percent (to six decimals) of the last
grant; neither: the bank''s rule. Falling below it writes a notice, once until the balance has been above 110 percent
of it again.

Raises PT422 bad_threshold or bad_amount, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: set_spend_limit(text, numeric, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text DEFAULT NULL::text) RETURNS api.spend_limit
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_subject constant text := credits.caller_subject(set_spend_limit.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_set_by constant text := case when credits.is_service() then 'service' else 'user' end;
    v_now timestamptz;
    v_limit api.spend_limit;
begin
    if set_spend_limit.period is null or set_spend_limit.period not in ('day', 'month') then
        perform credits.fail(422, 'bad_period', 'period is day or month');
    elsif set_spend_limit.tokens <> 0 then
        perform credits.check_amount(set_spend_limit.tokens);
    end if;

    -- 1. Lock, and put the head back: it may hold more than the new limit allows.
    perform credits.lock_wallet(v_account_id);
    v_now := credits.clock();

    -- 2. The limit, and what the period has seen before it.
    if set_spend_limit.tokens is null then
        delete from credits.spend_limits as s
        where s.account_id = v_account_id and s.set_by = v_set_by and s.period = set_spend_limit.period;
    else
        insert into credits.spend_limits as s (account_id, set_by, period, tokens, period_starts, spent_before)
        select
            v_account_id, v_set_by, set_spend_limit.period, set_spend_limit.tokens, p.starts,
            w.lifetime_spent - (
                select coalesce(-sum(e.tokens), 0)
                from credits.entries as e
                where e.account_id = v_account_id and e.kind = 'spend' and e.posted_at >= p.starts
            )
        from credits.wallets as w
        cross join lateral (select credits.period_start(set_spend_limit.period, v_now) as starts) as p
        where w.account_id = v_account_id
        on conflict on constraint spend_limits_pkey do update set tokens = excluded.tokens;
    end if;
    perform credits.set_due(v_account_id);

    v_limit.user_id := v_subject;
    v_limit.period := set_spend_limit.period;
    v_limit.set_by := v_set_by;
    v_limit.resets_at := credits.next_period(set_spend_limit.period, v_now);
    select trim_scale(s.tokens), trim_scale(w.lifetime_spent - s.spent_before),
        trim_scale(greatest(s.tokens + s.spent_before - w.lifetime_spent, 0))
    into v_limit.tokens, v_limit.spent, v_limit.remaining
    from credits.spend_limits as s
    join credits.wallets as w on w.account_id = s.account_id
    where s.account_id = v_account_id and s.set_by = v_set_by and s.period = set_spend_limit.period;
    return v_limit;
end
$$;


--
-- Name: FUNCTION set_spend_limit(period text, tokens numeric, user_id text); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) IS 'Limit what may be spent in a day or month (UTC); tokens null lifts the limit, 0 stops all spending.

A user sets their own limit; what a service sets for a user_id stands beside it, and only a service can lift it.
A spend that would pass a limit raises PT429 spend_limit.
Raises PT422 bad_period or bad_amount, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in.';


--
-- Name: sign_up(text, text, text, text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.sign_up(email text, password_hash text, referral_code text DEFAULT NULL::text, device_keys text[] DEFAULT NULL::text[]) RETURNS api.credential
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_email constant text := lower(btrim(sign_up.email));
    v_subject constant text := gen_random_uuid();
    v_account_id uuid;
    v_credential api.credential;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may sign users up');
    elsif v_email is null or length(v_email) > 320
        or v_email !~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' then
        perform credits.fail(422, 'bad_email', 'this is not an e-mail address');
    elsif sign_up.password_hash is null or sign_up.password_hash not like '$argon2%' then
        perform credits.fail(422, 'bad_password', 'the password comes as an argon2 hash');
    end if;

    -- Of sign-ups with one e-mail at once the first one gets it; the others wait here and are refused whole.
    select e.account_id into v_account_id from credits.enter(v_subject) as e;
    insert into credits.credentials (email, password_hash, subject)
    values (v_email, sign_up.password_hash, v_subject)
    on conflict do nothing;
    if not found then
        perform credits.fail(409, 'email_taken', 'this e-mail address has an account already');
    end if;

    -- Who brought them, what they are given, and which guest they were.
    perform credits.attach_at_sign_up(v_account_id, sign_up.referral_code);
    perform credits.welcome(v_account_id);
    perform credits.link_guest(v_account_id, sign_up.device_keys);
    v_credential.user_id := v_subject;
    v_credential.email := v_email;
    return v_credential;
end
$_$;


--
-- Name: FUNCTION sign_up(email text, password_hash text, referral_code text, device_keys text[]); Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON FUNCTION api.sign_up(email text, password_hash text, referral_code text, device_keys text[]) IS 'Sign a user up with an e-mail and an argon2 hash, and open their account, with what new accounts are given. For services.

referral_code: of the user who brought them; one that is not good refuses the sign-up, which may be repeated without.
device_keys: of the guest that they were.
Raises PT409 email_taken, code_expired or code_exhausted, PT404 unknown_code, PT422 bad_email or bad_password,
PT403 not_yours.';


--
-- Name: account_of(text, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.account_of(p_subject text, p_service_opens boolean) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_account_id uuid;
begin
    select i.account_id into v_account_id from credits.identities as i where i.subject = p_subject;
    if v_account_id is null then
        if credits.is_service() and not p_service_opens then
            perform credits.fail(404, 'unknown_user', 'no such user');
        end if;
        v_account_id := credits.open_account(p_subject);
    end if;
    return v_account_id;
end
$$;


--
-- Name: FUNCTION account_of(p_subject text, p_service_opens boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.account_of(p_subject text, p_service_opens boolean) IS 'The account of a user id. A new one is opened by a user''s own call, and by a service''s if p_service_opens. Raises PT404 unknown_user, PT422 bad_user.';


--
-- Name: actor(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.actor() RETURNS text
    LANGUAGE sql STABLE
    RETURN COALESCE(NULLIF(current_setting('role'::text), 'none'::text), (SESSION_USER)::text);


--
-- Name: FUNCTION actor(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.actor() IS 'The acting role: authenticated, service_role, or an SQL login.';


--
-- Name: affordable(bigint, numeric, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_price record;
    v_tiers credits.price_tiers[];
    v_most numeric;
    v_charge numeric;
    v_middle numeric;
    -- Between the two lies the last quantity that can be paid. More than 10^15 is no usage.
    v_low numeric := 0;
    v_high numeric := 1000000000000001;
    v_charge_of_low numeric := 0;
begin
    -- 1. Several dimensions: whole repeats of the use that was priced.
    if (select count(*) from credits.price_components as c where c.price_id = p_price_id) > 1 then
        return div(p_tokens, nullif(p_cost, 0));
    end if;

    -- 2. The most that the component may charge, in the fractions of credits.charge: nothing is divided or rounded.
    --    Tokens have ledger scale, so that a cost is within them exactly when its rounding is. No use costs above 10^12.
    select c.*, p.margin, p.exchange_rate into v_price
    from credits.price_components as c
    join credits.prices as p on c.price_id = p.price_id
    where c.price_id = p_price_id;
    v_most := least(p_tokens, 1000000000000) * v_price.unit_size * v_price.exchange_rate;
    if v_price.tiered then
        v_tiers := credits.tiers_of(p_price_id, v_price.dimension);
    end if;

    -- 3. Fifty halvings.
    while v_high - v_low > 1 loop
        v_middle := div(v_low + v_high, 2);
        v_charge := v_price.margin * case
            when v_price.tiered
                then
                    credits.tiered_charge(
                        v_middle, v_price.unit_size, v_price.price_per_unit, v_price.free_quantity,
                        v_price.whole_units, v_price.minimum_charge, v_tiers
                    )
            else
                credits.charge(
                    v_middle, v_price.unit_size, v_price.price_per_unit, v_price.free_quantity,
                    v_price.whole_units, v_price.minimum_charge
                )
        end;
        if v_charge <= v_most then
            v_low := v_middle;
            v_charge_of_low := v_charge;
        else
            v_high := v_middle;
        end if;
    end loop;

    -- 4. Free, however much.
    if v_low = 1000000000000000 and v_charge_of_low = 0 then
        return null;
    end if;
    return v_low;
end
$$;


--
-- Name: FUNCTION affordable(p_price_id bigint, p_cost numeric, p_tokens numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric) IS 'How much p_tokens pay: the greatest whole quantity of the price''s one dimension, at most 10^15, or, when it has several, how many uses that cost p_cost. Null when it is free.';


--
-- Name: analyst_accounts(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.analyst_accounts() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return query select a.account_id from credits.accounts as a where a.segment = any (credits.analyst_segments());
end
$$;


--
-- Name: FUNCTION analyst_accounts(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.analyst_accounts() IS 'The accounts in the segments granted to the SQL login of this session.';


--
-- Name: analyst_segments(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.analyst_segments() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return coalesce((select array_agg(g.segment) from credits.analyst_grants as g where g.login = session_user), '{}');
end
$$;


--
-- Name: FUNCTION analyst_segments(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.analyst_segments() IS 'The segments granted to the SQL login of this session; * is every account.';


--
-- Name: announce_expiries(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.announce_expiries(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_now constant timestamptz := credits.clock();
    v_lot record;
begin
    for v_lot in
        update credits.lots as l
        set announced = true
        from credits.notice_rules as r
        where
            l.account_id = p_account_id and l.live and not l.announced and l.remaining > l.held
            and r.kind = 'expiring_soon' and l.expires_at > v_now and l.expires_at - r.ahead <= v_now
        returning l.lot_id, l.remaining - l.held as tokens, l.expires_at
    loop
        perform credits.put_notice(
            p_account_id, 'expiring_soon',
            jsonb_build_object(
                'lot_id', v_lot.lot_id, 'tokens', trim_scale(v_lot.tokens), 'expires_at', v_lot.expires_at
            )
        );
    end loop;
end
$$;


--
-- Name: FUNCTION announce_expiries(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.announce_expiries(p_account_id uuid) IS 'Puts the lots of a locked and settled wallet that expire soon in the outbox, once each.';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: orders; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.orders (
    account_id uuid NOT NULL,
    order_id uuid DEFAULT gen_random_uuid() NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
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
    parked_reason text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    paid_at timestamp with time zone,
    CONSTRAINT orders_amount_is_positive CHECK ((amount > 0)),
    CONSTRAINT orders_paid_has_time CHECK (((state = 'paid'::text) = (paid_at IS NOT NULL))),
    CONSTRAINT orders_parked_has_reason CHECK (((state = 'parked'::text) = (parked_reason IS NOT NULL))),
    CONSTRAINT orders_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'processing'::text, 'paid'::text, 'failed'::text, 'expired'::text, 'parked'::text]))),
    CONSTRAINT orders_tokens_are_positive CHECK ((((tokens)::numeric > (0)::numeric) AND ((bonus_tokens)::numeric >= (0)::numeric)))
);

ALTER TABLE ONLY credits.orders FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE orders; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.orders IS 'Purchases, each with a snapshot of what was sold: the grant comes from here, never from what an event says.';


--
-- Name: COLUMN orders.state; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.orders.state IS 'pending → processing (paid later) → paid, failed or expired; parked: money that does not match the order, for a person to decide.';


--
-- Name: COLUMN orders.amount; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.orders.amount IS 'Price in minor units of currency.';


--
-- Name: apply_session(credits.orders, text, jsonb, api.event_receipt); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.apply_session(p_order credits.orders, p_type text, p_session jsonb, p_receipt api.event_receipt) RETURNS api.event_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_receipt api.event_receipt := p_receipt;
    v_order credits.orders;
    v_session_id constant text := p_session ->> 'id';
    v_paid constant boolean := p_type = 'checkout.session.async_payment_succeeded'
    or (p_type = 'checkout.session.completed' and p_session ->> 'payment_status' in ('paid', 'no_payment_required'));
    v_discount constant jsonb := p_session #> '{total_details,amount_discount}';
    v_reason text;
begin
    -- 3. Lock the wallet, then read what the order is now.
    if v_paid then
        perform credits.lock_with_referrer(p_order.account_id);
    else
        perform credits.lock_wallet(p_order.account_id);
    end if;
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id;
    v_receipt.order_id := v_order.order_id;

    -- 4a. No money (yet). A session of which the order does not know says nothing about it; nor does late news.
    if not v_paid then
        v_receipt.outcome := case p_type
            when 'checkout.session.completed' then 'processing'
            when 'checkout.session.async_payment_failed' then 'failed'
            else 'expired'
        end;
        if v_order.checkout_session_id <> v_session_id
            or v_order.state not in ('pending', 'processing')
            or (v_order.state = 'processing' and v_receipt.outcome <> 'failed') then
            v_receipt.outcome := 'duplicate';
            return v_receipt;
        end if;
        update credits.orders as o
        set
            state = v_receipt.outcome, checkout_session_id = v_session_id,
            payment_intent_id = coalesce(o.payment_intent_id, p_session ->> 'payment_intent')
        where o.account_id = v_order.account_id and o.order_id = v_order.order_id;
        return v_receipt;
    end if;

    -- 4b. Money that has been dealt with, told again under another event id.
    if (v_order.state = 'paid' and v_order.checkout_session_id = v_session_id) or exists (
        select from credits.stripe_events as e where e.object_id = v_session_id and e.outcome = 'parked'
    ) then
        v_receipt.outcome := 'duplicate';
        return v_receipt;
    end if;

    -- 4c. Money that is not what was asked for: a person must look at it, the order being paid already or not.
    v_reason := credits.payment_mismatch(v_order, p_session);
    if v_reason is not null then
        update credits.orders as o
        set state = 'parked', parked_reason = v_reason
        where o.account_id = v_order.account_id and o.order_id = v_order.order_id and o.state <> 'paid';
        v_receipt.outcome := 'parked';
        return v_receipt;
    end if;

    -- 4d. The money that was asked for.
    v_receipt.entry_id := credits.fulfil_order(v_order, v_session_id, p_session ->> 'payment_intent', v_discount);
    perform credits.settle_referral(v_order.account_id);
    v_receipt.outcome := 'granted';
    return v_receipt;
end
$$;


--
-- Name: FUNCTION apply_session(p_order credits.orders, p_type text, p_session jsonb, p_receipt api.event_receipt); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.apply_session(p_order credits.orders, p_type text, p_session jsonb, p_receipt api.event_receipt) IS 'What an event of a Checkout session does to its order.';


--
-- Name: attach_at_sign_up(uuid, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.attach_at_sign_up(p_account_id uuid, p_code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_code credits.codes;
    v_wallet record;
begin
    if credits.normal_code(p_code) is null then
        return;
    end if;
    v_code := credits.find_code(p_code);
    if v_code.referrer_id is null then
        perform credits.refuse_code('withdrawn');
    end if;
    perform credits.lock_identity(p_account_id);
    v_wallet := credits.lock_wallet(p_account_id);
    if exists (
        select from credits.referrals as r where r.account_id = p_account_id and r.code = v_code.code
    ) then
        return;
    elsif v_wallet.status <> 'active' then
        perform credits.fail(423, 'account_frozen', 'this account is ' || v_wallet.status);
    end if;
    perform credits.attach_referrer(p_account_id, v_code);
end
$$;


--
-- Name: FUNCTION attach_at_sign_up(p_account_id uuid, p_code text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.attach_at_sign_up(p_account_id uuid, p_code text) IS 'Notes who brought an account, by their code; null is nobody, and the same code again is no error. Raises what credits.attach_referrer raises, PT404 unknown_code for a code that is no person''s, PT423 account_frozen.';


--
-- Name: codes; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.codes (
    code text NOT NULL,
    campaign_id text NOT NULL,
    referrer_id uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT codes_are_normal CHECK (((code = upper(btrim(code))) AND ((length(code) >= 3) AND (length(code) <= 64))))
);

ALTER TABLE ONLY credits.codes FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE codes; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.codes IS 'What people type in: the code of a promotion, or of the person who refers.';


--
-- Name: COLUMN codes.referrer_id; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.codes.referrer_id IS 'The referrer; null for a promotion.';


--
-- Name: attach_referrer(uuid, credits.codes); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.attach_referrer(p_account_id uuid, p_code credits.codes) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_campaign credits.campaigns;
begin
    -- 1. One attachment at a time in the whole bank. The update makes a stricter isolation level see that, too.
    perform from credits.campaigns as c where c.kind = 'referral' order by c.campaign_id for no key update;
    update credits.campaigns as c set grants = c.grants where c.kind = 'referral';

    -- 2. Does the code still bring anything?
    select c.* into v_campaign from credits.campaigns as c where c.campaign_id = p_code.campaign_id;
    perform credits.refuse_code(credits.campaign_verdict(v_campaign, 1, credits.clock()));
    if exists (
        select from credits.wallets as w where w.account_id = p_code.referrer_id and w.status = 'closed'
    ) then
        perform credits.refuse_code('withdrawn');
    end if;

    -- 3. May this account be brought, and by this one?
    if p_code.referrer_id = p_account_id then
        perform credits.fail(409, 'own_code', 'this is your own code');
    elsif exists (select from credits.referrals as r where r.account_id = p_account_id)
        or exists (select from credits.orders as o where o.account_id = p_account_id and o.state = 'paid') then
        perform credits.fail(409, 'not_eligible', 'this account has been brought, or has bought, before');
    end if;
    if exists (
        with recursive above (account_id) as (
            select p_code.referrer_id
            union
            select r.referrer_id
            from above as x
            join credits.referrals as r on r.account_id = x.account_id
        )

        select from above as x where x.account_id = p_account_id
    ) then
        perform credits.fail(409, 'referral_circle', 'the owner of this code was brought by you, directly or not');
    end if;

    insert into credits.referrals (account_id, referrer_id, campaign_id, code, created_at)
    values (p_account_id, p_code.referrer_id, p_code.campaign_id, p_code.code, credits.clock());
end
$$;


--
-- Name: FUNCTION attach_referrer(p_account_id uuid, p_code credits.codes); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.attach_referrer(p_account_id uuid, p_code credits.codes) IS 'Notes who brought an account whose identity and wallet are locked. Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle.';


--
-- Name: balance_at(uuid, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.balance_at(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return coalesce((
        select w.balance - case when w.due_at <= p_at then (
            select coalesce(sum(l.remaining - l.held), 0)
            from credits.current_lots as l
            where l.account_id = w.account_id and l.expires_at <= p_at
        ) else 0 end
        from credits.wallets as w
        where w.account_id = p_account_id
    ), 0);
end
$$;


--
-- Name: FUNCTION balance_at(p_account_id uuid, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.balance_at(p_account_id uuid, p_at timestamp with time zone) IS 'Balance of an account without what has expired by p_at; 0 for none.';


--
-- Name: begin_periods(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.begin_periods(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_now constant timestamptz := credits.clock();
begin
    -- Nothing was spent since the period began: whoever spends comes by here first.
    update credits.spend_limits as s
    set period_starts = credits.period_start(s.period, v_now), spent_before = w.lifetime_spent
    from credits.wallets as w
    where
        s.account_id = p_account_id and w.account_id = p_account_id
        and s.period_starts < credits.period_start(s.period, v_now);
end
$$;


--
-- Name: FUNCTION begin_periods(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.begin_periods(p_account_id uuid) IS 'Begins the days and months of a locked wallet''s limits that have come.';


--
-- Name: campaigns; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.campaigns (
    campaign_id text NOT NULL,
    kind credits.entry_kind NOT NULL,
    title text NOT NULL,
    tokens credits.amount NOT NULL,
    referee_tokens credits.amount DEFAULT 0 NOT NULL,
    budget bigint,
    grants bigint DEFAULT 0 NOT NULL,
    per_account bigint DEFAULT 1 NOT NULL,
    valid_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    valid_until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    expires_after interval,
    priority bigint,
    scope text,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT campaigns_budget_is_kept CHECK (((grants >= 0) AND (grants <= COALESCE(budget, '9223372036854775807'::bigint)))),
    CONSTRAINT campaigns_expiry_is_sane CHECK (((expires_after > '00:00:00'::interval) AND (expires_after <= '1000 years'::interval))),
    CONSTRAINT campaigns_id_is_sane CHECK (((length(campaign_id) >= 1) AND (length(campaign_id) <= 200))),
    CONSTRAINT campaigns_kind_is_a_gift CHECK ((kind = ANY (ARRAY['welcome'::credits.entry_kind, 'promo'::credits.entry_kind, 'referral'::credits.entry_kind]))),
    CONSTRAINT campaigns_per_account_is_positive CHECK ((per_account > 0)),
    CONSTRAINT campaigns_referee_tokens_are_of_referrals CHECK ((((referee_tokens)::numeric = (0)::numeric) OR (kind = 'referral'::credits.entry_kind))),
    CONSTRAINT campaigns_tokens_are_positive CHECK (((tokens)::numeric > (0)::numeric)),
    CONSTRAINT campaigns_validity_is_a_span CHECK ((valid_from < valid_until)),
    CONSTRAINT campaigns_welcome_once CHECK (((kind <> 'welcome'::credits.entry_kind) OR (per_account = 1)))
);

ALTER TABLE ONLY credits.campaigns FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE campaigns; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.campaigns IS 'What is given away, to whom, how often, and for how long.';


--
-- Name: COLUMN campaigns.kind; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.kind IS 'welcome: when an account opens; promo: for a code; referral: to who brought somebody, once that one has paid.';


--
-- Name: COLUMN campaigns.tokens; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.tokens IS 'Size of one grant: of a referral, the referrer''s.';


--
-- Name: COLUMN campaigns.referee_tokens; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.referee_tokens IS 'Of a referral: what the one who was brought gets with the first purchase.';


--
-- Name: COLUMN campaigns.budget; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.budget IS 'Grants at most, over all accounts; null: no limit.';


--
-- Name: COLUMN campaigns.grants; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.grants IS 'Grants so far, counted under this row''s lock, which is taken after the wallet''s. A referral counts once, though two are given something.';


--
-- Name: COLUMN campaigns.per_account; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.per_account IS 'Grants to one account at most: of a referral, to one referrer.';


--
-- Name: COLUMN campaigns.expires_after; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.campaigns.expires_after IS 'Life of the granted tokens; null: they never expire.';


--
-- Name: book_gift(uuid, credits.campaigns, bigint, numeric, text, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_lot_id bigint;
begin
    -- The metadata put the campaign into the hash chain, and tell its grants from those of a service of that reference.
    v_lot_id := credits.grant_lot(
        p_account_id, p_campaign.kind, p_tokens, p_campaign.title, p_campaign.priority, p_campaign.scope,
        p_at + p_campaign.expires_after, p_reference => p_campaign.campaign_id,
        p_metadata => jsonb_build_object('campaign_id', p_campaign.campaign_id, 'number', p_number)
    );
    insert into credits.redemptions (account_id, campaign_id, number, lot_id, code, redeemed_at)
    values (p_account_id, p_campaign.campaign_id, p_number, v_lot_id, p_code, p_at);
    return v_lot_id;
end
$$;


--
-- Name: FUNCTION book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone) IS 'Books grant p_number of a campaign on a locked wallet, and returns the lot. The key of the redemption lets it happen once.';


--
-- Name: caller_subject(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.caller_subject(p_user_id text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_service constant boolean := credits.is_service();
    v_subject constant text := case when v_service then p_user_id else credits.subject() end;
begin
    if v_subject is null or p_user_id <> v_subject then
        if v_service then
            perform credits.fail(422, 'bad_user', 'user_id is required: a service says whose tokens it means');
        elsif v_subject is null then
            perform credits.fail(401, 'not_signed_in', 'nobody is signed in');
        end if;
        perform credits.fail(403, 'not_yours', 'only a service may name another user');
    end if;
    return v_subject;
end
$$;


--
-- Name: FUNCTION caller_subject(p_user_id text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.caller_subject(p_user_id text) IS 'The user id that a call is about: the caller''s own, or the one that a service names. Raises PT401 not_signed_in, PT403 not_yours, PT422 bad_user.';


--
-- Name: campaign_verdict(credits.campaigns, bigint, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return case
        when not p_campaign.active or p_at < p_campaign.valid_from then 'withdrawn'
        when p_at >= p_campaign.valid_until then 'ended'
        when p_number > p_campaign.per_account then 'used'
        when p_campaign.grants >= p_campaign.budget then 'exhausted'
        else 'open'
    end;
end
$$;


--
-- Name: FUNCTION campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone) IS 'Whether a campaign would give an account its grant of that number: open, else withdrawn (or not begun), ended, used (by the account) or exhausted (the budget).';


--
-- Name: catch_up(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.catch_up(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.expire_lots(p_account_id);
    perform credits.announce_expiries(p_account_id);
    perform credits.begin_periods(p_account_id);
    perform credits.set_due(p_account_id);
end
$$;


--
-- Name: FUNCTION catch_up(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.catch_up(p_account_id uuid) IS 'Does what has become due on a locked and settled wallet.';


--
-- Name: ceil_tokens(numeric, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN ((div((numerator * (1000000)::numeric), denominator) + (((mod((numerator * (1000000)::numeric), denominator) > (0)::numeric))::integer)::numeric) / 1000000.000000);


--
-- Name: FUNCTION ceil_tokens(numerator numeric, denominator numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) IS 'A quotient at ledger scale, up.';


--
-- Name: charge(numeric, numeric, numeric, numeric, boolean, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (quantity IS NULL) THEN NULL::numeric WHEN (quantity <= free_quantity) THEN (0)::numeric WHEN whole_units THEN (GREATEST(((div((quantity - free_quantity), unit_size) + (((mod((quantity - free_quantity), unit_size) > (0)::numeric))::integer)::numeric) * price_per_unit), minimum_charge) * unit_size) ELSE GREATEST(((quantity - free_quantity) * price_per_unit), (minimum_charge * unit_size)) END;


--
-- Name: FUNCTION charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric) IS 'What a component of a price takes for a quantity, before margin and exchange rate, times unit_size. Exact.';


--
-- Name: charge_durations(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.charge_durations() RETURNS TABLE(account_id uuid, seq bigint, duration_ms numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_all constant boolean := '*' = any (credits.analyst_segments())
        or pg_has_role(credits.actor(), 'auditor', 'member');
    -- Users write what they like on their own charges: only a service's word counts.
    v_services constant text[] := array(
        select r.rolname from pg_roles as r where pg_has_role(r.oid, 'service_role', 'member')
    );
begin
    return query
    select e.account_id, e.seq, credits.quantity(e.metadata -> 'duration_ms')
    from credits.entries as e
    where
        e.kind in ('spend', 'byok') and e.actor = any (v_services)
        and credits.quantity(e.metadata -> 'duration_ms') < 1000000000000
        and (v_all or e.account_id in (select a.account_id from credits.analyst_accounts() as a (account_id)));
end
$$;


--
-- Name: FUNCTION charge_durations(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.charge_durations() IS 'Milliseconds that a use took: the number duration_ms in the metadata of a service''s charge, of the accounts that the analyst of this session may count; an auditor gets all.';


--
-- Name: check_amount(numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_amount(p_amount numeric) RETURNS credits.tokens
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- NaN is above every number and Infinity above every bound: the upper bound refuses both.
    if p_amount is null or p_amount <= 0 or p_amount > 1000000000000 then
        perform credits.fail(422, 'bad_amount', 'an amount is above 0 and at most 1000000000000');
    elsif scale(trim_scale(p_amount)) > 6 then
        perform credits.fail(422, 'bad_amount', 'an amount has at most six decimals');
    end if;
    return p_amount;
end
$$;


--
-- Name: FUNCTION check_amount(p_amount numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_amount(p_amount numeric) IS 'The amount, if it is above 0, at most 10^12 and has at most six decimals. Raises PT422 bad_amount.';


--
-- Name: check_components(text, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_components(p_name text, p_components jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_component jsonb;
    v_dimension text;
    v_field record;
begin
    if jsonb_typeof(p_components) is distinct from 'array' or jsonb_array_length(p_components) = 0 then
        perform credits.refuse_line('price of', p_name, 'components is an array of at least one');
    end if;
    for v_component in select c.value from jsonb_array_elements(p_components) as c loop
        v_dimension := v_component ->> 'dimension';
        if jsonb_typeof(v_component) <> 'object' or v_dimension is null then
            perform credits.refuse_line('price of', p_name, 'a component is an object with a dimension');
        elsif not exists (select from credits.dimensions as d where d.dimension = v_dimension) then
            perform credits.refuse_line('price of', p_name, format('unknown dimension %L', left(v_dimension, 100)));
        elsif not v_component ? 'price_per_unit' then
            perform credits.refuse_line('price of', p_name, format('%s without price_per_unit', v_dimension));
        end if;
        for v_field in select f.key, f.value from jsonb_each(v_component) as f loop
            case v_field.key
                when 'dimension' then
                    continue;
                when 'tiers' then
                    perform credits.check_tiers(p_name, v_dimension, v_field.value);
                when 'whole_units' then
                    if jsonb_typeof(v_field.value) <> 'boolean' then
                        perform credits.refuse_line(
                            'price of', p_name, format('whole_units of %s is true or false', v_dimension)
                        );
                    end if;
                when 'unit_size', 'price_per_unit', 'free_quantity', 'minimum_charge', 'provider_cost' then
                    if credits.quantity(v_field.value) is null
                        or v_field.key = 'unit_size' and credits.quantity(v_field.value) = 0 then
                        perform credits.refuse_line(
                            'price of', p_name, format(
                                '%s of %s is a number %s to 10^15', v_field.key, v_dimension,
                                case v_field.key when 'unit_size' then 'above 0, up' else 'from 0' end
                            )
                        );
                    end if;
                else
                    perform credits.refuse_line(
                        'price of', p_name, format('unknown field %L of %s', left(v_field.key, 100), v_dimension)
                    );
            end case;
        end loop;
    end loop;
    if (select count(*) > count(distinct c.value -> 'dimension') from jsonb_array_elements(p_components) as c) then
        perform credits.refuse_line('price of', p_name, 'the same dimension twice');
    end if;
    return (
        select jsonb_agg(
            '{"unit_size": 1, "free_quantity": 0, "whole_units": false, "minimum_charge": 0, "provider_cost": null,
              "tiers": []}' || c.value
            order by c.value ->> 'dimension'
        )
        from jsonb_array_elements(p_components) as c
    );
end
$$;


--
-- Name: FUNCTION check_components(p_name text, p_components jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_components(p_name text, p_components jsonb) IS 'The components of a price as credits.components_as_json would give them, with the defaults filled in. Raises PT422 bad_catalogue for anything that is none.';


--
-- Name: check_currency(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_currency(p_currency text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if p_currency is not null
        and not exists (select from credits.currencies as c where c.currency = p_currency) then
        perform credits.fail(
            422, 'bad_catalogue', format('Stripe takes no payments in %L: ISO 4217, lower case', p_currency)
        );
    end if;
end
$$;


--
-- Name: FUNCTION check_currency(p_currency text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_currency(p_currency text) IS 'Raises PT422 bad_catalogue unless p_currency is null or one that Stripe takes payments in.';


--
-- Name: check_guest_keys(text[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_guest_keys(p_keys text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_keys constant text[] := array(select k.key from unnest(p_keys) as k (key));
begin
    if cardinality(v_keys) not between 1 and 2 or array_to_string(v_keys, ',', '') !~ '^[0-9a-f]{64}(,[0-9a-f]{64})?$' then
        perform credits.fail(422, 'bad_guest', 'a guest comes with one or two keys, each of 64 hex digits, lower case');
    end if;
    return v_keys;
end
$_$;


--
-- Name: FUNCTION check_guest_keys(p_keys text[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_guest_keys(p_keys text[]) IS 'The keys of a device or network, as a plain array. Raises PT422 bad_guest.';


--
-- Name: check_metadata(jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_metadata(p_metadata jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
    if jsonb_typeof(p_metadata) is distinct from 'object' or pg_column_size(p_metadata) > 16384
        or exists (
            select
            from jsonb_path_query(p_metadata, 'strict $.** ? (@.type() == "number")') as n (number)
            where abs(n.number::numeric) > 1e100 or scale(n.number::numeric) > 100
        ) then
        perform credits.fail(
            422, 'bad_metadata',
            'metadata is an object of at most 16 kB, with numbers of at most 100 digits and 100 decimals'
        );
    end if;
end
$_$;


--
-- Name: FUNCTION check_metadata(p_metadata jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_metadata(p_metadata jsonb) IS 'Raises PT422 bad_metadata unless it is an object of at most 16 kB, without numbers beyond 10^100 or with more than 100 decimals.';


--
-- Name: check_scope(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_scope(p_scope text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if p_scope is null then
        return;
    elsif p_scope like 'module:%' then
        if exists (select from credits.modules as m where m.module_id = substr(p_scope, 8)) then
            return;
        end if;
    elsif p_scope like 'category:%' then
        if exists (select from credits.module_categories as c where c.category_id = substr(p_scope, 10)) then
            return;
        end if;
    end if;
    perform credits.fail(422, 'bad_scope', 'scope is module:ID or category:ID of something in the catalogue');
end
$$;


--
-- Name: FUNCTION check_scope(p_scope text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_scope(p_scope text) IS 'Raises PT422 bad_scope unless p_scope is null or names a module or category of the catalogue.';


--
-- Name: check_stripe_prices(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_stripe_prices() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_unknown constant text := (
        select min(k.pack_id)
        from jsonb_object_keys(nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb) as k (pack_id)
        where not exists (select from credits.packs as p where p.pack_id = k.pack_id)
    );
begin
    if v_unknown is not null then
        perform credits.refuse_line('stripe price of pack', v_unknown, 'no such pack');
    end if;
end
$$;


--
-- Name: FUNCTION check_stripe_prices(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_stripe_prices() IS 'Asked after a catalogue file: raises PT422 bad_catalogue when a price is configured for a pack that does not exist.';


--
-- Name: check_tiers(text, text, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_tier jsonb;
    v_before numeric := 0;
begin
    if jsonb_typeof(p_tiers) <> 'array' or jsonb_array_length(p_tiers) = 0 then
        perform credits.refuse_line('price of', p_name, format('tiers of %s is an array of at least one', p_dimension));
    end if;
    for v_tier in select t.value from jsonb_array_elements(p_tiers) as t loop
        if jsonb_typeof(v_tier) <> 'object' or v_tier - array['above', 'price_per_unit'] <> '{}'
            or credits.quantity(v_tier -> 'above') is null or credits.quantity(v_tier -> 'price_per_unit') is null then
            perform credits.refuse_line(
                'price of', p_name,
                format('a tier of %s is {"above", "price_per_unit"}, numbers from 0 to 10^15', p_dimension)
            );
        elsif credits.quantity(v_tier -> 'above') <= v_before then
            perform credits.refuse_line(
                'price of', p_name, format('tiers of %s begin above 0, each above the one before', p_dimension)
            );
        end if;
        v_before := credits.quantity(v_tier -> 'above');
    end loop;
end
$$;


--
-- Name: FUNCTION check_tiers(p_name text, p_dimension text, p_tiers jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb) IS 'Raises PT422 bad_catalogue unless these are tiers, in ascending order.';


--
-- Name: choose_head(uuid, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.choose_head(p_account_id uuid, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_next record;
    v_head numeric;
begin
    if exists (
        select
        from credits.lots as l
        where l.account_id = p_account_id and l.live and (l.scope is not null or l.effective_at > p_at)
    ) then
        return;
    end if;
    v_next := credits.next_lot(p_account_id, null, p_at);
    v_head := least(v_next.free, credits.head_allowance(p_account_id, p_at));
    if v_next.lot_id is not null and v_head > 0 then
        update credits.lots as l
        set remaining = l.remaining - v_head, live = l.remaining > v_head
        where l.account_id = p_account_id and l.lot_id = v_next.lot_id;
        update credits.wallets as w
        set head_lot = v_next.lot_id, head_free = v_head
        where w.account_id = p_account_id;
    end if;
end
$$;


--
-- Name: FUNCTION choose_head(p_account_id uuid, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.choose_head(p_account_id uuid, p_at timestamp with time zone) IS 'Moves tokens of the lot that is spent next onto a locked and settled wallet, if that lot is next for every module: all that are free, or as many as may go before a limit or a notice is reached.';


--
-- Name: claim_key(uuid, text, text, jsonb, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_reference text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_fingerprint constant bytea := sha256(convert_to(p_arguments::text, 'UTF8'));
    v_known credits.idempotency_keys;
begin
    if length(p_key) not between 1 and 200 then
        perform credits.fail(422, 'bad_key', 'an idempotency key has 1 to 200 characters');
    end if;

    insert into credits.idempotency_keys (account_id, operation, key, fingerprint, reference, created_at)
    values (p_account_id, p_operation, p_key, v_fingerprint, p_reference, credits.clock())
    on conflict do nothing;
    if found then
        return null;
    end if;

    -- A statement of its own, so that it sees what a call that has just ended wrote.
    select k.* into v_known
    from credits.idempotency_keys as k
    where k.account_id = p_account_id and k.operation = p_operation and k.key = p_key;
    if v_known.fingerprint <> v_fingerprint then
        perform credits.fail(409, 'key_reused', 'this idempotency key was used with other arguments');
    end if;
    return v_known.reference;
end
$$;


--
-- Name: FUNCTION claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_reference text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_reference text) IS 'Claims a key for the call that is about to make p_reference. Null: it is new, go on. Else what the call made the first time: answer that again. Raises PT409 key_reused, PT422 bad_key.';


--
-- Name: clock(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.clock() RETURNS timestamp with time zone
    LANGUAGE sql PARALLEL SAFE
    RETURN clock_timestamp();


--
-- Name: FUNCTION clock(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.clock() IS 'The time now, not the start of the transaction.';


--
-- Name: components_as_json(bigint); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.components_as_json(p_price_id bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return (
        select jsonb_agg(jsonb_build_object(
            'dimension', c.dimension,
            'unit_size', trim_scale(c.unit_size),
            'price_per_unit', trim_scale(c.price_per_unit),
            'free_quantity', trim_scale(c.free_quantity),
            'whole_units', c.whole_units,
            'minimum_charge', trim_scale(c.minimum_charge),
            'provider_cost', trim_scale(c.provider_cost),
            'tiers', coalesce((
                select jsonb_agg(jsonb_build_object(
                    'above', trim_scale(t.above), 'price_per_unit', trim_scale(t.price_per_unit)
                ) order by t.above)
                from credits.price_tiers as t
                where t.price_id = c.price_id and t.dimension = c.dimension
            ), '[]')
        ) order by c.dimension)
        from credits.price_components as c
        where c.price_id = p_price_id
    );
end
$$;


--
-- Name: FUNCTION components_as_json(p_price_id bigint); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.components_as_json(p_price_id bigint) IS 'The components of a version, by dimension, each with all its fields, as credits.define_price takes them.';


--
-- Name: configured_stripe_price(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.configured_stripe_price(p_pack_id text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb ->> p_pack_id;
end
$$;


--
-- Name: FUNCTION configured_stripe_price(p_pack_id text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.configured_stripe_price(p_pack_id text) IS 'The price at Stripe that the operator has configured for a pack; null when there is none.';


--
-- Name: default_priority(credits.entry_kind); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.default_priority(p_source credits.entry_kind) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return case
        when p_source = 'rollover' then 5
        when p_source = 'allowance' then 10
        when p_source in ('welcome', 'promo', 'referral', 'grant') then 20
        else 50
    end;
end
$$;


--
-- Name: FUNCTION default_priority(p_source credits.entry_kind); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.default_priority(p_source credits.entry_kind) IS 'When tokens of a source are spent: rollover 5, allowance 10, given away 20, bought (and what came with it) 50.';


--
-- Name: define_campaign(text, text, text, numeric, numeric, bigint, bigint, timestamp with time zone, timestamp with time zone, interval, bigint, text, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric DEFAULT 0, p_budget bigint DEFAULT NULL::bigint, p_per_account bigint DEFAULT 1, p_valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone, p_valid_until timestamp with time zone DEFAULT NULL::timestamp with time zone, p_expires_after interval DEFAULT NULL::interval, p_priority bigint DEFAULT NULL::bigint, p_scope text DEFAULT NULL::text, p_active boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_known credits.campaigns;
    v_why text;
begin
    -- Locked: no grant is counted while the new budget is compared with the count.
    select c.* into v_known from credits.campaigns as c where c.campaign_id = p_campaign_id for no key update;
    v_why := case
        when p_kind is null or p_kind not in ('welcome', 'promo', 'referral') then 'kind is welcome, promo or referral'
        when v_known.kind::text <> p_kind then format('its kind is %s and cannot change', v_known.kind)
        when length(p_title) not between 1 and 200 then 'a title has 1 to 200 characters'
        when p_referee_tokens <> 0 and p_kind <> 'referral' then 'referee_tokens are for a referral'
        when p_kind = 'welcome' and p_per_account <> 1 then 'a welcome is given once: per_account is 1'
        when p_budget < greatest(v_known.grants, 1)
            then format('a budget of %s is below the %s grants made, or below 1', p_budget, v_known.grants)
        when p_per_account < v_known.per_account and exists (
            select from credits.redemptions as r where r.campaign_id = p_campaign_id and r.number > p_per_account
        ) then format('somebody has had more than %s grants', p_per_account)
    end;
    if v_why is not null then
        perform credits.fail(422, 'bad_catalogue', v_why);
    end if;
    perform credits.check_amount(p_tokens);
    if p_referee_tokens <> 0 then
        perform credits.check_amount(p_referee_tokens);
    end if;
    perform credits.check_scope(p_scope);

    insert into credits.campaigns as c (
        campaign_id, kind, title, tokens, referee_tokens, budget, per_account, valid_from, valid_until,
        expires_after, priority, scope, active
    )
    values (
        p_campaign_id, p_kind::credits.entry_kind, p_title, p_tokens, p_referee_tokens, p_budget, p_per_account,
        coalesce(p_valid_from, '-infinity'), coalesce(p_valid_until, 'infinity'), p_expires_after, p_priority, p_scope,
        p_active
    )
    on conflict (campaign_id) do update
    set
        title = excluded.title, tokens = excluded.tokens, referee_tokens = excluded.referee_tokens,
        budget = excluded.budget, per_account = excluded.per_account, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, expires_after = excluded.expires_after, priority = excluded.priority,
        scope = excluded.scope, active = excluded.active;
exception
    -- What was refused here gets the name of its line there.
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('campaign', p_campaign_id, sqlerrm);
end
$$;


--
-- Name: FUNCTION define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean) IS 'Something given away: kind welcome (when an account opens), promo (for a code) or referral (tokens to who brought somebody, referee_tokens to whom they brought, with the first purchase). budget and per_account count grants; p_expires_after is the life of what is granted. Raises PT422 bad_catalogue.';


--
-- Name: define_catalog(text, text, text, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.check_currency(p_currency);
    insert into credits.catalogs as c (catalog_id, title, unit, currency)
    values (p_catalog_id, p_title, p_unit, p_currency)
    on conflict (catalog_id) do update
    set
        title = excluded.title, unit = excluded.unit, currency = excluded.currency,
        applied_at = credits.clock();
exception
    when not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('catalog', p_catalog_id, sqlerrm);
end
$$;


--
-- Name: FUNCTION define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text) IS 'Names the catalogue, the unit of its balances, and the money that its packs are sold in. Raises PT422 bad_catalogue.';


--
-- Name: define_category(text, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_category(p_category_id text, p_title text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into credits.module_categories as c (category_id, title) values (p_category_id, p_title)
    on conflict (category_id) do update set title = excluded.title where c.title <> excluded.title;
end
$$;


--
-- Name: FUNCTION define_category(p_category_id text, p_title text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_category(p_category_id text, p_title text) IS 'A group of modules.';


--
-- Name: define_code(text, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_code(p_code text, p_campaign_id text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_code constant text := credits.normal_code(p_code);
begin
    if v_code is null or length(v_code) not between 3 and 64 or v_code ~ '[[:cntrl:]]' then
        perform credits.refuse_line('code', p_code, 'a code has 3 to 64 characters');
    elsif not exists (
        select from credits.campaigns as c where c.campaign_id = p_campaign_id and c.kind = 'promo'
    ) then
        perform credits.refuse_line('code', p_code, format('no campaign %L of kind promo', p_campaign_id));
    end if;
    insert into credits.codes (code, campaign_id) values (v_code, p_campaign_id)
    on conflict (code) do nothing;
    if not exists (
        select from credits.codes as c where c.code = v_code and c.campaign_id = p_campaign_id
    ) then
        perform credits.refuse_line('code', p_code, 'it is the code of another campaign');
    end if;
end
$$;


--
-- Name: FUNCTION define_code(p_code text, p_campaign_id text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_code(p_code text, p_campaign_id text) IS 'A code for a campaign of kind promo. Case and the space around it do not matter. Raises PT422 bad_catalogue.';


--
-- Name: define_dimension(text, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_dimension(p_dimension text, p_description text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into credits.dimensions as d (dimension, description) values (p_dimension, p_description)
    on conflict (dimension) do update
    set description = excluded.description where d.description <> excluded.description;
exception
    when check_violation or not_null_violation then
        perform credits.refuse_line('dimension', p_dimension, sqlerrm);
end
$$;


--
-- Name: FUNCTION define_dimension(p_dimension text, p_description text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_dimension(p_dimension text, p_description text) IS 'Something that usage can be measured in, for prices to name. Raises PT422 bad_catalogue.';


--
-- Name: define_guest_limits(text, bigint, bigint, bigint, interval); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint DEFAULT NULL::bigint, p_per_shared_network bigint DEFAULT NULL::bigint, p_sliding_window interval DEFAULT '24:00:00'::interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_per_network constant bigint := coalesce(p_per_network, p_per_device);
    -- In seconds: a day of the calendar has 23 or 25 hours when the clocks change.
    v_window constant interval := make_interval(secs => extract(epoch from p_sliding_window)::double precision);
begin
    if p_per_device = 0 then
        delete from credits.guest_limits as l where l.catalog_id = p_catalog_id;
        return;
    end if;
    insert into credits.guest_limits as l (catalog_id, per_device, per_network, per_shared_network, sliding_window)
    values (
        p_catalog_id, p_per_device, v_per_network,
        coalesce(p_per_shared_network, least(10 * v_per_network, 1000000)), v_window
    )
    on conflict (catalog_id) do update
    set
        per_device = excluded.per_device, per_network = excluded.per_network,
        per_shared_network = excluded.per_shared_network, sliding_window = excluded.sliding_window;
exception
    when check_violation or not_null_violation or foreign_key_violation or numeric_value_out_of_range
        or datetime_field_overflow then
        perform credits.refuse_line('guest limits of', p_catalog_id, sqlerrm);
end
$$;


--
-- Name: FUNCTION define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) IS 'Uses without an account, in any span of p_sliding_window (at most 7 days): per device; per network, by default as many; per network that is known to be shared, by default ten times that. p_per_device 0: none any more. Raises PT422 bad_catalogue.';


--
-- Name: define_module(text, text, text, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text DEFAULT NULL::text, p_active boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if p_category_id is not null
        and not exists (select from credits.module_categories as c where c.category_id = p_category_id) then
        perform credits.refuse_line('module', p_module_id, format('no category %L', p_category_id));
    end if;
    insert into credits.modules as m (module_id, title, category_id, active)
    values (p_module_id, p_title, p_category_id, p_active)
    on conflict (module_id) do update
    set title = excluded.title, category_id = excluded.category_id, active = excluded.active
    where (m.title, m.category_id, m.active) is distinct from (excluded.title, excluded.category_id, excluded.active);
    perform credits.list_prices();
end
$$;


--
-- Name: FUNCTION define_module(p_module_id text, p_title text, p_category_id text, p_active boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text, p_active boolean) IS 'Something tokens can be spent on. Not active: withdrawn, no longer spendable.';


--
-- Name: define_notice(text, numeric, numeric, interval); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_notice(p_kind text, p_below numeric DEFAULT NULL::numeric, p_percent numeric DEFAULT NULL::numeric, p_ahead interval DEFAULT NULL::interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into credits.notice_rules as r (kind, below, percent, ahead) values (p_kind, p_below, p_percent, p_ahead)
    on conflict (kind) do update
    set below = excluded.below, percent = excluded.percent, ahead = excluded.ahead
    where (r.below, r.percent, r.ahead) is distinct from (excluded.below, excluded.percent, excluded.ahead);
    if found then
        -- Every account looks at it when it is next touched: until then its head lot keeps to the rule before.
        update credits.wallets as w set due_at = '-infinity' where w.due_at > '-infinity';
    end if;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range then
        perform credits.refuse_line('notice', p_kind, sqlerrm);
end
$$;


--
-- Name: FUNCTION define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval) IS 'When users are told something: low_balance (p_below tokens, or p_percent of the last grant), depleted, expiring_soon (p_ahead of it). Raises PT422 bad_catalogue.';


--
-- Name: define_pack(text, text, numeric, bigint, text, numeric, boolean, bigint, interval, text, boolean, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric DEFAULT 0, p_popular boolean DEFAULT false, p_position bigint DEFAULT 0, p_expires_after interval DEFAULT NULL::interval, p_stripe_price_id text DEFAULT NULL::text, p_active boolean DEFAULT true, p_scope text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    -- What the file says, else what the operator has configured, else what is there.
    v_stripe_price_id constant text := coalesce(p_stripe_price_id, credits.configured_stripe_price(p_pack_id));
begin
    perform credits.check_currency(p_currency);
    perform credits.check_scope(p_scope);
    if v_stripe_price_id !~ '^price_[A-Za-z0-9_]{1,240}$' then
        perform credits.fail(422, 'bad_catalogue', format('%L is no price of Stripe''s: price_…', v_stripe_price_id));
    end if;
    insert into credits.packs as p (
        pack_id, title, tokens, bonus_tokens, amount, currency, stripe_price_id, popular, position,
        expires_after, active, scope
    )
    values (
        p_pack_id, p_title, credits.check_amount(p_tokens), p_bonus_tokens, p_amount, p_currency, v_stripe_price_id,
        p_popular, p_position, p_expires_after, p_active, p_scope
    )
    on conflict (pack_id) do update
    set
        title = excluded.title, tokens = excluded.tokens, bonus_tokens = excluded.bonus_tokens,
        amount = excluded.amount, currency = excluded.currency,
        stripe_price_id = coalesce(excluded.stripe_price_id, p.stripe_price_id), popular = excluded.popular,
        position = excluded.position, expires_after = excluded.expires_after, active = excluded.active,
        scope = excluded.scope;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range or sqlstate 'PT422' then
        perform credits.refuse_line('pack', p_pack_id, sqlerrm);
end
$_$;


--
-- Name: FUNCTION define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text) IS 'Something that can be bought; amount in minor units of currency. scope (module:ID or category:ID) binds its tokens. Without a Stripe price the configured one is taken, else the one there is stays. Orders keep their own snapshot. Raises PT422 bad_catalogue.';


--
-- Name: define_price(jsonb, text, text, numeric, numeric, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_price(p_components jsonb, p_module_id text DEFAULT NULL::text, p_category_id text DEFAULT NULL::text, p_margin numeric DEFAULT 1, p_exchange_rate numeric DEFAULT 1, p_valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_name constant text := coalesce('module ' || p_module_id, 'category ' || p_category_id, 'default');
    v_now timestamptz;
    v_components jsonb;
    v_current credits.prices;
    v_version credits.prices;
    v_same boolean;
    -- The targets that this transaction has given a price from now on.
    v_said constant jsonb := coalesce(nullif(current_setting('pgcredits.priced_from_now', true), ''), '[]')::jsonb;
    v_price_id bigint;
begin
    -- 1. One writer.
    lock table credits.prices in share row exclusive mode;
    v_now := credits.clock();

    -- 2. Refuse.
    if p_module_id is not null and not exists (select from credits.modules as m where m.module_id = p_module_id) then
        perform credits.refuse_line('price of', v_name, 'no such module');
    elsif p_category_id is not null
        and not exists (select from credits.module_categories as c where c.category_id = p_category_id) then
        perform credits.refuse_line('price of', v_name, 'no such category');
    elsif num_nonnulls(p_module_id, p_category_id) > 1 then
        perform credits.refuse_line('price of', v_name, 'it is of a module or of a category');
    elsif (p_margin >= 0 and p_margin < 1000000 and scale(p_margin) <= 30) is not true then
        perform credits.refuse_line('price of', v_name, 'margin is a factor from 0 to 10^6');
    elsif (p_exchange_rate > 0 and p_exchange_rate < 1000000000 and scale(p_exchange_rate) <= 30) is not true then
        perform credits.refuse_line('price of', v_name, 'exchange_rate is above 0, up to 10^9');
    elsif not isfinite(p_valid_from) then
        perform credits.refuse_line('price of', v_name, 'valid_from is a time');
    end if;
    v_components := credits.check_components(v_name, p_components);

    -- 3. The version in force, and the one that begins when this one would.
    select p.* into v_current
    from credits.prices as p
    where
        p.module_id is not distinct from p_module_id and p.category_id is not distinct from p_category_id
        and p.valid_from <= v_now
    order by p.valid_from desc
    limit 1;
    if p_valid_from is null then
        v_version := v_current;
    else
        select p.* into v_version
        from credits.prices as p
        where
            p.module_id is not distinct from p_module_id and p.category_id is not distinct from p_category_id
            and p.valid_from = p_valid_from;
    end if;
    v_same := coalesce(
        (v_version.margin, v_version.exchange_rate) = (p_margin, p_exchange_rate)
        and credits.components_as_json(v_version.price_id) = v_components,
        false
    );
    if p_valid_from is null then
        if v_said ? v_name and not v_same then
            perform credits.refuse_line('price of', v_name, 'overlaps the other price without valid_from in the same file');
        end if;
        perform set_config('pgcredits.priced_from_now', (v_said || to_jsonb(v_name))::text, true);
    elsif v_version.price_id is not null and not v_same then
        perform credits.refuse_line(
            'price of', v_name, format('overlaps the other version that begins at %s: choose a later time', p_valid_from)
        );
    elsif p_valid_from <= v_now and v_said ? v_name and v_current.defined_at = credits.transaction_began() then
        -- The line before has just ended this version, which has begun since it was written down as a later one.
        perform credits.refuse_line(
            'price of', v_name,
            format('overlaps the price without valid_from in the same file: this one has begun, at %s', p_valid_from)
        );
    elsif p_valid_from <= v_now and v_version.price_id is null and exists (
        select
        from credits.prices as p
        where
            p.module_id is not distinct from p_module_id and p.category_id is not distinct from p_category_id
            and p.valid_from <= v_now and p.defined_at <> credits.transaction_began()
    ) then
        perform credits.refuse_line(
            'price of', v_name, format('overlaps the price that was valid from %s on: the past stays', p_valid_from)
        );
    end if;
    if v_same then
        return v_version.price_id;
    end if;

    -- 4. A new version.
    insert into credits.prices (module_id, category_id, valid_from, margin, exchange_rate)
    values (p_module_id, p_category_id, coalesce(p_valid_from, v_now), p_margin, p_exchange_rate)
    returning price_id into v_price_id;
    insert into credits.price_components (
        price_id, dimension, unit_size, price_per_unit, free_quantity, whole_units, minimum_charge, provider_cost,
        tiered
    )
    select
        v_price_id, c.dimension, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge,
        c.provider_cost, c.tiers <> '[]'
    from jsonb_to_recordset(v_components) as c (
        dimension text, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean,
        minimum_charge numeric, provider_cost numeric, tiers jsonb
    );
    insert into credits.price_tiers (price_id, dimension, above, price_per_unit)
    select v_price_id, c.dimension, t.above, t.price_per_unit
    from jsonb_to_recordset(v_components) as c (dimension text, tiers jsonb)
    cross join lateral jsonb_to_recordset(c.tiers) as t (above numeric, price_per_unit numeric);
    return v_price_id;
end
$$;


--
-- Name: FUNCTION define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone) IS 'The price of a module, of a category, or the default, from p_valid_from on: null is now, a time to come is a later version; a time that has been only while the target has no version yet. components: [{dimension, price_per_unit, unit_size = 1, free_quantity = 0, whole_units = false, minimum_charge = 0, provider_cost, tiers: [{above, price_per_unit}]}]. The version, which is the one there is when it is the same. Raises PT422 bad_catalogue.';


--
-- Name: define_topup(text, bigint, bigint, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.check_currency(p_currency);
    delete from credits.topup_presets as s where s.currency = p_currency;
    insert into credits.topups as t (currency, minimum, maximum, tokens_per_unit)
    values (p_currency, p_minimum, p_maximum, p_tokens_per_unit)
    on conflict (currency) do update
    set minimum = excluded.minimum, maximum = excluded.maximum, tokens_per_unit = excluded.tokens_per_unit;
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('topup', p_currency, sqlerrm);
end
$$;


--
-- Name: FUNCTION define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) IS 'Offers buying any amount between two bounds (minor units of currency), at so many tokens per minor unit; takes back its presets. Raises PT422 bad_catalogue.';


--
-- Name: define_topup_preset(text, bigint, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not exists (
        select
        from credits.topups as t
        where t.currency = p_currency and p_amount between t.minimum and t.maximum
    ) then
        perform credits.fail(422, 'bad_catalogue', 'no top-up has this amount between its bounds');
    end if;
    insert into credits.topup_presets as s (currency, amount, popular) values (p_currency, p_amount, p_popular)
    on conflict (currency, amount) do update set popular = excluded.popular;
exception
    when not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('topup preset', concat_ws(' ', p_amount, p_currency), sqlerrm);
end
$$;


--
-- Name: FUNCTION define_topup_preset(p_currency text, p_amount bigint, p_popular boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean) IS 'An amount of a top-up to propose (minor units of currency), between its bounds. Raises PT422 bad_catalogue.';


--
-- Name: draw_lots(uuid, text, numeric, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_next record;
    v_taken numeric;
begin
    draws := '[]';
    missing := p_tokens;
    while missing > 0 loop
        v_next := credits.next_lot(p_account_id, p_module_id, p_at);
        exit when v_next.lot_id is null;
        v_taken := least(v_next.free, missing);
        update credits.lots as l
        set remaining = l.remaining - v_taken, live = l.remaining > v_taken
        where l.account_id = p_account_id and l.lot_id = v_next.lot_id;
        draws := draws || jsonb_build_object('lot_id', v_next.lot_id, 'tokens', trim_scale(v_taken));
        missing := missing - v_taken;
    end loop;
end
$$;


--
-- Name: FUNCTION draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric) IS 'Takes p_tokens from the lots of a settled wallet in burn order and says from which. missing > 0: the lots did not reach, and the caller must refuse, which puts them back.';


--
-- Name: draw_settled(uuid, text, numeric, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.draw_settled(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if p_tokens = 0 then
        draws := '[]';
        missing := 0;
        return;
    end if;
    perform credits.settle_head(p_account_id);
    select d.draws, d.missing into draws, missing
    from credits.draw_lots(p_account_id, p_module_id, p_tokens, p_at) as d;
end
$$;


--
-- Name: FUNCTION draw_settled(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.draw_settled(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric) IS 'credits.draw_lots for a wallet that may have a head lot. The caller chooses a new one once the entry is written.';


--
-- Name: ensure_partitions(integer); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.ensure_partitions(p_months integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_first constant date := date_trunc('month', credits.clock() at time zone 'UTC');
    v_month date;
    v_made integer := 0;
    v_partition text;
begin
    for v_partition, v_month in
        select 'entries_default', null
        union all
        select to_char(m.month, '"entries_"YYYY_MM'), m.month
        from (
            select (v_first + make_interval(months => i))::date as month from generate_series(0, p_months - 1) as i
        ) as m
    loop
        continue when to_regclass('credits.' || v_partition) is not null;
        if v_month is null then
            execute format('create table credits.%I partition of credits.entries default', v_partition);
        else
            execute format(
                'create table credits.%I partition of credits.entries for values from (%L) to (%L)',
                v_partition,
                v_month::timestamp at time zone 'UTC',
                (v_month + interval '1 month') at time zone 'UTC'
            );
        end if;
        -- Row triggers and the key come with the parent; these three do not.
        execute format('alter table credits.%I enable row level security, force row level security', v_partition);
        execute format(
            'create policy owner on credits.%I to credits_owner using (true) with check (true)', v_partition
        );
        execute format(
            'create trigger entries_are_never_truncated before truncate on credits.%I '
            'execute function credits.refuse_change()', v_partition
        );
        execute format('alter table credits.%I enable always trigger entries_are_never_truncated', v_partition);
        execute format('comment on table credits.%I is %L', v_partition,
            'Part of credits.entries; nobody but the owner reads it directly.');
        v_made := v_made + 1;
    end loop;
    return v_made;
end
$$;


--
-- Name: FUNCTION ensure_partitions(p_months integer); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.ensure_partitions(p_months integer) IS 'Makes the ledger''s partitions for this month and the next ones, p_months in all; returns how many were missing.';


--
-- Name: enter(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.enter(p_subject text, OUT account_id uuid, OUT opened boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if length(p_subject) not between 1 and 255 then
        perform credits.fail(422, 'bad_user', 'a user id has 1 to 255 characters');
    end if;
    select i.account_id into account_id from credits.identities as i where i.subject = p_subject;
    opened := account_id is null;
    if not opened then
        return;
    end if;

    -- Of two first calls at once the second waits at the identity, then finds the first one's account.
    insert into credits.accounts as a default values returning a.account_id into account_id;
    insert into credits.identities (subject, account_id) values (p_subject, enter.account_id)
    on conflict do nothing;
    opened := found;
    if not opened then
        delete from credits.accounts as a where a.account_id = enter.account_id;
        select i.account_id into account_id from credits.identities as i where i.subject = p_subject;
        return;
    end if;
    insert into credits.wallets (account_id) values (enter.account_id);
end
$$;


--
-- Name: FUNCTION enter(p_subject text, OUT account_id uuid, OUT opened boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.enter(p_subject text, OUT account_id uuid, OUT opened boolean) IS 'Opens the account of a user id with an empty wallet, or finds it. Who calls it welcomes a new one: the order of locks decides when. Raises PT422 bad_user.';


--
-- Name: entry_hash(bytea, uuid, bigint, timestamp with time zone, timestamp with time zone, credits.entry_kind, numeric, numeric, numeric, jsonb, text, jsonb, bigint, text, text, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.entry_hash(p_previous bytea, p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_effective_at timestamp with time zone, p_kind credits.entry_kind, p_tokens numeric, p_balance_after numeric, p_debt_after numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_actor text, p_metadata jsonb) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return sha256(array_send(array[
        '\x01'::bytea,
        p_previous,
        uuid_send(p_account_id),
        int8send(p_seq),
        timestamptz_send(p_posted_at),
        timestamptz_send(p_effective_at),
        convert_to(p_kind::text, 'UTF8'),
        convert_to(p_tokens::numeric(20, 6)::text, 'UTF8'),
        convert_to(p_balance_after::numeric(20, 6)::text, 'UTF8'),
        convert_to(p_debt_after::numeric(20, 6)::text, 'UTF8'),
        convert_to(p_draws::text, 'UTF8'),
        convert_to(p_module_id, 'UTF8'),
        convert_to(p_usage::text, 'UTF8'),
        int8send(p_price_id),
        convert_to(p_reference, 'UTF8'),
        convert_to(p_actor, 'UTF8'),
        sha256(convert_to(p_metadata::text, 'UTF8'))
    ]));
end
$$;


--
-- Name: FUNCTION entry_hash(p_previous bytea, p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_effective_at timestamp with time zone, p_kind credits.entry_kind, p_tokens numeric, p_balance_after numeric, p_debt_after numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_actor text, p_metadata jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.entry_hash(p_previous bytea, p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_effective_at timestamp with time zone, p_kind credits.entry_kind, p_tokens numeric, p_balance_after numeric, p_debt_after numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_actor text, p_metadata jsonb) IS 'sha256 of the hash before (empty for the first) and an entry''s fields.';


--
-- Name: expire_lots(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.expire_lots(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_now constant timestamptz := credits.clock();
    v_wallet credits.wallets;
    v_lot record;
begin
    for v_lot in
        select l.lot_id, l.expires_at, l.package_name, l.remaining - l.held as free
        from credits.lots as l
        where l.account_id = p_account_id and l.live and l.expires_at <= v_now and l.remaining > l.held
        order by l.expires_at, l.lot_id
    loop
        update credits.lots as l
        set remaining = l.held, live = l.held > 0
        where l.account_id = p_account_id and l.lot_id = v_lot.lot_id;
        select w.* into v_wallet from credits.wallets as w where w.account_id = p_account_id;
        perform credits.post_entry(
            p_account_id, v_wallet.seq + 1, v_wallet.balance, v_wallet.debt, v_wallet.posted_at, v_wallet.head_hash,
            'expire', -v_lot.free,
            jsonb_build_array(jsonb_build_object('lot_id', v_lot.lot_id, 'tokens', trim_scale(v_lot.free))),
            p_reference => v_lot.package_name, p_effective_at => v_lot.expires_at
        );
    end loop;
end
$$;


--
-- Name: FUNCTION expire_lots(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.expire_lots(p_account_id uuid) IS 'Books an expire entry, dated at the moment of expiry, for each lot of a locked wallet that is past it.';


--
-- Name: fail(integer, text, text, json); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.fail(p_status integer, p_slug text, p_message text, p_facts json DEFAULT '{}'::json) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    raise exception using
        errcode = 'PT' || p_status,
        message = p_message,
        detail = '{"error": "' || p_slug || '"'
            || case when p_facts::text = '{}' then '}' else ', ' || substr(p_facts::text, 2) end;
end
$$;


--
-- Name: FUNCTION fail(p_status integer, p_slug text, p_message text, p_facts json); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.fail(p_status integer, p_slug text, p_message text, p_facts json) IS 'Raises SQLSTATE PT<status> with a message for people and a DETAIL for programs: {"error": slug, …facts}.';


--
-- Name: find_code(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.find_code(p_code text) RETURNS credits.codes
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_code credits.codes;
begin
    select c.* into v_code from credits.codes as c where c.code = credits.normal_code(p_code);
    if not found then
        perform credits.refuse_code('withdrawn');
    end if;
    return v_code;
end
$$;


--
-- Name: FUNCTION find_code(p_code text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.find_code(p_code text) IS 'The code that somebody typed: case and the space around it do not matter. Raises PT404 unknown_code.';


--
-- Name: find_price(text, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.find_price(p_module_id text, p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_price_id bigint;
    v_category_id text;
    v_active boolean;
begin
    select p.price_id into v_price_id
    from credits.prices as p
    join credits.modules as m on p.module_id = m.module_id
    where p.module_id = p_module_id and p.category_id is null and p.valid_from <= p_at and m.active
    order by p.valid_from desc
    limit 1;
    if found then
        return v_price_id;
    end if;

    select m.active, m.category_id into v_active, v_category_id
    from credits.modules as m
    where m.module_id = p_module_id;
    if not v_active or p_module_id is null or length(p_module_id) not between 1 and 200 then
        return null;
    end if;

    select p.price_id into v_price_id
    from credits.prices as p
    where p.category_id = v_category_id and p.module_id is null and p.valid_from <= p_at
    order by p.valid_from desc
    limit 1;
    if found then
        return v_price_id;
    end if;

    select p.price_id into v_price_id
    from credits.prices as p
    where p.module_id is null and p.category_id is null and p.valid_from <= p_at
    order by p.valid_from desc
    limit 1;
    return v_price_id;
end
$$;


--
-- Name: FUNCTION find_price(p_module_id text, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.find_price(p_module_id text, p_at timestamp with time zone) IS 'The price of a module at a time: its own, else its category''s, else the default; null when there is none.';


--
-- Name: finish_guest_use(uuid, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.finish_guest_use(p_use_id uuid, p_state text) RETURNS api.guest_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_use credits.guest_uses;
    v_left record;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may say how a guest''s use ended');
    end if;

    select u.* into v_use from credits.guest_uses as u where u.use_id = p_use_id for update;
    if not found then
        perform credits.fail(404, 'unknown_use', 'no such use of a guest');
    elsif v_use.state not in ('reserved', p_state) then
        perform credits.fail(409, 'use_closed', 'this use was ' || v_use.state || ' already');
    elsif v_use.state = 'reserved' then
        update credits.guest_uses as u
        set state = p_state, finished_at = credits.clock()
        where u.use_id = p_use_id;
    end if;
    v_left := credits.guest_standing(
        array[v_use.guest_id], array[v_use.network_id],
        v_use.per_device, v_use.per_network, v_use.sliding_window, credits.clock()
    );
    return row(
        p_use_id, v_use.module_id, p_state, v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at,
        v_use.state = p_state
    )::api.guest_receipt;
end
$$;


--
-- Name: FUNCTION finish_guest_use(p_use_id uuid, p_state text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.finish_guest_use(p_use_id uuid, p_state text) IS 'The work of api.confirm_guest_use and api.release_guest_use: one transition, the same again is answered again. Raises PT403 not_yours, PT404 unknown_use, PT409 use_closed.';


--
-- Name: follow_prices(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.follow_prices() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.list_prices();
    return null;
end
$$;


--
-- Name: FUNCTION follow_prices(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.follow_prices() IS 'Trigger: a new version of a price changes the price list.';


--
-- Name: fulfil_order(credits.orders, text, text, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.fulfil_order(p_order credits.orders, p_session_id text, p_payment_intent_id text, p_discount jsonb) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_now constant timestamptz := credits.clock();
    -- What a token really cost, for margins: a discount is a number from 0 to the price, or none.
    v_paid constant numeric := p_order.amount - coalesce(least(credits.quantity(p_discount), p_order.amount), 0);
    v_lot_id bigint;
begin
    -- Two events may name one payment; the keys let it through once.
    insert into credits.stripe_objects (object_id, account_id, order_id)
    select s.object_id, p_order.account_id, p_order.order_id
    from unnest(array[p_session_id, p_payment_intent_id]) as s (object_id)
    where s.object_id is not null;

    update credits.orders as o
    set
        state = 'paid', paid_at = v_now, parked_reason = null,
        checkout_session_id = p_session_id, payment_intent_id = p_payment_intent_id
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id;

    v_lot_id := credits.grant_lot(
        p_order.account_id, 'purchase', p_order.tokens, p_order.package_name,
        p_scope => p_order.scope, p_expires_at => v_now + p_order.expires_after,
        p_unit_cost => v_paid / p_order.tokens, p_currency => p_order.currency,
        p_order_id => p_order.order_id, p_reference => p_order.order_id::text
    );
    if p_order.bonus_tokens > 0 then
        perform credits.grant_lot(
            p_order.account_id, 'bonus', p_order.bonus_tokens, p_order.package_name,
            p_scope => p_order.scope, p_expires_at => v_now + p_order.expires_after,
            p_currency => p_order.currency, p_order_id => p_order.order_id, p_reference => p_order.order_id::text
        );
    end if;
    return p_order.account_id || ':' || v_lot_id;
end
$$;


--
-- Name: FUNCTION fulfil_order(p_order credits.orders, p_session_id text, p_payment_intent_id text, p_discount jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.fulfil_order(p_order credits.orders, p_session_id text, p_payment_intent_id text, p_discount jsonb) IS 'Grants the snapshot of an order under the wallet''s lock: the tokens, then the bonus. Returns the entry of the purchase.';


--
-- Name: grant_campaign(uuid, text, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.grant_campaign(p_account_id uuid, p_campaign_id text, p_code text DEFAULT NULL::text, OUT verdict text, OUT lot_id bigint) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_campaign credits.campaigns;
    v_number bigint;
    v_now timestamptz;
begin
    select c.* into v_campaign from credits.campaigns as c where c.campaign_id = p_campaign_id for no key update;
    v_now := credits.clock();
    v_number := 1 + (
        select coalesce(max(r.number), 0)
        from credits.redemptions as r
        where r.account_id = p_account_id and r.campaign_id = p_campaign_id
    );
    verdict := credits.campaign_verdict(v_campaign, v_number, v_now);
    if verdict = 'open' then
        update credits.campaigns as c set grants = c.grants + 1 where c.campaign_id = p_campaign_id;
        lot_id := credits.book_gift(p_account_id, v_campaign, v_number, v_campaign.tokens, p_code, v_now);
    end if;
end
$$;


--
-- Name: FUNCTION grant_campaign(p_account_id uuid, p_campaign_id text, p_code text, OUT verdict text, OUT lot_id bigint); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.grant_campaign(p_account_id uuid, p_campaign_id text, p_code text, OUT verdict text, OUT lot_id bigint) IS 'Grants what a campaign gives to a locked wallet, if it still does: see credits.campaign_verdict. Raises PT422 bad_amount.';


--
-- Name: grant_lot(uuid, credits.entry_kind, numeric, text, bigint, text, timestamp with time zone, numeric, text, uuid, text, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text DEFAULT NULL::text, p_priority bigint DEFAULT NULL::bigint, p_scope text DEFAULT NULL::text, p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_unit_cost numeric DEFAULT 0, p_currency text DEFAULT NULL::text, p_order_id uuid DEFAULT NULL::uuid, p_reference text DEFAULT NULL::text, p_metadata jsonb DEFAULT '{}'::jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_wallet credits.wallets;
    v_lot_id bigint;
begin
    select w.* into v_wallet from credits.wallets as w where w.account_id = p_account_id;
    if v_wallet.balance + p_tokens >= 100000000000000 or v_wallet.lifetime_granted + p_tokens >= 100000000000000 then
        perform credits.fail(422, 'bad_amount', 'the account would pass 10^14 tokens');
    end if;

    v_lot_id := v_wallet.seq + 1;
    perform credits.note_grant(p_account_id, p_source, p_tokens);
    perform credits.post_entry(
        p_account_id, v_lot_id, v_wallet.balance, v_wallet.debt, v_wallet.posted_at, v_wallet.head_hash, p_source, p_tokens,
        jsonb_build_array(jsonb_build_object('lot_id', v_lot_id, 'tokens', trim_scale(p_tokens))),
        p_reference => p_reference, p_metadata => p_metadata
    );
    insert into credits.lots (
        account_id, lot_id, source, package_name, granted, remaining, priority, scope,
        effective_at, expires_at, unit_cost, currency, order_id
    )
    values (
        p_account_id, v_lot_id, p_source, p_package_name, p_tokens, p_tokens,
        coalesce(p_priority, credits.default_priority(p_source)), p_scope,
        credits.clock(), p_expires_at, p_unit_cost, p_currency, p_order_id
    );
    if p_expires_at is not null then
        perform credits.set_due(p_account_id);
    end if;
    return v_lot_id;
end
$$;


--
-- Name: FUNCTION grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text, p_priority bigint, p_scope text, p_expires_at timestamp with time zone, p_unit_cost numeric, p_currency text, p_order_id uuid, p_reference text, p_metadata jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text, p_priority bigint, p_scope text, p_expires_at timestamp with time zone, p_unit_cost numeric, p_currency text, p_order_id uuid, p_reference text, p_metadata jsonb) IS 'Grants a lot to a locked wallet and returns its lot_id, the seq of its entry. Raises PT422 bad_amount.';


--
-- Name: grant_receipt(uuid, bigint, text, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean) RETURNS api.grant_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_entry credits.entries;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_account_id and e.seq = p_lot_id;
    return row(
        p_account_id || ':' || p_lot_id, p_user_id, p_lot_id, trim_scale(v_entry.tokens),
        trim_scale(v_entry.balance_after), p_replayed
    );
end
$$;


--
-- Name: FUNCTION grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean) IS 'The answer of a grant, told from its entry.';


--
-- Name: guest_allowance(text[], text[], boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean) RETURNS api.guest_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_device_keys constant text[] := credits.check_guest_keys(p_device_keys);
    v_network_keys constant text[] := credits.check_guest_keys(p_network_keys);
    v_limit record;
    v_left record;
begin
    v_limit := credits.guest_limit(p_shared_network);
    v_left := credits.guest_standing(
        array(select g.guest_id from credits.guests as g where g.device_key = any(v_device_keys)),
        array(select n.network_id from credits.guest_networks as n where n.network_key = any(v_network_keys)),
        v_limit.per_device, v_limit.per_network, v_limit.sliding_window, credits.clock()
    );
    return row(
        null, null, null, v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at, false
    )::api.guest_receipt;
end
$$;


--
-- Name: FUNCTION guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean) IS 'The work of api.guest_allowance. Locks nothing. Raises PT403 no_guests, PT422 bad_guest.';


--
-- Name: guest_limit(boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    select
        min(l.per_device), min(case when p_shared_network then l.per_shared_network else l.per_network end),
        max(l.sliding_window)
    into per_device, per_network, sliding_window
    from credits.guest_limits as l;
    if per_device is null then
        perform credits.fail(403, 'no_guests', 'there are no free uses here: sign up');
    end if;
end
$$;


--
-- Name: FUNCTION guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval) IS 'What guests are allowed; of several catalogues the least, in the longest window. Raises PT403 no_guests.';


--
-- Name: guest_standing(uuid[], uuid[], bigint, bigint, interval, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- The n-th oldest use to fall out of the window is the one that lets remaining grow; where both device and network
    -- stand in the way, the later of the two. The tighter one is shown.
    with counted as (
        select
            1 as place,
            p_per_device as allowed,
            array(
                select u.used_at
                from credits.guest_uses as u
                where
                    u.guest_id = any(p_guest_ids) and u.used_at > p_now - p_sliding_window
                    and (u.state <> 'released' or u.finished_at > p_now)
                order by u.used_at
            ) as times
        union all
        select
            2 as place,
            p_per_network as allowed,
            array(
                select u.used_at
                from credits.guest_uses as u
                where
                    u.network_id = any(p_network_ids) and u.used_at > p_now - p_sliding_window
                    and (u.state <> 'released' or u.finished_at > p_now)
                order by u.used_at
            ) as times
    ),
    room as (
        select
            c.place, c.allowed, c.times, c.allowed - cardinality(c.times) as free,
            greatest(min(c.allowed - cardinality(c.times)) over (), 0) as remaining
        from counted as c
    )
    select
        (array_agg(cardinality(r.times) order by r.free, r.place))[1],
        (array_agg(r.allowed order by r.free, r.place))[1],
        min(r.remaining),
        case
            when not bool_or(r.free <= r.remaining and r.remaining = r.allowed)
                then max(r.times[r.remaining + 1 - r.free]) filter (where r.free <= r.remaining) + p_sliding_window
        end
    into used, allowed, remaining, reset_at
    from room as r;
end
$$;


--
-- Name: FUNCTION guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone) IS 'What device and network have used of what they are allowed. reset_at: when remaining next grows; null when all is free.';


--
-- Name: has_ids(jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.has_ids(p_session jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return coalesce(jsonb_typeof(p_session -> 'id') = 'string', false)
        and length(p_session ->> 'id') between 1 and 255
        and coalesce(jsonb_typeof(p_session -> 'payment_intent'), 'null') in ('null', 'string')
        and coalesce(length(p_session ->> 'payment_intent'), 1) between 1 and 255;
end
$$;


--
-- Name: FUNCTION has_ids(p_session jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.has_ids(p_session jsonb) IS 'Has this session ids that can be kept?';


--
-- Name: head_allowance(uuid, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_available numeric;
    v_limit numeric;
    v_notice numeric;
begin
    select w.balance - w.held into v_available from credits.wallets as w where w.account_id = p_account_id;
    v_limit := credits.limit_left(p_account_id, p_at);
    v_notice := v_available - credits.next_level(p_account_id, v_available);
    return least(v_limit, v_notice);
end
$$;


--
-- Name: FUNCTION head_allowance(p_account_id uuid, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) IS 'Tokens that an account can spend before a limit stops it or a notice is due; null: any number.';


--
-- Name: is_service(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.is_service() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN pg_has_role((COALESCE(NULLIF(current_setting('role'::text), 'none'::text), (SESSION_USER)::text))::name, 'service_role'::name, 'member'::text);


--
-- Name: FUNCTION is_service(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.is_service() IS 'May the caller act for any user? Members of service_role may.';


--
-- Name: keep_limits(uuid, numeric, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_over record;
begin
    select s.period, s.tokens, w.lifetime_spent - s.spent_before as spent into v_over
    from credits.spend_limits as s
    join credits.wallets as w on w.account_id = s.account_id
    where s.account_id = p_account_id and p_cost > 0 and w.lifetime_spent - s.spent_before + p_cost > s.tokens
    -- The one that lasts longest: waiting for the other would not help.
    order by s.period desc, s.tokens
    limit 1;
    if found then
        perform credits.fail(
            429, 'spend_limit', format('this would pass the limit of the %s', v_over.period),
            json_build_object(
                'period', v_over.period,
                'limit', trim_scale(v_over.tokens),
                'spent', trim_scale(v_over.spent),
                'cost', trim_scale(p_cost),
                'reset_at', credits.next_period(v_over.period, p_at)
            )
        );
    end if;
end
$$;


--
-- Name: FUNCTION keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone) IS 'Refuses a cost that passes a limit of the locked wallet: PT429 spend_limit.';


--
-- Name: limit_left(uuid, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return (
        select min(greatest(
            s.tokens - case
                when s.period_starts < credits.period_start(s.period, p_at) then 0
                else w.lifetime_spent - s.spent_before
            end, 0
        ))
        from credits.spend_limits as s
        join credits.wallets as w on w.account_id = s.account_id
        where s.account_id = p_account_id
    );
end
$$;


--
-- Name: FUNCTION limit_left(p_account_id uuid, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) IS 'What the limits of an account still allow at a moment; null without a limit.';


--
-- Name: link_guest(uuid, text[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.link_guest(p_account_id uuid, p_device_keys text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    update credits.guests as g
    set linked_to = p_account_id, linked_at = credits.clock()
    where g.linked_to is null and g.guest_id in (
        select k.guest_id
        from credits.guests as k
        where k.device_key = any(p_device_keys)
        order by k.guest_id
        for update
    );
end
$$;


--
-- Name: FUNCTION link_guest(p_account_id uuid, p_device_keys text[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.link_guest(p_account_id uuid, p_device_keys text[]) IS 'Notes that the guest with one of these device keys signed up for an account. The first account stays.';


--
-- Name: list_prices(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.list_prices() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_now timestamptz;
begin
    -- Of two writers at once, the second sees what the first has written. Who reads does not wait.
    lock table credits.price_list in share row exclusive mode;
    v_now := credits.clock();
    delete from credits.price_list as l where credits.find_price(l.module_id, v_now) is null;
    insert into credits.price_list as l (module_id, price_id, valid_until)
    select
        m.module_id,
        credits.find_price(m.module_id, v_now),
        coalesce((
            select min(p.valid_from)
            from credits.prices as p
            where
                p.valid_from > v_now
                and (p.module_id = m.module_id or p.category_id = m.category_id or num_nonnulls(p.module_id, p.category_id) = 0)
        ), 'infinity')
    from credits.modules as m
    where credits.find_price(m.module_id, v_now) is not null
    on conflict (module_id) do update set price_id = excluded.price_id, valid_until = excluded.valid_until;
end
$$;


--
-- Name: FUNCTION list_prices(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.list_prices() IS 'Brings credits.price_list up to date with the modules and their prices.';


--
-- Name: lock_guest(text[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.lock_guest(p_keys text[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_ids uuid[];
    v_current uuid;
begin
    loop
        select array_agg(l.guest_id), (array_agg(l.guest_id) filter (where l.device_key = p_keys[1]))[1]
        into v_ids, v_current
        from (
            select k.guest_id, k.device_key
            from credits.guests as k
            where k.device_key = any(p_keys)
            order by k.guest_id
            for update
        ) as l;
        exit when v_current is not null;
        if v_ids is null then
            -- New. Or new for two at once: then wait for the other, and begin again.
            insert into credits.guests (device_key, first_seen_at) values (p_keys[1], credits.clock())
            on conflict do nothing
            returning guest_id into v_current;
            exit when v_current is not null;
        else
            -- The salt has changed: the row follows.
            v_current := v_ids[1];
            begin
                update credits.guests as k set device_key = p_keys[1] where k.guest_id = v_current;
            exception
                when unique_violation then null;
            end;
            exit;
        end if;
    end loop;

    -- No lock may follow these, they would be out of order: what has come under the other key meanwhile only counts.
    return v_current || array(
        select k.guest_id from credits.guests as k where k.device_key = any(p_keys) and k.guest_id <> v_current
    );
end
$$;


--
-- Name: FUNCTION lock_guest(p_keys text[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.lock_guest(p_keys text[]) IS 'Locks the guest of these device keys, a new one if need be. Its id comes first; when both keys were given out as new, at two doors, there is a second one, and both count.';


--
-- Name: lock_guest_network(text[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.lock_guest_network(p_keys text[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_ids uuid[];
    v_current uuid;
begin
    loop
        select array_agg(l.network_id), (array_agg(l.network_id) filter (where l.network_key = p_keys[1]))[1]
        into v_ids, v_current
        from (
            select k.network_id, k.network_key
            from credits.guest_networks as k
            where k.network_key = any(p_keys)
            order by k.network_id
            for update
        ) as l;
        exit when v_current is not null;
        if v_ids is null then
            insert into credits.guest_networks (network_key) values (p_keys[1])
            on conflict do nothing
            returning network_id into v_current;
            exit when v_current is not null;
        else
            v_current := v_ids[1];
            begin
                update credits.guest_networks as k set network_key = p_keys[1] where k.network_id = v_current;
            exception
                when unique_violation then null;
            end;
            exit;
        end if;
    end loop;

    return v_current || array(
        select k.network_id from credits.guest_networks as k where k.network_key = any(p_keys) and k.network_id <> v_current
    );
end
$$;


--
-- Name: FUNCTION lock_guest_network(p_keys text[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.lock_guest_network(p_keys text[]) IS 'The same as credits.lock_guest, for a network.';


--
-- Name: lock_identity(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.lock_identity(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform from credits.identities as i where i.account_id = p_account_id order by i.subject for no key update;
end
$$;


--
-- Name: FUNCTION lock_identity(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.lock_identity(p_account_id uuid) IS 'Until the end of the transaction the account gets no referrer. Taken before any wallet.';


--
-- Name: lock_wallet(uuid, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.lock_wallet(p_account_id uuid, p_settle boolean DEFAULT true, OUT seq bigint, OUT balance numeric, OUT status text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_head_lot bigint;
    v_due_at timestamptz;
    v_due boolean;
begin
    -- Money is not acknowledged before it is on disk, whatever the session asked for.
    -- In the body: as a SET clause of the function it would be undone before the commit.
    if current_setting('synchronous_commit') in ('off', 'local') then
        perform set_config('synchronous_commit', 'on', true);
    end if;

    -- NO KEY: inserts that refer to the account need not wait.
    select w.seq, w.balance, w.status, w.head_lot, w.due_at
    into seq, balance, status, v_head_lot, v_due_at
    from credits.wallets as w
    where w.account_id = p_account_id
    for no key update;
    if not found then
        perform credits.fail(404, 'unknown_user', 'no such account');
    end if;

    -- The time after the lock: waiting for it may have taken long.
    v_due := v_due_at <= credits.clock();
    if v_head_lot is not null and (p_settle or v_due) then
        perform credits.settle_head(p_account_id);
    end if;
    if v_due then
        perform credits.catch_up(p_account_id);
        select w.seq, w.balance into seq, balance from credits.wallets as w where w.account_id = p_account_id;
    end if;
end
$$;


--
-- Name: FUNCTION lock_wallet(p_account_id uuid, p_settle boolean, OUT seq bigint, OUT balance numeric, OUT status text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.lock_wallet(p_account_id uuid, p_settle boolean, OUT seq bigint, OUT balance numeric, OUT status text) IS 'Locks the wallet until the end of the transaction, books what has expired, and says how it stands. p_settle: the tokens of the head lot are put back on its row, as everything needs it that looks at lots. Raises PT404 unknown_user.';


--
-- Name: lock_wallets(uuid[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.lock_wallets(p_account_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_account_id uuid;
begin
    for v_account_id in
        select distinct a.account_id
        from unnest(p_account_ids) as a (account_id)
        where a.account_id is not null
        order by a.account_id
    loop
        perform credits.lock_wallet(v_account_id);
    end loop;
end
$$;


--
-- Name: FUNCTION lock_wallets(p_account_ids uuid[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.lock_wallets(p_account_ids uuid[]) IS 'credits.lock_wallet for several accounts, in the order that keeps them from waiting for each other. Nulls are passed over. Raises PT404 unknown_user.';


--
-- Name: lock_with_referrer(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.lock_with_referrer(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.lock_identity(p_account_id);
    perform credits.lock_wallets(array[p_account_id, (
        select r.referrer_id
        from credits.referrals as r
        where r.account_id = p_account_id and r.state = 'pending'
    )]);
end
$$;


--
-- Name: FUNCTION lock_with_referrer(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.lock_with_referrer(p_account_id uuid) IS 'Locks the wallet of an account that is about to pay, and of whoever is to be rewarded for that.';


--
-- Name: me(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.me() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if session_user in ('pgcredits_api', 'pgcredits_service') then
        return (select i.account_id from credits.identities as i where i.subject = credits.subject());
    end if;
    return (select l.account_id from credits.sql_logins as l where l.login = session_user);
end
$$;


--
-- Name: FUNCTION me(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.me() IS 'The account of the caller; null for nobody. What the policies compare rows with.';


--
-- Name: module_price(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.module_price(p_module_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_price credits.prices;
begin
    select p.* into v_price
    from credits.prices as p
    where p.price_id = credits.find_price(p_module_id, credits.clock());
    if not found then
        return null;
    end if;
    return jsonb_build_object(
        'price_id', v_price.price_id,
        'margin', trim_scale(v_price.margin),
        'exchange_rate', trim_scale(v_price.exchange_rate),
        'components', (
            select jsonb_agg(c.component - 'provider_cost' order by c.number)
            from jsonb_array_elements(credits.components_as_json(v_price.price_id))
                with ordinality as c (component, number)
        )
    );
end
$$;


--
-- Name: FUNCTION module_price(p_module_id text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.module_price(p_module_id text) IS 'The price of a module as anybody may see it: without the provider''s cost.';


--
-- Name: next_level(uuid, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.next_level(p_account_id uuid, p_available numeric) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_levels constant record := credits.notice_levels_of(p_account_id);
begin
    return case
        when v_levels.low_armed and v_levels.low <= p_available then v_levels.low
        -- Depleted is below the smallest amount.
        when v_levels.depleted_armed and p_available > 0 then 0.000001
    end;
end
$$;


--
-- Name: FUNCTION next_level(p_account_id uuid, p_available numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.next_level(p_account_id uuid, p_available numeric) IS 'The amount below which falling writes a notice next; null: none will be written.';


--
-- Name: next_lot(uuid, text, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    select l.lot_id, l.remaining - l.held into lot_id, free
    from credits.lots as l
    where
        l.account_id = p_account_id and l.live and not l.frozen and l.remaining > l.held
        and l.effective_at <= p_at and (l.expires_at is null or l.expires_at > p_at)
        and (l.scope is null or l.scope = any (credits.scopes_of(p_module_id)))
    order by l.priority, l.expires_at nulls last, l.scope is null, l.unit_cost > 0, l.effective_at, l.lot_id
    limit 1;
end
$$;


--
-- Name: FUNCTION next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric) IS 'The lot that a spend on a module takes from next, and what is free in it; nulls when there is none.';


--
-- Name: next_period(text, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    RETURN ((date_trunc(p_period, (p_at AT TIME ZONE 'UTC'::text)) + (('1 '::text || p_period))::interval) AT TIME ZONE 'UTC'::text);


--
-- Name: FUNCTION next_period(p_period text, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) IS 'When the day or month after that of a moment begins, in UTC.';


--
-- Name: normal_code(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.normal_code(p_code text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return nullif(upper(btrim(p_code, E' \t\r\n')), '');
end
$$;


--
-- Name: FUNCTION normal_code(p_code text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.normal_code(p_code text) IS 'A code as it is kept: upper case, without space around it; null for nothing.';


--
-- Name: note_grant(uuid, credits.entry_kind, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into credits.notice_levels as n (account_id, last_grant) values (p_account_id, p_tokens)
    on conflict (account_id) do update
    set last_grant = excluded.last_grant + case when p_source = 'bonus' then n.last_grant else 0 end;
end
$$;


--
-- Name: FUNCTION note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric) IS 'Remembers the size of the last grant, from which a percentage is taken.';


--
-- Name: notice_levels_of(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- A percentage at ledger scale, up: the head lot ends at it, and neither lot nor wallet keeps a finer amount. Of
    -- nothing granted it is no threshold.
    select
        nullif(coalesce(
            n.below, ceil(n.percent * n.last_grant * 10000) / 1000000.000000,
            r.below, ceil(r.percent * n.last_grant * 10000) / 1000000.000000
        ), 0),
        coalesce(n.low_armed, true),
        case when d.kind is not null then coalesce(n.depleted_armed, true) end
    into low, low_armed, depleted_armed
    from (values (p_account_id)) as a (account_id)
    left join credits.notice_levels as n on a.account_id = n.account_id
    left join credits.notice_rules as r on r.kind = 'low_balance'
    left join credits.notice_rules as d on d.kind = 'depleted';
end
$$;


--
-- Name: FUNCTION notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) IS 'The threshold of an account''s low balance (null: none), and which notices its next crossing would write; depleted_armed null: the bank has no such rule.';


--
-- Name: open_account(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.open_account(p_subject text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_entered constant record := credits.enter(p_subject);
begin
    if v_entered.opened then
        perform credits.welcome(v_entered.account_id);
    end if;
    return v_entered.account_id;
end
$$;


--
-- Name: FUNCTION open_account(p_subject text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.open_account(p_subject text) IS 'Opens the account of a user id, with what new accounts are given, or finds it. Raises PT422 bad_user.';


--
-- Name: order_of_session(jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.order_of_session(p_session jsonb) RETURNS credits.orders
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_account_id text := p_session ->> 'client_reference_id';
    v_order_id text := p_session #>> '{metadata,order_id}';
    v_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
    v_order credits.orders;
begin
    if p_session ->> 'object' = 'checkout.session' and v_account_id ~ v_uuid and v_order_id ~ v_uuid then
        select o.* into v_order
        from credits.orders as o
        where o.account_id = v_account_id::uuid and o.order_id = v_order_id::uuid;
    end if;
    return v_order;
end
$_$;


--
-- Name: FUNCTION order_of_session(p_session jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.order_of_session(p_session jsonb) IS 'The order that a Checkout session was opened for, or a row of nulls.';


--
-- Name: order_receipt(credits.orders, text, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean) RETURNS api.order_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_receipt api.order_receipt;
begin
    v_receipt.order_id := p_order.order_id;
    v_receipt.account_id := p_order.account_id;
    v_receipt.user_id := p_user_id;
    v_receipt.pack_id := p_order.pack_id;
    v_receipt.package_name := p_order.package_name;
    v_receipt.module_id := case when p_order.scope like 'module:%' then substr(p_order.scope, 8) end;
    v_receipt.scope := p_order.scope;
    v_receipt.tokens := trim_scale(p_order.tokens);
    v_receipt.bonus_tokens := trim_scale(p_order.bonus_tokens);
    v_receipt.amount := p_order.amount;
    v_receipt.currency := p_order.currency;
    v_receipt.state := p_order.state;
    v_receipt.stripe_price_id := p_order.stripe_price_id;
    v_receipt.stripe_customer_id := (
        select a.stripe_customer_id from credits.accounts as a where a.account_id = p_order.account_id
    );
    v_receipt.checkout_session_id := p_order.checkout_session_id;
    v_receipt.replayed := p_replayed;
    return v_receipt;
end
$$;


--
-- Name: FUNCTION order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean) IS 'An order as api functions answer it.';


--
-- Name: payment_mismatch(credits.orders, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.payment_mismatch(p_order credits.orders, p_session jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- The subtotal: discounts and taxes are between Stripe and the customer, what was sold is not.
    return case
        when p_order.checkout_session_id <> p_session ->> 'id' then 'another session than the order''s'
        when p_session ->> 'currency' is distinct from p_order.currency
            then format('currency %s, ordered in %s', p_session ->> 'currency', p_order.currency)
        when p_session -> 'amount_subtotal' is distinct from to_jsonb(p_order.amount)
            then format('subtotal %s, ordered for %s', p_session ->> 'amount_subtotal', p_order.amount)
        when exists (
            select
            from credits.stripe_objects as s
            where s.object_id in (p_session ->> 'id', p_session ->> 'payment_intent')
        ) then 'a session or payment intent that another order was granted for'
    end;
end
$$;


--
-- Name: FUNCTION payment_mismatch(p_order credits.orders, p_session jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.payment_mismatch(p_order credits.orders, p_session jsonb) IS 'Why a payment is not the one that the order asked for; null when it is.';


--
-- Name: period_start(text, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    RETURN (date_trunc(p_period, (p_at AT TIME ZONE 'UTC'::text)) AT TIME ZONE 'UTC'::text);


--
-- Name: FUNCTION period_start(p_period text, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) IS 'The beginning, in UTC, of the day or month of a moment.';


--
-- Name: post_entry(uuid, bigint, numeric, numeric, timestamp with time zone, bytea, credits.entry_kind, numeric, jsonb, text, jsonb, bigint, text, jsonb, timestamp with time zone, numeric, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.post_entry(p_account_id uuid, p_seq bigint, p_balance numeric, p_debt numeric, p_previous_at timestamp with time zone, p_previous_hash bytea, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_module_id text DEFAULT NULL::text, p_usage jsonb DEFAULT NULL::jsonb, p_price_id bigint DEFAULT NULL::bigint, p_reference text DEFAULT NULL::text, p_metadata jsonb DEFAULT '{}'::jsonb, p_effective_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_from_head numeric DEFAULT 0, p_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    -- A clock that steps back must not reorder the ledger.
    v_posted_at constant timestamptz := greatest(
        coalesce(p_at, credits.clock()), p_previous_at + interval '1 microsecond'
    );
    v_effective_at constant timestamptz := coalesce(p_effective_at, v_posted_at);
    v_actor constant text := credits.actor();
    v_hash constant bytea := credits.entry_hash(
        p_previous_hash, p_account_id, p_seq, v_posted_at, v_effective_at, p_kind, p_tokens, p_balance + p_tokens, p_debt,
        p_draws, p_module_id, p_usage, p_price_id, p_reference, v_actor, p_metadata
    );
begin
    insert into credits.entries (
        account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
        module_id, usage, price_id, reference, actor, metadata, hash
    )
    values (
        p_account_id, p_seq, v_posted_at, v_effective_at, p_kind, p_tokens, p_balance + p_tokens, p_debt, p_draws,
        p_module_id, p_usage, p_price_id, p_reference, v_actor, p_metadata, v_hash
    );

    -- The hash in the same update: a second one would cost a third more.
    if p_kind = 'spend' then
        update credits.wallets as w
        set
            seq = p_seq, balance = p_balance + p_tokens, posted_at = v_posted_at, head_hash = v_hash,
            head_free = w.head_free - p_from_head, lifetime_spent = w.lifetime_spent - p_tokens
        where w.account_id = p_account_id;
    else
        update credits.wallets as w
        set
            seq = p_seq, balance = p_balance + p_tokens, posted_at = v_posted_at, head_hash = v_hash,
            lifetime_granted = w.lifetime_granted + greatest(p_tokens, 0)
        where w.account_id = p_account_id;
    end if;

    -- What the head pays passes no threshold: see credits.head_allowance.
    if p_from_head = 0 and p_tokens <> 0 then
        perform credits.write_notices(p_account_id, p_balance, p_balance + p_tokens);
    end if;
end
$$;


--
-- Name: FUNCTION post_entry(p_account_id uuid, p_seq bigint, p_balance numeric, p_debt numeric, p_previous_at timestamp with time zone, p_previous_hash bytea, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_metadata jsonb, p_effective_at timestamp with time zone, p_from_head numeric, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.post_entry(p_account_id uuid, p_seq bigint, p_balance numeric, p_debt numeric, p_previous_at timestamp with time zone, p_previous_hash bytea, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_metadata jsonb, p_effective_at timestamp with time zone, p_from_head numeric, p_at timestamp with time zone) IS 'Appends entry p_seq to the chain of a locked wallet and moves its balance by p_tokens. The caller moves the lots; p_from_head is what a spend takes from the head lot, whose tokens are on the wallet.';


--
-- Name: price_parts(bigint, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.price_parts(p_price_id bigint, p_usage jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return (
        select jsonb_agg(jsonb_build_object(
            'dimension', c.dimension,
            'quantity', p_usage -> c.dimension,
            'free_quantity', trim_scale(c.free_quantity),
            'unit_size', trim_scale(c.unit_size),
            'whole_units', c.whole_units,
            'units', trim_scale(b.billed / c.unit_size),
            'price_per_unit', trim_scale(c.price_per_unit),
            'tiers', credits.tiers_used(c.price_id, c.dimension, b.billed),
            'minimum_charge', trim_scale(c.minimum_charge),
            'charge', trim_scale(credits.tiered_charge(
                b.quantity, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge,
                credits.tiers_of(c.price_id, c.dimension)
            ) / c.unit_size),
            'margin', trim_scale(p.margin),
            'exchange_rate', trim_scale(p.exchange_rate)
        ) order by c.dimension)
        from credits.price_components as c
        join credits.prices as p on p.price_id = c.price_id
        cross join lateral (
            select
                credits.quantity(p_usage -> c.dimension) as quantity,
                credits.charge(
                    credits.quantity(p_usage -> c.dimension), c.unit_size, 1, c.free_quantity, c.whole_units, 0
                ) as billed
        ) as b
        where c.price_id = p_price_id
    );
end
$$;


--
-- Name: FUNCTION price_parts(p_price_id bigint, p_usage jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.price_parts(p_price_id bigint, p_usage jsonb) IS 'How a cost comes about, by dimension: units are what is charged after the free quantity; charge is their price, or the minimum, before margin and exchange rate. Fractions that do not end are rounded here; the cost is made without them.';


--
-- Name: price_usage(text, jsonb, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT usage jsonb, OUT cost numeric) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_component record;
    v_rest jsonb;
    v_quantity numeric;
    -- The sum so far, as an exact fraction.
    v_numerator numeric := 0.0;
    v_denominator numeric := 1.0;
begin
    -- 1. Nothing said of the usage: one call.
    usage := case when p_usage = '{}' then '{"calls": 1}' else p_usage end;
    v_rest := case when jsonb_typeof(usage) = 'object' then usage end;

    -- 2. The price in force; for what the list does not know, the default. Charge each component and add up; a quantity
    --    that is no sane number makes the sum null.
    for v_component in
        select
            c.dimension, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge, c.tiered,
            p.price_id, p.margin, p.exchange_rate
        from credits.price_components as c
        join credits.prices as p on c.price_id = p.price_id
        where c.price_id = coalesce(
            (
                select l.price_id
                from credits.price_list as l
                where l.module_id = p_module_id and l.valid_until > p_at
            ),
            credits.find_price(p_module_id, p_at)
        )
    loop
        price_id := v_component.price_id;
        -- By itself: as an argument it would be too dear for the planner to put credits.charge in its place.
        v_quantity := credits.quantity(usage -> v_component.dimension);
        if v_component.tiered then
            v_numerator := v_numerator * v_component.unit_size + v_denominator * credits.tiered_charge(
                v_quantity,
                v_component.unit_size, v_component.price_per_unit, v_component.free_quantity,
                v_component.whole_units, v_component.minimum_charge,
                credits.tiers_of(v_component.price_id, v_component.dimension)
            );
        else
            v_numerator := v_numerator * v_component.unit_size + v_denominator * credits.charge(
                v_quantity,
                v_component.unit_size, v_component.price_per_unit, v_component.free_quantity,
                v_component.whole_units, v_component.minimum_charge
            );
        end if;
        v_denominator := v_denominator * v_component.unit_size;
        v_rest := v_rest - v_component.dimension;
    end loop;

    -- 3. Margin and currency, and the one rounding: up, at ledger scale.
    cost := credits.ceil_tokens(v_numerator * v_component.margin, v_denominator * v_component.exchange_rate);

    -- 4. The usage gave exactly the dimensions of the price, and what it costs is an amount.
    if v_rest <> '{}' or coalesce(cost, 'Infinity') > 1000000000000 or pg_column_size(usage) > 2048 then
        perform credits.refuse_usage(price_id);
    end if;
end
$$;


--
-- Name: FUNCTION price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT usage jsonb, OUT cost numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT usage jsonb, OUT cost numeric) IS 'The cost of a use of a module, the usage as it is recorded, and the version of the price. Raises PT404 unknown_module, PT422 bad_usage.';


--
-- Name: put_notice(uuid, text, jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into credits.outbox (account_id, kind, facts, created_at)
    values (p_account_id, p_kind, p_facts, credits.clock());
end
$$;


--
-- Name: FUNCTION put_notice(p_account_id uuid, p_kind text, p_facts jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb) IS 'Puts a notice in the outbox.';


--
-- Name: quantity(jsonb); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.quantity(quantity jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (jsonb_typeof(quantity) <> 'number'::text) THEN NULL::numeric WHEN (((((quantity #>> '{}'::text[]))::numeric >= (0)::numeric) AND (((quantity #>> '{}'::text[]))::numeric <= ('1000000000000000'::bigint)::numeric)) AND (scale(((quantity #>> '{}'::text[]))::numeric) <= 30)) THEN ((quantity #>> '{}'::text[]))::numeric ELSE NULL::numeric END;


--
-- Name: FUNCTION quantity(quantity jsonb); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.quantity(quantity jsonb) IS 'A quantity of usage, if it is a number from 0 to 10^15 with at most 30 decimals; else null.';


--
-- Name: random_code(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.random_code() RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    -- 32 characters, without 0, 1, I and O.
    v_letters constant text := '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
    v_bytes constant bytea := sha256(uuid_send(gen_random_uuid()));
begin
    return (
        select string_agg(substr(v_letters, 1 + get_byte(v_bytes, i.place) % 32, 1), '')
        from generate_series(0, 7) as i (place)
    );
end
$$;


--
-- Name: FUNCTION random_code(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.random_code() IS 'Eight characters that are not mistaken for one another.';


--
-- Name: redemption_receipt(uuid, text, credits.codes, bigint, boolean); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean) RETURNS api.redemption_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_receipt api.redemption_receipt;
begin
    v_receipt.code := p_code.code;
    v_receipt.user_id := p_user_id;
    v_receipt.replayed := p_replayed;
    select c.kind, c.campaign_id, c.title into v_receipt.kind, v_receipt.campaign_id, v_receipt.title
    from credits.campaigns as c
    where c.campaign_id = p_code.campaign_id;
    if p_lot_id is null then
        v_receipt.tokens := 0;
        v_receipt.balance := trim_scale(credits.balance_at(p_account_id, credits.clock()));
        return v_receipt;
    end if;

    v_receipt.entry_id := p_account_id || ':' || p_lot_id;
    v_receipt.lot_id := p_lot_id;
    select trim_scale(e.tokens), trim_scale(e.balance_after) into v_receipt.tokens, v_receipt.balance
    from credits.entries as e
    where e.account_id = p_account_id and e.seq = p_lot_id;
    select l.expires_at into v_receipt.expires_at
    from credits.lots as l
    where l.account_id = p_account_id and l.lot_id = p_lot_id;
    return v_receipt;
end
$$;


--
-- Name: FUNCTION redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean) IS 'What a code gave, told from the entry of its grant; without one, of a referrer noted.';


--
-- Name: refuse_addition(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.refuse_addition() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not exists (
        select from credits.prices as p where p.price_id = new.price_id and p.defined_at = credits.transaction_began()
    ) then
        perform credits.fail(405, 'append_only', 'versions of prices are written whole: define another one');
    end if;
    return new;
end
$$;


--
-- Name: FUNCTION refuse_addition(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.refuse_addition() IS 'Trigger: refuses with PT405 append_only what another transaction than the version''s own adds to it.';


--
-- Name: refuse_change(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.fail(405, 'append_only', 'ledger entries and versions of prices are never changed: add another one');
    return null;
end
$$;


--
-- Name: FUNCTION refuse_change(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.refuse_change() IS 'Trigger: refuses with PT405 append_only.';


--
-- Name: refuse_code(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.refuse_code(p_verdict text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- Of a campaign that has not begun nobody is told that it is there.
    if p_verdict = 'withdrawn' then
        perform credits.fail(404, 'unknown_code', 'no such code');
    elsif p_verdict = 'ended' then
        perform credits.fail(409, 'code_expired', 'this code is no longer valid');
    elsif p_verdict = 'used' then
        perform credits.fail(409, 'code_used', 'this account has used this code');
    elsif p_verdict = 'exhausted' then
        perform credits.fail(409, 'code_exhausted', 'this code has been used up');
    end if;
end
$$;


--
-- Name: FUNCTION refuse_code(p_verdict text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.refuse_code(p_verdict text) IS 'Refuses a code with the verdict on its campaign. Raises PT404 unknown_code, PT409 code_expired, code_used or code_exhausted; nothing for open.';


--
-- Name: refuse_guest(bigint, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.refuse_guest(p_limit bigint, p_reset_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.fail(
        429, 'guest_limit', 'no free uses are left: sign up to go on at once',
        json_build_object('remaining', 0, 'limit', p_limit, 'reset_at', p_reset_at)
    );
end
$$;


--
-- Name: FUNCTION refuse_guest(p_limit bigint, p_reset_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.refuse_guest(p_limit bigint, p_reset_at timestamp with time zone) IS 'Raises PT429 guest_limit (remaining, limit, reset_at).';


--
-- Name: refuse_line(text, text, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.refuse_line(p_what text, p_name text, p_why text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform credits.fail(
        422, 'bad_catalogue', format('%s %s: %s', p_what, coalesce(quote_literal(p_name), 'without a name'), p_why),
        json_build_object('line', p_what, 'name', p_name)
    );
end
$$;


--
-- Name: FUNCTION refuse_line(p_what text, p_name text, p_why text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.refuse_line(p_what text, p_name text, p_why text) IS 'Raises PT422 bad_catalogue with the name of the line that is wrong.';


--
-- Name: refuse_usage(bigint); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.refuse_usage(p_price_id bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_dimensions constant text[] := array(
        select c.dimension from credits.price_components as c where c.price_id = p_price_id order by c.dimension
    );
begin
    if p_price_id is null then
        perform credits.fail(404, 'unknown_module', 'no such module');
    end if;
    perform credits.fail(
        422, 'bad_usage', format(
            'usage names exactly %s, each a number from 0 to 10^15, and costs at most 10^12',
            array_to_string(v_dimensions, ', ')
        ),
        json_build_object('dimensions', v_dimensions)
    );
end
$$;


--
-- Name: FUNCTION refuse_usage(p_price_id bigint); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.refuse_usage(p_price_id bigint) IS 'Raises PT404 unknown_module without a price, else PT422 bad_usage.';


--
-- Name: scopes_of(text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.scopes_of(p_module_id text) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return array[
        'module:' || p_module_id,
        (select 'category:' || m.category_id from credits.modules as m where m.module_id = p_module_id)
    ];
end
$$;


--
-- Name: FUNCTION scopes_of(p_module_id text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.scopes_of(p_module_id text) IS 'The scopes of lots that may be spent on a module: its own and its category''s.';


--
-- Name: set_due(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.set_due(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_now constant timestamptz := credits.clock();
    v_ahead constant interval := (select r.ahead from credits.notice_rules as r where r.kind = 'expiring_soon');
begin
    update credits.wallets as w
    set due_at = least(
        coalesce((
            select min(case when l.announced then l.expires_at else l.expires_at - coalesce(v_ahead, '0') end)
            from credits.lots as l
            where l.account_id = p_account_id and l.live and l.expires_at > v_now
        ), 'infinity'),
        coalesce((
            select min(credits.next_period(s.period, v_now))
            from credits.spend_limits as s
            where s.account_id = p_account_id
        ), 'infinity')
    )
    where w.account_id = p_account_id;
end
$$;


--
-- Name: FUNCTION set_due(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.set_due(p_account_id uuid) IS 'Says on a locked and settled wallet when the clock next has something to do there.';


--
-- Name: settle_head(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.settle_head(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    update credits.lots as l
    set remaining = l.remaining + w.head_free, live = l.remaining + w.head_free > 0
    from credits.wallets as w
    where w.account_id = p_account_id and l.account_id = p_account_id and l.lot_id = w.head_lot;
    update credits.wallets as w
    set head_lot = null, head_free = 0
    where w.account_id = p_account_id;
end
$$;


--
-- Name: FUNCTION settle_head(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.settle_head(p_account_id uuid) IS 'Puts the tokens of a locked wallet''s head lot back on the lot''s row.';


--
-- Name: settle_referral(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.settle_referral(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_referral credits.referrals;
    v_campaign credits.campaigns;
    v_verdict text := 'ended';
begin
    select r.* into v_referral
    from credits.referrals as r
    where r.account_id = p_account_id and r.state = 'pending';
    if not found then
        return;
    end if;

    -- Both get theirs, or neither. A frozen referrer may receive; a closed one may not.
    if (select w.status from credits.wallets as w where w.account_id = v_referral.referrer_id) <> 'closed' then
        select g.verdict into v_verdict
        from credits.grant_campaign(v_referral.referrer_id, v_referral.campaign_id, v_referral.code) as g;
    end if;
    if v_verdict = 'open' then
        select c.* into v_campaign from credits.campaigns as c where c.campaign_id = v_referral.campaign_id;
        if v_campaign.referee_tokens > 0 then
            perform credits.book_gift(
                p_account_id, v_campaign, 0, v_campaign.referee_tokens, v_referral.code, credits.clock()
            );
        end if;
    end if;
    update credits.referrals as r
    set
        state = case
            when v_verdict = 'open' then 'paid'
            when v_verdict in ('used', 'exhausted') then 'capped'
            else 'lapsed'
        end,
        settled_at = credits.clock()
    where r.account_id = p_account_id;
end
$$;


--
-- Name: FUNCTION settle_referral(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.settle_referral(p_account_id uuid) IS 'Rewards whoever brought an account that has just paid for the first time, and the account itself. Both wallets are locked by credits.lock_with_referrer.';


--
-- Name: spend(uuid, text, text, jsonb, text, jsonb, boolean, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.spend(p_account_id uuid, p_user_id text, p_module_id text, p_usage jsonb, p_key text, p_metadata jsonb, p_byok boolean DEFAULT false, p_expected_cost numeric DEFAULT NULL::numeric) RETURNS api.spend_receipt
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_seq bigint;
    v_balance numeric;
    v_debt numeric;
    v_posted_at timestamptz;
    v_hash bytea;
    v_status text;
    v_head_lot bigint;
    v_head_free numeric;
    v_due_at timestamptz;
    v_now timestamptz;
    v_known text;
    v_price record;
    v_from_head numeric;
    v_drawn record;
    v_draws jsonb;
begin
    if p_metadata is distinct from '{}' then
        perform credits.check_metadata(p_metadata);
    end if;
    if pg_column_size(p_usage) > 2048 then
        perform credits.fail(422, 'bad_usage', 'usage is larger than 2 kB');
    end if;

    -- 2. Lock. When the clock has made something due, or the session wants commits that are not durable, the long way first.
    loop
        select w.seq + 1, w.balance, w.debt, w.posted_at, w.head_hash, w.status, w.head_lot, w.head_free, w.due_at
        into v_seq, v_balance, v_debt, v_posted_at, v_hash, v_status, v_head_lot, v_head_free, v_due_at
        from credits.wallets as w
        where w.account_id = p_account_id
        for no key update;
        -- The time after the lock: waiting for it may have taken long.
        v_now := credits.clock();
        exit when v_due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local');
        perform credits.lock_wallet(p_account_id);
    end loop;

    -- 3. Repeat?
    if p_key is not null then
        v_known := credits.claim_key(
            p_account_id, 'consume_tokens', p_key,
            jsonb_build_array(p_module_id, p_usage, p_metadata, p_byok, trim_scale(p_expected_cost)), v_seq::text
        );
        if v_known is not null then
            return credits.spend_receipt(p_account_id, v_known::bigint, p_user_id);
        end if;
    end if;
    if v_status <> 'active' then
        perform credits.fail(423, 'account_frozen', 'this account is ' || v_status);
    end if;

    -- 4. Price. The database's price wins; one that the client names must be the same.
    v_price := credits.price_usage(p_module_id, p_usage, v_now);
    if p_byok then
        v_price.cost := 0;
    end if;
    if p_expected_cost <> v_price.cost then
        perform credits.fail(
            422, 'price_mismatch', 'the price is another one',
            json_build_object('cost', trim_scale(v_price.cost), 'expected', trim_scale(p_expected_cost))
        );
    end if;

    -- 5. Take. The wallet carries tokens that are next for every module and break no limit; when those do not do, the
    --    limits and the lots themselves.
    if v_price.cost <= v_head_free and v_price.cost > 0 then
        v_from_head := v_price.cost;
        v_draws := jsonb_build_array(jsonb_build_object('lot_id', v_head_lot, 'tokens', trim_scale(v_from_head)));
    else
        v_from_head := 0;
        perform credits.keep_limits(p_account_id, v_price.cost, v_now);
        v_drawn := credits.draw_settled(p_account_id, p_module_id, v_price.cost, v_now);
        if v_drawn.missing > 0 then
            perform credits.fail(
                402, 'insufficient_tokens', 'not enough tokens',
                json_build_object(
                    'balance', trim_scale(v_balance),
                    'cost', trim_scale(v_price.cost),
                    'missing', trim_scale(v_drawn.missing),
                    'affordable', credits.affordable(v_price.price_id, v_price.cost, v_price.cost - v_drawn.missing)
                )
            );
        end if;
        v_draws := v_drawn.draws;
    end if;

    -- 6. Write.
    perform credits.post_entry(
        p_account_id, v_seq, v_balance, v_debt, v_posted_at, v_hash,
        case when p_byok then 'byok' else 'spend' end::credits.entry_kind, -v_price.cost, v_draws,
        p_module_id, v_price.usage, v_price.price_id, p_metadata => p_metadata, p_from_head => v_from_head, p_at => v_now
    );
    if v_from_head = 0 and v_price.cost > 0 then
        perform credits.choose_head(p_account_id, v_now);
    end if;
    return row(
        p_account_id || ':' || v_seq, p_user_id, p_module_id, trim_scale(v_price.cost),
        trim_scale(v_balance - v_price.cost), v_draws, false
    );
end
$$;


--
-- Name: FUNCTION spend(p_account_id uuid, p_user_id text, p_module_id text, p_usage jsonb, p_key text, p_metadata jsonb, p_byok boolean, p_expected_cost numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.spend(p_account_id uuid, p_user_id text, p_module_id text, p_usage jsonb, p_key text, p_metadata jsonb, p_byok boolean, p_expected_cost numeric) IS 'The work of api.consume_tokens, on an account.';


--
-- Name: spend_receipt(uuid, bigint, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text) RETURNS api.spend_receipt
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_entry credits.entries;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_account_id and e.seq = p_seq;
    return row(
        p_account_id || ':' || p_seq, p_user_id, v_entry.module_id, trim_scale(-v_entry.tokens),
        trim_scale(v_entry.balance_after), v_entry.draws, true
    );
end
$$;


--
-- Name: FUNCTION spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text) IS 'The answer of an earlier spend, told again from its entry.';


--
-- Name: spendable(uuid, text, timestamp with time zone); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return (
        select coalesce(sum(l.remaining - l.held), 0)
        from credits.current_lots as l
        where
            l.account_id = p_account_id and l.remaining > l.held and not l.frozen
            and l.effective_at <= p_at and (l.expires_at is null or l.expires_at > p_at)
            and (l.scope is null or l.scope = any (credits.scopes_of(p_module_id)))
    );
end
$$;


--
-- Name: FUNCTION spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone) IS 'Tokens that an account may spend on a module now: not held, frozen, expired or bound to something else.';


--
-- Name: subject(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.subject() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if session_user in ('pgcredits_api', 'pgcredits_service') then
        return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
    end if;
    return (
        select i.subject
        from credits.sql_logins as l
        join credits.identities as i on i.account_id = l.account_id
        where l.login = session_user
        order by i.created_at
        limit 1
    );
end
$$;


--
-- Name: FUNCTION subject(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.subject() IS 'The user id of the caller; null for nobody.';


--
-- Name: price_tiers; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.price_tiers (
    price_id bigint NOT NULL,
    dimension text NOT NULL,
    above numeric NOT NULL,
    price_per_unit numeric NOT NULL,
    CONSTRAINT price_tiers_above_is_positive CHECK (((above > (0)::numeric) AND (above <= ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT price_tiers_price_is_not_negative CHECK (((price_per_unit >= (0)::numeric) AND (price_per_unit < 'Infinity'::numeric)))
);

ALTER TABLE ONLY credits.price_tiers FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE price_tiers; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.price_tiers IS 'Graduated tiers of a component, per charge: the units beyond `above` (counted after the free quantity) cost price_per_unit, until the next tier. The units below the first tier cost the component''s own price.';


--
-- Name: tiered_charge(numeric, numeric, numeric, numeric, boolean, numeric, credits.price_tiers[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    -- At a price of 1 and without a minimum the charge is what is billed: units times unit_size.
    v_billed constant numeric := credits.charge(p_quantity, p_unit_size, 1, p_free_quantity, p_whole_units, 0);
    v_charge numeric := v_billed * p_price_per_unit;
    v_price numeric := p_price_per_unit;
    v_tier credits.price_tiers;
begin
    -- Within the free quantity, or no quantity at all.
    if v_billed > 0 is not true then
        return v_billed;
    end if;
    -- What lies beyond the start of a tier changes from the price before to the tier's.
    foreach v_tier in array p_tiers loop
        exit when v_billed <= v_tier.above * p_unit_size;
        v_charge := v_charge + (v_billed - v_tier.above * p_unit_size) * (v_tier.price_per_unit - v_price);
        v_price := v_tier.price_per_unit;
    end loop;
    return greatest(v_charge, p_minimum_charge * p_unit_size);
end
$$;


--
-- Name: FUNCTION tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]) IS 'credits.charge of a component with tiers: exact, times unit_size; null for a quantity that is null.';


--
-- Name: tiers_of(bigint, text); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.tiers_of(p_price_id bigint, p_dimension text) RETURNS credits.price_tiers[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return array(
        select t
        from credits.price_tiers as t
        where t.price_id = p_price_id and t.dimension = p_dimension
        order by t.above
    );
end
$$;


--
-- Name: FUNCTION tiers_of(p_price_id bigint, p_dimension text); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.tiers_of(p_price_id bigint, p_dimension text) IS 'The tiers of a component, in ascending order.';


--
-- Name: tiers_used(bigint, text, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return coalesce((
        select jsonb_agg(jsonb_build_object(
            'above', trim_scale(s.above),
            'units', trim_scale(least(p_billed / s.unit_size, s.until) - s.above),
            'price_per_unit', trim_scale(s.price_per_unit)
        ) order by s.above)
        from (
            select b.above, b.price_per_unit, c.unit_size, lead(b.above) over (order by b.above) as until
            from credits.price_components as c
            cross join lateral (
                select 0 as above, c.price_per_unit
                union all
                select t.above, t.price_per_unit
                from credits.price_tiers as t
                where t.price_id = c.price_id and t.dimension = c.dimension
            ) as b
            where c.price_id = p_price_id and c.dimension = p_dimension and c.tiered
        ) as s
        where s.above * s.unit_size < p_billed
    ), '[]');
end
$$;


--
-- Name: FUNCTION tiers_used(p_price_id bigint, p_dimension text, p_billed numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric) IS 'How the units of a charge fall into tiers, those below the first one too: [{"above", "units", "price_per_unit"}]. p_billed is units times unit_size. Empty without tiers.';


--
-- Name: topup_tokens(bigint, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN trim_scale(trunc(((amount)::numeric * tokens_per_unit), 6));


--
-- Name: FUNCTION topup_tokens(amount bigint, tokens_per_unit numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) IS 'The tokens of a top-up of amount (minor units), rounded down at ledger scale.';


--
-- Name: transaction_began(); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.transaction_began() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN transaction_timestamp();


--
-- Name: FUNCTION transaction_began(); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.transaction_began() IS 'The start of this transaction, as credits.prices.defined_at has it: was a version written by this very transaction?';


--
-- Name: welcome(uuid); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.welcome(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_campaign_id text;
begin
    -- Those that are over are passed by without waiting for their row. The lock makes the grant durable: nobody else
    -- knows this wallet yet.
    for v_campaign_id in
        select c.campaign_id
        from credits.campaigns as c
        where c.kind = 'welcome' and credits.campaign_verdict(c, 1, credits.clock()) = 'open'
        order by c.campaign_id
    loop
        perform credits.lock_wallet(p_account_id);
        perform credits.grant_campaign(p_account_id, v_campaign_id);
    end loop;
end
$$;


--
-- Name: FUNCTION welcome(p_account_id uuid); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.welcome(p_account_id uuid) IS 'Grants a new account what every welcome campaign gives; one that is over gives nothing, and is no error.';


--
-- Name: welcome_tokens(timestamp with time zone, text[]); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.welcome_tokens(p_at timestamp with time zone, p_scopes text[] DEFAULT NULL::text[]) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return (
        select coalesce(sum(c.tokens), 0)
        from credits.campaigns as c
        where
            c.kind = 'welcome' and credits.campaign_verdict(c, 1, p_at) = 'open'
            and (c.scope is null or p_scopes is null or c.scope = any (p_scopes))
    );
end
$$;


--
-- Name: FUNCTION welcome_tokens(p_at timestamp with time zone, p_scopes text[]); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.welcome_tokens(p_at timestamp with time zone, p_scopes text[]) IS 'Tokens that an account would find if it opened now: those bound to one of the scopes or to none; without scopes, all.';


--
-- Name: write_notices(uuid, numeric, numeric); Type: FUNCTION; Schema: credits; Owner: -
--

CREATE FUNCTION credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_levels constant record := credits.notice_levels_of(p_account_id);
    v_held numeric;
    v_before numeric;
    v_after numeric;
    v_low_armed boolean;
    v_depleted_armed boolean;
begin
    if num_nonnulls(v_levels.low, v_levels.depleted_armed) = 0 then
        return;
    end if;
    select w.held into v_held from credits.wallets as w where w.account_id = p_account_id;
    v_before := p_before - v_held;
    v_after := p_after - v_held;

    -- 1. Falling through a threshold that is armed.
    if v_levels.low_armed and v_before >= v_levels.low and v_after < v_levels.low then
        perform credits.put_notice(
            p_account_id, 'low_balance',
            jsonb_build_object('balance', trim_scale(v_after), 'threshold', trim_scale(v_levels.low))
        );
        v_low_armed := false;
    elsif not v_levels.low_armed and v_after > 1.1 * v_levels.low then
        v_low_armed := true;
    end if;
    if v_levels.depleted_armed and v_before > 0 and v_after <= 0 then
        perform credits.put_notice(p_account_id, 'depleted', jsonb_build_object('balance', trim_scale(v_after)));
        v_depleted_armed := false;
    elsif not v_levels.depleted_armed and v_after > 0 then
        v_depleted_armed := true;
    end if;

    -- 2. Remember.
    if num_nonnulls(v_low_armed, v_depleted_armed) > 0 then
        insert into credits.notice_levels as n (account_id, low_armed, depleted_armed)
        values (p_account_id, coalesce(v_low_armed, true), coalesce(v_depleted_armed, true))
        on conflict (account_id) do update
        set
            low_armed = coalesce(v_low_armed, n.low_armed),
            depleted_armed = coalesce(v_depleted_armed, n.depleted_armed);
    end if;
end
$$;


--
-- Name: FUNCTION write_notices(p_account_id uuid, p_before numeric, p_after numeric); Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON FUNCTION credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric) IS 'Writes the notices that a change of a locked wallet''s balance calls for, and arms those that it has risen above.';


--
-- Name: entries; Type: TABLE; Schema: credits; Owner: -
--

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
    reference text,
    actor text NOT NULL,
    metadata jsonb NOT NULL,
    hash bytea NOT NULL
)
PARTITION BY RANGE (posted_at);

ALTER TABLE ONLY credits.entries FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE entries; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.entries IS 'The ledger. Append-only, partitioned by month, a hash chain per account. No foreign keys: only definer functions write it, under the wallet''s lock.';


--
-- Name: COLUMN entries.seq; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.seq IS '1, 2, 3 … per account, without gaps.';


--
-- Name: COLUMN entries.posted_at; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.posted_at IS 'When it was written, after the lock was taken; rises strictly with seq.';


--
-- Name: COLUMN entries.effective_at; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.effective_at IS 'When it happened: for an expiry the moment the lot expired, else posted_at.';


--
-- Name: COLUMN entries.tokens; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.tokens IS 'Change of the balance: above zero in, below zero out.';


--
-- Name: COLUMN entries.draws; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.draws IS 'The lots moved: [{"lot_id": seq of the granting entry, "tokens": how much, above zero}], in the order they were taken.';


--
-- Name: COLUMN entries.usage; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.usage IS 'What was used, per dimension.';


--
-- Name: COLUMN entries.reference; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.reference IS 'Order, reason or package that the entry belongs to.';


--
-- Name: COLUMN entries.actor; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.actor IS 'The role or SQL login that caused it. Never a person''s name.';


--
-- Name: COLUMN entries.hash; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.entries.hash IS 'sha256 over the fields and the hash before: see credits.entry_hash.';


--
-- Name: average_use; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.average_use WITH (security_invoker='true') AS
 SELECT month,
    count(*) AS active_accounts,
    avg(uses) AS uses_per_account,
    avg(tokens) AS tokens_per_account
   FROM ( SELECT (date_trunc('month'::text, (e.posted_at AT TIME ZONE 'UTC'::text)))::date AS month,
            e.account_id,
            count(*) AS uses,
            (- sum((e.tokens)::numeric)) AS tokens
           FROM credits.entries e
          WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]))
          GROUP BY ((date_trunc('month'::text, (e.posted_at AT TIME ZONE 'UTC'::text)))::date), e.account_id) u
  GROUP BY month;


--
-- Name: VIEW average_use; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.average_use IS 'Per month (UTC): accounts that used anything, and their average number of uses and of tokens.';


--
-- Name: COLUMN average_use.uses_per_account; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.average_use.uses_per_account IS 'Charges, and uses with the user''s own key: a use is one whoever pays the provider.';


--
-- Name: burn_rate; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.burn_rate WITH (security_invoker='true') AS
 WITH moved AS (
         SELECT ((e.effective_at AT TIME ZONE 'UTC'::text))::date AS day,
            (- sum((e.tokens)::numeric) FILTER (WHERE (e.kind = 'spend'::credits.entry_kind))) AS spent,
            sum((e.tokens)::numeric) FILTER (WHERE (e.kind = ANY (ARRAY['purchase'::credits.entry_kind, 'bonus'::credits.entry_kind, 'grant'::credits.entry_kind, 'welcome'::credits.entry_kind, 'promo'::credits.entry_kind, 'referral'::credits.entry_kind, 'allowance'::credits.entry_kind, 'rollover'::credits.entry_kind, 'adjustment'::credits.entry_kind]))) AS granted,
            (- sum((e.tokens)::numeric) FILTER (WHERE (e.kind = 'expire'::credits.entry_kind))) AS expired,
            sum((e.tokens)::numeric) AS change
           FROM credits.entries e
          GROUP BY (((e.effective_at AT TIME ZONE 'UTC'::text))::date)
        ), days AS (
         SELECT (d.day)::date AS day
           FROM (( SELECT min(m.day) AS first_day,
                    GREATEST(max(m.day), ((credits.clock() AT TIME ZONE 'UTC'::text))::date) AS last_day
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


--
-- Name: VIEW burn_rate; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.burn_rate IS 'Per day (UTC), from the first entry until today: tokens spent, granted and expired, how fast they burn, and how long what is out would last.';


--
-- Name: COLUMN burn_rate.spent; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.burn_rate.spent IS 'Tokens charged.';


--
-- Name: COLUMN burn_rate.granted; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.burn_rate.granted IS 'Tokens bought or given.';


--
-- Name: COLUMN burn_rate.expired; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.burn_rate.expired IS 'Tokens that passed their date on this day, as far as that is booked.';


--
-- Name: COLUMN burn_rate.spent_per_day; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.burn_rate.spent_per_day IS 'Average of spent over this day and the six before, or fewer at the start; today counts as far as it has come.';


--
-- Name: COLUMN burn_rate.outstanding; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.burn_rate.outstanding IS 'Sum of all balances at the end of the day.';


--
-- Name: COLUMN burn_rate.days_left; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.burn_rate.days_left IS 'How many days outstanding lasts at spent_per_day; null when nothing is spent.';


--
-- Name: guest_uses; Type: TABLE; Schema: credits; Owner: -
--

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


--
-- Name: TABLE guest_uses; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.guest_uses IS 'reserved → confirmed (it worked) or released (it failed, and is free). Reserved counts as used: who never tells how it ended gains nothing.';


--
-- Name: COLUMN guest_uses.per_device; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.guest_uses.per_device IS 'What was allowed when it was made: with per_network and sliding_window, for the audit.';


--
-- Name: guests; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.guests (
    guest_id uuid DEFAULT gen_random_uuid() NOT NULL,
    device_key text NOT NULL,
    linked_to uuid,
    first_seen_at timestamp with time zone NOT NULL,
    linked_at timestamp with time zone,
    CONSTRAINT guests_device_key_is_sane CHECK ((device_key ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT guests_linked_has_time CHECK (((linked_to IS NULL) = (linked_at IS NULL)))
);

ALTER TABLE ONLY credits.guests FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE guests; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.guests IS 'A device that came without an account.';


--
-- Name: COLUMN guests.device_key; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.guests.device_key IS 'HMAC of its cookie, 64 hex digits; follows the rotation of the salt.';


--
-- Name: COLUMN guests.linked_to; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.guests.linked_to IS 'The account that it signed up for.';


--
-- Name: guest_conversion; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.guest_conversion WITH (security_invoker='true') AS
 SELECT (date_trunc('month'::text, (g.first_seen_at AT TIME ZONE 'UTC'::text)))::date AS month,
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
  GROUP BY ((date_trunc('month'::text, (g.first_seen_at AT TIME ZONE 'UTC'::text)))::date);


--
-- Name: VIEW guest_conversion; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.guest_conversion IS 'Per month (UTC) in which they came: guests, and how many of them have signed up. An analyst of segments sees only the guests who signed up for an account in them, and so no conversion worth the name.';


--
-- Name: COLUMN guest_conversion.guests; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.guest_conversion.guests IS 'Devices that came without an account.';


--
-- Name: COLUMN guest_conversion.users; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.guest_conversion.users IS 'Guests with at least one use that did not fail.';


--
-- Name: COLUMN guest_conversion.uses; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.guest_conversion.uses IS 'Their uses that did not fail.';


--
-- Name: COLUMN guest_conversion.used_up; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.guest_conversion.used_up IS 'Guests whose device has had, at some time, all the uses that it was allowed.';


--
-- Name: COLUMN guest_conversion.signed_up; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.guest_conversion.signed_up IS 'Guests who have signed up since, whenever that was.';


--
-- Name: COLUMN guest_conversion.conversion; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.guest_conversion.conversion IS 'signed_up as share of guests, 0 to 1.';


--
-- Name: catalogs; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.catalogs (
    catalog_id text NOT NULL,
    title text NOT NULL,
    unit text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    currency text
);

ALTER TABLE ONLY credits.catalogs FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE catalogs; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.catalogs IS 'The price lists that have been applied to this database.';


--
-- Name: COLUMN catalogs.unit; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.catalogs.unit IS 'What one unit of a balance is called: token, credit, euro cent.';


--
-- Name: COLUMN catalogs.currency; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.catalogs.currency IS 'The money that its packs are sold in and its margins are counted in.';


--
-- Name: lots; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.lots (
    account_id uuid NOT NULL,
    lot_id bigint NOT NULL,
    source credits.entry_kind NOT NULL,
    package_name text,
    granted credits.amount NOT NULL,
    remaining credits.amount NOT NULL,
    held credits.amount DEFAULT 0 NOT NULL,
    priority bigint NOT NULL,
    scope text,
    effective_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    unit_cost credits.unit_cost DEFAULT 0 NOT NULL,
    currency text,
    order_id uuid,
    frozen boolean DEFAULT false NOT NULL,
    live boolean DEFAULT true NOT NULL,
    announced boolean DEFAULT false NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY credits.lots FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE lots; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.lots IS 'Tokens that came in together and share a price, a scope and an expiry. Spent in burn order: see credits.draw_lots. 0 <= held <= remaining <= granted: the domains refuse what is negative, audit.check_lots proves the rest.';


--
-- Name: COLUMN lots.lot_id; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.lot_id IS 'The seq of the entry that granted it.';


--
-- Name: COLUMN lots.priority; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.priority IS 'Lower is spent first.';


--
-- Name: COLUMN lots.scope; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.scope IS 'module:ID or category:ID that the tokens are bound to; null: any.';


--
-- Name: COLUMN lots.unit_cost; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.unit_cost IS 'Money really paid for one token, in minor units of currency.';


--
-- Name: COLUMN lots.frozen; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.frozen IS 'Not spendable while the payment is disputed.';


--
-- Name: COLUMN lots.live; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.live IS 'Has tokens in it.';


--
-- Name: COLUMN lots.announced; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.lots.announced IS 'Its coming expiry has been put in the outbox.';


--
-- Name: price_components; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.price_components (
    price_id bigint NOT NULL,
    dimension text NOT NULL,
    unit_size numeric DEFAULT 1 NOT NULL,
    price_per_unit numeric NOT NULL,
    free_quantity numeric DEFAULT 0 NOT NULL,
    whole_units boolean DEFAULT false NOT NULL,
    minimum_charge numeric DEFAULT 0 NOT NULL,
    provider_cost numeric,
    tiered boolean DEFAULT false NOT NULL,
    CONSTRAINT price_components_dimension_is_sane CHECK ((dimension ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT price_components_free_quantity_is_not_negative CHECK (((free_quantity >= (0)::numeric) AND (free_quantity < 'Infinity'::numeric))),
    CONSTRAINT price_components_minimum_is_not_negative CHECK (((minimum_charge >= (0)::numeric) AND (minimum_charge < 'Infinity'::numeric))),
    CONSTRAINT price_components_price_is_not_negative CHECK (((price_per_unit >= (0)::numeric) AND (price_per_unit < 'Infinity'::numeric))),
    CONSTRAINT price_components_provider_cost_is_not_negative CHECK (((provider_cost >= (0)::numeric) AND (provider_cost < 'Infinity'::numeric))),
    CONSTRAINT price_components_unit_size_is_positive CHECK (((unit_size > (0)::numeric) AND (unit_size < 'Infinity'::numeric)))
);

ALTER TABLE ONLY credits.price_components FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE price_components; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.price_components IS 'What a price charges for each dimension of usage (calls, seconds, input_tokens …).';


--
-- Name: COLUMN price_components.unit_size; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.unit_size IS 'How much of the dimension one unit is: 1000000 for a price per million.';


--
-- Name: COLUMN price_components.price_per_unit; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.price_per_unit IS 'Price of one unit, before margin and exchange rate.';


--
-- Name: COLUMN price_components.free_quantity; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.free_quantity IS 'How much of the dimension costs nothing, per charge.';


--
-- Name: COLUMN price_components.whole_units; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.whole_units IS 'True: units begun are charged whole. False: exact fractions.';


--
-- Name: COLUMN price_components.minimum_charge; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.minimum_charge IS 'Least charge of this component, when more than the free quantity is used.';


--
-- Name: COLUMN price_components.provider_cost; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.provider_cost IS 'What the provider takes for one unit, in minor units of the component prices'' money (the exchange rate turns it into the catalogue''s), for margins; not part of the charge.';


--
-- Name: COLUMN price_components.tiered; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_components.tiered IS 'Units beyond some number cost less, or more: see price_tiers.';


--
-- Name: prices; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.prices (
    price_id bigint NOT NULL,
    module_id text,
    category_id text,
    valid_from timestamp with time zone NOT NULL,
    margin numeric DEFAULT 1 NOT NULL,
    exchange_rate numeric DEFAULT 1 NOT NULL,
    defined_at timestamp with time zone DEFAULT transaction_timestamp() NOT NULL,
    CONSTRAINT prices_exchange_rate_is_sane CHECK (((exchange_rate > (0)::numeric) AND (exchange_rate < (1000000000)::numeric))),
    CONSTRAINT prices_have_one_target CHECK (((module_id IS NULL) OR (category_id IS NULL))),
    CONSTRAINT prices_margin_is_sane CHECK (((margin >= (0)::numeric) AND (margin < (1000000)::numeric)))
);

ALTER TABLE ONLY credits.prices FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE prices; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.prices IS 'Versions of the price of a module, of a category, or (both null) of any other module. Never edited: a version ends where the next one of the same target begins.';


--
-- Name: COLUMN prices.margin; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.prices.margin IS 'Factor on the provider''s price: 1.05 adds five percent.';


--
-- Name: COLUMN prices.exchange_rate; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.prices.exchange_rate IS 'Units of the component prices'' currency for one unit of the balance: 1.08 when prices are US cents and balances euro cents.';


--
-- Name: COLUMN prices.defined_at; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.prices.defined_at IS 'The transaction that wrote it: two versions of one target from now on, in one catalogue file, are a mistake.';


--
-- Name: module_margin; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.module_margin WITH (security_invoker='true') AS
 WITH money AS (
         SELECT
                CASE
                    WHEN (count(DISTINCT c.currency) = 1) THEN min(c.currency)
                    ELSE NULL::text
                END AS currency
           FROM credits.catalogs c
        ), drawn AS (
         SELECT (date_trunc('month'::text, (e.posted_at AT TIME ZONE 'UTC'::text)))::date AS month,
            e.module_id,
            COALESCE(l.currency, m.currency) AS currency,
            m.currency AS cost_currency,
            COALESCE((d.place = 1), true) AS counts,
            COALESCE(((d.draw ->> 'tokens'::text))::numeric, (0)::numeric) AS tokens,
            COALESCE((((d.draw ->> 'tokens'::text))::numeric * (l.unit_cost)::numeric), (0)::numeric) AS revenue,
            (p.cost * COALESCE((((d.draw ->> 'tokens'::text))::numeric / NULLIF((- (e.tokens)::numeric), (0)::numeric)), (1)::numeric)) AS cost
           FROM ((((credits.entries e
             CROSS JOIN money m)
             LEFT JOIN LATERAL jsonb_array_elements(e.draws) WITH ORDINALITY d(draw, place) ON (true))
             LEFT JOIN credits.lots l ON (((e.account_id = l.account_id) AND (l.lot_id = ((d.draw ->> 'lot_id'::text))::bigint))))
             LEFT JOIN LATERAL ( SELECT
                        CASE
                            WHEN bool_and((c.provider_cost IS NOT NULL)) THEN sum(((((e.usage ->> c.dimension))::numeric * c.provider_cost) / (c.unit_size * r.exchange_rate)))
                            ELSE NULL::numeric
                        END AS cost
                   FROM (credits.price_components c
                     JOIN credits.prices r ON ((c.price_id = r.price_id)))
                  WHERE (c.price_id = e.price_id)) p ON (true))
          WHERE (e.kind = 'spend'::credits.entry_kind)
        ), summed AS (
         SELECT d.month,
            d.module_id,
            d.currency,
            count(*) FILTER (WHERE d.counts) AS uses,
            sum(d.tokens) AS tokens,
            sum(d.revenue) AS revenue,
                CASE
                    WHEN bool_and(((d.cost IS NOT NULL) AND COALESCE((d.currency = d.cost_currency), true))) THEN sum(d.cost)
                    ELSE NULL::numeric
                END AS cost
           FROM drawn d
          GROUP BY d.month, d.module_id, d.currency
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


--
-- Name: VIEW module_margin; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.module_margin IS 'Per month (UTC), module and currency: what the tokens spent on it were really bought for, what the provider takes, and what is left. Uses with the user''s own key are not in it: they cost and earn nothing.';


--
-- Name: COLUMN module_margin.currency; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_margin.currency IS 'Of the lots that were spent; of tokens given away the catalogue''s. Null when neither says.';


--
-- Name: COLUMN module_margin.uses; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_margin.uses IS 'Charges. One that drew on two currencies counts where it began to.';


--
-- Name: COLUMN module_margin.revenue; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_margin.revenue IS 'Money paid for the tokens spent, in minor units: of each lot the price it was really bought at; of gifts 0.';


--
-- Name: COLUMN module_margin.provider_cost; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_margin.provider_cost IS 'What the provider takes for them, in minor units, at the price version of each charge; null when the catalogue does not say it for all of them, or counts it in another currency.';


--
-- Name: COLUMN module_margin.margin; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_margin.margin IS 'revenue - provider_cost, in minor units.';


--
-- Name: COLUMN module_margin.margin_percent; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_margin.margin_percent IS 'margin as percent of revenue; null when that is 0.';


--
-- Name: failures; Type: TABLE; Schema: credits; Owner: -
--

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


--
-- Name: TABLE failures; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.failures IS 'Uses of a module that failed: nothing was charged for them.';


--
-- Name: module_reliability; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.module_reliability WITH (security_invoker='true') AS
 WITH outcomes AS (
         SELECT e.posted_at AS ended_at,
            e.module_id,
            true AS succeeded,
            d.duration_ms
           FROM (credits.entries e
             LEFT JOIN credits.charge_durations() d(account_id, seq, duration_ms) ON (((e.account_id = d.account_id) AND (e.seq = d.seq))))
          WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]))
        UNION ALL
         SELECT f.failed_at AS ended_at,
            f.module_id,
            false AS succeeded,
            f.duration_ms
           FROM credits.failures f
        UNION ALL
         SELECT g.finished_at AS ended_at,
            g.module_id,
            (g.state = 'confirmed'::text) AS succeeded,
            (EXTRACT(epoch FROM (g.finished_at - g.used_at)) * (1000)::numeric) AS duration_ms
           FROM credits.guest_uses g
          WHERE (g.state <> 'reserved'::text)
        )
 SELECT ((ended_at AT TIME ZONE 'UTC'::text))::date AS day,
    module_id,
    count(*) FILTER (WHERE succeeded) AS succeeded,
    count(*) FILTER (WHERE (NOT succeeded)) AS failed,
    round(((count(*) FILTER (WHERE (NOT succeeded)))::numeric / (count(*))::numeric), 4) AS failure_rate,
    round(avg(duration_ms) FILTER (WHERE succeeded), 3) AS mean_duration_ms,
    round(avg(duration_ms) FILTER (WHERE (NOT succeeded)), 3) AS mean_duration_of_failed_ms
   FROM outcomes o
  GROUP BY (((ended_at AT TIME ZONE 'UTC'::text))::date), module_id;


--
-- Name: VIEW module_reliability; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.module_reliability IS 'Per day (UTC) and module: uses that worked and uses that failed, guests'' among them, and how long they took.';


--
-- Name: COLUMN module_reliability.succeeded; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_reliability.succeeded IS 'Charges, uses with the user''s own key, and uses of guests that were confirmed.';


--
-- Name: COLUMN module_reliability.failed; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_reliability.failed IS 'What services reported as failed, and released uses of guests.';


--
-- Name: COLUMN module_reliability.failure_rate; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_reliability.failure_rate IS 'failed as share of both, 0 to 1.';


--
-- Name: COLUMN module_reliability.mean_duration_ms; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_reliability.mean_duration_ms IS 'Mean time of those that worked, as services measured it (duration_ms in the metadata of a charge; of a guest the time from reservation to confirmation); null when none was.';


--
-- Name: COLUMN module_reliability.mean_duration_of_failed_ms; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_reliability.mean_duration_of_failed_ms IS 'The same of those that failed.';


--
-- Name: module_usage; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.module_usage WITH (security_invoker='true') AS
 SELECT ((posted_at AT TIME ZONE 'UTC'::text))::date AS day,
    module_id,
    count(*) AS uses,
    count(DISTINCT account_id) AS accounts,
    (- sum((tokens)::numeric)) AS tokens,
    count(*) FILTER (WHERE (kind = 'byok'::credits.entry_kind)) AS own_key_uses
   FROM credits.entries e
  WHERE (kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]))
  GROUP BY (((posted_at AT TIME ZONE 'UTC'::text))::date), module_id;


--
-- Name: VIEW module_usage; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.module_usage IS 'Uses per day (UTC) and module: how many, by how many accounts, for how many tokens.';


--
-- Name: COLUMN module_usage.uses; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_usage.uses IS 'Charges, and uses with the user''s own key.';


--
-- Name: COLUMN module_usage.own_key_uses; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.module_usage.own_key_uses IS 'Of the uses, those with the user''s own key: for no tokens.';


--
-- Name: pack_mix; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.pack_mix WITH (security_invoker='true') AS
 SELECT (date_trunc('month'::text, (paid_at AT TIME ZONE 'UTC'::text)))::date AS month,
    currency,
    pack_id,
    package_name,
    count(*) AS orders,
    sum(((tokens)::numeric + (bonus_tokens)::numeric)) AS tokens,
    (sum(amount))::bigint AS amount,
    round(((count(*))::numeric / sum(count(*)) OVER same_month), 4) AS share_of_orders,
    round((sum(amount) / sum(sum(amount)) OVER same_month), 4) AS share_of_amount
   FROM credits.orders o
  WHERE (state = 'paid'::text)
  GROUP BY ((date_trunc('month'::text, (paid_at AT TIME ZONE 'UTC'::text)))::date), currency, pack_id, package_name
  WINDOW same_month AS (PARTITION BY ((date_trunc('month'::text, (paid_at AT TIME ZONE 'UTC'::text)))::date), currency);


--
-- Name: VIEW pack_mix; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.pack_mix IS 'Per month (UTC) and currency: paid orders of each pack and of top-ups, and their share. Shares add up to 1 in each month and currency.';


--
-- Name: COLUMN pack_mix.pack_id; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.pack_mix.pack_id IS 'Null for top-ups of an amount.';


--
-- Name: COLUMN pack_mix.tokens; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.pack_mix.tokens IS 'Tokens sold, with those that came free.';


--
-- Name: COLUMN pack_mix.amount; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.pack_mix.amount IS 'Their price in minor units of currency.';


--
-- Name: accounts; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.accounts (
    account_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text DEFAULT 'user'::text NOT NULL,
    segment text,
    stripe_customer_id text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT accounts_kind_is_known CHECK ((kind = ANY (ARRAY['user'::text, 'guest'::text, 'team'::text, 'system'::text])))
);

ALTER TABLE ONLY credits.accounts FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE accounts; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.accounts IS 'One holder of a balance. Says nothing about the person, so that a person can be forgotten and the books stay.';


--
-- Name: COLUMN accounts.segment; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.accounts.segment IS 'A cohort that analysts can be granted; free text, null for none.';


--
-- Name: COLUMN accounts.stripe_customer_id; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.accounts.stripe_customer_id IS 'The one Stripe customer of this account (cus_…), once it has bought.';


--
-- Name: purchase_conversion; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.purchase_conversion WITH (security_invoker='true') AS
 SELECT (date_trunc('month'::text, (a.created_at AT TIME ZONE 'UTC'::text)))::date AS opened_in,
    count(*) AS accounts,
    count(*) FILTER (WHERE b.bought) AS buyers,
    round(((count(*) FILTER (WHERE b.bought))::numeric / (count(*))::numeric), 4) AS conversion
   FROM (credits.accounts a
     CROSS JOIN LATERAL ( SELECT (EXISTS ( SELECT
                   FROM credits.orders o
                  WHERE ((o.account_id = a.account_id) AND (o.state = 'paid'::text)))) AS bought) b)
  WHERE (a.kind = 'user'::text)
  GROUP BY ((date_trunc('month'::text, (a.created_at AT TIME ZONE 'UTC'::text)))::date);


--
-- Name: VIEW purchase_conversion; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.purchase_conversion IS 'Per month of opening (UTC): accounts, how many of them have bought, and the share.';


--
-- Name: tokens_sold; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.tokens_sold WITH (security_invoker='true') AS
 SELECT ((paid_at AT TIME ZONE 'UTC'::text))::date AS day,
    package_name,
    currency,
    count(*) AS orders,
    sum(((tokens)::numeric + (bonus_tokens)::numeric)) AS tokens,
    sum(amount) AS amount
   FROM credits.orders o
  WHERE (state = 'paid'::text)
  GROUP BY (((paid_at AT TIME ZONE 'UTC'::text))::date), package_name, currency;


--
-- Name: VIEW tokens_sold; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.tokens_sold IS 'Paid orders per day (UTC), package and currency; amount in minor units.';


--
-- Name: usage_quantities; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.usage_quantities WITH (security_invoker='true') AS
 SELECT ((e.posted_at AT TIME ZONE 'UTC'::text))::date AS day,
    e.module_id,
    u.dimension,
    sum((u.quantity)::numeric) AS quantity,
    COALESCE(sum((u.quantity)::numeric) FILTER (WHERE (e.kind = 'byok'::credits.entry_kind)), (0)::numeric) AS own_key_quantity
   FROM (credits.entries e
     CROSS JOIN LATERAL jsonb_each_text(e.usage) u(dimension, quantity))
  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]))
  GROUP BY (((e.posted_at AT TIME ZONE 'UTC'::text))::date), e.module_id, u.dimension;


--
-- Name: VIEW usage_quantities; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.usage_quantities IS 'Per day (UTC), module and dimension (calls, seconds, input_tokens …): how much of it was used.';


--
-- Name: COLUMN usage_quantities.own_key_quantity; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.usage_quantities.own_key_quantity IS 'Of the quantity, what the user''s own key paid for.';


--
-- Name: redemptions; Type: TABLE; Schema: credits; Owner: -
--

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


--
-- Name: TABLE redemptions; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.redemptions IS 'The grants of campaigns: number 1, 2 … per account; 0 is what somebody got for having been brought. The key lets each of them happen once.';


--
-- Name: welcome_use; Type: VIEW; Schema: analytics; Owner: -
--

CREATE VIEW analytics.welcome_use WITH (security_invoker='true') AS
 WITH moved AS MATERIALIZED (
         SELECT e.account_id,
            ((d.draw ->> 'lot_id'::text))::bigint AS lot_id,
            e.kind,
            (sign((e.tokens)::numeric) * ((d.draw ->> 'tokens'::text))::numeric) AS tokens
           FROM (credits.entries e
             CROSS JOIN LATERAL jsonb_array_elements(e.draws) d(draw))
        ), given AS (
         SELECT l.account_id,
            l.lot_id,
            l.source,
            l.effective_at,
            l.granted,
            COALESCE((l.expires_at <= credits.clock()), false) AS is_past,
            COALESCE((- sum(m.tokens) FILTER (WHERE (m.kind = ANY (ARRAY['spend'::credits.entry_kind, 'refund'::credits.entry_kind])))), (0)::numeric) AS spent,
            COALESCE((- sum(m.tokens) FILTER (WHERE (m.kind = 'expire'::credits.entry_kind))), (0)::numeric) AS expired,
            sum(m.tokens) AS remaining
           FROM (credits.lots l
             JOIN moved m ON (((l.account_id = m.account_id) AND (l.lot_id = m.lot_id))))
          WHERE (l.source = ANY (ARRAY['welcome'::credits.entry_kind, 'promo'::credits.entry_kind, 'referral'::credits.entry_kind]))
          GROUP BY l.account_id, l.lot_id, l.source, l.effective_at, l.granted, COALESCE((l.expires_at <= credits.clock()), false)
        )
 SELECT (date_trunc('month'::text, (g.effective_at AT TIME ZONE 'UTC'::text)))::date AS month,
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
  GROUP BY ((date_trunc('month'::text, (g.effective_at AT TIME ZONE 'UTC'::text)))::date), (g.source)::text, r.campaign_id;


--
-- Name: VIEW welcome_use; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON VIEW analytics.welcome_use IS 'Per month (UTC) of the grant, source (welcome, promo, referral) and campaign: how many accounts got tokens, and what has become of them until now.';


--
-- Name: COLUMN welcome_use.campaign_id; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.welcome_use.campaign_id IS 'Null for what a service granted outside of campaigns.';


--
-- Name: COLUMN welcome_use.expired; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.welcome_use.expired IS 'Passed their date.';


--
-- Name: COLUMN welcome_use.remaining; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.welcome_use.remaining IS 'Still there to be spent.';


--
-- Name: COLUMN welcome_use.share_spent; Type: COMMENT; Schema: analytics; Owner: -
--

COMMENT ON COLUMN analytics.welcome_use.share_spent IS 'spent as share of granted, 0 to 1.';


--
-- Name: wallets; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.wallets (
    account_id uuid NOT NULL,
    status credits.account_status DEFAULT 'active'::text NOT NULL,
    balance credits.tokens DEFAULT 0 NOT NULL,
    held credits.amount DEFAULT 0 NOT NULL,
    debt credits.amount DEFAULT 0 NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    head_hash bytea DEFAULT '\x'::bytea NOT NULL,
    posted_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    due_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone CONSTRAINT wallets_next_expiry_not_null NOT NULL,
    head_lot bigint,
    head_free credits.amount DEFAULT 0 NOT NULL,
    lifetime_granted credits.amount DEFAULT 0 NOT NULL,
    lifetime_spent credits.amount DEFAULT 0 NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE ONLY credits.wallets FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE wallets; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.wallets IS 'The one row that a spend locks. balance = sum of the lots'' remaining tokens - debt, proved by audit.check_balance.';


--
-- Name: COLUMN wallets.status; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.status IS 'Here and not on the account, so that freezing waits for the same lock.';


--
-- Name: COLUMN wallets.held; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.held IS 'Tokens reserved by open holds, part of balance.';


--
-- Name: COLUMN wallets.debt; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.debt IS 'Tokens used that no lot could pay.';


--
-- Name: COLUMN wallets.seq; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.seq IS 'Number of the last entry: no gaps, because it is taken from the locked row.';


--
-- Name: COLUMN wallets.head_hash; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.head_hash IS 'Hash of the last entry; empty before the first.';


--
-- Name: COLUMN wallets.posted_at; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.posted_at IS 'Time of the last entry, so that entries never go back in time.';


--
-- Name: COLUMN wallets.due_at; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.due_at IS 'Before this moment the clock changes nothing: no lot expires or is announced to, no day or month of a limit begins.';


--
-- Name: COLUMN wallets.head_lot; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.head_lot IS 'The lot that is spent next, whatever the module; null when that is not known. See sql/credits/head_lot.sql.';


--
-- Name: COLUMN wallets.head_free; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.wallets.head_free IS 'Tokens of head_lot, kept here and not on the lot''s row: as many as can go before a limit or a notice is reached.';


--
-- Name: current_lots; Type: VIEW; Schema: credits; Owner: -
--

CREATE VIEW credits.current_lots WITH (security_invoker='true') AS
 SELECT l.account_id,
    l.lot_id,
    l.source,
    l.package_name,
    l.granted,
    ((l.remaining)::numeric + COALESCE((w.head_free)::numeric, (0)::numeric)) AS remaining,
    l.held,
    l.priority,
    l.scope,
    l.effective_at,
    l.expires_at,
    l.unit_cost,
    l.currency,
    l.order_id,
    l.frozen
   FROM (credits.lots l
     LEFT JOIN credits.wallets w ON (((l.account_id = w.account_id) AND (l.lot_id = w.head_lot))));


--
-- Name: VIEW current_lots; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON VIEW credits.current_lots IS 'The lots with what really remains in them, the head lot''s tokens included.';


--
-- Name: identities; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.identities (
    subject text NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT identities_subject_is_sane CHECK (((length(subject) >= 1) AND (length(subject) <= 255)))
);

ALTER TABLE ONLY credits.identities FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE identities; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.identities IS 'The user ids of identity providers (the sub of their tokens), and the account of each.';


--
-- Name: balance; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.balance WITH (security_invoker='true') AS
 SELECT i.subject AS user_id,
    trim_scale(b.balance) AS balance,
    trim_scale((w.held)::numeric) AS held,
    trim_scale(GREATEST((b.balance - (w.held)::numeric), (0)::numeric)) AS available,
    trim_scale((w.debt)::numeric) AS debt,
    trim_scale((w.lifetime_granted)::numeric) AS lifetime_granted,
    trim_scale((w.lifetime_spent)::numeric) AS lifetime_spent,
    w.status,
    l.package_name,
    l.effective_at AS purchased_at,
    NULLIF(w.posted_at, '-infinity'::timestamp with time zone) AS updated_at
   FROM (((credits.wallets w
     CROSS JOIN LATERAL ( SELECT ((w.balance)::numeric -
                CASE
                    WHEN (w.due_at <= credits.clock()) THEN ( SELECT COALESCE(sum((x.remaining - (x.held)::numeric)), (0)::numeric) AS "coalesce"
                       FROM credits.current_lots x
                      WHERE ((x.account_id = w.account_id) AND (x.expires_at <= credits.clock())))
                    ELSE (0)::numeric
                END) AS balance) b)
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


--
-- Name: VIEW balance; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.balance IS 'The balance of the caller; a service sees every account''s.';


--
-- Name: COLUMN balance.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN balance.balance; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.balance IS 'Tokens, without those expired; below zero only with debt.';


--
-- Name: COLUMN balance.held; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.held IS 'Tokens reserved by open holds.';


--
-- Name: COLUMN balance.available; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.available IS 'balance - held, not below zero.';


--
-- Name: COLUMN balance.debt; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.debt IS 'Tokens used that no lot could pay.';


--
-- Name: COLUMN balance.lifetime_granted; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.lifetime_granted IS 'All tokens that ever came in.';


--
-- Name: COLUMN balance.lifetime_spent; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.lifetime_spent IS 'All tokens ever charged, less refunds.';


--
-- Name: COLUMN balance.status; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.status IS 'active, frozen or closed.';


--
-- Name: COLUMN balance.package_name; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.package_name IS 'The package bought last.';


--
-- Name: COLUMN balance.purchased_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.purchased_at IS 'When it was.';


--
-- Name: COLUMN balance.updated_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.balance.updated_at IS 'Time of the last entry.';


--
-- Name: entries; Type: VIEW; Schema: api; Owner: -
--

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
    e.reference,
    e.metadata,
    encode(e.hash, 'hex'::text) AS hash
   FROM (credits.entries e
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = e.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW entries; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.entries IS 'The ledger of the caller; a service sees every account''s.';


--
-- Name: COLUMN entries.entry_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.entry_id IS 'Name of the entry: account:seq.';


--
-- Name: COLUMN entries.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN entries.seq; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.seq IS '1, 2, 3 … per account, without gaps.';


--
-- Name: COLUMN entries.posted_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.posted_at IS 'When it was written.';


--
-- Name: COLUMN entries.effective_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.effective_at IS 'When it happened.';


--
-- Name: COLUMN entries.kind; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.kind IS 'purchase, bonus, grant, welcome, promo, referral, allowance, rollover, spend, refund, expire, reversal, reinstatement, repayment or adjustment.';


--
-- Name: COLUMN entries.tokens; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.tokens IS 'Change of the balance: above zero in, below zero out.';


--
-- Name: COLUMN entries.balance_before; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.balance_before IS 'Balance before it.';


--
-- Name: COLUMN entries.balance_after; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.balance_after IS 'Balance after it.';


--
-- Name: COLUMN entries.draws; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.draws IS 'The lots it moved, and by how much.';


--
-- Name: COLUMN entries.module_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.module_id IS 'The module that was used.';


--
-- Name: COLUMN entries.usage; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.usage IS 'What was used, per dimension.';


--
-- Name: COLUMN entries.price_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.price_id IS 'The version of the price.';


--
-- Name: COLUMN entries.reference; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.reference IS 'Order, reason or package that it belongs to.';


--
-- Name: COLUMN entries.metadata; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.metadata IS 'What the caller wrote on it.';


--
-- Name: COLUMN entries.hash; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.entries.hash IS 'The hash chain of the account at this entry.';


--
-- Name: modules; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.modules (
    module_id text NOT NULL,
    title text NOT NULL,
    category_id text,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT modules_id_is_sane CHECK (((length(module_id) >= 1) AND (length(module_id) <= 200)))
);

ALTER TABLE ONLY credits.modules FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE modules; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.modules IS 'What tokens can be spent on.';


--
-- Name: failures; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.failures WITH (security_invoker='true') AS
 SELECT f.failure_id,
    i.subject AS user_id,
    f.failed_at,
    f.module_id,
    m.title AS module_title,
    trim_scale(f.duration_ms) AS duration_ms,
    f.metadata
   FROM ((credits.failures f
     LEFT JOIN credits.modules m ON ((f.module_id = m.module_id)))
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = f.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW failures; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.failures IS 'Uses of the caller that failed and were not charged; a service sees every account''s.';


--
-- Name: COLUMN failures.failure_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.failure_id IS 'Name of the failure.';


--
-- Name: COLUMN failures.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN failures.failed_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.failed_at IS 'When it was reported.';


--
-- Name: COLUMN failures.module_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.module_id IS 'The module that failed.';


--
-- Name: COLUMN failures.module_title; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.module_title IS 'Its title, when the catalogue lists it.';


--
-- Name: COLUMN failures.duration_ms; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.duration_ms IS 'How long it took, in milliseconds; null when nobody said.';


--
-- Name: COLUMN failures.metadata; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.failures.metadata IS 'What the service wrote on it.';


--
-- Name: lots; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.lots WITH (security_invoker='true') AS
 SELECT l.lot_id,
    i.subject AS user_id,
    (l.source)::text AS source,
    l.package_name,
    trim_scale((l.granted)::numeric) AS granted,
        CASE
            WHEN (l.expires_at <= credits.clock()) THEN (l.held)::numeric
            ELSE trim_scale(l.remaining)
        END AS remaining,
    trim_scale((l.held)::numeric) AS held,
    l.priority,
    l.scope,
    l.effective_at AS granted_at,
    l.expires_at,
    COALESCE((l.expires_at <= credits.clock()), false) AS expired,
    l.frozen,
    l.order_id
   FROM (credits.current_lots l
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = l.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW lots; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.lots IS 'The lots of tokens of the caller; a service sees every account''s.';


--
-- Name: COLUMN lots.lot_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.lot_id IS 'The seq of the entry that granted it.';


--
-- Name: COLUMN lots.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN lots.source; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.source IS 'Where it came from: purchase, bonus, grant, welcome …';


--
-- Name: COLUMN lots.package_name; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.package_name IS 'The package it was bought as.';


--
-- Name: COLUMN lots.granted; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.granted IS 'Tokens that came in.';


--
-- Name: COLUMN lots.remaining; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.remaining IS 'Tokens left in it.';


--
-- Name: COLUMN lots.held; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.held IS 'Of these, reserved by open holds.';


--
-- Name: COLUMN lots.priority; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.priority IS 'Lower is spent first.';


--
-- Name: COLUMN lots.scope; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.scope IS 'module:ID or category:ID that it is bound to; null: any.';


--
-- Name: COLUMN lots.granted_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.granted_at IS 'When it came.';


--
-- Name: COLUMN lots.expires_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.expires_at IS 'From this moment on it counts for nothing; null: never.';


--
-- Name: COLUMN lots.expired; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.expired IS 'Has that moment come?';


--
-- Name: COLUMN lots.frozen; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.frozen IS 'Not spendable while its payment is disputed.';


--
-- Name: COLUMN lots.order_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.lots.order_id IS 'The order that paid for it.';


--
-- Name: module_categories; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.module_categories (
    category_id text NOT NULL,
    title text NOT NULL
);

ALTER TABLE ONLY credits.module_categories FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE module_categories; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.module_categories IS 'Groups of modules that may share a price.';


--
-- Name: modules; Type: VIEW; Schema: api; Owner: -
--

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


--
-- Name: VIEW modules; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.modules IS 'What tokens can be spent on.';


--
-- Name: COLUMN modules.module_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.modules.module_id IS 'Name for api.consume_tokens.';


--
-- Name: COLUMN modules.title; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.modules.title IS 'Title.';


--
-- Name: COLUMN modules.category_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.modules.category_id IS 'Its category.';


--
-- Name: COLUMN modules.category_title; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.modules.category_title IS 'Title of the category.';


--
-- Name: COLUMN modules.price; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.modules.price IS 'The price valid now: {"price_id", "margin", "exchange_rate", "components": [{"dimension", "unit_size", "price_per_unit", "free_quantity", "whole_units", "minimum_charge", "tiers": [{"above", "price_per_unit"}]}]}; null: not for sale.';


--
-- Name: outbox; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.outbox (
    account_id uuid NOT NULL,
    notice_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    facts jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone
);

ALTER TABLE ONLY credits.outbox FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE outbox; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.outbox IS 'What users are to be told, written in the transaction that caused it. Whoever delivers reads api.notices and acknowledges.';


--
-- Name: COLUMN outbox.facts; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.outbox.facts IS 'balance, threshold, lot_id, tokens, expires_at: as the kind has them.';


--
-- Name: notices; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.notices WITH (security_invoker='true') AS
 SELECT o.notice_id,
    i.subject AS user_id,
    o.kind,
    o.facts,
    o.created_at,
    (o.delivered_at IS NOT NULL) AS delivered
   FROM (credits.outbox o
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = o.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW notices; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.notices IS 'The notices of the caller; a service sees every account''s.';


--
-- Name: COLUMN notices.notice_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.notices.notice_id IS 'Name for api.acknowledge_notices.';


--
-- Name: COLUMN notices.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.notices.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN notices.kind; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.notices.kind IS 'low_balance, depleted or expiring_soon.';


--
-- Name: COLUMN notices.facts; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.notices.facts IS 'low_balance: balance, threshold; depleted: balance; expiring_soon: lot_id, tokens, expires_at.';


--
-- Name: COLUMN notices.created_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.notices.created_at IS 'When the balance crossed the line, or the lot came close to its end.';


--
-- Name: COLUMN notices.delivered; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.notices.delivered IS 'A service has acknowledged it.';


--
-- Name: orders; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.orders WITH (security_invoker='true') AS
 SELECT o.order_id,
    i.subject AS user_id,
    o.state,
    o.pack_id,
    o.package_name,
        CASE
            WHEN (o.scope ~~ 'module:%'::text) THEN substr(o.scope, 8)
            ELSE NULL::text
        END AS module_id,
    trim_scale((o.tokens)::numeric) AS tokens,
    trim_scale((o.bonus_tokens)::numeric) AS bonus_tokens,
    o.amount,
    o.currency,
    o.checkout_session_id,
    o.created_at,
    o.paid_at,
    o.scope
   FROM (credits.orders o
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = o.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW orders; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.orders IS 'The orders of the caller; a service sees every account''s.';


--
-- Name: COLUMN orders.order_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.order_id IS 'Name of the order.';


--
-- Name: COLUMN orders.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN orders.state; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.state IS 'pending, processing (paid later), paid, failed, expired, or parked (under review).';


--
-- Name: COLUMN orders.pack_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.pack_id IS 'The pack; null for a top-up of an amount.';


--
-- Name: COLUMN orders.package_name; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.package_name IS 'What was bought.';


--
-- Name: COLUMN orders.module_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.module_id IS 'The module that the tokens are bound to; null: none, or a category.';


--
-- Name: COLUMN orders.tokens; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.tokens IS 'Tokens bought.';


--
-- Name: COLUMN orders.bonus_tokens; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.bonus_tokens IS 'Tokens that come free with them.';


--
-- Name: COLUMN orders.amount; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.amount IS 'Price in minor units of currency.';


--
-- Name: COLUMN orders.currency; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.currency IS 'ISO 4217, lower case.';


--
-- Name: COLUMN orders.checkout_session_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.checkout_session_id IS 'Stripe Checkout session.';


--
-- Name: COLUMN orders.created_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.created_at IS 'When it was ordered.';


--
-- Name: COLUMN orders.paid_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.paid_at IS 'When it was paid and granted.';


--
-- Name: COLUMN orders.scope; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.orders.scope IS 'module:ID or category:ID that the tokens are bound to; null: any.';


--
-- Name: packs; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.packs (
    pack_id text NOT NULL,
    title text NOT NULL,
    tokens credits.tokens NOT NULL,
    bonus_tokens credits.tokens DEFAULT 0 NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    stripe_price_id text,
    popular boolean DEFAULT false NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    expires_after interval,
    active boolean DEFAULT true NOT NULL,
    scope text,
    CONSTRAINT packs_amount_is_positive CHECK (((amount > 0) AND (amount <= 99999999))),
    CONSTRAINT packs_bonus_is_not_negative CHECK (((bonus_tokens)::numeric >= (0)::numeric)),
    CONSTRAINT packs_currency_is_iso CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT packs_expiry_is_positive CHECK ((expires_after > '00:00:00'::interval)),
    CONSTRAINT packs_tokens_are_positive CHECK (((tokens)::numeric > (0)::numeric))
);

ALTER TABLE ONLY credits.packs FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE packs; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.packs IS 'What can be bought.';


--
-- Name: COLUMN packs.amount; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.packs.amount IS 'Price in the minor unit of the currency (cents).';


--
-- Name: COLUMN packs.stripe_price_id; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.packs.stripe_price_id IS 'Price object at Stripe (price_…), where one is configured; else the amount is sent.';


--
-- Name: COLUMN packs.expires_after; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.packs.expires_after IS 'Life of the tokens after payment; null: they never expire.';


--
-- Name: COLUMN packs.scope; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.packs.scope IS 'module:ID or category:ID that its tokens are bound to; null: what the buyer chooses, or any.';


--
-- Name: packs; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.packs WITH (security_invoker='true') AS
 WITH compared AS (
         SELECT p.pack_id,
            p.title,
            p.tokens,
            p.bonus_tokens,
            p.amount,
            p.currency,
            p.stripe_price_id,
            p.popular,
            p."position",
            p.expires_after,
            p.active,
            p.scope,
            ((p.tokens)::numeric + (p.bonus_tokens)::numeric) AS total,
            ((p.amount)::numeric / ((p.tokens)::numeric + (p.bonus_tokens)::numeric)) AS unit_price,
            first_value(p.amount) OVER dearest_first AS dearest_amount,
            first_value(((p.tokens)::numeric + (p.bonus_tokens)::numeric)) OVER dearest_first AS dearest_total,
            row_number() OVER (PARTITION BY p.currency ORDER BY ((p.amount)::numeric / ((p.tokens)::numeric + (p.bonus_tokens)::numeric)), p.amount, p."position", p.pack_id) AS rank
           FROM credits.packs p
          WHERE p.active
          WINDOW dearest_first AS (PARTITION BY p.currency ORDER BY ((p.amount)::numeric / ((p.tokens)::numeric + (p.bonus_tokens)::numeric)) DESC)
        )
 SELECT pack_id,
    title AS package_name,
    trim_scale((tokens)::numeric) AS tokens,
    trim_scale((bonus_tokens)::numeric) AS bonus_tokens,
    amount,
    currency,
    popular,
    "position",
    (expires_after)::text AS expires_after,
    trim_scale(round(unit_price, 6)) AS amount_per_token,
    trim_scale((div((((total * (dearest_amount)::numeric) - ((amount)::numeric * dearest_total)) * (10000)::numeric), (total * (dearest_amount)::numeric)) / 100.00)) AS saving_percent,
    ((rank = 1) AND ((total * (dearest_amount)::numeric) > ((amount)::numeric * dearest_total))) AS best_value,
    scope
   FROM compared c
  ORDER BY "position", pack_id;


--
-- Name: VIEW packs; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.packs IS 'What can be bought, in the order of the catalogue.';


--
-- Name: COLUMN packs.pack_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.pack_id IS 'Name for api.create_order.';


--
-- Name: COLUMN packs.package_name; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.package_name IS 'Title.';


--
-- Name: COLUMN packs.tokens; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.tokens IS 'Tokens in it.';


--
-- Name: COLUMN packs.bonus_tokens; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.bonus_tokens IS 'Tokens that come free with them.';


--
-- Name: COLUMN packs.amount; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.amount IS 'Price in minor units of currency (cents).';


--
-- Name: COLUMN packs.currency; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.currency IS 'ISO 4217, lower case.';


--
-- Name: COLUMN packs.popular; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.popular IS 'The one to show first.';


--
-- Name: COLUMN packs."position"; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs."position" IS 'Order of display.';


--
-- Name: COLUMN packs.expires_after; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.expires_after IS 'Life of the tokens; null: they never expire.';


--
-- Name: COLUMN packs.amount_per_token; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.amount_per_token IS 'Minor units of currency for one token, bonus included, to six decimals.';


--
-- Name: COLUMN packs.saving_percent; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.saving_percent IS 'How much less a token costs than in the dearest pack of the same currency, rounded down to two decimals.';


--
-- Name: COLUMN packs.best_value; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.best_value IS 'Cheapest per token of its currency, and cheaper than another one: one pack, or none.';


--
-- Name: COLUMN packs.scope; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.packs.scope IS 'module:ID or category:ID that its tokens are bound to; null: what the buyer chooses, or any.';


--
-- Name: referrals; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.referrals (
    account_id uuid NOT NULL,
    referrer_id uuid NOT NULL,
    campaign_id text NOT NULL,
    code text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT referrals_not_oneself CHECK ((referrer_id <> account_id)),
    CONSTRAINT referrals_settled_has_time CHECK (((state = 'pending'::text) = (settled_at IS NULL))),
    CONSTRAINT referrals_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'paid'::text, 'capped'::text, 'lapsed'::text])))
);

ALTER TABLE ONLY credits.referrals FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE referrals; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.referrals IS 'Who was brought (account_id) by whom. One referrer per account, for ever.';


--
-- Name: COLUMN referrals.referrer_id; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.referrals.referrer_id IS 'An account, without a foreign key: keys between accounts could not be spread over several servers.';


--
-- Name: COLUMN referrals.state; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.referrals.state IS 'pending until the first paid purchase; then paid, capped (the referrer''s or the campaign''s limit was reached) or lapsed (the campaign had ended, or the referrer''s account was closed).';


--
-- Name: referrals; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.referrals WITH (security_invoker='true') AS
 SELECT i.subject AS user_id,
    r.code,
    r.campaign_id,
    r.state,
    r.created_at,
    r.settled_at
   FROM (credits.referrals r
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = r.referrer_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW referrals; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.referrals IS 'Those whom the caller has brought, without their names; a service sees everybody''s.';


--
-- Name: COLUMN referrals.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.referrals.user_id IS 'The user id (sub) of who brought them.';


--
-- Name: COLUMN referrals.code; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.referrals.code IS 'The code that they used.';


--
-- Name: COLUMN referrals.campaign_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.referrals.campaign_id IS 'The campaign that rewards it.';


--
-- Name: COLUMN referrals.state; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.referrals.state IS 'pending until their first purchase; then paid, capped (a limit was reached) or lapsed (the campaign had ended).';


--
-- Name: COLUMN referrals.created_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.referrals.created_at IS 'When they used the code.';


--
-- Name: COLUMN referrals.settled_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.referrals.settled_at IS 'When they bought for the first time.';


--
-- Name: spend_limits; Type: TABLE; Schema: credits; Owner: -
--

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


--
-- Name: TABLE spend_limits; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.spend_limits IS 'What an account may spend in a day or month (UTC). A user sets and lifts their own; a service''s stands beside it.';


--
-- Name: COLUMN spend_limits.period_starts; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.spend_limits.period_starts IS 'The day or month that spent_before belongs to.';


--
-- Name: COLUMN spend_limits.spent_before; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.spend_limits.spent_before IS 'wallets.lifetime_spent when the period began: what was spent in it is the difference.';


--
-- Name: spend_limits; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.spend_limits WITH (security_invoker='true') AS
 SELECT i.subject AS user_id,
    s.period,
    s.set_by,
    trim_scale((s.tokens)::numeric) AS tokens,
    trim_scale(p.spent) AS spent,
    trim_scale(GREATEST(((s.tokens)::numeric - p.spent), (0)::numeric)) AS remaining,
    credits.next_period(s.period, credits.clock()) AS resets_at
   FROM (((credits.spend_limits s
     JOIN credits.wallets w ON ((s.account_id = w.account_id)))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (s.period_starts < credits.period_start(s.period, credits.clock())) THEN (0)::numeric
                    ELSE ((w.lifetime_spent)::numeric - (s.spent_before)::numeric)
                END AS spent) p)
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = s.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true));


--
-- Name: VIEW spend_limits; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.spend_limits IS 'The spend limits of the caller; a service sees every account''s.';


--
-- Name: COLUMN spend_limits.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN spend_limits.period; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.period IS 'day or month, in UTC.';


--
-- Name: COLUMN spend_limits.set_by; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.set_by IS 'user or service; the stricter one counts.';


--
-- Name: COLUMN spend_limits.tokens; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.tokens IS 'What may be spent in the period.';


--
-- Name: COLUMN spend_limits.spent; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.spent IS 'What has been.';


--
-- Name: COLUMN spend_limits.remaining; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.remaining IS 'What is left.';


--
-- Name: COLUMN spend_limits.resets_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.spend_limits.resets_at IS 'When the next period begins.';


--
-- Name: topup_presets; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.topup_presets (
    currency text NOT NULL,
    amount bigint NOT NULL,
    popular boolean DEFAULT false NOT NULL,
    CONSTRAINT topup_presets_amount_is_positive CHECK (((amount > 0) AND (amount <= 99999999)))
);

ALTER TABLE ONLY credits.topup_presets FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE topup_presets; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.topup_presets IS 'Amounts of a top-up to propose, in minor units of currency.';


--
-- Name: topups; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.topups (
    currency text NOT NULL,
    minimum bigint NOT NULL,
    maximum bigint NOT NULL,
    tokens_per_unit numeric NOT NULL,
    CONSTRAINT topups_bounds_are_sane CHECK (((minimum > 0) AND (maximum >= minimum) AND (maximum <= 99999999))),
    CONSTRAINT topups_currency_is_iso CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT topups_rate_is_positive CHECK (((tokens_per_unit > (0)::numeric) AND (tokens_per_unit < (1000000)::numeric)))
);

ALTER TABLE ONLY credits.topups FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE topups; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.topups IS 'Buying any amount between two bounds, where the catalogue offers it.';


--
-- Name: COLUMN topups.tokens_per_unit; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.topups.tokens_per_unit IS 'Tokens for one minor unit of the currency.';


--
-- Name: topups; Type: VIEW; Schema: api; Owner: -
--

CREATE VIEW api.topups WITH (security_invoker='true') AS
 SELECT currency,
    minimum,
    maximum,
    trim_scale(tokens_per_unit) AS tokens_per_unit,
    COALESCE(( SELECT jsonb_agg(jsonb_build_object('amount', s.amount, 'tokens', credits.topup_tokens(s.amount, t.tokens_per_unit), 'popular', s.popular) ORDER BY s.amount) AS jsonb_agg
           FROM credits.topup_presets s
          WHERE (s.currency = t.currency)), '[]'::jsonb) AS presets
   FROM credits.topups t;


--
-- Name: VIEW topups; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.topups IS 'Buying any amount between two bounds, where the catalogue offers it.';


--
-- Name: COLUMN topups.currency; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.topups.currency IS 'ISO 4217, lower case.';


--
-- Name: COLUMN topups.minimum; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.topups.minimum IS 'Least amount for api.create_order, in minor units of currency (cents).';


--
-- Name: COLUMN topups.maximum; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.topups.maximum IS 'Greatest amount.';


--
-- Name: COLUMN topups.tokens_per_unit; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.topups.tokens_per_unit IS 'Tokens for one minor unit.';


--
-- Name: COLUMN topups.presets; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.topups.presets IS 'Amounts to propose, the smallest first: [{"amount", "tokens", "popular"}].';


--
-- Name: usage; Type: VIEW; Schema: api; Owner: -
--

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
    (e.kind = 'byok'::credits.entry_kind) AS own_key
   FROM ((credits.entries e
     LEFT JOIN credits.modules m ON ((e.module_id = m.module_id)))
     LEFT JOIN LATERAL ( SELECT x.subject
           FROM credits.identities x
          WHERE (x.account_id = e.account_id)
          ORDER BY x.created_at, x.subject
         LIMIT 1) i ON (true))
  WHERE (e.kind = ANY (ARRAY['spend'::credits.entry_kind, 'byok'::credits.entry_kind]));


--
-- Name: VIEW usage; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON VIEW api.usage IS 'The charges of the caller; a service sees every account''s.';


--
-- Name: COLUMN usage.entry_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.entry_id IS 'Name of the entry: account:seq.';


--
-- Name: COLUMN usage.user_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.user_id IS 'The user id (sub) of the account.';


--
-- Name: COLUMN usage.used_at; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.used_at IS 'When it was charged.';


--
-- Name: COLUMN usage.module_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.module_id IS 'The module that was used.';


--
-- Name: COLUMN usage.module_title; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.module_title IS 'Its title, when the catalogue lists it.';


--
-- Name: COLUMN usage.usage; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.usage IS 'What was used, per dimension.';


--
-- Name: COLUMN usage.cost; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.cost IS 'Tokens charged.';


--
-- Name: COLUMN usage.balance_after; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.balance_after IS 'Balance after it.';


--
-- Name: COLUMN usage.price_id; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.price_id IS 'The version of the price.';


--
-- Name: COLUMN usage.metadata; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.metadata IS 'What the caller wrote on it.';


--
-- Name: COLUMN usage.own_key; Type: COMMENT; Schema: api; Owner: -
--

COMMENT ON COLUMN api.usage.own_key IS 'The user''s own key at the provider was used: not charged.';


--
-- Name: check_balance; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_balance WITH (security_invoker='true') AS
 WITH l AS (
         SELECT x.account_id,
            sum(x.remaining) AS remaining,
            sum((x.held)::numeric) AS held
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
            sum((x.tokens)::numeric) FILTER (WHERE ((x.kind <> 'spend'::credits.entry_kind) AND ((x.tokens)::numeric > (0)::numeric))) AS granted,
            (- sum((x.tokens)::numeric) FILTER (WHERE (x.kind = 'spend'::credits.entry_kind))) AS spent
           FROM credits.entries x
          GROUP BY x.account_id) e ON ((w.account_id = e.account_id)))
  WHERE (((w.lifetime_granted)::numeric <> COALESCE(e.granted, (0)::numeric)) OR ((w.lifetime_spent)::numeric <> COALESCE(e.spent, (0)::numeric)))
UNION ALL
 SELECT w.account_id,
    format('next expiry not after %s'::text, min(l.expires_at)) AS expected,
    format('%s'::text, w.due_at) AS found
   FROM (credits.wallets w
     JOIN credits.current_lots l ON ((w.account_id = l.account_id)))
  WHERE ((l.remaining > (l.held)::numeric) AND (l.expires_at < w.due_at))
  GROUP BY w.account_id, w.due_at;


--
-- Name: VIEW check_balance; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_balance IS 'Balance equals lots minus debt, and the sum of the entries; held, the lifetime sums and the next expiry are right.';


--
-- Name: check_campaigns; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_campaigns WITH (security_invoker='true') AS
 WITH RECURSIVE g AS (
         SELECT e.account_id,
            e.seq,
            c.campaign_id,
            c.kind,
            (e.metadata -> 'number'::text) AS number
           FROM (credits.entries e
             JOIN credits.campaigns c ON (((e.reference = c.campaign_id) AND (e.kind = c.kind))))
          WHERE ((e.metadata @> jsonb_build_object('campaign_id', c.campaign_id)) AND (e.metadata ? 'number'::text))
        ), n AS (
         SELECT r.account_id,
            r.campaign_id,
            count(*) AS grants,
            max(r.number) AS last_number
           FROM credits.redemptions r
          WHERE (r.number > 0)
          GROUP BY r.account_id, r.campaign_id
        ), t AS (
         SELECT r.account_id
           FROM (credits.referrals r
             LEFT JOIN credits.referrals x ON ((r.referrer_id = x.account_id)))
          WHERE (x.account_id IS NULL)
        UNION ALL
         SELECT r.account_id
           FROM (t
             JOIN credits.referrals r ON ((t.account_id = r.referrer_id)))
        )
 SELECT NULL::uuid AS account_id,
    format('campaign %s: %s grants, of %s at most'::text, c.campaign_id, c.grants, COALESCE((c.budget)::text, 'any number'::text)) AS expected,
    format('%s redemptions'::text, COALESCE(x.grants, (0)::numeric)) AS found
   FROM (credits.campaigns c
     LEFT JOIN ( SELECT n.campaign_id,
            sum(n.grants) AS grants
           FROM n
          GROUP BY n.campaign_id) x ON ((c.campaign_id = x.campaign_id)))
  WHERE (((c.grants)::numeric <> COALESCE(x.grants, (0)::numeric)) OR (c.grants > c.budget))
UNION ALL
 SELECT n.account_id,
    format('grants of campaign %s numbered 1 to %s, at most %s'::text, n.campaign_id, n.grants, c.per_account) AS expected,
    format('numbers up to %s'::text, n.last_number) AS found
   FROM (n
     JOIN credits.campaigns c ON ((n.campaign_id = c.campaign_id)))
  WHERE ((n.last_number <> n.grants) OR (n.last_number > c.per_account))
UNION ALL
 SELECT COALESCE(r.account_id, g.account_id) AS account_id,
    format('grant %s of campaign %s as lot %s'::text, r.number, r.campaign_id, r.lot_id) AS expected,
    format('entry %s: %s, grant %s of %s; lot of source %s'::text, g.seq, g.kind, g.number, g.campaign_id, l.source) AS found
   FROM ((credits.redemptions r
     FULL JOIN g ON (((r.account_id = g.account_id) AND (r.lot_id = g.seq))))
     LEFT JOIN credits.lots l ON (((g.account_id = l.account_id) AND (g.seq = l.lot_id))))
  WHERE ((((r.campaign_id IS DISTINCT FROM g.campaign_id) OR (to_jsonb(r.number) IS DISTINCT FROM g.number)) OR (l.source IS DISTINCT FROM g.kind)) OR (r.account_id IS NULL))
UNION ALL
 SELECT COALESCE(f.referrer_id, n.account_id) AS account_id,
    format('%s grants of campaign %s, one for each referral paid'::text, COALESCE(f.paid, (0)::bigint), f.campaign_id) AS expected,
    format('%s grants of campaign %s'::text, COALESCE(n.grants, (0)::bigint), n.campaign_id) AS found
   FROM (( SELECT r.referrer_id,
            r.campaign_id,
            count(*) AS paid
           FROM credits.referrals r
          WHERE (r.state = 'paid'::text)
          GROUP BY r.referrer_id, r.campaign_id) f
     FULL JOIN ( SELECT n_1.account_id,
            n_1.campaign_id,
            n_1.grants,
            n_1.last_number
           FROM (n n_1
             JOIN credits.campaigns c ON (((n_1.campaign_id = c.campaign_id) AND (c.kind = 'referral'::credits.entry_kind))))) n ON (((f.referrer_id = n.account_id) AND (f.campaign_id = n.campaign_id))))
  WHERE (f.paid IS DISTINCT FROM n.grants)
UNION ALL
 SELECT r.account_id,
    format('grant 0 of campaign %s for a referral that was paid'::text, r.campaign_id) AS expected,
    'no such referral'::text AS found
   FROM (credits.redemptions r
     LEFT JOIN credits.referrals f ON (((r.account_id = f.account_id) AND (r.campaign_id = f.campaign_id) AND (f.state = 'paid'::text))))
  WHERE ((r.number = 0) AND (f.account_id IS NULL))
UNION ALL
 SELECT f.account_id,
    'a referral is settled with the first paid order'::text AS expected,
    format('referral %s, %s paid orders'::text, f.state, count(o.order_id)) AS found
   FROM (credits.referrals f
     LEFT JOIN credits.orders o ON (((f.account_id = o.account_id) AND (o.state = 'paid'::text))))
  GROUP BY f.account_id, f.state
 HAVING ((f.state = 'pending'::text) <> (count(o.order_id) = 0))
UNION ALL
 SELECT f.account_id,
    format('brought by %s, who was not brought by them'::text, f.referrer_id) AS expected,
    'a circle'::text AS found
   FROM (credits.referrals f
     LEFT JOIN t ON ((f.account_id = t.account_id)))
  WHERE (t.account_id IS NULL);


--
-- Name: VIEW check_campaigns; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_campaigns IS 'Each campaign granted what was redeemed, within its budget and its limit per account; each referral was settled once, with its grants; nobody is above themselves.';


--
-- Name: check_draws; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_draws WITH (security_invoker='true') AS
 SELECT e.account_id,
    format('draws of %s in entry %s (%s)'::text, abs((e.tokens)::numeric), e.seq, e.kind) AS expected,
    format('draws of %s'::text, d.drawn) AS found
   FROM (credits.entries e
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(x.tokens), (0)::numeric) AS drawn,
            COALESCE(min(x.tokens), (0)::numeric) AS smallest
           FROM jsonb_to_recordset(e.draws) x(lot_id bigint, tokens numeric)) d)
  WHERE ((d.drawn <> abs((e.tokens)::numeric)) OR (d.smallest < (0)::numeric));


--
-- Name: VIEW check_draws; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_draws IS 'The draws recorded on an entry add up to its tokens.';


--
-- Name: stripe_events; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.stripe_events (
    event_id text NOT NULL,
    type text NOT NULL,
    object_id text,
    livemode boolean NOT NULL,
    outcome text,
    account_id uuid,
    order_id uuid,
    payload jsonb NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY credits.stripe_events FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE stripe_events; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.stripe_events IS 'Every event that Stripe sent, once, with what it led to: written in the transaction of its effect.';


--
-- Name: COLUMN stripe_events.outcome; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.stripe_events.outcome IS 'granted, processing, failed, expired, parked, unmatched, duplicate (of the same purchase) or stored.';


--
-- Name: check_events; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_events WITH (security_invoker='true') AS
 SELECT e.account_id,
    format('event %s (%s) has an outcome'::text, e.event_id, e.type) AS expected,
    format('none since %s'::text, e.received_at) AS found
   FROM credits.stripe_events e
  WHERE (e.outcome IS NULL)
UNION ALL
 SELECT e.account_id,
    format('session %s, paid by event %s, is granted or parked'::text, e.object_id, e.event_id) AS expected,
    format('order %s is %s'::text, e.order_id, o.state) AS found
   FROM (credits.stripe_events e
     JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
  WHERE ((e.type = ANY (ARRAY['checkout.session.completed'::text, 'checkout.session.async_payment_succeeded'::text])) AND ((e.payload #>> '{data,object,payment_status}'::text[]) = ANY (ARRAY['paid'::text, 'no_payment_required'::text])) AND (o.state <> ALL (ARRAY['paid'::text, 'parked'::text])));


--
-- Name: VIEW check_events; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_events IS 'Every Stripe event was applied, and every payment it tells of was granted or parked.';


--
-- Name: check_guests; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_guests WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    format('guest %s, use %s: at most %s in %s'::text, c.guest_id, c.use_id, c.per_device, c.sliding_window) AS expected,
    format('%s uses'::text, c.uses) AS found
   FROM ( SELECT u.guest_id,
            u.use_id,
            u.network_id,
            u.module_id,
            u.state,
            u.used_at,
            u.finished_at,
            u.per_device,
            u.per_network,
            u.sliding_window,
            ( SELECT count(*) AS count
                   FROM credits.guest_uses o
                  WHERE ((o.guest_id = u.guest_id) AND (o.used_at <= u.used_at) AND (o.used_at > (u.used_at - u.sliding_window)) AND ((o.state <> 'released'::text) OR (o.finished_at > u.used_at)))) AS uses
           FROM credits.guest_uses u) c
  WHERE (c.uses > c.per_device)
UNION ALL
 SELECT NULL::uuid AS account_id,
    format('network %s, use %s: at most %s in %s'::text, c.network_id, c.use_id, c.per_network, c.sliding_window) AS expected,
    format('%s uses'::text, c.uses) AS found
   FROM ( SELECT u.guest_id,
            u.use_id,
            u.network_id,
            u.module_id,
            u.state,
            u.used_at,
            u.finished_at,
            u.per_device,
            u.per_network,
            u.sliding_window,
            ( SELECT count(*) AS count
                   FROM credits.guest_uses o
                  WHERE ((o.network_id = u.network_id) AND (o.used_at <= u.used_at) AND (o.used_at > (u.used_at - u.sliding_window)) AND ((o.state <> 'released'::text) OR (o.finished_at > u.used_at)))) AS uses
           FROM credits.guest_uses u) c
  WHERE (c.uses > c.per_network);


--
-- Name: VIEW check_guests; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_guests IS 'Every use of a guest was within the limits of its device and its network.';


--
-- Name: check_hash_chain; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_hash_chain WITH (security_invoker='true') AS
 SELECT e.account_id,
    format('hash %s of entry %s'::text, encode(e.computed, 'hex'::text), e.seq) AS expected,
    encode(e.hash, 'hex'::text) AS found
   FROM ( SELECT x.account_id,
            x.seq,
            x.hash,
            credits.entry_hash(COALESCE(lag(x.hash) OVER (PARTITION BY x.account_id ORDER BY x.seq), '\x'::bytea), x.account_id, x.seq, x.posted_at, x.effective_at, x.kind, (x.tokens)::numeric, (x.balance_after)::numeric, (x.debt_after)::numeric, x.draws, x.module_id, x.usage, x.price_id, x.reference, x.actor, x.metadata) AS computed
           FROM credits.entries x) e
  WHERE (e.hash <> e.computed)
UNION ALL
 SELECT w.account_id,
    format('hash %s of the last entry'::text, encode(w.head_hash, 'hex'::text)) AS expected,
    encode(e.hash, 'hex'::text) AS found
   FROM (credits.wallets w
     LEFT JOIN credits.entries e ON (((w.account_id = e.account_id) AND (w.seq = e.seq))))
  WHERE (w.head_hash <> COALESCE(e.hash, '\x'::bytea));


--
-- Name: VIEW check_hash_chain; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_hash_chain IS 'Recomputes the hash of every entry from its fields and the hash before, and compares the last one with the wallet''s.';


--
-- Name: check_heads; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_heads WITH (security_invoker='true') AS
 SELECT w.account_id,
    format('at most %s tokens in the head'::text, a.allowed) AS expected,
    format('%s'::text, w.head_free) AS found
   FROM (credits.wallets w
     CROSS JOIN LATERAL ( SELECT credits.head_allowance(w.account_id, credits.clock()) AS allowed) a)
  WHERE ((w.head_lot IS NOT NULL) AND (w.due_at > credits.clock()) AND ((w.head_free)::numeric > a.allowed));


--
-- Name: VIEW check_heads; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_heads IS 'No spend can pass a limit or a threshold of a notice unseen: the head lot ends before it.';


--
-- Name: idempotency_keys; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.idempotency_keys (
    account_id uuid NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    reference text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY credits.idempotency_keys FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE idempotency_keys; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.idempotency_keys IS 'Calls already answered, kept 35 days: the same key with the same arguments gets the same answer. A refusal leaves no key.';


--
-- Name: COLUMN idempotency_keys.fingerprint; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.idempotency_keys.fingerprint IS 'sha256 of the arguments.';


--
-- Name: COLUMN idempotency_keys.reference; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.idempotency_keys.reference IS 'What the call made, from which its answer is told again: the seq of an entry, or an order_id.';


--
-- Name: check_keys; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_keys WITH (security_invoker='true') AS
 SELECT k.account_id,
    format('%s under key %s: entry %s'::text, k.operation, "left"(k.key, 60), k.reference) AS expected,
    'no such entry'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.entries e ON (((k.account_id = e.account_id) AND (e.seq =
        CASE
            WHEN (k.reference ~ '^[0-9]{1,18}$'::text) THEN (k.reference)::bigint
            ELSE NULL::bigint
        END))))
  WHERE (((k.operation = ANY (ARRAY['consume_tokens'::text, 'add_tokens'::text])) OR ((k.operation = 'redeem_code'::text) AND (k.reference <> 'referral'::text))) AND (e.seq IS NULL))
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: order %s'::text, k.operation, "left"(k.key, 60), k.reference) AS expected,
    'no such order'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.orders o ON (((k.account_id = o.account_id) AND ((o.order_id)::text = k.reference))))
  WHERE ((k.operation = 'create_order'::text) AND (o.order_id IS NULL))
UNION ALL
 SELECT k.account_id,
    format('%s under key %s: failure %s'::text, k.operation, "left"(k.key, 60), k.reference) AS expected,
    'no such failure'::text AS found
   FROM (credits.idempotency_keys k
     LEFT JOIN credits.failures f ON (((k.account_id = f.account_id) AND ((f.failure_id)::text = k.reference))))
  WHERE ((k.operation = 'report_failure'::text) AND (f.failure_id IS NULL));


--
-- Name: VIEW check_keys; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_keys IS 'Every idempotency key leads to the entry, order or failure that answered it.';


--
-- Name: check_limits; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_limits WITH (security_invoker='true') AS
 SELECT s.account_id,
    format('%s of the %s from %s'::text, e.spent, s.period, s.period_starts) AS expected,
    format('%s'::text, ((w.lifetime_spent)::numeric - (s.spent_before)::numeric)) AS found
   FROM ((credits.spend_limits s
     JOIN credits.wallets w ON ((s.account_id = w.account_id)))
     CROSS JOIN LATERAL ( SELECT COALESCE((- sum((x.tokens)::numeric)), (0)::numeric) AS spent
           FROM credits.entries x
          WHERE ((x.account_id = s.account_id) AND (x.kind = 'spend'::credits.entry_kind) AND (x.posted_at >= s.period_starts))) e)
  WHERE (e.spent <> ((w.lifetime_spent)::numeric - (s.spent_before)::numeric));


--
-- Name: VIEW check_limits; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_limits IS 'What spend limits count is what was spent since their period began.';


--
-- Name: check_lots; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_lots WITH (security_invoker='true') AS
 WITH m AS (
         SELECT e.account_id,
            d.lot_id,
            sum((sign((e.tokens)::numeric) * d.tokens)) AS moved,
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
  WHERE ((l.lot_id IS NULL) OR (l.remaining IS DISTINCT FROM m.moved) OR ((l.granted)::numeric IS DISTINCT FROM m.came_in) OR ((l.held)::numeric > l.remaining) OR (l.remaining > (l.granted)::numeric))
UNION ALL
 SELECT l.account_id,
    format('lot %s with %s tokens on its row'::text, l.lot_id, l.remaining) AS expected,
    format('live: %s'::text, l.live) AS found
   FROM credits.lots l
  WHERE (l.live <> ((l.remaining)::numeric > (0)::numeric))
UNION ALL
 SELECT w.account_id,
    format('a head lot %s that is there'::text, w.head_lot) AS expected,
    format('%s tokens of it on the wallet'::text, w.head_free) AS found
   FROM (credits.wallets w
     LEFT JOIN credits.lots l ON (((w.account_id = l.account_id) AND (w.head_lot = l.lot_id))))
  WHERE (((w.head_lot IS NOT NULL) AND (l.lot_id IS NULL)) OR ((w.head_lot IS NULL) AND ((w.head_free)::numeric <> (0)::numeric)));


--
-- Name: VIEW check_lots; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_lots IS 'Each lot holds what was granted less what the entries drew from it, within its bounds.';


--
-- Name: check_negative; Type: VIEW; Schema: audit; Owner: -
--

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


--
-- Name: VIEW check_negative; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_negative IS 'No balance is, or ever was, below zero without debt.';


--
-- Name: check_orders; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_orders WITH (security_invoker='true') AS
 WITH g AS (
         SELECT l.account_id,
            l.order_id,
            count(*) AS lots,
            count(*) FILTER (WHERE ((l.source <> ALL (ARRAY['purchase'::credits.entry_kind, 'bonus'::credits.entry_kind])) OR (l.scope IS DISTINCT FROM b.scope))) AS others,
            sum((l.granted)::numeric) FILTER (WHERE (l.source = 'purchase'::credits.entry_kind)) AS tokens,
            sum((l.granted)::numeric) FILTER (WHERE (l.source = 'bonus'::credits.entry_kind)) AS bonus_tokens
           FROM (credits.lots l
             LEFT JOIN credits.orders b ON (((l.account_id = b.account_id) AND (l.order_id = b.order_id))))
          WHERE (l.order_id IS NOT NULL)
          GROUP BY l.account_id, l.order_id
        )
 SELECT COALESCE(o.account_id, g.account_id) AS account_id,
    format('order %s %s: %s tokens and %s bonus'::text, COALESCE(o.order_id, g.order_id), o.state,
        CASE
            WHEN (o.state = 'paid'::text) THEN (o.tokens)::numeric
            ELSE (0)::numeric
        END,
        CASE
            WHEN (o.state = 'paid'::text) THEN (o.bonus_tokens)::numeric
            ELSE (0)::numeric
        END) AS expected,
    (format('granted %s and %s in %s lots'::text, COALESCE(g.tokens, (0)::numeric), COALESCE(g.bonus_tokens, (0)::numeric), COALESCE(g.lots, (0)::bigint)) ||
        CASE
            WHEN (g.others > 0) THEN ', not all as ordered'::text
            ELSE ''::text
        END) AS found
   FROM (credits.orders o
     FULL JOIN g ON (((o.account_id = g.account_id) AND (o.order_id = g.order_id))))
  WHERE ((COALESCE(g.tokens, (0)::numeric) <>
        CASE
            WHEN (o.state = 'paid'::text) THEN (o.tokens)::numeric
            ELSE (0)::numeric
        END) OR (COALESCE(g.bonus_tokens, (0)::numeric) <>
        CASE
            WHEN (o.state = 'paid'::text) THEN (o.bonus_tokens)::numeric
            ELSE (0)::numeric
        END) OR (g.others > 0) OR (o.order_id IS NULL))
UNION ALL
 SELECT e.account_id,
    format('event %s (%s) granted order %s'::text, e.event_id, e.type, e.order_id) AS expected,
    format('order is %s'::text, o.state) AS found
   FROM (credits.stripe_events e
     LEFT JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
  WHERE ((e.outcome = 'granted'::text) AND (o.state IS DISTINCT FROM 'paid'::text));


--
-- Name: VIEW check_orders; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_orders IS 'Each paid order was granted exactly once, as ordered; no lot belongs to an order that was not paid.';


--
-- Name: price_list; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.price_list (
    module_id text NOT NULL,
    price_id bigint NOT NULL,
    valid_until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY credits.price_list FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE price_list; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.price_list IS 'The price in force of each module on sale, its own or inherited: one look-up for a spend. Follows credits.prices.';


--
-- Name: COLUMN price_list.valid_until; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.price_list.valid_until IS 'When a later version may begin: from then on the versions themselves are asked.';


--
-- Name: check_prices; Type: VIEW; Schema: audit; Owner: -
--

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
    format('%s of price %s tiered: %s'::text, c.dimension, c.price_id, c.tiered) AS expected,
    format('tiers: %s'::text, (NOT c.tiered)) AS found
   FROM credits.price_components c
  WHERE (c.tiered <> (EXISTS ( SELECT
           FROM credits.price_tiers t
          WHERE ((t.price_id = c.price_id) AND (t.dimension = c.dimension)))));


--
-- Name: VIEW check_prices; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_prices IS 'The list of prices in force agrees with the versions of the prices; a component is tiered where it has tiers.';


--
-- Name: check_running_balance; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_running_balance WITH (security_invoker='true') AS
 SELECT account_id,
    format('balance %s after entry %s'::text, (previous_balance + (tokens)::numeric), seq) AS expected,
    format('balance %s'::text, balance_after) AS found
   FROM ( SELECT x.account_id,
            x.seq,
            x.tokens,
            x.balance_after,
            COALESCE((lag(x.balance_after) OVER (PARTITION BY x.account_id ORDER BY x.seq))::numeric, (0)::numeric) AS previous_balance
           FROM credits.entries x) e
  WHERE ((balance_after)::numeric <> (previous_balance + (tokens)::numeric));


--
-- Name: VIEW check_running_balance; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_running_balance IS 'balance_after of each entry is the one before plus its tokens.';


--
-- Name: check_sequence; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_sequence WITH (security_invoker='true') AS
 WITH e AS (
         SELECT x.account_id,
            count(*) AS entries,
            max(x.posted_at) AS last_at
           FROM credits.entries x
          GROUP BY x.account_id
        )
 SELECT e.account_id,
    format('seq %s after %s'::text, (e.previous_seq + 1), e.previous_at) AS expected,
    format('seq %s at %s'::text, e.seq, e.posted_at) AS found
   FROM ( SELECT x.account_id,
            x.seq,
            x.posted_at,
            COALESCE(lag(x.seq) OVER a, (0)::bigint) AS previous_seq,
            COALESCE(lag(x.posted_at) OVER a, '-infinity'::timestamp with time zone) AS previous_at
           FROM credits.entries x
          WINDOW a AS (PARTITION BY x.account_id ORDER BY x.seq, x.posted_at)) e
  WHERE ((e.seq <> (e.previous_seq + 1)) OR (e.posted_at <= e.previous_at))
UNION ALL
 SELECT COALESCE(w.account_id, e.account_id) AS account_id,
    format('last seq %s at %s'::text, w.seq, w.posted_at) AS expected,
    format('%s entries, last at %s'::text, COALESCE(e.entries, (0)::bigint), e.last_at) AS found
   FROM (credits.wallets w
     FULL JOIN e ON ((w.account_id = e.account_id)))
  WHERE ((w.seq IS DISTINCT FROM COALESCE(e.entries, (0)::bigint)) OR (w.posted_at IS DISTINCT FROM COALESCE(e.last_at, '-infinity'::timestamp with time zone)));


--
-- Name: VIEW check_sequence; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_sequence IS 'Entries of an account are numbered without a gap, in the order of time, up to the wallet''s seq.';


--
-- Name: check_settings; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.check_settings WITH (security_invoker='true') AS
 SELECT NULL::uuid AS account_id,
    format('%s = on'::text, s.name) AS expected,
    format('%s = %s'::text, s.name, s.setting) AS found
   FROM pg_settings s
  WHERE (((s.name = ANY (ARRAY['fsync'::text, 'full_page_writes'::text])) AND (s.setting <> 'on'::text)) OR ((s.name = 'synchronous_commit'::text) AND (s.setting = ANY (ARRAY['off'::text, 'local'::text]))))
UNION ALL
 SELECT NULL::uuid AS account_id,
    'no role or database with synchronous_commit off'::text AS expected,
    format('%s in database %s: %s'::text, COALESCE(r.rolname, 'any role'::name), COALESCE(d.datname, 'any'::name), c.setting) AS found
   FROM (((pg_db_role_setting x
     CROSS JOIN LATERAL unnest(x.setconfig) c(setting))
     LEFT JOIN pg_roles r ON ((x.setrole = r.oid)))
     LEFT JOIN pg_database d ON ((x.setdatabase = d.oid)))
  WHERE (lower(c.setting) ~ '^synchronous_commit=(off|false|no|0|local)$'::text);


--
-- Name: VIEW check_settings; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.check_settings IS 'fsync, full_page_writes and synchronous_commit are on.';


--
-- Name: findings; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.findings WITH (security_invoker='true') AS
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
   FROM audit.check_settings c;


--
-- Name: VIEW findings; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.findings IS 'Every fault that any check finds. No row: the books close.';


--
-- Name: parked; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.parked WITH (security_invoker='true') AS
 SELECT e.event_id,
    e.type,
    e.outcome,
    e.received_at,
    e.account_id,
    e.order_id,
    o.state AS order_state,
    o.parked_reason,
    e.object_id AS session_id,
    (e.payload #>> '{data,object,payment_intent}'::text[]) AS payment_intent_id,
    (e.payload #>> '{data,object,amount_subtotal}'::text[]) AS subtotal,
    (e.payload #>> '{data,object,currency}'::text[]) AS currency
   FROM (credits.stripe_events e
     LEFT JOIN credits.orders o ON (((e.account_id = o.account_id) AND (e.order_id = o.order_id))))
  WHERE ((e.outcome = 'parked'::text) OR (e.type = ANY (ARRAY['charge.refunded'::text, 'charge.dispute.created'::text])) OR ((e.outcome = 'unmatched'::text) AND ((e.payload #>> '{data,object,payment_status}'::text[]) = ANY (ARRAY['paid'::text, 'no_payment_required'::text]))));


--
-- Name: VIEW parked; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.parked IS 'Money for a person to decide on: payments that do not match their order or no order of ours, refunds, disputes.';


--
-- Name: entry_kinds; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.entry_kinds (
    kind credits.entry_kind NOT NULL,
    counter_account text NOT NULL,
    description text NOT NULL
);

ALTER TABLE ONLY credits.entry_kinds FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE entry_kinds; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.entry_kinds IS 'The other side of each kind of entry: double entry by construction.';


--
-- Name: trial_balance; Type: VIEW; Schema: audit; Owner: -
--

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


--
-- Name: VIEW trial_balance; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.trial_balance IS 'Balance of each side of the books, in tokens; the column adds up to zero.';


--
-- Name: analyst_grants; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.analyst_grants (
    login name NOT NULL,
    segment text NOT NULL
);

ALTER TABLE ONLY credits.analyst_grants FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE analyst_grants; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.analyst_grants IS 'Which accounts an analyst''s SQL login sees: a segment, or * for all.';


--
-- Name: credentials; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.credentials (
    email text NOT NULL,
    password_hash text NOT NULL,
    subject text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT credentials_email_is_normal CHECK (((email = lower(btrim(email))) AND ((length(email) >= 3) AND (length(email) <= 320))))
);

ALTER TABLE ONLY credits.credentials FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE credentials; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.credentials IS 'Sign-in of the embedded identity provider: e-mail and argon2 hash. Empty where an outside issuer signs the tokens.';


--
-- Name: currencies; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.currencies (
    currency text NOT NULL,
    minor_digits bigint NOT NULL,
    CONSTRAINT currencies_are_iso CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT currencies_digits_are_sane CHECK ((minor_digits = ANY (ARRAY[(0)::bigint, (2)::bigint, (3)::bigint])))
);

ALTER TABLE ONLY credits.currencies FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE currencies; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.currencies IS 'The currencies that Stripe takes payments in (docs.stripe.com/currencies), ISO 4217, lower case.';


--
-- Name: COLUMN currencies.minor_digits; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.currencies.minor_digits IS 'Decimals of its minor unit: 2 for cents, 0 where there is none.';


--
-- Name: dimensions; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.dimensions (
    dimension text NOT NULL,
    description text NOT NULL,
    CONSTRAINT dimensions_name_is_sane CHECK ((dimension ~ '^[a-z][a-z0-9_]{0,62}$'::text))
);

ALTER TABLE ONLY credits.dimensions FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE dimensions; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.dimensions IS 'What usage can be measured in. A price of anything else is a slip of the pen and is refused.';


--
-- Name: entries_default; Type: TABLE; Schema: credits; Owner: -
--

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
    reference text,
    actor text CONSTRAINT entries_actor_not_null NOT NULL,
    metadata jsonb CONSTRAINT entries_metadata_not_null NOT NULL,
    hash bytea CONSTRAINT entries_hash_not_null NOT NULL
);

ALTER TABLE ONLY credits.entries_default FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE entries_default; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.entries_default IS 'Part of credits.entries; nobody but the owner reads it directly.';


--
-- Name: guest_limits; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.guest_limits (
    catalog_id text NOT NULL,
    per_device bigint NOT NULL,
    per_network bigint NOT NULL,
    per_shared_network bigint NOT NULL,
    sliding_window interval NOT NULL,
    CONSTRAINT guest_limits_are_sane CHECK ((((per_device >= 1) AND (per_device <= 1000000)) AND ((per_network >= per_device) AND (per_network <= 1000000)) AND ((per_shared_network >= per_network) AND (per_shared_network <= 1000000)))),
    CONSTRAINT guest_limits_window_is_sane CHECK (((sliding_window > '00:00:00'::interval) AND (sliding_window <= '7 days'::interval)))
);

ALTER TABLE ONLY credits.guest_limits FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE guest_limits; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.guest_limits IS 'How many uses a guest has in any span of sliding_window. Where there is no row, guests have none.';


--
-- Name: COLUMN guest_limits.per_network; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.guest_limits.per_network IS 'Uses of all devices behind one address. Equal to per_device by default: who throws the cookie away gains nothing.';


--
-- Name: COLUMN guest_limits.per_shared_network; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.guest_limits.per_shared_network IS 'The same for the networks that the operator knows to be shared (schools, offices).';


--
-- Name: COLUMN guest_limits.sliding_window; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.guest_limits.sliding_window IS 'At most 7 days: the keys of the time before are known for that long.';


--
-- Name: guest_networks; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.guest_networks (
    network_id uuid DEFAULT gen_random_uuid() NOT NULL,
    network_key text NOT NULL,
    CONSTRAINT guest_networks_key_is_sane CHECK ((network_key ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE ONLY credits.guest_networks FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE guest_networks; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.guest_networks IS 'The address (IPv6: the /64) that guests came from, as an HMAC.';


--
-- Name: notice_levels; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.notice_levels (
    account_id uuid NOT NULL,
    below credits.amount,
    percent numeric,
    last_grant credits.amount DEFAULT 0 NOT NULL,
    low_armed boolean DEFAULT true NOT NULL,
    depleted_armed boolean DEFAULT true NOT NULL,
    CONSTRAINT notice_levels_one_threshold CHECK ((num_nonnulls(below, percent) < 2)),
    CONSTRAINT notice_levels_percent_is_sane CHECK (((percent > (0)::numeric) AND (percent < (100)::numeric)))
);

ALTER TABLE ONLY credits.notice_levels FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE notice_levels; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.notice_levels IS 'Where an account stands with its notices. Armed: falling through the threshold writes one, and disarms; above 110 percent of it the next is armed. No row: armed, and nothing granted yet.';


--
-- Name: COLUMN notice_levels.below; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.notice_levels.below IS 'The user''s own threshold for low_balance, instead of the rule''s.';


--
-- Name: COLUMN notice_levels.percent; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.notice_levels.percent IS 'The same, as percent of the last grant.';


--
-- Name: COLUMN notice_levels.last_grant; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.notice_levels.last_grant IS 'Tokens of the last grant, with what came free with it.';


--
-- Name: notice_rules; Type: TABLE; Schema: credits; Owner: -
--

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


--
-- Name: TABLE notice_rules; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.notice_rules IS 'When users are told something, in this bank. low_balance: below so many tokens, or so many percent of the last grant.';


--
-- Name: COLUMN notice_rules.ahead; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON COLUMN credits.notice_rules.ahead IS 'How long before it expires a lot is announced.';


--
-- Name: prices_price_id_seq; Type: SEQUENCE; Schema: credits; Owner: -
--

ALTER TABLE credits.prices ALTER COLUMN price_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME credits.prices_price_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: sql_logins; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.sql_logins (
    login name NOT NULL,
    account_id uuid NOT NULL
);

ALTER TABLE ONLY credits.sql_logins FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE sql_logins; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.sql_logins IS 'The account of a person who connects with an SQL login of their own. Claims that such a session sets are ignored.';


--
-- Name: stripe_objects; Type: TABLE; Schema: credits; Owner: -
--

CREATE TABLE credits.stripe_objects (
    object_id text NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY credits.stripe_objects FORCE ROW LEVEL SECURITY;


--
-- Name: TABLE stripe_objects; Type: COMMENT; Schema: credits; Owner: -
--

COMMENT ON TABLE credits.stripe_objects IS 'Stripe objects (sessions, payment intents) that have been granted: a purchase counts once, whichever of its events come, and how often.';


--
-- Name: entries_default; Type: TABLE ATTACH; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.entries ATTACH PARTITION credits.entries_default DEFAULT;


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (account_id);


--
-- Name: analyst_grants analyst_grants_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.analyst_grants
    ADD CONSTRAINT analyst_grants_pkey PRIMARY KEY (login, segment);


--
-- Name: campaigns campaigns_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (campaign_id);


--
-- Name: catalogs catalogs_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.catalogs
    ADD CONSTRAINT catalogs_pkey PRIMARY KEY (catalog_id);


--
-- Name: codes codes_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.codes
    ADD CONSTRAINT codes_pkey PRIMARY KEY (code);


--
-- Name: credentials credentials_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (email);


--
-- Name: currencies currencies_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.currencies
    ADD CONSTRAINT currencies_pkey PRIMARY KEY (currency);


--
-- Name: dimensions dimensions_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.dimensions
    ADD CONSTRAINT dimensions_pkey PRIMARY KEY (dimension);


--
-- Name: entries entries_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (account_id, seq, posted_at);


--
-- Name: entries_default entries_default_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.entries_default
    ADD CONSTRAINT entries_default_pkey PRIMARY KEY (account_id, seq, posted_at);


--
-- Name: entry_kinds entry_kinds_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.entry_kinds
    ADD CONSTRAINT entry_kinds_pkey PRIMARY KEY (kind);


--
-- Name: failures failures_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.failures
    ADD CONSTRAINT failures_pkey PRIMARY KEY (account_id, failure_id);


--
-- Name: guest_limits guest_limits_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_limits
    ADD CONSTRAINT guest_limits_pkey PRIMARY KEY (catalog_id);


--
-- Name: guest_networks guest_networks_network_key; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_networks
    ADD CONSTRAINT guest_networks_network_key UNIQUE (network_key);


--
-- Name: guest_networks guest_networks_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_networks
    ADD CONSTRAINT guest_networks_pkey PRIMARY KEY (network_id);


--
-- Name: guest_uses guest_uses_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_uses
    ADD CONSTRAINT guest_uses_pkey PRIMARY KEY (use_id);


--
-- Name: guests guests_device_key; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guests
    ADD CONSTRAINT guests_device_key UNIQUE (device_key);


--
-- Name: guests guests_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guests
    ADD CONSTRAINT guests_pkey PRIMARY KEY (guest_id);


--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account_id, operation, key);


--
-- Name: identities identities_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (subject);


--
-- Name: lots lots_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.lots
    ADD CONSTRAINT lots_pkey PRIMARY KEY (account_id, lot_id);


--
-- Name: module_categories module_categories_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.module_categories
    ADD CONSTRAINT module_categories_pkey PRIMARY KEY (category_id);


--
-- Name: modules modules_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.modules
    ADD CONSTRAINT modules_pkey PRIMARY KEY (module_id);


--
-- Name: notice_levels notice_levels_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.notice_levels
    ADD CONSTRAINT notice_levels_pkey PRIMARY KEY (account_id);


--
-- Name: notice_rules notice_rules_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.notice_rules
    ADD CONSTRAINT notice_rules_pkey PRIMARY KEY (kind);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (account_id, order_id);


--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (account_id, notice_id);


--
-- Name: packs packs_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.packs
    ADD CONSTRAINT packs_pkey PRIMARY KEY (pack_id);


--
-- Name: price_components price_components_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_components
    ADD CONSTRAINT price_components_pkey PRIMARY KEY (price_id, dimension);


--
-- Name: price_list price_list_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_list
    ADD CONSTRAINT price_list_pkey PRIMARY KEY (module_id);


--
-- Name: price_tiers price_tiers_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_tiers
    ADD CONSTRAINT price_tiers_pkey PRIMARY KEY (price_id, dimension, above);


--
-- Name: prices prices_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (price_id);


--
-- Name: prices prices_start_at_different_times; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_start_at_different_times UNIQUE NULLS NOT DISTINCT (module_id, category_id, valid_from);


--
-- Name: redemptions redemptions_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_pkey PRIMARY KEY (account_id, campaign_id, number);


--
-- Name: referrals referrals_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.referrals
    ADD CONSTRAINT referrals_pkey PRIMARY KEY (account_id);


--
-- Name: spend_limits spend_limits_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.spend_limits
    ADD CONSTRAINT spend_limits_pkey PRIMARY KEY (account_id, set_by, period);


--
-- Name: sql_logins sql_logins_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.sql_logins
    ADD CONSTRAINT sql_logins_pkey PRIMARY KEY (login);


--
-- Name: stripe_events stripe_events_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.stripe_events
    ADD CONSTRAINT stripe_events_pkey PRIMARY KEY (event_id);


--
-- Name: stripe_objects stripe_objects_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.stripe_objects
    ADD CONSTRAINT stripe_objects_pkey PRIMARY KEY (object_id);


--
-- Name: topup_presets topup_presets_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.topup_presets
    ADD CONSTRAINT topup_presets_pkey PRIMARY KEY (currency, amount);


--
-- Name: topups topups_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.topups
    ADD CONSTRAINT topups_pkey PRIMARY KEY (currency);


--
-- Name: wallets wallets_pkey; Type: CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.wallets
    ADD CONSTRAINT wallets_pkey PRIMARY KEY (account_id);


--
-- Name: catalogs_currency_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX catalogs_currency_idx ON credits.catalogs USING btree (currency);


--
-- Name: codes_campaign_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX codes_campaign_idx ON credits.codes USING btree (campaign_id);


--
-- Name: codes_one_per_referrer_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE UNIQUE INDEX codes_one_per_referrer_idx ON credits.codes USING btree (referrer_id, campaign_id);


--
-- Name: credentials_subject_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX credentials_subject_idx ON credits.credentials USING btree (subject);


--
-- Name: failures_module_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX failures_module_idx ON credits.failures USING btree (module_id, failed_at);


--
-- Name: guest_uses_guest_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX guest_uses_guest_idx ON credits.guest_uses USING btree (guest_id, used_at);


--
-- Name: guest_uses_network_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX guest_uses_network_idx ON credits.guest_uses USING btree (network_id, used_at);


--
-- Name: guests_linked_to_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX guests_linked_to_idx ON credits.guests USING btree (linked_to);


--
-- Name: identities_account_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX identities_account_idx ON credits.identities USING btree (account_id);


--
-- Name: lots_live_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX lots_live_idx ON credits.lots USING btree (account_id, lot_id) WHERE live;


--
-- Name: lots_order_is_granted_once; Type: INDEX; Schema: credits; Owner: -
--

CREATE UNIQUE INDEX lots_order_is_granted_once ON credits.lots USING btree (account_id, order_id, source) WHERE (order_id IS NOT NULL);


--
-- Name: modules_category_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX modules_category_idx ON credits.modules USING btree (category_id);


--
-- Name: orders_pack_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX orders_pack_idx ON credits.orders USING btree (pack_id);


--
-- Name: outbox_pending_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX outbox_pending_idx ON credits.outbox USING btree (created_at) WHERE (delivered_at IS NULL);


--
-- Name: packs_currency_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX packs_currency_idx ON credits.packs USING btree (currency);


--
-- Name: price_components_dimension_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX price_components_dimension_idx ON credits.price_components USING btree (dimension);


--
-- Name: price_list_price_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX price_list_price_idx ON credits.price_list USING btree (price_id);


--
-- Name: prices_category_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX prices_category_idx ON credits.prices USING btree (category_id, valid_from);


--
-- Name: redemptions_campaign_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX redemptions_campaign_idx ON credits.redemptions USING btree (campaign_id);


--
-- Name: redemptions_lot_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX redemptions_lot_idx ON credits.redemptions USING btree (account_id, lot_id);


--
-- Name: referrals_campaign_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX referrals_campaign_idx ON credits.referrals USING btree (campaign_id);


--
-- Name: referrals_referrer_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX referrals_referrer_idx ON credits.referrals USING btree (referrer_id);


--
-- Name: sql_logins_account_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX sql_logins_account_idx ON credits.sql_logins USING btree (account_id);


--
-- Name: stripe_events_object_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX stripe_events_object_idx ON credits.stripe_events USING btree (object_id);


--
-- Name: stripe_objects_order_idx; Type: INDEX; Schema: credits; Owner: -
--

CREATE INDEX stripe_objects_order_idx ON credits.stripe_objects USING btree (account_id, order_id);


--
-- Name: entries_default_pkey; Type: INDEX ATTACH; Schema: credits; Owner: -
--

ALTER INDEX credits.entries_pkey ATTACH PARTITION credits.entries_default_pkey;


--
-- Name: entries entries_are_never_changed; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER entries_are_never_changed BEFORE DELETE OR UPDATE ON credits.entries FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.entries ENABLE ALWAYS TRIGGER entries_are_never_changed;


--
-- Name: entries entries_are_never_truncated; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER entries_are_never_truncated BEFORE TRUNCATE ON credits.entries FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.entries ENABLE ALWAYS TRIGGER entries_are_never_truncated;


--
-- Name: entries_default entries_are_never_truncated; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER entries_are_never_truncated BEFORE TRUNCATE ON credits.entries_default FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.entries_default ENABLE ALWAYS TRIGGER entries_are_never_truncated;


--
-- Name: price_components price_components_are_never_edited; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER price_components_are_never_edited BEFORE DELETE OR UPDATE ON credits.price_components FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.price_components ENABLE ALWAYS TRIGGER price_components_are_never_edited;


--
-- Name: price_components price_components_are_never_truncated; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER price_components_are_never_truncated BEFORE TRUNCATE ON credits.price_components FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.price_components ENABLE ALWAYS TRIGGER price_components_are_never_truncated;


--
-- Name: price_components price_components_are_written_at_once; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER price_components_are_written_at_once BEFORE INSERT ON credits.price_components FOR EACH ROW EXECUTE FUNCTION credits.refuse_addition();


--
-- Name: price_tiers price_tiers_are_never_edited; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER price_tiers_are_never_edited BEFORE DELETE OR UPDATE ON credits.price_tiers FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.price_tiers ENABLE ALWAYS TRIGGER price_tiers_are_never_edited;


--
-- Name: price_tiers price_tiers_are_never_truncated; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER price_tiers_are_never_truncated BEFORE TRUNCATE ON credits.price_tiers FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.price_tiers ENABLE ALWAYS TRIGGER price_tiers_are_never_truncated;


--
-- Name: price_tiers price_tiers_are_written_at_once; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER price_tiers_are_written_at_once BEFORE INSERT ON credits.price_tiers FOR EACH ROW EXECUTE FUNCTION credits.refuse_addition();


--
-- Name: prices prices_are_listed; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER prices_are_listed AFTER INSERT ON credits.prices FOR EACH STATEMENT EXECUTE FUNCTION credits.follow_prices();


--
-- Name: prices prices_are_never_edited; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER prices_are_never_edited BEFORE DELETE OR UPDATE ON credits.prices FOR EACH ROW EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.prices ENABLE ALWAYS TRIGGER prices_are_never_edited;


--
-- Name: prices prices_are_never_truncated; Type: TRIGGER; Schema: credits; Owner: -
--

CREATE TRIGGER prices_are_never_truncated BEFORE TRUNCATE ON credits.prices FOR EACH STATEMENT EXECUTE FUNCTION credits.refuse_change();

ALTER TABLE credits.prices ENABLE ALWAYS TRIGGER prices_are_never_truncated;


--
-- Name: catalogs catalogs_currency_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.catalogs
    ADD CONSTRAINT catalogs_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);


--
-- Name: codes codes_campaign_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.codes
    ADD CONSTRAINT codes_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES credits.campaigns(campaign_id);


--
-- Name: codes codes_referrer_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.codes
    ADD CONSTRAINT codes_referrer_fkey FOREIGN KEY (referrer_id) REFERENCES credits.accounts(account_id);


--
-- Name: credentials credentials_subject_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.credentials
    ADD CONSTRAINT credentials_subject_fkey FOREIGN KEY (subject) REFERENCES credits.identities(subject);


--
-- Name: failures failures_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.failures
    ADD CONSTRAINT failures_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: guest_limits guest_limits_catalog_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_limits
    ADD CONSTRAINT guest_limits_catalog_fkey FOREIGN KEY (catalog_id) REFERENCES credits.catalogs(catalog_id);


--
-- Name: guest_uses guest_uses_guest_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_uses
    ADD CONSTRAINT guest_uses_guest_fkey FOREIGN KEY (guest_id) REFERENCES credits.guests(guest_id);


--
-- Name: guest_uses guest_uses_network_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guest_uses
    ADD CONSTRAINT guest_uses_network_fkey FOREIGN KEY (network_id) REFERENCES credits.guest_networks(network_id);


--
-- Name: guests guests_linked_to_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.guests
    ADD CONSTRAINT guests_linked_to_fkey FOREIGN KEY (linked_to) REFERENCES credits.accounts(account_id);


--
-- Name: identities identities_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.identities
    ADD CONSTRAINT identities_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: lots lots_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.lots
    ADD CONSTRAINT lots_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: lots lots_order_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.lots
    ADD CONSTRAINT lots_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);


--
-- Name: modules modules_category_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.modules
    ADD CONSTRAINT modules_category_fkey FOREIGN KEY (category_id) REFERENCES credits.module_categories(category_id);


--
-- Name: notice_levels notice_levels_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.notice_levels
    ADD CONSTRAINT notice_levels_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: orders orders_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.orders
    ADD CONSTRAINT orders_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: orders orders_pack_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.orders
    ADD CONSTRAINT orders_pack_fkey FOREIGN KEY (pack_id) REFERENCES credits.packs(pack_id);


--
-- Name: outbox outbox_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.outbox
    ADD CONSTRAINT outbox_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: packs packs_currency_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.packs
    ADD CONSTRAINT packs_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);


--
-- Name: price_components price_components_dimension_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_components
    ADD CONSTRAINT price_components_dimension_fkey FOREIGN KEY (dimension) REFERENCES credits.dimensions(dimension);


--
-- Name: price_components price_components_price_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_components
    ADD CONSTRAINT price_components_price_fkey FOREIGN KEY (price_id) REFERENCES credits.prices(price_id);


--
-- Name: price_list price_list_module_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_list
    ADD CONSTRAINT price_list_module_fkey FOREIGN KEY (module_id) REFERENCES credits.modules(module_id);


--
-- Name: price_list price_list_price_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_list
    ADD CONSTRAINT price_list_price_fkey FOREIGN KEY (price_id) REFERENCES credits.prices(price_id);


--
-- Name: price_tiers price_tiers_component_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.price_tiers
    ADD CONSTRAINT price_tiers_component_fkey FOREIGN KEY (price_id, dimension) REFERENCES credits.price_components(price_id, dimension);


--
-- Name: prices prices_category_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_category_fkey FOREIGN KEY (category_id) REFERENCES credits.module_categories(category_id);


--
-- Name: prices prices_module_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.prices
    ADD CONSTRAINT prices_module_fkey FOREIGN KEY (module_id) REFERENCES credits.modules(module_id);


--
-- Name: redemptions redemptions_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: redemptions redemptions_campaign_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES credits.campaigns(campaign_id);


--
-- Name: redemptions redemptions_lot_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.redemptions
    ADD CONSTRAINT redemptions_lot_fkey FOREIGN KEY (account_id, lot_id) REFERENCES credits.lots(account_id, lot_id);


--
-- Name: referrals referrals_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.referrals
    ADD CONSTRAINT referrals_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: referrals referrals_campaign_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.referrals
    ADD CONSTRAINT referrals_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES credits.campaigns(campaign_id);


--
-- Name: spend_limits spend_limits_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.spend_limits
    ADD CONSTRAINT spend_limits_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: sql_logins sql_logins_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.sql_logins
    ADD CONSTRAINT sql_logins_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: stripe_objects stripe_objects_order_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.stripe_objects
    ADD CONSTRAINT stripe_objects_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES credits.orders(account_id, order_id);


--
-- Name: topup_presets topup_presets_topup_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.topup_presets
    ADD CONSTRAINT topup_presets_topup_fkey FOREIGN KEY (currency) REFERENCES credits.topups(currency);


--
-- Name: topups topups_currency_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.topups
    ADD CONSTRAINT topups_currency_fkey FOREIGN KEY (currency) REFERENCES credits.currencies(currency);


--
-- Name: wallets wallets_account_fkey; Type: FK CONSTRAINT; Schema: credits; Owner: -
--

ALTER TABLE ONLY credits.wallets
    ADD CONSTRAINT wallets_account_fkey FOREIGN KEY (account_id) REFERENCES credits.accounts(account_id);


--
-- Name: accounts; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.accounts ENABLE ROW LEVEL SECURITY;

--
-- Name: analyst_grants; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.analyst_grants ENABLE ROW LEVEL SECURITY;

--
-- Name: catalogs analyst_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY analyst_reads ON credits.catalogs FOR SELECT TO analyst USING (true);


--
-- Name: price_components analyst_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY analyst_reads ON credits.price_components FOR SELECT TO analyst USING (true);


--
-- Name: prices analyst_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY analyst_reads ON credits.prices FOR SELECT TO analyst USING (true);


--
-- Name: accounts auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.accounts FOR SELECT TO auditor USING (true);


--
-- Name: analyst_grants auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.analyst_grants FOR SELECT TO auditor USING (true);


--
-- Name: campaigns auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.campaigns FOR SELECT TO auditor USING (true);


--
-- Name: catalogs auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.catalogs FOR SELECT TO auditor USING (true);


--
-- Name: codes auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.codes FOR SELECT TO auditor USING (true);


--
-- Name: currencies auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.currencies FOR SELECT TO auditor USING (true);


--
-- Name: dimensions auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.dimensions FOR SELECT TO auditor USING (true);


--
-- Name: entries auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.entries FOR SELECT TO auditor USING (true);


--
-- Name: entry_kinds auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.entry_kinds FOR SELECT TO auditor USING (true);


--
-- Name: failures auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.failures FOR SELECT TO auditor USING (true);


--
-- Name: guest_limits auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.guest_limits FOR SELECT TO auditor USING (true);


--
-- Name: guest_networks auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.guest_networks FOR SELECT TO auditor USING (true);


--
-- Name: guest_uses auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.guest_uses FOR SELECT TO auditor USING (true);


--
-- Name: guests auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.guests FOR SELECT TO auditor USING (true);


--
-- Name: idempotency_keys auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.idempotency_keys FOR SELECT TO auditor USING (true);


--
-- Name: identities auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.identities FOR SELECT TO auditor USING (true);


--
-- Name: lots auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.lots FOR SELECT TO auditor USING (true);


--
-- Name: module_categories auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.module_categories FOR SELECT TO auditor USING (true);


--
-- Name: modules auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.modules FOR SELECT TO auditor USING (true);


--
-- Name: notice_levels auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.notice_levels FOR SELECT TO auditor USING (true);


--
-- Name: notice_rules auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.notice_rules FOR SELECT TO auditor USING (true);


--
-- Name: orders auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.orders FOR SELECT TO auditor USING (true);


--
-- Name: outbox auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.outbox FOR SELECT TO auditor USING (true);


--
-- Name: packs auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.packs FOR SELECT TO auditor USING (true);


--
-- Name: price_components auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.price_components FOR SELECT TO auditor USING (true);


--
-- Name: price_list auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.price_list FOR SELECT TO auditor USING (true);


--
-- Name: price_tiers auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.price_tiers FOR SELECT TO auditor USING (true);


--
-- Name: prices auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.prices FOR SELECT TO auditor USING (true);


--
-- Name: redemptions auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.redemptions FOR SELECT TO auditor USING (true);


--
-- Name: referrals auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.referrals FOR SELECT TO auditor USING (true);


--
-- Name: spend_limits auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.spend_limits FOR SELECT TO auditor USING (true);


--
-- Name: sql_logins auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.sql_logins FOR SELECT TO auditor USING (true);


--
-- Name: stripe_events auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.stripe_events FOR SELECT TO auditor USING (true);


--
-- Name: stripe_objects auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.stripe_objects FOR SELECT TO auditor USING (true);


--
-- Name: topup_presets auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.topup_presets FOR SELECT TO auditor USING (true);


--
-- Name: topups auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.topups FOR SELECT TO auditor USING (true);


--
-- Name: wallets auditor_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY auditor_reads ON credits.wallets FOR SELECT TO auditor USING (true);


--
-- Name: campaigns; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.campaigns ENABLE ROW LEVEL SECURITY;

--
-- Name: catalogs; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.catalogs ENABLE ROW LEVEL SECURITY;

--
-- Name: codes; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.codes ENABLE ROW LEVEL SECURITY;

--
-- Name: credentials; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.credentials ENABLE ROW LEVEL SECURITY;

--
-- Name: currencies; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.currencies ENABLE ROW LEVEL SECURITY;

--
-- Name: dimensions; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.dimensions ENABLE ROW LEVEL SECURITY;

--
-- Name: entries; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.entries ENABLE ROW LEVEL SECURITY;

--
-- Name: entries_default; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.entries_default ENABLE ROW LEVEL SECURITY;

--
-- Name: entry_kinds; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.entry_kinds ENABLE ROW LEVEL SECURITY;

--
-- Name: failures; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.failures ENABLE ROW LEVEL SECURITY;

--
-- Name: module_categories for_sale; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY for_sale ON credits.module_categories FOR SELECT TO anon, authenticated, service_role USING (true);


--
-- Name: modules for_sale; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY for_sale ON credits.modules FOR SELECT TO anon, authenticated, service_role USING (true);


--
-- Name: packs for_sale; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY for_sale ON credits.packs FOR SELECT TO anon, authenticated, service_role USING (true);


--
-- Name: topup_presets for_sale; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY for_sale ON credits.topup_presets FOR SELECT TO anon, authenticated, service_role USING (true);


--
-- Name: topups for_sale; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY for_sale ON credits.topups FOR SELECT TO anon, authenticated, service_role USING (true);


--
-- Name: accounts granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.accounts FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: entries granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.entries FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: failures granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.failures FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: guest_uses granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.guest_uses FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (guest_id IN ( SELECT g.guest_id
   FROM credits.guests g))));


--
-- Name: guests granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.guests FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (linked_to IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: lots granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.lots FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: orders granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.orders FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: redemptions granted_accounts; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY granted_accounts ON credits.redemptions FOR SELECT TO analyst USING ((( SELECT ('*'::text = ANY (credits.analyst_segments()))) OR (account_id IN ( SELECT a.account_id
   FROM credits.analyst_accounts() a(account_id)))));


--
-- Name: guest_limits; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.guest_limits ENABLE ROW LEVEL SECURITY;

--
-- Name: guest_networks; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.guest_networks ENABLE ROW LEVEL SECURITY;

--
-- Name: guest_uses; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.guest_uses ENABLE ROW LEVEL SECURITY;

--
-- Name: guests; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.guests ENABLE ROW LEVEL SECURITY;

--
-- Name: idempotency_keys; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.idempotency_keys ENABLE ROW LEVEL SECURITY;

--
-- Name: identities; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.identities ENABLE ROW LEVEL SECURITY;

--
-- Name: lots; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.lots ENABLE ROW LEVEL SECURITY;

--
-- Name: module_categories; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.module_categories ENABLE ROW LEVEL SECURITY;

--
-- Name: modules; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.modules ENABLE ROW LEVEL SECURITY;

--
-- Name: notice_levels; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.notice_levels ENABLE ROW LEVEL SECURITY;

--
-- Name: notice_rules; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.notice_rules ENABLE ROW LEVEL SECURITY;

--
-- Name: orders; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.orders ENABLE ROW LEVEL SECURITY;

--
-- Name: outbox; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.outbox ENABLE ROW LEVEL SECURITY;

--
-- Name: entries own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.entries FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: failures own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.failures FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: identities own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.identities FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: lots own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.lots FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: orders own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.orders FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: outbox own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.outbox FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: referrals own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.referrals FOR SELECT TO authenticated USING ((referrer_id = ( SELECT credits.me() AS me)));


--
-- Name: spend_limits own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.spend_limits FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: wallets own_rows; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY own_rows ON credits.wallets FOR SELECT TO authenticated USING ((account_id = ( SELECT credits.me() AS me)));


--
-- Name: accounts owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.accounts TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: analyst_grants owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.analyst_grants TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: campaigns owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.campaigns TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: catalogs owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.catalogs TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: codes owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.codes TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: credentials owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.credentials TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: currencies owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.currencies TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: dimensions owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.dimensions TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: entries owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.entries TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: entries_default owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.entries_default TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: entry_kinds owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.entry_kinds TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: failures owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.failures TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: guest_limits owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.guest_limits TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: guest_networks owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.guest_networks TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: guest_uses owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.guest_uses TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: guests owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.guests TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: idempotency_keys owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.idempotency_keys TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: identities owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.identities TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: lots owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.lots TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: module_categories owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.module_categories TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: modules owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.modules TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: notice_levels owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.notice_levels TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: notice_rules owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.notice_rules TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: orders owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.orders TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: outbox owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.outbox TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: packs owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.packs TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: price_components owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.price_components TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: price_list owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.price_list TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: price_tiers owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.price_tiers TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: prices owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.prices TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: redemptions owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.redemptions TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: referrals owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.referrals TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: spend_limits owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.spend_limits TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: sql_logins owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.sql_logins TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: stripe_events owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.stripe_events TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: stripe_objects owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.stripe_objects TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: topup_presets owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.topup_presets TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: topups owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.topups TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: wallets owner; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY owner ON credits.wallets TO credits_owner USING (true) WITH CHECK (true);


--
-- Name: packs; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.packs ENABLE ROW LEVEL SECURITY;

--
-- Name: price_components; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.price_components ENABLE ROW LEVEL SECURITY;

--
-- Name: price_list; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.price_list ENABLE ROW LEVEL SECURITY;

--
-- Name: price_tiers; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.price_tiers ENABLE ROW LEVEL SECURITY;

--
-- Name: prices; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.prices ENABLE ROW LEVEL SECURITY;

--
-- Name: redemptions; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.redemptions ENABLE ROW LEVEL SECURITY;

--
-- Name: referrals; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.referrals ENABLE ROW LEVEL SECURITY;

--
-- Name: entries service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.entries FOR SELECT TO service_role USING (true);


--
-- Name: failures service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.failures FOR SELECT TO service_role USING (true);


--
-- Name: identities service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.identities FOR SELECT TO service_role USING (true);


--
-- Name: lots service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.lots FOR SELECT TO service_role USING (true);


--
-- Name: orders service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.orders FOR SELECT TO service_role USING (true);


--
-- Name: outbox service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.outbox FOR SELECT TO service_role USING (true);


--
-- Name: referrals service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.referrals FOR SELECT TO service_role USING (true);


--
-- Name: spend_limits service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.spend_limits FOR SELECT TO service_role USING (true);


--
-- Name: wallets service_reads; Type: POLICY; Schema: credits; Owner: -
--

CREATE POLICY service_reads ON credits.wallets FOR SELECT TO service_role USING (true);


--
-- Name: spend_limits; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.spend_limits ENABLE ROW LEVEL SECURITY;

--
-- Name: sql_logins; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.sql_logins ENABLE ROW LEVEL SECURITY;

--
-- Name: stripe_events; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.stripe_events ENABLE ROW LEVEL SECURITY;

--
-- Name: stripe_objects; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.stripe_objects ENABLE ROW LEVEL SECURITY;

--
-- Name: topup_presets; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.topup_presets ENABLE ROW LEVEL SECURITY;

--
-- Name: topups; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.topups ENABLE ROW LEVEL SECURITY;

--
-- Name: wallets; Type: ROW SECURITY; Schema: credits; Owner: -
--

ALTER TABLE credits.wallets ENABLE ROW LEVEL SECURITY;

--
-- Name: SCHEMA analytics; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA analytics TO analyst;
GRANT USAGE ON SCHEMA analytics TO auditor;


--
-- Name: SCHEMA api; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA api TO anon;
GRANT USAGE ON SCHEMA api TO authenticated;
GRANT USAGE ON SCHEMA api TO service_role;


--
-- Name: SCHEMA audit; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA audit TO auditor;


--
-- Name: SCHEMA credits; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA credits TO auditor;


--
-- Name: TYPE account_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.account_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.account_receipt TO authenticated;
GRANT ALL ON TYPE api.account_receipt TO service_role;


--
-- Name: TYPE acknowledgement; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.acknowledgement FROM PUBLIC;
GRANT ALL ON TYPE api.acknowledgement TO authenticated;
GRANT ALL ON TYPE api.acknowledgement TO service_role;


--
-- Name: TYPE credential; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.credential FROM PUBLIC;
GRANT ALL ON TYPE api.credential TO authenticated;
GRANT ALL ON TYPE api.credential TO service_role;


--
-- Name: TYPE event_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.event_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.event_receipt TO authenticated;
GRANT ALL ON TYPE api.event_receipt TO service_role;


--
-- Name: TYPE failure_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.failure_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.failure_receipt TO authenticated;
GRANT ALL ON TYPE api.failure_receipt TO service_role;


--
-- Name: TYPE grant_reason; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.grant_reason FROM PUBLIC;
GRANT ALL ON TYPE api.grant_reason TO authenticated;
GRANT ALL ON TYPE api.grant_reason TO service_role;


--
-- Name: TYPE grant_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.grant_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.grant_receipt TO authenticated;
GRANT ALL ON TYPE api.grant_receipt TO service_role;


--
-- Name: TYPE guest_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.guest_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.guest_receipt TO authenticated;
GRANT ALL ON TYPE api.guest_receipt TO service_role;


--
-- Name: TYPE low_balance; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.low_balance FROM PUBLIC;
GRANT ALL ON TYPE api.low_balance TO authenticated;
GRANT ALL ON TYPE api.low_balance TO service_role;


--
-- Name: TYPE maintenance; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.maintenance FROM PUBLIC;
GRANT ALL ON TYPE api.maintenance TO authenticated;
GRANT ALL ON TYPE api.maintenance TO service_role;


--
-- Name: TYPE order_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.order_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.order_receipt TO authenticated;
GRANT ALL ON TYPE api.order_receipt TO service_role;


--
-- Name: TYPE quote; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.quote FROM PUBLIC;
GRANT ALL ON TYPE api.quote TO authenticated;
GRANT ALL ON TYPE api.quote TO service_role;


--
-- Name: TYPE redemption_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.redemption_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.redemption_receipt TO authenticated;
GRANT ALL ON TYPE api.redemption_receipt TO service_role;


--
-- Name: TYPE referral_offer; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.referral_offer FROM PUBLIC;
GRANT ALL ON TYPE api.referral_offer TO authenticated;
GRANT ALL ON TYPE api.referral_offer TO service_role;


--
-- Name: TYPE spend_limit; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.spend_limit FROM PUBLIC;
GRANT ALL ON TYPE api.spend_limit TO authenticated;
GRANT ALL ON TYPE api.spend_limit TO service_role;


--
-- Name: TYPE spend_receipt; Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON TYPE api.spend_receipt FROM PUBLIC;
GRANT ALL ON TYPE api.spend_receipt TO authenticated;
GRANT ALL ON TYPE api.spend_receipt TO service_role;


--
-- Name: TYPE account_status; Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON TYPE credits.account_status FROM PUBLIC;


--
-- Name: TYPE amount; Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON TYPE credits.amount FROM PUBLIC;
GRANT ALL ON TYPE credits.amount TO auditor;


--
-- Name: TYPE entry_kind; Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON TYPE credits.entry_kind FROM PUBLIC;
GRANT ALL ON TYPE credits.entry_kind TO auditor;


--
-- Name: TYPE tokens; Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON TYPE credits.tokens FROM PUBLIC;
GRANT ALL ON TYPE credits.tokens TO auditor;


--
-- Name: TYPE unit_cost; Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON TYPE credits.unit_cost FROM PUBLIC;


--
-- Name: FUNCTION acknowledge_notices(notice_ids uuid[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.acknowledge_notices(notice_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.acknowledge_notices(notice_ids uuid[]) TO service_role;


--
-- Name: FUNCTION add_tokens(user_id text, tokens_to_add numeric, package_name text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_tokens(user_id text, tokens_to_add numeric, package_name text) TO service_role;


--
-- Name: FUNCTION add_tokens(user_id text, tokens numeric, reason api.grant_reason, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.add_tokens(user_id text, tokens numeric, reason api.grant_reason, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_tokens(user_id text, tokens numeric, reason api.grant_reason, package_name text, expires_at timestamp with time zone, priority bigint, scope text, idempotency_key text, metadata jsonb) TO service_role;


--
-- Name: FUNCTION apply_stripe_event(event jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.apply_stripe_event(event jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.apply_stripe_event(event jsonb) TO service_role;


--
-- Name: FUNCTION attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.attach_checkout(account_id uuid, order_id uuid, session_id text, customer_id text) TO service_role;


--
-- Name: FUNCTION confirm_guest_use(use_id uuid); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.confirm_guest_use(use_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.confirm_guest_use(use_id uuid) TO service_role;


--
-- Name: FUNCTION consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) TO authenticated;
GRANT ALL ON FUNCTION api.consume_tokens(user_id text, module_id text, module_name text, tokens_to_consume numeric) TO service_role;


--
-- Name: FUNCTION consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean) TO authenticated;
GRANT ALL ON FUNCTION api.consume_tokens(module_id text, usage jsonb, idempotency_key text, user_id text, metadata jsonb, byok boolean) TO service_role;


--
-- Name: FUNCTION create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION api.create_order(pack_id text, amount bigint, module_id text, user_id text, idempotency_key text) TO service_role;


--
-- Name: FUNCTION find_credential(email text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.find_credential(email text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.find_credential(email text) TO service_role;


--
-- Name: FUNCTION guest_allowance(device_keys text[], network_keys text[], shared_network boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.guest_allowance(device_keys text[], network_keys text[], shared_network boolean) TO service_role;


--
-- Name: FUNCTION guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.guest_consume(module_id text, device_keys text[], network_keys text[], shared_network boolean) TO service_role;


--
-- Name: FUNCTION maintain(max_accounts bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.maintain(max_accounts bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.maintain(max_accounts bigint) TO service_role;


--
-- Name: FUNCTION open_account(user_id text, referral_code text, device_keys text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[]) TO authenticated;
GRANT ALL ON FUNCTION api.open_account(user_id text, referral_code text, device_keys text[]) TO service_role;


--
-- Name: FUNCTION quote_tokens(module_id text, usage jsonb, user_id text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.quote_tokens(module_id text, usage jsonb, user_id text) TO service_role;


--
-- Name: FUNCTION redeem_code(code text, idempotency_key text, user_id text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.redeem_code(code text, idempotency_key text, user_id text) TO service_role;


--
-- Name: FUNCTION referral_code(user_id text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.referral_code(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.referral_code(user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.referral_code(user_id text) TO service_role;


--
-- Name: FUNCTION release_guest_use(use_id uuid); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.release_guest_use(use_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release_guest_use(use_id uuid) TO service_role;


--
-- Name: FUNCTION report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.report_failure(module_id text, duration_ms numeric, metadata jsonb, user_id text, idempotency_key text) TO service_role;


--
-- Name: FUNCTION set_low_balance(below numeric, percent numeric, user_id text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.set_low_balance(below numeric, percent numeric, user_id text) TO service_role;


--
-- Name: FUNCTION set_spend_limit(period text, tokens numeric, user_id text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) TO authenticated;
GRANT ALL ON FUNCTION api.set_spend_limit(period text, tokens numeric, user_id text) TO service_role;


--
-- Name: FUNCTION sign_up(email text, password_hash text, referral_code text, device_keys text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.sign_up(email text, password_hash text, referral_code text, device_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.sign_up(email text, password_hash text, referral_code text, device_keys text[]) TO service_role;


--
-- Name: FUNCTION account_of(p_subject text, p_service_opens boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.account_of(p_subject text, p_service_opens boolean) FROM PUBLIC;


--
-- Name: FUNCTION actor(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.actor() FROM PUBLIC;


--
-- Name: FUNCTION affordable(p_price_id bigint, p_cost numeric, p_tokens numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric) FROM PUBLIC;


--
-- Name: FUNCTION analyst_accounts(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.analyst_accounts() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.analyst_accounts() TO analyst;


--
-- Name: FUNCTION analyst_segments(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.analyst_segments() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.analyst_segments() TO analyst;


--
-- Name: FUNCTION announce_expiries(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.announce_expiries(p_account_id uuid) FROM PUBLIC;


--
-- Name: TABLE orders; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.orders TO authenticated;
GRANT SELECT ON TABLE credits.orders TO service_role;
GRANT SELECT ON TABLE credits.orders TO auditor;


--
-- Name: COLUMN orders.account_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(account_id) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.order_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(order_id) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.state; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(state) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.pack_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(pack_id) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.package_name; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(package_name) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.scope; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(scope) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.tokens; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(tokens) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.bonus_tokens; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(bonus_tokens) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.amount; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(amount) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.currency; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(currency) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.created_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(created_at) ON TABLE credits.orders TO analyst;


--
-- Name: COLUMN orders.paid_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(paid_at) ON TABLE credits.orders TO analyst;


--
-- Name: FUNCTION apply_session(p_order credits.orders, p_type text, p_session jsonb, p_receipt api.event_receipt); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.apply_session(p_order credits.orders, p_type text, p_session jsonb, p_receipt api.event_receipt) FROM PUBLIC;


--
-- Name: FUNCTION attach_at_sign_up(p_account_id uuid, p_code text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.attach_at_sign_up(p_account_id uuid, p_code text) FROM PUBLIC;


--
-- Name: TABLE codes; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.codes TO auditor;


--
-- Name: FUNCTION attach_referrer(p_account_id uuid, p_code credits.codes); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.attach_referrer(p_account_id uuid, p_code credits.codes) FROM PUBLIC;


--
-- Name: FUNCTION balance_at(p_account_id uuid, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.balance_at(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION begin_periods(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.begin_periods(p_account_id uuid) FROM PUBLIC;


--
-- Name: TABLE campaigns; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.campaigns TO auditor;


--
-- Name: FUNCTION book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.book_gift(p_account_id uuid, p_campaign credits.campaigns, p_number bigint, p_tokens numeric, p_code text, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION caller_subject(p_user_id text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.caller_subject(p_user_id text) FROM PUBLIC;


--
-- Name: FUNCTION campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION catch_up(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.catch_up(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION ceil_tokens(numerator numeric, denominator numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.ceil_tokens(numerator numeric, denominator numeric) FROM PUBLIC;


--
-- Name: FUNCTION charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.charge(quantity numeric, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean, minimum_charge numeric) FROM PUBLIC;


--
-- Name: FUNCTION charge_durations(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.charge_durations() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.charge_durations() TO analyst;
GRANT ALL ON FUNCTION credits.charge_durations() TO auditor;


--
-- Name: FUNCTION check_amount(p_amount numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_amount(p_amount numeric) FROM PUBLIC;


--
-- Name: FUNCTION check_components(p_name text, p_components jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_components(p_name text, p_components jsonb) FROM PUBLIC;


--
-- Name: FUNCTION check_currency(p_currency text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_currency(p_currency text) FROM PUBLIC;


--
-- Name: FUNCTION check_guest_keys(p_keys text[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_guest_keys(p_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION check_metadata(p_metadata jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_metadata(p_metadata jsonb) FROM PUBLIC;


--
-- Name: FUNCTION check_scope(p_scope text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_scope(p_scope text) FROM PUBLIC;


--
-- Name: FUNCTION check_stripe_prices(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_stripe_prices() FROM PUBLIC;


--
-- Name: FUNCTION check_tiers(p_name text, p_dimension text, p_tiers jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb) FROM PUBLIC;


--
-- Name: FUNCTION choose_head(p_account_id uuid, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.choose_head(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_reference text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.claim_key(p_account_id uuid, p_operation text, p_key text, p_arguments jsonb, p_reference text) FROM PUBLIC;


--
-- Name: FUNCTION clock(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.clock() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.clock() TO anon;
GRANT ALL ON FUNCTION credits.clock() TO authenticated;
GRANT ALL ON FUNCTION credits.clock() TO service_role;
GRANT ALL ON FUNCTION credits.clock() TO analyst;
GRANT ALL ON FUNCTION credits.clock() TO auditor;


--
-- Name: FUNCTION components_as_json(p_price_id bigint); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.components_as_json(p_price_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION configured_stripe_price(p_pack_id text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.configured_stripe_price(p_pack_id text) FROM PUBLIC;


--
-- Name: FUNCTION default_priority(p_source credits.entry_kind); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.default_priority(p_source credits.entry_kind) FROM PUBLIC;


--
-- Name: FUNCTION define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_campaign(p_campaign_id text, p_kind text, p_title text, p_tokens numeric, p_referee_tokens numeric, p_budget bigint, p_per_account bigint, p_valid_from timestamp with time zone, p_valid_until timestamp with time zone, p_expires_after interval, p_priority bigint, p_scope text, p_active boolean) FROM PUBLIC;


--
-- Name: FUNCTION define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_catalog(p_catalog_id text, p_title text, p_unit text, p_currency text) FROM PUBLIC;


--
-- Name: FUNCTION define_category(p_category_id text, p_title text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_category(p_category_id text, p_title text) FROM PUBLIC;


--
-- Name: FUNCTION define_code(p_code text, p_campaign_id text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_code(p_code text, p_campaign_id text) FROM PUBLIC;


--
-- Name: FUNCTION define_dimension(p_dimension text, p_description text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_dimension(p_dimension text, p_description text) FROM PUBLIC;


--
-- Name: FUNCTION define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_guest_limits(p_catalog_id text, p_per_device bigint, p_per_network bigint, p_per_shared_network bigint, p_sliding_window interval) FROM PUBLIC;


--
-- Name: FUNCTION define_module(p_module_id text, p_title text, p_category_id text, p_active boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_module(p_module_id text, p_title text, p_category_id text, p_active boolean) FROM PUBLIC;


--
-- Name: FUNCTION define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_notice(p_kind text, p_below numeric, p_percent numeric, p_ahead interval) FROM PUBLIC;


--
-- Name: FUNCTION define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_pack(p_pack_id text, p_title text, p_tokens numeric, p_amount bigint, p_currency text, p_bonus_tokens numeric, p_popular boolean, p_position bigint, p_expires_after interval, p_stripe_price_id text, p_active boolean, p_scope text) FROM PUBLIC;


--
-- Name: FUNCTION define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_price(p_components jsonb, p_module_id text, p_category_id text, p_margin numeric, p_exchange_rate numeric, p_valid_from timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_topup(p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric) FROM PUBLIC;


--
-- Name: FUNCTION define_topup_preset(p_currency text, p_amount bigint, p_popular boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.define_topup_preset(p_currency text, p_amount bigint, p_popular boolean) FROM PUBLIC;


--
-- Name: FUNCTION draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.draw_lots(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric) FROM PUBLIC;


--
-- Name: FUNCTION draw_settled(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.draw_settled(p_account_id uuid, p_module_id text, p_tokens numeric, p_at timestamp with time zone, OUT draws jsonb, OUT missing numeric) FROM PUBLIC;


--
-- Name: FUNCTION ensure_partitions(p_months integer); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.ensure_partitions(p_months integer) FROM PUBLIC;


--
-- Name: FUNCTION enter(p_subject text, OUT account_id uuid, OUT opened boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.enter(p_subject text, OUT account_id uuid, OUT opened boolean) FROM PUBLIC;


--
-- Name: FUNCTION entry_hash(p_previous bytea, p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_effective_at timestamp with time zone, p_kind credits.entry_kind, p_tokens numeric, p_balance_after numeric, p_debt_after numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_actor text, p_metadata jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.entry_hash(p_previous bytea, p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_effective_at timestamp with time zone, p_kind credits.entry_kind, p_tokens numeric, p_balance_after numeric, p_debt_after numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_actor text, p_metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.entry_hash(p_previous bytea, p_account_id uuid, p_seq bigint, p_posted_at timestamp with time zone, p_effective_at timestamp with time zone, p_kind credits.entry_kind, p_tokens numeric, p_balance_after numeric, p_debt_after numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_actor text, p_metadata jsonb) TO auditor;


--
-- Name: FUNCTION expire_lots(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.expire_lots(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION fail(p_status integer, p_slug text, p_message text, p_facts json); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.fail(p_status integer, p_slug text, p_message text, p_facts json) FROM PUBLIC;


--
-- Name: FUNCTION find_code(p_code text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.find_code(p_code text) FROM PUBLIC;


--
-- Name: FUNCTION find_price(p_module_id text, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.find_price(p_module_id text, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION finish_guest_use(p_use_id uuid, p_state text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.finish_guest_use(p_use_id uuid, p_state text) FROM PUBLIC;


--
-- Name: FUNCTION follow_prices(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.follow_prices() FROM PUBLIC;


--
-- Name: FUNCTION fulfil_order(p_order credits.orders, p_session_id text, p_payment_intent_id text, p_discount jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.fulfil_order(p_order credits.orders, p_session_id text, p_payment_intent_id text, p_discount jsonb) FROM PUBLIC;


--
-- Name: FUNCTION grant_campaign(p_account_id uuid, p_campaign_id text, p_code text, OUT verdict text, OUT lot_id bigint); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.grant_campaign(p_account_id uuid, p_campaign_id text, p_code text, OUT verdict text, OUT lot_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text, p_priority bigint, p_scope text, p_expires_at timestamp with time zone, p_unit_cost numeric, p_currency text, p_order_id uuid, p_reference text, p_metadata jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.grant_lot(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric, p_package_name text, p_priority bigint, p_scope text, p_expires_at timestamp with time zone, p_unit_cost numeric, p_currency text, p_order_id uuid, p_reference text, p_metadata jsonb) FROM PUBLIC;


--
-- Name: FUNCTION grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean) FROM PUBLIC;


--
-- Name: FUNCTION guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.guest_allowance(p_device_keys text[], p_network_keys text[], p_shared_network boolean) FROM PUBLIC;


--
-- Name: FUNCTION guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.guest_limit(p_shared_network boolean, OUT per_device bigint, OUT per_network bigint, OUT sliding_window interval) FROM PUBLIC;


--
-- Name: FUNCTION guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.guest_standing(p_guest_ids uuid[], p_network_ids uuid[], p_per_device bigint, p_per_network bigint, p_sliding_window interval, p_now timestamp with time zone, OUT used bigint, OUT allowed bigint, OUT remaining bigint, OUT reset_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION has_ids(p_session jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.has_ids(p_session jsonb) FROM PUBLIC;


--
-- Name: FUNCTION head_allowance(p_account_id uuid, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.head_allowance(p_account_id uuid, p_at timestamp with time zone) TO auditor;


--
-- Name: FUNCTION is_service(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.is_service() FROM PUBLIC;


--
-- Name: FUNCTION keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.keep_limits(p_account_id uuid, p_cost numeric, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION limit_left(p_account_id uuid, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.limit_left(p_account_id uuid, p_at timestamp with time zone) TO auditor;


--
-- Name: FUNCTION link_guest(p_account_id uuid, p_device_keys text[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.link_guest(p_account_id uuid, p_device_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION list_prices(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.list_prices() FROM PUBLIC;


--
-- Name: FUNCTION lock_guest(p_keys text[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.lock_guest(p_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION lock_guest_network(p_keys text[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.lock_guest_network(p_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION lock_identity(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.lock_identity(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION lock_wallet(p_account_id uuid, p_settle boolean, OUT seq bigint, OUT balance numeric, OUT status text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.lock_wallet(p_account_id uuid, p_settle boolean, OUT seq bigint, OUT balance numeric, OUT status text) FROM PUBLIC;


--
-- Name: FUNCTION lock_wallets(p_account_ids uuid[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.lock_wallets(p_account_ids uuid[]) FROM PUBLIC;


--
-- Name: FUNCTION lock_with_referrer(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.lock_with_referrer(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION me(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.me() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.me() TO authenticated;
GRANT ALL ON FUNCTION credits.me() TO service_role;


--
-- Name: FUNCTION module_price(p_module_id text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.module_price(p_module_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO anon;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO authenticated;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO service_role;
GRANT ALL ON FUNCTION credits.module_price(p_module_id text) TO auditor;


--
-- Name: FUNCTION next_level(p_account_id uuid, p_available numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.next_level(p_account_id uuid, p_available numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.next_level(p_account_id uuid, p_available numeric) TO auditor;


--
-- Name: FUNCTION next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.next_lot(p_account_id uuid, p_module_id text, p_at timestamp with time zone, OUT lot_id bigint, OUT free numeric) FROM PUBLIC;


--
-- Name: FUNCTION next_period(p_period text, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION credits.next_period(p_period text, p_at timestamp with time zone) TO service_role;


--
-- Name: FUNCTION normal_code(p_code text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.normal_code(p_code text) FROM PUBLIC;


--
-- Name: FUNCTION note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric) FROM PUBLIC;


--
-- Name: FUNCTION notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.notice_levels_of(p_account_id uuid, OUT low numeric, OUT low_armed boolean, OUT depleted_armed boolean) TO auditor;


--
-- Name: FUNCTION open_account(p_subject text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.open_account(p_subject text) FROM PUBLIC;


--
-- Name: FUNCTION order_of_session(p_session jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.order_of_session(p_session jsonb) FROM PUBLIC;


--
-- Name: FUNCTION order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.order_receipt(p_order credits.orders, p_user_id text, p_replayed boolean) FROM PUBLIC;


--
-- Name: FUNCTION payment_mismatch(p_order credits.orders, p_session jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.payment_mismatch(p_order credits.orders, p_session jsonb) FROM PUBLIC;


--
-- Name: FUNCTION period_start(p_period text, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO service_role;
GRANT ALL ON FUNCTION credits.period_start(p_period text, p_at timestamp with time zone) TO auditor;


--
-- Name: FUNCTION post_entry(p_account_id uuid, p_seq bigint, p_balance numeric, p_debt numeric, p_previous_at timestamp with time zone, p_previous_hash bytea, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_metadata jsonb, p_effective_at timestamp with time zone, p_from_head numeric, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.post_entry(p_account_id uuid, p_seq bigint, p_balance numeric, p_debt numeric, p_previous_at timestamp with time zone, p_previous_hash bytea, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_module_id text, p_usage jsonb, p_price_id bigint, p_reference text, p_metadata jsonb, p_effective_at timestamp with time zone, p_from_head numeric, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION price_parts(p_price_id bigint, p_usage jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.price_parts(p_price_id bigint, p_usage jsonb) FROM PUBLIC;


--
-- Name: FUNCTION price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT usage jsonb, OUT cost numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.price_usage(p_module_id text, p_usage jsonb, p_at timestamp with time zone, OUT price_id bigint, OUT usage jsonb, OUT cost numeric) FROM PUBLIC;


--
-- Name: FUNCTION put_notice(p_account_id uuid, p_kind text, p_facts jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb) FROM PUBLIC;


--
-- Name: FUNCTION quantity(quantity jsonb); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.quantity(quantity jsonb) FROM PUBLIC;


--
-- Name: FUNCTION random_code(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.random_code() FROM PUBLIC;


--
-- Name: FUNCTION redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.redemption_receipt(p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean) FROM PUBLIC;


--
-- Name: FUNCTION refuse_addition(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.refuse_addition() FROM PUBLIC;


--
-- Name: FUNCTION refuse_change(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.refuse_change() FROM PUBLIC;


--
-- Name: FUNCTION refuse_code(p_verdict text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.refuse_code(p_verdict text) FROM PUBLIC;


--
-- Name: FUNCTION refuse_guest(p_limit bigint, p_reset_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.refuse_guest(p_limit bigint, p_reset_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION refuse_line(p_what text, p_name text, p_why text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.refuse_line(p_what text, p_name text, p_why text) FROM PUBLIC;


--
-- Name: FUNCTION refuse_usage(p_price_id bigint); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.refuse_usage(p_price_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION scopes_of(p_module_id text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.scopes_of(p_module_id text) FROM PUBLIC;


--
-- Name: FUNCTION set_due(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.set_due(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION settle_head(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.settle_head(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION settle_referral(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.settle_referral(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION spend(p_account_id uuid, p_user_id text, p_module_id text, p_usage jsonb, p_key text, p_metadata jsonb, p_byok boolean, p_expected_cost numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.spend(p_account_id uuid, p_user_id text, p_module_id text, p_usage jsonb, p_key text, p_metadata jsonb, p_byok boolean, p_expected_cost numeric) FROM PUBLIC;


--
-- Name: FUNCTION spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text) FROM PUBLIC;


--
-- Name: FUNCTION spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.spendable(p_account_id uuid, p_module_id text, p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION subject(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.subject() FROM PUBLIC;
GRANT ALL ON FUNCTION credits.subject() TO authenticated;
GRANT ALL ON FUNCTION credits.subject() TO service_role;


--
-- Name: TABLE price_tiers; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.price_tiers TO auditor;


--
-- Name: FUNCTION tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.tiered_charge(p_quantity numeric, p_unit_size numeric, p_price_per_unit numeric, p_free_quantity numeric, p_whole_units boolean, p_minimum_charge numeric, p_tiers credits.price_tiers[]) FROM PUBLIC;


--
-- Name: FUNCTION tiers_of(p_price_id bigint, p_dimension text); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.tiers_of(p_price_id bigint, p_dimension text) FROM PUBLIC;


--
-- Name: FUNCTION tiers_used(p_price_id bigint, p_dimension text, p_billed numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric) FROM PUBLIC;


--
-- Name: FUNCTION topup_tokens(amount bigint, tokens_per_unit numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO anon;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO authenticated;
GRANT ALL ON FUNCTION credits.topup_tokens(amount bigint, tokens_per_unit numeric) TO service_role;


--
-- Name: FUNCTION transaction_began(); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.transaction_began() FROM PUBLIC;


--
-- Name: FUNCTION welcome(p_account_id uuid); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.welcome(p_account_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION welcome_tokens(p_at timestamp with time zone, p_scopes text[]); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.welcome_tokens(p_at timestamp with time zone, p_scopes text[]) FROM PUBLIC;


--
-- Name: FUNCTION write_notices(p_account_id uuid, p_before numeric, p_after numeric); Type: ACL; Schema: credits; Owner: -
--

REVOKE ALL ON FUNCTION credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric) FROM PUBLIC;


--
-- Name: TABLE entries; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.entries TO authenticated;
GRANT SELECT ON TABLE credits.entries TO service_role;
GRANT SELECT ON TABLE credits.entries TO auditor;


--
-- Name: COLUMN entries.account_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(account_id) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.seq; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(seq) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.posted_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(posted_at) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.effective_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(effective_at) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.kind; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(kind) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.tokens; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(tokens) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.draws; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(draws) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.module_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(module_id) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.usage; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(usage) ON TABLE credits.entries TO analyst;


--
-- Name: COLUMN entries.price_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(price_id) ON TABLE credits.entries TO analyst;


--
-- Name: TABLE average_use; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.average_use TO analyst;
GRANT SELECT ON TABLE analytics.average_use TO auditor;


--
-- Name: TABLE burn_rate; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.burn_rate TO analyst;
GRANT SELECT ON TABLE analytics.burn_rate TO auditor;


--
-- Name: TABLE guest_uses; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.guest_uses TO auditor;


--
-- Name: COLUMN guest_uses.guest_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(guest_id) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.use_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(use_id) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.module_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(module_id) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.state; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(state) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.used_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(used_at) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.finished_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(finished_at) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.per_device; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(per_device) ON TABLE credits.guest_uses TO analyst;


--
-- Name: COLUMN guest_uses.sliding_window; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(sliding_window) ON TABLE credits.guest_uses TO analyst;


--
-- Name: TABLE guests; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.guests TO auditor;


--
-- Name: COLUMN guests.guest_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(guest_id) ON TABLE credits.guests TO analyst;


--
-- Name: COLUMN guests.linked_to; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(linked_to) ON TABLE credits.guests TO analyst;


--
-- Name: COLUMN guests.first_seen_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(first_seen_at) ON TABLE credits.guests TO analyst;


--
-- Name: COLUMN guests.linked_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(linked_at) ON TABLE credits.guests TO analyst;


--
-- Name: TABLE guest_conversion; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.guest_conversion TO analyst;
GRANT SELECT ON TABLE analytics.guest_conversion TO auditor;


--
-- Name: TABLE catalogs; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.catalogs TO auditor;


--
-- Name: COLUMN catalogs.currency; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(currency) ON TABLE credits.catalogs TO analyst;


--
-- Name: TABLE lots; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.lots TO authenticated;
GRANT SELECT ON TABLE credits.lots TO service_role;
GRANT SELECT ON TABLE credits.lots TO auditor;


--
-- Name: COLUMN lots.account_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(account_id) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.lot_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(lot_id) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.source; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(source) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.granted; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(granted) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.effective_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(effective_at) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.expires_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(expires_at) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.unit_cost; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(unit_cost) ON TABLE credits.lots TO analyst;


--
-- Name: COLUMN lots.currency; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(currency) ON TABLE credits.lots TO analyst;


--
-- Name: TABLE price_components; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.price_components TO auditor;


--
-- Name: COLUMN price_components.price_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(price_id) ON TABLE credits.price_components TO analyst;


--
-- Name: COLUMN price_components.dimension; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(dimension) ON TABLE credits.price_components TO analyst;


--
-- Name: COLUMN price_components.unit_size; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(unit_size) ON TABLE credits.price_components TO analyst;


--
-- Name: COLUMN price_components.provider_cost; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(provider_cost) ON TABLE credits.price_components TO analyst;


--
-- Name: TABLE prices; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.prices TO auditor;


--
-- Name: COLUMN prices.price_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(price_id) ON TABLE credits.prices TO analyst;


--
-- Name: COLUMN prices.exchange_rate; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(exchange_rate) ON TABLE credits.prices TO analyst;


--
-- Name: TABLE module_margin; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.module_margin TO analyst;
GRANT SELECT ON TABLE analytics.module_margin TO auditor;


--
-- Name: TABLE failures; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.failures TO authenticated;
GRANT SELECT ON TABLE credits.failures TO service_role;
GRANT SELECT ON TABLE credits.failures TO auditor;


--
-- Name: COLUMN failures.account_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(account_id) ON TABLE credits.failures TO analyst;


--
-- Name: COLUMN failures.failure_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(failure_id) ON TABLE credits.failures TO analyst;


--
-- Name: COLUMN failures.module_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(module_id) ON TABLE credits.failures TO analyst;


--
-- Name: COLUMN failures.failed_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(failed_at) ON TABLE credits.failures TO analyst;


--
-- Name: COLUMN failures.duration_ms; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(duration_ms) ON TABLE credits.failures TO analyst;


--
-- Name: TABLE module_reliability; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.module_reliability TO analyst;
GRANT SELECT ON TABLE analytics.module_reliability TO auditor;


--
-- Name: TABLE module_usage; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.module_usage TO analyst;
GRANT SELECT ON TABLE analytics.module_usage TO auditor;


--
-- Name: TABLE pack_mix; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.pack_mix TO analyst;
GRANT SELECT ON TABLE analytics.pack_mix TO auditor;


--
-- Name: TABLE accounts; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.accounts TO auditor;


--
-- Name: COLUMN accounts.account_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(account_id) ON TABLE credits.accounts TO analyst;


--
-- Name: COLUMN accounts.kind; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(kind) ON TABLE credits.accounts TO analyst;


--
-- Name: COLUMN accounts.segment; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(segment) ON TABLE credits.accounts TO analyst;


--
-- Name: COLUMN accounts.created_at; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(created_at) ON TABLE credits.accounts TO analyst;


--
-- Name: TABLE purchase_conversion; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.purchase_conversion TO analyst;
GRANT SELECT ON TABLE analytics.purchase_conversion TO auditor;


--
-- Name: TABLE tokens_sold; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.tokens_sold TO analyst;
GRANT SELECT ON TABLE analytics.tokens_sold TO auditor;


--
-- Name: TABLE usage_quantities; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.usage_quantities TO analyst;
GRANT SELECT ON TABLE analytics.usage_quantities TO auditor;


--
-- Name: TABLE redemptions; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.redemptions TO auditor;


--
-- Name: COLUMN redemptions.account_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(account_id) ON TABLE credits.redemptions TO analyst;


--
-- Name: COLUMN redemptions.campaign_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(campaign_id) ON TABLE credits.redemptions TO analyst;


--
-- Name: COLUMN redemptions.lot_id; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT(lot_id) ON TABLE credits.redemptions TO analyst;


--
-- Name: TABLE welcome_use; Type: ACL; Schema: analytics; Owner: -
--

GRANT SELECT ON TABLE analytics.welcome_use TO analyst;
GRANT SELECT ON TABLE analytics.welcome_use TO auditor;


--
-- Name: TABLE wallets; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.wallets TO authenticated;
GRANT SELECT ON TABLE credits.wallets TO service_role;
GRANT SELECT ON TABLE credits.wallets TO auditor;


--
-- Name: TABLE current_lots; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.current_lots TO authenticated;
GRANT SELECT ON TABLE credits.current_lots TO service_role;
GRANT SELECT ON TABLE credits.current_lots TO auditor;


--
-- Name: TABLE identities; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.identities TO authenticated;
GRANT SELECT ON TABLE credits.identities TO service_role;
GRANT SELECT ON TABLE credits.identities TO auditor;


--
-- Name: TABLE balance; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.balance TO authenticated;
GRANT SELECT ON TABLE api.balance TO service_role;


--
-- Name: TABLE entries; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.entries TO authenticated;
GRANT SELECT ON TABLE api.entries TO service_role;


--
-- Name: TABLE modules; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.modules TO anon;
GRANT SELECT ON TABLE credits.modules TO authenticated;
GRANT SELECT ON TABLE credits.modules TO service_role;
GRANT SELECT ON TABLE credits.modules TO auditor;


--
-- Name: TABLE failures; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.failures TO authenticated;
GRANT SELECT ON TABLE api.failures TO service_role;


--
-- Name: TABLE lots; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.lots TO authenticated;
GRANT SELECT ON TABLE api.lots TO service_role;


--
-- Name: TABLE module_categories; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.module_categories TO anon;
GRANT SELECT ON TABLE credits.module_categories TO authenticated;
GRANT SELECT ON TABLE credits.module_categories TO service_role;
GRANT SELECT ON TABLE credits.module_categories TO auditor;


--
-- Name: TABLE modules; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.modules TO anon;
GRANT SELECT ON TABLE api.modules TO authenticated;
GRANT SELECT ON TABLE api.modules TO service_role;


--
-- Name: TABLE outbox; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.outbox TO authenticated;
GRANT SELECT ON TABLE credits.outbox TO service_role;
GRANT SELECT ON TABLE credits.outbox TO auditor;


--
-- Name: TABLE notices; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.notices TO authenticated;
GRANT SELECT ON TABLE api.notices TO service_role;


--
-- Name: TABLE orders; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.orders TO authenticated;
GRANT SELECT ON TABLE api.orders TO service_role;


--
-- Name: TABLE packs; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.packs TO anon;
GRANT SELECT ON TABLE credits.packs TO authenticated;
GRANT SELECT ON TABLE credits.packs TO service_role;
GRANT SELECT ON TABLE credits.packs TO auditor;


--
-- Name: TABLE packs; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.packs TO anon;
GRANT SELECT ON TABLE api.packs TO authenticated;
GRANT SELECT ON TABLE api.packs TO service_role;


--
-- Name: TABLE referrals; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.referrals TO authenticated;
GRANT SELECT ON TABLE credits.referrals TO service_role;
GRANT SELECT ON TABLE credits.referrals TO auditor;


--
-- Name: TABLE referrals; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.referrals TO authenticated;
GRANT SELECT ON TABLE api.referrals TO service_role;


--
-- Name: TABLE spend_limits; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.spend_limits TO authenticated;
GRANT SELECT ON TABLE credits.spend_limits TO service_role;
GRANT SELECT ON TABLE credits.spend_limits TO auditor;


--
-- Name: TABLE spend_limits; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.spend_limits TO authenticated;
GRANT SELECT ON TABLE api.spend_limits TO service_role;


--
-- Name: TABLE topup_presets; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.topup_presets TO anon;
GRANT SELECT ON TABLE credits.topup_presets TO authenticated;
GRANT SELECT ON TABLE credits.topup_presets TO service_role;
GRANT SELECT ON TABLE credits.topup_presets TO auditor;


--
-- Name: TABLE topups; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.topups TO anon;
GRANT SELECT ON TABLE credits.topups TO authenticated;
GRANT SELECT ON TABLE credits.topups TO service_role;
GRANT SELECT ON TABLE credits.topups TO auditor;


--
-- Name: TABLE topups; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.topups TO anon;
GRANT SELECT ON TABLE api.topups TO authenticated;
GRANT SELECT ON TABLE api.topups TO service_role;


--
-- Name: TABLE usage; Type: ACL; Schema: api; Owner: -
--

GRANT SELECT ON TABLE api.usage TO authenticated;
GRANT SELECT ON TABLE api.usage TO service_role;


--
-- Name: TABLE check_balance; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_balance TO auditor;


--
-- Name: TABLE check_campaigns; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_campaigns TO auditor;


--
-- Name: TABLE check_draws; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_draws TO auditor;


--
-- Name: TABLE stripe_events; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.stripe_events TO auditor;


--
-- Name: TABLE check_events; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_events TO auditor;


--
-- Name: TABLE check_guests; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_guests TO auditor;


--
-- Name: TABLE check_hash_chain; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_hash_chain TO auditor;


--
-- Name: TABLE check_heads; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_heads TO auditor;


--
-- Name: TABLE idempotency_keys; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.idempotency_keys TO auditor;


--
-- Name: TABLE check_keys; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_keys TO auditor;


--
-- Name: TABLE check_limits; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_limits TO auditor;


--
-- Name: TABLE check_lots; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_lots TO auditor;


--
-- Name: TABLE check_negative; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_negative TO auditor;


--
-- Name: TABLE check_orders; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_orders TO auditor;


--
-- Name: TABLE price_list; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.price_list TO auditor;


--
-- Name: TABLE check_prices; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_prices TO auditor;


--
-- Name: TABLE check_running_balance; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_running_balance TO auditor;


--
-- Name: TABLE check_sequence; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_sequence TO auditor;


--
-- Name: TABLE check_settings; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.check_settings TO auditor;


--
-- Name: TABLE findings; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.findings TO auditor;


--
-- Name: TABLE parked; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.parked TO auditor;


--
-- Name: TABLE entry_kinds; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.entry_kinds TO auditor;


--
-- Name: TABLE trial_balance; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.trial_balance TO auditor;


--
-- Name: TABLE analyst_grants; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.analyst_grants TO auditor;


--
-- Name: TABLE currencies; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.currencies TO auditor;


--
-- Name: TABLE dimensions; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.dimensions TO auditor;


--
-- Name: TABLE guest_limits; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.guest_limits TO auditor;


--
-- Name: TABLE guest_networks; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.guest_networks TO auditor;


--
-- Name: TABLE notice_levels; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.notice_levels TO auditor;


--
-- Name: TABLE notice_rules; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.notice_rules TO auditor;


--
-- Name: TABLE sql_logins; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.sql_logins TO auditor;


--
-- Name: TABLE stripe_objects; Type: ACL; Schema: credits; Owner: -
--

GRANT SELECT ON TABLE credits.stripe_objects TO auditor;


--
-- PostgreSQL database dump complete
--

\unrestrict x

