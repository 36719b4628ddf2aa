-- Somebody wants to sign in. If they have an attempt left, the hash of their password is returned.
create or replace function api.begin_sign_in(
    email text,
    network_keys text[],
    shared_network boolean default false
)
returns api.credential
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keys text[];
    v_email_key text;
    v_found credits.credentials;
    v_limits record;
begin
    perform credits.require_service('may read credentials');
    v_keys := credits.check_guest_keys(begin_sign_in.network_keys);
    v_email_key := credits.email_key(begin_sign_in.email);
    v_found := credits.credential_of(begin_sign_in.email);
    select s.* into strict v_limits from credits.settings as s;

    perform credits.count_attempt(
        'network:' || v_keys[1],
        v_limits.sign_ins_per_network * case when begin_sign_in.shared_network is true then 10 else 1 end,
        v_limits.sign_in_window, 'sign_in_limit'
    );
    -- Failed attempts elsewhere cannot keep users from signing in where they have signed in before.
    if not exists (
        select
        from credits.identities as i
        inner join credits.sign_in_networks as n on i.account_id = n.account_id and n.network_key = any(v_keys)
        where i.subject = v_found.subject
    ) then
        perform credits.count_attempt(
            'account:' || v_email_key, v_limits.sign_ins_per_account, v_limits.sign_in_window, 'sign_in_limit'
        );
    end if;
    perform credits.count_attempt(
        'pair:' || v_email_key || ':' || v_keys[1], v_limits.sign_ins_per_pair, v_limits.sign_in_window, 'sign_in_limit'
    );
    return row(v_found.subject, v_found.email, v_found.password_hash)::api.credential;
end
$$;
comment on function api.begin_sign_in(text, text[], boolean) is
'The credential of an e-mail address, or a row of nulls, for one attempt to sign in. The attempt counts as failed until
finish_sign_in says that it succeeded. For services.

network_keys and shared_network: as for guest_consume. There are limits per account and network, per account over the
networks where it has not signed in before, and per network (credits.limit_sign_ins).
Raises PT429 sign_in_limit, PT422 bad_guest, PT403 not_yours.';
