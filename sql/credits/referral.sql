-- Who brought whom. One referrer per account, before its first paid purchase, and never in a circle; both are paid with
-- that purchase.
--
-- Locked first is the identity of who was brought: nobody attaches a referrer between a payment's look at it and its
-- locks. (The lock order: sql/README.md.) A referrer's wallet is locked to pay them, not to attach somebody: else
-- anybody with a code and a session in SQL could stop its owner from spending.

create or replace function credits.lock_identity(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
begin
    v_before := credits.bound_wait();
    perform from credits.identities as i where i.account_id = p_account_id order by i.subject for no key update;
    perform set_config('lock_timeout', v_before, true);
exception
    when lock_not_available then
        perform credits.refuse_busy('this user');
end
$$;
comment on function credits.lock_identity(uuid) is
'Until the end of the transaction the account gets no referrer. Taken before any wallet. Raises PT503 busy.';

create or replace function credits.attach_referrer(p_account_id uuid, p_code credits.codes)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_campaign credits.campaigns;
begin
    -- 1. One attachment at a time in the whole bank. The update makes a stricter isolation level see that, too.
    perform credits.lock_campaigns(array(select c.campaign_id from credits.campaigns as c where c.kind = 'referral'));
    update credits.campaigns as c set grants = c.grants where c.kind = 'referral';

    -- 2. Does the code still bring anything?
    select c.* into v_campaign from credits.campaigns as c where c.campaign_id = p_code.campaign_id;
    perform credits.refuse_code(credits.campaign_verdict(v_campaign, 1, credits.clock(p_account_id)));
    if exists (
        select from credits.wallets as w where w.account_id = p_code.referrer_id and w.status = 'closed'
    ) then
        perform credits.refuse_code('withdrawn');
    end if;

    -- 3. May this account be brought, and by this one?
    if p_code.referrer_id is not distinct from p_account_id then
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
comment on function credits.attach_referrer(uuid, credits.codes) is
'Notes who brought an account whose identity and wallet are locked. Raises PT404 unknown_code, PT409 code_expired, '
'code_exhausted, own_code, not_eligible or referral_circle.';

create or replace function credits.attach_at_sign_up(p_account_id uuid, p_code text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_code credits.codes;
    v_wallet record;
begin
    if p_code is null or (credits.plain_text(p_code) = '') is true then
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
        perform credits.refuse_status(v_wallet.status);
    end if;
    perform credits.attach_referrer(p_account_id, v_code);
end
$$;
comment on function credits.attach_at_sign_up(uuid, text) is
'Notes who brought an account, by their code; null is nobody, and the same code again is no error. Raises what '
'credits.attach_referrer raises, PT404 unknown_code for a code that is no person''s, PT423 account_frozen.';

create or replace function credits.lock_with_referrer(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.lock_identity(p_account_id);
    perform credits.lock_wallets(array[p_account_id, (
        select r.referrer_id
        from credits.referrals as r
        where r.account_id = p_account_id and r.state = 'pending'
    )]);
end
$$;
comment on function credits.lock_with_referrer(uuid) is
'Locks the wallet of an account that is about to pay, and of whoever is to be rewarded for that.';

create or replace function credits.try_lock_with_referrer(p_account_id uuid)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_accounts uuid [] not null := array[p_account_id];
    v_locked bigint;
begin
    select count(*) into v_locked
    from (
        select from credits.identities as i where i.account_id = p_account_id for no key update skip locked
    ) as x;
    if v_locked <> (select count(*) from credits.identities as i where i.account_id = p_account_id) then
        return false;
    end if;
    v_accounts := v_accounts || array(
        select r.referrer_id from credits.referrals as r where r.account_id = p_account_id and r.state = 'pending'
    );
    select count(*) into v_locked
    from (
        select from credits.wallets as w where w.account_id = any (v_accounts) for no key update skip locked
    ) as x;
    return v_locked = cardinality(v_accounts);
end
$$;
comment on function credits.try_lock_with_referrer(uuid) is
'Takes the row locks of credits.lock_with_referrer without ever waiting; false when somebody else has one of them.';

create or replace function credits.settle_referral(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
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
    if (
        select w.status <> 'closed' from credits.wallets as w where w.account_id = v_referral.referrer_id
    ) is true then
        select g.verdict into v_verdict
        from credits.grant_campaign(v_referral.referrer_id, v_referral.campaign_id, v_referral.code) as g;
    end if;
    if v_verdict is not distinct from 'open' then
        select c.* into strict v_campaign from credits.campaigns as c where c.campaign_id = v_referral.campaign_id;
        if v_campaign.referee_tokens > 0 then
            perform credits.book_gift(
                p_account_id, v_campaign, 0, v_campaign.referee_tokens, v_referral.code, credits.clock(p_account_id)
            );
        end if;
    end if;
    update credits.referrals as r
    set
        state = case
            when (v_verdict = 'open') is true then 'paid'
            when (v_verdict in ('used', 'exhausted')) is true then 'capped'
            else 'lapsed'
        end,
        settled_at = credits.clock()
    where r.account_id = p_account_id;
end
$$;
comment on function credits.settle_referral(uuid) is
'Rewards whoever brought an account that has just paid for the first time, and the account itself. Both wallets are '
'locked by credits.lock_with_referrer.';
