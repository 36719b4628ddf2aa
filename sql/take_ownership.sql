-- Gives the schemas of the bank, and everything in them, back to credits_owner. `pgcredits roles --take-ownership` runs
-- this after a dump was restored where the roles were missing. Objects that somebody else put into these schemas get
-- the new owner, too: `pgcredits migrate`, to be run next, drops what it has not made, or the audit names it.
do $owner$
declare
    v_statement text;
begin
    for v_statement in
        select x.statement
        from (
            select n.nspname as schema, n.nspowner as owner, 1 as step,
                format('alter schema %I owner to credits_owner', n.nspname) as statement
            from pg_catalog.pg_namespace as n
            union all
            select n.nspname, c.relowner, 2,
                format(
                    'alter %s %I.%I owner to credits_owner',
                    case c.relkind
                        when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table'
                    end,
                    n.nspname, c.relname
                )
            from pg_catalog.pg_class as c
            join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
            where
                c.relkind in ('r', 'p', 'v', 'm', 'S')
                -- The sequence of an identity column gets the owner of its table.
                and not (c.relkind = 'S' and exists (
                    select
                    from pg_catalog.pg_depend as d
                    where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
                ))
            union all
            select n.nspname, p.proowner, 2, format('alter routine %s owner to credits_owner', p.oid::regprocedure)
            from pg_catalog.pg_proc as p
            join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
            where p.prokind in ('f', 'p', 'a')
            union all
            select n.nspname, t.typowner, 2,
                format(
                    'alter %s %I.%I owner to credits_owner', case t.typtype when 'd' then 'domain' else 'type' end,
                    n.nspname, t.typname
                )
            from pg_catalog.pg_type as t
            join pg_catalog.pg_namespace as n on t.typnamespace = n.oid
            left join pg_catalog.pg_class as c on t.typrelid = c.oid
            where t.typtype in ('c', 'd', 'e', 'r') and coalesce(c.relkind, 'c') = 'c'
            union all
            -- The only policy that access.sql does not make is that of the partitions of the ledger.
            select n.nspname, null, 3,
                format('create policy owner on %I.%I to credits_owner using (true) with check (true)', n.nspname, c.relname)
            from pg_catalog.pg_class as c
            join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
            where c.relispartition and c.relkind = 'r' and not exists (
                select from pg_catalog.pg_policy as p where p.polrelid = c.oid and p.polname = 'owner'
            )
        ) as x
        left join pg_catalog.pg_roles as r on x.owner = r.oid
        where x.schema in ('credits', 'api', 'analytics', 'finance', 'audit') and (r.rolname = 'credits_owner') is not true
        order by x.step, x.statement
    loop
        execute v_statement;
    end loop;
end
$owner$;
