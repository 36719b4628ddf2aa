-- A page of a list goes into the mirror.

create or replace function credits.note_mirror_events(p_events jsonb)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_item record;
    v_event_id text;
    v_missed bigint := 0;
    v_known boolean;
begin
    for v_item in
        select i.item -> 'object' as event, decode(i.item ->> 'original', 'base64') as original
        from jsonb_array_elements(p_events) as i (item)
    loop
        v_event_id := credits.event_id(v_item.event, v_item.original);
        perform credits.check_event(v_event_id, v_item.event);
        v_known := exists (select from credits.stripe_events as e where e.event_id = v_event_id);
        insert into credits.stripe_mirror_events as m (
            event_id, bucket, type, object_id, livemode, created_at, pulled_at, payload, original
        )
        values (
            v_event_id, credits.bucket_of_event(v_event_id, v_item.event), v_item.event ->> 'type',
            credits.stripe_id(v_item.event #> '{data,object,id}'), v_item.event -> 'livemode' = 'true',
            coalesce(credits.stripe_time(v_item.event -> 'created'), credits.clock()), credits.clock(),
            case when not v_known then v_item.event end, case when not v_known then v_item.original end
        )
        on conflict (event_id) do update
        set payload = excluded.payload, original = excluded.original, pulled_at = excluded.pulled_at;
        v_missed := v_missed + case when v_known then 0 else 1 end;
    end loop;
    return v_missed;
end
$$;
comment on function credits.note_mirror_events(jsonb) is
'Records the events of a page, [{"object": event, "original": bytes in base64 or null}]. Returns how many the bank did '
'not have. Raises PT422 bad_event, foreign_account, wrong_mode.';

create or replace function credits.note_mirror_objects(p_objects jsonb, p_kind text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object jsonb;
    v_row credits.stripe_mirror;
    v_livemode constant boolean := (select s.stripe_livemode from credits.settings as s);
begin
    for v_object in select i.item -> 'object' from jsonb_array_elements(p_objects) as i (item) loop
        v_row := credits.mirror_object(v_object);
        if num_nonnulls(v_row.object_id, v_row.created_at) < 2 or v_row.kind is distinct from p_kind then
            perform credits.fail(422, 'bad_page', format('an object of a list of %ss that cannot be read', p_kind));
        elsif (v_row.livemode <> v_livemode) is true then
            perform credits.fail(422, 'wrong_mode', 'this list is not of the mode (live or test) of this bank');
        end if;
        insert into credits.stripe_mirror as m select v_row.*
        on conflict (object_id) do update
        set
            status = excluded.status, amount = excluded.amount, amount_back = excluded.amount_back,
            currency = excluded.currency, payment_intent_id = excluded.payment_intent_id,
            charge_id = excluded.charge_id, named_account = excluded.named_account, named_order = excluded.named_order,
            bucket = excluded.bucket, pulled_at = excluded.pulled_at, payload = excluded.payload;
    end loop;
end
$$;
comment on function credits.note_mirror_objects(jsonb, text) is
'Records the objects of a page, as they are now. Raises PT422 bad_page, wrong_mode.';
