"""/v1 paths about invoices and subscriptions."""
