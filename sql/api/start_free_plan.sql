-- Take the free plan. From then on each of its periods brings its allowance, for as long as no paid plan takes its
-- place. Nobody has to call anything: what becomes due is booked by the next call that touches the account, or by
-- maintain.
--
--   1. Find or open the account, and lock its wallet.
--   2. The first period begins now, if the account has never taken the free plan.
--   3. Its allowance.
create or replace function api.start_free_plan(user_id text default null)
returns api.free_plan_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(start_free_plan.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, true);
    v_wallet record;
    v_terms credits.plan_versions;
    v_now timestamptz;
    v_replayed boolean;
    v_period credits.free_periods;
begin
    -- 1. Lock.
    v_wallet := credits.lock_wallet(v_account_id);
    if v_wallet.status <> 'active' then
        perform credits.refuse_status(v_wallet.status);
    end if;

    -- 2. The first period.
    v_replayed := exists (select from credits.free_periods as f where f.account_id = v_account_id);
    if not v_replayed then
        select p.plan_id into v_terms.plan_id from credits.plans as p where p.free and p.active;
        if not found then
            perform credits.fail(404, 'unknown_plan', 'there is no free plan');
        elsif not credits.may_be_welcomed(v_account_id) then
            perform credits.fail(403, 'not_verified', 'the free plan is for verified users: verify the address first');
        end if;
        v_terms := credits.plan_terms(v_terms.plan_id);
        v_now := credits.clock(v_account_id);
        insert into credits.free_periods (
            account_id, period_starts_at, period_ends_at, anchor_at, plan_id, version
        )
        select v_account_id, s.starts_at, s.ends_at, v_now, v_terms.plan_id, v_terms.version
        from credits.period_at(v_now, v_terms.period_unit, v_terms.period_count, v_now) as s;
    end if;

    -- 3. Its allowance.
    perform credits.begin_free_period(v_account_id);
    perform credits.set_due(v_account_id);
    select f.* into v_period
    from credits.free_periods as f
    where f.account_id = v_account_id
    order by f.period_starts_at desc
    limit 1;
    return (
        select
            row(
                v_subject, v.plan_id, trim_scale(v.allowance), v_period.lot_id is not null, v_period.period_starts_at,
                v_period.period_ends_at, trim_scale(w.balance), v_replayed
            )::api.free_plan_receipt
        from credits.plan_versions as v
        cross join credits.wallets as w
        where v.plan_id = v_period.plan_id and v.version = v_period.version and w.account_id = v_account_id
    );
end
$$;
comment on function api.start_free_plan(text) is
'Take the free plan. Each of its periods brings its allowance, at most once, and nothing while the account has a paid
plan. A second call changes nothing and tells the present period.

granted: whether the allowance of this period was given. period_ends_at: when its tokens expire and the next ones come.
Raises PT404 unknown_plan if there is no free plan, PT403 not_verified while the operator requires a verified address
and this one is not, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
