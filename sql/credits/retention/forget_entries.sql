-- What the entries of a forgotten account said goes, and its digest stays. The hash chain covers the digest, so it
-- verifies as before. A trigger lets this one change through, and no other: see credits.refuse_entry_change.

create or replace function credits.digest_of(p_text text)
returns text
language sql
immutable
return encode(sha256(convert_to(p_text, 'UTF8')), 'hex');
comment on function credits.digest_of(text) is 'The sha256 of a text in UTF-8, in hex. Null for null.';

create or replace function credits.bank_metadata(p_entry credits.entries)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A grant may have the kind of a correction: its metadata are the caller's.
    if (
        p_entry.kind in ('adjustment', 'reversal', 'reinstatement', 'repayment')
        and (p_entry.draws #> '{0,lot_id}') is distinct from to_jsonb(p_entry.seq)
        or p_entry.campaign_id is not null
    ) is not true then
        return '{}'::jsonb;
    end if;
    return coalesce(
        (
            select jsonb_object_agg(m.key, m.value)
            from jsonb_each(p_entry.metadata) as m
            where case
                when m.key in ('lot_id', 'number', 'restores') then jsonb_typeof(m.value) = 'number'
                when m.key = 'voided' then m.value = 'true'
                when m.key = 'campaign_id' then m.value = to_jsonb(p_entry.campaign_id)
                when m.key in ('before', 'expires_at')
                    then m.value #>> '{}' ~ '^(infinity|[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}( BC)?[+]00:00)$'
                when m.key = 'repaid'
                    then m.value::text ~ '^\[(\{"lot_id": [0-9]+, "tokens": [0-9.]+\}(, )?)*\]$'
            end is true
        ),
        '{}'
    );
end
$$;
comment on function credits.bank_metadata(credits.entries) is
'What the bank itself noted in the metadata of a correction or a gift, and reads again: numbers of lots and entries, '
'and times. {} for entries whose metadata are their callers''.';

create or replace function credits.forgotten_entry(p_entry credits.entries)
returns credits.entries
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Reasons are texts of people, so they go as well.
    v_left constant jsonb := credits.bank_metadata(p_entry);
begin
    if p_entry.digests is not null or (p_entry.metadata is not distinct from v_left and p_entry.tags is null) then
        return p_entry;
    end if;
    p_entry.digests := jsonb_strip_nulls(jsonb_build_object(
        'metadata', case when p_entry.metadata is distinct from v_left then credits.digest_of(p_entry.metadata::text) end,
        'tags', credits.digest_of(p_entry.tags::text)
    ));
    p_entry.metadata := v_left;
    p_entry.tags := null;
    return p_entry;
end
$$;
comment on function credits.forgotten_entry(credits.entries) is
'An entry without what callers and people noted in it, and with digests of that. An entry in which they noted nothing '
'is returned as it is.';

create or replace function credits.forget_entries(p_account_id uuid, p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_forgotten bigint;
begin
    update credits.entries as e
    set metadata = f.metadata, tags = f.tags, digests = f.digests
    from (
        select n.*
        from credits.entries as x
        cross join lateral credits.forgotten_entry(x) as n
        where x.account_id = p_account_id and x.digests is null and n.digests is not null
        order by x.seq
        limit p_most
    ) as f
    where e.account_id = f.account_id and e.seq = f.seq and e.posted_at = f.posted_at;
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;
comment on function credits.forget_entries(uuid, bigint) is
'Takes what they said out of at most p_most entries of an account that is being forgotten. Returns how many. Raises '
'PT405 append_only for any other account.';
