"""The bank in the database, as its administrators see it: migrations, price lists, audit, maintenance."""
