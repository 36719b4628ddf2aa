-- Two spends of one account, in two transactions.
\set n random(1, :accounts)
\set k random(1, 1000000000000)
select * from api.consume_tokens('stablediffusion', idempotency_key => 'first-' || :k, user_id => 'user-' || :n);
select * from api.consume_tokens('stablediffusion', idempotency_key => 'second-' || :k, user_id => 'user-' || :n);
