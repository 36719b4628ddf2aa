-- Comments for people and for /schema. The tables themselves are in migrations/0031-sign_in_sessions.sql.
comment on table credits.password_changes is
'When the holder of an account was given another password. Rows are never changed.';
comment on column credits.password_changes.actor is 'The service that said so.';

comment on table credits.sign_in_sessions is
'Sessions of users who signed in with the embedded identity provider. api.maintain forgets them some time after they '
'expired (credits.retention_periods).';
comment on column credits.sign_in_sessions.expires_at is
'When the session ends if it is not refreshed: 30 days after the last refresh, and a year after its beginning at the '
'latest.';
comment on column credits.sign_in_sessions.ended_by is
'signed_out, signed_out_everywhere, password_changed, or token_reused: a token that had been used was used again.';

comment on table credits.refresh_tokens is
'The sha256 of the tokens that refresh a session. Each is used once, and another one follows it.';
comment on column credits.refresh_tokens.used_at is 'When it was used. Null: it is the present one.';

comment on type api.session is
'A session of a user who signed in here. state: active, ended or expired, or null when there is no such session. '
'refresh_token: refreshes it once, only in the answer that made it. expires_at: when it ends if it is not refreshed.';
comment on type api.sessions_ended is 'How many sessions of a user were ended.';
