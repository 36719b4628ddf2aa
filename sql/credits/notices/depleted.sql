-- Tokens are used up not only at zero, but as soon as the rest pays for nothing any more.

create or replace function credits.least_cost(p_price_id bigint)
returns numeric
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The other dimensions may be 0. The first unit that is not free is charged whole, or is the smallest quantity, or
    -- may be any small part of a unit.
    return (
        select
            min(
                greatest(
                    credits.ceil_tokens(
                        greatest(
                            case
                                when c.whole_units then u.price
                                when c.whole_quantity and c.free_quantity = trunc(c.free_quantity) then u.price / c.unit_size
                                else 0
                            end,
                            c.minimum_charge
                        ) * p.margin,
                        p.exchange_rate
                    ),
                    0.000001
                )
            )
        from credits.price_components as c
        join credits.prices as p on c.price_id = p.price_id
        cross join lateral (
            select coalesce(nullif(c.price_per_unit, 0), (
                select t.price_per_unit
                from credits.price_tiers as t
                where t.price_id = c.price_id and t.dimension = c.dimension and t.price_per_unit > 0
                order by t.above
                limit 1
            ), 0) as price
        ) as u
        where c.price_id = p_price_id and p.margin > 0 and (u.price > 0 or c.minimum_charge > 0)
    );
end
$$;
comment on function credits.least_cost(bigint) is
'The least that a use costs under a price, among the uses that cost something. Null when all are free.';

create or replace function credits.default_least()
returns numeric
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select credits.least_cost(p.price_id)
        from credits.prices as p
        where p.module_id is null and p.category_id is null and p.valid_from <= credits.clock()
        order by p.valid_from desc
        limit 1
    );
end
$$;
comment on function credits.default_least() is
'credits.least_cost of the present default price. Null when there is no default price, or it is free.';

create or replace function credits.least_charge()
returns numeric
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_listed constant numeric := (select min(l.least_cost) from credits.price_list as l);
    v_default constant numeric := credits.default_least();
begin
    -- In a bank where everything is free, or nothing is for sale: the smallest amount.
    return coalesce(credits.tighter(v_listed, v_default), 0.000001);
end
$$;
comment on function credits.least_charge() is
'The least that a use costs in this bank, among the uses that cost something.';

create or replace function credits.pays_for_something(p_account_id uuid, p_available numeric)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_unbound numeric;
    v_scopes text[];
    v_bound numeric[];
begin
    if (p_available > 0) is not true then
        return false;
    end if;
    select
        coalesce(sum(s.free) filter (where s.scope is null), 0),
        coalesce(array_agg(s.scope) filter (where s.scope is not null), '{}'),
        coalesce(array_agg(s.free) filter (where s.scope is not null), '{}')
    into v_unbound, v_scopes, v_bound
    from (
        select l.scope, sum(l.remaining - l.held - l.withheld) as free
        from credits.current_lots as l
        where
            l.account_id = p_account_id and not l.frozen and l.remaining > l.held + l.withheld
            and l.effective_at <= v_now and (l.expires_at is null or l.expires_at > v_now)
        group by l.scope
    ) as s;
    if (v_unbound >= credits.least_charge()) is true then
        return true;
    end if;
    -- Tokens that are bound to a module or category count for that one in addition.
    return v_scopes <> '{}' and exists (
        select
        from credits.price_list as l
        join credits.modules as m on l.module_id = m.module_id
        where
            coalesce(l.least_cost, 0.000001) <= v_unbound + (
                select coalesce(sum(b.free), 0)
                from unnest(v_scopes, v_bound) as b (scope, free)
                where b.scope in ('module:' || m.module_id, 'category:' || m.category_id)
            )
            and exists (
                select
                from unnest(v_scopes) as b (scope)
                where b.scope in ('module:' || m.module_id, 'category:' || m.category_id)
            )
    );
end
$$;
comment on function credits.pays_for_something(uuid, numeric) is
'Do the free tokens of an account, p_available in all, pay for at least one use of something that costs anything?';

create or replace function credits.tell_depleted(p_account_id uuid)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_levels constant record := credits.notice_levels_of(p_account_id);
    v_available numeric;
begin
    if v_levels.depleted_armed is not true then
        return false;
    end if;
    select w.balance - w.held into v_available from credits.wallets as w where w.account_id = p_account_id;
    perform credits.put_notice(p_account_id, 'depleted', jsonb_build_object('balance', trim_scale(v_available)));
    insert into credits.notice_levels as n (account_id, depleted_armed) values (p_account_id, false)
    on conflict (account_id) do update set depleted_armed = false;
    perform credits.choose_head(p_account_id, credits.clock(p_account_id));
    return true;
end
$$;
comment on function credits.tell_depleted(uuid) is
'Writes the notice depleted, if it is armed, for a locked wallet whose tokens did not pay for a use. Nothing is due '
'on the wallet. Returns true if it wrote the notice. The notice is armed again when tokens come in that pay for '
'something.';

-- A refused spend undoes everything, and so writes no notice. A refused item of a batch undoes nothing else, so the
-- batch writes its notice.
create or replace function credits.tell_refused(p_account_ids uuid[], p_verdicts jsonb[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
begin
    for v_account_id in
        select distinct x.account_id
        from unnest(p_account_ids, p_verdicts) as x (account_id, verdict)
        where x.account_id is not null and (x.verdict ->> 'error' = 'insufficient_tokens') is true
        order by x.account_id
    loop
        perform credits.tell_depleted(v_account_id);
    end loop;
end
$$;
comment on function credits.tell_refused(uuid[], jsonb[]) is
'Writes the notice depleted for each locked account of a batch that had an item refused for lack of tokens.';
