-- What to ask Stripe for next. A reading that was interrupted goes on; otherwise a new one begins.
create or replace function api.read_stripe_list(list text, since timestamptz default null)
returns api.stripe_reading
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_list record;
    v_cursor credits.stripe_cursors;
    v_now constant timestamptz := credits.clock();
begin
    perform credits.require_service('may read Stripe''s lists');
    v_list := credits.find_list(read_stripe_list.list);
    if not credits.is_sane_time(read_stripe_list.since) then
        perform credits.fail(422, 'bad_page', 'since must be a time from the year 2000 to 9999');
    end if;
    v_cursor := credits.lock_cursor(v_list.list);
    if v_cursor.began_at is null or (read_stripe_list.since < v_cursor.since) is true
        or (v_cursor.began_at < credits.earlier(v_now, '24 hours')) is true then
        -- No gap is left behind the last reading.
        v_cursor.since := case
            when v_cursor.complete_until is null then read_stripe_list.since
            else least(
                coalesce(read_stripe_list.since, 'infinity'),
                coalesce(credits.earlier(v_cursor.complete_until, v_list.changes_for), '-infinity')
            )
        end;
        v_cursor.began_at := v_now;
        v_cursor.after := null;
        update credits.stripe_cursors as c
        set since = v_cursor.since, began_at = v_now, after = null
        where c.list = v_cursor.list;
    end if;
    return row(v_list.list, v_list.path, floor(extract(epoch from v_cursor.since))::bigint, v_cursor.after);
end
$$;
comment on function api.read_stripe_list(text, timestamptz) is
'Say which page of a list at Stripe to read next. For services: `pgcredits stripe pull` calls it.

list: one of events, sessions, payment_intents, invoices, charges, refunds, disputes, payouts, balance_transactions.
since: how far back to read; by default to where the last reading ended, and a little further for objects that change.
A reading that was interrupted less than a day ago goes on where it stopped. Give the page to note_stripe_page.
Raises PT422 bad_page, PT403 not_yours, PT503 busy.';
