-- How often somebody may try to sign in. An attempt is counted before its password is compared, so that a hundred
-- attempts at once count as a hundred. An attempt that succeeded is subtracted again.
--
-- Locks: the count of the network, then that of the account, then that of the pair. A refusal undoes what its call has
-- counted.

create or replace function credits.limit_sign_ins(
    p_per_pair bigint default null,
    p_per_account bigint default null,
    p_per_network bigint default null,
    p_sign_ups bigint default null,
    p_window interval default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.settings as s
    set
        sign_ins_per_pair = coalesce(p_per_pair, s.sign_ins_per_pair),
        sign_ins_per_account = coalesce(p_per_account, s.sign_ins_per_account),
        sign_ins_per_network = coalesce(p_per_network, s.sign_ins_per_network),
        sign_ups_per_network = coalesce(p_sign_ups, s.sign_ups_per_network),
        sign_in_window = coalesce(p_window, s.sign_in_window);
exception
    when check_violation then
        perform credits.fail(
            422, 'bad_limit',
            'limits are from 1 to 1000000, those of an account and of a network not below that of a pair; the window is '
            'from a second to a day'
        );
end
$$;
comment on function credits.limit_sign_ins(bigint, bigint, bigint, bigint, interval) is
'For the operator. How many failed sign-ins are allowed in one p_window (by default 15 minutes): to one account from '
'one network (p_per_pair, by default 10), to one account from networks where it has not signed in before '
'(p_per_account, 100), from one network (p_per_network, 300); and how many sign-ups from one network (p_sign_ups, '
'300). A setting that is left out stays as it is. Raises PT422 bad_limit.';

create or replace function credits.count_attempt(
    p_scope text,
    p_limit bigint,
    p_window interval,
    p_slug text,
    out attempts bigint,
    out reset_at timestamptz
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz not null := credits.clock();
    v_before text;
begin
    v_before := credits.bound_wait();
    insert into credits.sign_in_counts as c (scope, attempts, window_ends)
    values (p_scope, 1, credits.later(v_now, p_window))
    on conflict (scope) do update
    set
        attempts = case when c.window_ends <= v_now then 1 else c.attempts + 1 end,
        window_ends = case when c.window_ends <= v_now then excluded.window_ends else c.window_ends end
    returning c.attempts, c.window_ends into attempts, reset_at;
    perform set_config('lock_timeout', v_before, true);
    if (attempts <= p_limit) is not true then
        perform credits.fail(
            429, p_slug, 'too many attempts: try again later',
            json_build_object('limit', p_limit, 'reset_at', credits.utc_text(reset_at))
        );
    end if;
exception
    when lock_not_available then
        perform credits.refuse_busy('this count');
end
$$;
comment on function credits.count_attempt(text, bigint, interval, text) is
'Counts an attempt. Several attempts at once get different numbers. Raises PT429 with p_slug (limit, reset_at), PT503 '
'busy.';

create or replace function credits.uncount_attempt(p_scope text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.sign_in_counts as c set attempts = greatest(c.attempts - 1, 0) where c.scope = p_scope;
end
$$;
comment on function credits.uncount_attempt(text) is 'Subtracts an attempt that succeeded.';

create or replace function credits.email_key(p_email text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- An address that nobody has gets a key as well, so that the limit tells nothing to somebody who guesses addresses.
    return encode(
        sha256(
            convert_to(
                coalesce(
                    (credits.credential_of(p_email)).email, credits.normal_email(p_email), lower(btrim(p_email)), ''
                ),
                'UTF8'
            )
        ),
        'hex'
    );
end
$$;
comment on function credits.email_key(text) is 'The key under which the sign-ins to an e-mail address are counted.';

create or replace function credits.forget_attempts(p_max bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('networks');
    v_counts bigint;
    v_networks bigint;
begin
    delete from credits.sign_in_counts as c
    where c.scope in (
        select a.scope
        from credits.sign_in_counts as a
        where a.window_ends < credits.clock()
        order by a.window_ends
        limit p_max
        for update skip locked
    );
    get diagnostics v_counts = row_count;
    delete from credits.sign_in_networks as n
    where (n.account_id, n.network_key) in (
        select a.account_id, a.network_key
        from credits.sign_in_networks as a
        where a.seen_at < v_before
        order by a.seen_at
        limit p_max
        for update skip locked
    );
    get diagnostics v_networks = row_count;
    return v_counts + v_networks;
end
$$;
comment on function credits.forget_attempts(bigint) is
'Forgets at most p_max counts whose window is over, and as many networks where nobody has signed in for their period. '
'Returns how many. Null means all of them.';
