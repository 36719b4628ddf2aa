-- Two of the least, in two transactions, on one account: as many commits as a hold and its capture.
\set n random(1, :accounts)
with w as (update bare.wallets set balance = balance - 50 where user_id = 'user-' || :n and balance >= 50 returning user_id, balance) insert into bare.entries (user_id, tokens, balance_after) select user_id, -50, balance from w;
with w as (update bare.wallets set balance = balance - 50 where user_id = 'user-' || :n and balance >= 50 returning user_id, balance) insert into bare.entries (user_id, tokens, balance_after) select user_id, -50, balance from w;
