-- For programs that watch many balances: a text that changes whenever the wallet does. It costs two look-ups by key for
-- each user. api.balance computes what a user sees, and costs more.
create or replace view api.balance_versions
with (security_invoker = true)
as
select
    i.subject as user_id,
    concat_ws(
        ' ', w.seq, w.balance, w.held, w.debt, w.status, w.due_at <= coalesce(w.test_clock, credits.clock())
    ) as version
from credits.identities as i
inner join credits.wallets as w on i.account_id = w.account_id;

comment on view api.balance_versions is
'Whether anything has happened to a balance since somebody looked. For services that watch many.';
comment on column api.balance_versions.user_id is
'The user id (sub). An account with several users has a row for each.';
comment on column api.balance_versions.version is
'Another text than before: the balance may have changed. It says nothing else, and may have another form one day.';
