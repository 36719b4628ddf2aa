-- The hash chain, frozen: a change of any byte is a new format with a new first field. docs/hash-chain.md describes it
-- for anyone who verifies a chain in another language.
--
-- The hash is the sha256 of a JSON array in UTF-8, as json_build_array writes it. JSON escapes text, so that bytes
-- cannot move between fields unseen. Amounts have six decimals, times are seconds since 1970 with six decimals, draws
-- and usage are PostgreSQL's text of jsonb. Metadata go in by digest, so that they can be forgotten; {} has none. Then
-- the column digests has the digest. No setting of a session changes any of these.
--
-- That is format 1. An entry with tags has format 2: an array of the number 2, the digest of the tags, and the array of
-- format 1. Tags can be forgotten as metadata can.
--
-- The casts change no byte. They save time: in every call JSON looks up how to write a type, which takes longer for our
-- own types.
--
-- The planner inlines this function, so it is declared as stable as what it calls.
create or replace function credits.entry_hash(p_previous bytea, p_entry credits.entries)
returns bytea
language sql
stable
return sha256(convert_to(
    coalesce(
        '[2, "' || coalesce(
            p_entry.digests ->> 'tags', encode(sha256(convert_to(p_entry.tags::text, 'UTF8')), 'hex')
        ) || '", ', ''
    )
    || json_build_array(
        1,
        encode(p_previous, 'hex'),
        p_entry.account_id,
        p_entry.seq,
        extract(epoch from p_entry.posted_at),
        extract(epoch from p_entry.effective_at),
        p_entry.kind::text,
        p_entry.tokens::numeric,
        p_entry.balance_after::numeric,
        p_entry.debt_after::numeric,
        p_entry.draws,
        p_entry.module_id,
        p_entry.usage,
        p_entry.price_id,
        p_entry.order_id,
        p_entry.hold_id,
        p_entry.late,
        p_entry.refunds_seq,
        p_entry.campaign_id,
        p_entry.package_name,
        p_entry.actor,
        coalesce(
            p_entry.digests ->> 'metadata',
            encode(sha256(convert_to(nullif(p_entry.metadata, '{}')::text, 'UTF8')), 'hex')
        )
    )::text || case when coalesce(p_entry.digests -> 'tags', p_entry.tags) is null then '' else ']' end,
    'UTF8'
));
comment on function credits.entry_hash(bytea, credits.entries) is
'sha256 of the hash before (empty for the first) and the fields of an entry.';
