"""A bank on this machine: PostgreSQL, the HTTP API and the Stripe simulator, run by `pgcredits up`."""
