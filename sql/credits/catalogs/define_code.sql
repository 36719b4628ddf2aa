-- The code of a promotion.
create or replace function credits.define_code(p_code text, p_campaign_id text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_code constant text := credits.normal_code(p_code);
begin
    if (length(v_code) between 3 and 64) is not true then
        perform credits.refuse_line(
            'code', p_code, 'a code has 3 to 64 characters: letters of one script, not all drawn like Latin ones, digits, '
            'and - _ . + % & !'
        );
    elsif not exists (
        select from credits.campaigns as c where c.campaign_id = p_campaign_id and c.kind = 'promo'
    ) then
        perform credits.refuse_line('code', p_code, format('no campaign %L of kind promo', p_campaign_id));
    end if;
    insert into credits.codes (code, campaign_id) values (v_code, p_campaign_id)
    on conflict (code) do nothing;
    if not exists (
        select from credits.codes as c where c.code = v_code and c.campaign_id = p_campaign_id
    ) then
        perform credits.refuse_line('code', p_code, 'it is the code of another campaign');
    end if;
end
$$;
comment on function credits.define_code(text, text) is
'A code for a campaign of kind promo: 3 to 64 letters of one script, digits, and - _ . + % & !. Case, white space, the '
'kind of dash and invisible characters do not matter. Raises PT422 bad_catalog.';
