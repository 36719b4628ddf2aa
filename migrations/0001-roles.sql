-- The roles of PostgREST and Supabase, the owner of everything, and one login for each door.
-- Roles belong to the cluster, not to the database: another pgcredits database may have made them already.
do $roles$
declare
    v_role text;
begin
    foreach v_role in array array['credits_owner', 'anon', 'authenticated', 'service_role', 'analyst', 'auditor'] loop
        begin
            execute format('create role %I nologin', v_role);
        exception
            when duplicate_object or unique_violation then
                raise notice 'role % exists', v_role;
        end;
    end loop;

    -- Passwords are set outside of the migrations; without one, a login cannot sign in.
    foreach v_role in array array['pgcredits_api', 'pgcredits_service'] loop
        begin
            execute format('create role %I login noinherit', v_role);
        exception
            when duplicate_object or unique_violation then
                raise notice 'role % exists', v_role;
        end;
    end loop;
    foreach v_role in array array['pgcredits_analyst', 'pgcredits_auditor'] loop
        begin
            execute format('create role %I login', v_role);
        exception
            when duplicate_object or unique_violation then
                raise notice 'role % exists', v_role;
        end;
    end loop;

    -- A superuser may become anybody; any other migrating login must be a member of the owner.
    if not pg_has_role(current_user, 'credits_owner', 'member') then
        execute format('grant credits_owner to %I', current_user);
    end if;
end
$roles$;

-- The weak login can become the two weakest roles; the strong one has a pool and a password of its own.
grant anon to pgcredits_api;
grant authenticated to pgcredits_api;
grant service_role to pgcredits_service;
grant analyst to pgcredits_analyst;
grant auditor to pgcredits_auditor;

-- A request must never hang on a lock or stay open behind a dead client.
alter role pgcredits_api set lock_timeout = '5s';
alter role pgcredits_api set statement_timeout = '15s';
alter role pgcredits_api set idle_in_transaction_session_timeout = '15s';
alter role pgcredits_service set lock_timeout = '10s';
alter role pgcredits_service set statement_timeout = '30s';
alter role pgcredits_service set idle_in_transaction_session_timeout = '30s';
alter role pgcredits_analyst set default_transaction_read_only = on;
alter role pgcredits_auditor set default_transaction_read_only = on;
