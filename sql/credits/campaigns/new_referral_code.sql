-- A code that people can read to each other over the telephone. Its first half gives the bucket of its owner.
create or replace function credits.new_referral_code(p_account_id uuid)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 32 characters, without 0, 1, I and O: 16 pairs, one for each hex digit.
    v_letters constant text := '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
    v_bucket constant text := lpad(to_hex(credits.bucket_of(p_account_id)), 4, '0');
    v_bytes constant bytea := sha256(uuid_send(gen_random_uuid()));
begin
    return (
        select
            string_agg(
                case
                    -- For each digit of the bucket, take either character of its pair.
                    when i.place < 4
                        then substr(
                            v_letters,
                            2 * strpos('0123456789abcdef', substr(v_bucket, i.place + 1, 1))
                            - get_byte(v_bytes, i.place) % 2,
                            1
                        )
                    else substr(v_letters, 1 + get_byte(v_bytes, i.place) % 32, 1)
                end,
                '' order by i.place
            )
        from generate_series(0, 7) as i (place)
    );
end
$$;
comment on function credits.new_referral_code(uuid) is
'Eight random characters that cannot be mistaken for one another. The first four give the bucket of the account: see '
'docs/scaling.md.';
