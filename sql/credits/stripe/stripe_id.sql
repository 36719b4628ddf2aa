-- Ids at Stripe. An event is read as it is: what it does not plainly say is taken as not said.
create or replace function credits.stripe_id(p_id jsonb)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id constant jsonb := case when (jsonb_typeof(p_id) = 'object') is true then p_id -> 'id' else p_id end;
begin
    -- U+FFFD replaces what could not be stored, so another id may look the same.
    if (
        jsonb_typeof(v_id) = 'string' and length(v_id #>> '{}') between 1 and 255
        and strpos(v_id #>> '{}', chr(65533)) = 0
    ) is true then
        return v_id #>> '{}';
    end if;
    return null;
end
$$;
comment on function credits.stripe_id(jsonb) is
'The id of an object at Stripe, given as the id or as the expanded object. Null unless it is an id of 1 to 255 '
'characters.';
