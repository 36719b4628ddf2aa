-- Where a product may be told something. The worker looks up the host and refuses private addresses when it sends:
-- what a name stands for can change at any time.
create or replace function credits.check_webhook(p_url text, p_kinds text[], p_description text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host constant text := '([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]+\]';
    v_rest constant text := '(:[0-9]{1,5})?(/[!$-;=?-Z_a-z~@&]*)?$';
    v_unknown constant text := (
        select min(coalesce(k.kind, 'null'))
        from unnest(p_kinds) as k (kind)
        where not exists (select from credits.notice_kinds as n where n.kind = k.kind)
    );
begin
    if (
        length(p_url) <= 500 and (
            p_url ~ ('^https://(' || v_host || ')' || v_rest)
            or p_url ~ ('^http://(localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])' || v_rest)
        )
    ) is not true then
        perform credits.fail(
            422, 'bad_webhook',
            'url must be an https address in lower case without user, password and fragment; http for this machine alone'
        );
    elsif v_unknown is not null or (cardinality(p_kinds) = 0) is true then
        perform credits.fail(
            422, 'bad_webhook', 'kinds must be kinds of notices, at least one, or null for all of them',
            (select json_build_object('kinds', json_agg(n.kind order by n.kind)) from credits.notice_kinds as n)
        );
    elsif not credits.is_label(p_description, 200) then
        perform credits.fail(
            422, 'bad_webhook', 'description may have at most 200 characters, and no control characters'
        );
    end if;
end
$$;
comment on function credits.check_webhook(text, text[], text) is
'Checks what an endpoint is registered with. Raises PT422 bad_webhook.';
