"""Whose call is it: tokens of issuers, API keys, sessions, passwords and guests."""
