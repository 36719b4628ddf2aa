-- How long the bank keeps what the books do not need: periods as data, and what finds the oldest rows.
set local role credits_owner;

create table credits.retention_periods (
    kind text not null,
    keep_for interval not null,
    at_least interval not null,
    constraint retention_periods_pkey primary key (kind),
    constraint retention_periods_have_bounds check (keep_for >= at_least and keep_for <= interval '1000 years'),
    constraint retention_periods_are_spans check (at_least > interval '0')
);
-- at_least: what the contract promises, or what other rules read.
insert into credits.retention_periods (kind, keep_for, at_least) values
('idempotency_keys', '35 days', '35 days'),
('networks', '35 days', '14 days'),
('sessions', '35 days', '1 day'),
('webhook_deliveries', '35 days', '35 days'),
('notices', '400 days', '35 days'),
('guests', '400 days', '14 days'),
('stripe_payloads', '400 days', '35 days');

create index outbox_created_idx on credits.outbox (created_at);
create index guest_uses_used_idx on credits.guest_uses (used_at);
create index guests_first_seen_idx on credits.guests (first_seen_at);

alter table credits.stripe_events add column slimmed_at timestamptz;
create index stripe_events_full_idx on credits.stripe_events (received_at) where slimmed_at is null;

alter type api.maintenance add attribute forgotten bigint;
