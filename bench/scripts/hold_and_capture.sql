-- Work as a backend charges it: a worst case of five calls is held, one to five of them are charged.
\set n random(1, :accounts)
\set k random(1, 1000000000000)
\set used random(1, 5)
select * from api.hold_tokens('stablediffusion', '{"calls": 5}', idempotency_key => 'hold-' || :k, user_id => 'user-' || :n) \gset
select * from api.capture_hold(:hold_id, jsonb_build_object('calls', :used::integer), idempotency_key => 'capture-' || :k);
