"""/v1/checkout."""
