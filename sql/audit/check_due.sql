-- What the clock makes due is booked, also on accounts that nobody uses. Balances do not wait for it, but reports,
-- notices and expiries do. A bank that was restored or migrated has a day from then on.
create or replace view audit.check_due
with (security_invoker = true)
as
select
    w.account_id,
    format('what was due at %s is booked within a day', credits.utc_text(w.due_at)) as expected,
    'it waits: does anything call api.maintain?' as found
from credits.wallets as w
where
    -- Each account on a test clock has a time of its own, which jumps. A wallet is due at -infinity when a rule has
    -- changed.
    w.test_clock is null and w.due_at > '-infinity'
    and w.due_at < statement_timestamp() - interval '24 hours'
    and not exists (
        select
        from credits.releases as r
        where r.released_at >= statement_timestamp() - interval '24 hours'
    )
union all
select
    h.account_id,
    format('hold %s is booked as expired at %s', h.hold_id, credits.utc_text(h.expires_at)) as expected,
    format('the wallet has nothing due before %s', credits.utc_text(w.due_at)) as found
from credits.holds as h
inner join credits.wallets as w on h.account_id = w.account_id
where h.state = 'open' and h.expires_at < w.due_at;
comment on view audit.check_due is
'What the clock makes due is booked within a day. Every open hold ends when it expires.

A row means: the maintenance does not run, or does not get to this account. Expired lots, new periods and notices
wait. Or a hold would keep its tokens for ever.

What to do: run `pgcredits maintain`, and have something run it every minute. If the row stays, look into the log of
PostgreSQL for what stopped it. A hold can be released with api.release_hold.';
