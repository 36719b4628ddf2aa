-- A payment may arrive after its user was forgotten. A person must send it back: nobody could spend what it grants.
create or replace function credits.nobody_to_grant(p_account_id uuid)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when exists (select from credits.forgotten_accounts as f where f.account_id = p_account_id)
            then 'its user was forgotten: refund the payment at Stripe'
    end;
end
$$;
comment on function credits.nobody_to_grant(uuid) is
'Why a payment of this account grants nothing: its user was forgotten. Null for everybody else.';
