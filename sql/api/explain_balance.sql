-- Why a balance is what it is, or was at a moment. It only reads.
--
--   1. Whose balance: users see their own, a service names the user.
--   2. A user without an account has nothing, and no movements.
--   3. Explain it: sql/credits/explained/balance_lines.sql.
create or replace function api.explain_balance(
    at timestamptz default null,
    user_id text default null,
    movements bigint default 100,
    before_seq bigint default null
)
returns api.balance_explanation
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.reader_subject(explain_balance.user_id);
    v_movements constant bigint := coalesce(explain_balance.movements, 100);
    v_account_id uuid;
    v_explained api.balance_explanation;
begin
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    if not found and credits.is_spender() then
        perform credits.refuse_unknown_user();
    end if;
    perform credits.check_explanation(
        explain_balance.at, v_movements, explain_balance.before_seq, v_account_id
    );
    v_explained := credits.balance_as_json(
        v_account_id, explain_balance.at, v_movements, explain_balance.before_seq
    );
    v_explained.user_id := v_subject;
    return v_explained;
end
$$;
comment on function api.explain_balance(timestamptz, text, bigint, bigint) is
'Explain a balance: the movements that made it, what is held, and what expires when.

at: the moment; null, the default, means now. movements: how many at most, 1 to 1000, the last ones before the moment.
before_seq: go on with older ones: give before_seq of the answer.
The answer has opening (the balance before these movements), movements, balance (the number that api.balance shows, or
showed then), balance_posted (what the entries add up to), debt, held, holds and lots. The lots add up to the balance
plus the debt, the soonest expiry first. There are at most a thousand of them.
Each movement has balance_posted, the balance after it, and balance_effective, which adds up the same movements by
effective_at: an expiry counts from the moment when its lot expired. line says what it is: movement (an entry), late (an
entry that was posted after the moment, but had taken effect by then) or unbooked (a lot that is past its date, which no
call has booked yet).
For an earlier moment: holds are those that were open then; a lot has the date that it has now; lots is null when more
than a thousand entries came since; a period of a plan that was paid late counts from its beginning; and tokens that a
hold kept past the date of their lot count until it ended, but their expiry took effect at the date.
Raises PT404 unknown_user, PT422 bad_at, bad_limit or bad_user, PT403 not_yours, PT401 not_signed_in.';
