-- Forget a user: what the bank knows about the person goes, and the books stay.
--
--   1. Find the account, lock its identity and its wallet. An account that is forgotten already goes on where it was.
--   2. Refuse while money may still move, or while a balance that was paid is left and nobody gave it up.
--   3. Let what is left expire on the books, and remove everything that says who it was, or what was noted.
--   4. Take what they said out of the entries, some at a time. The digests stay, so the hash chain verifies.
create or replace function api.forget_user(
    user_id text default null,
    account_id uuid default null,
    give_up_balance boolean default false
)
returns api.forgotten_user
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
    v_known credits.forgotten_accounts;
    v_reasons text[];
    v_done record;
    v_logins text[] := array[]::text[];
begin
    -- 1. Find and lock.
    perform credits.require_service('may forget a user');
    if num_nonnulls(forget_user.user_id, forget_user.account_id) <> 1 then
        perform credits.fail(422, 'bad_user', 'give user_id or account_id: whom to forget');
    end if;
    v_account_id := coalesce(
        forget_user.account_id, (
            select i.account_id from credits.identities as i where i.subject = forget_user.user_id
        )
    );
    if v_account_id is null or not exists (
        select from credits.wallets as w where w.account_id = v_account_id
    ) then
        perform credits.fail(
            404, 'unknown_user',
            case
                when forget_user.user_id is null then 'no such account'
                else 'no account has this user id: it never had one, or its user was forgotten already'
            end
        );
    end if;
    perform credits.lock_with_referrer(v_account_id);
    select f.* into v_known from credits.forgotten_accounts as f where f.account_id = v_account_id;

    if v_known.account_id is null then
        -- 2. Refuse.
        v_reasons := credits.why_not_forget(v_account_id, coalesce(forget_user.give_up_balance, false));
        if cardinality(v_reasons) > 0 then
            perform credits.fail(
                409, 'cannot_forget', 'this user cannot be forgotten yet: ' || array_to_string(v_reasons, ', '),
                json_build_object('reasons', v_reasons)
            );
        end if;
        -- 3. Remove.
        v_done := credits.forget_account(v_account_id);
        v_logins := v_done.logins;
    end if;

    -- 4. The entries.
    perform credits.go_on_forgetting(v_account_id, 10000);
    return (
        select
            row(
                f.account_id, case when f.finished_at is null then 'under_way' else 'forgotten' end,
                trim_scale(f.gave_up), v_logins, v_known.account_id is not null
            )::api.forgotten_user
        from credits.forgotten_accounts as f
        where f.account_id = v_account_id
    );
end
$$;
comment on function api.forget_user(text, uuid, boolean) is
'Forget a user: who they were, how they signed in, what was noted about them, and their customer at Stripe. For
services. The books stay, without a name: entries, orders and amounts, and the hash chain verifies as before. The
account is closed. If the same person signs up again, that is a new account.

user_id or account_id: whom. account_id also repeats the call after a restore from an older backup, and goes on while
state is under_way (maintain does so, too). give_up_balance: whether a balance that was paid may expire; a balance that
was given always does. sql_logins: logins of the user, which an administrator must drop.
Raises PT404 unknown_user, PT409 cannot_forget (reasons: debt, hold, refund, dispute, payment, subscription, event,
balance), PT422 bad_user, PT403 not_yours, PT503 busy.';
