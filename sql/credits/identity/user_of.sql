-- The user of an account. Of several users, the first one stands for the account. The planner inlines this query. So it
-- costs no more than the query itself, and row security applies to the reader of a view.
create or replace function credits.user_of(p_account_id uuid)
returns table (user_id text)
language sql
stable
rows 1
begin atomic
    select i.subject
    from credits.identities as i
    where i.account_id = p_account_id
    order by i.created_at, i.subject
    limit 1;
end;
comment on function credits.user_of(uuid) is
'The user id (sub) of an account, in one row; no row when the account has no user.';
