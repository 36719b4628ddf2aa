-- Views and functions with every kind of column, for tests of the dialect. Each user sees their own rows.
create schema dialect_test;
create table dialect_test.things (
    id integer primary key,
    owner text not null,
    name text,
    amount numeric,
    big bigint,
    active boolean,
    tags text [],
    span int4range,
    facts jsonb,
    plain json,
    made timestamptz,
    day date,
    body text,
    "odd name" text,
    "we""ird%s" text,
    "select" text
);
insert into dialect_test.things
select
    n,
    case when n <= 12 then 'ada' else 'bob' end,
    (array['alpha', 'Beta', 'gamma,delta', 'a "quoted" name', 'back\slash', 'per%cent', null, 'émile', 'x_y', 'o''brien',
        '(round)', 'null'])[1 + (n - 1) % 12],
    case when n % 5 <> 0 then n * 1.5 end,
    9007199254740992 + n,
    case n % 3 when 0 then true when 1 then false end,
    case when n % 4 <> 0 then array['t' || n % 3, 'all', 'two words'] end,
    case when n % 6 <> 0 then int4range(n, n + 4) end,
    case
        when n % 7 <> 0
            then jsonb_build_object(
                'n', n, 'word', chr(96 + n), 'deep', jsonb_build_object('list', jsonb_build_array(n, n * 2, 'end')),
                'odd key', 'v' || n, 'none', null, 'quote', 'a"b\c'
            )
    end,
    json_build_array(n, json_build_object('k', n % 2)),
    timestamptz '2026-01-01 00:00:00+00' + n * interval '1 day',
    date '2026-01-01' + n,
    (array['the quick brown fox', 'a lazy dog sleeps', 'foxes and dogs', 'nothing here'])[1 + n % 4],
    'odd ' || n % 2,
    'weird ' || n % 2,
    'chosen'
from generate_series(1, 20) as n;

alter table dialect_test.things enable row level security;
create policy own on dialect_test.things for select using (
    owner = current_setting('request.jwt.claims')::json ->> 'sub'
    or current_setting('request.jwt.claims')::json ->> 'role' = 'service_role'
);
grant usage on schema dialect_test to anon, authenticated, service_role;
grant select on dialect_test.things to anon, authenticated, service_role;

create view api.things with (security_invoker = true) as select * from dialect_test.things;
grant select on api.things to anon, authenticated, service_role;

-- Nobody may read it: a query that reached it would be refused, not answered.
create table dialect_test.canary (secret text);
insert into dialect_test.canary values ('the canary');

create type dialect_test.pair as (a integer, b text, c jsonb);
create table dialect_test.calls (id bigint generated always as identity, word text);

create function api.things_from(first integer) returns setof api.things
language sql stable as 'select t.* from api.things as t where t.id >= first';
create function api.thing_pair(a integer, word text = 'w') returns dialect_test.pair
language sql stable as $$select a, word, '{"k": [1, null]}'::jsonb$$;
create function api.thing_table(up_to integer) returns table (n integer, square integer, word text)
language sql stable as $$select i, i * i, case when i % 2 = 0 then 'w' || i end from generate_series(1, up_to) as i$$;
create function api.thing_numbers() returns setof integer
language sql stable as 'select generate_series(1, 7)';
create function api.thing_seven() returns integer language sql stable as 'select 7';
create function api.thing_letters(word character, mask bit = '101') returns text language sql stable
as $$select format('<%s> %s', word, mask)$$;
create function api.thing_void() returns void language sql stable as '';
create function api.thing_told(headers text = null, status text = null) returns text language plpgsql stable as $$
begin
    perform set_config('response.headers', headers, true), set_config('response.status', status, true);
    return 'told';
end $$;
create function api.thing_write(word text) returns dialect_test.pair
language sql security definer as $$
    insert into dialect_test.calls (word) values (word);
    select 1, word, null::jsonb;
$$;
create function api.thing_writes(word text, times integer) returns setof dialect_test.pair
language sql security definer as $$
    insert into dialect_test.calls (word) values (word);
    select i, word, null::jsonb from generate_series(1, times) as i;
$$;
grant execute on function
api.things_from, api.thing_pair, api.thing_table, api.thing_numbers, api.thing_seven, api.thing_letters, api.thing_void,
api.thing_told, api.thing_write, api.thing_writes
to anon, authenticated, service_role;
