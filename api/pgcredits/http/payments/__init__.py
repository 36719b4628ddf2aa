"""What the HTTP API does at Stripe: checkouts, plans and automatic top-ups."""
