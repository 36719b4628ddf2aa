-- What a project of Supabase has before anybody adds a table: the roles, memberships, default privileges, event triggers
-- and the schemas of Auth and Storage. It is run by supabase_admin, the superuser, in a database that postgres owns.
-- postgres is the login of the project's developers. It is not a superuser.

-- 1. Roles, and what their logins set.
create role postgres login createdb createrole replication bypassrls;
create role anon nologin inherit;
create role authenticated nologin inherit;
create role service_role nologin inherit bypassrls;
create role authenticator login noinherit;
create role dashboard_user nologin createdb createrole replication;
create role pgbouncer login;
create role supabase_auth_admin login noinherit createrole;
create role supabase_storage_admin login noinherit createrole;
create role supabase_functions_admin login noinherit createrole;
create role supabase_read_only_user login bypassrls;
create role supabase_etl_admin login replication bypassrls;
create role supabase_replication_admin login replication;
create role supabase_realtime_admin nologin noinherit;
create role supabase_superuser nologin;
-- Of the extension pgsodium, in older projects.
create role pgsodium_keyiduser nologin;
create role pgsodium_keyholder nologin;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path = '$user', public, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = storage;

grant anon, authenticated, service_role to authenticator;
grant authenticator to supabase_storage_admin;
grant pgsodium_keyiduser to pgsodium_keyholder;
grant pgsodium_keyholder to service_role;
grant supabase_superuser to postgres, supabase_etl_admin;
grant supabase_functions_admin to postgres;
grant pg_read_all_data to supabase_read_only_user, supabase_etl_admin;
do $$
begin
    -- Before PostgreSQL 16, whoever may create roles may grant any role.
    if current_setting('server_version_num')::int < 160000 then
        grant anon, authenticated, service_role, pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
    else
        grant anon, authenticated, service_role, authenticator, pg_monitor, pg_read_all_data, pg_signal_backend
        to postgres with admin option;
    end if;
end
$$;

-- 2. The database, its schemas, and what everybody gets on future objects.
do $$
begin
    execute format('alter database %I owner to postgres', current_database());
    execute format('grant all on database %I to dashboard_user', current_database());
end
$$;
create schema extensions authorization postgres;
create schema auth authorization supabase_admin;
create schema storage authorization supabase_admin;
create schema graphql_public authorization supabase_admin;
grant usage on schema public, extensions, graphql_public, auth, storage
to postgres, anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;

alter default privileges for role postgres in schema public
grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema graphql_public
grant all on functions to postgres, anon, authenticated, service_role;

-- 3. Auth: its users, and who is asking.
create table auth.users (
    id uuid primary key,
    aud text,
    role text,
    email text unique,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    is_anonymous boolean not null default false,
    created_at timestamptz not null default now()
);
create table auth.sessions (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade
);
create function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
$$;
create function auth.uid() returns uuid language sql stable as $$
    select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create function auth.role() returns text language sql stable as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
$$;
alter table auth.users owner to supabase_auth_admin;
alter table auth.sessions owner to supabase_auth_admin;
alter function auth.uid() owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;
alter function auth.jwt() owner to supabase_auth_admin;
alter table auth.users enable row level security;
alter table auth.sessions enable row level security;
grant all on schema auth to supabase_auth_admin, dashboard_user;
grant all on all tables in schema auth to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on tables to postgres, dashboard_user;

-- 4. Storage: the table of the files, with the policy that a project writes.
create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text not null,
    name text not null,
    owner uuid default auth.uid()
);
alter table storage.objects owner to supabase_storage_admin;
alter table storage.objects enable row level security;
grant all on schema storage to supabase_storage_admin;
grant all on storage.objects to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
grant all on tables to postgres, anon, authenticated, service_role;
create policy own_files on storage.objects to authenticated
using (owner = (select auth.uid())) with check (owner = (select auth.uid()));

-- 5. Event triggers. PostgREST reads the schema anew after each change of it.
create function extensions.pgrst_ddl_watch() returns event_trigger language plpgsql as $$
declare
    v_command record;
begin
    for v_command in select * from pg_event_trigger_ddl_commands() loop
        if v_command.schema_name is distinct from 'pg_temp' then
            notify pgrst, 'reload schema';
        end if;
    end loop;
end
$$;
create function extensions.pgrst_drop_watch() returns event_trigger language plpgsql as $$
declare
    v_object record;
begin
    for v_object in select * from pg_event_trigger_dropped_objects() loop
        if v_object.is_temporary is false then
            notify pgrst, 'reload schema';
        end if;
    end loop;
end
$$;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
-- A choice when a project is made: new tables of public get row security. The function belongs to postgres.
create function public.rls_auto_enable() returns event_trigger language plpgsql security definer
set search_path = pg_catalog as $$
declare
    v_command record;
begin
    for v_command in
        select * from pg_event_trigger_ddl_commands() where command_tag in ('CREATE TABLE', 'CREATE TABLE AS')
    loop
        if v_command.schema_name = 'public' then
            execute format('alter table %s enable row level security', v_command.object_identity);
        end if;
    end loop;
end
$$;
create event trigger ensure_rls on ddl_command_end
when tag in ('CREATE TABLE', 'CREATE TABLE AS') execute function public.rls_auto_enable();
alter function public.rls_auto_enable() owner to postgres;
