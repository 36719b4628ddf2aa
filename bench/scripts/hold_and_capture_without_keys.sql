-- The same without keys: a worst case of five calls is held, one to five of them are charged.
\set n random(1, :accounts)
\set used random(1, 5)
select * from api.hold_tokens('stablediffusion', '{"calls": 5}', user_id => 'user-' || :n) \gset
select * from api.capture_hold(:hold_id, jsonb_build_object('calls', :used::integer));
