-- The caller's own code, for others to sign up with. It is made when somebody first asks for it.

create or replace function api.referral_code(user_id text default null)
returns api.referral_offer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(referral_code.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_wallet record;
    v_offer api.referral_offer;
begin
    -- If two first calls come at once, the lock makes the second one find the code of the first.
    v_wallet := credits.lock_wallet(v_account_id);
    if v_wallet.status <> 'active' then
        perform credits.refuse_status(v_wallet.status);
    end if;
    select c.campaign_id, c.title, trim_scale(c.tokens), trim_scale(c.referee_tokens)
    into v_offer.campaign_id, v_offer.title, v_offer.tokens, v_offer.referee_tokens
    from credits.campaigns as c
    where c.kind = 'referral' and credits.campaign_verdict(c, 1, credits.clock(v_account_id)) = 'open'
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
        values (credits.new_referral_code(v_account_id), v_offer.campaign_id, v_account_id)
        on conflict do nothing;
    end loop;
    return v_offer;
end
$$;
comment on function api.referral_code(text) is
'The caller''s own code, for the users whom they bring, and what the first purchase of such a user gives to both. The
code is made when somebody first asks for it.

Raises PT404 no_campaign (no campaign rewards bringing somebody) or unknown_user, PT422 bad_user, PT423
account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
