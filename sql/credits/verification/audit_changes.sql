-- The incremental audit. credits.change_faults only reads: it is for a replica, and for a login that looks.
-- credits.audit_changes is for the primary: it also moves the checkpoint of each account in which there was no fault.
--
-- 1. One statement verifies and moves the checkpoints, so both see the same moment. What is committed meanwhile is for
--    the next audit.
-- 2. An auditor cannot write a checkpoint. They can only have the bank verify. A fault stays one until it is mended.
-- 3. Of two audits at the same time, the one that has seen more entries counts.
create or replace function credits.change_faults(p_first uuid, p_last uuid)
returns table (account_id uuid, expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.account_id, f.expected, f.found
    from credits.checkpoint_faults(change_faults.p_first, change_faults.p_last) as f
    union all
    select f.account_id, f.expected, f.found
    from credits.chain_faults(change_faults.p_first, change_faults.p_last) as f
    union all
    select f.account_id, f.expected, f.found
    from credits.touched_wallet_faults(change_faults.p_first, change_faults.p_last) as f;
end
$$;
comment on function credits.change_faults(uuid, uuid) is
'Faults of what has changed since the checkpoints, in the accounts between the two. It writes nothing.';

create or replace function credits.audit_changes(p_first uuid, p_last uuid)
returns table (account_id uuid, expected text, found text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with faults as materialized (
        select f.* from credits.change_faults(audit_changes.p_first, audit_changes.p_last) as f
    ),
    moved as (
        insert into credits.audit_checkpoints as k (
            account_id, seq, posted_at, verified_at, balance, debt, lifetime_granted, lifetime_spent, hash
        )
        select
            w.account_id, w.seq, w.posted_at, credits.clock(), w.balance, w.debt, w.lifetime_granted,
            w.lifetime_spent, w.head_hash
        from credits.wallets as w
        left join credits.audit_checkpoints as c on w.account_id = c.account_id
        where
            w.account_id between audit_changes.p_first and audit_changes.p_last
            and (c.account_id is null or w.seq > c.seq)
            and not exists (select from faults as f where f.account_id = w.account_id)
        order by w.account_id
        on conflict on constraint audit_checkpoints_pkey do update
            set
                seq = excluded.seq, posted_at = excluded.posted_at, verified_at = excluded.verified_at,
                balance = excluded.balance, debt = excluded.debt, lifetime_granted = excluded.lifetime_granted,
                lifetime_spent = excluded.lifetime_spent, hash = excluded.hash
            where k.seq < excluded.seq
    )
    select f.account_id, f.expected, f.found from faults as f;
end
$$;
comment on function credits.audit_changes(uuid, uuid) is
'Like credits.change_faults, and moves the checkpoints of the accounts without a fault. For auditors.';
