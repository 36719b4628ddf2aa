-- A call to Stripe that the worker makes once the transaction that wrote it has committed.
create or replace function credits.put_call(p_account_id uuid, p_kind text, p_made_for uuid, p_params jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
begin
    insert into credits.stripe_calls (
        account_id, kind, made_for, idempotency_key, params, due_at, created_at
    )
    values (p_account_id, p_kind, p_made_for, p_kind || ':' || p_made_for, p_params, v_now, v_now);
end
$$;
comment on function credits.put_call(uuid, text, uuid, jsonb) is
'Writes a call to Stripe: charge (made for an attempt), refund (for a request), confirm_card (for an '
'attempt) or delete_customer (for nothing: p_made_for is random). Its key is the same for every repeat.';
