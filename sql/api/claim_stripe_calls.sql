-- Take calls to Stripe that are due. A worker has so long to make them; then another worker may take them.
--
--   1. Choose calls that nobody else is taking. A charge of an account that is frozen waits, and maintain cancels one
--      that no worker has taken within a day.
--   2. Lease them. A call that was tried a day ago, whose consent has been withdrawn, or whose account has been frozen,
--      is not made again: the worker looks whether the first try was done.
create or replace function api.claim_stripe_calls(
    most bigint default 10,
    lease_seconds bigint default 60
)
returns api.stripe_calls
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_calls api.stripe_calls;
begin
    perform credits.require_service('may take calls to Stripe');
    if (claim_stripe_calls.most between 1 and 100 and claim_stripe_calls.lease_seconds between 1 and 3600) is not true then
        perform credits.fail(422, 'bad_limit', 'most must be from 1 to 100, and lease_seconds from 1 to 3600');
    end if;
    with chosen as (
        -- 1. Choose.
        select c.account_id, c.call_id
        from credits.stripe_calls as c
        inner join credits.wallets as w on c.account_id = w.account_id
        where
            c.state = 'due' and c.due_at <= v_now
            and (
                c.kind <> 'charge' or c.tries > 0
                or (w.status = 'active' and c.created_at > credits.earlier(v_now, '24 hours'))
            )
        order by c.due_at
        limit claim_stripe_calls.most
        for no key update of c skip locked
    ),

    leased as (
        -- 2. Lease.
        update credits.stripe_calls as c
        set
            tries = c.tries + 1, first_tried_at = coalesce(c.first_tried_at, v_now), lease = gen_random_uuid(),
            due_at = credits.later(v_now, make_interval(secs => claim_stripe_calls.lease_seconds)),
            must_look_up = c.must_look_up or credits.call_is_old(c, v_now)
        from chosen as x
        where c.account_id = x.account_id and c.call_id = x.call_id
        returning c.*
    )

    select coalesce(jsonb_agg(jsonb_build_object(
        'account_id', l.account_id, 'call_id', l.call_id, 'kind', l.kind, 'params', l.params,
        'idempotency_key', l.idempotency_key, 'lease', l.lease, 'tries', l.tries, 'must_look_up', l.must_look_up,
        'first_tried_at', extract(epoch from l.first_tried_at)::bigint
    ) order by l.created_at, l.call_id), '[]')
    into v_calls.calls
    from leased as l;
    return v_calls;
end
$$;
comment on function api.claim_stripe_calls(bigint, bigint) is
'Take calls to Stripe that are due, most at a time, for lease_seconds. For services: pgcredits work makes the calls.

calls: an array of objects. kind: charge, refund, confirm_card or delete_customer. params: the parameters of the call. idempotency_key:
its key, the same each time. must_look_up: do not make the call, but look whether an earlier try was done, since
first_tried_at (seconds since 1970). Report each answer to report_stripe_call, with account_id, call_id and lease.
A call without a report is due again when its lease has ended. Several workers may call this at once.
Raises PT422 bad_limit, PT403 not_yours.';
