-- What a user agreed to is never changed, not even by the owner or in replica mode (ENABLE ALWAYS).
-- The one exception: of an account that is being forgotten, a digest of the words stays. Anyone who still has the words
-- can show that they are the ones.

create or replace function credits.forgotten_consent(p_consent credits.topup_consents)
returns credits.topup_consents
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_consent.words ~ '^sha256:[0-9a-f]{64}$') is false then
        p_consent.words := 'sha256:' || credits.digest_of(p_consent.words);
    end if;
    p_consent.customer_id := null;
    if p_consent.payment_method_id is not null then
        p_consent.payment_method_id := 'forgotten';
    end if;
    return p_consent;
end
$$;
comment on function credits.forgotten_consent(credits.topup_consents) is
'An agreement, or what ended one, with a digest in place of the words, and without customer and card.';

create or replace function credits.refuse_consent_change()
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
        if (new operator(pg_catalog.*=) credits.forgotten_consent(old)) is true then
            return new;
        end if;
    end if;
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
