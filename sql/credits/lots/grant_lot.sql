-- Tokens come in: a lot, and the entry that grants it. Callers have locked the wallet.
create or replace function credits.grant_lot(
    p_account_id uuid,
    p_source credits.entry_kind,
    p_tokens numeric,
    p_package_name text default null,
    p_priority bigint default null,
    p_scope text default null,
    p_expires_at timestamptz default null,
    p_unit_cost numeric default 0,
    p_currency text default null,
    p_order_id uuid default null,
    p_campaign_id text default null,
    p_metadata jsonb default '{}'
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lot credits.lots;
begin
    v_lot.account_id := p_account_id;
    v_lot.source := p_source;
    v_lot.package_name := p_package_name;
    v_lot.granted := p_tokens;
    v_lot.priority := coalesce(p_priority, credits.default_priority(p_source));
    v_lot.scope := p_scope;
    v_lot.effective_at := credits.clock(p_account_id);
    v_lot.expires_at := p_expires_at;
    v_lot.unit_cost := p_unit_cost;
    v_lot.currency := p_currency;
    v_lot.order_id := p_order_id;
    return credits.put_lot(v_lot, p_campaign_id, p_metadata);
end
$$;
comment on function credits.grant_lot(
    uuid, credits.entry_kind, numeric, text, bigint, text, timestamptz, numeric, text, uuid, text, jsonb
) is 'Grants a lot to a locked wallet and returns its lot_id, the seq of its entry. Raises PT422 bad_amount.';

create or replace function credits.put_lot(
    p_lot credits.lots, p_campaign_id text default null, p_metadata jsonb default '{}'
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_entry credits.entries;
begin
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_lot.account_id;
    if (
        v_wallet.balance + p_lot.granted < 100000000000000
        and v_wallet.lifetime_granted + p_lot.granted < 100000000000000
    ) is not true then
        perform credits.fail(422, 'bad_amount', 'the account would pass 10^14 tokens');
    end if;

    p_lot.lot_id := v_wallet.seq + 1;
    -- Write the lot first: whether a notice is armed again depends on what the account can pay for now.
    insert into credits.lots (
        account_id, lot_id, source, package_name, granted, remaining, priority, scope,
        effective_at, expires_at, unit_cost, currency, order_id
    )
    values (
        p_lot.account_id, p_lot.lot_id, p_lot.source, p_lot.package_name, p_lot.granted, p_lot.granted, p_lot.priority,
        p_lot.scope, p_lot.effective_at, p_lot.expires_at, p_lot.unit_cost, p_lot.currency, p_lot.order_id
    );
    perform credits.note_grant(p_lot.account_id, p_lot.source, p_lot.granted);
    v_entry := credits.next_entry(
        v_wallet, p_lot.source, p_lot.granted, credits.draw_of(p_lot.lot_id, p_lot.granted)
    );
    -- The tokens of a period that was paid late are dated by their period.
    if (p_lot.source in ('allowance', 'rollover') and p_lot.effective_at < v_entry.posted_at) is true then
        v_entry.effective_at := p_lot.effective_at;
    end if;
    v_entry.order_id := p_lot.order_id;
    v_entry.campaign_id := p_campaign_id;
    v_entry.package_name := p_lot.package_name;
    v_entry.metadata := p_metadata;
    v_entry := credits.write_entry(v_entry, v_wallet.head_hash);
    update credits.wallets as w
    set
        seq = v_entry.seq, balance = v_entry.balance_after, posted_at = v_entry.posted_at, head_hash = v_entry.hash,
        lifetime_granted = w.lifetime_granted + p_lot.granted
    where w.account_id = p_lot.account_id;
    perform credits.write_notices(p_lot.account_id, v_wallet.balance, v_entry.balance_after);
    perform credits.put_for_products(
        p_lot.account_id, 'granted',
        jsonb_build_object(
            'lot_id', v_entry.seq, 'source', p_lot.source, 'package_name', p_lot.package_name,
            'tokens', trim_scale(p_lot.granted), 'balance', trim_scale(v_entry.balance_after)
        )
    );
    if p_lot.expires_at is not null or exists (
        select from credits.settings as s where s.purge_after is not null
    ) then
        perform credits.set_due(p_lot.account_id);
    end if;
    -- Tokens that were paid for repay debt first. Tokens that were given away do not, nor those that went over from a
    -- period whose payment could have repaid it.
    if (p_lot.source = 'purchase' or (p_lot.source = 'allowance' and p_lot.unit_cost > 0)) is true then
        perform credits.repay_debt(p_lot.account_id, p_lot.lot_id);
    end if;
    return p_lot.lot_id;
end
$$;
comment on function credits.put_lot(credits.lots, text, jsonb) is
'Grants a lot to a locked wallet: source, tokens (granted), priority, scope, times, cost and order are those of p_lot. '
'Returns its lot_id, the seq of its entry. Raises PT422 bad_amount.';

create or replace function credits.default_priority(p_source credits.entry_kind)
returns bigint
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when (p_source = 'rollover') is true then 5
        when (p_source = 'allowance') is true then 10
        when (p_source in ('welcome', 'promo', 'referral', 'grant')) is true then 20
        else 50
    end;
end
$$;
comment on function credits.default_priority(credits.entry_kind) is
'The default priority of tokens by their source: rollover 5, allowance 10, given away 20, bought (and any bonus) 50.';
