-- All checks at once. If there is no row, the books close.
create or replace view audit.findings
with (security_invoker = true)
as
select
    'check_access' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_access as c
union all
select
    'check_balance' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_balance as c
union all
select
    'check_campaigns' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_campaigns as c
union all
select
    'check_charges' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_charges as c
union all
select
    'check_creators' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_creators as c
union all
select
    'check_draws' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_draws as c
union all
select
    'check_events' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_events as c
union all
select
    'check_guests' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_guests as c
union all
select
    'check_hash_chain' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_hash_chain as c
union all
select
    'check_heads' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_heads as c
union all
select
    'check_holds' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_holds as c
union all
select
    'check_keys' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_keys as c
union all
select
    'check_limits' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_limits as c
union all
select
    'check_logins' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_logins as c
union all
select
    'check_lots' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_lots as c
union all
select
    'check_negative' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_negative as c
union all
select
    'check_orders' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_orders as c
union all
select
    'check_prices' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_prices as c
union all
select
    'check_refund_requests' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_refund_requests as c
union all
select
    'check_refunds' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_refunds as c
union all
select
    'check_release' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_release as c
union all
select
    'check_reversals' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_reversals as c
union all
select
    'check_roles' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_roles as c
union all
select
    'check_running_balance' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_running_balance as c
union all
select
    'check_sequence' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_sequence as c
union all
select
    'check_settings' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_settings as c
union all
select
    'check_shortfalls' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_shortfalls as c
union all
select
    'check_subscriptions' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_subscriptions as c
union all
select
    'check_topups' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_topups as c
union all
select
    'check_stripe' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_stripe as c
union all
select
    'check_stripe_balance' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_stripe_balance as c
union all
select
    'check_webhooks' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_webhooks as c
union all
select
    'check_api_keys' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_api_keys as c
union all
select
    'check_sessions' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_sessions as c
union all
select
    'check_tags' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_tags as c
union all
select
    'check_partitions' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_partitions as c
union all
select
    'check_money_returns' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_money_returns as c
union all
select
    'check_finance_rollforward' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_finance_rollforward as c
union all
select
    'check_finance_journal' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_finance_journal as c
union all
select
    'check_due' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_due as c
union all
select
    'check_forgotten' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_forgotten as c
union all
select
    'check_finance_months' as check_name,
    c.account_id,
    c.expected,
    c.found
from audit.check_finance_months as c;
comment on view audit.findings is 'Every fault that any check finds. If there is no row, the books close.';
