\set n random(1, :accounts)
select * from api.consume_tokens('stablediffusion', user_id => 'user-' || :n);
