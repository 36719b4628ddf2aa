-- The plain items of a batch, which one statement charges. An item is plain when api.consume_tokens would have nothing
-- to wait for, repeat, refuse, or check beyond the permit of the wallet. After an item that is not plain, no later item
-- of the same account is plain, because it must wait for that one.

create or replace function credits.batch_items(p_items jsonb, p_account_ids uuid[])
returns table (
    place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb,
    plain boolean, nth_use bigint
)
language sql
stable
rows 100
begin atomic
    select
        x.place,
        p_account_ids[x.place] as account_id,
        x.item ->> 'user_id' as user_id,
        x.item ->> 'module_id' as module_id,
        coalesce(x.item -> 'usage', '{}') as usage,
        x.item ->> 'idempotency_key' as key,
        coalesce(x.item -> 'metadata', '{}') as metadata,
        nullif(nullif(x.item -> 'tags', 'null'), '{}') as tags,
        case
            when credits.is_item(x.item) is not true then false
            when (
                (x.item -> 'byok') = 'true' or pg_column_size(x.item -> 'usage') > 2048
                or length(x.item ->> 'idempotency_key') > 200 or x.item ->> 'idempotency_key' !~ '^[!-~]+$'
            ) is true then false
            when (x.item -> 'tags' not in ('{}', 'null')) is true and not credits.is_tags(x.item -> 'tags') then false
            when (x.item -> 'metadata' <> '{}') is true then credits.is_metadata(x.item -> 'metadata')
            else true
        end as plain,
        row_number() over (
            partition by p_account_ids[x.place], x.item ->> 'idempotency_key'
            order by x.place
        ) as nth_use
    from jsonb_array_elements(p_items) with ordinality as x (item, place);
end;
comment on function credits.batch_items(jsonb, uuid[]) is
'The items of a batch as rows. plain: its arguments are good, and tokens pay for it. nth_use: how often its key has '
'been used in this batch, this item included.';

-- A refused item must not stop the others. The subtransaction costs little, because it writes nothing.
create or replace function credits.price_or_null(
    p_module_id text,
    p_usage jsonb,
    p_at timestamptz,
    out price_id bigint,
    out price_source text,
    out cost numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select p.price_id, p.price_source, p.cost into strict price_id, price_source, cost
    from credits.price_usage(p_module_id, p_usage, p_at) as p;
exception
    when sqlstate 'PT404' or sqlstate 'PT422' then
        cost := null;
end
$$;
comment on function credits.price_or_null(text, jsonb, timestamptz) is
'The same as credits.price_usage, but with nulls for a usage that it refuses.';

create or replace function credits.priced_items(p_items jsonb, p_account_ids uuid[], p_at timestamptz)
returns table (
    place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb,
    plain boolean, nth_use bigint, price_id bigint, price_source text, cost numeric
)
language sql
stable
rows 100
begin atomic
    with item as materialized (
        select * from credits.batch_items(p_items, p_account_ids)
    ),

    price as materialized (
        select
            a.module_id,
            a.usage,
            p.price_id,
            p.price_source,
            p.cost
        from (
            select distinct
                i.module_id,
                i.usage
            from item as i
            where i.plain
        ) as a
        cross join lateral (select * from credits.price_or_null(a.module_id, a.usage, p_at)) as p
    )

    select
        i.*,
        p.price_id,
        p.price_source,
        p.cost
    from item as i
    left join price as p on i.module_id = p.module_id and i.usage = p.usage;
end;
comment on function credits.priced_items(jsonb, uuid[], timestamptz) is
'credits.batch_items with prices. Each usage is priced once. cost: null when the usage cannot be priced.';

-- limit 1 makes the planner look up wallets and keys by their index, whatever its statistics say.
create or replace function credits.counted_items(p_items jsonb, p_account_ids uuid[], p_at timestamptz)
returns table (
    place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb,
    price_id bigint, price_source text, cost numeric, wallet_seq bigint, balance numeric, debt numeric,
    posted_at timestamptz, head_lot bigint, head_hash bytea, head_permit numeric, nth bigint, taken numeric,
    all_plain boolean
)
language sql
stable
rows 100
begin atomic
    select
        i.place,
        i.account_id,
        i.user_id,
        i.module_id,
        i.usage,
        i.key,
        i.metadata,
        i.tags,
        i.price_id,
        i.price_source,
        i.cost,
        w.seq,
        w.balance,
        w.debt,
        w.posted_at,
        w.head_lot,
        w.head_hash,
        w.head_permit,
        row_number() over before as nth,
        sum(i.cost) over before as taken,
        bool_and((
            i.plain and i.cost > 0 and w.status = 'active' and w.test_clock is null
            and (i.key is null or (i.nth_use = 1 and k.known is null))
        ) is true) over before as all_plain
    from (select * from credits.priced_items(p_items, p_account_ids, p_at)) as i
    inner join lateral (
        select *
        from credits.wallets as x
        where x.account_id = i.account_id
        order by x.account_id
        limit 1
    ) as w on true
    left join lateral (
        select true as known
        from credits.idempotency_keys as x
        where x.account_id = i.account_id and x.operation = 'consume_tokens' and x.key = i.key
        order by x.key
        limit 1
    ) as k on true
    window before as (partition by i.account_id order by i.place rows unbounded preceding);
end;
comment on function credits.counted_items(jsonb, uuid[], timestamptz) is
'credits.priced_items of accounts that exist, with their wallets. nth: the item''s number within its account. '
'taken: the cost of this item and of the items of its account before it. all_plain: are this item and those before it '
'plain?';

create or replace function credits.plain_charges(p_items jsonb, p_account_ids uuid[], p_at timestamptz)
returns table (
    place bigint, account_id uuid, user_id text, module_id text, usage jsonb, key text, metadata jsonb, tags jsonb,
    price_id bigint, price_source text, cost numeric, taken numeric, seq bigint, posted_at timestamptz,
    tokens credits.tokens, balance_after credits.tokens, debt_after credits.tokens, draws jsonb, first_hash bytea
)
language sql
stable
rows 100
begin atomic
    select
        c.place,
        c.account_id,
        c.user_id,
        c.module_id,
        credits.usage_or_call(c.usage) as usage,
        c.key,
        c.metadata,
        c.tags,
        c.price_id,
        c.price_source,
        c.cost,
        c.taken,
        c.wallet_seq + c.nth as seq,
        -- A clock that steps back must not reorder the ledger.
        greatest(p_at, coalesce(c.posted_at + interval '1 microsecond', p_at))
        + (c.nth - 1) * interval '1 microsecond' as posted_at,
        -c.cost as tokens,
        c.balance - c.taken as balance_after,
        c.debt as debt_after,
        credits.draw_of(c.head_lot, c.cost) as draws,
        c.head_hash as first_hash
    from credits.counted_items(p_items, p_account_ids, p_at) as c
    where c.all_plain and c.taken <= c.head_permit
    order by c.account_id, c.place;
end;
comment on function credits.plain_charges(jsonb, uuid[], timestamptz) is
'The plain charges of a batch, by account and in the order of the items, with everything that their entries record '
'except the hash. taken: the tokens of this charge and of those of its account before it. first_hash: the last hash '
'of the wallet.';

create or replace function credits.spend_plain(p_items jsonb, p_account_ids uuid[], p_at timestamptz)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Planning takes longer than the statement itself, so a session plans it once. No plan may read all wallets.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_actor constant text := credits.actor();
    v_verdicts text[];
begin
    with charge as materialized (
        select
            c.*,
            lead(c.place) over these is null as last,
            credits.chain(c.first_hash, row(
                c.account_id, c.seq, c.posted_at, c.posted_at, 'spend', c.tokens, c.balance_after, c.debt_after, c.draws,
                c.module_id, c.usage, c.price_id, null, null, null, null, null, null, v_actor, c.metadata, null, c.tags,
                null
            )::credits.entries) over these as hash
        from credits.plain_charges(p_items, p_account_ids, p_at) as c
        window these as (partition by c.account_id order by c.place rows unbounded preceding)
    ),
    written as (
        insert into credits.entries (account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
            module_id, usage, price_id, actor, metadata, hash, tags)
        select
            c.account_id, c.seq, c.posted_at, c.posted_at, 'spend', c.tokens, c.balance_after, c.debt_after, c.draws,
            c.module_id, c.usage, c.price_id, v_actor, c.metadata, c.hash, c.tags
        from charge as c
    ),
    claimed as (
        insert into credits.idempotency_keys (account_id, operation, key, entry_seq, created_at)
        select c.account_id, 'consume_tokens', c.key, c.seq, p_at
        from charge as c
        where c.key is not null
    ),
    moved as (
        update credits.wallets as w
        set
            seq = c.seq, balance = c.balance_after, posted_at = c.posted_at, head_hash = c.hash,
            head_permit = w.head_permit - c.taken, head_taken = w.head_taken + c.taken,
            lifetime_spent = w.lifetime_spent + c.taken
        from charge as c
        where c.last and w.account_id = c.account_id
    )
    select array_agg(v.verdict order by x.place) into v_verdicts
    from generate_series(1, cardinality(p_account_ids)) as x (place)
    left join (
        select c.place,
            '{"ok": true, "cost": ' || trim_scale(c.cost) || ', "draws": ' || c.draws || ', "balance": '
            || trim_scale(c.balance_after) || ', "user_id": ' || to_json(c.user_id) || ', "entry_id": "'
            || c.account_id || ':' || c.seq || '", "refunded": 0, "replayed": false, "module_id": '
            || to_json(c.module_id) || ', "price_source": "' || c.price_source || '"}' as verdict
        from charge as c
    ) as v on x.place = v.place;
    return v_verdicts;
end
$$;
comment on function credits.spend_plain(jsonb, uuid[], timestamptz) is
'Charges the plain items of a batch and returns their verdicts, with null for each other item.';
