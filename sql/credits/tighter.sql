-- LEAST passes NULL over, and nobody sees whether that was meant. Here it is: a bound that is null is none.
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
'The tighter of two bounds, of which null is none; null when there is neither.';
