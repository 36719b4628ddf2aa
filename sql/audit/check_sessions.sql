-- Nobody refreshes a session after its end, and no session outlives the password that opened it.
create or replace view audit.check_sessions
with (security_invoker = true)
as
select
    t.account_id,
    format('a token of session %s is issued before the session ends', t.session_id) as expected,
    format('issued at %s', credits.utc_text(t.issued_at)) as found
from credits.refresh_tokens as t
inner join credits.sign_in_sessions as s on t.account_id = s.account_id and t.session_id = s.session_id
where (t.issued_at > s.ended_at or t.issued_at > s.expires_at) is true
union all
select
    s.account_id,
    format('session %s ends with the password that opened it', s.session_id) as expected,
    format('the password was changed at %s', credits.utc_text(c.changed_at)) as found
from credits.sign_in_sessions as s
inner join credits.password_changes as c on s.account_id = c.account_id
where s.ended_at is null and s.began_at < c.changed_at
union all
select
    s.account_id,
    format('session %s lasts at most a year', s.session_id) as expected,
    format('it expires at %s', credits.utc_text(s.expires_at)) as found
from credits.sign_in_sessions as s
where s.expires_at > s.began_at + interval '8760:00:00';
comment on view audit.check_sessions is
'Tokens are issued before their session ends. No session outlives the password that opened it, nor a year.

A row means: a session was refreshed after its end, or lives longer than its password.

What to do: end the sessions of the account with api.end_sessions, and find out who can write to
credits.sign_in_sessions.';
