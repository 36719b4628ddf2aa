"""Calling a function of the schema api: its arguments, its key, and its refusals."""
