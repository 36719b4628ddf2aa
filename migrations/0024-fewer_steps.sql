-- Spends, holds and captures in fewer steps. The functions of theirs that have other arguments, or another answer, now.
-- Until the new ones are there nobody can spend, so nothing that may take long stands beside or after this.
drop function if exists credits.post_entry(
    uuid, bigint, numeric, numeric, timestamptz, bytea, credits.entry_kind, numeric, jsonb, text, jsonb, bigint,
    text, jsonb, timestamptz, numeric, timestamptz, numeric, numeric
);
drop function if exists credits.capture(uuid, uuid, text, jsonb, boolean, text, text);
drop function if exists credits.check_ttl(interval);
drop function if exists credits.find_hold(text, text);
drop function if exists credits.refuse_hold();
drop function if exists credits.check_hold(boolean);
drop function if exists credits.lock_hold(uuid, uuid);
