-- Whose account is this call about? A user's own; a service names the user.
create or replace function credits.caller(p_user_id text, p_service_opens boolean)
returns credits.identities
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_service constant boolean := credits.is_service();
    v_subject constant text := case when v_service then p_user_id else credits.subject() end;
    v_identity credits.identities;
begin
    if v_subject is null and v_service then
        perform credits.fail(422, 'bad_user', 'user_id is required: a service says whose tokens it means');
    elsif v_subject is null then
        perform credits.fail(401, 'not_signed_in', 'nobody is signed in');
    elsif p_user_id is distinct from v_subject and p_user_id is not null then
        perform credits.fail(403, 'not_yours', 'only a service may act for another user');
    end if;

    select i.* into v_identity from credits.identities as i where i.subject = v_subject;
    if not found and (p_service_opens or not v_service) then
        v_identity := credits.open_account(v_subject);
    elsif not found then
        perform credits.fail(404, 'unknown_user', 'no such user');
    end if;
    return v_identity;
end
$$;
comment on function credits.caller(text, boolean) is
'The identity that a call is about, opened when it is new: by a user, and by a service if p_service_opens. Raises '
'PT401 not_signed_in, PT403 not_yours, PT404 unknown_user, PT422 bad_user.';
