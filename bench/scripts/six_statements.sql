-- The steps of a spend, sent by a client that keeps the rules in its own code, on tables like the product's: same rows,
-- same hash chain. The client is spared what it would do by itself (checking arguments, replays, drawing from several
-- lots), so the difference to one call is the way there and back.
\set n random(1, :accounts)
\set k random(1, 1000000000000)
begin;

-- 1. Lock the wallet.
select w.account_id, w.seq + 1 as next_seq
from credits.identities as i
join six.wallets as w on w.account_id = i.account_id
where i.subject = 'user-' || :n and w.status = 'active' and w.due_at > clock_timestamp()
for no key update of w
\gset

-- 2. Claim the key. No row would be a replay.
insert into six.idempotency_keys (account_id, operation, key, entry_seq, created_at)
values (:account_id, 'consume_tokens', 'six-' || :k, :next_seq, clock_timestamp())
on conflict do nothing
returning entry_seq
\gset

-- 3. Price one call: the module's own price, else its category's, else the default.
select p.price_id, m.category_id, ceil(c.price_per_unit / c.unit_size * p.margin / p.exchange_rate * 1000000) / 1000000 as cost
from credits.modules as m
join credits.prices as p
    on p.module_id = m.module_id
    or (p.module_id is null and (p.category_id = m.category_id or p.category_id is null))
join credits.price_components as c on c.price_id = p.price_id
where m.module_id = 'stablediffusion' and m.active and p.valid_from <= clock_timestamp()
order by p.module_id nulls last, p.category_id nulls last, p.valid_from desc
limit 1
\gset

-- 4. Take from the first lot in burn order.
update six.lots as l
set remaining = l.remaining - :cost, live = l.remaining > :cost
where l.account_id = :account_id and l.remaining - l.held >= :cost and l.lot_id = (
    select x.lot_id
    from six.lots as x
    where
        x.account_id = :account_id and x.live and not x.frozen and x.remaining > x.held
        and x.effective_at <= clock_timestamp() and (x.expires_at is null or x.expires_at > clock_timestamp())
        and (x.scope is null or x.scope = 'module:' || 'stablediffusion' or x.scope = 'category:' || :category_id)
    order by x.priority, x.expires_at nulls last, x.scope is null, x.unit_cost > 0, x.effective_at, x.lot_id
    limit 1
)
returning l.lot_id
\gset

-- 5. Move the balance and the chain. The clock is read once, after the lock.
update six.wallets as w
set
    balance = w.balance - :cost,
    seq = w.seq + 1,
    posted_at = greatest(t.now, w.posted_at + interval '1 microsecond'),
    head_hash = credits.entry_hash(w.head_hash, row(
        w.account_id, w.seq + 1,
        greatest(t.now, w.posted_at + interval '1 microsecond'), greatest(t.now, w.posted_at + interval '1 microsecond'),
        'spend', - :cost::numeric, w.balance - :cost, w.debt,
        jsonb_build_array(jsonb_build_object('lot_id', :lot_id::bigint, 'tokens', trim_scale(:cost::numeric))),
        'stablediffusion', '{"calls": 1}', :price_id, null, null, null, null, null, null, 'bench_client', '{}', null, null,
        null
    )::credits.entries),
    lifetime_spent = w.lifetime_spent + :cost
from (select clock_timestamp() as now) as t
where w.account_id = :account_id
returning w.seq, w.balance, w.debt, w.posted_at, w.head_hash
\gset

-- 6. Write the entry.
insert into six.entries (
    account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
    module_id, usage, price_id, actor, metadata, hash
)
values (
    :account_id, :seq, :posted_at, :posted_at, 'spend', - :cost::numeric, :balance, :debt,
    jsonb_build_array(jsonb_build_object('lot_id', :lot_id::bigint, 'tokens', trim_scale(:cost::numeric))),
    'stablediffusion', '{"calls": 1}', :price_id, 'bench_client', '{}', :head_hash
);

commit;
