"""pgcredits: prepaid tokens, kept by PostgreSQL."""
