-- Whether a Checkout session is another order's is asked whenever one is attached.
set local role credits_owner;

create index orders_checkout_session_idx on credits.orders (checkout_session_id)
where checkout_session_id is not null;
comment on index credits.orders_checkout_session_idx is 'Of which order a Checkout session is.';
