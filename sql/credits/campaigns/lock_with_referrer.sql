-- The locks of a payment: the identity of the user, then their wallet and that of the referrer who is to
-- be rewarded, or whose reward is taken back.
--
-- The identity comes first: with it locked, nobody can attach a referrer between the moment at which the payment looks
-- for one and the locks it takes. The lock order is in sql/README.md.

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
'Locks the identity of an account: nobody can attach a referrer to it until the end of the transaction. Taken before '
'any wallet. Raises PT503 busy.';

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
        where r.account_id = p_account_id and r.state in ('pending', 'paid')
    )]);
end
$$;
comment on function credits.lock_with_referrer(uuid) is
'Locks the wallet of an account that is about to pay, or gets its money back, and that of the referrer who is rewarded '
'for it.';

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
        select r.referrer_id
        from credits.referrals as r
        where r.account_id = p_account_id and r.state in ('pending', 'paid')
    );
    select count(*) into v_locked
    from (
        select from credits.wallets as w where w.account_id = any (v_accounts) for no key update skip locked
    ) as x;
    return v_locked = cardinality(v_accounts);
end
$$;
comment on function credits.try_lock_with_referrer(uuid) is
'Takes the row locks of credits.lock_with_referrer without waiting. False when somebody else has one of them.';
