-- A page of a list of Stripe: it goes into the mirror, and the place in the list moves on, in one transaction.
create or replace function api.note_stripe_page(
    list text,
    items jsonb,
    has_more boolean,
    after text default null
)
returns api.stripe_page
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_list record;
    v_cursor credits.stripe_cursors;
    v_last text;
    v_page api.stripe_page;
begin
    perform credits.require_service('may read Stripe''s lists');
    v_list := credits.find_list(note_stripe_page.list);
    if jsonb_typeof(note_stripe_page.items) is distinct from 'array' or note_stripe_page.has_more is null then
        perform credits.fail(422, 'bad_page', 'items must be an array, and has_more true or false');
    end if;
    v_cursor := credits.lock_cursor(v_list.list);
    v_page.list := v_list.list;
    v_page.objects := jsonb_array_length(note_stripe_page.items);
    v_page.missed := 0;
    if (v_list.kind = 'event') is true then
        v_page.missed := credits.note_mirror_events(note_stripe_page.items);
    else
        perform credits.note_mirror_objects(note_stripe_page.items, v_list.kind);
    end if;

    -- Another program may have read on meanwhile. Its place counts.
    v_page.finished := v_cursor.began_at is null;
    if v_cursor.began_at is not null and v_cursor.after is not distinct from note_stripe_page.after then
        v_last := credits.stripe_id(note_stripe_page.items #> '{-1,object,id}');
        v_page.finished := not note_stripe_page.has_more or v_last is null;
        update credits.stripe_cursors as c
        set
            covers_from = case
                when v_page.finished
                    then least(coalesce(c.covers_from, 'infinity'), coalesce(c.since, '-infinity'))
                else c.covers_from
            end,
            complete_until = case when v_page.finished then c.began_at else c.complete_until end,
            began_at = case when not v_page.finished then c.began_at end,
            since = case when not v_page.finished then c.since end,
            after = case when not v_page.finished then v_last end
        where c.list = v_list.list;
    end if;
    return v_page;
end
$$;
comment on function api.note_stripe_page(text, jsonb, boolean, text) is
'Record a page of a list at Stripe, which read_stripe_list asked for. For services: `pgcredits stripe pull` calls it.

items: [{"object": …, "original": …}], in the order of the list; original: the bytes of an event in base64, where
characters had to be replaced so that it could be stored. after: the one that read_stripe_list named. missed: how many
events the bank did not have. finished: the list was read to its end. The books do not change.
Raises PT422 bad_page, bad_event, foreign_account or wrong_mode, PT403 not_yours, PT503 busy.';
