-- The same as api.explain_balance, for support and auditors, about anybody.
create or replace function audit.explain_balance(
    user_id text,
    at timestamptz default null,
    movements bigint default 100,
    before_seq bigint default null
)
returns setof audit.balance_line
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_movements constant bigint := coalesce(explain_balance.movements, 100);
    v_account_id uuid;
begin
    select i.account_id into v_account_id from credits.identities as i where i.subject = explain_balance.user_id;
    if not found then
        perform credits.refuse_unknown_user();
    end if;
    perform credits.check_explanation(
        explain_balance.at, v_movements, explain_balance.before_seq, v_account_id
    );
    return query
    select l.*
    from credits.explained_balance(
        v_account_id, explain_balance.at, v_movements, explain_balance.before_seq
    ) as l;
end
$$;
comment on function audit.explain_balance(text, timestamptz, bigint, bigint) is
'Explain the balance of any user, as api.explain_balance does. Raises PT404 unknown_user, PT422 bad_at or bad_limit.';
