"""Calls of the database: pools, connections, lanes, shared transactions, and the schema cache."""
