-- Many charges: each as credits.spend would make it, one after the other, but in memory. A wallet and its lots are read
-- once and written once, however many charges it has; all entries are written by one statement, all keys and
-- all wallets by another. Called with the wallets locked and nothing due on them.

create or replace function credits.spend_many(
    p_items jsonb, p_account_ids uuid[], p_at timestamptz, p_busy uuid[] default '{}'
)
returns jsonb[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor constant text := credits.actor();
    v_verdicts jsonb[] := array[]::jsonb[];
    v_entries credits.entries[] := array[]::credits.entries[];
    v_keys credits.idempotency_keys[] := array[]::credits.idempotency_keys[];
    v_wallets credits.wallets[] := array[]::credits.wallets[];
    v_written integer := 0;
    v_claimed integer := 0;
    v_changed integer := 0;
    -- An account with its items, and its wallet as it becomes.
    v_group record;
    v_wallet credits.wallets;
    v_in_default boolean;
    v_at timestamptz;
    v_seq bigint;
    v_balance numeric;
    v_posted_at timestamptz;
    v_hash bytea;
    v_head_free numeric;
    v_spent numeric;
    -- Its lots, once the head does not do: in burn order, the head's tokens back in their lot.
    v_lots bigint[];
    v_scopes text[];
    v_free numeric[];
    v_limit numeric;
    v_level numeric;
    -- Charges that may call for a notice: whose, and the balance before and after.
    v_told uuid[] := array[]::uuid[];
    v_before numeric[] := array[]::numeric[];
    v_after numeric[] := array[]::numeric[];
    -- Accounts whose head was put back.
    v_headless uuid[] := array[]::uuid[];
    v_times timestamptz[] := array[]::timestamptz[];
    -- Its keys in this very batch, and where they were used.
    v_own_keys text[];
    v_own_places bigint[];
    v_prints bytea[] := array[]::bytea[];
    -- The item.
    v_place bigint;
    v_item jsonb;
    v_user_id text;
    v_module_id text;
    v_usage jsonb;
    v_metadata jsonb;
    v_kind credits.entry_kind;
    v_key text;
    v_print bytea;
    v_arguments jsonb;
    v_earlier bigint;
    v_price record;
    v_priced_module text;
    v_priced_usage jsonb;
    v_priced_at timestamptz;
    v_cost numeric;
    v_draws jsonb;
    v_scopes_of text[];
    v_left numeric[];
    v_missing numeric;
    v_taken numeric;
    v_state text;
    v_message text;
    v_detail text;
begin
    for v_group in
        select
            g.*,
            (select w from credits.wallets as w where w.account_id = g.account_id) as wallet
        from (
            select
                p_account_ids[x.place] as account_id,
                array_agg(x.place order by x.place) as places,
                array_agg(k.fingerprint order by x.place) as prints,
                array_agg(k.reference order by x.place) as seqs
            from jsonb_array_elements(p_items) with ordinality as x (item, place)
            left join lateral (
                select y.fingerprint, y.reference
                from credits.idempotency_keys as y
                where
                    y.account_id = p_account_ids[x.place] and y.operation = 'consume_tokens'
                    and y.key = x.item ->> 'idempotency_key'
                limit 1
            ) as k on true
            group by p_account_ids[x.place]
        ) as g
    loop
        v_wallet := v_group.wallet;
        v_at := coalesce(v_wallet.test_clock, p_at);
        v_in_default := v_wallet.debt > 0 and credits.in_default(v_wallet.account_id);
        v_seq := v_wallet.seq;
        v_balance := v_wallet.balance;
        v_posted_at := v_wallet.posted_at;
        v_hash := v_wallet.head_hash;
        v_head_free := v_wallet.head_free;
        v_spent := 0;
        v_lots := null;
        v_own_keys := '{}';
        v_own_places := '{}';

        for i in 1..cardinality(v_group.places) loop
            v_place := v_group.places[i];
            -- Nothing is written in here, and nothing remembered before all that can be refused has been: a refusal
            -- leaves no trace, and costs no more than a subtransaction without a number.
            begin
                -- 1. Is it an item, with the names and types of the arguments of consume_tokens? A name that is misspelt
                --    must not charge for something else. Here, because the call of a function would take longer.
                v_item := p_items -> (v_place - 1)::integer;
                if jsonb_typeof(v_item) is distinct from 'object' then
                    perform credits.fail(422, 'bad_items', 'an item is an object');
                elsif v_item - array['user_id', 'module_id', 'usage', 'idempotency_key', 'metadata', 'byok'] <> '{}' then
                    perform credits.fail(
                        422, 'bad_items',
                        'an item has user_id, module_id, usage, idempotency_key, metadata, byok, and nothing else'
                    );
                elsif (
                    jsonb_typeof(v_item -> 'user_id') not in ('string', 'null')
                    or jsonb_typeof(v_item -> 'module_id') not in ('string', 'null')
                    or jsonb_typeof(v_item -> 'idempotency_key') not in ('string', 'null')
                    or jsonb_typeof(v_item -> 'byok') <> 'boolean'
                ) is true then
                    if jsonb_typeof(v_item -> 'byok') is not distinct from 'null' then
                        perform credits.fail(422, 'bad_byok', 'byok is true or false: null must not say who pays');
                    end if;
                    perform credits.fail(
                        422, 'bad_items', 'user_id, module_id and idempotency_key are strings, byok is true or false'
                    );
                end if;

                -- 2. Whose, and does it make sense?
                v_user_id := v_item ->> 'user_id';
                if v_wallet.account_id is null then
                    perform credits.caller_subject(v_user_id, 'spender');
                    perform credits.fail(404, 'unknown_user', 'no such user: open_account opens an account');
                elsif v_wallet.account_id = any (p_busy) then
                    perform credits.refuse_busy();
                end if;
                v_module_id := v_item ->> 'module_id';
                v_usage := coalesce(v_item -> 'usage', '{}');
                v_metadata := coalesce(v_item -> 'metadata', '{}');
                v_kind := case when (v_item -> 'byok') is not distinct from 'true' then 'byok' else 'spend' end::credits.entry_kind;
                if v_metadata <> '{}' then
                    perform credits.check_metadata(v_metadata);
                end if;
                if pg_column_size(v_usage) > 2048 then
                    perform credits.fail(422, 'bad_usage', 'usage is larger than 2 kB');
                end if;

                -- 3. A repeat: of a call, of an item of an earlier batch, or of this one. The keys, and their
                --    fingerprints, are those of consume_tokens.
                v_key := v_item ->> 'idempotency_key';
                if v_key is not null then
                    if v_key !~ '^[!-~]+$' or length(v_key) > 200 then
                        perform credits.check_key(v_key);
                    end if;
                    v_arguments := jsonb_build_array(
                        v_module_id, credits.spelled_usage(v_usage), v_metadata, v_kind = 'byok', null
                    );
                    v_print := credits.fingerprint(v_arguments);
                    v_earlier := v_own_places[array_position(v_own_keys, v_key)];
                    if v_earlier is not null or v_group.prints[i] is not null then
                        if v_print is distinct from coalesce(v_group.prints[i], v_prints[v_earlier]) then
                            perform credits.check_fingerprint(
                                coalesce(v_group.prints[i], v_prints[v_earlier]), v_arguments
                            );
                        end if;
                        v_verdicts[v_place] := coalesce(
                            v_verdicts[v_earlier] || jsonb_build_object('user_id', v_user_id, 'replayed', true),
                            '{"ok": true}' || to_jsonb(
                                credits.spend_receipt(v_wallet.account_id, v_group.seqs[i]::bigint, v_user_id)
                            )
                        );
                        continue;
                    end if;
                end if;
                if v_wallet.status is distinct from 'active' then
                    perform credits.fail(423, 'account_frozen', 'this account is ' || v_wallet.status);
                end if;

                -- 4. Price: the one before, for the same use at the same time.
                if (v_module_id = v_priced_module and v_usage = v_priced_usage and v_at = v_priced_at) is not true then
                    v_price := credits.price_usage(v_module_id, v_usage, v_at);
                    v_priced_module := v_module_id;
                    v_priced_usage := v_usage;
                    v_priced_at := v_at;
                end if;
                v_cost := case when v_kind = 'spend' then v_price.cost else 0 end;
                if (v_in_default and v_cost > 0) is true then
                    perform credits.refuse_tokens(v_balance, v_wallet.debt, v_price.price_id, v_cost, v_cost);
                end if;

                -- 5. Take: nothing, from the head, or from the lots.
                if (v_cost = 0) is true then
                    v_draws := '[]';
                elsif (v_cost <= v_head_free) is true then
                    v_head_free := v_head_free - v_cost;
                    v_draws := jsonb_build_array(
                        jsonb_build_object('lot_id', v_wallet.head_lot, 'tokens', trim_scale(v_cost))
                    );
                else
                    if v_lots is null then
                        select
                            coalesce(array_agg(f.lot_id), '{}'), coalesce(array_agg(f.scope), '{}'),
                            coalesce(array_agg(f.free), '{}')
                        into v_lots, v_scopes, v_free
                        from credits.free_lots(v_wallet.account_id, v_at, v_wallet.head_lot, v_head_free) as f;
                        v_head_free := 0;
                        v_limit := credits.limit_left(v_wallet.account_id, v_at) - v_spent;
                        v_level := (
                            select
                                case
                                    when (
                                        l.low_armed and coalesce(l.depleted_armed, true)
                                        and array_to_string(v_scopes, '') = ''
                                        and (select sum(f.free) from unnest(v_free) as f (free))
                                        = v_balance - v_wallet.held
                                    ) is true
                                        then credits.next_level(v_wallet.account_id, v_balance - v_wallet.held)
                                    -- Rising arms what is not, and of lots that are bound or
                                    -- frozen nobody knows what they pay: every charge is looked at.
                                    else 'Infinity'
                                end
                            from credits.notice_levels_of(v_wallet.account_id) as l
                            where num_nonnulls(l.low, l.depleted_armed) > 0
                        );
                    end if;
                    if (v_cost > v_limit) is true then
                        perform credits.keep_limits(v_wallet.account_id, v_cost, v_at, v_spent);
                    end if;
                    if (array_to_string(v_scopes, '') <> '') is true then
                        v_scopes_of := credits.scopes_of(v_module_id);
                    end if;
                    v_draws := '[]';
                    v_left := v_free;
                    v_missing := v_cost;
                    for j in 1..cardinality(v_lots) loop
                        exit when (v_missing > 0) is not true;
                        continue when (v_left[j] > 0) is not true
                            or (v_scopes[j] is not null and (v_scopes[j] = any (v_scopes_of)) is not true);
                        v_taken := least(v_left[j], v_missing);
                        v_left[j] := v_left[j] - v_taken;
                        v_missing := v_missing - v_taken;
                        v_draws := v_draws || jsonb_build_object('lot_id', v_lots[j], 'tokens', trim_scale(v_taken));
                    end loop;
                    if (v_missing > 0) is true then
                        perform credits.refuse_tokens(
                            v_balance, v_wallet.debt, v_price.price_id, v_cost, v_missing
                        );
                    end if;
                    v_free := v_left;
                    v_limit := v_limit - v_cost;
                    if (v_balance - v_cost - v_wallet.held < v_level) is true then
                        v_told := v_told || v_wallet.account_id;
                        v_before := v_before || v_balance;
                        v_after := v_after || (v_balance - v_cost);
                        v_level := 'Infinity';
                    end if;
                end if;

                -- 6. The entry, as credits.post_entry makes it.
                v_seq := v_seq + 1;
                v_spent := v_spent + v_cost;
                v_balance := v_balance - v_cost;
                v_posted_at := greatest(v_at, coalesce(v_posted_at + interval '1 microsecond', v_at));
                v_hash := credits.entry_hash(
                    v_hash, v_wallet.account_id, v_seq, v_posted_at, v_posted_at, v_kind, -v_cost, v_balance,
                    v_wallet.debt, v_draws, v_module_id, v_price.usage, v_price.price_id, null, v_actor, v_metadata
                );
                v_written := v_written + 1;
                v_entries[v_written] := row(
                    v_wallet.account_id, v_seq, v_posted_at, v_posted_at, v_kind, -v_cost, v_balance, v_wallet.debt,
                    v_draws, v_module_id, v_price.usage, v_price.price_id, null, v_actor, v_metadata, v_hash
                )::credits.entries;
                v_verdicts[v_place] := '{"ok": true}' || to_jsonb(row(
                    v_wallet.account_id || ':' || v_seq, v_user_id, v_module_id, trim_scale(v_cost),
                    trim_scale(v_balance), v_draws, false, v_price.price_source, 0::numeric
                )::api.spend_receipt);
                if v_key is not null then
                    v_claimed := v_claimed + 1;
                    v_keys[v_claimed] := row(
                        v_wallet.account_id, 'consume_tokens', v_key, v_print, v_seq, p_at
                    )::credits.idempotency_keys;
                    v_own_keys := v_own_keys || v_key;
                    v_own_places := v_own_places || v_place;
                    v_prints[v_place] := v_print;
                end if;
            exception
                when sqlstate 'PT402' or sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422' or sqlstate 'PT423'
                    or sqlstate 'PT429' or sqlstate 'PT503' then
                    get stacked diagnostics
                        v_state = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail;
                    v_verdicts[v_place] := v_detail::jsonb
                        || jsonb_build_object('ok', false, 'code', v_state, 'message', v_message);
            end;
        end loop;

        -- 7. Write the lots that were drawn on; remember how the wallet has become.
        continue when v_seq is not distinct from v_wallet.seq;
        if v_lots is not null then
            if (v_wallet.head_held > 0) is true then
                perform credits.settle_head(v_wallet.account_id);
            end if;
            update credits.lots as l
            set remaining = l.held + x.free, live = l.held + x.free > 0
            from unnest(v_lots, v_free) as x (lot_id, free)
            where
                l.account_id = v_wallet.account_id and l.lot_id = x.lot_id
                and l.remaining is distinct from l.held + x.free;
            v_headless := v_headless || v_wallet.account_id;
            v_times := v_times || v_at;
            v_wallet.head_lot := null;
        end if;
        v_wallet.seq := v_seq;
        v_wallet.balance := v_balance;
        v_wallet.posted_at := v_posted_at;
        v_wallet.head_hash := v_hash;
        v_wallet.head_free := v_head_free;
        v_wallet.lifetime_spent := v_wallet.lifetime_spent + v_spent;
        v_changed := v_changed + 1;
        v_wallets[v_changed] := v_wallet;
    end loop;

    -- 8. Write all entries, all keys and all wallets; then the notices, and choose heads for the next spends.
    insert into credits.entries select e.* from unnest(v_entries) as e;
    insert into credits.idempotency_keys select k.* from unnest(v_keys) as k;
    update credits.wallets as w
    set
        seq = x.seq, balance = x.balance, posted_at = x.posted_at, head_hash = x.head_hash, head_lot = x.head_lot,
        head_free = x.head_free, lifetime_spent = x.lifetime_spent
    from unnest(v_wallets) as x
    where w.account_id = x.account_id;
    for i in 1..cardinality(v_told) loop
        perform credits.write_notices(v_told[i], v_before[i], v_after[i]);
    end loop;
    for i in 1..cardinality(v_headless) loop
        perform credits.choose_head(v_headless[i], v_times[i]);
    end loop;
    return v_verdicts;
end
$$;
comment on function credits.spend_many(jsonb, uuid[], timestamptz, uuid[]) is
'The work of api.consume_tokens_batch: charges the items of accounts whose wallets are locked, and gives a verdict for '
'each, in their order. p_account_ids: the account of each item, null for a user who is not known. p_busy: the accounts '
'whose wallets could not be locked.';
