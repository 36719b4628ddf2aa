-- Limit what an account may spend in a day or month. The limit of a user and that of a service both apply. A user can
-- lift only their own.
--
--   1. Lock the wallet.
--   2. Write the limit, with what was spent in its period before.
create or replace function api.set_spend_limit(
    period text,
    tokens numeric,
    user_id text default null
)
returns api.spend_limit
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(set_spend_limit.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_set_by constant text := case when credits.is_service() then 'service' else 'user' end;
    v_now timestamptz;
begin
    perform credits.check_period(set_spend_limit.period);
    if set_spend_limit.tokens is distinct from 0 then
        perform credits.check_amount(set_spend_limit.tokens);
    end if;

    -- 1. Lock. This also takes back the permit, which may allow more than the new limit.
    perform credits.lock_wallet(v_account_id);
    v_now := credits.clock(v_account_id);

    -- 2. Write the limit.
    insert into credits.spend_limits as s (account_id, set_by, period, tokens, period_starts, spent_before)
    select
        v_account_id, v_set_by, set_spend_limit.period, set_spend_limit.tokens, p.starts,
        w.lifetime_spent - (
            select coalesce(sum(-e.tokens - coalesce(r.refunded, 0)), 0)
            from credits.entries as e
            left join credits.charge_refunds as r on e.account_id = r.account_id and e.seq = r.seq
            where e.account_id = v_account_id and e.kind = 'spend' and e.posted_at >= p.starts
        )
    from credits.wallets as w
    cross join lateral (select credits.period_start(set_spend_limit.period, v_now) as starts) as p
    where w.account_id = v_account_id
    on conflict on constraint spend_limits_pkey do update set tokens = excluded.tokens;
    perform credits.set_due(v_account_id);

    return credits.spend_limit_receipt(v_account_id, v_subject, set_spend_limit.period, v_set_by, v_now);
end
$$;
comment on function api.set_spend_limit(text, numeric, text) is
'Limit what may be spent in a day or month (UTC). 0 stops all spending. lift_spend_limit removes the limit.

A user sets their own limit. A limit that a service sets for a user_id applies as well, and only a service can lift it.
A spend that would exceed a limit raises PT429 spend_limit.
Raises PT422 bad_period or bad_amount, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
