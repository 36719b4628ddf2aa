-- Grant tokens to a user, as a lot of their own. Only services may.
--
--   1. Refuse what makes no sense.
--   2. Find the account; a first grant opens it. Lock its wallet.
--   3. A repeated call gets the answer of the first.
--   4. Write the lot and its entry.

create or replace function api.add_tokens(
    user_id text,
    tokens numeric,
    -- bpchar, not text: three arguments by position are then IAHome's signature, below.
    reason bpchar default 'grant',
    package_name text default null,
    expires_at timestamptz default 'infinity',
    priority bigint default null,
    scope text default 'any',
    idempotency_key text default null,
    metadata jsonb default '{}'
)
returns api.grant_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tokens constant credits.tokens := credits.check_amount(add_tokens.tokens);
    v_expires_at constant timestamptz := nullif(add_tokens.expires_at, 'infinity');
    v_reason constant text := format('%s', add_tokens.reason);  -- a cast would drop blanks at the end
    v_scope constant text := nullif(add_tokens.scope, 'any');
    v_subject text;
    v_account_id uuid;
    v_wallet record;
    v_known credits.idempotency_keys;
    v_lot_id bigint;
begin
    idempotency_key := coalesce(add_tokens.idempotency_key, credits.header_key('add_tokens'));
    -- 1. Refuse what makes no sense.
    if v_reason not in (
        'grant', 'purchase', 'bonus', 'welcome', 'promo', 'referral', 'allowance', 'rollover', 'adjustment'
    ) then
        perform credits.fail(
            422, 'bad_reason',
            'reason is grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment'
        );
    elsif not credits.is_label(add_tokens.package_name, 200) then
        perform credits.fail(
            422, 'bad_reason', 'package_name may have at most 200 characters, and no control characters'
        );
    elsif add_tokens.expires_at is null then
        -- JavaScript sends null for an invalid date: tokens that were meant to expire never would.
        perform credits.fail(422, 'bad_expiry', 'expires_at must be a time; leave it out for tokens that never expire');
    elsif add_tokens.scope is null then
        -- Tokens that were meant to be bound to something would pay for everything.
        perform credits.fail(422, 'bad_scope', 'scope must be module:ID, category:ID or any');
    end if;
    perform credits.check_metadata(add_tokens.metadata);
    perform credits.check_scope(v_scope);

    -- 2. Find and lock.
    perform credits.require_service('may grant tokens');
    v_subject := credits.caller_subject(add_tokens.user_id);
    v_account_id := credits.account_of(v_subject, true);
    v_wallet := credits.lock_wallet(v_account_id);

    -- 3. Is it a repeat?
    if add_tokens.idempotency_key is not null then
        v_known := credits.claim_key(
            v_account_id, 'add_tokens', add_tokens.idempotency_key,
            jsonb_build_array(
                trim_scale(v_tokens), v_reason, add_tokens.package_name, extract(epoch from v_expires_at),
                -- The default priority is the same, spelled out or left out.
                nullif(add_tokens.priority, credits.default_priority(v_reason::credits.entry_kind)),
                v_scope, add_tokens.metadata
            ),
            v_wallet.seq + 1
        );
        if v_known.account_id is not null then
            return credits.grant_receipt(v_account_id, v_known.entry_seq, v_subject, true);
        end if;
    end if;
    perform credits.check_expiry(v_expires_at, v_account_id);
    if v_wallet.status = 'closed' then
        perform credits.refuse_status(v_wallet.status);
    end if;

    -- 4. Write.
    v_lot_id := credits.grant_lot(
        v_account_id, v_reason::credits.entry_kind, v_tokens, add_tokens.package_name,
        add_tokens.priority, v_scope, v_expires_at,
        p_metadata => add_tokens.metadata
    );
    return credits.grant_receipt(v_account_id, v_lot_id, v_subject, false);
end
$$;
comment on function api.add_tokens(text, numeric, bpchar, text, timestamptz, bigint, text, text, jsonb) is
'Grant tokens to a user, as a lot. For services. Opens the account of a new user.

reason: grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment.
scope: module:ID or category:ID that the tokens are bound to. any, the default, means nothing; null is refused.
expires_at: infinity, the default, means never; null is refused.
priority: lower numbers are spent first. By default rollover 5, allowance 10, given away 20, bought 50.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT422 bad_amount, bad_reason, bad_expiry, bad_scope, bad_key, bad_user or bad_metadata, PT409 key_reused,
PT423 account_frozen, PT403 not_yours.';

-- The signature that the first IAHome system calls.
create or replace function api.add_tokens(
    user_id text,
    tokens_to_add numeric,
    package_name text
)
returns api.grant_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return api.add_package(add_tokens.user_id, add_tokens.tokens_to_add, add_tokens.package_name);
end
$$;
comment on function api.add_tokens(text, numeric, text) is
'Grant the tokens of a package that was paid for (IAHome''s signature). For services. Pass other reasons by name:
add_tokens(''ada'', 3, reason => ''promo''). This form takes no idempotency_key, so a repeat is another grant;
add_package takes one.

Raises PT422 bad_reason for a package with the name of a reason, PT422 bad_amount or bad_user, PT423 account_frozen,
PT403 not_yours.';
