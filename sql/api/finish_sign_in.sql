-- The password was right: the attempt does not count as failed, and the network is known as one of the user's.
create or replace function api.finish_sign_in(
    email text,
    network_keys text[]
)
returns api.admission
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keys text[];
    v_email_key text;
    v_account_id uuid;
    v_answer api.admission;
    v_before text;
begin
    v_before := credits.bound_wait();
    perform credits.require_service('may say who has signed in');
    v_keys := credits.check_guest_keys(finish_sign_in.network_keys);
    v_email_key := credits.email_key(finish_sign_in.email);
    select i.subject, i.account_id into v_answer.user_id, v_account_id
    from credits.identities as i
    where i.subject = (credits.credential_of(finish_sign_in.email)).subject;
    if v_account_id is null then
        perform credits.fail(404, 'unknown_user', 'no such user: sign_up opens an account');
    end if;

    perform credits.uncount_attempt('network:' || v_keys[1]);
    if not exists (
        select
        from credits.sign_in_networks as n
        where n.account_id = v_account_id and n.network_key = any(v_keys)
    ) then
        perform credits.uncount_attempt('account:' || v_email_key);
    end if;
    delete from credits.sign_in_counts as c where c.scope = 'pair:' || v_email_key || ':' || v_keys[1];
    insert into credits.sign_in_networks as n (account_id, network_key, seen_at)
    values (v_account_id, v_keys[1], credits.clock())
    on conflict (account_id, network_key) do update set seen_at = excluded.seen_at;
    select c.attempts, c.window_ends into v_answer.attempts, v_answer.reset_at
    from credits.sign_in_counts as c
    where c.scope = 'network:' || v_keys[1];
    perform set_config('lock_timeout', v_before, true);
    return v_answer;
exception
    when lock_not_available then
        perform credits.refuse_busy('this count');
        return null;
end
$$;
comment on function api.finish_sign_in(text, text[]) is
'Report that an attempt of begin_sign_in succeeded. It no longer counts, and its network is recorded as one where this
user signs in. For services.

Raises PT404 unknown_user, PT422 bad_guest, PT403 not_yours.';
