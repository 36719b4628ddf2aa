-- Every API key was made, rotated and revoked by the functions for it, and ends with the key that made it.
create or replace view audit.check_api_keys
with (security_invoker = true)
as
select
    null::uuid as account_id,
    format('API key %s (%s) was made by a recorded change', k.key_id, k.role) as expected,
    'no such change' as found
from credits.api_keys as k
where
    not exists (
        select from credits.api_key_changes as c
        where c.key_id = k.key_id and c.change = 'created'
    )
union all
select
    null::uuid as account_id,
    format('API key %s is revoked by a recorded change, and by nothing else', k.key_id) as expected,
    case when k.revoked_at is null then 'the change alone' else 'no change' end as found
from credits.api_keys as k
where (k.revoked_at is not null) <> exists (
    select from credits.api_key_changes as c
    where c.key_id = k.key_id and c.change = 'revoked'
)
union all
select
    null::uuid as account_id,
    format('API key %s has one present secret, and one more for each rotation', k.key_id) as expected,
    format('%s present, %s in all, %s rotations', s.present, s.secrets, c.rotations) as found
from credits.api_keys as k
cross join
    lateral (
        select
            count(*) filter (where x.valid_until is null) as present,
            count(*) as secrets
        from credits.api_key_secrets as x
        where x.key_id = k.key_id
    ) as s
cross join
    lateral (
        select count(*) as rotations
        from credits.api_key_changes as x
        where x.key_id = k.key_id and x.change = 'rotated'
    ) as c
where s.present <> 1 or s.secrets > c.rotations + 1
union all
select
    null::uuid as account_id,
    format('API key %s ends with key %s, which made it', k.key_id, m.key_id) as expected,
    format(
        'it expires at %s and was revoked at %s, that at %s and %s',
        coalesce(credits.utc_text(k.expires_at), 'no time'), coalesce(credits.utc_text(k.revoked_at), 'no time'),
        coalesce(credits.utc_text(m.expires_at), 'no time'), coalesce(credits.utc_text(m.revoked_at), 'no time')
    ) as found
from credits.api_keys as k
inner join credits.api_keys as m on k.made_with = m.key_id
where
    (m.revoked_at is not null and k.revoked_at is null)
    or (m.expires_at is not null and (k.expires_at <= m.expires_at) is not true)
    or m.role <> 'service_role'
union all
select
    null::uuid as account_id,
    format('API key %s is used before its end', k.key_id) as expected,
    format('used at %s', credits.utc_text(s.last_used_at)) as found
from credits.api_keys as k
inner join credits.api_key_secrets as s on k.key_id = s.key_id
where
    (
        s.last_used_at > k.revoked_at + interval '60 seconds'
        or s.last_used_at > s.valid_until + interval '60 seconds'
    ) is true;
comment on view audit.check_api_keys is
'Every API key was made and revoked by a recorded change. It has one present secret, ends with the key that it was
made with, and is not used after its end.

A row means: a row of an API key was written by hand, or a key was used after its end.

What to do: revoke the key with `pgcredits key revoke`, make another, and find out who can write to
credits.api_keys.';
