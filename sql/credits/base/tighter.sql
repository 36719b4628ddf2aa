-- LEAST ignores NULL, and a reader cannot see whether that was intended. Here it is: null means that there is no bound.
create or replace function credits.tighter(p_bound numeric, p_other numeric)
returns numeric
language sql
immutable
parallel safe
return case
    when p_bound is null then p_other
    when p_other is null then p_bound
    else least(p_bound, p_other)
end;
comment on function credits.tighter(numeric, numeric) is
'The tighter of two bounds. Null means no bound.';
