-- Whether a request body is an event of Stripe, and one for this bank.

-- Two events may get the same id when characters of it had to be replaced, and an id of 300 characters is too long for
-- a key. The bytes of the event identify it then.
create or replace function credits.event_id(p_event jsonb, p_original bytea)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id constant jsonb := p_event -> 'id';
begin
    if jsonb_typeof(v_id) is distinct from 'string' then
        return null;
    elsif (
        p_original is not null and (strpos(v_id #>> '{}', chr(65533)) > 0 or length(v_id #>> '{}') > 255)
    ) is true then
        return 'sha256:' || encode(sha256(p_original), 'hex');
    end if;
    return credits.stripe_id(v_id);
end
$$;
comment on function credits.event_id(jsonb, bytea) is
'The key of an event: its id, or the hash of its bytes if its id cannot be stored. Null when it has no id.';

create or replace function credits.check_event(p_event_id text, p_event jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_settings credits.settings;
begin
    if p_event_id is null or (
        p_event -> 'object' = '"event"' and jsonb_typeof(p_event -> 'type') = 'string'
        and jsonb_typeof(p_event #> '{data,object}') = 'object' and jsonb_typeof(p_event -> 'livemode') = 'boolean'
    ) is not true then
        perform credits.fail(422, 'bad_event', 'this is not a Stripe event');
    end if;

    -- Whose event is it? An event of a connected account names the account; for an organisation, it is the context.
    select s.* into v_settings from credits.settings as s;
    if exists (
        select
        from unnest(array[p_event -> 'account', p_event -> 'context']) as a (account)
        where
            coalesce(a.account, 'null') <> 'null'
            and (jsonb_typeof(a.account) = 'string' and a.account #>> '{}' = any (v_settings.stripe_accounts)) is not true
    ) then
        perform credits.fail(422, 'foreign_account', 'this event is of a connected account that is not accepted');
    elsif (p_event -> 'livemode' <> to_jsonb(v_settings.stripe_livemode)) is true then
        perform credits.fail(422, 'wrong_mode', 'this event is not of the mode (live or test) of this bank');
    end if;
end
$$;
comment on function credits.check_event(text, jsonb) is
'Checks that this is an event of Stripe, known by p_event_id, and one for this bank. '
'Raises PT422 bad_event, foreign_account, wrong_mode.';

create or replace function credits.event_time(p_event credits.stripe_events)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_created constant jsonb := p_event.payload -> 'created';
begin
    if (jsonb_typeof(v_created) = 'number') is true then
        if (v_created::numeric between 0 and 253402300799) is true then
            return to_timestamp(v_created::numeric::double precision);
        end if;
    end if;
    return p_event.received_at;
end
$$;
comment on function credits.event_time(credits.stripe_events) is
'When an event happened by Stripe''s clock, in whole seconds; when it arrived, if it does not say.';
