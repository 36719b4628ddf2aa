-- One hash of the whole ledger: of the last entry of every account that was posted before a moment. Anyone who rewrites
-- an older entry has to rewrite all later ones of its account, and this hash then differs.
--
-- It is the sha256 of one line for each account, in the order of account ids: ACCOUNT_ID SEQ HASH, as in an anchor
-- (docs/auditing.md).
create or replace function credits.ledger_root(
    p_before timestamptz, out accounts bigint, out entries bigint, out root bytea
)
language sql
stable
begin atomic
    select
        count(*) as accounts,
        coalesce(sum(h.seq), 0)::bigint as entries,
        sha256(convert_to(coalesce(
            string_agg(
                h.account_id || ' ' || h.seq || ' ' || encode(h.hash, 'hex') || chr(10), '' order by h.account_id
            ),
            ''
        ), 'UTF8')) as root
    from credits.ledger_heads(p_before) as h;
end;
comment on function credits.ledger_root(timestamptz) is
'The sha256 over the last entry of every account that was posted before a moment; how many accounts have one, and how '
'many entries there were.';
