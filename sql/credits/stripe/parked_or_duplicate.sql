-- What contradicts the books is shown to a person once. A later event about the same object tells them nothing new.
create or replace function credits.parked_or_duplicate(p_event credits.stripe_events)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when exists (
            select
            from credits.stripe_events as e
            where
                e.object_id = p_event.object_id and e.outcome = 'parked'
                and e.event_id is distinct from p_event.event_id
        ) then 'duplicate'
        else 'parked'
    end;
end
$$;
comment on function credits.parked_or_duplicate(credits.stripe_events) is
'The outcome of an event that a person has to decide about: parked, or duplicate if another event about its object is '
'parked already.';
