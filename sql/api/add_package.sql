-- Tokens of a package that was paid for elsewhere: IAHome's PUT /api/user-tokens. The function has a name of its own.
-- If IAHome's signature of add_tokens had a fourth argument, a call could mean either signature.
create or replace function api.add_package(
    user_id text,
    tokens_to_add numeric,
    package_name text,
    idempotency_key text default null
)
returns api.grant_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    idempotency_key := coalesce(add_package.idempotency_key, credits.header_key('add_package'));
    -- A call of add_tokens with three arguments by position ends here: with a reason as the name of a package, a gift
    -- would become a sale.
    if (add_package.package_name in (
        'grant', 'bonus', 'welcome', 'promo', 'referral', 'allowance', 'rollover', 'adjustment'
    )) is true then
        perform credits.fail(
            422, 'bad_reason', format('%L is a reason, not a package: pass reason => %1$L', add_package.package_name)
        );
    end if;
    return api.add_tokens(
        user_id => add_package.user_id, tokens => add_package.tokens_to_add, reason => 'purchase',
        package_name => add_package.package_name, idempotency_key => add_package.idempotency_key
    );
end
$$;
comment on function api.add_package(text, numeric, text, text) is
'Grant the tokens of a package that was paid for. For services.

With an idempotency_key a repeat of the same call gets the same answer. Without one it is another grant.
Raises PT422 bad_reason for a package with the name of a reason, PT422 bad_amount, bad_key or bad_user, PT409
key_reused,
PT423 account_frozen, PT403 not_yours.';
