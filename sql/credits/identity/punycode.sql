-- RFC 3492. It gives a domain the one form that mail servers use: xn--mnchen-3ya for münchen.

create or replace function credits.punycode_adapt(p_delta bigint, p_points bigint, p_first boolean)
returns bigint
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_delta bigint not null := case when p_first is true then p_delta / 700 else p_delta / 2 end;
    v_k bigint not null := 0;
begin
    v_delta := v_delta + v_delta / p_points;
    while v_delta > 455 loop
        v_delta := v_delta / 35;
        v_k := v_k + 36;
    end loop;
    return v_k + 36 * v_delta / (v_delta + 38);
end
$$;
comment on function credits.punycode_adapt(bigint, bigint, boolean) is
'The new bias of RFC 3492, section 6.1.';

create or replace function credits.punycode_encode(p_label text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_digits constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    v_points constant bigint[] := array(
        select ascii(l.letter) from regexp_split_to_table(p_label, '') with ordinality as l (letter, place)
        where l.letter <> '' order by l.place
    );
    v_basic constant text := regexp_replace(p_label, '[^\u0001-\u007F]', '', 'g');
    v_out text not null := v_basic || case when v_basic <> '' then '-' else '' end;
    v_handled bigint not null := length(v_basic);
    v_n bigint not null := 128;
    v_delta bigint not null := 0;
    v_bias bigint not null := 72;
    v_point bigint;
    v_next bigint;
    v_q bigint;
    v_k bigint;
    v_t bigint;
begin
    while v_handled < cardinality(v_points) loop
        select min(p.point) into v_next from unnest(v_points) as p (point) where p.point >= v_n;
        v_delta := v_delta + (v_next - v_n) * (v_handled + 1);
        v_n := v_next;
        foreach v_point in array v_points loop
            if (v_point < v_n) is true then
                v_delta := v_delta + 1;
            elsif (v_point = v_n) is true then
                v_q := v_delta;
                v_k := 36;
                loop
                    v_t := least(greatest(v_k - v_bias, 1), 26);
                    exit when v_q < v_t;
                    v_out := v_out || substr(v_digits, 1 + (v_t + (v_q - v_t) % (36 - v_t))::integer, 1);
                    v_q := (v_q - v_t) / (36 - v_t);
                    v_k := v_k + 36;
                end loop;
                v_out := v_out || substr(v_digits, 1 + v_q::integer, 1);
                v_bias := credits.punycode_adapt(v_delta, v_handled + 1, v_handled = length(v_basic));
                v_delta := 0;
                v_handled := v_handled + 1;
            end if;
        end loop;
        v_delta := v_delta + 1;
        v_n := v_n + 1;
    end loop;
    return v_out;
end
$$;
comment on function credits.punycode_encode(text) is
'A label of a domain in Punycode, without the xn-- before it.';

create or replace function credits.punycode_decode(p_code text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_digits constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    v_out text not null := coalesce(substring(p_code from '^(.*)-'), '');
    v_rest text not null := regexp_replace(p_code, '^.*-', '');
    v_n bigint not null := 128;
    v_i bigint not null := 0;
    v_bias bigint not null := 72;
    v_old bigint;
    v_weight bigint;
    v_k bigint;
    v_t bigint;
    v_digit bigint;
begin
    while v_rest <> '' loop
        v_old := v_i;
        v_weight := 1;
        v_k := 36;
        loop
            v_digit := strpos(v_digits, left(v_rest, 1)) - 1;
            v_rest := substr(v_rest, 2);
            v_i := v_i + v_digit * v_weight;
            v_t := least(greatest(v_k - v_bias, 1), 26);
            exit when (v_digit >= v_t) is not true;
            -- The Punycode is cut off, or stands for far more than a label can hold.
            if v_rest = '' or v_i > 1000000000 or v_weight > 1000000000 then
                return null;
            end if;
            v_weight := v_weight * (36 - v_t);
            v_k := v_k + 36;
        end loop;
        if (v_digit >= 0) is not true then
            return null;
        end if;
        v_bias := credits.punycode_adapt(v_i - v_old, length(v_out) + 1, v_old = 0);
        v_n := v_n + v_i / (length(v_out) + 1);
        v_i := v_i % (length(v_out) + 1);
        if v_n > 1114111 or v_n between 55296 and 57343 then
            return null;
        end if;
        v_out := overlay(v_out placing chr(v_n::integer) from v_i::integer + 1 for 0);
        v_i := v_i + 1;
    end loop;
    return v_out;
end
$$;
comment on function credits.punycode_decode(text) is
'The label that Punycode stands for, given without the xn-- before it. Null when it is not Punycode.';
