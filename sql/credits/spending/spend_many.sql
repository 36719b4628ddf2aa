-- Many charges, each with a verdict of its own. Most charges are plain, and one statement makes them all: see
-- spend_plain.sql. api.consume_tokens makes the others, one after the other.

create or replace function credits.spend_many(
    p_items jsonb,
    p_account_ids uuid[],
    p_at timestamptz,
    p_busy uuid[] default '{}',
    out verdicts text[],
    out refusals jsonb[]
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_free uuid[] := p_account_ids;
    v_account_id uuid;
    v_verdict jsonb;
begin
    if p_busy <> '{}' then
        v_free := array(
            select case when (a.account_id = any (p_busy)) is not true then a.account_id end
            from unnest(p_account_ids) with ordinality as a (account_id, place)
            order by a.place
        );
    end if;
    -- A wallet that has lost its permit gets a new one first: then its items are plain.
    for v_account_id in
        select w.account_id
        from credits.wallets as w
        where w.account_id = any (v_free) and w.head_permit = 0 and w.balance > w.held and w.test_clock is null
    loop
        perform credits.choose_head(v_account_id, p_at);
    end loop;
    verdicts := credits.spend_plain(p_items, v_free, p_at);
    refusals := array_fill(null::jsonb, array[cardinality(verdicts)]);
    for i in 1..cardinality(verdicts) loop
        continue when verdicts[i] is not null;
        v_verdict := credits.spend_item(p_items -> (i - 1), p_account_ids[i], p_account_ids[i] = any (p_busy));
        verdicts[i] := v_verdict;
        if (v_verdict -> 'ok') is not distinct from 'false' then
            refusals[i] := v_verdict;
        end if;
    end loop;
end
$$;
comment on function credits.spend_many(jsonb, uuid[], timestamptz, uuid[]) is
'Does the work of api.consume_tokens_batch: charges the items of accounts whose wallets are locked. verdicts: one for '
'each item, in order, as JSON. refusals: the same verdicts for refused items, and null for the others. p_account_ids: '
'the account of each item, null for an unknown user. p_busy: the accounts whose wallets could not be locked.';
