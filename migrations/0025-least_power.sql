-- Two roles that may less than service_role: one that only charges, one that only reads.
-- Roles belong to the cluster: another pgcredits database may have made them already.
do $roles$
declare
    v_role text;
begin
    foreach v_role in array array['spender', 'support'] loop
        begin
            execute format('create role %I nologin', v_role);
        exception
            when duplicate_object or unique_violation then
                raise notice 'role % exists', v_role;
        end;
    end loop;
end
$roles$;
comment on role spender is
'pgcredits: charges any user (charge, hold, capture, release, quote, open accounts), and grants nothing.';
comment on role support is 'pgcredits: reads the rows of every user, and writes nothing.';

-- Whoever may do everything may also charge: credits.is_spender asks for this membership alone.
grant spender to service_role;
grant spender to pgcredits_service;
grant support to pgcredits_service;
