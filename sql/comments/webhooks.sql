-- Comments for people and for /schema. The tables themselves are in migrations/0021-webhooks.sql.
comment on table credits.webhook_endpoints is
'Where products are told what happened: addresses that an operator registered. They serve every account, so they have '
'no account_id.';
comment on column credits.webhook_endpoints.kinds is 'The kinds of notices that it takes. Null: all of them.';
comment on column credits.webhook_endpoints.enabled_at is 'When it was registered, or last enabled.';
comment on column credits.webhook_endpoints.disabled_at is
'When an operator disabled it, or when it had failed for too long. It gets no messages until it is enabled.';
comment on column credits.webhook_endpoints.failing_since is
'The first failure since it last took a message. Null while it takes them.';

comment on table credits.webhook_secrets is
'What messages to an endpoint are signed with. Only the worker reads it.';
comment on column credits.webhook_secrets.valid_until is
'Until when messages are signed with it as well. Null: it is the present secret.';

comment on table credits.webhook_changes is
'What was done to an endpoint, by whom, when and why. Rows are never changed.';
comment on column credits.webhook_changes.change is 'disabled, enabled, new_secret or replayed.';

comment on table credits.webhook_deliveries is
'One message to one endpoint: a notice of the outbox, and what became of it. Written with the notice.';
comment on column credits.webhook_deliveries.state is
'pending, delivered, or failed: it was tried as often as messages are tried.';
comment on column credits.webhook_deliveries.due_at is
'When it is sent next. While a worker sends it: when another worker may send it again.';
comment on column credits.webhook_deliveries.lease is 'Names the try that is under way, so that no older one ends it.';
comment on column credits.webhook_deliveries.last_status is 'HTTP status of the last answer. Null: there was none.';

comment on type api.webhook is
'An endpoint: its address, the kinds of notices that it gets (null: all), and its state (enabled or disabled, and '
'why). secret is there only in the answer that made it.';
comment on type api.webhook_replay is 'How many messages were put in the queue of an endpoint.';
comment on type api.webhook_batch is 'Messages that a worker has taken to send.';
comment on type api.webhook_result is
'What became of a message: its state, when it is sent again, and the state of its endpoint.';
