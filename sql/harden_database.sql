-- For a database of the bank's own: only the roles that access.sql lists may connect, and nobody may make temporary
-- objects, which could shadow those of the bank. `pgcredits migrate --harden-database` runs this, and so does every
-- later migrate of that database. In a database with neighbours it would lock them out.
do $database$
begin
    execute format('revoke all on database %I from public', current_database());
end
$database$;
