-- How many orders may wait for their payment, and finding those that nobody went on with.
set local role credits_owner;

alter table credits.settings add column most_pending_orders bigint not null default 20;
comment on column credits.settings.most_pending_orders is 'How many orders of one account may be pending.';

create index orders_without_checkout_idx on credits.orders (created_at)
where state = 'pending' and checkout_session_id is null;
