-- Price lists are applied by a login of their own, which may say the words of a price list and nothing else.
-- Roles belong to the cluster, not to the database: another pgcredits database may have made it already.
do $roles$
begin
    create role pgcredits_catalog login noinherit;
exception
    when duplicate_object or unique_violation then
        raise notice 'role pgcredits_catalog exists';
end
$roles$;
comment on role pgcredits_catalog is
'Applies price lists. It has a password only while pgcredits catalog apply runs.';
