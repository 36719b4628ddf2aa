-- Who brought whom. An account has one referrer, noted before its first paid purchase, and never in a circle.
--
-- The referrer's wallet is not locked here, only when the referrer is paid. Otherwise anybody with a code and an SQL
-- session could stop the owner of the code from spending.

create or replace function credits.attach_referrer(p_account_id uuid, p_code credits.codes)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_campaign credits.campaigns;
begin
    -- 1. One attachment at a time in the whole bank. The update makes this hold at stricter isolation levels, too.
    perform credits.lock_campaigns(array(select c.campaign_id from credits.campaigns as c where c.kind = 'referral'));
    update credits.campaigns as c set grants = c.grants where c.kind = 'referral';

    -- 2. Does the code still give anything?
    select c.* into v_campaign from credits.campaigns as c where c.campaign_id = p_code.campaign_id;
    perform credits.refuse_code(credits.campaign_verdict(v_campaign, 1, credits.clock(p_account_id)));
    if exists (
        select from credits.wallets as w where w.account_id = p_code.referrer_id and w.status = 'closed'
    ) then
        perform credits.refuse_code('withdrawn');
    end if;

    -- 3. May this account have a referrer, and this one?
    if p_code.referrer_id is not distinct from p_account_id then
        perform credits.fail(409, 'own_code', 'this is your own code');
    elsif exists (select from credits.referrals as r where r.account_id = p_account_id)
        or exists (select from credits.orders as o where o.account_id = p_account_id and o.state = 'paid') then
        perform credits.fail(409, 'not_eligible', 'this account already has a referrer, or has already bought something');
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
'Records who brought an account whose identity and wallet are locked. Raises PT404 unknown_code, PT409 code_expired, '
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
'Records who brought an account, by their code. Null means nobody, and the same code again is not an error. Raises '
'what credits.attach_referrer raises, PT404 unknown_code for a code that does not belong to a user, PT423 '
'account_frozen.';
