-- audit.check_access: what functions and views may do, and who may call the functions of api.

create or replace function credits.power_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        case r.rolname
            when 'spender' then 'spenders charge, and call nothing else'
            else format('%s calls no function of api', r.rolname)
        end,
        format('%s may call %s', r.rolname, p.oid::regprocedure)
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    cross join lateral aclexplode(p.proacl) as a
    join pg_catalog.pg_roles as r on a.grantee = r.oid
    where
        n.nspname = 'api' and r.rolname in ('anon', 'spender', 'support', 'analyst', 'auditor', 'accountant')
        and not (r.rolname = 'spender' and p.proname in (
            'consume_tokens', 'consume_call', 'report_refusal', 'report_refused_capture', 'consume_tokens_batch',
            'quote_tokens', 'hold_tokens', 'capture_hold', 'release_hold',
            'extend_hold', 'open_account', 'report_failure'
        ));
end
$$;
comment on function credits.power_faults() is
'Functions of api that a role may call but should not. A role that charges, reads or counts must not be able to grant.';

create or replace function credits.call_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    -- The caller of a function must not decide what the names in it mean, and the reader of a view must not read with
    -- the rights of its owner.
    select format('function %s with search_path = pg_catalog, pg_temp', p.oid::regprocedure),
        coalesce(array_to_string(p.proconfig, '; '), 'no setting')
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and p.prosqlbody is null
        -- An aggregate has no body: its functions have.
        and p.prokind <> 'a'
        and 'search_path=pg_catalog, pg_temp' = any (p.proconfig) is not true
    union all
    select format('view %s with the rights of its reader', c.oid::regclass),
        coalesce(array_to_string(c.reloptions, ', '), 'with those of its owner')
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and c.relkind in ('v', 'm')
        and ('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions)) is not true;
end
$$;
comment on function credits.call_faults() is
'Functions of the bank without a pinned search_path, and views that do not run with the rights of their reader.';
