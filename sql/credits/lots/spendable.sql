-- What can be spent. Reading books nothing, so lots and holds that are past their time are left out here.

create or replace function credits.free_tokens(p_account_id uuid, p_scopes text[], p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(sum(greatest(l.remaining - l.held - l.withheld + coalesce(d.tokens, 0), 0)), 0)
        from credits.current_lots as l
        left join (
            select x.lot_id, sum(x.tokens) as tokens
            from credits.held_draws as x
            where x.account_id = p_account_id and x.expires_at <= p_at
            group by x.lot_id
        ) as d on l.lot_id = d.lot_id
        where
            l.account_id = p_account_id and not l.frozen
            and l.effective_at <= p_at and (l.expires_at is null or l.expires_at > p_at)
            and (p_scopes is null or l.scope is null or l.scope = any (p_scopes)) is true
    );
end
$$;
comment on function credits.free_tokens(uuid, text[], timestamptz) is
'The tokens of an account that are not held, withheld, frozen, expired or bound to something else than p_scopes. '
'Null: whatever they are bound to.';

-- While a wallet has a permit, this is its balance + debt - held: see credits.choose_head. The view api.balance says
-- the same, with the rights of its reader.
create or replace function credits.available(p_account_id uuid, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when credits.in_default(p_account_id) then 0
        else credits.free_tokens(p_account_id, null, p_at)
    end;
end
$$;
comment on function credits.available(uuid, timestamptz) is
'The tokens that an account may spend now, on whatever they are bound to. 0 while it has more debt than it may have. '
'Every answer that says available, and is not about one module, says this.';

create or replace function credits.spendable(p_account_id uuid, p_module_id text, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when credits.in_default(p_account_id) then 0
        else credits.free_tokens(p_account_id, credits.scopes_of(p_module_id), p_at)
    end;
end
$$;
comment on function credits.spendable(uuid, text, timestamptz) is
'The tokens that an account may spend on a module now. 0 while it has more debt than it may have.';
