-- A hundred spends in one call. That the server puts their JSON together, as their client would, counts against them.
select b.*, 1 / (b.refused = 0)::integer as whole
from api.consume_tokens_batch((
    select jsonb_agg(jsonb_build_object(
        'user_id', 'user-' || random(1, :accounts),
        'module_id', 'stablediffusion',
        'idempotency_key', 'batch-' || random(1, 1000000000000)
    ))
    from generate_series(1, 100)
)) as b;
