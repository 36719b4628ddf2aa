-- A user has shown that their e-mail address is theirs. A welcome that waited for this is granted.
create or replace function api.verify_email(
    email text default null,
    user_id text default null
)
returns api.account_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text := verify_email.user_id;
    v_account_id uuid;
    v_welcome record;
begin
    perform credits.require_service('may say that an address is verified');
    if (verify_email.email is null) = (verify_email.user_id is null) then
        perform credits.fail(422, 'bad_user', 'give either email or user_id, to say whose address is verified');
    elsif verify_email.email is not null then
        v_subject := (credits.credential_of(verify_email.email)).subject;
    end if;
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    if v_account_id is null then
        perform credits.refuse_unknown_user();
    end if;
    perform credits.mark_verified(v_account_id);
    v_welcome := credits.welcome_again(v_account_id);
    return credits.account_receipt(
        v_account_id, v_subject, false, v_welcome.tokens, v_welcome.waits_for, v_welcome.reset_at
    );
end
$$;
comment on function api.verify_email(text, text) is
'Report that the e-mail address of a user is verified: by email, for a user who signed up here, or by user_id. Grants
the welcome that waited for it, once. Safe to repeat. For services.

Raises PT404 unknown_user, PT422 bad_user, PT403 not_yours.';
