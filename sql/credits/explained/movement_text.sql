-- What a movement is, in words.
create or replace function credits.movement_text(p_entry credits.entries)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select concat_ws(
            ': ', k.description,
            coalesce(
                p_entry.module_id || case when p_entry.refunds_seq is null then '' else ', entry ' || p_entry.refunds_seq end,
                p_entry.package_name, p_entry.campaign_id, p_entry.metadata ->> 'reason',
                case
                    when p_entry.kind in ('expire', 'repayment', 'reversal', 'reinstatement', 'adjustment')
                        then 'lot ' || (p_entry.draws -> 0 ->> 'lot_id')
                end
            )
        )
        from credits.entry_kinds as k
        where k.kind = p_entry.kind
    );
end
$$;
comment on function credits.movement_text(credits.entries) is
'What an entry is, in words: what its kind means, and the module, package, campaign, reason or lot. '
'A refund names the entry of its charge.';
