-- The hashes of several entries at once, each from the one before.

create or replace function credits.link_entry(p_hash bytea, p_first bytea, p_entry credits.entries)
returns bytea
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return credits.entry_hash(coalesce(p_hash, p_first), p_entry);
end
$$;
comment on function credits.link_entry(bytea, bytea, credits.entries) is
'One step of credits.chain. p_hash: the hash of the entry before, null at the first entry. p_first: the hash before '
'that one.';

create or replace aggregate credits.chain (p_first bytea, p_entry credits.entries)(
    sfunc = credits.link_entry,
    stype = bytea
);
comment on aggregate credits.chain (bytea, credits.entries) is
'The last hash after several entries of an account, in their order; as a window function, the hash of each. p_first: '
'the hash before the first of them.';
