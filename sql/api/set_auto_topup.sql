-- Agree to automatic top-ups. The agreement is a row that nobody changes. A purchase never turns this on.
--
--   1. Refuse what makes no sense, or cannot be offered.
--   2. Lock the wallet. The same agreement again changes nothing.
--   3. Write the agreement. Without a card, it waits for one: the checkout that was opened for it saves the card.
create or replace function api.set_auto_topup(
    threshold numeric,
    monthly_limit bigint,
    words text,
    pack_id text default null,
    amount bigint default null,
    payment_method_id text default null,
    user_id text default null
)
returns api.auto_topup_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(set_auto_topup.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, true);
    v_threshold constant credits.tokens := credits.check_amount(set_auto_topup.threshold);
    v_offer credits.orders;
    v_wallet record;
begin
    -- 1. Refuse.
    if num_nonnulls(set_auto_topup.pack_id, set_auto_topup.amount) <> 1 then
        perform credits.fail(422, 'bad_order', 'a top-up is either a pack_id or an amount');
    elsif coalesce(btrim(set_auto_topup.words), '') = '' or not credits.is_label(set_auto_topup.words, 2000, true) then
        perform credits.fail(
            422, 'bad_consent', 'words must be what the user was shown: 1 to 2000 characters, without control characters'
        );
    elsif set_auto_topup.payment_method_id is not null and not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may say which card was saved');
    elsif set_auto_topup.payment_method_id is not null and not credits.is_name(set_auto_topup.payment_method_id, 255) then
        perform credits.fail(422, 'bad_consent', 'payment_method_id must be the id of a payment method at Stripe');
    end if;
    v_offer := case
        when set_auto_topup.pack_id is not null then credits.pack_order(set_auto_topup.pack_id, null)
        else credits.topup_order(set_auto_topup.amount, null)
    end;
    if (set_auto_topup.monthly_limit between v_offer.amount and 999999999999) is not true then
        perform credits.fail(
            422, 'bad_limit', 'monthly_limit must be at least the amount of one top-up',
            json_build_object('amount', v_offer.amount, 'currency', v_offer.currency)
        );
    elsif (v_threshold > v_offer.tokens + v_offer.bonus_tokens) is true then
        -- Otherwise one top-up would not be enough, and the next would follow at once.
        perform credits.fail(
            422, 'bad_threshold', 'threshold must not be more than a top-up brings',
            json_build_object('tokens', trim_scale(v_offer.tokens + v_offer.bonus_tokens))
        );
    end if;

    -- 2. Lock.
    v_wallet := credits.lock_wallet(v_account_id);
    if v_wallet.status = 'closed' then
        perform credits.refuse_status(v_wallet.status);
    end if;

    -- 3. Write.
    perform credits.agree_to_topups(
        v_account_id, v_threshold, v_offer, set_auto_topup.monthly_limit, set_auto_topup.words,
        set_auto_topup.payment_method_id
    );
    return credits.topup_receipt(v_account_id, v_subject);
end
$$;
comment on function api.set_auto_topup(numeric, bigint, text, text, bigint, text, text) is
'Agree to automatic top-ups: when a spend or hold takes the balance below threshold, the saved card is charged for the
pack, or for the amount (minor units), up to monthly_limit (minor units) in a calendar month (UTC). stop_auto_topup takes
the agreement back.

words: what the user was shown when they agreed; kept for ever. payment_method_id: a card that is saved at Stripe already
(for services). Without a card the state is waiting: POST /checkout with auto_topup saves one. After three declines in a
row it is off, and after a card has asked for authentication it is paused; api.auto_topup says why. A new agreement
begins anew, but a card that has failed waits out its cooldown.
Raises PT422 bad_amount, bad_order, bad_consent, bad_limit or bad_threshold, PT404 unknown_pack or unknown_user, PT429
consent_limit, PT423 account_frozen (closed), PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation or bad_user.';
