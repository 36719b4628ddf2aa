-- One entry of the ledger, explained. It only reads.
--
--   1. Find the entry. Users find only their own; services find all.
--   2. Explain it: sql/credits/explained/entry_receipt.sql.
create or replace function api.receipt(entry_id text)
returns api.entry_receipt
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
begin
    if not credits.is_service() and credits.subject() is null then
        perform credits.refuse_caller(null, null);
    end if;
    v_entry := credits.find_entry(receipt.entry_id);
    if not credits.is_service() and v_entry.account_id is distinct from credits.me() then
        -- The answer is the same for somebody else's entry and for one that never existed.
        perform credits.find_entry(null);
    end if;
    return credits.entry_receipt(v_entry);
end
$$;
comment on function api.receipt(text) is
'Explain one entry of the ledger, so that a person can check it by hand. Users see their own, services see all.

entry_id: account:seq, as every answer and api.entries name it.
parts: for a charge, a line for each dimension, as in a quote, with free_used: how much of it was free. calculation: the
sum of the parts × margin ÷ exchange_rate is before_rounding. Rounded up at the sixth decimal, and less earlier_parts
(what earlier captures of the same hold cost), it is the cost. basis says what was charged: price (the cost), hold (all
that the hold kept, held_before) or own_key (nothing). charged - shortfall = paid, and paid - debt came from the lots.
lots: what each lot gave (tokens below zero) or got (above zero), and the purchase that it came from.
Prices are versions that nobody edits, so the calculation is as it was. Orders, lots, holds and refunds are as they are
now. hold.captures and refunds have at most a hundred entries.
Raises PT404 unknown_entry, PT401 not_signed_in.';
