-- Writing an agreement to automatic top-ups, and the state that it leads to.

create or replace function credits.agree_to_topups(
    p_account_id uuid,
    p_threshold numeric,
    p_offer credits.orders,
    p_monthly_limit bigint,
    p_words text,
    p_payment_method_id text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_consent_id constant uuid not null := gen_random_uuid();
    v_customer_id constant text := (
        select a.stripe_customer_id from credits.accounts as a where a.account_id = p_account_id
    );
    v_tokens constant numeric not null := p_offer.tokens + p_offer.bonus_tokens;
begin
    if p_payment_method_id is not null and v_customer_id is null then
        perform credits.fail(422, 'bad_consent', 'the account has no customer at Stripe, so it has no saved card');
    elsif exists (
        select
        from credits.auto_topups as t
        inner join credits.topup_consents as c on t.account_id = c.account_id and t.consent_id = c.consent_id
        where
            t.account_id = p_account_id and t.state in ('on', 'waiting') and c.words = p_words
            and (t.threshold, t.pack_id, t.tokens, t.amount, t.currency, t.monthly_limit)
            is not distinct from (
                p_threshold, p_offer.pack_id, v_tokens, p_offer.amount, p_offer.currency, p_monthly_limit
            )
            and (p_payment_method_id is null or (p_payment_method_id = t.payment_method_id) is true)
    ) then
        return;
    end if;
    perform credits.keep_consents_few(p_account_id, v_now);
    insert into credits.topup_consents (
        account_id, consent_id, kind, agreed_id, words, threshold, pack_id, tokens, amount, currency, monthly_limit,
        customer_id, payment_method_id, actor, decided_at
    )
    values (
        p_account_id, v_consent_id, 'consent', v_consent_id, p_words, p_threshold, p_offer.pack_id, v_tokens,
        p_offer.amount, p_offer.currency, p_monthly_limit,
        case when p_payment_method_id is not null then v_customer_id end, p_payment_method_id, credits.actor(), v_now
    );

    -- A card that is saved is kept, unless it has to be confirmed first. Its cooldown goes on.
    insert into credits.auto_topups as t (
        account_id, state, consent_id, threshold, pack_id, tokens, amount, currency, monthly_limit, customer_id,
        payment_method_id, changed_at
    )
    values (
        p_account_id, case when p_payment_method_id is null then 'waiting' else 'on' end, v_consent_id, p_threshold,
        p_offer.pack_id, v_tokens, p_offer.amount, p_offer.currency, p_monthly_limit,
        case when p_payment_method_id is not null then v_customer_id end, p_payment_method_id, v_now
    )
    on conflict on constraint auto_topups_pkey do update
    set
        state = case
            when excluded.payment_method_id is not null then 'on'
            when t.payment_method_id is null or t.reason is not distinct from 'authentication_required' then 'waiting'
            else 'on'
        end,
        reason = null, consent_id = excluded.consent_id, threshold = excluded.threshold, pack_id = excluded.pack_id,
        tokens = excluded.tokens, amount = excluded.amount, currency = excluded.currency,
        monthly_limit = excluded.monthly_limit, customer_id = coalesce(excluded.customer_id, t.customer_id),
        payment_method_id = coalesce(excluded.payment_method_id, t.payment_method_id), declines = 0,
        failures = case
            when coalesce(excluded.payment_method_id, t.payment_method_id) is not distinct from t.payment_method_id
                then t.failures
            else 0
        end,
        next_try_at = case
            when coalesce(excluded.payment_method_id, t.payment_method_id) is not distinct from t.payment_method_id
                then t.next_try_at
            else '-infinity'
        end,
        stopped_by = null, link = null, link_until = null, changed_at = excluded.changed_at;
    perform credits.set_topup_due(p_account_id);
end
$$;
comment on function credits.agree_to_topups(uuid, numeric, credits.orders, bigint, text, text) is
'Writes a user''s agreement to automatic top-ups of a locked wallet, unless it is the present one. Raises PT422 '
'bad_consent, PT429 consent_limit.';

create or replace function credits.keep_consents_few(p_account_id uuid, p_at timestamptz)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant bigint not null := least(100, coalesce((select s.most_unpaid from credits.settings as s), 100));
    v_made_at constant timestamptz := (
        select c.decided_at
        from credits.topup_consents as c
        where
            c.account_id = p_account_id and c.kind = 'consent' and c.decided_at > credits.earlier(p_at, '24 hours')
        order by c.decided_at desc
        offset v_most - 1
        limit 1
    );
begin
    if v_made_at is not null then
        perform credits.fail(
            429, 'consent_limit', 'this account has agreed to automatic top-ups as often as it may in a day',
            json_build_object('limit', v_most, 'reset_at', credits.utc_text(credits.later(v_made_at, '24 hours')))
        );
    end if;
end
$$;
comment on function credits.keep_consents_few(uuid, timestamptz) is
'Refuses another agreement of a locked wallet that has made as many in 24 hours as it may: 100, or fewer where '
'credits.bound_unpaid says so. Agreements are kept for ever. Raises PT429 consent_limit (limit, reset_at).';

create or replace function credits.topup_receipt(p_account_id uuid, p_user_id text)
returns api.auto_topup_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.auto_topup_receipt;
begin
    select
        coalesce(t.state, 'off'), t.reason, t.consent_id, trim_scale(t.threshold), t.pack_id, trim_scale(t.tokens),
        t.amount, t.currency, t.monthly_limit, a.stripe_customer_id
    into
        v_receipt.state, v_receipt.reason, v_receipt.consent_id, v_receipt.threshold, v_receipt.pack_id,
        v_receipt.tokens, v_receipt.amount, v_receipt.currency, v_receipt.monthly_limit, v_receipt.stripe_customer_id
    from credits.accounts as a
    left join credits.auto_topups as t on a.account_id = t.account_id
    where a.account_id = p_account_id;
    v_receipt.user_id := p_user_id;
    v_receipt.account_id := p_account_id;
    return v_receipt;
end
$$;
comment on function credits.topup_receipt(uuid, text) is 'The answer of api functions about automatic top-ups.';
