-- Retention periods are data. What the bank forgets is never part of the books: no period can remove an entry, a lot or
-- an order.
create or replace function credits.kept_since(p_kind text)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Without its row, nothing of this kind is forgotten.
    return coalesce(
        (
            select credits.earlier(credits.clock(), r.keep_for)
            from credits.retention_periods as r
            where r.kind = p_kind
        ),
        '-infinity'
    );
end
$$;
comment on function credits.kept_since(text) is
'The time before which things of this kind are forgotten. p_kind: as in credits.retention_periods.';

create or replace function credits.define_retention(p_kind text, p_keep_for interval)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule credits.retention_periods;
begin
    select r.* into v_rule from credits.retention_periods as r where r.kind = p_kind;
    if v_rule.kind is null then
        perform credits.refuse_line(
            'retention', p_kind,
            'it is one of '
            || (select string_agg(r.kind, ', ' order by r.kind) from credits.retention_periods as r)
        );
    elsif (p_keep_for >= v_rule.at_least and p_keep_for <= interval '1000 years') is not true then
        perform credits.refuse_line(
            'retention', p_kind,
            format('it is kept for at least %s, and at most 1000 years', credits.interval_text(v_rule.at_least))
        );
    end if;
    update credits.retention_periods as r
    set keep_for = p_keep_for
    where r.kind = p_kind and r.keep_for is distinct from p_keep_for;
end
$$;
comment on function credits.define_retention(text, interval) is
'How long things of one kind are kept: a line of a price list, or for an operator. p_kind: idempotency_keys, networks, '
'sessions, webhook_deliveries, notices, guests or stripe_payloads. p_keep_for: at least what '
'credits.retention_periods.at_least says, at most 1000 years. Raises PT422 bad_catalog.';
