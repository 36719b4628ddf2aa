-- Ledger entries and versions of prices are never changed, not even by the owner or in replica mode (ENABLE ALWAYS).
create or replace function credits.refuse_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        405, 'append_only', 'ledger entries and versions of prices cannot be changed: add another one'
    );
    return null;
end
$$;
comment on function credits.refuse_change() is 'Trigger: refuses with PT405 append_only.';

-- The one exception: an entry of an account that is being forgotten loses what people noted in it, and keeps the
-- digest.
create or replace function credits.refuse_entry_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if (tg_op = 'UPDATE') is true and exists (
        select
        from credits.forgotten_accounts as f
        where f.account_id = old.account_id and f.finished_at is null
    ) then
        -- Compare every bit: for =, 1.0 and 1 in jsonb are the same.
        if (new operator(pg_catalog.*=) credits.forgotten_entry(old)) is true then
            return new;
        end if;
    end if;
    perform credits.fail(405, 'append_only', 'ledger entries cannot be changed: add another one');
    return null;
end
$$;
comment on function credits.refuse_entry_change() is
'Trigger: refuses with PT405 append_only every change but that of credits.forget_entries.';

create or replace trigger entries_are_never_changed
before update or delete on credits.entries
for each row execute function credits.refuse_entry_change();
alter table credits.entries enable always trigger entries_are_never_changed;

create or replace trigger entries_are_never_truncated
before truncate on credits.entries
for each statement execute function credits.refuse_change();
alter table credits.entries enable always trigger entries_are_never_truncated;

create or replace trigger prices_are_never_edited
before update or delete on credits.prices
for each row execute function credits.refuse_change();
alter table credits.prices enable always trigger prices_are_never_edited;

create or replace trigger prices_are_never_truncated
before truncate on credits.prices
for each statement execute function credits.refuse_change();
alter table credits.prices enable always trigger prices_are_never_truncated;

create or replace trigger price_components_are_never_edited
before update or delete on credits.price_components
for each row execute function credits.refuse_change();
alter table credits.price_components enable always trigger price_components_are_never_edited;

create or replace trigger price_components_are_never_truncated
before truncate on credits.price_components
for each statement execute function credits.refuse_change();
alter table credits.price_components enable always trigger price_components_are_never_truncated;

create or replace trigger price_tiers_are_never_edited
before update or delete on credits.price_tiers
for each row execute function credits.refuse_change();
alter table credits.price_tiers enable always trigger price_tiers_are_never_edited;

create or replace trigger price_tiers_are_never_truncated
before truncate on credits.price_tiers
for each statement execute function credits.refuse_change();
alter table credits.price_tiers enable always trigger price_tiers_are_never_truncated;

-- Adding to a version later would change it as well.
create or replace function credits.refuse_addition()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from credits.prices as p where p.price_id = new.price_id and p.defined_at = credits.transaction_began()
    ) then
        perform credits.fail(405, 'append_only', 'nothing can be added to a version of a price: define another one');
    end if;
    return new;
end
$$;
comment on function credits.refuse_addition() is
'Trigger: refuses additions to a version by any transaction but the one that wrote it. Raises PT405 append_only.';

create or replace trigger price_components_are_written_at_once
before insert on credits.price_components
for each row execute function credits.refuse_addition();

create or replace trigger price_tiers_are_written_at_once
before insert on credits.price_tiers
for each row execute function credits.refuse_addition();
