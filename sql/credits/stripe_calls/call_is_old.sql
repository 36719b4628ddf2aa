-- A call is the same call only while Stripe remembers its key. A charge is made only while its user agrees to it, and
-- not while the account is frozen.
create or replace function credits.call_is_old(p_call credits.stripe_calls, p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_call.first_tried_at is null then
        return false;
    elsif (p_call.first_tried_at >= credits.earlier(p_at, '23 hours')) is not true then
        return true;
    end if;
    return p_call.kind is not distinct from 'charge' and not exists (
        select
        from credits.topup_attempts as a
        inner join credits.auto_topups as t on a.account_id = t.account_id and a.consent_id = t.consent_id
        inner join credits.wallets as w on a.account_id = w.account_id
        where
            a.account_id = p_call.account_id and a.attempt_id = p_call.made_for and t.state = 'on'
            and w.status = 'active'
    );
end
$$;
comment on function credits.call_is_old(credits.stripe_calls, timestamptz) is
'Whether a call that was tried must not be made again: Stripe may have forgotten its key, the consent to it has ended, '
'or its account is frozen.';
