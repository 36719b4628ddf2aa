-- What a user agreed to is never changed, not even by the owner or in replica mode (ENABLE ALWAYS).
create or replace function credits.refuse_consent_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(405, 'append_only', 'agreements to automatic top-ups cannot be changed: add another one');
    return null;
end
$$;
comment on function credits.refuse_consent_change() is 'Trigger: refuses with PT405 append_only.';

create or replace trigger topup_consents_are_never_changed
before update or delete on credits.topup_consents
for each row execute function credits.refuse_consent_change();
alter table credits.topup_consents enable always trigger topup_consents_are_never_changed;

create or replace trigger topup_consents_are_never_truncated
before truncate on credits.topup_consents
for each statement execute function credits.refuse_consent_change();
alter table credits.topup_consents enable always trigger topup_consents_are_never_truncated;
