-- How many users somebody has brought, and what came of it. Who these users are is not shown.
create or replace view api.referrals
with (security_invoker = true)
as
select
    u.user_id,
    r.code,
    r.campaign_id,
    r.state,
    r.created_at,
    r.settled_at
from credits.referrals as r
left join lateral credits.user_of(r.referrer_id) as u on true;

comment on view api.referrals is
'The users whom the caller has brought, without their names. A service sees everybody''s.';
comment on column api.referrals.user_id is 'The user id (sub) of the referrer.';
comment on column api.referrals.code is 'The code that they used.';
comment on column api.referrals.campaign_id is 'The campaign that rewards it.';
comment on column api.referrals.state is
'pending until their first purchase, then paid, capped (a limit was reached) or lapsed (the campaign had ended).';
comment on column api.referrals.created_at is 'When they used the code.';
comment on column api.referrals.settled_at is 'When they bought for the first time.';
