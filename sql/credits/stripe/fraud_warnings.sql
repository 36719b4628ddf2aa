-- Events about early fraud warnings: the card's bank suspects the payment, and a dispute will probably follow. Whether
-- that freezes the tokens is a setting (credits.freeze_on_fraud_warnings).

create or replace function credits.apply_fraud_warning(
    p_event credits.stripe_events, out outcome text, out reason text, out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_disputed constant boolean not null := credits.is_disputed(p_event.account_id);
begin
    if p_event.object_id is null then
        outcome := 'parked';
        reason := 'an object without an id that can be kept';
        return;
    end if;
    outcome := case
        when credits.note_reversal(
            p_event, p_event.object_id, 'fraud_warning', 0,
            case
                when (p_event.payload #> '{data,object,actionable}' = 'false') is true then 'closed'
                else 'actionable'
            end
        ) then 'applied'
        else 'duplicate'
    end;
    -- A warning that is replayed says nothing new, but the setting may have changed.
    entry_id := credits.settle_event(p_event);
    -- To charge a card again that was reported stolen costs the most. A user who has agreed anew since is not stopped.
    if not v_disputed and credits.is_disputed(p_event.account_id) is true then
        perform credits.stop_topup(p_event.account_id, 'fraud_warning');
    end if;
end
$$;
comment on function credits.apply_fraud_warning(credits.stripe_events) is
'Records an early fraud warning. If the setting says so, it freezes the lots of the order, until nothing can be done '
'about it any more, and stops automatic top-up. The caller holds the locks of credits.lock_with_referrer.';

create or replace function credits.freeze_on_fraud_warnings(p_freeze boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_freeze is null then
        perform credits.fail(422, 'bad_setting', 'whether fraud warnings freeze tokens must be true or false');
    end if;
    update credits.settings as s set freeze_on_fraud_warning = p_freeze;
end
$$;
comment on function credits.freeze_on_fraud_warnings(boolean) is
'For the operator. Whether an early fraud warning of Stripe freezes the tokens of the suspected payment, and stops '
'automatic top-up. By default it does neither. The setting counts for later events; api.replay_event applies it to '
'earlier ones. Raises PT422 bad_setting for null.';
