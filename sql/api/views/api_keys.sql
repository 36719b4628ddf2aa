-- The API keys, without their secrets.
create or replace view api.api_keys
with (security_invoker = true)
as
select
    k.key_id,
    k.name,
    k.role,
    case
        when k.revoked_at is not null then 'revoked'
        when (k.expires_at <= credits.clock()) is true then 'expired'
        else 'active'
    end as state,
    k.expires_at,
    k.revoked_at,
    k.created_at,
    k.made_by as created_by,
    k.made_with,
    (
        select max(s.last_used_at) from credits.api_key_secrets as s
        where s.key_id = k.key_id
    ) as last_used_at,
    (
        select s.created_at
        from credits.api_key_secrets as s
        where s.key_id = k.key_id and s.valid_until is null
    ) as rotated_at,
    (
        select max(s.valid_until)
        from credits.api_key_secrets as s
        where s.key_id = k.key_id and s.valid_until > credits.clock()
    ) as old_secret_until,
    (
        select max(s.last_used_at)
        from credits.api_key_secrets as s
        where s.key_id = k.key_id and s.valid_until > credits.clock()
    ) as old_secret_used_at
from credits.api_keys as k;

comment on view api.api_keys is 'The API keys of backends, without their secrets. For services.';
comment on column api.api_keys.key_id is 'Its name in the functions about API keys. The text of the key contains it.';
comment on column api.api_keys.name is 'What its operator calls it.';
comment on column api.api_keys.role is 'What its calls may do: spender, support or service_role.';
comment on column api.api_keys.state is 'active, expired or revoked.';
comment on column api.api_keys.expires_at is 'When it expires. Null: never.';
comment on column api.api_keys.revoked_at is 'When it was revoked.';
comment on column api.api_keys.created_at is 'When it was made.';
comment on column api.api_keys.created_by is 'Who made it: a role, and the id of their API key if they used one.';
comment on column api.api_keys.made_with is 'The key that it was made with, and ends with. Null: none.';
comment on column api.api_keys.last_used_at is 'When it was last used, to the minute. Null: never.';
comment on column api.api_keys.rotated_at is 'When its present secret was made.';
comment on column api.api_keys.old_secret_until is 'Until when a secret before that still works. Null: none does.';
comment on column api.api_keys.old_secret_used_at is 'When such a secret was last used.';
