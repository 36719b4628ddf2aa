-- The peers' own tables. As durable as the product's, with the same numbers; row security, partitions and triggers are
-- spared them.

-- The bare statement needs two.
create schema bare;
create table bare.wallets (user_id text primary key, balance numeric(20, 6) not null) with (fillfactor = 50);
create table bare.entries (
    entry_id bigint generated always as identity primary key,
    user_id text not null,
    tokens numeric(20, 6) not null,
    balance_after numeric(20, 6) not null,
    created_at timestamptz not null default now()
);
grant usage on schema bare to service_role;
grant select, insert, update on all tables in schema bare to service_role;

-- The six statements keep what the product keeps, of which these columns matter to a spend.
create schema six;
create table six.wallets (
    like credits.wallets including defaults including constraints including indexes
) with (fillfactor = 50);
create table six.lots (like credits.lots including defaults including constraints including indexes) with (fillfactor = 70);
create table six.entries (like credits.entries including defaults including constraints including indexes);
create table six.idempotency_keys (like credits.idempotency_keys including defaults including constraints including indexes);

-- Their client may do what an application does that owns its database. Only an administrator may become the owner.
create role bench_client login superuser;
grant connect on database pgcredits to bench_client;
grant usage on schema six to credits_owner;
grant select, insert, update on all tables in schema six to credits_owner;

-- Customers as they are: some tokens given, some bought, enough for every run; and they have spent before.
-- Committed in batches, so that no transaction grows large.
create procedure bare.open_accounts(p_accounts integer)
language plpgsql
as $$
begin
    for i in 1..p_accounts loop
        perform api.add_tokens('user-' || i, 1000000000, reason => 'welcome');
        perform api.add_tokens('user-' || i, 1000000000, 'purchase', 'Standard');
        if i % 500 = 0 then
            commit;
        end if;
    end loop;

    insert into bare.wallets (user_id, balance)
    select 'user-' || i, 2000000000 from generate_series(1, p_accounts) as i;
    insert into six.entries select * from credits.entries;
    insert into six.wallets (account_id, balance, seq, head_hash, posted_at, lifetime_granted)
    select w.account_id, w.balance, w.seq, w.head_hash, w.posted_at, w.lifetime_granted from credits.wallets as w;
    insert into six.lots (account_id, lot_id, source, granted, remaining, priority, effective_at)
    select l.account_id, l.lot_id, l.source, l.granted, l.granted, l.priority, l.effective_at from credits.lots as l;

    perform api.consume_tokens('stablediffusion', user_id => 'user-' || i) from generate_series(1, p_accounts) as i;
end
$$;
