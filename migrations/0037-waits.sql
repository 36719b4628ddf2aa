-- The bound that money functions set for their waits, from the start: they need not set it then.
alter role pgcredits_api set lock_timeout = '2s';
alter role pgcredits_service set lock_timeout = '2s';
