-- The database is the bank's own: nobody may connect who is not listed in access.sql, nor make temporary objects, which
-- could shadow ours. Only for `pgcredits migrate --harden-database`, and kept up by every migrate after it: a database
-- that has neighbours would lock them out.
do $database$
begin
    execute format('revoke all on database %I from public', current_database());
end
$database$;
