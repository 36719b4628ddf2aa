"""The house rules, checked in PostgreSQL's system tables. Each finds nothing, and can find a violation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from callers import Connection

from pgcredits.bank.migrate import SQL, migrate

OURS = "('credits', 'api', 'analytics', 'finance', 'audit')"


@dataclass(frozen=True)
class Rule:
    """A query that finds violations of the rule, and a command that violates it."""

    name: str
    query: str
    violation: str


# The types that generators (postgres-meta, openapi-typescript) have names for. They call a domain `unknown`.
GENERATED = (
    "{bool,int2,int4,int8,float4,float8,numeric,text,varchar,bpchar,bytea,date,time,timetz,timestamp,timestamptz,"
    "interval,uuid,json,jsonb}"
)
UNTYPED = f"""
    select o.place, t.oid::regtype
    from (
        select p.oid::regprocedure::text, unnest(coalesce(p.proallargtypes, p.proargtypes) || p.prorettype)
        from pg_proc as p where p.pronamespace = 'api'::regnamespace
        union all
        select c.oid::regclass || '.' || a.attname, a.atttypid
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'api'::regnamespace and a.attnum > 0 and not a.attisdropped
    ) as o (place, type_id)
    join pg_type as of on of.oid = o.type_id
    join pg_type as t on t.oid = case when of.typcategory = 'A' then of.typelem else of.oid end
    where not (
        t.typnamespace = 'pg_catalog'::regnamespace and t.typname = any ('{GENERATED}'::name[])
        or t.typnamespace = 'api'::regnamespace and t.typtype = 'c'
    )
"""


# A function is told in steps that have names. These still have too many lines or arguments.
STILL_LONG: set[str] = set()
STILL_WIDE: set[str] = set()
LONG = f"""
    select p.proname from pg_proc as p
    where p.pronamespace::regnamespace::text in {OURS}
        and cardinality(string_to_array(
            btrim(coalesce(nullif(p.prosrc, ''), pg_get_function_sqlbody(p.oid)), E'\\n'), E'\\n'
        )) > case p.proname when 'consume_tokens' then 100 else 80 end
"""
# The words of price lists take many arguments, and are called by name.
WIDE = f"""
    select p.proname from pg_proc as p
    where p.pronamespace::regnamespace::text in {OURS}
        and p.pronargs > 12 and not starts_with(p.proname, 'define_')
"""


def but(query: str, known: set[str]) -> str:
    """The query's findings, without the known names."""
    names = ", ".join(f"'{name}'" for name in ("", *sorted(known)))
    return f"select name from ({query}) as found (name) where name not in ({names})"


RULES = [
    Rule(
        "no function has more than 80 lines",
        but(LONG, STILL_LONG),
        "create function credits.extra() returns void language plpgsql as"
        " $$ begin\n" + "perform 1;\n" * 79 + "end $$",
    ),
    Rule(
        "no function but a word of price lists takes more than 12 arguments",
        but(WIDE, STILL_WIDE),
        f"create function credits.extra({', '.join(['integer'] * 13)}) returns integer language sql return 1",
    ),
    Rule(
        "search_path of every function is pinned, or its body is parsed already",
        f"""
        select p.oid::regprocedure, p.proconfig from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and p.prosqlbody is null
            and p.prokind <> 'a'  -- an aggregate has no body: its functions have
            and (p.proconfig is null or not 'search_path=pg_catalog, pg_temp' = any (p.proconfig))
        """,
        "alter function credits.me() set search_path = pg_catalog, credits, pg_temp",
    ),
    Rule(
        "no function is for PUBLIC",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and exists (
            select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a where a.grantee = 0
        )
        """,
        "create function credits.extra() returns integer language sql return 1",
    ),
    Rule(
        "no table, view or sequence is for PUBLIC",
        f"""
        select c.oid::regclass from pg_class as c, aclexplode(c.relacl) as a
        where c.relnamespace::regnamespace::text in {OURS} and a.grantee = 0
        """,
        "grant select on credits.packs to public",
    ),
    Rule(
        "no column is for PUBLIC",
        f"""
        select c.oid::regclass, t.attname
        from pg_attribute as t join pg_class as c on c.oid = t.attrelid, aclexplode(t.attacl) as a
        where c.relnamespace::regnamespace::text in {OURS} and a.grantee = 0
        """,
        "grant select (title) on credits.packs to public",
    ),
    Rule(
        "no type is for PUBLIC",
        f"""
        select t.oid::regtype from pg_type as t left join pg_class as c on c.oid = t.typrelid
        where t.typnamespace::regnamespace::text in {OURS}
            and t.typcategory <> 'A' and coalesce(c.relkind, 'c') = 'c'
            and exists (
                select from aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) as a
                where a.grantee = 0
            )
        """,
        "grant usage on type credits.entry_kind to public",
    ),
    Rule(
        "no schema is for PUBLIC",
        f"""
        select n.nspname, a.privilege_type
        from pg_namespace as n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a
        where n.nspname in {OURS} and a.grantee = 0
        """,
        "grant usage on schema api to public",
    ),
    Rule(
        "nobody but the owner may make anything in a schema",
        f"""
        select n.nspname, a.grantee::regrole
        from pg_namespace as n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a
        where n.nspname in {OURS} and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
            or n.nspname in {OURS} and n.nspowner <> 'credits_owner'::regrole
        """,
        "grant create on schema api to service_role",
    ),
    Rule(
        "PUBLIC may neither connect nor make temporary objects",
        """
        select d.datname, a.privilege_type
        from pg_database as d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
        where d.datname = current_database() and a.grantee = 0
        """,
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
    ),
    Rule(
        "no role of ours may make temporary objects",
        """
        select d.datname, a.grantee::regrole
        from pg_database as d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
        where d.datname = current_database() and a.privilege_type <> 'CONNECT' and a.grantee <> d.datdba
        """,
        "do $$ begin execute format('grant temporary on database %I to anon', current_database()); end $$",
    ),
    Rule(
        "nobody may write to a table, nor truncate, refer to or put triggers on one",
        f"""
        select c.oid::regclass, a.grantee::regrole, a.privilege_type
        from pg_class as c, aclexplode(c.relacl) as a
        where c.relnamespace::regnamespace::text in {OURS}
            and a.privilege_type <> 'SELECT' and a.grantee <> c.relowner
        """,
        "grant insert on credits.entries to service_role",
    ),
    Rule(
        "nobody may pass a privilege on",
        f"""
        select c.oid::regclass, a.grantee::regrole from pg_class as c, aclexplode(c.relacl) as a
        where c.relnamespace::regnamespace::text in {OURS} and a.is_grantable and a.grantee <> c.relowner
        """,
        "grant select on api.packs to anon with grant option",
    ),
    Rule(
        "credits_owner owns everything",
        f"""
        select c.oid::regclass::text, c.relowner::regrole from pg_class as c
        where c.relnamespace::regnamespace::text in {OURS} and c.relowner <> 'credits_owner'::regrole
        union all
        select p.oid::regprocedure::text, p.proowner::regrole from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and p.proowner <> 'credits_owner'::regrole
        """,
        "alter function credits.me() owner to current_user",
    ),
    Rule(
        "row security is enabled and forced on every table and partition",
        f"""
        select c.oid::regclass from pg_class as c
        where c.relnamespace::regnamespace::text in {OURS} and c.relkind in ('r', 'p')
            and not (c.relrowsecurity and c.relforcerowsecurity)
        """,
        "create table credits.entries_1999_01 partition of credits.entries for values"
        " from ('1999-01-01Z') to ('1999-02-01Z')",
    ),
    Rule(
        "every table and partition has a policy for its owner",
        f"""
        select c.oid::regclass from pg_class as c
        where c.relnamespace::regnamespace::text in {OURS} and c.relkind in ('r', 'p') and not exists (
            select from pg_policy as p
            where p.polrelid = c.oid and p.polroles = array['credits_owner'::regrole::oid] and p.polcmd = '*'
        )
        """,
        "drop policy owner on credits.wallets",
    ),
    Rule(
        "every policy says for whom, and only the owner's writes",
        """
        select p.polrelid::regclass, p.polname from pg_policy as p
        where 0 = any (p.polroles) or (p.polcmd <> 'r' and p.polroles <> array['credits_owner'::regrole::oid])
            or not p.polpermissive
        """,
        "create policy everybody on credits.wallets for select using (true)",
    ),
    Rule(
        "policies of users ask who they are, once per statement",
        """
        select p.polrelid::regclass, p.polname from pg_policy as p
        where 'authenticated'::regrole = any (p.polroles) and not 'anon'::regrole = any (p.polroles)
            and p.polrelid <> 'credits.prices'::regclass -- no price is anybody's own
            and pg_get_expr(p.polqual, p.polrelid) not in (
                '(account_id = ( SELECT credits.me() AS me))', '(referrer_id = ( SELECT credits.me() AS me))'
            )
        """,
        "create policy slow on credits.wallets for select to authenticated using (account_id = credits.me())",
    ),
    Rule(
        "nobody has a grant on a partition",
        f"""
        select c.oid::regclass, a.grantee::regrole from pg_class as c, aclexplode(c.relacl) as a
        where c.relnamespace::regnamespace::text in {OURS} and c.relispartition and a.grantee <> c.relowner
        """,
        "grant select on credits.entries_default to auditor",
    ),
    Rule(
        "every view runs with the rights of its reader",
        f"""
        select c.oid::regclass from pg_class as c
        where c.relnamespace::regnamespace::text in {OURS} and c.relkind in ('v', 'm')
            and not coalesce('security_invoker=true' = any (c.reloptions), false)
        """,
        "create view api.leak as select * from credits.wallets",
    ),
    Rule(
        "every schema has a comment",
        f"""
        select n.nspname from pg_namespace as n
        where n.nspname in {OURS} and obj_description(n.oid, 'pg_namespace') is null
        """,
        "comment on schema api is null",
    ),
    Rule(
        "every table and view has a comment",
        f"""
        select c.oid::regclass from pg_class as c
        where c.relnamespace::regnamespace::text in {OURS} and c.relkind in ('r', 'p', 'v')
            and obj_description(c.oid, 'pg_class') is null
        """,
        "comment on table credits.wallets is null",
    ),
    Rule(
        "every column of a view of api has a comment",
        """
        select c.oid::regclass, a.attname from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'api'::regnamespace and c.relkind = 'v' and a.attnum > 0 and not a.attisdropped
            and col_description(c.oid, a.attnum) is null
        """,
        "comment on column api.balance.balance is null",
    ),
    Rule(
        "every function has a comment",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and obj_description(p.oid, 'pg_proc') is null
        """,
        "comment on function credits.me() is null",
    ),
    Rule(
        "every type has a comment",
        f"""
        select t.oid::regtype from pg_type as t left join pg_class as c on c.oid = t.typrelid
        where t.typnamespace::regnamespace::text in {OURS}
            and t.typcategory <> 'A' and coalesce(c.relkind, 'c') = 'c'
            and obj_description(t.oid, 'pg_type') is null
        """,
        "comment on type credits.entry_kind is null",
    ),
    Rule(
        "every function of api that can refuse says what it raises",
        """
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace = 'api'::regnamespace and obj_description(p.oid, 'pg_proc') !~ '\\mRaises\\M'
        """,
        "comment on function api.sign_up(text, text, text, text[], text[], boolean) is 'Sign up.'",
    ),
    Rule(
        "every foreign key has an index on the side that refers",
        f"""
        select k.conrelid::regclass, k.conname from pg_constraint as k
        where k.contype = 'f' and k.connamespace::regnamespace::text in {OURS} and not exists (
            select from pg_index as i
            where i.indrelid = k.conrelid and i.indpred is null
                and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
        )
        and not exists (
            select from pg_index as i
            where i.indrelid = k.conrelid and pg_get_expr(i.indpred, i.indrelid) = '(order_id IS NOT NULL)'
                and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
        )
        """,
        "drop index credits.identities_account_idx",
    ),
    Rule(
        "no constraint waits to be validated and no index is broken",
        f"""
        select k.conrelid::regclass::text, k.conname from pg_constraint as k
        where k.connamespace::regnamespace::text in {OURS} and not k.convalidated
        union all
        select i.indrelid::regclass::text, i.indexrelid::regclass::text from pg_index as i
        join pg_class as c on c.oid = i.indexrelid
        where c.relnamespace::regnamespace::text in {OURS} and not (i.indisvalid and i.indisready)
        """,
        "alter table credits.wallets add constraint later check (seq >= 0) not valid",
    ),
    Rule(
        "generators know the type of every argument and column of api",
        UNTYPED,
        "create function api.extra(kind credits.hold_state) returns integer language sql return 1",
    ),
    Rule(
        "names of api functions are unique, but for the two of the first system",
        """
        select p.proname, count(*) from pg_proc as p where p.pronamespace = 'api'::regnamespace
        group by p.proname
        having count(*) > case when p.proname in ('consume_tokens', 'add_tokens') then 2 else 1 end
        """,
        "create function api.quote_tokens(module_id text) returns integer language sql return 1",
    ),
    Rule(
        "the JSON names of api have no prefix, private parameters do",
        """
        select p.oid::regprocedure, a.name
        from pg_proc as p, unnest(p.proargnames) with ordinality as a (name, place)
        where a.place <= p.pronargs and (
            p.pronamespace = 'api'::regnamespace and a.name ~ '^[pv]_'
            or p.pronamespace = 'credits'::regnamespace and p.prosqlbody is null and a.name !~ '^p_'
        )
        """,
        "create function api.extra(p_user text) returns integer language sql return 1",
    ),
    Rule(
        "functions of api are definer's, volatile or stable, and answer one row of a type of api",
        """
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace = 'api'::regnamespace and not (
            p.prosecdef and p.provolatile in ('v', 's') and not p.proretset
            and p.prorettype in (select t.oid from pg_type as t where t.typnamespace = 'api'::regnamespace)
        )
        """,
        "create function api.extra() returns integer security definer language sql return 1",
    ),
    Rule(
        "definer functions outside of api define what is for sale, tell who calls, explain, or note an audit",
        """
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in ('credits', 'analytics', 'finance', 'audit')
            and p.prosecdef and p.proname not in ('clock', 'note_audit', 'audit_changes')
            and not starts_with(p.proname, 'define_')
            and p.oid::regprocedure::text !~ '^(audit\\.(receipt|explain_balance)|finance\\.trial_balance)\\('
            and (p.provolatile = 'v' or p.proname not in (
                'check_stripe_prices', 'show_catalog',
                'me', 'subject', 'analyst_segments', 'analyst_accounts', 'charge_durations', 'module_price',
                'call_cost', 'least_cost', 'named_segments', 'named_accounts', 'analyst_email'
            ))
        """,
        "alter function credits.open_account(text) security definer",
    ),
    Rule(
        "no dynamic SQL but for the partitions",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and p.proname <> 'ensure_partitions'
            and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g') ~* '\\mexecute\\M'
        """,
        "create function credits.extra() returns void language plpgsql as"
        " $$ begin execute 'select 1'; end $$",
    ),
    Rule(
        "a table that names a role keeps its oid beside the name",
        f"""
        select c.oid::regclass, a.attname
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace::regnamespace::text in {OURS} and c.relkind in ('r', 'p')
            and a.atttypid = 'name'::regtype and a.attnum > 0 and not a.attisdropped
            and not (
                exists (
                    select from pg_attribute as o
                    where o.attrelid = c.oid and o.attname = 'role_oid' and o.atttypid = 'oid'::regtype
                )
                and exists (
                    select from pg_trigger as t
                    where t.tgrelid = c.oid and t.tgfoid = 'credits.note_role()'::regprocedure
                )
            )
        """,
        "create table credits.more_logins (login name)",
    ),
    Rule(
        "addresses and codes are compared in their one spelling",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and (
            p.proname not in ('normal_email', 'normal_label', 'credential_of', 'email_key')
            and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g') ~* 'lower\\s*\\(.*(email|address)'
            or p.proname not in ('normal_code', 'find_code')
            and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g') ~* 'upper\\s*\\(.*code'
            or p.proname <> 'credential_of'
            and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g') ~* '\\.email\\s*(=|in)\\s'
        )
        """,
        "create function credits.extra(p_email text) returns text language sql"
        " as $$ select lower(btrim(p_email)) as address $$",
    ),
    Rule(
        "one function refuses, and none pretends to be a serialization failure",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and (
            p.proname not in ('fail', 'stop_waiting')
            and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g') ~* '\\mraise\\M'
            or p.prosrc ~* '40001|40P01|serialization_failure|deadlock_detected|no_data_found|\\massert\\M'
        )
        """,
        "create function credits.extra() returns void language plpgsql as"
        " $$ begin raise exception using errcode = '40001'; end $$",
    ),
    Rule(
        "each refusal stands in one place",
        f"""
        select f.slug, f.message, array_agg(p.oid::regprocedure) from pg_proc as p
        cross join lateral regexp_matches(
            p.prosrc, $$credits\\.fail\\(\\s*\\d+, '(\\w+)',\\s*('(?:[^']|'')*')$$, 'g'
        ) as m (found)
        cross join lateral (select m.found[1], m.found[2]) as f (slug, message)
        where p.pronamespace::regnamespace::text in {OURS}
        group by f.slug, f.message
        having count(distinct p.oid) > 1
        """,
        "create function credits.extra() returns void language plpgsql as"
        " $$ begin perform credits.fail(422, 'bad_period', 'period must be day or month'); end $$",
    ),
    Rule(
        "one function asks for a service and for nothing else",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS}
            and p.proname <> 'require_service'
            and p.prosrc ~ 'if not credits\\.is_service\\(\\) then'
        """,
        "create function credits.extra() returns void language plpgsql as"
        " $$ begin if not credits.is_service() then null; end if; end $$",
    ),
    Rule(
        "the user of an account is looked up by credits.user_of",
        # The functions and views in the lists still look themselves. balance_versions begins with the user.
        f"""
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS}
            and p.proname not in ('user_of', 'find_hold', 'refund_receipt')
            and p.prosrc ~ 'identities as (\\w+)\\s+where \\1\\.account_id = [^;]*\\mlimit 1'
        union all
        select c.oid::regclass::text from pg_class as c
        where c.relnamespace = 'api'::regnamespace and c.relkind = 'v'
            and c.relname not in ('balance', 'balance_versions', 'entries', 'lots', 'usage')
            and pg_get_viewdef(c.oid) ~ 'credits\\.identities'
        """,
        "create function credits.extra(p_account_id uuid) returns text language plpgsql as"
        " $$ begin return (select i.subject from credits.identities as i"
        " where i.account_id = p_account_id order by i.subject limit 1); end $$",
    ),
    Rule(
        "no function swallows every error",
        f"""
        select p.oid::regprocedure from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and p.prosrc ~* 'when\\s+others'
        """,
        "create function credits.extra() returns void language plpgsql as"
        " $$ begin perform 1; exception when others then null; end $$",
    ),
    Rule(
        "time is asked of the one clock",
        f"""
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace::regnamespace::text in {OURS} and p.proname not in ('clock', 'transaction_began')
            and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g')
                ~* '\\m(now|clock_timestamp|current_timestamp|statement_timestamp|transaction_timestamp)\\M'
        union all
        select c.oid::regclass::text from pg_class as c
        where c.relnamespace::regnamespace::text in {OURS} and c.relkind = 'v'
            and pg_get_viewdef(c.oid) ~* '\\m(now|clock_timestamp|current_timestamp)\\M'
        """,
        "create view audit.extra with (security_invoker = true) as select now()",
    ),
    Rule(
        "the ledger's triggers are on every partition, and always on",
        """
        select c.oid::regclass, n.name from pg_class as c
        cross join (values ('entries_are_never_changed'), ('entries_are_never_truncated')) as n (name)
        where (c.oid = 'credits.entries'::regclass
            or c.oid in (select inhrelid from pg_inherits where inhparent = 'credits.entries'::regclass))
            and not exists (
                select from pg_trigger as t
                where t.tgrelid = c.oid and t.tgname = n.name and t.tgenabled = 'A'
            )
        """,
        "alter table credits.entries_default enable trigger entries_are_never_changed",
    ),
    Rule(
        "no trigger is switched off",
        f"""
        select t.tgrelid::regclass, t.tgname from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
        where c.relnamespace::regnamespace::text in {OURS} and t.tgenabled in ('D', 'R')
        """,
        "alter table credits.prices disable trigger prices_are_never_edited",
    ),
    Rule(
        "partitions of this month and the year ahead are there, and a default one",
        """
        select m.month from generate_series(0, 12) as i
        cross join lateral (
            select clock_timestamp() at time zone 'UTC' + make_interval(months => i)
        ) as t (day)
        cross join lateral (select to_char(t.day, '"entries_"YYYY_MM')) as m (month)
        where to_regclass('credits.' || m.month) is null
        union all
        select 'entries_default' where to_regclass('credits.entries_default') is null
        """,
        "drop table credits.entries_default",
    ),
    Rule(
        "account_id comes first in every key of a table that has it",
        # The maps of names to accounts, which are found by the name, are small tables of their own.
        """
        select k.conrelid::regclass, k.conname from pg_constraint as k
        join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        where k.connamespace = 'credits'::regnamespace and k.contype in ('p', 'u')
            and k.conrelid in (select attrelid from pg_attribute where attname = 'account_id')
            and k.conrelid::regclass::text not in (
                'credits.identities', 'credits.sql_logins', 'credits.stripe_objects', 'credits.stripe_events'
            )
            and a.attname <> 'account_id'
        union all
        select k.conrelid::regclass, k.conname from pg_constraint as k
        join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        where k.connamespace = 'credits'::regnamespace and k.contype = 'f' and a.attname <> 'account_id'
            and k.conrelid in (select attrelid from pg_attribute where attname = 'account_id')
            and k.confrelid in (select attrelid from pg_attribute where attname = 'account_id')
        union all
        select i.indrelid::regclass, i.indexrelid::regclass::name from pg_index as i
        join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        join pg_class as c on c.oid = i.indexrelid and c.relnamespace = 'credits'::regnamespace
        where i.indisunique and a.attname <> 'account_id'
            and not exists (select from pg_constraint as k where k.conindid = i.indexrelid)
            and i.indrelid in (select attrelid from pg_attribute where attname = 'account_id')
        """,
        "alter table credits.orders add constraint one_session unique (checkout_session_id)",
    ),
    Rule(
        "the wallet has no index but its key",
        """
        select i.indexrelid::regclass from pg_index as i
        where i.indrelid = 'credits.wallets'::regclass and not i.indisprimary
        """,
        "create index on credits.wallets (balance)",
    ),
    Rule(
        "audit.findings asks every check",
        """
        select c.oid::regclass from pg_class as c
        where c.relnamespace = 'audit'::regnamespace and c.relkind = 'v' and c.relname like 'check\\_%'
            and not exists (
                select from pg_rewrite as r join pg_depend as d on d.objid = r.oid
                where r.ev_class = 'audit.findings'::regclass and d.classid = 'pg_rewrite'::regclass
                    and d.refobjid = c.oid
            )
        """,
        "create view audit.check_nothing as select 1",
    ),
    Rule(
        "every check has the columns of a finding",
        """
        select c.oid::regclass, f.columns from pg_class as c
        cross join lateral (
            select string_agg(a.attname || ' ' || a.atttypid::regtype, ', ' order by a.attnum)
            from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0
        ) as f (columns)
        where c.relnamespace = 'audit'::regnamespace and c.relname like 'check\\_%'
            and f.columns <> 'account_id uuid, expected text, found text'
        """,
        "create view audit.check_nothing as select 1 as account_id",
    ),
    Rule(
        "roles can do what they should, and are members of nothing else",
        """
        with expected (role, login, inherits, member_of) as (values
            ('credits_owner', false, true, '{}'::text[]),
            ('anon', false, true, '{}'),
            ('authenticated', false, true, '{}'),
            ('spender', false, true, '{}'),
            ('support', false, true, '{}'),
            ('service_role', false, true, '{spender}'),
            ('analyst', false, true, '{}'),
            ('auditor', false, true, '{}'),
            ('accountant', false, true, '{}'),
            ('pgcredits_api', true, false, '{anon,authenticated}'),
            ('pgcredits_service', true, false, '{service_role,spender,support}'),
            ('pgcredits_analyst', true, true, '{analyst}'),
            ('pgcredits_auditor', true, true, '{auditor}'),
            ('pgcredits_accountant', true, true, '{accountant}'),
            ('pgcredits_catalog', true, false, '{}')
        )
        select e.role, r.rolcanlogin, r.rolinherit, m.member_of
        from expected as e left join pg_roles as r on r.rolname = e.role
        cross join lateral (
            select coalesce(array_agg(g.roleid::regrole::text order by g.roleid::regrole::text), '{}')
            from pg_auth_members as g where g.member = r.oid
        ) as m (member_of)
        where r.rolcanlogin is distinct from e.login or r.rolinherit <> e.inherits
            or m.member_of <> e.member_of
            or r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls
        """,
        "grant service_role to pgcredits_api",
    ),
    Rule(
        "nobody may hand a role of ours on, nor become the owner",
        """
        select g.roleid::regrole, g.member::regrole from pg_auth_members as g
        where g.roleid::regrole::text in (
            'credits_owner', 'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst',
            'auditor', 'accountant', 'pgcredits_api', 'pgcredits_service', 'pgcredits_analyst',
            'pgcredits_auditor', 'pgcredits_accountant'
        ) and (g.admin_option and g.member::regrole::text <> current_user
            or g.roleid = 'credits_owner'::regrole and g.member::regrole::text <> current_user)
        """,
        "grant credits_owner to pgcredits_service",
    ),
    Rule(
        "logins of the HTTP API give up rather than hang",
        """
        select r.rolname, s.name from pg_roles as r
        cross join (
            values ('lock_timeout'), ('statement_timeout'), ('idle_in_transaction_session_timeout')
        ) as s (name)
        where r.rolname in ('pgcredits_api', 'pgcredits_service') and not exists (
            select from unnest(r.rolconfig) as c (setting) where c.setting ~ ('^' || s.name || '=[1-9]')
        )
        """,
        "alter role pgcredits_service reset lock_timeout",
    ),
    Rule(
        "amounts are domains that refuse NaN and infinity",
        """
        select a.attrelid::regclass, a.attname from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'credits'::regnamespace and c.relkind in ('r', 'p')
            and a.attname in (
                'balance', 'held', 'debt', 'lifetime_granted', 'lifetime_spent', 'granted', 'remaining',
                'tokens', 'bonus_tokens', 'balance_after', 'debt_after'
            )
            and a.atttypid::regtype::text not in ('credits.tokens', 'credits.amount')
        """,
        "create table credits.extra (balance numeric)",
    ),
]


@pytest.fixture(scope="module")
def reloaded(admin: Connection, admin_url: str) -> Iterator[Connection]:
    """The shared database, reloaded: the rules must also hold after a second load."""
    migrate(admin_url)
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_holds(rule: Rule, reloaded: Connection) -> None:
    found = reloaded.execute(rule.query).fetchall()
    reloaded.rollback()
    assert found == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_can_find_a_violation(rule: Rule, reloaded: Connection) -> None:
    try:
        before = reloaded.execute(rule.query).fetchall()
        reloaded.execute("set local client_min_messages = warning")
        reloaded.execute(rule.violation)
        after = reloaded.execute(rule.query).fetchall()
    finally:
        reloaded.rollback()
    assert len(after) > len(before)


@pytest.mark.parametrize(("query", "known"), [(LONG, STILL_LONG), (WIDE, STILL_WIDE)], ids=["long", "wide"])
def test_list_of_long_functions_only_shrinks(query: str, known: set[str], reloaded: Connection) -> None:
    assert known <= {name for (name,) in reloaded.execute(query).fetchall()}
    reloaded.rollback()


def test_domains_of_amounts_refuse_bad_amounts(reloaded: Connection) -> None:
    for domain, refused in (
        ("tokens", ("NaN", "Infinity", "-Infinity", "1e14", "-1e14")),
        ("amount", ("NaN", "Infinity", "-0.000001", "1e14")),
        ("unit_cost", ("NaN", "Infinity", "-1")),
    ):
        for number in refused:
            with (
                pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.NumericValueOutOfRange)),
                reloaded.transaction(),
            ):
                reloaded.execute(f"select %s::credits.{domain}", (number,))
    reloaded.rollback()


# Files


def defined(schema: str, kind: str, *folders: str) -> set[str]:
    """The names that the files of these folders create in a schema."""
    pattern = re.compile(rf"^create or replace {kind} {schema}\.(\w+)", re.M)
    return {
        name
        for folder in folders
        for path in (SQL / folder).rglob("*.sql")
        for name in pattern.findall(path.read_text())
    }


def existing(connection: Connection, schema: str, kind: str) -> set[str]:
    query = {
        "function": "select proname from pg_proc where pronamespace = %s::regnamespace",
        "view": "select relname from pg_class where relkind = 'v' and relnamespace = %s::regnamespace",
    }[kind]
    names = {row[0] for row in connection.execute(query, (schema,)).fetchall()}
    connection.rollback()
    return names


@pytest.mark.parametrize("schema", ["api", "analytics", "finance", "audit"])
def test_every_function_and_view_has_a_file_of_its_name(schema: str, reloaded: Connection) -> None:
    files: dict[str, Any] = {path.stem: path.read_text() for path in (SQL / schema).rglob("*.sql")}
    names = {kind: existing(reloaded, schema, kind) for kind in ("function", "view")}
    assert names["function"] | names["view"] == set(files)
    for kind in ("function", "view"):
        for name in names[kind]:
            assert f"create or replace {kind} {schema}.{name}" in files[name]


def test_files_of_the_public_functions_define_nothing_private() -> None:
    still = {"capture", "capture_receipt", "hold", "hold_again", "refund_receipt", "spend", "spend_receipt"}
    assert defined("credits", "(?:function|view)", "api") <= still


def test_every_private_object_is_defined_in_a_file(reloaded: Connection) -> None:
    made = defined("credits", "(?:function|aggregate)", "credits", "api")
    assert existing(reloaded, "credits", "function") == made
    assert existing(reloaded, "credits", "view") == defined("credits", "view", "credits")


def test_migrations_are_numbered_without_a_gap() -> None:
    names = sorted(
        path.name for path in (SQL.parent / "migrations").glob("*.sql") if ".rollback" not in path.name
    )
    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]
    for name in names:
        assert re.fullmatch(r"\d{4}-[a-z_]+\.sql", name), name
