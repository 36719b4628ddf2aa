-- A charge in the transaction of the application's own rows: both happen, or neither.
--
--     eval "$(.venv/bin/pgcredits env --admin)"     # beside a running `make up`
--     psql "$ADMIN_DATABASE_URL" -f docs/examples/same_commit.sql
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
set client_min_messages = warning;

-- 1. The administrator makes the application's login, a member of spender, and its schema. It may charge any user and
--    grant tokens to nobody; it takes at most 20 connections, and none of its transactions can wait or idle for long.
select 'create role backend login connection limit 20 in role spender'
where not exists (select from pg_roles where rolname = 'backend') \gexec
alter role backend set statement_timeout = '30s';
alter role backend set lock_timeout = '10s';
alter role backend set idle_in_transaction_session_timeout = '30s';
create schema if not exists app authorization backend;

--    And a user with 120 tokens. A call of stablediffusion costs 50.
select 'ada-' || gen_random_uuid() as ada \gset
select balance from api.add_tokens(:'ada', 120, reason => 'grant') \gset

-- 2. From here on this session is the application's, as if it had logged in.
set session authorization backend;
create table if not exists app.jobs (
    job_id bigint generated always as identity primary key,
    user_id text not null,
    prompt text not null,
    request_id text unique,
    hold_id text,
    done boolean not null default false
);

create or replace function app.expect(p_what text, p_user_id text, p_jobs bigint, p_balance numeric, p_held numeric)
returns text language plpgsql as $$
declare
    v_jobs constant bigint := (select count(*) from app.jobs as j where j.user_id = p_user_id);
    v_bank record;
begin
    select b.balance, b.held into v_bank from api.balance as b where b.user_id = p_user_id;
    assert (v_jobs, v_bank.balance, v_bank.held) = (p_jobs, p_balance, p_held), p_what;
    return format('%s: jobs %s, balance %s, held %s', p_what, v_jobs, v_bank.balance, v_bank.held);
end $$;

-- 3. What the user has at first.
select app.expect('at first', :'ada', 0, 120, 0);

-- 4. The job and its charge, committed together. The request has an id, which is also the key of the charge.
select gen_random_uuid() as request_id \gset
begin;
insert into app.jobs (user_id, prompt, done, request_id) values (:'ada', 'a lighthouse at dusk', true, :'request_id');
select cost from api.consume_tokens('stablediffusion', user_id => :'ada', idempotency_key => :'request_id') \gset
commit;
select app.expect('charged in the same COMMIT', :'ada', 1, 70, 0);

--    The connection broke during the commit, so the application does not know whether it counted. It does the same again.
begin;
insert into app.jobs (user_id, prompt, done, request_id)
values (:'ada', 'a lighthouse at dusk', true, :'request_id')
on conflict (request_id) do nothing;
select cost from api.consume_tokens('stablediffusion', user_id => :'ada', idempotency_key => :'request_id') \gset
commit;
select app.expect('the same request again', :'ada', 1, 70, 0);

-- 5. The application fails after the charge, or its connection breaks: neither happened.
begin;
insert into app.jobs (user_id, prompt, done) values (:'ada', 'a storm', true);
select cost from api.consume_tokens('stablediffusion', user_id => :'ada') \gset
rollback;
select app.expect('the application failed', :'ada', 1, 70, 0);

-- 6. The bank refuses: the job is undone too. What was refused is a slug in the error's DETAIL.
create or replace function app.submit(p_user_id text, p_prompt text, p_calls bigint)
returns text language plpgsql as $$
declare
    v_detail text;
begin
    insert into app.jobs (user_id, prompt, done) values (p_user_id, p_prompt, true);
    perform api.consume_tokens('stablediffusion', jsonb_build_object('calls', p_calls), user_id => p_user_id);
    return 'submitted';
exception when sqlstate 'PT402' then
    get stacked diagnostics v_detail = pg_exception_detail;
    return v_detail::jsonb ->> 'error';
end $$;
select app.submit(:'ada', 'two storms', 2) as outcome \gset
select app.expect('the bank refused, ' || :'outcome', :'ada', 1, 70, 0);

-- 7. Work that takes a while: tokens are held in the transaction that enqueues the job …
begin;
insert into app.jobs (user_id, prompt, hold_id)
select :'ada', 'a calm', h.hold_id
from api.hold_tokens('stablediffusion', user_id => :'ada') as h
returning job_id \gset
commit;
select app.expect('enqueued with its hold', :'ada', 2, 70, 50);

--    … and captured in the one that marks it done. A worker that dies in between has done neither …
begin;
update app.jobs set done = true where job_id = :job_id and not done returning hold_id \gset
select cost from api.capture_hold(:'hold_id') \gset
rollback;
select app.expect('the worker died', :'ada', 2, 70, 50);

--    … and the next one does both.
begin;
update app.jobs set done = true where job_id = :job_id and not done returning hold_id \gset
select cost from api.capture_hold(:'hold_id') \gset
commit;
select app.expect('done and captured', :'ada', 2, 20, 0);

-- 8. Whoever takes the application over can charge its users, and cannot give anybody tokens.
create or replace function app.grant_tokens(p_user_id text)
returns text language plpgsql as $$
begin
    perform api.add_tokens(p_user_id, 1000000, reason => 'grant');
    return 'granted';
exception when insufficient_privilege then
    return 'insufficient_privilege';
end $$;
select app.grant_tokens(:'ada') as outcome \gset
select app.expect('a grant was refused, ' || :'outcome', :'ada', 2, 20, 0);
