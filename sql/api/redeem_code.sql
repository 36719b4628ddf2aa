-- Redeem a code that somebody typed: that of a promotion, or of the user who brought them.
--
--   1. Find the code and the account. A user's own call, or a service's, opens a missing account.
--   2. Lock the wallet. A repeated call gets the answer of the first.
--   3. For a promotion, lock the row of its campaign, and claim and grant at once. For a user's code, record the
--      referrer.

create or replace function api.redeem_code(
    code text,
    idempotency_key text default null,
    user_id text default null
)
returns api.redemption_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(redeem_code.user_id);
    v_code credits.codes;
    v_referral boolean;
    v_entered record;
    v_wallet record;
    v_known credits.idempotency_keys;
    v_grant record;
begin
    idempotency_key := coalesce(redeem_code.idempotency_key, credits.header_key('redeem_code'));
    -- 1. Find. The order of locks puts a promotion after the welcome, and a referrer before it.
    v_code := credits.find_code(redeem_code.code);
    v_referral := v_code.referrer_id is not null;
    v_entered := credits.enter(v_subject);
    if v_referral then
        perform credits.lock_identity(v_entered.account_id);
    elsif v_entered.opened then
        perform credits.welcome(v_entered.account_id);
    end if;

    -- 2. Lock. Is it a repeat?
    v_wallet := credits.lock_wallet(v_entered.account_id);
    if redeem_code.idempotency_key is not null then
        v_known := credits.claim_key(
            v_entered.account_id, 'redeem_code', redeem_code.idempotency_key, jsonb_build_array(v_code.code),
            -- A referral brings tokens with the first purchase, and none now.
            case when not v_referral then v_wallet.seq + 1 end
        );
        if v_known.account_id is not null then
            return credits.redemption_receipt(
                v_entered.account_id, v_subject, v_code, v_known.entry_seq, true
            );
        end if;
    end if;
    if v_wallet.status <> 'active' then
        perform credits.refuse_status(v_wallet.status);
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
    perform credits.refuse_code(v_grant.verdict, v_grant.reset_at);
    return credits.redemption_receipt(v_entered.account_id, v_subject, v_code, v_grant.lot_id, false);
end
$$;
comment on function api.redeem_code(text, text, text) is
'Redeem a code: that of a promotion, for its tokens, or that of the user who brought the caller, for what the first
purchase will give.

Case, white space and invisible characters do not matter. Opens the account of a new user.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true.
Raises PT404 unknown_code, PT409 code_expired, code_used, code_exhausted, own_code, not_eligible, referral_circle or
key_reused, PT422 bad_key, bad_user, bad_amount or bad_isolation, PT423 account_frozen, PT429 campaign_limit,
PT403 not_yours, PT401 not_signed_in.';
