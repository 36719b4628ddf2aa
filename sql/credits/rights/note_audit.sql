-- `pgcredits audit` notes here what it has found, after it has read everything in a transaction that writes nothing.
-- The row of the last audit is replaced.
create or replace function credits.note_audit(p_checks bigint, p_findings bigint)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credits.audits as a (audited_at, checks, findings, auditor)
    values (credits.clock(), note_audit.p_checks, note_audit.p_findings, session_user)
    on conflict (one_row) do update
        set
            audited_at = excluded.audited_at, checks = excluded.checks, findings = excluded.findings,
            auditor = excluded.auditor;
end
$$;
comment on function credits.note_audit(bigint, bigint) is
'Note that p_checks checks have just been run, and how many findings they had. For auditors.';
