-- A spend as a backend makes it: one call.
\set n random(1, :accounts)
\set k random(1, 1000000000000)
select * from api.consume_tokens('stablediffusion', idempotency_key => 'spend-' || :k, user_id => 'user-' || :n);
